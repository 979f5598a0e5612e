//! Reading tokens: signatures first, then every line against a closed vocabulary. Nothing in a token is executed.

use biscuit_auth::{Algorithm, Biscuit, PublicKey, UnverifiedBiscuit};
use vestibule_model::{
    ActionId, ContentHash, FeatureId, Fingerprint, Limits, SystemId, Timestamp, TokenId, TokenKey, TwinId,
    TwinSelector, UserId,
};

use super::{Grant, MOST_BLOCKS, MOST_CHARACTERS, TokenError};

/// What a token of the enabler with this key says.
///
/// # Errors
/// [`TokenError`] where it is none, was changed, or says what is not understood.
pub fn read(token: &str, key: Option<TokenKey>) -> Result<Grant, TokenError> {
    let token = sized(token)?;
    let key = key.ok_or(TokenError::Forged)?;
    let key = PublicKey::from_bytes(&key.0, Algorithm::Ed25519).map_err(|_| TokenError::Forged)?;
    let token = Biscuit::from_base64(token, key).map_err(|_| TokenError::Forged)?;
    if token.external_public_keys().iter().any(Option::is_some) {
        return Err(strange("a block that somebody else signed"));
    }
    grant(token.block_count(), &token.revocation_identifiers(), |index| {
        token.print_block_source(index).map_err(|_| TokenError::Forged)
    })
}

/// What a token says, whoever signed it: for people to look at, never to decide by.
///
/// # Errors
/// [`TokenError`] where it is none, or says what is not understood.
pub fn inspect(token: &str) -> Result<Grant, TokenError> {
    let token = UnverifiedBiscuit::from_base64(sized(token)?).map_err(|_| TokenError::Forged)?;
    grant(token.block_count(), &token.revocation_identifiers(), |index| {
        token.print_block_source(index).map_err(|_| TokenError::Forged)
    })
}

fn sized(token: &str) -> Result<&str, TokenError> {
    let token = token.trim();
    if token.len() > MOST_CHARACTERS { Err(TokenError::TooLong) } else { Ok(token) }
}

fn strange(words: &str) -> TokenError {
    TokenError::Strange(words.chars().take(120).collect())
}

fn grant(
    blocks: usize,
    ids: &[Vec<u8>],
    source: impl Fn(usize) -> Result<String, TokenError>,
) -> Result<Grant, TokenError> {
    if blocks == 0 || blocks > MOST_BLOCKS {
        return Err(TokenError::TooLong);
    }
    let authority = source(0)?;
    let mut lines = authority.lines();
    let mut fact = |name: &str| {
        let line = lines.next().unwrap_or_default();
        let inner = line.strip_prefix(name).and_then(|rest| rest.strip_prefix('(')?.strip_suffix(");"));
        inner.map(str::to_owned).ok_or_else(|| strange(line))
    };
    let user = |text: String| quoted(&text).and_then(|text| UserId::new(text).ok()).ok_or_else(|| strange(&text));
    let (by, guest) = (user(fact("delegator")?)?, user(fact("guest")?)?);
    let issued = fact("issued")?;
    let issued = issued.parse().map(Timestamp).map_err(|_| strange(&issued))?;
    let mut limits = Limits::default();
    lines.try_for_each(|line| check(line).map(|more| limits = limits.and(&more)))?;
    if limits.until.is_none() {
        return Err(strange("no moment at which it ends"));
    }
    for index in 1..blocks {
        source(index)?.lines().try_for_each(|line| check(line).map(|more| limits = limits.and(&more)))?;
    }
    let ids = ids.iter().map(|id| token_id(id)).collect();
    Ok(Grant { ids, by, guest: guest.to_string(), issued, limits })
}

/// A revocation id is a signature of 64 bytes; half of its hash's first half says as much.
fn token_id(signature: &[u8]) -> TokenId {
    let mut id = [0; 16];
    id.copy_from_slice(&ContentHash::of(signature).0[..16]);
    TokenId(id)
}

fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

/// The limits that one check sets.
fn check(line: &str) -> Result<Limits, TokenError> {
    let body = line.strip_prefix("check if ").and_then(|rest| rest.strip_suffix(';')).ok_or_else(|| strange(line))?;
    let queries: Vec<&str> = body.split(" or ").collect();
    let limits = match queries.first().and_then(|query| query.split('(').next()).unwrap_or_default() {
        "false" => (body == "false").then(|| Limits { twins: Some(Vec::new()), ..Limits::default() }),
        "twin" | "system" => twins(&queries),
        "feature" | "whole" => {
            let features = names(&queries, "feature", "whole(true)", |name| FeatureId::new(name).ok());
            features.map(|features| Limits { features: Some(features), ..Limits::default() })
        }
        "action" | "reading" => {
            let actions = names(&queries, "action", "reading(true)", |name| ActionId::new(name).ok());
            actions.map(|actions| Limits { actions: Some(actions), ..Limits::default() })
        }
        "time" => until(body).map(|until| Limits { until: Some(until), ..Limits::default() }),
        "priority" => {
            let most = body.strip_prefix("priority($priority), $priority <= ").and_then(number);
            most.map(|most| Limits { priority: Some(most), ..Limits::default() })
        }
        "device" => {
            let device = one(body, "device").and_then(|name| name.parse::<Fingerprint>().ok());
            device.map(|device| Limits { device: Some(device), ..Limits::default() })
        }
        _ => None,
    };
    limits.ok_or_else(|| strange(line))
}

/// Digits and nothing else: `+3` is another text for the same number.
fn number(text: &str) -> Option<u8> {
    text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse().ok())?
}

/// `name("id")`.
fn one<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    quoted(query.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')?)
}

/// Every query is `name("id")` but one, which is `always`.
fn names<T>(queries: &[&str], name: &str, always: &str, id: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    if queries.iter().filter(|query| **query == always).count() != 1 {
        return None;
    }
    queries.iter().filter(|query| **query != always).map(|query| one(query, name).and_then(&id)).collect()
}

fn twins(queries: &[&str]) -> Option<Limits> {
    let selector = |query: &&str| match one(query, "twin") {
        Some(twin) => TwinId::new(twin).ok().map(TwinSelector::Twin),
        None => one(query, "system").and_then(|system| SystemId::new(system).ok()).map(TwinSelector::System),
    };
    let twins = queries.iter().map(selector).collect::<Option<Vec<_>>>()?;
    Some(Limits { twins: Some(twins), ..Limits::default() })
}

/// `<` the moment, or `<=` as other tools write it, which is one second more.
fn until(body: &str) -> Option<Timestamp> {
    let rest = body.strip_prefix("time($time), $time <")?;
    match rest.strip_prefix("= ") {
        Some(moment) => Timestamp::from_utc(moment).map(|at| at.plus(1_000)),
        None => Timestamp::from_utc(rest.strip_prefix(' ')?),
    }
}
