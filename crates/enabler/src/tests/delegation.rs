//! Whoever bears a token: exactly as far as it goes, and as far as its delegator still may.

use super::*;
use crate::token::{RootKey, attenuate, mint, read};

const STRANGER: Fingerprint = Fingerprint([9; 32]);
const HOUR: u64 = 3_600_000;

fn root() -> RootKey {
    RootKey::new([7; 32]).unwrap()
}

fn owners_token(house: &mut House, limits: Limits) -> String {
    let actor = metaverse(OWNER);
    if house.state.token_key.is_none() {
        house.committed(vec![LogEvent::TokenKeySet { key: root().public().unwrap() }]);
    }
    let delegation = Delegation { guest: "postman".to_owned(), limits };
    let by = may_delegate(&house.state, house.now, &actor, &delegation).unwrap();
    house.next_id += 1;
    let token = mint(&root(), [house.next_id; 32], &by, house.now, &delegation).unwrap();
    let decision = delegate(&house.state, token).unwrap();
    match house.act(decision) {
        Some(Response::Token(token)) => token,
        other => panic!("{other:?}"),
    }
}

fn ring_only(house: &House) -> Limits {
    Limits {
        twins: Some(vec![TwinSelector::Twin(lamp())]),
        features: Some(vec![FeatureId::slug("bell")]),
        actions: Some(vec![ActionId::slug("ring")]),
        until: Some(house.now.plus(HOUR)),
        priority: Some(3),
        device: None,
    }
}

/// A peer with this certificate after it has presented `token`.
fn bearer(house: &mut House, device: Fingerprint, token: &str) -> Result<Actor, Refusal> {
    let mut actor = metaverse(device);
    let request = Request::Present { token: token.to_owned() };
    let decision = decide(&house.state, &house.hot, house.now, &actor, &request)?;
    for effect in decision.effects {
        match effect {
            crate::Effect::Bear(grant) => actor.tokens.push(grant),
            other => panic!("{other:?}"),
        }
    }
    Ok(actor)
}

fn acts(house: &mut House, actor: &Actor, feature: &str, action: &str) -> Result<(), Refusal> {
    let command = house.command(feature, action);
    house.ask(actor, &Request::Actuate(command)).map(|_| ())
}

fn revoke(house: &mut House, by: Fingerprint, id: TokenId) -> Result<Response, Refusal> {
    house.ask(&metaverse(by), &Request::RevokeToken(id))
}

#[test]
fn a_bearer_acts_exactly_within_the_token() {
    let mut house = House::with_lamp();
    let limits = ring_only(&house);
    let token = owners_token(&mut house, limits);
    let postman = bearer(&mut house, STRANGER, &token).unwrap();
    acts(&mut house, &postman, "bell", "ring").unwrap();
    let (_, event) = house.log.last().unwrap();
    let LogEvent::CommandAccepted { user, rule, .. } = event.clone() else { panic!("{event:?}") };
    assert_eq!(user.as_str(), "owner:postman", "who did it, and in whose stead");
    assert!(rule.as_str().starts_with("token:"), "{rule}");
    let refusal = acts(&mut house, &postman, "light", "turn_on").unwrap_err();
    assert_eq!((refusal.code, refusal.rule), (RefusalCode::Forbidden, Some(rule.clone())), "the token has decided");
    assert!(refusal.message.contains("what owner lent does not go so far"), "{}", refusal.message);
    let request = Request::ListTwins { system: home(), after: None, limit: 0 };
    let Response::Twins(views) = house.ask(&postman, &request).unwrap() else { panic!() };
    let features: Vec<_> = views[0].info.features.keys().map(FeatureId::as_str).collect();
    assert_eq!(features, ["bell"], "the world is shaped by the token");
    let owner_things = [
        Request::Rules,
        Request::Users,
        Request::Log { after: 0, limit: 0 },
        Request::RemoveUser(UserId::slug("guest")),
        Request::RevokeDevice(GUEST),
        Request::SetUser(UserInfo { id: UserId::slug("x"), name: "x".to_owned(), roles: vec![], login: None }),
    ];
    for request in owner_things {
        assert_eq!(house.ask(&postman, &request).unwrap_err().code, RefusalCode::Forbidden, "{request:?}");
    }
    let twins = priority(&house.state, house.now, &Viewer::of(&house.state, house.now, &postman).unwrap(), &lamp());
    assert_eq!(twins, 3, "the owner's 100, lowered by the token");
    let guest = Delegation { guest: "x".to_owned(), limits: ring_only(&house) };
    let error = may_delegate(&house.state, house.now, &postman, &guest).unwrap_err();
    assert!(error.message.contains("narrow"), "{error}");
    house.restart();
}

#[test]
fn a_bearer_never_has_more_than_the_delegator_by_now() {
    let mut house = House::with_lamp();
    let limits = ring_only(&house);
    let token = owners_token(&mut house, limits);
    let postman = bearer(&mut house, STRANGER, &token).unwrap();
    let deny = |who, feature: &str| Rule {
        id: RuleId::slug("no"),
        who,
        twins: TwinSelector::Twin(lamp()),
        feature: Some(FeatureId::slug(feature)),
        right: Right::ActAny,
        effect: RuleEffect::Deny,
        until: None,
        priority: None,
    };
    let set = |house: &mut House, rule| house.ask(&metaverse(OWNER), &Request::SetRule(rule)).unwrap();
    set(&mut house, deny(Subject::Role(RoleId::slug(OWNER_ROLE)), "bell"));
    assert!(acts(&mut house, &postman, "bell", "ring").is_err(), "the delegator lost it");
    set(&mut house, deny(Subject::User(UserId::slug("owner:postman")), "bell"));
    let refusal = acts(&mut house, &postman, "bell", "ring").unwrap_err();
    assert_eq!(refusal.rule, Some(RuleId::slug("no")), "a bearer can be denied by name");
    set(&mut house, deny(Subject::User(UserId::slug("somebody")), "bell"));
    acts(&mut house, &postman, "bell", "ring").unwrap();
    // What everyone may is for users of this enabler, not for whoever bears a token.
    set(&mut house, Rule { effect: RuleEffect::Allow, ..deny(Subject::Anyone, "light") });
    assert!(acts(&mut house, &postman, "light", "turn_on").is_err());
    assert!(acts(&mut house, &metaverse(GUEST), "light", "turn_on").is_ok());
    // A user with a token has both.
    let guest = bearer(&mut house, GUEST, &token).unwrap();
    acts(&mut house, &guest, "bell", "ring").unwrap();
    acts(&mut house, &guest, "light", "turn_on").unwrap();
    assert!(acts(&mut house, &guest, "siren", "turn_on").is_err());
}

#[test]
fn tokens_end_by_time_revocation_and_with_their_delegator() {
    let mut house = House::with_lamp();
    let limits = ring_only(&house);
    let token = owners_token(&mut house, limits.clone());
    let narrow = attenuate(&token, [99; 32], &Limits { priority: Some(1), ..Limits::default() }).unwrap();
    let other = owners_token(&mut house, limits.clone());
    let postman = bearer(&mut house, STRANGER, &narrow).unwrap();
    let ids = read(&narrow, house.state.token_key).unwrap().ids;
    assert_eq!(revoke(&mut house, GUEST, ids[0]).unwrap_err().code, RefusalCode::Forbidden);
    revoke(&mut house, OWNER, ids[1]).unwrap();
    assert_eq!(acts(&mut house, &postman, "bell", "ring").unwrap_err().code, RefusalCode::Unauthenticated, "at once");
    let again = bearer(&mut house, STRANGER, &narrow).unwrap_err();
    assert!(again.message.contains("revoked"), "{again}");
    let whole = bearer(&mut house, STRANGER, &token).unwrap();
    acts(&mut house, &whole, "bell", "ring").unwrap();
    revoke(&mut house, OWNER, ids[0]).unwrap();
    assert!(acts(&mut house, &whole, "bell", "ring").is_err());
    house.restart();
    assert!(bearer(&mut house, STRANGER, &token).is_err(), "also after a restart");
    let third = bearer(&mut house, STRANGER, &other).unwrap();
    house.now = house.now.plus(HOUR);
    assert_eq!(acts(&mut house, &third, "bell", "ring").unwrap_err().code, RefusalCode::Unauthenticated);
    let late = bearer(&mut house, STRANGER, &other).unwrap_err();
    assert_eq!(late.code, RefusalCode::Expired);
}

#[test]
fn a_token_of_somebody_who_is_gone_is_void_even_under_the_same_name() {
    let mut house = House::with_lamp();
    let owner = |id: &str| UserInfo {
        id: UserId::slug(id),
        name: id.to_owned(),
        roles: vec![RoleId::slug(OWNER_ROLE)],
        login: None,
    };
    house.ask(&metaverse(OWNER), &Request::SetUser(owner("guest"))).unwrap();
    let limits = ring_only(&house);
    let token = owners_token(&mut house, limits);
    let postman = bearer(&mut house, STRANGER, &token).unwrap();
    house.now = house.now.plus(1);
    house.ask(&metaverse(GUEST), &Request::RemoveUser(UserId::slug("owner"))).unwrap();
    assert!(acts(&mut house, &postman, "bell", "ring").is_err());
    house.ask(&metaverse(GUEST), &Request::SetUser(owner("owner"))).unwrap();
    assert!(bearer(&mut house, STRANGER, &token).is_err(), "somebody else by now");
}

#[test]
fn a_bound_token_is_for_one_device_and_others_can_be_replayed() {
    let mut house = House::with_lamp();
    let limits = ring_only(&house);
    let free = owners_token(&mut house, limits.clone());
    for device in [STRANGER, Fingerprint([10; 32])] {
        assert!(bearer(&mut house, device, &free).is_ok());
    }
    let bound = attenuate(&free, [50; 32], &Limits { device: Some(STRANGER), ..Limits::default() }).unwrap();
    assert!(bearer(&mut house, STRANGER, &bound).is_ok());
    let stolen = bearer(&mut house, Fingerprint([10; 32]), &bound).unwrap_err();
    assert_eq!(stolen.code, RefusalCode::Forbidden);
    let torn = attenuate(&bound, [51; 32], &Limits { device: Some(GUEST), ..Limits::default() }).unwrap();
    let actor = bearer(&mut house, STRANGER, &torn).unwrap();
    assert!(acts(&mut house, &actor, "bell", "ring").is_err(), "bound to two devices it is good for none");
}

#[test]
fn delegating_has_limits() {
    let mut house = House::with_lamp();
    let ask = |house: &House, limits| {
        let delegation = Delegation { guest: "x".to_owned(), limits };
        may_delegate(&house.state, house.now, &metaverse(OWNER), &delegation).map(|_| ()).map_err(|error| error.code)
    };
    let until = |until| Limits { until, ..Limits::default() };
    assert_eq!(ask(&house, until(None)), Err(RefusalCode::Invalid));
    assert_eq!(ask(&house, until(Some(house.now))), Err(RefusalCode::Invalid));
    assert_eq!(ask(&house, until(Some(house.now.plus(400 * 24 * HOUR)))), Err(RefusalCode::Invalid));
    for _ in 0..200 {
        let limits = ring_only(&house);
        owners_token(&mut house, limits);
    }
    for id in 0..56_u8 {
        let mut bytes = [0; 16];
        bytes[0] = id;
        let (by, limits) = (UserId::slug("owner"), ring_only(&house));
        house.committed(vec![LogEvent::TokenDelegated { id: TokenId(bytes), by, guest: "x".to_owned(), limits }]);
    }
    assert_eq!(ask(&house, ring_only(&house)), Err(RefusalCode::Overloaded));
    house.now = house.now.plus(HOUR);
    assert_eq!(ask(&house, ring_only(&house)), Ok(()), "those that have ended do not count");
    let people = match house.ask(&metaverse(OWNER), &Request::Users).unwrap() {
        Response::People(people) => people,
        other => panic!("{other:?}"),
    };
    assert!(people.tokens.is_empty());
}

#[test]
fn a_device_that_may_less_than_its_user_delegates_nothing() {
    let mut house = House::with_lamp();
    let guest = RoleId::slug(GUEST_ROLE);
    let decision = enroll(&house.state, STRANGER, &UserId::slug(OWNER_ROLE), &[guest], "wall tablet").unwrap();
    house.committed(decision.events);
    let limits = ring_only(&house);
    let delegation = Delegation { guest: "postman".to_owned(), limits };
    let refusal = may_delegate(&house.state, house.now, &metaverse(STRANGER), &delegation).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Forbidden, "{refusal}");
    assert!(may_delegate(&house.state, house.now, &metaverse(OWNER), &delegation).is_ok());
}

#[test]
fn what_waited_is_not_done_for_a_token_that_has_ended() {
    for ends in [false, true] {
        let mut house = House::with_lamp();
        let limits = ring_only(&house);
        let token = owners_token(&mut house, limits);
        let id = read(&token, house.state.token_key).unwrap().ids[0];
        let postman = bearer(&mut house, STRANGER, &token).unwrap();
        house.disconnect();
        acts(&mut house, &postman, "bell", "ring").unwrap();
        let command = CommandId([house.next_id; 16]);
        if ends {
            revoke(&mut house, OWNER, id).unwrap();
        }
        house.reachable();
        assert_eq!(house.executed.len(), usize::from(!ends));
        assert_eq!(matches!(house.status(command), CommandStatus::Failed { .. }), ends);
    }
}

#[test]
fn a_narrowed_token_does_not_wait() {
    let mut house = House::with_lamp();
    let limits = ring_only(&house);
    let token = owners_token(&mut house, limits);
    let narrow =
        attenuate(&token, [77; 32], &Limits { until: Some(house.now.plus(HOUR / 2)), ..Limits::default() }).unwrap();
    let friend = bearer(&mut house, STRANGER, &narrow).unwrap();
    house.disconnect();
    acts(&mut house, &friend, "bell", "ring").unwrap();
    let command = CommandId([house.next_id; 16]);
    house.reachable();
    assert!(house.executed.is_empty(), "whether it was revoked since, nobody knows");
    assert!(matches!(house.status(command), CommandStatus::Failed { .. }));
}
