use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use vestibule_model::Timestamp;

use crate::{
    SigningKey,
    fields::{Bare, Params, write_list},
};

/// What a signature says of the message itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A request's method.
    Method(&'a str),
    /// An answer's status.
    Status(u16),
}

impl Default for Subject<'_> {
    fn default() -> Self {
        Self::Method("GET")
    }
}

impl<'a> From<&'a str> for Subject<'a> {
    fn from(method: &'a str) -> Self {
        Self::Method(method)
    }
}

impl From<u16> for Subject<'_> {
    fn from(status: u16) -> Self {
        Self::Status(status)
    }
}

/// A request or an answer, as far as signatures see it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts<'a> {
    /// Its method, or its status.
    pub subject: Subject<'a>,
    /// Host and port, as `Host` has them.
    pub authority: &'a str,
    /// Whether it came over TLS: which port goes without saying.
    pub secure: bool,
    /// The path, as it was sent.
    pub path: &'a str,
    /// What follows `?`, as it was sent.
    pub query: Option<&'a str>,
    /// Headers in their order; names in lower case.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body, byte by byte.
    pub body: &'a [u8],
}

impl Parts<'_> {
    /// A header's value, several lines joined; `None` where there is none.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let mut lines = self.headers.iter().filter(|(known, _)| *known == name).map(|(_, value)| value.trim());
        let first = lines.next()?.to_owned();
        Some(lines.fold(first, |joined, line| joined + ", " + line))
    }

    /// What a component that is derived says; `None` where there is no such.
    pub(crate) fn derived(&self, name: &str) -> Option<String> {
        match (name, self.subject) {
            ("@method", Subject::Method(method)) => Some(method.to_owned()),
            ("@status", Subject::Status(status)) => Some(status.to_string()),
            ("@authority", Subject::Method(_)) => Some(self.plain_authority()),
            ("@path", Subject::Method(_)) => Some(if self.path.is_empty() { "/" } else { self.path }.to_owned()),
            ("@query", Subject::Method(_)) => Some(format!("?{}", self.query.unwrap_or_default())),
            _ => None,
        }
    }

    fn plain_authority(&self) -> String {
        let lower = self.authority.to_ascii_lowercase();
        let default = if self.secure { ":443" } else { ":80" };
        lower.strip_suffix(default).map(str::to_owned).unwrap_or(lower)
    }
}

/// Why something cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignError {
    /// A header or the path has what no header may have.
    #[error("only visible ASCII is signed")]
    NotAscii,
    /// There is a body, and nothing says what it is.
    #[error("a body has a Content-Type")]
    NoContentType,
}

/// What is added to a message's headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// `Content-Digest`, where there is a body.
    pub content_digest: Option<String>,
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
}

impl Signed {
    /// The headers that are added, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let digest = self.content_digest.as_deref().map(|digest| ("content-digest", digest));
        digest.into_iter().chain([("signature-input", self.signature_input.as_str()), ("signature", &self.signature)])
    }
}

/// `Content-Digest` of these bytes (RFC 9530).
#[must_use]
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)))
}

/// The label that our signatures have.
const LABEL: &str = "sig1";
/// Headers that are signed where they are there, in this order.
const SIGNED_HEADERS: [&str; 4] = ["ucp-agent", "idempotency-key", "content-digest", "content-type"];
/// Headers of webhooks, signed too: who repeats one later cannot make it look new.
const WEBHOOK_HEADERS: [&str; 2] = ["webhook-id", "webhook-timestamp"];

/// Signs a request (RFC 9421): method, host, path, query, and the headers that matter.
///
/// # Errors
/// [`SignError`].
pub fn sign_request(parts: &Parts<'_>, key: &SigningKey, created: Timestamp) -> Result<Signed, SignError> {
    let mut components = vec!["@method", "@authority", "@path"];
    if parts.query.is_some() {
        components.push("@query");
    }
    let is_there = |name: &&str| parts.header(name).is_some() || *name == "content-digest";
    // Without a body there is nothing that the last two say something of.
    let of_body = |name: &&str| name.starts_with("content-");
    let wanted = SIGNED_HEADERS.into_iter().chain(WEBHOOK_HEADERS);
    components.extend(wanted.filter(|name| is_there(name) && (!of_body(name) || !parts.body.is_empty())));
    sign(parts, &components, key, created)
}

/// Signs an answer of JSON (RFC 9421): status and body.
///
/// # Errors
/// [`SignError`].
pub fn sign_response(status: u16, body: &[u8], key: &SigningKey, created: Timestamp) -> Result<Signed, SignError> {
    let headers = [("content-type", "application/json")];
    let parts = Parts { subject: status.into(), headers: &headers, body, ..Parts::default() };
    let components: &[&str] =
        if body.is_empty() { &["@status"] } else { &["@status", "content-digest", "content-type"] };
    sign(&parts, components, key, created)
}

fn sign(parts: &Parts<'_>, components: &[&str], key: &SigningKey, created: Timestamp) -> Result<Signed, SignError> {
    if !parts.body.is_empty() && parts.header("content-type").is_none() {
        return Err(SignError::NoContentType);
    }
    let digest = (!parts.body.is_empty()).then(|| content_digest(parts.body));
    let value = |name: &str| match name {
        "content-digest" => digest.clone(),
        _ if name.starts_with('@') => parts.derived(name),
        _ => parts.header(name),
    };
    let items: Vec<(Bare, Params)> =
        components.iter().map(|name| (Bare::Text((*name).to_owned()), Params::new())).collect();
    // Whole seconds; beyond what fifteen digits hold lies no moment.
    let seconds = i64::try_from(created.0 / 1000).unwrap_or_default();
    let params =
        vec![("created".to_owned(), Bare::Integer(seconds)), ("keyid".to_owned(), Bare::Text(key.kid().to_owned()))];
    let written = write_list(&items, &params);
    let base = base(components.iter().copied(), value, &written).ok_or(SignError::NotAscii)?;
    Ok(Signed {
        signature_input: format!("{LABEL}={written}"),
        signature: format!("{LABEL}={}", Bare::Bytes(key.sign(base.as_bytes()).to_vec())),
        content_digest: digest,
    })
}

/// What is signed (RFC 9421 2.5): a line for each component, and one for what the signature says of itself. `None`
/// where a component is not there, or could begin another line.
pub(crate) fn base<'a>(
    components: impl Iterator<Item = &'a str>,
    value: impl Fn(&str) -> Option<String>,
    params: &str,
) -> Option<String> {
    let mut base = String::new();
    for name in components {
        let value = value(name)?;
        if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte) || byte == b'\t') {
            return None;
        }
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {params}"));
    Some(base)
}
