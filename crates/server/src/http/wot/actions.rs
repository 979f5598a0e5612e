//! Actions: invoked, and asked how far they are.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json,
    body::Body,
    extract::{OriginalUri, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value as JsonValue, json};
use tokio::time::timeout;
use vestibule_model::{ActionId, Command, CommandId, CommandStatus, Timestamp, TwinId, Value};
use vestibule_protocol::{Interest, Request, Response as Answer, TwinView};
use vestibule_wot::{Affordance, from_json};

use super::{
    BODY, Problem, Things,
    caller::Caller,
    told::{News, Told},
};
use crate::http::body::{parse, read};

/// How long a command is worth something where its action does not say: as long as a person watches.
const VALID_MS: u64 = 10_000;
/// After its validity, an end is told within a moment.
const GRACE_MS: u64 = 2_000;
/// Calls that can be asked about; the oldest is forgotten first.
const REMEMBERED: usize = 1_024;

/// What somebody wants.
pub(super) struct Wanted {
    pub(super) twin: TwinId,
    pub(super) action: Affordance<ActionId>,
    pub(super) input: Option<Value>,
}

/// A command on its way.
pub(super) struct Call {
    news: News,
    command: CommandId,
    status: CommandStatus,
    left: Duration,
}

/// Gives the command; it is accepted when this returns.
pub(super) async fn begin(
    caller: Caller,
    view: &TwinView,
    wanted: Wanted,
    headers: &HeaderMap,
) -> Result<Call, Problem> {
    let Wanted { twin, action, input } = wanted;
    let feature = view.info.features.get(&action.feature);
    let takes = feature.and_then(|feature| feature.actions.get(&action.name)?.takes_ms);
    let valid = takes.unwrap_or_default().max(VALID_MS);
    let command = Command {
        id: key(&caller, headers),
        twin: twin.clone(),
        feature: action.feature,
        action: action.name,
        input,
        expected_revision: revision(headers)?,
        not_after: caller.now.plus(valid),
        trace: None,
        lease: None,
    };
    let id = command.id;
    // Subscribed first: no update is missed.
    let mut news = News::of(caller, Interest::Twins(vec![twin])).await?;
    news.synchronized().await?;
    let status = match news.session().request(Request::Actuate(command)).await {
        Answer::Command(update) => update.status,
        Answer::Refused(refusal) => return Err(refusal.into()),
        _ => return Err(Problem::strange()),
    };
    Ok(Call { news, command: id, status, left: Duration::from_millis(valid.saturating_add(GRACE_MS)) })
}

/// The idempotency key that the client chose, or a random one. One user's keys are not another's.
fn key(caller: &Caller, headers: &HeaderMap) -> CommandId {
    let Some(chosen) = headers.get("idempotency-key") else { return CommandId(rand::random()) };
    let hash = blake3::keyed_hash(&caller.key(), chosen.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hash.as_bytes()[..16]);
    CommandId(id)
}

/// The revision that the client saw.
fn revision(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(tag) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let revision = tag.to_str().ok().and_then(|tag| tag.trim_matches('"').parse().ok());
    revision.map(Some).ok_or_else(|| Problem::malformed("If-Match names no revision: take the ETag of a property"))
}

impl Call {
    /// Waits for the end; `told` hears of each step.
    async fn follow(mut self, mut told: impl FnMut(&CommandStatus)) -> CommandStatus {
        let (id, left) = (self.command, self.left);
        if self.status.is_final() {
            return self.status;
        }
        let ended = timeout(left, async {
            while let Some(news) = self.news.next().await {
                if let Told::Command(update) = news
                    && update.command == id
                {
                    told(&update.status);
                    if update.status.is_final() {
                        return update.status;
                    }
                }
            }
            CommandStatus::Expired
        });
        ended.await.unwrap_or(CommandStatus::Expired)
    }

    /// Waits for the end.
    pub(super) async fn finish(self) -> CommandStatus {
        self.follow(|_| {}).await
    }
}

/// A call as its status resource tells it.
#[derive(Clone, Debug)]
struct Record {
    command: CommandId,
    /// Whose it is: nobody else learns of it.
    key: [u8; 32],
    href: String,
    requested: Timestamp,
    status: CommandStatus,
}

impl Record {
    fn json(&self) -> JsonValue {
        let status = match self.status {
            CommandStatus::Accepted | CommandStatus::Dispatched => "pending",
            CommandStatus::Executed => "running",
            CommandStatus::Confirmed | CommandStatus::Commanded => "completed",
            CommandStatus::Failed { .. } | CommandStatus::Expired => "failed",
        };
        let mut json = json!({ "status": status, "href": self.href, "timeRequested": self.requested.0 });
        if status == "failed" {
            json["error"] = json!(Problem::thing(self.status.to_string()));
        }
        json
    }
}

/// The calls of late.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls(Arc<Mutex<VecDeque<Record>>>);

impl Calls {
    fn book(&self) -> MutexGuard<'_, VecDeque<Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, record: Record) {
        let mut book = self.book();
        book.retain(|known| known.command != record.command);
        if book.len() >= REMEMBERED {
            book.pop_front();
        }
        book.push_back(record);
    }

    fn set(&self, command: CommandId, status: &CommandStatus) {
        if let Some(record) = self.book().iter_mut().find(|record| record.command == command) {
            record.status = status.clone();
        }
    }

    fn find(&self, command: CommandId, key: [u8; 32]) -> Option<Record> {
        self.book().iter().find(|record| record.command == command && record.key == key).cloned()
    }
}

/// Invokes an action: written down when this answers, with where to ask how far it is.
pub(super) async fn invoke(
    State(things): State<Things>,
    caller: Caller,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path((system, twin, name)): Path<(String, String, String)>,
    body: Body,
) -> Result<Response, Problem> {
    let (twin, name) = (TwinId::new(format!("{system}/{twin}"))?, name.parse::<Affordance<ActionId>>()?);
    let place = things.wait(&caller)?;
    let site = things.site(&headers)?;
    let view = caller.twin(&twin).await?;
    let about = view.info.features.get(&name.feature).and_then(|feature| feature.actions.get(&name.name));
    let about =
        about.ok_or_else(|| Problem::not_found(format!("{twin} has no action {name}, or you may not invoke it")))?;
    let input = match &about.input {
        Some(takes) => {
            let json = parse::<JsonValue>(&read(body, BODY).await?)?;
            Some(from_json(&json, takes)?)
        }
        None => None,
    };
    let (key, requested) = (caller.key(), caller.now);
    let call = begin(caller, &view, Wanted { twin, action: name, input }, &headers).await?;
    let command = call.command;
    let href = format!("{}{}/{command}", site.base().trim_end_matches('/'), uri.path().trim_end_matches('/'));
    let record = Record { command, key, href: href.clone(), requested, status: call.status.clone() };
    let json = record.json();
    things.calls.add(record);
    let calls = things.calls.clone();
    tokio::spawn(async move {
        let status = call.follow(|status| calls.set(command, status)).await;
        calls.set(command, &status);
        drop(place);
    });
    Ok((StatusCode::CREATED, [(header::LOCATION, href)], Json(json)).into_response())
}

/// How far a call is.
pub(super) async fn status(
    State(things): State<Things>,
    caller: Caller,
    Path((_, _, _, call)): Path<(String, String, String, String)>,
) -> Result<Json<JsonValue>, Problem> {
    let command = call.parse::<CommandId>().map_err(|error| Problem::not_found(error.to_string()))?;
    let record = things.calls.find(command, caller.key());
    record.map(|record| Json(record.json())).ok_or_else(|| Problem::not_found("there is no such call of yours"))
}
