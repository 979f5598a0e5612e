use super::*;
use crate::testing::{closed_door, door, reading, state};

fn ask(state: &TwinState, feature: &str, action: &str) -> Availability {
    availability(&door(), state, &FeatureId::slug(feature), &ActionId::slug(action), 10.0)
}

fn no(reason: &str) -> Availability {
    Availability::Disabled(reason.to_owned())
}

#[test]
fn a_part_that_is_away_does_not_disable_the_rest() {
    let mut half = closed_door("locked");
    half.away = std::sync::Arc::new([FeatureId::slug("door")].into());
    assert!(ask(&half, "door", "open").reason().is_some_and(|reason| reason.contains("not reachable")));
    assert_eq!(ask(&half, "lock", "unlock"), Availability::Ready);
}

#[test]
fn what_can_be_used_now_and_why_not() {
    let locked = closed_door("locked");
    let mut away = locked.clone();
    away.reachable = false;
    let half = state([
        ("door", "state", reading(Value::Text("open".to_owned()))),
        ("door", "position", reading(Value::Int(40))),
    ]);
    let open = state([
        ("door", "state", reading(Value::Text("open".to_owned()))),
        ("door", "position", reading(Value::Int(100))),
    ]);
    let nothing = state([]);
    let table = [
        (&locked, "lock", "lock", no("already locked")),
        (&locked, "lock", "unlock", Availability::Ready),
        (&locked, "lock", "open", Availability::Ready),
        (&locked, "door", "close", no("already closed")),
        (&locked, "door", "stop", no("not moving")),
        (&locked, "door", "open", Availability::Ready),
        (&locked, "door", "set_position", Availability::Ready),
        (&half, "door", "open", Availability::Ready),
        (&half, "door", "close", Availability::Ready),
        (&open, "door", "open", no("already open")),
        (&nothing, "lock", "lock", Availability::Ready),
        (&away, "lock", "unlock", no("the front door is not reachable")),
        (&away, "door", "set_position", no("the front door is not reachable")),
        (&locked, "lock", "explode", no("you may look, not act")),
        (&locked, "battery", "set", no("you may look, not act")),
    ];
    for (state, feature, action, expected) in table {
        assert_eq!(ask(state, feature, action), expected, "{feature}.{action}");
    }
}

#[test]
fn an_old_report_forbids_nothing() {
    let mut old = reading(Value::Text("locked".to_owned()));
    old.truth = Truth::Stale;
    assert_eq!(ask(&state([("lock", "state", old)]), "lock", "lock"), Availability::Ready);
}

#[test]
fn a_wish_under_way_is_not_wished_twice() {
    let mut reading = reading(Value::Text("locked".to_owned()));
    reading.desired = Some(Value::Text("unlocked".to_owned()));
    reading.truth = Truth::Pending;
    let pending = state([("lock", "state", reading)]);
    assert_eq!(ask(&pending, "lock", "unlock"), no("wanted already, waiting for the front door"));
    assert_eq!(ask(&pending, "lock", "lock"), Availability::Ready, "one may change one's mind");

    let (feature, action) = (FeatureId::slug("lock"), ActionId::slug("unlock"));
    let own = Waiting { feature: feature.clone(), action: action.clone(), with_input: false, until: 13.2 };
    let answer = available(&door(), &pending, None, &feature, &action, &[own], 10.0);
    assert_eq!(answer, no("waiting for the front door: 4 s left"));
}

#[test]
fn the_most_useful_action_comes_first_and_stays_while_it_waits() {
    let info = door();
    let order = |feature: &str, state: &TwinState| -> Vec<String> {
        let feature = FeatureId::slug(feature);
        actions(&feature, &info.features[&feature], state).iter().map(|(a, _)| a.to_string()).collect()
    };
    assert_eq!(order("lock", &closed_door("locked")), ["open", "unlock", "lock"]);
    assert_eq!(order("lock", &closed_door("unlocked")), ["open", "lock", "unlock"]);
    assert_eq!(order("door", &closed_door("locked")), ["open", "close", "stop", "set_position"]);
    let mut wish = reading(Value::Text("locked".to_owned()));
    wish.desired = Some(Value::Text("unlocked".to_owned()));
    assert_eq!(order("lock", &state([("lock", "state", wish)])), ["open", "unlock", "lock"]);
    let moving = state([("door", "state", reading(Value::Text("opening".to_owned())))]);
    assert_eq!(order("door", &moving)[0], "stop");
}

#[test]
fn names_sound_right() {
    assert_eq!(the("Front door"), "the front door");
    assert_eq!(the("TV"), "the TV");
    assert_eq!(the(""), "the thing");
}
