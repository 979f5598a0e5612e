//! One component's fields, read as Home Assistant reads them.

use serde_json::{Map, Value as Json};
use thiserror::Error;

use crate::components::{Inlet, Outlet};
use crate::template::Template;
use crate::topic;

/// Most entries of a list of options, modes or effects. WLED has about 190 effects.
const MAX_OPTIONS: usize = 512;

/// Why a component cannot be offered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum ConfigProblem {
    #[error("`{0}` is missing")]
    Missing(String),
    #[error("`{field}` has to be {wanted}")]
    Wrong { field: String, wanted: &'static str },
    #[error("the template `{field}` cannot be evaluated: {why}")]
    Template { field: String, why: String },
    #[error("`{field}` is no topic: {topic:?}")]
    Topic { field: String, topic: String },
    #[error("{0}")]
    Unsupported(String),
}

/// A component's fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    pub(crate) map: &'a Map<String, Json>,
    /// What Home Assistant would call it, for templates.
    pub(crate) entity: &'a str,
    /// The device's name: a component without one of its own has it.
    pub(crate) device: &'a str,
}

/// A text as Home Assistant takes it: numbers and booleans are written as Python writes them.
pub(crate) fn text_of(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(true) => Some("True".to_owned()),
        Json::Bool(false) => Some("False".to_owned()),
        _ => None,
    }
}

impl Fields<'_> {
    fn get(&self, field: &str) -> Option<&Json> {
        self.map.get(field).filter(|json| !json.is_null())
    }

    /// Whether the field is there and says that there is none.
    pub(crate) fn is_null(&self, field: &str) -> bool {
        self.map.get(field).is_some_and(Json::is_null)
    }

    /// Whether the field is there.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    pub(crate) fn text(&self, field: &str) -> Result<Option<String>, ConfigProblem> {
        let wrong = || ConfigProblem::Wrong { field: field.to_owned(), wanted: "a text" };
        self.get(field).map(|json| text_of(json).ok_or_else(wrong)).transpose()
    }

    pub(crate) fn text_or(&self, field: &str, default: &str) -> Result<String, ConfigProblem> {
        Ok(self.text(field)?.unwrap_or_else(|| default.to_owned()))
    }

    pub(crate) fn flag(&self, field: &str) -> Result<bool, ConfigProblem> {
        let wrong = || ConfigProblem::Wrong { field: field.to_owned(), wanted: "true or false" };
        let Some(json) = self.get(field) else { return Ok(false) };
        match text_of(json).ok_or_else(wrong)?.to_lowercase().trim() {
            "true" | "yes" | "on" | "enable" | "1" => Ok(true),
            "false" | "no" | "off" | "disable" | "0" => Ok(false),
            _ => Err(wrong()),
        }
    }

    pub(crate) fn number(&self, field: &str) -> Result<Option<f64>, ConfigProblem> {
        let wrong = || ConfigProblem::Wrong { field: field.to_owned(), wanted: "a number" };
        let Some(json) = self.get(field) else { return Ok(None) };
        let number = json.as_f64().or_else(|| json.as_str()?.trim().parse().ok());
        number.filter(|number| number.is_finite()).map(Some).ok_or_else(wrong)
    }

    pub(crate) fn number_or(&self, field: &str, default: f64) -> Result<f64, ConfigProblem> {
        Ok(self.number(field)?.unwrap_or(default))
    }

    /// Seconds as milliseconds.
    pub(crate) fn seconds(&self, field: &str) -> Result<Option<u64>, ConfigProblem> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let millis = |seconds: f64| (seconds.clamp(0.0, 1.0e9) * 1000.0) as u64;
        Ok(self.number(field)?.filter(|seconds| *seconds > 0.0).map(millis))
    }

    /// A list of texts, or one text.
    pub(crate) fn list(&self, field: &str) -> Result<Option<Vec<String>>, ConfigProblem> {
        let wrong = || ConfigProblem::Wrong { field: field.to_owned(), wanted: "a list of texts" };
        let Some(json) = self.get(field) else { return Ok(None) };
        let list = match json {
            Json::Array(list) => list.iter().map(text_of).collect::<Option<Vec<_>>>().ok_or_else(wrong)?,
            one => vec![text_of(one).ok_or_else(wrong)?],
        };
        if list.len() > MAX_OPTIONS {
            return Err(ConfigProblem::Unsupported(format!("`{field}` has more than {MAX_OPTIONS} entries")));
        }
        Ok(Some(list))
    }

    pub(crate) fn template(&self, field: &str) -> Result<Option<Template>, ConfigProblem> {
        let Some(source) = self.text(field)? else { return Ok(None) };
        let template = Template::new(field, &source);
        template.map(Some).map_err(|why| ConfigProblem::Template { field: field.to_owned(), why })
    }

    /// A topic to listen to, with the template that reads its payloads.
    pub(crate) fn inlet(&self, field: &str, template: &str) -> Result<Option<Inlet>, ConfigProblem> {
        let template = self.template(template)?;
        let Some(filter) = self.text(field)?.filter(|filter| !filter.is_empty()) else { return Ok(None) };
        if !topic::is_filter(&filter) {
            return Err(ConfigProblem::Topic { field: field.to_owned(), topic: filter });
        }
        Ok(Some(Inlet::new(filter, template, self.entity)))
    }

    /// A topic to publish commands to, with the template that writes their payloads.
    pub(crate) fn outlet(&self, field: &str, template: &str) -> Result<Option<Outlet>, ConfigProblem> {
        let template = self.template(template)?;
        let qos = match self.number("qos")?.unwrap_or(0.0) {
            2.0 => 2,
            0.0 | 1.0 => 1,
            _ => return Err(ConfigProblem::Wrong { field: "qos".to_owned(), wanted: "0, 1 or 2" }),
        };
        let Some(name) = self.text(field)?.filter(|name| !name.is_empty()) else { return Ok(None) };
        if !topic::is_name(&name) {
            return Err(ConfigProblem::Topic { field: field.to_owned(), topic: name });
        }
        Ok(Some(Outlet { topic: name, template, qos, entity: self.entity.to_owned() }))
    }

    pub(crate) fn required<T>(&self, field: &str, found: Option<T>) -> Result<T, ConfigProblem> {
        found.ok_or_else(|| ConfigProblem::Missing(field.to_owned()))
    }
}
