//! TPSAA, DTDA and TSI: who agreed with whom, and what a system may know by it.

use super::*;

fn pseudonym_of(market: &Market, system: &SystemId) -> Pseudonym {
    pseudonym(&market.state, system, &UserId::slug(OWNER_ROLE)).unwrap()
}

fn shared(features: &[&str], standing: bool) -> Sharing {
    let features = features.iter().map(|feature| FeatureId::slug(feature)).collect();
    Sharing { standing, twins: [(lamp(), features)].into(), ..Sharing::default() }
}

fn acquire(market: &mut Market, system: &SystemId, call: Option<CallId>) -> Result<TwinView, Refusal> {
    let user = pseudonym_of(market, system);
    match market.say(system, SiiUp::Acquire { twin: lamp(), user, call })? {
        Response::Twins(mut views) => Ok(views.remove(0)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_user_has_another_name_at_each_system_and_none_that_tells() {
    let mut market = Market::new();
    let (one, two) = (pseudonym_of(&market, &shop()), pseudonym_of(&market, &kitchen()));
    assert_ne!(one, two, "two systems cannot tell that they speak of the same user");
    let question = market.propose(OWNER, &shop(), &Sharing::default()).unwrap().question(InquiryId(1));
    assert!(!format!("{question:?}").contains(OWNER_ROLE), "{question:?}");
    let named = market.propose(OWNER, &shop(), &Sharing { name: true, ..Sharing::default() }).unwrap();
    assert!(matches!(named.question(InquiryId(1)), SiiDown::Authorize { name: Some(_), .. }));
    let agreed = market.agree(&shop(), Sharing::default());
    assert_eq!((agreed.pseudonym, agreed.account.as_deref()), (one, Some("A-7")));
    assert!(market.hot.late_answers(&shop()) == 0 && market.state.agreements.len() == 1);
}

#[test]
fn nobody_gives_more_than_they_have_and_no_system_takes_more_than_it_was_asked_for() {
    let market = Market::new();
    let refused = |device, share: &Sharing| market.propose(device, &shop(), share).unwrap_err();
    let error = refused(GUEST, &Sharing::default());
    assert_eq!(error.code, RefusalCode::Forbidden, "no rule lets guests use services: {error}");
    let nowhere = TwinId::new("home/none").unwrap();
    let secret = Sharing { twins: [(nowhere, BTreeSet::new())].into(), ..Sharing::default() };
    assert!(market.propose(OWNER, &shop(), &secret).is_ok(), "owners may read whatever comes");
    let proposal = market.propose(OWNER, &shop(), &Sharing::default()).unwrap();
    let answer = |services: &[&str], until: Timestamp, account: Option<String>| {
        let answer = AuthorizationAnswer::Granted { services: super::services(services), until, account };
        proposal.agree(&market.state, market.now, &answer).map(|_| ()).map_err(|refusal| refusal.code)
    };
    let until = proposal.until;
    assert_eq!(answer(&["order"], until, None), Ok(()), "less may be granted");
    assert_eq!(answer(&["order", "cancel"], until, None), Err(RefusalCode::Invalid), "nobody asked for that");
    assert_eq!(answer(&[], until, None), Err(RefusalCode::Invalid));
    assert_eq!(answer(&["order"], until.plus(1), None), Err(RefusalCode::Invalid), "longer than was asked for");
    assert_eq!(answer(&["order"], market.now, None), Err(RefusalCode::Invalid));
    assert_eq!(answer(&["order"], until, Some("x".repeat(300))), Err(RefusalCode::Invalid));
    let no = AuthorizationAnswer::Refused { reason: "not you".to_owned() };
    let error = proposal.agree(&market.state, market.now, &no).unwrap_err();
    assert!(error.code == RefusalCode::Forbidden && error.message.contains("not you"), "{error}");
}

/// What the user shares, what they may read, what is asked: what the system gets.
#[test]
fn the_table_of_delegation() {
    let deny = |feature: Option<&str>| Rule {
        effect: RuleEffect::Deny,
        feature: feature.map(FeatureId::slug),
        ..match &default_rules()[0] {
            LogEvent::RuleSet { rule, .. } => Rule { id: RuleId::slug("no"), right: Right::Read, ..rule.clone() },
            other => panic!("{other:?}"),
        }
    };
    type Row = (Sharing, Option<Rule>, bool, Option<Vec<&'static str>>);
    let table: Vec<Row> = vec![
        // shared, a rule against it, for a running call; features that are told
        (shared(&[], true), None, false, Some(vec!["bell", "dimmer", "light", "siren"])),
        (shared(&["light"], true), None, false, Some(vec!["light"])),
        (shared(&["light"], false), None, false, None),
        (shared(&["light"], false), None, true, Some(vec!["light"])),
        (Sharing { standing: true, ..Sharing::default() }, None, true, None),
        (shared(&["light", "siren"], true), Some(deny(Some("siren"))), false, Some(vec!["light"])),
        (shared(&["light"], true), Some(deny(None)), false, None),
        (shared(&["light"], false), Some(deny(None)), true, None),
    ];
    for (number, (share, rule, for_call, told)) in table.into_iter().enumerate() {
        let mut market = Market::new();
        market.agree(&shop(), share);
        let call = for_call.then(|| market.begin(vec![step("a", &shop(), "look")]));
        if let Some(rule) = rule {
            market.commit(vec![LogEvent::RuleSet { rule, by: None }]);
        }
        let view = acquire(&mut market, &shop(), call);
        let found = view
            .as_ref()
            .ok()
            .map(|view| view.info.features.keys().map(|feature| feature.as_str().to_owned()).collect::<Vec<_>>());
        assert_eq!(found, told.map(|told| told.into_iter().map(str::to_owned).collect()), "row {number}: {view:?}");
        if let Ok(view) = view {
            assert_eq!(view.readings.len(), view.info.properties().count(), "row {number}");
            assert!(view.info.features.values().all(|feature| feature.actions.is_empty()), "row {number}");
            assert!(view.info.physical_ids.is_empty() && view.info.place.is_none(), "row {number}");
        }
    }
}

#[test]
fn delegated_rights_end_with_what_they_were_delegated_for() {
    let mut market = Market::agreed();
    market.agree(&shop(), shared(&["light"], false));
    let call = market.begin(vec![step("a", &shop(), "look"), step("b", &kitchen(), "look")]);
    assert!(acquire(&mut market, &shop(), Some(call)).is_ok());
    let lines = market.log.len();
    assert!(acquire(&mut market, &shop(), Some(call)).is_ok());
    assert_eq!(market.log.len(), lines, "asked again and again, it fills no log");
    assert!(acquire(&mut market, &kitchen(), Some(call)).is_err(), "its turn has not come, and nothing is shared");
    let other = market.begin(vec![step("a", &kitchen(), "look")]);
    assert!(acquire(&mut market, &shop(), Some(other)).is_err(), "another's call");
    market.done(&shop(), call, "a", false, "{}").unwrap();
    let error = acquire(&mut market, &shop(), Some(call)).unwrap_err();
    assert_eq!(error.code, RefusalCode::Forbidden, "its step is done: {error}");
    market.agree(&shop(), shared(&["light"], true));
    assert!(acquire(&mut market, &shop(), None).is_ok());
    market.pass(3_600_001);
    assert!(acquire(&mut market, &shop(), None).is_err(), "what was agreed has ended");
}

#[test]
fn either_side_takes_it_back_at_once() {
    for by_user in [true, false] {
        let mut market = Market::agreed();
        market.agree(&shop(), shared(&["light"], true));
        let call = market.begin(vec![step("a", &kitchen(), "reserve"), step("b", &shop(), "look")]);
        market.done(&kitchen(), call, "a", false, "{}").unwrap();
        let user = pseudonym_of(&market, &shop());
        if by_user {
            market.ask(&metaverse(OWNER), &Request::Deauthorize { system: shop() }).unwrap();
            assert!(market.told.contains(&(shop(), SiiDown::Revoked { user: user.clone() })));
        } else {
            market.say(&shop(), SiiUp::Revoke { user }).unwrap();
        }
        market.settle();
        assert!(acquire(&mut market, &shop(), None).is_err(), "by the user: {by_user}");
        assert_eq!(market.deauthorized, [(UserId::slug(OWNER_ROLE), shop())]);
        assert_eq!(market.steps(call)[&key("a")], StepStatus::Undoing, "what was done is taken back");
        let late = market.done(&shop(), call, "b", false, "{}").unwrap_err();
        assert_eq!(late.code, RefusalCode::Expired);
        market.done(&kitchen(), call, "a", true, "null").unwrap();
        assert!(
            matches!(market.status(call), CallStatus::Failed { kept, .. } if kept.is_empty() || kept == [key("b")])
        );
        let again = market.call(vec![step("a", &shop(), "look")]);
        assert_eq!(market.invoke(&again).unwrap_err().code, RefusalCode::Forbidden);
    }
}

#[test]
fn a_third_party_asks_nothing_else_and_speaks_for_nobody_else() {
    let mut market = Market::agreed();
    let actor = market.system(&shop());
    for request in [
        Request::DescribeTwin(lamp()),
        Request::Rules,
        Request::Authorizations,
        Request::Dii(DiiUp::Heartbeat),
        Request::Refresh(lamp()),
    ] {
        assert_eq!(market.ask(&actor, &request).unwrap_err().code, RefusalCode::Forbidden, "{request:?}");
    }
    let sii = Request::Sii(SiiUp::Heartbeat);
    assert_eq!(market.ask(&metaverse(OWNER), &sii).unwrap_err().code, RefusalCode::Forbidden);
    let twins = Actor::greeted(Identity::Local(home()), Party::TwinSystem);
    assert_eq!(market.ask(&twins, &sii).unwrap_err().code, RefusalCode::Forbidden);
    let mut unregistered = actor;
    unregistered.system = None;
    assert_eq!(market.ask(&unregistered, &sii).unwrap_err().code, RefusalCode::Invalid);
    // The pseudonym that another system has for the user opens nothing.
    let theirs = pseudonym_of(&market, &kitchen());
    let stolen = SiiUp::Acquire { twin: lamp(), user: theirs, call: None };
    assert_eq!(market.say(&shop(), stolen).unwrap_err().code, RefusalCode::NotFound);
    let call = market.begin(vec![step("a", &kitchen(), "order")]);
    let shadow = market.done(&shop(), call, "a", false, "{}").unwrap_err();
    assert_eq!(shadow.code, RefusalCode::NotFound, "{shadow}");
    assert_eq!(market.steps(call)[&key("a")], StepStatus::Running);
}

const ANN: Fingerprint = Fingerprint([21; 32]);
const TABLET: Fingerprint = Fingerprint([22; 32]);

fn enrolled(market: &mut Market, device: Fingerprint) {
    let decision = enroll(&market.state, device, &UserId::slug("ann"), &[RoleId::slug(OWNER_ROLE)], "x").unwrap();
    market.commit(decision.events);
}

#[test]
fn what_a_removed_user_agreed_and_began_ends_with_them_and_is_nobody_elses() {
    let mut market = Market::new();
    enrolled(&mut market, ANN);
    let ann = UserId::slug("ann");
    let before = market.agree_as(ANN, &shop(), shared(&["light"], true)).pseudonym;
    market.agree_as(ANN, &kitchen(), Sharing::default());
    let done = market.call(vec![step("a", &kitchen(), "look")]);
    market.invoke_as(ANN, &done).unwrap();
    market.done(&kitchen(), done.id, "a", false, "{}").unwrap();
    let open = market.call(vec![step("a", &kitchen(), "reserve"), step("b", &shop(), "look")]);
    market.invoke_as(ANN, &open).unwrap();
    market.done(&kitchen(), open.id, "a", false, "{}").unwrap();
    let only = TwinPermission::Only(BTreeMap::new());
    market.commit(vec![LogEvent::PermissionTold { twin: lamp(), user: ann.clone(), permission: only }]);
    assert!(market.state.permission(&lamp(), &ann).is_some());
    market.told.clear();

    market.ask(&metaverse(OWNER), &Request::RemoveUser(ann.clone())).unwrap();
    market.settle();
    assert!(market.state.agreements.is_empty() && market.state.permission(&lamp(), &ann).is_none());
    assert!(market.told.contains(&(shop(), SiiDown::Revoked { user: before.clone() })), "{:?}", market.told);
    let acquire = SiiUp::Acquire { twin: lamp(), user: before.clone(), call: None };
    assert_eq!(market.say(&shop(), acquire).unwrap_err().code, RefusalCode::NotFound);
    let updates = market.updates.len();

    // Somebody new with the same name is somebody else: to systems, and to what was begun before.
    market.now = market.now.plus(1);
    enrolled(&mut market, ANN);
    for call in [done.id, open.id] {
        let look = market.ask(&metaverse(ANN), &Request::Call(call));
        assert_eq!(look.unwrap_err().code, RefusalCode::NotFound, "what was begun is nobody's");
    }
    let after = market.agree_as(ANN, &shop(), Sharing::default()).pseudonym;
    assert_ne!(before, after);
    let undo = market.invoked();
    let undo = undo.iter().find(|asked| asked.undo).unwrap();
    assert_eq!((undo.step.as_str(), undo.account.as_deref()), ("a", Some("A-7")), "what was done is taken back");
    market.done(&kitchen(), open.id, "a", true, "null").unwrap();
    assert!(market.state.calls.is_empty() && market.state.open_calls.is_empty());
    assert_eq!(market.updates.len(), updates, "nobody is told of it");
}

#[test]
fn what_a_lost_device_agreed_and_began_ends_and_what_another_did_stays() {
    let mut market = Market::new();
    enrolled(&mut market, ANN);
    enrolled(&mut market, TABLET);
    market.agree_as(ANN, &shop(), Sharing::default());
    market.agree_as(TABLET, &kitchen(), Sharing::default());
    let lost = market.call(vec![step("a", &kitchen(), "look")]);
    market.invoke_as(ANN, &lost).unwrap();
    let kept = market.call(vec![step("a", &kitchen(), "look")]);
    market.invoke_as(TABLET, &kept).unwrap();
    market.ask(&metaverse(OWNER), &Request::RevokeDevice(ANN)).unwrap();
    market.settle();
    let systems: Vec<&SystemId> = market.state.agreements.keys().map(|(system, _)| system).collect();
    assert_eq!(systems, [&kitchen()]);
    assert!(matches!(market.status(lost.id), CallStatus::Failed { .. }), "{:?}", market.status(lost.id));
    assert_eq!(market.status(kept.id), CallStatus::Running);
    assert_eq!(market.deauthorized, [(UserId::slug("ann"), shop())], "their other devices hear of it");
}

/// The shop as it is, for a charge and with a promise.
fn offers(charge: Option<(u64, &str, ChargePer)>, availability: Option<u16>) -> SystemInfo {
    let charge = charge.map(|(amount, currency, per)| Charge { amount, currency: currency.parse().unwrap(), per });
    let level = ServiceLevel { availability_permille: availability, ..ServiceLevel::default() };
    SystemInfo { charge, level, ..info(&shop()) }
}

fn register(market: &mut Market, info: SystemInfo) {
    market.say(&shop(), SiiUp::Register(Box::new(info))).unwrap();
}

/// Whether the owner may have the shop look: the reason why not.
fn looks(market: &mut Market) -> Result<(), String> {
    let call = market.call(vec![step("only", &shop(), "look")]);
    market.invoke(&call).map(drop).map_err(|refusal| {
        assert_eq!(refusal.code, RefusalCode::Forbidden, "{refusal}");
        refusal.message
    })
}

#[test]
fn what_costs_more_than_was_agreed_is_agreed_anew() {
    let mut market = Market::new();
    let price = Some((250, "EUR", ChargePer::Item));
    register(&mut market, offers(price, None));
    market.agree(&shop(), Sharing::default());
    for fair in [price, Some((249, "EUR", ChargePer::Item)), Some((0, "USD", ChargePer::Month)), None] {
        register(&mut market, offers(fair, None));
        assert_eq!(looks(&mut market), Ok(()), "{fair:?}");
    }
    for dear in [(251, "EUR", ChargePer::Item), (1, "USD", ChargePer::Item), (1, "EUR", ChargePer::Month)] {
        register(&mut market, offers(Some(dear), None));
        let reason = looks(&mut market).unwrap_err();
        assert!(reason.contains("2.50 EUR each") && reason.contains("authorize it again"), "{reason}");
    }
    market.kill();
    assert!(looks(&mut market).is_err(), "a restart makes nothing cheaper");
    // The old price is what was agreed, whatever was asked meanwhile.
    register(&mut market, offers(price, None));
    assert_eq!(looks(&mut market), Ok(()));
    // One service alone becomes dearer: the others stay as they were.
    let mut one = offers(price, None);
    let order = one.services.get_mut(&ServiceId::slug("order")).unwrap();
    order.charge = Some(Charge { amount: 300, currency: "EUR".parse().unwrap(), per: ChargePer::Item });
    register(&mut market, one);
    assert_eq!(looks(&mut market), Ok(()));
    let call = market.call(vec![step("only", &shop(), "order")]);
    assert_eq!(market.invoke(&call).unwrap_err().code, RefusalCode::Forbidden);
    market.agree(&shop(), Sharing::default());
    market.invoke(&call).unwrap();
}

#[test]
fn whoever_promises_less_than_was_agreed_is_agreed_with_anew() {
    let mut market = Market::new();
    register(&mut market, offers(None, Some(990)));
    market.agree(&shop(), Sharing::default());
    for less in [Some(989), None] {
        register(&mut market, offers(None, less));
        let reason = looks(&mut market).unwrap_err();
        assert!(reason.contains("availability"), "{reason}");
    }
    register(&mut market, offers(None, Some(999)));
    assert_eq!(looks(&mut market), Ok(()));
    register(&mut market, offers(Some((1, "EUR", ChargePer::Call)), Some(999)));
    assert!(looks(&mut market).unwrap_err().contains("nothing was agreed"));
    market.agree(&shop(), Sharing::default());
    assert_eq!(looks(&mut market), Ok(()));
}

#[test]
fn a_price_that_rises_while_somebody_agrees_is_not_agreed() {
    let mut market = Market::new();
    register(&mut market, offers(Some((250, "EUR", ChargePer::Item)), None));
    let proposal = market.propose(OWNER, &shop(), &Sharing::default()).unwrap();
    register(&mut market, offers(Some((9_900, "EUR", ChargePer::Item)), None));
    let services = proposal.services.clone();
    let answer = AuthorizationAnswer::Granted { services, until: proposal.until, account: None };
    let refusal = proposal.agree(&market.state, market.now, &answer).unwrap_err();
    assert!(refusal.code == RefusalCode::Forbidden && refusal.message.contains("99.00 EUR"), "{refusal}");
}

#[test]
fn a_price_that_rises_during_a_call_stops_it_before_the_dear_step() {
    let mut market = Market::agreed();
    let call = market.call(vec![step("first", &kitchen(), "reserve"), step("second", &shop(), "order")]);
    market.invoke(&call).unwrap();
    market.settle();
    register(&mut market, offers(Some((100, "EUR", ChargePer::Call)), None));
    let first =
        SiiUp::Result { call: call.id, step: key("first"), undo: false, result: CallResult::Done(Answer::new("1")) };
    market.say(&kitchen(), first).unwrap();
    market.settle();
    let asked = |system: &SystemId, told: &(SystemId, SiiDown)| matches!(&told.1, SiiDown::Invoke(one) if told.0 == *system && one.call == call.id);
    assert!(!market.told.iter().any(|told| asked(&shop(), told)), "the shop was asked");
    let undone = market.told.iter().any(|told| matches!(&told.1, SiiDown::Invoke(one) if one.undo));
    assert!(undone, "what was done before is taken back: {:?}", market.told);
}
