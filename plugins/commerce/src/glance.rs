//! FGMV-29 P1.15 to P1.19: what a manufacturer may see of a room while it works out one price. The enabler shows a twin to
//! it only as far as the person has agreed to, and only while a call of theirs runs; so the twin is put into what is agreed
//! right before the call, and taken out again once it has ended, however it ended. Pure.

use std::collections::{BTreeMap, BTreeSet};

use vestibule_model::{FeatureId, Sharing, SystemId, TwinId, TwinInfo};
use vestibule_twin::UseServices;

use crate::desk::{AGREED_MS, Around, Effect};

/// The word by which a manufacturer's service says that it asks for a free place: one of the service's needs.
pub(crate) const NEED: &str = "free place";
/// Times that an agreement is asked to be changed before that counts as not possible.
const MOST_TRIES: u8 = 3;

/// A twin that has measured a free place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Measuring {
    pub(crate) twin: TwinId,
    /// What people call it.
    pub(crate) name: String,
    /// The features that say it, and what people call them.
    pub(crate) features: BTreeMap<FeatureId, String>,
}

/// What a twin measures of a free place: its feature `gap`, or those of width, height and depth; `None`: nothing of it.
pub(crate) fn measuring(info: &TwinInfo) -> Option<Measuring> {
    let words = ["gap", "gap_width", "gap_height", "gap_depth"];
    let there = words.into_iter().filter_map(|word| {
        let (feature, about) = info.features.get_key_value(&FeatureId::slug(word))?;
        Some((feature.clone(), crate::read::words(&about.name)))
    });
    let features: BTreeMap<_, _> = there.collect();
    let name = crate::read::words(&info.name);
    (!features.is_empty()).then(|| Measuring { twin: info.id.clone(), name, features })
}

impl Measuring {
    fn ids(&self) -> impl Iterator<Item = FeatureId> + '_ {
        self.features.keys().cloned()
    }

    /// Whether an agreement lets all of it be seen.
    pub(crate) fn is_in(&self, share: &Sharing) -> bool {
        self.features.keys().all(|feature| share.has(&self.twin, Some(feature)))
    }
}

/// What is shown for one price.
#[derive(Clone, Debug, Default)]
pub(crate) struct Glance {
    /// What is to be seen now.
    wanted: Option<Measuring>,
    /// Twins that may be in the agreement because of this, and what the person had let be seen of them before.
    lent: BTreeMap<TwinId, Option<BTreeSet<FeatureId>>>,
    /// The agreement is as it is wanted.
    ready: bool,
    tries: u8,
}

impl Glance {
    /// From now on this is to be seen.
    pub(crate) fn want(&mut self, place: Option<Measuring>) {
        if self.wanted != place {
            (self.wanted, self.ready, self.tries) = (place, false, 0);
        }
    }

    /// Whether the manufacturer may be asked: it sees what it is to see.
    pub(crate) const fn is_ready(&self) -> bool {
        self.ready || self.wanted.is_none()
    }

    /// Whether a twin is seen by this, and not because the person shares it anyway.
    pub(crate) fn lends(&self, twin: &TwinId) -> bool {
        self.lent.contains_key(twin)
    }

    /// The agreement as it should be.
    fn target(&self, now: &Sharing) -> Sharing {
        let mut share = now.clone();
        for (twin, before) in &self.lent {
            match before {
                Some(features) => drop(share.twins.insert(twin.clone(), features.clone())),
                None => drop(share.twins.remove(twin)),
            }
        }
        if let Some(wanted) = self.wanted.as_ref().filter(|wanted| !wanted.is_in(&share)) {
            share.twins.entry(wanted.twin.clone()).or_default().extend(wanted.ids());
        }
        share
    }

    /// What is to be asked for next.
    ///
    /// # Errors
    /// Why nothing is shown, for a person.
    pub(crate) fn follow(&mut self, system: &SystemId, around: &Around<'_>) -> Result<Option<Effect>, String> {
        if self.wanted.is_none() && self.lent.is_empty() {
            return Ok(None);
        }
        let Some(agreed) = around.services.valid(system, around.now) else {
            // With the agreement everything has ended that was seen by it.
            self.lent.clear();
            let asked = self.wanted.take();
            return asked.map_or(Ok(None), |_| Err("Nothing is agreed with it any more: agree first.".to_owned()));
        };
        if around.services.asking.contains(system) || !around.connected {
            return Ok(None);
        }
        let share = self.target(&agreed.share);
        if share == agreed.share {
            let wanted = self.wanted.as_ref().map(|wanted| &wanted.twin);
            self.lent.retain(|twin, _| Some(twin) == wanted);
            (self.ready, self.tries) = (true, 0);
            return Ok(None);
        }
        self.tries = self.tries.saturating_add(1);
        match (&self.wanted, self.tries <= MOST_TRIES) {
            (wanted, true) => {
                if let Some(wanted) = wanted {
                    let before = agreed.share.twins.get(&wanted.twin).cloned();
                    self.lent.entry(wanted.twin.clone()).or_insert(before);
                }
                let for_ms = around.now.map_or(AGREED_MS, |now| agreed.until.since(now));
                let (system, services) = (system.clone(), agreed.services.clone());
                Ok(Some(Effect::Use(UseServices::Agree { system, services, share, for_ms })))
            }
            (Some(_), false) => {
                self.want(None);
                let why = around.services.refused.get(system).map(ToString::to_string).unwrap_or_default();
                Err(format!("It could not be shown what was measured, so it was not asked. {why}"))
            }
            // It sees nothing any more where nothing is agreed. Whoever is there can agree anew.
            (None, false) if self.tries == MOST_TRIES + 1 => Ok(Some(Effect::Use(UseServices::End(system.clone())))),
            (None, false) => {
                // It is shared from now on, which the screen says, with the way out of it.
                self.lent.clear();
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
#[path = "glance_tests.rs"]
mod tests;
