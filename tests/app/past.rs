//! What `vestibule-plugin-enabler` keeps of a twin's past.

use bevy::prelude::*;
use vestibule_model::{
    CommandId, CommandStatus, FeatureId, PastEntry, PastFact, PropertyId, Refusal, RefusalCode, Timestamp, TwinId,
    Value,
};
use vestibule_protocol::{PastReadings, PastTwin, Request, Response, TwinHistory, WireReading};
use vestibule_tests::{FakeEnabler, door, reading, view};
use vestibule_twin::{LookBack, TwinPast};

use crate::{app, frames};

fn front_door() -> TwinId {
    TwinId::new("home/front_door").unwrap()
}

fn asked(app: &mut App, enabler: &mut FakeEnabler) -> Vec<(u64, Request)> {
    frames(app, enabler, 2);
    std::mem::take(&mut enabler.asked)
}

fn past(app: &App) -> TwinPast {
    app.world().resource::<TwinPast>().clone()
}

fn came(sequence: u64, at: u64) -> PastEntry {
    let what = PastFact::Came { command: CommandId([1; 16]), status: CommandStatus::Confirmed };
    PastEntry { sequence, at: Timestamp(at), what }
}

fn history(entries: Vec<PastEntry>, next: Option<u64>) -> Response {
    Response::History(TwinHistory { entries, next, begins: 0 })
}

/// The door at a moment, its leaf at so many percent.
fn then(at: Timestamp, position: i64, sequence: u64) -> Response {
    let mut view = view(door(), 1);
    view.readings[1] = WireReading { age_ms: Some(5), ..reading(Value::Int(position), 1) };
    Response::Past(Box::new(PastTwin { at, sequence, view: Some(view), commands: Vec::new(), covered: true }))
}

#[test]
fn opening_asks_how_far_back_it_goes_and_how_it_is_now() {
    let (mut app, mut enabler) = app();
    app.world_mut().write_message(LookBack::Open(front_door()));
    let questions = asked(&mut app, &mut enabler);
    let now = past(&app).until;
    assert!(now >= Timestamp(1_000_000), "by the enabler's clock");
    let [
        (readings, Request::Readings { limit: 1, .. }),
        (first, Request::History { after: 0, limit: 1, .. }),
        (moment, Request::PastTwin { at, .. }),
    ] = &questions[..]
    else {
        panic!("{questions:?}")
    };
    assert_eq!(*at, now);
    let covered = vec![(Timestamp(500_000), Timestamp(900_000))];
    enabler.respond(*readings, &Response::Readings(PastReadings { readings: Vec::new(), next: None, covered }));
    enabler.respond(*first, &history(vec![came(3, 400_000)], Some(3)));
    enabler.respond(*moment, &then(now, 40, 3));
    let questions = asked(&mut app, &mut enabler);
    assert_eq!(past(&app).begins, Some(Timestamp(400_000)));
    let moment = past(&app).moment.unwrap();
    let leaf = &moment.readings[&(FeatureId::slug("door"), PropertyId::slug("position"))];
    assert_eq!((&leaf.value, leaf.since), (&Some(Value::Int(40)), Some(Timestamp(now.0 - 5))));
    assert!(matches!(&questions[..], [(_, Request::History { after: 0, limit: 500, .. })]), "{questions:?}");
    assert!(!past(&app).decided);
    enabler.respond(questions[0].0, &history(vec![came(3, 400_000)], None));
    frames(&mut app, &mut enabler, 2);
    assert!(past(&app).decided && past(&app).decisions.len() == 1);
}

#[test]
fn whoever_scrubs_sees_the_moment_they_are_at() {
    let (mut app, mut enabler) = app();
    let at = |at: u64| LookBack::At(front_door(), Timestamp(at));
    app.world_mut().write_message(at(100));
    let first = asked(&mut app, &mut enabler).remove(0);
    app.world_mut().write_message(at(200));
    let second = asked(&mut app, &mut enabler).remove(0);
    enabler.respond(first.0, &then(Timestamp(100), 10, 3));
    assert!(asked(&mut app, &mut enabler).is_empty(), "nobody waits for that any more");
    assert_eq!(past(&app).moment, None);
    enabler.respond(second.0, &then(Timestamp(200), 20, 3));
    frames(&mut app, &mut enabler, 2);
    assert_eq!(past(&app).moment.unwrap().at, Timestamp(200));
}

#[test]
fn it_looks_further_back_where_little_was_decided_and_stops() {
    let (mut app, mut enabler) = app();
    app.world_mut().write_message(LookBack::At(front_door(), Timestamp(900_000)));
    let (id, _) = asked(&mut app, &mut enabler).remove(0);
    enabler.respond(id, &then(Timestamp(900_000), 0, 5_000));
    let mut after = Vec::new();
    for _ in 0..20 {
        let questions = asked(&mut app, &mut enabler);
        let Some((id, Request::History { after: from, .. })) = questions.first() else { break };
        after.push(*from);
        let entries = (0..30).map(|n| came(4_900 + n, 800_000 + n)).chain([came(5_001, 950_000)]);
        let found = if after.len() == 1 { vec![came(4_929, 800_029)] } else { entries.collect() };
        enabler.respond(*id, &history(found, None));
    }
    assert_eq!(after, [4_000, 0]);
    let known = past(&app);
    assert!(known.decided && known.decisions.len() == 25, "{}", known.decisions.len());
    assert_eq!(known.decisions.last().unwrap().sequence, 5_001);
}

#[test]
fn a_refusal_is_kept_for_whoever_shows_it() {
    let (mut app, mut enabler) = app();
    app.world_mut().write_message(LookBack::At(front_door(), Timestamp(100)));
    let (id, _) = asked(&mut app, &mut enabler).remove(0);
    let refusal = Refusal::new(RefusalCode::Forbidden, "guests do not look back");
    enabler.respond(id, &Response::Refused(refusal.clone()));
    frames(&mut app, &mut enabler, 1);
    assert_eq!(past(&app).problem, Some(refusal));
}
