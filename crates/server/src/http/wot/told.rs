//! News of the hub, with names instead of short ids, for long polls and event streams.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event as Line, KeepAlive},
    },
};
use futures_util::stream;
use tokio::sync::mpsc;
use vestibule_model::{FeatureId, PropertyId, TwinId};
use vestibule_protocol::{
    CommandUpdate, Event, HotDatagram, HotReceiver, Interest, Occurrence, Party, Request, Response as Answer, TwinView,
    WireReading, decode, encode,
};

use super::{Problem, caller::Caller};
use crate::{
    Outgoing, SessionHandle,
    http::{
        sessions::{self, Held},
        share::Share,
    },
};

/// The longest that a long poll waits before it says that nothing came: proxies wait about so long.
pub(super) const LONG: Duration = Duration::from_secs(300);

/// Something that changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    /// A twin appeared (or is told of for the first time here), or its description changed.
    Twin(TwinId),
    /// A twin is gone, or may no longer be seen.
    Gone(TwinId),
    /// A property's reading.
    Reading(TwinId, FeatureId, PropertyId, WireReading),
    /// Something happened.
    Occurred(Occurrence),
    /// A command came further.
    Command(CommandUpdate),
    /// Everything that there is has been told.
    Synchronized,
}

/// A subscription, as a client would keep it.
pub(super) struct News {
    held: Held,
    /// Whoever is told is asking: their session stays, and with it their connection's place.
    _caller: Caller,
    incoming: mpsc::Receiver<Outgoing>,
    hot: HotReceiver,
    twins: BTreeMap<u32, TwinView>,
    /// Readings of one message that are not told yet: at most as many as a twin has properties.
    ready: Vec<Told>,
}

impl News {
    /// Subscribes.
    pub(super) async fn of(caller: Caller, interest: Interest) -> Result<Self, Problem> {
        // A session of its own: subscriptions of one session replace each other.
        let (held, incoming) = sessions::open(&caller.api.shared.hub, caller.shown(), Party::Metaverse).await?;
        match held.handle().request(Request::Subscribe(interest)).await {
            Answer::Done => {}
            Answer::Refused(refusal) => return Err(refusal.into()),
            _ => return Err(Problem::strange()),
        }
        Ok(Self {
            held,
            _caller: caller,
            incoming,
            hot: HotReceiver::default(),
            twins: BTreeMap::new(),
            ready: Vec::new(),
        })
    }

    /// The session that is told.
    pub(super) const fn session(&self) -> &SessionHandle {
        self.held.handle()
    }

    /// Waits until everything that there is has been told.
    pub(super) async fn synchronized(&mut self) -> Result<(), Problem> {
        loop {
            match self.next().await {
                Some(Told::Synchronized) => return Ok(()),
                Some(_) => {}
                None => return Err(Problem::unavailable("the enabler stops")),
            }
        }
    }

    /// A twin that was told of.
    pub(super) fn twin(&self, id: &TwinId) -> Option<&TwinView> {
        self.twins.values().find(|view| view.info.id == *id)
    }

    /// What comes next; `None`: the session has ended.
    pub(super) async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.ready.pop() {
                return Some(told);
            }
            match self.incoming.recv().await? {
                Outgoing::Event(event) => {
                    if let Some(told) = self.event(*event) {
                        return Some(told);
                    }
                }
                Outgoing::Datagram(bytes) => self.datagram(&bytes),
                Outgoing::Close(_) => return None,
            }
        }
    }

    fn event(&mut self, event: Event) -> Option<Told> {
        match event {
            Event::Begin => self.twins.clear(),
            Event::Synchronized => return Some(Told::Synchronized),
            Event::Twin(view) => {
                let id = view.info.id.clone();
                self.twins.retain(|_, known| known.info.id != id);
                for (index, reading) in (0_u16..).zip(&view.readings) {
                    self.ready.extend(named(&view, index, reading));
                }
                self.twins.insert(view.short, *view);
                return Some(Told::Twin(id));
            }
            Event::Gone(id) => {
                self.twins.retain(|_, known| known.info.id != id);
                return Some(Told::Gone(id));
            }
            Event::Reading { short, epoch, index, reading } => self.reading(short, epoch, index, reading),
            Event::Occurred(occurrence) => return Some(Told::Occurred(occurrence)),
            Event::Command(update) => return Some(Told::Command(update)),
            _ => {}
        }
        None
    }

    fn datagram(&mut self, bytes: &[u8]) {
        let Ok(datagram) = decode::<HotDatagram>(bytes) else { return };
        for entry in &datagram.entries {
            for (index, reading) in entry.indexed() {
                self.reading(entry.short, entry.epoch, index, reading.clone());
            }
        }
        // Inside of one process nothing is lost: acknowledged, the hub does not repeat it.
        if let Ok(ack) = encode(&self.hot.note(datagram.tick)) {
            self.session().datagram(ack);
        }
    }

    fn reading(&mut self, short: u32, epoch: u32, index: u16, reading: WireReading) {
        let Some(view) = self.twins.get_mut(&short).filter(|view| view.epoch == epoch) else { return };
        let Some(known) = view.readings.get_mut(usize::from(index)) else { return };
        *known = reading;
        let told = named(view, index, &view.readings[usize::from(index)]);
        self.ready.extend(told);
    }
}

fn named(view: &TwinView, index: u16, reading: &WireReading) -> Option<Told> {
    let (feature, property, _) = view.info.properties().nth(usize::from(index))?;
    Some(Told::Reading(view.info.id.clone(), feature.clone(), property.clone(), reading.clone()))
}

/// Whether the asker wants an event stream, and not one answer.
pub(super) fn wants_stream(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/event-stream"))
}

/// A stream of those news that `line` has a line for. `place` is held as long as the stream.
pub(super) fn stream(
    news: News,
    place: Share,
    line: impl FnMut(&News, Told) -> Option<Line> + Send + 'static,
) -> Response {
    let lines = stream::unfold((news, place, line), |(mut news, place, mut line)| async move {
        loop {
            let told = news.next().await?;
            if let Some(told) = line(&news, told) {
                return Some((Ok::<_, Infallible>(told), (news, place, line)));
            }
        }
    });
    Sse::new(lines).keep_alive(KeepAlive::default()).into_response()
}

/// Before a long poll some clients ask whether there is something to poll.
pub(super) async fn handshake(_caller: Caller) -> StatusCode {
    StatusCode::OK
}
