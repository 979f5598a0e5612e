//! What a request brings: limits first, parsing second, a typed problem third.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::timeout;

use super::Problem;

/// Bytes of a JSON body: a batch of reports, or a twin with everything that it may have.
pub(crate) const JSON_LIMIT: usize = 1024 * 1024;
/// A body takes no longer: it is a moment's worth of data.
const BODY_TIME: Duration = Duration::from_secs(10);

/// A JSON body of at most so many bytes. Depth is bounded by the parser (128).
pub(crate) struct Json<T, const LIMIT: usize = JSON_LIMIT>(pub(crate) T);

/// Parameters of the path.
pub(crate) struct Path<T>(pub(crate) T);

/// Parameters of the query.
pub(crate) struct Query<T>(pub(crate) T);

/// Which part of a list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    /// What comes after this number: `next` of the page before.
    #[serde(default)]
    pub(crate) after: u64,
    /// At most so many; 0: the default of 100.
    #[serde(default)]
    pub(crate) limit: u16,
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    if body.size_hint().lower() > limit as u64 {
        return Err(Problem::too_large(limit));
    }
    let read = timeout(BODY_TIME, axum::body::to_bytes(body, limit)).await.map_err(|_| Problem::too_slow())?;
    // What else can go wrong is a connection that nobody answers on any more.
    read.map_err(|_| Problem::too_large(limit))
}

/// The media type of a body, without its parameters, in small letters.
pub(crate) fn media(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

impl<T: DeserializeOwned, S: Send + Sync, const LIMIT: usize> FromRequest<S> for Json<T, LIMIT> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let is_json =
            media(request.headers()).is_some_and(|media| media == "application/json" || media.ends_with("+json"));
        if !is_json {
            return Err(Problem::media("application/json"));
        }
        let bytes = read(request.into_body(), LIMIT).await?;
        parse(&bytes).map(Self)
    }
}

/// Bytes as JSON.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| Problem::malformed(error.to_string()))
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(value)| Self(value)).map_err(|error| Problem::malformed(error.body_text()))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        read.map(|axum::extract::Query(value)| Self(value)).map_err(|error| Problem::malformed(error.body_text()))
    }
}
