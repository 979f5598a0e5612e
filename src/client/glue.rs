//! Passes on between plugins that do not know each other.

use bevy::prelude::*;
use vestibule_hud::{Quality, Settings, SettingsChanged};
use vestibule_input::LookSettings;
use vestibule_world::{
    sky::{SkyQuality, TimeOfDay},
    walk::Eye,
};

use super::{doormat, table, visitor};

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
        app.insert_resource(Fixed(*self))
            .add_systems(Update, (screen, settings, clock, visitor::come, visitor::go, table::serve, doormat::lay));
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
