//! What a person reads and clicks in Vestibule: the screen in front of the world.
//!
//! **Does**: shows the card of the twin that is pointed at ([`PointedTwin`](vestibule_twin::PointedTwin)) with what the
//! thing reported, how far that is to be believed, what is wanted and what can be done ([`availability`]); sends
//! [`ActuateTwin`](vestibule_twin::ActuateTwin) and follows it to its end; keeps notifications until they are read;
//! says how the link to the enabler is; shows systems and has their services used ([`UseServices`](vestibule_twin::UseServices)),
//! what is lent to whom ([`LendRights`](vestibule_twin::LendRights)), a twin's past
//! ([`TwinPast`](vestibule_twin::TwinPast)), what is designed ([`DesignView`](vestibule_twin::DesignView)), cooked
//! ([`KitchenView`](vestibule_twin::KitchenView)), bought ([`ShopView`](vestibule_twin::ShopView)) and ordered
//! ([`KnownPurchases`](vestibule_twin::KnownPurchases)), keys, furniture catalogue and settings ([`Settings`]); gives and
//! takes [`Attention`](vestibule_input::Attention).
//!
//! **Does not**: move anybody, find out what is pointed at, grab the cursor, talk to an enabler, decide who may do what.
//! Other plugins do not read [`Settings`]: the client passes them on when [`SettingsChanged`] says so.
//!
//! It needs no window: whichever camera has `IsDefaultUiCamera` shows it, any pointer of `bevy_picking` presses it, keys
//! do everything that pointers do. Where a screen is missing altogether (tests), the entities are there all the same:
//! [`hud_texts`], [`find_button`], [`find_named`].
//!
//! ```
//! use bevy::prelude::*;
//! use vestibule_hud::{HudPlugin, hud_texts};
//! use vestibule_twin::{EnablerLink, LinkState};
//!
//! let mut app = App::new();
//! app.add_plugins((MinimalPlugins, HudPlugin));
//! let state = LinkState::Refused { reason: "The pairing code is wrong".to_owned() };
//! app.insert_resource(EnablerLink { state, name: "hub.local".to_owned() });
//! app.update();
//! assert!(hud_texts(app.world()).contains(&"hub.local does not let you in".to_owned()));
//! ```

mod action;
mod availability;
mod banner;
mod card;
mod clipboard;
mod el;
mod format;
mod hints;
mod interact;
mod line;
mod moment;
mod notice;
mod probe;
mod render;
mod settings;
mod style;
#[cfg(test)]
mod testing;
mod track;
mod widgets;
mod window;

use bevy::{
    input::keyboard::KeyboardInput,
    prelude::*,
    ui::UiSystems,
    ui_widgets::{ButtonPlugin, ScrollAreaPlugin, SliderPlugin},
    window::{FileDragAndDrop, Ime},
};
use vestibule_input::ensure_control_plugin;
use vestibule_twin::ensure_twin_plugin;

pub use action::{
    AddressPart, HudAction, HudWindow, LendField, Prepare, PrepareLoan, PrepareShop, ServiceField, ShopField, ShopPart,
};
pub use availability::{Availability, Waiting, availability};
pub use clipboard::{Clipboard, SystemClipboard};
pub use probe::{find_button, find_named, hud_texts};
pub use settings::{Quality, SettingChange, Settings, SettingsChanged, SettingsFile};
pub use window::{KitchenField, KitchenPage, PrepareKitchen, TokenFiles};

/// What happens in each frame, in this order, in [`Update`].
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HudSystems {
    /// Keys, pointers and sliders become [`HudAction`]s.
    Ask,
    /// [`HudAction`]s are done. Whoever acts for the person sends them before this.
    Act,
    /// What is to be shown is decided; in `PostUpdate` it is drawn.
    Show,
}

/// The screen in front of the world. Insert [`SettingsFile`] before it, where settings are to be kept, and [`TokenFiles`],
/// where what is lent is to be kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct HudPlugin;

impl Plugin for HudPlugin {
    fn build(&self, app: &mut App) {
        ensure_twin_plugin(app);
        ensure_control_plugin(app);
        ensure_widgets(app);
        app.init_resource::<render::Screen>()
            .init_resource::<style::Letters>()
            .init_resource::<interact::Focus>()
            .init_resource::<interact::Dragging>()
            .init_resource::<card::CardPin>()
            .init_resource::<card::CardShown>()
            .init_resource::<card::CardSlots>()
            .init_resource::<card::Pictures>()
            .init_resource::<track::Tracks>()
            .init_resource::<notice::Notices>()
            .init_resource::<window::OpenWindow>()
            .init_resource::<window::Capturing>()
            .init_resource::<window::Desk>()
            .init_resource::<window::LoanDesk>()
            .init_resource::<window::DesignLine>()
            .init_resource::<window::KitchenDesk>()
            .init_resource::<window::ShopDesk>()
            .init_resource::<moment::Zone>()
            .add_message::<KeyboardInput>()
            .add_message::<Ime>()
            .add_message::<FileDragAndDrop>()
            .init_resource::<Settings>()
            .init_resource::<UiScale>()
            .add_message::<HudAction>()
            .add_message::<SettingsChanged>();
        app.add_observer(interact::pressed).add_observer(interact::slid).add_observer(card::part_clicked);
        app.add_systems(PreStartup, (style::Letters::load, render::open_surfaces, settings::load, window::lend_kept));
        app.configure_sets(Update, (HudSystems::Ask, HudSystems::Act, HudSystems::Show).chain());
        let ask = (
            window::capture,
            line::write,
            interact::settle,
            interact::walk_focus,
            card::keys,
            window::keys,
            window::design_keys,
            window::drop_in,
        )
            .chain();
        let act = (
            (card::pin, window::act, window::serve, window::lend, window::ask, settings::change, notice::dismiss)
                .chain(),
            (window::design, window::attend_design, window::shop, window::leave_shop, window::cook).chain(),
            (track::actuate, track::follow, window::tell, window::tell_lent, notice::collect).chain(),
            (settings::keep, window::keep_tokens).chain(),
        );
        let show = (banner::show, hints::crosshair, hints::show, notice::show, window::show);
        app.add_systems(
            Update,
            (
                ask.in_set(HudSystems::Ask),
                act.chain().in_set(HudSystems::Act),
                (show, (card::show, card::decode).chain()).in_set(HudSystems::Show),
            ),
        );
        let draw = (scale, render::render, interact::follow_slides, interact::look).chain();
        app.add_systems(PostUpdate, draw.before(UiSystems::Prepare));
    }
}

/// The widgets' behaviour, where `DefaultPlugins` did not bring it.
fn ensure_widgets(app: &mut App) {
    if !app.is_plugin_added::<ButtonPlugin>() {
        app.add_plugins(ButtonPlugin);
    }
    if !app.is_plugin_added::<SliderPlugin>() {
        app.add_plugins(SliderPlugin);
    }
    if !app.is_plugin_added::<ScrollAreaPlugin>() {
        app.add_plugins(ScrollAreaPlugin);
    }
}

/// Height of the screen for which sizes are meant.
const MEANT_HEIGHT: f32 = 720.0;

/// Keeps what is read readable: sizes follow the screen's height, but never so far down that letters become dust.
fn scale(cameras: Query<&Camera, With<IsDefaultUiCamera>>, settings: Res<Settings>, mut scale: ResMut<UiScale>) {
    let height = cameras.iter().find_map(Camera::logical_viewport_size).map_or(MEANT_HEIGHT, |size| size.y);
    let wanted = (height / MEANT_HEIGHT).clamp(0.75, 3.0) * settings.ui_scale;
    if (scale.0 - wanted).abs() > f32::EPSILON {
        scale.0 = wanted;
    }
}

#[cfg(test)]
mod app_tests;
#[cfg(test)]
mod pointer_tests;
#[cfg(test)]
mod preview;
