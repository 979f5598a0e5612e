//! One write of a batch, and what to make of a log that is not where it was.

use vestibule_model::Name;
use vestibule_store::{EventLog, Head, Line, NewLine, StoreError};

/// How a write went.
pub(super) enum Written {
    /// Everything is on disk.
    Done(Head),
    /// The log had these lines already, by somebody else or by a write that had seemed to fail.
    Moved(Vec<Line>),
}

/// Appends `lines` behind `after`; where the log has moved on, what it has there.
pub(super) async fn write(
    log: &dyn EventLog,
    after: Head,
    lines: Vec<NewLine>,
    names: Vec<Name>,
) -> Result<Written, StoreError> {
    match log.append(after, lines, names).await {
        Ok(head) => Ok(Written::Done(head)),
        Err(StoreError::Moved(_)) => {
            let mut lines = Vec::new();
            let mut last = after.sequence;
            loop {
                let page = log.read(last, 1_000).await?;
                let Some(line) = page.last() else { return Ok(Written::Moved(lines)) };
                last = line.sequence;
                lines.extend(page);
            }
        }
        Err(error) => Err(error),
    }
}
