//! A twin's past, as somebody may see it: what they may read now, by the rules of then.
//!
//! The rules of then are applied to the asker as they are today. Who was given a role yesterday may look as far back as
//! that role could see; what a rule kept from it then stays kept, and what they may no longer read now is gone for
//! the past as well.

use std::sync::Arc;

use vestibule_model::{CommandStatus, FeatureId, PastEntry, PastFact, Refusal, Right, Timestamp, TwinId};
use vestibule_protocol::{PastReading, PastTwin, Report};

use crate::{
    CommandRecord, Decision, Effect, Hot, LogEvent, State, Topic, Viewer,
    dtif::{dtac, lease::tell},
    view,
};

pub(crate) fn ask(state: &State, viewer: Viewer, twin: &TwinId) -> Result<Decision, Refusal> {
    // By the rules alone, so that the answer does not say whether the twin exists.
    dtac::may(state, &viewer, twin, None, &Right::Read)?;
    Ok(Decision::default().with(Effect::ReadPast(Box::new(viewer))))
}

/// What the past of one twin depends on, followed line by line.
#[derive(Clone, Debug)]
pub struct Past {
    then: State,
    now: State,
    viewer: Viewer,
    twin: TwinId,
    sequence: u64,
}

impl Past {
    /// Begins where the log begins: `base` is the state of that moment, `now` that of this one.
    #[must_use]
    pub fn new(base: &State, now: State, viewer: Viewer, twin: TwinId) -> Self {
        Self { then: base.only(&twin), now, viewer, twin, sequence: 0 }
    }

    /// Takes a line about everything or about this twin; what of it may be told.
    pub fn take(&mut self, sequence: u64, at: Timestamp, event: &LogEvent) -> Option<PastEntry> {
        self.sequence = sequence;
        // What ends here is known only before it is applied.
        let (feature, what) = self.fact(event).unzip();
        self.then.apply(at, event);
        // How far a lease is is known only after it.
        let what = what.or_else(|| self.lease(at, event))?;
        let own = match &what {
            PastFact::Accepted { user, .. } => *user == self.viewer.user,
            PastFact::Lease(lease) => lease.user.as_ref() == Some(&self.viewer.user),
            _ => false,
        };
        (own || self.may_read(feature.flatten().as_ref(), at)).then_some(PastEntry { sequence, at, what })
    }

    /// Whether the asker may read a feature of the twin now, and might have at this moment, which what was taken reaches.
    #[must_use]
    pub fn may_read(&self, feature: Option<&FeatureId>, at: Timestamp) -> bool {
        // Rules that had ended by then allowed nothing.
        let then = Viewer { at, ..self.viewer.clone() };
        dtac::may_read(&self.now, &self.viewer, &self.twin, feature)
            && dtac::may_read(&self.then, &then, &self.twin, feature)
    }

    /// The last line taken.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    fn record(&self, event: &LogEvent) -> Option<&CommandRecord> {
        let Topic::Command(id) = event.about() else { return None };
        self.then.commands.get(&id).filter(|record| record.command.twin == self.twin).map(AsRef::as_ref)
    }

    /// How far a lease of this twin is from now on. That it is renewed changes nothing.
    fn lease(&self, at: Timestamp, event: &LogEvent) -> Option<PastFact> {
        let id = match event {
            LogEvent::LeaseQueued { request, .. } => request.id,
            LogEvent::LeaseGranted { lease, .. }
            | LogEvent::LeaseIntegrated { lease, .. }
            | LogEvent::LeaseEnded { lease, .. } => *lease,
            _ => return None,
        };
        let lease = self.then.leases.get(&id).filter(|lease| lease.request.twin == self.twin && lease.at == at)?;
        let then = Viewer { at, ..self.viewer.clone() };
        let mut update = tell::update(&self.then, &then, at, lease);
        // Who may not know now whose it is does not learn it from what they might have known then.
        if tell::name(&self.now, &self.viewer, lease).is_none() {
            update.user = None;
        }
        Some(PastFact::Lease(update))
    }

    fn fact(&self, event: &LogEvent) -> Option<(Option<FeatureId>, PastFact)> {
        let came = |record: &CommandRecord, status| {
            let command = record.command.id;
            (Some(record.command.feature.clone()), PastFact::Came { command, status })
        };
        match event {
            LogEvent::TwinDescribed { info } if info.id == self.twin => Some((None, PastFact::Described)),
            LogEvent::TwinGone { twin } if *twin == self.twin => Some((None, PastFact::Gone)),
            LogEvent::SystemGone { system, .. } if *system == self.twin.system() => {
                self.then.twins.contains_key(&self.twin).then_some((None, PastFact::Gone))
            }
            // What systems let others do, and were told with their rights, is between them.
            LogEvent::PermissionTold { user, .. } | LogEvent::TwinAcquired { user, .. }
                if *user != self.viewer.user =>
            {
                None
            }
            LogEvent::CommandAccepted { command, user, rule, device, .. } if command.twin == self.twin => {
                let device = device.and_then(|device| self.now.devices.get(&device).or(self.then.devices.get(&device)));
                let fact = PastFact::Accepted {
                    command: command.id,
                    user: user.clone(),
                    device: device.map(|device| device.device.clone()),
                    rule: rule.clone(),
                    feature: command.feature.clone(),
                    action: command.action.clone(),
                    input: command.input.clone(),
                };
                Some((Some(command.feature.clone()), fact))
            }
            LogEvent::CommandDispatched { .. } => {
                self.record(event).map(|record| came(record, CommandStatus::Dispatched))
            }
            LogEvent::CommandEnded { status, .. } => self.record(event).map(|record| came(record, status.clone())),
            LogEvent::WishEnded { .. } | LogEvent::LeaseQueued { .. } => None,
            // What other parts write about this twin is told in the log's own words.
            other if other.about() == Topic::Twin(self.twin.clone()) => {
                let words = serde_json::to_string(other).ok()?;
                Some((None, PastFact::Other(words)))
            }
            _ => None,
        }
    }

    /// The twin at the moment reached, with the readings that were kept. `covered`: nothing was missed between the
    /// oldest of them and `at`.
    #[must_use]
    pub fn twin_at(&self, at: Timestamp, readings: &[PastReading], covered: bool) -> PastTwin {
        let mut hot = Hot::restore(&self.then, at);
        if covered {
            hot.attach(&self.twin.system(), 0, at);
            hot.set_device(&self.twin, true, at);
        }
        for (revision, told) in (1..).zip(readings) {
            let (twin, feature, property) = (self.twin.clone(), told.feature.clone(), told.property.clone());
            let (value, fresh) = (told.value.clone(), true);
            let report = Report { twin, feature, property, value, at: Some(at), fresh, revision };
            // A value that the description of that moment does not allow was said of another one: left out.
            let _ = hot.report(&report, at);
        }
        let view = view(&self.then, &hot, &self.viewer, &self.twin, at);
        let view = view.filter(|_| self.may_read(None, at)).map(|(mut view, _)| {
            // It stood by them until then; what people ask is since when.
            for ((feature, property, _), reading) in view.info.properties().zip(&mut view.readings) {
                let told = readings.iter().find(|told| told.feature == *feature && told.property == *property);
                if let (Some(told), Some(age)) = (told, reading.age_ms.as_mut()) {
                    *age = at.since(told.at);
                }
            }
            let keep: Vec<bool> =
                view.info.properties().map(|(feature, _, _)| self.may_read(Some(feature), at)).collect();
            let mut kept = keep.into_iter();
            view.readings.retain(|_| kept.next().unwrap_or(false));
            Arc::make_mut(&mut view.info).features.retain(|feature, _| self.may_read(Some(feature), at));
            view.access.retain(|feature, _| self.may_read(Some(feature), at));
            view
        });
        let open = self
            .then
            .open_on(&self.twin)
            .filter(|record| record.user == self.viewer.user || self.may_read(Some(&record.command.feature), at));
        let commands = open.map(|record| record.update(record.status.clone(), record.at)).collect();
        PastTwin { at, sequence: self.sequence, view, commands, covered }
    }
}
