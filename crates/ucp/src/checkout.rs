use serde::{Deserialize, Serialize};
use vestibule_model::{Currency, Money};

use crate::{
    Check, Flaw, Fulfillment, FulfillmentRequest, Id, Message, More, Payment, Positive, Severity, Totals, TotalsError,
    UcpMeta, UnsignedAmount,
    json::{all_different, at_most},
    limits::{MAX_LINES, MAX_MESSAGES},
};

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutStatus {
    /// Something is missing; messages say what.
    Incomplete,
    /// A person has to go on where `continue_url` leads.
    RequiresEscalation,
    /// It can be completed.
    ReadyForComplete,
    /// It is being completed.
    CompleteInProgress,
    /// There is an order.
    Completed,
    /// It is over, and nothing was ordered.
    Canceled,
}

impl CheckoutStatus {
    /// Whether nothing changes any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Canceled)
    }
}

/// What is bought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The merchant's id of it.
    pub id: Id,
    /// What it is called.
    pub title: String,
    /// What one of it costs, in minor units of the checkout's currency.
    pub price: UnsignedAmount,
    /// A picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// So many of an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineItem {
    /// The line's id.
    pub id: Id,
    /// Of what.
    pub item: Item,
    /// How many.
    pub quantity: Positive,
    /// What they cost.
    pub totals: Totals,
    /// The line that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Id>,
    /// What is not known here, extensions for one.
    #[serde(flatten)]
    pub more: More,
}

/// Who buys. All of it personal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Buyer {
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// E-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// Terms, privacy and the like: must be shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// `terms_of_service`, `privacy_policy`, `refund_policy`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// Where.
    pub url: String,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// The order that a session became.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderConfirmation {
    /// Its id.
    pub id: Id,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where people see it.
    pub permalink_url: String,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// A checkout session, whole: what its merchant answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkout {
    /// What was negotiated.
    pub ucp: UcpMeta,
    /// The session's id.
    pub id: Id,
    /// Where it stands.
    pub status: CheckoutStatus,
    /// What all amounts are in.
    pub currency: Currency,
    /// What is bought.
    pub line_items: Vec<LineItem>,
    /// What it costs, in the order in which it is shown.
    pub totals: Totals,
    /// What must be shown with it.
    pub links: Vec<Link>,
    /// Who buys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer: Option<Buyer>,
    /// Country, language, currency: hints for prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<More>,
    /// What is observed about the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signals: Option<More>,
    /// What the merchant says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<Message>>,
    /// When it ends, as a moment of RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Where a person can go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continue_url: Option<String>,
    /// How it is handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfillment: Option<Fulfillment>,
    /// How it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Payment>,
    /// The order that it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderConfirmation>,
    /// What is not known here, extensions for one.
    #[serde(flatten)]
    pub more: More,
}

impl Checkout {
    /// What the merchant says.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        self.messages.as_deref().unwrap_or_default()
    }

    /// The total as money.
    #[must_use]
    pub fn total(&self) -> Option<Money> {
        self.totals.money(self.currency)
    }

    /// Whether a program may complete it: ready, without an error, and its entries are its total.
    ///
    /// # Errors
    /// Why not.
    pub fn may_complete(&self) -> Result<Money, Flaw> {
        if self.status != CheckoutStatus::ReadyForComplete {
            return Err(Flaw::Rule("the session is not ready to be completed"));
        }
        if self.messages().iter().any(|message| message.error().is_some()) {
            return Err(Flaw::Rule("the session has an error"));
        }
        self.totals.check_sum()?;
        self.total().ok_or(Flaw::Totals(TotalsError::NotOne(crate::kind::TOTAL)))
    }
}

impl Check for Checkout {
    fn check(&self) -> Result<(), Flaw> {
        self.ucp.check()?;
        at_most("line items", &self.line_items, MAX_LINES)?;
        at_most("messages", self.messages(), MAX_MESSAGES)?;
        at_most("links", &self.links, MAX_LINES)?;
        all_different(self.line_items.iter().map(|line| line.id.as_str()), "each line has its own id")?;
        self.line_items.iter().try_for_each(|line| line.totals.check_part())?;
        self.totals.check()?;
        self.fulfillment.as_ref().map_or(Ok(()), Check::check)?;
        self.payment.as_ref().map_or(Ok(()), Check::check)?;
        if self.status == CheckoutStatus::Completed && self.order.is_none() {
            return Err(Flaw::Rule("a completed session has its order"));
        }
        if self.status == CheckoutStatus::RequiresEscalation {
            let asks = |message: &Message| {
                let severity = message.error().map(|error| error.severity);
                matches!(severity, Some(Severity::RequiresBuyerInput | Severity::RequiresBuyerReview))
            };
            if self.continue_url.is_none() || !self.messages().iter().any(asks) {
                return Err(Flaw::Rule("an escalation says where, and what for"));
            }
        }
        let credential =
            self.payment.iter().flat_map(|payment| payment.instruments()).any(|one| one.credential.is_some());
        if credential { Err(Flaw::Rule("no answer has a credential")) } else { Ok(()) }
    }
}

/// An item by its id: title and price are the merchant's to say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemRef {
    /// The merchant's id of it.
    pub id: Id,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// So many of an item, as a platform asks for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineItemRequest {
    /// The line, where it is there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// Of what.
    pub item: ItemRef,
    /// How many.
    pub quantity: Positive,
    /// The line that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Id>,
    /// What is not known here, extensions for one.
    #[serde(flatten)]
    pub more: More,
}

impl LineItemRequest {
    /// So many of an item, as a new line.
    #[must_use]
    pub fn new(item: Id, quantity: Positive) -> Self {
        Self { id: None, item: ItemRef { id: item, more: More::new() }, quantity, parent_id: None, more: More::new() }
    }
}

/// Opens a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckoutCreate {
    /// What is to be bought.
    pub line_items: Vec<LineItemRequest>,
    /// Who buys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer: Option<Buyer>,
    /// Country, language, currency: hints for prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<More>,
    /// What is observed about the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signals: Option<More>,
    /// How it is to be handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfillment: Option<FulfillmentRequest>,
    /// How it is to be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Payment>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// The whole of what can be written of a session: what is left out is gone.
pub type CheckoutUpdate = CheckoutCreate;

impl CheckoutCreate {
    /// Nothing but these lines.
    #[must_use]
    pub fn of(line_items: Vec<LineItemRequest>) -> Self {
        Self {
            line_items,
            buyer: None,
            context: None,
            signals: None,
            fulfillment: None,
            payment: None,
            more: More::new(),
        }
    }
}

impl Check for CheckoutCreate {
    fn check(&self) -> Result<(), Flaw> {
        at_most("line items", &self.line_items, MAX_LINES)?;
        if self.line_items.is_empty() {
            return Err(Flaw::Rule("a session has one line at least"));
        }
        let ids = self.line_items.iter().filter_map(|line| line.id.as_ref()).map(Id::as_str);
        all_different(ids, "each line has its own id")?;
        self.fulfillment.as_ref().map_or(Ok(()), Check::check)?;
        self.payment.as_ref().map_or(Ok(()), Check::check)
    }
}

/// Buys what a session holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckoutComplete {
    /// With what it is paid.
    pub payment: Payment,
    /// What is observed about the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signals: Option<More>,
    /// What is not known here, extensions for one.
    #[serde(flatten)]
    pub more: More,
}

impl Check for CheckoutComplete {
    fn check(&self) -> Result<(), Flaw> {
        self.payment.check()?;
        match self.payment.selected() {
            Some(_) => Ok(()),
            None => Err(Flaw::Rule("one instrument is selected")),
        }
    }
}
