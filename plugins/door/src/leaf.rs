use std::f32::consts::FRAC_PI_2;

use bevy::prelude::*;
use vestibule_model::TwinId;
use vestibule_twin::{Twin, TwinDescription, TwinPart, TwinRole, TwinRoot, TwinState};

use crate::{Settings, reported_door};

/// A leaf that turns about its local Y; its origin is the hinge, its rotation when spawned is *closed*.
#[derive(Component, Clone, Copy, Debug)]
pub struct DoorLeaf {
    /// Radians about +Y when fully open. Default a quarter turn.
    pub open_angle: f32,
    /// How far it stands now: 0 closed, 1 open. Follows the reports.
    pub position: f32,
    /// Its rotation when closed; taken from its transform when first seen.
    pub closed: Option<Quat>,
}

impl Default for DoorLeaf {
    fn default() -> Self {
        Self { open_angle: FRAC_PI_2, position: 0.0, closed: None }
    }
}

/// A bolt that slides along its local X when locked; where it was spawned is *locked*.
#[derive(Component, Clone, Copy, Debug)]
pub struct DoorBolt {
    /// Metres that it goes back when unlocked.
    pub travel: f32,
    /// Where it is when locked; taken from its transform when first seen.
    pub locked: Option<Vec3>,
}

/// Fact: the door says that it stands open (at least nine tenths).
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct DoorOpened {
    /// The twin.
    pub twin: TwinId,
}

/// Fact: the door says that it is closed.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct DoorClosed {
    /// The twin.
    pub twin: TwinId,
}

/// Parts of a world that take a door's roles become doors.
pub(crate) fn bind(mut commands: Commands, parts: Query<(Entity, &TwinPart), Added<TwinPart>>) {
    for (entity, part) in &parts {
        let twin = Twin(part.twin.clone());
        match part.role {
            TwinRole::Leaf { open_angle } => {
                commands.entity(entity).insert((twin, DoorLeaf { open_angle, ..default() }));
            }
            TwinRole::Bolt { travel } => {
                commands.entity(entity).insert((twin, DoorBolt { travel, locked: None }));
            }
            TwinRole::Screen => {
                commands.entity(entity).insert((twin, crate::DoorScreen));
            }
            _ => {}
        }
    }
}

pub(crate) fn follow(
    mut leaves: Query<(&mut DoorLeaf, &mut Transform, &TwinDescription, &TwinState)>,
    settings: Res<Settings>,
    time: Res<Time>,
) {
    for (mut leaf, mut transform, description, state) in &mut leaves {
        let closed = *leaf.closed.get_or_insert(transform.rotation);
        let Some(target) = reported_door(&description.0, state).position else { continue };
        if (leaf.position - target).abs() < 1e-4 {
            continue;
        }
        let step = time.delta_secs() / settings.0.smoothing_s.max(1e-3);
        leaf.position += (target - leaf.position).clamp(-step, step);
        transform.rotation = closed * Quat::from_rotation_y(leaf.open_angle * leaf.position);
    }
}

pub(crate) fn slide(
    mut bolts: Query<(&mut DoorBolt, &mut Transform, &TwinDescription, &TwinState), Changed<TwinState>>,
) {
    for (mut bolt, mut transform, description, state) in &mut bolts {
        let locked = *bolt.locked.get_or_insert(transform.translation);
        if let Some(yes) = reported_door(&description.0, state).locked {
            let back = if yes { 0.0 } else { bolt.travel };
            transform.translation = locked - transform.rotation * Vec3::X * back;
        }
    }
}

/// What was last told of a door.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    open: bool,
}

pub(crate) fn tell(
    mut commands: Commands,
    roots: Query<(Entity, &Twin, &TwinDescription, &TwinState, Option<&Told>), (With<TwinRoot>, Changed<TwinState>)>,
    mut opened: MessageWriter<DoorOpened>,
    mut closed: MessageWriter<DoorClosed>,
) {
    for (entity, twin, description, state, told) in &roots {
        let open = match reported_door(&description.0, state).position {
            Some(position) if position >= 0.9 => true,
            Some(position) if position <= 0.02 => false,
            _ => continue,
        };
        // The first report says how things are; only a change is news.
        match told {
            Some(told) if told.open == open => continue,
            Some(_) if open => _ = opened.write(DoorOpened { twin: twin.0.clone() }),
            Some(_) => _ = closed.write(DoorClosed { twin: twin.0.clone() }),
            None => {}
        }
        commands.entity(entity).insert(Told { open });
    }
}
