//! Text files, and Rust with its comments and strings blanked out so that a word in prose is not taken for code.

use std::path::Path;

use anyhow::{Context, Result};

/// One text file of the repository.
pub struct Source {
    /// Below the root, with forward slashes.
    pub path: String,
    /// As it is. Empty for files that are not text; their names still count.
    pub text: String,
    /// Rust only: comments and the insides of strings are spaces, lines are where they were.
    pub code: String,
}

impl Source {
    /// Takes a file's text.
    pub fn new(path: &str, text: &str) -> Self {
        let code = if is_rust(path) { blank(text) } else { String::new() };
        Self { path: path.to_owned(), text: text.to_owned(), code }
    }

    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        is_rust(&self.path)
    }

    /// Whether the extension is this one.
    pub fn has_extension(&self, extension: &str) -> bool {
        has_extension(&self.path, extension)
    }

    /// Whether all of it is test code.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name == "tests.rs" || name.ends_with("_tests.rs") || self.path.split('/').any(|part| part == "tests")
    }

    /// The lines of code outside tests, numbered from one. A module under `#[cfg(test)]` is at the end of a file
    /// here, so everything after that line is a test.
    pub fn lines_outside_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test = self.is_test();
        let mut lines = self.code.lines().enumerate().map(|(index, line)| (index + 1, line)).peekable();
        std::iter::from_fn(move || {
            let (number, line) = lines.next()?;
            let opens_tests = line.trim() == "#[cfg(test)]"
                && lines.peek().is_some_and(|(_, next)| next.trim_start().starts_with("mod ") && next.ends_with('{'));
            (!is_test && !opens_tests).then_some((number, line))
        })
    }
}

fn is_rust(path: &str) -> bool {
    has_extension(path, "rs")
}

fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

/// Reads all files of the repository.
pub fn read_all(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in super::listed_files(root)? {
        let file = root.join(&path);
        if !file.is_file() {
            // Deleted but not committed yet, or a link.
            continue;
        }
        let bytes = std::fs::read(&file).with_context(|| format!("cannot read {path}"))?;
        sources.push(Source::new(&path, std::str::from_utf8(&bytes).unwrap_or_default()));
    }
    Ok(sources)
}

/// Blanks comments and strings. Knows line and nested block comments, strings with escapes, raw strings and
/// characters; that is all the Rust a rule here needs.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => line_end(&chars, at),
            '/' if chars.get(at + 1) == Some(&'*') => block_end(&chars, at),
            '"' => string_end(&chars, at),
            'r' if !is_word(&chars, at) => raw_string_end(&chars, at).unwrap_or(at),
            '\'' => character_end(&chars, at).unwrap_or(at),
            _ => at,
        };
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Whether the character before belongs to the same word.
fn is_word(chars: &[char], at: usize) -> bool {
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_') && chars[at - 1] != 'b'
}

fn line_end(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |length| at + length)
}

fn block_end(chars: &[char], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(chars.len())
}

fn string_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

fn raw_string_end(chars: &[char], start: usize) -> Option<usize> {
    let hashes = chars[start + 1..].iter().take_while(|c| **c == '#').count();
    let open = start + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let mut at = open + 1;
    while at < chars.len() {
        if chars[at] == '"' && chars[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes {
            return Some(at + 1 + hashes);
        }
        at += 1;
    }
    Some(chars.len())
}

/// A character literal, told from a lifetime by its closing quote.
fn character_end(chars: &[char], start: usize) -> Option<usize> {
    match chars.get(start + 1)? {
        '\\' => chars.iter().skip(start + 3).take(10).position(|c| *c == '\'').map(|length| start + length + 4),
        _ => (chars.get(start + 2) == Some(&'\'')).then_some(start + 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_blanked_and_code_is_not() {
        let text =
            "let a = \"todo!()\"; // todo!()\n/* dbg!( /* x */ */ real(); let c = '\"'; let r = r#\"a\"b\"#; after()";
        let code = blank(text);
        assert!(!code.contains("todo") && !code.contains("dbg"));
        assert!(code.contains("real()") && code.contains("after()"));
        assert_eq!(code.lines().count(), text.lines().count());
    }

    #[test]
    fn lifetimes_and_escapes_do_not_open_strings() {
        assert!(blank("fn f<'a>(x: &'a str) { keep() }").contains("keep()"));
        assert!(blank("let s = \"a\\\"b\"; keep(); let c = '\\n'; let d = '\\''; keep_too()").ends_with("keep_too()"));
    }

    #[test]
    fn tests_at_the_end_of_a_file_are_not_code() {
        let source = Source::new("crates/model/src/a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n  bad()\n}\n");
        assert_eq!(source.lines_outside_tests().count(), 1);
        let outside = Source::new("crates/model/src/a.rs", "#[cfg(test)]\nmod a_tests;\nfn a() {}\n");
        assert_eq!(outside.lines_outside_tests().count(), 3);
        assert_eq!(Source::new("crates/model/src/a_tests.rs", "fn a() {}\n").lines_outside_tests().count(), 0);
    }

    #[test]
    fn a_string_without_an_end_is_no_panic() {
        for text in ["\"", "r#\"", "/*", "'", "'\\", "\"\\"] {
            let _ = blank(text);
        }
    }
}
