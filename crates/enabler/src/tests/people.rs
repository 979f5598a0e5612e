//! Users, devices and rules that end.

use super::*;

const TABLET: Fingerprint = Fingerprint([3; 32]);

fn user(id: &str, roles: &[&str]) -> UserInfo {
    let roles = roles.iter().map(|role| RoleId::slug(role)).collect();
    UserInfo { id: UserId::slug(id), name: id.to_owned(), roles, login: None }
}

impl House {
    fn owner(&mut self, request: Request) -> Result<Response, Refusal> {
        self.ask(&metaverse(OWNER), &request)
    }

    fn opened(&mut self, actor: &Actor, role: &str, user: Option<&str>) -> Result<Offer, Refusal> {
        may_open_pairing(&self.state, self.now, actor, &RoleId::slug(role), user.map(UserId::slug).as_ref())
    }

    fn joins(&mut self, device: Fingerprint, offer: &Offer) -> UserId {
        let decision = pair(&self.state, self.now, &Identity::Certificate(device), offer, "tablet").unwrap();
        match self.act(decision) {
            Some(Response::Paired { user, .. }) => user,
            other => panic!("{other:?}"),
        }
    }

    fn me(&mut self, device: Fingerprint) -> Result<vestibule_protocol::Me, Refusal> {
        match self.ask(&metaverse(device), &Request::WhoAmI)? {
            Response::Me(me) => Ok(me),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn several_devices_are_one_user() {
    let mut house = House::with_lamp();
    let offer = house.opened(&metaverse(OWNER), "guest", Some("guest")).unwrap();
    assert_eq!(house.joins(TABLET, &offer).as_str(), "guest");
    house.owner(Request::SetUser(user("guest", &["guest", "resident"]))).unwrap();
    for device in [GUEST, TABLET] {
        let me = house.me(device).unwrap();
        assert_eq!((me.user.as_str(), me.roles.len(), me.owner), ("guest", 2, false), "one user, whatever the device");
    }
    house.owner(Request::RevokeDevice(TABLET)).unwrap();
    assert_eq!(house.me(TABLET).unwrap_err().code, RefusalCode::Unauthenticated);
    assert!(house.me(GUEST).is_ok(), "the other device stays");
    house.owner(Request::RemoveUser(UserId::slug("guest"))).unwrap();
    assert_eq!(house.me(GUEST).unwrap_err().code, RefusalCode::Unauthenticated, "gone with all devices");
    house.restart();
}

#[test]
fn people_let_their_own_devices_in_and_nobody_elses() {
    let mut house = House::with_lamp();
    let guest = metaverse(GUEST);
    assert!(house.opened(&guest, "guest", Some("guest")).is_ok());
    for (role, user) in [("owner", Some("guest")), ("guest", Some("owner")), ("guest", None), ("guest", Some("x"))] {
        assert_eq!(house.opened(&guest, role, user).unwrap_err().code, RefusalCode::Forbidden, "{role} {user:?}");
    }
    let unknown = house.opened(&metaverse(OWNER), "guest", Some("nobody")).unwrap_err();
    assert_eq!(unknown.code, RefusalCode::NotFound);
    let offer = house.opened(&guest, "guest", Some("guest")).unwrap();
    house.joins(TABLET, &offer);
    assert!(house.ask(&guest, &Request::RevokeDevice(TABLET)).is_ok(), "one's own");
    let others = house.ask(&guest, &Request::RevokeDevice(OWNER)).unwrap_err();
    let unknown = house.ask(&guest, &Request::RevokeDevice(Fingerprint([77; 32]))).unwrap_err();
    assert_eq!((others.code, others.code), (RefusalCode::Forbidden, unknown.code), "nobody learns which devices are");
    // The user went between the code and the device.
    let late = Offer { user: Some(UserId::slug("gone")), ..offer };
    assert!(pair(&house.state, house.now, &Identity::Certificate(TABLET), &late, "tablet").is_err());
}

#[test]
fn people_see_themselves_and_owners_everybody() {
    let mut house = House::with_lamp();
    let mut see = |device| match house.ask(&metaverse(device), &Request::Users).unwrap() {
        Response::People(people) => people.users.iter().map(|user| user.info.id.to_string()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!((see(OWNER), see(GUEST)), (vec!["guest".to_owned(), "owner".to_owned()], vec!["guest".to_owned()]));
}

#[test]
fn only_owners_change_people_and_the_last_one_stays() {
    let mut house = House::with_lamp();
    for request in [
        Request::SetUser(user("guest", &["owner"])),
        Request::RemoveUser(UserId::slug("owner")),
        Request::RevokeDevice(OWNER),
    ] {
        assert_eq!(house.ask(&metaverse(GUEST), &request).unwrap_err().code, RefusalCode::Forbidden, "{request:?}");
    }
    for request in [
        Request::SetUser(user("owner", &["guest"])),
        Request::RemoveUser(UserId::slug("owner")),
        Request::RevokeDevice(OWNER),
    ] {
        assert_eq!(house.owner(request.clone()).unwrap_err().code, RefusalCode::Conflict, "{request:?}");
    }
    for wrong in ["console", "ada:postman"] {
        assert_eq!(house.owner(Request::SetUser(user(wrong, &[]))).unwrap_err().code, RefusalCode::Invalid, "{wrong}");
    }
    let mut ending = house.state.rules[&RuleId::slug("owners-everything")].clone();
    ending.until = Some(house.now.plus(1_000));
    assert_eq!(
        house.owner(Request::SetRule(ending)).unwrap_err().code,
        RefusalCode::Conflict,
        "not in a second either"
    );
    house.owner(Request::SetUser(user("guest", &["owner"]))).unwrap();
    house.owner(Request::RemoveUser(UserId::slug("owner"))).unwrap();
    assert!(house.me(GUEST).unwrap().owner);
    let lines = house.log.len();
    house.ask(&metaverse(GUEST), &Request::SetUser(user("guest", &["owner"]))).unwrap();
    assert_eq!(house.log.len(), lines, "what does not change is not written");
}

#[test]
fn who_comes_later_under_a_name_is_somebody_else() {
    let mut house = House::with_lamp();
    let everything = Rule {
        id: RuleId::slug("x"),
        who: Subject::User(UserId::slug("tablet")),
        twins: TwinSelector::All,
        feature: None,
        right: Right::ActAny,
        effect: RuleEffect::Allow,
        until: None,
        priority: None,
    };
    let offer = Offer::new(RoleId::slug("guest"));
    assert_eq!(house.joins(TABLET, &offer).as_str(), "tablet");
    house.owner(Request::SetRule(everything.clone())).unwrap();
    house.owner(Request::RemoveUser(UserId::slug("tablet"))).unwrap();
    assert!(!house.state.rules.contains_key(&everything.id), "rules about a user go with them");
    assert_eq!(house.joins(TABLET, &offer).as_str(), "tablet");
    house.owner(Request::RemoveUser(UserId::slug("tablet"))).unwrap();
    house.owner(Request::SetRule(everything)).unwrap();
    assert_ne!(house.joins(TABLET, &offer).as_str(), "tablet", "a name that a rule waits for is not given away");
}

#[test]
fn an_expired_rule_decides_nothing_and_wakes_whoever_watches() {
    let mut house = House::with_lamp();
    let hour = 3_600_000;
    let until = Some(house.now.plus(hour));
    let rule = |id: &str, effect, until| Rule {
        id: RuleId::slug(id),
        who: Subject::Role(RoleId::slug(GUEST_ROLE)),
        twins: TwinSelector::Twin(lamp()),
        feature: Some(FeatureId::slug("bell")),
        right: Right::Act(ActionId::slug("ring")),
        effect,
        until,
        priority: None,
    };
    house.owner(Request::SetRule(rule("ring", RuleEffect::Allow, until))).unwrap();
    let acts = |house: &mut House| {
        let command = house.command("bell", "ring");
        house.ask(&metaverse(GUEST), &Request::Actuate(command)).map(|_| ())
    };
    acts(&mut house).unwrap();
    house.restart();
    house.reachable();
    house.pass(hour - 1);
    acts(&mut house).unwrap();
    assert_eq!(house.hot.next_wakeup(), until, "the world changes at that very moment");
    house.now = house.now.plus(1);
    let (changes, _) = house.hot.due(house.now);
    assert!(changes.access);
    assert_eq!(acts(&mut house).unwrap_err().rule, None, "as if it had never been");
    let again = Some(house.now.plus(hour));
    house.owner(Request::SetRule(rule("ring", RuleEffect::Allow, None))).unwrap();
    house.owner(Request::SetRule(rule("no", RuleEffect::Deny, again))).unwrap();
    assert_eq!(acts(&mut house).unwrap_err().rule, Some(RuleId::slug("no")));
    house.now = house.now.plus(hour);
    acts(&mut house).unwrap();
}

#[test]
fn logins_end_and_are_one_user_each_time() {
    let mut house = House::with_lamp();
    let login = Login { issuer: "https://id.example".to_owned(), subject: "1234".to_owned() };
    let until = house.now.plus(1_000);
    let enter = |house: &mut House, device: u8, login: &Login, roles: &[&str]| {
        let roles: Vec<_> = roles.iter().map(|role| RoleId::slug(role)).collect();
        let certificate = Fingerprint([device; 32]);
        let decision = log_in(&house.state, house.now, certificate, login, "Ada L.", &roles, until)?;
        Ok::<_, Refusal>(house.act(decision))
    };
    assert_eq!(enter(&mut house, 20, &login, &[]).unwrap_err().code, RefusalCode::Forbidden, "nobody here yet");
    assert!(enter(&mut house, 20, &login, &["guest"]).is_ok());
    assert!(enter(&mut house, 21, &login, &["guest"]).is_ok());
    let other = Login { subject: "1235".to_owned(), ..login.clone() };
    assert!(enter(&mut house, 22, &other, &["guest"]).is_ok());
    let user = |house: &mut House, device| house.me(Fingerprint([device; 32])).unwrap().user.to_string();
    assert_eq!(user(&mut house, 20), "Ada_L.");
    assert_eq!(user(&mut house, 21), "Ada_L.", "issuer and subject are who somebody is");
    assert_eq!(user(&mut house, 22), "Ada_L.-2", "a name is not");
    assert_eq!(house.hot.next_wakeup(), Some(until));
    house.now = until;
    assert_eq!(house.me(Fingerprint([20; 32])).unwrap_err().code, RefusalCode::Unauthenticated);
    assert_eq!(enter(&mut house, 20, &login, &["guest"]).unwrap_err().code, RefusalCode::Expired);
    let mut named = user_of(&house, "Ada_L.");
    named.roles = vec![RoleId::slug("owner")];
    house.owner(Request::SetUser(named)).unwrap();
    house.restart();
}

#[test]
fn a_login_lets_nobody_in_for_longer_than_itself_and_crowds_out_nobody_else() {
    let mut house = House::with_lamp();
    let login = Login { issuer: "https://id.example".to_owned(), subject: "1234".to_owned() };
    let enter = |house: &mut House, device: u8| {
        let (roles, until) = ([RoleId::slug("guest")], house.now.plus(u64::from(device) * 1_000));
        let decision =
            log_in(&house.state, house.now, Fingerprint([device; 32]), &login, "Ada", &roles, until).unwrap();
        house.act(decision);
    };
    enter(&mut house, 20);
    let offer = house.opened(&metaverse(Fingerprint([20; 32])), "guest", Some("Ada")).unwrap();
    assert_eq!(house.joins(TABLET, &offer).as_str(), "Ada");
    assert!(house.me(TABLET).is_ok());
    house.now = house.now.plus(20_000);
    assert_eq!(house.me(TABLET).unwrap_err().code, RefusalCode::Unauthenticated, "it ends with the login");
    let late = pair(&house.state, house.now, &Identity::Certificate(TABLET), &offer, "tablet");
    assert_eq!(late.unwrap_err().code, RefusalCode::Expired);
    let own = house.opened(&metaverse(GUEST), "guest", Some("guest")).unwrap();
    assert_eq!(own.until, None, "devices that last let in devices that last");
    for device in 100..120 {
        enter(&mut house, device);
    }
    let known: Vec<u8> = (100..120).filter(|device| house.me(Fingerprint([*device; 32])).is_ok()).collect();
    assert_eq!(known, (104..120).collect::<Vec<_>>(), "the newest of one user's logins hold");
    assert!(house.me(GUEST).is_ok());
    house.restart();
}

fn user_of(house: &House, id: &str) -> UserInfo {
    let known = &house.state.users[&UserId::slug(id)];
    UserInfo { id: UserId::slug(id), name: known.name.clone(), roles: known.roles.clone(), login: known.login.clone() }
}

#[test]
fn the_console_may_what_owners_may() {
    let mut house = House::empty();
    let console = Actor::greeted(Identity::Console, Party::Metaverse);
    house.ask(&console, &Request::SetUser(user("bob", &["guest"]))).unwrap();
    assert!(house.ask(&console, &Request::Rules).is_ok());
    assert!(matches!(house.log.last(), Some((_, LogEvent::UserSet { by: Some(by), .. })) if by.as_str() == "console"));
    let mut system = console;
    system.party = Some(Party::TwinSystem);
    let register = Request::Dii(DiiUp::Register(system_info()));
    assert_eq!(house.ask(&system, &register).unwrap_err().code, RefusalCode::Forbidden, "but is no twin system");
}

#[test]
fn why_somebody_else_may_not_is_for_owners() {
    let mut house = House::with_lamp();
    let what = Wanted::Act { twin: lamp(), feature: FeatureId::slug("bell"), action: ActionId::slug("ring") };
    let about = |user: &str| Request::Explain(Inquiry { user: Some(UserId::slug(user)), what: what.clone() });
    let explained = |response| match response {
        Ok(Response::Explanation(explanation)) => explanation,
        other => panic!("{other:?}"),
    };
    let why = explained(house.owner(about("guest")));
    assert_eq!((why.allowed, why.words.as_str()), (false, "guest may not ring bell of home/lamp: no rule allows it"));
    assert_eq!(house.ask(&metaverse(GUEST), &about("owner")).unwrap_err().code, RefusalCode::Forbidden);
    assert_eq!(house.owner(about("nobody")).unwrap_err().code, RefusalCode::NotFound);
    let mine = explained(house.ask(&metaverse(GUEST), &about("guest")));
    assert_eq!(mine, why, "about oneself anybody may ask");
    let lease = Request::Explain(Inquiry { user: None, what: Wanted::Lease { twin: lamp() } });
    let why = explained(house.owner(lease.clone()));
    assert_eq!((why.allowed, why.priority), (true, 100));
    assert!(why.words.contains("everyone with the role owner may manage all twins"), "{}", why.words);
    let why = explained(house.ask(&metaverse(GUEST), &lease));
    assert_eq!((why.allowed, why.priority, why.rule), (false, 0, None));
    let manage = explained(house.owner(Request::Explain(Inquiry { user: None, what: Wanted::Manage })));
    assert_eq!(manage.rule, Some(RuleId::slug("owners-everything")));
}

#[test]
fn what_waited_is_not_done_for_whoever_lost_the_right() {
    for loses in [false, true] {
        let mut house = House::with_lamp();
        let may = Rule {
            id: RuleId::slug("guest-rings"),
            who: Subject::User(UserId::slug(GUEST_ROLE)),
            twins: TwinSelector::Twin(lamp()),
            feature: None,
            right: Right::ActAny,
            effect: RuleEffect::Allow,
            until: None,
            priority: None,
        };
        house.owner(Request::SetRule(may)).unwrap();
        house.disconnect();
        let command = house.command("bell", "ring");
        house.ask(&metaverse(GUEST), &Request::Actuate(command.clone())).unwrap();
        if loses {
            house.owner(Request::RemoveUser(UserId::slug(GUEST_ROLE))).unwrap();
        }
        house.reachable();
        assert_eq!(house.executed.len(), usize::from(!loses));
        assert_eq!(matches!(house.status(command.id), CommandStatus::Failed { .. }), loses);
    }
}

#[test]
fn the_last_owner_does_not_pair_themselves_away() {
    let mut house = House::empty();
    let offer = Offer::new(RoleId::slug(GUEST_ROLE));
    let refusal = pair(&house.state, house.now, &Identity::Certificate(OWNER), &offer, "again").unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Conflict, "{refusal}");
    let another = house.opened(&metaverse(OWNER), OWNER_ROLE, None).unwrap();
    house.joins(TABLET, &another);
    assert!(pair(&house.state, house.now, &Identity::Certificate(OWNER), &offer, "again").is_ok());
}
