//! The vocabulary of Vestibule: what a digital twin is, what is known of it, who may do what with it.
//!
//! **Does**: identities ([`TwinId`], [`SystemId`], ...), descriptions of twins ([`TwinInfo`]) and of the systems
//! that maintain them ([`SystemInfo`]), values and their types ([`Value`], [`ValueType`]), physical truth
//! ([`Truth`]), permissions ([`Rule`], [`decide_access`]), commands ([`Command`]). Every invariant that needs neither
//! network nor clock is checked here.
//!
//! **Does not**: read a clock (time is an argument), do IO, know a wire format, know Bevy.
//!
//! ```
//! use vestibule_model::{PropertyInfo, PropertyState, Reported, Timestamp, Truth, Value, ValueType};
//!
//! let info = PropertyInfo::new(ValueType::Bool).reported_every(60_000);
//! let mut on = PropertyState::default();
//! let (value, at) = (Some(Value::Bool(true)), Some(Timestamp(1_000)));
//! on.reported = Some(Box::new(Reported { value, at, fresh: true, revision: 1 }));
//! assert_eq!(on.truth(&info, true, Timestamp(2_000)), Truth::Live);
//! // Older than the twin promised: nobody is told that it is still true.
//! assert_eq!(on.truth(&info, true, Timestamp(200_000)), Truth::Stale);
//! ```

mod cell;
mod collaboration;
mod command;
mod content;
mod design;
mod identity;
mod ids;
mod itself;
mod json;
mod kept;
mod lease;
mod money;
mod names;
mod number;
mod order;
mod past;
mod permission;
mod purchase;
pub mod sealed;
mod service;
mod state;
mod system;
mod time;
mod transform;
mod twin;
mod unit;
mod value;
mod value_json;

pub use cell::{Area, AreaCells, Cell, CellError, MAX_RING};
pub use collaboration::{
    Answer, Authorization, CallStatus, CallStep, CallUpdate, Collaboration, MAX_STEPS, Sharing, StepStatus, StepUpdate,
};
pub use command::{Command, CommandStatus, Refusal, RefusalCode};
pub use content::{BlobRef, ContentHash};
pub use design::DesignHash;
pub use identity::{Delegation, Explanation, Inquiry, Limits, Login, UserInfo, Wanted};
pub use ids::{
    ActionId, CallId, CommandId, EventKind, FeatureId, Fingerprint, IdError, InquiryId, LeaseId, PropertyId, Pseudonym,
    PurchaseId, RoleId, RuleId, ServiceId, StepKey, SystemId, TokenId, TokenKey, TraceId, TwinId, UserId,
};
pub use json::{Json, JsonError, MAX_JSON, MAX_JSON_DEPTH, json_depth};
pub use kept::{Kept, Standing};
pub use lease::{
    DEFAULT_LONGEST_LEASE_MS, Integration, LONGEST_LEASE_BOUNDS_MS, LeaseEnd, LeaseRequest, LeaseStatus, LeaseUpdate,
};
pub use money::{Money, MoneyError, Rounding};
pub use names::{Commitment, ERASED, Name, NameBook, erased_user, is_erased, personal};
pub use number::settle as settle_numbers;
pub use order::{
    Carrying, MAX_ORDER_BYTES, MAX_ORDER_LINES, MAX_ORDER_NOTES, MAX_ORDER_PIECES, Making, OrderError, OrderLine,
    OrderNote, OrderView, SnapshotMark, Weighed,
};
pub use past::{PastEntry, PastFact};
pub use permission::{
    About, Access, Right, Rule, RuleEffect, Subject, TwinPermission, TwinSelector, Verdict, decide_access,
};
pub use purchase::{
    CheckoutId, Confirmation, LineId, OrderId, PayWith, Product, PurchaseState, PurchaseUpdate, Serial,
};
pub use service::{Charge, ChargePer, Currency, Promise, ServiceInfo, ServiceLevel, Services};
pub use state::{Desired, PropertyState, Reported, Truth};
pub use system::{QueryError, SystemError, SystemHealth, SystemInfo, SystemKind, SystemQuery};
pub use time::Timestamp;
pub use transform::{Keep, MAX_TRANSFORMS, Naming, Operand, Reference, Shape, Source, Transform};
pub use twin::{
    ActionInfo, Effect, Expect, FeatureInfo, FeatureKind, FeatureProblem, Origin, PhysicalId, Place, PropertyInfo,
    TwinError, TwinInfo, Visual,
};
pub use unit::{Quantity, Unit, UnitError};
pub use value::{Value, ValueError, ValueType};
pub use value_json::PropertyValue;

/// The longest text, in bytes, that a value, a name or a message may have.
pub const MAX_TEXT: usize = 4096;
/// The most features that one twin may have.
pub const MAX_FEATURES: usize = 256;
/// The most properties that one twin may have over all its features.
pub const MAX_PROPERTIES: usize = 1024;
