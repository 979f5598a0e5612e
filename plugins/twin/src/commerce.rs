//! Buying: what a person asks for while they buy, what is known of it, and their purchases as the enabler has them.
//!
//! Three things, each written by one plugin: [`ShopView`] by the plugin that buys (it follows [`Shop`]), [`KnownPurchases`]
//! by the plugin that talks to the enabler (it follows [`ManagePurchases`]), [`AddressBook`] by the screen and by whoever
//! keeps its file. What is made to a design comes from the plugin that designs: [`PackageDesign`], [`DesignPackaged`].
//!
//! Money is whole minor units; moments are the enabler's clock.

use std::{collections::BTreeMap, fmt};

use bevy_app::App;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use vestibule_model::{DesignHash, Money, PayWith, PurchaseId, SystemId, Timestamp, TwinId};

use crate::{Given, KeepProduct, KeepingProducts, KnownPurchases, ManagePurchases, ShopAsk, ShopFit, StopKeeping};

/// Request: something about buying. What cannot be done is said in [`ShopView`].
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub enum Shop {
    /// Find out which merchants there are, what is agreed with them and what was bought.
    Look,
    /// Agree with a merchant that its services are used for a month. It is told nothing about the person by that.
    Agree(SystemId),
    /// Look for goods, in words, at every merchant that sells and is agreed with.
    Search(String),
    /// Ask a manufacturer what it costs to make the open design so many times.
    Quote {
        /// The manufacturer.
        system: SystemId,
        /// How many.
        quantity: u32,
        /// One of [`ShopMerchant::asks`], which it may see while it works that out, and no longer.
        shows: Option<TwinId>,
    },
    /// A manufacturer sees nothing of this twin any more, whatever was agreed.
    Hide {
        /// The manufacturer.
        system: SystemId,
        /// The twin.
        twin: TwinId,
    },
    /// Put so many of each item into the cart of a merchant, in addition to what is there.
    Add {
        /// The merchant.
        system: SystemId,
        /// Items by the merchant's ids; of goods by measure so many steps.
        items: Vec<(String, u32)>,
    },
    /// There shall be so many of a line; 0: none of it.
    Count {
        /// The merchant.
        system: SystemId,
        /// The line, by its [`ShopLine::id`].
        line: String,
        /// How many.
        quantity: u32,
    },
    /// What is in this cart goes to this address of the [`AddressBook`]. Nothing leaves by this: what would is shown.
    Address {
        /// The merchant.
        system: SystemId,
        /// The address, by its place in the book.
        address: usize,
    },
    /// Tell the merchant what [`ShopCart::leaves`] lists.
    Send(SystemId),
    /// Have it handed over in this way.
    Deliver {
        /// The merchant.
        system: SystemId,
        /// The group of lines, by its [`ShopDelivery::group`].
        group: String,
        /// The way, by its [`ShopDelivery::id`].
        option: String,
    },
    /// Pay it in this way.
    Pay {
        /// The merchant.
        system: SystemId,
        /// One of [`ShopCart::ways`].
        with: PayWith,
    },
    /// The click that costs money: order the cart for exactly this. Where it costs anything else by now, nothing is sent.
    Confirm {
        /// The merchant.
        system: SystemId,
        /// The total that the person saw.
        shown: Money,
    },
    /// Give a cart up: its merchant is told that nothing will be ordered.
    Leave(SystemId),
}

/// A merchant that can be bought from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopMerchant {
    /// The system.
    pub system: SystemId,
    /// What people call it.
    pub name: String,
    /// Whether goods can be looked for there.
    pub sells: bool,
    /// Whether it makes things to designs.
    pub makes: bool,
    /// Whether its services may be used now.
    pub agreed: bool,
    /// Whether it has been asked to agree and has not answered.
    pub asking: bool,
    /// Free places that it asks to see before it says what something costs. It says that without them, too.
    pub asks: Vec<ShopAsk>,
    /// Why it cannot be used now, for a person; none: it can.
    pub why_not: Option<String>,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopGoods {
    /// Who sells it.
    pub system: SystemId,
    /// What goes into a cart.
    pub item: String,
    /// What it is called.
    pub title: String,
    /// What its merchant says of it.
    pub says: String,
    /// What one of it costs, or one step.
    pub price: Money,
    /// What one of it is, where it is sold by measure, and what comparing costs: `50 g`, `2.98 EUR for 1 kg`.
    pub measure: String,
    /// How many are sold at least.
    pub least: u32,
    /// Why it cannot be had; none: it can.
    pub why_not: Option<String>,
}

/// What it costs to have a design made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopQuote {
    /// What was asked about; none: it is being written.
    pub design: Option<DesignHash>,
    /// What its maker calls it.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// What goes into a cart; none: it is not answered, or it cannot be made.
    pub item: Option<String>,
    /// What one of it costs.
    pub price: Option<Money>,
    /// What the price is made of.
    pub parts: Vec<(String, Money)>,
    /// Seconds until it is made.
    pub lead_s: u64,
    /// What the manufacturer found on it.
    pub findings: Vec<String>,
    /// Whether it goes where it is wanted.
    pub fit: ShopFit,
    /// Until when it costs that.
    pub until: Option<Timestamp>,
    /// What is going on: `asking what it costs`.
    pub busy: Option<String>,
    /// Why there is none, for a person.
    pub problem: Option<String>,
}

/// A line of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopLine {
    /// What requests say.
    pub id: String,
    /// What it is.
    pub item: String,
    /// What it is called.
    pub title: String,
    /// How many.
    pub quantity: u32,
    /// What one of it costs.
    pub price: Money,
    /// What all of it costs.
    pub total: Money,
    /// What it is made to.
    pub design: Option<DesignHash>,
}

/// How bad it is what a merchant says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShopNoteKind {
    /// Nothing can be ordered because of it.
    Blocks,
    /// To be known before going on.
    Warning,
    /// The law wants it beside the line: allergens.
    Disclosure,
    /// To be known.
    Info,
}

/// What a merchant says of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopNote {
    /// How bad it is.
    pub kind: ShopNoteKind,
    /// The protocol's word for it: `price_changed`.
    pub code: String,
    /// In words.
    pub text: String,
    /// The line that it is about, by its [`ShopLine::id`].
    pub line: Option<String>,
}

/// A way of handing over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopDelivery {
    /// The group of lines.
    pub group: String,
    /// What requests say.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What is to be said of it, and who brings it.
    pub says: String,
    /// What it costs.
    pub price: Money,
    /// Not before, and not after.
    pub between: (Option<Timestamp>, Option<Timestamp>),
    /// Whether it is chosen.
    pub chosen: bool,
}

/// Whether a merchant knows who buys, and where it goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShopTold {
    /// It was told nothing.
    #[default]
    Nothing,
    /// What it is to be told is on its way to the enabler, or from there to it.
    OnItsWay,
    /// It was told, and has not answered: it may know.
    Unsure,
    /// It has answered to that.
    Told,
}

/// What is to be bought at one merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopCart {
    /// The merchant.
    pub system: SystemId,
    /// What people call it.
    pub name: String,
    /// What is in it, as the merchant said last.
    pub lines: Vec<ShopLine>,
    /// How many of which item the person has put into it, whether the merchant has answered to that or not.
    pub wanted: Vec<(String, u32)>,
    /// Entries in the order in which the merchant shows them, the total among them.
    pub totals: Vec<(String, Money)>,
    /// What the merchant wants for it; none: it has not said.
    pub total: Option<Money>,
    /// What it may become at most once goods are weighed; none: the total.
    pub most: Option<Money>,
    /// What the merchant says, the worst first.
    pub notes: Vec<ShopNote>,
    /// Terms and the like: what, and where.
    pub links: Vec<(String, String)>,
    /// Where it goes, by its place in the [`AddressBook`]; none: nowhere yet, or what is written there is another by now.
    pub address: Option<usize>,
    /// Where it goes: the address that the merchant is or was told, whatever became of the [`AddressBook`] since.
    pub goes_to: Option<AddressEntry>,
    /// What the merchant will be told of the person by [`Shop::Send`], each a name and a value. Empty: nothing.
    pub leaves: Vec<(String, String)>,
    /// Whether the merchant knows where it goes.
    pub told: ShopTold,
    /// Ways of handing over.
    pub deliveries: Vec<ShopDelivery>,
    /// Ways of paying, and what people call them.
    pub ways: Vec<(PayWith, String)>,
    /// How it is paid.
    pub pay: Option<PayWith>,
    /// What is going on: `asking the merchant`.
    pub busy: Option<String>,
    /// What went wrong last, for a person.
    pub problem: Option<String>,
    /// The total before the merchant changed it, where the person has seen that one ready to be confirmed.
    pub was: Option<Money>,
    /// Why it cannot be confirmed, for a person; none: it can, for exactly `total`.
    pub why_not: Option<String>,
    /// What it has become.
    pub purchase: Option<PurchaseId>,
}

/// What can be bought, and how far buying is. Written by the plugin that buys.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct ShopView {
    /// Merchants.
    pub merchants: Vec<ShopMerchant>,
    /// What was looked for.
    pub words: String,
    /// What was found, by merchant.
    pub goods: Vec<ShopGoods>,
    /// Whether some merchant has not answered yet.
    pub searching: bool,
    /// Merchants that did not answer, and why.
    pub unanswered: Vec<(String, String)>,
    /// What it costs to make the open design, by manufacturer.
    pub quotes: BTreeMap<SystemId, ShopQuote>,
    /// Carts by merchant.
    pub carts: BTreeMap<SystemId, ShopCart>,
    /// What went wrong last, for a person.
    pub problem: Option<String>,
}

/// Request: write the open design as what a manufacturer takes. Answered by [`DesignPackaged`].
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PackageDesign;

/// Fact: what is ordered when the open design is.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct DesignPackaged(
    /// The package, or why it cannot be made, for a person.
    pub Result<DesignPackage, String>,
);

/// A design as manufacturers take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesignPackage {
    /// What is ordered is exactly this.
    pub design: DesignHash,
    /// What its maker calls it.
    pub name: String,
    /// What it is to become with what is built into it: `lamp`; none: it has no electronics.
    pub role: Option<String>,
    /// Its 3MF.
    pub package: Given,
    /// How it is made: `fff`.
    pub process: String,
    /// Of what: `pla`.
    pub material: String,
    /// `#rrggbb`.
    pub colour: String,
    /// How full it is inside, of a hundred.
    pub infill_percent: u8,
}

/// Somebody and where they live. Personal: it is kept in a file of its own, and goes to merchants one by one.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AddressEntry {
    /// What the person calls it: `Home`.
    pub label: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// E-mail.
    pub email: String,
    /// Telephone; may be empty.
    pub phone: String,
    /// Street and number.
    pub street: String,
    /// What the street's number does not say; may be empty.
    pub extended: String,
    /// Postal code.
    pub postal_code: String,
    /// Town.
    pub town: String,
    /// State or province; may be empty.
    pub region: String,
    /// Country, by its two letters.
    pub country: String,
}

/// No log shows where somebody lives.
impl fmt::Debug for AddressEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressEntry(......)")
    }
}

/// Addresses that the person has written down. Whoever keeps their file reads it into this, and writes it when it changes.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AddressBook {
    /// The addresses.
    pub addresses: Vec<AddressEntry>,
}

impl AddressBook {
    /// Addresses at most: more than a person has, and few enough to choose from.
    pub const MOST: usize = 16;
}

pub(crate) fn register(app: &mut App) {
    app.init_resource::<ShopView>()
        .init_resource::<KnownPurchases>()
        .init_resource::<KeepingProducts>()
        .init_resource::<AddressBook>()
        .add_message::<Shop>()
        .add_message::<ManagePurchases>()
        .add_message::<KeepProduct>()
        .add_message::<StopKeeping>()
        .add_message::<PackageDesign>()
        .add_message::<DesignPackaged>();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_log_shows_who_somebody_is() {
        let entry = AddressEntry { street: "11 Example Street".to_owned(), ..AddressEntry::default() };
        assert!(!format!("{:?}", AddressBook { addresses: vec![entry] }).contains("Example"));
    }
}
