//! A whole purchase, read by programs that are not ours: the protocol's own SDK, and HTTP signatures of somebody else.
//! `cargo xtask setup --peer ucp` brings them; what is missing is a failure.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use vestibule_commerce::Role;

use crate::platform::{Merchant, Platform};

fn python() -> PathBuf {
    let beside = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("../peers/ucp/bin/python");
    let program = std::env::var_os("VESTIBULE_UCP_PYTHON").map_or_else(beside, PathBuf::from);
    assert!(program.is_file(), "{} is not here: cargo xtask setup --peer ucp", program.display());
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn others_read_what_we_say() {
    let python = python();
    let (grocer, platform) = (Merchant::new(Role::Supplier, 100_000).await, Platform::new(1).await);
    let base = grocer.base();
    platform.meet(base).await;
    platform.post(&format!("{base}/ucp/catalog/search"), &json!({"query": "milk"})).await.ok();
    let order = platform.buy(base, &[("cheese_50g", 6), ("milk_1l", 1)]).await;
    platform
        .hears(|told| {
            let events = told.order["fulfillment"]["events"].as_array().unwrap();
            told.order["id"] == order.as_str() && events.iter().any(|one| one["type"] == "delivered")
        })
        .await;
    platform.get(&format!("{base}/ucp/orders/{order}")).await.ok();
    // A second one, canceled at a merchant that has not begun.
    let slow = Merchant::new(Role::Shop, 1).await;
    platform.meet(slow.base()).await;
    let second = platform.buy(slow.base(), &[("bulb_7w", 1)]).await;
    platform.post(&format!("{}/ucp/orders/{second}/cancel", slow.base()), &json!({})).await.ok();
    platform.hears(|told| told.order["id"] == second.as_str() && told.order["adjustments"][1].is_object()).await;

    let recording = platform.recording();
    // Left there for whoever wants to look what was said.
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ucp-recording.json");
    std::fs::write(&file, recording.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/merchant/check_ucp.py");
    let read = tokio::task::spawn_blocking(move || Command::new(python).arg(script).arg(file).output().unwrap());
    let read = read.await.unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let read: Value = serde_json::from_slice(&read.stdout).unwrap();
    for (model, least) in [
        ("CheckoutCreateRequest", 2),
        ("CheckoutUpdateRequest", 2),
        ("CheckoutCompleteRequest", 2),
        ("Checkout", 6),
        ("Order", 4),
        ("SearchResponse", 1),
        ("signatures", 20),
    ] {
        assert!(read[model].as_u64().unwrap_or_default() >= least, "{model}: {read}");
    }
}
