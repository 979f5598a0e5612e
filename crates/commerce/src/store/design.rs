//! Packages that are kept.

use std::collections::BTreeSet;

use sqlx::SqliteConnection;
use vestibule_model::Timestamp;

use super::{StoreError, shelf::integer};

/// How long a package is kept that nobody asks for, in milliseconds: 30 days.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// A package is kept from now on.
pub(crate) async fn keep(
    connection: &mut SqliteConnection,
    package: &str,
    bytes: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO design (package, bytes, used) VALUES (?1, ?2, ?3) ON CONFLICT (package) DO UPDATE SET used = ?3",
    )
    .bind(package)
    .bind(bytes)
    .bind(integer(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// Somebody asked for it.
pub(crate) async fn used(connection: &mut SqliteConnection, package: &str, now: Timestamp) -> Result<(), StoreError> {
    let used = sqlx::query("UPDATE design SET used = ?2 WHERE package = ?1").bind(package).bind(integer(now));
    used.execute(connection).await?;
    Ok(())
}

/// Bytes of all that are kept.
pub(crate) async fn kept(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT coalesce(sum(bytes), 0) FROM design").fetch_one(connection).await?)
}

/// Whether this one is kept.
pub(crate) async fn is_kept(connection: &mut SqliteConnection, package: &str) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar("SELECT count(*) FROM design WHERE package = ?1").bind(package);
    let found: i64 = found.fetch_one(connection).await?;
    Ok(found > 0)
}

/// All that are kept.
pub(crate) async fn all(connection: &mut SqliteConnection) -> Result<BTreeSet<String>, StoreError> {
    let all: Vec<String> = sqlx::query_scalar("SELECT package FROM design").fetch_all(connection).await?;
    Ok(all.into_iter().collect())
}

/// Takes out what nobody asked for in 30 days; its files are to be removed.
pub(crate) async fn prune(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM design WHERE used < ?1").bind(integer(now) - KEPT_MS).execute(connection).await?;
    Ok(())
}
