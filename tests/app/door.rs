//! `vestibule-door`, and the example that drops it into somebody's game.

use std::collections::BTreeMap;

use bevy::prelude::*;
use vestibule_door::{DoorClosed, DoorLeaf, DoorOpened, GuestRang, OpenDoor};
use vestibule_model::{EventKind, FeatureId, Timestamp, TwinId, Value};
use vestibule_protocol::{Event, Occurrence};
use vestibule_tests::reading;
use vestibule_twin::{ActuationTicket, Notify, Twin, Urgency};

use crate::{app, drop_in, frames, messages};

fn front_door() -> TwinId {
    TwinId::new("home/front_door").unwrap()
}

fn leaf(app: &mut App) -> Entity {
    app.world_mut().spawn((Twin(front_door()), DoorLeaf::default(), Transform::default())).id()
}

fn angle(app: &App, leaf: Entity) -> f32 {
    app.world().get::<Transform>(leaf).unwrap().rotation.to_euler(EulerRot::YXZ).0
}

#[test]
fn a_leaf_moves_when_the_door_reports_and_never_before() {
    let (mut app, mut enabler) = app();
    let leaf = leaf(&mut app);
    frames(&mut app, &mut enabler, 2);
    app.world_mut().write_message(OpenDoor { ticket: ActuationTicket(1), twin: front_door() });
    frames(&mut app, &mut enabler, 2);
    let (_, command) = enabler.command().unwrap();
    assert_eq!((command.feature.as_str(), command.action.as_str()), ("door", "open"));
    let mut wish = reading(Value::Int(0), 2);
    wish.desired = Some(Value::Int(100));
    enabler.report(1, 1, wish);
    frames(&mut app, &mut enabler, 20);
    assert!(angle(&app, leaf).abs() < 1e-4, "a wish moves nothing");
    enabler.report(1, 1, reading(Value::Int(50), 3));
    frames(&mut app, &mut enabler, 10);
    assert!((angle(&app, leaf) - std::f32::consts::FRAC_PI_4).abs() < 1e-3);
}

#[test]
fn opened_and_closed_are_told_once_each() {
    let (mut app, mut enabler) = app();
    for (revision, position) in [(2, 0), (3, 40), (4, 95), (5, 100), (6, 60), (7, 0)] {
        enabler.report(1, 1, reading(Value::Int(position), revision));
        frames(&mut app, &mut enabler, 1);
        let (opened, closed) = (messages::<DoorOpened>(&app).len(), messages::<DoorClosed>(&app).len());
        match revision {
            4 => assert_eq!((opened, closed), (1, 0)),
            7 => assert_eq!((opened, closed), (0, 1)),
            2 => assert_eq!((opened, closed), (0, 0), "how it stood is no news"),
            _ => {}
        }
    }
}

#[test]
fn a_ring_is_a_request_that_names_the_door() {
    let (mut app, mut enabler) = app();
    let details = BTreeMap::from([("guest".to_owned(), Value::Text("friend".to_owned()))]);
    let ring = |at| Occurrence {
        twin: front_door(),
        feature: FeatureId::slug("doorbell"),
        event: EventKind::slug("press"),
        details: details.clone(),
        at,
    };
    enabler.tell(&Event::Occurred(ring(Timestamp(1_000_300))));
    frames(&mut app, &mut enabler, 1);
    let notices = messages::<Notify>(&app);
    assert!(matches!(&notices[..], [n] if n.urgency == Urgency::Request && n.title == "Somebody is at the Front door"));
    assert_eq!(messages::<GuestRang>(&app)[0].guest.as_deref(), Some("friend"));
    enabler.tell(&Event::Occurred(ring(Timestamp(700_000))));
    frames(&mut app, &mut enabler, 1);
    assert!(messages::<Notify>(&app).iter().any(|n| n.title == "You missed somebody at the Front door"));
}

#[test]
fn the_example_game_has_a_door_that_follows() {
    let (mut app, mut enabler) = app();
    app.init_asset::<Mesh>().add_systems(Startup, drop_in::build_house);
    app.world_mut().run_schedule(Startup);
    enabler.report(1, 1, reading(Value::Int(100), 2));
    frames(&mut app, &mut enabler, 20);
    let mut doors = app.world_mut().query_filtered::<(&Transform, &DoorLeaf), With<drop_in::MyDoor>>();
    let (transform, leaf) = doors.single(app.world()).unwrap();
    assert!((leaf.position - 1.0).abs() < 1e-3);
    assert!(transform.rotation.angle_between(Quat::IDENTITY) > 1.5);
}
