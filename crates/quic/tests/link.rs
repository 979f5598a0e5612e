//! Links over loopback: what a session relies on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::time::{Duration, Instant};

use common::*;
use vestibule_model::ContentHash;
use vestibule_protocol::{Link, LinkCommand, LinkEvent, MAX_FRAME};
use vestibule_quic::*;

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered() {
    let bench = Bench::start();
    let mut link = bench.link();
    link.send(request_of(1, b"Etoo early")).unwrap();
    assert!(matches!(next(&mut link).await, LinkEvent::Response { id: 1, frame: Err(_) }));
    connect(&mut link).await;
    let mut long = vec![b'E'; MAX_FRAME];
    long[77] = 7;
    for id in 2..200 {
        link.send(request_of(id, format!("E{id}").as_bytes())).unwrap();
    }
    link.send(request_of(200, &long)).unwrap();
    link.send(request_of(201, b"")).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 200 {
        let LinkEvent::Response { id, frame: Ok(frame) } = next(&mut link).await else { panic!() };
        match id {
            200 => assert!(frame == long),
            201 => assert!(frame.is_empty()),
            id => assert_eq!(frame, format!("E{id}").as_bytes()),
        }
        assert!(seen.insert(id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_in_order_and_whole() {
    let bench = Bench::start();
    let mut link = bench.link();
    connect(&mut link).await;
    link.send(request_of(1, &[b"V".as_slice(), &3000u32.to_le_bytes()].concat())).unwrap();
    let mut expected = 0u32;
    while expected < 3000 {
        match next(&mut link).await {
            LinkEvent::Event(frame) => {
                assert_eq!(frame[..4], expected.to_le_bytes());
                assert_eq!(frame.len(), 4 + (expected as usize * 37) % 3000);
                expected += 1;
            }
            LinkEvent::Response { frame: Ok(frame), .. } => assert_eq!(frame, b"done"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn datagrams_go_both_ways_and_may_be_lost() {
    let bench = Bench::start();
    let mut link = bench.link();
    connect(&mut link).await;
    let bytes = vec![5; vestibule_protocol::MAX_DATAGRAM];
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        assert!(Instant::now() < until, "not one of many datagrams arrived");
        link.send(LinkCommand::Datagram(bytes.clone())).unwrap();
        if let Some(LinkEvent::Datagram(back)) = next_within(&mut link, Duration::from_millis(100)).await {
            assert_eq!(back, bytes);
            break;
        }
    }
    // Too long for any path: dropped, nothing else happens.
    link.send(LinkCommand::Datagram(vec![0; 60_000])).unwrap();
    link.send(request_of(1, b"E")).unwrap();
    loop {
        match next(&mut link).await {
            LinkEvent::Datagram(_) => {}
            other => break assert!(matches!(other, LinkEvent::Response { id: 1, frame: Ok(_) })),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn content_is_fetched_checked_and_bounded() {
    let bench = Bench::start();
    let mut link = bench.link();
    connect(&mut link).await;
    let many: Vec<_> = (0u8..12).map(|n| bench.put(vec![n; 300_000 + usize::from(n)])).collect();
    for (hash, size) in &many {
        link.send(LinkCommand::Fetch { hash: *hash, size: *size, keep: false }).unwrap();
    }
    for _ in &many {
        let LinkEvent::Content { hash, bytes: Ok(bytes) } = next(&mut link).await else { panic!() };
        assert_eq!(ContentHash::of(&bytes), hash);
    }
    let (hash, size) = bench.put(vec![]);
    link.send(LinkCommand::Fetch { hash, size, keep: false }).unwrap();
    assert!(next(&mut link).await == LinkEvent::Content { hash, bytes: Ok(vec![]) });

    let words = |event| match event {
        LinkEvent::Content { bytes: Err(words), .. } => words,
        other => panic!("{other:?}"),
    };
    let hash = ContentHash::of(b"nobody has it");
    link.send(LinkCommand::Fetch { hash, size: 13, keep: false }).unwrap();
    assert!(words(next(&mut link).await).contains("does not have"));
    link.send(LinkCommand::Fetch { hash: many[0].0, size: 10, keep: false }).unwrap();
    assert!(words(next(&mut link).await).contains("300000"));
    link.send(LinkCommand::Fetch { hash, size: MAX_CONTENT + 1, keep: false }).unwrap();
    assert!(words(next(&mut link).await).contains("more than"));
    // Bytes that do not fit their name.
    bench.contents.lock().unwrap().insert(hash, b"something els".as_slice().into());
    link.send(LinkCommand::Fetch { hash, size: 13, keep: false }).unwrap();
    assert!(words(next(&mut link).await).contains("hash"));
}

#[tokio::test(flavor = "multi_thread")]
async fn content_is_taken_up_again_after_a_loss() {
    let bench = Bench::start();
    let mut link = bench.link();
    connect(&mut link).await;
    let (hash, size) = bench.put((0u32..12_000_000).flat_map(u32::to_le_bytes).collect());
    link.send(LinkCommand::Fetch { hash, size, keep: false }).unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    // One connection after the other breaks under it.
    let mut breaks = 0;
    let bytes = loop {
        if breaks < 3 {
            link.send(request_of(1, b"X")).unwrap();
        }
        match next(&mut link).await {
            LinkEvent::Closed { reason, retry: true } => {
                // The farewell itself may be lost in all that content; then the next packet finds nobody.
                assert!(reason == "the owner said so" || reason.contains("started anew"), "{reason}");
                breaks += 1;
                link.send(LinkCommand::Connect).unwrap();
            }
            LinkEvent::Connected => tokio::time::sleep(Duration::from_millis(120)).await,
            LinkEvent::Content { bytes, .. } => break bytes.unwrap(),
            LinkEvent::Response { .. } => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(bytes.len() as u64, size);
    let offsets = bench.offsets.lock().unwrap().clone();
    assert!(offsets.iter().any(|&offset| offset > 0), "it began anew each time: {offsets:?}");
    assert!(offsets.is_sorted());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_enabler_is_not_talked_to() {
    let bench = Bench::start();
    let mut link = link(bench.server.address(), Identity::generate().unwrap().fingerprint());
    link.send(LinkCommand::Connect).unwrap();
    let LinkEvent::Closed { reason, retry: false } = next(&mut link).await else { panic!() };
    assert!(reason.contains("not the enabler that you paired with"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_enabler_is_told_apart() {
    // Something else that speaks QUIC.
    let key = rcgen::generate_simple_self_signed(vec!["other".to_owned()]).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![key.cert.der().clone()],
            rustls::pki_types::PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()).into(),
        )
        .unwrap();
    tls.alpn_protocols = vec![b"h3".to_vec()];
    let crypto = quinn::crypto::rustls::QuicServerConfig::try_from(tls).unwrap();
    let config = quinn::ServerConfig::with_crypto(std::sync::Arc::new(crypto));
    let other = quinn::Endpoint::server(config, ([127, 0, 0, 1], 0).into()).unwrap();
    let addr = other.local_addr().unwrap();
    tokio::spawn(async move {
        while let Some(incoming) = other.accept().await {
            tokio::spawn(async move { incoming.await.is_ok() });
        }
    });
    let mut link = link(addr, Fingerprint([0; 32]));
    link.send(LinkCommand::Connect).unwrap();
    let LinkEvent::Closed { reason, retry: false } = next(&mut link).await else { panic!() };
    assert!(reason.contains("vestibule/1"), "{reason}");

    // Nobody at all, and a name that is none.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for target in [silent.local_addr().unwrap().to_string(), "no.such.host.invalid:1".to_owned(), "nonsense".to_owned()]
    {
        let identity = Identity::generate().unwrap();
        let config = LinkConfig { target, server: Fingerprint([0; 32]), identity, wake: None };
        let mut link = QuicLink::spawn(&tokio::runtime::Handle::current(), config);
        link.send(LinkCommand::Connect).unwrap();
        let LinkEvent::Closed { reason, retry: true } = next(&mut link).await else { panic!() };
        assert!(reason.contains("nobody answers") || reason.contains("address"), "{reason}");
    }
}

/// What was asked may be told to be lost first; nothing else comes before the end.
async fn ended(link: &mut QuicLink) -> LinkEvent {
    match next(link).await {
        LinkEvent::Response { frame: Err(_), .. } => next(link).await,
        other => other,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_works_in_every_state() {
    let bench = Bench::start();
    let mut link = bench.link();
    link.send(LinkCommand::Close).unwrap();
    connect(&mut link).await;
    link.send(request_of(1, b"S")).unwrap();
    link.send(LinkCommand::Close).unwrap();
    assert!(matches!(ended(&mut link).await, LinkEvent::Closed { retry: true, .. }));
    // Closed while connecting to nobody.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut lonely = common::link(silent.local_addr().unwrap(), bench.server.fingerprint());
    lonely.send(LinkCommand::Connect).unwrap();
    lonely.send(LinkCommand::Close).unwrap();
    let before = Instant::now();
    assert!(matches!(next(&mut lonely).await, LinkEvent::Closed { .. }));
    assert!(before.elapsed() < Duration::from_secs(2));
    // And again.
    connect(&mut link).await;
    link.send(request_of(2, b"X")).unwrap();
    assert_eq!(ended(&mut link).await, LinkEvent::Closed { reason: "the owner said so".to_owned(), retry: true });
    // A dropped link says goodbye.
    connect(&mut link).await;
    drop(link);
    let until = Instant::now() + Duration::from_secs(5);
    while bench.server.connections() > 0 {
        assert!(Instant::now() < until, "the server still holds {} connections", bench.server.connections());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn a_killed_server_that_comes_back_is_noticed_at_once() {
    let client = tokio::runtime::Runtime::new().unwrap();
    let first = tokio::runtime::Runtime::new().unwrap();
    let identity = Identity::generate().unwrap();
    let bench = first.block_on(async { Bench::on(([127, 0, 0, 1], 0).into(), identity.clone()) });
    let addr = bench.server.address();
    let mut link = client.block_on(async {
        let mut link = bench.link();
        connect(&mut link).await;
        // Answered: the handshake is over on both sides.
        link.send(request_of(1, b"E")).unwrap();
        assert!(matches!(next(&mut link).await, LinkEvent::Response { frame: Ok(_), .. }));
        link
    });
    // Everything of the first server vanishes with its runtime: nobody is told.
    first.shutdown_timeout(Duration::from_secs(5));
    // Only now: nothing is left that could say goodbye.
    drop(bench);
    let second = tokio::runtime::Runtime::new().unwrap();
    let _bench = second.block_on(async { Bench::on(addr, identity) });
    let before = Instant::now();
    client.block_on(async {
        let LinkEvent::Closed { reason, retry: true } = next(&mut link).await else { panic!() };
        assert!(reason.contains("started anew"), "{reason}");
        // Sooner than the idle timeout.
        assert!(before.elapsed() < Duration::from_secs(6), "{:?}", before.elapsed());
        connect(&mut link).await;
    });
}

#[test]
fn a_link_outlives_its_runtime_without_a_panic() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut link = runtime.block_on(async { link(([127, 0, 0, 1], 9).into(), Fingerprint([0; 32])) });
    runtime.shutdown_background();
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        match link.poll() {
            Some(LinkEvent::Closed { retry: false, .. }) => break,
            _ => assert!(Instant::now() < until),
        }
    }
    assert!(link.poll().is_none());
    assert!(link.send(LinkCommand::Connect).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_is_shown_to_newcomers_only() {
    let bench = Bench::start();
    let (before, mut old) = (bench.server.fingerprint(), bench.link());
    connect(&mut old).await;
    let renewed = Identity::generate().unwrap();
    bench.server.renew(&renewed).unwrap();
    assert_eq!(bench.server.fingerprint(), renewed.fingerprint());
    // Who is there goes on.
    old.send(request_of(1, b"Estill here")).unwrap();
    assert!(matches!(next(&mut old).await, LinkEvent::Response { id: 1, frame: Ok(frame) } if frame == b"Estill here"));
    // Who comes sees the new one; who wants the old one does not come in.
    connect(&mut bench.link()).await;
    let mut pinned = link(bench.server.address(), before);
    pinned.send(LinkCommand::Connect).unwrap();
    assert!(matches!(next(&mut pinned).await, LinkEvent::Closed { retry: false, .. }));
}
