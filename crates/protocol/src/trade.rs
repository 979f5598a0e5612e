//! What the hub and whoever speaks to merchants tell each other, inside of the enabler's process. Nothing of it is on the
//! wire, so none of it is in [`protocol_hash`](crate::protocol_hash).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use vestibule_model::{
    CallId, CheckoutId, ContentHash, DesignHash, InquiryId, Json, LineId, Money, OrderId, OrderView, PayWith,
    PurchaseId, Serial, StepKey, SystemId, Timestamp, TwinId,
};

use crate::{CallResult, Invocation};

/// What the hub asks of a merchant. Each is answered by at most one [`TradeUp`]; none is repeated by whoever takes it: the
/// hub asks again when it hears nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum TradeAsk {
    /// SDC: use a service (P1.14). Answered by [`TradeUp::Result`].
    Invoke {
        /// The merchant.
        system: SystemId,
        /// What is asked.
        invocation: Box<Invocation>,
        /// The twins that the user shares with the merchant: it may ask for them while the call runs.
        twins: BTreeSet<TwinId>,
        /// The documents about people that the input refers to (`{"$person": hash, "at": pointer}`), as far as whoever
        /// calls has given them. What is missing is another's or is over: the step fails.
        persons: Persons,
    },
    /// Order what a checkout has, if it is what was confirmed. Answered by [`Told::Placed`], [`Told::Refused`],
    /// [`Told::NotReady`], [`Told::Differs`], [`Told::Gone`] or [`Told::Unknown`].
    Complete(Box<CompleteAsk>),
    /// How is an order? Answered by [`Told::Order`] or [`Told::Unknown`].
    Look {
        /// The purchase.
        purchase: PurchaseId,
        /// Its merchant.
        system: SystemId,
        /// The order.
        order: OrderId,
    },
    /// What became of a checkout? Changes nothing at the merchant. Answered by [`Told::Placed`], [`Told::Open`],
    /// [`Told::Gone`] or [`Told::Unknown`].
    Session {
        /// The purchase.
        purchase: PurchaseId,
        /// Its merchant.
        system: SystemId,
        /// The checkout.
        checkout: CheckoutId,
    },
    /// End a checkout, so that what was sent and is still on its way orders nothing. Answered by [`Told::Gone`],
    /// [`Told::Placed`] where it had been ordered before, or [`Told::Unknown`].
    CancelSession {
        /// The purchase.
        purchase: PurchaseId,
        /// Its merchant.
        system: SystemId,
        /// The checkout.
        checkout: CheckoutId,
    },
    /// Cancel an order. Answered by [`Told::Canceled`], [`Told::CannotCancel`] or [`Told::Unknown`].
    Cancel {
        /// The purchase.
        purchase: PurchaseId,
        /// Its merchant.
        system: SystemId,
        /// The order.
        order: OrderId,
    },
    /// Did this merchant sign this product's certificate? Answered by [`TradeUp::Certified`].
    Certify {
        /// Names the question.
        inquiry: InquiryId,
        /// The merchant.
        system: SystemId,
        /// The certificate, as somebody gave it.
        certificate: String,
    },
}

/// What a merchant is asked to order, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompleteAsk {
    /// The purchase; its id is the idempotency key, however often it is asked.
    pub purchase: PurchaseId,
    /// The merchant.
    pub system: SystemId,
    /// The checkout.
    pub checkout: CheckoutId,
    /// What was confirmed: before anything is sent that orders, the checkout must cost exactly this.
    pub total: Money,
    /// What the payment may be made for at most.
    pub most: Money,
    /// How it is paid.
    pub pay: PayWith,
    /// The designs that were confirmed, by line.
    pub designs: BTreeMap<LineId, DesignHash>,
    /// 1, or more where it is asked again.
    pub attempt: u16,
}

/// Documents about people, by the hash under which they were given: `{"salt": ..., "buyer": ..., "destination": ...}`. They
/// are kept apart from the log, and nobody prints them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Persons(pub BTreeMap<ContentHash, Json>);

impl fmt::Debug for Persons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Persons({})", self.0.len())
    }
}

/// What the hub is told of merchants.
#[derive(Clone, Debug, PartialEq)]
pub enum TradeUp {
    /// SDC: how an invocation went.
    Result {
        /// The merchant.
        system: SystemId,
        /// The call.
        call: CallId,
        /// The step.
        step: StepKey,
        /// Whether it was taken back.
        undo: bool,
        /// How it went.
        result: CallResult,
    },
    /// The answer about a purchase.
    Told {
        /// The purchase.
        purchase: PurchaseId,
        /// Its merchant: whose words these are.
        system: SystemId,
        /// What it said.
        told: Told,
    },
    /// A merchant tells how one of its orders is, without being asked. Its signature has been verified.
    Pushed {
        /// The merchant: whose words these are.
        system: SystemId,
        /// The checkout that became the order.
        checkout: CheckoutId,
        /// The order.
        order: OrderId,
        /// How it is.
        view: Box<OrderView>,
    },
    /// To [`TradeAsk::Certify`].
    Certified {
        /// Which question.
        inquiry: InquiryId,
        /// What the certificate says.
        answer: Result<Certified, NotCertified>,
    },
}

/// What a merchant said about a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is ordered.
    Placed {
        /// What the merchant calls the order.
        order: OrderId,
        /// What it costs.
        total: Money,
    },
    /// It was not ordered, for sure: a payment was declined, goods are sold out.
    Refused {
        /// The kind of reason, in the protocol's words.
        code: String,
        /// Why, for a person.
        reason: String,
    },
    /// It was not ordered: the checkout wants something first that only its user can give.
    NotReady {
        /// What, for a person.
        messages: Vec<String>,
    },
    /// The checkout is not what was confirmed. Nothing was sent that orders.
    Differs {
        /// What is different, for a person.
        what: String,
    },
    /// The checkout is as it was: neither ordered nor ended.
    Open,
    /// The checkout has ended without an order, and none can come of it any more.
    Gone {
        /// The kind of reason: `session_expired`, `canceled`.
        code: String,
        /// Why, for a person.
        reason: String,
    },
    /// How the order is by now: the answer to [`TradeAsk::Look`], which counts.
    Order(Box<OrderView>),
    /// The order is cancelled.
    Canceled {
        /// How it is by now, where the merchant says so.
        view: Option<Box<OrderView>>,
    },
    /// The order cannot be cancelled.
    CannotCancel {
        /// Why, for a person.
        reason: String,
    },
    /// No answer, or none that says anything: nothing is known.
    Unknown {
        /// Why, for a person.
        reason: String,
    },
}

/// What a product's certificate says. Its merchant has signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// The order with which the product came.
    pub order: OrderId,
    /// The line of it.
    pub line: LineId,
    /// The product.
    pub serial: Serial,
    /// What it was made to.
    pub design: Option<DesignHash>,
    /// When it was made.
    pub made: Option<Timestamp>,
}

/// Why nothing can be said for a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotCertified {
    /// It is no certificate, or not this merchant's.
    Forged,
    /// The merchant's keys cannot be had now.
    Unavailable {
        /// Why, for a person.
        reason: String,
    },
}
