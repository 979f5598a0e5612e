//! Which lines somebody wants to see.

use std::collections::HashMap;

use serde_json::Value;
use vestibule_model::Timestamp;

use super::LogArgs;

/// A moment as people write it (RFC 3339): `2026-11-20T14:03:07Z`, `2026-11-20T15:03:07.5+01:00`.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("{text:?} is no moment: write it as 2026-11-20T14:03:07Z");
    let at: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
    u64::try_from(at.as_millisecond()).map(Timestamp).map_err(|_| wrong())
}

/// What is wanted; nothing said: everything.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) who: Option<String>,
    pub(super) twin: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

/// Follows the log, because what happened to a command or a lease says neither whose it was nor of which
/// twin.
#[derive(Debug, Default)]
pub(super) struct Filter {
    wanted: Wanted,
    /// Commands and leases by their ids: whose, and of which twin.
    begun: HashMap<String, (Option<String>, Option<String>)>,
}

fn text<'a>(fact: &'a Value, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| fact.get(name).and_then(Value::as_str))
}

impl Filter {
    pub(super) fn new(args: &LogArgs) -> Self {
        Self { wanted: args.into(), begun: HashMap::new() }
    }

    /// Whether lines before the first one wanted have to be read as well.
    pub(super) const fn needs_all(&self) -> bool {
        self.wanted.twin.is_some() || self.wanted.who.is_some()
    }

    /// Whether a line is wanted. What is no JSON is not left out: somebody should see it.
    pub(super) fn takes(&mut self, at: Timestamp, words: &str) -> bool {
        let Ok(Value::Object(line)) = serde_json::from_str::<Value>(words) else { return true };
        let Some((kind, fact)) = line.iter().next() else { return true };
        let (who, twin) = self.about(fact);
        let in_time =
            self.wanted.since.is_none_or(|since| at >= since) && self.wanted.until.is_none_or(|until| at < until);
        let same =
            |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|wanted| found == Some(wanted));
        let whose = self.wanted.who.as_deref().is_none_or(|wanted| who.iter().any(|who| who == wanted));
        in_time && same(&self.wanted.kind, Some(kind.as_str())) && same(&self.wanted.twin, twin.as_deref()) && whose
    }

    /// Everybody whom a fact names, and its twin.
    fn about(&mut self, fact: &Value) -> (Vec<String>, Option<String>) {
        let mut who: Vec<String> = ["user", "by", "holder"]
            .iter()
            .filter_map(|name| fact.get(name).and_then(Value::as_str))
            .map(str::to_owned)
            .collect();
        let inside = ["/rule/who/User", "/user/id"].into_iter().filter_map(|path| fact.pointer(path));
        who.extend(inside.filter_map(Value::as_str).map(str::to_owned));
        // What begins something that is spoken of by its id later.
        let begun =
            ["command", "request"].into_iter().filter_map(|name| fact.get(name)).find(|begun| begun.is_object());
        let described = fact.get("info").filter(|info| info.get("features").is_some());
        let twin = text(fact, &["twin"])
            .or_else(|| begun.and_then(|begun| text(begun, &["twin"])))
            .or_else(|| described.and_then(|info| text(info, &["id"])))
            .map(str::to_owned);
        if let Some(id) = begun.and_then(|begun| text(begun, &["id"])) {
            self.begun.insert(id.to_owned(), (who.first().cloned(), twin.clone()));
            return (who, twin);
        }
        let Some((owner, about)) = text(fact, &["command", "lease"]).and_then(|id| self.begun.get(id)) else {
            return (who, twin);
        };
        who.extend(owner.clone());
        (who, twin.or_else(|| about.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        assert_eq!(moment("1970-01-01T00:00:01Z").unwrap(), Timestamp(1_000));
        assert_eq!(moment("1970-01-01T01:00:00.5+01:00").unwrap(), Timestamp(500));
        for wrong in ["", "yesterday", "1970-01-01", "1969-12-31T23:59:59Z", "14:03"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_became_of_a_command_is_its_twins_and_its_users() {
        let lines = [
            r#"{"command_accepted":{"command":{"id":"ab","twin":"home/door"},"user":"ada","rule":"r"}}"#,
            r#"{"command_accepted":{"command":{"id":"cd","twin":"home/lamp"},"user":"bo","rule":"r"}}"#,
            r#"{"command_ended":{"command":"ab","status":"Confirmed","unmet":[]}}"#,
            r#"{"rule_set":{"rule":{"id":"x","who":{"User":"ada"}},"by":"bo"}}"#,
            r#"{"twin_described":{"info":{"id":"home/door","features":{}}}}"#,
            "not JSON",
            r#"{"lease_queued":{"request":{"id":"ef","twin":"home/door"},"user":"cy"}}"#,
            r#"{"lease_granted":{"lease":"ef","fence":1}}"#,
        ];
        let found = |wanted: Wanted| {
            let mut filter = Filter { wanted, ..Filter::default() };
            let taken = lines.iter().zip(1_u64..).filter(|(line, at)| filter.takes(Timestamp(*at), line));
            taken.map(|(_, at)| at).collect::<Vec<_>>()
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(found(Wanted::default()), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(found(Wanted { who: text("ada"), ..Wanted::default() }), [1, 3, 4, 6]);
        assert_eq!(found(Wanted { twin: text("home/door"), ..Wanted::default() }), [1, 3, 5, 6, 7, 8]);
        assert_eq!(found(Wanted { who: text("cy"), ..Wanted::default() }), [6, 7, 8]);
        assert_eq!(found(Wanted { kind: text("rule_set"), ..Wanted::default() }), [4, 6]);
        let time = Wanted { since: Some(Timestamp(2)), until: Some(Timestamp(4)), ..Wanted::default() };
        assert_eq!(found(time), [2, 3, 6]);
    }
}
