use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{
    edit::EditLabel,
    field::{Field, Scalar},
};

/// The most steps that are kept in memory; older ones are handed out to be kept in a file.
pub const MAX_STEPS: usize = 10_000;

/// One click, as what it changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UndoStep {
    /// What people read beside "undo".
    pub label: EditLabel,
    /// Each field, what it was before (nothing where it was not there), and what it is since.
    pub sets: Vec<(Field, Option<Scalar>, Scalar)>,
}

/// What one person did and undid, in one document. Plain data: it is written beside the document, and read again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UndoLog {
    /// What can be undone, oldest first.
    done: VecDeque<UndoStep>,
    /// What can be done again, the next last.
    undone: Vec<UndoStep>,
    /// What had no more room, oldest first.
    #[serde(default)]
    spilled: Vec<UndoStep>,
}

impl UndoLog {
    /// What would be undone next.
    #[must_use]
    pub fn next_undo(&self) -> Option<&UndoStep> {
        self.done.back()
    }

    /// What would be done again next.
    #[must_use]
    pub fn next_redo(&self) -> Option<&UndoStep> {
        self.undone.last()
    }

    /// How many steps can be undone without older ones from a file.
    #[must_use]
    pub fn len(&self) -> usize {
        self.done.len()
    }

    /// Whether nothing can be undone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    /// The oldest steps, oldest first, that memory has no room for: append them to a file. Whoever never asks keeps
    /// the newest [`MAX_STEPS`] of them.
    pub fn take_spilled(&mut self) -> Vec<UndoStep> {
        std::mem::take(&mut self.spilled)
    }

    /// Puts older steps from a file below what is here, oldest first. As many of the newest as there is room for are
    /// taken; says how many.
    pub fn put_below(&mut self, older: Vec<UndoStep>) -> usize {
        let room = MAX_STEPS.saturating_sub(self.done.len());
        let taken = older.len().min(room);
        older.into_iter().rev().take(room).for_each(|step| self.done.push_front(step));
        taken
    }

    /// As somebody wrote it, within its bounds.
    pub(super) fn bounded(mut self) -> Self {
        self.undone.truncate(MAX_STEPS);
        while self.done.len() > MAX_STEPS {
            self.spill();
        }
        self
    }

    /// A click: what was undone before it cannot be done again.
    pub(super) fn did(&mut self, step: UndoStep) {
        self.undone.clear();
        self.push(step);
    }

    pub(super) fn push(&mut self, step: UndoStep) {
        self.done.push_back(step);
        if self.done.len() > MAX_STEPS {
            self.spill();
        }
    }

    pub(super) fn push_undone(&mut self, step: UndoStep) {
        self.undone.push(step);
        if self.undone.len() > MAX_STEPS {
            self.undone.remove(0);
        }
    }

    pub(super) fn pop(&mut self) -> Option<UndoStep> {
        self.done.pop_back()
    }

    pub(super) fn pop_undone(&mut self) -> Option<UndoStep> {
        self.undone.pop()
    }

    fn spill(&mut self) {
        self.spilled.extend(self.done.pop_front());
        if self.spilled.len() > MAX_STEPS {
            self.spilled.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::edit::Deed, *};

    fn step(number: usize) -> UndoStep {
        let label = EditLabel { deed: Deed::Set, what: number.to_string() };
        UndoStep { label, sets: Vec::new() }
    }

    #[test]
    fn steps_go_to_a_file_and_come_back_from_it() {
        let (mut log, mut file) = (UndoLog::default(), Vec::new());
        for number in 0..2 * MAX_STEPS + 500 {
            log.did(step(number));
            if number % 1_000 == 0 {
                file.extend(log.take_spilled());
            }
        }
        file.extend(log.take_spilled());
        assert_eq!((log.len(), file.len()), (MAX_STEPS, MAX_STEPS + 500));
        for number in (0..2 * MAX_STEPS + 500).rev() {
            assert_eq!(log.pop().map(|step| step.label.what), Some(number.to_string()));
            if log.is_empty() {
                let older = file.split_off(file.len().saturating_sub(700));
                let count = older.len();
                assert_eq!(log.put_below(older), count);
            }
        }
        assert!(log.is_empty() && file.is_empty());
    }

    #[test]
    fn what_nobody_takes_is_bounded_and_what_is_read_too() {
        let mut log = UndoLog::default();
        for number in 0..3 * MAX_STEPS {
            log.did(step(number));
        }
        let spilled = log.take_spilled();
        assert_eq!((spilled.len(), spilled[0].label.what.as_str()), (MAX_STEPS, "10000"));
        let long = UndoLog { done: (0..MAX_STEPS + 5).map(step).collect(), ..UndoLog::default() };
        let mut read = long.bounded();
        assert_eq!((read.len(), read.take_spilled().len()), (MAX_STEPS, 5));
        assert_eq!(read.put_below(vec![step(0)]), 0);
    }
}
