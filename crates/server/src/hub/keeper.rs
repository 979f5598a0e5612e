//! Snapshots and retention: in the background, one at a time, never on the way of a decision.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot};
use vestibule_enabler_core::State;
use vestibule_model::{ContentHash, NameBook, Timestamp};
use vestibule_store::{EventLog, Head, SnapshotFile, Snapshots, StoreError};

use super::{
    HubError,
    handle::Control,
    load::{self, Until, load},
};

/// Snapshots that are kept besides the one that the log begins with: the newest may turn out to be damaged.
const KEPT: usize = 2;

/// Writes and removes snapshots.
#[derive(Clone, Debug)]
pub(super) struct Keeper {
    snapshots: Snapshots,
    /// Held by whoever writes or removes.
    turn: Arc<Mutex<()>>,
}

impl Keeper {
    pub(super) fn new(snapshots: Snapshots) -> Self {
        Self { snapshots, turn: Arc::default() }
    }

    /// A turn to write, where nobody has one.
    pub(super) fn try_turn(&self) -> Option<OwnedMutexGuard<()>> {
        self.turn.clone().try_lock_owned().ok()
    }

    /// Returns when nobody writes.
    pub(super) async fn idle(&self) {
        drop(self.turn.lock().await);
    }

    pub(super) const fn snapshots(&self) -> &Snapshots {
        &self.snapshots
    }

    /// Writes the state at `head`, then lets go of snapshots that nobody needs.
    pub(super) async fn write(
        &self,
        turn: OwnedMutexGuard<()>,
        log: &dyn EventLog,
        state: State,
        head: Head,
        at: Timestamp,
        names: NameBook,
    ) -> Result<(), StoreError> {
        self.put(state, head, at, names).await?;
        self.prune(log.anchor().await?);
        drop(turn);
        Ok(())
    }

    async fn put(
        &self,
        state: State,
        head: Head,
        at: Timestamp,
        mut names: NameBook,
    ) -> Result<ContentHash, StoreError> {
        let snapshots = self.snapshots.clone();
        let work = tokio::task::spawn_blocking(move || {
            let checksum = snapshots.write(head, at, |out| Ok(names.scope(|| serde_json::to_writer(out, &state))?))?;
            Ok::<_, StoreError>((checksum, names.take_fresh()))
        });
        let (checksum, fresh) = work.await.map_err(|error| StoreError::Io(error.to_string()))??;
        if fresh.is_empty() {
            return Ok(checksum);
        }
        // Names that are not durable yet, as after the first start on a log of an older form: the next append is.
        let file = self.snapshots.list().into_iter().find(|file| file.sequence == head.sequence);
        file.map_or(Ok(()), |file| Snapshots::remove(&file))?;
        Err(StoreError::Io("names of the state are not written down yet".to_owned()))
    }

    fn prune(&self, anchor: Head) {
        let list = self.snapshots.list();
        let base = list.iter().rfind(|file| file.sequence >= anchor.sequence && anchor.sequence > 0).cloned();
        let newest = list.iter().take(KEPT).cloned();
        let kept: Vec<SnapshotFile> = newest.chain(base).collect();
        for file in list.iter().filter(|file| !kept.contains(file)) {
            if let Err(error) = Snapshots::remove(file) {
                tracing::warn!(%error, "an old snapshot stays");
            }
        }
    }

    /// Removes the lines from before `oldest`: writes the snapshot that stands for them, has the log say so, cuts.
    pub(super) async fn retain(
        &self,
        log: &Arc<dyn EventLog>,
        oldest: Timestamp,
        control: &mpsc::Sender<Control>,
    ) -> Result<Option<u64>, HubError> {
        let _turn = self.turn.lock().await;
        let Some(last) = last_before(log.as_ref(), oldest).await? else { return Ok(None) };
        let at_cut = load(log.as_ref(), Some(&self.snapshots), Until::Sequence(last)).await?;
        let cut = at_cut.head;
        let checksum = self.put(at_cut.state, cut, at_cut.at, at_cut.names).await?;
        // Read back before anything goes: a snapshot that cannot be read stands for nothing.
        let sound = self.snapshots.list().into_iter().filter(|file| file.sequence == cut.sequence);
        let sound: Vec<_> = sound.filter(|file| Snapshots::read(file).is_ok_and(|read| read.head == cut)).collect();
        if sound.is_empty() {
            return Err(StoreError::Damaged("the snapshot that was just written cannot be read".to_owned()).into());
        }
        let (reply, written) = oneshot::channel();
        let asked = Control::Cut { at: cut, snapshot: checksum, reply };
        control.send(asked).await.map_err(|_| HubError::Stopped)?;
        written.await.map_err(|_| HubError::Stopped)??;
        log.cut(cut).await?;
        self.prune(cut);
        tracing::info!(through = cut.sequence, "old lines of the log were cut off; a snapshot stands for them");
        Ok(Some(cut.sequence))
    }
}

/// The last line from before `oldest`, where there is one that can go: times do not step back by more than clocks do.
async fn last_before(log: &dyn EventLog, oldest: Timestamp) -> Result<Option<u64>, StoreError> {
    let (anchor, head) = (log.anchor().await?.sequence, log.head().await?.sequence);
    let (mut low, mut high) = (anchor, head);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let line = log.read(middle - 1, 1).await?;
        let old = line.first().is_some_and(|line| line.sequence == middle && line.at < oldest);
        if old {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok((low > anchor).then_some(low))
}

/// The state that the log begins with.
pub(super) async fn base(
    log: &dyn EventLog,
    snapshots: Option<&Snapshots>,
    names: &NameBook,
) -> Result<State, StoreError> {
    let anchor = log.anchor().await?;
    if anchor.sequence == 0 {
        return Ok(State::default());
    }
    let files = snapshots.map(Snapshots::list).unwrap_or_default();
    let file = files.into_iter().find(|file| file.sequence == anchor.sequence);
    let file = file.ok_or_else(|| StoreError::Damaged(format!("there is no snapshot of line {}", anchor.sequence)))?;
    let mut names = names.clone();
    let read = tokio::task::spawn_blocking(move || load::state_of(&Snapshots::read(&file)?, &mut names));
    read.await.map_err(|error| StoreError::Io(error.to_string()))?
}
