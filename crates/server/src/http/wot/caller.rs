//! Who asks, and how long their commands are worth something.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use vestibule_model::{Timestamp, TwinId};
use vestibule_protocol::{Request, Response, TwinView};

use super::Things;
use crate::{
    SessionHandle,
    http::{Api, Problem, caller, sessions::Shown, share::Account},
};

/// A known user with their session.
pub(super) struct Caller {
    asker: caller::Caller,
    pub(super) api: Arc<Api>,
    /// The enabler's clock when they came.
    pub(super) now: Timestamp,
}

impl FromRequestParts<Things> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, things: &Things) -> Result<Self, Problem> {
        let asker = caller::Caller::from_request_parts(parts, &things.api).await?;
        Ok(Self { asker, api: things.api.clone(), now: things.api.clock.now() })
    }
}

impl Caller {
    /// The session in which they ask.
    pub(super) fn session(&self) -> &SessionHandle {
        self.asker.handle()
    }

    /// On whose account it goes what they hold for long.
    pub(super) fn account(&self) -> Account {
        self.asker.account()
    }

    /// What they showed.
    pub(super) fn shown(&self) -> &Shown {
        self.asker.shown()
    }

    /// The same as bytes: nobody else learns of their calls.
    pub(super) fn key(&self) -> [u8; 32] {
        self.shown().fingerprint.0
    }

    /// Asks the hub; a refusal becomes a problem.
    pub(super) async fn ask(&self, request: Request) -> Result<Response, Problem> {
        self.asker.ask(request).await
    }

    /// A twin as the caller may see it.
    pub(super) async fn twin(&self, id: &TwinId) -> Result<TwinView, Problem> {
        match self.ask(Request::DescribeTwin(id.clone())).await? {
            Response::Twins(mut views) => {
                views.pop().ok_or_else(|| Problem::not_found(format!("there is no twin {id}")))
            }
            _ => Err(Problem::strange()),
        }
    }
}
