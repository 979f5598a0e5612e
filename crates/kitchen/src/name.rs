//! From the words of a recipe to the names of the table.

use crate::words::ADJECTIVES;

/// From here on a name is taken to mean a food without asking.
pub const SURE: u16 = 700;
/// The most words of a name that are looked at: each is tried with each end.
const WORDS: usize = 12;

/// Small letters, single spaces, no hyphens: what names are compared by.
#[must_use]
pub fn plain(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for part in word.split(|c: char| c.is_whitespace() || c == '-' || c == '‑').filter(|part| !part.is_empty()) {
        if !plain.is_empty() {
            plain.push(' ');
        }
        let kept = part.chars().filter(|c| !matches!(c, '’' | '\'' | '.' | '"' | '*' | '®' | '™'));
        plain.extend(kept.flat_map(char::to_lowercase));
    }
    plain
}

/// What one of many may be called; the word itself first.
fn singulars(word: &str) -> Vec<String> {
    let mut forms = vec![word.to_owned()];
    let mut cut = |end: &str, instead: &str| {
        if let Some(stem) = word.strip_suffix(end).filter(|stem| stem.chars().count() >= 2) {
            forms.push(format!("{stem}{instead}"));
        }
    };
    cut("ies", "y");
    cut("ves", "f");
    cut("es", "");
    cut("s", "");
    // German.
    cut("n", "");
    cut("en", "");
    cut("er", "");
    cut("e", "");
    // "loaf" of "loaves" is there; "leaf" and its many are units.
    forms
}

fn is_adjective(word: &str) -> bool {
    // Hyphens are gone by now: "free-range" is two words, each of which may stand in the list with its hyphen.
    ADJECTIVES.contains(&word)
        || ADJECTIVES.iter().any(|entry| entry.split('-').count() > 1 && entry.split('-').any(|part| part == word))
}

/// Looks a name up by `table`: as it is, then without adjectives, then by its end, then by its beginning; each also in
/// the singular. Gives what was found and how sure it is in thousandths.
pub fn find<T>(word: &str, table: impl Fn(&str) -> Option<T>) -> Option<(T, u16)> {
    let plain = plain(word);
    let words: Vec<&str> = plain.split(' ').filter(|word| !word.is_empty()).take(WORDS).collect();
    let look = |words: &[&str]| -> Option<T> {
        let (last, before) = words.split_last()?;
        let start = before.join(" ");
        singulars(last)
            .iter()
            .find_map(|last| if start.is_empty() { table(last) } else { table(&format!("{start} {last}")) })
    };
    if let Some(found) = look(&words) {
        return Some((found, 1_000));
    }
    let bare: Vec<&str> = words.iter().copied().filter(|word| !is_adjective(word)).collect();
    if let Some(found) = look(&bare) {
        return Some((found, 950));
    }
    // "sea salt flakes" is salt of a kind, "chicken stock cube" is no chicken: the longer the end, the surer.
    for from in 1..words.len() {
        let dropped = words.get(..from).unwrap_or_default();
        if let Some(found) = words.get(from..).and_then(look) {
            let adjectives = dropped.iter().all(|word| is_adjective(word));
            return Some((found, if adjectives { 950 } else { 600 }));
        }
    }
    (1..words.len()).rev().find_map(|to| {
        let dropped = words.get(to..).unwrap_or_default();
        let adjectives = dropped.iter().all(|word| is_adjective(word));
        words.get(..to).and_then(look).map(|found| (found, if adjectives { 950 } else { 500 }))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(word: &str) -> Option<&'static str> {
        ["onion", "spring onion", "tomato", "butter", "peanut butter", "zwiebel", "curry powder", "berry"]
            .into_iter()
            .find(|known| *known == word)
    }

    #[test]
    fn names_are_found_in_many_forms() {
        for (word, found, sure) in [
            ("Onion", "onion", true),
            ("large red-skinned onions", "onion", false),
            ("large onions", "onion", true),
            ("Spring  Onions", "spring onion", true),
            ("Tomatoes", "tomato", true),
            ("berries", "berry", true),
            ("Zwiebeln", "zwiebel", true),
            ("butter softened", "butter", true),
            ("peanut butter", "peanut butter", true),
            ("chocolate butter", "butter", false),
        ] {
            let (name, confidence) = find(word, table).unwrap_or(("nothing", 0));
            assert_eq!((name, confidence >= SURE), (found, sure), "{word}");
        }
        assert!(find("", table).is_none() && find("rocket fuel", table).is_none());
    }

    proptest! {
        #[test]
        fn nothing_panics(word in ".{0,200}") {
            let _ = find(&word, table);
        }
    }
}
