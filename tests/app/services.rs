//! What `vestibule-plugin-enabler` keeps of agreements with third-party systems and of calls.

use std::{collections::BTreeSet, sync::Arc};

use bevy::prelude::*;
use vestibule_model::{
    Authorization, CallId, CallStatus, CallUpdate, Json, Pseudonym, Refusal, RefusalCode, ServiceId, ServiceInfo,
    Sharing, StepKey, StepStatus, StepUpdate, SystemId, SystemInfo, SystemKind, Timestamp, UserId,
};
use vestibule_protocol::{Event, LinkEvent, Request, Response, SystemView};
use vestibule_tests::FakeEnabler;
use vestibule_twin::{DiscoverSystems, EnablerClock, KnownServices, UseServices};

use crate::{app, frames};

fn shop() -> SystemId {
    SystemId::slug("shop")
}

fn order() -> ServiceId {
    ServiceId::slug("order")
}

/// The oldest question that was asked.
fn asked(app: &mut App, enabler: &mut FakeEnabler) -> (u64, Request) {
    frames(app, enabler, 2);
    enabler.asked.remove(0)
}

fn agreed(until: Timestamp) -> Authorization {
    Authorization {
        system: shop(),
        pseudonym: Pseudonym::slug("u-1"),
        services: [order()].into(),
        share: Sharing::default(),
        until,
        account: None,
        since: Timestamp(0),
    }
}

fn update(call: CallId, status: CallStatus) -> CallUpdate {
    let (key, at) = (StepKey::slug("use"), Timestamp(1_000_000));
    let step = StepUpdate { key, system: shop(), service: order(), status: StepStatus::Running, attempts: 1, at };
    CallUpdate { call, user: UserId::slug("owner"), status, steps: vec![step], output: None, at }
}

fn known(app: &App) -> KnownServices {
    app.world().resource::<KnownServices>().clone()
}

fn agree() -> UseServices {
    let services: BTreeSet<ServiceId> = [order()].into();
    UseServices::Agree { system: shop(), services, share: Sharing { name: true, ..Sharing::default() }, for_ms: 60_000 }
}

fn call(app: &mut App, enabler: &mut FakeEnabler) -> (u64, vestibule_model::Collaboration) {
    let input = Json::new(r#"{"kind":"funghi"}"#).unwrap();
    app.world_mut().write_message(UseServices::Call { system: shop(), service: order(), input });
    match asked(app, enabler) {
        (id, Request::Invoke(call)) => (id, *call),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_agreement_is_asked_once_kept_and_ended_by_either_side() {
    let (mut app, mut enabler) = app();
    app.world_mut().write_message(UseServices::Look);
    let (id, question) = asked(&mut app, &mut enabler);
    assert_eq!(question, Request::Authorizations);
    enabler.respond(id, &Response::Authorizations(Vec::new()));
    app.world_mut().write_message(agree());
    app.world_mut().write_message(agree());
    let (id, question) = asked(&mut app, &mut enabler);
    let Request::Authorize { system, services, share, until } = question else { panic!("{question:?}") };
    assert_eq!((system, services, share.name), (shop(), [order()].into(), true));
    let clock = app.world().resource::<EnablerClock>().0.unwrap().0;
    assert!(until.since(clock).abs_diff(60_000) < 5_000, "by the enabler's clock: {until:?}, not {clock:?}");
    assert!(enabler.asked.is_empty(), "one question at a time");
    assert!(known(&app).asking.contains(&shop()));
    enabler.respond(id, &Response::Authorized(agreed(until)));
    frames(&mut app, &mut enabler, 2);
    assert!(known(&app).complete && known(&app).asking.is_empty() && known(&app).agreed.contains_key(&shop()));
    enabler.tell(&Event::Deauthorized(shop()));
    frames(&mut app, &mut enabler, 2);
    assert!(known(&app).agreed.is_empty() && known(&app).over.contains(&shop()));
    app.world_mut().write_message(agree());
    let (id, _) = asked(&mut app, &mut enabler);
    let refusal = Refusal::new(RefusalCode::Forbidden, "shop does not let owner use it");
    enabler.respond(id, &Response::Refused(refusal.clone()));
    frames(&mut app, &mut enabler, 2);
    assert_eq!(known(&app).refused.get(&shop()), Some(&refusal));
}

#[test]
fn each_press_is_one_call_whose_way_is_followed() {
    let (mut app, mut enabler) = app();
    app.world_mut().write_message(DiscoverSystems::default());
    let (id, _) = asked(&mut app, &mut enabler);
    let mut info = SystemInfo::new(shop(), SystemKind::ThirdParty, "A shop");
    info.services.insert(order(), ServiceInfo { timeout_ms: 10_000, ..ServiceInfo::new("Order") });
    let (health, usable) = Default::default();
    enabler.respond(id, &Response::Systems(vec![SystemView { info: Arc::new(info), health, usable }]));
    frames(&mut app, &mut enabler, 2);
    let (first, one) = call(&mut app, &mut enabler);
    let (second, other) = call(&mut app, &mut enabler);
    assert_ne!(one.id, other.id, "each press has a key of its own");
    assert_eq!((one.steps.len(), one.input.as_str()), (1, r#"{"kind":"funghi"}"#));
    assert!((20_000..40_000).contains(&one.not_after.since(Timestamp(1_000_000))), "{:?}", one.not_after);
    enabler.tell(&Event::Call(update(one.id, CallStatus::Succeeded)));
    enabler.respond(first, &Response::Call(update(one.id, CallStatus::Running)));
    let refusal = Refusal::new(RefusalCode::Invalid, "no such pizza");
    enabler.respond(second, &Response::Refused(refusal.clone()));
    frames(&mut app, &mut enabler, 2);
    let calls = known(&app).calls;
    assert_eq!(calls[0].update.as_ref().map(|update| &update.status), Some(&CallStatus::Succeeded), "an end stays");
    assert_eq!((calls[1].problem.as_ref(), calls[1].is_open()), (Some(&refusal), false));
    app.world_mut().write_message(UseServices::Cancel(one.id));
    assert_eq!(asked(&mut app, &mut enabler).1, Request::CancelCall(one.id));
}

#[test]
fn after_a_lost_link_open_calls_are_asked_about_and_not_made_again() {
    let (mut app, mut enabler) = app();
    let (_, one) = call(&mut app, &mut enabler);
    enabler.say(LinkEvent::Closed { reason: "the cable is out".to_owned(), retry: true });
    frames(&mut app, &mut enabler, 200);
    let questions: Vec<_> = enabler.asked.iter().map(|(_, request)| request.clone()).collect();
    assert_eq!(questions, [Request::Call(one.id)], "what left may have arrived");
    let (id, _) = enabler.asked.remove(0);
    enabler.respond(id, &Response::Call(update(one.id, CallStatus::Succeeded)));
    frames(&mut app, &mut enabler, 2);
    let calls = known(&app).calls;
    assert_eq!((calls.len(), calls[0].is_open(), &calls[0].problem), (1, false, &None));
}
