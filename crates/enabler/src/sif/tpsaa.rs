//! FGMV-29 8.2.3, third-party system authentication & authorization (TPSAA): who may use which service, what it may
//! know for that, and what it calls the user, P1.6 to P1.10 and P1.13.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};
use vestibule_model::{
    Authorization, ContentHash, InquiryId, Pseudonym, Refusal, RefusalCode, Right, ServiceId, Sharing, SystemId,
    SystemKind, Timestamp, TwinId, UserId,
};
use vestibule_protocol::{AuthorizationAnswer, Response, SiiDown};

use super::{
    sdc::{Stop, calls_with},
    terms::Terms,
};
use crate::{Actor, AgreementEnd, Decision, Effect, Hot, Identity, LogEvent, State, Viewer, dtif::dtac};

/// Milliseconds that an agreement lasts at most: a year, then the user is asked again.
const LONGEST_MS: u64 = 366 * 24 * 60 * 60 * 1_000;
/// Systems that one user can have agreed with.
const MOST_EACH: usize = 64;
/// Agreements over all users: each is some KiB.
const MOST_AGREEMENTS: usize = 16_384;
/// Twins, systems and features of each that can be shared with one system.
const MOST_SHARED: usize = 256;
/// Bytes of what a system calls an account.
const LONGEST_ACCOUNT: usize = 256;

/// What a user and a third-party system have agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// The user.
    pub user: UserId,
    /// The device with which they agreed: what it may read is all that they can share.
    pub by: Identity,
    /// What is agreed.
    pub authorization: Authorization,
    /// On which terms; `None`: from a snapshot that is older than that they are kept.
    #[serde(default)]
    pub terms: Option<Terms>,
    /// Twins that the system was told of without a call.
    pub acquired: BTreeSet<TwinId>,
}

/// A user's wish to use a system, before the system has said anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The user.
    pub user: UserId,
    /// The device with which they ask.
    pub by: Identity,
    /// The system.
    pub system: SystemId,
    /// What it calls them.
    pub pseudonym: Pseudonym,
    /// The services that they want to use.
    pub services: BTreeSet<ServiceId>,
    /// What it may know.
    pub share: Sharing,
    /// Until when.
    pub until: Timestamp,
    /// What the user was shown: the system may ask for more while it is asked.
    pub terms: Terms,
}

fn forbidden(message: String) -> Refusal {
    Refusal::new(RefusalCode::Forbidden, message)
}

fn invalid(message: String) -> Refusal {
    Refusal::new(RefusalCode::Invalid, message)
}

/// What `system` calls `user`: nobody can tell the user from it, nor that two systems speak of the same one. Whoever
/// gets the name of a user who was removed is somebody else, and is called something else.
///
/// # Errors
/// [`RefusalCode::Unavailable`] before the enabler has drawn its secret.
pub fn pseudonym(state: &State, system: &SystemId, user: &UserId) -> Result<Pseudonym, Refusal> {
    let salt = state.salt.ok_or_else(|| {
        Refusal::new(RefusalCode::Unavailable, "this enabler has no secret for pseudonyms yet: start it anew")
    })?;
    let since = state.users.get(user).map_or(0, |known| known.since.0).to_be_bytes();
    // Neither id can hold a zero byte: two pairs never make one text.
    let text = [&salt.0[..], &since[..], system.as_str().as_bytes(), &[0], user.as_str().as_bytes()].concat();
    let digits: String = ContentHash::of(&text).to_string().chars().take(32).collect();
    Ok(Pseudonym::slug(&format!("u-{digits}")))
}

/// P1.6: what the user asks for makes sense and is theirs to give.
///
/// # Errors
/// [`Refusal`], with the rule that decided where one did.
pub fn propose(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    actor: &Actor,
    system: &SystemId,
    services: &BTreeSet<ServiceId>,
    share: &Sharing,
    until: Timestamp,
) -> Result<Proposal, Refusal> {
    let viewer = Viewer::on(state, now, &actor.identity)?;
    if services.is_empty() {
        return Err(invalid(format!("name the services of {system} that you want to use")));
    }
    for service in services {
        dtac::may_use(state, &viewer, system, service)?;
    }
    let not_found = |message: String| Refusal::new(RefusalCode::NotFound, message);
    let known = state.systems.get(system).filter(|known| known.info.kind == SystemKind::ThirdParty);
    let known = known.ok_or_else(|| not_found(format!("there is no third-party system {system}")))?;
    if let Some(service) = services.iter().find(|service| !known.info.services.contains_key(*service)) {
        return Err(not_found(format!("{system} offers no service {service}")));
    }
    if until <= now || until.since(now) > LONGEST_MS {
        return Err(invalid("an agreement lasts until a moment within the next year".to_owned()));
    }
    check_share(state, &viewer, share)?;
    if !hot.is_online(system) {
        return Err(Refusal::new(RefusalCode::Unavailable, format!("{system} is away")));
    }
    let pseudonym = pseudonym(state, system, &viewer.user)?;
    room(state, now, &viewer.user, system)?;
    let terms = Terms::of(&known.info, services);
    let (services, share) = (services.clone(), share.clone());
    let (user, by, system) = (viewer.user, actor.identity.clone(), system.clone());
    Ok(Proposal { user, by, system, pseudonym, services, share, until, terms })
}

/// Nobody shares what they may not read.
fn check_share(state: &State, viewer: &Viewer, share: &Sharing) -> Result<(), Refusal> {
    let most = share.twins.values().map(BTreeSet::len).max().unwrap_or(0);
    if share.twins.len() > MOST_SHARED || most > MOST_SHARED || share.answers_of.len() > MOST_SHARED {
        return Err(invalid(format!("at most {MOST_SHARED} twins, features of each and systems can be shared")));
    }
    for (twin, features) in &share.twins {
        dtac::may(state, viewer, twin, None, &Right::Read)?;
        for feature in features {
            dtac::may(state, viewer, twin, Some(feature), &Right::Read)?;
        }
    }
    Ok(())
}

fn room(state: &State, now: Timestamp, user: &UserId, system: &SystemId) -> Result<(), Refusal> {
    let valid = state.agreements.values().filter(|agreement| agreement.authorization.until >= now);
    let mine = valid.filter(|agreement| agreement.user == *user && agreement.authorization.system != *system).count();
    if mine >= MOST_EACH || state.agreements.len() >= MOST_AGREEMENTS {
        let message = format!("{user} has agreed with {mine} systems already: take one back first");
        return Err(Refusal::new(RefusalCode::Overloaded, message));
    }
    Ok(())
}

impl Proposal {
    /// P1.7: what the system is asked.
    #[must_use]
    pub fn question(&self, inquiry: InquiryId) -> SiiDown {
        SiiDown::Authorize {
            inquiry,
            user: self.pseudonym.clone(),
            name: self.share.name.then(|| self.user.clone()),
            services: self.services.clone(),
            share: self.share.clone(),
            until: self.until,
        }
    }

    /// P1.9: what the system answered is written down, where it is no more than was asked for.
    ///
    /// # Errors
    /// What the user is told where nothing is agreed. [`RefusalCode::Invalid`]: the system's answer made no sense.
    pub fn agree(&self, state: &State, now: Timestamp, answer: &AuthorizationAnswer) -> Result<Decision, Refusal> {
        let (services, until, account) = match answer {
            AuthorizationAnswer::Granted { services, until, account } => (services, *until, account),
            AuthorizationAnswer::Refused { reason } => {
                let reason: String = reason.chars().take(500).collect();
                return Err(forbidden(format!("{} does not let {} use it: {reason}", self.system, self.user)));
            }
        };
        let wide = services.is_empty() || !services.is_subset(&self.services) || until > self.until || until <= now;
        if wide || account.as_ref().is_some_and(|account| account.len() > LONGEST_ACCOUNT) {
            let message = format!("{} answered with other services, a longer time or more than was asked", self.system);
            return Err(invalid(message));
        }
        // While it thought about it, the rules may have changed.
        let viewer = Viewer::on(state, now, &self.by)?;
        for service in services {
            dtac::may_use(state, &viewer, &self.system, service)?;
            self.still_holds(state, service)?;
        }
        check_share(state, &viewer, &self.share)?;
        let authorization = Authorization {
            system: self.system.clone(),
            pseudonym: self.pseudonym.clone(),
            services: services.clone(),
            share: self.share.clone(),
            until,
            account: account.clone(),
            since: now,
        };
        let (user, by) = (self.user.clone(), self.by.clone());
        let event = LogEvent::Authorized { user, by, authorization: authorization.clone() };
        let reply = Some(Response::Authorized(authorization));
        Ok(Decision { events: vec![event], reply, effects: Vec::new() })
    }
}

impl Proposal {
    /// Nobody agrees to more than they were shown.
    fn still_holds(&self, state: &State, service: &ServiceId) -> Result<(), Refusal> {
        let info = state.systems.get(&self.system).map(|known| &known.info);
        match info.and_then(|info| self.terms.broken(info, service)) {
            Some(reason) => Err(forbidden(format!("{reason}: authorize it again"))),
            None => Ok(()),
        }
    }
}

/// P1.8 to P1.10: what follows from a system's answer, for it and for whoever waits.
#[must_use]
pub fn answered(
    state: &State,
    now: Timestamp,
    proposal: &Proposal,
    inquiry: InquiryId,
    answer: &AuthorizationAnswer,
) -> Decision {
    match proposal.agree(state, now, answer) {
        Ok(decision) => {
            Decision { reply: Some(Response::Done), ..decision }.with(Effect::Answered { inquiry, refusal: None })
        }
        Err(refusal) => {
            // Who said no has answered well; who grants what nobody asked for has not.
            let reply = match refusal.code {
                RefusalCode::Invalid => Response::Refused(refusal.clone()),
                _ => Response::Done,
            };
            Decision::reply(reply).with(Effect::Answered { inquiry, refusal: Some(refusal) })
        }
    }
}

/// What the asker has agreed, and still holds.
pub(crate) fn list(state: &State, now: Timestamp, viewer: &Viewer) -> Response {
    let mine = state.agreements.values().filter(|agreement| agreement.user == viewer.user);
    let valid = mine.map(|agreement| &agreement.authorization).filter(|authorization| authorization.until >= now);
    Response::Authorizations(valid.cloned().collect())
}

/// The user takes it back.
pub(crate) fn deauthorize(state: &State, viewer: &Viewer, system: &SystemId) -> Result<Decision, Refusal> {
    let pseudonym = pseudonym(state, system, &viewer.user)?;
    if !state.agreements.contains_key(&(system.clone(), pseudonym.clone())) {
        let message = format!("{} has agreed nothing with {system}", viewer.user);
        return Err(Refusal::new(RefusalCode::NotFound, message));
    }
    let decision = Decision::done(ended(state, system, &pseudonym, &viewer.user, AgreementEnd::TakenBack));
    Ok(decision.with(revoked(system, &pseudonym)))
}

/// The system takes it back.
pub(crate) fn revoke(state: &State, system: &SystemId, user: &Pseudonym) -> Result<Decision, Refusal> {
    let agreement = of(state, system, user)?;
    Ok(Decision::done(ended(state, system, user, &agreement.user, AgreementEnd::Revoked)))
}

/// The system is told that an agreement has ended.
fn revoked(system: &SystemId, user: &Pseudonym) -> Effect {
    Effect::Tell { system: system.clone(), message: Box::new(SiiDown::Revoked { user: user.clone() }) }
}

/// The end of an agreement, at once: no call of the user's goes on with the system.
fn ended(state: &State, system: &SystemId, pseudonym: &Pseudonym, user: &UserId, end: AgreementEnd) -> Vec<LogEvent> {
    let end = LogEvent::Deauthorized { system: system.clone(), pseudonym: pseudonym.clone(), user: user.clone(), end };
    let stops = calls_with(state, user, system).map(|call| LogEvent::CallStopped {
        call,
        user: user.clone(),
        stop: Stop::Failed { reason: format!("{system} may no longer be used") },
    });
    std::iter::once(end).chain(stops).collect()
}

/// A system is gone for good: nothing that users have agreed with it is left for whoever takes its id.
pub(crate) fn end_all(state: &State, system: &SystemId) -> Vec<LogEvent> {
    let mine = state.agreements.iter().filter(|((of, _), _)| of == system);
    mine.flat_map(|((_, pseudonym), known)| ended(state, system, pseudonym, &known.user, AgreementEnd::SystemGone))
        .collect()
}

/// Somebody is not known any more, as a user or with one device: what they agreed ends, and what they began goes back.
pub(crate) fn end_unknown(state: &State, by: &UserId, is_gone: impl Fn(&UserId, &Identity) -> bool) -> Decision {
    let mut decision = Decision::done(Vec::new());
    let gone = state.agreements.iter().filter(|(_, known)| is_gone(&known.user, &known.by));
    for ((system, pseudonym), known) in gone {
        let end = AgreementEnd::Unknown { by: by.clone() };
        decision.events.extend(ended(state, system, pseudonym, &known.user, end));
        decision.effects.push(revoked(system, pseudonym));
    }
    let calls = state.open_calls.keys().filter_map(|id| state.calls.get(id));
    let calls = calls.filter(|record| record.stop.is_none() && is_gone(&record.user, &record.by));
    let stop = Stop::Failed { reason: "whoever asked for it is not known here any more".to_owned() };
    let stops = calls.map(|record| {
        let (call, user, stop) = (record.call.id, record.user.clone(), stop.clone());
        LogEvent::CallStopped { call, user, stop }
    });
    decision.events.extend(stops);
    decision
}

/// What is agreed about the user whom `system` calls `user`.
pub(crate) fn of<'a>(state: &'a State, system: &SystemId, user: &Pseudonym) -> Result<&'a Arc<Agreement>, Refusal> {
    state
        .agreements
        .get(&(system.clone(), user.clone()))
        .ok_or_else(|| Refusal::new(RefusalCode::NotFound, format!("{system} has agreed nothing with a user {user}")))
}

/// P1.13: whether the user may use the service now: known, by the rules, and by what both have agreed, on the terms of
/// then.
pub(crate) fn permits<'a>(
    state: &'a State,
    now: Timestamp,
    user: &UserId,
    by: &Identity,
    system: &SystemId,
    service: &ServiceId,
) -> Result<&'a Arc<Agreement>, Refusal> {
    let viewer = Viewer::on(state, now, by)?;
    if viewer.user != *user {
        return Err(Refusal::new(RefusalCode::Unauthenticated, format!("this device is not {user}'s any more")));
    }
    dtac::may_use(state, &viewer, system, service)?;
    let agreement = state.agreements.get(&(system.clone(), pseudonym(state, system, user)?));
    let agreement = agreement.filter(|agreement| agreement.authorization.services.contains(service));
    let agreement = agreement.ok_or_else(|| {
        forbidden(format!("{user} has not agreed with {system} to use {service}: authorize it first"))
    })?;
    if agreement.authorization.until < now {
        return Err(forbidden(format!("what {user} had agreed with {system} has ended: authorize it again")));
    }
    let terms = agreement.terms.as_ref().zip(state.systems.get(system));
    if let Some(reason) = terms.and_then(|(terms, known)| terms.broken(&known.info, service)) {
        return Err(forbidden(format!("{reason}: authorize it again")));
    }
    Ok(agreement)
}
