use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use vestibule_ucp::{CheckoutComplete, CheckoutCreate, TokenizeRequest, name, read, value};

use super::{Named, answer, either};
use crate::{
    app::App,
    desk,
    gate::{self, Needs},
    said::Said,
};

const NEEDS: Needs = Needs { capability: name::CHECKOUT, signed: true };

pub(super) async fn open(State(app): State<Arc<App>>, request: Request) -> Response {
    let said = async {
        let (asked, body) = gate::admit(&app, request, NEEDS).await?.asked()?;
        let wanted: CheckoutCreate = read(&body).map_err(Said::invalid)?;
        Ok(app.once(asked, move |work| Box::pin(desk::open(work, wanted))).await)
    };
    either(&app, said.await)
}

pub(super) async fn look(State(app): State<Arc<App>>, Path(id): Named, request: Request) -> Response {
    let said = async {
        let admitted = gate::admit(&app, request, NEEDS).await?;
        let (looking, asker) = (app.clone(), admitted.asker);
        let said = app
            .store
            .read(move |connection| Box::pin(async move { desk::look(&looking, connection, &asker, &id).await }));
        Ok(app.answered(said.await))
    };
    either(&app, said.await)
}

pub(super) async fn update(State(app): State<Arc<App>>, Path(id): Named, request: Request) -> Response {
    let said = async {
        let (asked, body) = gate::admit(&app, request, NEEDS).await?.asked()?;
        let wanted: CheckoutCreate = read(&body).map_err(Said::invalid)?;
        Ok(app.once(asked, move |work| Box::pin(desk::update(work, id, wanted))).await)
    };
    either(&app, said.await)
}

pub(super) async fn complete(State(app): State<Arc<App>>, Path(id): Named, request: Request) -> Response {
    let said = async {
        let (asked, body) = gate::admit(&app, request, NEEDS).await?.asked()?;
        let wanted: CheckoutComplete = read(&body).map_err(Said::invalid)?;
        Ok(app.once(asked, move |work| Box::pin(desk::complete(work, id, wanted))).await)
    };
    either(&app, said.await)
}

pub(super) async fn cancel(State(app): State<Arc<App>>, Path(id): Named, request: Request) -> Response {
    let said = async {
        let (asked, body) = gate::admit(&app, request, NEEDS).await?.asked()?;
        nothing(&body)?;
        Ok(app.once(asked, move |work| Box::pin(desk::cancel(work, id))).await)
    };
    either(&app, said.await)
}

/// A body in which nothing has to stand.
pub(super) fn nothing(body: &[u8]) -> Result<(), Said> {
    if body.is_empty() {
        return Ok(());
    }
    match value(body) {
        Ok(value) if value.is_object() => Ok(()),
        Ok(_) => Err(Said::invalid("an object was expected")),
        Err(error) => Err(Said::invalid(error)),
    }
}

/// Something to pay with. Whoever knows the session may ask: its id is nothing that can be guessed, and what is given
/// is good for that session only. Who signs and has a key gets the same token again.
pub(super) async fn tokenize(State(app): State<Arc<App>>, request: Request) -> Response {
    let said = async {
        if request.headers().contains_key("idempotency-key") {
            let (asked, body) = gate::admit(&app, request, NEEDS).await?.asked()?;
            let wanted: TokenizeRequest = read(&body).map_err(Said::invalid)?;
            return Ok(app.once(asked, move |work| Box::pin(desk::tokenize_once(work, wanted))).await);
        }
        let Ok(_place) = app.places.try_acquire() else {
            return Err(Said::trouble(vestibule_ucp::Trouble::RateLimited));
        };
        let (parts, content) = request.into_parts();
        let body = gate::body(&parts.headers, content).await?;
        let wanted: TokenizeRequest = read(&body).map_err(Said::invalid)?;
        let working = app.clone();
        let said = app
            .store
            .write(move |connection| Box::pin(async move { desk::tokenize(&working, connection, &wanted).await }));
        Ok(app.answered(said.await))
    };
    answer(Some(&app), said.await.unwrap_or_else(|said| said))
}
