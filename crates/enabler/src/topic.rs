//! What lines of the log are about: the index by which a twin's past is found.

use vestibule_model::{CommandId, LeaseId, TwinId};

use crate::LogEvent;

/// What a line of the log is about, so that a thing's past is found without reading everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Who may do what, systems, the log itself: what every thing's past depends on.
    Everything,
    /// One twin.
    Twin(TwinId),
    /// The twin of this command.
    Command(CommandId),
    /// The twin of this lease.
    Lease(LeaseId),
    /// Nothing that a twin's past depends on.
    Nothing,
}

impl LogEvent {
    /// What it is about.
    #[must_use]
    pub fn about(&self) -> Topic {
        match self {
            Self::RuleSet { .. }
            | Self::RuleRemoved { .. }
            | Self::DeviceEnrolled { .. }
            | Self::DeviceRevoked { .. }
            | Self::UserSet { .. }
            | Self::UserRemoved { .. }
            | Self::TokenDelegated { .. }
            | Self::TokenRevoked { .. }
            | Self::SystemRegistered { .. }
            | Self::SystemGone { .. }
            | Self::PersonErased { .. } => Topic::Everything,
            Self::TokenKeySet { .. }
            | Self::SystemMeasured { .. }
            | Self::PseudonymsSalted { .. }
            | Self::Authorized { .. }
            | Self::Deauthorized { .. }
            | Self::CallAccepted { .. }
            | Self::StepDispatched { .. }
            | Self::StepEnded { .. }
            | Self::CallStopped { .. }
            | Self::CallEnded { .. }
            | Self::PurchaseConfirmed { .. }
            | Self::PurchaseAsked { .. }
            | Self::PurchaseTold { .. }
            | Self::PurchaseCancelAsked { .. }
            | Self::PurchaseEnded { .. }
            | Self::ProductBound { .. }
            | Self::ProductKept { .. }
            | Self::ProductUnbound { .. }
            | Self::LogCut { .. } => Topic::Nothing,
            Self::TwinDescribed { info } => Topic::Twin(info.id.clone()),
            Self::TwinGone { twin }
            | Self::WishEnded { twin, .. }
            | Self::PermissionTold { twin, .. }
            | Self::TwinAcquired { twin, .. } => Topic::Twin(twin.clone()),
            Self::CommandAccepted { command, .. } => Topic::Twin(command.twin.clone()),
            Self::LeaseQueued { request, .. } => Topic::Twin(request.twin.clone()),
            Self::LeaseGranted { lease, .. }
            | Self::LeaseRenewed { lease, .. }
            | Self::LeaseIntegrated { lease, .. }
            | Self::LeaseEnded { lease, .. } => Topic::Lease(*lease),
            Self::CommandDispatched { command } | Self::CommandEnded { command, .. } => Topic::Command(*command),
        }
    }
}
