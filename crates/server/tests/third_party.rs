//! Third-party systems at an enabler in this process, over QUIC: procedure P1, and one that means no good.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use common::*;
use vestibule_model::*;
use vestibule_protocol::{
    AuthorizationAnswer, CallResult, Invocation, Party, Procedure, ProcedureStep, Request, Response, SiiDown, SiiUp,
};
use vestibule_quic::{Identity, pair};
use vestibule_server::{Embedded, EmbeddedConfig};

fn shop() -> SystemId {
    SystemId::slug("shop")
}

fn services() -> BTreeSet<ServiceId> {
    ["order", "look"].map(ServiceId::slug).into()
}

/// `order` acts each time and is taken back by `cancel`; `look` may be asked again.
fn shop_info() -> SystemInfo {
    let mut info = SystemInfo::new(shop(), SystemKind::ThirdParty, "A shop");
    let mut offer = |name: &str, idempotent: bool, undo: Option<&str>| {
        let undo = undo.map(ServiceId::slug);
        let service = ServiceInfo { idempotent, undo, timeout_ms: 30_000, ..ServiceInfo::new(name) };
        info.services.insert(ServiceId::slug(name), service);
    };
    offer("order", false, Some("cancel"));
    offer("cancel", true, None);
    offer("look", true, None);
    info
}

struct Town {
    enabler: Embedded,
    _folder: tempfile::TempDir,
    bench: FakeSystem,
    person: Peer,
    shop: Peer,
}

impl Town {
    /// An owner, a lamp, and a shop that has registered.
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let enabler = Embedded::start(EmbeddedConfig::local(folder.path().join("data"))).await.unwrap();
        let me = Identity::generate().unwrap();
        enabler.enroll_owner(me.fingerprint()).await.unwrap();
        let bench = paired(&enabler, "twin_system").await;
        let bench = FakeSystem::new(enabler.address(), enabler.fingerprint(), &bench);
        let person = Peer::new(enabler.address(), enabler.fingerprint(), &me, Party::Metaverse);
        let shop = third_party(&enabler).await;
        let mut town = Self { enabler, _folder: folder, bench, person, shop };
        town.until("the lamp is there", |town| town.person.twins.contains_key(&lamp_id())).await;
        let answer = town.shop.ask(Request::Sii(SiiUp::Register(Box::new(shop_info())))).await;
        assert_eq!(answer, Ok(Response::Done));
        town.until("registered", |town| town.shop.sii.contains(&SiiDown::Registered)).await;
        town
    }

    /// Drives everybody until something is so.
    async fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        loop {
            self.bench.pump();
            self.person.pump();
            self.shop.pump();
            if done(self) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}; {:?}", self.person.answers);
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }

    fn request(&mut self, request: Request) -> u64 {
        let ms = self.person.ms();
        self.person.session.request(request, ms)
    }

    async fn answer(&mut self, id: u64) -> Result<Response, Refusal> {
        self.until("an answer", |town| town.person.answers.contains_key(&id)).await;
        self.person.answers.remove(&id).unwrap()
    }

    fn say(&mut self, message: SiiUp) -> u64 {
        let ms = self.shop.ms();
        self.shop.session.request(Request::Sii(message), ms)
    }

    /// What the shop is told next, of those that `fits` knows.
    async fn told<T>(&mut self, what: &str, fits: impl Fn(&SiiDown) -> Option<T>) -> T {
        let mut found = None;
        self.until(what, |town| {
            let place = town.shop.sii.iter().position(|message| fits(message).is_some());
            found = place.and_then(|place| fits(&town.shop.sii.remove(place)));
            found.is_some()
        })
        .await;
        found.unwrap()
    }

    async fn invoked(&mut self) -> Invocation {
        let fits = |message: &SiiDown| match message {
            SiiDown::Invoke(invocation) => Some(invocation.as_ref().clone()),
            _ => None,
        };
        self.told("an invocation", fits).await
    }

    /// The person and the shop agree; the shop may ask for the lamp while a call runs.
    async fn agree(&mut self) -> Authorization {
        let share = Sharing { twins: [(lamp_id(), BTreeSet::new())].into(), ..Sharing::default() };
        let until = now().plus(3_600_000);
        let id = self.request(Request::Authorize { system: shop(), services: services(), share, until });
        let fits = |message: &SiiDown| match message {
            SiiDown::Authorize { inquiry, services, until, .. } => Some((*inquiry, services.clone(), *until)),
            _ => None,
        };
        let (inquiry, services, until) = self.told("a question", fits).await;
        let answer = AuthorizationAnswer::Granted { services, until, account: Some("customer 7".to_owned()) };
        self.say(SiiUp::Authorized { inquiry, answer });
        match self.answer(id).await {
            Ok(Response::Authorized(authorization)) => authorization,
            other => panic!("{other:?}"),
        }
    }

    async fn invoke(&mut self, number: u8, service: &str, timeout_ms: Option<u64>) -> CallId {
        let step = CallStep {
            key: StepKey::slug("only"),
            system: shop(),
            service: ServiceId::slug(service),
            input: Vec::new(),
            undo: Vec::new(),
            timeout_ms,
        };
        let id = CallId([number; 16]);
        let input = Json::new(r#"{"item":"lamp"}"#).unwrap();
        let call = Collaboration { id, input, steps: vec![step], not_after: now().plus(60_000), trace: None };
        let request = self.request(Request::Invoke(Box::new(call)));
        let answer = self.answer(request).await;
        assert!(matches!(&answer, Ok(Response::Call(_))), "{answer:?}");
        id
    }

    fn result(invocation: &Invocation, answer: &str) -> SiiUp {
        let (call, step, undo) = (invocation.call, invocation.step.clone(), invocation.undo);
        SiiUp::Result { call, step, undo, result: CallResult::Done(Answer::new(answer)) }
    }

    async fn shop_hears(&mut self, message: SiiUp) -> Result<Response, Refusal> {
        let id = self.say(message);
        self.until("an answer to the shop", |town| town.shop.answers.contains_key(&id)).await;
        self.shop.answers.remove(&id).unwrap()
    }

    /// Every step of the procedure was noted, in its order, on the user's behalf from the sixth on.
    async fn all_steps_of_p1(&mut self) {
        let request = self.request(Request::Steps { after: 0, limit: 1_000, follow: false });
        let Ok(Response::Steps(steps)) = self.answer(request).await else { panic!("no steps") };
        let p1: Vec<ProcedureStep> = steps.into_iter().filter(|step| step.procedure == Procedure::P1).collect();
        let ids: Vec<String> = p1.iter().map(ProcedureStep::id).collect();
        let mut from = 0;
        for wanted in 1..=19 {
            let found = p1.iter().skip(from).position(|step| step.step == wanted && !step.refused);
            from += found.unwrap_or_else(|| panic!("P1.{wanted} does not follow: {ids:?}")) + 1;
        }
        assert!(p1.iter().all(|step| step.step < 6 || step.user.is_some()), "{p1:?}");
    }

    async fn end_of(&mut self, call: CallId) -> CallUpdate {
        let ended = |town: &Self| {
            town.person.calls.iter().find(|update| update.call == call && update.status.is_final()).cloned()
        };
        self.until("the call's end", |town| ended(town).is_some()).await;
        ended(self).unwrap()
    }
}

async fn paired(enabler: &Embedded, role: &str) -> Identity {
    let identity = Identity::generate().unwrap();
    let code = enabler.pairing_code(RoleId::slug(role)).await.unwrap();
    pair(&enabler.address().to_string(), &identity, code.as_str(), role).await.unwrap();
    identity
}

async fn third_party(enabler: &Embedded) -> Peer {
    let identity = paired(enabler, "third_party").await;
    Peer::new(enabler.address(), enabler.fingerprint(), &identity, Party::ThirdParty)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_found_agreed_used_and_told_of_a_twin() {
    let mut town = Town::start().await;
    let query = SystemQuery { kind: Some(SystemKind::ThirdParty), ..SystemQuery::default() };
    let request = town.request(Request::DiscoverSystems(query));
    match town.answer(request).await {
        Ok(Response::Systems(found)) => assert!(found.len() == 1 && *found[0].info == shop_info(), "{found:?}"),
        other => panic!("{other:?}"),
    }
    let agreed = town.agree().await;
    assert_eq!(agreed.account.as_deref(), Some("customer 7"));
    let call = town.invoke(1, "order", None).await;
    let asked = town.invoked().await;
    assert_eq!((asked.call, asked.input.as_str(), &asked.user), (call, r#"{"item":"lamp"}"#, &agreed.pseudonym));
    let acquire = |call| SiiUp::Acquire { twin: lamp_id(), user: agreed.pseudonym.clone(), call };
    match town.shop_hears(acquire(Some(call))).await {
        Ok(Response::Twins(views)) => {
            assert_eq!((views.len(), &views[0].info.id), (1, &lamp_id()));
            assert!(views[0].info.features.values().all(|feature| feature.actions.is_empty()), "it may look, not act");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(town.shop_hears(Town::result(&asked, r#"{"order":4711}"#)).await, Ok(Response::Done));
    let end = town.end_of(call).await;
    assert_eq!((end.status, end.output.unwrap().as_str()), (CallStatus::Succeeded, r#"{"order":4711}"#));
    assert_eq!(town.shop_hears(acquire(Some(call))).await.unwrap_err().code, RefusalCode::Forbidden);
    town.all_steps_of_p1().await;
    // Taken back, nothing goes any more.
    let request = town.request(Request::Deauthorize { system: shop() });
    assert_eq!(town.answer(request).await, Ok(Response::Done));
    town.told("that it was taken back", |message| matches!(message, SiiDown::Revoked { .. }).then_some(())).await;
    town.until("other devices hear of it", |town| town.person.deauthorized == [shop()]).await;
    town.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_system_is_asked_again_only_where_that_does_no_harm() {
    let mut town = Town::start().await;
    town.agree().await;
    let call = town.invoke(1, "order", Some(3_000)).await;
    let first = town.invoked().await;
    // It hangs. What it may have done is taken back, and it is not asked again.
    let second = town.invoked().await;
    assert!(second.undo && second.call == call && second.service.as_str() == "cancel", "{second:?}");
    let late = town.shop_hears(Town::result(&first, "1")).await.unwrap_err();
    assert_eq!(late.code, RefusalCode::Expired, "{late}");
    assert_eq!(town.shop_hears(Town::result(&second, "null")).await, Ok(Response::Done));
    let end = town.end_of(call).await;
    assert!(matches!(&end.status, CallStatus::Failed { kept, .. } if kept.is_empty()), "{:?}", end.status);
    let call = town.invoke(2, "look", Some(3_000)).await;
    town.invoked().await;
    let again = town.invoked().await;
    assert_eq!((again.call, again.attempt), (call, 2));
    assert_eq!(town.shop_hears(Town::result(&again, "2")).await, Ok(Response::Done));
    assert_eq!(town.end_of(call).await.status, CallStatus::Succeeded);
    town.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_that_means_no_good_harms_nobody() {
    let mut town = Town::start().await;
    let agreed = town.agree().await;
    let call = town.invoke(1, "order", None).await;
    let asked = town.invoked().await;
    // Another one takes neither its name nor its calls nor its users.
    let mut thief = third_party(&town.enabler).await;
    let taken = thief.ask(Request::Sii(SiiUp::Register(Box::new(shop_info())))).await.unwrap_err();
    assert_eq!(taken.code, RefusalCode::Conflict, "{taken}");
    let own = SystemInfo { id: SystemId::slug("thief"), ..shop_info() };
    thief.ask(Request::Sii(SiiUp::Register(Box::new(own)))).await.unwrap();
    let stolen = thief.ask(Request::Sii(Town::result(&asked, "0"))).await.unwrap_err();
    assert_eq!(stolen.code, RefusalCode::NotFound, "{stolen}");
    let acquire = SiiUp::Acquire { twin: lamp_id(), user: agreed.pseudonym, call: Some(call) };
    assert_eq!(thief.ask(Request::Sii(acquire)).await.unwrap_err().code, RefusalCode::NotFound);
    for request in [Request::DescribeTwin(lamp_id()), Request::Rules, Request::Authorizations] {
        assert_eq!(thief.ask(request).await.unwrap_err().code, RefusalCode::Forbidden);
    }
    // It floods: much of it is refused, and a person is answered all the same.
    let ms = thief.ms();
    for _ in 0..600 {
        thief.session.request(Request::Sii(Town::result(&asked, "0")), ms);
    }
    thief.pump();
    let request = town.request(Request::Authorizations);
    assert!(matches!(town.answer(request).await, Ok(Response::Authorizations(mine)) if mine.len() == 1));
    // It answers with more than anybody reads: refused, and what it did is taken back.
    let huge = format!("\"{}\"", "x".repeat(MAX_JSON + 1));
    let refused = town.shop_hears(Town::result(&asked, &huge)).await.unwrap_err();
    assert_eq!(refused.code, RefusalCode::Invalid, "{refused}");
    let undo = town.invoked().await;
    assert!(undo.undo && undo.call == call);
    town.shop_hears(Town::result(&undo, "null")).await.unwrap();
    assert!(matches!(town.end_of(call).await.status, CallStatus::Failed { .. }));
    town.enabler.stop().await;
}
