//! The address book on disk: `me.toml` in the data folder, for its owner's eyes only.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bevy::prelude::*;
use thiserror::Error;
use vestibule_twin::{AddressBook, Notify, Urgency};

use super::private::{self, PrivateError};

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
    let mut tell = |urgency, title: &str, text: String| {
        notify.write(Notify { urgency, title: title.to_owned(), text, twin: None });
    };
    match aside(&mut kept).and_then(|aside| write(&kept.file, &book).map(|()| aside)) {
        Ok(None) => {}
        Ok(Some(old)) => {
            let text = format!("What could not be read is kept as {}.", old.display());
            tell(Urgency::Info, "Your addresses are written down anew", text);
        }
        Err(error) => {
            let text = format!("{error}. They are known until you leave.");
            tell(Urgency::Problem, "Your addresses could not be written down", text);
        }
    }
}

/// What cannot be read makes room before anything is written there.
fn aside(kept: &mut Kept) -> Result<Option<PathBuf>, MeError> {
    if kept.unreadable.is_none() {
        return Ok(None);
    }
    let aside = private::put_aside(&kept.file)?;
    kept.unreadable = None;
    Ok(aside)
}

/// Why there is no book.
#[derive(Debug, Error)]
enum MeError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Private(#[from] PrivateError),
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
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(AddressBook::default()),
        Err(error) => return Err(error.into()),
        Ok(_) => {}
    }
    // A link that leads nowhere now is no empty book.
    if fs::metadata(file)?.len() > LONGEST {
        return Err(MeError::TooLong);
    }
    let bytes = fs::read(file)?;
    let text = str::from_utf8(&bytes).map_err(|_| MeError::Malformed(String::new()))?;
    let book: AddressBook = toml::from_str(text).map_err(|error| {
        let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        MeError::Malformed(error.span().map_or_else(String::new, |span| format!(" (line {})", line(span.start))))
    })?;
    if book.addresses.len() > AddressBook::MOST { Err(MeError::TooMany) } else { Ok(book) }
}

fn write(file: &Path, book: &AddressBook) -> Result<(), MeError> {
    Ok(private::write(file, toml::to_string(book)?.as_bytes())?)
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
            let old = folder.path().join("me.old.toml");
            assert_eq!(fs::read(&old).unwrap(), bytes, "nothing is lost");
            let said = told(&mut app);
            assert!(said.len() == 1 && said[0].contains(&old.display().to_string()), "{said:?}");
            app.world_mut().resource_mut::<AddressBook>().addresses.push(home());
            app.update();
            assert_eq!((told(&mut app), read(&file).unwrap().addresses.len()), (Vec::new(), 2), "it is put aside once");
        }
    }

    #[test]
    fn what_breaks_a_second_time_does_not_replace_what_broke_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        for broken in ["street = 11", "street = 12"] {
            fs::write(&file, broken).unwrap();
            let mut app = app(folder.path());
            app.world_mut().resource_mut::<AddressBook>().addresses.push(home());
            app.update();
            assert_eq!(read(&file).unwrap().addresses, [home()]);
        }
        for (name, broken) in [("me.old.toml", "street = 11"), ("me.old2.toml", "street = 12")] {
            assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), broken);
        }
    }

    /// Neither a file nor nothing: it cannot be read, and is not lost.
    #[test]
    fn a_folder_in_its_place_is_put_aside_with_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        fs::create_dir(&file).unwrap();
        fs::write(file.join("notes"), "mine").unwrap();
        let mut app = app(folder.path());
        assert_eq!(told(&mut app).len(), 1);
        app.world_mut().resource_mut::<AddressBook>().addresses.push(home());
        app.update();
        assert_eq!(read(&file).unwrap().addresses, [home()]);
        assert_eq!(fs::read_to_string(folder.path().join("me.old.toml/notes")).unwrap(), "mine");
    }

    /// As where the disk is not there on which somebody keeps it.
    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_told_of_and_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let (file, elsewhere) = (folder.path().join(FILE), folder.path().join("away/me.toml"));
        std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
        let mut app = app(folder.path());
        assert_eq!(told(&mut app).len(), 1);
        app.world_mut().resource_mut::<AddressBook>().addresses.push(home());
        app.update();
        assert_eq!(fs::read_link(folder.path().join("me.old.toml")).unwrap(), elsewhere);
        assert_eq!(read(&file).unwrap().addresses, [home()]);
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
