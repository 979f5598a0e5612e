//! Delegation: a user hands on some of their rights with a token (a biscuit), which anybody can narrow without asking.
//!
//! The authority block, signed with the enabler's key, says who delegates, to whom, when, and how far; every further
//! block only adds checks. Both speak a closed vocabulary ([`read`]): a block that says anything else is refused, and no
//! stranger's datalog is ever run. So all that a token allows is known when it is presented ([`Grant`]): a world can
//! be shaped by it, and ends with it at the right moment.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use vestibule_model::{
    About, Delegation, FeatureId, Limits, Refusal, RefusalCode, Right, RuleId, Timestamp, TokenId, TwinId, UserId,
};
use vestibule_protocol::{Response, TokenView};

use crate::{
    Actor, CONSOLE_USER, Decision, Effect, Identity, LogEvent, State, Viewer,
    dtif::dtac,
    people::{known, who_am_i},
};

pub use read::{inspect, read};
pub use write::{RootKey, attenuate, mint};

/// Milliseconds that a token can hold at most: what nobody remembers should not open doors.
pub const LONGEST_TOKEN_MS: u64 = 366 * 24 * 60 * 60 * 1_000;
/// Characters of a token: its signatures take 200 for each block.
pub const MOST_CHARACTERS: usize = 4_096;
/// Blocks of a token: each costs a signature's check. People hand things on once or twice.
const MOST_BLOCKS: usize = 8;
/// Tokens on one connection: each is asked for each feature.
const MOST_BORNE: usize = 8;
/// Tokens that one user has delegated and that have not ended.
const MOST_DELEGATED_EACH: usize = 256;
/// The same over all users: none says more than [`MOST_CHARACTERS`], so all of them fit a frame.
const MOST_DELEGATED: usize = 1_024;
/// Revocations that are remembered; the oldest are of tokens that have ended long before.
const MOST_REVOKED: usize = 65_536;

/// Why a text is no token that can be used here.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// More than [`MOST_CHARACTERS`] or too many blocks.
    #[error("a token has at most {MOST_CHARACTERS} characters and {MOST_BLOCKS} blocks")]
    TooLong,
    /// Not a token, or not signed with this enabler's key, or changed since.
    #[error("not a token of this enabler, or changed since it was signed")]
    Forged,
    /// It says something that this enabler does not understand. What is not understood is not allowed.
    #[error("the token says what this enabler does not understand: {0:?}")]
    Strange(String),
    /// It cannot be made.
    #[error("{0}")]
    Unsound(String),
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        let code = match error {
            TokenError::Forged => RefusalCode::Unauthenticated,
            TokenError::TooLong | TokenError::Strange(_) | TokenError::Unsound(_) => RefusalCode::Invalid,
        };
        Self::new(code, error.to_string())
    }
}

/// What a token says, signatures checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The token's and its attenuations', in this order. Each revokes it.
    pub ids: Vec<TokenId>,
    /// Who delegates.
    pub by: UserId,
    /// What to call the bearer.
    #[serde(with = "vestibule_model::personal")]
    pub guest: String,
    /// When it was signed.
    pub issued: Timestamp,
    /// How far it goes, all blocks together.
    pub limits: Limits,
}

/// A token that was delegated, as the log tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegated {
    /// Who delegates.
    pub by: UserId,
    /// What to call the bearer.
    #[serde(with = "vestibule_model::personal")]
    pub guest: String,
    /// How far it goes.
    pub limits: Limits,
}

/// What names a token where a rule would be named.
pub(crate) fn token_rule(id: TokenId) -> RuleId {
    RuleId::slug(&format!("token:{id}"))
}

impl Grant {
    /// What names this token where a rule would be named.
    #[must_use]
    pub fn rule(&self) -> RuleId {
        self.ids.last().map_or_else(|| RuleId::slug(""), |id| token_rule(*id))
    }

    /// What the log calls whoever bears it.
    #[must_use]
    pub fn bearer(&self) -> UserId {
        UserId::slug(&format!("{}:{}", self.by, self.guest))
    }

    /// Whether it leaves this right, where its delegator has it.
    #[must_use]
    pub fn covers(&self, twin: &TwinId, feature: Option<&FeatureId>, right: &Right) -> bool {
        self.limits.cover(About::Twin(twin), feature, right)
    }

    /// Whether it is about this twin.
    #[must_use]
    pub fn covers_twin(&self, twin: &TwinId) -> bool {
        self.limits.cover_twin(twin)
    }

    /// Whether it still holds.
    ///
    /// # Errors
    /// [`Refusal`]: it has expired or was revoked, or nobody stands behind it any more.
    pub fn check(&self, state: &State, now: Timestamp) -> Result<(), Refusal> {
        let refuse = |code, message: String| Err(Refusal { code, rule: Some(self.rule()), message });
        if let Some(until) = self.limits.until.filter(|until| now >= *until) {
            return refuse(RefusalCode::Expired, format!("this token has ended {} ms ago", now.since(until)));
        }
        if self.ids.iter().any(|id| state.revoked.contains_key(id)) {
            return refuse(RefusalCode::Forbidden, format!("this token of {} was revoked", self.by));
        }
        let known = state.users.get(&self.by).is_some_and(|user| user.since <= self.issued);
        if !known && self.by.as_str() != CONSOLE_USER {
            return refuse(RefusalCode::Forbidden, format!("{}, who signed this token, is not known here", self.by));
        }
        Ok(())
    }

    fn is_bound_elsewhere(&self, identity: &Identity) -> bool {
        self.limits.device.is_some_and(|device| *identity != Identity::Certificate(device))
    }
}

pub(crate) fn token_view(grant: &Grant) -> TokenView {
    let id = grant.ids.last().copied().unwrap_or(TokenId([0; 16]));
    TokenView { id, by: grant.by.clone(), guest: grant.guest.clone(), limits: grant.limits.clone() }
}

/// Tokens that were delegated by whom `whose` names and have not ended.
pub(crate) fn delegated(state: &State, now: Timestamp, whose: impl Fn(&UserId) -> bool) -> Vec<TokenView> {
    let open = state.delegated.iter().filter(|(id, token)| {
        whose(&token.by) && token.limits.until.is_none_or(|until| now < until) && !state.revoked.contains_key(id)
    });
    open.map(|(id, token)| {
        let Delegated { by, guest, limits } = token.clone();
        TokenView { id: *id, by, guest, limits }
    })
    .collect()
}

impl State {
    /// Takes a decision about tokens.
    pub(crate) fn apply_tokens(&mut self, at: Timestamp, event: &LogEvent) {
        match event {
            LogEvent::TokenKeySet { key } => self.token_key = Some(*key),
            LogEvent::TokenDelegated { id, by, guest, limits } => {
                let delegated = Arc::make_mut(&mut self.delegated);
                delegated.retain(|_, token| token.limits.until.is_none_or(|until| at < until));
                let token = Delegated { by: by.clone(), guest: guest.clone(), limits: limits.clone() };
                delegated.insert(*id, token);
            }
            LogEvent::TokenRevoked { id, .. } => {
                let until = self.delegated.get(id).and_then(|token| token.limits.until);
                let revoked = Arc::make_mut(&mut self.revoked);
                revoked.retain(|_, until| at < *until);
                revoked.insert(*id, until.unwrap_or_else(|| at.plus(LONGEST_TOKEN_MS)));
                Arc::make_mut(&mut self.delegated).remove(id);
            }
            _ => {}
        }
    }
}

/// Whether `actor` may have this token signed, and in whose name. They need not have the rights at this moment: what
/// counts is what they may when it is used.
///
/// # Errors
/// [`Refusal`]: no user, no end, too many.
pub fn may_delegate(state: &State, now: Timestamp, actor: &Actor, delegation: &Delegation) -> Result<UserId, Refusal> {
    let viewer = Viewer::of(state, now, actor)?;
    known(&viewer, "delegate: narrow your token instead, which needs no enabler")?;
    // A token goes as far as its delegator does on all of their devices: one device of theirs must not get there alone.
    let more: Vec<_> =
        state.roles_of(&viewer.user, now).into_iter().filter(|role| !viewer.roles.contains(role)).collect();
    if !more.is_empty() && !dtac::is_owner(state, &viewer) {
        let more = more.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let message = format!(
            "{0} has roles on other devices that this one has not ({more}): an owner gives them to {0} on all of them, or \
             takes them",
            viewer.user
        );
        return Err(Refusal::new(RefusalCode::Forbidden, message));
    }
    let until = delegation
        .limits
        .until
        .ok_or_else(|| Refusal::new(RefusalCode::Invalid, "a token needs a moment at which it ends: say until when"))?;
    if now >= until || until.since(now) > LONGEST_TOKEN_MS {
        return Err(Refusal::new(RefusalCode::Invalid, "a token ends in the future, within a year"));
    }
    let open = |token: &&Delegated| token.limits.until.is_none_or(|until| now < until);
    let mine = state.delegated.values().filter(open).filter(|token| token.by == viewer.user).count();
    if mine >= MOST_DELEGATED_EACH || state.delegated.values().filter(open).count() >= MOST_DELEGATED {
        let message = format!("{mine} tokens of {} have not ended: revoke some of them first", viewer.user);
        return Err(Refusal::new(RefusalCode::Overloaded, message));
    }
    Ok(viewer.user)
}

/// Writes down that `token` was signed for [`may_delegate`].
///
/// # Errors
/// [`Refusal`] where it is not what was asked for.
pub fn delegate(state: &State, token: String) -> Result<Decision, Refusal> {
    let grant = read(&token, state.token_key)?;
    let Grant { ids, by, guest, limits, .. } = grant;
    let id = ids.first().copied().ok_or(TokenError::Forged)?;
    let event = LogEvent::TokenDelegated { id, by, guest, limits };
    Ok(Decision { reply: Some(Response::Token(token)), ..Decision::done(vec![event]) })
}

pub(crate) fn present(state: &State, now: Timestamp, actor: &Actor, token: &str) -> Result<Decision, Refusal> {
    let grant = Arc::new(read(token, state.token_key)?);
    grant.check(state, now)?;
    if grant.is_bound_elsewhere(&actor.identity) {
        let message = "this token is bound to another device's certificate";
        return Err(Refusal { code: RefusalCode::Forbidden, rule: Some(grant.rule()), message: message.to_owned() });
    }
    let mut bearer = actor.clone();
    if !bearer.tokens.contains(&grant) {
        bearer.tokens.retain(|known| known.check(state, now).is_ok());
        if bearer.tokens.len() >= MOST_BORNE {
            let message = format!("at most {MOST_BORNE} tokens can be presented on a connection");
            return Err(Refusal::new(RefusalCode::Overloaded, message));
        }
        bearer.tokens.push(grant.clone());
    }
    let viewer = Viewer::of(state, now, &bearer)?;
    Ok(Decision::reply(who_am_i(state, &viewer)).with(Effect::Bear(grant)))
}

/// Ends a token: its delegator and owners can.
pub(crate) fn revoke(state: &State, viewer: &Viewer, id: TokenId) -> Result<Decision, Refusal> {
    known(viewer, "revoke tokens")?;
    let own = state.delegated.get(&id).is_some_and(|token| token.by == viewer.user);
    if !own {
        dtac::owners_only(state, viewer, "revoke tokens of others")?;
    }
    if state.revoked.contains_key(&id) {
        return Ok(Decision::done(Vec::new()));
    }
    // Others leave owners room: what they must be able to end at once is worth more than what anybody made and ended.
    let room = if dtac::is_owner(state, viewer) { MOST_REVOKED } else { MOST_REVOKED / 2 };
    if state.revoked.len() >= room && !state.revoked.values().any(|until| viewer.at >= *until) {
        let message = format!(
            "{room} tokens are revoked already: let tokens end by themselves, or change the enabler's token key"
        );
        return Err(Refusal::new(RefusalCode::Overloaded, message));
    }
    Ok(Decision::done(vec![LogEvent::TokenRevoked { id, by: viewer.user.clone() }]))
}
