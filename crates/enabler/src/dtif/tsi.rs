//! FGMV-29 8.3.6, third-party system interaction (TSI): collects a twin's information on a third-party system's
//! request, P1.17 and P1.18.

use std::sync::Arc;

use vestibule_model::{Refusal, RefusalCode, Right, Sharing, Timestamp, TwinId};
use vestibule_protocol::TwinView;

use crate::{
    Hot, State, Viewer,
    dtif::{dtac, dtia},
};

/// The twin as `viewer` may see it, cut to what they share. Nothing can be acted on; where the thing stands and its
/// serial numbers are its owner's.
pub(crate) fn collect(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    viewer: &Viewer,
    share: &Sharing,
    twin: &TwinId,
) -> Result<TwinView, Refusal> {
    dtac::may(state, viewer, twin, None, &Right::Read)?;
    let (mut view, _) = dtia::view(state, hot, viewer, twin, now)
        .ok_or_else(|| Refusal::new(RefusalCode::NotFound, format!("there is no twin {twin}")))?;
    let kept: Vec<bool> = view.info.properties().map(|(feature, _, _)| share.has(twin, Some(feature))).collect();
    let mut places = kept.iter();
    view.readings.retain(|_| places.next().copied().unwrap_or(false));
    let info = Arc::make_mut(&mut view.info);
    info.features.retain(|feature, _| share.has(twin, Some(feature)));
    view.access.retain(|feature, _| share.has(twin, Some(feature)));
    info.features.values_mut().for_each(|feature| feature.actions.clear());
    view.access.values_mut().for_each(|access| access.act.clear());
    view.readings.iter_mut().for_each(|reading| reading.desired = None);
    info.physical_ids.clear();
    info.place = None;
    info.problems.clear();
    Ok(view)
}
