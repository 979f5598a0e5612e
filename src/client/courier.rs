//! In the simulated home, what its merchant says was delivered really comes: the courier rings with it, and whoever opens
//! the door has it in the house, lamps plugged in, food where such is kept. Real homes need none of this.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    path::PathBuf,
};

use bevy::prelude::*;
use vestibule_sim::{Goods, Guest, PhysicalHand, SimError};
use vestibule_twin::{
    DesignPackaged, FoodDelivered, KnownPurchases,
    model::{LineId, OrderLine, PurchaseId, Serial},
};

use super::{private, shining::Shining};
use crate::tour::Physical;

/// Seconds between two looks: couriers are not in a hurry.
const LOOK_S: f32 = 0.5;
/// Percent by which the door has to be open for a parcel to come in.
const WIDE: u8 = 50;
/// Bytes of the list of what was unpacked: as many serial numbers as the home unpacks, and room.
const MOST_BYTES: u64 = 16 * 1024;
/// Goods in one parcel: as many as the simulated courier carries.
const MOST_GOODS: usize = 256;
/// Parcels with food that wait for their turn: as many as a doormat has room for. More are not brought.
const MOST_FOOD: usize = 64;

/// Beside the list of what was unpacked: which designs have a lamp module in them.
const SHINING: &str = "shining.txt";

/// What comes to the simulated home.
pub(super) struct CourierPlugin {
    /// Where what was unpacked is listed: it is plugged in again when the home starts again.
    pub(super) file: PathBuf,
}

impl Plugin for CourierPlugin {
    fn build(&self, app: &mut App) {
        let shining = Shining::open(self.file.with_file_name(SHINING));
        let courier = Courier { file: self.file.clone(), shining, ..Courier::default() };
        app.insert_resource(courier).add_systems(Update, bring);
    }
}

/// An order's number, and what is in its parcel.
type Parcel = (String, Vec<Goods>);

/// What was brought, and what is in the house.
#[derive(Resource, Default)]
struct Courier {
    file: PathBuf,
    /// Whether what was unpacked before is plugged in.
    began: bool,
    rounds: Rounds,
    shining: Shining,
    /// Parcels with food that were not brought yet.
    food: VecDeque<Parcel>,
    /// A parcel for which there was no room: it is brought again.
    late: Option<Parcel>,
    /// The order whose parcel stands at the door.
    waits: Option<String>,
    /// In the order in which it was unpacked.
    unpacked: Vec<String>,
}

/// How many of each line are brought. What was delivered before the client started lies in the house, but for what has
/// electronics and is plugged in nowhere: its parcel stood at the door when the home last ended.
#[derive(Debug, Default, PartialEq)]
struct Rounds {
    brought: BTreeMap<(PurchaseId, LineId), u32>,
    known: BTreeSet<PurchaseId>,
    complete: bool,
    /// Parcels that wait for their turn.
    waiting: VecDeque<Parcel>,
}

impl Rounds {
    /// The next parcel.
    fn next(&mut self, known: &KnownPurchases, shining: &Shining, unpacked: &[String]) -> Option<Parcel> {
        self.look(known, shining, unpacked);
        self.waiting.pop_front()
    }

    /// Packs what came: a parcel for each purchase.
    fn look(&mut self, known: &KnownPurchases, shining: &Shining, unpacked: &[String]) {
        // Until the list has come once, nobody knows what is old.
        if !known.complete && !self.complete {
            return;
        }
        let first = !std::mem::replace(&mut self.complete, true);
        for update in known.newest_first().into_iter().rev() {
            let is_old = self.known.insert(update.id) && first;
            let Some(order) = &update.order else { continue };
            let mut goods = Vec::new();
            for line in &order.lines {
                let before = self.brought.insert((update.id, line.id.clone()), line.fulfilled).unwrap_or(0);
                let shines = shining.has(line.design.as_ref());
                if !is_old && line.fulfilled > before {
                    goods.extend(of_line(line, shines, before));
                } else if is_old && shines && line.total > 0 {
                    let lamps = of_line(line, shines, 0).into_iter();
                    goods.extend(lamps.filter(|goods| !unpacked.contains(&goods.item)));
                }
            }
            let number = update.state.order().map_or_else(|| update.id.to_string(), ToString::to_string);
            self.waiting.extend(goods.chunks(MOST_GOODS).map(|goods| (number.clone(), goods.to_vec())));
        }
    }
}

/// Things with numbers, one by one. What has electronics is called by its number alone, as it tells itself.
fn of_line(line: &OrderLine, shines: bool, before: u32) -> Vec<Goods> {
    let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
    let come = line.serials.iter().skip(count(before)).take(count(line.fulfilled.saturating_sub(before)));
    let item = |serial: &Serial| if shines { serial.to_string() } else { format!("{} {serial}", line.title) };
    come.map(|serial| Goods { item: item(serial), amount: 1.0 }).collect()
}

fn bring(
    time: Res<Time<Real>>,
    mut since: Local<f32>,
    known: Res<KnownPurchases>,
    (mut delivered, mut packed): (MessageReader<FoodDelivered>, MessageReader<DesignPackaged>),
    physical: Option<Res<Physical>>,
    mut courier: ResMut<Courier>,
) {
    *since += time.delta_secs();
    courier.bypass_change_detection().note_food(delivered.read());
    for DesignPackaged(package) in packed.read() {
        package.iter().for_each(|package| courier.bypass_change_detection().shining.note(package));
    }
    let Some(hand) = physical.as_ref().and_then(|physical| physical.0.as_ref()).filter(|_| *since >= LOOK_S) else {
        return;
    };
    *since = 0.0;
    let courier = courier.bypass_change_detection();
    courier.begin(hand);
    courier.take_in(hand);
    // One parcel after the other, and nobody is pushed aside.
    if courier.waits.is_none() && hand.door().guest.is_none() {
        courier.ring(&known, |order, goods| hand.deliver(order, goods));
    }
    courier.note(hand);
}

impl Courier {
    /// The kitchen knows which foods a delivery was.
    fn note_food<'a>(&mut self, delivered: impl Iterator<Item = &'a FoodDelivered>) {
        for FoodDelivered { purchase, foods } in delivered {
            if self.food.len() >= MOST_FOOD {
                warn!("too many parcels with food wait: {purchase} is not brought");
                continue;
            }
            let goods = foods.iter().map(|(item, amount)| Goods { item: item.clone(), amount: *amount });
            self.food.push_back((purchase.to_string(), goods.collect()));
        }
    }

    /// Brings the next parcel. One for which there is no room is brought at another look.
    fn ring(&mut self, known: &KnownPurchases, deliver: impl FnOnce(&str, Vec<Goods>) -> Result<(), SimError>) {
        let late = self.late.take();
        let is_late = late.is_some();
        let next =
            late.or_else(|| self.food.pop_front()).or_else(|| self.rounds.next(known, &self.shining, &self.unpacked));
        let Some((order, goods)) = next else { return };
        match deliver(&order, goods.clone()) {
            Ok(()) => self.waits = Some(order),
            Err(error) => {
                // Said once, and tried at each look.
                if !is_late {
                    warn!("the simulated courier cannot leave {order} yet: {error}");
                }
                self.late = Some((order, goods));
            }
        }
    }

    /// Whoever opens the door has the parcel in the house: food goes where such is kept, what has electronics is plugged
    /// in, and the rest lies in a cupboard that tells nobody.
    fn take_in(&mut self, hand: &PhysicalHand) {
        let open = hand.door().position >= WIDE;
        let Some(order) = self.waits.take_if(|_| open) else { return };
        hand.put_away();
        for goods in hand.take_out(&order) {
            if Serial::new(&goods.item).is_err() {
                continue;
            }
            if let Err(error) = hand.unpack(&goods.item) {
                warn!("{} stays in its box: {error}", goods.item);
            }
        }
        if hand.door().guest == Some(Guest::Courier) {
            hand.guest_leaves();
        }
    }

    /// What was unpacked when the home last ran is plugged in again.
    fn begin(&mut self, hand: &PhysicalHand) {
        if std::mem::replace(&mut self.began, true) {
            return;
        }
        let fits = fs::metadata(&self.file).is_ok_and(|about| about.len() <= MOST_BYTES);
        let text = if fits { fs::read_to_string(&self.file).unwrap_or_default() } else { String::new() };
        for serial in text.lines() {
            if let Err(error) = hand.unpack(serial) {
                warn!("{}: {error}", self.file.display());
            }
        }
        self.unpacked = hand.unpacked();
    }

    /// Whoever unpacked it: it is there next time.
    fn note(&mut self, hand: &PhysicalHand) {
        let unpacked = hand.unpacked();
        if unpacked != self.unpacked {
            // Whole or not at all: who is killed now still has what was unpacked before.
            if let Err(error) = private::write(&self.file, unpacked.join("\n").as_bytes()) {
                warn!("what was unpacked is not remembered: {error}");
            }
            self.unpacked = unpacked;
        }
    }
}

#[cfg(test)]
mod tests {
    use vestibule_twin::{
        DesignPackage, Given,
        model::{
            Carrying, CheckoutId, ContentHash, DesignHash, Money, OrderId, OrderView, PurchaseState, PurchaseUpdate,
            SnapshotMark, SystemId, Timestamp, UserId,
        },
    };

    use super::*;

    fn design(title: &str) -> DesignHash {
        DesignHash(ContentHash::of(title.as_bytes()))
    }

    /// Of all that is ordered here only these have a lamp module in them.
    fn shining(folder: &std::path::Path) -> Shining {
        let mut shining = Shining::open(folder.join(SHINING));
        for title in ["Lamp", "A tall one"] {
            shining.note(&DesignPackage {
                design: design(title),
                name: title.to_owned(),
                role: Some("lamp".to_owned()),
                package: Given::new(Given::PACKAGE, title.as_bytes()),
                process: "fff".to_owned(),
                material: "pla".to_owned(),
                colour: "#ffffff".to_owned(),
                infill_percent: 15,
            });
        }
        shining
    }

    fn update(number: u8, title: &str, serials: &[&str], fulfilled: u32) -> PurchaseUpdate {
        let euro = Money::new(100, "EUR".parse().unwrap());
        let count = u32::try_from(serials.len()).unwrap();
        let line = OrderLine {
            id: LineId::new("li_1").unwrap(),
            item: "made".to_owned(),
            title: title.to_owned(),
            price: euro,
            ordered: count,
            total: count,
            fulfilled,
            design: Some(design(title)),
            serials: serials.iter().map(|serial| Serial::new(serial).unwrap()).collect(),
            certificates: BTreeMap::new(),
            making: None,
            carrying: Carrying::Delivered,
            measured: None,
        };
        let mark = SnapshotMark { events: 1, adjustments: 0, last: None, digest: ContentHash([0; 32]), revision: None };
        let order = OrderView {
            lines: vec![line],
            total: euro,
            refunded: euro,
            notes: Vec::new(),
            expected: None,
            cancellable: false,
            permalink: String::new(),
            mark,
        };
        PurchaseUpdate {
            id: PurchaseId([number; 16]),
            user: UserId::slug("ada"),
            system: SystemId::slug("shop"),
            checkout: CheckoutId::new("chk_1").unwrap(),
            state: PurchaseState::Placed { order: OrderId::new(format!("ord_{number}")).unwrap() },
            total: euro,
            order: Some(order),
            checked: None,
            said: None,
            confirmed: Timestamp(number.into()),
            at: Timestamp(u64::from(fulfilled)),
        }
    }

    fn items(parcel: Option<Parcel>) -> Option<(String, Vec<String>)> {
        parcel.map(|(order, goods)| (order, goods.into_iter().map(|goods| goods.item).collect()))
    }

    #[test]
    fn each_thing_is_brought_once_and_what_is_old_not_again() {
        let folder = tempfile::tempdir().unwrap();
        let shining = shining(folder.path());
        let (mut known, mut rounds) = (KnownPurchases::default(), Rounds::default());
        let unpacked = ["W-1".to_owned()];
        let mut next = |known: &KnownPurchases| rounds.next(known, &shining, &unpacked);
        known.take(update(1, "Lamp", &["W-1"], 1));
        assert_eq!(next(&known), None, "the list has not come");
        known.complete = true;
        assert_eq!(next(&known), None, "it was delivered before");
        known.take(update(2, "A tall one", &["W-2", "W-3"], 0));
        assert_eq!(next(&known), None);
        known.take(update(2, "A tall one", &["W-2", "W-3"], 1));
        assert_eq!(items(next(&known)), Some(("ord_2".to_owned(), vec!["W-2".to_owned()])));
        assert_eq!(next(&known), None);
        known.take(update(2, "A tall one", &["W-2", "W-3"], 2));
        known.take(update(3, "Lamp shelf", &["W-4"], 1));
        known.take(update(4, "Flour", &[], 1));
        assert_eq!(items(next(&known)), Some(("ord_2".to_owned(), vec!["W-3".to_owned()])));
        // What has no electronics does not tell its number.
        assert_eq!(items(next(&known)), Some(("ord_3".to_owned(), vec!["Lamp shelf W-4".to_owned()])));
        assert_eq!(next(&known), None, "food is the kitchen's");
    }

    /// The home ended before anybody opened the door, or before the first list came.
    #[test]
    fn lamps_that_are_plugged_in_nowhere_are_brought_again_after_a_start() {
        let folder = tempfile::tempdir().unwrap();
        let shining = shining(folder.path());
        let mut known = KnownPurchases { complete: true, ..KnownPurchases::default() };
        known.take(update(1, "A tall one", &["W-1", "W-2", "W-3"], 2));
        known.take(update(2, "Lamp shelf", &["W-4"], 1));
        let mut back = update(3, "Lamp", &["W-5"], 1);
        back.order.as_mut().unwrap().lines[0].total = 0;
        known.take(back);
        let (mut rounds, unpacked) = (Rounds::default(), ["W-1".to_owned()]);
        let brought = items(rounds.next(&known, &shining, &unpacked));
        assert_eq!(brought, Some(("ord_1".to_owned(), vec!["W-2".to_owned()])));
        assert_eq!(
            rounds.next(&known, &shining, &unpacked),
            None,
            "a shelf lies in a cupboard, and one lamp went back"
        );
        known.take(update(1, "A tall one", &["W-1", "W-2", "W-3"], 3));
        let brought = items(rounds.next(&known, &shining, &unpacked));
        assert_eq!(brought, Some(("ord_1".to_owned(), vec!["W-3".to_owned()])));
    }

    #[test]
    fn a_parcel_for_which_there_is_no_room_is_brought_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut courier = Courier { shining: shining(folder.path()), ..Courier::default() };
        let mut known = KnownPurchases { complete: true, ..KnownPurchases::default() };
        courier.ring(&known, |_, _| panic!("there is nothing"));
        known.take(update(1, "Lamp", &["W-1"], 1));
        for _ in 0..2 {
            courier.ring(&known, |_, _| Err(SimError::Full { what: "parcels", most: 64 }));
            assert!(courier.waits.is_none());
        }
        courier.ring(&known, |order, goods| {
            assert_eq!((order, goods), ("ord_1", vec![Goods::read("W-1")]));
            Ok(())
        });
        assert_eq!(courier.waits.take().as_deref(), Some("ord_1"));
        courier.ring(&known, |_, _| panic!("it was brought"));
    }

    #[test]
    fn food_waits_for_its_turn_and_too_much_does_not() {
        let mut courier = Courier::default();
        let food = |n: u8| FoodDelivered { purchase: PurchaseId([n; 16]), foods: vec![("milk".to_owned(), 1.0)] };
        let all: Vec<_> = (0..=u8::try_from(MOST_FOOD).unwrap()).map(food).collect();
        courier.note_food(all.iter());
        assert_eq!(courier.food.len(), MOST_FOOD);
        assert_eq!(courier.food[0].0, PurchaseId([0; 16]).to_string());
    }

    /// A list that stops being complete (the connection is lost) makes nothing old anew.
    #[test]
    fn a_lost_connection_brings_nothing_twice() {
        let shining = Shining::default();
        let (mut known, mut rounds) =
            (KnownPurchases { complete: true, ..KnownPurchases::default() }, Rounds::default());
        assert_eq!(rounds.next(&known, &shining, &[]), None);
        known.take(update(1, "Lamp", &["W-1"], 1));
        assert!(rounds.next(&known, &shining, &[]).is_some());
        known.complete = false;
        assert_eq!(rounds.next(&known, &shining, &[]), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_opens_the_door_has_the_lamp_and_it_is_there_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("unpacked.txt");
        let home = vestibule_sim::SimHome::start(vestibule_sim::HomeConfig::default()).await.unwrap();
        let hand = home.hand();
        let mut courier = Courier { file: file.clone(), waits: Some("ord_1".to_owned()), ..Courier::default() };
        courier.begin(&hand);
        hand.deliver("ord_1", vec![Goods::read("W-1"), Goods::read("Shelf W-2")]).unwrap();
        courier.take_in(&hand);
        assert!(hand.unpacked().is_empty() && courier.waits.is_some(), "the door is shut");
        hand.turn_lock(false);
        hand.push_door(100);
        let opens = async {
            while hand.door().position < WIDE {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), opens).await.unwrap();
        courier.take_in(&hand);
        courier.note(&hand);
        assert_eq!((hand.unpacked(), hand.parcels(), hand.door().guest), (vec!["W-1".to_owned()], Vec::new(), None));
        home.stop().await;
        let home = vestibule_sim::SimHome::start(vestibule_sim::HomeConfig::default()).await.unwrap();
        let mut courier = Courier { file, ..Courier::default() };
        courier.begin(&home.hand());
        assert_eq!(home.hand().unpacked(), ["W-1"]);
        home.stop().await;
    }
}
