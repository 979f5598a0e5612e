//! Names of requests, made from what they are for: after a kill the same request has the same key, and nothing has to
//! be stored for that.

use vestibule_model::{ContentHash, PurchaseId};
use vestibule_protocol::Invocation;
use vestibule_ucp::IdempotencyKey;

fn derived(parts: &[&[u8]]) -> IdempotencyKey {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        // With their lengths, so that no two lists run together alike.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    IdempotencyKey::of(bytes)
}

/// Of a step of a collaboration. `what` tells several requests of one step apart.
pub(crate) fn step(invocation: &Invocation, what: &str) -> IdempotencyKey {
    derived(&[b"ucp", &invocation.call.0, invocation.step.as_str().as_bytes(), what.as_bytes()])
}

/// Of handing over a package: whoever does it, it is the same.
pub(crate) fn package(hash: &ContentHash) -> IdempotencyKey {
    derived(&[b"package", &hash.0])
}

/// Of placing an order: the purchase itself.
pub(crate) fn complete(purchase: &PurchaseId) -> IdempotencyKey {
    IdempotencyKey::of(purchase.0)
}

/// Of what belongs to a purchase.
pub(crate) fn of_purchase(purchase: &PurchaseId, what: &str) -> IdempotencyKey {
    derived(&[what.as_bytes(), &purchase.0])
}
