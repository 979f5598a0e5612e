//! Places in JSON documents (RFC 6901), with `*` for every element of an array.

use serde_json::Value;

use super::TransformError;

/// Bytes of a pointer.
const LONGEST: usize = 512;
/// Parts of a pointer: no document is deeper.
const MOST_PARTS: usize = 32;

/// A part of a pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A field's name or an element's number.
    Name(String),
    /// Every element of an array.
    Every,
}

/// A place, or with `*` several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer(Vec<Part>);

impl Pointer {
    /// A pointer to places in what is being made.
    pub(super) fn many(text: &str) -> Result<Self, TransformError> {
        Self::parse(text, true)
    }

    /// A plain pointer of RFC 6901: to one place.
    pub(super) fn one(text: &str) -> Result<Self, TransformError> {
        Self::parse(text, false)
    }

    fn parse(text: &str, stars: bool) -> Result<Self, TransformError> {
        let bad = || TransformError::Pointer(text.chars().take(64).collect());
        if text.len() > LONGEST || !(text.is_empty() || text.starts_with('/')) {
            return Err(bad());
        }
        let parts = text
            .split('/')
            .skip(1)
            .map(|part| if stars && part == "*" { Some(Part::Every) } else { unescape(part, stars).map(Part::Name) });
        let parts: Vec<Part> = parts.collect::<Option<_>>().ok_or_else(bad)?;
        if parts.len() > MOST_PARTS { Err(bad()) } else { Ok(Self(parts)) }
    }

    /// What is there; `None`: nothing.
    pub(super) fn get<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(document, |value, part| match (part, value) {
            (Part::Name(name), Value::Object(fields)) => fields.get(name),
            (Part::Name(name), Value::Array(elements)) => elements.get(number(name)?),
            _ => None,
        })
    }

    /// In how many places something would be put.
    pub(super) fn places(&self, document: &Value) -> usize {
        count(&self.0, document)
    }

    /// Does something at every place that is there.
    pub(super) fn change(
        &self,
        document: &mut Value,
        change: &mut dyn FnMut(&mut Value) -> Result<(), TransformError>,
    ) -> Result<(), TransformError> {
        walk(&self.0, document, change)
    }

    /// Puts `value` there, making objects on the way. Past the end of an array there is no place but right behind it.
    pub(super) fn put(&self, document: &mut Value, value: &Value, instead: bool) -> Result<(), TransformError> {
        place(&self.0, document, value, instead)
    }

    /// Takes away what is there.
    pub(super) fn remove(&self, document: &mut Value) {
        let Some((last, way)) = self.0.split_last() else {
            *document = Value::Null;
            return;
        };
        let take = &mut |holder: &mut Value| {
            match (last, holder) {
                (Part::Name(name), Value::Object(fields)) => drop(fields.remove(name)),
                (Part::Name(name), Value::Array(elements)) => {
                    if let Some(place) = number(name).filter(|place| *place < elements.len()) {
                        elements.remove(place);
                    }
                }
                (Part::Every, Value::Array(elements)) => elements.clear(),
                _ => {}
            }
            Ok(())
        };
        // Taking away refuses nothing.
        let _ = walk(way, document, take);
    }
}

fn unescape(part: &str, stars: bool) -> Option<String> {
    let mut text = String::with_capacity(part.len());
    let mut letters = part.chars();
    while let Some(letter) = letters.next() {
        text.push(match letter {
            '~' => match letters.next()? {
                '0' => '~',
                '1' => '/',
                '2' if stars => '*',
                _ => return None,
            },
            other => other,
        });
    }
    Some(text)
}

/// An element's number: digits without a leading zero.
fn number(name: &str) -> Option<usize> {
    let digits = name.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || name.len() > 1 && name.starts_with('0') { None } else { name.parse().ok() }
}

fn count(parts: &[Part], value: &Value) -> usize {
    let Some((first, rest)) = parts.split_first() else { return 1 };
    match (first, value) {
        (Part::Every, Value::Array(elements)) => elements.iter().map(|element| count(rest, element)).sum(),
        (Part::Name(name), Value::Object(fields)) => fields.get(name).map_or(1, |field| count(rest, field)),
        (Part::Name(name), Value::Array(elements)) => {
            number(name).and_then(|at| elements.get(at)).map_or(1, |element| count(rest, element))
        }
        _ => 1,
    }
}

fn walk(
    parts: &[Part],
    value: &mut Value,
    change: &mut dyn FnMut(&mut Value) -> Result<(), TransformError>,
) -> Result<(), TransformError> {
    let Some((first, rest)) = parts.split_first() else { return change(value) };
    match (first, value) {
        (Part::Every, Value::Array(elements)) => {
            elements.iter_mut().try_for_each(|element| walk(rest, element, change))
        }
        (Part::Name(name), Value::Object(fields)) => {
            fields.get_mut(name).map_or(Ok(()), |field| walk(rest, field, change))
        }
        (Part::Name(name), Value::Array(elements)) => {
            let element = number(name).and_then(|place| elements.get_mut(place));
            element.map_or(Ok(()), |element| walk(rest, element, change))
        }
        // What is not there is not changed.
        _ => Ok(()),
    }
}

fn place(parts: &[Part], holder: &mut Value, value: &Value, instead: bool) -> Result<(), TransformError> {
    let Some((first, rest)) = parts.split_first() else {
        if instead || holder.is_null() {
            *holder = value.clone();
        }
        return Ok(());
    };
    if holder.is_null() {
        *holder = Value::Object(serde_json::Map::new());
    }
    match (first, holder) {
        (Part::Every, Value::Array(elements)) => {
            elements.iter_mut().try_for_each(|element| place(rest, element, value, instead))
        }
        (Part::Name(name), Value::Object(fields)) => {
            place(rest, fields.entry(name.clone()).or_insert(Value::Null), value, instead)
        }
        (Part::Name(name), Value::Array(elements)) => {
            let place_of = if name == "-" { Some(elements.len()) } else { number(name) };
            match place_of {
                Some(at) if at == elements.len() => elements.push(Value::Null),
                Some(at) if at < elements.len() => {}
                _ => return Err(TransformError::NoPlace(name.chars().take(64).collect())),
            }
            let element = place_of.and_then(|at| elements.get_mut(at));
            element.map_or(Ok(()), |element| place(rest, element, value, instead))
        }
        (Part::Name(name), _) => Err(TransformError::NoPlace(name.chars().take(64).collect())),
        (Part::Every, _) => Err(TransformError::NoPlace("*".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_found_and_made() {
        let mut document = json!({"a": {"b/c": [1, {"d": 2}]}, "*": 3});
        assert_eq!(Pointer::one("/a/b~1c/1/d").unwrap().get(&document), Some(&json!(2)));
        assert_eq!(Pointer::one("/*").unwrap().get(&document), Some(&json!(3)), "a plain pointer knows no star");
        assert_eq!(Pointer::many("/~2").unwrap().get(&document), Some(&json!(3)));
        assert_eq!(Pointer::one("").unwrap().get(&document), Some(&document));
        assert_eq!(Pointer::one("/a/b~1c/01").unwrap().get(&document), None, "no number begins with zero");
        Pointer::many("/x/y").unwrap().put(&mut document, &json!(true), true).unwrap();
        Pointer::many("/a/b~1c/-").unwrap().put(&mut document, &json!(9), true).unwrap();
        assert_eq!(document, json!({"a": {"b/c": [1, {"d": 2}, 9]}, "*": 3, "x": {"y": true}}));
        assert!(Pointer::many("/a/b~1c/7").unwrap().put(&mut document, &json!(9), true).is_err());
        assert!(
            Pointer::many("/*/y").unwrap().put(&mut document, &json!(9), true).is_err(),
            "an object has no elements"
        );
        Pointer::many("/a/b~1c/0").unwrap().remove(&mut document);
        Pointer::many("/x/none/y").unwrap().remove(&mut document);
        assert_eq!(document["a"]["b/c"], json!([{"d": 2}, 9]));
    }

    #[test]
    fn a_star_is_every_element() {
        let mut document = json!({"items": [{"n": 1}, {"n": 2}, {}]});
        Pointer::many("/items/*/n")
            .unwrap()
            .change(&mut document, &mut |value| {
                *value = json!(value.as_i64().unwrap_or_default() * 10);
                Ok(())
            })
            .unwrap();
        Pointer::many("/items/*/n").unwrap().put(&mut document, &json!(0), false).unwrap();
        assert_eq!(document, json!({"items": [{"n": 10}, {"n": 20}, {"n": 0}]}));
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[/~*a0-9-]{0,80}") {
            let mut document = json!({"a": [1, [2], {"a": 0}], "0": {"*": []}});
            for pointer in [Pointer::many(&text), Pointer::one(&text)].into_iter().flatten() {
                let _ = pointer.get(&document);
                let _ = pointer.put(&mut document, &json!("x"), true);
                pointer.remove(&mut document);
            }
        }
    }
}
