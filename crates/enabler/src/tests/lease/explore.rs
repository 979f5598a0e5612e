//! Every interleaving of small cases, and long random ones.

use std::collections::HashSet;

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::world::*;
use super::*;

/// All worlds within `depth` steps of `start`, each once.
fn explore(name: &str, start: World, steps: &[Step], depth: usize) {
    let mut seen = HashSet::from([start.key()]);
    let mut layer = vec![(start, Vec::new())];
    let mut executed = 0;
    for _ in 0..depth {
        let mut next = Vec::new();
        for (world, path) in &layer {
            for step in steps.iter().filter(|step| world.can(step)) {
                let mut after = world.clone();
                let mut path: Vec<Step> = path.clone();
                path.push(step.clone());
                let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    after.step(step);
                    after.check();
                }));
                assert!(done.is_ok(), "{name}: {path:?}");
                executed = executed.max(after.device.executed);
                if seen.insert(after.key()) {
                    next.push((after, path));
                }
            }
        }
        layer = next;
    }
    println!("{name}: {} worlds", seen.len());
    assert!(executed > 0, "{name}: nothing ever happened");
    // From wherever it got to, everything ends.
    for (world, path) in layer.into_iter().step_by(7) {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.clone().drain()));
        assert!(done.is_ok(), "{name}, then nothing more: {path:?}");
    }
}

fn plain() -> Integration {
    Integration { longest_ms: Some(LONGEST), ..Integration::default() }
}

#[test]
fn two_users_and_a_wire_that_breaks() {
    let steps = [
        Step::Ask(0, 0, 0, 0),
        Step::Ask(1, 0, 0, 25_000),
        Step::Release(0),
        Step::Renew(0),
        Step::Act(0, 0, true),
        Step::Act(1, 0, true),
        Step::Wait,
        Step::Down,
        Step::Up,
        Step::Late,
        Step::Break,
        Step::Connect,
    ];
    explore("two users, breaks", World::new(2, 1, false, plain()), &steps, 7);
}

#[test]
fn two_users_and_an_enabler_that_is_killed() {
    let steps = [
        Step::Ask(0, 0, 0, 0),
        Step::AskAgain(0),
        Step::Ask(1, 0, 0, 25_000),
        Step::Release(1),
        Step::Act(0, 0, true),
        Step::Wait,
        Step::Down,
        Step::Up,
        Step::Late,
        Step::Connect,
        Step::Crash,
    ];
    explore("two users, crashes", World::new(2, 1, false, plain()), &steps, 7);
}

#[test]
fn three_users_wait() {
    let steps = [
        Step::Ask(0, 0, 0, 60_000),
        Step::Ask(1, 0, 3, 60_000),
        Step::Ask(2, 0, 5, 9_000),
        Step::Release(0),
        Step::Release(1),
        Step::Renew(0),
        Step::Act(1, 0, true),
        Step::Wait,
        Step::Down,
        Step::Forbid(1),
    ];
    let integration = Integration { exclusive: true, ..plain() };
    explore("three users, exclusive", World::new(3, 1, false, integration), &steps, 7);
}

#[test]
fn a_higher_priority_takes_it() {
    let steps = [
        Step::Ask(0, 0, 1, 60_000),
        Step::Ask(1, 0, 4, 60_000),
        Step::Ask(2, 0, 2, 0),
        Step::Release(1),
        Step::Act(0, 0, true),
        Step::Act(1, 0, true),
        Step::Wait,
        Step::Down,
        Step::Break,
        Step::Connect,
        Step::Late,
    ];
    let integration = Integration { preempt: true, ..plain() };
    explore("three users, pre-emption", World::new(3, 1, false, integration), &steps, 7);
}

#[test]
fn two_twins_of_one_object() {
    let steps = [
        Step::Ask(0, 0, 0, 25_000),
        Step::Ask(1, 1, 0, 25_000),
        Step::Release(0),
        Step::Act(0, 0, true),
        Step::Act(1, 1, true),
        Step::Act(1, 1, false),
        Step::Wait,
        Step::Down,
        Step::Break,
        Step::Connect,
        Step::Late,
    ];
    explore("one object, two twins", World::new(2, 2, true, plain()), &steps, 7);
}

#[test]
fn twins_that_turn_out_to_be_one_object() {
    let steps = [
        Step::Ask(0, 0, 0, 25_000),
        Step::Ask(1, 1, 0, 25_000),
        Step::Describe(1, true),
        Step::Describe(0, true),
        Step::Describe(1, false),
        Step::Gone(0),
        Step::Act(0, 0, true),
        Step::Act(1, 1, true),
        Step::Wait,
        Step::Down,
    ];
    explore("objects that change", World::new(2, 2, false, plain()), &steps, 6);
}

/// A seed that failed is run again alone with `run(seed)`.
fn run(seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let integration = Integration {
        exclusive: rng.random(),
        preempt: rng.random(),
        longest_ms: Some([LONGEST, TTL / 2, 3 * LONGEST][rng.random_range(0..3)]),
    };
    let users = rng.random_range(2..6);
    let twins = rng.random_range(1..4);
    let mut world = World::new(users, twins, rng.random(), integration);
    for _ in 0..250 {
        let (user, twin) = (rng.random_range(0..users), rng.random_range(0..twins));
        let step = match rng.random_range(0..40) {
            0..5 => Step::Ask(user, twin, rng.random_range(0..6), [0, 3_000, 30_000, 600_000][rng.random_range(0..4)]),
            5 => Step::AskAgain(user),
            6..8 => Step::Renew(user),
            8..10 => Step::Release(user),
            10..15 => Step::Act(user, twin, rng.random_bool(0.8)),
            15..19 => Step::Wait,
            19..27 => Step::Down,
            27..33 => Step::Up,
            33 => Step::Late,
            34 => Step::Break,
            35..37 => Step::Connect,
            37 => [Step::Crash, Step::DeviceRestarts][rng.random_range(0..2)].clone(),
            38 => [Step::Forbid(user), Step::Allow(user)][rng.random_range(0..2)].clone(),
            _ => [Step::Gone(twin), Step::Describe(twin, true), Step::Describe(twin, false)][rng.random_range(0..3)]
                .clone(),
        };
        if rng.random_bool(0.2) {
            let most = rng.random_range(0..4_000);
            world.pass(most);
            world.check();
        }
        if world.can(&step) {
            world.step(&step);
            world.check();
        }
    }
    world.drain();
    world.step(&Step::Crash);
}

#[test]
fn whatever_happens_to_leases() {
    for seed in 0..300 {
        let done = std::panic::catch_unwind(|| run(seed));
        assert!(done.is_ok(), "seed {seed}");
    }
}

/// However many more important ones come, whoever waits has a turn within what their priority is worth.
#[test]
fn nobody_waits_for_ever() {
    let mut world = World::new(4, 1, false, plain());
    let patient = world.request(0, 0, 0, 24 * 60 * 60 * 1_000);
    let first = world.request(1, 0, 5, 0);
    world.ask(&user(1), &Request::Lease(first)).unwrap();
    world.ask(&user(0), &Request::Lease(patient.clone())).unwrap();
    let (asked, mut others) = (world.now, 0);
    while world.state.leases.get(&patient.id).is_some_and(|lease| lease.phase == LeasePhase::Waiting) {
        // There is always somebody more important in the queue.
        for number in 1..4 {
            let step = Step::Ask(number, 0, 5, 600_000);
            if world.can(&step) {
                world.step(&step);
                others += 1;
            }
        }
        world.drain_wire();
        world.pass(60_000);
        world.check();
        assert!(world.now.since(asked) <= 5 * 60_000 + 4 * LONGEST, "{others} went before");
    }
    assert!(world.state.leases.get(&patient.id).unwrap().held(world.now).is_some());
    assert!(others >= 20, "they really went before: {others}");
}
