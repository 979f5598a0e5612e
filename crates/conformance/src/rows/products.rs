//! A product is what was bought: its merchant stands by it, it is one twin, and it is nobody's but its buyer's.
//!
//! An owner has a design made by the manufacturer that the enabler buys from. With a device it becomes the twin that tells
//! the same serial number; without one it is kept where it was put.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use vestibule_fabricate::{Budget, Design, Evaluator, Start, export::write_3mf};
use vestibule_model::{
    CallId, CallStatus, CallStep, CheckoutId, Confirmation, ContentHash, DesignHash, LineId, Money, OrderView, PayWith,
    PhysicalId, Place, Product, PurchaseId, PurchaseState, PurchaseUpdate, RefusalCode, Right, Serial, ServiceId,
    Sharing, StepKey, SystemId, TwinId, TwinSelector,
};
use vestibule_protocol::{News, Request, Response, TwinView};

use super::{
    procedure1::{call, end_of, invoke},
    purchases::{PACKAGE, PERSON, confirm, give, hears, products, reference},
};
use crate::{
    Seen, Stage,
    actor::{Actor, instead, see},
    catalogue::rows,
    things::lamp,
    wire::Answer,
};

rows! { Products:
    "PROD.made", "FGMV-29 9.1, step 14", "an owner orders a design of their own, which is made and brought" => makes;
    "PROD.forged", "FGMV-29 8.2.4", "it is bound and kept with what its maker has not signed" => forged;
    "PROD.bind", "FGMV-29 8.2.4", "it is bound to the twin whose device tells its serial number, twice" => binds;
    "PROD.theirs", "requirements 4", "a guest binds, keeps and unbinds it as well" => theirs;
    "PROD.unbind", "FGMV-29 8.2.4", "its owner unbinds it, twice" => unbinds;
    "PROD.keep", "FGMV-29 8.3.1", "without a device it is kept, and moved" => keeps;
    "PROD.gone", "FGMV-29 8.3.1", "what is kept is unbound" => goes;
}

/// Between two looks for what comes by and by.
const LOOK: Duration = Duration::from_millis(100);
/// Bytes of a part that is given at once.
const PART: usize = 512 * 1024;
/// What a thing looks like; nobody here draws it.
const LOOKS: &[u8] = b"glTF";
const LOOKS_MEDIA: &str = "model/gltf-binary";

/// What was made for the owner.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    purchase: PurchaseId,
    pub(crate) serial: Serial,
    certificate: String,
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Asks until what comes fits, for as long as the kit waits for anything.
async fn until<T>(
    stage: &Stage,
    request: impl Fn() -> Request,
    mut fits: impl FnMut(&Answer) -> Option<T>,
) -> Result<T, String> {
    let end = Instant::now() + stage.patience;
    loop {
        let answer = stage.owner.ask(request()).await;
        match fits(&answer) {
            Some(found) => return Ok(found),
            None if Instant::now() >= end => return Err(instead("something else in time", &answer)),
            None => sleep(LOOK).await,
        }
    }
}

/// The owner may use the manufacturer's services: it is there, and agreed with.
async fn agree(stage: &Stage, merchant: &SystemId) -> Result<(), String> {
    let services: BTreeSet<ServiceId> = ["quote", "checkout"].map(ServiceId::slug).into();
    let over = stage.owner.now().plus(3_600_000);
    let ask = || {
        let (system, services) = (merchant.clone(), services.clone());
        Request::Authorize { system, services, share: Sharing::default(), until: over }
    };
    until(stage, ask, |answer| matches!(answer, Ok(Response::Authorized(_))).then_some(())).await
}

/// Uses a service of the manufacturer's; what it gives, and in which call.
async fn uses(stage: &Stage, merchant: &SystemId, service: &str, input: &Value) -> Result<(CallId, Value), String> {
    let step = CallStep {
        key: StepKey::slug("only"),
        system: merchant.clone(),
        service: ServiceId::slug(service),
        input: Vec::new(),
        undo: Vec::new(),
        timeout_ms: None,
    };
    let call = call(&stage.owner, &input.to_string(), vec![step])?;
    invoke(&stage.owner, &call).await?;
    let end = end_of(&stage.owner, call.id).await?;
    match end.output {
        Some(output) if end.status == CallStatus::Succeeded => Ok((call.id, output.value())),
        _ => Err(format!("{service} of {merchant} ended with {}", end.status)),
    }
}

/// A package of a design; the design's hash.
fn package(design: &Design) -> Result<(Vec<u8>, DesignHash), String> {
    let solids = Evaluator::default().evaluate(design, &Budget::default()).map_err(words)?;
    let mut bytes = Vec::new();
    write_3mf(&solids, design, &mut bytes).map_err(words)?;
    Ok((bytes, design.hash().map_err(words)?))
}

async fn give_all(who: &Actor, whole: &[u8], media: &str) -> Result<ContentHash, String> {
    let mut from = 0;
    while from < whole.len() {
        let to = (from + PART).min(whole.len());
        let next = give(who, whole, media, from, to).await?;
        if next != to as u64 {
            return Err(format!("of {} bytes {next} are kept after {to} were given", whole.len()));
        }
        from = to;
    }
    Ok(ContentHash::of(whole))
}

/// Has a design quoted; the item that it is by then.
async fn quote(stage: &Stage, merchant: &SystemId) -> Result<(Value, DesignHash), String> {
    let (bytes, design) = package(&Start::Hook.design())?;
    let package = give_all(&stage.owner, &bytes, PACKAGE).await?;
    let wanted = json!({"package": package, "design": design, "process": "fff", "material": "pla", "colour": "#f2c14e",
        "infill_percent": 20, "quantity": 1});
    let (_, quote) = uses(stage, merchant, "quote", &wanted).await?;
    match quote.pointer("/item/id") {
        Some(item) if item.is_string() => Ok((item.clone(), design)),
        _ => Err(format!("the quote names no item: {quote}")),
    }
}

/// A cart with it, until it can be confirmed: what is shown then is what is confirmed.
async fn cart(stage: &Stage, merchant: &SystemId, item: &Value, design: DesignHash) -> Result<Confirmation, String> {
    let salt = ContentHash(rand::random());
    let document = json!({"salt": salt,
        "buyer": {"first_name": "Ada", "last_name": "Owner", "email": "ada@example.com"},
        "destination": {"street_address": "12 Elm Street", "address_locality": "Sample Town", "postal_code": "12345",
            "address_country": "DE", "first_name": "Ada", "last_name": "Owner"}});
    let person = give_all(&stage.owner, document.to_string().as_bytes(), PERSON).await?;
    let filled = |id: Option<&Value>, option: Option<&Value>| {
        let groups = option.map(|option| json!([{"selected_option_id": option}]));
        let mut method = json!({"type": "shipping", "selected_destination_id": "dest_1",
            "destinations": [{"$person": person, "at": "/destination", "id": "dest_1"}]});
        let mut cart = json!({"line_items": [{"item": {"id": item}, "quantity": 1}],
            "buyer": {"$person": person, "at": "/buyer"}});
        groups.into_iter().for_each(|groups| method["groups"] = groups);
        cart["fulfillment"] = json!({"methods": [method]});
        id.into_iter().for_each(|id| cart["id"] = id.clone());
        cart
    };
    let (_, opened) = uses(stage, merchant, "checkout", &filled(None, None)).await?;
    let option = opened.pointer("/fulfillment/methods/0/groups/0/options/0/id");
    let (shown, ready) = uses(stage, merchant, "checkout", &filled(opened.get("id"), option)).await?;
    let text = |at: &str| ready.pointer(at).and_then(Value::as_str).ok_or_else(|| format!("no {at} in {ready}"));
    if text("/status")? != "ready_for_complete" {
        return Err(format!("the cart cannot be confirmed: {ready}"));
    }
    let totals = ready.get("totals").and_then(Value::as_array).into_iter().flatten();
    let total = totals.filter(|one| one["type"] == "total").find_map(|one| one["amount"].as_i64());
    let currency = text("/currency")?.parse().map_err(words)?;
    let total = Money::new(total.ok_or("the cart says no total")?, currency);
    Ok(Confirmation {
        id: PurchaseId(rand::random()),
        system: merchant.clone(),
        checkout: CheckoutId::new(text("/id")?).map_err(words)?,
        shown,
        total,
        most: total,
        pay: PayWith { handler: "sandbox_1".to_owned(), instrument: "sandbox".to_owned() },
        designs: [(LineId::new(text("/line_items/0/id")?).map_err(words)?, design)].into(),
    })
}

/// The product that an order has brought, with its certificate.
fn brought(order: &OrderView) -> Option<(Serial, String)> {
    let line = order.lines.iter().find(|line| !line.serials.is_empty())?;
    let serial = line.serials.first()?;
    Some((serial.clone(), line.certificates.get(serial)?.clone()))
}

async fn makes(stage: &mut Stage) -> Seen {
    let merchant = stage.merchant.clone().ok_or("no manufacturer was named")?;
    agree(stage, &merchant).await?;
    let (item, design) = quote(stage, &merchant).await?;
    let said = cart(stage, &merchant, &item, design).await?;
    confirm(&stage.owner, &said).await?;
    let is_there = |update: &PurchaseUpdate| update.order.as_ref().is_some_and(OrderView::is_fulfilled);
    let told = hears(&stage.owner, said.id, "brought", is_there).await?;
    let order = told.order.ok_or("nothing is known of the order")?;
    let (serial, certificate) = brought(&order).ok_or("the order has no product with a certificate")?;
    let right = matches!(told.state, PurchaseState::Placed { .. })
        && order.total == said.total
        && order.lines.iter().any(|line| line.design == Some(design));
    stage.made = Some(Made { purchase: said.id, serial: serial.clone(), certificate });
    see(right, format!("{serial} for {}: {:?}", order.total, told.state))
}

fn made(stage: &Stage) -> Result<Made, String> {
    stage.made.clone().ok_or_else(|| "nothing was made, because PROD.made could not be played".to_owned())
}

fn device(stage: &Stage) -> TwinId {
    stage.home.twin("made")
}

fn bind(twin: TwinId, made: &Made) -> Request {
    let Made { purchase, serial, certificate } = made.clone();
    Request::Bind { twin, purchase, serial, certificate }
}

fn keep(made: &Made, x: f32) -> Request {
    let place = Place { space: "kit".to_owned(), position: [x, 0.0, 0.5], rotation: [0.0, 0.0, 0.0, 1.0] };
    let (purchase, serial, visual) = (made.purchase, made.serial.clone(), Some(reference(LOOKS, LOOKS_MEDIA)));
    Request::Keep { purchase, serial, certificate: Some(made.certificate.clone()), place, visual }
}

async fn product(who: &Actor, request: Request) -> Result<Product, String> {
    match who.ask(request).await {
        Ok(Response::Product(product)) => Ok(product),
        other => Err(instead("the product", &other)),
    }
}

/// The same in other words: the last letter of what is signed is another one.
fn spoiled(certificate: &str) -> String {
    let mut letters: Vec<char> = certificate.chars().collect();
    if let Some(last) = letters.last_mut() {
        *last = if *last == 'A' { 'Q' } else { 'A' };
    }
    letters.into_iter().collect()
}

async fn forged(stage: &mut Stage) -> Seen {
    let made = made(stage)?;
    let mut info = lamp(&device(stage));
    info.physical_ids = vec![PhysicalId { kind: "serial".to_owned(), value: made.serial.to_string() }];
    stage.home.describe(info).await?;
    give_all(&stage.owner, LOOKS, LOOKS_MEDIA).await?;
    let mut said = String::new();
    for certificate in ["payload.signature".to_owned(), spoiled(&made.certificate)] {
        let other = Made { certificate, ..made.clone() };
        for request in [bind(device(stage), &other), keep(&other, 1.0)] {
            said = stage.owner.refused(request, RefusalCode::Forbidden).await?.to_string();
        }
    }
    let elsewhere = stage.owner.refused(bind(stage.home.twin("lamp"), &made), RefusalCode::NotFound).await?;
    let there = products(&stage.owner).await?.len();
    see(there == 0, format!("{said}; another device: {elsewhere}; {there} products"))
}

async fn binds(stage: &mut Stage) -> Seen {
    let (made, mark) = (made(stage)?, stage.owner.mark());
    let first = product(&stage.owner, bind(device(stage), &made)).await?;
    let again = product(&stage.owner, bind(device(stage), &made)).await?;
    let told = |news: &News| match news {
        News::Product(product) if product.serial == made.serial => Some(product.clone()),
        _ => None,
    };
    let heard = stage.owner.hears(mark, "that it is bound", told).await?;
    let listed = products(&stage.owner).await?;
    let right = first.twin == device(stage) && first.purchase == made.purchase && first.design.is_some();
    see(
        right && again == first && heard == first && listed == [first.clone()],
        format!("{} is {}; {} listed", first.serial, first.twin, listed.len()),
    )
}

async fn theirs(stage: &mut Stage) -> Seen {
    let made = made(stage)?;
    let rule = stage.rule("made", &stage.guest, TwinSelector::Twin(device(stage)), Right::Manage);
    let tries = async {
        let mut said = String::new();
        let serial = made.serial.clone();
        for request in [bind(device(stage), &made), keep(&made, 1.0), Request::Unbind { serial }] {
            // A product that is another's is no more known than one that nobody has.
            said = match stage.guest.ask(request).await {
                Err(refusal) if matches!(refusal.code, RefusalCode::NotFound | RefusalCode::Conflict) => words(refusal),
                other => return Err(instead("a refusal", &other)),
            };
        }
        Ok(said)
    };
    let said = stage.under(rule, tries).await?;
    let (guests, owners) = (products(&stage.guest).await?.len(), products(&stage.owner).await?.len());
    see(guests == 0 && owners == 1, format!("{said}; the guest has {guests} products, its owner {owners}"))
}

async fn unbinds(stage: &mut Stage) -> Seen {
    let (Made { serial, .. }, mark) = (made(stage)?, stage.owner.mark());
    stage.owner.done(Request::Unbind { serial: serial.clone() }).await?;
    let told = |news: &News| matches!(news, News::Unbound(other) if *other == serial).then_some(());
    stage.owner.hears(mark, "that it is unbound", told).await?;
    let again = stage.owner.refused(Request::Unbind { serial: serial.clone() }, RefusalCode::NotFound).await?;
    let there = products(&stage.owner).await?.len();
    let device = stage.owner.twin(&device(stage)).await?.info.id.clone();
    see(there == 0, format!("{there} products; {device} stays; asked once more: {again}"))
}

/// The thing's twin, once it stands there.
async fn stands(stage: &Stage, twin: &TwinId, x: f32) -> Result<TwinView, String> {
    until(
        stage,
        || Request::DescribeTwin(twin.clone()),
        |answer| {
            let Ok(Response::Twins(views)) = answer else { return None };
            let view = views.first()?;
            let place = view.info.place.as_ref()?;
            (place.position[0].to_bits() == x.to_bits()).then(|| view.clone())
        },
    )
    .await
    .map_err(|error| format!("{twin} does not stand at {x}: {error}"))
}

async fn keeps(stage: &mut Stage) -> Seen {
    let made = made(stage)?;
    let kept = product(&stage.owner, keep(&made, 1.0)).await?;
    let view = stands(stage, &kept.twin, 1.0).await?;
    let moved = product(&stage.owner, keep(&made, 2.0)).await?;
    stands(stage, &kept.twin, 2.0).await?;
    let listed = products(&stage.owner).await?;
    let number = view.info.physical_ids.iter().any(|id| id.kind == "serial" && id.value == made.serial.as_str());
    let looks = view.info.visual.as_ref().is_some_and(|visual| visual.model == reference(LOOKS, LOOKS_MEDIA));
    see(
        moved == kept && listed == [kept.clone()] && number && looks && kept.twin != device(stage),
        format!("{} is {}, called {:?}", kept.serial, kept.twin, view.info.name),
    )
}

async fn goes(stage: &mut Stage) -> Seen {
    let Made { serial, .. } = made(stage)?;
    let there = products(&stage.owner).await?;
    let Some(kept) = there.iter().find(|product| product.serial == serial) else {
        return Err("nothing is kept, because PROD.keep could not be played".to_owned());
    };
    stage.owner.done(Request::Unbind { serial }).await?;
    let gone = |answer: &Answer| match answer {
        Err(refusal) if refusal.code == RefusalCode::NotFound => Some(refusal.to_string()),
        _ => None,
    };
    let said = until(stage, || Request::DescribeTwin(kept.twin.clone()), gone).await?;
    let there = products(&stage.owner).await?.len();
    see(there == 0, format!("{said}; {there} products"))
}
