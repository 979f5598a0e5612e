//! Whatever bytes a log or a snapshot has: reading ends in an event, a state or an error, and applying what was read never
//! panics.

use proptest::prelude::*;

use super::*;

/// Lines of a house in which something happened, as they are written.
fn lines() -> Vec<Vec<u8>> {
    let mut house = House::with_lamp();
    let id = house.order("light", "turn_on");
    house.outcome(id, CommandStatus::Executed);
    house.report("light", Value::Bool(true), 2);
    house.order("siren", "turn_on");
    house.pass(10_000);
    let mut names = NameBook::new(|| [7; 32]);
    let written = house.log.iter().map(|(_, event)| names.scope(|| event.written()).unwrap().0);
    written.collect()
}

fn snapshot(lines: &[Vec<u8>]) -> Vec<u8> {
    let mut state = State::default();
    lines.iter().for_each(|line| state.apply(Timestamp(1), &LogEvent::read(line).unwrap()));
    serde_json::to_vec(&state).unwrap()
}

fn apply(state: &mut State, event: &LogEvent) {
    let _ = event.about();
    state.apply(Timestamp(5), event);
    let _ = Hot::restore(state, Timestamp(6));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_line_with_another_byte_is_no_end(which in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(),
                                          byte in any::<u8>()) {
        let lines = lines();
        let mut line = lines[which.index(lines.len())].clone();
        let place = place.index(line.len());
        line[place] = byte;
        if let Ok(event) = LogEvent::read(&line) {
            let mut state = State::default();
            lines.iter().for_each(|line| state.apply(Timestamp(1), &LogEvent::read(line).unwrap()));
            apply(&mut state, &event);
        }
        line.truncate(place);
        prop_assert!(LogEvent::read(&line).is_err());
    }

    #[test]
    fn a_snapshot_with_another_byte_is_no_end(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let lines = lines();
        let mut bytes = snapshot(&lines);
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(mut state) = serde_json::from_slice::<State>(&bytes) {
            for line in &lines {
                apply(&mut state, &LogEvent::read(line).unwrap());
            }
        }
        bytes.truncate(place);
        prop_assert!(serde_json::from_slice::<State>(&bytes).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut names = NameBook::new(|| [7; 32]);
        let _ = names.scope(|| LogEvent::read(&bytes));
        let _ = names.scope(|| serde_json::from_slice::<State>(&bytes));
    }
}
