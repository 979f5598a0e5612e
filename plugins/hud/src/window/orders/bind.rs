//! From product to twin: what came with a serial number becomes the twin of the device that tells the same number.

use vestibule_twin::{
    KeepProduct, KeepStep, ManagePurchases, ProductRow,
    model::{DesignHash, PurchaseId, PurchaseUpdate, Serial},
};

use super::super::shop::{Counter, unless, wrapped};
use crate::{
    action::HudAction,
    el::El,
    style,
    widgets::{self, Tone},
};

/// What came with a purchase, each with what can become of it.
pub(super) fn products(counter: &Counter<'_>, purchase: PurchaseId) -> Vec<El> {
    let rows = counter.products.iter().filter(|row| row.purchase == purchase);
    rows.map(|row| product(row, counter.keeping.0.get(&row.serial).copied(), counter.connected)).collect()
}

fn product(row: &ProductRow, keeping: Option<KeepStep>, connected: bool) -> El {
    let name = format!("{} {}", row.title, row.serial);
    let mut place = El::column(format!("product.{}", row.serial), 3.0);
    if let Some(twin) = &row.twin {
        let text = format!("{name} is the twin {twin}: its card shows and switches the real thing.");
        place.children.push(El::small("is", text).colored(style::GOOD));
    } else {
        let away = (!connected).then(|| "the enabler cannot be reached".to_owned());
        let why = away.or_else(|| row.bind_why_not.clone());
        let device = row.device.as_ref().map(|twin| format!(" A device says that it is this one: {twin}."));
        let text = format!("{name} came.{}", device.unwrap_or_default());
        let button = bind(row, why.is_none());
        place.children.push(wrapped("bind").with(El::small("came", text)).with_all(button));
        place.children.extend(why.map(|why| El::small("why", why)));
        if let Some(step) = keeping {
            place.children.push(El::small("keeping", under_way(step)));
        } else if row.device.is_none() {
            let why = (!connected).then_some("the enabler cannot be reached").or(row.keep_why_not.as_deref());
            place.children.push(keep(row.purchase, &row.serial, row.design, why));
        }
    }
    place
        .children
        .extend(row.problem.as_ref().map(|problem| El::small("problem", problem.clone()).colored(style::WRONG)));
    place
}

const fn under_way(step: KeepStep) -> &'static str {
    match step {
        KeepStep::Reading => "It is being kept: reading how it looks ... Closing this window stops that.",
        KeepStep::Giving => "It is being kept: handing over how it looks ...",
    }
}

/// What has not come yet, with what will become of it.
pub(super) fn coming(update: &PurchaseUpdate) -> Vec<El> {
    let lines = update.order.iter().flat_map(|order| &order.lines).filter(|line| line.fulfilled == 0);
    let each = lines.flat_map(|line| line.serials.iter().map(move |serial| (serial, line.design)));
    each.map(|(serial, design)| keep(update.id, serial, design, Some("it has not come yet"))).collect()
}

/// The way for what has no electronics: where it stands and where it comes from is all that there is to know of it.
fn keep(purchase: PurchaseId, serial: &Serial, design: Option<DesignHash>, why: Option<&str>) -> El {
    let wish = HudAction::Keep(KeepProduct { purchase, serial: serial.clone(), design });
    let press = unless(format!("Keep it here: {serial}"), wish, why);
    let says = match why {
        Some(why) => format!("It cannot be kept: {why}"),
        None => "Without electronics it becomes a twin that says where it stands and comes from.".to_owned(),
    };
    let button = widgets::button("do", press, None, Tone::Plain);
    wrapped("keep").with(button).with(El::small("why", says).node(|node| node.flex_shrink = 1.0))
}

/// The button; none where there is nothing to bind it to.
fn bind(row: &ProductRow, enabled: bool) -> Option<El> {
    let (twin, certificate) = row.device.clone().zip(row.certificate.clone())?;
    let (purchase, serial) = (row.purchase, row.serial.clone());
    let wish = ManagePurchases::Bind { twin, purchase, serial, certificate };
    let mut press = widgets::press(format!("Bind {}", row.serial), HudAction::Purchase(wish));
    press.enabled = enabled;
    Some(widgets::button("do", press, None, Tone::Main))
}
