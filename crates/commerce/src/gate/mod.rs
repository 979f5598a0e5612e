//! What comes before anything is looked at: limits, who asks, whether they signed it, what both sides can do.

mod profiles;

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, request},
};
use tokio::time::timeout;
use vestibule_model::Timestamp;
use vestibule_ucp::{
    Endpoint, IdempotencyKey, NoDeal, Parts, Profile, SignatureError, Subject, Trouble, limits, negotiate, read_agent,
    request_hash, verify_head, verify_request,
};

pub(crate) use profiles::{Profiles, client, is_here};

use crate::{
    app::{App, Asked, Asker},
    said::Said,
    store::known,
};

/// A body takes no longer.
const BODY: Duration = Duration::from_secs(15);

/// What a request needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    /// This capability.
    pub(crate) capability: &'static str,
    /// To be signed. What anybody may see need not be.
    pub(crate) signed: bool,
}

/// A request that was let in.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) asker: Asker,
    pub(crate) body: Bytes,
    /// `Idempotency-Key`, where there is one.
    pub(crate) key: Option<IdempotencyKey>,
    method: String,
    path: String,
    query: Option<String>,
    agent: Endpoint,
}

impl Admitted {
    /// A request that changes something, and has a key.
    pub(crate) fn asked(self) -> Result<(Asked, Bytes), Said> {
        let Some(key) = self.key else { return Err(Said::invalid("Idempotency-Key is missing")) };
        // Who is known by a key may ask again from elsewhere; whoever is not is known by nothing but the address.
        let platform = &self.asker.platform;
        let who = if platform.is_empty() { self.agent.as_str() } else { platform };
        let hash = request_hash(&self.method, &self.path, self.query.as_deref(), who, &self.body);
        let which = known::Which {
            platform: self.asker.platform.clone(),
            operation: format!("{} {}", self.method, self.path),
            key: key.as_str().to_owned(),
        };
        Ok((Asked { asker: self.asker, which, hash }, self.body))
    }
}

/// What a request says in its head.
pub(crate) struct Head<'a> {
    pub(crate) parts: &'a request::Parts,
    headers: Vec<(String, String)>,
}

impl<'a> Head<'a> {
    /// Reads the headers that matter: what is no text does not.
    pub(crate) fn new(parts: &'a request::Parts) -> Result<Self, Said> {
        let texts =
            parts.headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        let headers: Vec<_> = texts.collect();
        let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > limits::MAX_HEADERS {
            return Err(Said::invalid("the headers are too long"));
        }
        Ok(Self { parts, headers })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a body of at most so many bytes.
pub(crate) async fn body(headers: &HeaderMap, body: Body) -> Result<Bytes, Said> {
    let told = headers.get("content-length").and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|told| told > limits::MAX_BODY) {
        return Err(Said { status: 413, ..Said::invalid("the body is too long") });
    }
    match timeout(BODY, axum::body::to_bytes(body, limits::MAX_BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Said { status: 413, ..Said::invalid("the body is too long, or broke off") }),
        Err(_) => Err(Said { status: 408, ..Said::invalid("the body is too slow") }),
    }
}

/// Lets a request in.
///
/// # Errors
/// What is answered instead.
pub(crate) async fn admit(app: &Arc<App>, request: axum::extract::Request, needs: Needs) -> Result<Admitted, Said> {
    let Ok(_place) = app.places.try_acquire() else { return Err(Said::trouble(Trouble::RateLimited)) };
    let (parts, content) = request.into_parts();
    let head = Head::new(&parts)?;
    let bytes = body(&parts.headers, content).await?;
    admit_read(app, &head, bytes, needs).await
}

/// Whether whoever asks may go on, before their body is read: their profile is known, and they signed the head.
///
/// # Errors
/// What is answered instead.
pub(crate) async fn knock(app: &Arc<App>, head: &Head<'_>) -> Result<(), Said> {
    let Ok(_place) = app.places.try_acquire() else { return Err(Said::trouble(Trouble::RateLimited)) };
    let agent = agent(head)?;
    let (profile, kid) = verified(app, head, &agent, None, app.clock.now()).await?;
    who(app, &agent, &profile, &kid).await.map(|_| ())
}

fn agent(head: &Head<'_>) -> Result<Endpoint, Said> {
    read_agent(head.text("ucp-agent").unwrap_or_default()).map_err(Said::trouble)
}

/// Lets a request in whose body was read. `bytes` are what was signed.
pub(crate) async fn admit_read(app: &Arc<App>, head: &Head<'_>, bytes: Bytes, needs: Needs) -> Result<Admitted, Said> {
    let now = app.clock.now();
    let agent = agent(head)?;
    let key = head.text("idempotency-key").map(IdempotencyKey::new).transpose().map_err(Said::invalid)?;
    let (profile, platform) = if needs.signed || head.text("signature").is_some() {
        let (profile, kid) = verified(app, head, &agent, Some(&bytes), now).await?;
        let platform = who(app, &agent, &profile, &kid).await?;
        (profile, platform)
    } else {
        (app.profiles.get(&agent, now, false).await.map_err(Said::trouble)?, String::new())
    };
    let active = negotiate(&app.profile, &profile);
    let active = active.and_then(|active| active.need(needs.capability).map(|()| active)).map_err(no_deal)?;
    Ok(Admitted {
        asker: Asker { platform, active },
        key,
        method: head.parts.method.to_string(),
        path: head.parts.uri.path().to_owned(),
        query: head.parts.uri.query().map(str::to_owned),
        agent,
        body: bytes,
    })
}

/// Whose profile says that they signed, and with which key. Without a body: its head.
async fn verified(
    app: &Arc<App>,
    head: &Head<'_>,
    agent: &Endpoint,
    body: Option<&[u8]>,
    now: Timestamp,
) -> Result<(Arc<Profile>, String), Said> {
    let headers: Vec<(&str, &str)> = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let signed = Parts {
        subject: Subject::Method(head.parts.method.as_str()),
        // Not what `Host` says: whoever was sent a request could send it on to this merchant.
        authority: app.profile_url.authority(),
        secure: app.base.starts_with("https:"),
        path: head.parts.uri.path(),
        query: head.parts.uri.query(),
        headers: &headers,
        body: body.unwrap_or_default(),
    };
    let verify = if body.is_some() { verify_request } else { verify_head };
    let must = ["ucp-agent"];
    let mut profile = app.profiles.get(agent, now, false).await.map_err(Said::trouble)?;
    let mut verified = verify(&signed, profile.keys(), &must, now);
    if matches!(verified, Err(SignatureError::KeyNotFound(_))) {
        // Its keys may have changed since it was fetched.
        profile = app.profiles.get(agent, now, true).await.map_err(Said::trouble)?;
        verified = verify(&signed, profile.keys(), &must, now);
    }
    let kid = verified.map_err(|error| {
        tracing::debug!(%error, agent = agent.as_str(), "a signature is not taken");
        Said::trouble(error.trouble())
    })?;
    Ok((profile, kid))
}

fn no_deal(no_deal: NoDeal) -> Said {
    match no_deal {
        NoDeal::Version { .. } => Said::trouble(Trouble::VersionUnsupported),
        NoDeal::Nothing | NoDeal::Missing(_) => Said::ok(&no_deal.refused()),
    }
}

/// Whose key it is. Where its platform moved since it was last heard, that is written down: webhooks go there.
async fn who(app: &Arc<App>, agent: &Endpoint, profile: &Profile, kid: &str) -> Result<String, Said> {
    let key = profile.keys().iter().find(|key| key.kid == kid);
    let thumbprint = key.and_then(|key| key.thumbprint().ok()).ok_or_else(|| Said::trouble(Trouble::KeyNotFound))?;
    if !app.let_in.is_empty() && !app.let_in.contains(&thumbprint) {
        return Err(Said::trouble(Trouble::ProfileNotTrusted));
    }
    let webhook = profile.webhook().filter(|hook| app.profiles.may_ask(hook)).map(String::from);
    let at = (agent.as_str().to_owned(), webhook);
    let known = {
        let known = app.platforms.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.get(&thumbprint) == Some(&at)
    };
    if !known {
        let (id, (url, hook)) = (thumbprint.clone(), at.clone());
        let written = app.store.write(move |connection| {
            Box::pin(async move { known::platform(connection, &id, &url, hook.as_deref()).await })
        });
        written.await.map_err(|error| app.answered(Err(error)))?;
        let mut known = app.platforms.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Beyond it the next is written down again, which changes nothing.
        if known.len() < 1_024 || known.contains_key(&thumbprint) {
            known.insert(thumbprint.clone(), at);
        }
    }
    Ok(thumbprint)
}
