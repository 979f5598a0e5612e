use std::{collections::BTreeSet, sync::Arc};

use vestibule_model::{PropertyInfo, Value, ValueType};

use super::*;

const NOW: Timestamp = Timestamp(1_000_000_000);

/// A twin with sensors: id, name, class, unit, value.
fn twin(sensors: &[(&str, &str, Option<&str>, Option<&str>, Value)]) -> (TwinInfo, TwinState) {
    let mut info = TwinInfo::new(TwinId::new("home/shelf").unwrap(), "Shelf");
    let mut readings = BTreeMap::new();
    let value = PropertyId::slug("value");
    for (id, name, class, unit, told) in sensors {
        let kind = if matches!(told, Value::Text(_)) { ValueType::Text { max: 64 } } else { ValueType::AnyNumber };
        let mut property = PropertyInfo::new(kind);
        property.unit = unit.map(str::to_owned);
        let feature = FeatureInfo {
            name: (*name).to_owned(),
            kind: FeatureKind::Sensor,
            class: class.map(str::to_owned),
            properties: [(value.clone(), property)].into(),
            actions: BTreeMap::new(),
            events: BTreeSet::new(),
        };
        info.features.insert(FeatureId::slug(id), feature);
        let (value_now, truth) = (Some(told.clone()), Truth::Live);
        let reading = Reading { value: value_now, desired: None, truth, reported_at: Some(10.0), revision: 1 };
        readings.insert((FeatureId::slug(id), value.clone()), reading);
    }
    (info, TwinState { readings: Arc::new(readings), reachable: true, ..TwinState::default() })
}

fn seen(twin: &(TwinInfo, TwinState), rules: &KitchenRules) -> Pantry {
    look([(&twin.0, &twin.1)].into_iter(), rules, Table::shipped(), NOW, 70.0)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn scales_know_what_lies_on_them_and_lists_by_their_names() {
    let twin = twin(&[
        ("board_1", "Board 1", Some("weight"), Some("g"), Value::Float(320.0)),
        ("board_1_food", "On board 1", None, None, text("Mehl")),
        ("milk", "Milk", None, Some("mL"), Value::Int(400)),
        ("egg", "Eggs", None, Some("pcs"), Value::Int(3)),
        ("screws", "Screws, 4 mm", None, Some("pcs"), Value::Int(17)),
    ]);
    let pantry = seen(&twin, &KitchenRules::default());
    let told: Vec<_> =
        pantry.stocks.iter().map(|stock| (stock.ingredient.as_str(), stock.amount.to_string())).collect();
    let expected = [("flour_wheat", "320 g"), ("egg", "3 piece"), ("milk", "400 ml")];
    assert_eq!(told, expected.map(|(id, amount)| (id, amount.to_owned())));
    assert_eq!(pantry.stocks[0].source, StockSource::Scale { tare_mg: 0 });
    assert_eq!(pantry.stocks[2].source, StockSource::Inventory);
    assert_eq!(pantry.stocks[0].reported, Timestamp(NOW.0 - 60_000), "a minute old");
    assert!(pantry.names.values().any(|name| name == "Shelf, Milk") && pantry.unknown.is_empty());
    assert_eq!(pantry.pieces, [("screws, 4 mm".to_owned(), 17)].into(), "what is no food is counted, too");
}

#[test]
fn what_is_no_food_is_none() {
    let twin = twin(&[
        ("power", "Milk frother", Some("power"), Some("W"), Value::Float(20.0)),
        ("meter", "Water", Some("water"), Some("L"), Value::Float(20.0)),
        ("salt", "Salt", None, Some("%"), Value::Int(40)),
        ("rice", "Rice cooker", None, None, Value::Int(1)),
        ("flour", "Flour", Some("weight"), Some("g"), text("full")),
        ("person", "Weight", Some("weight"), Some("kg"), Value::Float(70.0)),
    ]);
    let pantry = seen(&twin, &KitchenRules::default());
    assert_eq!(pantry.stocks, []);
    let unknown: Vec<_> = pantry.unknown.iter().map(|place| (place.name.as_str(), place.amount.as_str())).collect();
    assert_eq!(unknown, [("Shelf, Weight", "70 kg")], "a person may say what that is");
}

#[test]
fn the_person_knows_better_and_what_is_away_is_stale() {
    let mut twin = twin(&[("board_1", "Board 1", Some("weight"), Some("g"), Value::Float(320.0))]);
    let mut rules = KitchenRules::default();
    rules.places.insert("home/shelf board_1".to_owned(), IngredientId::new("rice").unwrap());
    assert_eq!(seen(&twin, &rules).stocks[0].ingredient.as_str(), "rice");
    assert_eq!(seen(&twin, &rules).stocks[0].truth, Truth::Live);
    twin.1.reachable = false;
    assert_eq!(seen(&twin, &rules).stocks[0].truth, Truth::Stale);
    let readings = Arc::make_mut(&mut twin.1.readings);
    readings.values_mut().for_each(|reading| reading.reported_at = None);
    assert_eq!(seen(&twin, &rules).stocks[0].reported, Timestamp(0), "nobody knows when");
}
