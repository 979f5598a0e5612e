use std::fmt;

use bevy_ecs::prelude::*;
use vestibule_model::{Limits, Refusal, RuleId, TokenId, TwinId, UserId};

/// A token as text. Whoever has it has what it gives, so it stays out of logs.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenText(pub String);

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenText(......)")
    }
}

/// Request: hand on a part of one's rights, take it back, use what somebody else handed on.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub enum LendRights {
    /// Have a token signed with which somebody acts in the person's stead.
    Lend {
        /// What to call whoever bears it.
        guest: String,
        /// How far it goes; when it ends is said below.
        limits: Limits,
        /// Milliseconds from now on.
        for_ms: u64,
    },
    /// End a token at once.
    TakeBack(TokenId),
    /// Use a token: on this connection and on every later one, until it ends.
    Use(TokenText),
    /// Use a token on no later connection. This one forgets nothing.
    Forget(TokenId),
}

/// A token without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownToken {
    /// What ends it.
    pub id: TokenId,
    /// Who lends.
    pub by: UserId,
    /// What its bearer is called.
    pub guest: String,
    /// How far it goes.
    pub limits: Limits,
}

impl KnownToken {
    /// What names it where a rule would be named.
    #[must_use]
    pub fn rule(&self) -> RuleId {
        RuleId::slug(&format!("token:{}", self.id))
    }
}

/// A token that was signed for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedToken {
    /// Whom it is for.
    pub guest: String,
    /// How far it goes.
    pub limits: Limits,
    /// What to hand over.
    pub text: TokenText,
}

/// A token that somebody handed to the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldToken {
    /// What people call the enabler that signed it.
    pub enabler: String,
    /// What was handed over.
    pub text: TokenText,
    /// What it says; `None` until the enabler has read it.
    pub token: Option<KnownToken>,
    /// The enabler is being asked whether it holds.
    pub asked: bool,
    /// Something happened since: it has to be asked once more.
    pub again: bool,
}

/// What used to be lent to the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedToken {
    /// What it said, where that is known.
    pub token: Option<KnownToken>,
    /// Why it gives nothing any more.
    pub why: Refusal,
}

/// What the person has lent, and what was lent to them.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownLending {
    /// Tokens that hold: the person's own, for owners everybody's.
    pub lent: Vec<KnownToken>,
    /// A token is being signed.
    pub asking: bool,
    /// The token that was signed last.
    pub signed: Option<SignedToken>,
    /// Why the last one was not signed, or not ended.
    pub problem: Option<Refusal>,
    /// What others handed to the person, and still holds as far as is known.
    pub held: Vec<HeldToken>,
    /// A token that was given by hand and is being looked at.
    pub trying: bool,
    /// Why that one cannot be used.
    pub refused: Option<Refusal>,
    /// What was lent and is no more, oldest first.
    pub ended: Vec<EndedToken>,
}

/// Ended tokens that are told of: more than can be borne at once.
const MOST_ENDED: usize = 16;

impl KnownLending {
    /// The token that a rule's name stands for, where it was lent to the person.
    #[must_use]
    pub fn by_rule(&self, rule: &RuleId) -> Option<&KnownToken> {
        let tokens = self.held.iter().filter_map(|held| held.token.as_ref());
        let ended = self.ended.iter().filter_map(|ended| ended.token.as_ref());
        tokens.chain(ended).find(|token| token.rule() == *rule)
    }

    /// What was lent to the person about a twin.
    pub fn about<'a>(&'a self, twin: &'a TwinId) -> impl Iterator<Item = &'a KnownToken> {
        self.held.iter().filter_map(|held| held.token.as_ref()).filter(|token| token.limits.cover_twin(twin))
    }

    /// A token is over.
    pub fn end(&mut self, ended: EndedToken) {
        if self.ended.len() >= MOST_ENDED {
            self.ended.remove(0);
        }
        self.ended.push(ended);
    }
}

#[cfg(test)]
mod tests {
    use vestibule_model::RefusalCode;

    use super::*;

    fn token(id: u8) -> KnownToken {
        let limits = Limits { twins: Some(Vec::new()), ..Limits::default() };
        KnownToken { id: TokenId([id; 16]), by: UserId::slug("ada"), guest: "bob".to_owned(), limits }
    }

    #[test]
    fn no_log_shows_a_token() {
        assert!(!format!("{:?}", LendRights::Use(TokenText("secret".to_owned()))).contains("secret"));
    }

    #[test]
    fn what_has_ended_is_known_by_its_rule_and_bounded() {
        let mut known = KnownLending::default();
        for id in 0..40 {
            let why = Refusal::new(RefusalCode::Expired, "over");
            known.end(EndedToken { token: Some(token(id)), why });
        }
        assert_eq!(known.ended.len(), MOST_ENDED);
        assert_eq!(known.by_rule(&token(39).rule()), Some(&token(39)));
        assert!(known.by_rule(&token(1).rule()).is_none());
        assert!(known.about(&TwinId::new("home/door").unwrap()).next().is_none());
    }
}
