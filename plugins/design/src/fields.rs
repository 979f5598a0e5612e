//! What of a design can be seen and changed, as rows for a screen. Pure.

use vestibule_fabricate::design::{Amount, Design, Does, Feature, FeatureKey, MaterialKind, ParamUnit, Shape};
use vestibule_twin::{DesignChoice, DesignColour, DesignField, DesignMaterial, DesignPart, DesignText};

use crate::amounts::{Measure, visit};

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
    KINDS.iter().map(|(_, id, name)| DesignChoice { id: (*id).to_owned(), name: (*name).to_owned() }).collect()
}

pub(crate) fn kind_name(kind: MaterialKind) -> (&'static str, &'static str) {
    let known = KINDS.iter().find(|(known, ..)| *known == kind);
    known.map_or(("plywood", "Plywood"), |(_, id, name)| (*id, *name))
}

/// The id of a parameter's field.
pub(crate) fn param_field(key: &str) -> String {
    format!("p.{key}")
}

/// What a field's id means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldId<'a> {
    /// A parameter.
    Param(&'a str),
    /// A part's number.
    Part(&'a str, &'a str),
}

impl<'a> FieldId<'a> {
    pub(crate) fn read(id: &'a str) -> Option<Self> {
        match id.split_once('.')? {
            ("p", key) => Some(Self::Param(key)),
            ("f", rest) => rest.split_once('.').map(|(part, number)| Self::Part(part, number)),
            _ => None,
        }
    }
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
    let own = design.params.iter().map(|(key, param)| DesignField {
        id: param_field(key.as_str()),
        label: param.label.clone(),
        value: param.value,
        unit: match param.unit {
            ParamUnit::Millimetre => "mm",
            ParamUnit::Degree => "°",
            ParamUnit::Count => "",
        },
        least: param.least,
        most: param.most,
        step: param.step,
        formula: None,
        part: None,
    });
    let mut all: Vec<_> = own.collect();
    all.sort_by_key(|field| rank(&field.label));
    let part = selected.and_then(|key| design.features.iter().find(|feature| feature.key == *key));
    if let Some(part) = part {
        visit(&mut part.clone(), &mut |path, label, measure, amount| {
            all.extend(row(design, part, (path, label, measure), amount));
        });
    }
    all
}

/// What people say first of a thing comes first.
fn rank(label: &str) -> usize {
    ["Width", "Height", "Depth", "Radius", "Reach"].iter().position(|first| *first == label).unwrap_or(usize::MAX)
}

fn row(
    design: &Design,
    part: &Feature,
    (path, label, measure): (&str, &str, Measure),
    amount: &Amount,
) -> Option<DesignField> {
    let (value, formula) = match amount {
        Amount::Value(value) => (*value, None),
        Amount::Formula(formula) => (formula.value(&design.params).ok()?, Some(formula.as_str().to_owned())),
    };
    let (least, most, step) = measure.bounds();
    Some(DesignField {
        id: format!("f.{}.{path}", part.key),
        label: label.to_owned(),
        value,
        unit: measure.unit(),
        least: least.min(value),
        most: most.max(value),
        step,
        formula,
        part: Some(part.key.to_string()),
    })
}

pub(crate) fn texts(design: &Design) -> Vec<DesignText> {
    let name = DesignText {
        id: "name".to_owned(),
        label: "Name".to_owned(),
        text: design.name.clone(),
        most: NAME_LETTERS,
        part: None,
    };
    let on_it = design.features.iter().filter_map(|feature| match &feature.shape {
        Shape::Text { text, .. } => Some(DesignText {
            id: format!("text.{}", feature.key),
            label: feature.name.clone(),
            text: text.clone(),
            most: TEXT_LETTERS,
            part: None,
        }),
        _ => None,
    });
    std::iter::once(name).chain(on_it).collect()
}

pub(crate) fn materials(design: &Design) -> Vec<DesignMaterial> {
    let material = |(key, material): (&vestibule_fabricate::design::MaterialKey, &_)| {
        let material: &vestibule_fabricate::design::Material = material;
        DesignMaterial {
            key: key.to_string(),
            name: material.name.clone(),
            kind: kind_name(material.kind).0.to_owned(),
            colour: material.colour,
        }
    };
    design.materials.iter().map(material).collect()
}
