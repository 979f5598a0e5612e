use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ActionId, FeatureId, RoleId, RuleId, ServiceId, SystemId, Timestamp, TwinId, UserId};

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
    /// It decides until this moment and nothing from then on; `None`: until it is taken away.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// How urgent it makes those whom it allows something, for leases (REQ-DT-08); `None`: 0.
    #[serde(default)]
    pub priority: Option<u8>,
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
    /// When. Expired rules decide nothing.
    pub at: Timestamp,
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

impl TwinSelector {
    /// Whether it names this twin.
    #[must_use]
    pub fn covers(&self, twin: &TwinId) -> bool {
        match self {
            Self::All => true,
            Self::System(system) => twin.as_str().split('/').next() == Some(system.as_str()),
            Self::Twin(one) => one == twin,
        }
    }
}

impl Rule {
    /// Whether it decides anything at `now`.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether it has a say in this question.
    #[must_use]
    pub fn concerns(&self, access: &Access<'_>) -> bool {
        let who = match &self.who {
            Subject::Anyone => true,
            Subject::Role(role) => access.roles.contains(role),
            Subject::User(user) => user == access.user,
        };
        let opens = self.effect == RuleEffect::Allow && *access.right == Right::Read;
        let about = match (&self.twins, access.about) {
            (selector, About::Twin(twin)) => selector.covers(twin),
            (TwinSelector::All, About::System(_)) => true,
            (TwinSelector::System(mine), About::System(system)) => mine == system,
            // A rule about one twin also opens its system for reading: nobody finds a door without its house.
            (TwinSelector::Twin(mine), About::System(system)) => opens && mine.system() == *system,
        };
        // A rule about one feature also opens the twin as such for reading: nobody finds a button without its door.
        let feature = match (&self.feature, access.feature) {
            (None, _) => true,
            (Some(rule), Some(asked)) => rule == asked,
            (Some(_), None) => opens,
        };
        let gives = self.gives(access.right) || self.shows_system(access);
        self.is_in_force(access.at) && who && about && feature && gives
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
///     feature: None, right: Right::Read, effect: RuleEffect::Allow, until: Some(Timestamp(1_000)), priority: None,
/// };
/// let (user, roles, twin) = (UserId::slug("ada"), [RoleId::slug("guest")], TwinId::new("home/lamp")?);
/// let ask = |right: &Right, at| {
///     let about = About::Twin(&twin);
///     let access = Access { user: &user, roles: &roles, about, feature: None, right, at: Timestamp(at) };
///     decide_access([&rule], &access).allowed
/// };
/// assert!(ask(&Right::Read, 999) && !ask(&Right::Read, 1_000), "an expired rule decides nothing");
/// assert!(!ask(&Right::Act(ActionId::slug("turn_on")), 0));
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

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("everyone"),
            Self::Role(role) => write!(f, "everyone with the role {role}"),
            Self::User(user) => write!(f, "{user}"),
        }
    }
}

impl fmt::Display for TwinSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all twins"),
            Self::System(system) => write!(f, "the twins of {system}"),
            Self::Twin(twin) => write!(f, "{twin}"),
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read => f.write_str("see"),
            Self::Act(action) => write!(f, "{action}"),
            Self::ActAny => f.write_str("do anything with"),
            Self::Manage => f.write_str("manage"),
            Self::Use(service) => write!(f, "use {service} of"),
            Self::UseAny => f.write_str("use any service of"),
        }
    }
}

impl fmt::Display for Rule {
    /// The rule in words: `postman may unlock lock of home/door`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let may = if self.effect == RuleEffect::Allow { "may" } else { "may not" };
        write!(f, "{} {may} {} ", self.who, self.right)?;
        if let Some(feature) = &self.feature {
            write!(f, "{feature} of ")?;
        }
        write!(f, "{}", self.twins)?;
        if let Some(priority) = self.priority {
            write!(f, ", with priority {priority}")?;
        }
        if self.until.is_some() {
            f.write_str(", for a time")?;
        }
        Ok(())
    }
}
