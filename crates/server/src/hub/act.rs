//! What follows from a decision once it is written: answers, and words to systems.

use vestibule_enabler_core::{Decision, Effect, LogEvent, Viewer};
use vestibule_model::{
    CommandStatus, NameBook, Refusal, RefusalCode, SystemId, SystemInfo, SystemKind, TwinId, UserId,
};
use vestibule_protocol::{DiiDown, Event, Execution, LogLine, MAX_FRAME, Request, Response, SiiDown};
use vestibule_store::Line;

use crate::ops::lines;

use super::{
    batch::{InFlight, RETRY_MS},
    core::Core,
    deferred::Question,
    handle::{SessionId, Work},
    subscription::Subscription,
};

/// What becomes of a request whose decision is written.
pub(super) enum Answer {
    /// It is answered.
    Now(Response),
    /// The log answers.
    Log,
    /// It is answered when this person is forgotten.
    Forget(UserId),
    /// The past answers, as far as this viewer may see it.
    Past(Box<Viewer>),
    /// It is answered when this user's part is taken.
    Part(UserId),
    /// A system is asked first.
    Later { system: SystemId, question: Question },
}

impl Core {
    pub(super) fn perform(&mut self, work: &Work, decision: Decision) -> Answer {
        let mut response = decision.reply;
        if let Work::Ask(ask) = work {
            if let (Request::Dii(_) | Request::Sii(_), Some(system)) =
                (&ask.request, self.sessions.get(&ask.session).and_then(|session| session.actor.system.clone()))
            {
                let changes = self.hot.heard(&system, self.clock.now());
                self.distribute(changes);
            }
            for effect in decision.effects {
                match effect {
                    Effect::Greeted(party) => {
                        if let Some(session) = self.sessions.get_mut(&ask.session) {
                            session.greeted(party);
                        }
                        self.watch_purchases();
                    }
                    Effect::Attach(info) => self.attach(ask.session, &info),
                    Effect::Bear(grant) => {
                        let now = self.clock.now();
                        let state = self.commit.as_ref().map_or(&self.state, InFlight::base);
                        if let Some(session) = self.sessions.get_mut(&ask.session) {
                            session.bear(grant, state, now);
                        }
                    }
                    Effect::Subscribe(interest) => {
                        if let Some(session) = self.sessions.get_mut(&ask.session) {
                            let before = session.subscription.take();
                            session.subscription = Some(Subscription::new(interest, before));
                        }
                    }
                    Effect::ReadLog { .. } => return Answer::Log,
                    Effect::Forget(user) => return Answer::Forget(user),
                    Effect::TakePart(user) => return Answer::Part(user),
                    Effect::ReadPast(viewer) => return Answer::Past(viewer),
                    Effect::Inquire { system, twin, user } => {
                        return Answer::Later { system, question: Question::Twin { twin, user } };
                    }
                    Effect::Propose(proposal) => {
                        let system = proposal.system.clone();
                        return Answer::Later { system, question: Question::Agreement(proposal) };
                    }
                    Effect::Certify(binding) => {
                        let system = binding.system.clone();
                        return Answer::Later { system, question: Question::Product(binding) };
                    }
                    Effect::ReadSteps { after, limit, follow } => {
                        response = self.read_steps(ask.session, after, limit, follow);
                    }
                    effect => self.give(effect),
                }
            }
            self.name_twins(ask.session, &mut response);
        } else {
            decision.effects.into_iter().for_each(|effect| self.give(effect));
        }
        if let Some(Response::Welcome(welcome)) = &mut response {
            welcome.enabler.clone_from(&self.name);
        }
        Answer::Now(response.unwrap_or(Response::Done))
    }

    /// In answers, twins have the names that this session's datagrams know them by.
    pub(super) fn name_twins(&self, session: SessionId, response: &mut Option<Response>) {
        let subscription = self.sessions.get(&session).and_then(|session| session.subscription.as_ref());
        if let (Some(Response::Twins(views)), Some(subscription)) = (response, subscription) {
            for view in views {
                (view.short, view.epoch) = subscription.names(&view.info.id).unwrap_or_default();
            }
        }
    }

    fn attach(&mut self, id: SessionId, info: &SystemInfo) {
        if let Some(old) = self.systems.get(&info.id).copied().filter(|old| *old != id) {
            self.close(old, "the same system has connected anew");
        }
        let Some(session) = self.sessions.get_mut(&id) else { return };
        // A session speaks for one system: whoever registers as another one has left the first.
        let left = session.actor.system.clone().filter(|left| *left != info.id);
        session.attach(info.id.clone());
        session.tell(match info.kind {
            SystemKind::DigitalTwin => Event::Dii(DiiDown::Registered),
            SystemKind::ThirdParty => Event::Sii(SiiDown::Registered),
        });
        let now = self.clock.now();
        if let Some(left) = left {
            self.systems.remove(&left);
            self.unanswerable(&left);
            let changes = self.hot.detach(&left, now);
            self.distribute(changes);
        }
        self.systems.insert(info.id.clone(), id);
        let changes = self.hot.attach(&info.id, info.heartbeat_ms, now);
        self.distribute(changes);
    }

    pub(super) fn give(&mut self, effect: Effect) {
        match effect {
            Effect::Execute { system, execution } => self.execute(&system, execution),
            Effect::Refresh { system, twin } => {
                // A system that is behind will report anyway.
                let _ = self.tell_system(&system, Event::Dii(DiiDown::Refresh(twin)));
            }
            Effect::Tell { system, message } => {
                // A system that is away hears of it by what it is refused.
                let _ = self.tell_system(&system, Event::Sii(*message));
            }
            Effect::Invoke { system, invocation } => self.invoke(&system, *invocation),
            Effect::Trade(ask) => self.trade(*ask),
            Effect::CountLate(system) => self.hot.count_late(&system),
            Effect::Integrate { system, twin, lease, fence, until } => {
                let message = DiiDown::Integrate { twin: twin.clone(), lease, fence, until };
                self.insist(&system, twin, message);
            }
            Effect::Released { system, twin, fence } => {
                self.insist(&system, twin.clone(), DiiDown::Released { twin, fence });
            }
            Effect::Answered { inquiry, refusal } => self.answered(inquiry, refusal),
            Effect::Detach(system) => self.detach(&system),
            Effect::Expel(system) => {
                if let Some(id) = self.systems.get(&system).copied() {
                    self.close(id, "an owner has taken this system out");
                }
            }
            _ => {}
        }
    }

    /// A system has taken itself out; its connection may register another one.
    fn detach(&mut self, system: &SystemId) {
        let Some(id) = self.systems.remove(system) else { return };
        if let Some(session) = self.sessions.get_mut(&id) {
            session.detach();
        }
        self.unanswerable(system);
    }

    /// Tells a system who holds a twin, later where it is behind. One that is away is told when it is there again.
    fn insist(&mut self, system: &SystemId, twin: TwinId, message: DiiDown) {
        if !self.tell_system(system, Event::Dii(message)) && self.systems.contains_key(system) {
            self.to_dispatch.insert(twin);
            self.retry_at = self.retry_at.max(self.clock.now().plus(RETRY_MS));
        }
    }

    pub(super) fn tell_system(&mut self, system: &SystemId, message: Event) -> bool {
        let session = self.systems.get(system).and_then(|id| self.sessions.get_mut(id));
        session.is_some_and(|session| session.tell(message))
    }

    fn execute(&mut self, system: &SystemId, execution: Execution) {
        lines::given(system, &execution);
        let command = execution.command;
        let trace = execution.trace;
        if self.clock.now() > execution.not_after {
            // Writing took too long. It is never executed late, and the thing owes nothing.
            self.backlog.push(LogEvent::CommandEnded { command, status: CommandStatus::Expired, unmet: Vec::new() });
            return;
        }
        if !self.tell_system(system, Event::Dii(DiiDown::Execute(execution))) {
            self.undelivered([command], "its system is away or does not listen");
            return;
        }
        self.note_executed(system, command, trace);
    }

    pub(super) fn read_log(&self, work: Work) {
        let Work::Ask(ask) = work else { return };
        let Request::Log { after, limit } = ask.request else { return };
        let (log, mut names) = (self.log.clone(), self.names.clone());
        let limit = if limit == 0 { 100 } else { limit.min(500) };
        tokio::spawn(async move {
            let response = match log.read(after, u32::from(limit)).await {
                Ok(lines) => Response::Log(page(lines, &mut names)),
                Err(error) => Response::Refused(Refusal::new(RefusalCode::Storage, error.to_string())),
            };
            // Who asked may be gone.
            let _ = ask.reply.send(response);
        });
    }
}

/// As many lines as fit a frame, one at least: only an empty page is the last one.
fn page(lines: Vec<Line>, names: &mut NameBook) -> Vec<LogLine> {
    let mut bytes = 0;
    let fits = lines.into_iter().take_while(|line| {
        let first = bytes == 0;
        bytes += line.payload.len() + 64;
        first || bytes <= MAX_FRAME / 2
    });
    let words = |line: Line| LogLine {
        sequence: line.sequence,
        at: line.at,
        event: in_words(&line.payload, names),
        hash: line.hash,
    };
    fits.map(words).collect()
}

/// A line with the names that are not erased. What the hash covers has pseudonyms in their place.
pub(crate) fn in_words(payload: &[u8], names: &mut NameBook) -> String {
    let read = names.scope(|| LogEvent::read(payload)).ok();
    let named = read.and_then(|event| serde_json::to_string(&event).ok());
    // A line of a newer program is shown as it is.
    named.unwrap_or_else(|| String::from_utf8_lossy(payload).into_owned())
}
