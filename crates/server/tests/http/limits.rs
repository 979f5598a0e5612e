//! What one user can take of what everybody shares, however many devices and tokens they have.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use vestibule_enabler_core::token::attenuate;
use vestibule_model::{ActionId, ContentHash, Fingerprint, Limits};
use vestibule_protocol::{Request, Response as Answer};
use vestibule_server::Peer;

use super::{Home, PATIENCE, Who, problem};

/// What `docs/http.md` says.
const STREAMS_EACH: usize = 16;
const THINGS_EACH: usize = 32;
const CONNECTIONS_EACH: usize = 256;

impl Home {
    /// One more device of `ada`, who is a guest.
    async fn device_of_ada(&self, me: &Who) -> Who {
        self.tell(me, Method::PUT, "/v1/users/ada", json!({ "id": "ada", "name": "Ada", "roles": ["guest"] })).await;
        let code = self.tell(me, Method::POST, "/v1/pairing/codes", json!({ "role": "guest", "user": "ada" })).await;
        let body = json!({ "code": code.json::<Value>().await.unwrap()["digits"], "name": "phone" });
        let paired = self.bare(Method::POST, "/v1/pairing").json(&body).send().await.unwrap();
        Who(paired.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned())
    }

    /// A token of `who`, and as many that were narrowed from it.
    async fn narrowed(&self, who: &Who, number: usize) -> Vec<Who> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        let delegation = json!({ "guest": "postman", "limits": { "until": now + 600_000 } });
        let token: Value = self.tell(who, Method::POST, "/v1/tokens", delegation).await.json().await.unwrap();
        let token = token["token"].as_str().unwrap();
        let limits = |number: usize| Limits {
            actions: Some(vec![ActionId::slug(&format!("action{number}"))]),
            ..Limits::default()
        };
        (0..number).map(|number| Who(attenuate(token, rand::random(), &limits(number)).unwrap())).collect()
    }

    async fn stream(&self, who: &Who, path: &str) -> Response {
        self.ask(who, Method::GET, path).header("Accept", "text/event-stream").send().await.unwrap()
    }

    /// Opens streams, in turn for each of `who`, and says how many there can be; the last answer is a refusal.
    async fn streams(&self, who: &[Who], path: &str, most: usize) -> (Vec<Response>, Response) {
        let mut open = Vec::new();
        for who in who.iter().cycle().take(most + 1) {
            let answer = self.stream(who, path).await;
            if answer.status() != StatusCode::OK {
                return (open, answer);
            }
            open.push(answer);
        }
        panic!("more than {most} streams of {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn event_streams_are_counted_for_each_user_and_not_for_each_token() {
    let home = Home::start().await;
    let me = home.pair("owner").await;
    let ada = [home.device_of_ada(&me).await, home.device_of_ada(&me).await, home.device_of_ada(&me).await];
    let (open, refused) = home.streams(&ada, "/v1/events", STREAMS_EACH).await;
    assert_eq!((open.len(), refused.status()), (STREAMS_EACH, StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(problem(refused).await["code"], "overloaded");
    assert_eq!(home.stream(&me, "/v1/events").await.status(), StatusCode::OK, "others have their own");
    drop(open);
    // Whoever has a token can make as many of it as they like.
    let postmen = home.narrowed(&me, STREAMS_EACH + 1).await;
    let (open, refused) = home.streams(&postmen, "/v1/events", STREAMS_EACH).await;
    assert_eq!((open.len(), refused.status()), (STREAMS_EACH, StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(home.stream(&me, "/v1/events").await.status(), StatusCode::OK, "no guest takes the host's");
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_user_takes_all_places_of_the_web_of_things() {
    let home = Home::start().await;
    let (_bench, me) = (home.bench().await, home.pair("owner").await);
    let path = format!("{}/events", vestibule_wot::DIRECTORY);
    let postmen = home.narrowed(&me, 3).await;
    let (open, refused) = home.streams(&postmen, &path, THINGS_EACH).await;
    assert_eq!((open.len(), refused.status()), (THINGS_EACH, StatusCode::TOO_MANY_REQUESTS));
    let other = home.pair("guest").await;
    for who in [&me, &other] {
        assert_eq!(home.stream(who, &path).await.status(), StatusCode::OK, "others have their own");
    }
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_revoked_keeps_no_places() {
    let home = Home::start().await;
    let (me, ada) = (home.pair("owner").await, home.pair("guest").await);
    let head = format!("GET /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n", ada.0);
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS_EACH {
        let mut stream = TcpStream::connect(home.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut status = [0; 15];
        timeout(PATIENCE, stream.read_exact(&mut status)).await.unwrap().unwrap();
        assert_eq!(&status, b"HTTP/1.1 200 OK");
        held.push(stream);
    }
    // All places of this address are taken, by somebody who is then nobody any more.
    let (console, _outgoing) = home.enabler.hub().open(Peer::Console).await.unwrap();
    let revoke = Request::RevokeDevice(Fingerprint(ContentHash::of(ada.0.as_bytes()).0));
    assert_eq!(console.request(revoke).await, Answer::Done);
    let answer = home.ask(&me, Method::GET, "/v1/me").send().await.expect("a place");
    assert_eq!(answer.status(), StatusCode::OK);
    home.enabler.stop().await;
}
