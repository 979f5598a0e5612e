//! From a data folder to an enabler that answers: by the whole log, and by a snapshot.

use std::{
    fmt::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use vestibule_model::{RoleId, UserId};
use vestibule_server::{Hub, HubConfig, LOG_FILE, SNAPSHOT_FOLDER};
use vestibule_store::{EventLog, NewLine, Snapshots, SqliteLog};

use crate::{
    house::{NOW, events},
    numbers::{count, ratio, time},
};

pub struct Restart {
    twins: usize,
    log: Duration,
    snapshot: Duration,
    bytes: u64,
}

async fn fill(data: &Path, twins: usize) {
    std::fs::create_dir_all(data).expect("a folder");
    let log = SqliteLog::open(data.join(LOG_FILE)).await.expect("a log");
    let mut head = log.head().await.expect("a head");
    let mut lines = Vec::new();
    for event in events(twins) {
        lines.push(NewLine { at: NOW, payload: event.written().expect("JSON").0 });
        if lines.len() == 10_000 {
            head = log.append(head, std::mem::take(&mut lines), Vec::new()).await.expect("appended");
        }
    }
    log.append(head, lines, Vec::new()).await.expect("appended");
    log.close().await;
}

async fn start(data: &Path) -> (Duration, Hub) {
    let start = Instant::now();
    let hub = Hub::start(HubConfig::new(data, "bench")).await.expect("a hub");
    assert!(hub.status().await.running);
    (start.elapsed(), hub)
}

pub async fn measure(twins: usize) -> Restart {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fill(&data, twins).await;
    let (log, hub) = start(&data).await;
    // One more decision, behind so many lines, has a snapshot written.
    hub.enroll([9; 32], UserId::slug("another"), vec![RoleId::slug("guest")]).await.expect("enrolled");
    let snapshots = Snapshots::look(data.join(SNAPSHOT_FOLDER));
    let began = Instant::now();
    // A small house has none: it starts from its log.
    while snapshots.list().is_empty() && twins >= 20_000 && began.elapsed() < Duration::from_secs(300) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    hub.shutdown().await;
    let bytes = snapshots.list().first().map_or(0, |file| file.path.metadata().map_or(0, |about| about.len()));
    let (snapshot, hub) = start(&data).await;
    hub.shutdown().await;
    Restart { twins, log, snapshot, bytes }
}

pub fn write(restarts: &[Restart], page: &mut String) {
    let _ = writeln!(page, "## Restart\n");
    if let Some(last) = restarts.last() {
        let faster = ratio(last.log, last.snapshot);
        let (twins, took) = (count(last.twins as f64), time(last.snapshot));
        let _ = writeln!(
            page,
            "- the whole log / a snapshot, {twins} twins: **{faster:.1} times**; from the snapshot: **{took}**\n"
        );
    }
    let _ = writeln!(
        page,
        "| twins | from the whole log, verified | from a snapshot | its size |\n| --- | --- | --- | --- |"
    );
    for restart in restarts {
        let (log, snapshot) = (time(restart.log), time(restart.snapshot));
        let size = if restart.bytes == 0 {
            "none, the log is short".to_owned()
        } else {
            format!("{:.1} MiB", restart.bytes as f64 / f64::from(1 << 20))
        };
        let _ = writeln!(page, "| {} | {log} | {snapshot} | {size} |", count(restart.twins as f64));
    }
    let _ = writeln!(page);
}
