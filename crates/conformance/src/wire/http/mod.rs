//! The kit's wire over HTTP/JSON: what `docs/http.md` and the OpenAPI document say, with a client of the kit's own.

mod answer;
mod ask;
mod listen;
mod raw;
mod stream;
mod trust;

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::{Client, Method, RequestBuilder, Response as Reply, Url, header};
use serde_json::json;
use tokio::task::AbortHandle;
use vestibule_model::{BlobRef, ContentHash, Refusal, RefusalCode};
use vestibule_protocol::{Interest, News, Request, Response, Welcome};

use super::{Answer, Connected, Key, Part, Party, Transport, Wire};
use crate::Notes;
use ask::{Body, Call};
pub(crate) use listen::Stream;
pub(crate) use raw::Raw;
pub(crate) use stream::Sent;
use trust::Judge;
pub use trust::Trust;

/// An enabler lets nobody wait longer than 40 seconds; one that does is given up.
const LONGEST: Duration = Duration::from_secs(60);
/// Bytes of an answer: the largest content that the API takes is 4 MiB.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// An enabler that is reached over HTTP.
#[derive(Debug)]
pub struct Http {
    base: Url,
    client: Client,
    judge: Arc<Judge>,
}

impl Http {
    /// The enabler at `http://host:port` or `https://host:port`, there with a certificate that `trust` takes.
    ///
    /// # Errors
    /// What is wrong with the address, in words.
    pub fn new(url: &str, trust: Trust) -> Result<Self, String> {
        let base = Url::parse(url).map_err(|error| format!("{url:?} is no address: {error}"))?;
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() || base.query().is_some() {
            return Err(format!("{url:?} is no enabler over HTTP: http://HOST:PORT or https://HOST:PORT is"));
        }
        let (tls, judge) = Judge::new(trust)?;
        // A connection each: an enabler may end one after a refusal, just when the next request is on it.
        let client = Client::builder().tls_backend_preconfigured(tls).pool_max_idle_per_host(0);
        let client = client.build().map_err(|error| error.to_string())?;
        Ok(Self { base, client, judge })
    }

    fn line(&self, token: Option<&str>) -> Line {
        let (base, client, judge) = (self.base.clone(), self.client.clone(), self.judge.clone());
        Line { base, client, judge, token: token.map(Into::into) }
    }
}

/// A way to ask, in somebody's name.
#[derive(Clone, Debug)]
struct Line {
    base: Url,
    client: Client,
    judge: Arc<Judge>,
    token: Option<Arc<str>>,
}

/// A failure on the way, as a refusal that no enabler says; with what caused it.
fn lost(error: &reqwest::Error) -> Refusal {
    let mut words = format!("no answer over HTTP: {error}");
    let mut next = error.source();
    while let Some(cause) = next {
        words = format!("{words}: {cause}");
        next = cause.source();
    }
    Refusal::new(RefusalCode::Unavailable, words)
}

impl Line {
    /// The same of a connection that did not come: most often because of what the enabler shows.
    fn unreached(&self, error: &reqwest::Error) -> Refusal {
        let shown = self.judge.refused().filter(|_| error.is_connect());
        shown.map_or_else(|| lost(error), |words| Refusal::new(RefusalCode::Unavailable, words))
    }

    fn url(&self, call: &Call) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(&call.path);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        url
    }

    fn request(&self, call: Call) -> RequestBuilder {
        let mut request = self.client.request(call.method.clone(), self.url(&call));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        match call.body {
            Body::None => request,
            Body::Json(json) => request.json(&json),
            Body::Bytes { bytes, media } => request.header(header::CONTENT_TYPE, media).body(bytes),
        }
    }

    /// Sends; the answer, whatever it is.
    async fn reply(&self, call: Call) -> Result<Reply, Refusal> {
        self.request(call).timeout(LONGEST).send().await.map_err(|error| self.unreached(&error))
    }

    /// Sends; the answer where it is not a problem.
    async fn send(&self, call: Call) -> Result<Reply, Refusal> {
        let reply = self.reply(call).await?;
        if reply.status().is_success() { Ok(reply) } else { Err(problem(reply).await) }
    }

    /// Sends, and reads the answer.
    async fn ask(&self, call: Call) -> Answer {
        let takes = call.takes;
        let reply = self.send(call).await?;
        let bytes = whole(reply).await?;
        answer::read(takes, &bytes)
    }

    /// Opens a stream of server-sent events.
    async fn open(&self, call: Call) -> Result<Reply, Refusal> {
        let request = self.request(call).header(header::ACCEPT, "text/event-stream");
        let reply = request.send().await.map_err(|error| self.unreached(&error))?;
        if reply.status().is_success() { Ok(reply) } else { Err(problem(reply).await) }
    }
}

/// A body, of bounded length.
async fn whole(mut reply: Reply) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    while let Some(chunk) = reply.chunk().await.map_err(|error| lost(&error))? {
        if bytes.len() + chunk.len() > MOST_BYTES {
            return Err(Refusal::new(RefusalCode::Unavailable, "an answer that does not end"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn problem(reply: Reply) -> Refusal {
    let status = reply.status();
    let media = reply.headers().get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
    let is_problem = media.is_some_and(|media| media.starts_with("application/problem+json"));
    match whole(reply).await {
        Ok(bytes) if is_problem => answer::refusal(status.as_u16(), &bytes),
        Ok(_) => Refusal::new(RefusalCode::Unavailable, format!("{status} without application/problem+json")),
        Err(refusal) => refusal,
    }
}

#[async_trait]
impl Transport for Http {
    fn name(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }

    fn http(&self) -> Option<&Self> {
        Some(self)
    }

    async fn pair(&self, code: &str, name: &str) -> Result<Key, String> {
        let call = Call::new(Method::POST, ["pairing"]).json(json!({ "code": code, "name": name }));
        let reply = self.line(None).send(call).await.map_err(|refusal| refusal.to_string())?;
        let bytes = whole(reply).await.map_err(|refusal| refusal.to_string())?;
        answer::token(&bytes).map(|token| Key::Token(token.into()))
    }

    fn stranger(&self) -> Result<Key, String> {
        Ok(Key::Token(BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()).into()))
    }

    async fn connect(&self, key: &Key, part: Part) -> Result<Connected, String> {
        let Key::Token(token) = key else {
            return Err("a certificate shows nobody over plain HTTP".to_owned());
        };
        let wire = Talk { line: self.line(Some(token)), notes: Arc::default(), ears: Mutex::default() };
        let words = |refusal: Refusal| refusal.to_string();
        let reply = wire.line.send(Call::new(Method::GET, ["me"])).await.map_err(words)?;
        let at = Instant::now();
        let bytes = whole(reply).await.map_err(words)?;
        let (enabler, me, now) = answer::greeting(&bytes)?;
        let welcome = Welcome { enabler, user: Some(me.user), roles: me.roles, now };
        match part.party {
            Party::Metaverse => wire.subscribe(part.interest).await.map_err(words)?,
            _ => wire.listen(part.party).await.map_err(words)?,
        }
        Ok(Connected { wire: Arc::new(wire), welcome, at })
    }
}

/// What a party listens to, by its part: what is opened anew ends the one before.
#[derive(Debug, Default)]
struct Ears {
    events: Option<AbortHandle>,
    inbox: Option<AbortHandle>,
}

/// One party: asks, and hears over one stream.
struct Talk {
    line: Line,
    notes: Arc<Notes>,
    ears: Mutex<Ears>,
}

impl Talk {
    async fn subscribe(&self, interest: Interest) -> Result<(), Refusal> {
        let stream = listen::Events::new(self.line.clone(), interest);
        let first = stream.open().await?;
        let task = tokio::spawn(stream.hear(first, self.notes.clone())).abort_handle();
        let before = self.ears.lock().unwrap_or_else(PoisonError::into_inner).events.replace(task);
        before.into_iter().for_each(|task| task.abort());
        Ok(())
    }

    async fn listen(&self, party: Party) -> Result<(), Refusal> {
        let stream = listen::Inbox::new(self.line.clone(), party);
        let first = stream.open().await?;
        let task = tokio::spawn(stream.hear(first, self.notes.clone())).abort_handle();
        let before = self.ears.lock().unwrap_or_else(PoisonError::into_inner).inbox.replace(task);
        before.into_iter().for_each(|task| task.abort());
        Ok(())
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let ears = std::mem::take(&mut *self.ears.lock().unwrap_or_else(PoisonError::into_inner));
        ears.events.into_iter().chain(ears.inbox).for_each(|task| task.abort());
    }
}

#[async_trait]
impl Wire for Talk {
    async fn ask(&self, request: Request) -> Answer {
        match request {
            Request::Subscribe(interest) => self.subscribe(interest).await.map(|()| Response::Done),
            request => self.line.ask(ask::call(request)?).await,
        }
    }

    async fn fetch(&self, blob: &BlobRef) -> Result<Vec<u8>, String> {
        let call = Call::new(Method::GET, ["contents".to_owned(), blob.hash.to_string()]);
        let reply = self.line.send(call).await.map_err(|refusal| refusal.to_string())?;
        let bytes = whole(reply).await.map_err(|refusal| refusal.to_string())?;
        if ContentHash::of(&bytes) == blob.hash { Ok(bytes) } else { Err("the bytes have another hash".to_owned()) }
    }

    fn notes(&self) -> &Notes {
        &self.notes
    }
}

/// That a stream has ended for good.
fn ended(notes: &Notes, refusal: &Refusal) {
    notes.write(News::Disconnected { reason: refusal.to_string(), retry_ms: None });
}
