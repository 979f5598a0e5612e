//! A network that does its worst, between programs that must not notice.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    time::sleep,
};

use crate::wire::{self, Message};

/// Who is behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    Merchant,
    Enabler,
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    Refused,
    RequestCut,
    AnswerLost,
    AnswerCut,
    AnswerLate,
    /// Later than anybody waits.
    AnswerTooLate,
    AskedTwice,
    AnsweredTwice,
    OtherTotal,
    Unavailable,
    WebhookLost,
    WebhookRepeated,
    WebhookReordered,
    WebhookForged,
}

/// Of a thousand requests, how many it happens to.
const TO_MERCHANTS: &[(Fault, u32)] = &[
    (Fault::Refused, 20),
    (Fault::RequestCut, 20),
    (Fault::AnswerLost, 40),
    (Fault::AnswerCut, 20),
    (Fault::AnswerLate, 40),
    (Fault::AnswerTooLate, 4),
    (Fault::AskedTwice, 30),
    (Fault::AnsweredTwice, 20),
    (Fault::OtherTotal, 30),
    (Fault::Unavailable, 15),
];
const TO_THE_ENABLER: &[(Fault, u32)] = &[
    (Fault::Refused, 20),
    (Fault::RequestCut, 20),
    (Fault::AnswerLost, 40),
    (Fault::AnswerCut, 20),
    (Fault::AnswerLate, 30),
    (Fault::AskedTwice, 30),
];
const WEBHOOKS: &[(Fault, u32)] = &[
    (Fault::WebhookLost, 80),
    (Fault::WebhookRepeated, 80),
    (Fault::WebhookReordered, 120),
    (Fault::WebhookForged, 80),
    (Fault::AnswerLost, 40),
    (Fault::Refused, 40),
];
const TAKEN: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
const UNAVAILABLE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

struct Line {
    behind: Behind,
    upstream: Mutex<Option<SocketAddr>>,
    is_bad: AtomicBool,
    dice: Mutex<StdRng>,
    happened: Mutex<BTreeMap<Fault, u32>>,
    /// Forged webhooks that somebody believed.
    believed: Mutex<u32>,
}

/// An address that stays, and who is behind it now.
#[derive(Clone)]
pub struct Proxy {
    pub address: SocketAddr,
    line: Arc<Line>,
}

impl Proxy {
    pub async fn open(behind: Behind, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let line = Arc::new(Line {
            behind,
            upstream: Mutex::default(),
            is_bad: AtomicBool::new(false),
            dice: Mutex::new(StdRng::seed_from_u64(seed)),
            happened: Mutex::default(),
            believed: Mutex::default(),
        });
        let proxy = Self { address, line: line.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // What breaks here is what it is for.
                tokio::spawn(pass(line.clone(), client));
            }
        });
        proxy
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this one is behind it; `None`: nobody is.
    pub fn lead_to(&self, upstream: Option<SocketAddr>) {
        *self.line.upstream.lock().unwrap() = upstream;
    }

    /// Whether it does its worst from now on.
    pub fn be_bad(&self, is_bad: bool) {
        self.line.is_bad.store(is_bad, Ordering::SeqCst);
    }

    /// Forged webhooks that somebody believed.
    pub fn believed(&self) -> u32 {
        *self.line.believed.lock().unwrap()
    }

    pub fn add_to(&self, sum: &mut BTreeMap<Fault, u32>) {
        for (fault, count) in self.line.happened.lock().unwrap().iter() {
            *sum.entry(*fault).or_default() += count;
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.extend(letter.to_lowercase());
        }
        f.write_str(&words)
    }
}

impl Line {
    fn fault(&self, request: &Message) -> Option<Fault> {
        let path = request.path();
        let faults = match self.behind {
            Behind::Merchant => TO_MERCHANTS,
            Behind::Enabler if path.starts_with("/ucp/webhooks") => WEBHOOKS,
            // Who is let in is let in once.
            Behind::Enabler if path.starts_with("/v1/pairing") => return None,
            Behind::Enabler => TO_THE_ENABLER,
        };
        let mut thrown = self.dice.lock().unwrap().random_range(0..1_000);
        let fault = faults.iter().find_map(|(fault, permille)| {
            let hit = thrown < *permille;
            thrown = thrown.saturating_sub(*permille);
            hit.then_some(*fault)
        });
        let fault = fault.filter(|_| self.is_bad.load(Ordering::SeqCst))?;
        *self.happened.lock().unwrap().entry(fault).or_default() += 1;
        Some(fault)
    }

    fn below(&self, most: usize) -> usize {
        self.dice.lock().unwrap().random_range(0..most.max(1))
    }

    async fn ask(&self, request: &[u8]) -> io::Result<Option<Message>> {
        let Some(upstream) = *self.upstream.lock().unwrap() else { return Ok(None) };
        let mut server = TcpStream::connect(upstream).await?;
        server.write_all(request).await?;
        wire::read(&mut server).await
    }

    /// Sends it when this moment is over, whoever is there then.
    fn later(self: &Arc<Self>, request: Vec<u8>, millis: usize) {
        let line = self.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(u64::try_from(millis).unwrap_or_default())).await;
            let _ = line.ask(&request).await;
        });
    }

    /// Changes one amount by one digit; whether there was one.
    fn change_an_amount(&self, body: &mut [u8]) -> bool {
        const MARK: &[u8] = b"\"amount\":";
        let places: Vec<usize> = (0..body.len().saturating_sub(MARK.len()))
            .filter(|at| body[*at..].starts_with(MARK))
            .map(|at| at + MARK.len())
            .filter(|at| body.get(*at).is_some_and(u8::is_ascii_digit))
            .collect();
        if places.is_empty() {
            return false;
        }
        let mut at = places[self.below(places.len())];
        while body.get(at + 1).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        body[at] = b'0' + (body[at] - b'0' + 1) % 10;
        true
    }
}

async fn pass(line: Arc<Line>, mut client: TcpStream) -> io::Result<()> {
    let Some(request) = wire::read(&mut client).await? else { return Ok(()) };
    let fault = line.fault(&request);
    let answer = match fault {
        None => line.ask(&request.bytes).await?,
        Some(fault) => spoil(&line, fault, request, &mut client).await?,
    };
    // Whoever has nothing to say hangs up.
    if let Some(answer) = answer {
        client.write_all(&answer.bytes).await?;
    }
    client.shutdown().await
}

/// What is answered, where anything is.
async fn spoil(
    line: &Arc<Line>,
    fault: Fault,
    mut request: Message,
    client: &mut TcpStream,
) -> io::Result<Option<Message>> {
    match fault {
        Fault::Refused => {}
        Fault::RequestCut => {
            let part = line.below(request.bytes.len());
            let Some(upstream) = *line.upstream.lock().unwrap() else { return Ok(None) };
            TcpStream::connect(upstream).await?.write_all(&request.bytes[..part]).await?;
        }
        Fault::AnswerLost => drop(line.ask(&request.bytes).await?),
        Fault::AnswerCut => {
            if let Some(answer) = line.ask(&request.bytes).await? {
                client.write_all(&answer.bytes[..line.below(answer.bytes.len())]).await?;
            }
        }
        Fault::AnswerLate | Fault::AnswerTooLate => {
            let answer = line.ask(&request.bytes).await?;
            let millis = if fault == Fault::AnswerLate { 20 + line.below(2_500) } else { 10_500 };
            sleep(Duration::from_millis(u64::try_from(millis).unwrap_or_default())).await;
            return Ok(answer);
        }
        Fault::AskedTwice => {
            let (first, second) = tokio::join!(line.ask(&request.bytes), line.ask(&request.bytes));
            return if line.below(2) == 0 { first } else { second };
        }
        Fault::AnsweredTwice => {
            if let Some(answer) = line.ask(&request.bytes).await? {
                client.write_all(&answer.bytes).await?;
                return Ok(Some(answer));
            }
        }
        Fault::OtherTotal => {
            let mut answer = line.ask(&request.bytes).await?;
            if let Some(answer) = &mut answer {
                line.change_an_amount(answer.body());
            }
            return Ok(answer);
        }
        Fault::Unavailable => client.write_all(UNAVAILABLE).await?,
        Fault::WebhookLost => client.write_all(TAKEN).await?,
        Fault::WebhookRepeated => {
            let answer = line.ask(&request.bytes).await?;
            drop(line.ask(&request.bytes).await?);
            line.later(request.bytes, 20 + line.below(2_000));
            return Ok(answer);
        }
        Fault::WebhookReordered => {
            line.later(request.bytes, 20 + line.below(3_000));
            client.write_all(TAKEN).await?;
        }
        Fault::WebhookForged => {
            if line.change_an_amount(request.body())
                && let Some(answer) = line.ask(&request.bytes).await?
                && answer.line().starts_with("HTTP/1.1 2")
            {
                *line.believed.lock().unwrap() += 1;
            }
            client.write_all(UNAVAILABLE).await?;
        }
    }
    Ok(None)
}
