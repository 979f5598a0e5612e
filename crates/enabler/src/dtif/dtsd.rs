//! FGMV-29 8.3.2, digital twin system discovery (DTSD): systems whose twins meet conditions, P2.4 and P2.5.

use vestibule_model::FeatureKind;

use crate::{Sight, directory::Card, dtif::dtac};

/// Twins of one system that are looked at for one that the viewer may read, where rules speak of single twins or
/// features: some milliseconds. What lies behind that many forbidden ones is not found.
const MOST_LOOKED_AT: usize = 10_000;

/// Whether the viewer may read such a feature of one of the twins of a system: what one may not read is no reason to find
/// it.
pub(crate) fn has_feature(sight: &Sight<'_>, card: &Card, kind: FeatureKind) -> bool {
    if !card.has(kind) {
        return false;
    }
    let system = &card.system.info.id;
    if sight.reads_all(system) {
        return true;
    }
    sight.state().twins_of(system).take(MOST_LOOKED_AT).any(|twin| {
        let mut features = twin.info.features.iter().filter(|(_, feature)| feature.kind == kind);
        features.any(|(id, _)| dtac::may_read(sight.state(), sight.viewer(), &twin.info.id, Some(id)))
    })
}
