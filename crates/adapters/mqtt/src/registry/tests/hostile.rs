use proptest::prelude::*;
use serde_json::json;

use super::*;

const PLATFORMS: [&str; 13] = [
    "lock",
    "cover",
    "event",
    "camera",
    "image",
    "binary_sensor",
    "sensor",
    "light",
    "switch",
    "climate",
    "button",
    "number",
    "select",
];
const FIELDS: [&str; 40] = [
    "name",
    "uniq_id",
    "cmd_t",
    "stat_t",
    "t",
    "img_t",
    "evt_typ",
    "ops",
    "val_tpl",
    "cmd_tpl",
    "min",
    "max",
    "step",
    "schema",
    "sup_clrm",
    "brightness",
    "bri_scl",
    "bri_cmd_t",
    "bri_stat_t",
    "rgb_cmd_t",
    "rgb_stat_t",
    "hs_stat_t",
    "clr_temp_stat_t",
    "clr_temp_cmd_t",
    "fx_list",
    "effect",
    "avty",
    "avty_t",
    "avty_mode",
    "~",
    "dev",
    "o",
    "qos",
    "pos_t",
    "set_pos_t",
    "pos_open",
    "mode_stat_t",
    "temp_stat_t",
    "exp_aft",
    "off_dly",
];

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[a-z/+#~{}%|. ]{0,12}".prop_map(Json::from),
        prop::sample::select(vec!["x", "y", "json", "{{ value_json.a }}", "{{ value }}", "rgb", "online"])
            .prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::hash_map(prop::sample::select(FIELDS.to_vec()), inner, 0..5)
                .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

fn any_document() -> impl Strategy<Value = Json> {
    prop::collection::hash_map(prop::sample::select(FIELDS.to_vec()), any_json(), 0..12).prop_map(|map| {
        let mut document =
            json!({ "cmd_t": "x/set", "stat_t": "x", "t": "x", "img_t": "x", "evt_typ": ["a"], "ops": ["a"] });
        map.into_iter().for_each(|(key, value)| document[key] = value);
        document
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_document_and_no_payload_panics(
        platform in prop::sample::select(PLATFORMS.to_vec()),
        document in any_document(),
        payloads in prop::collection::vec(prop_oneof![
            any_json().prop_map(|json| json.to_string().into_bytes()),
            prop::collection::vec(any::<u8>(), 0..60),
            "-?[0-9.,e]{0,30}".prop_map(String::into_bytes),
        ], 0..8),
        whole in any::<bool>(),
    ) {
        let mut home = Home::new();
        if whole {
            let mut component = document.clone();
            component["p"] = platform.into();
            home.announce("device/d", &json!({ "dev": { "ids": "d" }, "cmps": { "c": component }, "avty_t": "x" }));
        } else {
            home.announce(&format!("{platform}/d"), &document);
        }
        for payload in payloads {
            for topic in ["x", "y", "a"] {
                home.say(topic, &payload);
            }
        }
        home.wait(2_000);
        let actions: Vec<(String, String, Option<Value>)> = home.twins.values().flat_map(|twin| {
            twin.features.iter().flat_map(move |(feature, info)| info.actions.iter().map(move |(action, about)| {
                let input = about.input.as_ref().map(|input| match input {
                    vestibule_model::ValueType::OneOf(options) => Value::Text(options.first().cloned().unwrap_or_default()),
                    vestibule_model::ValueType::Number { min, .. } => Value::Float(*min),
                    _ => Value::Color([1, 2, 3]),
                });
                (format!("{}/{feature}", twin.id.local()), action.to_string(), input)
            }))
        }).collect();
        for (target, action, input) in actions {
            home.execute(&target, &action, input, 1_000);
        }
        home.deliver();
        home.disconnect();
    }

    #[test]
    fn bytes_as_documents_do_not_panic(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut home = Home::new();
        home.message("homeassistant/device/d/config", &payload, true);
        home.message("homeassistant/lock/d/config", &payload, true);
        home.wait(200);
    }
}

#[test]
fn oversized_payloads_are_refused_with_words() {
    let mut home = Home::new();
    home.announce("sensor/s", &json!({ "stat_t": "s", "uniq_id": "s" }));
    home.announce("camera/c", &json!({ "t": "c", "uniq_id": "c" }));
    home.say("s", vec![b'1'; 2 * 1024 * 1024]);
    home.say("c", vec![0xff; 9 * 1024 * 1024]);
    home.say("s", vec![b'x'; 5_000]);
    home.wait(200);
    assert!(home.problems("s")[0].contains("2097152 bytes"), "{:?}", home.problems("s"));
    assert!(home.problems("c")[0].contains("too large"));
    assert!(home.values.is_empty());
    home.message("homeassistant/sensor/big/config", vec![b' '; 300_000], true);
    assert!(home.notes[0].contains("300000 bytes"));
}

#[test]
fn a_device_with_too_many_parts_keeps_the_first() {
    let mut home = Home::new();
    for n in 0..300 {
        let document = json!({ "stat_t": "s", "uniq_id": n, "dev": { "ids": "x" } });
        home.message(&format!("homeassistant/sensor/x/s{n}/config"), document.to_string(), true);
    }
    home.wait(2_000);
    assert_eq!(home.twins["x"].features.len(), 256);
    assert!(home.problems("x")[0].contains("more parts"));
}

#[test]
fn a_description_that_no_enabler_takes_is_cut() {
    let mut home = Home::new();
    let options: Vec<String> = (0..200).map(|n| format!("an option with a long name {n}")).collect();
    for n in 0..10 {
        let document = json!({ "cmd_t": "s", "ops": options, "uniq_id": n, "dev": { "ids": "x" } });
        home.message(&format!("homeassistant/select/x/s{n}/config"), document.to_string(), true);
    }
    home.wait(2_000);
    assert!((2..9).contains(&home.twins["x"].features.len()));
    assert!(home.problems("x")[0].contains("left out"), "{:?}", home.problems("x"));
}
