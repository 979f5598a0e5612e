use vestibule_fabricate::Start;

use super::*;
use crate::fields::fields;

fn key(text: &str) -> FeatureKey {
    FeatureKey::new(text).unwrap()
}

fn done(design: &Design, change: &Change) -> Changed {
    change.apply(design).unwrap_or_else(|why| panic!("{change:?}: {why}"))
}

#[test]
fn every_field_of_every_start_can_be_set_to_what_it_is() {
    for start in Start::ALL {
        let design = start.design();
        for feature in &design.features {
            for field in fields(&design, Some(&feature.key)) {
                let changed = done(&design, &Change::Number { field: field.id.clone(), value: field.value });
                let again = fields(&changed.design, Some(&feature.key));
                let same = again.iter().find(|other| other.id == field.id).unwrap();
                assert!((same.value - field.value).abs() < 1e-3, "{start:?} {field:?}");
            }
        }
    }
}

#[test]
fn what_cannot_be_is_said_in_words() {
    let shelf = Start::Shelf.design();
    let number = |field: &str, value: f64| Change::Number { field: field.to_owned(), value }.apply(&shelf).unwrap_err();
    assert_eq!(number("p.width", 5_000.0), "Width goes from 120 mm to 800 mm.");
    assert_eq!(number("p.nothing", 1.0), "Nothing here is called nothing.");
    assert_eq!(number("p.width", f64::NAN), "That is no number.");
    assert_eq!(number("f.side.width", -3.0), "Width goes from 0.2 mm to 3000 mm.");
    assert_eq!(number("x", 1.0), "That number is not there any more.");
    let only = Change::Remove { part: key("board") }.apply(&shelf).unwrap_err();
    assert_eq!(only, "It is the only body: without it nothing would be left.");
}

#[test]
fn moving_a_formula_there_and_back_leaves_it_as_it_was() {
    let shelf = Start::Shelf.design();
    let by = |x: f64| Change::Move { part: key("side"), by: [x, 0.0, -x] };
    let there = done(&shelf, &by(12.5)).design;
    let place = |design: &Design| fields(design, Some(&key("side"))).into_iter().find(|f| f.id == "f.side.right").unwrap();
    assert!((place(&there).value - place(&shelf).value - 12.5).abs() < 1e-9);
    assert_eq!(place(&there).formula.as_deref(), Some("((width - thickness) / 2) + 12.5"));
    let further = done(&there, &by(2.0)).design;
    assert_eq!(place(&further).formula.as_deref(), Some("((width - thickness) / 2) + 14.5"));
    assert_eq!(done(&further, &by(-14.5)).design, shelf);
}

#[test]
fn a_copied_body_has_all_that_belongs_to_it() {
    let table = Start::Table.design();
    let changed = done(&table, &Change::Copy { part: key("top"), by: 500.0 });
    let added: Vec<_> = changed.design.features[table.features.len()..].iter().collect();
    assert_eq!(added.len(), 2);
    assert_eq!(added[1].does, Does::Add { to: added[0].key.clone() });
    assert_eq!(changed.select, Some(Some(added[0].key.clone())));
    let gone = done(&changed.design, &Change::Remove { part: added[0].key.clone() });
    assert_eq!(gone.design, table, "and it goes with all of it");
}

#[test]
fn parts_are_added_mirrored_and_named() {
    let shelf = Start::Shelf.design();
    for shape in ["block", "cylinder", "ball", "hole"] {
        let changed = done(&shelf, &Change::Add { shape: shape.to_owned(), at: [10.0, 20.0, 30.0] });
        let part = changed.select.flatten().unwrap();
        let mirrored = done(&changed.design, &Change::Mirror { part: part.clone() });
        assert_eq!(done(&mirrored.design, &Change::Mirror { part }).design, changed.design);
    }
    let named = done(&shelf, &Change::Text { field: "name".to_owned(), text: " My shelf ".to_owned() });
    assert_eq!(named.design.name, "My shelf");
    assert!(Change::Text { field: "name".to_owned(), text: "  ".to_owned() }.apply(&shelf).is_err());
    let number = Start::HouseNumber.design();
    let text = done(&number, &Change::Text { field: "text.number".to_owned(), text: "7a".to_owned() });
    assert!(text.design.features.iter().any(|f| matches!(&f.shape, Shape::Text { text, .. } if text == "7a")));
}

#[test]
fn a_material_says_what_it_is() {
    let shelf = Start::Shelf.design();
    let red = done(&shelf, &Change::Colour { material: "wood".to_owned(), rgb: [188, 44, 40] });
    let petg = done(&red.design, &Change::Kind { material: "wood".to_owned(), kind: "petg".to_owned() });
    let names: Vec<_> = petg.design.materials.values().map(|material| material.name.as_str()).collect();
    assert_eq!(names, ["PETG red"]);
    assert!(Change::Kind { material: "wood".to_owned(), kind: "gold".to_owned() }.apply(&shelf).is_err());
}
