//! A template's text, taken apart: its blocks and their words and signs.

/// The inside of `{{ }}` or `{% %}`.
pub(super) struct Block<'a> {
    pub(super) statement: bool,
    pub(super) text: &'a str,
    /// Where it begins in the whole text.
    pub(super) start: usize,
}

/// What a text consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    Word(&'a str),
    Number,
    Sign(char),
    Quoted,
}

/// A word, number, sign or quoted text, with its place in the text that was taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The insides of `{{ }}` and `{% %}`.
pub(super) fn blocks(source: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = source[from..].find('{').map(|at| from + at) {
        let (end, statement) = match source.as_bytes().get(at + 1) {
            Some(b'{') => ("}}", false),
            Some(b'%') => ("%}", true),
            Some(b'#') => ("#}", false),
            _ => {
                from = at + 1;
                continue;
            }
        };
        let inside = &source[at + 2..];
        let length = closing(inside, end);
        if end != "#}" {
            found.push(Block { statement, text: &inside[..length], start: at + 2 });
        }
        from = (at + 2 + length + 2).min(source.len());
        if !source.is_char_boundary(from) {
            break;
        }
    }
    found
}

/// Where a block ends: `end` outside of quotes and brackets, as minijinja sees it.
fn closing(inside: &str, end: &str) -> usize {
    let mut quote = None;
    let mut skip = false;
    let mut depth = 0_isize;
    for (at, c) in inside.char_indices() {
        match (quote, c) {
            _ if skip => skip = false,
            (Some(_), '\\') => skip = true,
            (Some(open), _) if open == c => quote = None,
            (None, _) if depth == 0 && inside[at..].starts_with(end) => return at,
            _ if end == "#}" => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            _ => {}
        }
    }
    inside.len()
}

/// The words, numbers and signs of a block.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let mut end = start + c.len_utf8();
        let kind = if c == '"' || c == '\'' {
            while let Some((at, inner)) = chars.next() {
                end = at + inner.len_utf8();
                if inner == '\\' {
                    end = chars.next().map_or(end, |(at, skipped)| at + skipped.len_utf8());
                } else if inner == c {
                    break;
                }
            }
            Kind::Quoted
        } else if c.is_alphanumeric() || c == '_' {
            let number = c.is_ascii_digit();
            // `1.5` is one number; in `a.5` the dot is a sign.
            let more = |inner: char| inner.is_alphanumeric() || inner == '_' || number && inner == '.';
            while let Some((at, inner)) = chars.peek().copied().filter(|(_, inner)| more(*inner)) {
                end = at + inner.len_utf8();
                chars.next();
            }
            if number { Kind::Number } else { Kind::Word(&text[start..end]) }
        } else if c.is_whitespace() {
            continue;
        } else {
            Kind::Sign(c)
        };
        found.push(Token { kind, start, end });
    }
    found
}

/// The index behind the operand that begins at `at`: signs, then a value with its attributes, calls and filters.
pub(super) fn operand(tokens: &[Token<'_>], mut at: usize) -> Option<usize> {
    let kind = |at: usize| tokens.get(at).map(|token| token.kind);
    while matches!(kind(at), Some(Kind::Sign('-' | '+'))) {
        at += 1;
    }
    at = match kind(at)? {
        Kind::Sign('(' | '[' | '{') => bracket(tokens, at)?,
        Kind::Sign(_) => return None,
        Kind::Quoted | Kind::Number | Kind::Word(_) => at + 1,
    };
    loop {
        at = match (kind(at), kind(at + 1)) {
            (Some(Kind::Sign('.' | '|')), Some(Kind::Word(_) | Kind::Number)) => at + 2,
            (Some(Kind::Sign('(' | '[')), _) => bracket(tokens, at)?,
            _ => return Some(at),
        };
    }
}

/// The index behind the bracket that closes the one at `at`.
fn bracket(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(index + 1);
        }
    }
    None
}
