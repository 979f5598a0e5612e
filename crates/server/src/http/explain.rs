//! MII: "may I, and which rule says so?" (DTAC).

use std::sync::Arc;

use axum::Json as Answer;
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{ActionId, Explanation, FeatureId, Inquiry, ServiceId, SystemId, TwinId, UserId, Wanted};
use vestibule_protocol::{Request, Response};

use super::{Api, Problem, body::Query, caller::Caller, problem::Refusals};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(explain))
}

/// A question of access control: about a twin, a system's service, or managing everything.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Question {
    /// About whom; where not given: whoever asks. Only owners ask about others.
    user: Option<UserId>,
    /// The twin.
    twin: Option<TwinId>,
    /// The feature.
    feature: Option<FeatureId>,
    /// The action; where not given: to read.
    action: Option<ActionId>,
    /// With a twin only: to be the one who integrates with its physical object.
    #[serde(default)]
    hold: bool,
    /// The system.
    system: Option<SystemId>,
    /// Its service.
    service: Option<ServiceId>,
}

impl Question {
    fn inquiry(self) -> Result<Inquiry, Problem> {
        let Self { user, twin, feature, action, hold, system, service } = self;
        let what = match (twin, feature, action, hold, system, service) {
            (Some(twin), Some(feature), Some(action), false, None, None) => Wanted::Act { twin, feature, action },
            (Some(twin), feature, None, false, None, None) => Wanted::Read { twin, feature },
            (Some(twin), None, None, true, None, None) => Wanted::Lease { twin },
            (None, None, None, false, Some(system), Some(service)) => Wanted::Use { system, service },
            (None, None, None, false, None, None) => Wanted::Manage,
            _ => {
                let words = "ask about a twin (with a feature, and an action of it; or with `hold`), a system and its \
                    service, or nothing: whether one may manage everything";
                return Err(Problem::invalid(words));
            }
        };
        Ok(Inquiry { user, what })
    }
}

/// May I do this, and which rule says so
#[utoipa::path(
    get, path = "/v1/explain", tag = "mii", params(Question),
    responses((status = 200, description = "Whether, and the rule that decides.", body = Explanation), Refusals)
)]
async fn explain(caller: Caller, Query(question): Query<Question>) -> Result<Answer<Explanation>, Problem> {
    match caller.ask(Request::Explain(question.inquiry()?)).await? {
        Response::Explanation(explanation) => Ok(Answer(explanation)),
        _ => Err(Problem::strange()),
    }
}
