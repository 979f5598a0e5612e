//! What people gave and got, unreadable once they are forgotten.
//!
//! For `#[serde(with = "sealed")]`. Inside of [`NameBook::scope`](crate::NameBook::scope) the value is written encrypted,
//! with a key made of the salt of the person who is written before it; once the book has forgotten them, nobody reads it.
//! It is written in the same way each time, so that one state is always the same bytes. No scope, no seal: on the wire
//! and for people it is itself.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _, ser::Error as _};

use crate::{
    Commitment, ContentHash, Currency, DesignHash, ERASED, Json, LineId, Money, OrderView, SnapshotMark, Transform,
    names::{self, Owner},
};

/// What begins a sealed value; whose it is and its bytes follow.
const SEALED: &str = "e:";
/// Bytes that are both a check of what was sealed and what its key stream is made with: no two values share one.
const TAG: usize = 16;
/// Lengths are rounded up to this, so that they do not tell a yes from a no.
const ROUNDED: usize = 32;
/// What fills up: no text has such a byte.
const FILLING: u8 = 0xff;

/// What can be sealed.
pub trait Sealable: Serialize + DeserializeOwned {
    /// What it reads as once its person was forgotten.
    fn erased() -> Self;
}

impl Sealable for String {
    fn erased() -> Self {
        ERASED.to_owned()
    }
}

impl Sealable for Json {
    fn erased() -> Self {
        Self::of(&ERASED).unwrap_or_default()
    }
}

impl Sealable for Option<Json> {
    fn erased() -> Self {
        Some(Json::erased())
    }
}

impl Sealable for Vec<Transform> {
    fn erased() -> Self {
        Self::new()
    }
}

impl Sealable for Option<String> {
    fn erased() -> Self {
        Some(ERASED.to_owned())
    }
}

impl Sealable for BTreeMap<LineId, DesignHash> {
    fn erased() -> Self {
        Self::new()
    }
}

impl Sealable for Box<OrderView> {
    fn erased() -> Self {
        let nothing = Money::new(0, Currency::NONE);
        let digest = ContentHash::erased();
        Self::new(OrderView {
            lines: Vec::new(),
            total: nothing,
            refunded: nothing,
            notes: Vec::new(),
            expected: None,
            cancellable: false,
            permalink: ERASED.to_owned(),
            mark: SnapshotMark { events: 0, adjustments: 0, last: None, digest, revision: None },
        })
    }
}

impl Sealable for Option<Box<OrderView>> {
    fn erased() -> Self {
        None
    }
}

impl Sealable for ContentHash {
    fn erased() -> Self {
        Self([0; 32])
    }
}

fn tag(key: &[u8; 32], bytes: &[u8]) -> [u8; TAG] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(b"tag").update(bytes);
    let mut tag = [0; TAG];
    tag.copy_from_slice(&hasher.finalize().as_bytes()[..TAG]);
    tag
}

/// Encrypts what is plain, and decrypts what is not.
fn turn(key: &[u8; 32], tag: &[u8; TAG], bytes: &mut [u8]) {
    let mut stream = vec![0; bytes.len()];
    blake3::Hasher::new_keyed(key).update(b"stream").update(tag).finalize_xof().fill(&mut stream);
    bytes.iter_mut().zip(stream).for_each(|(byte, mask)| *byte ^= mask);
}

fn seal(person: Commitment, key: &[u8; 32], text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(ROUNDED), FILLING);
    let tag = tag(key, &bytes);
    turn(key, &tag, &mut bytes);
    format!("{SEALED}{person}:{}", STANDARD_NO_PAD.encode([&tag[..], &bytes].concat()))
}

fn parse(text: &str) -> Option<(Commitment, Vec<u8>)> {
    let (person, bytes) = text.strip_prefix(SEALED)?.split_once(':')?;
    Some((person.parse().ok()?, STANDARD_NO_PAD.decode(bytes).ok()?))
}

/// The text under a seal; `None`: nobody sealed this with that key.
fn unseal(key: &[u8; 32], bytes: &[u8]) -> Option<String> {
    let (said, bytes) = bytes.split_first_chunk::<TAG>()?;
    let mut bytes = bytes.to_vec();
    turn(key, said, &mut bytes);
    if tag(key, &bytes) != *said {
        return None;
    }
    let length = bytes.iter().rposition(|byte| *byte != FILLING).map_or(0, |last| last + 1);
    bytes.truncate(length);
    String::from_utf8(bytes).ok()
}

/// Writes the value, or what nobody reads without its person's key.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<T: Sealable, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let Some(owner) = serializer.is_human_readable().then(names::owner).flatten() else {
        return value.serialize(serializer);
    };
    let text = serde_json::to_string(value).map_err(S::Error::custom)?;
    match owner {
        // Nothing is nobody's.
        _ if ["null", "[]"].contains(&text.as_str()) => value.serialize(serializer),
        Owner::Person(person, key) => serializer.serialize_str(&seal(person, &key, &text)),
        Owner::Erased => T::erased().serialize(serializer),
    }
}

/// Reads the value; [`Sealable::erased`] where its person was forgotten. What was written before there were seals is
/// read as it is.
///
/// # Errors
/// Those of the deserializer.
pub fn deserialize<'de, T: Sealable, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    if !deserializer.is_human_readable() {
        return T::deserialize(deserializer);
    }
    let value = serde_json::Value::deserialize(deserializer)?;
    if let Some((person, bytes)) = value.as_str().and_then(parse) {
        match names::key_of(person) {
            Some(Some(key)) => {
                // A text of somebody that only looks like one stays what it is.
                if let Some(text) = unseal(&key, &bytes) {
                    return serde_json::from_str(&text).map_err(D::Error::custom);
                }
            }
            Some(None) => return Ok(T::erased()),
            None => {}
        }
    }
    T::deserialize(value).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{NameBook, UserId};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Line {
        user: UserId,
        #[serde(with = "crate::sealed")]
        input: Json,
        #[serde(default, with = "crate::sealed")]
        output: Option<Json>,
        #[serde(with = "crate::sealed")]
        reason: String,
    }

    fn salt() -> [u8; 32] {
        static NEXT: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(1);
        [NEXT.fetch_add(1, std::sync::atomic::Ordering::SeqCst); 32]
    }

    fn line(user: &str, text: &str) -> Line {
        let input = Json::of(&text).unwrap();
        Line { user: UserId::slug(user), output: Some(input.clone()), input, reason: text.to_owned() }
    }

    proptest! {
        #[test]
        fn what_is_sealed_reads_as_it_was_until_its_person_is_forgotten(text in "\\PC{0,80}") {
            let mut book = NameBook::new(salt);
            let given = line("ada", &text);
            let written = book.scope(|| serde_json::to_string(&given)).unwrap();
            prop_assert!(text.len() < 4 || !written.contains(&text), "{written}");
            prop_assert_eq!(&book.scope(|| serde_json::to_string(&given)).unwrap(), &written, "always alike");
            prop_assert_eq!(&book.scope(|| serde_json::from_str::<Line>(&written)).unwrap(), &given);
            book.forget(book.user("ada").unwrap());
            let read = book.scope(|| serde_json::from_str::<Line>(&written)).unwrap();
            let (input, reason) = (read.input.as_str(), read.reason.as_str());
            prop_assert_eq!((input, reason, &read.output), ("\"erased\"", ERASED, &Some(Json::erased())));
            // What is written after that has nothing left to seal it with, and nothing to hide.
            let again = book.scope(|| serde_json::to_string(&Line { output: None, ..read })).unwrap();
            prop_assert!(again.contains(r#""input":"erased","output":null"#), "{again}");
            // On the wire it is itself.
            let wire = postcard::to_stdvec(&given).unwrap();
            prop_assert_eq!(book.scope(|| postcard::from_bytes::<Line>(&wire)).unwrap(), given);
        }
    }

    #[test]
    fn nobody_opens_what_another_sealed() {
        let mut book = NameBook::new(salt);
        let written = book.scope(|| serde_json::to_string(&line("ada", "12 Elm Street"))).unwrap();
        let other = book.scope(|| serde_json::to_string(&line("bo", "12 Elm Street"))).unwrap();
        let sealed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["input"].clone();
        let (mine, theirs) = (sealed(&written), sealed(&other));
        assert_ne!(mine, theirs, "one thing given by two people does not look alike");
        // With the other's pseudonym on it, it is a text like any other.
        let pseudonym = |value: &serde_json::Value| value.as_str().unwrap()[2..34].to_owned();
        let forged = mine.as_str().unwrap().replace(&pseudonym(&mine), &pseudonym(&theirs));
        let text = format!(r#"{{"user":"bo","input":"{forged}","reason":""}}"#);
        let read = book.scope(|| serde_json::from_str::<Line>(&text)).unwrap();
        assert_eq!(read.input, Json::of(&forged).unwrap());
    }

    #[test]
    fn lengths_say_little_and_old_lines_are_read() {
        let mut book = NameBook::new(salt);
        let mut length = |text: &str| book.scope(|| serde_json::to_string(&line("ada", text))).unwrap().len();
        assert_eq!(length("yes"), length("no"));
        let old = r#"{"user":"ada","input":{"to":"12 Elm Street"},"output":[1],"reason":"e:no seal"}"#;
        let read = book.scope(|| serde_json::from_str::<Line>(old)).unwrap();
        assert_eq!((read.input.as_str(), read.reason.as_str()), (r#"{"to":"12 Elm Street"}"#, "e:no seal"));
        // Whoever gives such a text is not believed to have sealed anything.
        let sly = line("ada", "e:00000000000000000000000000000000:AAAA");
        let written = book.scope(|| serde_json::to_string(&sly)).unwrap();
        assert_eq!(book.scope(|| serde_json::from_str::<Line>(&written)).unwrap(), sly);
    }
}
