//! From whom to order: who is open, has it and delivers in time; then the fewest, the nearest, the cheapest.

use std::collections::BTreeMap;

use h3o::{CellIndex, LatLng};
use serde::{Deserialize, Serialize};
use vestibule_model::{Cell, Currency, SystemId, Timestamp};

use crate::{
    pack::{Choice, Pack, choose},
    plan::{Decision, Picked, Plan},
    table::{IngredientId, Table},
    units::Amount,
};

/// The most suppliers that are compared: of more, the nearest.
const SUPPLIERS: usize = 32;
/// The most goods of one ingredient at one supplier.
const GOODS: usize = 8;
const WEEK_MINUTES: u64 = 7 * 24 * 60;

/// When somebody works: minutes of a week that begins on Monday at midnight, in their own time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Minutes that their clock is ahead of UTC.
    pub ahead: i16,
    /// From, until: until may lie in the next week. None at all: always.
    pub open: Vec<(u16, u16)>,
}

impl Hours {
    /// Whether they work at that moment.
    ///
    /// ```
    /// use vestibule_kitchen::Hours;
    /// use vestibule_model::Timestamp;
    /// // Mondays from 8 to 20 o'clock, in Berlin's winter.
    /// let hours = Hours { ahead: 60, open: vec![(480, 1_200)] };
    /// assert!(hours.is_open(Timestamp::from_utc("2026-11-23T07:00:00Z").unwrap()));
    /// assert!(!hours.is_open(Timestamp::from_utc("2026-11-23T19:00:00Z").unwrap()));
    /// ```
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        // The epoch was a Thursday: three days after Monday.
        let epoch = i64::from(self.ahead) + 3 * 24 * 60;
        let week = i64::try_from(at.0 / 60_000 % WEEK_MINUTES).unwrap_or(0) + epoch;
        let minute = u64::try_from(week.rem_euclid(7 * 24 * 60)).unwrap_or(0);
        let within =
            |from: u64, until: u64| (from..until).contains(&minute) || (from..until).contains(&(minute + WEEK_MINUTES));
        self.open.is_empty() || self.open.iter().any(|(from, until)| within(u64::from(*from), u64::from(*until)))
    }
}

/// A time in which a supplier delivers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Until when one has to order.
    pub order_by: Timestamp,
    /// It comes not before.
    pub from: Timestamp,
    /// It has come by then.
    pub until: Timestamp,
    /// What it costs, in the currency's smallest unit.
    pub price: i64,
}

/// Goods that are an ingredient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Good {
    /// What the supplier calls it.
    pub item: String,
    /// What one holds.
    pub holds: Amount,
    /// What one costs, in the currency's smallest unit.
    pub price: i64,
    /// How many are sold at least.
    pub least: u32,
    /// How many there are; `None`: enough.
    pub available: Option<u32>,
}

/// What a supplier offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupplierOffer {
    /// Who.
    pub supplier: SystemId,
    /// Where, as far as they tell.
    pub cell: Option<Cell>,
    /// When they take orders.
    pub hours: Hours,
    /// In which money.
    pub currency: Currency,
    /// When they deliver.
    pub windows: Vec<Window>,
    /// What they have, by ingredient.
    pub goods: BTreeMap<IngredientId, Vec<Good>>,
}

/// A part of an order, from one supplier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// From whom.
    pub supplier: SystemId,
    /// How far away they are, in metres, where both places are known.
    pub distance_m: Option<u64>,
    /// What is taken.
    pub picks: BTreeMap<IngredientId, Picked>,
    /// When it comes.
    pub window: Window,
    /// What goods and delivery cost, in the currency's smallest unit.
    pub total: i64,
    /// In which money.
    pub currency: Currency,
}

/// How far two places are from each other, in metres: between the middles of their cells.
#[must_use]
pub fn distance(one: Cell, other: Cell) -> Option<u64> {
    let middle = |cell: Cell| CellIndex::try_from(cell.index()).ok().map(LatLng::from);
    let metres = middle(one)?.distance_m(middle(other)?);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "less than the Earth's girth")]
    (metres.is_finite() && (0.0..1e9).contains(&metres)).then_some(metres.round() as u64)
}

/// What one supplier could bring.
struct Candidate<'a> {
    offer: &'a SupplierOffer,
    distance: Option<u64>,
    windows: Vec<&'a Window>,
    choices: BTreeMap<&'a IngredientId, (Choice, Vec<&'a Good>)>,
}

/// What is ordered of what, and when it has to be there.
type Wanted<'a> = BTreeMap<&'a IngredientId, (i64, Option<Timestamp>)>;

impl<'a> Candidate<'a> {
    fn new(
        offer: &'a SupplierOffer,
        wanted: &Wanted<'_>,
        table: &Table,
        home: Option<Cell>,
        now: Timestamp,
    ) -> Option<Self> {
        let open = offer.hours.is_open(now);
        let windows: Vec<&Window> =
            offer.windows.iter().filter(|window| window.order_by >= now && window.price >= 0).collect();
        if !open || windows.is_empty() {
            return None;
        }
        let choices = offer.goods.iter().filter_map(|(id, goods)| {
            let (amount, by) = wanted.get(id)?;
            windows.iter().any(|window| in_time(window, *by)).then_some(())?;
            let food = table.get(id)?;
            let holds = |good: &&Good| food.to_base(good.holds).is_some();
            let goods: Vec<&Good> = goods.iter().filter(holds).take(GOODS).collect();
            let packs: Vec<Pack> = goods
                .iter()
                .map(|good| Pack {
                    holds: food.to_base(good.holds).map_or(0, Amount::number),
                    price: good.price,
                    least: good.least,
                    available: good.available,
                })
                .collect();
            Some((id, (choose(*amount, &packs)?, goods)))
        });
        let choices: BTreeMap<_, _> = choices.collect();
        let distance = offer.cell.zip(home).and_then(|(one, other)| distance(one, other));
        (!choices.is_empty()).then_some(Self { offer, distance, windows, choices })
    }

    /// These ingredients as one delivery: the cheapest window that is in time for all, of equal ones the earliest.
    fn split(&self, ids: &[&'a IngredientId], wanted: &Wanted<'_>) -> Option<(Split, Vec<&'a IngredientId>)> {
        let mut ids: Vec<&IngredientId> = ids.to_vec();
        ids.sort_by_key(|id| std::cmp::Reverse(wanted.get(*id).and_then(|(_, by)| *by).unwrap_or(Timestamp(u64::MAX))));
        // What is needed first may be too early for every window: it is left out before the rest is.
        let mut left_out = Vec::new();
        let window = loop {
            let by = ids.iter().filter_map(|id| wanted.get(*id)?.1).min();
            let fits = self.windows.iter().filter(|window| in_time(window, by));
            if let Some(window) = fits.min_by_key(|window| (window.price, window.until, window.from)) {
                break *window;
            }
            left_out.push(ids.pop()?);
        };
        if ids.is_empty() {
            return None;
        }
        let mut total = window.price;
        let mut picks = BTreeMap::new();
        for id in ids {
            let (choice, goods) = self.choices.get(id)?;
            total = total.checked_add(choice.price)?;
            let good = |(place, count): &(usize, u32)| goods.get(*place).map(|good| (good.item.clone(), *count));
            let items = choice.picks.iter().filter_map(good).collect();
            let over = Amount::Mass(choice.over);
            let picked = Picked { supplier: self.offer.supplier.clone(), items, price: choice.price, over };
            picks.insert(id.clone(), picked);
        }
        let split = Split {
            supplier: self.offer.supplier.clone(),
            distance_m: self.distance,
            picks,
            window: window.clone(),
            total,
            currency: self.offer.currency,
        };
        Some((split, left_out))
    }

    fn rank(&self) -> (u64, &SystemId) {
        (self.distance.unwrap_or(u64::MAX), &self.offer.supplier)
    }
}

fn in_time(window: &Window, by: Option<Timestamp>) -> bool {
    by.is_none_or(|by| window.until <= by)
}

/// Chooses at most two suppliers for what a plan orders, and writes into the plan what comes from whom.
///
/// Most of what is wanted comes first, then the fewest suppliers, then the nearest, then the cheapest. What nobody can bring
/// in time is decided as [`Decision::NoSupplier`].
pub fn choose_suppliers(
    plan: &mut Plan,
    offers: &[SupplierOffer],
    table: &Table,
    home: Option<Cell>,
    now: Timestamp,
) -> Vec<Split> {
    let ordered: Vec<(IngredientId, i64, Option<Timestamp>)> =
        plan.orders().map(|why| (why.ingredient.clone(), why.order.number(), why.by)).collect();
    let wanted: Wanted<'_> = ordered.iter().map(|(id, amount, by)| (id, (*amount, *by))).collect();
    let mut candidates: Vec<Candidate<'_>> =
        offers.iter().filter_map(|offer| Candidate::new(offer, &wanted, table, home, now)).collect();
    candidates.sort_by(|a, b| a.rank().cmp(&b.rank()));
    candidates.dedup_by(|a, b| a.offer.supplier == b.offer.supplier);
    candidates.truncate(SUPPLIERS);
    let mut best: Option<Vec<Split>> = None;
    for (place, near) in candidates.iter().enumerate() {
        let alone = together(near, None, &wanted);
        let pairs = candidates.iter().skip(place + 1).map(|far| together(near, Some(far), &wanted));
        for splits in std::iter::once(alone).chain(pairs) {
            if !splits.is_empty() && best.as_ref().is_none_or(|best| rank(&splits) < rank(best)) {
                best = Some(splits);
            }
        }
    }
    let mut splits = best.unwrap_or_default();
    write_down(plan, &mut splits);
    splits
}

/// What the nearer has comes from them, the rest from the other.
fn together(near: &Candidate<'_>, far: Option<&Candidate<'_>>, wanted: &Wanted<'_>) -> Vec<Split> {
    let ids: Vec<&IngredientId> = near.choices.keys().copied().collect();
    let Some((first, left_out)) = near.split(&ids, wanted) else { return Vec::new() };
    let mut splits = vec![first];
    if let Some(far) = far {
        let lacks = |id: &&IngredientId| !near.choices.contains_key(*id) || left_out.contains(id);
        let rest: Vec<&IngredientId> = far.choices.keys().copied().filter(lacks).collect();
        splits.extend(far.split(&rest, wanted).map(|(split, _)| split));
    }
    splits
}

/// What is compared, in this order.
fn rank(splits: &[Split]) -> impl Ord + use<> {
    let brought: usize = splits.iter().map(|split| split.picks.len()).sum();
    let far = splits.iter().fold(0_u64, |sum, split| sum.saturating_add(split.distance_m.unwrap_or(u64::MAX)));
    let paid = splits.iter().fold(0_i64, |sum, split| sum.saturating_add(split.total));
    let currencies: Vec<Currency> = splits.iter().map(|split| split.currency).collect();
    let names: Vec<SystemId> = splits.iter().map(|split| split.supplier.clone()).collect();
    // Prices of different money are not compared: the letters stand before them.
    (std::cmp::Reverse(brought), splits.len(), far, currencies, paid, names)
}

fn write_down(plan: &mut Plan, splits: &mut [Split]) {
    for why in plan.whys.values_mut().filter(|why| why.order.number() > 0) {
        let picked = splits.iter_mut().find_map(|split| split.picks.get_mut(&why.ingredient));
        match picked {
            Some(picked) => {
                picked.over = why.order.with(picked.over.number());
                why.picked = Some(picked.clone());
            }
            None => {
                why.picked = None;
                // What a person ordered stays their decision, with nothing picked for it.
                if why.decision == Decision::Order {
                    why.decision = Decision::NoSupplier;
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "supplier_tests.rs"]
mod tests;
