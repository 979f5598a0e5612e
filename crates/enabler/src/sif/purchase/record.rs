//! Purchases as the log remembers them: a fold of what was decided about each.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use vestibule_model::{
    Confirmation, ContentHash, DesignHash, Money, OrderId, OrderView, PurchaseState, PurchaseUpdate, Timestamp, UserId,
};

use crate::Identity;

/// Milliseconds after the first asking for which the same key orders once: merchants keep keys for a day at least.
pub(super) const KEY_HOLDS_MS: u64 = 23 * 60 * 60 * 1_000;
/// Milliseconds after everything was delivered for which something may still go back.
pub(super) const RETURNS_MS: u64 = 14 * 24 * 60 * 60 * 1_000;

/// What is asked of a merchant that it may act on, and is therefore written down before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskKind {
    /// Order it.
    Complete,
    /// End the checkout, so that nothing is ordered any more.
    CancelSession,
    /// Cancel the order.
    Cancel,
}

/// What a merchant said that changes what is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToldRecord {
    /// It is ordered.
    Placed {
        /// What the merchant calls the order.
        order: OrderId,
        /// What it costs.
        total: Money,
    },
    /// It was not ordered.
    Refused {
        /// The kind of reason.
        code: String,
        /// Why.
        #[serde(with = "vestibule_model::sealed")]
        reason: String,
    },
    /// The checkout has ended without an order.
    Gone {
        /// The kind of reason.
        code: String,
        /// Why.
        #[serde(with = "vestibule_model::sealed")]
        reason: String,
    },
    /// How the order is.
    Order {
        /// Which.
        order: OrderId,
        /// How it is.
        #[serde(with = "vestibule_model::sealed")]
        view: Box<OrderView>,
    },
    /// The order is cancelled.
    Canceled,
    /// The order cannot be cancelled.
    CannotCancel {
        /// Why.
        #[serde(with = "vestibule_model::sealed")]
        reason: String,
    },
}

/// A merchant's no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    /// The kind of reason.
    pub code: String,
    /// Why.
    #[serde(with = "vestibule_model::sealed")]
    pub reason: String,
    /// Whether no other asking can have ordered it, or still will.
    pub is_certain: bool,
}

/// A purchase that was confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseRecord {
    /// By whom. Before what is theirs.
    pub user: UserId,
    /// With which device.
    pub by: Identity,
    /// What was confirmed.
    pub confirmation: Confirmation,
    /// When.
    pub confirmed: Timestamp,
    /// How often its merchant was asked to order it.
    pub attempts: u16,
    /// When it was asked first.
    pub since: Option<Timestamp>,
    /// Its user wants it cancelled.
    pub cancel: bool,
    /// How often its merchant was asked for that.
    pub cancels: u16,
    /// What the merchant calls the order.
    pub order: Option<OrderId>,
    /// The merchant has cancelled it.
    pub canceled: bool,
    /// It was not ordered.
    pub denied: Option<Denied>,
    /// How the merchant's order is another than what was confirmed.
    #[serde(default, with = "vestibule_model::sealed")]
    pub dispute: Option<String>,
    /// How the order is.
    #[serde(default, with = "vestibule_model::sealed")]
    pub view: Option<Box<OrderView>>,
    /// When it last was another.
    pub viewed: Timestamp,
    /// Why it cannot be cancelled.
    #[serde(default, with = "vestibule_model::sealed")]
    pub said: Option<String>,
    /// How it ended, where it has.
    pub end: Option<PurchaseState>,
    /// When something last became of it.
    pub at: Timestamp,
    /// Its user is not there any more: it goes on to its end, and is nobody's.
    pub orphan: bool,
    /// What was given for it.
    #[serde(default)]
    pub contents: BTreeSet<ContentHash>,
}

/// What a purchase waits for next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing follows.
    Nothing,
    /// It ends.
    End(PurchaseState),
    /// Its merchant is asked for something that it acts on.
    Ask(AskKind),
    /// Its merchant is asked what became of the checkout.
    Session,
    /// Its merchant is asked how the order is.
    Look,
}

/// What there is to wait for before something follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// Nothing: it follows at once.
    Nothing,
    /// What becomes of the checkout.
    Checkout,
    /// What becomes of the order.
    Order,
}

impl PurchaseRecord {
    pub(crate) fn new(
        at: Timestamp,
        user: UserId,
        by: Identity,
        confirmation: Confirmation,
        contents: BTreeSet<ContentHash>,
    ) -> Self {
        Self {
            user,
            by,
            confirmation,
            confirmed: at,
            attempts: 0,
            since: None,
            cancel: false,
            cancels: 0,
            order: None,
            canceled: false,
            denied: None,
            dispute: None,
            view: None,
            viewed: at,
            said: None,
            end: None,
            at,
            orphan: false,
            contents,
        }
    }

    /// Whether something may still follow.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Whether everything of it was delivered.
    pub(crate) fn is_at_the_door(&self) -> bool {
        self.view.as_deref().is_some_and(OrderView::is_fulfilled)
    }

    /// Whether it is this user's, who is still there.
    pub(crate) fn is_of(&self, user: &UserId) -> bool {
        !self.orphan && self.user == *user
    }

    /// Its merchant is asked.
    pub(crate) fn asked(&mut self, at: Timestamp, what: AskKind, attempt: u16) {
        match what {
            AskKind::Complete => {
                self.since.get_or_insert(at);
                self.attempts = attempt;
            }
            AskKind::CancelSession | AskKind::Cancel => self.cancels = attempt,
        }
        self.at = at;
    }

    /// Its user wants it cancelled.
    pub(crate) fn cancel_asked(&mut self, at: Timestamp) {
        (self.cancel, self.cancels, self.said, self.at) = (true, 0, None, at);
    }

    /// Its merchant has said something.
    pub(crate) fn told(&mut self, at: Timestamp, told: &ToldRecord) {
        match told {
            ToldRecord::Placed { order, total } => {
                self.ordered(order);
                if *total != self.confirmation.total {
                    self.disputed(format!("it costs {total}, and {} was confirmed", self.confirmation.total));
                }
            }
            ToldRecord::Refused { code, reason } => self.denied(code, reason, self.attempts <= 1 && self.cancels == 0),
            ToldRecord::Gone { code, reason } => self.denied(code, reason, true),
            ToldRecord::Order { order, view } => {
                self.ordered(order);
                // What another order has become says nothing of the one that was confirmed.
                if self.order.as_ref() == Some(order) {
                    self.seen(at, view);
                }
            }
            ToldRecord::Canceled => self.canceled = true,
            ToldRecord::CannotCancel { reason } => (self.cancel, self.said) = (false, Some(reason.clone())),
        }
        self.at = at;
    }

    fn denied(&mut self, code: &str, reason: &str, is_certain: bool) {
        let is_known = self.denied.as_ref().is_some_and(|known| known.is_certain);
        if self.order.is_none() && !is_known {
            // What was said first is why; what ends the checkout only makes it sure.
            let (code, reason) = match self.denied.take() {
                Some(known) => (known.code, known.reason),
                None => (code.to_owned(), reason.to_owned()),
            };
            self.denied = Some(Denied { code, reason, is_certain });
        }
    }

    /// The merchant says that there is an order.
    fn ordered(&mut self, order: &OrderId) {
        if self.order.as_ref().is_some_and(|known| known != order) {
            self.disputed(format!("its merchant has ordered it twice, the second time as {order}"));
            return;
        }
        if self.order.is_none() && self.end.take().is_some() {
            self.disputed("its merchant has ordered it after it had said that it would not".to_owned());
        }
        (self.order, self.denied) = (Some(order.clone()), None);
    }

    /// The order is like this.
    fn seen(&mut self, at: Timestamp, view: &OrderView) {
        if let Some(what) = self.difference(view) {
            self.disputed(what);
        }
        if self.view.as_deref() != Some(view) {
            (self.view, self.viewed) = (Some(Box::new(view.clone())), at);
        }
    }

    fn disputed(&mut self, what: String) {
        self.dispute.get_or_insert(what);
    }

    /// How an order is another than what was confirmed; `None`: it is not.
    fn difference(&self, view: &OrderView) -> Option<String> {
        let most = self.confirmation.most;
        if view.total.currency != most.currency || view.total.amount > most.amount {
            return Some(format!("it costs {}, and at most {most} was confirmed", view.total));
        }
        let mut made: Vec<DesignHash> = view.lines.iter().filter_map(|line| line.design).collect();
        let mut wanted: Vec<DesignHash> = self.confirmation.designs.values().copied().collect();
        made.sort();
        wanted.sort();
        // Who does not know what designs are names none.
        (!made.is_empty() && made != wanted).then(|| "it is made to another design than was confirmed".to_owned())
    }

    /// Nothing follows.
    pub(crate) fn ended(&mut self, at: Timestamp, state: &PurchaseState) {
        (self.end, self.at) = (Some(state.clone()), at);
    }

    /// What it waits for at `now`.
    pub(super) fn next(&self, now: Timestamp) -> Next {
        if self.end.is_some() {
            return Next::Nothing;
        }
        match &self.order {
            None => self.before_order(now),
            Some(order) => self.after_order(order, now),
        }
    }

    pub(crate) fn waits(&self, now: Timestamp) -> Waits {
        match self.next(now) {
            Next::Nothing | Next::End(_) | Next::Ask(_) => Waits::Nothing,
            Next::Session => Waits::Checkout,
            Next::Look => Waits::Order,
        }
    }

    fn before_order(&self, now: Timestamp) -> Next {
        match (&self.denied, self.since) {
            (Some(denied), _) if denied.is_certain && !self.cancel => {
                Next::End(PurchaseState::NotPlaced { code: denied.code.clone(), reason: denied.reason.clone() })
            }
            (Some(denied), _) if denied.is_certain => Next::End(PurchaseState::Canceled { order: None }),
            // Asked more than once, nobody knows which time the no is about. A checkout that has ended orders nothing.
            (Some(_), _) => Next::Ask(AskKind::CancelSession),
            (None, None) if self.cancel => Next::End(PurchaseState::Canceled { order: None }),
            (None, Some(_)) if self.cancel => Next::Ask(AskKind::CancelSession),
            (None, Some(since)) if now.since(since) > KEY_HOLDS_MS => Next::Session,
            (None, _) => Next::Ask(AskKind::Complete),
        }
    }

    fn after_order(&self, order: &OrderId, now: Timestamp) -> Next {
        let order = || order.clone();
        let view = self.view.as_deref();
        if self.canceled || view.is_some_and(OrderView::is_removed) {
            return Next::End(PurchaseState::Canceled { order: Some(order()) });
        }
        if self.cancel {
            return Next::Ask(AskKind::Cancel);
        }
        if self.is_at_the_door() && now.since(self.viewed) > RETURNS_MS {
            return Next::End(PurchaseState::Completed { order: order() });
        }
        Next::Look
    }

    /// How far it is.
    #[must_use]
    pub fn state(&self) -> PurchaseState {
        if let Some(end) = &self.end {
            return end.clone();
        }
        match (&self.order, &self.dispute) {
            _ if self.cancel => PurchaseState::Canceling { order: self.order.clone(), attempts: self.cancels },
            (Some(order), Some(what)) => PurchaseState::Disputed { order: order.clone(), what: what.clone() },
            (Some(order), None) => PurchaseState::Placed { order: order.clone() },
            (None, _) => match self.since {
                Some(since) => PurchaseState::Placing { attempts: self.attempts, since },
                None => PurchaseState::Confirmed,
            },
        }
    }

    /// How far it is, for people; `checked` and `doubt` are what is known of its merchant since the enabler's start.
    pub(crate) fn update(&self, checked: Option<Timestamp>, doubt: Option<&str>) -> PurchaseUpdate {
        let Confirmation { id, system, checkout, total, .. } = &self.confirmation;
        let denied = self.denied.as_ref().map(|denied| denied.reason.as_str());
        PurchaseUpdate {
            id: *id,
            user: self.user.clone(),
            system: system.clone(),
            checkout: checkout.clone(),
            state: self.state(),
            total: *total,
            order: self.view.as_deref().cloned(),
            checked,
            said: doubt.or(self.said.as_deref()).or(denied).map(str::to_owned),
            confirmed: self.confirmed,
            at: self.at,
        }
    }
}
