//! Answers, before they are put into HTTP.

use serde::Serialize;
use vestibule_ucp::{Kept, Refused, Trouble, write};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// In how many seconds it may be asked again.
    pub(crate) retry: Option<u32>,
}

impl Said {
    /// What was asked for.
    pub(crate) fn ok<T: Serialize>(message: &T) -> Self {
        Self::with(200, message)
    }

    /// What was asked for, and made.
    pub(crate) fn with<T: Serialize>(status: u16, message: &T) -> Self {
        match write(message) {
            Ok(body) => Self { status, body, retry: None },
            Err(error) => {
                tracing::error!(%error, "an answer could not be written");
                Self { status: 500, body: Vec::new(), retry: None }
            }
        }
    }

    /// The same as before.
    pub(crate) fn again(kept: Kept) -> Self {
        Self { status: kept.status, body: kept.body, retry: None }
    }

    /// Why nothing was done.
    pub(crate) fn trouble(trouble: Trouble) -> Self {
        let retry = matches!(trouble, Trouble::InProgress | Trouble::RateLimited | Trouble::Unavailable).then_some(1);
        Self { retry, ..Self::with(trouble.status(), &trouble.problem()) }
    }

    /// Why nothing was done, in more words.
    pub(crate) fn invalid(why: impl std::fmt::Display) -> Self {
        let mut problem = Trouble::InvalidRequest.problem();
        problem.content = why.to_string();
        Self::with(Trouble::InvalidRequest.status(), &problem)
    }

    /// A business outcome: there is none of what was asked for.
    pub(crate) fn refused(code: &str, content: &str) -> Self {
        Self::ok(&Refused::because(code, content))
    }

    /// There is none, or none that this one may see.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::refused(vestibule_ucp::code::NOT_FOUND, &format!("There is no such {what}."))
    }
}
