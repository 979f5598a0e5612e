//! JSON-LD: finding recipes in it, and reading them.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::{Found, Recipe, RecipeError, Step, Yield, duration::milliseconds, html, text::strip};
use crate::{howto, ingredient::parse_all, limits::Limits, table::Table, words::Style};

/// Where recipes lie below other things.
const BELOW: [&str; 6] = ["@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "item", "hasPart"];
/// What is said of a recipe's nutrition, at most.
const NUTRITION: usize = 24;
/// Pictures of a recipe, at most.
const IMAGES: usize = 8;

type Object = Map<String, Value>;

/// Reads recipes and instructions out of JSON-LD (a text that begins with `{` or `[`) or out of a page's script blocks.
///
/// # Errors
/// [`RecipeError`]: limits are checked before anything is parsed. Of a page, a broken block is passed over where another
/// one has a recipe.
pub fn read(text: &str, limits: &Limits, table: &Table) -> Result<Found, RecipeError> {
    if text.len() > limits.bytes {
        return Err(RecipeError::TooLong { limit: limits.bytes, length: text.len() });
    }
    let text = text.trim_start_matches('\u{feff}').trim();
    let is_json = text.starts_with(['{', '[']);
    let blocks = if is_json { vec![text] } else { html::scripts(text, limits.scripts)? };
    let mut reader = Reader { limits, table, nodes: 0, found: Found::default() };
    let mut problem = None;
    for block in blocks {
        if let Err(error) = reader.block(block) {
            problem.get_or_insert(error);
        }
    }
    let Reader { found, .. } = reader;
    match problem {
        Some(error) if is_json || (found.recipes.is_empty() && found.instructions.is_empty()) => Err(error),
        None if found.recipes.is_empty() && found.instructions.is_empty() => Err(RecipeError::Nothing),
        _ => Ok(found),
    }
}

/// Counted on the bytes, before anything recurses.
fn check_depth(text: &str, limit: usize) -> Result<(), RecipeError> {
    if vestibule_model::json_depth(text.as_bytes()) > limit { Err(RecipeError::TooDeep(limit)) } else { Ok(()) }
}

struct Reader<'a> {
    limits: &'a Limits,
    table: &'a Table,
    nodes: usize,
    found: Found,
}

impl Reader<'_> {
    fn block(&mut self, text: &str) -> Result<(), RecipeError> {
        check_depth(text, self.limits.depth)?;
        // Line breaks inside of texts are no JSON, and common on pages; between texts they are spaces.
        let spaced: String = text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).collect();
        let value: Value = serde_json::from_str(&spaced)
            .map_err(|error| RecipeError::Malformed(error.to_string().chars().take(200).collect()))?;
        let named = named(&value);
        self.walk(&value, &named)
    }

    fn walk(&mut self, value: &Value, named: &HashMap<&str, &Object>) -> Result<(), RecipeError> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(RecipeError::TooMany { what: "objects", limit: self.limits.nodes });
        }
        match value {
            Value::Array(values) => values.iter().try_for_each(|value| self.walk(value, named)),
            Value::Object(object) if is_a(object, "Recipe") => {
                let recipe = self.recipe(object, named)?;
                self.found.recipes.push(recipe);
                self.count(self.found.recipes.len())
            }
            Value::Object(object) if is_a(object, "HowTo") => {
                let instructions = howto::read(object, self.limits)?;
                self.found.instructions.push(instructions);
                self.count(self.found.instructions.len())
            }
            Value::Object(object) => {
                BELOW.iter().filter_map(|key| object.get(*key)).try_for_each(|value| self.walk(value, named))
            }
            _ => Ok(()),
        }
    }

    const fn count(&self, count: usize) -> Result<(), RecipeError> {
        let limit = self.limits.recipes;
        if count > limit { Err(RecipeError::TooMany { what: "recipes", limit }) } else { Ok(()) }
    }

    fn recipe(&self, object: &Object, named: &HashMap<&str, &Object>) -> Result<Recipe, RecipeError> {
        let limits = self.limits;
        let name = line(object.get("name").or_else(|| object.get("headline")), limits.line)?;
        if name.is_empty() {
            return Err(RecipeError::Without("a name"));
        }
        let lines = object.get("recipeIngredient").or_else(|| object.get("ingredients"));
        let lines = lines.map_or_else(|| Ok(Vec::new()), |lines| list(lines, limits))?;
        if lines.is_empty() {
            return Err(RecipeError::Without("a list of ingredients"));
        }
        let steps = steps(object.get("recipeInstructions"), limits)?;
        let said = object.get("inLanguage").and_then(language).and_then(Style::of_tag);
        let style = said.unwrap_or_else(|| guess(&lines, &steps));
        let ingredients: Vec<_> = lines.iter().flat_map(|line| parse_all(line, style, self.table)).collect();
        let time = |key: &str| object.get(key).and_then(Value::as_str).and_then(milliseconds);
        let (prepare_ms, cook_ms) = (time("prepTime"), time("cookTime"));
        let both = prepare_ms.zip(cook_ms).map(|(one, other)| one.saturating_add(other));
        Ok(Recipe {
            name,
            description: short(object.get("description"), limits.line),
            images: images(object.get("image"), named, limits.line),
            url: address(object.get("url").or_else(|| object.get("@id")), limits.line),
            serves: serves(object.get("recipeYield").or_else(|| object.get("yield")), limits.line),
            ingredients,
            steps,
            prepare_ms,
            cook_ms,
            total_ms: time("totalTime").or(both),
            nutrition: nutrition(object.get("nutrition"), limits.line),
            style,
        })
    }
}

/// Whether `@type` says so: a text or a list, short or with its vocabulary before it.
pub fn is_a(object: &Object, kind: &str) -> bool {
    let fits = |value: &Value| value.as_str().is_some_and(|text| text.rsplit(['/', ':', '#']).next() == Some(kind));
    match object.get("@type") {
        Some(Value::Array(kinds)) => kinds.iter().any(fits),
        Some(kind) => fits(kind),
        None => false,
    }
}

/// Objects of the first levels by their `@id`: a graph's pictures are referred to by it.
fn named(value: &Value) -> HashMap<&str, &Object> {
    let graph = match value {
        Value::Object(object) => object.get("@graph").unwrap_or(value),
        other => other,
    };
    let objects: &[Value] = match graph {
        Value::Array(values) => values,
        other => std::slice::from_ref(other),
    };
    let named = objects.iter().filter_map(Value::as_object);
    named.filter_map(|object| Some((object.get("@id")?.as_str()?, object))).collect()
}

/// A plain text of one line: text, a number, `@value`, or the first of a list.
///
/// # Errors
/// [`RecipeError::TooLong`].
pub fn line(value: Option<&Value>, limit: usize) -> Result<String, RecipeError> {
    let text = match value {
        Some(Value::String(text)) => text.as_str(),
        Some(Value::Number(number)) => return Ok(number.to_string()),
        Some(Value::Array(values)) => match values.first() {
            Some(Value::String(text)) => text.as_str(),
            Some(Value::Number(number)) => return Ok(number.to_string()),
            _ => "",
        },
        Some(Value::Object(object)) => {
            let keys = ["@value", "name", "text"];
            keys.iter().find_map(|key| object.get(*key)).and_then(Value::as_str).unwrap_or_default()
        }
        _ => "",
    };
    if text.len() > limit {
        return Err(RecipeError::TooLong { limit, length: text.len() });
    }
    // What was escaped twice is markup only now.
    Ok(strip(&strip(text)))
}

/// The same of what nobody needs whole: cut instead of refused.
pub fn short(value: Option<&Value>, limit: usize) -> String {
    match value {
        Some(Value::String(text)) => {
            let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            strip(&strip(text.get(..end).unwrap_or_default()))
        }
        other => line(other, limit).unwrap_or_default(),
    }
}

/// Lines of a list, or of one text with line breaks.
fn list(value: &Value, limits: &Limits) -> Result<Vec<String>, RecipeError> {
    let limit = limits.ingredients;
    let values: &[Value] = match value {
        Value::Array(values) => values,
        other => std::slice::from_ref(other),
    };
    if values.len() > limit {
        return Err(RecipeError::TooMany { what: "ingredients", limit });
    }
    let mut lines = Vec::with_capacity(values.len());
    for value in values {
        let text = line(Some(value), limits.line)?;
        if !text.is_empty() {
            lines.push(text);
        }
    }
    Ok(lines)
}

fn language(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(values) => values.first()?.as_str(),
        Value::Object(object) => object.get("alternateName").or_else(|| object.get("name"))?.as_str(),
        _ => None,
    }
}

fn guess(lines: &[String], steps: &[Step]) -> Style {
    let mut text = lines.join("\n");
    for step in steps.iter().take(8) {
        text.push('\n');
        text.push_str(&step.text);
    }
    Style::guess(&text)
}

/// Steps: a text, a list of texts, `HowToStep`s, `HowToSection`s with theirs, an `ItemList` of them.
///
/// # Errors
/// [`RecipeError`] where there are too many or one is too long.
pub fn steps(value: Option<&Value>, limits: &Limits) -> Result<Vec<Step>, RecipeError> {
    let mut steps = Vec::new();
    if let Some(value) = value {
        gather(value, None, limits, &mut steps)?;
    }
    Ok(steps)
}

fn gather(value: &Value, section: Option<&str>, limits: &Limits, steps: &mut Vec<Step>) -> Result<(), RecipeError> {
    match value {
        Value::Array(values) => values.iter().try_for_each(|value| gather(value, section, limits, steps)),
        Value::String(text) => {
            // One text with all steps: its paragraphs. Breaks became spaces before, markup still says where they were.
            let parts = text.split("</p>").flat_map(|part| part.split("</li>")).flat_map(|part| part.split("<br"));
            let lines = if text.len() > limits.line { parts.collect::<Vec<_>>() } else { vec![text.as_str()] };
            lines.into_iter().try_for_each(|text| add(steps, section, &Value::String(text.to_owned()), None, limits))
        }
        Value::Object(object) => {
            let inner = object.get("itemListElement").or_else(|| object.get("steps")).or_else(|| object.get("step"));
            if let Some(inner) = inner {
                let name = line(object.get("name"), limits.line)?;
                let section = if name.is_empty() { section } else { Some(name.as_str()) };
                // A step in parts has its own text too: the parts say it all.
                let section = section.filter(|_| !is_a(object, "HowToStep"));
                return gather(inner, section, limits, steps);
            }
            let text = object.get("text").or_else(|| object.get("name")).or_else(|| object.get("description"));
            text.map_or(Ok(()), |text| add(steps, section, text, object.get("image"), limits))
        }
        _ => Ok(()),
    }
}

fn add(
    steps: &mut Vec<Step>,
    section: Option<&str>,
    text: &Value,
    image: Option<&Value>,
    limits: &Limits,
) -> Result<(), RecipeError> {
    let text = line(Some(text), limits.line)?;
    if text.is_empty() {
        return Ok(());
    }
    if steps.len() >= limits.steps {
        return Err(RecipeError::TooMany { what: "steps", limit: limits.steps });
    }
    let image = images(image, &HashMap::new(), limits.line).into_iter().next();
    steps.push(Step { section: section.map(str::to_owned), text, image });
    Ok(())
}

/// Addresses of pictures: https and http only, since who shows them must not be led to a file.
pub fn images(value: Option<&Value>, named: &HashMap<&str, &Object>, limit: usize) -> Vec<String> {
    let values: &[Value] = match value {
        Some(Value::Array(values)) => values,
        Some(other) => std::slice::from_ref(other),
        None => &[],
    };
    let of_object = |object: &Object| {
        let id = object.get("@id").and_then(Value::as_str);
        let object = id.and_then(|id| named.get(id).copied()).unwrap_or(object);
        address(object.get("url").or_else(|| object.get("contentUrl")), limit)
    };
    let found = values.iter().filter_map(|value| match value {
        Value::Object(object) => of_object(object),
        other => address(Some(other), limit),
    });
    found.take(IMAGES).collect()
}

fn address(value: Option<&Value>, limit: usize) -> Option<String> {
    let text = value?.as_str()?.trim();
    let fits = text.len() <= limit && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    (fits && (text.starts_with("https://") || text.starts_with("http://"))).then(|| text.to_owned())
}

/// `4`, `"4 servings"`, `["4", "4 servings"]`, `"Serves 4-6"` (the fewer: what is served must be enough for all).
fn serves(value: Option<&Value>, limit: usize) -> Yield {
    let values: &[Value] = match value {
        Some(Value::Array(values)) => values,
        Some(other) => std::slice::from_ref(other),
        None => &[],
    };
    // 1e300 is a number that nobody serves.
    let whole = |value: &&Value| !value.is_f64() || value.as_f64().is_some_and(|number| (1.0..1e4).contains(&number));
    let texts: Vec<String> = values.iter().filter(whole).take(8).map(|value| short(Some(value), limit)).collect();
    let number = |text: &String| {
        let digits = text.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty())?;
        digits.parse::<u32>().ok().filter(|number| (1..=10_000).contains(number))
    };
    let quantity = values.first().and_then(|value| value.as_object()?.get("value")).and_then(Value::as_u64);
    let servings =
        quantity.and_then(|number| u32::try_from(number).ok()).filter(|number| (1..=10_000).contains(number));
    let text = texts.iter().max_by_key(|text| text.len()).cloned().unwrap_or_default();
    Yield { servings: servings.or_else(|| texts.iter().find_map(number)), text }
}

fn nutrition(value: Option<&Value>, limit: usize) -> BTreeMap<String, String> {
    let Some(Value::Object(object)) = value else { return BTreeMap::new() };
    let said = object.iter().filter(|(key, _)| !key.starts_with('@') && key.len() <= 64);
    said.take(NUTRITION)
        .map(|(key, value)| (key.clone(), short(Some(value), limit)))
        .filter(|(_, text)| !text.is_empty())
        .collect()
}
