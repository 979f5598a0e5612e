use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ActionId, FeatureId, RoleId, RuleId, ServiceId, SystemId, TwinId, UserId};

/// Who a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Everyone whom the enabler knows.
    #[serde(alias = "Anyone")]
    Anyone,
    /// Everyone with this role.
    #[serde(alias = "Role")]
    Role(RoleId),
    /// This user alone.
    #[serde(alias = "User")]
    User(UserId),
}

/// Which twins, and which systems, a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TwinSelector {
    /// All of them.
    #[serde(alias = "All")]
    All,
    /// One system and its twins.
    #[serde(alias = "System")]
    System(SystemId),
    /// One twin.
    #[serde(alias = "Twin")]
    Twin(TwinId),
}

/// What somebody wants to do with a twin, a feature of it, or a system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// See it and what it reports.
    #[serde(alias = "Read")]
    Read,
    /// Have it perform this action.
    #[serde(alias = "Act")]
    Act(ActionId),
    /// Have it perform any action (in rules).
    #[serde(alias = "ActAny")]
    ActAny,
    /// Change who may do what with it.
    #[serde(alias = "Manage")]
    Manage,
    /// Have a system perform this service.
    Use(ServiceId),
    /// Have a system perform any service (in rules).
    UseAny,
}

/// Whether a rule gives or takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleEffect {
    /// Gives the right.
    #[serde(alias = "Allow")]
    Allow,
    /// Takes it, whatever else gives it.
    #[serde(alias = "Deny")]
    Deny,
}

/// A rule of access control (DTAC, REQ-DT-05).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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

/// What a question of access control is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About<'a> {
    /// A twin.
    Twin(&'a TwinId),
    /// A system: that it is there, and its services.
    System(&'a SystemId),
}

/// A question of access control: may this user do this here?
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// Who asks.
    pub user: &'a UserId,
    /// The roles that they have.
    pub roles: &'a [RoleId],
    /// About what.
    pub about: About<'a>,
    /// About which feature of a twin; `None`: the twin as such (its name and place).
    pub feature: Option<&'a FeatureId>,
    /// To do what.
    pub right: &'a Right,
}

/// What one user may do with one twin by the rules of its own system (REQ-DT-05, P2.10). It only takes: whatever it
/// leaves, the enabler's rules have to give.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TwinPermission {
    /// The system leaves it to the enabler's rules.
    #[default]
    Unrestricted,
    /// Only these features may be read, and only these actions of each performed.
    Only(BTreeMap<FeatureId, BTreeSet<ActionId>>),
}

impl TwinPermission {
    /// Whether it leaves `right` to a feature; `None`: to the twin as such.
    #[must_use]
    pub fn leaves(&self, feature: Option<&FeatureId>, right: &Right) -> bool {
        let Self::Only(features) = self else { return true };
        match (feature, right) {
            (None, Right::Read) => !features.is_empty(),
            (Some(feature), Right::Read) => features.contains_key(feature),
            (Some(feature), Right::Act(action)) => features.get(feature).is_some_and(|may| may.contains(action)),
            // Who may change the rules is the enabler's business.
            (_, Right::Manage) => true,
            _ => false,
        }
    }
}

/// The answer, with the rule that gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
        let system_of = |twin: &TwinId, system: &SystemId| twin.as_str().split('/').next() == Some(system.as_str());
        let opens = self.effect == RuleEffect::Allow && *access.right == Right::Read;
        let about = match (&self.twins, access.about) {
            (TwinSelector::All, _) => true,
            (TwinSelector::System(mine), About::Twin(twin)) => system_of(twin, mine),
            (TwinSelector::Twin(mine), About::Twin(twin)) => mine == twin,
            (TwinSelector::System(mine), About::System(system)) => mine == system,
            // A rule about one twin also opens its system for reading: nobody finds a door without its house.
            (TwinSelector::Twin(mine), About::System(system)) => opens && system_of(mine, system),
        };
        // A rule about one feature also opens the twin as such for reading: nobody finds a button without its door.
        let feature = match (&self.feature, access.feature) {
            (None, _) => true,
            (Some(rule), Some(asked)) => rule == asked,
            (Some(_), None) => opens,
        };
        who && about && feature && (self.gives(access.right) || self.shows_system(access))
    }

    /// Who may use a system's services may see the system, though not its twins.
    fn shows_system(&self, access: &Access<'_>) -> bool {
        let uses = matches!(self.right, Right::Use(_) | Right::UseAny) && self.effect == RuleEffect::Allow;
        uses && *access.right == Right::Read && matches!(access.about, About::System(_))
    }

    fn gives(&self, asked: &Right) -> bool {
        match (&self.right, asked) {
            (Right::Manage, _) => self.effect == RuleEffect::Allow || *asked == Right::Manage,
            (Right::ActAny | Right::Act(_), Right::Read) => self.effect == RuleEffect::Allow,
            (Right::ActAny, Right::Act(_) | Right::ActAny) => true,
            (Right::UseAny, Right::Use(_) | Right::UseAny) => true,
            // Who may not see a thing may not act on it, and not use it.
            (Right::Read, Right::Act(_) | Right::ActAny | Right::Use(_) | Right::UseAny) => {
                self.effect == RuleEffect::Deny
            }
            (mine, theirs) => mine == theirs,
        }
    }
}

/// Decides a question: any `Deny` that concerns it wins, then any `Allow`, else no.
///
/// To act gives to read; to manage gives everything; who is denied to read is denied to act. To use a service of a
/// system gives to see the system, not its twins.
///
/// ```
/// use vestibule_model::*;
/// let rule = Rule {
///     id: RuleId::slug("guests-see"), who: Subject::Role(RoleId::slug("guest")), twins: TwinSelector::All,
///     feature: None, right: Right::Read, effect: RuleEffect::Allow,
/// };
/// let (user, roles, twin) = (UserId::slug("ada"), [RoleId::slug("guest")], TwinId::new("home/lamp")?);
/// let ask = |right: &Right| decide_access([&rule], &Access { user: &user, roles: &roles, about: About::Twin(&twin), feature: None, right });
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
