use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Json, ServiceId, ids::text_schema};

/// A currency by its three letters (ISO 4217), such as `EUR`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

text_schema!(Currency, "^[A-Z]{3}$");

impl Currency {
    /// No currency: what stands where nobody knows any more what was paid.
    pub const NONE: Self = Self(*b"XXX");

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Digits behind the point, by ISO 4217: two but for these.
    #[must_use]
    pub const fn digits(self) -> u8 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }
}

impl std::str::FromStr for Currency {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Self(letters)),
            _ => Err("a currency is three capital letters (ISO 4217), such as EUR".to_owned()),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({self})")
    }
}

/// What a charge is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChargePer {
    /// One call of a service.
    Call,
    /// One thing that is ordered.
    Item,
    /// An hour of use.
    Hour,
    /// A day of use.
    Day,
    /// A month of use.
    Month,
    /// Everything from then on.
    Once,
}

/// What somebody asks for a service (FGMV-29 8.2.1). Whole minor units: money is never a fraction of a binary number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Charge {
    /// In the currency's smallest unit: cents, yen.
    pub amount: u64,
    /// Which currency.
    pub currency: Currency,
    /// What for.
    pub per: ChargePer,
}

impl Charge {
    /// Whether it is at most `most`. Charges in other currencies or for something else are not compared: they are not.
    #[must_use]
    pub fn is_at_most(&self, most: &Self) -> bool {
        self.amount == 0 || (self.currency, self.per) == (most.currency, most.per) && self.amount <= most.amount
    }
}

/// As people write it: `12.50 EUR each`.
impl fmt::Display for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = match self.per {
            ChargePer::Call => "a call",
            ChargePer::Item => "each",
            ChargePer::Hour => "an hour",
            ChargePer::Day => "a day",
            ChargePer::Month => "a month",
            ChargePer::Once => "once",
        };
        let Self { amount, currency, .. } = self;
        match u32::from(currency.digits()) {
            0 => write!(f, "{amount} {currency} {per}"),
            digits => {
                let (unit, width) = (10_u64.pow(digits), digits as usize);
                write!(f, "{}.{:0width$} {currency} {per}", amount / unit, amount % unit)
            }
        }
    }
}

/// A service level (FGMV-29 8.2.1): promised by a system, asked for by a query, or measured. `None`: nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct ServiceLevel {
    /// Of a thousand moments, at least so many in which it is there.
    #[serde(default)]
    pub availability_permille: Option<u16>,
    /// Milliseconds that 99 of 100 calls or commands take at most.
    #[serde(default)]
    pub p99_ms: Option<u64>,
    /// Milliseconds that the newest report of a thing is old at most, beyond what its twin promises itself.
    #[serde(default)]
    pub freshness_ms: Option<u64>,
    /// Of a thousand calls or commands, at most so many that fail.
    #[serde(default)]
    pub error_permille: Option<u16>,
}

impl ServiceLevel {
    /// What of `wanted` is not kept by this level; what this one says nothing of is not kept.
    #[must_use]
    pub fn missing(&self, wanted: &Self) -> BTreeSet<Promise> {
        let at_least = |mine: Option<u16>, wanted: Option<u16>| wanted.is_none_or(|wanted| mine >= Some(wanted));
        fn at_most<T: PartialOrd + Copy>(mine: Option<T>, wanted: Option<T>) -> bool {
            wanted.is_none_or(|wanted| mine.is_some_and(|mine| mine <= wanted))
        }
        let kept = [
            (Promise::Availability, at_least(self.availability_permille, wanted.availability_permille)),
            (Promise::Latency, at_most(self.p99_ms, wanted.p99_ms)),
            (Promise::Freshness, at_most(self.freshness_ms, wanted.freshness_ms)),
            (Promise::Errors, at_most(self.error_permille, wanted.error_permille)),
        ];
        kept.into_iter().filter(|(_, kept)| !kept).map(|(promise, _)| promise).collect()
    }

    /// What of `promised` was measured and is not kept. What was not measured yet is not held against anybody.
    #[must_use]
    pub fn broken(&self, promised: &Self) -> BTreeSet<Promise> {
        // Most systems promise nothing.
        if *promised == Self::default() {
            return BTreeSet::new();
        }
        let measured = |promise: &Promise| match promise {
            Promise::Availability => self.availability_permille.is_some(),
            Promise::Latency => self.p99_ms.is_some(),
            Promise::Freshness => self.freshness_ms.is_some(),
            Promise::Errors => self.error_permille.is_some(),
        };
        self.missing(promised).into_iter().filter(measured).collect()
    }
}

/// A part of a [`ServiceLevel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// [`ServiceLevel::availability_permille`].
    Availability,
    /// [`ServiceLevel::p99_ms`].
    Latency,
    /// [`ServiceLevel::freshness_ms`].
    Freshness,
    /// [`ServiceLevel::error_permille`].
    Errors,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Availability => "availability",
            Self::Latency => "latency",
            Self::Freshness => "freshness",
            Self::Errors => "errors",
        })
    }
}

/// A service that a system offers: its API (FGMV-29 8.2.1), described so that worlds can use it without knowing it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceInfo {
    /// For people.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// JSON Schema of what it takes; `None`: nothing.
    #[serde(default)]
    pub input: Option<Json>,
    /// JSON Schema of what it gives; `None`: nothing.
    #[serde(default)]
    pub output: Option<Json>,
    /// Called twice with the same call's id, it acts once: only then is a call tried again.
    #[serde(default)]
    pub idempotent: bool,
    /// The service of the same system that takes back what this one did.
    #[serde(default)]
    pub undo: Option<ServiceId>,
    /// Milliseconds after which whoever called need not wait any longer.
    #[serde(default = "default_timeout")]
    pub timeout_ms: u64,
    /// What it costs; `None`: what its system says.
    #[serde(default)]
    pub charge: Option<Charge>,
    /// What a user has to share for it: `address`, `email`, `twin:home/front_door`.
    #[serde(default)]
    pub needs: BTreeSet<String>,
}

/// Milliseconds that a call may take where the service says nothing.
const fn default_timeout() -> u64 {
    30_000
}

impl ServiceInfo {
    /// A service that takes and gives nothing.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), timeout_ms: default_timeout(), ..Self::default() }
    }
}

/// The services of a system, by their ids.
pub type Services = BTreeMap<ServiceId, ServiceInfo>;

#[cfg(test)]
mod tests {
    use super::*;

    fn charge(amount: u64, currency: &str, per: ChargePer) -> Charge {
        Charge { amount, currency: currency.parse().unwrap(), per }
    }

    #[test]
    fn only_like_charges_are_compared() {
        let most = charge(500, "EUR", ChargePer::Call);
        assert!(charge(500, "EUR", ChargePer::Call).is_at_most(&most));
        assert!(!charge(501, "EUR", ChargePer::Call).is_at_most(&most));
        assert!(!charge(1, "USD", ChargePer::Call).is_at_most(&most));
        assert!(!charge(1, "EUR", ChargePer::Month).is_at_most(&most));
        assert!(charge(0, "USD", ChargePer::Month).is_at_most(&most), "nothing is nothing in every currency");
        assert!(["eur", "EURO", "€", "", "E R"].iter().all(|text| text.parse::<Currency>().is_err()));
        assert!(serde_json::from_str::<Charge>(r#"{"amount":-1,"currency":"EUR","per":"call"}"#).is_err());
    }

    #[test]
    fn charges_are_written_in_their_currency() {
        let of = |amount, currency: &str, per| charge(amount, currency, per).to_string();
        assert_eq!(of(1_250, "EUR", ChargePer::Item), "12.50 EUR each");
        assert_eq!(of(5, "EUR", ChargePer::Month), "0.05 EUR a month");
        assert_eq!(of(1_250, "JPY", ChargePer::Call), "1250 JPY a call");
        assert_eq!(of(1_250, "KWD", ChargePer::Once), "1.250 KWD once");
    }

    #[test]
    fn what_was_not_measured_is_not_broken() {
        let promised = ServiceLevel { availability_permille: Some(990), p99_ms: Some(100), ..ServiceLevel::default() };
        let nothing = ServiceLevel::default();
        assert!(nothing.broken(&promised).is_empty());
        assert_eq!(nothing.missing(&promised), [Promise::Availability, Promise::Latency].into());
        let slow = ServiceLevel { p99_ms: Some(101), availability_permille: Some(990), ..nothing };
        assert_eq!(slow.broken(&promised), [Promise::Latency].into());
        assert!(slow.missing(&nothing).is_empty(), "who asks for nothing gets it");
    }
}
