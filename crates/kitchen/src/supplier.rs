//! From whom to order: who is open, has it and delivers in time; then the fewest, the nearest, the cheapest.

use std::collections::BTreeMap;

use h3o::{CellIndex, LatLng};
use serde::{Deserialize, Serialize};
use vestibule_model::{Cell, Currency, SystemId, Timestamp};

use crate::{
    pack::{Choice, Pack, choose},
    plan::{Decision, Picked, Plan, Why},
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
    choices: BTreeMap<&'a IngredientId, Brought<'a>>,
}

/// What one supplier can bring of an ingredient in time.
struct Brought<'a> {
    choice: Choice,
    goods: Vec<&'a Good>,
    /// How much of it, for how many parts of what is wanted.
    amount: i64,
    parts: usize,
    /// When it has to be there.
    by: Option<Timestamp>,
}

/// What is ordered of what, and when each part has to be there: the most urgent first.
type Wanted<'a> = BTreeMap<&'a IngredientId, Vec<(Option<Timestamp>, i64)>>;

/// What is chosen: the deliveries, how many parts of what is wanted they bring, and how much of each by when.
#[derive(Default)]
struct Chosen {
    splits: Vec<Split>,
    parts: usize,
    orders: BTreeMap<IngredientId, (i64, Option<Timestamp>)>,
}

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
            // What comes too late for one dish may be in time for the next.
            let wanted = wanted.get(id)?;
            let is_in_time = |by: Option<Timestamp>| windows.iter().any(|window| in_time(window, by));
            let parts = wanted.get(wanted.iter().position(|(by, _)| is_in_time(*by))?..)?;
            let amount = parts.iter().fold(0_i64, |sum, (_, amount)| sum.saturating_add(*amount));
            let by = parts.first().and_then(|(by, _)| *by);
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
            let choice = choose(amount, &packs)?;
            Some((id, Brought { choice, goods, amount, parts: parts.len(), by }))
        });
        let choices: BTreeMap<_, _> = choices.collect();
        let distance = offer.cell.zip(home).and_then(|(one, other)| distance(one, other));
        (!choices.is_empty()).then_some(Self { offer, distance, windows, choices })
    }

    /// How many parts of what is wanted of an ingredient come in time from here.
    fn parts(&self, id: &IngredientId) -> usize {
        self.choices.get(id).map_or(0, |brought| brought.parts)
    }

    /// These ingredients as one delivery, added to what is chosen: the cheapest window that is in time for all, of equal
    /// ones the earliest.
    fn add(&self, ids: &[&IngredientId], chosen: &mut Chosen) -> Option<()> {
        let brought: Vec<(&IngredientId, &Brought<'_>)> =
            ids.iter().filter_map(|id| Some((*id, self.choices.get(*id)?))).collect();
        let by = brought.iter().filter_map(|(_, brought)| brought.by).min();
        let fits = self.windows.iter().filter(|window| in_time(window, by));
        let window = fits.min_by_key(|window| (window.price, window.until, window.from)).filter(|_| !ids.is_empty())?;
        let mut total = window.price;
        let mut picks = BTreeMap::new();
        for (id, Brought { choice, goods, .. }) in &brought {
            total = total.checked_add(choice.price)?;
            let good = |(place, count): &(usize, u32)| goods.get(*place).map(|good| (good.item.clone(), *count));
            let items = choice.picks.iter().filter_map(good).collect();
            let over = Amount::Mass(choice.over);
            let picked = Picked { supplier: self.offer.supplier.clone(), items, price: choice.price, over };
            picks.insert((*id).clone(), picked);
        }
        chosen.parts += brought.iter().map(|(_, brought)| brought.parts).sum::<usize>();
        chosen.orders.extend(brought.iter().map(|(id, brought)| ((*id).clone(), (brought.amount, brought.by))));
        chosen.splits.push(Split {
            supplier: self.offer.supplier.clone(),
            distance_m: self.distance,
            picks,
            window: (*window).clone(),
            total,
            currency: self.offer.currency,
        });
        Some(())
    }

    fn rank(&self) -> (u64, &SystemId) {
        (self.distance.unwrap_or(u64::MAX), &self.offer.supplier)
    }
}

fn in_time(window: &Window, by: Option<Timestamp>) -> bool {
    by.is_none_or(|by| window.until <= by)
}

/// What is wanted of an ingredient. What a person ordered is one part.
fn parts(why: &Why) -> Vec<(Option<Timestamp>, i64)> {
    if matches!(why.decision, Decision::Overruled(_)) {
        return vec![(why.by, why.order.number())];
    }
    let lacks = why.lacks.iter().map(|(at, amount)| (Some(*at), amount.number()));
    let sum = why.lacks.iter().fold(0_i64, |sum, (_, amount)| sum.saturating_add(amount.number()));
    let stays = why.order.number().saturating_sub(sum);
    lacks.chain((stays > 0).then_some((None, stays))).collect()
}

/// Chooses at most two suppliers for what a plan orders, and writes into the plan what comes from whom.
///
/// Most of what is wanted comes first, then the fewest suppliers, then the nearest, then the cheapest. What is too late for
/// one dish is ordered for the later ones all the same; what nobody can bring in time for any is decided as
/// [`Decision::NoSupplier`].
pub fn choose_suppliers(
    plan: &mut Plan,
    offers: &[SupplierOffer],
    table: &Table,
    home: Option<Cell>,
    now: Timestamp,
) -> Vec<Split> {
    let wanted: Wanted<'_> = plan.orders().map(|why| (&why.ingredient, parts(why))).collect();
    let mut candidates: Vec<Candidate<'_>> =
        offers.iter().filter_map(|offer| Candidate::new(offer, &wanted, table, home, now)).collect();
    candidates.sort_by(|a, b| a.rank().cmp(&b.rank()));
    candidates.dedup_by(|a, b| a.offer.supplier == b.offer.supplier);
    candidates.truncate(SUPPLIERS);
    let mut best: Option<Chosen> = None;
    for (place, near) in candidates.iter().enumerate() {
        let alone = together(near, None);
        let pairs = candidates.iter().skip(place + 1).map(|far| together(near, Some(far)));
        for chosen in std::iter::once(alone).chain(pairs) {
            if !chosen.splits.is_empty() && best.as_ref().is_none_or(|best| rank(&chosen) < rank(best)) {
                best = Some(chosen);
            }
        }
    }
    let mut chosen = best.unwrap_or_default();
    write_down(plan, &mut chosen);
    chosen.splits
}

/// What the nearer brings as early as the other comes from them, the rest from the other.
fn together(near: &Candidate<'_>, far: Option<&Candidate<'_>>) -> Chosen {
    let mut chosen = Chosen::default();
    let is_near = |id: &IngredientId| near.parts(id) > 0 && far.is_none_or(|far| far.parts(id) <= near.parts(id));
    let ids: Vec<&IngredientId> = near.choices.keys().copied().filter(|id| is_near(id)).collect();
    if near.add(&ids, &mut chosen).is_some()
        && let Some(far) = far
    {
        let rest: Vec<&IngredientId> = far.choices.keys().copied().filter(|id| !is_near(id)).collect();
        // Where nothing is left for them, the nearer one is alone.
        far.add(&rest, &mut chosen);
    }
    chosen
}

/// What is compared, in this order.
fn rank(chosen: &Chosen) -> impl Ord + use<> {
    let splits = &chosen.splits;
    let far = splits.iter().fold(0_u64, |sum, split| sum.saturating_add(split.distance_m.unwrap_or(u64::MAX)));
    let paid = splits.iter().fold(0_i64, |sum, split| sum.saturating_add(split.total));
    let currencies: Vec<Currency> = splits.iter().map(|split| split.currency).collect();
    let names: Vec<SystemId> = splits.iter().map(|split| split.supplier.clone()).collect();
    // Prices of different money are not compared: the letters stand before them.
    (std::cmp::Reverse(chosen.parts), splits.len(), far, currencies, paid, names)
}

fn write_down(plan: &mut Plan, chosen: &mut Chosen) {
    for why in plan.whys.values_mut().filter(|why| why.order.number() > 0) {
        if let Some((amount, by)) = chosen.orders.get(&why.ingredient) {
            (why.order, why.by) = (why.order.with(*amount), *by);
        }
        let picked = chosen.splits.iter_mut().find_map(|split| split.picks.get_mut(&why.ingredient));
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
