use serde_json::json;

use super::*;

fn two() -> Json {
    json!({ "dev": { "ids": ["d"], "name": "D" }, "o": { "name": "t" }, "cmps": {
        "a": { "p": "sensor", "stat_t": "a", "uniq_id": "a" },
        "b": { "p": "switch", "cmd_t": "b/set", "stat_t": "b", "uniq_id": "b" },
    }})
}

#[test]
fn a_changed_document_changes_the_twin_and_keeps_what_stayed() {
    let mut home = Home::new();
    home.announce("device/d", &two());
    home.say("a", "1");
    home.say("b", "ON");
    home.announce("device/d", &two());
    assert_eq!(home.describes, 1, "the same again is no change");
    let mut changed = two();
    changed["cmps"]["b"]["stat_t"] = "b2".into();
    home.values.clear();
    home.announce("device/d", &changed);
    assert_eq!(home.describes, 1, "nothing that is described has changed");
    assert_eq!(home.text("d/a/value"), "1", "what stayed is still known");
    assert!(!home.values.contains_key("d/b/on"), "what changed has to be said again");
    assert!(!home.filters.contains_key("b") && home.filters.contains_key("b2"));
    home.say("b2", "OFF");
    assert!(!home.is_on("d/b/on"));
}

#[test]
fn components_go_in_either_way_and_so_does_the_device() {
    let mut home = Home::new();
    home.announce("device/d", &two());
    let mut less = two();
    less["cmps"]["a"] = json!({ "p": "sensor" });
    home.announce("device/d", &less);
    assert_eq!(home.twins["d"].features.len(), 1);
    less["cmps"].as_object_mut().unwrap().remove("a");
    home.announce("device/d", &less);
    assert_eq!(home.twins["d"].features.len(), 1);
    home.message("homeassistant/device/d/config", "", false);
    assert!(home.twins.is_empty());
    assert_eq!(home.filters.len(), 2, "only discovery is listened to: {:?}", home.filters);
    home.say("b", "ON");
    home.announce("device/d", &two());
    assert_eq!(home.twins["d"].features.len(), 2, "it may come again");
}

#[test]
fn single_documents_of_one_device_are_one_twin() {
    let mut home = Home::new();
    let device = json!({ "ids": ["x", "y"], "cns": [["mac", "00:11"]] });
    home.announce("sensor/n/temperature", &json!({ "stat_t": "s", "uniq_id": "1", "dev": device }));
    home.announce(
        "sensor/n/humidity",
        &json!({ "stat_t": "s", "uniq_id": "2", "dev": { "ids": "y", "name": "Late name" } }),
    );
    home.announce(
        "switch/m/relay",
        &json!({ "cmd_t": "s", "uniq_id": "3", "dev": { "cns": [["mac", "00:11"]], "mf": "M" } }),
    );
    assert_eq!(home.twins.len(), 1);
    let twin = &home.twins["x"];
    assert_eq!(
        (twin.name.as_str(), twin.manufacturer.as_deref(), twin.physical_ids.len()),
        ("Late name", Some("M"), 3)
    );
    assert_eq!(twin.features.keys().map(FeatureId::as_str).collect::<Vec<_>>(), ["humidity", "relay", "temperature"]);
    home.message("homeassistant/sensor/n/temperature/config", "", true);
    home.wait(200);
    assert_eq!(home.twins["x"].features.len(), 2);
}

#[test]
fn a_burst_is_described_once() {
    let mut home = Home::new();
    for n in 0..20 {
        let document = json!({ "stat_t": "s", "uniq_id": n, "dev": { "ids": "x" } });
        home.message(&format!("homeassistant/sensor/x/s{n}/config"), document.to_string(), true);
        home.message("s", "5", true);
    }
    home.wait(200);
    assert_eq!((home.describes, home.twins["x"].features.len()), (1, 20));
    assert_eq!(home.values.len(), 20);
}

#[test]
fn who_claims_an_id_second_is_refused_with_words() {
    let mut home = Home::new();
    home.announce("lock/one", &json!({ "cmd_t": "one/set", "uniq_id": "same", "dev": { "ids": "1" } }));
    home.announce("lock/two", &json!({ "cmd_t": "two/set", "uniq_id": "same", "dev": { "ids": "2" } }));
    assert_eq!(home.twins["1"].features.len(), 1);
    assert_eq!(home.twins["2"].features.len(), 0);
    assert!(home.problems("2")[0].contains("homeassistant/lock/one/config claims the `unique_id` \"same\""));
    // The same component in both forms: the first stays until it steps back.
    let whole = json!({ "dev": { "ids": "3" }, "o": { "name": "x" }, "cmps": { "c": { "p": "lock", "cmd_t": "new", "uniq_id": "u" } } });
    home.announce("lock/dev3/c", &json!({ "cmd_t": "old", "uniq_id": "u", "dev": { "ids": "3" } }));
    home.announce("device/dev3", &whole);
    assert!(home.problems("3")[0].contains("announced it already"));
    assert_eq!(home.act("3/c", "lock", None), pair("old", "LOCK"));
    home.announce("lock/dev3/c", &json!({ "migrate_discovery": true }));
    let mut again = whole.clone();
    again["qos"] = 1.into();
    home.announce("device/dev3", &again);
    assert_eq!(home.act("3/c", "lock", None), pair("new", "LOCK"));
    assert!(home.problems("3").is_empty());
    // Two devices whose ids would be one.
    home.announce("switch/a", &json!({ "cmd_t": "a", "uniq_id": "a", "dev": { "ids": "x y" } }));
    home.announce("switch/b", &json!({ "cmd_t": "b", "uniq_id": "b", "dev": { "ids": "x_y" } }));
    assert!(home.notes.last().unwrap().contains("another device is home/x_y already"), "{:?}", home.notes);
}

#[test]
fn a_document_that_breaks_leaves_what_was_and_says_so() {
    let mut home = Home::new();
    home.announce("device/d", &two());
    home.message("homeassistant/device/d/config", "{\"dev\": ", true);
    home.wait(200);
    assert_eq!(home.twins["d"].features.len(), 2);
    assert!(home.problems("d")[0].contains("JSON"));
    home.message("homeassistant/sensor/e/config", "nonsense", true);
    assert_eq!(home.notes.len(), 2);
    home.announce("device/d", &two());
    assert_eq!(home.twins["d"].features.len(), 2);
}

#[test]
fn wildcards_in_state_topics_are_heard() {
    let mut home = Home::new();
    home.announce("sensor/w", &json!({ "stat_t": "w/+/x", "uniq_id": "w" }));
    home.say("w/1/x", "a");
    home.say("w/1/y", "b");
    assert_eq!(home.text("w/w/value"), "a");
}

#[test]
fn a_topic_that_is_none_is_a_named_problem() {
    let mut home = Home::new();
    home.announce("switch/w", &json!({ "cmd_t": "w/#", "uniq_id": "w" }));
    assert_eq!(home.problems("w"), ["w: `command_topic` is no topic: \"w/#\""]);
}
