//! Orders, with everything that happened to them.

use sqlx::{Row as _, SqliteConnection};
use vestibule_model::Timestamp;
use vestibule_ucp::{Amount, Buyer, Destination, Totals};

use super::{
    StoreError,
    shelf::{integer, timestamp},
};
use crate::rules::{
    order::{Record, Stage},
    payment::Payment,
};

/// How long it is known who bought something, from its delivery on: 30 days for returns.
pub(crate) const PERSON_KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// Who bought, and where it goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Person {
    pub(crate) buyer: Buyer,
    pub(crate) destination: Destination,
}

/// The number of the next order.
pub(crate) async fn next_number(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let next = "SELECT coalesce(max(number), 1000) + 1 FROM orders";
    Ok(sqlx::query_scalar(next).fetch_one(connection).await?)
}

/// Writes a new order.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    record: &Record,
    number: i64,
    token: &str,
    person: &Person,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO orders (id, session, platform, number, stage, due, body, created, changed) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
    )
    .bind(record.id.as_str())
    .bind(record.session.as_str())
    .bind(&record.platform)
    .bind(number)
    .bind(record.stage.name())
    .bind(record.due.map(integer))
    .bind(serde_json::to_string(record)?)
    .bind(integer(now))
    .execute(&mut *connection)
    .await?;
    sqlx::query("INSERT INTO person (orders, buyer, destination) VALUES (?1, ?2, ?3)")
        .bind(record.id.as_str())
        .bind(serde_json::to_string(&person.buyer)?)
        .bind(serde_json::to_string(&person.destination)?)
        .execute(&mut *connection)
        .await?;
    let payment = record.payment;
    sqlx::query(
        "INSERT INTO payment (orders, session, token, authorized, held, captured, refunded) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(record.id.as_str())
    .bind(record.session.as_str())
    .bind(token)
    .bind(payment.authorized)
    .bind(payment.held)
    .bind(payment.captured)
    .bind(payment.refunded)
    .execute(&mut *connection)
    .await?;
    append(connection, record, 0, 0).await
}

/// Writes what changed since it was loaded with so many events and adjustments.
pub(crate) async fn save(
    connection: &mut SqliteConnection,
    record: &Record,
    had: (usize, usize),
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE orders SET stage = ?2, due = ?3, body = ?4, changed = ?5 WHERE id = ?1")
        .bind(record.id.as_str())
        .bind(record.stage.name())
        .bind(record.due.map(integer))
        .bind(serde_json::to_string(record)?)
        .bind(integer(now))
        .execute(&mut *connection)
        .await?;
    let payment = record.payment;
    sqlx::query("UPDATE payment SET held = ?2, captured = ?3, refunded = ?4 WHERE orders = ?1")
        .bind(record.id.as_str())
        .bind(payment.held)
        .bind(payment.captured)
        .bind(payment.refunded)
        .execute(&mut *connection)
        .await?;
    for certificate in &record.certificates {
        let Ok(said) = vestibule_ucp::Certificate::peek(certificate) else { continue };
        sqlx::query("INSERT OR IGNORE INTO serial (serial, orders, line, certificate) VALUES (?1, ?2, ?3, ?4)")
            .bind(said.serial.as_str())
            .bind(record.id.as_str())
            .bind(said.line.as_str())
            .bind(certificate)
            .execute(&mut *connection)
            .await?;
    }
    append(connection, record, had.0, had.1).await
}

async fn append(
    connection: &mut SqliteConnection,
    record: &Record,
    events: usize,
    adjustments: usize,
) -> Result<(), StoreError> {
    for (n, event) in record.events.iter().enumerate().skip(events) {
        sqlx::query("INSERT INTO event (orders, n, body) VALUES (?1, ?2, ?3)")
            .bind(record.id.as_str())
            .bind(i64::try_from(n).unwrap_or(i64::MAX))
            .bind(serde_json::to_string(event)?)
            .execute(&mut *connection)
            .await?;
    }
    for (n, adjustment) in record.adjustments.iter().enumerate().skip(adjustments) {
        let amount = adjustment.totals.as_ref().and_then(Totals::total).map_or(0, Amount::get);
        sqlx::query("INSERT INTO adjustment (orders, n, amount, body) VALUES (?1, ?2, ?3, ?4)")
            .bind(record.id.as_str())
            .bind(i64::try_from(n).unwrap_or(i64::MAX))
            .bind(amount)
            .bind(serde_json::to_string(adjustment)?)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// An order of this platform; another's is as if it were not there. `None` for a platform: whoever it is.
pub(crate) async fn load(
    connection: &mut SqliteConnection,
    id: &str,
    platform: Option<&str>,
) -> Result<Option<Record>, StoreError> {
    let found = sqlx::query(
        "SELECT body, authorized, held, captured, refunded FROM orders JOIN payment ON orders = id WHERE id = ?1",
    );
    let Some(found) = found.bind(id).fetch_optional(&mut *connection).await? else { return Ok(None) };
    let mut record: Record = serde_json::from_str(found.try_get(0)?)?;
    if platform.is_some_and(|platform| record.platform != platform) {
        return Ok(None);
    }
    record.payment = Payment {
        authorized: found.try_get(1)?,
        held: found.try_get(2)?,
        captured: found.try_get(3)?,
        refunded: found.try_get(4)?,
    };
    let events: Vec<String> = sqlx::query_scalar("SELECT body FROM event WHERE orders = ?1 ORDER BY n")
        .bind(id)
        .fetch_all(&mut *connection)
        .await?;
    record.events = events.iter().map(|body| serde_json::from_str(body)).collect::<Result<_, _>>()?;
    let adjustments: Vec<String> = sqlx::query_scalar("SELECT body FROM adjustment WHERE orders = ?1 ORDER BY n")
        .bind(id)
        .fetch_all(&mut *connection)
        .await?;
    record.adjustments = adjustments.iter().map(|body| serde_json::from_str(body)).collect::<Result<_, _>>()?;
    Ok(Some(record))
}

/// Who bought it, as long as that is known.
pub(crate) async fn person(connection: &mut SqliteConnection, id: &str) -> Result<Option<Person>, StoreError> {
    let found = sqlx::query("SELECT buyer, destination FROM person WHERE orders = ?1").bind(id);
    let Some(found) = found.fetch_optional(connection).await? else { return Ok(None) };
    let (buyer, destination) = (found.try_get(0)?, found.try_get(1)?);
    Ok(Some(Person { buyer: serde_json::from_str(buyer)?, destination: serde_json::from_str(destination)? }))
}

/// Orders to which something happens by itself now, the longest waiting first.
pub(crate) async fn due(connection: &mut SqliteConnection, now: Timestamp) -> Result<Vec<String>, StoreError> {
    let due =
        sqlx::query_scalar("SELECT id FROM orders WHERE due <= ?1 ORDER BY due, number LIMIT 64").bind(integer(now));
    Ok(due.fetch_all(connection).await?)
}

/// When the next thing of any kind happens by itself.
pub(crate) async fn next_due(connection: &mut SqliteConnection) -> Result<Option<Timestamp>, StoreError> {
    let next: Option<i64> = sqlx::query_scalar(
        "SELECT min(due) FROM (SELECT min(due) AS due FROM orders WHERE due IS NOT NULL \
         UNION ALL SELECT min(due) FROM session WHERE due IS NOT NULL)",
    )
    .fetch_one(connection)
    .await?;
    Ok(next.map(timestamp))
}

/// How many orders stand there; of those that wait, how many came before this one.
pub(crate) async fn standing(
    connection: &mut SqliteConnection,
    stage: Stage,
    before: Option<&Record>,
) -> Result<u32, StoreError> {
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM orders WHERE stage = ?1 AND (?2 IS NULL OR number < (SELECT number FROM orders WHERE id = ?2))",
    )
    .bind(stage.name())
    .bind(before.map(|record| record.id.as_str()))
    .fetch_one(connection)
    .await?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Orders whose buyers are forgotten now.
pub(crate) async fn to_forget(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<(String, String)>, StoreError> {
    let before = integer(now).saturating_sub(i64::try_from(PERSON_KEPT_MS).unwrap_or(i64::MAX));
    let found = sqlx::query(
        "SELECT id, session FROM orders JOIN person ON person.orders = orders.id WHERE due IS NULL AND changed < ?1 LIMIT 64",
    );
    let found = found.bind(before).fetch_all(connection).await?;
    found.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Forgets who bought it.
pub(crate) async fn forget(connection: &mut SqliteConnection, id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM person WHERE orders = ?1").bind(id).execute(connection).await?;
    Ok(())
}
