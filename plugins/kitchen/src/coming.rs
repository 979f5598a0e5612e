//! What was bought and is not in the cupboard yet: from purchases to lines that are on their way, each once.

use std::collections::{BTreeMap, BTreeSet};

use vestibule_kitchen::{Amount, Coming, Delivery, IngredientId, LineKey};
use vestibule_model::{
    Carrying, OrderLine, OrderView, PurchaseId, PurchaseState, PurchaseUpdate, SystemId, Timestamp, Unit, Weighed,
};
use vestibule_twin::{FoodDelivered, KnownPurchases, ShopCart};

use crate::{
    book::{Book, MOST_COMING},
    supply::{Known, Stocked, Suppliers},
    words,
};

/// Purchases are followed for so long: what has not come in two months will not.
const FOLLOWED_MS: u64 = 60 * 24 * 60 * 60 * 1_000;

/// What is known of buying.
pub(crate) struct Bought<'a> {
    pub purchases: &'a KnownPurchases,
    pub carts: &'a BTreeMap<SystemId, ShopCart>,
    pub suppliers: &'a Suppliers,
    /// How much of a food things at home tell.
    pub told: &'a BTreeMap<IngredientId, Amount>,
    pub now: Timestamp,
    /// Since when this kitchen looks.
    pub began: Timestamp,
}

/// A line of a purchase as it is now.
struct Line {
    key: LineKey,
    ingredient: IngredientId,
    amount: Amount,
    arrives: Option<Timestamp>,
    /// When it was delivered, as far as it was.
    delivered: Option<Timestamp>,
}

/// Brings the book up to date. Whether anything is different, and what has been delivered just now.
pub(crate) fn follow(book: &mut Book, bought: &Bought<'_>) -> (bool, Vec<FoodDelivered>) {
    learn(book, bought.suppliers);
    let mut lines: BTreeMap<LineKey, Line> = BTreeMap::new();
    let recent = |update: &&PurchaseUpdate| bought.now.since(update.confirmed) < FOLLOWED_MS;
    let known: BTreeMap<PurchaseId, &PurchaseUpdate> =
        bought.purchases.by_id.values().filter(recent).map(|update| (update.id, update)).collect();
    for update in known.values() {
        if !matches!(update.state, PurchaseState::NotPlaced { .. } | PurchaseState::Canceled { .. }) {
            let order = update.order.as_ref();
            lines.extend(order.into_iter().flat_map(|order| ordered(book, update, order)).map(of));
        }
    }
    // Confirmed, and its merchant has not shown the order yet: the cart says what is in it.
    for cart in bought.carts.values() {
        let Some(id) = cart.purchase else { continue };
        let open = known.get(&id).map_or(bought.purchases.in_doubt.contains(&id), |update| {
            update.order.is_none() && !update.state.is_final()
        });
        let carted = carted(book, cart, id);
        // Once its merchant has shown the order, the cart is history: lines may be called otherwise there.
        let (id, is_carted) = (id.to_string(), |key: &LineKey| carted.iter().any(|line| line.key == *key));
        let shown = book.diary.coming.iter().any(|line| *line.key.purchase == *id && !is_carted(&line.key));
        if open && !shown {
            lines.extend(carted.into_iter().map(of));
        }
    }
    let before = book.diary.coming.clone();
    let came = merge(book, &known, lines, bought);
    (before != book.diary.coming, came)
}

fn of(line: Line) -> (LineKey, Line) {
    (line.key.clone(), line)
}

/// What goods are is remembered: an order may outlive the catalogue.
fn learn(book: &mut Book, suppliers: &Suppliers) {
    for (system, supplier) in &suppliers.0 {
        for (item, Stocked { known, .. }) in supplier.goods.iter().flatten() {
            book.know(system, item, known);
        }
    }
}

fn ordered(book: &Book, update: &PurchaseUpdate, order: &OrderView) -> Vec<Line> {
    let line = |line: &OrderLine| {
        let known = book.known(&update.system, &line.item)?;
        let gone = matches!(line.carrying, Carrying::Returned | Carrying::Lost);
        let amount = line.measured.and_then(weighed).or_else(|| times(known, line.total))?;
        let all = line.total > 0 && line.fulfilled >= line.total;
        (line.total > 0 && !gone).then(|| Line {
            key: LineKey::new(&update.id.to_string(), line.id.as_str()),
            ingredient: known.ingredient.clone(),
            amount,
            arrives: order.expected.map(|(_, until)| until),
            delivered: all.then_some(update.at),
        })
    };
    order.lines.iter().filter_map(line).collect()
}

/// What was weighed, where it was weighed as food is.
fn weighed(weighed: Weighed) -> Option<Amount> {
    let milli = i64::try_from(weighed.milli).ok()?;
    match weighed.unit {
        Unit::Gram => Some(Amount::Mass(milli)),
        Unit::Kilogram => Some(Amount::Mass(milli.checked_mul(1_000)?)),
        Unit::Millilitre => Some(Amount::Volume(milli)),
        Unit::Litre => Some(Amount::Volume(milli.checked_mul(1_000)?)),
        _ => None,
    }
}

fn carted(book: &Book, cart: &ShopCart, id: PurchaseId) -> Vec<Line> {
    let chosen = cart.deliveries.iter().find(|delivery| delivery.chosen);
    let arrives = chosen.and_then(|delivery| delivery.between.1);
    let line = |line: &vestibule_twin::ShopLine| {
        let known = book.known(&cart.system, &line.item)?;
        let amount = times(known, line.quantity)?;
        let key = LineKey::new(&id.to_string(), &line.id);
        Some(Line { key, ingredient: known.ingredient.clone(), amount, arrives, delivered: None })
    };
    cart.lines.iter().filter_map(line).collect()
}

fn times(known: &Known, count: u32) -> Option<Amount> {
    let number = known.holds.number().checked_mul(i64::from(count))?;
    Some(known.holds.with(number))
}

/// Lines are added and changed; those of purchases that are known and have them no more go. What was found delivered
/// before stays so: the cupboard was looked at then.
fn merge(
    book: &mut Book,
    known: &BTreeMap<PurchaseId, &PurchaseUpdate>,
    mut lines: BTreeMap<LineKey, Line>,
    bought: &Bought<'_>,
) -> Vec<FoodDelivered> {
    let mut came: BTreeMap<PurchaseId, Vec<(String, f64)>> = BTreeMap::new();
    let mut kept = Vec::with_capacity(book.diary.coming.len());
    let followed: BTreeSet<_> = book.diary.coming.iter().map(|line| line.key.purchase.clone()).collect();
    for mut old in std::mem::take(&mut book.diary.coming) {
        let purchase: Option<PurchaseId> = old.key.purchase.parse().ok();
        match lines.remove(&old.key) {
            Some(line) => {
                (old.amount, old.arrives) = (line.amount, line.arrives);
                if old.delivered.is_none() {
                    old.delivered = line.delivered.map(|at| delivery(book, &line, at, bought));
                    if old.delivered.is_some() && !old.put_away {
                        let foods = purchase.map(|purchase| came.entry(purchase).or_default());
                        foods.into_iter().for_each(|foods| foods.extend(brought(book, &line)));
                    }
                }
                kept.push(old);
            }
            // The enabler has not told of it yet, after a start: it stays as it was.
            None if purchase.is_some_and(|id| !known.contains_key(&id)) && !refused(bought, purchase) => kept.push(old),
            None => {}
        }
    }
    for line in lines.into_values() {
        let delivered = line.delivered.map(|at| delivery(book, &line, at, bought));
        // What was bought before this kitchen began, and brought before it knew of it, is looked for, and nobody is told
        // that it came just now.
        if delivered.is_some()
            && let Ok(purchase) = line.key.purchase.parse::<PurchaseId>()
            && (followed.contains(&line.key.purchase)
                || known.get(&purchase).is_some_and(|update| update.confirmed >= bought.began))
        {
            came.entry(purchase).or_default().extend(brought(book, &line));
        }
        let (key, ingredient, amount, arrives) = (line.key, line.ingredient, line.amount, line.arrives);
        kept.push(Coming { key, ingredient, amount, arrives, delivered, put_away: false });
    }
    kept.sort_by(|one, other| one.key.cmp(&other.key));
    // Too many: what is in the cupboard is forgotten first.
    if kept.len() > MOST_COMING {
        kept.sort_by_key(|line| line.put_away);
        kept.truncate(MOST_COMING);
    }
    book.diary.coming = kept;
    came.into_iter().map(|(purchase, foods)| FoodDelivered { purchase, foods }).collect()
}

fn refused(bought: &Bought<'_>, purchase: Option<PurchaseId>) -> bool {
    purchase.is_some_and(|id| bought.purchases.refused.contains_key(&id))
}

fn delivery(book: &Book, line: &Line, at: Timestamp, bought: &Bought<'_>) -> Delivery {
    let nothing = book.table.get(&line.ingredient).map_or(line.amount.with(0), |food| food.nothing());
    Delivery { at, stock: bought.told.get(&line.ingredient).copied().unwrap_or(nothing) }
}

/// What a hand puts away, as shelves and fridges call and measure it.
fn brought(book: &Book, line: &Line) -> Option<(String, f64)> {
    let food = book.table.get(&line.ingredient)?;
    Some((food.title().to_owned(), words::plain(food.to_base(line.amount)?)))
}

#[cfg(test)]
#[path = "coming_tests.rs"]
mod tests;
