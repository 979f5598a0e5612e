//! What can be edited on a design or a feature, as rows for a panel.

use super::{
    field::{FeatureField, Field, MaterialField, ParamField, Scalar},
    write,
};
use crate::design::{Amount, Axis, Design, Feature, FeatureKey, MAX_SIDES, MaterialKind, Param, ParamUnit, Use, range};

/// A row of a panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Editable {
    /// What it sets.
    pub field: Field,
    /// What people read.
    pub label: String,
    /// What it holds: a number, a text, a flag; a formula as text behind `=`.
    pub value: Scalar,
    /// The number that it is now; nothing where it is no number.
    pub number: Option<f64>,
    /// The formula that the number comes from, without the `=`.
    pub formula: Option<String>,
    /// What it counts, or what else it is.
    pub unit: Unit,
    /// The least that it may be.
    pub least: f64,
    /// The most that it may be.
    pub most: f64,
    /// By how much a key changes it.
    pub step: f64,
}

/// What a row holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of millimetres.
    Millimetre,
    /// A number of degrees.
    Degree,
    /// How many.
    Count,
    /// A number without a unit.
    Factor,
    /// A text.
    Text,
    /// Yes or no.
    Flag,
    /// A colour, `#rrggbb`.
    Colour,
    /// One of these: what the field is set to, and what people read. An empty text stands for [`Scalar::Nothing`].
    Choice(Vec<(String, String)>),
}

/// What can be edited on a feature, or without one on the design: its name, parameters and materials.
#[must_use]
pub fn editable(design: &Design, of: Option<&FeatureKey>) -> Vec<Editable> {
    match of {
        None => of_design(design),
        Some(key) => match design.features.iter().find(|feature| feature.key == *key) {
            Some(feature) => of_feature(design, feature),
            None => Vec::new(),
        },
    }
}

fn plain(field: Field, label: &str, value: Scalar, unit: Unit) -> Editable {
    let label = label.to_owned();
    Editable { field, label, value, number: None, formula: None, unit, least: 0.0, most: 0.0, step: 0.0 }
}

fn choice(of: &[(&str, &str)]) -> Unit {
    Unit::Choice(of.iter().map(|(id, label)| ((*id).to_owned(), (*label).to_owned())).collect())
}

fn axes(nothing: bool) -> Unit {
    let all = [("", "None"), ("x", "X"), ("y", "Y"), ("z", "Z")];
    choice(if nothing { &all } else { &all[1..] })
}

fn param_unit(unit: ParamUnit) -> Unit {
    match unit {
        ParamUnit::Millimetre => Unit::Millimetre,
        ParamUnit::Degree => Unit::Degree,
        ParamUnit::Count => Unit::Count,
    }
}

fn of_design(design: &Design) -> Vec<Editable> {
    let mut rows = vec![
        plain(Field::Name, "Name", design.name.as_str().into(), Unit::Text),
        plain(Field::Role, "Becomes a", write::role(design.role.as_deref()), Unit::Text),
    ];
    rows.extend(design.params.iter().map(|(key, param)| {
        let Param { label, value, unit, least, most, step } = param;
        Editable {
            number: Some(*value),
            least: *least,
            most: *most,
            step: *step,
            ..plain(Field::Param(key.clone(), ParamField::Value), label, (*value).into(), param_unit(*unit))
        }
    }));
    let kinds = [
        (MaterialKind::Pla, "PLA"),
        (MaterialKind::Petg, "PETG"),
        (MaterialKind::Pa12, "PA12"),
        (MaterialKind::Resin, "Resin"),
        (MaterialKind::Plywood, "Plywood"),
    ];
    let kinds =
        kinds.map(|(kind, label)| (write::name_of(kind).text().unwrap_or_default().to_owned(), label.to_owned()));
    for (key, material) in &design.materials {
        let field = |field| Field::Material(key.clone(), field);
        let label = |what: &str| format!("{}: {what}", material.name);
        rows.push(plain(
            field(MaterialField::Kind),
            &label("material"),
            write::name_of(material.kind),
            Unit::Choice(kinds.to_vec()),
        ));
        rows.push(plain(field(MaterialField::Colour), &label("colour"), write::colour(material.colour), Unit::Colour));
        let rough = f64::from(material.roughness_permille);
        rows.push(Editable {
            number: Some(rough),
            most: 1_000.0,
            step: 10.0,
            ..plain(field(MaterialField::Rough), &label("roughness"), rough.into(), Unit::Factor)
        });
        rows.push(plain(field(MaterialField::Metal), &label("metallic"), material.metallic.into(), Unit::Flag));
    }
    rows
}

fn of_feature(design: &Design, feature: &Feature) -> Vec<Editable> {
    let field = |field| Field::Feature(feature.key.clone(), field);
    let materials = design.materials.iter().map(|(key, material)| (key.to_string(), material.name.clone()));
    let mut rows = vec![
        plain(field(FeatureField::Name), "Name", feature.name.as_str().into(), Unit::Text),
        plain(
            field(FeatureField::Material),
            "Material",
            feature.material.as_str().into(),
            Unit::Choice(materials.collect()),
        ),
    ];
    let row = |at: FeatureField, label: &str, value: &Scalar, used| amount(design, field(at), label, value, used);
    for (at, scalar) in write::shape(&feature.shape) {
        let FeatureField::Part(path) = &at.clone() else { continue };
        let label = words(path.as_str());
        rows.extend(match known(path.as_str()) {
            Known::Amount(used) => Some(row(at, label, &scalar, used)),
            Known::Sides => Some(sides(field(at), label, scalar)),
            Known::Text => Some(plain(field(at), label, scalar, Unit::Text)),
            Known::Anchor => {
                let where_ = [("middle", "Middle"), ("foot", "Foot"), ("corner", "Corner")];
                Some(plain(field(at), label, scalar, choice(&where_)))
            }
            Known::Axis => Some(plain(field(at), label, scalar, axes(false))),
            Known::Hidden => None,
        });
    }
    for (axis, name) in [(Axis::X, "X"), (Axis::Y, "Y"), (Axis::Z, "Z")] {
        let value = Scalar::from(&feature.at.position[axis as usize]);
        rows.push(row(FeatureField::Position(axis), name, &value, Use::Offset));
    }
    for (axis, name) in [(Axis::X, "Turned about X"), (Axis::Y, "Turned about Y"), (Axis::Z, "Turned about Z")] {
        let value = Scalar::from(&feature.at.turn[axis as usize]);
        rows.push(row(FeatureField::Turn(axis), name, &value, Use::Angle));
    }
    for (at, scalar) in write::repeat(feature.repeat.as_ref()) {
        let FeatureField::Times(path) = &at.clone() else { continue };
        let label = words(path.as_str());
        rows.extend(match known(path.as_str()) {
            Known::Amount(used) => Some(row(at, label, &scalar, used)),
            Known::Axis => Some(plain(field(at), label, scalar, axes(false))),
            _ => None,
        });
    }
    let mirror = write::mirror(feature.mirror);
    rows.push(plain(field(FeatureField::Mirror), "Mirrored across", mirror, axes(true)));
    rows
}

fn sides(field: Field, label: &str, value: Scalar) -> Editable {
    let number = value.number();
    Editable { number, least: 3.0, most: f64::from(MAX_SIDES), step: 1.0, ..plain(field, label, value, Unit::Count) }
}

fn amount(design: &Design, field: Field, label: &str, value: &Scalar, used: Use) -> Editable {
    let (number, formula) = match value.amount() {
        Some(Amount::Value(value)) => (Some(value), None),
        Some(Amount::Formula(formula)) => (formula.value(&design.params).ok(), Some(formula.as_str().to_owned())),
        None => (None, None),
    };
    let (unit, step) = match used {
        Use::Size | Use::Optional | Use::Offset => (Unit::Millimetre, 1.0),
        Use::Angle => (Unit::Degree, 1.0),
        Use::Factor => (Unit::Factor, 0.05),
        Use::Count => (Unit::Count, 1.0),
    };
    let (least, most) = range(used);
    let least = if used == Use::Optional { 0.0 } else { least };
    Editable { number, formula, least, most, step, ..plain(field, label, value.clone(), unit) }
}

/// What kind of field is at a path of a shape or a repetition.
enum Known {
    Amount(Use),
    Sides,
    Text,
    Anchor,
    Axis,
    /// Nothing that a row could hold: outlines, keys, which kind of profile it is.
    Hidden,
}

fn known(path: &str) -> Known {
    let name = path.rsplit('.').find(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
    match name.unwrap_or_default() {
        "size" | "height" | "depth" | "radius" | "tube" => Known::Amount(Use::Size),
        "low" | "high" | "round" | "chamfer" => Known::Amount(Use::Optional),
        "spread" | "by" | "step" | "steps" => Known::Amount(Use::Offset),
        "twist" | "angle" => Known::Amount(Use::Angle),
        "taper" => Known::Amount(Use::Factor),
        "count" | "counts" => Known::Amount(Use::Count),
        "sides" => Known::Sides,
        "text" => Known::Text,
        "anchor" => Known::Anchor,
        "axis" => Known::Axis,
        _ => Known::Hidden,
    }
}

/// What people read for a path. Inside of offsets it is the inner profile's.
fn words(path: &str) -> &str {
    let path = path.rsplit_once("of.").map_or(path, |(_, inner)| inner);
    let (in_profile, path) = path.strip_prefix("profile.").map_or((false, path), |inner| (true, inner));
    match (path, in_profile) {
        ("size.0", _) => "Width",
        ("size.1", _) => "Height",
        ("size.2", _) => "Depth",
        ("height", _) => "Length",
        ("depth", _) => "Relief",
        ("round", _) => "Rounding",
        ("anchor", _) => "Origin",
        ("low", _) => "Radius below",
        ("high", _) => "Radius above",
        ("sides", true) => "Sides of the profile",
        ("sides", false) => "Sides",
        ("radius", _) => "Radius",
        ("tube", _) => "Radius of the tube",
        ("twist", _) => "Twist",
        ("taper.0", _) => "Taper X",
        ("taper.1", _) => "Taper Y",
        ("chamfer.0", _) => "Chamfer at the beginning",
        ("chamfer.1", _) => "Chamfer at the end",
        ("angle", _) => "Angle",
        ("text", _) => "Text",
        ("spread", _) => "Bolder by",
        ("by", _) => "Grown by",
        ("count", _) => "How often",
        ("counts.0", _) => "Columns",
        ("counts.1", _) => "Rows",
        ("step.0" | "steps.0.0", _) => "Step X",
        ("step.1" | "steps.0.1", _) => "Step Y",
        ("step.2" | "steps.0.2", _) => "Step Z",
        ("steps.1.0", _) => "Row step X",
        ("steps.1.1", _) => "Row step Y",
        ("steps.1.2", _) => "Row step Z",
        ("axis", _) => "Around",
        _ => "Value",
    }
}
