//! What is prepared before something is bought. Nothing of it leaves the screen, but by a press that says so.

use std::{fs::OpenOptions, io::Write as _, path::Path};

use bevy::prelude::*;
use vestibule_twin::{
    AddressBook, AddressEntry, KeepProduct, KnownPurchases, ManagePurchases, Shop, ShopView, StopKeeping,
    model::{MAX_ORDER_PIECES, PurchaseId, SystemId},
};

use super::super::{Capturing, OpenWindow, TokenFiles, orders};
use crate::{
    action::{AddressPart, HudAction, HudWindow, LineField, PrepareShop, ShopField, ShopPart},
    clipboard::Clipboard,
    line::Line,
    moment::Zone,
};

/// Letters of what is looked for, and of a part of an address.
const LETTERS: usize = 120;

/// What is prepared.
#[derive(Resource, Clone, Debug, PartialEq)]
pub(crate) struct ShopDesk {
    pub(super) part: ShopPart,
    pub(super) words: String,
    /// How many of the design.
    pub(super) quantity: u32,
    /// The cart that is looked at.
    pub(super) cart: Option<SystemId>,
    /// The address that is written.
    pub(super) writing: Option<usize>,
    /// The order that is looked at.
    pub(in crate::window) order: Option<PurchaseId>,
    /// The receipt that was copied or written last, and how that went.
    pub(in crate::window) receipt: Option<(PurchaseId, Result<String, String>)>,
    line: Option<ShopField>,
}

impl Default for ShopDesk {
    fn default() -> Self {
        Self {
            part: ShopPart::Goods,
            words: String::new(),
            quantity: 1,
            cart: None,
            writing: None,
            order: None,
            receipt: None,
            line: None,
        }
    }
}

/// A part of an address, to be read or written.
pub(super) fn part(entry: &mut AddressEntry, part: AddressPart) -> &mut String {
    match part {
        AddressPart::Label => &mut entry.label,
        AddressPart::FirstName => &mut entry.first_name,
        AddressPart::LastName => &mut entry.last_name,
        AddressPart::Email => &mut entry.email,
        AddressPart::Phone => &mut entry.phone,
        AddressPart::Street => &mut entry.street,
        AddressPart::Extended => &mut entry.extended,
        AddressPart::PostalCode => &mut entry.postal_code,
        AddressPart::Town => &mut entry.town,
        AddressPart::Region => &mut entry.region,
        AddressPart::Country => &mut entry.country,
    }
}

impl ShopDesk {
    fn prepare(&mut self, what: &PrepareShop, book: &mut AddressBook) {
        match what {
            PrepareShop::Show(part) => self.part = *part,
            PrepareShop::OrderDesign => self.part = ShopPart::Design,
            PrepareShop::Quantity(quantity) => self.quantity = (*quantity).clamp(1, MAX_ORDER_PIECES),
            PrepareShop::Cart(system) => (self.part, self.cart) = (ShopPart::Carts, Some(system.clone())),
            PrepareShop::NewAddress if book.addresses.len() < AddressBook::MOST => {
                book.addresses.push(AddressEntry { label: "Home".to_owned(), ..AddressEntry::default() });
                (self.part, self.writing) = (ShopPart::Addresses, Some(book.addresses.len() - 1));
            }
            PrepareShop::EditAddress(which) => (self.part, self.writing) = (ShopPart::Addresses, *which),
            PrepareShop::RemoveAddress(which) if *which < book.addresses.len() => {
                book.addresses.remove(*which);
                self.writing = None;
            }
            PrepareShop::Order(order) => (self.part, self.order) = (ShopPart::Orders, *order),
            _ => {}
        }
    }

    /// What a field says now.
    fn written(&self, field: ShopField, book: &AddressBook) -> Option<String> {
        match field {
            ShopField::Words => Some(self.words.clone()),
            ShopField::Address(which, of) => {
                let mut entry = book.addresses.get(which)?.clone();
                Some(std::mem::take(part(&mut entry, of)))
            }
        }
    }

    fn enter(&mut self, field: ShopField, text: String, book: &mut AddressBook) {
        match field {
            ShopField::Words => self.words = text,
            ShopField::Address(which, of) => {
                if let Some(entry) = book.addresses.get_mut(which) {
                    // A country is written in capital letters, however it was typed.
                    *part(entry, of) = if of == AddressPart::Country { text.to_uppercase() } else { text };
                }
            }
        }
    }
}

/// Prepares what the person asks for, and sends what they decide.
pub(crate) fn act(
    mut actions: MessageReader<HudAction>,
    (window, view, purchases, zone): (Res<OpenWindow>, Res<ShopView>, Res<KnownPurchases>, Res<Zone>),
    (mut desk, mut book, mut capturing): (ResMut<ShopDesk>, ResMut<AddressBook>, ResMut<Capturing>),
    (mut clipboard, files): (Option<ResMut<Clipboard>>, Option<Res<TokenFiles>>),
    (mut shop, mut manage, mut keep): (MessageWriter<Shop>, MessageWriter<ManagePurchases>, MessageWriter<KeepProduct>),
) {
    let mine = |field: &LineField| if let LineField::Shop(field) = field { Some(*field) } else { None };
    if let Some((field, text)) = capturing.take_written(mine) {
        desk.enter(field, text, book.as_mut());
    }
    // Enter in the field for words is the wish to look for them.
    let open = capturing.line().is_some_and(|(field, _)| mine(field) == desk.line);
    if let Some(field) = desk.line.filter(|_| !open) {
        desk.line = None;
        if field == ShopField::Words && window.get() == Some(HudWindow::Shop) && desk.words != view.words {
            shop.write(Shop::Search(desk.words.clone()));
        }
    }
    let receipt = |id: PurchaseId| {
        let known = purchases.by_id.get(&id)?;
        Some(orders::receipt(known, orders::merchant(&view, &known.system), &zone))
    };
    for action in actions.read() {
        match action {
            HudAction::Shop(wish) => {
                if let Shop::Add { system, .. } = wish {
                    desk.cart = Some(system.clone());
                }
                shop.write(wish.clone());
            }
            HudAction::Purchase(wish) => drop(manage.write(wish.clone())),
            HudAction::Keep(wish) => drop(keep.write(wish.clone())),
            HudAction::PrepareShop(PrepareShop::Write(field)) => {
                if let Some(text) = desk.written(*field, &book) {
                    capturing.begin_line(LineField::Shop(*field), Line::new(text, LETTERS));
                    desk.line = Some(*field);
                }
            }
            HudAction::PrepareShop(PrepareShop::Search) => {
                // The button takes the words as they stand; the line that ends by it asks no second time.
                desk.line = None;
                capturing.end_line();
                shop.write(Shop::Search(desk.words.clone()));
            }
            HudAction::PrepareShop(PrepareShop::Find(words)) => {
                (desk.part, desk.words) = (ShopPart::Goods, words.clone());
                shop.write(Shop::Search(words.clone()));
            }
            HudAction::PrepareShop(PrepareShop::CopyReceipt(id)) => {
                let text = receipt(*id);
                let copied = match (text, &mut clipboard) {
                    (Some(text), Some(clipboard)) => clipboard.0.copy(text),
                    _ => Err("there is no clipboard".to_owned()),
                };
                desk.receipt = Some((*id, copied.map(|()| "It is in the clipboard.".to_owned())));
            }
            HudAction::PrepareShop(PrepareShop::WriteReceipt(id)) => {
                let text = receipt(*id);
                let written = match (text, &files) {
                    (Some(text), Some(files)) => write(&files.outgoing, *id, &text),
                    _ => Err("there is no folder for it".to_owned()),
                };
                desk.receipt = Some((*id, written));
            }
            HudAction::PrepareShop(what) => desk.prepare(what, book.as_mut()),
            _ => {}
        }
    }
}

/// Whoever leaves the window wants nothing more to be read for it.
pub(crate) fn leave(window: Res<OpenWindow>, mut was_open: Local<bool>, mut stop: MessageWriter<StopKeeping>) {
    let is_open = window.get() == Some(HudWindow::Shop);
    if std::mem::replace(&mut *was_open, is_open) && !is_open {
        stop.write(StopKeeping);
    }
}

/// Writes a receipt beside what else was written for others; nothing there is overwritten.
fn write(folder: &Path, id: PurchaseId, text: &str) -> Result<String, String> {
    let short: String = id.to_string().chars().take(8).collect();
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(told)?;
    for n in 1..100_u32 {
        let name = if n == 1 { format!("receipt-{short}.txt") } else { format!("receipt-{short}-{n}.txt") };
        let path = folder.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes()).map_err(told)?;
                return Ok(format!("Written: {}", path.display()));
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(told(error)),
        }
    }
    Err("there are too many receipts of this order already".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_made_than_an_order_shows() {
        let (mut desk, mut book) = (ShopDesk::default(), AddressBook::default());
        for (asked, kept) in [(0, 1), (7, 7), (65, 64), (u32::MAX, 64)] {
            desk.prepare(&PrepareShop::Quantity(asked), &mut book);
            assert_eq!(desk.quantity, kept);
        }
    }
}
