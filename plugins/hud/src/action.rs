use bevy::prelude::*;
use vestibule_input::Control;
use vestibule_twin::{
    Cook, EditDesign, IntegrateTwin, KeepProduct, LendRights, LookBack, ManagePeople, ManagePurchases, Shop,
    UseServices,
    model::{ActionId, FeatureId, Fingerprint, Json, PurchaseId, ServiceId, SystemId, Timestamp, TwinId, Value},
};

use crate::{
    settings::{Knob, SettingChange},
    window::{KitchenField, PrepareKitchen, told},
};

/// Request: what pressing something on the screen asks for. Buttons send it; so may whoever acts for the person.
#[derive(Message, Clone, Debug, PartialEq)]
pub enum HudAction {
    /// Have a twin do something. Where it is not to be had now, nothing is sent and the card says why.
    Actuate {
        /// The twin.
        twin: TwinId,
        /// The feature.
        feature: FeatureId,
        /// What it should do.
        action: ActionId,
        /// With what.
        input: Option<Value>,
    },
    /// Pin the card of a twin.
    OpenCard(TwinId),
    /// Unpin the card.
    CloseCard,
    /// A notification was read.
    Dismiss(u64),
    /// The heap of older notifications was read.
    DismissFolded,
    /// Open a window.
    Open(HudWindow),
    /// Close whatever window is open.
    CloseWindow,
    /// Take a model of the catalogue in hand.
    Hold(String),
    /// Change a setting.
    Set(SettingChange),
    /// The next key is to be bound to this control.
    Capture(Control),
    /// Every control gets its first key back.
    ResetKeys,
    /// Manage whom the enabler knows and what they may do.
    People(ManagePeople),
    /// Agree with third-party systems, and use their services.
    Use(UseServices),
    /// Prepare that.
    Prepare(Prepare),
    /// Lend a part of one's rights, take it back, use what others lent.
    Lend(LendRights),
    /// Prepare that.
    PrepareLoan(PrepareLoan),
    /// Look at a twin's past.
    LookBack(LookBack),
    /// Design something.
    Design(EditDesign),
    /// Write into a field of a design by keyboard, by the field's id.
    WriteDesign(String),
    /// Cook something, or decide about food.
    Cook(Cook),
    /// Prepare that.
    PrepareKitchen(PrepareKitchen),
    /// Buy something.
    Shop(Shop),
    /// Purchases and products.
    Purchase(ManagePurchases),
    /// A product without electronics stands here.
    Keep(KeepProduct),
    /// Prepare that.
    PrepareShop(PrepareShop),
    /// Ask for one more press before this is done.
    Confirm(Box<Self>),
    /// Ask for one's turn at a thing, or give it back.
    Integrate(IntegrateTwin),
    /// A button that only shows why it does nothing.
    Nothing,
}

/// What a person prepares before they agree with a system or use a service. Nothing of it leaves the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prepare {
    /// Show what can be agreed with a system and used of it.
    Unfold(SystemId),
    /// Show it no longer.
    Fold,
    /// Agree anew, beginning with what is agreed now.
    Change(SystemId),
    /// Use a service, or do not.
    Choose(ServiceId),
    /// Let the system know the person's name, or do not.
    ShareName,
    /// Let it know a twin, or do not.
    ShareTwin(TwinId),
    /// Let it ask for the twins at any time, or only while it works for the person.
    ShareAlways,
    /// Fill in a field of a service's form; `None`: empty it.
    Enter(ServiceField, Option<Json>),
    /// Write into a field by keyboard.
    Write {
        /// The field.
        field: ServiceField,
        /// What stands there.
        text: String,
        /// Letters that it may have.
        most: usize,
    },
}

/// What a person prepares before they lend something, or use what was lent. Nothing of it leaves the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrepareLoan {
    /// Lend one action, or do not.
    Switch(FeatureId, ActionId),
    /// For so many milliseconds.
    For(u64),
    /// With at most this priority; `None`: with one's own.
    Priority(Option<u8>),
    /// To whom: what the log calls them.
    To(String),
    /// Only on the device with this certificate, or on any.
    On(Option<Fingerprint>),
    /// Copy the token that was signed last.
    Copy,
    /// Write into a field by keyboard.
    Write(LendField),
    /// Use the token that was written into [`LendField::Token`], or the file that is named there.
    UseToken,
}

/// A field where something about lending is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LendField {
    /// Whom to lend to.
    Guest,
    /// A token, or the name of a file with one.
    Token,
}

/// What one can look at in the shop's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShopPart {
    /// Goods of shops.
    Goods,
    /// What the open design costs.
    Design,
    /// What is to be bought.
    Carts,
    /// What was bought.
    Orders,
    /// Where things go.
    Addresses,
}

/// What a person prepares before they buy something. Nothing of it leaves the screen, but by a press that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrepareShop {
    /// Look at this part.
    Show(ShopPart),
    /// Open the window at the price of the open design.
    OrderDesign,
    /// So many of the design.
    Quantity(u32),
    /// Look at this merchant's cart.
    Cart(SystemId),
    /// Look at this order, or at none.
    Order(Option<PurchaseId>),
    /// Write into a field by keyboard.
    Write(ShopField),
    /// Look for what was written.
    Search,
    /// Open the window and look for this.
    Find(String),
    /// One more address.
    NewAddress,
    /// Write this address, or none.
    EditAddress(Option<usize>),
    /// Forget this address.
    RemoveAddress(usize),
    /// Copy an order's receipt.
    CopyReceipt(PurchaseId),
    /// Write an order's receipt into a file.
    WriteReceipt(PurchaseId),
}

/// A field of the shop's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShopField {
    /// What to look for.
    Words,
    /// A part of an address, by its place in the book.
    Address(usize, AddressPart),
}

/// A part of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressPart {
    /// What the person calls it.
    Label,
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// E-mail.
    Email,
    /// Telephone.
    Phone,
    /// Street and number.
    Street,
    /// What the street's number does not say.
    Extended,
    /// Postal code.
    PostalCode,
    /// Town.
    Town,
    /// State or province.
    Region,
    /// Country, by its two letters.
    Country,
}

/// What a line that is written belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LineField {
    Service(ServiceField),
    Lend(LendField),
    Design(String),
    Kitchen(KitchenField),
    Shop(ShopField),
}

/// A field of a service's form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceField {
    /// The system.
    pub system: SystemId,
    /// The service.
    pub service: ServiceId,
    /// The field's name in the service's schema.
    pub name: String,
}

/// A window that has all the attention while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HudWindow {
    /// Every key.
    Help,
    /// The furniture.
    Catalogue,
    /// All devices, whether the world shows them or not.
    Devices,
    /// The systems that the enabler knows, and their services.
    Systems,
    /// The procedures' steps as they happened.
    Procedures,
    /// Whom the enabler knows and what they may do.
    People,
    /// The settings.
    Settings,
    /// Past notifications.
    History,
    /// A twin's past.
    Past,
    /// What the person lent, and what was lent to them.
    Lending,
    /// What is cooked, what is there for it and what is bought.
    Kitchen,
    /// Buying, and what was bought.
    Shop,
    /// What is designed. It leaves room for the world, and the mouse is free for both.
    Design,
}

/// What a slider's value is for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SlideTarget {
    /// An action's input.
    Actuate {
        twin: TwinId,
        feature: FeatureId,
        action: ActionId,
        /// Whole numbers only.
        whole: bool,
    },
    /// A setting.
    Setting(Knob),
    /// A field of a service's form.
    Service { field: ServiceField, whole: bool },
    /// A moment of a twin's past, in seconds before `until` as a negative number.
    Past { twin: TwinId, until: Timestamp },
    /// A field of a design, by its id.
    Design(String),
}

impl SlideTarget {
    /// What setting the slider to `value` asks for.
    pub(crate) fn action(&self, value: f64) -> HudAction {
        match self {
            Self::Setting(knob) => HudAction::Set(knob.change(value)),
            Self::Design(field) => HudAction::Design(EditDesign::Set { field: field.clone(), value }),
            Self::Service { field, whole } => {
                let number = told::of_number(value, *whole);
                HudAction::Prepare(Prepare::Enter(field.clone(), Json::of(&number).ok()))
            }
            Self::Past { twin, until } => HudAction::LookBack(LookBack::At(twin.clone(), moment(*until, value))),
            Self::Actuate { twin, feature, action, whole } => {
                #[expect(clippy::cast_possible_truncation, reason = "rounded, and within the slider's bounds")]
                let input = if *whole { Value::Int(value.round() as i64) } else { Value::Float(value) };
                let (twin, feature, action) = (twin.clone(), feature.clone(), action.clone());
                HudAction::Actuate { twin, feature, action, input: Some(input) }
            }
        }
    }
}

/// The moment `seconds` (a negative number) before `until`.
pub(crate) fn moment(until: Timestamp, seconds: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative, and years fit")]
    let before = (-seconds * 1_000.0).round().max(0.0) as u64;
    Timestamp(until.0.saturating_sub(before))
}
