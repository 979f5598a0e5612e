//! FGMV-29 8.2.4 with 8.3.1, products without electronics: what was bought and stands here is a twin that the enabler's
//! own twin system `things` maintains.
//!
//! Like a product with a device it is one twin only, and only with its merchant's signature. Nothing of it tells its
//! serial number: instead its order has to say that it was delivered. Who bought it is not told by its twin: what twins
//! say is kept in the past of the house, beyond the day on which a person is to be forgotten.

use std::collections::BTreeMap;

use vestibule_model::{
    FeatureId, FeatureInfo, FeatureKind, Kept, OrderId, OrderLine, Origin, PhysicalId, PropertyId, PropertyInfo,
    PurchaseId, Refusal, RefusalCode, Right, Serial, Standing, SystemId, SystemInfo, SystemKind, Timestamp, TwinId,
    TwinInfo, Value, ValueType, Visual,
};
use vestibule_protocol::{Certified, Response};

use super::binding::{Binding, LONGEST_CERTIFICATE, ProductRecord, SERIAL, bought, refused};
use crate::{Decision, Effect, LogEvent, PurchaseRecord, State, Viewer, dtif::dtac};

/// What the twin system of products without electronics is called. Nobody else registers as it.
pub const THINGS: &str = "things";
/// The media type of what a thing looks like.
pub const MODEL_MEDIA: &str = "model/gltf-binary";
/// The feature that says where a thing comes from.
const PROVENANCE: &str = "provenance";
/// Bytes of what is said of a thing's provenance: an order's number is the longest.
const LONGEST: u32 = 256;
/// Bytes of the name of a space.
const LONGEST_SPACE: usize = 64;
/// How far a rotation may be off one, squared: floats that were rounded on their way.
const ROUNDED: f32 = 0.01;

/// What the system of these twins says of itself.
#[must_use]
pub fn things_info() -> SystemInfo {
    SystemInfo::new(SystemId::slug(THINGS), SystemKind::DigitalTwin, "Things without electronics")
}

/// The twin of a product without electronics.
#[must_use]
pub fn thing(serial: &Serial) -> TwinId {
    TwinId::of(&SystemId::slug(THINGS), serial.as_str())
}

/// What a thing's twin says of itself; `None`: its product has a device of its own.
#[must_use]
pub fn thing_info(record: &ProductRecord) -> Option<TwinInfo> {
    let (product, kept) = (&record.product, record.kept.as_ref()?);
    let about = |_| PropertyInfo::new(ValueType::Text { max: LONGEST });
    let provenance = FeatureInfo {
        name: "Where it comes from".to_owned(),
        kind: FeatureKind::Sensor,
        class: Some(PROVENANCE.to_owned()),
        properties: thing_says(record).into_iter().map(|(id, value)| (id, about(value))).collect(),
        actions: BTreeMap::new(),
        events: Default::default(),
    };
    let id = PhysicalId { kind: SERIAL.to_owned(), value: product.serial.to_string() };
    Some(TwinInfo {
        manufacturer: Some(kept.manufacturer.clone()),
        model: Some(kept.model.clone()),
        physical_ids: vec![id],
        features: [(FeatureId::slug(PROVENANCE), provenance)].into(),
        visual: kept.standing.visual.clone().map(|model| Visual { model, node: None }),
        place: Some(kept.standing.place.clone()),
        origin: Some(Origin { name: "Vestibule".to_owned(), version: None, url: None }),
        ..TwinInfo::new(product.twin.clone(), kept.name.clone())
    })
}

/// What a thing's feature [`provenance`](FeatureInfo) has to say.
#[must_use]
pub fn thing_says(record: &ProductRecord) -> BTreeMap<PropertyId, Value> {
    let Some(kept) = &record.kept else { return BTreeMap::new() };
    let said = [
        ("order", Some(kept.order.clone())),
        ("design", record.product.design.map(|design| design.to_string())),
        ("made", kept.made.map(|at| at.to_utc())),
        ("delivered", Some(kept.delivered.to_utc())),
    ];
    let text = |(id, text): (&str, Option<String>)| text.map(|text| (PropertyId::slug(id), Value::Text(text)));
    said.into_iter().filter_map(text).collect()
}

/// The feature that says where a thing comes from.
#[must_use]
pub fn provenance() -> FeatureId {
    FeatureId::slug(PROVENANCE)
}

/// A product of the user's is to be kept, or moved where it is kept already.
pub(crate) fn keep(
    state: &State,
    viewer: &Viewer,
    purchase: PurchaseId,
    serial: &Serial,
    certificate: Option<&str>,
    standing: &Standing,
) -> Result<Decision, Refusal> {
    check(standing, certificate)?;
    if let Some(decision) = kept_already(state, viewer, purchase, serial, standing)? {
        return Ok(decision);
    }
    let (record, _, line) = delivered(state, viewer, purchase, serial)?;
    let Some(certificate) = certificate.or_else(|| line.certificates.get(serial).map(String::as_str)) else {
        let message = format!("the order has no certificate of {serial}: give the one that came with it");
        return refused(RefusalCode::NotFound, message);
    };
    let binding = Binding {
        user: viewer.user.clone(),
        twin: thing(serial),
        purchase,
        system: record.confirmation.system.clone(),
        serial: serial.clone(),
        certificate: certificate.to_owned(),
        standing: Some(standing.clone()),
    };
    Ok(Decision::default().with(Effect::Certify(Box::new(binding))))
}

/// Limits first.
fn check(Standing { place, visual }: &Standing, certificate: Option<&str>) -> Result<(), Refusal> {
    if certificate.is_some_and(|text| text.len() > LONGEST_CERTIFICATE) {
        return refused(RefusalCode::Invalid, format!("a certificate has at most {LONGEST_CERTIFICATE} bytes"));
    }
    if place.space.is_empty() || place.space.len() > LONGEST_SPACE {
        return refused(RefusalCode::Invalid, format!("a space's name has 1 to {LONGEST_SPACE} bytes"));
    }
    let length: f32 = place.rotation.iter().map(|part| part * part).sum();
    let is_rotation = (length - 1.0).abs() <= ROUNDED;
    if !is_rotation || place.position.iter().any(|metres| !metres.is_finite()) {
        return refused(RefusalCode::Invalid, "a place is three finite numbers and a unit quaternion");
    }
    if visual.as_ref().is_some_and(|model| model.media != MODEL_MEDIA || model.size > super::given::GIVEN_BYTES) {
        let most = super::given::GIVEN_BYTES;
        return refused(RefusalCode::Invalid, format!("a thing looks like {MODEL_MEDIA} of at most {most} bytes"));
    }
    Ok(())
}

/// The same once more, or the same elsewhere; a refusal where the product is something else already.
fn kept_already(
    state: &State,
    viewer: &Viewer,
    purchase: PurchaseId,
    serial: &Serial,
    standing: &Standing,
) -> Result<Option<Decision>, Refusal> {
    let Some(known) = state.products.get(serial) else {
        // Somebody may have bound a product of another number to a device that calls itself so.
        let taken = state.product_twins.contains_key(&thing(serial));
        return if taken {
            refused(RefusalCode::Conflict, format!("{} is another product", thing(serial)))
        } else {
            Ok(None)
        };
    };
    let mine = known.user == viewer.user && known.product.purchase == purchase;
    let Some(kept) = known.kept.as_ref().filter(|_| mine) else {
        return refused(RefusalCode::Conflict, format!("product {serial} has a twin already"));
    };
    let reply = Some(Response::Product(known.product.clone()));
    if kept.standing == *standing {
        return Ok(Some(Decision { reply, ..Decision::default() }));
    }
    // Whose right was taken away moves nothing any more.
    dtac::may(state, viewer, &thing(serial), None, &Right::Manage)?;
    let moved = Kept { standing: standing.clone(), ..kept.clone() };
    let event = LogEvent::ProductKept { user: viewer.user.clone(), product: known.product.clone(), kept: moved };
    Ok(Some(Decision { events: vec![event], reply, effects: Vec::new() }))
}

/// The purchase, order and line with which a product of the user's came, where it is there and may stand here.
fn delivered<'a>(
    state: &'a State,
    viewer: &Viewer,
    purchase: PurchaseId,
    serial: &Serial,
) -> Result<(&'a PurchaseRecord, &'a OrderId, &'a OrderLine), Refusal> {
    let (record, order, line) = bought(state, &viewer.user, purchase, serial)?;
    dtac::may(state, viewer, &thing(serial), None, &Right::Manage)?;
    // Orders say how many came, not which: as many of them have twins at most.
    let here = line.serials.iter().filter(|one| *one != serial && state.products.contains_key(*one)).count();
    if usize::try_from(line.fulfilled).is_ok_and(|came| came <= here) {
        return refused(RefusalCode::Conflict, format!("{serial} was not delivered yet"));
    }
    Ok((record, order, line))
}

/// What follows once the merchant has stood by it. Meanwhile anything may have changed.
pub(super) fn certified(
    state: &State,
    now: Timestamp,
    viewer: &Viewer,
    binding: &Binding,
    standing: &Standing,
    said: &Certified,
) -> Result<Decision, Refusal> {
    let Binding { user, twin, purchase, serial, .. } = binding;
    if let Some(decision) = kept_already(state, viewer, *purchase, serial, standing)? {
        return Ok(decision);
    }
    let (record, order, line) = delivered(state, viewer, *purchase, serial)?;
    let product = binding.product(now, &record.confirmation.system, order, line, said)?;
    let merchant = state.systems.get(&binding.system);
    let notes = record.view.iter().flat_map(|view| &view.notes);
    let came = notes.filter(|note| note.kind == "delivered").map(|note| note.at).max();
    let kept = Kept {
        name: line.title.clone(),
        manufacturer: merchant.map_or_else(|| binding.system.to_string(), |known| known.info.name.clone()),
        model: line.item.clone(),
        order: order.to_string(),
        made: said.made,
        delivered: came.unwrap_or(record.viewed),
        standing: standing.clone(),
    };
    let described = ProductRecord { user: user.clone(), product: product.clone(), kept: Some(kept.clone()) };
    if let Some(Err(error)) = thing_info(&described).map(|info| info.check()) {
        return refused(RefusalCode::Invalid, format!("{twin} cannot be described: {error}"));
    }
    let event = LogEvent::ProductKept { user: user.clone(), product: product.clone(), kept };
    Ok(Decision { events: vec![event], reply: Some(Response::Product(product)), effects: Vec::new() })
}

impl State {
    /// Products without electronics that are twins, in the order of their serial numbers.
    pub fn kept_products(&self) -> impl Iterator<Item = &std::sync::Arc<ProductRecord>> {
        self.products.values().filter(|known| known.kept.is_some())
    }
}
