use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_model::{
    ActionId, Authorization, BlobRef, CallId, CallUpdate, Collaboration, Command, CommandId, Confirmation, ContentHash,
    Delegation, EventKind, Explanation, FeatureId, Fingerprint, Inquiry, LeaseId, LeaseRequest, LeaseUpdate, Place,
    Product, PropertyValue, PurchaseId, PurchaseUpdate, Refusal, RoleId, Rule, RuleId, Serial, ServiceId, Sharing,
    SystemHealth, SystemId, SystemInfo, SystemQuery, Timestamp, TokenId, Truth, TwinId, TwinInfo, UserId, UserInfo,
    Value,
};

use crate::{
    CommandUpdate, DiiDown, DiiUp, Disclosures, LogLine, Me, PastReadings, PastTwin, People, ProcedureStep, SiiDown,
    SiiUp, TwinHistory,
};

/// What a peer asks the enabler. One bidirectional stream each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// The first request of every connection.
    Hello(Hello),
    /// Make the certificate of this connection known, with a six-digit code that the enabler showed to its owner.
    Pair {
        /// The six digits.
        code: String,
        /// What to call this device.
        name: String,
    },
    /// DTSD: systems that meet conditions (P2.4).
    DiscoverSystems(SystemQuery),
    /// DTSR, TPSR: take a system out, with its twins; its id is free again (owners only).
    RemoveSystem(SystemId),
    /// DTIA: the twins of a system that the asker may see (P2.6), in the order of their ids.
    ListTwins {
        /// The system.
        system: SystemId,
        /// Those after this one.
        after: Option<TwinId>,
        /// At most so many; 0: the default of 50.
        limit: u16,
    },
    /// DTIA: what is known of one twin by now.
    DescribeTwin(TwinId),
    /// DTIA: properties and permission of one twin, fresh from its system (P2.8 to P2.12).
    Acquire(TwinId),
    /// DTS: a stream of events about the twins of interest, beginning with all of them (P2.14).
    Subscribe(Interest),
    /// DTS: have a physical object do something (P2.15).
    Actuate(Command),
    /// DTS: how far a command is: the asker's own, and others' on features that they may read.
    CommandStatus(CommandId),
    /// DTS: ask the twin's system for fresh reports now (REQ-DT-07: on request).
    Refresh(TwinId),
    /// DTAC: why may I (not) do this, or somebody else (owners only)?
    Explain(Inquiry),
    /// DTAC: all rules (owners only).
    Rules,
    /// DTAC: add a rule or change the one of its id (owners only).
    SetRule(Rule),
    /// DTAC: take a rule away (owners only).
    RemoveRule(RuleId),
    /// Who am I taken for, and what was presented?
    WhoAmI,
    /// Users, their devices, and what was delegated: all of them for owners, oneself for others.
    Users,
    /// Add a user or change one (owners only).
    SetUser(UserInfo),
    /// Take a user away with all their devices and rules; their connections end (owners only).
    RemoveUser(UserId),
    /// Forget a person (owners only): their devices and the rules about them go, and everything written about them reads
    /// as erased. Answered by [`Response::Erased`], once their name is destroyed.
    Erase {
        /// Who.
        user: UserId,
    },
    /// Make a device unknown; its connections end. One's own, or any (owners).
    RevokeDevice(Fingerprint),
    /// Show a pairing code: for a device of somebody new, or for one more device of a user. Owners for everybody,
    /// others for themselves with a role that they have.
    OpenPairing {
        /// What the device may be.
        role: RoleId,
        /// Whose it will be; `None`: somebody new, named like the device.
        user: Option<UserId>,
    },
    /// Sign a token with which somebody else acts in one's stead, within limits.
    Delegate(Delegation),
    /// Add what a token allows to this connection. Needs no known device.
    Present {
        /// The token.
        token: String,
    },
    /// End a token, or one attenuation of it and what was made from that: whoever delegated it, and owners.
    RevokeToken(TokenId),
    /// The log's lines after a sequence number (owners only).
    Log {
        /// Lines after this one; 0: from the beginning.
        after: u64,
        /// At most so many; 0: the default of 100.
        limit: u16,
    },
    /// Steps of the procedures P1 and P2 as they happened: the asker's own, all for owners.
    Steps {
        /// Those after this one; 0: all that are still known.
        after: u64,
        /// At most so many; 0: the default of 100.
        limit: u16,
        /// Tell those that come as [`Event::Step`], from now on or no longer.
        follow: bool,
    },
    /// What was decided about a twin that the asker may read now and might have read then. Answered by
    /// [`Response::History`], oldest first; `docs/log.md` says how a client looks back with this and the next two.
    History {
        /// The twin.
        twin: TwinId,
        /// Lines after this one; 0: from the beginning. [`TwinHistory::next`] of the page before.
        after: u64,
        /// At most so many; 0: the default of 100.
        limit: u16,
    },
    /// What a twin's properties said, as far as it was kept: changes, and for which times they are all of them.
    /// Answered by [`Response::Readings`].
    Readings {
        /// The twin.
        twin: TwinId,
        /// From this moment on; [`PastReadings::next`] of the page before.
        from: Timestamp,
        /// Before this moment.
        until: Timestamp,
        /// At most so many; 0: the default of 200.
        limit: u16,
    },
    /// A twin as it was at a moment, by the rules of then and now. Answered by [`Response::Past`]; a few are answered at
    /// once, and more are refused as [`RefusalCode::Overloaded`](vestibule_model::RefusalCode::Overloaded).
    PastTwin {
        /// The twin.
        twin: TwinId,
        /// The moment.
        at: Timestamp,
    },
    /// TPSAA: agree with a third-party system (P1.6): which services the user wants to use (of [`SystemView::usable`]),
    /// until when (within a year), and what it may know for it (of what the user may read). Replaces what was agreed
    /// before. Answered with [`Response::Authorized`] once the system has answered; refused as `Forbidden` by a rule or
    /// by the system's own words, as `Unavailable` where it is away or says nothing for five seconds.
    Authorize {
        /// The system.
        system: SystemId,
        /// The services.
        services: BTreeSet<ServiceId>,
        /// What it may know.
        share: Sharing,
        /// Until when.
        until: Timestamp,
    },
    /// TPSAA: take back at once what was agreed with a third-party system. Calls that still need it go back. The
    /// user's connections hear [`Event::Deauthorized`].
    Deauthorize {
        /// The system.
        system: SystemId,
    },
    /// TPSAA: what the asker has agreed with third-party systems, and still holds.
    Authorizations,
    /// SDC: use services of third-party systems (P1.12), each of which the user has agreed to. Written down before it is
    /// answered with [`Response::Call`]; how far it comes follows as [`Event::Call`]. The same id is the same call,
    /// however often it comes; its first validity counts.
    Invoke(Box<Collaboration>),
    /// SDC: how far a call of the asker is. Ended ones are known for ten minutes beyond their validity.
    Call(CallId),
    /// SDC: begin no further step of it, and take back what was done.
    CancelCall(CallId),
    /// What a digital twin system says.
    Dii(DiiUp),
    /// What a third-party system says.
    Sii(SiiUp),
    /// DTS: be the one whose twin is integrated with its physical object (FGMV-28 7.1.3). Answered at once with how
    /// far it is, or refused; updates follow as events.
    Lease(LeaseRequest),
    /// DTS: hold on to it for as long again as was asked.
    RenewLease(LeaseId),
    /// DTS: give it back, or leave the queue.
    ReleaseLease(LeaseId),
    /// DTS: who holds the twin's physical object and who waits, the holder first, then by place.
    Leases {
        /// The twin.
        twin: TwinId,
    },
    /// A part of something that the user's purchases refer to: a design's package, a document about a person. Answered by
    /// [`Response::Given`]. Parts come in order, of at most a megabyte each; what is there already is not sent again.
    Give {
        /// What all of it hashes to.
        hash: ContentHash,
        /// How many bytes all of it has.
        size: u64,
        /// Its media type: `model/3mf`, or `application/vnd.vestibule.person+json`, which is kept apart and given to nobody
        /// else.
        media: String,
        /// Where this part begins.
        offset: u64,
        /// The part. None: how far is it?
        bytes: Vec<u8>,
    },
    /// Buy what a checkout has, for exactly what was shown. Written down before it is answered with
    /// [`Response::Purchase`]; how far it comes follows as [`Event::Purchase`]. The same id is the same purchase, however
    /// often it comes.
    Confirm(Box<Confirmation>),
    /// Cancel a purchase of the asker: at once where its merchant was not asked yet, else as soon as that answers.
    CancelPurchase(PurchaseId),
    /// How far a purchase of the asker is. Not found: nothing was bought under this id.
    Purchase(PurchaseId),
    /// The asker's purchases, the newest first. Answered by [`Response::Purchases`].
    Purchases {
        /// Those confirmed before this moment; `None`: from the newest.
        before: Option<Timestamp>,
        /// At most so many; 0: the default of 50. Fewer come where they are long.
        limit: u16,
    },
    /// This twin is this product: what was bought is what stands there. Answered by [`Response::Product`].
    Bind {
        /// The twin.
        twin: TwinId,
        /// The purchase that it came with.
        purchase: PurchaseId,
        /// Its serial number, which the twin's device must tell as well.
        serial: Serial,
        /// The manufacturer's certificate.
        certificate: String,
    },
    /// This product has no electronics and stands here from now on, as a twin of the enabler's own system `things`. Once
    /// more: it stands elsewhere, or looks another way. Answered by [`Response::Product`].
    Keep {
        /// The purchase that it came with.
        purchase: PurchaseId,
        /// Its serial number.
        serial: Serial,
        /// The manufacturer's certificate; `None`: the one that came with the order.
        certificate: Option<String>,
        /// Where it stands.
        place: Place,
        /// How it looks: a GLB that was given before.
        visual: Option<BlobRef>,
    },
    /// A product of the asker is no twin any more.
    Unbind {
        /// Its serial number.
        serial: Serial,
    },
    /// Products of the asker that are twins, in the order of their serial numbers: a client that was not there when they
    /// were bound asks for them. Answered by [`Response::Products`].
    Products {
        /// Those after this one.
        after: Option<Serial>,
        /// At most so many; 0: the default of 50. Fewer only on the last page.
        limit: u16,
    },
}

/// Who a peer is and what it speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`protocol_hash`](crate::protocol_hash) of the peer: both must be the same.
    pub protocol: [u8; 16],
    /// Which part it takes.
    pub party: Party,
    /// Its software and version, for logs.
    pub software: String,
}

/// Which part a peer takes on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Party {
    /// MII: a metaverse system with a user.
    Metaverse,
    /// DII: a digital twin system.
    TwinSystem,
    /// SII: a third-party system.
    ThirdParty,
}

/// The enabler's answer to [`Hello`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The enabler's name.
    pub enabler: String,
    /// Who the peer is taken for; `None`: nobody yet, only pairing is possible.
    pub user: Option<UserId>,
    /// Their roles.
    pub roles: Vec<RoleId>,
    /// The enabler's clock.
    pub now: Timestamp,
}

/// Which twins a subscription is about. Permission cuts it further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Interest {
    /// All of them.
    All,
    /// Those of some systems.
    Systems(Vec<SystemId>),
    /// Some.
    Twins(Vec<TwinId>),
}

/// What the enabler answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Response {
    /// To [`Request::Hello`].
    Welcome(Welcome),
    /// To [`Request::Pair`]: who the peer is from now on. Connect anew to be that user.
    Paired {
        /// The user.
        user: UserId,
        /// Their roles.
        roles: Vec<RoleId>,
    },
    /// To [`Request::DiscoverSystems`]. A full page may have a next one.
    Systems(Vec<SystemView>),
    /// To [`Request::ListTwins`], [`Request::DescribeTwin`] and [`Request::Acquire`].
    Twins(Vec<TwinView>),
    /// To [`Request::Actuate`] and [`Request::CommandStatus`]: written down, with its status by now. Updates follow as events.
    Command(CommandUpdate),
    /// To [`Request::Explain`].
    Explanation(Explanation),
    /// To [`Request::WhoAmI`] and [`Request::Present`].
    Me(Me),
    /// To [`Request::Users`].
    People(People),
    /// To [`Request::Erase`]: it is done, and this is what systems were told of them before. They keep it until asked.
    Erased(Disclosures),
    /// To [`Request::OpenPairing`].
    Code {
        /// Six digits.
        digits: String,
        /// They can be used until then.
        until: Timestamp,
    },
    /// To [`Request::Delegate`].
    Token(String),
    /// To [`Request::Rules`].
    Rules(Vec<Rule>),
    /// To [`Request::Log`].
    Log(Vec<LogLine>),
    /// To [`Request::Steps`], in the order of their numbers.
    Steps(Vec<ProcedureStep>),
    /// To [`Request::History`].
    History(TwinHistory),
    /// To [`Request::Readings`].
    Readings(PastReadings),
    /// To [`Request::PastTwin`].
    Past(Box<PastTwin>),
    /// To [`Request::Authorize`] (P1.10): what is agreed.
    Authorized(Authorization),
    /// To [`Request::Authorizations`].
    Authorizations(Vec<Authorization>),
    /// To [`Request::Invoke`], [`Request::Call`] and [`Request::CancelCall`]: written down, with how far it is by now.
    /// Updates follow as events.
    Call(CallUpdate),
    /// To whatever needs no words.
    Done,
    /// To anything: no, and why.
    Refused(Refusal),
    /// To [`Request::Lease`], [`Request::RenewLease`] and [`Request::ReleaseLease`]: how far it is by now.
    Lease(LeaseUpdate),
    /// To [`Request::Leases`].
    Leases(Vec<LeaseUpdate>),
    /// To [`Request::Give`].
    Given {
        /// Where the next part begins; the size: all of it is there.
        next: u64,
    },
    /// To [`Request::Confirm`], [`Request::CancelPurchase`] and [`Request::Purchase`]: how far it is by now.
    Purchase(Box<PurchaseUpdate>),
    /// To [`Request::Purchases`].
    Purchases(Vec<PurchaseUpdate>),
    /// To [`Request::Bind`] and [`Request::Keep`].
    Product(Product),
    /// To [`Request::Products`].
    Products(Vec<Product>),
}

/// A registered system and its measured health.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SystemView {
    /// What it said of itself; shared with the registry, since a page has many.
    #[schema(value_type = SystemInfo)]
    pub info: Arc<SystemInfo>,
    /// What was measured.
    pub health: SystemHealth,
    /// The services that the asker may use, and which rule lets them.
    #[serde(default)]
    pub usable: BTreeMap<ServiceId, RuleId>,
}

/// A twin as one user may see it: what they may not read or do is not there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TwinView {
    /// Names the twin in this session's datagrams.
    pub short: u32,
    /// Grows when the description changes, so that datagrams about the older one are told apart.
    pub epoch: u32,
    /// The description; shared with the registry where the user may see and do all of it.
    #[schema(value_type = TwinInfo)]
    pub info: Arc<TwinInfo>,
    /// Which rules admit the user, by feature.
    pub access: BTreeMap<FeatureId, FeatureAccess>,
    /// Whether the twin's system and device are connected.
    pub reachable: bool,
    /// Features that are away although the twin is not.
    pub away: BTreeSet<FeatureId>,
    /// One reading for each property, in the order of [`TwinInfo::properties`].
    pub readings: Vec<WireReading>,
}

/// Which rules admit a user to a feature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeatureAccess {
    /// The rule that lets them read.
    pub read: Option<RuleId>,
    /// The rule that lets them perform each action.
    pub act: BTreeMap<ActionId, RuleId>,
}

/// What is known of a property, with ages instead of moments, so that clocks need not agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WireReading {
    /// What the thing last reported; `None` before that, and where it reports that nobody knows.
    #[schema(value_type = Option<PropertyValue>)]
    pub value: Option<Value>,
    /// What was wanted and has not come true.
    #[schema(value_type = Option<PropertyValue>)]
    pub desired: Option<Value>,
    /// How far `value` is to be believed.
    pub truth: Truth,
    /// Milliseconds since the report when this was sent, where that is known.
    pub age_ms: Option<u64>,
    /// The twin's revision of the report.
    pub revision: u64,
}

/// What the enabler tells by itself, on a reliable stream for each subscription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A (re)synchronization begins: forget every twin; those that count follow.
    Begin,
    /// All twins have been sent: what is not known by now is not there.
    Synchronized,
    /// A twin appeared or its description, access or reachability changed.
    Twin(Box<TwinView>),
    /// A twin is gone, or may no longer be seen.
    Gone(TwinId),
    /// A reading that is too long for a datagram.
    Reading {
        /// The twin's short id.
        short: u32,
        /// Its epoch.
        epoch: u32,
        /// Which property, in the order of [`TwinInfo::properties`].
        index: u16,
        /// The reading.
        reading: WireReading,
    },
    /// Something happened.
    Occurred(Occurrence),
    /// A command came further: the user's own, and others' on twins that they may read.
    Command(CommandUpdate),
    /// A system's state changed.
    System(Box<SystemView>),
    /// A step of a procedure, for whoever follows them.
    Step(ProcedureStep),
    /// A call of the user's own came further: all of it, with each step. For every connection of theirs, whatever it
    /// has subscribed to.
    Call(CallUpdate),
    /// A third-party system has taken back what the user had agreed with it, or another device of theirs has.
    Deauthorized(SystemId),
    /// For digital twin systems.
    Dii(DiiDown),
    /// For third-party systems.
    Sii(SiiDown),
    /// A lease came further: the user's own, and others' on twins that they may read.
    Lease(LeaseUpdate),
    /// A purchase of the user's own came further. For every connection of theirs, whatever it has subscribed to.
    Purchase(Box<PurchaseUpdate>),
    /// A product of the user's own has a twin from now on. For every connection of theirs.
    Product(Product),
    /// A product of the user's own has no twin any more. For every connection of theirs.
    Unbound(Serial),
}

/// Something that happened at a physical object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Occurrence {
    /// The twin.
    pub twin: TwinId,
    /// The feature.
    pub feature: FeatureId,
    /// What happened.
    pub event: EventKind,
    /// Details, by name.
    #[schema(value_type = BTreeMap<String, PropertyValue>)]
    pub details: BTreeMap<String, Value>,
    /// When the twin system heard of it.
    pub at: Timestamp,
}
