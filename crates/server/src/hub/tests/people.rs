//! Who is let in, who is not any more, and who bears a token, over real sessions.

use super::*;

const GUEST: [u8; 32] = [2; 32];
const STRANGER: [u8; 32] = [9; 32];

async fn greeted(house: &House, device: [u8; 32]) -> Peer1 {
    let peer = Peer1::open(&house.hub, Peer::Certificate(device)).await;
    assert!(matches!(peer.ask(hello(Party::Metaverse)).await, Response::Welcome(_)));
    peer
}

/// Why a connection was ended.
async fn closed(peer: &mut Peer1) -> String {
    loop {
        if let Outgoing::Close(words) = peer.next().await {
            return words;
        }
    }
}

fn user(id: &str, roles: &[&str]) -> UserInfo {
    let roles = roles.iter().map(|role| RoleId::slug(role)).collect();
    UserInfo { id: UserId::slug(id), name: id.to_owned(), roles, login: None }
}

#[tokio::test]
async fn a_revoked_device_and_a_removed_user_are_gone_at_once() {
    let house = House::new().await;
    let owner = house.owner().await;
    for (device, user) in [(GUEST, "bob"), ([3; 32], "bob"), ([4; 32], "eve")] {
        house.hub.enroll(device, UserId::slug(user), vec![RoleId::slug("guest")]).await.unwrap();
    }
    let (mut first, mut second) = (greeted(&house, GUEST).await, greeted(&house, [3; 32]).await);
    let mut eve = greeted(&house, [4; 32]).await;
    let stranger = greeted(&house, STRANGER).await;
    owner.done(Request::RevokeDevice(Fingerprint(GUEST))).await;
    assert!(closed(&mut first).await.contains("not known here any more"));
    assert!(matches!(second.ask(Request::WhoAmI).await, Response::Me(_)), "the other device stays");
    owner.done(Request::RemoveUser(UserId::slug("bob"))).await;
    closed(&mut second).await;
    assert!(matches!(eve.ask(Request::WhoAmI).await, Response::Me(_)));
    owner.done(Request::SetUser(user("eve", &[]))).await;
    assert!(matches!(eve.ask(Request::WhoAmI).await, Response::Me(me) if me.roles.is_empty()), "known, without roles");
    eve.done(Request::Subscribe(Interest::All)).await;
    eve.wait(|event| (event == Event::Synchronized).then_some(())).await;
    assert_eq!(stranger.refused(Request::WhoAmI).await.code, RefusalCode::Unauthenticated, "who never was, stays");
}

#[tokio::test]
async fn one_more_device_of_somebody() {
    let house = House::new().await;
    let owner = house.owner().await;
    owner.done(Request::SetUser(user("bob", &["guest"]))).await;
    let open = Request::OpenPairing { role: RoleId::slug("guest"), user: Some(UserId::slug("bob")) };
    let Response::Code { digits, until } = owner.ask(open.clone()).await else { panic!("no code") };
    assert_eq!(until, START.plus(5 * 60 * 1_000));
    assert_eq!(house.hub.newest_code().await.unwrap().unwrap().as_str(), digits);
    let tablet = greeted(&house, GUEST).await;
    match tablet.ask(Request::Pair { code: digits, name: "Tablet".to_owned() }).await {
        Response::Paired { user, .. } => assert_eq!(user.as_str(), "bob"),
        other => panic!("{other:?}"),
    }
    assert!(house.hub.newest_code().await.unwrap().is_none(), "used up");
    assert!(matches!(tablet.ask(Request::WhoAmI).await, Response::Me(me) if !me.owner));
    assert_eq!(
        tablet.refused(Request::OpenPairing { role: RoleId::slug("owner"), user: None }).await.code,
        RefusalCode::Forbidden
    );
    assert!(matches!(tablet.ask(open).await, Response::Code { .. }), "for oneself, with a role that one has");
}

#[tokio::test]
async fn the_world_changes_at_the_moment_at_which_a_rule_ends() {
    let house = House::new().await;
    let _system = house.with_lamp().await;
    let owner = house.owner().await;
    house.hub.enroll(GUEST, UserId::slug("bob"), vec![RoleId::slug("visitor")]).await.unwrap();
    let until = Some(START.plus(60_000));
    owner
        .done(Request::SetRule(Rule {
            id: RuleId::slug("visit"),
            who: Subject::Role(RoleId::slug("visitor")),
            twins: TwinSelector::All,
            feature: None,
            right: Right::Read,
            effect: RuleEffect::Allow,
            until,
            priority: None,
        }))
        .await;
    let mut guest = greeted(&house, GUEST).await;
    guest.done(Request::Subscribe(Interest::All)).await;
    guest.wait(|event| (event == Event::Synchronized).then_some(())).await;
    house.clock.advance(60_000);
    guest.wait(|event| (event == Event::Gone(lamp())).then_some(())).await;
}

fn ring(until: Timestamp) -> Limits {
    Limits {
        twins: Some(vec![TwinSelector::Twin(lamp())]),
        actions: Some(vec![ActionId::slug("turn_on")]),
        until: Some(until),
        ..Limits::default()
    }
}

async fn delegated(owner: &Peer1, limits: Limits) -> String {
    match owner.ask(Request::Delegate(Delegation { guest: "postman".to_owned(), limits })).await {
        Response::Token(token) => token,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whoever_bears_a_token_is_let_in_until_it_ends() {
    let house = House::new().await;
    let _system = house.with_lamp().await;
    let owner = house.owner().await;
    let token = delegated(&owner, ring(START.plus(60_000))).await;
    let mut postman = greeted(&house, STRANGER).await;
    let me = match postman.ask(Request::Present { token: token.clone() }).await {
        Response::Me(me) => me,
        other => panic!("{other:?}"),
    };
    assert_eq!((me.user.as_str(), me.roles.len(), me.tokens.len(), me.owner), ("owner:postman", 0, 1, false));
    postman.done(Request::Subscribe(Interest::All)).await;
    let view = postman.wait(|event| if let Event::Twin(view) = event { Some(view) } else { None }).await;
    assert_eq!(view.info.features[&light()].actions.keys().map(ActionId::as_str).collect::<Vec<_>>(), ["turn_on"]);
    assert_eq!(postman.actuate(&command(1, "turn_on", house.clock.now())).await, CommandStatus::Dispatched);
    assert_eq!(
        postman.refused(Request::Actuate(command(2, "turn_off", house.clock.now()))).await.code,
        RefusalCode::Forbidden
    );
    house.clock.advance(60_000);
    assert!(closed(&mut postman).await.contains("token"));
    let late = greeted(&house, STRANGER).await;
    assert_eq!(late.refused(Request::Present { token }).await.code, RefusalCode::Expired);
}

#[tokio::test]
async fn a_revoked_token_ends_its_connections_and_changes_the_world_of_users() {
    let house = House::new().await;
    let _system = house.with_lamp().await;
    let owner = house.owner().await;
    house.hub.enroll(GUEST, UserId::slug("bob"), vec![]).await.unwrap();
    let token = delegated(&owner, ring(START.plus(60_000))).await;
    let (mut postman, mut bob) = (greeted(&house, STRANGER).await, greeted(&house, GUEST).await);
    bob.done(Request::Subscribe(Interest::All)).await;
    bob.wait(|event| (event == Event::Synchronized).then_some(())).await;
    postman.ask(Request::Present { token: token.clone() }).await;
    bob.ask(Request::Present { token }).await;
    bob.wait(|event| if let Event::Twin(view) = event { Some(view) } else { None }).await;
    let tokens = match owner.ask(Request::Users).await {
        Response::People(people) => people.tokens,
        other => panic!("{other:?}"),
    };
    owner.done(Request::RevokeToken(tokens[0].id)).await;
    closed(&mut postman).await;
    bob.wait(|event| (event == Event::Gone(lamp())).then_some(())).await;
    assert!(matches!(bob.ask(Request::WhoAmI).await, Response::Me(me) if me.tokens.is_empty()), "bob stays a user");
}
