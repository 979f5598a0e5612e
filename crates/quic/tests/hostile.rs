//! What clients can do wrong, on purpose: each is cut off, the server lives on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use common::*;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::time::{sleep, timeout};
use vestibule_protocol::{Link, LinkCommand, LinkEvent};
use vestibule_quic::*;

async fn raw(bench: &Bench) -> quinn::Connection {
    dial(&bench.server.address().to_string(), &Identity::generate().unwrap(), None).await.unwrap()
}

async fn still_serves(bench: &Bench) {
    let mut link = bench.link();
    connect(&mut link).await;
    link.send(request_of(1, b"Ehello")).unwrap();
    assert_eq!(next(&mut link).await, LinkEvent::Response { id: 1, frame: Ok(b"Ehello".to_vec()) });
}

fn code(error: &quinn::ConnectionError) -> u64 {
    match error {
        quinn::ConnectionError::ApplicationClosed(close) => close.error_code.into_inner(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_in_streams_and_datagrams() {
    let bench = Bench::start();
    let mut random = StdRng::seed_from_u64(0x5eed);
    for _ in 0..60 {
        let connection = raw(&bench).await;
        for _ in 0..random.random_range(1..6) {
            let mut bytes = vec![0; random.random_range(1..2000)];
            random.fill(bytes.as_mut_slice());
            // Kinds that exist, lengths that could be true.
            bytes[0] = random.random_range(0..6);
            if random.random_bool(0.5) && bytes.len() > 5 {
                bytes[1..5].copy_from_slice(&random.random_range(0..3000u32).to_le_bytes());
            }
            let _ = connection.send_datagram(bytes[..bytes.len().min(1000)].to_vec().into());
            let Ok(Ok((mut send, _recv))) = timeout(Duration::from_secs(2), connection.open_bi()).await else { break };
            if send.write_all(&bytes).await.is_err() {
                break;
            }
            match random.random_range(0..3) {
                0 => drop(send.finish()),
                1 => drop(send.reset(7u32.into())),
                _ => drop(send),
            }
        }
        // Unidirectional streams are nobody's right here.
        assert!(
            timeout(Duration::from_millis(5), connection.open_uni()).await.is_err()
                || connection.close_reason().is_some()
        );
    }
    still_serves(&bench).await;
    assert!(bench.garbage.lock().unwrap().len() > 20, "garbage was taken for something");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_quic() {
    let bench = Bench::start();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut random = StdRng::seed_from_u64(1);
    for _ in 0..3000 {
        let mut bytes = vec![0; random.random_range(0..1500)];
        random.fill(bytes.as_mut_slice());
        if let Some(first) = bytes.first_mut().filter(|_| random.random_bool(0.5)) {
            *first = 0xc0;
        }
        if bytes.len() > 5 && random.random_bool(0.5) {
            bytes[1..5].copy_from_slice(&1u32.to_be_bytes());
        }
        let _ = socket.send_to(&bytes, bench.server.address());
    }
    still_serves(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_are_too_long_end_the_connection() {
    let bench = Bench::start();
    let connection = raw(&bench).await;
    let (mut send, _recv) = connection.open_bi().await.unwrap();
    send.write_all(&[0, 0xff, 0xff, 0xff, 0xff]).await.unwrap();
    assert_eq!(code(&connection.closed().await), CloseCode::Garbage as u64);
    // Nor may anything follow a frame.
    let connection = raw(&bench).await;
    let (mut send, _recv) = connection.open_bi().await.unwrap();
    send.write_all(&[0, 1, 0, 0, 0, b'E', b'!']).await.unwrap();
    assert_eq!(code(&connection.closed().await), CloseCode::Garbage as u64);
    // Only the enabler's own program may ask as such.
    let connection = raw(&bench).await;
    let (mut send, _recv) = connection.open_bi().await.unwrap();
    send.write_all(&[3, 1, 0, 0, 0, b'E']).await.unwrap();
    assert_eq!(code(&connection.closed().await), CloseCode::Garbage as u64);
    let target = bench.server.address().to_string();
    assert_eq!(control(&target, &bench.identity, b"status?").await.unwrap(), b"status?");
    assert!(control(&target, &Identity::generate().unwrap(), b"status?").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_frame_and_then_nothing() {
    let bench = Bench::start();
    let connection = raw(&bench).await;
    let (mut send, _recv) = connection.open_bi().await.unwrap();
    send.write_all(&[0, 200, 0, 0, 0, b'E']).await.unwrap();
    let before = Instant::now();
    assert_eq!(code(&connection.closed().await), CloseCode::TooSlow as u64);
    assert!(before.elapsed() < Duration::from_secs(14));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_read_costs_little_and_is_cut_off() {
    let bench = Bench::start();
    let connection = raw(&bench).await;
    let (mut send, _recv) = connection.open_bi().await.unwrap();
    let request = [b"V".as_slice(), &1_000_000u32.to_le_bytes()].concat();
    send.write_all(&[&[0], (request.len() as u32).to_le_bytes().as_slice(), &request].concat()).await.unwrap();
    send.finish().unwrap();
    let _events = connection.accept_uni().await.unwrap();
    assert_eq!(code(&connection.closed().await), CloseCode::TooSlow as u64);
    still_serves(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_not_polled_holds_little_and_works_again() {
    let bench = Bench::start();
    let mut link = bench.link();
    connect(&mut link).await;
    link.send(request_of(1, &[b"V".as_slice(), &20_000u32.to_le_bytes()].concat())).unwrap();
    sleep(Duration::from_secs(3)).await;
    let mut events = 0;
    while events < 20_000 {
        match next(&mut link).await {
            LinkEvent::Event(frame) => {
                assert_eq!(frame[..4], u32::to_le_bytes(events));
                events += 1;
            }
            LinkEvent::Response { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_at_once() {
    let bench = Arc::new(Bench::start());
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..200u64 {
        let bench = bench.clone();
        clients.spawn(async move {
            let mut link = bench.link();
            // A machine under load may refuse or be slow: again, as a session does.
            for _ in 0..10 {
                link.send(LinkCommand::Connect).unwrap();
                match next(&mut link).await {
                    LinkEvent::Connected => break,
                    LinkEvent::Closed { retry: true, .. } => sleep(Duration::from_millis(300)).await,
                    other => panic!("{other:?}"),
                }
            }
            link.send(request_of(number, b"E")).unwrap();
            assert!(matches!(next(&mut link).await, LinkEvent::Response { frame: Ok(_), .. }));
            link
        });
    }
    let mut links = Vec::new();
    while let Some(link) = clients.join_next().await {
        links.push(link.unwrap());
    }
    assert_eq!(bench.server.connections(), 200);
    assert!(bench.accepted.load(Ordering::SeqCst) >= 200);
    drop(links);
    let until = Instant::now() + Duration::from_secs(30);
    while bench.server.connections() > 0 {
        assert!(Instant::now() < until, "{} places are not free", bench.server.connections());
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_from_one_address_are_refused() {
    let identity = Identity::generate().unwrap();
    let limits = ServerLimits { connections_each: 3, ..ServerLimits::default() };
    let server = Arc::new(QuicServer::bind(([127, 0, 0, 1], 0).into(), &identity, limits).unwrap());
    let (listening, target) = (server.clone(), server.address().to_string());
    let held = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Some(client) = listening.accept().await {
            client.admit();
            held.push(client);
        }
    });
    let me = Identity::generate().unwrap();
    let _open = (
        dial(&target, &me, None).await.unwrap(),
        dial(&target, &me, None).await.unwrap(),
        dial(&target, &me, None).await.unwrap(),
    );
    let refused = dial(&target, &me, None).await.unwrap_err();
    assert!(refused.retry && refused.reason.contains("no more connections"), "{refused}");
    server.close(CloseCode::ShuttingDown, "the enabler is being shut down").await;
    let closed = _open.0.closed().await;
    assert_eq!(code(&closed), CloseCode::ShuttingDown as u64);
    held.await.unwrap();
    // The port can be taken again; and one that is taken is said to be.
    let addr = server.address();
    assert!(matches!(QuicServer::bind(addr, &identity, limits), Err(QuicError::InUse(_))));
}
