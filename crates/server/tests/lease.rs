//! S3 (FGMV-28 7.1.3): users of several worlds want one physical object. Over QUIC, as everybody.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use common::*;
use vestibule_model::*;
use vestibule_protocol::{Party, Request, Response};
use vestibule_quic::{Identity, pair};
use vestibule_server::{Embedded, EmbeddedConfig};

struct Worlds {
    enabler: Embedded,
    folder: tempfile::TempDir,
    bench: FakeSystem,
    worlds: Vec<Peer>,
}

impl Worlds {
    /// A bench with a lamp, and a world each for so many users who may use it.
    async fn start(users: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let enabler = Embedded::start(EmbeddedConfig::local(folder.path().join("data"))).await.unwrap();
        let (target, server) = (enabler.address(), enabler.fingerprint());
        let (me, bench) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        enabler.enroll_owner(me.fingerprint()).await.unwrap();
        let code = enabler.pairing_code(RoleId::slug("twin_system")).await.unwrap();
        pair(&target.to_string(), &bench, code.as_str(), "the bench").await.unwrap();
        let mut owner = Peer::new(target, server, &me, Party::Metaverse);
        let rule = Rule {
            id: RuleId::slug("guests-play"),
            who: Subject::Role(RoleId::slug("guest")),
            twins: TwinSelector::Twin(lamp_id()),
            feature: None,
            right: Right::ActAny,
            effect: RuleEffect::Allow,
            until: None,
            priority: Some(2),
        };
        assert_eq!(owner.ask(Request::SetRule(rule)).await, Ok(Response::Done));
        let mut worlds = Vec::new();
        for number in 0..users {
            let identity = Identity::generate().unwrap();
            let code = enabler.pairing_code(RoleId::slug("guest")).await.unwrap();
            pair(&target.to_string(), &identity, code.as_str(), &format!("world {number}")).await.unwrap();
            worlds.push(Peer::new(target, server, &identity, Party::Metaverse));
        }
        let bench = FakeSystem::new(target, server, &bench);
        let mut all = Self { enabler, folder, bench, worlds };
        all.until("everybody sees the lamp", |_, worlds| {
            worlds.iter().all(|world| world.synchronized > 0 && world.twins.contains_key(&lamp_id()))
        })
        .await;
        all
    }

    async fn until(&mut self, what: &str, mut done: impl FnMut(&FakeSystem, &[Peer]) -> bool) {
        let start = Instant::now();
        loop {
            self.bench.pump();
            self.worlds.iter_mut().for_each(Peer::pump);
            if done(&self.bench, &self.worlds) {
                return;
            }
            let heard: Vec<_> = self.worlds.iter().map(|world| &world.leases).collect();
            assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}; {heard:?}");
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }

    /// Asks as the user of a world, while everybody else goes on.
    async fn ask(&mut self, world: usize, request: Request) -> Result<Response, Refusal> {
        let ms = self.worlds[world].ms();
        let id = self.worlds[world].session.request(request, ms);
        self.until("an answer", |_, worlds| worlds[world].answers.contains_key(&id)).await;
        self.worlds[world].answers.remove(&id).unwrap()
    }

    async fn lease(&mut self, world: usize, wait_ms: u64) -> Result<LeaseUpdate, Refusal> {
        let request = LeaseRequest { id: lease_id(world), twin: lamp_id(), priority: 3, ttl_ms: 600_000, wait_ms };
        match self.ask(world, Request::Lease(request)).await? {
            Response::Lease(update) => Ok(update),
            other => panic!("{other:?}"),
        }
    }
}

fn lease_id(world: usize) -> LeaseId {
    LeaseId([world as u8 + 1; 16])
}

/// How often the user of a world heard that they, and nobody else, have the thing.
fn integrated(world: &Peer, number: usize) -> usize {
    let mine = |update: &&LeaseUpdate| update.lease == lease_id(number) && update.user.is_some();
    world.leases.iter().filter(mine).filter(|update| update.status == LeaseStatus::Integrated).count()
}

/// What `vestibule-enabler leases` prints of a running enabler.
async fn printed(data: PathBuf) -> String {
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_vestibule-enabler"));
    program.arg("leases").arg("--data").arg(data);
    let output = tokio::task::spawn_blocking(move || program.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn act(id: u8, world: usize) -> Request {
    Request::Actuate(Command { lease: Some(lease_id(world)), ..turn_on([id; 16]) })
}

#[tokio::test(flavor = "multi_thread")]
async fn three_worlds_want_one_lamp() {
    let mut all = Worlds::start(3).await;
    let first = all.lease(0, 0).await.unwrap();
    assert!(matches!(first.status, LeaseStatus::Granted | LeaseStatus::Integrated), "{first:?}");
    all.until("the winner hears it", |_, worlds| integrated(&worlds[0], 0) == 1).await;
    let second = all.lease(1, 600_000).await.unwrap();
    assert!(matches!(second.status, LeaseStatus::Waiting { position: 1, expected_ms: 1..=600_000 }), "{second:?}");
    let refusal = all.lease(2, 0).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Held);
    assert!(refusal.message.contains("somebody holds bench/lamp with priority 2"), "{refusal}");
    assert!(refusal.message.contains("1 wait already"), "{refusal}");
    let printed = printed(all.folder.path().join("data")).await;
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines.len() == 2 && lines.iter().all(|line| line.starts_with("bench/lamp ")), "{printed}");
    assert!(lines[0].contains("world_0 ") && lines[0].ends_with("integrated"), "{printed}");
    assert!(lines[1].contains("world_1 ") && lines[1].contains("place 1 in the queue"), "{printed}");
    // Everybody sees that somebody has it, nobody but the winner whom.
    all.until("all see the holder", |_, worlds| {
        worlds[1..].iter().all(|world| {
            let theirs = world.leases.iter().filter(|update| update.lease == lease_id(0));
            theirs.clone().any(|update| update.status == LeaseStatus::Integrated)
                && theirs.clone().all(|update| update.user.is_none())
        })
    })
    .await;
    for number in [1, 2] {
        assert_eq!(integrated(&all.worlds[number], number), 0);
    }
    // Only the holder acts.
    assert_eq!(all.ask(1, act(1, 1)).await.unwrap_err().code, RefusalCode::Held);
    assert_eq!(all.ask(2, Request::Actuate(turn_on([2; 16]))).await.unwrap_err().code, RefusalCode::Held);
    assert!(matches!(all.ask(0, act(3, 0)).await, Ok(Response::Command(_))));
    all.until("the lamp was told", |bench, _| bench.executed.get(&CommandId([3; 16])) == Some(&1)).await;
    // Given back, the one who waits has it, and the others hear that.
    assert!(matches!(all.ask(0, Request::ReleaseLease(lease_id(0))).await, Ok(Response::Lease(_))));
    all.until("the next one hears it", |_, worlds| integrated(&worlds[1], 1) == 1).await;
    let over = LeaseStatus::Ended { reason: LeaseEnd::Released };
    all.until("the others too", |_, worlds| {
        worlds[2].leases.iter().any(|update| update.lease == lease_id(0) && update.status == over)
    })
    .await;
    assert_eq!(all.ask(0, act(4, 0)).await.unwrap_err().code, RefusalCode::Expired);
    let counts: Vec<_> = all.worlds.iter().enumerate().map(|(number, world)| integrated(world, number)).collect();
    assert_eq!(counts, [1, 1, 0], "once each");
    assert_eq!(all.bench.refused, 0, "the device side had nothing to refuse");
    all.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_stays_one_over_a_restart() {
    let mut all = Worlds::start(2).await;
    let first = all.lease(0, 0).await.unwrap();
    all.until("the winner hears it", |_, worlds| integrated(&worlds[0], 0) == 1).await;
    all.lease(1, 600_000).await.unwrap();
    let address = all.enabler.address();
    let Worlds { enabler, folder, bench, worlds } = all;
    enabler.stop().await;
    let config = EmbeddedConfig { quic: address, ..EmbeddedConfig::local(folder.path().join("data")) };
    let enabler = Embedded::start(config).await.unwrap();
    let mut all = Worlds { enabler, folder, bench, worlds };
    all.until("all are back", |bench, worlds| {
        bench.integrated.len() >= 2 && worlds.iter().all(|world| world.synchronized >= 2)
    })
    .await;
    assert!(all.bench.integrated.iter().all(|fence| Some(*fence) == first.fence), "{:?}", all.bench.integrated);
    assert!(matches!(all.ask(0, act(1, 0)).await, Ok(Response::Command(_))));
    all.until("the lamp was told", |bench, _| bench.executed.get(&CommandId([1; 16])) == Some(&1)).await;
    assert_eq!(all.ask(1, act(2, 1)).await.unwrap_err().code, RefusalCode::Held);
    assert!(matches!(all.ask(0, Request::ReleaseLease(lease_id(0))).await, Ok(Response::Lease(_))));
    all.until("the next one hears it", |_, worlds| integrated(&worlds[1], 1) == 1).await;
    let newest = all.bench.integrated.last().copied();
    assert!(newest > first.fence, "tokens grow over a restart: {newest:?} after {:?}", first.fence);
    all.enabler.stop().await;
}
