//! From a design to single fields.

use super::{
    field::{FeatureField, Field, MaterialField, ParamField, Scalar},
    flat, order,
    read::Fields,
};
use crate::design::{Axis, Design, Does, Feature, Material, MaterialKey, Param, ParamKey, Repeat, Shape};

/// All fields of a design.
pub(super) fn fields(design: &Design) -> Fields {
    let mut fields = Fields::new();
    fields.insert(Field::Name, design.name.as_str().into());
    fields.insert(Field::Role, role(design.role.as_deref()));
    fields.extend(design.params.iter().flat_map(|(key, of)| param(key, of)));
    fields.extend(design.materials.iter().flat_map(|(key, of)| material(key, of)));
    for (of, place) in design.features.iter().zip(order::spread(design.features.len())) {
        fields.extend(feature(of, &place));
    }
    fields
}

pub(super) fn role(role: Option<&str>) -> Scalar {
    role.map_or(Scalar::Nothing, Scalar::from)
}

/// What a plain enumeration is called.
pub(super) fn name_of(variant: impl serde::Serialize) -> Scalar {
    let name = serde_json::to_value(variant).ok();
    name.as_ref().and_then(serde_json::Value::as_str).map_or(Scalar::Nothing, Scalar::from)
}

pub(super) fn param(key: &ParamKey, param: &Param) -> Vec<(Field, Scalar)> {
    let fields = [
        (ParamField::Label, param.label.as_str().into()),
        (ParamField::Value, param.value.into()),
        (ParamField::Unit, name_of(param.unit)),
        (ParamField::Least, param.least.into()),
        (ParamField::Most, param.most.into()),
        (ParamField::Step, param.step.into()),
        (ParamField::Gone, false.into()),
    ];
    fields.map(|(field, scalar)| (Field::Param(key.clone(), field), scalar)).into()
}

pub(super) fn colour([red, green, blue]: [u8; 3]) -> Scalar {
    format!("#{red:02x}{green:02x}{blue:02x}").into()
}

pub(super) fn material(key: &MaterialKey, material: &Material) -> Vec<(Field, Scalar)> {
    let fields = [
        (MaterialField::Name, material.name.as_str().into()),
        (MaterialField::Kind, name_of(material.kind)),
        (MaterialField::Colour, colour(material.colour)),
        (MaterialField::Rough, f64::from(material.roughness_permille.min(1_000)).into()),
        (MaterialField::Metal, material.metallic.into()),
        (MaterialField::Gone, false.into()),
    ];
    fields.map(|(field, scalar)| (Field::Material(key.clone(), field), scalar)).into()
}

pub(super) fn shape(shape: &Shape) -> Vec<(FeatureField, Scalar)> {
    let (kind, parts) = flat::flat(shape);
    let parts = parts.into_iter().map(|(path, scalar)| (FeatureField::Part(path), scalar));
    [(FeatureField::Shape, kind.into())].into_iter().chain(parts).collect()
}

pub(super) fn repeat(repeat: Option<&Repeat>) -> Vec<(FeatureField, Scalar)> {
    let Some(repeat) = repeat else { return vec![(FeatureField::Repeat, Scalar::Nothing)] };
    let (kind, parts) = flat::flat(repeat);
    let parts = parts.into_iter().map(|(path, scalar)| (FeatureField::Times(path), scalar));
    [(FeatureField::Repeat, kind.into())].into_iter().chain(parts).collect()
}

pub(super) fn does(does: &Does) -> [(FeatureField, Scalar); 2] {
    let name = match does {
        Does::Body => "body",
        Does::Add { .. } => "add",
        Does::Cut { .. } => "cut",
        Does::Meet { .. } => "meet",
        Does::Guide => "guide",
    };
    [(FeatureField::Does, name.into()), (FeatureField::To, keys(does.to()))]
}

/// Keys with spaces between them.
pub(super) fn keys<'a>(keys: impl Iterator<Item = &'a crate::design::FeatureKey>) -> Scalar {
    keys.map(crate::design::FeatureKey::as_str).collect::<Vec<_>>().join(" ").into()
}

pub(super) fn mirror(plane: Option<Axis>) -> Scalar {
    plane.map_or(Scalar::Nothing, name_of)
}

pub(super) fn feature(feature: &Feature, place: &str) -> Vec<(Field, Scalar)> {
    let axes = [Axis::X, Axis::Y, Axis::Z];
    let mut fields = vec![
        (FeatureField::Name, feature.name.as_str().into()),
        (FeatureField::Material, feature.material.as_str().into()),
        (FeatureField::Order, place.into()),
        (FeatureField::Mirror, mirror(feature.mirror)),
        (FeatureField::Gone, false.into()),
    ];
    fields.extend(does(&feature.does));
    fields.extend(shape(&feature.shape));
    fields.extend(repeat(feature.repeat.as_ref()));
    for axis in axes {
        fields.push((FeatureField::Position(axis), (&feature.at.position[axis as usize]).into()));
        fields.push((FeatureField::Turn(axis), (&feature.at.turn[axis as usize]).into()));
    }
    fields.into_iter().map(|(field, scalar)| (Field::Feature(feature.key.clone(), field), scalar)).collect()
}
