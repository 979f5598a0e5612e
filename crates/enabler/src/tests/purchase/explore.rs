//! Walks through everything that can happen to one purchase, and at random through what can happen to two.

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::{
    world::{Act, Budget, World},
    *,
};

/// Breadth first: each moment once, whichever way leads there. Each is also left alone, and must come to an end that is
/// known.
fn walk(declines: u32, budget: &Budget, deepest: usize) -> (usize, BTreeSet<String>) {
    let (mut seen, mut ends) = (BTreeSet::new(), BTreeSet::new());
    let mut worlds = vec![World::new(1, declines, budget.clone())];
    for depth in 0..=deepest {
        let mut next = Vec::new();
        for mut world in worlds {
            if !seen.insert(world.key()) {
                continue;
            }
            for act in world.acts().into_iter().filter(|_| depth < deepest) {
                let mut then = world.clone();
                then.act(act);
                next.push(then);
            }
            world.calm();
            ends.insert(name(&world.street.state_of(1)));
        }
        worlds = next;
    }
    (seen.len(), ends)
}

fn name(state: &PurchaseState) -> String {
    format!("{state:?}").split([' ', '{']).next().unwrap_or_default().to_owned()
}

#[test]
fn every_way_that_one_purchase_can_go() {
    let budget = Budget { waits: 2, restarts: 1, pushes: 1, twice: 1 };
    let (moments, ends) = walk(0, &budget, 7);
    assert!(moments > 1_000, "{moments}");
    let expected = ["Canceled", "Placed"].map(str::to_owned);
    assert_eq!(ends, BTreeSet::from(expected));
}

#[test]
fn every_way_that_one_purchase_can_go_where_it_is_declined_once() {
    let budget = Budget { waits: 2, restarts: 1, pushes: 0, twice: 1 };
    let (moments, ends) = walk(1, &budget, 7);
    assert!(moments > 500, "{moments}");
    let expected = ["Canceled", "NotPlaced", "Placed"].map(str::to_owned);
    assert_eq!(ends, BTreeSet::from(expected));
}

#[test]
fn two_purchases_on_a_bad_day() {
    let mut ends = BTreeSet::new();
    for seed in 0..150 {
        let mut rng = StdRng::seed_from_u64(seed);
        let budget = Budget { waits: 20, restarts: 5, pushes: 5, twice: 5 };
        let mut world = World::new(2, rng.random_range(0..3), budget);
        for _ in 0..rng.random_range(0..60) {
            let acts = world.acts();
            let Some(act) = acts.choose(&mut rng) else { break };
            // Who cancels everything at once shows little.
            if matches!(act, Act::Cancels(_)) && rng.random_bool(0.8) {
                continue;
            }
            world.act(*act);
        }
        world.calm();
        for number in [1, 2] {
            ends.insert(name(&world.street.state_of(number)));
        }
    }
    let expected = ["Canceled", "NotPlaced", "Placed"].map(str::to_owned);
    assert_eq!(ends, BTreeSet::from(expected));
}
