//! The gate to all functional entities: who may ask what, before any entity looks at it.

use std::sync::Arc;

use vestibule_model::{
    InquiryId, LeaseId, Refusal, RefusalCode, Standing, SystemId, SystemInfo, Timestamp, TwinId, UserId,
};
use vestibule_protocol::{
    DiiUp, Execution, Hello, Interest, Invocation, Party, Request, Response, SiiDown, SiiUp, TradeAsk, Welcome,
    protocol_hash,
};

use crate::{
    Actor, Binding, Grant, Hot, Identity, LogEvent, Proposal, State, Viewer, discovery,
    dtif::{dtac, dtia, dts, dtsr, lease},
    past, people, registry,
    sif::{binding, dtda, given, keep, purchase, sdc, tpsaa, tpsr},
    token,
};

/// What was decided. The events are written first, then applied, then the reply and the effects leave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// What is to be written.
    pub events: Vec<LogEvent>,
    /// The answer; `None`: an effect brings it.
    pub reply: Option<Response>,
    /// What is to be done once the events are written.
    pub effects: Vec<Effect>,
}

/// What is to be done after a decision was written.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// This connection takes this part from now on.
    Greeted(Party),
    /// This connection speaks for a system from now on.
    Attach(SystemInfo),
    /// This connection has what this token allows from now on.
    Bear(Arc<Grant>),
    /// This connection is told of twins from now on.
    Subscribe(Interest),
    /// Answer with the log's lines.
    ReadLog {
        /// Those after this one.
        after: u64,
        /// At most so many.
        limit: u16,
    },
    /// Answer once everything that says who this person was is destroyed.
    Forget(UserId),
    /// Answer from the past: as much of it as this viewer may see now and might have seen then.
    ReadPast(Box<Viewer>),
    /// Give a command to a system. At most once: where it cannot be given now, it has failed.
    Execute {
        /// The system.
        system: SystemId,
        /// The command.
        execution: Execution,
    },
    /// Tell a third-party system something.
    Tell {
        /// The system.
        system: SystemId,
        /// What.
        message: Box<SiiDown>,
    },
    /// Ask a third-party system for a step of a call. Where it cannot be told now, the step goes on without it.
    Invoke {
        /// The system.
        system: SystemId,
        /// What it is asked for.
        invocation: Box<Invocation>,
    },
    /// Take a part of what this user gives. Where the next one begins is the reply.
    TakePart(UserId),
    /// Ask a merchant. It is asked again where nothing is heard.
    Trade(Box<TradeAsk>),
    /// Ask a product's merchant whether it made it. What it answers is the reply.
    Certify(Box<Binding>),
    /// A third-party system answered too late.
    CountLate(SystemId),
    /// Ask a third-party system whether a user may use it (P1.7). Its answer is the reply.
    Propose(Box<Proposal>),
    /// Ask a system for a twin's properties and what a user may do with it (P2.9). Its answer is the reply.
    Inquire {
        /// The system.
        system: SystemId,
        /// The twin.
        twin: TwinId,
        /// Who asks.
        user: UserId,
    },
    /// A system has answered a question: whoever waits is told.
    Answered {
        /// Which question.
        inquiry: InquiryId,
        /// Why there is no answer; `None`: what was asked for is known now.
        refusal: Option<Refusal>,
    },
    /// This connection no longer speaks for the system, which is gone for good.
    Detach(SystemId),
    /// The system is gone for good, and its connection with it.
    Expel(SystemId),
    /// Answer with steps of procedures.
    ReadSteps {
        /// Those after this one.
        after: u64,
        /// At most so many.
        limit: u16,
        /// Tell those that come.
        follow: bool,
    },
    /// Tell a system who holds one of its twins. Again whenever its system is there again.
    Integrate {
        /// The system.
        system: SystemId,
        /// The twin.
        twin: TwinId,
        /// The lease.
        lease: LeaseId,
        /// Its token.
        fence: u64,
        /// The last moment of it, unless renewed.
        until: Timestamp,
    },
    /// Tell a system that whoever held one of its twins up to this token does no longer.
    Released {
        /// The system.
        system: SystemId,
        /// The twin.
        twin: TwinId,
        /// The token.
        fence: u64,
    },
    /// Ask a system for fresh reports.
    Refresh {
        /// The system.
        system: SystemId,
        /// Of this twin.
        twin: TwinId,
    },
}

impl Decision {
    /// Nothing to write, only words.
    #[must_use]
    pub fn reply(response: Response) -> Self {
        Self { reply: Some(response), ..Self::default() }
    }

    /// Something to write, and `Done`.
    #[must_use]
    pub fn done(events: Vec<LogEvent>) -> Self {
        Self { events, reply: Some(Response::Done), effects: Vec::new() }
    }

    /// Notes in what is to be written which device asked for it.
    pub(crate) fn noting_device(mut self, actor: &Actor) -> Self {
        if let Identity::Certificate(certificate) = &actor.identity {
            for event in &mut self.events {
                if let LogEvent::CommandAccepted { device, .. } = event {
                    *device = Some(*certificate);
                }
            }
        }
        self
    }

    pub(crate) fn with(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }
}

/// Decides a request at `now`.
///
/// Pairing needs what only the hub has and is decided by [`pair`](crate::pair); what twin systems say all the time is
/// [`observe`](crate::observe)d.
///
/// # Errors
/// [`Refusal`] says why not, and which rule said so.
pub fn decide(state: &State, hot: &Hot, now: Timestamp, actor: &Actor, request: &Request) -> Result<Decision, Refusal> {
    if let Request::Hello(hello) = request {
        return greet(state, now, actor, hello);
    }
    let Some(party) = actor.party else {
        return Err(Refusal::new(RefusalCode::Unauthenticated, "the first request of a connection is its hello"));
    };
    match (party, request) {
        (Party::TwinSystem, Request::Dii(message)) => return dii(state, now, actor, message),
        (Party::ThirdParty, Request::Sii(message)) => return sii(state, hot, now, actor, message),
        (party, request) => of_users(party, request)?,
    }
    if let Request::Present { token } = request {
        return token::present(state, now, actor, token);
    }
    let viewer = Viewer::of(state, now, actor)?;
    match request {
        Request::DiscoverSystems(query) => discovery::discover(state, hot, now, &viewer, query).map(Decision::reply),
        Request::RemoveSystem(system) => registry::remove(state, &viewer, system),
        Request::ListTwins { system, after, limit } => {
            Ok(Decision::reply(dtia::list(state, hot, now, &viewer, system, after.as_ref(), *limit)))
        }
        Request::DescribeTwin(twin) => dtia::describe(state, hot, now, &viewer, twin).map(Decision::reply),
        Request::Acquire(twin) => dtia::acquire(state, hot, &viewer, twin),
        Request::Subscribe(interest) => subscribe(interest),
        Request::Actuate(command) => Ok(dts::actuate(state, hot, now, &viewer, command)?.noting_device(actor)),
        Request::CommandStatus(command) => dts::status(state, hot, &viewer, *command).map(Decision::reply),
        Request::Refresh(twin) => dts::refresh(state, hot, &viewer, twin),
        Request::Explain(inquiry) => dtac::explain(state, &viewer, inquiry).map(Decision::reply),
        Request::Rules => dtac::rules(state, &viewer),
        Request::SetRule(rule) => dtac::set_rule(state, &viewer, rule),
        Request::RemoveRule(rule) => dtac::remove_rule(state, &viewer, rule),
        Request::WhoAmI => Ok(Decision::reply(people::who_am_i(state, &viewer))),
        Request::Users => people::users(state, &viewer),
        Request::SetUser(user) => people::set_user(state, &viewer, user),
        Request::RemoveUser(user) => people::remove_user(state, &viewer, user),
        Request::Erase { user } => people::erase(state, now, &viewer, user),
        Request::RevokeDevice(device) => people::revoke_device(state, &viewer, *device),
        Request::RevokeToken(id) => token::revoke(state, &viewer, *id),
        Request::Log { after, limit } => read_log(state, &viewer, *after, *limit),
        Request::Authorize { .. }
        | Request::Deauthorize { .. }
        | Request::Authorizations
        | Request::Invoke(_)
        | Request::Call(_)
        | Request::CancelCall(_) => services(state, hot, now, actor, &viewer, request),
        Request::Steps { after, limit, follow } => Ok(read_steps(*after, *limit, *follow)),
        Request::History { twin, .. } | Request::Readings { twin, .. } | Request::PastTwin { twin, .. } => {
            past::ask(state, viewer, twin)
        }
        Request::Lease(request) => lease::ask(state, hot, now, actor, &viewer, request),
        Request::RenewLease(lease) => lease::renew(state, hot, now, &viewer, lease),
        Request::ReleaseLease(lease) => lease::release(state, hot, now, &viewer, lease),
        Request::Leases { twin } => lease::tell::list(state, now, &viewer, twin),
        Request::Give { .. }
        | Request::Confirm(_)
        | Request::CancelPurchase(_)
        | Request::Purchase(_)
        | Request::Purchases { .. }
        | Request::Bind { .. }
        | Request::Keep { .. }
        | Request::Unbind { .. }
        | Request::Products { .. } => purchases(state, hot, now, actor, request),
        // Those after the observations need a secret or a random number, which only the hub has.
        Request::Hello(_)
        | Request::Dii(_)
        | Request::Sii(_)
        | Request::Present { .. }
        | Request::Pair { .. }
        | Request::OpenPairing { .. }
        | Request::Delegate(_) => Err(Refusal::new(RefusalCode::Invalid, "that is not decided here")),
    }
}

fn read_log(state: &State, viewer: &Viewer, after: u64, limit: u16) -> Result<Decision, Refusal> {
    dtac::owners_only(state, viewer, "read the log")?;
    let limit = if limit == 0 { 100 } else { limit.min(500) };
    Ok(Decision::default().with(Effect::ReadLog { after, limit }))
}

fn read_steps(after: u64, limit: u16, follow: bool) -> Decision {
    Decision::default().with(Effect::ReadSteps { after, limit, follow })
}

/// What neither kind of system asks, and users do not say.
fn of_users(party: Party, request: &Request) -> Result<(), Refusal> {
    let message = match (party, request) {
        // FGMV-29 9.2, note: twin systems never talk to each other.
        (Party::TwinSystem, _) => {
            "a digital twin system registers, describes and reports; it asks nothing of other twins"
        }
        (Party::ThirdParty, _) => {
            "a third-party system registers, answers, and asks for twins through what users share with it"
        }
        (Party::Metaverse, Request::Sii(_)) => "only a third-party system says that: connect as one",
        (Party::Metaverse, Request::Dii(_)) => "only a digital twin system says that: connect as one",
        (Party::Metaverse, _) => return Ok(()),
    };
    Err(Refusal::new(RefusalCode::Forbidden, message))
}

/// What users buy, and what became of it.
fn purchases(state: &State, hot: &Hot, now: Timestamp, actor: &Actor, request: &Request) -> Result<Decision, Refusal> {
    // Nobody spends another's money by a token of theirs.
    let viewer = Viewer::on(state, now, &actor.identity)?;
    match request {
        Request::Confirm(said) => purchase::confirm(state, hot, now, actor, said),
        Request::CancelPurchase(id) => purchase::cancel(state, hot, now, &viewer, *id),
        Request::Purchase(id) => purchase::look(state, hot, &viewer, *id),
        Request::Purchases { before, limit } => Ok(purchase::list(state, hot, &viewer, *before, *limit)),
        Request::Bind { twin, purchase, serial, certificate } => {
            binding::bind(state, &viewer, twin, *purchase, serial, certificate)
        }
        Request::Unbind { serial } => binding::unbind(state, &viewer, serial),
        Request::Products { after, limit } => Ok(binding::list(state, &viewer, after.as_ref(), *limit)),
        Request::Keep { purchase, serial, certificate, place, visual } => {
            let standing = Standing { place: place.clone(), visual: visual.clone() };
            keep::keep(state, &viewer, *purchase, serial, certificate.as_deref(), &standing)
        }
        request => given::give(&viewer, request),
    }
}

/// What users ask about services of third-party systems (P1.6 and P1.12).
fn services(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    actor: &Actor,
    viewer: &Viewer,
    request: &Request,
) -> Result<Decision, Refusal> {
    match request {
        Request::Authorize { system, services, share, until } => {
            let proposal = tpsaa::propose(state, hot, now, actor, system, services, share, *until)?;
            Ok(Decision::default().with(Effect::Propose(Box::new(proposal))))
        }
        Request::Deauthorize { system } => tpsaa::deauthorize(state, viewer, system),
        Request::Invoke(call) => sdc::invoke(state, hot, now, actor, call),
        Request::Call(call) => sdc::look(state, viewer, *call),
        Request::CancelCall(call) => sdc::cancel(state, now, viewer, *call),
        _ => Ok(Decision::reply(tpsaa::list(state, now, viewer))),
    }
}

fn greet(state: &State, now: Timestamp, actor: &Actor, hello: &Hello) -> Result<Decision, Refusal> {
    if hello.protocol != protocol_hash() {
        let name: String = hello.software.chars().take(64).collect();
        let message =
            format!("{name:?} speaks another protocol than this enabler: install the same version on both sides");
        return Err(Refusal::new(RefusalCode::Invalid, message));
    }
    if matches!(actor.identity, Identity::Local(_)) && hello.party != Party::TwinSystem {
        return Err(Refusal::new(
            RefusalCode::Forbidden,
            "an adapter in the enabler's process is a twin system, not a user",
        ));
    }
    let viewer = Viewer::of(state, now, actor).ok();
    let welcome = Welcome {
        // The hub knows the enabler's name.
        enabler: String::new(),
        user: viewer.as_ref().map(|viewer| viewer.user.clone()),
        roles: viewer.map(|viewer| viewer.roles).unwrap_or_default(),
        now,
    };
    Ok(Decision::reply(Response::Welcome(welcome)).with(Effect::Greeted(hello.party)))
}

fn subscribe(interest: &Interest) -> Result<Decision, Refusal> {
    let count = match interest {
        Interest::All => 0,
        Interest::Systems(systems) => systems.len(),
        Interest::Twins(twins) => twins.len(),
    };
    // A filter is compared with every change: beyond this, ask for all or for systems.
    if count > 1_024 {
        return Err(Refusal::new(RefusalCode::Invalid, "a subscription names at most 1024 twins or systems, or all"));
    }
    Ok(Decision::done(Vec::new()).with(Effect::Subscribe(interest.clone())))
}

fn dii(state: &State, now: Timestamp, actor: &Actor, message: &DiiUp) -> Result<Decision, Refusal> {
    match message {
        DiiUp::Register(info) => dtsr::register(state, now, actor, info),
        DiiUp::Deregister => dtsr::deregister(state, actor),
        DiiUp::Describe(info) => dtsr::describe(state, actor, info),
        DiiUp::Gone(twin) => dtsr::gone(state, actor, twin),
        DiiUp::Complete { twins } => dtsr::complete(state, actor, twins),
        _ => Err(Refusal::new(RefusalCode::Invalid, "that is observed, not decided")),
    }
}

fn sii(state: &State, hot: &Hot, now: Timestamp, actor: &Actor, message: &SiiUp) -> Result<Decision, Refusal> {
    if let SiiUp::Register(info) = message {
        return tpsr::register(state, hot, now, actor, info);
    }
    let system = actor.system.as_ref().ok_or_else(|| {
        Refusal::new(RefusalCode::Invalid, "register as a third-party system before saying anything else")
    })?;
    match message {
        SiiUp::Deregister => tpsr::deregister(state, actor),
        SiiUp::Revoke { user } => tpsaa::revoke(state, system, user),
        SiiUp::Result { call, step, undo, result } => sdc::result(state, system, *call, step, *undo, result),
        SiiUp::Acquire { twin, user, call } => dtda::acquire(state, hot, now, system, twin, user, *call),
        SiiUp::Register(_) | SiiUp::Heartbeat | SiiUp::Authorized { .. } => {
            Err(Refusal::new(RefusalCode::Invalid, "that is not decided here"))
        }
    }
}
