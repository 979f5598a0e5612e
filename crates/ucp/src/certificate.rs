use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use vestibule_model::ContentHash;

use crate::{Endpoint, Id, Jwk, SigningKey, limits::MAX_CERTIFICATE};

/// Why a certificate is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// Not of the form.
    #[error("not a product's certificate")]
    Malformed,
    /// Its key is not the manufacturer's.
    #[error("the manufacturer has no such key")]
    KeyNotFound,
    /// Nobody signed this.
    #[error("the signature does not fit")]
    Forged,
}

/// What a manufacturer says of one product that it made: signed, in the delivered order and as a code on the parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The form's version: 1.
    pub v: u8,
    /// Which of the manufacturer's keys signs.
    pub kid: String,
    /// The manufacturer's profile.
    pub merchant: Endpoint,
    /// The order.
    pub order: Id,
    /// Its line.
    pub line: Id,
    /// The product's serial number.
    pub serial: Id,
    /// What it was made to; `None`: something from a catalogue.
    pub design: Option<ContentHash>,
    /// What was bought.
    pub item: Id,
    /// When it was made, as a moment of RFC 3339.
    pub at: String,
}

impl Certificate {
    /// Signs it: its JSON and r and s, both in base64url, with a dot between. `kid` becomes the key's.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`] where it would be longer than is taken.
    pub fn issue(&self, key: &SigningKey) -> Result<String, CertificateError> {
        let said = Self { v: 1, kid: key.kid().to_owned(), ..self.clone() };
        let payload = serde_json::to_vec(&said).map_err(|_| CertificateError::Malformed)?;
        let payload = URL_SAFE_NO_PAD.encode(payload);
        let signature = URL_SAFE_NO_PAD.encode(key.sign(payload.as_bytes()));
        let text = format!("{payload}.{signature}");
        if text.len() > MAX_CERTIFICATE { Err(CertificateError::Malformed) } else { Ok(text) }
    }

    /// Reads what one says, without believing it: whose keys to ask for.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`].
    pub fn peek(text: &str) -> Result<Self, CertificateError> {
        split(text).map(|(_, said, _)| said)
    }

    /// Reads one that was signed with one of the manufacturer's keys. Whether the product, its order and who has it
    /// fit together is for whoever knows them.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn read(text: &str, keys: &[Jwk]) -> Result<Self, CertificateError> {
        let (payload, said, signature) = split(text)?;
        let key = keys.iter().find(|key| key.kid == said.kid).ok_or(CertificateError::KeyNotFound)?;
        let key = key.key().map_err(|_| CertificateError::KeyNotFound)?;
        if key.verifies(payload.as_bytes(), &signature) { Ok(said) } else { Err(CertificateError::Forged) }
    }
}

fn split(text: &str) -> Result<(&str, Certificate, [u8; 64]), CertificateError> {
    let (payload, signature) = text.split_once('.').ok_or(CertificateError::Malformed)?;
    if text.len() > MAX_CERTIFICATE {
        return Err(CertificateError::Malformed);
    }
    let bytes = |text| URL_SAFE_NO_PAD.decode(text).map_err(|_| CertificateError::Malformed);
    let said: Certificate = serde_json::from_slice(&bytes(payload)?).map_err(|_| CertificateError::Malformed)?;
    let signature = <[u8; 64]>::try_from(bytes(signature)?).map_err(|_| CertificateError::Malformed)?;
    if said.v == 1 { Ok((payload, said, signature)) } else { Err(CertificateError::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> Certificate {
        let id = |text| Id::new(text).unwrap();
        Certificate {
            v: 1,
            kid: "workshop-1".into(),
            merchant: Endpoint::new("http://127.0.0.1:7801/.well-known/ucp").unwrap(),
            order: id("ord_01"),
            line: id("li_1"),
            serial: id("W1042-0001"),
            design: Some(ContentHash([7; 32])),
            item: id("made_7f3c"),
            at: "2026-11-28T08:00:00Z".into(),
        }
    }

    #[test]
    fn only_the_manufacturer_issues_them() {
        let key = SigningKey::from_bytes("workshop-1", &[3; 32]).unwrap();
        let text = certificate().issue(&key).unwrap();
        assert_eq!(Certificate::read(&text, &[key.jwk()]), Ok(certificate()));
        assert_eq!(Certificate::peek(&text), Ok(certificate()));
        assert_eq!(Certificate::read(&text, &[]), Err(CertificateError::KeyNotFound));
        let other = SigningKey::from_bytes("workshop-1", &[4; 32]).unwrap();
        assert_eq!(Certificate::read(&text, &[other.jwk()]), Err(CertificateError::Forged));
        // Its words with another's signature, and the other way round.
        let stolen = Certificate { serial: Id::new("W1042-0002").unwrap(), ..certificate() }.issue(&key).unwrap();
        let mixed = format!("{}.{}", stolen.split_once('.').unwrap().0, text.split_once('.').unwrap().1);
        assert_eq!(Certificate::read(&mixed, &[key.jwk()]), Err(CertificateError::Forged));
    }

    #[test]
    fn no_changed_byte_is_believed() {
        let key = SigningKey::from_bytes("workshop-1", &[3; 32]).unwrap();
        let text = certificate().issue(&key).unwrap();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(Certificate::read(&changed, &[key.jwk()]).is_err(), "byte {at}");
        }
        for wrong in
            ["", ".", "a.b", "e30.", &"A".repeat(MAX_CERTIFICATE + 1), &format!("{text}A"), &format!("{text}.x")]
        {
            assert!(Certificate::read(wrong, &[key.jwk()]).is_err(), "{wrong}");
        }
    }
}
