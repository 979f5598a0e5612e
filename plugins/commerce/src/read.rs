//! What merchants answer, as people read it. Hostile until it was read within the limits of `vestibule-ucp`.

use std::num::NonZeroU64;

use serde_json::Value;
use vestibule_model::{DesignHash, Json, Money, PayWith, Rounding, SystemId};
use vestibule_twin::{ShopDelivery, ShopFit, ShopGoods, ShopLine, ShopNote, ShopNoteKind};
use vestibule_ucp::{
    Answer, Check, Checkout, Extension as _, FabricationLine, Handler, LineItem, MeasuredVariant, Message, Product,
    Refused, SearchAnswer, Severity, Variant, kind, moment, name, read_answer,
};

/// Goods of one merchant that are shown: more than a person looks through.
const MOST_GOODS: usize = 60;
/// Findings of one kind of words that are shown: more than a person mends at once.
const MOST_FINDINGS: usize = 16;
/// Letters of what a merchant says of something: a few lines.
const MOST_WORDS: usize = 300;

/// Why an answer is none, for a person.
pub(crate) type Read<T> = Result<T, String>;

/// Reads an answer, or says in the merchant's words why there is none.
pub(crate) fn answer<T: serde::de::DeserializeOwned + Check>(json: &Json) -> Read<T> {
    match read_answer::<T>(json.as_str().as_bytes()) {
        Ok(Answer::Is(answer)) => Ok(answer),
        Ok(Answer::Refused(refused)) => Err(why(&refused)),
        Err(error) => Err(format!("Its answer cannot be used: {error}")),
    }
}

fn why(refused: &Refused) -> String {
    let first = refused.messages.first().map(|message| words(content(message)));
    first.unwrap_or_else(|| "It says no, and not why.".to_owned())
}

fn content(message: &Message) -> &str {
    match message {
        Message::Error(error) => &error.content,
        Message::Warning(warning) => &warning.content,
        Message::Info(info) => &info.content,
    }
}

/// No more than people read, and nothing that is not seen.
pub(crate) fn words(text: &str) -> String {
    let seen: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let seen = seen.trim();
    if seen.chars().count() <= MOST_WORDS {
        return seen.to_owned();
    }
    let mut cut: String = seen.chars().take(MOST_WORDS).collect();
    cut.push('…');
    cut
}

/// What was found, each variant by itself.
pub(crate) fn goods(system: &SystemId, found: &SearchAnswer) -> Vec<ShopGoods> {
    let variants = found.products.iter().flat_map(|product| product.variants.iter().map(move |one| (product, one)));
    variants.take(MOST_GOODS).map(|(product, variant)| good(system, product, variant)).collect()
}

fn good(system: &SystemId, product: &Product, variant: &Variant) -> ShopGoods {
    let only = product.variants.len() == 1 && variant.title == product.title || variant.title.is_empty();
    let title = if only { product.title.clone() } else { format!("{}, {}", product.title, variant.title) };
    let says = variant.description.as_ref().or(product.description.as_ref());
    let says = says.and_then(|says| says.get("plain")).and_then(Value::as_str).unwrap_or_default();
    let measured = variant.metadata.as_ref().and_then(|metadata| MeasuredVariant::of(metadata).ok().flatten());
    let step = measured.as_ref().map(|measured| format!("{} {}", measured.step.get(), measured.unit));
    let compare = variant.unit_price.as_ref().map(|unit| {
        let price = Money::new(unit.amount.get(), unit.currency);
        format!("{price} for {} {}", unit.reference.value, unit.reference.unit)
    });
    let away = variant.availability.as_ref().filter(|there| there.available == Some(false));
    ShopGoods {
        system: system.clone(),
        item: variant.id.to_string(),
        title: words(&title),
        says: words(says),
        price: variant.price.money(),
        measure: words(&step.into_iter().chain(compare).collect::<Vec<_>>().join(", ")),
        least: measured.map_or(1, |measured| measured.least_steps.get()),
        why_not: away.map(|away| match away.status.as_deref() {
            Some("out_of_stock") | None => "sold out".to_owned(),
            Some(other) => words(&other.replace('_', " ")),
        }),
    }
}

/// The lines of a checkout.
pub(crate) fn lines(checkout: &Checkout) -> Vec<ShopLine> {
    checkout.line_items.iter().map(|line| line_of(checkout, line)).collect()
}

fn line_of(checkout: &Checkout, line: &LineItem) -> ShopLine {
    let money = |amount| Money::new(amount, checkout.currency);
    let price = money(line.item.price.get());
    let counted = price.times(line.quantity.get()).ok();
    ShopLine {
        id: line.id.to_string(),
        item: line.item.id.to_string(),
        title: words(&line.item.title),
        quantity: line.quantity.get(),
        price,
        total: line.totals.money(checkout.currency).or(counted).unwrap_or(price),
        design: design(line),
    }
}

/// What a line is made to.
pub(crate) fn design(line: &LineItem) -> Option<DesignHash> {
    FabricationLine::of(&line.more).ok().flatten().map(|made| DesignHash(made.design))
}

/// Entries as they are shown, in the merchant's order.
pub(crate) fn totals(checkout: &Checkout) -> Vec<(String, Money)> {
    let entry = |total: &vestibule_ucp::Total| {
        let label = if total.kind == kind::TOTAL { "Total".to_owned() } else { words(total.label()) };
        (label, Money::new(total.amount.get(), checkout.currency))
    };
    checkout.totals.0.iter().map(entry).collect()
}

/// What it comes to at most once goods are weighed: by the tolerance of each line, with its part of what is added.
pub(crate) fn most(checkout: &Checkout) -> Option<Money> {
    const WHOLE: NonZeroU64 = NonZeroU64::MIN.saturating_add(999);
    let total = checkout.total()?;
    let mut more = Money::new(0, checkout.currency);
    for line in &checkout.line_items {
        let Some(measured) = MeasuredVariant::of(&line.more).ok().flatten() else { continue };
        let price = line_of(checkout, line).total;
        more = more.plus(price.share(measured.tolerance_permille.into(), WHOLE, Rounding::Up).ok()?).ok()?;
    }
    let subtotal = checkout.totals.0.iter().find(|entry| entry.kind == kind::SUBTOTAL)?.amount.get();
    let (whole, part) = (u64::try_from(total.amount).ok()?, NonZeroU64::new(u64::try_from(subtotal).ok()?)?);
    // Taxes go with what is weighed.
    let more = more.share(whole.max(part.get()), part, Rounding::Up).ok()?;
    total.plus(more).ok().filter(|most| *most != total)
}

/// What the merchant says, the worst first.
pub(crate) fn notes(checkout: &Checkout) -> Vec<ShopNote> {
    let mut notes: Vec<ShopNote> = checkout.messages().iter().map(|message| note(checkout, message)).collect();
    notes.sort_by_key(|note| note.kind);
    notes
}

fn note(checkout: &Checkout, message: &Message) -> ShopNote {
    let (kind, code, path) = match message {
        Message::Error(error) => (ShopNoteKind::Blocks, error.code.as_str(), error.path.as_deref()),
        Message::Warning(warning) if warning.is_disclosure() => {
            (ShopNoteKind::Disclosure, warning.code.as_str(), warning.path.as_deref())
        }
        Message::Warning(warning) => (ShopNoteKind::Warning, warning.code.as_str(), warning.path.as_deref()),
        Message::Info(info) => (ShopNoteKind::Info, info.code.as_deref().unwrap_or_default(), info.path.as_deref()),
    };
    let line = path.and_then(place).and_then(|place| checkout.line_items.get(place)).map(|line| line.id.to_string());
    ShopNote { kind, code: words(code), text: words(content(message)), line }
}

/// The place of a line in a path such as `$.line_items[2].item.price`.
fn place(path: &str) -> Option<usize> {
    path.strip_prefix("$.line_items[")?.split_once(']')?.0.parse().ok()
}

/// Whether some message is only for the buyer, who has to go on elsewhere.
pub(crate) fn asks_buyer(checkout: &Checkout) -> bool {
    let severity = |message: &Message| message.error().map(|error| error.severity);
    checkout.messages().iter().any(|message| severity(message) == Some(Severity::RequiresBuyerReview))
}

/// Ways of handing over, in all groups.
pub(crate) fn deliveries(checkout: &Checkout) -> Vec<ShopDelivery> {
    let methods = checkout.fulfillment.iter().flat_map(|one| one.methods.as_deref().unwrap_or_default());
    let groups = methods.flat_map(|method| method.groups.as_deref().unwrap_or_default());
    let options =
        groups.flat_map(|group| group.options.as_deref().unwrap_or_default().iter().map(move |option| (group, option)));
    let delivery = |(group, option): (&vestibule_ucp::Group, &vestibule_ucp::OptionOffered)| {
        let says: Vec<&str> = option.description.iter().chain(&option.carrier).map(String::as_str).collect();
        let at = |text: &Option<String>| text.as_deref().and_then(moment);
        Some(ShopDelivery {
            group: group.id.to_string(),
            id: option.id.to_string(),
            title: words(&option.title),
            says: words(&says.join(", ")),
            price: option.totals.money(checkout.currency)?,
            between: (at(&option.earliest_fulfillment_time), at(&option.latest_fulfillment_time)),
            chosen: group.selected().is_some_and(|chosen| chosen.id == option.id),
        })
    };
    options.filter_map(delivery).collect()
}

/// Ways of paying that can be used from here. What else a merchant takes needs its own page.
pub(crate) fn ways(checkout: &Checkout) -> Vec<(PayWith, String)> {
    let handlers = checkout.ucp.payment_handlers.iter().flatten();
    let sandbox = handlers.filter(|(id, _)| id.as_str() == name::SANDBOX_PAY).flat_map(|(_, handlers)| handlers);
    sandbox.flat_map(way).collect()
}

fn way(handler: &Handler) -> Vec<(PayWith, String)> {
    let takes = handler.available_instruments.as_deref().unwrap_or_default();
    if !takes.iter().any(|instrument| instrument.kind == "sandbox") {
        return Vec::new();
    }
    let cards = [
        ("sandbox-ok", "Sandbox (no money moves)"),
        ("sandbox-slow", "Sandbox, a slow bank"),
        ("sandbox-declined", "Sandbox, declined"),
    ];
    let with = |card: &str| PayWith { handler: handler.id.to_string(), instrument: card.to_owned() };
    cards.into_iter().map(|(card, words)| (with(card), words.to_owned())).collect()
}

/// Terms and the like, as far as they can be shown.
pub(crate) fn links(checkout: &Checkout) -> Vec<(String, String)> {
    let link = |link: &vestibule_ucp::Link| {
        let what = words(&link.kind.replace('_', " "));
        let mut letters = what.chars();
        let what = letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect());
        (what, words(&link.url))
    };
    checkout.links.iter().take(8).map(link).collect()
}

/// How findings are called that say whether a thing goes where it is wanted.
const FIT: [&str; 3] = ["fits", "does_not_fit", "fit_unknown"];

fn kind_of(finding: &vestibule_ucp::More) -> &str {
    finding.get("kind").and_then(Value::as_str).unwrap_or_default()
}

fn says(finding: &vestibule_ucp::More) -> Option<String> {
    finding.get("says").and_then(Value::as_str).map(words)
}

/// What a manufacturer found on a design, in words.
pub(crate) fn findings(all: &[vestibule_ucp::More]) -> Vec<String> {
    all.iter().filter(|finding| !FIT.contains(&kind_of(finding))).filter_map(says).take(MOST_FINDINGS).collect()
}

/// Whether it goes where it is wanted. One measure that is too large is enough.
pub(crate) fn fit(all: &[vestibule_ucp::More]) -> ShopFit {
    let [fits, too_large, unknown] = FIT.map(|kind| -> Vec<String> {
        all.iter().filter(|finding| kind_of(finding) == kind).filter_map(says).take(MOST_FINDINGS).collect()
    });
    match (too_large.is_empty(), unknown.is_empty(), fits.is_empty()) {
        (false, ..) => ShopFit::TooLarge(too_large),
        (true, false, _) => ShopFit::Unknown(unknown),
        (true, true, false) => ShopFit::Fits(fits.join(" ")),
        (true, true, true) => ShopFit::Nothing,
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
