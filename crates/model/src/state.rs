use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{CommandId, PropertyInfo, Timestamp, Value};

/// What the physical object said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reported {
    /// The value it said; `None`: it said that nobody knows.
    pub value: Option<Value>,
    /// When the twin system heard it; `None`: somebody had kept it for whoever comes later, nobody knows since when.
    pub at: Option<Timestamp>,
    /// Whether the thing stands by it: it has said so since it was last out of reach, or says that it is there.
    pub fresh: bool,
    /// Grows by at least 1 with each report of the twin: an older one never overwrites a newer one.
    pub revision: u64,
}

/// What a person wants the physical object to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Desired {
    /// The value wanted.
    pub value: Value,
    /// The command that wants it.
    pub command: CommandId,
    /// When the command was accepted.
    pub since: Timestamp,
    /// When the wish should have come true. Every wish has such an end.
    pub expires: Timestamp,
}

/// How far a value is to be believed (requirements, *Physical truth*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// Reported by the thing, and fresh.
    Live,
    /// Wanted, not confirmed yet. Always ends.
    Pending,
    /// The last report is older than the twin promised, its system is away, or there never was one.
    Stale,
    /// The thing reports something else than what it should have become by now.
    Diverged,
    /// The thing was told so and cannot report: commanded, never confirmed.
    Commanded,
}

impl Truth {
    /// The word for it on screens and in logs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Pending => "pending",
            Self::Stale => "stale",
            Self::Diverged => "diverged",
            Self::Commanded => "commanded",
        }
    }
}

/// What is known of one property. Boxed, since of a million properties most are neither wished for nor, after a start,
/// reported.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PropertyState {
    /// The newest report; `None` before the first.
    pub reported: Option<Box<Reported>>,
    /// The wish that has not come true yet.
    pub desired: Option<Box<Desired>>,
}

impl PropertyState {
    /// Takes a report; `false` where a newer or the same one is known already.
    ///
    /// A report that fulfils the wish ends it.
    pub fn report(&mut self, info: &PropertyInfo, report: Reported) -> bool {
        if self.reported.as_ref().is_some_and(|known| known.revision >= report.revision) {
            return false;
        }
        let fulfils = |wish: &Desired| report.value.as_ref().is_some_and(|value| info.fulfils(value, &wish.value));
        if report.fresh && self.desired.as_deref().is_some_and(fulfils) {
            self.desired = None;
        }
        self.reported = Some(Box::new(report));
        true
    }

    /// How far the value is to be believed at `now`; `reachable` says whether the twin's system and device are there.
    #[must_use]
    pub fn truth(&self, info: &PropertyInfo, reachable: bool, now: Timestamp) -> Truth {
        match &self.desired {
            Some(wish) if now < wish.expires => return Truth::Pending,
            Some(_) if info.assumed => return Truth::Commanded,
            _ => {}
        }
        let Some(report) = &self.reported else { return Truth::Stale };
        // Of what was promised in time and came at an unknown time, the promise is not known to be kept.
        let late = info.period_ms.is_some_and(|period| report.at.is_none_or(|at| now.since(at) > period));
        if !reachable || late || !report.fresh || report.value.is_none() {
            Truth::Stale
        } else if self.desired.is_some() {
            Truth::Diverged
        } else {
            Truth::Live
        }
    }

    /// When [`truth`](Self::truth) will next change although nothing is reported or wanted.
    #[must_use]
    pub fn next_change(&self, info: &PropertyInfo, now: Timestamp) -> Option<Timestamp> {
        let expiry = self.desired.as_ref().map(|wish| wish.expires);
        let late = match (&self.reported, info.period_ms) {
            (Some(report), Some(period)) => report.at.map(|at| at.plus(period).plus(1)),
            _ => None,
        };
        [expiry, late].into_iter().flatten().filter(|at| *at > now).min()
    }

    /// Milliseconds since the last report; `None` before the first, and where nobody knows.
    #[must_use]
    pub fn age_ms(&self, now: Timestamp) -> Option<u64> {
        self.reported.as_ref()?.at.map(|at| now.since(at))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ValueType;

    fn at(value: bool, at: u64, revision: u64) -> Reported {
        Reported { value: Some(Value::Bool(value)), at: Some(Timestamp(at)), fresh: true, revision }
    }

    fn known(reported: Option<Reported>, desired: Option<Desired>) -> PropertyState {
        PropertyState { reported: reported.map(Box::new), desired: desired.map(Box::new) }
    }

    fn wish(value: bool, expires: u64) -> Desired {
        let (command, since) = (CommandId([1; 16]), Timestamp(0));
        Desired { value: Value::Bool(value), command, since, expires: Timestamp(expires) }
    }

    #[test]
    fn a_wish_is_never_shown_as_truth() {
        let info = PropertyInfo::new(ValueType::Bool);
        let mut state = known(Some(at(false, 0, 1)), Some(wish(true, 100)));
        assert_eq!(state.truth(&info, true, Timestamp(50)), Truth::Pending);
        assert_eq!(state.truth(&info, true, Timestamp(100)), Truth::Diverged, "pending always expires");
        assert_eq!(state.truth(&info, false, Timestamp(100)), Truth::Stale, "nobody can know");
        assert!(state.report(&info, at(true, 150, 2)));
        assert_eq!(state.truth(&info, true, Timestamp(151)), Truth::Live);
    }

    #[test]
    fn what_nobody_knows_is_stale() {
        let info = PropertyInfo::new(ValueType::Bool);
        let truth = |info: &PropertyInfo, reported: Reported| {
            let state = known(Some(reported), None);
            state.truth(info, true, Timestamp(50))
        };
        let said = at(true, 40, 1);
        assert_eq!(truth(&info, said.clone()), Truth::Live);
        assert_eq!(truth(&info, Reported { value: None, ..said.clone() }), Truth::Stale);
        assert_eq!(truth(&info, Reported { fresh: false, ..said.clone() }), Truth::Stale);
        let kept = Reported { at: None, ..said };
        assert_eq!(truth(&info, kept.clone()), Truth::Live, "the thing says that it is there");
        assert_eq!(truth(&info.reported_every(1_000), kept.clone()), Truth::Stale, "expire_after does not begin anew");
        assert_eq!(known(Some(kept), None).age_ms(Timestamp(50)), None);
    }

    #[test]
    fn a_wish_is_fulfilled_within_the_things_tolerance_and_only_by_what_it_stands_by() {
        let range = ValueType::Number { min: 0.0, max: 100.0, step: 1.0 };
        let info = PropertyInfo { tolerance: Some(3.0), ..PropertyInfo::new(range) };
        let (command, since, expires) = (CommandId([1; 16]), Timestamp(0), Timestamp(9));
        let desired = Some(Desired { value: Value::Int(100), command, since, expires });
        let mut state = known(None, desired);
        let said = Reported { value: Some(Value::Int(97)), at: None, fresh: false, revision: 1 };
        state.report(&info, said.clone());
        assert!(state.desired.is_some(), "it may have been so before the wish");
        state.report(&info, Reported { value: None, fresh: true, revision: 2, ..said.clone() });
        assert!(state.desired.is_some());
        state.report(&info, Reported { fresh: true, revision: 3, ..said });
        assert_eq!(state.desired, None);
    }

    #[test]
    fn what_cannot_report_stays_commanded() {
        let mut info = PropertyInfo::new(ValueType::Bool);
        info.assumed = true;
        let state = known(None, Some(wish(true, 100)));
        assert_eq!(state.truth(&info, true, Timestamp(99)), Truth::Pending);
        assert_eq!(state.truth(&info, true, Timestamp(1_000_000)), Truth::Commanded);
    }

    proptest! {
        #[test]
        fn the_newest_revision_wins_in_any_order(mut revisions in proptest::collection::vec(0_u64..50, 1..40)) {
            let mut state = PropertyState::default();
            for revision in &revisions {
                state.report(&PropertyInfo::new(ValueType::Bool), at(revision % 2 == 0, *revision, *revision));
            }
            revisions.sort_unstable();
            prop_assert_eq!(state.reported.map(|r| r.revision), revisions.last().copied());
        }

        #[test]
        fn truth_changes_only_at_next_change(period in 1_u64..50, expires in 1_u64..100, now in 0_u64..200) {
            let info = PropertyInfo::new(ValueType::Bool).reported_every(period);
            let state = known(Some(at(false, 20, 1)), Some(wish(true, expires)));
            let now = Timestamp(now);
            let until = state.next_change(&info, now).unwrap_or(now.plus(300));
            let before = state.truth(&info, true, now);
            for moment in now.0..until.0 {
                prop_assert_eq!(state.truth(&info, true, Timestamp(moment)), before);
            }
        }
    }
}
