use vestibule_fabricate::{Start, design::Shape};

use super::*;
use crate::{
    book::Book,
    fields::{fields, param_field},
};

fn key(text: &str) -> FeatureKey {
    FeatureKey::new(text).unwrap()
}

fn book(start: Start) -> Book {
    Book::new([3; 16], &start.design()).unwrap()
}

/// Does it; the part that is chosen then.
fn done(book: &mut Book, change: &Change) -> Option<FeatureKey> {
    let done = book.apply(change).unwrap_or_else(|why| panic!("{change:?}: {why}"));
    done.unwrap_or_else(|| panic!("{change:?} changed nothing")).select.flatten()
}

#[test]
fn every_field_of_every_start_is_already_what_it_is() {
    for start in Start::ALL {
        let mut book = book(start);
        let design = start.design();
        for feature in &design.features {
            let all = fields(&design, Some(&feature.key));
            assert!(all.iter().any(|field| field.part.is_some()), "{start:?} {}", feature.name);
            for field in all.into_iter().filter(|field| field.formula.is_none()) {
                assert!((field.least..=field.most).contains(&field.value), "{field:?}");
                let change = Change::Number { field: field.id.clone(), value: field.value };
                assert_eq!(book.apply(&change).unwrap(), None, "{start:?} {field:?}");
            }
        }
    }
}

#[test]
fn what_cannot_be_is_said_in_words() {
    let mut shelf = book(Start::Shelf);
    let mut number =
        |field: &str, value: f64| shelf.apply(&Change::Number { field: field.to_owned(), value }).unwrap_err();
    assert_eq!(number(&param_field("width"), 5_000.0), "Width goes from 120 mm to 800 mm.");
    assert_eq!(number(&param_field("width"), f64::NAN), "That is no number.");
    assert_eq!(number(&param_field("nothing"), 1.0), "That is not there any more.");
    assert_eq!(number("feature/side/p.size.0", -3.0), "The size of Sides would be -3, which cannot be.");
    assert_eq!(number("x", 1.0), "That is not there any more.");
    let only = shelf.apply(&Change::Remove { part: key("board") }).unwrap_err();
    assert_eq!(only, "It is the only body: without it nothing would be left.");
    assert!(shelf.undoes().is_none(), "what was refused is no step");
}

#[test]
fn moving_there_and_back_leaves_it_as_it_was() {
    let mut shelf = book(Start::Shelf);
    let before = shelf.design().clone();
    let by = |x: f64| Change::Move { part: key("side"), by: [x, 0.0, -x] };
    done(&mut shelf, &by(12.5));
    assert_ne!(*shelf.design(), before);
    done(&mut shelf, &by(2.0));
    done(&mut shelf, &by(-14.5));
    assert_eq!(*shelf.design(), before);
}

#[test]
fn a_copied_body_has_all_that_belongs_to_it_and_goes_with_it() {
    let mut table = book(Start::Table);
    let before = table.design().clone();
    let copy = done(&mut table, &Change::Copy { part: key("top"), by: 500.0 }).unwrap();
    assert_eq!(table.design().features.len(), 4);
    let legs = table.design().features.iter().filter(|feature| feature.does == Does::Add { to: copy.clone() });
    assert_eq!(legs.count(), 1);
    done(&mut table, &Change::Remove { part: copy });
    assert_eq!(*table.design(), before);
}

#[test]
fn parts_are_added_mirrored_and_named() {
    for shape in ["block", "cylinder", "ball", "ring", "extrusion", "revolution", "text", "hole"] {
        let mut shelf = book(Start::Shelf);
        let part = done(&mut shelf, &Change::Add { shape: shape.to_owned(), at: [10.0, 20.0, 30.0] }).unwrap();
        let before = shelf.design().clone();
        done(&mut shelf, &Change::Mirror { part: part.clone() });
        assert!(shelf.design().features.iter().any(|feature| feature.key == part && feature.mirror.is_some()));
        done(&mut shelf, &Change::Mirror { part });
        assert_eq!(*shelf.design(), before);
    }
    let mut shelf = book(Start::Shelf);
    done(&mut shelf, &Change::Text { field: "name".to_owned(), text: " My shelf ".to_owned() });
    assert_eq!(shelf.design().name, "My shelf");
    assert!(shelf.apply(&Change::Text { field: "name".to_owned(), text: "  ".to_owned() }).is_err());
    assert!(shelf.apply(&Change::Add { shape: "spaceship".to_owned(), at: [0.0; 3] }).is_err());
    let mut number = book(Start::HouseNumber);
    done(&mut number, &Change::Text { field: "feature/number/p.text".to_owned(), text: "7a".to_owned() });
    assert!(number.design().features.iter().any(|f| matches!(&f.shape, Shape::Text { text, .. } if text == "7a")));
}

#[test]
fn a_part_is_repeated_and_takes_away_or_adds() {
    let mut shelf = book(Start::Shelf);
    let part = done(&mut shelf, &Change::Add { shape: "ring".to_owned(), at: [10.0, 20.0, 30.0] }).unwrap();
    let before = shelf.design().clone();
    let repeat = Change::Repeat { part: part.clone(), by: 25.0 };
    done(&mut shelf, &repeat);
    let rows = fields(shelf.design(), Some(&part));
    assert!(rows.iter().any(|row| row.value.eq(&3.0)) && rows.iter().any(|row| row.value.eq(&25.0)), "{rows:#?}");
    done(&mut shelf, &repeat);
    assert_eq!(*shelf.design(), before);
    let cut = Change::Cut { part: part.clone() };
    done(&mut shelf, &cut);
    let cuts = |book: &Book| {
        book.design().features.iter().any(|feature| feature.key == part && matches!(feature.does, Does::Cut { .. }))
    };
    assert!(cuts(&shelf));
    done(&mut shelf, &cut);
    assert_eq!(*shelf.design(), before);
    let mut shelf = book(Start::Shelf);
    let why = shelf.apply(&Change::Cut { part: key("board") }).unwrap_err();
    assert!(why.contains("It is a body"), "{why}");
    let hole = done(&mut shelf, &Change::Add { shape: "hole".to_owned(), at: [0.0; 3] }).unwrap();
    done(&mut shelf, &Change::Cut { part: hole.clone() });
    let does = shelf.design().features.iter().find(|feature| feature.key == hole).map(|hole| hole.does.clone());
    assert_eq!(does, Some(Does::Add { to: key("board") }), "what is cut from everything is added to the first body");
}

#[test]
fn a_material_says_what_it_is() {
    let mut shelf = book(Start::Shelf);
    done(&mut shelf, &Change::Colour { material: "wood".to_owned(), rgb: [188, 44, 40] });
    done(&mut shelf, &Change::Kind { material: "wood".to_owned(), kind: "petg".to_owned() });
    let names: Vec<_> = shelf.design().materials.values().map(|material| material.name.as_str()).collect();
    assert_eq!(names, ["PETG red"]);
    assert!(shelf.apply(&Change::Kind { material: "wood".to_owned(), kind: "gold".to_owned() }).is_err());
    shelf.undo().unwrap();
    shelf.undo().unwrap();
    assert_eq!(*shelf.design(), Start::Shelf.design(), "a colour is one step");
}
