//! What is asked of an OpenID provider, and what of its answers is believed.

use std::{
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use openidconnect::{
    AccessToken, AsyncHttpClient, AuthenticationFlow, AuthorizationCode, ClaimsVerificationError, ClientId,
    ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, SignatureVerificationError, SubjectIdentifier, TokenResponse, UserInfoClaims,
    UserInfoError,
    core::{CoreClient, CoreGenderClaim, CoreIdToken, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType},
    http,
};
use thiserror::Error;
use tokio::sync::Semaphore;
use vestibule_model::Timestamp;

use super::{
    CALLBACK, LoginConfig, LoginError,
    begun::Asked,
    claims::{self, AnyClaims},
};

/// An answer of a provider: its keys are the longest of them.
const MOST_BYTES: usize = 512 * 1024;
/// A person waits for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Milliseconds for which a provider's addresses and keys are taken as they were.
const KEPT_MS: u64 = 10 * 60 * 1_000;
/// With a key that nobody knows yet they are asked for again, but not by everybody who sends a forged one.
const ANEW_MS: u64 = 30 * 1_000;
/// How far a provider's clock may be ahead: clocks that are set over the network differ by less than a second.
const SKEW_MS: i64 = 60 * 1_000;
/// Questions to the provider at once: it is slow, and strangers begin logins.
const MOST_ASKED: usize = 16;
/// Signatures that only the provider can have made. Not those with the client's secret, and not `none`.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Whom a provider vouches for.
#[derive(Debug)]
pub(super) struct Person {
    /// Names them at the provider for ever.
    pub(super) subject: String,
    /// For people.
    pub(super) name: String,
    /// Everything that was said of them.
    pub(super) claims: serde_json::Value,
}

/// What a provider gives for a code, not believed yet.
#[derive(Debug)]
pub(super) struct Given {
    /// Who it is.
    pub(super) id: CoreIdToken,
    /// Opens what else the provider says of them.
    pub(super) access: AccessToken,
}

/// Why nothing came back.
#[derive(Debug, Error)]
enum Unanswered {
    #[error("{0}")]
    Network(#[from] reqwest::Error),
    #[error("its answer is longer than {MOST_BYTES} bytes")]
    TooLong,
    #[error("{0}")]
    Strange(#[from] http::Error),
}

/// Asks with care: no redirects, bounded answers, bounded waits.
#[derive(Debug)]
struct Courier(reqwest::Client);

impl Courier {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
        let mut answer = self.0.execute(request.try_into()?).await?;
        let mut builder = http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            builder = builder.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > MOST_BYTES {
                return Err(Unanswered::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(builder.body(body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Courier {
    type Error = Unanswered;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Unanswered>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// A provider, as it was configured and as it says of itself.
#[derive(Debug)]
pub(super) struct Provider {
    config: LoginConfig,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    client: Courier,
    asking: Semaphore,
    known: Mutex<Option<(Timestamp, CoreProviderMetadata)>>,
}

impl Provider {
    pub(super) fn new(config: LoginConfig) -> Result<Self, LoginError> {
        let wrong = |what: &str, error: String| LoginError::Config(format!("{what}: {error}"));
        let issuer =
            IssuerUrl::new(config.issuer.clone()).map_err(|error| wrong("--oidc-issuer", error.to_string()))?;
        let redirect =
            RedirectUrl::new(config.redirect.clone()).map_err(|error| wrong("--oidc-redirect", error.to_string()))?;
        for (what, url) in [("--oidc-issuer", issuer.url()), ("--oidc-redirect", redirect.url())] {
            let host = url.host_str().unwrap_or_default();
            let here = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
            if url.scheme() != "https" && !(url.scheme() == "http" && here) {
                return Err(wrong(what, "needs https, except on this machine".to_owned()));
            }
        }
        if !redirect.url().path().ends_with(CALLBACK) {
            return Err(wrong("--oidc-redirect", format!("ends with {CALLBACK}")));
        }
        // Taken already where somebody else in this process was first: the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(|error| LoginError::Config(error.to_string()))?;
        let asking = Semaphore::new(MOST_ASKED);
        Ok(Self { config, issuer, redirect, client: Courier(client), asking, known: Mutex::new(None) })
    }

    pub(super) fn issuer(&self) -> &str {
        &self.config.issuer
    }

    /// Whether browsers reach this enabler over TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.redirect.url().scheme() == "https"
    }

    /// The path to which people come back.
    pub(super) fn redirect_path(&self) -> &str {
        self.redirect.url().path()
    }

    fn away(&self, why: impl std::fmt::Display) -> LoginError {
        LoginError::Away { issuer: self.config.issuer.clone(), why: why.to_string() }
    }

    fn known(&self) -> MutexGuard<'_, Option<(Timestamp, CoreProviderMetadata)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The provider's addresses and keys, not older than `KEPT_MS`.
    async fn metadata(&self, now: Timestamp) -> Result<CoreProviderMetadata, LoginError> {
        let kept = self.known().as_ref().filter(|(at, _)| now.since(*at) <= KEPT_MS).map(|(_, known)| known.clone());
        if let Some(metadata) = kept {
            return Ok(metadata);
        }
        let _place = self.asking.try_acquire().map_err(|_| LoginError::Busy)?;
        let found = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.client).await;
        let metadata = found.map_err(|error| self.away(chain(&error)))?;
        *self.known() = Some((now, metadata.clone()));
        Ok(metadata)
    }

    /// Where to send somebody who wants to log in.
    pub(super) async fn question(&self, now: Timestamp, asked: &Asked) -> Result<String, LoginError> {
        let client = self.oidc(self.metadata(now).await?);
        let client = client.set_redirect_uri(self.redirect.clone());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(asked.verifier.clone()));
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let (state, nonce) = (CsrfToken::new(asked.state.clone()), Nonce::new(asked.nonce.clone()));
        let mut request =
            client.authorize_url(flow, move || state, move || nonce).add_scope(Scope::new("profile".to_owned()));
        // No more is asked of people than is used.
        if self.config.roles.iter().any(|role| role.claim().starts_with("email")) {
            request = request.add_scope(Scope::new("email".to_owned()));
        }
        let (url, ..) = request.set_pkce_challenge(challenge).url();
        Ok(url.into())
    }

    /// Redeems a code, and checks what comes for it. What else the provider gives, nobody keeps.
    pub(super) async fn redeem(&self, now: Timestamp, code: &str, asked: Asked) -> Result<Person, LoginError> {
        let nonce = asked.nonce.clone();
        let Given { id, access } = self.exchange(now, code, asked).await?;
        let person = self.believe(now, &id, nonce).await?;
        self.complete(now, person, access).await
    }

    /// Asks for what the ID token leaves out: many providers tell it at their userinfo endpoint alone.
    async fn complete(&self, now: Timestamp, mut person: Person, access: AccessToken) -> Result<Person, LoginError> {
        let is_known = |claim: &str| person.claims.get(claim).is_some();
        let is_whole = !person.name.is_empty() && self.config.roles.iter().all(|role| is_known(role.claim()));
        let metadata = self.metadata(now).await?;
        if is_whole || metadata.userinfo_endpoint().is_none() {
            return Ok(person);
        }
        let client = self.oidc(metadata);
        // Whatever it says of anybody else is not about this person.
        let subject = SubjectIdentifier::new(person.subject.clone());
        let request = client.user_info(access, Some(subject)).map_err(|error| self.away(chain(&error)))?;
        let _place = self.asking.try_acquire().map_err(|_| LoginError::Busy)?;
        let said: UserInfoClaims<AnyClaims, CoreGenderClaim> =
            request.request_async(&self.client).await.map_err(|error| match error {
                UserInfoError::ClaimsVerification(error) => {
                    LoginError::Unbelievable(format!("its userinfo endpoint: {}", chain(&error)))
                }
                UserInfoError::Response(status, ..) => self.away(format!("its userinfo endpoint answers {status}")),
                error => self.away(chain(&error)),
            })?;
        let name = said.name().and_then(|name| name.get(None)).map(|name| name.as_str());
        let name = name.or_else(|| said.preferred_username().map(|name| name.as_str()));
        if let Some(name) = name.filter(|_| person.name.is_empty()) {
            name.clone_into(&mut person.name);
        }
        claims::merge(&mut person.claims, serde_json::to_value(&said).unwrap_or_default());
        Ok(person)
    }

    /// What the provider gives for a code, not believed yet.
    pub(super) async fn exchange(&self, now: Timestamp, code: &str, asked: Asked) -> Result<Given, LoginError> {
        let client = self.oidc(self.metadata(now).await?);
        let client = client.set_redirect_uri(self.redirect.clone());
        let request =
            client.exchange_code(AuthorizationCode::new(code.to_owned())).map_err(|error| self.away(error))?;
        let verifier = PkceCodeVerifier::new(asked.verifier);
        let _place = self.asking.try_acquire().map_err(|_| LoginError::Busy)?;
        let answer = match request.set_pkce_verifier(verifier).request_async(&self.client).await {
            Ok(answer) => answer,
            Err(openidconnect::RequestTokenError::ServerResponse(no)) => {
                return Err(LoginError::Denied(no.to_string()));
            }
            Err(error) => return Err(self.away(chain(&error))),
        };
        let none = || LoginError::Unbelievable("it sent no ID token".to_owned());
        let id = answer.id_token().cloned().ok_or_else(none)?;
        Ok(Given { id, access: answer.access_token().clone() })
    }

    /// Who an ID token is about, where everything about it is right.
    pub(super) async fn believe(
        &self,
        now: Timestamp,
        token: &CoreIdToken,
        nonce: String,
    ) -> Result<Person, LoginError> {
        let nonce = Nonce::new(nonce);
        let checked = self.check(self.metadata(now).await?, now, token, &nonce);
        let checked = match checked {
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                // Providers change their keys.
                self.known().take_if(|(at, _)| now.since(*at) >= ANEW_MS);
                self.check(self.metadata(now).await?, now, token, &nonce)
            }
            checked => checked,
        };
        checked.map_err(|error| {
            let clock = match error {
                ClaimsVerificationError::Expired(_) => {
                    let now = now.to_utc();
                    format!(". This machine's clock says {now}: if that is wrong, set it, or have it set (NTP)")
                }
                _ => String::new(),
            };
            LoginError::Unbelievable(format!("{}{clock}", chain(&error)))
        })
    }

    fn check(
        &self,
        metadata: CoreProviderMetadata,
        now: Timestamp,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<Person, ClaimsVerificationError> {
        let client = self.oidc(metadata);
        let moment = i64::try_from(now.0).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
        let issued = move |at: DateTime<Utc>| {
            let ahead = at.timestamp_millis().saturating_sub(moment.timestamp_millis());
            let seconds = ahead / 1_000;
            if ahead <= SKEW_MS { Ok(()) } else { Err(format!("it was made {seconds} s in the future")) }
        };
        let verifier = client.id_token_verifier().set_allowed_algs(SIGNATURES).set_time_fn(move || moment);
        let claims = token.claims(&verifier.set_issue_time_verifier_fn(issued), nonce)?;
        let name = claims.name().and_then(|name| name.get(None)).map(|name| name.as_str());
        let name = name.or_else(|| claims.preferred_username().map(|name| name.as_str()));
        Ok(Person {
            subject: claims.subject().as_str().to_owned(),
            name: name.unwrap_or_default().to_owned(),
            claims: all_claims(token),
        })
    }

    /// As if the provider had given others.
    #[cfg(test)]
    pub(super) fn change_keys(&self, change: impl FnOnce(&mut openidconnect::core::CoreJsonWebKeySet)) {
        let mut known = self.known();
        let Some((_, metadata)) = known.as_mut() else { return };
        let mut keys = metadata.jwks().clone();
        change(&mut keys);
        *metadata = metadata.clone().set_jwks(keys);
    }

    fn oidc(&self, metadata: CoreProviderMetadata) -> DiscoveredClient {
        let secret = self.config.client_secret.as_ref().map(|secret| ClientSecret::new(secret.0.clone()));
        CoreClient::from_provider_metadata(metadata, ClientId::new(self.config.client_id.clone()), secret)
    }
}

type DiscoveredClient = CoreClient<
    openidconnect::EndpointSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointMaybeSet,
    openidconnect::EndpointMaybeSet,
>;

/// Everything in a token whose signature was checked.
fn all_claims(token: &CoreIdToken) -> serde_json::Value {
    let text = token.to_string();
    let payload = text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    payload.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        words = format!("{words}: {cause}");
        next = cause.source();
    }
    words.chars().take(400).collect()
}
