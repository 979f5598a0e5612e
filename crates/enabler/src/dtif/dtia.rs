//! FGMV-29 8.3.3, digital twin information acquisition (DTIA): a twin as one user may see it, P2.6 to P2.12.

use std::{collections::BTreeMap, sync::Arc};

use vestibule_model::{
    FeatureId, InquiryId, Refusal, RefusalCode, Right, SystemId, Timestamp, TwinId, TwinInfo, UserId,
};
use vestibule_protocol::{FeatureAccess, InquiryAnswer, MAX_FRAME, Response, TwinView, encoded_length};

use crate::{
    Actor, Decision, Effect, Hot, State, Viewer,
    dtif::{dtac, dtsr},
};

/// Twins on a page, unless asked otherwise and at most. Fewer where they are large: only an empty page is the last one.
const PAGE: usize = 50;

/// The twin `id` as `viewer` may see it, with the place of each of its properties in the whole description; `None`
/// where they may not, or there is none. Short id and epoch are a session's and stay 0.
#[must_use]
pub fn view(state: &State, hot: &Hot, viewer: &Viewer, id: &TwinId, now: Timestamp) -> Option<(TwinView, Vec<u16>)> {
    let twin = state.twins.get(id)?;
    dtac::may_read(state, viewer, id, None).then_some(())?;
    let (mut access, mut whole) = (BTreeMap::new(), true);
    for (feature, about) in &twin.info.features {
        let read = dtac::verdict(state, viewer, id, Some(feature), &Right::Read);
        if !read.allowed {
            whole = false;
            continue;
        }
        let mut allowed = FeatureAccess { read: read.rule, act: BTreeMap::new() };
        for action in about.actions.keys() {
            let act = dtac::verdict(state, viewer, id, Some(feature), &Right::Act(action.clone()));
            match act.rule.filter(|_| act.allowed) {
                Some(rule) => drop(allowed.act.insert(action.clone(), rule)),
                None => whole = false,
            }
        }
        access.insert(feature.clone(), allowed);
    }
    let info = if whole { twin.info.clone() } else { Arc::new(narrowed(&twin.info, &access)) };
    let places: Vec<u16> = (0_u16..)
        .zip(twin.info.properties())
        .filter(|(_, (feature, _, _))| info.features.contains_key(*feature))
        .map(|(place, _)| place)
        .collect();
    let readings = places.iter().map(|place| hot.reading(id, *place, now)).collect::<Option<Vec<_>>>()?;
    let reachable = hot.is_reachable(id);
    let away = hot.away(id).into_iter().filter(|feature| info.features.contains_key(feature)).collect();
    Some((TwinView { short: 0, epoch: 0, info, access, reachable, away, readings }, places))
}

/// The description without what the access does not have.
fn narrowed(info: &TwinInfo, access: &BTreeMap<FeatureId, FeatureAccess>) -> TwinInfo {
    let mut info = info.clone();
    info.features.retain(|feature, about| {
        access.get(feature).is_some_and(|allowed| {
            about.actions.retain(|action, _| allowed.act.contains_key(action));
            true
        })
    });
    info
}

pub(crate) fn list(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    viewer: &Viewer,
    system: &SystemId,
    after: Option<&TwinId>,
    limit: u16,
) -> Response {
    let limit = if limit == 0 { PAGE } else { usize::from(limit).min(PAGE) };
    let twins = state.twins_after(system, after);
    let views = twins.filter_map(|twin| view(state, hot, viewer, &twin.info.id, now)).map(|(view, _)| view);
    let mut bytes = 0_usize;
    let fits = views.take(limit).take_while(|view| {
        let first = bytes == 0;
        bytes = bytes.saturating_add(encoded_length(view));
        first || bytes <= MAX_FRAME / 2
    });
    Response::Twins(fits.collect())
}

pub(crate) fn describe(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    viewer: &Viewer,
    id: &TwinId,
) -> Result<Response, Refusal> {
    // The rules first: they answer alike whether the twin exists or not.
    dtac::may(state, viewer, id, None, &Right::Read)?;
    match view(state, hot, viewer, id, now) {
        Some((view, _)) => Ok(Response::Twins(vec![view])),
        None => Err(Refusal::new(RefusalCode::NotFound, format!("there is no twin {id}"))),
    }
}

/// A user asks for properties and permission of a twin (P2.8): its system is to be asked (P2.9).
pub(crate) fn acquire(state: &State, hot: &Hot, viewer: &Viewer, twin: &TwinId) -> Result<Decision, Refusal> {
    dtac::may(state, viewer, twin, None, &Right::Read)?;
    if !state.twins.contains_key(twin) {
        return Err(Refusal::new(RefusalCode::NotFound, format!("there is no twin {twin}")));
    }
    let system = twin.system();
    if !hot.is_online(&system) {
        let message = format!("{system}, which maintains {twin}, is away");
        return Err(Refusal::new(RefusalCode::Unavailable, message));
    }
    Ok(Decision::default().with(Effect::Inquire { system, twin: twin.clone(), user: viewer.user.clone() }))
}

/// The twin's system has answered (P2.10): what it said is kept (P2.11).
///
/// # Errors
/// [`Refusal`] where it answers with another twin, or with what would be refused from it at any time.
pub fn inquired(
    state: &State,
    actor: &Actor,
    (twin, user): (&TwinId, &UserId),
    inquiry: InquiryId,
    answer: &InquiryAnswer,
) -> Result<Decision, Refusal> {
    match answer {
        InquiryAnswer::Refused(refusal) => {
            let refusal = Refusal { message: refusal.message.chars().take(500).collect(), ..refusal.clone() };
            Ok(Decision::done(Vec::new()).with(Effect::Answered { inquiry, refusal: Some(refusal) }))
        }
        InquiryAnswer::Twin { info, permission } => {
            if info.id != *twin {
                let message = format!("the question was about {twin}, not about {}", info.id);
                return Err(Refusal::new(RefusalCode::Invalid, message));
            }
            let mut decision = dtsr::describe(state, actor, info)?;
            decision.events.extend(dtac::keep_permission(state, twin, user, permission)?);
            Ok(decision.with(Effect::Answered { inquiry, refusal: None }))
        }
    }
}
