//! Content by its hash: pictures and models that descriptions and readings refer to.

use std::sync::Arc;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::ContentHash;

use super::{Api, Problem, body::Path, caller::Caller, problem::Refusals};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(content))
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
