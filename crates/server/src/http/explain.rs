//! MII: "may I, and which rule says so?" (DTAC).

use std::sync::Arc;

use axum::Json as Answer;
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{ActionId, FeatureId, TwinId, Verdict};
use vestibule_protocol::{Request, Response};

use super::{Api, Problem, body::Query, caller::Caller, problem::Refusals};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(explain))
}

/// A question of access control.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Question {
    /// The twin.
    twin: TwinId,
    /// The feature.
    feature: FeatureId,
    /// The action; where not given: to read.
    action: Option<ActionId>,
}

/// May I do this, and which rule says so
#[utoipa::path(
    get, path = "/v1/explain", tag = "mii", params(Question),
    responses((status = 200, description = "Whether, and the rule that decides.", body = Verdict), Refusals)
)]
async fn explain(caller: Caller, Query(question): Query<Question>) -> Result<Answer<Verdict>, Problem> {
    let Question { twin, feature, action } = question;
    match caller.ask(Request::Explain { twin, feature, action }).await? {
        Response::Verdict(verdict) => Ok(Answer(verdict)),
        _ => Err(Problem::strange()),
    }
}
