//! What the person has agreed with third-party systems and what they have them do: questions, and what is kept.

use vestibule_model::{
    CallId, CallStep, Collaboration, Json, Refusal, RefusalCode, ServiceId, StepKey, SystemId, Timestamp, TraceId,
};
use vestibule_protocol::{Request, Response};
use vestibule_twin::{KnownServices, KnownSystems, UseServices};

/// Milliseconds that the enabler lets a call take at most.
const LONGEST_CALL_MS: u64 = 60 * 60 * 1_000;
/// Milliseconds that a call waits for an answer where its service says nothing.
const USUAL_MS: u64 = 30_000;
/// Milliseconds for the way there and back.
const MARGIN_MS: u64 = 5_000;

/// A question about services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServiceQuestion {
    Agreed,
    Agree(SystemId),
    End(SystemId),
    Call(CallId),
}

/// What to ask the enabler for it; nothing where the same was asked and is not answered. `key` is random enough to name
/// a call.
pub(crate) fn request(
    wish: &UseServices,
    known: &mut KnownServices,
    systems: &KnownSystems,
    now: Timestamp,
    key: [u8; 16],
) -> Option<(ServiceQuestion, Request)> {
    match wish.clone() {
        UseServices::Look => Some((ServiceQuestion::Agreed, Request::Authorizations)),
        UseServices::Agree { system, services, share, for_ms } => {
            known.refused.remove(&system);
            let new = known.asking.insert(system.clone());
            let until = now.plus(for_ms);
            let request = Request::Authorize { system: system.clone(), services, share, until };
            new.then_some((ServiceQuestion::Agree(system), request))
        }
        UseServices::End(system) => {
            known.refused.remove(&system);
            Some((ServiceQuestion::End(system.clone()), Request::Deauthorize { system }))
        }
        UseServices::Call { system, service, input } => {
            Some(begin(known, systems, now, CallId(key), (system, service), input))
        }
        UseServices::CallAs { call, system, service, input } => {
            Some(begin(known, systems, now, call, (system, service), input))
        }
        UseServices::Cancel(call) => Some((ServiceQuestion::Call(call), Request::CancelCall(call))),
    }
}

fn begin(
    known: &mut KnownServices,
    systems: &KnownSystems,
    now: Timestamp,
    id: CallId,
    (system, service): (SystemId, ServiceId),
    input: Json,
) -> (ServiceQuestion, Request) {
    let info = systems.systems.get(&system).and_then(|known| known.info.services.get(&service));
    let takes = info.map_or(USUAL_MS, |info| info.timeout_ms);
    known.begin(id, system.clone(), service.clone());
    let call = call(id, system, service, input, now.plus(valid_ms(takes)));
    (ServiceQuestion::Call(id), Request::Invoke(Box::new(call)))
}

/// How long a call is good for whose service may take `takes` milliseconds: it may be tried once more.
fn valid_ms(takes: u64) -> u64 {
    takes.saturating_mul(2).saturating_add(MARGIN_MS).min(LONGEST_CALL_MS - MARGIN_MS)
}

/// One service, used once.
fn call(id: CallId, system: SystemId, service: ServiceId, input: Json, not_after: Timestamp) -> Collaboration {
    let key = StepKey::slug("use");
    let step = CallStep { key, system, service, input: Vec::new(), undo: Vec::new(), timeout_ms: None };
    Collaboration { id, input, steps: vec![step], not_after, trace: Some(TraceId(id.0)) }
}

/// What to ask after a lost connection: what left before it may have arrived.
pub(crate) fn doubts(known: &KnownServices) -> Vec<(ServiceQuestion, Request)> {
    let doubtful = known.calls.iter().filter(|call| call.is_in_doubt());
    doubtful.map(|call| (ServiceQuestion::Call(call.call), Request::Call(call.call))).collect()
}

/// Keeps an answer.
pub(crate) fn take(known: &mut KnownServices, question: ServiceQuestion, answer: Result<Response, Refusal>) {
    let wrong = || Refusal::new(RefusalCode::Invalid, "an answer to another question");
    match (question, answer) {
        (ServiceQuestion::Agreed, Ok(Response::Authorizations(all))) => {
            known.agreed = all.into_iter().map(|agreed| (agreed.system.clone(), agreed)).collect();
            (known.complete, known.problem) = (true, None);
        }
        (ServiceQuestion::Agreed, answer) => known.problem = Some(answer.err().unwrap_or_else(wrong)),
        (ServiceQuestion::Agree(system), answer) => {
            known.asking.remove(&system);
            match answer {
                Ok(Response::Authorized(agreed)) => {
                    known.over.remove(&system);
                    known.agreed.insert(system, agreed);
                }
                answer => drop(known.refused.insert(system, answer.err().unwrap_or_else(wrong))),
            }
        }
        (ServiceQuestion::End(system), Ok(Response::Done)) => ended(known, &system),
        (ServiceQuestion::End(system), answer) => {
            known.refused.insert(system, answer.err().unwrap_or_else(wrong));
        }
        (ServiceQuestion::Call(_), Ok(Response::Call(update))) => known.take(update),
        (ServiceQuestion::Call(call), answer) => known.refuse(call, answer.err().unwrap_or_else(wrong)),
    }
}

/// Nothing is agreed with a system any more.
pub(crate) fn ended(known: &mut KnownServices, system: &SystemId) {
    if known.agreed.remove(system).is_some() {
        known.over.insert(system.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_good_for_as_long_as_its_service_may_need() {
        assert_eq!(valid_ms(10_000), 25_000);
        assert!(valid_ms(u64::MAX) < LONGEST_CALL_MS, "the enabler takes none that is good for longer");
    }
}
