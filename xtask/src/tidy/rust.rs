//! Rules on single Rust files.

use super::Finding;
use super::source::Source;

/// The crates whose logic takes the time as an argument.
const LOGIC: [&str; 3] = ["crates/model/", "crates/protocol/", "crates/enabler/"];
/// Ways to learn something that is no argument.
const AMBIENT: [&str; 8] = [
    "SystemTime::now",
    "Instant::now",
    "rand::rng",
    "rand::random",
    "thread_rng",
    "env::var",
    "env::args",
    "thread::sleep",
];
/// What must not stay.
const LEFTOVERS: [&str; 3] = ["todo!", "unimplemented!", "dbg!"];

/// The logic asks nobody for the time.
pub fn no_ambient_input(source: &Source) -> Vec<Finding> {
    if !LOGIC.iter().any(|folder| source.path.starts_with(folder)) {
        return Vec::new();
    }
    words(source, source.lines_outside_tests(), &AMBIENT)
}

/// Nothing is left for later, in tests neither.
pub fn no_leftovers(source: &Source) -> Vec<Finding> {
    words(source, source.code.lines().enumerate().map(|(index, line)| (index + 1, line)), &LEFTOVERS)
}

fn words<'a>(source: &Source, lines: impl Iterator<Item = (usize, &'a str)>, words: &[&str]) -> Vec<Finding> {
    lines
        .flat_map(|(number, line)| {
            words.iter().filter(move |word| has_word(line, word)).map(move |word| (number, *word))
        })
        .map(|(number, word)| Finding::new(format!("{}:{number}", source.path), word))
        .collect()
}

/// Whether `word` is in `line` and does not merely end another name.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logic(text: &str) -> usize {
        no_ambient_input(&Source::new("crates/enabler/src/lib.rs", text)).len()
    }

    #[test]
    fn clocks_chance_and_environment_are_found_in_the_logic() {
        assert_eq!(logic("let t = std::time::SystemTime::now();"), 1);
        assert_eq!(logic("let t = Instant::now(); let r = rand::rng();"), 2);
        assert_eq!(logic("let v = std::env::var(\"X\");"), 1);
    }

    #[test]
    fn elsewhere_in_tests_and_in_prose_they_are_allowed() {
        let elsewhere = Source::new("crates/quic/src/lib.rs", "Instant::now()");
        assert!(no_ambient_input(&elsewhere).is_empty());
        assert_eq!(logic("// never SystemTime::now\nfn f(now: MyInstant) {}"), 0);
        assert_eq!(logic("fn f() {}\n#[cfg(test)]\nmod tests {\n Instant::now()\n}"), 0);
        assert_eq!(logic("FakeInstant::now()"), 0);
    }

    #[test]
    fn leftovers_are_found_anywhere() {
        let found = |text: &str| no_leftovers(&Source::new("src/main.rs", text)).len();
        assert_eq!(found("fn f() { todo!() }\nfn g() { unimplemented!(); dbg!(1); }"), 3);
        assert_eq!(found("fn f() { my_todo!() } // todo!()"), 0);
    }
}
