use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    Check, Endpoint, Flaw, More,
    fields::{Bare, Dictionary},
};

/// Why a request is not acted upon at all. What is wrong with what it asks for is no trouble, but a
/// [`Refused`](crate::Refused) or a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum Trouble {
    /// `UCP-Agent` is missing, or names no profile that may be fetched.
    #[error("UCP-Agent names no profile that may be fetched")]
    InvalidProfileUrl,
    /// The profile could not be fetched.
    #[error("the profile could not be fetched")]
    ProfileUnreachable,
    /// The profile is none.
    #[error("the profile is not what a profile is")]
    ProfileMalformed,
    /// No version in common.
    #[error("this version of the protocol is not spoken here")]
    VersionUnsupported,
    /// Not signed, or not what must be signed.
    #[error("a signature, or a part that it must cover, is missing")]
    SignatureMissing,
    /// Signed wrongly.
    #[error("the signature does not fit the request")]
    SignatureInvalid,
    /// Signed with a key that the profile does not have.
    #[error("the profile has no such key")]
    KeyNotFound,
    /// The body is not what was signed.
    #[error("the body does not fit Content-Digest")]
    DigestMismatch,
    /// Signed in a way that is not spoken here.
    #[error("only ES256 is spoken here")]
    AlgorithmUnsupported,
    /// Somebody who is not let in.
    #[error("this profile is not let in")]
    ProfileNotTrusted,
    /// Not readable, or against the protocol.
    #[error("the request is not what was expected")]
    InvalidRequest,
    /// The same key with another request.
    #[error("this Idempotency-Key came with another request before")]
    IdempotencyConflict,
    /// The first request with this key is not answered yet.
    #[error("a request with this Idempotency-Key is being worked on")]
    InProgress,
    /// The session is completed, and stays what it is.
    #[error("the session is completed")]
    SessionCompleted,
    /// The session is canceled, and stays what it is.
    #[error("the session is canceled")]
    SessionCanceled,
    /// Too much at once.
    #[error("too many requests")]
    RateLimited,
    /// Not now.
    #[error("not now")]
    Unavailable,
}

impl Trouble {
    /// The code, and the status that it is said with.
    #[must_use]
    pub const fn told(self) -> (&'static str, u16) {
        match self {
            Self::InvalidProfileUrl => ("invalid_profile_url", 400),
            Self::ProfileUnreachable => ("profile_unreachable", 424),
            Self::ProfileMalformed => ("profile_malformed", 422),
            Self::VersionUnsupported => ("version_unsupported", 422),
            Self::SignatureMissing => ("signature_missing", 401),
            Self::SignatureInvalid => ("signature_invalid", 401),
            Self::KeyNotFound => ("key_not_found", 401),
            Self::DigestMismatch => ("digest_mismatch", 400),
            Self::AlgorithmUnsupported => ("algorithm_unsupported", 400),
            Self::ProfileNotTrusted => ("profile_not_trusted", 403),
            Self::InvalidRequest => ("invalid_request", 400),
            Self::IdempotencyConflict => ("idempotency_conflict", 409),
            Self::InProgress => ("idempotency_in_progress", 409),
            Self::SessionCompleted => ("session_completed", 409),
            Self::SessionCanceled => ("session_canceled", 409),
            Self::RateLimited => ("rate_limited", 429),
            Self::Unavailable => ("unavailable", 503),
        }
    }

    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.told().0
    }

    /// The status of HTTP.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.told().1
    }

    /// The body.
    #[must_use]
    pub fn problem(self) -> Problem {
        let (code, content) = (self.code().to_owned(), self.to_string());
        Problem { code, content, continue_url: None, more: More::new() }
    }
}

/// The body of an answer without a status of success.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// What, for programs.
    pub code: String,
    /// What, for people.
    pub content: String,
    /// Where a person can go on instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continue_url: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Check for Problem {
    fn check(&self) -> Result<(), Flaw> {
        Ok(())
    }
}

/// `UCP-Agent` of whoever has this profile.
#[must_use]
pub fn agent_header(profile: &Endpoint) -> String {
    format!("profile={}", Bare::Text(profile.as_str().to_owned()))
}

/// The profile that `UCP-Agent` names.
///
/// # Errors
/// [`Trouble::InvalidProfileUrl`] where it is no dictionary, names none, or names one that may not be fetched.
pub fn read_agent(header: &str) -> Result<Endpoint, Trouble> {
    let dictionary = Dictionary::read(header).map_err(|_| Trouble::InvalidProfileUrl)?;
    match dictionary.one("profile") {
        Some(Bare::Text(url)) => Endpoint::new(url).map_err(|_| Trouble::InvalidProfileUrl),
        _ => Err(Trouble::InvalidProfileUrl),
    }
}

/// Sixteen bytes as the text of a UUID: `Request-Id` and `Idempotency-Key` have this form.
#[must_use]
pub fn uuid(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_name_their_profile() {
        let profile = Endpoint::new("https://platform.example/.well-known/ucp").unwrap();
        assert_eq!(agent_header(&profile), r#"profile="https://platform.example/.well-known/ucp""#);
        assert_eq!(read_agent(&agent_header(&profile)), Ok(profile));
        for wrong in [
            "",
            "profile",
            "profile=https://a.b/",
            r#"profile="http://a.b/""#,
            r#"other="https://a.b/""#,
            r#"profile="https://a.b/",profile="https://c.d/""#,
            r#"profile=("https://a.b/")"#,
            "\u{0}",
        ] {
            assert_eq!(read_agent(wrong), Err(Trouble::InvalidProfileUrl), "{wrong}");
        }
    }

    #[test]
    fn uuids_have_their_form() {
        let mut bytes = [0; 16];
        (0..16).for_each(|at| bytes[usize::from(at)] = at * 16 + at);
        assert_eq!(uuid(bytes), "00112233-4455-6677-8899-aabbccddeeff");
    }
}
