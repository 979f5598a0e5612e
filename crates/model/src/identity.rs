use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    About, ActionId, FeatureId, Fingerprint, Right, RoleId, RuleId, ServiceId, SystemId, Timestamp, TwinId,
    TwinSelector, UserId,
};

/// A user whom owners manage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserInfo {
    /// Their id; it never changes.
    pub id: UserId,
    /// For people.
    #[serde(with = "crate::personal")]
    #[schema(min_length = 1, max_length = 256)]
    pub name: String,
    /// What they may be on every device of theirs. A device can have been given more when it was paired.
    #[schema(max_items = 16)]
    pub roles: Vec<RoleId>,
    /// Who else vouches for them; left out: nobody.
    #[serde(default)]
    pub login: Option<Login>,
}

/// A person as an OpenID provider knows them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Login {
    /// The provider.
    pub issuer: String,
    /// Its name for the person; it never changes.
    #[serde(with = "crate::personal")]
    pub subject: String,
}

/// How far a token lets its bearer go. `None` adds no limit; every attenuation of a token adds limits, and all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Limits {
    /// Only these twins.
    pub twins: Option<Vec<TwinSelector>>,
    /// Only these features of them.
    pub features: Option<Vec<FeatureId>>,
    /// Only these actions; reading stays. Empty: nothing but reading.
    pub actions: Option<Vec<ActionId>>,
    /// Nothing from this moment on.
    pub until: Option<Timestamp>,
    /// For leases: priority at most.
    pub priority: Option<u8>,
    /// Only on a connection with this certificate.
    pub device: Option<Fingerprint>,
}

impl Limits {
    /// What both allow.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let twins = both(&self.twins, &other.twins, narrower);
        // Two certificates: no connection has both.
        let torn = matches!((&self.device, &other.device), (Some(mine), Some(theirs)) if mine != theirs);
        Self {
            twins: if torn { Some(Vec::new()) } else { twins },
            features: both(&self.features, &other.features, same),
            actions: both(&self.actions, &other.actions, same),
            until: self.until.into_iter().chain(other.until).min(),
            priority: self.priority.into_iter().chain(other.priority).min(),
            device: self.device.or(other.device),
        }
    }

    /// Whether they reach to this twin at all.
    #[must_use]
    pub fn cover_twin(&self, twin: &TwinId) -> bool {
        self.twins.as_ref().is_none_or(|twins| twins.iter().any(|selector| selector.covers(twin)))
    }

    /// Whether they leave this right. To act on a feature leaves to see it; nothing leaves to manage, or a system's
    /// services.
    #[must_use]
    pub fn cover(&self, about: About<'_>, feature: Option<&FeatureId>, right: &Right) -> bool {
        let twin = match about {
            About::Twin(twin) => twin,
            // Nobody finds a door without its house.
            About::System(system) => {
                let shows = |selector: &TwinSelector| match selector {
                    TwinSelector::All => true,
                    TwinSelector::System(one) => one == system,
                    TwinSelector::Twin(twin) => twin.system() == *system,
                };
                return *right == Right::Read && self.twins.as_ref().is_none_or(|twins| twins.iter().any(shows));
            }
        };
        let features = match (&self.features, feature) {
            (None, _) => true,
            (Some(features), Some(feature)) => features.contains(feature),
            // Nobody finds a lock without its door.
            (Some(_), None) => *right == Right::Read,
        };
        let actions = match right {
            Right::Read => true,
            Right::Act(action) => self.actions.as_ref().is_none_or(|actions| actions.contains(action)),
            Right::ActAny => self.actions.is_none(),
            Right::Manage | Right::Use(_) | Right::UseAny => false,
        };
        features && actions && self.cover_twin(twin)
    }
}

fn both<T: Clone + PartialEq>(
    mine: &Option<Vec<T>>,
    theirs: &Option<Vec<T>>,
    meet: impl Fn(&T, &T) -> Option<T>,
) -> Option<Vec<T>> {
    match (mine, theirs) {
        (Some(mine), Some(theirs)) => {
            let mut kept = Vec::new();
            for met in mine.iter().flat_map(|a| theirs.iter().filter_map(|b| meet(a, b)).collect::<Vec<_>>()) {
                if !kept.contains(&met) {
                    kept.push(met);
                }
            }
            Some(kept)
        }
        (one, other) => one.clone().or_else(|| other.clone()),
    }
}

fn same<T: Clone + PartialEq>(a: &T, b: &T) -> Option<T> {
    (a == b).then(|| a.clone())
}

fn narrower(a: &TwinSelector, b: &TwinSelector) -> Option<TwinSelector> {
    let within = |narrow: &TwinSelector, wide: &TwinSelector| match (narrow, wide) {
        (_, TwinSelector::All) => true,
        (TwinSelector::Twin(twin), wide) => wide.covers(twin),
        (narrow, wide) => narrow == wide,
    };
    if within(a, b) { Some(a.clone()) } else { within(b, a).then(|| b.clone()) }
}

/// What a user hands on to somebody whom the enabler need not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delegation {
    /// What to call whoever bears the token, for the log.
    pub guest: String,
    /// How far they may go; never further than whoever delegates. It has to say until when.
    pub limits: Limits,
}

/// A question about permission: why may somebody (not) do this?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Inquiry {
    /// About whom; `None`: whoever asks. Only owners ask about others.
    pub user: Option<UserId>,
    /// To do what.
    pub what: Wanted,
}

/// What somebody might want.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// See a twin, or one feature of it.
    Read {
        /// The twin.
        twin: TwinId,
        /// The feature; `None`: the twin as such.
        feature: Option<FeatureId>,
    },
    /// Have it do something.
    Act {
        /// The twin.
        twin: TwinId,
        /// The feature.
        feature: FeatureId,
        /// What it should do.
        action: ActionId,
    },
    /// Be the one who integrates with its physical object.
    Lease {
        /// The twin.
        twin: TwinId,
    },
    /// Have a system perform a service.
    Use {
        /// The system.
        system: SystemId,
        /// The service.
        service: ServiceId,
    },
    /// Change rules, users and devices.
    Manage,
}

/// Why somebody may or may not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// Whether they may.
    pub allowed: bool,
    /// The rule that decided; `None`: no rule gives it.
    pub rule: Option<RuleId>,
    /// The same in words, with what the rule says.
    pub words: String,
    /// The priority that they have for leases on the twin; 0 where it is not about one.
    pub priority: u8,
}
