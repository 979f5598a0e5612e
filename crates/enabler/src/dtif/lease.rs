//! FGMV-28 7.1.3 and REQ-DT-08 (of DTS, FGMV-29 8.3.4): integrations are scheduled, one holder for each physical object.

use std::collections::BTreeSet;

use vestibule_model::{LeaseEnd, LeaseId, LeaseRequest, Refusal, RefusalCode, Right, Timestamp, TwinId};
use vestibule_protocol::Response;

use crate::{Actor, Decision, Effect, Hot, Lease, LeasePhase, LogEvent, State, Viewer, dtif::dtac};

pub mod act;
pub mod settle;
pub mod tell;

use tell::{held, update};

/// Leases over all objects, with those that are remembered: each costs memory and a line in a queue's reckoning.
const MOST_LEASES: usize = 16_384;
/// Leases that one user can have at once.
const MOST_EACH: usize = 64;
/// Who holds or waits for one object: whoever comes later is told so, and every wait has an end.
const MOST_IN_QUEUE: usize = 64;
/// The shortest lease: each renewal is a line in the log.
const SHORTEST_MS: u64 = 1_000;
/// The longest wait: nobody means it after a day.
const LONGEST_WAIT_MS: u64 = 24 * 60 * 60 * 1_000;

/// One physical object's queue.
pub(crate) struct Queue<'a> {
    /// Who holds it at this moment.
    pub(crate) holder: Option<&'a Lease>,
    /// Who waits, the next one first.
    pub(crate) waiting: Vec<&'a Lease>,
}

impl<'a> Queue<'a> {
    pub(crate) fn of(state: &'a State, object: &'a BTreeSet<TwinId>, now: Timestamp) -> Self {
        let mut queue = Self { holder: None, waiting: Vec::new() };
        for lease in state.leases.on(object) {
            if lease.held(now).is_some() {
                queue.holder = Some(lease);
            } else if lease.phase == LeasePhase::Waiting && now <= lease.gives_up() {
                queue.waiting.push(lease);
            }
        }
        queue.waiting.sort_by_key(|lease| lease.rank());
        queue
    }

    /// Place and expected wait of one who ranks here; or of one who would.
    fn place(&self, state: &State, rank: (i128, LeaseId), now: Timestamp) -> (u32, u64) {
        let ahead: Vec<_> = self.waiting.iter().filter(|other| other.rank() < rank).collect();
        let holder = self.holder.and_then(|holder| holder.held(now)).map_or(0, |(_, until)| until.since(now));
        let theirs = ahead.iter().map(|other| lasts(state, &other.request));
        let position = u32::try_from(ahead.len()).unwrap_or(u32::MAX).saturating_add(1);
        (position, theirs.fold(holder, u64::saturating_add))
    }
}

/// Milliseconds that a lease of this request lasts without being renewed.
pub(crate) fn lasts(state: &State, request: &LeaseRequest) -> u64 {
    request.ttl_ms.min(longest(state, &request.twin))
}

fn longest(state: &State, twin: &TwinId) -> u64 {
    state.twins.get(twin).map_or(SHORTEST_MS, |twin| twin.info.integration.longest())
}

fn refuse<T>(code: RefusalCode, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(code, message))
}

/// Request by request: be granted, wait, or hear why not.
pub(crate) fn ask(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    actor: &Actor,
    viewer: &Viewer,
    request: &LeaseRequest,
) -> Result<Decision, Refusal> {
    if let Some(known) = state.leases.get(&request.id) {
        return repeated(state, now, viewer, known, request);
    }
    let twin = &request.twin;
    // The rules first: they answer alike whether the twin exists or not.
    dtac::may(state, viewer, twin, None, &Right::Read)?;
    let rule = dtac::may_lease(state, viewer, twin)?;
    check(state, viewer, request)?;
    let object = state.object_of(twin);
    let queue = Queue::of(state, &object, now);
    let priority = dtac::priority(state, now, viewer, twin).min(request.priority);
    let token = viewer.tokens.iter().find(|bearing| bearing.grant.rule() == rule);
    let token = token.map(|bearing| Box::new(bearing.grant.as_ref().clone()));
    let queued = LogEvent::LeaseQueued {
        request: request.clone(),
        user: viewer.user.clone(),
        by: actor.identity.clone(),
        rule,
        priority,
        token,
    };
    let mut after = state.clone();
    after.apply(now, &queued);
    let Some(mine) = after.leases.get(&request.id) else {
        return refuse(RefusalCode::Invalid, "that lease cannot be written down");
    };
    let is_next = queue.waiting.first().is_none_or(|first| mine.rank() < first.rank());
    let mut events = vec![queued];
    if let Some(holder) = queue.holder.filter(|holder| is_next && preempts(state, priority, holder)) {
        events.push(LogEvent::LeaseEnded { lease: holder.request.id, reason: LeaseEnd::Preempted });
        after.apply(now, &events[1]);
    }
    let settled = settle::settle(&after, hot, now, false);
    let mut effects = released(&events, state);
    events.extend(settled.events.iter().cloned());
    settled.events.iter().for_each(|event| after.apply(now, event));
    effects.extend(settled.effects);
    let lease = after.leases.get(&request.id).filter(|lease| lease.is_live());
    let Some(lease) = lease else { return refuse(RefusalCode::Expired, "nobody waits that short a time") };
    if lease.phase == LeasePhase::Waiting && request.wait_ms == 0 {
        return Err(held(state, viewer, twin, &queue, now));
    }
    if lease.phase == LeasePhase::Waiting && queue.waiting.len() >= MOST_IN_QUEUE {
        let message = format!("{} wait for {twin} already: ask again later", queue.waiting.len());
        return refuse(RefusalCode::Overloaded, message);
    }
    let update = update(&after, viewer, now, lease);
    Ok(Decision { events, reply: Some(Response::Lease(update)), effects })
}

fn check(state: &State, viewer: &Viewer, request: &LeaseRequest) -> Result<(), Refusal> {
    if !state.twins.contains_key(&request.twin) {
        return refuse(RefusalCode::NotFound, format!("there is no twin {}", request.twin));
    }
    if request.ttl_ms < SHORTEST_MS {
        return refuse(RefusalCode::Invalid, format!("a lease lasts {SHORTEST_MS} ms at least"));
    }
    if request.wait_ms > LONGEST_WAIT_MS {
        return refuse(RefusalCode::Invalid, "a queue is waited in for a day at most");
    }
    let mine = state.leases.live().filter(|lease| lease.user == viewer.user).count();
    // One user's leases that came and went must not take what is remembered from all others.
    let crowded = state.leases.len() >= MOST_LEASES / 2;
    let takes_all = || state.leases.known().filter(|lease| lease.user == viewer.user).count() >= MOST_LEASES / 8;
    if mine >= MOST_EACH || state.leases.len() >= MOST_LEASES || crowded && takes_all() {
        let message = format!("too many leases at once ({mine} of {} are live): give some back", viewer.user);
        return refuse(RefusalCode::Overloaded, message);
    }
    Ok(())
}

fn repeated(
    state: &State,
    now: Timestamp,
    viewer: &Viewer,
    known: &Lease,
    request: &LeaseRequest,
) -> Result<Decision, Refusal> {
    if known.user == viewer.user && known.request == *request {
        return Ok(Decision::reply(Response::Lease(update(state, viewer, now, known))));
    }
    let message = format!("lease id {} was used for another one: choose a new random one for each", request.id);
    refuse(RefusalCode::Conflict, message)
}

/// A running integration is taken from its holder only where its twin says so, and only by a higher priority.
fn preempts(state: &State, priority: u8, holder: &Lease) -> bool {
    let allowed = state.twins.get(&holder.request.twin).is_some_and(|twin| twin.info.integration.preempt);
    allowed && priority > holder.priority
}

fn own<'a>(state: &'a State, viewer: &Viewer, id: &LeaseId) -> Result<&'a Lease, Refusal> {
    // Somebody else's answers like one that is not there.
    match state.leases.get(id).filter(|lease| lease.user == viewer.user) {
        Some(lease) => Ok(lease),
        None => refuse(RefusalCode::NotFound, format!("you have no lease {id}, or it ended long ago")),
    }
}

/// Longer, for as long again as was asked. While others wait, no longer in all than the twin's longest.
pub(crate) fn renew(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    viewer: &Viewer,
    id: &LeaseId,
) -> Result<Decision, Refusal> {
    let lease = own(state, viewer, id)?;
    let LeasePhase::Held { fence, since, until, .. } = lease.phase else {
        return Ok(Decision::reply(Response::Lease(update(state, viewer, now, lease))));
    };
    if now > until {
        return refuse(RefusalCode::Expired, format!("the lease ended {} ms ago: ask for a new one", now.since(until)));
    }
    dtac::may_lease(state, viewer, &lease.request.twin)?;
    let object = state.object_of(&lease.request.twin);
    let others_wait = !Queue::of(state, &object, now).waiting.is_empty();
    let mut end = lease.at_most(now.plus(lasts(state, &lease.request)));
    if others_wait {
        end = end.min(since.plus(longest(state, &lease.request.twin)));
    }
    if end <= until {
        return Ok(Decision::reply(Response::Lease(update(state, viewer, now, lease))));
    }
    let event = LogEvent::LeaseRenewed { lease: *id, until: end };
    let mut after = state.clone();
    after.apply(now, &event);
    let reply = after.leases.get(id).map(|lease| Response::Lease(update(&after, viewer, now, lease)));
    let told = integrate(hot, &lease.request, fence, end);
    Ok(Decision { events: vec![event], reply, effects: told.into_iter().collect() })
}

/// Back to whoever waits; a waiter leaves the queue.
pub(crate) fn release(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    viewer: &Viewer,
    id: &LeaseId,
) -> Result<Decision, Refusal> {
    let lease = own(state, viewer, id)?;
    if !lease.is_live() {
        return Ok(Decision::reply(Response::Lease(update(state, viewer, now, lease))));
    }
    let mut events = vec![LogEvent::LeaseEnded { lease: *id, reason: LeaseEnd::Released }];
    let mut effects = released(&events, state);
    let mut after = state.clone();
    after.apply(now, &events[0]);
    let settled = settle::settle(&after, hot, now, false);
    events.extend(settled.events);
    effects.extend(settled.effects);
    let reply = after.leases.get(id).map(|lease| Response::Lease(update(&after, viewer, now, lease)));
    Ok(Decision { events, reply, effects })
}

/// What twin systems are told of leases that end by `events`.
pub(crate) fn released(events: &[LogEvent], state: &State) -> Vec<Effect> {
    let ended = events.iter().filter_map(|event| match event {
        LogEvent::LeaseEnded { lease, .. } => state.leases.get(lease),
        _ => None,
    });
    let each = ended.filter_map(|lease| match lease.phase {
        LeasePhase::Held { fence, .. } => {
            let twin = lease.request.twin.clone();
            Some(Effect::Released { system: twin.system(), twin, fence })
        }
        _ => None,
    });
    each.collect()
}

/// What the twin's system is told of its holder, where it can be told anything.
pub(crate) fn integrate(hot: &Hot, request: &LeaseRequest, fence: u64, until: Timestamp) -> Option<Effect> {
    let LeaseRequest { twin, id, .. } = request;
    let effect = || Effect::Integrate { system: twin.system(), twin: twin.clone(), lease: *id, fence, until };
    hot.is_reachable(twin).then(effect)
}
