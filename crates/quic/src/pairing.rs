//! Pairing: six digits that a person carries from one screen to another make two certificates known to each other.
//!
//! The code never crosses the wire. SPAKE2 makes a key from it, from both certificates' fingerprints and from this TLS
//! session's own secret, and each side proves that it has the same key. Whoever stands in between has two TLS sessions
//! with other fingerprints and other secrets: its proofs do not fit, nothing that it sees can be searched for the code,
//! and each attempt is one guess of a million that the server counts.

use std::time::Duration;

use quinn::{Connection, RecvStream, SendStream};
use spake2::{Ed25519Group, Identity as Name, Password, Spake2};
use thiserror::Error;
use vestibule_model::{RoleId, UserId};
use vestibule_protocol::{Response, decode};

use crate::{
    CloseCode, Disconnect, Fingerprint, Identity, dial, tls,
    wire::{FrameError, PAIR, close, fit, read_frame, within, write, write_frame},
};

/// The longest frame of the exchange: 33 bytes of SPAKE2, or a proof with a name, or an answer in words.
const LIMIT: usize = 2048;
/// The longest name of a device, bytes: what the enabler takes.
const NAME: usize = 64;
/// The whole exchange; the person has typed the code before it begins.
const PAIRING: Duration = Duration::from_secs(15);

const NO: u8 = 0;
const YES: u8 = 1;

/// Why pairing did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PairError {
    /// No connection.
    #[error("{0}")]
    Connect(#[from] Disconnect),
    /// The enabler says no, and why: no code is out, it is another code, too many attempts.
    #[error("{0}")]
    Refused(String),
    /// The other side took the code without knowing it: it is not the enabler that showed it.
    #[error("whoever answered does not know the code: it is not the enabler that showed it to you")]
    Impostor,
    /// The exchange broke off.
    #[error("pairing broke off: {0}")]
    Broken(#[from] FrameError),
}

/// What pairing brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paired {
    /// The enabler's certificate: connect with it from now on.
    pub server: Fingerprint,
    /// Who this side is for the enabler.
    pub user: UserId,
    /// Their roles.
    pub roles: Vec<RoleId>,
}

/// What both sides must agree on besides the code.
struct Bound {
    client: Vec<u8>,
    server: Vec<u8>,
}

impl Bound {
    fn new(connection: &Connection, client: Fingerprint, server: Fingerprint) -> Result<Self, FrameError> {
        let mut session = [0; 32];
        connection
            .export_keying_material(&mut session, b"EXPORTER-vestibule-pairing", b"1")
            .map_err(|_| FrameError::Garbage("a TLS session without a secret"))?;
        let name = |role: &[u8], fingerprint: Fingerprint| [role, &fingerprint.0, &session].concat();
        Ok(Self { client: name(b"client", client), server: name(b"server", server) })
    }

    fn names(&self) -> (Name, Name) {
        (Name::new(&self.client), Name::new(&self.server))
    }

    fn proof(&self, side: &str, key: &[u8], messages: [&[u8]; 2], said: &[u8]) -> blake3::Hash {
        let key = blake3::derive_key("vestibule 2026 pairing confirmation", key);
        let mut hasher = blake3::Hasher::new_keyed(&key);
        // Each part with its length: two transcripts are the same bytes only where they are the same.
        for part in [side.as_bytes(), &self.client, &self.server, messages[0], messages[1], said] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        hasher.finalize()
    }
}

/// Makes this device known to the enabler at `target` (`host:port`) with the code that it shows, and learns the
/// enabler's fingerprint.
///
/// # Errors
/// [`PairError`] in words for people.
pub async fn pair(target: &str, identity: &Identity, code: &str, name: &str) -> Result<Paired, PairError> {
    let connection = dial(target, identity, None).await?;
    let result =
        within(PAIRING, pair_over(&connection, identity, code, name)).await.unwrap_or_else(|slow| Err(slow.into()));
    close(&connection, CloseCode::Bye, "paired, or not");
    result
}

async fn pair_over(connection: &Connection, identity: &Identity, code: &str, name: &str) -> Result<Paired, PairError> {
    let server = tls::peer(connection).ok_or(FrameError::Garbage("a server without a certificate"))?;
    let bound = Bound::new(connection, identity.fingerprint(), server)?;
    let lost = |error: quinn::ConnectionError| FrameError::Lost(error.to_string());
    let (mut send, mut recv) = connection.open_bi().await.map_err(lost)?;
    let (client_name, server_name) = bound.names();
    let (state, mine) = Spake2::<Ed25519Group>::start_a(&Password::new(code.trim()), &client_name, &server_name);
    write(&mut send, &[PAIR]).await?;
    write_frame(&mut send, &mine).await?;
    let theirs = yes(read_frame(&mut recv, LIMIT).await?)?;
    let key = state.finish(&theirs).map_err(|_| FrameError::Garbage("no SPAKE2"))?;
    let name = device_name(name);
    let proof = bound.proof("client", &key, [&mine, &theirs], name.as_bytes());
    write_frame(&mut send, &[proof.as_bytes(), name.as_bytes()].concat()).await?;
    let answer = yes(read_frame(&mut recv, LIMIT).await?)?;
    let (their_proof, frame) = proved(&answer)?;
    // Compared in constant time.
    if bound.proof("server", &key, [&mine, &theirs], frame) != blake3::Hash::from_bytes(*their_proof) {
        return Err(PairError::Impostor);
    }
    match decode::<Response>(frame) {
        Ok(Response::Paired { user, roles }) => Ok(Paired { server, user, roles }),
        Ok(Response::Refused(refusal)) => Err(PairError::Refused(refusal.to_string())),
        Ok(_) | Err(_) => Err(FrameError::Garbage("an answer that is none to pairing").into()),
    }
}

/// A proof and what it is said of.
///
/// # Errors
/// [`FrameError::Truncated`] where there is no whole proof.
pub fn proved(frame: &[u8]) -> Result<(&[u8; 32], &[u8]), FrameError> {
    frame.split_first_chunk::<32>().ok_or(FrameError::Truncated)
}

/// What a server says of the pairing: yes with what follows, or no in words.
///
/// # Errors
/// [`PairError`]: its words, or that it is neither.
pub fn yes(mut frame: Vec<u8>) -> Result<Vec<u8>, PairError> {
    match frame.first() {
        Some(&YES) => Ok(frame.split_off(1)),
        Some(&NO) => Err(PairError::Refused(fit(&frame[1..]))),
        _ => Err(FrameError::Garbage("no answer to pairing").into()),
    }
}

/// A device's name in the bytes that it sent, without what has no place in one.
///
/// # Errors
/// [`FrameError::Garbage`] where they are no text.
pub fn name_of(bytes: &[u8]) -> Result<String, FrameError> {
    Ok(device_name(std::str::from_utf8(bytes).map_err(|_| FrameError::Garbage("a name that is no text"))?))
}

/// A device's name without what has no place in one.
fn device_name(name: &str) -> String {
    let mut kept = String::new();
    for c in name.trim().chars().filter(|c| !c.is_control()) {
        if kept.len() + c.len_utf8() > NAME {
            break;
        }
        kept.push(c);
    }
    if kept.is_empty() { "a device".to_owned() } else { kept }
}

/// The server's end of a pairing: somebody wants to prove a code.
#[derive(Debug)]
pub struct PairStream {
    pub(crate) connection: Connection,
    pub(crate) client: Fingerprint,
    pub(crate) server: Fingerprint,
    pub(crate) send: SendStream,
    pub(crate) recv: RecvStream,
}

impl PairStream {
    /// Has the client prove that it knows `code`. What came of it, nobody learns before the answer.
    ///
    /// # Errors
    /// [`FrameError`] where the client breaks off or sends something else.
    pub async fn challenge(self, code: &str) -> Result<PairProof, FrameError> {
        within(PAIRING, self.exchange(code)).await?
    }

    async fn exchange(mut self, code: &str) -> Result<PairProof, FrameError> {
        let bound = Bound::new(&self.connection, self.client, self.server)?;
        let theirs = read_frame(&mut self.recv, LIMIT).await?;
        let (client_name, server_name) = bound.names();
        let (state, mine) = Spake2::<Ed25519Group>::start_b(&Password::new(code), &client_name, &server_name);
        let key = state.finish(&theirs).map_err(|_| FrameError::Garbage("no SPAKE2"))?;
        write_frame(&mut self.send, &[&[YES], mine.as_slice()].concat()).await?;
        let proof = read_frame(&mut self.recv, LIMIT).await?;
        let (proof, name) = proved(&proof)?;
        let right = bound.proof("client", &key, [&theirs, &mine], name) == blake3::Hash::from_bytes(*proof);
        let name = name_of(name)?;
        Ok(PairProof { send: self.send, bound, key, messages: [theirs, mine], right, name })
    }

    /// Says no before any proof.
    ///
    /// # Errors
    /// [`FrameError`] where the client is gone.
    pub async fn refuse(mut self, words: &str) -> Result<(), FrameError> {
        // The client speaks first. A stream that is let go before that stops it in mid-sentence, and it would hear
        // that instead of the words.
        read_frame(&mut self.recv, LIMIT).await?;
        refuse(&mut self.send, words).await
    }
}

async fn refuse(send: &mut SendStream, words: &str) -> Result<(), FrameError> {
    write_frame(send, &[&[NO], words.as_bytes()].concat()).await?;
    let _ = send.finish();
    Ok(())
}

/// A client's proof of a code.
pub struct PairProof {
    send: SendStream,
    bound: Bound,
    key: Vec<u8>,
    messages: [Vec<u8>; 2],
    right: bool,
    name: String,
}

impl std::fmt::Debug for PairProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairProof").field("right", &self.right).field("name", &self.name).finish_non_exhaustive()
    }
}

impl PairProof {
    /// Whether the client knows the code, in this very TLS session.
    #[must_use]
    pub const fn is_right(&self) -> bool {
        self.right
    }

    /// What the device calls itself.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Answers a right proof with an encoded [`Response`], and proves in turn that this is the enabler with the code.
    ///
    /// # Errors
    /// [`FrameError`] where the client is gone, or its proof was wrong.
    pub async fn answer(mut self, response: &[u8]) -> Result<(), FrameError> {
        if !self.right {
            return Err(FrameError::Garbage("a wrong proof gets no answer"));
        }
        let proof = self.bound.proof("server", &self.key, [&self.messages[0], &self.messages[1]], response);
        write_frame(&mut self.send, &[&[YES], proof.as_bytes().as_slice(), response].concat()).await?;
        let _ = self.send.finish();
        // The answer has arrived before anybody closes the connection.
        let _ = within(PAIRING, self.send.stopped()).await;
        Ok(())
    }

    /// Says no.
    ///
    /// # Errors
    /// [`FrameError`] where the client is gone.
    pub async fn refuse(mut self, words: &str) -> Result<(), FrameError> {
        refuse(&mut self.send, words).await?;
        let _ = within(PAIRING, self.send.stopped()).await;
        Ok(())
    }
}
