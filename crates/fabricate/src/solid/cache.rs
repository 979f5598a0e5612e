use std::{collections::HashMap, sync::Arc};

use manifold_rust::impl_mesh::ManifoldImpl;
use vestibule_model::ContentHash;

use crate::design::FeatureKey;

/// What all solids that are kept may take, about: a design of a hundred features a few times over.
const MOST_BYTES: usize = 256 << 20;
/// What the kernel keeps for a triangle, about.
const TRIANGLE_BYTES: usize = 256;

/// A solid, and which of the kernel's ids stands for which feature in it.
#[derive(Clone)]
pub(crate) struct Kept {
    pub solid: Arc<ManifoldImpl>,
    pub ids: Vec<(i32, FeatureKey)>,
}

/// Solids by what they were made from; the one that was not needed for longest goes first.
#[derive(Default)]
pub(crate) struct Cache {
    kept: HashMap<ContentHash, (Kept, u64)>,
    bytes: usize,
    turn: u64,
}

fn bytes(kept: &Kept) -> usize {
    (kept.solid.num_tri() + 16) * TRIANGLE_BYTES
}

impl Cache {
    pub fn get(&mut self, key: &ContentHash) -> Option<Kept> {
        self.turn += 1;
        let (kept, used) = self.kept.get_mut(key)?;
        *used = self.turn;
        Some(kept.clone())
    }

    pub fn put(&mut self, key: ContentHash, kept: Kept) {
        self.turn += 1;
        self.bytes += bytes(&kept);
        if let Some((old, _)) = self.kept.insert(key, (kept, self.turn)) {
            self.bytes -= bytes(&old);
        }
        while self.bytes > MOST_BYTES && self.kept.len() > 1 {
            let Some(oldest) = self.kept.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key) else { break };
            if let Some((old, _)) = self.kept.remove(&oldest) {
                self.bytes -= bytes(&old);
            }
        }
    }

    pub fn len(&self) -> usize {
        self.kept.len()
    }
}
