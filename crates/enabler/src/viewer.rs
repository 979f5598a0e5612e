//! Who asks, at which moment, and by whose leave.

use std::sync::Arc;

use vestibule_model::{About, Access, FeatureId, Refusal, RefusalCode, Right, RoleId, Timestamp, UserId};

use crate::{Actor, CONSOLE_USER, Grant, Identity, OWNER_ROLE, State};

/// A token that holds for somebody at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearing {
    /// What it allows.
    pub grant: Arc<Grant>,
    /// The roles of whoever delegated it, by now.
    pub roles: Vec<RoleId>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The user; of whoever only bears a token, `delegator:guest`.
    pub user: UserId,
    /// Their roles on this device.
    pub roles: Vec<RoleId>,
    /// The moment of the question: expired rules and tokens decide nothing.
    pub at: Timestamp,
    /// Whether they are a user of this enabler. Who is not has no rights but those of their tokens.
    pub is_user: bool,
    /// Tokens that they presented and that still hold.
    pub tokens: Vec<Bearing>,
}

impl Viewer {
    /// Who speaks on this connection.
    ///
    /// # Errors
    /// [`RefusalCode::Unauthenticated`] where nobody is known, or no longer.
    pub fn of(state: &State, now: Timestamp, actor: &Actor) -> Result<Self, Refusal> {
        let tokens: Vec<Bearing> = actor.tokens.iter().filter_map(|grant| bearing(state, now, grant)).collect();
        let known = match &actor.identity {
            Identity::Certificate(fingerprint) => state
                .devices
                .get(fingerprint)
                .filter(|device| device.until.is_none_or(|until| now < until))
                .map(|device| (device.user.clone(), state.roles_on(&device.user, &device.roles))),
            Identity::Console => Some((UserId::slug(CONSOLE_USER), vec![RoleId::slug(OWNER_ROLE)])),
            Identity::Local(_) => None,
        };
        if let Some((user, roles)) = known {
            return Ok(Self { user, roles, at: now, is_user: true, tokens });
        }
        let Some(first) = tokens.first() else {
            let message = "this device is not known here: pair it with a code from the enabler's owner";
            return Err(Refusal::new(RefusalCode::Unauthenticated, message));
        };
        Ok(Self { user: first.grant.bearer(), roles: Vec::new(), at: now, is_user: false, tokens })
    }

    /// The user of a device, without what tokens allow on some connection of it: that is not theirs to pass on.
    pub(crate) fn on(state: &State, now: Timestamp, device: &Identity) -> Result<Self, Refusal> {
        Self::of(state, now, &Actor::new(device.clone()))
    }

    /// A user as such, on no particular device.
    ///
    /// # Errors
    /// [`RefusalCode::NotFound`].
    pub fn user(state: &State, now: Timestamp, user: &UserId) -> Result<Self, Refusal> {
        if user.as_str() != CONSOLE_USER && !state.users.contains_key(user) {
            return Err(Refusal::new(RefusalCode::NotFound, format!("there is no user {user}")));
        }
        let roles = state.roles_of(user, now);
        Ok(Self { user: user.clone(), roles, at: now, is_user: true, tokens: Vec::new() })
    }

    /// The question whether they have `right`.
    #[must_use]
    pub fn access<'a>(&'a self, about: About<'a>, feature: Option<&'a FeatureId>, right: &'a Right) -> Access<'a> {
        Access { user: &self.user, roles: &self.roles, about, feature, right, at: self.at }
    }
}

fn bearing(state: &State, now: Timestamp, grant: &Arc<Grant>) -> Option<Bearing> {
    grant.check(state, now).ok()?;
    Some(Bearing { grant: grant.clone(), roles: state.roles_of(&grant.by, now) })
}
