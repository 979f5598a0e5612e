//! MII: what a twin was, as far as the asker may see it now and might have seen it then.

use std::sync::Arc;

use axum::Json as Answer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::Timestamp;
use vestibule_protocol::{CommandUpdate, PastReadings, Request, Response, TwinHistory};

use super::{
    Api, Problem,
    body::{Part, Path, Query},
    caller::Caller,
    problem::Refusals,
    twins::TwinPath,
    view::Twin,
};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(history)).routes(routes!(readings)).routes(routes!(past))
}

/// What was decided about a twin
///
/// Oldest first: descriptions, and commands with who gave them under which rule. `next` is the `after` of the next page;
/// where it is `null` this is all by now.
#[utoipa::path(
    get, path = "/v1/twins/{system}/{twin}/history", tag = "mii",
    params(TwinPath, Part),
    responses((status = 200, description = "What the user may see of it.", body = TwinHistory), Refusals)
)]
async fn history(
    caller: Caller,
    Path(path): Path<TwinPath>,
    Query(part): Query<Part>,
) -> Result<Answer<TwinHistory>, Problem> {
    let request = Request::History { twin: path.id()?, after: part.after, limit: part.limit };
    match caller.ask(request).await? {
        Response::History(history) => Ok(Answer(history)),
        _ => Err(Problem::strange()),
    }
}

/// Which time.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Span {
    /// From this moment on.
    #[serde(default)]
    from: Timestamp,
    /// Before this moment.
    until: Timestamp,
    /// At most so many; 0: the default of 200.
    #[serde(default)]
    limit: u16,
}

/// What a twin's properties said
///
/// Changes, oldest first, as far as they were kept; `covered` says for which times that is all of them. `next` is the
/// `from` of the next page; where it is `null` this is all.
#[utoipa::path(
    get, path = "/v1/twins/{system}/{twin}/past/readings", tag = "mii",
    params(TwinPath, Span),
    responses((status = 200, description = "What the user may see of it.", body = PastReadings), Refusals)
)]
async fn readings(
    caller: Caller,
    Path(path): Path<TwinPath>,
    Query(Span { from, until, limit }): Query<Span>,
) -> Result<Answer<PastReadings>, Problem> {
    match caller.ask(Request::Readings { twin: path.id()?, from, until, limit }).await? {
        Response::Readings(readings) => Ok(Answer(readings)),
        _ => Err(Problem::strange()),
    }
}

/// Which moment.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Moment {
    /// The moment.
    at: Timestamp,
}

/// A twin at one moment.
#[derive(Serialize, ToSchema)]
struct Past {
    /// The moment.
    at: Timestamp,
    /// The last line of the log that counts for it.
    sequence: u64,
    /// The twin; not there where there was none, or the user may not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    twin: Option<Twin>,
    /// Commands that were open.
    commands: Vec<CommandUpdate>,
    /// Whether every change of a reading was kept up to the moment. Where not, readings are the last ones known.
    covered: bool,
}

/// A twin as it was at a moment
#[utoipa::path(
    get, path = "/v1/twins/{system}/{twin}/past", tag = "mii",
    params(TwinPath, Moment),
    responses((status = 200, description = "As the user may see it.", body = Past), Refusals)
)]
async fn past(
    caller: Caller,
    Path(path): Path<TwinPath>,
    Query(Moment { at }): Query<Moment>,
) -> Result<Answer<Past>, Problem> {
    let Response::Past(past) = caller.ask(Request::PastTwin { twin: path.id()?, at }).await? else {
        return Err(Problem::strange());
    };
    let twin = past.view.map(Twin::from);
    Ok(Answer(Past { at: past.at, sequence: past.sequence, twin, commands: past.commands, covered: past.covered }))
}
