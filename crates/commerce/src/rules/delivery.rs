//! How something can be brought, when, and for how much.

use vestibule_model::Timestamp;
use vestibule_ucp::{Amount, Id, More, OptionOffered, Total, Totals, kind};

use super::{Broken, book::Book};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const HOUR_MS: u64 = 60 * 60 * 1000;

/// A way of bringing something, as it is offered now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) carrier: String,
    pub(crate) price: i64,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// What is offered at `now` for things that are ready after `lead_s`.
pub(crate) fn offers(book: &Book, lead_s: u64, now: Timestamp) -> Vec<Offer> {
    let ready = now.plus(lead_s.saturating_mul(1000));
    let fixed = book.delivery.iter().map(|one| Offer {
        id: one.id.clone(),
        title: one.title.clone(),
        text: one.text.clone(),
        carrier: one.carrier.clone(),
        price: one.price,
        from: ready.plus(one.from_s.saturating_mul(1000)),
        to: ready.plus(one.to_s.saturating_mul(1000)),
    });
    let mut offers: Vec<Offer> = fixed.collect();
    if let Some(windows) = &book.windows {
        let earliest = ready.plus(windows.cut_off_s.saturating_mul(1000));
        let today = now.0 / DAY_MS;
        // Three weeks have open days enough for whatever is offered; a shop that opens less offers less.
        let days = (0..21).map(|day| today + day).filter(|day| windows.days.contains(&weekday(*day)));
        let all = days.flat_map(|day| windows.hours.iter().map(move |hours| (day, *hours)));
        let open = all.filter_map(|(day, [from, to])| {
            let at = |hour: u8| Timestamp(day.saturating_mul(DAY_MS).saturating_add(u64::from(hour) * HOUR_MS));
            let (from, to) = (at(from), at(to));
            (from >= earliest).then(|| Offer {
                id: format!("window_{}", from.0 / 1000),
                title: format!("{} to {}", words(from), words(to).get(11..).unwrap_or_default()),
                text: "Brought within this window".to_owned(),
                carrier: windows.carrier.clone(),
                price: windows.price,
                from,
                to,
            })
        });
        offers.extend(open.take(windows.ahead));
    }
    offers
}

/// Monday is 1. The first day of all was a Thursday.
fn weekday(day: u64) -> u8 {
    u8::try_from((day + 3) % 7).unwrap_or_default() + 1
}

/// `2026-11-27 08:00`, in UTC.
fn words(at: Timestamp) -> String {
    at.to_utc().chars().take(16).map(|letter| if letter == 'T' { ' ' } else { letter }).collect()
}

impl Offer {
    /// As a checkout offers it.
    pub(crate) fn option(&self) -> Result<OptionOffered, Broken> {
        Ok(OptionOffered {
            id: Id::new(self.id.as_str())?,
            title: self.title.clone(),
            description: Some(self.text.clone()),
            carrier: Some(self.carrier.clone()),
            earliest_fulfillment_time: Some(self.from.to_utc()),
            latest_fulfillment_time: Some(self.to.to_utc()),
            totals: Totals(vec![Total::new(kind::TOTAL, Amount::new(self.price)?)]),
            more: More::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{super::book::tests, *};

    #[test]
    fn windows_are_on_open_days_and_end_with_their_cut_off() {
        let mut book = tests::groceries();
        book.windows.as_mut().unwrap().days = (1..=6).collect();
        // A Saturday, nine in the morning.
        let now = Timestamp::from_utc("2026-11-28T09:00:00Z").unwrap();
        let offers = offers(&book, 0, now);
        assert_eq!(offers.len(), 6);
        assert_eq!(offers[0].title, "2026-11-28 12:00 to 14:00");
        assert_eq!(offers[1].title, "2026-11-28 18:00 to 20:00");
        assert_eq!(offers[2].title, "2026-11-30 08:00 to 10:00", "nobody brings anything on a Sunday");
        let later = now.plus(HOUR_MS + 1);
        assert_eq!(
            super::offers(&book, 0, later)[0].title,
            "2026-11-28 18:00 to 20:00",
            "two hours before, at the latest"
        );
    }

    #[test]
    fn what_is_made_first_comes_later() {
        let book = tests::shop();
        let now = Timestamp(1_795_737_600_000);
        let (soon, late) = (offers(&book, 0, now), offers(&book, 3_600, now));
        assert_eq!(late[0].from.since(soon[0].from), 3_600_000);
        assert!(soon.iter().all(|offer| offer.from < offer.to && offer.option().is_ok()));
    }
}
