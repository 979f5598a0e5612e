//! MII: commands (DTS; P2.15 to P2.18). The idempotency key is the command, `If-Match` is the revision that was seen.

use std::sync::Arc;

use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::AppendHeaders,
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{
    ActionId, Command, CommandId, FeatureId, LeaseId, PropertyValue, Timestamp, TraceId, TwinId, Value,
};
use vestibule_protocol::{CommandUpdate, Request, Response};

use super::{
    Api, Problem,
    body::{Json, Path},
    caller::Caller,
    key,
    problem::{BadBody, Refusals},
    twins::TwinPath,
};

/// Milliseconds that a command is valid where nothing is said.
const VALID_MS: u64 = 10_000;
/// What a key of a command is hashed with.
const CONTEXT: &str = "vestibule 2026 idempotency key of a command";

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(actuate)).routes(routes!(status))
}

/// What a thing should do.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The feature.
    feature: FeatureId,
    /// What it should do.
    action: ActionId,
    /// With what.
    #[schema(value_type = Option<PropertyValue>)]
    input: Option<Value>,
    /// After this moment it is never executed.
    not_after: Option<Timestamp>,
    /// The same, from now on: milliseconds. Where neither is given: 10 000.
    valid_for_ms: Option<u64>,
    /// Names everything that follows from one click.
    trace: Option<TraceId>,
    /// The lease under which the sender acts; needed where the twin is exclusive or somebody holds it.
    lease: Option<LeaseId>,
}

/// The revision that `If-Match` names; `*` and nothing are any.
fn expected(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let digits = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let digits = digits.filter(|digits| (1..=20).contains(&digits.len()) && digits.bytes().all(|d| d.is_ascii_digit()));
    let digits = digits.ok_or_else(|| Problem::malformed("If-Match: give the ETag of the twin, or *"))?;
    // A number that no revision can have is none that the twin has.
    digits.parse().map(Some).map_err(|_| Problem::stale("If-Match: the twin has no such revision"))
}

fn command(id: CommandId, twin: TwinId, wish: Wish, revision: Option<u64>, now: Timestamp) -> Command {
    let not_after = wish.not_after.unwrap_or_else(|| now.plus(wish.valid_for_ms.unwrap_or(VALID_MS)));
    Command {
        id,
        twin,
        feature: wish.feature,
        action: wish.action,
        input: wish.input,
        expected_revision: revision,
        not_after,
        trace: wish.trace,
        lease: wish.lease,
    }
}

type Accepted = (StatusCode, AppendHeaders<[(HeaderName, String); 1]>, Answer<CommandUpdate>);

/// Have a physical object do something
///
/// Written down before it is answered. The same `Idempotency-Key` is the same command, however often it comes: its
/// first validity counts.
#[utoipa::path(
    post, path = "/v1/twins/{system}/{twin}/commands", tag = "mii", request_body = Wish,
    params(
        TwinPath,
        ("Idempotency-Key" = String, Header, pattern = "^[!-~]([ -~]{0,254}[!-~])?$", description = "32 hexadecimal digits are the command's id; anything else of at most 256 characters is hashed into one."),
        ("If-Match" = Option<String>, Header, pattern = r#"^(\*|"[0-9]{1,20}")$"#, description = "The twin's ETag: refused where the thing has changed since."),
    ),
    responses(
        (status = 202, description = "It is written down.", body = CommandUpdate, headers(
            ("Location" = String, description = "Where to ask how far it is.")
        )),
        Refusals, BadBody
    )
)]
async fn actuate(
    caller: Caller,
    State(api): State<Arc<Api>>,
    Path(path): Path<TwinPath>,
    headers: HeaderMap,
    Json(wish): Json<Wish>,
) -> Result<Accepted, Problem> {
    let twin = path.id()?;
    let id = CommandId(key::id(caller.user(), &headers, CONTEXT)?);
    let command = command(id, twin, wish, expected(&headers)?, api.clock.now());
    let Response::Command(update) = caller.ask(Request::Actuate(command)).await? else {
        return Err(Problem::strange());
    };
    let location = format!("/v1/commands/{id}");
    Ok((StatusCode::ACCEPTED, AppendHeaders([(header::LOCATION, location)]), Answer(update)))
}

/// How far a command is
///
/// The user's own, and others' on twins that they may read. Ended ones are known for ten minutes.
#[utoipa::path(
    get, path = "/v1/commands/{command}", tag = "mii",
    params(("command" = CommandId, Path, description = "The command.")),
    responses((status = 200, description = "How far it is.", body = CommandUpdate), Refusals)
)]
async fn status(caller: Caller, Path(command): Path<CommandId>) -> Result<Answer<CommandUpdate>, Problem> {
    match caller.ask(Request::CommandStatus(command)).await? {
        Response::Command(update) => Ok(Answer(update)),
        _ => Err(Problem::strange()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        [(name, HeaderValue::from_str(value).unwrap())].into_iter().collect()
    }

    #[test]
    fn only_strong_tags_of_twins_are_revisions() {
        assert_eq!(expected(&with(header::IF_MATCH, "\"17\"")).unwrap(), Some(17));
        assert_eq!(expected(&with(header::IF_MATCH, "*")).unwrap(), None);
        assert_eq!(expected(&HeaderMap::new()).unwrap(), None);
        for wrong in ["17", "W/\"17\"", "\"x\"", "\"17\", \"18\"", ""] {
            assert!(expected(&with(header::IF_MATCH, wrong)).is_err(), "{wrong}");
        }
    }
}
