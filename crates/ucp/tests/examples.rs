//! Each example of the protocol's documents that is a whole message, and each of our own, is read and written again
//! without loss.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use vestibule_model::ContentHash;
use vestibule_ucp::{
    Amount, Answer, Capability, Certificates, Check, Checkout, CheckoutComplete, CheckoutCreate, CheckoutStatus,
    CheckoutUpdate, Confirmed, Extension, FabricationLine, FabricationQuote, FabricationQuoteRequest, FabricationState,
    Fulfillment, Handler, Jwk, LookupRequest, Making, MeasuredVariant, Order, OrderCare, ProductAnswer, ProductRequest,
    Profile, Refused, SearchAnswer, SearchRequest, Side, UcpMeta, name, negotiate, read, read_answer, write,
};

fn bytes(file: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(file: &str) -> Value {
    serde_json::from_slice(&bytes(file)).unwrap()
}

/// Read with its limits and rules, and written again.
fn message<T: DeserializeOwned + Serialize + Check>(file: &str) -> T {
    let message: T = read(&bytes(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let written = write(&message).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), json(file), "{file} lost something");
    message
}

/// A part of a message: read, and written again.
fn part<T: DeserializeOwned + Serialize>(file: &str, at: &str) -> T {
    let value = json(file).pointer(at).unwrap().clone();
    let part: T = serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(serde_json::to_value(&part).unwrap(), value, "{file} lost something");
    part
}

const CHECKOUTS: &[&str] = &[
    "ucp/checkout-rest-02",
    "ucp/checkout-rest-05",
    "ucp/checkout-rest-07",
    "ucp/checkout-rest-09",
    "ucp/checkout-rest-11",
    "ucp/checkout-rest-13",
    "ucp/checkout-rest-15",
    "ours/checkout_completed",
    "ours/checkout_price_changed",
    "ours/checkout_ready",
];
const ORDERS: &[&str] =
    &["ucp/order-02", "ucp/order-rest-03", "ours/order_canceled", "ours/order_delivered", "ours/order_in_production"];
const REFUSALS: &[&str] = &[
    "ucp/checkout-01",
    "ucp/checkout-rest-03",
    "ucp/checkout-rest-17",
    "ucp/catalog-rest-10",
    "ucp/order-03",
    "ucp/order-04",
    "ucp/order-rest-04",
    "ucp/order-rest-05",
    "ucp/overview-37",
    "ours/checkout_error",
];
const CREATES: &[&str] = &["ucp/checkout-rest-01", "ours/checkout_create_request"];
const UPDATES: &[&str] =
    &["ucp/checkout-rest-04", "ucp/checkout-rest-06", "ucp/checkout-rest-08", "ours/checkout_update_request"];
const COMPLETES: &[&str] = &["ucp/checkout-rest-10", "ucp/overview-22", "ours/checkout_complete_request"];
const CATALOGUES: &[&str] =
    &["ucp/catalog-rest-03", "ucp/catalog-rest-05", "ucp/catalog-rest-11", "ours/catalog_search"];
const PROFILES: &[&str] = &["ucp/overview-07", "ucp/overview-08", "ours/profile_business", "ours/profile_platform"];
const METAS: &[&str] = &["ucp/catalog-rest-01", "ucp/order-rest-01", "ucp/overview-21", "ucp/overview-35"];
const FULFILLMENTS: &[&str] =
    &["ucp/fulfillment-01", "ucp/fulfillment-02", "ucp/fulfillment-05", "ucp/fulfillment-06", "ucp/fulfillment-07"];
const HANDLERS: &[&str] = &["ucp/payment-handler-guide-02", "ucp/payment-handler-guide-04"];
const SINGLE: &[&str] = &[
    "ucp/catalog-rest-02",
    "ucp/catalog-rest-04",
    "ucp/catalog-rest-08",
    "ucp/catalog-rest-09",
    "ucp/signatures-01",
    "ours/fabrication_quote",
    "ours/fabrication_quote_request",
];

#[test]
fn no_file_is_forgotten() {
    let mut found = BTreeSet::new();
    for folder in ["ucp", "ours"] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder);
        let files = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        found.extend(files.filter_map(|file| file.strip_suffix(".json").map(|file| format!("{folder}/{file}"))));
    }
    let lists = [
        CHECKOUTS,
        ORDERS,
        REFUSALS,
        CREATES,
        UPDATES,
        COMPLETES,
        CATALOGUES,
        PROFILES,
        METAS,
        FULFILLMENTS,
        HANDLERS,
        SINGLE,
    ];
    let tested: BTreeSet<String> = lists.into_iter().flatten().map(|file| (*file).to_owned()).collect();
    assert_eq!(found, tested);
}

#[test]
fn answers_are_read_and_written_without_loss() {
    for file in CHECKOUTS {
        let file = format!("{file}.json");
        let checkout: Checkout = message(&file);
        assert!(matches!(read_answer::<Checkout>(&bytes(&file)), Ok(Answer::Is(same)) if same == checkout));
    }
    for file in ORDERS {
        let order: Order = message(&format!("{file}.json"));
        assert!(order.line_items.iter().all(|line| line.quantity.status() == line.status), "{file}");
    }
    for file in CATALOGUES {
        message::<SearchAnswer>(&format!("{file}.json"));
    }
    message::<ProductAnswer>("ucp/catalog-rest-09.json");
    for file in REFUSALS {
        let file = format!("{file}.json");
        let refused: Refused = message(&file);
        assert!(refused.code().is_some());
        assert!(matches!(read_answer::<Order>(&bytes(&file)), Ok(Answer::Refused(same)) if *same == refused));
    }
}

#[test]
fn requests_are_read_and_written_without_loss() {
    for file in CREATES {
        message::<CheckoutCreate>(&format!("{file}.json"));
    }
    for file in UPDATES {
        message::<CheckoutUpdate>(&format!("{file}.json"));
    }
    for file in COMPLETES {
        let complete: CheckoutComplete = message(&format!("{file}.json"));
        assert!(complete.payment.selected().unwrap().credential.is_some());
    }
    message::<SearchRequest>("ucp/catalog-rest-02.json");
    message::<LookupRequest>("ucp/catalog-rest-04.json");
    message::<ProductRequest>("ucp/catalog-rest-08.json");
    message::<FabricationQuoteRequest>("ours/fabrication_quote_request.json");
    message::<FabricationQuote>("ours/fabrication_quote.json");
}

#[test]
fn parts_are_read_and_written_without_loss() {
    for file in METAS {
        let meta: UcpMeta = part(&format!("{file}.json"), "/ucp");
        assert_eq!(meta.check(), Ok(()));
    }
    for file in FULFILLMENTS {
        let fulfillment: Fulfillment = part(&format!("{file}.json"), "/fulfillment");
        assert_eq!(fulfillment.check(), Ok(()), "{file}");
    }
    for file in HANDLERS {
        part::<Handler>(&format!("{file}.json"), "");
    }
    assert!(part::<Jwk>("ucp/signatures-01.json", "").kid.starts_with("key-"));
    part::<Capability>("ucp/overview-08.json", "/ucp/capabilities/dev.ucp.shopping.checkout/0");
}

#[test]
fn profiles_are_read_and_negotiate() {
    for file in PROFILES {
        message::<Profile>(&format!("{file}.json"));
    }
    let profile =
        |file: &str, side| Profile::read(&bytes(file), side).unwrap_or_else(|error| panic!("{file}: {error}"));
    let (theirs, _) = profile("ucp/overview-07.json", Side::Business);
    assert_eq!(theirs.rest().unwrap().as_str(), "https://business.example.com/ucp/v1");
    profile("ucp/overview-08.json", Side::Platform);

    let (business, dropped) = profile("ours/profile_business.json", Side::Business);
    assert_eq!(dropped, []);
    let (platform, dropped) = profile("ours/profile_platform.json", Side::Platform);
    assert_eq!(dropped, []);
    assert_eq!(business.rest().unwrap().as_str(), "http://127.0.0.1:7801/ucp");
    assert_eq!(platform.webhook().unwrap().as_str(), "http://127.0.0.1:7800/ucp/webhooks/orders");
    let active = negotiate(&business, &platform).unwrap();
    assert_eq!(active.capabilities.len(), 8);
    assert_eq!(active.handlers[name::SANDBOX_PAY].len(), 1);
    let of_order: Vec<_> = active.for_answer(name::ORDER).into_keys().map(|name| name.to_string()).collect();
    assert_eq!(of_order, [name::FABRICATION, name::MEASURED_GOODS, name::ORDER_CARE, name::ORDER]);
    // Somebody else's platform gets what it knows, and none of our extensions.
    let (platform, _) = profile("ucp/overview-08.json", Side::Platform);
    let active = negotiate(&business, &platform).unwrap();
    assert!(active.has(name::CHECKOUT) && !active.has(name::FABRICATION) && active.handlers.is_empty());
}

#[test]
fn our_extensions_are_read() {
    let checkout: Checkout = message("ours/checkout_ready.json");
    assert_eq!(checkout.status, CheckoutStatus::ReadyForComplete);
    assert_eq!(checkout.may_complete().unwrap().to_string(), "33.80 EUR");
    let complete: CheckoutComplete = message("ours/checkout_complete_request.json");
    let confirmed = Confirmed::of(&complete.more).unwrap().unwrap();
    assert!(confirmed.is(&checkout));
    assert!(message::<Checkout>("ours/checkout_price_changed.json").may_complete().is_err());
    let mut dearer = checkout.clone();
    dearer.totals.0[3].amount = Amount::new(3381).unwrap();
    assert!(!confirmed.is(&dearer));
    let other = Confirmed { design: Some(ContentHash([1; 32])), ..confirmed.clone() };
    assert!(!other.is(&checkout));

    let order: Order = message("ours/order_delivered.json");
    let line = FabricationLine::of(&order.line_items[0].more).unwrap().unwrap();
    assert_eq!((line.serial.as_deref(), Some(line.design)), (Some("W1042-0001"), confirmed.design));
    assert_eq!(OrderCare::of(&order.more).unwrap().unwrap().revision, 13);
    assert_eq!(Certificates::of(&order.more).unwrap().unwrap().0.len(), 1);
    let states = order.events().iter().filter_map(|event| FabricationState::of(&event.more).unwrap());
    let states: Vec<Making> = states.map(|state| state.state).collect();
    assert_eq!(states.first(), Some(&Making::Accepted));
    assert_eq!(states.last(), Some(&Making::QualityCheck));
    let canceled: Order = message("ours/order_canceled.json");
    assert_eq!(Some(canceled.refunded()), order.total());

    let answer: SearchAnswer = message("ours/catalog_search.json");
    let cheese = answer.products[1].variants[0].metadata.as_ref().unwrap();
    let measured = MeasuredVariant::of(cheese).unwrap().unwrap();
    assert_eq!((measured.step.get(), measured.least_steps.get(), measured.tolerance_permille), (50, 2, 100));
}
