//! Names that nobody else gives: of calls, purchases, salts.

use vestibule_model::{CallId, PurchaseId};

/// Makes them, from 16 random bytes that no other run has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    seed: [u8; 16],
    made: u64,
}

impl Ids {
    pub(crate) const fn new(seed: [u8; 16]) -> Self {
        Self { seed, made: 0 }
    }

    fn next(&mut self, what: &str) -> [u8; 32] {
        self.made += 1;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed).update(&self.made.to_le_bytes()).update(what.as_bytes());
        *hasher.finalize().as_bytes()
    }

    fn short(&mut self, what: &str) -> [u8; 16] {
        let mut id = [0; 16];
        id.copy_from_slice(&self.next(what)[..16]);
        id
    }

    pub(crate) fn call(&mut self) -> CallId {
        CallId(self.short("shop call"))
    }

    pub(crate) fn purchase(&mut self) -> PurchaseId {
        PurchaseId(self.short("purchase"))
    }

    /// What keeps the hash of a document about a person from saying anything.
    pub(crate) fn salt(&mut self) -> String {
        vestibule_model::ContentHash(self.next("salt")).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_given_twice() {
        let (mut here, mut there) = (Ids::new([1; 16]), Ids::new([2; 16]));
        let mut made: Vec<_> = (0..100).flat_map(|_| [here.call().0, here.purchase().0, there.call().0]).collect();
        made.sort_unstable();
        made.dedup();
        assert_eq!(made.len(), 300);
        assert_ne!(here.salt(), here.salt());
    }
}
