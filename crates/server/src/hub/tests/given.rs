//! What users give for their orders: it stays while an order needs it, and goes with the order, or with the person.

use super::{
    purchase::{Street, view},
    *,
};

const OTHER: [u8; 32] = [3; 32];
const ADDRESS: &str = "application/vnd.vestibule.person+json";

/// A shop that sells what is made of this package.
async fn street(package: &[u8]) -> (Street, ContentHash) {
    let hash = ContentHash::of(package);
    let line = format!(r#"{{"id":"li_1","com.example.vestibule.fabrication":{{"package":"{hash}"}}}}"#);
    let street = Street::selling(&format!("[{line}]")).await;
    give(&street.owner, package, "model/3mf").await;
    (street, hash)
}

async fn give(who: &Peer1, bytes: &[u8], media: &str) -> ContentHash {
    let (hash, size) = (ContentHash::of(bytes), bytes.len() as u64);
    let give = Request::Give { hash, size, media: media.to_owned(), offset: 0, bytes: bytes.to_vec() };
    assert_eq!(who.ask(give).await, Response::Given { next: size });
    hash
}

async fn is_there(street: &Street, hash: ContentHash) -> bool {
    street.house.hub.content(hash).await.unwrap().is_some()
}

/// It goes after whoever waited for it was told: waits until it is gone.
async fn goes(street: &Street, hash: ContentHash) {
    let gone = async {
        while is_there(street, hash).await {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.expect("it goes");
}

/// As many pictures as there is room for in memory, and more.
async fn pictures(street: &Street, from: u8) {
    for number in from..from + 8 {
        let picture = bytes::Bytes::from(vec![number; 10 * 1024 * 1024]);
        street.house.hub.put_content(picture, "image/jpeg").await.unwrap();
    }
}

#[tokio::test]
async fn what_an_order_needs_stays_until_it_has_ended() {
    let (mut street, hash) = street(b"a lamp").await;
    let loose = give(&street.owner, b"a lamp that nobody has ordered", "model/3mf").await;
    street.confirm(1).await;
    street.asked().await;
    pictures(&street, 0).await;
    assert!(is_there(&street, hash).await && !is_there(&street, loose).await);
    // It is so after a start: the log says what it needs.
    let mut street = street.restart().await;
    assert!(street.owner.ask(Request::Purchase(PurchaseId([1; 16]))).await != Response::Done);
    give(&street.owner, b"a lamp", "model/3mf").await;
    pictures(&street, 20).await;
    assert!(is_there(&street, hash).await);
    street.asked().await;
    let gone = Told::Gone { code: "session_expired".to_owned(), reason: "too late".to_owned() };
    street.told(1, gone).await;
    street.hears(|state| matches!(state, PurchaseState::NotPlaced { .. })).await;
    goes(&street, hash).await;
}

/// The whole way: refused while it is under way, and what to do; then nothing of it is left.
#[tokio::test]
async fn who_has_an_order_is_forgotten_when_it_has_come_and_all_they_gave_with_them() {
    let (mut street, design) = street(b"a lamp").await;
    let salt = "0123456789abcdef".repeat(4);
    let document = format!(r#"{{"destination":{{"street_address":"12 Elm Street"}},"salt":"{salt}"}}"#);
    let address = give(&street.owner, document.as_bytes(), ADDRESS).await;
    street.house.hub.enroll(OTHER, UserId::slug("bo"), vec![RoleId::slug("owner")]).await.unwrap();
    let other = Peer1::open(&street.house.hub, Peer::Certificate(OTHER)).await;
    other.ask(hello(Party::Metaverse)).await;
    let erase = || other.ask(Request::Erase { user: UserId::slug("owner") });
    let refused = |answer: Response| match answer {
        Response::Refused(refusal) if refusal.code == RefusalCode::Conflict => refusal.message,
        answer => panic!("{answer:?}"),
    };
    street.confirm(1).await;
    street.asked().await;
    assert!(refused(erase().await).contains("not ordered yet"));
    let (checkout, order) = (CheckoutId::new("chk_1").unwrap(), OrderId::new("ord_1").unwrap());
    let mut under_way = view(&["W-1"]);
    (under_way.lines[0].fulfilled, under_way.mark.events) = (0, 1);
    for (view, may) in [(under_way, false), (view(&["W-1"]), true)] {
        let said = TradeUp::Pushed {
            system: third_party::shop(),
            checkout: checkout.clone(),
            order: order.clone(),
            view: Box::new(view),
        };
        street.house.hub.told(said).await.unwrap();
        let answer = erase().await;
        assert!(is_there(&street, design).await != may);
        if may {
            assert!(matches!(answer, Response::Erased(_)), "{answer:?}");
        } else {
            let words = refused(answer);
            assert!(words.contains("when they have come") && words.contains("ord_1"), "{words}");
        }
    }
    goes(&street, design).await;
    // Whoever gets the name later gets nothing of it: the address would be there already.
    street.house.hub.enroll(OWNER, UserId::slug("owner"), vec![RoleId::slug("owner")]).await.unwrap();
    let owner_again = street.house.owner().await;
    let ask = |bytes: Vec<u8>| {
        let (hash, size, media) = (address, document.len() as u64, ADDRESS.to_owned());
        Request::Give { hash, size, media, offset: 0, bytes }
    };
    assert_eq!(owner_again.ask(ask(Vec::new())).await, Response::Given { next: 0 });
}
