//! Home Assistant's templates: Jinja with its filters, evaluated with bounds.

use std::io::{self, Write};
use std::sync::LazyLock;

use minijinja::value::Value;
use minijinja::{Environment, ErrorKind};

use crate::limits::{
    MAX_TEMPLATE, MAX_TEMPLATE_INPUT, MAX_TEMPLATE_OUTPUT, MAX_TEMPLATE_VALUE, TEMPLATE_FUEL, TEMPLATE_WORK,
};

mod filters;
mod guard;
mod methods;
mod python;
mod scan;

/// One for each amount of fuel: each has half the fuel of the one before.
static ENVIRONMENTS: LazyLock<[Environment<'static>; 8]> =
    LazyLock::new(|| std::array::from_fn(|half| environment(TEMPLATE_FUEL >> half)));

/// The environment for values of so many bytes: an instruction takes as long as what it is given is large.
fn environment_for(bytes: usize) -> &'static Environment<'static> {
    let fuel = TEMPLATE_WORK / u64::try_from(bytes).unwrap_or(u64::MAX).max(1);
    let environments = &*ENVIRONMENTS;
    let half = (0..environments.len() - 1).find(|half| TEMPLATE_FUEL >> half <= fuel).unwrap_or(environments.len() - 1);
    &environments[half]
}

fn environment(fuel: u64) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_fuel(Some(fuel));
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
    /// How often its values may hold what it is given, and what its costliest filter counts for.
    growth: usize,
    weight: usize,
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
        let guard::Sound { source, growth, weight } = guard::examine(source.trim())?;
        let parsed =
            unwound(|| environment_for(1).template_from_str(&source).map(|_| ()).map_err(|error| words(&error)));
        parsed.unwrap_or_else(|| Err(BROKEN.to_owned()))?;
        Ok(Self { field: field.to_owned(), source, growth, weight })
    }

    /// Evaluates it with `variables`.
    pub(crate) fn render(&self, variables: Vec<(&'static str, Value)>) -> Result<String, TemplateError> {
        self.render_with(variables, 0)
    }

    /// The same, where the largest of the variables has so many bytes.
    fn render_with(&self, variables: Vec<(&'static str, Value)>, bytes: usize) -> Result<String, TemplateError> {
        let largest = (bytes + self.source.len()).saturating_mul(self.growth);
        if largest > MAX_TEMPLATE_VALUE {
            return Err(TemplateError::Failed("it joins too much text".to_owned()));
        }
        let environment = environment_for(largest.saturating_add(self.weight));
        // A mistake of the engine's costs one feature, not the home.
        unwound(|| self.evaluate(environment, variables))
            .unwrap_or_else(|| Err(TemplateError::Failed(BROKEN.to_owned())))
    }

    fn evaluate(
        &self,
        environment: &Environment<'static>,
        variables: Vec<(&'static str, Value)>,
    ) -> Result<String, TemplateError> {
        let failed = |error: &minijinja::Error| {
            if filters::is_nothing(error) { TemplateError::Nothing } else { TemplateError::Failed(words(error)) }
        };
        let template = environment.template_from_str(&self.source).map_err(|e| failed(&e))?;
        let mut out = Bounded(Vec::new());
        template.render_captured_to(variables.into_iter().collect::<Value>(), &mut out).map_err(|e| failed(&e))?;
        let text = String::from_utf8_lossy(&out.0);
        Ok(text.trim().to_owned())
    }

    /// Evaluates it for a payload: `value`, `value_json` where it is JSON, `entity_id`, `this`.
    pub(crate) fn read(
        &self,
        payload: &str,
        entity: &str,
        last: Option<&str>,
        more: &[(&'static str, f64)],
    ) -> Result<String, TemplateError> {
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
        variables.extend(more.iter().map(|(name, number)| (*name, python::plain(*number))));
        self.render_with(variables, payload.len())
    }
}

/// What is said of a template that makes the engine panic.
const BROKEN: &str = "the template engine broke on it";

/// What a closure gives, unless it panics.
fn unwound<T>(closure: impl FnOnce() -> T) -> Option<T> {
    // The environments are never changed, and what the closure made is dropped.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(closure)).ok()
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
        if self.0.len().saturating_add(bytes.len()) > MAX_TEMPLATE_OUTPUT {
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
