//! Purchases: what is given for them, their confirmation, how far they are, and the products that came of them.
//!
//! A confirmation leaves once its id is on the disk. Whether it arrived is doubtful until the enabler says something of
//! it: after a lost answer, a lost connection and a new start it is asked. Nothing is confirmed a second time by itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use bevy::prelude::*;
use vestibule_model::{ContentHash, Product, PurchaseId, PurchaseUpdate, Refusal, RefusalCode, Serial};
use vestibule_protocol::{Request, Response};
use vestibule_twin::{Given, Giving, KnownPurchases, ManagePurchases};

use crate::journal::Journal;

/// Bytes of a part: half of what the enabler takes at once, so that other requests are not long behind it.
const PART: usize = 512 * 1024;
/// Things that are given at once: as many as the enabler takes of one person.
const MOST_GIVEN: usize = 4;
/// Outcomes of giving that are remembered: more than a cart of designs has.
const MOST_OUTCOMES: usize = 64;
/// Purchases on a page: the newest are what people look at.
const PAGE: u16 = 50;
/// Products on a page: all that the enabler puts on one. It has a thousand of one person at most.
const PRODUCTS: u16 = 200;

/// A question about purchases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PurchaseQuestion {
    List,
    /// Products that are twins, those after this one.
    Products(Option<Serial>),
    Ask(PurchaseId),
    Confirm(PurchaseId),
    Cancel(PurchaseId),
    /// A part of it, and where the part begins and ends.
    Give(ContentHash, u64, u64),
    Product(Serial),
    Unbind(Serial),
}

type Ask = (PurchaseQuestion, Request);

/// What waits here: confirmations for their answer, things to be given for their turn.
#[derive(Resource, Debug, Default)]
pub(crate) struct Buying {
    journal: Journal,
    /// By the enabler that it is given to.
    giving: BTreeMap<(String, ContentHash), Given>,
    /// Somebody looks at purchases: a new connection asks for them.
    looked: bool,
    /// Products of which something was heard since they were asked for: what a page says of them may be older.
    heard: BTreeSet<Serial>,
}

impl Buying {
    pub(crate) fn open(path: Option<PathBuf>) -> Self {
        Self { journal: Journal::open(path), ..Self::default() }
    }

    /// The enabler has said what became of it.
    fn settled(&mut self, enabler: &str, id: PurchaseId) {
        if let Err(error) = self.journal.remove(enabler, id) {
            warn!("what is known of purchase {id} could not be written down: {error}");
        }
    }
}

fn ask(id: PurchaseId) -> Ask {
    (PurchaseQuestion::Ask(id), Request::Purchase(id))
}

fn products(after: Option<Serial>) -> Ask {
    (PurchaseQuestion::Products(after.clone()), Request::Products { after, limit: PRODUCTS })
}

fn part(given: &Given, offset: u64) -> Ask {
    let begin = usize::try_from(offset).unwrap_or(usize::MAX).min(given.bytes.len());
    let end = begin.saturating_add(PART).min(given.bytes.len());
    let bytes = given.bytes.get(begin..end).unwrap_or_default().to_vec();
    part_of(given, offset, bytes)
}

/// How far is it? What came before a lost connection need not be sent again.
fn how_far(given: &Given) -> Ask {
    part_of(given, 0, Vec::new())
}

fn part_of(given: &Given, offset: u64, bytes: Vec<u8>) -> Ask {
    let question = PurchaseQuestion::Give(given.hash, offset, offset + bytes.len() as u64);
    let (hash, media) = (given.hash, given.media.to_owned());
    (question, Request::Give { hash, size: given.bytes.len() as u64, media, offset, bytes })
}

/// What to ask the enabler for it; nothing where it cannot be asked, or was asked already.
pub(crate) fn request(
    wish: &ManagePurchases,
    known: &mut KnownPurchases,
    buying: &mut Buying,
    enabler: &str,
) -> Option<Ask> {
    match wish.clone() {
        ManagePurchases::Look => {
            buying.looked = true;
            Some((PurchaseQuestion::List, Request::Purchases { before: None, limit: PAGE }))
        }
        ManagePurchases::Ask(id) => Some(ask(id)),
        ManagePurchases::Confirm(confirmation) => {
            let id = confirmation.id;
            known.refused.remove(&id);
            if let Err(why) = buying.journal.add(enabler, id) {
                let why = format!("It could not be written down here ({why}), so nothing was ordered.");
                known.refused.insert(id, Refusal::new(RefusalCode::Storage, why));
                return None;
            }
            // With what another program with this folder confirmed before it ended.
            known.in_doubt.extend(buying.journal.waiting(enabler));
            Some((PurchaseQuestion::Confirm(id), Request::Confirm(confirmation)))
        }
        ManagePurchases::Cancel(id) => {
            known.refused.remove(&id);
            Some((PurchaseQuestion::Cancel(id), Request::CancelPurchase(id)))
        }
        ManagePurchases::Give(given) => give(given, known, buying, enabler),
        ManagePurchases::Bind { twin, purchase, serial, certificate } => about_product(known, &serial).then(|| {
            let request = Request::Bind { twin, purchase, serial: serial.clone(), certificate };
            (PurchaseQuestion::Product(serial), request)
        }),
        ManagePurchases::Keep { purchase, serial, place, visual } => about_product(known, &serial).then(|| {
            let request = Request::Keep { purchase, serial: serial.clone(), certificate: None, place, visual };
            (PurchaseQuestion::Product(serial), request)
        }),
        ManagePurchases::Unbind(serial) => about_product(known, &serial)
            .then(|| (PurchaseQuestion::Unbind(serial.clone()), Request::Unbind { serial })),
    }
}

/// One question about a product at a time.
fn about_product(known: &mut KnownPurchases, serial: &Serial) -> bool {
    known.not_bound.remove(serial);
    known.binding.insert(serial.clone())
}

fn give(given: Given, known: &mut KnownPurchases, buying: &mut Buying, enabler: &str) -> Option<Ask> {
    let (hash, size) = (given.hash, given.bytes.len() as u64);
    if known.given_to != enabler {
        // What another enabler has, this one has not.
        enabler.clone_into(&mut known.given_to);
        known.given.clear();
    }
    let key = (enabler.to_owned(), hash);
    if buying.giving.contains_key(&key) {
        // What had no answer is asked about once more.
        let again = !matches!(known.given.get(&hash), Some(Giving::Under(..)));
        return again.then(|| {
            known.given.insert(hash, Giving::Under(0, size));
            how_far(&given)
        });
    }
    while known.given.len() >= MOST_OUTCOMES {
        let done = known.given.iter().find(|(_, how)| !matches!(how, Giving::Under(..))).map(|(hash, _)| *hash);
        known.given.remove(&done.unwrap_or(hash));
        if done.is_none() {
            break;
        }
    }
    if buying.giving.keys().filter(|(to, _)| to == enabler).count() >= MOST_GIVEN {
        let why = Refusal::new(RefusalCode::Overloaded, "other things are still on their way: try again");
        known.given.insert(hash, Giving::NotSent(why));
        return None;
    }
    known.given.insert(hash, Giving::Under(0, size));
    let first = part(&given, 0);
    buying.giving.insert(key, given);
    Some(first)
}

/// What to ask over a new connection: what left before it may have arrived, and what was bound while nobody listened.
pub(crate) fn regain(known: &mut KnownPurchases, buying: &mut Buying, enabler: &str) -> Vec<Ask> {
    buying.heard.clear();
    let mine = || buying.giving.iter().filter(|((to, _), _)| to == enabler);
    if known.given_to != enabler && mine().next().is_some() {
        // Back at the one that was given this: how far it is counts again.
        enabler.clone_into(&mut known.given_to);
        known.given = mine().map(|((_, hash), given)| (*hash, Giving::Under(0, given.bytes.len() as u64))).collect();
    }
    let waiting = buying.journal.waiting(enabler);
    known.in_doubt.extend(&waiting);
    let mut asks: Vec<Ask> = waiting.into_iter().map(ask).collect();
    asks.push(products(None));
    asks.extend(buying.giving.iter().filter(|((to, _), _)| to == enabler).map(|(_, given)| how_far(given)));
    if buying.looked {
        asks.push((PurchaseQuestion::List, Request::Purchases { before: None, limit: PAGE }));
    }
    asks
}

/// The connection is lost.
pub(crate) fn lose(known: &mut KnownPurchases) {
    known.complete = false;
}

/// What the enabler tells by itself.
#[derive(Debug)]
pub(crate) enum Told {
    Purchase(Box<PurchaseUpdate>),
    Product(Product),
    Unbound(Serial),
}

/// Keeps it.
pub(crate) fn told(known: &mut KnownPurchases, buying: &mut Buying, enabler: &str, told: Told) {
    match told {
        Told::Purchase(update) => {
            buying.settled(enabler, update.id);
            known.take(*update);
        }
        Told::Product(product) => {
            buying.heard.insert(product.serial.clone());
            bound(known, product);
        }
        Told::Unbound(serial) => {
            buying.heard.insert(serial.clone());
            known.binding.remove(&serial);
            known.products.remove(&serial);
        }
    }
}

fn bound(known: &mut KnownPurchases, product: Product) {
    known.binding.remove(&product.serial);
    known.not_bound.remove(&product.serial);
    known.products.insert(product.serial.clone(), product);
}

/// Keeps an answer; what follows from it.
pub(crate) fn take(
    known: &mut KnownPurchases,
    buying: &mut Buying,
    enabler: &str,
    question: PurchaseQuestion,
    answer: Result<Response, Refusal>,
) -> Option<Ask> {
    match (question, answer) {
        (PurchaseQuestion::List, Ok(Response::Purchases(page))) => {
            (known.complete, known.problem) = (true, None);
            for update in page {
                told(known, buying, enabler, Told::Purchase(Box::new(update)));
            }
        }
        (PurchaseQuestion::List, answer) => known.problem = Some(no(answer)),
        (PurchaseQuestion::Products(after), Ok(Response::Products(page))) => {
            return listed(known, buying, after.as_ref(), page);
        }
        // Over a new connection they are asked for anew; whoever bears a token has none.
        (PurchaseQuestion::Products(_), _) => {}
        (
            PurchaseQuestion::Ask(_) | PurchaseQuestion::Confirm(_) | PurchaseQuestion::Cancel(_),
            Ok(Response::Purchase(update)),
        ) => told(known, buying, enabler, Told::Purchase(update)),
        (PurchaseQuestion::Confirm(id), answer) => return not_confirmed(known, buying, enabler, id, no(answer)),
        (PurchaseQuestion::Ask(id), answer) => not_known(known, buying, enabler, id, no(answer)),
        (PurchaseQuestion::Cancel(id), answer) => drop(known.refused.insert(id, no(answer))),
        (PurchaseQuestion::Give(hash, from, to), Ok(Response::Given { next })) => {
            return given(known, buying, (enabler, hash), (from, to), next);
        }
        (PurchaseQuestion::Give(hash, ..), answer) => {
            let why = no(answer);
            let how = if why.code == RefusalCode::Unavailable {
                // Over a new connection it goes on.
                Giving::Lost(why)
            } else {
                buying.giving.remove(&(enabler.to_owned(), hash));
                Giving::Refused(why)
            };
            is_given(known, (enabler, hash), how);
        }
        (PurchaseQuestion::Product(_), Ok(Response::Product(product))) => {
            told(known, buying, enabler, Told::Product(product));
        }
        (PurchaseQuestion::Unbind(serial), Ok(Response::Done)) => {
            told(known, buying, enabler, Told::Unbound(serial));
        }
        (PurchaseQuestion::Product(serial) | PurchaseQuestion::Unbind(serial), answer) => {
            known.binding.remove(&serial);
            known.not_bound.insert(serial, no(answer));
        }
    }
    None
}

/// A page of products that are twins. What it leaves out is none any more.
fn listed(known: &mut KnownPurchases, buying: &Buying, after: Option<&Serial>, page: Vec<Product>) -> Option<Ask> {
    let last = page.last().map(|product| product.serial.clone());
    let next = last.clone().filter(|_| page.len() >= usize::from(PRODUCTS));
    let listed: BTreeSet<Serial> = page.iter().map(|product| product.serial.clone()).collect();
    let is_in_page = |serial: &Serial| {
        after.is_none_or(|after| serial > after) && (next.is_none() || last.as_ref().is_some_and(|last| serial <= last))
    };
    known.products.retain(|serial, _| listed.contains(serial) || buying.heard.contains(serial) || !is_in_page(serial));
    for product in page {
        if !buying.heard.contains(&product.serial) {
            bound(known, product);
        }
    }
    next.map(|last| products(Some(last)))
}

fn no(answer: Result<Response, Refusal>) -> Refusal {
    answer.err().unwrap_or_else(|| Refusal::new(RefusalCode::Invalid, "an answer to another question"))
}

/// A confirmation was answered with a no. Where nobody knows whether it was heard, it is asked for.
fn not_confirmed(
    known: &mut KnownPurchases,
    buying: &mut Buying,
    enabler: &str,
    id: PurchaseId,
    why: Refusal,
) -> Option<Ask> {
    if matches!(why.code, RefusalCode::Unavailable | RefusalCode::Storage) {
        return Some(ask(id));
    }
    buying.settled(enabler, id);
    known.in_doubt.remove(&id);
    known.refused.insert(id, why);
    None
}

/// Nobody knows a purchase under this id: nothing was bought.
fn not_known(known: &mut KnownPurchases, buying: &mut Buying, enabler: &str, id: PurchaseId, why: Refusal) {
    if why.code != RefusalCode::NotFound {
        known.problem = Some(why);
        return;
    }
    buying.settled(enabler, id);
    if known.in_doubt.remove(&id) {
        let words = "It never reached the enabler: nothing was ordered.";
        known.refused.insert(id, Refusal::new(RefusalCode::NotFound, words));
    }
}

/// How far something is, unless that is of another enabler than what is known.
fn is_given(known: &mut KnownPurchases, (enabler, hash): (&str, ContentHash), how: Giving) {
    if known.given_to == enabler {
        known.given.insert(hash, how);
    }
}

/// The enabler has so much of something: the rest follows.
fn given(
    known: &mut KnownPurchases,
    buying: &mut Buying,
    (enabler, hash): (&str, ContentHash),
    (from, to): (u64, u64),
    next: u64,
) -> Option<Ask> {
    let key = (enabler.to_owned(), hash);
    let given = buying.giving.get(&key)?;
    let size = given.bytes.len() as u64;
    if next >= size {
        buying.giving.remove(&key);
        is_given(known, (enabler, hash), Giving::There);
        return None;
    }
    // A part of which nothing was kept would be sent for ever.
    if to > from && next <= from {
        buying.giving.remove(&key);
        let why = Refusal::new(RefusalCode::Invalid, "the enabler does not keep what it is given");
        is_given(known, (enabler, hash), Giving::Refused(why));
        return None;
    }
    is_given(known, (enabler, hash), Giving::Under(next, size));
    Some(part(given, next))
}

#[cfg(test)]
#[path = "purchases_tests.rs"]
mod tests;
