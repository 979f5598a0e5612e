//! What stands in the world and every change that led there. Pure: no engine, no files.

use std::collections::{BTreeMap, VecDeque};

use crate::world_file::Piece;

/// Changes that can be taken back. More than anybody makes; each takes about a hundred bytes.
const MAX_CHANGES: usize = 100_000;
/// Pieces that can stand at once: each is drawn and bumped into.
pub const MAX_PIECES: usize = 512;

/// A change, as it happened or as it was taken back.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The piece stands there now.
    Placed(Piece),
    /// The piece is gone.
    Removed(Piece),
}

impl Change {
    fn inverse(self) -> Self {
        match self {
            Self::Placed(piece) => Self::Removed(piece),
            Self::Removed(piece) => Self::Placed(piece),
        }
    }
}

/// The pieces of a world with their history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Furnishing {
    pieces: BTreeMap<u64, Piece>,
    done: VecDeque<Change>,
    undone: Vec<Change>,
    last: u64,
}

impl Furnishing {
    /// A world in which these pieces already stand. They are its beginning: they cannot be undone. Where there are more
    /// than [`MAX_PIECES`] all of them stand, and no more can be added.
    #[must_use]
    pub fn new(pieces: impl IntoIterator<Item = Piece>) -> Self {
        let pieces: BTreeMap<_, _> = pieces.into_iter().map(|piece| (piece.id, piece)).collect();
        let last = pieces.keys().next_back().copied().unwrap_or(0);
        Self { pieces, last, ..Self::default() }
    }

    /// What stands, by number.
    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.values()
    }

    /// The piece with this number.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Piece> {
        self.pieces.get(&id)
    }

    /// How many changes [`undo`](Self::undo) and [`redo`](Self::redo) can go.
    #[must_use]
    pub fn depth(&self) -> (usize, usize) {
        (self.done.len(), self.undone.len())
    }

    /// Puts a new piece down. `None`: the world is full.
    pub fn place(&mut self, model: String, position: [f32; 3], yaw: f32) -> Option<Change> {
        if self.pieces.len() >= MAX_PIECES {
            return None;
        }
        // Numbers are never used twice, so that a redone piece is the same one.
        self.last = self.last.checked_add(1)?;
        let piece = Piece { id: self.last, model, position, yaw };
        Some(self.commit(Change::Placed(piece)))
    }

    /// Takes a piece away. `None`: it is not there.
    pub fn remove(&mut self, id: u64) -> Option<Change> {
        let piece = self.pieces.get(&id)?.clone();
        Some(self.commit(Change::Removed(piece)))
    }

    /// Takes the last change back and returns what that changed. `None`: nothing was changed.
    pub fn undo(&mut self) -> Option<Change> {
        let change = self.done.pop_back()?;
        self.undone.push(change.clone());
        let inverse = change.inverse();
        self.apply(&inverse);
        Some(inverse)
    }

    /// Does again what was last taken back. `None`: nothing was, or something was changed since.
    pub fn redo(&mut self) -> Option<Change> {
        let change = self.undone.pop()?;
        self.apply(&change);
        self.done.push_back(change.clone());
        Some(change)
    }

    fn commit(&mut self, change: Change) -> Change {
        self.apply(&change);
        self.undone.clear();
        if self.done.len() == MAX_CHANGES {
            self.done.pop_front();
        }
        self.done.push_back(change.clone());
        change
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Placed(piece) => self.pieces.insert(piece.id, piece.clone()),
            Change::Removed(piece) => self.pieces.remove(&piece.id),
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_removed_piece_comes_back_as_itself() {
        let mut world = Furnishing::default();
        let Some(Change::Placed(sofa)) = world.place("sofa".into(), [1.0, 0.0, 2.0], 0.5) else { panic!() };
        world.remove(sofa.id).unwrap();
        assert_eq!(world.undo(), Some(Change::Placed(sofa.clone())));
        assert_eq!(world.get(sofa.id), Some(&sofa));
        assert_eq!(world.redo(), Some(Change::Removed(sofa)));
        assert_eq!(world.redo(), None);
    }

    #[test]
    fn a_new_change_forgets_what_was_undone() {
        let mut world = Furnishing::default();
        world.place("a".into(), [0.0; 3], 0.0);
        world.undo();
        let Some(Change::Placed(second)) = world.place("b".into(), [0.0; 3], 0.0) else { panic!() };
        assert_eq!((second.id, world.redo()), (2, None));
    }

    #[test]
    fn what_was_loaded_cannot_be_undone_but_removed() {
        let piece = Piece { id: 9, model: "rug".into(), position: [0.0; 3], yaw: 0.0 };
        let mut world = Furnishing::new([piece.clone()]);
        assert_eq!(world.undo(), None);
        assert_eq!(world.remove(9), Some(Change::Removed(piece)));
        assert_eq!(world.remove(9), None);
        let Some(Change::Placed(next)) = world.place("rug".into(), [0.0; 3], 0.0) else { panic!() };
        assert_eq!(next.id, 10, "numbers go on after the loaded ones");
    }

    #[test]
    fn a_full_world_says_so() {
        let mut world = Furnishing::default();
        (0..MAX_PIECES).for_each(|_| assert!(world.place("a".into(), [0.0; 3], 0.0).is_some()));
        assert_eq!(world.place("a".into(), [0.0; 3], 0.0), None);
    }

    #[derive(Clone, Debug)]
    enum Act {
        Place,
        Remove(u64),
        Undo,
        Redo,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            3 => Just(Act::Place),
            2 => (0_u64..12).prop_map(Act::Remove),
            2 => Just(Act::Undo),
            1 => Just(Act::Redo),
        ];
        prop::collection::vec(act, 0..60)
    }

    proptest! {
        #[test]
        fn undoing_everything_leads_to_the_beginning_and_redoing_it_to_the_end(acts in acts()) {
            let mut world = Furnishing::default();
            for act in acts {
                match act {
                    Act::Place => drop(world.place("m".into(), [0.0; 3], 0.0)),
                    Act::Remove(id) => drop(world.remove(id)),
                    Act::Undo => drop(world.undo()),
                    Act::Redo => drop(world.redo()),
                }
            }
            while world.redo().is_some() {}
            let end: Vec<_> = world.pieces().cloned().collect();
            while world.undo().is_some() {}
            prop_assert_eq!(world.pieces().count(), 0);
            while world.redo().is_some() {}
            prop_assert_eq!(world.pieces().cloned().collect::<Vec<_>>(), end);
        }
    }
}
