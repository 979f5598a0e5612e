//! Owners: the rules of access control (DTAC), guarded against lost updates by `If-Match`.

use std::sync::Arc;

use axum::{
    Json as Answer,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::AppendHeaders,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_enabler_core::Condition;
use vestibule_model::{Rule, RuleId};
use vestibule_protocol::{Request, Response};

use super::{
    Api, Problem,
    body::{Json, Path},
    caller::Caller,
    problem::{BadBody, Refusals},
};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(all)).routes(routes!(rule, put, remove))
}

/// All rules.
#[derive(Serialize, ToSchema)]
struct Rules {
    /// The rules, in the order of their ids.
    rules: Vec<Rule>,
}

async fn rules(caller: &Caller) -> Result<Vec<Rule>, Problem> {
    match caller.ask(Request::Rules).await? {
        Response::Rules(rules) => Ok(rules),
        _ => Err(Problem::strange()),
    }
}

/// All rules (owners only)
#[utoipa::path(
    get, path = "/v1/rules", tag = "administration",
    responses((status = 200, description = "The rules.", body = Rules), Refusals)
)]
async fn all(caller: Caller) -> Result<Answer<Rules>, Problem> {
    Ok(Answer(Rules { rules: rules(&caller).await? }))
}

type Tagged = (AppendHeaders<[(HeaderName, String); 1]>, Answer<Rule>);

fn tagged(rule: Rule) -> Tagged {
    (AppendHeaders([(header::ETAG, format!("\"{}\"", Condition::tag(&rule)))]), Answer(rule))
}

/// One rule (owners only)
#[utoipa::path(
    get, path = "/v1/rules/{rule}", tag = "administration",
    params(("rule" = RuleId, Path, description = "The rule.")),
    responses(
        (status = 200, description = "The rule.", body = Rule, headers(
            ("ETag" = String, description = "What it is now, for `If-Match`.")
        )),
        Refusals
    )
)]
async fn rule(caller: Caller, Path(id): Path<RuleId>) -> Result<Tagged, Problem> {
    let rule = rules(&caller).await?.into_iter().find(|rule| rule.id == id);
    rule.map(tagged).ok_or_else(|| Problem::not_found(format!("there is no rule {id}")))
}

/// What must be so for a change, by `If-Match` and `If-None-Match`.
fn condition(id: &RuleId, headers: &HeaderMap) -> Result<Option<Condition>, Problem> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default().trim());
    let tag = match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
        (None, None) => return Ok(None),
        (None, Some("*")) => None,
        (Some("*"), None) => return Ok(Some(Condition::RuleExists(id.clone()))),
        (Some(tag), None) => {
            let inner = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            let inner = inner.filter(|tag| tag.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'));
            Some(inner.ok_or_else(|| Problem::malformed("If-Match: give the ETag of the rule, or *"))?)
        }
        (Some(_), Some(_)) => return Err(Problem::invalid("If-Match and If-None-Match: give one of them")),
        (None, Some(_)) => return Err(Problem::malformed("If-None-Match: give *")),
    };
    Ok(Some(Condition::RuleIs(id.clone(), tag.map(str::to_owned))))
}

/// Add a rule, or change the one of its id (owners only)
#[utoipa::path(
    put, path = "/v1/rules/{rule}", tag = "administration", request_body = Rule,
    params(
        ("rule" = RuleId, Path, description = "The rule: the same as in the body."),
        ("If-Match" = Option<String>, Header, pattern = r#"^(\*|"[!#-~]*")$"#, description = "Only where the rule is still the one of this ETag; `*`: only where there is one."),
        ("If-None-Match" = Option<String>, Header, pattern = r"^\*$", description = "`*`: only where there is none yet."),
    ),
    responses(
        (status = 200, description = "It is so from now on.", body = Rule, headers(
            ("ETag" = String, description = "What it is now, for `If-Match`.")
        )),
        Refusals, BadBody
    )
)]
async fn put(
    caller: Caller,
    Path(id): Path<RuleId>,
    headers: HeaderMap,
    Json(rule): Json<Rule>,
) -> Result<Tagged, Problem> {
    if rule.id != id {
        return Err(Problem::invalid(format!("the path names rule {id}, the body {}", rule.id)));
    }
    let condition = condition(&id, &headers)?;
    caller.done_if(Request::SetRule(rule.clone()), condition).await?;
    Ok(tagged(rule))
}

/// Take a rule away (owners only)
#[utoipa::path(
    delete, path = "/v1/rules/{rule}", tag = "administration",
    params(
        ("rule" = RuleId, Path, description = "The rule."),
        ("If-Match" = Option<String>, Header, pattern = r#"^(\*|"[!#-~]*")$"#, description = "Only where the rule is still the one of this ETag."),
    ),
    responses((status = 204, description = "It is gone."), Refusals)
)]
async fn remove(caller: Caller, Path(id): Path<RuleId>, headers: HeaderMap) -> Result<StatusCode, Problem> {
    let condition = condition(&id, &headers)?;
    caller.done_if(Request::RemoveRule(id), condition).await?;
    Ok(StatusCode::NO_CONTENT)
}
