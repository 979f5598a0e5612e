//! Which controls can be used now, in which order, and why not.

use vestibule_twin::{
    TwinState, TwinTurn,
    model::{ActionId, ActionInfo, Effect, Expect, FeatureId, FeatureInfo, FeatureKind, Truth, TwinInfo, Value},
};

use crate::{card::holder_name, format};

/// Whether a control can be used now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It can.
    Ready,
    /// It cannot, for this reason, in a person's words.
    Disabled(String),
}

impl Availability {
    fn not(reason: impl Into<String>) -> Self {
        Self::Disabled(reason.into())
    }

    /// Whether it can be used.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self, Self::Ready)
    }

    /// Why it cannot be used.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        if let Self::Disabled(reason) = self { Some(reason) } else { None }
    }
}

/// A command that this person sent and that has no end yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// The feature.
    pub feature: FeatureId,
    /// What it should do.
    pub action: ActionId,
    /// Whether it was given a value.
    pub with_input: bool,
    /// Seconds of `Time<Real>` at which the wish ends.
    pub until: f64,
}

/// Whether `action` of `feature` can be used, as far as twin and state tell; `now` in seconds of `Time<Real>`.
///
/// Reasons, most important first: nobody may (the description has no such action), the thing cannot be reached, it
/// waits for what is wanted already, it is so already. An action with a value is never "already so".
#[must_use]
pub fn availability(
    info: &TwinInfo,
    state: &TwinState,
    feature: &FeatureId,
    action: &ActionId,
    now: f64,
) -> Availability {
    available(info, state, None, feature, action, &[], now)
}

/// The same, knowing what is under way.
pub(crate) fn available(
    info: &TwinInfo,
    state: &TwinState,
    turn: Option<&TwinTurn>,
    feature: &FeatureId,
    action: &ActionId,
    waiting: &[Waiting],
    now: f64,
) -> Availability {
    let Some((about, does)) = info.features.get(feature).and_then(|f| Some((f, f.actions.get(action)?))) else {
        return Availability::not("you may look, not act");
    };
    if !state.reachable {
        return Availability::not(format!("{} is not reachable", the(&info.name)));
    }
    if !state.reaches(feature) {
        return Availability::not(format!("{} of {} is not reachable", about.name, the(&info.name)));
    }
    if let Some(reason) = taken(info, turn) {
        return Availability::Disabled(reason);
    }
    let under_way = waiting.iter().find(|w| w.feature == *feature && w.action == *action && !w.with_input);
    if let Some(wish) = under_way {
        let left = (wish.until - now).max(0.0).ceil();
        return Availability::not(format!("waiting for {}: {left:.0} s left", the(&info.name)));
    }
    if wished(state, feature, does) {
        return Availability::not(format!("wanted already, waiting for {}", the(&info.name)));
    }
    already(about, state, feature, action, does).map_or(Availability::Ready, Availability::Disabled)
}

/// Why somebody else's turn, or nobody's, forbids it.
fn taken(info: &TwinInfo, turn: Option<&TwinTurn>) -> Option<String> {
    if turn.and_then(TwinTurn::held).is_some() {
        return None;
    }
    if let Some(holder) = turn.and_then(|turn| turn.holder.as_ref()) {
        return Some(format!("{} has it", holder_name(holder)));
    }
    info.integration.exclusive.then(|| "only whoever has it can act: take it first".to_owned())
}

/// `Front door` as `the front door`; names such as `TV` keep their capitals.
pub(crate) fn the(name: &str) -> String {
    let mut chars = name.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            let rest = &name[first.len_utf8()..];
            format!("the {}{rest}", first.to_lowercase())
        }
        (None, _) => "the thing".to_owned(),
        _ => format!("the {name}"),
    }
}

fn wished(state: &TwinState, feature: &FeatureId, does: &ActionInfo) -> bool {
    let fixed = || does.effects.iter().filter_map(fixed_effect);
    let mut all = fixed().peekable();
    all.peek().is_some()
        && all.all(|(property, value)| {
            let reading = state.reading(feature.as_str(), property);
            reading.is_some_and(|r| r.truth == Truth::Pending && r.desired.as_ref() == Some(value))
        })
}

fn fixed_effect(effect: &Effect) -> Option<(&str, &Value)> {
    if let Expect::Value(value) = &effect.expect { Some((effect.property.as_str(), value)) } else { None }
}

/// Why an action would change nothing: the thing has reported so, and the report is fresh.
fn already(
    about: &FeatureInfo,
    state: &TwinState,
    feature: &FeatureId,
    action: &ActionId,
    does: &ActionInfo,
) -> Option<String> {
    let live = |property: &str| state.reading(feature.as_str(), property).filter(|r| r.truth == Truth::Live);
    let word = |property: &str| live(property).and_then(|r| r.value.as_ref()).and_then(Value::as_text);
    match (about.kind, action.as_str()) {
        // A latch can be drawn again and again: whoever stands outside may have missed it.
        (FeatureKind::Lock, "open") => return None,
        (FeatureKind::Cover, "stop") => {
            let resting = matches!(word("state"), Some("open" | "closed" | "stopped"));
            return resting.then(|| "not moving".to_owned());
        }
        // Half open is "open" for Home Assistant: only the position tells whether it can open further.
        (FeatureKind::Cover, "open") => {
            let position = live("position").and_then(|r| r.value.as_ref()).and_then(Value::as_f64);
            if let Some(position) = position {
                return (position >= 99.5).then(|| "already open".to_owned());
            }
        }
        _ => {}
    }
    let mut values = Vec::new();
    for effect in &does.effects {
        let (property, wanted) = fixed_effect(effect)?;
        let told = live(property)?.value.as_ref()?;
        if !about.properties.get(&effect.property).is_some_and(|property| property.fulfils(told, wanted)) {
            return None;
        }
        values.push(format::value(about, &effect.property, told));
    }
    (!values.is_empty()).then(|| format!("already {}", values.join(", ")))
}

/// The features of a twin in the order of the card: what people act on first, then what they read.
pub(crate) fn ordered(info: &TwinInfo) -> Vec<(&FeatureId, &FeatureInfo)> {
    let mut all: Vec<_> = info.features.iter().collect();
    all.sort_by_key(|(_, about)| feature_rank(about.kind));
    all
}

const fn feature_rank(kind: FeatureKind) -> u8 {
    match kind {
        // Whoever opens a motorised door means the leaf: its report says when it stands open, the lock's never does.
        FeatureKind::Cover => 0,
        FeatureKind::Lock => 1,
        FeatureKind::Light => 2,
        FeatureKind::Switch => 3,
        FeatureKind::Climate => 4,
        FeatureKind::Event => 5,
        FeatureKind::BinarySensor => 6,
        FeatureKind::Sensor => 7,
        FeatureKind::Camera | FeatureKind::Image => 8,
        FeatureKind::Number => 9,
        FeatureKind::Select => 10,
        FeatureKind::Button => 11,
    }
}

/// Whether a kind of feature exists to be acted on.
pub(crate) const fn is_actuator(kind: FeatureKind) -> bool {
    use FeatureKind as K;
    matches!(kind, K::Lock | K::Cover | K::Light | K::Switch | K::Climate | K::Button | K::Number | K::Select)
}

/// The actions of a feature, most useful first by what the thing last reported.
///
/// Which comes first never depends on a wish: a button must not move under the finger while it waits.
pub(crate) fn actions<'a>(
    feature: &FeatureId,
    about: &'a FeatureInfo,
    state: &TwinState,
) -> Vec<(&'a ActionId, &'a ActionInfo)> {
    let told = |property: &str| state.reported(feature.as_str(), property);
    let word = told("state").and_then(Value::as_text).unwrap_or_default();
    let on = told("on").and_then(Value::as_bool);
    let position = told("position").and_then(Value::as_f64);
    let shut = word == "closed" || position.is_some_and(|p| p < 0.5);
    let rank = |action: &str| match (about.kind, action) {
        (FeatureKind::Lock, "open") => 0,
        (FeatureKind::Lock, "unlock") => {
            if word == "unlocked" {
                2
            } else {
                1
            }
        }
        (FeatureKind::Lock, "lock") => {
            if word == "unlocked" {
                1
            } else {
                2
            }
        }
        (FeatureKind::Cover, "stop") => {
            if matches!(word, "opening" | "closing") {
                0
            } else {
                3
            }
        }
        (FeatureKind::Cover, "open") => {
            if shut || word.is_empty() {
                1
            } else {
                2
            }
        }
        (FeatureKind::Cover, "close") => {
            if shut || word.is_empty() {
                2
            } else {
                1
            }
        }
        (_, "turn_on") => {
            if on == Some(true) {
                2
            } else {
                1
            }
        }
        (_, "turn_off") => {
            if on == Some(true) {
                1
            } else {
                2
            }
        }
        _ => 4,
    };
    let mut all: Vec<_> = about.actions.iter().collect();
    all.sort_by_key(|(action, does)| (does.input.is_some(), rank(action.as_str())));
    all
}

#[cfg(test)]
#[path = "availability_tests.rs"]
mod tests;
