//! Designs on the disk: one file each, written beside and renamed, set aside where it cannot be read.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use vestibule_fabricate::document::{MAX_DOCUMENT, MAX_STEPS, UndoStep};

use crate::book::Book;

/// How names of kept designs end.
const ENDING: &str = "design";
/// And of what can be undone on them.
const UNDO: &str = "undo";
/// And of the oldest of that, a step on each line, which memory has no room for.
const OLDER: &str = "undo.older";
/// Designs that are listed; more than a person finds their way among.
const MOST: usize = 500;
/// Bytes of a file that is read: a design with its whole history.
const MOST_BYTES: u64 = MAX_DOCUMENT as u64;

/// A design that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Saved {
    /// Its file's name without the ending.
    pub id: String,
    /// What its maker calls it.
    pub name: String,
    when: SystemTime,
}

/// What is kept, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Files {
    folder: Option<PathBuf>,
    /// Who designs here, for new designs.
    actor: [u8; 16],
    saved: Vec<Saved>,
}

/// Writes beside the file and then puts it in its place: there is always one whole file.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = with(path, ".new");
    let mut file = fs::File::create(&beside)?;
    io::Write::write_all(&mut file, bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, path)
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Moves a file that cannot be read out of the way, over no other. What to tell the person about it.
pub(crate) fn set_aside(path: &Path, why: &str) -> String {
    let names = (0..100).map(|n| if n == 0 { ".broken".to_owned() } else { format!(".broken{n}") });
    let free = names.map(|name| with(path, &name)).find(|aside| !aside.exists());
    let aside = free.unwrap_or_else(|| with(path, ".broken"));
    let kept = match fs::rename(path, &aside) {
        Ok(()) => format!("It is kept as {}.", aside.display()),
        Err(error) => format!("It could not be set aside: {error}."),
    };
    format!("{}: {why}. {kept}", path.display())
}

/// Letters, digits and `-` of a name: part of a file's name.
pub(crate) fn plain(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let dashed: String = name.chars().map(letter).collect();
    let words: Vec<_> = dashed.split('-').filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(40).collect();
    if name.is_empty() { "design".to_owned() } else { name }
}

fn written(path: &Path) -> SystemTime {
    fs::metadata(path).and_then(|about| about.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let about = fs::metadata(path).map_err(|error| error.to_string())?;
    if about.len() > MOST_BYTES {
        return Err(format!("it has more than {MOST_BYTES} bytes"));
    }
    fs::read(path).map_err(|error| error.to_string())
}

fn read(actor: [u8; 16], path: &Path) -> Result<Book, String> {
    let beside = bytes(&path.with_extension(UNDO)).ok();
    Book::load(actor, &bytes(path)?, beside.as_deref())
}

/// Appends steps to a file, one on each line.
fn append(path: &Path, steps: &[UndoStep]) -> io::Result<()> {
    let mut text = Vec::new();
    for step in steps {
        serde_json::to_writer(&mut text, step)?;
        text.push(b'\n');
    }
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    io::Write::write_all(&mut file, &text)?;
    file.sync_data()
}

/// Takes the newest steps from such a file, oldest first. A line that cannot be read ends what can be undone.
fn take(path: &Path) -> Vec<UndoStep> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let (left, taken) = lines.split_at(lines.len().saturating_sub(MAX_STEPS / 2));
    let mut steps: Vec<UndoStep> = taken.iter().rev().map_while(|line| serde_json::from_str(line).ok()).collect();
    steps.reverse();
    let left: String = left.iter().flat_map(|line| [*line, "\n"]).collect();
    // What is left there twice would be undone twice.
    if write_whole(path, left.as_bytes()).is_err() { Vec::new() } else { steps }
}

impl Files {
    /// Looks through a folder. What cannot be read is set aside; what to tell about that.
    pub(crate) fn open(folder: Option<PathBuf>, actor: [u8; 16]) -> (Self, Vec<String>) {
        let (mut saved, mut problems) = (Vec::new(), Vec::new());
        let entries = folder.as_deref().and_then(|folder| fs::read_dir(folder).ok());
        for path in entries.into_iter().flatten().filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            if path.extension().is_none_or(|ending| ending != ENDING) || saved.len() >= MOST {
                continue;
            }
            let Some(id) = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()) else { continue };
            let when = written(&path);
            match read(actor, &path) {
                Ok(book) => saved.push(Saved { id, name: book.design().name.clone(), when }),
                Err(why) => problems.push(set_aside(&path, &why)),
            }
        }
        saved.sort_by(|a, b| b.when.cmp(&a.when).then_with(|| a.id.cmp(&b.id)));
        (Self { folder, actor, saved }, problems)
    }

    pub(crate) fn saved(&self) -> &[Saved] {
        &self.saved
    }

    /// Where a design is kept; nothing is kept without a folder.
    pub(crate) fn path(&self, id: &str) -> Option<PathBuf> {
        self.folder.as_deref().map(|folder| folder.join(format!("{id}.{ENDING}")))
    }

    /// Keeps a design.
    pub(crate) fn keep(&mut self, id: &str, book: &mut Book) -> Result<(), String> {
        let Some(path) = self.path(id) else { return Ok(()) };
        let new = book.write()?;
        let said = |error: io::Error| format!("{}: {error}", path.display());
        write_whole(&path, &new.document).map_err(said)?;
        write_whole(&path.with_extension(UNDO), &new.beside).map_err(said)?;
        if !new.older.is_empty() {
            append(&path.with_extension(OLDER), &new.older).map_err(said)?;
        }
        self.saved.retain(|saved| saved.id != id);
        // It is the newest now, whatever the disk's clock says.
        self.saved.insert(0, Saved { id: id.to_owned(), name: book.design().name.clone(), when: written(&path) });
        Ok(())
    }
}

impl crate::desk::Shelf for Files {
    fn read(&mut self, id: &str) -> Result<Book, String> {
        // Only what is listed: an id is no path.
        let known = self.saved.iter().any(|saved| saved.id == id);
        let path = self.path(id).filter(|_| known).ok_or("That design is not there any more.")?;
        read(self.actor, &path).map_err(|why| {
            self.saved.retain(|saved| saved.id != id);
            set_aside(&path, &why)
        })
    }

    fn older(&mut self, id: &str) -> Vec<UndoStep> {
        self.path(id).map(|path| take(&path.with_extension(OLDER))).unwrap_or_default()
    }

    fn actor(&self) -> [u8; 16] {
        self.actor
    }

    fn fresh(&self, stem: &str) -> String {
        let taken = |id: &str| {
            let known = self.saved.iter().any(|saved| saved.id == id);
            known || self.path(id).is_some_and(|path| path.exists())
        };
        let stem = plain(stem);
        let free = (1..100_000).map(|n| format!("{stem}-{n}")).find(|id| !taken(id));
        free.unwrap_or(stem)
    }
}

#[cfg(test)]
mod tests {
    use vestibule_fabricate::Start;

    use super::*;
    use crate::{change::Change, desk::Shelf};

    fn new(start: Start) -> Book {
        Book::new([1; 16], &start.design()).unwrap()
    }

    #[test]
    fn what_is_kept_is_there_next_time_with_what_was_done_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let (mut files, problems) = Files::open(Some(folder.path().join("deep")), [1; 16]);
        assert!(problems.is_empty());
        let mut book = new(Start::Shelf);
        let field = crate::fields::param_field("width");
        book.apply(&Change::Number { field, value: 300.0 }).unwrap();
        let id = files.fresh("shelf");
        files.keep(&id, &mut book).unwrap();
        assert_eq!((id.as_str(), files.fresh("shelf").as_str()), ("shelf-1", "shelf-2"));
        let (mut again, problems) = Files::open(Some(folder.path().join("deep")), [1; 16]);
        assert!(problems.is_empty());
        assert_eq!(again.saved().len(), 1);
        let read = again.read("shelf-1").unwrap();
        assert_eq!((read.design(), read.undoes()), (book.design(), book.undoes()));
        assert!(again.read("../../etc/passwd").is_err());
    }

    #[test]
    fn a_broken_file_is_set_aside_and_told() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "{", "\u{0}"] {
            fs::write(folder.path().join("x.design"), text).unwrap();
            let (files, problems) = Files::open(Some(folder.path().to_owned()), [1; 16]);
            assert!(files.saved().is_empty());
            assert!(problems[0].contains("x.design") && problems[0].contains("It is kept as"), "{problems:?}");
            assert_eq!(files.fresh("x"), "x-1");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "none was overwritten");
        // One that breaks while the program runs.
        let (mut files, _) = Files::open(Some(folder.path().to_owned()), [1; 16]);
        files.keep("hook-1", &mut new(Start::Hook)).unwrap();
        fs::write(folder.path().join("hook-1.design"), "{}").unwrap();
        assert!(files.read("hook-1").unwrap_err().contains("It is kept as"));
        assert!(files.saved().is_empty());
    }

    #[test]
    fn the_oldest_steps_go_to_a_file_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shelf.undo.older");
        assert!(take(&path).is_empty());
        let mut book = new(Start::Shelf);
        let mut steps = Vec::new();
        for width in 300..310_u32 {
            let field = crate::fields::param_field("width");
            book.apply(&Change::Number { field, value: f64::from(width) }).unwrap();
            steps.push(book.document().undo_log().next_undo().unwrap().clone());
        }
        append(&path, &steps[..4]).unwrap();
        append(&path, &steps[4..]).unwrap();
        assert_eq!(take(&path), steps);
        assert!(take(&path).is_empty(), "each of them once");
        append(&path, &steps).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{{broken\n{text}")).unwrap();
        assert_eq!(take(&path), steps, "what can be read");
    }

    #[test]
    fn the_newest_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let (mut files, _) = Files::open(Some(folder.path().to_owned()), [1; 16]);
        for start in [Start::Hook, Start::Lamp, Start::Table, Start::Hook] {
            files.keep(start.id(), &mut new(start)).unwrap();
        }
        let ids: Vec<_> = files.saved().iter().map(|saved| saved.id.as_str()).collect();
        assert_eq!(ids, ["hook", "table", "lamp"]);
    }

    #[test]
    fn names_of_files_are_plain() {
        assert_eq!(plain("My näw / shelf!"), "my-n-w-shelf");
        assert_eq!(plain("../.."), "design");
    }
}
