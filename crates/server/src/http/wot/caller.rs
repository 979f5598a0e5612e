//! Who asks: a session of the hub for each request, in the name of the bearer token's owner.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use tokio::sync::mpsc;
use vestibule_model::{Timestamp, TwinId};
use vestibule_protocol::{Hello, Party, Request, Response, TwinView, Welcome, protocol_hash};

use super::{Things, problem::Problem};
use crate::{HubError, HubHandle, Outgoing, Peer, SessionHandle};

/// A known user, with a session of their own.
pub(crate) struct Caller {
    pub(crate) session: SessionHandle,
    pub(super) news: mpsc::Receiver<Outgoing>,
    /// The enabler's clock when they came.
    pub(super) now: Timestamp,
    /// Who they are: the hash of their token.
    pub(super) key: [u8; 32],
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Opens a session in the name of whoever the headers show.
pub(crate) async fn open(hub: &HubHandle, headers: &HeaderMap) -> Result<Caller, Problem> {
    let unknown = || Problem::new(axum::http::StatusCode::UNAUTHORIZED, "a bearer token from pairing is needed");
    let key = *blake3::hash(token(headers).ok_or_else(unknown)?.as_bytes()).as_bytes();
    let opened = hub.open(Peer::Certificate(key)).await;
    let (session, news) = opened.map_err(|error| match error {
        HubError::Refused(refusal) => refusal.into(),
        error => Problem::busy(error.to_string()),
    })?;
    let hello = Hello {
        protocol: protocol_hash(),
        party: Party::Metaverse,
        software: concat!("wot/", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    match session.request(Request::Hello(hello)).await {
        Response::Welcome(Welcome { user: Some(_), now, .. }) => Ok(Caller { session, news, now, key }),
        Response::Refused(refusal) => Err(refusal.into()),
        _ => Err(unknown()),
    }
}

impl FromRequestParts<Things> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, things: &Things) -> Result<Self, Problem> {
        open(&things.hub, &parts.headers).await
    }
}

impl Caller {
    /// A twin as the caller may see it.
    pub(super) async fn twin(&self, id: &TwinId) -> Result<TwinView, Problem> {
        match self.session.request(Request::DescribeTwin(id.clone())).await {
            Response::Twins(mut views) => views.pop().ok_or_else(|| Problem::missing(format!("there is no twin {id}"))),
            Response::Refused(refusal) => Err(refusal.into()),
            _ => Err(unexpected()),
        }
    }
}

/// The hub said something that does not answer what was asked.
pub(crate) fn unexpected() -> Problem {
    Problem::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "the enabler gave another answer than was asked for")
}
