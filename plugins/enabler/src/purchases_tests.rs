use std::collections::BTreeMap;

use vestibule_model::{CallId, CheckoutId, Confirmation, Money, PayWith, PurchaseState, SystemId, Timestamp, UserId};

use super::*;

const HOME: &str = "this computer";

fn id(n: u8) -> PurchaseId {
    PurchaseId([n; 16])
}

fn confirmation(n: u8) -> Box<Confirmation> {
    let total = Money::new(3_380, "EUR".parse().unwrap());
    Box::new(Confirmation {
        id: id(n),
        system: SystemId::slug("workshop"),
        checkout: CheckoutId::new("chk_01").unwrap(),
        shown: CallId([9; 16]),
        total,
        most: total,
        pay: PayWith { handler: "sandbox_1".to_owned(), instrument: "sandbox".to_owned() },
        designs: BTreeMap::new(),
    })
}

fn update(n: u8, state: PurchaseState, at: u64) -> PurchaseUpdate {
    let confirmed = confirmation(n);
    PurchaseUpdate {
        id: id(n),
        user: UserId::slug("ada"),
        system: confirmed.system,
        checkout: confirmed.checkout,
        state,
        total: confirmed.total,
        order: None,
        checked: None,
        said: None,
        confirmed: Timestamp(1),
        at: Timestamp(at),
    }
}

fn refusal(code: RefusalCode) -> Result<Response, Refusal> {
    Err(Refusal::new(code, "why"))
}

#[derive(Default)]
struct Scene {
    known: KnownPurchases,
    buying: Buying,
}

impl Scene {
    fn ask(&mut self, wish: &ManagePurchases) -> Option<Ask> {
        request(wish, &mut self.known, &mut self.buying, HOME)
    }

    fn take(&mut self, question: PurchaseQuestion, answer: Result<Response, Refusal>) -> Option<Ask> {
        take(&mut self.known, &mut self.buying, HOME, question, answer)
    }

    fn confirm(&mut self, n: u8) -> PurchaseQuestion {
        let (question, asked) = self.ask(&ManagePurchases::Confirm(confirmation(n))).unwrap();
        assert_eq!(asked, Request::Confirm(confirmation(n)));
        question
    }
}

#[test]
fn a_confirmation_is_in_doubt_until_the_enabler_says_something_of_it() {
    let mut scene = Scene::default();
    let question = scene.confirm(1);
    assert!(scene.known.in_doubt.contains(&id(1)));
    let answer = Response::Purchase(Box::new(update(1, PurchaseState::Confirmed, 2)));
    assert_eq!(scene.take(question, Ok(answer)), None);
    assert!(scene.known.in_doubt.is_empty() && scene.buying.journal.waiting(HOME).is_empty());
    let placing = PurchaseState::Placing { attempts: 1, since: Timestamp(3) };
    told(&mut scene.known, &mut scene.buying, HOME, Told::Purchase(Box::new(update(1, placing.clone(), 3))));
    told(&mut scene.known, &mut scene.buying, HOME, Told::Purchase(Box::new(update(1, PurchaseState::Confirmed, 2))));
    assert_eq!(scene.known.by_id[&id(1)].state, placing, "what comes late changes nothing");
}

#[test]
fn a_no_is_a_no_and_a_lost_answer_is_none() {
    let mut scene = Scene::default();
    let question = scene.confirm(1);
    assert_eq!(scene.take(question, refusal(RefusalCode::RevisionMismatch)), None);
    assert!(scene.known.in_doubt.is_empty() && scene.known.refused.contains_key(&id(1)));
    for lost in [RefusalCode::Unavailable, RefusalCode::Storage] {
        let question = scene.confirm(2);
        let (asked, what) = scene.take(question, refusal(lost)).unwrap();
        assert_eq!(what, Request::Purchase(id(2)), "it may have arrived");
        assert!(scene.known.in_doubt.contains(&id(2)) && !scene.known.refused.contains_key(&id(2)));
        assert_eq!(scene.take(asked.clone(), refusal(RefusalCode::Unavailable)), None, "asked again when it is back");
        assert!(scene.known.in_doubt.contains(&id(2)));
        assert_eq!(scene.take(asked, refusal(RefusalCode::NotFound)), None);
        assert!(scene.known.in_doubt.is_empty() && scene.buying.journal.waiting(HOME).is_empty());
        assert!(scene.known.refused[&id(2)].message.contains("nothing was ordered"));
    }
}

#[test]
fn a_program_that_was_killed_asks_what_became_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("purchases.txt");
    let mut scene = Scene { buying: Buying::open(Some(path.clone())), ..Scene::default() };
    scene.confirm(1);
    // It is on the disk before anything leaves; here the program ends.
    drop(scene);
    let mut scene = Scene { buying: Buying::open(Some(path)), ..Scene::default() };
    assert_eq!(regain(&mut scene.known, &mut scene.buying, "another enabler"), [products(None)]);
    let asks = regain(&mut scene.known, &mut scene.buying, HOME);
    assert_eq!(asks, [ask(id(1)), products(None)]);
    assert!(scene.known.in_doubt.contains(&id(1)));
    let answer = Response::Purchase(Box::new(update(1, PurchaseState::Confirmed, 2)));
    scene.take(PurchaseQuestion::Ask(id(1)), Ok(answer));
    assert_eq!(regain(&mut scene.known, &mut scene.buying, HOME), [products(None)]);
    assert!(scene.known.by_id.contains_key(&id(1)));
}

#[test]
fn what_cannot_be_written_down_is_not_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none").join("purchases.txt");
    let mut scene = Scene { buying: Buying::open(Some(path)), ..Scene::default() };
    assert_eq!(scene.ask(&ManagePurchases::Confirm(confirmation(1))), None);
    assert!(scene.known.in_doubt.is_empty());
    assert!(scene.known.refused[&id(1)].message.contains("nothing was ordered"));
}

#[test]
fn what_is_long_goes_in_parts_and_goes_on_after_a_lost_link() {
    let mut scene = Scene::default();
    let bytes: Vec<u8> = (0..PART * 2 + 3).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let given = Given::new(Given::PACKAGE, bytes.clone());
    let mut asked = scene.ask(&ManagePurchases::Give(given.clone()));
    assert_eq!(scene.ask(&ManagePurchases::Give(given.clone())), None, "it is under way");
    let mut there: Vec<u8> = Vec::new();
    let mut rounds = 0;
    while let Some((question, request)) = asked {
        rounds += 1;
        let Request::Give { offset, size, bytes, .. } = request else { panic!("{request:?}") };
        assert_eq!((offset, size), (there.len() as u64, given.bytes.len() as u64));
        there.extend(bytes);
        if rounds == 2 {
            // The answer is lost with the link; what it had heard is not sent again.
            assert_eq!(scene.take(question, refusal(RefusalCode::Unavailable)), None);
            assert!(matches!(scene.known.given[&given.hash], Giving::Lost(_)), "some of it may be there");
            let asks = regain(&mut scene.known, &mut scene.buying, HOME);
            let [_, (question, Request::Give { bytes, .. })] = asks.as_slice() else { panic!("{asks:?}") };
            assert!(bytes.is_empty(), "how far is it?");
            asked = scene.take(question.clone(), Ok(Response::Given { next: there.len() as u64 }));
            continue;
        }
        asked = scene.take(question, Ok(Response::Given { next: there.len() as u64 }));
    }
    assert_eq!((there, rounds), (bytes, 3));
    assert_eq!(scene.known.given[&given.hash], Giving::There);
}

#[test]
fn an_enabler_that_keeps_nothing_is_not_sent_the_same_for_ever() {
    let mut scene = Scene::default();
    let given = Given::new(Given::PERSON, b"{}".as_slice());
    let (question, _) = scene.ask(&ManagePurchases::Give(given.clone())).unwrap();
    assert_eq!(scene.take(question, Ok(Response::Given { next: 0 })), None);
    assert!(matches!(scene.known.given[&given.hash], Giving::Refused(_)));
    let (question, _) = scene.ask(&ManagePurchases::Give(given.clone())).unwrap();
    assert_eq!(scene.take(question, refusal(RefusalCode::Overloaded)), None);
    assert!(matches!(&scene.known.given[&given.hash], Giving::Refused(why) if why.code == RefusalCode::Overloaded));
}

#[test]
fn what_there_is_no_room_for_is_not_sent() {
    let mut scene = Scene::default();
    let given = |n: usize| ManagePurchases::Give(Given::new(Given::PERSON, n.to_string().into_bytes()));
    for n in 0..MOST_GIVEN {
        assert!(scene.ask(&given(n)).is_some());
    }
    assert_eq!(scene.ask(&given(MOST_GIVEN)), None);
    let hash = ContentHash::of(MOST_GIVEN.to_string().as_bytes());
    assert!(matches!(scene.known.given[&hash], Giving::NotSent(_)), "{:?}", scene.known.given[&hash]);
}

#[test]
fn what_one_enabler_says_of_what_it_was_given_is_not_taken_for_another_s() {
    let mut scene = Scene::default();
    let given = Given::new(Given::PERSON, b"{}".as_slice());
    let wish = ManagePurchases::Give(given.clone());
    let (first, _) = scene.ask(&wish).unwrap();
    scene.take(first.clone(), refusal(RefusalCode::Unavailable));
    let gives = |asks: &[Ask]| asks.iter().any(|(question, _)| matches!(question, PurchaseQuestion::Give(..)));
    let Scene { known, buying } = &mut scene;
    assert!(!gives(&regain(known, buying, "another enabler")), "it was not given to that one");
    let (second, _) = request(&wish, known, buying, "another enabler").unwrap();
    assert_eq!((known.given_to.as_str(), &known.given[&given.hash]), ("another enabler", &Giving::Under(0, 2)));
    // The first one's answer comes late.
    assert_eq!(take(known, buying, HOME, first, Ok(Response::Given { next: 2 })), None);
    assert_eq!(known.given[&given.hash], Giving::Under(0, 2), "the second one has not said anything");
    assert_eq!(take(known, buying, "another enabler", second, Ok(Response::Given { next: 2 })), None);
    assert_eq!(known.given[&given.hash], Giving::There);
}

#[test]
fn one_question_about_a_product_at_a_time() {
    let mut scene = Scene::default();
    let serial = Serial::new("W1042-0001").unwrap();
    let twin = vestibule_model::TwinId::new("home/new_lamp").unwrap();
    let bind = ManagePurchases::Bind {
        twin: twin.clone(),
        purchase: id(1),
        serial: serial.clone(),
        certificate: "c".to_owned(),
    };
    let (question, _) = scene.ask(&bind).unwrap();
    assert_eq!(scene.ask(&bind), None);
    scene.take(question, refusal(RefusalCode::Forbidden));
    assert_eq!(scene.known.not_bound[&serial].code, RefusalCode::Forbidden);
    let (question, _) = scene.ask(&bind).unwrap();
    let line = vestibule_model::LineId::new("li_1").unwrap();
    let product = Product { purchase: id(1), line, serial: serial.clone(), twin, design: None, since: Timestamp(1) };
    scene.take(question, Ok(Response::Product(product.clone())));
    assert_eq!(scene.known.products[&serial], product);
    assert!(scene.known.binding.is_empty() && scene.known.not_bound.is_empty());
    let (question, _) = scene.ask(&ManagePurchases::Unbind(serial)).unwrap();
    scene.take(question, Ok(Response::Done));
    assert!(scene.known.products.is_empty() && scene.known.binding.is_empty());
}

fn product(number: usize) -> Product {
    let (line, serial) =
        (vestibule_model::LineId::new("li_1").unwrap(), Serial::new(format!("W-{number:04}")).unwrap());
    let twin = vestibule_model::TwinId::new(format!("home/lamp_{number}")).unwrap();
    Product { purchase: id(1), line, serial, twin, design: None, since: Timestamp(1) }
}

/// Answers the question about products as an enabler that has these, in their order.
fn list(scene: &mut Scene, there: &[Product]) -> usize {
    let mut asks = regain(&mut scene.known, &mut scene.buying, HOME);
    let mut pages = 0;
    while let Some((question, request)) = asks.pop() {
        let Request::Products { after, limit } = request else { panic!("{request:?}") };
        let later = there.iter().filter(|one| after.as_ref().is_none_or(|after| one.serial > *after));
        let page = later.take(limit.into()).cloned().collect();
        pages += 1;
        asks.extend(scene.take(question, Ok(Response::Products(page))));
    }
    pages
}

#[test]
fn a_program_that_starts_anew_knows_what_was_bound_before() {
    let all: Vec<Product> = (0..450).map(product).collect();
    let mut scene = Scene::default();
    assert_eq!(list(&mut scene, &all), 3);
    assert_eq!(scene.known.products.values().cloned().collect::<Vec<_>>(), all);
    // What was unbound while the link was down is gone, wherever it stood, and what was bound meanwhile is there.
    for left in [vec![0], vec![199, 200, 201], vec![449], vec![5, 250, 448]] {
        let rest: Vec<Product> =
            all.iter().enumerate().filter(|(place, _)| !left.contains(place)).map(|(_, one)| one.clone()).collect();
        list(&mut scene, &rest);
        assert_eq!(scene.known.products.values().cloned().collect::<Vec<_>>(), rest, "{left:?}");
    }
    assert_eq!(list(&mut scene, &[]), 1);
    assert!(scene.known.products.is_empty());
}

#[test]
fn what_is_heard_while_products_are_listed_is_newer_than_the_list() {
    let mut scene = Scene::default();
    list(&mut scene, &[product(1), product(2)]);
    let asks = regain(&mut scene.known, &mut scene.buying, HOME);
    let [(question, _)] = asks.as_slice() else { panic!("{asks:?}") };
    let Scene { known, buying } = &mut scene;
    told(known, buying, HOME, Told::Unbound(product(1).serial));
    told(known, buying, HOME, Told::Product(product(3)));
    // Written before both, and it comes after them.
    assert_eq!(scene.take(question.clone(), Ok(Response::Products(vec![product(1), product(2)]))), None);
    let there: Vec<&Serial> = scene.known.products.keys().collect();
    assert_eq!(there, [&product(2).serial, &product(3).serial]);
    // Who bears a token is told that they have none: nothing is lost by that.
    let asks = regain(&mut scene.known, &mut scene.buying, HOME);
    assert_eq!(scene.take(asks[0].0.clone(), refusal(RefusalCode::Unauthenticated)), None);
    assert_eq!(scene.known.products.len(), 2);
}
