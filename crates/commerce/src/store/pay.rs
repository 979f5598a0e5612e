//! Tokens of the sandbox.

use sqlx::{Row as _, SqliteConnection};
use vestibule_model::Timestamp;

use super::{
    StoreError,
    shelf::{integer, timestamp},
};

/// A token, and what it is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) token: String,
    pub(crate) session: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) card: String,
    pub(crate) until: Timestamp,
}

/// Keeps a token.
pub(crate) async fn keep(connection: &mut SqliteConnection, token: &Token) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO token (token, session, amount, currency, card, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .bind(&token.token)
        .bind(&token.session)
        .bind(token.amount)
        .bind(&token.currency)
        .bind(&token.card)
        .bind(integer(token.until))
        .execute(connection)
        .await?;
    Ok(())
}

/// A token that was kept and not used.
pub(crate) async fn find(connection: &mut SqliteConnection, token: &str) -> Result<Option<Token>, StoreError> {
    let found = sqlx::query(
        "SELECT session, amount, currency, card, until FROM token WHERE token = ?1 \
         AND NOT EXISTS (SELECT 1 FROM payment WHERE payment.token = token.token)",
    );
    let Some(found) = found.bind(token).fetch_optional(connection).await? else { return Ok(None) };
    Ok(Some(Token {
        token: token.to_owned(),
        session: found.try_get(0)?,
        amount: found.try_get(1)?,
        currency: found.try_get(2)?,
        card: found.try_get(3)?,
        until: timestamp(found.try_get(4)?),
    }))
}

/// Tokens of one session: nobody tries more cards.
const MOST: i64 = 64;

/// Whether a session may have another token.
pub(crate) async fn has_room(connection: &mut SqliteConnection, session: &str) -> Result<bool, StoreError> {
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM token WHERE session = ?1").bind(session).fetch_one(connection).await?;
    Ok(count < MOST)
}
