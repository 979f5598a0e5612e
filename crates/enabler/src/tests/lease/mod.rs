//! Leases: one holder for each physical object (S3, REQ-DT-08).

mod explore;
mod world;

use std::sync::Arc;

use super::*;
use world::{Step, TTL, World, name, twin, user};

fn plain() -> World {
    World::new(3, 1, false, Integration::default())
}

fn ask(world: &mut World, number: usize, priority: u8, wait_ms: u64) -> Result<LeaseUpdate, Refusal> {
    let request = world.request(number, 0, priority, wait_ms);
    lease(world.ask(&user(number), &Request::Lease(request)))
}

fn lease(answer: Result<Response, Refusal>) -> Result<LeaseUpdate, Refusal> {
    match answer? {
        Response::Lease(update) => Ok(update),
        other => panic!("{other:?}"),
    }
}

fn status(world: &World, number: usize) -> LeaseStatus {
    let id = world.lease_id(number).unwrap();
    let viewer = Viewer::of(&world.state, world.now, &user(number)).unwrap();
    lease_update(&world.state, &viewer, world.now, world.state.leases.get(&id).unwrap()).status
}

#[test]
fn one_is_granted_and_integrated_and_the_others_hear_why_not() {
    let mut world = plain();
    let first = ask(&mut world, 0, 9, 0).unwrap();
    assert_eq!((first.status, first.fence, first.user), (LeaseStatus::Granted, Some(1), Some(name(0))));
    assert_eq!(first.until, Some(world.now.plus(TTL)));
    world.drain_wire();
    assert_eq!(status(&world, 0), LeaseStatus::Integrated);
    let refusal = ask(&mut world, 1, 9, 0).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Held);
    assert!(refusal.message.contains("somebody holds home/t0") && refusal.message.contains("10 s"), "{refusal}");
    assert!(!refusal.message.contains("user0"), "whose it is may not be told: {refusal}");
    let second = ask(&mut world, 2, 0, 60_000).unwrap();
    assert_eq!(second.status, LeaseStatus::Waiting { position: 1, expected_ms: TTL });
    // Whoever manages the twin hears names.
    let listed = world.ask(&metaverse(OWNER), &Request::Leases { twin: twin(0) }).unwrap();
    let Response::Leases(updates) = listed else { panic!("{listed:?}") };
    assert_eq!(updates.iter().map(|update| update.user.clone()).collect::<Vec<_>>(), [Some(name(0)), Some(name(2))]);
    let listed = world.ask(&user(1), &Request::Leases { twin: twin(0) }).unwrap();
    let Response::Leases(updates) = listed else { panic!("{listed:?}") };
    assert!(updates.len() == 2 && updates.iter().all(|update| update.user.is_none()));
    // Given back, the next one has it, with a larger token.
    world.step(&Step::Release(0));
    assert_eq!(status(&world, 0), LeaseStatus::Ended { reason: LeaseEnd::Released });
    world.drain_wire();
    assert_eq!(status(&world, 2), LeaseStatus::Integrated);
    let lease = world.state.leases.get(&world.lease_id(2).unwrap()).unwrap();
    assert_eq!(lease.held(world.now).map(|(fence, _)| fence), Some(2));
}

#[test]
fn only_the_holder_acts_and_only_as_long_as_it_holds() {
    let mut world = plain();
    assert!(world.act(1, 0, false).is_ok(), "nobody holds it, and it is not exclusive");
    ask(&mut world, 0, 0, 0).unwrap();
    world.drain_wire();
    assert_eq!(world.act(1, 0, false).unwrap_err().code, RefusalCode::Held);
    let refusal = world.act(0, 0, false).unwrap_err();
    assert!(refusal.message.contains("name your lease"), "{refusal}");
    world.act(0, 0, true).unwrap();
    world.drain_wire();
    assert_eq!((world.device.executed, world.device.acted[&twin(0)]), (2, 1));
    let waiting = ask(&mut world, 1, 0, 60_000).unwrap();
    assert!(matches!(waiting.status, LeaseStatus::Waiting { .. }));
    let refusal = world.act(1, 0, true).unwrap_err();
    assert!(refusal.message.contains("place 1"), "{refusal}");
    world.pass(TTL + 1);
    assert_eq!(status(&world, 0), LeaseStatus::Ended { reason: LeaseEnd::Expired });
    let refusal = world.act(0, 0, true).unwrap_err();
    assert!(refusal.code == RefusalCode::Expired && refusal.message.contains("not renewed"), "{refusal}");
    world.act(1, 0, true).unwrap();
    world.drain_wire();
    assert_eq!(world.device.acted[&twin(0)], 2);
    // Somebody else's lease is nobody's.
    let theirs = world.lease_id(1).unwrap();
    assert_eq!(world.ask(&user(0), &Request::RenewLease(theirs)).unwrap_err().code, RefusalCode::NotFound);
}

#[test]
fn an_exclusive_twin_needs_a_holder() {
    let integration = Integration { exclusive: true, ..Integration::default() };
    let mut world = World::new(2, 1, false, integration);
    let refusal = world.act(0, 0, false).unwrap_err();
    assert!(refusal.code == RefusalCode::Held && refusal.message.contains("lease first"), "{refusal}");
    ask(&mut world, 0, 0, 0).unwrap();
    assert!(world.act(0, 0, true).is_ok());
}

#[test]
fn a_lease_that_ended_leaves_nothing_to_be_done_later() {
    let mut world = plain();
    ask(&mut world, 0, 0, 0).unwrap();
    world.drain_wire();
    world.step(&Step::Break);
    let Response::Command(update) = world.act(0, 0, true).unwrap() else { panic!() };
    assert_eq!(update.status, CommandStatus::Accepted, "the thing is away: it waits");
    world.step(&Step::Release(0));
    match &world.state.commands[&update.command].status {
        CommandStatus::Failed { reason } => assert!(reason.contains("given back"), "{reason}"),
        other => panic!("{other:?}"),
    }
    world.step(&Step::Connect);
    world.drain_wire();
    assert_eq!(world.device.executed, 0);
}

#[test]
fn after_a_reconnect_and_a_restart_the_system_hears_the_same_token() {
    let mut world = plain();
    ask(&mut world, 0, 0, 0).unwrap();
    world.drain_wire();
    for step in [Step::Break, Step::DeviceRestarts, Step::Crash] {
        world.step(&step);
        world.step(&Step::Connect);
        let fences: Vec<_> = world
            .down
            .iter()
            .filter_map(|message| match message {
                vestibule_protocol::DiiDown::Integrate { fence, .. } => Some(*fence),
                _ => None,
            })
            .collect();
        assert_eq!(fences, [1], "{step:?}");
        world.drain_wire();
        assert_eq!(status(&world, 0), LeaseStatus::Integrated);
    }
    assert_eq!(world.integrated[&1], 1, "told once");
}

#[test]
fn renewals_last_until_somebody_waits() {
    let integration = Integration { longest_ms: Some(2 * TTL), ..Integration::default() };
    let mut world = World::new(2, 1, false, integration);
    ask(&mut world, 0, 0, 0).unwrap();
    let since = world.now;
    for _ in 0..10 {
        world.pass(TTL / 2);
        world.step(&Step::Renew(0));
    }
    assert!(world.now.since(since) > 4 * TTL, "nobody waits: for ever");
    ask(&mut world, 1, 0, 600_000).unwrap();
    let until = world.state.leases.get(&world.lease_id(0).unwrap()).unwrap().held(world.now).unwrap().1;
    world.step(&Step::Renew(0));
    world.pass(until.since(world.now) + 1);
    assert_eq!(status(&world, 0), LeaseStatus::Ended { reason: LeaseEnd::Expired });
    assert_eq!(status(&world, 1), LeaseStatus::Granted);
}

#[test]
fn what_is_taken_away_ends_with_words() {
    let mut world = plain();
    ask(&mut world, 0, 0, 0).unwrap();
    ask(&mut world, 1, 0, 60_000).unwrap();
    ask(&mut world, 2, 0, 60_000).unwrap();
    world.step(&Step::Forbid(0));
    assert_eq!(status(&world, 0), LeaseStatus::Ended { reason: LeaseEnd::Forbidden { rule: None } });
    assert_eq!(status(&world, 1), LeaseStatus::Granted, "the next one's turn");
    let refusal = ask(&mut world, 0, 0, 0).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Forbidden);
    let fence = world.state.leases.fence();
    world.say(DiiUp::NotIntegrated { twin: twin(0), fence, reason: "its motor is hot".to_owned() });
    let reason = LeaseEnd::NotIntegrated { reason: "its motor is hot".to_owned() };
    assert_eq!(status(&world, 1), LeaseStatus::Ended { reason });
    assert_eq!(status(&world, 2), LeaseStatus::Granted);
    world.step(&Step::Gone(0));
    assert_eq!(status(&world, 2), LeaseStatus::Ended { reason: LeaseEnd::TwinGone });
    assert!(world.state.leases.fence() == fence + 1, "tokens outlive twins");
}

#[test]
fn the_rules_say_how_urgent_somebody_is_at_most() {
    let integration = Integration { preempt: true, ..Integration::default() };
    let mut world = World::new(3, 1, false, integration);
    let calm = Rule { priority: Some(2), ..world.state.rules[&RuleId::slug("user1-acts")].clone() };
    world.ask(&metaverse(OWNER), &Request::SetRule(calm)).unwrap();
    assert_eq!(ask(&mut world, 0, 3, 0).unwrap().priority, 3, "no more than was asked for");
    let refusal = ask(&mut world, 1, 200, 0).unwrap_err();
    assert!(refusal.code == RefusalCode::Held && refusal.message.contains("priority 3"), "{refusal}");
    let waits = ask(&mut world, 1, 200, 60_000).unwrap();
    assert_eq!(waits.priority, 2, "no more than the rules give");
    let third = ask(&mut world, 2, 200, 60_000).unwrap();
    assert_eq!((third.priority, third.status), (9, LeaseStatus::Granted), "before whoever waits, and from its holder");
    assert_eq!(status(&world, 0), LeaseStatus::Ended { reason: LeaseEnd::Preempted });
    assert!(matches!(status(&world, 1), LeaseStatus::Waiting { position: 1, .. }));
}

/// Somebody whom the enabler does not know, with a token of `user0`.
fn postman(world: &World, until: Timestamp) -> Actor {
    let twins = Some(vec![TwinSelector::Twin(twin(0))]);
    let limits = Limits { twins, until: Some(until), priority: Some(3), ..Limits::default() };
    let (ids, by, guest) = (vec![TokenId([1; 16])], name(0), "postman".to_owned());
    let grant = Grant { ids, by, guest, issued: world.now, limits };
    Actor { tokens: vec![Arc::new(grant)], ..metaverse(Fingerprint([99; 32])) }
}

#[test]
fn a_lease_by_a_token_is_as_urgent_as_it_and_ends_with_it() {
    let mut world = World::new(2, 2, false, Integration::default());
    let until = world.now.plus(TTL / 2);
    let actor = postman(&world, until);
    let request = |id: u8, on: usize| LeaseRequest {
        id: LeaseId([id; 16]),
        twin: twin(on),
        priority: 9,
        ttl_ms: TTL,
        wait_ms: 60_000,
    };
    let held = lease(world.ask(&actor, &Request::Lease(request(101, 0)))).unwrap();
    assert_eq!((held.priority, held.user.as_ref().map(UserId::as_str)), (3, Some("user0:postman")));
    assert_eq!(held.until, Some(Timestamp(until.0 - 1)), "its last moment");
    let other = world.ask(&actor, &Request::Lease(request(102, 1))).unwrap_err();
    assert_eq!(other.code, RefusalCode::Forbidden, "the token is not about that one");
    let renewed = lease(world.ask(&actor, &Request::RenewLease(held.lease))).unwrap();
    assert_eq!(renewed.until, held.until, "nor does it last longer by renewing");
    ask(&mut world, 1, 9, 60_000).unwrap();
    world.step(&Step::Crash);
    world.step(&Step::Connect);
    world.drain_wire();
    assert_eq!(world.integrated[&1], 1, "it stays over a restart");
    while world.now < until {
        assert!(matches!(status(&world, 1), LeaseStatus::Waiting { .. }));
        let rest = until.since(world.now);
        world.pass(rest);
    }
    assert_eq!(status(&world, 1), LeaseStatus::Granted, "the next one's turn at that very moment");
}

#[test]
fn a_lease_by_a_token_ends_when_that_is_revoked() {
    let mut world = plain();
    let actor = postman(&world, world.now.plus(60 * TTL));
    let request = world.request(1, 0, 0, 0);
    lease(world.ask(&actor, &Request::Lease(request.clone()))).unwrap();
    ask(&mut world, 2, 9, 60_000).unwrap();
    world.ask(&metaverse(OWNER), &Request::RevokeToken(TokenId([1; 16]))).unwrap();
    let phase = &world.state.leases.get(&request.id).unwrap().phase;
    assert!(matches!(phase, LeasePhase::Ended { reason: LeaseEnd::Forbidden { .. }, .. }), "{phase:?}");
    assert_eq!(status(&world, 2), LeaseStatus::Granted);
}

#[test]
fn requests_are_repeated_without_harm_and_nonsense_is_refused() {
    let mut world = plain();
    let request = world.request(0, 0, 3, 5_000);
    let one = lease(world.ask(&user(0), &Request::Lease(request.clone()))).unwrap();
    let two = lease(world.ask(&user(0), &Request::Lease(request.clone()))).unwrap();
    assert_eq!(one, two);
    let code = |world: &mut World, number, request: LeaseRequest| {
        world.ask(&user(number), &Request::Lease(request)).unwrap_err().code
    };
    assert_eq!(code(&mut world, 1, request.clone()), RefusalCode::Conflict, "somebody else's id");
    let new = |id: u8| LeaseRequest { id: LeaseId([id; 16]), ..request.clone() };
    assert_eq!(code(&mut world, 0, LeaseRequest { ttl_ms: 0, ..new(101) }), RefusalCode::Invalid);
    assert_eq!(code(&mut world, 0, LeaseRequest { wait_ms: u64::MAX, ..new(102) }), RefusalCode::Invalid);
    assert_eq!(code(&mut world, 0, LeaseRequest { twin: twin(7), ..new(103) }), RefusalCode::NotFound);
    let long = LeaseRequest { ttl_ms: u64::MAX, wait_ms: 60_000, ..new(104) };
    world.step(&Step::Release(0));
    let granted = lease(world.ask(&user(0), &Request::Lease(long))).unwrap();
    assert_eq!(granted.until, Some(world.now.plus(DEFAULT_LONGEST_LEASE_MS)), "the twin's longest cuts it");
    let guest = world.ask(&metaverse(GUEST), &Request::Lease(new(105)));
    assert_eq!(guest.unwrap_err().code, RefusalCode::Forbidden, "who may only look cannot hold");
}

#[test]
fn a_queue_and_a_user_have_their_bounds() {
    let mut world = World::new(3, 2, false, Integration::default());
    let mut requests = 0_u8;
    let mut next = |number: usize, on: usize| {
        requests += 1;
        LeaseRequest {
            id: LeaseId([200, requests, number as u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
            twin: twin(on),
            priority: 0,
            ttl_ms: TTL,
            wait_ms: 60_000,
        }
    };
    for _ in 0..64 {
        world.ask(&user(0), &Request::Lease(next(0, 0))).unwrap();
    }
    let refusal = world.ask(&user(0), &Request::Lease(next(0, 1))).unwrap_err();
    assert!(refusal.code == RefusalCode::Overloaded && refusal.message.contains("give some back"), "{refusal}");
    world.ask(&user(1), &Request::Lease(next(1, 0))).unwrap();
    let refusal = world.ask(&user(2), &Request::Lease(next(2, 0))).unwrap_err();
    assert!(refusal.code == RefusalCode::Overloaded && refusal.message.contains("wait for home/t0"), "{refusal}");
    world.check();
}
