//! From single fields to a design: strictly, for what a person just did, and healed, for what merging made.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use vestibule_model::MAX_TEXT;

use super::{
    LeftOut,
    field::{FeatureField, Field, MaterialField, ParamField, Path, Scalar},
    flat,
};
use crate::design::{
    Amount, Axis, Design, DesignError, Does, Feature, FeatureKey, MAX_FEATURES, MAX_MATERIALS, MAX_PARAMS, Material,
    MaterialKey, Param, ParamKey, Placement, Shape,
};

/// All fields of a document.
pub(super) type Fields = BTreeMap<Field, Scalar>;
/// Below so many bytes of text no design is too long to be written.
const SHORT: usize = 256 << 10;

/// Something that was read, whether or not it was removed.
struct Found<T> {
    gone: bool,
    what: Result<T, DesignError>,
}

/// A document's fields, put together.
pub(super) struct Parts {
    name: String,
    role: Option<String>,
    params: BTreeMap<ParamKey, Found<Param>>,
    materials: BTreeMap<MaterialKey, Found<Material>>,
    /// In their order.
    features: Vec<(FeatureKey, Found<Feature>)>,
    /// How many bytes of text there are.
    texts: usize,
}

fn unreadable(what: &str) -> DesignError {
    DesignError::Unreadable(format!("its {what} cannot be read"))
}

fn named<T: DeserializeOwned>(scalar: Option<&Scalar>, what: &str) -> Result<T, DesignError> {
    let text = scalar.and_then(Scalar::text).ok_or_else(|| unreadable(what))?;
    serde_json::from_value(text.into()).map_err(|_| unreadable(what))
}

fn text_of(scalar: Option<&Scalar>) -> Option<String> {
    scalar.and_then(Scalar::text).map(str::to_owned)
}

fn flag(scalar: Option<&Scalar>) -> bool {
    matches!(scalar, Some(Scalar::Flag(true)))
}

impl Parts {
    pub(super) fn of(fields: &Fields) -> Self {
        let mut params: BTreeMap<&ParamKey, BTreeMap<ParamField, &Scalar>> = BTreeMap::new();
        let mut materials: BTreeMap<&MaterialKey, BTreeMap<MaterialField, &Scalar>> = BTreeMap::new();
        let mut features: BTreeMap<&FeatureKey, BTreeMap<&FeatureField, &Scalar>> = BTreeMap::new();
        for (field, scalar) in fields {
            match field {
                Field::Name | Field::Role => {}
                Field::Param(key, field) => drop(params.entry(key).or_default().insert(*field, scalar)),
                Field::Material(key, field) => drop(materials.entry(key).or_default().insert(*field, scalar)),
                Field::Feature(key, field) => drop(features.entry(key).or_default().insert(field, scalar)),
            }
        }
        let params = params.into_iter().map(|(key, fields)| {
            let gone = flag(fields.get(&ParamField::Gone).copied());
            (key.clone(), Found { gone, what: param(key, &fields) })
        });
        let materials = materials.into_iter().map(|(key, fields)| {
            let gone = flag(fields.get(&MaterialField::Gone).copied());
            (key.clone(), Found { gone, what: material(key, &fields) })
        });
        let mut ordered: Vec<_> = features.into_iter().collect();
        let order = |fields: &BTreeMap<&FeatureField, &Scalar>| text_of(fields.get(&FeatureField::Order).copied());
        // By their keys where two people put theirs at the same place.
        ordered.sort_by_cached_key(|(key, fields)| (order(fields), (*key).clone()));
        let features = ordered.into_iter().map(|(key, fields)| {
            let gone = flag(fields.get(&FeatureField::Gone).copied());
            (key.clone(), Found { gone, what: feature(key, &fields) })
        });
        Self {
            name: text_of(fields.get(&Field::Name)).unwrap_or_default(),
            role: text_of(fields.get(&Field::Role)),
            params: params.collect(),
            materials: materials.collect(),
            features: features.collect(),
            texts: fields.values().filter_map(Scalar::text).map(str::len).sum(),
        }
    }

    /// The design that this is, or why it is none.
    pub(super) fn strict(self) -> Result<Design, DesignError> {
        let mut design = Design {
            name: self.name,
            params: BTreeMap::new(),
            materials: BTreeMap::new(),
            features: Vec::new(),
            role: self.role,
        };
        for (key, found) in self.params.into_iter().filter(|(_, found)| !found.gone) {
            design.params.insert(key, found.what?);
        }
        for (key, found) in self.materials.into_iter().filter(|(_, found)| !found.gone) {
            design.materials.insert(key, found.what?);
        }
        for (_, found) in self.features.into_iter().filter(|(_, found)| !found.gone) {
            design.features.push(found.what?);
        }
        design.resolve()?;
        if self.texts > SHORT {
            design.canonical()?;
        }
        Ok(design)
    }

    /// A design in any case. What somebody removed while another still used it is there again; what needs something
    /// comes after it; numbers are put between their bounds; what then cannot be is left out, and told.
    pub(super) fn healed(self) -> (Design, Vec<LeftOut>) {
        let long = self.texts > SHORT;
        let (features, mut left_out) = needed(self.features);
        let mut used = BTreeSet::new();
        for formula in features.iter().flat_map(Feature::formulas) {
            used.extend(formula.names().map(str::to_owned));
        }
        let kept = |key: &str, gone: bool| !gone || used.contains(key);
        let params = self.params.into_iter().filter(|(key, found)| kept(key.as_str(), found.gone));
        let params = params.filter_map(|(key, found)| Some((key, clamped(found.what.ok()?)))).take(MAX_PARAMS);
        let params = params.collect();
        let made_of: BTreeSet<_> = features.iter().map(|feature| &feature.material).collect();
        let materials = self.materials.into_iter().filter(|(key, found)| !found.gone || made_of.contains(key));
        let materials = materials.filter_map(|(key, found)| {
            let material = found.what.ok()?;
            Some((key, Material { name: cut(material.name), ..material }))
        });
        let materials = materials.take(MAX_MATERIALS).collect();
        let (name, role) = (cut(self.name), self.role.map(cut));
        let mut design = Design { name, params, materials, features: Vec::new(), role };
        left_out.extend(emit(&mut design, features));
        let fits =
            |design: &Design| design.resolve().err().or_else(|| long.then(|| design.canonical().err()).flatten());
        // What is left are limits of all of it together.
        while let Some(why) = fits(&design) {
            let Some(last) = design.features.pop() else { break };
            left_out.push(LeftOut { feature: last.key, why });
        }
        (design, left_out)
    }
}

/// As much of a text as a name may have.
fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    text
}

fn clamped(param: Param) -> Param {
    let value = if param.least <= param.most { param.value.clamp(param.least, param.most) } else { param.value };
    Param { label: cut(param.label), value, ..param }
}

/// What is there, and what was removed but is still needed by it.
fn needed(found: Vec<(FeatureKey, Found<Feature>)>) -> (Vec<Feature>, Vec<LeftOut>) {
    let mut left_out = Vec::new();
    let mut readable = Vec::new();
    for (key, found) in found {
        match found.what {
            Ok(feature) => readable.push((feature, found.gone)),
            Err(why) if !found.gone => left_out.push(LeftOut { feature: key, why }),
            Err(_) => {}
        }
    }
    let by_key: BTreeMap<_, _> = readable.iter().map(|(feature, gone)| (&feature.key, (feature, *gone))).collect();
    let mut wanted: BTreeSet<FeatureKey> = BTreeSet::new();
    let mut open: Vec<_> = readable.iter().filter(|(_, gone)| !gone).map(|(feature, _)| &feature.key).collect();
    while let Some(key) = open.pop() {
        if let Some((feature, _)) = by_key.get(key)
            && wanted.insert(key.clone())
        {
            open.extend(feature.needs());
        }
    }
    let kept = readable.into_iter().filter(|(feature, _)| wanted.contains(&feature.key));
    (kept.map(|(feature, _)| feature).collect(), left_out)
}

/// Puts features into a design, each after what it needs.
fn emit(design: &mut Design, features: Vec<Feature>) -> Vec<LeftOut> {
    let mut left_out = Vec::new();
    let mut waiting = Vec::new();
    for feature in features {
        match design.refuses(&feature) {
            Some(why) => left_out.push(LeftOut { feature: feature.key, why }),
            None => waiting.push(feature),
        }
    }
    let (mut there, mut bodies) = (BTreeSet::new(), BTreeSet::new());
    while design.features.len() < MAX_FEATURES {
        let ready = |feature: &Feature| {
            let hull = if let Shape::Hull { of } = &feature.shape { of.is_subset(&there) } else { true };
            hull && feature.does.to().all(|body| bodies.contains(body))
        };
        let Some(at) = waiting.iter().position(ready) else { break };
        let feature = waiting.remove(at);
        there.insert(feature.key.clone());
        if feature.does == Does::Body {
            bodies.insert(feature.key.clone());
        }
        design.features.push(feature);
    }
    for feature in waiting {
        let names = feature.needs().find(|key| !there.contains(*key)).unwrap_or(&feature.key).clone();
        let why = DesignError::NoFeature { feature: feature.key.clone(), names, what: "body" };
        left_out.push(LeftOut { feature: feature.key, why });
    }
    left_out
}

fn param(key: &ParamKey, fields: &BTreeMap<ParamField, &Scalar>) -> Result<Param, DesignError> {
    let get = |field: ParamField| fields.get(&field).copied();
    let number = |field, what| get(field).and_then(Scalar::number).ok_or_else(|| unreadable(what));
    Ok(Param {
        label: text_of(get(ParamField::Label)).unwrap_or_else(|| key.to_string()),
        value: number(ParamField::Value, "value")?,
        unit: named(get(ParamField::Unit), "unit")?,
        least: number(ParamField::Least, "least value")?,
        most: number(ParamField::Most, "greatest value")?,
        step: number(ParamField::Step, "step")?,
    })
}

fn material(key: &MaterialKey, fields: &BTreeMap<MaterialField, &Scalar>) -> Result<Material, DesignError> {
    let get = |field: MaterialField| fields.get(&field).copied();
    let colour = get(MaterialField::Colour).and_then(Scalar::text).and_then(colour_of);
    let rough = get(MaterialField::Rough).and_then(Scalar::number).filter(|rough| (0.0..=1_000.0).contains(rough));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1,000")]
    let rough = rough.map(|rough| rough.round() as u16);
    Ok(Material {
        name: text_of(get(MaterialField::Name)).unwrap_or_else(|| key.to_string()),
        kind: named(get(MaterialField::Kind), "material")?,
        colour: colour.ok_or_else(|| unreadable("colour"))?,
        roughness_permille: rough.ok_or_else(|| unreadable("roughness"))?,
        metallic: flag(get(MaterialField::Metal)),
    })
}

/// `#rrggbb`.
pub(super) fn colour_of(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let value = u32::from_str_radix(digits, 16).ok()?;
    let [_, red, green, blue] = value.to_be_bytes();
    Some([red, green, blue])
}

fn feature(key: &FeatureKey, fields: &BTreeMap<&FeatureField, &Scalar>) -> Result<Feature, DesignError> {
    let get = |field: FeatureField| fields.get(&field).copied();
    let part = |part: fn(&FeatureField) -> Option<&Path>| {
        fields.iter().filter_map(move |(field, scalar)| Some((part(field)?, *scalar)))
    };
    let shape = get(FeatureField::Shape).and_then(Scalar::text).ok_or_else(|| unreadable("shape"))?;
    let shape = flat::whole(shape, part(|field| if let FeatureField::Part(path) = field { Some(path) } else { None }))?;
    let repeat = match get(FeatureField::Repeat) {
        Some(Scalar::Text(kind)) => {
            let times = part(|field| if let FeatureField::Times(path) = field { Some(path) } else { None });
            Some(flat::whole(kind, times)?)
        }
        _ => None,
    };
    let mirror = match get(FeatureField::Mirror) {
        Some(Scalar::Text(_)) => Some(named(get(FeatureField::Mirror), "mirror")?),
        _ => None,
    };
    let amount = |field: FeatureField, what| match get(field) {
        None => Ok(Amount::Value(0.0)),
        Some(scalar) => scalar.amount().ok_or_else(|| unreadable(what)),
    };
    let position = |axis| amount(FeatureField::Position(axis), "position");
    let turn = |axis| amount(FeatureField::Turn(axis), "turn");
    let material = get(FeatureField::Material).and_then(Scalar::text).unwrap_or_default();
    let at = Placement {
        position: [position(Axis::X)?, position(Axis::Y)?, position(Axis::Z)?],
        turn: [turn(Axis::X)?, turn(Axis::Y)?, turn(Axis::Z)?],
    };
    Ok(Feature {
        key: key.clone(),
        name: text_of(get(FeatureField::Name)).unwrap_or_else(|| key.to_string()),
        shape,
        at,
        does: does(get(FeatureField::Does), get(FeatureField::To))?,
        repeat,
        mirror,
        material: MaterialKey::new(material).map_err(|_| unreadable("material"))?,
    })
}

fn does(does: Option<&Scalar>, to: Option<&Scalar>) -> Result<Does, DesignError> {
    let keys = to.and_then(Scalar::text).unwrap_or_default().split_ascii_whitespace().map(FeatureKey::new);
    let mut keys = keys.collect::<Result<BTreeSet<_>, _>>().map_err(|_| unreadable("body"))?;
    let mut one = || keys.pop_first().ok_or_else(|| unreadable("body"));
    Ok(match does.and_then(Scalar::text).ok_or_else(|| unreadable("purpose"))? {
        "body" => Does::Body,
        "add" => Does::Add { to: one()? },
        "meet" => Does::Meet { with: one()? },
        "cut" => Does::Cut { from: keys },
        "guide" => Does::Guide,
        _ => return Err(unreadable("purpose")),
    })
}
