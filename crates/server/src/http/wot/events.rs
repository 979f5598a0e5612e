//! Events of things.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response, sse::Event as Line},
};
use serde_json::{Map, Value, json};
use tokio::time::timeout;
use vestibule_model::{EventKind, TwinId};
use vestibule_protocol::{Interest, Occurrence};
use vestibule_wot::{Affordance, to_json};

use super::{
    Problem, Things,
    caller::Caller,
    told::{self, LONG, News, Told},
};

fn json(occurrence: &Occurrence) -> Value {
    let details: Map<String, Value> =
        occurrence.details.iter().map(|(name, value)| (name.clone(), to_json(value))).collect();
    json!({ "at": occurrence.at.0, "details": details })
}

/// The next happening (long poll), or all from now on (event stream).
pub(super) async fn subscribe(
    State(things): State<Things>,
    caller: Caller,
    headers: HeaderMap,
    Path((system, twin, name)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let (twin, name) = (TwinId::new(format!("{system}/{twin}"))?, name.parse::<Affordance<EventKind>>()?);
    let place = things.wait(&caller)?;
    let view = caller.twin(&twin).await?;
    if !view.info.features.get(&name.feature).is_some_and(|feature| feature.events.contains(&name.name)) {
        return Err(Problem::not_found(format!("{twin} has no event {name}, or you may not hear of it")));
    }
    let mut news = News::of(caller, Interest::Twins(vec![twin.clone()])).await?;
    news.synchronized().await?;
    let is_it = move |told: Told| match told {
        Told::Occurred(occurrence)
            if occurrence.twin == twin && occurrence.feature == name.feature && occurrence.event == name.name =>
        {
            Some(json(&occurrence))
        }
        _ => None,
    };
    if told::wants_stream(&headers) {
        return Ok(told::stream(news, place, move |_, told| Some(Line::default().data(is_it(told)?.to_string()))));
    }
    let happened = async {
        while let Some(told) = news.next().await {
            if let Some(json) = is_it(told) {
                return Some(json);
            }
        }
        None
    };
    match timeout(LONG, happened).await {
        Ok(Some(json)) => Ok(Json(json).into_response()),
        Ok(None) => Err(Problem::unavailable("the enabler stops")),
        Err(_) => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}
