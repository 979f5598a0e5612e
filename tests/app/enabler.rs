//! `vestibule-plugin-enabler`.

use bevy::prelude::*;
use vestibule_model::{CommandStatus, ContentHash, Refusal, RefusalCode, RuleId, Truth, TwinId, Value};
use vestibule_plugin_enabler::{Connected, Disconnected, enabler_connected};
use vestibule_protocol::{Event, LinkEvent, Response};
use vestibule_tests::{lamp, reading, view};
use vestibule_twin::{
    ActuateTwin, ActuationRefused, ActuationTicket, EnablerLink, LinkState, Twin, TwinActuated, TwinAppeared,
    TwinIndex, TwinPictures, TwinRoot, TwinState, TwinVanished,
    model::{ActionId, BlobRef, FeatureId},
};

use crate::{app, frames, messages};

fn front_door() -> TwinId {
    TwinId::new("home/front_door").unwrap()
}

fn open(ticket: u64) -> ActuateTwin {
    ActuateTwin {
        ticket: ActuationTicket(ticket),
        twin: front_door(),
        feature: FeatureId::slug("door"),
        action: ActionId::slug("open"),
        input: None,
        valid_for_ms: None,
    }
}

fn state(app: &App) -> TwinState {
    let root = app.world().resource::<TwinIndex>().get(&front_door())[0];
    app.world().get::<TwinState>(root).unwrap().clone()
}

#[test]
fn a_connection_is_an_entity_with_its_state_as_components() {
    let (mut app, mut enabler) = app();
    let mut connected = app.world_mut().query_filtered::<Entity, With<Connected>>();
    assert_eq!(connected.iter(app.world()).count(), 1);
    assert_eq!(app.world().resource::<EnablerLink>().state, LinkState::Connected);
    assert!(app.world_mut().run_system_cached(enabler_connected).unwrap());
    enabler.say(LinkEvent::Closed { reason: "the cable is out".to_owned(), retry: true });
    frames(&mut app, &mut enabler, 1);
    let mut lost = app.world_mut().query::<&Disconnected>();
    assert_eq!(lost.single(app.world()).unwrap().reason, "the cable is out");
    assert_eq!(connected.iter(app.world()).count(), 0);
}

#[test]
fn a_twin_appears_once_and_vanishes() {
    let (mut app, mut enabler) = app();
    enabler.tell(&Event::Twin(Box::new(view(lamp(), 2))));
    frames(&mut app, &mut enabler, 1);
    assert_eq!(messages::<TwinAppeared>(&app).len(), 1);
    let mut roots = app.world_mut().query_filtered::<Entity, With<TwinRoot>>();
    assert_eq!(roots.iter(app.world()).count(), 2);
    enabler.tell(&Event::Gone(TwinId::new("home/lamp").unwrap()));
    frames(&mut app, &mut enabler, 1);
    assert_eq!(messages::<TwinVanished>(&app).len(), 1);
    assert_eq!(roots.iter(app.world()).count(), 1);
}

#[test]
fn entities_of_the_game_are_kept_up_to_date_whenever_they_come() {
    let (mut app, mut enabler) = app();
    let late = app.world_mut().spawn(Twin(front_door())).id();
    frames(&mut app, &mut enabler, 2);
    assert!(app.world().get::<TwinState>(late).is_some());
    enabler.report(1, 1, reading(Value::Int(40), 5));
    frames(&mut app, &mut enabler, 1);
    let state = app.world().get::<TwinState>(late).unwrap();
    assert_eq!(state.reported("door", "position"), Some(&Value::Int(40)));
}

#[test]
fn a_lost_link_makes_everything_stale_and_nothing_else() {
    let (mut app, mut enabler) = app();
    enabler.report(1, 1, reading(Value::Int(100), 5));
    frames(&mut app, &mut enabler, 1);
    assert_eq!(state(&app).reading("door", "position").unwrap().truth, Truth::Live);
    enabler.say(LinkEvent::Closed { reason: "gone".to_owned(), retry: true });
    frames(&mut app, &mut enabler, 1);
    let after = state(&app);
    assert_eq!(after.reading("door", "position").unwrap().truth, Truth::Stale);
    assert_eq!(after.reported("door", "position"), Some(&Value::Int(100)), "the last report stays, as a last report");
    assert!(!after.reachable);
}

#[test]
fn a_press_becomes_a_command_with_window_revision_and_key() {
    let (mut app, mut enabler) = app();
    enabler.report(1, 2, reading(Value::Text("closed".to_owned()), 41));
    frames(&mut app, &mut enabler, 1);
    app.world_mut().write_message(open(7));
    app.world_mut().write_message(open(8));
    frames(&mut app, &mut enabler, 2);
    let (id, first) = enabler.command().unwrap();
    let (_, second) = enabler.command().unwrap();
    assert_ne!(first.id, second.id, "each press has a key of its own");
    assert_eq!(first.expected_revision, Some(41));
    let window = first.not_after.since(vestibule_model::Timestamp(1_000_000));
    assert!((4_000..20_000).contains(&window), "the action's time and a margin, not {window}");
    enabler.accept(id, &first, CommandStatus::Dispatched);
    enabler.progress(&first, CommandStatus::Confirmed);
    frames(&mut app, &mut enabler, 1);
    let told: Vec<_> = messages::<TwinActuated>(&app).into_iter().map(|a| (a.ticket, a.status)).collect();
    let ticket = Some(ActuationTicket(7));
    assert_eq!(told, [(ticket, CommandStatus::Dispatched), (ticket, CommandStatus::Confirmed)]);
}

#[test]
fn a_refusal_comes_back_with_its_rule() {
    let (mut app, mut enabler) = app();
    app.world_mut().write_message(open(7));
    frames(&mut app, &mut enabler, 2);
    let (id, _) = enabler.command().unwrap();
    let rule = Some(RuleId::slug("guests-look"));
    let refusal = Refusal { code: RefusalCode::Forbidden, rule, message: "guests may look, not open".to_owned() };
    enabler.respond(id, &Response::Refused(refusal.clone()));
    frames(&mut app, &mut enabler, 1);
    let refused = messages::<ActuationRefused>(&app);
    assert_eq!(refused.len(), 1);
    assert_eq!((refused[0].ticket, &refused[0].refusal), (ActuationTicket(7), &refusal));
    assert!(state(&app).readings.values().all(|reading| reading.desired.is_none()));
}

#[test]
fn an_unknown_twin_is_refused_here() {
    let (mut app, mut enabler) = app();
    let twin = TwinId::new("home/cat").unwrap();
    app.world_mut().write_message(ActuateTwin { twin, ..open(9) });
    frames(&mut app, &mut enabler, 2);
    assert_eq!(messages::<ActuationRefused>(&app)[0].refusal.code, RefusalCode::NotFound);
    assert!(enabler.command().is_none());
}

#[test]
fn pictures_are_fetched_and_only_the_right_bytes_are_shown() {
    let (mut app, mut enabler) = app();
    let bytes = b"not really a jpeg".to_vec();
    let blob = BlobRef::of(&bytes, "image/jpeg");
    enabler.report(1, 0, reading(Value::Blob(blob.clone()), 3));
    frames(&mut app, &mut enabler, 2);
    assert_eq!(enabler.fetches, [blob.hash]);
    enabler.say(LinkEvent::Content { hash: blob.hash, bytes: Ok(b"something else".to_vec()) });
    frames(&mut app, &mut enabler, 1);
    let root = app.world().resource::<TwinIndex>().get(&front_door())[0];
    assert!(app.world().get::<TwinPictures>(root).is_none(), "a forged picture is never shown");
    let newer = BlobRef::of(b"newer", "image/jpeg");
    enabler.report(1, 0, reading(Value::Blob(newer.clone()), 4));
    frames(&mut app, &mut enabler, 2);
    enabler.say(LinkEvent::Content { hash: newer.hash, bytes: Ok(b"newer".to_vec()) });
    frames(&mut app, &mut enabler, 1);
    let pictures = &app.world().get::<TwinPictures>(root).unwrap().0;
    assert_eq!(pictures.values().map(|picture| &*picture.bytes).collect::<Vec<_>>(), [b"newer"]);
    assert_eq!(ContentHash::of(b"newer"), newer.hash);
}
