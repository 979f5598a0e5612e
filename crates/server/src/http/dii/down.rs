//! What the enabler tells a digital twin system.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_protocol::{DiiDown, Event};

use crate::http::{
    Api, Problem,
    body::{Json, Query},
    caller::Speaker,
    inbox::Fetched,
    poll::{self, Acknowledged, Wanted},
    problem::{BadBody, Refusals},
};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(inbox)).routes(routes!(acknowledge))
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

impl poll::Page for Messages {
    type Message = Message;

    fn message(fetched: Fetched) -> Option<Message> {
        match fetched.event {
            Event::Dii(message) => Some(Message { sequence: fetched.sequence, message, again: fetched.again }),
            _ => None,
        }
    }

    fn of(messages: Vec<Message>) -> Self {
        Self { messages }
    }
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
    poll::inbox::<_, Messages>(speaker, api, wanted, &headers).await
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
