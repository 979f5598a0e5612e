//! Tokens as people read them.

use vestibule_twin::{
    EnablerClock,
    model::{ActionId, FeatureId, Limits, Timestamp, TwinId, TwinSelector},
};

use crate::{format, window::services::cut};

/// Letters of a name that somebody else chose.
const NAME_LETTERS: usize = 60;

/// Words with commas, and "and" before the last.
fn list(mut words: Vec<String>) -> String {
    match words.pop() {
        None => String::new(),
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} and {last}", words.join(", ")),
    }
}

fn plain(id: &str) -> String {
    format::plain(&cut(id, NAME_LETTERS)).to_lowercase()
}

/// How long something goes on, in a few words.
pub(crate) fn span(until: Option<Timestamp>, clock: EnablerClock, now: f64) -> String {
    match until.map(|until| (clock.0.is_some(), clock.left_ms(until, now))) {
        None => "without end".to_owned(),
        Some((_, Some(ms))) => format!("for {} more", format::span(ms)),
        Some((true, None)) => "which has ended".to_owned(),
        Some((false, None)) => "for a time".to_owned(),
    }
}

/// What limits leave, as the end of a sentence that begins with who may.
pub(super) fn leaves(limits: &Limits, name: &dyn Fn(&TwinId) -> Option<String>) -> String {
    let what = match &limits.actions {
        None => "see and use".to_owned(),
        Some(actions) if actions.is_empty() => "see".to_owned(),
        Some(actions) => {
            let names = actions.iter().map(|id: &ActionId| plain(id.as_str()));
            list(["see".to_owned()].into_iter().chain(names).collect())
        }
    };
    let which = match &limits.twins {
        None => "everything".to_owned(),
        Some(twins) if twins.is_empty() => "nothing".to_owned(),
        Some(twins) => {
            let word = |selector: &TwinSelector| match selector {
                TwinSelector::All => "everything".to_owned(),
                TwinSelector::System(system) => format!("everything of {system}"),
                TwinSelector::Twin(twin) => name(twin).unwrap_or_else(|| twin.to_string()),
            };
            list(twins.iter().map(word).collect())
        }
    };
    let parts = limits.features.as_ref().map(|features| {
        let names = features.iter().map(|id: &FeatureId| plain(id.as_str())).collect();
        format!(" ({} only)", list(names))
    });
    let urgent = limits.priority.map(|most| format!(", with priority {most} at most"));
    let device = limits.device.map(|_| ", on one device only".to_owned());
    let more = [parts, urgent, device].into_iter().flatten().collect::<String>();
    format!("{what} {which}{more}")
}

#[cfg(test)]
mod tests {
    use vestibule_twin::model::Fingerprint;

    use super::*;

    #[test]
    fn limits_are_one_sentence() {
        let name = |twin: &TwinId| (twin.local() == "front_door").then(|| "Front door".to_owned());
        let door = TwinSelector::Twin(TwinId::new("home/front_door").unwrap());
        let limits = Limits {
            twins: Some(vec![door, TwinSelector::Twin(TwinId::new("home/lamp").unwrap())]),
            features: Some(vec![FeatureId::slug("lock"), FeatureId::slug("door")]),
            actions: Some(["unlock", "open", "stop"].map(ActionId::slug).to_vec()),
            until: None,
            priority: Some(3),
            device: Some(Fingerprint([1; 32])),
        };
        assert_eq!(
            leaves(&limits, &name),
            "see, unlock, open and stop Front door and home/lamp (lock and door only), with priority 3 at most, on one \
             device only"
        );
        assert_eq!(leaves(&Limits::default(), &name), "see and use everything");
        let nothing = Limits { twins: Some(Vec::new()), actions: Some(Vec::new()), ..Limits::default() };
        assert_eq!(leaves(&nothing, &name), "see nothing");
    }

    #[test]
    fn how_long_is_by_the_enabler_s_clock() {
        let clock = EnablerClock(Some((Timestamp(1_000), 0.0)));
        assert_eq!(span(Some(Timestamp(61_000)), clock, 0.0), "for 60 s more");
        assert_eq!(span(Some(Timestamp(61_000)), clock, 70.0), "which has ended");
        assert_eq!(span(Some(Timestamp(61_000)), EnablerClock::default(), 0.0), "for a time");
        assert_eq!(span(None, clock, 0.0), "without end");
    }
}
