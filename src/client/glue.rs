//! Passes on between plugins that do not know each other.

use bevy::prelude::*;
use vestibule_hud::{Quality, Settings, SettingsChanged};
use vestibule_input::LookSettings;
use vestibule_sim::Goods;
use vestibule_twin::FoodDelivered;
use vestibule_world::{
    sky::{SkyQuality, TimeOfDay},
    walk::Eye,
};

use super::{doormat, table, visitor};
use crate::tour::Physical;

/// A door through which one takes a parcel, in percent.
const HALF_OPEN: u8 = 50;

/// What the client adds to its plugins.
#[derive(Clone, Copy, Debug)]
pub(super) struct GluePlugin {
    /// The hour to stay at, whatever the settings say: tours and `--hour`.
    pub(super) hour: Option<f32>,
    /// The processor draws: low quality, whatever the settings say.
    pub(super) software: bool,
}

#[derive(Resource, Clone, Copy, Debug)]
struct Fixed(GluePlugin);

impl Plugin for GluePlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(Fixed(*self)).add_systems(
            Update,
            (screen, settings, clock, visitor::come, visitor::go, bring, put_away, table::serve, doormat::lay),
        );
    }
}

/// The courier of the simulated home brings what was bought for the kitchen.
fn bring(mut delivered: MessageReader<FoodDelivered>, hand: Option<Res<Physical>>) {
    let hand = hand.as_deref().and_then(|Physical(hand)| hand.as_ref());
    let Some(hand) = hand else { return };
    for FoodDelivered { purchase, foods } in delivered.read() {
        let goods = foods.iter().map(|(item, amount)| Goods { item: item.clone(), amount: *amount });
        if let Err(error) = hand.deliver(&purchase.to_string(), goods.collect()) {
            warn!("the courier does not bring {purchase}: {error}");
        }
    }
}

/// Whoever opens the door takes the parcels in, and what is food goes where such is kept.
fn put_away(hand: Option<Res<Physical>>) {
    let hand = hand.as_deref().and_then(|Physical(hand)| hand.as_ref());
    let Some(hand) = hand else { return };
    if hand.door().position > HALF_OPEN && !hand.parcels().is_empty() {
        hand.put_away();
    }
}

/// Panels are in front of what the person sees.
fn screen(mut commands: Commands, eyes: Query<Entity, Added<Eye>>) {
    for eye in &eyes {
        commands.entity(eye).insert(IsDefaultUiCamera);
    }
}

fn settings(
    changed: Option<MessageReader<SettingsChanged>>,
    mut look: ResMut<LookSettings>,
    mut quality: ResMut<SkyQuality>,
    mut time: ResMut<TimeOfDay>,
    mut eyes: Query<&mut Projection, With<Eye>>,
    fixed: Res<Fixed>,
) {
    let Some(settings) = changed.and_then(|mut changed| changed.read().last().map(|changed| changed.settings.clone()))
    else {
        return;
    };
    *look = LookSettings { sensitivity: settings.mouse_sensitivity, invert_y: settings.invert_y };
    *quality = match settings.quality {
        Quality::High if !fixed.0.software => SkyQuality::High,
        _ => SkyQuality::Low,
    };
    if fixed.0.hour.is_none() && !settings.follow_clock {
        *time = TimeOfDay { hours: settings.hour, speed: 0.0 };
    }
    for mut projection in &mut eyes {
        if let Projection::Perspective(lens) = &mut *projection {
            lens.fov = settings.field_of_view.to_radians();
        }
    }
}

/// The sun follows this computer's clock, where the person wants that.
fn clock(settings: Res<Settings>, mut time: ResMut<TimeOfDay>, fixed: Res<Fixed>) {
    if fixed.0.hour.is_some() || !settings.follow_clock {
        return;
    }
    let hours = super::folders::local_hour();
    if (time.hours - hours).abs() > 0.01 {
        *time = TimeOfDay { hours, speed: 0.0 };
    }
}
