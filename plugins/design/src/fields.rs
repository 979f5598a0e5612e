//! What of a design can be seen and changed, as rows for a screen. Pure.

use vestibule_fabricate::{
    design::{Design, Does, Feature, FeatureKey, Material, MaterialKey, MaterialKind, Shape},
    document::{Editable, FeatureField, Field, Scalar, Unit, editable},
};
use vestibule_twin::{DesignChoice, DesignColour, DesignField, DesignMaterial, DesignPart, DesignText};

/// Letters of a name.
pub(crate) const NAME_LETTERS: usize = 60;
/// Letters of a text on a thing.
pub(crate) const TEXT_LETTERS: usize = 32;

/// Colours of filament that one can buy.
pub(crate) const COLOURS: [DesignColour; 12] = [
    colour("white", [240, 240, 236]),
    colour("warm white", [250, 240, 214]),
    colour("grey", [140, 144, 150]),
    colour("anthracite", [52, 54, 60]),
    colour("black", [28, 28, 31]),
    colour("oak", [201, 162, 109]),
    colour("walnut", [121, 85, 61]),
    colour("terracotta", [190, 98, 66]),
    colour("yellow", [242, 193, 78]),
    colour("red", [188, 44, 40]),
    colour("green", [74, 124, 89]),
    colour("blue", [52, 104, 192]),
];

const fn colour(name: &'static str, rgb: [u8; 3]) -> DesignColour {
    DesignColour { name, rgb }
}

/// What can be printed, with its id and its name.
pub(crate) const KINDS: [(MaterialKind, &str, &str); 4] = [
    (MaterialKind::Pla, "pla", "PLA"),
    (MaterialKind::Petg, "petg", "PETG"),
    (MaterialKind::Pa12, "pa12", "Nylon PA12"),
    (MaterialKind::Resin, "resin", "Resin"),
];

pub(crate) fn kinds() -> Vec<DesignChoice> {
    KINDS
        .iter()
        .map(|(_, id, name)| DesignChoice { id: (*id).to_owned(), name: (*name).to_owned(), picture: None })
        .collect()
}

pub(crate) fn kind_name(kind: MaterialKind) -> (&'static str, &'static str) {
    let known = KINDS.iter().find(|(known, ..)| *known == kind);
    known.map_or(("plywood", "Plywood"), |(_, id, name)| (*id, *name))
}

/// The id of a parameter's field.
#[cfg(test)]
pub(crate) fn param_field(key: &str) -> String {
    format!("param/{key}/value")
}

/// The name of a part, for people.
pub(crate) fn part_name(design: &Design, key: &FeatureKey) -> String {
    let found = design.features.iter().find(|feature| feature.key == *key);
    found.map_or_else(|| key.to_string(), |feature| feature.name.clone())
}

pub(crate) fn parts(design: &Design) -> Vec<DesignPart> {
    let part = |feature: &Feature| DesignPart {
        key: feature.key.to_string(),
        name: feature.name.clone(),
        what: what(design, feature),
        cuts: matches!(feature.does, Does::Cut { .. }),
        mirrored: feature.mirror.is_some(),
        repeated: feature.repeat.is_some(),
        body: feature.does == Does::Body,
    };
    design.features.iter().map(part).collect()
}

fn what(design: &Design, feature: &Feature) -> String {
    let shape = match &feature.shape {
        Shape::Block { .. } => "block",
        Shape::Cylinder { low, high, .. } if low == high => "cylinder",
        Shape::Cylinder { .. } => "cone",
        Shape::Ball { .. } => "ball",
        Shape::Ring { .. } => "ring",
        Shape::Extrusion { .. } => "outline, drawn out",
        Shape::Revolution { .. } => "outline, turned round",
        Shape::Text { .. } => "text",
        Shape::Hull { .. } => "hull",
    };
    let name = |key| part_name(design, key);
    match &feature.does {
        Does::Body => shape.to_owned(),
        Does::Add { to } => format!("{shape}, joined to {}", name(to)),
        Does::Cut { from } if from.is_empty() => format!("{shape}, cut from everything"),
        Does::Cut { from } => format!("{shape}, cut from {}", from.iter().map(name).collect::<Vec<_>>().join(", ")),
        Does::Meet { with } => format!("{shape}, limits {}", name(with)),
        Does::Guide => format!("{shape}, a guide"),
    }
}

/// The design's own numbers, then those of the chosen part.
pub(crate) fn fields(design: &Design, selected: Option<&FeatureKey>) -> Vec<DesignField> {
    let own = editable(design, None).into_iter();
    let own = own.filter(|row| matches!(row.field, Field::Param(..))).filter_map(|row| field(row, None));
    let mut all: Vec<_> = own.collect();
    all.sort_by_key(|field| rank(&field.label));
    if let Some(part) = selected {
        all.extend(editable(design, Some(part)).into_iter().filter_map(|row| field(row, Some(part))));
    }
    all
}

/// What people say first of a thing comes first.
fn rank(label: &str) -> usize {
    ["Width", "Height", "Depth", "Radius", "Reach"].iter().position(|first| *first == label).unwrap_or(usize::MAX)
}

/// A row with a number.
fn field(row: Editable, part: Option<&FeatureKey>) -> Option<DesignField> {
    let value = row.number?;
    let unit = match row.unit {
        Unit::Millimetre => "mm",
        Unit::Degree => "°",
        Unit::Count | Unit::Factor => "",
        Unit::Text | Unit::Flag | Unit::Colour | Unit::Choice(_) => return None,
    };
    let (least, most) = if part.is_some() { in_hands(&row, value) } else { (row.least, row.most) };
    Some(DesignField {
        id: row.field.to_string(),
        label: row.label,
        value,
        unit,
        least,
        most,
        step: row.step,
        formula: row.formula,
        part: part.map(ToString::to_string),
    })
}

/// What a slider goes through: a part's own bounds are those of a house.
fn in_hands(row: &Editable, value: f64) -> (f64, f64) {
    let far = match row.unit {
        Unit::Millimetre => 300.0_f64.max(2.0 * value.abs()),
        Unit::Degree => 360.0,
        Unit::Count => 24.0_f64.max(value),
        _ => 3.0_f64.max(value),
    };
    let least = if row.least < 0.0 { (-far).max(row.least) } else { row.least };
    (least.min(value), far.min(row.most).max(value))
}

/// The design's name, the chosen part's, and what is written on it.
pub(crate) fn texts(design: &Design, selected: Option<&FeatureKey>) -> Vec<DesignText> {
    let row = |row: Editable, label: String, most: usize, part: Option<&FeatureKey>| match row.value {
        Scalar::Text(text) if row.unit == Unit::Text => {
            Some(DesignText { id: row.field.to_string(), label, text, most, part: part.map(ToString::to_string) })
        }
        _ => None,
    };
    let own = editable(design, None).into_iter().filter(|row| row.field == Field::Name);
    let name = own.filter_map(|own| row(own, "Name".to_owned(), NAME_LETTERS, None));
    let on_it = design.features.iter().flat_map(|feature| {
        let written = |row: &Editable| matches!(&row.field, Field::Feature(_, FeatureField::Part(_)));
        let rows = editable(design, Some(&feature.key)).into_iter().filter(written);
        rows.filter_map(|own| row(own, feature.name.clone(), TEXT_LETTERS, None))
    });
    let part = selected.into_iter().flat_map(|part| {
        let named = |row: &Editable| matches!(&row.field, Field::Feature(_, FeatureField::Name));
        let rows = editable(design, Some(part)).into_iter().filter(named);
        rows.filter_map(move |own| row(own, "Name of the part".to_owned(), NAME_LETTERS, Some(part)))
    });
    name.chain(on_it).chain(part).collect()
}

pub(crate) fn materials(design: &Design) -> Vec<DesignMaterial> {
    let material = |(key, material): (&MaterialKey, &Material)| DesignMaterial {
        key: key.to_string(),
        name: material.name.clone(),
        kind: kind_name(material.kind).0.to_owned(),
        colour: material.colour,
    };
    design.materials.iter().map(material).collect()
}
