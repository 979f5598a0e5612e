//! Changes of a design, each of which is one click and one step of undoing. Pure.

use std::collections::BTreeSet;

use vestibule_fabricate::design::{
    Amount, Anchor, Axis, Design, Does, Expression, Feature, FeatureKey, MAX_KEY, Placement, Shape,
};

use crate::{
    amounts::visit,
    fields::{COLOURS, FieldId, KINDS, NAME_LETTERS, TEXT_LETTERS, kind_name, part_name},
    words,
};

/// What is to be changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// A field of [`crate::fields::fields`].
    Number { field: String, value: f64 },
    /// A field of [`crate::fields::texts`].
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
    /// A part goes, and what hangs on it.
    Remove { part: FeatureKey },
}

/// A design after a change.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Changed {
    pub design: Design,
    /// What was done, for the button that takes it back.
    pub label: String,
    /// The part that is chosen from now on, where the change says so.
    pub select: Option<Option<FeatureKey>>,
}

/// A change of numbers rounds to a thousandth: no machine knows more.
fn settled(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0 + 0.0
}

impl Change {
    /// The design with this change, or why it cannot be, in a person's words.
    pub(crate) fn apply(&self, design: &Design) -> Result<Changed, String> {
        let mut new = design.clone();
        let (label, select) = match self {
            Self::Number { field, value } => (number(&mut new, field, settled(*value))?, None),
            Self::Text { field, text } => (write(&mut new, field, text)?, None),
            Self::Colour { material, rgb } => (colour(&mut new, material, *rgb)?, None),
            Self::Kind { material, kind } => (make_of(&mut new, material, kind)?, None),
            Self::Move { part, by } => {
                let feature = find(&mut new, part)?;
                for (amount, by) in feature.at.position.iter_mut().zip(by) {
                    *amount = plus(amount, settled(*by))?;
                }
                (format!("move {}", feature.name), None)
            }
            Self::Add { shape, at } => {
                let key = add(&mut new, shape, *at)?;
                (format!("add {}", part_name(&new, &key)), Some(Some(key)))
            }
            Self::Copy { part, by } => {
                let name = part_name(&new, part);
                let key = copy(&mut new, part, *by)?;
                (format!("copy {name}"), Some(Some(key)))
            }
            Self::Mirror { part } => {
                let feature = find(&mut new, part)?;
                feature.mirror = if feature.mirror.is_some() { None } else { Some(Axis::X) };
                let word = if feature.mirror.is_some() { "mirror" } else { "no mirror image of" };
                (format!("{word} {}", feature.name), None)
            }
            Self::Remove { part } => {
                let name = part_name(&new, part);
                remove(&mut new, part)?;
                (format!("remove {name}"), Some(None))
            }
        };
        new.resolve().map_err(|error| words::of_design(&new, &error))?;
        Ok(Changed { design: new, label, select })
    }
}

fn find<'a>(design: &'a mut Design, part: &FeatureKey) -> Result<&'a mut Feature, String> {
    let found = design.features.iter_mut().find(|feature| feature.key == *part);
    found.ok_or_else(|| "That part is not there any more.".to_owned())
}

fn number(design: &mut Design, field: &str, value: f64) -> Result<String, String> {
    let missing = || "That number is not there any more.".to_owned();
    if !value.is_finite() {
        return Err("That is no number.".to_owned());
    }
    match FieldId::read(field).ok_or_else(missing)? {
        FieldId::Param(key) => {
            design.set(key, value).map_err(|error| words::of_design(design, &error))?;
            let label = design.params.get(key).map(|param| param.label.to_lowercase()).unwrap_or_default();
            Ok(format!("{label} {}", words::number(value)))
        }
        FieldId::Part(part, wanted) => {
            let feature = design.features.iter_mut().find(|feature| feature.key.as_str() == part).ok_or_else(missing)?;
            let mut done = None;
            visit(feature, &mut |path, label, measure, amount| {
                if path == wanted && done.is_none() {
                    let (least, most, _) = measure.bounds();
                    let unit = measure.unit();
                    let fits = (least..=most).contains(&value);
                    let refusal = || {
                        let (least, most) = (words::with_unit(least, unit), words::with_unit(most, unit));
                        format!("{label} goes from {least} to {most}.")
                    };
                    done = Some(if fits { Ok(label.to_lowercase()) } else { Err(refusal()) });
                    *amount = Amount::Value(value);
                }
            });
            let label = done.ok_or_else(missing)??;
            Ok(format!("{}: {label} {}", feature.name, words::number(value)))
        }
    }
}

fn write(design: &mut Design, field: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("It needs at least one letter.".to_owned());
    }
    if field == "name" {
        design.name = text.chars().take(NAME_LETTERS).collect();
        return Ok("name".to_owned());
    }
    let key = field.strip_prefix("text.");
    let feature = design.features.iter_mut().find(|feature| Some(feature.key.as_str()) == key);
    match feature.map(|feature| (&mut feature.shape, &feature.name)) {
        Some((Shape::Text { text: old, .. }, name)) => {
            *old = text.chars().take(TEXT_LETTERS).collect();
            Ok(format!("text of {name}"))
        }
        _ => Err("That text is not there any more.".to_owned()),
    }
}

fn material<'a>(
    design: &'a mut Design,
    key: &str,
) -> Result<&'a mut vestibule_fabricate::design::Material, String> {
    let found = design.materials.iter_mut().find(|(known, _)| known.as_str() == key);
    found.map(|(_, material)| material).ok_or_else(|| "That material is not there any more.".to_owned())
}

fn colour(design: &mut Design, key: &str, rgb: [u8; 3]) -> Result<String, String> {
    let material = material(design, key)?;
    material.colour = rgb;
    let name = COLOURS.iter().find(|colour| colour.rgb == rgb).map_or("own colour", |colour| colour.name);
    material.name = format!("{} {name}", kind_name(material.kind).1);
    Ok(format!("colour {name}"))
}

fn make_of(design: &mut Design, key: &str, kind: &str) -> Result<String, String> {
    let material = material(design, key)?;
    let (kind, _, name) = KINDS.iter().find(|(_, id, _)| *id == kind).ok_or("Nothing is made of that here.")?;
    let old = kind_name(material.kind).1;
    let colour = material.name.strip_prefix(old).unwrap_or(&material.name).trim().to_owned();
    (material.kind, material.name) = (*kind, format!("{name} {colour}").trim().to_owned());
    Ok(format!("made of {name}"))
}

/// The amount, and so many more. What was added before is not added to a second time.
fn plus(amount: &Amount, by: f64) -> Result<Amount, String> {
    if by == 0.0 {
        return Ok(amount.clone());
    }
    let formula = match amount {
        Amount::Value(value) => return Ok(Amount::Value(settled(value + by))),
        Amount::Formula(formula) => formula,
    };
    let (inner, before) = shifted(formula.as_str()).unwrap_or((formula.as_str(), 0.0));
    let by = settled(before + by);
    let text = match by {
        0.0 => inner.to_owned(),
        by if by < 0.0 => format!("({inner}) - {}", -by),
        by => format!("({inner}) + {by}"),
    };
    Expression::new(&text).map(Amount::Formula).map_err(|why| format!("It cannot be moved: its formula is {why}."))
}

/// What [`plus`] made, taken apart again.
fn shifted(text: &str) -> Option<(&str, f64)> {
    let (inner, rest) = text.strip_prefix('(')?.rsplit_once(") ")?;
    let mut depth = 0_i32;
    for letter in inner.chars() {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        if depth < 0 {
            return None;
        }
    }
    let (sign, number) = rest.split_once(' ')?;
    let number: f64 = number.parse().ok()?;
    match (depth, sign) {
        (0, "+") => Some((inner, number)),
        (0, "-") => Some((inner, -number)),
        _ => None,
    }
}

/// A key that no part has: the old one's beginning and a number.
fn fresh(design: &Design, like: &str) -> Result<FeatureKey, String> {
    let stem: String = like.trim_end_matches(|c: char| c.is_ascii_digit()).chars().take(MAX_KEY - 5).collect();
    let taken: BTreeSet<&str> = design.features.iter().map(|feature| feature.key.as_str()).collect();
    let free = (2..10_000).map(|n| format!("{stem}{n}")).find(|key| !taken.contains(key.as_str()));
    free.and_then(|key| FeatureKey::new(&key).ok()).ok_or_else(|| "There are too many parts.".to_owned())
}

fn add(design: &mut Design, shape: &str, [x, y, z]: [f64; 3]) -> Result<FeatureKey, String> {
    let value = Amount::Value;
    let body = design.features.iter().find(|feature| feature.does == Does::Body).map(|body| body.key.clone());
    let body = body.ok_or("It needs a body first.")?;
    let joined = Does::Add { to: body };
    let at = |x, y, z| Placement::at(settled(x), settled(y), settled(z));
    let (name, shape, does, at) = match shape {
        "block" => {
            let size = [value(40.0), value(20.0), value(40.0)];
            (shape, Shape::Block { size, round: value(0.0), anchor: Anchor::Middle }, joined, at(x, y, z))
        }
        "cylinder" => {
            let shape = Shape::Cylinder { low: value(15.0), high: value(15.0), height: value(40.0), sides: 64 };
            ("cylinder", shape, joined, at(x, y - 20.0, z))
        }
        "ball" => (shape, Shape::Ball { radius: value(20.0), sides: 64 }, joined, at(x, y, z)),
        "hole" => {
            // All the way through, from the front.
            let shape = Shape::Cylinder { low: value(5.0), high: value(5.0), height: value(400.0), sides: 48 };
            ("hole", shape, Does::Cut { from: BTreeSet::new() }, at(x, y, z - 200.0).turned(90.0, 0.0, 0.0))
        }
        _ => return Err("There is no such part.".to_owned()),
    };
    let material = design.features.first().map(|first| first.material.clone()).ok_or("It needs a body first.")?;
    let key = fresh(design, name)?;
    let mut title = name.to_owned();
    title[..1].make_ascii_uppercase();
    let feature = Feature { key: key.clone(), name: title, shape, at, does, repeat: None, mirror: None, material };
    design.features.push(feature);
    Ok(key)
}

/// Whether a feature only is there for a body.
fn belongs(feature: &Feature, body: &FeatureKey) -> bool {
    match &feature.does {
        Does::Add { to } => to == body,
        Does::Meet { with } => with == body,
        Does::Cut { from } => from.len() == 1 && from.contains(body),
        Does::Body | Does::Guide => false,
    }
}

fn copy(design: &mut Design, part: &FeatureKey, by: f64) -> Result<FeatureKey, String> {
    let place = design.features.iter().position(|feature| feature.key == *part);
    let place = place.ok_or("That part is not there any more.")?;
    let original = design.features[place].clone();
    let key = fresh(design, part.as_str())?;
    let moved = |mut feature: Feature| -> Result<Feature, String> {
        feature.at.position[0] = plus(&feature.at.position[0], by)?;
        Ok(feature)
    };
    let name = format!("{} copy", original.name.trim_end_matches(" copy"));
    let copied = moved(Feature { key: key.clone(), name, ..original.clone() })?;
    if original.does != Does::Body {
        design.features.insert(place + 1, copied);
        return Ok(key);
    }
    // A body comes with everything that makes it what it is.
    let hanging: Vec<_> = design.features.iter().filter(|feature| belongs(feature, part)).cloned().collect();
    design.features.push(copied);
    for mut feature in hanging {
        feature.key = fresh(design, feature.key.as_str())?;
        feature.does = match feature.does {
            Does::Add { .. } => Does::Add { to: key.clone() },
            Does::Meet { .. } => Does::Meet { with: key.clone() },
            Does::Cut { .. } => Does::Cut { from: [key.clone()].into() },
            other => other,
        };
        let feature = moved(feature)?;
        design.features.push(feature);
    }
    Ok(key)
}

fn remove(design: &mut Design, part: &FeatureKey) -> Result<(), String> {
    if !design.features.iter().any(|feature| feature.key == *part) {
        return Err("That part is not there any more.".to_owned());
    }
    let hulls = |feature: &Feature| matches!(&feature.shape, Shape::Hull { of } if of.contains(part));
    design.features.retain(|feature| feature.key != *part && !belongs(feature, part) && !hulls(feature));
    for feature in &mut design.features {
        if let Does::Cut { from } = &mut feature.does {
            from.remove(part);
        }
    }
    if design.features.iter().any(|feature| feature.does == Does::Body) {
        Ok(())
    } else {
        Err("It is the only body: without it nothing would be left.".to_owned())
    }
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
