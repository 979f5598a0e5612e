//! Pairing codes, for whoever shows them and may outlive the hub.

use tokio::sync::{mpsc, oneshot};
use vestibule_enabler_core::{Offer, PairingCode};
use vestibule_model::RoleId;

use super::{HubError, handle::Control};

pub(super) async fn pairing_code(control: &mpsc::Sender<Control>, role: RoleId) -> Result<PairingCode, HubError> {
    let (reply, answer) = oneshot::channel();
    control.send(Control::PairingCode { offer: Offer::new(role), reply }).await.map_err(|_| HubError::Stopped)?;
    answer.await.map_err(|_| HubError::Stopped)?
}

/// Shows pairing codes, and does not keep the hub running for it.
#[derive(Clone, Debug)]
pub struct PairingCodes {
    control: mpsc::WeakSender<Control>,
}

impl PairingCodes {
    pub(super) fn of(control: &mpsc::Sender<Control>) -> Self {
        Self { control: control.downgrade() }
    }

    /// A code as by [`HubHandle::pairing_code`](super::HubHandle::pairing_code).
    ///
    /// # Errors
    /// The same; [`HubError::Stopped`] once the hub has ended.
    pub async fn show(&self, role: RoleId) -> Result<PairingCode, HubError> {
        let control = self.control.upgrade().ok_or(HubError::Stopped)?;
        pairing_code(&control, role).await
    }

    /// Whether the hub has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.control.upgrade().is_none_or(|control| control.is_closed())
    }
}
