//! Ten thousand clients that begin and do not go on: limits hold, and others are served meanwhile.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::*;
use tokio::{net::UdpSocket, task::JoinSet, time::timeout};
use vestibule_protocol::{Link, LinkEvent};
use vestibule_quic::*;

/// Whoever begins and does not go on.
const SLOW: usize = 10_000;
/// Of them at once: each has a socket here.
const AT_ONCE: usize = 200;
/// Strangers that go through with the handshake, which costs this machine as much as the server.
const SILENT: usize = 1_500;

/// All from one address, which no site is: what is tested is not how fast one address may come.
fn limits() -> ServerLimits {
    ServerLimits { rate_each: 1e9, burst_each: 1e9, ..ServerLimits::default() }
}

async fn answers(bench: &Bench) {
    let mut link = bench.link();
    connect(&mut link).await;
    link.send(request_of(1, b"Ehello")).unwrap();
    assert_eq!(next(&mut link).await, LinkEvent::Response { id: 1, frame: Ok(b"Ehello".to_vec()) });
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_handshakes_that_do_not_go_on_hold_nobody_up() {
    let bench = Bench::with(([127, 0, 0, 1], 0).into(), Identity::generate().unwrap(), limits());
    // Between clients and server: what clients begin passes, and nothing comes back.
    let (near, far) = (UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap());
    far.connect(bench.server.address()).await.unwrap();
    let target = near.local_addr().unwrap().to_string();
    let passed = Arc::new(AtomicUsize::new(0));
    let counted = passed.clone();
    let relay = tokio::spawn(async move {
        let mut packet = [0; 2_048];
        loop {
            let (length, _) = near.recv_from(&mut packet).await.unwrap();
            // Fails where the server is too busy to take it: lost, like on any network.
            let _ = far.send(&packet[..length]).await;
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let me = Identity::generate().unwrap();
    let mut begun = JoinSet::new();
    for number in 0..SLOW {
        let (target, me) = (target.clone(), me.clone());
        begun.spawn(async move { drop(timeout(Duration::from_millis(400), dial(&target, &me, None)).await) });
        if begun.len() >= AT_ONCE {
            begun.join_next().await;
        }
        if number % 2_000 == 1_999 {
            answers(&bench).await;
            let open = bench.server.connections();
            assert!(open <= ServerLimits::default().handshakes + AT_ONCE, "{open} places after {number}");
        }
    }
    assert!(passed.load(Ordering::SeqCst) >= SLOW, "all of them were heard");
    answers(&bench).await;
    relay.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_strangers_crowd_out_each_other_and_nobody_who_is_known() {
    let (identity, places) = (Identity::generate().unwrap(), 64);
    let limits = ServerLimits { connections: places, connections_each: places, ..limits() };
    let server = Arc::new(QuicServer::bind(([127, 0, 0, 1], 0).into(), &identity, limits).unwrap());
    let (me, target) = (Identity::generate().unwrap(), server.address().to_string());
    let (listening, known) = (server.clone(), me.fingerprint());
    let held = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Some(client) = listening.accept().await {
            if client.fingerprint() == known {
                client.admit();
            }
            held.push(client);
        }
    });
    let mine = dial(&target, &me, None).await.unwrap();
    let stranger = Identity::generate().unwrap();
    let oldest = dial(&target, &stranger, None).await.unwrap();
    let mut silent = VecDeque::new();
    for number in 0..SILENT {
        silent.push_back(dial(&target, &stranger, None).await.expect("a newcomer has a place"));
        // Sent away long since: no process has files for all of them.
        if silent.len() > 2 * places {
            silent.pop_front();
        }
        if number % 500 == 499 {
            let again = dial(&target, &me, None).await.expect("so has somebody known");
            again.close(0_u32.into(), b"");
            assert!(server.connections() <= places, "{} places", server.connections());
        }
    }
    assert!(mine.close_reason().is_none(), "whoever is known stays");
    let gone = timeout(Duration::from_secs(30), oldest.closed()).await.expect("the oldest stranger is told");
    assert!(gone.to_string().contains("too many connections"), "{gone}");
    server.close(CloseCode::ShuttingDown, "the test ends").await;
    held.await.unwrap();
}
