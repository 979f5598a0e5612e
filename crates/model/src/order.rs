use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::{ContentHash, DesignHash, LineId, MAX_TEXT, Money, Serial, Timestamp, Unit};

/// The most lines of an order that are shown: more is a warehouse's business, not a home's.
pub const MAX_ORDER_LINES: usize = 64;
/// The most pieces of an order that are made to a design: each has a serial number and a certificate, and all of them are
/// shown.
pub const MAX_ORDER_PIECES: u32 = 64;
/// The most notes of an order that are kept, the newest.
pub const MAX_ORDER_NOTES: usize = 64;
/// The most bytes of texts in an order: a page of purchases fits a frame.
pub const MAX_ORDER_BYTES: usize = 64 * 1024;

/// How far something that is made to order is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Making {
    /// The manufacturer takes it.
    Accepted,
    /// It can be made.
    Checked,
    /// It waits for a machine.
    Queued {
        /// Jobs before it.
        ahead: u32,
    },
    /// A machine makes it.
    InProduction {
        /// How far, of a hundred.
        #[schema(maximum = 100)]
        percent: u8,
    },
    /// Somebody looks at it.
    QualityCheck,
    /// It is made.
    Made,
    /// It cannot be made.
    Rejected {
        /// Why, for a person.
        reason: String,
    },
}

/// How far something that is brought is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Carrying {
    /// Nobody carries it.
    #[default]
    Nothing,
    /// It was handed over.
    Shipped {
        /// To whom.
        carrier: String,
        /// Under which number.
        tracking: String,
        /// Where the carrier says how far it is.
        url: Option<String>,
    },
    /// It is on its way.
    InTransit,
    /// Nobody was there to take it.
    FailedAttempt,
    /// It is there.
    Delivered,
    /// It went back.
    Returned,
    /// Nobody knows where it is.
    Lost,
}

/// What was really weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Weighed {
    /// Of what.
    pub unit: Unit,
    /// Thousandths of it.
    pub milli: u64,
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderLine {
    /// The merchant's name for it.
    pub id: LineId,
    /// What the merchant calls the item.
    pub item: String,
    /// What people call it.
    pub title: String,
    /// What all of it costs.
    pub price: Money,
    /// How many were ordered.
    pub ordered: u32,
    /// How many there are left of them; 0: the line was taken out.
    pub total: u32,
    /// How many were delivered.
    pub fulfilled: u32,
    /// What it is made to.
    #[serde(default)]
    pub design: Option<DesignHash>,
    /// What was made, by its serial numbers.
    #[serde(default)]
    pub serials: Vec<Serial>,
    /// The manufacturer's certificates that came with the order; those of other products are on their parcels.
    #[serde(default)]
    pub certificates: BTreeMap<Serial, String>,
    /// How far its making is; `None`: it is not made to order.
    #[serde(default)]
    pub making: Option<Making>,
    /// How far its bringing is.
    #[serde(default)]
    pub carrying: Carrying,
    /// What was weighed, where it is sold by weight.
    #[serde(default)]
    pub measured: Option<Weighed>,
}

/// Something that happened to an order, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderNote {
    /// The merchant's name for it.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// What kind: `refund`, `shipped`.
    pub kind: String,
    /// In words.
    pub text: String,
}

/// How far a snapshot of an order is. Merchants number none: events and adjustments only grow in number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SnapshotMark {
    /// How many events it has.
    pub events: u32,
    /// How many adjustments it has.
    pub adjustments: u32,
    /// When the last of them was.
    pub last: Option<Timestamp>,
    /// Of the ids of both, and how far adjustments are.
    pub digest: ContentHash,
    /// The merchant's own number, where it has one.
    pub revision: Option<u64>,
}

/// An order as its merchant last showed it. Has no address and no buyer: those stay where they belong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderView {
    /// Its lines: at most [`MAX_ORDER_LINES`].
    pub lines: Vec<OrderLine>,
    /// What all of it costs.
    pub total: Money,
    /// What was paid back of it, as far as that is done.
    pub refunded: Money,
    /// What happened, the oldest first: at most [`MAX_ORDER_NOTES`].
    #[serde(default)]
    pub notes: Vec<OrderNote>,
    /// Between when it should come.
    #[serde(default)]
    pub expected: Option<(Timestamp, Timestamp)>,
    /// Whether the merchant takes a cancellation by now.
    pub cancellable: bool,
    /// Where the merchant shows it to people.
    pub permalink: String,
    /// How far the snapshot is.
    pub mark: SnapshotMark,
}

/// Why a snapshot of an order is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OrderError {
    /// More lines, notes or serial numbers than are kept.
    #[error("an order has at most {MAX_ORDER_LINES} lines and {MAX_ORDER_NOTES} notes here")]
    TooMany,
    /// Texts that are too long.
    #[error("an order's texts have at most {MAX_ORDER_BYTES} bytes here, each of them {MAX_TEXT}")]
    TooLong,
}

impl OrderView {
    /// Checks that it is no longer than what is kept.
    ///
    /// # Errors
    /// [`OrderError`].
    pub fn check(&self) -> Result<(), OrderError> {
        let many = |line: &OrderLine| line.serials.len().max(line.certificates.len()) > MAX_ORDER_LINES;
        if self.lines.len() > MAX_ORDER_LINES || self.notes.len() > MAX_ORDER_NOTES || self.lines.iter().any(many) {
            return Err(OrderError::TooMany);
        }
        let mut bytes = 0_usize;
        let mut texts =
            self.lines.iter().flat_map(OrderLine::texts).chain(self.notes.iter().flat_map(OrderNote::texts));
        let short = texts.all(|text| {
            bytes = bytes.saturating_add(text.len());
            text.len() <= MAX_TEXT
        });
        if short && self.permalink.len() <= MAX_TEXT && bytes <= MAX_ORDER_BYTES {
            Ok(())
        } else {
            Err(OrderError::TooLong)
        }
    }

    /// Whether every line was delivered or taken out.
    #[must_use]
    pub fn is_fulfilled(&self) -> bool {
        !self.lines.is_empty() && self.lines.iter().all(|line| line.fulfilled >= line.total)
    }

    /// Whether every line was taken out.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        !self.lines.is_empty() && self.lines.iter().all(|line| line.total == 0)
    }
}

impl OrderLine {
    fn texts(&self) -> impl Iterator<Item = &str> {
        let carried = match &self.carrying {
            Carrying::Shipped { carrier, tracking, url } => {
                [carrier.as_str(), tracking.as_str(), url.as_deref().unwrap_or_default()]
            }
            _ => [""; 3],
        };
        let reason = match &self.making {
            Some(Making::Rejected { reason }) => reason.as_str(),
            _ => "",
        };
        let own = [self.id.as_str(), self.item.as_str(), self.title.as_str(), reason];
        let serials = self.serials.iter().map(Serial::as_str);
        own.into_iter().chain(carried).chain(serials).chain(self.certificates.values().map(String::as_str))
    }
}

impl OrderNote {
    fn texts(&self) -> impl Iterator<Item = &str> {
        [self.id.as_str(), self.kind.as_str(), self.text.as_str()].into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;

    fn view() -> OrderView {
        let euro: Currency = "EUR".parse().unwrap();
        let line = OrderLine {
            id: LineId::new("li_1").unwrap(),
            item: "made_7f3c".to_owned(),
            title: "Lamp".to_owned(),
            price: Money::new(3_380, euro),
            ordered: 1,
            total: 1,
            fulfilled: 0,
            design: Some(DesignHash(ContentHash([7; 32]))),
            serials: vec![Serial::new("W1042-0001").unwrap()],
            certificates: BTreeMap::new(),
            making: Some(Making::InProduction { percent: 40 }),
            carrying: Carrying::Nothing,
            measured: None,
        };
        let mark = SnapshotMark { events: 3, adjustments: 0, last: None, digest: ContentHash([1; 32]), revision: None };
        OrderView {
            lines: vec![line],
            total: Money::new(3_380, euro),
            refunded: Money::new(0, euro),
            notes: Vec::new(),
            expected: None,
            cancellable: true,
            permalink: "https://workshop.example/orders/ord_01".to_owned(),
            mark,
        }
    }

    #[test]
    fn an_order_is_read_as_it_was_written() {
        let bytes = postcard::to_stdvec(&view()).unwrap();
        assert_eq!(postcard::from_bytes::<OrderView>(&bytes).unwrap(), view());
        let text = serde_json::to_string(&view()).unwrap();
        assert!(text.contains(r#""making":{"in_production":{"percent":40}},"carrying":"nothing""#), "{text}");
        assert_eq!(serde_json::from_str::<OrderView>(&text).unwrap(), view());
    }

    #[test]
    fn what_is_kept_of_an_order_has_limits() {
        let longer = |change: fn(&mut OrderView)| {
            let mut view = view();
            change(&mut view);
            view.check()
        };
        assert_eq!(longer(|_| {}), Ok(()));
        assert_eq!(longer(|view| view.lines = vec![view.lines[0].clone(); 65]), Err(OrderError::TooMany));
        assert_eq!(
            longer(|view| view.lines[0].serials = vec![Serial::new("A").unwrap(); 65]),
            Err(OrderError::TooMany)
        );
        assert_eq!(longer(|view| view.permalink = "x".repeat(MAX_TEXT + 1)), Err(OrderError::TooLong));
        assert_eq!(longer(|view| view.lines[0].title = "x".repeat(MAX_TEXT + 1)), Err(OrderError::TooLong));
        let long = |view: &mut OrderView| {
            view.lines[0].title = "x".repeat(2_000);
            view.lines = vec![view.lines[0].clone(); 33];
        };
        assert_eq!(longer(long), Err(OrderError::TooLong));
    }

    #[test]
    fn an_order_is_fulfilled_or_removed_by_its_lines() {
        let mut view = view();
        assert!(!view.is_fulfilled() && !view.is_removed());
        view.lines[0].fulfilled = 1;
        assert!(view.is_fulfilled() && !view.is_removed());
        (view.lines[0].fulfilled, view.lines[0].total) = (0, 0);
        assert!(view.is_fulfilled() && view.is_removed());
        view.lines.clear();
        assert!(!view.is_fulfilled() && !view.is_removed(), "of nothing nothing was delivered");
    }
}
