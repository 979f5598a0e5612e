//! Products without electronics at the hub: their twins are there for whoever may see them, also after a start, and go with
//! the product.

use tokio::sync::watch;

use super::{
    purchase::{Street, view},
    third_party::shop,
    *,
};
use crate::things;

fn serial() -> Serial {
    Serial::new("W-1").unwrap()
}

fn shelf() -> TwinId {
    TwinId::new("things/W-1").unwrap()
}

fn keep(x: f32) -> Request {
    let place = Place { space: "home".to_owned(), position: [x, 0.0, 0.0], rotation: [0.0, 0.0, 0.0, 1.0] };
    let visual = Some(BlobRef::of(b"glTF", "model/gltf-binary"));
    let certificate = Some("a.b".to_owned());
    Request::Keep { purchase: PurchaseId([1; 16]), serial: serial(), certificate, place, visual }
}

/// An owner whose shelf was delivered, and who keeps it.
async fn kept() -> Street {
    let mut street = Street::new().await;
    street.confirm(1).await;
    street.asked().await;
    let (checkout, order) = (CheckoutId::new("chk_1").unwrap(), OrderId::new("ord_1").unwrap());
    let view = Box::new(view(&["W-1"]));
    street.house.hub.told(TradeUp::Pushed { system: shop(), checkout, order: order.clone(), view }).await.unwrap();
    let says =
        Certified { order, line: LineId::new("li_1").unwrap(), serial: serial(), design: None, made: Some(START) };
    let Street { house, owner, asks, .. } = &mut street;
    let answers = async {
        let asked = timeout(Duration::from_secs(10), asks.recv()).await.unwrap().unwrap();
        let TradeAsk::Certify { inquiry, certificate, .. } = asked else { panic!("not asked: {asked:?}") };
        assert_eq!(certificate, "a.b");
        house.hub.told(TradeUp::Certified { inquiry, answer: Ok(says) }).await.unwrap();
    };
    let (response, ()) = tokio::join!(owner.ask(keep(1.0)), answers);
    assert!(matches!(response, Response::Product(product) if product.twin == shelf()));
    street
}

/// Who maintains the twins, and what it says of what goes wrong.
fn maintain(street: &Street) -> (tokio::task::JoinHandle<()>, watch::Receiver<Option<String>>) {
    let (tell, said) = watch::channel(None);
    (tokio::spawn(things::keep(street.house.hub.clone(), street.house.clock.clone(), tell)), said)
}

/// The shelf as this peer sees it, once `holds` says so.
async fn until(peer: &Peer1, what: &str, holds: impl Fn(Option<&TwinView>) -> bool) {
    let seen = async {
        loop {
            let response = peer.ask(Request::DescribeTwin(shelf())).await;
            let views = if let Response::Twins(views) = response { views } else { Vec::new() };
            if holds(views.first()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(Duration::from_secs(20), seen).await.unwrap_or_else(|_| panic!("never: {what}"));
}

fn stands(view: Option<&TwinView>) -> Option<f32> {
    view?.info.place.as_ref().map(|place| place.position[0])
}

/// Whether everything that it says of where it comes from is there and believed.
fn is_live(view: Option<&TwinView>) -> bool {
    let live = |reading: &WireReading| reading.truth == Truth::Live && reading.value.is_some();
    view.is_some_and(|view| view.reachable && view.readings.len() == 3 && view.readings.iter().all(live))
}

#[tokio::test]
async fn a_product_without_electronics_is_a_twin_like_any_other() {
    let street = kept().await;
    let owner = &street.owner;
    let (keeper, _) = maintain(&street);
    until(owner, "it is there", is_live).await;
    until(owner, "it stands where it was put", |view| stands(view) == Some(1.0)).await;
    // REQ-DT-03: its system is found. REQ-DT-04, REQ-DT-05: and says what it knows, and that the rules decide.
    let Response::Systems(found) = owner.ask(Request::DiscoverSystems(SystemQuery::default())).await else {
        panic!("no systems")
    };
    assert!(found.iter().any(|view| view.info.id.as_str() == "things"), "{found:?}");
    assert!(matches!(owner.ask(Request::Acquire(shelf())).await, Response::Twins(views) if views.len() == 1));
    // Whom no rule lets see it does not see it.
    let stranger = Peer1::open(&street.house.hub, Peer::Certificate([9; 32])).await;
    stranger.ask(hello(Party::Metaverse)).await;
    assert_eq!(stranger.refused(Request::DescribeTwin(shelf())).await.code, RefusalCode::Unauthenticated);
    assert!(matches!(owner.ask(keep(2.0)).await, Response::Product(_)));
    until(owner, "it stands elsewhere", |view| stands(view) == Some(2.0)).await;
    // What has no device is no lease's and does nothing.
    let nothing = Command { twin: shelf(), feature: FeatureId::slug("provenance"), ..command(9, "turn_on", START) };
    assert_eq!(owner.refused(Request::Actuate(nothing)).await.code, RefusalCode::NotFound);
    owner.done(Request::Unbind { serial: serial() }).await;
    until(owner, "it is gone", |view| view.is_none()).await;
    keeper.abort();
    street.house.hub.shutdown().await;
}

#[tokio::test]
async fn things_are_there_after_a_start_and_what_went_meanwhile_is_not() {
    let street = kept().await;
    let (keeper, _) = maintain(&street);
    until(&street.owner, "it is there", is_live).await;
    keeper.abort();
    let street = street.restart().await;
    let (keeper, _) = maintain(&street);
    until(&street.owner, "it is there after a start", is_live).await;
    keeper.abort();
    // Its keeper is killed before it heard that it is no twin any more.
    street.owner.done(Request::Unbind { serial: serial() }).await;
    let street = street.restart().await;
    let (keeper, _) = maintain(&street);
    until(&street.owner, "nothing is left of it", |view| view.is_none()).await;
    keeper.abort();
    street.house.hub.shutdown().await;
}

#[tokio::test]
async fn things_go_with_the_person_who_bought_them() {
    let street = kept().await;
    let (keeper, _) = maintain(&street);
    until(&street.owner, "it is there", is_live).await;
    street.house.hub.enroll([8; 32], UserId::slug("other"), vec![RoleId::slug("owner")]).await.unwrap();
    let other = Peer1::open(&street.house.hub, Peer::Certificate([8; 32])).await;
    other.ask(hello(Party::Metaverse)).await;
    until(&other, "the other owner sees it", is_live).await;
    other.done(Request::RemoveUser(UserId::slug("owner"))).await;
    until(&other, "it is gone", |view| view.is_none()).await;
    keeper.abort();
    street.house.hub.shutdown().await;
}

/// Nobody has to start the enabler again because of a disk that was full for a while.
#[tokio::test]
async fn what_is_refused_is_tried_again_and_people_are_told_why() {
    let street = kept().await;
    street.house.log.set_full(true);
    let (keeper, mut said) = maintain(&street);
    let told =
        timeout(Duration::from_secs(20), said.wait_for(Option::is_some)).await.unwrap().unwrap().clone().unwrap();
    assert!(told.contains("make room") && told.contains("tried again in 1 s"), "{told}");
    until(&street.owner, "nothing is there", |view| view.is_none()).await;
    street.house.log.set_full(false);
    street.house.clock.advance(2_000);
    until(&street.owner, "it is there", is_live).await;
    timeout(Duration::from_secs(20), said.wait_for(Option::is_none)).await.unwrap().unwrap();
    // It goes although nobody could write that at first.
    street.owner.done(Request::Unbind { serial: serial() }).await;
    until(&street.owner, "it is gone", |view| view.is_none()).await;
    keeper.abort();
    street.house.hub.shutdown().await;
}
