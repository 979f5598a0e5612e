//! What was bought and is not in the cupboard yet: from purchases to lines that are on their way, each once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use vestibule_kitchen::{Amount, Coming, Delivery, Food, IngredientId, LineKey, OverruledBy};
use vestibule_model::{
    Carrying, OrderLine, OrderView, PurchaseId, PurchaseState, PurchaseUpdate, SystemId, Timestamp, Unit, Weighed,
};
use vestibule_twin::{FoodDelivered, KnownPurchases, ShopCart};

use crate::{
    book::{Book, goods_key},
    diary::MOST_COMING,
    supply::{Known, Stocked, Suppliers},
    words,
};

/// Purchases are followed for so long: what has not come in two months will not.
const FOLLOWED_MS: u64 = 60 * 24 * 60 * 60 * 1_000;
/// What things tell is written down anew where it differs by such a share of what comes: scales tremble.
const TREMBLES: i64 = 20;

/// What is known of buying.
pub(crate) struct Bought<'a> {
    pub purchases: &'a KnownPurchases,
    pub carts: &'a BTreeMap<SystemId, ShopCart>,
    pub suppliers: &'a Suppliers,
    /// How much there is of a food, as far as things at home tell and a person has counted.
    pub told: &'a BTreeMap<IngredientId, Amount>,
    /// Things at home do tell: what is not among it is not there.
    pub things_tell: bool,
    pub now: Timestamp,
    /// Since when this kitchen looks.
    pub began: Timestamp,
}

/// What has come of following.
pub(crate) struct News {
    /// The diary is different.
    pub diary: bool,
    /// The rules are.
    pub rules: bool,
    /// What has been delivered just now.
    pub came: Vec<FoodDelivered>,
}

/// A line of a purchase as it is now.
struct Line {
    key: LineKey,
    ingredient: IngredientId,
    amount: Amount,
    /// When it was bought.
    since: Timestamp,
    arrives: Option<Timestamp>,
    /// How much of it was brought, where that is not all of it.
    part: Option<Amount>,
    /// When it was delivered, as far as it was.
    delivered: Option<Timestamp>,
}

/// Brings the book up to date.
pub(crate) fn follow(book: &mut Book, bought: &Bought<'_>) -> News {
    learn(book, bought);
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
        let carted = carted(book, cart, id, bought.now);
        // Once its merchant has shown the order, the cart is history: lines may be called otherwise there.
        let (id, is_carted) = (id.to_string(), |key: &LineKey| carted.iter().any(|line| line.key == *key));
        let shown = book.diary.coming.iter().any(|line| *line.key.purchase == *id && !is_carted(&line.key));
        if open && !shown {
            lines.extend(carted.into_iter().map(of));
        }
    }
    let (before, ruled) = (book.diary.coming.clone(), book.rules.overrule.len());
    let came = merge(book, lines, bought);
    News { diary: before != book.diary.coming, rules: ruled != book.rules.overrule.len(), came }
}

fn place(line: &Coming) -> (Arc<str>, IngredientId) {
    (line.key.purchase.clone(), line.ingredient.clone())
}

fn of(line: Line) -> (LineKey, Line) {
    (line.key.clone(), line)
}

/// What goods are is remembered: an order may outlive the catalogue. Where there is no more room, those go that nobody offers
/// and nobody has bought lately.
fn learn(book: &mut Book, bought: &Bought<'_>) {
    // Before purchases were told, nobody knows what was bought.
    if !know_all(book, bought.suppliers) && bought.purchases.complete {
        let suppliers = &bought.suppliers.0;
        let items = |update: &PurchaseUpdate| -> Vec<String> {
            let lines = update.order.iter().flat_map(|order| &order.lines);
            lines.map(|line| goods_key(&update.system, &line.item)).collect()
        };
        let carts = bought.carts.values();
        let carted = carts.flat_map(|cart| cart.lines.iter().map(move |line| goods_key(&cart.system, &line.item)));
        let named: BTreeSet<String> = bought.purchases.by_id.values().flat_map(items).chain(carted).collect();
        book.diary.goods.retain(|key, _| {
            let of = key.split_once(' ');
            let of = of.and_then(|(system, item)| Some((suppliers.get(&SystemId::new(system).ok()?)?, item)));
            // One that has not said yet what it has may still offer it.
            named.contains(key)
                || of.is_some_and(|(of, item)| of.goods.as_ref().is_none_or(|all| all.contains_key(item)))
        });
        know_all(book, bought.suppliers);
    }
}

/// Whether there was room for all of it.
fn know_all(book: &mut Book, suppliers: &Suppliers) -> bool {
    let mut room = true;
    for (system, supplier) in &suppliers.0 {
        for (item, Stocked { known, .. }) in supplier.goods.iter().flatten() {
            room &= book.know(system, item, known);
        }
    }
    room
}

fn ordered(book: &Book, update: &PurchaseUpdate, order: &OrderView) -> Vec<Line> {
    let line = |line: &OrderLine| {
        let known = book.known(&update.system, &line.item)?;
        let gone = matches!(line.carrying, Carrying::Returned | Carrying::Lost);
        let amount = line.measured.and_then(weighed).or_else(|| times(known, line.total))?;
        let all = line.total > 0 && line.fulfilled >= line.total;
        let part = || amount.share_up(u64::from(line.fulfilled), u64::from(line.total));
        (line.total > 0 && !gone).then(|| Line {
            key: LineKey::new(&update.id.to_string(), line.id.as_str()),
            ingredient: known.ingredient.clone(),
            amount,
            since: update.confirmed,
            arrives: order.expected.map(|(_, until)| until),
            part: (!all && line.fulfilled > 0).then(part).flatten(),
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

fn carted(book: &Book, cart: &ShopCart, id: PurchaseId, now: Timestamp) -> Vec<Line> {
    let chosen = cart.deliveries.iter().find(|delivery| delivery.chosen);
    let arrives = chosen.and_then(|delivery| delivery.between.1);
    let line = |line: &vestibule_twin::ShopLine| {
        let known = book.known(&cart.system, &line.item)?;
        let amount = times(known, line.quantity)?;
        let key = LineKey::new(&id.to_string(), &line.id);
        let ingredient = known.ingredient.clone();
        Some(Line { key, ingredient, amount, since: now, arrives, part: None, delivered: None })
    };
    cart.lines.iter().filter_map(line).collect()
}

fn times(known: &Known, count: u32) -> Option<Amount> {
    let number = known.holds.number().checked_mul(i64::from(count))?;
    Some(known.holds.with(number))
}

/// Lines are added and changed; those of purchases that are known and have them no more go, and so do those that are too
/// old. What was found delivered before stays so: the cupboard was looked at then.
fn merge(book: &mut Book, mut lines: BTreeMap<LineKey, Line>, bought: &Bought<'_>) -> Vec<FoodDelivered> {
    let mut came: BTreeMap<PurchaseId, Vec<(String, f64)>> = BTreeMap::new();
    let mut kept = Vec::with_capacity(book.diary.coming.len());
    let followed: BTreeSet<_> = book.diary.coming.iter().map(|line| line.key.purchase.clone()).collect();
    // An order's lines take the place of the cart's: what was told before these came counts for them.
    let told: BTreeMap<_, _> = book.diary.coming.iter().filter_map(|line| Some((place(line), line.told?))).collect();
    for mut old in std::mem::take(&mut book.diary.coming) {
        let purchase: Option<PurchaseId> = old.key.purchase.parse().ok();
        match lines.remove(&old.key) {
            Some(line) => {
                let since = old.since.map_or(line.since, |since| since.min(line.since));
                (old.amount, old.since, old.arrives) = (line.amount, Some(since), line.arrives);
                if old.delivered.is_none() {
                    old.told = told_before(book, &old, &line, bought);
                    old.part = line.part;
                    old.delivered = line.delivered.map(|at| delivery(book, &line, (at, old.told), bought));
                    if old.delivered.is_some() {
                        // What a person had given up has come after all.
                        old.put_away = false;
                        let foods = purchase.map(|purchase| came.entry(purchase).or_default());
                        foods.into_iter().for_each(|foods| foods.extend(brought(book, &line)));
                    }
                }
                kept.push(old);
            }
            // The enabler has not told of it yet, after a start, or tells of newer ones only: it stays as it was.
            None if purchase.is_some_and(|id| may_come(&mut old, id, bought)) => kept.push(old),
            None => {}
        }
    }
    for line in lines.into_values() {
        let before = told.get(&(line.key.purchase.clone(), line.ingredient.clone())).copied();
        let delivered = line.delivered.map(|at| delivery(book, &line, (at, before), bought));
        let is_followed = followed.contains(&line.key.purchase);
        // What was bought before this kitchen began, and brought before it knew of it, is looked for, and nobody is told
        // that it came just now.
        let is_new = is_followed || line.since >= bought.began;
        if delivered.is_some()
            && is_new
            && let Ok(purchase) = line.key.purchase.parse::<PurchaseId>()
        {
            came.entry(purchase).or_default().extend(brought(book, &line));
        }
        // "Buy exactly so much" was said of one purchase: this is it.
        let ordered = matches!(book.rules.overrule.get(&line.ingredient), Some(OverruledBy::Order(_)));
        if ordered && !is_followed && (is_new || delivered.is_none()) {
            book.rules.overrule.remove(&line.ingredient);
        }
        let told = before.or_else(|| told_now(book, &line.ingredient, bought));
        let Line { key, ingredient, amount, since, arrives, part, .. } = line;
        kept.push(Coming {
            key,
            ingredient,
            amount,
            since: Some(since),
            arrives,
            told,
            part,
            delivered,
            put_away: false,
        });
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

/// Whether a line of a purchase that tells of it no more may still come: nobody has told anything of the purchase, and it is
/// not too old.
fn may_come(line: &mut Coming, purchase: PurchaseId, bought: &Bought<'_>) -> bool {
    // One that was written down without its moment is as old as this.
    let since = *line.since.get_or_insert(bought.now);
    let told = bought.purchases.by_id.contains_key(&purchase) || bought.purchases.refused.contains_key(&purchase);
    !told && bought.now.since(since) < FOLLOWED_MS
}

/// How much of a food there is by now; none where nothing at home has told anything yet.
fn told_now(book: &Book, ingredient: &IngredientId, bought: &Bought<'_>) -> Option<Amount> {
    let nothing = || book.table.get(ingredient).filter(|_| bought.things_tell).map(Food::nothing);
    bought.told.get(ingredient).copied().or_else(nothing)
}

/// How much there was before any of a line came: it is kept while this program does not run.
fn told_before(book: &Book, old: &Coming, line: &Line, bought: &Bought<'_>) -> Option<Amount> {
    let now = told_now(book, &line.ingredient, bought);
    let (Some(before), Some(told)) = (old.told, now) else { return old.told.or(now) };
    let some_came = old.part.is_some() || line.part.is_some() || line.delivered.is_some();
    let comes = book.table.get(&line.ingredient).and_then(|food| food.to_base(line.amount)).map_or(0, Amount::number);
    let differs = before.number().abs_diff(told.number()) > (comes / TREMBLES).unsigned_abs();
    Some(if !some_came && differs { told } else { before })
}

/// A line was delivered: its stock is what was told before, as far as that is known, else what is told now.
fn delivery(book: &Book, line: &Line, (at, before): (Timestamp, Option<Amount>), bought: &Bought<'_>) -> Delivery {
    let told = before.or_else(|| bought.told.get(&line.ingredient).copied());
    let nothing = || book.table.get(&line.ingredient).map_or(line.amount.with(0), Food::nothing);
    Delivery { at, stock: told.unwrap_or_else(nothing) }
}

/// What a hand puts away, as shelves and fridges call and measure it.
fn brought(book: &Book, line: &Line) -> Option<(String, f64)> {
    let food = book.table.get(&line.ingredient)?;
    Some((food.title().to_owned(), words::plain(food.to_base(line.amount)?)))
}

#[cfg(test)]
#[path = "coming_tests.rs"]
pub(crate) mod tests;
