//! Home Assistant discovery documents: what each device says about itself.
//!
//! Some devices use one document for the whole device (`homeassistant/device/<id>/config`), some
//! one for each entity (`homeassistant/<component>/<id>/<object>/config`); some abbreviate keys
//! and use a base topic, some write everything out. Real ones differ in the same ways.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::door::{CHIMES, MAX_AUTO_LOCK_S};
use crate::light::MIREDS;
use crate::model::{Kind, Publish, topic};
use crate::pantry;

const MANUFACTURER: &str = "Vestibule simulated home";
const ORIGIN: &str = "vestibule-sim";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Tail of the availability topic.
const AVAILABILITY: &str = "availability";

/// What a device says when it comes and what the broker says when it vanished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// `online` and `offline`.
    Words,
    /// `{"state":"online"}`, as Zigbee bridges have it.
    Json,
}

impl Presence {
    /// How this device says it.
    pub(crate) fn of(id: &str) -> Presence {
        match id {
            "lounge_light" | "lounge_motion" => Presence::Json,
            _ => Presence::Words,
        }
    }

    /// The retained availability message.
    pub(crate) fn publish(self, id: &str, online: bool) -> Publish {
        let word = if online { "online" } else { "offline" };
        let payload = match self {
            Presence::Words => word.to_owned(),
            Presence::Json => json!({ "state": word }).to_string(),
        };
        Publish {
            topic: topic(id, AVAILABILITY),
            payload: Bytes::from(payload),
            retain: true,
            kind: Kind::Availability,
        }
    }
}

/// Every discovery document of a device; none for an id that is not in the home. What was unpacked has a serial number.
pub(crate) fn documents(prefix: &str, id: &str, serial: Option<&str>) -> Vec<Publish> {
    let whole = |body: Value| vec![document(format!("{prefix}/device/{id}/config"), &body)];
    let single = |component: &str, object: &str, body: Value| {
        document(format!("{prefix}/{component}/{id}/{object}/config"), &body)
    };
    if let Some(serial) = serial {
        return whole(new_lamp(id, serial));
    }
    match id {
        "front_door" => whole(front_door()),
        "thermostat" => whole(thermostat()),
        "coffee_machine" => whole(coffee_machine()),
        "pantry_shelf" => whole(keeps_food(id, "Pantry shelf", "VS-4 weighing shelf")),
        "fridge" => whole(keeps_food(id, "Fridge", "VF-1 fridge")),
        "hall_motion" => whole(hall_motion()),
        "lounge_light" => whole(lounge_light()),
        "hall_light" | "kitchen_light" | "bedroom_light" | "porch_light" => {
            vec![single("light", "light", dimmable(id))]
        }
        "lounge_blinds" => vec![single("cover", "blinds", blinds())],
        "lounge_motion" => vec![
            single("binary_sensor", "motion", lounge_motion()),
            single("sensor", "illuminance", lounge_illuminance()),
            single("sensor", "gap_width", lounge_gap("width")),
            single("sensor", "gap_height", lounge_gap("height")),
            single("sensor", "gap_depth", lounge_gap("depth")),
        ],
        _ => Vec::new(),
    }
}

fn document(topic: String, body: &Value) -> Publish {
    Publish { topic, payload: Bytes::from(body.to_string()), retain: true, kind: Kind::Config }
}

fn device(id: &str, name: &str, model: &str, area: &str) -> Value {
    json!({
        "ids": [id], "name": name, "mf": MANUFACTURER, "mdl": model, "sw": VERSION, "sa": area,
    })
}

fn origin() -> Value {
    json!({ "name": ORIGIN, "sw": VERSION })
}

fn front_door() -> Value {
    let t = |tail: &str| topic("front_door", tail);
    let mut cmps = front_door_entry();
    let settings = json!({
        "problem": {
            "p": "binary_sensor", "uniq_id": "front_door_problem", "name": "Problem",
            "dev_cla": "problem", "ent_cat": "diagnostic",
            "stat_t": t("telemetry"), "val_tpl": "{{ value_json.problem }}",
        },
        "battery": {
            "p": "sensor", "uniq_id": "front_door_battery", "name": "Battery",
            "dev_cla": "battery", "stat_cla": "measurement", "unit_of_meas": "%",
            "ent_cat": "diagnostic",
            "stat_t": t("telemetry"), "val_tpl": "{{ value_json.battery }}",
        },
        "auto_lock": {
            "p": "number", "uniq_id": "front_door_auto_lock", "name": "Auto-lock delay",
            "cmd_t": t("auto_lock/set"), "stat_t": t("auto_lock/state"),
            "min": 0, "max": MAX_AUTO_LOCK_S, "step": 1, "mode": "box", "unit_of_meas": "s",
            "ent_cat": "config",
        },
        "chime": {
            "p": "select", "uniq_id": "front_door_chime", "name": "Chime",
            "cmd_t": t("chime/set"), "stat_t": t("chime/state"),
            "val_tpl": "{{ value_json.chime }}", "ops": CHIMES, "ent_cat": "config",
        },
        "restart": {
            "p": "button", "uniq_id": "front_door_restart", "name": "Restart",
            "cmd_t": t("restart"), "dev_cla": "restart", "ent_cat": "config",
        },
    });
    if let (Value::Object(all), Value::Object(more)) = (&mut cmps, settings) {
        all.extend(more);
    }
    json!({
        "dev": device("front_door", "Front door", "VD-1 motorised door", "Hall"),
        "o": origin(), "cmps": cmps, "avty_t": t(AVAILABILITY), "qos": 1,
    })
}

fn front_door_entry() -> Value {
    let t = |tail: &str| topic("front_door", tail);
    json!({
        "lock": {
            "p": "lock", "uniq_id": "front_door_lock", "name": "Lock",
            "cmd_t": t("lock/set"), "stat_t": t("lock/state"), "pl_open": "OPEN",
        },
        "door": {
            "p": "cover", "uniq_id": "front_door_door", "name": null, "dev_cla": "door",
            "cmd_t": t("door/set"), "stat_t": t("door/state"),
            "pos_t": t("door/position"), "set_pos_t": t("door/position/set"),
        },
        "contact": {
            "p": "binary_sensor", "uniq_id": "front_door_contact", "name": "Contact",
            "dev_cla": "door",
            "stat_t": t("telemetry"), "val_tpl": "{{ value_json.contact }}",
        },
        "doorbell": {
            "p": "event", "uniq_id": "front_door_doorbell", "name": "Doorbell",
            "dev_cla": "doorbell", "evt_typ": ["press"], "stat_t": t("doorbell"),
        },
        "camera": {
            "p": "camera", "uniq_id": "front_door_camera", "name": "Camera",
            "t": t("camera/image"),
        },
    })
}

/// Everything written out: no abbreviation at all.
fn thermostat() -> Value {
    let t = |tail: &str| topic("thermostat", tail);
    json!({
        "device": {
            "identifiers": ["thermostat"], "name": "Thermostat", "manufacturer": MANUFACTURER,
            "model": "VT-1 thermostat", "sw_version": VERSION, "suggested_area": "Lounge",
        },
        "origin": { "name": ORIGIN, "sw_version": VERSION },
        "availability": [{ "topic": t(AVAILABILITY) }],
        "components": { "climate": {
            "platform": "climate", "unique_id": "thermostat_climate", "name": null,
            "modes": ["off", "heat", "auto"],
            "mode_command_topic": t("mode/set"), "mode_state_topic": t("state"),
            "mode_state_template": "{{ value_json.mode }}",
            "temperature_command_topic": t("target/set"), "temperature_state_topic": t("state"),
            "temperature_state_template": "{{ value_json.target }}",
            "current_temperature_topic": t("state"),
            "current_temperature_template": "{{ value_json.current }}",
            "action_topic": t("state"), "action_template": "{{ value_json.action }}",
            "min_temp": 5, "max_temp": 30, "temp_step": 0.5, "precision": 0.1,
            "temperature_unit": "C",
        } },
    })
}

fn coffee_machine() -> Value {
    let t = |tail: &str| topic("coffee_machine", tail);
    json!({
        "dev": device("coffee_machine", "Coffee machine", "VP-1 smart plug", "Kitchen"),
        "o": origin(), "avty_t": t(AVAILABILITY), "stat_t": t("state"),
        "cmps": {
            "relay": {
                "p": "switch", "uniq_id": "coffee_machine_relay", "name": null,
                "dev_cla": "outlet", "cmd_t": t("relay/set"),
                "val_tpl": "{{ value_json.relay }}",
            },
            "power": {
                "p": "sensor", "uniq_id": "coffee_machine_power", "name": "Power",
                "dev_cla": "power", "stat_cla": "measurement", "unit_of_meas": "W",
                "val_tpl": "{{ value_json.power | round(1) }}",
            },
        },
    })
}

fn keeps_food(id: &str, name: &str, model: &str) -> Value {
    json!({
        "dev": device(id, name, model, "Kitchen"), "o": origin(), "avty_t": topic(id, AVAILABILITY),
        "stat_t": topic(id, "state"), "cmps": pantry::components(id),
    })
}

fn hall_motion() -> Value {
    let t = |tail: &str| topic("hall_motion", tail);
    json!({
        "dev": device("hall_motion", "Hall motion", "VM-1 motion sensor", "Hall"),
        "o": origin(), "avty_t": t(AVAILABILITY), "stat_t": t("state"),
        "cmps": {
            "motion": {
                "p": "binary_sensor", "uniq_id": "hall_motion_motion", "name": null,
                "dev_cla": "motion",
                "val_tpl": "{{ 'ON' if value_json.occupancy else 'OFF' }}",
            },
            "illuminance": {
                "p": "sensor", "uniq_id": "hall_motion_illuminance", "name": "Illuminance",
                "dev_cla": "illuminance", "stat_cla": "measurement", "unit_of_meas": "lx",
                "val_tpl": "{{ value_json.illuminance }}",
            },
        },
    })
}

fn lounge_light() -> Value {
    let t = |tail: &str| topic("lounge_light", tail);
    json!({
        "dev": device("lounge_light", "Lounge light", "VL-2 colour lamp", "Lounge"),
        "o": origin(),
        "avty": [{ "t": t(AVAILABILITY), "val_tpl": "{{ value_json.state }}" }],
        "cmps": { "light": {
            "p": "light", "uniq_id": "lounge_light_light", "name": null, "schema": "json",
            "cmd_t": t("set"), "stat_t": t("state"), "brightness": true, "bri_scl": 255,
            "sup_clrm": ["color_temp", "rgb"],
            "min_mirs": MIREDS.start(), "max_mirs": MIREDS.end(),
        } },
    })
}

fn dimmable(id: &str) -> Value {
    let (name, area) = match id {
        "hall_light" => ("Hall light", "Hall"),
        "kitchen_light" => ("Kitchen light", "Kitchen"),
        "bedroom_light" => ("Bedroom light", "Bedroom"),
        _ => ("Porch light", "Porch"),
    };
    json!({
        "~": topic(id, "").trim_end_matches('/'),
        "dev": device(id, name, "VL-1 lamp", area), "o": origin(),
        "uniq_id": format!("{id}_light"), "name": null, "schema": "json",
        "cmd_t": "~/set", "stat_t": "~/state", "avty_t": "~/availability",
        "brightness": true, "sup_clrm": ["brightness"],
    })
}

/// A lamp that came in a parcel, as the electronics in it tell of themselves.
fn new_lamp(id: &str, serial: &str) -> Value {
    let t = |tail: &str| topic(id, tail);
    json!({
        "dev": {
            "ids": [id], "name": format!("Lamp {serial}"), "mf": MANUFACTURER, "mdl": "VL-3 lamp module", "sw": VERSION,
            "sn": serial, "sa": "Lounge",
        },
        "o": origin(), "avty_t": t(AVAILABILITY),
        "cmps": { "light": {
            "p": "light", "uniq_id": format!("{id}_light"), "name": null, "schema": "json",
            "cmd_t": t("set"), "stat_t": t("state"), "brightness": true, "bri_scl": 255,
            "sup_clrm": ["brightness"],
        } },
    })
}

fn blinds() -> Value {
    json!({
        "~": topic("lounge_blinds", "").trim_end_matches('/'),
        "dev": device("lounge_blinds", "Lounge blinds", "VB-1 blind", "Lounge"), "o": origin(),
        "uniq_id": "lounge_blinds_blinds", "name": null, "dev_cla": "blind",
        "cmd_t": "~/set", "stat_t": "~/state", "pos_t": "~/position",
        "set_pos_t": "~/position/set", "avty": [{ "t": "~/availability" }],
    })
}

/// What both of the lounge sensor's documents say.
fn lounge_sensor(object: &str) -> Value {
    json!({
        "~": topic("lounge_motion", "").trim_end_matches('/'),
        "dev": device("lounge_motion", "Lounge motion", "VM-2 motion sensor", "Lounge"),
        "o": origin(), "uniq_id": format!("lounge_motion_{object}"), "dev_cla": object,
        "stat_t": format!("~/{object}"),
        "avty_t": "~/availability", "avty_tpl": "{{ value_json.state }}",
    })
}

/// What somebody has to know who makes a shelf for this room.
fn lounge_gap(measure: &str) -> Value {
    let mut body = lounge_sensor("gap");
    body["uniq_id"] = format!("lounge_motion_gap_{measure}").into();
    body["name"] = format!("Free place, {measure}").into();
    body["dev_cla"] = "distance".into();
    body["unit_of_meas"] = "mm".into();
    body["stat_cla"] = "measurement".into();
    body["val_tpl"] = format!("{{{{ value_json.{measure} }}}}").into();
    body
}

fn lounge_motion() -> Value {
    let mut body = lounge_sensor("motion");
    body["name"] = Value::Null;
    body
}

fn lounge_illuminance() -> Value {
    let mut body = lounge_sensor("illuminance");
    body["name"] = "Illuminance".into();
    body["unit_of_meas"] = "lx".into();
    body["stat_cla"] = "measurement".into();
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::DEVICES;

    #[test]
    fn every_device_describes_itself_in_json_and_names_itself() {
        for id in DEVICES {
            let documents = documents("homeassistant", id, None);
            assert!(!documents.is_empty(), "{id} says nothing");
            for publish in documents {
                let body: Value = serde_json::from_slice(&publish.payload).unwrap();
                let ids = body.pointer("/dev/ids").or(body.pointer("/device/identifiers"));
                assert_eq!(ids, Some(&json!([id])), "{}", publish.topic);
                let origin = body.pointer("/o/name").or(body.pointer("/origin/name"));
                assert_eq!(origin, Some(&json!(ORIGIN)));
                assert!(publish.retain);
            }
        }
    }

    #[test]
    fn both_forms_of_discovery_are_there() {
        let topics: Vec<String> =
            DEVICES.iter().flat_map(|id| documents("homeassistant", id, None)).map(|publish| publish.topic).collect();
        assert!(topics.contains(&"homeassistant/device/front_door/config".to_owned()));
        assert!(topics.contains(&"homeassistant/light/hall_light/light/config".to_owned()));
        let mut once = topics.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), topics.len());
    }

    #[test]
    fn what_was_unpacked_tells_its_serial_number() {
        let said = documents("homeassistant", "lamp_w1001_0001", Some("W1001-0001"));
        let body: Value = serde_json::from_slice(&said.first().unwrap().payload).unwrap();
        assert_eq!(body.pointer("/dev/sn"), Some(&json!("W1001-0001")));
        assert_eq!(body.pointer("/dev/ids"), Some(&json!(["lamp_w1001_0001"])));
    }

    #[test]
    fn availability_speaks_the_device_s_way() {
        let words = Presence::of("front_door").publish("front_door", true);
        assert_eq!(words.payload, "online");
        let json = Presence::of("lounge_motion").publish("lounge_motion", false);
        assert_eq!(json.payload, r#"{"state":"offline"}"#);
    }
}
