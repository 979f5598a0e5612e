//! What each device says, does and suffers.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use vestibule_sim::{DEVICES, Guest, SimError};

use crate::observer::{Observer, Seen, home, until};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_late_finds_documents_availability_and_states() {
    let home = home(1.0).await;
    let latecomer = Observer::connect(&home, "late", "#").await;
    let mut retained = HashMap::new();
    for id in DEVICES {
        let suffix = format!("home/{id}/availability");
        latecomer.wait_from(0, &suffix, |s| (s.topic == suffix).then_some(())).await;
    }
    latecomer.wait(0, "home/front_door/lock/state", "LOCKED").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    for seen in latecomer.all().into_iter().filter(|s| s.retained) {
        retained.insert(seen.topic, seen.payload);
    }
    let configs: Vec<_> = retained.keys().filter(|t| t.ends_with("/config")).collect();
    let device_form = |t: &&&String| t.starts_with("homeassistant/device/");
    assert_eq!(configs.iter().filter(device_form).count(), 7, "{configs:?}");
    assert_eq!(configs.len(), 17, "{configs:?}");
    for topic in configs {
        let body: Value = serde_json::from_slice(&retained[topic]).unwrap();
        assert!(body.get("o").or(body.get("origin")).is_some(), "{topic}");
    }
    assert_eq!(retained["home/front_door/availability"], b"online");
    assert_eq!(retained["home/lounge_motion/availability"], br#"{"state":"online"}"#);
    let gap: Value = serde_json::from_slice(&retained["home/lounge_motion/gap"]).unwrap();
    assert!(["width", "height", "depth"].iter().all(|measure| gap[measure].as_u64().is_some_and(|mm| mm > 0)), "{gap}");
    assert_eq!(retained["home/front_door/door/position"], b"0");
    assert!(!retained.contains_key("home/front_door/doorbell"));
    assert!(!retained.contains_key("home/front_door/camera/image"));
    assert_eq!(home.hand().published().configs, 17);
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_unlocks_then_opens_in_its_travel_time_and_closes() {
    let home = home(4.0).await;
    let hand = home.hand();
    let observer = Observer::connect(&home, "observer", "home/front_door/#").await;
    let mark = observer.mark();
    observer.send("home/front_door/door/set", "OPEN").await;
    observer.wait(mark, "home/front_door/lock/state", "UNLOCKING").await;
    let began = observer.wait(mark, "home/front_door/door/state", "opening").await;
    let ended = observer.wait(mark, "home/front_door/door/state", "open").await;
    // Three simulated seconds at four times the speed.
    let took = ended.at - began.at;
    assert!(took >= Duration::from_millis(600), "{took:?}");
    assert!(took <= Duration::from_millis(2_500), "{took:?}");
    observer.wait(mark, "home/front_door/door/position", "100").await;
    assert_eq!((hand.door().locked, hand.door().position), (false, 100));
    let positions = observer.values(mark, "home/front_door/door/position");
    let numbers: Vec<u8> = positions.iter().filter_map(|p| p.parse().ok()).collect();
    assert!(numbers.len() >= 4 && numbers.is_sorted(), "{numbers:?}");
    let back = observer.mark();
    observer.send("home/front_door/door/set", "CLOSE").await;
    observer.wait(back, "home/front_door/door/state", "closing").await;
    observer.wait(back, "home/front_door/door/state", "closed").await;
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jam_is_reported_as_it_is() {
    let home = home(2.0).await;
    let hand = home.hand();
    let observer = Observer::connect(&home, "observer", "home/front_door/#").await;
    let mark = observer.mark();
    observer.send("home/front_door/door/set", "OPEN").await;
    until("the leaf is on its way", || hand.door().position > 10).await;
    hand.jam_door(true);
    let stuck = hand.door();
    assert!(!stuck.moving && stuck.position < 100, "{stuck:?}");
    let problem = |s: &Seen| {
        let text = String::from_utf8_lossy(&s.payload);
        (s.topic.ends_with("/telemetry") && text.contains(r#""problem":"ON""#)).then_some(())
    };
    observer.wait_from(mark, "a problem", problem).await;
    observer.wait(mark, "home/front_door/door/state", "open").await;
    observer.wait(mark, "home/front_door/door/position", &stuck.position.to_string()).await;
    assert_eq!(hand.door().position, stuck.position);
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_is_an_event_and_a_picture_and_neither_stays() {
    let home = home(1.0).await;
    let observer = Observer::connect(&home, "observer", "home/front_door/#").await;
    let mark = observer.mark();
    home.hand().ring(Guest::Courier);
    let wanted = r#"{"event_type":"press","guest":"courier"}"#;
    let event = observer.wait(mark, "home/front_door/doorbell", wanted).await;
    assert!(!event.retained);
    let picture = |s: &Seen| s.topic.ends_with("/camera/image").then(|| s.payload.clone());
    let jpeg = observer.wait_from(mark, "a picture", picture).await;
    let read = image::load_from_memory_with_format(&jpeg, image::ImageFormat::Jpeg).unwrap();
    assert_eq!((read.width(), read.height()), (640, 480));
    assert_eq!(home.hand().door().guest, Some(Guest::Courier));
    home.hand().guest_leaves();
    let mark = observer.mark();
    observer.send("home/front_door/camera/request", "").await;
    let empty = observer.wait_from(mark, "another picture", picture).await;
    assert_ne!(empty, jpeg);
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_power_fires_the_will_and_power_brings_it_back() {
    let home = home(1.0).await;
    let hand = home.hand();
    let observer = Observer::connect(&home, "observer", "#").await;
    for _ in 0..2 {
        let mark = observer.mark();
        hand.cut_power("hall_light").unwrap();
        observer.wait(mark, "home/hall_light/availability", "offline").await;
        assert!(!hand.connected("hall_light").unwrap());
        let mark = observer.mark();
        hand.restore_power("hall_light").unwrap();
        observer.wait(mark, "home/hall_light/availability", "online").await;
        let state = |s: &Seen| (s.topic == "home/hall_light/state").then_some(());
        observer.wait_from(mark, "its state", state).await;
    }
    // Even the shortest cut ends the connection.
    let mark = observer.mark();
    hand.cut_power("thermostat").unwrap();
    hand.restore_power("thermostat").unwrap();
    let thermostat = "home/thermostat/availability";
    observer.wait(mark, thermostat, "offline").await;
    observer.wait(mark, thermostat, "online").await;
    assert!(matches!(hand.cut_power("oven"), Err(SimError::NoSuchDevice(_))));
    assert!(matches!(hand.walk_into("attic"), Err(SimError::NoSuchRoom(_))));
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_offline_and_says_everything_again() {
    let home = home(5.0).await;
    let observer = Observer::connect(&home, "observer", "#").await;
    observer.wait(0, "home/front_door/availability", "online").await;
    let mark = observer.mark();
    observer.send("home/front_door/restart", "PRESS").await;
    observer.wait(mark, "home/front_door/availability", "offline").await;
    observer.wait(mark, "home/front_door/availability", "online").await;
    observer.wait(mark, "home/front_door/lock/state", "LOCKED").await;
    let config = |s: &Seen| (s.topic == "homeassistant/device/front_door/config").then_some(());
    observer.wait_from(mark, "its document", config).await;
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_eaten_and_what_is_put_in_is_weighed_and_listed() {
    let home = home(1.0).await;
    let hand = home.hand();
    let observer = Observer::connect(&home, "observer", "home/#").await;
    let says = |topic: &'static str, at: &'static str, amount: f64| {
        move |s: &Seen| {
            let body: Value = serde_json::from_slice(&s.payload).ok()?;
            (s.topic == topic && body.pointer(at).and_then(Value::as_f64) == Some(amount)).then_some(())
        }
    };
    observer.wait_from(0, "the flour", says("home/pantry_shelf/state", "/board_1/grams", 320.0)).await;
    let mark = observer.mark();
    assert!(hand.keep("flour", 1_000.0) && hand.keep("milk", -250.0) && !hand.keep("caviar", 30.0));
    observer.wait_from(mark, "more flour", says("home/pantry_shelf/state", "/board_1/grams", 1_320.0)).await;
    observer.wait_from(mark, "less milk", says("home/fridge/state", "/milk", 150.0)).await;
    assert_eq!((hand.food().len(), hand.food()["milk"]), (8, 150.0));
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_birth_message_makes_everything_said_again() {
    let home = home(1.0).await;
    let observer = Observer::connect(&home, "observer", "#").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mark = observer.mark();
    observer.send("homeassistant/status", "online").await;
    for id in DEVICES {
        let topic = format!("home/{id}/availability");
        let document = |s: &Seen| {
            let names = s.topic.starts_with("homeassistant/") && s.topic.ends_with("/config");
            (names && s.topic.contains(&format!("/{id}/"))).then_some(())
        };
        observer.wait_from(mark, id, document).await;
        observer.wait_from(mark, &topic, |s| (s.topic == topic).then_some(())).await;
    }
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lamps_blinds_plug_sensors_and_heating_do_what_they_are_told() {
    let home = home(20.0).await;
    let hand = home.hand();
    let observer = Observer::connect(&home, "observer", "home/#").await;
    let mark = observer.mark();
    observer.send("home/porch_light/set", r#"{"state":"ON","brightness":64}"#).await;
    until("the porch is lit", || hand.light("porch_light").is_some_and(|l| l.brightness == 64)).await;
    let colour = r#"{"state":"ON","brightness":200,"color":{"r":255,"g":0,"b":0},"transition":20}"#;
    observer.send("home/lounge_light/set", colour).await;
    until("the lounge is red", || {
        hand.light("lounge_light").is_some_and(|l| l.brightness == 200 && l.rgb == Some([255, 0, 0]))
    })
    .await;
    assert!(observer.values(mark, "home/lounge_light/state").len() >= 3, "a transition is seen");
    assert!(hand.light("front_door").is_none() && hand.light("oven").is_none());

    observer.send("home/lounge_blinds/position/set", "25").await;
    observer.wait(mark, "home/lounge_blinds/position", "25").await;
    observer.send("home/coffee_machine/relay/set", "ON").await;
    hand.walk_into("lounge").unwrap();
    hand.walk_into("hall").unwrap();
    observer.wait(mark, "home/lounge_motion/motion", "ON").await;
    observer.wait(mark, "home/lounge_motion/motion", "OFF").await;
    let field = |topic: &'static str, key: &'static str| {
        move |s: &Seen| {
            let body: Value = serde_json::from_slice(&s.payload).ok()?;
            (s.topic == topic).then(|| body[key].clone())
        }
    };
    let draws =
        |s: &Seen| field("home/coffee_machine/state", "power")(s).and_then(|p| p.as_f64()).filter(|w| *w > 900.0);
    observer.wait_from(mark, "a boiler's draw", draws).await;
    observer.send("home/thermostat/target/set", "23").await;
    let heats = |s: &Seen| field("home/thermostat/state", "action")(s).filter(|a| a == "heating").map(|_| ());
    observer.wait_from(mark, "heating", heats).await;
    let warmer =
        |s: &Seen| field("home/thermostat/state", "current")(s).and_then(|t| t.as_f64()).filter(|t| *t >= 19.3);
    observer.wait_from(mark, "a warmer room", warmer).await;
    home.stop().await;
}
