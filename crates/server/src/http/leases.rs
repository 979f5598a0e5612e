//! MII: exclusive, time-limited integration with a physical object (DTS; FGMV-28 7.1.3, REQ-DT-08).

use std::sync::Arc;

use axum::{
    Json as Answer,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::AppendHeaders,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{LeaseId, LeaseRequest, LeaseUpdate};
use vestibule_protocol::{Request, Response};

use super::{
    Api, Problem,
    body::{Json, Path},
    caller::Caller,
    key,
    problem::{BadBody, Refusals},
    twins::TwinPath,
};

/// What a key of a lease is hashed with.
const CONTEXT: &str = "vestibule 2026 idempotency key of a lease";

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(leases)).routes(routes!(lease)).routes(routes!(renew)).routes(routes!(release))
}

/// Who holds a physical object, and who waits.
#[derive(Serialize, ToSchema)]
struct Leases {
    /// The holder first, then by place.
    leases: Vec<LeaseUpdate>,
}

/// Who holds the twin's physical object and who waits
#[utoipa::path(
    get, path = "/v1/twins/{system}/{twin}/leases", tag = "mii",
    params(TwinPath),
    responses((status = 200, description = "The holder first, then by place.", body = Leases), Refusals)
)]
async fn leases(caller: Caller, Path(path): Path<TwinPath>) -> Result<Answer<Leases>, Problem> {
    match caller.ask(Request::Leases { twin: path.id()? }).await? {
        Response::Leases(leases) => Ok(Answer(Leases { leases })),
        _ => Err(Problem::strange()),
    }
}

/// A wish to hold it.
#[derive(Deserialize, ToSchema)]
#[schema(as = LeaseWish)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// How important it is; the rules may let it count for less, never for more.
    #[serde(default)]
    priority: u8,
    /// Milliseconds for which it is wanted, until renewed. The twin's longest cuts it.
    ttl_ms: u64,
    /// Milliseconds that the asker waits in the queue; 0: a refusal instead.
    #[serde(default)]
    wait_ms: u64,
}

async fn ask(caller: &Caller, request: Request) -> Result<LeaseUpdate, Problem> {
    match caller.ask(request).await? {
        Response::Lease(update) => Ok(update),
        _ => Err(Problem::strange()),
    }
}

/// Be the one whose twin is integrated with its physical object
///
/// Answered at once with how far it is; updates follow as events. The same `Idempotency-Key` is the same lease.
#[utoipa::path(
    post, path = "/v1/twins/{system}/{twin}/leases", tag = "mii", request_body = Wish,
    params(
        TwinPath,
        ("Idempotency-Key" = String, Header, pattern = "^[!-~]([ -~]{0,254}[!-~])?$", description = "32 hexadecimal digits are the lease's id; anything else of at most 256 characters is hashed into one."),
    ),
    responses(
        (status = 202, description = "How far it is.", body = LeaseUpdate, headers(
            ("Location" = String, description = "Where to give it back.")
        )),
        Refusals, BadBody
    )
)]
async fn lease(
    caller: Caller,
    Path(path): Path<TwinPath>,
    headers: HeaderMap,
    Json(Wish { priority, ttl_ms, wait_ms }): Json<Wish>,
) -> Result<(StatusCode, AppendHeaders<[(HeaderName, String); 1]>, Answer<LeaseUpdate>), Problem> {
    let id = LeaseId(key::id(caller.user(), &headers, CONTEXT)?);
    let request = LeaseRequest { id, twin: path.id()?, priority, ttl_ms, wait_ms };
    let update = ask(&caller, Request::Lease(request)).await?;
    Ok((StatusCode::ACCEPTED, AppendHeaders([(header::LOCATION, format!("/v1/leases/{id}"))]), Answer(update)))
}

/// Hold on to a lease for as long again as was asked
#[utoipa::path(
    post, path = "/v1/leases/{lease}/renewal", tag = "mii",
    params(("lease" = LeaseId, Path, description = "The lease.")),
    responses((status = 200, description = "How far it is.", body = LeaseUpdate), Refusals)
)]
async fn renew(caller: Caller, Path(lease): Path<LeaseId>) -> Result<Answer<LeaseUpdate>, Problem> {
    ask(&caller, Request::RenewLease(lease)).await.map(Answer)
}

/// Give a lease back, or leave the queue
#[utoipa::path(
    delete, path = "/v1/leases/{lease}", tag = "mii",
    params(("lease" = LeaseId, Path, description = "The lease.")),
    responses((status = 200, description = "How far it is: over.", body = LeaseUpdate), Refusals)
)]
async fn release(caller: Caller, Path(lease): Path<LeaseId>) -> Result<Answer<LeaseUpdate>, Problem> {
    ask(&caller, Request::ReleaseLease(lease)).await.map(Answer)
}
