//! Requests that were answered: said again, they are answered the same and do nothing. And who asks.

use sqlx::{Row as _, SqliteConnection};
use vestibule_model::{ContentHash, Timestamp};
use vestibule_ucp::{Kept, Record};

use super::{
    StoreError,
    shelf::{integer, timestamp},
};

/// Bytes that an answer takes besides its body: its names, its hash, its part of an index.
pub(crate) const ROW: i64 = 512;

/// Which request: whose, to what, with which key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Which {
    pub(crate) platform: String,
    pub(crate) operation: String,
    pub(crate) key: String,
}

/// What was answered, if anything.
pub(crate) async fn find(connection: &mut SqliteConnection, which: &Which) -> Result<Option<Record>, StoreError> {
    let found = sqlx::query(
        "SELECT request, status, body, until FROM idempotency WHERE platform = ?1 AND operation = ?2 AND key = ?3",
    );
    let found = found.bind(&which.platform).bind(&which.operation).bind(&which.key).fetch_optional(connection).await?;
    let Some(found) = found else { return Ok(None) };
    let request: Vec<u8> = found.try_get(0)?;
    let status: i64 = found.try_get(1)?;
    // What nobody wrote so is another request.
    let request = ContentHash(request.try_into().unwrap_or_default());
    let (body, until) = (found.try_get(2)?, timestamp(found.try_get(3)?));
    Ok(Some(Record::Done(Kept { request, status: u16::try_from(status).unwrap_or(500), body, until })))
}

/// Keeps an answer, in place of one whose time is over.
pub(crate) async fn keep(connection: &mut SqliteConnection, which: &Which, kept: &Kept) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR REPLACE INTO idempotency (platform, operation, key, request, status, body, until) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(&which.platform)
    .bind(&which.operation)
    .bind(&which.key)
    .bind(kept.request.0.as_slice())
    .bind(i64::from(kept.status))
    .bind(kept.body.as_slice())
    .bind(integer(kept.until))
    .execute(connection)
    .await?;
    Ok(())
}

/// Bytes of all answers that are kept for a platform, each with what its row takes besides.
pub(crate) async fn bytes(connection: &mut SqliteConnection, platform: &str) -> Result<i64, StoreError> {
    let bytes = "SELECT coalesce(sum(length(body) + ?2), 0) FROM idempotency WHERE platform = ?1";
    Ok(sqlx::query_scalar(bytes).bind(platform).bind(ROW).fetch_one(connection).await?)
}

/// Forgets answers whose time is over.
pub(crate) async fn prune(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM idempotency WHERE until < ?1").bind(integer(now)).execute(connection).await?;
    Ok(())
}

/// Where a platform is now: its profile, and where it wants to hear of its orders.
pub(crate) async fn platform(
    connection: &mut SqliteConnection,
    thumbprint: &str,
    profile: &str,
    webhook: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO platform (thumbprint, profile, webhook) VALUES (?1, ?2, ?3) \
         ON CONFLICT (thumbprint) DO UPDATE SET profile = ?2, webhook = ?3",
    )
    .bind(thumbprint)
    .bind(profile)
    .bind(webhook)
    .execute(connection)
    .await?;
    Ok(())
}
