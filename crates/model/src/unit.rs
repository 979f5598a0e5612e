use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

/// What a unit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// How long.
    Length,
    /// How heavy.
    Mass,
    /// How much room.
    Volume,
    /// How warm.
    Temperature,
    /// For how long.
    Time,
    /// How much work.
    Energy,
}

macro_rules! units {
    ($($(#[$doc:meta])* $name:ident: $quantity:ident, $factor:expr, $offset:expr;)*) => {
        /// A unit of measurement. Volumes of the kitchen are those of the United States.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Unit {
            $($(#[$doc])* $name,)*
        }

        impl Unit {
            /// Every unit.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What it measures.
            #[must_use]
            pub const fn quantity(self) -> Quantity {
                match self { $(Self::$name => Quantity::$quantity,)* }
            }

            /// So many base units is one of it, and how far its zero lies from the base unit's, in its own.
            const fn scale(self) -> (f64, f64) {
                match self { $(Self::$name => ($factor, $offset),)* }
            }
        }
    };
}

units! {
    /// A thousandth of a metre.
    Millimetre: Length, 0.001, 0.0;
    /// A hundredth of a metre.
    Centimetre: Length, 0.01, 0.0;
    /// The base unit of length.
    Metre: Length, 1.0, 0.0;
    /// 1,000 metres.
    Kilometre: Length, 1_000.0, 0.0;
    /// 25.4 millimetres.
    Inch: Length, 0.0254, 0.0;
    /// 12 inches.
    Foot: Length, 0.3048, 0.0;
    /// 3 feet.
    Yard: Length, 0.9144, 0.0;
    /// 1,760 yards.
    Mile: Length, 1_609.344, 0.0;
    /// A thousandth of a gram.
    Milligram: Mass, 0.000_001, 0.0;
    /// A thousandth of a kilogram.
    Gram: Mass, 0.001, 0.0;
    /// The base unit of mass.
    Kilogram: Mass, 1.0, 0.0;
    /// 1,000 kilograms.
    Tonne: Mass, 1_000.0, 0.0;
    /// A sixteenth of a pound.
    Ounce: Mass, 0.028_349_523_125, 0.0;
    /// The pound of 1959.
    Pound: Mass, 0.453_592_37, 0.0;
    /// A thousandth of a litre.
    Millilitre: Volume, 0.001, 0.0;
    /// A hundredth of a litre.
    Centilitre: Volume, 0.01, 0.0;
    /// A tenth of a litre.
    Decilitre: Volume, 0.1, 0.0;
    /// The base unit of volume.
    Litre: Volume, 1.0, 0.0;
    /// 1,000 litres.
    CubicMetre: Volume, 1_000.0, 0.0;
    /// A third of a tablespoon.
    Teaspoon: Volume, 0.004_928_921_593_75, 0.0;
    /// Half a fluid ounce.
    Tablespoon: Volume, 0.014_786_764_781_25, 0.0;
    /// A 128th of a gallon.
    FluidOunce: Volume, 0.029_573_529_562_5, 0.0;
    /// 8 fluid ounces.
    Cup: Volume, 0.236_588_236_5, 0.0;
    /// 2 cups.
    Pint: Volume, 0.473_176_473, 0.0;
    /// 2 pints.
    Quart: Volume, 0.946_352_946, 0.0;
    /// 231 cubic inches.
    Gallon: Volume, 3.785_411_784, 0.0;
    /// The base unit of temperature.
    Kelvin: Temperature, 1.0, 0.0;
    /// Water freezes at 0.
    Celsius: Temperature, 1.0, 273.15;
    /// Water freezes at 32.
    Fahrenheit: Temperature, 5.0 / 9.0, 459.67;
    /// A thousandth of a second.
    Millisecond: Time, 0.001, 0.0;
    /// The base unit of time.
    Second: Time, 1.0, 0.0;
    /// 60 seconds.
    Minute: Time, 60.0, 0.0;
    /// 60 minutes.
    Hour: Time, 3_600.0, 0.0;
    /// 24 hours.
    Day: Time, 86_400.0, 0.0;
    /// 7 days.
    Week: Time, 604_800.0, 0.0;
    /// The base unit of energy.
    Joule: Energy, 1.0, 0.0;
    /// 1,000 joules.
    Kilojoule: Energy, 1_000.0, 0.0;
    /// 1,000,000 joules.
    Megajoule: Energy, 1_000_000.0, 0.0;
    /// A watt for an hour.
    WattHour: Energy, 3_600.0, 0.0;
    /// 1,000 watt hours.
    KilowattHour: Energy, 3_600_000.0, 0.0;
    /// The thermochemical calorie.
    Calorie: Energy, 4.184, 0.0;
    /// 1,000 calories: what food is labelled with.
    Kilocalorie: Energy, 4_184.0, 0.0;
}

/// Why a number in one unit is none in another.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum UnitError {
    /// A length is no mass.
    #[error("{from:?} measures {:?}, {to:?} measures {:?}: one is never the other", from.quantity(), to.quantity())]
    Incompatible {
        /// The unit that the number is in.
        from: Unit,
        /// The unit wanted.
        to: Unit,
    },
    /// Too large a number, or none.
    #[error("that many {0:?} are no number")]
    NotFinite(Unit),
}

impl Unit {
    /// What `number` in this unit is in another. Exact to 15 digits: a foot is 12 inches, not 12.000000000000002.
    ///
    /// # Errors
    /// [`UnitError::Incompatible`], [`UnitError::NotFinite`].
    ///
    /// ```
    /// use vestibule_model::Unit;
    /// assert_eq!(Unit::Foot.convert(1.0, Unit::Inch), Ok(12.0));
    /// assert_eq!(Unit::Fahrenheit.convert(212.0, Unit::Celsius), Ok(100.0));
    /// assert!(Unit::Metre.convert(1.0, Unit::Kilogram).is_err());
    /// ```
    pub fn convert(self, number: f64, to: Self) -> Result<f64, UnitError> {
        if self.quantity() != to.quantity() {
            return Err(UnitError::Incompatible { from: self, to });
        }
        if self == to {
            return if number.is_finite() { Ok(number) } else { Err(UnitError::NotFinite(self)) };
        }
        let ((factor, offset), (other, others_offset)) = (self.scale(), to.scale());
        let converted = (number + offset) * factor / other - others_offset;
        // Where zeros differ, a small number is the difference of two large ones: digits count from the point there.
        let text = if self.quantity() == Quantity::Temperature {
            format!("{converted:.10}")
        } else {
            format!("{converted:.14e}")
        };
        let rounded: f64 = text.parse().unwrap_or(f64::NAN);
        if rounded.is_finite() { Ok(rounded) } else { Err(UnitError::NotFinite(self)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_unit() -> impl Strategy<Value = Unit> {
        (0..Unit::ALL.len()).prop_map(|place| Unit::ALL[place])
    }

    proptest! {
        #[test]
        fn there_and_back_or_refused(number in -1e9_f64..1e9, from in any_unit(), to in any_unit()) {
            match from.convert(number, to) {
                Ok(there) => {
                    prop_assert_eq!(from.quantity(), to.quantity());
                    let back = to.convert(there, from).unwrap();
                    let offset = from.scale().1.max(to.scale().1);
                    prop_assert!((back - number).abs() <= (number.abs() + offset) * 1e-12, "{number} {from:?} {to:?}: {back}");
                }
                Err(error) => prop_assert_eq!(error, UnitError::Incompatible { from, to }),
            }
        }

        #[test]
        fn no_number_breaks_it(number in any::<f64>(), from in any_unit(), to in any_unit()) {
            if let Ok(there) = from.convert(number, to) {
                prop_assert!(there.is_finite());
            }
        }
    }

    #[test]
    fn what_everybody_knows() {
        for (number, from, to, expected) in [
            (1.0, Unit::Mile, Unit::Kilometre, 1.609_344),
            (1.0, Unit::Pound, Unit::Ounce, 16.0),
            (1.0, Unit::Gallon, Unit::Cup, 16.0),
            (1.0, Unit::Tablespoon, Unit::Teaspoon, 3.0),
            (0.0, Unit::Celsius, Unit::Fahrenheit, 32.0),
            (32.0, Unit::Fahrenheit, Unit::Celsius, 0.0),
            (-40.0, Unit::Celsius, Unit::Fahrenheit, -40.0),
            (1.0, Unit::Week, Unit::Hour, 168.0),
            (1.0, Unit::KilowattHour, Unit::Megajoule, 3.6),
            (250.0, Unit::Kilocalorie, Unit::Kilojoule, 1_046.0),
            (0.1, Unit::Metre, Unit::Centimetre, 10.0),
        ] {
            assert_eq!(from.convert(number, to), Ok(expected), "{number} {from:?}");
        }
    }
}
