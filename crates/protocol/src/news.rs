use vestibule_model::{
    CallUpdate, ContentHash, FeatureId, LeaseUpdate, Product, PropertyId, PurchaseUpdate, Refusal, Serial, SystemId,
    TwinId,
};

use crate::{
    CommandUpdate, DiiDown, Occurrence, ProcedureStep, RequestId, Response, SiiDown, SystemView, TwinView, Welcome,
    WireReading,
};

/// What a session learned, for whoever drives it.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// Connected as this user.
    Connected(Welcome),
    /// Not connected.
    Disconnected {
        /// For a person.
        reason: String,
        /// Milliseconds until the next attempt; `None`: there will be none.
        retry_ms: Option<u64>,
    },
    /// The snapshot after (re)connecting is complete.
    Synchronized,
    /// A twin appeared or changed, with all its readings.
    Twin(Box<TwinView>),
    /// Some readings of a twin changed.
    Readings {
        /// The twin.
        twin: TwinId,
        /// What changed.
        changed: Vec<(FeatureId, PropertyId, WireReading)>,
    },
    /// A twin is gone, or may no longer be seen.
    Gone(TwinId),
    /// Something happened.
    Occurred(Occurrence),
    /// A command came further.
    Command(CommandUpdate),
    /// A system's state changed.
    System(Box<SystemView>),
    /// A step of a procedure that is followed.
    Step(ProcedureStep),
    /// A lease came further.
    Lease(LeaseUpdate),
    /// A purchase of the user's own came further.
    Purchase(Box<PurchaseUpdate>),
    /// A product of the user's own has a twin.
    Product(Product),
    /// A product of the user's own has no twin any more.
    Unbound(Serial),
    /// A call of the user's own came further.
    Call(CallUpdate),
    /// What the user had agreed with a third-party system is over.
    Deauthorized(SystemId),
    /// For digital twin systems.
    Dii(DiiDown),
    /// For third-party systems.
    Sii(SiiDown),
    /// The answer to a request; refusals, lost links and lateness are refusals.
    Answer {
        /// The request.
        id: RequestId,
        /// What the enabler said.
        answer: Result<Box<Response>, Refusal>,
    },
    /// Content that was fetched and fits its hash.
    Content {
        /// Its hash.
        hash: ContentHash,
        /// The bytes, or why there are none.
        bytes: Result<Vec<u8>, String>,
    },
}
