use super::*;

fn note(urgency: Urgency, title: &str) -> Notify {
    Notify { urgency, title: title.to_owned(), text: String::new(), twin: None }
}

fn guest() -> Notify {
    let twin = Some(TwinId::new("home/front_door").unwrap());
    Notify { urgency: Urgency::Request, title: "A guest rings".to_owned(), text: "Look and open".to_owned(), twin }
}

#[test]
fn what_matters_never_vanishes_unread() {
    let mut notices = Notices::default();
    notices.push(note(Urgency::Info, "saved"), 0.0);
    notices.push(note(Urgency::Problem, "jammed"), 0.0);
    notices.push(guest(), 0.0);
    notices.expire(7.9);
    assert_eq!(notices.unread(), 3);
    notices.expire(1e9);
    assert_eq!(notices.unread(), 3, "what makes room is still to be read");
    assert_eq!(notices.live.len(), 2);
    for number in 0..200 {
        notices.push(note(Urgency::Problem, &format!("problem {number}")), 10.0);
    }
    assert_eq!(notices.live.len(), MAX_LIVE);
    assert_eq!(notices.unread(), 203, "older ones become a count, not nothing");
    let texts = stack(&notices, &KeyBindings::default(), 10.0).unwrap().texts();
    assert!(texts.contains(&"199 more to read".to_owned()), "{texts:?}");
    assert_eq!(notices.past().count(), MAX_PAST);
}

#[test]
fn an_info_gives_way_before_anything_else() {
    let mut notices = Notices::default();
    notices.push(guest(), 0.0);
    notices.push(note(Urgency::Info, "saved"), 0.0);
    for number in 0..MAX_LIVE - 1 {
        notices.push(note(Urgency::Problem, &format!("problem {number}")), 0.0);
    }
    assert_eq!(notices.folded, 1, "and is counted");
    assert!(notices.live.iter().all(|notice| notice.what.urgency != Urgency::Info));
    assert_eq!(notices.oldest().unwrap().what, guest());
}

#[test]
fn the_same_within_two_seconds_is_one() {
    let mut notices = Notices::default();
    notices.push(guest(), 0.0);
    notices.push(guest(), 1.5);
    notices.push(guest(), 3.0);
    assert_eq!((notices.live.len(), notices.live[0].count), (1, 3));
    notices.push(guest(), 6.0);
    assert_eq!(notices.live.len(), 2);
    let texts = stack(&notices, &KeyBindings::default(), 6.0).unwrap().texts();
    assert!(texts.contains(&"somebody waits, 3 times, 3 s ago".to_owned()), "{texts:?}");
}

#[test]
fn the_newest_request_is_always_in_view() {
    let mut notices = Notices::default();
    for number in 0..10 {
        notices.push(note(Urgency::Problem, &format!("problem {number}")), 0.0);
    }
    notices.push(guest(), 1.0);
    notices.push(note(Urgency::Problem, "later"), 2.0);
    let shown = notices.shown();
    assert_eq!(shown.len(), MAX_SHOWN);
    assert_eq!(shown.last().unwrap().what, guest());
    assert_eq!(notices.attended().unwrap().as_str(), "home/front_door");
    let id = notices.request().unwrap().id;
    notices.dismiss(id);
    assert_eq!(notices.attended().unwrap().as_str(), "home/front_door", "one can look again");
}

#[test]
fn an_answer_to_what_was_just_done_goes_by_itself() {
    let mut notices = Notices::default();
    notices.take(note(Urgency::Info, "That cannot be done here"), 0.0, true);
    assert_eq!(notices.unread(), 1);
    notices.expire(9.0);
    assert_eq!(notices.unread(), 0);
}
