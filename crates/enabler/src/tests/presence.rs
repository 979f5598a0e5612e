//! What is there, what moves, what nobody knows.

use super::*;

fn report(property: &str, value: Option<Value>, revision: u64, house: &House) -> DiiUp {
    let (feature, property, at) = (FeatureId::slug("gate"), PropertyId::slug(property), Some(house.now));
    DiiUp::Report(Report { twin: lamp(), feature, property, value, at, fresh: true, revision })
}

fn word(word: &str) -> Option<Value> {
    Some(Value::Text(word.to_owned()))
}

/// The lamp with a gate that tells its state and its position, closed.
fn with_gate() -> House {
    let mut house = House::with_lamp();
    let mut info = lamp_info();
    let words = ["open", "opening", "closed"].map(str::to_owned).to_vec();
    let range = ValueType::Number { min: 0.0, max: 100.0, step: 1.0 };
    let expect =
        |property: &str, value| Expected { property: PropertyId::slug(property), expect: Expect::Value(value) };
    let effects = vec![expect("state", Value::Text("open".to_owned())), expect("position", Value::Int(100))];
    info.features.insert(
        FeatureId::slug("gate"),
        FeatureInfo {
            name: "Gate".to_owned(),
            kind: FeatureKind::Cover,
            class: None,
            properties: [
                (PropertyId::slug("state"), PropertyInfo::new(ValueType::OneOf(words))),
                (PropertyId::slug("position"), PropertyInfo { tolerance: Some(3.0), ..PropertyInfo::new(range) }),
            ]
            .into(),
            actions: [(ActionId::slug("open"), ActionInfo { effects, ..ActionInfo::default() })].into(),
            events: BTreeSet::new(),
        },
    );
    house.say(DiiUp::Describe(Box::new(info))).unwrap();
    house.say(report("state", word("closed"), 10, &house)).unwrap();
    house.say(report("position", Some(Value::Int(0)), 11, &house)).unwrap();
    house
}

#[test]
fn a_slow_gate_that_says_that_it_moves_is_not_diverged() {
    let mut house = with_gate();
    let id = house.order("gate", "open");
    house.outcome(id, CommandStatus::Executed);
    house.say(report("state", word("opening"), 12, &house)).unwrap();
    for second in 0..30 {
        house.pass(1_000);
        house
            .say(report("position", Some(Value::Int(second * 3)), 20 + u64::try_from(second).unwrap(), &house))
            .unwrap();
        assert_eq!((house.truth("gate"), house.status(id)), (Truth::Pending, CommandStatus::Executed), "{second}");
    }
    house.say(report("state", word("open"), 100, &house)).unwrap();
    house.say(report("position", Some(Value::Int(97)), 101, &house)).unwrap();
    assert_eq!(house.status(id), CommandStatus::Confirmed, "as open as the motor makes it");
    assert_eq!(house.truth("gate"), Truth::Live);
}

#[test]
fn a_gate_that_moves_for_ever_and_one_that_stops_do_diverge() {
    let mut house = with_gate();
    let id = house.order("gate", "open");
    house.outcome(id, CommandStatus::Executed);
    house.say(report("state", word("opening"), 12, &house)).unwrap();
    house.pass(5_001 + 180_000);
    assert_eq!((house.truth("gate"), house.status(id)), (Truth::Diverged, CommandStatus::Expired));
    let id = house.order("gate", "open");
    house.pass(2_000);
    house.say(report("position", Some(Value::Int(30)), 13, &house)).unwrap();
    house.say(report("state", word("closed"), 14, &house)).unwrap();
    house.pass(3_001);
    assert_eq!(house.status(id), CommandStatus::Dispatched, "its position changed a moment ago");
    house.pass(5_001);
    assert_eq!((house.truth("gate"), house.status(id)), (Truth::Diverged, CommandStatus::Expired));
}

#[test]
fn a_part_that_is_away_is_stale_and_is_told_once_it_is_back() {
    let mut house = with_gate();
    let gate = |reachable| DiiUp::Reachable { twin: lamp(), feature: Some(FeatureId::slug("gate")), reachable };
    house.say(gate(false)).unwrap();
    assert_eq!((house.truth("gate"), house.truth("light")), (Truth::Stale, Truth::Live));
    let waits = house.order("gate", "open");
    let told = house.order("light", "turn_on");
    assert_eq!((house.status(waits), house.status(told)), (CommandStatus::Accepted, CommandStatus::Dispatched));
    let viewer = Viewer::of(&house.state, house.now, &metaverse(OWNER)).unwrap();
    let view = |house: &House| view(&house.state, &house.hot, &viewer, &lamp(), house.now).unwrap().0;
    assert!(view(&house).reachable && view(&house).away == BTreeSet::from([FeatureId::slug("gate")]));
    house.say(gate(true)).unwrap();
    assert_eq!(house.status(waits), CommandStatus::Dispatched);
    assert_eq!((house.truth("gate"), view(&house).away.len()), (Truth::Pending, 0));
    let nothing = DiiUp::Reachable { twin: lamp(), feature: Some(FeatureId::slug("nothing")), reachable: true };
    assert_eq!(house.say(nothing).unwrap_err().code, RefusalCode::NotFound);
    house.say(gate(false)).unwrap();
    house.reachable();
    assert_eq!(house.hot.away(&lamp()), BTreeSet::new(), "a new connection begins anew");
}

#[test]
fn what_nobody_knows_is_stale_without_a_value_and_confirms_nothing() {
    let mut house = with_gate();
    let id = house.order("light", "turn_on");
    house.outcome(id, CommandStatus::Executed);
    let (feature, property) = (FeatureId::slug("light"), PropertyId::slug("on"));
    let say = |value, fresh, revision, at| {
        let (feature, property) = (feature.clone(), property.clone());
        DiiUp::Report(Report { twin: lamp(), feature, property, value, at, fresh, revision })
    };
    house.say(say(None, true, 20, Some(house.now))).unwrap();
    house.say(say(Some(Value::Bool(true)), false, 21, None)).unwrap();
    assert_eq!(house.status(id), CommandStatus::Executed, "it may have been so before");
    house.say(say(Some(Value::Bool(true)), true, 22, Some(house.now))).unwrap();
    assert_eq!((house.status(id), house.truth("light")), (CommandStatus::Confirmed, Truth::Live));
    house.say(say(None, true, 23, Some(house.now))).unwrap();
    let place = house.state.twins[&lamp()].info.properties().position(|(f, _, _)| *f == feature).unwrap();
    let reading = house.hot.reading(&lamp(), u16::try_from(place).unwrap(), house.now).unwrap();
    assert_eq!((reading.value, reading.truth, reading.age_ms), (None, Truth::Stale, Some(0)));
}

#[test]
fn twins_that_went_while_nobody_listened_go() {
    let mut house = House::with_lamp();
    let other = TwinId::new("home/other").unwrap();
    house.say(DiiUp::Describe(Box::new(TwinInfo::new(other.clone(), "Other")))).unwrap();
    let id = house.order("light", "turn_on");
    house.say(DiiUp::Complete { twins: vec![lamp(), other.clone()] }).unwrap();
    let lines = house.log.len();
    house.say(DiiUp::Complete { twins: vec![other.clone(), lamp()] }).unwrap();
    assert_eq!((house.state.twins.len(), house.log.len()), (2, lines), "nothing to decide");
    house.say(DiiUp::Complete { twins: vec![other.clone()] }).unwrap();
    assert_eq!(house.state.twins.keys().collect::<Vec<_>>(), [&other]);
    assert!(matches!(house.status(id), CommandStatus::Failed { .. }));
    house.restart();
    let mut stranger = house.system.clone();
    stranger.system = None;
    let all = Request::Dii(DiiUp::Complete { twins: Vec::new() });
    assert_eq!(house.ask(&stranger, &all).unwrap_err().code, RefusalCode::Invalid);
}
