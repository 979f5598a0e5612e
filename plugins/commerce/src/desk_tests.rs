use serde_json::json;
use vestibule_model::{CallStatus, CheckoutId, ContentHash, DesignHash, PurchaseState, Refusal};
use vestibule_twin::{Given, Giving, ShopTold};

use super::*;
use crate::{
    person::tests::home,
    testing::{Scene, euro, shop},
};

#[test]
fn from_a_word_to_the_click_that_costs_money() {
    let mut scene = Scene::new();
    scene.wish(Shop::Search(" lamp ".to_owned()));
    assert!(scene.view().searching);
    let found = json!({"ucp": {"version": "2026-04-08"}, "products": [{"id": "p", "title": "Desk lamp",
        "price_range": {"min": {"amount": 3900, "currency": "EUR"}, "max": {"amount": 3900, "currency": "EUR"}},
        "variants": [{"id": "lamp", "title": "Desk lamp", "price": {"amount": 3900, "currency": "EUR"}}]}]});
    let (service, input) = scene.answer(found);
    assert_eq!((service, &input["query"]), ("search", &json!("lamp")));
    let view = scene.view();
    assert_eq!((view.searching, view.goods.len(), view.goods[0].price), (false, 1, euro(3_900)));
    scene.add(2);
    assert_eq!(scene.why_not(), "the merchant has not answered yet");
    let (service, input) = scene.serve();
    assert_eq!((service, input.get("buyer"), input.get("id")), ("checkout", None, None), "nobody is told who asks");
    assert_eq!(scene.cart().lines[0].total, euro(7_800));
    assert_eq!(scene.why_not(), "say where it goes, and send that to the merchant");
    scene.wish(Shop::Address { system: shop(), address: 0 });
    assert!(scene.asked.is_empty() && scene.managed.is_empty(), "choosing an address tells nobody");
    let leaves = scene.cart().leaves;
    assert!(leaves.contains(&("Street".to_owned(), "11 Example Street".to_owned())), "{leaves:?}");
    scene.wish(Shop::Send(shop()));
    let hash = scene.given();
    assert!(scene.asked.is_empty(), "the document is there before it is named");
    scene.purchases.given.insert(hash, Giving::There);
    scene.follow();
    let (_, input) = scene.serve();
    assert_eq!(input["buyer"], json!({"$person": hash, "at": "/buyer"}));
    assert!(!input.to_string().contains("Example Street"), "calls are written down for ever");
    assert_eq!(input["id"], json!("chk_01"));
    assert_eq!(scene.why_not(), "choose how it is brought");
    scene.wish(Shop::Deliver { system: shop(), group: "grp_1".to_owned(), option: "standard".to_owned() });
    let (call, ..) = scene.asked[0];
    scene.serve();
    assert_eq!(scene.why_not(), "choose how you pay");
    let with = scene.pay();
    scene.wish(Shop::Pay { system: shop(), with: with.clone() });
    let confirmed = scene.confirm(euro(8_290)).unwrap();
    assert_eq!((confirmed.total, confirmed.most, confirmed.pay), (euro(8_290), euro(8_290), with));
    assert_eq!((confirmed.shown, confirmed.checkout), (call, CheckoutId::new("chk_01").unwrap()));
    assert_eq!(scene.why_not(), "it was confirmed already");
    assert_eq!(scene.confirm(euro(8_290)), None, "one click is one purchase");
}

#[test]
fn merchants_are_called_as_they_call_themselves_and_told_apart() {
    let mut scene = Scene::new();
    scene.add(1);
    assert_eq!((scene.view().merchants[0].name.as_str(), scene.cart().name.as_str()), ("The shop", "The shop"));
    let mut other = scene.systems.systems[&shop()].clone();
    (other.info.id, other.info.name) = (SystemId::slug("bakery"), "the Shop".to_owned());
    scene.systems.systems.insert(other.info.id.clone(), other);
    let names: Vec<_> = scene.view().merchants.into_iter().map(|merchant| merchant.name).collect();
    assert_eq!(names, ["the Shop (bakery)", "The shop (shop)"]);
    for nothing in ["", "  ", "bakery"] {
        scene.systems.systems.get_mut(&SystemId::slug("bakery")).unwrap().info.name = nothing.to_owned();
        assert_eq!(scene.view().merchants[0].name, "bakery");
    }
    assert_eq!(merchant_name(&scene.systems, &SystemId::slug("gone")), "gone");
}

#[test]
fn another_total_than_was_shown_orders_nothing() {
    let mut scene = Scene::ready();
    assert_eq!(scene.confirm(euro(4_000)), None);
    let cart = scene.cart();
    let problem = cart.problem.unwrap();
    assert!(problem.contains("it costs 43.90 EUR now, and you confirmed 40.00 EUR"), "{problem}");
    assert!(scene.confirm(euro(4_390)).is_some(), "what is shown can be confirmed");
}

#[test]
fn a_price_that_changed_by_itself_is_said_and_confirmed_anew() {
    let mut scene = Scene::ready();
    scene.price = 4_200;
    scene.wish(Shop::Look);
    let (_, service, ref input) = scene.asked[0];
    assert_eq!(service, "look_checkout");
    assert!(
        input["buyer"]["$person"].is_string(),
        "the merchant's words are kept, and what they say of the person is not"
    );
    let input = json!({"id": "chk_01", "line_items": [{"item": {"id": "lamp"}, "quantity": 1}], "buyer": {},
        "fulfillment": {"methods": [{"groups": [{"selected_option_id": "standard"}]}]}});
    let output = scene.checkout(&input);
    scene.answer(output);
    let cart = scene.cart();
    assert_eq!((cart.was, cart.total), (Some(euro(4_390)), Some(euro(4_690))));
    assert_eq!(scene.confirm(euro(4_390)), None, "a press that was meant for the old price");
    assert!(scene.confirm(euro(4_690)).is_some());
    // What the person changes themselves is no surprise.
    let mut scene = Scene::ready();
    scene.wish(Shop::Count { system: shop(), line: "li_1".to_owned(), quantity: 3 });
    scene.serve();
    assert_eq!((scene.cart().was, scene.cart().total), (None, Some(euro(12_190))));
}

#[test]
fn after_a_no_there_is_a_new_cart_with_the_same_things() {
    let mut scene = Scene::ready();
    let confirmed = scene.confirm(euro(4_390)).unwrap();
    scene.price = 4_200;
    let state = PurchaseState::NotPlaced { code: "price_changed".to_owned(), reason: "It costs more now.".to_owned() };
    scene.told(&confirmed, state);
    assert_eq!(scene.cart().problem.as_deref(), Some("It was not ordered: It costs more now."));
    let (service, input) = scene.serve();
    assert_eq!((service, input.get("id"), &input["line_items"][0]["item"]["id"]), ("checkout", None, &json!("lamp")));
    assert!(input.get("buyer").is_some(), "who was told once need not be told again");
    let cart = scene.cart();
    assert_eq!((cart.was, cart.total), (Some(euro(4_390)), Some(euro(4_690))));
    let again = scene.confirm(euro(4_690)).unwrap();
    assert_ne!(again.id, confirmed.id, "another purchase");
}

#[test]
fn a_refused_confirmation_says_why_and_one_in_doubt_waits() {
    let mut scene = Scene::ready();
    let confirmed = scene.confirm(euro(4_390)).unwrap();
    scene.purchases.in_doubt.insert(confirmed.id);
    scene.follow();
    assert!(scene.cart().purchase.is_some() && scene.asked.is_empty(), "nobody knows yet");
    scene.purchases.in_doubt.clear();
    let refusal = Refusal::new(RefusalCode::Overloaded, "wait until one is done");
    scene.purchases.refused.insert(confirmed.id, refusal);
    scene.follow();
    let cart = scene.cart();
    assert_eq!((cart.purchase, cart.problem.as_deref()), (None, Some("It was not ordered: wait until one is done")));
    scene.serve();
    assert_eq!(scene.cart().why_not, None, "it can be tried again");
}

#[test]
fn what_is_wanted_is_in_the_cart_before_its_merchant_says_so() {
    let mut scene = Scene::new();
    let wanted = |scene: &mut Scene| scene.cart().wanted.iter().map(|(_, count)| *count).collect::<Vec<_>>();
    scene.add(2);
    assert_eq!((wanted(&mut scene), scene.cart().lines.len()), (vec![2], 0));
    scene.add(1);
    assert_eq!(wanted(&mut scene), [3], "one line of each item");
    scene.serve();
    assert_eq!((wanted(&mut scene), scene.cart().lines[0].quantity), (vec![3], 2), "it has answered to the first");
    // Of what it has less than that there is as much as it says.
    let (_, _, mut input) = scene.asked[0].clone();
    input["line_items"][0]["quantity"] = 1.into();
    let output = scene.checkout(&input);
    scene.answer(output);
    assert_eq!(wanted(&mut scene), [1]);
    // A call that is lost takes nothing out of it.
    scene.add(1);
    scene.refuse("it did not answer in time");
    assert_eq!(wanted(&mut scene), [2]);
    scene.wish(Shop::Count { system: shop(), line: "li_1".to_owned(), quantity: 0 });
    assert_eq!(wanted(&mut scene), Vec::<u32>::new());
}

#[test]
fn where_an_address_is_that_was_sent_is_said_as_far_as_it_is_known() {
    let mut scene = Scene::new();
    scene.add(1);
    scene.serve();
    scene.wish(Shop::Address { system: shop(), address: 0 });
    scene.connected = false;
    scene.wish(Shop::Send(shop()));
    assert!(scene.managed.is_empty() && scene.cart().problem.unwrap().contains("was not sent"));
    scene.connected = true;
    scene.wish(Shop::Send(shop()));
    let hash = scene.given();
    let lost = Giving::Lost(Refusal::new(RefusalCode::Unavailable, "the connection was lost"));
    scene.purchases.given.insert(hash, lost);
    scene.follow();
    let cart = scene.cart();
    assert!(cart.problem.unwrap().contains("the enabler may have it") && cart.busy.is_none());
    assert_eq!((cart.told, cart.leaves.len()), (ShopTold::OnItsWay, 0));
    // It goes on by itself.
    scene.purchases.given.insert(hash, Giving::There);
    scene.follow();
    assert_eq!((scene.cart().problem, scene.asked.len()), (None, 1));
    scene.refuse("not done in time");
    assert_eq!(scene.cart().told, ShopTold::Unsure, "it may have heard it");
    scene.wish(Shop::Look);
    assert_eq!(scene.cart().told, ShopTold::OnItsWay);
    scene.serve();
    assert_eq!(scene.cart().told, ShopTold::Told);
}

#[test]
fn late_answers_lost_ones_and_second_ones_change_nothing() {
    let mut scene = Scene::new();
    scene.add(1);
    scene.add(1);
    assert_eq!(scene.asked.len(), 1, "one change at a time");
    let (call, _, input) = scene.asked[0].clone();
    scene.serve();
    assert_eq!(scene.asked.len(), 1, "then the newest");
    let (_, now) = scene.serve();
    assert_eq!((&now["line_items"][0]["quantity"], &now["line_items"][0]["id"]), (&json!(2), &json!("li_1")));
    let stale = scene.checkout(&input);
    scene.end(call, CallStatus::Succeeded, Some(stale));
    scene.follow();
    assert_eq!(scene.cart().lines[0].quantity, 2);
    // Never: the enabler gives the call up.
    scene.wish(Shop::Count { system: shop(), line: "li_1".to_owned(), quantity: 5 });
    let (call, ..) = scene.asked.pop_front().unwrap();
    scene.end(call, CallStatus::Expired { kept: Vec::new() }, None);
    scene.follow();
    assert_eq!(scene.cart().problem.as_deref(), Some("not done in time"));
    scene.wish(Shop::Look);
    let (_, again) = scene.serve();
    assert_eq!(again["line_items"][0]["quantity"], json!(5), "what was wanted is wanted still");
    // A link that broke is told, too.
    scene.wish(Shop::Count { system: shop(), line: "li_1".to_owned(), quantity: 6 });
    let (call, ..) = scene.asked.pop_front().unwrap();
    scene.services.refuse(call, Refusal::new(RefusalCode::Unavailable, "the link is down"));
    scene.follow();
    assert!(scene.cart().problem.unwrap().contains("could not be reached"));
}

#[test]
fn a_session_that_ended_is_begun_anew_once() {
    let mut scene = Scene::ready();
    scene.wish(Shop::Count { system: shop(), line: "li_1".to_owned(), quantity: 2 });
    scene.refuse("there is none any more (session_expired)");
    let (_, _, input) = scene.asked[0].clone();
    assert_eq!((input.get("id"), &input["line_items"][0]["quantity"]), (None, &json!(2)));
    assert!(input["line_items"][0].get("id").is_none());
    scene.refuse("there is none any more (session_expired)");
    assert!(scene.asked.is_empty(), "not for ever");
    assert!(scene.cart().problem.unwrap().contains("session_expired"));
}

#[test]
fn sold_out_is_said_and_cannot_be_confirmed() {
    let mut scene = Scene::ready();
    scene.wish(Shop::Count { system: shop(), line: "li_1".to_owned(), quantity: 9 });
    let (_, _, input) = scene.asked[0].clone();
    let mut output = scene.checkout(&input);
    output["status"] = "incomplete".into();
    output["messages"] = json!([{"type": "error", "code": "out_of_stock", "content": "Only 4 of Desk lamp are left.",
        "severity": "recoverable", "path": "$.line_items[0]"}]);
    scene.answer(output);
    let cart = scene.cart();
    assert_eq!(cart.why_not.as_deref(), Some("Only 4 of Desk lamp are left"));
    assert_eq!(cart.notes[0].line.as_deref(), Some("li_1"));
    assert_eq!(scene.confirm(cart.total.unwrap()), None);
}

#[test]
fn entries_that_do_not_add_up_are_never_paid() {
    let mut scene = Scene::ready();
    scene.wish(Shop::Look);
    let input = json!({"id": "chk_01", "line_items": [{"item": {"id": "lamp"}, "quantity": 1}], "buyer": {},
        "fulfillment": {"methods": [{"groups": [{"selected_option_id": "standard"}]}]}});
    let mut output = scene.checkout(&input);
    output["totals"][2]["amount"] = 4_391.into();
    scene.answer(output);
    assert!(scene.why_not().contains("add up"), "{}", scene.why_not());
    assert_eq!(scene.confirm(euro(4_391)), None);
}

#[test]
fn another_cart_or_nonsense_is_not_taken() {
    let mut scene = Scene::ready();
    scene.wish(Shop::Look);
    let input = json!({"id": "chk_02", "line_items": [{"item": {"id": "lamp"}, "quantity": 1}]});
    let output = scene.checkout(&input);
    scene.answer(output);
    assert!(scene.cart().problem.unwrap().contains("another cart"));
    scene.wish(Shop::Count { system: shop(), line: "li_1".to_owned(), quantity: 2 });
    scene.answer(json!({"ucp": 7}));
    assert!(scene.cart().problem.unwrap().contains("cannot be used"));
}

#[test]
fn another_address_takes_the_old_one_back_and_an_empty_one_is_not_sent() {
    let mut scene = Scene::ready();
    scene.addresses.addresses.push(vestibule_twin::AddressEntry { street: String::new(), ..home() });
    scene.wish(Shop::Address { system: shop(), address: 1 });
    let (_, input) = scene.serve();
    assert_eq!((input.get("buyer"), input.get("fulfillment")), (None, None), "the old one counts no longer");
    scene.wish(Shop::Send(shop()));
    assert_eq!(scene.cart().problem.as_deref(), Some("The address has no street."));
    scene.wish(Shop::Address { system: shop(), address: 7 });
    assert_eq!(scene.view().problem.as_deref(), Some("There is no such address."));
}

#[test]
fn where_it_goes_is_what_was_told_whatever_the_book_says_by_now() {
    let mut scene = Scene::ready();
    let office = vestibule_twin::AddressEntry { label: "Office".to_owned(), ..home() };
    scene.addresses.addresses = vec![office];
    scene.follow();
    let cart = scene.cart();
    assert_eq!((cart.told, cart.address, cart.goes_to), (ShopTold::Told, None, Some(home())));
    // The office was not told, and is looked up anew until it is.
    scene.wish(Shop::Address { system: shop(), address: 0 });
    scene.addresses.addresses[0].street = "1 Other Street".to_owned();
    scene.follow();
    let cart = scene.cart();
    assert!(cart.leaves.contains(&("Street".to_owned(), "1 Other Street".to_owned())), "{:?}", cart.leaves);
    scene.addresses.addresses.insert(0, home());
    scene.follow();
    assert_eq!(scene.cart().address, Some(1));
    scene.addresses.addresses.pop();
    scene.follow();
    assert_eq!((scene.cart().address, scene.cart().leaves.len()), (None, 0), "it goes to no other one by itself");
}

fn package() -> DesignPackage {
    DesignPackage {
        design: DesignHash(ContentHash([7; 32])),
        name: "Lamp".to_owned(),
        role: None,
        package: Given::new(Given::PACKAGE, b"PK".as_slice()),
        process: "fff".to_owned(),
        material: "pla".to_owned(),
        colour: "#ffffff".to_owned(),
        infill_percent: 15,
    }
}

#[test]
fn a_design_is_given_quoted_and_put_into_the_cart() {
    let mut scene = Scene::new();
    scene.wish(Shop::Quote { system: shop(), quantity: 2, shows: None });
    assert_eq!(scene.others.pop(), Some(Effect::Package));
    let effects = scene.work(|desk, around| desk.packaged(&Ok(package()), around));
    scene.take(effects);
    let hash = scene.given();
    assert!(scene.asked.is_empty(), "it is there before it is asked about");
    scene.purchases.given.insert(hash, Giving::There);
    scene.follow();
    let (_, _, input) = scene.asked[0].clone();
    assert_eq!((&input["quantity"], &input["material"], &input["package"]), (&json!(2), &json!("pla"), &json!(hash)));
    let quote = |design: ContentHash| {
        json!({"ucp": {"version": "2026-04-08"}, "currency": "EUR", "lead_time_s": 7200, "findings": [],
            "item": {"id": "made_1", "title": "Lamp, made to your design", "price": 2350},
            "expires_at": "2026-11-27T12:00:00Z", "price_parts": [{"display_text": "Material", "amount": 2350}],
            "design": design, "package": hash, "process": "fff", "material": "pla", "colour": "#ffffff"})
    };
    scene.answer(quote(ContentHash([7; 32])));
    let shown = scene.view().quotes[&shop()].clone();
    assert_eq!((shown.item.as_deref(), shown.price, shown.problem), (Some("made_1"), Some(euro(2_350)), None));
    scene.wish(Shop::Quote { system: shop(), quantity: 2, shows: None });
    let effects = scene.work(|desk, around| desk.packaged(&Ok(package()), around));
    scene.take(effects);
    scene.answer(quote(ContentHash([8; 32])));
    assert!(scene.view().quotes[&shop()].problem.as_ref().unwrap().contains("another design"));
}

#[test]
fn a_design_that_cannot_be_made_is_not_quoted() {
    let mut scene = Scene::new();
    scene.wish(Shop::Quote { system: shop(), quantity: 1, shows: None });
    let why = "The wall is too thin.".to_owned();
    let effects = scene.work(|desk, around| desk.packaged(&Err(why.clone()), around));
    scene.take(effects);
    assert!(scene.managed.is_empty() && scene.asked.is_empty());
    let quote = scene.view().quotes[&shop()].clone();
    assert_eq!((quote.problem, quote.item), (Some(why), None));
    scene.wish(Shop::Quote { system: shop(), quantity: 1, shows: None });
    let effects = scene.work(|desk, around| desk.packaged(&Ok(package()), around));
    scene.take(effects);
    let hash = scene.given();
    scene.purchases.given.insert(hash, Giving::There);
    scene.follow();
    scene.refuse("The arm is too thin. (not_manufacturable)");
    assert!(scene.view().quotes[&shop()].problem.as_ref().unwrap().contains("The arm is too thin."));
}

#[test]
fn who_is_not_agreed_with_is_asked_and_told_nothing() {
    let mut scene = Scene::new();
    let agreed = scene.services.agreed.remove(&shop()).unwrap();
    assert!(!scene.view().merchants[0].agreed);
    scene.wish(Shop::Search("lamp".to_owned()));
    assert_eq!(scene.view().problem.as_deref(), Some("No shop is agreed with yet."));
    scene.wish(Shop::Agree(shop()));
    let Some(Effect::Use(UseServices::Agree { services, share, .. })) = scene.others.pop() else { panic!() };
    assert_eq!((services, share), (agreed.services, Sharing::default()));
    scene.systems.systems.get_mut(&shop()).unwrap().health.online = false;
    assert_eq!(scene.view().merchants[0].why_not.as_deref(), Some("it is away"));
    scene.connected = false;
    assert_eq!(scene.view().merchants[0].why_not.as_deref(), Some("the enabler cannot be reached"));
}

#[test]
fn a_cart_that_is_left_is_ended_at_its_merchant_and_an_order_is_not() {
    let mut scene = Scene::ready();
    scene.wish(Shop::Leave(shop()));
    let (_, service, input) = scene.asked.pop_front().unwrap();
    assert_eq!((service, &input["id"]), ("cancel_checkout", &json!("chk_01")));
    assert!(input["buyer"]["$person"].is_string());
    assert!(scene.view().carts.is_empty());
    let mut scene = Scene::ready();
    let confirmed = scene.confirm(euro(4_390)).unwrap();
    scene.told(&confirmed, PurchaseState::Confirmed);
    scene.wish(Shop::Leave(shop()));
    assert!(scene.asked.is_empty(), "what was confirmed is not taken back by this");
    let mut scene = Scene::ready();
    scene.confirm(euro(4_390)).unwrap();
    scene.add(1);
    let (_, input) = scene.serve();
    assert_eq!(input.get("id"), None, "the next cart is another one");
}
