//! FGMV-29 8.2.4 with 8.3.2, products: the thing that was bought is the twin that stands there.
//!
//! A product is bound once: the order's merchant has signed its certificate, the order has its serial number, the twin's
//! device tells the same number, and whoever binds has bought the one and manages the other.

use std::ops::Bound;

use serde::{Deserialize, Serialize};
use vestibule_model::{
    InquiryId, Kept, OrderId, OrderLine, Product, PurchaseId, Refusal, RefusalCode, Right, Serial, Standing, SystemId,
    Timestamp, TwinId, UserId,
};
use vestibule_protocol::{Certified, NotCertified, Response, TradeAsk};

use super::keep;
use crate::{Decision, Effect, LogEvent, PurchaseRecord, State, Viewer, dtif::dtac};

/// How a twin's identities name its serial number.
pub(super) const SERIAL: &str = "serial";
/// Products that one user can have bound: a house full of them.
const MOST_EACH: usize = 1_024;
/// Products on a page, unless asked otherwise, and at most: each has some ids and a hash, so a page fits a frame.
const PAGE: (usize, usize) = (50, 200);
/// Bytes of a certificate: what its reader takes.
pub(super) const LONGEST_CERTIFICATE: usize = 4 * 1024;

/// A product that has a twin, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProductRecord {
    /// Whose. Before what is theirs.
    pub user: UserId,
    /// The product.
    pub product: Product,
    /// What its twin is made of, where it has no electronics.
    #[serde(default, with = "vestibule_model::sealed")]
    pub kept: Option<Kept>,
}

/// A user's wish to bind a product, before its certificate was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// The user.
    pub user: UserId,
    /// The twin.
    pub twin: TwinId,
    /// The purchase.
    pub purchase: PurchaseId,
    /// Its merchant.
    pub system: SystemId,
    /// The product's serial number.
    pub serial: Serial,
    /// The certificate.
    pub certificate: String,
    /// Where it stands, where no device is it.
    pub standing: Option<Standing>,
}

impl Binding {
    /// What the merchant's keys are asked.
    #[must_use]
    pub fn question(&self, inquiry: InquiryId) -> TradeAsk {
        TradeAsk::Certify { inquiry, system: self.system.clone(), certificate: self.certificate.clone() }
    }

    /// The product, where what its merchant has signed is about it.
    pub(super) fn product(
        &self,
        now: Timestamp,
        system: &SystemId,
        order: &OrderId,
        line: &OrderLine,
        said: &Certified,
    ) -> Result<Product, Refusal> {
        let same_design = line.design.is_none() || said.design == line.design;
        let is_its = said.serial == self.serial && said.order == *order && said.line == line.id && same_design;
        if *system != self.system || !is_its {
            return Err(forged());
        }
        Ok(Product {
            purchase: self.purchase,
            line: line.id.clone(),
            serial: self.serial.clone(),
            twin: self.twin.clone(),
            design: said.design,
            since: now,
        })
    }
}

/// For what is forged and for what is another product's.
fn forged() -> Refusal {
    Refusal::new(RefusalCode::Forbidden, "this is not the certificate of this product")
}

pub(super) fn refused<T>(code: RefusalCode, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(code, message))
}

/// Whether a product may be bound as far as that is known here; its certificate is looked at next.
pub(crate) fn bind(
    state: &State,
    viewer: &Viewer,
    twin: &TwinId,
    purchase: PurchaseId,
    serial: &Serial,
    certificate: &str,
) -> Result<Decision, Refusal> {
    if certificate.len() > LONGEST_CERTIFICATE {
        return refused(RefusalCode::Invalid, format!("a certificate has at most {LONGEST_CERTIFICATE} bytes"));
    }
    if let Some(known) = bound_already(state, &viewer.user, twin, serial)? {
        return Ok(Decision::reply(Response::Product(known)));
    }
    let (record, _, _) = line(state, viewer, twin, purchase, serial)?;
    let binding = Binding {
        user: viewer.user.clone(),
        twin: twin.clone(),
        purchase,
        system: record.confirmation.system.clone(),
        serial: serial.clone(),
        certificate: certificate.to_owned(),
        standing: None,
    };
    Ok(Decision::default().with(Effect::Certify(Box::new(binding))))
}

/// The same product at the same twin once more; a refusal where one of them is bound to another.
fn bound_already(state: &State, user: &UserId, twin: &TwinId, serial: &Serial) -> Result<Option<Product>, Refusal> {
    match (state.products.get(serial), state.product_twins.get(twin)) {
        (None, None) => Ok(None),
        (Some(known), _) if known.user == *user && known.product.twin == *twin => Ok(Some(known.product.clone())),
        (Some(_), _) => refused(RefusalCode::Conflict, format!("product {serial} has a twin already")),
        (None, Some(_)) => refused(RefusalCode::Conflict, format!("{twin} is another product already")),
    }
}

/// The purchase, the order and the line with which a product of the user's came.
pub(super) fn bought<'a>(
    state: &'a State,
    user: &UserId,
    purchase: PurchaseId,
    serial: &Serial,
) -> Result<(&'a PurchaseRecord, &'a OrderId, &'a OrderLine), Refusal> {
    let record = state.purchases.get(&purchase).filter(|record| record.is_of(user));
    let Some(record) = record else {
        return refused(RefusalCode::NotFound, format!("{user} has no purchase {purchase}"));
    };
    let lines = record.view.iter().flat_map(|view| &view.lines);
    let line = lines.into_iter().find(|line| line.serials.contains(serial));
    let Some((order, line)) = record.order.as_ref().zip(line) else {
        return refused(RefusalCode::NotFound, format!("purchase {purchase} has no product {serial}"));
    };
    let mine = state.products.values().filter(|product| product.user == *user).count();
    if mine >= MOST_EACH {
        return refused(RefusalCode::Overloaded, format!("{user} has {mine} products already"));
    }
    Ok((record, order, line))
}

/// The same, where the twin can be it.
fn line<'a>(
    state: &'a State,
    viewer: &Viewer,
    twin: &TwinId,
    purchase: PurchaseId,
    serial: &Serial,
) -> Result<(&'a PurchaseRecord, &'a OrderId, &'a OrderLine), Refusal> {
    let found = bought(state, &viewer.user, purchase, serial)?;
    dtac::may(state, viewer, twin, None, &Right::Manage)?;
    let known = state.twins.get(twin);
    let Some(known) = known else { return refused(RefusalCode::NotFound, format!("there is no twin {twin}")) };
    let mut told = known.info.physical_ids.iter();
    if !told.any(|id| id.kind == SERIAL && id.value == serial.as_str()) {
        return refused(RefusalCode::NotFound, format!("the device of {twin} does not say that it is {serial}"));
    }
    Ok(found)
}

/// What follows once a certificate was looked at. Meanwhile anything may have changed.
///
/// # Errors
/// [`Refusal`] for whoever waits. What is forged and what is another product's is refused in the same words.
pub fn certified(
    state: &State,
    now: Timestamp,
    binding: &Binding,
    answer: &Result<Certified, NotCertified>,
) -> Result<Decision, Refusal> {
    let said = match answer {
        Ok(said) => said,
        Err(NotCertified::Forged) => return Err(forged()),
        Err(NotCertified::Unavailable { reason }) => {
            let reason: String = reason.chars().take(500).collect();
            let message = format!("{} cannot be asked whether it made this: {reason}", binding.system);
            return refused(RefusalCode::Unavailable, message);
        }
    };
    let Binding { user, twin, purchase, serial, .. } = binding;
    let viewer = Viewer::user(state, now, user)?;
    if let Some(standing) = &binding.standing {
        return keep::certified(state, now, &viewer, binding, standing, said);
    }
    if let Some(known) = bound_already(state, user, twin, serial)? {
        return Ok(Decision::reply(Response::Product(known)));
    }
    let (record, order, line) = line(state, &viewer, twin, *purchase, serial)?;
    let product = binding.product(now, &record.confirmation.system, order, line, said)?;
    let event = LogEvent::ProductBound { user: user.clone(), product: product.clone() };
    Ok(Decision { events: vec![event], reply: Some(Response::Product(product)), effects: Vec::new() })
}

/// A product of the user's is no twin any more.
pub(crate) fn unbind(state: &State, viewer: &Viewer, serial: &Serial) -> Result<Decision, Refusal> {
    let user = &viewer.user;
    if state.products.get(serial).is_none_or(|known| known.user != *user) {
        return refused(RefusalCode::NotFound, format!("{user} has no product {serial} with a twin"));
    }
    Ok(Decision::done(vec![LogEvent::ProductUnbound { user: user.clone(), serial: serial.clone() }]))
}

/// Products of the asker that are twins, in the order of their serial numbers.
///
/// A product is its owner's whatever the rules say of its twin by now: only its id is told here, which its owner knows.
pub(crate) fn list(state: &State, viewer: &Viewer, after: Option<&Serial>, limit: u16) -> Decision {
    let most = if limit == 0 { PAGE.0 } else { usize::from(limit).min(PAGE.1) };
    let from = after.map_or(Bound::Unbounded, |serial| Bound::Excluded(serial.clone()));
    let later = state.products.range((from, Bound::Unbounded)).map(|(_, known)| known);
    let mine = later.filter(|known| known.user == viewer.user).take(most);
    Decision::reply(Response::Products(mine.map(|known| known.product.clone()).collect()))
}

impl State {
    /// Takes what was decided about products. What makes no sense changes nothing.
    pub(crate) fn apply_products(&mut self, event: &LogEvent) {
        match event {
            LogEvent::ProductBound { user, product } => {
                let free =
                    !self.products.contains_key(&product.serial) && !self.product_twins.contains_key(&product.twin);
                if free {
                    self.put_product(ProductRecord { user: user.clone(), product: product.clone(), kept: None });
                }
            }
            LogEvent::ProductKept { user, product, kept } => {
                let record = ProductRecord { user: user.clone(), product: product.clone(), kept: Some(kept.clone()) };
                let free = match self.products.get(&product.serial) {
                    // The same elsewhere.
                    Some(known) => known.kept.is_some() && known.user == *user && known.product == *product,
                    None => !self.product_twins.contains_key(&product.twin),
                };
                if free {
                    self.put_product(record);
                }
            }
            LogEvent::ProductUnbound { serial, .. } => self.drop_product(serial),
            _ => {}
        }
    }

    fn put_product(&mut self, record: ProductRecord) {
        let Product { twin, serial, .. } = &record.product;
        self.product_twins.insert(twin.clone(), serial.clone());
        self.products.insert(serial.clone(), record.into());
    }

    fn drop_product(&mut self, serial: &Serial) {
        if let Some(known) = self.products.get(serial).cloned() {
            self.product_twins.remove(&known.product.twin);
            self.products.remove(serial);
        }
    }

    /// Products of a user who is not there any more are nobody's.
    pub(crate) fn drop_products(&mut self, user: &UserId) {
        let mine = self.products.iter().filter(|(_, known)| known.user == *user);
        let mine: Vec<Serial> = mine.map(|(serial, _)| serial.clone()).collect();
        mine.iter().for_each(|serial| self.drop_product(serial));
    }
}
