//! Signing and narrowing tokens. Random bytes are arguments.

use std::fmt;

use biscuit_auth::{
    Algorithm, BiscuitBuilder, BlockBuilder, KeyPair, PrivateKey, UnverifiedBiscuit, datalog::SymbolTable,
};
use vestibule_model::{Delegation, Limits, Timestamp, TokenKey, TwinSelector, UserId};

use super::{LONGEST_TOKEN_MS, MOST_BLOCKS, MOST_CHARACTERS, TokenError};

/// Names in one limit: more of them than fit a token.
const MOST_NAMES: usize = 32;

/// The secret key that signs an enabler's tokens.
#[derive(Clone)]
pub struct RootKey([u8; 32]);

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(......)")
    }
}

impl RootKey {
    /// The key of these 32 random bytes.
    ///
    /// # Errors
    /// [`TokenError::Unsound`] where they are none.
    pub fn new(secret: [u8; 32]) -> Result<Self, TokenError> {
        pair(&secret).map(|_| Self(secret))
    }

    /// Its public half.
    ///
    /// # Errors
    /// None that [`new`](Self::new) has not had.
    pub fn public(&self) -> Result<TokenKey, TokenError> {
        let bytes = pair(&self.0)?.public().to_bytes();
        bytes.try_into().map(TokenKey).map_err(|_| TokenError::Unsound("that is no Ed25519 key".to_owned()))
    }
}

fn pair(secret: &[u8; 32]) -> Result<KeyPair, TokenError> {
    let key = PrivateKey::from_bytes(secret, Algorithm::Ed25519).map_err(unsound)?;
    Ok(KeyPair::from(&key))
}

fn unsound(error: impl fmt::Display) -> TokenError {
    TokenError::Unsound(error.to_string())
}

/// Signs a token with which `delegation.guest` acts in the stead of `by`. `random` must never come again.
///
/// # Errors
/// [`TokenError::Unsound`] where it does not say until when, names too much, or the guest's name cannot be one.
pub fn mint(
    root: &RootKey,
    random: [u8; 32],
    by: &UserId,
    now: Timestamp,
    delegation: &Delegation,
) -> Result<String, TokenError> {
    let guest = UserId::new(&delegation.guest).map_err(unsound)?;
    if guest.as_str().contains(':') || by.as_str().len() + guest.as_str().len() > 63 {
        let message = "a guest's name has no ':' and is short: it is read as delegator:guest, with at most 64 letters";
        return Err(TokenError::Unsound(message.to_owned()));
    }
    if delegation.limits.until.is_none_or(|until| until.since(now) > LONGEST_TOKEN_MS) {
        return Err(TokenError::Unsound("a token ends within a year: say until when".to_owned()));
    }
    let facts = format!("delegator(\"{by}\");\nguest(\"{guest}\");\nissued({});\n", now.0);
    let text = facts + &checks(&delegation.limits)?;
    let builder = BiscuitBuilder::new().code(text).map_err(unsound)?;
    let token = builder.build_with_key_pair(&pair(&root.0)?, SymbolTable::new(), &pair(&random)?).map_err(unsound)?;
    sized(token.to_base64().map_err(unsound)?)
}

/// Narrows a token: what comes out allows what `token` allows and `limits` leave. Needs no key and no enabler, and
/// checks no signature: whether the token was worth anything is seen when it is presented. `random` must never come
/// again.
///
/// # Errors
/// [`TokenError`] where it is no token, or becomes too long.
pub fn attenuate(token: &str, random: [u8; 32], limits: &Limits) -> Result<String, TokenError> {
    if token.len() > MOST_CHARACTERS {
        return Err(TokenError::TooLong);
    }
    let known = UnverifiedBiscuit::from_base64(token.trim()).map_err(|_| TokenError::Forged)?;
    if known.block_count() >= MOST_BLOCKS {
        return Err(TokenError::TooLong);
    }
    let text = checks(limits)?;
    if text.is_empty() {
        return Err(TokenError::Unsound("say what the token should not allow any more".to_owned()));
    }
    let block = BlockBuilder::new().code(text).map_err(unsound)?;
    let narrowed = known.append_with_keypair(&pair(&random)?, block).map_err(unsound)?;
    sized(narrowed.to_base64().map_err(unsound)?)
}

fn sized(token: String) -> Result<String, TokenError> {
    if token.len() > MOST_CHARACTERS { Err(TokenError::TooLong) } else { Ok(token) }
}

/// Limits as checks. Ids have no quotes: they need no escapes.
fn checks(limits: &Limits) -> Result<String, TokenError> {
    let lengths = [
        limits.twins.as_ref().map_or(0, Vec::len),
        limits.features.as_ref().map_or(0, Vec::len),
        limits.actions.as_ref().map_or(0, Vec::len),
    ];
    if lengths.iter().any(|length| *length > MOST_NAMES) {
        return Err(TokenError::Unsound(format!("a token names at most {MOST_NAMES} twins, features or actions")));
    }
    let mut lines = Vec::new();
    if let Some(twins) = limits.twins.as_ref().filter(|twins| !twins.contains(&TwinSelector::All)) {
        let name = |selector: &TwinSelector| match selector {
            TwinSelector::System(system) => format!("system(\"{system}\")"),
            TwinSelector::Twin(twin) => format!("twin(\"{twin}\")"),
            TwinSelector::All => "true".to_owned(),
        };
        lines.push(one_of(twins.iter().map(name), "false"));
    }
    if let Some(features) = &limits.features {
        let names = features.iter().map(|feature| format!("feature(\"{feature}\")"));
        lines.push(one_of(names.chain(["whole(true)".to_owned()]), ""));
    }
    if let Some(actions) = &limits.actions {
        let names = actions.iter().map(|action| format!("action(\"{action}\")"));
        lines.push(one_of(names.chain(["reading(true)".to_owned()]), ""));
    }
    if let Some(until) = limits.until {
        // Biscuits count in seconds. Rounded down: never longer than was said.
        let words = Timestamp(until.0 / 1_000 * 1_000).to_utc().replace(".000Z", "Z");
        lines.push(format!("time($time), $time < {words}"));
    }
    if let Some(priority) = limits.priority {
        lines.push(format!("priority($priority), $priority <= {priority}"));
    }
    if let Some(device) = limits.device {
        lines.push(format!("device(\"{device}\")"));
    }
    Ok(lines.into_iter().map(|line| format!("check if {line};\n")).collect())
}

fn one_of(names: impl Iterator<Item = String>, none: &str) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() { none.to_owned() } else { names.join(" or ") }
}
