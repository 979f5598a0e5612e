//! HTTP with care: no redirects, no proxies, TLS 1.3, bounded answers, bounded waits. Nothing is asked twice here.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, Method, Url, redirect, tls};
use rustls::pki_types::CertificateDer;
use thiserror::Error;
use tokio::time::timeout;
use vestibule_ucp::{Endpoint, Parts, limits::MAX_BODY};

use crate::limits::{CONNECT, MAX_HEADER_LINES};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Unanswered {
    /// Nothing was sent.
    #[error("cannot be reached: {0}")]
    Away(String),
    /// It may have been heard.
    #[error("gave no answer: {0}")]
    Silent(String),
    /// It may have been heard.
    #[error("gave no answer in time")]
    Late,
    /// It was heard, and what came back is more than is taken.
    #[error("answered with more than is taken")]
    TooLong,
}

impl Unanswered {
    /// Whether the request has not left.
    pub(crate) const fn is_unsent(&self) -> bool {
        matches!(self, Self::Away(_))
    }
}

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) struct Outbound {
    pub method: &'static str,
    pub url: Endpoint,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
}

/// What came back, not looked at.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Raw {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether anybody claims to have signed it.
    pub(crate) fn has_signature(&self) -> bool {
        self.header("signature").is_some() || self.header("signature-input").is_some()
    }

    pub(crate) fn is_json(&self) -> bool {
        let kind = self.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default();
        let kind = kind.trim().to_ascii_lowercase();
        kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json")
    }

    /// As signatures see it.
    pub(crate) fn with_parts<T>(&self, look: impl FnOnce(&Parts<'_>) -> T) -> T {
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        look(&Parts { subject: self.status.into(), headers: &headers, body: &self.body, ..Parts::default() })
    }
}

/// What carries requests.
#[derive(Debug)]
pub(crate) struct Courier(Client);

impl Courier {
    /// With the machine's roots and these.
    pub(crate) fn new(roots: &[CertificateDer<'static>]) -> Result<Self, String> {
        // Taken already where somebody else in this process was first: the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let roots: Result<Vec<_>, _> = roots.iter().map(|root| reqwest::Certificate::from_der(root)).collect();
        let client = Client::builder()
            .tls_certs_merge(roots.map_err(|error| chain(&error))?)
            .tls_version_min(tls::Version::TLS_1_3)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .http1_only()
            .http1_max_headers(MAX_HEADER_LINES)
            .connect_timeout(CONNECT)
            // A connection for each request: what comes on it answers that one. On one that is used again a shop that
            // answers twice would answer the next question with the last answer.
            .pool_max_idle_per_host(0)
            .build();
        client.map(Self).map_err(|error| chain(&error))
    }

    /// Sends it once and waits for the whole answer, at most for so long.
    pub(crate) async fn send(&self, outbound: Outbound, patience: Duration) -> Result<Raw, Unanswered> {
        match timeout(patience, self.exchange(outbound)).await {
            Ok(answer) => answer,
            Err(_) => Err(Unanswered::Late),
        }
    }

    async fn exchange(&self, outbound: Outbound) -> Result<Raw, Unanswered> {
        let url = plain(&outbound.url).ok_or_else(|| Unanswered::Away("its address is not plain".to_owned()))?;
        let method = Method::from_bytes(outbound.method.as_bytes());
        let method = method.map_err(|error| Unanswered::Away(error.to_string()))?;
        let mut request = self.0.request(method, url);
        for (name, value) in outbound.headers {
            request = request.header(name, value);
        }
        if !outbound.body.is_empty() {
            request = request.body(outbound.body);
        }
        let mut answer = request.send().await.map_err(|error| {
            // Before there is a connection nobody has heard a word.
            if error.is_connect() || error.is_builder() {
                Unanswered::Away(chain(&error))
            } else {
                Unanswered::Silent(chain(&error))
            }
        })?;
        let status = answer.status().as_u16();
        let lines = answer.headers().iter();
        // What is no text says nothing here.
        let headers = lines
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| Unanswered::Silent(chain(&error)))? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(Unanswered::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Raw { status, headers, body })
    }
}

/// The same address as it goes over the wire. `None` where it would be written in another way there: then what was
/// signed would not be what is sent.
fn plain(endpoint: &Endpoint) -> Option<Url> {
    let url = Url::parse(endpoint.as_str()).ok()?;
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    let authority = format!("{}{port}", url.host_str()?);
    let same = authority == endpoint.authority() && url.path() == endpoint.path() && url.query().is_none();
    same.then_some(url)
}

/// An error with what it comes from: the outermost alone says only that something went wrong.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_what_is_sent() {
        let is_plain = |url: &str| plain(&Endpoint::new(url).unwrap()).is_some();
        for url in [
            "https://shop.example.com",
            "https://shop.example.com:8443/a%20b/c",
            "http://[::1]:9/x",
            "http://127.0.0.1/",
        ] {
            assert!(is_plain(url), "{url}");
        }
        for url in
            ["https://shop.example.com/a/../b", "https://shop.example.com/%2e%2E/b", "https://[0:0:0:0:0:0:0:1]:9/x"]
        {
            assert!(!is_plain(url), "{url}");
        }
    }
}
