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
