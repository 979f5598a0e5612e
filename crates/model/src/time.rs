use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A moment, in milliseconds since the Unix epoch, on the enabler's clock.
///
/// Peers learn the enabler's clock in the handshake and speak in its time, so that a validity window means the same
/// on both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// This moment and `millis` milliseconds; stays at the end of time instead of overflowing.
    #[must_use]
    pub const fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this moment; 0 where `earlier` is later (clocks step back).
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
