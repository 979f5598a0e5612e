//! What is bought and what is given for that, over HTTP: who may, what is refused, what is kept apart.

use reqwest::{Method, StatusCode};
use serde_json::json;
use vestibule_model::ContentHash;

use super::{Home, problem};

const PERSON: &str = "application/vnd.vestibule.person%2Bjson";

fn order() -> serde_json::Value {
    json!({
        "system": "shop", "checkout": "chk_1", "shown": "01".repeat(16),
        "total": { "amount": 3380, "currency": "EUR" }, "pay": { "handler": "sandbox", "instrument": "sandbox" }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_buys_where_they_have_agreed_nothing() {
    let home = Home::start().await;
    let me = home.pair("owner").await;
    assert_eq!(home.get(&me, "/v1/purchases").await, json!({ "purchases": [], "next": null }));
    let id = "07".repeat(16);
    let path = format!("/v1/purchases/{id}");
    let code = async |request: reqwest::RequestBuilder| problem(request.send().await.unwrap()).await["code"].clone();
    assert_eq!(code(home.ask(&me, Method::GET, &path)).await, "not_found");
    assert_eq!(code(home.ask(&me, Method::DELETE, &path)).await, "not_found");
    assert_eq!(code(home.ask(&me, Method::PUT, &path).json(&order())).await, "forbidden");
    let mut below = order();
    below["total"]["amount"] = json!(-1);
    assert_eq!(code(home.ask(&me, Method::PUT, &path).json(&below)).await, "invalid");
    below["total"]["amount"] = json!(1.5);
    assert_eq!(code(home.ask(&me, Method::PUT, &path).json(&below)).await, "malformed");
    assert_eq!(home.get(&me, "/v1/products").await, json!({ "products": [] }));
    assert_eq!(home.get(&me, "/v1/products?after=W-1&limit=200").await, json!({ "products": [] }));
    assert_eq!(code(home.ask(&me, Method::GET, "/v1/products?after=w_1")).await, "malformed");
    let binding = json!({ "twin": "bench/lamp", "purchase": id, "certificate": "a.b" });
    assert_eq!(code(home.ask(&me, Method::PUT, "/v1/products/W-1").json(&binding)).await, "not_found");
    assert_eq!(code(home.ask(&me, Method::PUT, "/v1/products/w_1").json(&binding)).await, "malformed");
    assert_eq!(code(home.ask(&me, Method::DELETE, "/v1/products/W-1")).await, "not_found");
    let thing = "/v1/products/W-1/thing";
    let place = json!({ "space": "home", "position": [1, 0, 2], "rotation": [0, 0, 0, 1] });
    let standing = json!({ "purchase": id, "place": place });
    assert_eq!(code(home.ask(&me, Method::PUT, thing).json(&standing)).await, "not_found");
    let nowhere =
        json!({ "purchase": id, "place": { "space": "home", "position": [1, 0, 2], "rotation": [0, 0, 0, 0] } });
    assert_eq!(code(home.ask(&me, Method::PUT, thing).json(&nowhere)).await, "invalid");
    assert_eq!(code(home.ask(&me, Method::PUT, thing).json(&json!({ "purchase": id }))).await, "malformed");
    home.enabler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_comes_in_parts_and_what_is_about_people_is_kept_apart() {
    let home = Home::start().await;
    let me = home.pair("owner").await;
    let whole = vec![7_u8; 3_000];
    let hash = ContentHash::of(&whole);
    let part = async |from: usize, to: usize| {
        let path = format!("/v1/contents/{hash}?size=3000&offset={from}&media=model/3mf");
        let request = home.ask(&me, Method::PUT, &path).header("Content-Type", "application/octet-stream");
        let answer = request.body(whole[from..to].to_vec()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json::<serde_json::Value>().await.unwrap()["next"].clone()
    };
    assert_eq!(part(0, 2_000).await, 2_000);
    assert_eq!(part(2_500, 3_000).await, 2_000, "with a hole");
    assert_eq!(part(2_000, 3_000).await, 3_000);
    let kept = home.ask(&me, Method::GET, &format!("/v1/contents/{hash}")).send().await.unwrap();
    assert_eq!(kept.bytes().await.unwrap(), whole);

    let document = format!(r#"{{"salt":"{}","destination":{{"street_address":"12 Elm Street"}}}}"#, "ab".repeat(32));
    let (hash, size) = (ContentHash::of(document.as_bytes()), document.len());
    let path = format!("/v1/contents/{hash}?size={size}&media={PERSON}");
    let request = home.ask(&me, Method::PUT, &path).header("Content-Type", "application/octet-stream");
    assert_eq!(request.body(document).send().await.unwrap().status(), StatusCode::OK);
    let shown = home.ask(&me, Method::GET, &format!("/v1/contents/{hash}")).send().await.unwrap();
    assert_eq!(problem(shown).await["code"], "not_found", "nobody is shown it");
    for wrong in
        ["size=5&media=text/html", "size=99999&media=application/vnd.vestibule.person%2Bjson", "size=0&media=model/3mf"]
    {
        let request = home.ask(&me, Method::PUT, &format!("/v1/contents/{hash}?{wrong}"));
        let request = request.header("Content-Type", "application/octet-stream").body("12345");
        assert_eq!(problem(request.send().await.unwrap()).await["code"], "invalid", "{wrong}");
    }
    // It lies in a file that only the enabler reads.
    let persons = home.folder.path().join("data").join("persons");
    let giver = std::fs::read_dir(&persons).unwrap().next().unwrap().unwrap().path();
    let file = giver.join(hash.to_string());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("12 Elm Street"));
    home.enabler.stop().await;
}
