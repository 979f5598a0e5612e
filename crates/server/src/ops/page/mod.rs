//! The status page: one file, without a build step and without a word to anybody else.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

const PAGE: &str = include_str!("status.html");
const SCRIPT: &str = include_str!("status.js");

/// The page. It knows nothing by itself: what it shows, it asks for in the name of whoever looks at it.
pub(crate) async fn page() -> Response {
    // Only what was served with this very answer runs, whatever a twin is called.
    let nonce = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>());
    let page = PAGE.replace("NONCE", &nonce).replacen("SCRIPT", SCRIPT, 1);
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src data:; \
         form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut response = Html(page).into_response();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::CONTENT_SECURITY_POLICY, &policy);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    response
}
