//! From the disk to the state: the newest snapshot that is sound, and the lines behind it.

use std::sync::Arc;

use vestibule_enabler_core::{LogEvent, State};
use vestibule_model::{NameBook, Timestamp, UserId};
use vestibule_store::{Checker, EventLog, Head, Line, Snapshot, SnapshotFile, Snapshots, StoreError};

use super::{HubError, given::Given};

/// Lines that are read at once.
const PAGE: u32 = 1_000;

/// How far to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// To the end.
    End,
    /// To the line of this number.
    Sequence(u64),
    /// To the last line that was decided at this moment or before.
    Time(Timestamp),
}

impl Until {
    const fn takes(self, sequence: u64, at: Timestamp) -> bool {
        match self {
            Self::End => true,
            Self::Sequence(last) => sequence <= last,
            Self::Time(last) => at.0 <= last.0,
        }
    }
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What was decided.
    pub(crate) state: State,
    /// The last line that counts.
    pub(crate) head: Head,
    /// When that was.
    pub(crate) at: Timestamp,
    /// Who is who.
    pub(crate) names: NameBook,
    /// The line of the snapshot that it began with; 0: it began with the log.
    pub(crate) snapshot: u64,
    /// Erasures that were decided and not carried out: the process was killed in between.
    pub(crate) erasing: Vec<UserId>,
}

fn salt() -> [u8; 32] {
    rand::random()
}

/// The names of a log.
///
/// # Errors
/// [`StoreError`] where they cannot be read.
pub(crate) async fn names(log: &dyn EventLog) -> Result<NameBook, StoreError> {
    let mut book = NameBook::new(salt);
    for name in log.names().await? {
        let pseudonym = name.pseudonym;
        if !book.insert(name) {
            tracing::error!(%pseudonym, "a name is not the one that was written with this pseudonym: it is not believed");
        }
    }
    Ok(book)
}

/// The state that a snapshot holds.
///
/// # Errors
/// [`StoreError::Damaged`] where it is none.
pub(crate) fn state_of(snapshot: &Snapshot, names: &mut NameBook) -> Result<State, StoreError> {
    let read = names.scope(|| serde_json::from_slice(&snapshot.body));
    read.map_err(|error| StoreError::Damaged(format!("snapshot {}: {error}", snapshot.head.sequence)))
}

/// Reads one and takes it for the state of its line only where the log says the same of that line.
async fn try_snapshot(
    log: &dyn EventLog,
    file: SnapshotFile,
    anchor: Head,
    names: &NameBook,
    until: Until,
) -> Result<Option<(State, Head, Timestamp)>, StoreError> {
    let mut book = names.clone();
    let read = tokio::task::spawn_blocking(move || {
        let snapshot = Snapshots::read(&file)?;
        let state = state_of(&snapshot, &mut book)?;
        Ok::<_, StoreError>((state, snapshot.head, snapshot.at))
    });
    let (state, head, at) = read.await.map_err(|error| StoreError::Io(error.to_string()))??;
    if !until.takes(head.sequence, at) {
        return Ok(None);
    }
    let known = if head.sequence == anchor.sequence {
        Some(anchor.hash)
    } else {
        log.read(head.sequence.saturating_sub(1), 1).await?.first().map(|line| line.hash)
    };
    if known == Some(head.hash) {
        Ok(Some((state, head, at)))
    } else {
        Err(StoreError::Damaged(format!("snapshot {} is not of this log", head.sequence)))
    }
}

async fn begin(
    log: &dyn EventLog,
    snapshots: Option<&Snapshots>,
    names: &NameBook,
    until: Until,
) -> Result<(State, Head, Timestamp), StoreError> {
    let (anchor, head) = (log.anchor().await?, log.head().await?);
    let files = snapshots.map(Snapshots::list).unwrap_or_default();
    for file in files.into_iter().filter(|file| (anchor.sequence..=head.sequence).contains(&file.sequence)) {
        if file.sequence == 0 || !until.takes(file.sequence, Timestamp(0)) {
            continue;
        }
        match try_snapshot(log, file, anchor, names, until).await {
            Ok(Some(begun)) => return Ok(begun),
            Ok(None) => {}
            // An older one, or the log itself, says the same; only later.
            Err(error) => tracing::warn!(%error, "a snapshot is left out"),
        }
    }
    if anchor.sequence == 0 {
        return Ok((State::default(), Head::EMPTY, Timestamp(0)));
    }
    let message = format!(
        "it begins behind line {}, and no snapshot of that line or a later one before the moment asked for is sound",
        anchor.sequence
    );
    Err(StoreError::Damaged(message))
}

fn erased(event: &LogEvent, names: &NameBook) -> Option<UserId> {
    match event {
        LogEvent::PersonErased { user, .. } if names.user(user.as_str()).is_some() => Some(user.clone()),
        _ => None,
    }
}

/// Reads the state, and checks every line that it reads.
///
/// # Errors
/// [`HubError`] where a line is not as it was written, or cannot be read by this program.
pub(crate) async fn load(log: &dyn EventLog, snapshots: Option<&Snapshots>, until: Until) -> Result<Loaded, HubError> {
    let mut names = names(log).await?;
    let (mut state, head, mut at) = begin(log, snapshots, &names, until).await?;
    let snapshot = head.sequence;
    let mut checker = Checker::new(head);
    let mut erasing = Vec::new();
    loop {
        let lines = log.read(checker.head().sequence, PAGE).await?;
        if lines.is_empty() {
            let head = checker.head();
            checker.finish(log.head().await?).map_err(StoreError::from)?;
            return Ok(Loaded { state, head, at, names, snapshot, erasing });
        }
        for line in &lines {
            if !until.takes(line.sequence, line.at) {
                return Ok(Loaded { state, head: checker.head(), at, names, snapshot, erasing });
            }
            checker.next(line).map_err(StoreError::from)?;
            let event = read(&mut names, line)?;
            erasing.extend(erased(&event, &names));
            state.apply(line.at, &event);
            at = line.at;
        }
    }
}

/// What a line says, with the names that are not erased.
///
/// # Errors
/// [`HubError::Line`] where this program cannot read it.
pub(crate) fn read(names: &mut NameBook, line: &Line) -> Result<LogEvent, HubError> {
    let sequence = line.sequence;
    names.scope(|| LogEvent::read(&line.payload)).map_err(|source| HubError::Line { sequence, source })
}

/// The same state with the names of now: who was forgotten since reads as erased.
pub(super) fn renamed(
    state: &State,
    names: &mut NameBook,
    person: vestibule_model::Commitment,
) -> Result<State, StoreError> {
    let failed = |error: serde_json::Error| StoreError::Io(error.to_string());
    let written = names.scope(|| serde_json::to_vec(state)).map_err(failed)?;
    names.forget(person);
    names.scope(|| serde_json::from_slice(&written)).map_err(failed)
}

/// Carries out erasures that were decided before a kill, and reads anew.
pub(super) async fn load_and_forget(
    log: &Arc<dyn EventLog>,
    snapshots: Option<&Snapshots>,
    given: &Given,
) -> Result<Loaded, HubError> {
    let loaded = load(log.as_ref(), snapshots, Until::End).await?;
    if loaded.erasing.is_empty() {
        return Ok(loaded);
    }
    for user in &loaded.erasing {
        if let Some(person) = loaded.names.user(user.as_str()) {
            given.forget(user).await?;
            log.forget(person).await?;
        }
    }
    load(log.as_ref(), snapshots, Until::End).await
}
