use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use vestibule_ucp::name;

use super::{Named, checkout::nothing, either};
use crate::{
    app::App,
    desk,
    gate::{self, Needs},
    said::Said,
};

pub(super) async fn look(State(app): State<Arc<App>>, Path(id): Named, request: Request) -> Response {
    let said = async {
        let admitted = gate::admit(&app, request, Needs { capability: name::ORDER, signed: true }).await?;
        let platform = admitted.asker.platform;
        let order = app
            .store
            .read(move |connection| Box::pin(async move { desk::snapshot(connection, &id, Some(&platform)).await }));
        let said = order.await.map(|order| order.map_or_else(|| Said::not_found("order"), |order| Said::ok(&order)));
        Ok(app.answered(said))
    };
    either(&app, said.await)
}

pub(super) async fn cancel(State(app): State<Arc<App>>, Path(id): Named, request: Request) -> Response {
    let said = async {
        let needs = Needs { capability: name::ORDER_CARE, signed: true };
        let (asked, body) = gate::admit(&app, request, needs).await?.asked()?;
        nothing(&body)?;
        Ok(app.once(asked, move |work| Box::pin(desk::cancel_order(work, id))).await)
    };
    either(&app, said.await)
}
