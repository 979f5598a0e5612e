//! FGMV-29 8.2.4 with 8.3.2, products: the thing that was bought is the twin that stands there.
//!
//! A product is bound once: the order's merchant has signed its certificate, the order has its serial number, the twin's
//! device tells the same number, and whoever binds has bought the one and manages the other.

use serde::{Deserialize, Serialize};
use vestibule_model::{
    InquiryId, OrderId, OrderLine, Product, PurchaseId, Refusal, RefusalCode, Right, Serial, SystemId, Timestamp,
    TwinId, UserId,
};
use vestibule_protocol::{Certified, NotCertified, Response, TradeAsk};

use crate::{Decision, Effect, LogEvent, State, Viewer, dtif::dtac};

/// How a twin's identities name its serial number.
const SERIAL: &str = "serial";
/// Products that one user can have bound: a house full of them.
const MOST_EACH: usize = 1_024;
/// Bytes of a certificate: what its reader takes.
const LONGEST_CERTIFICATE: usize = 4 * 1024;

/// A product that has a twin, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRecord {
    /// Whose.
    pub user: UserId,
    /// The product.
    pub product: Product,
}

/// A user's wish to bind a product, before its certificate was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

impl Binding {
    /// What the merchant's keys are asked.
    #[must_use]
    pub fn question(&self, inquiry: InquiryId) -> TradeAsk {
        TradeAsk::Certify { inquiry, system: self.system.clone(), certificate: self.certificate.clone() }
    }
}

fn refused<T>(code: RefusalCode, message: impl Into<String>) -> Result<T, Refusal> {
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
    let (system, _, _) = line(state, viewer, twin, purchase, serial)?;
    let binding = Binding {
        user: viewer.user.clone(),
        twin: twin.clone(),
        purchase,
        system,
        serial: serial.clone(),
        certificate: certificate.to_owned(),
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

/// The merchant, the order and the line with which a product of the user's came, where the twin can be it.
fn line<'a>(
    state: &'a State,
    viewer: &Viewer,
    twin: &TwinId,
    purchase: PurchaseId,
    serial: &Serial,
) -> Result<(SystemId, &'a OrderId, &'a OrderLine), Refusal> {
    let user = &viewer.user;
    let record = state.purchases.get(&purchase).filter(|record| record.is_of(user));
    let Some(record) = record else {
        return refused(RefusalCode::NotFound, format!("{user} has no purchase {purchase}"));
    };
    let lines = record.view.iter().flat_map(|view| &view.lines);
    let line = lines.into_iter().find(|line| line.serials.contains(serial));
    let Some((order, line)) = record.order.as_ref().zip(line) else {
        return refused(RefusalCode::NotFound, format!("purchase {purchase} has no product {serial}"));
    };
    dtac::may(state, viewer, twin, None, &Right::Manage)?;
    let known = state.twins.get(twin);
    let Some(known) = known else { return refused(RefusalCode::NotFound, format!("there is no twin {twin}")) };
    let mut told = known.info.physical_ids.iter();
    if !told.any(|id| id.kind == SERIAL && id.value == serial.as_str()) {
        return refused(RefusalCode::NotFound, format!("the device of {twin} does not say that it is {serial}"));
    }
    let mine = state.products.values().filter(|product| product.user == *user).count();
    if mine >= MOST_EACH {
        return refused(RefusalCode::Overloaded, format!("{user} has {mine} products already"));
    }
    Ok((record.confirmation.system.clone(), order, line))
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
    let forged = || Refusal::new(RefusalCode::Forbidden, "this is not the certificate of this product");
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
    if let Some(known) = bound_already(state, user, twin, serial)? {
        return Ok(Decision::reply(Response::Product(known)));
    }
    let (system, order, line) = line(state, &viewer, twin, *purchase, serial)?;
    let same_design = line.design.is_none() || said.design == line.design;
    let is_its = said.serial == *serial && said.order == *order && said.line == line.id && same_design;
    if system != binding.system || !is_its {
        return Err(forged());
    }
    let product = Product {
        purchase: *purchase,
        line: line.id.clone(),
        serial: serial.clone(),
        twin: twin.clone(),
        design: said.design,
        since: now,
    };
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

impl State {
    /// Takes what was decided about products. What makes no sense changes nothing.
    pub(crate) fn apply_products(&mut self, event: &LogEvent) {
        match event {
            LogEvent::ProductBound { user, product } => {
                let free =
                    !self.products.contains_key(&product.serial) && !self.product_twins.contains_key(&product.twin);
                if free {
                    let record = ProductRecord { user: user.clone(), product: product.clone() };
                    self.product_twins.insert(product.twin.clone(), product.serial.clone());
                    self.products.insert(product.serial.clone(), record.into());
                }
            }
            LogEvent::ProductUnbound { serial, .. } => self.drop_product(serial),
            _ => {}
        }
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
