use std::collections::BTreeMap;

use thiserror::Error;
use vestibule_model::{Timestamp, TwinId};

use crate::Execution;

/// Twins whose tokens are remembered: as many as a twin system has, and more than are ever held at once.
const MOST_TWINS: usize = 16_384;

/// Why a device side does not do what it is asked to.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FenceError {
    /// Somebody held the twin later than whoever asks.
    #[error("fence {given} is not obeyed: {known} was seen, which is newer")]
    Lower {
        /// The token that was given.
        given: u64,
        /// The highest that was seen.
        known: u64,
    },
    /// Whoever asks holds it no longer.
    #[error("fence {0} is over: its lease has ended")]
    Over(u64),
    /// Somebody holds the twin, and whoever asks names no token.
    #[error("somebody holds the twin (fence {0}), and this names no fence")]
    Held(u64),
    /// Too late.
    #[error("its time had ended when it came")]
    Late,
    /// Twins beyond reason.
    #[error("too many twins are held to remember one more")]
    Full,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token {
    fence: u64,
    /// `None`: its holder has let go.
    until: Option<Timestamp>,
}

/// What a device side remembers of fencing tokens: whoever acts with an old one is not obeyed, however late it comes.
///
/// Ask it when an execution comes, and again with [`obeys`](Self::obeys) right before the thing is told.
#[derive(Clone, Debug, Default)]
pub struct Fences {
    twins: BTreeMap<TwinId, Token>,
}

impl Fences {
    /// Somebody holds the twin until then. Again for a renewal.
    ///
    /// # Errors
    /// [`FenceError`] where somebody has held it later.
    pub fn integrate(&mut self, twin: &TwinId, fence: u64, until: Timestamp) -> Result<(), FenceError> {
        match self.twins.get(twin) {
            Some(known) if known.fence > fence => return Err(FenceError::Lower { given: fence, known: known.fence }),
            Some(known) if known.fence == fence && known.until.is_none() => return Err(FenceError::Over(fence)),
            None if self.twins.len() >= MOST_TWINS => return Err(FenceError::Full),
            _ => {}
        }
        self.twins.insert(twin.clone(), Token { fence, until: Some(until) });
        Ok(())
    }

    /// Whoever held the twin up to this token does no longer.
    pub fn release(&mut self, twin: &TwinId, fence: u64) {
        let known = self.twins.get(twin).copied();
        if known.is_none_or(|known| known.fence <= fence) && (known.is_some() || self.twins.len() < MOST_TWINS) {
            self.twins.insert(twin.clone(), Token { fence, until: None });
        }
    }

    /// Takes an execution, or says why it must not be done.
    ///
    /// # Errors
    /// [`FenceError`] says why not.
    pub fn admit(&mut self, execution: &Execution, now: Timestamp) -> Result<(), FenceError> {
        if now > execution.not_after {
            return Err(FenceError::Late);
        }
        self.obeys(&execution.twin, execution.fence, now)?;
        let known = self.twins.get(&execution.twin).map_or(0, |known| known.fence);
        if let Some(fence) = execution.fence.filter(|fence| *fence > known) {
            // The enabler says `Integrate` first; whoever did not listen still learns the newer token.
            self.integrate(&execution.twin, fence, execution.not_after)?;
        }
        Ok(())
    }

    /// Whether whoever acts with this token may at `now`.
    ///
    /// # Errors
    /// [`FenceError`] says why not.
    pub fn obeys(&self, twin: &TwinId, fence: Option<u64>, now: Timestamp) -> Result<(), FenceError> {
        let Some(known) = self.twins.get(twin) else { return Ok(()) };
        let is_over = known.until.is_none_or(|until| now > until);
        match fence {
            None if is_over => Ok(()),
            None => Err(FenceError::Held(known.fence)),
            Some(given) if given < known.fence => Err(FenceError::Lower { given, known: known.fence }),
            Some(given) if given == known.fence && is_over => Err(FenceError::Over(given)),
            Some(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use vestibule_model::{ActionId, CommandId, FeatureId};

    use super::*;

    fn door() -> TwinId {
        TwinId::new("home/door").unwrap()
    }

    fn execution(fence: Option<u64>, not_after: u64) -> Execution {
        Execution {
            command: CommandId([1; 16]),
            twin: door(),
            feature: FeatureId::slug("lock"),
            action: ActionId::slug("unlock"),
            input: None,
            not_after: Timestamp(not_after),
            trace: None,
            fence,
        }
    }

    #[test]
    fn an_older_token_is_never_obeyed_again() {
        let mut fences = Fences::default();
        fences.integrate(&door(), 1, Timestamp(100)).unwrap();
        assert_eq!(fences.admit(&execution(Some(1), 50), Timestamp(10)), Ok(()));
        fences.integrate(&door(), 2, Timestamp(200)).unwrap();
        let lower = Err(FenceError::Lower { given: 1, known: 2 });
        assert_eq!(fences.admit(&execution(Some(1), 50), Timestamp(20)), lower);
        assert_eq!(fences.integrate(&door(), 1, Timestamp(300)), lower, "not by a late message either");
        assert_eq!(fences.admit(&execution(Some(2), 150), Timestamp(120)), Ok(()));
        fences.release(&door(), 1);
        assert_eq!(fences.admit(&execution(Some(2), 150), Timestamp(120)), Ok(()), "a late goodbye ends nothing newer");
    }

    #[test]
    fn an_ended_token_is_over_by_word_and_by_time() {
        let mut fences = Fences::default();
        fences.integrate(&door(), 7, Timestamp(100)).unwrap();
        assert_eq!(fences.admit(&execution(None, 500), Timestamp(50)), Err(FenceError::Held(7)));
        assert_eq!(fences.admit(&execution(Some(7), 500), Timestamp(101)), Err(FenceError::Over(7)), "by time");
        assert_eq!(fences.admit(&execution(None, 500), Timestamp(101)), Ok(()), "nobody holds it");
        fences.integrate(&door(), 7, Timestamp(300)).unwrap();
        assert_eq!(fences.admit(&execution(Some(7), 500), Timestamp(101)), Ok(()), "renewed");
        fences.release(&door(), 7);
        assert_eq!(fences.admit(&execution(Some(7), 500), Timestamp(102)), Err(FenceError::Over(7)), "by word");
        assert_eq!(fences.integrate(&door(), 7, Timestamp(300)), Err(FenceError::Over(7)), "for good");
    }

    #[test]
    fn a_token_that_was_not_announced_counts_too() {
        let mut fences = Fences::default();
        assert_eq!(fences.admit(&execution(Some(3), 50), Timestamp(10)), Ok(()));
        assert_eq!(fences.admit(&execution(Some(2), 50), Timestamp(10)), Err(FenceError::Lower { given: 2, known: 3 }));
        assert_eq!(fences.admit(&execution(Some(3), 50), Timestamp(51)), Err(FenceError::Late));
    }
}
