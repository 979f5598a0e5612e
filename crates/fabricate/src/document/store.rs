//! The only file that knows how the document is kept: one automerge map of scalars, a field each. The later writer of a
//! field wins, and of two at once the one that all copies agree on.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

use automerge::{
    ActorId, AutoCommit, AutomergeError, ChangeHash as Hash, LoadOptions, OnPartialLoad, ROOT, ReadDoc, ScalarValue,
    ScalarValueRef, Value, ValueRef,
    transaction::{CommitOptions, Transactable},
};

use super::{
    ChangeHash, DocumentError, MAX_CHANGES, MAX_DOCUMENT,
    field::{Field, Scalar},
    read::Fields,
    scan,
};

/// The entry that says what this is.
const FORMAT_KEY: &str = "format";
/// What it says.
const FORMAT: &str = "vestibule-design/1";
/// The most fields: more than the most features have.
const MAX_FIELDS: usize = 100_000;

#[derive(Clone)]
pub(super) struct Store {
    doc: AutoCommit,
    actor: ActorId,
}

/// What other people's bytes do to the library must not end the program.
fn guarded<T>(work: impl FnOnce() -> Result<T, AutomergeError>) -> Result<T, DocumentError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| DocumentError::Malformed(error.to_string())),
        Err(_) => Err(DocumentError::Malformed("its reader gave up".to_owned())),
    }
}

impl Store {
    /// A document with these fields as its first change.
    pub fn new(actor: [u8; 16], fields: &Fields) -> Result<Self, DocumentError> {
        let actor = ActorId::from(actor);
        let mut store = Self { doc: AutoCommit::new().with_actor(actor.clone()), actor };
        guarded(|| store.doc.put(ROOT, FORMAT_KEY, FORMAT))?;
        store.write(fields.iter())?;
        Ok(store)
    }

    pub fn load(actor: [u8; 16], bytes: &[u8]) -> Result<Self, DocumentError> {
        too_many(scan::scan(bytes)?.changes)?;
        let options = || LoadOptions::new().on_partial_load(OnPartialLoad::Error);
        let doc = guarded(|| AutoCommit::load_with_options(bytes, options()))?;
        let actor = ActorId::from(actor);
        let mut store = Self { doc: doc.with_actor(actor.clone()), actor };
        store.looked_at()?;
        // What comes next in `save_incremental` is what comes after this.
        store.doc.save_incremental();
        Ok(store)
    }

    /// Whether it is a document of ours, whole, and within its limits.
    fn looked_at(&mut self) -> Result<(), DocumentError> {
        let changes = usize::try_from(self.doc.stats().num_changes).unwrap_or(usize::MAX);
        too_many(changes)?;
        if !self.doc.get_missing_deps(&[]).is_empty() {
            return Err(DocumentError::Missing);
        }
        // Somebody can write changes that are read once, and never again after they were saved.
        let saved = self.doc.document().save();
        guarded(|| AutoCommit::load(&saved).map(drop))?;
        // Said once: two documents that began apart do not go together.
        let said = guarded(|| self.doc.get_all(ROOT, FORMAT_KEY))?;
        let [(format, _)] = said.as_slice() else { return Err(DocumentError::Format) };
        match scalar(format) {
            Some(Scalar::Text(format)) if format == FORMAT => Ok(()),
            _ => Err(DocumentError::Format),
        }
    }

    /// All fields. What is no field of ours, or no scalar, is somebody else's and is left alone.
    pub fn fields(&self) -> Result<Fields, DocumentError> {
        guarded(|| {
            let items = self.doc.map_range(ROOT, ..).take(MAX_FIELDS);
            let known = items.filter_map(|item| {
                let ValueRef::Scalar(value) = &item.value else { return None };
                let scalar = scalar_ref(value).filter(Scalar::is_sound)?;
                Some((item.key.parse::<Field>().ok()?, scalar))
            });
            Ok(known.collect())
        })
    }

    /// Writes fields as one change.
    pub fn write<'a>(&mut self, sets: impl Iterator<Item = (&'a Field, &'a Scalar)>) -> Result<(), DocumentError> {
        let Self { doc, .. } = self;
        let written = guarded(|| {
            for (field, scalar) in sets {
                let value = match scalar {
                    Scalar::Nothing => ScalarValue::Null,
                    Scalar::Flag(flag) => ScalarValue::Boolean(*flag),
                    Scalar::Number(number) => ScalarValue::F64(*number),
                    Scalar::Text(text) => ScalarValue::Str(text.as_str().into()),
                };
                doc.put(ROOT, field.to_string(), value)?;
            }
            // No clock here: a change is as old as it is in its order.
            doc.commit_with(CommitOptions::default().with_time(0));
            Ok(())
        });
        if written.is_err() {
            self.doc.rollback();
        }
        written
    }

    /// Every value of a field that several people set at once, the one that counts last.
    pub fn all(&self, field: &Field) -> Vec<Scalar> {
        let all = guarded(|| self.doc.get_all(ROOT, field.to_string())).unwrap_or_default();
        all.iter().filter_map(|(value, _)| scalar(value)).collect()
    }

    /// The fields that several people set at once.
    pub fn conflicted(&self) -> BTreeSet<Field> {
        let items = guarded(|| Ok(self.doc.map_range(ROOT, ..).take(MAX_FIELDS).collect::<Vec<_>>()));
        let items = items.unwrap_or_default().into_iter().filter(|item| item.conflict);
        items.filter_map(|item| item.key.parse().ok()).collect()
    }

    /// Whether the value that counts was set by this document's own actor.
    pub fn is_mine(&self, field: &Field) -> bool {
        let found = guarded(|| self.doc.get(ROOT, field.to_string())).ok().flatten();
        matches!(found, Some((_, automerge::ObjId::Id(_, actor, _))) if actor == self.actor)
    }

    pub fn save(&mut self) -> Vec<u8> {
        self.doc.save()
    }

    pub fn save_incremental(&mut self) -> Vec<u8> {
        self.doc.save_incremental()
    }

    pub fn changes_since(&mut self, heads: &[ChangeHash]) -> Vec<u8> {
        let heads: Vec<_> = heads.iter().map(|head| Hash(head.0)).collect();
        self.doc.save_after(&heads)
    }

    pub fn heads(&mut self) -> Vec<ChangeHash> {
        self.doc.get_heads().into_iter().map(|head| ChangeHash(head.0)).collect()
    }

    /// How many changes there are.
    pub fn changes(&self) -> usize {
        usize::try_from(self.doc.stats().num_changes).unwrap_or(usize::MAX)
    }

    /// With another copy's changes, in all or not at all.
    pub fn merged(&self, bytes: &[u8]) -> Result<Self, DocumentError> {
        for chunk in scan::scan(bytes)?.chunks {
            // Reading into a document takes what comes before a broken chunk and says nothing. Alone, each one has to be
            // sound; what it comes after may be elsewhere.
            let alone = || LoadOptions::new().on_partial_load(OnPartialLoad::Ignore);
            guarded(|| AutoCommit::load_with_options(chunk, alone()))?;
        }
        let mut merged = self.clone();
        guarded(|| merged.doc.load_incremental(bytes))?;
        merged.looked_at()?;
        Ok(merged)
    }
}

fn too_many(changes: usize) -> Result<(), DocumentError> {
    if changes > MAX_CHANGES { Err(DocumentError::TooMany { changes }) } else { Ok(()) }
}

/// Refused before anything is read.
pub(super) fn too_large(bytes: usize) -> Result<(), DocumentError> {
    if bytes > MAX_DOCUMENT { Err(DocumentError::TooLarge { bytes }) } else { Ok(()) }
}

fn scalar(value: &Value<'_>) -> Option<Scalar> {
    match value.as_scalar()? {
        ScalarValue::Str(text) => Some(Scalar::Text(text.to_string())),
        ScalarValue::F64(number) => Some(Scalar::Number(*number)),
        ScalarValue::Boolean(flag) => Some(Scalar::Flag(*flag)),
        ScalarValue::Null => Some(Scalar::Nothing),
        _ => None,
    }
}

fn scalar_ref(value: &ScalarValueRef<'_>) -> Option<Scalar> {
    match value {
        ScalarValueRef::Str(text) => Some(Scalar::Text(text.to_string())),
        ScalarValueRef::F64(number) => Some(Scalar::Number(*number)),
        ScalarValueRef::Boolean(flag) => Some(Scalar::Flag(*flag)),
        ScalarValueRef::Null => Some(Scalar::Nothing),
        _ => None,
    }
}
