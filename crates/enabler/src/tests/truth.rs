//! DTS: physical truth, commands and their ends.

use super::*;

#[test]
fn pending_becomes_live_when_the_thing_says_so() {
    let mut house = House::with_lamp();
    assert_eq!(house.truth("light"), Truth::Live);
    let id = house.order("light", "turn_on");
    assert_eq!((house.truth("light"), house.status(id)), (Truth::Pending, CommandStatus::Dispatched));
    house.outcome(id, CommandStatus::Executed);
    assert_eq!((house.truth("light"), house.status(id)), (Truth::Pending, CommandStatus::Executed));
    house.report("light", Value::Bool(true), 2);
    assert_eq!((house.truth("light"), house.status(id)), (Truth::Live, CommandStatus::Confirmed));
    assert_eq!(house.executed.len(), 1);
    let system = system_view(&house.state, &house.hot, &house.viewer(OWNER), &home(), house.now).unwrap();
    assert_eq!((system.health.commands, system.health.failures, system.health.p50_ms), (1, 0, Some(0)));
}

#[test]
fn pending_becomes_diverged_exactly_at_its_end_and_heals() {
    let mut house = House::with_lamp();
    let id = house.order("light", "turn_on");
    assert_eq!(house.hot.next_wakeup(), Some(house.now.plus(5_001)));
    house.pass(5_000);
    assert_eq!(house.truth("light"), Truth::Pending, "its last millisecond");
    house.pass(1);
    assert_eq!((house.truth("light"), house.status(id)), (Truth::Diverged, CommandStatus::Expired));
    house.restart();
    house.reachable();
    house.report("light", Value::Bool(false), 3);
    assert_eq!(house.truth("light"), Truth::Diverged, "a restart does not forget what should be");
    house.report("light", Value::Bool(true), 4);
    assert_eq!(house.truth("light"), Truth::Live);
    house.report("light", Value::Bool(false), 5);
    house.restart();
    house.reachable();
    house.report("light", Value::Bool(false), 6);
    assert_eq!(house.truth("light"), Truth::Live, "a wish that came true does not come back");
}

#[test]
fn stale_by_period_and_by_absence() {
    let mut house = House::with_lamp();
    assert_eq!(next_end(&house.hot), Some(house.now.plus(60_001)));
    house.pass(60_000);
    assert_eq!(house.truth("light"), Truth::Live);
    house.pass(1);
    assert_eq!(house.truth("light"), Truth::Stale);
    house.report("light", Value::Bool(false), 2);
    assert_eq!(house.truth("light"), Truth::Live);
    house.disconnect();
    assert_eq!(house.truth("light"), Truth::Stale);
    house.connect();
    assert_eq!(house.truth("light"), Truth::Stale, "until the system says that the device is there");
    house.say(DiiUp::Reachable { twin: lamp(), feature: None, reachable: true }).unwrap();
    assert_eq!(house.truth("light"), Truth::Live);
}

#[test]
fn missed_heartbeats_are_an_absence_that_ends_with_the_next_word() {
    let mut house = House::empty();
    let info = SystemInfo { heartbeat_ms: 1_000, ..system_info() };
    house.say(DiiUp::Register(info)).unwrap();
    house.pass(1_500);
    house.say(DiiUp::Heartbeat).unwrap();
    house.pass(2_000);
    assert!(house.hot.is_online(&home()), "two promises later at the most");
    house.pass(1);
    assert!(!house.hot.is_online(&home()));
    house.say(DiiUp::Heartbeat).unwrap();
    assert!(house.hot.is_online(&home()));
    house.pass(10_000);
    assert!(!house.hot.is_online(&home()), "watched again after that");
}

#[test]
fn a_failure_shows_at_once() {
    let mut house = House::with_lamp();
    let id = house.order("light", "turn_on");
    house.outcome(id, CommandStatus::Failed { reason: "broken bulb".to_owned() });
    assert_eq!(house.status(id), CommandStatus::Failed { reason: "broken bulb".to_owned() });
    assert_eq!(house.truth("light"), Truth::Diverged);
    let again = house.order("light", "turn_on");
    assert_eq!(house.truth("light"), Truth::Pending);
    house.report("light", Value::Bool(true), 2);
    assert_eq!((house.status(again), house.truth("light")), (CommandStatus::Confirmed, Truth::Live));
}

#[test]
fn what_cannot_report_is_commanded_never_confirmed() {
    let mut house = House::with_lamp();
    let siren = house.order("siren", "turn_on");
    assert_eq!(house.truth("siren"), Truth::Pending);
    house.outcome(siren, CommandStatus::Executed);
    assert_eq!((house.status(siren), house.truth("siren")), (CommandStatus::Commanded, Truth::Commanded));
    house.restart();
    house.reachable();
    assert_eq!(house.truth("siren"), Truth::Commanded);
    let bell = house.order("bell", "ring");
    house.outcome(bell, CommandStatus::Executed);
    assert_eq!(house.status(bell), CommandStatus::Commanded, "without effects nobody can confirm");
    let silent = house.order("siren", "turn_off");
    house.pass(6_000);
    assert_eq!(house.status(silent), CommandStatus::Expired);
    assert_ne!(house.truth("siren"), Truth::Commanded, "nobody said that it was told");
}

#[test]
fn what_is_so_already_is_sent_and_confirmed_by_its_execution() {
    let mut house = House::with_lamp();
    let id = house.order("light", "turn_off");
    assert_eq!((house.executed.len(), house.truth("light")), (1, Truth::Pending));
    house.outcome(id, CommandStatus::Executed);
    assert_eq!((house.status(id), house.truth("light")), (CommandStatus::Confirmed, Truth::Live));
    let on = house.order("light", "turn_on");
    let off = house.order("light", "turn_off");
    house.outcome(off, CommandStatus::Executed);
    assert_eq!(house.status(off), CommandStatus::Executed, "the lamp is off, but about to be on");
    house.report("light", Value::Bool(true), 2);
    assert_eq!((house.status(on), house.truth("light")), (CommandStatus::Confirmed, Truth::Pending));
    house.report("light", Value::Bool(false), 3);
    assert_eq!((house.status(off), house.truth("light")), (CommandStatus::Confirmed, Truth::Live));
}

#[test]
fn a_repetition_is_answered_and_not_executed() {
    let mut house = House::with_lamp();
    let command = house.command("light", "turn_on");
    assert_eq!(house.actuate(&command).unwrap(), CommandStatus::Dispatched);
    let lines = house.log.len();
    house.outcome(command.id, CommandStatus::Executed);
    assert_eq!(house.actuate(&command).unwrap(), CommandStatus::Executed);
    house.report("light", Value::Bool(true), 2);
    house.restart();
    house.reachable();
    assert_eq!(house.actuate(&command).unwrap(), CommandStatus::Confirmed);
    assert_eq!((house.executed.len(), house.log.len()), (1, lines + 1), "one end, nothing else");
    let other = Command { action: ActionId::slug("turn_off"), ..command.clone() };
    assert_eq!(house.actuate(&other).unwrap_err().code, RefusalCode::Conflict);
    let stolen = house.ask(&metaverse(GUEST), &Request::Actuate(command.clone())).unwrap_err();
    assert_eq!(stolen.code, RefusalCode::Conflict);
    house.pass(3_600_000);
    house.order("bell", "ring");
    assert!(!house.state.commands.contains_key(&command.id), "forgotten in the end");
    assert_eq!(house.actuate(&command).unwrap_err().code, RefusalCode::Expired);
}

#[test]
fn rounding_in_the_log_does_not_make_another_command() {
    let mut house = House::with_lamp();
    let mut command = house.command("dimmer", "set");
    for (n, input) in [0.1 + 0.2, 1.0 / 3.0, 0.7 * 0.1, f64::MIN_POSITIVE].into_iter().enumerate() {
        command.id = CommandId([u8::try_from(n).unwrap() + 100; 16]);
        command.input = Some(Value::Float(input));
        house.actuate(&command).unwrap();
        house.restart();
        house.reachable();
        assert!(house.actuate(&command).is_ok(), "{input}");
    }
    command.input = Some(Value::Float(1.5));
    command.id = CommandId([99; 16]);
    assert_eq!(house.actuate(&command).unwrap_err().code, RefusalCode::Invalid);
}

#[test]
fn nothing_is_executed_late() {
    let mut house = House::with_lamp();
    house.disconnect();
    let soon = house.order("light", "turn_on");
    assert_eq!(house.status(soon), CommandStatus::Accepted);
    house.pass(4_000);
    let later = house.order("light", "turn_off");
    house.pass(1_500);
    assert_eq!(house.status(soon), CommandStatus::Expired);
    house.reachable();
    let given: Vec<_> = house.executed.iter().map(|(_, execution)| execution.command).collect();
    assert_eq!(given, [later], "what is late stays undone");
    house.report("light", Value::Bool(false), 2);
    let old = Command { not_after: Timestamp(house.now.0 - 1), ..house.command("light", "turn_on") };
    assert_eq!(house.actuate(&old).unwrap_err().code, RefusalCode::Expired);
    let endless = Command { not_after: house.now.plus(LONGEST_VALIDITY_MS + 1), ..house.command("light", "turn_on") };
    assert_eq!(house.actuate(&endless).unwrap_err().code, RefusalCode::Invalid);
}

#[test]
fn what_was_never_told_owes_nothing() {
    let mut house = House::with_lamp();
    house.disconnect();
    house.order("light", "turn_on");
    house.pass(6_000);
    house.reachable();
    house.report("light", Value::Bool(false), 2);
    assert_eq!(house.truth("light"), Truth::Live);
}

#[test]
fn a_restart_restores_wishes_and_gives_nothing_twice() {
    let mut house = House::with_lamp();
    let id = house.order("light", "turn_on");
    house.restart();
    house.reachable();
    assert_eq!((house.executed.len(), house.truth("light")), (1, Truth::Pending));
    house.report("light", Value::Bool(true), 2);
    assert_eq!(house.status(id), CommandStatus::Confirmed);
    house.disconnect();
    let waiting = house.order("light", "turn_off");
    house.restart();
    house.reachable();
    house.restart();
    house.reachable();
    let given: Vec<_> = house.executed.iter().map(|(_, execution)| execution.command).collect();
    assert_eq!(given, [id, waiting]);
}

#[test]
fn who_saw_something_else_is_refused() {
    let mut house = House::with_lamp();
    let mut command = house.command("light", "turn_on");
    command.expected_revision = Some(1);
    house.report("light", Value::Bool(false), 2);
    assert!(house.actuate(&command).is_ok(), "reported again, but not changed");
    house.report("light", Value::Bool(true), 3);
    let mut late = house.command("light", "turn_off");
    late.expected_revision = Some(2);
    let error = house.actuate(&late).unwrap_err();
    assert_eq!(error.code, RefusalCode::RevisionMismatch);
    assert!(error.message.contains("revision 3, you saw 2"), "{error}");
    late.expected_revision = Some(3);
    assert!(house.actuate(&late).is_ok());
}

#[test]
fn reports_are_checked_and_the_newest_wins() {
    let mut house = House::with_lamp();
    house.report("light", Value::Bool(true), 10);
    house.report("light", Value::Bool(false), 9);
    let place = house.state.twins[&lamp()].info.properties().position(|(f, _, _)| f.as_str() == "light").unwrap();
    let place = u16::try_from(place).unwrap();
    assert_eq!(house.hot.reading(&lamp(), place, house.now).unwrap().value, Some(Value::Bool(true)));
    let report = |feature: &str, value, at| {
        let (feature, property) = (FeatureId::slug(feature), PropertyId::slug("on"));
        let (value, at) = (Some(value), Some(at));
        DiiUp::Report(Report { twin: lamp(), feature, property, value, at, fresh: true, revision: 11 })
    };
    assert_eq!(house.say(report("light", Value::Int(3), house.now)).unwrap_err().code, RefusalCode::Invalid);
    assert_eq!(house.say(report("nothing", Value::Int(3), house.now)).unwrap_err().code, RefusalCode::NotFound);
    house.say(report("light", Value::Bool(true), Timestamp(u64::MAX))).unwrap();
    house.pass(60_001);
    assert_eq!(house.truth("light"), Truth::Stale, "a clock ahead of ours keeps nothing fresh");
}

#[test]
fn a_twin_that_goes_takes_its_commands_along() {
    let mut house = House::with_lamp();
    let id = house.order("light", "turn_on");
    house.say(DiiUp::Gone(lamp())).unwrap();
    assert!(matches!(house.status(id), CommandStatus::Failed { .. }));
    assert!(house.state.wishes.is_empty() && house.hot.open_commands() == 0);
    house.restart();
    assert_eq!(next_end(&house.hot), None);
}
