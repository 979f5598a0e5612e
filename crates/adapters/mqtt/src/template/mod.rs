//! Home Assistant's templates: Jinja with its filters, evaluated with bounds.

use std::io::{self, Write};
use std::sync::LazyLock;

use minijinja::value::Value;
use minijinja::{Environment, ErrorKind};

use crate::limits::{MAX_TEMPLATE, MAX_TEMPLATE_INPUT, MAX_TEMPLATE_OUTPUT, TEMPLATE_FUEL};

mod filters;
mod guard;
mod methods;
mod python;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);

fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_fuel(Some(TEMPLATE_FUEL));
    env.set_recursion_limit(40);
    env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    env.set_formatter(|out, _, value| Ok(out.write_str(&python::text(value))?));
    env.set_unknown_method_callback(methods::call);
    // They make texts and lists of any length from few instructions.
    for name in ["batch", "indent", "slice", "zip", "chain", "pprint", "urlencode", "lines"] {
        env.remove_filter(name);
    }
    for name in ["namespace", "debug"] {
        env.remove_global(name);
    }
    filters::register(&mut env);
    env
}

/// A template of a discovery document, looked over.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// The field that it came in, for errors.
    pub(crate) field: String,
    source: String,
}

/// Why a template gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TemplateError {
    /// The template itself says that there is nothing (`is_defined`).
    Nothing,
    /// It cannot be evaluated.
    Failed(String),
}

impl Template {
    /// Takes a template in; the error says why it can never be evaluated.
    pub(crate) fn new(field: &str, source: &str) -> Result<Self, String> {
        if source.len() > MAX_TEMPLATE {
            return Err(format!("it has more than {MAX_TEMPLATE} bytes"));
        }
        let source = source.trim();
        if let Some(why) = guard::refuse(source) {
            return Err(why);
        }
        ENVIRONMENT.template_from_str(source).map_err(|error| words(&error))?;
        Ok(Self { field: field.to_owned(), source: source.to_owned() })
    }

    /// Evaluates it with `variables`.
    pub(crate) fn render(&self, variables: Vec<(&'static str, Value)>) -> Result<String, TemplateError> {
        let failed = |error: &minijinja::Error| {
            if filters::is_nothing(error) { TemplateError::Nothing } else { TemplateError::Failed(words(error)) }
        };
        let template = ENVIRONMENT.template_from_str(&self.source).map_err(|e| failed(&e))?;
        let mut out = Bounded(Vec::new());
        template.render_captured_to(variables.into_iter().collect::<Value>(), &mut out).map_err(|e| failed(&e))?;
        let text = String::from_utf8_lossy(&out.0);
        Ok(text.trim().to_owned())
    }

    /// Evaluates it for a payload: `value`, `value_json` where it is JSON, `entity_id`, `this`.
    pub(crate) fn read(&self, payload: &str, entity: &str, last: Option<&str>) -> Result<String, TemplateError> {
        if payload.len() > MAX_TEMPLATE_INPUT {
            return Err(TemplateError::Failed(format!("the payload has more than {MAX_TEMPLATE_INPUT} bytes")));
        }
        let this: Value = [("entity_id", Value::from(entity)), ("state", Value::from(last.unwrap_or("unknown")))]
            .into_iter()
            .collect();
        let mut variables = vec![("value", Value::from(payload)), ("entity_id", Value::from(entity)), ("this", this)];
        if let Some(json) = crate::discovery::json(payload.as_bytes()) {
            variables.push(("value_json", Value::from_serialize(&json)));
        }
        self.render(variables)
    }
}

/// A value as `{{ value }}` prints it.
pub(crate) fn text(value: &Value) -> String {
    python::text(value)
}

/// An error in one line, with what caused it.
fn words(error: &minijinja::Error) -> String {
    if error.kind() == ErrorKind::OutOfFuel {
        return "it takes too many steps".to_owned();
    }
    let mut said = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        said = format!("{said}: {cause}");
        source = cause.source();
    }
    said.truncate(said.floor_char_boundary(300));
    said
}

/// Takes as many bytes as a template may make.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_TEMPLATE_OUTPUT {
            return Err(io::Error::other("the text becomes too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
