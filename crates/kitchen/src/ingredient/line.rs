//! A whole line.

use super::{
    Alternative, Ingredient,
    amount::{Leading, behind, leading},
    lex::{Token, lex},
};
use crate::{
    number::Number,
    table::{IngredientId, Permille, Table},
    units::{Amount, CountUnit},
    words::{OPTIONAL, OR, PART, Style},
};

/// The most alternatives of a line.
const ALTERNATIVES: usize = 8;

/// Reads one line of a recipe's list. What is not understood stays as text, with no food and no confidence.
///
/// ```
/// use vestibule_kitchen::{Amount, Style, Table, parse};
/// let line = parse("1 1/2 cups all-purpose flour, sifted", Style::US, Table::shipped());
/// assert_eq!(line.amount, Some(Amount::Volume(354_882)));
/// assert_eq!(line.food().unwrap().as_str(), "flour_wheat");
/// assert_eq!(line.note, "sifted");
/// ```
#[must_use]
pub fn parse(text: &str, style: Style, table: &Table) -> Ingredient {
    let tokens = lex(text, style);
    let start = tokens.iter().take_while(|token| is_bullet(token)).count();
    let tokens = tokens.get(start..).unwrap_or_default();
    let (part, skipped) = part_of(tokens);
    let tokens = tokens.get(skipped..).unwrap_or_default();
    let (head, note) = split_note(tokens);
    let mut choices = split_or(head, style).into_iter();
    let first = choices.next().unwrap_or_default();
    let mut read = choice(first, style, table);
    better(&mut read, note, style);
    let alternatives = choices
        .take(ALTERNATIVES)
        .map(|tokens| choice(tokens, style, table))
        .map(|other| Alternative {
            amount: other.amount.or(read.amount.filter(|_| !other.vague)),
            name: other.name,
            id: other.id,
            confidence: other.confidence,
        })
        .collect();
    let lower = text.to_lowercase();
    let mut said = words(note);
    if let Some(part) = part {
        said = if said.is_empty() { part } else { format!("{part}, {said}") };
    }
    Ingredient {
        text: text.trim().to_owned(),
        amount: read.amount,
        least: read.least.filter(|least| Some(*least) != read.amount),
        name: read.name,
        id: read.id,
        alternatives,
        optional: OPTIONAL.iter().any(|word| lower.contains(word)),
        note: said,
        confidence: read.confidence,
    }
}

/// The same, where a line may be two: `salt and pepper` are bought apart.
#[must_use]
pub fn parse_all(text: &str, style: Style, table: &Table) -> Vec<Ingredient> {
    let whole = parse(text, style, table);
    if whole.amount.is_some() || whole.food().is_some() {
        return vec![whole];
    }
    for between in [" and ", " und ", " & "] {
        if let Some((one, other)) = text.split_once(between) {
            let (one, mut other) = (parse(one, style, table), parse(other, style, table));
            if one.food().is_some() && other.food().is_some() && one.amount.is_none() && other.amount.is_none() {
                let optional = whole.optional || other.optional;
                other.optional = optional;
                return vec![Ingredient { optional, ..one }, other];
            }
        }
    }
    vec![whole]
}

fn is_bullet(token: &Token) -> bool {
    matches!(token, Token::Mark('-' | '*' | '•' | '·' | '▢' | '☐' | '□' | '◦' | '○' | '●' | '‣' | '~' | '+' | '.'))
}

/// `juice of 1 lemon`: what is wanted of it, and the tokens before the fruit.
fn part_of(tokens: &[Token]) -> (Option<String>, usize) {
    let mut at = 0;
    let word = |at: usize| tokens.get(at).map(Token::lower).unwrap_or_default();
    while PART.contains(&word(at).as_str()) || (at > 0 && matches!(word(at).as_str(), "and" | "und" | "&")) {
        at += 1;
    }
    let of = matches!(word(at).as_str(), "of" | "von" | "einer" | "eines");
    let article = matches!(word(at).as_str(), "einer" | "eines");
    if at == 0 || !of {
        return (None, 0);
    }
    (Some(words(tokens.get(..=at).unwrap_or_default())), at + usize::from(!article))
}

/// Where the name ends: at a bracket, a comma, a semicolon outside of the amount's own bracket.
fn split_note(tokens: &[Token]) -> (&[Token], &[Token]) {
    let mut seen_word = false;
    let mut open = false;
    let end = tokens.iter().position(|token| {
        match token {
            Token::Mark('(') if !seen_word => open = true,
            Token::Mark(')') if open => open = false,
            Token::Mark(',' | ';' | '(' | '*') if seen_word && !open => return true,
            Token::Mark(':') if seen_word => return true,
            Token::Word(word) if !open => seen_word |= !is_unit_like(word),
            _ => {}
        }
        false
    });
    tokens.split_at(end.unwrap_or(tokens.len()))
}

/// Words that an amount's bracket may follow: `1 can (400 g) tomatoes`.
fn is_unit_like(word: &str) -> bool {
    crate::units::Measure::of_word(word, Style::GERMAN).is_some()
}

/// The parts between "or".
fn split_or(tokens: &[Token], style: Style) -> Vec<&[Token]> {
    let between = |token: &Token| OR.contains(&token.lower().trim_end_matches('.'));
    let parts: Vec<&[Token]> = tokens.split(between).filter(|part| !part.is_empty()).collect();
    // "2 or 3 eggs" is a range: an alternative has a name.
    match parts.as_slice() {
        [first, second, ..] if leading(first, style).read == first.len() && !second.is_empty() => vec![second],
        _ => parts,
    }
}

#[derive(Default)]
struct Choice {
    amount: Option<Amount>,
    least: Option<Amount>,
    name: String,
    id: Option<IngredientId>,
    confidence: Permille,
    sized: bool,
    vague: bool,
}

fn choice(tokens: &[Token], style: Style, table: &Table) -> Choice {
    let lead = leading(tokens, style);
    let name = tokens.get(lead.read..).unwrap_or_default();
    let mut read = named(name, &lead, table);
    if read.id.is_none() && lead.read > 0 {
        // "1 clove" has no name but its unit: the unit was the name.
        let shorter = tokens.get(lead.read - 1..).unwrap_or_default();
        let again = named(shorter, &Leading { bare: true, ..Leading::default() }, table);
        if name.is_empty() && again.id.is_some() {
            let count = leading(tokens.get(..lead.read - 1).unwrap_or_default(), style);
            read = named(shorter, &count, table);
        }
    }
    read
}

fn named(tokens: &[Token], lead: &Leading, table: &Table) -> Choice {
    let name = words(tokens);
    let mut read =
        Choice { amount: lead.amount, least: lead.least, sized: lead.sized, vague: lead.vague, ..Choice::default() };
    let meaning = table.find(&name);
    let unit = meaning.and_then(|meaning| meaning.unit);
    if let Some(meaning) = meaning {
        (read.id, read.confidence) = (Some(meaning.food.id.clone()), meaning.confidence);
    }
    // "2 garlic cloves": the unit is the name's last word.
    let trailing = tokens.last().map(Token::lower).and_then(|word| CountUnit::of_word(&word));
    if lead.bare
        && let Some(of) = unit.or(trailing)
    {
        read.amount = lead.amount.map(|amount| Amount::Count { milli: amount.number(), of });
        read.least = lead.least.map(|least| Amount::Count { milli: least.number(), of });
        let shorter = tokens.split_last().map_or_else(String::new, |(_, rest)| words(rest));
        if unit.is_none()
            && let Some(meaning) = table.find(&shorter).filter(|found| found.confidence >= read.confidence)
        {
            (read.id, read.confidence) = (Some(meaning.food.id.clone()), meaning.confidence);
        }
    }
    read.name = name;
    read
}

/// `1 onion (about 200 g)`: what is weighed is better known than what is counted.
fn better(read: &mut Choice, note: &[Token], style: Style) {
    let Some((size, each)) = behind(note, style) else { return };
    let counted = matches!(read.amount, Some(Amount::Count { .. }));
    let poured = matches!((read.amount, size), (Some(Amount::Volume(_)), Amount::Mass(_)));
    if read.sized || !(counted || poured || read.amount.is_none()) {
        return;
    }
    let holds = matches!(read.amount, Some(Amount::Count { of, .. }) if of.holds());
    let whole = match read.amount {
        Some(Amount::Count { milli, .. }) if each || holds => {
            u64::try_from(milli).ok().and_then(|milli| size.share_up(milli, 1_000))
        }
        _ => Some(size),
    };
    if whole.is_some() {
        (read.amount, read.least) = (whole, None);
    }
}

/// The tokens as text again.
fn words(tokens: &[Token]) -> String {
    let mut text = String::new();
    for token in tokens {
        let (word, glued) = match token {
            Token::Word(word) => (word.clone(), false),
            Token::Number(number) => (display(*number), false),
            Token::Mark(mark) => (mark.to_string(), matches!(mark, ',' | ')' | ';' | '.' | '%' | ':' | '/')),
        };
        if !(text.is_empty() || glued || text.ends_with(['(', '/'])) {
            text.push(' ');
        }
        text.push_str(&word);
    }
    text.trim_matches([' ', ',', ';']).trim_start_matches('(').trim_end_matches(')').to_owned()
}

fn display(number: Number) -> String {
    number.to_string()
}
