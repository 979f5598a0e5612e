use super::*;
use crate::UserId;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    user: UserId,
    #[serde(with = "personal")]
    device: String,
    by: UserId,
}

fn salt() -> [u8; 32] {
    static NEXT: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(1);
    [NEXT.fetch_add(1, std::sync::atomic::Ordering::SeqCst); 32]
}

fn line() -> Line {
    Line { user: UserId::slug("ada"), device: "Ada's phone".to_owned(), by: UserId::slug("bo") }
}

#[test]
fn names_are_written_apart_and_read_together() {
    let mut book = NameBook::new(salt);
    let text = book.scope(|| serde_json::to_string(&line())).unwrap();
    assert!(!text.contains("ada") && !text.contains("phone") && !text.contains("\"bo\""), "{text}");
    assert_eq!(book.take_fresh().len(), 3);
    assert_eq!(book.scope(|| serde_json::to_string(&line())).unwrap(), text, "always the same pseudonym");
    assert!(book.take_fresh().is_empty());
    assert_eq!(book.scope(|| serde_json::from_str::<Line>(&text)).unwrap(), line());
    // Nothing of this happens outside of a scope: on the wire names are names.
    assert!(serde_json::to_string(&line()).unwrap().contains("ada"));
    let other: Line = serde_json::from_str(&serde_json::to_string(&line()).unwrap()).unwrap();
    assert_eq!(other, line());
}

#[test]
fn what_is_forgotten_stays_forgotten_and_keeps_its_place() {
    let mut book = NameBook::new(salt);
    let text = book.scope(|| serde_json::to_string(&line())).unwrap();
    let person = book.user("ada").unwrap();
    book.forget(person);
    let read: Line = book.scope(|| serde_json::from_str(&text)).unwrap();
    assert_eq!((read.user.as_str(), read.device.as_str()), (erased_user(person).as_str(), ERASED));
    assert_eq!(read.by.as_str(), "bo");
    assert!(is_erased(read.user.as_str()) && !is_erased("bo") && !is_erased("erased:bo"));
    book.take_fresh();
    let again = book.scope(|| serde_json::to_string(&read)).unwrap();
    assert!(again.contains(&person.to_string()), "the same pseudonym: {again}");
    assert!(book.take_fresh().is_empty());
    let new = book.scope(|| serde_json::to_string(&line())).unwrap();
    assert!(!new.contains(&person.to_string()), "somebody with the same name is somebody else");
}

#[test]
fn who_acts_in_their_stead_and_what_they_are_called_after_go_with_them() {
    let mut book = NameBook::new(salt);
    let named = Line { device: "ada".to_owned(), by: UserId::slug("ada:postman"), ..line() };
    let text = book.scope(|| serde_json::to_string(&named)).unwrap();
    let fresh = book.take_fresh();
    assert_eq!(fresh.len(), 2, "a name that is the id needs no other pseudonym: {text}");
    assert_eq!(book.scope(|| serde_json::from_str::<Line>(&text)).unwrap(), named);
    let (ada, postman) = (book.user("ada").unwrap(), book.user("ada:postman").unwrap());
    let other = book.scope(|| serde_json::to_string(&UserId::slug("adam:postman"))).unwrap();
    book.forget(ada);
    let read: Line = book.scope(|| serde_json::from_str(&text)).unwrap();
    assert_eq!((read.device.as_str(), read.by.as_str()), (read.user.as_str(), erased_user(postman).as_str()));
    assert_eq!(book.scope(|| serde_json::to_string(&read)).unwrap(), text, "the same pseudonyms");
    let other: UserId = book.scope(|| serde_json::from_str(&other)).unwrap();
    assert_eq!(other.as_str(), "adam:postman");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Agreed {
    user: UserId,
    shop: crate::Pseudonym,
    #[serde(with = "personal::option")]
    account: Option<String>,
}

#[test]
fn what_others_call_a_person_is_forgotten_with_them() {
    let mut book = NameBook::new(salt);
    let shop = crate::Pseudonym::slug("u-1");
    assert_eq!(book.scope(|| serde_json::to_string(&shop)).unwrap(), "\"u-1\"", "nobody's yet");
    let agreed = Agreed { user: UserId::slug("ada"), shop: shop.clone(), account: Some("ada@shop".to_owned()) };
    let text = book.scope(|| serde_json::to_string(&agreed)).unwrap();
    assert!(!text.contains("u-1") && !text.contains("ada"), "{text}");
    assert_eq!(book.scope(|| serde_json::from_str::<Agreed>(&text)).unwrap(), agreed);
    // Later without saying whose it is.
    let alone = book.scope(|| serde_json::to_string(&shop)).unwrap();
    assert!(text.contains(&alone), "{alone}");
    book.take_fresh();
    book.forget(book.user("ada").unwrap());
    let read: Agreed = book.scope(|| serde_json::from_str(&text)).unwrap();
    assert!(read.shop.as_str().starts_with(ERASED_USER) && read.account.as_deref() == Some(ERASED), "{read:?}");
    assert_eq!(book.scope(|| serde_json::to_string(&read.shop)).unwrap(), alone, "the same pseudonym");
    let none = Agreed { account: None, ..agreed };
    let text = book.scope(|| serde_json::to_string(&none)).unwrap();
    assert_eq!(book.scope(|| serde_json::from_str::<Agreed>(&text)).unwrap(), none);
}

#[test]
fn a_name_that_was_changed_is_no_name() {
    let mut book = NameBook::new(salt);
    book.scope(|| serde_json::to_string(&line())).unwrap();
    let mut name = book.take_fresh().remove(0);
    name.text = "bo".to_owned();
    assert!(!NameBook::new(salt).insert(name));
}

#[test]
fn a_user_who_calls_themselves_a_pseudonym_is_a_user() {
    let mut book = NameBook::new(salt);
    let text = book.scope(|| serde_json::to_string(&line())).unwrap();
    let token = format!("{USER}{}", book.user("ada").unwrap());
    let sly = Line { user: UserId::slug(&token), ..line() };
    let sealed = book.scope(|| serde_json::to_string(&sly)).unwrap();
    assert_ne!(sealed, text);
    assert_eq!(book.scope(|| serde_json::from_str::<Line>(&sealed)).unwrap(), sly);
}
