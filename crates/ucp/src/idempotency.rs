use std::fmt;

use serde::{Deserialize, Serialize};
use vestibule_model::{ContentHash, Timestamp};

/// How long an answer is repeated, in milliseconds: 48 hours, as the protocol recommends.
pub const KEPT_MS: u64 = 48 * 60 * 60 * 1000;
/// How long it must be repeated at least: 24 hours. Whoever cannot keep it that long refuses the request (503).
pub const KEPT_AT_LEAST_MS: u64 = 24 * 60 * 60 * 1000;

/// `Idempotency-Key`: the same request has the same key, however often it is sent. Per platform and operation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Checks a header's value: 22 to 255 visible characters. Fewer hold no 128 bits that nobody can guess.
    ///
    /// # Errors
    /// The reason, for people.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        if (22..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err("an Idempotency-Key has 22 to 255 visible characters, such as a UUID")
        }
    }

    /// The key of these bytes, as a UUID.
    #[must_use]
    pub fn of(bytes: [u8; 16]) -> Self {
        Self(crate::uuid(bytes))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::new(&text)
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> Self {
        key.0
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({})", self.0)
    }
}

/// An answer that is kept, so that it can be repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What was asked: [`request_hash`].
    pub request: ContentHash,
    /// The answer's status.
    pub status: u16,
    /// The answer's body.
    pub body: Vec<u8>,
    /// Until when it is repeated.
    pub until: Timestamp,
}

impl Kept {
    /// Keeps an answer from now on.
    #[must_use]
    pub fn new(request: ContentHash, status: u16, body: Vec<u8>, now: Timestamp) -> Self {
        Self { request, status, body, until: now.plus(KEPT_MS) }
    }
}

/// What is stored under a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// The request is being worked on; nothing was answered yet.
    InFlight(ContentHash),
    /// It was answered.
    Done(Kept),
}

/// What to do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Never seen: store [`Record::InFlight`], then act.
    New,
    /// Answered before: say the same, do nothing.
    Replay(Kept),
    /// Another request had this key: 409.
    Conflict,
    /// The same request is being worked on: 409 and `Retry-After`.
    InFlight,
}

/// What to do with a request, by what is stored under its key. What must no longer be repeated is as if it were not
/// there.
#[must_use]
pub fn ask(stored: Option<&Record>, request: ContentHash, now: Timestamp) -> Known {
    match stored {
        None => Known::New,
        Some(Record::Done(kept)) if kept.until <= now => Known::New,
        Some(Record::Done(kept)) if kept.request == request => Known::Replay(kept.clone()),
        Some(Record::InFlight(first)) if *first == request => Known::InFlight,
        Some(Record::Done(_) | Record::InFlight(_)) => Known::Conflict,
    }
}

/// Whether an answer is kept. What went wrong on our side, and what was refused before anything was looked at, may go
/// well the next time with the same key.
#[must_use]
pub const fn is_kept(status: u16) -> bool {
    status < 500 && !matches!(status, 401 | 403 | 409 | 424 | 429)
}

/// What makes a request the same request: all of its bytes, and who sends it. That is the thumbprint of a key where there
/// is one: a platform that was killed may be found elsewhere when it asks again.
#[must_use]
pub fn request_hash(method: &str, path: &str, query: Option<&str>, who: &str, body: &[u8]) -> ContentHash {
    let mut bytes = Vec::with_capacity(body.len() + 256);
    let has_query: &[u8] = if query.is_some() { b"?" } else { b"" };
    let parts =
        [method.as_bytes(), path.as_bytes(), has_query, query.unwrap_or_default().as_bytes(), who.as_bytes(), body];
    for part in parts {
        // With its length before it no part can pass for the end of another.
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part);
    }
    ContentHash::of(&bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn hash(text: &str) -> ContentHash {
        ContentHash::of(text.as_bytes())
    }

    #[test]
    fn an_answer_is_repeated_for_a_day_at_least() {
        let (now, request) = (Timestamp(1_000), hash("a"));
        let done = Record::Done(Kept::new(request, 201, b"{}".to_vec(), now));
        let Record::Done(kept) = &done else { unreachable!() };
        assert_eq!(ask(Some(&done), request, now.plus(KEPT_AT_LEAST_MS)), Known::Replay(kept.clone()));
        assert_eq!(ask(Some(&done), request, now.plus(KEPT_MS - 1)), Known::Replay(kept.clone()));
        assert_eq!(ask(Some(&done), request, now.plus(KEPT_MS)), Known::New);
        assert_eq!(ask(Some(&done), hash("b"), now), Known::Conflict);
        assert_eq!(ask(Some(&Record::InFlight(request)), request, now), Known::InFlight);
        assert_eq!(ask(Some(&Record::InFlight(request)), hash("b"), now), Known::Conflict);
        assert!(is_kept(200) && is_kept(422) && !is_kept(503) && !is_kept(429) && !is_kept(401));
    }

    #[test]
    fn requests_differ_in_every_part() {
        let (a, b) = ("https://a.example/", "https://b.example/");
        let all = [
            request_hash("POST", "/x", None, a, b"{}"),
            request_hash("PUT", "/x", None, a, b"{}"),
            request_hash("POST", "/", None, a, b"x{}"),
            request_hash("POST", "/x", Some(""), a, b"{}"),
            request_hash("POST", "/x", Some("y"), a, b"{}"),
            request_hash("POST", "/x", None, b, b"{}"),
            request_hash("POST", "/x", None, a, b"{} "),
        ];
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
        assert!(IdempotencyKey::new("1").is_err() && IdempotencyKey::new("a b c d e f g h i j k l m n").is_err());
        let key = IdempotencyKey::of([7; 16]);
        assert_eq!(IdempotencyKey::new(key.as_str()).unwrap(), key);
    }

    proptest! {
        /// Whatever is sent again, lost and answered late: within the time, a key acts once, and its answers are the
        /// same.
        #[test]
        fn a_key_acts_once(steps in proptest::collection::vec((0_usize..3, 0_usize..2, any::<bool>(), 0_u64..3_600_000), 1..60)) {
            let (mut store, mut acted, mut now) = (BTreeMap::new(), BTreeMap::<_, u32>::new(), Timestamp(0));
            for (key, body, answers, later) in steps {
                now = now.plus(later.min(KEPT_AT_LEAST_MS / 60));
                let request = hash(&body.to_string());
                match ask(store.get(&key), request, now) {
                    Known::New => {
                        *acted.entry(key).or_default() += 1;
                        store.insert(key, Record::InFlight(request));
                    }
                    Known::Replay(kept) => prop_assert_eq!(kept.request, request),
                    Known::Conflict | Known::InFlight => {}
                }
                if answers && let Some(Record::InFlight(first)) = store.get(&key).cloned() {
                    store.insert(key, Record::Done(Kept::new(first, 201, key.to_string().into_bytes(), now)));
                }
            }
            prop_assert!(acted.values().all(|times| *times == 1));
        }
    }
}
