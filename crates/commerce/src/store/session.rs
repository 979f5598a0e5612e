//! Checkout sessions.

use sqlx::{Row as _, SqliteConnection};
use vestibule_model::Timestamp;

use super::{StoreError, shelf::integer};
use crate::rules::session::{Session, Stage};

/// Sessions that are open at once over all platforms: a cart takes a few kilobytes.
const MOST_OPEN: i64 = 10_000;
/// Of them, those of one platform: none closes the shop for all others.
const MOST_OF_ONE: i64 = MOST_OPEN / 4;

const fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Open => "open",
        Stage::Challenged => "challenged",
        Stage::InProgress => "in_progress",
        Stage::Completed => "completed",
        Stage::Canceled => "canceled",
    }
}

/// Writes a session, new or not. `due`: when it goes on by itself.
pub(crate) async fn save(
    connection: &mut SqliteConnection,
    session: &Session,
    due: Option<Timestamp>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO session (id, platform, stage, body, expires, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (id) DO UPDATE SET stage = ?3, body = ?4, expires = ?5, due = ?6",
    )
    .bind(session.id.as_str())
    .bind(&session.platform)
    .bind(name(session.stage))
    .bind(serde_json::to_string(session)?)
    .bind(integer(session.expires))
    .bind(due.map(integer))
    .execute(connection)
    .await?;
    Ok(())
}

/// A session of this platform; another's is as if it were not there. `None` for a platform: whoever it is.
pub(crate) async fn load(
    connection: &mut SqliteConnection,
    id: &str,
    platform: Option<&str>,
) -> Result<Option<Session>, StoreError> {
    let found = sqlx::query("SELECT body FROM session WHERE id = ?1").bind(id).fetch_optional(connection).await?;
    let Some(found) = found else { return Ok(None) };
    let session: Session = serde_json::from_str(found.try_get(0)?)?;
    Ok(Some(session).filter(|session| platform.is_none_or(|platform| session.platform == platform)))
}

/// Whether this platform may open another session. What has expired is not open, whenever it is dropped.
pub(crate) async fn has_room(
    connection: &mut SqliteConnection,
    platform: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let open = sqlx::query(
        "SELECT count(*), count(*) FILTER (WHERE platform = ?1) FROM session \
         WHERE stage IN ('open', 'challenged') AND expires > ?2",
    );
    let open = open.bind(platform).bind(integer(now)).fetch_one(connection).await?;
    let (all, own): (i64, i64) = (open.try_get(0)?, open.try_get(1)?);
    Ok(all < MOST_OPEN && own < MOST_OF_ONE)
}

/// Sessions whose payment goes on by itself now.
pub(crate) async fn due(connection: &mut SqliteConnection, now: Timestamp) -> Result<Vec<String>, StoreError> {
    let due = sqlx::query_scalar("SELECT id FROM session WHERE due <= ?1 ORDER BY due LIMIT 16").bind(integer(now));
    Ok(due.fetch_all(connection).await?)
}

/// Drops carts that nobody bought, a day after they ended.
pub(crate) async fn prune(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
    let before = integer(now) - 24 * 60 * 60 * 1000;
    sqlx::query("DELETE FROM session WHERE stage IN ('open', 'challenged', 'canceled') AND expires < ?1")
        .bind(before)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM token WHERE until < ?1").bind(before).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM quote WHERE until < ?1").bind(before).execute(&mut *connection).await?;
    Ok(())
}
