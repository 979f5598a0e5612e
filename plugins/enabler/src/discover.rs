//! What the enabler says of systems, of the procedures' steps and of people, kept for whoever shows it.

use std::sync::Arc;

use bevy::{ecs::system::SystemParam, prelude::*};
use vestibule_model::{CallUpdate, Refusal, RefusalCode, SystemId, SystemQuery, Timestamp};
use vestibule_protocol::{News, ProcedureStep, Request, Response, SystemView};
use vestibule_twin::{
    DiscoverSystems, EnablerClock, FollowProcedures, KnownLending, KnownPeople, KnownPurchases, KnownServices,
    KnownSystem, KnownSystems, LendRights, LookBack, ManagePeople, ManagePurchases, Procedures, StepTaken, TwinPast,
    UseServices,
};

use crate::{
    EnablerConnection, Settings,
    actuate::{Tickets, key},
    lend::{self, LendQuestion},
    past::{self, PastQuestion},
    people::{self, PeopleQuestion},
    pump::now_ms,
    purchases::{self, Buying, PurchaseQuestion, Told},
    services::{self, ServiceQuestion},
};

/// Systems on a page, as the enabler has them where nobody says otherwise.
const PAGE: u16 = 50;
/// Steps of one answer.
const STEPS: u16 = 200;

/// A question whose answer is kept here.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    /// In a box: it is far longer than the others.
    Systems(Box<SystemQuery>),
    /// Steps, and whether news of them are to come.
    Steps {
        follow: bool,
    },
    People(PeopleQuestion),
    Services(ServiceQuestion),
    Past(PastQuestion),
    Lending(LendQuestion),
    /// Of the enabler with this name.
    Purchases(String, PurchaseQuestion),
}

impl Question {
    fn systems(query: SystemQuery) -> (Self, Request) {
        let request = Request::DiscoverSystems(SystemQuery { limit: PAGE, ..query.clone() });
        (Self::Systems(Box::new(query)), request)
    }

    const fn steps(after: u64, follow: bool) -> (Self, Request) {
        (Self::Steps { follow }, Request::Steps { after, limit: STEPS, follow })
    }
}

/// What follows from answers: next pages, and what a change changed.
#[derive(Resource, Debug, Default)]
pub(crate) struct Further(Vec<(Question, Request)>);

/// What is kept.
#[derive(SystemParam)]
pub(crate) struct Known<'w> {
    systems: ResMut<'w, KnownSystems>,
    procedures: ResMut<'w, Procedures>,
    people: ResMut<'w, KnownPeople>,
    services: ResMut<'w, KnownServices>,
    past: ResMut<'w, TwinPast>,
    lending: ResMut<'w, KnownLending>,
    purchases: ResMut<'w, KnownPurchases>,
    buying: ResMut<'w, Buying>,
    clock: ResMut<'w, EnablerClock>,
    further: ResMut<'w, Further>,
}

impl Known<'_> {
    pub(crate) fn system(&mut self, view: SystemView) {
        let SystemView { info, health, usable } = view;
        // Whoever never asked gets no half of an answer.
        if self.systems.complete {
            let info = Arc::unwrap_or_clone(info);
            self.systems.systems.insert(info.id.clone(), KnownSystem { info, health, usable });
        }
    }

    pub(crate) fn step(&mut self, step: &ProcedureStep) {
        if self.procedures.following {
            self.procedures.add(taken(step));
        }
    }

    /// Nothing is followed over a lost connection: whoever shows it asks anew.
    pub(crate) fn lose(&mut self) {
        self.procedures.following = false;
        self.systems.complete = false;
        self.services.complete = false;
        self.further.0.clear();
        lend::lose(&mut self.lending);
        purchases::lose(&mut self.purchases);
    }

    /// The enabler answers again: calls may have gone on meanwhile, and a connection knows of no token by itself.
    pub(crate) fn regain(&mut self, enabler: &str) {
        let doubts = services::doubts(&self.services);
        self.further.0.extend(doubts.into_iter().map(|(question, request)| (Question::Services(question), request)));
        let asks = lend::regain(&mut self.lending, enabler);
        self.present(asks);
        let asks = purchases::regain(&mut self.purchases, &mut self.buying, enabler);
        self.further.0.extend(asks.into_iter().map(|ask| of_purchases(enabler, ask)));
    }

    /// A purchase or a product came further.
    pub(crate) fn bought(&mut self, enabler: &str, told: Told) {
        purchases::told(&mut self.purchases, &mut self.buying, enabler, told);
    }

    /// A twin came, changed or is gone: it may have been seen by a token that gives nothing any more.
    pub(crate) fn notice(&mut self, enabler: &str, news: &News) {
        if self.lending.held.is_empty() {
            return;
        }
        let (twin, rules) = match news {
            News::Twin(view) => {
                let rules = view.access.values().flat_map(|access| access.read.iter().chain(access.act.values()));
                (&view.info.id, rules.collect::<Vec<_>>())
            }
            News::Gone(twin) => (twin, Vec::new()),
            _ => return,
        };
        let asks = lend::doubt(&mut self.lending, enabler, twin, &rules);
        self.present(asks);
    }

    fn present(&mut self, asks: Vec<(LendQuestion, Request)>) {
        self.further.0.extend(asks.into_iter().map(|(question, request)| (Question::Lending(question), request)));
    }

    /// The enabler's clock at a second of ours.
    pub(crate) fn clock(&mut self, enabler: Timestamp, now_s: f64) {
        self.clock.0 = Some((enabler, now_s));
    }

    pub(crate) fn call(&mut self, update: CallUpdate) {
        self.services.take(update);
    }

    pub(crate) fn deauthorized(&mut self, system: &SystemId) {
        services::ended(&mut self.services, system);
    }

    pub(crate) fn take(&mut self, question: Question, answer: Result<Response, Refusal>) {
        let wrong = || Refusal::new(RefusalCode::Invalid, "an answer to another question");
        match (question, answer) {
            (Question::People(question), answer) => {
                let next = people::take(&mut self.people, &mut self.lending, &question, answer);
                self.ask_people(next);
            }
            (Question::Lending(question), answer) => match lend::take(&mut self.lending, question, answer) {
                lend::Next::Nothing => {}
                lend::Next::Look => self.ask_people(people::requests(&ManagePeople::Look, Timestamp(0))),
                lend::Next::Present(ask) => self.present(vec![*ask]),
            },
            (Question::Purchases(enabler, question), answer) => {
                let next = purchases::take(&mut self.purchases, &mut self.buying, &enabler, question, answer);
                self.further.0.extend(next.map(|ask| of_purchases(&enabler, ask)));
            }
            (Question::Services(question), answer) => services::take(&mut self.services, question, answer),
            (Question::Past(question), answer) => {
                let next = past::take(&mut self.past, question, answer);
                self.further.0.extend(next.map(|(question, request)| (Question::Past(question), request)));
            }
            (Question::Systems(query), Ok(Response::Systems(page))) => self.page(*query, page),
            (Question::Systems(_), answer) => self.systems.problem = Some(answer.err().unwrap_or_else(wrong)),
            (Question::Steps { follow }, Ok(Response::Steps(steps))) => self.steps(follow, &steps),
            (Question::Steps { .. }, answer) => self.procedures.problem = Some(answer.err().unwrap_or_else(wrong)),
        }
    }

    fn ask_people(&mut self, next: Vec<(PeopleQuestion, Request)>) {
        self.further.0.extend(next.into_iter().map(|(question, request)| (Question::People(question), request)));
    }

    fn steps(&mut self, follow: bool, steps: &[ProcedureStep]) {
        self.procedures.following = follow;
        self.procedures.problem = None;
        for step in steps {
            self.procedures.add(taken(step));
        }
        if let Some(last) = steps.last().filter(|_| follow && steps.len() >= usize::from(STEPS)) {
            self.further.0.push(Question::steps(last.sequence, follow));
        }
    }

    fn page(&mut self, mut query: SystemQuery, page: Vec<SystemView>) {
        self.systems.problem = None;
        if query.after.is_none() {
            self.systems.systems.clear();
        }
        let full = page.len() >= usize::from(PAGE);
        for SystemView { info, health, usable } in page {
            query.after = Some(info.id.clone());
            let info = Arc::unwrap_or_clone(info);
            self.systems.systems.insert(info.id.clone(), KnownSystem { info, health, usable });
        }
        self.systems.complete = !full;
        if full {
            self.further.0.push(Question::systems(query));
        }
    }
}

fn of_purchases(enabler: &str, (question, request): (PurchaseQuestion, Request)) -> (Question, Request) {
    (Question::Purchases(enabler.to_owned(), question), request)
}

fn taken(step: &ProcedureStep) -> StepTaken {
    StepTaken {
        sequence: step.sequence,
        id: step.id(),
        what: step.what(),
        at: step.at,
        from: step.from.name(),
        to: step.to.name(),
        about: step.about.clone(),
        refused: step.refused,
        trace: step.trace,
    }
}

/// What people ask for.
#[derive(SystemParam)]
pub(crate) struct Wishes<'w, 's> {
    discover: MessageReader<'w, 's, DiscoverSystems>,
    follow: MessageReader<'w, 's, FollowProcedures>,
    manage: MessageReader<'w, 's, ManagePeople>,
    services: MessageReader<'w, 's, UseServices>,
    past: MessageReader<'w, 's, LookBack>,
    lend: MessageReader<'w, 's, LendRights>,
    purchases: MessageReader<'w, 's, ManagePurchases>,
    /// Calls that were made by now.
    calls: Local<'s, u64>,
}

impl Wishes<'_, '_> {
    /// The questions for all of them.
    fn questions(
        &mut self,
        known: &mut Known<'_>,
        (seed, enabler): (&[u8; 16], &str),
        clock: Timestamp,
    ) -> Vec<(Question, Request)> {
        let mut asked = std::mem::take(&mut known.further.0);
        asked.extend(self.discover.read().map(|DiscoverSystems(query)| Question::systems(query.clone())));
        asked.extend(self.follow.read().map(|FollowProcedures(follow)| Question::steps(0, *follow)));
        for wish in self.manage.read() {
            let requests = people::requests(wish, clock);
            asked.extend(requests.into_iter().map(|(question, request)| (Question::People(question), request)));
        }
        for wish in self.services.read() {
            *self.calls += 1;
            let key = key(seed, "call", *self.calls);
            let request = services::request(wish, &mut known.services, &known.systems, clock, key);
            asked.extend(request.map(|(question, request)| (Question::Services(question), request)));
        }
        for wish in self.lend.read() {
            let request = lend::request(wish, &mut known.lending, enabler, clock);
            asked.extend(request.map(|(question, request)| (Question::Lending(question), request)));
        }
        for wish in self.purchases.read() {
            let ask = purchases::request(wish, &mut known.purchases, &mut known.buying, enabler);
            asked.extend(ask.map(|ask| of_purchases(enabler, ask)));
        }
        for wish in self.past.read() {
            let requests = past::requests(wish, &mut known.past, clock);
            asked.extend(requests.into_iter().map(|(question, request)| (Question::Past(question), request)));
        }
        asked
    }
}

/// Sends what is asked for.
pub(crate) fn send(
    mut wishes: Wishes<'_, '_>,
    mut connections: Query<(Entity, &mut EnablerConnection)>,
    (mut tickets, mut known): (ResMut<Tickets>, Known),
    (settings, time): (Res<Settings>, Res<Time<Real>>),
) {
    let now = now_ms(&time);
    let connection = connections.iter_mut().next();
    let enabler = connection.as_ref().map(|(_, connection)| connection.name.clone()).unwrap_or_default();
    let mut session = connection.and_then(|(entity, c)| Some((entity, c.into_inner().session.as_mut()?)));
    let clock = session.as_ref().map_or(Timestamp(0), |(_, session)| session.enabler_time(now));
    for (question, request) in wishes.questions(&mut known, (&settings.0.key_seed, &enabler), clock) {
        if let Some((entity, session)) = &mut session {
            tickets.ask(*entity, session.request(request, now), question);
        } else {
            known.take(question, Err(Refusal::new(RefusalCode::Unavailable, "there is no connection to an enabler")));
        }
    }
}
