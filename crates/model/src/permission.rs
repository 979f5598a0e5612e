use serde::{Deserialize, Serialize};

use crate::{ActionId, FeatureId, RoleId, RuleId, SystemId, TwinId, UserId};

/// Who a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// Everyone whom the enabler knows.
    Anyone,
    /// Everyone with this role.
    Role(RoleId),
    /// This user alone.
    User(UserId),
}

/// Which twins a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TwinSelector {
    /// All of them.
    All,
    /// Those of one system.
    System(SystemId),
    /// One twin.
    Twin(TwinId),
}

/// What somebody wants to do with a twin or a feature of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Right {
    /// See it and what it reports.
    Read,
    /// Have it perform this action.
    Act(ActionId),
    /// Have it perform any action (in rules).
    ActAny,
    /// Change who may do what with it.
    Manage,
}

/// Whether a rule gives or takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RuleEffect {
    /// Gives the right.
    Allow,
    /// Takes it, whatever else gives it.
    Deny,
}

/// A rule of access control (DTAC, REQ-DT-05).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name, given with every decision that it makes.
    pub id: RuleId,
    /// Whom it is about.
    pub who: Subject,
    /// Which twins it is about.
    pub twins: TwinSelector,
    /// Which feature; `None`: all.
    pub feature: Option<FeatureId>,
    /// Which right.
    pub right: Right,
    /// Whether it gives or takes.
    pub effect: RuleEffect,
}

/// A question of access control: may this user do this here?
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// Who asks.
    pub user: &'a UserId,
    /// The roles that they have.
    pub roles: &'a [RoleId],
    /// About which twin.
    pub twin: &'a TwinId,
    /// About which feature; `None`: the twin as such (its name and place).
    pub feature: Option<&'a FeatureId>,
    /// To do what.
    pub right: &'a Right,
}

/// The answer, with the rule that gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether they may.
    pub allowed: bool,
    /// The rule that decided; `None`: no rule gives it, so it is refused.
    pub rule: Option<RuleId>,
}

impl Rule {
    fn concerns(&self, access: &Access<'_>) -> bool {
        let who = match &self.who {
            Subject::Anyone => true,
            Subject::Role(role) => access.roles.contains(role),
            Subject::User(user) => user == access.user,
        };
        let twin = match &self.twins {
            TwinSelector::All => true,
            TwinSelector::System(system) => access.twin.as_str().split('/').next() == Some(system.as_str()),
            TwinSelector::Twin(twin) => twin == access.twin,
        };
        // A rule about one feature also opens the twin as such for reading: nobody finds a button without its door.
        let feature = match (&self.feature, access.feature) {
            (None, _) => true,
            (Some(rule), Some(asked)) => rule == asked,
            (Some(_), None) => self.effect == RuleEffect::Allow && *access.right == Right::Read,
        };
        who && twin && feature && self.gives(access.right)
    }

    fn gives(&self, asked: &Right) -> bool {
        match (&self.right, asked) {
            (Right::Manage, _) => self.effect == RuleEffect::Allow || *asked == Right::Manage,
            (Right::ActAny | Right::Act(_), Right::Read) => self.effect == RuleEffect::Allow,
            (Right::ActAny, Right::Act(_) | Right::ActAny) => true,
            // Who may not see a thing may not act on it.
            (Right::Read, Right::Act(_) | Right::ActAny) => self.effect == RuleEffect::Deny,
            (mine, theirs) => mine == theirs,
        }
    }
}

/// Decides a question: any `Deny` that concerns it wins, then any `Allow`, else no.
///
/// To act gives to read; to manage gives everything; who is denied to read is denied to act.
///
/// ```
/// use vestibule_model::*;
/// let rule = Rule {
///     id: RuleId::slug("guests-see"), who: Subject::Role(RoleId::slug("guest")), twins: TwinSelector::All,
///     feature: None, right: Right::Read, effect: RuleEffect::Allow,
/// };
/// let (user, roles, twin) = (UserId::slug("ada"), [RoleId::slug("guest")], TwinId::new("home/lamp")?);
/// let ask = |right: &Right| decide_access([&rule], &Access { user: &user, roles: &roles, twin: &twin, feature: None, right });
/// assert!(ask(&Right::Read).allowed);
/// assert!(!ask(&Right::Act(ActionId::slug("turn_on"))).allowed);
/// # Ok::<(), IdError>(())
/// ```
#[must_use]
pub fn decide_access<'a>(rules: impl IntoIterator<Item = &'a Rule>, access: &Access<'_>) -> Verdict {
    let mut allow = None;
    for rule in rules {
        if !rule.concerns(access) {
            continue;
        }
        match rule.effect {
            RuleEffect::Deny => return Verdict { allowed: false, rule: Some(rule.id.clone()) },
            RuleEffect::Allow if allow.is_none() => allow = Some(rule.id.clone()),
            RuleEffect::Allow => {}
        }
    }
    Verdict { allowed: allow.is_some(), rule: allow }
}
