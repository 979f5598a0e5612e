use super::{super::shelf::Room, *};

fn given(folder: Option<&std::path::Path>) -> Given {
    let shelf = Shelf::open(folder, Room::USUAL).unwrap();
    Given::new(Arc::new(Contents::new(None)), PersonStore::new(folder), shelf)
}

fn part(whole: &[u8], media: &str, from: usize, to: usize) -> Part {
    let (hash, size) = (ContentHash::of(whole), whole.len() as u64);
    Part { hash, size, media: media.to_owned(), offset: from as u64, bytes: whole[from..to].to_vec() }
}

fn document(street: &str) -> Vec<u8> {
    let salt = "0123456789abcdef".repeat(4);
    format!(r#"{{"salt":"{salt}","destination":{{"street_address":"{street}"}}}}"#).into_bytes()
}

#[tokio::test]
async fn parts_come_in_order_however_often_they_come() {
    let (given, ada) = (given(None), UserId::slug("ada"));
    let whole: Vec<u8> = (0..200).collect();
    let take = async |from, to| given.take(&ada, part(&whole, "model/3mf", from, to)).await;
    assert_eq!(take(0, 100).await, Ok(100));
    assert_eq!(take(0, 100).await, Ok(100), "said twice");
    assert_eq!(take(150, 200).await, Ok(100), "with a hole");
    assert_eq!(take(0, 0).await, Ok(100), "how far is it?");
    assert_eq!(given.contents.get(ContentHash::of(&whole)).await.unwrap(), None);
    assert_eq!(take(100, 200).await, Ok(200));
    assert_eq!(given.contents.get(ContentHash::of(&whole)).await.unwrap().unwrap(), whole);
    assert_eq!(take(0, 0).await, Ok(200), "it is there");
    let other = Part { hash: ContentHash([1; 32]), ..part(&whole, "model/3mf", 0, 200) };
    assert_eq!(given.take(&ada, other).await.unwrap_err().code, RefusalCode::Invalid, "another hash");
}

#[tokio::test]
async fn what_nobody_finishes_takes_no_room() {
    let (given, ada) = (given(None), UserId::slug("ada"));
    for number in 0..20_u8 {
        let whole = vec![number; 100];
        given.take(&ada, part(&whole, "model/3mf", 0, 50)).await.unwrap();
    }
    assert_eq!(given.begun().by_hash.len(), MOST_BEGUN_EACH);
    let last = vec![19; 100];
    assert_eq!(given.take(&ada, part(&last, "model/3mf", 50, 100)).await, Ok(100), "the newest is kept");
}

#[tokio::test]
async fn a_document_about_a_person_is_its_giver_s() {
    let folder = tempfile::tempdir().unwrap();
    let (ada, bob) = (UserId::slug("ada"), UserId::slug("bob"));
    let whole = document("12 Elm Street");
    let hash = ContentHash::of(&whole);
    let given = given(Some(folder.path()));
    let taken = given.take(&ada, part(&whole, PERSON_MEDIA, 0, whole.len())).await;
    assert_eq!(taken, Ok(whole.len() as u64));
    let input = Json::new(format!(r#"{{"buyer":[{{"$person":"{hash}","at":"/buyer"}},{{"$person":"x"}}]}}"#)).unwrap();
    assert_eq!(references(&input), [hash]);
    assert_eq!(given.persons(&ada, references(&input)).await.0.len(), 1);
    assert_eq!(given.persons(&bob, references(&input)).await, Persons::default(), "not another's");
    assert_eq!(given.contents.get(hash).await.unwrap(), None, "no content that anybody fetches");
    // After a restart it is still there, until its giver is forgotten.
    let given = self::given(Some(folder.path()));
    assert_eq!(given.persons(&ada, vec![hash]).await.0.len(), 1);
    given.forget(&ada).await.unwrap();
    assert_eq!(given.persons(&ada, vec![hash]).await, Persons::default());
    let left = walk(folder.path());
    assert!(left.is_empty(), "{left:?}");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// Where what this user gave is noted.
#[cfg(unix)]
fn note(folder: &std::path::Path, user: &UserId, hash: ContentHash) -> std::path::PathBuf {
    let giver = ContentHash::of(user.as_str().as_bytes());
    folder.join("given").join(giver.to_string()).join(hash.to_string())
}

/// Waits until it is there, or is not.
#[cfg(unix)]
async fn until(given: &Given, hash: ContentHash, there: bool) {
    let wait = async {
        while given.contents.get(hash).await.unwrap().is_some() != there {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), wait).await.expect("it comes or goes");
}

/// A disk that takes its time: who writes into a pipe waits until somebody reads.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_disk_does_not_hold_whoever_only_says_what_is_needed() {
    let (folder, ada) = (tempfile::tempdir().unwrap(), UserId::slug("ada"));
    let given = Arc::new(given(Some(folder.path())));
    let (old, whole) = (b"an old lamp".to_vec(), b"a lamp".to_vec());
    given.take(&ada, part(&old, "model/3mf", 0, old.len())).await.unwrap();
    let pipe = note(folder.path(), &ada, ContentHash::of(&whole));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let giving = tokio::spawn({
        let (given, ada, part) = (given.clone(), ada.clone(), part(&whole, "model/3mf", 0, whole.len()));
        async move { given.take(&ada, part).await }
    });
    until(&given, ContentHash::of(&whole), true).await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let (asking, whose) = (given.clone(), ada.clone());
    let asked = tokio::task::spawn_blocking(move || {
        let pins = |hash: ContentHash| [(whose.clone(), hash)].into();
        asking.refer(&pins(ContentHash::of(b"an old lamp")), |_| false);
        asking.refer(&pins(ContentHash::of(b"something else")), |_| false);
    });
    let in_time = tokio::time::timeout(std::time::Duration::from_secs(10), asked).await;
    let waits = !giving.is_finished();
    // Somebody reads at last, however this goes on.
    let read = tokio::task::spawn_blocking(move || std::fs::read(pipe));
    assert_eq!(giving.await.unwrap(), Ok(whole.len() as u64));
    assert_eq!(read.await.unwrap().unwrap(), whole.len().to_string().into_bytes());
    assert!(waits && in_time.is_ok(), "the hub waits for the disk");
    until(&given, ContentHash::of(&old), false).await;
    assert!(!note(folder.path(), &ada, ContentHash::of(&old)).exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_note_that_cannot_be_removed_keeps_nothing_else() {
    let (folder, ada) = (tempfile::tempdir().unwrap(), UserId::slug("ada"));
    let given = Arc::new(given(Some(folder.path())));
    let pieces = [b"one".to_vec(), b"two".to_vec()];
    let hashes = pieces.each_ref().map(|whole| ContentHash::of(whole));
    for whole in &pieces {
        given.take(&ada, part(whole, "model/3mf", 0, 3)).await.unwrap();
    }
    given.refer(&hashes.map(|hash| (ada.clone(), hash)).into(), |_| false);
    for hash in hashes {
        let stuck = note(folder.path(), &ada, hash);
        std::fs::remove_file(&stuck).unwrap();
        std::fs::create_dir_all(stuck.join("no note")).unwrap();
    }
    given.refer(&BTreeSet::new(), |_| false);
    for hash in hashes {
        until(&given, hash, false).await;
    }
    // Nor does it keep anybody from starting, or a person from being forgotten.
    drop(given);
    let given = self::given(Some(folder.path()));
    given.forget(&ada).await.unwrap();
    assert!(walk(folder.path()).is_empty());
}

#[tokio::test]
async fn what_is_no_document_about_a_person_is_refused() {
    let (given, ada) = (given(None), UserId::slug("ada"));
    let salt = "0".repeat(64);
    for text in [
        "not json".to_owned(),
        "[]".to_owned(),
        r#"{"buyer":{}}"#.to_owned(),
        r#"{"salt":"short","buyer":{}}"#.to_owned(),
        format!(r#"{{"salt":"{salt}","buyer":"ada"}}"#),
        format!(r#"{{"salt":"{salt}","card":{{}}}}"#),
    ] {
        let taken = given.take(&ada, part(text.as_bytes(), PERSON_MEDIA, 0, text.len())).await;
        assert_eq!(taken.unwrap_err().code, RefusalCode::Invalid, "{text}");
    }
}
