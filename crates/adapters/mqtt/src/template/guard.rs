//! Looks a template over before it is ever evaluated: what it asks for, and whether it could grow without bounds.
//!
//! minijinja bounds instructions (fuel) but not memory, nor what one instruction takes: `{% set a = [a, a] %}` forty
//! times is forty instructions, and comparing the result takes for ever. So growth is bounded here, from the text.

use std::collections::HashMap;

use super::scan::{Kind, Token, blocks, operand, tokens};

/// Filters of minijinja that are kept, beside ours.
const BUILTIN_FILTERS: &[&str] = &[
    "abs",
    "attr",
    "capitalize",
    "count",
    "d",
    "default",
    "dictsort",
    "first",
    "groupby",
    "items",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "reject",
    "rejectattr",
    "reverse",
    "safe",
    "select",
    "selectattr",
    "sort",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
];
/// Statements that a value template needs. No macros, imports, blocks, captures: they can grow what they hold.
const STATEMENTS: &[&str] =
    &["if", "elif", "else", "endif", "for", "endfor", "set", "with", "endwith", "break", "continue"];
/// Words of the language itself.
const KEYWORDS: &[&str] =
    &["if", "elif", "else", "for", "in", "set", "with", "not", "and", "or", "is", "true", "false", "none", "loop"];
/// What exists only inside Home Assistant.
const ELSEWHERE: &[&str] = &[
    "states",
    "state_attr",
    "is_state",
    "is_state_attr",
    "has_value",
    "state_translated",
    "expand",
    "device_entities",
    "device_attr",
    "device_id",
    "is_device_attr",
    "area_id",
    "area_name",
    "area_entities",
    "area_devices",
    "closest",
    "distance",
    "trigger",
    "hass",
    "integration_entities",
    "label_id",
    "floor_id",
];
/// What asks for the time.
const CLOCK: &[&str] = &["now", "utcnow", "today_at", "relative_time", "time_since", "time_until"];
const NO_CLOCK: &str = "what a device says here must not depend on when it is read";
/// What reckons with dates.
const DATES: &[&str] = &[
    "as_timestamp",
    "as_datetime",
    "as_local",
    "as_timedelta",
    "strptime",
    "timedelta",
    "timestamp_custom",
    "timestamp_local",
    "timestamp_utc",
];
const NO_DATES: &str = "dates are not reckoned with";
/// What else Home Assistant and Jinja have, and why it is not here.
const NOT_HERE: &[(&str, &str)] = &[
    ("namespace", "what it collects in a loop could grow without bounds"),
    ("cycler", "what it collects in a loop could grow without bounds"),
    ("joiner", "what it collects in a loop could grow without bounds"),
    ("random", "a report has to mean the same each time it is read"),
    ("pack", "binary payloads are not taken apart"),
    ("unpack", "binary payloads are not taken apart"),
    ("md5", "hashes are not computed"),
    ("sha1", "hashes are not computed"),
    ("sha256", "hashes are not computed"),
    ("sha512", "hashes are not computed"),
    ("lipsum", "it says nothing"),
    ("debug", "it says nothing"),
];
/// How often a value may hold what it was made of.
const MAX_GROWTH: usize = 256;
/// What one instruction with these can take, beyond what it is given, counted as bytes of payload.
const COSTLY: usize = 64 * 1024;

/// A template that may be evaluated.
pub(super) struct Sound {
    /// Its text; `*` is given numbers only.
    pub(super) source: String,
    /// How often the largest of its values may hold the payload.
    pub(super) growth: usize,
    /// Bytes of payload that its most costly filter counts for.
    pub(super) weight: usize,
}

/// Looks a template over; the error says why it is refused before it is tried.
pub(super) fn examine(source: &str) -> Result<Sound, String> {
    let mut sizes: HashMap<&str, usize> = HashMap::new();
    let mut growth: usize = 1;
    let mut checks = Vec::new();
    for block in blocks(source) {
        // `{{-` and `-%}` say something of the space around.
        let trim = ['-', '+', ' ', '\n', '\t', '\r'];
        let from = block.text.trim_start_matches(trim);
        let (text, shift) = (from.trim_end_matches(trim), block.start + block.text.len() - from.len());
        let tokens = tokens(text);
        let mut named: &[Token<'_>] = &[];
        let mut value = tokens.as_slice();
        if block.statement {
            let Some(Kind::Word(word)) = tokens.first().map(|token| token.kind) else { continue };
            statement(word, &tokens)?;
            let ends = |token: &&Token<'_>| matches!(token.kind, Kind::Sign('=') | Kind::Word("in"));
            let end = tokens.iter().position(|token| ends(&token));
            if let (Some(end), "set" | "for" | "with") = (end, word) {
                (named, value) = (&tokens[1..end], &tokens[end + 1..]);
            }
        }
        unknown(&tokens)?;
        let size = size(value, &sizes);
        growth = growth.max(size);
        if growth > MAX_GROWTH {
            return Err("it joins too much text".to_owned());
        }
        // `with a = x, b = y` names more behind the first `=`: each is as large as all.
        let more = if matches!(tokens.first().map(|t| t.kind), Some(Kind::Word("with"))) { value } else { &[] };
        for token in named.iter().chain(more) {
            if let Kind::Word(name) = token.kind {
                sizes.insert(name, size);
            }
        }
        factors(&tokens, shift, &mut checks)?;
    }
    let costly = ["range", "regex", "match", "search"].iter().any(|word| source.contains(word));
    Ok(Sound { source: checked(source, checks), growth, weight: if costly { COSTLY } else { 0 } })
}

fn statement(word: &str, tokens: &[Token<'_>]) -> Result<(), String> {
    if !STATEMENTS.contains(&word) {
        return Err(format!("the statement `{word}` is not supported"));
    }
    let has = |kind: Kind<'_>| tokens.iter().any(|token| token.kind == kind);
    if word == "set" && !has(Kind::Sign('=')) {
        return Err("`set` without `=` is not supported".to_owned());
    }
    if word == "for" && has(Kind::Word("recursive")) {
        return Err("a recursive `for` is not supported".to_owned());
    }
    Ok(())
}

/// How often a value holds the payload at most: the sum over what it is made of.
fn size(value: &[Token<'_>], sizes: &HashMap<&str, usize>) -> usize {
    let mut total: usize = 0;
    let mut before = None;
    for token in value {
        if let Kind::Word(word) = token.kind
            && !matches!(before, Some(Kind::Sign('.' | '|')))
            && !KEYWORDS.contains(&word.to_lowercase().as_str())
        {
            total = total.saturating_add(sizes.get(word).copied().unwrap_or(1));
        }
        before = Some(token.kind);
    }
    total.max(1)
}

/// A filter, function or test that is not there.
fn unknown(tokens: &[Token<'_>]) -> Result<(), String> {
    let mut before = None;
    for (at, token) in tokens.iter().enumerate() {
        if let Kind::Word(word) = token.kind {
            let filter = before == Some(Kind::Sign('|'));
            let named = tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Sign('='));
            let called = filter || tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Sign('('));
            if before != Some(Kind::Sign('.')) && !named {
                elsewhere(word, called)?;
            }
            if filter && !super::filters::NAMES.contains(&word) && !BUILTIN_FILTERS.contains(&word) {
                return Err(format!("there is no filter `{word}`"));
            }
        }
        before = Some(token.kind);
    }
    Ok(())
}

/// Why a word of Home Assistant or Jinja is not there.
fn elsewhere(word: &str, called: bool) -> Result<(), String> {
    if ELSEWHERE.contains(&word) {
        return Err(format!("`{word}` exists only inside Home Assistant"));
    }
    let why = if CLOCK.contains(&word) {
        Some(NO_CLOCK)
    } else if DATES.contains(&word) {
        Some(NO_DATES)
    } else {
        NOT_HERE.iter().find(|(name, _)| *name == word).map(|(_, why)| *why)
    };
    match why {
        Some(why) if called => Err(format!("`{word}` is not supported: {why}")),
        _ => Ok(()),
    }
}

/// Where the factors of each `*` end: both have to be numbers, since texts and lists would be repeated.
fn factors(tokens: &[Token<'_>], shift: usize, ends: &mut Vec<usize>) -> Result<(), String> {
    let mut at = 0;
    while let Some(found) = tokens.iter().skip(at).position(|token| token.kind == Kind::Sign('*')).map(|n| n + at) {
        let is_power = tokens.get(found + 1).is_some_and(|next| next.kind == Kind::Sign('*'));
        let right = found + 1 + usize::from(is_power);
        let left = found.checked_sub(1).and_then(|before| tokens.get(before));
        let left = left.filter(|token| !matches!(token.kind, Kind::Sign('(' | ',' | '[' | '{' | ':' | '=')));
        let (Some(left), Some(end)) = (left, operand(tokens, right)) else {
            return Err("`*` stands where it has no two numbers".to_owned());
        };
        let last = end.checked_sub(1).and_then(|last| tokens.get(last)).map_or(left.end, |token| token.end);
        ends.extend([shift + left.end, shift + last]);
        at = right;
    }
    Ok(())
}

/// The text with a check behind each factor.
fn checked(source: &str, mut ends: Vec<usize>) -> String {
    ends.sort_unstable();
    ends.dedup();
    let mut out = String::with_capacity(source.len() + ends.len() * CHECK.len());
    let mut from = 0;
    for end in ends {
        out.push_str(&source[from..end]);
        out.push_str(CHECK);
        from = end;
    }
    out + &source[from..]
}

/// What makes sure of a number.
const CHECK: &str = "|__factor";

#[cfg(test)]
mod tests {
    use super::*;

    fn refuse(source: &str) -> Option<String> {
        examine(source).err()
    }

    #[test]
    fn ordinary_templates_pass() {
        for source in [
            "{{ value_json.state }}",
            "{{ value_json['a b'] | float(0) * 100 / 255 | round(0) }}",
            "{% if value == 'on' %}ON{% else %}OFF{% endif %}",
            "{%- set t = value_json.t | int -%}{{ t ~ ' s' }}",
            "{{ 'states' }}{{ value_json.states }}{{ value_json.now }}",
            "{\"state\": \"{{ value }}\", \"x\": {{ 'a' | tojson }}}",
            "{% set map = {'a': 1, 'b': 2, 'c': 3} %}{{ map[value] }}",
            "{% set a = value_json.a %}{% set b = a + 1 %}{% set c = b + 1 %}{% set d = c + 1 %}{% set e = d + 1 %}{{ e }}",
        ] {
            assert_eq!(refuse(source), None, "{source}");
        }
    }

    #[test]
    fn what_cannot_be_answered_is_named() {
        assert!(refuse("{{ states('sun.sun') }}").unwrap().contains("only inside Home Assistant"));
        assert!(refuse("{{ value | timestamp_custom('%H') }}").unwrap().contains("dates are not reckoned with"));
        assert!(refuse("{{ now().hour }}").unwrap().contains("must not depend on when it is read"));
        assert!(refuse("{% set ns = namespace(x=1) %}").unwrap().contains("grow without bounds"));
        assert!(refuse("{{ value | md5 }}").unwrap().contains("hashes are not computed"));
        assert!(refuse("{% macro a() %}{% endmacro %}").unwrap().contains("macro"));
    }

    #[test]
    fn doubling_is_refused() {
        for doubling in ["{% set a = a ~ a %}", "{% set a = [a, a] %}", "{% set a = {'x': a, 'y': a} %}"] {
            assert!(refuse(&format!("{{% set a = value %}}{}{{{{ a }}}}", doubling.repeat(9))).is_some(), "{doubling}");
            assert!(refuse(&format!("{{% set a = value %}}{}{{{{ a }}}}", doubling.repeat(7))).is_none(), "{doubling}");
        }
        assert!(refuse("{% set a %}{{ value }}{{ value }}{% endset %}").is_some());
        assert!(refuse(&"{% for a in [a + a] %}".repeat(9)).is_some());
        assert!(refuse(&"{% with a = [a, a], b = a %}".repeat(9)).is_some());
    }

    #[test]
    fn factors_are_checked_where_they_end() {
        let source = |source| examine(source).unwrap().source;
        assert_eq!(source("{{ a * 2 }}"), "{{ a|__factor * 2|__factor }}");
        assert_eq!(source("{{ [0] * -b.c[1]|int(2) + 1 }}"), "{{ [0]|__factor * -b.c[1]|int(2)|__factor + 1 }}");
        assert_eq!(
            source("{{ '*' }} * {{ (a*b)**c }}"),
            "{{ '*' }} * {{ (a|__factor*b|__factor)|__factor**c|__factor }}"
        );
        assert!(refuse("{{ range(*a) }}").is_some());
        assert_eq!(source("{{ {'x': {'y': 1}} * [0] }}"), "{{ {'x': {'y': 1}}|__factor * [0]|__factor }}");
    }
}
