//! What the enabler tells a digital twin system: fetched by long poll or as server-sent events, then acknowledged.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event as Sent, KeepAlive, Sse},
    },
};
use futures_util::stream::{StreamExt, iter, unfold};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_protocol::{DiiDown, Event};

use crate::http::{
    Api, Problem,
    body::{Json, Query},
    caller::Speaker,
    inbox::Fetched,
    problem::{BadBody, Refusals},
};

/// Milliseconds that a poll may wait: shorter than what proxies commonly allow.
const LONGEST_WAIT_MS: u64 = 30_000;
/// A comment is sent after so long without a message.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(inbox)).routes(routes!(acknowledge))
}

/// Which messages.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Messages after this one; those up to it are acknowledged and forgotten.
    #[serde(default)]
    after: u64,
    /// Milliseconds to wait for the first message, at most 30 000.
    #[serde(default)]
    #[param(maximum = 30000)]
    wait_ms: u64,
}

/// A message of the enabler.
#[derive(Serialize, ToSchema)]
struct Message {
    /// Grows with each message of the session.
    sequence: u64,
    /// What it says.
    message: DiiDown,
    /// It was fetched before and not acknowledged: what it asks for may have been done already.
    again: bool,
}

/// Messages in order.
#[derive(Serialize, ToSchema)]
struct Messages {
    /// The messages.
    messages: Vec<Message>,
}

fn message(fetched: Fetched) -> Option<Message> {
    match fetched.event {
        Event::Dii(message) => Some(Message { sequence: fetched.sequence, message, again: fetched.again }),
        _ => None,
    }
}

fn ended() -> Problem {
    Problem::unavailable("this session has ended, as when the same system connects anew: register again")
}

/// What the enabler wants of a digital twin system (P2.3, P2.9, P2.17)
///
/// With `Accept: text/event-stream` messages come as they are there, each named `message`; else this is a long poll.
/// A command whose time has ended is not told any more.
#[utoipa::path(
    get, path = "/v1/dii/inbox", tag = "dii", params(Wanted),
    responses(
        (status = 200, description = "Messages that are not acknowledged.", content(
            (Messages = "application/json"), (Object = "text/event-stream")
        )),
        Refusals
    )
)]
async fn inbox(
    speaker: Speaker,
    State(api): State<Arc<Api>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if wanted.wait_ms > LONGEST_WAIT_MS {
        return Err(Problem::malformed(format!("a poll waits at most {LONGEST_WAIT_MS} milliseconds")));
    }
    speaker.inbox.acknowledge(wanted.after);
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/event-stream")) {
        return Ok(stream(speaker, api, wanted.after));
    }
    let wait = Duration::from_millis(wanted.wait_ms);
    let fetched = speaker.inbox.fetch(wanted.after, wait, || api.clock.now()).await.ok_or_else(ended)?;
    Ok(Answer(Messages { messages: fetched.into_iter().filter_map(message).collect() }).into_response())
}

fn stream(speaker: Speaker, api: Arc<Api>, after: u64) -> Response {
    let pages = unfold((speaker, api, after), |(speaker, api, after)| async move {
        let wait = Duration::from_millis(LONGEST_WAIT_MS);
        let fetched = speaker.inbox.fetch(after, wait, || api.clock.now()).await?;
        let last = fetched.last().map_or(after, |fetched| fetched.sequence);
        let events: Vec<_> = fetched.into_iter().filter_map(message).filter_map(|message| event(&message)).collect();
        Some((iter(events), (speaker, api, last)))
    });
    Sse::new(pages.flatten()).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response()
}

fn event(message: &Message) -> Option<Result<Sent, Infallible>> {
    let event = Sent::default().id(message.sequence.to_string()).event("message");
    // Nothing in a message cannot be JSON.
    event.json_data(message).ok().map(Ok)
}

/// What was done with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Acknowledged {
    /// Messages up to and with this one.
    up_to: u64,
}

/// Messages that need not be told again
#[utoipa::path(
    post, path = "/v1/dii/inbox/acknowledgement", tag = "dii", request_body = Acknowledged,
    responses((status = 204, description = "They are forgotten."), Refusals, BadBody)
)]
async fn acknowledge(speaker: Speaker, Json(Acknowledged { up_to }): Json<Acknowledged>) -> StatusCode {
    speaker.inbox.acknowledge(up_to);
    StatusCode::NO_CONTENT
}
