//! HTTP: what the hub does, for whoever has no QUIC.

pub(crate) mod wot;

use crate::HubHandle;

async fn pair(
    axum::extract::State(hub): axum::extract::State<HubHandle>,
    axum::Json(body): axum::Json<serde_json::Value>,
) -> axum::Json<serde_json::Value> {
    let token = format!("{:032x}", rand::random::<u128>());
    let Ok((session, _news)) = hub.open(crate::Peer::Certificate(*blake3::hash(token.as_bytes()).as_bytes())).await
    else {
        return axum::Json(serde_json::json!({}));
    };
    let code = body["code"].as_str().unwrap_or_default().to_owned();
    let name = body["name"].as_str().unwrap_or_default().to_owned();
    match session.request(vestibule_protocol::Request::Pair { code, name }).await {
        vestibule_protocol::Response::Paired { .. } => axum::Json(serde_json::json!({ "token": token })),
        other => axum::Json(serde_json::json!({ "error": format!("{other:?}") })),
    }
}

pub(crate) fn router(hub: &HubHandle) -> axum::Router {
    wot::router(wot::Things::new(hub.clone(), false))
        .merge(crate::ops::routes::router(hub.clone()))
        .merge(axum::Router::new().route("/v1/pairing", axum::routing::post(pair)).with_state(hub.clone()))
}
