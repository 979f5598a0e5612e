//! Content by its hash: pictures and models that descriptions and readings refer to, and what users give.

use std::sync::Arc;

use axum::{
    Json as Answer,
    body::Body,
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_enabler_core::PART_BYTES;
use vestibule_model::ContentHash;
use vestibule_protocol::{Request, Response as Said};

use super::{
    Api, Problem,
    body::{self, Path, Query},
    caller::Caller,
    problem::{BadBody, Refusals},
};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(content, give))
}

/// Bytes by their BLAKE3 hash
///
/// Whoever may not read what refers to them does not know the hash. They never change.
#[utoipa::path(
    get, path = "/v1/contents/{hash}", tag = "mii",
    params(("hash" = ContentHash, Path, description = "What the bytes hash to.")),
    responses(
        (status = 200, description = "The bytes.", body = Vec<u8>, content_type = "application/octet-stream"),
        Refusals
    )
)]
async fn content(caller: Caller, Path(hash): Path<ContentHash>) -> Result<Response, Problem> {
    let bytes = caller.handle().content(hash).await;
    let bytes = bytes.ok_or_else(|| Problem::not_found("there is no content with this hash"))?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        // What came from a device is never run as a page.
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
    ];
    Ok((headers, bytes).into_response())
}

/// What a part is a part of.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PartOf {
    /// How many bytes all of it has: of a design at most 67 108 864, of a document about a person 8 192.
    size: u64,
    /// Where this part begins.
    #[serde(default)]
    offset: u64,
    /// `model/3mf`, or `application/vnd.vestibule.person+json`, which is kept apart and given to nobody else.
    media: String,
}

/// How far it is.
#[derive(Serialize, ToSchema)]
struct Given {
    /// Where the next part begins; `size`: all of it is there.
    next: u64,
}

/// Give a part of what purchases refer to: a design's package, a document about a person
///
/// Parts come in order, of at most a megabyte each. A part that is there already, or with a hole before it, changes
/// nothing: `next` says where to go on. An empty one asks how far it is.
#[utoipa::path(
    put, path = "/v1/contents/{hash}", tag = "mii",
    params(("hash" = ContentHash, Path, description = "BLAKE3 of all of it."), PartOf),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "It is taken.", body = Given), Refusals, BadBody)
)]
async fn give(
    caller: Caller,
    Path(hash): Path<ContentHash>,
    Query(PartOf { size, offset, media }): Query<PartOf>,
    body: Body,
) -> Result<Answer<Given>, Problem> {
    let bytes = body::read(body, PART_BYTES).await?.to_vec();
    match caller.ask(Request::Give { hash, size, media, offset, bytes }).await? {
        Said::Given { next } => Ok(Answer(Given { next })),
        _ => Err(Problem::strange()),
    }
}
