//! FGMV-29 8.2.2, third-party system discovery (TPSD): systems whose services meet conditions, P1.4 and P1.5.

use vestibule_model::SystemQuery;

use crate::System;

/// Whether a third-party system meets the conditions that only such a one can meet: its services and what they cost.
pub(crate) fn meets(query: &SystemQuery, system: &System) -> bool {
    let info = &system.info;
    let service = query.service.as_ref().is_none_or(|service| info.services.contains_key(service));
    let charge = query.charge.as_ref().is_none_or(|most| {
        let asked = match &query.service {
            Some(service) => info.charge_of(service),
            None => info.charge.as_ref(),
        };
        // What costs nothing costs at most anything.
        asked.is_none_or(|charge| charge.is_at_most(most))
    });
    service && charge
}
