//! From the device to the component and from the button to the device, beside bare MQTT in the same run.

use std::{
    sync::mpsc::{Receiver, channel},
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
use vestibule_hud::{HudAction, HudPlugin};
use vestibule_model::{TwinId, Value};
use vestibule_plugin_enabler::{EnablerConnection, EnablerPlugin};
use vestibule_protocol::{ClientConfig, ClientSession, Interest, Link, News, Party};
use vestibule_quic::{Identity, LinkConfig, QuicLink};
use vestibule_server::{Embedded, EmbeddedConfig};
use vestibule_sim::{HomeConfig, SimHome};
use vestibule_twin::{TwinActuated, TwinIndex, TwinState};

use crate::numbers::{Sample, beside, part};

/// Reports that are timed.
const REPORTS: u64 = 300;
/// Presses that are timed: each waits until the card's buttons have settled after the one before.
const PRESSES: u64 = 60;
/// Longer than the card's buttons take to settle.
const SETTLED: Duration = Duration::from_millis(450);
const NUMBER: &str = r#"{"name":"Probe","unique_id":"probe","device":{"identifiers":"probe","name":"Probe"},
    "state_topic":"bench/probe/state","command_topic":"bench/probe/set","min":0,"max":1000000,"step":1}"#;
const GATE: &str = r#"{"name":"Gate","unique_id":"gate","device":{"identifiers":"gate","name":"Gate"},
    "state_topic":"bench/gate/state","command_topic":"bench/gate/set","device_class":"gate"}"#;

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

/// What the enabler tells a world, with the moment at which it came: a session without an App.
fn wire(link: QuicLink) -> Receiver<(Instant, f64)> {
    let (send, values) = channel();
    thread::spawn(move || {
        let (began, mut link) = (Instant::now(), link);
        let config = ClientConfig { party: Party::Metaverse, interest: Interest::All, software: "bench".to_owned() };
        let mut session = ClientSession::new(config);
        loop {
            let now = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            while let Some(event) = link.poll() {
                session.handle(event, now);
            }
            session.tick(now);
            while let Some(command) = session.poll_link() {
                if link.send(command.clone()).is_err() {
                    session.unsend(command);
                    break;
                }
            }
            while let Some(news) = session.poll_news() {
                let News::Readings { twin, changed } = news else { continue };
                let value = changed.iter().find_map(|(_, _, reading)| reading.value.as_ref()?.as_f64());
                let Some(value) = value.filter(|_| twin == probe()) else { continue };
                if send.send((Instant::now(), value)).is_err() {
                    return;
                }
            }
            thread::sleep(Duration::from_micros(100));
        }
    });
    values
}

struct Parts {
    runtime: Runtime,
    app: App,
    device: Bare,
    watcher: Bare,
    wire: Receiver<(Instant, f64)>,
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
    let link = || {
        let identity = Identity::generate().unwrap();
        runtime.block_on(enabler.enroll_owner(identity.fingerprint())).unwrap();
        let target = enabler.address().to_string();
        let config = LinkConfig { target, server: enabler.fingerprint(), identity, wake: None };
        QuicLink::spawn(runtime.handle(), config)
    };
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, HudPlugin, EnablerPlugin { key_seed: [7; 16], ..default() }));
    app.world_mut().spawn(EnablerConnection::new("bench", Box::new(link())));
    let wire = wire(link());
    let device = bare(&runtime, port, "bench-device", "bench/gate/set");
    let watcher = bare(&runtime, port, "bench-watcher", "bench/+/state");
    for (topic, config) in [("number/probe", NUMBER), ("cover/gate", GATE)] {
        let topic = format!("homeassistant/{topic}/config");
        runtime.block_on(device.client.publish(topic, QoS::AtLeastOnce, true, config)).unwrap();
    }
    Parts { runtime, app, device, watcher, wire, _home: home, _enabler: enabler, _folder: folder }
}

fn probe() -> TwinId {
    TwinId::new("home/probe").unwrap()
}

fn gate() -> TwinId {
    TwinId::new("home/gate").unwrap()
}

fn state<'a>(app: &'a App, twin: &TwinId) -> Option<&'a TwinState> {
    let root = app.world().resource::<TwinIndex>().get(twin).first().copied()?;
    app.world().get::<TwinState>(root)
}

fn shown(app: &App, twin: &TwinId) -> Option<Value> {
    state(app, twin)?.readings.values().find_map(|reading| reading.value.clone())
}

/// Frames without a renderer, as fast as they go but a breath each, until `done`.
fn frames<T>(app: &mut App, mut done: impl FnMut(&App) -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        app.update();
        if let Some(result) = done(app) {
            return result;
        }
        assert!(Instant::now() < end, "what the bench waits for did not come");
        thread::sleep(Duration::from_micros(200));
    }
}

/// The moment at which this came to a receiver.
fn came<T: PartialEq>(messages: &Receiver<(Instant, T)>, wanted: &T) -> Instant {
    loop {
        let (at, what) = messages.recv_timeout(Duration::from_secs(10)).unwrap();
        if what == *wanted {
            return at;
        }
    }
}

/// A device publishes: when a bare subscriber, a session without an App, and the component have it.
#[derive(Default)]
struct Reports {
    bare: Vec<Duration>,
    wire: Vec<Duration>,
    app: Vec<Duration>,
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn reports(parts: &mut Parts) -> Reports {
    let mut reports = Reports::default();
    for round in 1..=REPORTS {
        let (sent, value) = (Instant::now(), round as f64);
        let publish = parts.device.client.publish("bench/probe/state", QoS::AtLeastOnce, true, round.to_string());
        parts.runtime.block_on(publish).unwrap();
        let is_shown = |app: &App| shown(app, &probe()).and_then(|shown| shown.as_f64()) == Some(value);
        reports.app.push(frames(&mut parts.app, |app| is_shown(app).then(|| sent.elapsed())));
        reports.bare.push(came(&parts.watcher.messages, &round.to_string()) - sent);
        reports.wire.push(came(&parts.wire, &value) - sent);
    }
    reports
}

/// *Open* (or *Close*) pressed on the pinned card: when it is decided and durable, and when the device has it.
#[derive(Default)]
struct Presses {
    decided: Vec<Duration>,
    device: Vec<Duration>,
    bare: Vec<Duration>,
}

fn key(app: &mut App, down: bool) {
    let mut keys = app.world_mut().resource_mut::<ButtonInput<KeyCode>>();
    if down {
        keys.press(KeyCode::Digit1);
    } else {
        keys.reset_all();
    }
}

fn presses(parts: &mut Parts) -> Presses {
    let mut presses = Presses::default();
    let mut is = "closed";
    say(parts, is);
    parts.app.world_mut().write_message(HudAction::OpenCard(gate()));
    for _ in 0..PRESSES {
        let settled = Instant::now() + SETTLED;
        frames(&mut parts.app, |_| (Instant::now() > settled).then_some(()));
        let mut actuated = parts.app.world().resource::<Messages<TwinActuated>>().get_cursor();
        let sent = Instant::now();
        key(&mut parts.app, true);
        parts.app.update();
        key(&mut parts.app, false);
        let (mut decided, mut device) = (None, None);
        let messages = &parts.device.messages;
        frames(&mut parts.app, |app| {
            let news = actuated.read(app.world().resource::<Messages<TwinActuated>>()).next().is_some();
            decided = decided.or_else(|| news.then(|| sent.elapsed()));
            device = device.or_else(|| messages.try_recv().ok().map(|(at, _)| at - sent));
            decided.and(device)
        });
        presses.decided.extend(decided);
        presses.device.extend(device);
        // The same way without us: a client publishes to the device.
        let sent = Instant::now();
        let publish = parts.watcher.client.publish("bench/gate/set", QoS::AtLeastOnce, false, "STOP");
        parts.runtime.block_on(publish).unwrap();
        presses.bare.push(came(&parts.device.messages, &"STOP".to_owned()) - sent);
        is = if is == "closed" { "open" } else { "closed" };
        say(parts, is);
    }
    presses
}

/// The gate says how it stands, and the App knows.
fn say(parts: &mut Parts, is: &str) {
    let publish = parts.device.client.publish("bench/gate/state", QoS::AtLeastOnce, true, is.to_owned());
    parts.runtime.block_on(publish).unwrap();
    let known = |app: &App| shown(app, &gate()).and_then(|value| value.as_text().map(|text| text == is));
    frames(&mut parts.app, |app| known(app).filter(|known| *known));
}

/// Measures and prints.
pub fn run() {
    let mut parts = start();
    frames(&mut parts.app, |app| {
        let reachable = |twin: &TwinId| state(app, twin).is_some_and(|state| state.reachable);
        (reachable(&probe()) && reachable(&gate())).then_some(())
    });
    let Reports { bare, wire, app } = reports(&mut parts);
    let (bare, wire, app) = (Sample::new(&bare), Sample::new(&wire), Sample::new(&app));
    beside("device publishes -> component changed in the App", &app, "bare subscriber", &bare);
    part("broker", &bare);
    part("and adapter, enabler, QUIC", &wire);
    part("and a frame of the App", &app);
    let Presses { decided, device, bare } = presses(&mut parts);
    let (decided, device, bare) = (Sample::new(&decided), Sample::new(&device), Sample::new(&bare));
    beside("*Open* pressed by its key -> the device has the command", &device, "bare publisher", &bare);
    part("decided, durable and told", &decided);
    part("and at the device", &device);
    println!();
}
