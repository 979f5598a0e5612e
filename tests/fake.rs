use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use vestibule_model::{Command, CommandStatus, ContentHash, Product, Timestamp, UserId};
use vestibule_protocol::{
    CommandUpdate, Event, HotDatagram, HotEntry, Link, LinkBusy, LinkCommand, LinkEvent, Request, Response, Welcome,
    WireReading, decode, encode,
};

/// Commands and events that wait; tests are short, so this never fills but by a mistake.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
struct Queues {
    up: VecDeque<LinkCommand>,
    down: VecDeque<LinkEvent>,
}

/// The client's end.
#[derive(Clone, Debug)]
pub struct FakeLink(Arc<Mutex<Queues>>);

/// The enabler's end: says what a test wants to have said.
#[derive(Debug)]
pub struct FakeEnabler {
    queues: Arc<Mutex<Queues>>,
    tick: u32,
    /// Requests that were asked and not answered by itself.
    pub asked: Vec<(u64, Request)>,
    /// Content that was asked for.
    pub fetches: Vec<ContentHash>,
    /// The user that the peer is taken for.
    pub user: Option<UserId>,
    /// Products of theirs that are twins. Told to whoever asks for the first page, as each client does once it is there.
    pub products: Vec<Product>,
}

fn lock(queues: &Mutex<Queues>) -> MutexGuard<'_, Queues> {
    queues.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link for FakeLink {
    fn send(&mut self, command: LinkCommand) -> Result<(), LinkBusy> {
        let mut queues = lock(&self.0);
        if queues.up.len() >= MOST {
            return Err(LinkBusy);
        }
        queues.up.push_back(command);
        Ok(())
    }

    fn poll(&mut self) -> Option<LinkEvent> {
        lock(&self.0).down.pop_front()
    }
}

impl FakeEnabler {
    /// Both ends.
    #[must_use]
    pub fn new() -> (Self, FakeLink) {
        let queues = Arc::<Mutex<Queues>>::default();
        let user = Some(UserId::slug("owner"));
        let (asked, fetches, products) = (Vec::new(), Vec::new(), Vec::new());
        let enabler = Self { queues: queues.clone(), tick: 0, asked, fetches, user, products };
        (enabler, FakeLink(queues))
    }

    /// Answers connecting, greeting, subscribing and which products are bound by itself; keeps everything else in `asked` and `fetches`.
    pub fn step(&mut self) {
        let commands: Vec<_> = lock(&self.queues).up.drain(..).collect();
        for command in commands {
            match command {
                LinkCommand::Connect => self.say(LinkEvent::Connected),
                LinkCommand::Request { id, frame } => match decode::<Request>(&frame) {
                    Ok(Request::Hello(_)) => {
                        let (enabler, roles) = ("fake".to_owned(), Vec::new());
                        let welcome = Welcome { enabler, user: self.user.clone(), roles, now: Timestamp(1_000_000) };
                        self.respond(id, &Response::Welcome(welcome));
                    }
                    Ok(Request::Subscribe(_)) => self.respond(id, &Response::Done),
                    Ok(Request::Products { after: None, .. }) => {
                        self.respond(id, &Response::Products(self.products.clone()));
                    }
                    Ok(request) => self.asked.push((id, request)),
                    Err(_) => {}
                },
                LinkCommand::Fetch { hash, .. } => self.fetches.push(hash),
                LinkCommand::Datagram(_) | LinkCommand::Close => {}
            }
        }
    }

    /// Says something.
    pub fn say(&self, event: LinkEvent) {
        lock(&self.queues).down.push_back(event);
    }

    /// Tells an event of the subscription.
    pub fn tell(&self, event: &Event) {
        self.say(LinkEvent::Event(encode(event).unwrap_or_default()));
    }

    /// Answers a request.
    pub fn respond(&self, id: u64, response: &Response) {
        self.say(LinkEvent::Response { id, frame: encode(response).map_err(|error| error.to_string()) });
    }

    /// Sends one property's reading in a datagram.
    pub fn report(&mut self, short: u32, index: u16, reading: WireReading) {
        self.tick += 1;
        let mut mask = vec![0; usize::from(index) / 8 + 1];
        mask[usize::from(index) / 8] = 1 << (index % 8);
        let entries = vec![HotEntry { short, epoch: 1, mask, readings: vec![reading] }];
        let datagram = HotDatagram { tick: self.tick, baseline: 0, entries };
        self.say(LinkEvent::Datagram(encode(&datagram).unwrap_or_default()));
    }

    /// The oldest command that was asked for.
    pub fn command(&mut self) -> Option<(u64, Command)> {
        let place = self.asked.iter().position(|(_, request)| matches!(request, Request::Actuate(_)))?;
        match self.asked.remove(place) {
            (id, Request::Actuate(command)) => Some((id, command)),
            _ => None,
        }
    }

    /// Answers a command with a status.
    pub fn accept(&self, id: u64, command: &Command, status: CommandStatus) {
        self.respond(id, &Response::Command(update(command, status)));
    }

    /// Tells how far a command has come.
    pub fn progress(&self, command: &Command, status: CommandStatus) {
        self.tell(&Event::Command(update(command, status)));
    }
}

fn update(command: &Command, status: CommandStatus) -> CommandUpdate {
    CommandUpdate {
        command: command.id,
        user: UserId::slug("owner"),
        twin: command.twin.clone(),
        feature: command.feature.clone(),
        action: command.action.clone(),
        status,
        at: Timestamp(1_000_000),
    }
}
