//! Asks suppliers what they have, a page after the other, and not more often than somebody cooks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use vestibule_kitchen::Table;
use vestibule_model::{CallId, CallStatus, Json, ServiceId, SystemId};
use vestibule_twin::{KnownCall, KnownServices, UseServices};

use crate::supply::{SEARCH, Suppliers};

/// Seconds after which a supplier is asked anew: prices change, but not by the minute, each answer stays in the enabler's
/// log, and the cart says it exactly.
const AGAIN_S: f64 = 1_800.0;
/// Seconds after which a supplier that did not answer is asked again.
const RETRY_S: f64 = 30.0;
/// Pages of what one supplier has: with the goods on each, more than are kept.
const MOST_PAGES: u32 = 24;
/// Goods on a page: as many as the protocol lets through.
const PAGE: u32 = 100;

/// A question that is under way or was answered.
#[derive(Clone, Debug)]
struct Asked {
    at: f64,
    pages: u32,
    /// The calls there were of this supplier when it was asked: another one is the answer.
    before: BTreeSet<CallId>,
    waits: bool,
}

/// What was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asks {
    asked: BTreeMap<SystemId, Asked>,
    taken: BTreeSet<CallId>,
}

fn calls<'a>(services: &'a KnownServices, system: &'a SystemId) -> impl Iterator<Item = &'a KnownCall> {
    services.calls.iter().filter(move |call| call.system == *system && call.service.as_str() == SEARCH)
}

fn question(system: &SystemId, cursor: Option<&str>) -> Option<UseServices> {
    let mut page = json!({ "limit": PAGE });
    if let (Some(cursor), Some(page)) = (cursor, page.as_object_mut()) {
        page.insert("cursor".to_owned(), cursor.into());
    }
    let input = Json::of(&json!({ "query": "", "pagination": page })).ok()?;
    Some(UseServices::Call { system: system.clone(), service: ServiceId::slug(SEARCH), input })
}

impl Asks {
    /// Takes what was answered and asks what is to be asked. Whether anything is known anew, and the questions.
    pub(crate) fn step(
        &mut self,
        suppliers: &mut Suppliers,
        services: &KnownServices,
        table: &Table,
        (wanted, seconds): (bool, f64),
    ) -> (bool, Vec<UseServices>) {
        let mut questions = Vec::new();
        let mut news = false;
        self.taken.retain(|taken| services.calls.iter().any(|call| call.call == *taken));
        let systems: Vec<SystemId> = suppliers.0.keys().cloned().collect();
        for system in &systems {
            // Whoever else looked for goods there told something, too.
            let ended: Vec<&KnownCall> =
                calls(services, system).filter(|call| !call.is_open() && !self.taken.contains(&call.call)).collect();
            for call in ended {
                self.taken.insert(call.call);
                let next = answer(call).and_then(|said| suppliers.take(system, said, table));
                news = true;
                let Some(asked) = self.asked.get_mut(system).filter(|asked| asked.waits) else { continue };
                if asked.before.contains(&call.call) {
                    continue;
                }
                asked.waits = false;
                if answer(call).is_none()
                    && let Some(supplier) = suppliers.0.get_mut(system)
                {
                    supplier.problem = Some("it did not answer".to_owned());
                }
                // Somebody else's search may be what has ended: as long as one is open, nobody knows that this was all.
                if next.is_none() && answer(call).is_some() && !calls(services, system).any(KnownCall::is_open) {
                    suppliers.end(system);
                }
                if let Some(cursor) = next.filter(|_| asked.pages < MOST_PAGES) {
                    asked.pages += 1;
                    asked.waits = true;
                    asked.before = calls(services, system).map(|call| call.call).collect();
                    questions.extend(question(system, Some(&cursor)));
                }
            }
            if wanted && self.is_due(suppliers, system, seconds) {
                let before = calls(services, system).map(|call| call.call).collect();
                suppliers.begin(system);
                self.asked.insert(system.clone(), Asked { at: seconds, pages: 1, before, waits: true });
                questions.extend(question(system, None));
            }
        }
        (news, questions)
    }

    fn is_due(&self, suppliers: &Suppliers, system: &SystemId, seconds: f64) -> bool {
        let Some(supplier) = suppliers.0.get(system).filter(|supplier| supplier.agreed && supplier.online) else {
            return false;
        };
        let again = if supplier.goods.is_some() && supplier.problem.is_none() { AGAIN_S } else { RETRY_S };
        self.asked.get(system).is_none_or(|asked| seconds - asked.at >= again)
    }
}

/// What was answered, where it was.
fn answer(call: &KnownCall) -> Option<&Json> {
    let update = call.update.as_ref()?;
    if update.status == CallStatus::Succeeded { update.output.as_ref() } else { None }
}

#[cfg(test)]
mod tests {
    use vestibule_model::{CallUpdate, Timestamp, UserId};

    use super::*;
    use crate::supply::tests::{OPEN, agreed, grocer, page, product, systems};

    fn answer(services: &mut KnownServices, key: u8, said: Option<&Json>) {
        let call = CallId([key; 16]);
        services.begin(call, grocer(), ServiceId::slug(SEARCH));
        let failed = || CallStatus::Failed { reason: "it is ill".to_owned(), kept: Vec::new() };
        let status = if said.is_some() { CallStatus::Succeeded } else { failed() };
        let (user, steps, output, at) = (UserId::slug("owner"), Vec::new(), said.cloned(), Timestamp(1));
        services.take(CallUpdate { call, user, status, steps, output, at });
    }

    #[test]
    fn what_is_sold_no_more_goes_when_all_was_told() {
        let (mut suppliers, mut services, mut asks) = (Suppliers::default(), agreed(), Asks::default());
        suppliers.look(&systems(&OPEN, "supplier"), &services, Some(Timestamp(0)));
        let (milk, rice) = (product("milk", "Milk", "1 l", 129, ""), product("rice", "Rice", "500 g", 229, ""));
        let mut step = |suppliers: &mut Suppliers, services: &KnownServices, seconds: f64| {
            asks.step(suppliers, services, Table::shipped(), (true, seconds)).1.len()
        };
        let has = |suppliers: &Suppliers| ["milk_1", "rice_1"].map(|item| suppliers.goods(&grocer(), item).is_some());
        assert_eq!(step(&mut suppliers, &services, 0.0), 1);
        answer(&mut services, 1, Some(&page(&milk, Some("1"))));
        assert_eq!(step(&mut suppliers, &services, 1.0), 1, "the next page is asked for");
        answer(&mut services, 2, Some(&page(&rice, None)));
        assert_eq!(step(&mut suppliers, &services, 2.0), 0);
        assert_eq!(has(&suppliers), [true, true]);
        // A round that ends without an answer says nothing about what it has not told.
        assert_eq!(step(&mut suppliers, &services, 2_000.0), 1);
        answer(&mut services, 3, Some(&page(&rice, Some("1"))));
        assert_eq!(step(&mut suppliers, &services, 2_001.0), 1);
        answer(&mut services, 4, None);
        assert_eq!(step(&mut suppliers, &services, 2_002.0), 0);
        assert_eq!(has(&suppliers), [true, true]);
        assert_eq!(step(&mut suppliers, &services, 2_040.0), 1);
        answer(&mut services, 5, Some(&page(&rice, Some("1"))));
        assert_eq!(step(&mut suppliers, &services, 2_041.0), 1);
        assert_eq!(has(&suppliers), [true, true], "it may stand on the next page");
        answer(&mut services, 6, Some(&page("", None)));
        assert_eq!(step(&mut suppliers, &services, 2_042.0), 0);
        assert_eq!(has(&suppliers), [false, true]);
    }
}
