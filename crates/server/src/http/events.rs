//! MII: what happens, as server-sent events (DTS; P2.14), with resumption.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream::unfold;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{SystemId, TwinId};
use vestibule_protocol::{Interest, Request};

use super::{
    Api, Problem,
    body::Query,
    caller::Caller,
    problem::Refusals,
    stream::{Mark, Reader},
    systems::{named, word},
    view::Told,
};

/// A comment is sent after so long without an event, so that both ends and everything between know that it is open.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(events))
}

/// What a query wants to be told of.
fn wanted(pairs: &[(String, String)]) -> Result<Vec<Request>, Problem> {
    let (mut systems, mut twins, mut steps) = (Vec::<SystemId>::new(), Vec::<TwinId>::new(), false);
    for (name, value) in pairs {
        match name.as_str() {
            "system" => systems.push(named(name, value)?),
            "twin" => twins.push(named(name, value)?),
            "steps" => steps = word(name, value)?,
            _ => return Err(Problem::malformed(format!("events are not chosen by {name}"))),
        }
    }
    let interest = match (systems.is_empty(), twins.is_empty()) {
        (true, true) => Interest::All,
        (false, true) => Interest::Systems(systems),
        (true, false) => Interest::Twins(twins),
        (false, false) => return Err(Problem::invalid("choose systems or twins, not both")),
    };
    let follow = steps.then_some(Request::Steps { after: 0, limit: 1, follow: true });
    Ok([Request::Subscribe(interest)].into_iter().chain(follow).collect())
}

/// The answer that sends what a reader reads.
fn sent(reader: Reader, caller: Caller) -> Response {
    // Whoever reads is asking: their session stays, and with it their connection's place.
    let events = unfold((reader, caller), |(mut reader, caller)| async move {
        let (mark, told) = reader.next().await?;
        let event = Event::default().id(mark.to_string()).event(told.name).data(told.data);
        Some((Ok::<_, Infallible>(event), (reader, caller)))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response()
}

/// What happens, as it happens
///
/// Begins with `begin`, each `twin` and `system`, then `synchronized`; then come `twin`, `gone`, `readings`,
/// `occurred`, `command`, `call`, `deauthorized`, `lease`, `purchase`, `product`, `unbound`, `system` and `step`. With
/// `Last-Event-ID` it goes on after that event; where that is out of reach, `resync` comes first and everything is told anew.
#[utoipa::path(
    get, path = "/v1/events", tag = "mii",
    params(
        ("system" = Option<Vec<SystemId>>, Query, description = "Twins of these systems only."),
        ("twin" = Option<Vec<TwinId>>, Query, description = "These twins only."),
        ("steps" = Option<bool>, Query, description = "Also steps of P1 and P2."),
        ("Last-Event-ID" = Option<String>, Header, description = "The last event that was received."),
    ),
    responses(
        (status = 200, description = "Events without an end.", body = Object, content_type = "text/event-stream"),
        Refusals
    )
)]
async fn events(
    caller: Caller,
    State(api): State<Arc<Api>>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let owner = caller.shown().fingerprint;
    let requests = wanted(&pairs)?;
    let last = headers.get("last-event-id");
    let mark = last.and_then(|value| value.to_str().ok()?.parse::<Mark>().ok());
    if let Some(reader) = mark.and_then(|mark| api.streams.resume(owner, mark)) {
        return Ok(sent(reader, caller));
    }
    let resync = last.map(|_| Told { name: "resync", data: "{}".to_owned() });
    let reader = api.streams.begin(&api.shared.hub, caller.shown(), requests, resync).await?;
    Ok(sent(reader, caller))
}
