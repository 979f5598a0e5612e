//! HTTP as it stands, for rows about HTTP itself: any request, and everything of its answer.

use reqwest::{Method, RequestBuilder, StatusCode, Url, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Http, LONGEST, listen::Stream, whole};
use crate::wire::Key;

/// An answer as it came.
pub(crate) struct Raw {
    /// Its status.
    pub(crate) status: StatusCode,
    headers: header::HeaderMap,
    bytes: Vec<u8>,
}

impl Raw {
    /// A header of it, as text.
    ///
    /// # Errors
    /// That it is not there.
    pub(crate) fn header(&self, name: &str) -> Result<&str, String> {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.ok_or_else(|| format!("{} came without a header {name}", self.status))
    }

    /// Its body as JSON.
    ///
    /// # Errors
    /// That it is something else.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.bytes).map_err(|error| format!("{} came with no such JSON: {error}", self.status))
    }

    /// The same answer, where it has this status.
    ///
    /// # Errors
    /// Which one it has instead, and what it says.
    pub(crate) fn is(self, due: StatusCode) -> Result<Self, String> {
        if self.status == due {
            return Ok(self);
        }
        let says: String = String::from_utf8_lossy(&self.bytes).chars().take(160).collect();
        Err(format!("{due} was due, but {} came: {says}", self.status))
    }

    /// The detail of a problem with this status, where it is one as RFC 9457 has it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn problem(self, due: StatusCode) -> Result<Problem, String> {
        let raw = self.is(due)?;
        let media = raw.header("content-type")?;
        if !media.starts_with("application/problem+json") {
            return Err(format!("{due} came as {media}"));
        }
        let parts: Value = raw.json()?;
        let text = |name: &str| {
            let text = parts[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
            text.ok_or_else(|| format!("{due} came as a problem without {name}"))
        };
        if parts["status"] != due.as_u16() {
            return Err(format!("{due} came as a problem with status {}", parts["status"]));
        }
        text("title")?;
        Ok(Problem { kind: text("type")?, code: text("code")?, detail: text("detail")? })
    }
}

/// A problem (RFC 9457) that is whole.
pub(crate) struct Problem {
    /// Names its kind, by an address.
    pub(crate) kind: String,
    /// Its kind, for programs.
    pub(crate) code: String,
    /// What was wrong, for people.
    pub(crate) detail: String,
}

impl Http {
    /// A request in somebody's name. `path`: from the enabler's root, with its query.
    ///
    /// # Errors
    /// What is wrong with the path or the key.
    pub(crate) fn raw(&self, who: Option<&Key>, method: Method, path: &str) -> Result<RequestBuilder, String> {
        let text = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        let url = Url::parse(&text).map_err(|error| format!("{text}: {error}"))?;
        let request = self.client.request(method, url).timeout(LONGEST);
        match who {
            Some(Key::Token(token)) => Ok(request.bearer_auth(token)),
            Some(Key::Certificate(_)) => Err("a certificate is no bearer token".to_owned()),
            None => Ok(request),
        }
    }

    /// Sends it; the answer, whatever it is.
    ///
    /// # Errors
    /// That none came.
    pub(crate) async fn exchange(&self, request: RequestBuilder) -> Result<Raw, String> {
        let reply = request.send().await.map_err(|error| super::lost(&error).to_string())?;
        let (status, headers) = (reply.status(), reply.headers().clone());
        let bytes = whole(reply).await.map_err(|refusal| refusal.to_string())?;
        Ok(Raw { status, headers, bytes })
    }

    /// Opens a stream of server-sent events, after the last event that was heard, where one is named.
    ///
    /// # Errors
    /// What came instead.
    pub(crate) async fn events(&self, who: &Key, path: &str, last: Option<&str>) -> Result<Stream, String> {
        let mut request = self.raw(Some(who), Method::GET, path)?.header(header::ACCEPT, "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let reply = request.send().await.map_err(|error| super::lost(&error).to_string())?;
        let media =
            reply.headers().get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or("nothing");
        if reply.status() != StatusCode::OK || !media.starts_with("text/event-stream") {
            return Err(format!("a stream of events was due, but {} came with {media}", reply.status()));
        }
        Ok(Stream::new(reply))
    }
}
