use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::limits::{MAX_AMOUNT, MAX_ID};

/// Why a text or a number is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TextError {
    /// Empty, too long, or with characters that nobody sees.
    #[error("an id has 1 to {MAX_ID} bytes and no control characters")]
    Id,
    /// No version.
    #[error("a version is a date: YYYY-MM-DD")]
    Version,
    /// No name of the protocol.
    #[error("a name is a domain reversed, such as dev.ucp.shopping")]
    Name,
    /// An amount that nobody pays.
    #[error("an amount has at most {MAX_AMOUNT} minor units")]
    Amount,
    /// An amount below zero where none can be.
    #[error("this amount is not below zero")]
    Negative,
    /// Nothing of something.
    #[error("a quantity is one at least")]
    Nothing,
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:expr, $error:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks `text`.
            ///
            /// # Errors
            /// [`TextError`] where it is none.
            pub fn new(text: impl Into<String>) -> Result<Self, TextError> {
                let text = text.into();
                if $check(text.as_str()) { Ok(Self(text)) } else { Err($error) }
            }

            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;
            fn try_from(text: String) -> Result<Self, TextError> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = TextError;
            fn from_str(text: &str) -> Result<Self, TextError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        // Maps are asked with names as they stand in the code.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

checked_text!(
    /// What somebody else calls something: a session, an order, a line, an item. Theirs to choose, so only its length
    /// and that it can be shown are checked.
    Id,
    is_id,
    TextError::Id
);
checked_text!(
    /// A date as a version: the later is the higher.
    Version,
    is_version,
    TextError::Version
);
checked_text!(
    /// The name of a service, capability or payment handler: a domain reversed, and what its owner calls it.
    Name,
    is_name,
    TextError::Name
);

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID && !text.chars().any(char::is_control)
}

fn is_version(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() })
}

/// `^[a-z][a-z0-9]*(?:\.[a-z][a-z0-9_]*)+$`
fn is_name(text: &str) -> bool {
    let word = |word: &str, first: bool| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' && !first)
    };
    text.len() <= MAX_ID && text.contains('.') && text.split('.').enumerate().all(|(at, part)| word(part, at == 0))
}

impl Version {
    /// The version that is spoken here.
    #[must_use]
    pub fn ours() -> Self {
        Self(crate::VERSION.to_owned())
    }
}

impl Name {
    /// Whether it is `namespace` itself or something of its owner's.
    #[must_use]
    pub fn belongs_to(&self, namespace: &str) -> bool {
        self.0.strip_prefix(namespace).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

macro_rules! checked_number {
    ($(#[$doc:meta])* $name:ident, $number:ty, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name($number);

        impl $name {
            /// Checks the number.
            ///
            /// # Errors
            /// [`TextError`] where it is out of bounds.
            pub fn new(number: i64) -> Result<Self, TextError> {
                $check(number).map(Self)
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> $number {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = TextError;
            fn try_from(number: i64) -> Result<Self, TextError> {
                Self::new(number)
            }
        }

        impl From<$name> for i64 {
            fn from(number: $name) -> Self {
                number.0.into()
            }
        }
    };
}

checked_number!(
    /// Minor units; below zero: what is taken off.
    Amount,
    i64,
    amount
);
checked_number!(
    /// Minor units, not below zero.
    UnsignedAmount,
    i64,
    unsigned_amount
);
checked_number!(
    /// How many: one at least.
    Positive,
    u32,
    positive
);

fn amount(number: i64) -> Result<i64, TextError> {
    if (-MAX_AMOUNT..=MAX_AMOUNT).contains(&number) { Ok(number) } else { Err(TextError::Amount) }
}

fn unsigned_amount(number: i64) -> Result<i64, TextError> {
    if number < 0 { Err(TextError::Negative) } else { amount(number) }
}

fn positive(number: i64) -> Result<u32, TextError> {
    u32::try_from(number).ok().filter(|number| *number > 0).ok_or(TextError::Nothing)
}

impl Default for Positive {
    /// One.
    fn default() -> Self {
        Self(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_domains_reversed() {
        for good in ["dev.ucp.shopping", "com.example.order_care", "a.b", "io2.x_.y"] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        for bad in ["", "dev", "Dev.ucp", "dev..ucp", ".dev", "dev.", "d_v.ucp", "dev.1ucp", "dev.u-p", "dev.ücp"] {
            assert!(Name::new(bad).is_err(), "{bad}");
        }
        let name = Name::new("com.example.vestibule.fabrication").unwrap();
        assert!(name.belongs_to("com.example.vestibule") && name.belongs_to("com.example"));
        assert!(!name.belongs_to("com.example.vest"), "a name that begins alike is somebody else's");
    }

    #[test]
    fn numbers_have_bounds() {
        assert!(
            Version::new("2026-04-08").is_ok() && Version::new("2026-4-08").is_err() && Version::new("v1").is_err()
        );
        assert!(Amount::new(-MAX_AMOUNT).is_ok() && Amount::new(MAX_AMOUNT + 1).is_err());
        assert!(UnsignedAmount::new(0).is_ok() && UnsignedAmount::new(-1).is_err());
        assert!(Positive::new(0).is_err() && Positive::new(1 << 32).is_err());
        assert!(serde_json::from_str::<Amount>("1.0").is_err() && serde_json::from_str::<Amount>("\"1\"").is_err());
        assert!(Id::new("").is_err() && Id::new("a\nb").is_err() && Id::new("x".repeat(MAX_ID + 1)).is_err());
    }
}
