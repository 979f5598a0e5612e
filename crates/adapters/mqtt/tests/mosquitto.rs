//! Against mosquitto: user name and password, TLS, refusals in words. Skipped where there is none: set
//! `VESTIBULE_MOSQUITTO` to its binary, or have `mosquitto` in the path.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{Enabler, reason};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::{AsyncClient, MqttOptions};
use vestibule_adapter_mqtt::{AdapterState, MqttConfig};
use vestibule_model::CommandStatus;

struct Broker {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn binary() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("VESTIBULE_MOSQUITTO") {
        return Some(PathBuf::from(named));
    }
    let path = std::env::var_os("PATH")?;
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.push(PathBuf::from("/usr/sbin"));
    places.into_iter().map(|place| place.join("mosquitto")).find(|binary| binary.is_file())
}

fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A CA and a certificate of `localhost` signed by it, as files.
fn certificates(folder: &Path) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_certificate = ca.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.join("ca.pem"), ca_certificate.pem()).unwrap();
    std::fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

fn run(binary: &Path, folder: &Path) -> Child {
    let config = folder.join("mosquitto.conf");
    Command::new(binary).arg("-c").arg(config).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

impl Broker {
    async fn start(settings: impl Fn(&Path) -> String) -> Option<Self> {
        // A missing peer is a failure; only `cargo xtask test --without mosquitto` leaves it out.
        let left_out = std::env::var("VESTIBULE_WITHOUT").unwrap_or_default();
        if left_out.split(',').any(|name| name == "mosquitto") {
            eprintln!("left out on request: mosquitto");
            return None;
        }
        let binary = binary().expect("mosquitto is missing: install it, or say --without mosquitto");
        let folder = tempfile::tempdir().unwrap();
        // Whoever asked for a free port a moment later may have been given the same one.
        for _ in 0..10 {
            let port = free_port();
            let config = format!("listener {port} 127.0.0.1\n{}\n", settings(folder.path()));
            std::fs::write(folder.path().join("mosquitto.conf"), config).unwrap();
            let mut process = run(&binary, folder.path());
            if listens(&mut process, port).await {
                return Some(Self { process, port, folder });
            }
        }
        panic!("mosquitto ends ten times right after its start");
    }

    /// Ends it and starts it again: it has kept nothing.
    async fn restart(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.process = run(&binary().unwrap(), self.folder.path());
        assert!(listens(&mut self.process, self.port).await, "its port was taken meanwhile");
    }
}

/// Waits until somebody listens there, and whether it is this process: false if it has ended.
async fn listens(process: &mut Child, port: u16) -> bool {
    for _ in 0..200 {
        if process.try_wait().unwrap().is_some() {
            return false;
        }
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            // One that cannot bind ends at once.
            tokio::time::sleep(Duration::from_millis(50)).await;
            return process.try_wait().unwrap().is_none();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("mosquitto does not listen");
}

/// A device: announces a switch, and answers its commands.
fn device(port: u16) {
    let mut options = MqttOptions::new("device", "127.0.0.1", port);
    options.set_max_packet_size(Some(1024 * 1024));
    let (client, mut events) = AsyncClient::new(options, 16);
    tokio::spawn(async move {
        let document = r#"{"cmd_t":"p/set","stat_t":"p","uniq_id":"p","avty_t":"p/a"}"#;
        client.subscribe("p/set", QoS::AtLeastOnce).await.unwrap();
        client.publish("homeassistant/switch/p/config", QoS::AtLeastOnce, true, document).await.unwrap();
        client.publish("p/a", QoS::AtLeastOnce, true, "online").await.unwrap();
        while let Ok(event) = events.poll().await {
            if let rumqttc::v5::Event::Incoming(rumqttc::v5::Incoming::Publish(packet)) = event {
                let left = packet.properties.and_then(|p| p.message_expiry_interval);
                assert!(left.is_some_and(|left| left <= 5), "commands expire: {left:?}");
                client.publish("p", QoS::AtLeastOnce, false, packet.payload).await.unwrap();
            }
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_on_mosquitto() {
    let Some(broker) = Broker::start(|_| "allow_anonymous true".to_owned()).await else { return };
    device(broker.port);
    let mut enabler = Enabler::start(MqttConfig::from_url(&format!("mqtt://127.0.0.1:{}", broker.port)).unwrap());
    enabler.until("it is there", |e| e.reachable.get("p") == Some(&true)).await;
    let command = enabler.act("p/p", "turn_on", None, 5_000).await;
    enabler.until("told", |e| e.outcomes.get(&command) == Some(&CommandStatus::Executed)).await;
    enabler.until("on", |e| e.values.get("p/p/on").and_then(vestibule_model::Value::as_bool) == Some(true)).await;
}

/// A client that stays and says things.
fn speaker(name: &str, port: u16) -> AsyncClient {
    let (client, mut events) = AsyncClient::new(MqttOptions::new(name, "127.0.0.1", port), 16);
    tokio::spawn(async move {
        loop {
            if events.poll().await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    });
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn what_mosquitto_kept_has_no_age() {
    let Some(broker) = Broker::start(|_| "allow_anonymous true".to_owned()).await else { return };
    let device = speaker("thing", broker.port);
    let say = async |topic: &str, payload: &str, retain: bool| {
        device.publish(topic, QoS::AtLeastOnce, retain, payload.to_owned()).await.unwrap();
    };
    say("homeassistant/sensor/vouched/config", r#"{"stat_t":"v","uniq_id":"v","avty_t":"v/a"}"#, true).await;
    say("homeassistant/sensor/silent/config", r#"{"stat_t":"s","uniq_id":"s"}"#, true).await;
    say("homeassistant/sensor/expires/config", r#"{"stat_t":"e","uniq_id":"e","avty_t":"v/a","exp_aft":60}"#, true)
        .await;
    for topic in ["v", "s", "e"] {
        say(topic, "old", true).await;
    }
    say("v/a", "online", true).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut enabler = Enabler::start(MqttConfig::from_url(&format!("mqtt://127.0.0.1:{}", broker.port)).unwrap());
    let features = [("v", "vouched"), ("s", "silent"), ("e", "expires")];
    let report = |e: &Enabler, twin: &str| {
        let (_, feature) = features.iter().find(|(id, _)| *id == twin)?;
        e.reports.get(&format!("{twin}/{feature}/value")).cloned()
    };
    enabler
        .until("all are told", |e| {
            ["v", "s", "e"].iter().all(|twin| report(e, twin).is_some()) && report(e, "v").is_some_and(|r| r.fresh)
        })
        .await;
    for twin in ["v", "s", "e"] {
        assert_eq!(report(&enabler, twin).unwrap().at, None, "{twin}: nobody knows since when");
    }
    assert!(!report(&enabler, "s").unwrap().fresh, "nobody says that it is there");
    say("s", "new", true).await;
    enabler.until("said now", |e| report(e, "s").is_some_and(|r| r.fresh && r.at.is_some())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_mosquitto_was_away_an_old_value_waits_for_a_fresh_one() {
    let Some(mut broker) = Broker::start(|_| "allow_anonymous true".to_owned()).await else { return };
    let device = speaker("thing", broker.port);
    let document = r#"{"cmd_t":"p/set","stat_t":"p","uniq_id":"p"}"#;
    device.publish("homeassistant/switch/p/config", QoS::AtLeastOnce, true, document).await.unwrap();
    let mut enabler = Enabler::start(MqttConfig::from_url(&format!("mqtt://127.0.0.1:{}", broker.port)).unwrap());
    enabler.until("it is there", |e| e.reachable.get("p") == Some(&true)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    device.publish("p", QoS::AtLeastOnce, false, "ON").await.unwrap();
    let fresh = |e: &Enabler| e.reports.get("p/p/on").map(|report| report.fresh);
    enabler.until("on", |e| fresh(e) == Some(true)).await;
    let at = enabler.reports["p/p/on"].at;
    broker.restart().await;
    enabler.until("away", |e| e.reachable.get("p") == Some(&false)).await;
    enabler.until("back", |e| e.reachable.get("p") == Some(&true)).await;
    assert_eq!((fresh(&enabler), enabler.reports["p/p/on"].at), (Some(false), at), "it has said nothing since");
    tokio::time::sleep(Duration::from_millis(300)).await;
    device.publish("p", QoS::AtLeastOnce, false, "ON").await.unwrap();
    enabler.until("said anew", |e| fresh(e) == Some(true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_nobody_hears_fails() {
    let Some(broker) = Broker::start(|_| "allow_anonymous true".to_owned()).await else { return };
    let (client, mut events) = AsyncClient::new(MqttOptions::new("x", "127.0.0.1", broker.port), 16);
    tokio::spawn(async move {
        loop {
            // An event loop that is polled after an error connects again.
            if let Err(error) = events.poll().await {
                eprintln!("the device: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    });
    let document = r#"{"cmd_t":"nobody/set","uniq_id":"n"}"#;
    client.publish("homeassistant/lock/n/config", QoS::AtLeastOnce, true, document).await.unwrap();
    let mut enabler = Enabler::start(MqttConfig::from_url(&format!("mqtt://127.0.0.1:{}", broker.port)).unwrap());
    enabler.until("it is described", |e| e.twins.contains_key("n")).await;
    let command = enabler.act("n/n", "lock", None, 5_000).await;
    enabler.until("failed", |e| e.outcomes.contains_key(&command)).await;
    assert!(
        matches!(&enabler.outcomes[&command], CommandStatus::Failed { reason } if reason.contains("no device listens"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords() {
    let settings = |folder: &Path| {
        let file = folder.join("passwords");
        // `user` with the password `secret`, as mosquitto_passwd writes it.
        std::fs::write(&file, "user:secret\n").unwrap();
        let tool = binary().unwrap().with_file_name("mosquitto_passwd");
        let tool = if tool.is_file() { tool } else { PathBuf::from("mosquitto_passwd") };
        assert!(Command::new(tool).arg("-U").arg(&file).status().is_ok_and(|status| status.success()));
        format!("allow_anonymous false\npassword_file {}", file.display())
    };
    let Some(broker) = Broker::start(settings).await else { return };
    let url =
        |credentials: &str| MqttConfig::from_url(&format!("mqtt://{credentials}127.0.0.1:{}", broker.port)).unwrap();
    for wrong in ["user:wrong@", ""] {
        let mut enabler = Enabler::start(url(wrong));
        let state = enabler.state("refused", |state| matches!(state, AdapterState::Away { .. })).await;
        assert!(reason(&state).contains("password"), "{state:?}");
    }
    let mut enabler = Enabler::start(url("user:secret@"));
    enabler.state("connected", |state| *state == AdapterState::Connected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_checked() {
    let settings = |folder: &Path| {
        certificates(folder);
        let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.join(name).display().to_string());
        format!("allow_anonymous true\ncertfile {cert}\nkeyfile {key}")
    };
    let Some(broker) = Broker::start(settings).await else { return };
    let ca = broker.folder.path().join("ca.pem");
    let other = tempfile::tempdir().unwrap();
    certificates(other.path());
    let config = |host: &str, ca: &Path| {
        let mut config = MqttConfig::from_url(&format!("mqtts://{host}:{}", broker.port)).unwrap();
        config.ca = Some(ca.to_owned());
        config
    };
    let away = |state: &AdapterState| matches!(state, AdapterState::Away { .. });
    let mut good = Enabler::start(config("localhost", &ca));
    good.state("connected", |state| *state == AdapterState::Connected).await;
    for (config, words) in [
        (config("localhost", &other.path().join("ca.pem")), "is not signed by the CA in"),
        (config("127.0.0.1", &ca), "is for another name than"),
        (config("localhost", &other.path().join("none.pem")), "cannot be read"),
        (config("localhost", &other.path().join("key.pem")), "has no certificate"),
    ] {
        let mut enabler = Enabler::start(config);
        let state = enabler.state(words, away).await;
        assert!(reason(&state).contains(words), "{state:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_said_in_words() {
    let away = |state: &AdapterState| matches!(state, AdapterState::Away { .. });
    let mut enabler = Enabler::start(MqttConfig::from_url(&format!("mqtt://127.0.0.1:{}", free_port())).unwrap());
    assert!(reason(&enabler.state("refused", away).await).contains("nothing listens on"));
    let mut enabler = Enabler::start(MqttConfig::from_url("mqtt://no-such-host.invalid").unwrap());
    let state = enabler.state("no host", away).await;
    assert!(reason(&state).contains("no host"), "{state:?}");
}
