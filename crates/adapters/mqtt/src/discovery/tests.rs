use super::*;

fn read(topic: &str, payload: &str) -> Document {
    let topic = DiscoveryTopic::parse("homeassistant", topic).unwrap();
    Document::read(&topic, payload.as_bytes()).unwrap().unwrap()
}

#[test]
fn topics_have_one_of_two_forms() {
    let parse = |topic| DiscoveryTopic::parse("a/b", topic);
    let with_node = parse("a/b/light/node/object/config").unwrap();
    assert_eq!((with_node.node.as_deref(), with_node.object.as_str()), (Some("node"), "object"));
    assert_eq!(parse("a/b/device/x/config").unwrap().component, "device");
    for wrong in ["a/b/light/config", "a/light/x/config", "a/b/light/x y/config", "a/b/light/x/state", "a/b//x/config"]
    {
        assert_eq!(parse(wrong), None, "{wrong}");
    }
}

#[test]
fn abbreviations_and_the_base_topic_are_written_out() {
    let document = read(
        "homeassistant/switch/a/config",
        r#"{"~": "plug", "cmd_t": "~/set", "stat_t": "x/~", "avty": [{"t": "~/lwt"}], "name": "~", "dev": {"ids": "p", "sw": 1}}"#,
    );
    let fields = &document.parts[0].fields;
    assert_eq!(fields["command_topic"], "plug/set");
    assert_eq!(fields["state_topic"], "x/plug");
    assert_eq!(fields["availability"][0]["topic"], "plug/lwt");
    assert_eq!(fields["name"], "~", "only topics have a base");
    assert_eq!(document.device["identifiers"], "p");
    assert_eq!(document.device["sw_version"], 1);
}

#[test]
fn a_device_shares_with_its_components() {
    let document = read(
        "homeassistant/device/node/front/config",
        r#"{"dev": {"ids": ["f"]}, "o": {"name": "x"}, "qos": 1, "stat_t": "s", "avty_t": "a", "~": "b",
            "cmps": {"a": {"p": "sensor", "val_tpl": "x"}, "b": {"p": "lock", "stat_t": "~/own"}, "gone": {"p": "sensor"},
                     "odd": 3, "nameless": {"name": "x"}}}"#,
    );
    assert_eq!(document.parts.len(), 2);
    let [a, b] = [&document.parts[0], &document.parts[1]];
    assert_eq!((a.base.as_str(), &a.fields["state_topic"], &a.fields["qos"]), ("a", &Json::from("s"), &Json::from(1)));
    assert_eq!(a.key, EntityKey { platform: "sensor".into(), node: Some("front".into()), object: "node a".into() });
    assert_eq!(b.fields["state_topic"], "b/own");
    assert_eq!(document.broken.len(), 2);
}

#[test]
fn an_empty_document_takes_away() {
    let topic = DiscoveryTopic::parse("h", "h/switch/a/config").unwrap();
    for payload in ["", "{}", r#"{"migrate_discovery": true}"#] {
        assert!(Document::read(&topic, payload.as_bytes()).unwrap().is_none(), "{payload}");
    }
}

#[test]
fn limits_come_before_parsing() {
    let topic = DiscoveryTopic::parse("h", "h/device/a/config").unwrap();
    let refused = |payload: &str| Document::read(&topic, payload.as_bytes()).unwrap_err().to_string();
    assert!(refused(&"x".repeat(MAX_DISCOVERY + 1)).contains("bytes"));
    assert!(refused(&format!("{{\"a\": {}", "[".repeat(40))).contains("nests"));
    assert!(refused("[1]").contains("object") && refused("{").contains("JSON"));
    assert!(refused(r#"{"cmps": {}}"#).contains("device"));
    assert!(refused(r#"{"dev": {"ids": "a"}}"#).contains("components"));
    let many: Map<String, Json> = (0..300).map(|n| (n.to_string(), serde_json::json!({"p": "x"}))).collect();
    assert!(refused(&serde_json::json!({"dev": {"ids": "a"}, "cmps": many}).to_string()).contains("300"));
}
