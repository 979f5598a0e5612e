//! Products without electronics, for whoever maintains their twins.

use std::sync::Arc;

use vestibule_enabler_core::{ProductRecord, State, things_info};

use super::core::Core;

/// Products without electronics that are twins, as decided and written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Things {
    /// Whether their system was registered before.
    pub(crate) known: bool,
    /// All of them, in the order of their serial numbers: at most some thousand, of which few ever change.
    pub(crate) products: Vec<Arc<ProductRecord>>,
}

impl Things {
    pub(super) fn of(state: &State) -> Self {
        Self {
            known: state.systems.contains_key(&things_info().id),
            products: state.kept_products().cloned().collect(),
        }
    }
}

impl Core {
    /// Tells whoever maintains them which there are by now.
    pub(super) fn things_changed(&self) {
        self.things.send_replace(Things::of(self.committed()));
    }
}
