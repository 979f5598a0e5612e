//! `/auth/login`, `/auth/callback`, `/auth/logout`.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;
use vestibule_model::RefusalCode;

use super::{LoginDesk, LoginError};

/// Ties a login to the browser that began it.
const COOKIE: &str = "vestibule_login";

/// The routes, for the router of whoever serves HTTP.
pub fn router(desk: Arc<LoginDesk>) -> Router {
    Router::new()
        .route("/auth/login", get(login))
        .route("/auth/callback", get(callback))
        .route("/auth/logout", post(logout))
        .with_state(desk)
}

/// Sends a browser to the provider.
async fn login(State(desk): State<Arc<LoginDesk>>) -> Result<Response, LoginError> {
    let (address, state) = desk.begin().await?;
    let secure = if desk.provider.is_secure() { "; Secure" } else { "" };
    // Lax: it comes back with the provider's redirect, and with nothing that another site has sent.
    let cookie = format!("{COOKIE}={state}; Path=/auth; HttpOnly; SameSite=Lax; Max-Age=600{secure}");
    let headers = [(header::LOCATION, address), (header::SET_COOKIE, cookie), (header::CACHE_CONTROL, no_store())];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

fn no_store() -> String {
    "no-store".to_owned()
}

/// What a provider sends back with a browser.
#[derive(Debug, Deserialize)]
struct Answer {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Takes a browser back: answers with the bearer token, as JSON.
async fn callback(
    State(desk): State<Arc<LoginDesk>>,
    Query(answer): Query<Answer>,
    headers: HeaderMap,
) -> Result<Response, LoginError> {
    if let Some(error) = answer.error {
        let words = answer.error_description.unwrap_or(error);
        return Err(LoginError::Denied(words.chars().take(200).collect()));
    }
    let (Some(state), Some(code)) = (answer.state, answer.code) else { return Err(LoginError::Stale) };
    let logged_in = desk.finish(&state, &code, cookie(&headers)).await?;
    let gone = format!("{COOKIE}=; Path=/auth; HttpOnly; SameSite=Lax; Max-Age=0");
    Ok(([(header::SET_COOKIE, gone), (header::CACHE_CONTROL, no_store())], Json(logged_in)).into_response())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// Ends the login whose bearer token this is.
async fn logout(State(desk): State<Arc<LoginDesk>>, headers: HeaderMap) -> Result<StatusCode, LoginError> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let Some(token) = token else { return Err(LoginError::Stale) };
    desk.end(token).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl IntoResponse for LoginError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Config(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Away { .. } => StatusCode::BAD_GATEWAY,
            Self::Denied(_) => StatusCode::FORBIDDEN,
            Self::Stale => StatusCode::BAD_REQUEST,
            Self::Unbelievable(_) => StatusCode::UNAUTHORIZED,
            Self::Refused(refusal) => match refusal.code {
                RefusalCode::Unauthenticated => StatusCode::UNAUTHORIZED,
                RefusalCode::Forbidden => StatusCode::FORBIDDEN,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            },
            Self::Hub(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        tracing::info!(error = %self, "nobody was logged in");
        // RFC 9457.
        let title = status.canonical_reason().unwrap_or("Error");
        let body =
            json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": self.to_string() });
        let headers = [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")];
        (status, headers, body.to_string()).into_response()
    }
}
