//! MII: what a user buys through third-party systems, and what became of it (P1.12 to P1.14).

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json as Answer, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vestibule_model::{
    CallId, CheckoutId, Confirmation, DesignHash, LineId, Money, PayWith, PurchaseId, PurchaseUpdate, SystemId,
    Timestamp,
};
use vestibule_protocol::{Request, Response};

use super::{
    Api, Problem,
    body::{Json, Path, Query},
    caller::Caller,
    problem::{BadBody, Refusals},
};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(purchases)).routes(routes!(confirm, purchase, cancel_purchase))
}

/// What a user has bought.
#[derive(Serialize, ToSchema)]
struct Purchases {
    /// The newest first.
    purchases: Vec<PurchaseUpdate>,
    /// `before` of the next page; where it is not there, this is the last one.
    next: Option<Timestamp>,
}

/// Which part of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Page {
    /// Those confirmed before this moment: `next` of the page before.
    before: Option<Timestamp>,
    /// At most so many, up to 200; 0: the default of 50. Fewer come where they are long.
    #[serde(default)]
    limit: u16,
}

/// What the user has bought, the newest first
#[utoipa::path(
    get, path = "/v1/purchases", tag = "mii", params(Page),
    responses((status = 200, description = "A page.", body = Purchases), Refusals)
)]
async fn purchases(caller: Caller, Query(page): Query<Page>) -> Result<Answer<Purchases>, Problem> {
    match caller.ask(Request::Purchases { before: page.before, limit: page.limit }).await? {
        Response::Purchases(purchases) => {
            let next = purchases.last().map(|last| last.confirmed);
            Ok(Answer(Purchases { purchases, next }))
        }
        _ => Err(Problem::strange()),
    }
}

/// What is bought, for exactly what was shown.
#[derive(Deserialize, ToSchema)]
#[schema(as = PurchaseOrder)]
#[serde(deny_unknown_fields)]
struct Order {
    /// The merchant.
    system: SystemId,
    /// What it calls the checkout.
    checkout: CheckoutId,
    /// The call whose answer showed the checkout to the user.
    shown: CallId,
    /// What was shown.
    total: Money,
    /// What it may become at most, where goods are weighed when they are packed; where not given: the total.
    most: Option<Money>,
    /// How it is paid. No credential ever passes here.
    pay: PayWith,
    /// The designs in it, by line, as the quote answered.
    #[serde(default)]
    designs: BTreeMap<LineId, DesignHash>,
}

impl Order {
    fn confirmation(self, id: PurchaseId) -> Confirmation {
        let Self { system, checkout, shown, total, most, pay, designs } = self;
        Confirmation { id, system, checkout, shown, total, most: most.unwrap_or(total), pay, designs }
    }
}

async fn ask(caller: &Caller, request: Request) -> Result<PurchaseUpdate, Problem> {
    match caller.ask(request).await? {
        Response::Purchase(update) => Ok(*update),
        _ => Err(Problem::strange()),
    }
}

/// Buy what a checkout has
///
/// The id is chosen at random by whoever presses the button, once: the same id is the same purchase, however often it
/// comes. Written down before it is answered; its merchant is asked until it says something definite. What was shown and
/// is not what it costs now is refused as `revision_mismatch`. Updates come as `purchase` over `GET /v1/events`.
#[utoipa::path(
    put, path = "/v1/purchases/{purchase}", tag = "mii", request_body = Order,
    params(("purchase" = PurchaseId, Path, description = "The purchase, by an id that nobody has used.")),
    responses((status = 202, description = "It is written down.", body = PurchaseUpdate), Refusals, BadBody)
)]
async fn confirm(
    caller: Caller,
    Path(id): Path<PurchaseId>,
    Json(order): Json<Order>,
) -> Result<(StatusCode, Answer<PurchaseUpdate>), Problem> {
    let update = ask(&caller, Request::Confirm(Box::new(order.confirmation(id)))).await?;
    Ok((StatusCode::ACCEPTED, Answer(update)))
}

/// How far a purchase of the user's is
///
/// `not_found`: nothing was bought under this id.
#[utoipa::path(
    get, path = "/v1/purchases/{purchase}", tag = "mii",
    params(("purchase" = PurchaseId, Path, description = "The purchase.")),
    responses((status = 200, description = "How far it is.", body = PurchaseUpdate), Refusals)
)]
async fn purchase(caller: Caller, Path(id): Path<PurchaseId>) -> Result<Answer<PurchaseUpdate>, Problem> {
    ask(&caller, Request::Purchase(id)).await.map(Answer)
}

/// Cancel a purchase
///
/// At once where its merchant was not asked yet. Else it is `canceling` until its merchant has answered; what cannot be
/// cancelled any more goes on, and `said` says why.
#[utoipa::path(
    delete, path = "/v1/purchases/{purchase}", tag = "mii",
    params(("purchase" = PurchaseId, Path, description = "The purchase.")),
    responses((status = 200, description = "How far it is.", body = PurchaseUpdate), Refusals)
)]
async fn cancel_purchase(caller: Caller, Path(id): Path<PurchaseId>) -> Result<Answer<PurchaseUpdate>, Problem> {
    ask(&caller, Request::CancelPurchase(id)).await.map(Answer)
}
