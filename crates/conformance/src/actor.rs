//! A party on the stage: asks, listens, and says in words what it saw.

use std::{
    fmt::Debug,
    sync::Arc,
    time::{Duration, Instant},
};

use vestibule_model::{
    ActionId, BlobRef, Command, CommandId, CommandStatus, FeatureId, PropertyId, Refusal, RefusalCode, SystemId,
    SystemQuery, Timestamp, TwinId, UserId,
};
use vestibule_protocol::{CommandUpdate, News, Request, Response, SystemView, TwinView, WireReading};

use crate::wire::{Answer, Connected, Key, Part, Transport, Wire};

/// What a row saw: what it had to see, or what it saw instead.
pub type Seen = Result<String, String>;

/// A property of a feature of a twin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The twin.
    pub twin: TwinId,
    /// The feature.
    pub feature: FeatureId,
    /// The property.
    pub property: PropertyId,
}

impl Spot {
    /// The property `property` of `feature` of `twin`.
    #[must_use]
    pub fn new(twin: &TwinId, feature: &str, property: &str) -> Self {
        Self { twin: twin.clone(), feature: FeatureId::slug(feature), property: PropertyId::slug(property) }
    }
}

/// A connected party.
pub struct Actor {
    key: Key,
    user: UserId,
    greeted: (Timestamp, Instant),
    wire: Arc<dyn Wire>,
    patience: Duration,
}

impl Actor {
    /// Connects somebody who was paired.
    ///
    /// # Errors
    /// Why it could not, in words.
    pub async fn connect(transport: &dyn Transport, key: Key, part: Part, patience: Duration) -> Result<Self, String> {
        let Connected { wire, welcome, at } = transport.connect(&key, part).await?;
        let user = welcome.user.ok_or("the enabler does not know this device although it was paired")?;
        Ok(Self { key, user, greeted: (welcome.now, at), wire, patience })
    }

    /// Who it is for the enabler.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        &self.user
    }

    /// What makes it that.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// The enabler's clock now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let (then, at) = self.greeted;
        then.plus(u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Where its next note will be: what is heard from here on.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.wire.notes().mark()
    }

    /// Looks at what it has heard since `mark`.
    pub fn heard<T>(&self, mark: usize, look: impl FnOnce(&[News]) -> T) -> T {
        self.wire.notes().since(mark, look)
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// The enabler's refusal.
    pub async fn ask(&self, request: Request) -> Answer {
        self.wire.ask(request).await
    }

    /// Asks for something that is answered with `Done`.
    ///
    /// # Errors
    /// What came instead.
    pub async fn done(&self, request: Request) -> Result<(), String> {
        match self.ask(request).await {
            Ok(Response::Done) => Ok(()),
            other => Err(instead("done", &other)),
        }
    }

    /// Asks for something that has to be refused with `code`.
    ///
    /// # Errors
    /// What came instead.
    pub async fn refused(&self, request: Request, code: RefusalCode) -> Result<Refusal, String> {
        match self.ask(request).await {
            Err(refusal) if refusal.code == code => Ok(refusal),
            other => Err(instead(&format!("a refusal ({code:?})"), &other)),
        }
    }

    /// Systems that meet conditions.
    ///
    /// # Errors
    /// What came instead.
    pub async fn systems(&self, query: SystemQuery) -> Result<Vec<SystemView>, String> {
        match self.ask(Request::DiscoverSystems(query)).await {
            Ok(Response::Systems(views)) => Ok(views),
            other => Err(instead("systems", &other)),
        }
    }

    /// A system's twins, a page of up to fifty.
    ///
    /// # Errors
    /// What came instead.
    pub async fn list(&self, system: &SystemId) -> Result<Vec<TwinView>, String> {
        match self.ask(Request::ListTwins { system: system.clone(), after: None, limit: 50 }).await {
            Ok(Response::Twins(views)) => Ok(views),
            other => Err(instead("twins", &other)),
        }
    }

    /// One twin as the enabler knows it.
    ///
    /// # Errors
    /// What came instead.
    pub async fn twin(&self, twin: &TwinId) -> Result<TwinView, String> {
        one_twin(self.ask(Request::DescribeTwin(twin.clone())).await)
    }

    /// Has a physical object do something.
    ///
    /// # Errors
    /// What came instead.
    pub async fn act(&self, command: &Command) -> Result<CommandUpdate, String> {
        match self.ask(Request::Actuate(command.clone())).await {
            Ok(Response::Command(update)) if update.command == command.id => Ok(update),
            other => Err(instead("the command", &other)),
        }
    }

    /// Fetches content.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn fetch(&self, blob: &BlobRef) -> Result<Vec<u8>, String> {
        self.wire.fetch(blob).await
    }

    /// A command of its own, valid for a minute, with a new random id.
    #[must_use]
    pub fn command(&self, twin: &TwinId, feature: &str, action: &str) -> Command {
        Command {
            id: CommandId(rand::random()),
            twin: twin.clone(),
            feature: FeatureId::slug(feature),
            action: ActionId::slug(action),
            input: None,
            expected_revision: None,
            not_after: self.now().plus(60_000),
            trace: None,
            lease: None,
        }
    }

    /// Waits until it hears something after `mark`.
    ///
    /// # Errors
    /// That it did not, in words.
    pub async fn hears<T>(
        &self,
        mark: usize,
        what: &str,
        mut fits: impl FnMut(&News) -> Option<T>,
    ) -> Result<T, String> {
        let found = self.wire.notes().until(mark, self.patience, |news| news.iter().find_map(&mut fits)).await;
        found.ok_or_else(|| format!("not heard within {} s: {what}", self.patience.as_secs()))
    }

    /// Waits until the newest that it has heard of a property fits.
    ///
    /// # Errors
    /// What it has heard last instead.
    pub async fn reads(
        &self,
        spot: &Spot,
        what: &str,
        fits: impl Fn(&WireReading) -> bool,
    ) -> Result<WireReading, String> {
        let newest = |news: &[News]| news.iter().rev().find_map(|news| reading(news, spot)).flatten();
        let look = |news: &[News]| newest(news).filter(&fits);
        match self.wire.notes().until(0, self.patience, look).await {
            Some(reading) => Ok(reading),
            None => {
                let last = self.heard(0, newest);
                Err(format!("not seen within {} s: {what}; last {}", self.patience.as_secs(), brief(&last)))
            }
        }
    }

    /// Waits until it hears that a command has come so far.
    ///
    /// # Errors
    /// How far it was heard to be instead.
    pub async fn command_is(
        &self,
        command: CommandId,
        what: &str,
        fits: impl Fn(&CommandStatus) -> bool,
    ) -> Result<CommandStatus, String> {
        let statuses = |news: &[News]| -> Vec<CommandStatus> {
            let updates = news.iter().filter_map(|news| match news {
                News::Command(update) if update.command == command => Some(update.status.clone()),
                _ => None,
            });
            updates.collect()
        };
        let look = |news: &[News]| statuses(news).into_iter().find(&fits);
        match self.wire.notes().until(0, self.patience, look).await {
            Some(status) => Ok(status),
            None => {
                let heard: Vec<String> = self.heard(0, statuses).iter().map(ToString::to_string).collect();
                Err(format!("the command was not {what} within {} s: {heard:?}", self.patience.as_secs()))
            }
        }
    }
}

/// What a note says of a property: `Some(None)` where it says that its twin is gone.
fn reading(news: &News, spot: &Spot) -> Option<Option<WireReading>> {
    match news {
        News::Gone(twin) if *twin == spot.twin => Some(None),
        News::Twin(view) if view.info.id == spot.twin => Some(view_reading(view, spot)),
        News::Readings { twin, changed } if *twin == spot.twin => {
            let mut changed = changed.iter().rev();
            let found = changed.find(|(feature, property, _)| (feature, property) == (&spot.feature, &spot.property));
            found.map(|(_, _, reading)| Some(reading.clone()))
        }
        _ => None,
    }
}

/// What a view says of a property.
#[must_use]
pub fn view_reading(view: &TwinView, spot: &Spot) -> Option<WireReading> {
    let mut named = view.info.properties().zip(&view.readings);
    let found = named.find(|((feature, property, _), _)| (*feature, *property) == (&spot.feature, &spot.property));
    found.map(|(_, reading)| reading.clone())
}

/// The one twin of an answer.
///
/// # Errors
/// What came instead.
pub fn one_twin(answer: Answer) -> Result<TwinView, String> {
    match answer {
        Ok(Response::Twins(mut views)) if views.len() == 1 => views.pop().ok_or_else(String::new),
        other => Err(instead("one twin", &other)),
    }
}

/// That something else came than what was asked for.
#[must_use]
pub fn instead(wanted: &str, answer: &Answer) -> String {
    match answer {
        Err(refusal) => format!("{wanted} was due, but it was refused ({:?}): {refusal}", refusal.code),
        Ok(response) => format!("{wanted} was due, but {} came", brief(response)),
    }
}

/// Whether an answer tells of nothing: an empty list, or a stream on which nothing may come.
#[must_use]
pub fn says_nothing(request: &Request, response: &Response) -> bool {
    match response {
        Response::Systems(views) => views.is_empty(),
        Response::Twins(views) => views.is_empty(),
        Response::Done => matches!(request, Request::Subscribe(_)),
        _ => false,
    }
}

/// Something in at most a line.
#[must_use]
pub fn brief(what: &impl Debug) -> String {
    let text = format!("{what:?}");
    let short: String = text.chars().take(160).collect();
    if short.len() < text.len() { format!("{short}...") } else { short }
}

/// What a row saw: right where `fact` holds.
///
/// # Errors
/// The same words where it does not.
pub fn see(fact: bool, seen: impl Into<String>) -> Seen {
    if fact { Ok(seen.into()) } else { Err(seen.into()) }
}
