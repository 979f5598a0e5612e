//! One merchant: its profile, what both sides can do, and asking it.

mod profile;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;
use tokio::sync::Mutex;
use vestibule_model::{SystemId, Timestamp};
use vestibule_ucp::{
    Active, Answer, Check, Endpoint, IdempotencyKey, Jwk, NoDeal, Parts, Problem, Refused, SignError, SignatureError,
    agent_header, read, read_answer, sign_request, uuid, value, verify_response,
};

use crate::{
    clock::now,
    courier::{Courier, Outbound, Raw, Unanswered},
    pins::{Kind, Pins, Stranger},
    platform::Platform,
};
use profile::Cache;

/// Bodies from here on are hashed where nobody waits behind them.
const LARGE: usize = 1024 * 1024;

/// Why a merchant cannot be asked anything. Nothing was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Closed {
    #[error("its profile {0}")]
    Unreachable(String),
    #[error("its profile cannot be used: {0}")]
    Malformed(String),
    #[error(transparent)]
    Stranger(#[from] Stranger),
    #[error("nothing can be done with it: {0}")]
    NoDeal(#[from] NoDeal),
}

/// It is not known what a merchant says. Whether it has heard what was asked says `sent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsure {
    pub sent: bool,
    pub reason: String,
}

impl Unsure {
    fn after(reason: impl ToString) -> Self {
        Self { sent: true, reason: reason.to_string() }
    }
}

impl From<Closed> for Unsure {
    fn from(closed: Closed) -> Self {
        Self { sent: false, reason: closed.to_string() }
    }
}

impl From<Unanswered> for Unsure {
    fn from(error: Unanswered) -> Self {
        Self { sent: !error.is_unsent(), reason: error.to_string() }
    }
}

impl From<SignError> for Unsure {
    fn from(error: SignError) -> Self {
        Self { sent: false, reason: error.to_string() }
    }
}

/// What a merchant said, for certain.
#[derive(Debug)]
pub(crate) enum Reply<T> {
    /// What was asked for, and the whole of it.
    Is(T, Value),
    /// A business's no.
    No(Box<Refused>),
    /// The request was not looked at further.
    Problem { status: u16, problem: Problem },
}

impl<T> Reply<T> {
    /// Why not, in a code and in words.
    pub(crate) fn why_not(&self) -> Option<(String, String)> {
        match self {
            Self::Is(..) => None,
            Self::No(refused) => {
                let error = refused.messages.iter().find_map(|message| message.error());
                let words = error.map_or_else(|| "it says no".to_owned(), |error| error.content.clone());
                Some((refused.code().unwrap_or("refused").to_owned(), words))
            }
            Self::Problem { problem, .. } => Some((problem.code.clone(), problem.content.clone())),
        }
    }
}

/// What both sides can do, where it is spoken, and whose signatures count.
#[derive(Debug)]
pub(crate) struct Deal {
    pub active: Active,
    pub rest: Endpoint,
    pub keys: Vec<Jwk>,
}

/// What is asked.
pub(crate) struct Ask {
    pub kind: Kind,
    pub method: &'static str,
    pub url: Endpoint,
    /// Names the request, so that the same one again is the same.
    pub key: Option<IdempotencyKey>,
    /// Names what it is asked for.
    pub request: [u8; 16],
    /// Its body and what that is.
    pub body: Option<(Bytes, &'static str)>,
    pub patience: Duration,
}

/// One merchant.
pub(crate) struct Shop {
    pub system: SystemId,
    pub profile: Endpoint,
    courier: Arc<Courier>,
    platform: Arc<Platform>,
    pins: Arc<Pins>,
    /// How long an answer may take.
    pub patience: Duration,
    cache: Mutex<Cache>,
}

impl Shop {
    pub(crate) fn new(
        system: SystemId,
        profile: Endpoint,
        (courier, platform, pins): (Arc<Courier>, Arc<Platform>, Arc<Pins>),
        patience: Duration,
    ) -> Self {
        Self { system, profile, courier, platform, pins, patience, cache: Mutex::default() }
    }

    /// Asks once, and believes an answer only where it may be believed.
    pub(crate) async fn ask<T: DeserializeOwned + Check>(&self, ask: Ask) -> Result<Reply<T>, Unsure> {
        let deal = self.deal(now()).await?;
        self.may_speak_to(&ask.url)?;
        let (kind, patience) = (ask.kind, ask.patience);
        let raw = self.courier.send(self.signed(ask).await?, patience).await?;
        self.believe(&deal, kind, &raw).await?;
        let strange = |words: String| Unsure::after(format!("answered what cannot be read: {words}"));
        match raw.status {
            200..=299 => {
                if !raw.is_json() {
                    return Err(strange("it is no JSON".to_owned()));
                }
                match read_answer(&raw.body).map_err(|error| strange(error.to_string()))? {
                    Answer::Is(answer) => {
                        Ok(Reply::Is(answer, value(&raw.body).map_err(|error| strange(error.to_string()))?))
                    }
                    Answer::Refused(refused) => Ok(Reply::No(refused)),
                }
            }
            // Too early, too much, too late: another time the same request may go well.
            status @ (408 | 425 | 429) => Err(Unsure::after(format!("has no time (HTTP {status})"))),
            status @ 400..=499 => {
                let problem = read::<Problem>(&raw.body).map_err(|_| Unsure::after(format!("says HTTP {status}")))?;
                if problem.code == "idempotency_in_progress" {
                    return Err(Unsure::after("is still at it"));
                }
                Ok(Reply::Problem { status, problem })
            }
            status @ 300..=399 => Err(Unsure::after(format!("sends elsewhere (HTTP {status})"))),
            status => Err(Unsure::after(format!("has failed (HTTP {status})"))),
        }
    }

    /// An address of this merchant: at its own host or below, and not without TLS where its profile has it. What a
    /// merchant writes into an answer makes this program speak to nobody else.
    pub(crate) fn may_speak_to(&self, url: &Endpoint) -> Result<(), Unsure> {
        if is_of(&self.profile, url) {
            return Ok(());
        }
        Err(Unsure { sent: false, reason: format!("names an address that is not its own: {url}") })
    }

    async fn signed(&self, ask: Ask) -> Result<Outbound, Unsure> {
        let platform = self.platform.clone();
        let large = ask.body.as_ref().is_some_and(|(body, _)| body.len() >= LARGE);
        let sign = move || outbound(&platform, ask);
        if !large {
            return Ok(sign()?);
        }
        let done = tokio::task::spawn_blocking(sign).await;
        Ok(done.map_err(|error| Unsure { sent: false, reason: error.to_string() })??)
    }

    /// Who has signed an answer, where somebody has. What is signed wrongly, and what is not signed by whoever signed
    /// the same kind before, is not theirs.
    async fn believe(&self, deal: &Deal, kind: Kind, raw: &Raw) -> Result<(), Unsure> {
        if !raw.has_signature() {
            let succeeded = (200..=299).contains(&raw.status);
            if succeeded && self.pins.signs(&self.system, kind) {
                return Err(Unsure::after("answered without the signature that it used to have"));
            }
            return Ok(());
        }
        let verify = |keys: &[Jwk]| raw.with_parts(|parts| verify_response(parts, keys, now()));
        let mut verified = verify(&deal.keys);
        if let Err(SignatureError::KeyNotFound(_)) = verified
            && let Some(deal) = self.deal_anew(now()).await
        {
            verified = verify(&deal.keys);
        }
        verified.map_err(|error| Unsure::after(format!("answered with a signature that is not believed: {error}")))?;
        self.pins.signed(&self.system, kind);
        Ok(())
    }
}

/// Whether an address is at the host of a profile, or at one below it.
pub(crate) fn is_of(profile: &Endpoint, url: &Endpoint) -> bool {
    let below = profile.host().strip_prefix("www.").unwrap_or(profile.host());
    let same = url.host() == profile.host();
    let inside = url.is_secure() && url.host().strip_suffix(below).is_some_and(|rest| rest.ends_with('.'));
    (same || inside) && (url.is_secure() || !profile.is_secure())
}

fn outbound(platform: &Platform, ask: Ask) -> Result<Outbound, SignError> {
    let mut headers = vec![
        ("ucp-agent", agent_header(platform.profile())),
        ("request-id", uuid(ask.request)),
        ("accept", "application/json".to_owned()),
    ];
    headers.extend(ask.key.map(|key| ("idempotency-key", key.as_str().to_owned())));
    let body = ask.body.map(|(body, kind)| {
        headers.push(("content-type", kind.to_owned()));
        body
    });
    let body = body.unwrap_or_default();
    let signed = {
        let seen: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let parts = Parts {
            subject: ask.method.into(),
            authority: ask.url.authority(),
            secure: ask.url.is_secure(),
            path: ask.url.path(),
            query: None,
            headers: &seen,
            body: &body,
        };
        sign_request(&parts, platform.key(), now())?
    };
    headers.extend(signed.headers().map(|(name, value)| (name, value.to_owned())));
    Ok(Outbound { method: ask.method, url: ask.url, headers, body })
}

/// The address below a merchant's, for what it calls so.
pub(crate) fn below(rest: &Endpoint, segments: &[&str]) -> Result<Endpoint, Unsure> {
    rest.below(segments).map_err(|error| Unsure { sent: false, reason: error.to_string() })
}

impl Shop {
    /// What both sides can do, asked for anew where it is too old.
    pub(crate) async fn deal(&self, now: Timestamp) -> Result<Arc<Deal>, Closed> {
        let mut cache = self.cache.lock().await;
        if let Some(known) = cache.known(now) {
            return known;
        }
        let found = self.fetch().await;
        cache.put(found, now)
    }

    /// Its profile is asked for again since it signs with a key that is not in it: once a minute at most.
    pub(crate) async fn deal_anew(&self, now: Timestamp) -> Option<Arc<Deal>> {
        let mut cache = self.cache.lock().await;
        if !cache.may_ask_anew(now) {
            return None;
        }
        let found = self.fetch().await;
        cache.put(found, now).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merchant_is_spoken_to_at_its_own() {
        let of = |profile: &str, url: &str| is_of(&Endpoint::new(profile).unwrap(), &Endpoint::new(url).unwrap());
        for url in ["https://shop.example/ucp", "https://api.shop.example/", "https://shop.example:8443/x"] {
            assert!(of("https://shop.example/.well-known/ucp", url), "{url}");
            assert!(of("https://www.shop.example/.well-known/ucp", url) || url.contains("//shop"), "{url}");
        }
        assert!(of("http://127.0.0.1:7801/.well-known/ucp", "http://127.0.0.1:7802/ucp"));
        for url in [
            "https://evilshop.example/ucp",
            "https://shop.example.evil.example/",
            "https://example/",
            "http://127.0.0.1:7801/",
            "https://10.0.0.1/",
        ] {
            assert!(!of("https://shop.example/.well-known/ucp", url), "{url}");
        }
        assert!(!of("http://127.0.0.1:1/", "https://shop.example/"));
        assert!(!of("https://127.0.0.1:1/", "http://127.0.0.1:1/"), "what began with TLS goes on with it");
    }
}
