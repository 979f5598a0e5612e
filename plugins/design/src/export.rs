//! Files for others: printers, makers, viewers. Written on a thread of their own.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use vestibule_fabricate::export::{glb, stl, write_3mf};
use vestibule_twin::DesignFormat;

use crate::{
    files::{plain, write_whole},
    work::Picture,
};

/// A file that is being written.
#[derive(Debug, Default)]
pub(crate) struct Writing {
    result: Option<Arc<Mutex<Option<Result<String, String>>>>>,
}

fn bytes(picture: &Picture, format: DesignFormat) -> Result<Vec<u8>, String> {
    let words = |error: vestibule_fabricate::export::ExportError| format!("It cannot be written: {error}.");
    match format {
        DesignFormat::ThreeMf => {
            let mut bytes = Vec::new();
            write_3mf(&picture.solids, &picture.design, &mut bytes).map_err(words)?;
            Ok(bytes)
        }
        DesignFormat::Glb => glb(&picture.solids).map_err(words),
        DesignFormat::Stl => stl(&picture.solids).map_err(words),
    }
}

/// A name that no other file has, unless it is the same file.
fn free(folder: &Path, stem: &str, ending: &str, bytes: &[u8]) -> PathBuf {
    let named = |n: u32| match n {
        1 => folder.join(format!("{stem}.{ending}")),
        n => folder.join(format!("{stem}-{n}.{ending}")),
    };
    let fits = |path: &PathBuf| !path.exists() || fs::read(path).is_ok_and(|old| old == bytes);
    (1..10_000).map(named).find(fits).unwrap_or_else(|| named(1))
}

pub(crate) fn write(picture: &Picture, format: DesignFormat, folder: &Path) -> Result<String, String> {
    let bytes = bytes(picture, format)?;
    let path = free(folder, &plain(&picture.design.name), format.extension(), &bytes);
    write_whole(&path, &bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path.display().to_string())
}

impl Writing {
    /// Begins; refused while another one is written.
    pub(crate) fn begin(&mut self, picture: Arc<Picture>, format: DesignFormat, folder: PathBuf) -> Result<(), String> {
        if self.result.is_some() {
            return Err("Another file is still being written.".to_owned());
        }
        let result = Arc::new(Mutex::new(None));
        self.result = Some(Arc::clone(&result));
        let work = move || {
            let done = write(&picture, format, &folder);
            *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        };
        if let Err(error) = thread::Builder::new().name("export".to_owned()).spawn(work) {
            self.result = None;
            return Err(error.to_string());
        }
        Ok(())
    }

    /// How it went, once it is over.
    pub(crate) fn take(&mut self) -> Option<Result<String, String>> {
        let result = self.result.as_ref()?;
        let done = result.lock().unwrap_or_else(PoisonError::into_inner).take();
        if done.is_some() {
            self.result = None;
        } else if Arc::strong_count(result) == 1 {
            // Its thread is gone and has said nothing.
            self.result = None;
            return Some(Err("The file was not written: it was too much for this computer.".to_owned()));
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use vestibule_fabricate::{Budget, Evaluator, Start};

    use super::*;

    fn picture(start: Start) -> Picture {
        let design = start.design();
        let solids = Evaluator::new().evaluate(&design, &Budget::default()).unwrap();
        Picture { number: 1, design, solids, meshes: Vec::new() }
    }

    #[test]
    fn every_format_is_written_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let picture_of_it = picture(Start::Shelf);
        for (format, begin) in [
            (DesignFormat::ThreeMf, b"PK\x03\x04".as_slice()),
            (DesignFormat::Glb, b"glTF"),
            (DesignFormat::Stl, b"Vestibule"),
        ] {
            let path = write(&picture_of_it, format, folder.path()).unwrap();
            assert!(fs::read(&path).unwrap().starts_with(begin), "{path}");
            assert_eq!(write(&picture_of_it, format, folder.path()).unwrap(), path, "the same file is the same");
        }
        fs::write(folder.path().join("shelf.stl"), "somebody's").unwrap();
        let path = write(&picture_of_it, DesignFormat::Stl, folder.path()).unwrap();
        assert!(path.ends_with("shelf-2.stl"), "{path}");
        assert_eq!(fs::read(folder.path().join("shelf.stl")).unwrap(), b"somebody's");
    }

    #[test]
    fn one_at_a_time_and_a_disk_that_says_no_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        fs::write(&blocked, "").unwrap();
        let picture = Arc::new(picture(Start::Hook));
        let mut writing = Writing::default();
        writing.begin(Arc::clone(&picture), DesignFormat::Stl, blocked).unwrap();
        assert!(writing.begin(picture, DesignFormat::Stl, folder.path().to_owned()).is_err());
        let begin = std::time::Instant::now();
        let result = loop {
            if let Some(result) = writing.take() {
                break result;
            }
            assert!(begin.elapsed().as_secs() < 60);
            thread::yield_now();
        };
        assert!(result.unwrap_err().contains("file"), "it says which file");
        assert!(writing.take().is_none());
    }
}
