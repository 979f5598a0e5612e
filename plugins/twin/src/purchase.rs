//! Purchases and products as the enabler has them, and what is given to it for them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use bevy_ecs::prelude::*;
use vestibule_model::{
    BlobRef, Confirmation, ContentHash, DesignHash, LineId, Place, Product, PurchaseId, PurchaseState, PurchaseUpdate,
    Refusal, Serial, SystemId, TwinId,
};

/// Request: purchases and products as the enabler has them.
#[derive(Message, Clone, Debug, PartialEq)]
pub enum ManagePurchases {
    /// Bring [`KnownPurchases`] up to date.
    Look,
    /// How far is this one?
    Ask(PurchaseId),
    /// Buy. Its id is written down before it leaves, and asked for after whatever happens.
    Confirm(Box<Confirmation>),
    /// Cancel a purchase, as far as that is possible.
    Cancel(PurchaseId),
    /// Have the enabler keep something that purchases refer to.
    Give(Given),
    /// This twin is this product.
    Bind {
        /// The twin.
        twin: TwinId,
        /// The purchase that it came with.
        purchase: PurchaseId,
        /// Its serial number.
        serial: Serial,
        /// Its manufacturer's certificate.
        certificate: String,
    },
    /// This product has no electronics and stands here from now on.
    Keep {
        /// The purchase that it came with.
        purchase: PurchaseId,
        /// Its serial number.
        serial: Serial,
        /// Where it stands.
        place: Place,
        /// How it looks: a GLB that was given before.
        visual: Option<BlobRef>,
    },
    /// This product is no twin any more.
    Unbind(Serial),
}

/// Request: a product that came and has no electronics is a twin from now on, where its design stands in the room, or where
/// parcels lie.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct KeepProduct {
    /// The purchase that it came with.
    pub purchase: PurchaseId,
    /// Its serial number.
    pub serial: Serial,
    /// What it was made to.
    pub design: Option<DesignHash>,
}

/// Request: the person has left the window where they keep things: what is only being read here for that is not needed any more.
/// What is on its way to the enabler goes on.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StopKeeping;

/// What is done for a product that is to be kept, before the enabler is asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepStep {
    /// How it looks is read.
    Reading,
    /// How it looks is on its way to the enabler.
    Giving,
}

/// Products that are being kept and for which the enabler was not asked yet. Written by whoever follows [`KeepProduct`].
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct KeepingProducts(pub BTreeMap<Serial, KeepStep>);

/// Something to be given to the enabler: a design's package, a document about a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Given {
    /// What it hashes to.
    pub hash: ContentHash,
    /// Its media type.
    pub media: &'static str,
    /// All of it.
    pub bytes: Arc<[u8]>,
}

impl Given {
    /// The media type of documents about people: kept apart, given to nobody else.
    pub const PERSON: &'static str = "application/vnd.vestibule.person+json";
    /// The media type of what a thing looks like.
    pub const MODEL: &'static str = "model/gltf-binary";
    /// The media type of designs' packages.
    pub const PACKAGE: &'static str = "model/3mf";

    /// `bytes`, by their hash.
    #[must_use]
    pub fn new(media: &'static str, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self { hash: ContentHash::of(&bytes), media, bytes }
    }
}

/// Without the bytes: they may be about a person.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Given({} {}, {} bytes)", self.media, self.hash, self.bytes.len())
    }
}

/// How far something is that is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Giving {
    /// So many bytes of so many are there.
    Under(u64, u64),
    /// All of it is there.
    There,
    /// It was not sent: there was no room for it here.
    NotSent(Refusal),
    /// The connection was lost, and nobody knows how much of it arrived. It goes on over the next one.
    Lost(Refusal),
    /// It was heard, and is not taken.
    Refused(Refusal),
}

/// The person's purchases and products. Written by the plugin that talks to the enabler.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownPurchases {
    /// What the enabler said of each.
    pub by_id: BTreeMap<PurchaseId, PurchaseUpdate>,
    /// Whether the newest ones are among them.
    pub complete: bool,
    /// Confirmed here, and the enabler has not said whether it took them: they may have been bought.
    pub in_doubt: BTreeSet<PurchaseId>,
    /// Why the enabler did not take a confirmation or a cancellation. Of a purchase that is not in `by_id`: nothing was
    /// bought.
    pub refused: BTreeMap<PurchaseId, Refusal>,
    /// Products that have a twin.
    pub products: BTreeMap<Serial, Product>,
    /// Products about which the enabler was asked and has not answered.
    pub binding: BTreeSet<Serial>,
    /// Why the last question about a product was refused.
    pub not_bound: BTreeMap<Serial, Refusal>,
    /// The enabler to which what is in `given` was given, as people call it.
    pub given_to: String,
    /// How far is what is given to that enabler. Of another one it says nothing.
    pub given: BTreeMap<ContentHash, Giving>,
    /// Why the last question had no answer.
    pub problem: Option<Refusal>,
}

impl KnownPurchases {
    /// The purchase that a checkout became.
    #[must_use]
    pub fn of_checkout(&self, system: &SystemId, checkout: &str) -> Option<&PurchaseUpdate> {
        self.by_id.values().find(|known| known.system == *system && known.checkout.as_str() == checkout)
    }

    /// The newest first.
    #[must_use]
    pub fn newest_first(&self) -> Vec<&PurchaseUpdate> {
        let mut all: Vec<_> = self.by_id.values().collect();
        all.sort_by_key(|known| (std::cmp::Reverse(known.confirmed), known.id));
        all
    }

    /// What was delivered and has a serial number: the purchase, the line of its order, the serial and the certificate
    /// where the order came with it.
    pub fn delivered(&self) -> impl Iterator<Item = (&PurchaseUpdate, &LineId, &Serial, Option<&str>)> {
        self.by_id.values().flat_map(|known| {
            let lines = known.order.iter().flat_map(|order| &order.lines).filter(|line| line.fulfilled > 0);
            lines.flat_map(move |line| {
                let of = |serial| line.certificates.get(serial).map(String::as_str);
                line.serials.iter().map(move |serial| (known, &line.id, serial, of(serial)))
            })
        })
    }

    /// Takes what was told, unless something newer was told before. The same moment counts: what its merchant said last
    /// and when it answered come without a new one.
    pub fn take(&mut self, update: PurchaseUpdate) {
        self.in_doubt.remove(&update.id);
        let known = self.by_id.get(&update.id);
        if known.is_none_or(|known| known.at <= update.at && known.checked <= update.checked.or(known.checked)) {
            if update.state.is_final() || !matches!(update.state, PurchaseState::Confirmed) {
                self.refused.remove(&update.id);
            }
            self.by_id.insert(update.id, update);
        }
    }
}

#[cfg(test)]
mod tests {
    use vestibule_model::{CheckoutId, Money, Timestamp, UserId};

    use super::*;

    fn update(state: PurchaseState, at: u64) -> PurchaseUpdate {
        PurchaseUpdate {
            id: PurchaseId([1; 16]),
            user: UserId::slug("ada"),
            system: SystemId::slug("shop"),
            checkout: CheckoutId::new("chk_01").unwrap(),
            state,
            total: Money::new(100, "EUR".parse().unwrap()),
            order: None,
            checked: None,
            said: None,
            confirmed: Timestamp(1),
            at: Timestamp(at),
        }
    }

    #[test]
    fn what_came_late_changes_nothing() {
        let mut known = KnownPurchases::default();
        known.in_doubt.insert(PurchaseId([1; 16]));
        known.take(update(PurchaseState::Placing { attempts: 1, since: Timestamp(2) }, 2));
        assert!(known.in_doubt.is_empty(), "the enabler has it");
        known.take(update(PurchaseState::Confirmed, 1));
        assert!(matches!(known.by_id[&PurchaseId([1; 16])].state, PurchaseState::Placing { .. }));
        assert!(known.of_checkout(&SystemId::slug("shop"), "chk_01").is_some());
        assert!(known.of_checkout(&SystemId::slug("shop"), "chk_02").is_none());
    }

    #[test]
    fn no_log_shows_what_is_given() {
        let given = Given::new(Given::PERSON, b"11 Example Street".as_slice());
        assert!(!format!("{:?}", ManagePurchases::Give(given)).contains("Example"));
    }
}
