//! A broken enabler over HTTP: a real one behind somebody who falsifies one thing.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Response, StatusCode, header},
};
use reqwest::Client;
use serde_json::Value;
use tokio::net::TcpListener;

/// Bytes of a body in a test.
const MOST: usize = 16 * 1024 * 1024;

/// The one thing that is wrong.
pub trait Fault: Send + Sync + 'static {
    /// What is asked instead: path and query.
    fn path(&self, path: &str) -> String {
        path.to_owned()
    }

    /// What is asked with instead.
    fn asked(&self, _path: &str, _headers: &mut HeaderMap) {}

    /// What is answered with instead.
    fn told(&self, _path: &str, _headers: &mut HeaderMap) {}

    /// What is answered instead.
    fn answer(&self, _path: &str, status: StatusCode, body: Value) -> (StatusCode, Value) {
        (status, body)
    }

    /// What is told instead: a line of a stream of events.
    fn line(&self, line: &str) -> String {
        line.to_owned()
    }
}

struct Proxy {
    real: String,
    client: Client,
    fault: Box<dyn Fault>,
}

/// Stands before the enabler at `real`; its own address.
pub async fn start(real: String, fault: Box<dyn Fault>) -> String {
    // The cryptography of this client, which nobody needs here and everybody asks for.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let router = Router::new().fallback(pass).with_state(Arc::new(Proxy { real, client, fault }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn pass(State(proxy): State<Arc<Proxy>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().unwrap().to_string();
    let mut headers = parts.headers;
    // The client writes its own.
    for name in [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION] {
        headers.remove(name);
    }
    proxy.fault.asked(&path, &mut headers);
    let body = to_bytes(body, MOST).await.unwrap();
    let url = format!("{}{}", proxy.real, proxy.fault.path(&path));
    let reply = proxy.client.request(parts.method, url).headers(headers).body(body).send().await.unwrap();
    let media = reply.headers().get(header::CONTENT_TYPE).map(|media| media.to_str().unwrap().to_owned());
    if media.as_deref() == Some("text/event-stream") {
        return stream(proxy, reply);
    }
    let (mut status, mut headers) = (reply.status(), reply.headers().clone());
    let mut bytes = reply.bytes().await.unwrap();
    if media.is_some_and(|media| media.ends_with("json")) {
        let (falsified, body) = proxy.fault.answer(&path, status, serde_json::from_slice(&bytes).unwrap());
        (status, bytes) = (falsified, serde_json::to_vec(&body).unwrap().into());
    }
    proxy.fault.told(&path, &mut headers);
    answer(status, &headers, bytes)
}

fn answer(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in headers {
        if ![header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION].contains(name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// Passes on a stream line by line, as lines are whole.
fn stream(proxy: Arc<Proxy>, reply: reqwest::Response) -> Response<Body> {
    let lines = futures_util::stream::unfold((proxy, reply, Vec::new()), |(proxy, mut reply, mut rest)| async move {
        let bytes = reply.chunk().await.ok()??;
        rest.extend_from_slice(&bytes);
        let end = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
        let whole: Vec<u8> = rest.drain(..end).collect();
        let text = String::from_utf8(whole).unwrap();
        let told: String = text.lines().map(|line| proxy.fault.line(line) + "\n").collect();
        Some((Ok::<_, std::convert::Infallible>(told), (proxy, reply, rest)))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/event-stream"));
    response
}
