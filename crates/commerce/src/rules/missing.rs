//! What is missing until a session can be bought, and what there is to know before.

use vestibule_model::{MAX_ORDER_LINES, MAX_ORDER_PIECES, Timestamp};
use vestibule_ucp::{Id, Message, code, limits::MAX_MESSAGES};

use super::{
    book::Book,
    checkout::Priced,
    delivery::offers,
    disclose, mend,
    session::{Session, Shelf},
    warn,
};

/// Messages of a session that are said one by one: beside them there is room for what its stage has to say, and for
/// what is not said.
const MOST: usize = MAX_MESSAGES - 4;
/// Errors that are said at once: whoever mends them hears of the rest. Beside them there is room for a disclosure of
/// each line.
const MOST_ERRORS: usize = MOST - MAX_ORDER_LINES;

/// What there is to say of a line.
pub(super) fn speak_of_line(at: usize, session: &Session, shelf: &Shelf, now: Timestamp, messages: &mut Vec<Message>) {
    let Some(line) = session.lines.get(at) else { return };
    let path = format!("$.line_items[{at}]");
    let Some(ware) = shelf.get(line.item.as_str()) else {
        messages.push(mend(code::ITEM_UNAVAILABLE, &path, format!("{} is not sold any more.", line.item)));
        return;
    };
    let title = &ware.title;
    // Two lines of the same thing take from the same heap.
    let same = session.lines.iter().filter(|other| other.item == line.item);
    let wanted: i64 = same.map(|other| i64::from(other.quantity)).sum();
    if ware.left == 0 {
        messages.push(mend(code::OUT_OF_STOCK, &path, format!("{title} is sold out.")));
    } else if wanted > ware.left {
        messages.push(mend(code::OUT_OF_STOCK, &path, format!("Only {} of {title} are left.", ware.left)));
    } else if line.lowered {
        let text = format!("{title}: {} instead of what was asked for.", line.quantity);
        messages.push(warn(code::QUANTITY_ADJUSTED, &path, text));
    }
    if ware.price != line.shown {
        let text = format!("{title} costs something else than when it was last asked for.");
        messages.push(warn(code::PRICE_CHANGED, &format!("{path}.item.price"), text));
        messages.push(mend(code::CONFIRMATION_OUTDATED, &path, "Confirm the new price."));
    }
    if let Some(measured) = &ware.measured
        && line.quantity < measured.least_steps
    {
        let least = u64::from(measured.least_steps) * u64::from(measured.step);
        messages.push(mend("quantity_too_small", &path, format!("{title} is sold from {least} {} on.", measured.unit)));
    }
    if ware.made.as_ref().is_some_and(|made| made.until <= now) {
        messages.push(mend(code::ITEM_UNAVAILABLE, &path, "This price has ended. Ask for a new one."));
    }
    if let Some(allergens) = &ware.allergens {
        messages.push(disclose("allergens", &path, allergens.clone()));
    }
}

/// How it is brought, and what is missing for that.
pub(super) fn bring(session: &Session, book: &Book, now: Timestamp, priced: &mut Priced) {
    let missing = |path: &str, text: &str| mend(code::MISSING, path, text);
    let messages = &mut priced.messages;
    if session.buyer.as_ref().and_then(|buyer| buyer.email.as_deref()).is_none_or(|email| !email.contains('@')) {
        messages.push(missing("$.buyer.email", "Where does the confirmation go?"));
    }
    if session.strange_way {
        messages.push(mend("method_unavailable", "$.fulfillment.methods", "Things are brought, all together."));
    }
    const ROOT: &str = "$.fulfillment.methods[0]";
    match session.goes_to().map(|one| &one.address) {
        None => messages.push(missing(&format!("{ROOT}.selected_destination_id"), "Where does it go?")),
        Some(address) => {
            let parts = [
                ("street_address", &address.street_address),
                ("address_locality", &address.address_locality),
                ("postal_code", &address.postal_code),
                ("address_country", &address.address_country),
            ];
            for (name, part) in parts {
                if part.as_deref().is_none_or(|text| text.trim().is_empty()) {
                    messages.push(missing(&format!("{ROOT}.destinations.{name}"), "The address is not whole."));
                }
            }
            if let Some(country) = &address.address_country
                && !book.countries.contains(country)
            {
                let text = format!("Nothing is brought to {country}.");
                messages.push(mend(code::ADDRESS_UNDELIVERABLE, &format!("{ROOT}.destinations"), text));
            }
            priced.offers = offers(book, book.lead_s(priced.machine_s), now);
        }
    }
    let chosen = session.option.as_ref();
    priced.chosen = priced.offers.iter().find(|offer| Some(offer.id.as_str()) == chosen.map(Id::as_str)).cloned();
    if priced.chosen.is_none() && !priced.offers.is_empty() {
        let text = if chosen.is_some() { "It cannot be brought so any more." } else { "How is it brought?" };
        messages.push(missing(&format!("{ROOT}.groups[0].selected_option_id"), text));
    }
}

/// What there is to say of all lines together: an order is no longer than what its buyer is shown of it.
pub(super) fn speak_of_all(session: &Session, shelf: &Shelf, messages: &mut Vec<Message>) {
    const LINES: &str = "$.line_items";
    if session.lines.len() > MAX_ORDER_LINES {
        let text = format!("At most {MAX_ORDER_LINES} lines go into one order. Order the rest apart.");
        messages.push(mend("too_many_lines", LINES, text));
    }
    let made = |item: &Id| shelf.get(item.as_str()).is_some_and(|ware| ware.made.is_some());
    let pieces: u64 = session.lines.iter().filter(|line| made(&line.item)).map(|line| u64::from(line.quantity)).sum();
    if pieces > u64::from(MAX_ORDER_PIECES) {
        let text = format!(
            "At most {MAX_ORDER_PIECES} pieces are made in one order, here are {pieces}. Order the rest apart."
        );
        messages.push(mend("too_many_pieces", LINES, text));
    }
}

/// What is said of it all: no more than platforms read. Disclosures of what can be bought are all among it.
pub(super) fn told(all: &[Message]) -> Vec<Message> {
    if all.len() <= MOST {
        return all.to_vec();
    }
    let is_disclosure = |one: &Message| matches!(one, Message::Warning(one) if one.is_disclosure());
    let errors = all.iter().filter(|one| one.error().is_some()).take(MOST_ERRORS);
    let disclosures = all.iter().filter(|one| is_disclosure(one));
    let others = all.iter().filter(|one| one.error().is_none() && !is_disclosure(one));
    let mut told: Vec<Message> = errors.chain(disclosures).chain(others).take(MOST).cloned().collect();
    let left = all.len() - told.len();
    told.push(warn("more", "$.line_items", format!("There are {left} more remarks. Fewer lines have fewer.")));
    told
}

#[cfg(test)]
mod tests {
    use vestibule_ucp::{Check as _, UcpMeta};

    use super::{
        super::{
            book::tests,
            checkout::{
                count,
                tests::{said, session, shelf},
            },
            session::{Made, Ware},
        },
        *,
    };

    const NOW: Timestamp = Timestamp(1_795_737_600_000);

    fn errors(messages: &[Message]) -> Vec<&str> {
        messages.iter().filter_map(Message::error).map(|one| one.code.as_str()).collect()
    }

    #[test]
    fn an_order_is_no_longer_than_what_is_shown_of_it() {
        let book = tests::shop();
        for (lines, wanted) in [(MAX_ORDER_LINES, vec![]), (MAX_ORDER_LINES + 1, vec!["too_many_lines"])] {
            let session = session(&book, &said(&vec![("bulb_7w", 1); lines], "standard"));
            assert_eq!(errors(&count(&session, &shelf(&book), &book, NOW).unwrap().messages), wanted);
        }
    }

    #[test]
    fn no_more_is_made_in_an_order_than_has_serials() {
        let book = Book::read(include_str!("../../catalogue/workshop.toml")).unwrap();
        let line = serde_json::from_value(serde_json::json!({
            "design": "00".repeat(32), "package": "11".repeat(32), "process": "filament", "material": "pla",
            "colour": "#ffffff"
        }));
        let made = Made { line: line.unwrap(), quantity: 32, machine_s: 5_000, until: NOW.plus(1_000_000) };
        let ware = Ware {
            title: "Lamp".into(),
            price: 2350,
            left: i64::MAX,
            measured: None,
            allergens: None,
            made: Some(made),
        };
        let shelf = Shelf::from([("made_1".to_owned(), ware)]);
        for (lines, wanted) in [(2, vec![]), (3, vec!["too_many_pieces"])] {
            let mut session = Session::new(Id::new("chk_1").unwrap(), "platform", NOW);
            session.write(&said(&vec![("made_1", 1); lines], "standard"), &shelf).unwrap();
            assert_eq!(errors(&count(&session, &shelf, &book, NOW).unwrap().messages), wanted);
        }
    }

    #[test]
    fn however_much_there_is_to_say_platforms_read_it() {
        let book = tests::shop();
        let mut shelf = shelf(&book);
        let bulb = shelf.get_mut("bulb_7w").unwrap();
        bulb.allergens = Some("Traces of glass".to_owned());
        let lowered = said(&[("bulb_7w", 1_000); MAX_ORDER_LINES], "standard");
        let mut session = Session::new(Id::new("chk_1").unwrap(), "platform", NOW);
        session.write(&lowered, &shelf).unwrap();
        shelf.get_mut("bulb_7w").unwrap().left = 1_000_000;
        let disclosures = |messages: &[Message]| {
            messages.iter().filter(|one| matches!(one, Message::Warning(one) if one.is_disclosure())).count()
        };
        for is_dearer in [false, true] {
            if is_dearer {
                shelf.get_mut("bulb_7w").unwrap().price += 10;
            }
            let priced = count(&session, &shelf, &book, NOW).unwrap();
            assert!(priced.messages.len() > MAX_MESSAGES);
            let checkout = priced.checkout(&session, &book, UcpMeta::new(), "http://127.0.0.1:1").unwrap();
            assert_eq!(checkout.check(), Ok(()));
            assert_eq!(errors(checkout.messages()).is_empty(), !is_dearer, "what cannot be bought says so");
            assert_eq!(disclosures(checkout.messages()), MAX_ORDER_LINES);
        }
    }
}
