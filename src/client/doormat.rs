//! What lies on the doormat, as far as it was reported.

use std::collections::BTreeSet;

use bevy::prelude::*;
use vestibule_twin::{KitchenView, KnownPurchases, PutAt};

/// Where parcels lie, the first one first. Of more than these nobody sees the others.
const MATS: [&str; 3] = ["doormat", "doormat.2", "doormat.3"];
/// What a parcel looks like.
const PARCEL: &str = "parcels/parcel.glb";

/// How many parcels lie there: one for each purchase of which something was delivered that nobody has unpacked. What was
/// unpacked has a twin, and food is put away.
fn parcels(known: &KnownPurchases, kitchen: &KitchenView) -> usize {
    let packed = known.delivered().filter(|(_, _, serial, _)| !known.products.contains_key(*serial));
    let packed: BTreeSet<_> = packed.map(|(purchase, ..)| purchase.id).collect();
    packed.union(&kitchen.at_door).count()
}

/// Puts parcels down when their merchants say that they were delivered, and takes them away when they are unpacked.
pub(super) fn lay(
    (purchases, kitchen): (Res<KnownPurchases>, Res<KitchenView>),
    mut put: MessageWriter<PutAt>,
    mut lying: Local<usize>,
) {
    if !purchases.is_changed() && !kitchen.is_changed() {
        return;
    }
    let now = parcels(&purchases, &kitchen);
    for (at, anchor) in MATS.into_iter().enumerate() {
        let lies = at < now;
        if lies != (at < *lying) {
            put.write(PutAt { anchor: anchor.to_owned(), model: lies.then(|| PARCEL.to_owned()) });
        }
    }
    *lying = now;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use vestibule_twin::model::{
        Carrying, CheckoutId, ContentHash, LineId, Money, OrderId, OrderLine, OrderView, Product, PurchaseId,
        PurchaseState, PurchaseUpdate, Serial, SnapshotMark, SystemId, Timestamp, TwinId, UserId,
    };

    use super::*;

    fn euro(minor: i64) -> Money {
        Money::new(minor, "EUR".parse().unwrap())
    }

    fn serial(number: u8) -> Serial {
        Serial::new(format!("W1042-000{number}")).unwrap()
    }

    /// A purchase of one lamp that was delivered or not.
    fn lamp(number: u8, fulfilled: u32) -> PurchaseUpdate {
        let line = OrderLine {
            id: LineId::new("li_1").unwrap(),
            item: "made_7f3c".to_owned(),
            title: "Lamp".to_owned(),
            price: euro(3_380),
            ordered: 1,
            total: 1,
            fulfilled,
            design: None,
            serials: vec![serial(number)],
            certificates: BTreeMap::new(),
            making: None,
            carrying: Carrying::Nothing,
            measured: None,
        };
        let mark = SnapshotMark { events: 0, adjustments: 0, last: None, digest: ContentHash([0; 32]), revision: None };
        let order = OrderView {
            lines: vec![line],
            total: euro(3_380),
            refunded: euro(0),
            notes: Vec::new(),
            expected: None,
            cancellable: false,
            permalink: String::new(),
            mark,
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
            confirmed: Timestamp(1),
            at: Timestamp(1),
        }
    }

    fn told(app: &mut App) -> Vec<(String, bool)> {
        app.update();
        let mut messages = app.world_mut().resource_mut::<Messages<PutAt>>();
        messages.drain().map(|put| (put.anchor, put.model.is_some())).collect()
    }

    #[test]
    fn food_lies_there_until_it_is_put_away() {
        let mut app = App::new();
        app.init_resource::<KnownPurchases>().init_resource::<KitchenView>().add_message::<PutAt>();
        app.add_systems(Update, lay);
        app.world_mut().resource_mut::<KnownPurchases>().take(lamp(1, 1));
        app.world_mut().resource_mut::<KitchenView>().at_door = [1, 2].map(|number| PurchaseId([number; 16])).into();
        let expected = [("doormat".to_owned(), true), ("doormat.2".to_owned(), true)];
        assert_eq!(told(&mut app), expected, "a lamp and food of one purchase are one parcel");
        app.world_mut().resource_mut::<KitchenView>().at_door.clear();
        assert_eq!(told(&mut app), [("doormat.2".to_owned(), false)]);
    }

    #[test]
    fn a_parcel_lies_there_from_its_delivery_until_it_is_unpacked() {
        let mut app = App::new();
        app.init_resource::<KnownPurchases>()
            .init_resource::<KitchenView>()
            .add_message::<PutAt>()
            .add_systems(Update, lay);
        let take = |app: &mut App, update| app.world_mut().resource_mut::<KnownPurchases>().take(update);
        take(&mut app, lamp(1, 0));
        assert!(told(&mut app).is_empty(), "it is on its way");
        take(&mut app, lamp(1, 1));
        assert_eq!(told(&mut app), [("doormat".to_owned(), true)]);
        (2..=5).for_each(|number| take(&mut app, lamp(number, 1)));
        assert_eq!(
            told(&mut app),
            [("doormat.2".to_owned(), true), ("doormat.3".to_owned(), true)],
            "there is no more room"
        );
        assert!(told(&mut app).is_empty());
        for number in 1..=5 {
            let product = Product {
                purchase: PurchaseId([number; 16]),
                line: LineId::new("li_1").unwrap(),
                serial: serial(number),
                twin: TwinId::new("home/new_lamp").unwrap(),
                design: None,
                since: Timestamp(2),
            };
            app.world_mut().resource_mut::<KnownPurchases>().products.insert(serial(number), product);
        }
        assert_eq!(told(&mut app).iter().filter(|(_, lies)| !lies).count(), 3, "all are unpacked");
    }
}
