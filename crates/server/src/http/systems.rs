//! MII: discovery of systems (DTSD, TPSD; P2.4, P1.4).

use std::sync::Arc;

use axum::{
    Json as Answer,
    http::{HeaderName, header},
    response::AppendHeaders,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{FeatureKind, SystemId, SystemKind, SystemQuery};
use vestibule_protocol::{Request, Response, SystemView};

use super::{Api, Problem, body::Query, caller::Caller, problem::Refusals};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(discover))
}

/// A page of systems, in the order of their ids.
#[derive(Serialize, ToSchema)]
struct Systems {
    /// The systems.
    systems: Vec<SystemView>,
    /// `after` of the next page, where there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<SystemId>)]
    next: Option<SystemId>,
}

/// The link to a next page (RFC 8288); nothing where there is none.
pub(super) fn link(path: &str, pairs: &[(String, String)], after: Option<&str>) -> Option<(HeaderName, String)> {
    let after = after?;
    let mut text = String::new();
    for (name, value) in pairs.iter().filter(|(name, _)| name != "after") {
        text.push_str(&format!("{}={}&", escape(name), escape(value)));
    }
    Some((header::LINK, format!("<{path}?{text}after={}>; rel=\"next\"", escape(after))))
}

/// Percent-encodes whatever is not certainly harmless in a query.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// A word of the query as what it should be.
pub(super) fn word<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::malformed(format!("{name}={text}: not a value that {name} can have")))
}

/// A word that JSON has as a text.
pub(super) fn named<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T, Problem> {
    let json = serde_json::Value::String(text.to_owned());
    serde_json::from_value(json).map_err(|error| Problem::malformed(format!("{name}={text}: {error}")))
}

/// Conditions from the pairs of a query. A name that is not known is refused, not ignored: whoever misspells a
/// condition is not shown systems that do not meet it.
fn query(pairs: &[(String, String)]) -> Result<SystemQuery, Problem> {
    let mut query = SystemQuery::default();
    for (name, value) in pairs {
        let name = name.as_str();
        match name {
            "kind" => query.kind = Some(named(name, value)?),
            "text" => query.text = Some(value.clone()),
            "property" => {
                let words = value.split_once('=');
                let (key, value) = words.ok_or_else(|| Problem::malformed("write it as property=name%3Dvalue"))?;
                query.properties.insert(key.to_owned(), value.to_owned());
            }
            "feature" => query.feature = Some(named(name, value)?),
            "online" => query.online = Some(word(name, value)?),
            "after" => query.after = Some(named(name, value)?),
            "limit" => query.limit = word(name, value)?,
            _ => return Err(Problem::malformed(format!("systems have no condition {name}"))),
        }
    }
    Ok(query)
}

/// Find registered systems that meet conditions
///
/// All conditions that are given must hold. Only systems that the user may know of are found.
#[utoipa::path(
    get, path = "/v1/systems", tag = "mii",
    params(
        ("kind" = Option<SystemKind>, Query, description = "What it is."),
        ("text" = Option<String>, Query, description = "Part of its name or id, in any case."),
        ("property" = Option<Vec<String>>, Query, description = "`name=value`, as often as wanted."),
        ("feature" = Option<FeatureKind>, Query, description = "It maintains a twin with such a feature."),
        ("online" = Option<bool>, Query, description = "It is online, or is not."),
        ("after" = Option<SystemId>, Query, description = "Systems after this one: `next` of the page before."),
        ("limit" = Option<u16>, Query, description = "At most so many; 0: the default of 50."),
    ),
    responses(
        (status = 200, description = "Those that were found.", body = Systems, headers(
            ("Link" = Option<String>, description = "`rel=next`: the next page, where there may be one.")
        )),
        Refusals
    )
)]
async fn discover(
    caller: Caller,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<(AppendHeaders<Option<(HeaderName, String)>>, Answer<Systems>), Problem> {
    let query = query(&pairs)?;
    let Response::Systems(systems) = caller.ask(Request::DiscoverSystems(query)).await? else {
        return Err(Problem::strange());
    };
    // Pages are also cut where a frame over QUIC would end: only an empty page is certainly the last one.
    let next = systems.last().map(|view| view.info.id.clone());
    let link = link("/v1/systems", &pairs, next.as_ref().map(SystemId::as_str));
    Ok((AppendHeaders(link), Answer(Systems { systems, next })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &[(&str, &str)]) -> Vec<(String, String)> {
        text.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_condition_can_be_asked_for() {
        let all = pairs(&[
            ("kind", "third_party"),
            ("text", "lamps"),
            ("property", "colour=red"),
            ("property", "size=a=b"),
            ("feature", "light"),
            ("online", "false"),
            ("after", "shop"),
            ("limit", "7"),
        ]);
        let query = query(&all).unwrap();
        assert_eq!(query.properties["size"], "a=b");
        assert_eq!((query.online, query.limit), (Some(false), 7));
        assert!(query.kind.is_some() && query.feature.is_some() && query.after.is_some());
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        for wrong in [
            ("knid", "third_party"),
            ("kind", "shop"),
            ("online", "maybe"),
            ("property", "red"),
            ("promised_luck", "1"),
            ("limit", "-1"),
            ("after", "a b"),
        ] {
            assert_eq!(query(&pairs(&[wrong])).unwrap_err().status().as_u16(), 400, "{wrong:?}");
        }
    }

    #[test]
    fn the_next_page_keeps_the_conditions() {
        let conditions = pairs(&[("text", "a&b"), ("after", "x")]);
        let (_, link) = link("/v1/systems", &conditions, Some("home")).unwrap();
        assert_eq!(link, "</v1/systems?text=a%26b&after=home>; rel=\"next\"");
    }
}
