//! One write of a batch, who waits for it, and what to make of a log that is not where it was.

use std::time::Duration;

use vestibule_model::Name;
use vestibule_store::{EventLog, Head, Line, NewLine, StoreError};

/// How a write went.
pub(super) enum Written {
    /// Everything is on disk.
    Done(Head),
    /// The log had these lines already, by somebody else or by a write that had seemed to fail.
    Moved(Vec<Line>),
}

/// Lines that the hub's own thread waits for, at most: where more are asked for at once, there is more to decide meanwhile.
const FEW: usize = 8;
/// What it waits for, at most: some hand-overs to another thread. A disk that takes longer is waited for elsewhere.
const MOMENT: Duration = Duration::from_millis(2);
/// Writes that are handed over behind a long one, or one of many lines: a crowd goes on asking.
const HANDED_OVER: u32 = 32;

/// Which writes the hub's own thread waits for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    to_hand_over: u32,
}

impl Pace {
    /// Whether a write of so many lines is waited for by the thread that decided them.
    pub(super) const fn waits_for(&mut self, lines: usize) -> bool {
        if lines > FEW {
            self.to_hand_over = HANDED_OVER;
            return false;
        }
        let waits = self.to_hand_over == 0;
        self.to_hand_over = self.to_hand_over.saturating_sub(1);
        waits
    }

    /// The thread waited for so long.
    pub(super) fn waited(&mut self, took: Duration) {
        if took > MOMENT {
            self.to_hand_over = HANDED_OVER;
        }
    }
}

/// Appends `lines` behind `after`, `here` or handed over; where the log has moved on, what it has there.
pub(super) async fn write(
    log: &dyn EventLog,
    after: Head,
    lines: Vec<NewLine>,
    names: Vec<Name>,
    here: bool,
) -> Result<Written, StoreError> {
    let appended =
        if here { log.append_here(after, lines, names).await } else { log.append(after, lines, names).await };
    match appended {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_disk_and_a_crowd_are_waited_for_elsewhere_and_tried_again() {
        let mut pace = Pace::default();
        assert!(pace.waits_for(FEW));
        pace.waited(MOMENT);
        assert!(pace.waits_for(1) && !pace.waits_for(FEW + 1));
        for _ in 0..HANDED_OVER {
            assert!(!pace.waits_for(1), "others are about to ask");
        }
        assert!(pace.waits_for(1));
        pace.waited(MOMENT + Duration::from_nanos(1));
        for _ in 0..HANDED_OVER {
            assert!(!pace.waits_for(1), "the disk is slow");
        }
        assert!(pace.waits_for(1));
    }
}
