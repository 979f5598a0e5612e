//! What `vestibule-plugin-enabler` keeps of systems and of the procedures' steps.

use std::{collections::BTreeMap, sync::Arc};

use bevy::prelude::*;
use vestibule_model::{Refusal, RefusalCode, SystemHealth, SystemId, SystemInfo, SystemKind, SystemQuery, Timestamp};
use vestibule_protocol::{Event, LinkEvent, Participant, Procedure, ProcedureStep, Request, Response, SystemView};
use vestibule_tests::FakeEnabler;
use vestibule_twin::{DiscoverSystems, FollowProcedures, KnownSystems, Procedures};

use crate::{app, frames};

fn system(number: usize) -> SystemView {
    let info = SystemInfo::new(SystemId::slug(&format!("s{number:03}")), SystemKind::DigitalTwin, "A system");
    SystemView {
        info: Arc::new(info),
        health: SystemHealth { online: true, ..SystemHealth::default() },
        usable: BTreeMap::new(),
    }
}

fn step(sequence: u64) -> ProcedureStep {
    ProcedureStep {
        sequence,
        procedure: Procedure::P2,
        step: 16,
        at: Timestamp(sequence),
        from: Participant::Dtif,
        to: Participant::Dtif,
        about: "home/front_door".to_owned(),
        refused: true,
        user: None,
        trace: None,
    }
}

/// The oldest question that was asked.
fn asked(app: &mut App, enabler: &mut FakeEnabler) -> (u64, Request) {
    frames(app, enabler, 2);
    enabler.asked.remove(0)
}

#[test]
fn systems_come_by_pages_and_their_news_after_them() {
    let (mut app, mut enabler) = app();
    enabler.tell(&Event::System(Box::new(system(7))));
    frames(&mut app, &mut enabler, 1);
    assert!(app.world().resource::<KnownSystems>().systems.is_empty(), "nobody asked");
    app.world_mut().write_message(DiscoverSystems::default());
    let (id, question) = asked(&mut app, &mut enabler);
    assert_eq!(question, Request::DiscoverSystems(SystemQuery { limit: 50, ..SystemQuery::default() }));
    enabler.respond(id, &Response::Systems((0..50).map(system).collect()));
    let (id, question) = asked(&mut app, &mut enabler);
    let after = Some(SystemId::slug("s049"));
    assert_eq!(question, Request::DiscoverSystems(SystemQuery { limit: 50, after, ..SystemQuery::default() }));
    assert!(!app.world().resource::<KnownSystems>().complete);
    enabler.respond(id, &Response::Systems(vec![system(50)]));
    let mut gone = system(50);
    gone.health.online = false;
    enabler.tell(&Event::System(Box::new(gone)));
    frames(&mut app, &mut enabler, 2);
    let known = app.world().resource::<KnownSystems>();
    assert!(known.complete && known.systems.len() == 51);
    assert!(!known.systems[&SystemId::slug("s050")].health.online);
}

#[test]
fn a_refusal_is_kept_for_whoever_shows_it() {
    let (mut app, mut enabler) = app();
    app.world_mut().write_message(DiscoverSystems::default());
    let (id, _) = asked(&mut app, &mut enabler);
    let refusal = Refusal::new(RefusalCode::Forbidden, "guests do not look around");
    enabler.respond(id, &Response::Refused(refusal.clone()));
    frames(&mut app, &mut enabler, 1);
    assert_eq!(app.world().resource::<KnownSystems>().problem, Some(refusal));
}

#[test]
fn steps_are_followed_until_nobody_looks_or_the_link_is_lost() {
    let (mut app, mut enabler) = app();
    app.world_mut().write_message(FollowProcedures(true));
    let (id, question) = asked(&mut app, &mut enabler);
    assert_eq!(question, Request::Steps { after: 0, limit: 200, follow: true });
    enabler.respond(id, &Response::Steps((1..=200).map(step).collect()));
    let (id, question) = asked(&mut app, &mut enabler);
    assert_eq!(question, Request::Steps { after: 200, limit: 200, follow: true });
    enabler.respond(id, &Response::Steps(vec![step(201)]));
    enabler.tell(&Event::Step(step(202)));
    frames(&mut app, &mut enabler, 2);
    let procedures = app.world().resource::<Procedures>();
    assert!(procedures.following && procedures.steps.len() == 202);
    let newest = procedures.steps.back().unwrap();
    assert_eq!((newest.id.as_str(), newest.what, newest.refused), ("P2.16", "verifies the permission", true));
    enabler.say(LinkEvent::Closed { reason: "the cable is out".to_owned(), retry: true });
    frames(&mut app, &mut enabler, 1);
    assert!(!app.world().resource::<Procedures>().following);
}
