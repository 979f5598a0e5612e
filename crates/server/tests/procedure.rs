//! FGMV-29 9.2 over QUIC: all eighteen steps of P2, in their order, from a twin system's registration to its answer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use common::*;
use vestibule_model::*;
use vestibule_protocol::{Party, Procedure, ProcedureStep, Request, Response};
use vestibule_quic::{Identity, pair};
use vestibule_server::{Embedded, EmbeddedConfig};

/// Asks as a person's client does, and waits.
async fn ask(bench: &mut FakeSystem, person: &mut Peer, request: Request) -> Response {
    let ms = person.ms();
    let id = person.session.request(request, ms);
    both(bench, person, "an answer", |_, person| person.answers.contains_key(&id)).await;
    person.answers.remove(&id).unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_eighteen_steps_of_p2() {
    let folder = tempfile::tempdir().unwrap();
    let enabler = Embedded::start(EmbeddedConfig::local(folder.path().join("data"))).await.unwrap();
    let (me, device) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    enabler.enroll_owner(me.fingerprint()).await.unwrap();
    let code = enabler.pairing_code(RoleId::slug("twin_system")).await.unwrap();
    pair(&enabler.address().to_string(), &device, code.as_str(), "the bench").await.unwrap();
    let (address, server) = (enabler.address(), enabler.fingerprint());
    let mut bench = FakeSystem::new(address, server, &device);
    let mut person = Peer::new(address, server, &me, Party::Metaverse);
    both(&mut bench, &mut person, "the lamp is seen", |_, person| person.twins.contains_key(&lamp_id())).await;

    let query = SystemQuery { kind: Some(SystemKind::DigitalTwin), ..SystemQuery::default() };
    let found = ask(&mut bench, &mut person, Request::DiscoverSystems(query)).await;
    assert!(
        matches!(found, Response::Systems(views) if views[0].info.id.as_str() == "bench" && views[0].health.online)
    );
    let list = Request::ListTwins { system: SystemId::slug("bench"), after: None, limit: 0 };
    assert!(matches!(ask(&mut bench, &mut person, list).await, Response::Twins(views) if views.len() == 1));
    let acquired = ask(&mut bench, &mut person, Request::Acquire(lamp_id())).await;
    assert!(matches!(acquired, Response::Twins(views) if *views[0].info == lamp()));
    // The service runs: what is shown of interest is subscribed to anew.
    ask(&mut bench, &mut person, Request::Subscribe(vestibule_protocol::Interest::All)).await;
    both(&mut bench, &mut person, "all is shown", |_, person| person.synchronized > 1).await;
    let before = person.readings.clone();
    bench.report(true);
    both(&mut bench, &mut person, "the change is seen", |_, person| person.readings != before).await;
    let command = Command { trace: Some(TraceId([5; 16])), ..turn_on([1; 16]) };
    ask(&mut bench, &mut person, Request::Actuate(command)).await;
    both(&mut bench, &mut person, "the command ends", |_, person| {
        person.updates.iter().any(|update| update.status.is_final())
    })
    .await;

    let all = Request::Steps { after: 0, limit: 1_000, follow: false };
    let Response::Steps(steps) = ask(&mut bench, &mut person, all).await else { panic!("no steps") };
    let p2: Vec<&ProcedureStep> = steps.iter().filter(|step| step.procedure == Procedure::P2).collect();
    let mut from = 0;
    for wanted in 1..=18 {
        let found = p2.iter().skip(from).position(|step| step.step == wanted && !step.refused);
        let seen: Vec<_> = p2.iter().map(|step| step.id()).collect();
        from += found.unwrap_or_else(|| panic!("P2.{wanted} does not follow: {seen:?}")) + 1;
    }
    let traced: Vec<u8> =
        steps.iter().filter(|step| step.trace == Some(TraceId([5; 16]))).map(|step| step.step).collect();
    assert_eq!(traced, [15, 16, 17, 18], "from the click to the thing");
    enabler.stop().await;
}
