//! DTSR and TPSR: whose an id is, how systems go, what their own rules take.

use vestibule_protocol::InquiryAnswer;

use super::*;
use crate::sif::tpsr;

/// A paired certificate with this role, as it connects.
fn paired(house: &mut House, number: u8, role: &str) -> Actor {
    let certificate = Fingerprint([number; 32]);
    let user = UserId::slug(&format!("{role}-{number}"));
    let decision = enroll(&house.state, certificate, &user, &[RoleId::slug(role)], "x").unwrap();
    house.act(decision);
    Actor::greeted(Identity::Certificate(certificate), Party::TwinSystem)
}

fn shop(id: &str) -> SystemInfo {
    let mut info = SystemInfo::new(SystemId::slug(id), SystemKind::ThirdParty, "A shop");
    let order = ServiceInfo { needs: ["address".to_owned()].into(), ..ServiceInfo::new("Order") };
    info.services.insert(ServiceId::slug("order"), order);
    info
}

fn register(house: &mut House, actor: &Actor, info: &SystemInfo) -> Result<(), Refusal> {
    let decision = tpsr::register(&house.state, &house.hot, house.now, actor, info)?;
    house.committed(decision.events);
    Ok(())
}

fn owner_removes(house: &mut House, system: &SystemId) {
    house.ask(&metaverse(OWNER), &Request::RemoveSystem(system.clone())).unwrap();
}

#[test]
fn third_parties_register_as_such_and_shadow_nobody() {
    let mut house = House::with_lamp();
    let (mine, theirs) = (paired(&mut house, 10, THIRD_PARTY_ROLE), paired(&mut house, 11, THIRD_PARTY_ROLE));
    let twins = paired(&mut house, 12, TWIN_SYSTEM_ROLE);
    assert_eq!(register(&mut house, &twins, &shop("shop")).unwrap_err().code, RefusalCode::Forbidden);
    register(&mut house, &mine, &shop("shop")).unwrap();
    let lines = house.log.len();
    register(&mut house, &mine, &shop("shop")).unwrap();
    assert_eq!(house.log.len(), lines, "the same again writes nothing");
    assert_eq!(register(&mut house, &theirs, &shop("shop")).unwrap_err().code, RefusalCode::Conflict);
    assert_eq!(
        register(&mut house, &mine, &shop("home")).unwrap_err().code,
        RefusalCode::Conflict,
        "a twin system's id"
    );
    let twin_system = SystemInfo { kind: SystemKind::DigitalTwin, ..shop("x") };
    assert_eq!(register(&mut house, &mine, &twin_system).unwrap_err().code, RefusalCode::Invalid);
    let bad = SystemInfo { heartbeat_ms: u64::MAX, ..shop("x") };
    assert_eq!(register(&mut house, &mine, &bad).unwrap_err().code, RefusalCode::Invalid);
    house.restart();
}

#[test]
fn whoever_goes_keeps_their_id_until_an_owner_frees_it() {
    let mut house = House::empty();
    let (mine, theirs) = (paired(&mut house, 10, THIRD_PARTY_ROLE), paired(&mut house, 11, THIRD_PARTY_ROLE));
    register(&mut house, &mine, &shop("shop")).unwrap();
    let registered = Actor { system: Some(SystemId::slug("shop")), ..mine.clone() };
    let events = tpsr::deregister(&house.state, &registered).unwrap().events;
    house.committed(events);
    assert!(house.state.systems.is_empty());
    assert_eq!(register(&mut house, &theirs, &shop("shop")).unwrap_err().code, RefusalCode::Conflict);
    register(&mut house, &mine, &shop("shop")).unwrap();
    let guest = house.ask(&metaverse(GUEST), &Request::RemoveSystem(SystemId::slug("shop"))).unwrap_err();
    assert_eq!(guest.code, RefusalCode::Forbidden);
    owner_removes(&mut house, &SystemId::slug("shop"));
    register(&mut house, &theirs, &shop("shop")).unwrap();
    house.restart();
}

/// An enabler of before has spoken for a merchant that comes itself by now.
#[test]
fn who_comes_itself_takes_the_place_of_its_stand_in() {
    let mut house = House::empty();
    let (id, name) = (SystemId::slug("shop"), "shop");
    let stand_in = Actor::greeted(Identity::Local(id.clone()), Party::ThirdParty);
    register(&mut house, &stand_in, &shop(name)).unwrap();
    let (mine, theirs) = (paired(&mut house, 10, THIRD_PARTY_ROLE), paired(&mut house, 11, THIRD_PARTY_ROLE));
    let guest = paired(&mut house, 12, GUEST_ROLE);
    assert_eq!(register(&mut house, &mine, &shop(name)).unwrap_err().code, RefusalCode::Conflict, "nobody expects it");
    house.hot.expect([id.clone()].into());
    assert_eq!(register(&mut house, &guest, &shop(name)).unwrap_err().code, RefusalCode::Forbidden);
    register(&mut house, &mine, &shop(name)).unwrap();
    let known = &house.state.systems[&id];
    assert_eq!((&known.owner, house.state.systems_of(&stand_in.identity)), (&mine.identity, 0));
    let lines = house.log.len();
    register(&mut house, &mine, &shop(name)).unwrap();
    assert_eq!(house.log.len(), lines, "the same again writes nothing");
    for other in [&theirs, &stand_in] {
        let refusal = register(&mut house, other, &shop(name)).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::Conflict, "it is whose it is by now");
    }
    // Also where the stand-in had gone, and never where the name is a twin system's.
    let mut house = House::with_lamp();
    house.hot.expect([id.clone(), home()].into());
    register(&mut house, &stand_in, &shop(name)).unwrap();
    let registered = Actor { system: Some(id), ..stand_in };
    let events = tpsr::deregister(&house.state, &registered).unwrap().events;
    house.committed(events);
    let mine = paired(&mut house, 10, THIRD_PARTY_ROLE);
    register(&mut house, &mine, &shop(name)).unwrap();
    assert_eq!(register(&mut house, &mine, &shop("home")).unwrap_err().code, RefusalCode::Conflict);
    house.restart();
}

#[test]
fn nobody_is_called_as_the_enabler_s_own_system() {
    let mut house = House::empty();
    let (mine, twins) = (paired(&mut house, 10, THIRD_PARTY_ROLE), paired(&mut house, 11, TWIN_SYSTEM_ROLE));
    house.hot.expect([SystemId::slug(THINGS)].into());
    let refusal = register(&mut house, &mine, &shop(THINGS)).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Conflict);
    assert!(refusal.message.contains("choose another id"), "{refusal}");
    let itself = SystemInfo { id: SystemId::slug(THINGS), ..system_info() };
    assert_eq!(house.ask(&twins, &Request::Dii(DiiUp::Register(itself))).unwrap_err().code, RefusalCode::Conflict);
    assert!(house.state.systems.is_empty());
}

#[test]
fn one_certificate_does_not_take_all_places() {
    let mut house = House::empty();
    let (mine, theirs) = (paired(&mut house, 10, THIRD_PARTY_ROLE), paired(&mut house, 11, THIRD_PARTY_ROLE));
    let taken = (0..100).filter(|n| register(&mut house, &mine, &shop(&format!("s{n}"))).is_ok()).count();
    assert_eq!(taken, 64);
    assert_eq!(register(&mut house, &mine, &shop("one-more")).unwrap_err().code, RefusalCode::Overloaded);
    register(&mut house, &theirs, &shop("one-more")).unwrap();
    owner_removes(&mut house, &SystemId::slug("s3"));
    register(&mut house, &mine, &shop("again")).unwrap();
}

#[test]
fn a_system_takes_its_twins_and_commands_with_it() {
    let mut house = House::with_lamp();
    let order = house.order("light", "turn_on");
    house.say(DiiUp::Deregister).unwrap();
    assert!(house.state.twins.is_empty() && house.state.wishes.is_empty() && house.state.census(&home()).is_none());
    assert!(
        matches!(&house.state.commands[&order].status, CommandStatus::Failed { reason } if reason.contains("home"))
    );
    assert!(!house.hot.is_online(&home()) && house.hot.next_wakeup().is_none(), "nothing of it is left");
    assert_eq!(house.say(DiiUp::Describe(Box::new(lamp_info()))).unwrap_err().code, RefusalCode::NotFound);
    house.restart();
    house.connect();
    house.say(DiiUp::Describe(Box::new(lamp_info()))).unwrap();
    house.restart();
}

#[test]
fn guests_see_systems_and_use_nothing_until_a_rule_says_so() {
    let mut house = House::empty();
    let mine = paired(&mut house, 10, THIRD_PARTY_ROLE);
    register(&mut house, &mine, &shop("shop")).unwrap();
    let usable =
        |house: &mut House, who| match house.ask(&metaverse(who), &Request::DiscoverSystems(SystemQuery::default())) {
            Ok(Response::Systems(views)) => views.iter().map(|view| view.usable.clone()).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
    let order = ServiceId::slug("order");
    assert_eq!(usable(&mut house, GUEST), [BTreeMap::new()]);
    assert_eq!(usable(&mut house, OWNER)[0][&order], RuleId::slug("owners-everything"));
    let guest = house.viewer(GUEST);
    let shop = SystemId::slug("shop");
    let refusal = may_use(&house.state, &guest, &shop, &order).unwrap_err();
    assert!(refusal.code == RefusalCode::Forbidden && refusal.message.contains("use order of shop"), "{refusal}");
    let rule = |id: &str, right, effect| Rule {
        id: RuleId::slug(id),
        who: Subject::Role(RoleId::slug(GUEST_ROLE)),
        twins: TwinSelector::System(shop.clone()),
        right,
        effect,
        ..Rule::clone(&house.state.rules[&RuleId::slug("guests-see")])
    };
    let rules =
        [rule("order", Right::Use(order.clone()), RuleEffect::Allow), rule("no", Right::Read, RuleEffect::Deny)];
    house.ask(&metaverse(OWNER), &Request::SetRule(rules[0].clone())).unwrap();
    assert_eq!(may_use(&house.state, &guest, &shop, &order), Ok(RuleId::slug("order")));
    assert!(may_use(&house.state, &guest, &shop, &ServiceId::slug("cancel")).is_err());
    house.ask(&metaverse(OWNER), &Request::SetRule(rules[1].clone())).unwrap();
    assert_eq!(may_use(&house.state, &guest, &shop, &order).unwrap_err().rule, Some(RuleId::slug("no")));
    assert!(usable(&mut house, GUEST).is_empty(), "what may not be seen may not be used");
}

fn tell(house: &mut House, info: TwinInfo, permission: TwinPermission) -> Result<(), Refusal> {
    let (actor, user) = (house.system.clone(), UserId::slug(GUEST_ROLE));
    let answer = InquiryAnswer::Twin { info: Box::new(info), permission };
    let decision = inquired(&house.state, &actor, (&lamp(), &user), InquiryId(1), &answer)?;
    house.committed(decision.events);
    Ok(())
}

#[test]
fn a_system_s_own_rules_take_and_never_give() {
    let mut house = House::with_lamp();
    let guest = house.viewer(GUEST);
    let light = FeatureId::slug("light");
    let reads = |house: &House, feature: &str| may_read(&house.state, &guest, &lamp(), Some(&FeatureId::slug(feature)));
    let only = TwinPermission::Only([(light.clone(), [ActionId::slug("turn_on")].into())].into());
    tell(&mut house, lamp_info(), only.clone()).unwrap();
    assert!(reads(&house, "light") && !reads(&house, "siren"));
    let act = Right::Act(ActionId::slug("turn_on"));
    assert!(may(&house.state, &guest, &lamp(), Some(&light), &act).is_err(), "it permits, and no rule gives it");
    let lines = house.log.len();
    tell(&mut house, lamp_info(), only).unwrap();
    assert_eq!(house.log.len(), lines, "the same again writes nothing");
    house.restart();
    tell(&mut house, lamp_info(), TwinPermission::Only(BTreeMap::new())).unwrap();
    let hidden = house.ask(&metaverse(GUEST), &Request::DescribeTwin(lamp())).unwrap_err();
    assert_eq!(hidden.rule, Some(RuleId::slug("rules-of:home")));
    assert!(house.ask(&metaverse(OWNER), &Request::DescribeTwin(lamp())).is_ok(), "it was about the guest");
    tell(&mut house, lamp_info(), TwinPermission::Unrestricted).unwrap();
    assert!(reads(&house, "siren"));
    let other = TwinInfo { id: TwinId::new("home/other").unwrap(), ..lamp_info() };
    assert_eq!(tell(&mut house, other, TwinPermission::Unrestricted).unwrap_err().code, RefusalCode::Invalid);
    let many = (0..300).map(|n| (FeatureId::slug(&format!("f{n}")), BTreeSet::new())).collect();
    assert_eq!(tell(&mut house, lamp_info(), TwinPermission::Only(many)).unwrap_err().code, RefusalCode::Invalid);
}

#[test]
fn a_twin_is_acquired_from_a_system_that_is_there() {
    let mut house = House::with_lamp();
    let ask = |house: &House, who, twin: &TwinId| {
        decide(&house.state, &house.hot, house.now, &metaverse(who), &Request::Acquire(twin.clone()))
    };
    let user = UserId::slug(GUEST_ROLE);
    let wanted = crate::Effect::Inquire { system: home(), twin: lamp(), user };
    assert_eq!(ask(&house, GUEST, &lamp()).unwrap().effects, [wanted]);
    let nobody = TwinId::new("home/nobody").unwrap();
    assert_eq!(ask(&house, GUEST, &nobody).unwrap_err().code, RefusalCode::NotFound);
    house.disconnect();
    assert_eq!(ask(&house, GUEST, &lamp()).unwrap_err().code, RefusalCode::Unavailable);
}
