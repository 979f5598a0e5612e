//! An open design with everything that was done to it.

use vestibule_fabricate::design::Design;

use crate::{change::Change, words};

/// A design and its history.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    design: Design,
    /// What was done, and how it was before.
    done: Vec<(String, Design)>,
    /// What was taken back, and how it was after.
    undone: Vec<(String, Design)>,
}

impl Book {
    pub(crate) const fn new(design: Design) -> Self {
        Self { design, done: Vec::new(), undone: Vec::new() }
    }

    /// Reads what [`Self::save`] wrote.
    pub(crate) fn load(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
        Design::read(text).map(Self::new).map_err(|error| error.to_string())
    }

    pub(crate) fn save(&self) -> Result<Vec<u8>, String> {
        self.design.canonical().map(String::into_bytes).map_err(|error| words::of_design(&self.design, &error))
    }

    pub(crate) const fn design(&self) -> &Design {
        &self.design
    }

    /// Does it, as one step that can be taken back. What changes nothing is no step: `Ok(None)`.
    pub(crate) fn apply(&mut self, change: &Change) -> Result<Option<crate::change::Changed>, String> {
        let changed = change.apply(&self.design)?;
        if changed.design == self.design {
            return Ok(None);
        }
        let before = std::mem::replace(&mut self.design, changed.design.clone());
        self.done.push((changed.label.clone(), before));
        self.undone.clear();
        Ok(Some(changed))
    }

    /// What undoing would take back.
    pub(crate) fn undoes(&self) -> Option<String> {
        self.done.last().map(|(label, _)| label.clone())
    }

    /// What redoing would do.
    pub(crate) fn redoes(&self) -> Option<String> {
        self.undone.last().map(|(label, _)| label.clone())
    }

    /// Whether there was something to take back.
    pub(crate) fn undo(&mut self) -> Result<bool, String> {
        let Some((label, before)) = self.done.pop() else { return Ok(false) };
        self.undone.push((label, std::mem::replace(&mut self.design, before)));
        Ok(true)
    }

    /// Whether there was something to do again.
    pub(crate) fn redo(&mut self) -> Result<bool, String> {
        let Some((label, after)) = self.undone.pop() else { return Ok(false) };
        self.done.push((label, std::mem::replace(&mut self.design, after)));
        Ok(true)
    }
}
