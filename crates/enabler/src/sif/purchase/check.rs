//! What was shown is what is confirmed: the answer of the call that the user saw, read again.

use std::collections::BTreeSet;

use serde::Deserialize;
use vestibule_model::{
    CallStatus, Confirmation, ContentHash, Currency, DesignHash, Json, MAX_ORDER_LINES, MAX_ORDER_PIECES, Money,
    Refusal, RefusalCode, Timestamp, UserId,
};

use super::{CHECKOUT, MOST_EACH, MOST_OPEN};
use crate::State;

/// Services whose answer is a checkout.
const SHOWN_BY: [&str; 2] = [CHECKOUT, "look_checkout"];
/// Where a line names its design: `vestibule_ucp::name::FABRICATION`, which this room does not know.
const FABRICATION: &str = "com.example.vestibule.fabrication";
/// Entries of totals of a checkout: what the protocol's reader takes.
const MOST_ENTRIES: usize = 100;
/// What may be weighed in addition at most: half as much again. Beyond that nobody has seen what they pay.
const MOST_MORE_PERCENT: i64 = 50;
/// Designs in one purchase, and bytes of a way of paying.
const MOST_DESIGNS: usize = 64;
const LONGEST_WAY: usize = 256;

/// As much of a checkout as says what it costs.
#[derive(Deserialize)]
struct Shown {
    id: String,
    status: String,
    currency: Currency,
    totals: Vec<Entry>,
    #[serde(default)]
    line_items: Vec<serde_json::Map<String, serde_json::Value>>,
    #[serde(default)]
    expires_at: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    amount: i64,
}

fn outdated(why: &str) -> Refusal {
    Refusal::new(RefusalCode::RevisionMismatch, format!("{why}: look at the checkout again before you buy"))
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(RefusalCode::Invalid, message)
}

/// Whether a confirmation makes sense by itself.
pub(super) fn sense(confirmation: &Confirmation) -> Result<(), Refusal> {
    let Confirmation { total, most, pay, designs, .. } = confirmation;
    if total.amount < 0 || most.currency != total.currency || most.amount < total.amount {
        return Err(invalid("a purchase costs something, and at most at least that"));
    }
    let more = most.amount - total.amount;
    if i128::from(more) * 100 > i128::from(total.amount) * i128::from(MOST_MORE_PERCENT) {
        return Err(invalid(format!("goods by weight come to at most {MOST_MORE_PERCENT} percent more")));
    }
    let ways = [&pay.handler, &pay.instrument];
    if designs.len() > MOST_DESIGNS || ways.iter().any(|way| way.is_empty() || way.len() > LONGEST_WAY) {
        return Err(invalid("a purchase has a way of paying, and at most 64 designs"));
    }
    Ok(())
}

/// Whether the user has seen exactly this, not long ago; what was given for it.
pub(super) fn shown(
    state: &State,
    now: Timestamp,
    user: &UserId,
    said: &Confirmation,
) -> Result<BTreeSet<ContentHash>, Refusal> {
    let call = state.calls.get(&said.shown).filter(|call| call.is_of(user));
    let call = call.ok_or_else(|| outdated("nobody knows any more what you saw"))?;
    let by = |step: &vestibule_model::CallStep| {
        step.system == said.system && SHOWN_BY.iter().any(|service| step.service.as_str() == *service)
    };
    if call.end != Some(CallStatus::Succeeded) || !call.call.steps.last().is_some_and(by) {
        return Err(invalid(format!("call {} has shown no checkout of {}", said.shown, said.system)));
    }
    let output = call.output.as_ref().ok_or_else(|| outdated("nobody knows any more what you saw"))?;
    costs(output, said, now)
}

fn costs(output: &Json, said: &Confirmation, now: Timestamp) -> Result<BTreeSet<ContentHash>, Refusal> {
    let shown: Shown = output.read().map_err(|error| invalid(format!("what was shown is no checkout: {error}")))?;
    if shown.id != said.checkout.as_str() {
        return Err(invalid(format!("what was shown is not checkout {}", said.checkout)));
    }
    if shown.totals.len() > MOST_ENTRIES {
        return Err(invalid("what was shown is too long to be looked through"));
    }
    // Of a longer order nobody could be shown what becomes of it.
    if shown.line_items.len() > MAX_ORDER_LINES {
        return Err(invalid(format!("a purchase has at most {MAX_ORDER_LINES} lines: buy the rest in another one")));
    }
    // Each has a number of its own, and an order with more of them could not be read any more.
    let made = shown.line_items.iter().filter(|line| line.contains_key(FABRICATION));
    let pieces = made.filter_map(|line| line.get("quantity")?.as_u64()).fold(0_u64, u64::saturating_add);
    if pieces > u64::from(MAX_ORDER_PIECES) {
        return Err(invalid(format!("at most {MAX_ORDER_PIECES} pieces are made in one purchase: buy the rest apart")));
    }
    if shown.status != "ready_for_complete" {
        return Err(outdated("it was not ready to be bought"));
    }
    let expires = shown.expires_at.as_deref().map(moment);
    if expires.is_some_and(|expires| expires.is_none_or(|expires| expires <= now)) {
        return Err(outdated("what you saw has ended"));
    }
    let (totals, rest): (Vec<&Entry>, Vec<&Entry>) = shown.totals.iter().partition(|entry| entry.kind == "total");
    let [total] = totals[..] else { return Err(invalid("what was shown has no total")) };
    let sum: i128 = rest.iter().map(|entry| i128::from(entry.amount)).sum();
    if sum != i128::from(total.amount) {
        return Err(invalid("what was shown does not add up to its total: nobody should pay that"));
    }
    if Money::new(total.amount, shown.currency) != said.total {
        return Err(outdated("what you saw is not what you confirm"));
    }
    designs(&shown, said)?;
    Ok(packages(&shown))
}

/// The packages that its lines are made of.
fn packages(shown: &Shown) -> BTreeSet<ContentHash> {
    let package = |line: &serde_json::Map<String, serde_json::Value>| {
        line.get(FABRICATION)?.get("package")?.as_str()?.parse::<ContentHash>().ok()
    };
    shown.line_items.iter().filter_map(package).collect()
}

/// The designs that are confirmed are those that were shown.
fn designs(shown: &Shown, said: &Confirmation) -> Result<(), Refusal> {
    let design = |line: &serde_json::Map<String, serde_json::Value>| {
        let line_id = line.get("id")?.as_str()?.to_owned();
        let design: DesignHash = line.get(FABRICATION)?.get("design")?.as_str()?.parse().ok()?;
        Some((line_id, design))
    };
    let there: BTreeSet<(String, DesignHash)> = shown.line_items.iter().filter_map(design).collect();
    let wanted: BTreeSet<(String, DesignHash)> =
        said.designs.iter().map(|(line, design)| (line.to_string(), *design)).collect();
    if there == wanted { Ok(()) } else { Err(outdated("what you saw is made to another design")) }
}

/// A moment of RFC 3339, in UTC or with an offset; `None`: it is none.
fn moment(text: &str) -> Option<Timestamp> {
    if let Some(at) = Timestamp::from_utc(text) {
        return Some(at);
    }
    let (rest, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let later = match offset.as_bytes().first()? {
        b'+' => false,
        b'-' => true,
        _ => return None,
    };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes): (u64, u64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let at = Timestamp::from_utc(&format!("{rest}Z")).filter(|_| hours < 24 && minutes < 60)?;
    let off = (hours * 60 + minutes) * 60_000;
    Some(if later { at.plus(off) } else { Timestamp(at.0.saturating_sub(off)) })
}

/// Whether there is room for one more.
pub(super) fn room(state: &State, user: &UserId) -> Result<(), Refusal> {
    let open = state.open_purchases.keys().filter_map(|id| state.purchases.get(id));
    // What is at the door waits for what goes back: it keeps nobody from buying.
    let mine = open.filter(|record| record.is_of(user) && !record.is_at_the_door()).count();
    if mine >= MOST_EACH || state.open_purchases.len() >= MOST_OPEN {
        let message = format!("{user} has {mine} purchases under way: wait until one is done");
        return Err(Refusal::new(RefusalCode::Overloaded, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_with_and_without_an_offset() {
        let noon = Timestamp::from_utc("2026-11-27T12:00:00Z");
        for text in ["2026-11-27T12:00:00Z", "2026-11-27T13:00:00+01:00", "2026-11-27T06:30:00-05:30"] {
            assert_eq!(moment(text), noon, "{text}");
        }
        for text in ["", "noon", "2026-11-27", "2026-11-27T12:00:00", "2026-11-27T12:00:00+25:00", "ééé+01:00"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
