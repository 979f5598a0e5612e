//! DTSR: who may register what.

use super::*;

#[test]
fn a_system_id_belongs_to_who_registered_it_first() {
    let mut house = House::with_lamp();
    let certificate = Fingerprint([5; 32]);
    let actor = Actor::greeted(Identity::Certificate(certificate), Party::TwinSystem);
    let register = Request::Dii(DiiUp::Register(system_info()));
    assert_eq!(house.ask(&actor, &register).unwrap_err().code, RefusalCode::Unauthenticated);
    let roles = |role: &str| vec![RoleId::slug(role)];
    let join = |house: &mut House, role: &str| {
        let decision = enroll(&house.state, certificate, &UserId::slug("garden"), &roles(role), "x").unwrap();
        house.act(decision);
    };
    join(&mut house, GUEST_ROLE);
    assert_eq!(house.ask(&actor, &register).unwrap_err().code, RefusalCode::Forbidden);
    join(&mut house, TWIN_SYSTEM_ROLE);
    let error = house.ask(&actor, &register).unwrap_err();
    assert_eq!(error.code, RefusalCode::Conflict);
    assert!(error.message.contains("choose another id"), "{error}");
    let garden = SystemInfo { id: SystemId::slug("garden"), ..system_info() };
    assert!(house.ask(&actor, &Request::Dii(DiiUp::Register(garden))).is_ok());
}

#[test]
fn a_twin_belongs_to_its_system_and_to_one_thing() {
    let mut house = House::with_lamp();
    let lines = house.log.len();
    house.say(DiiUp::Describe(Box::new(lamp_info()))).unwrap();
    assert_eq!(house.log.len(), lines, "the same description writes nothing");
    let mut other = lamp_info();
    other.id = TwinId::new("garden/lamp").unwrap();
    assert_eq!(house.say(DiiUp::Describe(Box::new(other))).unwrap_err().code, RefusalCode::Forbidden);
    let mut second = lamp_info();
    second.physical_ids[0].value = "02:01".to_owned();
    let error = house.say(DiiUp::Describe(Box::new(second.clone()))).unwrap_err();
    assert_eq!(error.code, RefusalCode::Conflict);
    assert!(error.message.contains("mac 02:00") && error.message.contains("mac 02:01"), "{error}");
    house.say(DiiUp::Gone(lamp())).unwrap();
    house.say(DiiUp::Describe(Box::new(second))).unwrap();
    assert_eq!(house.say(DiiUp::Gone(TwinId::new("garden/lamp").unwrap())).unwrap_err().code, RefusalCode::Forbidden);
}

#[test]
fn a_changed_description_keeps_what_is_known() {
    let mut house = House::with_lamp();
    house.order("light", "turn_on");
    let epoch = house.state.twins[&lamp()].epoch;
    let mut info = lamp_info();
    info.name = "Lamp by the window".to_owned();
    info.features.remove(&FeatureId::slug("dimmer"));
    house.say(DiiUp::Describe(Box::new(info))).unwrap();
    assert_eq!(house.state.twins[&lamp()].epoch, epoch + 1);
    assert_eq!(house.truth("light"), Truth::Pending);
    house.report("light", Value::Bool(true), 2);
    assert_eq!(house.truth("light"), Truth::Live);
    house.restart();
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut house = House::empty();
    assert_eq!(house.say(DiiUp::Describe(Box::new(lamp_info()))).unwrap_err().code, RefusalCode::Invalid);
    let shop = SystemInfo { kind: SystemKind::ThirdParty, ..system_info() };
    assert_eq!(house.say(DiiUp::Register(shop)).unwrap_err().code, RefusalCode::Invalid);
    let other = SystemInfo { id: SystemId::slug("other"), ..system_info() };
    assert_eq!(house.say(DiiUp::Register(other)).unwrap_err().code, RefusalCode::Forbidden);
    house.connect();
    let mut large = lamp_info();
    large.problems = vec![FeatureProblem { feature: "x".to_owned(), message: "y".repeat(4_000) }; 20];
    assert_eq!(house.say(DiiUp::Describe(Box::new(large))).unwrap_err().code, RefusalCode::Invalid);
    let unknown = DiiUp::Reachable { twin: lamp(), feature: None, reachable: true };
    assert_eq!(house.say(unknown).unwrap_err().code, RefusalCode::NotFound);
}

#[test]
fn happenings_are_told_as_they_were_described() {
    let mut house = House::with_lamp();
    let mut press = vestibule_protocol::Occurrence {
        twin: lamp(),
        feature: FeatureId::slug("bell"),
        event: EventKind::slug("press"),
        details: BTreeMap::new(),
        at: Timestamp(u64::MAX),
    };
    let observed = observe(&house.state, &mut house.hot, house.now, &home(), &DiiUp::Occurred(press.clone())).unwrap();
    assert_eq!(observed.changes.occurred[0].at, house.now);
    press.event = EventKind::slug("explode");
    assert_eq!(house.say(DiiUp::Occurred(press)).unwrap_err().code, RefusalCode::NotFound);
}

#[test]
fn a_twin_cannot_talk_more_than_fits_a_frame() {
    let mut house = House::empty();
    house.connect();
    let mut info = TwinInfo::new(lamp(), "Talker");
    let mut feature = lamp_info().features[&FeatureId::slug("bell")].clone();
    let names = (0..300).map(|n| PropertyId::slug(&format!("p{n}"))).collect::<Vec<_>>();
    feature.properties =
        names.iter().map(|id| (id.clone(), PropertyInfo::new(ValueType::Text { max: 4_000 }))).collect();
    feature.actions.clear();
    info.features.insert(FeatureId::slug("f"), feature);
    house.say(DiiUp::Describe(Box::new(info))).unwrap();
    let say = |house: &mut House, name: &PropertyId, revision| {
        let (property, value) = (name.clone(), Value::Text("x".repeat(4_000)));
        house.say(DiiUp::Report(Report {
            twin: lamp(),
            feature: FeatureId::slug("f"),
            property,
            value: Some(value),
            at: Some(house.now),
            fresh: true,
            revision,
        }))
    };
    let taken = names.iter().filter(|name| say(&mut house, name, 1).is_ok()).count();
    assert_eq!(taken, 131);
    assert!(say(&mut house, &names[0], 2).is_ok(), "another text in the place of one");
    assert_eq!(say(&mut house, &names[299], 2).unwrap_err().code, RefusalCode::Overloaded);
}
