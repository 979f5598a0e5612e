//! What operators ask over HTTP. Whether the enabler lives and is ready, anybody may know; the rest is the owners'.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use vestibule_protocol::{Procedure, Request, Response as Answer};

use super::{exposition, page::page};
use crate::http::{Api, Caller, Problem};

/// The routes of the operators' surface.
pub(crate) fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/status", get(page))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/v1/status", get(status))
        .with_state(api)
}

/// The process lives and answers.
async fn health() -> Json<Value> {
    Json(json!({ "status": "alive", "version": env!("CARGO_PKG_VERSION") }))
}

/// Decisions can be made and written down; where not, why.
async fn ready(State(api): State<Arc<Api>>) -> Response {
    match exposition::unready(&api.shared.hub.status().await) {
        None => Json(json!({ "status": "ready" })).into_response(),
        Some(why) => Problem::unavailable(why).into_response(),
    }
}

/// Only owners see what all systems do: they alone read the rules.
async fn owner(caller: &Caller) -> Result<(), Problem> {
    match caller.ask(Request::Rules).await? {
        Answer::Rules(_) => Ok(()),
        _ => Err(Problem::strange()),
    }
}

async fn metrics(caller: Caller, State(api): State<Arc<Api>>) -> Result<Response, Problem> {
    owner(&caller).await?;
    let text = exposition::text(&api.shared.hub).await;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, exposition::MEDIA_TYPE)], text).into_response())
}

/// How the enabler is, for the status page.
async fn status(caller: Caller, State(api): State<Arc<Api>>) -> Result<Json<Value>, Problem> {
    owner(&caller).await?;
    let status = api.shared.hub.status().await;
    Ok(Json(json!({
        "name": status.name,
        "version": env!("CARGO_PKG_VERSION"),
        "unready": exposition::unready(&status),
        "things": api.shared.things.borrow().clone(),
        "sessions": status.sessions,
        "systems": status.systems,
        "systems_online": status.systems_online,
        "twins": status.twins,
        "devices": status.devices,
        "open_commands": status.open_commands,
        "log_lines": status.head.sequence,
        "log_head": status.head.hash.to_string(),
        "procedures": { "P1": Procedure::P1.steps(), "P2": Procedure::P2.steps() },
    })))
}
