//! MII: services of third-party systems (TPSAA, SDC; P1.6 to P1.14): agreements, and calls over several systems.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::AppendHeaders,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{
    Authorization, CallId, CallStep, CallUpdate, Collaboration, Json as Document, ServiceId, Sharing, SystemId,
    Timestamp, TraceId,
};
use vestibule_protocol::{Request, Response};

use super::{
    Api, Problem,
    body::{Json, Path},
    caller::Caller,
    key,
    problem::{BadBody, Refusals},
};

/// Milliseconds that a call may take where nothing is said.
const VALID_MS: u64 = 60_000;
/// What a key of a call is hashed with.
const CONTEXT: &str = "vestibule 2026 idempotency key of a call";

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(authorizations))
        .routes(routes!(authorize, deauthorize))
        .routes(routes!(invoke))
        .routes(routes!(call, cancel))
}

/// What a user has agreed with third-party systems.
#[derive(Serialize, ToSchema)]
struct Authorizations {
    /// Each agreement that holds.
    authorizations: Vec<Authorization>,
}

/// What the user has agreed with third-party systems
#[utoipa::path(
    get, path = "/v1/authorizations", tag = "mii",
    responses((status = 200, description = "Each agreement that holds.", body = Authorizations), Refusals)
)]
async fn authorizations(caller: Caller) -> Result<Answer<Authorizations>, Problem> {
    match caller.ask(Request::Authorizations).await? {
        Response::Authorizations(authorizations) => Ok(Answer(Authorizations { authorizations })),
        _ => Err(Problem::strange()),
    }
}

/// What a user wants of a third-party system, and what it may know for that.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Proposal {
    /// The services to use.
    services: BTreeSet<ServiceId>,
    /// What the system may know; where not given: nothing.
    #[serde(default)]
    share: Sharing,
    /// Until when, within the next year.
    until: Timestamp,
}

/// Agree with a third-party system (P1.6 to P1.10)
///
/// The system is asked, under a pseudonym that only it has for this user, and answers within 5 seconds. Replaces what
/// was agreed before. Nobody shares what they may not read themselves.
#[utoipa::path(
    put, path = "/v1/authorizations/{system}", tag = "mii", request_body = Proposal,
    params(("system" = SystemId, Path, description = "The third-party system.")),
    responses((status = 200, description = "What is agreed.", body = Authorization), Refusals, BadBody)
)]
async fn authorize(
    caller: Caller,
    Path(system): Path<SystemId>,
    Json(Proposal { services, share, until }): Json<Proposal>,
) -> Result<Answer<Authorization>, Problem> {
    match caller.ask(Request::Authorize { system, services, share, until }).await? {
        Response::Authorized(authorization) => Ok(Answer(authorization)),
        _ => Err(Problem::strange()),
    }
}

/// Take back at once what was agreed with a third-party system
///
/// Calls that still need it go back: what they have done is taken back where that can be.
#[utoipa::path(
    delete, path = "/v1/authorizations/{system}", tag = "mii",
    params(("system" = SystemId, Path, description = "The third-party system.")),
    responses((status = 204, description = "It has ended."), Refusals)
)]
async fn deauthorize(caller: Caller, Path(system): Path<SystemId>) -> Result<StatusCode, Problem> {
    caller.done(Request::Deauthorize { system }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Services of one or several systems, used one after the other.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Order {
    /// What the user gives: any JSON.
    #[serde(default)]
    input: Document,
    /// The steps, in order; each may be given what those before gave.
    #[schema(min_items = 1, max_items = 16)]
    steps: Vec<CallStep>,
    /// After this moment no further step begins.
    not_after: Option<Timestamp>,
    /// The same, from now on: milliseconds, at most an hour. Where neither is given: 60 000.
    valid_for_ms: Option<u64>,
    /// Names everything that follows from one click.
    trace: Option<TraceId>,
}

impl Order {
    fn collaboration(self, id: CallId, now: Timestamp) -> Collaboration {
        let Self { input, steps, not_after, valid_for_ms, trace } = self;
        let not_after = not_after.unwrap_or_else(|| now.plus(valid_for_ms.unwrap_or(VALID_MS)));
        Collaboration { id, input, steps, not_after, trace }
    }
}

type Accepted = (StatusCode, AppendHeaders<[(HeaderName, String); 1]>, Answer<CallUpdate>);

/// Use services of third-party systems (P1.11 to P1.14)
///
/// Written down before it is answered. The same `Idempotency-Key` is the same call, however often it comes: its first
/// validity counts. When a step fails, those before it are taken back in reverse order where their services say how;
/// `kept` names what could not be. Updates come as `call` over `GET /v1/events`.
#[utoipa::path(
    post, path = "/v1/calls", tag = "mii", request_body = Order,
    params(
        ("Idempotency-Key" = String, Header, pattern = "^[!-~]([ -~]{0,254}[!-~])?$", description = "32 hexadecimal digits are the call's id; anything else of at most 256 characters is hashed into one."),
    ),
    responses(
        (status = 202, description = "It is written down.", body = CallUpdate, headers(
            ("Location" = String, description = "Where to ask how far it is.")
        )),
        Refusals, BadBody
    )
)]
async fn invoke(
    caller: Caller,
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Json(order): Json<Order>,
) -> Result<Accepted, Problem> {
    let id = CallId(key::id(caller.user(), &headers, CONTEXT)?);
    let request = Request::Invoke(Box::new(order.collaboration(id, api.clock.now())));
    let Answer(update) = told(caller.ask(request).await?)?;
    let location = format!("/v1/calls/{id}");
    Ok((StatusCode::ACCEPTED, AppendHeaders([(header::LOCATION, location)]), Answer(update)))
}

fn told(response: Response) -> Result<Answer<CallUpdate>, Problem> {
    match response {
        Response::Call(update) => Ok(Answer(update)),
        _ => Err(Problem::strange()),
    }
}

/// How far a call of the user's is, step by step
///
/// Ended ones are known for ten minutes beyond their time.
#[utoipa::path(
    get, path = "/v1/calls/{call}", tag = "mii",
    params(("call" = CallId, Path, description = "The call.")),
    responses((status = 200, description = "How far it is.", body = CallUpdate), Refusals)
)]
async fn call(caller: Caller, Path(call): Path<CallId>) -> Result<Answer<CallUpdate>, Problem> {
    told(caller.ask(Request::Call(call)).await?)
}

/// Begin no further step of a call, and take back what was done
#[utoipa::path(
    delete, path = "/v1/calls/{call}", tag = "mii",
    params(("call" = CallId, Path, description = "The call.")),
    responses((status = 200, description = "How far it is.", body = CallUpdate), Refusals)
)]
async fn cancel(caller: Caller, Path(call): Path<CallId>) -> Result<Answer<CallUpdate>, Problem> {
    told(caller.ask(Request::CancelCall(call)).await?)
}
