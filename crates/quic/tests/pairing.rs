//! Six digits against the world.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::sync::Arc;

use tokio::sync::mpsc;
use vestibule_model::{RoleId, UserId};
use vestibule_protocol::{Response, encode};
use vestibule_quic::*;

fn paired() -> Vec<u8> {
    encode(&Response::Paired { user: UserId::slug("ada"), roles: vec![RoleId::slug("owner")] }).unwrap()
}

/// A server with one code; says whose proof was right and how the device calls itself.
fn desk(code: &'static str) -> (Arc<QuicServer>, mpsc::UnboundedReceiver<(Fingerprint, bool, String)>) {
    let identity = Identity::generate().unwrap();
    let server = Arc::new(QuicServer::bind(([127, 0, 0, 1], 0).into(), &identity, ServerLimits::default()).unwrap());
    let (said, heard) = mpsc::unbounded_channel();
    let listening = server.clone();
    tokio::spawn(async move {
        while let Some(client) = listening.accept().await {
            let said = said.clone();
            tokio::spawn(async move {
                let fingerprint = client.fingerprint();
                while let Ok(stream) = client.accept().await {
                    let Ok(Exchange::Pair(pair)) = stream.read().await else { break };
                    let Ok(proof) = pair.challenge(code).await else { break };
                    let _ = said.send((fingerprint, proof.is_right(), proof.name().to_owned()));
                    let _ = if proof.is_right() {
                        proof.answer(&paired()).await
                    } else {
                        proof.refuse("that is not the code").await
                    };
                }
            });
        }
    });
    (server, heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_code_makes_both_known() {
    let (server, mut heard) = desk("012345");
    let me = Identity::generate().unwrap();
    let target = server.address().to_string();
    let result = pair(&target, &me, " 012345\n", "Ada's\u{7} headset").await.unwrap();
    assert_eq!(result.server, server.fingerprint());
    assert_eq!(result.user, UserId::slug("ada"));
    assert_eq!(heard.recv().await.unwrap(), (me.fingerprint(), true, "Ada's headset".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_pairs_nobody() {
    let (server, mut heard) = desk("012345");
    let me = Identity::generate().unwrap();
    let error = pair(&server.address().to_string(), &me, "012346", "x").await.unwrap_err();
    assert_eq!(error, PairError::Refused("that is not the code".to_owned()));
    assert!(!heard.recv().await.unwrap().1);
    let nobody = common::Bench::start();
    let error = pair(&nobody.server.address().to_string(), &me, "012345", "x").await.unwrap_err();
    assert_eq!(error, PairError::Refused("no code is out".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_the_code_cannot_pretend() {
    // It says yes to whatever comes: the client notices that it cannot prove the code.
    let (server, _heard) = desk("000000");
    let me = Identity::generate().unwrap();
    let error = pair(&server.address().to_string(), &me, "012345", "x").await.unwrap_err();
    assert!(matches!(error, PairError::Refused(_)));
    let liar = quic_liar().await;
    let error = pair(&liar, &me, "012345", "x").await.unwrap_err();
    assert_eq!(error, PairError::Impostor);
}

/// Bytes to frames and back, as the wire has them.
async fn read_frame(stream: &mut quinn::RecvStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await.ok()?;
    let mut frame = vec![0; u32::from_le_bytes(length) as usize];
    stream.read_exact(&mut frame).await.ok()?;
    Some(frame)
}

async fn write_frame(stream: &mut quinn::SendStream, frame: &[u8]) {
    stream.write_all(&(frame.len() as u32).to_le_bytes()).await.unwrap();
    stream.write_all(frame).await.unwrap();
}

/// A QUIC server that does everything by hand.
fn by_hand() -> quinn::Endpoint {
    let key = rcgen::generate_simple_self_signed(vec!["x".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![key.cert.der().clone()],
            rustls::pki_types::PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()).into(),
        )
        .unwrap();
    tls.alpn_protocols = vec![vestibule_protocol::ALPN.to_vec()];
    let crypto = quinn::crypto::rustls::QuicServerConfig::try_from(tls).unwrap();
    quinn::Endpoint::server(quinn::ServerConfig::with_crypto(Arc::new(crypto)), ([127, 0, 0, 1], 0).into()).unwrap()
}

async fn quic_liar() -> String {
    let endpoint = by_hand();
    let addr = endpoint.local_addr().unwrap();
    tokio::spawn(async move {
        let connection = endpoint.accept().await.unwrap().await.unwrap();
        let (mut send, mut recv) = connection.accept_bi().await.unwrap();
        recv.read_exact(&mut [0; 1]).await.unwrap();
        read_frame(&mut recv).await.unwrap();
        // A valid point of the curve, as SPAKE2's side B: its generator.
        let mut point = [0x66; 33];
        (point[0], point[1]) = (0x42, 0x58);
        write_frame(&mut send, &[&[1], point.as_slice()].concat()).await;
        read_frame(&mut recv).await.unwrap();
        write_frame(&mut send, &[&[1], [7; 32].as_slice(), &paired()].concat()).await;
        connection.closed().await;
    });
    addr.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stands_in_between_gets_nothing() {
    let (server, mut heard) = desk("012345");
    let real = server.address().to_string();
    let endpoint = by_hand();
    let middle = endpoint.local_addr().unwrap().to_string();
    // It relays each byte faithfully, with its own certificates to both sides.
    tokio::spawn(async move {
        let victim = endpoint.accept().await.unwrap().await.unwrap();
        let mine = Identity::generate().unwrap();
        let upstream = dial(&real, &mine, None).await.unwrap();
        let (mut to_victim, mut from_victim) = victim.accept_bi().await.unwrap();
        let (mut to_server, mut from_server) = upstream.open_bi().await.unwrap();
        let up = async {
            let mut bytes = [0; 4096];
            while let Ok(Some(n)) = from_victim.read(&mut bytes).await {
                to_server.write_all(&bytes[..n]).await.unwrap();
            }
        };
        let down = async {
            let mut bytes = [0; 4096];
            while let Ok(Some(n)) = from_server.read(&mut bytes).await {
                to_victim.write_all(&bytes[..n]).await.unwrap();
            }
            let _ = to_victim.finish();
        };
        tokio::join!(up, down);
    });
    let me = Identity::generate().unwrap();
    let error = pair(&middle, &me, "012345", "x").await.unwrap_err();
    assert!(matches!(error, PairError::Refused(_)), "{error:?}");
    let (who, right, _) = heard.recv().await.unwrap();
    assert!(!right && who != me.fingerprint(), "the right code through a middle is a wrong proof");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_heard_by_those_who_speak_slowly() {
    let identity = Identity::generate().unwrap();
    let server = QuicServer::bind(([127, 0, 0, 1], 0).into(), &identity, ServerLimits::default()).unwrap();
    let target = server.address().to_string();
    tokio::spawn(async move {
        let client = server.accept().await.unwrap();
        let Ok(Exchange::Pair(pair)) = client.accept().await.unwrap().read().await else { panic!("no pairing") };
        pair.refuse("no code is out").await.unwrap();
        client.closed().await;
    });
    let connection = dial(&target, &Identity::generate().unwrap(), None).await.unwrap();
    let (mut send, mut recv) = connection.open_bi().await.unwrap();
    send.write_all(&[1]).await.unwrap();
    // Time for a refusal to overtake what the client has yet to say.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    write_frame(&mut send, &[0; 33]).await;
    assert_eq!(read_frame(&mut recv).await.unwrap(), b"\0no code is out");
}
