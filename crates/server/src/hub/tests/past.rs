//! Who opened the door at 14:03, and who may know.

use super::{lease::request, *};

const GUEST: [u8; 32] = [2; 32];
const SECOND: [u8; 32] = [4; 32];

async fn guest(house: &House) -> Peer1 {
    house.hub.enroll(GUEST, UserId::slug("gast"), vec![RoleId::slug("guest")]).await.unwrap();
    let peer = Peer1::open(&house.hub, Peer::Certificate(GUEST)).await;
    assert!(matches!(peer.ask(hello(Party::Metaverse)).await, Response::Welcome(_)));
    peer
}

async fn history(peer: &Peer1, after: u64, limit: u16) -> TwinHistory {
    match peer.ask(Request::History { twin: lamp(), after, limit }).await {
        Response::History(history) => history,
        other => panic!("{other:?}"),
    }
}

async fn twin_at(peer: &Peer1, at: Timestamp) -> PastTwin {
    match peer.ask(Request::PastTwin { twin: lamp(), at }).await {
        Response::Past(past) => *past,
        other => panic!("{other:?}"),
    }
}

async fn readings(peer: &Peer1, from: Timestamp, until: Timestamp, limit: u16) -> PastReadings {
    match peer.ask(Request::Readings { twin: lamp(), from, until, limit }).await {
        Response::Readings(readings) => readings,
        other => panic!("{other:?}"),
    }
}

fn deny(feature: Option<FeatureId>) -> Rule {
    Rule {
        id: RuleId::slug("not-guests"),
        who: Subject::Role(RoleId::slug("guest")),
        twins: TwinSelector::Twin(lamp()),
        feature,
        right: Right::Read,
        effect: RuleEffect::Deny,
        ..default_rule()
    }
}

fn default_rule() -> Rule {
    let rules = default_rules();
    let LogEvent::RuleSet { rule, .. } = rules.into_iter().next().unwrap() else { panic!("the first rule is a rule") };
    rule
}

#[tokio::test]
async fn a_command_is_told_with_user_device_and_rule() {
    let house = House::new().await;
    let mut system = house.with_lamp().await;
    let mut owner = house.watching().await;
    house.clock.advance(1_000);
    let order = command(1, "turn_on", START);
    owner.actuate(&order).await;
    system.execution().await;
    system.say(report("on", Value::Bool(true), 2)).await;
    while owner.command_status(order.id).await != CommandStatus::Confirmed {}
    let history_of = history(&owner, 0, 0).await;
    assert_eq!((history_of.begins, history_of.next), (0, None));
    let accepted = history_of.entries.iter().find_map(|entry| match &entry.what {
        PastFact::Accepted { user, device, rule, action, .. } => Some((entry.at, user, device, rule, action)),
        _ => None,
    });
    let (at, user, device, rule, action) = accepted.expect("it is there");
    assert_eq!((at, user.as_str(), rule.as_str()), (START.plus(1_000), "owner", "owners-everything"));
    assert_eq!((device.as_deref(), action.as_str()), (Some("owner"), "turn_on"));
    let confirmed = PastFact::Came { command: order.id, status: CommandStatus::Confirmed };
    assert!(history_of.entries.iter().any(|entry| entry.what == confirmed));
    // Pages say the same.
    let mut after = 0;
    let mut pages = Vec::new();
    loop {
        let page = history(&owner, after, 1).await;
        pages.extend(page.entries);
        let Some(next) = page.next else { break };
        after = next;
    }
    assert_eq!(pages, history_of.entries);
}

#[tokio::test]
async fn what_was_kept_from_somebody_then_or_now_stays_kept() {
    let house = House::new().await;
    let mut system = house.with_lamp().await;
    let owner = house.owner().await;
    let mut tell = async |house: &House, number: u8, on: bool| {
        house.clock.advance(1_000);
        let now = house.clock.now();
        owner.actuate(&command(number, if on { "turn_on" } else { "turn_off" }, now)).await;
        system.execution().await;
        system.say(report("on", Value::Bool(on), u64::from(number) + 1)).await;
        now
    };
    let seen = tell(&house, 1, true).await;
    house.clock.advance(1_000);
    owner.done(Request::SetRule(deny(Some(light())))).await;
    let hidden = tell(&house, 2, false).await;
    house.clock.advance(1_000);
    owner.done(Request::RemoveRule(RuleId::slug("not-guests"))).await;
    let again = tell(&house, 3, true).await;
    house.clock.advance(1_000);

    // Enrolled only now: the rules of then, the person of today.
    let guest = guest(&house).await;
    let entries = history(&guest, 0, 0).await.entries;
    let mut accepted = entries.iter().filter(|entry| matches!(entry.what, PastFact::Accepted { .. }));
    assert_eq!(accepted.by_ref().map(|entry| entry.at).collect::<Vec<_>>(), [seen, again]);
    let told = readings(&guest, START, house.clock.now(), 0).await;
    let told: Vec<_> = told.readings.iter().filter(|r| r.at > START).map(|r| (r.at, r.value.clone())).collect();
    assert_eq!(told, [(seen, Some(Value::Bool(true))), (again, Some(Value::Bool(true)))], "nothing of {hidden:?}");
    let then = twin_at(&guest, hidden).await;
    assert!(then.view.is_none_or(|view| view.info.features.is_empty()), "the rules of then");
    assert!(!twin_at(&guest, again).await.view.unwrap().info.features.is_empty());
    owner.done(Request::SetRule(deny(None))).await;
    for request in [
        Request::History { twin: lamp(), after: 0, limit: 0 },
        Request::PastTwin { twin: lamp(), at: seen },
        Request::Readings { twin: lamp(), from: START, until: house.clock.now(), limit: 0 },
    ] {
        let refusal = guest.refused(request).await;
        assert_eq!((refusal.code, refusal.rule), (RefusalCode::Forbidden, Some(RuleId::slug("not-guests"))));
    }
    assert_eq!(readings(&owner, START, house.clock.now(), 0).await.readings.len(), 4, "owners see all of it");
}

#[tokio::test]
async fn a_twin_stands_as_it_stood() {
    let house = House::new().await;
    let system = house.with_lamp().await;
    let owner = house.owner().await;
    let before = Timestamp(START.0 - 1);
    assert_eq!(twin_at(&owner, before).await.view, None, "there was none");
    house.clock.advance(5_000);
    system.say(report("on", Value::Bool(true), 2)).await;
    house.clock.advance(5_000);
    system.say(DiiUp::Gone(lamp())).await;
    let value = |past: PastTwin| (past.covered, past.view.unwrap().readings[0].value.clone());
    assert_eq!(value(twin_at(&owner, START.plus(4_999)).await), (true, Some(Value::Bool(false))));
    let past = twin_at(&owner, START.plus(9_000)).await;
    let on = &past.view.as_ref().unwrap().readings[0];
    assert_eq!((on.truth, on.age_ms), (Truth::Live, Some(4_000)), "since when, seen from that moment");
    assert_eq!(value(past), (true, Some(Value::Bool(true))));
    assert_eq!(twin_at(&owner, START.plus(10_000)).await.view, None, "it was gone");
    // Two changes of one moment are never torn apart by a page.
    let first = readings(&owner, START, house.clock.now(), 1).await;
    assert_eq!((first.readings.len(), first.next), (1, Some(START.plus(1))));
    assert_eq!(first.covered, [(START, START.plus(1))]);
}

/// Whose turn it was, who waited for it and why it ended; whose that was only for who may know.
#[tokio::test]
async fn turns_are_told_and_whose_they_were_to_who_may_know() {
    let house = House::new().await;
    let mut system = house.with_lamp().await;
    let mut owner = house.watching().await;
    house.hub.enroll(SECOND, UserId::slug("second"), vec![RoleId::slug("owner")]).await.unwrap();
    let second = Peer1::open(&house.hub, Peer::Certificate(SECOND)).await;
    second.ask(hello(Party::Metaverse)).await;
    owner.lease(request(1, 0)).await;
    let fence = system.integrate().await;
    system.integrated(fence).await;
    while owner.lease_status(1).await != LeaseStatus::Integrated {}
    house.clock.advance(1_000);
    second.lease(request(2, 60_000)).await;
    house.clock.advance(1_000);
    owner.lease(Request::RenewLease(LeaseId([1; 16]))).await;
    owner.lease(Request::ReleaseLease(LeaseId([1; 16]))).await;
    system.integrate().await;
    let turns = async |peer: &Peer1| {
        let entries = history(peer, 0, 0).await.entries.into_iter();
        let leases = entries.filter_map(|entry| match entry.what {
            PastFact::Lease(update) => Some((update.user.map(|user| user.to_string()), update.status)),
            PastFact::Other(words) => panic!("{words}"),
            _ => None,
        });
        leases.unzip::<_, _, Vec<_>, Vec<_>>()
    };
    let (who, what) = turns(&owner).await;
    let waits = |expected_ms| LeaseStatus::Waiting { position: 1, expected_ms };
    let over = LeaseStatus::Ended { reason: LeaseEnd::Released };
    let (granted, integrated) = (LeaseStatus::Granted, LeaseStatus::Integrated);
    assert_eq!(what, [waits(0), granted.clone(), integrated, waits(9_000), over, granted]);
    let names = ["owner", "owner", "owner", "second", "owner", "second"];
    assert_eq!(who.into_iter().flatten().collect::<Vec<_>>(), names);
    let (none, same) = turns(&guest(&house).await).await;
    assert_eq!((none.into_iter().flatten().count(), same), (0, what), "that, and not who");
}
