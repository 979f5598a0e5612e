//! FGMV-29 8.3.5, digital twin access control (DTAC): who may do what with each twin, and who may change that.

use vestibule_model::{
    About, Access, Explanation, FeatureId, Inquiry, MAX_FEATURES, Refusal, RefusalCode, Right, RoleId, Rule,
    RuleEffect, RuleId, ServiceId, Subject, SystemId, Timestamp, TwinId, TwinPermission, TwinSelector, UserId, Verdict,
    Wanted, decide_access,
};
use vestibule_protocol::Response;

use crate::{
    Bearing, CommandRecord, Decision, GUEST_ROLE, LogEvent, OWNER_ROLE, State, Viewer, people::keep_an_owner,
    token::token_rule,
};

/// Rules that there can be: each is compared with each question.
const MOST_RULES: usize = 512;
/// Actions that a twin's system can permit one user by name.
const MOST_PERMITTED: usize = 1_024;
/// Users to whom the system of one twin can let less than the rules might.
const MOST_RESTRICTED_EACH: usize = 1_024;
/// Twins whose systems can let somebody less than the rules might.
const MOST_RESTRICTED: usize = 65_536;
/// Owners go before whoever has no priority; there is room above them (an alarm) and below.
const OWNERS_PRIORITY: u8 = 100;

/// The rules of a first start: owners manage everything, guests see everything and act on nothing.
#[must_use]
pub fn default_rules() -> Vec<LogEvent> {
    let rule = |id: &str, role: &str, right, priority| LogEvent::RuleSet {
        rule: Rule {
            id: RuleId::slug(id),
            who: Subject::Role(RoleId::slug(role)),
            twins: TwinSelector::All,
            feature: None,
            right,
            effect: RuleEffect::Allow,
            until: None,
            priority,
        },
        by: None,
    };
    let owners = rule("owners-everything", OWNER_ROLE, Right::Manage, Some(OWNERS_PRIORITY));
    vec![owners, rule("guests-see", GUEST_ROLE, Right::Read, None)]
}

/// Whether `viewer` has `right`, and which rule (or token) says so.
///
/// Rules about the viewer decide first. Whoever has no right by them has that of their tokens: what the token allows and
/// whoever delegated it still may. A rule that denies the viewer something denies it whatever they bear.
#[must_use]
pub fn verdict(state: &State, viewer: &Viewer, twin: &TwinId, feature: Option<&FeatureId>, right: &Right) -> Verdict {
    ask(state, viewer, About::Twin(twin), feature, right)
}

/// Whether `viewer` has `right` to a system: to see it, to use a service. Tokens only show it.
#[must_use]
pub fn system_verdict(state: &State, viewer: &Viewer, system: &SystemId, right: &Right) -> Verdict {
    ask(state, viewer, About::System(system), None, right)
}

fn ask(state: &State, viewer: &Viewer, about: About<'_>, feature: Option<&FeatureId>, right: &Right) -> Verdict {
    let own = decide_access(state.rules.values(), &viewer.access(about, feature, right));
    let denied = !own.allowed && own.rule.is_some();
    if denied {
        return own;
    }
    if own.allowed && viewer.is_user {
        return match about {
            About::Twin(twin) if !leaves(state, &viewer.user, about, feature, right) => {
                Verdict { allowed: false, rule: Some(RuleId::slug(&format!("rules-of:{}", twin.system()))) }
            }
            _ => own,
        };
    }
    let borne = viewer.tokens.iter().find(|bearing| allows(state, viewer, bearing, about, feature, right));
    // Where nothing gives it, a token that is about it has decided that: it does not go so far.
    let short = || viewer.tokens.iter().find(|bearing| bearing.grant.limits.cover(about, None, &Right::Read));
    let rule = borne.or_else(short).map(|bearing| bearing.grant.rule());
    Verdict { allowed: borne.is_some(), rule }
}

/// The token of the viewer that is named where a rule would be.
fn borne<'a>(viewer: &'a Viewer, rule: &RuleId) -> Option<&'a Bearing> {
    viewer.tokens.iter().find(|bearing| bearing.grant.rule() == *rule)
}

/// Whether the twin's system, which manages access rights of its own (REQ-DT-05), lets `user` do it. They only take.
fn leaves(state: &State, user: &UserId, about: About<'_>, feature: Option<&FeatureId>, right: &Right) -> bool {
    let About::Twin(twin) = about else { return true };
    state.permission(twin, user).is_none_or(|permission| permission.leaves(feature, right))
}

/// Whether a token covers it and its delegator may do it by rule.
fn allows(
    state: &State,
    viewer: &Viewer,
    bearing: &Bearing,
    about: About<'_>,
    feature: Option<&FeatureId>,
    right: &Right,
) -> bool {
    bearing.grant.limits.cover(about, feature, right) && {
        let (user, roles, at) = (&bearing.grant.by, &bearing.roles, viewer.at);
        leaves(state, user, about, feature, right)
            && leaves(state, &viewer.user, about, feature, right)
            && decide_access(state.rules.values(), &Access { user, roles, about, feature, right, at }).allowed
    }
}

/// Whether a command that could not be given to its system at once may still be given: whoever asked for it may have
/// lost the right since. Gives the rule that decides otherwise.
///
/// Users are judged by their own roles and rules. Whoever acted by a token is judged by that token while the enabler
/// remembers it; a token that was narrowed by others is not remembered, so what it asked for does not wait.
pub(crate) fn may_still(state: &State, now: Timestamp, record: &CommandRecord) -> Result<(), Option<RuleId>> {
    let CommandRecord { command, user, rule, .. } = record;
    let (about, feature) = (About::Twin(&command.twin), Some(&command.feature));
    let right = Right::Act(command.action.clone());
    let own = Viewer::user(state, now, user).ok();
    let verdict = |viewer: &Viewer| ask(state, viewer, about, feature, &right);
    let judge = |viewer: &Viewer| {
        let Verdict { allowed, rule } = verdict(viewer);
        if allowed { Ok(()) } else { Err(rule) }
    };
    let Some((_, token)) = state.delegated.iter().find(|(id, _)| token_rule(**id) == *rule) else {
        return own.as_ref().map_or_else(|| Err(Some(rule.clone())), judge);
    };
    let holds = token.limits.until.is_some_and(|until| now < until) && token.limits.cover(about, feature, &right);
    if !holds || !leaves(state, user, about, feature, &right) {
        return Err(Some(rule.clone()));
    }
    // A rule that denies the bearer something denies it whatever they bear.
    if let Some(Verdict { allowed: false, rule: Some(denies) }) = own.as_ref().map(verdict) {
        return Err(Some(denies));
    }
    judge(&Viewer::user(state, now, &token.by).map_err(|_| Some(rule.clone()))?)
}

/// What a twin's system lets a user do is kept, where it is news (P2.11).
pub(crate) fn keep_permission(
    state: &State,
    twin: &TwinId,
    user: &UserId,
    permission: &TwinPermission,
) -> Result<Option<LogEvent>, Refusal> {
    let known = state.permission(twin, user).unwrap_or(&TwinPermission::Unrestricted);
    if known == permission {
        return Ok(None);
    }
    if let TwinPermission::Only(features) = permission {
        let actions: usize = features.values().map(std::collections::BTreeSet::len).sum();
        if features.len() > MAX_FEATURES || actions > MOST_PERMITTED {
            let message = format!("a permission names at most {MAX_FEATURES} features and {MOST_PERMITTED} actions");
            return Err(Refusal::new(RefusalCode::Invalid, message));
        }
        let first = state.restricted(twin) == 0;
        if state.restricted(twin) >= MOST_RESTRICTED_EACH || first && state.restricted_twins() >= MOST_RESTRICTED {
            let message = format!("no more permissions of {} can be kept", twin.system());
            return Err(Refusal::new(RefusalCode::Overloaded, message));
        }
    }
    let (twin, user) = (twin.clone(), user.clone());
    Ok(Some(LogEvent::PermissionTold { twin, user, permission: permission.clone() }))
}

/// How urgent the viewer is at the twin (REQ-DT-08): the highest priority of the rules that let them act on it; by a token
/// at most that of its delegator and that of the token.
#[must_use]
pub fn priority(state: &State, now: Timestamp, viewer: &Viewer, twin: &TwinId) -> u8 {
    let own = if viewer.is_user { rule_priority(state, now, &viewer.user, &viewer.roles, twin) } else { None };
    let borne = viewer.tokens.iter().filter(|bearing| bearing.grant.covers_twin(twin)).filter_map(|bearing| {
        let theirs = rule_priority(state, now, &bearing.grant.by, &bearing.roles, twin)?;
        Some(bearing.grant.limits.priority.map_or(theirs, |most| theirs.min(most)))
    });
    own.or_else(|| borne.max()).unwrap_or(0)
}

fn rule_priority(state: &State, now: Timestamp, user: &UserId, roles: &[RoleId], twin: &TwinId) -> Option<u8> {
    let acts = |rule: &&Rule| {
        rule.effect == RuleEffect::Allow
            && matches!(rule.right, Right::Act(_) | Right::ActAny | Right::Manage)
            && rule.is_in_force(now)
            && concerns(rule, user, roles)
            && rule.twins.covers(twin)
    };
    state.rules.values().filter(acts).map(|rule| rule.priority.unwrap_or(0)).max()
}

/// Whether `viewer` may integrate with the twin's physical object: who may have it do something, anything, may.
///
/// # Errors
/// [`RefusalCode::Forbidden`], with the rule that decided.
pub fn may_lease(state: &State, viewer: &Viewer, twin: &TwinId) -> Result<RuleId, Refusal> {
    let described = state.twins.get(twin).map(|twin| &twin.info.features);
    let actions = described
        .into_iter()
        .flatten()
        .flat_map(|(id, feature)| feature.actions.keys().map(move |action| (id, Right::Act(action.clone()))));
    let found = actions.map(|(feature, right)| verdict(state, viewer, twin, Some(feature), &right));
    match found.filter(|verdict| verdict.allowed).find_map(|verdict| verdict.rule) {
        Some(rule) => Ok(rule),
        None => may(state, viewer, twin, None, &Right::ActAny),
    }
}

/// The rule that gives `viewer` the `right`; a refusal with the rule that decided otherwise.
///
/// # Errors
/// [`RefusalCode::Forbidden`].
pub fn may(
    state: &State,
    viewer: &Viewer,
    twin: &TwinId,
    feature: Option<&FeatureId>,
    right: &Right,
) -> Result<RuleId, Refusal> {
    let whose = || feature.map(|feature| format!("{feature} of {twin}")).unwrap_or_else(|| twin.to_string());
    allowed(verdict(state, viewer, twin, feature, right), viewer, right, whose)
}

/// The rule that lets `viewer` use a service of a system; a refusal with the rule that decided otherwise.
///
/// # Errors
/// [`RefusalCode::Forbidden`].
pub fn may_use(state: &State, viewer: &Viewer, system: &SystemId, service: &ServiceId) -> Result<RuleId, Refusal> {
    let right = Right::Use(service.clone());
    allowed(system_verdict(state, viewer, system, &right), viewer, &right, || format!("of {system}"))
}

fn allowed(verdict: Verdict, viewer: &Viewer, right: &Right, whose: impl Fn() -> String) -> Result<RuleId, Refusal> {
    match verdict {
        Verdict { allowed: true, rule: Some(rule) } => Ok(rule),
        Verdict { rule, .. } => {
            let what = match right {
                Right::Read => "read".to_owned(),
                Right::Act(action) => action.to_string(),
                Right::ActAny => "act on".to_owned(),
                Right::Manage => "manage".to_owned(),
                Right::Use(service) => format!("use {service}"),
                Right::UseAny => "use any service".to_owned(),
            };
            let words = match rule.as_ref().map(|rule| borne(viewer, rule)) {
                Some(Some(bearing)) => format!("may not (what {} lent does not go so far)", bearing.grant.by),
                Some(None) => "may not".to_owned(),
                None => "may not (no rule allows it)".to_owned(),
            };
            let message = format!("{} {words} {what} {}", viewer.user, whose());
            Err(Refusal { code: RefusalCode::Forbidden, rule, message })
        }
    }
}

/// Whether `viewer` may read a feature of a twin; `None`: the twin as such.
#[must_use]
pub fn may_read(state: &State, viewer: &Viewer, twin: &TwinId, feature: Option<&FeatureId>) -> bool {
    verdict(state, viewer, twin, feature, &Right::Read).allowed
}

/// Whether a rule is about this user at all.
pub(crate) fn concerns(rule: &Rule, user: &UserId, roles: &[RoleId]) -> bool {
    match &rule.who {
        Subject::Anyone => true,
        Subject::Role(role) => roles.contains(role),
        Subject::User(about) => about == user,
    }
}

/// What makes an owner: a rule lets them manage all twins, and none takes that away. The rules have to be in force.
pub(crate) fn owner_verdict<'a>(rules: impl Iterator<Item = &'a Rule>, user: &UserId, roles: &[RoleId]) -> Verdict {
    let mut allow = None;
    for rule in rules {
        let everything = rule.twins == TwinSelector::All && rule.feature.is_none() && rule.right == Right::Manage;
        if !everything || !concerns(rule, user, roles) {
            continue;
        }
        match rule.effect {
            RuleEffect::Deny => return Verdict { allowed: false, rule: Some(rule.id.clone()) },
            RuleEffect::Allow => allow = allow.or(Some(rule.id.clone())),
        }
    }
    Verdict { allowed: allow.is_some(), rule: allow }
}

fn manages(state: &State, viewer: &Viewer) -> Verdict {
    if !viewer.is_user {
        // No token gives that.
        return Verdict { allowed: false, rule: None };
    }
    let rules = state.rules.values().filter(|rule| rule.is_in_force(viewer.at));
    owner_verdict(rules, &viewer.user, &viewer.roles)
}

/// Whether `viewer` may manage everything.
#[must_use]
pub fn is_owner(state: &State, viewer: &Viewer) -> bool {
    manages(state, viewer).allowed
}

pub(crate) fn owners_only(state: &State, viewer: &Viewer, what: &str) -> Result<(), Refusal> {
    match manages(state, viewer) {
        Verdict { allowed: true, .. } => Ok(()),
        Verdict { rule, .. } => {
            let words = if rule.is_some() { "may not" } else { "may not (no rule lets them manage everything)" };
            let message = format!("{} {words} {what}", viewer.user);
            Err(Refusal { code: RefusalCode::Forbidden, rule, message })
        }
    }
}

/// Answers why somebody may or may not; by the rules alone: it does not say whether the twin exists.
pub(crate) fn explain(state: &State, viewer: &Viewer, inquiry: &Inquiry) -> Result<Response, Refusal> {
    let other = match inquiry.user.as_ref().filter(|user| **user != viewer.user) {
        Some(user) => {
            owners_only(state, viewer, "ask what others may do")?;
            Some(Viewer::user(state, viewer.at, user)?)
        }
        None => None,
    };
    let about = other.as_ref().unwrap_or(viewer);
    let from = |decided: Result<RuleId, Refusal>| match decided {
        Ok(rule) => Verdict { allowed: true, rule: Some(rule) },
        Err(refusal) => Verdict { allowed: false, rule: refusal.rule },
    };
    let verdict = match &inquiry.what {
        Wanted::Read { twin, feature } => verdict(state, about, twin, feature.as_ref(), &Right::Read),
        Wanted::Act { twin, feature, action } => {
            verdict(state, about, twin, Some(feature), &Right::Act(action.clone()))
        }
        Wanted::Lease { twin } => from(may_lease(state, about, twin)),
        Wanted::Use { system, service } => system_verdict(state, about, system, &Right::Use(service.clone())),
        Wanted::Manage => manages(state, about),
    };
    let priority = match &inquiry.what {
        Wanted::Lease { twin } if verdict.allowed => priority(state, viewer.at, about, twin),
        _ => 0,
    };
    let words = words(state, about, &inquiry.what, &verdict);
    Ok(Response::Explanation(Explanation { allowed: verdict.allowed, rule: verdict.rule, words, priority }))
}

fn words(state: &State, about: &Viewer, what: &Wanted, verdict: &Verdict) -> String {
    let deed = match what {
        Wanted::Read { twin, feature: None } => format!("see {twin}"),
        Wanted::Read { twin, feature: Some(feature) } => format!("see {feature} of {twin}"),
        Wanted::Act { twin, feature, action } => format!("{action} {feature} of {twin}"),
        Wanted::Lease { twin } => format!("integrate with {twin}"),
        Wanted::Use { system, service } => format!("use {service} of {system}"),
        Wanted::Manage => "manage everything".to_owned(),
    };
    let may = if verdict.allowed { "may" } else { "may not" };
    let user = &about.user;
    match &verdict.rule {
        None => format!("{user} {may} {deed}: no rule allows it"),
        Some(id) => match (state.rules.get(id), borne(about, id)) {
            (Some(rule), _) => format!("{user} {may} {deed}: {rule} (rule {id})"),
            (None, Some(bearing)) if verdict.allowed => {
                format!("{user} {may} {deed}: in the stead of {} (by {id})", bearing.grant.by)
            }
            (None, Some(bearing)) => {
                format!("{user} {may} {deed}: what {} lent does not go so far ({id})", bearing.grant.by)
            }
            (None, None) => format!("{user} {may} {deed} (rule {id})"),
        },
    }
}

pub(crate) fn rules(state: &State, viewer: &Viewer) -> Result<Decision, Refusal> {
    owners_only(state, viewer, "read the rules")?;
    Ok(Decision::reply(Response::Rules(state.rules.values().cloned().collect())))
}

pub(crate) fn set_rule(state: &State, viewer: &Viewer, rule: &Rule) -> Result<Decision, Refusal> {
    owners_only(state, viewer, "change the rules")?;
    let known = state.rules.get(&rule.id);
    if known == Some(rule) {
        return Ok(Decision::done(Vec::new()));
    }
    if known.is_none() && state.rules.len() >= MOST_RULES {
        let message = format!("there are {MOST_RULES} rules already: take one away, or give people a role");
        return Err(Refusal::new(RefusalCode::Overloaded, message));
    }
    let events = vec![LogEvent::RuleSet { rule: rule.clone(), by: Some(viewer.user.clone()) }];
    keep_an_owner(state, viewer.at, &events, Some(&rule.id))?;
    Ok(Decision::done(events))
}

pub(crate) fn remove_rule(state: &State, viewer: &Viewer, rule: &RuleId) -> Result<Decision, Refusal> {
    owners_only(state, viewer, "change the rules")?;
    if !state.rules.contains_key(rule) {
        return Err(Refusal::new(RefusalCode::NotFound, format!("there is no rule {rule}")));
    }
    let events = vec![LogEvent::RuleRemoved { rule: rule.clone(), by: viewer.user.clone() }];
    keep_an_owner(state, viewer.at, &events, Some(rule))?;
    Ok(Decision::done(events))
}
