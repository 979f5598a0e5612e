//! What `vestibule-enabler` asks a running enabler: over QUIC on this machine, with the enabler's own certificate, which
//! only whoever may read the data folder has.

use std::{fs, io, net::SocketAddr, path::Path, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use vestibule_model::{LeaseUpdate, Refusal, RefusalCode, RoleId, UserId};
use vestibule_protocol::{Request, Response};
use vestibule_quic::{Exchange, Identity, IdentityError, QuicError, ServerConnection};

use super::Shared;
use crate::Peer;

/// Where a running enabler says where it listens.
const ENDPOINT: &str = "endpoint";
/// Leases in one answer: some 500 bytes each, and all of them fit a frame.
const MOST_LEASES: usize = 4_096;
/// The enabler's certificate and key.
pub(crate) const IDENTITY: &str = "identity.pem";

/// What can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// How are you?
    Status,
    /// Who holds what, and who waits?
    Leases,
    /// Show a pairing code for one device with this role.
    Pair {
        /// The role.
        role: RoleId,
        /// Whose it will be; `None`: somebody new.
        #[serde(default)]
        user: Option<UserId>,
    },
    /// Anything that a user can ask, asked by whoever runs the enabler.
    Ask {
        /// What is asked.
        request: Box<Request>,
    },
}

/// What is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To [`Question::Status`].
    Status(Status),
    /// To [`Question::Leases`].
    Leases {
        /// Object by object, the holder first, then by place.
        leases: Vec<LeaseUpdate>,
        /// How many more there are.
        more: usize,
    },
    /// To [`Question::Pair`].
    Code {
        /// Six digits.
        code: String,
        /// Where the device connects.
        address: SocketAddr,
    },
    /// To [`Question::Ask`].
    Said {
        /// What was answered.
        response: Box<Response>,
    },
    /// To what needs no words.
    Done,
    /// To anything: no, and why.
    Refused(String),
}

/// How an enabler is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// Its program's version.
    pub version: String,
    /// Its process.
    pub process: u32,
    /// Where it listens.
    pub address: SocketAddr,
    /// What clients know it by.
    pub fingerprint: String,
    /// Clients that are connected at this moment.
    pub connections: usize,
    /// What its hub says, by name.
    pub hub: Vec<(String, String)>,
}

/// Why a running enabler could not be asked.
#[derive(Debug, Error)]
pub enum ControlError {
    /// There is none.
    #[error("no enabler runs on {0}: start one with `vestibule-enabler serve --data {0}`")]
    NotRunning(String),
    /// The folder cannot be read.
    #[error("{folder} cannot be read: {source}")]
    Folder {
        /// Which.
        folder: String,
        /// Why not.
        source: io::Error,
    },
    /// Its certificate cannot be read.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// It does not answer.
    #[error("the enabler does not answer: {0}")]
    Silent(#[from] QuicError),
    /// It answers something else.
    #[error("the enabler is of another version: {0}")]
    Version(#[from] serde_json::Error),
    /// It says no.
    #[error("{0}")]
    Refused(String),
}

/// Says in the data folder where the enabler listens, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Endpoint(std::path::PathBuf);

impl Endpoint {
    pub(crate) fn announce(folder: &Path, address: SocketAddr) -> io::Result<Self> {
        let (path, part) = (folder.join(ENDPOINT), folder.join("endpoint.part"));
        fs::write(&part, format!("{}\n{}\n", from_here(address), std::process::id()))?;
        fs::rename(&part, &path)?;
        Ok(Self(path))
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::debug!(%error, "the endpoint's file stays");
        }
    }
}

/// The process of the enabler that runs on a data folder.
///
/// # Errors
/// [`ControlError::NotRunning`] where there is none: a number that a killed enabler left behind is another's by now.
pub(crate) fn process(folder: &Path) -> Result<i32, ControlError> {
    let not_running = || ControlError::NotRunning(folder.display().to_string());
    let said = fs::read_to_string(folder.join(ENDPOINT)).map_err(|_| not_running())?;
    let process = said.lines().nth(1).and_then(|line| line.parse().ok()).ok_or_else(not_running)?;
    match vestibule_store::DataFolder::open(folder) {
        Err(vestibule_store::StoreError::InUse(_)) => Ok(process),
        _ => Err(not_running()),
    }
}

/// Where a program on this machine reaches what listens on `address`.
pub(crate) fn from_here(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let ip = if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
        address.set_ip(ip);
    }
    address
}

/// Asks the enabler that runs on the data folder `folder`.
///
/// # Errors
/// [`ControlError`] in words for people.
pub async fn ask(folder: &Path, question: &Question) -> Result<Answer, ControlError> {
    let not_running = || ControlError::NotRunning(folder.display().to_string());
    let target = match fs::read_to_string(folder.join(ENDPOINT)) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(not_running()),
        Err(source) => return Err(ControlError::Folder { folder: folder.display().to_string(), source }),
    };
    if !folder.join(IDENTITY).exists() {
        return Err(not_running());
    }
    let identity = Identity::load_or_create(folder.join(IDENTITY))?;
    let question = serde_json::to_vec(question)?;
    match vestibule_quic::control(target.lines().next().unwrap_or_default(), &identity, &question).await {
        Ok(answer) => match serde_json::from_slice(&answer)? {
            Answer::Refused(words) => Err(ControlError::Refused(words)),
            answer => Ok(answer),
        },
        // What a killed enabler leaves behind; or another program has its port by now.
        Err(QuicError::Connect(_)) => Err(not_running()),
        Err(error) => Err(error.into()),
    }
}

/// Answers the enabler's own program until it is done.
pub(super) async fn serve(connection: ServerConnection, shared: &Shared) -> String {
    loop {
        let stream = match connection.accept().await {
            Ok(stream) => stream,
            Err(why) => return why,
        };
        let Ok(Exchange::Control { frame, reply }) = stream.read().await else {
            connection.close(vestibule_quic::CloseCode::Garbage, "only questions to the enabler's own program");
            return "not a question".to_owned();
        };
        let answer = match serde_json::from_slice(&frame) {
            Ok(question) => answer(question, shared).await,
            Err(error) => Answer::Refused(format!("the running enabler is of another version: {error}")),
        };
        // Nothing in an answer cannot be JSON.
        let frame = serde_json::to_vec(&answer).unwrap_or_default();
        if let Err(error) = reply.send(&frame).await {
            return error.to_string();
        }
    }
}

async fn answer(question: Question, shared: &Shared) -> Answer {
    match question {
        Question::Status => Answer::Status(Status {
            name: shared.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process: std::process::id(),
            address: shared.server.address(),
            fingerprint: shared.server.fingerprint().to_string(),
            connections: Arc::strong_count(&shared.clients).saturating_sub(1),
            hub: shared.hub_status().await,
        }),
        Question::Leases => match shared.hub.leases().await {
            Ok(mut leases) => {
                let more = leases.len().saturating_sub(MOST_LEASES);
                leases.truncate(MOST_LEASES);
                Answer::Leases { leases, more }
            }
            Err(error) => Answer::Refused(error.to_string()),
        },
        Question::Pair { role, user } => match operate(Request::OpenPairing { role, user }, shared).await {
            Response::Code { digits, .. } => Answer::Code { code: digits, address: shared.server.address() },
            Response::Refused(refusal) => Answer::Refused(refusal.to_string()),
            other => Answer::Said { response: Box::new(other) },
        },
        Question::Ask { request } => match operate(*request, shared).await {
            Response::Refused(refusal) => Answer::Refused(refusal.to_string()),
            response => Answer::Said { response: Box::new(response) },
        },
    }
}

/// Whoever has the enabler's own certificate can read its whole data folder: they may what owners may.
async fn operate(request: Request, shared: &Shared) -> Response {
    match shared.hub.open(Peer::Console).await {
        Ok((session, _outgoing)) => session.request(request).await,
        Err(error) => Response::Refused(Refusal::new(RefusalCode::Unavailable, error.to_string())),
    }
}
