//! Logging in with an OpenID Connect provider (code flow with PKCE). Whoever the provider vouches for gets a bearer
//! token like that of pairing, with an end.
//!
//! The provider decides who somebody is, the enabler what they may: a person is a user by issuer and subject, never by a
//! name or an address, which providers let people choose.

mod begun;
mod claims;
mod page;
mod provider;
mod roles;
mod routes;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use thiserror::Error;
use utoipa::ToSchema;
use vestibule_model::{ContentHash, Login, Refusal, RoleId, Timestamp, UserId};
use vestibule_protocol::{Hello, Party, Request, Response, protocol_hash};

use crate::{Clock, HubError, HubHandle, Peer};
use begun::{Asked, Begun};
use provider::Provider;

pub use roles::ClaimRole;
pub(crate) use routes::routes;

/// Milliseconds that a login holds: a day at work. Then the provider is asked anew.
const LASTS_MS: u64 = 8 * 60 * 60 * 1_000;

/// Where providers send people back to, on this enabler.
const CALLBACK: &str = "/auth/callback";

/// Which provider vouches for people, and what for.
#[derive(Clone, Debug)]
pub struct LoginConfig {
    /// The provider.
    pub issuer: String,
    /// What it calls this enabler.
    pub client_id: String,
    /// The secret that it gave, where it gave one.
    pub client_secret: Option<Secret>,
    /// Where it sends people back to: this enabler's `/auth/callback`, letter by letter as the provider knows it.
    pub redirect: String,
    /// What its claims make people here.
    pub roles: Vec<ClaimRole>,
}

/// Words that no log shows.
#[derive(Clone)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(......)")
    }
}

/// Why somebody is not logged in.
#[derive(Debug, Error)]
pub enum LoginError {
    /// What was configured makes no sense.
    #[error("{0}")]
    Config(String),
    /// The provider does not answer, or not as a provider does.
    #[error("the OpenID provider {issuer} cannot be asked: {why}. Try again; others who are logged in stay so")]
    Away {
        /// The provider.
        issuer: String,
        /// What went wrong.
        why: String,
    },
    /// The person did not agree, or the provider says no.
    #[error("the OpenID provider says no: {0}. Begin again at /auth/login if you did not mean that")]
    Denied(String),
    /// Too many people log in at this moment.
    #[error("very many people log in at this moment: try again in a few seconds")]
    Busy,
    /// The answer belongs to no login that was begun here, in this browser, not long ago.
    #[error("this login was not begun here, or too long ago: begin it again at /auth/login")]
    Stale,
    /// What the provider signed is not what was asked for.
    #[error("what the OpenID provider says of this person cannot be believed: {0}")]
    Unbelievable(String),
    /// The enabler says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The enabler cannot.
    #[error(transparent)]
    Hub(HubError),
}

impl From<HubError> for LoginError {
    fn from(error: HubError) -> Self {
        match error {
            HubError::Refused(refusal) => Self::Refused(refusal),
            other => Self::Hub(other),
        }
    }
}

/// A person who is logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LoggedIn {
    /// What to send as `Authorization: Bearer`.
    pub token: String,
    /// Who they are here.
    pub user: UserId,
    /// What they may be.
    pub roles: Vec<RoleId>,
    /// Until when.
    pub until: Timestamp,
}

/// Logs people in.
#[derive(Debug)]
pub struct LoginDesk {
    hub: HubHandle,
    clock: Clock,
    provider: Provider,
    roles: Vec<ClaimRole>,
    begun: Begun,
}

impl LoginDesk {
    /// A desk for people whom `config.issuer` knows. The provider is asked when the first of them comes.
    ///
    /// # Errors
    /// [`LoginError::Config`] where the addresses are none, or could be listened to.
    pub fn new(hub: HubHandle, clock: Clock, config: LoginConfig) -> Result<Arc<Self>, LoginError> {
        let roles = config.roles.clone();
        let provider = Provider::new(config)?;
        Ok(Arc::new(Self { hub, clock, provider, roles, begun: Begun::new() }))
    }

    /// Where to send somebody who wants to log in, and what their browser has to show when they come back.
    pub(crate) async fn begin(&self) -> Result<(String, String), LoginError> {
        let now = self.clock.now();
        let asked = self.begun.begin(now);
        Ok((self.provider.question(now, &asked).await?, asked.state))
    }

    /// Where a browser shows what it has to show: below a proxy's prefix, where there is one.
    pub(crate) fn cookie_path(&self) -> &str {
        let path = self.provider.redirect_path();
        path.strip_suffix("/callback").unwrap_or(path)
    }

    /// The login that this browser began.
    fn asked(&self, state: &str, shown: Option<&str>) -> Result<Asked, LoginError> {
        let asked = self.begun.resume(self.clock.now(), state).filter(|_| shown == Some(state));
        asked.ok_or(LoginError::Stale)
    }

    /// Somebody has come back with a code. `shown`: what their browser shows.
    pub(crate) async fn finish(&self, state: &str, code: &str, shown: Option<&str>) -> Result<LoggedIn, LoginError> {
        let asked = self.asked(state, shown)?;
        // The provider takes each code once, and only with what this login alone knows.
        let person = self.provider.redeem(self.clock.now(), code, asked).await?;
        let roles = roles::of(&self.roles, &person.claims);
        let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let device = ContentHash::of(token.as_bytes()).0;
        let until = self.clock.now().plus(LASTS_MS);
        let login = Login { issuer: self.provider.issuer().to_owned(), subject: person.subject };
        self.hub.log_in(device, login, person.name, roles, until).await?;
        let Response::Welcome(welcome) = self.ask(device, None).await? else { return Err(LoginError::Stale) };
        let user = welcome.user.ok_or(LoginError::Stale)?;
        Ok(LoggedIn { token, user, roles: welcome.roles, until })
    }

    /// Ends the login of `token`, and every connection that it has.
    pub(crate) async fn end(&self, token: &str) -> Result<(), LoginError> {
        let device = ContentHash::of(token.as_bytes()).0;
        match self.ask(device, Some(Request::RevokeDevice(vestibule_model::Fingerprint(device)))).await? {
            Response::Refused(refusal) => Err(refusal.into()),
            _ => Ok(()),
        }
    }

    async fn ask(&self, device: [u8; 32], request: Option<Request>) -> Result<Response, LoginError> {
        let (session, _outgoing) = self.hub.open(Peer::Certificate(device)).await?;
        let software = "login".to_owned();
        let hello = Hello { protocol: protocol_hash(), party: Party::Metaverse, software };
        let greeted = session.request(Request::Hello(hello)).await;
        match request {
            Some(request) => Ok(session.request(request).await),
            None => Ok(greeted),
        }
    }
}
