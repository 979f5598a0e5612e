//! The arithmetic itself.

use std::collections::{BTreeMap, BTreeSet};

use vestibule_model::Timestamp;

use super::{
    Coming, Decision, Dish, DishId, DishPlan, From, Have, Ignored, Plan, Ready, Reserved, Unclear, Why, coming,
    pool::{Pool, Taken},
};
use crate::{
    ingredient::Ingredient,
    name::SURE,
    pantry::{LineKey, Stock, StockSource, confidence, once},
    rules::{KitchenRules, OverruledBy},
    table::{Food, IngredientId, Table},
    units::Amount,
};

pub struct Kitchen<'a> {
    rules: &'a KitchenRules,
    table: &'a Table,
    now: Timestamp,
    pools: BTreeMap<IngredientId, Pool>,
    plan: Plan,
}

/// One way to fulfil a line: which food, and how much of it where that is said.
struct Means<'a> {
    food: &'a Food,
    need: Option<i64>,
}

impl<'a> Kitchen<'a> {
    pub fn new(rules: &'a KitchenRules, table: &'a Table, now: Timestamp) -> Self {
        Self { rules, table, now, pools: BTreeMap::new(), plan: Plan::default() }
    }

    pub fn plan(mut self, dishes: &[Dish], pantry: &[Stock], coming: &[Coming]) -> Plan {
        self.fill(pantry, coming);
        // Each dish once, in the order of their time; who planned one twice under one id meant it once.
        let mut once: BTreeMap<DishId, &Dish> = BTreeMap::new();
        for dish in dishes {
            let known = once.entry(dish.id).or_insert(dish);
            if (dish.at, dish.servings, &dish.title) < (known.at, known.servings, &known.title) {
                *known = dish;
            }
        }
        let mut dishes: Vec<&Dish> = once.into_values().collect();
        dishes.sort_by_key(|dish| (dish.at, dish.id));
        let last = dishes.last().map_or(self.now, |dish| dish.at.max(self.now));
        for dish in dishes {
            let cooked = self.cook(dish);
            self.plan.dishes.push(cooked);
        }
        self.finish(last)
    }

    /// What is there, what is on its way and what has to stay.
    pub fn fill(&mut self, pantry: &[Stock], coming: &[Coming]) {
        let stocked = self.take_stock(pantry);
        self.take_coming(coming, &stocked);
        self.keep();
        self.pools.values_mut().for_each(Pool::settle);
    }

    /// Whether a dish could be cooked if it were the only one: what [`Self::cook`] would find, without taking anything.
    pub fn alone(&self, dish: &Dish) -> Ready {
        let mut needed: BTreeMap<&IngredientId, i64> = BTreeMap::new();
        for line in dish.ingredients.iter().filter(|line| !line.optional || self.rules.buy_optional) {
            let options = self.options(dish, line);
            let left = |id: &IngredientId| {
                let free = self.pools.get(id).map_or(0, |pool| pool.free(dish.at));
                free.saturating_sub(needed.get(id).copied().unwrap_or(0)).max(0)
            };
            let chosen = self.choose(&options, left).and_then(|chosen| Some((chosen.food, chosen.need?)));
            if let Some((food, need)) = chosen {
                let sum = needed.entry(&food.id).or_default();
                *sum = sum.saturating_add(need);
            }
        }
        let (mut missing, mut waits) = (BTreeSet::new(), Vec::new());
        for (id, need) in needed {
            let pool = self.pools.get(id);
            if pool.is_some_and(|pool| pool.coming.is_empty() && pool.free(dish.at) >= need) {
                continue;
            }
            let (taken, lacks) = pool.cloned().unwrap_or_default().take(need, dish.at);
            waits.extend(arrivals(&taken));
            if lacks > 0 && self.is_wanted(id) {
                missing.insert(id.clone());
            }
        }
        ready(missing, waits)
    }

    /// Whether a person has not said that it is there or can be done without.
    fn is_wanted(&self, id: &IngredientId) -> bool {
        !matches!(self.rules.overrule.get(id), Some(OverruledBy::Have | OverruledBy::Without))
    }

    /// What counts and what does not. Gives the lines of purchases that are stock by now.
    fn take_stock(&mut self, pantry: &[Stock]) -> BTreeSet<LineKey> {
        let (used, others) = once(pantry);
        let things: BTreeSet<&IngredientId> =
            used.iter().filter(|stock| stock.source.is_thing()).map(|stock| &stock.ingredient).collect();
        let mut counted: BTreeMap<&IngredientId, Timestamp> = BTreeMap::new();
        for stock in used.iter().filter(|stock| stock.source == StockSource::Counted) {
            let latest = counted.entry(&stock.ingredient).or_default();
            *latest = stock.reported.max(*latest);
        }
        let mut stocked = BTreeSet::new();
        for stock in &used {
            let by_thing = things.contains(&stock.ingredient);
            let since = counted.get(&stock.ingredient).is_some_and(|at| *at >= stock.reported);
            let why_not = match &stock.source {
                // Who has a scale asks the scale, not the parcel.
                StockSource::Delivered(_) if by_thing => Some(Ignored::Elsewhere),
                StockSource::Delivered(key) if !stocked.insert(key.clone()) => Some(Ignored::Twice),
                StockSource::Delivered(_) if since => Some(Ignored::Elsewhere),
                _ => None,
            };
            self.take_one(stock, why_not);
        }
        for stock in others {
            self.take_one(stock, Some(Ignored::Twice));
        }
        stocked
    }

    fn take_one(&mut self, stock: &Stock, why_not: Option<Ignored>) {
        let Some(food) = self.table.get(&stock.ingredient) else { return };
        let belief = confidence(stock, self.now);
        let base = food.to_base(stock.amount);
        let why_not = why_not
            .or_else(|| base.is_none().then_some(Ignored::NoMeasure))
            .or_else(|| (belief < self.rules.trust).then_some(Ignored::Doubtful(belief)))
            .or_else(|| stock.best_before.is_some_and(|until| until <= self.now).then_some(Ignored::Spoilt));
        let pool = self.pools.entry(stock.ingredient.clone()).or_default();
        match (why_not, base) {
            (None, Some(amount)) => pool.stock(Have {
                twin: stock.twin.clone(),
                feature: stock.feature.clone(),
                amount,
                source: stock.source.clone(),
                age_ms: self.now.since(stock.reported),
                confidence: belief,
                best_before: stock.best_before,
            }),
            (why_not, base) => {
                let why_not = why_not.unwrap_or(Ignored::NoMeasure);
                pool.ignored.push((stock.twin.clone(), base.unwrap_or(stock.amount), why_not));
            }
        }
    }

    fn take_coming(&mut self, lines: &[Coming], stocked: &BTreeSet<LineKey>) {
        for (ingredient, lines) in coming::by_ingredient(lines) {
            let Some(food) = self.table.get(ingredient) else { continue };
            let pool = self.pools.entry(ingredient.clone()).or_default();
            let own = pool.have.iter().filter(|have| !matches!(have.source, StockSource::Delivered(_)));
            let told = own.fold(0_i64, |sum, have| sum.saturating_add(have.amount.number()));
            let found = coming::on_the_way(&lines, food, told, stocked, self.now);
            found.ways.into_iter().for_each(|way| pool.way(way));
            self.plan.settled.extend(found.settled);
            self.plan.lost.extend(found.lost);
            self.plan.overdue.extend(found.overdue);
        }
        self.plan.settled.sort_unstable();
        self.plan.lost.sort_unstable();
        self.plan.overdue.sort_unstable();
    }

    fn keep(&mut self) {
        for (ingredient, amount) in &self.rules.keep {
            let base = self.table.get(ingredient).and_then(|food| food.to_base(*amount));
            if let Some(base) = base {
                self.pools.entry(ingredient.clone()).or_default().keep = base.number();
            }
        }
    }

    fn cook(&mut self, dish: &Dish) -> DishPlan {
        let mut cooked =
            DishPlan { id: dish.id, ready: Ready::Now, reserved: Vec::new(), instead: Vec::new(), unclear: Vec::new() };
        let (mut missing, mut waits) = (BTreeSet::new(), Vec::new());
        for line in &dish.ingredients {
            let options = self.options(dish, line);
            let left = |id: &IngredientId| self.pools.get(id).map_or(0, |pool| pool.free(dish.at));
            let Some(chosen) = self.choose(&options, left) else {
                if !line.optional {
                    cooked.unclear.push(Unclear { text: line.text.clone(), guess: line.id.clone() });
                }
                continue;
            };
            let id = &chosen.food.id;
            let pool = self.pools.entry(id.clone()).or_default();
            if line.optional && !self.rules.buy_optional {
                pool.optional = true;
                continue;
            }
            if let Some(own) = line.food().filter(|own| *own != id) {
                cooked.instead.push((own.clone(), id.clone()));
            }
            let Some(need) = chosen.need else {
                pool.some = true;
                continue;
            };
            pool.need(dish.id, need);
            let (taken, lacks) = pool.take(need, dish.at);
            let before = waits.len();
            waits.extend(arrivals(&taken));
            pool.from_coming |= waits.len() > before;
            reserve(&mut cooked.reserved, chosen.food, taken);
            if lacks > 0 {
                pool.lack(lacks, dish.at);
                if self.is_wanted(id) {
                    missing.insert(id.clone());
                }
            }
        }
        cooked.ready = ready(missing, waits);
        cooked
    }

    /// The line's own food first, then its alternatives, of those that are surely understood.
    fn options(&self, dish: &Dish, line: &Ingredient) -> Vec<Means<'a>> {
        let own = line.food().map(|id| (id, line.amount));
        let others = line.alternatives.iter().filter(|other| other.confidence >= SURE);
        let others = others.filter_map(|other| Some((other.id.as_ref()?, other.amount)));
        let table = self.table;
        own.into_iter()
            .chain(others)
            .filter_map(|(id, amount)| {
                let food = table.get(id)?;
                let need = match amount {
                    None => None,
                    Some(amount) => Some(share(food, amount, dish)?),
                };
                Some(Means { food, need })
            })
            .collect()
    }

    /// The first that is there without touching what has to stay, else the first. `left` tells what nobody has taken.
    fn choose<'b>(&self, options: &'b [Means<'a>], left: impl Fn(&IngredientId) -> i64) -> Option<&'b Means<'a>> {
        let is_there = |option: &&Means<'_>| {
            let id = &option.food.id;
            let keep = self.pools.get(id).map_or(0, |pool| pool.keep);
            let spare = left(id).saturating_sub(keep);
            option.need.map_or(spare > 0, |need| spare >= need)
        };
        if options.len() < 2 {
            return options.first();
        }
        options.iter().find(is_there).or_else(|| options.first())
    }

    fn finish(mut self, last: Timestamp) -> Plan {
        for (id, mut pool) in std::mem::take(&mut self.pools) {
            let Some(food) = self.table.get(&id) else { continue };
            // What has to stay takes last, and what comes later than the last dish is soon enough for it.
            let (_, lacks) = pool.take(pool.keep, last);
            let lacks = pool.take_late(lacks, last);
            pool.missing = pool.missing.saturating_add(lacks);
            let why = self.why(food, pool);
            self.plan.whys.insert(id, why);
        }
        self.plan
    }

    fn why(&self, food: &Food, pool: Pool) -> Why {
        let base = |number: i64| food.nothing().with(number);
        let overruled = self.rules.overrule.get(&food.id).copied();
        let there = !pool.have.is_empty() || !pool.coming.is_empty();
        let decision = match overruled {
            Some(by) => Decision::Overruled(by),
            None if pool.missing > 0 => Decision::Order,
            None if pool.from_coming => Decision::Coming,
            None if pool.some && !there => Decision::Unmeasured,
            None if pool.needed.is_empty() && !pool.some && pool.optional => Decision::Optional,
            None => Decision::Enough,
        };
        let order = match overruled {
            Some(OverruledBy::Have | OverruledBy::Without) => 0,
            Some(OverruledBy::Order(amount)) => food.to_base(amount).map_or(pool.missing, Amount::number),
            None => pool.missing,
        };
        Why {
            ingredient: food.id.clone(),
            needed: pool.needed.into_iter().map(|(dish, amount)| (dish, base(amount))).collect(),
            have: pool.have,
            ignored: pool.ignored,
            coming: pool.coming,
            keep: base(pool.keep),
            missing: base(pool.missing),
            order: base(order),
            by: pool.lacks.first().map(|(at, _)| *at),
            lacks: pool.lacks.into_iter().map(|(at, amount)| (at, base(amount))).collect(),
            decision,
            picked: None,
        }
    }
}

/// When the parts come that are on their way.
fn arrivals(taken: &[Taken]) -> impl Iterator<Item = Option<Timestamp>> {
    taken.iter().filter(|part| matches!(part.from, From::Line(_))).map(|part| part.arrives)
}

fn ready(missing: BTreeSet<IngredientId>, waits: Vec<Option<Timestamp>>) -> Ready {
    if !missing.is_empty() {
        return Ready::Missing(missing);
    }
    if waits.is_empty() {
        return Ready::Now;
    }
    // One whose time nobody knows makes the whole unknown.
    let known = waits.iter().all(Option::is_some);
    Ready::Coming(waits.into_iter().flatten().max().filter(|_| known))
}

fn share(food: &Food, amount: Amount, dish: &Dish) -> Option<i64> {
    let base = food.to_base(amount)?;
    let share = base.share_up(u64::from(dish.servings), u64::from(dish.serves.max(1)))?;
    Some(share.number())
}

fn reserve(reserved: &mut Vec<Reserved>, food: &Food, taken: Vec<Taken>) {
    for part in taken {
        let amount = food.nothing().with(part.amount);
        let known = reserved.iter_mut().find(|known| known.ingredient == food.id && known.from == part.from);
        match known {
            Some(known) => known.amount = known.amount.with(known.amount.number().saturating_add(part.amount)),
            None => reserved.push(Reserved { ingredient: food.id.clone(), from: part.from, amount }),
        }
    }
}
