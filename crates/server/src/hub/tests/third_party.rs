//! Third-party systems at the hub: a disk that fails under a call, an enabler that starts anew, a system that floods.

use futures_util::future::join_all;

use super::*;

const SHOP: [u8; 32] = [7; 32];

pub(super) fn shop() -> SystemId {
    SystemId::slug("shop")
}

/// `order` acts each time and is taken back by `cancel`; `look` may be asked again.
fn shop_info() -> SystemInfo {
    let mut info = SystemInfo::new(shop(), SystemKind::ThirdParty, "A shop");
    for (name, idempotent, undo) in [("order", false, Some("cancel")), ("cancel", true, None), ("look", true, None)] {
        let undo = undo.map(ServiceId::slug);
        let service = ServiceInfo { idempotent, undo, timeout_ms: 5_000, ..ServiceInfo::new(name) };
        info.services.insert(ServiceId::slug(name), service);
    }
    info
}

pub(super) fn call(number: u8, service: &str) -> Collaboration {
    let step = CallStep {
        key: StepKey::slug("only"),
        system: shop(),
        service: ServiceId::slug(service),
        input: Vec::new(),
        undo: Vec::new(),
        timeout_ms: None,
    };
    let (id, not_after) = (CallId([number; 16]), START.plus(600_000));
    Collaboration { id, input: Json::default(), steps: vec![step], not_after, trace: None }
}

fn result(asked: &Invocation) -> Request {
    answer(asked, CallResult::Done(Answer::new("1")))
}

pub(super) fn answer(asked: &Invocation, result: CallResult) -> Request {
    let (call, step, undo) = (asked.call, asked.step.clone(), asked.undo);
    Request::Sii(SiiUp::Result { call, step, undo, result })
}

impl House {
    /// A shop that has registered.
    pub(super) async fn shop(&self) -> Peer1 {
        self.hub.enroll(SHOP, UserId::slug("shop"), vec![RoleId::slug("third_party")]).await.unwrap();
        let peer = Peer1::open(&self.hub, Peer::Certificate(SHOP)).await;
        assert!(matches!(peer.ask(hello(Party::ThirdParty)).await, Response::Welcome(_)));
        peer.done(Request::Sii(SiiUp::Register(Box::new(shop_info())))).await;
        peer
    }

    /// The owner and the shop agree.
    pub(super) async fn agree(&self, owner: &Peer1, shop_side: &mut Peer1) {
        let services = ["order", "look"].map(ServiceId::slug).into();
        let until = START.plus(3_600_000);
        let wish = Request::Authorize { system: shop(), services, share: Sharing::default(), until };
        let answer = async {
            let (inquiry, services, until) = shop_side
                .wait(|event| match event {
                    Event::Sii(SiiDown::Authorize { inquiry, services, until, .. }) => Some((inquiry, services, until)),
                    _ => None,
                })
                .await;
            let answer = AuthorizationAnswer::Granted { services, until, account: None };
            shop_side.done(Request::Sii(SiiUp::Authorized { inquiry, answer })).await;
        };
        let (agreed, ()) = tokio::join!(owner.ask(wish), answer);
        assert!(matches!(agreed, Response::Authorized(_)), "{agreed:?}");
    }
}

impl Peer1 {
    async fn invoke(&self, call: &Collaboration) -> Response {
        self.ask(Request::Invoke(Box::new(call.clone()))).await
    }

    pub(super) async fn invocation(&mut self) -> Invocation {
        self.wait(|event| match event {
            Event::Sii(SiiDown::Invoke(invocation)) => Some(*invocation),
            _ => None,
        })
        .await
    }

    pub(super) async fn call_status(&mut self, call: CallId) -> CallStatus {
        self.wait(|event| match event {
            Event::Call(update) if update.call == call && update.status.is_final() => Some(update.status),
            _ => None,
        })
        .await
    }

    /// What it was told by now.
    fn heard(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Ok(Outgoing::Event(event)) = self.outgoing.try_recv() {
            events.push(*event);
        }
        events
    }
}

#[tokio::test]
async fn what_is_not_written_is_not_asked_and_an_answer_that_is_not_is_said_again() {
    let house = House::new().await;
    let (mut owner, mut shop_side) = (house.owner().await, house.shop().await);
    house.agree(&owner, &mut shop_side).await;
    house.log.set_full(true);
    let refused = owner.refused(Request::Invoke(Box::new(call(1, "order")))).await;
    assert_eq!(refused.code, RefusalCode::Storage);
    house.log.set_full(false);
    house.clock.advance(2_000);
    assert!(shop_side.heard().iter().all(|event| !matches!(event, Event::Sii(SiiDown::Invoke(_)))));
    assert!(
        matches!(owner.invoke(&call(1, "order")).await, Response::Call(_)),
        "the same call, now that there is room"
    );
    let asked = shop_side.invocation().await;
    house.log.set_full(true);
    assert_eq!(shop_side.refused(result(&asked)).await.code, RefusalCode::Storage);
    house.log.set_full(false);
    house.clock.advance(2_000);
    shop_side.done(result(&asked)).await;
    assert_eq!(owner.call_status(asked.call).await, CallStatus::Succeeded);
    assert!(shop_side.heard().iter().all(|event| !matches!(event, Event::Sii(SiiDown::Invoke(_)))), "asked once");
}

#[tokio::test]
async fn after_a_start_a_call_goes_on_and_only_what_is_idempotent_is_asked_again() {
    let house = House::new().await;
    let (owner, mut shop_side) = (house.owner().await, house.shop().await);
    house.agree(&owner, &mut shop_side).await;
    for (number, service) in [(1, "order"), (2, "look")] {
        assert!(matches!(owner.invoke(&call(number, service)).await, Response::Call(_)));
        shop_side.invocation().await;
    }
    let (lines, names) = (house.log.lines(), house.log.kept_names());
    drop((house, owner, shop_side));
    let house = House::start(Arc::new(MemoryLog::of(lines, names))).await;
    house.clock.advance(1);
    let (mut owner, mut shop_side) = (house.owner().await, house.shop().await);
    let again = shop_side.invocation().await;
    assert_eq!((again.call, again.attempt, again.undo), (CallId([2; 16]), 2, false));
    shop_side.done(result(&again)).await;
    assert_eq!(owner.call_status(again.call).await, CallStatus::Succeeded);
    // The order may have been done or not: nobody asks for it again, it is taken back.
    house.clock.advance(6_000);
    owner.ask(Request::WhoAmI).await;
    let undo = shop_side.invocation().await;
    assert_eq!((undo.call, undo.undo, undo.service.as_str()), (CallId([1; 16]), true, "cancel"));
    shop_side.done(result(&undo)).await;
    assert!(matches!(owner.call_status(undo.call).await, CallStatus::Failed { kept, .. } if kept.is_empty()));
}

#[tokio::test]
async fn a_third_party_that_floods_takes_a_few_places_and_nobody_elses() {
    let house = House::new().await;
    let (owner, shop_side) = (house.owner().await, house.shop().await);
    let flood = (0..100).map(|_| shop_side.ask(Request::Sii(SiiUp::Revoke { user: Pseudonym::slug("u-0") })));
    let (answers, mine) = tokio::join!(join_all(flood), owner.ask(Request::Authorizations));
    assert!(matches!(mine, Response::Authorizations(_)), "{mine:?}");
    let code = |answer: &Response| match answer {
        Response::Refused(refusal) => refusal.code,
        other => panic!("{other:?}"),
    };
    let heard = answers.iter().filter(|answer| code(answer) == RefusalCode::NotFound).count();
    let refused = answers.iter().filter(|answer| code(answer) == RefusalCode::Overloaded).count();
    assert_eq!((heard, refused), (MOST_OF_A_THIRD_PARTY, 100 - MOST_OF_A_THIRD_PARTY));
}
