//! Instructions for other things than dishes: what is needed to build a shelf, and whether it is there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    limits::Limits,
    name,
    recipe::{RecipeError, Step, images, line, milliseconds, short, steps_of},
};

/// The most of one part: nobody counts more screws.
const MOST: u32 = 1_000_000;

/// Units in which things are large, long or heavy.
const SIZES: [&str; 14] = ["mm", "cm", "m", "in", "inch", "ft", "mg", "g", "kg", "ml", "cl", "l", "oz", "lb"];

/// A tool or a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it is called.
    pub name: String,
    /// How many; one where nothing is said.
    pub count: u32,
    /// In what they are counted, where it is said: `m`, `pack`.
    pub unit: Option<String>,
}

/// How something is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instructions {
    /// What it is called.
    pub name: String,
    /// What is said of it.
    pub description: String,
    /// Addresses of pictures. Nobody here fetches them.
    pub images: Vec<String>,
    /// What is used, and there afterwards.
    pub tools: Vec<Part>,
    /// What goes into it.
    pub supplies: Vec<Part>,
    /// What is done.
    pub steps: Vec<Step>,
    /// Milliseconds in all.
    pub total_ms: Option<u64>,
}

/// A part that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingPart {
    /// Which.
    pub part: Part,
    /// How many there are.
    pub have: u32,
    /// How many more are needed.
    pub missing: u32,
    /// Whether it is a tool: one is enough for everything that is made after another.
    pub tool: bool,
}

impl Instructions {
    /// What is missing to make it `times` times, given what the home has by name. Supplies are used up, each part by one
    /// line after the other; tools stay.
    #[must_use]
    pub fn missing(&self, times: u32, home: &BTreeMap<String, u32>) -> Vec<MissingPart> {
        let mut left: BTreeMap<String, u32> = BTreeMap::new();
        for (name, count) in home {
            let sum = left.entry(name::plain(name)).or_default();
            *sum = sum.saturating_add(*count);
        }
        let mut missing = Vec::new();
        for part in &self.tools {
            let have = left.get(&name::plain(&part.name)).copied().unwrap_or(0);
            let lacks = part.count.saturating_sub(have);
            if lacks > 0 && times > 0 {
                missing.push(MissingPart { part: part.clone(), have, missing: lacks, tool: true });
            }
        }
        for part in &self.supplies {
            let have = left.entry(name::plain(&part.name)).or_default();
            let needed = part.count.saturating_mul(times);
            let lacks = needed.saturating_sub(*have);
            if lacks > 0 {
                missing.push(MissingPart { part: part.clone(), have: *have, missing: lacks, tool: false });
            }
            *have = have.saturating_sub(needed);
        }
        missing
    }
}

/// Reads a `HowTo`.
pub fn read(object: &Map<String, Value>, limits: &Limits) -> Result<Instructions, RecipeError> {
    let name = line(object.get("name"), limits.line)?;
    if name.is_empty() {
        return Err(RecipeError::Without("a name"));
    }
    Ok(Instructions {
        name,
        description: short(object.get("description"), limits.line),
        images: images(object.get("image"), &std::collections::HashMap::new(), limits.line),
        tools: parts(object.get("tool"), limits)?,
        supplies: parts(object.get("supply"), limits)?,
        steps: steps_of(object.get("step").or_else(|| object.get("steps")), limits)?,
        total_ms: object.get("totalTime").and_then(Value::as_str).and_then(milliseconds),
    })
}

fn parts(value: Option<&Value>, limits: &Limits) -> Result<Vec<Part>, RecipeError> {
    let values: &[Value] = match value {
        Some(Value::Array(values)) => values,
        Some(other) => std::slice::from_ref(other),
        None => &[],
    };
    if values.len() > limits.ingredients {
        return Err(RecipeError::TooMany { what: "parts", limit: limits.ingredients });
    }
    let mut parts = Vec::with_capacity(values.len());
    for value in values {
        let name = line(Some(value), limits.line)?;
        let quantity = value.as_object().and_then(|object| object.get("requiredQuantity"));
        let (count, unit) = quantity.map_or((None, None), |quantity| how_many(quantity, limits));
        // "8 screws" says it in its name.
        let (said, rest) = leading_count(&name);
        let (count, name) = if count.is_some() { (count, name.as_str()) } else { (said, rest) };
        if !name.is_empty() {
            parts.push(Part { name: name.to_owned(), count: count.unwrap_or(1), unit });
        }
    }
    Ok(parts)
}

fn leading_count(name: &str) -> (Option<u32>, &str) {
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    let rest = name.get(digits..).unwrap_or_default();
    let count = name.get(..digits).and_then(|digits| digits.parse().ok()).filter(|count| (1..=MOST).contains(count));
    // "8 screws", "8 x screws", "8x screws"; but "4mm drill" is one drill, and "10 mm wrench" one wrench.
    let times = rest.trim_start().strip_prefix(['x', '×']).filter(|rest| rest.starts_with(' '));
    match (count, times) {
        (Some(count), Some(rest)) => (Some(count), rest.trim()),
        (Some(count), None) if rest.starts_with(' ') && !is_size(rest) => (Some(count), rest.trim()),
        _ => (None, name),
    }
}

/// Whether a text begins with a unit that says how large a thing is.
fn is_size(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default().trim_end_matches(['.', ',']);
    SIZES.contains(&word)
}

fn how_many(value: &Value, limits: &Limits) -> (Option<u32>, Option<String>) {
    let number = |value: &Value| {
        let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
        // Half a pack is a pack.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the bounds")]
        (number.is_finite() && number > 0.0 && number <= f64::from(MOST)).then_some(number.ceil() as u32)
    };
    match value {
        Value::Object(object) => {
            let count = object.get("value").or_else(|| object.get("maxValue")).and_then(number);
            let unit = object.get("unitText").or_else(|| object.get("unitCode"));
            (count, unit.map(|unit| short(Some(unit), limits.line)).filter(|unit| !unit.is_empty()))
        }
        other => (number(other), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{recipe, table::Table};

    const SHELF: &str = r#"{"@context": "https://schema.org", "@type": "HowTo", "name": "Shelf for the gap", "totalTime": "PT2H",
        "tool": ["Screwdriver", {"@type": "HowToTool", "name": "4mm drill"}],
        "supply": [{"@type": "HowToSupply", "name": "Board", "requiredQuantity": {"@type": "QuantitativeValue", "value": 3}},
                   "16 screws", {"@type": "HowToSupply", "name": "Varnish", "requiredQuantity": "0.5"}, "Board"],
        "step": [{"@type": "HowToSection", "name": "Sides", "itemListElement": [{"@type": "HowToStep", "text": "Drill."}]},
                 {"@type": "HowToStep", "itemListElement": [{"@type": "HowToDirection", "text": "Screw."}]}]}"#;

    fn shelf() -> Instructions {
        recipe::read(SHELF, &Limits::default(), Table::shipped()).unwrap().instructions.remove(0)
    }

    #[test]
    fn parts_and_tools_are_counted() {
        let shelf = shelf();
        let counts: Vec<(&str, u32)> = shelf.supplies.iter().map(|part| (part.name.as_str(), part.count)).collect();
        assert_eq!(counts, [("Board", 3), ("screws", 16), ("Varnish", 1), ("Board", 1)]);
        assert_eq!(shelf.tools.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["Screwdriver", "4mm drill"]);
        assert_eq!(shelf.steps.len(), 2);
        assert_eq!((shelf.steps[0].section.as_deref(), shelf.total_ms), (Some("Sides"), Some(7_200_000)));
    }

    #[test]
    fn a_size_is_no_count() {
        for (name, count, rest) in [
            ("8 screws", Some(8), "screws"),
            ("8 x screws", Some(8), "screws"),
            ("10 mm wrench", None, "10 mm wrench"),
            ("2 m cable", None, "2 m cable"),
            ("2 x 40 mm screws", Some(2), "40 mm screws"),
            ("3 metal plates", Some(3), "metal plates"),
        ] {
            assert_eq!(leading_count(name), (count, rest), "{name}");
        }
    }

    #[test]
    fn what_is_there_is_used_once() {
        let home = BTreeMap::from([("board".to_owned(), 7), ("Screws".to_owned(), 40), ("screwdriver".to_owned(), 1)]);
        let missing = shelf().missing(2, &home);
        let told: Vec<(&str, u32, u32, bool)> = missing
            .iter()
            .map(|missing| (missing.part.name.as_str(), missing.have, missing.missing, missing.tool))
            .collect();
        assert_eq!(told, [("4mm drill", 0, 1, true), ("Varnish", 0, 2, false), ("Board", 1, 1, false)]);
        assert!(shelf().missing(0, &BTreeMap::new()).is_empty());
    }
}
