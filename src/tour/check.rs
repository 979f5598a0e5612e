//! What the world shows, compared with what a step expects.

use bevy::prelude::*;
use vestibule_door::DoorLeaf;
use vestibule_hud::hud_texts;
use vestibule_model::{FeatureId, PropertyId, PurchaseState, PurchaseUpdate, TwinId};
use vestibule_twin::{
    DesignView, FurnitureId, KnownPurchases, PointedTwin, TwinIndex, TwinPictures, TwinRoot, TwinState,
};
use vestibule_world::scene::Places;

use super::{
    driver::Physical,
    legs,
    script::{Expectation, Observation},
};

pub(super) fn observe(world: &mut World, expectation: &Expectation) -> Observation {
    let (observed, ok) = match expectation {
        Expectation::Shows(text) => shows(world, text),
        Expectation::Hides(text) => {
            let (observed, shown) = shows(world, text);
            (observed, !shown)
        }
        Expectation::Reads { twin, property, is, at_least, at_most, truth } => {
            reads(world, twin, property, is.as_deref(), *at_least, *at_most, truth.as_deref())
        }
        Expectation::Door { at_least, at_most, locked } => match world.get_resource::<Physical>() {
            Some(Physical(Some(hand))) => {
                let door = hand.door();
                let low = at_least.is_none_or(|least| door.position >= least);
                let high = at_most.is_none_or(|most| door.position <= most);
                let ok = low && high && locked.is_none_or(|wish| door.locked == wish);
                (format!("{} %, locked {}, jammed {}", door.position, door.locked, door.jammed), ok)
            }
            _ => ("there is no simulated home".to_owned(), false),
        },
        Expectation::Leaf { at_least, at_most } => {
            let leaf = world.query::<&DoorLeaf>().iter(world).next().map(|leaf| leaf.position);
            let low = |leaf: f32| at_least.is_none_or(|least| leaf >= least);
            let high = |leaf: f32| at_most.is_none_or(|most| leaf <= most);
            let ok = leaf.is_some_and(|leaf| low(leaf) && high(leaf));
            (leaf.map_or("no door is drawn".to_owned(), |leaf| format!("{leaf:.2}")), ok)
        }
        Expectation::Points(twin) => {
            let target = world.resource::<PointedTwin>().target.as_ref().map(|(twin, _)| twin.clone());
            let ok = target.as_ref() == Some(twin);
            (target.map_or("nothing".to_owned(), |twin| twin.to_string()), ok)
        }
        Expectation::Sees { twin, guest } => sees(world, twin, guest),
        Expectation::Furniture(count) => {
            let found = world.query::<&FurnitureId>().iter(world).count();
            (found.to_string(), found == *count)
        }
        Expectation::In(zone) => {
            let feet = legs::feet(world).unwrap_or_default();
            let zones: Vec<_> = world.resource::<Places>().zones_at(feet).map(str::to_owned).collect();
            (format!("at {feet:.1} in {}", zones.join(", ")), zones.contains(zone))
        }
        Expectation::Twins(count) => {
            let found = world.query_filtered::<(), With<TwinRoot>>().iter(world).count();
            (found.to_string(), found >= *count)
        }
        Expectation::InTheWay(count) => {
            let view = world.resource::<DesignView>();
            let found = view.findings.iter().filter(|finding| finding.blocks).count();
            (format!("{found}, looked at: {}", view.checked), view.checked && found == *count)
        }
        Expectation::Measures(wanted) => {
            let size = world.resource::<DesignView>().size_mm;
            let ok = size.is_some_and(|size| size.iter().zip(wanted).all(|(is, wanted)| (is - wanted).abs() < 0.5));
            (size.map_or("nothing stands there".to_owned(), |size| format!("{size:.1?} mm")), ok)
        }
        Expectation::Written(ending) => {
            let written = world.resource::<DesignView>().exported.clone();
            let ok = written.as_ref().is_some_and(|written| {
                written.as_ref().is_ok_and(|path| path.ends_with(ending) && std::path::Path::new(path).exists())
            });
            (format!("{written:?}"), ok)
        }
        Expectation::Purchase { is, total } => bought(world, is, total.as_deref()),
        Expectation::Bound(count) => {
            let found = world.resource::<KnownPurchases>().products.len();
            (found.to_string(), found == *count)
        }
        Expectation::Stereo(wanted) => stereo(world, *wanted),
    };
    Observation { expected: expectation.words(), observed, ok }
}

fn shows(world: &mut World, text: &str) -> (String, bool) {
    let texts = hud_texts(world);
    let wanted = text.to_lowercase();
    match texts.iter().find(|line| line.to_lowercase().contains(&wanted)) {
        Some(line) => (line.clone(), true),
        None => (texts.join(" | "), false),
    }
}

fn reads(
    world: &World,
    twin: &TwinId,
    property: &str,
    is: Option<&str>,
    at_least: Option<f64>,
    at_most: Option<f64>,
    truth: Option<&str>,
) -> (String, bool) {
    let states = world.resource::<TwinIndex>().get(twin).iter();
    let Some(state) = states.filter_map(|entity| world.get::<TwinState>(*entity)).next() else {
        return (format!("{twin} is not here"), false);
    };
    let Some((feature, name)) = property.split_once('.') else {
        return (format!("{property:?} is not feature.property"), false);
    };
    let key = (FeatureId::slug(feature), PropertyId::slug(name));
    let Some(reading) = state.readings.get(&key) else {
        let known: Vec<_> = state.readings.keys().map(|(f, p)| format!("{f}.{p}")).collect();
        return (format!("no {property}; there are {}", known.join(", ")), false);
    };
    let value = reading.value.as_ref();
    let number = value.and_then(vestibule_model::Value::as_f64);
    let text = value.map(ToString::to_string);
    let ok = is.is_none_or(|is| text.as_deref() == Some(is))
        && at_least.is_none_or(|least| number.is_some_and(|number| number >= least))
        && at_most.is_none_or(|most| number.is_some_and(|number| number <= most))
        && truth.is_none_or(|truth| reading.truth.word() == truth);
    (format!("{} ({})", text.unwrap_or_else(|| "never reported".to_owned()), reading.truth.word()), ok)
}

/// Compares the newest picture with the one that the camera takes of that guest, byte for byte.
fn sees(world: &World, twin: &TwinId, guest: &str) -> (String, bool) {
    let entities = world.resource::<TwinIndex>().get(twin).iter();
    let mut pictures = entities.filter_map(|entity| world.get::<TwinPictures>(*entity)?.0.values().next());
    let Some(picture) = pictures.next() else {
        return ("no picture has come".to_owned(), false);
    };
    let who = super::driver::guests().find(|(_, bytes)| bytes[..] == picture.bytes[..]);
    let name = who.map_or("somebody else", |(name, _)| name);
    (format!("{name}, {} bytes", picture.bytes.len()), name == guest)
}

fn bought(world: &World, is: &str, total: Option<&str>) -> (String, bool) {
    let known = world.resource::<KnownPurchases>();
    let Some(newest) = known.newest_first().first().copied() else { return ("nothing was bought".to_owned(), false) };
    let (far, cost) = (how_far(newest), newest.total.to_string());
    let ok = far == is && total.is_none_or(|total| total == cost);
    (format!("{far}, {cost}"), ok)
}

fn how_far(purchase: &PurchaseUpdate) -> &'static str {
    let delivered = purchase.order.as_ref().is_some_and(|order| order.is_fulfilled());
    match &purchase.state {
        PurchaseState::Confirmed => "confirmed",
        PurchaseState::Placing { .. } | PurchaseState::Canceling { .. } => "in doubt",
        PurchaseState::NotPlaced { .. } => "not placed",
        PurchaseState::Canceled { .. } => "canceled",
        PurchaseState::Disputed { .. } => "disputed",
        PurchaseState::Placed { .. } | PurchaseState::Completed { .. } if delivered => "delivered",
        PurchaseState::Placed { .. } | PurchaseState::Completed { .. } => "placed",
    }
}

fn stereo(world: &mut World, wanted: bool) -> (String, bool) {
    let views = crate::client::xr_views(world);
    (format!("{views} tracked eyes"), (views == 2) == wanted)
}
