//! MII, DII and SII as JSON over HTTP: the same requests and sessions of the hub as over QUIC.
//!
//! One file a resource: its paths, its bodies, and the mapping between them and the hub's requests. Nothing is decided
//! here. A handler's first argument says who asks ([`caller`]); what comes in is bounded before it is read ([`body`]).

mod body;
mod caller;
mod commands;
mod contents;
mod dii;
mod events;
mod explain;
mod gate;
mod inbox;
mod key;
mod leases;
mod listen;
mod log;
mod openapi;
mod pairing;
mod past;
mod people;
mod poll;
mod problem;
mod products;
mod purchases;
mod rules;
mod server;
mod services;
mod sessions;
mod share;
mod sii;
mod steps;
mod stream;
mod systems;
mod twins;
mod view;
mod wot;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::header,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    hub::Clock,
    login::{self, LoginDesk},
    net::Shared,
    ops, trade,
};
pub(crate) use body::Query;
pub(crate) use caller::{Caller, bearer};
pub(crate) use problem::{Problem, Refusals};
use sessions::Sessions;
use stream::Streams;
pub(crate) use wot::Things;

pub(crate) use server::HttpServer;
pub use server::{HttpConfig, HttpError};

/// An answer begins no later: longer than the longest poll.
const ANSWER: Duration = Duration::from_secs(40);

/// What all handlers share.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) shared: Arc<Shared>,
    pub(crate) sessions: Sessions,
    streams: Streams,
    clock: Clock,
}

impl Api {
    /// Over what all transports share.
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<Self> {
        let api = Self { shared, sessions: Sessions::default(), streams: Streams::default(), clock: Clock::system() };
        Arc::new(api)
    }
}

/// Every resource: a new one adds its file's `routes` here.
fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::with_openapi(openapi::frame())
        .merge(pairing::routes())
        .merge(people::routes())
        .merge(systems::routes())
        .merge(twins::routes())
        .merge(past::routes())
        .merge(commands::routes())
        .merge(leases::routes())
        .merge(explain::routes())
        .merge(events::routes())
        .merge(steps::routes())
        .merge(contents::routes())
        .merge(rules::routes())
        .merge(log::routes())
        .merge(services::routes())
        .merge(purchases::routes())
        .merge(products::routes())
        .merge(dii::routes())
        .merge(sii::routes())
}

/// The whole API, things, what operators ask, and where people log in.
pub(crate) fn router(things: Things, api: Arc<Api>, login: Option<Arc<LoginDesk>>) -> Router {
    let (router, mut document) = routes().split_for_parts();
    let login = login.map(|desk| {
        let (router, paths) = login::routes().split_for_parts();
        document.merge(paths);
        let router = router.method_not_allowed_fallback(|| async { Problem::method() });
        router.layer(middleware::from_fn(in_time)).with_state(desk)
    });
    let document: Arc<str> = openapi::served(&document).to_string().into();
    let document = move || async move { ([(header::CONTENT_TYPE, "application/json")], document.to_string()) };
    router
        .route("/openapi.json", get(document))
        .fallback(|| async { Problem::not_found("there is no such path: /openapi.json names those that there are") })
        .method_not_allowed_fallback(|| async { Problem::method() })
        .layer(middleware::from_fn(in_time))
        .with_state(api.clone())
        .merge(trade::router(api.shared.trade.clone()))
        // Clients of things wait in long polls, which have a limit of their own.
        .merge(wot::router(things))
        .merge(ops::routes::router(api))
        .merge(login.unwrap_or_default())
}

/// Nobody waits for ever.
async fn in_time(request: Request, next: Next) -> Response {
    match timeout(ANSWER, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable("the answer took too long").into_response(),
    }
}

#[cfg(test)]
mod tests;
