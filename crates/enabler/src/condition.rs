//! What must be so for a request to be decided at all: a transport's guard against lost updates.

use vestibule_model::{ContentHash, Refusal, RefusalCode, Rule, RuleId};

use crate::State;

/// Checked in the same breath as the decision, so nothing comes between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The rule is still the one with this [`tag`](Self::tag); `None`: there is none yet.
    RuleIs(RuleId, Option<String>),
    /// There is such a rule.
    RuleExists(RuleId),
}

impl Condition {
    /// Names exactly what a rule says: another one has another tag.
    #[must_use]
    pub fn tag(rule: &Rule) -> String {
        // A rule is always JSON: the log has it so.
        let bytes = serde_json::to_vec(rule).unwrap_or_default();
        let mut tag = ContentHash::of(&bytes).to_string();
        tag.truncate(32);
        tag
    }

    /// Whether it is so.
    ///
    /// # Errors
    /// [`RefusalCode::RevisionMismatch`] where it is not.
    pub fn check(&self, state: &State) -> Result<(), Refusal> {
        let (id, holds) = match self {
            Self::RuleIs(id, tag) => (id, state.rules.get(id).map(Self::tag) == *tag),
            Self::RuleExists(id) => (id, state.rules.contains_key(id)),
        };
        if holds {
            return Ok(());
        }
        let message = format!("rule {id} is not as it was when you looked: look again");
        Err(Refusal::new(RefusalCode::RevisionMismatch, message))
    }
}
