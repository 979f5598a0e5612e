//! Documents: edits, undo, copies that go apart and come together, hostile bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod any;
#[path = "../common/mod.rs"]
mod common;
mod panel;

use std::collections::BTreeSet;

use common::{block, body, key};
use proptest::{prelude::*, sample::Index};
use vestibule_fabricate::{
    Design, DesignError, Start,
    design::{Axis, Does, FeatureKey, MaterialKey, Param, ParamKey, Repeat, Shape},
    document::{
        Deed, Document, DocumentError, Edit, EditError, EditLabel, FeatureField, Field, HandleKind, MaterialField,
        NewFeature, ParamField, Scalar, ShapeKind, UndoLog, Unit, editable, handles,
    },
};

fn document(actor: u8, start: Start) -> Document {
    Document::new([actor; 16], &start.design()).unwrap()
}

fn copy(of: &mut Document, actor: u8) -> Document {
    Document::load([actor; 16], &of.save()).unwrap()
}

fn text(of: &Document) -> String {
    of.design().unwrap().canonical().unwrap()
}

/// What one has goes to the other.
fn send(from: &mut Document, to: &mut Document) {
    let heads = to.heads();
    to.merge(&from.changes_since(&heads)).unwrap();
}

fn both(one: &mut Document, other: &mut Document) {
    send(one, other);
    send(other, one);
    assert_eq!(text(one), text(other));
    assert_eq!(one.left_out(), other.left_out());
}

fn param(name: &str, field: ParamField) -> Field {
    Field::Param(ParamKey::new(name).unwrap(), field)
}

fn part(of: &str, field: FeatureField) -> Field {
    Field::Feature(key(of), field)
}

#[test]
fn every_start_is_the_same_as_a_document_before_and_after_it_is_written() {
    for start in Start::ALL {
        let mut document = document(1, start);
        assert_eq!(document.design().unwrap(), start.design(), "{start:?}");
        let mut read = copy(&mut document, 2);
        assert_eq!(text(&read), start.design().canonical().unwrap());
        assert!(read.left_out().is_empty() && read.conflicts().is_empty());
        assert_eq!(read.heads(), document.heads());
        assert_eq!(read.changes(), 1);
    }
}

#[test]
fn an_edit_is_one_change_and_what_is_no_design_is_refused_as_a_whole() {
    let mut document = document(1, Start::Hook);
    let changed = document.apply(&document.turning_param("reach", 60.0).unwrap()).unwrap();
    assert_eq!(changed.features, BTreeSet::from([key("arm")]));
    assert_eq!(document.changes(), 2);
    let before = text(&document);
    let edit = |sets: Vec<(Field, Scalar)>| Edit { sets, label: EditLabel { deed: Deed::Set, what: String::new() } };
    let refused = [
        vec![(param("reach", ParamField::Value), 1e6.into())],
        vec![(Field::Name, "other".into()), (param("reach", ParamField::Gone), true.into())],
        vec![(part("arm", FeatureField::To), "nobody".into())],
        vec![(part("arm", FeatureField::Position(Axis::X)), "=1 +".into())],
        vec![(part("arm", FeatureField::Shape), "cathedral".into())],
        vec![(part("plate", FeatureField::Gone), true.into())],
        vec![(Field::Material(MaterialKey::new("plastic").unwrap(), MaterialField::Colour), "red".into())],
    ];
    for sets in refused {
        let error = document.apply(&edit(sets)).unwrap_err();
        assert!(matches!(error, EditError::Design(_)), "{error}");
    }
    let infinite = edit(vec![(part("arm", FeatureField::Position(Axis::X)), f64::NAN.into())]);
    assert!(matches!(document.apply(&infinite), Err(EditError::Value { .. })));
    assert_eq!((text(&document), document.changes(), document.undo_log().len()), (before, 2, 1));
    assert!(matches!(document.turning_param("colour", 1.0), Err(EditError::Unknown(_))));
}

#[test]
fn what_changes_nothing_is_no_change() {
    let mut document = document(1, Start::Hook);
    let changed = document.apply(&document.turning_param("reach", 40.0).unwrap()).unwrap();
    assert!(changed.fields.is_empty());
    assert_eq!((document.changes(), document.undo_log().len()), (1, 0));
}

#[test]
fn everything_that_people_do_is_done_undone_and_done_again() {
    let mut document = document(1, Start::Shelf);
    let mut states = vec![text(&document)];
    let mut next = 0_u32;
    let mut fresh = || {
        next += 1;
        key(&format!("{next:016x}"))
    };
    let hole = fresh();
    let deeds: Vec<Box<dyn Fn(&Document, &mut dyn FnMut() -> FeatureKey) -> Edit>> = vec![
        Box::new(|of, _| of.turning_param("width", 300.0).unwrap()),
        Box::new({
            let hole = hole.clone();
            move |of, _| of.adding(&NewFeature::cut(hole.clone(), ShapeKind::Cylinder).at([0.0, 20.0, 70.0])).unwrap()
        }),
        Box::new({
            let hole = hole.clone();
            move |of, _| of.setting(of.part(&hole, "low").unwrap(), "=thickness / 2".into()).unwrap()
        }),
        Box::new(|of, fresh| of.copying(&key("board"), fresh, [0.0, 0.0, 400.0]).unwrap()),
        Box::new(|of, _| of.mirroring(&key("side"), None).unwrap()),
        Box::new(|of, _| of.moving(&key("board"), [10.0, 0.0, -5.0]).unwrap()),
        Box::new(|of, _| of.moving(&key("board"), [-10.0, 0.0, 5.0]).unwrap()),
        Box::new(|of, _| of.renaming(&key("rail"), "Rear rail").unwrap()),
        Box::new(|of, _| of.renaming_design("Shelf of the kitchen")),
        Box::new(|of, _| of.colouring(&MaterialKey::new("wood").unwrap(), [1, 2, 254]).unwrap()),
        Box::new(|of, _| of.reordering(&key("rail"), Some(&key("board"))).unwrap()),
        Box::new(|of, _| {
            let repeat = Repeat::Circle { count: 3.0.into(), axis: Axis::Y, angle: 90.0.into() };
            of.repeating(&key("rail"), Some(&repeat)).unwrap()
        }),
        Box::new(|of, _| of.reshaping(&key("rail"), &ShapeKind::Ring.shape(50.0)).unwrap()),
        Box::new(|of, _| of.putting_param(&ParamKey::new("more").unwrap(), &Param::length("More", 1.0, 0.0, 2.0))),
        Box::new(|of, _| of.removing_param(&ParamKey::new("more").unwrap()).unwrap()),
        Box::new(|of, _| of.letting(&key("rail"), &Does::Cut { from: BTreeSet::new() }).unwrap()),
        Box::new(|of, _| of.removing(&key("board")).unwrap()),
    ];
    let count = deeds.len();
    for deed in deeds {
        let edit = deed(&document, &mut fresh);
        let preview = document.preview(&edit).unwrap();
        let before = states.last().unwrap();
        document.apply(&edit).unwrap();
        assert_eq!(preview.canonical().unwrap(), text(&document), "{}", edit.label);
        assert_ne!(&text(&document), before, "{}", edit.label);
        states.push(text(&document));
    }
    let copies = document.design().unwrap().features.iter().filter(|feature| feature.name.ends_with("copy")).count();
    assert_eq!(copies, 4, "the board, its sides, its rail and its holes");
    for state in states.iter().rev().skip(1) {
        document.undo().unwrap().unwrap();
        assert_eq!(&text(&document), state);
    }
    assert_eq!(document.undo().unwrap(), None);
    for state in states.iter().skip(1) {
        document.redo().unwrap().unwrap();
        assert_eq!(&text(&document), state);
    }
    assert_eq!(document.redo().unwrap(), None);
    assert_eq!(document.undo_log().len(), count);
}

#[test]
fn removing_takes_along_what_is_nothing_without_it() {
    let mut document = document(1, Start::Lamp);
    document.apply(&document.removing(&key("base")).unwrap()).unwrap();
    let keys: Vec<_> = document.design().unwrap().features.iter().map(|feature| feature.key.to_string()).collect();
    assert_eq!(keys, ["shade", "inside", "cable"]);
    assert!(matches!(document.removing(&key("base")), Err(EditError::Unknown(_))));
    let again = NewFeature::body(key("base"), ShapeKind::Block);
    assert!(matches!(document.adding(&again), Err(EditError::Taken(_))));
}

#[test]
fn places_stay_in_order_however_often_something_is_put_there() {
    let mut document = Document::new([1; 16], &common::design(vec![body("a", block([9.0; 3]), [0.0; 3])])).unwrap();
    for number in 0..400 {
        let new = NewFeature::body(key(&format!("n{number}")), ShapeKind::Ball).at([f64::from(number), 0.0, 0.0]);
        document.apply(&document.adding(&new).unwrap()).unwrap();
        document.apply(&document.reordering(&new.key, None).unwrap()).unwrap();
        let design = document.design().unwrap();
        assert_eq!(design.features[0].key, new.key);
        assert_eq!(design.features.last().unwrap().key, key("a"));
    }
}

#[test]
fn a_session_goes_on_with_its_undo() {
    let mut document = document(1, Start::Planter);
    let before = text(&document);
    let saved = document.save();
    document.apply(&document.turning_param("radius", 80.0).unwrap()).unwrap();
    let more = document.save_incremental();
    document.apply(&document.turning_param("radius", 90.0).unwrap()).unwrap();
    let last = document.save_incremental();
    let log = serde_json::to_string(document.undo_log()).unwrap();
    let read = Document::load([1; 16], &[saved, more, last].concat()).unwrap();
    assert_eq!(text(&read), text(&document));
    let mut read = read.with_undo(serde_json::from_str::<UndoLog>(&log).unwrap());
    assert_eq!(read.undo_log().next_undo().unwrap().label.to_string(), "change Radius");
    read.undo().unwrap().unwrap();
    read.undo().unwrap().unwrap();
    assert_eq!(text(&read), before);
    assert!(read.save_incremental().len() < 2_000, "only what is new");
}

#[test]
fn two_at_once_agree_and_are_told() {
    let mut one = document(1, Start::Hook);
    let mut other = copy(&mut one, 2);
    one.apply(&one.turning_param("reach", 50.0).unwrap()).unwrap();
    other.apply(&other.turning_param("reach", 60.0).unwrap()).unwrap();
    other.apply(&other.turning_param("width", 30.0).unwrap()).unwrap();
    both(&mut one, &mut other);
    let conflicts = one.conflicts();
    let now = one.design().unwrap().params["reach"].value;
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].0, param("reach", ParamField::Value));
    assert_eq!(conflicts[0].1.last(), Some(&Scalar::Number(now)));
    assert_eq!(conflicts[0].1.len(), 2);
    assert_eq!(one.design().unwrap().params["width"].value, 30.0);
    // Setting it to what it is already ends it.
    one.apply(&one.turning_param("reach", now).unwrap()).unwrap();
    assert!(one.conflicts().is_empty());
    both(&mut one, &mut other);
    assert!(other.conflicts().is_empty());
}

/// Edits that each are right, and together are no design.
#[test]
fn what_merging_breaks_is_healed() {
    let start = || {
        let mut one = document(1, Start::Lamp);
        let other = copy(&mut one, 2);
        (one, other)
    };
    // One removes a body that the other works on: it is there again, without what nobody needs.
    let (mut one, mut other) = start();
    one.apply(&one.removing(&key("base")).unwrap()).unwrap();
    let hole = NewFeature::new(key("hole"), ShapeKind::Ball, Does::Cut { from: BTreeSet::from([key("base")]) });
    other.apply(&other.adding(&hole).unwrap()).unwrap();
    both(&mut one, &mut other);
    let keys: Vec<_> = one.design().unwrap().features.iter().map(|feature| feature.key.to_string()).collect();
    assert_eq!(keys, ["base", "shade", "inside", "cable", "hole"]);
    assert!(one.left_out().is_empty());
    // And can be worked on, by both.
    one.apply(&one.renaming(&key("hole"), "Mine").unwrap()).unwrap();
    other.apply(&other.removing(&key("hole")).unwrap()).unwrap();
    both(&mut one, &mut other);
    assert!(!one.design().unwrap().features.iter().any(|feature| feature.key == key("base")));

    // One makes the lamp low, the other lets a length depend on how high it is.
    let (mut one, mut other) = start();
    one.apply(&one.turning_param("height", 200.0).unwrap()).unwrap();
    let rod = NewFeature::new(key("rod"), ShapeKind::Cylinder, Does::Body);
    other.apply(&other.adding(&rod).unwrap()).unwrap();
    let height = other.part(&key("rod"), "height").unwrap();
    other.apply(&other.setting(height.clone(), "=height - 220".into()).unwrap()).unwrap();
    both(&mut one, &mut other);
    let [left] = one.left_out() else { panic!("one is left out") };
    assert!(left.feature == key("rod") && matches!(left.why, DesignError::Value { field: "height", .. }));
    // Others can be edited; the one is mended by a value of its own.
    one.apply(&one.turning_param("base", 70.0).unwrap()).unwrap();
    one.apply(&one.setting(height, 20.0.into()).unwrap()).unwrap();
    assert!(one.left_out().is_empty());
    both(&mut one, &mut other);
    assert!(one.design().unwrap().features.iter().any(|feature| feature.key == key("rod")));

    // One removes a parameter that the other begins to read.
    let (mut one, mut other) = start();
    let more = ParamKey::new("more").unwrap();
    one.apply(&one.putting_param(&more, &Param::length("More", 5.0, 1.0, 9.0))).unwrap();
    send(&mut one, &mut other);
    one.apply(&one.removing_param(&more).unwrap()).unwrap();
    let across = part("stem", FeatureField::Position(Axis::X));
    other.apply(&other.setting(across, "=more".into()).unwrap()).unwrap();
    both(&mut one, &mut other);
    assert!(one.design().unwrap().params.contains_key("more"));

    // One narrows a parameter's bounds, the other turns it out of them.
    let (mut one, mut other) = start();
    one.apply(&one.setting(param("height", ParamField::Most), 300.0.into()).unwrap()).unwrap();
    other.apply(&other.turning_param("height", 500.0).unwrap()).unwrap();
    both(&mut one, &mut other);
    assert_eq!(one.design().unwrap().params["height"].value, 300.0);
}

#[test]
fn hulls_around_each_other_leave_both_out_and_can_be_removed() {
    let parts = ["a", "b", "c"].map(|name| body(name, block([9.0; 3]), [0.0; 3]));
    let mut one = Document::new([1; 16], &common::design(parts.into())).unwrap();
    let mut other = copy(&mut one, 2);
    let hull = |of: &str| Shape::Hull { of: BTreeSet::from([key(of)]) };
    one.apply(&one.reshaping(&key("b"), &hull("a")).unwrap()).unwrap();
    other.apply(&other.reordering(&key("a"), Some(&key("b"))).unwrap()).unwrap();
    other.apply(&other.reshaping(&key("a"), &hull("b")).unwrap()).unwrap();
    both(&mut one, &mut other);
    let left: BTreeSet<_> = one.left_out().iter().map(|left| left.feature.to_string()).collect();
    assert_eq!(left, BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    assert_eq!(one.design().unwrap().features.len(), 1);
    one.apply(&one.removing(&key("a")).unwrap()).unwrap();
    one.apply(&one.removing(&key("b")).unwrap()).unwrap();
    assert!(one.left_out().is_empty());
    both(&mut one, &mut other);
}

#[test]
fn an_undo_leaves_what_others_did_since() {
    let mut one = document(1, Start::Hook);
    one.apply(&one.turning_param("reach", 50.0).unwrap()).unwrap();
    let new = NewFeature::body(key("mine"), ShapeKind::Ball);
    one.apply(&one.adding(&new).unwrap()).unwrap();
    let mut other = copy(&mut one, 2);
    other.apply(&other.turning_param("reach", 60.0).unwrap()).unwrap();
    other.apply(&other.renaming(&key("mine"), "Yours").unwrap()).unwrap();
    // The same value, but hers.
    other.apply(&other.turning_param("width", 30.0).unwrap()).unwrap();
    other.apply(&other.turning_param("width", 24.0).unwrap()).unwrap();
    send(&mut other, &mut one);
    one.undo().unwrap();
    one.undo().unwrap();
    let design = one.design().unwrap();
    assert_eq!((design.params["reach"].value, design.features.len()), (60.0, 4));
    one.redo().unwrap();
    one.redo().unwrap();
    assert_eq!(one.design().unwrap().features.last().unwrap().name, "Yours");
    assert_eq!(one.design().unwrap().params["reach"].value, 60.0);
    both(&mut one, &mut other);
}

#[test]
fn an_undo_that_would_break_what_others_did_is_refused_and_passed_over() {
    let mut one = document(1, Start::Hook);
    let more = ParamKey::new("more").unwrap();
    one.apply(&one.turning_param("width", 30.0).unwrap()).unwrap();
    one.apply(&one.putting_param(&more, &Param::length("More", 5.0, 1.0, 9.0))).unwrap();
    let mut other = copy(&mut one, 2);
    let across = part("upper", FeatureField::Position(Axis::X));
    other.apply(&other.setting(across, "=more".into()).unwrap()).unwrap();
    send(&mut other, &mut one);
    assert!(matches!(one.undo(), Err(EditError::Design(DesignError::Formula { .. }))));
    one.undo().unwrap().unwrap();
    assert_eq!(one.design().unwrap().params["width"].value, 24.0);
}

#[test]
fn documents_that_began_apart_do_not_go_together() {
    let (mut one, mut other) = (document(1, Start::Hook), document(2, Start::Hook));
    let before = text(&one);
    assert_eq!(one.merge(&other.save()), Err(DocumentError::Format));
    let mut third = copy(&mut other, 3);
    let heads = third.heads();
    other.apply(&other.turning_param("width", 30.0).unwrap()).unwrap();
    let first = other.heads();
    other.apply(&other.turning_param("width", 31.0).unwrap()).unwrap();
    let gap = other.changes_since(&first);
    assert_eq!(third.merge(&gap), Err(DocumentError::Missing));
    third.merge(&other.changes_since(&heads)).unwrap();
    third.merge(&gap).unwrap();
    assert_eq!(text(&third), text(&other));
    assert_eq!(text(&one), before);
}

#[test]
fn cut_off_bytes_are_refused() {
    let mut document = document(1, Start::Hook);
    let saved = document.save();
    for end in 0..saved.len() {
        assert!(Document::load([2; 16], &saved[..end]).is_err(), "{end}");
    }
    document.apply(&document.turning_param("reach", 50.0).unwrap()).unwrap();
    let more = document.save_incremental();
    let mut reader = Document::load([2; 16], &saved).unwrap();
    let before = text(&reader);
    for end in 1..more.len() {
        assert!(reader.merge(&more[..end]).is_err(), "{end}");
        assert!(Document::load([2; 16], &[&saved[..], &more[..end]].concat()).is_err(), "{end}");
    }
    assert_eq!(text(&reader), before);
    reader.merge(&more).unwrap();
    assert_eq!(text(&reader), text(&document));
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let most = vestibule_fabricate::document::MAX_DOCUMENT;
    assert_eq!(Document::load([1; 16], &vec![0; most + 1]).err(), Some(DocumentError::TooLarge { bytes: most + 1 }));
    let mut document = document(1, Start::Hook);
    assert_eq!(document.merge(&vec![0; most + 1]), Err(DocumentError::TooLarge { bytes: most + 1 }));
}
