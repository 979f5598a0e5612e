//! MII: the thing that was bought is the twin that stands there.

use std::sync::Arc;

use axum::{Json as Answer, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{BlobRef, Place, Product, PurchaseId, Serial, TwinId};
use vestibule_protocol::{Request, Response};

use super::{
    Api, Problem,
    body::{Json, Path},
    caller::Caller,
    problem::{BadBody, Refusals},
};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(bind, unbind)).routes(routes!(keep))
}

/// Which twin a product is, and what says so.
#[derive(Deserialize, ToSchema)]
#[schema(as = ProductBinding)]
#[serde(deny_unknown_fields)]
struct Binding {
    /// The twin, whose device tells the same serial number.
    twin: TwinId,
    /// The purchase that it came with.
    purchase: PurchaseId,
    /// The manufacturer's certificate, from the order or the parcel.
    #[schema(max_length = 4096)]
    certificate: String,
}

/// Bind a product to its twin
///
/// Whoever bought the one and manages the other may do it, once. A certificate that is forged and one of another product
/// are refused in the same words. `unavailable`: its merchant's keys cannot be had now.
#[utoipa::path(
    put, path = "/v1/products/{serial}", tag = "mii", request_body = Binding,
    params(("serial" = Serial, Path, description = "The product's serial number.")),
    responses((status = 200, description = "It is bound.", body = Product), Refusals, BadBody)
)]
async fn bind(
    caller: Caller,
    Path(serial): Path<Serial>,
    Json(Binding { twin, purchase, certificate }): Json<Binding>,
) -> Result<Answer<Product>, Problem> {
    match caller.ask(Request::Bind { twin, purchase, serial, certificate }).await? {
        Response::Product(product) => Ok(Answer(product)),
        _ => Err(Problem::strange()),
    }
}

/// Where a product without electronics stands
#[derive(Deserialize, ToSchema)]
#[schema(as = ProductPlace)]
#[serde(deny_unknown_fields)]
struct Standing {
    /// The purchase that it came with.
    purchase: PurchaseId,
    /// The manufacturer's certificate; without one, the one that came with the order.
    #[serde(default)]
    #[schema(max_length = 4096)]
    certificate: Option<String>,
    /// Where it stands.
    place: Place,
    /// How it looks: a GLB that was given before.
    #[serde(default)]
    visual: Option<BlobRef>,
}

/// Keep a product without electronics as a twin
///
/// It becomes `things/{serial}`, which everybody sees whom the rules let see it. Whoever bought it and manages that twin may
/// do it, once it was delivered; once more moves it. A certificate that is forged and one of another product are refused in
/// the same words. `unavailable`: its merchant's keys cannot be had now.
#[utoipa::path(
    put, path = "/v1/products/{serial}/thing", tag = "mii", request_body = Standing,
    params(("serial" = Serial, Path, description = "The product's serial number.")),
    responses((status = 200, description = "It is a twin.", body = Product), Refusals, BadBody)
)]
async fn keep(
    caller: Caller,
    Path(serial): Path<Serial>,
    Json(Standing { purchase, certificate, place, visual }): Json<Standing>,
) -> Result<Answer<Product>, Problem> {
    match caller.ask(Request::Keep { purchase, serial, certificate, place, visual }).await? {
        Response::Product(product) => Ok(Answer(product)),
        _ => Err(Problem::strange()),
    }
}

/// A product is no twin any more
#[utoipa::path(
    delete, path = "/v1/products/{serial}", tag = "mii",
    params(("serial" = Serial, Path, description = "The product's serial number.")),
    responses((status = 204, description = "It is unbound."), Refusals)
)]
async fn unbind(caller: Caller, Path(serial): Path<Serial>) -> Result<StatusCode, Problem> {
    caller.done(Request::Unbind { serial }).await?;
    Ok(StatusCode::NO_CONTENT)
}
