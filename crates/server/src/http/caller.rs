//! Who asks: a bearer token or a client certificate, as one of the three parties.

use std::{marker::PhantomData, ops::Deref, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use vestibule_enabler_core::{Condition, Fingerprint, token::inspect};
use vestibule_protocol::{Party, Request, Response};

use super::{
    Api, Problem,
    listen::Connection,
    sessions::{Held, Shown},
};

/// Whose fingerprint a bearer token is: nothing but its hash is ever stored.
pub(crate) fn fingerprint(token: &str) -> Fingerprint {
    Fingerprint(*blake3::hash(token.as_bytes()).as_bytes())
}

/// Tokens of pairing have 43 characters, delegated ones a kilobyte for each hand that they went through.
const LONGEST_TOKEN: usize = 16 * 1024;

/// A part that a session takes, as a type: a handler's arguments say whose interface it belongs to.
pub(crate) trait Part: Send + Sync + 'static {
    /// The part.
    const PARTY: Party;
}

/// MII: a metaverse system with its user.
pub(crate) struct Metaverse;

impl Part for Metaverse {
    const PARTY: Party = Party::Metaverse;
}

/// DII: a digital twin system.
pub(crate) struct TwinSystem;

impl Part for TwinSystem {
    const PARTY: Party = Party::TwinSystem;
}

/// SII: a third-party system.
pub(crate) struct ThirdParty;

impl Part for ThirdParty {
    const PARTY: Party = Party::ThirdParty;
}

/// The session of whoever asks. As an argument of a handler it comes before the body, so that nobody's body is read
/// before they have shown who they are.
pub(crate) struct Session<P> {
    held: Arc<Held>,
    _use: super::sessions::Use,
    _part: PhantomData<P>,
}

/// A user who asks (MII).
pub(crate) type Caller = Session<Metaverse>;
/// A digital twin system that speaks (DII).
pub(crate) type Speaker = Session<TwinSystem>;
/// A third-party system that speaks (SII).
pub(crate) type Supplier = Session<ThirdParty>;

impl<P> Deref for Session<P> {
    type Target = Held;

    fn deref(&self) -> &Held {
        &self.held
    }
}

impl<P> Session<P> {
    /// Asks the hub; a refusal becomes a problem.
    pub(crate) async fn ask(&self, request: Request) -> Result<Response, Problem> {
        match self.held.handle().request(request).await {
            Response::Refused(refusal) => Err(refusal.into()),
            response => Ok(response),
        }
    }

    /// The same, where `condition` holds at the moment of the decision.
    pub(crate) async fn done_if(&self, request: Request, condition: Option<Condition>) -> Result<(), Problem> {
        match self.held.handle().request_if(request, condition).await {
            Response::Done => Ok(()),
            Response::Refused(refusal) => Err(refusal.into()),
            _ => Err(Problem::strange()),
        }
    }

    /// Asks for something that is answered with [`Response::Done`].
    pub(crate) async fn done(&self, request: Request) -> Result<(), Problem> {
        match self.ask(request).await? {
            Response::Done => Ok(()),
            _ => Err(Problem::strange()),
        }
    }
}

/// The bearer token that a request shows; `None` where it shows none.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let token = value.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let token = token.filter(|token| !token.is_empty() && token.len() <= LONGEST_TOKEN);
    token.map(Some).ok_or_else(Problem::unauthenticated)
}

/// What a token shows. One that is bound to a device counts together with that device's certificate alone; and what
/// both together open, neither opens.
fn shown_token(token: &str, certificate: Option<Fingerprint>) -> Shown {
    let alone = fingerprint(token);
    let is_bound = || inspect(token).is_ok_and(|grant| grant.limits.device.is_some());
    match certificate.filter(|_| is_bound()) {
        Some(certificate) => {
            let mut both = blake3::Hasher::new();
            both.update(&alone.0).update(&certificate.0);
            let both = Fingerprint(*both.finalize().as_bytes());
            Shown { fingerprint: both, identity: certificate, token: Some(token.into()) }
        }
        None => Shown { fingerprint: alone, identity: alone, token: Some(token.into()) },
    }
}

/// Who a request shows to be.
fn shown(parts: &Parts) -> Result<Shown, Problem> {
    let certificate = parts.extensions.get::<Connection>().and_then(|connection| connection.certificate);
    if let Some(token) = bearer(&parts.headers)? {
        return Ok(shown_token(token, certificate));
    }
    let fingerprint = certificate.ok_or_else(Problem::unauthenticated)?;
    Ok(Shown { fingerprint, identity: fingerprint, token: None })
}

impl<P: Part> FromRequestParts<Arc<Api>> for Session<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let shown = shown(parts)?;
        let (held, used) = api.sessions.get(&api.shared.hub, &shown, P::PARTY).await?;
        if let Some(connection) = parts.extensions.get::<Connection>() {
            connection.admit(&held);
        }
        Ok(Self { held, _use: used, _part: PhantomData })
    }
}
