//! A running enabler among clients that mean ill, or are many.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::time::Duration;

use common::*;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::time::timeout;
use vestibule_model::*;
use vestibule_protocol::{DiiUp, Hello, Interest, Party, Request, encode, protocol_hash};
use vestibule_quic::{Identity, dial};
use vestibule_server::{Embedded, EmbeddedConfig};

async fn start() -> (Embedded, tempfile::TempDir, Identity) {
    let folder = tempfile::tempdir().unwrap();
    let enabler = Embedded::start(EmbeddedConfig::local(folder.path().join("data"))).await.unwrap();
    let me = Identity::generate().unwrap();
    enabler.enroll_owner(me.fingerprint()).await.unwrap();
    (enabler, folder, me)
}

async fn still_serves(enabler: &Embedded, me: &Identity) {
    let mut person = Peer::new(enabler.address(), enabler.fingerprint(), me, Party::Metaverse);
    person.until("synchronized", |person| person.synchronized > 0).await;
    assert!(person.ask(Request::Rules).await.is_ok());
}

fn requests() -> Vec<Vec<u8>> {
    let hello = |party| Request::Hello(Hello { protocol: protocol_hash(), party, software: "x".repeat(3000) });
    [
        hello(Party::Metaverse),
        hello(Party::TwinSystem),
        Request::Subscribe(Interest::All),
        Request::Actuate(turn_on([3; 16])),
        Request::Dii(DiiUp::Register(system_info())),
        Request::Dii(DiiUp::Describe(Box::new(lamp()))),
        Request::Dii(DiiUp::Blob { bytes: vec![1; 5000], media: "image/jpeg".to_owned() }),
        Request::Log { after: 0, limit: u16::MAX },
        Request::Pair { code: "000000".to_owned(), name: String::new() },
    ]
    .iter()
    .map(|request| encode(request).unwrap())
    .collect()
}

/// Valid requests with bytes flipped, cut, repeated; in any order; from a stranger and from somebody known.
#[tokio::test(flavor = "multi_thread")]
async fn mutated_requests_harm_nobody() {
    let (enabler, _folder, me) = start().await;
    let mut random = StdRng::seed_from_u64(42);
    let (target, valid) = (enabler.address().to_string(), requests());
    for round in 0..60 {
        let stranger = Identity::generate().unwrap();
        let who = if round % 2 == 0 { &me } else { &stranger };
        let Ok(connection) = dial(&target, who, Some(enabler.fingerprint())).await else { continue };
        for _ in 0..random.random_range(1..12) {
            let mut frame = valid[random.random_range(0..valid.len())].clone();
            match random.random_range(0..4) {
                0 => {
                    let at = random.random_range(0..frame.len());
                    frame[at] ^= 1 << random.random_range(0..8);
                }
                1 => frame.truncate(random.random_range(0..frame.len())),
                2 => frame.extend_from_slice(&valid[0]),
                _ => {}
            }
            let Ok(Ok((mut send, mut recv))) = timeout(Duration::from_secs(5), connection.open_bi()).await else {
                break;
            };
            let head = [&[0], (frame.len() as u32).to_le_bytes().as_slice()].concat();
            if send.write_all(&head).await.is_err() || send.write_all(&frame).await.is_err() {
                break;
            }
            let _ = send.finish();
            let _ = connection.send_datagram(frame[..frame.len().min(1000)].to_vec().into());
            // Some wait for the answer, some do not, some stop it.
            match random.random_range(0..3) {
                0 => drop(timeout(Duration::from_secs(2), recv.read_to_end(1 << 20)).await),
                1 => drop(recv.stop(1u32.into())),
                _ => drop(recv),
            }
        }
    }
    still_serves(&enabler, &me).await;
    enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_protocol_is_refused_in_words() {
    let (enabler, _folder, me) = start().await;
    let connection = dial(&enabler.address().to_string(), &me, Some(enabler.fingerprint())).await.unwrap();
    let (mut send, mut recv) = connection.open_bi().await.unwrap();
    let hello = Hello { protocol: [0; 16], party: Party::Metaverse, software: "old one".to_owned() };
    let frame = encode(&Request::Hello(hello)).unwrap();
    send.write_all(&[&[0], (frame.len() as u32).to_le_bytes().as_slice(), &frame].concat()).await.unwrap();
    send.finish().unwrap();
    let answer = recv.read_to_end(10_000).await.unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("another protocol"));
    enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_people_see_the_same() {
    let (enabler, _folder, me) = start().await;
    let mut people: Vec<_> =
        (0..200).map(|_| Peer::new(enabler.address(), enabler.fingerprint(), &me, Party::Metaverse)).collect();
    let start = std::time::Instant::now();
    while people.iter().any(|person| person.synchronized == 0) {
        people.iter_mut().for_each(Peer::pump);
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "{} wait",
            people.iter().filter(|p| p.synchronized == 0).count()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let bench = Identity::generate().unwrap();
    let code = enabler.pairing_code(RoleId::slug("twin_system")).await.unwrap();
    vestibule_quic::pair(&enabler.address().to_string(), &bench, code.as_str(), "bench").await.unwrap();
    let mut bench = FakeSystem::new(enabler.address(), enabler.fingerprint(), &bench);
    let start = std::time::Instant::now();
    while people.iter().any(|person| !person.twins.contains_key(&lamp_id())) {
        bench.pump();
        people.iter_mut().for_each(Peer::pump);
        assert!(start.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    enabler.stop().await;
}
