//! What strangers write, as people read it.

use serde_json::Value;
use vestibule_twin::model::Json;

use super::form::{NAME_LETTERS, WORDS_LETTERS, is_plain};
use crate::format;

/// The beginning of a text.
pub(in crate::window) fn cut(text: &str, most: usize) -> String {
    let mut letters = text.chars();
    let start: String =
        letters.by_ref().take(most).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if letters.next().is_some() { format!("{start} ...") } else { start }
}

/// A value as people read it.
pub(super) fn words(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text, WORDS_LETTERS),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Null => "nothing".to_owned(),
        other => cut(&other.to_string(), WORDS_LETTERS),
    }
}

/// Lines of an answer.
pub(super) const MOST_LINES: usize = 10;

/// An answer as lines that people read.
pub(super) fn lines(answer: &Json) -> Vec<String> {
    let mut lines = Vec::new();
    tell(&answer.value(), String::new(), &mut lines);
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("and {more} more"));
    }
    lines
}

fn tell(value: &Value, name: String, lines: &mut Vec<String>) {
    let below = |key: &str| {
        let key = cut(key, NAME_LETTERS);
        if name.is_empty() { format::plain(&key) } else { format!("{name}, {key}") }
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| tell(value, below(key), lines)),
        Value::Array(several) if several.iter().all(is_plain) && !several.is_empty() => {
            let all: Vec<_> = several.iter().map(words).collect();
            lines.push(labelled(&name, &cut(&all.join(", "), WORDS_LETTERS)));
        }
        Value::Array(several) => {
            for (place, value) in several.iter().enumerate() {
                tell(value, below(&(place + 1).to_string()), lines);
            }
        }
        Value::Null if name.is_empty() => {}
        plain => lines.push(labelled(&name, &words(plain))),
    }
}

fn labelled(name: &str, text: &str) -> String {
    if name.is_empty() { text.to_owned() } else { format!("{name}: {text}") }
}
