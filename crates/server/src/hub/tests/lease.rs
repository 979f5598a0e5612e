//! Leases through the hub: decided, written, told, across full disks and kills.

use super::*;

pub(super) fn request(number: u8, wait_ms: u64) -> Request {
    Request::Lease(LeaseRequest { id: LeaseId([number; 16]), twin: lamp(), priority: 0, ttl_ms: 10_000, wait_ms })
}

impl Peer1 {
    pub(super) async fn lease(&self, request: Request) -> LeaseUpdate {
        match self.ask(request).await {
            Response::Lease(update) => update,
            other => panic!("{other:?}"),
        }
    }

    /// The next thing that is told of a lease.
    pub(super) async fn lease_status(&mut self, number: u8) -> LeaseStatus {
        self.wait(|event| match event {
            Event::Lease(update) if update.lease == LeaseId([number; 16]) => Some(update.status),
            _ => None,
        })
        .await
    }

    /// The token of the next integration.
    pub(super) async fn integrate(&mut self) -> u64 {
        self.wait(|event| match event {
            Event::Dii(DiiDown::Integrate { fence, .. }) => Some(fence),
            _ => None,
        })
        .await
    }

    pub(super) async fn integrated(&self, fence: u64) {
        self.say(DiiUp::Integrated { twin: lamp(), fence }).await;
    }
}

#[tokio::test]
async fn a_lease_is_granted_confirmed_and_expires() {
    let house = House::new().await;
    let mut system = house.with_lamp().await;
    let mut owner = house.watching().await;
    assert_eq!(owner.lease(request(1, 0)).await.status, LeaseStatus::Granted);
    let fence = system.integrate().await;
    system.integrated(fence).await;
    while owner.lease_status(1).await != LeaseStatus::Integrated {}
    let order =
        Command { lease: Some(LeaseId([1; 16])), not_after: START.plus(60_000), ..command(1, "turn_on", START) };
    assert_eq!(owner.actuate(&order).await, CommandStatus::Dispatched);
    let execution = system.execution().await;
    assert_eq!((execution.fence, execution.not_after), (Some(fence), START.plus(10_000)), "no longer than the lease");
    assert_eq!(owner.lease(request(2, 60_000)).await.status, LeaseStatus::Waiting { position: 1, expected_ms: 10_000 });
    assert_eq!(house.hub.status().await.leases, 2);
    let listed: Vec<_> = house.hub.leases().await.unwrap().into_iter().map(|lease| lease.lease.0[0]).collect();
    assert_eq!(listed, [1, 2]);
    house.clock.advance(10_001);
    while !matches!(owner.lease_status(1).await, LeaseStatus::Ended { reason: LeaseEnd::Expired }) {}
    assert_eq!(system.integrate().await, fence + 1, "the next one's turn");
    system.say(DiiUp::NotIntegrated { twin: lamp(), fence: fence + 1, reason: "jammed".to_owned() }).await;
    let reason = LeaseEnd::NotIntegrated { reason: "jammed".to_owned() };
    while owner.lease_status(2).await != (LeaseStatus::Ended { reason: reason.clone() }) {}
    assert_eq!(house.hub.status().await.leases, 0);
}

#[tokio::test]
async fn nothing_is_granted_that_is_not_written() {
    let house = House::new().await;
    let mut system = house.with_lamp().await;
    let owner = house.owner().await;
    house.log.set_full(true);
    assert_eq!(owner.refused(request(1, 0)).await.code, RefusalCode::Storage);
    house.log.set_full(false);
    house.clock.advance(2_000);
    assert_eq!(owner.lease(request(2, 0)).await.status, LeaseStatus::Granted);
    assert_eq!(system.integrate().await, 1, "the first token was never given to anybody");
    let refusal = owner.refused(request(1, 0)).await;
    assert_eq!(refusal.code, RefusalCode::Held);
}

#[tokio::test]
async fn a_kill_before_the_system_was_told_loses_nothing() {
    let house = House::new().await;
    let system = house.with_lamp().await;
    let owner = house.owner().await;
    assert_eq!(owner.lease(request(1, 0)).await.fence, Some(1));
    // Killed: neither the system nor anybody else has heard of it.
    let (lines, names) = (house.log.lines(), house.log.kept_names());
    drop((house, system, owner));
    let house = House::start(Arc::new(MemoryLog::of(lines, names))).await;
    let mut owner = house.watching().await;
    assert_eq!(owner.lease(request(1, 0)).await.status, LeaseStatus::Granted, "the same request, the same answer");
    let mut system = house.with_lamp().await;
    assert_eq!(system.integrate().await, 1, "told as soon as there is somebody to tell");
    system.integrated(1).await;
    while owner.lease_status(1).await != LeaseStatus::Integrated {}
    system.integrated(1).await;
    assert_eq!(owner.lease(Request::ReleaseLease(LeaseId([1; 16]))).await.fence, Some(1));
    assert_eq!(owner.lease(request(2, 0)).await.fence, Some(2), "tokens grow over restarts");
}

#[tokio::test]
async fn who_subscribes_later_is_told_who_holds_what() {
    let house = House::new().await;
    let system = house.with_lamp().await;
    let owner = house.owner().await;
    owner.lease(request(1, 0)).await;
    let mut late = house.owner().await;
    late.done(Request::Subscribe(Interest::All)).await;
    let mut held = None;
    late.wait(|event| match event {
        Event::Lease(update) => {
            held = Some(update.status);
            None
        }
        event => (event == Event::Synchronized).then_some(()),
    })
    .await;
    assert_eq!(held, Some(LeaseStatus::Granted), "before it counts as synchronized");
    drop(system);
}
