//! Names of fields as different systems write them: `postalCode`, `postal_code`, `postal-code`.

use serde_json::{Map, Value};
use vestibule_model::Naming;

use super::TransformError;

/// `name` as `naming` writes it. Letters and digits are kept, what divides words is not.
pub(super) fn rename(name: &str, naming: Naming) -> String {
    let words = words(name);
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    match naming {
        Naming::Snake => words.join("_"),
        Naming::Kebab => words.join("-"),
        Naming::Pascal => words.iter().map(|word| capital(word)).collect(),
        Naming::Camel => {
            let later = words.iter().skip(1).map(|word| capital(word));
            words.first().cloned().into_iter().chain(later).collect()
        }
    }
}

/// The words of a name in small letters. `HTTPServer2` is `http` and `server2`.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (place, letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            words.push(String::new());
            continue;
        }
        let before = place.checked_sub(1).and_then(|before| letters.get(before));
        let follows = |which: fn(&char) -> bool| letters.get(place + 1).is_some_and(which);
        let starts = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || before.is_numeric() || before.is_uppercase() && follows(|c| c.is_lowercase())
            });
        if starts {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Renames the fields of all objects in `value`. A name without a letter or digit stays as it is.
pub(super) fn rename_all(value: &mut Value, naming: Naming) -> Result<(), TransformError> {
    match value {
        Value::Array(elements) => elements.iter_mut().try_for_each(|element| rename_all(element, naming)),
        Value::Object(fields) => {
            let mut renamed = Map::new();
            for (name, mut field) in std::mem::take(fields) {
                rename_all(&mut field, naming)?;
                let new = rename(&name, naming);
                let new = if new.is_empty() { name } else { new };
                // Two fields in one would lose one of them in silence.
                if renamed.contains_key(&new) {
                    return Err(TransformError::SameName(new.chars().take(64).collect()));
                }
                renamed.insert(new, field);
            }
            *fields = renamed;
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const ALL: [Naming; 4] = [Naming::Camel, Naming::Pascal, Naming::Snake, Naming::Kebab];

    #[test]
    fn the_conventions() {
        let written = ["postalCode", "PostalCode", "postal_code", "postal-code"];
        for name in written {
            assert_eq!(ALL.map(|naming| rename(name, naming)), written, "{name}");
        }
        assert_eq!(rename("HTTPServer2Port", Naming::Snake), "http_server2_port");
        assert_eq!(rename("__a..b c", Naming::Camel), "aBC");
    }

    #[test]
    fn however_deep_and_never_two_in_one() {
        let mut value = json!([{"firstName": {"innerMost": 1}, "--": 2}]);
        rename_all(&mut value, Naming::Snake).unwrap();
        assert_eq!(value, json!([{"first_name": {"inner_most": 1}, "--": 2}]));
        let mut both = json!({"firstName": 1, "first_name": 2});
        assert_eq!(rename_all(&mut both, Naming::Kebab), Err(TransformError::SameName("first-name".to_owned())));
    }

    proptest! {
        #[test]
        fn renaming_twice_is_renaming_once(words in proptest::collection::vec("[a-z]{2,6}[0-9]{0,2}", 1..5)) {
            let snake = words.join("_");
            for naming in ALL {
                let once = rename(&snake, naming);
                prop_assert_eq!(rename(&once, naming), once.clone());
                prop_assert_eq!(rename(&once, Naming::Snake), snake.clone(), "{}", once);
            }
        }

        #[test]
        fn any_name_can_be_renamed(name in ".{0,40}") {
            ALL.iter().for_each(|naming| drop(rename(&name, *naming)));
        }
    }
}
