//! What `vestibule-plugin-enabler` does with tokens: those that it has signed, and those that it shows.

use bevy::prelude::*;
use vestibule_model::{
    ActionId, FeatureId, Limits, Refusal, RefusalCode, RuleId, Timestamp, TokenId, TwinId, TwinSelector, UserId,
};
use vestibule_protocol::{Event, FeatureAccess, LinkEvent, Me, People, Request, Response, TokenView};
use vestibule_tests::{FakeEnabler, door, view};
use vestibule_twin::{HeldToken, KnownLending, LendRights, ManagePeople, TokenText};

use crate::{app, frames};

fn front_door() -> TwinId {
    TwinId::new("home/front_door").unwrap()
}

fn limits(until: u64) -> Limits {
    Limits {
        twins: Some(vec![TwinSelector::Twin(front_door())]),
        actions: Some(vec![ActionId::slug("open")]),
        until: Some(Timestamp(until)),
        ..Limits::default()
    }
}

fn token(id: u8) -> TokenView {
    let (by, guest) = (UserId::slug("ada"), "bob".to_owned());
    TokenView { id: TokenId([id; 16]), by, guest, limits: limits(9_000_000) }
}

fn me(tokens: Vec<TokenView>) -> Response {
    Response::Me(Me { user: UserId::slug("bob"), roles: Vec::new(), owner: false, tokens })
}

fn known(app: &App) -> KnownLending {
    app.world().resource::<KnownLending>().clone()
}

fn asked(app: &mut App, enabler: &mut FakeEnabler) -> Vec<(u64, Request)> {
    frames(app, enabler, 3);
    std::mem::take(&mut enabler.asked)
}

/// The one question, which presents a token.
#[track_caller]
fn presented(app: &mut App, enabler: &mut FakeEnabler) -> (u64, String) {
    match &asked(app, enabler)[..] {
        [(id, Request::Present { token })] => (*id, token.clone()),
        other => panic!("{other:?}"),
    }
}

fn give(app: &mut App, enabler: &mut FakeEnabler, text: &str, tokens: Vec<TokenView>) {
    app.world_mut().write_message(LendRights::Use(TokenText(text.to_owned())));
    let (id, _) = presented(app, enabler);
    enabler.respond(id, &me(tokens));
    frames(app, enabler, 2);
}

/// The door as somebody sees it who may open it by these rules.
fn seen_by(rule: &str) -> Event {
    let mut view = view(door(), 1);
    let act = [(ActionId::slug("open"), RuleId::slug(rule))].into();
    view.access.insert(FeatureId::slug("door"), FeatureAccess { read: Some(RuleId::slug("guests-see")), act });
    Event::Twin(Box::new(view))
}

fn rule(id: u8) -> String {
    format!("token:{}", TokenId([id; 16]))
}

#[test]
fn a_token_is_signed_once_listed_and_ended() {
    let (mut app, mut enabler) = app();
    let lend =
        || LendRights::Lend { guest: "bob".to_owned(), limits: Limits { until: None, ..limits(0) }, for_ms: 60_000 };
    app.world_mut().write_message(lend());
    app.world_mut().write_message(lend());
    let questions = asked(&mut app, &mut enabler);
    let [(id, Request::Delegate(wish))] = &questions[..] else { panic!("{questions:?}") };
    assert_eq!((wish.guest.as_str(), &wish.limits.actions), ("bob", &limits(0).actions));
    let until = wish.limits.until.unwrap();
    assert!(until.since(Timestamp(1_000_000)).abs_diff(60_000) < 5_000, "by the enabler's clock: {until:?}");
    assert!(known(&app).asking);
    enabler.respond(*id, &Response::Token("EoQB".to_owned()));
    let questions = asked(&mut app, &mut enabler);
    let [(id, Request::WhoAmI)] = &questions[..] else { panic!("{questions:?}") };
    assert_eq!(known(&app).signed.map(|signed| signed.text), Some(TokenText("EoQB".to_owned())));
    enabler.respond(*id, &me(Vec::new()));
    let questions = asked(&mut app, &mut enabler);
    let [(id, Request::Users)] = &questions[..] else { panic!("{questions:?}") };
    enabler.respond(*id, &Response::People(People { users: Vec::new(), tokens: vec![token(1)] }));
    frames(&mut app, &mut enabler, 2);
    assert_eq!(known(&app).lent[0].id, TokenId([1; 16]));
    app.world_mut().write_message(LendRights::TakeBack(TokenId([1; 16])));
    let questions = asked(&mut app, &mut enabler);
    let [(id, Request::RevokeToken(_))] = &questions[..] else { panic!("{questions:?}") };
    enabler.respond(*id, &Response::Done);
    assert!(matches!(&asked(&mut app, &mut enabler)[..], [(_, Request::WhoAmI)]), "what is lent has changed");
    app.world_mut().write_message(lend());
    let id = asked(&mut app, &mut enabler)[0].0;
    let refusal = Refusal::new(RefusalCode::Overloaded, "256 tokens have not ended");
    enabler.respond(id, &Response::Refused(refusal.clone()));
    frames(&mut app, &mut enabler, 2);
    assert_eq!((known(&app).problem, known(&app).asking), (Some(refusal), false));
}

#[test]
fn what_was_given_is_shown_to_every_connection() {
    let (mut app, mut enabler) = app();
    give(&mut app, &mut enabler, " EoQB\n", vec![token(1)]);
    give(&mut app, &mut enabler, "EoQC", vec![token(1), token(2)]);
    let ids: Vec<_> = known(&app).held.iter().filter_map(|held| Some(held.token.as_ref()?.id)).collect();
    assert_eq!(ids, [TokenId([1; 16]), TokenId([2; 16])]);
    enabler.say(LinkEvent::Closed { reason: "the cable is out".to_owned(), retry: true });
    frames(&mut app, &mut enabler, 200);
    let questions = std::mem::take(&mut enabler.asked);
    let again: Vec<_> = questions.iter().map(|(_, request)| request.clone()).collect();
    let present = |text: &str| Request::Present { token: text.to_owned() };
    assert_eq!(again, [present("EoQB"), present("EoQC")]);
    let why = Refusal::new(RefusalCode::Forbidden, "this token of ada was revoked");
    enabler.respond(questions[0].0, &Response::Refused(why.clone()));
    enabler.respond(questions[1].0, &me(vec![token(2)]));
    frames(&mut app, &mut enabler, 2);
    let known = known(&app);
    assert_eq!(known.held.iter().map(|held| held.text.0.as_str()).collect::<Vec<_>>(), ["EoQC"]);
    assert_eq!(
        (&known.ended[0].why, known.ended[0].token.as_ref().map(|token| token.id)),
        (&why, Some(TokenId([1; 16])))
    );
}

#[test]
fn what_is_kept_is_shown_to_its_own_enabler_only() {
    let (mut app, mut enabler) = app();
    let held = |enabler: &str, text: &str| HeldToken {
        enabler: enabler.to_owned(),
        text: TokenText(text.to_owned()),
        token: None,
        asked: false,
        again: false,
    };
    app.world_mut().resource_mut::<KnownLending>().held = vec![held("elsewhere", "EoQA"), held("fake", "EoQB")];
    enabler.say(LinkEvent::Closed { reason: "the cable is out".to_owned(), retry: true });
    frames(&mut app, &mut enabler, 200);
    let (id, text) = match &std::mem::take(&mut enabler.asked)[..] {
        [(id, Request::Present { token })] => (*id, token.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(text, "EoQB", "others must not learn it");
    let busy = Refusal::new(RefusalCode::Overloaded, "too much is going on");
    enabler.respond(id, &Response::Refused(busy));
    frames(&mut app, &mut enabler, 2);
    assert_eq!(known(&app).held.len(), 2, "what passes by itself ends nothing");
}

#[test]
fn a_token_that_gives_nothing_any_more_is_asked_about_once() {
    let (mut app, mut enabler) = app();
    give(&mut app, &mut enabler, "EoQB", vec![token(1)]);
    enabler.tell(&seen_by(&rule(1)));
    assert!(asked(&mut app, &mut enabler).is_empty(), "it gives what it should");
    enabler.tell(&seen_by("ada-opens"));
    let (first, _) = presented(&mut app, &mut enabler);
    enabler.tell(&seen_by("ada-opens"));
    enabler.tell(&Event::Gone(front_door()));
    assert!(asked(&mut app, &mut enabler).is_empty(), "one question at a time");
    enabler.respond(first, &me(vec![token(1)]));
    let (second, _) = presented(&mut app, &mut enabler);
    let why = Refusal::new(RefusalCode::Forbidden, "this token of ada was revoked");
    enabler.respond(second, &Response::Refused(why.clone()));
    assert!(asked(&mut app, &mut enabler).is_empty());
    assert!(known(&app).held.is_empty());
    assert_eq!(known(&app).ended[0].why, why);
    let name = RuleId::slug(&rule(1));
    assert!(known(&app).by_rule(&name).is_some(), "a refusal that names it can still be understood");
}

#[test]
fn what_is_no_token_is_not_kept() {
    let (mut app, mut enabler) = app();
    app.world_mut().write_message(LendRights::Use(TokenText("x".repeat(5_000))));
    app.world_mut().write_message(LendRights::Use(TokenText("  ".to_owned())));
    assert!(asked(&mut app, &mut enabler).is_empty());
    assert!(known(&app).refused.is_some());
    app.world_mut().write_message(LendRights::Use(TokenText("EoQX".to_owned())));
    let (id, _) = presented(&mut app, &mut enabler);
    let why = Refusal::new(RefusalCode::Unauthenticated, "not a token of this enabler");
    enabler.respond(id, &Response::Refused(why.clone()));
    frames(&mut app, &mut enabler, 2);
    assert_eq!((known(&app).held.len(), known(&app).refused, known(&app).trying), (0, Some(why), false));
}

#[test]
fn what_is_forgotten_is_not_shown_again() {
    let (mut app, mut enabler) = app();
    give(&mut app, &mut enabler, "EoQB", vec![token(1)]);
    app.world_mut().write_message(LendRights::Forget(TokenId([1; 16])));
    frames(&mut app, &mut enabler, 2);
    enabler.say(LinkEvent::Closed { reason: "the cable is out".to_owned(), retry: true });
    frames(&mut app, &mut enabler, 200);
    assert!(enabler.asked.is_empty(), "{:?}", enabler.asked);
    app.world_mut().write_message(ManagePeople::Look);
    assert!(matches!(&asked(&mut app, &mut enabler)[..], [(_, Request::WhoAmI)]));
}
