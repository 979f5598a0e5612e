//! The hub's side of one connection.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
};

use tokio::sync::mpsc;
use vestibule_enabler_core::{Actor, Grant, Identity, State, Viewer, is_owner, may_read};
use vestibule_model::{CallId, CommandId, StepKey, SystemId, Timestamp, TwinId, UserId};
use vestibule_protocol::{CommandUpdate, DiiDown, Event, Occurrence, Party, ProcedureStep, SiiDown};

use super::{
    OUTBOX, Outgoing,
    handle::{Flags, Opened, SessionId},
    recent::Recent,
    subscription::{Subscription, World},
};

/// Events that cannot be conflated and wait for room: happenings, commands. More, and the receiver is behind.
const MOST_URGENT: usize = 256;

pub(super) struct Session {
    pub(super) actor: Actor,
    pub(super) subscription: Option<Subscription>,
    /// Wants to be told of steps as they happen.
    pub(super) follows: bool,
    outbox: mpsc::Sender<Outgoing>,
    urgent: VecDeque<Event>,
    flags: Arc<Flags>,
}

impl Session {
    pub(super) fn open(id: SessionId, identity: Identity, state: &State, now: Timestamp) -> (Self, Opened) {
        let (outbox, outgoing) = mpsc::channel(OUTBOX);
        let flags = Arc::new(Flags::default());
        let opened = Opened { id, outgoing, watched: outbox.clone(), flags: flags.clone() };
        // An adapter of this process needs no hello: nothing about it is unknown.
        let party = match &identity {
            Identity::Local(_) => Some(Party::TwinSystem),
            Identity::Console => Some(Party::Metaverse),
            Identity::Certificate(_) => None,
        };
        let actor = Actor { party, ..Actor::new(identity) };
        let session = Self { actor, subscription: None, follows: false, outbox, urgent: VecDeque::new(), flags };
        session.access_changed(state, now);
        (session, opened)
    }

    pub(super) fn viewer(&self, state: &State, now: Timestamp) -> Option<Viewer> {
        Viewer::of(state, now, &self.actor).ok()
    }

    /// Which part the peer takes, in a word.
    pub(super) const fn party(&self) -> &'static str {
        match (&self.actor.identity, self.actor.party) {
            (Identity::Local(_), _) => "adapter",
            (Identity::Console, _) => "console",
            (_, Some(Party::Metaverse)) => "metaverse",
            (_, Some(Party::TwinSystem)) => "twin_system",
            (_, Some(Party::ThirdParty)) => "third_party",
            (_, None) => "stranger",
        }
    }

    /// Users changed: is this one still known? `false` for whoever was and is not any more.
    pub(super) fn access_changed(&self, state: &State, now: Timestamp) -> bool {
        let known = matches!(self.actor.identity, Identity::Local(_)) || self.viewer(state, now).is_some();
        let before = self.flags.known.swap(known, Ordering::SeqCst);
        known || !before
    }

    /// A token was presented.
    pub(super) fn bear(&mut self, grant: Arc<Grant>, state: &State, now: Timestamp) {
        self.actor.tokens.retain(|known| *known != grant && known.check(state, now).is_ok());
        self.actor.tokens.push(grant);
        self.access_changed(state, now);
        self.look_anew(state);
    }

    /// Lets go of tokens that have ended; whether there were any.
    pub(super) fn expire_tokens(&mut self, state: &State, now: Timestamp) -> bool {
        let is_over = |grant: &Arc<Grant>| grant.limits.until.is_some_and(|until| now >= until);
        if !self.actor.tokens.iter().any(is_over) {
            return false;
        }
        self.actor.tokens.retain(|grant| !is_over(grant));
        self.look_anew(state);
        true
    }

    fn look_anew(&mut self, state: &State) {
        if let Some(subscription) = &mut self.subscription {
            subscription.access_changed(state);
        }
    }

    pub(super) fn attach(&mut self, system: SystemId) {
        self.actor.system = Some(system);
        self.flags.is_system.store(true, Ordering::SeqCst);
    }

    /// Whose metaverse system this is, where it is one.
    pub(super) fn metaverse_user(&self, state: &State, now: Timestamp) -> Option<UserId> {
        let viewer = (self.actor.party == Some(Party::Metaverse)).then(|| self.viewer(state, now));
        viewer.flatten().map(|viewer| viewer.user)
    }

    /// This connection takes this part from now on.
    pub(super) fn greeted(&mut self, party: Party) {
        self.actor.party = Some(party);
        self.flags.is_third_party.store(party == Party::ThirdParty, Ordering::SeqCst);
    }

    /// Whether its user sees this property of a twin.
    pub(super) fn shows(&self, twin: &TwinId, place: u16) -> bool {
        self.subscription.as_ref().is_some_and(|subscription| subscription.shows(twin, place))
    }

    /// The session speaks for no system any more.
    pub(super) fn detach(&mut self) {
        self.actor.system = None;
        self.flags.is_system.store(false, Ordering::SeqCst);
    }

    /// Tells of a step, if it is this user's business and there is room: whoever finds a number missing asks for it.
    pub(super) fn step(&mut self, state: &State, now: Timestamp, step: &ProcedureStep) {
        if !self.follows || self.urgent.len() >= MOST_URGENT / 2 {
            return;
        }
        let Some(viewer) = self.viewer(state, now) else { return };
        if step.user.as_ref() == Some(&viewer.user) || is_owner(state, &viewer) {
            self.urgent.push_back(Event::Step(step.clone()));
        }
    }

    /// Tells a system something; `false` where it is too far behind to hear of it in time.
    pub(super) fn tell(&mut self, message: Event) -> bool {
        if self.urgent.len() >= MOST_URGENT || self.outbox.is_closed() {
            return false;
        }
        self.urgent.push_back(message);
        self.pump_urgent();
        true
    }

    /// Tells what cannot be conflated.
    pub(super) fn urge(&mut self, event: Event) {
        if self.urgent.len() < MOST_URGENT {
            self.urgent.push_back(event);
        } else if let Some(subscription) = &mut self.subscription {
            // What cannot be told in time is not told at all; where things stand is told anew.
            self.urgent.clear();
            subscription.fall_behind();
        }
    }

    /// Tells of a happening whoever may know of it; which user that is.
    pub(super) fn occurred(&mut self, state: &State, now: Timestamp, occurrence: &Occurrence) -> Option<UserId> {
        let viewer = self.viewer(state, now)?;
        if !self.may_hear(state, &viewer, occurrence) {
            return None;
        }
        // Without room it is told after the synchronization that follows.
        let is_told = self.urgent.len() < MOST_URGENT;
        self.urge(Event::Occurred(occurrence.clone()));
        is_told.then_some(viewer.user)
    }

    fn may_hear(&self, state: &State, viewer: &Viewer, occurrence: &Occurrence) -> bool {
        let Occurrence { twin, feature, .. } = occurrence;
        self.subscription.as_ref().is_some_and(|subscription| subscription.is_interested(twin))
            && may_read(state, viewer, twin, Some(feature))
    }

    /// Once all twins are known: what happened while nobody was there to be told.
    pub(super) fn catch_up(&mut self, id: SessionId, world: World<'_>, recent: &mut Recent) {
        if !self.subscription.as_mut().is_some_and(Subscription::has_caught_up) {
            return;
        }
        let Some(viewer) = self.viewer(world.state, world.now) else { return };
        let missed = recent.missed(&viewer.user, id, world.now, |missed| self.may_hear(world.state, &viewer, missed));
        missed.into_iter().for_each(|occurrence| self.urge(Event::Occurred(occurrence)));
        self.pump_urgent();
    }

    pub(super) fn command(&mut self, state: &State, now: Timestamp, update: &CommandUpdate) {
        let Some(subscription) = &self.subscription else { return };
        let Some(viewer) = self.viewer(state, now) else { return };
        let CommandUpdate { user, twin, feature, .. } = update;
        let may = || subscription.is_interested(twin) && may_read(state, &viewer, twin, Some(feature));
        if viewer.user == *user || may() {
            self.urge(Event::Command(update.clone()));
        }
    }

    fn pump_urgent(&mut self) {
        while let Some(event) = self.urgent.pop_front() {
            if let Err(error) = self.outbox.try_send(Outgoing::Event(Box::new(event))) {
                if let mpsc::error::TrySendError::Full(Outgoing::Event(event)) = error {
                    self.urgent.push_front(*event);
                }
                return;
            }
        }
    }

    /// Sends as much as there is room for.
    pub(super) fn pump(&mut self, world: World<'_>) {
        self.pump_urgent();
        if !self.urgent.is_empty() {
            return;
        }
        let waits = self.subscription.as_ref().is_some_and(|subscription| subscription.next_pump(world.now).is_some());
        let Some(viewer) = waits.then(|| self.viewer(world.state, world.now)).flatten() else { return };
        if let Some(subscription) = &mut self.subscription {
            subscription.pump(world, &viewer, &self.outbox);
        }
    }

    /// When there may be room for what waits, something is to be sent again, or a token ends.
    pub(super) fn next_wakeup(&self, now: Timestamp) -> Option<Timestamp> {
        let urgent = (!self.urgent.is_empty()).then(|| now.plus(16));
        let subscribed = self.subscription.as_ref().and_then(|subscription| subscription.next_pump(now));
        let tokens = self.actor.tokens.iter().filter_map(|grant| grant.limits.until);
        urgent.into_iter().chain(subscribed).chain(tokens).min()
    }

    /// Steps of calls that were not handed over yet.
    pub(super) fn untold_steps(&self) -> Vec<(CallId, StepKey, bool)> {
        let steps = self.urgent.iter().filter_map(|event| match event {
            Event::Sii(SiiDown::Invoke(invocation)) => {
                Some((invocation.call, invocation.step.clone(), invocation.undo))
            }
            _ => None,
        });
        steps.collect()
    }

    /// Says goodbye. Commands that were not handed over any more, which therefore have failed.
    pub(super) fn close(self, words: &str) -> Vec<CommandId> {
        // Without room for a goodbye the end of the queue says the same.
        let _ = self.outbox.try_send(Outgoing::Close(words.to_owned()));
        let kept = self.urgent.into_iter().filter_map(|event| match event {
            Event::Dii(DiiDown::Execute(execution)) => Some(execution.command),
            _ => None,
        });
        kept.collect()
    }
}
