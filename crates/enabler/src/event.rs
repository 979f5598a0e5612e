//! What the log holds: facts that were decided, as JSON for whoever audits them.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use vestibule_model::{
    Authorization, CallId, CallStatus, Collaboration, Command, CommandId, CommandStatus, Confirmation, ContentHash,
    FeatureId, Json, Kept, LeaseEnd, LeaseId, LeaseRequest, Limits, Product, PropertyId, Pseudonym, PurchaseId,
    PurchaseState, RoleId, Rule, RuleId, Serial, StepKey, SystemId, SystemInfo, Timestamp, TokenId, TokenKey, TwinId,
    TwinInfo, TwinPermission, UserId, UserInfo,
};

use crate::{AskKind, Fingerprint, Grant, Identity, Measured, StepEnd, StepPlan, Stop, ToldRecord, Wish};

/// A decision that was made. State is nothing but these, folded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogEvent {
    /// DTAC: a rule was added or changed.
    RuleSet {
        /// The rule.
        rule: Rule,
        /// Who did it; `None`: the enabler, at its first start.
        by: Option<UserId>,
    },
    /// DTAC: a rule was taken away.
    RuleRemoved {
        /// The rule.
        rule: RuleId,
        /// Who did it.
        by: UserId,
    },
    /// A device was made known.
    DeviceEnrolled {
        /// Its certificate.
        certificate: Fingerprint,
        /// Whose it is.
        user: UserId,
        /// With which roles.
        roles: Vec<RoleId>,
        /// What to call it; belongs to the user, as their name does.
        #[serde(with = "vestibule_model::personal")]
        device: String,
        /// Until when it is known; `None`: until it is revoked.
        #[serde(default)]
        until: Option<Timestamp>,
        /// Who let it in; `None`: whoever runs the enabler.
        #[serde(default)]
        by: Option<UserId>,
    },
    /// A device is not known any more.
    DeviceRevoked {
        /// Its certificate.
        certificate: Fingerprint,
        /// Who did it.
        by: UserId,
    },
    /// A user was added or changed. What single devices were given at pairing ends with it.
    UserSet {
        /// The user.
        user: UserInfo,
        /// Who did it; `None`: the provider with which they logged in.
        by: Option<UserId>,
    },
    /// A user was taken away, with all their devices.
    UserRemoved {
        /// The user.
        user: UserId,
        /// Who did it.
        by: UserId,
    },
    /// The public half of the key that signs this enabler's tokens: those of another one are void.
    TokenKeySet {
        /// The key.
        key: TokenKey,
    },
    /// A token was signed with which somebody acts in somebody's stead.
    TokenDelegated {
        /// What revokes it.
        id: TokenId,
        /// Who delegates.
        by: UserId,
        /// What its bearer is called; belongs to whoever delegates.
        #[serde(with = "vestibule_model::personal")]
        guest: String,
        /// How far it goes.
        limits: Limits,
    },
    /// A token, or one attenuation of it, is void.
    TokenRevoked {
        /// Which.
        id: TokenId,
        /// Who did it.
        by: UserId,
    },
    /// DTSR, TPSR: a system registered, or said something else of itself.
    SystemRegistered {
        /// What it said.
        info: SystemInfo,
        /// Whose the id is from its first registration on.
        owner: Identity,
    },
    /// DTSR, TPSR: a system is no longer registered, and none of its twins is described.
    SystemGone {
        /// The system.
        system: SystemId,
        /// Which owner took it out; `None`: it went by itself, and its id stays reserved for it.
        by: Option<UserId>,
    },
    /// DTSR, TPSR: what monitoring measured of a system since it registered.
    SystemMeasured {
        /// The system.
        system: SystemId,
        /// All of it by now.
        measured: Measured,
    },
    /// DTIA, DTAC: what a twin's system lets a user do with it, by its own rules.
    PermissionTold {
        /// The twin.
        twin: TwinId,
        /// The user.
        user: UserId,
        /// What it lets them do.
        permission: TwinPermission,
    },
    /// DTSR: a twin was described, or described differently.
    TwinDescribed {
        /// The description, shared with whoever keeps it.
        info: Arc<TwinInfo>,
    },
    /// DTSR: a twin is no longer maintained.
    TwinGone {
        /// The twin.
        twin: TwinId,
    },
    /// DTS: a command was accepted.
    CommandAccepted {
        /// The command.
        command: Command,
        /// Whose it is.
        user: UserId,
        /// The rule that let them.
        rule: RuleId,
        /// What should be reported once it has worked.
        wishes: Vec<Wish>,
        /// Whether it is given to the twin's system by this very decision. It is never given twice.
        dispatched: bool,
        /// The device that it came from, where one is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<Fingerprint>,
        /// The fencing token of the lease under which it acts.
        #[serde(default)]
        fence: Option<u64>,
    },
    /// DTS: a command that waited is given to the twin's system.
    CommandDispatched {
        /// The command.
        command: CommandId,
    },
    /// DTS: nothing will follow for a command.
    CommandEnded {
        /// The command.
        command: CommandId,
        /// How it ended.
        status: CommandStatus,
        /// Properties whose wish stays: they should have become so, or were commanded and cannot report.
        unmet: Vec<PropertyId>,
    },
    /// DTS: a wish that outlived its command came true.
    WishEnded {
        /// The command that had it.
        command: CommandId,
        /// The twin.
        twin: TwinId,
        /// The feature.
        feature: FeatureId,
        /// The property.
        property: PropertyId,
    },
    /// TPSAA: what pseudonyms are made with was drawn.
    PseudonymsSalted {
        /// Random bytes.
        salt: ContentHash,
    },
    /// TPSAA: a user and a third-party system have agreed.
    Authorized {
        /// The user.
        user: UserId,
        /// With which device.
        by: Identity,
        /// What they agreed.
        authorization: Authorization,
    },
    /// TPSAA: what was agreed was taken back.
    Deauthorized {
        /// The system.
        system: SystemId,
        /// What it called the user.
        pseudonym: Pseudonym,
        /// The user.
        user: UserId,
        /// Why.
        end: AgreementEnd,
    },
    /// DTDA: a third-party system was told of a twin, the first time for this call or this agreement.
    TwinAcquired {
        /// The system.
        system: SystemId,
        /// Whose rights it had.
        user: UserId,
        /// What it calls the user.
        pseudonym: Pseudonym,
        /// The twin.
        twin: TwinId,
        /// Which features of it.
        features: BTreeSet<FeatureId>,
        /// For which call.
        call: Option<CallId>,
    },
    /// SDC: a call was accepted.
    CallAccepted {
        /// By whom. Before what is theirs.
        user: UserId,
        /// What was asked.
        call: Box<Collaboration>,
        /// With which device.
        by: Identity,
        /// The hash of the request.
        #[serde(with = "vestibule_model::sealed")]
        request: ContentHash,
        /// What the systems say of its steps.
        plans: Vec<StepPlan>,
    },
    /// SDC: a system is asked for a step, or to take it back.
    StepDispatched {
        /// The call.
        call: CallId,
        /// Whose it is.
        user: UserId,
        /// The step.
        step: StepKey,
        /// Whether it is taken back.
        undo: bool,
        /// What the system is given, the first time.
        #[serde(default, with = "vestibule_model::sealed")]
        input: Option<Json>,
    },
    /// SDC: an invocation ended.
    StepEnded {
        /// The call.
        call: CallId,
        /// Whose it is.
        user: UserId,
        /// The step.
        step: StepKey,
        /// Whether it was taken back.
        undo: bool,
        /// How it ended.
        end: StepEnd,
    },
    /// SDC: a call goes back from here on.
    CallStopped {
        /// The call.
        call: CallId,
        /// Whose it is.
        user: UserId,
        /// Why.
        stop: Stop,
    },
    /// SDC: nothing follows for a call.
    CallEnded {
        /// The call.
        call: CallId,
        /// Whose it is.
        user: UserId,
        /// How it ended.
        status: CallStatus,
    },
    /// Leases: somebody waits for a twin's physical object from now on.
    LeaseQueued {
        /// What was asked.
        request: LeaseRequest,
        /// By whom.
        user: UserId,
        /// On which device.
        by: Identity,
        /// The rule that let them.
        rule: RuleId,
        /// What it counts for.
        priority: u8,
        /// The token that let them, where no rule about them did.
        #[serde(default)]
        token: Option<Box<Grant>>,
    },
    /// Leases: who waited holds the object from now on.
    LeaseGranted {
        /// The lease.
        lease: LeaseId,
        /// Larger than every one before.
        fence: u64,
        /// The last moment of it, unless renewed.
        until: Timestamp,
    },
    /// Leases: it lasts longer.
    LeaseRenewed {
        /// The lease.
        lease: LeaseId,
        /// The last moment of it, unless renewed again.
        until: Timestamp,
    },
    /// Leases: the twin's system has confirmed. Once for each grant.
    LeaseIntegrated {
        /// The lease.
        lease: LeaseId,
        /// Its token.
        fence: u64,
    },
    /// Leases: nobody holds or waits by it any more.
    LeaseEnded {
        /// The lease.
        lease: LeaseId,
        /// Why.
        reason: LeaseEnd,
    },
    /// Purchases: a user wants something for exactly what they were shown.
    PurchaseConfirmed {
        /// The user. Before what is theirs.
        user: UserId,
        /// With which device.
        by: Identity,
        /// What they confirmed.
        confirmation: Box<Confirmation>,
        /// What was given for it, as the checkout that they saw names it: it stays while the order is under way.
        #[serde(default)]
        contents: BTreeSet<ContentHash>,
    },
    /// Purchases: a merchant is asked for something that it may act on.
    PurchaseAsked {
        /// The purchase.
        purchase: PurchaseId,
        /// Whose it is.
        user: UserId,
        /// For what.
        what: AskKind,
        /// Which time that is.
        attempt: u16,
    },
    /// Purchases: its merchant has said something that changes what is known.
    PurchaseTold {
        /// The purchase.
        purchase: PurchaseId,
        /// Whose it is.
        user: UserId,
        /// What.
        told: ToldRecord,
    },
    /// Purchases: its user wants it cancelled.
    PurchaseCancelAsked {
        /// The purchase.
        purchase: PurchaseId,
        /// Whose it is.
        user: UserId,
    },
    /// Purchases: nothing follows for it.
    PurchaseEnded {
        /// The purchase.
        purchase: PurchaseId,
        /// Whose it is.
        user: UserId,
        /// How it ended.
        state: PurchaseState,
    },
    /// Products: a twin is a thing that was bought.
    ProductBound {
        /// Whose it is.
        user: UserId,
        /// The product.
        product: Product,
    },
    /// Products: a thing that was bought and has no electronics is a twin, or stands elsewhere from now on.
    ProductKept {
        /// Whose it is. Before what is theirs.
        user: UserId,
        /// The product.
        product: Product,
        /// What its twin is made of.
        #[serde(with = "vestibule_model::sealed")]
        kept: Kept,
    },
    /// Products: no twin is it any more.
    ProductUnbound {
        /// Whose it was.
        user: UserId,
        /// Its serial number.
        serial: Serial,
    },
    /// A person is to be forgotten: their devices and what rules said of them go at once, their name after this line is
    /// durable.
    PersonErased {
        /// The person; reads as a pseudonym from then on.
        user: UserId,
        /// Who did it; `None`: whoever runs the enabler.
        by: Option<UserId>,
    },
    /// Lines up to `through` are about to be removed: a snapshot stands for them.
    LogCut {
        /// The last line that goes.
        through: u64,
        /// Its hash: what remains is chained to it.
        hash: ContentHash,
        /// The checksum of the snapshot of that moment.
        snapshot: ContentHash,
    },
}

/// Why what a user and a third-party system have agreed holds no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgreementEnd {
    /// The user took it back.
    TakenBack,
    /// The system took it back.
    Revoked,
    /// The system is gone for good.
    SystemGone,
    /// The user, or the device with which they agreed, is not known any more.
    Unknown {
        /// Who did it.
        by: UserId,
    },
}

/// Why an event cannot be written or read.
#[derive(Debug, Error)]
#[error("not an event of this log: {0}")]
pub struct EventError(#[from] serde_json::Error);

impl LogEvent {
    /// The event as it is written, and what reading it gives.
    ///
    /// Apply the second: JSON may round a number in its last bit, and state must be the same after a restart.
    ///
    /// # Errors
    /// [`EventError`] where it cannot be written.
    pub fn written(&self) -> Result<(Vec<u8>, Self), EventError> {
        let bytes = serde_json::to_vec(self)?;
        let read = if self.reads_as_itself() { self.clone() } else { Self::read(&bytes)? };
        Ok((bytes, read))
    }

    /// Whether this event, written and read, surely is itself: reading costs twice as much as writing, and these come
    /// often. Never where people are named (their names are kept apart) or numbers are given that may be moved.
    #[must_use]
    pub(crate) fn reads_as_itself(&self) -> bool {
        match self {
            Self::TwinDescribed { info } => info.reads_as_itself(),
            Self::TwinGone { .. }
            | Self::CommandDispatched { .. }
            | Self::CommandEnded { .. }
            | Self::WishEnded { .. }
            | Self::SystemMeasured { .. }
            | Self::LeaseGranted { .. }
            | Self::LeaseRenewed { .. }
            | Self::LeaseIntegrated { .. }
            | Self::LeaseEnded { .. } => true,
            _ => false,
        }
    }

    /// The event that was written as `bytes`.
    ///
    /// # Errors
    /// [`EventError`] where it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, EventError> {
        Ok(serde_json::from_slice(bytes)?)
    }
}
