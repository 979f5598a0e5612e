//! Requests that leave, and their answers.

use std::collections::HashMap;

use bevy::{ecs::system::SystemParam, prelude::*};
use vestibule_model::{Command, CommandId, LeaseId, Refusal, RefusalCode, TraceId, TwinInfo};
use vestibule_protocol::{CommandUpdate, Request, RequestId, Response};
use vestibule_twin::{ActuateTwin, ActuationRefused, ActuationTicket, TwinActuated, TwinState, TwinTurn, TwinTurns};

use crate::{
    EnablerConnection, Settings,
    discover::{Known, Question},
    mirror::Mirror,
    pump::now_ms,
    turns::Leases,
};

/// Commands whose end is remembered, so that late updates still find their ticket: a day of a busy person.
const MOST_TICKETS: usize = 4_096;

/// Request: ask the enabler anything else that it answers (rules, the log, systems).
#[derive(Message, Clone, Debug)]
pub struct AskEnabler {
    /// Comes back with the answer.
    pub ticket: ActuationTicket,
    /// What to ask.
    pub request: Request,
}

/// Fact: the enabler's answer to [`AskEnabler`].
#[derive(Message, Clone, Debug)]
pub struct EnablerAnswered {
    /// The request's ticket.
    pub ticket: ActuationTicket,
    /// The answer, or why there is none.
    pub answer: Result<Response, Refusal>,
}

#[derive(Debug)]
pub(crate) enum Asked {
    Actuation(ActuateTwin),
    Known(Question),
    Lease(LeaseId),
    Other(ActuationTicket),
}

/// Which answer belongs to which ticket.
#[derive(Resource, Debug, Default)]
pub(crate) struct Tickets {
    pub(crate) asked: HashMap<(Entity, RequestId), Asked>,
    commands: HashMap<CommandId, ActuationTicket>,
    made: u64,
}

impl Tickets {
    /// The answer to `id` is to be kept for whoever shows it.
    pub(crate) fn ask(&mut self, connection: Entity, id: RequestId, question: Question) {
        self.asked.insert((connection, id), Asked::Known(question));
    }
}

/// Where answers go.
#[derive(SystemParam)]
pub(crate) struct Answers<'w> {
    tickets: ResMut<'w, Tickets>,
    actuated: MessageWriter<'w, TwinActuated>,
    refused: MessageWriter<'w, ActuationRefused>,
    answered: MessageWriter<'w, EnablerAnswered>,
    pub(crate) known: Known<'w>,
    pub(crate) leases: Leases<'w>,
}

impl Answers<'_> {
    /// An answer to a request of this app.
    pub(crate) fn take(&mut self, connection: Entity, id: RequestId, answer: Result<Box<Response>, Refusal>) {
        match self.tickets.asked.remove(&(connection, id)) {
            Some(Asked::Actuation(request)) => match answer.map(|response| *response) {
                Ok(Response::Command(update)) => self.update(update),
                Ok(_) => self.refuse(&request, Refusal::new(RefusalCode::Invalid, "an answer to another question")),
                Err(refusal) => self.refuse(&request, refusal),
            },
            Some(Asked::Known(question)) => self.known.take(question, answer.map(|response| *response)),
            Some(Asked::Lease(lease)) => self.leases.answer(lease, answer.map(|response| *response)),
            Some(Asked::Other(ticket)) => {
                self.answered.write(EnablerAnswered { ticket, answer: answer.map(|response| *response) });
            }
            // The session's own requests (subscribe): nobody waits, but a refusal should not pass unseen.
            None => {
                if let Err(refusal) = answer {
                    warn!("the enabler refused: {refusal}");
                }
            }
        }
    }

    /// A command came further.
    pub(crate) fn update(&mut self, update: CommandUpdate) {
        let ticket = self.tickets.commands.get(&update.command).copied();
        if update.status.is_final() && self.tickets.commands.len() > MOST_TICKETS {
            self.tickets.commands.remove(&update.command);
        }
        self.actuated.write(TwinActuated {
            ticket,
            command: update.command,
            twin: update.twin,
            feature: update.feature,
            action: update.action,
            status: update.status,
        });
    }

    fn refuse(&mut self, request: &ActuateTwin, refusal: Refusal) {
        self.refused.write(refused(request, refusal));
    }
}

fn refused(request: &ActuateTwin, refusal: Refusal) -> ActuationRefused {
    ActuationRefused {
        ticket: request.ticket,
        twin: request.twin.clone(),
        feature: request.feature.clone(),
        action: request.action.clone(),
        refusal,
    }
}

pub(crate) fn send(
    mut requests: MessageReader<ActuateTwin>,
    mut connections: Query<&mut EnablerConnection>,
    mut tickets: ResMut<Tickets>,
    mut refusals: MessageWriter<ActuationRefused>,
    (mirror, turns): (Res<Mirror>, Res<TwinTurns>),
    settings: Res<Settings>,
    time: Res<Time<Real>>,
) {
    let now = now_ms(&time);
    for request in requests.read() {
        let known = mirror.get(&request.twin);
        let Some((info, state, entity)) = known else {
            let refusal = Refusal::new(RefusalCode::NotFound, format!("{} is not known here", request.twin));
            refusals.write(refused(request, refusal));
            continue;
        };
        let Ok(mut connection) = connections.get_mut(entity) else { continue };
        let Some(session) = connection.session.as_mut() else { continue };
        tickets.made += 1;
        let id = CommandId(key(&settings.0.key_seed, "", tickets.made));
        let valid = request.valid_for_ms.unwrap_or_else(|| takes(info, request) + settings.0.margin_ms);
        let command = Command {
            id,
            twin: request.twin.clone(),
            feature: request.feature.clone(),
            action: request.action.clone(),
            input: request.input.clone(),
            expected_revision: seen(info, state, request),
            not_after: session.enabler_time(now).plus(valid),
            trace: Some(TraceId(id.0)),
            lease: turns.0.get(&request.twin).and_then(TwinTurn::held),
        };
        let asked = session.actuate(command, now);
        tickets.commands.insert(id, request.ticket);
        tickets.asked.insert((entity, asked), Asked::Actuation(request.clone()));
    }
}

pub(crate) fn ask(
    mut requests: MessageReader<AskEnabler>,
    mut connections: Query<(Entity, &mut EnablerConnection)>,
    mut tickets: ResMut<Tickets>,
    mut answers: MessageWriter<EnablerAnswered>,
    time: Res<Time<Real>>,
) {
    for AskEnabler { ticket, request } in requests.read().cloned() {
        let connection = connections.iter_mut().next();
        let session = connection.and_then(|(entity, c)| Some((entity, c.into_inner().session.as_mut()?)));
        if let Some((entity, session)) = session {
            let id = session.request(request, now_ms(&time));
            tickets.asked.insert((entity, id), Asked::Other(ticket));
        } else {
            let refusal = Refusal::new(RefusalCode::Unavailable, "there is no connection to an enabler");
            answers.write(EnablerAnswered { ticket, answer: Err(refusal) });
        }
    }
}

/// Milliseconds that the action takes, as far as its twin says; 10 seconds otherwise.
fn takes(info: &TwinInfo, request: &ActuateTwin) -> u64 {
    let action = info.features.get(&request.feature).and_then(|feature| feature.actions.get(&request.action));
    action.and_then(|action| action.takes_ms).unwrap_or(10_000)
}

/// The newest revision that the person could see of whatever the action will change.
fn seen(info: &TwinInfo, state: &TwinState, request: &ActuateTwin) -> Option<u64> {
    let action = info.features.get(&request.feature)?.actions.get(&request.action)?;
    let revisions = action.effects.iter().filter_map(|effect| {
        state.readings.get(&(request.feature.clone(), effect.property.clone())).map(|reading| reading.revision)
    });
    revisions.max()
}

/// An idempotency key that nobody else makes; `what` tells those of one kind from others of the same number.
pub(crate) fn key(seed: &[u8; 16], what: &str, number: u64) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(seed).update(&number.to_le_bytes()).update(what.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_never_repeat() {
        let mut keys: Vec<_> =
            (0..1000).flat_map(|n| [key(&[0; 16], "", n), key(&[1; 16], "", n), key(&[0; 16], "lease", n)]).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 3000);
    }
}
