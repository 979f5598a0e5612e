//! The merchant over HTTP.

mod catalog;
mod checkout;
mod designs;
mod listen;
mod order;
mod pages;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
    routing::{get, post},
};
use vestibule_ucp::sign_response;

pub(crate) use listen::{Listening, serve};

use crate::{app::App, said::Said};

/// Everything that this merchant answers.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/.well-known/ucp", get(profile))
        .route("/ucp/checkout-sessions", post(checkout::open))
        .route("/ucp/checkout-sessions/{id}", get(checkout::look).put(checkout::update))
        .route("/ucp/checkout-sessions/{id}/complete", post(checkout::complete))
        .route("/ucp/checkout-sessions/{id}/cancel", post(checkout::cancel))
        .route("/ucp/orders/{id}", get(order::look))
        .route("/ucp/orders/{id}/cancel", post(order::cancel))
        .route("/ucp/catalog/search", post(catalog::search))
        .route("/ucp/catalog/lookup", post(catalog::look_up))
        .route("/ucp/catalog/product", post(catalog::product))
        .route("/ucp/designs", post(designs::hand_over))
        .route("/ucp/designs/quote", post(designs::quote))
        .route("/pay/tokenize", post(checkout::tokenize))
        .route("/pay/{id}/{secret}", get(pages::challenge).post(pages::proven))
        .route("/orders/{id}", get(pages::order))
        .route("/terms", get(pages::terms))
        .route("/privacy", get(pages::privacy))
        .route("/refunds", get(pages::refunds))
        .route("/simulation", post(pages::simulation))
        .fallback(async || answer(None, Said { status: 404, ..Said::invalid("there is nothing here") }))
        .with_state(app)
}

async fn profile(State(app): State<Arc<App>>) -> Response {
    let mut response = answer(None, Said::ok(&app.profile));
    let cached = HeaderValue::from_static("public, max-age=300");
    response.headers_mut().insert(header::CACHE_CONTROL, cached);
    response
}

/// An answer over HTTP, signed where there is a key to sign with.
pub(crate) fn answer(app: Option<&App>, said: Said) -> Response {
    let signed = app.and_then(|app| sign_response(said.status, &said.body, &app.key, app.clock.now()).ok());
    let mut response = Response::new(Body::from(said.body));
    *response.status_mut() = StatusCode::from_u16(said.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in signed.iter().flat_map(vestibule_ucp::Signed::headers) {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    if let Some(seconds) = said.retry {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// What is answered, whichever way it came about.
pub(crate) fn either(app: &App, said: Result<Said, Said>) -> Response {
    answer(Some(app), said.unwrap_or_else(|said| said))
}

/// The id in a path, as it was meant.
pub(crate) type Named = axum::extract::Path<String>;
