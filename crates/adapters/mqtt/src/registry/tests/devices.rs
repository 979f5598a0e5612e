//! Documents in the style of well-known devices and bridges.

use serde_json::json;
use vestibule_model::{PhysicalId, Value};

use super::*;

fn bridge_lock(release_2025: bool) -> Json {
    let mut document = json!({
        "availability": [
            { "topic": "zigbee2mqtt/bridge/state", "value_template": "{{ value_json.state }}" },
            { "topic": "zigbee2mqtt/Door/availability", "value_template": "{{ value_json.state }}" },
        ],
        "availability_mode": "all", "command_topic": "zigbee2mqtt/Door/set", "state_topic": "zigbee2mqtt/Door",
        "device": { "identifiers": ["zigbee2mqtt_0x000d6f0001"], "manufacturer": "Danalock", "model": "Smart lock (V3)",
                    "name": "Door", "sw_version": "1.2", "via_device": "zigbee2mqtt_bridge_0x00" },
        "name": null, "object_id": "door", "payload_lock": "LOCK", "payload_unlock": "UNLOCK",
        "state_locked": "LOCK", "state_unlocked": "UNLOCK", "value_template": "{{ value_json.state }}",
        "unique_id": "0x000d6f0001_lock_zigbee2mqtt",
        "origin": { "name": "Zigbee2MQTT", "sw": "1.36.0", "url": "https://www.zigbee2mqtt.io" },
    });
    if release_2025 {
        document["default_entity_id"] = "lock.door".into();
        document["device"]["model_id"] = "V3-BTZB".into();
        document["device"]["hw_version"] = 1.into();
        document["something_new"] = json!({ "nested": [1, 2] });
    }
    document
}

#[test]
fn a_zigbee_lock_of_either_release() {
    for release_2025 in [false, true] {
        let mut home = Home::new();
        home.announce("lock/0x000d6f0001/lock", &bridge_lock(release_2025));
        let twin = "zigbee2mqtt_0x000d6f0001";
        let info = &home.twins[twin];
        assert_eq!((info.name.as_str(), info.manufacturer.as_deref()), ("Door", Some("Danalock")));
        assert_eq!(info.physical_ids, [PhysicalId { kind: "id".into(), value: twin.into() }]);
        assert_eq!(info.origin.as_ref().unwrap().version.as_deref(), Some("1.36.0"));
        assert!(info.problems.is_empty());
        let lock = format!("{twin}/lock");
        assert_eq!(home.feature(&lock).name, "Door", "no name of its own: the device's");
        assert!(!home.reachable[twin] && !home.assumed(&lock, "state"));

        home.message("zigbee2mqtt/bridge/state", r#"{"state":"online"}"#, true);
        assert!(!home.reachable[twin], "all of them");
        home.message("zigbee2mqtt/Door/availability", r#"{"state":"online"}"#, true);
        assert!(home.reachable[twin]);
        home.message("zigbee2mqtt/Door", r#"{"state":"LOCK","battery":90,"linkquality":80}"#, true);
        assert_eq!(home.text(&format!("{lock}/state")), "locked");
        assert_eq!(home.act(&lock, "unlock", None), pair("zigbee2mqtt/Door/set", "UNLOCK"));
        home.say("zigbee2mqtt/Door", r#"{"state":"UNLOCK"}"#);
        assert_eq!(home.text(&format!("{lock}/state")), "unlocked");
        home.say("zigbee2mqtt/bridge/state", r#"{"state":"offline"}"#);
        assert!(!home.reachable[twin]);
    }
}

fn bridge_light(release_2025: bool) -> Json {
    let mut document = json!({
        "brightness": true, "brightness_scale": 254, "command_topic": "zigbee2mqtt/Lamp/set", "effect": true,
        "effect_list": ["blink", "breathe"], "max_mireds": 500, "min_mireds": 153, "schema": "json",
        "state_topic": "zigbee2mqtt/Lamp", "supported_color_modes": ["xy", "color_temp"], "name": null,
        "device": { "identifiers": ["lamp"], "name": "Lamp" }, "unique_id": "lamp_light",
    });
    if !release_2025 {
        document["color_mode"] = true.into();
    }
    document
}

#[test]
fn a_zigbee_light_of_either_release() {
    for release_2025 in [false, true] {
        let mut home = Home::new();
        home.announce("light/lamp/light", &bridge_light(release_2025));
        assert!(home.reachable["lamp"], "no availability: there while the broker is");
        home.say(
            "zigbee2mqtt/Lamp",
            r#"{"state":"ON","brightness":127,"color_mode":"color_temp","color_temp":370,"color":{"x":0.46,"y":0.41}}"#,
        );
        assert!(home.is_on("lamp/light/on"));
        assert_eq!(home.number("lamp/light/brightness"), 0.5);
        assert_eq!(home.number("lamp/light/color_temp"), 2703.0);
        assert!(!home.values.contains_key("lamp/light/color"), "it shines white");
        home.say("zigbee2mqtt/Lamp", r#"{"state":"ON","color_mode":"xy","color":{"x":0.7006,"y":0.2993}}"#);
        let Value::Color([red, _, blue]) = *home.value("lamp/light/color") else { panic!() };
        assert!(red > 250 && blue < 20);
        home.say("zigbee2mqtt/Lamp", r#"{"state":"OFF","brightness":0}"#);
        assert_eq!((home.is_on("lamp/light/on"), home.number("lamp/light/brightness")), (false, 0.5));

        let set = "zigbee2mqtt/Lamp/set";
        assert_eq!(home.act("lamp/light", "turn_on", None), pair(set, r#"{"state":"ON"}"#));
        let half = home.act("lamp/light", "set_brightness", Some(Value::Float(0.5)));
        assert_eq!(half, pair(set, r#"{"brightness":127,"state":"ON"}"#));
        let warm = home.act("lamp/light", "set_color_temp", Some(Value::Int(2700)));
        assert_eq!(warm, pair(set, r#"{"color_temp":370,"state":"ON"}"#));
        let red = home.act("lamp/light", "set_color", Some(Value::Color([255, 0, 0])));
        assert_eq!(red, pair(set, r#"{"color":{"x":0.701,"y":0.299},"state":"ON"}"#));
        let effect = home.act("lamp/light", "set_effect", Some(Value::Text("blink".into())));
        assert_eq!(effect, pair(set, r#"{"effect":"blink","state":"ON"}"#));
        assert!(home.problems("lamp").is_empty());
    }
}

#[test]
fn an_older_light_names_its_abilities_by_flags() {
    let mut home = Home::new();
    let document = json!({ "schema": "json", "cmd_t": "l/set", "stat_t": "l", "rgb": true, "brightness": true,
                           "color_temp": true, "uniq_id": "old" });
    home.announce("light/old", &document);
    home.say("l", r#"{"state":"ON","color":{"r":10,"g":20,"b":30},"color_temp":250}"#);
    assert_eq!(*home.value("old/old/color"), Value::Color([10, 20, 30]));
    assert_eq!(home.number("old/old/color_temp"), 4000.0);
}

#[test]
fn an_esphome_light_and_kelvin() {
    let mut home = Home::new();
    let document = json!({
        "schema": "json", "name": "Strip", "stat_t": "strip/light/state", "cmd_t": "strip/light/command",
        "avty_t": "strip/status", "uniq_id": "ESPlightstrip", "brightness": true, "clr_temp_k": true,
        "min_k": 2700, "max_k": 6500, "sup_clrm": ["rgbww", "color_temp"],
        "dev": { "ids": "a4cf12", "name": "strip", "sw": "esphome v2025.4.0", "mdl": "esp32", "mf": "Espressif",
                 "cns": [["mac", "A4:CF:12:00:00:01"]] },
    });
    home.announce("light/strip/strip", &document);
    assert_eq!(home.twins["a4cf12"].physical_ids[1].value, "a4:cf:12:00:00:01");
    home.say("strip/status", "online");
    home.say("strip/light/state", r#"{"state":"ON","color_mode":"color_temp","color_temp":3000,"brightness":255}"#);
    assert_eq!((home.number("a4cf12/strip/color_temp"), home.number("a4cf12/strip/brightness")), (3000.0, 1.0));
    let warm = home.act("a4cf12/strip", "set_color_temp", Some(Value::Int(2700)));
    assert_eq!(warm, pair("strip/light/command", r#"{"color_temp":2700,"state":"ON"}"#));
}

#[test]
fn a_tasmota_style_basic_light() {
    let mut home = Home::new();
    let document = json!({
        "name": "Bulb", "uniq_id": "bulb_LI", "~": "bulb/", "cmd_t": "~cmnd/POWER", "stat_t": "~tele/STATE",
        "val_tpl": "{{ value_json.POWER }}", "pl_on": "ON", "pl_off": "OFF", "avty_t": "~tele/LWT", "pl_avail": "Online",
        "pl_not_avail": "Offline", "bri_cmd_t": "~cmnd/Dimmer", "bri_stat_t": "~tele/STATE", "bri_scl": 100,
        "on_cmd_type": "brightness", "bri_val_tpl": "{{ value_json.Dimmer }}", "rgb_cmd_t": "~cmnd/Color2",
        "rgb_stat_t": "~tele/STATE", "rgb_val_tpl": "{{ value_json.Color.split(',')[0:3] | join(',') }}",
        "fx_cmd_t": "~cmnd/Scheme", "fx_stat_t": "~tele/STATE", "fx_val_tpl": "{{ value_json.Scheme }}",
        "fx_list": ["0", "1"], "dev": { "ids": ["DC4F22"] },
    });
    home.announce("light/DC4F22_LI_1", &document);
    home.message("bulb/tele/LWT", "Online", true);
    home.say("bulb/tele/STATE", r#"{"POWER":"ON","Dimmer":40,"Color":"255,128,0,0,0","Scheme":1}"#);
    let twin = "DC4F22/DC4F22_LI_1";
    assert_eq!(home.problems("DC4F22"), [] as [&str; 0]);
    assert_eq!((home.is_on(&format!("{twin}/on")), home.number(&format!("{twin}/brightness"))), (true, 0.4));
    assert_eq!(*home.value(&format!("{twin}/color")), Value::Color([255, 128, 0]));
    assert_eq!(home.text(&format!("{twin}/effect")), "1");
    assert_eq!(home.act(twin, "turn_on", None), pair("bulb/cmnd/Dimmer", "40"), "it is turned on by its brightness");
    let painted = home.act(twin, "set_color", Some(Value::Color([1, 2, 3])));
    assert_eq!(painted, [("bulb/cmnd/Color2".into(), "1,2,3".into()), ("bulb/cmnd/POWER".into(), "ON".into())]);
    assert_eq!(home.act(twin, "turn_off", None), pair("bulb/cmnd/POWER", "OFF"));
}

#[test]
fn a_light_of_templates() {
    let mut home = Home::new();
    let document = json!({
        "schema": "template", "command_topic": "t/set", "state_topic": "t", "unique_id": "t",
        "command_on_template": "on,{{ brightness|d }},{{ red|d }}-{{ green|d }}-{{ blue|d }}",
        "command_off_template": "off", "state_template": "{{ value.split(',')[0] }}",
        "brightness_template": "{{ value.split(',')[1] }}", "red_template": "{{ value.split(',')[2].split('-')[0] }}",
        "green_template": "{{ value.split(',')[2].split('-')[1] }}",
        "blue_template": "{{ value.split(',')[2].split('-')[2] }}",
    });
    home.announce("light/t", &document);
    home.say("t", "on,51,1-2-3");
    assert_eq!((home.number("t/t/brightness"), home.value("t/t/color")), (0.2, &Value::Color([1, 2, 3])));
    assert_eq!(home.act("t/t", "set_brightness", Some(Value::Float(1.0))), pair("t/set", "on,255,--"));
    assert_eq!(home.act("t/t", "turn_off", None), pair("t/set", "off"));
}

#[test]
fn a_shelly_style_cover() {
    let mut home = Home::new();
    let document = json!({
        "name": "Shutter", "unique_id": "shelly-cover-0", "command_topic": "shelly/command/cover:0",
        "payload_open": "open", "payload_close": "close", "payload_stop": "stop", "state_topic": "shelly/status/cover:0",
        "value_template": "{{ value_json.state }}", "position_topic": "shelly/status/cover:0",
        "position_template": "{{ value_json.current_pos }}", "set_position_topic": "shelly/command/cover:0",
        "set_position_template": "pos,{{ position }}", "device": { "connections": [["mac", "AA:BB"]], "name": "Shelly" },
        "availability_topic": "shelly/online", "payload_available": "true", "payload_not_available": "false",
    });
    home.announce("cover/shelly/cover-0", &document);
    home.message("shelly/online", "true", true);
    home.say("shelly/status/cover:0", r#"{"state":"opening","current_pos":40}"#);
    let cover = "aa:bb/cover-0";
    assert!(home.reachable["aa:bb"]);
    assert_eq!((home.text(&format!("{cover}/state")), home.number(&format!("{cover}/position"))), ("opening", 40.0));
    home.say("shelly/status/cover:0", r#"{"state":"stopped","current_pos":55}"#);
    assert_eq!(home.text(&format!("{cover}/state")), "open");
    home.say("shelly/status/cover:0", r#"{"state":"stopped","current_pos":0}"#);
    assert_eq!(home.text(&format!("{cover}/state")), "closed");
    assert_eq!(home.act(cover, "open", None), pair("shelly/command/cover:0", "open"));
    assert_eq!(home.act(cover, "set_position", Some(Value::Int(30))), pair("shelly/command/cover:0", "pos,30"));
    assert_eq!(home.feature(cover).actions[&ActionId::slug("open")].effects.len(), 2);
}

#[test]
fn a_cover_that_only_knows_positions_the_other_way_round() {
    let mut home = Home::new();
    let document = json!({ "cmd_t": "b/set", "pos_t": "b/pos", "set_pos_t": "b/pos/set", "pos_open": 0, "pos_clsd": 255,
                           "pl_stop": null, "uniq_id": "b" });
    home.announce("cover/b", &document);
    home.say("b/pos", "255");
    assert_eq!((home.text("b/b/state"), home.number("b/b/position")), ("closed", 0.0));
    home.say("b/pos", "51");
    assert_eq!((home.text("b/b/state"), home.number("b/b/position")), ("open", 80.0));
    assert_eq!(home.act("b/b", "set_position", Some(Value::Int(100))), pair("b/pos/set", "0"));
    assert!(!home.feature("b/b").actions.contains_key(&ActionId::slug("stop")), "it cannot stop");
}

#[test]
fn a_doorbell_s_press() {
    let mut home = Home::new();
    let document = json!({
        "dev": { "ids": ["ring_1"], "name": "Front", "mf": "Ring", "sn": "S1" }, "o": { "name": "ring-mqtt", "sw": "5.6" },
        "cmps": {
            "ding": { "p": "event", "dev_cla": "doorbell", "evt_typ": ["ding", "motion"], "stat_t": "ring/ding", "uniq_id": "d" },
            "snapshot": { "p": "camera", "t": "ring/snapshot", "uniq_id": "s" },
            "still": { "p": "image", "img_t": "ring/still", "img_e": "b64", "cont_type": "image/png", "uniq_id": "i" },
            "link": { "p": "image", "url_t": "ring/url", "uniq_id": "u" },
        },
    });
    home.announce("device/ring_1", &document);
    assert!(home.problems("ring_1")[0].contains("url_topic"));
    assert!(home.twins["ring_1"].physical_ids.iter().any(|id| id.kind == "serial"));
    home.message("ring/ding", r#"{"event_type":"ding"}"#, true);
    assert!(home.occurred.is_empty(), "a retained press is never replayed");
    home.say("ring/ding", r#"{"event_type":"ding","battery":80,"by":"guest","nested":{"a":1}}"#);
    let press = &home.occurred[0];
    assert_eq!((press.event.as_str(), press.details["battery"].clone()), ("ding", Value::Int(80)));
    home.say("ring/ding", r#"{"event_type":"explosion"}"#);
    home.say("ring/ding", "ding");
    assert_eq!(home.occurred.len(), 1);
    home.wait(200);

    home.message("ring/snapshot", [0xff, 0xd8, 0xff, 0xe0, 1, 2, 3], true);
    let Value::Blob(blob) = home.value("ring_1/snapshot/picture") else { panic!() };
    assert_eq!((blob.media.as_str(), blob.size, home.blobs), ("image/jpeg", 7, 1));
    home.say("ring/still", "iVBORw0KGgoAAAA=");
    assert!(matches!(home.value("ring_1/still/picture"), Value::Blob(blob) if blob.media == "image/png"));
    home.say("ring/snapshot", b"\x89PNG\r\n\x1a\n123");
    home.wait(200);
    assert!(matches!(home.value("ring_1/snapshot/picture"), Value::Blob(blob) if blob.media == "image/png"));
}

#[test]
fn a_frigate_style_camera() {
    let mut home = Home::new();
    let device = json!({ "ids": ["frigate"], "name": "Frigate", "mf": "Frigate", "mdl": "0.15" });
    home.announce(
        "camera/frigate/drive_person",
        &json!({ "dev": device, "t": "frigate/drive/person/snapshot", "uniq_id": "p",
        "avty_t": "frigate/available", "name": "Drive person" }),
    );
    home.announce(
        "switch/frigate/drive_detect",
        &json!({ "dev": device, "cmd_t": "frigate/drive/detect/set", "uniq_id": "d",
        "stat_t": "frigate/drive/detect/state", "avty_t": "frigate/available", "ic": "mdi:motion-sensor" }),
    );
    home.announce(
        "binary_sensor/frigate/drive_person",
        &json!({ "dev": device, "stat_t": "frigate/drive/person", "uniq_id": "o",
        "val_tpl": "{% if value|int(0) > 0 %}ON{% else %}OFF{% endif %}", "dev_cla": "occupancy" }),
    );
    assert_eq!(home.twins.len(), 1, "one device, one twin");
    assert_eq!(home.twins["frigate"].features.len(), 3);
    home.say("frigate/available", "online");
    home.say("frigate/drive/person", "2");
    // Two parts have one name: whoever is second by platform carries it.
    assert!(home.is_on("frigate/drive_person/on"));
    home.say("frigate/drive/person/snapshot", [0xff, 0xd8, 0xff, 0xdb]);
    assert!(home.values.contains_key("frigate/drive_person_camera/picture"));
    assert_eq!(home.act("frigate/drive_detect", "turn_off", None), pair("frigate/drive/detect/set", "OFF"));
}

#[test]
fn the_smaller_ones() {
    let mut home = Home::new();
    let document = json!({ "dev": { "ids": "x" }, "cmps": {
        "n": { "p": "number", "cmd_t": "n/set", "stat_t": "n", "min": 0, "max": 10, "step": 0.5, "uniq_id": "n",
               "cmd_tpl": "{\"v\": {{ value }}}" },
        "s": { "p": "select", "cmd_t": "s/set", "stat_t": "s", "ops": ["a", "b"], "uniq_id": "s" },
        "b": { "p": "button", "cmd_t": "b/set", "uniq_id": "b", "pl_prs": "GO" },
        "t": { "p": "sensor", "stat_t": "t", "unit_of_meas": "°C", "exp_aft": 60, "uniq_id": "t", "val_tpl": "{{ value_json.t }}" },
        "e": { "p": "sensor", "stat_t": "e", "dev_cla": "enum", "ops": ["x", "y"], "uniq_id": "e" },
        "m": { "p": "binary_sensor", "stat_t": "m", "off_dly": 5, "exp_aft": 30, "uniq_id": "m" },
        "c": { "p": "climate", "mode_cmd_t": "c/mode/set", "mode_stat_t": "c/mode", "temp_cmd_t": "c/t/set", "temp_stat_t": "c/t",
               "curr_temp_t": "c/now", "act_t": "c/act", "temp_unit": "F", "modes": ["off", "heat"], "uniq_id": "c",
               "min_temp": 50, "max_temp": 86 },
    }});
    home.announce("device/x", &document);
    assert!(home.problems("x").is_empty());
    assert_eq!(home.act("x/n", "set", Some(Value::Float(2.5))), pair("n/set", r#"{"v": 2.5}"#));
    assert_eq!(home.act("x/n", "set", Some(Value::Float(3.0))), pair("n/set", r#"{"v": 3}"#));
    assert_eq!(home.act("x/s", "set", Some(Value::Text("b".into()))), pair("s/set", "b"));
    assert_eq!(home.act("x/b", "press", None), pair("b/set", "GO"));
    for (topic, payload) in [
        ("n", "7"),
        ("s", "a"),
        ("t", r#"{"t":21.5}"#),
        ("e", "y"),
        ("m", "ON"),
        ("c/mode", "heat"),
        ("c/t", "68"),
        ("c/now", "66.2"),
        ("c/act", "heating"),
    ] {
        home.say(topic, payload);
    }
    assert_eq!((home.number("x/n/value"), home.text("x/s/value"), home.text("x/e/value")), (7.0, "a", "y"));
    assert_eq!((home.number("x/t/value"), home.number("x/c/target"), home.number("x/c/current")), (21.5, 20.0, 19.0));
    home.say("t", r#"{"t":null}"#);
    assert!(!home.values.contains_key("x/t/value"), "it says that nobody knows");
    assert_eq!(home.feature("x/t").properties[&PropertyId::slug("value")].period_ms, Some(60_000));
    assert!(home.is_on("x/m/on"));
    home.wait(5_001);
    assert!(!home.is_on("x/m/on"), "off after its delay");
    assert_eq!(home.act("x/c", "set_target", Some(Value::Float(21.0))), pair("c/t/set", "69.8"));
    assert_eq!(home.act("x/c", "set_mode", Some(Value::Text("off".into()))), pair("c/mode/set", "off"));
    assert!(home.problems("x").is_empty(), "{:?}", home.problems("x"));
}
