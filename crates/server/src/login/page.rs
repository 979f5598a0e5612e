//! What people see in their browser when they come back from a provider: one page, no script.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::LoggedIn;
use crate::http::Problem;

/// Whether it is a person who looks, and no program.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Who they are, and what to do with it.
pub(super) fn welcome(logged_in: &LoggedIn) -> Response {
    let LoggedIn { token, user, roles, until } = logged_in;
    let roles: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
    let (user, roles, until) = (escaped(user.as_str()), escaped(&roles.join(", ")), until.to_utc());
    // What stands after # never leaves the browser.
    page(&format!(
        "<h1>Welcome, {user}</h1><p>You are {roles} here until {until}.</p>\
         <p><a href=\"../status#token={token}\">Go to the status page</a> (for owners)</p>\
         <p>Programs that act for you send this as <code>Authorization: Bearer</code>; nobody else may see it:</p>\
         <pre>{token}</pre>"
    ))
}

/// Why not, and what to do.
pub(super) fn sorry(problem: &Problem) -> Response {
    let words =
        format!("<h1>Not logged in</h1><p>{}</p><p><a href=\"login\">Try again</a></p>", escaped(problem.detail()));
    let mut response = page(&words);
    *response.status_mut() = problem.status();
    response
}

fn page(body: &str) -> Response {
    let nonce = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>());
    let style = "body{font:16px/1.5 system-ui;max-width:40em;margin:3em auto;padding:0 1em}pre{overflow:auto}";
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Vestibule</title>\
         <style nonce=\"{nonce}\">{style}</style>{body}</html>"
    );
    let mut response = Html(html).into_response();
    let policy = format!("default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'");
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::CONTENT_SECURITY_POLICY, &policy);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    response
}

/// Text that means nothing but itself in HTML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn words_of_providers_are_text() {
        let response = sorry(&Problem::login_denied("<script>alert('x')</script>"));
        assert_eq!(response.status(), 403);
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let html = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(html.contains("&lt;script&gt;") && !html.contains("<script"), "{html}");
    }
}
