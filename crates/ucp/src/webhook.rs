use thiserror::Error;
use vestibule_model::Timestamp;

use crate::{Endpoint, Jwk, Parts, SignatureError, Status, Trouble, UcpMeta, read_agent, verify_request};

/// How long a merchant goes on trying, in milliseconds: 3 days. What is older is no longer taken.
pub const GIVE_UP_AFTER_MS: u64 = 3 * 24 * 60 * 60 * 1000;
/// How far a webhook's moment may lie ahead of our clock, in milliseconds.
const MAX_AHEAD_MS: u64 = 5 * 60 * 1000;
/// The longest pause between two tries, in milliseconds.
const LONGEST_PAUSE_MS: u64 = 5 * 60 * 1000;

/// Why a webhook is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WebhookError {
    /// It does not say who sends it.
    #[error(transparent)]
    Agent(Trouble),
    /// `Webhook-Id` or `Webhook-Timestamp` is missing or none.
    #[error("{0} is missing, or none")]
    Header(&'static str),
    /// From too long ago.
    #[error("it is older than 3 days")]
    TooOld,
    /// From a moment that is not yet.
    #[error("it is of a moment that is not yet")]
    NotYet,
    /// Not signed by who sends it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl WebhookError {
    /// What is answered.
    #[must_use]
    pub const fn trouble(&self) -> Trouble {
        match self {
            Self::Agent(trouble) => *trouble,
            Self::Header(_) | Self::TooOld | Self::NotYet => Trouble::InvalidRequest,
            Self::Signature(error) => error.trouble(),
        }
    }
}

/// What a webhook's headers say. Read before it is known who sent it: its profile has to be fetched first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Which one it is: the same again is the same webhook, and only answered again.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// Whose keys it is signed with. Must be the merchant of the order that it is about.
    pub agent: Endpoint,
}

impl Envelope {
    /// Reads the headers, and refuses what is too old or not yet.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub fn read(parts: &Parts<'_>, now: Timestamp) -> Result<Self, WebhookError> {
        let agent = parts.header("ucp-agent").ok_or(WebhookError::Agent(Trouble::InvalidProfileUrl))?;
        let agent = read_agent(&agent).map_err(WebhookError::Agent)?;
        let id = parts.header("webhook-id").filter(|id| is_id(id)).ok_or(WebhookError::Header("webhook-id"))?;
        let at = parts.header("webhook-timestamp").and_then(|text| seconds(&text));
        let at = at.ok_or(WebhookError::Header("webhook-timestamp"))?;
        if now.since(at) > GIVE_UP_AFTER_MS {
            return Err(WebhookError::TooOld);
        }
        if at.since(now) > MAX_AHEAD_MS {
            return Err(WebhookError::NotYet);
        }
        Ok(Self { id, at, agent })
    }

    /// Whether it is signed with one of the keys of who it says sends it. `must` names more that has to be covered:
    /// our own merchants cover `webhook-id` and `webhook-timestamp`; the protocol does not ask others to. What
    /// somebody repeats under another id is an old snapshot, and [`newer`](crate::newer) tells.
    ///
    /// Gives the id of the key.
    ///
    /// # Errors
    /// [`WebhookError::Signature`].
    pub fn verify(
        &self,
        parts: &Parts<'_>,
        keys: &[Jwk],
        must: &[&'static str],
        now: Timestamp,
    ) -> Result<String, WebhookError> {
        let mut needed = vec!["ucp-agent", "content-digest"];
        needed.extend(must);
        Ok(verify_request(parts, keys, &needed, now)?)
    }

    /// The headers that say the same, names in lower case; `UCP-Agent` is the sender's own.
    #[must_use]
    pub fn headers(&self) -> [(&'static str, String); 3] {
        [
            ("ucp-agent", crate::agent_header(&self.agent)),
            ("webhook-id", self.id.clone()),
            ("webhook-timestamp", (self.at.0 / 1000).to_string()),
        ]
    }
}

fn is_id(text: &str) -> bool {
    (1..=crate::limits::MAX_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn seconds(text: &str) -> Option<Timestamp> {
    let digits = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: u64 = text.parse().ok().filter(|_| digits)?;
    Some(Timestamp(seconds * 1000))
}

/// How long to wait after so many tries that failed, in milliseconds: 1 s, 2 s, 4 s, ... to 5 minutes.
#[must_use]
pub fn retry_after_ms(failed: u32) -> u64 {
    1_u64
        .checked_shl(failed.saturating_sub(1))
        .map_or(LONGEST_PAUSE_MS, |seconds| seconds.saturating_mul(1000).min(LONGEST_PAUSE_MS))
}

/// What a webhook is answered with, before anything is done about it.
#[must_use]
pub fn accepted() -> serde_json::Value {
    serde_json::json!({ "ucp": UcpMeta::new().with_status(Status::Success) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_737_600_000);

    fn envelope(id: &str, at: &str) -> Result<Envelope, WebhookError> {
        let agent = r#"profile="http://127.0.0.1:7801/.well-known/ucp""#;
        let headers = [("ucp-agent", agent), ("webhook-id", id), ("webhook-timestamp", at)];
        Envelope::read(&Parts { headers: &headers, ..Parts::default() }, NOW)
    }

    #[test]
    fn old_and_future_ones_are_refused() {
        let read = envelope("w-1", "1795737600").unwrap();
        assert_eq!((read.id.as_str(), read.at), ("w-1", NOW));
        assert!(envelope("w-1", &(1_795_737_600 - 3 * 86_400).to_string()).is_ok());
        assert_eq!(envelope("w-1", &(1_795_737_600 - 3 * 86_400 - 1).to_string()), Err(WebhookError::TooOld));
        assert!(envelope("w-1", "1795737900").is_ok());
        assert_eq!(envelope("w-1", "1795737901"), Err(WebhookError::NotYet));
        for at in ["", "-1", "1795737600.5", "9999999999999", "now"] {
            assert_eq!(envelope("w-1", at), Err(WebhookError::Header("webhook-timestamp")), "{at}");
        }
        assert_eq!(envelope("", "1795737600"), Err(WebhookError::Header("webhook-id")));
        assert_eq!(envelope("a b", "1795737600"), Err(WebhookError::Header("webhook-id")));
        assert_eq!(Envelope::read(&Parts::default(), NOW), Err(WebhookError::Agent(Trouble::InvalidProfileUrl)));
    }

    #[test]
    fn pauses_grow_and_end() {
        let pauses: Vec<u64> = (1..12).map(|failed| retry_after_ms(failed) / 1000).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!((retry_after_ms(0), retry_after_ms(u32::MAX)), (1000, 300_000));
        assert_eq!(accepted().to_string(), r#"{"ucp":{"status":"success","version":"2026-04-08"}}"#);
    }
}
