//! What merchants are shown and told, as the window says it.

use vestibule_twin::{AddressBook, AddressEntry, Shop, ShopAsk, ShopFit, ShopTold, ShopView, model::TwinId};

use super::tests::{app, frames, home, is_disabled, press, says, sent, show, workshop};
use crate::{action::ShopPart, find_button};

#[test]
fn what_a_manufacturer_asks_to_see_is_named_and_allowed_or_refused_by_one_press() {
    let mut app = app();
    show(&mut app, ShopPart::Design);
    let twin = TwinId::new("home/lounge_motion").unwrap();
    let measures = vec!["Free place, depth".to_owned(), "Free place, width".to_owned()];
    let ask = ShopAsk { twin: twin.clone(), name: "Lounge motion".to_owned(), measures, shared: false };
    app.world_mut().resource_mut::<ShopView>().merchants[1].asks = vec![ask.clone()];
    frames(&mut app);
    says(&app, "The workshop asks to see the free place that it is for");
    says(&app, "Lounge motion says: Free place, depth; Free place, width");
    says(&app, "while it works out this price");
    assert!(find_button(app.world(), "Ask again").is_none(), "nobody asks past the question");
    press(&mut app, "Allow Lounge motion");
    press(&mut app, "Ask without it");
    let quote = |shows| Shop::Quote { system: workshop(), quantity: 1, shows };
    assert_eq!(sent(&app), [quote(Some(twin.clone())), quote(None)]);
    // What it says then, each in its colour; that it does not fit keeps nobody from buying.
    for (fit, words) in [
        (ShopFit::Fits("It fits there: 812 of 820 mm wide.".to_owned()), "812 of 820 mm"),
        (ShopFit::TooLarge(vec!["Its width is 923 mm.".to_owned()]), "923 mm"),
        (ShopFit::Unknown(vec!["It could not be seen.".to_owned()]), "could not be seen"),
    ] {
        app.world_mut().resource_mut::<ShopView>().quotes.get_mut(&workshop()).unwrap().fit = fit;
        frames(&mut app);
        says(&app, words);
        assert!(!is_disabled(&app, "Go to the cart"));
    }
    // Whoever shares it anyway is not asked each time, and can stop it.
    app.world_mut().resource_mut::<ShopView>().merchants[1].asks = vec![ShopAsk { shared: true, ..ask }];
    frames(&mut app);
    assert!(find_button(app.world(), "Allow Lounge motion").is_none());
    press(&mut app, "Hide Lounge motion");
    assert_eq!(sent(&app).last(), Some(&Shop::Hide { system: workshop(), twin }));
}

#[test]
fn whether_the_merchant_knows_where_it_goes_is_said_as_far_as_it_is_known() {
    let mut app = app();
    show(&mut app, ShopPart::Carts);
    for (told, words) in [
        (ShopTold::OnItsWay, "On its way: Ada Example"),
        (ShopTold::Unsure, "The merchant may have it, and has not said so: Ada Example"),
        (ShopTold::Told, "The merchant has it: Ada Example"),
    ] {
        app.world_mut().resource_mut::<ShopView>().carts.get_mut(&workshop()).unwrap().told = told;
        frames(&mut app);
        says(&app, words);
    }
    // Whatever is written in the book by now.
    app.world_mut().resource_mut::<ShopView>().carts.get_mut(&workshop()).unwrap().address = None;
    let office = AddressEntry { label: "Office".to_owned(), first_name: "Bo".to_owned(), ..home() };
    app.insert_resource(AddressBook { addresses: vec![office] });
    frames(&mut app);
    says(&app, "The merchant has it: Ada Example");
}
