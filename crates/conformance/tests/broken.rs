//! The kit can fail: enablers that do one thing wrong fail the rows that are about it, and no others.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;
#[path = "broken/products.rs"]
mod products;

use std::{collections::BTreeSet, sync::Mutex};

use common::{
    proxy::{Fate, Fault, Proxy},
    *,
};
use vestibule_conformance::{
    Report,
    catalogue::{Group, Reach, entries},
};
use vestibule_model::{
    Collaboration, Command, Confirmation, LeaseId, LeaseStatus, LeaseUpdate, LineId, PastFact, Product, PurchaseState,
    PurchaseUpdate, Refusal, RefusalCode, SystemQuery, Timestamp, Truth, TwinPermission, UserId,
};
use vestibule_protocol::{
    DiiDown, DiiUp, Event, HotDatagram, InquiryAnswer, Request, Response, SiiDown, SiiUp, TwinView, WireReading,
};

/// Plays everything but products against an enabler with this fault.
async fn played(fault: Box<dyn Fault>) -> Report {
    played_at(Enabler::start().await, fault, &[]).await
}

/// Plays what is about products: there is a manufacturer for it.
async fn bought(fault: Box<dyn Fault>) -> Report {
    played_at(Enabler::buying().await, fault, &[Group::Products]).await
}

async fn played_at(enabler: Enabler, fault: Box<dyn Fault>, groups: &[Group]) -> Report {
    let code = enabler.code().await;
    let proxy = Proxy::start(&enabler.target(), enabler.embedded.fingerprint(), &code, fault);
    let report = play_quic(&enabler, &proxy.target(), &code, groups).await;
    enabler.stop().await;
    report
}

/// Nothing is wrong.
struct Honest;

impl Fault for Honest {}

/// Tells third parties who somebody really is.
struct Gossip;

impl Fault for Gossip {
    fn event(&self, _who: &str, event: Event) -> Vec<Event> {
        vec![match event {
            Event::Sii(SiiDown::Authorize { inquiry, user, services, share, until, .. }) => {
                let name = Some(UserId::slug("somebody"));
                Event::Sii(SiiDown::Authorize { inquiry, user, name, services, share, until })
            }
            event => event,
        }]
    }
}

/// Lets whoever has agreed nothing use the market with what another one has agreed.
struct Careless;

impl Fault for Careless {
    fn request(&self, who: &str, request: Request) -> Fate {
        match request {
            Request::Invoke(call) if who.starts_with("kit friend") && at(&call, "market") => {
                Fate::AsGuest(Box::new(Request::Invoke(call)))
            }
            request => Fate::pass(request),
        }
    }
}

fn at(call: &Collaboration, name: &str) -> bool {
    call.steps.iter().any(|step| step.system.as_str().ends_with(name))
}

/// Asks for orders twice.
struct Eager;

impl Fault for Eager {
    fn event(&self, _who: &str, event: Event) -> Vec<Event> {
        match &event {
            Event::Sii(SiiDown::Invoke(one)) if one.service.as_str() == "order" && !one.undo => {
                vec![event.clone(), event]
            }
            _ => vec![event],
        }
    }
}

/// Hides what services cost by now.
struct Cheap;

impl Fault for Cheap {
    fn request(&self, _who: &str, request: Request) -> Fate {
        Fate::pass(match request {
            Request::Sii(SiiUp::Register(mut info)) => {
                info.charge.iter_mut().for_each(|charge| charge.amount = charge.amount.min(250));
                Request::Sii(SiiUp::Register(info))
            }
            request => request,
        })
    }
}

/// Takes nothing back.
struct Stubborn;

impl Fault for Stubborn {
    fn event(&self, _who: &str, event: Event) -> Vec<Event> {
        let is = matches!(&event, Event::Sii(SiiDown::Invoke(one)) if one.undo);
        if is { Vec::new() } else { vec![event] }
    }
}

/// Tells the workshop of no execution.
struct Deaf;

impl Fault for Deaf {
    fn event(&self, who: &str, event: Event) -> Vec<Event> {
        let is = who.starts_with("kit workshop") && matches!(event, Event::Dii(DiiDown::Execute(_)));
        if is { Vec::new() } else { vec![event] }
    }
}

/// Forgets what a twin's own system lets its users do.
struct Forgetful;

impl Fault for Forgetful {
    fn request(&self, _who: &str, request: Request) -> Fate {
        Fate::pass(match request {
            Request::Dii(DiiUp::Inquired { inquiry, answer: InquiryAnswer::Twin { info, .. } }) => {
                let answer = InquiryAnswer::Twin { info, permission: TwinPermission::Unrestricted };
                Request::Dii(DiiUp::Inquired { inquiry, answer })
            }
            request => request,
        })
    }
}

/// Finds what does not meet the conditions.
struct Wide;

impl Fault for Wide {
    fn request(&self, _who: &str, request: Request) -> Fate {
        Fate::pass(match request {
            Request::DiscoverSystems(query) => {
                Request::DiscoverSystems(SystemQuery { place: None, charge: None, level: None, ..query })
            }
            request => request,
        })
    }
}

/// Lets guests do at home what was refused.
struct Generous;

impl Fault for Generous {
    fn overrules(&self, who: &str, asked: &Request, refusal: &Refusal) -> bool {
        let is_guest = who.starts_with("kit guest") || who.starts_with("kit friend");
        let home = matches!(asked, Request::Actuate(command) if command.twin.system().as_str().ends_with("home"));
        is_guest && home && refusal.code == RefusalCode::Forbidden
    }
}

/// Passes on no wish for fresh reports.
struct Lazy;

impl Fault for Lazy {
    fn event(&self, _who: &str, event: Event) -> Vec<Event> {
        if matches!(event, Event::Dii(DiiDown::Refresh(_))) { Vec::new() } else { vec![event] }
    }
}

/// Answers with another twin than was asked for.
struct Confused;

impl Fault for Confused {
    fn request(&self, who: &str, request: Request) -> Fate {
        Fate::pass(match request {
            Request::DescribeTwin(twin) if who == "the conformance kit" && twin.as_str().contains("-yard/") => {
                let other = twin.as_str().replace("-yard/", "-home/");
                Request::DescribeTwin(vestibule_model::TwinId::new(other).unwrap())
            }
            request => request,
        })
    }
}

/// Shows what is wanted as if it were so.
struct Hopeful;

fn hope(reading: &mut WireReading) {
    if reading.truth == Truth::Pending
        && let Some(wish) = reading.desired.take()
    {
        (reading.value, reading.truth) = (Some(wish), Truth::Live);
    }
}

fn hope_all(mut view: Box<TwinView>) -> Box<TwinView> {
    view.readings.iter_mut().for_each(hope);
    view
}

impl Fault for Hopeful {
    fn event(&self, _who: &str, event: Event) -> Vec<Event> {
        vec![match event {
            Event::Twin(view) => Event::Twin(hope_all(view)),
            event => event,
        }]
    }

    fn response(&self, _who: &str, _asked: &Request, response: Response) -> Response {
        match response {
            Response::Twins(views) => {
                Response::Twins(views.into_iter().map(|view| *hope_all(Box::new(view))).collect())
            }
            response => response,
        }
    }

    fn datagram(&self, _who: &str, mut datagram: HotDatagram) -> HotDatagram {
        datagram.entries.iter_mut().flat_map(|entry| &mut entry.readings).for_each(hope);
        datagram
    }
}

/// Gives every command for the probe twice.
struct Stutter;

impl Fault for Stutter {
    fn event(&self, _who: &str, event: Event) -> Vec<Event> {
        match &event {
            Event::Dii(DiiDown::Execute(execution)) if execution.twin.local() == "probe" => vec![event.clone(), event],
            _ => vec![event],
        }
    }
}

/// Says that it has done what it has refused.
struct Polite;

impl Fault for Polite {
    fn response(&self, _who: &str, _asked: &Request, response: Response) -> Response {
        match response {
            Response::Refused(refusal) if refusal.code == RefusalCode::Conflict => Response::Done,
            response => response,
        }
    }
}

/// Tells everybody that the robot is theirs.
struct Flatterer;

impl Fault for Flatterer {
    fn response(&self, _who: &str, asked: &Request, response: Response) -> Response {
        match (asked, response) {
            (Request::Lease(request), Response::Refused(refusal)) if refusal.code == RefusalCode::Held => {
                Response::Lease(LeaseUpdate {
                    lease: request.id,
                    twin: request.twin.clone(),
                    user: None,
                    priority: 0,
                    status: LeaseStatus::Integrated,
                    fence: Some(1),
                    until: None,
                    at: Timestamp(0),
                })
            }
            (_, response) => response,
        }
    }
}

/// Lets whoever waits act as well, with the holder's lease.
#[derive(Default)]
struct Lender(Mutex<Option<(LeaseId, bool)>>);

impl Fault for Lender {
    fn request(&self, who: &str, request: Request) -> Fate {
        let friend = who.starts_with("kit friend");
        let mut holder = self.0.lock().unwrap();
        match request {
            Request::Lease(lease) if !friend => {
                *holder = holder.or(Some((lease.id, true)));
                Fate::pass(Request::Lease(lease))
            }
            Request::Actuate(command) if friend && command.twin.local() == "robot" => match *holder {
                Some((lease, true)) => {
                    Fate::AsGuest(Box::new(Request::Actuate(Command { lease: Some(lease), ..command })))
                }
                _ => Fate::pass(Request::Actuate(command)),
            },
            Request::ReleaseLease(lease) => {
                if let Some((first, held)) = holder.as_mut().filter(|(first, _)| *first == lease) {
                    (*first, *held) = (lease, false);
                }
                Fate::pass(Request::ReleaseLease(lease))
            }
            request => Fate::pass(request),
        }
    }
}

/// Says that all of it is there.
struct Hasty;

impl Fault for Hasty {
    fn response(&self, _who: &str, asked: &Request, response: Response) -> Response {
        match (asked, response) {
            (Request::Give { size, media, .. }, Response::Given { .. }) if media == "model/3mf" => {
                Response::Given { next: *size }
            }
            (_, response) => response,
        }
    }
}

/// Shows everybody what was given about people.
struct Blabber;

impl Fault for Blabber {
    fn shows(&self, _media: &str) -> bool {
        true
    }
}

fn taken(said: &Confirmation) -> Response {
    Response::Purchase(Box::new(PurchaseUpdate {
        id: said.id,
        user: UserId::slug("somebody"),
        system: said.system.clone(),
        checkout: said.checkout.clone(),
        state: PurchaseState::Confirmed,
        total: said.total,
        order: None,
        checked: None,
        said: None,
        confirmed: Timestamp(1),
        at: Timestamp(1),
    }))
}

/// Takes whatever anybody confirms.
struct Greedy;

impl Fault for Greedy {
    fn response(&self, _who: &str, asked: &Request, response: Response) -> Response {
        match (asked, response) {
            (Request::Confirm(said), Response::Refused(refusal)) if refusal.code == RefusalCode::RevisionMismatch => {
                taken(said)
            }
            (_, response) => response,
        }
    }
}

/// Orders the same cart twice.
struct Double;

impl Fault for Double {
    fn response(&self, _who: &str, asked: &Request, response: Response) -> Response {
        match (asked, response) {
            (Request::Confirm(said), Response::Refused(refusal)) if refusal.code == RefusalCode::Conflict => {
                taken(said)
            }
            (Request::Purchases { .. }, Response::Purchases(all)) => {
                Response::Purchases(all.iter().chain(&all).cloned().collect())
            }
            (_, response) => response,
        }
    }
}

/// Says nothing of purchases.
struct Silent;

impl Fault for Silent {
    fn event(&self, _who: &str, event: Event) -> Vec<Event> {
        if matches!(event, Event::Purchase(_)) { Vec::new() } else { vec![event] }
    }
}

/// Takes everybody for whoever bought it.
struct Shared;

impl Fault for Shared {
    fn request(&self, who: &str, request: Request) -> Fate {
        match request {
            Request::Purchase(_) | Request::Purchases { .. } if who.starts_with("kit friend") => {
                Fate::AsGuest(Box::new(request))
            }
            request => Fate::pass(request),
        }
    }
}

/// Says that it has unbound what nobody has.
struct Agreeable;

impl Fault for Agreeable {
    fn response(&self, _who: &str, asked: &Request, response: Response) -> Response {
        match (asked, response) {
            (Request::Unbind { .. }, Response::Refused(_)) => Response::Done,
            (_, response) => response,
        }
    }
}

/// Remembers nobody who held a thing.
struct Oblivious;

impl Fault for Oblivious {
    fn response(&self, _who: &str, _asked: &Request, response: Response) -> Response {
        match response {
            Response::History(mut page) => {
                page.entries.retain(|entry| !matches!(entry.what, PastFact::Lease(_)));
                Response::History(page)
            }
            response => response,
        }
    }
}

/// Tells everybody's past whose it was.
struct Chronicler;

impl Fault for Chronicler {
    fn response(&self, _who: &str, _asked: &Request, response: Response) -> Response {
        match response {
            Response::History(mut page) => {
                for entry in &mut page.entries {
                    if let PastFact::Lease(update) = &mut entry.what {
                        update.user.get_or_insert(UserId::slug("somebody"));
                    }
                }
                Response::History(page)
            }
            response => response,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broken_enabler_fails_the_rows_that_are_about_it_and_no_others() {
    let broken: Vec<(&str, Box<dyn Fault>, Due)> = vec![
        ("services that are not taken back", Box::new(Stubborn), &["SDC.undo", "SDC.timeout", "SDC.cancel"]),
        ("discovery that is too wide", Box::new(Wide), &["DTSD.place", "DTSD.charge", "DTSD.level"]),
        ("permissions that permit", Box::new(Generous), &["REQ-DT-05", "INV-4.rule", "DTAC.until"]),
        ("refusals that are not told", Box::new(Polite), &["TPSR.shadow", "BUY.cart", "REF.shadow", "REF.key"]),
        ("purchases that nobody hears of", Box::new(Silent), &["BUY.confirm", "BUY.cancel"]),
        ("parts that are there before they came", Box::new(Hasty), &["BUY.give"]),
        ("addresses that everybody is shown", Box::new(Blabber), &["BUY.person"]),
        ("prices that nobody has seen", Box::new(Greedy), &["BUY.unseen"]),
        ("carts that are bought twice", Box::new(Double), &["BUY.once", "BUY.cart"]),
        ("purchases that are everybody's", Box::new(Shared), &["BUY.own"]),
        ("products that nobody has", Box::new(Agreeable), &["PROD.foreign"]),
        ("a past without holders", Box::new(Oblivious), &["S3.history"]),
        ("a past that tells names", Box::new(Chronicler), &["S3.history"]),
        ("procedure 1 without step 13", Box::new(Careless), &["P1.13", "P1.14"]),
        ("services that are used twice", Box::new(Eager), &["SDC.timeout", "SDC.once"]),
        ("procedure 2 without permissions", Box::new(Forgetful), &["P2.11", "P2.12"]),
        ("truth that is hope", Box::new(Hopeful), &["INV-1.pending", "INV-1.executed"]),
        ("two holders who both believe it", Box::new(Flatterer), &["S3.one", "REQ-DT-08"]),
        ("services that become dearer", Box::new(Cheap), &["TPSAA.charge"]),
        ("procedure 1 without pseudonyms", Box::new(Gossip), &["P1.7"]),
        ("procedure 2 without step 17", Box::new(Deaf), &["P2.17"]),
        ("synchronization that is lazy", Box::new(Lazy), &["REQ-DT-07"]),
        ("twins that are mixed up", Box::new(Confused), &["REQ-DT-01"]),
        ("commands that come twice", Box::new(Stutter), &["INV-2.once"]),
        ("two holders who both act", Box::new(Lender::default()), &["INV-3.act"]),
        ("who only passes on passes", Box::new(Honest), &[]),
    ];
    exactly(broken, played).await;
}
