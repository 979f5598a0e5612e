use std::sync::Arc;

use vestibule_twin::{
    KnownPurchases, Twin, TwinDescription, TwinRoot,
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
    let text = receipt(update, &utc());
    for words in [
        "Merchant      workshop",
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
