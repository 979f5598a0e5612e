//! A broken enabler: a real one behind somebody who understands every message and falsifies one thing.

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc, oneshot},
    time::sleep,
};
use vestibule_model::{ContentHash, Refusal, RefusalCode};
use vestibule_protocol::{DiiUp, Event, HotDatagram, Link, LinkCommand, LinkEvent, Request, Response, decode, encode};
use vestibule_quic::{
    CloseCode, Exchange, Fingerprint, Identity, LinkConfig, PairError, PairStream, QuicLink, QuicServer,
    ServerConnection, ServerLimits, pair,
};

/// What becomes of a request.
pub enum Fate {
    /// It is passed on, as it is or as something else.
    Pass(Box<Request>),
    /// It is passed on as if the guest had asked.
    AsGuest(Box<Request>),
}

impl Fate {
    pub fn pass(request: Request) -> Self {
        Self::Pass(Box::new(request))
    }
}

/// The one thing that is wrong. `who` is what a device was called when it was paired: `kit guest 0a1b2c3d`.
pub trait Fault: Send + Sync + 'static {
    fn request(&self, _who: &str, request: Request) -> Fate {
        Fate::pass(request)
    }

    fn response(&self, _who: &str, _asked: &Request, response: Response) -> Response {
        response
    }

    /// Whether a refused request is asked again as if the owner had asked.
    fn overrules(&self, _who: &str, _asked: &Request, _refusal: &Refusal) -> bool {
        false
    }

    fn event(&self, _who: &str, event: Event) -> Vec<Event> {
        vec![event]
    }

    /// Whether whatever is given with this media type is content that everybody may fetch.
    fn shows(&self, media: &str) -> bool {
        media.starts_with("model/")
    }

    fn datagram(&self, _who: &str, datagram: HotDatagram) -> HotDatagram {
        datagram
    }
}

#[derive(Default)]
struct Book {
    /// The code that was shown last: whoever pairs here proves this one.
    code: String,
    /// Who is at the other end for each certificate.
    devices: HashMap<Fingerprint, (Identity, String)>,
    contents: HashMap<ContentHash, Vec<u8>>,
    /// What is being given.
    part: Vec<u8>,
    owner: Option<Asker>,
    guest: Option<Asker>,
}

impl Book {
    /// The kit gives one thing at a time.
    fn given(&mut self, offset: u64, bytes: &[u8]) {
        if offset == 0 && !bytes.is_empty() {
            self.part.clear();
        }
        if self.part.len() as u64 == offset {
            self.part.extend_from_slice(bytes);
        }
        self.contents.insert(ContentHash::of(&self.part), self.part.clone());
    }
}

/// The man in the middle.
pub struct Proxy {
    server: QuicServer,
    target: String,
    real: Fingerprint,
    fault: Box<dyn Fault>,
    book: Mutex<Book>,
}

impl Proxy {
    /// Stands before the enabler at `target`; `code` is an owner's.
    pub fn start(target: &str, real: Fingerprint, code: &str, fault: Box<dyn Fault>) -> Arc<Self> {
        let limits = ServerLimits::default();
        let server = QuicServer::bind((Ipv4Addr::LOCALHOST, 0).into(), &Identity::generate().unwrap(), limits).unwrap();
        let book = Mutex::new(Book { code: code.to_owned(), ..Book::default() });
        let proxy = Arc::new(Self { server, target: target.to_owned(), real, fault, book });
        let accepting = proxy.clone();
        tokio::spawn(async move {
            while let Some(connection) = accepting.server.accept().await {
                tokio::spawn(accepting.clone().serve(Arc::new(connection)));
            }
        });
        proxy
    }

    pub fn target(&self) -> String {
        self.server.address().to_string()
    }

    async fn serve(self: Arc<Self>, connection: Arc<ServerConnection>) {
        connection.admit();
        let mut asker = None;
        while let Ok(stream) = connection.accept().await {
            let Ok(exchange) = stream.read().await else { continue };
            match exchange {
                Exchange::Pair(stream) => self.pair(stream, connection.fingerprint()).await,
                Exchange::Request { frame, reply } => {
                    let asker = asker.get_or_insert_with(|| self.connect(&connection)).clone();
                    let proxy = self.clone();
                    tokio::spawn(async move {
                        let answer = proxy.request(&asker, &frame).await;
                        let _ = reply.send(&answer).await;
                    });
                }
                Exchange::Fetch(fetch) => {
                    let content = self.book.lock().unwrap().contents.get(&fetch.hash()).cloned();
                    tokio::spawn(async move { fetch.answer(content.map(Into::into)).await });
                }
                Exchange::Control { .. } => {}
            }
        }
    }

    async fn pair(&self, stream: PairStream, device: Fingerprint) {
        let code = self.book.lock().unwrap().code.clone();
        let Ok(proof) = stream.challenge(&code).await else { return };
        if !proof.is_right() {
            let _ = proof.refuse("that pairing code is not valid").await;
            return;
        }
        let identity = Identity::generate().unwrap();
        let response = match pair(&self.target, &identity, &code, proof.name()).await {
            Ok(paired) => {
                let name = proof.name().to_owned();
                self.book.lock().unwrap().devices.insert(device, (identity, name));
                Response::Paired { user: paired.user, roles: paired.roles }
            }
            Err(PairError::Refused(words)) => Response::Refused(Refusal::new(RefusalCode::Unauthenticated, words)),
            Err(error) => panic!("{error}"),
        };
        let _ = proof.answer(&encode(&response).unwrap()).await;
    }

    /// A connection to the real enabler as whoever this client is there.
    fn connect(self: &Arc<Self>, connection: &Arc<ServerConnection>) -> Asker {
        let known = self.book.lock().unwrap().devices.get(&connection.fingerprint()).cloned();
        let (identity, who) = known.unwrap_or_else(|| (Identity::generate().unwrap(), "a stranger".to_owned()));
        let wake = Arc::new(Notify::new());
        let woken = wake.clone();
        let config = LinkConfig {
            target: self.target.clone(),
            server: self.real,
            identity,
            wake: Some(Arc::new(move || woken.notify_one())),
        };
        let link = QuicLink::spawn(&Handle::current(), config);
        let (questions, asked) = mpsc::channel(64);
        let through = Through { proxy: self.clone(), connection: connection.clone(), who: who.clone(), wake };
        tokio::spawn(through.run(link, asked));
        let asker = Asker { questions, who };
        if asker.who == "the conformance kit" {
            self.book.lock().unwrap().owner.get_or_insert(asker.clone());
        } else if asker.who.starts_with("kit guest") {
            self.book.lock().unwrap().guest.get_or_insert(asker.clone());
        }
        asker
    }

    async fn request(&self, asker: &Asker, frame: &[u8]) -> Vec<u8> {
        let request: Request = decode(frame).unwrap();
        if let Request::Dii(DiiUp::Blob { bytes, .. }) = &request {
            self.book.lock().unwrap().contents.insert(ContentHash::of(bytes), bytes.clone());
        }
        if let Request::Give { media, offset, bytes, .. } = &request
            && self.fault.shows(media)
        {
            self.book.lock().unwrap().given(*offset, bytes);
        }
        let owner = self.book.lock().unwrap().owner.clone();
        let (request, by) = match self.fault.request(&asker.who, request) {
            Fate::Pass(request) => (*request, asker.clone()),
            Fate::AsGuest(request) => (*request, self.book.lock().unwrap().guest.clone().unwrap()),
        };
        let mut response = by.ask(&request).await;
        if let Response::Refused(refusal) = &response
            && self.fault.overrules(&asker.who, &request, refusal)
        {
            response = owner.unwrap().ask(&request).await;
        }
        if let Response::Code { digits, .. } = &response {
            self.book.lock().unwrap().code.clone_from(digits);
        }
        encode(&self.fault.response(&asker.who, &request, response)).unwrap()
    }
}

type Question = (Vec<u8>, oneshot::Sender<Result<Vec<u8>, String>>);

#[derive(Clone)]
struct Asker {
    questions: mpsc::Sender<Question>,
    who: String,
}

impl Asker {
    async fn ask(&self, request: &Request) -> Response {
        let (sender, answer) = oneshot::channel();
        let lost = |words: String| Response::Refused(Refusal::new(RefusalCode::Unavailable, words));
        if self.questions.send((encode(request).unwrap(), sender)).await.is_err() {
            return lost("the connection behind the proxy has ended".to_owned());
        }
        match answer.await {
            Ok(Ok(frame)) => decode(&frame).unwrap(),
            Ok(Err(words)) => lost(words),
            Err(_) => lost("the connection behind the proxy has ended".to_owned()),
        }
    }
}

/// One client's way through.
struct Through {
    proxy: Arc<Proxy>,
    connection: Arc<ServerConnection>,
    who: String,
    wake: Arc<Notify>,
}

impl Through {
    async fn run(self, mut link: QuicLink, mut asked: mpsc::Receiver<Question>) {
        link.send(LinkCommand::Connect).unwrap();
        let (mut waiting, mut next, mut connected) = (HashMap::new(), 0_u64, false);
        let mut events = None;
        loop {
            while let Some(event) = link.poll() {
                match event {
                    LinkEvent::Connected => connected = true,
                    LinkEvent::Response { id, frame } => {
                        if let Some(sender) = waiting.remove(&id) {
                            let _: Result<_, Result<Vec<u8>, String>> = oneshot::Sender::send(sender, frame);
                        }
                    }
                    LinkEvent::Event(frame) => {
                        for event in self.proxy.fault.event(&self.who, decode(&frame).unwrap()) {
                            let stream = match &mut events {
                                Some(stream) => stream,
                                None => match self.connection.events().await {
                                    Ok(stream) => events.insert(stream),
                                    Err(_) => return,
                                },
                            };
                            if stream.send(&encode(&event).unwrap()).await.is_err() {
                                return;
                            }
                        }
                    }
                    LinkEvent::Datagram(bytes) => {
                        let datagram = self.proxy.fault.datagram(&self.who, decode(&bytes).unwrap());
                        self.connection.send_datagram(encode(&datagram).unwrap());
                    }
                    LinkEvent::Content { .. } => {}
                    LinkEvent::Closed { reason, .. } => {
                        self.connection.close(CloseCode::Bye, &reason);
                        return;
                    }
                }
            }
            tokio::select! {
                question = asked.recv(), if connected => {
                    let Some((frame, sender)) = question else { return };
                    next += 1;
                    waiting.insert(next, sender);
                    link.send(LinkCommand::Request { id: next, frame }).unwrap();
                }
                datagram = self.connection.read_datagram(), if connected => match datagram {
                    Ok(bytes) => drop(link.send(LinkCommand::Datagram(bytes.to_vec()))),
                    Err(_) => return,
                },
                () = self.wake.notified() => {}
                () = sleep(Duration::from_millis(20)) => {}
            }
        }
    }
}
