//! What the enabler says of systems, of the procedures' steps and of people, kept for whoever shows it.

use bevy::{ecs::system::SystemParam, prelude::*};
use vestibule_model::{Refusal, RefusalCode, SystemQuery, Timestamp};
use vestibule_protocol::{ProcedureStep, Request, Response, SystemView};
use vestibule_twin::{
    DiscoverSystems, FollowProcedures, KnownPeople, KnownSystem, KnownSystems, ManagePeople, Procedures, StepTaken,
};

use crate::{
    EnablerConnection,
    actuate::Tickets,
    people::{self, PeopleQuestion},
    pump::now_ms,
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
    further: ResMut<'w, Further>,
}

impl Known<'_> {
    pub(crate) fn system(&mut self, view: SystemView) {
        let SystemView { info, health, usable } = view;
        // Whoever never asked gets no half of an answer.
        if self.systems.complete {
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
        self.further.0.clear();
    }

    /// The enabler's clock at a second of ours.
    pub(crate) fn clock(&mut self, enabler: Timestamp, now_s: f64) {
        self.people.bypass_change_detection().clock = Some((enabler, now_s));
    }

    pub(crate) fn take(&mut self, question: Question, answer: Result<Response, Refusal>) {
        let wrong = || Refusal::new(RefusalCode::Invalid, "an answer to another question");
        match (question, answer) {
            (Question::People(question), answer) => {
                let next = people::take(&mut self.people, &question, answer);
                let next = next.into_iter().map(|(question, request)| (Question::People(question), request));
                self.further.0.extend(next);
            }
            (Question::Systems(query), Ok(Response::Systems(page))) => self.page(*query, page),
            (Question::Systems(_), answer) => self.systems.problem = Some(answer.err().unwrap_or_else(wrong)),
            (Question::Steps { follow }, Ok(Response::Steps(steps))) => self.steps(follow, &steps),
            (Question::Steps { .. }, answer) => self.procedures.problem = Some(answer.err().unwrap_or_else(wrong)),
        }
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
            self.systems.systems.insert(info.id.clone(), KnownSystem { info, health, usable });
        }
        self.systems.complete = !full;
        if full {
            self.further.0.push(Question::systems(query));
        }
    }
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

/// Sends what is asked for.
pub(crate) fn send(
    mut discover: MessageReader<DiscoverSystems>,
    mut follow: MessageReader<FollowProcedures>,
    mut manage: MessageReader<ManagePeople>,
    mut connections: Query<(Entity, &mut EnablerConnection)>,
    (mut tickets, mut known): (ResMut<Tickets>, Known),
    time: Res<Time<Real>>,
) {
    let now = now_ms(&time);
    let connection = connections.iter_mut().next();
    let mut session = connection.and_then(|(entity, c)| Some((entity, c.into_inner().session.as_mut()?)));
    let mut asked = std::mem::take(&mut known.further.0);
    asked.extend(discover.read().map(|DiscoverSystems(query)| Question::systems(query.clone())));
    asked.extend(follow.read().map(|FollowProcedures(follow)| Question::steps(0, *follow)));
    let clock = session.as_ref().map_or(Timestamp(0), |(_, session)| session.enabler_time(now));
    for wish in manage.read() {
        let requests = people::requests(wish, clock);
        asked.extend(requests.into_iter().map(|(question, request)| (Question::People(question), request)));
    }
    for (question, request) in asked {
        if let Some((entity, session)) = &mut session {
            tickets.ask(*entity, session.request(request, now), question);
        } else {
            known.take(question, Err(Refusal::new(RefusalCode::Unavailable, "there is no connection to an enabler")));
        }
    }
}
