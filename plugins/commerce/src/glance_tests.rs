use std::collections::VecDeque;

use serde_json::{Value, json};
use vestibule_model::{
    ContentHash, DesignHash, FeatureInfo, FeatureKind, PropertyId, PropertyInfo, Refusal, RefusalCode, ServiceId,
    ValueType,
};
use vestibule_twin::{DesignPackage, Given, Giving, Shop, ShopFit};

use super::*;
use crate::testing::{Scene, shop};

fn lounge() -> TwinId {
    TwinId::new("home/lounge_motion").unwrap()
}

fn feature(name: &str) -> FeatureInfo {
    FeatureInfo {
        name: name.to_owned(),
        kind: FeatureKind::Sensor,
        class: None,
        properties: [(PropertyId::slug("value"), PropertyInfo::new(ValueType::AnyNumber))].into(),
        actions: BTreeMap::new(),
        events: BTreeSet::new(),
    }
}

/// A sensor that measures a free place, among others.
fn sensor() -> TwinInfo {
    let mut info = TwinInfo::new(lounge(), "Lounge motion");
    for (id, name) in [("motion", "Motion"), ("gap_width", "Free place, width"), ("gap_depth", "Free place, depth")] {
        info.features.insert(FeatureId::slug(id), feature(name));
    }
    info
}

fn gap() -> BTreeSet<FeatureId> {
    ["gap_depth", "gap_width"].map(FeatureId::slug).into()
}

fn share(features: Option<BTreeSet<FeatureId>>) -> Sharing {
    Sharing { twins: features.into_iter().map(|features| (lounge(), features)).collect(), ..Sharing::default() }
}

/// A manufacturer that asks for a free place, and a sensor that has measured one.
fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.places = vec![measuring(&sensor()).unwrap()];
    let known = scene.systems.systems.get_mut(&shop()).unwrap();
    known.info.services.get_mut(&ServiceId::slug("quote")).unwrap().needs = [NEED.to_owned()].into();
    scene
}

fn package() -> DesignPackage {
    DesignPackage {
        design: DesignHash(ContentHash([7; 32])),
        name: "Shelf".to_owned(),
        role: None,
        package: Given::new(Given::PACKAGE, b"PK".as_slice()),
        process: "fff".to_owned(),
        material: "pla".to_owned(),
        colour: "#ffffff".to_owned(),
        infill_percent: 15,
    }
}

/// Asks for a price, up to where the manufacturer is asked or is to see something.
fn ask(scene: &mut Scene, shows: Option<TwinId>) {
    scene.purchases.given.clear();
    scene.wish(Shop::Quote { system: shop(), quantity: 1, shows });
    assert_eq!(scene.others.pop(), Some(Effect::Package));
    let effects = scene.work(|desk, around| desk.packaged(&Ok(package()), around));
    scene.take(effects);
    let hash = package().package.hash;
    assert_eq!(agreements(scene), VecDeque::new(), "nothing is seen while the design is handed over");
    scene.purchases.given.insert(hash, Giving::There);
    scene.follow();
}

/// Agreements that were asked for since this was asked last, by what they share; `None`: the end of one.
fn agreements(scene: &mut Scene) -> VecDeque<Option<Sharing>> {
    let share = |effect: Effect| match effect {
        Effect::Use(UseServices::Agree { share, services, for_ms, .. }) => {
            assert!(
                services.contains(&ServiceId::slug("quote")) && for_ms == 1_000_000_000 - 1_000,
                "as it was agreed"
            );
            Some(share)
        }
        Effect::Use(UseServices::End(_)) => None,
        other => panic!("{other:?}"),
    };
    scene.others.drain(..).map(share).collect()
}

fn agreed(scene: &mut Scene, share: Sharing) {
    scene.services.agreed.get_mut(&shop()).unwrap().share = share;
    scene.follow();
}

fn quote(findings: Value) -> Value {
    json!({"ucp": {"version": "2026-04-08"}, "currency": "EUR", "lead_time_s": 7200, "findings": findings,
        "item": {"id": "made_1", "title": "Shelf", "price": 2350}, "expires_at": "2026-11-27T12:00:00Z",
        "price_parts": [{"display_text": "Material", "amount": 2350}], "design": ContentHash([7; 32]), "package": package().package.hash, "process": "fff",
        "material": "pla", "colour": "#ffffff"})
}

#[test]
fn what_is_allowed_is_seen_for_one_price_and_no_longer() {
    let mut scene = scene();
    let asks = scene.view().merchants[0].asks.clone();
    let [asked] = &asks[..] else { panic!("{asks:?}") };
    assert_eq!((&asked.twin, asked.name.as_str(), asked.shared), (&lounge(), "Lounge motion", false));
    assert_eq!(asked.measures, ["Free place, depth", "Free place, width"], "and nothing of who is in the room");
    ask(&mut scene, Some(lounge()));
    assert_eq!(agreements(&mut scene), [Some(share(Some(gap())))]);
    assert!(scene.asked.is_empty(), "it is asked when it may see it");
    agreed(&mut scene, share(Some(gap())));
    assert_eq!((scene.asked.len(), scene.asked[0].1), (1, "quote"));
    assert!(!scene.view().merchants[0].asks[0].shared, "that is for this call");
    scene.follow();
    assert_eq!((agreements(&mut scene), scene.asked.len()), (VecDeque::new(), 1));
    let says = "It fits there: width 812 of 820 mm.";
    scene.answer(quote(json!([{"kind": "fits", "says": says}, {"kind": "slicer", "says": "It is ours."}])));
    assert_eq!(agreements(&mut scene), [Some(share(None))], "it is taken back at once");
    let shown = scene.view().quotes[&shop()].clone();
    assert_eq!((shown.fit, shown.findings), (ShopFit::Fits(says.to_owned()), vec!["It is ours.".to_owned()]));
    agreed(&mut scene, share(None));
    assert_eq!(agreements(&mut scene), VecDeque::new());
}

#[test]
fn what_is_refused_is_not_seen_and_what_is_gone_cannot_be_shown() {
    let mut scene = scene();
    ask(&mut scene, None);
    assert_eq!((agreements(&mut scene), scene.asked.len()), (VecDeque::new(), 1));
    scene.answer(quote(json!([])));
    assert_eq!((scene.view().quotes[&shop()].fit.clone(), agreements(&mut scene)), (ShopFit::Nothing, VecDeque::new()));
    scene.places.clear();
    scene.wish(Shop::Quote { system: shop(), quantity: 1, shows: Some(lounge()) });
    assert!(scene.others.is_empty() && scene.view().problem.unwrap().contains("ask without it"));
    assert!(scene.view().merchants[0].asks.is_empty());
}

#[test]
fn a_manufacturer_that_does_not_ask_is_offered_nothing() {
    let mut scene = scene();
    scene.services.agreed.get_mut(&shop()).unwrap().services.remove(&ServiceId::slug("quote"));
    assert!(scene.view().merchants[0].asks.is_empty(), "nobody shows anything before they agree");
    scene.services.agreed.get_mut(&shop()).unwrap().services.insert(ServiceId::slug("quote"));
    assert_eq!(scene.view().merchants[0].asks.len(), 1);
    let known = scene.systems.systems.get_mut(&shop()).unwrap();
    known.info.services.get_mut(&ServiceId::slug("quote")).unwrap().needs.clear();
    assert!(scene.view().merchants[0].asks.is_empty());
}

#[test]
fn however_the_call_ends_it_is_taken_back() {
    let mut scene = scene();
    ask(&mut scene, Some(lounge()));
    agreed(&mut scene, share(Some(gap())));
    agreements(&mut scene);
    // With the link the answer is lost; taken back it is once there is one again.
    let (call, ..) = scene.asked.pop_front().unwrap();
    scene.connected = false;
    scene.services.refuse(call, Refusal::new(RefusalCode::Unavailable, "the link is down"));
    scene.follow();
    assert!(scene.view().quotes[&shop()].problem.is_some());
    assert_eq!(agreements(&mut scene), VecDeque::new(), "nobody hears it");
    scene.connected = true;
    scene.follow();
    assert_eq!(agreements(&mut scene), [Some(share(None))]);
    agreed(&mut scene, share(None));
    // The person asks for another price meanwhile.
    ask(&mut scene, Some(lounge()));
    agreed(&mut scene, share(Some(gap())));
    agreements(&mut scene);
    scene.wish(Shop::Quote { system: shop(), quantity: 9, shows: None });
    scene.others.clear();
    scene.follow();
    assert_eq!(agreements(&mut scene), [Some(share(None))], "it was for the other one");
}

#[test]
fn what_cannot_be_shown_is_not_asked_about() {
    let mut scene = scene();
    ask(&mut scene, Some(lounge()));
    scene.services.refused.insert(shop(), Refusal::new(RefusalCode::Forbidden, "you may not read that"));
    for _ in 0..9 {
        scene.follow();
    }
    assert_eq!(agreements(&mut scene).len(), usize::from(MOST_TRIES), "not for ever");
    assert!(scene.asked.is_empty());
    let problem = scene.view().quotes[&shop()].problem.clone().unwrap();
    assert!(problem.contains("was not asked") && problem.contains("you may not read that"), "{problem}");
}

#[test]
fn where_it_cannot_be_taken_back_everything_ends_that_is_agreed() {
    let mut scene = scene();
    ask(&mut scene, Some(lounge()));
    agreed(&mut scene, share(Some(gap())));
    scene.answer(quote(json!([])));
    scene.services.refused.insert(shop(), Refusal::new(RefusalCode::Unavailable, "shop is away"));
    for _ in 0..9 {
        scene.follow();
    }
    let asked = agreements(&mut scene);
    assert_eq!((asked.len(), asked.back()), (2 + usize::from(MOST_TRIES), Some(&None)), "{asked:?}");
    assert!(scene.view().merchants[0].asks[0].shared, "what is seen is said");
    scene.services.agreed.clear();
    scene.follow();
    assert_eq!(agreements(&mut scene), VecDeque::new());
}

#[test]
fn what_the_person_shares_themselves_stays_as_it_is() {
    let mut scene = scene();
    let motion = || share(Some([FeatureId::slug("motion")].into()));
    agreed(&mut scene, motion());
    ask(&mut scene, Some(lounge()));
    let mut both = gap();
    both.insert(FeatureId::slug("motion"));
    assert_eq!(agreements(&mut scene), [Some(share(Some(both.clone())))]);
    agreed(&mut scene, share(Some(both)));
    scene.answer(quote(json!([{"kind": "does_not_fit", "says": "Its width is 923 mm."}])));
    assert_eq!(agreements(&mut scene), [Some(motion())]);
    assert_eq!(scene.view().quotes[&shop()].fit, ShopFit::TooLarge(vec!["Its width is 923 mm.".to_owned()]));
    agreed(&mut scene, motion());
    assert!(agreements(&mut scene).is_empty());
    // All of it, at any time: nobody is asked, and it can be hidden.
    agreed(&mut scene, share(Some(BTreeSet::new())));
    assert!(scene.view().merchants[0].asks[0].shared);
    scene.wish(Shop::Hide { system: shop(), twin: lounge() });
    assert_eq!(agreements(&mut scene), [Some(share(None))]);
}
