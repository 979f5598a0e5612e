//! What it costs and how long it takes. Geometry becomes whole numbers once; from there on there are only whole numbers.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use vestibule_model::Currency;

use crate::{
    design::MaterialKind,
    print::{Machine, Process, support_mm3},
    solid::Solids,
};

/// The longest list of a price book.
const MAX_STEPS: usize = 32;

/// What a maker asks for. Money is in the currency's smallest unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceBook {
    /// The currency of all of it.
    pub currency: Currency,
    /// A kilogram of each material.
    pub kilogram: Vec<(MaterialKind, u64)>,
    /// An hour of the machine.
    pub hour: u64,
    /// Once for an order.
    pub handling: u64,
    /// Finishing of each piece.
    pub finish: u64,
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
        Ok(Self {
            currency: currency.parse()?,
            kilogram: vec![
                (MaterialKind::Pla, 2_900),
                (MaterialKind::Petg, 3_400),
                (MaterialKind::Pa12, 9_500),
                (MaterialKind::Resin, 8_000),
            ],
            hour: 250,
            handling: 390,
            finish: 150,
            steps: vec![Step { from: 5, off_permille: 50 }, Step { from: 20, off_permille: 120 }],
        })
    }
}

/// What a quantity of a thing costs, part by part, in the currency's smallest unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// The currency.
    pub currency: Currency,
    /// How many.
    pub quantity: u32,
    /// Of one piece, in cubic millimetres.
    pub volume_mm3: u64,
    /// Of one piece, in square millimetres.
    pub area_mm2: u64,
    /// Below one piece, in cubic millimetres.
    pub support_mm3: u64,
    /// Of one piece.
    pub layers: u64,
    /// What one piece weighs, with its supports, in milligrams.
    pub mass_mg: u64,
    /// How long one piece takes.
    pub seconds: u64,
    /// Material of all pieces.
    pub material: u64,
    /// Machine of all pieces.
    pub machine: u64,
    /// Finishing of all pieces.
    pub finish: u64,
    /// Once.
    pub handling: u64,
    /// Taken off.
    pub discount: u64,
    /// All of it.
    pub total: u64,
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
    /// The book or the order makes no sense.
    #[error("{0}")]
    Senseless(&'static str),
}

/// One body, as whole numbers.
struct Measured {
    kind: MaterialKind,
    volume: u64,
    area: u64,
    support: u64,
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
    let bounds = solids.bounds();
    let measured = |body: &crate::solid::Body| Measured {
        kind: body.material.kind,
        volume: whole(body.volume_mm3),
        area: whole(body.area_mm2),
        support: whole(support_mm3(body, machine, bounds.low[1])),
    };
    let bodies: Vec<Measured> = solids.bodies.iter().map(measured).collect();
    let layers = whole((bounds.size()[1] / machine.layer_mm).ceil());
    count(&bodies, layers, machine, infill_percent, book, quantity)
}

/// To the nearest whole number, and at least nothing.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is refused later")]
fn whole(value: f64) -> u64 {
    value.round().max(0.0) as u64
}

fn count(
    bodies: &[Measured],
    layers: u64,
    machine: &Machine,
    infill_percent: u8,
    book: &PriceBook,
    quantity: NonZeroU32,
) -> Result<Estimate, PriceError> {
    let quantity = u64::from(quantity.get());
    let (mut mass_mg, mut material, mut millis) = (0_u64, 0_u64, 0_u64);
    for body in bodies {
        let price = book.kilogram.iter().find(|(kind, _)| *kind == body.kind).map(|(_, price)| *price);
        let price = price.ok_or(PriceError::NoPrice(body.kind))?;
        let (mass, time) = work(body, machine, infill_percent)?;
        mass_mg = sum(mass_mg, mass)?;
        millis = sum(millis, time)?;
        // A kilogram is a million milligrams.
        material = sum(material, share(product(mass, quantity)?, price, 1_000_000)?)?;
    }
    // Four seconds for the change of a layer, five minutes to warm up.
    let seconds = sum(sum(millis.div_ceil(1_000), product(layers, 4)?)?, 300)?;
    let hours = share(product(seconds, quantity)?, book.hour, 3_600)?;
    let finish = product(book.finish, quantity)?;
    let off = book.steps.iter().filter(|step| u64::from(step.from) <= quantity).map(|step| step.off_permille).max();
    let pieces = sum(sum(material, hours)?, finish)?;
    // What is taken off is rounded down, as all else is rounded up.
    let discount = u128::from(pieces) * u128::from(off.unwrap_or_default()) / 1_000;
    let discount = u64::try_from(discount).map_err(|_| PriceError::TooMuch)?;
    Ok(Estimate {
        currency: book.currency,
        quantity: u32::try_from(quantity).map_err(|_| PriceError::TooMuch)?,
        volume_mm3: bodies.iter().try_fold(0, |all, body| sum(all, body.volume))?,
        area_mm2: bodies.iter().try_fold(0, |all, body| sum(all, body.area))?,
        support_mm3: bodies.iter().try_fold(0, |all, body| sum(all, body.support))?,
        layers,
        mass_mg,
        seconds,
        material,
        machine: hours,
        finish,
        handling: book.handling,
        discount,
        total: sum(pieces - discount, book.handling)?,
    })
}

/// Milligrams and milliseconds of one body.
fn work(body: &Measured, machine: &Machine, infill_percent: u8) -> Result<(u64, u64), PriceError> {
    // Two lines of 0.4 mm all around, the rest as full as it was asked for.
    let shell =
        if machine.process == Process::Filament { body.volume.min(product(body.area, 4)? / 5) } else { body.volume };
    let fill = share(body.volume - shell, u64::from(infill_percent), 100)?;
    let grown = sum(sum(shell, fill)?, body.support / 5)?;
    // Micrograms in a cubic millimetre are milligrams in a thousand of them.
    let mass = share(grown, density(body.kind), 1_000)?;
    // Milliseconds for a cubic millimetre: the outside slowly, the inside fast.
    let time = match machine.process {
        Process::Filament => sum(sum(product(shell, 200)?, product(fill, 90)?)?, product(body.support / 5, 120)?)?,
        Process::Powder => product(grown, 40)?,
        Process::Resin => product(grown, 60)?,
    };
    Ok((mass, time))
}

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

    fn one(volume: u64) -> Vec<Measured> {
        vec![Measured { kind: MaterialKind::Pla, volume, area: 600, support: 0 }]
    }

    fn of(volume: u64, quantity: u32) -> Result<Estimate, PriceError> {
        let book = PriceBook::sample("EUR").unwrap();
        count(&one(volume), 50, &Machine::desktop(), 20, &book, NonZeroU32::new(quantity).unwrap())
    }

    #[test]
    fn a_price_is_the_sum_of_its_parts() {
        let estimate = of(1_000, 1).unwrap();
        // 480 mm³ of walls, 104 mm³ of filling, 1.24 mg each.
        assert_eq!(estimate.mass_mg, 725);
        assert_eq!(estimate.seconds, (480 * 200_u64 + 104 * 90).div_ceil(1_000) + 50 * 4 + 300);
        assert_eq!((estimate.material, estimate.machine), (3, 43));
        assert_eq!(estimate.total, 3 + 43 + 150 + 390);
    }

    #[test]
    fn many_are_cheaper_each_and_dearer_together() {
        let prices: Vec<u64> = [1, 4, 5, 20].into_iter().map(|n| of(50_000, n).unwrap().total).collect();
        assert!(prices.is_sorted());
        assert!(prices[3] / 20 < prices[0]);
        let five = of(50_000, 5).unwrap();
        assert_eq!(five.discount, (five.material + five.machine + five.finish) / 20);
    }

    #[test]
    fn too_much_is_refused_not_wrapped() {
        assert_eq!(of(u64::MAX / 2, 1_000_000), Err(PriceError::TooMuch));
        let book = PriceBook { kilogram: Vec::new(), ..PriceBook::sample("EUR").unwrap() };
        let none = count(&one(1), 1, &Machine::desktop(), 20, &book, NonZeroU32::MIN);
        assert_eq!(none, Err(PriceError::NoPrice(MaterialKind::Pla)));
    }
}
