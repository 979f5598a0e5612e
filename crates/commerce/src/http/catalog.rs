use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use vestibule_ucp::{LookupRequest, More, ProductAnswer, ProductRequest, SearchRequest, Status, UcpMeta, name, read};

use super::either;
use crate::{
    app::{App, Asker},
    gate::{self, Needs},
    rules::{catalog, session::Shelf},
    said::Said,
    store::{StoreError, shelf},
};

const SEARCH: Needs = Needs { capability: name::CATALOG_SEARCH, signed: false };
const LOOKUP: Needs = Needs { capability: name::CATALOG_LOOKUP, signed: false };

fn meta(asker: &Asker, root: &str) -> UcpMeta {
    UcpMeta { capabilities: Some(asker.active.for_answer(root)), ..UcpMeta::new().with_status(Status::Success) }
}

async fn shelf(app: &Arc<App>) -> Result<Shelf, Said> {
    let looking = app.clone();
    let shelf = app.store.read(move |connection| Box::pin(async move { shelf::all(connection, &looking.book).await }));
    shelf.await.map_err(|error| app.answered(Err(error)))
}

pub(super) async fn search(State(app): State<Arc<App>>, request: Request) -> Response {
    let said = async {
        let admitted = gate::admit(&app, request, SEARCH).await?;
        let asked: SearchRequest = read(&admitted.body).map_err(Said::invalid)?;
        let found =
            catalog::search(&asked, &app.book, &shelf(&app).await?, meta(&admitted.asker, name::CATALOG_SEARCH));
        Ok(app.answered(found.map(|found| Said::ok(&found)).map_err(StoreError::from)))
    };
    either(&app, said.await)
}

pub(super) async fn look_up(State(app): State<Arc<App>>, request: Request) -> Response {
    let said = async {
        let admitted = gate::admit(&app, request, LOOKUP).await?;
        let asked: LookupRequest = read(&admitted.body).map_err(Said::invalid)?;
        let found =
            catalog::look_up(&asked, &app.book, &shelf(&app).await?, meta(&admitted.asker, name::CATALOG_LOOKUP));
        Ok(app.answered(found.map(|found| Said::ok(&found)).map_err(StoreError::from)))
    };
    either(&app, said.await)
}

pub(super) async fn product(State(app): State<Arc<App>>, request: Request) -> Response {
    let said = async {
        let admitted = gate::admit(&app, request, LOOKUP).await?;
        let asked: ProductRequest = read(&admitted.body).map_err(Said::invalid)?;
        let id = asked.id.as_str();
        let is = |goods: &&crate::rules::book::Goods| goods.id == id || goods.items.iter().any(|piece| piece.id == id);
        let Some(goods) = app.book.products.iter().find(is) else { return Ok(Said::not_found("product")) };
        let product = catalog::product(goods, &app.book, &shelf(&app).await?);
        let said = product.map(|product| {
            let ucp = meta(&admitted.asker, name::CATALOG_LOOKUP);
            Said::ok(&ProductAnswer { ucp, product, messages: None, more: More::new() })
        });
        Ok(app.answered(said.map_err(StoreError::from)))
    };
    either(&app, said.await)
}
