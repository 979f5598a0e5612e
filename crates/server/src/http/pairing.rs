//! Identity: six digits become a bearer token, whose hash is a fingerprint like that of a certificate.

use std::sync::Arc;

use axum::{Json as Answer, extract::State, http::StatusCode};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{RoleId, UserId};
use vestibule_protocol::{Request, Response};

use super::{
    Api, Problem,
    body::{Json, Path},
    caller::fingerprint,
    problem::{self, BadBody, Refusals},
    sessions::hub_problem,
};
use crate::Peer;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(pair)).routes(routes!(about))
}

/// Bytes of the body: strangers send it.
const BODY: usize = 1024;
/// Digits of a code.
const DIGITS: usize = 6;
/// Bytes of a device's name: what the enabler takes.
const NAME: usize = 64;

/// What a new device brings.
#[derive(Deserialize, ToSchema)]
struct Pairing {
    /// The six digits that the enabler showed to its owner.
    #[schema(min_length = 6, max_length = 6, pattern = "^[0-9]{6}$")]
    code: String,
    /// What to call the device.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
}

/// Who the device is from now on.
#[derive(Serialize, ToSchema)]
struct Paired {
    /// Shows from now on who it is. It is told once and not kept: only its hash is.
    token: String,
    /// The user.
    user: UserId,
    /// Their roles.
    roles: Vec<RoleId>,
    /// BLAKE3 of the enabler's certificate, which HTTPS and QUIC show.
    enabler: String,
}

/// Make a device known by a pairing code
#[utoipa::path(
    post, path = "/v1/pairing", tag = "identity", security(()), request_body = Pairing,
    responses((status = 201, description = "It is known now.", body = Paired), Refusals, BadBody)
)]
async fn pair(
    State(api): State<Arc<Api>>,
    Json(pairing): Json<Pairing, BODY>,
) -> Result<(StatusCode, Answer<Paired>), Problem> {
    // Before the hub hears of it: a code is used up by whoever knows it, and strangers hold no places there.
    let name = pairing.name.trim();
    if pairing.code.len() != DIGITS || name.is_empty() || name.len() > NAME {
        return Err(Problem::invalid(format!(
            "pairing takes a code of {DIGITS} digits and a name of 1 to {NAME} letters"
        )));
    }
    let token = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let opened = api.shared.hub.open(Peer::Certificate(fingerprint(&token).0)).await;
    let (session, _outgoing) = opened.map_err(hub_problem)?;
    let request = Request::Pair { code: pairing.code, name: pairing.name };
    match session.request(request).await {
        Response::Paired { user, roles } => {
            let enabler = api.shared.server.fingerprint().to_string();
            Ok((StatusCode::CREATED, Answer(Paired { token, user, roles, enabler })))
        }
        Response::Refused(refusal) => Err(refusal.into()),
        _ => Err(Problem::strange()),
    }
}

/// A kind of problem.
#[derive(Serialize, ToSchema)]
struct Kind {
    /// Its code.
    code: String,
    /// What it means.
    title: String,
    /// The HTTP status that it comes with.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
}

/// What a kind of problem means: where the `type` of each problem leads
#[utoipa::path(
    get, path = "/v1/problems/{code}", tag = "identity", security(()),
    params(("code" = String, Path, description = "The problem's code.")),
    responses((status = 200, description = "What it means.", body = Kind), Refusals)
)]
async fn about(Path(code): Path<String>) -> Result<Answer<Kind>, Problem> {
    let known = problem::kinds().into_iter().find(|kind| kind.code() == code);
    let kind = known.ok_or_else(|| Problem::not_found("there is no such kind of problem"))?;
    Ok(Answer(Kind { code, title: kind.title().to_owned(), status: kind.status().as_u16() }))
}
