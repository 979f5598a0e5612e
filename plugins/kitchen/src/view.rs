//! What screens read: the book, the pantry and the plan in words.

use std::collections::{BTreeMap, BTreeSet};

use vestibule_kitchen::{
    Amount, Decision, DishId, DishPlan, Food, Have, Ignored, IngredientId, Instructions, LineKey, OverruledBy, Part,
    Plan, Ready, Recipe, Split, StockSource, Table, Way, Why, choose_suppliers, plain_name, plan, readiness,
};
use vestibule_model::{Cell, FeatureId, LineId, PurchaseId, SystemId, Timestamp, TwinId};
use vestibule_twin::{
    KitchenDecision, KitchenDish, KitchenFood, KitchenInstructions, KitchenLost, KitchenMadePart, KitchenPart,
    KitchenRecipe, KitchenSource, KitchenView, KitchenWay, Readiness, ShopCart,
};

use crate::{
    book::{Book, COUNTED, Kept},
    orders,
    pantry::Pantry,
    supply::Suppliers,
    words,
};

/// A recipe is looked at as if it were cooked so many milliseconds from now: what comes today counts.
const SOON_MS: u64 = 12 * 60 * 60 * 1_000;

/// What came of reckoning.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reckoned {
    pub plan: Plan,
    /// Each recipe by itself, in the order of their keys.
    pub ready: Vec<Ready>,
    /// What is ordered where; none: no supplier has said what it has.
    pub splits: Option<Vec<Split>>,
}

/// Everything reckoned through at `now`.
pub(crate) fn reckon(
    book: &Book,
    pantry: &Pantry,
    suppliers: &Suppliers,
    home: Option<Cell>,
    now: Timestamp,
) -> Reckoned {
    let stocks: Vec<_> = pantry.stocks.iter().cloned().chain(book.counted()).collect();
    let mut plan = plan(&book.dishes(now), &stocks, &book.diary.coming, &book.rules, &book.table, now);
    let soon = book.each_alone(now.plus(SOON_MS));
    let ready = readiness(&soon, &stocks, &book.diary.coming, &book.rules, &book.table, now);
    // Before anybody said what they have, nobody knows that nobody has it.
    let told = suppliers.0.values().any(|supplier| supplier.goods.is_some());
    let splits = told.then(|| choose_suppliers(&mut plan, &suppliers.offers(now), &book.table, home, now));
    Reckoned { plan, ready, splits }
}

/// What there is to read. Without a moment (the enabler was not reached) nothing was reckoned.
pub(crate) fn of(
    book: &Book,
    pantry: &Pantry,
    suppliers: &Suppliers,
    carts: &BTreeMap<SystemId, ShopCart>,
    reckoned: &Reckoned,
    now: Option<Timestamp>,
) -> KitchenView {
    let tell = Tell { book, pantry, suppliers };
    let plan = &reckoned.plan;
    let recipes = book.recipes.iter().zip(0_usize..);
    let mut recipes: Vec<_> =
        recipes.map(|((key, kept), place)| tell.recipe(key, kept, reckoned.ready.get(place))).collect();
    recipes.sort_by(|one, other| (&one.name, &one.key).cmp(&(&other.name, &other.key)));
    let orders = orders::of(book, suppliers, carts, reckoned);
    KitchenView {
        recipes,
        instructions: book.instructions.iter().map(|(key, kept)| made(key, kept, book, pantry)).collect(),
        dishes: tell.dishes(plan, now),
        foods: tell.foods(plan),
        places: pantry.unknown.clone(),
        lost: plan.lost.iter().filter_map(|key| tell.lost(key)).collect(),
        overdue: plan.overdue.iter().filter_map(|key| tell.lost(key)).collect(),
        at_door: at_door(book),
        suppliers: orders::suppliers(suppliers, now),
        not_ready: orders::not_ready(suppliers, reckoned, &orders, now),
        orders,
        buy_optional: book.rules.buy_optional,
        now,
        ..KitchenView::default()
    }
}

/// Where something was delivered and is not in the cupboard yet.
pub(crate) fn at_door(book: &Book) -> BTreeSet<PurchaseId> {
    let lies = book.diary.coming.iter().filter(|line| line.delivered.is_some() && !line.put_away);
    lies.filter_map(|line| line.key.purchase.parse().ok()).collect()
}

fn made(key: &str, kept: &Kept<Instructions>, book: &Book, pantry: &Pantry) -> KitchenInstructions {
    let made = &kept.what;
    // What a thing tells is nearer to the truth than what somebody counted once.
    let mut home = book.diary.parts.clone();
    home.extend(pantry.pieces.clone());
    // In the order of the parts, those of which there are enough left out.
    let mut missing = made.missing(1, &home).into_iter().peekable();
    let mut row = |part: &Part, tool: bool| {
        let lacks = missing.next_if(|lacks| lacks.part == *part && lacks.tool == tool);
        let unit = part.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
        let name = plain_name(&part.name);
        let told = pantry.pieces.contains_key(&name).then_some("told");
        KitchenMadePart {
            name: part.name.clone(),
            words: if tool && part.count == 1 {
                format!("{} (a tool)", part.name)
            } else {
                format!("{}{unit} {}", part.count, part.name)
            },
            tool,
            needed: part.count,
            missing: lacks.map_or(0, |lacks| lacks.missing),
            how: told.or_else(|| book.diary.parts.contains_key(&name).then_some("counted")),
        }
    };
    let tools: Vec<_> = made.tools.iter().map(|part| row(part, true)).collect();
    let supplies = made.supplies.iter().map(|part| row(part, false));
    KitchenInstructions {
        key: key.to_owned(),
        name: made.name.clone(),
        description: made.description.clone(),
        parts: tools.into_iter().chain(supplies).collect(),
        steps: made.steps.iter().map(step).collect(),
        own: kept.own,
    }
}

fn step(step: &vestibule_kitchen::Step) -> String {
    match &step.section {
        Some(section) => format!("{section}: {}", step.text),
        None => step.text.clone(),
    }
}

/// What telling needs.
struct Tell<'a> {
    book: &'a Book,
    pantry: &'a Pantry,
    suppliers: &'a Suppliers,
}

impl Tell<'_> {
    fn table(&self) -> &Table {
        &self.book.table
    }

    fn name(&self, id: &IngredientId) -> String {
        self.table().get(id).map_or_else(|| id.to_string(), |food| food.title().to_owned())
    }

    /// `understood`: every line of it is.
    fn ready(&self, ready: Option<&Ready>, understood: bool) -> Readiness {
        match ready {
            None => Readiness::Unknown,
            Some(Ready::Now) if understood => Readiness::Now,
            Some(Ready::Now) => Readiness::Understood,
            Some(Ready::Coming(at)) => Readiness::Coming(*at),
            Some(Ready::Missing(ids)) => Readiness::Missing(ids.iter().map(|id| self.name(id)).collect()),
        }
    }

    fn recipe(&self, key: &str, kept: &Kept<Recipe>, ready: Option<&Ready>) -> KitchenRecipe {
        let recipe = &kept.what;
        let lines = || recipe.ingredients.iter();
        let serves = match (&recipe.serves.text, recipe.serves.servings) {
            (text, _) if !text.is_empty() => text.clone(),
            (_, Some(servings)) => format!("{servings} servings"),
            _ => String::new(),
        };
        let unclear = lines().filter(|line| !line.optional && line.food().is_none());
        let unclear: Vec<String> = unclear.map(|line| line.text.clone()).collect();
        KitchenRecipe {
            key: key.to_owned(),
            name: recipe.name.clone(),
            description: recipe.description.clone(),
            serves,
            minutes: recipe.total_ms.map(|ms| ms.div_ceil(60_000)),
            own: kept.own,
            lines: lines().map(|line| line.text.clone()).collect(),
            steps: recipe.steps.iter().map(step).collect(),
            ready: self.ready(ready, unclear.is_empty()),
            unclear,
        }
    }

    fn dishes(&self, plan: &Plan, now: Option<Timestamp>) -> Vec<KitchenDish> {
        let reckoned: BTreeMap<u64, &DishPlan> = plan.dishes.iter().map(|dish| (dish.id.0, dish)).collect();
        let of = |planned: &crate::diary::Planned| {
            let reckoned = reckoned.get(&planned.id).copied();
            let recipe = &self.book.recipes.get(&planned.recipe)?.what;
            let (instead, unclear) = reckoned.map(|dish| (&dish.instead[..], &dish.unclear[..])).unwrap_or_default();
            let instead =
                instead.iter().map(|(own, taken)| format!("{} instead of {}", self.name(taken), self.name(own)));
            let ready = match reckoned {
                None if now.is_some() => Readiness::Over,
                reckoned => self.ready(reckoned.map(|dish| &dish.ready), unclear.is_empty()),
            };
            let unclear = unclear.iter().map(|line| format!("not understood: {}", line.text));
            Some(KitchenDish {
                id: planned.id,
                recipe: planned.recipe.clone(),
                title: recipe.name.clone(),
                at: planned.at,
                servings: planned.servings,
                ready,
                notes: instead.chain(unclear).collect(),
            })
        };
        let mut dishes: Vec<_> = self.book.diary.dishes.iter().filter_map(of).collect();
        dishes.sort_by_key(|dish| (dish.at, dish.id));
        dishes
    }

    fn title(&self, dish: DishId) -> String {
        let planned = self.book.diary.dishes.iter().find(|planned| planned.id == dish.0);
        let recipe = planned.and_then(|planned| self.book.recipes.get(&planned.recipe));
        recipe.map_or_else(|| format!("dish {}", dish.0), |kept| kept.what.name.clone())
    }

    /// First what dishes need, the most urgent first; then what else there is.
    fn foods(&self, plan: &Plan) -> Vec<KitchenFood> {
        let mut foods: Vec<_> = plan
            .whys
            .values()
            .filter_map(|why| Some((rank(why), self.food(plan, why, self.table().get(&why.ingredient)?))))
            .collect();
        foods.sort_by(|(one, a), (other, b)| (one, &a.name).cmp(&(other, &b.name)));
        foods.into_iter().map(|(_, food)| food).collect()
    }

    fn food(&self, plan: &Plan, why: &Why, food: &Food) -> KitchenFood {
        let sum = |amounts: &mut dyn Iterator<Item = Amount>| {
            let sum = amounts.fold(food.nothing(), |sum, amount| sum.plus(amount).unwrap_or(sum));
            words::some(sum)
        };
        let part = |dish: DishId, amount: Amount| KitchenPart { dish: self.title(dish), amount: words::amount(amount) };
        let reserved = plan.dishes.iter().flat_map(|dish| {
            let own = dish.reserved.iter().filter(|reserved| reserved.ingredient == why.ingredient);
            own.map(|reserved| part(dish.id, reserved.amount))
        });
        let picked = why.picked.as_ref();
        let sources = why.have.iter().map(|have| self.source(have));
        let ignored = why.ignored.iter().map(|(twin, amount, ignored)| self.ignored(twin, *amount, *ignored));
        KitchenFood {
            id: why.ingredient.to_string(),
            name: food.title().to_owned(),
            needed: why.needed.iter().map(|(dish, amount)| part(*dish, *amount)).collect(),
            need: sum(&mut why.needed.iter().map(|(_, amount)| *amount)),
            there: sum(&mut why.have.iter().map(|have| have.amount)),
            sources: sources.chain(ignored).collect(),
            reserved: reserved.collect(),
            coming: why.coming.iter().map(Self::way).collect(),
            way: sum(&mut why.coming.iter().map(|way| way.amount)),
            keep: words::some(why.keep),
            missing: words::some(why.missing),
            order: words::some(why.order),
            by: why.by,
            decision: decision(why.decision),
            goods: picked.map(|picked| orders::words(self.book, picked).join(", ")).unwrap_or_default(),
            price: picked.and_then(|picked| orders::price(self.suppliers, picked)),
            over: picked.map(|picked| words::some(picked.over)).unwrap_or_default(),
        }
    }

    fn place(&self, twin: &TwinId, feature: Option<&FeatureId>) -> String {
        if twin.system().as_str() == COUNTED {
            return "counted by you".to_owned();
        }
        let names = &self.pantry.names;
        let exact = feature.and_then(|feature| names.get(&(twin.clone(), feature.clone())));
        let any = || names.iter().find(|((known, _), _)| known == twin).map(|(_, name)| name);
        exact.or_else(any).cloned().unwrap_or_else(|| twin.to_string())
    }

    fn source(&self, have: &Have) -> KitchenSource {
        KitchenSource {
            place: self.place(&have.twin, Some(&have.feature)),
            how: how(&have.source),
            amount: words::amount(have.amount),
            age_ms: have.age_ms,
            confidence: have.confidence,
            ignored: None,
        }
    }

    fn ignored(&self, twin: &TwinId, amount: Amount, ignored: Ignored) -> KitchenSource {
        let (confidence, why) = match ignored {
            Ignored::Doubtful(confidence) => (confidence, "too old or too unsure a report"),
            Ignored::Spoilt => (0, "past its date"),
            Ignored::Twice => (0, "reported anew since"),
            Ignored::Elsewhere => (0, "counted where it lies by now"),
            Ignored::NoMeasure => (0, "nobody knows how much that is"),
        };
        KitchenSource {
            place: self.place(twin, None),
            how: "told",
            amount: words::amount(amount),
            age_ms: 0,
            confidence,
            ignored: Some(why.to_owned()),
        }
    }

    fn lost(&self, key: &LineKey) -> Option<KitchenLost> {
        let line = self.book.diary.coming.iter().find(|line| line.key == *key)?;
        let name = format!("{} of {}", words::amount(line.amount), self.name(&line.ingredient));
        Some(KitchenLost { purchase: key.purchase.parse().ok()?, line: LineId::new(&*key.line).ok()?, name })
    }

    fn way(way: &Way) -> KitchenWay {
        KitchenWay { amount: words::amount(way.amount), arrives: way.arrives, delivered: way.delivered }
    }
}

fn rank(why: &Why) -> u8 {
    match () {
        () if why.order.number() > 0 => 0,
        () if !why.needed.is_empty() || why.decision == Decision::Unmeasured => 1,
        () if why.decision == Decision::Optional => 2,
        () => 3,
    }
}

const fn how(source: &StockSource) -> &'static str {
    match source {
        StockSource::Scale { .. } => "weighed",
        StockSource::Inventory => "listed",
        StockSource::Counted => "counted",
        StockSource::Delivered(_) => "delivered",
    }
}

const fn decision(decision: Decision) -> KitchenDecision {
    match decision {
        Decision::Order => KitchenDecision::Order,
        Decision::Enough => KitchenDecision::Enough,
        Decision::Coming => KitchenDecision::Coming,
        Decision::Optional => KitchenDecision::Optional,
        Decision::Unmeasured => KitchenDecision::Unmeasured,
        Decision::NoSupplier => KitchenDecision::NoSupplier,
        Decision::Overruled(OverruledBy::Have) => KitchenDecision::Have,
        Decision::Overruled(OverruledBy::Without) => KitchenDecision::Without,
        Decision::Overruled(OverruledBy::Order(_)) => KitchenDecision::Said,
    }
}
