//! A person and a twin system at an enabler in this process, over QUIC as everybody.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::time::Duration;

use common::*;
use vestibule_model::*;
use vestibule_protocol::{DiiUp, Party, Report, Request, Response};
use vestibule_quic::{Identity, PairError, pair};
use vestibule_server::{Embedded, EmbeddedConfig};

fn role(name: &str) -> RoleId {
    RoleId::slug(name)
}

struct Home {
    enabler: Embedded,
    folder: tempfile::TempDir,
    me: Identity,
    bench: Identity,
}

impl Home {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let enabler = Embedded::start(EmbeddedConfig::local(folder.path().join("data"))).await.unwrap();
        let (me, bench) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        enabler.enroll_owner(me.fingerprint()).await.unwrap();
        let code = enabler.pairing_code(role("twin_system")).await.unwrap();
        let target = enabler.address().to_string();
        let paired = pair(&target, &bench, code.as_str(), "the bench").await.unwrap();
        assert_eq!((paired.server, paired.roles), (enabler.fingerprint(), vec![role("twin_system")]));
        Self { enabler, folder, me, bench }
    }

    fn peers(&self) -> (FakeSystem, Peer) {
        let (address, server) = (self.enabler.address(), self.enabler.fingerprint());
        (FakeSystem::new(address, server, &self.bench), Peer::new(address, server, &self.me, Party::Metaverse))
    }
}

fn is_on(person: &Peer) -> bool {
    person.readings.get(&(lamp_id(), PropertyId::slug("on"))) == Some(&Some(Value::Bool(true)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_turns_a_lamp_on() {
    let home = Home::start().await;
    let (mut bench, mut person) = home.peers();
    both(&mut bench, &mut person, "the lamp is seen", |_, person| person.twins.contains_key(&lamp_id())).await;
    both(&mut bench, &mut person, "it is off", |_, person| {
        person.readings.get(&(lamp_id(), PropertyId::slug("on"))) == Some(&Some(Value::Bool(false)))
    })
    .await;
    let ms = person.ms();
    let id = person.session.actuate(turn_on([1; 16]), ms);
    both(&mut bench, &mut person, "the command ends", |_, person| {
        person.updates.iter().any(|update| update.status.is_final())
    })
    .await;
    assert!(matches!(person.answers.get(&id), Some(Ok(Response::Command(_)))), "{:?}", person.answers);
    both(&mut bench, &mut person, "it is on", |_, person| is_on(person)).await;
    assert_eq!(bench.executed.get(&CommandId([1; 16])), Some(&1));
    // Hot state keeps coming as it changes.
    for round in 0..20 {
        bench.report(round % 2 == 0);
        let wanted = round % 2 == 0;
        both(&mut bench, &mut person, "hot state follows", |_, person| is_on(person) == wanted).await;
    }
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_fetched_by_their_hash() {
    let home = Home::start().await;
    let (mut bench, mut person) = home.peers();
    both(&mut bench, &mut person, "the lamp is seen", |_, person| person.twins.contains_key(&lamp_id())).await;
    let picture: Vec<u8> = (0..700_000u32).map(|n| (n % 251) as u8).collect();
    let blob = BlobRef::of(&picture, "image/jpeg");
    bench.peer.tell(DiiUp::Blob { bytes: picture.clone(), media: "image/jpeg".to_owned() }).await;
    let report = Report {
        twin: lamp_id(),
        feature: FeatureId::slug("light"),
        property: PropertyId::slug("picture"),
        value: Some(Value::Blob(blob.clone())),
        at: Some(now()),
        fresh: true,
        revision: now().0 + 10,
    };
    bench.peer.tell(DiiUp::Report(report)).await;
    let key = (lamp_id(), PropertyId::slug("picture"));
    both(
        &mut bench,
        &mut person,
        "the picture is reported",
        |_, person| matches!(person.readings.get(&key), Some(Some(Value::Blob(found))) if *found == blob),
    )
    .await;
    person.session.fetch(&blob);
    person.until("the picture", |person| person.contents.contains_key(&blob.hash)).await;
    assert!(person.contents[&blob.hash] == Ok(picture));
    // Whoever is not known gets nothing, even with the hash.
    let stranger = Identity::generate().unwrap();
    let mut stranger = Peer::new(home.enabler.address(), home.enabler.fingerprint(), &stranger, Party::Metaverse);
    stranger.session.fetch(&blob);
    stranger.until("an answer", |stranger| stranger.contents.contains_key(&blob.hash)).await;
    assert!(stranger.contents[&blob.hash].is_err());
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_survived_without_a_hand() {
    let home = Home::start().await;
    let (mut bench, mut person) = home.peers();
    both(&mut bench, &mut person, "synchronized", |_, person| {
        person.synchronized == 1 && person.twins.contains_key(&lamp_id())
    })
    .await;
    let (address, server) = (home.enabler.address(), home.enabler.fingerprint());
    home.enabler.stop().await;
    both(&mut bench, &mut person, "told", |bench, person| {
        !person.disconnected.is_empty() && !bench.peer.disconnected.is_empty()
    })
    .await;
    assert!(person.disconnected[0].contains("the enabler stops"), "{:?}", person.disconnected);
    let config = EmbeddedConfig { quic: address, ..EmbeddedConfig::local(home.folder.path().join("data")) };
    let enabler = Embedded::start(config).await.unwrap();
    assert_eq!(enabler.fingerprint(), server);
    both(&mut bench, &mut person, "synchronized again", |_, person| person.synchronized == 2).await;
    let ms = person.ms();
    person.session.actuate(turn_on([2; 16]), ms);
    both(&mut bench, &mut person, "it is on", |_, person| is_on(person)).await;
    assert_eq!(bench.executed.get(&CommandId([2; 16])), Some(&1));
    enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pairing_takes_the_right_code_once() {
    let home = Home::start().await;
    let target = home.enabler.address().to_string();
    let device = Identity::generate().unwrap();
    let refused = |error: PairError| match error {
        PairError::Refused(words) => words,
        other => panic!("{other:?}"),
    };
    let words = refused(pair(&target, &device, "123456", "x").await.unwrap_err());
    assert!(words.contains("no pairing code is open"), "{words}");
    let code = home.enabler.pairing_code(role("guest")).await.unwrap();
    let wrong = if code.as_str() == "123456" { "123457" } else { "123456" };
    let words = refused(pair(&target, &device, wrong, "x").await.unwrap_err());
    assert!(words.contains("code"), "{words}");
    let paired = pair(&target, &device, code.as_str(), "Ada's headset").await.unwrap();
    assert_eq!(paired.roles, vec![role("guest")]);
    let words = refused(pair(&target, &device, code.as_str(), "x").await.unwrap_err());
    assert!(words.contains("no pairing code is open"), "{words}");
    // A guest sees and does not act; and reads no log.
    let mut guest = Peer::new(home.enabler.address(), home.enabler.fingerprint(), &device, Party::Metaverse);
    guest.until("synchronized", |guest| guest.synchronized == 1).await;
    assert!(guest.ask(Request::Log { after: 0, limit: 0 }).await.is_err());
    assert!(guest.ask(Request::Pair { code: "1".to_owned(), name: "x".to_owned() }).await.is_err());
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_codes_ends_them() {
    let home = Home::start().await;
    let target = home.enabler.address().to_string();
    let device = Identity::generate().unwrap();
    let code = home.enabler.pairing_code(role("guest")).await.unwrap();
    let wrong = if code.as_str() == "123456" { "123457" } else { "123456" };
    for _ in 0..5 {
        assert!(matches!(pair(&target, &device, wrong, "x").await, Err(PairError::Refused(_))));
    }
    let late = pair(&target, &device, code.as_str(), "x").await;
    assert!(matches!(&late, Err(PairError::Refused(_))), "{late:?}");
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_and_a_port_have_one_enabler() {
    let home = Home::start().await;
    let twice = Embedded::start(EmbeddedConfig::local(home.folder.path().join("data"))).await.unwrap_err();
    assert!(twice.to_string().contains("in use by another enabler"), "{twice}");
    let config = EmbeddedConfig { quic: home.enabler.address(), ..EmbeddedConfig::local(home.folder.path().join("b")) };
    let taken = Embedded::start(config).await.unwrap_err();
    assert!(taken.to_string().contains("is in use"), "{taken}");
    // What did not start holds nothing.
    tokio::time::sleep(Duration::from_millis(100)).await;
    Embedded::start(EmbeddedConfig::local(home.folder.path().join("b"))).await.unwrap().stop().await;
    home.enabler.stop().await;
}
