use serde::{Deserialize, Serialize};

use crate::More;

/// Codes of messages and problems that mean something to a program.
pub mod code {
    /// Something that is needed was not given.
    pub const MISSING: &str = "missing";
    /// Nothing of it is left.
    pub const OUT_OF_STOCK: &str = "out_of_stock";
    /// It is not sold, or not to here.
    pub const ITEM_UNAVAILABLE: &str = "item_unavailable";
    /// Nobody brings it there.
    pub const ADDRESS_UNDELIVERABLE: &str = "address_undeliverable";
    /// The payment did not work.
    pub const PAYMENT_FAILED: &str = "payment_failed";
    /// The payment was refused.
    pub const PAYMENT_DECLINED: &str = "payment_declined";
    /// The payer has to prove who they are.
    pub const REQUIRES_3DS: &str = "requires_3ds";
    /// There is less of it than was asked for.
    pub const QUANTITY_ADJUSTED: &str = "quantity_adjusted";
    /// It costs something else now.
    pub const PRICE_CHANGED: &str = "price_changed";
    /// Ours: what was confirmed is not what it is now.
    pub const CONFIRMATION_OUTDATED: &str = "confirmation_outdated";
    /// Ours: it cannot be made.
    pub const NOT_MANUFACTURABLE: &str = "not_manufacturable";
    /// Ours: the package is not the design that was named.
    pub const DESIGN_MISMATCH: &str = "design_mismatch";
    /// Ours: the order can no longer be canceled.
    pub const NOT_CANCELLABLE: &str = "not_cancellable";
    /// The session is over.
    pub const SESSION_EXPIRED: &str = "session_expired";
    /// There is none, or none that you may see.
    pub const NOT_FOUND: &str = "not_found";
    /// Not for you.
    pub const UNAUTHORIZED: &str = "unauthorized";
    /// No capability in common that was needed.
    pub const CAPABILITIES_INCOMPATIBLE: &str = "capabilities_incompatible";
    /// No version in common.
    pub const VERSION_UNSUPPORTED: &str = "version_unsupported";
}

/// How its content is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentType {
    /// As it is.
    Plain,
    /// As Markdown.
    Markdown,
}

/// Who can do something about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The platform, with another request.
    Recoverable,
    /// The buyer, with what only they know.
    RequiresBuyerInput,
    /// The buyer, who has to look and agree.
    RequiresBuyerReview,
    /// Nobody.
    Unrecoverable,
}

/// What a merchant says besides the thing itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Message {
    /// Something is wrong.
    Error(ErrorMessage),
    /// Something is to be known before going on.
    Warning(WarningMessage),
    /// Something is to be known.
    Info(InfoMessage),
}

/// Something is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorMessage {
    /// What, for programs; see [`code`].
    pub code: String,
    /// What, for people.
    pub content: String,
    /// Who can do something about it.
    pub severity: Severity,
    /// Where in the message, as a JSONPath.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How `content` is written; plain where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<ContentType>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// Something is to be known before going on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WarningMessage {
    /// What, for programs; see [`code`].
    pub code: String,
    /// What, for people.
    pub content: String,
    /// Where in the message, as a JSONPath.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How `content` is written; plain where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<ContentType>,
    /// `notice`, or `disclosure`: then it stays beside its line and cannot be put away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presentation: Option<String>,
    /// A picture that belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// Where more about it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl WarningMessage {
    /// Whether it must be shown, and stay (allergens, for one).
    #[must_use]
    pub fn is_disclosure(&self) -> bool {
        self.presentation.as_deref() == Some("disclosure")
    }
}

/// Something is to be known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InfoMessage {
    /// What, for people.
    pub content: String,
    /// What, for programs; see [`code`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Where in the message, as a JSONPath.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How `content` is written; plain where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<ContentType>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Message {
    /// An error of this severity.
    #[must_use]
    pub fn new_error(code: &str, content: impl Into<String>, severity: Severity) -> Self {
        let (code, content) = (code.to_owned(), content.into());
        Self::Error(ErrorMessage { code, content, severity, path: None, content_type: None, more: More::new() })
    }

    /// An error that nobody can mend.
    #[must_use]
    pub fn unrecoverable(code: &str, content: impl Into<String>) -> Self {
        Self::new_error(code, content, Severity::Unrecoverable)
    }

    /// The error, where it is one.
    #[must_use]
    pub const fn error(&self) -> Option<&ErrorMessage> {
        if let Self::Error(error) = self { Some(error) } else { None }
    }
}
