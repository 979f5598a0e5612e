//! An open design with everything that was done to it.

use serde::{Deserialize, Serialize};
use vestibule_fabricate::{
    design::{Design, FeatureKey},
    document::{Document, Edit, UndoLog, UndoStep},
};
use vestibule_model::ContentHash;

use crate::{change::Change, words};

/// A document of one person.
#[derive(Debug)]
pub(crate) struct Book {
    document: Document,
    design: Design,
    actor: [u8; 16],
    /// Keys that were made since the document was opened.
    made: u32,
}

/// What is kept beside a document: what its person can undo, and as whom.
#[derive(Serialize, Deserialize)]
struct Beside {
    actor: [u8; 16],
    undo: UndoLog,
}

/// What a change led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// The part that is chosen from now on, where the change says so.
    pub select: Option<Option<FeatureKey>>,
}

/// A document as it is written: its changes, what lies beside it, and the oldest steps, which memory has no room for.
#[derive(Debug)]
pub(crate) struct Written {
    pub document: Vec<u8>,
    pub beside: Vec<u8>,
    pub older: Vec<UndoStep>,
}

impl Book {
    /// A new one. `actor` stands for this person in this document.
    pub(crate) fn new(actor: [u8; 16], design: &Design) -> Result<Self, String> {
        let document = Document::new(actor, design).map_err(|error| error.to_string())?;
        Self::of(document, actor)
    }

    fn of(document: Document, actor: [u8; 16]) -> Result<Self, String> {
        let design = document.design().map_err(|error| error.to_string())?;
        Ok(Self { document, design, actor, made: 0 })
    }

    /// Reads what [`Self::write`] wrote. Without what lies beside it, or where that cannot be read, nothing of before can
    /// be undone, and somebody else goes on.
    pub(crate) fn load(actor: [u8; 16], document: &[u8], beside: Option<&[u8]>) -> Result<Self, String> {
        let beside = beside.and_then(|beside| serde_json::from_slice::<Beside>(beside).ok());
        let actor = beside.as_ref().map_or(actor, |beside| beside.actor);
        let document = Document::load(actor, document).map_err(|error| error.to_string())?;
        Self::of(document.with_undo(beside.map(|beside| beside.undo).unwrap_or_default()), actor)
    }

    pub(crate) fn write(&mut self) -> Result<Written, String> {
        let older = self.document.undo_log_mut().take_spilled();
        let beside = Beside { actor: self.actor, undo: self.document.undo_log().clone() };
        let beside = serde_json::to_vec(&beside).map_err(|error| error.to_string())?;
        Ok(Written { document: self.document.save(), beside, older })
    }

    pub(crate) const fn design(&self) -> &Design {
        &self.design
    }

    #[cfg(test)]
    pub(crate) const fn document(&self) -> &Document {
        &self.document
    }

    /// A key that no part of any copy has: made of who makes it, when, and how many before.
    fn key(&mut self) -> Result<FeatureKey, String> {
        self.made += 1;
        let (changes, made) = (self.document.changes() as u64, self.made);
        let text = [self.actor.as_slice(), &changes.to_le_bytes(), &made.to_le_bytes()].concat();
        let hex: String = ContentHash::of(&text).to_string().chars().take(16).collect();
        FeatureKey::new(&hex).map_err(|error| error.to_string())
    }

    fn edit(&mut self, change: &Change) -> Result<(Edit, Done), String> {
        let keys: Vec<FeatureKey> = (0..change.keys(&self.design)).map(|_| self.key()).collect::<Result<_, _>>()?;
        let (edit, select) = change.edit(&self.document, &self.design, keys)?;
        Ok((edit, Done { select }))
    }

    /// The design as it would be.
    pub(crate) fn preview(&mut self, change: &Change) -> Result<Design, String> {
        let (edit, _) = self.edit(change)?;
        self.document.preview(&edit).map_err(|error| words::of_edit(&self.design, &error))
    }

    /// Does it, as one step that can be taken back. What changes nothing is no step: nothing.
    pub(crate) fn apply(&mut self, change: &Change) -> Result<Option<Done>, String> {
        let (edit, done) = self.edit(change)?;
        let changed = self.document.apply(&edit).map_err(|error| words::of_edit(&self.design, &error))?;
        if changed.fields.is_empty() {
            return Ok(None);
        }
        self.look()?;
        Ok(Some(done))
    }

    fn look(&mut self) -> Result<(), String> {
        self.design = self.document.design().map_err(|error| words::of_design(&self.design, &error))?;
        Ok(())
    }

    /// What undoing would take back.
    pub(crate) fn undoes(&self) -> Option<String> {
        self.document.undo_log().next_undo().map(|step| step.label.to_string())
    }

    /// What redoing would do.
    pub(crate) fn redoes(&self) -> Option<String> {
        self.document.undo_log().next_redo().map(|step| step.label.to_string())
    }

    /// Whether there was something to take back.
    pub(crate) fn undo(&mut self) -> Result<bool, String> {
        let undone = self.document.undo().map_err(|error| words::of_edit(&self.design, &error))?;
        self.look()?;
        Ok(undone.is_some())
    }

    /// Whether there was something to do again.
    pub(crate) fn redo(&mut self) -> Result<bool, String> {
        let redone = self.document.redo().map_err(|error| words::of_edit(&self.design, &error))?;
        self.look()?;
        Ok(redone.is_some())
    }

    /// Steps from a file that come before what memory has. How many of the newest there was room for.
    pub(crate) fn put_below(&mut self, older: Vec<UndoStep>) -> usize {
        self.document.undo_log_mut().put_below(older)
    }
}

#[cfg(test)]
mod tests {
    use vestibule_fabricate::Start;

    use super::*;

    #[test]
    fn what_was_done_can_be_undone_after_the_next_start() {
        let start = Start::Shelf.design();
        let mut book = Book::new([7; 16], &start).unwrap();
        let set = |value: f64| Change::Number { field: crate::fields::param_field("width"), value };
        book.apply(&set(300.0)).unwrap().unwrap();
        book.apply(&Change::Add { shape: "ball".to_owned(), at: [0.0; 3] }).unwrap().unwrap();
        assert_eq!(book.apply(&set(300.0)).unwrap(), None, "nothing new is no step");
        let written = book.write().unwrap();
        let mut again = Book::load([8; 16], &written.document, Some(&written.beside)).unwrap();
        assert_eq!((again.design(), again.undoes()), (book.design(), book.undoes()));
        while again.undo().unwrap() {}
        assert_eq!(*again.design(), start);
        while again.redo().unwrap() {}
        assert_eq!(again.design().hash().unwrap(), book.design().hash().unwrap());
        let bare = Book::load([8; 16], &written.document, Some(b"{")).unwrap();
        assert_eq!((bare.design(), bare.undoes()), (book.design(), None));
        assert!(Book::load([8; 16], b"{", None).is_err());
    }

    #[test]
    fn keys_are_never_made_twice() {
        let mut book = Book::new([7; 16], &Start::Shelf.design()).unwrap();
        let mut all = std::collections::BTreeSet::new();
        for step in 0..20_u32 {
            let change = Change::Add { shape: "ball".to_owned(), at: [f64::from(step), 0.0, 0.0] };
            book.preview(&change).unwrap();
            assert!(all.insert(book.apply(&change).unwrap().unwrap().select.unwrap().unwrap()));
            let written = book.write().unwrap();
            book = Book::load([7; 16], &written.document, Some(&written.beside)).unwrap();
        }
    }
}
