use serde_json::json;

use super::*;

fn plug() -> Home {
    let mut home = Home::new();
    home.announce("switch/p", &json!({ "cmd_t": "p/set", "stat_t": "p", "uniq_id": "p", "qos": 2, "ret": true }));
    home
}

fn failure(home: &Home, command: CommandId) -> &str {
    let outcomes: Vec<_> = home.outcomes.iter().filter(|(id, _)| *id == command).collect();
    match outcomes.as_slice() {
        [(_, CommandStatus::Failed { reason })] => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn executed_is_said_once_the_broker_has_it() {
    let mut home = plug();
    let command = home.execute("p/p", "turn_on", None, 4_700);
    let send = home.registry.next_send(Timestamp(home.now)).unwrap();
    assert_eq!((send.expiry_s, send.publish.qos), (4, 2));
    assert!(home.outcomes.is_empty());
    let outputs = home.registry.on_acknowledged(send.ticket, Ok(()));
    home.heed(outputs);
    assert_eq!(home.outcomes, [(command, CommandStatus::Executed)]);
    assert!(home.registry.on_acknowledged(send.ticket, Ok(())).is_empty(), "once");
}

#[test]
fn the_same_command_is_not_executed_twice() {
    let mut home = plug();
    home.act("p/p", "turn_on", None);
    home.commands -= 1;
    home.execute("p/p", "turn_off", None, 1_000);
    assert!(home.deliver().is_empty());
    assert_eq!(home.outcomes.len(), 1);
}

#[test]
fn a_late_command_is_never_published() {
    let mut home = plug();
    home.disconnect();
    let command = home.execute("p/p", "turn_on", None, 1_000);
    assert!(home.deliver().is_empty(), "no broker");
    home.now += 1_001;
    home.connect();
    assert!(home.deliver().is_empty(), "checked right before publishing");
    home.wait(0);
    assert!(failure(&home, command).contains("not sent"));
    let command = home.execute("p/p", "turn_on", None, 0);
    home.now += 5;
    assert!(home.deliver().is_empty());
    home.wait(0);
    assert!(failure(&home, command).contains("not sent"));
    home.wait(30_000);
    assert_eq!(home.registry.due(), None);
}

#[test]
fn one_that_waits_for_the_broker_is_published_in_time() {
    let mut home = plug();
    home.disconnect();
    home.execute("p/p", "turn_on", None, 2_000);
    home.now += 1_000;
    home.connect();
    assert_eq!(home.deliver(), pair("p/set", "ON"));
}

#[test]
fn a_broker_that_goes_in_mid_command_ends_it() {
    let mut home = plug();
    let command = home.execute("p/p", "turn_on", None, 60_000);
    let send = home.registry.next_send(Timestamp(home.now)).unwrap();
    home.disconnect();
    assert!(failure(&home, command).contains("not known"));
    home.connect();
    assert!(home.deliver().is_empty(), "never sent again");
    assert!(home.registry.on_acknowledged(send.ticket, Ok(())).is_empty());
}

#[test]
fn a_broker_that_never_confirms() {
    let mut home = plug();
    let command = home.execute("p/p", "turn_on", None, 1_000);
    home.registry.next_send(Timestamp(home.now)).unwrap();
    home.wait(1_001);
    assert!(failure(&home, command).contains("did not confirm"));
}

#[test]
fn a_broker_that_refuses() {
    let mut home = plug();
    let command = home.execute("p/p", "turn_on", None, 1_000);
    let send = home.registry.next_send(Timestamp(home.now)).unwrap();
    let outputs = home.registry.on_acknowledged(send.ticket, Err("nobody listens".to_owned()));
    home.heed(outputs);
    assert_eq!(failure(&home, command), "nobody listens");
}

#[test]
fn what_cannot_be_done_fails_with_words() {
    let mut home = plug();
    home.announce("number/n", &json!({ "cmd_t": "n", "max": 5, "uniq_id": "n" }));
    home.announce("switch/t", &json!({ "cmd_t": "t", "uniq_id": "t", "cmd_tpl": "{{ value_json.x.y }}" }));
    for (target, action, input, words) in [
        ("q/q", "turn_on", None, "no such twin"),
        ("p/q", "turn_on", None, "no such feature"),
        ("p/p", "explode", None, "cannot do that"),
        ("n/n", "set", None, "missing"),
        ("n/n", "set", Some(Value::Int(9)), "outside"),
        ("n/n", "set", Some(Value::Bool(true)), "expected a number"),
        ("t/t", "turn_on", None, "`command_template`"),
    ] {
        let command = home.execute(target, action, input, 1_000);
        assert!(failure(&home, command).contains(words), "{}", failure(&home, command));
    }
    assert!(home.deliver().is_empty());
}

#[test]
fn too_many_at_once_is_an_answer() {
    let mut home = plug();
    home.disconnect();
    for _ in 0..256 {
        home.execute("p/p", "turn_on", None, 1_000);
    }
    assert!(home.outcomes.is_empty());
    let late = home.execute("p/p", "turn_on", None, 1_000);
    assert_eq!(failure(&home, late), "too many commands wait for the broker");
    home.connect();
    // The broker acknowledges some at a time.
    assert_eq!(home.deliver().len(), 256, "those that were taken are told");
    home.execute("p/p", "turn_off", None, 1_000);
    assert_eq!(home.deliver(), pair("p/set", "OFF"));
}

#[test]
fn only_the_newest_holder_is_obeyed() {
    let mut home = plug();
    let twin = TwinId::new("home/p").unwrap();
    let integrate = |home: &mut Home, fence, millis| {
        let until = Timestamp(home.now + millis);
        let outputs = home.registry.on_integrate(&twin, fence, until);
        home.heed(outputs);
    };
    integrate(&mut home, 1, 10_000);
    assert_eq!(home.integrated, [("p".to_owned(), 1, None)]);
    home.fence = Some(1);
    assert_eq!(home.act("p/p", "turn_on", None), pair("p/set", "ON"));
    // One that waits for the broker when the next holder comes is not sent.
    home.disconnect();
    let waiting = home.execute("p/p", "turn_off", None, 5_000);
    integrate(&mut home, 2, 10_000);
    assert!(failure(&home, waiting).contains("somebody else holds"));
    home.connect();
    assert!(home.deliver().is_empty());
    for (fence, words) in [(Some(1), "newer"), (None, "somebody holds")] {
        home.fence = fence;
        let command = home.execute("p/p", "turn_on", None, 5_000);
        assert!(failure(&home, command).contains(words), "{}", failure(&home, command));
    }
    home.fence = Some(2);
    home.now += 10_001;
    let expired = home.execute("p/p", "turn_on", None, 5_000);
    assert!(failure(&home, expired).contains("over"), "not renewed: {}", failure(&home, expired));
    integrate(&mut home, 1, 10_000);
    assert!(matches!(home.integrated.last(), Some((_, 1, Some(reason))) if reason.contains("newer")));
    assert!(home.deliver().is_empty());
}

#[test]
fn who_lets_go_has_nothing_sent_any_more() {
    let mut home = plug();
    let twin = TwinId::new("home/p").unwrap();
    let outputs = home.registry.on_integrate(&twin, 5, Timestamp(home.now + 60_000));
    home.heed(outputs);
    home.disconnect();
    home.fence = Some(5);
    let command = home.execute("p/p", "turn_on", None, 50_000);
    let outputs = home.registry.on_released(&twin, 5);
    home.heed(outputs);
    assert!(failure(&home, command).contains("no longer"));
    home.connect();
    home.fence = None;
    assert_eq!(home.act("p/p", "turn_off", None), pair("p/set", "OFF"), "nobody holds it any more");
    let outputs = home.registry.on_integrate(&TwinId::new("home/q").unwrap(), 6, Timestamp(home.now));
    home.heed(outputs);
    assert!(matches!(home.integrated.last(), Some((_, 6, Some(reason))) if reason.contains("no such twin")));
}
