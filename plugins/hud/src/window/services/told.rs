//! What was told a service's form, and whether it fits.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use vestibule_twin::model::{Json, TwinId};

use super::form::{Field, Form, Takes};

/// The value of what was written in a field; a text that is no number stays one, and does not fit.
fn written(takes: &Takes, text: &str) -> Value {
    let number = match takes {
        Takes::Number { whole: true, .. } => text.trim().parse::<i64>().ok().map(|number| json!(number)),
        Takes::Number { .. } => text.trim().parse::<f64>().ok().map(|number| json!(number)),
        _ => None,
    };
    number.unwrap_or_else(|| json!(text))
}

/// A number as a field takes it.
pub(crate) fn of_number(value: f64, whole: bool) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "rounded, and within the slider's bounds")]
    let number = value.round() as i64;
    if whole { json!(number) } else { json!(value) }
}

/// Why a value does not fit.
pub(super) fn check(takes: &Takes, value: &Value) -> Result<(), String> {
    let between = |min: Option<f64>, max: Option<f64>| match (min, max) {
        (Some(min), Some(max)) => format!("a number from {min} to {max}"),
        (Some(min), None) => format!("a number of at least {min}"),
        (None, Some(max)) => format!("a number of at most {max}"),
        (None, None) => "a number".to_owned(),
    };
    let number = |min: Option<f64>, max: Option<f64>, whole: bool| {
        let fits = value.as_f64().is_some_and(|number| {
            min.is_none_or(|min| number >= min)
                && max.is_none_or(|max| number <= max)
                && (!whole || number.fract().abs() < 1e-9)
        });
        let kind = if whole { "whole, " } else { "" };
        if fits { Ok(()) } else { Err(format!("has to be {kind}{}", between(min, max))) }
    };
    match takes {
        Takes::Choice(choices) if choices.contains(value) => Ok(()),
        Takes::Choice(_) => Err("choose one".to_owned()),
        Takes::YesNo if value.is_boolean() => Ok(()),
        Takes::YesNo => Err("is yes or no".to_owned()),
        Takes::Range { min, max, whole, .. } => number(Some(*min), Some(*max), *whole),
        Takes::Number { min, max, whole } => number(*min, *max, *whole),
        Takes::Twin if value.as_str().is_some_and(|text| TwinId::new(text).is_ok()) => Ok(()),
        Takes::Twin => Err("choose a thing".to_owned()),
        Takes::Text { least, most } => {
            let letters = value.as_str().map_or(0, |text| text.chars().count());
            match value {
                Value::String(_) if (*least..=*most).contains(&letters) => Ok(()),
                Value::String(_) if letters < *least => Err(format!("has to have at least {least} letters")),
                Value::String(_) => Err(format!("has at most {most} letters")),
                _ => Err("is a text".to_owned()),
            }
        }
    }
}

impl Field {
    /// What the field says: what was entered, else what its schema says.
    pub(super) fn value(&self, entered: &BTreeMap<String, Value>) -> Option<Value> {
        let value = entered.get(&self.name).or(self.default.as_ref())?;
        Some(value.as_str().map_or_else(|| value.clone(), |text| written(&self.takes, text)))
    }

    /// The only value that there is.
    fn only(&self) -> Option<Value> {
        match &self.takes {
            Takes::Choice(choices) if choices.len() == 1 && self.required => choices.first().cloned(),
            Takes::YesNo if self.required => Some(json!(false)),
            _ => None,
        }
    }
}

/// What is sent for what was entered, or why nothing can be yet.
pub(super) fn input(form: &Form, entered: &BTreeMap<String, Value>) -> Result<Json, String> {
    let fields = match form {
        Form::Nothing => &[][..],
        Form::Fields { fields, .. } => fields,
        Form::TooMuch(why) => return Err(why.clone()),
    };
    let mut told = Map::new();
    for field in fields {
        let value = field.value(entered).or_else(|| field.only());
        let empty = value.as_ref().is_none_or(|value| value.as_str() == Some(""));
        match value {
            Some(value) if !empty || field.required => {
                let blank = empty && matches!(field.takes, Takes::Text { .. } | Takes::Number { .. });
                let checked = if blank { Err("is not filled in".to_owned()) } else { check(&field.takes, &value) };
                checked.map_err(|why| format!("{}: {why}", field.title))?;
                told.insert(field.name.clone(), value);
            }
            None if field.required => return Err(format!("{}: choose or fill in", field.title)),
            _ => {}
        }
    }
    if *form == Form::Nothing && told.is_empty() {
        return Json::new("{}").map_err(|error| error.to_string());
    }
    Json::of(&Value::Object(told)).map_err(|error| error.to_string())
}
