//! Random interleavings of commands, reports, disconnects and kills, against what must always hold.

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;

/// A seed that failed is run again alone with `run(seed)`.
fn run(seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut house = House::with_lamp();
    let mut revision = 10;
    let mut sent: Vec<Command> = Vec::new();
    let mut issued = 0_u32;
    for _ in 0..300 {
        match rng.random_range(0..12) {
            0..3 => {
                issued += 1;
                let (feature, action) =
                    [("light", "turn_on"), ("light", "turn_off"), ("siren", "turn_on"), ("bell", "ring")]
                        [rng.random_range(0..4)];
                let mut command = house.command(feature, action);
                command.id.0[..4].copy_from_slice(&issued.to_le_bytes());
                command.not_after = house.now.plus(rng.random_range(0..3_000));
                let _ = house.actuate(&command);
                sent.push(command);
            }
            3 => {
                if let Some(command) = sent.get(rng.random_range(0..sent.len().max(1))).cloned() {
                    let _ = house.actuate(&command);
                }
            }
            4..6 => {
                revision += rng.random_range(0..3);
                house.report("light", Value::Bool(rng.random()), revision);
            }
            6 => {
                let given = house.executed.len();
                if given > 0 {
                    let id = house.executed[rng.random_range(0..given)].1.command;
                    let failed = CommandStatus::Failed { reason: "no".to_owned() };
                    house.outcome(id, if rng.random_bool(0.7) { CommandStatus::Executed } else { failed });
                }
            }
            7 => house.disconnect(),
            8 => house.reachable(),
            9 => house.restart(),
            _ => house.pass(rng.random_range(0..2_000)),
        }
        check(&house, seed);
    }
    house.pass(LONGEST_VALIDITY_MS);
    assert!(house.state.open.is_empty() && house.hot.open_commands() == 0, "seed {seed}: every command ends");
    assert_ne!(house.truth("light"), Truth::Pending, "seed {seed}: pending always ends");
    house.restart();
}

fn check(house: &House, seed: u64) {
    let mut given = BTreeSet::new();
    for (at, execution) in &house.executed {
        assert!(*at <= execution.not_after, "seed {seed}: executed late");
        assert!(given.insert(execution.command), "seed {seed}: executed twice");
    }
    let mut ended = BTreeSet::new();
    for (_, event) in &house.log {
        if let LogEvent::CommandEnded { command, .. } = event {
            assert!(ended.insert(*command), "seed {seed}: ended twice");
        }
    }
    assert_eq!(house.hot.open_commands(), house.state.open.len(), "seed {seed}");
    assert!(house.hot.next_wakeup().is_none_or(|at| at > house.now), "seed {seed}: something due was left");
}

#[test]
fn whatever_happens() {
    for seed in 0..200 {
        run(seed);
    }
}
