//! What the enabler says by itself over HTTP: a user's event stream, a system's inbox.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use reqwest::{Method, Response as Reply};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::sleep;
use vestibule_model::{FeatureId, PropertyId, Refusal, RefusalCode, Serial, SystemId, TwinId};
use vestibule_protocol::{Interest, News, Party, WireReading};

use super::{
    Line,
    answer::Twin,
    ask::{Call, word},
    ended,
    stream::{Reader, Sent},
};
use crate::Notes;

/// Before a stream that broke is opened again.
const PAUSE: Duration = Duration::from_millis(250);

/// An open stream.
pub(crate) struct Stream {
    reply: Reply,
    reader: Reader,
    read: VecDeque<Sent>,
}

impl Stream {
    pub(super) fn new(reply: Reply) -> Self {
        Self { reply, reader: Reader::default(), read: VecDeque::new() }
    }

    /// The next event; `None`: the stream has ended.
    pub(crate) async fn next(&mut self) -> Result<Option<Sent>, String> {
        loop {
            if let Some(sent) = self.read.pop_front() {
                return Ok(Some(sent));
            }
            // A connection that breaks is the end of the stream as well.
            let Ok(Some(bytes)) = self.reply.chunk().await else { return Ok(None) };
            self.read.extend(self.reader.take(&bytes)?);
        }
    }
}

fn parse<T: DeserializeOwned>(sent: &Sent) -> Result<T, String> {
    serde_json::from_str(&sent.data).map_err(|error| format!("an event {} that is none: {error}", sent.name))
}

/// A stream that says nonsense is not followed any further.
fn nonsense(words: String) -> Refusal {
    Refusal::new(RefusalCode::Unavailable, words)
}

/// What a user is told.
pub(super) struct Events {
    line: Line,
    interest: Interest,
    last: Option<String>,
}

impl Events {
    pub(super) const fn new(line: Line, interest: Interest) -> Self {
        Self { line, interest, last: None }
    }

    pub(super) async fn open(&self) -> Result<Reply, Refusal> {
        let mut call = Call::new(Method::GET, ["events"]);
        call.query = match &self.interest {
            Interest::All => Vec::new(),
            Interest::Systems(systems) => systems.iter().map(|id| ("system".to_owned(), id.to_string())).collect(),
            Interest::Twins(twins) => twins.iter().map(|id| ("twin".to_owned(), id.to_string())).collect(),
        };
        call.headers.extend(self.last.clone().map(|last| ("last-event-id", last)));
        self.line.open(call).await
    }

    /// Writes down what is heard, and goes on where it was when the connection breaks.
    pub(super) async fn hear(mut self, mut reply: Reply, notes: Arc<Notes>) {
        loop {
            if let Err(words) = self.follow(Stream::new(reply), &notes).await {
                return ended(&notes, &nonsense(words));
            }
            sleep(PAUSE).await;
            reply = match self.open().await {
                Ok(reply) => reply,
                Err(refusal) => return ended(&notes, &refusal),
            };
        }
    }
}

impl Events {
    async fn follow(&mut self, mut stream: Stream, notes: &Notes) -> Result<(), String> {
        while let Some(sent) = stream.next().await? {
            news(&sent)?.into_iter().for_each(|news| notes.write(news));
            self.last = Some(sent.id);
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Changed {
    twin: TwinId,
    readings: BTreeMap<FeatureId, BTreeMap<PropertyId, WireReading>>,
}

#[derive(Deserialize)]
struct Gone {
    twin: TwinId,
}

#[derive(Deserialize)]
struct Unbound {
    serial: Serial,
}

#[derive(Deserialize)]
struct Ended {
    system: SystemId,
}

fn news(sent: &Sent) -> Result<Option<News>, String> {
    Ok(Some(match sent.name.as_str() {
        // What is told anew follows.
        "begin" | "resync" => return Ok(None),
        "synchronized" => News::Synchronized,
        "twin" => News::Twin(Box::new(parse::<Twin>(sent)?.view())),
        "gone" => News::Gone(parse::<Gone>(sent)?.twin),
        "readings" => {
            let Changed { twin, readings } = parse(sent)?;
            let changed = readings.into_iter().flat_map(|(feature, properties)| {
                properties.into_iter().map(move |(property, reading)| (feature.clone(), property, reading))
            });
            News::Readings { twin, changed: changed.collect() }
        }
        "occurred" => News::Occurred(parse(sent)?),
        "command" => News::Command(parse(sent)?),
        "lease" => News::Lease(parse(sent)?),
        "purchase" => News::Purchase(parse(sent)?),
        "product" => News::Product(parse(sent)?),
        "unbound" => News::Unbound(parse::<Unbound>(sent)?.serial),
        "call" => News::Call(parse(sent)?),
        "deauthorized" => News::Deauthorized(parse::<Ended>(sent)?.system),
        "system" => News::System(parse(sent)?),
        "step" => News::Step(parse(sent)?),
        // An enabler may say more than the kit asks about.
        _ => return Ok(None),
    }))
}

/// What a system is told.
pub(super) struct Inbox {
    line: Line,
    party: Party,
    last: u64,
}

#[derive(Deserialize)]
struct Message {
    sequence: u64,
    message: Value,
    again: bool,
}

impl Inbox {
    pub(super) const fn new(line: Line, party: Party) -> Self {
        Self { line, party, last: 0 }
    }

    pub(super) async fn open(&self) -> Result<Reply, Refusal> {
        // What was heard is acknowledged: without `after` only the rest is told.
        self.line.open(Call::new(Method::GET, [word(self.party), "inbox"])).await
    }

    /// Writes down what is heard, and goes on when the connection or the session ends.
    pub(super) async fn hear(mut self, mut reply: Reply, notes: Arc<Notes>) {
        loop {
            if let Err(words) = self.follow(Stream::new(reply), &notes).await {
                return ended(&notes, &nonsense(words));
            }
            sleep(PAUSE).await;
            reply = match self.open().await {
                Ok(reply) => reply,
                Err(refusal) => return ended(&notes, &refusal),
            };
        }
    }
}

impl Inbox {
    fn down(&self, message: Value) -> Result<News, String> {
        let read = match self.party {
            Party::ThirdParty => serde_json::from_value(message).map(News::Sii),
            _ => serde_json::from_value(message).map(News::Dii),
        };
        read.map_err(|error| format!("a message that is none: {error}"))
    }

    async fn follow(&mut self, mut stream: Stream, notes: &Notes) -> Result<(), String> {
        while let Some(sent) = stream.next().await? {
            let Message { sequence, message, again } = parse(&sent)?;
            // Told twice, because an acknowledgement was late.
            if !(again && sequence <= self.last) {
                notes.write(self.down(message)?);
            }
            self.last = sequence;
            let up_to = json!({ "up_to": sequence });
            let call = Call::new(Method::POST, [word(self.party), "inbox", "acknowledgement"]).json(up_to);
            // One that does not arrive means that it is told once more.
            let _ = self.line.send(call).await;
        }
        Ok(())
    }
}
