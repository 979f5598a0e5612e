//! Where merchants read who buys from them, and where they tell of orders.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use vestibule_adapter_ucp::{PROFILE_PATH, WEBHOOK_PATH};
use vestibule_ucp::{Parts, Trouble, accepted, limits::MAX_BODY};

use super::Desk;
use crate::http::Problem;

/// Where nothing is bound, there is nothing.
pub(crate) fn router(desk: Arc<Desk>) -> Router {
    Router::new().route(PROFILE_PATH, get(profile)).route(WEBHOOK_PATH, post(webhook)).with_state(desk)
}

/// What this platform says of itself.
async fn profile(State(desk): State<Arc<Desk>>) -> Response {
    let Some(trade) = desk.trade() else { return none() };
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, trade.platform().body().to_vec()).into_response()
}

fn none() -> Response {
    Problem::not_found("nobody is bought from here").into_response()
}

/// An order has come further.
async fn webhook(State(desk): State<Arc<Desk>>, request: Request<Body>) -> Response {
    let Some(trade) = desk.trade() else { return none() };
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else { return refused(Trouble::InvalidRequest) };
    let mut headers = Vec::with_capacity(head.headers.len());
    for (name, value) in &head.headers {
        let Ok(value) = value.to_str() else { return refused(Trouble::InvalidRequest) };
        headers.push((name.as_str(), value));
    }
    // HTTP/2 has it in the address.
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = host.or_else(|| head.uri.authority().map(axum::http::uri::Authority::as_str));
    let parts = Parts {
        subject: head.method.as_str().into(),
        authority: authority.unwrap_or_default(),
        // As merchants see it: TLS may end before it comes here.
        secure: trade.platform().profile().is_secure(),
        path: head.uri.path(),
        query: head.uri.query(),
        headers: &headers,
        body: &body,
    };
    match trade.webhook(&parts, desk.now()).await {
        // Answered before anything follows from it.
        Ok(_) => (StatusCode::OK, axum::Json(accepted())).into_response(),
        Err(trouble) => refused(trouble),
    }
}

fn refused(trouble: Trouble) -> Response {
    let status = StatusCode::from_u16(trouble.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = (status, axum::Json(trouble.problem())).into_response();
    if trouble == Trouble::Unavailable {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    }
    response
}
