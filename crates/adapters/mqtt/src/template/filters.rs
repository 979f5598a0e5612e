//! The filters, tests and functions that Home Assistant adds to Jinja, and Jinja's own where they need bounds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Kwargs, Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State};

use super::python::{bounded, float, int, refused, round, text, whole};
use crate::limits::MAX_TEMPLATE_OUTPUT;

/// Every filter that is registered here: the guard asks.
pub(super) const NAMES: &[&str] = &[
    "acos",
    "add",
    "asin",
    "atan",
    "atan2",
    "average",
    "base64_decode",
    "base64_encode",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "bool",
    "contains",
    "cos",
    "float",
    "format",
    "from_json",
    "iif",
    "int",
    "is_defined",
    "is_number",
    "join",
    "log",
    "max",
    "median",
    "min",
    "multiply",
    "ord",
    "regex_findall",
    "regex_findall_index",
    "regex_match",
    "regex_replace",
    "regex_search",
    "replace",
    "round",
    "sin",
    "slugify",
    "split",
    "sqrt",
    "string",
    "tan",
    "to_json",
    "tojson",
    "truncate",
    "urlencode",
];

/// How far `range` counts: a template's loops are over a device's channels.
const MAX_RANGE: i64 = 10_000;
/// Longest regular expression in bytes.
const MAX_REGEX: usize = 1024;
/// Most bytes that a compiled regular expression may take.
const MAX_REGEX_SIZE: usize = 1 << 18;

/// What `is_defined` says of what is not there; no message then, and no problem.
const NOTHING: &str = "(nothing is defined here)";

/// Whether an error is `is_defined` saying that there is nothing.
pub(super) fn is_nothing(error: &Error) -> bool {
    error.kind() == ErrorKind::UndefinedError && error.detail() == Some(NOTHING)
}

pub(super) fn register(env: &mut Environment<'static>) {
    numbers(env);
    texts(env);
    regexes(env);
    env.add_filter("bool", |value: &Value, default: Option<Value>| {
        boolean(value).map(Value::from).or(default).ok_or_else(|| refused(format!("{value} is neither yes nor no")))
    });
    env.add_filter("iif", iif);
    env.add_function("iif", iif);
    env.add_filter("contains", |list: &Value, item: &Value| -> bool {
        list.as_str().zip(item.as_str()).is_some_and(|(list, item)| list.contains(item))
            || list.try_iter().is_ok_and(|mut items| items.any(|i| i == *item))
    });
    env.add_filter("is_defined", |value: &Value| {
        if value.is_undefined() { Err(Error::new(ErrorKind::UndefinedError, NOTHING)) } else { Ok(value.clone()) }
    });
    env.add_filter("is_number", |value: &Value| is_number(value));
    env.add_function("is_number", |value: &Value| is_number(value));
    env.add_test("is_number", |value: &Value| is_number(value));
    env.add_test("list", |value: &Value| value.kind() == ValueKind::Seq);
    env.add_test("contains", |list: &Value, item: &Value| {
        list.try_iter().is_ok_and(|mut items| items.any(|i| i == *item))
    });
}

fn iif(value: &Value, yes: Option<Value>, no: Option<Value>, none: Option<Value>) -> Value {
    if value.is_none() && none.is_some() {
        return none.unwrap_or_default();
    }
    if value.is_true() { yes.unwrap_or_else(|| Value::from(true)) } else { no.unwrap_or_else(|| Value::from(false)) }
}

fn is_number(value: &Value) -> bool {
    float(value).is_some_and(f64::is_finite)
}

/// Yes or no, in Home Assistant's words.
fn boolean(value: &Value) -> Option<bool> {
    let said = text(value).to_lowercase();
    match said.trim() {
        "true" | "yes" | "on" | "enable" | "1" => Some(true),
        "false" | "no" | "off" | "disable" | "0" => Some(false),
        other => other.parse::<f64>().ok().map(|number| number != 0.0),
    }
}

/// The value as a number, or the default.
fn number(value: &Value, default: Option<&Value>) -> Result<f64, Error> {
    float(value).or_else(|| float(default?)).ok_or_else(|| refused(format!("{value:?} is no number")))
}

/// A number as Python would have it: whole ones stay whole.
fn like(values: &[&Value], result: f64) -> Value {
    match whole(result) {
        #[expect(clippy::cast_precision_loss, reason = "compared with what it came from")]
        Some(exact) if values.iter().all(|v| v.is_integer()) && exact as f64 == result => Value::from(exact),
        _ => Value::from(result),
    }
}

fn numbers(env: &mut Environment<'static>) {
    let to_float = |value: &Value, default: Option<Value>| {
        float(value).map(Value::from).or(default).ok_or_else(|| refused(format!("{value:?} is no number")))
    };
    env.add_filter("float", to_float);
    env.add_function("float", to_float);
    let to_int = |value: &Value, default: Option<Value>, base: Option<u32>, named: Kwargs| {
        let default = default.or(named.get("default")?);
        let base = base.or(named.get("base")?).unwrap_or(10);
        if !(2..=36).contains(&base) {
            return Err(refused("a base is 2 to 36"));
        }
        int(value, base).map(Value::from).or(default).ok_or_else(|| refused(format!("{value:?} is no whole number")))
    };
    env.add_filter("int", to_int);
    env.add_function("int", to_int);
    env.add_filter("round", rounded);
    env.add_filter("multiply", |v: &Value, by: &Value, default: Option<Value>| {
        Ok::<_, Error>(like(&[v, by], number(v, default.as_ref())? * number(by, None)?))
    });
    env.add_filter("add", |v: &Value, by: &Value, default: Option<Value>| {
        Ok::<_, Error>(like(&[v, by], number(v, default.as_ref())? + number(by, None)?))
    });
    let log = |v: &Value, base: Option<Value>, default: Option<Value>| {
        let base = base.map_or(Ok(std::f64::consts::E), |base| number(&base, None))?;
        Ok::<_, Error>(number(v, default.as_ref())?.log(base))
    };
    env.add_filter("log", log);
    env.add_function("log", log);
    functions(env);
    bits(env);
    // The guard writes it behind what is multiplied: minijinja would repeat texts and lists without bounds.
    env.add_filter("__factor", |value: &Value| {
        let number = matches!(value.kind(), ValueKind::Number | ValueKind::Bool);
        if number { Ok(value.clone()) } else { Err(refused(format!("`*` wants two numbers, not {}", value.kind()))) }
    });
    env.add_function("range", |from: i64, to: Option<i64>, step: Option<i64>| {
        let (first, last) = to.map_or((0, from), |to| (from, to));
        let step = step.unwrap_or(1);
        let count = last.saturating_sub(first).checked_div(step).ok_or_else(|| refused("a step of 0"))?;
        if count > MAX_RANGE {
            return Err(refused(format!("`range` counts to {MAX_RANGE} at most")));
        }
        let next = move |at: &i64| at.checked_add(step);
        let there = move |at: &i64| if step > 0 { *at < last } else { *at > last };
        Ok(std::iter::successors(Some(first), next).take_while(there).map(Value::from).collect::<Value>())
    });
    env.add_filter("ord", |v: &str| v.chars().next().map(u32::from).ok_or_else(|| refused("`ord` wants a character")));
    env.add_global("pi", std::f64::consts::PI);
    env.add_global("e", std::f64::consts::E);
}

/// Functions of one number or of several, each also as a filter.
fn functions(env: &mut Environment<'static>) {
    for (name, function) in [
        ("sqrt", f64::sqrt as fn(f64) -> f64),
        ("sin", f64::sin),
        ("cos", f64::cos),
        ("tan", f64::tan),
        ("asin", f64::asin),
        ("acos", f64::acos),
        ("atan", f64::atan),
    ] {
        let apply = move |v: &Value| number(v, None).map(function);
        env.add_filter(name, apply);
        env.add_function(name, apply);
    }
    let atan2 = |y: &Value, x: &Value| Ok::<_, Error>(number(y, None)?.atan2(number(x, None)?));
    env.add_filter("atan2", atan2);
    env.add_function("atan2", atan2);
    for (name, middle) in [("average", false), ("median", true)] {
        let pick = move |values: Rest<Value>| typical(&values, middle);
        env.add_filter(name, pick);
        env.add_function(name, pick);
    }
    for (name, least) in [("min", true), ("max", false)] {
        let pick = move |values: Rest<Value>| extreme(&values, least);
        env.add_filter(name, pick);
        env.add_function(name, pick);
    }
}

fn bits(env: &mut Environment<'static>) {
    for (name, op) in [
        ("bitwise_and", (|a, b| a & b) as fn(i64, i64) -> i64),
        ("bitwise_or", |a, b| a | b),
        ("bitwise_xor", |a, b| a ^ b),
    ] {
        let apply = move |a: i64, b: i64| op(a, b);
        env.add_filter(name, apply);
        env.add_function(name, apply);
    }
}

fn rounded(value: &Value, digits: Option<i32>, method: Option<&str>, default: Option<Value>) -> Result<Value, Error> {
    let Some(number) = float(value) else {
        return default.ok_or_else(|| refused(format!("{value:?} is no number")));
    };
    let digits = digits.unwrap_or(0);
    let scale = 10_f64.powi(digits.clamp(-15, 15));
    let result = match method.unwrap_or("common") {
        "ceil" => (number * scale).ceil() / scale,
        "floor" => (number * scale).floor() / scale,
        "half" => (number * 2.0).round_ties_even() / 2.0,
        _ => round(number, digits),
    };
    if digits == 0 {
        Ok(whole(result).map_or_else(|| Value::from(result), Value::from))
    } else {
        Ok(Value::from(result))
    }
}

/// The average or the middle of numbers.
fn typical(values: &[Value], middle: bool) -> Result<f64, Error> {
    let items: Vec<Value> = match values {
        [one] => one.try_iter()?.collect(),
        many => many.to_vec(),
    };
    let mut numbers = items.iter().map(|item| number(item, None)).collect::<Result<Vec<f64>, Error>>()?;
    if numbers.is_empty() {
        return Err(refused("nothing to reckon with"));
    }
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    #[expect(clippy::cast_precision_loss, reason = "a short list")]
    let average = |some: &[f64]| some.iter().sum::<f64>() / some.len() as f64;
    Ok(match (middle, numbers.len() % 2) {
        (false, _) => average(&numbers),
        (true, 0) => average(&numbers[half - 1..=half]),
        (true, _) => numbers[half],
    })
}

fn extreme(values: &[Value], least: bool) -> Result<Value, Error> {
    let items: Vec<Value> = match values {
        [one] => one.try_iter()?.collect(),
        many => many.to_vec(),
    };
    let pick = if least { items.into_iter().min() } else { items.into_iter().max() };
    pick.ok_or_else(|| refused("nothing to choose from"))
}

fn texts(env: &mut Environment<'static>) {
    env.add_filter("string", |value: &Value| text(value));
    env.add_filter("from_json", |value: &str| {
        crate::discovery::json(value.as_bytes())
            .map(|json| Value::from_serialize(&json))
            .ok_or_else(|| refused("`from_json` was given no JSON"))
    });
    for name in ["to_json", "tojson"] {
        env.add_filter(name, |value: &Value, _named: Kwargs| super::python::json(value));
    }
    env.add_filter("replace", |value: &Value, from: &str, to: &Value| replaced(&text(value), from, &text(to)));
    env.add_filter("join", |value: &Value, with: Option<&str>| joined(value, with.unwrap_or_default()));
    env.add_filter("slugify", |value: &Value, with: Option<&str>| slug(&text(value), with.unwrap_or("_")));
    env.add_filter("urlencode", |value: &Value| bounded(encoded(&text(value))));
    env.add_filter("truncate", truncated);
    env.add_filter("split", |value: &str, by: Option<&str>| super::methods::split(value, by));
    env.add_filter("format", |state: &State, pattern: &str, values: Rest<Value>| {
        let width = pattern.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
        if width.is_some_and(|digits| digits > 2) {
            return Err(refused("`format` pads to 99 characters at most"));
        }
        minijinja::filters::format(state, &Value::from(pattern), values)
    });
    env.add_filter("base64_encode", |value: &str| bounded(STANDARD.encode(value)));
    env.add_filter("base64_decode", |value: &str| {
        let bytes = STANDARD.decode(value.trim()).map_err(|_| refused("`base64_decode` was given no base64"))?;
        String::from_utf8(bytes).map_err(|_| refused("what `base64_decode` found is no text"))
    });
}

/// `with.join(list)`, never longer than a template may make.
pub(super) fn joined(list: &Value, with: &str) -> Result<Value, Error> {
    let mut out = String::new();
    for (at, item) in list.try_iter()?.enumerate() {
        if at > 0 {
            out.push_str(with);
        }
        out.push_str(&text(&item));
        if out.len() > MAX_TEMPLATE_OUTPUT {
            return Err(refused("the text becomes too long"));
        }
    }
    Ok(Value::from(out))
}

/// Small letters, digits, and `with` between words.
fn slug(said: &str, with: &str) -> String {
    let mut out = String::new();
    for word in said.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push_str(with);
        }
        out.push_str(word);
    }
    out
}

/// A text as it may stand in an address.
fn encoded(said: &str) -> String {
    let mut out = String::new();
    for byte in said.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Jinja's `truncate(length, killwords, end, leeway)`.
fn truncated(
    said: &str,
    length: Option<usize>,
    kill: Option<bool>,
    end: Option<&str>,
    leeway: Option<usize>,
) -> Result<Value, Error> {
    let (length, end) = (length.unwrap_or(255), end.unwrap_or("..."));
    let count = said.chars().count();
    if count <= length.saturating_add(leeway.unwrap_or(5)) {
        return Ok(Value::from(said));
    }
    let keep =
        length.checked_sub(end.chars().count()).ok_or_else(|| refused("`truncate` leaves no room for its end"))?;
    let cut: String = said.chars().take(keep).collect();
    let cut = if kill.unwrap_or(false) { cut.as_str() } else { cut.rsplit_once(' ').map_or(cut.as_str(), |(a, _)| a) };
    bounded(format!("{cut}{end}"))
}

/// `text.replace(from, to)`, never longer than a template may make.
pub(super) fn replaced(value: &str, from: &str, to: &str) -> Result<Value, Error> {
    let times = if from.is_empty() { value.len() + 1 } else { value.matches(from).count() };
    if value.len().saturating_add(times.saturating_mul(to.len())) > MAX_TEMPLATE_OUTPUT {
        return Err(refused("the text becomes too long"));
    }
    Ok(Value::from(value.replace(from, to)))
}

fn regex(pattern: &str, ignore_case: Option<bool>) -> Result<regex::Regex, Error> {
    if pattern.len() > MAX_REGEX {
        return Err(refused(format!("a regular expression has at most {MAX_REGEX} bytes")));
    }
    regex::RegexBuilder::new(pattern)
        .case_insensitive(ignore_case.unwrap_or(false))
        .size_limit(MAX_REGEX_SIZE)
        .build()
        .map_err(|error| refused(format!("the regular expression {pattern:?} is not supported: {error}")))
}

fn regexes(env: &mut Environment<'static>) {
    let matches = |value: &str, pattern: Option<&str>, ignore_case: Option<bool>| {
        let found = regex(pattern.unwrap_or_default(), ignore_case)?;
        Ok::<_, Error>(found.find(value).is_some_and(|found| found.start() == 0))
    };
    let search = |value: &str, pattern: Option<&str>, ignore_case: Option<bool>| {
        Ok::<_, Error>(regex(pattern.unwrap_or_default(), ignore_case)?.is_match(value))
    };
    env.add_filter("regex_match", matches);
    env.add_test("match", matches);
    env.add_filter("regex_search", search);
    env.add_test("search", search);
    env.add_filter("regex_replace", |value: &str, find: &str, with: Option<&str>, ignore_case: Option<bool>| {
        let with = with.unwrap_or_default();
        let found = regex(find, ignore_case)?;
        let times = found.find_iter(value).count();
        let least = value.len().saturating_add(times.saturating_mul(with.len().saturating_add(value.len())));
        if times > 0 && with.contains('\\') && least > MAX_TEMPLATE_OUTPUT {
            return Err(refused("the text becomes too long"));
        }
        if value.len().saturating_add(times.saturating_mul(with.len())) > MAX_TEMPLATE_OUTPUT {
            return Err(refused("the text becomes too long"));
        }
        // Python's `\1` is this crate's `${1}`; its own `$` means nothing in Python.
        let with = with.replace('$', "$$");
        let groups = regex(r"\\([0-9])", None)?;
        let with = groups.replace_all(&with, "$${$1}");
        Ok(found.replace_all(value, with.as_ref()).into_owned())
    });
    let find_all = |value: &str, pattern: &str, ignore_case: Option<bool>| -> Result<Vec<String>, Error> {
        let found = regex(pattern, ignore_case)?;
        let group = usize::from(found.captures_len() > 1);
        let texts = found.captures_iter(value).take(1000).filter_map(|c| Some(c.get(group)?.as_str().to_owned()));
        Ok(texts.collect())
    };
    env.add_filter("regex_findall", find_all);
    env.add_filter(
        "regex_findall_index",
        move |value: &str, pattern: &str, index: Option<usize>, ignore_case: Option<bool>| {
            let mut all = find_all(value, pattern, ignore_case)?;
            let index = index.unwrap_or(0);
            if index < all.len() {
                Ok(all.swap_remove(index))
            } else {
                Err(refused("`regex_findall_index` found nothing"))
            }
        },
    );
}
