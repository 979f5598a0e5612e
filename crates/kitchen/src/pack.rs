//! Which packs to take, so that nothing lacks and little is paid.

use serde::{Deserialize, Serialize};

/// The most kinds of packs that are weighed against each other.
const KINDS: usize = 8;
/// The most packs of one kind.
const MANY: u32 = 255;
/// Into how many parts the wanted amount is cut. What a pack holds is rounded down to parts: never less is bought.
const PARTS: i64 = 2_048;

/// A pack, or a step of what is sold by measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pack {
    /// What it holds, in the food's smallest parts.
    pub holds: i64,
    /// What one costs, in the currency's smallest unit.
    pub price: i64,
    /// How many are taken at least, where any is.
    pub least: u32,
    /// How many there are; `None`: enough.
    pub available: Option<u32>,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// How many of each pack, by its place in the list; none that are not taken.
    pub picks: Vec<(usize, u32)>,
    /// What they cost.
    pub price: i64,
    /// How much more than wanted they hold.
    pub over: i64,
}

/// The cheapest packs that hold `wanted` at least; of equal ones those with less left over. `None` where they cannot.
///
/// ```
/// use vestibule_kitchen::{Pack, choose};
/// let pack = |holds, price| Pack { holds, price, least: 1, available: None };
/// let chosen = choose(1_200, &[pack(1_000, 199), pack(500, 119)]).unwrap();
/// assert_eq!((chosen.picks, chosen.price, chosen.over), (vec![(0, 1), (1, 1)], 318, 300));
/// ```
#[must_use]
pub fn choose(wanted: i64, packs: &[Pack]) -> Option<Choice> {
    if wanted <= 0 {
        return (wanted == 0).then(|| Choice { picks: Vec::new(), price: 0, over: 0 });
    }
    let usable = |pack: &Pack| pack.holds > 0 && pack.price >= 0 && pack.available != Some(0);
    let packs: Vec<(usize, &Pack)> = packs.iter().enumerate().filter(|(_, pack)| usable(pack)).take(KINDS).collect();
    let (single, bulk): (Vec<_>, Vec<_>) = packs.into_iter().partition(|(_, pack)| pack.least <= 1);
    // Of one kind alone nothing is rounded.
    let alone = bulk.iter().chain(&single).filter_map(|(place, pack)| by_measure(wanted, *place, pack));
    let mixed = mix(wanted, &single);
    alone.chain(mixed).min_by_key(|choice| (choice.price, choice.over, choice.picks.clone()))
}

/// Of one kind alone, as goods are taken that are sold from some number on.
fn by_measure(wanted: i64, place: usize, pack: &Pack) -> Option<Choice> {
    let needed = u32::try_from(wanted.checked_add(pack.holds - 1)? / pack.holds).ok()?;
    let count = needed.max(pack.least);
    if count > MANY * 8 || pack.available.is_some_and(|available| available < count) {
        return None;
    }
    sum(wanted, vec![(place, count)], |_| Some(pack))
}

fn sum<'a>(wanted: i64, picks: Vec<(usize, u32)>, pack: impl Fn(usize) -> Option<&'a Pack>) -> Option<Choice> {
    let (mut held, mut price) = (0_i64, 0_i64);
    for (place, count) in &picks {
        let pack = pack(*place)?;
        held = held.checked_add(pack.holds.checked_mul(i64::from(*count))?)?;
        price = price.checked_add(pack.price.checked_mul(i64::from(*count))?)?;
    }
    let over = held.checked_sub(wanted).filter(|over| *over >= 0)?;
    Some(Choice { picks, price, over })
}

/// Groups of 1, 2, 4, … of a pack, so that each group is taken or not.
struct Group {
    place: usize,
    count: u32,
    parts: usize,
    price: i64,
}

fn groups(part: i64, wanted: i64, packs: &[(usize, &Pack)]) -> Vec<Group> {
    let mut groups = Vec::new();
    for (place, pack) in packs {
        let parts = pack.holds / part;
        let enough = wanted / pack.holds.max(1) + 1;
        let mut left = u32::try_from(enough).unwrap_or(MANY).min(MANY).min(pack.available.unwrap_or(MANY));
        let mut count = 1;
        while left > 0 && parts > 0 {
            let taken = count.min(left);
            let held = parts.saturating_mul(i64::from(taken)).min(PARTS);
            let price = pack.price.saturating_mul(i64::from(taken));
            groups.push(Group { place: *place, count: taken, parts: usize::try_from(held).unwrap_or(0), price });
            (left, count) = (left - taken, count * 2);
        }
    }
    groups
}

/// A dynamic programme over groups and parts: `best[k]` is what at least `k` parts cost.
fn mix(wanted: i64, packs: &[(usize, &Pack)]) -> Option<Choice> {
    // One part for each of the packs' common measure, where those are few; else rounded.
    let shared = packs.iter().fold(0, |shared, (_, pack)| divisor(shared, pack.holds));
    let part = if shared > 0 && wanted / shared < PARTS { shared } else { (wanted / PARTS).max(1) + 1 };
    let steps = usize::try_from(wanted.checked_add(part - 1)? / part).ok()?;
    let groups = groups(part, wanted, packs);
    let mut best: Vec<Option<(i64, i64)>> = vec![None; steps + 1];
    *best.first_mut()? = Some((0, 0));
    let mut taken = vec![false; groups.len() * (steps + 1)];
    for (number, group) in groups.iter().enumerate() {
        for step in (1..=steps).rev() {
            let before = best.get(step.saturating_sub(group.parts)).copied().flatten();
            let Some((price, held)) = before else { continue };
            let held = held + i64::try_from(group.parts).unwrap_or(0);
            let better = (price.saturating_add(group.price), held);
            let known = best.get(step).copied().flatten();
            if known.is_none_or(|known| better < known) {
                *best.get_mut(step)? = Some(better);
                *taken.get_mut(number * (steps + 1) + step)? = true;
            }
        }
    }
    best.last().copied().flatten()?;
    let mut picks: Vec<(usize, u32)> = Vec::new();
    let mut step = steps;
    for (number, group) in groups.iter().enumerate().rev() {
        if step > 0 && taken.get(number * (steps + 1) + step).copied().unwrap_or(false) {
            match picks.iter_mut().find(|(place, _)| *place == group.place) {
                Some((_, count)) => *count += group.count,
                None => picks.push((group.place, group.count)),
            }
            step = step.saturating_sub(group.parts);
        }
    }
    picks.sort_unstable();
    sum(wanted, picks, |place| packs.iter().find(|(own, _)| *own == place).map(|(_, pack)| *pack))
}

const fn divisor(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn pack(holds: i64, price: i64) -> Pack {
        Pack { holds, price, least: 1, available: None }
    }

    #[test]
    fn the_cheapest_that_is_enough() {
        for (wanted, packs, price, over) in [
            (0, vec![pack(1_000, 199)], 0, 0),
            (1, vec![pack(1_000, 199)], 199, 999),
            (1_000, vec![pack(1_000, 199), pack(500, 79)], 158, 0),
            (700, vec![pack(1_000, 100), pack(500, 100)], 100, 300),
            (1_000, vec![pack(1_000, 100), pack(500, 50)], 100, 0),
            (1_000_000, vec![pack(500_000, 100), pack(453_592, 100)], 200, 0),
        ] {
            let chosen = choose(wanted, &packs).unwrap();
            assert_eq!((chosen.price, chosen.over), (price, over), "{wanted} of {packs:?}: {chosen:?}");
        }
        assert_eq!(choose(1, &[]), None);
        assert_eq!(choose(-1, &[pack(1, 1)]), None);
        assert_eq!(choose(10, &[Pack { available: Some(3), ..pack(3, 1) }]), None);
        let two = choose(10, &[Pack { available: Some(3), ..pack(3, 1) }, pack(2, 5)]).unwrap();
        assert_eq!((two.picks, two.price), (vec![(0, 3), (1, 1)], 8));
    }

    #[test]
    fn goods_by_measure_begin_at_their_least() {
        let cheese = Pack { holds: 50_000, price: 60, least: 4, available: None };
        assert_eq!(choose(30_000, std::slice::from_ref(&cheese)).unwrap().picks, [(0, 4)]);
        assert_eq!(choose(230_000, std::slice::from_ref(&cheese)).unwrap().picks, [(0, 5)]);
    }

    fn brute(wanted: i64, packs: &[Pack]) -> Option<i64> {
        let Some((first, rest)) = packs.split_first() else { return (wanted <= 0).then_some(0) };
        let most = (wanted.max(0) + first.holds - 1) / first.holds;
        let most = most.min(first.available.map_or(i64::MAX, i64::from));
        (0..=most).filter_map(|n| Some(brute(wanted - n * first.holds, rest)? + n * first.price)).min()
    }

    fn any_pack() -> impl Strategy<Value = Pack> {
        (1_i64..20, 0_i64..50, proptest::option::of(0_u32..6)).prop_map(|(holds, price, available)| Pack {
            holds: holds * 25,
            price,
            least: 1,
            available,
        })
    }

    proptest! {
        #[test]
        fn as_cheap_as_trying_all(wanted in 1_i64..1_500, packs in proptest::collection::vec(any_pack(), 1..4)) {
            prop_assert_eq!(choose(wanted, &packs).map(|choice| choice.price), brute(wanted, &packs));
        }

        #[test]
        fn never_less_than_wanted(
            wanted in any::<i64>(),
            packs in proptest::collection::vec((any::<i64>(), any::<i64>(), any::<u32>(), proptest::option::of(any::<u32>())), 0..10),
        ) {
            let packs: Vec<Pack> =
                packs.into_iter().map(|(holds, price, least, available)| Pack { holds, price, least, available }).collect();
            if let Some(choice) = choose(wanted, &packs) {
                let held: i128 = choice.picks.iter().map(|(place, n)| i128::from(packs[*place].holds) * i128::from(*n)).sum();
                prop_assert_eq!(held, i128::from(wanted) + i128::from(choice.over));
                prop_assert!(choice.over >= 0);
                for (place, n) in &choice.picks {
                    prop_assert!(packs[*place].available.is_none_or(|available| *n <= available));
                    prop_assert!(*n >= packs[*place].least);
                }
            }
        }
    }
}
