//! `/auth/login`, `/auth/callback`, `/auth/logout`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::openapi::{Content, RefOr, Response as Documented};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{LoggedIn, LoginDesk, LoginError, page};
use crate::http::{Problem, Query, Refusals, bearer};

/// Ties a login to the browser that began it.
const COOKIE: &str = "vestibule_login";

/// The routes, for the router of whoever serves HTTP, and what its document says of them.
pub(crate) fn routes() -> OpenApiRouter<Arc<LoginDesk>> {
    OpenApiRouter::new().routes(routes!(login)).routes(routes!(callback)).routes(routes!(logout))
}

/// Why somebody is not logged in: a problem for programs, a page for people.
struct NotLoggedIn;

impl utoipa::IntoResponses for NotLoggedIn {
    fn responses() -> BTreeMap<String, RefOr<Documented>> {
        let mut all = <Refusals as utoipa::IntoResponses>::responses();
        all.extend(Problem::away());
        for answer in all.values_mut() {
            if let RefOr::T(answer) = answer {
                answer
                    .content
                    .insert("text/html".to_owned(), Content::new(Some(<String as utoipa::PartialSchema>::schema())));
            }
        }
        all
    }
}

/// Log in with the OpenID provider
///
/// Sends a browser to the provider (authorization code flow with PKCE). Only where the enabler has one.
#[utoipa::path(
    get, path = "/auth/login", tag = "identity", security(()),
    responses(
        (status = 303, description = "To the provider, which sends the browser back to `/auth/callback`.", headers(
            ("Location" = String, description = "Where the provider asks who it is."),
            ("Set-Cookie" = String, description = "Ties the login to this browser, for ten minutes.")
        )),
        NotLoggedIn
    )
)]
async fn login(State(desk): State<Arc<LoginDesk>>, headers: HeaderMap) -> Response {
    let (address, state) = match desk.begin().await {
        Ok(begun) => begun,
        Err(error) => return answer_with(error, page::is_wanted(&headers)),
    };
    let secure = if desk.provider.is_secure() { "; Secure" } else { "" };
    let path = desk.cookie_path();
    // Lax: it comes back with the provider's redirect, and with nothing that another site has sent.
    let cookie = format!("{COOKIE}={state}; Path={path}; HttpOnly; SameSite=Lax; Max-Age=600{secure}");
    let headers = [(header::LOCATION, address), (header::SET_COOKIE, cookie), (header::CACHE_CONTROL, no_store())];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn no_store() -> String {
    "no-store".to_owned()
}

/// What a provider sends back with a browser.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Answer {
    /// Names the login that was begun.
    state: Option<String>,
    /// What the provider takes once for who it was.
    code: Option<String>,
    /// Why it gives none.
    error: Option<String>,
    /// The same for people.
    error_description: Option<String>,
}

/// Come back from the OpenID provider
///
/// Answers with a bearer token, as JSON or, for browsers, as a page. The login must have been begun by this browser, not
/// longer than ten minutes ago.
#[utoipa::path(
    get, path = "/auth/callback", tag = "identity", security(()), params(Answer),
    responses(
        (status = 200, description = "Who they are, and what shows it from now on.", content(
            (LoggedIn = "application/json"), (String = "text/html")
        ), headers(("Set-Cookie" = String, description = "The login is over: nothing ties the browser to it."))),
        NotLoggedIn
    )
)]
async fn callback(State(desk): State<Arc<LoginDesk>>, Query(answer): Query<Answer>, headers: HeaderMap) -> Response {
    let is_person = page::is_wanted(&headers);
    match taken_back(&desk, answer, &headers).await {
        Ok(logged_in) => {
            let body = if is_person { page::welcome(&logged_in) } else { Json(&logged_in).into_response() };
            let gone = format!("{COOKIE}=; Path={}; HttpOnly; SameSite=Lax; Max-Age=0", desk.cookie_path());
            ([(header::SET_COOKIE, gone), (header::CACHE_CONTROL, no_store())], body).into_response()
        }
        Err(error) => answer_with(error, is_person),
    }
}

async fn taken_back(desk: &LoginDesk, answer: Answer, headers: &HeaderMap) -> Result<LoggedIn, LoginError> {
    let state = answer.state.ok_or(LoginError::Stale)?;
    let shown = cookie(headers);
    if let Some(error) = answer.error {
        // Nobody is told anything that did not come from the provider, for a login of theirs.
        desk.asked(&state, shown)?;
        let words = answer.error_description.unwrap_or(error);
        return Err(LoginError::Denied(words.chars().filter(|c| !c.is_control()).take(200).collect()));
    }
    desk.finish(&state, &answer.code.ok_or(LoginError::Stale)?, shown).await
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// Log out
///
/// Ends the login whose bearer token this is, and every connection that it has.
#[utoipa::path(
    post, path = "/auth/logout", tag = "identity",
    responses((status = 204, description = "The token shows nobody any more."), NotLoggedIn)
)]
async fn logout(State(desk): State<Arc<LoginDesk>>, headers: HeaderMap) -> Result<StatusCode, Problem> {
    let token = bearer(&headers)?.ok_or_else(Problem::unauthenticated)?;
    desk.end(token).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn answer_with(error: LoginError, is_person: bool) -> Response {
    tracing::info!(%error, "nobody was logged in");
    let problem = Problem::from(error);
    let mut response = if is_person { page::sorry(&problem) } else { problem.into_response() };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        let detail = error.to_string();
        match error {
            LoginError::Away { .. } => Self::provider_away(detail),
            LoginError::Denied(_) => Self::login_denied(detail),
            LoginError::Stale => Self::login_stale(detail),
            LoginError::Unbelievable(_) => Self::login_unbelievable(detail),
            LoginError::Busy => Self::overloaded(detail),
            LoginError::Refused(refusal) => refusal.into(),
            LoginError::Config(_) | LoginError::Hub(_) => Self::unavailable(detail),
        }
    }
}
