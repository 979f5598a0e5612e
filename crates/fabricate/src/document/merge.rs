use super::{ChangeHash, Changed, Document, DocumentError, changed, look, read::Fields};

impl Document {
    /// What this copy has and one with these [`Self::heads`] has not. All of it where there are none.
    pub fn changes_since(&mut self, heads: &[ChangeHash]) -> Vec<u8> {
        self.store.changes_since(heads)
    }

    /// Takes over another copy's changes: all of them, or none. What is already here does no harm.
    ///
    /// # Errors
    /// [`DocumentError`] where they cannot be read, are too many, or come after changes that are not here.
    pub fn merge(&mut self, changes: &[u8]) -> Result<Changed, DocumentError> {
        if changes.is_empty() {
            return Ok(Changed::default());
        }
        let store = self.store.merged(changes)?;
        let fields = store.fields()?;
        let different: Vec<_> = differing(&self.fields, &fields).chain(differing(&fields, &self.fields)).collect();
        let (design, left_out) = look(&fields);
        let changed = changed(different.into_iter(), [&self.design, &design]);
        self.conflicted = store.conflicted();
        (self.store, self.fields, self.design, self.left_out) = (store, fields, design, left_out);
        Ok(changed)
    }
}

/// The fields of one that are not the same in the other.
fn differing<'a>(one: &'a Fields, other: &'a Fields) -> impl Iterator<Item = &'a super::Field> {
    one.iter().filter(|(field, scalar)| other.get(*field) != Some(*scalar)).map(|(field, _)| field)
}
