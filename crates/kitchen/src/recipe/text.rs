//! Plain text out of what sites put into their fields.

/// Named entities that recipes have; numbers are read in general.
const ENTITIES: [(&str, &str); 34] = [
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", " "),
    ("frac12", "½"),
    ("frac14", "¼"),
    ("frac34", "¾"),
    ("frac13", "⅓"),
    ("frac23", "⅔"),
    ("deg", "°"),
    ("times", "×"),
    ("ndash", "–"),
    ("mdash", "—"),
    ("rsquo", "’"),
    ("lsquo", "‘"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("hellip", "…"),
    ("auml", "ä"),
    ("ouml", "ö"),
    ("uuml", "ü"),
    ("Auml", "Ä"),
    ("Ouml", "Ö"),
    ("Uuml", "Ü"),
    ("szlig", "ß"),
    ("eacute", "é"),
    ("egrave", "è"),
    ("ecirc", "ê"),
    ("ccedil", "ç"),
    ("ntilde", "ñ"),
    ("frasl", "⁄"),
    ("bull", "•"),
];
/// Longer between `&` and `;` is no entity.
const LONGEST: usize = 10;

/// Without markup, entities decoded, white space single. An entity is decoded once, and what comes of it is no markup.
///
/// ```
/// assert_eq!(vestibule_kitchen::strip("<b>1&frac12;</b> cups&nbsp;milk &amp;amp; more"), "1½ cups milk &amp; more");
/// ```
#[must_use]
pub fn strip(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        push(&mut plain, rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let (skipped, shown) = if rest.starts_with('<') { tag(rest) } else { entity(rest) };
        // A tag parts words; "a<br>b" is two.
        match shown {
            Some(shown) => push(&mut plain, &shown),
            None => space(&mut plain),
        }
        rest = rest.get(skipped..).unwrap_or_default();
    }
    push(&mut plain, rest);
    plain.truncate(plain.trim_end().len());
    plain
}

fn space(plain: &mut String) {
    if !plain.is_empty() && !plain.ends_with(' ') {
        plain.push(' ');
    }
}

fn push(plain: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_whitespace() {
            space(plain);
        } else if !(c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'))
        {
            // Marks that turn the direction of writing could show another text than what is read.
            plain.push(c);
        }
    }
}

/// A tag, or a `<` that opens none ("< 5 minutes").
fn tag(text: &str) -> (usize, Option<String>) {
    let opens = text.chars().nth(1).is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'));
    match text.find('>') {
        Some(end) if opens => (end + 1, None),
        _ => (1, Some("<".to_owned())),
    }
}

fn entity(text: &str) -> (usize, Option<String>) {
    let not_one = (1, Some("&".to_owned()));
    let Some(end) = text.bytes().take(LONGEST + 2).position(|byte| byte == b';') else { return not_one };
    let name = text.get(1..end).unwrap_or_default();
    let decoded = match name.strip_prefix('#') {
        Some(digits) => {
            let number = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => digits.parse().ok(),
            };
            number.and_then(char::from_u32).map(String::from)
        }
        None => ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, shown)| (*shown).to_owned()),
    };
    decoded.map_or(not_one, |shown| (end + 1, Some(shown)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_goes_and_text_stays() {
        for (text, plain) in [
            ("<p>Mix</p><p>Bake</p>", "Mix Bake"),
            ("bake for < 5 minutes", "bake for < 5 minutes"),
            ("R&auml;ucher&#108;achs &#xbd; &bogus; & co", "Räucherlachs ½ &bogus; & co"),
            ("  a\n\t b\u{a0}c ", "a b c"),
            ("&lt;script&gt;", "<script>"),
            ("1\u{202e}kg", "1kg"),
            ("<b", "<b"),
            ("&#0;&#xd800;&#99999999;", "&#xd800;&#99999999;"),
        ] {
            assert_eq!(strip(text), plain, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_or_grows(text in ".{0,200}") {
            prop_assert!(strip(&text).len() <= text.len());
        }

        #[test]
        fn entities_do_not_panic(text in "[&<>#;x0-9a-z ä]{0,60}") {
            let _ = strip(&text);
        }
    }
}
