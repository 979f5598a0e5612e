//! Users, their devices and what they delegate (REQ-DT-04): who there is, who comes and who goes.

use std::sync::Arc;

use axum::{Json as Answer, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{Delegation, Fingerprint, RoleId, Timestamp, TokenId, UserId, UserInfo};
use vestibule_protocol::{Disclosures, Me, People, Request, Response};

use super::{
    Api, Problem,
    body::{Json, Path},
    caller::Caller,
    problem::{BadBody, Refusals},
};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(me))
        .routes(routes!(users))
        .routes(routes!(set_user, remove_user))
        .routes(routes!(erase))
        .routes(routes!(revoke_device))
        .routes(routes!(open_pairing))
        .routes(routes!(delegate))
        .routes(routes!(revoke_token))
}

/// Who asks, as the enabler sees them.
#[derive(Serialize, ToSchema)]
struct Myself {
    /// Them.
    #[serde(flatten)]
    me: Me,
    /// The enabler's name.
    enabler: String,
    /// The enabler's clock: moments are told in its time.
    now: Timestamp,
}

/// Who am I
#[utoipa::path(
    get, path = "/v1/me", tag = "identity",
    responses((status = 200, description = "This is you.", body = Myself), Refusals)
)]
async fn me(caller: Caller, State(api): State<Arc<Api>>) -> Result<Answer<Myself>, Problem> {
    match caller.ask(Request::WhoAmI).await? {
        Response::Me(me) => Ok(Answer(Myself { me, enabler: api.shared.name.clone(), now: api.clock.now() })),
        _ => Err(Problem::strange()),
    }
}

/// Users, their devices and what was delegated
///
/// All of them for owners, oneself for others.
#[utoipa::path(
    get, path = "/v1/users", tag = "identity",
    responses((status = 200, description = "Whom the enabler knows.", body = People), Refusals)
)]
async fn users(caller: Caller) -> Result<Answer<People>, Problem> {
    match caller.ask(Request::Users).await? {
        Response::People(people) => Ok(Answer(people)),
        _ => Err(Problem::strange()),
    }
}

/// Add a user, or change one (owners only)
#[utoipa::path(
    put, path = "/v1/users/{user}", tag = "administration", request_body = UserInfo,
    params(("user" = UserId, Path, description = "The user: the same as in the body.")),
    responses((status = 204, description = "It is so from now on."), Refusals, BadBody)
)]
async fn set_user(caller: Caller, Path(id): Path<UserId>, Json(user): Json<UserInfo>) -> Result<StatusCode, Problem> {
    if user.id != id {
        return Err(Problem::invalid(format!("the path names user {id}, the body {}", user.id)));
    }
    caller.done(Request::SetUser(user)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a user away with all their devices and rules; their connections end (owners only)
#[utoipa::path(
    delete, path = "/v1/users/{user}", tag = "administration",
    params(("user" = UserId, Path, description = "The user.")),
    responses((status = 204, description = "They are gone."), Refusals)
)]
async fn remove_user(caller: Caller, Path(user): Path<UserId>) -> Result<StatusCode, Problem> {
    caller.done(Request::RemoveUser(user)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forget a person: what was written about them reads as erased, and what they gave is unreadable (owners only)
///
/// What systems were told of them before is theirs to erase: the answer says who has what.
#[utoipa::path(
    post, path = "/v1/users/{user}/erasure", tag = "administration",
    params(("user" = UserId, Path, description = "The user.")),
    responses((status = 200, description = "They are forgotten. These systems know of them.", body = Disclosures), Refusals)
)]
async fn erase(caller: Caller, Path(user): Path<UserId>) -> Result<Answer<Disclosures>, Problem> {
    match caller.ask(Request::Erase { user }).await? {
        Response::Erased(told) => Ok(Answer(told)),
        _ => Err(Problem::strange()),
    }
}

/// Make a device unknown: one's own, or any (owners)
///
/// A token that `POST /v1/pairing` gave is a device too.
#[utoipa::path(
    delete, path = "/v1/devices/{device}", tag = "identity",
    params(("device" = Fingerprint, Path, description = "The device.")),
    responses((status = 204, description = "Nobody knows it any more."), Refusals)
)]
async fn revoke_device(caller: Caller, Path(device): Path<Fingerprint>) -> Result<StatusCode, Problem> {
    caller.done(Request::RevokeDevice(device)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// For whom a code is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Newcomer {
    /// What the device may be.
    role: RoleId,
    /// Whose it will be; where not given: somebody new, named like the device.
    user: Option<UserId>,
}

/// Six digits for one device.
#[derive(Serialize, ToSchema)]
struct Code {
    /// For `POST /v1/pairing`.
    digits: String,
    /// They can be used until then.
    until: Timestamp,
}

/// Show a pairing code: owners for everybody, others for themselves with a role that they have
#[utoipa::path(
    post, path = "/v1/pairing/codes", tag = "identity", request_body = Newcomer,
    responses((status = 201, description = "Type this on the device.", body = Code), Refusals, BadBody)
)]
async fn open_pairing(
    caller: Caller,
    Json(Newcomer { role, user }): Json<Newcomer>,
) -> Result<(StatusCode, Answer<Code>), Problem> {
    match caller.ask(Request::OpenPairing { role, user }).await? {
        Response::Code { digits, until } => Ok((StatusCode::CREATED, Answer(Code { digits, until }))),
        _ => Err(Problem::strange()),
    }
}

/// What somebody else can act with.
#[derive(Serialize, ToSchema)]
struct Token {
    /// Whoever shows it as their bearer token may do what it says.
    token: String,
}

/// Sign a token with which somebody else acts in one's stead, within limits
#[utoipa::path(
    post, path = "/v1/tokens", tag = "identity", request_body = Delegation,
    responses((status = 201, description = "The token.", body = Token), Refusals, BadBody)
)]
async fn delegate(caller: Caller, Json(delegation): Json<Delegation>) -> Result<(StatusCode, Answer<Token>), Problem> {
    match caller.ask(Request::Delegate(delegation)).await? {
        Response::Token(token) => Ok((StatusCode::CREATED, Answer(Token { token }))),
        _ => Err(Problem::strange()),
    }
}

/// End a token: whoever delegated it, and owners, who also end one attenuation and what was made from that
#[utoipa::path(
    delete, path = "/v1/tokens/{token}", tag = "identity",
    params(("token" = TokenId, Path, description = "What revokes it, as `GET /v1/users` tells.")),
    responses((status = 204, description = "It is worth nothing any more."), Refusals)
)]
async fn revoke_token(caller: Caller, Path(token): Path<TokenId>) -> Result<StatusCode, Problem> {
    caller.done(Request::RevokeToken(token)).await?;
    Ok(StatusCode::NO_CONTENT)
}
