//! DTAC, DTIA and DTSD: who sees and does what, and which rule says so.

use super::*;

fn rule(id: &str, who: Subject, feature: Option<&str>, right: Right, effect: RuleEffect) -> Rule {
    let twins = TwinSelector::Twin(lamp());
    let feature = feature.map(FeatureId::slug);
    Rule { id: RuleId::slug(id), who, twins, feature, right, effect, until: None, priority: None }
}

fn guests() -> Subject {
    Subject::Role(RoleId::slug(GUEST_ROLE))
}

impl House {
    fn set(&mut self, rule: Rule) {
        self.ask(&metaverse(OWNER), &Request::SetRule(rule)).unwrap();
    }

    fn guest_acts(&mut self, feature: &str, action: &str) -> Result<(), Refusal> {
        let command = self.command(feature, action);
        self.ask(&metaverse(GUEST), &Request::Actuate(command)).map(|_| ())
    }

    fn guest_sees(&mut self) -> Vec<vestibule_protocol::TwinView> {
        let request = Request::ListTwins { system: home(), after: None, limit: 0 };
        match self.ask(&metaverse(GUEST), &request).unwrap() {
            Response::Twins(views) => views,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_table_of_permission() {
    let deny = RuleEffect::Deny;
    let allow = RuleEffect::Allow;
    let ada = Subject::User(UserId::slug(GUEST_ROLE));
    let turn_on = || Right::Act(ActionId::slug("turn_on"));
    // rules beyond the defaults; may the guest turn on the light; turn it off; which rule says so of the first
    type Row = (Vec<Rule>, bool, bool, Option<&'static str>);
    let table: Vec<Row> = vec![
        (vec![], false, false, None),
        (vec![rule("on", guests(), Some("light"), turn_on(), allow)], true, false, Some("on")),
        (vec![rule("any", ada.clone(), None, Right::ActAny, allow)], true, true, Some("any")),
        (
            vec![
                rule("any", ada.clone(), None, Right::ActAny, allow),
                rule("no", guests(), Some("light"), turn_on(), deny),
            ],
            false,
            true,
            Some("no"),
        ),
        (
            vec![
                rule("any", Subject::Anyone, None, Right::ActAny, allow),
                rule("blind", guests(), None, Right::Read, deny),
            ],
            false,
            false,
            Some("blind"),
        ),
        (vec![rule("other", ada, Some("siren"), Right::ActAny, allow)], false, false, None),
    ];
    for (number, (rules, on, off, said)) in table.into_iter().enumerate() {
        let mut house = House::with_lamp();
        rules.into_iter().for_each(|rule| house.set(rule));
        let refused = house.guest_acts("light", "turn_on").err();
        assert_eq!(refused.is_none(), on, "row {number}: {refused:?}");
        assert_eq!(house.guest_acts("light", "turn_off").is_ok(), off, "row {number}");
        let (feature, action) = (FeatureId::slug("light"), ActionId::slug("turn_on"));
        let what = Wanted::Act { twin: lamp(), feature, action };
        let said_why = match house.ask(&metaverse(GUEST), &Request::Explain(Inquiry { user: None, what })).unwrap() {
            Response::Explanation(explanation) => explanation,
            other => panic!("{other:?}"),
        };
        assert_eq!((said_why.allowed, said_why.rule), (on, said.map(RuleId::slug)), "row {number}");
        if let Some(refusal) = refused {
            assert_eq!(refusal.code, RefusalCode::Forbidden);
            assert_eq!(refusal.rule, said.map(RuleId::slug), "row {number}: the refusal names what explain names");
            assert_eq!(refusal.message.contains("no rule allows it"), said.is_none(), "row {number}: {refusal}");
        }
    }
}

#[test]
fn a_world_shaped_by_permission() {
    let mut house = House::with_lamp();
    let views = house.guest_sees();
    assert_eq!(views.len(), 1);
    assert!(views[0].info.features.values().all(|feature| feature.actions.is_empty()), "guests see and do nothing");
    house.set(rule("ring", guests(), Some("bell"), Right::ActAny, RuleEffect::Allow));
    house.set(rule("private", guests(), Some("light"), Right::Read, RuleEffect::Deny));
    let views = house.guest_sees();
    let features: Vec<_> = views[0].info.features.keys().map(FeatureId::as_str).collect();
    assert_eq!(features, ["bell", "dimmer", "siren"], "what they may not read is not there");
    assert_eq!(views[0].readings.len(), 2, "one reading for each property that is there");
    let bell = &views[0].access[&FeatureId::slug("bell")];
    assert_eq!(bell.act[&ActionId::slug("ring")], RuleId::slug("ring"), "the rule that admits is named");
    house.set(rule("gone", guests(), None, Right::Read, RuleEffect::Deny));
    assert!(house.guest_sees().is_empty());
    let hidden = house.ask(&metaverse(GUEST), &Request::DescribeTwin(lamp())).unwrap_err();
    assert_eq!((hidden.code, hidden.rule), (RefusalCode::Forbidden, Some(RuleId::slug("gone"))));
    assert_eq!(house.ask(&metaverse(GUEST), &Request::Refresh(lamp())).unwrap_err().code, RefusalCode::Forbidden);
    let found =
        |house: &mut House, who| match house.ask(&metaverse(who), &Request::DiscoverSystems(SystemQuery::default())) {
            Ok(Response::Systems(views)) => views.len(),
            other => panic!("{other:?}"),
        };
    assert_eq!((found(&mut house, GUEST), found(&mut house, OWNER)), (1, 1), "the house stands, whatever it hides");
    let hidden =
        Rule { twins: TwinSelector::System(home()), ..rule("away", guests(), None, Right::Read, RuleEffect::Deny) };
    house.set(hidden);
    assert_eq!((found(&mut house, GUEST), found(&mut house, OWNER)), (0, 1));
}

#[test]
fn systems_are_found_by_what_they_are() {
    let mut house = House::with_lamp();
    let mut find = |query: SystemQuery| match house.ask(&metaverse(GUEST), &Request::DiscoverSystems(query)) {
        Ok(Response::Systems(views)) => !views.is_empty(),
        other => panic!("{other:?}"),
    };
    let query = SystemQuery::default;
    assert!(find(query()));
    assert!(find(SystemQuery { text: Some("HOM".to_owned()), ..query() }));
    assert!(!find(SystemQuery { text: Some("shop".to_owned()), ..query() }));
    assert!(find(SystemQuery { feature: Some(FeatureKind::Light), online: Some(true), ..query() }));
    assert!(!find(SystemQuery { feature: Some(FeatureKind::Camera), ..query() }));
    assert!(!find(SystemQuery { kind: Some(SystemKind::ThirdParty), ..query() }));
    assert!(!find(SystemQuery { online: Some(false), ..query() }));
    assert!(!find(SystemQuery { properties: BTreeMap::from([("floor".to_owned(), "2".to_owned())]), ..query() }));
    assert!(!find(SystemQuery { after: Some(home()), ..query() }));
}

#[test]
fn only_owners_change_rules_and_the_last_one_stays() {
    let mut house = House::with_lamp();
    for request in [
        Request::Rules,
        Request::SetRule(rule("x", Subject::Anyone, None, Right::Manage, RuleEffect::Allow)),
        Request::RemoveRule(RuleId::slug("guests-see")),
        Request::Log { after: 0, limit: 0 },
    ] {
        let error = house.ask(&metaverse(GUEST), &request).unwrap_err();
        assert_eq!(error.code, RefusalCode::Forbidden, "{request:?}");
        assert!(error.message.contains("no rule lets them"), "{error}");
    }
    let owner = metaverse(OWNER);
    let everything = RuleId::slug("owners-everything");
    let error = house.ask(&owner, &Request::RemoveRule(everything.clone())).unwrap_err();
    assert_eq!((error.code, error.rule), (RefusalCode::Conflict, Some(everything.clone())));
    let mut deny = rule("no-owners", Subject::Anyone, None, Right::Manage, RuleEffect::Deny);
    deny.twins = TwinSelector::All;
    assert_eq!(house.ask(&owner, &Request::SetRule(deny)).unwrap_err().code, RefusalCode::Conflict);
    let mut second = rule("guest-too", guests(), None, Right::Manage, RuleEffect::Allow);
    second.twins = TwinSelector::All;
    house.set(second);
    house.ask(&owner, &Request::RemoveRule(everything)).unwrap();
    assert_eq!(house.ask(&owner, &Request::Rules).unwrap_err().code, RefusalCode::Forbidden, "not an owner any more");
    assert!(house.ask(&metaverse(GUEST), &Request::Rules).is_ok());
    let lines = house.log.len();
    let same = house.state.rules[&RuleId::slug("guest-too")].clone();
    house.ask(&metaverse(GUEST), &Request::SetRule(same)).unwrap();
    assert_eq!(house.log.len(), lines, "what does not change is not written");
}

#[test]
fn a_new_device_never_becomes_somebody_else_by_its_name() {
    let mut house = House::empty();
    let role = Offer::new(RoleId::slug(GUEST_ROLE));
    let mut join = |certificate: u8, name: &str| {
        let identity = Identity::Certificate(Fingerprint([certificate; 32]));
        let decision = pair(&house.state, house.now, &identity, &role, name).unwrap();
        match house.act(decision) {
            Some(Response::Paired { user, .. }) => user.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(join(7, "owner"), "owner-2");
    assert_eq!(join(8, "Ada's headset"), "Ada_s_headset");
    assert_eq!(join(8, "another name"), "Ada_s_headset", "who pairs again stays who they were");
    assert!(pair(&house.state, house.now, &Identity::Local(home()), &role, "x").is_err());
}
