//! The examples as their first lines say, against an enabler with the simulated home.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    enabler::Enabler,
    process::{Running, program},
};

const SOON: Duration = Duration::from_secs(40);

/// A home whose doorbell the test can press, and an enabler that knows it.
pub fn home() -> (Running, Enabler) {
    let mut home = Running::start(program("vestibule-sim").args(["home", "--listen", "127.0.0.1:0"]));
    let line = home.until("broker ", SOON);
    let broker = line.trim_start_matches("broker ").trim().to_owned();
    let enabler = Enabler::start(&["--mqtt", &format!("mqtt://{broker}")]);
    enabler.user("owner").twin("home/front_door", |view| view.reachable);
    (home, enabler)
}

/// `cargo test` builds examples beside its own programs.
fn example(name: &str, enabler: &Enabler, folder: &Path) -> Running {
    let binary = PathBuf::from(program("vestibule-sim").get_program());
    let path = binary.with_file_name("examples").join(name);
    assert!(path.is_file(), "{} is not built: run `cargo test --workspace --no-run` first", path.display());
    let mut command = std::process::Command::new(path);
    Running::start(command.args([&enabler.address, &enabler.code("owner")]).current_dir(folder))
}

#[test]
fn a_lamp_is_asked_and_its_own_report_confirms_it() {
    let (_home, enabler) = home();
    let folder = tempfile::tempdir().unwrap();
    let mut lamp = example("lamp", &enabler, folder.path());
    lamp.until("home/hall_light turn_on: confirmed", SOON);
    lamp.until("home/hall_light turn_off: confirmed", SOON);
}

#[test]
fn a_ring_is_announced_and_so_is_the_open_door() {
    let (mut home, enabler) = home();
    let folder = tempfile::tempdir().unwrap();
    let mut doorbell = example("doorbell", &enabler, folder.path());
    // Whoever waits outside rings again until somebody is there.
    let heard = (0..20).any(|_| {
        home.say("ring friend");
        doorbell.hears("friend rings at home/front_door", Duration::from_secs(2))
    });
    assert!(heard, "{}", doorbell.said.join("\n"));
    home.say("unlock");
    home.say("door push 100");
    doorbell.until("home/front_door says that it stands open", SOON);
}
