//! Logins that were begun and not finished: nothing of them is kept here, so nobody crowds out anybody by beginning many.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use vestibule_model::Timestamp;

/// Milliseconds in which a person types a password and finds their second factor.
const LIFE_MS: u64 = 10 * 60 * 1_000;
/// Bytes of what names a login: its moment, chance, and the proof that it was begun here.
const BYTES: usize = 8 + 16 + 16;

/// A login that was begun.
pub(super) struct Asked {
    /// Names it. Also what ties it to a browser.
    pub(super) state: String,
    /// Ties the provider's answer to it.
    pub(super) nonce: String,
    /// Proves that whoever redeems the code has begun the login.
    pub(super) verifier: String,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked(......)")
    }
}

/// Begins logins, and knows them again. The secrets of a login follow from its name and a key that nobody else has and
/// that ends with the process.
pub(super) struct Begun([u8; 32]);

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Begun(......)")
    }
}

impl Begun {
    pub(super) fn new() -> Self {
        Self(rand::random())
    }

    fn secret(&self, what: &[u8], named: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        // No two uses begin alike: each has a letter of its own.
        hasher.update(what).update(named);
        *hasher.finalize().as_bytes()
    }

    fn asked(&self, named: &[u8], state: String) -> Asked {
        let secret = |what| URL_SAFE_NO_PAD.encode(self.secret(what, named));
        Asked { state, nonce: secret(b"n"), verifier: secret(b"v") }
    }

    /// A new login.
    pub(super) fn begin(&self, now: Timestamp) -> Asked {
        let mut named = now.0.to_be_bytes().to_vec();
        named.extend(rand::random::<[u8; 16]>());
        let proof = self.secret(b"p", &named);
        named.extend(&proof[..16]);
        let state = URL_SAFE_NO_PAD.encode(&named);
        self.asked(&named, state)
    }

    /// The login that `state` names, if it was begun here and not long ago.
    pub(super) fn resume(&self, now: Timestamp, state: &str) -> Option<Asked> {
        let named = URL_SAFE_NO_PAD.decode(state).ok().filter(|named| named.len() == BYTES)?;
        let (name, proof) = named.split_at(24);
        let moment = Timestamp(u64::from_be_bytes(name[..8].try_into().ok()?));
        let ours = self.secret(b"p", name);
        // Compared as hashes, in a time that says nothing.
        let is_ours = blake3::hash(proof) == blake3::hash(&ours[..16]);
        (is_ours && now >= moment && now.since(moment) <= LIFE_MS).then(|| self.asked(&named, state.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_known_again_in_time_and_nothing_else_is() {
        let (begun, now) = (Begun::new(), Timestamp(5));
        let asked = begun.begin(now);
        let again = begun.resume(now.plus(LIFE_MS), &asked.state).unwrap();
        assert_eq!((&again.nonce, &again.verifier), (&asked.nonce, &asked.verifier));
        assert!(asked.nonce != asked.verifier && asked.nonce != begun.begin(now).nonce);
        assert!((43..=128).contains(&asked.verifier.len()), "what PKCE takes");
        assert!(begun.resume(now.plus(LIFE_MS + 1), &asked.state).is_none(), "too late");
        assert!(begun.resume(Timestamp(4), &asked.state).is_none(), "from the future");
        assert!(Begun::new().resume(now, &asked.state).is_none(), "begun elsewhere");
        let mut bytes = URL_SAFE_NO_PAD.decode(&asked.state).unwrap();
        for place in 0..BYTES {
            bytes[place] ^= 1;
            assert!(begun.resume(now, &URL_SAFE_NO_PAD.encode(&bytes)).is_none(), "byte {place}");
            bytes[place] ^= 1;
        }
        for wrong in ["", "x", "!", &asked.state[1..], &format!("{}AAAA", asked.state)] {
            assert!(begun.resume(now, wrong).is_none(), "{wrong}");
        }
    }
}
