use std::time::Instant;

use super::*;
use crate::{BadLine, Fault};

fn new(text: &str) -> NewLine {
    NewLine { at: Timestamp(1_700_000_000_000), payload: text.as_bytes().to_vec() }
}

async fn raw(log: &SqliteLog, sql: &'static str) {
    let mut guard = log.connection.lock().await;
    sqlx::query(sql).execute(guard.as_mut().unwrap()).await.unwrap();
}

async fn five(dir: &Path) -> (SqliteLog, Head) {
    let log = SqliteLog::open(dir.join("log.sqlite")).await.unwrap();
    let lines = ["one", "two", "three", "four", "five"].map(new).to_vec();
    let head = log.append(Head::EMPTY, lines, Vec::new()).await.unwrap();
    (log, head)
}

#[tokio::test]
async fn what_was_appended_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let (log, head) = five(dir.path()).await;
    // Not closed, as after a kill.
    std::mem::forget(log);
    let log = SqliteLog::open(dir.path().join("log.sqlite")).await.unwrap();
    assert_eq!(log.head().await.unwrap(), head);
    let lines = log.read(1, 2).await.unwrap();
    assert_eq!(lines.iter().map(|l| l.payload.as_slice()).collect::<Vec<_>>(), [b"two".as_slice(), b"three"]);
    assert_eq!(log.read(u64::MAX, 2).await.unwrap(), []);
    assert_eq!(log.verify().await.unwrap(), VerifyReport { lines: 5, from: Head::EMPTY, head });
    assert!(
        matches!(log.append(Head::EMPTY, vec![new("x")], Vec::new()).await, Err(StoreError::Moved(at)) if at == head)
    );
    assert_eq!(log.append(head, vec![new("six")], Vec::new()).await.unwrap().sequence, 6);
}

#[tokio::test]
async fn every_way_to_rewrite_history_is_found() {
    let cases: [(&'static str, u64, Fault); 6] = [
        ("UPDATE log SET payload = X'7477EE' WHERE sequence = 2", 2, Fault::Changed),
        ("UPDATE log SET at = at + 1 WHERE sequence = 3", 3, Fault::Changed),
        ("DELETE FROM log WHERE sequence = 4", 4, Fault::Missing),
        ("DELETE FROM log WHERE sequence = 5", 5, Fault::CutOff),
        (
            "UPDATE log SET payload = CASE sequence WHEN 1 THEN X'74776F' ELSE X'6F6E65' END WHERE sequence < 3",
            1,
            Fault::Changed,
        ),
        (
            "INSERT INTO log (sequence, at, payload, hash) SELECT 6, at, payload, hash FROM log WHERE sequence = 5",
            6,
            Fault::Changed,
        ),
    ];
    for (sql, sequence, fault) in cases {
        let dir = tempfile::tempdir().unwrap();
        let (log, _) = five(dir.path()).await;
        raw(&log, sql).await;
        match log.verify().await {
            Err(StoreError::Bad(bad)) => assert_eq!(bad, BadLine { sequence, fault }, "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_byte_changed_in_the_file_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = five(dir.path()).await;
    log.close().await;
    let file = dir.path().join("log.sqlite");
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.windows(5).position(|window| window == b"three").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let log = SqliteLog::open(&file).await.unwrap();
    let error = log.verify().await.unwrap_err();
    assert!(matches!(error, StoreError::Bad(BadLine { sequence: 3, fault: Fault::Changed })), "{error}");
}

#[tokio::test]
async fn a_full_disk_is_said_and_survived() {
    let dir = tempfile::tempdir().unwrap();
    let (log, head) = five(dir.path()).await;
    log.limit(0).await.unwrap();
    let big = NewLine { at: Timestamp(1), payload: vec![b'x'; 100_000] };
    let error = log.append(head, vec![new("six"), big.clone()], Vec::new()).await.unwrap_err();
    assert!(matches!(error, StoreError::Full), "{error}");
    assert_eq!(log.head().await.unwrap(), head, "all or none");
    log.limit(100_000_000).await.unwrap();
    assert_eq!(log.append(head, vec![new("six"), big], Vec::new()).await.unwrap().sequence, 7);
    assert_eq!(log.verify().await.unwrap().lines, 7);
}

#[tokio::test]
async fn what_is_no_log_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.sqlite");
    std::fs::write(&file, vec![b'?'; 5_000]).unwrap();
    let error = SqliteLog::open(&file).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
    let log = SqliteLog::open(dir.path().join("other.sqlite")).await.unwrap();
    raw(&log, "UPDATE form SET version = 99").await;
    log.close().await;
    let error = SqliteLog::open(dir.path().join("other.sqlite")).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, known: SCHEMA }), "{error}");
}

/// Prints lines a second; says nothing about how many there should be.
#[tokio::test]
async fn reading_back_takes_a_moment() {
    let dir = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(dir.path().join("log.sqlite")).await.unwrap();
    let lines = (0..20_000).map(|n| new(&format!("{{\"command_accepted\":{{\"n\":{n}}}}}"))).collect();
    let start = Instant::now();
    log.append(Head::EMPTY, lines, Vec::new()).await.unwrap();
    let written = start.elapsed();
    let start = Instant::now();
    assert_eq!(log.verify().await.unwrap().lines, 20_000);
    println!("20000 lines: written in {written:?} (one transaction), verified in {:?}", start.elapsed());
}

#[tokio::test]
async fn a_reader_reads_beside_the_writer_and_never_writes() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.sqlite");
    assert!(SqliteLog::read_only(&file).await.is_err());
    assert!(!file.exists());
    let writer = SqliteLog::open(&file).await.unwrap();
    let head = writer
        .append(Head::EMPTY, vec![NewLine { at: Timestamp(1), payload: b"{}".to_vec() }], Vec::new())
        .await
        .unwrap();
    let reader = SqliteLog::read_only(&file).await.unwrap();
    assert_eq!(reader.verify().await.unwrap().head, head);
    assert!(
        reader.append(head, vec![NewLine { at: Timestamp(2), payload: b"{}".to_vec() }], Vec::new()).await.is_err()
    );
    let head =
        writer.append(head, vec![NewLine { at: Timestamp(2), payload: b"{}".to_vec() }], Vec::new()).await.unwrap();
    assert_eq!(reader.head().await.unwrap(), head);
    writer.close().await;
    assert_eq!(SqliteLog::read_only(&file).await.unwrap().head().await.unwrap(), head);
}

/// SQLite's files as they are at this moment: what a disk may have of them after a loss of power, no matter what followed.
struct OnDisk(Vec<(&'static str, Vec<u8>)>);

impl OnDisk {
    fn of(dir: &Path) -> Self {
        Self(["log.sqlite", "log.sqlite-wal"].map(|name| (name, std::fs::read(dir.join(name)).unwrap())).into())
    }

    /// With what was written ahead of them, the log that a start finds; `damage`: what else happened to that.
    async fn started(&self, dir: &Path, damage: impl FnOnce(&mut Vec<u8>)) -> (tempfile::TempDir, SqliteLog) {
        let after = tempfile::tempdir().unwrap();
        for (name, bytes) in &self.0 {
            std::fs::write(after.path().join(name), bytes).unwrap();
        }
        let mut ahead = std::fs::read(dir.join("log.sqlite.ahead")).unwrap();
        damage(&mut ahead);
        std::fs::write(after.path().join("log.sqlite.ahead"), ahead).unwrap();
        let log = SqliteLog::open(after.path().join("log.sqlite")).await.unwrap();
        (after, log)
    }
}

#[tokio::test]
async fn a_loss_of_power_takes_nothing_that_was_appended() {
    let dir = tempfile::tempdir().unwrap();
    let (log, mut head) = five(dir.path()).await;
    let mut on_disk = OnDisk::of(dir.path());
    for round in 0..40_u64 {
        // Most are small; some wait for SQLite's file, because they are large or somebody wants it so.
        let lines: Vec<_> = (0..=round % 3).map(|n| new(&format!("round {round}, line {n}"))).collect();
        head = match round % 13 {
            5 => log.append_here(head, vec![new(&"x".repeat(20_000))], Vec::new()).await.unwrap(),
            9 => log.append(head, lines, Vec::new()).await.unwrap(),
            _ => log.append_here(head, lines, Vec::new()).await.unwrap(),
        };
        if matches!(round % 13, 5 | 9) {
            on_disk = OnDisk::of(dir.path());
        }
        let (after, started) = on_disk.started(dir.path(), |_| {}).await;
        assert_eq!(started.verify().await.unwrap().head, head, "round {round}");
        let next = started.append_here(head, vec![new("goes on")], Vec::new()).await.unwrap();
        let (_again, started) = OnDisk::of(after.path()).started(after.path(), |_| {}).await;
        assert_eq!(started.verify().await.unwrap().head, next, "lines are taken in once");
    }
}

#[tokio::test]
async fn what_is_written_ahead_goes_round_and_waits_for_the_file_once_a_round() {
    let dir = tempfile::tempdir().unwrap();
    let (log, mut head) = five(dir.path()).await;
    // As many as there are blocks, then one that waits.
    for round in 0..257 {
        head = log.append_here(head, vec![new(&format!("round {round}"))], Vec::new()).await.unwrap();
    }
    let on_disk = OnDisk::of(dir.path());
    for round in 257..300 {
        head = log.append_here(head, vec![new(&format!("round {round}"))], Vec::new()).await.unwrap();
    }
    let (_after, started) = on_disk.started(dir.path(), |_| {}).await;
    assert_eq!(started.verify().await.unwrap().head, head);
}

#[tokio::test]
async fn what_was_torn_or_refused_is_not_taken_in() {
    let dir = tempfile::tempdir().unwrap();
    let (log, head) = five(dir.path()).await;
    let on_disk = OnDisk::of(dir.path());
    let six = log.append_here(head, vec![new("six")], Vec::new()).await.unwrap();
    log.append_here(six, vec![new("seven, torn")], Vec::new()).await.unwrap();
    let torn = |ahead: &mut Vec<u8>| {
        let at = ahead.windows(4).position(|window| window == b"torn").unwrap();
        ahead[at] = 0;
    };
    let (dir, log) = on_disk.started(dir.path(), torn).await;
    assert_eq!(log.verify().await.unwrap().head, six);
    let on_disk = OnDisk::of(dir.path());
    log.limit(0).await.unwrap();
    let big = NewLine { at: Timestamp(1), payload: vec![b'x'; 12_000] };
    let refused = log.append_here(six, vec![big.clone()], Vec::new()).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    let moved = log.append_here(head, vec![new("too late")], Vec::new()).await;
    assert!(matches!(moved, Err(StoreError::Moved(at)) if at == six), "{moved:?}");
    let (_other, started) = on_disk.started(dir.path(), |_| {}).await;
    assert_eq!(started.head().await.unwrap(), six, "what was refused did not happen");
    log.limit(100_000_000).await.unwrap();
    assert_eq!(log.append_here(six, vec![big], Vec::new()).await.unwrap().sequence, 7);
    assert_eq!(log.verify().await.unwrap().lines, 7);
}

/// SQLite leaves out pages whose bytes stay as they are: then nothing is waited for, and nothing before it is durable.
#[tokio::test]
async fn a_touch_is_written_though_it_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (log, head) = five(dir.path()).await;
    let wal = || std::fs::read(dir.path().join("log.sqlite-wal")).unwrap();
    for _ in 0..3 {
        let before = wal();
        quick::touch(log.connection.lock().await.as_mut().unwrap()).await.unwrap();
        assert_ne!(before, wal());
    }
    assert_eq!((log.verify().await.unwrap().head, log.head().await.unwrap()), (head, head));
}

#[tokio::test]
async fn what_left_the_log_is_not_ahead_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let (log, head) = five(dir.path()).await;
    let six = log.append_here(head, vec![new("the sixth")], Vec::new()).await.unwrap();
    let seven = log.append_here(six, vec![new("seven")], Vec::new()).await.unwrap();
    log.cut(six).await.unwrap();
    let ahead = std::fs::read(dir.path().join("log.sqlite.ahead")).unwrap();
    assert!(ahead.iter().all(|byte| *byte == 0));
    let (_after, started) = OnDisk::of(dir.path()).started(dir.path(), |_| {}).await;
    assert_eq!(started.verify().await.unwrap(), VerifyReport { lines: 1, from: six, head: seven });
}
