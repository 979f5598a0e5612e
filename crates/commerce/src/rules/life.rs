//! What becomes of an order by itself: looked at, made, packed, carried to the door.

use std::collections::BTreeSet;

use vestibule_model::Timestamp;
use vestibule_ucp::{Certificate, Endpoint, Id, Making, SigningKey, event};

use super::{
    Broken,
    book::Book,
    checkout::permille,
    dice,
    order::{Line, Record, Stage},
};
use vestibule_model::Rounding;

/// A machine tells how far it is this often: twenty times for an order, so that its events stay few.
const EVERY_PERCENT: u64 = 5;
/// How often somebody asks whether a machine is free, or looks again at what could not be opened, in milliseconds of the
/// merchant's clock.
const ASK_MS: u64 = 60_000;
/// What is weighed is off by at most so many thousandths, and by no more than was said.
const OFF_PERMILLE: u64 = 80;

/// What an order's next step depends on.
pub(crate) struct Around<'a> {
    pub(crate) book: &'a Book,
    /// How much faster than the real one the merchant's clock goes.
    pub(crate) speed: u64,
    pub(crate) seed: u64,
    /// Orders that are made before it.
    pub(crate) ahead: u32,
    /// Orders that are being made.
    pub(crate) making: u32,
    /// Whether what was handed over is what was designed; `None` where nobody could look.
    pub(crate) verdict: Option<Result<(), String>>,
    /// Items of which what was there turned out to be bad.
    pub(crate) gone: &'a BTreeSet<String>,
    pub(crate) key: &'a SigningKey,
    pub(crate) profile: &'a Endpoint,
    pub(crate) now: Timestamp,
}

impl Around<'_> {
    /// So many milliseconds of the merchant's clock from now on.
    fn after(&self, millis: u64) -> Option<Timestamp> {
        // Rounded up: what is due then is really so far.
        Some(self.now.plus(millis.div_ceil(self.speed.max(1)).max(1)))
    }

    fn after_s(&self, seconds: u64) -> Option<Timestamp> {
        self.after(seconds.saturating_mul(1000))
    }
}

/// One step of an order, where one is due. What nobody could look at waits.
///
/// # Errors
/// [`Broken`]; then nothing of it is written.
pub(crate) fn step(record: &mut Record, around: &Around<'_>) -> Result<(), Broken> {
    let (now, pace) = (around.now, around.book.pace);
    match record.stage {
        Stage::Accepted if record.is_made() => return check(record, around),
        Stage::Accepted => pack(record, around)?,
        Stage::Checked => {
            let ahead = Some(around.ahead);
            record.happens(event::PROCESSING, "Waits for a machine", Some((Making::Queued, None, ahead)), now)?;
            (record.stage, record.due) = (Stage::Queued, around.after(1));
        }
        Stage::Queued => return begin(record, around),
        Stage::InProduction => return make(record, around),
        Stage::QualityCheck => certify(record, around)?,
        Stage::Made => pack(record, around)?,
        Stage::Packed => {
            record.payment.capture();
            record.happens(event::SHIPPED, "Handed to the carrier", None, now)?;
            (record.stage, record.due) = (Stage::Shipped, around.after_s(pace.ride_s / 2));
        }
        Stage::Shipped => {
            record.happens(event::IN_TRANSIT, "On its way", None, now)?;
            (record.stage, record.due) = (Stage::InTransit, around.after_s(pace.ride_s / 2));
        }
        Stage::InTransit if dice(around.seed, &format!("{} door", record.id)).is_multiple_of(16) => {
            record.happens(event::FAILED_ATTEMPT, "Nobody opened; it comes again", None, now)?;
            (record.stage, record.due) = (Stage::FailedAttempt, around.after_s(pace.doorstep_s));
        }
        Stage::InTransit | Stage::FailedAttempt => {
            record.happens(event::DELIVERED, "At the door", None, now)?;
            record.lines.iter_mut().for_each(|line| line.fulfilled = line.total);
            (record.stage, record.due) = (Stage::Delivered, None);
        }
        Stage::Delivered | Stage::Canceled | Stage::Rejected => record.due = None,
    }
    Ok(())
}

fn check(record: &mut Record, around: &Around<'_>) -> Result<(), Broken> {
    let now = around.now;
    match &around.verdict {
        None => record.due = around.after(ASK_MS),
        Some(Ok(())) => {
            let text = "What was handed over is what was designed";
            record.happens(event::PROCESSING, text, Some((Making::Checked, None, None)), now)?;
            (record.stage, record.due) = (Stage::Checked, around.after(1));
        }
        Some(Err(why)) => {
            record.happens(event::PROCESSING, why, Some((Making::Rejected, None, None)), now)?;
            record.end(Stage::Rejected, why, now)?;
        }
    }
    Ok(())
}

fn begin(record: &mut Record, around: &Around<'_>) -> Result<(), Broken> {
    let machines = around.book.maker.map_or(1, |maker| maker.machines);
    if around.making >= machines {
        record.due = around.after(ASK_MS);
        return Ok(());
    }
    record.began = Some(around.now);
    record.happens(event::PROCESSING, "It is being made", Some((Making::InProduction, Some(0), None)), around.now)?;
    (record.stage, record.due) = (Stage::InProduction, around.after(share_ms(record, 1)));
    Ok(())
}

/// How long so many twentieths of it take.
fn share_ms(record: &Record, twentieths: u64) -> u64 {
    record.machine_s.saturating_mul(1000).saturating_mul(twentieths) / 20
}

fn make(record: &mut Record, around: &Around<'_>) -> Result<(), Broken> {
    let began = record.began.unwrap_or(around.now);
    let worked = around.now.since(began).saturating_mul(around.speed);
    let whole = record.machine_s.saturating_mul(1000).max(1);
    let percent = (worked.saturating_mul(100) / whole).min(100) / EVERY_PERCENT * EVERY_PERCENT;
    if percent >= 100 {
        record.happens(event::PROCESSING, "It is looked at", Some((Making::QualityCheck, None, None)), around.now)?;
        let quality_s = around.book.maker.map_or(0, |maker| maker.quality_s);
        (record.stage, record.due) = (Stage::QualityCheck, around.after_s(quality_s));
        return Ok(());
    }
    let told = u8::try_from(percent).unwrap_or(100);
    record.happens(
        event::PROCESSING,
        "It is being made",
        Some((Making::InProduction, Some(told), None)),
        around.now,
    )?;
    let next = share_ms(record, percent / EVERY_PERCENT + 1).saturating_sub(worked);
    record.due = around.after(next.max(1));
    Ok(())
}

/// Each piece gets its number, and a certificate that says whose it is.
fn certify(record: &mut Record, around: &Around<'_>) -> Result<(), Broken> {
    let number = record.label.replace('-', "");
    let mut count = 0_u32;
    let mut certificates = Vec::new();
    for line in record.lines.iter_mut().filter(|line| line.made.is_some()) {
        for _ in 0..line.total {
            count += 1;
            let serial = format!("{number}-{count:04}");
            let said = Certificate {
                v: 1,
                kid: String::new(),
                merchant: around.profile.clone(),
                order: record.id.clone(),
                line: line.id.clone(),
                serial: Id::new(serial.as_str())?,
                design: line.made.as_ref().map(|made| made.design),
                item: line.item.id.clone(),
                at: around.now.to_utc(),
            };
            certificates.push(said.issue(around.key).map_err(|error| Broken(error.to_string()))?);
            line.serials.push(serial);
        }
    }
    record.certificates = certificates;
    record.happens(event::PROCESSING, "It is made", Some((Making::Made, Some(100), None)), around.now)?;
    (record.stage, record.due) = (Stage::Made, around.after_s(around.book.pace.pack_s));
    Ok(())
}

/// Weighs what is sold by measure, and takes out what turned out to be bad.
fn pack(record: &mut Record, around: &Around<'_>) -> Result<(), Broken> {
    let now = around.now;
    for at in 0..record.lines.len() {
        let Some(line) = record.lines.get(at).filter(|line| line.total > 0).cloned() else { continue };
        if around.gone.contains(line.item.id.as_str()) {
            take_out(record, at, &line, now)?;
        } else if let Some(measured) = &line.measured {
            let off = OFF_PERMILLE.min(measured.tolerance_permille.into());
            let thrown = dice(around.seed, &format!("{} {} weighs", record.id, line.id)) % (2 * off + 1);
            let milli = u64::from(measured.step) * u64::from(line.total) * (1_000 - off + thrown);
            weigh(record, at, &line, milli, around)?;
        }
    }
    if record.lines.iter().all(|line| line.total == 0) {
        // Nobody is charged for the ride of an empty box.
        return record.end(Stage::Canceled, "Nothing of it is left", now);
    }
    record.happens(event::PROCESSING, "Packed", None, now)?;
    (record.stage, record.due) = (Stage::Packed, around.after_s(around.book.pace.collect_s));
    Ok(())
}

fn take_out(record: &mut Record, at: usize, line: &Line, now: Timestamp) -> Result<(), Broken> {
    let back = record.payment.change(-(line.amount + line.tax));
    let text = format!("{} turned out to be bad", line.item.title);
    let quantity = i32::try_from(line.total).map_or(i32::MIN, |total| -total);
    record.adjust("refund", &text, &[(line.id.clone(), quantity)], Some(back), now)?;
    if let Some(line) = record.lines.get_mut(at) {
        line.total = 0;
    }
    Ok(())
}

fn weigh(record: &mut Record, at: usize, line: &Line, milli: u64, around: &Around<'_>) -> Result<(), Broken> {
    let Some(measured) = &line.measured else { return Ok(()) };
    // Thousandths of what was ordered.
    let ordered = u64::from(measured.step) * u64::from(line.total);
    let share = milli.checked_div(ordered).unwrap_or(1_000);
    let amount = permille(around.book, line.amount, share, Rounding::HalfUp)?;
    let tax = permille(around.book, amount, around.book.tax_permille, Rounding::HalfUp)?;
    let by = record.payment.change(amount + tax - line.amount - line.tax);
    if let Some(line) = record.lines.get_mut(at) {
        line.weighed = Some(milli);
    }
    if by != 0 {
        let text = format!("{}: {} {} were weighed", line.item.title, milli / 1_000, measured.unit);
        record.adjust("price_adjustment", &text, &[], Some(by), around.now)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vestibule_ucp::{Check as _, UcpMeta};

    use super::{
        super::{
            book::tests,
            checkout::{self, count},
            delivery::offers,
            order::Placing,
            session::{Made, Session, Ware},
        },
        *,
    };

    const NOW: Timestamp = Timestamp(1_795_737_600_000);

    fn key() -> SigningKey {
        SigningKey::from_bytes("merchant-1", &[9; 32]).unwrap()
    }

    fn placed(book: &Book, lines: &[(&str, u32)], number: u64) -> Record {
        let mut shelf = checkout::tests::shelf(book);
        let line = serde_json::from_value(serde_json::json!({
            "design": "00".repeat(32), "package": "11".repeat(32), "process": "filament", "material": "pla",
            "colour": "#ffffff"
        }));
        let made = Made { line: line.unwrap(), quantity: 2, machine_s: 5_000, until: NOW.plus(1_000_000) };
        let ware = Ware {
            title: "Lamp".into(),
            price: 2350,
            left: i64::MAX,
            measured: None,
            allergens: None,
            made: Some(made),
        };
        shelf.insert("made_1".into(), ware);
        let option = offers(book, 0, NOW)[0].id.clone();
        let mut session = Session::new(Id::new("chk_1").unwrap(), "platform", NOW);
        session.write(&checkout::tests::said(lines, &option), &shelf).unwrap();
        let priced = count(&session, &shelf, book, NOW).unwrap();
        assert!(priced.is_ready(), "{:?}", priced.messages);
        let placing = Placing {
            id: Id::new(format!("ord_{number}")).unwrap(),
            label: "W-1001".into(),
            ucp: UcpMeta::new(),
            base: "http://127.0.0.1:1",
            authorized: priced.most,
            due: NOW,
            now: NOW,
        };
        Record::place(&session, &priced, &shelf, book, placing).unwrap()
    }

    fn workshop() -> Book {
        Book::read(include_str!("../../catalogue/workshop.toml")).unwrap()
    }

    /// Lets everything happen that is due, until `stop` or nothing more.
    fn live(
        record: &mut Record,
        book: &Book,
        seed: u64,
        gone: &BTreeSet<String>,
        mut stop: impl FnMut(&Record) -> bool,
    ) {
        let (key, profile) = (key(), Endpoint::new("http://127.0.0.1:1/.well-known/ucp").unwrap());
        let mut steps = 0;
        while let Some(now) = record.due {
            if stop(record) {
                return;
            }
            let verdict = Some(Ok(()));
            let around =
                Around { book, speed: 60, seed, ahead: 0, making: 0, verdict, gone, key: &key, profile: &profile, now };
            step(record, &around).unwrap();
            assert!(record.adds_up(), "{record:?}");
            assert!(record.snapshot(None).unwrap().check().is_ok());
            steps += 1;
            assert!(steps < 60, "it comes to an end");
        }
    }

    #[test]
    fn what_is_bought_arrives() {
        let mut record = placed(&tests::shop(), &[("bulb_7w", 2)], 1);
        live(&mut record, &tests::shop(), 1, &BTreeSet::new(), |_| false);
        assert_eq!(record.stage, Stage::Delivered);
        assert_eq!(record.payment.captured, record.total);
        assert_eq!(record.lines[0].fulfilled, 2);
    }

    #[test]
    fn what_is_made_has_serials_and_certificates() {
        let mut record = placed(&workshop(), &[("made_1", 2)], 1);
        live(&mut record, &workshop(), 1, &BTreeSet::new(), |_| false);
        assert_eq!(record.stage, Stage::Delivered);
        assert_eq!(record.lines[0].serials, ["W1001-0001", "W1001-0002"]);
        assert!(record.events.len() <= 32, "its events stay few: {}", record.events.len());
        let told = Certificate::read(&record.certificates[1], &[key().jwk()]).unwrap();
        assert_eq!((told.serial.as_str(), told.order.as_str()), ("W1001-0002", "ord_1"));
        let percents: Vec<u64> = record
            .events
            .iter()
            .filter_map(|one| {
                let state = &one.more.get(vestibule_ucp::name::FABRICATION)?;
                (state["state"] == "in_production").then(|| state["percent"].as_u64().unwrap())
            })
            .collect();
        assert!(percents.len() > 10 && percents.is_sorted(), "{percents:?}");
    }

    #[test]
    fn what_is_not_what_was_designed_is_paid_back() {
        let mut record = placed(&workshop(), &[("made_1", 2)], 1);
        let (key, profile, book) = (key(), Endpoint::new("http://127.0.0.1:1/x").unwrap(), workshop());
        let around = Around {
            book: &book,
            speed: 60,
            seed: 1,
            ahead: 0,
            making: 0,
            verdict: Some(Err("The file is another design.".into())),
            gone: &BTreeSet::new(),
            key: &key,
            profile: &profile,
            now: NOW,
        };
        step(&mut record, &around).unwrap();
        assert_eq!((record.stage, record.payment.net(), record.due), (Stage::Rejected, 0, None));
        assert!(record.adds_up());
        assert!(record.events.iter().any(|one| one.description.as_deref() == Some("The file is another design.")));
        assert!(matches!(record.cancel(NOW), Err(super::super::order::NotCanceled::TooLate(_))));
    }

    #[test]
    fn what_nobody_could_look_at_is_looked_at_later() {
        let mut record = placed(&workshop(), &[("made_1", 2)], 1);
        let (key, profile, book) = (key(), Endpoint::new("http://127.0.0.1:1/x").unwrap(), workshop());
        let around = Around {
            book: &book,
            speed: 60,
            seed: 1,
            ahead: 0,
            making: 0,
            verdict: None,
            gone: &BTreeSet::new(),
            key: &key,
            profile: &profile,
            now: NOW,
        };
        step(&mut record, &around).unwrap();
        assert_eq!((record.stage, record.due), (Stage::Accepted, Some(NOW.plus(1_000))));
    }

    #[test]
    fn a_machine_makes_one_order_at_a_time() {
        let mut record = placed(&workshop(), &[("made_1", 2)], 1);
        live(&mut record, &workshop(), 1, &BTreeSet::new(), |record| record.stage == Stage::Queued);
        let (key, profile, book) = (key(), Endpoint::new("http://127.0.0.1:1/x").unwrap(), workshop());
        let mut around = Around {
            book: &book,
            speed: 60,
            seed: 1,
            ahead: 2,
            making: 2,
            verdict: None,
            gone: &BTreeSet::new(),
            key: &key,
            profile: &profile,
            now: NOW,
        };
        step(&mut record, &around).unwrap();
        assert_eq!(record.stage, Stage::Queued);
        assert!(record.due > Some(NOW), "it asks again");
        around.making = 1;
        step(&mut record, &around).unwrap();
        assert_eq!(record.stage, Stage::InProduction);
    }

    #[test]
    fn what_went_bad_is_paid_back_and_an_empty_box_costs_nothing() {
        let book = tests::groceries();
        let gone = BTreeSet::from(["milk_1l".to_owned()]);
        let mut some = placed(&book, &[("milk_1l", 2), ("rice_500g", 1)], 1);
        live(&mut some, &book, 1, &gone, |_| false);
        assert_eq!((some.stage, some.lines[0].total, some.lines[1].fulfilled), (Stage::Delivered, 0, 1));
        assert_eq!(some.total - some.payment.captured, 258 + 18);
        let mut all = placed(&book, &[("milk_1l", 2)], 1);
        live(&mut all, &book, 1, &gone, |_| false);
        assert_eq!((all.stage, all.payment.net()), (Stage::Canceled, 0));
    }

    proptest! {
        /// Whenever somebody cancels: all of the money is back, or the order goes on as if nobody had asked.
        #[test]
        fn cancelation_is_whole_or_not_at_all(at in 0_usize..40, seed: u64, made: bool) {
            let book = if made { workshop() } else { tests::groceries() };
            let lines: &[(&str, u32)] = if made { &[("made_1", 2)] } else { &[("cheese_50g", 5), ("milk_1l", 1)] };
            let mut record = placed(&book, lines, seed);
            let mut count = 0;
            live(&mut record, &book, seed, &BTreeSet::new(), |_| { count += 1; count > at });
            let (before, could) = (record.clone(), record.stage.is_cancellable());
            match record.cancel(NOW) {
                Ok(()) => {
                    prop_assert!(could);
                    prop_assert_eq!((record.payment.net(), record.payment.captured), (0, 0));
                    prop_assert!(record.adds_up() && record.due.is_none());
                    prop_assert!(record.snapshot(None).unwrap().check().is_ok());
                    prop_assert_eq!(record.clone().cancel(NOW), Ok(()), "again is the same");
                }
                Err(_) => prop_assert_eq!(record, before),
            }
        }

        /// Whatever it weighs: nobody pays more than they agreed to.
        #[test]
        fn what_is_weighed_stays_within_what_was_agreed(seed: u64, steps in 2_u32..400) {
            let book = tests::groceries();
            let mut record = placed(&book, &[("cheese_50g", steps), ("tomatoes_100g", 3)], seed);
            live(&mut record, &book, seed, &BTreeSet::new(), |_| false);
            prop_assert_eq!(record.stage, Stage::Delivered);
            prop_assert!(record.payment.captured <= record.payment.authorized);
            prop_assert!(record.lines.iter().all(|line| line.weighed.is_some()));
        }
    }
}
