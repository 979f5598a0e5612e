use bevy::prelude::*;
use vestibule_twin::{AddressBook, AddressEntry};

use super::{Counter, block, desk, unless, wrapped};
use crate::{
    action::{AddressPart, HudAction, PrepareShop, ShopField},
    el::El,
    widgets::{self, Tone},
    window::careful,
};

/// Parts of an address, and what people call them.
const PARTS: [(AddressPart, &str); 11] = [
    (AddressPart::Label, "What you call it"),
    (AddressPart::FirstName, "First name"),
    (AddressPart::LastName, "Last name"),
    (AddressPart::Email, "E-mail"),
    (AddressPart::Phone, "Telephone (may be empty)"),
    (AddressPart::Street, "Street and number"),
    (AddressPart::Extended, "Second line (may be empty)"),
    (AddressPart::PostalCode, "Postal code"),
    (AddressPart::Town, "Town"),
    (AddressPart::Region, "State (may be empty)"),
    (AddressPart::Country, "Country, two letters"),
];

/// An address in a line.
pub(super) fn line(entry: &AddressEntry) -> String {
    let name = format!("{} {}", entry.first_name, entry.last_name);
    let town = format!("{} {}", entry.postal_code, entry.town);
    let all = [name.trim(), entry.street.trim(), town.trim(), entry.country.trim()];
    let said: Vec<&str> = all.into_iter().filter(|part| !part.is_empty()).collect();
    if said.is_empty() { "nothing is written yet".to_owned() } else { said.join(", ") }
}

/// What the person calls it.
pub(super) fn name(entry: &AddressEntry, place: usize) -> String {
    let label = entry.label.trim();
    if label.is_empty() { format!("Address {}", place + 1) } else { label.to_owned() }
}

/// All addresses, and the one that is written.
pub(super) fn list(counter: &Counter<'_>) -> Vec<El> {
    let book = counter.addresses;
    let text =
        "Addresses stay on this computer. A merchant is told one when you send it, and everything is listed before.";
    let mut all = vec![El::small("address.why", text)];
    for (place, entry) in book.addresses.iter().enumerate() {
        let written = counter.desk.writing == Some(place);
        all.push(if written { form(counter, place, entry) } else { row(counter, place, entry) });
    }
    let full = (book.addresses.len() >= AddressBook::MOST).then_some("there is no room for more");
    let press = unless("New address", HudAction::PrepareShop(PrepareShop::NewAddress), full);
    let tone = if book.addresses.is_empty() { Tone::Main } else { Tone::Plain };
    all.push(
        wrapped("address.new")
            .with(widgets::button("new", press, None, tone))
            .with_all(full.map(|why| El::small("why", why))),
    );
    all
}

fn row(counter: &Counter<'_>, place: usize, entry: &AddressEntry) -> El {
    let change = widgets::press("Change", HudAction::PrepareShop(PrepareShop::EditAddress(Some(place))));
    let remove = HudAction::PrepareShop(PrepareShop::RemoveAddress(place));
    block(format!("address.{place}"))
        .with(El::text("name", name(entry, place)).strong())
        .with(El::small("line", line(entry)))
        .with(wrapped("row").with(widgets::button("change", change, None, Tone::Plain)).with(careful(
            "remove",
            ("Remove", "Really remove it?"),
            remove,
            counter.confirming,
            true,
        )))
}

fn form(counter: &Counter<'_>, place: usize, entry: &AddressEntry) -> El {
    let done = widgets::press("Ready", HudAction::PrepareShop(PrepareShop::EditAddress(None)));
    let mut entry = entry.clone();
    let fields = PARTS.map(|(of, label)| {
        let field = ShopField::Address(place, of);
        let write = widgets::press(label, HudAction::PrepareShop(PrepareShop::Write(field)));
        let text = std::mem::take(desk::part(&mut entry, of));
        El::column(format!("{of:?}"), 2.0)
            .node(|node| {
                node.width = percent(48.5);
                node.flex_shrink = 0.0;
            })
            .with(El::small("label", label))
            .with(widgets::field("field", text, counter.writing(field), write))
    });
    block(format!("address.{place}"))
        .with(wrapped("fields").node(|node| node.column_gap = px(10)).with_all(fields))
        .with(wrapped("row").with(widgets::button("done", done, None, Tone::Main)))
}
