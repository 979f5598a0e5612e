//! Devices that we did not write, on a broker that we did not write: mosquitto and ha-mqtt-discoverable.

use std::{path::Path, time::Duration};

use vestibule_model::{CommandStatus, RefusalCode, Truth, Value};
use vestibule_protocol::{Request, Response};

use crate::{
    enabler::Enabler,
    process::{Mosquitto, Running, peer, program, run, without, words},
};

const LOCK: &str = "home/garage-1";
const LIGHT: &str = "home/porch-1";
const SOON: Duration = Duration::from_secs(20);

fn devices(port: u16, user: &[&str]) -> Running {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/devices.py");
    let mut command = peer("VESTIBULE_PYTHON", "python3");
    let mut devices = Running::start(command.arg(script).arg(port.to_string()).args(user));
    devices.until("ready", SOON);
    devices
}

fn left_out() -> bool {
    without("mosquitto") || without("ha-mqtt-discoverable")
}

#[test]
fn a_foreign_lock_and_light_are_found_shown_commanded_and_report_back() {
    if left_out() {
        return;
    }
    let broker = Mosquitto::start(Some(("vestibule", "a secret")));
    let mut things = devices(broker.port, &["vestibule", "a secret"]);
    let url = format!("mqtt://vestibule:a%20secret@127.0.0.1:{}", broker.port);
    let enabler = Enabler::start(&["--mqtt", &url]);
    let mut owner = enabler.user("owner");
    let garage = owner.twin(LOCK, |view| view.reachable);
    assert_eq!((garage.info.name.as_str(), garage.info.manufacturer.as_deref()), ("Garage", Some("Somebody else")));
    let porch = owner.twin(LIGHT, |view| view.reachable);
    let known: Vec<_> = porch.info.physical_ids.iter().map(|id| id.value.as_str()).collect();
    assert!(known.contains(&"porch-1") && known.contains(&"porch-serial-77"), "{known:?}");

    let lock = garage.info.features.keys().next().unwrap().to_string();
    owner.reading(LOCK, &format!("{lock}.state"), |r| {
        r.value == Some(Value::Text("locked".to_owned())) && r.truth == Truth::Live
    });
    let unlock = owner.actuate(LOCK, &lock, "unlock", None, 10_000).unwrap();
    things.until("lock UNLOCK", SOON);
    assert_eq!(owner.end(unlock), CommandStatus::Confirmed);
    owner.reading(LOCK, &format!("{lock}.state"), |r| r.truth == Truth::Live && r.age_ms.is_some());

    let light = porch.info.features.keys().next().unwrap().to_string();
    let dim = owner.actuate(LIGHT, &light, "set_brightness", Some(Value::Float(0.5)), 10_000).unwrap();
    things.until("\"brightness\": 12", SOON);
    assert_eq!(owner.end(dim), CommandStatus::Confirmed);
    owner.reading(LIGHT, &format!("{light}.on"), |r| r.value == Some(Value::Bool(true)));

    let mut guest = enabler.user("guest");
    guest.twin(LOCK, |view| view.info.features.values().all(|feature| feature.actions.is_empty()));
    let refusal = guest.actuate(LOCK, &lock, "lock", None, 10_000).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Forbidden, "a forged request is refused: {refusal}");
    assert!(matches!(guest.ask(Request::Rules), Err(refusal) if refusal.code == RefusalCode::Forbidden));
    assert!(matches!(owner.ask(Request::Rules), Ok(Response::Rules(rules)) if !rules.is_empty()));
    let verified = enabler.verify();
    assert!(verified.contains("lines, all as they were written"), "{verified}");
}

#[test]
fn a_broker_that_goes_in_mid_command_makes_twins_stale_and_never_acts_late() {
    if left_out() {
        return;
    }
    let mut broker = Mosquitto::start(None);
    let things = devices(broker.port, &[]);
    let enabler = Enabler::start(&["--mqtt", &format!("mqtt://127.0.0.1:{}", broker.port)]);
    let mut owner = enabler.user("owner");
    let garage = owner.twin(LOCK, |view| view.reachable);
    let lock = garage.info.features.keys().next().unwrap().to_string();
    let property = format!("{lock}.state");
    owner.reading(LOCK, &property, |r| r.truth == Truth::Live);
    broker.stop();
    owner.forget();
    owner.twin(LOCK, |view| !view.reachable);
    let said = things.said.len();
    // Refused at once or expired in time: both are honest; executed after its time would not be.
    if let Ok(unlock) = owner.actuate(LOCK, &lock, "unlock", None, 1_500) {
        let end = owner.end(unlock);
        assert!(matches!(end, CommandStatus::Expired | CommandStatus::Failed { .. }), "{end:?}");
    }
    owner.forget();
    broker.resume();
    owner.twin(LOCK, |view| view.reachable);
    owner.reading(LOCK, &property, |r| r.value == Some(Value::Text("locked".to_owned())) && r.truth == Truth::Live);
    std::thread::sleep(Duration::from_secs(2));
    assert!(!things.said[said..].iter().any(|line| line.contains("UNLOCK")), "an expired command was executed");
}

#[test]
fn a_killed_enabler_remembers_what_it_said_yes_to() {
    if left_out() {
        return;
    }
    let broker = Mosquitto::start(None);
    let mut things = devices(broker.port, &[]);
    let mut enabler = Enabler::start(&["--mqtt", &format!("mqtt://127.0.0.1:{}", broker.port)]);
    let mut owner = enabler.user("owner");
    let garage = owner.twin(LOCK, |view| view.reachable);
    let lock = garage.info.features.keys().next().unwrap().to_string();
    let unlock = owner.actuate(LOCK, &lock, "unlock", None, 20_000).unwrap();
    enabler.kill();
    owner.forget();
    enabler.resume();
    owner.twin(LOCK, |view| view.reachable);
    owner.reading(LOCK, &format!("{lock}.state"), |r| r.value == Some(Value::Text("unlocked".to_owned())));
    let log = owner.ask(Request::Log { after: 0, limit: 500 }).unwrap();
    let Response::Log(lines) = log else { panic!("{log:?}") };
    let accepted = lines.iter().filter(|line| line.event.contains(&unlock.to_string())).count();
    assert!(accepted >= 1, "the command that was acknowledged is in the log");
    std::thread::sleep(Duration::from_secs(1));
    let told = {
        let _ = things.until("lock UNLOCK", SOON);
        things.said.iter().filter(|line| line.contains("lock UNLOCK")).count()
    };
    assert_eq!(told, 1, "executed once");
    enabler.verify();
}

#[test]
fn the_client_shows_foreign_devices_of_your_own_broker() {
    if left_out() || without("picture") {
        return;
    }
    let broker = Mosquitto::start(None);
    let _things = devices(broker.port, &[]);
    let folder = tempfile::tempdir().unwrap();
    let tour = folder.path().join("foreign.toml");
    let text = r#"
        title = "Somebody else's devices"
        [[step]]
        name = "They are on the shelf"
        expect = [{ twins = 2 }, { reads = { twin = "home/garage-1", property = "LOCK.state", is = "locked", truth = "live" } }]
        within = 60.0
        [[step]]
        name = "One is unlocked by hand"
        do = [{ walk = "hall" }, { walk = "door_inside" }, { look = "home/garage-1" }, { press = "interact" }, { press = "action1" }]
        expect = [
            { shows = "Garage" },
            { reads = { twin = "home/garage-1", property = "LOCK.state", is = "unlocked", truth = "live" } },
        ]
        within = 30.0
    "#;
    std::fs::write(&tour, text.replace("LOCK", "Garage-lock")).unwrap();
    let mut command = program("vestibule");
    command.arg("--tour").arg(&tour).args(["--mqtt", &format!("mqtt://127.0.0.1:{}", broker.port)]);
    command.arg("--offscreen").arg(folder.path().join("pictures")).args(["--size", "480x270"]);
    let output = run(&mut command, Duration::from_secs(300));
    let report = std::fs::read_to_string(folder.path().join("pictures/tour.json")).unwrap_or_default();
    assert!(output.status.success(), "{report}\n{}", words(&output));
}
