//! Words, numbers and marks of a line.

use crate::{
    number::{Number, decimal, vulgar},
    words::Style,
};

/// The most tokens of a line that are looked at; a line has at most 2 KiB.
const TOKENS: usize = 512;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A number, fractions included.
    Number(Number),
    /// A word, as it is written.
    Word(String),
    /// Any other mark.
    Mark(char),
}

impl Token {
    /// The word in small letters; nothing for others.
    pub fn lower(&self) -> String {
        if let Self::Word(word) = self { word.to_lowercase() } else { String::new() }
    }

    pub const fn is(&self, mark: char) -> bool {
        matches!(self, Self::Mark(found) if *found == mark)
    }
}

/// Ends that many German and some English pages write for "one or more": they would be notes otherwise.
const ENDINGS: [&str; 9] = ["(n)", "(en)", "(e)", "(s)", "(es)", "(r)", "(er)", "(nen)", "(ies)"];

pub fn lex(text: &str, style: Style) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if tokens.len() >= TOKENS {
            break;
        }
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else if let Some((number, length)) = number(rest, style) {
            tokens.push(Token::Number(number));
            length
        } else if first.is_alphabetic() {
            let length = word(rest);
            let (text, after) = rest.split_at(length);
            tokens.push(Token::Word(text.trim_end_matches(['-', '\'', '’']).to_owned()));
            length + ENDINGS.iter().find(|ending| after.starts_with(**ending)).map_or(0, |ending| ending.len())
        } else {
            tokens.push(Token::Mark(mark(first)));
            first.len_utf8()
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    tokens
}

/// Marks that people mix up are one.
const fn mark(c: char) -> char {
    match c {
        '–' | '—' | '−' | '‐' | '‑' => '-',
        '×' => 'x',
        '⁄' => '/',
        '[' => '(',
        ']' => ')',
        other => other,
    }
}

/// Letters, and what stands inside of words.
fn word(text: &str) -> usize {
    let mut end = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        let inside = matches!(c, '-' | '\'' | '’' | '&') && next;
        if !(c.is_alphanumeric() || inside || c == '\u{301}' || c == '\u{308}') {
            break;
        }
        end = at + c.len_utf8();
    }
    // The point of "tbsp." belongs to no sentence.
    let short = end <= 6 && text.get(end..).is_some_and(|rest| rest.starts_with('.'));
    if short { end + 1 } else { end }
}

/// `2`, `1.5`, `1/2`, `1 1/2`, `½`, `1½`, `1 ½`.
fn number(text: &str, style: Style) -> Option<(Number, usize)> {
    let first = text.chars().next()?;
    if let Some(fraction) = vulgar(first) {
        return Some((fraction, first.len_utf8()));
    }
    let (whole, end) = decimal(text, style.language)?;
    if let Some((part, length)) = over(text.get(end..)?) {
        let (over, one) = whole.parts();
        return (one == 1).then(|| Number::fraction(over, part)).flatten().map(|number| (number, end + length));
    }
    let after = text.get(end..)?;
    let gap = after.len() - after.trim_start_matches([' ', '\u{a0}', '\u{2009}', '-', '–', '‑', '‐']).len();
    let next = after.get(gap..)?;
    if let Some(part) = next.chars().next().and_then(vulgar) {
        return Some((whole.plus(part)?, end + gap + next.chars().next()?.len_utf8()));
    }
    // "1 1/2", and not "2 14/2": the part is less than one.
    if gap > 0
        && let Some((over_part, length)) = decimal(next, style.language)
        && let Some((under, more)) = next.get(length..).and_then(over)
        && let Some(part) = Number::fraction(over_part.parts().0, under)
        && part < Number::ONE
        && over_part.parts().1 == 1
    {
        return Some((whole.plus(part)?, end + gap + length + more));
    }
    Some((whole, end))
}

/// The lower part of a fraction, with its stroke.
fn over(text: &str) -> Option<(u64, usize)> {
    let stroke = text.chars().next().filter(|c| matches!(c, '/' | '⁄' | '∕'))?;
    let rest = text.get(stroke.len_utf8()..)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    // "200g/7oz" has no fraction, and neither has a date; after the digits of one no letter follows at once.
    let under: u64 = rest.get(..digits).filter(|digits| (1..=3).contains(&digits.len()))?.parse().ok()?;
    (under > 0).then_some((under, stroke.len_utf8() + digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Option<(u64, u64)> {
        match lex(text, Style::US).first() {
            Some(Token::Number(number)) => Some(number.parts()),
            _ => None,
        }
    }

    #[test]
    fn numbers_are_read_in_all_their_forms() {
        for (text, parts) in [
            ("2 eggs", (2, 1)),
            ("1/2 cup", (1, 2)),
            ("1 1/2 cups", (3, 2)),
            ("1-1/2 cups", (3, 2)),
            ("1–1/2 cups", (3, 2)),
            ("1‑1/2 cups", (3, 2)),
            ("1‐½ cups", (3, 2)),
            ("1–2 cups", (1, 1)),
            ("1½ cups", (3, 2)),
            ("1 ½ cups", (3, 2)),
            ("½ cup", (1, 2)),
            ("1⁄2 cup", (1, 2)),
            ("2.5kg", (5, 2)),
            ("200g/7oz butter", (200, 1)),
            ("2 14-oz cans", (2, 1)),
            ("3/0 cups", (3, 1)),
        ] {
            assert_eq!(first(text), Some(parts), "{text}");
        }
        assert_eq!(first("salt"), None);
    }

    #[test]
    fn words_keep_what_is_inside_of_them() {
        let words = |text| lex(text, Style::GERMAN).iter().map(Token::lower).collect::<Vec<_>>();
        assert_eq!(words("Zwiebel(n), gehackt"), ["zwiebel", "", "gehackt"]);
        assert_eq!(words("half-and-half"), ["half-and-half"]);
        assert_eq!(words("EL. Öl"), ["el.", "öl"]);
    }
}
