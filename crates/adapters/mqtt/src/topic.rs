//! Topic names and filters.

use crate::limits::MAX_TOPIC;

/// Whether `topic` can be published to.
pub(crate) fn is_name(topic: &str) -> bool {
    !topic.is_empty() && topic.len() <= MAX_TOPIC && !topic.contains(['+', '#', '\0'])
}

/// Whether `filter` can be subscribed to.
pub(crate) fn is_filter(filter: &str) -> bool {
    if filter.is_empty() || filter.len() > MAX_TOPIC || filter.contains('\0') {
        return false;
    }
    let levels = filter.split('/').count();
    filter.split('/').enumerate().all(|(at, level)| match level {
        "+" => true,
        "#" => at + 1 == levels,
        _ => !level.contains(['+', '#']),
    })
}

/// Whether `filter` has a wildcard.
pub(crate) fn is_wild(filter: &str) -> bool {
    filter.contains(['+', '#'])
}

/// Whether `topic` meets `filter`.
pub(crate) fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        if wanted == "#" {
            return true;
        }
        match levels.next() {
            Some(level) if wanted == "+" || wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_mqtt_has_it() {
        assert!(matches("a/+/c", "a/b/c") && matches("a/#", "a/b/c") && matches("a/#", "a") && matches("#", "a/b"));
        assert!(!matches("a/+", "a/b/c") && !matches("a/b", "a") && !matches("#", "$SYS/x") && !matches("a", "a/b"));
        assert!(is_filter("a/+/#") && !is_filter("a/#/b") && !is_filter("a+/b") && !is_filter(""));
        assert!(is_name("a/b") && !is_name("a/+") && !is_name(""));
    }
}
