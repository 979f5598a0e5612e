//! FGMV-29 P1.1, 8.2.1: what a merchant says of itself when it registers.

use serde_json::{Value, json};
use vestibule_model::Money;

use crate::{Role, app::App, rules::book::Book};

/// How often this merchant promises to be heard of.
const HEARTBEAT_MS: u64 = 30_000;
/// Said of services that are not asked for on this connection.
const OVER_UCP: &str =
    "It is asked for over the Universal Commerce Protocol, so the enabler's owner has to bind this merchant (--ucp).";
/// Milliseconds within which this merchant answers nearly always: a checkout waits for a bank, a quote for a slicer.
const ANSWERS_MS: u64 = 5_000;
const QUOTES_MS: u64 = 60_000;

/// What this merchant says of itself (P1.1). Only what it does: whoever sells nothing from a shelf does not search, and a
/// place is said where its operator has said one. Its services cost nothing, and what is bought has a price of its own; what
/// bringing it costs is said in words, since it is neither for a call nor for a piece.
pub(crate) fn registration(app: &App, role: Role, system: &str) -> Value {
    let level = if role == Role::Manufacturer { QUOTES_MS } else { ANSWERS_MS };
    json!({
        "id": system, "kind": "third_party", "system_type": app.book.system_type, "name": app.book.name,
        "properties": properties(&app.book, app.profile_url.as_str()), "place": app.book.place, "heartbeat_ms": HEARTBEAT_MS,
        "level": {"availability_permille": 990, "p99_ms": level}, "services": services(&app.book, role)
    })
}

fn properties(book: &Book, profile: &str) -> Value {
    let mut properties = json!({"hours": book.hours, "currency": book.currency, "ucp": profile});
    if let Some(windows) = &book.windows {
        // For whoever plans a meal and has no cart yet; a cart says it exactly.
        let told = json!({"days": windows.days, "hours": windows.hours, "cut_off_s": windows.cut_off_s, "price": windows.price});
        properties["delivers"] = told.to_string().into();
    }
    let price = |amount: i64| Money::new(amount, book.currency);
    let ways = book.delivery.iter().map(|way| format!("{} ({}): {}", way.title, way.text, price(way.price)));
    let windows = book.windows.iter().map(|windows| format!("{}: {}", windows.carrier, price(windows.price)));
    let ways: Vec<String> = ways.chain(windows).collect();
    if !ways.is_empty() {
        properties["delivery"] = ways.join("; ").into();
    }
    properties
}

fn services(book: &Book, role: Role) -> Value {
    let service = |name: &str, words: &str, timeout_ms: u64, input: Value| json!({"name": name, "description": words, "idempotent": true, "timeout_ms": timeout_ms, "input": input});
    let elsewhere = |words: &str| format!("{words} {OVER_UCP}");
    let text = json!({"type": "string"});
    let by_id = json!({"type": "object", "properties": {"id": text}, "required": ["id"]});
    let lines = json!({"type": "array", "minItems": 1, "items": {"type": "object", "properties": {
        "item": {"type": "object", "properties": {"id": text}, "required": ["id"]},
        "quantity": {"type": "integer", "minimum": 1}}, "required": ["item", "quantity"]}});
    let mut checkout = service(
        "Checkout",
        &elsewhere("Begins a checkout session (UCP 2026-04-08), or changes the one with the id."),
        10_000,
        json!({"type": "object", "properties": {"id": text, "line_items": lines, "buyer": {"type": "object"},
            "fulfillment": {"type": "object"}}, "required": ["line_items"]}),
    );
    checkout["undo"] = "cancel_checkout".into();
    checkout["needs"] = json!(["address", "email"]);
    let look = elsewhere("Says how it is by now.");
    let cancel = elsewhere("Ends one that was not ordered.");
    let mut services = json!({
        "checkout": checkout,
        "look_checkout": service("Look at a checkout", &look, 10_000, by_id.clone()),
        "cancel_checkout": service("Cancel a checkout", &cancel, 10_000, by_id),
    });
    if !book.products.is_empty() {
        let words = json!({"type": "object", "properties": {"query": text, "pagination": {"type": "object"}}});
        let ids = json!({"type": "object", "properties": {"ids": {"type": "array", "items": text, "minItems": 1}},
            "required": ["ids"]});
        services["search"] = service("Search", "Looks for goods in words.", 10_000, words);
        services["look_up"] = service("Look up", "Says what goods are, by their ids.", 10_000, ids);
    }
    if !book.recipes.is_empty() {
        let words = json!({"type": "object", "properties": {"query": text}});
        services["recipes"] = service("Recipes", "Says what can be cooked of what is sold here.", 10_000, words);
    }
    if role == Role::Manufacturer {
        let mut quote = service(
            "Quote",
            &elsewhere("Whether and for how much a design can be made."),
            QUOTES_MS,
            json!({"type": "object", "properties": {"package": text, "design": text, "process": text, "material": text,
                "colour": text, "infill_percent": {"type": "integer", "minimum": 0, "maximum": 100},
                "quantity": {"type": "integer", "minimum": 1}},
                "required": ["package", "design", "process", "material", "colour", "quantity"]}),
        );
        // Worlds ask whoever buys whether it may see one, for that call.
        quote["needs"] = json!(["free place"]);
        services["quote"] = quote;
    }
    services
}
