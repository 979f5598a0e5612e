use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest key, in bytes.
pub const MAX_KEY: usize = 32;

/// Why a text is no key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no key: 1 to {MAX_KEY} of a-z, 0-9 and _, and a parameter's begins with a letter")]
pub struct KeyError(String);

macro_rules! key {
    ($(#[$doc:meta])* $name:ident, $first:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The key that `text` is.
            ///
            /// # Errors
            /// [`KeyError`] where it is none.
            pub fn new(text: &str) -> Result<Self, KeyError> {
                let first: fn(char) -> bool = $first;
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                let fits = text.len() <= MAX_KEY && text.chars().next().is_some_and(first) && text.chars().all(plain);
                if fits { Ok(Self(text.into())) } else { Err(KeyError(text.chars().take(MAX_KEY).collect())) }
            }

            /// Its text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// For texts in this crate, which tests go through.
            pub(crate) fn known(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl TryFrom<String> for $name {
            type Error = KeyError;
            fn try_from(text: String) -> Result<Self, KeyError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(key: $name) -> Self {
                key.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

key! {
    /// What a parameter is called in formulas.
    ParamKey, |c| c.is_ascii_lowercase()
}
key! {
    /// Which material.
    MaterialKey, |_| true
}
key! {
    /// Which feature.
    FeatureKey, |_| true
}
