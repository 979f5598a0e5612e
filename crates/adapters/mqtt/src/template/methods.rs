//! The methods of Python's texts, lists and dictionaries that templates call.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::filters::{joined, replaced};
use super::python::{bounded, float, int, refused, text};
use crate::limits::MAX_TEMPLATE_OUTPUT;

/// Calls `value.method(arguments)`.
pub(super) fn call(_: &State, value: &Value, method: &str, arguments: &[Value]) -> Result<Value, Error> {
    if let Some(said) = value.as_str() {
        return on_text(said, method, arguments);
    }
    match (value.kind(), method, arguments) {
        (ValueKind::Map, "get", [key]) => Ok(found(value, key).unwrap_or(Value::from(()))),
        (ValueKind::Map, "get", [key, default]) => Ok(found(value, key).unwrap_or_else(|| default.clone())),
        (ValueKind::Map, "keys", []) => Ok(value.try_iter()?.collect()),
        (ValueKind::Map, "values", []) => {
            Ok(value.try_iter()?.map(|key| value.get_item(&key).unwrap_or_default()).collect())
        }
        (ValueKind::Map, "items", []) => {
            let pairs = value.try_iter()?.map(|key| {
                let item = value.get_item(&key).unwrap_or_default();
                Value::from(vec![key, item])
            });
            Ok(pairs.collect())
        }
        (ValueKind::Seq, "index", [item]) => value
            .try_iter()?
            .position(|i| i == *item)
            .map(Value::from)
            .ok_or_else(|| refused(format!("{item:?} is not in the list"))),
        (ValueKind::Seq, "count", [item]) => Ok(Value::from(value.try_iter()?.filter(|i| i == item).count())),
        _ => Err(unknown(method)),
    }
}

fn unknown(method: &str) -> Error {
    Error::new(ErrorKind::UnknownMethod, format!("there is no method `{method}`"))
}

fn found(map: &Value, key: &Value) -> Option<Value> {
    map.get_item(key).ok().filter(|item| !item.is_undefined())
}

fn on_text(said: &str, method: &str, arguments: &[Value]) -> Result<Value, Error> {
    let first = arguments.first().and_then(Value::as_str);
    let second = arguments.get(1);
    let chars = || first.unwrap_or(" \t\r\n").chars().collect::<Vec<char>>();
    Ok(match (method, first) {
        ("lower", _) => Value::from(said.to_lowercase()),
        ("upper", _) => Value::from(said.to_uppercase()),
        ("capitalize", _) => {
            let mut letters = said.chars();
            let head: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
            Value::from(head + &letters.as_str().to_lowercase())
        }
        ("title", _) => minijinja::filters::title(said.into()).into(),
        ("strip", _) => Value::from(said.trim_matches(chars().as_slice())),
        ("lstrip", _) => Value::from(said.trim_start_matches(chars().as_slice())),
        ("rstrip", _) => Value::from(said.trim_end_matches(chars().as_slice())),
        ("startswith", Some(start)) => Value::from(said.starts_with(start)),
        ("endswith", Some(end)) => Value::from(said.ends_with(end)),
        ("find", Some(part)) => {
            let at = said.find(part).map(|at| said[..at].chars().count());
            Value::from(at.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1))
        }
        ("count", Some(part)) if !part.is_empty() => Value::from(said.matches(part).count()),
        ("replace", Some(from)) => return replaced(said, from, &text(second.unwrap_or(&Value::UNDEFINED))),
        ("split", by) => match second.and_then(Value::as_usize) {
            Some(times) => split_times(said, by, times),
            None => Value::from(split(said, by)?),
        },
        ("isnumeric" | "isdigit" | "isdecimal", _) => {
            Value::from(!said.is_empty() && said.chars().all(char::is_numeric))
        }
        ("isalpha", _) => Value::from(!said.is_empty() && said.chars().all(char::is_alphabetic)),
        ("format", _) => return formatted(said, arguments),
        ("join", _) => {
            return joined(arguments.first().unwrap_or(&Value::UNDEFINED), said);
        }
        _ => return Err(unknown(method)),
    })
}

/// `text.split(by)`.
pub(super) fn split(said: &str, by: Option<&str>) -> Result<Vec<String>, Error> {
    match by {
        Some("") => Err(refused("an empty separator")),
        Some(by) => Ok(said.split(by).map(str::to_owned).collect()),
        None => Ok(said.split_whitespace().map(str::to_owned).collect()),
    }
}

fn split_times(said: &str, by: Option<&str>, times: usize) -> Value {
    let by = by.filter(|by| !by.is_empty()).unwrap_or(" ");
    said.splitn(times.saturating_add(1), by).map(Value::from).collect()
}

/// `"{:.1f} {}".format(a, b)`, with what templates use of it.
fn formatted(pattern: &str, arguments: &[Value]) -> Result<Value, Error> {
    let mut out = String::new();
    let mut rest = pattern;
    let mut next = 0;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let doubled = rest[at..].starts_with("{{") || rest[at..].starts_with("}}");
        if doubled {
            out.push_str(&rest[at..=at]);
            rest = &rest[at + 2..];
            continue;
        }
        let end = rest[at..].find('}').map(|end| at + end).filter(|end| *end > at);
        let end = end.ok_or_else(|| refused("`format` was given a lonely brace"))?;
        let (place, spec) = rest[at + 1..end].split_once(':').unwrap_or((&rest[at + 1..end], ""));
        let index: usize =
            if place.is_empty() { next } else { place.parse().map_err(|_| refused("`format` by name"))? };
        next = index.saturating_add(1);
        let argument = arguments.get(index).ok_or_else(|| refused("`format` wants more values"))?;
        out.push_str(&spelled(argument, spec)?);
        if out.len() > MAX_TEMPLATE_OUTPUT {
            return Err(refused("the text becomes too long"));
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    bounded(out)
}

fn spelled(value: &Value, spec: &str) -> Result<String, Error> {
    let refuse = || refused(format!("`format` cannot spell `:{spec}`"));
    let Some(kind) = spec.chars().last() else { return Ok(text(value)) };
    let digits = spec.trim_end_matches(kind);
    let (width, precision) = digits.split_once('.').unwrap_or((digits, ""));
    let zero = width.starts_with('0');
    let width: usize = if width.is_empty() { 0 } else { width.parse().map_err(|_| refuse())? };
    let precision: usize = if precision.is_empty() { 6 } else { precision.parse().map_err(|_| refuse())? };
    if width > 99 || precision > 30 {
        return Err(refuse());
    }
    let whole = || int(value, 10).ok_or_else(refuse);
    let said = match kind {
        'f' => format!("{:.precision$}", float(value).ok_or_else(refuse)?),
        'd' => whole()?.to_string(),
        'x' => format!("{:x}", whole()?),
        'X' => format!("{:X}", whole()?),
        'b' => format!("{:b}", whole()?),
        _ => return Err(refuse()),
    };
    let pad = if zero { "0" } else { " " }.repeat(width.saturating_sub(said.len()));
    Ok(match said.strip_prefix('-') {
        Some(digits) if zero => format!("-{pad}{digits}"),
        _ => format!("{pad}{said}"),
    })
}
