use serde::{Deserialize, Serialize};
use vestibule_model::{Currency, Money};

use crate::{
    Address, Check, Flaw, Id, Item, Message, More, Positive, Totals, UcpMeta,
    json::{all_different, at_most},
    limits::{MAX_ADJUSTMENTS, MAX_EVENTS, MAX_LINES, MAX_MESSAGES},
    moment,
};

/// Kinds of events that mean something to a program; others are possible.
pub mod event {
    /// It is worked on.
    pub const PROCESSING: &str = "processing";
    /// It was handed to who brings it.
    pub const SHIPPED: &str = "shipped";
    /// It is on its way.
    pub const IN_TRANSIT: &str = "in_transit";
    /// It is there.
    pub const DELIVERED: &str = "delivered";
    /// Nobody was there to take it.
    pub const FAILED_ATTEMPT: &str = "failed_attempt";
    /// It will not come.
    pub const CANCELED: &str = "canceled";
    /// It cannot be brought there.
    pub const UNDELIVERABLE: &str = "undeliverable";
    /// It goes back.
    pub const RETURNED_TO_SENDER: &str = "returned_to_sender";
}

/// How many there were, are and are done with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineQuantity {
    /// How many were ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<u32>,
    /// How many it is now.
    pub total: u32,
    /// How many were handed over.
    pub fulfilled: u32,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderLineStatus {
    /// Nothing was handed over yet.
    Processing,
    /// Some was.
    Partial,
    /// All was.
    Fulfilled,
    /// None of it is ordered any more.
    Removed,
}

impl LineQuantity {
    /// What the numbers say of the line.
    #[must_use]
    pub const fn status(&self) -> OrderLineStatus {
        match (self.total, self.fulfilled) {
            (0, _) => OrderLineStatus::Removed,
            (_, 0) => OrderLineStatus::Processing,
            (total, fulfilled) if fulfilled >= total => OrderLineStatus::Fulfilled,
            _ => OrderLineStatus::Partial,
        }
    }
}

/// So many of an item, ordered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The line's id.
    pub id: Id,
    /// Of what.
    pub item: Item,
    /// How many.
    pub quantity: LineQuantity,
    /// What they cost.
    pub totals: Totals,
    /// Where it stands.
    pub status: OrderLineStatus,
    /// The line that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Id>,
    /// What is not known here, extensions for one.
    #[serde(flatten)]
    pub more: More,
}

/// So many of a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    /// Which line.
    pub id: Id,
    /// How many.
    pub quantity: Positive,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// So many of a line more, or less.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignedQuantity {
    /// Which line.
    pub id: Id,
    /// How many; below zero: taken off.
    pub quantity: i32,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// How something is promised to be handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderMethod {
    /// Brought.
    Shipping,
    /// Picked up.
    Pickup,
    /// Sent as data.
    Digital,
}

/// What is promised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// Its id.
    pub id: Id,
    /// Of which lines.
    pub line_items: Vec<Quantity>,
    /// How it is handed over.
    pub method_type: OrderMethod,
    /// Where it goes. Personal.
    pub destination: Address,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `now`, or a moment of RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfillable_on: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// What happened to goods. Never taken back: what was wrong is followed by what is right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FulfillmentEvent {
    /// Its id.
    pub id: Id,
    /// When, as a moment of RFC 3339.
    pub occurred_at: String,
    /// See [`event`]; others are possible.
    #[serde(rename = "type")]
    pub kind: String,
    /// To which lines.
    pub line_items: Vec<Quantity>,
    /// What the carrier calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// Where it can be followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_url: Option<String>,
    /// Who brings it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is not known here, extensions for one.
    #[serde(flatten)]
    pub more: More,
}

/// How far an adjustment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentStatus {
    /// Not done yet.
    Pending,
    /// Done.
    Completed,
    /// Did not work.
    Failed,
}

/// A refund, a return, another price: what changed about an order's money or lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adjustment {
    /// Its id.
    pub id: Id,
    /// `refund`, `return`, `credit`, `price_adjustment`, `cancellation`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// When, as a moment of RFC 3339.
    pub occurred_at: String,
    /// How far it is.
    pub status: AdjustmentStatus,
    /// Which lines, and how many of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_items: Option<Vec<SignedQuantity>>,
    /// What it is worth; below zero: to the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// What was promised, and what happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OrderFulfillment {
    /// What is promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expectations: Option<Vec<Expectation>>,
    /// What happened; only grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<FulfillmentEvent>>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// An order, always whole: each snapshot says everything that there is to say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// What was negotiated.
    pub ucp: UcpMeta,
    /// The order's id.
    pub id: Id,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The session that it came from.
    pub checkout_id: Id,
    /// Where people see it.
    pub permalink_url: String,
    /// What all amounts are in.
    pub currency: Currency,
    /// What was ordered.
    pub line_items: Vec<OrderLine>,
    /// What was promised, and what happened.
    pub fulfillment: OrderFulfillment,
    /// What changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjustments: Option<Vec<Adjustment>>,
    /// What it costs, in the order in which it is shown.
    pub totals: Totals,
    /// What the merchant says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<Message>>,
    /// What is not known here, extensions for one.
    #[serde(flatten)]
    pub more: More,
}

impl Order {
    /// What happened.
    #[must_use]
    pub fn events(&self) -> &[FulfillmentEvent] {
        self.fulfillment.events.as_deref().unwrap_or_default()
    }

    /// What is promised.
    #[must_use]
    pub fn expectations(&self) -> &[Expectation] {
        self.fulfillment.expectations.as_deref().unwrap_or_default()
    }

    /// What changed since it was ordered.
    #[must_use]
    pub fn adjustments(&self) -> &[Adjustment] {
        self.adjustments.as_deref().unwrap_or_default()
    }

    /// The total as money, as it was when it was ordered.
    #[must_use]
    pub fn total(&self) -> Option<Money> {
        self.totals.money(self.currency)
    }

    /// What went back to the buyer for good: completed adjustments whose total is below zero.
    #[must_use]
    pub fn refunded(&self) -> Money {
        Money::new(-self.adjusted(|amount| amount < 0), self.currency)
    }

    /// What the buyer pays beyond the total, for goods that weigh more for one: completed adjustments whose total is above
    /// zero.
    #[must_use]
    pub fn added(&self) -> Money {
        Money::new(self.adjusted(|amount| amount > 0), self.currency)
    }

    fn adjusted(&self, counts: impl Fn(i64) -> bool) -> i64 {
        let done = self.adjustments().iter().filter(|one| one.status == AdjustmentStatus::Completed);
        let totals = done.filter_map(|one| one.totals.as_ref()?.total()).map(crate::Amount::get);
        // MAX_ADJUSTMENTS amounts of at most MAX_AMOUNT each: far from overflowing.
        totals.filter(|amount| counts(*amount)).sum()
    }
}

impl Check for Order {
    fn check(&self) -> Result<(), Flaw> {
        self.ucp.check()?;
        at_most("line items", &self.line_items, MAX_LINES)?;
        at_most("events", self.events(), MAX_EVENTS)?;
        at_most("expectations", self.expectations(), MAX_LINES)?;
        at_most("adjustments", self.adjustments(), MAX_ADJUSTMENTS)?;
        at_most("messages", self.messages.as_deref().unwrap_or_default(), MAX_MESSAGES)?;
        all_different(self.line_items.iter().map(|line| line.id.as_str()), "each line has its own id")?;
        all_different(self.events().iter().map(|one| one.id.as_str()), "each event has its own id")?;
        all_different(self.adjustments().iter().map(|one| one.id.as_str()), "each adjustment has its own id")?;
        self.totals.check()?;
        self.line_items.iter().try_for_each(check_line)?;
        for adjustment in self.adjustments() {
            at_most("lines of an adjustment", adjustment.line_items.as_deref().unwrap_or_default(), MAX_LINES)?;
            adjustment.totals.as_ref().map_or(Ok(()), Totals::check_size)?;
            is_moment(&adjustment.occurred_at)?;
        }
        self.events().iter().try_for_each(|one| {
            at_most("lines of an event", &one.line_items, MAX_LINES)?;
            is_moment(&one.occurred_at)
        })
    }
}

fn check_line(line: &OrderLine) -> Result<(), Flaw> {
    line.totals.check_part()?;
    if line.quantity.fulfilled > line.quantity.total && line.quantity.total > 0 {
        return Err(Flaw::Rule("no more is handed over than was ordered"));
    }
    Ok(())
}

fn is_moment(text: &str) -> Result<(), Flaw> {
    moment(text).map(|_| ()).ok_or(Flaw::Rule("a moment is written as RFC 3339 does it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_say_where_a_line_stands() {
        let of = |total, fulfilled| LineQuantity { original: None, total, fulfilled, more: More::new() }.status();
        assert_eq!(of(2, 0), OrderLineStatus::Processing);
        assert_eq!(of(2, 1), OrderLineStatus::Partial);
        assert_eq!(of(2, 2), OrderLineStatus::Fulfilled);
        assert_eq!(of(0, 0), OrderLineStatus::Removed);
    }
}
