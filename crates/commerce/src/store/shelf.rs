//! What is there, and what it costs.

use std::collections::BTreeSet;

use sqlx::{Row as _, SqliteConnection};
use vestibule_model::Timestamp;

use super::StoreError;
use crate::rules::{
    Broken,
    book::Book,
    session::{Made, Shelf, Ware},
};

/// Puts the book's items on the shelf. What was sold stays sold; a price changes where the book's does.
pub(crate) async fn fill(connection: &mut SqliteConnection, book: &Book) -> Result<(), StoreError> {
    for piece in book.pieces() {
        sqlx::query(
            "INSERT INTO stock (item, left, sold, price, listed, gone) VALUES (?1, ?2, 0, ?3, ?3, 0) ON CONFLICT (item) \
             DO UPDATE SET price = CASE WHEN listed = ?3 THEN price ELSE ?3 END, listed = ?3",
        )
        .bind(&piece.id)
        .bind(piece.stock)
        .bind(piece.price)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// These items as they are now; what there is none of is not in it.
pub(crate) async fn look<'a>(
    connection: &mut SqliteConnection,
    book: &Book,
    items: impl IntoIterator<Item = &'a str>,
) -> Result<Shelf, StoreError> {
    let mut shelf = Shelf::new();
    for item in items.into_iter().collect::<BTreeSet<_>>() {
        let ware = match book.piece(item) {
            Some((goods, piece)) => {
                let found = sqlx::query("SELECT left, price, gone FROM stock WHERE item = ?1");
                let found = found.bind(item).fetch_optional(&mut *connection).await?;
                let Some(found) = found else { continue };
                let (left, gone): (i64, i64) = (found.try_get(0)?, found.try_get(2)?);
                Ware {
                    title: format!("{}, {}", goods.title, piece.title),
                    price: found.try_get(1)?,
                    left: if gone == 0 { left } else { 0 },
                    measured: piece.measured.clone(),
                    allergens: piece.allergens.clone(),
                    made: None,
                }
            }
            None => match quoted(connection, item).await? {
                Some(ware) => ware,
                None => continue,
            },
        };
        shelf.insert(item.to_owned(), ware);
    }
    Ok(shelf)
}

/// Everything of the book as it is now.
pub(crate) async fn all(connection: &mut SqliteConnection, book: &Book) -> Result<Shelf, StoreError> {
    look(connection, book, book.pieces().map(|piece| piece.id.as_str())).await
}

async fn quoted(connection: &mut SqliteConnection, item: &str) -> Result<Option<Ware>, StoreError> {
    let found = sqlx::query("SELECT title, price, body FROM quote WHERE item = ?1").bind(item);
    let Some(found) = found.fetch_optional(&mut *connection).await? else { return Ok(None) };
    let made: Made = serde_json::from_str(found.try_get(2)?)?;
    let (title, price) = (found.try_get(0)?, found.try_get(1)?);
    Ok(Some(Ware { title, price, left: i64::MAX, measured: None, allergens: None, made: Some(made) }))
}

/// Keeps a price for something that would be made.
pub(crate) async fn quote(
    connection: &mut SqliteConnection,
    item: &str,
    title: &str,
    price: i64,
    made: &Made,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR REPLACE INTO quote (item, package, title, price, body, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .bind(item)
    .bind(made.line.package.to_string())
    .bind(title)
    .bind(price)
    .bind(serde_json::to_string(made)?)
    .bind(integer(made.until))
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes so many from the heap.
///
/// # Errors
/// Where fewer are left: whoever asked has looked within the same transaction.
pub(crate) async fn take(connection: &mut SqliteConnection, item: &str, count: u32) -> Result<(), StoreError> {
    let taken = sqlx::query("UPDATE stock SET left = left - ?2, sold = sold + ?2 WHERE item = ?1 AND left >= ?2");
    let taken = taken.bind(item).bind(i64::from(count)).execute(connection).await?;
    if taken.rows_affected() == 1 { Ok(()) } else { Err(Broken(format!("{item} is not there to be taken")).into()) }
}

/// Puts so many back.
pub(crate) async fn put_back(connection: &mut SqliteConnection, item: &str, count: u32) -> Result<(), StoreError> {
    sqlx::query("UPDATE stock SET left = left + ?2, sold = sold - ?2 WHERE item = ?1 AND sold >= ?2")
        .bind(item)
        .bind(i64::from(count))
        .execute(connection)
        .await?;
    Ok(())
}

/// Items of which what is there turned out to be bad.
pub(crate) async fn gone(connection: &mut SqliteConnection) -> Result<BTreeSet<String>, StoreError> {
    let gone: Vec<String> = sqlx::query_scalar("SELECT item FROM stock WHERE gone = 1").fetch_all(connection).await?;
    Ok(gone.into_iter().collect())
}

/// What somebody who tests a platform says of an item.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Staged {
    item: String,
    #[serde(default)]
    price: Option<u32>,
    #[serde(default)]
    left: Option<u32>,
    #[serde(default)]
    gone: Option<bool>,
}

/// From now on it is so. Whether there is such an item.
pub(crate) async fn stage(connection: &mut SqliteConnection, staged: &Staged) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE stock SET price = coalesce(?2, price), left = coalesce(?3, left), gone = coalesce(?4, gone) WHERE item = ?1",
    )
    .bind(&staged.item)
    .bind(staged.price.map(i64::from))
    .bind(staged.left.map(i64::from))
    .bind(staged.gone.map(i64::from))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A moment as the database has it.
pub(crate) fn integer(at: Timestamp) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

/// A moment out of the database.
pub(crate) fn timestamp(at: i64) -> Timestamp {
    Timestamp(u64::try_from(at).unwrap_or_default())
}
