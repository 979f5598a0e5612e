//! What an enabler is asked to show: every row with its id and where it is demanded.

use std::pin::Pin;

use crate::{Seen, Stage, rows as played};

/// What rows are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// FGMV-29 9.1, integrating third-party systems.
    Procedure1,
    /// FGMV-29 9.2, integrating digital twin systems.
    Procedure2,
    /// Finding systems and twins (TPSD, DTSD, DTIA).
    Discovery,
    /// Who may see and do what (DTAC).
    Permissions,
    /// Services of third parties, used together and under delegated rights (TPSAA, SDC, DTDA, TSI).
    Services,
    /// What is bought and given for it, and what came of it (SDC).
    Purchases,
    /// What was bought and stands here. Played only where the enabler buys from a manufacturer that the kit may order from.
    Products,
    /// Virtual and physical objects are kept alike (DTS).
    Synchronization,
    /// One holder for each physical object (S3, REQ-DT-08).
    Leases,
    /// What is shown as real was reported; nothing is done late or twice.
    Truth,
    /// What has to be refused, and how.
    Refusals,
    /// What HTTP adds: problem details, entity tags, idempotency keys, streams that go on. Played over HTTP only.
    Http,
}

impl Group {
    /// All of them, in the order in which they are played.
    pub const ALL: [Self; 12] = [
        Self::Procedure1,
        Self::Procedure2,
        Self::Discovery,
        Self::Services,
        Self::Purchases,
        Self::Products,
        Self::Permissions,
        Self::Synchronization,
        Self::Truth,
        Self::Leases,
        Self::Refusals,
        Self::Http,
    ];

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Procedure1 => "procedure-1",
            Self::Services => "services",
            Self::Purchases => "purchases",
            Self::Products => "products",
            Self::Procedure2 => "procedure-2",
            Self::Discovery => "discovery",
            Self::Permissions => "permissions",
            Self::Synchronization => "synchronization",
            Self::Truth => "truth",
            Self::Leases => "leases",
            Self::Refusals => "refusals",
            Self::Http => "http",
        }
    }

    const fn rows(self) -> &'static [Entry] {
        match self {
            Self::Procedure1 => played::procedure1::ROWS,
            Self::Services => played::services::ROWS,
            Self::Purchases => played::purchases::ROWS,
            Self::Products => played::products::ROWS,
            Self::Procedure2 => played::procedure2::ROWS,
            Self::Discovery => played::discovery::ROWS,
            Self::Permissions => played::permissions::ROWS,
            Self::Synchronization => played::synchronization::ROWS,
            Self::Truth => played::truth::ROWS,
            Self::Leases => played::leases::ROWS,
            Self::Refusals => played::refusals::ROWS,
            Self::Http => played::http::ROWS,
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

/// The rows of a group: each with its id, where it is demanded, what is done, and who plays it.
macro_rules! rows {
    ($group:ident: $($id:literal, $clause:literal, $done:literal => $play:ident;)+) => {
        pub(crate) const ROWS: &[$crate::catalogue::Entry] = &[$($crate::catalogue::Entry {
            id: $id,
            group: $crate::catalogue::Group::$group,
            clause: $clause,
            done: $done,
            play: |stage| Box::pin($play(stage)),
        }),+];
    };
}
pub(crate) use rows;

/// What a run has beside an enabler. Rows for which it is missing are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The enabler is reached over HTTP.
    pub http: bool,
    /// The enabler buys from a manufacturer that the kit may order from.
    pub merchant: bool,
}

impl Reach {
    /// Everything.
    pub const ALL: Self = Self { http: true, merchant: true };

    /// Whether the rows of a group can be played.
    #[must_use]
    pub const fn has(self, group: Group) -> bool {
        match group {
            Group::Http => self.http,
            Group::Products => self.merchant,
            _ => true,
        }
    }
}

/// Every row that can be played, in the order in which they are: rows of a procedure follow from those before.
#[must_use]
pub fn entries(reach: Reach) -> Vec<&'static Entry> {
    Group::ALL.into_iter().filter(|group| reach.has(*group)).flat_map(Group::rows).collect()
}

/// What of the specification is no row, because nobody can ask for it over an enabler's interfaces, and why.
pub const NOT_ROWS: &[(&str, &str)] = &[
    ("S1", "a person's whole story in a world; what an enabler does in it is P1, P2, REQ-SI-02"),
    ("S2", "a person's whole story in a world; what an enabler does in it is P1, SDC.transform"),
    ("S4", "a person's whole story in a world; what an enabler does in it is REQ-DT-06, REQ-MV-03, INV-1"),
    ("S5", "a map is made by a service of its own; what an enabler does in it is P2, REQ-MV-03"),
    ("S6", "a map is shown by a world; what an enabler does in it is REQ-MV-04, INV-1.confirmed"),
    ("S7", "services at a place are shown by a world; what an enabler does in it is DTSD.place, P1.4"),
    ("S8", "a face is between a user's device and their world: no enabler takes part"),
    ("S9", "a person's whole story in a world; what an enabler does in it is P1, SDC.once"),
    ("S10", "avatars meet in a world; what an enabler does in it is P1, P2, S3"),
    ("INV-5", "whether what was acknowledged survives a kill is seen by whoever may kill the enabler"),
    ("INV-7", "one program without accounts is how an enabler is started, not what it says"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_has_an_id_of_its_own_and_belongs_where_it_stands() {
        let entries = entries(Reach::ALL);
        let ids: BTreeSet<_> = entries.iter().map(|entry| entry.id).collect();
        assert_eq!(ids.len(), entries.len());
        for group in Group::ALL {
            assert!(!group.rows().is_empty() && group.rows().iter().all(|entry| entry.group == group));
        }
        assert!(entries.iter().all(|entry| !entry.clause.is_empty() && !entry.done.is_empty()));
    }

    #[test]
    fn both_procedures_are_played_step_by_step() {
        for (procedure, steps) in [("P1", 19), ("P2", 18)] {
            let mut due = (1..=steps).map(|step| format!("{procedure}.{step}")).peekable();
            for entry in entries(Reach::ALL) {
                due.next_if(|step| step == entry.id);
            }
            assert_eq!(due.next(), None);
        }
    }

    #[test]
    fn everything_that_is_required_is_a_row_or_has_a_reason() {
        let numbered = |start: &str, from: u8, to: u8| -> Vec<String> {
            (from..=to).map(|number| format!("{start}{number}")).collect()
        };
        let mut due = [
            numbered("REQ-DT-0", 1, 8),
            numbered("REQ-MV-0", 1, 7),
            numbered("REQ-SI-0", 1, 4),
            numbered("S", 1, 10),
            numbered("INV-", 1, 7),
        ]
        .concat();
        due.push("REQ-SI-02b".to_owned());
        for id in due {
            let part = format!("{id}.");
            let is_row = entries(Reach::ALL).iter().any(|entry| entry.id == id || entry.id.starts_with(&part));
            let reasons = NOT_ROWS.iter().filter(|(other, _)| *other == id).count();
            assert!(is_row != (reasons == 1), "{id}");
        }
    }
}
