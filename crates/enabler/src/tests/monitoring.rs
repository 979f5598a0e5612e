//! DTSR's and TPSR's monitoring: what was promised, measured.

use super::*;

fn promised(level: ServiceLevel) -> House {
    let mut house = House::empty();
    house.say(DiiUp::Register(SystemInfo { level, ..system_info() })).unwrap();
    house
}

fn health(house: &House) -> SystemHealth {
    system_view(&house.state, &house.hot, &house.viewer(OWNER), &home(), house.now).unwrap().health
}

#[test]
fn availability_is_time_there_of_time_looked_at_and_survives() {
    let mut house = promised(ServiceLevel { availability_permille: Some(900), ..ServiceLevel::default() });
    assert_eq!(health(&house).level.availability_permille, None, "nothing was measured yet");
    house.pass(3_600_000);
    assert_eq!(health(&house).level.availability_permille, Some(1_000));
    house.disconnect();
    house.pass(3_600_000 * 3);
    let measured = health(&house);
    assert_eq!((measured.level.availability_permille, measured.online), (Some(250), false));
    assert_eq!(measured.broken, [Promise::Availability].into());
    assert!(measured.registered.is_some());
    // Killed, and down for a day: nobody looked, so nobody is blamed; at most an hour is lost.
    house.restart();
    house.now = house.now.plus(86_400_000);
    house.hot = Hot::restore(&house.state, house.now);
    let after = health(&house).level.availability_permille.unwrap();
    assert!((250..=334).contains(&after), "{after}");
    let lines = house.log.len();
    for _ in 0..100 {
        house.connect();
        house.disconnect();
        house.pass(100);
    }
    assert!(house.log.len() - lines <= 2, "coming and going does not fill the log");
}

#[test]
fn calls_and_commands_are_counted_together() {
    let level = ServiceLevel { p99_ms: Some(1_000), error_permille: Some(250), ..ServiceLevel::default() };
    let mut house = promised(level);
    let called = |house: &mut House, took, done| house.state.count(&home(), |stats| stats.called(took, done));
    for took in [100, 200, 900] {
        called(&mut house, took, true);
    }
    assert!(health(&house).broken.is_empty());
    called(&mut house, 30_000, false);
    let measured = health(&house);
    assert_eq!((measured.calls, measured.call_failures, measured.level.error_permille), (4, 1, Some(250)));
    assert!(measured.broken.is_empty(), "one of four was allowed");
    called(&mut house, 5_000, true);
    called(&mut house, 0, false);
    assert_eq!(health(&house).broken, [Promise::Latency, Promise::Errors].into());
    assert_eq!((health(&house).calls, health(&house).call_p50_ms), (6, Some(223)));
}

#[test]
fn freshness_is_the_oldest_late_report() {
    let mut house = promised(ServiceLevel { freshness_ms: Some(5_000), ..ServiceLevel::default() });
    assert_eq!(health(&house).level.freshness_ms, None, "no twin promises anything");
    house.say(DiiUp::Describe(Box::new(lamp_info()))).unwrap();
    house.report("light", Value::Bool(true), 1);
    house.pass(60_000);
    assert_eq!(health(&house).level.freshness_ms, Some(0));
    house.pass(4_000);
    assert!(health(&house).broken.is_empty());
    house.pass(2_000);
    let measured = health(&house);
    assert_eq!((measured.level.freshness_ms, measured.broken.len()), (Some(6_000), 1));
    house.report("light", Value::Bool(true), 2);
    assert_eq!(health(&house).level.freshness_ms, Some(0));
    house.pass(70_000);
    house.say(DiiUp::Gone(lamp())).unwrap();
    assert_eq!(health(&house).level.freshness_ms, None, "who is gone is not late");
}
