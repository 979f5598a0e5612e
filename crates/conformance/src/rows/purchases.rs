//! What is shown is what is bought, once; what is given for it is its giver's; a product is nobody's who has not bought it.
//!
//! The kit's shop is no merchant that an enabler speaks to: a purchase is followed until its merchant would have to answer.

use vestibule_model::{
    BlobRef, CheckoutId, Confirmation, ContentHash, Money, PayWith, Place, Product, PurchaseId, PurchaseState,
    PurchaseUpdate, RefusalCode, Serial, Sharing,
};
use vestibule_protocol::{News, Request, Response};

use crate::{
    Seen, Stage,
    actor::{Actor, instead, see},
    catalogue::rows,
    rows::procedure1::{agree_on, end_of, invoke, order},
};

rows! { Purchases:
    "BUY.give", "FGMV-29 8.2.4", "a guest gives a design in parts, one of them twice and one too early" => gives;
    "BUY.person", "requirements 4", "the guest gives an address; everybody asks for it" => person;
    "BUY.unseen", "FGMV-29 9.1, step 13", "the guest confirms another price than was shown" => unseen;
    "BUY.confirm", "FGMV-29 9.1, step 12", "the guest confirms exactly what was shown" => confirms;
    "BUY.once", "requirements 2", "the same confirmation is sent three times" => once;
    "BUY.cart", "requirements 2", "the same cart is confirmed under another id" => cart;
    "BUY.own", "requirements 4", "another guest asks for the purchase, and takes it back" => own;
    "BUY.cancel", "FGMV-29 8.2.4", "the guest takes it back" => cancels;
    "PROD.foreign", "FGMV-29 8.2.4", "a product that nobody has bought is bound, kept and unbound" => foreign;
}

const PRICE: i64 = 3_380;
pub(super) const PACKAGE: &str = "model/3mf";
pub(super) const PERSON: &str = "application/vnd.vestibule.person+json";

fn euro(amount: i64) -> Result<Money, String> {
    Ok(Money::new(amount, "EUR".parse().map_err(|error| format!("EUR: {error}"))?))
}

/// Gives a part; where the next one begins.
pub(super) async fn give(who: &Actor, whole: &[u8], media: &str, from: usize, to: usize) -> Result<u64, String> {
    let bytes = whole.get(from..to).unwrap_or_default().to_vec();
    let (hash, size) = (ContentHash::of(whole), whole.len() as u64);
    match who.ask(Request::Give { hash, size, media: media.to_owned(), offset: from as u64, bytes }).await {
        Ok(Response::Given { next }) => Ok(next),
        other => Err(instead("how far it is", &other)),
    }
}

pub(super) fn reference(whole: &[u8], media: &str) -> BlobRef {
    BlobRef { hash: ContentHash::of(whole), media: media.to_owned(), size: whole.len() as u64 }
}

async fn gives(stage: &mut Stage) -> Seen {
    let whole: Vec<u8> = stage.tag.bytes().cycle().take(3_000).collect();
    let mut nexts = Vec::new();
    for (from, to) in [(0, 1_000), (0, 1_000), (2_000, 3_000), (0, 0), (1_000, 3_000), (0, 0)] {
        nexts.push(give(&stage.guest, &whole, PACKAGE, from, to).await?);
    }
    let kept = stage.guest.fetch(&reference(&whole, PACKAGE)).await?;
    let script = Request::Give {
        hash: ContentHash::of(b"x"),
        size: 1,
        media: "text/html".to_owned(),
        offset: 0,
        bytes: b"x".to_vec(),
    };
    let refusal = stage.guest.refused(script, RefusalCode::Invalid).await?;
    see(
        nexts == [1_000, 1_000, 1_000, 1_000, 3_000, 3_000] && kept == whole,
        format!("went on at {nexts:?}, {} bytes are kept; a page: {refusal}", kept.len()),
    )
}

async fn person(stage: &mut Stage) -> Seen {
    let salt = ContentHash(rand::random());
    let document = format!(r#"{{"destination":{{"street_address":"12 Elm Street"}},"salt":"{salt}"}}"#);
    let whole = document.as_bytes();
    let next = give(&stage.guest, whole, PERSON, 0, whole.len()).await?;
    let blob = reference(whole, PERSON);
    let seen = [stage.guest.fetch(&blob).await, stage.friend.fetch(&blob).await, stage.owner.fetch(&blob).await];
    // To another one it is not even there.
    let theirs = give(&stage.friend, whole, PERSON, 0, 0).await?;
    let shown = seen.iter().filter(|answer| answer.is_ok()).count();
    see(
        next == whole.len() as u64 && shown == 0 && theirs == 0,
        format!("{next} bytes are kept and shown to {shown}; another one would begin at {theirs}"),
    )
}

async fn agree_to_buy(stage: &Stage) -> Result<(), String> {
    let services = ["checkout"];
    agree_on(&stage.shop, &stage.guest, (&services, &services), Sharing::default()).await.result().map(|_| ())
}

/// The guest is shown a cart, and would confirm this.
async fn show(stage: &Stage, name: &str) -> Result<Confirmation, String> {
    let checkout = format!("chk_{}_{name}", stage.tag);
    let call = order(&stage.shop, &stage.guest, "checkout")?;
    invoke(&stage.guest, &call).await?;
    let asked = stage.shop.hears_invocation(call.id, "only", false).await?;
    let totals = format!(
        r#"[{{"type":"subtotal","amount":{}}},{{"type":"fulfillment","amount":490}},{{"type":"total","amount":{PRICE}}}]"#,
        PRICE - 490
    );
    let cart = format!(
        r#"{{"id":"{checkout}","status":"ready_for_complete","currency":"EUR","line_items":[],"links":[],"totals":{totals}}}"#
    );
    stage.shop.gives(&asked, &cart).await?;
    end_of(&stage.guest, call.id).await?;
    Ok(Confirmation {
        id: PurchaseId(rand::random()),
        system: stage.shop.id().clone(),
        checkout: CheckoutId::new(checkout).map_err(|error| error.to_string())?,
        shown: call.id,
        total: euro(PRICE)?,
        most: euro(PRICE)?,
        pay: PayWith { handler: "sandbox".to_owned(), instrument: "sandbox".to_owned() },
        designs: Default::default(),
    })
}

fn bought(stage: &Stage) -> Result<Confirmation, String> {
    stage.bought.clone().ok_or_else(|| "nothing was bought".to_owned())
}

async fn purchase(who: &Actor, request: Request) -> Result<PurchaseUpdate, String> {
    match who.ask(request).await {
        Ok(Response::Purchase(update)) => Ok(*update),
        other => Err(instead("the purchase", &other)),
    }
}

pub(super) async fn confirm(who: &Actor, said: &Confirmation) -> Result<PurchaseUpdate, String> {
    purchase(who, Request::Confirm(Box::new(said.clone()))).await
}

async fn purchases(who: &Actor) -> Result<Vec<PurchaseUpdate>, String> {
    match who.ask(Request::Purchases { before: None, limit: 200 }).await {
        Ok(Response::Purchases(page)) => Ok(page),
        other => Err(instead("purchases", &other)),
    }
}

async fn unseen(stage: &mut Stage) -> Seen {
    agree_to_buy(stage).await?;
    let said = show(stage, "unseen").await?;
    let (less, nothing) = (euro(PRICE - 1)?, vestibule_model::CallId(rand::random()));
    let mut words = String::new();
    for other in
        [Confirmation { total: less, most: less, ..said.clone() }, Confirmation { shown: nothing, ..said.clone() }]
    {
        let request = Request::Confirm(Box::new(other));
        words = stage.guest.refused(request, RefusalCode::RevisionMismatch).await?.to_string();
    }
    stage.guest.refused(Request::Purchase(said.id), RefusalCode::NotFound).await?;
    Ok(words)
}

/// Whether it may still be ordered, as far as anybody knows.
const fn goes_on(state: &PurchaseState) -> bool {
    !matches!(state, PurchaseState::NotPlaced { .. } | PurchaseState::Canceling { .. } | PurchaseState::Canceled { .. })
}

/// Waits until somebody is told how far a purchase is, and that fits.
pub(super) async fn hears(
    who: &Actor,
    id: PurchaseId,
    what: &str,
    fits: impl Fn(&PurchaseUpdate) -> bool,
) -> Result<PurchaseUpdate, String> {
    let told = |news: &News| match news {
        News::Purchase(update) if update.id == id && fits(update) => Some(update.as_ref().clone()),
        _ => None,
    };
    who.hears(0, &format!("that the purchase is {what}"), told).await
}

async fn confirms(stage: &mut Stage) -> Seen {
    agree_to_buy(stage).await?;
    let said = show(stage, "cart").await?;
    let taken = confirm(&stage.guest, &said).await?;
    stage.bought = Some(said.clone());
    let told = hears(&stage.guest, said.id, "under way", |update| goes_on(&update.state)).await?;
    let right = |update: &PurchaseUpdate| {
        update.id == said.id && update.total == said.total && update.checkout == said.checkout && goes_on(&update.state)
    };
    see(right(&taken) && right(&told), format!("{}: {:?}, then {:?}", taken.total, taken.state, told.state))
}

async fn once(stage: &mut Stage) -> Seen {
    let said = bought(stage)?;
    for _ in 0..3 {
        confirm(&stage.guest, &said).await?;
    }
    let all = purchases(&stage.guest).await?;
    let times = all.iter().filter(|update| update.checkout == said.checkout).count();
    let known = purchase(&stage.guest, Request::Purchase(said.id)).await?;
    see(times == 1 && known.id == said.id, format!("{times} purchase(s) of it among {}", all.len()))
}

async fn cart(stage: &mut Stage) -> Seen {
    let said = bought(stage)?;
    let second = Confirmation { id: PurchaseId(rand::random()), ..said.clone() };
    let refusal = stage.guest.refused(Request::Confirm(Box::new(second.clone())), RefusalCode::Conflict).await?;
    let other = Confirmation { total: euro(1)?, most: euro(1)?, ..said };
    stage.guest.refused(Request::Confirm(Box::new(other)), RefusalCode::Conflict).await?;
    stage.guest.refused(Request::Purchase(second.id), RefusalCode::NotFound).await?;
    Ok(refusal.to_string())
}

async fn own(stage: &mut Stage) -> Seen {
    let said = bought(stage)?;
    for request in [Request::Purchase(said.id), Request::CancelPurchase(said.id)] {
        stage.friend.refused(request, RefusalCode::NotFound).await?;
    }
    let listed = purchases(&stage.friend).await?.len();
    let heard = |who: &Actor| who.heard(0, |news| news.iter().filter(|news| matches!(news, News::Purchase(_))).count());
    let heard = heard(&stage.friend) + heard(&stage.owner);
    let is = purchase(&stage.guest, Request::Purchase(said.id)).await?.state;
    see(
        listed == 0 && heard == 0 && goes_on(&is),
        format!("another one has {listed} purchases and heard of {heard}; it is {is:?}"),
    )
}

async fn cancels(stage: &mut Stage) -> Seen {
    let said = bought(stage)?;
    let ends =
        |state: &PurchaseState| matches!(state, PurchaseState::Canceling { .. } | PurchaseState::Canceled { .. });
    let taken = purchase(&stage.guest, Request::CancelPurchase(said.id)).await?;
    let told = hears(&stage.guest, said.id, "taken back", |update| ends(&update.state)).await?;
    let again = purchase(&stage.guest, Request::CancelPurchase(said.id)).await?;
    see(
        [&taken, &told, &again].into_iter().all(|update| ends(&update.state)),
        format!("{:?}; asked once more: {:?}", told.state, again.state),
    )
}

/// What of somebody's is a twin.
pub(super) async fn products(who: &Actor) -> Result<Vec<Product>, String> {
    match who.ask(Request::Products { after: None, limit: 200 }).await {
        Ok(Response::Products(page)) => Ok(page),
        other => Err(instead("products", &other)),
    }
}

async fn foreign(stage: &mut Stage) -> Seen {
    let purchase = bought(stage)?.id;
    let serial = Serial::new(format!("KIT-{}", stage.tag.to_uppercase())).map_err(|error| error.to_string())?;
    let twin = stage.home.twin("door");
    let certificate = "payload.signature".to_owned();
    let place = Place { space: "home".to_owned(), position: [0.0; 3], rotation: [0.0, 0.0, 0.0, 1.0] };
    let bind = Request::Bind { twin, purchase, serial: serial.clone(), certificate: certificate.clone() };
    let keep = Request::Keep { purchase, serial: serial.clone(), certificate: Some(certificate), place, visual: None };
    let mut words = String::new();
    for request in [bind, keep, Request::Unbind { serial }] {
        words = stage.guest.refused(request, RefusalCode::NotFound).await?.to_string();
    }
    let there = products(&stage.guest).await?.len();
    see(there == 0, format!("{words}; {there} products"))
}
