//! MII: the steps of the procedures P1 and P2 as they happened.

use std::sync::Arc;

use axum::Json as Answer;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_protocol::{ProcedureStep, Request, Response};

use super::{
    Api, Problem,
    body::{Part, Query},
    caller::Caller,
    problem::Refusals,
};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(steps))
}

/// Steps in the order in which they happened.
#[derive(Serialize, ToSchema)]
struct Steps {
    /// The steps.
    steps: Vec<ProcedureStep>,
    /// `after` of the next page; only an empty page has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    next: Option<u64>,
}

/// Steps of P1 and P2: the user's own, all for owners
///
/// `GET /v1/events?steps=true` tells them as they happen.
#[utoipa::path(
    get, path = "/v1/steps", tag = "mii", params(Part),
    responses((status = 200, description = "Those that are still known.", body = Steps), Refusals)
)]
async fn steps(caller: Caller, Query(part): Query<Part>) -> Result<Answer<Steps>, Problem> {
    let request = Request::Steps { after: part.after, limit: part.limit, follow: false };
    let Response::Steps(steps) = caller.ask(request).await? else { return Err(Problem::strange()) };
    let next = steps.last().map(|step| step.sequence);
    Ok(Answer(Steps { steps, next }))
}
