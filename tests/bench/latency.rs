//! From the device to the component and from the button to the device, beside bare MQTT in the same run.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use bevy::prelude::*;
use rumqttc::v5::{
    AsyncClient, Event, MqttOptions,
    mqttbytes::{QoS, v5::Packet},
};
use tokio::runtime::Runtime;
use vestibule_adapter_mqtt::MqttConfig;
use vestibule_model::{ActionId, FeatureId, TwinId, Value};
use vestibule_plugin_enabler::{EnablerConnection, EnablerPlugin};
use vestibule_quic::{Identity, LinkConfig, QuicLink};
use vestibule_server::{Embedded, EmbeddedConfig};
use vestibule_sim::{HomeConfig, SimHome};
use vestibule_twin::{ActuateTwin, ActuationTicket, TwinIndex, TwinState};

use crate::numbers::{Sample, beside};

const ROUNDS: u64 = 300;
const CONFIG: &str = r#"{"name":"Probe","unique_id":"probe","device":{"identifiers":"probe","name":"Probe"},
    "state_topic":"bench/probe/state","command_topic":"bench/probe/set","min":0,"max":1000000,"step":1}"#;

/// A bare MQTT client whose messages come with the moment they came.
struct Bare {
    client: AsyncClient,
    messages: Receiver<(Instant, String)>,
}

fn bare(runtime: &Runtime, port: u16, name: &str, topic: &str) -> Bare {
    let mut options = MqttOptions::new(name, "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(30));
    let (send, messages) = channel();
    let client = runtime.block_on(async {
        let (client, mut events) = AsyncClient::new(options, 64);
        client.subscribe(topic, QoS::AtLeastOnce).await.unwrap();
        tokio::spawn(async move {
            while let Ok(event) = events.poll().await {
                if let Event::Incoming(Packet::Publish(publish)) = event {
                    let text = String::from_utf8_lossy(&publish.payload).into_owned();
                    if send.send((Instant::now(), text)).is_err() {
                        break;
                    }
                }
            }
        });
        client
    });
    Bare { client, messages }
}

struct Parts {
    runtime: Runtime,
    app: App,
    device: Bare,
    watcher: Bare,
    _home: SimHome,
    _enabler: Embedded,
    _folder: tempfile::TempDir,
}

fn start() -> Parts {
    let runtime = Runtime::new().unwrap();
    let home = runtime.block_on(SimHome::start(HomeConfig::default())).unwrap();
    let port = home.broker_addr().port();
    let folder = tempfile::tempdir().unwrap();
    let mut config = EmbeddedConfig::local(folder.path());
    config.mqtt = vec![MqttConfig::from_url(&format!("mqtt://127.0.0.1:{port}")).unwrap()];
    let enabler = runtime.block_on(Embedded::start(config)).unwrap();
    let identity = Identity::generate().unwrap();
    runtime.block_on(enabler.enroll_owner(identity.fingerprint())).unwrap();
    let target = enabler.address().to_string();
    let link = LinkConfig { target, server: enabler.fingerprint(), identity, wake: None };
    let link = QuicLink::spawn(runtime.handle(), link);
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, EnablerPlugin { key_seed: [7; 16], ..default() }));
    app.world_mut().spawn(EnablerConnection::new("bench", Box::new(link)));
    let device = bare(&runtime, port, "bench-device", "bench/probe/set");
    let watcher = bare(&runtime, port, "bench-watcher", "bench/probe/state");
    let announce = device.client.publish("homeassistant/number/probe/config", QoS::AtLeastOnce, true, CONFIG);
    runtime.block_on(announce).unwrap();
    Parts { runtime, app, device, watcher, _home: home, _enabler: enabler, _folder: folder }
}

fn probe() -> TwinId {
    TwinId::new("home/probe").unwrap()
}

fn shown(app: &App) -> Option<f64> {
    let root = app.world().resource::<TwinIndex>().get(&probe()).first().copied()?;
    let state = app.world().get::<TwinState>(root)?;
    state.readings.values().find_map(|reading| reading.value.as_ref().and_then(Value::as_f64))
}

/// Frames without a renderer, as fast as they go but a breath each, until `done`.
fn frames<T>(app: &mut App, mut done: impl FnMut(&App) -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        app.update();
        if let Some(result) = done(app) {
            return result;
        }
        assert!(Instant::now() < end, "the twin of the probe did not come");
        thread::sleep(Duration::from_micros(200));
    }
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn reports(parts: &mut Parts) -> (Vec<Duration>, Vec<Duration>) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let sent = Instant::now();
        let publish = parts.device.client.publish("bench/probe/state", QoS::AtLeastOnce, true, round.to_string());
        parts.runtime.block_on(publish).unwrap();
        ours.push(frames(&mut parts.app, |app| (shown(app) == Some(round as f64)).then(|| sent.elapsed())));
        loop {
            let (at, text) = parts.watcher.messages.recv_timeout(Duration::from_secs(5)).unwrap();
            if text == round.to_string() {
                theirs.push(at - sent);
                break;
            }
        }
    }
    (ours, theirs)
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn presses(parts: &mut Parts) -> (Vec<Duration>, Vec<Duration>) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let feature = FeatureId::slug("probe");
    for round in 1..=ROUNDS {
        let wish = 500_000 + round;
        let sent = Instant::now();
        parts.app.world_mut().write_message(ActuateTwin {
            ticket: ActuationTicket(round),
            twin: probe(),
            feature: feature.clone(),
            action: ActionId::slug("set"),
            input: Some(Value::Float(wish as f64)),
            valid_for_ms: None,
        });
        let device = &parts.device;
        ours.push(frames(&mut parts.app, |_| match device.messages.try_recv() {
            Ok((at, _)) => Some(at - sent),
            Err(_) => None,
        }));
        // The same way without us: a client publishes to the device.
        let sent = Instant::now();
        let publish = parts.watcher.client.publish("bench/probe/set", QoS::AtLeastOnce, false, "1");
        parts.runtime.block_on(publish).unwrap();
        match device.messages.recv_timeout(Duration::from_secs(5)) {
            Ok((at, _)) => theirs.push(at - sent),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
        let answer = parts.device.client.publish("bench/probe/state", QoS::AtLeastOnce, true, wish.to_string());
        parts.runtime.block_on(answer).unwrap();
        frames(&mut parts.app, |app| (shown(app) == Some(wish as f64)).then_some(()));
    }
    (ours, theirs)
}

/// Measures and prints.
pub fn run() {
    let mut parts = start();
    frames(&mut parts.app, |app| {
        let root = app.world().resource::<TwinIndex>().get(&probe()).first().copied()?;
        app.world().get::<TwinState>(root).filter(|state| state.reachable).map(|_| ())
    });
    let (ours, theirs) = reports(&mut parts);
    beside(
        "device publishes -> component changed in the App (a bare subscriber beside it)",
        &Sample::new(&ours),
        "bare MQTT",
        &Sample::new(&theirs),
    );
    let (ours, theirs) = presses(&mut parts);
    beside(
        "button pressed -> the device has the command, decided and durable in between (a bare publisher beside it)",
        &Sample::new(&ours),
        "bare MQTT",
        &Sample::new(&theirs),
    );
}
