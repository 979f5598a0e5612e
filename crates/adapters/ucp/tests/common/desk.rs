//! A desk that buys from the fake merchant.

use super::*;

/// How a desk is set up.
pub struct Setup {
    pub profile: Endpoint,
    pub pins: Option<PathBuf>,
    pub roots: Vec<CertificateDer<'static>>,
    pub given: Given,
    pub patience: Duration,
}

impl Setup {
    pub fn of(fake: &Fake) -> Self {
        let (roots, given) = (Vec::new(), Given::default());
        Self { profile: fake.profile(), pins: None, roots, given, patience: Duration::from_secs(30) }
    }

    pub fn open(self) -> Desk {
        let merchants = vec![Merchant { system: shop(), profile: self.profile }];
        let (up, told) = mpsc::channel(256);
        let Self { roots, pins, patience, .. } = self;
        let config = UcpConfig { merchants, platform: platform(), roots, pins, patience };
        Desk { trade: UcpTrade::spawn(config, Arc::new(self.given), up).unwrap(), told }
    }
}

pub fn shop() -> SystemId {
    SystemId::slug("shop")
}

/// What the hub has of an adapter.
pub struct Desk {
    pub trade: UcpTrade,
    pub told: mpsc::Receiver<TradeUp>,
}

impl Desk {
    pub fn new(fake: &Fake) -> Self {
        Setup::of(fake).open()
    }

    pub async fn up(&mut self) -> TradeUp {
        timeout(Duration::from_secs(60), self.told.recv()).await.expect("an answer").expect("an adapter")
    }

    pub async fn ask(&mut self, ask: TradeAsk) -> Told {
        self.trade.ask(ask).unwrap();
        match self.up().await {
            TradeUp::Told { told, system, .. } if system == shop() => told,
            other => panic!("{other:?}"),
        }
    }

    pub async fn complete(&mut self) -> Told {
        self.ask(TradeAsk::Complete(Box::new(complete_ask()))).await
    }

    pub async fn look(&mut self) -> Told {
        let (purchase, order) = (PurchaseId([1; 16]), OrderId::new("ord_01").unwrap());
        self.ask(TradeAsk::Look { purchase, system: shop(), order }).await
    }

    pub async fn session(&mut self) -> Told {
        let (purchase, checkout) = (PurchaseId([1; 16]), CheckoutId::new("chk_01").unwrap());
        self.ask(TradeAsk::Session { purchase, system: shop(), checkout }).await
    }

    pub async fn call(&mut self, service: &str, input: Value) -> vestibule_protocol::CallResult {
        self.invoke(invocation(service, input), Persons::default()).await
    }

    pub async fn invoke(&mut self, invocation: Invocation, persons: Persons) -> vestibule_protocol::CallResult {
        self.trade.ask(invoke(invocation, persons)).unwrap();
        match self.up().await {
            TradeUp::Result { result, .. } => result,
            other => panic!("{other:?}"),
        }
    }
}

pub fn invoke(invocation: Invocation, persons: Persons) -> TradeAsk {
    let twins: BTreeSet<TwinId> = BTreeSet::new();
    TradeAsk::Invoke { system: shop(), invocation: Box::new(invocation), twins, persons }
}

pub fn invocation(service: &str, input: Value) -> Invocation {
    Invocation {
        call: CallId([5; 16]),
        step: StepKey::slug("step"),
        undo: false,
        service: ServiceId::slug(service),
        input: Json::of(&input).unwrap(),
        user: vestibule_model::Pseudonym::slug("u-1"),
        account: None,
        attempt: 1,
        not_after: now().plus(120_000),
        trace: None,
    }
}

pub fn complete_ask() -> CompleteAsk {
    let euro: Currency = "EUR".parse().unwrap();
    let design: ContentHash = "b3e1000000000000000000000000000000000000000000000000000000000000".parse().unwrap();
    CompleteAsk {
        purchase: PurchaseId([1; 16]),
        system: shop(),
        checkout: CheckoutId::new("chk_01").unwrap(),
        total: Money::new(3380, euro),
        most: Money::new(3380, euro),
        pay: PayWith { handler: "sandbox_1".into(), instrument: "sandbox".into() },
        designs: [(LineId::new("li_1").unwrap(), DesignHash(design))].into(),
        attempt: 1,
    }
}
