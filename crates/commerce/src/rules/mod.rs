//! What a merchant does, as pure functions: no IO, no clock (`now` is an argument), no chance (dice are thrown from a
//! seed). The store asks them within a transaction, so that what they decide is what is written.

pub(crate) mod book;
pub(crate) mod catalog;
pub(crate) mod checkout;
pub(crate) mod delivery;
pub(crate) mod life;
mod missing;
pub(crate) mod order;
pub(crate) mod payment;
pub(crate) mod session;

use thiserror::Error;
use vestibule_model::MoneyError;
use vestibule_ucp::{ErrorMessage, Message, More, Severity, TextError, WarningMessage};

/// What should never happen: an amount beyond counting, an id that is none. Nothing is written then.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub(crate) struct Broken(pub(crate) String);

impl From<TextError> for Broken {
    fn from(error: TextError) -> Self {
        Self(error.to_string())
    }
}

impl From<MoneyError> for Broken {
    fn from(error: MoneyError) -> Self {
        Self(error.to_string())
    }
}

/// An error that the platform can mend with another request.
pub(crate) fn mend(code: &str, path: &str, content: impl Into<String>) -> Message {
    with_path(code, path, content, Severity::Recoverable)
}

/// An error at a place.
pub(crate) fn with_path(code: &str, path: &str, content: impl Into<String>, severity: Severity) -> Message {
    Message::Error(ErrorMessage {
        code: code.to_owned(),
        content: content.into(),
        severity,
        path: Some(path.to_owned()),
        content_type: None,
        more: More::new(),
    })
}

/// Something to know before going on.
pub(crate) fn warn(code: &str, path: &str, content: impl Into<String>) -> Message {
    Message::Warning(warning(code, path, content))
}

/// Something that stays beside its line: it must not be put away.
pub(crate) fn disclose(code: &str, path: &str, content: impl Into<String>) -> Message {
    Message::Warning(WarningMessage { presentation: Some("disclosure".to_owned()), ..warning(code, path, content) })
}

fn warning(code: &str, path: &str, content: impl Into<String>) -> WarningMessage {
    WarningMessage {
        code: code.to_owned(),
        content: content.into(),
        path: Some(path.to_owned()),
        content_type: None,
        presentation: None,
        image_url: None,
        url: None,
        more: More::new(),
    }
}

/// A number that nobody chose and that is the same each time: what chance would say.
pub(crate) fn dice(seed: u64, what: &str) -> u64 {
    let hash = blake3::hash(format!("{seed} {what}").as_bytes());
    hash.as_bytes().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
