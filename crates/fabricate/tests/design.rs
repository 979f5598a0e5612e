//! The canonical text of a design and its hash; what is no design.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{add, block, body, cut, cylinder, design, feature, key};
use proptest::prelude::*;
use vestibule_fabricate::{
    Design, DesignError, Start,
    design::{Amount, Does, Expression, Repeat, Shape},
};

#[test]
fn the_text_reads_back_to_the_same_text() {
    for start in Start::ALL {
        let text = start.design().canonical().unwrap();
        let read = Design::read(&text).unwrap();
        assert_eq!(read.canonical().unwrap(), text, "{start:?}");
        assert_eq!(read, start.design());
    }
}

/// What is ordered is named by it, so it must never change for the same design.
#[test]
fn hashes_stay_what_they_are() {
    let text = design(vec![body("a", block([10.0, 20.0, 30.0]), [0.5, -0.0, 1e-9])]).canonical().unwrap();
    let expected = concat!(
        r#"{"design":{"features":[{"at":{"position":[0.5,0,0],"turn":[0,0,0]},"does":"body","key":"a","material":"m","#,
        r#""mirror":null,"name":"a","repeat":null,"shape":{"block":{"anchor":"foot","round":0,"size":[10,20,30]}}}],"#,
        r#""materials":{"m":{"colour":[200,120,40],"kind":"pla","metallic":false,"name":"Plain","#,
        r#""roughness_permille":500},"other":{"colour":[200,120,40],"kind":"petg","metallic":false,"name":"Plain","#,
        r#""roughness_permille":500}},"name":"Test","params":{},"role":null},"format":"vestibule-design/1"}"#
    );
    assert_eq!(text, expected);
}

#[test]
fn order_counts_where_it_means_something() {
    let two = |from: [&str; 2]| {
        let does = Does::Cut { from: from.into_iter().map(key).collect() };
        let parts = vec![
            body("a", block([9.0; 3]), [0.0; 3]),
            body("b", block([9.0; 3]), [5.0; 3]),
            feature("c", does, block([4.0; 3]), [0.0; 3]),
        ];
        design(parts).hash().unwrap()
    };
    assert_eq!(two(["a", "b"]), two(["b", "a"]));
    let (cut, add) = (cut("c", block([4.0; 3]), [0.0; 3]), add("d", "a", block([5.0; 3]), [0.0; 3]));
    let first = || body("a", block([9.0; 3]), [0.0; 3]);
    let one = design(vec![first(), cut.clone(), add.clone()]);
    let other = design(vec![first(), add, cut]);
    assert_ne!(one.hash().unwrap(), other.hash().unwrap());
}

#[test]
fn every_field_is_in_the_hash() {
    let plain = Start::Lamp.design();
    let changed = |change: fn(&mut Design)| {
        let mut design = plain.clone();
        change(&mut design);
        design.hash().unwrap()
    };
    let mut all = vec![
        plain.hash().unwrap(),
        changed(|design| design.name.push('!')),
        changed(|design| design.role = None),
        changed(|design| design.set("height", 300.0).unwrap()),
        changed(|design| design.features[0].name.push('!')),
        changed(|design| design.features[1].at.position[0] = 0.001.into()),
        changed(|design| {
            let material = design.materials.values_mut().next().unwrap();
            material.colour[0] ^= 1;
        }),
    ];
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 7);
}

fn refused(features: Vec<vestibule_fabricate::design::Feature>) -> DesignError {
    design(features).resolve().unwrap_err()
}

#[test]
fn what_is_no_design_is_refused_with_the_reason() {
    let one = || body("a", block([1.0; 3]), [0.0; 3]);
    assert!(matches!(refused(vec![one(), one()]), DesignError::Twice(_)));
    let missing = refused(vec![one(), add("b", "nobody", block([1.0; 3]), [0.0; 3])]);
    assert!(matches!(missing, DesignError::NoFeature { what: "body", .. }));
    let hull = Shape::Hull { of: [key("a"), key("z")].into() };
    assert!(matches!(refused(vec![one(), body("h", hull, [0.0; 3])]), DesignError::NoFeature { what: "feature", .. }));
    for size in [0.0, -1.0, 1e9, f64::NAN, f64::INFINITY] {
        let error = refused(vec![body("a", block([1.0, size, 1.0]), [0.0; 3])]);
        assert!(matches!(error, DesignError::Value { field: "size", .. }), "{error}");
    }
    for sides in [0, 2, 513] {
        let error = refused(vec![body("a", cylinder(1.0, 1.0, sides), [0.0; 3])]);
        assert!(matches!(error, DesignError::Value { field: "sides", .. }));
    }
    let mut many = one();
    many.repeat =
        Some(Repeat::Grid { counts: [100.0.into(), 100.0.into()], steps: [0, 1].map(|_| common::amounts([1.0; 3])) });
    assert!(matches!(refused(vec![many]), DesignError::TooMany { what: "repeated pieces", .. }));
    let mut formula = one();
    formula.at.position[0] = Amount::Formula(Expression::new("nothing + 1").unwrap());
    assert!(matches!(refused(vec![formula]), DesignError::Formula { field: "position", .. }));
    let mut foreign = one();
    foreign.material = vestibule_fabricate::design::MaterialKey::new("gold").unwrap();
    assert!(matches!(refused(vec![foreign]), DesignError::NoMaterial { .. }));
    let many = (0..1_001).map(|n| body(&format!("f{n}"), block([1.0; 3]), [0.0; 3])).collect();
    assert!(matches!(refused(many), DesignError::TooMany { what: "features", .. }));
}

#[test]
fn parameters_stay_within_their_bounds() {
    let mut hook = Start::Hook.design();
    assert!(matches!(hook.set("reach", 1e6), Err(DesignError::Bounds { .. })));
    assert!(matches!(hook.set("reach", f64::NAN), Err(DesignError::Bounds { .. })));
    assert!(matches!(hook.set("colour", 1.0), Err(DesignError::NoParam(_))));
    hook.params.values_mut().next().unwrap().value = f64::NAN;
    assert!(matches!(hook.canonical(), Err(DesignError::Bounds { .. })));
}

#[test]
fn hostile_texts_are_refused() {
    let good = Start::Hook.design().canonical().unwrap();
    for end in (0..good.len()).step_by(7).filter(|end| good.is_char_boundary(*end)) {
        assert!(Design::read(&good[..end]).is_err());
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(Design::read(&deep).is_err());
    assert!(Design::read(&good.replace("design/1", "design/2")).is_err());
    assert!(Design::read(&good.replace("\"=", "\"=(((((((((((((((((((((")).is_err());
    assert!(Design::read(&" ".repeat(5 << 20)).is_err());
}

proptest! {
    /// Whatever is read, is refused or has a text that reads back.
    #[test]
    fn reading_never_panics(at in 0_usize..2_000, byte in any::<u8>()) {
        let mut bytes = Start::Hook.design().canonical().unwrap().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(design) = Design::read(&text)
        {
            let canonical = design.canonical().unwrap();
            prop_assert_eq!(Design::read(&canonical).unwrap().canonical().unwrap(), canonical);
        }
    }

    /// Numbers that differ by less than a grain are the same, others are not.
    #[test]
    fn numbers_are_settled_to_a_grain(value in 0.1_f64..1e4) {
        let of = |size: f64| design(vec![body("a", block([size, 1.0, 1.0]), [0.0; 3])]).hash().unwrap();
        let grain = (value * 1e6).round() / 1e6;
        prop_assert_eq!(of(grain), of(grain + 2e-7));
        prop_assert_ne!(of(grain), of(grain + 2e-6));
    }
}
