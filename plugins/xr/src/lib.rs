//! The world in a headset where there is one, and plain words where there is none.
//!
//! **Does**: starts OpenXR beside Bevy's own plugins ([`with_xr`]), stands the person's room where they walk in the world
//! ([`XrStand`]), says how it goes ([`XrStatus`], and a notice when it cannot), counts the eyes that render
//! ([`tracked_eyes`]).
//!
//! **Does not**: walk or point. Controllers will take their part through `PointedTwin` and `vestibule-input`, without a
//! change to doors or worlds.
//!
//! Frame: OpenXR's stage and Bevy's are both metres, Y up, -Z forward, right-handed; nothing is converted.
//!
//! ```no_run
//! use bevy::prelude::*;
//! use vestibule_xr::{XrPlugin, with_xr};
//!
//! // no_run: it asks the machine for a headset.
//! App::new().add_plugins((with_xr(DefaultPlugins), XrPlugin)).run();
//! ```

use bevy::{
    app::{PluginGroup, PluginGroupBuilder},
    prelude::*,
    render::pipelined_rendering::PipelinedRenderingPlugin,
};
use bevy_mod_openxr::add_xr_plugins;
use bevy_mod_xr::{
    camera::XrCamera,
    session::{XrState, XrTrackingRoot},
};
use vestibule_twin::{Notify, Urgency, ensure_twin_plugin};

/// Bevy's plugins with OpenXR among them. Without a runtime the app runs at the desk as if nothing had been asked.
///
/// Set the window after this: the group comes with one of its own.
#[must_use]
pub fn with_xr(plugins: impl PluginGroup) -> PluginGroupBuilder {
    // A frame of pipelining is a frame of latency between the head and its picture.
    add_xr_plugins(plugins.build().disable::<PipelinedRenderingPlugin>())
}

/// Where the person's own floor lies in the world: metres, Y up. Whoever walks moves it.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct XrStand(pub Transform);

/// How it goes with the headset.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum XrStatus {
    /// Nothing is known yet.
    #[default]
    Starting,
    /// There is no runtime or no headset.
    Unavailable,
    /// A headset is there; its session is not running.
    Waiting,
    /// The world is shown in the headset.
    Running,
}

/// Stands the person in the world and says how it goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct XrPlugin;

impl Plugin for XrPlugin {
    fn build(&self, app: &mut App) {
        ensure_twin_plugin(app);
        app.init_resource::<XrStand>()
            .init_resource::<XrStatus>()
            .add_systems(Update, (watch, tell).chain())
            .add_systems(PostUpdate, stand.before(TransformSystems::Propagate));
    }
}

fn watch(state: Option<Res<XrState>>, mut status: ResMut<XrStatus>) {
    let now = match state.as_deref() {
        None | Some(XrState::Unavailable) => XrStatus::Unavailable,
        Some(XrState::Running) => XrStatus::Running,
        Some(_) => XrStatus::Waiting,
    };
    status.set_if_neq(now);
}

fn tell(status: Res<XrStatus>, mut told: Local<XrStatus>, mut notify: MessageWriter<Notify>) {
    if *told == *status {
        return;
    }
    *told = *status;
    let (urgency, title, text) = match *status {
        XrStatus::Running => (Urgency::Info, "The headset shows the house", "Look around."),
        XrStatus::Unavailable => (
            Urgency::Problem,
            "There is no headset",
            "No OpenXR runtime answers. Start one (SteamVR, Monado, ...) and its headset, then start again with --xr. The \
             house goes on at the desk.",
        ),
        XrStatus::Starting | XrStatus::Waiting => return,
    };
    info!("{title}. {text}");
    notify.write(Notify { urgency, title: title.to_owned(), text: text.to_owned(), twin: None });
}

fn stand(stand: Res<XrStand>, mut roots: Query<&mut Transform, With<XrTrackingRoot>>) {
    for mut root in &mut roots {
        root.set_if_neq(stand.0);
    }
}

/// The eyes that a running session renders, in the world's frame. Two, apart by a person's eyes, where all is well.
pub fn tracked_eyes(world: &mut World) -> Vec<GlobalTransform> {
    if world.get_resource::<XrStatus>() != Some(&XrStatus::Running) {
        return Vec::new();
    }
    let mut eyes = world.query::<(&XrCamera, &Camera, &GlobalTransform)>();
    eyes.iter(world).filter(|(_, camera, _)| camera.is_active).map(|(_, _, place)| *place).collect()
}
