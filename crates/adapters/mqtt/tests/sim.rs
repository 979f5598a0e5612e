//! Against the simulated home: devices that know nothing of us, on a real broker.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::time::Duration;

use common::Enabler;
use vestibule_adapter_mqtt::MqttConfig;
use vestibule_model::{CommandStatus, Value};
use vestibule_sim::{DEVICES, Guest, HomeConfig, SimHome};

async fn home() -> (SimHome, Enabler) {
    let home = SimHome::start(HomeConfig { time_scale: 10.0, ..HomeConfig::default() }).await.unwrap();
    home.ready(Duration::from_secs(20)).await.unwrap();
    let url = format!("mqtt://{}", home.broker_addr());
    let mut enabler = Enabler::start(MqttConfig::from_url(&url).unwrap());
    enabler
        .until("all devices are there", |e| DEVICES.iter().all(|device| e.reachable.get(*device) == Some(&true)))
        .await;
    (home, enabler)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_opens_when_it_says_so() {
    let (home, mut enabler) = home().await;
    for (device, twin) in &enabler.twins {
        assert!(twin.problems.is_empty(), "{device}: {:?}", twin.problems);
    }
    assert_eq!(enabler.twins["front_door"].features.len(), 10);
    enabler.until("the lock is locked", |e| e.text("front_door/lock/state") == Some("locked")).await;
    let command = enabler.act("front_door/lock", "unlock", None, 5_000).await;
    enabler.until("told", |e| e.outcomes.get(&command) == Some(&CommandStatus::Executed)).await;
    enabler.until("unlocked", |e| e.text("front_door/lock/state") == Some("unlocked")).await;
    assert!(!home.hand().door().locked);
    enabler.act("front_door/door", "open", None, 5_000).await;
    enabler.until("open", |e| e.text("front_door/door/state") == Some("open")).await;
    enabler.until("all the way", |e| e.values.get("front_door/door/position") == Some(&Value::Int(100))).await;
    assert_eq!(home.hand().door().position, 100);
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_rings_once_and_a_picture_comes() {
    let (home, mut enabler) = home().await;
    home.hand().ring(Guest::Courier);
    enabler.until("it rings", |e| !e.occurred.is_empty()).await;
    enabler.until("a picture", |e| e.values.contains_key("front_door/camera/picture") && e.blobs > 0).await;
    enabler.listen(Duration::from_millis(300)).await;
    assert_eq!(enabler.occurred.len(), 1);
    assert_eq!(enabler.occurred[0].event.as_str(), "press");
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_restarts_in_mid_command_never_makes_it_late() {
    let (home, mut enabler) = home().await;
    let hand = home.hand();
    hand.stop_broker().unwrap();
    enabler.until("all are away", |e| e.all(false)).await;
    let late = enabler.act("front_door/lock", "unlock", None, 300).await;
    enabler.until("its time ended", |e| e.outcomes.contains_key(&late)).await;
    let Some(CommandStatus::Failed { reason }) = enabler.outcomes.get(&late) else { panic!() };
    assert!(reason.contains("not sent"), "{reason}");
    hand.start_broker().unwrap();
    let waits = enabler.act("hall_light/light", "turn_on", None, 30_000).await;
    enabler.until("devices are back", |e| e.all(true)).await;
    enabler.until("what waited in time is told", |e| e.outcomes.contains_key(&waits)).await;
    enabler.listen(Duration::from_millis(500)).await;
    assert!(hand.door().locked, "the late command was never carried out");
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_without_power_is_not_there() {
    let (home, mut enabler) = home().await;
    home.hand().cut_power("lounge_light").unwrap();
    enabler.until("it is away", |e| !e.reachable["lounge_light"]).await;
    home.hand().restore_power("lounge_light").unwrap();
    enabler.until("it is back", |e| e.reachable["lounge_light"]).await;
    let command = enabler.act("lounge_light/light", "set_color", Some(Value::Color([0, 0, 255])), 5_000).await;
    enabler.until("told", |e| e.outcomes.get(&command) == Some(&CommandStatus::Executed)).await;
    let blue = Some(&Value::Color([0, 0, 255]));
    enabler.until("blue", |e| e.values.get("lounge_light/light/color") == blue).await;
    home.stop().await;
}
