//! What lines are about: of the newest ones the hub says so in memory, since reading them again costs as much as deciding.

use std::collections::{HashMap, VecDeque};

use vestibule_enabler_core::{LogEvent, State, Topic};
use vestibule_model::{CommandId, LeaseId, TwinId};

/// Lines that wait to be put into the index: some seconds of 64 busy writers, about 8 MiB. Of more the log is read.
const MOST: usize = 131_072;

/// Whose past depends on a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum About {
    Nothing,
    Twin(TwinId),
    /// Every twin's; or it is a command that nothing is known of.
    Everything,
}

/// As much of a line as its place in the index depends on.
#[derive(Clone, Debug)]
pub(super) struct Note {
    topic: Topic,
    /// Something begins with it whose later lines do not say which twin they are about.
    begins: Option<Begun>,
    /// Nothing follows for what it is about.
    ends: bool,
}

#[derive(Clone, Copy, Debug)]
enum Begun {
    Command(CommandId),
    Lease(LeaseId),
}

impl Note {
    pub(super) fn of(event: &LogEvent) -> Self {
        let begins = match event {
            LogEvent::CommandAccepted { command, .. } => Some(Begun::Command(command.id)),
            LogEvent::LeaseQueued { request, .. } => Some(Begun::Lease(request.id)),
            _ => None,
        };
        let ends = matches!(event, LogEvent::CommandEnded { .. } | LogEvent::LeaseEnded { .. });
        Self { topic: event.about(), begins, ends }
    }
}

/// Commands and leases whose twin is known: what follows for them does not say it.
#[derive(Debug, Default)]
pub(super) struct Known {
    commands: HashMap<CommandId, TwinId>,
    leases: HashMap<LeaseId, TwinId>,
}

impl Known {
    pub(super) fn of(state: &State) -> Self {
        let commands = state.commands.iter().map(|(id, record)| (*id, record.command.twin.clone())).collect();
        let leases = state.leases.known().map(|lease| (lease.request.id, lease.request.twin.clone())).collect();
        Self { commands, leases }
    }

    /// Whose past the next line belongs to.
    pub(super) fn about(&mut self, note: Note) -> About {
        let Note { topic, begins, ends } = note;
        let twin = match topic {
            Topic::Nothing => return About::Nothing,
            Topic::Everything => return About::Everything,
            Topic::Twin(twin) => {
                match begins {
                    Some(Begun::Command(id)) => drop(self.commands.insert(id, twin.clone())),
                    Some(Begun::Lease(id)) => drop(self.leases.insert(id, twin.clone())),
                    None => {}
                }
                return About::Twin(twin);
            }
            Topic::Command(id) if ends => self.commands.remove(&id),
            Topic::Command(id) => self.commands.get(&id).cloned(),
            Topic::Lease(id) if ends => self.leases.remove(&id),
            Topic::Lease(id) => self.leases.get(&id).cloned(),
        };
        twin.map_or(About::Everything, About::Twin)
    }
}

/// What follows behind a line of the index.
#[derive(Debug)]
pub(super) enum Behind {
    /// These lines, and perhaps more.
    Here(Vec<Note>),
    /// Lines that only the log has, as far as this one where it is known how far.
    Log(Option<u64>),
}

/// The newest lines without a gap between them.
#[derive(Debug, Default)]
pub(super) struct Topics {
    /// The number of the first of them.
    first: u64,
    notes: VecDeque<Note>,
}

impl Topics {
    /// These were written, from line `first` on.
    pub(super) fn note(&mut self, first: u64, events: &[LogEvent]) {
        if self.first + self.notes.len() as u64 != first {
            // Others have written between: the log has it.
            self.notes.clear();
            self.first = first;
        }
        self.notes.extend(events.iter().map(Note::of));
        let beyond = self.notes.len().saturating_sub(MOST);
        self.forget(beyond);
    }

    /// At most `most` lines behind line `indexed`. Those up to it are let go of.
    pub(super) fn behind(&mut self, indexed: u64, most: usize) -> Behind {
        let known = (indexed + 1).saturating_sub(self.first);
        self.forget(usize::try_from(known).unwrap_or(usize::MAX).min(self.notes.len()));
        if self.notes.is_empty() {
            Behind::Log(None)
        } else if indexed + 1 < self.first {
            Behind::Log(Some(self.first - 1))
        } else {
            Behind::Here(self.notes.iter().take(most).cloned().collect())
        }
    }

    fn forget(&mut self, count: usize) {
        self.notes.drain(..count);
        self.first += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;

    fn gone(number: u64) -> LogEvent {
        LogEvent::TwinGone { twin: TwinId::new(format!("home/t{number}")).unwrap() }
    }

    /// Lines are written, read, forgotten and written by others: what is told behind a line is what the log has there.
    #[test]
    fn what_is_told_behind_a_line_is_what_was_written_there() {
        let (mut here, mut elsewhere) = (0, 0);
        for seed in 0..50 {
            let mut rng = StdRng::seed_from_u64(seed);
            let mut topics = Topics::default();
            let (mut written, mut indexed) = (0_u64, 0_u64);
            for _ in 0..200 {
                match rng.random_range(0..5) {
                    // Somebody else, or a start after which nothing is in memory.
                    0 => written += rng.random_range(0..3),
                    // An older copy of the index.
                    1 if rng.random_bool(0.2) => indexed = rng.random_range(0..=indexed),
                    2 | 3 => {
                        let count = rng.random_range(1..5);
                        let events: Vec<_> = (written + 1..=written + count).map(gone).collect();
                        topics.note(written + 1, &events);
                        written += count;
                    }
                    _ => match topics.behind(indexed, rng.random_range(1..4)) {
                        Behind::Here(notes) => {
                            here += 1;
                            assert!(!notes.is_empty());
                            for note in notes {
                                indexed += 1;
                                assert_eq!(note.topic, gone(indexed).about());
                            }
                            assert!(indexed <= written);
                        }
                        Behind::Log(until) => {
                            elsewhere += 1;
                            assert!(until.is_none_or(|until| until > indexed && until < written));
                            indexed = until.unwrap_or(written);
                        }
                    },
                }
            }
        }
        assert!(here > 500 && elsewhere > 500, "{here} {elsewhere}");
    }

    #[test]
    fn it_is_bounded() {
        let mut topics = Topics::default();
        let events: Vec<_> = (0..1_000).map(gone).collect();
        (0..200).for_each(|page| topics.note(1 + page * 1_000, &events));
        assert_eq!(topics.notes.len(), MOST);
        let Behind::Log(Some(until)) = topics.behind(10, 5) else { panic!("they were let go of") };
        assert_eq!(until, 200_000 - MOST as u64);
        assert!(matches!(topics.behind(until, 5), Behind::Here(notes) if notes.len() == 5));
    }
}
