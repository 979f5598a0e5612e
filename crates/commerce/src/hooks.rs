//! Snapshots of orders, told to the platforms that ordered.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use reqwest::Client;
use tokio::sync::watch;
use vestibule_ucp::{Endpoint, Envelope, Parts, Subject, sign_request, write};

use crate::{
    app::App,
    desk,
    store::{StoreError, hook},
};

/// What is not due is looked at this often all the same.
const LOOK: Duration = Duration::from_secs(1);

/// Tells what has to be told, until the merchant stops.
pub(crate) async fn tell(app: Arc<App>, client: Client, mut stop: watch::Receiver<bool>) {
    loop {
        let wait = match round(&app, &client).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(%error, "webhooks cannot be told; it is tried again");
                LOOK
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = app.ring.notified() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn round(app: &Arc<App>, client: &Client) -> Result<Duration, StoreError> {
    let now = app.clock.now();
    let due = app.store.read(move |connection| Box::pin(async move { hook::due(connection, now).await })).await?;
    let told = join_all(due.into_iter().map(|hook| one(app.clone(), client.clone(), hook))).await;
    told.into_iter().collect::<Result<Vec<_>, _>>()?;
    let next = app.store.read(|connection| Box::pin(hook::next_due(connection))).await?;
    Ok(next.map_or(LOOK, |next| Duration::from_millis(next.since(app.clock.now())).min(LOOK)))
}

async fn one(app: Arc<App>, client: Client, hook: hook::Hook) -> Result<(), StoreError> {
    let taken = match hook.url.as_deref().map(Endpoint::new) {
        // Rows of before may say anything.
        Some(Ok(url)) if app.profiles.may_ask(&url) => send(&app, &client, &hook, &url).await?,
        // A platform that wants to hear nothing asks for itself.
        _ => true,
    };
    let now = app.clock.now();
    app.store
        .write(move |connection| {
            Box::pin(async move {
                if taken { hook::done(connection, &hook).await } else { hook::failed(connection, &hook, now).await }
            })
        })
        .await
}

/// Sends the newest snapshot. Whether it was taken.
async fn send(app: &App, client: &Client, hook: &hook::Hook, url: &Endpoint) -> Result<bool, StoreError> {
    let id = hook.orders.clone();
    let order = app.store.read(move |connection| Box::pin(async move { desk::snapshot(connection, &id, None).await }));
    let Some(order) = order.await? else { return Ok(true) };
    let Ok(body) = write(&order) else { return Ok(false) };
    let now = app.clock.now();
    let envelope = Envelope { id: hook.id.clone(), at: now, agent: app.profile_url.clone() };
    let own = envelope.headers();
    let mut headers: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    headers.push(("content-type", "application/json"));
    let parts = Parts {
        subject: Subject::Method("POST"),
        authority: url.authority(),
        secure: url.is_secure(),
        path: url.path(),
        query: None,
        headers: &headers,
        body: &body,
    };
    let signed = match sign_request(&parts, &app.key, now) {
        Ok(signed) => signed,
        Err(error) => {
            tracing::error!(%error, "a webhook cannot be signed");
            return Ok(false);
        }
    };
    let mut request = client.post(url.as_str());
    for (name, value) in headers.iter().copied().chain(signed.headers()) {
        request = request.header(name, value);
    }
    match request.body(body).send().await {
        Ok(answer) if answer.status().is_success() => Ok(true),
        Ok(answer) => {
            tracing::info!(status = answer.status().as_u16(), order = hook.orders, "a webhook was not taken");
            Ok(false)
        }
        Err(error) => {
            tracing::info!(%error, order = hook.orders, "a webhook did not arrive");
            Ok(false)
        }
    }
}
