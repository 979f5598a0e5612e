use std::sync::Arc;

use vestibule_twin::{
    KeepProduct, KeepStep, KeepingProducts, KnownPurchases, StopKeeping, Twin, TwinDescription, TwinRoot,
    model::{PhysicalId, Serial},
};

use super::*;
use crate::{
    action::ShopPart,
    moment::utc,
    testing::door,
    window::shop::tests::{Sent, app, bought, is_disabled, press, says, show},
};

#[test]
fn a_receipt_says_what_was_paid_for_what() {
    let known = bought();
    let update = known.newest_first()[0];
    let text = receipt(update, "The workshop", &utc());
    for words in [
        "Merchant      The workshop",
        "Order         ord_01",
        "Confirmed     Fri 27 Nov 2026, 14:03:00",
        "1 × Lamp, made to your design\n       23.50 EUR",
        "Total with everything that was added\n       33.80 EUR",
        "Fri 27 Nov 2026, 14:09:41  A machine has begun.",
        "https://workshop.example/orders/ord_01",
    ] {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
    assert!(!text.contains("Paid back"));
}

#[test]
fn what_was_weighed_beyond_what_was_confirmed_is_shown() {
    let (mut app, mut known) = (app(), bought());
    let update = known.by_id.values_mut().find(|update| update.order.is_some()).unwrap();
    update.order.as_mut().unwrap().total = Money::new(3_444, "EUR".parse().unwrap());
    assert!(receipt(update, "The workshop", &utc()).contains("34.44 EUR"));
    app.insert_resource(known);
    show(&mut app, ShopPart::Orders);
    says(&app, "34.44 EUR");
}

#[test]
fn what_a_merchant_last_said_is_the_newest_that_was_heard() {
    let mut update = bought().by_id.into_values().find(|update| update.order.is_some()).unwrap();
    update.state = PurchaseState::Placed { order: vestibule_twin::model::OrderId::new("ord_1").unwrap() };
    let mut last = |checked: Option<u64>, at: u64| {
        (update.checked, update.at) = (checked.map(Timestamp), Timestamp(at));
        heard(&update)
    };
    assert_eq!(last(Some(8), 30), Some(Timestamp(30)), "it told of something by itself after it was asked");
    assert_eq!(last(Some(30), 8), Some(Timestamp(30)), "asked, it said the same");
    assert_eq!(last(None, 8), Some(Timestamp(8)), "after a start of the enabler");
    update.state = PurchaseState::Canceling { order: None, attempts: 0 };
    (update.checked, update.at) = (Some(Timestamp(8)), Timestamp(30));
    assert_eq!(heard(&update), Some(Timestamp(8)), "that it shall be cancelled was said by the person");
}

#[test]
fn times_are_counted_as_people_do() {
    let words: Vec<String> = [1, 2, 3, 4, 11, 12, 13, 21, 22, 111].map(|n| format!("{n}{}", ordinal(n))).into();
    assert_eq!(words, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "111th"]);
}

/// A lamp that came, with its certificate.
fn delivered() -> (KnownPurchases, Serial) {
    let mut known = bought();
    let serial = Serial::new("W-1").unwrap();
    let update = known.by_id.values_mut().find(|update| update.order.is_some()).unwrap();
    let line = &mut update.order.as_mut().unwrap().lines[0];
    (line.fulfilled, line.serials) = (1, vec![serial.clone()]);
    line.certificates = [(serial.clone(), "a.b".to_owned())].into();
    (known, serial)
}

#[test]
fn what_came_is_bound_to_the_device_that_tells_its_number() {
    let mut app = app();
    let (known, serial) = delivered();
    app.insert_resource(known);
    show(&mut app, ShopPart::Orders);
    says(&app, "No device here says that it is W-1");
    let mut info = door();
    info.physical_ids.push(PhysicalId { kind: "serial".to_owned(), value: "W-1".to_owned() });
    let twin = info.id.clone();
    app.world_mut().spawn((TwinRoot, Twin(twin.clone()), TwinDescription(Arc::new(info))));
    show(&mut app, ShopPart::Orders);
    press(&mut app, "Bind W-1");
    let bound = app.world().resource::<Sent>().1.iter().any(|wish| {
        matches!(wish, ManagePurchases::Bind { twin: to, serial: which, certificate, .. }
            if *to == twin && *which == serial && certificate == "a.b")
    });
    assert!(bound);
    app.world_mut().resource_mut::<KnownPurchases>().binding.insert(serial);
    show(&mut app, ShopPart::Orders);
    assert!(is_disabled(&app, "Bind W-1"), "it was asked for");
}

#[test]
fn what_has_no_electronics_is_kept_once_it_came() {
    let mut app = app();
    let (mut known, serial) = delivered();
    let purchase = known.by_id.values().find(|update| update.order.is_some()).unwrap().id;
    app.insert_resource(known.clone());
    show(&mut app, ShopPart::Orders);
    press(&mut app, "Keep it here: W-1");
    assert_eq!(app.world().resource::<Sent>().2, [KeepProduct { purchase, serial: serial.clone(), design: None }]);
    known.binding.insert(serial);
    app.insert_resource(known.clone());
    show(&mut app, ShopPart::Orders);
    assert!(is_disabled(&app, "Keep it here: W-1"), "it was asked for");
    known.binding.clear();
    let update = known.by_id.get_mut(&purchase).unwrap();
    update.order.as_mut().unwrap().lines[0].fulfilled = 0;
    app.insert_resource(known);
    app.world_mut().write_message(HudAction::PrepareShop(PrepareShop::Order(Some(purchase))));
    show(&mut app, ShopPart::Orders);
    assert!(is_disabled(&app, "Keep it here: W-1"));
    says(&app, "it has not come yet");
}

#[test]
fn what_is_being_kept_says_so_and_leaving_the_window_stops_it() {
    let mut app = app();
    let (known, serial) = delivered();
    app.insert_resource(known);
    let stops = |app: &mut App| app.world_mut().resource_mut::<Messages<StopKeeping>>().drain().count();
    for (step, words) in [(KeepStep::Reading, "reading how it looks"), (KeepStep::Giving, "handing over how it looks")]
    {
        app.world_mut().resource_mut::<KeepingProducts>().0.insert(serial.clone(), step);
        show(&mut app, ShopPart::Orders);
        says(&app, words);
        assert!(crate::find_button(app.world(), "Keep it here: W-1").is_none(), "it was asked for");
    }
    assert_eq!(stops(&mut app), 0, "nobody left");
    app.world_mut().write_message(HudAction::CloseWindow);
    app.update();
    assert_eq!(stops(&mut app), 1);
    app.update();
    assert_eq!(stops(&mut app), 0, "it is said once");
}
