//! FGMV-29 8.2.4, system & data collaboration (SDC), purchases: what a user has confirmed is ordered once, whatever
//! happens on the way, P1.12 to P1.14.
//!
//! A purchase is a fold of the log. A call is bounded in time and takes back what is in doubt; an order that was paid
//! cannot end so: it ends as exactly one order that is known, or as none. So [`settle_purchases`] asks a merchant again
//! with the same key until it says something definite, and what it is asked is written before it leaves.

mod check;
mod fold;
mod record;
mod settle;

use vestibule_model::{
    Confirmation, PurchaseId, PurchaseState, PurchaseUpdate, Refusal, RefusalCode, ServiceId, Timestamp,
};
use vestibule_protocol::{Response, encoded_length};

pub(crate) use record::Waits;
pub use record::{AskKind, Denied, PurchaseRecord, ToldRecord};
pub use settle::{Heard, heard, settle_purchases};

use super::tpsaa;
use crate::{Actor, Decision, Hot, LogEvent, State, Viewer};

/// The service that makes checkouts: whoever may use it may buy what it makes.
const CHECKOUT: &str = "checkout";
/// Purchases under way that one user can have: a household's, each asked about time and again.
const MOST_EACH: usize = 32;
/// The same over all users.
const MOST_OPEN: usize = 4_096;
/// Purchases on a page, unless asked otherwise, and at most.
const PAGE: (usize, usize) = (50, 200);
/// Bytes of a page, after which the purchases of one moment more are the last: a page fits a frame.
const PAGE_BYTES: usize = 1024 * 1024;

/// The click that costs money: takes it, or says why not.
pub(crate) fn confirm(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    actor: &Actor,
    said: &Confirmation,
) -> Result<Decision, Refusal> {
    let viewer = Viewer::on(state, now, &actor.identity)?;
    let conflict = |message: String| Err(Refusal::new(RefusalCode::Conflict, message));
    if let Some(known) = state.purchases.get(&said.id) {
        if known.is_of(&viewer.user) && known.confirmation == *said {
            return Ok(tell(hot, known));
        }
        let id = said.id;
        return conflict(format!("purchase id {id} was used for another purchase: choose a new random one for each"));
    }
    check::sense(said)?;
    let service = ServiceId::slug(CHECKOUT);
    tpsaa::permits(state, now, &viewer.user, &actor.identity, &said.system, &service)?;
    if let Some(other) = state.by_session.get(&(said.system.clone(), said.checkout.clone())) {
        let mine = state.purchases.get(other).is_some_and(|known| known.is_of(&viewer.user));
        let whose = if mine { format!("purchase {other}") } else { "somebody else".to_owned() };
        return conflict(format!("checkout {} of {} is bought by {whose} already", said.checkout, said.system));
    }
    let contents = check::shown(state, now, &viewer.user, said)?;
    check::room(state, &viewer.user)?;
    let (user, by) = (viewer.user, actor.identity.clone());
    let record = PurchaseRecord::new(now, user.clone(), by.clone(), said.clone(), contents.clone());
    let event = LogEvent::PurchaseConfirmed { user, by, confirmation: Box::new(said.clone()), contents };
    Ok(Decision { events: vec![event], ..tell(hot, &record) })
}

/// How far it is.
fn update(hot: &Hot, record: &PurchaseRecord) -> PurchaseUpdate {
    let (checked, doubt) = hot.purchase_word(record.confirmation.id);
    record.update(checked, doubt)
}

fn tell(hot: &Hot, record: &PurchaseRecord) -> Decision {
    Decision::reply(Response::Purchase(Box::new(update(hot, record))))
}

fn own<'a>(state: &'a State, viewer: &Viewer, purchase: PurchaseId) -> Result<&'a PurchaseRecord, Refusal> {
    let record = state.purchases.get(&purchase).filter(|record| record.is_of(&viewer.user));
    let not_found = || Refusal::new(RefusalCode::NotFound, format!("{} has no purchase {purchase}", viewer.user));
    record.map(AsRef::as_ref).ok_or_else(not_found)
}

/// How far a purchase of the asker is.
pub(crate) fn look(state: &State, hot: &Hot, viewer: &Viewer, purchase: PurchaseId) -> Result<Decision, Refusal> {
    own(state, viewer, purchase).map(|record| tell(hot, record))
}

/// The user wants a purchase cancelled.
pub(crate) fn cancel(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    viewer: &Viewer,
    purchase: PurchaseId,
) -> Result<Decision, Refusal> {
    let record = own(state, viewer, purchase)?;
    if !record.is_open() || record.cancel {
        return Ok(tell(hot, record));
    }
    let (mut then, user) = (record.clone(), record.user.clone());
    then.cancel_asked(now);
    let mut events = vec![LogEvent::PurchaseCancelAsked { purchase, user: user.clone() }];
    // Whoever was never asked orders nothing: that needs no answer.
    if let record::Next::End(state @ PurchaseState::Canceled { .. }) = then.next(now) {
        then.ended(now, &state);
        events.push(LogEvent::PurchaseEnded { purchase, user, state });
    }
    Ok(Decision { events, ..tell(hot, &then) })
}

/// The asker's purchases, the newest first.
pub(crate) fn list(state: &State, hot: &Hot, viewer: &Viewer, before: Option<Timestamp>, limit: u16) -> Decision {
    let most = if limit == 0 { PAGE.0 } else { usize::from(limit).min(PAGE.1) };
    let (mut page, mut bytes): (Vec<PurchaseUpdate>, usize) = (Vec::new(), 0);
    for record in state.purchases_of(&viewer.user, before) {
        let same_moment = page.last().is_some_and(|last| last.confirmed == record.confirmed);
        // A page ends between two moments: the next one begins before the last of them.
        if (page.len() >= most || bytes >= PAGE_BYTES) && !same_moment {
            break;
        }
        let update = update(hot, record);
        bytes = bytes.saturating_add(encoded_length(&update));
        page.push(update);
    }
    Decision::reply(Response::Purchases(page))
}

/// How far a purchase is, for whoever made it, where they are still there.
pub(crate) fn purchase_update(state: &State, hot: &Hot, purchase: PurchaseId) -> Option<PurchaseUpdate> {
    state.purchases.get(&purchase).filter(|record| !record.orphan).map(|record| update(hot, record))
}
