//! DII: what digital twin systems say (DTSR, DTS; P2.1 to P2.3, P2.10, P2.14, P2.18).

mod down;

use std::sync::{Arc, atomic::Ordering};

use axum::{
    Json as Answer,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{
    CommandId, CommandStatus, ContentHash, EventKind, FeatureId, InquiryId, PropertyId, PropertyValue, SystemInfo,
    Timestamp, TwinId, TwinInfo, Value,
};
use vestibule_protocol::{DiiUp, InquiryAnswer, MAX_FRAME, Occurrence, Report, Request};

use super::{
    Api, Problem,
    body::{self, Json, Path},
    caller::Speaker,
    problem::{BadBody, Refusals},
    twins::TwinPath,
};

/// Reports in one request: taken one after the other, so a request does not hold up its system for long.
const MOST_REPORTS: usize = 256;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(register, deregister))
        .routes(routes!(heartbeat))
        .routes(routes!(describe))
        .routes(routes!(gone))
        .routes(routes!(complete))
        .routes(routes!(reach))
        .routes(routes!(report))
        .routes(routes!(occurred))
        .routes(routes!(outcome))
        .routes(routes!(integrated))
        .routes(routes!(answer))
        .routes(routes!(bring))
        .merge(down::routes())
}

impl Speaker {
    /// Says something, after whatever the same system said before.
    async fn say(&self, message: DiiUp) -> Result<(), Problem> {
        let _turn = self.turn.lock().await;
        self.done(Request::Dii(message)).await
    }
}

/// A system is registered.
#[derive(Serialize, ToSchema)]
pub(super) struct Registered {
    /// The enabler's clock: moments are told in its time.
    pub(super) now: Timestamp,
}

/// Register a digital twin system (P2.1 to P2.3), or say something else of it
///
/// The system is connected for as long as it says or asks something at least every 60 seconds; a waiting inbox counts.
/// After that it registers anew.
#[utoipa::path(
    put, path = "/v1/dii/registration", tag = "dii", request_body = SystemInfo,
    responses((status = 200, description = "It is registered.", body = Registered), Refusals, BadBody)
)]
async fn register(
    speaker: Speaker,
    State(api): State<Arc<Api>>,
    Json(info): Json<SystemInfo>,
) -> Result<Answer<Registered>, Problem> {
    speaker.say(DiiUp::Register(info)).await?;
    Ok(Answer(Registered { now: api.clock.now() }))
}

/// This system is gone for good, and its twins with it
#[utoipa::path(
    delete, path = "/v1/dii/registration", tag = "dii",
    responses((status = 204, description = "It is gone."), Refusals)
)]
async fn deregister(speaker: Speaker) -> Result<StatusCode, Problem> {
    speaker.say(DiiUp::Deregister).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A sign of life
#[utoipa::path(
    post, path = "/v1/dii/heartbeat", tag = "dii",
    responses((status = 204, description = "It was heard."), Refusals)
)]
async fn heartbeat(speaker: Speaker) -> Result<StatusCode, Problem> {
    speaker.say(DiiUp::Heartbeat).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A twin and whether its device is there.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Described {
    /// The description.
    twin: TwinInfo,
    /// Whether its device is connected to its system; where not given: as before, and a new twin's is not.
    reachable: Option<bool>,
}

/// Describe a twin, new or changed (P2.1, P2.10)
#[utoipa::path(
    post, path = "/v1/dii/twins", tag = "dii", request_body = Described,
    responses((status = 204, description = "It is known."), Refusals, BadBody)
)]
async fn describe(speaker: Speaker, Json(described): Json<Described>) -> Result<StatusCode, Problem> {
    let twin = described.twin.id.clone();
    speaker.say(DiiUp::Describe(Box::new(described.twin))).await?;
    if let Some(reachable) = described.reachable {
        speaker.say(DiiUp::Reachable { twin, feature: None, reachable }).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A twin is no longer maintained
#[utoipa::path(
    delete, path = "/v1/dii/twins/{system}/{twin}", tag = "dii",
    params(TwinPath),
    responses((status = 204, description = "It is gone."), Refusals)
)]
async fn gone(speaker: Speaker, Path(path): Path<TwinPath>) -> Result<StatusCode, Problem> {
    speaker.say(DiiUp::Gone(path.id()?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All twins of a system.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct All {
    /// Every twin that there is.
    twins: Vec<TwinId>,
}

/// All twins are described: others that the enabler remembers of this system are no longer maintained
#[utoipa::path(
    post, path = "/v1/dii/complete", tag = "dii", request_body = All,
    responses((status = 204, description = "It is so."), Refusals, BadBody)
)]
async fn complete(speaker: Speaker, Json(All { twins }): Json<All>) -> Result<StatusCode, Problem> {
    speaker.say(DiiUp::Complete { twins }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a device is there.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reach {
    /// Whether it is connected to its system.
    reachable: bool,
    /// One part of it that can be away by itself; where not given: the twin as a whole.
    feature: Option<FeatureId>,
}

/// Whether a twin's device is connected to its system
#[utoipa::path(
    put, path = "/v1/dii/twins/{system}/{twin}/reachable", tag = "dii", request_body = Reach,
    params(TwinPath),
    responses((status = 204, description = "It is noted."), Refusals, BadBody)
)]
async fn reach(
    speaker: Speaker,
    Path(path): Path<TwinPath>,
    Json(Reach { reachable, feature }): Json<Reach>,
) -> Result<StatusCode, Problem> {
    speaker.say(DiiUp::Reachable { twin: path.id()?, feature, reachable }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the thing says of one property.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Said {
    /// The twin.
    twin: TwinId,
    /// The feature.
    feature: FeatureId,
    /// The property.
    property: PropertyId,
    /// The value; `null`: the thing says that nobody knows.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true, value_type = Option<PropertyValue>)]
    value: Option<Value>,
    /// When the twin system heard it; where not given: now.
    at: Option<Timestamp>,
    /// Somebody had kept it for whoever comes later, and nobody knows since when: `at` is not used then.
    #[serde(default)]
    kept: bool,
    /// Whether the thing stands by it: it has said so since it was last out of reach. Where not given: it does, unless
    /// the value was kept.
    fresh: Option<bool>,
    /// Grows with each report of the twin; where not given: the enabler numbers reports as they come.
    revision: Option<u64>,
}

impl Said {
    fn report(self, now: Timestamp, next: impl FnOnce() -> u64) -> Report {
        let Self { twin, feature, property, value, at, kept, fresh, revision } = self;
        let at = (!kept).then(|| at.unwrap_or(now));
        Report {
            twin,
            feature,
            property,
            value,
            at,
            fresh: fresh.unwrap_or(!kept),
            revision: revision.unwrap_or_else(next),
        }
    }
}

/// Reports, oldest first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reports {
    /// The reports.
    #[schema(max_items = 256)]
    reports: Vec<Said>,
}

/// A report that was not taken.
#[derive(Serialize, ToSchema)]
struct NotTaken {
    /// Its place in the request.
    index: usize,
    /// Why not.
    problem: Problem,
}

/// How reports were taken.
#[derive(Serialize, ToSchema)]
struct Taken {
    /// How many were.
    taken: usize,
    /// Those that were not.
    refused: Vec<NotTaken>,
}

/// What things say (P2.14)
#[utoipa::path(
    post, path = "/v1/dii/reports", tag = "dii", request_body = Reports,
    responses((status = 200, description = "Each was taken or refused.", body = Taken), Refusals, BadBody)
)]
async fn report(
    speaker: Speaker,
    State(api): State<Arc<Api>>,
    Json(Reports { reports }): Json<Reports>,
) -> Result<Answer<Taken>, Problem> {
    if reports.len() > MOST_REPORTS {
        return Err(Problem::invalid(format!("at most {MOST_REPORTS} reports come in one request")));
    }
    let mut answer = Taken { taken: 0, refused: Vec::new() };
    let _turn = speaker.turn.lock().await;
    for (index, said) in reports.into_iter().enumerate() {
        let now = api.clock.now();
        let report = said.report(now, || speaker.next_revision(now));
        match speaker.done(Request::Dii(DiiUp::Report(report))).await {
            Ok(()) => answer.taken += 1,
            Err(problem) => answer.refused.push(NotTaken { index, problem }),
        }
    }
    Ok(Answer(answer))
}

/// Something that happened at a physical object.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Happened {
    /// The twin.
    twin: TwinId,
    /// The feature.
    feature: FeatureId,
    /// What happened.
    event: EventKind,
    /// Details, by name.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, PropertyValue>)]
    details: std::collections::BTreeMap<String, Value>,
    /// When the twin system heard of it; where not given: now.
    at: Option<Timestamp>,
}

/// Something happened and is over: the press of a doorbell
#[utoipa::path(
    post, path = "/v1/dii/occurrences", tag = "dii", request_body = Happened,
    responses((status = 204, description = "It is told."), Refusals, BadBody)
)]
async fn occurred(
    speaker: Speaker,
    State(api): State<Arc<Api>>,
    Json(happened): Json<Happened>,
) -> Result<StatusCode, Problem> {
    let Happened { twin, feature, event, details, at } = happened;
    let at = at.unwrap_or_else(|| api.clock.now());
    speaker.say(DiiUp::Occurred(Occurrence { twin, feature, event, details, at })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How an execution went.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Outcome {
    /// The command.
    command: CommandId,
    /// `executed` or `failed`.
    status: CommandStatus,
}

/// How an execution went (P2.18)
#[utoipa::path(
    post, path = "/v1/dii/outcomes", tag = "dii", request_body = Outcome,
    responses((status = 204, description = "It is noted."), Refusals, BadBody)
)]
async fn outcome(speaker: Speaker, Json(Outcome { command, status }): Json<Outcome>) -> Result<StatusCode, Problem> {
    speaker.say(DiiUp::Outcome { command, status }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An answer to `integrate`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Integrated {
    /// The twin.
    twin: TwinId,
    /// The fencing token that came with it.
    fence: u64,
    /// Why it cannot be done; where not given: it is done, and no lower token is obeyed any more.
    reason: Option<String>,
}

/// A twin is integrated with its physical object for whoever holds it, or cannot be
#[utoipa::path(
    post, path = "/v1/dii/integrations", tag = "dii", request_body = Integrated,
    responses((status = 204, description = "It is noted."), Refusals, BadBody)
)]
async fn integrated(
    speaker: Speaker,
    Json(Integrated { twin, fence, reason }): Json<Integrated>,
) -> Result<StatusCode, Problem> {
    let message = match reason {
        None => DiiUp::Integrated { twin, fence },
        Some(reason) => DiiUp::NotIntegrated { twin, fence, reason },
    };
    speaker.say(message).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An answer to `inquire`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Inquired {
    /// Which inquiry.
    inquiry: InquiryId,
    /// The twin as it is now, or why not.
    answer: InquiryAnswer,
}

/// What a twin is and who may do what with it, on request (P2.10)
#[utoipa::path(
    post, path = "/v1/dii/answers", tag = "dii", request_body = Inquired,
    responses((status = 204, description = "It is passed on."), Refusals, BadBody)
)]
async fn answer(speaker: Speaker, Json(Inquired { inquiry, answer }): Json<Inquired>) -> Result<StatusCode, Problem> {
    speaker.say(DiiUp::Inquired { inquiry, answer }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Bytes that a later report or description refers to by their hash
///
/// `Content-Type` is their media type: models are kept on disk, anything else for a while in memory.
#[utoipa::path(
    put, path = "/v1/dii/contents/{hash}", tag = "dii",
    params(("hash" = ContentHash, Path, description = "BLAKE3 of the bytes.")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204, description = "They are kept."), Refusals, BadBody)
)]
async fn bring(
    speaker: Speaker,
    Path(hash): Path<ContentHash>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let media = body::media(&headers).ok_or_else(|| Problem::media("what the bytes are"))?;
    let bytes = body::read(body, MAX_FRAME).await?;
    if ContentHash::of(&bytes) != hash {
        return Err(Problem::invalid("the bytes do not hash to what the path says"));
    }
    speaker.say(DiiUp::Blob { bytes: bytes.to_vec(), media }).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl super::sessions::Held {
    /// A revision above all that this session gave out, and above those of the sessions before it.
    fn next_revision(&self, now: Timestamp) -> u64 {
        let next = |last: u64| Some(last.saturating_add(1).max(now.0));
        // Never fails: there is always a next one.
        let last = self.revision.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).unwrap_or_default();
        last.saturating_add(1).max(now.0)
    }
}
