//! Designs, prices, and what becomes of them.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use vestibule_commerce::{Config, Role, start};
use vestibule_fabricate::{Budget, Design, Evaluator, Font, Start, export::write_3mf};
use vestibule_model::ContentHash;
use vestibule_ucp::{Certificate, FabricationQuote, Jwk, read};

use crate::platform::{Answer, Merchant, PATIENCE, Platform, WRONG_MONEY, number, total};

/// The font of whoever designs.
const FONT: &[u8] = include_bytes!("../../../../plugins/hud/fonts/Inter-Regular.otf");

pub fn package(design: &Design) -> (Vec<u8>, ContentHash) {
    let solids = Evaluator::with_font(Font::read(FONT).unwrap()).evaluate(design, &Budget::default()).unwrap();
    let mut bytes = Vec::new();
    write_3mf(&solids, design, &mut bytes).unwrap();
    (bytes, design.hash().unwrap().0)
}

pub async fn hand_over(platform: &Platform, base: &str, bytes: &[u8]) -> Answer {
    platform.send_as(&format!("{base}/ucp/designs"), "model/3mf", bytes.to_vec()).await
}

pub fn wanted(package: &Value, design: ContentHash, quantity: u32) -> Value {
    json!({"package": package, "design": design, "process": "fff", "material": "pla", "colour": "#f2c14e",
        "infill_percent": 20, "quantity": quantity})
}

/// Hands a hook over; gives what it would cost.
pub async fn quoted(platform: &Platform, base: &str, quantity: u32) -> Value {
    let (bytes, design) = package(&Start::Hook.design());
    let kept = hand_over(platform, base, &bytes).await;
    assert_eq!((kept.status, &kept.body["package"]), (201, &json!(ContentHash::of(&bytes))));
    let quote =
        platform.post(&format!("{base}/ucp/designs/quote"), &wanted(&kept.body["package"], design, quantity)).await;
    let _: FabricationQuote = read(&quote.bytes).unwrap();
    quote.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_design_to_the_certificate() {
    let (workshop, platform) = (Merchant::new(Role::Manufacturer, 200_000).await, Platform::new(1).await);
    let base = workshop.base();
    platform.meet(base).await;
    let quote = quoted(&platform, base, 2).await;
    let item = quote["item"]["id"].as_str().unwrap();
    // A price for two is no price for one.
    let session = platform.ready(base, &[(item, 1)]).await;
    assert_eq!(session["line_items"][0]["quantity"], 2);
    assert_eq!(session["line_items"][0]["com.example.vestibule.fabrication"]["design"], quote["design"]);
    let mut body = platform.paying(base, &session, "sandbox-ok").await;
    let url = format!("{base}/ucp/checkout-sessions/{}/complete", session["id"].as_str().unwrap());
    body["com.example.vestibule.confirmed"] =
        json!({"total": total(&session), "currency": "EUR", "design": "00".repeat(32)});
    assert_eq!(platform.post(&url, &body).await.errors(), ["confirmation_outdated"], "another design");
    body["com.example.vestibule.confirmed"]["design"] = quote["design"].clone();
    let done = platform.post(&url, &body).await.ok();
    let order = done["order"]["id"].as_str().unwrap();
    let delivered = platform
        .hears(|told| {
            let events = told.order["fulfillment"]["events"].as_array().unwrap();
            told.order["id"] == order && events.iter().any(|one| one["type"] == "delivered")
        })
        .await
        .order;
    let states: Vec<&str> = delivered["fulfillment"]["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["com.example.vestibule.fabrication"]["state"].as_str())
        .collect();
    let firsts: Vec<&str> = states
        .iter()
        .enumerate()
        .filter(|(at, one)| states.iter().position(|other| other == *one) == Some(*at))
        .map(|(_, one)| *one)
        .collect();
    assert_eq!(firsts, ["accepted", "checked", "queued", "in_production", "quality_check", "made"]);
    let profile = platform.get(&format!("{base}/.well-known/ucp")).await.ok();
    let keys: Vec<Jwk> = serde_json::from_value(profile["signing_keys"].clone()).unwrap();
    let certificates = delivered["com.example.vestibule.certificates"].as_array().unwrap();
    let said: Vec<Certificate> =
        certificates.iter().map(|one| Certificate::read(one.as_str().unwrap(), &keys).unwrap()).collect();
    assert_eq!(said.len(), 2);
    assert!(said.iter().all(|one| json!(one.design) == quote["design"] && one.order.as_str() == order));
    let serials = delivered["line_items"][0]["com.example.vestibule.fabrication"]["serial"].as_str().unwrap();
    assert_eq!(serials, format!("{} {}", said[0].serial, said[1].serial));
    assert_eq!(workshop.number("SELECT count(DISTINCT serial) FROM serial").await, 2);
    assert_eq!(workshop.number(WRONG_MONEY).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_starting_point_has_a_price_and_each_finding_is_read_once() {
    let (workshop, platform) = (Merchant::new(Role::Manufacturer, 1).await, Platform::new(1).await);
    let base = workshop.base();
    let mut on_more = 0;
    for start in Start::ALL {
        let (bytes, design) = package(&start.design());
        let kept = hand_over(&platform, base, &bytes).await.body["package"].clone();
        let quote = platform.post(&format!("{base}/ucp/designs/quote"), &wanted(&kept, design, 1)).await.ok();
        assert!(quote["item"]["price"].as_i64().is_some_and(|price| price > 0), "{start:?}: {quote}");
        let says: Vec<&str> =
            quote["findings"].as_array().unwrap().iter().map(|one| one["says"].as_str().unwrap()).collect();
        let once: std::collections::BTreeSet<&&str> = says.iter().collect();
        assert_eq!(once.len(), says.len(), "{start:?}: {says:?}");
        on_more += says.iter().filter(|says| says.contains("(On 2 parts of it.)")).count();
    }
    assert!(on_more > 0, "the sign's plate and its digits hang over");
}

/// A quote and the cart say the same of when it is made: all pieces of an order are made on one machine, one after the
/// other.
#[tokio::test(flavor = "multi_thread")]
async fn the_quote_and_the_cart_agree_on_when_it_is_made() {
    let (workshop, platform) = (Merchant::new(Role::Manufacturer, 1).await, Platform::new(1).await);
    let base = workshop.base();
    platform.meet(base).await;
    let quote = quoted(&platform, base, 3).await;
    let (lead, machine) = (quote["lead_time_s"].as_u64().unwrap(), quote["machine_time_s"].as_u64().unwrap());
    // Accepted after a minute, looked at for five, packed for thirty.
    assert_eq!(lead, 3 * machine + 60 + 300 + 1_800);
    let session = platform.ready(base, &[(quote["item"]["id"].as_str().unwrap(), 1)]).await;
    let said = session["messages"].as_array().unwrap().iter().find(|one| one["code"] == "lead_time").unwrap();
    let words = |seconds: u64| format!("{} h {} min", seconds.div_ceil(60) / 60, seconds.div_ceil(60) % 60);
    assert_eq!(
        said["content"],
        format!("Made within about {}; {} of that on a machine.", words(lead), words(3 * machine))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_design_has_no_price() {
    let (workshop, platform) = (Merchant::new(Role::Manufacturer, 1).await, Platform::new(1).await);
    let base = workshop.base();
    let (bytes, design) = package(&Start::Hook.design());
    let kept = hand_over(&platform, base, &bytes).await.body["package"].clone();
    let url = format!("{base}/ucp/designs/quote");
    let code = async |body: Value| platform.post(&url, &body).await.errors().join(" ");
    assert_eq!(code(wanted(&json!("11".repeat(32)), design, 1)).await, "not_found");
    assert_eq!(code(wanted(&kept, ContentHash([1; 32]), 1)).await, "design_mismatch");
    let garbage = hand_over(&platform, base, b"this is no package").await.body["package"].clone();
    assert_eq!(code(wanted(&garbage, design, 1)).await, "design_mismatch");
    let mut gold = wanted(&kept, design, 1);
    gold["material"] = json!("gold");
    assert_eq!(code(gold).await, "not_manufacturable");
    let mut colour = wanted(&kept, design, 1);
    colour["colour"] = json!("yellow");
    platform.post(&url, &colour).await.is(400, "invalid_request");
    let text = platform.send_as(&format!("{base}/ucp/designs"), "text/plain", b"x".to_vec()).await;
    assert_eq!(text.status, 415);
    // Nothing that is too large for every machine, and why.
    let mut shelf = Start::Shelf.design();
    let key = shelf.params.iter().find(|(_, param)| param.most > 1_200.0).map(|(key, param)| (key.clone(), param.most));
    if let Some((key, most)) = key {
        shelf.set(key.as_str(), most).unwrap();
        let (bytes, design) = package(&shelf);
        let kept = hand_over(&platform, base, &bytes).await.body["package"].clone();
        let refused = platform.post(&url, &wanted(&kept, design, 1)).await;
        assert_eq!(refused.errors(), ["not_manufacturable"]);
        assert!(refused.body["findings"].as_array().is_some_and(|findings| !findings.is_empty()));
    }
    let shop = Merchant::new(Role::Shop, 1).await;
    let there = hand_over(&platform, shop.base(), &bytes).await;
    assert_eq!(there.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_any_more_is_rejected_and_paid_back() {
    let (workshop, platform) = (Merchant::new(Role::Manufacturer, 20).await, Platform::new(1).await);
    let base = workshop.base();
    platform.meet(base).await;
    let quote = quoted(&platform, base, 1).await;
    let order = platform.buy(base, &[(quote["item"]["id"].as_str().unwrap(), 1)]).await;
    // Somebody spoilt the file before it was looked at.
    let file = workshop.folder.path().join("designs").join(quote["package"].as_str().unwrap());
    std::fs::write(file, b"spoilt").unwrap();
    let rejected = platform
        .hears(|told| told.order["id"] == order.as_str() && told.order["line_items"][0]["status"] == "removed")
        .await
        .order;
    let refund = rejected["adjustments"].as_array().unwrap().iter().find(|one| one["type"] == "refund").unwrap();
    assert_eq!(refund["totals"][0]["amount"], -total(&rejected));
    assert_eq!(workshop.number("SELECT held + captured FROM payment").await, 0);
    assert_eq!(workshop.number(WRONG_MONEY).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_opened_at_the_moment_is_made_later() {
    let (workshop, platform) = (Merchant::new(Role::Manufacturer, 20).await, Platform::new(1).await);
    let base = workshop.base();
    let quote = quoted(&platform, base, 1).await;
    let file = workshop.folder.path().join("designs").join(quote["package"].as_str().unwrap());
    let aside = workshop.folder.path().join("aside");
    std::fs::rename(&file, &aside).unwrap();
    // It is there, and does not open.
    std::fs::create_dir(&file).unwrap();
    platform.buy(base, &[(quote["item"]["id"].as_str().unwrap(), 1)]).await;
    // Looked at after three seconds, and to be looked at again after three more.
    workshop.comes_to("SELECT count(*) FROM orders WHERE stage = 'accepted' AND due > created + 4000", 1).await;
    std::fs::remove_dir(&file).unwrap();
    std::fs::rename(&aside, &file).unwrap();
    workshop.comes_to("SELECT count(*) FROM orders WHERE stage IN ('checked', 'queued', 'in_production')", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lay_on_the_shelf_is_there_again_when_the_rest_is_rejected() {
    let (folder, platform) = (tempfile::tempdir().unwrap(), Platform::new(1).await);
    let catalogue = folder.path().join("book.toml");
    let glue = "[[product]]\nid = \"glue\"\ntitle = \"Glue\"\ntext = \"Sticks.\"\n[[product.item]]\nid = \"glue_50g\"\n\
        title = \"50 g\"\ntext = \"Glue, 50 g\"\nprice = 300\nstock = 5\n";
    std::fs::write(&catalogue, format!("{}\n{glue}", include_str!("../../catalogue/workshop.toml"))).unwrap();
    let data = folder.path().join("workshop");
    let config = Config { speed: 20, catalogue: Some(catalogue), ..Config::new(Role::Manufacturer, &data) };
    let workshop = start(config).await.unwrap();
    let base = workshop.url();
    platform.meet(base).await;
    let quote = quoted(&platform, base, 1).await;
    let order = platform.buy(base, &[(quote["item"]["id"].as_str().unwrap(), 1), ("glue_50g", 2)]).await;
    const LEFT: &str = "SELECT left FROM stock WHERE item = 'glue_50g'";
    assert_eq!(number(&data, LEFT).await, 3);
    std::fs::write(data.join("designs").join(quote["package"].as_str().unwrap()), b"spoilt").unwrap();
    platform
        .hears(|told| told.order["id"] == order.as_str() && told.order["line_items"][1]["status"] == "removed")
        .await;
    assert_eq!(number(&data, LEFT).await, 5);
    workshop.stop().await;
}

/// The files in a workshop's folder of packages.
fn files(workshop: &Merchant) -> usize {
    std::fs::read_dir(workshop.folder.path().join("designs")).unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_is_kept_that_nothing_is_written_down_of() {
    let (mut workshop, platform) = (Merchant::new(Role::Manufacturer, 1).await, Platform::new(1).await);
    let url = format!("{}/ucp/designs", workshop.base());
    let key = platform.fresh();
    let with =
        async |bytes: &[u8]| platform.send_kind("POST", &url, Some(&key), "model/3mf", bytes.to_vec(), |_| {}).await;
    assert_eq!(with(b"one").await.unwrap().status, 201);
    assert_eq!(with(b"another").await.unwrap().status, 409, "the same key");
    assert_eq!(files(&workshop), 1);
    assert_eq!(with(b"one").await.unwrap().status, 201);
    assert_eq!(files(&workshop), 1, "what is kept stays");
    // Killed before it was written down.
    std::fs::write(workshop.folder.path().join("designs").join("11".repeat(32)), b"another").unwrap();
    workshop.restart().await;
    let tidied = async {
        while files(&workshop) > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, tidied).await.expect("it is removed");
    assert_eq!(workshop.number("SELECT count(*) FROM design").await, 1);
}

/// Whoever does not say who they are holds no place, however slowly their package comes.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_hold_no_places() {
    let (workshop, platform) = (Merchant::new(Role::Manufacturer, 1).await, Platform::new(1).await);
    let host = workshop.base().trim_start_matches("http://");
    let agent = vestibule_ucp::agent_header(&platform.url);
    let head = format!(
        "POST /ucp/designs HTTP/1.1\r\nhost: {host}\r\nucp-agent: {agent}\r\ncontent-type: model/3mf\r\n\
         content-length: 1000\r\n\r\n"
    );
    let mut strangers = Vec::new();
    for _ in 0..2 {
        let mut stranger = TcpStream::connect(host).await.unwrap();
        stranger.write_all(head.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        let answered = tokio::time::timeout(PATIENCE, stranger.read_exact(&mut status));
        answered.await.expect("it is answered before its body came").unwrap();
        assert_eq!(&status, b"HTTP/1.1 401");
        strangers.push(stranger);
    }
    assert_eq!(hand_over(&platform, workshop.base(), b"this is no package").await.status, 201);
}

/// Cancelations of one run, each a little later than the one before.
const RACES: u32 = 96;

/// Whoever commits first wins: it is canceled and paid back, or it is made and delivered. Never both, never neither.
#[tokio::test(flavor = "multi_thread")]
async fn cancelation_races_production() {
    let (workshop, platform) = (Merchant::new(Role::Manufacturer, 400_000).await, Platform::new(1).await);
    let base = workshop.base();
    platform.meet(base).await;
    let quote = quoted(&platform, base, 1).await;
    let item = quote["item"]["id"].as_str().unwrap();
    let (mut canceled, mut late) = (0, 0);
    // From before a machine takes it until after: in steps as fine as that is long.
    for round in 0..RACES {
        let order = platform.buy(base, &[(item, 1)]).await;
        for _ in 0..round * 50 {
            tokio::task::yield_now().await;
        }
        let answer = platform.post(&format!("{base}/ucp/orders/{order}/cancel"), &json!({})).await;
        if answer.errors().is_empty() {
            assert_eq!(answer.body["line_items"][0]["status"], "removed");
            canceled += 1;
        } else {
            assert_eq!(answer.errors(), ["not_cancellable"]);
            late += 1;
            platform
                .hears(|told| {
                    told.order["id"] == order.as_str() && told.order["line_items"][0]["status"] == "fulfilled"
                })
                .await;
        }
    }
    assert_eq!(canceled + late, i64::from(RACES));
    assert_eq!(workshop.number("SELECT count(*) FROM orders WHERE stage = 'canceled'").await, canceled);
    assert_eq!(workshop.number("SELECT count(*) FROM orders WHERE stage = 'delivered'").await, late);
    assert_eq!(workshop.number("SELECT count(*) FROM payment WHERE captured > 0").await, late);
    assert_eq!(workshop.number(WRONG_MONEY).await, 0);
}
