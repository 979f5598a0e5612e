//! MII: the thing that was bought is the twin that stands there.

use std::sync::Arc;

use axum::{Json as Answer, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{BlobRef, Place, Product, PurchaseId, Serial, TwinId};
use vestibule_protocol::{Request, Response};

use super::{
    Api, Problem,
    body::{Json, Path, Query},
    caller::Caller,
    problem::{BadBody, Refusals},
};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(products)).routes(routes!(bind, unbind)).routes(routes!(keep))
}

/// Products that are twins.
#[derive(Serialize, ToSchema)]
struct Products {
    /// In the order of their serial numbers.
    products: Vec<Product>,
    /// `after` of the next page; only an empty page has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Serial>,
}

/// Which part of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Page {
    /// Those after this one: `next` of the page before.
    after: Option<Serial>,
    /// At most so many, up to 200; 0: the default of 50.
    #[serde(default)]
    limit: u16,
}

/// The user's products that are twins, in the order of their serial numbers
///
/// With a device that was bound, and without one that are kept. What changes comes as `product` and `unbound` over
/// `GET /v1/events`.
#[utoipa::path(
    get, path = "/v1/products", tag = "mii", params(Page),
    responses((status = 200, description = "A page.", body = Products), Refusals)
)]
async fn products(caller: Caller, Query(page): Query<Page>) -> Result<Answer<Products>, Problem> {
    match caller.ask(Request::Products { after: page.after, limit: page.limit }).await? {
        Response::Products(products) => {
            let next = products.last().map(|last| last.serial.clone());
            Ok(Answer(Products { products, next }))
        }
        _ => Err(Problem::strange()),
    }
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
