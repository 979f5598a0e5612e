//! A checkout session: what a platform said of it. What it costs is counted anew each time (`checkout`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vestibule_model::Timestamp;
use vestibule_ucp::{
    Buyer, CheckoutCreate, Destination, FabricationLine, Id, LineItemRequest, MethodType, More, OrderConfirmation,
    UcpMeta,
};

use super::{Broken, book::Measured};

/// How long a session stays open: a day's half, so that nobody loses a cart over lunch.
pub(crate) const OPEN_MS: u64 = 6 * 60 * 60 * 1000;

/// What an item is at this moment: of the catalogue, or made to a design.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ware {
    pub(crate) title: String,
    pub(crate) price: i64,
    pub(crate) left: i64,
    pub(crate) measured: Option<Measured>,
    pub(crate) allergens: Option<String>,
    pub(crate) made: Option<Made>,
}

/// How something is made that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) line: FabricationLine,
    /// The quantity that the price is for.
    pub(crate) quantity: u32,
    /// One piece, in seconds of a machine.
    pub(crate) machine_s: u64,
    /// Until when it costs that.
    pub(crate) until: Timestamp,
}

/// Wares by id.
pub(crate) type Shelf = BTreeMap<String, Ware>;

/// So many of an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) id: Id,
    pub(crate) item: Id,
    pub(crate) quantity: u32,
    /// What one cost when the platform last said what it wants: a price that changed since is said, not charged.
    pub(crate) shown: i64,
    /// There was less than was asked for.
    #[serde(default)]
    pub(crate) lowered: bool,
}

/// What a platform said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: Id,
    /// The thumbprint of the key that opened it.
    pub(crate) platform: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) buyer: Option<Buyer>,
    pub(crate) context: Option<More>,
    pub(crate) destinations: Vec<Destination>,
    pub(crate) destination: Option<Id>,
    pub(crate) option: Option<Id>,
    /// Asked for in a way that there is none of.
    pub(crate) strange_way: bool,
    pub(crate) stage: Stage,
    pub(crate) expires: Timestamp,
    /// The token that waits for its payer or its bank, and what goes with it.
    pub(crate) pending: Option<Pending>,
    /// What was answered to the last `complete`: a session that is over says what it said.
    pub(crate) sold: Option<Sold>,
}

/// Where a session stands, beyond what can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    Open,
    /// The payer has to prove who they are.
    Challenged,
    /// The bank takes its time.
    InProgress,
    Completed,
    Canceled,
}

/// A payment that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) token: String,
    /// What opens the page on which the payer says yes.
    pub(crate) secret: String,
    /// What the order's snapshots name.
    pub(crate) ucp: UcpMeta,
    /// What was counted when it was confirmed.
    pub(crate) total: i64,
}

/// What a session became.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sold {
    pub(crate) order: OrderConfirmation,
    /// The totals, lines and delivery that were agreed to, without who and where.
    pub(crate) checkout: serde_json::Value,
}

/// Why nothing is opened or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unwritten {
    /// There is no such item; its place in the request.
    NoItem(usize),
    Broken(Broken),
}

impl From<Broken> for Unwritten {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl Session {
    /// A session that nothing was said of yet.
    pub(crate) fn new(id: Id, platform: &str, now: Timestamp) -> Self {
        Self {
            id,
            platform: platform.to_owned(),
            lines: Vec::new(),
            buyer: None,
            context: None,
            destinations: Vec::new(),
            destination: None,
            option: None,
            strange_way: false,
            stage: Stage::Open,
            expires: now.plus(OPEN_MS),
            pending: None,
            sold: None,
        }
    }

    /// Whether it is over by `now`, though nobody said so.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        matches!(self.stage, Stage::Open | Stage::Challenged) && self.expires <= now
    }

    /// Takes what a platform says: all of it, what is left out is gone.
    ///
    /// # Errors
    /// [`Unwritten`]; then nothing has changed.
    pub(crate) fn write(&mut self, said: &CheckoutCreate, shelf: &Shelf) -> Result<(), Unwritten> {
        let lines = said.line_items.iter().enumerate();
        let lines: Vec<Line> =
            lines.map(|(at, line)| read_line(at, line, &said.line_items, shelf)).collect::<Result<_, _>>()?;
        let methods = said.fulfillment.as_ref().and_then(|one| one.methods.as_deref()).unwrap_or_default();
        let method = methods.first();
        let strange = |one: &vestibule_ucp::MethodRequest| one.kind.is_some_and(|kind| kind != MethodType::Shipping);
        let destinations = method.and_then(|one| one.destinations.as_deref()).unwrap_or_default();
        let destinations = destinations.iter().enumerate().map(named).collect::<Result<Vec<_>, Broken>>()?;
        let chosen = match method.and_then(|one| one.selected_destination_id.clone()) {
            Some(chosen) => chosen,
            // Where there is one only, that one is meant.
            None => destinations.first().filter(|_| destinations.len() == 1).and_then(|one| one.id.clone()),
        };
        let groups = method.and_then(|one| one.groups.as_deref()).unwrap_or_default();
        let option = groups.iter().find_map(|group| group.selected_option_id.clone().flatten());
        self.strange_way = methods.len() > 1 || methods.iter().any(strange);
        (self.lines, self.destinations, self.destination, self.option) = (lines, destinations, chosen, option);
        (self.buyer, self.context) = (said.buyer.clone(), said.context.clone());
        // Whoever changes a cart has not confirmed it.
        (self.stage, self.pending) = (Stage::Open, None);
        Ok(())
    }

    /// Where it goes.
    pub(crate) fn goes_to(&self) -> Option<&Destination> {
        let chosen = self.destination.as_ref()?;
        self.destinations.iter().find(|one| one.id.as_ref() == Some(chosen))
    }

    /// Forgets who bought, and where they live.
    pub(crate) fn forget(&mut self) {
        (self.buyer, self.context, self.destination) = (None, None, None);
        self.destinations.clear();
    }
}

fn read_line(at: usize, said: &LineItemRequest, all: &[LineItemRequest], shelf: &Shelf) -> Result<Line, Unwritten> {
    let ware = shelf.get(said.item.id.as_str()).ok_or(Unwritten::NoItem(at))?;
    let id = match &said.id {
        Some(id) => id.clone(),
        None => {
            let taken = |id: &str| all.iter().any(|line| line.id.as_ref().is_some_and(|other| other.as_str() == id));
            // Its place makes it another one than all others that are made here.
            let mut free = format!("li_{}", at + 1);
            while taken(&free) {
                free.push('_');
            }
            Id::new(free).map_err(Broken::from)?
        }
    };
    let wanted = said.quantity.get();
    let quantity = match &ware.made {
        // A price for ten is no price for one.
        Some(made) => made.quantity,
        None => wanted.min(u32::try_from(ware.left.max(1)).unwrap_or(u32::MAX)),
    };
    Ok(Line { id, item: said.item.id.clone(), quantity, shown: ware.price, lowered: quantity != wanted })
}

fn named((at, destination): (usize, &Destination)) -> Result<Destination, Broken> {
    let id = match &destination.id {
        Some(id) => id.clone(),
        None => Id::new(format!("dest_{}", at + 1))?,
    };
    Ok(Destination { id: Some(id), ..destination.clone() })
}
