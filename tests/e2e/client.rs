//! The client as a person starts it, where things are missing.

use std::time::Duration;

use crate::process::{Running, program, run, without, words};

const SOON: Duration = Duration::from_secs(60);

fn bare() -> std::process::Command {
    let mut command = program("vestibule");
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command
}

/// It fails, says these words, and does not panic.
fn fails(command: &mut std::process::Command, expected: &[&str]) {
    let output = run(command, SOON);
    let said = words(&output);
    assert!(!output.status.success() && !said.contains("panicked"), "{said}");
    for words in expected {
        assert!(said.contains(words), "{words:?} is missing in: {said}");
    }
}

#[test]
fn without_a_display_it_says_what_to_do() {
    fails(&mut bare(), &["no display", "--offscreen"]);
    // Named, and not there; and one of another kind.
    fails(bare().env("DISPLAY", ":9999"), &["no display", "--offscreen"]);
    fails(bare().env("WAYLAND_DISPLAY", "wayland-0"), &["no display", "Xwayland"]);
}

#[test]
fn without_a_gpu_it_says_what_to_install() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bare();
    command.args(["--tour", "home", "--offscreen"]).arg(folder.path());
    // The loader's way to say: no drivers.
    command.env("VK_DRIVER_FILES", "/nowhere").env("VK_ICD_FILENAMES", "/nowhere");
    fails(&mut command, &["mesa-vulkan-drivers"]);
}

#[test]
fn mistakes_in_flags_are_named() {
    fails(bare().args(["--tour", "moon", "--offscreen", "x"]), &["moon", "home"]);
    fails(bare().args(["--size", "huge"]), &["1280x720"]);
    fails(bare().args(["--tour", "home", "--offscreen", "/proc/no/where"]), &["/proc/no/where"]);
    fails(bare().args(["--assets", "/nowhere", "--tour", "home", "--offscreen", "x"]), &["/nowhere", "--assets"]);
}

#[test]
fn an_enabler_that_was_never_paired_is_named() {
    if without("picture") {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let mut command = bare();
    command.args(["--connect", "127.0.0.1:9", "--tour", "home", "--offscreen"]).arg(data.path().join("p"));
    fails(command.arg("--data").arg(data.path()), &["127.0.0.1:9", "vestibule-enabler pair"]);
}

#[test]
fn a_window_opens_shows_the_house_and_closes_in_mid_command() {
    if without("picture") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tour = folder.path().join("close.toml");
    let text = r#"
        title = "The window closes while a command is under way"
        [[step]]
        name = "The house is in the window"
        expect = [{ twins = 13 }]
        within = 120.0
        [[step]]
        name = "Open is pressed and nobody waits"
        do = [{ ring = "courier" }, { press = "attend" }, { press = "action1" }]
        expect = [{ shows = "Front door" }]
        within = 60.0
    "#;
    std::fs::write(&tour, text).unwrap();
    let mut display = Running::start(std::process::Command::new("Xvfb").args([
        "-displayfd",
        "1",
        "-screen",
        "0",
        "640x360x24",
        "-nolisten",
        "tcp",
    ]));
    let number = display.until("", SOON);
    let mut command = program("vestibule");
    command.env("DISPLAY", format!(":{}", number.trim())).env_remove("WAYLAND_DISPLAY");
    command.arg("--tour").arg(&tour).args(["--size", "320x180"]);
    let output = run(&mut command, Duration::from_secs(300));
    let said = words(&output);
    assert!(output.status.success() && !said.contains("panicked"), "{said}");
}
