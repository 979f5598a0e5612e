//! SII: what third-party systems say and are told (TPSR, TPSAA, SDC, DTDA; P1.1 to P1.3, P1.7 and P1.8, P1.14 to P1.19).

use std::sync::Arc;

use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{CallId, InquiryId, Pseudonym, StepKey, SystemId, SystemInfo};
use vestibule_protocol::{AuthorizationAnswer, CallResult, Event, Request, Response as Said, SiiDown, SiiUp};

use super::{
    Api, Problem,
    body::{Json, Path, Query},
    caller::Supplier,
    dii::Registered,
    inbox::Fetched,
    poll::{self, Acknowledged, Wanted},
    problem::{BadBody, Refusals},
    twins::{TwinName, twin_id},
    view::Twin,
};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(register, deregister))
        .routes(routes!(heartbeat))
        .routes(routes!(inbox))
        .routes(routes!(acknowledge))
        .routes(routes!(answer))
        .routes(routes!(result))
        .routes(routes!(revoke))
        .routes(routes!(acquire))
}

impl Supplier {
    /// Says something, after whatever the same system said before.
    async fn say(&self, message: SiiUp) -> Result<(), Problem> {
        let _turn = self.turn.lock().await;
        self.done(Request::Sii(message)).await
    }
}

/// Register a third-party system (P1.1 to P1.3), or say something else of it
///
/// The system is connected for as long as it says or asks something at least every 60 seconds; a waiting inbox counts.
/// After that it registers anew. A service says of itself whether it may be asked again (`idempotent`), which other
/// service takes it back (`undo`), and how long its answers take (`timeout_ms`): the enabler acts on that.
#[utoipa::path(
    put, path = "/v1/sii/registration", tag = "sii", operation_id = "sii_register", request_body = SystemInfo,
    responses((status = 200, description = "It is registered.", body = Registered), Refusals, BadBody)
)]
async fn register(
    supplier: Supplier,
    State(api): State<Arc<Api>>,
    Json(info): Json<SystemInfo>,
) -> Result<Answer<Registered>, Problem> {
    supplier.say(SiiUp::Register(Box::new(info))).await?;
    Ok(Answer(Registered { now: api.clock.now() }))
}

/// This system is gone for good, and with it what users have agreed with it
#[utoipa::path(
    delete, path = "/v1/sii/registration", tag = "sii", operation_id = "sii_deregister",
    responses((status = 204, description = "It is gone."), Refusals)
)]
async fn deregister(supplier: Supplier) -> Result<StatusCode, Problem> {
    supplier.say(SiiUp::Deregister).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A sign of life of a third-party system
#[utoipa::path(
    post, path = "/v1/sii/heartbeat", tag = "sii", operation_id = "sii_heartbeat",
    responses((status = 204, description = "It was heard."), Refusals)
)]
async fn heartbeat(supplier: Supplier) -> Result<StatusCode, Problem> {
    supplier.say(SiiUp::Heartbeat).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A message of the enabler to a third-party system.
#[derive(Serialize, ToSchema)]
struct SiiMessage {
    /// Grows with each message of the session.
    sequence: u64,
    /// What it says.
    message: SiiDown,
    /// It was fetched before and not acknowledged: what it asks for may have been done already.
    again: bool,
}

/// Messages to a third-party system, in order.
#[derive(Serialize, ToSchema)]
struct SiiMessages {
    /// The messages.
    messages: Vec<SiiMessage>,
}

impl poll::Page for SiiMessages {
    type Message = SiiMessage;

    fn message(fetched: Fetched) -> Option<SiiMessage> {
        match fetched.event {
            Event::Sii(message) => Some(SiiMessage { sequence: fetched.sequence, message, again: fetched.again }),
            _ => None,
        }
    }

    fn of(messages: Vec<SiiMessage>) -> Self {
        Self { messages }
    }
}

/// What the enabler wants of a third-party system (P1.3, P1.7, P1.14)
///
/// With `Accept: text/event-stream` messages come as they are there, each named `message`; else this is a long poll.
/// `authorize` asks whether a user may use services: answer within 5 seconds. `invoke` asks for a service: begin by
/// its `not_after`; later it is not told any more. `cancel` says that nobody waits for a step. `revoked` ends what a
/// user had agreed to.
#[utoipa::path(
    get, path = "/v1/sii/inbox", tag = "sii", operation_id = "sii_inbox", params(Wanted),
    responses(
        (status = 200, description = "Messages that are not acknowledged.", content(
            (SiiMessages = "application/json"), (Object = "text/event-stream")
        )),
        Refusals
    )
)]
async fn inbox(
    supplier: Supplier,
    State(api): State<Arc<Api>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    poll::inbox::<_, SiiMessages>(supplier, api, wanted, &headers).await
}

/// Messages that a third-party system need not be told again
#[utoipa::path(
    post, path = "/v1/sii/inbox/acknowledgement", tag = "sii", operation_id = "sii_acknowledge",
    request_body = Acknowledged,
    responses((status = 204, description = "They are forgotten."), Refusals, BadBody)
)]
async fn acknowledge(supplier: Supplier, Json(Acknowledged { up_to }): Json<Acknowledged>) -> StatusCode {
    supplier.inbox.acknowledge(up_to);
    StatusCode::NO_CONTENT
}

/// An answer to `authorize`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Agreed {
    /// Which inquiry.
    inquiry: InquiryId,
    /// Whether the user may use which of the services, or why not.
    answer: AuthorizationAnswer,
}

/// Whether a user may use this system, on request (P1.8)
#[utoipa::path(
    post, path = "/v1/sii/answers", tag = "sii", operation_id = "sii_answer", request_body = Agreed,
    responses((status = 204, description = "It is written down, and the user is told."), Refusals, BadBody)
)]
async fn answer(supplier: Supplier, Json(Agreed { inquiry, answer }): Json<Agreed>) -> Result<StatusCode, Problem> {
    supplier.say(SiiUp::Authorized { inquiry, answer }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An answer to `invoke`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Served {
    /// The call.
    call: CallId,
    /// The step of it.
    step: StepKey,
    /// The invocation's `undo`.
    #[serde(default)]
    undo: bool,
    /// `{"done": ANY JSON}`, or `{"failed": {"reason": ...}}`: nothing was done.
    result: CallResult,
}

/// How an invocation went (P1.14)
///
/// Said again, it changes nothing. What comes after its time is refused (422, `expired`): it is taken back by an
/// invocation of its own, where the service said how.
#[utoipa::path(
    post, path = "/v1/sii/results", tag = "sii", operation_id = "sii_result", request_body = Served,
    responses((status = 204, description = "It is written down."), Refusals, BadBody)
)]
async fn result(
    supplier: Supplier,
    Json(Served { call, step, undo, result }): Json<Served>,
) -> Result<StatusCode, Problem> {
    supplier.say(SiiUp::Result { call, step, undo, result }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Nothing is done for this user any more
#[utoipa::path(
    delete, path = "/v1/sii/users/{user}", tag = "sii", operation_id = "sii_revoke",
    params(("user" = Pseudonym, Path, description = "What the enabler calls the user here.")),
    responses((status = 204, description = "What was agreed has ended."), Refusals)
)]
async fn revoke(supplier: Supplier, Path(user): Path<Pseudonym>) -> Result<StatusCode, Problem> {
    supplier.say(SiiUp::Revoke { user }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// For what.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Purpose {
    /// The running call that it is for; where not given: the user shares their twins without one (`standing`).
    call: Option<CallId>,
}

/// A twin that a user shares, as that user may see it (P1.15 to P1.19)
///
/// Only what the user has shared and may read at this moment; nothing can be acted on.
#[utoipa::path(
    get, path = "/v1/sii/users/{user}/twins/{system}/{twin}", tag = "sii", operation_id = "sii_acquire",
    params(
        ("user" = Pseudonym, Path, description = "What the enabler calls the user here."),
        ("system" = SystemId, Path, description = "The system that maintains the twin."),
        ("twin" = TwinName, Path, description = "Its name there."),
        Purpose,
    ),
    responses((status = 200, description = "The twin.", body = Twin), Refusals)
)]
async fn acquire(
    supplier: Supplier,
    Path((user, system, twin)): Path<(Pseudonym, SystemId, TwinName)>,
    Query(Purpose { call }): Query<Purpose>,
) -> Result<Answer<Twin>, Problem> {
    let twin = twin_id(&system, &twin)?;
    match supplier.ask(Request::Sii(SiiUp::Acquire { twin, user, call })).await? {
        Said::Twins(views) => views.into_iter().next().map(|view| Answer(view.into())).ok_or_else(Problem::strange),
        _ => Err(Problem::strange()),
    }
}
