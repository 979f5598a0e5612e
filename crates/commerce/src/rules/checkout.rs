//! What a session costs at this moment, and what is missing until it can be bought.

use std::num::NonZeroU64;

use vestibule_model::{Money, Rounding, Timestamp};
use vestibule_ucp::{
    Amount, Checkout, CheckoutStatus, Extension as _, Fulfillment, Group, Id, InfoMessage, Item, LineItem, Link,
    Message, Method, MethodType, More, Positive, Severity, Total, Totals, UcpMeta, UnsignedAmount, code, kind,
};

use super::{
    Broken,
    book::Book,
    delivery::Offer,
    missing,
    session::{Session, Shelf, Stage, Ware},
    with_path,
};

/// A line, counted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PricedLine {
    pub(crate) id: Id,
    pub(crate) item: Id,
    pub(crate) title: String,
    pub(crate) price: i64,
    pub(crate) quantity: u32,
    pub(crate) amount: i64,
    pub(crate) tax: i64,
    /// What stands beside it: how it is made, or weighed.
    pub(crate) more: More,
}

/// A session, counted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Priced {
    pub(crate) lines: Vec<PricedLine>,
    pub(crate) totals: Totals,
    pub(crate) total: i64,
    /// What it may become at most, where goods are weighed later.
    pub(crate) most: i64,
    pub(crate) messages: Vec<Message>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) chosen: Option<Offer>,
    /// The whole time on machines, in seconds.
    pub(crate) machine_s: u64,
}

impl Priced {
    /// Whether nothing is missing.
    pub(crate) fn is_ready(&self) -> bool {
        self.messages.iter().all(|message| message.error().is_none())
    }
}

/// A part of an amount in thousandths, to the nearest unit.
pub(crate) fn permille(book: &Book, amount: i64, permille: u64, rounding: Rounding) -> Result<i64, Broken> {
    const WHOLE: NonZeroU64 = NonZeroU64::MIN.saturating_add(999);
    Ok(Money::new(amount, book.currency).share(permille, WHOLE, rounding)?.amount)
}

/// Counts a session: each line's tax half up, then the sum of them.
///
/// # Errors
/// [`Broken`] where an amount is beyond counting.
pub(crate) fn count(session: &Session, shelf: &Shelf, book: &Book, now: Timestamp) -> Result<Priced, Broken> {
    let mut priced = Priced {
        lines: Vec::new(),
        totals: Totals::default(),
        total: 0,
        most: 0,
        messages: Vec::new(),
        offers: Vec::new(),
        chosen: None,
        machine_s: 0,
    };
    let (mut subtotal, mut tax) = (Money::new(0, book.currency), Money::new(0, book.currency));
    let mut more = Money::new(0, book.currency);
    for (at, line) in session.lines.iter().enumerate() {
        let ware = shelf.get(line.item.as_str());
        let price = ware.map_or(line.shown, |ware| ware.price);
        let amount = Money::new(price, book.currency).times(line.quantity)?;
        let taxed = permille(book, amount.amount, book.tax_permille, Rounding::HalfUp)?;
        subtotal = subtotal.plus(amount)?;
        tax = tax.plus(Money::new(taxed, book.currency))?;
        let mut beside = More::new();
        if let Some(ware) = ware {
            more = more.plus(Money::new(heavier(book, ware, amount.amount, taxed)?, book.currency))?;
            put_beside(ware, &mut beside)?;
        }
        missing::speak_of_line(at, session, shelf, now, &mut priced.messages);
        priced.machine_s = priced.machine_s.saturating_add(machine_s(ware));
        priced.lines.push(PricedLine {
            id: line.id.clone(),
            item: line.item.clone(),
            title: ware.map_or_else(|| line.item.to_string(), |ware| ware.title.clone()),
            price,
            quantity: line.quantity,
            amount: amount.amount,
            tax: taxed,
            more: beside,
        });
    }
    missing::speak_of_all(session, shelf, &mut priced.messages);
    missing::bring(session, book, now, &mut priced);
    let mut totals = vec![Total::new(kind::SUBTOTAL, Amount::new(subtotal.amount)?)];
    let mut total = subtotal;
    if let Some(offer) = &priced.chosen {
        totals.push(Total::new(kind::FULFILLMENT, Amount::new(offer.price)?).called(offer.title.clone()));
        let fee = Money::new(offer.price, book.currency);
        let taxed = permille(book, offer.price, book.tax_permille, Rounding::HalfUp)?;
        (total, tax) = (total.plus(fee)?, tax.plus(Money::new(taxed, book.currency))?);
    }
    total = total.plus(tax)?;
    totals.push(Total::new(kind::TAX, Amount::new(tax.amount)?).called(book.tax_text.clone()));
    totals.push(Total::new(kind::TOTAL, Amount::new(total.amount)?));
    (priced.totals, priced.total, priced.most) = (Totals(totals), total.amount, total.plus(more)?.amount);
    Ok(priced)
}

/// `7 h 47 min`, rounded up.
fn duration(seconds: u64) -> String {
    let minutes = seconds.div_ceil(60);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

fn machine_s(ware: Option<&Ware>) -> u64 {
    let made = ware.and_then(|ware| ware.made.as_ref());
    made.map_or(0, |made| made.machine_s.saturating_mul(made.quantity.into()))
}

/// How much more a line may cost once it is weighed, with its tax.
fn heavier(book: &Book, ware: &Ware, amount: i64, tax: i64) -> Result<i64, Broken> {
    let Some(measured) = &ware.measured else { return Ok(0) };
    let more = permille(book, amount, measured.tolerance_permille.into(), Rounding::Up)?;
    let heavier = amount.checked_add(more).ok_or_else(|| Broken("an amount is beyond counting".to_owned()))?;
    Ok(more + permille(book, heavier, book.tax_permille, Rounding::HalfUp)? - tax)
}

fn put_beside(ware: &Ware, beside: &mut More) -> Result<(), Broken> {
    if let Some(made) = &ware.made {
        made.line.put(beside);
    }
    if let Some(measured) = &ware.measured {
        beside.extend(measured.metadata()?);
    }
    Ok(())
}

impl Priced {
    /// The session as its platform sees it.
    ///
    /// # Errors
    /// [`Broken`] where an amount is beyond what is told.
    pub(crate) fn checkout(
        &self,
        session: &Session,
        book: &Book,
        ucp: UcpMeta,
        base: &str,
    ) -> Result<Checkout, Broken> {
        let lines = self.lines.iter().map(line).collect::<Result<_, _>>()?;
        let mut messages = missing::told(&self.messages);
        if self.machine_s > 0 {
            let (all, machine) = (duration(book.lead_s(self.machine_s)), duration(self.machine_s));
            let content = format!("Made within about {all}; {machine} of that on a machine.");
            messages.push(Message::Info(InfoMessage {
                content,
                code: Some("lead_time".to_owned()),
                path: None,
                content_type: None,
                more: More::new(),
            }));
        }
        let (status, continue_url) = match session.stage {
            Stage::Open if self.is_ready() => (CheckoutStatus::ReadyForComplete, None),
            Stage::Open => (CheckoutStatus::Incomplete, None),
            Stage::InProgress => (CheckoutStatus::CompleteInProgress, None),
            Stage::Completed => (CheckoutStatus::Completed, None),
            Stage::Canceled => (CheckoutStatus::Canceled, None),
            Stage::Challenged => {
                let text = "Your bank wants to know that it is you.";
                messages.push(with_path(code::REQUIRES_3DS, "$.payment", text, Severity::RequiresBuyerInput));
                let secret = session.pending.as_ref().map(|pending| pending.secret.as_str()).unwrap_or_default();
                (CheckoutStatus::RequiresEscalation, Some(format!("{base}/pay/{}/{secret}", session.id)))
            }
        };
        Ok(Checkout {
            ucp,
            id: session.id.clone(),
            status,
            currency: book.currency,
            line_items: lines,
            totals: self.totals.clone(),
            links: links(base),
            buyer: session.buyer.clone(),
            context: session.context.clone(),
            signals: None,
            messages: Some(messages),
            expires_at: Some(session.expires.to_utc()),
            continue_url,
            fulfillment: Some(self.fulfillment(session)?),
            payment: None,
            order: session.sold.as_ref().map(|sold| sold.order.clone()),
            more: More::new(),
        })
    }

    fn fulfillment(&self, session: &Session) -> Result<Fulfillment, Broken> {
        let all: Vec<Id> = self.lines.iter().map(|line| line.id.clone()).collect();
        let chosen = self.chosen.as_ref().map(|offer| Id::new(offer.id.as_str())).transpose()?;
        let group = Group {
            id: Id::new("pkg_1")?,
            line_item_ids: all.clone(),
            options: Some(self.offers.iter().map(Offer::option).collect::<Result<_, _>>()?),
            selected_option_id: Some(chosen),
            more: More::new(),
        };
        let goes_to = session.goes_to().and_then(|one| one.id.clone());
        let method = Method {
            id: Id::new("ship_1")?,
            kind: MethodType::Shipping,
            line_item_ids: all,
            destinations: Some(session.destinations.clone()),
            selected_destination_id: Some(goes_to),
            groups: (!self.offers.is_empty()).then(|| vec![group]),
            more: More::new(),
        };
        Ok(Fulfillment { methods: Some(vec![method]), available_methods: None, more: More::new() })
    }
}

fn line(priced: &PricedLine) -> Result<LineItem, Broken> {
    Ok(LineItem {
        id: priced.id.clone(),
        item: item(priced)?,
        quantity: Positive::new(priced.quantity.into())?,
        totals: line_totals(priced.amount)?,
        parent_id: None,
        more: priced.more.clone(),
    })
}

/// An item as lines name it.
pub(crate) fn item(priced: &PricedLine) -> Result<Item, Broken> {
    Ok(Item {
        id: priced.item.clone(),
        title: priced.title.clone(),
        price: UnsignedAmount::new(priced.price)?,
        image_url: None,
        more: More::new(),
    })
}

/// What a line costs before tax.
pub(crate) fn line_totals(amount: i64) -> Result<Totals, Broken> {
    let amount = Amount::new(amount)?;
    Ok(Totals(vec![Total::new(kind::SUBTOTAL, amount), Total::new(kind::TOTAL, amount)]))
}

fn links(base: &str) -> Vec<Link> {
    let link =
        |kind: &str, page: &str| Link { kind: kind.to_owned(), url: format!("{base}/{page}"), more: More::new() };
    vec![link("terms_of_service", "terms"), link("privacy_policy", "privacy"), link("refund_policy", "refunds")]
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use vestibule_ucp::{Check as _, CheckoutCreate};

    use super::{
        super::{book::tests, delivery::offers},
        *,
    };

    const NOW: Timestamp = Timestamp(1_795_737_600_000);

    /// Everything of a book, as it stands in it.
    pub(crate) fn shelf(book: &Book) -> Shelf {
        let ware = |piece: &super::super::book::Piece| Ware {
            title: piece.text.clone(),
            price: piece.price,
            left: piece.stock,
            measured: piece.measured.clone(),
            allergens: piece.allergens.clone(),
            made: None,
        };
        book.pieces().map(|piece| (piece.id.clone(), ware(piece))).collect()
    }

    pub(crate) fn said(lines: &[(&str, u32)], option: &str) -> CheckoutCreate {
        let lines: Vec<_> = lines
            .iter()
            .map(|(item, quantity)| serde_json::json!({"item": {"id": item}, "quantity": quantity}))
            .collect();
        serde_json::from_value(serde_json::json!({
            "line_items": lines,
            "buyer": {"email": "ada@example.com"},
            "fulfillment": {"methods": [{"type": "shipping", "destinations": [{
                "street_address": "11 Example Street", "address_locality": "Sample Town", "postal_code": "12345",
                "address_country": "DE"}], "groups": [{"selected_option_id": option}]}]}
        }))
        .unwrap()
    }

    pub(crate) fn session(book: &Book, said: &CheckoutCreate) -> Session {
        let mut session = Session::new(Id::new("chk_1").unwrap(), "platform", NOW);
        session.write(said, &shelf(book)).unwrap();
        session
    }

    #[test]
    fn what_is_whole_is_ready_and_adds_up() {
        let book = tests::shop();
        let session = session(&book, &said(&[("desk_lamp_white", 2), ("bulb_7w", 1)], "standard"));
        let priced = count(&session, &shelf(&book), &book, NOW).unwrap();
        assert!(priced.is_ready(), "{:?}", priced.messages);
        // 7800 + 449, tax 1482 + 85 + 93, delivery 490.
        assert_eq!(priced.total, 8249 + 490 + 1660);
        assert_eq!(priced.most, priced.total, "nothing is weighed");
        let checkout = priced.checkout(&session, &book, UcpMeta::new(), "http://127.0.0.1:1").unwrap();
        assert_eq!(checkout.check(), Ok(()));
        assert_eq!(checkout.may_complete().map(|money| money.amount), Ok(priced.total));
    }

    #[test]
    fn what_is_missing_is_said_where() {
        let book = tests::shop();
        let mut bare = said(&[("bulb_7w", 1)], "standard");
        (bare.buyer, bare.fulfillment) = (None, None);
        let bare = session(&book, &bare);
        let priced = count(&bare, &shelf(&book), &book, NOW).unwrap();
        let codes: Vec<&str> = priced.messages.iter().filter_map(Message::error).map(|one| one.code.as_str()).collect();
        assert_eq!(codes, [code::MISSING, code::MISSING]);
        let mut abroad = said(&[("bulb_7w", 1)], "standard");
        let methods = abroad.fulfillment.as_mut().unwrap().methods.as_mut().unwrap();
        methods[0].destinations.as_mut().unwrap()[0].address.address_country = Some("AQ".into());
        let priced = count(&session(&book, &abroad), &shelf(&book), &book, NOW).unwrap();
        assert!(priced.messages.iter().filter_map(Message::error).any(|one| one.code == code::ADDRESS_UNDELIVERABLE));
    }

    #[test]
    fn a_price_that_changed_is_said_and_not_charged() {
        let book = tests::shop();
        let mut shelf = shelf(&book);
        let said = said(&[("bulb_7w", 3)], "standard");
        let mut session = session(&book, &said);
        shelf.get_mut("bulb_7w").unwrap().price += 10;
        let priced = count(&session, &shelf, &book, NOW).unwrap();
        assert!(!priced.is_ready());
        assert!(
            priced.messages.iter().any(|one| matches!(one, Message::Warning(one) if one.code == code::PRICE_CHANGED))
        );
        session.write(&said, &shelf).unwrap();
        assert!(count(&session, &shelf, &book, NOW).unwrap().is_ready(), "said again, it is known");
    }

    #[test]
    fn less_than_asked_for_is_said_and_nothing_is_an_error() {
        let book = tests::shop();
        let mut shelf = shelf(&book);
        let many = session(&book, &said(&[("armchair_green", 9)], "standard"));
        assert_eq!(many.lines[0].quantity, 3);
        let priced = count(&many, &shelf, &book, NOW).unwrap();
        assert!(priced.is_ready() && !priced.messages.is_empty());
        for left in [2, 0] {
            shelf.get_mut("armchair_green").unwrap().left = left;
            assert!(!count(&many, &shelf, &book, NOW).unwrap().is_ready(), "{left} are left");
        }
        shelf.clear();
        assert!(!count(&many, &shelf, &book, NOW).unwrap().is_ready());
    }

    #[test]
    fn what_is_weighed_later_has_a_most() {
        let book = tests::groceries();
        let offer = offers(&book, 0, NOW)[0].id.clone();
        let session = session(&book, &said(&[("cheese_50g", 6), ("milk_1l", 1)], &offer));
        let priced = count(&session, &shelf(&book), &book, NOW).unwrap();
        assert!(priced.is_ready(), "{:?}", priced.messages);
        // A tenth more of 600, with its tax of 7 %.
        assert_eq!(priced.most - priced.total, 64);
        let discloses = |one: &&Message| matches!(one, Message::Warning(one) if one.is_disclosure());
        assert_eq!(priced.messages.iter().filter(discloses).count(), 2, "milk is in both");
        let little = super::tests::session(&book, &said(&[("cheese_50g", 1)], &offer));
        assert!(!count(&little, &shelf(&book), &book, NOW).unwrap().is_ready());
    }

    proptest! {
        /// Whatever is in a cart: what is told keeps the protocol's rules, and its entries are its total.
        #[test]
        fn whatever_is_bought_adds_up(
            picks in proptest::collection::vec((0_usize..20, 1_u32..500), 1..20), option in "standard|express|none|",
        ) {
            let book = if picks.len() % 2 == 0 { tests::shop() } else { tests::groceries() };
            let ids: Vec<&str> = book.pieces().map(|piece| piece.id.as_str()).collect();
            let lines: Vec<(&str, u32)> = picks.iter().map(|(at, count)| (ids[at % ids.len()], *count)).collect();
            let option = if option.is_empty() { "x".to_owned() } else { option };
            let session = session(&book, &said(&lines, &option));
            let priced = count(&session, &shelf(&book), &book, NOW).unwrap();
            let checkout = priced.checkout(&session, &book, UcpMeta::new(), "http://127.0.0.1:1").unwrap();
            prop_assert_eq!(checkout.check(), Ok(()));
            prop_assert_eq!(checkout.totals.check_sum(), Ok(()));
            prop_assert!(priced.most >= priced.total);
        }
    }
}
