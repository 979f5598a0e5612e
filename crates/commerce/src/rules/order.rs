//! An order: what was bought, what happened to it, what changed since. Told as whole snapshots.

use serde::{Deserialize, Serialize};
use vestibule_model::{Currency, Timestamp};
use vestibule_ucp::{
    Address, Adjustment, AdjustmentStatus, Amount, Certificates, Expectation, Extension as _, FabricationLine,
    FulfillmentEvent, Id, Item, LineQuantity, Making, MeasuredLine, More, Order, OrderCare, OrderFulfillment,
    OrderLine, OrderMethod, Positive, Quantity, SignedQuantity, Total, Totals, UcpMeta, UnsignedAmount, event, kind,
};

use super::{
    Broken,
    book::{Book, Measured},
    checkout::{Priced, item, line_totals},
    payment::Payment,
    session::{Session, Shelf},
};

/// Where an order stands. Only `life` and `cancel` move it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    Accepted,
    Checked,
    Queued,
    InProduction,
    QualityCheck,
    Made,
    Packed,
    Shipped,
    InTransit,
    FailedAttempt,
    Delivered,
    Canceled,
    Rejected,
}

impl Stage {
    /// Whether it can still be canceled for nothing: nobody has worked on it.
    pub(crate) const fn is_cancellable(self) -> bool {
        matches!(self, Self::Accepted | Self::Checked | Self::Queued)
    }

    /// As the database names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Checked => "checked",
            Self::Queued => "queued",
            Self::InProduction => "in_production",
            Self::QualityCheck => "quality_check",
            Self::Made => "made",
            Self::Packed => "packed",
            Self::Shipped => "shipped",
            Self::InTransit => "in_transit",
            Self::FailedAttempt => "failed_attempt",
            Self::Delivered => "delivered",
            Self::Canceled => "canceled",
            Self::Rejected => "rejected",
        }
    }
}

/// So many of an item, bought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) id: Id,
    pub(crate) item: Item,
    pub(crate) ordered: u32,
    pub(crate) total: u32,
    pub(crate) fulfilled: u32,
    pub(crate) amount: i64,
    pub(crate) tax: i64,
    pub(crate) made: Option<FabricationLine>,
    pub(crate) serials: Vec<String>,
    pub(crate) measured: Option<Measured>,
    /// Thousandths of the unit, once it was weighed.
    pub(crate) weighed: Option<u64>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: Id,
    pub(crate) label: String,
    pub(crate) session: Id,
    pub(crate) platform: String,
    pub(crate) currency: Currency,
    /// What was negotiated when it was bought: every snapshot says so.
    pub(crate) ucp: UcpMeta,
    pub(crate) permalink: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) totals: Totals,
    pub(crate) total: i64,
    pub(crate) carrier: String,
    pub(crate) expected: (Timestamp, Timestamp),
    pub(crate) revision: u64,
    pub(crate) stage: Stage,
    /// When something happens by itself.
    pub(crate) due: Option<Timestamp>,
    /// The whole time on machines, in seconds.
    pub(crate) machine_s: u64,
    /// When the machine began.
    pub(crate) began: Option<Timestamp>,
    pub(crate) certificates: Vec<String>,
    #[serde(skip)]
    pub(crate) payment: Payment,
    #[serde(skip)]
    pub(crate) events: Vec<FulfillmentEvent>,
    #[serde(skip)]
    pub(crate) adjustments: Vec<Adjustment>,
}

/// Why an order is not canceled: in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotCanceled {
    TooLate(&'static str),
    Broken(Broken),
}

impl From<Broken> for NotCanceled {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// What surrounds a new order.
pub(crate) struct Placing<'a> {
    pub(crate) id: Id,
    pub(crate) label: String,
    pub(crate) ucp: UcpMeta,
    pub(crate) base: &'a str,
    /// What the token is good for.
    pub(crate) authorized: i64,
    pub(crate) due: Timestamp,
    pub(crate) now: Timestamp,
}

impl Record {
    /// The order that a session becomes.
    ///
    /// # Errors
    /// [`Broken`], and where nothing was chosen to bring it.
    pub(crate) fn place(
        session: &Session,
        priced: &Priced,
        shelf: &Shelf,
        book: &Book,
        placing: Placing<'_>,
    ) -> Result<Self, Broken> {
        let chosen = priced.chosen.as_ref().ok_or_else(|| Broken("nobody chose how it is brought".to_owned()))?;
        let line = |line: &super::checkout::PricedLine| {
            let ware = shelf.get(line.item.as_str());
            Ok::<_, Broken>(Line {
                id: line.id.clone(),
                item: item(line)?,
                ordered: line.quantity,
                total: line.quantity,
                fulfilled: 0,
                amount: line.amount,
                tax: line.tax,
                made: ware.and_then(|ware| ware.made.as_ref()).map(|made| made.line.clone()),
                serials: Vec::new(),
                measured: ware.and_then(|ware| ware.measured.clone()),
                weighed: None,
            })
        };
        let mut record = Self {
            permalink: format!("{}/orders/{}", placing.base, placing.id),
            id: placing.id,
            label: placing.label,
            session: session.id.clone(),
            platform: session.platform.clone(),
            currency: book.currency,
            ucp: placing.ucp,
            lines: priced.lines.iter().map(line).collect::<Result<_, _>>()?,
            totals: priced.totals.clone(),
            total: priced.total,
            carrier: chosen.carrier.clone(),
            expected: (chosen.from, chosen.to),
            revision: 0,
            stage: Stage::Accepted,
            due: Some(placing.due),
            machine_s: priced.machine_s,
            began: None,
            certificates: Vec::new(),
            payment: Payment::authorize(priced.total, placing.authorized)?,
            events: Vec::new(),
            adjustments: Vec::new(),
        };
        record.happens(event::PROCESSING, "Accepted", Some((Making::Accepted, None, None)), placing.now)?;
        Ok(record)
    }

    /// Whether something of it is made to a design.
    pub(crate) fn is_made(&self) -> bool {
        self.lines.iter().any(|line| line.made.is_some())
    }

    /// Something happens to all lines that are left.
    pub(crate) fn happens(
        &mut self,
        kind: &str,
        text: &str,
        making: Option<(Making, Option<u8>, Option<u32>)>,
        now: Timestamp,
    ) -> Result<(), Broken> {
        let mut more = More::new();
        if let Some((state, percent, ahead)) = making.filter(|_| self.is_made()) {
            vestibule_ucp::FabricationState { state, percent, ahead, more: More::new() }.put(&mut more);
        }
        let all = self.lines.iter().filter(|line| line.total > 0);
        let quantity = |line: &Line| {
            Ok::<_, Broken>(Quantity {
                id: line.id.clone(),
                quantity: Positive::new(line.total.into())?,
                more: More::new(),
            })
        };
        let carried = [event::SHIPPED, event::IN_TRANSIT, event::DELIVERED, event::FAILED_ATTEMPT].contains(&kind);
        let tracking = carried.then(|| format!("TRK{}", self.id.as_str().trim_start_matches("ord_")));
        let event = FulfillmentEvent {
            id: Id::new(format!("{}_evt_{}", self.id, self.events.len() + 1))?,
            occurred_at: now.to_utc(),
            kind: kind.to_owned(),
            line_items: all.map(quantity).collect::<Result<_, _>>()?,
            tracking_url: tracking.as_ref().map(|_| format!("{}#tracking", self.permalink)),
            tracking_number: tracking,
            carrier: carried.then(|| self.carrier.clone()),
            description: Some(text.to_owned()),
            more,
        };
        self.events.push(event);
        self.revision += 1;
        Ok(())
    }

    /// Something changes about its money, its lines, or both.
    pub(crate) fn adjust(
        &mut self,
        kind: &str,
        text: &str,
        lines: &[(Id, i32)],
        amount: Option<i64>,
        now: Timestamp,
    ) -> Result<(), Broken> {
        let lines: Vec<SignedQuantity> = lines
            .iter()
            .map(|(id, quantity)| SignedQuantity { id: id.clone(), quantity: *quantity, more: More::new() })
            .collect();
        let totals = amount.map(|amount| Ok::<_, Broken>(Totals(vec![Total::new(kind::TOTAL, Amount::new(amount)?)])));
        self.adjustments.push(Adjustment {
            id: Id::new(format!("{}_adj_{}", self.id, self.adjustments.len() + 1))?,
            kind: kind.to_owned(),
            occurred_at: now.to_utc(),
            status: AdjustmentStatus::Completed,
            line_items: (!lines.is_empty()).then_some(lines),
            totals: totals.transpose()?,
            description: Some(text.to_owned()),
            more: More::new(),
        });
        self.revision += 1;
        Ok(())
    }

    /// Cancels it for nothing, where nobody has worked on it yet. What it costs already nothing of stays canceled.
    ///
    /// # Errors
    /// [`NotCanceled`].
    pub(crate) fn cancel(&mut self, now: Timestamp) -> Result<(), NotCanceled> {
        match self.stage {
            Stage::Canceled => return Ok(()),
            stage if stage.is_cancellable() => {}
            Stage::InProduction | Stage::QualityCheck | Stage::Made => {
                return Err(NotCanceled::TooLate("It is being made already."));
            }
            Stage::Rejected => return Err(NotCanceled::TooLate("It was rejected, and the money is back.")),
            _ => return Err(NotCanceled::TooLate("It is on its way already.")),
        }
        self.end(Stage::Canceled, "Canceled by the buyer", now)?;
        Ok(())
    }

    /// It will not be made, or not be brought: everything is given back.
    pub(crate) fn end(&mut self, stage: Stage, why: &str, now: Timestamp) -> Result<(), Broken> {
        self.happens(event::CANCELED, why, None, now)?;
        let lines: Vec<(Id, i32)> = self
            .lines
            .iter()
            .filter(|line| line.total > 0)
            .map(|line| (line.id.clone(), i32::try_from(line.total).map_or(i32::MIN, |total| -total)))
            .collect();
        self.adjust("cancellation", why, &lines, None, now)?;
        let back = self.payment.change(-self.payment.net());
        self.adjust("refund", "Everything is paid back", &[], Some(back), now)?;
        self.lines.iter_mut().for_each(|line| line.total = 0);
        (self.stage, self.due) = (stage, None);
        Ok(())
    }

    /// Whether its money is what its snapshots say: what was taken and will be, without what was given back, is the
    /// total with everything that changed since.
    #[cfg(test)]
    pub(crate) fn adds_up(&self) -> bool {
        let changed = self.adjustments.iter().filter_map(|one| one.totals.as_ref()?.total()).map(Amount::get);
        self.payment.net() == self.total + changed.sum::<i64>()
    }

    /// All there is to say of it. `address` is where it goes, as long as that is known.
    ///
    /// # Errors
    /// [`Broken`].
    pub(crate) fn snapshot(&self, address: Option<&Address>) -> Result<Order, Broken> {
        let knows = |name: &str| self.ucp.capabilities.as_ref().is_some_and(|all| all.contains_key(name));
        let mut more = More::new();
        if knows(vestibule_ucp::name::ORDER_CARE) {
            let cancellable = self.stage.is_cancellable();
            let cancel_fee = cancellable.then(|| UnsignedAmount::new(0)).transpose()?;
            OrderCare { revision: self.revision, cancellable, cancel_fee, more: More::new() }.put(&mut more);
        }
        if !self.certificates.is_empty() && knows(vestibule_ucp::name::FABRICATION) {
            Certificates(self.certificates.clone()).put(&mut more);
        }
        let promised = self.lines.iter().map(|line| {
            let quantity = Positive::new(line.ordered.into())?;
            Ok::<_, Broken>(Quantity { id: line.id.clone(), quantity, more: More::new() })
        });
        let (from, to) = (self.expected.0.to_utc(), self.expected.1.to_utc());
        let expectation = Expectation {
            id: Id::new("exp_1")?,
            line_items: promised.collect::<Result<_, _>>()?,
            method_type: OrderMethod::Shipping,
            destination: address.cloned().unwrap_or_default(),
            description: Some(format!("Between {from} and {to}")),
            fulfillable_on: Some(from),
            more: More::new(),
        };
        Ok(Order {
            ucp: self.ucp.clone(),
            id: self.id.clone(),
            label: Some(self.label.clone()),
            checkout_id: self.session.clone(),
            permalink_url: self.permalink.clone(),
            currency: self.currency,
            line_items: self.lines.iter().map(Line::snapshot).collect::<Result<_, _>>()?,
            fulfillment: OrderFulfillment {
                expectations: Some(vec![expectation]),
                events: Some(self.events.clone()),
                more: More::new(),
            },
            adjustments: Some(self.adjustments.clone()),
            totals: self.totals.clone(),
            messages: None,
            more,
        })
    }
}

impl Line {
    fn snapshot(&self) -> Result<OrderLine, Broken> {
        let mut more = More::new();
        if let Some(made) = &self.made {
            let serial = (!self.serials.is_empty()).then(|| self.serials.join(" "));
            FabricationLine { serial, ..made.clone() }.put(&mut more);
        }
        if let (Some(measured), Some(weighed)) = (&self.measured, self.weighed) {
            MeasuredLine { measured_milli: weighed, unit: measured.unit.clone(), more: More::new() }.put(&mut more);
        }
        let (original, total, fulfilled) = (Some(self.ordered), self.total, self.fulfilled);
        let quantity = LineQuantity { original, total, fulfilled, more: More::new() };
        Ok(OrderLine {
            id: self.id.clone(),
            item: self.item.clone(),
            status: quantity.status(),
            quantity,
            totals: line_totals(self.amount)?,
            parent_id: None,
            more,
        })
    }
}
