//! Owners: what was decided, in order.

use std::sync::Arc;

use axum::{
    Json as Answer,
    http::{HeaderName, header},
    response::AppendHeaders,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{ContentHash, Timestamp};
use vestibule_protocol::{LogLine, Request, Response};

use super::{
    Api, Problem,
    body::{Part, Query},
    caller::Caller,
    problem::Refusals,
};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(log))
}

/// One line of the log.
#[derive(Serialize, ToSchema)]
struct Line {
    /// Its place in the log.
    sequence: u64,
    /// When it was decided.
    at: Timestamp,
    /// What was decided.
    #[schema(value_type = Object)]
    event: serde_json::Value,
    /// The hash that chains it to the line before.
    hash: ContentHash,
}

impl From<LogLine> for Line {
    fn from(line: LogLine) -> Self {
        // The log holds JSON; a line that is none would be shown as it is.
        let event = serde_json::from_str(&line.event).unwrap_or(serde_json::Value::String(line.event));
        Self { sequence: line.sequence, at: line.at, event, hash: line.hash }
    }
}

/// A page of the log.
#[derive(Serialize, ToSchema)]
struct Lines {
    /// The lines.
    lines: Vec<Line>,
    /// `after` of the next page; only an empty page has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    next: Option<u64>,
}

/// The log (owners only)
#[utoipa::path(
    get, path = "/v1/log", tag = "administration", params(Part),
    responses(
        (status = 200, description = "Its lines.", body = Lines, headers(
            ("Link" = Option<String>, description = "`rel=next`: the next page, where there may be one.")
        )),
        Refusals
    )
)]
async fn log(
    caller: Caller,
    Query(part): Query<Part>,
) -> Result<(AppendHeaders<Option<(HeaderName, String)>>, Answer<Lines>), Problem> {
    let request = Request::Log { after: part.after, limit: part.limit };
    let Response::Log(lines) = caller.ask(request).await? else { return Err(Problem::strange()) };
    let next = lines.last().map(|line| line.sequence);
    let link = next.map(|next| (header::LINK, format!("</v1/log?limit={}&after={next}>; rel=\"next\"", part.limit)));
    Ok((AppendHeaders(link), Answer(Lines { lines: lines.into_iter().map(Line::from).collect(), next })))
}
