//! A design that several people edit, each on a copy of their own, and whose copies come together.
//!
//! A [`Document`] is a set of [`Field`]s with a [`Scalar`] each; where two people set the same field, the later one wins,
//! and of two at once the one that all copies agree on. One [`Edit`] is one change and one step to undo. An edit whose
//! result is no design is refused as a whole; what merging makes is healed, so that there always is a design to look at
//! (see [`Document::left_out`]).
//!
//! **What an editor does**:
//!
//! - Begins with [`Document::new`] or [`Document::load`], with 16 bytes that stand for this person in this copy of the
//!   document. Two copies that go apart must not have the same.
//! - Shows [`Document::design`]; fills its panels from [`editable`], and puts [`handles`] into the world.
//! - Makes an edit with one of the functions that end in `-ing` ([`Document::adding`], [`Document::removing`],
//!   [`Document::copying`], [`Document::mirroring`], [`Document::moving`], [`Document::setting`], …) and hands it to
//!   [`Document::apply`]. During a drag it evaluates [`Document::preview`] instead, which commits nothing.
//! - Appends [`Document::save_incremental`] to a file after each edit, and writes [`Document::save`] now and then. Keeps
//!   [`Document::undo_log`] beside it.
//! - Sends [`Document::changes_since`] what the other one has ([`Document::heads`]), and gives what comes from there to
//!   [`Document::merge`].
//!
//! ```
//! use vestibule_fabricate::{Start, document::{Document, ShapeKind, NewFeature}, design::{Does, FeatureKey}};
//!
//! let mut mine = Document::new([1; 16], &Start::Hook.design())?;
//! let mut yours = Document::load([2; 16], &mine.save())?;
//!
//! let hole = NewFeature::cut(FeatureKey::new("5f0c9a1e77d3b204")?, ShapeKind::Cylinder).at([0.0, 30.0, 3.0]);
//! let edit = mine.adding(&hole)?;
//! mine.apply(&edit)?;
//! let edit = yours.turning_param("reach", 55.0)?;
//! yours.apply(&edit)?;
//!
//! let (i_have, you_have) = (mine.heads(), yours.heads());
//! mine.merge(&yours.changes_since(&i_have))?;
//! yours.merge(&mine.changes_since(&you_have))?;
//! assert_eq!(mine.design()?.hash()?, yours.design()?.hash()?);
//!
//! // Takes back my hole, and leaves your turn alone.
//! mine.undo()?;
//! assert_eq!(mine.design()?.params["reach"].value, 55.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod edit;
mod edits;
mod field;
mod flat;
mod handle;
mod kind;
mod merge;
mod order;
mod panel;
mod read;
mod scan;
mod shift;
mod store;
mod undo;
mod write;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::design::{Design, DesignError, Feature, FeatureKey};
use read::{Fields, Parts};
use store::Store;

pub use edit::{Deed, Edit, EditLabel, NewFeature};
pub use field::{FeatureField, Field, FieldError, MAX_SCALAR, MaterialField, ParamField, Path, Scalar};
pub use handle::{Handle, HandleKind, handles};
pub use kind::ShapeKind;
pub use panel::{Editable, Unit, editable};
pub use undo::{MAX_STEPS, UndoLog, UndoStep};

/// The most bytes of a document: what is loaded while a person waits.
pub const MAX_DOCUMENT: usize = 16 << 20;
/// The most changes of a document: a click each second for two days without a pause.
pub const MAX_CHANGES: usize = 200_000;
/// The most fields that one edit sets: a design of a thousand features.
pub const MAX_SETS: usize = 50_000;

/// Names a change of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChangeHash(pub [u8; 32]);

/// Why bytes are no document, or cannot be merged into one. The document is as it was.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum DocumentError {
    /// More bytes than [`MAX_DOCUMENT`], as they are or unpacked.
    #[error("{bytes} bytes are too many")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// More changes than [`MAX_CHANGES`].
    #[error("{changes} changes are too many, {MAX_CHANGES} are the most")]
    TooMany {
        /// How many.
        changes: usize,
    },
    /// They cannot be read.
    #[error("no document: {0}")]
    Malformed(String),
    /// They are a document, but not of a design.
    #[error("it is no document of a design")]
    Format,
    /// They come after changes that are not here: ask for all since [`Document::heads`].
    #[error("changes that come before these are missing")]
    Missing,
    /// What it began with is no design.
    #[error(transparent)]
    Design(#[from] DesignError),
}

/// Why an edit was not made. The document is as it was.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum EditError {
    /// The result would be no design.
    #[error(transparent)]
    Design(#[from] DesignError),
    /// It names a feature, parameter or material that is not there.
    #[error("there is no {0}")]
    Unknown(String),
    /// A key that is already taken, by something that is there or was.
    #[error("{0} is already taken")]
    Taken(String),
    /// A value that its field never has.
    #[error("{field} cannot be that")]
    Value {
        /// Which field.
        field: String,
    },
    /// It sets more than [`MAX_SETS`] fields.
    #[error("{0} fields at once are too many")]
    TooMany(usize),
    /// The document has as many changes as it may: begin a new one with its design.
    #[error("the document is full")]
    Full,
    /// It could not be written down.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// What an edit, an undo or a merge changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The fields.
    pub fields: BTreeSet<Field>,
    /// The features that look different now: by a field of theirs, of their material, or by a parameter that they read.
    pub features: BTreeSet<FeatureKey>,
}

/// A feature that is in the document, but not in its design: two people's edits do not go together.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// Which.
    pub feature: FeatureKey,
    /// Why it cannot be.
    pub why: DesignError,
}

/// A design that several people edit. See the module.
pub struct Document {
    store: Store,
    fields: Fields,
    design: Design,
    left_out: Vec<LeftOut>,
    /// Fields that several people set at once.
    conflicted: BTreeSet<Field>,
    undo: UndoLog,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Document");
        shown.field("name", &self.design.name).field("features", &self.design.features.len());
        shown.field("changes", &self.store.changes()).field("undo", &self.undo.len()).finish()
    }
}

impl Document {
    /// A new document. `actor` stands for this person in this copy.
    ///
    /// # Errors
    /// [`DocumentError::Design`] where `start` is no design.
    pub fn new(actor: [u8; 16], start: &Design) -> Result<Self, DocumentError> {
        start.canonical()?;
        let fields = write::fields(start);
        let store = Store::new(actor, &fields)?;
        Ok(Self::of(store, fields, UndoLog::default()))
    }

    /// Reads what [`Self::save`] wrote, with what [`Self::save_incremental`] wrote after it.
    ///
    /// # Errors
    /// [`DocumentError`] where it is none, or is larger than a document may be.
    pub fn load(actor: [u8; 16], bytes: &[u8]) -> Result<Self, DocumentError> {
        let store = Store::load(actor, bytes)?;
        let fields = store.fields()?;
        Ok(Self::of(store, fields, UndoLog::default()))
    }

    fn of(store: Store, fields: Fields, undo: UndoLog) -> Self {
        let (design, left_out) = look(&fields);
        let conflicted = store.conflicted();
        Self { store, fields, design, left_out, conflicted, undo }
    }

    /// All of it, packed.
    pub fn save(&mut self) -> Vec<u8> {
        self.store.save()
    }

    /// What is new since the last time that it was saved, to be appended to that.
    pub fn save_incremental(&mut self) -> Vec<u8> {
        self.store.save_incremental()
    }

    /// Which changes it has: those that no other one comes after.
    pub fn heads(&mut self) -> Vec<ChangeHash> {
        self.store.heads()
    }

    /// How many changes it has, of [`MAX_CHANGES`].
    #[must_use]
    pub fn changes(&self) -> usize {
        self.store.changes()
    }

    /// The design as it is now.
    ///
    /// # Errors
    /// [`DesignError`], which healing leaves nothing of.
    pub fn design(&self) -> Result<Design, DesignError> {
        self.design.resolve()?;
        Ok(self.design.clone())
    }

    /// What the document has and the design has not, because edits that were merged do not go together. Empty as long as
    /// one person works on it. Each can be mended with an edit, or removed.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The value of a field; nothing where it was never set.
    #[must_use]
    pub fn get(&self, field: &Field) -> Option<&Scalar> {
        self.fields.get(field)
    }

    /// Fields that several people set at once, with the values, the one that counts last. Setting such a field ends it.
    #[must_use]
    pub fn conflicts(&self) -> Vec<(Field, Vec<Scalar>)> {
        let all = self.conflicted.iter().map(|field| (field.clone(), self.store.all(field)));
        all.filter(|(_, all)| all.len() > 1).collect()
    }

    /// What can be undone and done again.
    #[must_use]
    pub const fn undo_log(&self) -> &UndoLog {
        &self.undo
    }

    /// To hand out steps that memory has no room for, and to page them in again.
    pub const fn undo_log_mut(&mut self) -> &mut UndoLog {
        &mut self.undo
    }

    /// With what was written beside the document.
    #[must_use]
    pub fn with_undo(self, undo: UndoLog) -> Self {
        Self { undo: undo.bounded(), ..self }
    }

    /// Makes an edit: one change, and one step to undo.
    ///
    /// # Errors
    /// [`EditError`] where the result would be no design. Nothing is changed then.
    pub fn apply(&mut self, edit: &Edit) -> Result<Changed, EditError> {
        let (step, changed) = self.write(&edit.sets, &edit.label)?;
        if !step.sets.is_empty() {
            self.undo.did(step);
        }
        Ok(changed)
    }

    /// The design as it would be after an edit, for what is dragged. Nothing is changed.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn preview(&self, edit: &Edit) -> Result<Design, EditError> {
        Ok(self.next(&edit.sets)?.1)
    }

    /// Takes back this person's last edit, as far as nobody else has changed the same fields since. Nothing where there is
    /// nothing to take back.
    ///
    /// # Errors
    /// [`EditError`] where the result would be no design, because of what others did since. The step is passed over: the
    /// next call takes back the one before it.
    pub fn undo(&mut self) -> Result<Option<Changed>, EditError> {
        let Some(step) = self.undo.pop() else { return Ok(None) };
        let (back, changed) = self.write(&self.back(&step), &step.label)?;
        self.undo.push_undone(back);
        Ok(Some(changed))
    }

    /// Does again what was taken back last. Nothing where there is nothing.
    ///
    /// # Errors
    /// As [`Self::undo`].
    pub fn redo(&mut self) -> Result<Option<Changed>, EditError> {
        let Some(step) = self.undo.pop_undone() else { return Ok(None) };
        let (again, changed) = self.write(&self.back(&step), &step.label)?;
        self.undo.push(again);
        Ok(Some(changed))
    }

    /// What takes back a step: its fields as they were before, where they still are what it made them.
    fn back(&self, step: &UndoStep) -> Vec<(Field, Scalar)> {
        let still = |field: &Field, new: &Scalar| self.fields.get(field) == Some(new) && self.store.is_mine(field);
        let sets = step.sets.iter().filter(|(field, _, new)| still(field, new));
        sets.filter_map(|(field, old, _)| match old {
            Some(old) => Some((field.clone(), old.clone())),
            // What was not there before is removed; its other fields stay, for when it comes back.
            None if field.says_gone() => Some((field.clone(), Scalar::Flag(true))),
            None => None,
        })
        .collect()
    }

    /// The fields and the design after setting some.
    fn next(&self, sets: &[(Field, Scalar)]) -> Result<(Fields, Design, Vec<LeftOut>), EditError> {
        if sets.len() > MAX_SETS {
            return Err(EditError::TooMany(sets.len()));
        }
        let mut fields = self.fields.clone();
        for (field, scalar) in sets {
            if !scalar.is_sound() {
                return Err(EditError::Value { field: field.to_string() });
            }
            fields.insert(field.clone(), scalar.clone());
        }
        let why = match Parts::of(&fields).strict() {
            Ok(design) => return Ok((fields, design, Vec::new())),
            Err(why) => why,
        };
        // What merging broke is mended one by one.
        if self.left_out.is_empty() && Parts::of(&self.fields).strict().is_ok() {
            return Err(why.into());
        }
        let (design, left_out) = Parts::of(&fields).healed();
        let known = |left: &LeftOut| self.left_out.iter().any(|before| before.feature == left.feature);
        match left_out.iter().find(|left| !known(left)) {
            Some(left) => Err(left.why.clone().into()),
            None => Ok((fields, design, left_out)),
        }
    }

    fn write(&mut self, sets: &[(Field, Scalar)], label: &EditLabel) -> Result<(UndoStep, Changed), EditError> {
        let (fields, design, left_out) = self.next(sets)?;
        let new = |field: &Field| fields.get(field) != self.fields.get(field) || self.conflicted.contains(field);
        let set: BTreeSet<&Field> = sets.iter().map(|(field, _)| field).filter(|field| new(field)).collect();
        let step = set
            .into_iter()
            .filter_map(|field| Some((field.clone(), self.fields.get(field).cloned(), fields.get(field)?.clone())));
        let step = UndoStep { label: label.clone(), sets: step.collect() };
        if step.sets.is_empty() {
            return Ok((step, Changed::default()));
        }
        if self.store.changes() >= MAX_CHANGES {
            return Err(EditError::Full);
        }
        self.store.write(step.sets.iter().map(|(field, _, new)| (field, new)))?;
        let changed = changed(step.sets.iter().map(|(field, ..)| field), [&self.design, &design]);
        self.conflicted.retain(|field| !changed.fields.contains(field));
        (self.fields, self.design, self.left_out) = (fields, design, left_out);
        Ok((step, changed))
    }
}

/// The design that these fields are, and what had to be left out.
fn look(fields: &Fields) -> (Design, Vec<LeftOut>) {
    match Parts::of(fields).strict() {
        Ok(design) => (design, Vec::new()),
        Err(_) => Parts::of(fields).healed(),
    }
}

/// What looks different, before and after.
fn changed<'a>(fields: impl Iterator<Item = &'a Field>, designs: [&Design; 2]) -> Changed {
    let mut changed = Changed { fields: fields.cloned().collect(), features: BTreeSet::new() };
    let (mut params, mut materials) = (BTreeSet::new(), BTreeSet::new());
    for field in &changed.fields {
        match field {
            Field::Name | Field::Role => {}
            Field::Param(key, _) => drop(params.insert(key.as_str())),
            Field::Material(key, _) => drop(materials.insert(key)),
            Field::Feature(key, _) => drop(changed.features.insert(key.clone())),
        }
    }
    let reads = |feature: &Feature| {
        materials.contains(&feature.material)
            || (!params.is_empty()
                && feature.formulas().iter().any(|formula| formula.names().any(|name| params.contains(name))))
    };
    let all = designs.into_iter().flat_map(|design| &design.features);
    let reading: Vec<_> = all.filter(|feature| reads(feature)).map(|feature| feature.key.clone()).collect();
    changed.features.extend(reading);
    changed
}
