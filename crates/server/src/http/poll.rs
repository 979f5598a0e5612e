//! What the enabler tells a system that asks over HTTP: fetched by long poll or as server-sent events, then acknowledged.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json as Answer,
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response,
        sse::{Event as Sent, KeepAlive, Sse},
    },
};
use futures_util::stream::{StreamExt, iter, unfold};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, Problem,
    caller::{Part, Session},
    inbox::Fetched,
};

/// Milliseconds that a poll may wait: shorter than what proxies commonly allow.
const LONGEST_WAIT_MS: u64 = 30_000;
/// A comment is sent after so long without a message.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Which messages.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Messages after this one; those up to it are acknowledged and forgotten.
    #[serde(default)]
    after: u64,
    /// Milliseconds to wait for the first message, at most 30 000.
    #[serde(default)]
    #[param(maximum = 30000)]
    wait_ms: u64,
}

/// What was done with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Acknowledged {
    /// Messages up to and with this one.
    pub(super) up_to: u64,
}

/// A page of messages: the interface's own kind, with its schema.
pub(super) trait Page: Serialize {
    /// A message of it.
    type Message: Serialize + Send + 'static;

    /// What was fetched as a message; `None`: it is not for this interface.
    fn message(fetched: Fetched) -> Option<Self::Message>;

    /// These messages.
    fn of(messages: Vec<Self::Message>) -> Self;
}

fn ended() -> Problem {
    Problem::unavailable("this session has ended, as when the same system connects anew: register again")
}

/// Answers with the messages that are not acknowledged, or with a stream of them where that is what is accepted.
pub(super) async fn inbox<P: Part, M: Page>(
    session: Session<P>,
    api: Arc<Api>,
    wanted: Wanted,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    if wanted.wait_ms > LONGEST_WAIT_MS {
        return Err(Problem::malformed(format!("a poll waits at most {LONGEST_WAIT_MS} milliseconds")));
    }
    session.inbox.acknowledge(wanted.after);
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/event-stream")) {
        return Ok(stream::<P, M>(session, api, wanted.after));
    }
    let wait = Duration::from_millis(wanted.wait_ms);
    let fetched = session.inbox.fetch(wanted.after, wait, || api.clock.now()).await.ok_or_else(ended)?;
    Ok(Answer(M::of(fetched.into_iter().filter_map(M::message).collect())).into_response())
}

fn stream<P: Part, M: Page>(session: Session<P>, api: Arc<Api>, after: u64) -> Response {
    let pages = unfold((session, api, after), |(session, api, after)| async move {
        let wait = Duration::from_millis(LONGEST_WAIT_MS);
        let fetched = session.inbox.fetch(after, wait, || api.clock.now()).await?;
        let last = fetched.last().map_or(after, |fetched| fetched.sequence);
        let events: Vec<_> = fetched.into_iter().filter_map(event::<M>).collect();
        Some((iter(events), (session, api, last)))
    });
    Sse::new(pages.flatten()).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response()
}

fn event<M: Page>(fetched: Fetched) -> Option<Result<Sent, Infallible>> {
    let event = Sent::default().id(fetched.sequence.to_string()).event("message");
    // Nothing in a message cannot be JSON.
    event.json_data(M::message(fetched)?).ok().map(Ok)
}
