//! Refusals over HTTP: problem details (RFC 9457) with the code and the rule of the enabler's own refusals.

use std::collections::BTreeMap;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{ContentBuilder, Ref, RefOr, Response as Documented, ResponseBuilder},
};
use vestibule_model::{Refusal, RefusalCode, RuleId};

/// Seconds after which it is worth trying again: a batch of decisions takes less.
const RETRY_AFTER: &str = "1";
/// The media type of problem details.
const PROBLEM: &str = "application/problem+json";

/// Why a request was not done (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Names the kind of problem: `/v1/problems/` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The kind of problem, for people.
    title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// This problem, for people: what was wrong, and what to do.
    detail: String,
    /// The kind of problem, for programs.
    code: &'static str,
    /// The rule that decided, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RuleId>)]
    rule: Option<RuleId>,
}

/// Refusals of the enabler, each with the status that it has over HTTP.
pub(crate) const fn status(code: RefusalCode) -> (StatusCode, &'static str, &'static str) {
    match code {
        RefusalCode::Unauthenticated => {
            (StatusCode::UNAUTHORIZED, "unauthenticated", "Nobody with that identity is known")
        }
        RefusalCode::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "A rule, or the lack of one, forbids it"),
        RefusalCode::NotFound => {
            (StatusCode::NOT_FOUND, "not_found", "There is no such thing, or you may not know of it")
        }
        RefusalCode::Held => {
            (StatusCode::LOCKED, "held", "Somebody holds the thing, or nobody may act without holding it")
        }
        RefusalCode::Conflict => (StatusCode::CONFLICT, "conflict", "It stands against what is there already"),
        RefusalCode::RevisionMismatch => {
            (StatusCode::PRECONDITION_FAILED, "revision_mismatch", "The thing has changed since you looked")
        }
        RefusalCode::Expired => (StatusCode::UNPROCESSABLE_ENTITY, "expired", "Too late"),
        RefusalCode::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request makes no sense"),
        RefusalCode::Overloaded => (StatusCode::TOO_MANY_REQUESTS, "overloaded", "Too much at once"),
        RefusalCode::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "A part that is needed is away"),
        RefusalCode::Storage => (StatusCode::SERVICE_UNAVAILABLE, "storage", "The enabler cannot write its log"),
    }
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/v1/problems/{code}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            code,
            rule: None,
        }
    }

    /// Not a request that can be read.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The request cannot be read", detail)
    }

    /// Readable, but it makes no sense.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Refusal::new(RefusalCode::Invalid, detail).into()
    }

    /// The thing has changed since the asker looked.
    pub(crate) fn stale(detail: impl Into<String>) -> Self {
        Refusal::new(RefusalCode::RevisionMismatch, detail).into()
    }

    /// There is no such thing.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Refusal::new(RefusalCode::NotFound, detail).into()
    }

    /// Nobody showed who they are.
    pub(crate) fn unauthenticated() -> Self {
        let words = "send `Authorization: Bearer TOKEN` with the token that POST /v1/pairing gave, or a client certificate that was paired";
        Refusal::new(RefusalCode::Unauthenticated, words).into()
    }

    /// The body is not of the media type that is taken here.
    pub(crate) fn media(wanted: &str) -> Self {
        let detail = format!("send the body as `Content-Type: {wanted}`");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Another media type is needed", detail)
    }

    /// The body is longer than it may be.
    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!("the body has more than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too long", detail)
    }

    /// The body did not come in time.
    pub(crate) fn too_slow() -> Self {
        let detail = "the body did not come in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "The request came too slowly", detail)
    }

    /// The path is there and does something else.
    pub(crate) fn method() -> Self {
        let detail = "this path does not take this method: the `Allow` header names those that it takes";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Another method is needed", detail)
    }

    /// Too late, or the hub answered something that was not asked.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Refusal::new(RefusalCode::Unavailable, detail).into()
    }

    /// The thing, or its system, did not do it.
    pub(crate) fn thing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "thing_failed", "The thing did not do it", detail)
    }

    /// The thing did not do it in time.
    pub(crate) fn thing_late(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "thing_late", "The thing did not do it in time", detail)
    }

    /// The OpenID provider does not answer, or not as a provider does.
    pub(crate) fn provider_away(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "provider_away", "The OpenID provider cannot be asked", detail)
    }

    /// The OpenID provider, or the person there, says no.
    pub(crate) fn login_denied(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "login_denied", "The OpenID provider says no", detail)
    }

    /// The answer belongs to no login that this browser began.
    pub(crate) fn login_stale(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "login_stale",
            "This login was not begun here, or too long ago",
            detail,
        )
    }

    /// What the OpenID provider signed is not what was asked for.
    pub(crate) fn login_unbelievable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "login_unbelievable", "The OpenID provider cannot be believed", detail)
    }

    /// Too much at once.
    pub(crate) fn overloaded(detail: impl Into<String>) -> Self {
        Refusal::new(RefusalCode::Overloaded, detail).into()
    }

    /// An answer that does not belong to the question: a mistake of ours.
    pub(crate) fn strange() -> Self {
        tracing::error!("the hub answered something that was not asked");
        Self::unavailable("the enabler answered something that was not asked")
    }

    /// Its code.
    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }

    /// What was wrong, and what to do.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// Its kind, in words.
    pub(crate) const fn title(&self) -> &'static str {
        self.title
    }

    /// The status that it is sent with.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
    }
}

/// One problem of each kind.
pub(crate) fn kinds() -> Vec<Problem> {
    let codes = [
        RefusalCode::Unauthenticated,
        RefusalCode::Forbidden,
        RefusalCode::NotFound,
        RefusalCode::Conflict,
        RefusalCode::Held,
        RefusalCode::RevisionMismatch,
        RefusalCode::Expired,
        RefusalCode::Invalid,
        RefusalCode::Overloaded,
        RefusalCode::Unavailable,
        RefusalCode::Storage,
    ];
    let refusals = codes.into_iter().map(|code| Refusal::new(code, "").into());
    let own = [
        Problem::malformed(""),
        Problem::media(""),
        Problem::too_large(0),
        Problem::too_slow(),
        Problem::method(),
        Problem::thing(""),
        Problem::thing_late(""),
        Problem::provider_away(""),
        Problem::login_denied(""),
        Problem::login_stale(""),
        Problem::login_unbelievable(""),
    ];
    refusals.chain(own).collect()
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, code, title) = status(refusal.code);
        Self { rule: refusal.rule, ..Self::new(status, code, title, refusal.message) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        // Nothing in a problem cannot be JSON.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
        set(header::CONTENT_TYPE, PROBLEM);
        match status {
            StatusCode::UNAUTHORIZED => drop(set(header::WWW_AUTHENTICATE, "Bearer")),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                drop(set(header::RETRY_AFTER, RETRY_AFTER));
            }
            _ => {}
        }
        response
    }
}

/// What the enabler may answer instead to anything that it is asked: documented beside each answer that is given.
pub(crate) struct Refusals;

/// What may be wrong with a body.
pub(crate) struct BadBody;

impl Problem {
    /// The OpenID provider does not answer, as it is documented.
    pub(crate) fn away() -> BTreeMap<String, RefOr<Documented>> {
        document(&[(StatusCode::BAD_GATEWAY, "The OpenID provider cannot be asked.")])
    }
}

fn document(answers: &[(StatusCode, &str)]) -> BTreeMap<String, RefOr<Documented>> {
    let schema = || Ref::from_schema_name(Problem::name());
    let answer = |words: &str| {
        let content = ContentBuilder::new().schema(Some(schema())).build();
        ResponseBuilder::new().description(words).content(PROBLEM, content).build()
    };
    answers.iter().map(|(status, words)| (status.as_str().to_owned(), RefOr::T(answer(words)))).collect()
}

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Documented>> {
        document(&[
            (StatusCode::BAD_REQUEST, "A parameter, a header or the body cannot be read."),
            (StatusCode::UNAUTHORIZED, "Nobody with that identity is known."),
            (StatusCode::FORBIDDEN, "A rule, or the lack of one, forbids it; `rule` names the one that decided."),
            (StatusCode::NOT_FOUND, "There is no such thing, or the asker may not know of it."),
            (StatusCode::CONFLICT, "It stands against what is there already."),
            (StatusCode::PRECONDITION_FAILED, "The thing has changed since the asker looked."),
            (StatusCode::UNPROCESSABLE_ENTITY, "It makes no sense, or its time has ended."),
            (StatusCode::LOCKED, "Somebody holds the thing, or nobody may act on it without holding it."),
            (StatusCode::TOO_MANY_REQUESTS, "Too much at once: try again after `Retry-After` seconds."),
            (StatusCode::SERVICE_UNAVAILABLE, "A part that is needed is away, or the log cannot be written."),
        ])
    }
}

impl IntoResponses for BadBody {
    fn responses() -> BTreeMap<String, RefOr<Documented>> {
        document(&[
            (StatusCode::REQUEST_TIMEOUT, "The body did not come in time."),
            (StatusCode::PAYLOAD_TOO_LARGE, "The body is longer than it may be."),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is of another media type."),
        ])
    }
}
