//! Agreeing with third-party systems and using what they offer (P1.6 to P1.15): what is prepared, and what is shown.

mod agree;
mod answer;
mod call;
mod form;
mod offer;
pub(crate) mod told;

use std::collections::{BTreeMap, BTreeSet};

use bevy::prelude::*;
use serde_json::Value;
use vestibule_twin::{
    EnablerClock, KnownCall, KnownServices, KnownSystem, KnownSystems, Notify, Urgency, UseServices,
    model::{Authorization, CallId, CallStatus, ServiceId, SystemId, SystemKind, TwinId},
};

pub(in crate::window) use answer::cut;

use super::{Capturing, OpenWindow};
use crate::{
    action::{HudAction, HudWindow, LineField, Prepare, ServiceField},
    el::El,
    interact::Drag,
    line::Line,
    style,
    widgets::{self, Tone},
};

/// What the person wants to agree to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pub services: BTreeSet<ServiceId>,
    pub name: bool,
    pub always: bool,
    pub twins: BTreeSet<TwinId>,
}

impl Draft {
    fn of(agreed: &Authorization) -> Self {
        Self {
            services: agreed.services.clone(),
            name: agreed.share.name,
            always: agreed.share.standing,
            twins: agreed.share.twins.keys().cloned().collect(),
        }
    }
}

/// What is prepared, and for which system.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub(crate) struct Desk {
    open: Option<SystemId>,
    /// Agree anew, although something is agreed.
    changing: bool,
    draft: Draft,
    entered: BTreeMap<(SystemId, ServiceId), BTreeMap<String, Value>>,
}

fn switch<T: Ord + Clone>(set: &mut BTreeSet<T>, one: &T) {
    if !set.remove(one) {
        set.insert(one.clone());
    }
}

impl Desk {
    fn enter(&mut self, field: &ServiceField, value: Option<Value>) {
        let form = self.entered.entry((field.system.clone(), field.service.clone())).or_default();
        match value {
            Some(value) => form.insert(field.name.clone(), value),
            None => form.remove(&field.name),
        };
    }

    fn prepare(&mut self, what: &Prepare, systems: &KnownSystems, known: &KnownServices) {
        match what {
            Prepare::Unfold(system) => {
                let usable = systems.systems.get(system).map(|known| &known.usable);
                let only = usable.filter(|usable| usable.len() == 1).and_then(|usable| usable.keys().next());
                self.draft = Draft { services: only.into_iter().cloned().collect(), ..Draft::default() };
                (self.open, self.changing) = (Some(system.clone()), false);
            }
            Prepare::Fold => self.open = None,
            Prepare::Change(system) => {
                self.changing = !self.changing;
                self.draft = known.agreed.get(system).map(Draft::of).unwrap_or_default();
            }
            Prepare::Choose(service) => switch(&mut self.draft.services, service),
            Prepare::ShareName => self.draft.name = !self.draft.name,
            Prepare::ShareTwin(twin) => switch(&mut self.draft.twins, twin),
            Prepare::ShareAlways => self.draft.always = !self.draft.always,
            Prepare::Enter(field, value) => self.enter(field, value.as_ref().map(|value| value.value())),
            Prepare::Write { .. } => {}
        }
    }
}

/// Prepares what the person asks for, and sends what they decide.
pub(crate) fn act(
    mut actions: MessageReader<HudAction>,
    (systems, known): (Res<KnownSystems>, Res<KnownServices>),
    (mut desk, mut capturing): (ResMut<Desk>, ResMut<Capturing>),
    mut wishes: MessageWriter<UseServices>,
) {
    let mine = |field: &LineField| match field {
        LineField::Service(field) => Some(field.clone()),
        _ => None,
    };
    if let Some((field, text)) = capturing.take_written(mine) {
        desk.enter(&field, Some(Value::String(text)));
    }
    for action in actions.read() {
        // Whoever presses something else has written what they wanted.
        capturing.end_line();
        match action {
            HudAction::Prepare(Prepare::Write { field, text, most }) => {
                capturing.begin_line(LineField::Service(field.clone()), Line::new(text.clone(), *most));
            }
            HudAction::Prepare(what) => desk.prepare(what, &systems, &known),
            HudAction::Use(wish) => {
                if matches!(wish, UseServices::Agree { .. }) {
                    desk.changing = false;
                }
                wishes.write(wish.clone());
            }
            _ => {}
        }
    }
}

/// Tells how calls ended, and what is no longer agreed, to whoever does not look at them.
pub(crate) fn tell(
    (known, systems, window): (Res<KnownServices>, Res<KnownSystems>, Res<OpenWindow>),
    mut open: Local<BTreeSet<CallId>>,
    mut over: Local<BTreeSet<SystemId>>,
    mut notify: MessageWriter<Notify>,
) {
    if !known.is_changed() {
        return;
    }
    let looks = window.get() == Some(HudWindow::Systems);
    let name = |system: &SystemId| {
        systems.systems.get(system).map_or_else(|| system.to_string(), |known| known.info.name.clone())
    };
    for call in known.calls.iter().filter(|call| !call.is_open()) {
        if open.remove(&call.call) && !looks {
            let good = matches!(call.update.as_ref().map(|update| &update.status), Some(CallStatus::Succeeded));
            let urgency = if good { Urgency::Info } else { Urgency::Problem };
            let service = systems.systems.get(&call.system).and_then(|known| known.info.services.get(&call.service));
            let service = service.map_or_else(|| call.service.to_string(), |service| service.name.clone());
            let title = format!("{}: {}", name(&call.system), cut(&service, 60));
            notify.write(Notify { urgency, title, text: call::state(call), twin: None });
        }
    }
    open.extend(known.calls.iter().filter(|call| call.is_open()).map(|call| call.call));
    for system in known.over.difference(&over).filter(|_| !looks) {
        let title = format!("Nothing is agreed with {} any more", name(system));
        let text = "It, or another device of yours, has taken it back.".to_owned();
        notify.write(Notify { urgency: Urgency::Problem, title, text, twin: None });
    }
    over.clone_from(&known.over);
}

/// What the view of services needs to know.
pub(super) struct Room<'a> {
    pub connected: bool,
    pub known: &'a KnownServices,
    pub desk: &'a Desk,
    pub clock: EnablerClock,
    /// Seconds of `Time<Real>`.
    pub now: f64,
    /// The twin that the person was at when they opened the window.
    pub about: Option<TwinId>,
    /// What people call a twin that the person may see.
    pub name: &'a dyn Fn(&TwinId) -> Option<String>,
    pub line: Option<(&'a ServiceField, &'a Line)>,
    pub drag: Option<&'a Drag>,
    pub confirming: Option<&'a HudAction>,
}

impl Room<'_> {
    fn agreed(&self, system: &SystemId) -> Option<&Authorization> {
        self.known.valid(system, self.clock.at(self.now))
    }

    pub(super) fn is_open(&self, system: &SystemId) -> bool {
        self.desk.open.as_ref() == Some(system)
    }

    fn entered(&self, system: &SystemId, service: &ServiceId) -> BTreeMap<String, Value> {
        self.desk.entered.get(&(system.clone(), service.clone())).cloned().unwrap_or_default()
    }

    /// Why nothing can be asked of a system now.
    fn away(&self, system: &KnownSystem) -> Option<String> {
        match (self.connected, system.health.online) {
            (false, _) => Some("the enabler cannot be reached".to_owned()),
            (true, false) => Some(format!("{} is away", system.info.name)),
            (true, true) => None,
        }
    }

    /// The newest calls of a service, newest first.
    fn calls(&self, system: &SystemId, service: &ServiceId, most: usize) -> Vec<&KnownCall> {
        let all = self.known.calls.iter().rev();
        all.filter(|call| call.system == *system && call.service == *service).take(most).collect()
    }
}

/// The button that unfolds a system, where it has something for the person.
pub(super) fn unfold(system: &KnownSystem, room: &Room<'_>) -> Option<El> {
    let id = &system.info.id;
    let agreed = room.agreed(id).is_some();
    if system.info.kind != SystemKind::ThirdParty || system.usable.is_empty() && !agreed {
        return None;
    }
    let (label, does) = match (room.is_open(id), agreed) {
        (true, _) => ("Less".to_owned(), Prepare::Fold),
        (false, true) => (format!("Use {}", system.info.name), Prepare::Unfold(id.clone())),
        (false, false) => (format!("Use {} ...", system.info.name), Prepare::Unfold(id.clone())),
    };
    let press = widgets::press(label, HudAction::Prepare(does));
    Some(widgets::button("unfold", press, None, if room.is_open(id) { Tone::Plain } else { Tone::Main }))
}

/// What stands below a system: what is agreed in one line, or everything that can be done with it.
pub(super) fn below(system: &KnownSystem, room: &Room<'_>) -> Vec<El> {
    let id = &system.info.id;
    let mut below = Vec::new();
    if let Some(refusal) = room.known.refused.get(id) {
        below.push(El::text("refused", format!("It did not work: {refusal}")).colored(style::WRONG));
    }
    if room.known.over.contains(id) && room.agreed(id).is_none() {
        below.push(El::small("over", "What you had agreed with it has ended."));
    }
    match (room.agreed(id), room.is_open(id)) {
        (None, false) => {}
        (Some(agreed), false) => below.push(agree::line(agreed, room)),
        (None, true) => below.push(agree::draft(system, room)),
        (Some(agreed), true) => {
            below.push(agree::agreed(system, agreed, room));
            if room.desk.changing {
                below.push(agree::draft(system, room));
            } else {
                below.extend(agreed.services.iter().map(|service| offer::service(system, service, room)));
            }
        }
    }
    below
}

#[cfg(test)]
mod tests;
