//! The address book on disk: `me.toml` in the data folder, for its owner's eyes only.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use bevy::prelude::*;
use thiserror::Error;
use vestibule_twin::{AddressBook, Notify, Urgency};

/// The file.
const FILE: &str = "me.toml";
/// Bytes of it at most: many times what all addresses take that are kept.
const LONGEST: u64 = 64 * 1024;

/// Keeps [`AddressBook`] in the folder.
pub(super) struct MePlugin {
    /// Where the file is.
    pub(super) folder: PathBuf,
}

/// What is on the disk.
#[derive(Resource)]
struct Kept {
    file: PathBuf,
    book: AddressBook,
    /// Why what is there cannot be read. It is put aside before anything else is written there.
    unreadable: Option<String>,
}

impl Plugin for MePlugin {
    fn build(&self, app: &mut App) {
        let file = self.folder.join(FILE);
        let (book, unreadable) = match read(&file) {
            Ok(book) => (book, None),
            Err(error) => (AddressBook::default(), Some(error.to_string())),
        };
        app.insert_resource(book.clone());
        app.insert_resource(Kept { file, book, unreadable }).add_systems(Startup, tell).add_systems(Last, keep);
    }
}

/// Why the book is empty although there is a file.
fn tell(kept: Res<Kept>, mut notify: MessageWriter<Notify>) {
    if let Some(why) = &kept.unreadable {
        let text = format!("{}: {why}. It is left as it is until you write an address down.", kept.file.display());
        let title = "Your addresses cannot be read".to_owned();
        notify.write(Notify { urgency: Urgency::Problem, title, text, twin: None });
    }
}

/// Writes the book where it is another one than on the disk.
fn keep(book: Res<AddressBook>, mut kept: ResMut<Kept>, mut notify: MessageWriter<Notify>) {
    if !book.is_changed() || *book == kept.book {
        return;
    }
    // Tried once for each change, whatever comes of it.
    kept.book = book.clone();
    let aside = match kept.unreadable {
        Some(_) => fs::rename(&kept.file, kept.file.with_extension("old.toml")),
        None => Ok(()),
    };
    if aside.is_ok() {
        kept.unreadable = None;
    }
    if let Err(error) = aside.map_err(MeError::Io).and_then(|()| write(&kept.file, &book)) {
        let text = format!("{}: {error}. They are known until you leave.", kept.file.display());
        let title = "Your addresses could not be written down".to_owned();
        notify.write(Notify { urgency: Urgency::Problem, title, text, twin: None });
    }
}

/// Why there is no book.
#[derive(Debug, Error)]
enum MeError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
    #[error("it has more than {} addresses", AddressBook::MOST)]
    TooMany,
    // Without what stands there: it is personal, and logs would show it.
    #[error("it is no list of addresses{0}")]
    Malformed(String),
    #[error("it cannot be written as TOML: {0}")]
    Unwritable(#[from] toml::ser::Error),
}

/// The book in this file; an empty one where there is none.
fn read(file: &Path) -> Result<AddressBook, MeError> {
    match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(AddressBook::default()),
        Err(error) => return Err(error.into()),
        Ok(about) if about.len() > LONGEST => return Err(MeError::TooLong),
        Ok(_) => {}
    }
    let bytes = fs::read(file)?;
    let text = str::from_utf8(&bytes).map_err(|_| MeError::Malformed(String::new()))?;
    let book: AddressBook = toml::from_str(text).map_err(|error| {
        let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        MeError::Malformed(error.span().map_or_else(String::new, |span| format!(" (line {})", line(span.start))))
    })?;
    if book.addresses.len() > AddressBook::MOST { Err(MeError::TooMany) } else { Ok(book) }
}

/// Whole or not at all, and readable by nobody else from its first byte on.
fn write(file: &Path, book: &AddressBook) -> Result<(), MeError> {
    let text = toml::to_string(book)?;
    let part = file.with_extension("part");
    // One that somebody else made would keep their rights.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut new = options.open(&part)?;
    new.write_all(text.as_bytes())?;
    new.sync_all()?;
    Ok(fs::rename(part, file)?)
}

#[cfg(test)]
mod tests {
    use vestibule_twin::AddressEntry;

    use super::*;

    fn home() -> AddressEntry {
        AddressEntry {
            label: "Home".to_owned(),
            street: "11 Example Street".to_owned(),
            town: "Sample \"Town\"\n".to_owned(),
            country: "DE".to_owned(),
            ..AddressEntry::default()
        }
    }

    fn app(folder: &Path) -> App {
        let mut app = App::new();
        app.add_message::<Notify>().add_plugins(MePlugin { folder: folder.to_owned() });
        app.update();
        app
    }

    fn told(app: &mut App) -> Vec<String> {
        let mut messages = app.world_mut().resource_mut::<Messages<Notify>>();
        messages.drain().map(|notify| format!("{}: {}", notify.title, notify.text)).collect()
    }

    #[test]
    fn what_is_written_down_is_there_at_the_next_start_and_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = app(folder.path());
        assert!(!folder.path().join(FILE).exists(), "there is nothing to write");
        first.world_mut().resource_mut::<AddressBook>().addresses.push(home());
        first.update();
        assert_eq!(told(&mut first), Vec::<String>::new());
        let mut second = app(folder.path());
        assert_eq!(second.world().resource::<AddressBook>().addresses, [home()]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let rights = fs::metadata(folder.path().join(FILE)).unwrap().permissions();
            assert_eq!(rights.mode() & 0o777, 0o600);
        }
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [FILE], "nothing is left beside it");
        second.world_mut().resource_mut::<AddressBook>().addresses.clear();
        second.update();
        assert_eq!(read(&folder.path().join(FILE)).unwrap(), AddressBook::default());
    }

    #[test]
    fn a_file_that_is_none_is_told_of_and_put_aside() {
        let many = "[[addresses]]\n".repeat(AddressBook::MOST + 1);
        let long = format!("# {}", "x".repeat(70_000));
        for bytes in
            [&b"addresses = 7"[..], b"[[addresses]]\nstreet = 11", b"\xff\xfe", many.as_bytes(), long.as_bytes()]
        {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join(FILE);
            fs::write(&file, bytes).unwrap();
            let mut app = app(folder.path());
            let said = told(&mut app);
            assert!(said.len() == 1 && said[0].contains("me.toml"), "{said:?}");
            assert_eq!(fs::read(&file).unwrap(), bytes, "it is left as it is");
            app.world_mut().resource_mut::<AddressBook>().addresses.push(home());
            app.update();
            assert_eq!(read(&file).unwrap().addresses, [home()]);
            assert_eq!(fs::read(folder.path().join("me.old.toml")).unwrap(), bytes, "nothing is lost");
        }
    }

    #[test]
    fn why_it_cannot_be_read_does_not_show_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        fs::write(&file, "[[addresses]]\nstreet = \"11 Example Street\"\nage = 7\n").unwrap();
        let why = read(&file).unwrap_err().to_string();
        assert!(why.contains("line 3") && !why.contains("Example"), "{why}");
    }

    #[test]
    fn a_folder_that_takes_nothing_is_told_once_for_each_change() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let mut app = app(&gone);
        app.world_mut().resource_mut::<AddressBook>().addresses.push(home());
        app.update();
        let said = told(&mut app);
        assert!(said.len() == 1 && said[0].contains("until you leave"), "{said:?}");
        app.update();
        assert_eq!(told(&mut app), Vec::<String>::new());
    }
}
