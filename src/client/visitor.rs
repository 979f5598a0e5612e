//! Whoever rang stands at the door for a while, as the door said.

use bevy::{prelude::*, world_serialization::WorldAssetRoot};
use vestibule_door::{DoorClosed, GuestRang};
use vestibule_world::scene::Places;

/// Guests that there are figures of.
const FIGURES: [&str; 3] = ["friend", "courier", "neighbour"];
/// Seconds after the ring for which the figure stands there. The door reports who rings, not who leaves.
const STAYS: f32 = 90.0;

/// On the figure of whoever rang last.
#[derive(Component)]
pub(super) struct Visitor(Timer);

pub(super) fn come(
    mut commands: Commands,
    mut rang: MessageReader<GuestRang>,
    places: Res<Places>,
    there: Query<Entity, With<Visitor>>,
    assets: Res<AssetServer>,
) {
    let Some(guest) = rang.read().last().and_then(|rang| rang.guest.clone()) else { return };
    let Some(place) = places.anchors.get("visitor").filter(|_| FIGURES.contains(&guest.as_str())) else { return };
    there.iter().for_each(|entity| commands.entity(entity).despawn());
    let figure = assets.load(GltfAssetLabel::Scene(0).from_asset(format!("people/{guest}.glb")));
    let visitor = Visitor(Timer::from_seconds(STAYS, TimerMode::Once));
    commands.spawn((Name::new("visitor"), visitor, WorldAssetRoot(figure), *place));
}

/// The door has closed behind them, or they have waited long enough.
pub(super) fn go(
    mut commands: Commands,
    mut closed: MessageReader<DoorClosed>,
    mut there: Query<(Entity, &mut Visitor)>,
    time: Res<Time>,
) {
    let shut = closed.read().count() > 0;
    for (entity, mut visitor) in &mut there {
        if visitor.0.tick(time.delta()).is_finished() || shut {
            commands.entity(entity).despawn();
        }
    }
}
