//! What comes to the house in parcels, and where it goes from there.

use std::collections::VecDeque;

use crate::error::SimError;
use crate::hand::{Guest, PhysicalHand, locked};
use crate::light::{Lamp, Light};
use crate::model::Unit;

/// Parcels that lie there at most: a doormat has an end.
const MOST_PARCELS: usize = 64;
/// Goods in one parcel at most.
const MOST_GOODS: usize = 256;
/// Devices that can be unpacked at most: each is a client of the broker, and its id never comes again.
const MOST_UNPACKED: usize = 64;
/// Bytes of a serial number at most.
const MOST_SERIAL: usize = 64;

/// One thing in a parcel.
#[derive(Clone, Debug, PartialEq)]
pub struct Goods {
    /// What it is: an ingredient's name as shelves and fridges have it, or a serial number.
    pub item: String,
    /// How much of it: grams, millilitres or pieces, as whoever holds such counts it.
    pub amount: f64,
}

impl Goods {
    /// `flour=500` or `milk`, which is one of it; an amount that is none counts as one.
    #[must_use]
    pub fn read(text: &str) -> Goods {
        let (item, amount) = text.split_once('=').unwrap_or((text, "1"));
        let amount = amount.parse().ok().filter(|amount: &f64| amount.is_finite() && *amount >= 0.0).unwrap_or(1.0);
        Goods { item: item.to_owned(), amount }
    }
}

/// A parcel that lies in the hall.
#[derive(Clone, Debug, PartialEq)]
pub struct Parcel {
    /// Whose order it is, as the courier's label has it.
    pub order: String,
    /// What is still in it.
    pub goods: Vec<Goods>,
}

/// What was brought and is not put away, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Parcels {
    lie: VecDeque<Parcel>,
    unpacked: usize,
}

/// The id of the device with a serial number.
fn device_of(serial: &str) -> Result<String, SimError> {
    let fits = (1..=MOST_SERIAL).contains(&serial.len());
    let is_serial = fits && serial.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
    // No serial number has `_` or a small letter: two of them are never one device.
    let id = || format!("lamp_{}", serial.to_ascii_lowercase().replace('-', "_"));
    if is_serial { Ok(id()) } else { Err(SimError::Serial(serial.to_owned())) }
}

impl PhysicalHand {
    /// The courier stands at the door with a parcel and presses the bell.
    ///
    /// # Errors
    ///
    /// [`SimError::Full`] where too many parcels lie there, or too much is in this one: nobody rings then.
    pub fn deliver(&self, order: &str, goods: Vec<Goods>) -> Result<(), SimError> {
        if goods.len() > MOST_GOODS {
            return Err(SimError::Full { what: "goods in a parcel", most: MOST_GOODS });
        }
        let mut parcels = locked(&self.shared.parcels);
        if parcels.lie.len() >= MOST_PARCELS {
            return Err(SimError::Full { what: "parcels", most: MOST_PARCELS });
        }
        parcels.lie.push_back(Parcel { order: order.to_owned(), goods });
        drop(parcels);
        self.ring(Guest::Courier);
        Ok(())
    }

    /// The parcels that lie there, the oldest first.
    #[must_use]
    pub fn parcels(&self) -> Vec<Parcel> {
        locked(&self.shared.parcels).lie.iter().cloned().collect()
    }

    /// Unpacks a lamp with this serial number and plugs it in: it connects within some 200 ms and describes itself. It is
    /// taken out of its parcel, where it came in one. Answers with its device's id. Once more: it is there already.
    ///
    /// # Errors
    ///
    /// [`SimError::Serial`] and [`SimError::Full`].
    pub fn unpack(&self, serial: &str) -> Result<String, SimError> {
        let id = device_of(serial)?;
        let mut parcels = locked(&self.shared.parcels);
        if self.connected(&id).is_ok() {
            return Ok(id);
        }
        if parcels.unpacked >= MOST_UNPACKED {
            return Err(SimError::Full { what: "unpacked devices", most: MOST_UNPACKED });
        }
        parcels.unpacked += 1;
        parcels.take_out(|goods| goods.item == serial);
        self.shared.install(Unit::new(&id, Box::new(Light::new(Lamp::Dimmable))).with_serial(serial));
        Ok(id)
    }

    /// Puts everything that lies there where such things are kept: each device that holds an ingredient takes it. What no
    /// device holds stays in its parcel. Answers with how many goods were put away.
    pub fn put_away(&self) -> usize {
        let units = self.shared.units();
        let now_ms = self.shared.clock.now_ms();
        let mut parcels = locked(&self.shared.parcels);
        parcels.take_out(|goods| units.iter().any(|unit| locked(unit).put_away(now_ms, goods)))
    }
}

impl Parcels {
    /// Takes out what `taken` says; empty parcels are thrown away. How much that was.
    fn take_out(&mut self, mut taken: impl FnMut(&Goods) -> bool) -> usize {
        let mut count = 0;
        for parcel in &mut self.lie {
            let before = parcel.goods.len();
            parcel.goods.retain(|goods| !taken(goods));
            count += before - parcel.goods.len();
        }
        self.lie.retain(|parcel| !parcel.goods.is_empty());
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_devices_of_their_own() {
        assert_eq!(device_of("W1001-0001").unwrap(), "lamp_w1001_0001");
        for wrong in ["", "w1", "A/B", "A+", "A_B", "Ä", &"A".repeat(65)] {
            assert!(device_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn goods_are_read_with_or_without_an_amount() {
        assert_eq!(Goods::read("flour=500"), Goods { item: "flour".to_owned(), amount: 500.0 });
        for one in ["milk", "milk=1", "milk=x", "milk=-3", "milk=NaN", "milk=inf"] {
            assert_eq!(Goods::read(one), Goods { item: "milk".to_owned(), amount: 1.0 }, "{one}");
        }
    }

    #[test]
    fn what_nobody_takes_stays_in_its_parcel() {
        let parcel = |items: &[&str]| Parcel {
            order: "1".to_owned(),
            goods: items.iter().map(|item| Goods::read(item)).collect(),
        };
        let lie = [parcel(&["flour=500", "W1001-0001"]), parcel(&["flour=250"])].into();
        let mut parcels = Parcels { lie, unpacked: 0 };
        assert_eq!(parcels.take_out(|goods| goods.item == "flour"), 2);
        assert_eq!(parcels.lie, [parcel(&["W1001-0001"])]);
    }
}
