//! Looking up, finding and asking for permission, as the registry grows; beside indexed JSON in SQLite.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use vestibule_enabler_core::{Hot, Viewer, decide, may_read};
use vestibule_model::*;
use vestibule_protocol::{Request, Response};

use crate::{
    house::{EACH, NOW, events, kind, owner, state, system, system_id, twin, twin_id},
    numbers::{Sample, count, ratio, time},
};

pub struct Registry {
    twins: usize,
    by_id: Sample,
    found: Sample,
    checked: Sample,
    peer_by_id: Sample,
    peer_found: Sample,
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

/// Systems on this floor that have a lock: two conditions, the first fifty.
fn query(floor: usize) -> SystemQuery {
    SystemQuery {
        properties: [("floor".to_owned(), floor.to_string())].into(),
        feature: Some(FeatureKind::Lock),
        limit: 50,
        ..SystemQuery::default()
    }
}

async fn peer(twins: usize) -> SqliteConnection {
    let mut peer =
        SqliteConnectOptions::new().in_memory(true).disable_statement_logging().connect().await.expect("it opens");
    for sql in [
        "CREATE TABLE system (id TEXT PRIMARY KEY, doc TEXT NOT NULL) STRICT, WITHOUT ROWID",
        // Columns with the affinity of what they are compared with: SQLite does not use an index of bare expressions here.
        "CREATE TABLE twin (id TEXT PRIMARY KEY, doc TEXT NOT NULL, \
         system TEXT GENERATED ALWAYS AS (json_extract(doc, '$.system')) VIRTUAL, \
         kind TEXT GENERATED ALWAYS AS (json_extract(doc, '$.kind')) VIRTUAL) STRICT, WITHOUT ROWID",
        "CREATE INDEX system_floor ON system (json_extract(doc, '$.properties.floor'), id)",
        "CREATE INDEX twin_kind ON twin (system, kind)",
    ] {
        sqlx::query(sql).execute(&mut peer).await.expect("made");
    }
    let mut transaction = peer.begin().await.expect("begun");
    for index in 0..twins.div_ceil(EACH) {
        let doc = serde_json::to_string(&system(index)).expect("JSON");
        let insert = sqlx::query("INSERT INTO system VALUES (?, ?)").bind(system_id(index).to_string()).bind(doc);
        insert.execute(&mut *transaction).await.expect("inserted");
    }
    for index in 0..twins {
        let mut doc = serde_json::to_value(twin(index)).expect("JSON");
        doc["system"] = system_id(index / EACH).to_string().into();
        doc["kind"] = serde_json::to_value(kind(index)).expect("JSON");
        let insert = sqlx::query("INSERT INTO twin (id, doc) VALUES (?, ?)")
            .bind(twin_id(index).to_string())
            .bind(doc.to_string());
        insert.execute(&mut *transaction).await.expect("inserted");
    }
    transaction.commit().await.expect("committed");
    peer
}

const BY_ID: &str = "SELECT doc FROM twin WHERE id = ?";
const FOUND: &str = "SELECT id, doc FROM system WHERE json_extract(doc, '$.properties.floor') = ? AND EXISTS \
    (SELECT 1 FROM twin WHERE twin.system = system.id AND twin.kind = 'lock') \
    ORDER BY id LIMIT 50";

async fn peers(twins: usize, rounds: usize, rng: &mut StdRng) -> (Sample, Sample) {
    let mut peer = peer(twins).await;
    let (mut by_id, mut found) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let id = twin_id(rng.random_range(0..twins)).to_string();
        let start = Instant::now();
        let row = sqlx::query(BY_ID).bind(id).fetch_one(&mut peer).await.expect("found");
        let info: TwinInfo = serde_json::from_str(row.get("doc")).expect("a twin");
        by_id.push(start.elapsed());
        assert!(!info.features.is_empty());
    }
    for _ in 0..rounds.min(500) {
        let floor = rng.random_range(0..10).to_string();
        let start = Instant::now();
        let rows = sqlx::query(FOUND).bind(floor).fetch_all(&mut peer).await.expect("found");
        let systems: Vec<SystemInfo> =
            rows.iter().map(|row| serde_json::from_str(row.get("doc")).expect("a system")).collect();
        found.push(start.elapsed());
        assert!(!systems.is_empty() || twins < 10 * EACH);
    }
    (Sample::new(by_id), Sample::new(found))
}

pub fn measure(runtime: &tokio::runtime::Runtime, twins: usize, rounds: usize) -> Registry {
    let mut rng = StdRng::seed_from_u64(1);
    let state = state(twins);
    let hot = Hot::restore(&state, NOW);
    let owner = owner();
    let viewer = Viewer::of(&state, NOW, &owner).expect("the owner");
    assert!(events(0).count() > 0);
    let (mut by_id, mut found, mut checked) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let request = Request::DescribeTwin(twin_id(rng.random_range(0..twins)));
        let (took, decision) = timed(|| decide(&state, &hot, NOW, &owner, &request));
        assert!(matches!(decision.expect("decided").reply, Some(Response::Twins(_))));
        by_id.push(took);
    }
    for _ in 0..rounds.min(500) {
        let request = Request::DiscoverSystems(query(rng.random_range(0..10)));
        let (took, decision) = timed(|| decide(&state, &hot, NOW, &owner, &request));
        let Some(Response::Systems(systems)) = decision.expect("decided").reply else { panic!("no systems") };
        assert!(systems.len() <= 50 && (!systems.is_empty() || twins < 10 * EACH));
        found.push(took);
    }
    let feature = FeatureId::slug("part");
    for _ in 0..rounds {
        let twin = twin_id(rng.random_range(0..twins));
        let (took, may) = timed(|| may_read(&state, &viewer, &twin, Some(&feature)));
        assert!(may);
        checked.push(took);
    }
    let (peer_by_id, peer_found) = runtime.block_on(peers(twins, rounds, &mut rng));
    Registry {
        twins,
        by_id: Sample::new(by_id),
        found: Sample::new(found),
        checked: Sample::new(checked),
        peer_by_id,
        peer_found,
    }
}

/// The same as a curve, without the peer: its values would press ours to the ground.
fn curve(registries: &[Registry], page: &mut String) {
    let line = |of: fn(&Registry) -> &Sample| {
        let medians = registries.iter().map(|registry| of(registry).percentile(50).as_secs_f64() * 1e6);
        medians.map(|median| format!("{median:.1}")).collect::<Vec<_>>().join(", ")
    };
    let sizes: Vec<_> = registries.iter().map(|registry| format!("\"{}\"", count(registry.twins as f64))).collect();
    let _ = writeln!(
        page,
        "```mermaid\nxychart-beta\n    title \"p50 as the registry grows tenfold: by id, and two conditions\"\n    \
         x-axis \"twins\" [{}]\n    y-axis \"microseconds\"\n    line \"by id\" [{}]\n    \
         line \"two conditions, first 50\" [{}]\n```\n",
        sizes.join(", "),
        line(|registry| &registry.by_id),
        line(|registry| &registry.found),
    );
}

pub fn write(registries: &[Registry], page: &mut String) {
    let _ = writeln!(page, "## Reading and finding\n");
    if let Some(last) = registries.last() {
        let _ = writeln!(
            page,
            "With {} twins:\n\n\
             - SQLite's indexed JSON / ours, two conditions, first 50, p99: **{:.1} times** (aim: at least 20)\n\
             - SQLite's indexed JSON / ours, by id, p99: **{:.1} times**\n\
             - by id p99: **{}** (aim: at most 50 µs); two conditions, first 50, p99: **{}** (aim: at most 5 ms)\n",
            count(last.twins as f64),
            ratio(last.peer_found.percentile(99), last.found.percentile(99)),
            ratio(last.peer_by_id.percentile(99), last.by_id.percentile(99)),
            time(last.by_id.percentile(99)),
            time(last.found.percentile(99)),
        );
    }
    let _ = writeln!(page, "As the registry grows tenfold (p50 / p99, and how many a second one core does):\n");
    let _ = writeln!(
        page,
        "| twins | by id | SQLite | two conditions, first 50 | SQLite | permission check |\n| --- | --- | --- | --- | --- | --- |"
    );
    for registry in registries {
        let cell = |sample: &Sample| {
            let (p50, p99) = (time(sample.percentile(50)), time(sample.percentile(99)));
            format!("{p50} / {p99}, {} /s", count(sample.rate()))
        };
        let Registry { twins, by_id, found, checked, peer_by_id, peer_found } = registry;
        let cells = [by_id, peer_by_id, found, peer_found, checked].map(cell).join(" | ");
        let _ = writeln!(page, "| {} | {cells} |", count(*twins as f64));
    }
    let _ = writeln!(page);
    curve(registries, page);
}
