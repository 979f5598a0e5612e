//! MII: twins and their properties (DTIA; P2.6 to P2.12), and fresh reports on request (DTS).

use std::sync::Arc;

use axum::{
    Json as Answer,
    http::{HeaderName, StatusCode, header},
    response::AppendHeaders,
};
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{FeatureId, PropertyId, SystemId, TwinId};
use vestibule_protocol::{Request, Response, WireReading};

use super::{
    Api, Problem,
    body::{Path, Query},
    caller::Caller,
    problem::Refusals,
    systems::{self, named, word},
    view::{Readings, Twin},
};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(twin))
        .routes(routes!(properties))
        .routes(routes!(property))
        .routes(routes!(refresh))
        .routes(routes!(acquire))
}

/// A twin's name in its system.
#[derive(Deserialize)]
pub(super) struct TwinName(String);

impl utoipa::PartialSchema for TwinName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Za-z0-9_.:-]{1,96}$")).into()
    }
}

impl ToSchema for TwinName {}

/// Which twin a path names.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct TwinPath {
    /// The system that maintains it.
    system: SystemId,
    /// Its name there.
    twin: TwinName,
}

impl TwinPath {
    /// The twin.
    pub(super) fn id(&self) -> Result<TwinId, Problem> {
        twin_id(&self.system, &self.twin)
    }
}

/// The twin that a path names beside other things.
pub(super) fn twin_id(system: &SystemId, twin: &TwinName) -> Result<TwinId, Problem> {
    TwinId::new(format!("{system}/{}", twin.0)).map_err(|error| Problem::malformed(error.to_string()))
}

/// A page of twins, in the order of their ids.
#[derive(Serialize, ToSchema)]
struct Twins {
    /// The twins.
    twins: Vec<Twin>,
    /// `after` of the next page; only an empty page has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TwinId>)]
    next: Option<TwinId>,
}

/// The twins of a system
///
/// Only those that the user may see, each with what they may read and do.
#[utoipa::path(
    get, path = "/v1/systems/{system}/twins", tag = "mii",
    params(
        ("system" = SystemId, Path, description = "The system."),
        ("after" = Option<TwinId>, Query, description = "Twins after this one: `next` of the page before."),
        ("limit" = Option<u16>, Query, description = "At most so many; 0: the default of 50."),
    ),
    responses(
        (status = 200, description = "Those that the user may see.", body = Twins, headers(
            ("Link" = Option<String>, description = "`rel=next`: the next page, where there may be one.")
        )),
        Refusals
    )
)]
async fn list(
    caller: Caller,
    Path(system): Path<SystemId>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<(AppendHeaders<Option<(HeaderName, String)>>, Answer<Twins>), Problem> {
    let (mut after, mut limit) = (None, 0);
    for (name, value) in &pairs {
        match name.as_str() {
            "after" => after = Some(named(name, value)?),
            "limit" => limit = word(name, value)?,
            _ => return Err(Problem::malformed(format!("twins are not asked for by {name}"))),
        }
    }
    let request = Request::ListTwins { system: system.clone(), after, limit };
    let Response::Twins(views) = caller.ask(request).await? else { return Err(Problem::strange()) };
    let twins: Vec<_> = views.into_iter().map(Twin::from).collect();
    let next = twins.last().map(|twin| twin.info.id.clone());
    let path = format!("/v1/systems/{system}/twins");
    let link = systems::link(&path, &pairs, next.as_ref().map(TwinId::as_str));
    Ok((AppendHeaders(link), Answer(Twins { twins, next })))
}

type Tagged<T> = (AppendHeaders<[(HeaderName, String); 1]>, Answer<T>);

fn tagged<T>(twin: &Twin, body: T) -> Tagged<T> {
    (AppendHeaders([(header::ETAG, twin.etag())]), Answer(body))
}

async fn described(caller: &Caller, request: Request) -> Result<Twin, Problem> {
    match caller.ask(request).await? {
        Response::Twins(views) => views.into_iter().next().map(Twin::from).ok_or_else(Problem::strange),
        _ => Err(Problem::strange()),
    }
}

/// One twin, as it is known by now
#[utoipa::path(
    get, path = "/v1/twins/{system}/{twin}", tag = "mii",
    params(TwinPath),
    responses(
        (status = 200, description = "The twin.", body = Twin, headers(
            ("ETag" = String, description = "Its revision, for a command's `If-Match`.")
        )),
        Refusals
    )
)]
async fn twin(caller: Caller, Path(path): Path<TwinPath>) -> Result<Tagged<Twin>, Problem> {
    let twin = described(&caller, Request::DescribeTwin(path.id()?)).await?;
    Ok(tagged(&twin, twin.clone()))
}

/// What is known of each property of a twin
#[utoipa::path(
    get, path = "/v1/twins/{system}/{twin}/properties", tag = "mii",
    params(TwinPath),
    responses(
        (status = 200, description = "By feature and property.", body = BTreeMap<FeatureId, BTreeMap<PropertyId, WireReading>>, headers(
            ("ETag" = String, description = "The twin's revision.")
        )),
        Refusals
    )
)]
async fn properties(caller: Caller, Path(path): Path<TwinPath>) -> Result<Tagged<Readings>, Problem> {
    let twin = described(&caller, Request::DescribeTwin(path.id()?)).await?;
    Ok(tagged(&twin, twin.readings.clone()))
}

/// What is known of one property of a twin
#[utoipa::path(
    get, path = "/v1/twins/{system}/{twin}/properties/{feature}/{property}", tag = "mii",
    params(
        TwinPath,
        ("feature" = FeatureId, Path, description = "The feature."),
        ("property" = PropertyId, Path, description = "The property."),
    ),
    responses(
        (status = 200, description = "What is known.", body = WireReading, headers(
            ("ETag" = String, description = "The twin's revision.")
        )),
        Refusals
    )
)]
async fn property(
    caller: Caller,
    Path((system, twin, feature, property)): Path<(SystemId, TwinName, FeatureId, PropertyId)>,
) -> Result<Tagged<WireReading>, Problem> {
    let twin = described(&caller, Request::DescribeTwin(twin_id(&system, &twin)?)).await?;
    let reading = twin.readings.get(&feature).and_then(|feature| feature.get(&property)).cloned();
    let missing = || Problem::not_found(format!("{} has no property {property} of {feature}", twin.info.id));
    Ok(tagged(&twin, reading.ok_or_else(missing)?))
}

/// Have the twin's system report anew
///
/// REQ-DT-07: on request. Reports come as events, and stand in the twin's readings.
#[utoipa::path(
    post, path = "/v1/twins/{system}/{twin}/refresh", tag = "mii",
    params(TwinPath),
    responses((status = 202, description = "It was asked."), Refusals)
)]
async fn refresh(caller: Caller, Path(path): Path<TwinPath>) -> Result<StatusCode, Problem> {
    caller.done(Request::Refresh(path.id()?)).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Properties and permission of a twin, fresh from its system
///
/// P2.8 to P2.12: the twin's system is asked and waited for.
#[utoipa::path(
    post, path = "/v1/twins/{system}/{twin}/acquisition", tag = "mii",
    params(TwinPath),
    responses(
        (status = 200, description = "The twin as its system told it just now.", body = Twin, headers(
            ("ETag" = String, description = "Its revision, for a command's `If-Match`.")
        )),
        Refusals
    )
)]
async fn acquire(caller: Caller, Path(path): Path<TwinPath>) -> Result<Tagged<Twin>, Problem> {
    let twin = described(&caller, Request::Acquire(path.id()?)).await?;
    Ok(tagged(&twin, twin.clone()))
}
