//! Properties: read, observed, written.

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response, sse::Event as Line},
};
use serde_json::{Map, Value};
use tokio::time::timeout;
use vestibule_model::{CommandStatus, PropertyId, TwinId, Value as Reported};
use vestibule_protocol::{Interest, TwinView, WireReading};
use vestibule_wot::{Affordance, to_json, writer};

use super::{
    BODY, Problem, Things,
    actions::{self, Wanted},
    caller::Caller,
    told::{self, LONG, News, Told},
};
use crate::http::body::{self, parse};

type Name = Affordance<PropertyId>;

/// Says how far the value of a reading is to be believed: `live`, `stale`, `pending`, `diverged`, `commanded`.
const TRUTH: &str = "vestibule-truth";

fn find<'a>(view: &'a TwinView, name: &Name) -> Result<&'a WireReading, Problem> {
    let index = view.info.properties().position(|(feature, id, _)| *feature == name.feature && *id == name.name);
    index.and_then(|index| view.readings.get(index)).ok_or_else(|| missing(&view.info.id, name))
}

fn missing(twin: &TwinId, name: &Name) -> Problem {
    Problem::not_found(format!("{twin} has no property {name}, or it may not be read"))
}

/// One property.
pub(super) async fn read(
    caller: Caller,
    Path((system, twin, name)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let (twin, name) = (TwinId::new(format!("{system}/{twin}"))?, name.parse()?);
    let view = caller.twin(&twin).await?;
    answer(caller.session(), find(&view, &name)?).await
}

/// A reading as an answer. What was never reported has no value that could be told.
async fn answer(session: &crate::SessionHandle, reading: &WireReading) -> Result<Response, Problem> {
    let value = reading.value.as_ref().ok_or_else(|| Problem::unavailable("the thing has not reported it yet"))?;
    let mut response = match value {
        Reported::Blob(blob) => {
            let bytes = session.content(blob.hash).await;
            let bytes =
                bytes.ok_or_else(|| Problem::unavailable("the bytes that were reported are not here any more"))?;
            let media = HeaderValue::from_str(&blob.media);
            let media = media.unwrap_or(HeaderValue::from_static("application/octet-stream"));
            let safe = [
                // Whatever a twin system sends, no browser runs it as a page of ours.
                (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
                (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'")),
                (header::CONTENT_TYPE, media),
            ];
            (safe, bytes).into_response()
        }
        value => Json(to_json(value)).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(TRUTH, HeaderValue::from_static(reading.truth.word()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(age) = reading.age_ms {
        headers.insert(header::AGE, HeaderValue::from(age / 1_000));
    }
    if let Ok(revision) = HeaderValue::from_str(&format!("\"{}\"", reading.revision)) {
        headers.insert(header::ETAG, revision);
    }
    Ok(response)
}

/// All properties that have been reported and are no bytes.
pub(super) async fn all(
    caller: Caller,
    Path((system, twin)): Path<(String, String)>,
) -> Result<Json<Map<String, Value>>, Problem> {
    let view = caller.twin(&TwinId::new(format!("{system}/{twin}"))?).await?;
    let mut values = Map::new();
    for ((feature, property, _), reading) in view.info.properties().zip(&view.readings) {
        if let Some(value) = reading.value.as_ref().filter(|value| !matches!(value, Reported::Blob(_))) {
            values.insert(Affordance::new(feature, property).to_string(), to_json(value));
        }
    }
    Ok(Json(values))
}

/// The next value (long poll), or all from now on (event stream, which begins with what is known).
pub(super) async fn observe(
    State(things): State<Things>,
    caller: Caller,
    headers: HeaderMap,
    Path((system, twin, name)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let (twin, name) = (TwinId::new(format!("{system}/{twin}"))?, name.parse::<Name>()?);
    let place = things.wait(&caller)?;
    let mut known = find(&caller.twin(&twin).await?, &name)?.revision;
    let mut news = News::of(caller, Interest::Twins(vec![twin.clone()])).await?;
    let is_it = move |told: Told| match told {
        Told::Reading(of, feature, property, reading)
            if of == twin && feature == name.feature && property == name.name =>
        {
            Some(reading)
        }
        _ => None,
    };
    if told::wants_stream(&headers) {
        let mut sent = None;
        return Ok(told::stream(news, place, move |_, told| {
            let reading = is_it(told)?;
            let value = reading.value.filter(|_| sent != Some(reading.revision))?;
            sent = Some(reading.revision);
            Some(Line::default().id(reading.revision.to_string()).data(to_json(&value).to_string()))
        }));
    }
    // A client that tells what it has seen misses nothing between two polls.
    if let Some(seen) =
        headers.get(header::IF_NONE_MATCH).and_then(|tag| tag.to_str().ok()?.trim_matches('"').parse().ok())
    {
        known = seen;
    }
    let changed = async {
        while let Some(told) = news.next().await {
            if let Some(reading) = is_it(told).filter(|reading| reading.revision > known && reading.value.is_some()) {
                return Some(reading);
            }
        }
        None
    };
    match timeout(LONG, changed).await {
        Ok(Some(reading)) => answer(news.session(), &reading).await,
        Ok(None) => Err(Problem::unavailable("the enabler stops")),
        Err(_) => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// Has the thing set a property, by the action that does exactly that. Done when the thing says so.
pub(super) async fn write(
    State(things): State<Things>,
    caller: Caller,
    headers: HeaderMap,
    Path((system, twin, name)): Path<(String, String, String)>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let (twin, name) = (TwinId::new(format!("{system}/{twin}"))?, name.parse::<Name>()?);
    let place = things.wait(&caller)?;
    let view = caller.twin(&twin).await?;
    find(&view, &name)?;
    let json: Value = parse(&body::read(body, BODY).await?)?;
    let feature = view.info.features.get(&name.feature);
    let writer = feature.and_then(|feature| writer(feature, &name.name));
    let (action, input) = writer.ok_or_else(Problem::method)?.action(&json)?;
    let wanted = Wanted { twin, action: Affordance::new(&name.feature, action), input };
    let call = actions::begin(caller, &view, wanted, &headers).await?;
    let status = call.finish().await;
    drop(place);
    match status {
        CommandStatus::Confirmed | CommandStatus::Commanded => Ok(StatusCode::NO_CONTENT),
        CommandStatus::Failed { reason } => Err(Problem::thing(reason)),
        status => Err(Problem::thing_late(status.to_string())),
    }
}
