use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::openapi::{
    RefOr,
    schema::{ObjectBuilder, Schema, Type},
};

/// Hexadecimal digits where people read (JSON, logs), bytes where they do not (postcard).
macro_rules! hex_serde {
    ($name:ident, $bytes:expr) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    <[u8; $bytes]>::deserialize(deserializer).map(Self)
                }
            }
        }
    };
}
pub(crate) use hex_serde;

/// What JSON has for an id, for whoever writes a program from the schema.
macro_rules! text_schema {
    ($name:ident, $pattern:expr) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                crate::ids::pattern($pattern)
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use text_schema;

/// The schema of a text of this form.
pub(crate) fn pattern(form: impl Into<String>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(form)).into()
}

/// Why a text is no identity.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// Nothing was given.
    #[error("an id must not be empty")]
    Empty,
    /// Longer than the limit.
    #[error("an id has at most {limit} bytes, this one has {length}")]
    TooLong {
        /// Bytes allowed.
        limit: usize,
        /// Bytes given.
        length: usize,
    },
    /// A character that cannot be in an id.
    #[error("{0:?} cannot be in an id: use letters, digits, '_', '-', '.' and ':'")]
    Character(char),
    /// A twin id without its system.
    #[error("a twin id reads system/twin; {0:?} has no '/'")]
    NoSystem(String),
    /// Not the hexadecimal digits of a fixed length that this id has.
    #[error("expected {0} hexadecimal digits")]
    Hex(usize),
    /// Not of the form that this id has.
    #[error("expected {0}")]
    Form(&'static str),
}

fn check(text: &str, limit: usize) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > limit {
        return Err(IdError::TooLong { limit, length: text.len() });
    }
    match text.chars().find(|c| !is_kept(*c)) {
        Some(c) => Err(IdError::Character(c)),
        None => Ok(()),
    }
}

/// Whether a character can be in an id.
const fn is_kept(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')
}

/// Reads an id where it lies: most lines of a log are ids, and none of them needs a text of its own first.
struct Text<T>(fn(&str) -> Result<T, IdError>);

impl<T> serde::de::Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}

/// An id is the text that it is.
macro_rules! text_serde {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text(|text| Self::new(text)))
            }
        }
    };
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $limit:expr, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        text_serde!($name);
        text_id!(@impl $name, $limit, $check);
    };
    (@impl $name:ident, $limit:expr, $check:expr) => {
        impl $name {
            /// Checks `text` and takes it as an id.
            ///
            /// # Errors
            /// [`IdError`] where it is empty, too long or has a character that an id cannot have.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                $check(text, $limit)?;
                Ok(Self(Arc::from(text)))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The id nearest to any text: what cannot stay becomes `_`, what is too long is cut.
            ///
            /// For names that come from devices; two different texts can meet in one id.
            #[must_use]
            pub fn slug(text: &str) -> Self {
                Self(Arc::from(slug(text, $limit)))
            }
        }

        text_schema!($name, format!("^[A-Za-z0-9_.:-]{{1,{}}}$", $limit));

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

fn slug(text: &str, limit: usize) -> String {
    let kept: String = text.trim().chars().map(|c| if is_kept(c) { c } else { '_' }).collect();
    let cut: String = kept.chars().take(limit).collect();
    if cut.is_empty() { "_".to_owned() } else { cut }
}

text_id!(
    /// A registered system: the home's twin system, a shop, a robot fleet.
    SystemId, 64, check
);
text_id!(
    /// A part of a twin that can be read or acted on: a lock, a light, a temperature sensor.
    FeatureId, 96, check
);
text_id!(
    /// A value of a feature: `state`, `position`, `brightness`.
    PropertyId, 64, check
);
text_id!(
    /// A behaviour of a feature: `unlock`, `open`, `set_brightness`.
    ActionId, 64, check
);
text_id!(
    /// Something that happens and is then over: the press of a doorbell.
    EventKind, 64, check
);
text_id!(
    /// A service that a system offers: `order`, `recipe`, `print`.
    ServiceId, 64, check
);

/// A person (or their program) whom the enabler knows. Inside of [`NameBook::scope`](crate::NameBook::scope) a pseudonym
/// is written in its place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(Arc<str>);

text_id!(@impl UserId, 64, check);

impl Serialize for UserId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match crate::names::sealed_user(self.as_str()) {
            Some(token) => serializer.serialize_str(&token),
            None => serializer.serialize_str(self.as_str()),
        }
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(crate::names::opened_user(text)).map_err(serde::de::Error::custom)
    }
}

text_id!(
    /// A role that rules speak of: `owner`, `guest`.
    RoleId, 64, check
);
text_id!(
    /// A rule of access control, named in each decision that it made.
    RuleId, 96, check
);

text_id!(
    /// A step of a collaboration: `reserve`, `pay`.
    StepKey, 64, check
);

/// What a third-party system calls a user whose name it is not told. At each system it is another one. Inside of
/// [`NameBook::scope`](crate::NameBook::scope) another pseudonym is written in its place, which is forgotten with the user.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(Arc<str>);

text_id!(@impl Pseudonym, 64, check);

impl Serialize for Pseudonym {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match crate::names::sealed_alias(self.as_str()) {
            Some(token) => serializer.serialize_str(&token),
            None => serializer.serialize_str(self.as_str()),
        }
    }
}

impl<'de> Deserialize<'de> for Pseudonym {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(crate::names::opened_alias(text)).map_err(serde::de::Error::custom)
    }
}

fn check_twin(text: &str, limit: usize) -> Result<(), IdError> {
    let Some((system, local)) = text.split_once('/') else {
        return Err(IdError::NoSystem(text.chars().take(64).collect()));
    };
    check(system, 64)?;
    check(local, limit - 65)
}

/// A twin, unique in a metaverse (REQ-DT-01): `system/twin`, as in `home/front_door`.
///
/// The first half is the system that maintains it, so that two systems cannot claim one twin.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TwinId(Arc<str>);

text_serde!(TwinId);
text_schema!(TwinId, "^[A-Za-z0-9_.:-]{1,64}/[A-Za-z0-9_.:-]{1,96}$");

impl TwinId {
    /// Checks `text` and takes it as an id.
    ///
    /// # Errors
    /// [`IdError`] where it is not `system/twin` in the characters of an id.
    pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
        let text = text.as_ref();
        check_twin(text, 161)?;
        Ok(Self(Arc::from(text)))
    }

    /// The twin that `system` calls `local`; what an id cannot hold is replaced as in [`SystemId::slug`].
    #[must_use]
    pub fn of(system: &SystemId, local: &str) -> Self {
        Self(Arc::from(format!("{system}/{}", slug(local, 96))))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The system that maintains this twin.
    #[must_use]
    pub fn system(&self) -> SystemId {
        // It is an id already: no twin has another one before its '/'.
        SystemId(Arc::from(self.0.split('/').next().unwrap_or_default()))
    }

    /// The twin's name inside its system.
    #[must_use]
    pub fn local(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, local)| local)
    }
}

/// So that the twins of a system are found as the texts that begin alike.
impl std::borrow::Borrow<str> for TwinId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TwinId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl std::str::FromStr for TwinId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl From<TwinId> for String {
    fn from(id: TwinId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for TwinId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TwinId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TwinId({})", self.0)
    }
}

/// Reads and writes an id of bytes in hexadecimal digits.
macro_rules! hex_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                from_hex(text).map(Self)
            }
        }
    };
}

/// A command's idempotency key: 16 random bytes, chosen once by whoever presses the button.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub [u8; 16]);

hex_serde!(CommandId, 16);
hex_text!(CommandId);
text_schema!(CommandId, "^[0-9a-fA-F]{32}$");

/// A service call's idempotency key: 16 random bytes, chosen once by whoever presses the button.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub [u8; 16]);

hex_serde!(CallId, 16);
hex_text!(CallId);
text_schema!(CallId, "^[0-9a-fA-F]{32}$");

/// A purchase's idempotency key: 16 random bytes, chosen once by whoever presses the button. Its merchant gets the same:
/// however often it is asked, it orders once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PurchaseId(pub [u8; 16]);

hex_serde!(PurchaseId, 16);
hex_text!(PurchaseId);
text_schema!(PurchaseId, "^[0-9a-fA-F]{32}$");

/// Names everything that follows from one click, from the hand to the thing: 16 random bytes, chosen at the click.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(pub [u8; 16]);

hex_serde!(TraceId, 16);
hex_text!(TraceId);
text_schema!(TraceId, "^[0-9a-fA-F]{32}$");

/// A question that the enabler has asked a system and waits to have answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InquiryId(pub u64);
/// The hash of a peer's certificate, or of the bearer token that stands for one over HTTP: names a device.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

hex_serde!(Fingerprint, 32);
text_schema!(Fingerprint, "^[0-9a-fA-F]{64}$");

/// A delegated token or one of its attenuations: what revokes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub [u8; 16]);

hex_serde!(TokenId, 16);
text_schema!(TokenId, "^[0-9a-fA-F]{32}$");

/// The public half of the key that signs an enabler's tokens: 32 bytes of Ed25519.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenKey(pub [u8; 32]);

hex_serde!(TokenKey, 32);
text_schema!(TokenKey, "^[0-9a-fA-F]{64}$");

hex_text!(Fingerprint);
hex_text!(TokenId);
hex_text!(TokenKey);

/// A lease's idempotency key: 16 random bytes, chosen once by whoever asks for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub [u8; 16]);

hex_serde!(LeaseId, 16);
hex_text!(LeaseId);
text_schema!(LeaseId, "^[0-9a-fA-F]{32}$");

/// Reads `2 * N` hexadecimal digits.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], IdError> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return Err(IdError::Hex(2 * N));
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |c: u8| char::from(c).to_digit(16).ok_or(IdError::Hex(2 * N));
        let value = digit(pair[0])? * 16 + digit(pair[1])?;
        *byte = u8::try_from(value).map_err(|_| IdError::Hex(2 * N))?;
    }
    Ok(bytes)
}

#[cfg(test)]
#[path = "ids_tests.rs"]
mod tests;
