//! W3C Web of Things: the directory of things, and the forms that their descriptions point to.
//!
//! Everything is asked of the hub in the asker's own name: what they may not see is in no description and behind no form.

mod actions;
mod caller;
mod directory;
mod events;
mod properties;
mod told;

use std::sync::Arc;

use axum::{Router, http::HeaderMap, routing::get};
use vestibule_model::IdError;
use vestibule_wot::{DIRECTORY, JsonError, NameError, Site};

use self::{actions::Calls, caller::Caller};
use super::{
    Api, Problem,
    share::{Full, Share, Shares},
};

/// Streams, long polls and calls at once: each is a session of the hub, and other clients need theirs.
const WAITING: usize = 128;
/// Of them for one user, or all who bear tokens of one user: a gateway's observed properties.
const WAITING_EACH: usize = 32;
/// Bytes of a value: the longest text, each character of it written as an escape.
const BODY: usize = 32 * 1024;

/// What all handlers share.
#[derive(Clone)]
pub(crate) struct Things {
    api: Arc<Api>,
    /// Reached over TLS.
    secure: bool,
    waiting: Arc<Shares>,
    calls: Calls,
}

impl Things {
    /// Over what all transports share, reached in the clear.
    pub(crate) fn new(api: Arc<Api>) -> Self {
        Self { api, secure: false, waiting: Shares::new(WAITING, WAITING_EACH), calls: Calls::default() }
    }

    /// The same, reached over TLS.
    pub(crate) fn secure(&self) -> Self {
        Self { secure: true, ..self.clone() }
    }

    /// A place for somebody who waits for news.
    fn wait(&self, caller: &Caller) -> Result<Share, Problem> {
        self.waiting.take(caller.account()).map_err(|full| match full {
            Full::Yours => Problem::overloaded(format!(
                "{WAITING_EACH} streams, polls and calls of this user, or with tokens of theirs, are open"
            )),
            Full::Everybodys => Problem::unavailable(format!("{WAITING} streams, polls and calls are open already")),
        })
    }

    /// This server as the asker reached it.
    fn site(&self, headers: &HeaderMap) -> Result<Site, Problem> {
        let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
        // What stands here goes into every address of a description.
        if host.is_empty() || host.len() > 255 || !host.bytes().all(plain) {
            return Err(Problem::malformed("the Host header names no host"));
        }
        Ok(Site::new(format!("{}://{host}", if self.secure { "https" } else { "http" })))
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        Self::not_found(error.to_string())
    }
}

impl From<IdError> for Problem {
    fn from(error: IdError) -> Self {
        Self::not_found(error.to_string())
    }
}

impl From<JsonError> for Problem {
    fn from(error: JsonError) -> Self {
        Self::malformed(error.to_string())
    }
}

/// The routes of the Web of Things.
pub(crate) fn router(things: Things) -> Router {
    let thing = format!("{DIRECTORY}/things/{{system}}/{{twin}}");
    let below = |path: &str| format!("{thing}/{path}");
    Router::new()
        .route("/.well-known/wot", get(directory::introduction))
        .route(&format!("{DIRECTORY}/things"), get(directory::list))
        .route(&format!("{DIRECTORY}/things/{{id}}"), get(directory::one))
        .route(&format!("{DIRECTORY}/events"), get(directory::events))
        .route(&format!("{DIRECTORY}/events/{{kind}}"), get(directory::events_of))
        .route(&below("properties"), get(properties::all))
        .route(&below("properties/{name}"), get(properties::read).put(properties::write))
        .route(&below("properties/{name}/observe"), get(properties::observe).head(told::handshake))
        .route(&below("actions/{name}"), axum::routing::post(actions::invoke))
        .route(&below("actions/{name}/{call}"), get(actions::status))
        .route(&below("events/{name}"), get(events::subscribe).head(told::handshake))
        .with_state(things)
}
