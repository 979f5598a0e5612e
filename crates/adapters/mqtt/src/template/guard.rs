//! Looks a template over before it is ever evaluated: what it asks for, and whether it could grow without bounds.
//!
//! minijinja bounds instructions (fuel) but not memory: `{% set a = a ~ a %}` forty times is forty instructions and a
//! terabyte. So growth is bounded here, from the text.

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
    &["if", "elif", "else", "endif", "for", "endfor", "set", "with", "endwith", "break", "continue", "raw", "endraw"];
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
    "now",
    "utcnow",
    "today_at",
    "as_timestamp",
    "as_datetime",
    "as_local",
    "strptime",
    "timedelta",
    "relative_time",
    "time_since",
    "time_until",
    "trigger",
    "hass",
    "namespace",
    "random",
    "debug",
    "cycler",
    "joiner",
    "lipsum",
    "loop_controls",
    "import",
    "include",
    "macro",
    "integration_entities",
    "label_id",
    "floor_id",
];
/// How often a text may hold what it was made of.
const MAX_GROWTH: usize = 256;

/// Why a template is refused before it is tried.
pub(super) fn refuse(source: &str) -> Option<String> {
    let mut growth: usize = 1;
    let mut widest: usize = 1;
    for block in blocks(source) {
        let tokens = tokens(block.text);
        let grows = 1 + tokens.iter().filter(|t| matches!(t, Token::Sign('~' | '+'))).count();
        if block.statement {
            let Some(Token::Word(word)) = tokens.first() else { continue };
            if !STATEMENTS.contains(word) {
                return Some(format!("the statement `{word}` is not supported"));
            }
            if *word == "set" && !tokens.contains(&Token::Sign('=')) {
                return Some("`set` without `=` is not supported".to_owned());
            }
            if *word == "for" && tokens.contains(&Token::Word("recursive")) {
                return Some("a recursive `for` is not supported".to_owned());
            }
            growth = growth.saturating_mul(grows);
        } else {
            widest = widest.max(grows);
        }
        if let Some(why) = unknown(&tokens) {
            return Some(why);
        }
    }
    let most = if source.contains('*') { MAX_GROWTH / 8 } else { MAX_GROWTH };
    (growth.saturating_mul(widest) > most).then(|| "it joins too much text".to_owned())
}

/// A filter, function or test that is not there.
fn unknown(tokens: &[Token<'_>]) -> Option<String> {
    let mut before = None;
    for (at, token) in tokens.iter().enumerate() {
        if let Token::Word(word) = token {
            let known = super::filters::NAMES.contains(word) || BUILTIN_FILTERS.contains(word);
            match before {
                Some(Token::Sign('|')) if !known => return Some(format!("there is no filter `{word}`")),
                Some(Token::Sign('|' | '.')) => {}
                _ if ELSEWHERE.contains(word) && tokens.get(at + 1) != Some(&Token::Sign('=')) => {
                    return Some(format!("`{word}` exists only inside Home Assistant"));
                }
                _ => {}
            }
        }
        before = Some(*token);
    }
    None
}

struct Block<'a> {
    statement: bool,
    text: &'a str,
}

/// The insides of `{{ }}` and `{% %}`.
fn blocks(source: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find('{') {
        let (end, statement) = match rest.as_bytes().get(at + 1) {
            Some(b'{') => ("}}", false),
            Some(b'%') => ("%}", true),
            Some(b'#') => ("#}", false),
            _ => {
                rest = &rest[at + 1..];
                continue;
            }
        };
        let inside = &rest[at + 2..];
        let length = closing(inside, end);
        if end != "#}" {
            found.push(Block { statement, text: inside[..length].trim_matches(['-', '+', ' ', '\n', '\t', '\r']) });
        }
        rest = inside.get(length + 2..).unwrap_or_default();
    }
    found
}

/// Where a block ends: `end` outside of quotes.
fn closing(inside: &str, end: &str) -> usize {
    let mut quote = None;
    let mut skip = false;
    for (at, c) in inside.char_indices() {
        match (quote, c) {
            _ if skip => skip = false,
            (Some(_), '\\') => skip = true,
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '\'') if end != "#}" => quote = Some(c),
            (None, _) if inside[at..].starts_with(end) => return at,
            _ => {}
        }
    }
    inside.len()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Sign(char),
    Quoted,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '"' || c == '\'' {
            while let Some((_, inner)) = chars.next() {
                match inner {
                    '\\' => drop(chars.next()),
                    _ if inner == c => break,
                    _ => {}
                }
            }
            found.push(Token::Quoted);
        } else if c.is_alphabetic() || c == '_' {
            let mut end = at + c.len_utf8();
            while let Some((next, inner)) = chars.peek().copied().filter(|(_, i)| i.is_alphanumeric() || *i == '_') {
                end = next + inner.len_utf8();
                chars.next();
            }
            found.push(Token::Word(&text[at..end]));
        } else if !c.is_whitespace() {
            found.push(Token::Sign(c));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_templates_pass() {
        for source in [
            "{{ value_json.state }}",
            "{{ value_json['a b'] | float(0) * 100 / 255 | round(0) }}",
            "{% if value == 'on' %}ON{% else %}OFF{% endif %}",
            "{%- set t = value_json.t | int -%}{{ t ~ ' s' }}",
            "{{ 'states' }}{{ value_json.states }}",
            "{\"state\": \"{{ value }}\", \"x\": {{ 'a' | tojson }}}",
        ] {
            assert_eq!(refuse(source), None, "{source}");
        }
    }

    #[test]
    fn what_cannot_be_answered_is_named() {
        assert!(refuse("{{ states('sun.sun') }}").unwrap().contains("states"));
        assert!(refuse("{{ value | timestamp_custom('%H') }}").unwrap().contains("timestamp_custom"));
        assert!(refuse("{% macro a() %}{% endmacro %}").unwrap().contains("macro"));
    }

    #[test]
    fn doubling_is_refused() {
        let bomb = "{% set a = a ~ a %}".repeat(40);
        assert!(refuse(&format!("{{% set a = value %}}{bomb}{{{{ a }}}}")).is_some());
        assert!(refuse("{% set a %}{{ value }}{{ value }}{% endset %}").is_some());
        assert!(refuse(&"{% for a in [a + a] %}".repeat(9)).is_some());
    }
}
