//! What is known, how old it is, and whether the thing still stands by it.

use serde_json::json;

use super::*;

fn sensor(more: Json) -> Json {
    let mut document = json!({ "stat_t": "s", "uniq_id": "s" });
    more.as_object().unwrap().iter().for_each(|(key, value)| document[key] = value.clone());
    document
}

#[test]
fn what_the_broker_kept_has_no_age_and_counts_only_while_the_thing_says_that_it_is_there() {
    let mut home = Home::new();
    home.announce("sensor/s", &sensor(json!({ "avty_t": "a" })));
    home.message("s", "5", true);
    assert_eq!(
        (home.text("s/s/value"), home.reports["s/s/value"].at, home.truth("s/s/value")),
        ("5", None, Truth::Stale)
    );
    home.message("a", "online", true);
    assert_eq!(home.truth("s/s/value"), Truth::Live, "it says that it is there: what it said holds");
    assert_eq!(home.reports["s/s/value"].at, None);
    home.say("s", "6");
    let at = Some(Timestamp(home.now));
    assert_eq!(home.reports["s/s/value"].at, at);
    home.message("s", "5", true);
    assert_eq!((home.text("s/s/value"), home.reports["s/s/value"].at), ("6", at), "what it said since is newer");

    let mut home = Home::new();
    home.announce("sensor/s", &sensor(json!({})));
    home.message("s", "5", true);
    assert_eq!(home.truth("s/s/value"), Truth::Stale, "nobody says that it is there");
    home.say("s", "5");
    assert_eq!(home.truth("s/s/value"), Truth::Live);
}

#[test]
fn expire_after_does_not_begin_anew_with_what_the_broker_kept() {
    let mut home = Home::new();
    home.announce("sensor/s", &sensor(json!({ "avty_t": "a", "exp_aft": 60 })));
    home.message("a", "online", true);
    home.message("s", "5", true);
    assert_eq!(home.truth("s/s/value"), Truth::Stale);
    home.say("s", "6");
    assert_eq!(home.truth("s/s/value"), Truth::Live);
    home.wait(60_001);
    assert_eq!(home.truth("s/s/value"), Truth::Stale);
}

#[test]
fn after_an_outage_an_old_value_waits_for_a_fresh_one() {
    let mut home = Home::new();
    home.announce("switch/p", &json!({ "cmd_t": "p/set", "stat_t": "p", "uniq_id": "p" }));
    home.say("p", "ON");
    let at = home.reports["p/p/on"].at;
    assert_eq!(home.truth("p/p/on"), Truth::Live);
    home.disconnect();
    assert_eq!(home.truth("p/p/on"), Truth::Stale);
    home.now += 60_000;
    home.connect();
    assert!(home.reachable["p"], "it can be told something");
    assert_eq!((home.truth("p/p/on"), home.reports["p/p/on"].at), (Truth::Stale, at), "but has said nothing since");
    home.say("p", "ON");
    assert_eq!(home.truth("p/p/on"), Truth::Live);
    // What it said is never repeated as news.
    let outputs = home.registry.on_refresh(&TwinId::new("home/p").unwrap(), Timestamp(home.now + 9));
    home.heed(outputs);
    assert_eq!(home.reports["p/p/on"].at, Some(Timestamp(home.now)));
}

#[test]
fn a_thing_that_does_not_know_is_shown_without_a_value() {
    let mut home = Home::new();
    let document = json!({ "dev": { "ids": "x" }, "cmps": {
        "lock": { "p": "lock", "cmd_t": "l/set", "stat_t": "lock", "uniq_id": "l" },
        "reset": { "p": "lock", "cmd_t": "r/set", "stat_t": "reset", "uniq_id": "r", "pl_rst": "?" },
        "cover": { "p": "cover", "cmd_t": "c/set", "stat_t": "cover", "pos_t": "pos", "uniq_id": "c" },
        "sensor": { "p": "sensor", "stat_t": "sensor", "unit_of_meas": "W", "uniq_id": "s" },
        "contact": { "p": "binary_sensor", "stat_t": "contact", "uniq_id": "b" },
        "switch": { "p": "switch", "cmd_t": "w/set", "stat_t": "switch", "uniq_id": "w" },
        "number": { "p": "number", "cmd_t": "n/set", "stat_t": "number", "uniq_id": "n", "pl_rst": "-1" },
        "select": { "p": "select", "cmd_t": "e/set", "stat_t": "select", "ops": ["a"], "uniq_id": "e" },
        "climate": { "p": "climate", "mode_stat_t": "mode", "temp_stat_t": "temp", "uniq_id": "k" },
        "light": { "p": "light", "schema": "json", "cmd_t": "j/set", "stat_t": "light", "uniq_id": "j" },
        "basic": { "p": "light", "cmd_t": "a/set", "stat_t": "basic", "uniq_id": "a" },
    }});
    home.announce("device/x", &document);
    for (topic, known, unknown, property) in [
        ("lock", "LOCKED", "None", "lock/state"),
        ("reset", "LOCKED", "?", "reset/state"),
        ("cover", "open", "None", "cover/state"),
        ("pos", "7", "None", "cover/position"),
        ("sensor", "5", "None", "sensor/value"),
        ("contact", "ON", "None", "contact/on"),
        ("switch", "ON", "None", "switch/on"),
        ("number", "5", "-1", "number/value"),
        ("select", "a", "None", "select/value"),
        ("mode", "heat", "None", "climate/mode"),
        ("temp", "20", "None", "climate/target"),
        ("light", r#"{"state":"ON"}"#, r#"{"state":null}"#, "light/on"),
        ("basic", "ON", "None", "basic/on"),
    ] {
        let property = format!("x/{property}");
        home.say(topic, known);
        assert!(home.values.contains_key(&property), "{property}");
        assert_eq!(home.truth(&property), Truth::Live, "{property}");
        home.say(topic, unknown);
        assert!(!home.values.contains_key(&property), "{property} is not known any more");
        assert_eq!((home.truth(&property), home.reports[&property].at), (Truth::Stale, Some(Timestamp(home.now))));
        home.say(topic, known);
        assert_eq!(home.truth(&property), Truth::Live, "{property}");
    }
    assert_eq!(home.problems("x"), [] as [&str; 0]);
}

#[test]
fn a_part_that_is_away_does_not_take_the_rest_with_it() {
    let mut home = Home::new();
    home.announce(
        "device/d",
        &json!({ "dev": { "ids": "d" }, "cmps": {
            "lock": { "p": "lock", "cmd_t": "l/set", "stat_t": "l", "uniq_id": "l", "avty_t": "l/a" },
            "bell": { "p": "binary_sensor", "stat_t": "b", "uniq_id": "b", "avty_t": "b/a" },
        }}),
    );
    assert!(!home.reachable["d"]);
    home.say("l/a", "online");
    assert!(home.reachable["d"] && !home.reachable["d/bell"]);
    home.say("l", "LOCKED");
    assert_eq!(home.truth("d/lock/state"), Truth::Live);
    home.message("b", "ON", true);
    assert_eq!(home.truth("d/bell/on"), Truth::Stale);
    home.say("b/a", "online");
    assert!(home.reachable["d/bell"]);
    assert_eq!(home.truth("d/bell/on"), Truth::Live);
    home.say("b/a", "offline");
    home.say("l/a", "offline");
    assert!(!home.reachable["d"], "nothing of it is there");
    // Who hears of it anew hears which part is away.
    home.say("l/a", "online");
    home.reachable.clear();
    let outputs = home.registry.on_registered(Timestamp(home.now));
    home.heed(outputs);
    assert!(home.reachable["d"] && !home.reachable["d/bell"]);
}

#[test]
fn what_is_reported_beyond_the_bounds_of_commands_is_shown() {
    let mut home = Home::new();
    home.announce(
        "climate/c",
        &json!({ "temp_cmd_t": "c/set", "temp_stat_t": "c", "min_temp": 10, "max_temp": 30, "uniq_id": "c" }),
    );
    home.say("c", "5");
    assert_eq!(home.number("c/c/target"), 5.0);
    let command = home.execute("c/c", "set_target", Some(Value::Int(5)), 1_000);
    assert!(matches!(&home.outcomes[..], [(id, CommandStatus::Failed { .. })] if *id == command));
    home.announce(
        "light/l",
        &json!({ "schema": "json", "cmd_t": "l/set", "stat_t": "l", "sup_clrm": ["color_temp"], "max_mirs": 400,
                 "min_mirs": 200, "uniq_id": "l" }),
    );
    home.say("l", r#"{"state":"ON","color_mode":"color_temp","color_temp":500}"#);
    assert_eq!(home.number("l/l/color_temp"), 2000.0);
    assert!(home.problems("c").is_empty() && home.problems("l").is_empty());
}

#[test]
fn a_cover_that_stops_is_open_or_closed_by_where_it_was_going() {
    let mut home = Home::new();
    home.announce("cover/c", &json!({ "cmd_t": "c/set", "stat_t": "c", "uniq_id": "c" }));
    for (said, shown) in [
        ("stopped", "open"),
        ("closing", "closing"),
        ("stopped", "closed"),
        ("stopped", "closed"),
        ("opening", "opening"),
        ("stopped", "open"),
    ] {
        home.say("c", said);
        assert_eq!(home.text("c/c/state"), shown, "{said}");
    }
}

#[test]
fn locks_open_since_2025_4() {
    let mut home = Home::new();
    home.announce(
        "lock/l",
        &json!({ "cmd_t": "l/set", "stat_t": "l", "pl_open": "OPEN", "uniq_id": "l", "state_open": "AJAR" }),
    );
    for (said, shown) in [("OPENING", "opening"), ("AJAR", "open"), ("UNLOCKED", "unlocked")] {
        home.say("l", said);
        assert_eq!(home.text("l/l/state"), shown);
    }
    let wish = |home: &Home| home.feature("l/l").actions[&ActionId::slug("open")].effects[0].expect.clone();
    assert_eq!(wish(&home), vestibule_model::Expect::Value(Value::Text("open".to_owned())));
    assert!(home.problems("l").is_empty());
}

#[test]
fn positions_read_and_written_by_templates_know_the_scale() {
    let mut home = Home::new();
    let by = "{{ (value|float - position_closed) / (position_open - position_closed) * tilt_max * 2.55 }}";
    let to = "{{ position }}/{{ position_open }}/{{ tilt_min }}/{{ entity_id }}";
    home.announce(
        "cover/c",
        &json!({ "pos_t": "p", "pos_tpl": by, "set_pos_t": "p/set", "set_pos_tpl": to, "pos_open": 255, "pos_clsd": 0,
                 "uniq_id": "c" }),
    );
    home.say("p", "127.5");
    assert_eq!(home.number("c/c/position"), 50.0);
    assert_eq!(home.act("c/c", "set_position", Some(Value::Int(40))), pair("p/set", "40/255/0/cover.c"));
}

#[test]
fn twins_that_went_while_nobody_listened_are_named_by_their_absence() {
    let mut home = Home::new();
    home.announce("switch/p", &json!({ "cmd_t": "p/set", "uniq_id": "p" }));
    home.announce("switch/q", &json!({ "cmd_t": "q/set", "uniq_id": "q" }));
    assert_eq!(home.complete, None, "others may still announce themselves");
    home.wait(30_000);
    assert_eq!(home.complete.take().unwrap(), ["p", "q"]);
    home.wait(90_000);
    assert_eq!(home.complete, None, "once");
    home.disconnect();
    home.wait(90_000);
    assert_eq!(home.complete, None, "without a broker nobody knows");
    home.connect();
    home.message("homeassistant/switch/q/config", "", true);
    home.wait(30_000);
    assert_eq!(home.complete.take().unwrap(), ["p"]);
}

#[test]
fn what_is_not_offered_is_said() {
    let mut home = Home::new();
    home.announce(
        "device/d",
        &json!({ "dev": { "ids": "d" }, "cmps": {
            "safe": { "p": "lock", "cmd_t": "s", "uniq_id": "s", "code_format": "^[0-9]{4}$" },
            "slats": { "p": "cover", "cmd_t": "c", "uniq_id": "c", "tilt_cmd_t": "t", "tilt_status_t": "u" },
            "heat": { "p": "climate", "uniq_id": "h", "mode_stat_t": "m", "pr_mode_cmd_t": "p", "pr_mode_stat_t": "q",
                      "temp_hi_cmd_t": "x", "fan_modes": ["low"] },
            "strip": { "p": "light", "uniq_id": "l", "cmd_t": "l", "whit_cmd_t": "w" },
        }}),
    );
    let problems = home.problems("d");
    for words in [
        "safe: `code_format`",
        "slats: `tilt_command_topic`",
        "slats: `tilt_status_topic`",
        "heat: `preset_mode_",
        "heat: `temperature_high_command_topic`",
        "strip: `white_command_topic`",
    ] {
        assert_eq!(problems.iter().filter(|problem| problem.starts_with(words)).count(), 1, "{words}: {problems:?}");
    }
    assert_eq!(problems.len(), 6, "a list without a topic means nothing: {problems:?}");
}

#[test]
fn a_lamp_with_colours_alone_is_dimmed_by_them() {
    let mut home = Home::new();
    home.announce(
        "light/l",
        &json!({ "cmd_t": "l/set", "stat_t": "l", "rgb_cmd_t": "l/rgb", "rgb_stat_t": "rgb", "uniq_id": "l" }),
    );
    home.say("rgb", "255,128,0");
    assert_eq!(home.number("l/l/brightness"), 1.0);
    let dimmed = home.act("l/l", "set_brightness", Some(Value::Float(0.5)));
    assert_eq!(dimmed, [("l/rgb".into(), "128,64,0".into()), ("l/set".into(), "ON".into())]);
    home.say("rgb", "128,64,0");
    assert!((home.number("l/l/brightness") - 0.5).abs() < 0.01);
    let brighter = home.act("l/l", "set_brightness", Some(Value::Float(1.0)));
    assert_eq!(brighter[0], ("l/rgb".into(), "255,128,0".into()));
}

#[test]
fn a_camera_that_changes_its_format_is_not_described_anew_and_pictures_are_bounded() {
    let mut home = Home::new();
    home.announce("camera/c", &json!({ "t": "c", "uniq_id": "c" }));
    for _ in 0..3 {
        home.say("c", b"\x89PNG\r\n\x1a\n123");
        home.say("c", [0xff, 0xd8, 0xff, 0xe0]);
        home.wait(2_000);
    }
    assert_eq!(home.describes, 1);
    let mut large = vec![0_u8; 7 * 1024 * 1024];
    large[..4].copy_from_slice(&[0xff, 0xd8, 0xff, 0xe0]);
    for n in 0..12 {
        home.announce(&format!("camera/x{n}"), &json!({ "t": format!("x{n}"), "uniq_id": format!("x{n}") }));
        home.say(&format!("x{n}"), &large);
    }
    let kept: usize = home.registry.entities.values().filter_map(|e| e.picture.as_ref()).map(|(b, ..)| b.len()).sum();
    assert!(kept <= MAX_PICTURES && kept > MAX_PICTURES - large.len(), "{kept}");
    assert!(home.values.contains_key("x0/x0/picture"), "it was told all the same");
}

#[test]
fn who_was_refused_for_a_rivals_sake_is_taken_once_the_rival_is_gone() {
    let mut home = Home::new();
    let second = json!({ "cmd_t": "two/set", "uniq_id": "same", "dev": { "ids": "2" } });
    home.announce("lock/one", &json!({ "cmd_t": "one/set", "uniq_id": "same", "dev": { "ids": "1" } }));
    home.announce("lock/two", &second);
    assert!(home.problems("2")[0].contains("claims the `unique_id`"));
    home.message("homeassistant/lock/one/config", "", true);
    home.announce("lock/two", &second);
    assert!(home.problems("2").is_empty(), "{:?}", home.problems("2"));
    assert_eq!(home.act("2/two", "lock", None), pair("two/set", "LOCK"));
}
