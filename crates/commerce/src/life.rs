//! What happens by itself: orders go on, banks answer, confirmations are written, what is over is forgotten.

use std::{io::Write as _, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::sync::watch;
use vestibule_model::Timestamp;

use crate::{
    app::App,
    desk,
    maker::UNAVAILABLE,
    rules::{
        life::{Around, step},
        order::{Record, Stage},
    },
    store::{StoreError, design, hook, known, order, session, shelf},
};

/// What is not due is looked at this often all the same: a clock may have been set.
const LOOK: Duration = Duration::from_secs(1);
/// How often what is over is forgotten, in milliseconds.
const SWEEP_MS: u64 = 60 * 60 * 1000;

/// Lets everything happen that is due, until the merchant stops.
pub(crate) async fn live(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut swept = Timestamp(0);
    loop {
        let now = app.clock.now();
        let mut done = advance(&app, now).await;
        if done.is_ok() && now.since(swept) >= SWEEP_MS {
            swept = now;
            done = sweep(&app, now).await;
        }
        let next = match done {
            Ok(()) => app.store.read(|connection| Box::pin(order::next_due(connection))).await,
            Err(error) => Err(error),
        };
        let wait = match next {
            Ok(next) => next.map_or(LOOK, |next| Duration::from_millis(next.since(app.clock.now())).min(LOOK)),
            Err(error) => {
                tracing::error!(%error, "what was due did not happen; it is tried again");
                LOOK
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = app.due.notified() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn advance(app: &Arc<App>, now: Timestamp) -> Result<(), StoreError> {
    let (orders, sessions, letters) = app
        .store
        .read(move |connection| {
            Box::pin(async move {
                let orders = order::due(connection, now).await?;
                let sessions = session::due(connection, now).await?;
                Ok((orders, sessions, hook::to_post(connection).await?))
            })
        })
        .await?;
    for id in letters {
        write_letter(app, id).await?;
    }
    let settled = sessions.into_iter().map(|id| {
        let working = app.clone();
        app.store
            .write(move |connection| Box::pin(async move { desk::settle(&working, connection, &id, None, now).await }))
    });
    // Together: they are committed together.
    join_all(settled).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let moved = join_all(orders.into_iter().map(|id| advance_one(app.clone(), id))).await;
    app.ring.notify_one();
    moved.into_iter().collect::<Result<Vec<_>, _>>().map(|_| ())
}

/// One order, one step. Whoever commits first wins: a cancelation that came meanwhile is seen here, or sees this.
async fn advance_one(app: Arc<App>, id: String) -> Result<(), StoreError> {
    let verdict = verdict(&app, &id).await?;
    let working = app.clone();
    app.store
        .write(move |connection| {
            Box::pin(async move {
                let now = working.clock.now();
                let Some(mut record) = order::load(connection, &id, None).await? else { return Ok(()) };
                if record.due.is_none_or(|due| due > now) {
                    return Ok(());
                }
                let before: Record = record.clone();
                let gone = shelf::gone(connection).await?;
                let waits = matches!(record.stage, Stage::Checked | Stage::Queued);
                let (mut ahead, mut making) = (0, 0);
                if waits {
                    making = order::standing(connection, Stage::InProduction, None).await?;
                    ahead = making + order::standing(connection, Stage::Queued, Some(&record)).await?;
                }
                let around = Around {
                    book: &working.book,
                    speed: working.speed,
                    seed: working.seed,
                    ahead,
                    making,
                    verdict,
                    gone: &gone,
                    key: &working.key,
                    profile: &working.profile_url,
                    now,
                };
                step(&mut record, &around)?;
                let had = (before.events.len(), before.adjustments.len());
                if record.stage == Stage::Rejected && before.stage != Stage::Rejected {
                    for line in before.lines.iter().filter(|line| line.made.is_none()) {
                        shelf::put_back(connection, line.item.id.as_str(), line.total).await?;
                    }
                }
                order::save(connection, &record, had, now).await?;
                if record.revision != before.revision {
                    hook::ring(connection, &id, &desk::new_uuid(), now).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Whether what was handed over is what was designed, for orders that are looked at now. Outside of the transaction:
/// it takes its time.
async fn verdict(app: &Arc<App>, id: &str) -> Result<Option<Result<(), String>>, StoreError> {
    let Some(maker) = &app.maker else { return Ok(None) };
    let wanted = id.to_owned();
    let record =
        app.store.read(move |connection| Box::pin(async move { order::load(connection, &wanted, None).await }));
    let Some(record) = record.await?.filter(|record| record.stage == Stage::Accepted) else { return Ok(None) };
    for made in record.lines.iter().filter_map(|line| line.made.as_ref()) {
        if let Err(unmade) = maker.verify(made.package, made.design).await {
            // That nobody could look is no answer: it is looked at later.
            return Ok((unmade.code != UNAVAILABLE).then_some(Err(unmade.says)));
        }
    }
    Ok(Some(Ok(())))
}

/// The confirmation that its buyer gets: a file here, a letter where a merchant has a post office.
async fn write_letter(app: &Arc<App>, id: String) -> Result<(), StoreError> {
    let wanted = id.clone();
    let found = app.store.read(move |connection| {
        Box::pin(async move {
            let record = order::load(connection, &wanted, None).await?;
            Ok((record, order::person(connection, &wanted).await?))
        })
    });
    if let (Some(record), Some(person)) = found.await? {
        let money = vestibule_model::Money::new(record.total, record.currency);
        let lines = record.lines.iter().map(|line| format!("{} x {}\n", line.ordered, line.item.title));
        let text = format!(
            "To: {}\nSubject: {} has your order {}\n\n{}Total: {money}\n{}\n",
            person.buyer.email.unwrap_or_default(),
            app.book.name,
            record.label,
            lines.collect::<String>(),
            record.permalink
        );
        let (folder, name) = (app.folder.join("mail"), format!("{id}.txt"));
        let written = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&folder)?;
            let mut file = tempfile::NamedTempFile::new_in(&folder)?;
            file.write_all(text.as_bytes())?;
            file.persist(folder.join(name)).map_err(|error| error.error).map(|_| ())
        });
        if let Err(error) = written.await.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            // It stays in the outbox.
            tracing::error!(%error, "a confirmation could not be written");
            return Ok(());
        }
    }
    app.store.write(move |connection| Box::pin(async move { hook::posted(connection, &id).await })).await
}

/// Forgets what is over: answers, carts, and after 30 days who bought something.
async fn sweep(app: &Arc<App>, now: Timestamp) -> Result<(), StoreError> {
    let found = app.store.read(move |connection| Box::pin(async move { order::to_forget(connection, now).await }));
    let mut forgotten = found.await?;
    remove_drafts(app);
    // The letter first: as long as a row says who bought it, the letter is looked for again.
    forgotten.retain(|(order, _)| is_removed(app, order));
    let pruned = app.store.write(move |connection| {
        Box::pin(async move {
            known::prune(connection, now).await?;
            session::prune(connection, now).await?;
            for (order, session) in &forgotten {
                order::forget(connection, order).await?;
                if let Some(mut session) = session::load(connection, session, None).await? {
                    session.forget();
                    session::save(connection, &session, None).await?;
                }
            }
            Ok(())
        })
    });
    pruned.await?;
    tidy(app, now).await
}

/// Removes letters that a merchant was killed over: none is written now.
fn remove_drafts(app: &App) {
    for entry in std::fs::read_dir(app.folder.join("mail")).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".tmp")
            && let Err(error) = std::fs::remove_file(entry.path())
        {
            tracing::warn!(%error, "a confirmation that was not finished could not be removed");
        }
    }
}

/// Removes an order's confirmation. Whether there is none any more.
fn is_removed(app: &App, order: &str) -> bool {
    match std::fs::remove_file(app.folder.join("mail").join(format!("{order}.txt"))) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, "a confirmation could not be removed; it is tried again");
            false
        }
        _ => true,
    }
}

/// Drops packages that nobody asked for in 30 days, and files that nothing is written down of.
async fn tidy(app: &Arc<App>, now: Timestamp) -> Result<(), StoreError> {
    let Some(maker) = &app.maker else { return Ok(()) };
    let _keeping = maker.keeping.lock().await;
    app.store.write(move |connection| Box::pin(async move { design::prune(connection, now).await })).await?;
    let known = app.store.read(|connection| Box::pin(design::all(connection))).await?;
    if let Err(error) = maker.drop_others(known).await {
        tracing::warn!(%error, "packages could not be removed");
    }
    Ok(())
}
