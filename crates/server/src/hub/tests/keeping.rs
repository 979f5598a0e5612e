//! Snapshots, cuts and erasures, on real files.

use std::{collections::BTreeSet, path::Path};

use vestibule_enabler_core::State;
use vestibule_store::{SqliteLog, VerifyReport};

use super::{
    third_party::{answer, call, shop},
    *,
};

const OTHER: [u8; 32] = [3; 32];
const DAY: u64 = 86_400_000;
/// Hundredths of a second until a test gives up: a minute, for machines that do much else.
const PATIENCE: usize = 6_000;

fn config(data: &Path, clock: &Clock, keeping: Keeping) -> HubConfig {
    HubConfig { clock: clock.clone(), keeping, ..HubConfig::new(data, "test") }
}

fn often() -> Keeping {
    Keeping { snapshot_lines: 3, ..Keeping::default() }
}

async fn start(data: &Path, clock: &Clock, keeping: Keeping) -> House {
    let hub = Hub::start(config(data, clock, keeping)).await.unwrap();
    hub.enroll(OWNER, UserId::slug("owner"), vec![RoleId::slug("owner")]).await.unwrap();
    House { hub, clock: clock.clone(), log: Arc::default() }
}

/// Lines until there are snapshots.
async fn busy(house: &House, data: &Path, from: u8, count: u8) {
    let mut system = house.with_lamp().await;
    let owner = house.owner().await;
    for number in from..from + count {
        let on = number % 2 == 0;
        let order = command(number, if on { "turn_on" } else { "turn_off" }, house.clock.now());
        owner.actuate(&order).await;
        system.execution().await;
        system.say(report("on", Value::Bool(on), u64::from(number) + 2)).await;
        house.clock.advance(1_000);
    }
    for _ in 0..PATIENCE {
        if !snapshots(data).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no snapshot");
}

fn snapshots(data: &Path) -> Vec<vestibule_store::SnapshotFile> {
    Snapshots::look(data.join(SNAPSHOT_FOLDER)).list()
}

async fn read(data: &Path, with: bool, until: Until) -> Result<Loaded, HubError> {
    let log = SqliteLog::read_only(data.join(LOG_FILE)).await.unwrap();
    let files = Snapshots::look(data.join(if with { SNAPSHOT_FOLDER } else { "none" }));
    load(&log, Some(&files), until).await
}

async fn verify(data: &Path) -> VerifyReport {
    SqliteLog::read_only(data.join(LOG_FILE)).await.unwrap().verify().await.unwrap()
}

#[tokio::test]
async fn a_snapshot_and_what_follows_is_the_whole_log() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let house = start(dir.path(), &clock, often()).await;
    busy(&house, dir.path(), 1, 12).await;
    house.hub.clone().shutdown().await;
    let (quick, whole) = (read(dir.path(), true, Until::End).await, read(dir.path(), false, Until::End).await);
    let (quick, whole) = (quick.unwrap(), whole.unwrap());
    assert!(quick.snapshot > 0 && whole.snapshot == 0);
    assert_eq!((&quick.state, quick.head, quick.at), (&whole.state, whole.head, whole.at));
    assert!((1..=2).contains(&snapshots(dir.path()).len()), "old ones go");
    // Any moment of the past is read alike.
    for sequence in 1..=whole.head.sequence {
        let quick = read(dir.path(), true, Until::Sequence(sequence)).await.unwrap();
        let whole = read(dir.path(), false, Until::Sequence(sequence)).await.unwrap();
        assert_eq!((quick.head.sequence, quick.state), (sequence, whole.state));
    }
    // A moment is all lines until then, and none after, folded one by one.
    let log = SqliteLog::read_only(dir.path().join(LOG_FILE)).await.unwrap();
    let (mut book, mut fold) = (names(&log).await.unwrap(), State::default());
    let lines = log.read(0, 1_000).await.unwrap();
    let mut moments: Vec<Timestamp> = lines.iter().map(|line| line.at).collect();
    moments.dedup();
    assert!(moments.len() > 5, "{moments:?}");
    for moment in moments {
        for line in lines.iter().filter(|line| line.at == moment) {
            fold.apply(line.at, &book.scope(|| LogEvent::read(&line.payload)).unwrap());
        }
        let replayed = read(dir.path(), true, Until::Time(moment)).await.unwrap();
        assert_eq!((replayed.at, replayed.state), (moment, fold.clone()));
    }
    log.close().await;
    // One that is damaged, cut off, or of another log is left out.
    for file in snapshots(dir.path()) {
        let mut bytes = std::fs::read(&file.path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file.path, bytes).unwrap();
    }
    let newer = dir.path().join(SNAPSHOT_FOLDER).join("99999999999999999999-x.snapshot");
    std::fs::write(newer, b"from tomorrow").unwrap();
    let left = read(dir.path(), true, Until::End).await.unwrap();
    assert_eq!((left.snapshot, left.state), (0, whole.state));
    let house = start(dir.path(), &clock, often()).await;
    assert_eq!(house.hub.status().await.twins, 1);
    house.hub.shutdown().await;
}

#[tokio::test]
async fn old_lines_go_and_the_rest_proves_itself() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let house = start(dir.path(), &clock, often()).await;
    busy(&house, dir.path(), 1, 6).await;
    house.hub.clone().shutdown().await;
    let before = read(dir.path(), true, Until::End).await.unwrap();
    clock.advance(3 * DAY);
    let keeping = Keeping { log_days: Some(1), ..often() };
    let house = start(dir.path(), &clock, keeping).await;
    for _ in 0..PATIENCE {
        if house.hub.status().await.begins > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(house.hub.status().await.begins, before.head.sequence);
    let report = verify(dir.path()).await;
    assert_eq!(report.from, before.head);
    let owner = house.owner().await;
    busy(&house, dir.path(), 50, 3).await;
    let Response::History(history) = owner.ask(Request::History { twin: lamp(), after: 0, limit: 0 }).await else {
        panic!("no history");
    };
    assert_eq!(history.begins, before.head.sequence);
    assert!(history.entries.iter().any(|entry| matches!(entry.what, PastFact::Accepted { .. })));
    house.hub.clone().shutdown().await;
    // A restart stands on the snapshot; without it nothing is guessed.
    let again = read(dir.path(), true, Until::End).await.unwrap();
    assert_eq!(again.state.twins.len(), 1);
    let error = read(dir.path(), false, Until::End).await.unwrap_err().to_string();
    assert!(error.contains("begins behind line"), "{error}");
    let cut = read(dir.path(), true, Until::Sequence(before.head.sequence)).await.unwrap();
    assert_eq!((cut.head, cut.state), (before.head, before.state), "the snapshot that it stands on");
}

/// Killed after the snapshot that stands for old lines, and between two pieces of the cut.
#[tokio::test]
async fn a_kill_in_the_middle_of_a_cut_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let house = start(dir.path(), &clock, often()).await;
    busy(&house, dir.path(), 1, 6).await;
    house.hub.clone().shutdown().await;
    let whole = read(dir.path(), false, Until::End).await.unwrap();
    let log = SqliteLog::open(dir.path().join(LOG_FILE)).await.unwrap();
    let files = Snapshots::look(dir.path().join(SNAPSHOT_FOLDER));
    let half = read(dir.path(), true, Until::Sequence(whole.head.sequence / 2)).await.unwrap();
    let mut names = names(&log).await.unwrap();
    files.write(half.head, half.at, |out| Ok(names.scope(|| serde_json::to_writer(out, &half.state))?)).unwrap();
    let same = |loaded: Loaded| assert_eq!((loaded.state, loaded.head), (whole.state.clone(), whole.head));
    same(read(dir.path(), true, Until::End).await.unwrap());
    for sequence in 1..=half.head.sequence {
        let hash = log.read(sequence - 1, 1).await.unwrap()[0].hash;
        log.cut(Head { sequence, hash }).await.unwrap();
        same(read(dir.path(), true, Until::End).await.unwrap());
    }
    let wrong = Head { sequence: half.head.sequence + 1, ..half.head };
    assert!(log.cut(wrong).await.is_err(), "only behind a line that is there");
    same(read(dir.path(), true, Until::End).await.unwrap());
    log.close().await;
}

#[tokio::test]
async fn who_is_forgotten_is_nowhere_and_the_chain_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let house = start(dir.path(), &clock, often()).await;
    house.hub.enroll(OTHER, UserId::slug("Esmeralda"), vec![RoleId::slug("owner")]).await.unwrap();
    let mut system = house.with_lamp().await;
    let other = Peer1::open(&house.hub, Peer::Certificate(OTHER)).await;
    other.ask(hello(Party::Metaverse)).await;
    let order = command(90, "turn_on", clock.now());
    other.actuate(&order).await;
    system.execution().await;
    let owner = house.owner().await;
    let erase = |user: &str| owner.ask(Request::Erase { user: UserId::slug(user) });
    assert!(said(erase("Esmeralda").await).contains("under way"));
    system.say(report("on", Value::Bool(true), 2)).await;
    busy(&house, dir.path(), 1, 6).await;
    let before = house.hub.status().await.head;
    let Response::Erased(told) = erase("Esmeralda").await else { panic!("not erased") };
    let commands = BTreeSet::from([Disclosure::Commands]);
    assert_eq!(told.systems.iter().map(|told| &told.what).collect::<Vec<_>>(), [&commands], "the lamp's system");
    assert!(said(erase("Esmeralda").await).contains("nothing is written"), "nobody of that name any more");
    assert!(said(erase("owner").await).contains("nobody could change the rules"));
    assert_eq!(other.refused(Request::Rules).await.code, RefusalCode::Unavailable, "their connections end");
    let Response::Log(lines) = owner.ask(Request::Log { after: 0, limit: 500 }).await else { panic!("no log") };
    let text: String = lines.iter().map(|line| line.event.as_str()).collect();
    assert!(text.contains("erased:") && !text.contains("Esmeralda"), "{text}");
    house.hub.clone().shutdown().await;
    let quick: State = read(dir.path(), true, Until::End).await.unwrap().state;
    let report = verify(dir.path()).await;
    assert!(report.head.sequence > before.sequence);
    assert_eq!(read(dir.path(), false, Until::End).await.unwrap().state, quick, "snapshots and lines read alike");
    nowhere(dir.path(), &["Esmeralda"]);
}

fn said(response: Response) -> String {
    match response {
        Response::Refused(refusal) => refusal.message,
        other => panic!("{other:?}"),
    }
}

/// None of these texts is in any file of the folder, nor is what SQLite could have left of them.
fn nowhere(folder: &Path, texts: &[&str]) {
    for entry in walk(folder) {
        let bytes = std::fs::read(&entry).unwrap();
        for text in texts {
            let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!found, "{text} is in {}", entry.display());
        }
    }
}

/// What somebody gave to a shop, what it answered, why it could not, and the texts in how its inputs are made.
#[tokio::test]
async fn what_a_forgotten_person_gave_and_got_is_nowhere_and_whom_it_went_to_is_said() {
    const GIVEN: [&str; 4] = ["Elm Street", "parcel shelf", "no such lane", "gate code"];
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let house = start(dir.path(), &clock, often()).await;
    house.hub.enroll(OTHER, UserId::slug("Esmeralda"), vec![RoleId::slug("owner")]).await.unwrap();
    let (mut shop_side, mut other) = (house.shop().await, Peer1::open(&house.hub, Peer::Certificate(OTHER)).await);
    other.ask(hello(Party::Metaverse)).await;
    house.agree(&other, &mut shop_side).await;
    let mut wanted = call(1, "look");
    wanted.input = Json::new(r#"{"to":"12 Elm Street"}"#).unwrap();
    let Response::Call(_) = other.ask(Request::Invoke(Box::new(wanted.clone()))).await else { panic!("not taken") };
    let asked = shop_side.invocation().await;
    assert_eq!(asked.input, wanted.input);
    let owner = house.owner().await;
    let erase = || owner.ask(Request::Erase { user: UserId::slug("Esmeralda") });
    assert!(said(erase().await).contains("1 calls"), "what is under way may have to be taken back with what was given");
    shop_side.done(answer(&asked, CallResult::Done(Answer::new(r#""parcel shelf""#)))).await;
    assert_eq!(other.call_status(wanted.id).await, CallStatus::Succeeded);
    let mut failed = call(2, "order");
    let gate = Transform::Constant { value: Json::new(r#""gate code""#).unwrap(), to: String::new() };
    failed.steps[0].input = vec![gate];
    other.ask(Request::Invoke(Box::new(failed.clone()))).await;
    let asked = shop_side.invocation().await;
    assert_eq!(asked.input.as_str(), r#""gate code""#);
    shop_side.done(answer(&asked, CallResult::Failed { reason: "no such lane".to_owned() })).await;
    assert!(matches!(other.call_status(failed.id).await, CallStatus::Failed { .. }));
    let known = house.hub.status().await.head;
    let Response::Erased(told) = erase().await else { panic!("not erased") };
    let input = |service| Disclosure::Input(ServiceId::slug(service));
    let what = BTreeSet::from([Disclosure::Pseudonym, input("look"), input("order")]);
    let systems: Vec<_> = told.systems.iter().map(|told| (told.system.clone(), told.what.clone())).collect();
    assert_eq!((systems, told.more, told.begins), (vec![(shop(), what)], 0, 0));
    let Response::Log(lines) = owner.ask(Request::Log { after: 0, limit: 500 }).await else { panic!("no log") };
    let text: String = lines.iter().map(|line| line.event.as_str()).collect();
    assert!(text.contains(r#""input":"erased""#) && GIVEN.iter().all(|given| !text.contains(given)), "{text}");
    busy(&house, dir.path(), 1, 6).await;
    house.hub.clone().shutdown().await;
    let quick: State = read(dir.path(), true, Until::End).await.unwrap().state;
    assert!(verify(dir.path()).await.head.sequence > known.sequence);
    assert_eq!(read(dir.path(), false, Until::End).await.unwrap().state, quick, "snapshots and lines read alike");
    nowhere(dir.path(), &[&GIVEN[..], &["Esmeralda"]].concat());
}

/// What is not erased is there whenever the enabler starts, and in a file that was exported.
#[tokio::test]
async fn what_is_sealed_is_read_again_after_a_start() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let house = start(dir.path(), &clock, Keeping::default()).await;
    let (mut shop_side, mut owner) = (house.shop().await, house.owner().await);
    house.agree(&owner, &mut shop_side).await;
    let mut wanted = call(1, "look");
    wanted.input = Json::new(r#"{"to":"12 Elm Street"}"#).unwrap();
    owner.ask(Request::Invoke(Box::new(wanted.clone()))).await;
    let asked = shop_side.invocation().await;
    shop_side.done(answer(&asked, CallResult::Done(Answer::new(r#""parcel shelf""#)))).await;
    assert_eq!(owner.call_status(wanted.id).await, CallStatus::Succeeded);
    house.hub.clone().shutdown().await;
    nowhere(dir.path(), &["Elm Street", "parcel shelf"]);
    let house = start(dir.path(), &clock, Keeping::default()).await;
    let Response::Call(update) = house.owner().await.ask(Request::Call(wanted.id)).await else { panic!("no call") };
    assert_eq!(update.output, Some(Json::new(r#""parcel shelf""#).unwrap()));
    let Response::Call(_) = house.owner().await.ask(Request::Invoke(Box::new(wanted))).await else {
        panic!("the same call is the same after a start")
    };
    let Response::Log(lines) = house.owner().await.ask(Request::Log { after: 0, limit: 500 }).await else {
        panic!("no log")
    };
    assert!(lines.iter().any(|line| line.event.contains("12 Elm Street")), "an owner reads it in the log");
    house.hub.shutdown().await;
    let log = SqliteLog::read_only(dir.path().join(LOG_FILE)).await.unwrap();
    let mut file = Vec::new();
    vestibule_store::export(&log, &mut file).await.unwrap();
    vestibule_store::verify_export(&file[..]).unwrap();
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn an_erasure_that_a_kill_interrupted_is_carried_out() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let house = start(dir.path(), &clock, Keeping::default()).await;
    house.hub.enroll(OTHER, UserId::slug("Esmeralda"), vec![RoleId::slug("guest")]).await.unwrap();
    let other = Peer1::open(&house.hub, Peer::Certificate(OTHER)).await;
    other.ask(hello(Party::Metaverse)).await;
    let person = format!(r#"{{"buyer":{{}},"salt":"{}"}}"#, "ab".repeat(32));
    for (bytes, media) in [(person.as_str(), "application/vnd.vestibule.person+json"), ("a lamp", "model/3mf")] {
        let (hash, size) = (ContentHash::of(bytes.as_bytes()), bytes.len() as u64);
        let give = Request::Give { hash, size, media: media.to_owned(), offset: 0, bytes: bytes.into() };
        assert_eq!(other.ask(give).await, Response::Given { next: size });
    }
    let given = || ["persons", "given", "content"].map(|folder| walk(&dir.path().join(folder)).len());
    assert_eq!(given(), [1, 1, 1]);
    house.hub.clone().shutdown().await;
    let log = SqliteLog::open(dir.path().join(LOG_FILE)).await.unwrap();
    let mut book = names(&log).await.unwrap();
    let event = LogEvent::PersonErased { user: UserId::slug("Esmeralda"), by: None };
    let payload = book.scope(|| event.written()).unwrap().0;
    log.append(log.head().await.unwrap(), vec![NewLine { at: START, payload }], Vec::new()).await.unwrap();
    log.close().await;
    let house = start(dir.path(), &clock, Keeping::default()).await;
    assert_eq!((house.hub.status().await.devices, given()), (1, [0, 0, 0]));
    let owner = house.owner().await;
    let again = owner.ask(Request::Erase { user: UserId::slug("Esmeralda") }).await;
    assert!(said(again).contains("nothing is written"), "it is done already");
    house.hub.shutdown().await;
    verify(dir.path()).await;
}

/// Whoever gave it may never come again.
#[tokio::test]
async fn what_is_known_of_people_goes_by_itself_when_its_time_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let house = start(dir.path(), &clock, Keeping::default()).await;
    let owner = house.owner().await;
    for number in [12, 14] {
        let street = format!(r#"{{"street_address":"{number} Elm Street"}}"#);
        let bytes = format!(r#"{{"destination":{street},"salt":"{}"}}"#, "ab".repeat(32)).into_bytes();
        let (hash, size) = (ContentHash::of(&bytes), bytes.len() as u64);
        let media = "application/vnd.vestibule.person+json".to_owned();
        assert_eq!(
            owner.ask(Request::Give { hash, size, media, offset: 0, bytes }).await,
            Response::Given { next: size }
        );
    }
    house.hub.shutdown().await;
    let persons = || walk(&dir.path().join("persons"));
    let old = persons().remove(0);
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(31 * 24 * 60 * 60);
    std::fs::File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
    let house = start(dir.path(), &clock, Keeping::default()).await;
    for _ in 0..PATIENCE {
        if !old.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!old.exists() && persons().len() == 1, "what is not over stays: {:?}", persons());
    house.hub.shutdown().await;
}
