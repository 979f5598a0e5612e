use std::collections::BTreeMap;

use vestibule_twin::model::{
    CheckoutId, ContentHash, LineId, Money, OrderId, OrderView, PurchaseId, PurchaseState, SnapshotMark, SystemId,
    Timestamp, UserId,
};

use super::*;
use crate::testing::headless;

fn line(making: Option<Making>) -> OrderLine {
    OrderLine {
        id: LineId::new("li_1").unwrap(),
        item: "made_7f3c".to_owned(),
        title: "Lamp".to_owned(),
        price: Money::new(3_380, "EUR".parse().unwrap()),
        ordered: 1,
        total: 1,
        fulfilled: 0,
        design: None,
        serials: Vec::new(),
        certificates: BTreeMap::new(),
        making,
        carrying: Carrying::Nothing,
        measured: None,
    }
}

fn purchase(number: u8, lines: Vec<OrderLine>) -> PurchaseUpdate {
    let euro = |minor| Money::new(minor, "EUR".parse().unwrap());
    let order = OrderView {
        lines,
        total: euro(3_380),
        refunded: euro(0),
        notes: Vec::new(),
        expected: None,
        cancellable: false,
        permalink: String::new(),
        mark: SnapshotMark { events: 0, adjustments: 0, last: None, digest: ContentHash([0; 32]), revision: None },
    };
    PurchaseUpdate {
        id: PurchaseId([number; 16]),
        user: UserId::slug("ada"),
        system: SystemId::slug("workshop"),
        checkout: CheckoutId::new("chk_01").unwrap(),
        state: PurchaseState::Placed { order: OrderId::new("ord_1").unwrap() },
        total: euro(3_380),
        order: Some(order),
        checked: None,
        said: None,
        confirmed: Timestamp(u64::from(number)),
        at: Timestamp(u64::from(number)),
    }
}

fn known(all: Vec<PurchaseUpdate>) -> KnownPurchases {
    KnownPurchases { by_id: all.into_iter().map(|known| (known.id, known)).collect(), ..KnownPurchases::default() }
}

#[test]
fn only_a_reported_percent_is_shown() {
    assert_eq!(making_look(&KnownPurchases::default()), MakingLook::default());
    let far = |making| making_look(&known(vec![purchase(1, vec![line(Some(making))])])).far;
    assert_eq!(far(Making::Queued { ahead: 2 }), None, "nobody said how far it is");
    assert_eq!(far(Making::InProduction { percent: 40 }), Some(0.4));
    assert_eq!(far(Making::InProduction { percent: 255 }), Some(1.0), "no percent is more than all");
    assert_eq!(far(Making::Made), Some(1.0));
    let refused = Making::Rejected { reason: "too thin".to_owned() };
    let look = making_look(&known(vec![purchase(1, vec![line(Some(refused))])]));
    assert_eq!(look, MakingLook { lamp: Some(RED), far: None });
}

#[test]
fn the_newest_order_of_something_made_counts() {
    let half = purchase(1, vec![line(Some(Making::InProduction { percent: 50 }))]);
    let food = purchase(3, vec![line(None)]);
    assert_eq!(making_look(&known(vec![half.clone(), food.clone()])).far, Some(0.5), "food is not made to order");
    let newer = purchase(2, vec![line(None), line(Some(Making::InProduction { percent: 10 }))]);
    assert_eq!(making_look(&known(vec![newer, half.clone(), food])).far, Some(0.1));
    let mut gone = line(Some(Making::Made));
    gone.carrying = Carrying::InTransit;
    let gone = purchase(4, vec![gone]);
    assert_eq!(making_look(&known(vec![half, gone])), MakingLook::default(), "the newest has left");
}

#[test]
fn lamp_bar_and_piece_follow_in_the_world() {
    let mut app = headless();
    app.add_plugins(MakingPlugin);
    let shared = app.world_mut().resource_mut::<Assets<StandardMaterial>>().add(StandardMaterial::default());
    let part = |app: &mut App, part: MakingPart| {
        let mesh = app.world_mut().spawn(MeshMaterial3d(shared.clone())).id();
        let at = Transform::from_scale(Vec3::splat(2.0));
        let node = app.world_mut().spawn((part, at, Visibility::default())).id();
        app.world_mut().entity_mut(node).add_child(mesh);
        (node, mesh)
    };
    let ((_, skin), (bar, _), (piece, _)) =
        (part(&mut app, MakingPart::Lamp), part(&mut app, MakingPart::Bar), part(&mut app, MakingPart::Piece));
    app.update();
    let hidden = |app: &App, node| *app.world().get::<Visibility>(node).unwrap() == Visibility::Hidden;
    assert!(hidden(&app, bar) && hidden(&app, piece), "nothing was reported");
    let glow = |app: &App, skin| {
        let handle = &app.world().get::<MeshMaterial3d<StandardMaterial>>(skin).unwrap().0;
        app.world().resource::<Assets<StandardMaterial>>().get(handle).unwrap().emissive
    };
    assert_eq!(glow(&app, skin).red, 0.0);

    *app.world_mut().resource_mut::<KnownPurchases>() =
        known(vec![purchase(1, vec![line(Some(Making::InProduction { percent: 25 }))])]);
    app.update();
    let scale = |app: &App, node| app.world().get::<Transform>(node).unwrap().scale;
    assert_eq!((scale(&app, bar), scale(&app, piece)), (Vec3::new(0.5, 2.0, 2.0), Vec3::new(2.0, 0.5, 2.0)));
    assert!(!hidden(&app, bar) && !hidden(&app, piece) && glow(&app, skin).blue > 1.0);
    let untouched = app.world().resource::<Assets<StandardMaterial>>().get(&shared).unwrap().emissive;
    assert_eq!(untouched.red, 0.0, "what shares the lamp's material does not glow with it");

    *app.world_mut().resource_mut::<KnownPurchases>() = KnownPurchases::default();
    app.update();
    assert!(hidden(&app, bar) && hidden(&app, piece) && glow(&app, skin).blue == 0.0);
}
