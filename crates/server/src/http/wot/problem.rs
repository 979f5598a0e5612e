//! Refusals as problem details (RFC 9457).

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use vestibule_model::{IdError, Refusal, RefusalCode};
use vestibule_wot::{JsonError, NameError};

/// Why something is not done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) words: String,
    rule: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self { status, words: words.into(), rule: None }
    }

    pub(crate) fn invalid(words: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, words)
    }

    pub(crate) fn missing(words: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, words)
    }

    pub(crate) fn busy(words: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, words)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        let mut problem = json!({
            "title": self.status.canonical_reason().unwrap_or("Refused"),
            "status": self.status.as_u16(),
            "detail": self.words,
        });
        if let Some(rule) = &self.rule {
            problem["rule"] = json!(rule);
        }
        problem
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.code {
            RefusalCode::Unauthenticated => StatusCode::UNAUTHORIZED,
            RefusalCode::Forbidden => StatusCode::FORBIDDEN,
            RefusalCode::NotFound => StatusCode::NOT_FOUND,
            RefusalCode::Conflict => StatusCode::CONFLICT,
            RefusalCode::RevisionMismatch => StatusCode::PRECONDITION_FAILED,
            RefusalCode::Expired => StatusCode::GONE,
            RefusalCode::Invalid => StatusCode::BAD_REQUEST,
            RefusalCode::Overloaded => StatusCode::TOO_MANY_REQUESTS,
            RefusalCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            RefusalCode::Storage => StatusCode::INSUFFICIENT_STORAGE,
        };
        Self { status, words: refusal.message, rule: refusal.rule.map(|rule| rule.to_string()) }
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        Self::missing(error.to_string())
    }
}

impl From<IdError> for Problem {
    fn from(error: IdError) -> Self {
        Self::missing(error.to_string())
    }
}

impl From<JsonError> for Problem {
    fn from(error: JsonError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.json())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        response
    }
}
