//! The kit's wire over QUIC: the same session and link that worlds use, driven by a task for each party.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc, oneshot},
    time::sleep,
};
use vestibule_model::{BlobRef, ContentHash, Refusal, RefusalCode};
use vestibule_protocol::{ClientConfig, ClientSession, Link, News, Request, RequestId};
use vestibule_quic::{Fingerprint, Identity, LinkConfig, QuicLink, pair};

use super::{Answer, Connected, Key, Part, Transport, Wire};
use crate::Notes;

/// Questions of one party that wait for its task: rows ask one or a few at a time.
const QUESTIONS: usize = 64;
/// Between two looks at the clock while nothing happens.
const TICK: Duration = Duration::from_millis(20);

/// An enabler that is reached over QUIC.
#[derive(Debug)]
pub struct Quic {
    target: String,
    patience: Duration,
    /// The enabler's certificate, once somebody has paired: nobody else is talked to from then on.
    server: Mutex<Option<Fingerprint>>,
}

impl Quic {
    /// The enabler at `host:port`; a connection that does not come within `patience` does not come.
    #[must_use]
    pub fn new(target: impl Into<String>, patience: Duration) -> Self {
        Self { target: target.into(), patience, server: Mutex::default() }
    }

    fn server(&self) -> Option<Fingerprint> {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for Quic {
    fn name(&self) -> String {
        format!("quic://{}", self.target)
    }

    async fn pair(&self, code: &str, name: &str) -> Result<Key, String> {
        let identity = Identity::generate().map_err(|error| error.to_string())?;
        let paired = pair(&self.target, &identity, code, name).await.map_err(|error| error.to_string())?;
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        if server.is_some_and(|known| known != paired.server) {
            return Err("another enabler answered than before: its certificate is another one".to_owned());
        }
        *server = Some(paired.server);
        Ok(Key::Certificate(Box::new(identity)))
    }

    fn stranger(&self) -> Result<Key, String> {
        let identity = Identity::generate().map_err(|error| error.to_string())?;
        Ok(Key::Certificate(Box::new(identity)))
    }

    async fn connect(&self, key: &Key, part: Part) -> Result<Connected, String> {
        let Key::Certificate(identity) = key else { return Err("a token shows nobody over QUIC".to_owned()) };
        let server = self.server().ok_or("nobody has paired with the enabler yet")?;
        let (wake, notes) = (Arc::new(Notify::new()), Arc::new(Notes::default()));
        let woken = wake.clone();
        let config = LinkConfig {
            target: self.target.clone(),
            server,
            identity: identity.as_ref().clone(),
            wake: Some(Arc::new(move || woken.notify_one())),
        };
        let link = QuicLink::spawn(&Handle::current(), config);
        let Part { party, interest } = part;
        let software = concat!("vestibule-conformance ", env!("CARGO_PKG_VERSION")).to_owned();
        let session = ClientSession::new(ClientConfig { party, interest, software });
        let (questions, asked) = mpsc::channel(QUESTIONS);
        let driver = Driver { session, link, notes: notes.clone(), answers: HashMap::new(), contents: HashMap::new() };
        tokio::spawn(driver.run(asked, wake));
        let wire = Party { questions, notes };
        let heard = |news: &[News]| {
            news.iter().find_map(|news| match news {
                News::Connected(welcome) => Some(Ok(welcome.clone())),
                News::Disconnected { reason, retry_ms: None } => Some(Err(reason.clone())),
                _ => None,
            })
        };
        match wire.notes.until(0, self.patience, heard).await {
            Some(Ok(welcome)) => Ok(Connected { wire: Arc::new(wire), welcome, at: Instant::now() }),
            Some(Err(reason)) => Err(reason),
            None => Err(format!("no greeting within {} seconds", self.patience.as_secs())),
        }
    }
}

enum Question {
    Ask(Box<Request>, oneshot::Sender<Answer>),
    Fetch(BlobRef, oneshot::Sender<Result<Vec<u8>, String>>),
}

/// One party's end of its task. Dropped, the connection closes.
struct Party {
    questions: mpsc::Sender<Question>,
    notes: Arc<Notes>,
}

#[async_trait]
impl Wire for Party {
    async fn ask(&self, request: Request) -> Answer {
        let (sender, answer) = oneshot::channel();
        let lost = || Refusal::new(RefusalCode::Unavailable, "the kit's connection has ended");
        self.questions.send(Question::Ask(Box::new(request), sender)).await.map_err(|_| lost())?;
        answer.await.unwrap_or_else(|_| Err(lost()))
    }

    async fn fetch(&self, blob: &BlobRef) -> Result<Vec<u8>, String> {
        let (sender, answer) = oneshot::channel();
        let lost = |_| "the kit's connection has ended".to_owned();
        self.questions.send(Question::Fetch(blob.clone(), sender)).await.map_err(|_| lost(()))?;
        answer.await.map_err(|_| lost(()))?
    }

    fn notes(&self) -> &Notes {
        &self.notes
    }
}

struct Driver {
    session: ClientSession,
    link: QuicLink,
    notes: Arc<Notes>,
    answers: HashMap<RequestId, oneshot::Sender<Answer>>,
    contents: HashMap<ContentHash, oneshot::Sender<Result<Vec<u8>, String>>>,
}

impl Driver {
    async fn run(mut self, mut asked: mpsc::Receiver<Question>, wake: Arc<Notify>) {
        let started = Instant::now();
        loop {
            let now_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.pump(now_ms);
            tokio::select! {
                question = asked.recv() => match question {
                    Some(Question::Ask(request, answer)) => {
                        let id = self.session.request(*request, now_ms);
                        self.answers.insert(id, answer);
                    }
                    Some(Question::Fetch(blob, answer)) => {
                        self.contents.insert(blob.hash, answer);
                        self.session.fetch(&blob);
                    }
                    None => return,
                },
                () = wake.notified() => {}
                () = sleep(TICK) => {}
            }
        }
    }

    fn pump(&mut self, now_ms: u64) {
        while let Some(event) = self.link.poll() {
            self.session.handle(event, now_ms);
        }
        self.session.tick(now_ms);
        while let Some(command) = self.session.poll_link() {
            if self.link.send(command.clone()).is_err() {
                self.session.unsend(command);
                break;
            }
        }
        while let Some(news) = self.session.poll_news() {
            match news {
                // Whoever asked may have stopped waiting.
                News::Answer { id, answer } => {
                    if let Some(sender) = self.answers.remove(&id) {
                        let _ = sender.send(answer.map(|response| *response));
                    }
                }
                News::Content { hash, bytes } => {
                    if let Some(sender) = self.contents.remove(&hash) {
                        let _ = sender.send(bytes);
                    }
                }
                news => self.notes.write(news),
            }
        }
    }
}
