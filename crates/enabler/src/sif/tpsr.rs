//! FGMV-29 8.2.1, third-party system registration (TPSR): systems that offer services, P1.1 to P1.3.

use vestibule_model::{Refusal, SystemInfo, SystemKind, Timestamp};

use crate::{Actor, Decision, Hot, State, THIRD_PARTY_ROLE, registry};

/// A third-party system says what it is and what it offers.
pub(crate) fn register(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    actor: &Actor,
    info: &SystemInfo,
) -> Result<Decision, Refusal> {
    let is_expected = hot.expected.contains(&info.id);
    registry::register(state, now, actor, info, (SystemKind::ThirdParty, THIRD_PARTY_ROLE), is_expected)
}

/// A third-party system is no longer there for anybody.
pub(crate) fn deregister(state: &State, actor: &Actor) -> Result<Decision, Refusal> {
    registry::deregister(state, actor)
}
