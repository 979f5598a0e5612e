//! Designs in a line.
#![allow(dead_code, clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "each test uses some of it")]

use std::collections::{BTreeMap, BTreeSet};

use vestibule_fabricate::{
    Budget, Evaluator, Font, SolidError, Solids, Start,
    design::{
        Amount, Anchor, Design, Does, Feature, FeatureKey, Material, MaterialKey, MaterialKind, Placement, Shape,
    },
};

pub fn key(text: &str) -> FeatureKey {
    FeatureKey::new(text).unwrap()
}

pub fn amounts<const N: usize>(values: [f64; N]) -> [Amount; N] {
    values.map(Amount::Value)
}

pub fn block(size: [f64; 3]) -> Shape {
    Shape::Block { size: amounts(size), round: 0.0.into(), anchor: Anchor::Foot }
}

pub fn cylinder(radius: f64, height: f64, sides: u16) -> Shape {
    Shape::Cylinder { low: radius.into(), high: radius.into(), height: height.into(), sides }
}

pub fn feature(name: &str, does: Does, shape: Shape, at: [f64; 3]) -> Feature {
    Feature {
        key: key(name),
        name: name.to_owned(),
        shape,
        at: Placement::at(at[0], at[1], at[2]),
        does,
        repeat: None,
        mirror: None,
        material: MaterialKey::new("m").unwrap(),
    }
}

pub fn body(name: &str, shape: Shape, at: [f64; 3]) -> Feature {
    feature(name, Does::Body, shape, at)
}

pub fn add(name: &str, to: &str, shape: Shape, at: [f64; 3]) -> Feature {
    feature(name, Does::Add { to: key(to) }, shape, at)
}

pub fn cut(name: &str, shape: Shape, at: [f64; 3]) -> Feature {
    feature(name, Does::Cut { from: BTreeSet::new() }, shape, at)
}

pub fn material(kind: MaterialKind) -> Material {
    Material { name: "Plain".to_owned(), kind, colour: [200, 120, 40], roughness_permille: 500, metallic: false }
}

pub fn design(features: Vec<Feature>) -> Design {
    let materials = BTreeMap::from([
        (MaterialKey::new("m").unwrap(), material(MaterialKind::Pla)),
        (MaterialKey::new("other").unwrap(), material(MaterialKind::Petg)),
    ]);
    Design { name: "Test".to_owned(), params: BTreeMap::new(), materials, features, role: None }
}

pub fn try_evaluate(design: &Design) -> Result<Solids, SolidError> {
    Evaluator::new().evaluate(design, &Budget::default())
}

pub fn evaluate(features: Vec<Feature>) -> Solids {
    try_evaluate(&design(features)).unwrap()
}

pub fn font() -> Font {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/hud/fonts/Inter-SemiBold.otf");
    Font::read(&std::fs::read(path).unwrap()).unwrap()
}

pub fn start(start: Start) -> (Design, Solids) {
    let design = start.design();
    let solids = Evaluator::with_font(font()).evaluate(&design, &Budget::default()).unwrap();
    (design, solids)
}
