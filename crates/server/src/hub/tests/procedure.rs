//! P2 as its 18 steps: what is asked of a twin's system, what it answers, and what is kept of all that.

use super::*;

async fn inquiry(system: &mut Peer1) -> (InquiryId, TwinId, UserId) {
    system
        .wait(|event| match event {
            Event::Dii(DiiDown::Inquire { inquiry, twin, user }) => Some((inquiry, twin, user)),
            _ => None,
        })
        .await
}

fn answer(inquiry: InquiryId, info: TwinInfo, permission: TwinPermission) -> DiiUp {
    DiiUp::Inquired { inquiry, answer: InquiryAnswer::Twin { info: Box::new(info), permission } }
}

async fn steps(peer: &Peer1) -> Vec<ProcedureStep> {
    match peer.ask(Request::Steps { after: 0, limit: 1_000, follow: false }).await {
        Response::Steps(steps) => steps,
        other => panic!("{other:?}"),
    }
}

/// Asks for the lamp without waiting.
fn acquire(peer: &Peer1) -> tokio::task::JoinHandle<Response> {
    let session = peer.session.clone();
    tokio::spawn(async move { session.request(Request::Acquire(lamp())).await })
}

#[tokio::test]
async fn a_twin_is_acquired_from_its_system() {
    let house = House::new().await;
    let mut system = house.with_lamp().await;
    let owner = house.owner().await;
    let asked = acquire(&owner);
    let (id, twin, user) = inquiry(&mut system).await;
    assert_eq!((twin, user), (lamp(), UserId::slug("owner")));
    let mut info = lamp_info(lamp());
    info.name = "A better lamp".to_owned();
    let wrong = TwinInfo { id: TwinId::new("home/other").unwrap(), ..info.clone() };
    // Nobody answers a question that was not put to them.
    system.refused(Request::Dii(answer(InquiryId(id.0 + 1), info.clone(), TwinPermission::Unrestricted))).await;
    let only = TwinPermission::Only([(light(), [ActionId::slug("turn_on")].into())].into());
    system.say(answer(id, info.clone(), only)).await;
    match asked.await.unwrap() {
        Response::Twins(views) => {
            assert_eq!(views[0].info.name, "A better lamp");
            let acts: Vec<_> = views[0].access[&light()].act.keys().map(ActionId::as_str).collect();
            assert_eq!(acts, ["turn_on"], "its system's own rules take what the enabler's give");
        }
        other => panic!("{other:?}"),
    }
    let late = system.refused(Request::Dii(answer(id, info, TwinPermission::Unrestricted))).await;
    assert_eq!(late.code, RefusalCode::NotFound, "answered once");

    let asked = acquire(&owner);
    let (id, ..) = inquiry(&mut system).await;
    system.refused(Request::Dii(answer(id, wrong, TwinPermission::Unrestricted))).await;
    assert!(matches!(asked.await.unwrap(), Response::Refused(refusal) if refusal.code == RefusalCode::Unavailable));

    let asked = acquire(&owner);
    let (inquiry, ..) = inquiry(&mut system).await;
    let no = Refusal::new(RefusalCode::Forbidden, "not today");
    system.say(DiiUp::Inquired { inquiry, answer: InquiryAnswer::Refused(no.clone()) }).await;
    assert_eq!(asked.await.unwrap(), Response::Refused(no));
}

#[tokio::test]
async fn every_question_ends() {
    let house = House::new().await;
    let mut system = house.with_lamp().await;
    let owner = house.owner().await;
    let asked = acquire(&owner);
    inquiry(&mut system).await;
    house.clock.advance(5_001);
    match asked.await.unwrap() {
        Response::Refused(refusal) => assert!(refusal.message.contains("did not answer within 5 seconds"), "{refusal}"),
        other => panic!("{other:?}"),
    }
    let asked = acquire(&owner);
    inquiry(&mut system).await;
    drop(system);
    assert!(matches!(asked.await.unwrap(), Response::Refused(refusal) if refusal.message.contains("went away")));
    assert_eq!(owner.refused(Request::Acquire(lamp())).await.code, RefusalCode::Unavailable);
}

#[tokio::test]
async fn a_system_that_hangs_keeps_others_from_nothing() {
    let house = House::new().await;
    let mut system = house.with_lamp().await;
    let owner = house.owner().await;
    let asked: Vec<_> = (0..200).map(|_| acquire(&owner)).collect();
    for _ in 0..128 {
        inquiry(&mut system).await;
    }
    let mut overloaded = 0;
    house.clock.advance(5_001);
    for answer in asked {
        match answer.await.unwrap() {
            Response::Refused(refusal) => overloaded += usize::from(refusal.code == RefusalCode::Overloaded),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(overloaded, 200 - 128);
    let asked = acquire(&owner);
    let (id, ..) = inquiry(&mut system).await;
    system.say(answer(id, lamp_info(lamp()), TwinPermission::Unrestricted)).await;
    assert!(matches!(asked.await.unwrap(), Response::Twins(_)));
}

#[tokio::test]
async fn steps_are_kept_and_followed() {
    let house = House::new().await;
    let mut system = house.with_lamp().await;
    let mut owner = house.watching().await;
    match owner.ask(Request::Steps { after: 0, limit: 0, follow: true }).await {
        Response::Steps(steps) => assert_eq!(steps[0].id(), "P2.1"),
        other => panic!("{other:?}"),
    }
    let trace = Some(TraceId([3; 16]));
    let order = Command { trace, ..command(7, "turn_on", START) };
    owner.actuate(&order).await;
    let execution = system.execution().await;
    assert_eq!(execution.trace, trace, "the click is known to the thing's side");
    system.say(DiiUp::Outcome { command: order.id, status: CommandStatus::Executed }).await;
    let mut seen = Vec::new();
    while seen.last() != Some(&"P2.18".to_owned()) {
        let step = owner
            .wait(|event| match event {
                Event::Step(step) => Some(step),
                _ => None,
            })
            .await;
        assert_eq!(step.trace, trace);
        seen.push(step.id());
    }
    assert_eq!(seen, ["P2.15", "P2.16", "P2.17", "P2.18"]);

    let late = Command { not_after: Timestamp(1), ..command(8, "turn_on", START) };
    owner.refused(Request::Actuate(late)).await;
    let last = steps(&owner).await.into_iter().rev().find(|step| step.step == 17).unwrap();
    assert!(last.refused && last.to == Participant::Metaverse(UserId::slug("owner")), "rejected (P2.17)");

    // A guest sees their own steps and nobody else's.
    let guest = [2; 32];
    house.hub.enroll(guest, UserId::slug("guest"), vec![RoleId::slug("guest")]).await.unwrap();
    let guest = Peer1::open(&house.hub, Peer::Certificate(guest)).await;
    guest.ask(hello(Party::Metaverse)).await;
    guest.ask(Request::DiscoverSystems(SystemQuery::default())).await;
    let own: Vec<_> = steps(&guest).await.iter().map(ProcedureStep::id).collect();
    assert_eq!(own, ["P1.4", "P1.5", "P2.4", "P2.5"]);
}

#[tokio::test]
async fn a_system_goes_for_good_or_is_sent_away() {
    let house = House::new().await;
    let system = house.with_lamp().await;
    let owner = house.owner().await;
    system.say(DiiUp::Deregister).await;
    assert!(
        matches!(owner.ask(Request::DiscoverSystems(SystemQuery::default())).await, Response::Systems(views) if views.is_empty())
    );
    assert_eq!(system.refused(Request::Dii(DiiUp::Heartbeat)).await.code, RefusalCode::Invalid);
    system.say(DiiUp::Register(SystemInfo::new(home(), SystemKind::DigitalTwin, "Home"))).await;
    owner.done(Request::RemoveSystem(home())).await;
    let mut system = system;
    loop {
        if matches!(system.next().await, Outgoing::Close(words) if words.contains("owner")) {
            break;
        }
    }
}
