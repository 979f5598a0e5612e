use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_model::{Fingerprint, Limits, RoleId, Timestamp, TokenId, UserId, UserInfo};

/// Who somebody is taken for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// The user; for whoever only bears a token, `delegator:guest`.
    pub user: UserId,
    /// Their roles on this device.
    pub roles: Vec<RoleId>,
    /// Whether they may manage everything.
    pub owner: bool,
    /// Tokens that hold on this connection.
    pub tokens: Vec<TokenView>,
}

/// Whom the enabler knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct People {
    /// Users, by id.
    pub users: Vec<UserView>,
    /// Tokens that were delegated and have not ended.
    pub tokens: Vec<TokenView>,
}

/// A user with their devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserView {
    /// The user.
    pub info: UserInfo,
    /// Their devices.
    pub devices: Vec<DeviceView>,
}

/// A known device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceView {
    /// Names it.
    pub id: Fingerprint,
    /// For people.
    pub name: String,
    /// Roles that it was given itself.
    pub roles: Vec<RoleId>,
    /// When it became known.
    pub since: Timestamp,
    /// It is known until then; `None`: until it is revoked.
    pub until: Option<Timestamp>,
}

/// A delegated token, without the token itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    /// What revokes it.
    pub id: TokenId,
    /// Who delegates.
    pub by: UserId,
    /// What its bearer is called.
    pub guest: String,
    /// How far it goes, all attenuations together.
    pub limits: Limits,
}
