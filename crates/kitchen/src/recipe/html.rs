//! Script blocks of a page, by their bytes: no document is built of a stranger's page.

use super::RecipeError;

/// The texts of every `<script type="application/ld+json">`, in order. Comments are skipped, and so are other scripts.
pub fn scripts(page: &str, most: usize) -> Result<Vec<&str>, RecipeError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = page.get(at..).and_then(|rest| rest.find('<')).map(|start| at + start) {
        let rest = page.get(open..).unwrap_or_default();
        if rest.starts_with("<!--") {
            at = open + rest.find("-->").map_or(rest.len(), |end| end + 3);
        } else if starts_with(rest, "<script") && rest.as_bytes().get(7).is_some_and(|next| b" \t\r\n/>".contains(next))
        {
            let Some(end) = tag_end(rest) else { break };
            let attributes = rest.get(7..end).unwrap_or_default();
            let body = rest.get(end + 1..).unwrap_or_default();
            let length = close(body);
            if is_json_ld(attributes) {
                if found.len() >= most {
                    return Err(RecipeError::TooMany { what: "script blocks", limit: most });
                }
                found.push(bare(body.get(..length).unwrap_or_default()));
            }
            at = open + end + 1 + length;
        } else {
            at = open + 1;
        }
    }
    Ok(found)
}

fn starts_with(text: &str, start: &str) -> bool {
    text.as_bytes().get(..start.len()).is_some_and(|bytes| bytes.eq_ignore_ascii_case(start.as_bytes()))
}

/// Where the tag's `>` is: not inside of quotes.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// How long the script is: up to its closing tag, or to the end.
fn close(body: &str) -> usize {
    let mut from = 0;
    while let Some(at) = body.get(from..).and_then(|rest| rest.find("</")).map(|start| from + start) {
        if starts_with(body.get(at..).unwrap_or_default(), "</script") {
            return at;
        }
        from = at + 2;
    }
    body.len()
}

/// Whether the attributes say `type="application/ld+json"`, in any quotes, in any case, with or without parameters.
fn is_json_ld(attributes: &str) -> bool {
    let lower = attributes.to_ascii_lowercase();
    lower.match_indices("type").any(|(at, word)| {
        let before = at.checked_sub(1).and_then(|at| lower.as_bytes().get(at)).copied();
        let Some(value) = lower.get(at + word.len()..).and_then(|rest| rest.trim_start().strip_prefix('=')) else {
            return false;
        };
        let value = value.trim_start().trim_start_matches(['"', '\'']);
        before.is_none_or(|byte| b" \t\r\n/\"'".contains(&byte)) && value.starts_with("application/ld+json")
    })
}

/// Without what old pages wrap around a script.
fn bare(script: &str) -> &str {
    let mut script = script.trim();
    for start in ["<!--", "//<![CDATA[", "// <![CDATA[", "/*<![CDATA[*/", "<![CDATA["] {
        script = script.strip_prefix(start).unwrap_or(script).trim();
    }
    for end in ["-->", "//]]>", "// ]]>", "/*]]>*/", "]]>"] {
        script = script.strip_suffix(end).unwrap_or(script).trim();
    }
    script.trim_end_matches(';').trim()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_blocks_of_linked_data_are_taken() {
        let page = r#"<html><!-- <script type="application/ld+json">{"no":1}</script> -->
            <SCRIPT data-x='>' TYPE='application/ld+json'>{"a":1}</SCRIPT>
            <script>var s = '<script type="application/ld+json">'; </script>
            <script type=application/ld+json>//<![CDATA[
            {"b":2}
            //]]></script>
            <script type="application/ld+json; charset=utf-8">{"c":3}"#;
        assert_eq!(scripts(page, 8).unwrap(), [r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#]);
        assert!(matches!(scripts(page, 2), Err(RecipeError::TooMany { .. })));
        assert!(
            scripts("<script", 1).unwrap().is_empty()
                && scripts("<scripty type=application/ld+json>x", 1).unwrap().is_empty()
        );
    }

    proptest! {
        #[test]
        fn no_page_panics(parts in proptest::collection::vec(0_usize..12, 0..40), text in ".{0,40}") {
            const PIECES: [&str; 12] = [
                "<script", " type=", "\"application/ld+json\"", ">", "</script", "<!--", "-->", "'", "ä", "<", "]]>", "{}",
            ];
            let page: String = parts.into_iter().map(|part| PIECES[part]).chain([text.as_str()]).collect();
            let _ = scripts(&page, 4);
        }
    }
}
