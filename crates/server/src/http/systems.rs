//! MII: discovery of systems (DTSD, TPSD; P2.4, P1.4).

use std::sync::Arc;

use axum::{
    Json as Answer,
    http::{HeaderName, StatusCode, header},
    response::AppendHeaders,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{
    Area, Cell, CellError, Charge, ChargePer, Currency, FeatureKind, ServiceId, ServiceLevel, SystemId, SystemKind,
    SystemQuery,
};
use vestibule_protocol::{Request, Response, SystemView};

use super::{
    Api, Problem,
    body::{Path, Query},
    caller::Caller,
    problem::Refusals,
};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(discover)).routes(routes!(remove_system))
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
    let (mut cell, mut ring) = (None, None);
    let (mut amount, mut currency, mut per) = (None, None, ChargePer::Call);
    for (name, value) in pairs {
        let name = name.as_str();
        match name {
            "kind" => query.kind = Some(named(name, value)?),
            "system_type" => query.system_type = Some(value.clone()),
            "text" => query.text = Some(value.clone()),
            "property" => {
                let words = value.split_once('=');
                let (key, value) = words.ok_or_else(|| Problem::invalid("write it as property=name%3Dvalue"))?;
                query.properties.insert(key.to_owned(), value.to_owned());
            }
            "cell" => cell = Some(value.parse().map_err(|error: CellError| Problem::invalid(error.to_string()))?),
            "ring" => ring = Some(word(name, value)?),
            "feature" => query.feature = Some(named(name, value)?),
            "service" => query.service = Some(named(name, value)?),
            "charge_amount" => amount = Some(word(name, value)?),
            "charge_currency" => currency = Some(word(name, value)?),
            "charge_per" => per = named(name, value)?,
            "keeps_promises" => query.keeps_promises = Some(word(name, value)?),
            "online" => query.online = Some(word(name, value)?),
            "after" => query.after = Some(named(name, value)?),
            "limit" => query.limit = word(name, value)?,
            _ => match name.split_once('_') {
                Some(("promised", what)) => level(query.level.get_or_insert_default(), name, what, value)?,
                Some(("measured", what)) => level(query.measured.get_or_insert_default(), name, what, value)?,
                _ => return Err(Problem::malformed(format!("systems have no condition {name}"))),
            },
        }
    }
    query.place = match (cell, ring) {
        (Some(cell), ring) => Some(Area { cell, ring: ring.unwrap_or_default() }),
        (None, None) => None,
        (None, Some(_)) => return Err(Problem::invalid("a ring is around a cell: give the cell too")),
    };
    query.charge = match (amount, currency) {
        (Some(amount), Some(currency)) => Some(Charge { amount, currency, per }),
        (None, None) => None,
        _ => return Err(Problem::invalid("a charge is charge_amount and charge_currency")),
    };
    Ok(query)
}

fn level(level: &mut ServiceLevel, name: &str, what: &str, value: &str) -> Result<(), Problem> {
    match what {
        "availability_permille" => level.availability_permille = Some(word(name, value)?),
        "error_permille" => level.error_permille = Some(word(name, value)?),
        "p99_ms" => level.p99_ms = Some(word(name, value)?),
        "freshness_ms" => level.freshness_ms = Some(word(name, value)?),
        _ => return Err(Problem::malformed(format!("systems have no condition {name}"))),
    }
    Ok(())
}

/// Find registered systems that meet conditions
///
/// All conditions that are given must hold. Only systems that the user may know of are found.
#[utoipa::path(
    get, path = "/v1/systems", tag = "mii",
    params(
        ("kind" = Option<SystemKind>, Query, description = "What it is."),
        ("system_type" = Option<String>, Query, description = "Its type, exactly."),
        ("text" = Option<String>, Query, description = "Part of its name or id, in any case."),
        ("property" = Option<Vec<String>>, Query, description = "`name=value`, as often as wanted."),
        ("cell" = Option<Cell>, Query, description = "It may be in this H3 cell."),
        ("ring" = Option<u8>, Query, description = "Rings of cells around `cell` that are as good."),
        ("feature" = Option<FeatureKind>, Query, description = "It maintains a twin with such a feature."),
        ("service" = Option<ServiceId>, Query, description = "It offers this service."),
        ("charge_amount" = Option<u64>, Query, description = "It costs at most this, in the smallest unit."),
        ("charge_currency" = Option<Currency>, Query, description = "In this currency."),
        ("charge_per" = Option<ChargePer>, Query, description = "For this; where not given: for a call."),
        ("promised_availability_permille" = Option<u16>, Query, description = "It promises at least this."),
        ("promised_error_permille" = Option<u16>, Query, description = "It promises at most this."),
        ("promised_p99_ms" = Option<u64>, Query, description = "It promises at most this."),
        ("promised_freshness_ms" = Option<u64>, Query, description = "It promises at most this."),
        ("measured_availability_permille" = Option<u16>, Query, description = "It was measured: at least this."),
        ("measured_error_permille" = Option<u16>, Query, description = "It was measured: at most this."),
        ("measured_p99_ms" = Option<u64>, Query, description = "It was measured: at most this."),
        ("measured_freshness_ms" = Option<u64>, Query, description = "It was measured: at most this."),
        ("keeps_promises" = Option<bool>, Query, description = "It keeps all that it promised, or does not."),
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

/// Take a system out, with its twins; its id is free again (owners only)
#[utoipa::path(
    delete, path = "/v1/systems/{system}", tag = "administration",
    params(("system" = SystemId, Path, description = "The system.")),
    responses((status = 204, description = "It is gone."), Refusals)
)]
async fn remove_system(caller: Caller, Path(system): Path<SystemId>) -> Result<StatusCode, Problem> {
    caller.done(Request::RemoveSystem(system)).await?;
    Ok(StatusCode::NO_CONTENT)
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
            ("system_type", "shop"),
            ("text", "lamps"),
            ("property", "colour=red"),
            ("property", "size=a=b"),
            ("cell", "8828308281fffff"),
            ("ring", "2"),
            ("feature", "light"),
            ("service", "order"),
            ("charge_amount", "500"),
            ("charge_currency", "EUR"),
            ("charge_per", "item"),
            ("promised_availability_permille", "990"),
            ("measured_p99_ms", "100"),
            ("keeps_promises", "true"),
            ("online", "false"),
            ("after", "shop"),
            ("limit", "7"),
        ]);
        let query = query(&all).unwrap();
        assert_eq!(query.properties["size"], "a=b");
        assert_eq!(query.place.map(|area| area.ring), Some(2));
        assert_eq!(query.charge.map(|charge| (charge.amount, charge.per)), Some((500, ChargePer::Item)));
        assert_eq!(query.level.and_then(|level| level.availability_permille), Some(990));
        assert_eq!(query.measured.and_then(|level| level.p99_ms), Some(100));
        assert_eq!((query.online, query.keeps_promises, query.limit), (Some(false), Some(true), 7));
        assert!(query.kind.is_some() && query.feature.is_some() && query.service.is_some() && query.after.is_some());
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        for (name, value, status) in [
            ("knid", "third_party", 400),
            ("kind", "shop", 400),
            ("online", "maybe", 400),
            ("promised_luck", "1", 400),
            ("limit", "-1", 400),
            ("after", "a b", 400),
            // What the document lets through, and makes no sense all the same.
            ("property", "red", 422),
            ("ring", "2", 422),
            ("cell", "8", 422),
            ("charge_amount", "5", 422),
        ] {
            let problem = query(&pairs(&[(name, value)])).unwrap_err();
            assert_eq!(problem.status().as_u16(), status, "{name}={value}");
        }
    }

    #[test]
    fn the_next_page_keeps_the_conditions() {
        let conditions = pairs(&[("text", "a&b"), ("after", "x")]);
        let (_, link) = link("/v1/systems", &conditions, Some("home")).unwrap();
        assert_eq!(link, "</v1/systems?text=a%26b&after=home>; rel=\"next\"");
    }
}
