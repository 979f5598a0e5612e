//! FGMV-29 8.3.2, digital twin system discovery (DTSD): systems whose twins meet conditions, P2.4 and P2.5.

use vestibule_model::{FeatureKind, Right, RuleEffect, SystemId, SystemQuery, TwinSelector};

use crate::{State, System, Viewer, dtif::dtac};

/// Twins of one system that are looked at for one that the viewer may read, where rules speak of single twins or
/// features: some milliseconds. What lies behind that many forbidden ones is not found.
const MOST_LOOKED_AT: usize = 10_000;

/// Whether a digital twin system meets the condition that only such a one can meet: its twins' features.
pub(crate) fn meets(state: &State, viewer: &Viewer, query: &SystemQuery, system: &System) -> bool {
    query.feature.is_none_or(|kind| has_feature(state, viewer, &system.info.id, kind))
}

/// Whether `viewer` may read such a feature of one of the system's twins: what one may not read is no reason to find it.
fn has_feature(state: &State, viewer: &Viewer, system: &SystemId, kind: FeatureKind) -> bool {
    if state.census(system).is_none_or(|census| census.features_of(kind) == 0) {
        return false;
    }
    if reads_all(state, viewer, system) {
        return true;
    }
    state.twins_of(system).take(MOST_LOOKED_AT).any(|twin| {
        let mut features = twin.info.features.iter().filter(|(_, feature)| feature.kind == kind);
        features.any(|(id, _)| dtac::may_read(state, viewer, &twin.info.id, Some(id)))
    })
}

/// Whether the rules let `viewer` read every twin of a system: then no twin has to be looked at.
fn reads_all(state: &State, viewer: &Viewer, system: &SystemId) -> bool {
    if !viewer.is_user {
        return false;
    }
    let about = |selector: &TwinSelector| match selector {
        TwinSelector::All => true,
        TwinSelector::System(of) => of == system,
        TwinSelector::Twin(twin) => twin.system() == *system,
    };
    let mut rules = state.rules.values().filter(|rule| {
        rule.is_in_force(viewer.at) && dtac::concerns(rule, &viewer.user, &viewer.roles) && about(&rule.twins)
    });
    let takes = rules.clone().any(|rule| rule.effect == RuleEffect::Deny);
    let gives = rules.any(|rule| {
        let whole = rule.feature.is_none() && !matches!(rule.twins, TwinSelector::Twin(_));
        let reads = matches!(rule.right, Right::Read | Right::Manage | Right::Act(_) | Right::ActAny);
        whole && reads && rule.effect == RuleEffect::Allow
    });
    gives && !takes && !state.has_permissions(system, &viewer.user)
}
