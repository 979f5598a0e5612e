//! Changes of a design, each of which is one click and one step of undoing. Pure.

use vestibule_fabricate::{
    design::{Axis, Design, Does, FeatureKey, MaterialKey, Repeat},
    document::{Document, Edit, EditError, FeatureField, Field, MaterialField, NewFeature, Path, Scalar, ShapeKind},
};

use crate::{
    fields::{COLOURS, KINDS, NAME_LETTERS, TEXT_LETTERS, kind_name},
    words,
};

/// How long a hole is in front and behind: through everything that stands on a bench.
const THROUGH: f64 = 400.0;
/// How often something is there that begins to be repeated.
const FIRST_ROW: f64 = 3.0;

/// What is to be changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// A number of [`crate::fields::fields`].
    Number { field: String, value: f64 },
    /// A text of [`crate::fields::texts`].
    Text { field: String, text: String },
    /// A material's colour.
    Colour { material: String, rgb: [u8; 3] },
    /// What a material is.
    Kind { material: String, kind: String },
    /// A part goes by so many millimetres.
    Move { part: FeatureKey, by: [f64; 3] },
    /// A new part of this shape, at a place.
    Add { shape: String, at: [f64; 3] },
    /// A part a second time, so many millimetres further right.
    Copy { part: FeatureKey, by: f64 },
    /// A part has its like on the other side, or has it no longer.
    Mirror { part: FeatureKey },
    /// A part is there so often in a row, so many millimetres further right each time, or once again.
    Repeat { part: FeatureKey, by: f64 },
    /// A part takes away instead of adding, or adds instead of taking away.
    Cut { part: FeatureKey },
    /// A part goes, and what hangs on it.
    Remove { part: FeatureKey },
}

/// An edit, and the part that is chosen after it where it says so.
type Made = (Edit, Option<Option<FeatureKey>>);

/// A change of numbers rounds to a thousandth: no machine knows more.
fn settled(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0 + 0.0
}

fn field(text: &str) -> Result<Field, String> {
    text.parse().map_err(|_| "That is not there any more.".to_owned())
}

impl Change {
    /// How many new keys it needs, at most.
    pub(crate) fn keys(&self, design: &Design) -> usize {
        match self {
            Self::Add { .. } => 1,
            Self::Copy { .. } => design.features.len(),
            _ => 0,
        }
    }

    /// What a document has to do for it, or why it cannot be, in a person's words.
    pub(crate) fn edit(&self, document: &Document, design: &Design, keys: Vec<FeatureKey>) -> Result<Made, String> {
        let said = |error: EditError| words::of_edit(design, &error);
        let mirrored =
            |part: &FeatureKey| design.features.iter().any(|feature| feature.key == *part && feature.mirror.is_some());
        match self {
            Self::Number { field: id, value } => {
                if !value.is_finite() {
                    return Err("That is no number.".to_owned());
                }
                Ok((document.setting(field(id)?, settled(*value).into()).map_err(said)?, None))
            }
            Self::Text { field: id, text } => Ok((write(document, id, text)?, None)),
            Self::Colour { material, rgb } => Ok((colour(document, design, material, *rgb)?, None)),
            Self::Kind { material, kind } => Ok((make_of(document, design, material, kind)?, None)),
            Self::Move { part, by } => Ok((document.moving(part, by.map(settled)).map_err(said)?, None)),
            Self::Add { shape, at } => add(document, design, shape, at.map(settled), keys),
            Self::Copy { part, by } => {
                let first = keys.first().cloned();
                let mut keys = keys.into_iter();
                // There is one for every part, and no part is copied twice.
                let mut fresh = || keys.next().or_else(|| first.clone()).unwrap_or_else(|| part.clone());
                let edit = document.copying(part, &mut fresh, [settled(*by), 0.0, 0.0]).map_err(said)?;
                Ok((edit, Some(first)))
            }
            Self::Mirror { part } => {
                let plane = if mirrored(part) { None } else { Some(Axis::X) };
                Ok((document.mirroring(part, plane).map_err(said)?, None))
            }
            Self::Repeat { part, by } => {
                let repeated = design.features.iter().any(|feature| feature.key == *part && feature.repeat.is_some());
                let step = [settled(*by), 0.0, 0.0].map(Into::into);
                let row = Repeat::Line { count: FIRST_ROW.into(), step };
                let row = if repeated { None } else { Some(&row) };
                Ok((document.repeating(part, row).map_err(said)?, None))
            }
            Self::Cut { part } => Ok((document.letting(part, &other(design, part)?).map_err(said)?, None)),
            Self::Remove { part } => {
                let edit = document.removing(part).map_err(said)?;
                let left = document.preview(&edit).map_err(said)?;
                if left.features.iter().any(|feature| feature.does == Does::Body) {
                    Ok((edit, Some(None)))
                } else {
                    Err("It is the only body: without it nothing would be left.".to_owned())
                }
            }
        }
    }
}

/// What a part does once it does the opposite.
fn other(design: &Design, part: &FeatureKey) -> Result<Does, String> {
    let body = || design.features.iter().find(|feature| feature.does == Does::Body).map(|body| body.key.clone());
    let found = design.features.iter().find(|feature| feature.key == *part);
    match &found.ok_or("That part is not there any more.")?.does {
        Does::Add { to } => Ok(Does::Cut { from: [to.clone()].into() }),
        Does::Cut { from } => {
            let to = from.first().cloned().or_else(body).ok_or("It needs a body first.")?;
            Ok(Does::Add { to })
        }
        Does::Body => Err("It is a body: other parts are added to it and cut from it.".to_owned()),
        Does::Meet { .. } | Does::Guide => Err("It neither adds nor takes away.".to_owned()),
    }
}

fn write(document: &Document, id: &str, text: &str) -> Result<Edit, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("It needs at least one letter.".to_owned());
    }
    let cut = |most: usize| text.chars().take(most).collect::<String>();
    let done = match field(id)? {
        Field::Name => Ok(document.renaming_design(&cut(NAME_LETTERS))),
        Field::Feature(part, FeatureField::Name) => document.renaming(&part, &cut(NAME_LETTERS)),
        other => document.setting(other, cut(TEXT_LETTERS).into()),
    };
    done.map_err(|_| "That text is not there any more.".to_owned())
}

/// A material's key and what it is called without its kind.
fn material(design: &Design, key: &str) -> Result<(MaterialKey, &'static str, String), String> {
    let found = design.materials.iter().find(|(known, _)| known.as_str() == key);
    let (key, material) = found.ok_or("That material is not there any more.")?;
    let kind = kind_name(material.kind).1;
    let bare = material.name.strip_prefix(kind).unwrap_or(&material.name).trim().to_owned();
    Ok((key.clone(), kind, bare))
}

fn colour(document: &Document, design: &Design, key: &str, rgb: [u8; 3]) -> Result<Edit, String> {
    let (key, kind, _) = material(design, key)?;
    let name = COLOURS.iter().find(|colour| colour.rgb == rgb).map_or("own colour", |colour| colour.name);
    let mut edit = document.colouring(&key, rgb).map_err(|error| words::of_edit(design, &error))?;
    edit.sets.push((Field::Material(key, MaterialField::Name), format!("{kind} {name}").into()));
    Ok(edit)
}

fn make_of(document: &Document, design: &Design, key: &str, kind: &str) -> Result<Edit, String> {
    let (key, _, bare) = material(design, key)?;
    let (_, id, name) = KINDS.iter().find(|(_, id, _)| *id == kind).ok_or("Nothing is made of that here.")?;
    let edit = document.setting(Field::Material(key.clone(), MaterialField::Kind), Scalar::from(*id));
    let mut edit = edit.map_err(|error| words::of_edit(design, &error))?;
    let name = format!("{name} {bare}").trim().to_owned();
    edit.sets.push((Field::Material(key, MaterialField::Name), name.into()));
    Ok(edit)
}

fn add(
    document: &Document,
    design: &Design,
    shape: &str,
    [x, y, z]: [f64; 3],
    keys: Vec<FeatureKey>,
) -> Result<Made, String> {
    let body = design.features.iter().find(|feature| feature.does == Does::Body).map(|body| body.key.clone());
    let (Some(body), Some(key)) = (body, keys.into_iter().next()) else {
        return Err("It needs a body first.".to_owned());
    };
    let new = match shape {
        // All the way through, from the front.
        "hole" => NewFeature::cut(key.clone(), ShapeKind::Cylinder).at([x, y, z - THROUGH / 2.0]),
        other => {
            let kind = ShapeKind::named(other).ok_or("There is no such part.")?;
            NewFeature::new(key.clone(), kind, Does::Add { to: body }).at([x, y, z])
        }
    };
    let mut edit = document.adding(&new).map_err(|error| words::of_edit(design, &error))?;
    if shape == "hole" {
        let height = Path::new("height").map_err(|error| error.to_string())?;
        let of = |field| Field::Feature(key.clone(), field);
        edit.sets.push((of(FeatureField::Part(height)), THROUGH.into()));
        edit.sets.push((of(FeatureField::Turn(Axis::X)), 90.0.into()));
        edit.sets.push((of(FeatureField::Name), "Hole".into()));
        "hole".clone_into(&mut edit.label.what);
    }
    Ok((edit, Some(Some(key))))
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
