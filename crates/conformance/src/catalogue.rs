//! What an enabler is asked to show: every row with its id and where it is demanded.

use std::pin::Pin;

use crate::{Seen, Stage, rows};

/// What rows are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// FGMV-29 9.2, integrating digital twin systems.
    Procedure2,
    /// Finding systems and twins (TPSD, DTSD, DTIA).
    Discovery,
    /// Who may see and do what (DTAC).
    Permissions,
    /// Virtual and physical objects are kept alike (DTS).
    Synchronization,
    /// One holder for each physical object (S3, REQ-DT-08).
    Leases,
    /// What is shown as real was reported; nothing is done late or twice.
    Truth,
    /// What has to be refused, and how.
    Refusals,
}

impl Group {
    /// All of them, in the order in which they are played.
    pub const ALL: [Self; 7] = [
        Self::Procedure2,
        Self::Discovery,
        Self::Permissions,
        Self::Synchronization,
        Self::Truth,
        Self::Leases,
        Self::Refusals,
    ];

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Procedure2 => "procedure-2",
            Self::Discovery => "discovery",
            Self::Permissions => "permissions",
            Self::Synchronization => "synchronization",
            Self::Truth => "truth",
            Self::Leases => "leases",
            Self::Refusals => "refusals",
        }
    }

    const fn rows(self) -> &'static [Entry] {
        match self {
            Self::Procedure2 => rows::procedure2::ROWS,
            Self::Discovery => rows::discovery::ROWS,
            Self::Permissions => rows::permissions::ROWS,
            Self::Synchronization => rows::synchronization::ROWS,
            Self::Truth => rows::truth::ROWS,
            Self::Leases => rows::leases::ROWS,
            Self::Refusals => rows::refusals::ROWS,
        }
    }
}

/// A row being played.
pub(crate) type Play<'a> = Pin<Box<dyn Future<Output = Seen> + 'a>>;

/// A row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The row: `P2.11`, `REQ-DT-05`.
    pub id: &'static str,
    /// Its group.
    pub group: Group,
    /// Where it is demanded.
    pub clause: &'static str,
    /// What is done.
    pub done: &'static str,
    pub(crate) play: for<'a> fn(&'a mut Stage) -> Play<'a>,
}

/// Every row, in the order in which they are played: rows of a procedure follow from those before.
#[must_use]
pub fn entries() -> Vec<&'static Entry> {
    Group::ALL.into_iter().flat_map(Group::rows).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_has_an_id_of_its_own_and_belongs_where_it_stands() {
        let entries = entries();
        let ids: BTreeSet<_> = entries.iter().map(|entry| entry.id).collect();
        assert_eq!(ids.len(), entries.len());
        for group in Group::ALL {
            assert!(!group.rows().is_empty() && group.rows().iter().all(|entry| entry.group == group));
        }
        assert!(entries.iter().all(|entry| !entry.clause.is_empty() && !entry.done.is_empty()));
    }

    #[test]
    fn procedure_2_is_played_step_by_step() {
        let steps: Vec<_> = entries().iter().map(|entry| entry.id).filter(|id| id.starts_with("P2.")).collect();
        let all: Vec<_> = (1..=18).map(|step| format!("P2.{step}")).collect();
        assert_eq!(steps, all);
    }
}
