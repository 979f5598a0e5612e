//! P2 from registration to an opened door, as far as a hub takes it.

use super::*;

#[tokio::test]
async fn from_registration_to_confirmation() {
    let house = House::new().await;
    let mut system = house.with_lamp().await;
    let mut owner = house.owner().await;
    owner.done(Request::Subscribe(Interest::All)).await;
    assert_eq!(owner.event().await, Event::Begin);
    assert!(matches!(owner.event().await, Event::System(view) if view.health.online && view.health.twins == 1));
    match owner.event().await {
        Event::Twin(view) => {
            assert!(view.reachable && view.short > 0 && view.epoch > 0);
            assert_eq!(
                (view.readings[0].value.clone(), view.readings[0].truth),
                (Some(Value::Bool(false)), Truth::Live)
            );
            assert_eq!(view.access[&light()].read, Some(RuleId::slug("owners-everything")));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(owner.event().await, Event::Synchronized);

    let order = command(7, "turn_on", START);
    assert_eq!(owner.actuate(&order).await, CommandStatus::Dispatched);
    house.light(&mut owner, Truth::Pending).await;
    assert_eq!(system.execution().await.command, order.id);
    system.say(DiiUp::Outcome { command: order.id, status: CommandStatus::Executed }).await;
    assert_eq!(owner.command_status(order.id).await, CommandStatus::Executed);
    system.say(report("on", Value::Bool(true), 2)).await;
    assert_eq!(owner.command_status(order.id).await, CommandStatus::Confirmed);
    let reading = house.light(&mut owner, Truth::Live).await;
    assert_eq!((reading.value, reading.revision), (Some(Value::Bool(true)), 2));
    assert_eq!(owner.actuate(&order).await, CommandStatus::Confirmed, "a repetition is answered");
    match owner.ask(Request::Log { after: 0, limit: 0 }).await {
        Response::Log(lines) => {
            assert!(
                lines
                    .iter()
                    .any(|line| line.event.contains("command_accepted") && line.event.contains("owners-everything"))
            );
            assert_eq!(lines.len(), house.log.lines().len());
        }
        other => panic!("{other:?}"),
    }
    match owner.ask(Request::DescribeTwin(lamp())).await {
        Response::Twins(views) => assert!(views[0].short > 0, "named as in datagrams"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn pending_becomes_diverged_on_the_screen_when_it_happens() {
    let house = House::new().await;
    let system = house.with_lamp().await;
    let mut owner = house.watching().await;
    let order = command(7, "turn_on", START);
    owner.actuate(&order).await;
    house.light(&mut owner, Truth::Pending).await;
    house.clock.advance(order.not_after.since(house.clock.now()));
    system.say(DiiUp::Heartbeat).await;
    assert_eq!(house.hub.status().await.open_commands, 1);
    house.clock.advance(1);
    house.light(&mut owner, Truth::Diverged).await;
    assert_eq!(owner.actuate(&order).await, CommandStatus::Expired);
    assert_eq!(house.hub.status().await.open_commands, 0);
}

#[tokio::test]
async fn a_system_that_goes_makes_its_twins_stale_and_what_waits_is_given_once() {
    let house = House::new().await;
    let system = house.with_lamp().await;
    let mut owner = house.watching().await;
    drop(system);
    let view = owner.wait(|event| if let Event::Twin(view) = event { Some(view) } else { None }).await;
    assert!(!view.reachable);
    assert_eq!(view.readings[0].truth, Truth::Stale);
    let order = command(7, "turn_on", START);
    assert_eq!(owner.actuate(&order).await, CommandStatus::Accepted);
    let late = Command { not_after: START.plus(10), ..command(8, "turn_off", START) };
    assert_eq!(owner.actuate(&late).await, CommandStatus::Accepted);
    house.clock.advance(1_000);
    let mut system = house.with_lamp().await;
    assert_eq!(system.execution().await.command, order.id, "the late one is not executed");
    assert_eq!(owner.actuate(&order).await, CommandStatus::Dispatched);
    assert_eq!(owner.actuate(&late).await, CommandStatus::Expired);
    let mut again = house.with_lamp().await;
    loop {
        match system.next().await {
            Outgoing::Close(words) => break assert!(words.contains("connected anew"), "{words}"),
            Outgoing::Event(event) => assert!(!matches!(*event, Event::Dii(DiiDown::Execute(_)))),
            Outgoing::Datagram(_) => {}
        }
    }
    owner.done(Request::Refresh(lamp())).await;
    let next = again.wait(|event| match event {
        Event::Dii(DiiDown::Registered) => None,
        event => Some(event),
    });
    assert_eq!(next.await, Event::Dii(DiiDown::Refresh(lamp())), "given once, whoever speaks for the system");
}

#[tokio::test]
async fn rules_shape_the_world_while_it_is_watched() {
    let house = House::new().await;
    let system = house.with_lamp().await;
    house.hub.enroll([2; 32], UserId::slug("guest"), vec![RoleId::slug("guest")]).await.unwrap();
    let mut guest = Peer1::open(&house.hub, Peer::Certificate([2; 32])).await;
    guest.ask(hello(Party::Metaverse)).await;
    guest.done(Request::Subscribe(Interest::All)).await;
    let view = guest.wait(|event| if let Event::Twin(view) = event { Some(view) } else { None }).await;
    assert!(view.info.features[&light()].actions.is_empty());
    let owner = house.owner().await;
    let rule = |right, effect| Rule {
        id: RuleId::slug("x"),
        who: Subject::User(UserId::slug("guest")),
        twins: TwinSelector::Twin(lamp()),
        feature: None,
        right,
        effect,
        until: None,
        priority: None,
    };
    owner.done(Request::SetRule(rule(Right::Act(ActionId::slug("turn_on")), RuleEffect::Allow))).await;
    let more = guest.wait(|event| if let Event::Twin(view) = event { Some(view) } else { None }).await;
    assert_eq!(more.info.features[&light()].actions.keys().map(ActionId::as_str).collect::<Vec<_>>(), ["turn_on"]);
    assert!(more.epoch > view.epoch, "datagrams about the old view are told apart");
    owner.done(Request::SetRule(rule(Right::Read, RuleEffect::Deny))).await;
    guest.wait(|event| (event == Event::Gone(lamp())).then_some(())).await;
    let press = Occurrence {
        twin: lamp(),
        feature: light(),
        event: EventKind::slug("press"),
        details: BTreeMap::new(),
        at: START,
    };
    system.say(DiiUp::Occurred(press.clone())).await;
    system.say(report("on", Value::Bool(true), 2)).await;
    owner.done(Request::RemoveRule(RuleId::slug("x"))).await;
    let next = guest.event().await;
    assert!(matches!(next, Event::Twin(_)), "nothing of what happened behind the wall: {next:?}");
    system.say(DiiUp::Occurred(press.clone())).await;
    assert_eq!(guest.wait(|event| if let Event::Occurred(event) = event { Some(event) } else { None }).await, press);
}

#[tokio::test]
async fn what_one_session_says_is_taken_in_order_without_waiting_for_answers() {
    let house = House::new().await;
    let system = house.system().await;
    let describe = system.ask(Request::Dii(DiiUp::Describe(Box::new(lamp_info(lamp())))));
    let reachable = system.ask(Request::Dii(DiiUp::Reachable { twin: lamp(), feature: None, reachable: true }));
    let on = system.ask(Request::Dii(report("on", Value::Bool(true), 5)));
    let (a, b, c) = tokio::join!(describe, reachable, on);
    assert_eq!((a, b, c), (Response::Done, Response::Done, Response::Done));
    let owner = house.owner().await;
    match owner.ask(Request::DescribeTwin(lamp())).await {
        Response::Twins(views) => assert_eq!(views[0].readings[0].truth, Truth::Live),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn pairing_makes_a_device_known_and_guessing_does_not() {
    let house = House::new().await;
    let device = Peer1::open(&house.hub, Peer::Certificate([9; 32])).await;
    assert!(matches!(device.ask(hello(Party::Metaverse)).await, Response::Welcome(welcome) if welcome.user.is_none()));
    assert_eq!(device.refused(Request::Rules).await.code, RefusalCode::Unauthenticated);
    let hash = house.hub.put_content(bytes::Bytes::from_static(b"glTF"), "model/gltf-binary").await.unwrap();
    assert_eq!(device.session.content(hash).await, None, "strangers fetch nothing");
    let code = house.hub.pairing_code(RoleId::slug("guest")).await.unwrap();
    let pair = |code: &str| Request::Pair { code: code.to_owned(), name: "Ada's headset".to_owned() };
    let wrong = if code.as_str() == "000000" { "000001" } else { "000000" };
    assert_eq!(device.refused(pair(wrong)).await.code, RefusalCode::Unauthenticated);
    match device.ask(pair(code.as_str())).await {
        Response::Paired { user, roles } => assert_eq!((user.as_str(), roles.len()), ("Ada_s_headset", 1)),
        other => panic!("{other:?}"),
    }
    assert!(matches!(device.ask(Request::DiscoverSystems(SystemQuery::default())).await, Response::Systems(_)));
    assert_eq!(device.session.content(hash).await.unwrap(), b"glTF".as_slice());
    for _ in 0..9 {
        device.refused(pair(wrong)).await;
    }
    let code = house.hub.pairing_code(RoleId::slug("guest")).await.unwrap();
    assert_eq!(device.refused(pair(code.as_str())).await.code, RefusalCode::Overloaded, "a minute of rest");
    house.clock.advance(60_000);
    assert!(matches!(device.ask(pair(code.as_str())).await, Response::Paired { .. }));
}

#[tokio::test]
async fn pictures_come_by_their_hash_and_only_from_systems() {
    let house = House::new().await;
    let system = house.with_lamp().await;
    let blob = || DiiUp::Blob { bytes: b"jpeg".to_vec(), media: "image/jpeg".to_owned() };
    system.say(blob()).await;
    let owner = house.owner().await;
    assert_eq!(owner.session.content(ContentHash::of(b"jpeg")).await.unwrap(), b"jpeg".as_slice());
    assert_eq!(owner.session.content(ContentHash::of(b"other")).await, None);
    assert_eq!(owner.refused(Request::Dii(blob())).await.code, RefusalCode::Forbidden);
}

#[tokio::test]
async fn a_hidden_part_that_grows_does_not_show_through_the_others() {
    let house = House::new().await;
    let system = house.with_lamp().await;
    let owner = house.owner().await;
    let rule = |id: &str, feature: Option<&str>, effect| Rule {
        id: RuleId::slug(id),
        who: Subject::Role(RoleId::slug("guest")),
        twins: TwinSelector::Twin(lamp()),
        feature: feature.map(FeatureId::slug),
        right: Right::Read,
        effect,
        until: None,
        priority: None,
    };
    owner.done(Request::SetRule(rule("hidden", Some("diary"), RuleEffect::Deny))).await;
    house.hub.enroll([2; 32], UserId::slug("guest"), vec![RoleId::slug("guest")]).await.unwrap();
    let mut guest = Peer1::open(&house.hub, Peer::Certificate([2; 32])).await;
    guest.ask(hello(Party::Metaverse)).await;
    guest.done(Request::Subscribe(Interest::All)).await;
    guest.wait(|event| (event == Event::Synchronized).then_some(())).await;
    // "diary" sorts before "light": each of its properties moves the light's.
    let mut info = lamp_info(lamp());
    let diary = FeatureInfo { actions: BTreeMap::new(), ..info.features[&light()].clone() };
    info.features.insert(FeatureId::slug("diary"), diary);
    system.say(DiiUp::Describe(Box::new(info))).await;
    let (feature, property) = (FeatureId::slug("diary"), PropertyId::slug("on"));
    let (value, at) = (Some(Value::Bool(true)), Some(START));
    let secret = Report { twin: lamp(), feature, property, value, at, fresh: true, revision: 5 };
    system.say(DiiUp::Report(secret)).await;
    system.say(report("on", Value::Bool(false), 6)).await;
    let reading = loop {
        let reading = house.reading(&mut guest, 0).await;
        assert_eq!(reading.value, Some(Value::Bool(false)), "the diary says true");
        if reading.revision == 6 {
            break reading;
        }
    };
    assert_eq!(reading.truth, Truth::Live);
}
