//! What has to be told: snapshots to platforms, confirmations to buyers.

use sqlx::{Row as _, SqliteConnection};
use vestibule_model::Timestamp;
use vestibule_ucp::{GIVE_UP_AFTER_MS, retry_after_ms};

use super::{
    StoreError,
    shelf::{integer, timestamp},
};

/// A snapshot that has to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hook {
    pub(crate) orders: String,
    pub(crate) id: String,
    pub(crate) made: Timestamp,
    pub(crate) attempts: u32,
    pub(crate) url: Option<String>,
}

/// An order changed: its platform is told, under a new id. What was not told yet is not told any more: the newest
/// snapshot says all of it.
pub(crate) async fn ring(
    connection: &mut SqliteConnection,
    orders: &str,
    id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO hook (orders, id, made, due, attempts) VALUES (?1, ?2, ?3, ?3, 0) \
         ON CONFLICT (orders) DO UPDATE SET id = ?2, made = ?3, due = ?3, attempts = 0",
    )
    .bind(orders)
    .bind(id)
    .bind(integer(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// What has to be told now.
pub(crate) async fn due(connection: &mut SqliteConnection, now: Timestamp) -> Result<Vec<Hook>, StoreError> {
    let found = sqlx::query(
        "SELECT hook.orders, hook.id, hook.made, hook.attempts, webhook FROM hook JOIN orders ON orders.id = hook.orders \
         LEFT JOIN platform ON thumbprint = orders.platform WHERE hook.due <= ?1 ORDER BY hook.due LIMIT 16",
    );
    let found = found.bind(integer(now)).fetch_all(connection).await?;
    let hook = |row: &sqlx::sqlite::SqliteRow| {
        let (made, attempts): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
        Ok(Hook {
            orders: row.try_get(0)?,
            id: row.try_get(1)?,
            made: timestamp(made),
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            url: row.try_get(4)?,
        })
    };
    found.iter().map(hook).collect()
}

/// When something has to be told next.
pub(crate) async fn next_due(connection: &mut SqliteConnection) -> Result<Option<Timestamp>, StoreError> {
    let next: Option<i64> = sqlx::query_scalar("SELECT min(due) FROM hook").fetch_one(connection).await?;
    Ok(next.map(timestamp))
}

/// It was told. Where the order changed meanwhile, there is something new to tell, which stays.
pub(crate) async fn done(connection: &mut SqliteConnection, hook: &Hook) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM hook WHERE orders = ?1 AND id = ?2")
        .bind(&hook.orders)
        .bind(&hook.id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Nobody took it: later again, for three days.
pub(crate) async fn failed(connection: &mut SqliteConnection, hook: &Hook, now: Timestamp) -> Result<(), StoreError> {
    if now.since(hook.made) > GIVE_UP_AFTER_MS {
        return done(connection, hook).await;
    }
    let attempts = hook.attempts.saturating_add(1);
    sqlx::query("UPDATE hook SET due = ?3, attempts = ?4 WHERE orders = ?1 AND id = ?2")
        .bind(&hook.orders)
        .bind(&hook.id)
        .bind(integer(now.plus(retry_after_ms(attempts))))
        .bind(i64::from(attempts))
        .execute(connection)
        .await?;
    Ok(())
}

/// The buyer of a new order gets a confirmation.
pub(crate) async fn post(connection: &mut SqliteConnection, orders: &str) -> Result<(), StoreError> {
    sqlx::query("INSERT OR IGNORE INTO mail (orders) VALUES (?1)").bind(orders).execute(connection).await?;
    Ok(())
}

/// Orders whose confirmation is not written yet.
pub(crate) async fn to_post(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar("SELECT orders FROM mail LIMIT 16").fetch_all(connection).await?)
}

/// A confirmation was written.
pub(crate) async fn posted(connection: &mut SqliteConnection, orders: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM mail WHERE orders = ?1").bind(orders).execute(connection).await?;
    Ok(())
}
