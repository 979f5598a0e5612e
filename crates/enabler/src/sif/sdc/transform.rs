//! Data processing, transformation and API conversion: the input of one service out of what others gave. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use thiserror::Error;
use vestibule_model::{
    Json, JsonError, Keep, MAX_JSON, MAX_JSON_DEPTH, MAX_TEXT, MAX_TRANSFORMS, Operand, Reference, Source, Transform,
    UnitError,
};

use super::{names, pointer::Pointer, scalar};

/// Fields that an object is made of anew: each may be the whole element.
const MOST_FIELDS: usize = 64;
/// Bytes of a field's name.
const LONGEST_NAME: usize = 256;

/// Why a service's input cannot be made.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum TransformError {
    /// Not a JSON pointer.
    #[error("{0:?} is no JSON pointer")]
    Pointer(String),
    /// Nothing can be put there.
    #[error("nothing can be put at {0:?}: there is something else on the way")]
    NoPlace(String),
    /// There is nothing.
    #[error("there is nothing at {0}")]
    Nothing(String),
    /// Another scalar than wanted.
    #[error("{got} is not {wanted}")]
    Scalar {
        /// What it should be.
        wanted: &'static str,
        /// What it is.
        got: String,
    },
    /// Not an array or an object where one is needed.
    #[error("at {at:?} there is no {wanted}")]
    Shape {
        /// Where.
        at: String,
        /// What there should be.
        wanted: &'static str,
    },
    /// Units of different quantities.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// Two fields would have one name.
    #[error("two fields would both be called {0:?}")]
    SameName(String),
    /// A template with a part that is not given.
    #[error("the template's {{{0}}} is not given")]
    Template(String),
    /// More than there may be.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// What was made is no JSON of a permitted size.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It may not be read.
    #[error("{0}")]
    NotShared(String),
}

/// Where the documents come from that transformations read.
pub(super) type Lookup<'a> = &'a dyn Fn(&Source) -> Result<Value, TransformError>;

/// Makes a document. Refuses what is too large or too deep at every step: no sequence of steps can take more.
pub(super) fn make(transforms: &[Transform], lookup: Lookup<'_>) -> Result<Json, TransformError> {
    if transforms.len() > MAX_TRANSFORMS {
        return Err(TransformError::TooMany("transformations"));
    }
    let mut maker = Maker { lookup, known: BTreeMap::new(), made: json!({}) };
    for transform in transforms {
        maker.step(transform)?;
        if bytes(&maker.made) > MAX_JSON {
            return Err(JsonError::TooLong(bytes(&maker.made)).into());
        }
        if depth(&maker.made) > MAX_JSON_DEPTH {
            return Err(JsonError::TooDeep.into());
        }
    }
    Ok(Json::of(&maker.made)?)
}

struct Maker<'a> {
    lookup: Lookup<'a>,
    known: BTreeMap<Source, Value>,
    made: Value,
}

impl Maker<'_> {
    fn step(&mut self, transform: &Transform) -> Result<(), TransformError> {
        match transform {
            Transform::Copy { from, to } => {
                let value = self.read(from)?.ok_or_else(|| nothing(from))?;
                self.put(to, &value, true)
            }
            Transform::Constant { value, to } => self.put(to, &value.value(), true),
            Transform::Default { value, to } => self.put(to, &value.value(), false),
            Transform::Template { text, parts, to } => {
                let filled = self.fill(text, parts)?;
                self.put(to, &Value::String(filled), true)
            }
            Transform::Remove { at } => {
                Pointer::many(at)?.remove(&mut self.made);
                Ok(())
            }
            Transform::Convert { at, from, to } => self.change(at, |value| {
                *value = scalar::convert(value, *from, *to)?;
                Ok(())
            }),
            Transform::Write { at, shape } => self.change(at, |value| {
                *value = scalar::write(value, *shape)?;
                Ok(())
            }),
            Transform::Rename { at, naming } => self.change(at, |value| names::rename_all(value, *naming)),
            _ => self.reshape(transform),
        }
    }

    fn reshape(&mut self, transform: &Transform) -> Result<(), TransformError> {
        match transform {
            Transform::Wrap { at, field } if field.len() <= LONGEST_NAME => self.change(at, |value| {
                let inner = std::mem::take(value);
                *value = Value::Object(Map::from_iter([(field.clone(), inner)]));
                Ok(())
            }),
            Transform::Wrap { .. } => Err(TransformError::TooMany("bytes in a field's name")),
            Transform::Unwrap { at, part } => {
                let inner = Pointer::one(part)?;
                self.change(at, |value| {
                    let found = inner.get(value).cloned();
                    *value = found.ok_or_else(|| TransformError::Nothing(format!("{part:?} of {at:?}")))?;
                    Ok(())
                })
            }
            Transform::Pick { at, fields } => self.change(at, |value| {
                let object = value.as_object_mut().ok_or_else(|| shape(at, "object"))?;
                object.retain(|name, _| fields.contains(name));
                Ok(())
            }),
            Transform::Each { at, fields } => {
                if fields.len() > MOST_FIELDS || fields.keys().any(|name| name.len() > LONGEST_NAME) {
                    return Err(TransformError::TooMany("fields"));
                }
                let fields = fields.iter().map(|(name, part)| Ok((name, Pointer::one(part)?)));
                let fields: Vec<_> = fields.collect::<Result<_, TransformError>>()?;
                let map = |element: &Value| {
                    let found =
                        fields.iter().filter_map(|(name, part)| Some(((*name).clone(), part.get(element)?.clone())));
                    Some(Value::Object(found.collect()))
                };
                self.elements(at, |elements| Ok(elements.iter().filter_map(map).collect()))
            }
            Transform::Pluck { at, part } => {
                let part = Pointer::one(part)?;
                self.elements(at, |elements| {
                    Ok(elements.iter().filter_map(|element| part.get(element).cloned()).collect())
                })
            }
            Transform::Filter { at, part, keep } => self.filter(at, part, keep),
            Transform::First { at } => self.change(at, |value| {
                let elements = value.as_array_mut().ok_or_else(|| shape(at, "array"))?;
                if elements.is_empty() {
                    return Err(TransformError::Nothing(format!("{at:?}: the array is empty")));
                }
                let first = elements.swap_remove(0);
                *value = first;
                Ok(())
            }),
            _ => Ok(()),
        }
    }

    fn filter(&mut self, at: &str, part: &str, keep: &Keep) -> Result<(), TransformError> {
        let part = Pointer::one(part)?;
        let (with, wanted) = match keep {
            Keep::Equal(with) => (self.operand(with)?, true),
            Keep::Unequal(with) => (self.operand(with)?, false),
            Keep::In(array) => (self.set(array)?, true),
            Keep::NotIn(array) => (self.set(array)?, false),
        };
        self.elements(at, |elements| {
            let is_in = |element: &Value| part.get(element).is_some_and(|value| with.contains(&value.to_string()));
            Ok(elements.iter().filter(|element| is_in(element) == wanted).cloned().collect())
        })
    }

    fn operand(&mut self, operand: &Operand) -> Result<BTreeSet<String>, TransformError> {
        let value = match operand {
            Operand::Constant(value) => value.value(),
            Operand::Value(reference) => self.read(reference)?.ok_or_else(|| nothing(reference))?,
        };
        Ok([value.to_string()].into())
    }

    /// The elements of an array as texts: compared with many others, each is looked up.
    fn set(&mut self, reference: &Reference) -> Result<BTreeSet<String>, TransformError> {
        match self.read(reference)? {
            Some(Value::Array(elements)) => Ok(elements.iter().map(Value::to_string).collect()),
            Some(_) => Err(shape(&reference.at, "array")),
            None => Err(nothing(reference)),
        }
    }

    fn read(&mut self, reference: &Reference) -> Result<Option<Value>, TransformError> {
        let at = Pointer::one(&reference.at)?;
        if reference.of == Source::Made {
            return Ok(at.get(&self.made).cloned());
        }
        if !self.known.contains_key(&reference.of) {
            let document = (self.lookup)(&reference.of)?;
            self.known.insert(reference.of.clone(), document);
        }
        Ok(self.known.get(&reference.of).and_then(|document| at.get(document)).cloned())
    }

    fn put(&mut self, to: &str, value: &Value, instead: bool) -> Result<(), TransformError> {
        let to = Pointer::many(to)?;
        // In many places at once it would be large before anybody could look.
        let size = to.places(&self.made).saturating_mul(bytes(value));
        if size > MAX_JSON {
            return Err(JsonError::TooLong(size).into());
        }
        to.put(&mut self.made, value, instead)
    }

    fn change(
        &mut self,
        at: &str,
        mut change: impl FnMut(&mut Value) -> Result<(), TransformError>,
    ) -> Result<(), TransformError> {
        Pointer::many(at)?.change(&mut self.made, &mut change)
    }

    fn elements(
        &mut self,
        at: &str,
        new: impl Fn(&[Value]) -> Result<Vec<Value>, TransformError>,
    ) -> Result<(), TransformError> {
        self.change(at, |value| {
            let elements = value.as_array().ok_or_else(|| shape(at, "array"))?;
            *value = Value::Array(new(elements)?);
            Ok(())
        })
    }

    /// `{name}` is a part, `{{` and `}}` are braces.
    fn fill(&mut self, text: &str, parts: &BTreeMap<String, Reference>) -> Result<String, TransformError> {
        if text.len() > MAX_TEXT || parts.len() > MOST_FIELDS {
            return Err(TransformError::TooMany("bytes or parts of a template"));
        }
        let (mut filled, mut rest) = (String::new(), text);
        while let Some(place) = rest.find(['{', '}']) {
            filled.push_str(&rest[..place]);
            rest = &rest[place..];
            if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                filled.push_str(&rest[..1]);
                rest = after;
                continue;
            }
            let bad = || TransformError::Template(rest.chars().skip(1).take(64).collect());
            let (name, after) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).ok_or_else(bad)?;
            let part = parts.get(name).ok_or_else(bad)?;
            match self.read(part)?.ok_or_else(|| nothing(part))? {
                Value::String(text) => filled.push_str(&text),
                value @ (Value::Number(_) | Value::Bool(_)) => filled.push_str(&value.to_string()),
                _ => return Err(shape(&part.at, "text, number or truth")),
            }
            if filled.len() > MAX_JSON {
                return Err(JsonError::TooLong(filled.len()).into());
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

fn nothing(reference: &Reference) -> TransformError {
    let document = match &reference.of {
        Source::Input => "the input".to_owned(),
        Source::Step(key) => format!("what {key} gave"),
        Source::Sent => "what was sent".to_owned(),
        Source::Made => "what was made".to_owned(),
        Source::Twin { twin, feature, property } => format!("{property} of {feature} of {twin}"),
    };
    let at: String = reference.at.chars().take(64).collect();
    TransformError::Nothing(format!("{at:?} of {document}"))
}

fn shape(at: &str, wanted: &'static str) -> TransformError {
    TransformError::Shape { at: at.chars().take(64).collect(), wanted }
}

/// About the bytes that a value is written in.
fn bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(elements) => 2 + elements.iter().map(|element| bytes(element) + 1).sum::<usize>(),
        Value::Object(fields) => 2 + fields.iter().map(|(name, field)| name.len() + 4 + bytes(field)).sum::<usize>(),
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
