//! What answers over HTTP mean.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use vestibule_model::{
    ContentHash, FeatureId, LeaseUpdate, PropertyId, Refusal, RefusalCode, Rule, RuleId, Timestamp, TwinInfo,
};
use vestibule_protocol::{FeatureAccess, LogLine, Me, ProcedureStep, Response, SystemView, TwinView, WireReading};

use crate::wire::Answer;

/// How an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing in it counts.
    Done,
    /// A page of systems.
    Systems,
    /// A page of twins.
    Twins,
    /// One twin.
    Twin,
    /// How far a command is.
    Command,
    /// How far a lease is.
    Lease,
    /// Who holds, who waits.
    Leases,
    /// Why and why not.
    Explanation,
    /// All rules.
    Rules,
    /// A page of the log.
    Log,
    /// A page of steps.
    Steps,
    /// Who one is.
    Me,
    /// Who there is.
    People,
    /// A pairing code.
    Code,
    /// A delegated token.
    Token,
    /// What is agreed with one third party.
    Authorized,
    /// What is agreed with all.
    Authorizations,
    /// How far a call is.
    Call,
    /// Whether the one report was taken.
    Report,
    /// How far something that is given is.
    Given,
    /// How far a purchase is.
    Purchase,
    /// A page of purchases.
    Purchases,
    /// A product that is a twin.
    Product,
    /// A page of those.
    Products,
    /// What was decided about a twin.
    History,
}

/// A twin as the API shows it.
#[derive(Deserialize)]
pub(super) struct Twin {
    info: TwinInfo,
    access: BTreeMap<FeatureId, FeatureAccess>,
    reachable: bool,
    away: BTreeSet<FeatureId>,
    readings: BTreeMap<FeatureId, BTreeMap<PropertyId, WireReading>>,
}

impl Twin {
    /// The same in the order of its properties; what belongs to none of them comes last.
    pub(super) fn view(self) -> TwinView {
        let Self { info, access, reachable, away, mut readings } = self;
        let mut take = |feature, property| readings.get_mut(feature)?.remove(property);
        let mut ordered: Vec<WireReading> =
            info.properties().filter_map(|(feature, property, _)| take(feature, property)).collect();
        ordered.extend(readings.into_values().flat_map(BTreeMap::into_values));
        TwinView { short: 0, epoch: 0, info: info.into(), access, reachable, away, readings: ordered }
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes)
        .map_err(|error| Refusal::new(RefusalCode::Unavailable, format!("an answer that is none: {error}")))
}

/// One field of an object.
fn field<T: DeserializeOwned>(bytes: &[u8], name: &str) -> Result<T, Refusal> {
    let mut object: BTreeMap<String, Value> = parse(bytes)?;
    let value = object.remove(name).unwrap_or_default();
    serde_json::from_value(value)
        .map_err(|error| Refusal::new(RefusalCode::Unavailable, format!("an answer without {name}: {error}")))
}

#[derive(Deserialize)]
struct Code {
    digits: String,
    until: Timestamp,
}

#[derive(Deserialize)]
struct Line {
    sequence: u64,
    at: Timestamp,
    event: Value,
    hash: ContentHash,
}

#[derive(Deserialize)]
struct NotTaken {
    problem: Problem,
}

#[derive(Deserialize)]
struct Problem {
    status: u16,
    detail: String,
    code: String,
    #[serde(default)]
    rule: Option<RuleId>,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let Problem { status, detail, code, rule } = problem;
        let known = serde_json::from_value(Value::String(code)).ok();
        // Problems of HTTP itself are not among those of the protocol.
        let code = known.unwrap_or(if status < 500 { RefusalCode::Invalid } else { RefusalCode::Unavailable });
        Self { code, rule, message: detail }
    }
}

/// A problem as a refusal.
pub(super) fn refusal(status: u16, bytes: &[u8]) -> Refusal {
    match parse::<Problem>(bytes) {
        Ok(problem) if problem.status == status => problem.into(),
        Ok(problem) => Refusal::new(
            RefusalCode::Unavailable,
            format!("a problem with status {} came with status {status}", problem.status),
        ),
        Err(refusal) => refusal,
    }
}

/// The token that pairing gave.
pub(super) fn token(bytes: &[u8]) -> Result<String, String> {
    field(bytes, "token").map_err(|refusal| refusal.to_string())
}

/// How the enabler greets: its name, who one is, its clock.
pub(super) fn greeting(bytes: &[u8]) -> Result<(String, Me, Timestamp), String> {
    let words = |refusal: Refusal| refusal.to_string();
    let enabler = field(bytes, "enabler").map_err(words)?;
    let now = field(bytes, "now").map_err(words)?;
    parse(bytes).map(|me| (enabler, me, now)).map_err(words)
}

/// Reads an answer.
pub(super) fn read(takes: Takes, bytes: &[u8]) -> Answer {
    Ok(match takes {
        Takes::Done => Response::Done,
        Takes::Systems => Response::Systems(field::<Vec<SystemView>>(bytes, "systems")?),
        Takes::Twins => {
            let twins: Vec<Twin> = field(bytes, "twins")?;
            Response::Twins(twins.into_iter().map(Twin::view).collect())
        }
        Takes::Twin => Response::Twins(vec![parse::<Twin>(bytes)?.view()]),
        Takes::Command => Response::Command(parse(bytes)?),
        Takes::Lease => Response::Lease(parse(bytes)?),
        Takes::Leases => Response::Leases(field::<Vec<LeaseUpdate>>(bytes, "leases")?),
        Takes::Explanation => Response::Explanation(parse(bytes)?),
        Takes::Rules => Response::Rules(field::<Vec<Rule>>(bytes, "rules")?),
        Takes::Log => {
            let lines: Vec<Line> = field(bytes, "lines")?;
            let line = |Line { sequence, at, event, hash }| LogLine { sequence, at, event: event.to_string(), hash };
            Response::Log(lines.into_iter().map(line).collect())
        }
        Takes::Steps => Response::Steps(field::<Vec<ProcedureStep>>(bytes, "steps")?),
        Takes::Me => Response::Me(parse(bytes)?),
        Takes::People => Response::People(parse(bytes)?),
        Takes::Code => {
            let Code { digits, until } = parse(bytes)?;
            Response::Code { digits, until }
        }
        Takes::Token => Response::Token(field(bytes, "token")?),
        Takes::Authorized => Response::Authorized(parse(bytes)?),
        Takes::Authorizations => Response::Authorizations(field(bytes, "authorizations")?),
        Takes::Call => Response::Call(parse(bytes)?),
        Takes::Given => Response::Given { next: field(bytes, "next")? },
        Takes::Purchase => Response::Purchase(parse(bytes)?),
        Takes::Purchases => Response::Purchases(field(bytes, "purchases")?),
        Takes::Product => Response::Product(parse(bytes)?),
        Takes::Products => Response::Products(field(bytes, "products")?),
        Takes::History => Response::History(parse(bytes)?),
        Takes::Report => match field::<Vec<NotTaken>>(bytes, "refused")?.into_iter().next() {
            Some(NotTaken { problem }) => return Err(problem.into()),
            None => Response::Done,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_refusals() {
        let problem =
            br#"{"type":"/v1/problems/held","title":"x","status":423,"detail":"no","code":"held","rule":"r"}"#;
        let due = Refusal { code: RefusalCode::Held, rule: Some(RuleId::slug("r")), message: "no".to_owned() };
        assert_eq!(refusal(423, problem), due);
        assert_eq!(refusal(200, problem).code, RefusalCode::Unavailable);
        let own = br#"{"status":400,"detail":"x","code":"malformed"}"#;
        assert_eq!(refusal(400, own).code, RefusalCode::Invalid);
        assert_eq!(refusal(500, b"<html>").code, RefusalCode::Unavailable);
    }

    #[test]
    fn a_report_that_was_not_taken_is_refused() {
        let taken = br#"{"taken":1,"refused":[]}"#;
        assert_eq!(read(Takes::Report, taken), Ok(Response::Done));
        let refused =
            br#"{"taken":0,"refused":[{"index":0,"problem":{"status":403,"detail":"x","code":"forbidden"}}]}"#;
        assert_eq!(read(Takes::Report, refused), Err(Refusal::new(RefusalCode::Forbidden, "x")));
        assert!(read(Takes::Report, b"{}").is_err());
    }
}
