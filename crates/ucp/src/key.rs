use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::{
    Signature,
    signature::{Signer as _, Verifier as _},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::More;

/// Why a key is none that can be used here.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Another kind, another curve, or one for something else than signing.
    #[error("only keys on P-256 for ES256 are used here, this one is for {0}")]
    Algorithm(String),
    /// Not a point of the curve, not a number below its order, no id.
    #[error("not a key")]
    Malformed,
}

/// A public key as profiles have it (RFC 7517).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Jwk {
    /// What signatures call it.
    pub kid: String,
    /// `EC` here.
    pub kty: String,
    /// `P-256` here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// Its point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// Its point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// `sig` here.
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// `ES256` here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Jwk {
    /// The key that it is.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn key(&self) -> Result<VerifyingKey, KeyError> {
        let point = self.point()?;
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).map_err(|_| KeyError::Malformed)?;
        Ok(VerifyingKey(key))
    }

    /// Who it is, whatever it is called: its thumbprint (RFC 7638).
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn thumbprint(&self) -> Result<String, KeyError> {
        // Written from its bytes: what is spelled differently is the same key.
        let point = self.point()?;
        let (x, y) = point.get(1..).unwrap_or_default().split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        Ok(URL_SAFE_NO_PAD.encode(Sha256::digest(members)))
    }

    /// Whether it has what only its owner may know.
    #[must_use]
    pub fn is_private(&self) -> bool {
        ["d", "k", "p", "q"].iter().any(|member| self.more.contains_key(*member))
    }

    /// As SEC 1 writes it: 4, x, y.
    fn point(&self) -> Result<[u8; 65], KeyError> {
        let curve = self.crv.as_deref().unwrap_or(&self.kty);
        if self.kty != "EC" || curve != "P-256" {
            return Err(KeyError::Algorithm(curve.to_owned()));
        }
        match (self.usage.as_deref(), self.alg.as_deref()) {
            (None | Some("sig"), None | Some("ES256")) => {}
            (_, Some(other)) if other != "ES256" => return Err(KeyError::Algorithm(other.to_owned())),
            (usage, _) => return Err(KeyError::Algorithm(usage.unwrap_or_default().to_owned())),
        }
        let mut point = [4; 65];
        let (_, coordinates) = point.split_at_mut(1);
        let (x, y) = coordinates.split_at_mut(32);
        for (text, place) in [(&self.x, x), (&self.y, y)] {
            let text = text.as_deref().filter(|text| text.len() == 43).ok_or(KeyError::Malformed)?;
            let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::Malformed)?;
            if bytes.len() != place.len() {
                return Err(KeyError::Malformed);
            }
            place.copy_from_slice(&bytes);
        }
        Ok(point)
    }
}

/// A public key that signatures are held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey(p256::ecdsa::VerifyingKey);

impl VerifyingKey {
    /// Whether `signature` (r and s, 32 bytes each) is this key's over `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}

/// A key that signs, with what it is called. Its bytes come from outside: nothing here makes one.
#[derive(Clone)]
pub struct SigningKey {
    kid: String,
    key: p256::ecdsa::SigningKey,
}

impl SigningKey {
    /// The key of these bytes. Not every 32 bytes are one: zero and what is beyond the curve's order are not.
    ///
    /// # Errors
    /// [`KeyError::Malformed`].
    pub fn from_bytes(kid: &str, bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let named = !kid.is_empty() && kid.len() <= crate::limits::MAX_ID && kid.bytes().all(|b| b.is_ascii_graphic());
        let key = p256::ecdsa::SigningKey::from_slice(bytes).map_err(|_| KeyError::Malformed)?;
        if named { Ok(Self { kid: kid.to_owned(), key }) } else { Err(KeyError::Malformed) }
    }

    /// What it is called.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What others know of it.
    #[must_use]
    pub fn jwk(&self) -> Jwk {
        let point = self.key.verifying_key().to_sec1_point(false);
        let (x, y) = point.as_bytes().get(1..).unwrap_or_default().split_at_checked(32).unwrap_or_default();
        Jwk {
            kid: self.kid.clone(),
            kty: "EC".to_owned(),
            crv: Some("P-256".to_owned()),
            x: Some(URL_SAFE_NO_PAD.encode(x)),
            y: Some(URL_SAFE_NO_PAD.encode(y)),
            usage: Some("sig".to_owned()),
            alg: Some("ES256".to_owned()),
            more: More::new(),
        }
    }

    /// r and s over `message`, 32 bytes each. The same message has the same signature (RFC 6979): no chance is needed.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature: Signature = self.key.sign(message);
        signature.to_bytes().into()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, hidden)", self.kid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7517 A.1, and what its thumbprint is by another program.
    #[test]
    fn keys_are_what_others_make_of_them() {
        let mut bytes = [0; 32];
        (0..32).for_each(|at| bytes[usize::from(at)] = at + 1);
        let key = SigningKey::from_bytes("platform-1", &bytes).unwrap();
        let jwk = key.jwk();
        assert_eq!(jwk.x.as_deref(), Some("UVw9brnjlrkE0_7Kf1T9zQzB6Ze_N13KUVrQpsO0A18"));
        assert_eq!(jwk.y.as_deref(), Some("RTa-OlDzGPv5pUdZAqIhUCvvDVfgjFOyzApW8X2fk1Q"));
        assert_eq!(jwk.thumbprint().unwrap(), "6UoWwDCkLjV0J-pQG8c0THxbVhBcpR0AZDift1Yl5DM");
        assert!(jwk.key().unwrap().verifies(b"message", &key.sign(b"message")));
        assert!(!jwk.key().unwrap().verifies(b"massage", &key.sign(b"message")));
        assert!(!format!("{key:?}").contains("0102"));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert!(SigningKey::from_bytes("k", &[0; 32]).is_err() && SigningKey::from_bytes("k", &[255; 32]).is_err());
        assert!(SigningKey::from_bytes("", &[1; 32]).is_err() && SigningKey::from_bytes("a b", &[1; 32]).is_err());
        let good = SigningKey::from_bytes("k", &[1; 32]).unwrap().jwk();
        let with = |change: fn(&mut Jwk)| {
            let mut jwk = good.clone();
            change(&mut jwk);
            jwk.key().err()
        };
        assert_eq!(with(|_| ()), None);
        assert_eq!(with(|jwk| jwk.crv = Some("P-384".into())), Some(KeyError::Algorithm("P-384".into())));
        assert_eq!(with(|jwk| jwk.kty = "RSA".into()), Some(KeyError::Algorithm("P-256".into())));
        assert_eq!(with(|jwk| jwk.alg = Some("none".into())), Some(KeyError::Algorithm("none".into())));
        assert_eq!(with(|jwk| jwk.usage = Some("enc".into())), Some(KeyError::Algorithm("enc".into())));
        assert_eq!(with(|jwk| jwk.x = None), Some(KeyError::Malformed));
        assert_eq!(with(|jwk| jwk.y = jwk.x.clone()), Some(KeyError::Malformed), "beside the curve");
        assert_eq!(with(|jwk| jwk.x = Some("A".repeat(44))), Some(KeyError::Malformed));
        assert!(
            with(|jwk| {
                jwk.more.insert("d".into(), "x".into());
            })
            .is_none()
                && !good.is_private()
        );
    }
}
