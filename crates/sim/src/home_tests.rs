//! The home's models together, and its configuration; no network.

use proptest::prelude::*;

use super::*;
use crate::hand::Guest;
use crate::model::{Publish, Touch};

/// Something done to one device at some time.
#[derive(Clone, Debug)]
enum Input {
    Command { tail: usize, payload: Vec<u8> },
    Touch(Touch),
    Power(bool),
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        "OPEN",
        "CLOSE",
        "STOP",
        "LOCK",
        "UNLOCK",
        "ON",
        "OFF",
        "PRESS",
        "0",
        "37",
        "100",
        "21.5",
        "heat",
        "auto",
        "off",
        "melody",
        "classic",
        "1e400",
        "NaN",
        r#"{"state":"ON","brightness":120,"transition":1.5}"#,
        r#"{"state":"ON","color":{"r":9,"g":8,"b":7}}"#,
        r#"{"state":"OFF","transition":2}"#,
    ];
    prop_oneof![
        8 => prop::sample::select(known.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..24),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    let touches = vec![
        Touch::Ring(Guest::Friend),
        Touch::Ring(Guest::Courier),
        Touch::GuestLeaves,
        Touch::Jam(true),
        Touch::Jam(false),
        Touch::Lock(true),
        Touch::Lock(false),
        Touch::Push(0),
        Touch::Push(250),
        Touch::Walk,
    ];
    prop_oneof![
        6 => (0..8_usize, payload()).prop_map(|(tail, payload)| Input::Command { tail, payload }),
        3 => prop::sample::select(touches).prop_map(Input::Touch),
        1 => any::<bool>().prop_map(Input::Power),
    ]
}

/// Runs a whole home through a script and returns everything it would publish.
fn play(seed: u64, script: &[(u64, usize, Input)]) -> Vec<Publish> {
    let mut units: Vec<Unit> = DEVICES.into_iter().map(|id| build(seed, id)).collect();
    for unit in &mut units {
        unit.set_connected(true);
    }
    let mut said = Vec::new();
    let mut now_ms = 0;
    for (wait_ms, device, input) in script {
        now_ms += wait_ms;
        let unit = &mut units[device % DEVICES.len()];
        match input {
            Input::Command { tail, payload } => {
                let topics = unit.listens();
                if let Some(topic) = topics.get(tail % topics.len().max(1)) {
                    unit.on_command(now_ms, topic, payload);
                }
            }
            Input::Touch(touch) => unit.on_touch(now_ms, *touch),
            Input::Power(on) => unit.set_power(now_ms, *on),
        }
        for unit in &mut units {
            unit.step(now_ms);
            said.extend(unit.reports());
            if let Some(door) = unit.door() {
                assert!(door.position <= 100);
                assert!(!(door.moving && door.jammed), "a jammed leaf does not move");
                assert!(!door.locked || door.position == 0, "locked while open: {door:?}");
            }
        }
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn same_seed_and_inputs_give_the_same_bytes(
        seed in any::<u64>(),
        script in prop::collection::vec((0..4_000_u64, 0..DEVICES.len(), input()), 1..60),
    ) {
        let said = play(seed, &script);
        prop_assert!(!said.is_empty());
        prop_assert_eq!(said, play(seed, &script));
    }

    #[test]
    fn no_text_makes_the_broker_address_panic(url in ".{0,40}", place in "(mqtt://)?[a-z@:\\[\\]0-9]{0,20}") {
        let _ = url.parse::<Broker>();
        let _ = place.parse::<Broker>();
    }
}

#[test]
fn another_seed_gives_other_readings() {
    let script: Vec<_> = (0..30).map(|_| (10_000, 0, Input::Touch(Touch::Walk))).collect();
    assert_ne!(play(1, &script), play(2, &script));
}

#[test]
fn broker_addresses_are_read_and_passwords_not_shown() {
    let external = |host: &str, port, credentials: Option<(&str, &str)>| Broker::External {
        host: host.to_owned(),
        port,
        username: credentials.map(|c| c.0.to_owned()),
        password: credentials.map(|c| c.1.to_owned()),
    };
    let read = |url: &str| url.parse::<Broker>().unwrap();
    assert_eq!(read("mqtt://broker"), external("broker", 1883, None));
    assert_eq!(read("mqtt://a:b@c@h:99/"), external("h", 99, Some(("a", "b@c"))));
    assert_eq!(read("mqtt://u@[::1]:7"), external("::1", 7, Some(("u", ""))));
    assert_eq!(read("mqtt://[::1]"), external("::1", 1883, None));
    for wrong in ["", "broker:1883", "mqtt://", "mqtt://h:x", "mqtt://h:70000", "http://u:secret@h"] {
        let error = wrong.parse::<Broker>().unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }
    assert!(!format!("{:?}", read("mqtt://u:secret@h")).contains("secret"));
}
