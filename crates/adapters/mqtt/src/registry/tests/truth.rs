use serde_json::json;

use super::*;

#[test]
fn an_optimistic_lock_is_assumed() {
    let mut home = Home::new();
    home.announce("lock/mute", &json!({ "cmd_t": "mute/set", "uniq_id": "mute" }));
    assert!(home.assumed("mute/mute", "state"));
    home.announce("lock/hasty", &json!({ "cmd_t": "hasty/set", "stat_t": "hasty", "opt": true, "uniq_id": "hasty" }));
    assert!(home.assumed("hasty/hasty", "state"));
    home.act("mute/mute", "unlock", None);
    assert!(home.values.is_empty(), "nothing is reported that the lock did not say");
}

#[test]
fn a_lock_that_wants_a_code_is_shown_only() {
    let mut home = Home::new();
    home.announce(
        "lock/safe",
        &json!({ "cmd_t": "safe/set", "stat_t": "safe", "code_format": "^[0-9]{4}$", "uniq_id": "safe" }),
    );
    assert!(home.feature("safe/safe").actions.is_empty());
    assert!(home.problems("safe")[0].contains("`code_format`: it asks for a code"), "that it cannot be turned is said");
    home.say("safe", "JAMMED");
    assert_eq!(home.text("safe/safe/state"), "jammed");
}

#[test]
fn availability_in_its_three_ways() {
    for (mode, one, other) in [("any", true, true), ("all", false, false), ("latest", true, false)] {
        let mut home = Home::new();
        let document = json!({ "stat_t": "s", "uniq_id": "s", "avty": [{ "t": "a" }, { "t": "b", "pl_avail": "up", "pl_not_avail": "down" }],
                               "avty_mode": mode });
        home.announce("sensor/s", &document);
        assert!(!home.reachable["s"], "not until it says so");
        home.say("a", "online");
        assert_eq!(home.reachable["s"], one, "{mode}");
        home.say("b", "down");
        assert_eq!(home.reachable["s"], other, "{mode}");
        home.say("b", "up");
        assert!(home.reachable["s"], "{mode}");
        home.say("b", "what?");
        assert!(home.reachable["s"]);
    }
}

#[test]
fn what_speaks_is_there() {
    let mut home = Home::new();
    home.announce("sensor/s", &json!({ "stat_t": "s", "uniq_id": "s", "avty_t": "a" }));
    home.message("s", "1", true);
    assert!(!home.reachable["s"], "a retained word says nothing of now");
    home.say("s", "2");
    assert!(home.reachable["s"]);
    home.say("a", "offline");
    assert!(!home.reachable["s"]);
}

#[test]
fn a_broker_that_is_away_makes_twins_stale() {
    let mut home = Home::new();
    home.announce("switch/p", &json!({ "cmd_t": "p/set", "stat_t": "p", "uniq_id": "p", "avty_t": "p/a" }));
    home.message("p/a", "online", true);
    home.say("p", "ON");
    assert!(home.reachable["p"]);
    home.disconnect();
    assert!(!home.reachable["p"]);
    home.connect();
    assert!(!home.reachable["p"], "its availability was before");
    assert!(home.filters.contains_key("p") && home.filters.contains_key("homeassistant/+/+/config"));
    home.message("p/a", "online", true);
    assert!(home.reachable["p"]);
}

#[test]
fn a_template_that_cannot_be_evaluated_leaves_its_feature_out() {
    let mut home = Home::new();
    let document = json!({ "dev": { "ids": "d" }, "cmps": {
        "good": { "p": "sensor", "stat_t": "s", "uniq_id": "g" },
        "bad": { "p": "sensor", "stat_t": "s", "uniq_id": "b", "val_tpl": "{{ states('sun.sun') }}" },
        "worse": { "p": "lock", "cmd_t": "l", "uniq_id": "w", "cmd_tpl": "{{ value" },
        "late": { "p": "sensor", "stat_t": "s", "uniq_id": "l", "val_tpl": "{{ value_json.a.b }}" },
    }});
    home.announce("device/d", &document);
    assert_eq!(home.twins["d"].features.len(), 2);
    let problems = home.problems("d");
    assert!(
        problems[0].starts_with("bad: ") && problems[0].contains("`value_template`") && problems[0].contains("states")
    );
    assert!(problems[1].starts_with("worse: ") && problems[1].contains("`command_template`"));
    for _ in 0..3 {
        home.say("s", "5");
        home.wait(300);
    }
    assert_eq!(home.text("d/good/value"), "5");
    assert!(!home.values.contains_key("d/late/value"));
    assert_eq!(home.problems("d").len(), 3, "once: {:?}", home.problems("d"));
    assert_eq!(home.describes, 2);
}

#[test]
fn required_fields_are_named() {
    let mut home = Home::new();
    for (platform, field) in [
        ("lock", "command_topic"),
        ("event", "state_topic"),
        ("camera", "topic"),
        ("image", "image_topic"),
        ("binary_sensor", "state_topic"),
        ("sensor", "state_topic"),
        ("light", "command_topic"),
        ("switch", "command_topic"),
        ("button", "command_topic"),
        ("number", "command_topic"),
        ("select", "command_topic"),
    ] {
        home.announce(&format!("{platform}/{platform}"), &json!({ "name": "x", "uniq_id": platform }));
        assert_eq!(home.problems(platform), [format!("{platform}: `{field}` is missing")]);
    }
    home.announce("fan/fan", &json!({ "cmd_t": "x", "uniq_id": "fan" }));
    assert_eq!(home.problems("fan"), ["fan: `fan` is not supported"]);
}

#[test]
fn what_is_disabled_or_no_entity_is_not_shown() {
    let mut home = Home::new();
    home.announce("sensor/q", &json!({ "stat_t": "q", "uniq_id": "q", "en": false, "dev": { "ids": "q" } }));
    home.announce("device_automation/q/a", &json!({ "atype": "trigger", "dev": { "ids": "q" } }));
    assert!(home.twins.is_empty() && home.notes.is_empty());
}

#[test]
fn registering_again_says_everything_again() {
    let mut home = Home::new();
    home.announce("switch/p", &json!({ "cmd_t": "p/set", "stat_t": "p", "uniq_id": "p" }));
    home.say("p", "ON");
    home.twins.clear();
    home.values.clear();
    home.reachable.clear();
    let outputs = home.registry.on_registered(Timestamp(home.now));
    home.heed(outputs);
    assert!(home.is_on("p/p/on") && home.reachable["p"]);
    home.values.clear();
    let outputs = home.registry.on_refresh(&TwinId::new("home/p").unwrap(), Timestamp(home.now));
    home.heed(outputs);
    assert!(home.is_on("p/p/on"));
}

#[test]
fn the_enabler_asks_for_a_twin() {
    let mut home = Home::new();
    home.announce("lock/mute", &json!({ "cmd_t": "mute/set", "uniq_id": "mute" }));
    for twin in ["mute", "nobody"] {
        let twin = TwinId::of(&SystemId::slug("home"), twin);
        let outputs = home.registry.on_inquire(vestibule_model::InquiryId(1), &twin);
        home.heed(outputs);
    }
    let InquiryAnswer::Twin { info, permission } = &home.answers[0] else { panic!("{:?}", home.answers) };
    assert_eq!((info.as_ref(), permission), (&home.twins["mute"], &vestibule_model::TwinPermission::Unrestricted));
    assert!(matches!(home.answers[1], InquiryAnswer::Refused(_)));
}
