use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::*;

const ROOM: Room = Room { bytes: 100, pieces: 6 };

fn hash(number: u8) -> ContentHash {
    ContentHash([number; 32])
}

fn user(name: &str) -> UserId {
    UserId::slug(name)
}

fn set(numbers: &[u8]) -> BTreeSet<ContentHash> {
    numbers.iter().map(|number| hash(*number)).collect()
}

fn of(name: &str, numbers: &[u8]) -> BTreeSet<(UserId, ContentHash)> {
    numbers.iter().map(|number| (user(name), hash(*number))).collect()
}

/// What goes because these and no others are referred to.
fn pin(shelf: &Shelf, pinned: &BTreeSet<(UserId, ContentHash)>) -> BTreeSet<ContentHash> {
    let dropped = shelf.pin(pinned).unwrap_or_default();
    assert_eq!(shelf.pin(pinned), None, "said twice, it is nothing new");
    shelf.clear(&dropped);
    dropped.contents
}

fn shelf() -> Shelf {
    Shelf::open(None, ROOM).unwrap()
}

#[test]
fn the_oldest_goes_first_and_what_an_order_needs_stays() {
    let (shelf, ada) = (shelf(), user("ada"));
    for number in 1..=4 {
        assert_eq!(shelf.put(&ada, hash(number), 25).unwrap(), set(&[]));
    }
    pin(&shelf, &of("ada", &[1]));
    assert_eq!(shelf.put(&ada, hash(2), 25).unwrap(), set(&[]), "given again, it is the newest");
    assert_eq!(shelf.put(&ada, hash(5), 30).unwrap(), set(&[3, 4]));
    pin(&shelf, &of("ada", &[1, 2, 5]));
    let Err(NotTaken::Refused(why)) = shelf.put(&ada, hash(6), 25) else { panic!("taken") };
    assert_eq!(why.code, RefusalCode::Overloaded);
    assert!(why.message.contains("80 of the 100 bytes") && why.message.contains("when one of them has come"), "{why}");
    assert_eq!(shelf.fits(&ada, hash(6), 25).unwrap_err(), why, "and is said before anything is sent");
    assert!(shelf.fits(&user("bo"), hash(6), 25).is_ok(), "everybody has room of their own");
    // The order has come.
    assert_eq!(pin(&shelf, &of("ada", &[2, 5])), set(&[1]));
    assert_eq!(shelf.put(&ada, hash(6), 25).unwrap(), set(&[]));
}

#[test]
fn what_two_have_given_goes_with_the_second() {
    let (shelf, ada, bo) = (shelf(), user("ada"), user("bo"));
    shelf.put(&ada, hash(1), 10).unwrap();
    shelf.put(&bo, hash(1), 10).unwrap();
    assert_eq!(shelf.forget(&ada).unwrap(), set(&[]));
    pin(&shelf, &of("bo", &[1]));
    assert_eq!(shelf.forget(&bo).unwrap(), set(&[]), "an order that goes on still needs it");
    assert_eq!(pin(&shelf, &of("ada", &[])), set(&[1]));
}

#[test]
fn the_end_of_an_order_takes_nothing_from_others() {
    let (shelf, ada, bo) = (shelf(), user("ada"), user("bo"));
    shelf.put(&ada, hash(1), 10).unwrap();
    pin(&shelf, &of("ada", &[1]));
    shelf.put(&bo, hash(1), 10).unwrap();
    assert_eq!(pin(&shelf, &of("ada", &[])), set(&[]), "Bo is about to order it");
    assert!(shelf.is_wanted(&hash(1)));
    assert_eq!(shelf.forget(&bo).unwrap(), set(&[1]));
}

#[test]
fn it_is_so_after_a_start_and_nothing_names_anybody() {
    let data = tempfile::tempdir().unwrap();
    let (ada, bo) = (user("ada"), user("bo"));
    let shelf = Shelf::open(Some(data.path()), ROOM).unwrap();
    shelf.put(&ada, hash(1), 60).unwrap();
    shelf.put(&bo, hash(2), 60).unwrap();
    fs::write(data.path().join(FOLDER).join(giver(&ada).to_string()).join("half"), "").unwrap();
    let shelf = Shelf::open(Some(data.path()), ROOM).unwrap();
    assert_eq!(shelf.book().pieces.len(), 2);
    assert_eq!(shelf.put(&ada, hash(3), 60).unwrap(), set(&[1]));
    assert_eq!(shelf.forget(&bo).unwrap(), set(&[2]));
    let names = entries(&data.path().join(FOLDER)).unwrap();
    assert_eq!(names.iter().map(|path| named(path)).collect::<Vec<_>>(), [Some(giver(&ada))]);
}

#[test]
fn odd_files_keep_nobody_from_starting() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join(FOLDER);
    Shelf::open(Some(data.path()), ROOM).unwrap().put(&user("ada"), hash(1), 10).unwrap();
    let mine = folder.join(giver(&user("ada")).to_string());
    fs::write(folder.join("readme.txt"), "what is this?").unwrap();
    fs::write(folder.join(giver(&user("bo")).to_string()), "a file where a folder is due").unwrap();
    fs::write(mine.join(hash(2).to_string()), "no number").unwrap();
    fs::write(mine.join(hash(3).to_string()), "7".repeat(1_000)).unwrap();
    fs::create_dir(mine.join(hash(4).to_string())).unwrap();
    let shelf = Shelf::open(Some(data.path()), ROOM).unwrap();
    assert_eq!(shelf.book().pieces.keys().copied().collect::<Vec<_>>(), [(giver(&user("ada")), hash(1))]);
    assert!(folder.join("readme.txt").exists() && mine.join(hash(2).to_string()).exists(), "whose they are decides");
    // Where nothing can be kept at all, it says where.
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "").unwrap();
    let error = Shelf::open(Some(data.path()), ROOM).unwrap_err().to_string();
    assert!(error.contains(FOLDER), "{error}");
}

/// An order comes while the disk is waited for: what it needs stays, and who gives is told that there is no room.
#[test]
fn what_an_order_comes_to_need_meanwhile_stays() {
    let data = tempfile::tempdir().unwrap();
    let (shelf, ada) = (Shelf::open(Some(data.path()), ROOM).unwrap(), user("ada"));
    shelf.put(&ada, hash(1), 60).unwrap();
    let key = (giver(&ada), hash(2));
    assert_eq!(shelf.book().goes(ROOM, key, 60, SystemTime::now()).unwrap(), [hash(1)]);
    pin(&shelf, &of("ada", &[1]));
    assert_eq!(shelf.book().take(ROOM, key, 60, SystemTime::now()).unwrap_err().code, RefusalCode::Overloaded);
    assert!(shelf.is_given(&hash(1)) && !shelf.is_given(&hash(2)));
}

/// Given again before the note of the first time is removed, it stays.
#[test]
fn a_note_that_is_written_again_is_not_removed() {
    let data = tempfile::tempdir().unwrap();
    let (shelf, ada) = (Shelf::open(Some(data.path()), ROOM).unwrap(), user("ada"));
    shelf.put(&ada, hash(1), 10).unwrap();
    shelf.pin(&of("ada", &[1])).unwrap();
    let dropped = shelf.pin(&of("ada", &[])).unwrap();
    shelf.put(&ada, hash(1), 10).unwrap();
    shelf.clear(&dropped);
    assert_eq!(Shelf::open(Some(data.path()), ROOM).unwrap().book().pieces.len(), 1);
}

#[test]
fn what_waits_too_long_for_an_order_goes() {
    let (shelf, ada) = (shelf(), user("ada"));
    for number in 1..=3 {
        shelf.put(&ada, hash(number), 1).unwrap();
    }
    pin(&shelf, &of("ada", &[1]));
    for piece in shelf.book().pieces.values_mut().take(2) {
        piece.given -= KEPT + Duration::from_secs(1);
    }
    assert_eq!(shelf.put(&ada, hash(4), 1).unwrap(), set(&[2]));
}

/// Whatever is given, ordered, brought and forgotten: nobody has more than their room, what an order needs is there, and
/// what goes is nobody's.
#[test]
fn it_holds_over_a_thousand_random_days() {
    for seed in 0..40 {
        let mut rng = StdRng::seed_from_u64(seed);
        let data = tempfile::tempdir().unwrap();
        let mut shelf = Shelf::open(Some(data.path()), ROOM).unwrap();
        let (mut there, mut pinned) = (BTreeSet::new(), BTreeSet::new());
        for _ in 0..150 {
            let who = user(["ada", "bo", "cy"].choose(&mut rng).unwrap());
            let piece = hash(rng.random_range(0..12));
            let gone = match rng.random_range(0..10) {
                0..=5 => {
                    let before = there.clone();
                    match shelf.put(&who, piece, rng.random_range(1..50)) {
                        Ok(gone) => {
                            there.insert(piece);
                            gone
                        }
                        Err(NotTaken::Refused(_)) => {
                            assert_eq!(before, there, "{seed}: a no changes nothing");
                            continue;
                        }
                        Err(NotTaken::Disk(error)) => panic!("{error}"),
                    }
                }
                6 if there.contains(&piece) => {
                    pinned.insert((who, piece));
                    pin(&shelf, &pinned)
                }
                6 | 7 => {
                    pinned.remove(&(who, piece));
                    pin(&shelf, &pinned)
                }
                8 => shelf.forget(&who).unwrap(),
                _ => {
                    // Killed and started again: what is referred to is said anew.
                    shelf = Shelf::open(Some(data.path()), ROOM).unwrap();
                    pin(&shelf, &pinned)
                }
            };
            let needed: BTreeSet<ContentHash> = pinned.iter().map(|(_, hash)| *hash).collect();
            assert!(gone.is_disjoint(&needed), "{seed}: an order needs it");
            there.retain(|hash| !gone.contains(hash));
            let book = shelf.book();
            assert!(needed.is_subset(&there), "{seed}");
            let owned: BTreeSet<ContentHash> = book.pieces.keys().map(|(_, hash)| *hash).collect();
            assert!(owned.is_subset(&there), "{seed}: what somebody gave is there");
            assert!(
                there.iter().all(|hash| owned.contains(hash) || needed.contains(hash)),
                "{seed}: nobody's, and kept"
            );
            for name in ["ada", "bo", "cy"] {
                let mine = book.pieces.iter().filter(|((whose, _), _)| *whose == giver(&user(name)));
                let (count, bytes) = mine.fold((0, 0), |(count, bytes), (_, piece)| (count + 1, bytes + piece.size));
                assert!(count <= ROOM.pieces && bytes <= ROOM.bytes, "{seed}: {count} pieces, {bytes} bytes");
            }
        }
    }
}
