//! What HTTP adds to the interfaces: problem details, entity tags against lost updates, idempotency keys, pages.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use vestibule_model::{CommandId, Right, Rule, TwinId, TwinSelector};

use super::http_streams::{begins, foreign, resumes, resyncs};
use crate::{
    Seen, Stage,
    actor::{Actor, Spot, see},
    catalogue::rows,
    wire::{Http, Raw},
};

rows! { Http:
    "HTTP.document", "OpenAPI 3.1", "the document that describes the API is fetched" => document;
    "HTTP.problem", "RFC 9457", "requests that cannot be read, done or permitted" => problems;
    "HTTP.kind", "RFC 9457, 3.1.1", "the address that names a problem's kind is followed" => kind;
    "HTTP.challenge", "RFC 9110, 15.5.2", "somebody asks without showing who they are" => challenge;
    "HTTP.tag", "RFC 9110, 8.8.3", "a twin is read before and after a report" => tag;
    "HTTP.stale", "RFC 9110, 13.1.1", "commands with If-Match: an older state, the present one" => stale;
    "HTTP.update", "RFC 9110, 13.1.1", "two change one rule, both with the state that they saw" => update;
    "HTTP.key", "Idempotency-Key (draft)", "a command without a key" => keyless;
    "HTTP.replay", "Idempotency-Key (draft)", "one command is sent twice under one key" => replay;
    "HTTP.conflict", "Idempotency-Key (draft)", "another command under the same key" => conflict;
    "HTTP.own", "Idempotency-Key (draft)", "another user takes the same key" => own;
    "HTTP.pages", "docs/http.md", "a list is read one by one" => pages;
    "HTTP.stream", "HTML 9.2", "a stream of events is opened" => begins;
    "HTTP.resume", "HTML 9.2", "it breaks, and goes on with Last-Event-ID" => resumes;
    "HTTP.resync", "HTML 9.2", "it goes on after an event that nobody told" => resyncs;
    "HTTP.foreign", "HTML 9.2", "somebody goes on after another one's event" => foreign;
}

/// The enabler over HTTP.
pub(super) fn over(stage: &Stage) -> Result<&Http, String> {
    stage.transport.http().ok_or_else(|| "it is not reached over HTTP".to_owned())
}

async fn get(stage: &Stage, who: &Actor, path: &str) -> Result<Raw, String> {
    let http = over(stage)?;
    http.exchange(http.raw(Some(who.key()), Method::GET, path)?).await
}

fn at(twin: &TwinId) -> String {
    format!("/v1/twins/{}/{}", twin.system(), twin.local())
}

/// Paths that each party begins with.
const PATHS: [&str; 6] = [
    "/v1/pairing",
    "/v1/systems",
    "/v1/twins/{system}/{twin}/commands",
    "/v1/events",
    "/v1/dii/registration",
    "/v1/sii/registration",
];

async fn document(stage: &mut Stage) -> Seen {
    let http = over(stage)?;
    let raw = http.exchange(http.raw(None, Method::GET, "/openapi.json")?).await?.is(StatusCode::OK)?;
    let document: Value = raw.json()?;
    let version = document["openapi"].as_str().unwrap_or_default();
    let missing: Vec<_> = PATHS.iter().filter(|path| document["paths"][**path].is_null()).collect();
    see(version.starts_with("3.1") && missing.is_empty(), format!("OpenAPI {version}; not in it: {missing:?}"))
}

async fn problems(stage: &mut Stage) -> Seen {
    let (http, me, guest) = (over(stage)?, Some(stage.owner.key()), Some(stage.guest.key()));
    let codes = || http.raw(me, Method::POST, "/v1/pairing/codes");
    let requests = [
        (http.raw(None, Method::GET, "/v1/me")?, StatusCode::UNAUTHORIZED),
        (http.raw(guest, Method::GET, "/v1/rules")?, StatusCode::FORBIDDEN),
        (http.raw(me, Method::GET, &at(&stage.home.twin("nowhere")))?, StatusCode::NOT_FOUND),
        (http.raw(me, Method::GET, "/v1/no/such/path")?, StatusCode::NOT_FOUND),
        (http.raw(me, Method::DELETE, "/v1/me")?, StatusCode::METHOD_NOT_ALLOWED),
        (codes()?.header("content-type", "application/json").body("{"), StatusCode::BAD_REQUEST),
        (codes()?.header("content-type", "text/plain").body("{}"), StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ];
    let mut codes = Vec::new();
    for (request, due) in requests {
        codes.push(http.exchange(request).await?.problem(due)?.code);
    }
    Ok(codes.join(", "))
}

async fn kind(stage: &mut Stage) -> Seen {
    let http = over(stage)?;
    let problem = get(stage, &stage.owner, &at(&stage.home.twin("nowhere"))).await?.problem(StatusCode::NOT_FOUND)?;
    // An address of its own, or one at this enabler.
    if !problem.kind.starts_with('/') {
        return Ok(problem.kind);
    }
    http.exchange(http.raw(None, Method::GET, &problem.kind)?).await?.is(StatusCode::OK)?;
    Ok(format!("{} says what it means", problem.kind))
}

async fn challenge(stage: &mut Stage) -> Seen {
    let http = over(stage)?;
    let raw = http.exchange(http.raw(None, Method::GET, "/v1/me")?).await?.is(StatusCode::UNAUTHORIZED)?;
    raw.header("www-authenticate").map(str::to_owned)
}

/// The lamp as it is after a report, and its entity tag.
async fn tagged(stage: &Stage, spot: &Spot, on: bool) -> Result<String, String> {
    stage.home.report(spot, vestibule_model::Value::Bool(on)).await?;
    let raw = get(stage, &stage.owner, &at(&spot.twin)).await?.is(StatusCode::OK)?;
    raw.header("etag").map(str::to_owned)
}

async fn tag(stage: &mut Stage) -> Seen {
    let spot = Spot::new(&stage.home.twin("lamp"), "light", "on");
    let before = tagged(stage, &spot, false).await?;
    let same = get(stage, &stage.owner, &at(&spot.twin)).await?.header("etag")?.to_owned();
    let after = tagged(stage, &spot, true).await?;
    see(before == same && same != after && after.starts_with('"'), format!("{before}, {same}; after a report {after}"))
}

/// How far a command is, as far as rows look at it.
#[derive(Deserialize)]
struct Told {
    command: CommandId,
}

/// Has the lamp do something, under a key.
async fn press(stage: &Stage, who: &Actor, key: &str, action: &str, tag: Option<&str>) -> Result<Raw, String> {
    let http = over(stage)?;
    let path = format!("{}/commands", at(&stage.home.twin("lamp")));
    let mut request = http.raw(Some(who.key()), Method::POST, &path)?.header("idempotency-key", key);
    if let Some(tag) = tag {
        request = request.header("if-match", tag);
    }
    let wish = json!({ "feature": "light", "action": action, "valid_for_ms": 60_000 });
    http.exchange(request.json(&wish)).await
}

/// The same where it is taken: which command it is, and where to ask how far it is.
async fn pressed(stage: &Stage, who: &Actor, key: &str, action: &str) -> Result<(CommandId, String), String> {
    let raw = press(stage, who, key, action, None).await?.is(StatusCode::ACCEPTED)?;
    Ok((raw.json::<Told>()?.command, raw.header("location")?.to_owned()))
}

async fn stale(stage: &mut Stage) -> Seen {
    let spot = Spot::new(&stage.home.twin("lamp"), "light", "on");
    let old = tagged(stage, &spot, true).await?;
    let new = tagged(stage, &spot, false).await?;
    let key = format!("kit {} stale", stage.tag);
    let late = press(stage, &stage.owner, &key, "turn_on", Some(&old)).await?;
    let problem = late.problem(StatusCode::PRECONDITION_FAILED)?;
    let key = format!("kit {} fresh", stage.tag);
    let raw = press(stage, &stage.owner, &key, "turn_on", Some(&new)).await?.is(StatusCode::ACCEPTED)?;
    stage.home.obey(raw.json::<Told>()?.command, &spot, vestibule_model::Value::Bool(true)).await?;
    Ok(format!("the older one: {}; the present one: taken", problem.detail))
}

/// Sets a rule where `condition` holds.
async fn set(stage: &Stage, rule: &Rule, condition: (&str, &str)) -> Result<Raw, String> {
    let http = over(stage)?;
    let request = http.raw(Some(stage.owner.key()), Method::PUT, &format!("/v1/rules/{}", rule.id))?;
    http.exchange(request.header(condition.0, condition.1).json(rule)).await
}

/// Takes it away where it is still the one of this tag.
async fn remove(stage: &Stage, path: &str, tag: &str) -> Result<Raw, String> {
    let http = over(stage)?;
    http.exchange(http.raw(Some(stage.owner.key()), Method::DELETE, path)?.header("if-match", tag)).await
}

async fn update(stage: &mut Stage) -> Seen {
    let twins = TwinSelector::Twin(stage.home.twin("lamp"));
    let rule = stage.rule("update", &stage.guest, twins, Right::Read);
    let path = format!("/v1/rules/{}", rule.id);
    set(stage, &rule, ("if-none-match", "*")).await?.is(StatusCode::OK)?;
    set(stage, &rule, ("if-none-match", "*")).await?.problem(StatusCode::PRECONDITION_FAILED)?;
    let seen = get(stage, &stage.owner, &path).await?.is(StatusCode::OK)?.header("etag")?.to_owned();
    let [first, second] = [1, 2].map(|priority| Rule { priority: Some(priority), ..rule.clone() });
    set(stage, &first, ("if-match", &seen)).await?.is(StatusCode::OK)?;
    let lost = set(stage, &second, ("if-match", &seen)).await?.problem(StatusCode::PRECONDITION_FAILED)?;
    remove(stage, &path, &seen).await?.problem(StatusCode::PRECONDITION_FAILED)?;
    let raw = get(stage, &stage.owner, &path).await?.is(StatusCode::OK)?;
    let (kept, now) = (raw.json::<Rule>()?.priority, raw.header("etag")?.to_owned());
    remove(stage, &path, &now).await?;
    get(stage, &stage.owner, &path).await?.problem(StatusCode::NOT_FOUND)?;
    see(kept == first.priority, format!("the second one: {}; kept: {kept:?}", lost.detail))
}

async fn keyless(stage: &mut Stage) -> Seen {
    let http = over(stage)?;
    let path = format!("{}/commands", at(&stage.home.twin("lamp")));
    let wish = json!({ "feature": "light", "action": "turn_on" });
    let request = http.raw(Some(stage.owner.key()), Method::POST, &path)?.json(&wish);
    Ok(http.exchange(request).await?.problem(StatusCode::BAD_REQUEST)?.detail)
}

async fn replay(stage: &mut Stage) -> Seen {
    let (spot, key) = (Spot::new(&stage.home.twin("lamp"), "light", "on"), format!("kit {} replay", stage.tag));
    let (command, location) = pressed(stage, &stage.owner, &key, "turn_on").await?;
    stage.home.obey(command, &spot, vestibule_model::Value::Bool(true)).await?;
    let (again, same) = pressed(stage, &stage.owner, &key, "turn_on").await?;
    let told: Told = get(stage, &stage.owner, &location).await?.is(StatusCode::OK)?.json()?;
    // Had it been told again, it would have come before this.
    let (after, _) = pressed(stage, &stage.owner, &format!("{key} after"), "turn_off").await?;
    stage.home.obey(after, &spot, vestibule_model::Value::Bool(false)).await?;
    let times = stage.home.executions(command);
    see(
        (again, &same, told.command, times) == (command, &location, command, 1),
        format!("{location}, again {same}; executed {times} time(s)"),
    )
}

async fn conflict(stage: &mut Stage) -> Seen {
    let (spot, key) = (Spot::new(&stage.home.twin("lamp"), "light", "on"), format!("kit {} conflict", stage.tag));
    let (command, _) = pressed(stage, &stage.owner, &key, "turn_on").await?;
    stage.home.obey(command, &spot, vestibule_model::Value::Bool(true)).await?;
    let other = press(stage, &stage.owner, &key, "turn_off", None).await?;
    Ok(other.problem(StatusCode::CONFLICT)?.detail)
}

async fn own(stage: &mut Stage) -> Seen {
    let (spot, key) = (Spot::new(&stage.home.twin("lamp"), "light", "on"), format!("kit {} own", stage.tag));
    let rule = stage.rule("own", &stage.guest, TwinSelector::Twin(spot.twin.clone()), Right::ActAny);
    let play = async {
        let (mine, _) = pressed(stage, &stage.owner, &key, "turn_on").await?;
        stage.home.obey(mine, &spot, vestibule_model::Value::Bool(true)).await?;
        let (theirs, _) = pressed(stage, &stage.guest, &key, "turn_off").await?;
        stage.home.obey(theirs, &spot, vestibule_model::Value::Bool(false)).await?;
        see(mine != theirs, format!("{mine} and {theirs}"))
    };
    stage.under(rule, play).await
}

#[derive(Deserialize)]
struct Page {
    twins: Vec<Listed>,
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    info: Named,
}

#[derive(Deserialize)]
struct Named {
    id: TwinId,
}

async fn pages(stage: &mut Stage) -> Seen {
    let path = format!("/v1/systems/{}/twins", stage.home.id());
    let all: Page = get(stage, &stage.owner, &path).await?.is(StatusCode::OK)?.json()?;
    let all: Vec<TwinId> = all.twins.into_iter().map(|twin| twin.info.id).collect();
    let (mut found, mut after) = (Vec::new(), String::new());
    // One more than there are: the last page is empty.
    for _ in 0..=all.len() {
        let page: Page =
            get(stage, &stage.owner, &format!("{path}?limit=1{after}")).await?.is(StatusCode::OK)?.json()?;
        if page.twins.len() > 1 {
            return Err(format!("a page of one has {}", page.twins.len()));
        }
        found.extend(page.twins.into_iter().map(|twin| twin.info.id));
        let Some(next) = page.next else { break };
        after = format!("&after={next}");
    }
    let once: BTreeSet<_> = found.iter().collect();
    see(
        found == all && once.len() == all.len() && all.len() > 1,
        format!("{} twins on pages of one, {} at once", found.len(), all.len()),
    )
}
