use serde::{Deserialize, Serialize};
use serde_json::Number;
use vestibule_model::{Currency, Money};

use crate::{
    Check, Flaw, Id, Message, More, UcpMeta, UnsignedAmount,
    json::at_most,
    limits::{MAX_MESSAGES, MAX_PRODUCTS},
};

/// What something costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Minor units.
    pub amount: UnsignedAmount,
    /// Which currency.
    pub currency: Currency,
}

impl Price {
    /// The same as money.
    #[must_use]
    pub const fn money(&self) -> Money {
        Money::new(self.amount.get(), self.currency)
    }
}

/// From the cheapest to the dearest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRange {
    /// The cheapest.
    pub min: Price,
    /// The dearest.
    pub max: Price,
}

/// So much of a unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// How much.
    pub value: Number,
    /// `g`, `kg`, `ml`, `l`, ...
    pub unit: String,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// What a reference measure costs, so that packs can be compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitPrice {
    /// Minor units for `reference`.
    pub amount: UnsignedAmount,
    /// Which currency.
    pub currency: Currency,
    /// How much is in the pack.
    pub measure: Measure,
    /// What the price is for.
    pub reference: Measure,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// Whether it can be had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Availability {
    /// Whether it can be bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<bool>,
    /// `in_stock`, `backorder`, `preorder`, `out_of_stock`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// What can be bought: its id goes into a checkout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// Its id.
    pub id: Id,
    /// What it is called.
    pub title: String,
    /// What is to be said of it: `plain`, `html`, `markdown`. The schema wants it, examples do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<More>,
    /// What it costs.
    pub price: Price,
    /// What a reference measure of it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<UnitPrice>,
    /// Whether it can be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<Availability>,
    /// What the merchant adds; ours says how goods by measure are sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<More>,
    /// What is not known here: options, pictures, bar codes.
    #[serde(flatten)]
    pub more: More,
}

/// Something that is sold, in its variants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// Its id.
    pub id: Id,
    /// What it is called.
    pub title: String,
    /// What is to be said of it: `plain`, `html`, `markdown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<More>,
    /// What its variants cost.
    pub price_range: PriceRange,
    /// What can be bought; one at least.
    pub variants: Vec<Variant>,
    /// What is not known here: options, pictures, ratings.
    #[serde(flatten)]
    pub more: More,
}

impl Check for Product {
    fn check(&self) -> Result<(), Flaw> {
        at_most("variants", &self.variants, MAX_PRODUCTS)?;
        if self.variants.is_empty() { Err(Flaw::Rule("a product has one variant at least")) } else { Ok(()) }
    }
}

/// Which part of a long answer is wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PageRequest {
    /// Where the last answer ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Which part of a long answer it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PageAnswer {
    /// Where it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Whether it goes on.
    pub has_next_page: bool,
    /// How many there are in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_count: Option<u64>,
}

/// Looks for something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchRequest {
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Which part of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<PageRequest>,
    /// What is not known here: context, filters.
    #[serde(flatten)]
    pub more: More,
}

impl Check for SearchRequest {
    fn check(&self) -> Result<(), Flaw> {
        match self.pagination.as_ref().and_then(|page| page.limit) {
            Some(0) => Err(Flaw::Rule("a page has one product at least")),
            _ => Ok(()),
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchAnswer {
    /// What was negotiated.
    pub ucp: UcpMeta,
    /// What was found.
    pub products: Vec<Product>,
    /// Which part of it this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<PageAnswer>,
    /// What the merchant says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<Message>>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// What was found by its ids: as a search answers, and `messages` say what there is none of.
pub type LookupAnswer = SearchAnswer;

impl Check for SearchAnswer {
    fn check(&self) -> Result<(), Flaw> {
        self.ucp.check()?;
        at_most("products", &self.products, MAX_PRODUCTS)?;
        at_most("messages", self.messages.as_deref().unwrap_or_default(), MAX_MESSAGES)?;
        if self.pagination.as_ref().is_some_and(|page| page.has_next_page && page.cursor.is_none()) {
            return Err(Flaw::Rule("what goes on says where"));
        }
        self.products.iter().try_for_each(Check::check)
    }
}

/// Asks for things by their ids.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookupRequest {
    /// Of products or variants.
    pub ids: Vec<Id>,
    /// What is not known here: context, filters.
    #[serde(flatten)]
    pub more: More,
}

impl Check for LookupRequest {
    fn check(&self) -> Result<(), Flaw> {
        at_most("ids", &self.ids, MAX_PRODUCTS)?;
        if self.ids.is_empty() { Err(Flaw::Rule("one id at least")) } else { Ok(()) }
    }
}

/// Asks for all that is to be said of one product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProductRequest {
    /// Of the product or a variant.
    pub id: Id,
    /// What is not known here: what was selected, preferences, context.
    #[serde(flatten)]
    pub more: More,
}

impl Check for ProductRequest {
    fn check(&self) -> Result<(), Flaw> {
        Ok(())
    }
}

/// All that is to be said of one product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProductAnswer {
    /// What was negotiated.
    pub ucp: UcpMeta,
    /// The product.
    pub product: Product,
    /// What the merchant says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<Message>>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Check for ProductAnswer {
    fn check(&self) -> Result<(), Flaw> {
        self.ucp.check()?;
        at_most("messages", self.messages.as_deref().unwrap_or_default(), MAX_MESSAGES)?;
        self.product.check()
    }
}
