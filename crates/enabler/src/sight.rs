//! What one viewer may see, asked of many systems at once.
//!
//! The rules are the same for each of them. Where none of those that are about the viewer tells systems apart, the answer
//! is the same as well: it is found once for a page.

use std::cell::OnceCell;

use vestibule_model::{Right, Rule, RuleEffect, SystemId, TwinSelector};

use crate::{State, Viewer, discovery::may_see_system, dtif::dtac};

/// One viewer's look at many systems.
pub(crate) struct Sight<'a> {
    state: &'a State,
    viewer: &'a Viewer,
    /// The rules that are in force and about the viewer.
    rules: Vec<&'a Rule>,
    /// No rule tells one system from another, and neither does a token.
    alike: bool,
    sees: OnceCell<bool>,
    reads: OnceCell<bool>,
}

impl<'a> Sight<'a> {
    pub(crate) fn of(state: &'a State, viewer: &'a Viewer) -> Self {
        let rules = state
            .rules
            .values()
            .filter(|rule| rule.is_in_force(viewer.at) && dtac::concerns(rule, &viewer.user, &viewer.roles));
        let rules: Vec<&Rule> = rules.collect();
        let alike = viewer.tokens.is_empty() && rules.iter().all(|rule| rule.twins == TwinSelector::All);
        Self { state, viewer, rules, alike, sees: OnceCell::new(), reads: OnceCell::new() }
    }

    pub(crate) const fn state(&self) -> &'a State {
        self.state
    }

    pub(crate) const fn viewer(&self) -> &'a Viewer {
        self.viewer
    }

    /// Whether they may know that the system exists, as [`may_see_system`] says.
    pub(crate) fn sees(&self, system: &SystemId) -> bool {
        let ask = || may_see_system(self.state, self.viewer, system);
        if self.alike { *self.sees.get_or_init(ask) } else { ask() }
    }

    /// Whether the rules let them read every twin of a system: then no twin has to be looked at.
    pub(crate) fn reads_all(&self, system: &SystemId) -> bool {
        let by_rules = || self.reads_by_rules(system);
        let by_rules = if self.alike { *self.reads.get_or_init(by_rules) } else { by_rules() };
        by_rules && !self.state.has_permissions(system, &self.viewer.user)
    }

    fn reads_by_rules(&self, system: &SystemId) -> bool {
        if !self.viewer.is_user {
            return false;
        }
        let about = |selector: &TwinSelector| match selector {
            TwinSelector::All => true,
            TwinSelector::System(of) => of == system,
            TwinSelector::Twin(twin) => twin.system() == *system,
        };
        let mut rules = self.rules.iter().filter(|rule| about(&rule.twins));
        let takes = rules.clone().any(|rule| rule.effect == RuleEffect::Deny);
        let gives = rules.any(|rule| {
            let whole = rule.feature.is_none() && !matches!(rule.twins, TwinSelector::Twin(_));
            let reads = matches!(rule.right, Right::Read | Right::Manage | Right::Act(_) | Right::ActAny);
            whole && reads && rule.effect == RuleEffect::Allow
        });
        gives && !takes
    }
}
