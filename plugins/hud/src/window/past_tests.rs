use std::sync::Arc;

use vestibule_twin::model::{RuleId, UserId};

use super::*;
use crate::{moment::utc, testing::door};

fn at(text: &str) -> Timestamp {
    Timestamp::from_utc(&format!("2026-11-26T{text}Z")).unwrap()
}

fn accepted(command: u8, sequence: u64, at: Timestamp) -> PastEntry {
    let what = PastFact::Accepted {
        command: CommandId([command; 16]),
        user: UserId::slug("ada"),
        device: Some("a headset".to_owned()),
        rule: RuleId::slug("owners-all"),
        feature: FeatureId::slug("door"),
        action: ActionId::slug("set_position"),
        input: Some(Value::Int(40)),
    };
    PastEntry { sequence, at, what }
}

fn came(command: u8, sequence: u64, at: Timestamp, status: CommandStatus) -> PastEntry {
    PastEntry { sequence, at, what: PastFact::Came { command: CommandId([command; 16]), status } }
}

/// The door half open at two o'clock, seen at six.
fn past() -> TwinPast {
    let info = door();
    let key = |feature: &str, property: &str| (FeatureId::slug(feature), PropertyId::slug(property));
    let half = PastReading { value: Some(Value::Int(40)), since: Some(at("13:59:58")) };
    let open = vec![(UserId::slug("bob"), FeatureId::slug("lock"), ActionId::slug("lock"))];
    let readings = [(key("door", "position"), half)].into();
    TwinPast {
        twin: Some(info.id.clone()),
        until: at("18:00:00"),
        begins: Some(at("06:00:00")),
        at: at("14:00:00"),
        moment: Some(PastMoment { at: at("14:00:00"), info: Some(Arc::new(info)), readings, open, covered: true }),
        decisions: vec![
            PastEntry { sequence: 3, at: at("06:00:00"), what: PastFact::Described },
            accepted(1, 5, at("13:59:50")),
            came(1, 6, at("13:59:58"), CommandStatus::Confirmed),
            came(9, 7, at("13:59:59"), CommandStatus::Expired),
            accepted(2, 8, at("14:00:30")),
        ],
        decided: true,
        problem: None,
    }
}

fn show(past: &TwinPast, connected: bool, drag: Option<&Drag>) -> El {
    let zone = utc();
    let view = View { past, name: Some("Front door".to_owned()), connected, zone: &zone, drag };
    window(&view, &KeyBindings::default())
}

fn texts(past: &TwinPast, connected: bool) -> String {
    show(past, connected, None).texts().join("\n")
}

fn buttons(el: &El) -> Vec<Press> {
    el.press.clone().into_iter().chain(el.children.iter().flat_map(buttons)).collect()
}

#[test]
fn the_past_is_told_and_never_taken_for_the_present() {
    let text = texts(&past(), true);
    for line in [
        "Front door: the past",
        "past",
        "Thu 26 Nov 2026, 14:00:00",
        "4 h ago",
        "Position",
        "40 % open",
        "since 13:59:58",
        "Under way then: bob had asked for Lock",
        "ada from a headset: Position (Front door): 40 % open",
        "confirmed, 13:59:58 · allowed by rule owners-all",
        "no end is known · allowed by rule owners-all",
        "A command: not confirmed in time",
        "the moment that you see",
    ] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
    assert!(!text.contains("live"), "{text}");
    let order = ["13:59:50", "the moment that you see", "14:00:30"].map(|line| text.rfind(line).unwrap());
    assert!(order.is_sorted(), "{text}");
}

#[test]
fn gaps_and_what_may_not_be_seen_are_said_without_a_hint() {
    let mut gap = past();
    gap.moment.as_mut().unwrap().covered = false;
    assert!(texts(&gap, true).contains("Not every change was kept"));
    let mut nothing = past();
    nothing.moment.as_mut().unwrap().info = None;
    nothing.decisions.clear();
    let text = texts(&nothing, true);
    assert!(text.contains("nothing of it then that you may see") && text.contains("Nothing that you may see"));
    assert!(!text.contains("Position") && !text.contains("ada"), "{text}");
}

#[test]
fn an_older_moment_is_never_shown_for_the_one_that_is_asked() {
    let mut asking = past();
    asking.at = at("15:00:00");
    let text = texts(&asking, true);
    assert!(text.contains("Asking the enabler") && !text.contains("40 % open\nsince"), "{text}");
}

#[test]
fn steps_stay_within_what_is_kept_and_the_hand_is_followed() {
    let past = past();
    let to = |label: &str, past: &TwinPast| {
        let button = buttons(&show(past, true, None)).into_iter().find(|press| press.label == label).unwrap();
        match button.action {
            HudAction::LookBack(LookBack::At(_, at)) => (at, button.enabled),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(to("An hour back", &past), (at("13:00:00"), true));
    assert_eq!(to("A day back", &past), (at("06:00:00"), true), "as far as it goes");
    let first = TwinPast { at: at("06:00:00"), ..past.clone() };
    assert_eq!(to("A day back", &first), (at("06:00:00"), false));
    assert!(texts(&first, true).contains("nothing was kept before this"));
    assert!(buttons(&show(&past, false, None)).iter().all(|press| !press.enabled || press.label == "Close"));
    let twin = past.twin.clone().unwrap();
    let target = SlideTarget::Past { twin: twin.clone(), until: past.until };
    assert_eq!(target.action(-60.0), HudAction::LookBack(LookBack::At(twin, at("17:59:00"))));
    let drag = Drag::at(target, -60.0);
    assert!(show(&past, true, Some(&drag)).texts().join("\n").contains("17:59:00"));
}
