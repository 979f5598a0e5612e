use sha2::{Digest as _, Sha256};
use thiserror::Error;
use vestibule_model::Timestamp;

use crate::{
    Jwk, KeyError, Parts, Subject, Trouble,
    fields::{Bare, Dictionary, FieldError, Member, Params, Value, write_list},
    limits::{MAX_COMPONENTS, MAX_HEADER, MAX_HEADERS},
    sign::base,
};

/// How far a signature's moment may lie ahead of our clock, in milliseconds: clocks differ, but not by more.
const MAX_AHEAD_MS: u64 = 5 * 60 * 1000;

/// Why a signature is not believed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// Nothing is signed, or a part of the signature is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Something that must be signed is not.
    #[error("the signature does not cover {0}")]
    NotCovered(String),
    /// Not of the form, or over what there is not.
    #[error("the signature is not of the form that is spoken here: {0}")]
    Malformed(&'static str),
    /// Not this key's signature over this message.
    #[error("the signature does not fit the message")]
    Invalid,
    /// An ASN.1 structure in place of r and s.
    #[error("the signature is DER; it must be r and s, 32 bytes each")]
    Der,
    /// No longer good.
    #[error("the signature is expired")]
    Expired,
    /// Of a moment that is not yet.
    #[error("the signature is of a moment that is not yet")]
    NotYet,
    /// Its owner has no such key.
    #[error("there is no key {0:?}")]
    KeyNotFound(String),
    /// The body is not what was signed.
    #[error("the body does not fit Content-Digest")]
    Digest,
    /// Another algorithm.
    #[error("only ES256 is spoken here, not {0:?}")]
    Algorithm(String),
    /// Longer headers than are taken.
    #[error("the headers are longer than is taken")]
    TooLong,
}

impl SignatureError {
    /// What is answered.
    #[must_use]
    pub const fn trouble(&self) -> Trouble {
        match self {
            Self::Missing(_) | Self::NotCovered(_) => Trouble::SignatureMissing,
            Self::KeyNotFound(_) => Trouble::KeyNotFound,
            Self::Digest => Trouble::DigestMismatch,
            Self::Algorithm(_) => Trouble::AlgorithmUnsupported,
            Self::Malformed(_) | Self::Invalid | Self::Der | Self::Expired | Self::NotYet | Self::TooLong => {
                Trouble::SignatureInvalid
            }
        }
    }
}

impl From<FieldError> for SignatureError {
    fn from(error: FieldError) -> Self {
        match error {
            FieldError::TooLong => Self::TooLong,
            FieldError::Malformed => Self::Malformed("a header is no dictionary"),
        }
    }
}

/// Whether a request is signed by one of these keys. Its method, host, path, query, body and the headers that say who
/// it is from and which request it is must be covered where they are there; `must` names more, which must also be
/// there.
///
/// Gives the id of the key.
///
/// # Errors
/// [`SignatureError`].
pub fn verify_request(
    parts: &Parts<'_>,
    keys: &[Jwk],
    must: &[&'static str],
    now: Timestamp,
) -> Result<String, SignatureError> {
    verify(parts, keys, of_request(parts)?, must, now, true)
}

/// As [`verify_request`], of a request whose body has not come yet: its digest must be covered and is held against
/// nothing, `parts.body` is not looked at. Whoever has read the body asks [`verify_request`] as well.
///
/// Gives the id of the key.
///
/// # Errors
/// [`SignatureError`].
pub fn verify_head(
    parts: &Parts<'_>,
    keys: &[Jwk],
    must: &[&'static str],
    now: Timestamp,
) -> Result<String, SignatureError> {
    let mut needed = of_request(parts)?;
    needed.extend(["content-digest", "content-type"]);
    verify(parts, keys, needed, must, now, false)
}

/// What every request's signature covers.
fn of_request(parts: &Parts<'_>) -> Result<Vec<&'static str>, SignatureError> {
    if !matches!(parts.subject, Subject::Method(_)) {
        return Err(SignatureError::Malformed("an answer is no request"));
    }
    let mut needed = vec!["@method", "@authority", "@path"];
    needed.extend(parts.query.map(|_| "@query"));
    needed.extend(["ucp-agent", "idempotency-key"].into_iter().filter(|name| parts.header(name).is_some()));
    Ok(needed)
}

/// Whether an answer is signed by one of these keys: its status and its body.
///
/// Gives the id of the key.
///
/// # Errors
/// [`SignatureError`].
pub fn verify_response(parts: &Parts<'_>, keys: &[Jwk], now: Timestamp) -> Result<String, SignatureError> {
    if !matches!(parts.subject, Subject::Status(_)) {
        return Err(SignatureError::Malformed("a request is no answer"));
    }
    verify(parts, keys, vec!["@status"], &[], now, true)
}

fn verify(
    parts: &Parts<'_>,
    keys: &[Jwk],
    mut needed: Vec<&'static str>,
    must: &[&'static str],
    now: Timestamp,
    has_body: bool,
) -> Result<String, SignatureError> {
    let input = Input::read(parts)?;
    if has_body && !parts.body.is_empty() {
        needed.extend(["content-digest", "content-type"]);
    }
    for name in needed.into_iter().chain(must.iter().copied()) {
        if !name.starts_with('@') && parts.header(name).is_none() {
            return Err(SignatureError::Missing(name));
        }
        if !input.covers(name) {
            return Err(SignatureError::NotCovered(name.to_owned()));
        }
    }
    let key = keys.iter().find(|key| key.kid == input.keyid);
    let key = key.ok_or_else(|| SignatureError::KeyNotFound(input.keyid.clone()))?;
    let key = key.key().map_err(|error| match error {
        KeyError::Algorithm(other) => SignatureError::Algorithm(other),
        KeyError::Malformed => SignatureError::KeyNotFound(input.keyid.clone()),
    })?;
    if has_body && input.covers("content-digest") {
        check_digest(parts)?;
    }
    let value = |name: &str| if name.starts_with('@') { parts.derived(name) } else { parts.header(name) };
    let base = base(input.components.iter().map(String::as_str), value, &input.written)
        .ok_or(SignatureError::Malformed("it covers what is not there"))?;
    if !key.verifies(base.as_bytes(), &input.signature) {
        return Err(SignatureError::Invalid);
    }
    // Only now is it known who says so.
    if input.expires.is_some_and(|expires| expires <= now) {
        return Err(SignatureError::Expired);
    }
    if input.created.is_some_and(|created| created > now.plus(MAX_AHEAD_MS)) {
        return Err(SignatureError::NotYet);
    }
    Ok(input.keyid)
}

fn check_digest(parts: &Parts<'_>) -> Result<(), SignatureError> {
    let header = parts.header("content-digest").ok_or(SignatureError::Missing("content-digest"))?;
    match Dictionary::read(&header)?.one("sha-256") {
        Some(Bare::Bytes(digest)) if digest.as_slice() == Sha256::digest(parts.body).as_slice() => Ok(()),
        _ => Err(SignatureError::Digest),
    }
}

/// What a signature says of itself.
struct Input {
    components: Vec<String>,
    /// `@signature-params`.
    written: String,
    keyid: String,
    created: Option<Timestamp>,
    expires: Option<Timestamp>,
    signature: [u8; 64],
}

impl Input {
    fn read(parts: &Parts<'_>) -> Result<Self, SignatureError> {
        let sizes = || parts.headers.iter().map(|(name, value)| name.len() + value.len());
        if sizes().sum::<usize>() > MAX_HEADERS || sizes().any(|size| size > MAX_HEADER) {
            return Err(SignatureError::TooLong);
        }
        let header = |name: &'static str| parts.header(name).ok_or(SignatureError::Missing(name));
        let (label, member) = only(Dictionary::read(&header("signature-input")?)?)?;
        let (other, signature) = only(Dictionary::read(&header("signature")?)?)?;
        if label != other {
            return Err(SignatureError::Malformed("two signatures"));
        }
        let Value::List(items) = member.value else {
            return Err(SignatureError::Malformed("it covers no list"));
        };
        let mut input = Self {
            components: components(&items)?,
            written: write_list(&items, &member.params),
            keyid: String::new(),
            created: None,
            expires: None,
            signature: raw(&signature)?,
        };
        for (name, value) in member.params {
            input.take(&name, value)?;
        }
        if input.keyid.is_empty() { Err(SignatureError::Missing("keyid")) } else { Ok(input) }
    }

    fn take(&mut self, name: &str, value: Bare) -> Result<(), SignatureError> {
        match (name, value) {
            ("keyid", Bare::Text(keyid)) => self.keyid = keyid,
            ("created", Bare::Integer(seconds)) => self.created = Some(moment(seconds)?),
            ("expires", Bare::Integer(seconds)) => self.expires = Some(moment(seconds)?),
            ("alg", Bare::Text(alg)) if alg == "ecdsa-p256-sha256" => {}
            ("alg", Bare::Text(alg)) => return Err(SignatureError::Algorithm(alg)),
            ("nonce" | "tag", Bare::Text(_)) => {}
            _ => return Err(SignatureError::Malformed("an unknown parameter")),
        }
        Ok(())
    }

    fn covers(&self, name: &str) -> bool {
        self.components.iter().any(|component| component == name)
    }
}

fn moment(seconds: i64) -> Result<Timestamp, SignatureError> {
    let seconds = u64::try_from(seconds).map_err(|_| SignatureError::Malformed("a moment before 1970"))?;
    Ok(Timestamp(seconds.saturating_mul(1000)))
}

/// The only member. With several, somebody would have to choose which one counts.
fn only(dictionary: Dictionary) -> Result<(String, Member), SignatureError> {
    let mut members = dictionary.0.into_iter();
    match (members.next(), members.next()) {
        (Some(member), None) => Ok(member),
        _ => Err(SignatureError::Malformed("exactly one signature is taken")),
    }
}

fn components(items: &[(Bare, Params)]) -> Result<Vec<String>, SignatureError> {
    if items.len() > MAX_COMPONENTS {
        return Err(SignatureError::TooLong);
    }
    let mut components: Vec<String> = Vec::with_capacity(items.len());
    for (item, params) in items {
        match item {
            Bare::Text(name)
                if params.is_empty()
                    && !name.is_empty()
                    && !name.bytes().any(|byte| byte.is_ascii_uppercase())
                    && !components.contains(name) =>
            {
                components.push(name.clone());
            }
            _ => return Err(SignatureError::Malformed("a component with parameters, or twice")),
        }
    }
    Ok(components)
}

/// r and s.
fn raw(member: &Member) -> Result<[u8; 64], SignatureError> {
    let Value::One(Bare::Bytes(bytes)) = &member.value else {
        return Err(SignatureError::Malformed("it is no bytes"));
    };
    match <[u8; 64]>::try_from(bytes.as_slice()) {
        Ok(raw) => Ok(raw),
        Err(_) if bytes.first() == Some(&0x30) => Err(SignatureError::Der),
        Err(_) => Err(SignatureError::Malformed("r and s have 32 bytes each")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::More;

    /// RFC 9421 B.2.4. It signs a digest by SHA-512, which the protocol does not take, so only the signature is held.
    #[test]
    fn the_rfcs_own_example_verifies() {
        let text = |text: &str| Some(text.to_owned());
        let key = Jwk {
            kid: "test-key-ecc-p256".into(),
            kty: "EC".into(),
            crv: text("P-256"),
            x: text("qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA"),
            y: text("Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0"),
            usage: None,
            alg: None,
            more: More::new(),
        };
        let headers = [
            ("content-type", "application/json"),
            (
                "content-digest",
                "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:",
            ),
            ("content-length", "23"),
            (
                "signature-input",
                "sig-b24=(\"@status\" \"content-type\" \"content-digest\" \"content-length\");created=1618884473;keyid=\"test-key-ecc-p256\"",
            ),
            (
                "signature",
                "sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==:",
            ),
        ];
        let parts = Parts { subject: 200.into(), headers: &headers, ..Parts::default() };
        let input = Input::read(&parts).unwrap();
        let value = |name: &str| if name.starts_with('@') { parts.derived(name) } else { parts.header(name) };
        let base = base(input.components.iter().map(String::as_str), value, &input.written).unwrap();
        assert!(key.key().unwrap().verifies(base.as_bytes(), &input.signature), "{base}");
        assert_eq!((input.keyid.as_str(), input.created), ("test-key-ecc-p256", Some(Timestamp(1_618_884_473_000))));
    }
}
