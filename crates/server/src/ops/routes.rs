//! What operators ask over HTTP. Whether the enabler lives and is ready, anybody may know; the rest is the owners'.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use vestibule_protocol::{Request, Response as Answer};

use super::{exposition, page::page};
use crate::{
    HubHandle,
    http::wot::{Problem, open, unexpected},
};

/// The routes of the operators' surface.
pub(crate) fn router(hub: HubHandle) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/status", get(page))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/v1/status", get(status))
        .with_state(hub)
}

/// The process lives and answers.
async fn health() -> Json<Value> {
    Json(json!({ "status": "alive", "version": env!("CARGO_PKG_VERSION") }))
}

/// Decisions can be made and written down; where not, why.
async fn ready(State(hub): State<HubHandle>) -> Response {
    match exposition::unready(&hub.status().await) {
        None => Json(json!({ "status": "ready" })).into_response(),
        Some(why) => Problem::busy(why).into_response(),
    }
}

/// Only owners see what all systems do: they alone read the rules.
async fn owner(hub: &HubHandle, headers: &HeaderMap) -> Result<(), Problem> {
    match open(hub, headers).await?.session.request(Request::Rules).await {
        Answer::Rules(_) => Ok(()),
        Answer::Refused(refusal) => Err(refusal.into()),
        _ => Err(unexpected()),
    }
}

async fn metrics(State(hub): State<HubHandle>, headers: HeaderMap) -> Result<Response, Problem> {
    owner(&hub, &headers).await?;
    let text = exposition::text(&hub).await;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, exposition::MEDIA_TYPE)], text).into_response())
}

/// How the enabler is, for the status page.
async fn status(State(hub): State<HubHandle>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    owner(&hub, &headers).await?;
    let status = hub.status().await;
    Ok(Json(json!({
        "name": status.name,
        "version": env!("CARGO_PKG_VERSION"),
        "unready": exposition::unready(&status),
        "sessions": status.sessions,
        "systems": status.systems,
        "systems_online": status.systems_online,
        "twins": status.twins,
        "devices": status.devices,
        "open_commands": status.open_commands,
        "log_lines": status.head.sequence,
        "log_head": status.head.hash.to_string(),
    })))
}
