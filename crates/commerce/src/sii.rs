//! FGMV-29 P1.1 to P1.3, P1.7, P1.8, P1.14: the merchant as a third-party system of an enabler, over its HTTP interface
//! as any foreign program is one. Checkouts and orders go over the Universal Commerce Protocol, for which the enabler's
//! owner says where this merchant is; what is asked for here is answered where it needs no platform.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use reqwest::{Client, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::{sync::watch, time::sleep};
use vestibule_model::{Timestamp, TwinId};
use vestibule_ucp::{Endpoint, EndpointError, LookupRequest, SearchRequest, UcpMeta};

use crate::{
    Role,
    app::App,
    measures::{self, Delegation, Gap},
    registration::registration,
    rules::catalog,
    store::{StoreError, shelf},
};

/// An answer comes within this time; an inbox waits for a part of it.
const PATIENCE: Duration = Duration::from_secs(45);
const WAIT_MS: u64 = 25_000;
/// How long an agreement holds at most: a year.
const YEAR_MS: u64 = 365 * 24 * 60 * 60 * 1000;
/// Pauses while the enabler cannot be reached: doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Between two looks for the file that says which enabler it is.
const INTRODUCED: Duration = Duration::from_millis(100);
/// What a file beside it ends in, where its code is spent and another one is wanted.
const WANTED: &str = "wanted";
/// Bytes of that file: an address, six digits and a name.
const LONGEST_INTRODUCTION: u64 = 4_096;
/// Bytes of an answer: a page of invocations.
const MAX_ANSWER: usize = 8 << 20;

/// An enabler, and how to be let in. As JSON where it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnablerConfig {
    /// Where it is: `http://127.0.0.1:8080`.
    pub url: String,
    /// The six digits of `vestibule-enabler pair --role third_party`; needed once.
    #[serde(default)]
    pub code: Option<String>,
    /// What this merchant is called there.
    pub system: String,
}

/// Who says which enabler that is.
#[derive(Clone, Debug)]
pub(crate) enum Introduction {
    /// Whoever started this merchant.
    At(EnablerConfig),
    /// A file, which is looked at each time: whoever writes it may know only later, and something else after a while.
    File(PathBuf),
}

impl Introduction {
    fn read(&self) -> Result<EnablerConfig, SiiError> {
        let path = match self {
            Self::At(config) => return Ok(config.clone()),
            Self::File(path) => path,
        };
        let unreadable = |why: String| SiiError::Introduction { path: path.clone(), why };
        match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(SiiError::NotIntroduced),
            Err(error) => return Err(unreadable(error.to_string())),
            Ok(about) if about.len() > LONGEST_INTRODUCTION => return Err(unreadable("it is too long".to_owned())),
            Ok(_) => {}
        }
        let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        // Without what stands there: the code is a secret.
        serde_json::from_slice(&bytes).map_err(|_| unreadable("it says no url and system as JSON".to_owned()))
    }

    /// Its code was not taken, and there is no other: says so where somebody may look. Codes end after some minutes, and
    /// whoever is started late finds one that has.
    fn wants_code(&self) {
        let Self::File(path) = self else { return };
        let wanted = path.with_extension(WANTED);
        if let Err(error) = std::fs::write(&wanted, "") {
            tracing::warn!(%error, file = %wanted.display(), "nobody learns that another code is needed");
        }
    }
}

/// Why an enabler does not know this merchant.
#[derive(Debug, Error)]
pub(crate) enum SiiError {
    #[error("nobody has said yet which enabler it is")]
    NotIntroduced,
    #[error("{}: {why}", path.display())]
    Introduction { path: PathBuf, why: String },
    #[error("{url}: {error}")]
    Address { url: String, error: EndpointError },
    #[error("there is no code to pair with that was not tried, and no token of an earlier time")]
    NoCode,
    /// Codes are used once, and each wrong one makes the enabler distrust those that it shows to others.
    #[error("the code is not taken: {0}")]
    Code(String),
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    #[error("the enabler says {status}: {detail}")]
    Refused { status: u16, detail: String },
    #[error("the enabler's answer cannot be read")]
    Strange,
    #[error("the token cannot be kept: {0}")]
    Token(io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Deserialize)]
struct Paired {
    token: String,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Told>,
}

#[derive(Deserialize)]
struct Told {
    sequence: u64,
    message: Value,
}

#[derive(Deserialize)]
struct Authorize {
    inquiry: Value,
    user: String,
    services: Value,
    until: Timestamp,
}

#[derive(Deserialize)]
struct Invoke {
    call: Value,
    step: Value,
    undo: bool,
    service: String,
    input: Value,
    not_after: Timestamp,
}

/// A twin is asked for so often, with pauses between: whoever waits for a price waits for this.
const ATTEMPTS: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(200);
/// All that is asked for one quote is there by then, or is not known.
const SHOWN: Duration = Duration::from_secs(5);

/// An enabler that is spoken to.
pub(crate) struct Enabler {
    client: Client,
    base: String,
    token: String,
}

/// Is a third-party system of this enabler until the merchant stops; whenever it is away, tries again.
pub(crate) async fn join(app: Arc<App>, role: Role, by: Introduction, mut stop: watch::Receiver<bool>) {
    let (mut pause, mut spent) = (FIRST_PAUSE, None);
    loop {
        let mut registered = false;
        let serving = async {
            let mut config = by.read()?;
            if config.code == spent {
                config.code = None;
            }
            let served = serve(&app, role, &config, &mut registered).await;
            if matches!(served, Err(SiiError::Code(_))) {
                spent = config.code;
            }
            if matches!(served, Err(SiiError::Code(_) | SiiError::NoCode)) {
                by.wants_code();
            }
            served
        };
        let done = tokio::select! {
            done = serving => done,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        pause = match done {
            Err(SiiError::NotIntroduced) => INTRODUCED,
            Err(error) => {
                tracing::warn!(%error, "the enabler does not know this merchant now; it is tried again");
                if registered { FIRST_PAUSE } else { (pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE) }
            }
            Ok(()) => FIRST_PAUSE,
        };
        tokio::select! {
            () = sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn serve(app: &Arc<App>, role: Role, config: &EnablerConfig, registered: &mut bool) -> Result<(), SiiError> {
    let enabler = pair(app, config).await?;
    enabler.ask(Method::PUT, "/v1/sii/registration", Some(&registration(app, role, &config.system))).await?;
    *registered = true;
    tracing::info!(enabler = enabler.base, "registered as {}", config.system);
    let enabler = Arc::new(enabler);
    app.is_known_to(&enabler);
    let mut after = 0;
    loop {
        // Whoever only listens is not heard of; an inbox waits for less than the sign of life that was promised.
        enabler.ask(Method::POST, "/v1/sii/heartbeat", None).await?;
        let path = format!("/v1/sii/inbox?after={after}&wait_ms={WAIT_MS}");
        let page = enabler.ask(Method::GET, &path, None).await?;
        let page: Page = serde_json::from_value(page).map_err(|_| SiiError::Strange)?;
        for told in page.messages {
            after = told.sequence;
            answer(app, &enabler, &told.message).await?;
        }
    }
}

/// Who this merchant is to the enabler: by the token of an earlier time, or by its code, once.
async fn pair(app: &App, config: &EnablerConfig) -> Result<Enabler, SiiError> {
    let wrong = |error| SiiError::Address { url: config.url.clone(), error };
    let base = Endpoint::new(&config.url).map_err(wrong)?.as_str().trim_end_matches('/').to_owned();
    // An enabler ends connections on which nothing is said, just when the next request may be on it.
    let client = Client::builder().no_proxy().timeout(PATIENCE).pool_max_idle_per_host(0);
    let client = client.redirect(reqwest::redirect::Policy::none()).build()?;
    let mut enabler = Enabler { client, base, token: String::new() };
    let file = app.folder.join("token");
    enabler.token = match std::fs::read_to_string(&file) {
        Ok(token) => token.trim().to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let code = config.code.as_ref().ok_or(SiiError::NoCode)?;
            let asked = json!({"code": code, "name": app.book.name});
            let paired = enabler.ask(Method::POST, "/v1/pairing", Some(&asked)).await.map_err(not_taken)?;
            let paired: Paired = serde_json::from_value(paired).map_err(|_| SiiError::Strange)?;
            keep(&app.folder, &file, &paired.token).map_err(SiiError::Token)?;
            paired.token
        }
        Err(error) => return Err(SiiError::Token(error)),
    };
    Ok(enabler)
}

fn not_taken(error: SiiError) -> SiiError {
    match error {
        SiiError::Refused { status: 401, detail } => SiiError::Code(detail),
        other => other,
    }
}

/// A temporary file is for its owner's eyes only, and so is what it becomes.
fn keep(folder: &Path, file: &Path, token: &str) -> io::Result<()> {
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut new, token.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(file).map_err(|error| error.error)?;
    Ok(())
}

impl Enabler {
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, SiiError> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut answer = request.send().await?;
        let status = answer.status();
        // What it says of its length is not believed: some say nothing.
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await? {
            if bytes.len() + part.len() > MAX_ANSWER {
                return Err(SiiError::Strange);
            }
            bytes.extend_from_slice(&part);
        }
        let said: Value = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).map_err(|_| SiiError::Strange)?
        };
        if status.is_success() {
            return Ok(said);
        }
        let detail = said.get("detail").and_then(Value::as_str).unwrap_or_default().to_owned();
        Err(SiiError::Refused { status: status.as_u16(), detail })
    }

    /// Says something that may have come to an end meanwhile: then it is only told.
    async fn say(&self, path: &str, body: &Value) -> Result<(), SiiError> {
        match self.ask(Method::POST, path, Some(body)).await {
            Ok(_) => Ok(()),
            Err(SiiError::Refused { status, detail }) if status != 401 => {
                tracing::info!(status, detail, "the enabler no longer waits for this answer");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

async fn answer(app: &Arc<App>, enabler: &Enabler, message: &Value) -> Result<(), SiiError> {
    if let Some(asked) = message.get("authorize").and_then(|asked| Authorize::deserialize(asked).ok()) {
        // Everybody may buy. The account's name is the same for the same user, and says nothing of them.
        let account = vestibule_model::ContentHash::of(asked.user.as_bytes()).to_string();
        let account = format!("customer {}", account.get(..8).unwrap_or_default());
        let until = asked.until.min(app.clock.now().plus(YEAR_MS));
        let granted = json!({"granted": {"services": asked.services, "until": until, "account": account}});
        return enabler.say("/v1/sii/answers", &json!({"inquiry": asked.inquiry, "answer": granted})).await;
    }
    if let Some(asked) = message.get("invoke").and_then(|asked| Invoke::deserialize(asked).ok()) {
        if asked.not_after <= app.clock.now() {
            return Ok(());
        }
        let result = invoke(app, &asked).await?;
        let said = json!({"call": asked.call, "step": asked.step, "undo": asked.undo, "result": result});
        return enabler.say("/v1/sii/results", &said).await;
    }
    Ok(())
}

/// P1.15 to P1.19: what the twins that are shared for a call have measured, and which of them could not be seen.
pub(crate) async fn gaps(enabler: Option<&Enabler>, delegation: &Delegation) -> (Vec<Gap>, Vec<TwinId>) {
    let (mut gaps, mut unseen) = (Vec::new(), Vec::new());
    let until = tokio::time::Instant::now() + SHOWN;
    for (twin, path) in delegation.paths() {
        let seen = match enabler {
            Some(enabler) => tokio::time::timeout_at(until, shown(enabler, &path)).await.ok().flatten(),
            None => None,
        };
        match seen {
            // A twin that has measured nothing says nothing.
            Some(seen) => gaps.extend(measures::gap(twin, &seen)),
            None => unseen.push(twin.clone()),
        }
    }
    (gaps, unseen)
}

async fn shown(enabler: &Enabler, path: &str) -> Option<Value> {
    for attempt in 1..=ATTEMPTS {
        match enabler.ask(Method::GET, path, None).await {
            Ok(twin) => return Some(twin),
            // What is not shared, or not for this call, will not be.
            Err(SiiError::Refused { status: 400..=499, detail }) => {
                tracing::info!(detail, "a twin is not shown");
                return None;
            }
            Err(error) => tracing::info!(%error, attempt, "a twin could not be asked for"),
        }
        sleep(BETWEEN).await;
    }
    None
}

/// What needs no platform is answered; everything else says where it is asked for.
async fn invoke(app: &Arc<App>, asked: &Invoke) -> Result<Value, SiiError> {
    if asked.undo {
        // Nothing was ever done here.
        return Ok(json!({"done": null}));
    }
    let input = serde_json::to_vec(&asked.input).unwrap_or_default();
    let looking = app.clone();
    let shelf = app.store.read(move |connection| Box::pin(async move { shelf::all(connection, &looking.book).await }));
    let shelf = shelf.await?;
    let found = match asked.service.as_str() {
        "recipes" if !app.book.recipes.is_empty() => {
            let words = asked.input.get("query").and_then(Value::as_str).unwrap_or_default();
            return Ok(json!({"done": catalog::recipes(words, &app.book)}));
        }
        "search" => vestibule_ucp::read::<SearchRequest>(&input)
            .map(|wanted| catalog::search(&wanted, &app.book, &shelf, UcpMeta::new())),
        "look_up" => vestibule_ucp::read::<LookupRequest>(&input)
            .map(|wanted| catalog::look_up(&wanted, &app.book, &shelf, UcpMeta::new())),
        _ => {
            let reason = format!(
                "Ask this over the Universal Commerce Protocol: the owner of the enabler starts it with --ucp and {}",
                app.profile_url
            );
            return Ok(json!({"failed": {"reason": reason}}));
        }
    };
    Ok(match found {
        Ok(found) => json!({"done": found.map_err(StoreError::from)?}),
        Err(error) => json!({"failed": {"reason": error.to_string()}}),
    })
}

#[cfg(test)]
#[path = "sii_tests.rs"]
mod tests;
