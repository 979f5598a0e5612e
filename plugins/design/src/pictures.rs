//! Small pictures of what one can begin with: drawn once, when somebody first looks, and kept beside the designs.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use bevy::prelude::Resource;
use vestibule_fabricate::{Budget, Evaluator, Font, Start, export::thumbnail};

use crate::{files::write_whole, place::SOURCE};

/// The pictures that are there, in the order of [`Start::ALL`].
#[derive(Resource, Debug, Default)]
pub(crate) struct Pictures {
    folder: Option<PathBuf>,
    font: Option<Font>,
    begun: bool,
    ready: Arc<AtomicUsize>,
}

fn file(folder: &Path, start: Start) -> PathBuf {
    folder.join(format!("start_{}.png", start.id()))
}

impl Pictures {
    /// Pictures that lie in a folder; without one there are none.
    pub(crate) fn new(folder: Option<PathBuf>, font: Option<Font>) -> Self {
        Self { folder, font, ..Self::default() }
    }

    /// Draws what is missing, on a thread of its own that ends with that.
    pub(crate) fn begin(&mut self) {
        let Some(folder) = self.folder.clone().filter(|_| !self.begun) else { return };
        self.begun = true;
        let (font, ready) = (self.font.clone(), Arc::clone(&self.ready));
        // Without them there are names: nothing depends on it.
        drop(thread::Builder::new().name("design pictures".to_owned()).spawn(move || draw(&folder, font, &ready)));
    }

    /// How many there are.
    pub(crate) fn ready(&self) -> usize {
        self.ready.load(Ordering::Acquire)
    }

    /// The asset path of a starting point's picture, where it is there.
    pub(crate) fn of(&self, start: Start) -> Option<String> {
        let place = Start::ALL.iter().position(|other| *other == start)?;
        (place < self.ready()).then(|| format!("{SOURCE}://start_{}.png", start.id()))
    }
}

fn draw(folder: &Path, font: Option<Font>, ready: &AtomicUsize) {
    let mut evaluator = font.map_or_else(Evaluator::new, Evaluator::with_font);
    for start in Start::ALL {
        let path = file(folder, start);
        let whole = fs::metadata(&path).is_ok_and(|about| about.len() > 0);
        let drawn = whole
            || evaluator
                .evaluate(&start.design(), &Budget::default())
                .ok()
                .and_then(|solids| thumbnail(&solids).ok())
                .is_some_and(|png| write_whole(&path, &png).is_ok());
        // They are counted in their order: the first one that is missing ends it.
        if !drawn {
            return;
        }
        ready.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_start_has_a_picture_that_is_drawn_once() {
        let folder = tempfile::tempdir().unwrap();
        let font = Font::read(include_bytes!("../../hud/fonts/Inter-Regular.otf")).unwrap();
        let ready = AtomicUsize::new(0);
        draw(folder.path(), Some(font), &ready);
        assert_eq!(ready.load(Ordering::Acquire), Start::ALL.len());
        for start in Start::ALL {
            assert!(fs::read(file(folder.path(), start)).unwrap().starts_with(b"\x89PNG"), "{start:?}");
        }
        // Without a font no house number can be drawn; it need not be.
        let again = AtomicUsize::new(0);
        draw(folder.path(), None, &again);
        assert_eq!(again.load(Ordering::Acquire), Start::ALL.len());
        let mut pictures = Pictures::new(Some(folder.path().to_owned()), None);
        assert_eq!(pictures.of(Start::Shelf), None, "nobody looked yet");
        pictures.begin();
        let begin = std::time::Instant::now();
        while pictures.ready() < Start::ALL.len() {
            assert!(begin.elapsed().as_secs() < 60);
            thread::yield_now();
        }
        assert_eq!(pictures.of(Start::Lamp).as_deref(), Some("designs://start_lamp.png"));
    }
}
