//! Each message that our merchants and our platform say is read and written again without loss.

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
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/ours").join(file);
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

const CHECKOUTS: &[&str] = &["checkout_completed", "checkout_price_changed", "checkout_ready"];
const ORDERS: &[&str] = &["order_canceled", "order_delivered", "order_in_production"];
const PROFILES: &[&str] = &["profile_business", "profile_platform", "profile_platform_plain"];
const FULFILLMENTS: &[&str] = &["checkout_ready", "fulfillment_two_ways"];
const METAS: &[&str] = &["catalog_search", "checkout_error", "checkout_ready", "order_delivered"];
const SINGLE: &[&str] = &[
    "catalog_lookup_request",
    "catalog_product",
    "catalog_product_request",
    "catalog_search",
    "catalog_search_request",
    "checkout_complete_request",
    "checkout_create_request",
    "checkout_error",
    "checkout_update_request",
    "fabrication_quote",
    "fabrication_quote_request",
];

#[test]
fn no_file_is_forgotten() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/ours");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found: BTreeSet<String> = files.filter_map(|file| Some(file.strip_suffix(".json")?.to_owned())).collect();
    let lists = [CHECKOUTS, ORDERS, PROFILES, FULFILLMENTS, METAS, SINGLE];
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
    message::<SearchAnswer>("catalog_search.json");
    message::<ProductAnswer>("catalog_product.json");
    let refused: Refused = message("checkout_error.json");
    assert!(refused.code().is_some());
    assert!(
        matches!(read_answer::<Order>(&bytes("checkout_error.json")), Ok(Answer::Refused(same)) if *same == refused)
    );
}

#[test]
fn requests_are_read_and_written_without_loss() {
    message::<CheckoutCreate>("checkout_create_request.json");
    message::<CheckoutUpdate>("checkout_update_request.json");
    let complete: CheckoutComplete = message("checkout_complete_request.json");
    assert!(complete.payment.selected().unwrap().credential.is_some());
    message::<SearchRequest>("catalog_search_request.json");
    message::<LookupRequest>("catalog_lookup_request.json");
    message::<ProductRequest>("catalog_product_request.json");
    message::<FabricationQuoteRequest>("fabrication_quote_request.json");
    message::<FabricationQuote>("fabrication_quote.json");
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
    let business = "profile_business.json";
    part::<Handler>(business, &format!("/ucp/payment_handlers/{}/0", name::SANDBOX_PAY));
    assert!(!part::<Jwk>(business, "/signing_keys/0").kid.is_empty());
    part::<Capability>(business, "/ucp/capabilities/dev.ucp.shopping.checkout/0");
}

#[test]
fn profiles_are_read_and_negotiate() {
    for file in PROFILES {
        message::<Profile>(&format!("{file}.json"));
    }
    let profile =
        |file: &str, side| Profile::read(&bytes(file), side).unwrap_or_else(|error| panic!("{file}: {error}"));
    let (business, dropped) = profile("profile_business.json", Side::Business);
    assert_eq!(dropped, []);
    let (platform, dropped) = profile("profile_platform.json", Side::Platform);
    assert_eq!(dropped, []);
    assert_eq!(business.rest().unwrap().as_str(), "http://127.0.0.1:7801/ucp");
    assert_eq!(platform.webhook().unwrap().as_str(), "http://127.0.0.1:7800/ucp/webhooks/orders");
    let active = negotiate(&business, &platform).unwrap();
    assert_eq!(active.capabilities.len(), 8);
    assert_eq!(active.handlers[name::SANDBOX_PAY].len(), 1);
    let of_order: Vec<_> = active.for_answer(name::ORDER).into_keys().map(|name| name.to_string()).collect();
    assert_eq!(of_order, [name::FABRICATION, name::MEASURED_GOODS, name::ORDER_CARE, name::ORDER]);
    // Somebody else's platform gets what it knows, and none of our extensions.
    let (platform, _) = profile("profile_platform_plain.json", Side::Platform);
    let active = negotiate(&business, &platform).unwrap();
    assert!(active.has(name::CHECKOUT) && !active.has(name::FABRICATION) && active.handlers.is_empty());
}

#[test]
fn our_extensions_are_read() {
    let checkout: Checkout = message("checkout_ready.json");
    assert_eq!(checkout.status, CheckoutStatus::ReadyForComplete);
    assert_eq!(checkout.may_complete().unwrap().to_string(), "33.80 EUR");
    let complete: CheckoutComplete = message("checkout_complete_request.json");
    let confirmed = Confirmed::of(&complete.more).unwrap().unwrap();
    assert!(confirmed.is(&checkout));
    assert!(message::<Checkout>("checkout_price_changed.json").may_complete().is_err());
    let mut dearer = checkout.clone();
    dearer.totals.0[3].amount = Amount::new(3381).unwrap();
    assert!(!confirmed.is(&dearer));
    let other = Confirmed { design: Some(ContentHash([1; 32])), ..confirmed.clone() };
    assert!(!other.is(&checkout));

    let order: Order = message("order_delivered.json");
    let line = FabricationLine::of(&order.line_items[0].more).unwrap().unwrap();
    assert_eq!((line.serial.as_deref(), Some(line.design)), (Some("W1042-0001"), confirmed.design));
    assert_eq!(OrderCare::of(&order.more).unwrap().unwrap().revision, 13);
    assert_eq!(Certificates::of(&order.more).unwrap().unwrap().0.len(), 1);
    let states = order.events().iter().filter_map(|event| FabricationState::of(&event.more).unwrap());
    let states: Vec<Making> = states.map(|state| state.state).collect();
    assert_eq!(states.first(), Some(&Making::Accepted));
    assert_eq!(states.last(), Some(&Making::QualityCheck));
    let canceled: Order = message("order_canceled.json");
    assert_eq!(Some(canceled.refunded()), order.total());

    let answer: SearchAnswer = message("catalog_search.json");
    let cheese = answer.products[1].variants[0].metadata.as_ref().unwrap();
    let measured = MeasuredVariant::of(cheese).unwrap().unwrap();
    assert_eq!((measured.step.get(), measured.least_steps.get(), measured.tolerance_permille), (50, 2, 100));
}
