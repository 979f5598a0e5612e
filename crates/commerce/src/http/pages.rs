//! Pages for people, and what tests of platforms set.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use vestibule_ucp::Trouble;

use super::{Named, answer};
use crate::{
    app::App,
    desk, gate,
    said::Said,
    store::{order, session, shelf},
};

fn page(app: &App, status: StatusCode, title: &str, text: &str) -> Response {
    let escaped =
        |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let name = escaped(&app.book.name);
    let title = escaped(title);
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title} - {name}</title>\
         <h1>{name}</h1><h2>{title}</h2>{text}</html>"
    );
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let policy = HeaderValue::from_static("default-src 'none'; form-action 'self'; frame-ancestors 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

pub(super) async fn terms(State(app): State<Arc<App>>) -> Response {
    page(&app, StatusCode::OK, "Terms", "<p>A sandbox: no money moves, and nothing is brought.</p>")
}

pub(super) async fn privacy(State(app): State<Arc<App>>) -> Response {
    let text = "<p>Who bought something, and where it goes, is kept here for 30 days after it was brought, and told \
                to nobody but the platform that ordered it.</p>";
    page(&app, StatusCode::OK, "Privacy", text)
}

pub(super) async fn refunds(State(app): State<Arc<App>>) -> Response {
    let text = "<p>What nobody has worked on yet can be canceled for nothing. What cannot be made, or turned out to be \
                bad, is paid back.</p>";
    page(&app, StatusCode::OK, "Refunds", text)
}

/// Where a payer says yes.
pub(super) async fn challenge(State(app): State<Arc<App>>, Path((id, secret)): Path<(String, String)>) -> Response {
    let found = app.store.read(move |connection| Box::pin(async move { session::load(connection, &id, None).await }));
    let known = match found.await {
        Ok(found) => found.and_then(|session| session.pending).is_some_and(|pending| pending.secret == secret),
        Err(error) => return answer(None, app.answered(Err(error))),
    };
    if known {
        let form = "<form method=\"post\"><p>Is it you who pays?</p><button>Yes, pay</button></form>";
        page(&app, StatusCode::OK, "Your bank asks", form)
    } else {
        page(&app, StatusCode::NOT_FOUND, "Nothing to pay here", "<p>It was paid, or has ended.</p>")
    }
}

pub(super) async fn proven(State(app): State<Arc<App>>, Path((id, secret)): Path<(String, String)>) -> Response {
    let working = app.clone();
    let placed = app.store.write(move |connection| {
        Box::pin(async move {
            let now = working.clock.now();
            desk::settle(&working, connection, &id, Some(&secret), now).await
        })
    });
    let placed = placed.await;
    app.due.notify_one();
    app.ring.notify_one();
    match placed {
        Ok(true) => page(&app, StatusCode::OK, "Paid", "<p>It is ordered. You can close this page.</p>"),
        Ok(false) => page(&app, StatusCode::NOT_FOUND, "Nothing to pay here", "<p>It was paid, or has ended.</p>"),
        Err(error) => answer(None, app.answered(Err(error))),
    }
}

/// An order for people. Its id is nothing that can be guessed, and who bought it is not on it.
pub(super) async fn order(State(app): State<Arc<App>>, Path(id): Named) -> Response {
    let found = app.store.read(move |connection| Box::pin(async move { order::load(connection, &id, None).await }));
    match found.await {
        Ok(Some(record)) => {
            let stage = record.stage.name().replace('_', " ");
            page(&app, StatusCode::OK, &record.label, &format!("<p>It is {stage}.</p>"))
        }
        Ok(None) => page(&app, StatusCode::NOT_FOUND, "No such order", ""),
        Err(error) => answer(None, app.answered(Err(error))),
    }
}

/// For whoever tests a platform: another price, another stock. Not there without a secret.
pub(super) async fn simulation(State(app): State<Arc<App>>, request: Request) -> Response {
    let said = async {
        let told = request.headers().get("simulation-secret").and_then(|value| value.to_str().ok());
        if app.simulation.is_none() || told != app.simulation.as_deref() {
            return Err(Said { status: 404, ..Said::invalid("there is nothing here") });
        }
        let (parts, content) = request.into_parts();
        let body = gate::body(&parts.headers, content).await?;
        let staged: shelf::Staged = serde_json::from_slice(&body).map_err(Said::invalid)?;
        let done = app.store.write(move |connection| Box::pin(async move { shelf::stage(connection, &staged).await }));
        match done.await {
            Ok(true) => Ok(Said::ok(&serde_json::json!({}))),
            Ok(false) => Ok(Said::not_found("item")),
            Err(error) => {
                tracing::error!(%error, "nothing was staged");
                Err(Said::trouble(Trouble::Unavailable))
            }
        }
    };
    answer(None, said.await.unwrap_or_else(|said| said))
}
