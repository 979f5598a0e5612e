//! What people do, as edits of a document as it is now.

use std::collections::{BTreeMap, BTreeSet};

use vestibule_model::MAX_TEXT;

use super::{
    Document, EditError,
    edit::{Deed, Edit, EditLabel, NewFeature},
    field::{FeatureField, Field, MaterialField, ParamField, Path, Scalar},
    order,
    shift::shifted,
    write,
};
use crate::design::{
    Axis, Does, Feature, FeatureKey, Material, MaterialKey, Param, ParamKey, Placement, Repeat, Shape,
};

/// How wide something new is, in millimetres.
const NEW_BODY: f64 = 40.0;
/// And what is cut with.
const NEW_CUT: f64 = 10.0;

fn fields(key: &FeatureKey, fields: impl IntoIterator<Item = (FeatureField, Scalar)>) -> Vec<(Field, Scalar)> {
    fields.into_iter().map(|(field, scalar)| (Field::Feature(key.clone(), field), scalar)).collect()
}

impl Document {
    fn feature(&self, key: &FeatureKey) -> Result<&Feature, EditError> {
        let found = self.design.features.iter().find(|feature| feature.key == *key);
        found.ok_or_else(|| EditError::Unknown(key.to_string()))
    }

    fn place(&self, key: &FeatureKey) -> Option<&str> {
        self.fields.get(&Field::Feature(key.clone(), FeatureField::Order)).and_then(Scalar::text)
    }

    fn is_free(&self, key: &FeatureKey) -> Result<(), EditError> {
        // What was removed still has its key.
        let taken = self.fields.contains_key(&Field::Feature(key.clone(), FeatureField::Gone));
        if taken { Err(EditError::Taken(key.to_string())) } else { Ok(()) }
    }

    /// Adds a feature after all others.
    ///
    /// # Errors
    /// [`EditError`] where its key is taken, or there is no material.
    pub fn adding(&self, new: &NewFeature) -> Result<Edit, EditError> {
        self.is_free(&new.key)?;
        let beside = new.does.to().next().or_else(|| self.design.features.last().map(|last| &last.key));
        let beside = beside.and_then(|key| self.feature(key).ok()).map(|feature| &feature.material);
        let material = new.material.as_ref().or(beside).or_else(|| self.design.materials.keys().next());
        let cuts = matches!(new.does, Does::Cut { .. });
        let size = new.size.unwrap_or(if cuts { NEW_CUT } else { NEW_BODY });
        let [x, y, z] = new.at;
        let feature = Feature {
            key: new.key.clone(),
            name: new.kind.label().to_owned(),
            shape: new.kind.shape(size),
            at: Placement::at(x, y, z),
            does: new.does.clone(),
            repeat: None,
            mirror: None,
            material: material.cloned().ok_or_else(|| EditError::Unknown("material".to_owned()))?,
        };
        self.putting(&feature)
    }

    /// Adds a feature as it is, after all others.
    ///
    /// # Errors
    /// [`EditError`] where its key is taken.
    pub fn putting(&self, feature: &Feature) -> Result<Edit, EditError> {
        self.is_free(&feature.key)?;
        let last = self.design.features.last().and_then(|last| self.place(&last.key));
        let place = order::between(last, None);
        let mut sets = write::feature(feature, &place);
        if place.len() > order::LONG {
            sets.extend(self.spread_out(self.design.features.iter().map(|feature| &feature.key).chain([&feature.key])));
        }
        Ok(Edit::of(Deed::Add, &feature.name, sets))
    }

    /// New places for all features, in this order.
    fn spread_out<'a>(&self, keys: impl Iterator<Item = &'a FeatureKey>) -> Vec<(Field, Scalar)> {
        let keys: Vec<_> = keys.collect();
        let places = order::spread(keys.len());
        let order = |key: &FeatureKey| Field::Feature(key.clone(), FeatureField::Order);
        keys.into_iter().zip(places).map(|(key, place)| (order(key), place.into())).collect()
    }

    /// Removes a feature with all that is nothing without it: what is added to it, or cut from it alone.
    ///
    /// # Errors
    /// [`EditError::Unknown`] where there is none.
    pub fn removing(&self, key: &FeatureKey) -> Result<Edit, EditError> {
        let name = match self.feature(key) {
            Ok(feature) => feature.name.clone(),
            // It was left out of the design, and this is how people get rid of it.
            Err(_) if self.left_out.iter().any(|left| left.feature == *key) => key.to_string(),
            Err(unknown) => return Err(unknown),
        };
        let mut gone = BTreeSet::from([key]);
        let mut sets = Vec::new();
        for feature in &self.design.features {
            if gone.contains(&feature.key) {
                continue;
            }
            let left = |keys: &BTreeSet<FeatureKey>| keys.iter().filter(|key| !gone.contains(key)).cloned().collect();
            let whole = |keys: &BTreeSet<FeatureKey>| keys.iter().all(|key| !gone.contains(key));
            match &feature.does {
                Does::Add { to: body } | Does::Meet { with: body } if gone.contains(body) => {
                    gone.insert(&feature.key);
                    continue;
                }
                Does::Cut { from } if !whole(from) => {
                    let left: BTreeSet<FeatureKey> = left(from);
                    if left.is_empty() {
                        gone.insert(&feature.key);
                        continue;
                    }
                    sets.extend(fields(&feature.key, write::does(&Does::Cut { from: left })));
                }
                _ => {}
            }
            if let Shape::Hull { of } = &feature.shape
                && !whole(of)
            {
                let left: BTreeSet<FeatureKey> = left(of);
                if left.is_empty() {
                    gone.insert(&feature.key);
                } else {
                    sets.extend(fields(&feature.key, write::shape(&Shape::Hull { of: left })));
                }
            }
        }
        sets.extend(gone.into_iter().flat_map(|key| fields(key, [(FeatureField::Gone, true.into())])));
        Ok(Edit::of(Deed::Remove, &name, sets))
    }

    /// A feature, and what belongs to it alone.
    fn group(&self, key: &FeatureKey) -> Result<Vec<&Feature>, EditError> {
        let first = self.feature(key)?;
        let alone = |feature: &&Feature| feature.does.to().eq([key]);
        Ok([first].into_iter().chain(self.design.features.iter().filter(alone)).collect())
    }

    /// Copies a feature, and what is added to it or cut from it alone, to a place beside it. `fresh` makes a key that
    /// nobody has each time that it is called.
    ///
    /// # Errors
    /// [`EditError`] where there is no such feature, or a key is taken.
    pub fn copying(
        &self,
        key: &FeatureKey,
        fresh: &mut dyn FnMut() -> FeatureKey,
        by: [f64; 3],
    ) -> Result<Edit, EditError> {
        let group = self.group(key)?;
        let keys: BTreeMap<_, _> = group.iter().map(|feature| (feature.key.clone(), fresh())).collect();
        let new = |key: &FeatureKey| keys.get(key).unwrap_or(key).clone();
        let last = group.last().map(|feature| &feature.key);
        let at = self.design.features.iter().position(|feature| Some(&feature.key) == last).unwrap_or_default();
        let after = self.design.features.get(at + 1).and_then(|next| self.place(&next.key));
        let mut place = last.and_then(|last| self.place(last)).map(str::to_owned);
        let mut sets = Vec::new();
        for feature in &group {
            self.is_free(&new(&feature.key))?;
            let mut copy = (*feature).clone();
            copy.key = new(&feature.key);
            copy.does = match &feature.does {
                Does::Add { to } => Does::Add { to: new(to) },
                Does::Meet { with } => Does::Meet { with: new(with) },
                Does::Cut { from } => Does::Cut { from: from.iter().map(new).collect() },
                other => other.clone(),
            };
            copy.name.truncate(copy.name.floor_char_boundary(MAX_TEXT - 8));
            copy.name.push_str(" copy");
            for (amount, by) in copy.at.position.iter_mut().zip(by) {
                *amount = shifted(amount, by).ok_or_else(|| EditError::Value { field: "position".to_owned() })?;
            }
            let next = order::between(place.as_deref(), after);
            sets.extend(write::feature(&copy, &next));
            place = Some(next);
        }
        Ok(Edit::of(Deed::Copy, &self.feature(key)?.name, sets))
    }

    /// Puts a feature on the other side of a plane a second time, or no more.
    ///
    /// # Errors
    /// [`EditError::Unknown`] where there is none.
    pub fn mirroring(&self, key: &FeatureKey, plane: Option<Axis>) -> Result<Edit, EditError> {
        let name = &self.feature(key)?.name;
        Ok(Edit::of(Deed::Mirror, name, fields(key, [(FeatureField::Mirror, write::mirror(plane))])))
    }

    /// Repeats a feature, or no more.
    ///
    /// # Errors
    /// [`EditError::Unknown`] where there is none.
    pub fn repeating(&self, key: &FeatureKey, repeat: Option<&Repeat>) -> Result<Edit, EditError> {
        let name = &self.feature(key)?.name;
        Ok(Edit::of(Deed::Repeat, name, fields(key, write::repeat(repeat))))
    }

    /// Moves a feature, and what is added to it or cut from it alone. A place by a formula stays one, with what it was
    /// moved by behind it.
    ///
    /// # Errors
    /// [`EditError`] where there is none, or a formula would become too long.
    pub fn moving(&self, key: &FeatureKey, by: [f64; 3]) -> Result<Edit, EditError> {
        let mut sets = Vec::new();
        for feature in self.group(key)? {
            for (axis, by) in [Axis::X, Axis::Y, Axis::Z].into_iter().zip(by).filter(|(_, by)| *by != 0.0) {
                let field = Field::Feature(feature.key.clone(), FeatureField::Position(axis));
                let moved = shifted(&feature.at.position[axis as usize], by);
                let moved = moved.ok_or_else(|| EditError::Value { field: field.to_string() })?;
                sets.push((field, Scalar::from(&moved)));
            }
        }
        Ok(Edit::of(Deed::Move, &self.feature(key)?.name, sets))
    }

    /// Sets one field, as a panel or a handle does it.
    ///
    /// # Errors
    /// [`EditError::Unknown`] where what it belongs to is not there.
    pub fn setting(&self, field: Field, value: Scalar) -> Result<Edit, EditError> {
        let what = match &field {
            Field::Name | Field::Role => self.design.name.clone(),
            Field::Param(key, _) => {
                let param = self.design.params.get(key);
                param.map(|param| param.label.clone()).ok_or_else(|| EditError::Unknown(key.to_string()))?
            }
            Field::Material(key, _) => {
                let material = self.design.materials.get(key);
                material.map(|material| material.name.clone()).ok_or_else(|| EditError::Unknown(key.to_string()))?
            }
            Field::Feature(key, _) if self.left_out.iter().any(|left| left.feature == *key) => key.to_string(),
            Field::Feature(key, _) => self.feature(key)?.name.clone(),
        };
        Ok(Edit::of(Deed::Set, &what, vec![(field, value)]))
    }

    /// Turns a parameter.
    ///
    /// # Errors
    /// [`EditError::Unknown`] where there is none.
    pub fn turning_param(&self, param: &str, value: f64) -> Result<Edit, EditError> {
        let found = self.design.params.get_key_value(param).map(|(key, _)| key.clone());
        let key = found.ok_or_else(|| EditError::Unknown(param.to_owned()))?;
        self.setting(Field::Param(key, ParamField::Value), value.into())
    }

    /// Gives a feature another name.
    ///
    /// # Errors
    /// [`EditError::Unknown`] where there is none.
    pub fn renaming(&self, key: &FeatureKey, name: &str) -> Result<Edit, EditError> {
        let old = &self.feature(key)?.name;
        Ok(Edit::of(Deed::Rename, old, fields(key, [(FeatureField::Name, name.into())])))
    }

    /// Gives the design another name.
    #[must_use]
    pub fn renaming_design(&self, name: &str) -> Edit {
        Edit::of(Deed::Rename, &self.design.name, vec![(Field::Name, name.into())])
    }

    /// Makes a feature of another of the design's materials.
    ///
    /// # Errors
    /// [`EditError::Unknown`] where one of them is not there.
    pub fn making_of(&self, key: &FeatureKey, material: &MaterialKey) -> Result<Edit, EditError> {
        if !self.design.materials.contains_key(material) {
            return Err(EditError::Unknown(material.to_string()));
        }
        self.setting(Field::Feature(key.clone(), FeatureField::Material), material.as_str().into())
    }

    /// Gives a material another colour (sRGB).
    ///
    /// # Errors
    /// [`EditError::Unknown`] where there is none.
    pub fn colouring(&self, material: &MaterialKey, colour: [u8; 3]) -> Result<Edit, EditError> {
        let edit = self.setting(Field::Material(material.clone(), MaterialField::Colour), write::colour(colour))?;
        Ok(Edit { label: EditLabel { deed: Deed::Colour, ..edit.label }, ..edit })
    }

    /// Adds a material, or sets all of one.
    #[must_use]
    pub fn putting_material(&self, key: &MaterialKey, material: &Material) -> Edit {
        Edit::of(Deed::Set, &material.name, write::material(key, material))
    }

    /// Adds a parameter, or sets all of one.
    #[must_use]
    pub fn putting_param(&self, key: &ParamKey, param: &Param) -> Edit {
        Edit::of(Deed::Set, &param.label, write::param(key, param))
    }

    /// Removes a parameter; [`Self::apply`] refuses it where a formula reads it.
    ///
    /// # Errors
    /// [`EditError::Unknown`] where there is none.
    pub fn removing_param(&self, key: &ParamKey) -> Result<Edit, EditError> {
        let edit = self.setting(Field::Param(key.clone(), ParamField::Gone), true.into())?;
        Ok(Edit { label: EditLabel { deed: Deed::Remove, ..edit.label }, ..edit })
    }

    /// Gives a feature another shape.
    ///
    /// # Errors
    /// [`EditError::Unknown`] where there is none.
    pub fn reshaping(&self, key: &FeatureKey, shape: &Shape) -> Result<Edit, EditError> {
        Ok(Edit::of(Deed::Set, &self.feature(key)?.name, fields(key, write::shape(shape))))
    }

    /// Lets a feature do something else.
    ///
    /// # Errors
    /// [`EditError::Unknown`] where there is none.
    pub fn letting(&self, key: &FeatureKey, does: &Does) -> Result<Edit, EditError> {
        Ok(Edit::of(Deed::Set, &self.feature(key)?.name, fields(key, write::does(does))))
    }

    /// Puts a feature right after another one, or before all others.
    ///
    /// # Errors
    /// [`EditError::Unknown`] where one of them is not there.
    pub fn reordering(&self, key: &FeatureKey, after: Option<&FeatureKey>) -> Result<Edit, EditError> {
        let name = &self.feature(key)?.name;
        let others: Vec<_> = self.design.features.iter().map(|feature| &feature.key).filter(|at| *at != key).collect();
        let at = match after {
            None => 0,
            Some(after) => {
                let found = others.iter().position(|at| *at == after);
                found.ok_or_else(|| EditError::Unknown(after.to_string()))? + 1
            }
        };
        let low = after.and_then(|after| self.place(after));
        let place = order::between(low, others.get(at).and_then(|next| self.place(next)));
        let sets = if place.len() > order::LONG {
            let (before, behind) = others.split_at(at);
            self.spread_out(before.iter().copied().chain([key]).chain(behind.iter().copied()))
        } else {
            fields(key, [(FeatureField::Order, place.into())])
        };
        Ok(Edit::of(Deed::Reorder, name, sets))
    }

    /// The field of a feature's shape at this path, such as `size.0`.
    ///
    /// # Errors
    /// [`EditError::Unknown`] where its shape has none.
    pub fn part(&self, key: &FeatureKey, path: &str) -> Result<Field, EditError> {
        let field = Path::new(path).ok().map(|path| Field::Feature(key.clone(), FeatureField::Part(path)));
        field.filter(|field| self.fields.contains_key(field)).ok_or_else(|| EditError::Unknown(path.to_owned()))
    }
}
