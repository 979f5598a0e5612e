//! The functional entities of the integration enabler (FGMV-29 clause 8), pure: nothing here reads a clock or a disk.
//!
//! **Does**: decides requests ([`decide`]) against what was decided before ([`State`], a fold of [`LogEvent`]s) and
//! what things say now ([`Hot`]); keeps physical truth with its deadlines ([`Hot::next_wakeup`], [`Hot::due`]);
//! shows each user the world that they may see ([`view`]); opens and redeems pairing codes ([`Pairing`]).
//!
//! **Does not**: write the log, send anything, read a clock or make random numbers: the hub in `vestibule-server`
//! does, in the order decide, commit, apply, act.
//!
//! ```
//! use vestibule_enabler_core::{Actor, Fingerprint, Hot, Identity, LogEvent, State, decide, default_rules};
//! use vestibule_model::{RoleId, Timestamp, UserId};
//! use vestibule_protocol::{Party, Request, Response};
//!
//! let (mut state, hot, now) = (State::default(), Hot::default(), Timestamp(1));
//! let owner = LogEvent::DeviceEnrolled {
//!     certificate: Fingerprint([7; 32]), user: UserId::slug("ada"), roles: vec![RoleId::slug("owner")],
//!     device: "laptop".to_owned(), until: None, by: None,
//! };
//! default_rules().iter().chain([&owner]).for_each(|event| state.apply(now, event));
//! let actor = Actor::greeted(Identity::Certificate(Fingerprint([7; 32])), Party::Metaverse);
//! let decision = decide(&state, &hot, now, &actor, &Request::Rules)?;
//! assert!(matches!(decision.reply, Some(Response::Rules(rules)) if rules.len() == 2));
//! # Ok::<(), vestibule_model::Refusal>(())
//! ```

mod changes;
mod command;
mod condition;
mod decide;
mod disclosures;
mod discovery;
mod dtif;
mod event;
mod histogram;
mod hot;
mod hot_calls;
mod hot_commands;
mod hot_leases;
mod hot_purchases;
mod hot_systems;
mod hot_twin;
mod identity;
mod lease;
mod measure;
mod objects;
mod observe;
mod pairing;
mod past;
mod people;
mod persistent;
mod procedure;
mod registry;
mod sif;
mod sight;
mod state;
pub mod token;
mod topic;
mod viewer;

pub use changes::Changes;
pub use command::{CommandRecord, Wish, WishKey};
pub use condition::Condition;
pub use decide::{Decision, Effect, decide};
pub use disclosures::DisclosureReader;
pub use discovery::{may_see_system, system_health, system_view};
pub use dtif::{
    dtac::{default_rules, is_owner, may, may_lease, may_read, may_use, priority, system_verdict, verdict},
    dtia::{inquired, view},
    dts::{dispatch, execution_failed},
    lease::{
        act::still_counts,
        settle::{settle, unsettles},
        tell::{all_leases, update as lease_update},
    },
};
pub use event::{AgreementEnd, EventError, LogEvent};
pub use histogram::Histogram;
pub use hot::Hot;
pub use identity::{Actor, Device, Fingerprint, Identity, User};
pub use lease::{Lease, LeasePhase, Leases};
pub use measure::Measured;
pub use objects::Objects;
pub use observe::{Observed, observe};
pub use pairing::{Offer, Pairing, PairingCode};
pub use past::Past;
pub use people::{enroll, log_in, may_open_pairing, pair};
pub use persistent::Map;
pub use procedure::{StepNote, Steps, Unasked, metaverse, third_party, twin_system};
pub use sif::{
    binding::{Binding, ProductRecord, certified},
    given::{GIVEN_BYTES, PART_BYTES, PERSON_BYTES, PERSON_MEDIA},
    keep::{MODEL_MEDIA, THINGS, provenance, thing, thing_info, thing_says, things_info},
    purchase::{AskKind, Denied, Heard, PurchaseRecord, ToldRecord, heard, settle_purchases},
    sdc::{
        CallRecord, StepEnd, StepPlan, StepRecord, Stop, TransformError, UndoPlan, advance, call_update, calls_at,
        undelivered,
    },
    terms::Terms,
    tpsaa::{Agreement, Proposal, answered, propose, pseudonym},
};
use sight::Sight;
pub use state::{Census, State, System, SystemStats, Twin};
pub use token::{Delegated, Grant, delegate, may_delegate};
pub use topic::Topic;
pub use viewer::{Bearing, Viewer};

/// Milliseconds that a command may be valid at most: nobody still means it after that.
pub const LONGEST_VALIDITY_MS: u64 = 10 * 60 * 1_000;
/// The role whose holders may register as a digital twin system.
pub const TWIN_SYSTEM_ROLE: &str = "twin_system";
/// The role whose holders may register as a third-party system.
pub const THIRD_PARTY_ROLE: &str = "third_party";
/// The role that the default rules let manage everything.
pub const OWNER_ROLE: &str = "owner";
/// What the log calls whoever runs the enabler's own program. Nobody else can have that name.
pub const CONSOLE_USER: &str = "console";
/// The role that the default rules let see everything.
pub const GUEST_ROLE: &str = "guest";

#[cfg(test)]
mod tests;
