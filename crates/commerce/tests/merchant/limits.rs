//! What one platform may take of a merchant that is there for all.

use std::{path::Path, time::Duration};

use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};
use vestibule_commerce::Role;

use crate::platform::{Merchant, Platform, cart};

/// Writes into a merchant's database what would take hours over the network.
async fn write(folder: &Path, query: &'static str, platform: &str, number: i64) {
    let options = SqliteConnectOptions::new().filename(folder.join("merchant.sqlite"));
    let mut connection = options.busy_timeout(Duration::from_secs(10)).connect().await.unwrap();
    sqlx::query(query).bind(platform).bind(number).execute(&mut connection).await.unwrap();
}

const SESSIONS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) \
    INSERT INTO session (id, platform, stage, body, expires) SELECT 'chk_' || i, ?1, 'open', '{}', ?2 FROM n";

#[tokio::test(flavor = "multi_thread")]
async fn nobody_closes_the_shop_for_others() {
    let (shop, platform, other) = (Merchant::new(Role::Shop, 1).await, Platform::new(1).await, Platform::new(2).await);
    let url = format!("{}/ucp/checkout-sessions", shop.base());
    let who = platform.key.jwk().thumbprint().unwrap();
    write(shop.folder.path(), SESSIONS, &who, i64::MAX).await;
    let bulb = cart(&[("bulb_7w", 1)], None);
    platform.post(&url, &bulb).await.is(429, "rate_limited");
    assert_eq!(other.post(&url, &bulb).await.status, 201);
    // What has expired is not open.
    write(shop.folder.path(), "UPDATE session SET expires = ?2 WHERE platform = ?1", &who, 1).await;
    assert_eq!(platform.post(&url, &bulb).await.status, 201);
}
