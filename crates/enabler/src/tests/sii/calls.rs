//! SDC: calls over several systems, step by step.

use super::*;

fn transforms(json: &str) -> Vec<Transform> {
    serde_json::from_str(json).unwrap()
}

#[test]
fn each_step_is_given_what_those_before_gave() {
    let mut market = Market::agreed();
    let mut second = step("pay", &kitchen(), "order");
    second.input = transforms(
        r#"[
            {"copy": {"from": {"of": {"step": "find"}, "at": "/offer/price"}, "to": "/amount"}},
            {"write": {"at": "/amount", "shape": {"minor": {"digits": 2}}}},
            {"copy": {"from": {"of": "input", "at": "/count"}, "to": "/orderCount"}},
            {"rename": {"at": "", "naming": "snake"}}
        ]"#,
    );
    let call = market.begin(vec![step("find", &shop(), "look"), second]);
    let asked = market.invoked();
    assert_eq!((asked.len(), asked[0].input.as_str()), (1, r#"{"count":2,"item":"lamp"}"#));
    assert_eq!(asked[0].account.as_deref(), Some("A-7"));
    market.done(&shop(), call, "find", false, r#"{"offer": {"price": "12.30"}}"#).unwrap();
    let asked = market.invoked();
    assert_eq!((asked.len(), asked[0].input.as_str()), (1, r#"{"amount":1230,"order_count":2}"#));
    market.done(&kitchen(), call, "pay", false, r#"{"paid": true}"#).unwrap();
    let last = market.updates.last().unwrap();
    assert_eq!((&last.status, last.output.as_ref().unwrap().as_str()), (&CallStatus::Succeeded, r#"{"paid":true}"#));
    assert!(last.steps.iter().all(|step| step.status == StepStatus::Done));
    let before = market.updates.iter().filter(|update| update.call == call).count();
    assert!(before >= 6, "every step is seen: {before}");
    assert_eq!(market.state.systems[&shop()].stats.calls, 1);
    assert!(next_end(&market.hot).is_none_or(|at| at > market.now));
}

#[test]
fn what_fails_later_is_taken_back_in_reverse_order() {
    let mut market = Market::agreed();
    let call = market.begin(vec![
        step("a", &shop(), "order"),
        step("b", &kitchen(), "reserve"),
        step("c", &shop(), "tell"),
        step("d", &kitchen(), "order"),
        step("e", &kitchen(), "order"),
    ]);
    for (system, name) in [(shop(), "a"), (kitchen(), "b"), (shop(), "c")] {
        market.done(&system, call, name, false, &format!("{{\"made\":\"{name}\"}}")).unwrap();
    }
    market.invoked();
    let failed = CallResult::Failed { reason: "sold out".to_owned() };
    market.answer(&kitchen(), call, "d", false, failed).unwrap();
    let asked = market.invoked();
    assert_eq!(asked.len(), 1, "one after the other");
    assert_eq!((asked[0].step.as_str(), asked[0].undo, asked[0].service.as_str()), ("b", true, "release"));
    assert_eq!(asked[0].input.as_str(), r#"{"input":{"count":2,"item":"lamp"},"output":{"made":"b"}}"#);
    market.done(&kitchen(), call, "b", true, "null").unwrap();
    assert_eq!(market.invoked()[0].service.as_str(), "cancel");
    market.done(&shop(), call, "a", true, "null").unwrap();
    let CallStatus::Failed { reason, kept } = market.status(call) else { panic!("{:?}", market.status(call)) };
    assert!(reason.contains("sold out") && kept == [key("c")], "{reason} {kept:?}");
    let steps = market.steps(call);
    assert_eq!(steps[&key("e")], StepStatus::Skipped);
    assert!(matches!(steps[&key("d")], StepStatus::Failed { .. }), "what was not done is not taken back");
}

#[test]
fn only_what_is_idempotent_is_asked_again() {
    let mut market = Market::agreed();
    let once = market.begin(vec![step("a", &shop(), "order")]);
    let often = market.begin(vec![step("a", &kitchen(), "reserve")]);
    let first = market.invoked();
    assert_eq!(first.len(), 2);
    market.pass(1_001);
    let again = market.invoked();
    let (retry, undo): (Vec<_>, Vec<_>) = again.iter().partition(|invocation| !invocation.undo);
    assert_eq!((retry.len(), retry[0].call, retry[0].attempt), (1, often, 2));
    assert_eq!(retry[0].input, first[1].input, "the same again");
    assert_eq!((undo.len(), undo[0].call), (1, once), "what may have been done is taken back");
    market.pass(2_002);
    assert_eq!(market.invoked().iter().filter(|invocation| !invocation.undo && invocation.call == often).count(), 1);
    let late = market.done(&shop(), once, "a", false, "{}").unwrap_err();
    assert_eq!((late.code, market.hot.late_answers(&shop())), (RefusalCode::Expired, 1));
    market.pass(60_000);
    assert!(market.status(once).is_final() && market.status(often).is_final());
    assert_eq!(market.state.systems[&shop()].stats.call_failures, 2, "a call without an answer, and its taking back");
}

#[test]
fn an_answer_that_cannot_be_understood_is_refused_and_taken_back() {
    for answer in ["{", &format!("\"{}\"", "x".repeat(MAX_JSON)), &"[".repeat(5_000)] {
        let mut market = Market::agreed();
        let call = market.begin(vec![step("a", &shop(), "order")]);
        let error = market.done(&shop(), call, "a", false, answer).unwrap_err();
        assert_eq!(error.code, RefusalCode::Invalid);
        assert_eq!(market.steps(call)[&key("a")], StepStatus::Undoing);
    }
}

#[test]
fn said_twice_is_said_once() {
    let mut market = Market::agreed();
    let call = market.call(vec![step("a", &shop(), "order"), step("b", &shop(), "order")]);
    market.invoke(&call).unwrap();
    let again = market.invoke(&call).unwrap();
    assert_eq!((again.call, market.invoked().len()), (call.id, 1));
    let later = Collaboration { not_after: call.not_after.plus(7), ..call.clone() };
    assert_eq!(market.invoke(&later).map(|again| again.call), Ok(call.id), "its first time counts");
    assert!(market.invoked().is_empty());
    let other = Collaboration { input: Json::default(), ..call.clone() };
    assert_eq!(market.invoke(&other).unwrap_err().code, RefusalCode::Conflict);
    market.done(&shop(), call.id, "a", false, "1").unwrap();
    let lines = market.log.len();
    assert_eq!(
        market.done(&shop(), call.id, "a", false, "2"),
        Ok(()),
        "whoever repeats an answer has missed the thanks"
    );
    assert_eq!(market.log.len(), lines);
    assert_eq!(market.invoked().len(), 1);
}

#[test]
fn a_user_takes_a_call_back() {
    let mut market = Market::agreed();
    let call = market.begin(vec![step("a", &shop(), "order"), step("b", &kitchen(), "order")]);
    market.done(&shop(), call, "a", false, "1").unwrap();
    market.told.clear();
    assert!(market.ask(&metaverse(GUEST), &Request::CancelCall(call)).is_err(), "nobody else does");
    market.ask(&metaverse(OWNER), &Request::CancelCall(call)).unwrap();
    market.settle();
    assert!(market.told.contains(&(kitchen(), SiiDown::Cancel { call, step: key("b") })));
    let asked = market.invoked();
    assert_eq!((asked[0].step.as_str(), asked[0].undo), ("b", true), "it was asked for, and may have been done");
    market.done(&kitchen(), call, "b", true, "null").unwrap();
    market.done(&shop(), call, "a", true, "null").unwrap();
    assert_eq!(market.status(call), CallStatus::Cancelled { kept: Vec::new() });
}

#[test]
fn what_may_leave_is_decided_before_it_leaves() {
    let mut market = Market::new();
    market.agree(&shop(), Sharing::default());
    market.agree(&kitchen(), Sharing::default());
    let mut second = step("b", &kitchen(), "look");
    second.input = transforms(r#"[{"copy": {"from": {"of": {"step": "a"}, "at": ""}, "to": "/x"}}]"#);
    let call = market.call(vec![step("a", &shop(), "look"), second]);
    let error = market.invoke(&call).unwrap_err();
    assert!(error.code == RefusalCode::Forbidden && error.message.contains("may not be passed on"), "{error}");
    let mut twin = step("a", &shop(), "look");
    twin.input = transforms(
        r#"[{"copy": {"from": {"of": {"twin": {"twin": "home/lamp", "feature": "light", "property": "on"}}, "at": "/truth"},
             "to": "/lamp"}}]"#,
    );
    let call = market.call(vec![twin]);
    assert_eq!(market.invoke(&call).unwrap_err().code, RefusalCode::Forbidden);
    market.agree(&shop(), Sharing { twins: [(lamp(), BTreeSet::new())].into(), ..Sharing::default() });
    market.invoke(&call).unwrap();
    assert_eq!(market.invoked()[0].input.as_str(), r#"{"lamp":"stale"}"#, "how far it is to be believed goes with it");
}

#[test]
fn nonsense_is_refused_before_anything_is_done() {
    let mut market = Market::agreed();
    let mut refused = |change: &dyn Fn(&mut Collaboration)| {
        let mut call = market.call(vec![step("a", &shop(), "look"), step("b", &shop(), "look")]);
        change(&mut call);
        let lines = market.log.len();
        let code = market.invoke(&call).unwrap_err().code;
        assert_eq!(market.log.len(), lines);
        code
    };
    assert_eq!(refused(&|call| call.steps.clear()), RefusalCode::Invalid);
    assert_eq!(refused(&|call| call.steps = vec![call.steps[0].clone(); 17]), RefusalCode::Invalid);
    assert_eq!(refused(&|call| call.steps[1].key = key("a")), RefusalCode::Invalid);
    assert_eq!(refused(&|call| call.not_after = Timestamp(1)), RefusalCode::Expired);
    assert_eq!(refused(&|call| call.not_after = Timestamp(u64::MAX)), RefusalCode::Invalid);
    assert_eq!(refused(&|call| call.steps[0].service = ServiceId::slug("none")), RefusalCode::Forbidden);
    let later = transforms(r#"[{"copy": {"from": {"of": {"step": "b"}, "at": ""}, "to": ""}}]"#);
    assert_eq!(refused(&|call| call.steps[0].input = later.clone()), RefusalCode::Invalid);
    let input = transforms(r#"[{"copy": {"from": {"of": "input", "at": ""}, "to": ""}}]"#);
    assert_eq!(refused(&|call| call.steps[0].undo = input.clone()), RefusalCode::Invalid);
    market.detach(&kitchen());
    let away = market.call(vec![step("a", &shop(), "look"), step("b", &kitchen(), "look")]);
    assert_eq!(market.invoke(&away).unwrap_err().code, RefusalCode::Unavailable);
}

#[test]
fn a_system_that_hangs_takes_nobody_elses_place() {
    let mut market = Market::agreed();
    let begun = (0..).take_while(|_| {
        let call = market.call(vec![step("a", &shop(), "look")]);
        market.invoke(&call).is_ok()
    });
    assert_eq!(begun.count(), 16, "a person has so many calls at once");
    market.pass(3_600_000);
    assert!(market.state.open_calls.is_empty(), "and every one of them ends");
}

#[test]
fn whoever_gets_the_id_of_a_system_gets_nothing_of_its_calls() {
    let mut market = Market::agreed();
    let call = market.begin(vec![step("a", &shop(), "order"), step("b", &kitchen(), "order")]);
    market.done(&shop(), call, "a", false, r#"{"secret": 1}"#).unwrap();
    market.ask(&metaverse(OWNER), &Request::RemoveSystem(shop())).unwrap();
    let device = Fingerprint([13; 32]);
    let role = [RoleId::slug("third_party")];
    let decision = enroll(&market.state, device, &UserId::slug("other"), &role, "x").unwrap();
    market.commit(decision.events);
    let other = Actor::greeted(Identity::Certificate(device), Party::ThirdParty);
    market.ask(&other, &Request::Sii(SiiUp::Register(Box::new(info(&shop()))))).unwrap();
    market.attach(&shop());
    market.told.clear();
    market.answer(&kitchen(), call, "b", false, CallResult::Failed { reason: "no".to_owned() }).unwrap();
    market.pass(60_000);
    assert!(market.told.iter().all(|(system, _)| *system != shop()), "{:?}", market.told);
    let CallStatus::Failed { kept, .. } = market.status(call) else { panic!("{:?}", market.status(call)) };
    assert_eq!(kept, [key("a")], "and whoever called is told what stays");
}

#[test]
fn what_a_system_says_later_of_its_services_changes_no_call() {
    let mut market = Market::agreed();
    let call = market.begin(vec![step("a", &shop(), "order")]);
    let mut other = info(&shop());
    other.services.get_mut(&ServiceId::slug("order")).unwrap().idempotent = true;
    other.services.get_mut(&ServiceId::slug("order")).unwrap().timeout_ms = 3_600_000;
    market.say(&shop(), SiiUp::Register(Box::new(other))).unwrap();
    market.attach(&shop());
    market.invoked();
    market.pass(1_001);
    assert!(market.invoked().iter().all(|invocation| invocation.undo && invocation.call == call));
}

/// A person's, of any number.
fn numbered(market: &mut Market, number: u32) -> Collaboration {
    let mut id = [0xcc; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    Collaboration { id: CallId(id), ..market.call_at(vec![step("a", &shop(), "look")]) }
}

/// Looked at, and answered with its own number.
fn looked(market: &mut Market, device: Fingerprint, number: u32) -> Collaboration {
    let call = numbered(market, number);
    market.invoke_as(device, &call).unwrap();
    market.done(&shop(), call.id, "a", false, &number.to_string()).unwrap();
    market.now = market.now.plus(100);
    call
}

#[test]
fn who_looks_at_a_lot_is_never_refused_and_what_runs_is_never_forgotten() {
    let mut market = Market::agreed();
    let call = market.call(vec![step("a", &kitchen(), "reserve"), step("b", &kitchen(), "look")]);
    market.invoke(&call).unwrap();
    let looks: Vec<Collaboration> = (0..400).map(|number| looked(&mut market, OWNER, number)).collect();
    // Forty seconds have passed, and nobody has looked at the clock: the first one still runs.
    assert!(market.state.calls[&call.id].is_open() && market.state.calls[&call.id].call.input == call.input);
    let output = |market: &Market, call: &Collaboration| market.state.calls[&call.id].update().output;
    for (number, look) in looks.iter().enumerate() {
        let gave = output(&market, look).map(|json| json.as_str().to_owned());
        assert_eq!(gave, (number >= 400 - 128).then(|| number.to_string()), "the oldest go first");
        assert_eq!(market.status(look.id), CallStatus::Succeeded);
    }
    // Of what is forgotten it is known that it was: said again, it is not done again.
    market.invoked();
    let lines = market.log.len();
    let again = market.invoke(&looks[0]).unwrap();
    assert_eq!((again.status, again.output, market.log.len()), (CallStatus::Succeeded, None, lines));
    let other = Collaboration { input: Json::new("1").unwrap(), ..looks[0].clone() };
    assert_eq!(market.invoke(&other).unwrap_err().code, RefusalCode::Conflict);
    assert!(market.invoked().is_empty());
    // The same from the log, and from a snapshot.
    market.kill();
    let text = serde_json::to_string(&market.state).unwrap();
    assert_eq!(serde_json::from_str::<State>(&text).unwrap(), market.state);
    market.pass(60_000 + 10 * 60_000 + 1);
    looked(&mut market, OWNER, 1_000);
    assert_eq!((market.state.calls.len(), market.state.calls_of(&UserId::slug(OWNER_ROLE))), (1, 1), "they end");
}

#[test]
fn what_somebody_has_seen_is_not_forgotten_because_of_others() {
    let mut market = Market::agreed();
    let people: Vec<Fingerprint> = (0..9_u8).map(|number| Fingerprint([100 + number; 32])).collect();
    for device in &people {
        let (user, role) = (UserId::slug(&format!("p{}", device.0[0])), RoleId::slug(OWNER_ROLE));
        let decision = enroll(&market.state, *device, &user, &[role], "x").unwrap();
        market.commit(decision.events);
        market.agree_as(*device, &shop(), Sharing::default());
    }
    let quiet: Vec<Collaboration> = (0..5).map(|number| looked(&mut market, OWNER, number)).collect();
    for (whose, device) in (1..).zip(&people) {
        (0..140).for_each(|number| drop(looked(&mut market, *device, whose * 1_000 + number)));
    }
    assert_eq!(market.state.whole_calls.len(), 1_024);
    assert!(quiet.iter().all(|call| market.state.calls[&call.id].output.is_some()), "who has few loses none");
    let has = |device: &Fingerprint| {
        let whole = market.state.whole_calls.keys().filter(|key| key.0.as_str() == format!("p{}", device.0[0]));
        whole.count()
    };
    assert!(people.iter().all(|device| has(device) >= 112), "{:?}", people.iter().map(has).collect::<Vec<_>>());
}

/// What a person never makes in ten minutes is refused, and says when to go on.
#[test]
fn a_flood_of_calls_ends() {
    let mut market = Market::agreed();
    (0..4_096).for_each(|number| {
        let call = numbered(&mut market, number);
        market.invoke(&call).unwrap();
        market.done(&shop(), call.id, "a", false, "1").unwrap();
    });
    let next = numbered(&mut market, 5_000);
    let refusal = market.invoke(&next).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Overloaded);
    market.pass(60_000 + 10 * 60_000 + 1);
    // Whatever is written next forgets them.
    market.agree(&shop(), Sharing::default());
    market.invoke(&Collaboration { not_after: market.now.plus(60_000), ..next }).unwrap();
}
