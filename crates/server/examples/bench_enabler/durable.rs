//! A durable modification beside a bare `fdatasync` and a SQLite transaction, one of each in turn.

use std::{
    fmt::Write as _,
    io::{Seek as _, SeekFrom, Write as _},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use vestibule_model::TwinInfo;
use vestibule_protocol::{DiiUp, Request, Response};
use vestibule_server::{Hub, HubConfig, Peer, SessionHandle};
use vestibule_store::{EventLog, NewLine, SqliteLog};

use crate::{
    house::{EACH, system, system_id, twin},
    numbers::{Sample, count, ratio, time},
};

/// Who writes at the same time.
const WRITERS: usize = 64;
const LASTS: Duration = Duration::from_secs(5);
/// Bytes that a disk writes at once, and how many such places are written one after the other.
const BLOCK: usize = 4_096;
const BLOCKS: usize = 256;

pub struct Durable {
    bare: Sample,
    over: Sample,
    sqlite: Sample,
    log: Sample,
    ours: Sample,
    together: f64,
}

async fn peer(folder: &std::path::Path) -> SqliteConnection {
    let mut connection = SqliteConnectOptions::new()
        .filename(folder.join("peer.sqlite"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
        .connect()
        .await
        .expect("a database");
    sqlx::query("CREATE TABLE line (id INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT")
        .execute(&mut connection)
        .await
        .expect("a table");
    connection
}

async fn session(hub: &Hub, index: usize) -> SessionHandle {
    let (session, mut outgoing) = hub.open(Peer::Local(system_id(index))).await.expect("a session");
    tokio::spawn(async move { while outgoing.recv().await.is_some() {} });
    say(&session, DiiUp::Register(system(index))).await;
    session
}

async fn say(session: &SessionHandle, message: DiiUp) {
    match session.request(Request::Dii(message)).await {
        Response::Done => {}
        other => panic!("{other:?}"),
    }
}

/// A description that differs from the one before.
fn change(mut info: TwinInfo, round: usize) -> DiiUp {
    info.name = format!("Twin in round {round}");
    DiiUp::Describe(Box::new(info))
}

pub async fn measure(rounds: usize) -> Durable {
    let folder = tempfile::tempdir().expect("a folder");
    let hub = Hub::start(HubConfig::new(folder.path().join("data"), "bench")).await.expect("a hub");
    let payload = serde_json::to_vec(&twin(0)).expect("JSON");
    let mut file = std::fs::File::create(folder.path().join("bare")).expect("a file");
    let mut round_file = written_over(&folder.path().join("over"));
    let mut peer = peer(folder.path()).await;
    let writer = session(&hub, 0).await;
    let log = SqliteLog::open(folder.path().join("log.sqlite")).await.expect("a log");
    let mut head = log.head().await.expect("a head");
    let [mut bare, mut over, mut sqlite, mut alone, mut ours] = std::array::from_fn(|_| Vec::new());
    for round in 0..rounds {
        let start = Instant::now();
        file.write_all(&payload).and_then(|()| file.sync_data()).expect("written");
        bare.push(start.elapsed());
        let at = SeekFrom::Start((round % BLOCKS * BLOCK) as u64);
        let start = Instant::now();
        let written = round_file.seek(at).and_then(|_| round_file.write_all(&payload));
        written.and_then(|()| round_file.sync_data()).expect("written");
        over.push(start.elapsed());
        let start = Instant::now();
        let insert = sqlx::query("INSERT INTO line (payload) VALUES (?)").bind(payload.as_slice());
        insert.execute(&mut peer).await.expect("inserted");
        sqlite.push(start.elapsed());
        let line = NewLine { at: crate::house::NOW, payload: payload.clone() };
        let start = Instant::now();
        head = log.append_here(head, vec![line], Vec::new()).await.expect("appended");
        alone.push(start.elapsed());
        let asked = change(twin(0), round);
        let start = Instant::now();
        say(&writer, asked).await;
        ours.push(start.elapsed());
    }
    let together = together(&hub).await;
    hub.shutdown().await;
    let [bare, over, sqlite, log, ours] = [bare, over, sqlite, alone, ours].map(Sample::new);
    Durable { bare, over, sqlite, log, ours, together }
}

/// A file that does not grow: the disk writes down no new length.
fn written_over(path: &std::path::Path) -> std::fs::File {
    let mut file = std::fs::File::create(path).expect("a file");
    file.write_all(&vec![0; BLOCK * BLOCKS]).and_then(|()| file.sync_all()).expect("written");
    file
}

/// Modifications a second of many writers, each waiting for its own answer.
async fn together(hub: &Hub) -> f64 {
    let mut writers = Vec::new();
    for index in 1..=WRITERS {
        writers.push(session(hub, index).await);
    }
    let done = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let tasks = writers.into_iter().zip(1..).map(|(writer, index)| {
        let done = done.clone();
        tokio::spawn(async move {
            let (twin, mut round) = (twin(index * EACH), 0);
            while start.elapsed() < LASTS {
                round += 1;
                say(&writer, change(twin.clone(), round)).await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("a writer");
    }
    done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

impl Durable {
    pub fn write(&self, page: &mut String) {
        let Self { bare, over, sqlite, log, ours, together } = self;
        let _ = writeln!(
            page,
            "## A durable modification\n\n\
             - ours / bare `fdatasync`, p50: **{:.2}** (aim: at most 1.3); p99: {:.2}\n\
             - ours / SQLite (WAL, `synchronous=FULL`, one transaction each), p50: **{:.2}**\n\
             - {WRITERS} writers / one SQLite transaction after the other: **{:.1} times** (aim: at least 10)\n",
            ratio(ours.percentile(50), bare.percentile(50)),
            ratio(ours.percentile(99), bare.percentile(99)),
            ratio(ours.percentile(50), sqlite.percentile(50)),
            together / sqlite.rate(),
        );
        let _ = writeln!(page, "| | p50 | p99 | a second |\n| --- | --- | --- | --- |");
        for (name, sample) in [
            ("bare `fdatasync`", bare),
            ("the same, written over", over),
            ("SQLite", sqlite),
            ("our log alone", log),
            ("ours, one writer", ours),
        ] {
            let (p50, p99) = (time(sample.percentile(50)), time(sample.percentile(99)));
            let _ = writeln!(page, "| {name} | {p50} | {p99} | {} |", count(sample.rate()));
        }
        let _ = writeln!(page, "| ours, {WRITERS} writers | | | {} |\n", count(*together));
    }
}
