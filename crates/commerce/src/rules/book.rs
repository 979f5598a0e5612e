//! What a merchant sells and how it works: read from a file once, then fixed.

use serde::Deserialize;
use vestibule_model::{Cell, Currency};
use vestibule_ucp::{Extension as _, MeasuredVariant, Positive};

use super::Broken;

/// Items of a catalogue: a person's merchant, not a warehouse.
const MAX_ITEMS: usize = 1_000;

/// Recipes of one merchant, and bytes of all of them: they are one answer.
const MAX_RECIPES: usize = 50;
const MAX_RECIPES_BYTES: usize = 48 * 1024;

/// A merchant's book.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Book {
    pub(crate) name: String,
    /// `shop`, `manufacturer`, `supplier`: what users look for.
    pub(crate) system_type: String,
    /// What people's order numbers begin with.
    pub(crate) label: String,
    pub(crate) currency: Currency,
    pub(crate) tax_permille: u64,
    pub(crate) tax_text: String,
    /// Where it delivers to, by two letters.
    pub(crate) countries: Vec<String>,
    /// In words, as `Mo-Sa 08:00-20:00`.
    pub(crate) hours: String,
    /// Where it is, as exact as it wants to tell.
    #[serde(default)]
    pub(crate) place: Option<Cell>,
    pub(crate) pace: Pace,
    #[serde(default)]
    pub(crate) delivery: Vec<Delivery>,
    #[serde(default)]
    pub(crate) windows: Option<Windows>,
    #[serde(default)]
    pub(crate) maker: Option<Maker>,
    /// What can be cooked of what it sells: schema.org recipes, each as JSON-LD.
    #[serde(default)]
    pub(crate) recipes: Vec<String>,
    #[serde(default, rename = "product")]
    pub(crate) products: Vec<Goods>,
}

/// How long things take, in seconds of the merchant's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pace {
    /// Until an order is looked at.
    pub(crate) accept_s: u64,
    /// Until it is packed.
    pub(crate) pack_s: u64,
    /// Until the carrier has it.
    pub(crate) collect_s: u64,
    /// Until it is near.
    pub(crate) ride_s: u64,
    /// Until it is at the door.
    pub(crate) doorstep_s: u64,
}

/// A way of bringing something.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) carrier: String,
    pub(crate) price: i64,
    /// Not before so many seconds from the order on.
    pub(crate) from_s: u64,
    /// Not after.
    pub(crate) to_s: u64,
}

/// Hours within which something is brought.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Windows {
    /// Days that it is open, Monday is 1.
    pub(crate) days: Vec<u8>,
    /// From and to, hours of the day in UTC.
    pub(crate) hours: Vec<[u8; 2]>,
    /// Ordered until so many seconds before.
    pub(crate) cut_off_s: u64,
    /// How many are offered.
    pub(crate) ahead: usize,
    pub(crate) carrier: String,
    pub(crate) price: i64,
}

/// How things are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Maker {
    /// How many orders are made at once.
    pub(crate) machines: u32,
    /// How long it is looked at.
    pub(crate) quality_s: u64,
    /// How long a price holds, in real seconds.
    pub(crate) quote_s: u64,
}

/// Something that is sold.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Goods {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(rename = "item")]
    pub(crate) items: Vec<Piece>,
}

/// What can be put into a checkout.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Piece {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) price: i64,
    pub(crate) stock: i64,
    #[serde(default)]
    pub(crate) pack: Option<Pack>,
    #[serde(default)]
    pub(crate) measured: Option<Measured>,
    #[serde(default)]
    pub(crate) allergens: Option<String>,
    /// Its shape at true size, as GLB.
    #[serde(default)]
    pub(crate) model: Option<String>,
}

/// How much is in it, and what its price is compared by.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pack {
    pub(crate) value: u32,
    pub(crate) unit: String,
    pub(crate) reference: u32,
    pub(crate) reference_unit: String,
}

/// Goods that are weighed when they are packed: a quantity counts steps.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measured {
    pub(crate) unit: String,
    pub(crate) step: u32,
    pub(crate) least_steps: u32,
    pub(crate) tolerance_permille: u16,
}

impl Measured {
    /// As variants tell it.
    pub(crate) fn metadata(&self) -> Result<vestibule_ucp::More, Broken> {
        let mut more = vestibule_ucp::More::new();
        let told = MeasuredVariant {
            unit: self.unit.clone(),
            step: Positive::new(self.step.into())?,
            least_steps: Positive::new(self.least_steps.into())?,
            tolerance_permille: self.tolerance_permille,
            more: vestibule_ucp::More::new(),
        };
        told.put(&mut more);
        Ok(more)
    }
}

impl Book {
    /// How long it takes until something is packed on which a machine works for so long, once one is free. Nothing for
    /// what lies on a shelf: its ways of delivering count from the order on.
    pub(crate) fn lead_s(&self, machine_s: u64) -> u64 {
        if machine_s == 0 {
            return 0;
        }
        // All of an order is made on one machine, however many stand there.
        let quality_s = self.maker.map_or(0, |maker| maker.quality_s);
        let beside = self.pace.accept_s.saturating_add(quality_s).saturating_add(self.pace.pack_s);
        machine_s.saturating_add(beside)
    }

    /// Reads a book and holds it against what a merchant can do.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(crate) fn read(text: &str) -> Result<Self, Broken> {
        let book: Self = toml::from_str(text).map_err(|error| Broken(error.to_string()))?;
        book.check().map(|()| book)
    }

    fn check(&self) -> Result<(), Broken> {
        let rule = |holds: bool, rule: &str| if holds { Ok(()) } else { Err(Broken(rule.to_owned())) };
        let ids: std::collections::BTreeSet<&str> = self.pieces().map(|piece| piece.id.as_str()).collect();
        rule(ids.len() == self.pieces().count(), "two items have the same id")?;
        rule(ids.len() <= MAX_ITEMS, "more items than one merchant sells")?;
        let amounts = self.pieces().map(|piece| piece.price).chain(self.delivery.iter().map(|one| one.price));
        for amount in amounts.chain(self.windows.iter().map(|one| one.price)) {
            rule((0..=100_000_000).contains(&amount), "a price is from 0 to 1,000,000.00")?;
        }
        rule(self.pieces().all(|piece| (0..=1_000_000).contains(&piece.stock)), "a stock is from 0 to 1,000,000")?;
        rule(self.products.iter().all(|goods| !goods.items.is_empty()), "a product has one item at least")?;
        rule(!self.delivery.is_empty() || self.windows.is_some(), "there is one way of delivering at least")?;
        rule(self.tax_permille <= 1_000, "a tax is at most as much as the price")?;
        let is_label = self.maker.is_none() || begins_serials(&self.label);
        rule(
            is_label,
            "a label of who makes things has 1 to 16 capital letters, digits and '-': serials begin with it",
        )?;
        if let Some(windows) = &self.windows {
            let hours = windows.hours.iter().all(|[from, to]| from < to && *to <= 24);
            rule(hours && windows.days.iter().all(|day| (1..=7).contains(day)), "windows lie within days")?;
            let some = !windows.days.is_empty() && !windows.hours.is_empty() && (1..=32).contains(&windows.ahead);
            rule(some, "windows are 1 to 32 on some days at some hours")?;
        }
        for measured in self.pieces().filter_map(|piece| piece.measured.as_ref()) {
            let fits = measured.step > 0 && measured.least_steps > 0 && measured.tolerance_permille <= 500;
            rule(fits, "steps are more than nothing, and what is weighed is off by half at most")?;
        }
        rule(self.recipes.len() <= MAX_RECIPES, "more than 50 recipes")?;
        let bytes: usize = self.recipes.iter().map(String::len).sum();
        rule(bytes <= MAX_RECIPES_BYTES, "recipes are longer than 48 KiB together")?;
        rule(self.recipes.iter().all(|text| is_recipe(text)), "a recipe is JSON-LD of the type Recipe with a name")
    }

    /// All items.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.products.iter().flat_map(|goods| &goods.items)
    }

    /// The item with this id, and what it is one of.
    pub(crate) fn piece(&self, id: &str) -> Option<(&Goods, &Piece)> {
        let all = self.products.iter().flat_map(|goods| goods.items.iter().map(move |piece| (goods, piece)));
        all.into_iter().find(|(_, piece)| piece.id == id)
    }
}

/// Whether serial numbers can begin so, with room for the order's number and the piece's.
fn begins_serials(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=16).contains(&text.len()) && text.bytes().all(fits)
}

fn is_recipe(text: &str) -> bool {
    let read = serde_json::from_str::<serde_json::Value>(text);
    read.is_ok_and(|recipe| recipe["@type"] == "Recipe" && recipe["name"].is_string())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn shop() -> Book {
        Book::read(include_str!("../../catalogue/shop.toml")).unwrap()
    }

    pub(crate) fn groceries() -> Book {
        Book::read(include_str!("../../catalogue/groceries.toml")).unwrap()
    }

    #[test]
    fn the_books_that_come_along_are_read() {
        assert!(shop().piece("desk_lamp_white").is_some());
        assert!(groceries().pieces().any(|piece| piece.measured.is_some()));
        assert!(Book::read(include_str!("../../catalogue/workshop.toml")).unwrap().maker.is_some());
    }

    #[test]
    fn recipes_are_recipes() {
        assert!(groceries().recipes.len() >= 3);
        let text = include_str!("../../catalogue/shop.toml");
        let with = |recipe: &str| Book::read(&format!("recipes = ['{recipe}']\n{text}"));
        assert!(with(r#"{"@type": "Recipe", "name": "Soup"}"#).is_ok());
        let long = format!(r#"{{"@type": "Recipe", "name": "{}"}}"#, "long ".repeat(10_000));
        for wrong in ["", "{", "7", r#"{"name": "Soup"}"#, r#"{"@type": "Recipe", "name": 7}"#, &long] {
            assert!(with(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn serials_begin_with_a_label_that_they_can_have() {
        let text = include_str!("../../catalogue/workshop.toml");
        let with = |label: &str| Book::read(&text.replacen("label = \"W\"", &format!("label = \"{label}\""), 1));
        assert!(with("W-2").is_ok());
        for wrong in ["", "w", "W 2", "Wü", "WWWWWWWWWWWWWWWWW"] {
            assert!(with(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_book_that_cannot_be_worked_with_is_refused() {
        let text = include_str!("../../catalogue/shop.toml");
        for (from, to) in [
            ("price = 3900", "price = -1"),
            ("stock = 40", "stock = -1"),
            ("desk_lamp_black", "desk_lamp_white"),
            ("tax_permille = 190", "tax_permille = 1900"),
            ("currency = \"EUR\"", "currency = \"euro\""),
            ("hours =", "ours ="),
        ] {
            assert!(text.contains(from), "{from}");
            assert!(Book::read(&text.replacen(from, to, 1)).is_err(), "{to}");
        }
    }
}
