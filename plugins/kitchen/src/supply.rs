//! Who sells food, and what: as suppliers say it of themselves and of their goods.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use vestibule_kitchen::{Amount, Delivers, Good, Hours, IngredientId, SupplierOffer, Table};
use vestibule_model::{Cell, Currency, Json, SystemId, SystemKind, Timestamp};
use vestibule_twin::{KnownServices, KnownSystem, KnownSystems};
use vestibule_ucp::{Answer, Extension as _, Measure, MeasuredVariant, Product, SearchAnswer, Variant, read_answer};

/// What suppliers of groceries call themselves.
const SUPPLIER: &str = "supplier";
/// The service that says what is sold.
pub(crate) const SEARCH: &str = "search";
/// Goods of one supplier that are known: a shop on the corner, not a warehouse.
const MOST_GOODS: usize = 2_000;
/// Suppliers that are followed.
const MOST_SUPPLIERS: usize = 32;
/// Letters of a name.
const MOST_LETTERS: usize = 120;

/// What one of some goods is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    pub ingredient: IngredientId,
    pub holds: Amount,
    pub title: String,
    /// It is weighed when it is packed: one is one step.
    pub by_measure: bool,
}

/// Goods, and what they cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stocked {
    pub known: Known,
    pub price: i64,
    pub currency: Currency,
    pub least: u32,
    pub there: bool,
    /// How much dearer it may be once it is weighed, in thousandths; 0: it costs what it costs.
    pub tolerance: u16,
}

/// A supplier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Supplier {
    pub name: String,
    cell: Option<Cell>,
    hours: Option<Hours>,
    delivers: Option<Delivers>,
    /// Its services may be used.
    pub agreed: bool,
    pub online: bool,
    /// What it has, by what it calls it; none: it has not said.
    pub goods: Option<BTreeMap<String, Stocked>>,
    /// What of it was told since it was asked anew.
    told: BTreeSet<String>,
    /// Why its last answer could not be used.
    pub problem: Option<String>,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Suppliers(pub BTreeMap<SystemId, Supplier>);

fn short(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(MOST_LETTERS).collect()
}

impl Suppliers {
    /// What the enabler knows of them. Whether anything is different.
    pub(crate) fn look(&mut self, systems: &KnownSystems, services: &KnownServices, now: Option<Timestamp>) -> bool {
        let sells =
            |known: &&KnownSystem| known.info.kind == SystemKind::ThirdParty && known.info.system_type == SUPPLIER;
        let mut found = BTreeMap::new();
        for known in systems.systems.values().filter(sells).take(MOST_SUPPLIERS) {
            let id = &known.info.id;
            let said = |name: &str| known.info.properties.get(name).map(String::as_str);
            let agreed = services
                .valid(id, now)
                .is_some_and(|agreed| agreed.services.iter().any(|service| service.as_str() == SEARCH));
            let before = self.0.get(id).cloned().unwrap_or_default();
            let supplier = Supplier {
                name: short(&known.info.name),
                cell: known.info.place,
                hours: said("hours").and_then(Hours::read),
                delivers: said("delivers").and_then(Delivers::read),
                agreed,
                online: known.health.online,
                ..before
            };
            found.insert(id.clone(), supplier);
        }
        let changed = self.0 != found;
        self.0 = found;
        changed
    }

    /// Takes what a supplier said that it sells, in addition to what is known of it. Gives the place of the next page.
    pub(crate) fn take(&mut self, system: &SystemId, said: &Json, table: &Table) -> Option<String> {
        let supplier = self.0.get_mut(system)?;
        let found = match read_answer::<SearchAnswer>(said.as_str().as_bytes()) {
            Ok(Answer::Is(found)) => found,
            Ok(Answer::Refused(_)) => {
                supplier.problem = Some("it does not say what it sells".to_owned());
                return None;
            }
            Err(error) => {
                supplier.problem = Some(format!("its answer cannot be used: {error}"));
                return None;
            }
        };
        supplier.problem = None;
        let goods = supplier.goods.get_or_insert_default();
        for product in &found.products {
            for variant in &product.variants {
                let Some(stocked) = stocked(product, variant, table) else { continue };
                supplier.told.insert(variant.id.to_string());
                if goods.len() < MOST_GOODS || goods.contains_key(variant.id.as_str()) {
                    goods.insert(variant.id.to_string(), stocked);
                }
            }
        }
        found.pagination.filter(|page| page.has_next_page).and_then(|page| page.cursor)
    }

    /// A supplier is asked anew for all that it sells.
    pub(crate) fn begin(&mut self, system: &SystemId) {
        if let Some(supplier) = self.0.get_mut(system) {
            supplier.told.clear();
        }
    }

    /// A supplier has told all that it sells: what it has not told of since it was asked it sells no more.
    pub(crate) fn end(&mut self, system: &SystemId) {
        if let Some(supplier) = self.0.get_mut(system).filter(|supplier| supplier.problem.is_none()) {
            let told = std::mem::take(&mut supplier.told);
            supplier.goods.iter_mut().for_each(|goods| goods.retain(|item, _| told.contains(item)));
        }
    }

    /// What can be ordered where, at `now`.
    pub(crate) fn offers(&self, now: Timestamp) -> Vec<SupplierOffer> {
        self.0.iter().filter_map(|(id, supplier)| supplier.offer(id, now)).collect()
    }

    pub(crate) fn goods(&self, system: &SystemId, item: &str) -> Option<&Stocked> {
        self.0.get(system)?.goods.as_ref()?.get(item)
    }
}

impl Supplier {
    /// Why nothing can be ordered here, for a person; none: it can.
    pub(crate) fn why_not(&self, now: Timestamp) -> Option<String> {
        let opens = self.hours.as_ref().and_then(|hours| hours.opens(now));
        match self {
            Self { online: false, .. } => Some("it cannot be reached".to_owned()),
            Self { agreed: false, .. } => Some("nothing is agreed with it".to_owned()),
            Self { problem: Some(problem), .. } => Some(problem.clone()),
            Self { goods: None, .. } => Some("it has not said yet what it sells".to_owned()),
            Self { hours: None, .. } => Some("it does not say when it is open".to_owned()),
            Self { delivers: None, .. } => Some("it does not say when it delivers".to_owned()),
            _ if opens.is_some() => opens.map(|at| format!("it is closed until {}", at.to_utc())),
            _ => None,
        }
    }

    fn offer(&self, id: &SystemId, now: Timestamp) -> Option<SupplierOffer> {
        let can = self.online && self.agreed;
        let (goods, hours, delivers) = (self.goods.as_ref()?, self.hours.clone()?, self.delivers.as_ref()?);
        let currency = goods.values().map(|stocked| stocked.currency).next()?;
        let mut by_food: BTreeMap<IngredientId, Vec<Good>> = BTreeMap::new();
        for (item, stocked) in goods.iter().filter(|(_, stocked)| stocked.currency == currency && stocked.there) {
            by_food.entry(stocked.known.ingredient.clone()).or_default().push(Good {
                item: item.clone(),
                holds: stocked.known.holds,
                price: stocked.price,
                least: stocked.least,
                available: None,
            });
        }
        let windows = delivers.windows(now);
        can.then(|| SupplierOffer { supplier: id.clone(), cell: self.cell, hours, currency, windows, goods: by_food })
    }
}

/// What goods are, where that is a food and somebody knows how much of it.
fn stocked(product: &Product, variant: &Variant, table: &Table) -> Option<Stocked> {
    let name = |text: &str| table.named(text);
    let by_id = || name(&product.id.as_str().replace(['_', '-'], " "));
    let food = name(&product.title).or_else(by_id)?;
    let measured = variant.metadata.as_ref().and_then(|metadata| MeasuredVariant::of(metadata).ok().flatten());
    let holds = match &measured {
        Some(measured) => format!("{} {}", measured.step.get(), measured.unit).parse().ok()?,
        None => {
            variant.unit_price.as_ref().and_then(|unit| holds(&unit.measure)).or_else(|| variant.title.parse().ok())?
        }
    };
    food.to_base(holds)?;
    let by_measure = measured.is_some();
    // "In steps of 50 g" is no name.
    let title = if by_measure { product.title.clone() } else { format!("{}, {}", product.title, variant.title) };
    let there = variant.availability.as_ref().is_none_or(|there| there.available != Some(false));
    Some(Stocked {
        known: Known { ingredient: food.id.clone(), holds, title: short(&title), by_measure },
        price: variant.price.amount.get(),
        currency: variant.price.currency,
        least: measured.as_ref().map_or(1, |measured| measured.least_steps.get()),
        there,
        tolerance: measured.as_ref().map_or(0, |measured| measured.tolerance_permille),
    })
}

fn holds(measure: &Measure) -> Option<Amount> {
    format!("{} {}", measure.value, measure.unit).parse().ok()
}

#[cfg(test)]
#[path = "supply_tests.rs"]
pub(crate) mod tests;
