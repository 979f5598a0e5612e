//! What a service wants to be told, from its JSON Schema: fields that a person can fill in, or why they cannot.

use serde_json::{Map, Value};
use vestibule_twin::model::Json;

use super::{answer::cut, told::check};
use crate::format;

/// Fields of one service: more is no panel any more.
const MOST_FIELDS: usize = 12;
/// Values to choose from that fit beside each other.
const MOST_CHOICES: usize = 16;
/// Letters of a field where its schema says nothing.
const USUAL_LETTERS: usize = 120;
const MOST_LETTERS: usize = 1_000;
/// Letters of what strangers write about themselves.
pub(super) const NAME_LETTERS: usize = 60;
pub(super) const WORDS_LETTERS: usize = 200;

/// What a service wants to be told.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    Nothing,
    Fields {
        fields: Vec<Field>,
        /// Optional ones that cannot be asked here.
        left_out: Vec<String>,
    },
    /// It cannot be asked here, and why.
    TooMuch(String),
}

/// One thing to be told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub name: String,
    pub title: String,
    pub words: String,
    pub takes: Takes,
    pub required: bool,
    pub default: Option<Value>,
    /// What others wrote: a press instead of a keyboard.
    pub examples: Vec<Value>,
}

/// What can be told.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Takes {
    Choice(Vec<Value>),
    YesNo,
    /// A slider.
    Range {
        min: f64,
        max: f64,
        step: f64,
        whole: bool,
    },
    /// A number that is written.
    Number {
        min: Option<f64>,
        max: Option<f64>,
        whole: bool,
    },
    Text {
        least: usize,
        most: usize,
    },
    /// A twin that the person shares with the system: a string of the format `twin`.
    Twin,
}

/// The form for a schema.
pub(super) fn form(schema: Option<&Json>) -> Form {
    let Some(schema) = schema.map(Json::value) else { return Form::Nothing };
    let too_much = |why: &str| Form::TooMuch(format!("it wants more than this panel can ask ({why}): use the API"));
    let schema = match schema {
        Value::Bool(true) | Value::Null => return Form::Nothing,
        Value::Object(schema) => schema,
        _ => return too_much("its schema is none"),
    };
    if let Some(word) = composed(&schema) {
        return too_much(word);
    }
    if types(&schema).is_some_and(|types| !types.contains(&"object")) {
        return too_much("a single value");
    }
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if let Some(name) = required.iter().find(|name| !properties.contains_key(**name)) {
        return too_much(&format!("{} of any shape", cut(name, NAME_LETTERS)));
    }
    let (mut fields, mut left_out) = (Vec::new(), Vec::new());
    for (name, about) in properties {
        let required = required.contains(&name.as_str());
        match field(name, about, required) {
            Some(field) => fields.push(field),
            None if required => return too_much(&cut(name, NAME_LETTERS)),
            None => left_out.push(format::plain(&cut(name, NAME_LETTERS))),
        }
    }
    fields.sort_by_cached_key(|field| place(&field.name, properties.get(&field.name), &required));
    if fields.iter().filter(|field| field.required).count() > MOST_FIELDS {
        return too_much("too many things");
    }
    left_out.extend(fields.drain(fields.len().min(MOST_FIELDS)..).map(|field| field.title));
    if fields.is_empty() && left_out.is_empty() { Form::Nothing } else { Form::Fields { fields, left_out } }
}

/// Where a field stands. JSON objects have no order, and ours come sorted by name; schemas say it otherwise: by a number in
/// `propertyOrder`, `x-order` or `order` (the least first, as form builders have it), then by the place in `required`, then
/// by name. Without a number, what has to be told stands first.
fn place(name: &str, about: Option<&Value>, required: &[&str]) -> (u8, i64, usize) {
    let number = |word: &str| about.and_then(|about| about.get(word)).and_then(Value::as_i64);
    let said = ["propertyOrder", "x-order", "order"].into_iter().find_map(number);
    let listed = required.iter().position(|other| *other == name).unwrap_or(usize::MAX);
    match said {
        Some(number) => (0, number, listed),
        None if listed < usize::MAX => (1, 0, listed),
        None => (2, 0, listed),
    }
}

/// A word of a schema that makes other schemas of it, which we do not follow.
fn composed(schema: &Map<String, Value>) -> Option<&'static str> {
    const WORDS: [&str; 8] = ["$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas"];
    WORDS.into_iter().find(|word| schema.contains_key(*word))
}

fn types(schema: &Map<String, Value>) -> Option<Vec<&str>> {
    match schema.get("type")? {
        Value::String(one) => Some(vec![one]),
        Value::Array(several) => {
            Some(several.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect())
        }
        _ => None,
    }
}

fn field(name: &str, about: &Value, required: bool) -> Option<Field> {
    let about = about.as_object().filter(|about| composed(about).is_none())?;
    let takes = takes(about)?;
    let text = |word: &str, most| about.get(word).and_then(Value::as_str).map(|text| cut(text, most));
    let fits = |value: &&Value| check(&takes, value).is_ok();
    let examples = about.get("examples").and_then(Value::as_array).into_iter().flatten();
    let examples = match &takes {
        Takes::Text { .. } | Takes::Number { .. } => examples.filter(fits).take(4).cloned().collect(),
        _ => Vec::new(),
    };
    Some(Field {
        title: text("title", NAME_LETTERS).unwrap_or_else(|| format::plain(&cut(name, NAME_LETTERS))),
        words: text("description", WORDS_LETTERS).unwrap_or_default(),
        default: about.get("default").filter(fits).cloned(),
        name: name.to_owned(),
        takes,
        required,
        examples,
    })
}

fn takes(about: &Map<String, Value>) -> Option<Takes> {
    if let Some(only) = about.get("const") {
        return is_plain(only).then(|| Takes::Choice(vec![only.clone()]));
    }
    if let Some(several) = about.get("enum").and_then(Value::as_array) {
        let choices: Vec<Value> = several.iter().filter(|value| !value.is_null()).cloned().collect();
        let fits = !choices.is_empty() && choices.len() <= MOST_CHOICES && choices.iter().all(is_plain);
        return fits.then_some(Takes::Choice(choices));
    }
    let number = |word: &str| about.get(word).and_then(Value::as_f64).filter(|number| number.is_finite());
    let count =
        |word: &str| about.get(word).and_then(Value::as_u64).map(|count| usize::try_from(count).unwrap_or(usize::MAX));
    let types = types(about)?;
    let [one] = types.as_slice() else { return None };
    match *one {
        "boolean" => Some(Takes::YesNo),
        "integer" | "number" => {
            let whole = *one == "integer";
            let dust = if whole { 1.0 } else { f64::EPSILON };
            let min = number("minimum").or_else(|| number("exclusiveMinimum").map(|min| min + dust));
            let max = number("maximum").or_else(|| number("exclusiveMaximum").map(|max| max - dust));
            Some(numbers(min, max, number("multipleOf"), whole))
        }
        "string" if about.get("format").and_then(Value::as_str) == Some("twin") => Some(Takes::Twin),
        "string" => {
            let (least, most) = (count("minLength").unwrap_or(0), count("maxLength").unwrap_or(USUAL_LETTERS));
            (least <= MOST_LETTERS).then(|| Takes::Text { least, most: most.min(MOST_LETTERS).max(least) })
        }
        _ => None,
    }
}

fn numbers(min: Option<f64>, max: Option<f64>, multiple: Option<f64>, whole: bool) -> Takes {
    match (min, max) {
        (Some(min), Some(max)) if max > min => {
            let usual = if whole { 1.0 } else { (max - min) / 100.0 };
            let step = multiple.filter(|step| *step > 0.0).unwrap_or(usual);
            Takes::Range { min, max, step, whole }
        }
        _ => Takes::Number { min, max, whole },
    }
}

pub(super) const fn is_plain(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_))
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
