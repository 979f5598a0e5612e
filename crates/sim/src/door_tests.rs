//! The door model, without any network.

use super::*;
use crate::model::rng_for;

fn door() -> Door {
    Door::new(rng_for(1, "front_door"))
}

fn says(door: &Door, tail: &str) -> String {
    let states = door.states();
    let found = states.iter().find(|(t, _)| *t == tail);
    found.map(|(_, payload)| payload.clone()).unwrap()
}

fn telemetry(door: &Door, key: &str) -> serde_json::Value {
    let body: serde_json::Value = serde_json::from_str(&says(door, "telemetry")).unwrap();
    body[key].clone()
}

fn run(door: &mut Door, from_ms: u64, to_ms: u64) {
    for now in (from_ms..=to_ms).step_by(20) {
        door.step(now);
    }
}

#[test]
fn unlocks_then_opens_in_the_travel_time() {
    let mut door = door();
    door.on_command(0, "door/set", b"OPEN");
    assert_eq!(says(&door, "lock/state"), "UNLOCKING");
    assert_eq!(says(&door, "door/state"), "closed");
    assert!(door.door().unwrap().locked);
    run(&mut door, 0, BOLT_MS);
    assert_eq!(says(&door, "lock/state"), "UNLOCKED");
    assert_eq!(says(&door, "door/state"), "opening");
    run(&mut door, BOLT_MS, BOLT_MS + TRAVEL_MS / 2);
    assert_eq!(door.door().unwrap().position, 50);
    assert_eq!(telemetry(&door, "contact"), "ON");
    run(&mut door, BOLT_MS + TRAVEL_MS / 2, BOLT_MS + TRAVEL_MS);
    assert_eq!(says(&door, "door/state"), "open");
    assert_eq!(says(&door, "door/position"), "100");
}

#[test]
fn one_long_step_gives_what_small_steps_give() {
    let (mut small, mut long) = (door(), door());
    for door in [&mut small, &mut long] {
        door.on_command(0, "door/set", b"OPEN");
    }
    run(&mut small, 0, 2_000);
    long.step(2_000);
    assert_eq!(small.door(), long.door());
}

#[test]
fn stop_holds_it_and_a_position_is_reached() {
    let mut door = door();
    door.turn(false);
    door.on_command(0, "door/set", b"OPEN");
    door.on_command(900, "door/set", b"STOP");
    assert_eq!((says(&door, "door/state"), says(&door, "door/position")), ("open".into(), "30".into()));
    door.on_command(1_000, "door/position/set", b"60");
    run(&mut door, 1_000, 1_900);
    assert_eq!(says(&door, "door/position"), "60");
}

#[test]
fn will_not_lock_while_open_and_says_so() {
    let mut door = door();
    door.turn(false);
    door.on_touch(0, Touch::Push(40));
    run(&mut door, 0, 1_000);
    door.on_command(1_000, "lock/set", b"LOCK");
    run(&mut door, 1_000, 3_000);
    assert_eq!(says(&door, "lock/state"), "UNLOCKED");
    let said = door.take_happenings();
    assert!(said.iter().any(|h| h.tail == "lock/state" && h.payload == "UNLOCKED"));
}

#[test]
fn a_jam_stops_the_leaf_half_way_and_the_motor_gives_up() {
    let mut door = door();
    door.turn(false);
    door.on_command(0, "door/set", b"OPEN");
    run(&mut door, 0, 1_200);
    door.on_touch(1_200, Touch::Jam(true));
    assert_eq!(telemetry(&door, "problem"), "ON");
    assert_eq!(says(&door, "door/state"), "opening");
    run(&mut door, 1_200, 1_200 + GIVES_UP_MS);
    assert_eq!(says(&door, "door/state"), "open");
    assert_eq!(says(&door, "door/position"), "40");
    door.on_command(3_000, "door/set", b"CLOSE");
    assert_eq!(says(&door, "door/state"), "closing");
    run(&mut door, 3_000, 9_000);
    assert_eq!(door.door().unwrap().position, 40);
    door.on_touch(9_000, Touch::Jam(false));
    assert_eq!(telemetry(&door, "problem"), "OFF");
    door.on_command(9_000, "door/set", b"CLOSE");
    run(&mut door, 9_000, 12_000);
    assert_eq!(says(&door, "door/state"), "closed");
}

#[test]
fn a_jam_binds_the_bolt() {
    let mut door = door();
    door.on_touch(0, Touch::Jam(true));
    assert_eq!(says(&door, "lock/state"), "LOCKED");
    door.on_command(0, "door/set", b"OPEN");
    run(&mut door, 0, 5_000);
    assert_eq!(says(&door, "lock/state"), "JAMMED");
    assert_eq!(door.door().map(|d| (d.locked, d.position)), Some((true, 0)));
    door.on_touch(5_000, Touch::Jam(false));
    assert_eq!(says(&door, "lock/state"), "LOCKED");
    run(&mut door, 5_000, 10_000);
    assert_eq!(says(&door, "door/position"), "0");
}

#[test]
fn locks_by_itself_after_closing() {
    let mut door = door();
    door.on_command(0, "auto_lock/set", b"5");
    door.on_command(0, "door/set", b"OPEN");
    run(&mut door, 0, 5_000);
    assert_eq!(says(&door, "lock/state"), "UNLOCKED");
    door.on_command(5_000, "door/set", b"CLOSE");
    run(&mut door, 5_000, 8_000 + 4_900);
    assert_eq!(says(&door, "lock/state"), "UNLOCKED");
    run(&mut door, 12_900, 13_700);
    assert_eq!(says(&door, "lock/state"), "LOCKED");
}

#[test]
fn rings_with_a_guest_and_a_picture() {
    let mut door = door();
    door.on_touch(0, Touch::Ring(Guest::Courier));
    let said = door.take_happenings();
    assert_eq!(said[0].payload, r#"{"event_type":"press","guest":"courier"}"#);
    assert_eq!((said[0].kind, said[1].kind), (Kind::Event, Kind::Picture));
    door.on_power(0, false);
    door.on_touch(0, Touch::Ring(Guest::Friend));
    assert!(door.take_happenings().is_empty());
    assert_eq!(door.door().unwrap().guest, Some(Guest::Friend));
}

#[test]
fn without_power_the_leaf_stays_and_hands_still_move_it() {
    let mut door = door();
    door.turn(false);
    door.on_command(0, "door/set", b"OPEN");
    run(&mut door, 0, 900);
    door.on_power(900, false);
    run(&mut door, 900, 5_000);
    assert_eq!(door.door().unwrap().position, 30);
    door.on_touch(5_000, Touch::Push(80));
    run(&mut door, 5_000, 6_000);
    assert_eq!(door.door().unwrap().position, 80);
}

#[test]
fn a_locked_or_jammed_leaf_cannot_be_pushed() {
    let mut door = door();
    door.on_touch(0, Touch::Push(50));
    run(&mut door, 0, 2_000);
    assert_eq!(door.door().unwrap().position, 0);
}

#[test]
fn nonsense_changes_nothing() {
    let mut door = door();
    let before = door.states();
    let tails = door.listens().iter().filter(|t| **t != "camera/request");
    for tail in tails.chain(&["", "nowhere"]) {
        for payload in [&b""[..], b"\xff\xfe", b"lock", b"NaN", b"-1", b"1e9", b"{}"] {
            door.on_command(0, tail, payload);
        }
    }
    run(&mut door, 0, 10_000);
    assert_eq!(door.states(), before);
    assert!(!door.take_restart());
}
