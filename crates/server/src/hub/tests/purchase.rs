//! Purchases at the hub, with a merchant behind [`Trade`]: what is confirmed is ordered once, whatever is lost.

use std::{collections::BTreeSet, sync::Mutex};

use super::{third_party::shop, *};

const PRICE: i64 = 3_380;

/// A merchant that answers when the test says so, and orders each key once.
#[derive(Debug)]
pub(super) struct Merchant {
    asked: mpsc::UnboundedSender<TradeAsk>,
    orders: Mutex<BTreeMap<PurchaseId, OrderId>>,
}

impl Trade for Merchant {
    fn serves(&self, system: &SystemId, service: &ServiceId) -> bool {
        *system == shop() && service.as_str() != "recipes"
    }

    fn themselves(&self) -> BTreeSet<SystemId> {
        BTreeSet::new()
    }

    fn ask(&self, ask: TradeAsk) -> Result<(), String> {
        self.asked.send(ask).map_err(|_| "closed".to_owned())
    }
}

impl Merchant {
    /// What it does when it is asked to order something.
    fn order(&self, ask: &TradeAsk) -> Told {
        let TradeAsk::Complete(ask) = ask else { panic!("{ask:?}") };
        let mut orders = self.orders.lock().unwrap();
        let next = OrderId::new(format!("ord_{}", orders.len() + 1)).unwrap();
        Told::Placed { order: orders.entry(ask.purchase).or_insert(next).clone(), total: ask.total }
    }
}

pub(super) struct Street {
    pub(super) house: House,
    pub(super) owner: Peer1,
    shop_side: Peer1,
    merchant: Arc<Merchant>,
    pub(super) asks: mpsc::UnboundedReceiver<TradeAsk>,
}

fn euro(amount: i64) -> Money {
    Money::new(amount, "EUR".parse().unwrap())
}

fn confirmation(number: u8) -> Confirmation {
    Confirmation {
        id: PurchaseId([number; 16]),
        system: shop(),
        checkout: CheckoutId::new("chk_1").unwrap(),
        shown: CallId([1; 16]),
        total: euro(PRICE),
        most: euro(PRICE),
        pay: PayWith { handler: "sandbox".to_owned(), instrument: "sandbox".to_owned() },
        designs: BTreeMap::new(),
    }
}

pub(super) fn view(serials: &[&str]) -> OrderView {
    let line = OrderLine {
        id: LineId::new("li_1").unwrap(),
        item: "lamp".to_owned(),
        title: "Lamp".to_owned(),
        price: euro(PRICE),
        ordered: 1,
        total: 1,
        fulfilled: 1,
        design: None,
        serials: serials.iter().map(|text| Serial::new(text).unwrap()).collect(),
        certificates: BTreeMap::new(),
        making: None,
        carrying: Carrying::Delivered,
        measured: None,
    };
    let mark = SnapshotMark { events: 3, adjustments: 0, last: None, digest: ContentHash([3; 32]), revision: None };
    OrderView {
        lines: vec![line],
        total: euro(PRICE),
        refunded: euro(0),
        notes: Vec::new(),
        expected: None,
        cancellable: false,
        permalink: "https://shop.example/1".to_owned(),
        mark,
    }
}

impl Street {
    /// A shop that the owner has agreed with, whose checkout they have seen.
    pub(super) async fn new() -> Self {
        Self::selling("[]").await
    }

    /// The same, with these lines in it.
    pub(super) async fn selling(lines: &str) -> Self {
        let house = House::new().await;
        let owner = house.owner().await;
        // The merchant does not know what an enabler is: somebody in this process registers for it.
        let mut shop_side = Peer1::open(&house.hub, Peer::LocalThirdParty(shop())).await;
        let mut info = SystemInfo::new(shop(), SystemKind::ThirdParty, "A shop");
        let service = ServiceInfo { idempotent: true, timeout_ms: 5_000, ..ServiceInfo::new("checkout") };
        info.services.insert(ServiceId::slug("recipes"), service.clone());
        info.services.insert(ServiceId::slug("checkout"), service);
        shop_side.done(Request::Sii(SiiUp::Register(Box::new(info)))).await;
        let services = [ServiceId::slug("checkout"), ServiceId::slug("recipes")].into();
        let wish =
            Request::Authorize { system: shop(), services, share: Sharing::default(), until: START.plus(3_600_000) };
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
        let (merchant, asks) = merchant();
        house.hub.trade(merchant.clone()).await.unwrap();
        let mut street = Self { house, owner, shop_side, merchant, asks };
        street.look(lines).await;
        street
    }

    /// Uses the shop's service: the merchant is asked, not the shop's connection.
    async fn look(&mut self, lines: &str) {
        let call = third_party::call(1, "checkout");
        assert!(matches!(self.owner.ask(Request::Invoke(Box::new(call))).await, Response::Call(_)));
        let TradeAsk::Invoke { system, invocation, persons, .. } = self.asked().await else { panic!("not invoked") };
        assert_eq!((persons, invocation.service.as_str()), (Persons::default(), "checkout"));
        let totals = r#"[{"type":"subtotal","amount":3380},{"type":"total","amount":3380}]"#;
        let answer = Answer::new(format!(
            r#"{{"id":"chk_1","status":"ready_for_complete","currency":"EUR","line_items":{lines},"links":[],"totals":{totals}}}"#
        ));
        let (call, step) = (invocation.call, invocation.step.clone());
        let result = CallResult::Done(answer);
        self.house.hub.told(TradeUp::Result { system, call, step, undo: false, result }).await.unwrap();
        assert_eq!(self.owner.call_status(call).await, CallStatus::Succeeded);
    }

    pub(super) async fn asked(&mut self) -> TradeAsk {
        timeout(Duration::from_secs(10), self.asks.recv()).await.expect("a question").expect("an open channel")
    }

    pub(super) async fn told(&self, number: u8, told: Told) {
        let said = TradeUp::Told { purchase: PurchaseId([number; 16]), system: shop(), told };
        self.house.hub.told(said).await.unwrap();
    }

    pub(super) async fn confirm(&self, number: u8) -> PurchaseUpdate {
        match self.owner.ask(Request::Confirm(Box::new(confirmation(number)))).await {
            Response::Purchase(update) => *update,
            other => panic!("{other:?}"),
        }
    }

    /// The next thing that the owner hears of a purchase and that fits.
    pub(super) async fn hears(&mut self, fits: impl Fn(&PurchaseState) -> bool) -> PurchaseUpdate {
        self.owner
            .wait(|event| match event {
                Event::Purchase(update) if fits(&update.state) => Some(*update),
                _ => None,
            })
            .await
    }

    /// Killed and started again with what was written.
    pub(super) async fn restart(self) -> Self {
        let Self { house, owner, shop_side, merchant, asks } = self;
        let (lines, names) = (house.log.lines(), house.log.kept_names());
        drop((house, owner, shop_side));
        let house = House::start(Arc::new(MemoryLog::of(lines, names))).await;
        house.hub.trade(merchant.clone()).await.unwrap();
        let owner = house.owner().await;
        let shop_side = Peer1::open(&house.hub, Peer::LocalThirdParty(shop())).await;
        // Where nobody spoke to merchants yet, it tries again after a second.
        house.clock.advance(1_000);
        Self { house, owner, shop_side, merchant, asks }
    }
}

fn merchant() -> (Arc<Merchant>, mpsc::UnboundedReceiver<TradeAsk>) {
    let (asked, asks) = mpsc::unbounded_channel();
    (Arc::new(Merchant { asked, orders: Mutex::default() }), asks)
}

#[tokio::test]
async fn what_is_not_asked_over_the_protocol_is_asked_on_the_merchant_s_own_connection() {
    let mut street = Street::new().await;
    let call = third_party::call(9, "recipes");
    assert!(matches!(street.owner.ask(Request::Invoke(Box::new(call))).await, Response::Call(_)));
    let told = street.shop_side.wait(|event| match event {
        Event::Sii(SiiDown::Invoke(invocation)) => Some(invocation.service),
        _ => None,
    });
    assert_eq!(told.await.as_str(), "recipes");
    assert!(street.asks.try_recv().is_err(), "nobody else is asked");
}

#[tokio::test]
async fn what_is_confirmed_is_ordered_and_its_user_hears_of_it() {
    let mut street = Street::new().await;
    assert_eq!(street.confirm(1).await.state, PurchaseState::Confirmed);
    let ask = street.asked().await;
    street.hears(|state| matches!(state, PurchaseState::Placing { attempts: 1, .. })).await;
    let told = street.merchant.order(&ask);
    street.told(1, told.clone()).await;
    let update = street.hears(|state| matches!(state, PurchaseState::Placed { .. })).await;
    assert_eq!(update.total, euro(PRICE));
    street.told(1, told).await;
    assert_eq!(street.confirm(1).await.state, update.state, "the same purchase");
    street.house.clock.advance(2_000);
    assert!(matches!(street.asked().await, TradeAsk::Look { .. }));
}

#[tokio::test]
async fn a_lost_answer_and_a_restart_are_one_order() {
    let mut street = Street::new().await;
    street.confirm(1).await;
    let ask = street.asked().await;
    let _lost = street.merchant.order(&ask);
    let mut street = street.restart().await;
    let again = street.asked().await;
    assert!(matches!(&again, TradeAsk::Complete(ask) if ask.purchase == PurchaseId([1; 16])), "{again:?}");
    let told = street.merchant.order(&again);
    street.told(1, told).await;
    let update = street.hears(|state| matches!(state, PurchaseState::Placed { .. })).await;
    let orders: Vec<OrderId> = street.merchant.orders.lock().unwrap().values().cloned().collect();
    assert_eq!((orders.len(), update.state.order()), (1, orders.first()));
}

#[tokio::test]
async fn what_is_not_written_is_not_asked() {
    let mut street = Street::new().await;
    street.house.log.set_full(true);
    let refused = street.owner.refused(Request::Confirm(Box::new(confirmation(1)))).await;
    assert_eq!(refused.code, RefusalCode::Storage);
    street.house.log.set_full(false);
    street.house.clock.advance(2_000);
    assert_eq!(
        street.owner.refused(Request::Purchase(PurchaseId([1; 16]))).await.code,
        RefusalCode::NotFound,
        "nothing was bought"
    );
    street.confirm(1).await;
    let ask = street.asked().await;
    // Its merchant has answered, and that cannot be written: it is asked again.
    street.house.log.set_full(true);
    let said = TradeUp::Told { purchase: PurchaseId([1; 16]), system: shop(), told: street.merchant.order(&ask) };
    assert!(street.house.hub.told(said).await.is_err());
    street.house.log.set_full(false);
    street.house.clock.advance(2_000);
    let again = street.asked().await;
    let told = street.merchant.order(&again);
    street.told(1, told).await;
    street.hears(|state| matches!(state, PurchaseState::Placed { .. })).await;
    assert_eq!(street.merchant.orders.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_cancellation_waits_for_its_merchant() {
    let mut street = Street::new().await;
    street.confirm(1).await;
    let ask = street.asked().await;
    let cancel = Request::CancelPurchase(PurchaseId([1; 16]));
    let Response::Purchase(update) = street.owner.ask(cancel).await else { panic!("not cancelled") };
    assert_eq!(update.state, PurchaseState::Canceling { order: None, attempts: 0 });
    assert!(matches!(street.asked().await, TradeAsk::CancelSession { .. }), "nothing is known to be ordered");
    // The order was on its way before.
    let told = street.merchant.order(&ask);
    street.told(1, told).await;
    assert!(matches!(street.asked().await, TradeAsk::Cancel { .. }));
    street.told(1, Told::Canceled { view: None }).await;
    let update = street.hears(|state| matches!(state, PurchaseState::Canceled { .. })).await;
    assert_eq!(update.state.order().map(OrderId::as_str), Some("ord_1"));
}

/// A cancellation races production: whichever comes first at the merchant counts, and the person learns which.
#[tokio::test]
async fn what_is_in_production_cannot_be_cancelled_and_goes_on() {
    let mut street = Street::new().await;
    street.confirm(1).await;
    let ask = street.asked().await;
    let told = street.merchant.order(&ask);
    street.told(1, told).await;
    street.hears(|state| matches!(state, PurchaseState::Placed { .. })).await;
    let cancel = Request::CancelPurchase(PurchaseId([1; 16]));
    let Response::Purchase(update) = street.owner.ask(cancel.clone()).await else { panic!("not cancelled") };
    assert!(matches!(update.state, PurchaseState::Canceling { order: Some(_), .. }));
    let TradeAsk::Cancel { order, .. } = street.asked().await else { panic!("not asked") };
    // Its production has begun, and its merchant tells that before it answers.
    let mut making = view(&[]);
    (making.lines[0].fulfilled, making.lines[0].making) = (0, Some(Making::InProduction { percent: 5 }));
    (making.lines[0].carrying, making.mark.events) = (Carrying::default(), 1);
    let pushed = |view: OrderView| TradeUp::Pushed {
        system: shop(),
        checkout: CheckoutId::new("chk_1").unwrap(),
        order: order.clone(),
        view: Box::new(view),
    };
    street.house.hub.told(pushed(making)).await.unwrap();
    street.told(1, Told::CannotCancel { reason: "it is being made".to_owned() }).await;
    let update = street.hears(|state| matches!(state, PurchaseState::Placed { .. })).await;
    assert_eq!((update.said.as_deref(), update.state.order()), (Some("it is being made"), Some(&order)));
    street.house.hub.told(pushed(view(&["W-1"]))).await.unwrap();
    let update = street.hears(|state| matches!(state, PurchaseState::Placed { .. })).await;
    assert!(update.order.is_some_and(|order| order.is_fulfilled()), "it is brought");
    // Once more, it is asked once more; and a late yes to the first time is the merchant's last word.
    assert!(matches!(street.owner.ask(cancel).await, Response::Purchase(_)));
    assert!(matches!(street.asked().await, TradeAsk::Cancel { .. }));
    street.told(1, Told::Canceled { view: None }).await;
    let update = street.hears(|state| matches!(state, PurchaseState::Canceled { .. })).await;
    assert_eq!(update.state.order(), Some(&order));
    assert_eq!(street.merchant.orders.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn silence_is_told_and_asked_about_again() {
    let mut street = Street::new().await;
    street.confirm(1).await;
    street.asked().await;
    street.house.clock.advance(15_000);
    assert!(matches!(street.asked().await, TradeAsk::Complete(ask) if ask.attempt == 2));
    let update = street.hears(|state| matches!(state, PurchaseState::Placing { attempts: 2, .. })).await;
    assert_eq!(update.said.as_deref(), Some("no answer within 15000 ms"));
    street.told(1, Told::Unknown { reason: "it is being repaired".to_owned() }).await;
    let update = street.hears(|_| true).await;
    assert_eq!(update.said.as_deref(), Some("it is being repaired"));
}

#[tokio::test]
async fn a_product_is_bound_once_its_merchant_says_that_it_made_it() {
    let mut street = Street::new().await;
    let system = street.house.system().await;
    let mut info = lamp_info(lamp());
    info.physical_ids.push(PhysicalId { kind: "serial".to_owned(), value: "W-1".to_owned() });
    system.say(DiiUp::Describe(Box::new(info))).await;
    street.confirm(1).await;
    street.asked().await;
    let (checkout, order) = (CheckoutId::new("chk_1").unwrap(), OrderId::new("ord_1").unwrap());
    let view = Box::new(view(&["W-1"]));
    street.house.hub.told(TradeUp::Pushed { system: shop(), checkout, order: order.clone(), view }).await.unwrap();
    street.hears(|state| matches!(state, PurchaseState::Placed { .. })).await;
    let serial = Serial::new("W-1").unwrap();
    let bind = |certificate: &str| {
        let (purchase, serial) = (PurchaseId([1; 16]), serial.clone());
        Request::Bind { twin: lamp(), purchase, serial, certificate: certificate.to_owned() }
    };
    for (answer, refused) in [
        (Err(NotCertified::Forged), Some(RefusalCode::Forbidden)),
        (Err(NotCertified::Unavailable { reason: "away".to_owned() }), Some(RefusalCode::Unavailable)),
        (
            Ok(Certified {
                order,
                line: LineId::new("li_1").unwrap(),
                serial: serial.clone(),
                design: None,
                made: None,
            }),
            None,
        ),
    ] {
        let Street { house, owner, asks, .. } = &mut street;
        let answers = async {
            let asked = timeout(Duration::from_secs(10), asks.recv()).await.unwrap().unwrap();
            let TradeAsk::Certify { inquiry, certificate, .. } = asked else { panic!("not asked") };
            assert_eq!(certificate, "a.b");
            house.hub.told(TradeUp::Certified { inquiry, answer }).await.unwrap();
        };
        let (response, ()) = tokio::join!(owner.ask(bind("a.b")), answers);
        match (response, refused) {
            (Response::Refused(refusal), Some(code)) => assert_eq!(refusal.code, code),
            (Response::Product(product), None) => assert_eq!((product.twin, product.serial), (lamp(), serial.clone())),
            (other, _) => panic!("{other:?}"),
        }
    }
    let told = street
        .owner
        .wait(|event| match event {
            Event::Product(product) => Some(product.twin),
            _ => None,
        })
        .await;
    assert_eq!(told, lamp());
    street.owner.done(Request::Unbind { serial }).await;
}

/// An address goes to the merchant of the call that refers to it, and is in nothing that is written.
#[tokio::test]
async fn what_is_said_of_a_person_goes_to_the_merchant_and_not_into_the_log() {
    let mut street = Street::new().await;
    let salt = "0123456789abcdef".repeat(4);
    let document = format!(r#"{{"destination":{{"street_address":"12 Elm Street"}},"salt":"{salt}"}}"#);
    let (bytes, media) = (document.clone().into_bytes(), "application/vnd.vestibule.person+json".to_owned());
    let (hash, size) = (ContentHash::of(&bytes), bytes.len() as u64);
    let give = Request::Give { hash, size, media, offset: 0, bytes };
    assert_eq!(street.owner.ask(give).await, Response::Given { next: size });
    let input = format!(r#"{{"id":"chk_1","destination":{{"$person":"{hash}","at":"/destination"}}}}"#);
    let call = Collaboration { input: Json::new(input).unwrap(), ..third_party::call(2, "checkout") };
    assert!(matches!(street.owner.ask(Request::Invoke(Box::new(call))).await, Response::Call(_)));
    let TradeAsk::Invoke { persons, invocation, .. } = street.asked().await else { panic!("not invoked") };
    assert_eq!(persons.0.get(&hash).map(Json::as_str), Some(document.as_str()));
    assert!(!invocation.input.as_str().contains("Elm") && !format!("{persons:?}").contains("Elm"));
    let lines = street.house.log.lines();
    assert!(lines.iter().all(|line| !String::from_utf8_lossy(&line.payload).contains("Elm Street")));
    assert_eq!(street.owner.session.content(hash).await, None, "nor is it content");
}

#[tokio::test]
async fn without_anybody_who_speaks_to_merchants_a_purchase_waits() {
    let mut street = Street::new().await;
    let (other, mut asks) = merchant();
    drop(std::mem::replace(&mut street.asks, mpsc::unbounded_channel().1));
    street.confirm(1).await;
    let update = street.hears(|state| matches!(state, PurchaseState::Placing { .. })).await;
    assert_eq!(update.state, PurchaseState::Placing { attempts: 1, since: START });
    let update = street.hears(|_| true).await;
    assert_eq!(update.said.as_deref(), Some("closed"));
    street.house.hub.trade(other).await.unwrap();
    street.house.clock.advance(1_000);
    assert!(matches!(asks.recv().await, Some(TradeAsk::Complete(_))));
}
