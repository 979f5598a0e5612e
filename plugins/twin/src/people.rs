use bevy_ecs::prelude::*;
use vestibule_model::{Fingerprint, Refusal, RoleId, Rule, RuleId, Timestamp, TwinId, UserId, UserInfo};

/// Request: manage whom the enabler knows and what they may do. Owners may; others see themselves.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub enum ManagePeople {
    /// Bring [`KnownPeople`] up to date.
    Look,
    /// Show a code with which one more device, of somebody new, becomes known with this role.
    LetIn(RoleId),
    /// Make a device unknown.
    Forget(Fingerprint),
    /// Take a user away, with their devices and rules.
    Remove(UserId),
    /// Let a user see and use a twin.
    Allow {
        /// Whom.
        user: UserId,
        /// What.
        twin: TwinId,
        /// Milliseconds from now on; `None`: until it is taken away.
        for_ms: Option<u64>,
    },
    /// Take a rule away.
    TakeAway(RuleId),
}

/// A user with their devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownUser {
    /// The user.
    pub info: UserInfo,
    /// Their devices.
    pub devices: Vec<KnownDevice>,
}

/// A device that the enabler knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    /// Names it.
    pub id: Fingerprint,
    /// For people.
    pub name: String,
    /// Roles that it was given itself.
    pub roles: Vec<RoleId>,
}

/// A pairing code that the enabler takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownCode {
    /// Six digits.
    pub digits: String,
    /// It can be used until then, by the enabler's clock.
    pub until: Timestamp,
}

/// Whom the enabler knows, as far as the person may see it. Empty until [`ManagePeople::Look`] is answered.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct KnownPeople {
    /// Who the person is for the enabler, and whether they may manage everything.
    pub me: Option<(UserId, bool)>,
    /// Users, by id.
    pub users: Vec<KnownUser>,
    /// Every rule, where the person may see them.
    pub rules: Vec<Rule>,
    /// The code that was asked for last.
    pub code: Option<ShownCode>,
    /// Why the last question or change was refused.
    pub problem: Option<Refusal>,
}
