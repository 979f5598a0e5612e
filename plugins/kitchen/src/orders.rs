//! What is ordered where, in words, and what of it is in a cart already.

use std::collections::BTreeMap;

use vestibule_kitchen::{Picked, Split};
use vestibule_model::{Money, SystemId, Timestamp};
use vestibule_twin::{KitchenGoods, KitchenOrder, KitchenSupplier, Shop, ShopCart};

use crate::{
    book::Book,
    supply::{Stocked, Suppliers},
    view::Reckoned,
    words as say,
};

/// Goods and how many: `2 × Milk, 1 l`; goods by measure by how much they are: `600 g of Tomatoes`.
pub(crate) fn words(book: &Book, picked: &Picked) -> Vec<String> {
    let each = picked.items.iter().map(|(item, count)| {
        let known = book.known(&picked.supplier, item);
        let title = known.map_or(item.as_str(), |known| known.title.as_str());
        let all = known.filter(|known| known.by_measure).and_then(|known| {
            let number = known.holds.number().checked_mul(i64::from(*count))?;
            Some(say::amount(known.holds.with(number)))
        });
        all.map_or_else(|| format!("{count} × {title}"), |all| format!("{all} of {title}"))
    });
    each.collect()
}

/// What goods cost.
pub(crate) fn price(suppliers: &Suppliers, picked: &Picked) -> Option<Money> {
    let (item, _) = picked.items.first()?;
    let stocked = suppliers.goods(&picked.supplier, item)?;
    Some(Money::new(picked.price, stocked.currency))
}

/// How much dearer goods may be once they are weighed.
fn dearer(suppliers: &Suppliers, picked: &Picked) -> i64 {
    let each = picked.items.iter().map(|(item, count)| {
        let more = |stocked: &Stocked| {
            let price = stocked.price.checked_mul(i64::from(*count))?.checked_mul(i64::from(stocked.tolerance))?;
            price.checked_add(999)?.checked_div(1_000)
        };
        suppliers.goods(&picked.supplier, item).and_then(more).unwrap_or(0)
    });
    each.fold(0, i64::saturating_add)
}

/// How many of each item a part of an order has.
fn items(split: &Split) -> BTreeMap<&str, u32> {
    let mut items: BTreeMap<&str, u32> = BTreeMap::new();
    for (item, count) in split.picks.values().flat_map(|picked| &picked.items) {
        let sum = items.entry(item).or_default();
        *sum = sum.saturating_add(*count);
    }
    items
}

/// What of a part of an order is not in its supplier's cart yet.
pub(crate) fn lacks(split: &Split, carts: &BTreeMap<SystemId, ShopCart>) -> Vec<(String, u32)> {
    // What was bought is no cart any more.
    let cart = carts.get(&split.supplier).filter(|cart| cart.purchase.is_none());
    let there = |item: &str| {
        // What its merchant has not answered to yet is in it all the same.
        let wanted = cart.into_iter().flat_map(|cart| &cart.wanted).filter(|(known, _)| known == item);
        wanted.fold(0_u32, |sum, (_, count)| sum.saturating_add(*count))
    };
    let lacks = items(split).into_iter().map(|(item, count)| (item.to_owned(), count.saturating_sub(there(item))));
    lacks.filter(|(_, count)| *count > 0).collect()
}

/// What fills the carts.
pub(crate) fn fill(splits: &[Split], carts: &BTreeMap<SystemId, ShopCart>) -> Vec<Shop> {
    let each = splits.iter().map(|split| (split.supplier.clone(), lacks(split, carts)));
    let missing = each.filter(|(_, items)| !items.is_empty());
    missing.map(|(system, items)| Shop::Add { system, items }).collect()
}

/// What is ordered where.
pub(crate) fn of(
    book: &Book,
    suppliers: &Suppliers,
    carts: &BTreeMap<SystemId, ShopCart>,
    reckoned: &Reckoned,
) -> Vec<KitchenOrder> {
    let order = |split: &Split| {
        let money = |amount: i64| Money::new(amount, split.currency);
        let goods = split
            .picks
            .values()
            .map(|picked| KitchenGoods { words: words(book, picked).join(", "), price: money(picked.price) });
        let more = split.picks.values().fold(0_i64, |sum, picked| sum.saturating_add(dearer(suppliers, picked)));
        KitchenOrder {
            system: split.supplier.clone(),
            name: name(suppliers, &split.supplier),
            distance_m: split.distance_m,
            goods: goods.collect(),
            delivery: money(split.window.price),
            between: (split.window.from, split.window.until),
            total: money(split.total),
            at_most: money(split.total.saturating_add(more)),
            in_cart: lacks(split, carts).is_empty(),
        }
    };
    reckoned.splits.iter().flatten().map(order).collect()
}

fn name(suppliers: &Suppliers, system: &SystemId) -> String {
    suppliers.0.get(system).map_or_else(|| system.to_string(), |supplier| supplier.name.clone())
}

/// Who sells food.
pub(crate) fn suppliers(suppliers: &Suppliers, now: Option<Timestamp>) -> Vec<KitchenSupplier> {
    let each = suppliers.0.iter().map(|(system, supplier)| KitchenSupplier {
        system: system.clone(),
        name: supplier.name.clone(),
        agreed: supplier.agreed,
        why_not: supplier.why_not(now.unwrap_or_default()),
    });
    each.collect()
}

/// Why nothing can be ordered, for a person.
pub(crate) fn not_ready(
    suppliers: &Suppliers,
    reckoned: &Reckoned,
    orders: &[KitchenOrder],
    now: Option<Timestamp>,
) -> Option<String> {
    let Some(now) = now else { return Some("The enabler was not reached yet.".to_owned()) };
    // What a person has, or does without, is missing to nobody.
    if reckoned.plan.orders().next().is_none() {
        return Some("Nothing is missing.".to_owned());
    }
    if !orders.is_empty() {
        let all = orders.iter().all(|order| order.in_cart);
        return all.then(|| "All of it is in the cart: it is confirmed there, for exactly what it costs.".to_owned());
    }
    if suppliers.0.is_empty() {
        return Some("No supplier of groceries is known here.".to_owned());
    }
    let why = suppliers
        .0
        .values()
        .filter_map(|supplier| supplier.why_not(now).map(|why| format!("{}: {why}.", supplier.name)));
    let why: Vec<String> = why.collect();
    Some(if why.is_empty() { "Nobody can bring what is missing in time.".to_owned() } else { why.join(" ") })
}
