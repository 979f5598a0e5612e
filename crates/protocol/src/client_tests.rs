use vestibule_model::{
    ActionId, CommandId, CommandStatus, FeatureId, PropertyId, PropertyInfo, RoleId, Truth, UserId, Value, ValueType,
};

use super::*;
use crate::{CommandUpdate, HotEntry, MAX_FRAME};

fn session() -> ClientSession {
    let (party, interest) = (Party::Metaverse, Interest::All);
    ClientSession::new(ClientConfig { party, interest, software: "test".to_owned() })
}

fn requests(session: &mut ClientSession) -> Vec<(u64, Request)> {
    let mut found = Vec::new();
    while let Some(command) = session.poll_link() {
        if let LinkCommand::Request { id, frame } = command {
            found.push((id, decode(&frame).unwrap()));
        }
    }
    found
}

fn respond(session: &mut ClientSession, id: u64, response: &Response, now: u64) {
    session.handle(LinkEvent::Response { id, frame: Ok(encode(response).unwrap()) }, now);
}

fn news(session: &mut ClientSession) -> Vec<News> {
    std::iter::from_fn(|| session.poll_news()).collect()
}

fn connect(session: &mut ClientSession, now: u64) {
    session.tick(now);
    assert_eq!(session.poll_link(), Some(LinkCommand::Connect));
    session.handle(LinkEvent::Connected, now);
    let (id, hello) = requests(session).remove(0);
    assert!(matches!(hello, Request::Hello(_)));
    let (user, roles) = (Some(UserId::slug("ada")), vec![RoleId::slug("owner")]);
    let welcome = Welcome { enabler: "home".to_owned(), user, roles, now: Timestamp(1_000_000 + now) };
    respond(session, id, &Response::Welcome(welcome), now);
}

#[test]
fn what_is_told_again_after_a_reconnect_is_no_news() {
    let mut session = session();
    connect(&mut session, 0);
    let ring = |at| Occurrence {
        twin: TwinId::new("home/lamp").unwrap(),
        feature: FeatureId::slug("light"),
        event: vestibule_model::EventKind::slug("press"),
        details: BTreeMap::new(),
        at: Timestamp(at),
    };
    let mut rings = |at| {
        session.handle(LinkEvent::Event(encode(&Event::Occurred(ring(at))).unwrap()), 0);
        std::iter::from_fn(|| session.poll_news()).filter(|news| matches!(news, News::Occurred(_))).count()
    };
    assert_eq!((rings(1), rings(1), rings(2), rings(1)), (1, 0, 1, 0));
}

fn lamp(epoch: u32) -> TwinView {
    let mut info = TwinInfo::new(TwinId::new("home/lamp").unwrap(), "Lamp");
    let mut feature = vestibule_model::FeatureInfo {
        name: "Light".to_owned(),
        kind: vestibule_model::FeatureKind::Light,
        class: None,
        properties: BTreeMap::new(),
        actions: BTreeMap::new(),
        events: std::collections::BTreeSet::new(),
    };
    feature.properties.insert(PropertyId::slug("on"), PropertyInfo::new(ValueType::Bool));
    info.features.insert(FeatureId::slug("light"), feature);
    let (access, away, readings) = (BTreeMap::new(), std::collections::BTreeSet::new(), vec![reading(false, 1)]);
    TwinView { short: 7, epoch, info: info.into(), access, reachable: true, away, readings }
}

fn reading(on: bool, revision: u64) -> WireReading {
    WireReading { value: Some(Value::Bool(on)), desired: None, truth: Truth::Live, age_ms: Some(0), revision }
}

fn event(session: &mut ClientSession, event: &Event) {
    session.handle(LinkEvent::Event(encode(event).unwrap()), 0);
}

fn hot(session: &mut ClientSession, tick: u32, epoch: u32, reading: WireReading) {
    let entries = vec![HotEntry { short: 7, epoch, mask: vec![1], readings: vec![reading] }];
    session.handle(LinkEvent::Datagram(encode(&HotDatagram { tick, baseline: 0, entries }).unwrap()), 0);
}

fn open_door(not_after: u64) -> Command {
    Command {
        id: CommandId([9; 16]),
        twin: TwinId::new("home/front_door").unwrap(),
        feature: FeatureId::slug("door"),
        action: ActionId::slug("open"),
        input: None,
        expected_revision: None,
        not_after: Timestamp(not_after),
        trace: None,
        lease: None,
    }
}

#[test]
fn greets_then_subscribes() {
    let mut session = session();
    connect(&mut session, 5);
    assert!(matches!(requests(&mut session)[..], [(_, Request::Subscribe(Interest::All))]));
    assert_eq!(session.enabler_time(105), Timestamp(1_000_105));
}

#[test]
fn reordered_datagrams_never_go_back_in_time() {
    let mut session = session();
    connect(&mut session, 0);
    event(&mut session, &Event::Twin(Box::new(lamp(1))));
    news(&mut session);
    hot(&mut session, 2, 1, reading(true, 5));
    hot(&mut session, 1, 1, reading(false, 4));
    hot(&mut session, 3, 2, reading(false, 9)); // of a description that has not come yet
    let seen = news(&mut session);
    assert!(matches!(&seen[..], [News::Readings { changed, .. }] if changed[0].2.revision == 5), "{seen:?}");
}

#[test]
fn an_older_truth_about_the_same_report_does_not_come_back() {
    let mut session = session();
    connect(&mut session, 0);
    event(&mut session, &Event::Twin(Box::new(lamp(1))));
    news(&mut session);
    let pending = WireReading { truth: Truth::Pending, ..reading(true, 5) };
    hot(&mut session, 2, 1, reading(true, 5));
    hot(&mut session, 1, 1, pending);
    let seen = news(&mut session);
    assert!(matches!(&seen[..], [News::Readings { changed, .. }] if changed[0].2.truth == Truth::Live), "{seen:?}");
}

#[test]
fn a_datagram_that_overtook_its_twin_is_not_acknowledged() {
    let acknowledged = |session: &mut ClientSession| {
        std::iter::from_fn(|| session.poll_link()).any(|command| matches!(command, LinkCommand::Datagram(_)))
    };
    let mut session = session();
    connect(&mut session, 0);
    event(&mut session, &Event::Twin(Box::new(lamp(1))));
    hot(&mut session, 1, 1, reading(true, 5));
    assert!(acknowledged(&mut session));
    hot(&mut session, 2, 2, reading(false, 6));
    assert!(!acknowledged(&mut session), "it comes again after the description");
    event(&mut session, &Event::Twin(Box::new(lamp(2))));
    hot(&mut session, 3, 2, reading(false, 6));
    assert!(acknowledged(&mut session));
}

#[test]
fn a_resynchronization_forgets_what_did_not_come_again() {
    let mut session = session();
    connect(&mut session, 0);
    event(&mut session, &Event::Twin(Box::new(lamp(1))));
    event(&mut session, &Event::Begin);
    event(&mut session, &Event::Synchronized);
    assert!(news(&mut session).contains(&News::Gone(TwinId::new("home/lamp").unwrap())));
}

#[test]
fn a_command_survives_a_reconnect_but_not_its_time() {
    let mut session = session();
    connect(&mut session, 0);
    requests(&mut session);
    let id = session.actuate(open_door(1_005_000), 0);
    assert_eq!(requests(&mut session).len(), 1);
    session.handle(LinkEvent::Closed { reason: "gone".to_owned(), retry: true }, 100);
    session.tick(200);
    assert!(session.poll_link().is_none(), "backs off");
    connect(&mut session, 400);
    let again = requests(&mut session);
    assert!(again.iter().any(|(again, request)| *again == id && matches!(request, Request::Actuate(_))));
    session.handle(LinkEvent::Closed { reason: "gone".to_owned(), retry: true }, 500);
    session.tick(6_000);
    let late = news(&mut session).into_iter().any(
        |n| matches!(n, News::Answer { id: i, answer: Err(refusal) } if i == id && refusal.code == RefusalCode::Expired),
    );
    assert!(late);
    session.poll_link();
    session.handle(LinkEvent::Connected, 6_000);
    assert!(requests(&mut session).iter().all(|(_, request)| !matches!(request, Request::Actuate(_))));
}

#[test]
fn an_answer_reaches_whoever_asked() {
    let mut session = session();
    connect(&mut session, 0);
    requests(&mut session);
    let id = session.actuate(open_door(u64::MAX), 0);
    let sent = requests(&mut session);
    let update = CommandUpdate {
        command: CommandId([9; 16]),
        user: UserId::slug("ada"),
        twin: TwinId::new("home/front_door").unwrap(),
        feature: FeatureId::slug("door"),
        action: ActionId::slug("open"),
        status: CommandStatus::Dispatched,
        at: Timestamp(3),
    };
    respond(&mut session, sent[0].0, &Response::Command(update.clone()), 1);
    let expected = News::Answer { id, answer: Ok(Box::new(Response::Command(update))) };
    assert!(news(&mut session).contains(&expected));
}

#[test]
fn garbage_closes_the_link_with_words() {
    let mut session = session();
    connect(&mut session, 0);
    news(&mut session);
    session.handle(LinkEvent::Event(vec![0xff; 40]), 1);
    assert!(std::iter::from_fn(|| session.poll_link()).any(|command| command == LinkCommand::Close));
    session.handle(LinkEvent::Closed { reason: "closed".to_owned(), retry: false }, 2);
    let seen = news(&mut session);
    assert!(
        matches!(seen.last(), Some(News::Disconnected { reason, retry_ms: Some(_) }) if reason.contains("cannot be read")),
        "{seen:?}"
    );
    assert!(decode::<Event>(&vec![0; MAX_FRAME + 1]).is_err());
}

#[test]
fn another_protocol_is_refused_for_good() {
    let mut session = session();
    session.tick(0);
    session.poll_link();
    session.handle(LinkEvent::Connected, 0);
    let (id, _) = requests(&mut session).remove(0);
    let refusal = Refusal::new(RefusalCode::Invalid, "this enabler speaks another version");
    respond(&mut session, id, &Response::Refused(refusal), 0);
    assert!(matches!(&news(&mut session)[..], [News::Disconnected { retry_ms: None, .. }]));
    session.tick(100_000);
    assert!(!std::iter::from_fn(|| session.poll_link()).any(|command| command == LinkCommand::Connect));
}
