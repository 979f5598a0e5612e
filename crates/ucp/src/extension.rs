//! What our merchants add to the protocol. Negotiated like everything else: who does not know it buys without it.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use vestibule_model::{ContentHash, Currency, Money};

use crate::{
    Check, Checkout, Flaw, Item, More, Positive, ReadError, UcpMeta, UnsignedAmount,
    json::at_most,
    limits::{MAX_LINES, MAX_TOTALS},
    name,
};

/// Something of an extension, as it stands in a message under the extension's name.
pub trait Extension: Serialize + DeserializeOwned {
    /// Under which name.
    const NAME: &'static str;

    /// Takes it out of what a message has beyond what the protocol says; `None` where it has none.
    ///
    /// # Errors
    /// [`ReadError::Malformed`] where it is there and not of the shape.
    fn of(more: &More) -> Result<Option<Self>, ReadError> {
        let read = |value: &serde_json::Value| Self::deserialize(value);
        more.get(Self::NAME).map(read).transpose().map_err(|error| ReadError::Malformed(error.to_string()))
    }

    /// Puts it into a message.
    fn put(&self, more: &mut More) {
        if let Ok(value) = serde_json::to_value(self) {
            more.insert(Self::NAME.to_owned(), value);
        }
    }
}

/// A package that a manufacturer keeps: the answer to a design that was handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The hash of its bytes.
    pub package: ContentHash,
}

impl Check for Package {
    fn check(&self) -> Result<(), Flaw> {
        Ok(())
    }
}

/// How something is to be made, and to what: on lines of checkouts and orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FabricationLine {
    /// What was designed.
    pub design: ContentHash,
    /// The file that it was handed over in.
    pub package: ContentHash,
    /// `fff`, `laser`, ...
    pub process: String,
    /// `pla`, `plywood`, ...
    pub material: String,
    /// As `#rrggbb`.
    pub colour: String,
    /// How full it is inside, of a hundred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infill_percent: Option<u8>,
    /// What was made: its serial number. Of a line with several things, theirs with spaces between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Extension for FabricationLine {
    const NAME: &'static str = name::FABRICATION;
}

/// Asks what it costs to make something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FabricationQuoteRequest {
    /// What, and how.
    #[serde(flatten)]
    pub line: FabricationLine,
    /// How many.
    pub quantity: Positive,
}

impl Check for FabricationQuoteRequest {
    fn check(&self) -> Result<(), Flaw> {
        match self.line.infill_percent {
            Some(101..) => Err(Flaw::Rule("nothing is fuller than full")),
            _ => Ok(()),
        }
    }
}

/// A part of a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricePart {
    /// What for.
    pub display_text: String,
    /// Minor units.
    pub amount: crate::Amount,
}

/// What it costs to make something, and whether it can be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FabricationQuote {
    /// What was negotiated.
    pub ucp: UcpMeta,
    /// What goes into a checkout, like anything of a catalogue.
    pub item: Item,
    /// What all amounts are in.
    pub currency: Currency,
    /// How long it takes until it is made, in seconds.
    pub lead_time_s: u64,
    /// What is wrong with the design, or could be; nothing blocks where there is an item.
    pub findings: Vec<More>,
    /// Until when it costs that, as a moment of RFC 3339.
    pub expires_at: String,
    /// What the price is made of.
    pub price_parts: Vec<PricePart>,
    /// What, and how. Volume, mass and machine time are in its `more`.
    #[serde(flatten)]
    pub line: FabricationLine,
}

impl Check for FabricationQuote {
    fn check(&self) -> Result<(), Flaw> {
        self.ucp.check()?;
        at_most("price parts", &self.price_parts, MAX_TOTALS)?;
        at_most("findings", &self.findings, MAX_LINES)?;
        let sum: i64 = self.price_parts.iter().map(|part| part.amount.get()).sum();
        if !self.price_parts.is_empty() && sum != self.item.price.get() {
            return Err(Flaw::Rule("the parts of a price add up to it"));
        }
        Ok(())
    }
}

/// How far a thing is that is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Making {
    /// The order is taken.
    Accepted,
    /// What was handed over is what was designed, and can be made.
    Checked,
    /// It waits for a machine.
    Queued,
    /// It is being made.
    InProduction,
    /// It is looked at.
    QualityCheck,
    /// It is made.
    Made,
    /// It will not be made; the event says why.
    Rejected,
}

/// How far a thing is, on an event of the kind `processing`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FabricationState {
    /// How far.
    pub state: Making,
    /// How much of it is made, of a hundred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// How many are made before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<u32>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Extension for FabricationState {
    const NAME: &'static str = name::FABRICATION;
}

/// What the protocol does not say of an order: which snapshot it is, and whether it can be canceled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCare {
    /// Grows with each snapshot.
    pub revision: u64,
    /// Whether it can be canceled now.
    pub cancellable: bool,
    /// What that costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_fee: Option<UnsignedAmount>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Extension for OrderCare {
    const NAME: &'static str = name::ORDER_CARE;
}

/// How goods by measure are sold: a quantity counts steps. In a variant's metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredVariant {
    /// `g`, `ml`, ...
    pub unit: String,
    /// How much one step is.
    pub step: Positive,
    /// How many steps are sold at least.
    #[serde(default)]
    pub least_steps: Positive,
    /// How much more or less it may be, of a thousand.
    #[serde(default)]
    pub tolerance_permille: u16,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Extension for MeasuredVariant {
    const NAME: &'static str = name::MEASURED_GOODS;
}

/// What was really weighed, on an order's line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredLine {
    /// Thousandths of `unit`.
    pub measured_milli: u64,
    /// `g`, `ml`, ...
    pub unit: String,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Extension for MeasuredLine {
    const NAME: &'static str = name::MEASURED_GOODS;
}

/// What the user was shown and said yes to: in a complete request. A merchant that knows it orders exactly this or
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// Minor units.
    pub total: UnsignedAmount,
    /// Which currency.
    pub currency: Currency,
    /// What is made, where something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub design: Option<ContentHash>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Extension for Confirmed {
    const NAME: &'static str = name::CONFIRMED;
}

impl Confirmed {
    /// Whether a session is exactly what was confirmed: its total, its currency and, where one is named, its design.
    #[must_use]
    pub fn is(&self, checkout: &Checkout) -> bool {
        let made = |design: &ContentHash| {
            let lines = checkout.line_items.iter().map(|line| FabricationLine::of(&line.more));
            let designs: Vec<_> = lines.filter_map(|line| line.ok().flatten()).map(|line| line.design).collect();
            !designs.is_empty() && designs.iter().all(|one| one == design)
        };
        checkout.total() == Some(Money::new(self.total.get(), self.currency)) && self.design.as_ref().is_none_or(made)
    }
}

/// Certificates of what an order delivered, each as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Certificates(pub Vec<String>);

impl Extension for Certificates {
    const NAME: &'static str = name::CERTIFICATES;
}
