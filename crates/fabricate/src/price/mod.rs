//! What it costs and how long it takes. Geometry becomes whole numbers once; from there on there are only whole numbers.

mod lines;

use std::num::{NonZeroU32, NonZeroU64};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use vestibule_model::{Currency, Money, MoneyError, Rounding};

use crate::{design::MaterialKind, print::Machine, solid::Solids};

/// Seconds until a machine is warm.
const WARM_UP_S: u64 = 300;
/// The longest list of a price book.
const MAX_STEPS: usize = 32;

/// What a maker asks for, all of it in one currency and nothing below zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceBook {
    /// A kilogram of each material.
    pub kilogram: Vec<(MaterialKind, Money)>,
    /// An hour of the machine.
    pub hour: Money,
    /// Once for an order.
    pub handling: Money,
    /// Finishing of each piece.
    pub finish: Money,
    /// From how many pieces on how much is taken off.
    pub steps: Vec<Step>,
}

/// A discount by quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// From this many pieces on.
    pub from: u32,
    /// This much of material, machine and finish is taken off.
    pub off_permille: u16,
}

impl PriceBook {
    /// Prices as a workshop might ask.
    ///
    /// # Errors
    /// Never with a currency's three capital letters.
    pub fn sample(currency: &str) -> Result<Self, String> {
        let currency: Currency = currency.parse()?;
        let money = |amount| Money::new(amount, currency);
        Ok(Self {
            kilogram: vec![
                (MaterialKind::Pla, money(2_900)),
                (MaterialKind::Petg, money(3_400)),
                (MaterialKind::Pa12, money(9_500)),
                (MaterialKind::Resin, money(8_000)),
            ],
            hour: money(250),
            handling: money(390),
            finish: money(150),
            steps: vec![Step { from: 5, off_permille: 50 }, Step { from: 20, off_permille: 120 }],
        })
    }
}

impl PriceBook {
    fn price_of(&self, kind: MaterialKind) -> Result<Money, PriceError> {
        let price = self.kilogram.iter().find(|(known, _)| *known == kind).map(|(_, price)| *price);
        price.ok_or(PriceError::NoPrice(kind))
    }
}

/// What a quantity of a thing costs, part by part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// How many.
    pub quantity: u32,
    /// Of one piece, in cubic millimetres.
    pub volume_mm3: u64,
    /// Of one piece, in square millimetres.
    pub area_mm2: u64,
    /// The space below one piece that supports stand in, in cubic millimetres.
    pub support_mm3: u64,
    /// Of all its bodies: each is made by itself.
    pub layers: u64,
    /// What one piece weighs, with its supports, in milligrams.
    pub mass_mg: u64,
    /// How long a machine works on one piece.
    pub seconds: u64,
    /// Material of all pieces.
    pub material: Money,
    /// Machine of all pieces.
    pub machine: Money,
    /// Finishing of all pieces.
    pub finish: Money,
    /// Once.
    pub handling: Money,
    /// Taken off.
    pub discount: Money,
    /// All of it.
    pub total: Money,
}

/// What a slicer has found of one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sliced {
    /// How long it takes.
    pub seconds: u64,
    /// What it weighs, with its supports, in milligrams.
    pub mass_mg: u64,
}

impl Estimate {
    /// The same with a slicer's time and weight in place of our own, for a thing that is all of one material.
    ///
    /// # Errors
    /// [`PriceError`] where the book has no price for it.
    pub fn sliced(self, sliced: Sliced, kind: MaterialKind, book: &PriceBook) -> Result<Self, PriceError> {
        let quantity = u64::from(self.quantity);
        let material = book.price_of(kind)?.share(product(sliced.mass_mg, quantity)?, MILLIGRAMS, Rounding::Up)?;
        let Sliced { seconds, mass_mg } = sliced;
        Self { seconds, mass_mg, material, ..self }.added_up(book)
    }

    /// Machine, discount and total, from what else is known.
    fn added_up(self, book: &PriceBook) -> Result<Self, PriceError> {
        let quantity = u64::from(self.quantity);
        let machine = book.hour.share(product(self.seconds, quantity)?, SECONDS, Rounding::Up)?;
        let off = book.steps.iter().filter(|step| step.from <= self.quantity).map(|step| step.off_permille).max();
        let made = self.material.plus(machine)?.plus(self.finish)?;
        // What is taken off is rounded down, as all else is rounded up.
        let discount = made.share(off.unwrap_or_default().into(), PERMILLE, Rounding::Down)?;
        let total = made.minus(discount)?.plus(self.handling)?;
        Ok(Self { machine, discount, total, ..self })
    }
}

/// Why there is no price.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PriceError {
    /// The book has no price for a material.
    #[error("there is no price for {0:?}")]
    NoPrice(MaterialKind),
    /// It costs more than numbers go.
    #[error("too much")]
    TooMuch,
    /// The book has two currencies.
    #[error("the book's prices do not go together: {0}")]
    Money(MoneyError),
    /// The book or the order makes no sense.
    #[error("{0}")]
    Senseless(&'static str),
}

impl From<MoneyError> for PriceError {
    fn from(error: MoneyError) -> Self {
        match error {
            MoneyError::TooMuch => Self::TooMuch,
            error @ MoneyError::Currencies(..) => Self::Money(error),
        }
    }
}

/// One body, as whole numbers.
struct Measured {
    kind: MaterialKind,
    volume: u64,
    area: u64,
    support: u64,
    layers: u64,
    /// What is laid, with its supports, in cubic micrometres.
    laid: u64,
    millis: u64,
}

/// What `quantity` pieces cost and how long one takes, with this much of a filament part's inside filled.
///
/// # Errors
/// [`PriceError`] where the book has no price for it.
pub fn estimate(
    solids: &Solids,
    machine: &Machine,
    infill_percent: u8,
    book: &PriceBook,
    quantity: NonZeroU32,
) -> Result<Estimate, PriceError> {
    if infill_percent > 100 || book.steps.len() > MAX_STEPS || book.steps.iter().any(|step| step.off_permille > 1_000) {
        return Err(PriceError::Senseless("more than all of it"));
    }
    let prices = book.kilogram.iter().map(|(_, price)| price).chain([&book.hour, &book.handling, &book.finish]);
    if prices.into_iter().any(|price| price.amount < 0) {
        return Err(PriceError::Senseless("nobody is paid for having something made"));
    }
    let measured = |body: &crate::solid::Body| {
        let work = lines::work(body, machine, infill_percent);
        Measured {
            kind: body.material.kind,
            volume: whole(body.volume_mm3),
            area: whole(body.area_mm2),
            support: whole(work.support_mm3),
            layers: whole(work.layers),
            laid: whole(work.mm3 * 1e3),
            millis: whole(work.seconds * 1e3),
        }
    };
    let bodies: Vec<Measured> = solids.bodies.iter().map(measured).collect();
    count(&bodies, book, quantity)
}

/// To the nearest whole number, and at least nothing.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is refused later")]
fn whole(value: f64) -> u64 {
    value.round().max(0.0) as u64
}

fn count(bodies: &[Measured], book: &PriceBook, quantity: NonZeroU32) -> Result<Estimate, PriceError> {
    let pieces = quantity.get();
    let quantity = u64::from(pieces);
    let (mut mass_mg, mut millis) = (0_u64, 0_u64);
    let mut material = Money { amount: 0, ..book.hour };
    for body in bodies {
        let price = book.price_of(body.kind)?;
        // A thousandth of a cubic millimetre of a thousandth of a milligram.
        let mass = share(body.laid, density(body.kind), 1_000_000)?;
        mass_mg = sum(mass_mg, mass)?;
        millis = sum(millis, body.millis)?;
        material = material.plus(price.share(product(mass, quantity)?, MILLIGRAMS, Rounding::Up)?)?;
    }
    let seconds = sum(millis.div_ceil(1_000), WARM_UP_S)?;
    let nothing = Money { amount: 0, ..book.hour };
    let estimate = Estimate {
        quantity: pieces,
        volume_mm3: bodies.iter().try_fold(0, |all, body| sum(all, body.volume))?,
        area_mm2: bodies.iter().try_fold(0, |all, body| sum(all, body.area))?,
        support_mm3: bodies.iter().try_fold(0, |all, body| sum(all, body.support))?,
        layers: bodies.iter().try_fold(0, |all, body| sum(all, body.layers))?,
        mass_mg,
        seconds,
        material,
        machine: nothing,
        finish: book.finish.times(pieces)?,
        handling: book.handling,
        discount: nothing,
        total: nothing,
    };
    estimate.added_up(book)
}

/// In a kilogram, an hour, and all of it.
const MILLIGRAMS: NonZeroU64 = NonZeroU64::MIN.saturating_add(999_999);
const SECONDS: NonZeroU64 = NonZeroU64::MIN.saturating_add(3_599);
const PERMILLE: NonZeroU64 = NonZeroU64::MIN.saturating_add(999);

/// Micrograms of a cubic millimetre.
const fn density(kind: MaterialKind) -> u64 {
    match kind {
        MaterialKind::Pla => 1_240,
        MaterialKind::Petg => 1_270,
        MaterialKind::Pa12 => 1_010,
        MaterialKind::Resin => 1_150,
        MaterialKind::Plywood => 680,
    }
}

fn sum(one: u64, other: u64) -> Result<u64, PriceError> {
    one.checked_add(other).ok_or(PriceError::TooMuch)
}

fn product(one: u64, other: u64) -> Result<u64, PriceError> {
    one.checked_mul(other).ok_or(PriceError::TooMuch)
}

/// `amount * numerator / denominator`, rounded up.
fn share(amount: u64, numerator: u64, denominator: u64) -> Result<u64, PriceError> {
    let all = (u128::from(amount) * u128::from(numerator)).div_ceil(u128::from(denominator));
    u64::try_from(all).map_err(|_| PriceError::TooMuch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn euro(amount: i64) -> Money {
        Money::new(amount, "EUR".parse().unwrap())
    }

    /// So much that is laid, ten cubic millimetres a second.
    fn one(volume: u64) -> Vec<Measured> {
        let laid = volume.saturating_mul(1_000);
        vec![Measured {
            kind: MaterialKind::Pla,
            volume,
            area: 600,
            support: 0,
            layers: 50,
            laid,
            millis: volume.saturating_mul(100),
        }]
    }

    fn of(volume: u64, quantity: u32) -> Result<Estimate, PriceError> {
        count(&one(volume), &PriceBook::sample("EUR").unwrap(), NonZeroU32::new(quantity).unwrap())
    }

    #[test]
    fn a_price_is_the_sum_of_its_parts() {
        let estimate = of(1_000, 1).unwrap();
        assert_eq!((estimate.mass_mg, estimate.seconds, estimate.layers), (1_240, 100 + 300, 50));
        assert_eq!((estimate.material, estimate.machine), (euro(4), euro(28)));
        assert_eq!(estimate.total, euro(4 + 28 + 150 + 390));
    }

    #[test]
    fn many_are_cheaper_each_and_dearer_together() {
        let prices: Vec<i64> = [1, 4, 5, 20].into_iter().map(|n| of(50_000, n).unwrap().total.amount).collect();
        assert!(prices.is_sorted());
        assert!(prices[3] / 20 < prices[0]);
        let five = of(50_000, 5).unwrap();
        let made = five.material.amount + five.machine.amount + five.finish.amount;
        assert_eq!(five.discount, euro(made / 20));
    }

    #[test]
    fn a_slicer_is_believed_and_the_price_follows() {
        let book = PriceBook::sample("EUR").unwrap();
        let own = of(50_000, 5).unwrap();
        let sliced = Sliced { seconds: 7_200, mass_mg: 10_000 };
        let made = own.sliced(sliced, MaterialKind::Pla, &book).unwrap();
        // Five times ten grams at 29.00 a kilogram, five times two hours at 2.50.
        assert_eq!((made.material, made.machine, made.finish), (euro(145), euro(2_500), own.finish));
        let pieces = made.material.amount + made.machine.amount + made.finish.amount;
        assert_eq!((made.discount, made.total), (euro(pieces / 20), euro(pieces - pieces / 20 + 390)));
        let same = Sliced { seconds: own.seconds, mass_mg: own.mass_mg };
        assert_eq!(own.sliced(same, MaterialKind::Pla, &book).unwrap(), own);
        assert!(own.sliced(sliced, MaterialKind::Plywood, &book).is_err());
    }

    #[test]
    fn too_much_is_refused_not_wrapped() {
        assert_eq!(of(u64::MAX / 2, 1_000_000), Err(PriceError::TooMuch));
        let book = PriceBook { kilogram: Vec::new(), ..PriceBook::sample("EUR").unwrap() };
        let none = count(&one(1), &book, NonZeroU32::MIN);
        assert_eq!(none, Err(PriceError::NoPrice(MaterialKind::Pla)));
        let mixed = PriceBook { hour: Money::new(250, "USD".parse().unwrap()), ..PriceBook::sample("EUR").unwrap() };
        let none = count(&one(1), &mixed, NonZeroU32::MIN);
        assert!(matches!(none, Err(PriceError::Money(_))), "{none:?}");
    }
}
