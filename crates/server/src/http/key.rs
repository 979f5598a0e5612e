//! Idempotency keys: what comes again with the same one is the same thing.

use axum::http::HeaderMap;
use vestibule_model::UserId;

use super::Problem;

/// Bytes of an idempotency key.
const LONGEST: usize = 256;
/// The header that carries it.
const KEY: &str = "idempotency-key";

/// What an idempotency key names: the key itself where it is an id (32 hexadecimal digits), else derived from it, so that
/// two users' keys never meet. `context` tells kinds of things apart.
pub(super) fn id(user: &UserId, headers: &HeaderMap, context: &str) -> Result<[u8; 16], Problem> {
    let key = headers.get(KEY).ok_or_else(|| {
        Problem::malformed("send an `Idempotency-Key`: a new one for each wish, the same one for its repetitions")
    })?;
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= LONGEST);
    let key = key.ok_or_else(|| Problem::malformed(format!("an idempotency key has 1 to {LONGEST} characters")))?;
    if let Ok(vestibule_model::CommandId(id)) = key.parse() {
        return Ok(id);
    }
    let mut hasher = blake3::Hasher::new_derive_key(context);
    hasher.update(user.as_str().as_bytes()).update(b"\n").update(key.as_bytes());
    let mut id = [0; 16];
    hasher.finalize_xof().fill(&mut id);
    Ok(id)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_key_is_a_thing() {
        let with = |text: &str| -> HeaderMap {
            [(HeaderName::from_static(KEY), HeaderValue::from_str(text).unwrap())].into_iter().collect()
        };
        let (ada, bob) = (UserId::slug("ada"), UserId::slug("bob"));
        let of = |user: &UserId, text: &str| id(user, &with(text), "a").unwrap();
        assert_eq!(of(&ada, &"ab".repeat(16)), [0xab; 16]);
        assert_eq!(of(&ada, "1"), of(&ada, "1"));
        assert_ne!(of(&ada, "1"), of(&ada, "2"));
        assert_ne!(of(&ada, "1"), of(&bob, "1"), "another user's key is another thing");
        assert_ne!(of(&ada, "1"), id(&ada, &with("1"), "b").unwrap(), "another kind of thing");
        assert!(id(&ada, &HeaderMap::new(), "a").is_err());
        assert!(id(&ada, &with(&"x".repeat(257)), "a").is_err());
    }
}
