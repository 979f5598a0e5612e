//! FGMV-29 8.3.5, digital twin access control (DTAC): who may do what with each twin, and who may change that.

use vestibule_model::{
    About, Access, ActionId, FeatureId, MAX_FEATURES, MAX_TEXT, Refusal, RefusalCode, Right, RoleId, Rule, RuleEffect,
    RuleId, ServiceId, Subject, SystemId, TwinId, TwinPermission, TwinSelector, UserId, Verdict, decide_access,
};
use vestibule_protocol::Response;

use crate::{Decision, Device, Fingerprint, GUEST_ROLE, Identity, LogEvent, OWNER_ROLE, State};

/// Rules that there can be: each is compared with each question.
const MOST_RULES: usize = 512;
/// Devices that can be known.
const MOST_DEVICES: usize = 1_024;

/// Actions that a twin's system can permit one user by name.
const MOST_PERMITTED: usize = 1_024;
/// Twins whose systems can let somebody less than the rules might.
const MOST_RESTRICTED: usize = 65_536;

/// A known user who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The user.
    pub user: UserId,
    /// Their roles on this device.
    pub roles: Vec<RoleId>,
}

impl Viewer {
    /// Whose certificate this is.
    ///
    /// # Errors
    /// [`RefusalCode::Unauthenticated`] where nobody's.
    pub fn of(state: &State, identity: &Identity) -> Result<Self, Refusal> {
        let device = match identity {
            Identity::Certificate(fingerprint) => state.devices.get(fingerprint),
            Identity::Local(_) => None,
        };
        let device = device.ok_or_else(|| {
            let message = "this device is not known here: pair it with a code from the enabler's owner";
            Refusal::new(RefusalCode::Unauthenticated, message)
        })?;
        Ok(Self::from(device))
    }
}

impl From<&Device> for Viewer {
    fn from(device: &Device) -> Self {
        Self { user: device.user.clone(), roles: device.roles.clone() }
    }
}

/// The rules of a first start: owners manage everything, guests see everything and act on nothing.
#[must_use]
pub fn default_rules() -> Vec<LogEvent> {
    let rule = |id: &str, role: &str, right| LogEvent::RuleSet {
        rule: Rule {
            id: RuleId::slug(id),
            who: Subject::Role(RoleId::slug(role)),
            twins: TwinSelector::All,
            feature: None,
            right,
            effect: RuleEffect::Allow,
        },
        by: None,
    };
    vec![rule("owners-everything", OWNER_ROLE, Right::Manage), rule("guests-see", GUEST_ROLE, Right::Read)]
}

/// Whether `viewer` has `right`, and which rule says so.
#[must_use]
pub fn verdict(state: &State, viewer: &Viewer, twin: &TwinId, feature: Option<&FeatureId>, right: &Right) -> Verdict {
    ask(state, viewer, About::Twin(twin), feature, right)
}

/// Whether `viewer` has `right` to a system: to see it, to use a service.
#[must_use]
pub fn system_verdict(state: &State, viewer: &Viewer, system: &SystemId, right: &Right) -> Verdict {
    ask(state, viewer, About::System(system), None, right)
}

fn ask(state: &State, viewer: &Viewer, about: About<'_>, feature: Option<&FeatureId>, right: &Right) -> Verdict {
    let access = Access { user: &viewer.user, roles: &viewer.roles, about, feature, right };
    let verdict = decide_access(state.rules.values(), &access);
    if let (true, About::Twin(twin)) = (verdict.allowed, about)
        && let Some(permission) = state.permission(twin, &viewer.user)
        && !permission.leaves(feature, right)
    {
        // The twin's system manages access rights of its own (REQ-DT-05). They only take.
        return Verdict { allowed: false, rule: Some(RuleId::slug(&format!("rules-of:{}", twin.system()))) };
    }
    verdict
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
        if state.restricted(twin) >= MOST_DEVICES || first && state.restricted_twins() >= MOST_RESTRICTED {
            let message = format!("no more permissions of {} can be kept", twin.system());
            return Err(Refusal::new(RefusalCode::Overloaded, message));
        }
    }
    let (twin, user) = (twin.clone(), user.clone());
    Ok(Some(LogEvent::PermissionTold { twin, user, permission: permission.clone() }))
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
            let words = if rule.is_some() { "may not" } else { "may not (no rule allows it)" };
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
pub(crate) fn concerns(rule: &Rule, viewer: &Viewer) -> bool {
    match &rule.who {
        Subject::Anyone => true,
        Subject::Role(role) => viewer.roles.contains(role),
        Subject::User(user) => *user == viewer.user,
    }
}

/// What makes an owner: a rule lets them manage all twins, and none takes that away.
fn owner_verdict<'a>(rules: impl Iterator<Item = &'a Rule>, viewer: &Viewer) -> Verdict {
    let mut allow = None;
    for rule in rules {
        let everything = rule.twins == TwinSelector::All && rule.feature.is_none() && rule.right == Right::Manage;
        if !everything || !concerns(rule, viewer) {
            continue;
        }
        match rule.effect {
            RuleEffect::Deny => return Verdict { allowed: false, rule: Some(rule.id.clone()) },
            RuleEffect::Allow => allow = allow.or(Some(rule.id.clone())),
        }
    }
    Verdict { allowed: allow.is_some(), rule: allow }
}

/// Whether `viewer` may manage everything.
#[must_use]
pub fn is_owner(state: &State, viewer: &Viewer) -> bool {
    owner_verdict(state.rules.values(), viewer).allowed
}

pub(crate) fn owners_only(state: &State, viewer: &Viewer, what: &str) -> Result<(), Refusal> {
    match owner_verdict(state.rules.values(), viewer) {
        Verdict { allowed: true, .. } => Ok(()),
        Verdict { rule, .. } => {
            let words = if rule.is_some() { "may not" } else { "may not (no rule lets them manage everything)" };
            let message = format!("{} {words} {what}", viewer.user);
            Err(Refusal { code: RefusalCode::Forbidden, rule, message })
        }
    }
}

pub(crate) fn explain(
    state: &State,
    viewer: &Viewer,
    twin: &TwinId,
    feature: &FeatureId,
    action: Option<&ActionId>,
) -> Response {
    // By the rules alone: the answer does not say whether the twin exists.
    let right = action.map_or(Right::Read, |action| Right::Act(action.clone()));
    Response::Verdict(verdict(state, viewer, twin, Some(feature), &right))
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
    let others = state.rules.values().filter(|other| other.id != rule.id);
    keep_an_owner(state, &others.chain([rule]).cloned().collect::<Vec<_>>(), &rule.id)?;
    Ok(Decision::done(vec![LogEvent::RuleSet { rule: rule.clone(), by: Some(viewer.user.clone()) }]))
}

pub(crate) fn remove_rule(state: &State, viewer: &Viewer, rule: &RuleId) -> Result<Decision, Refusal> {
    owners_only(state, viewer, "change the rules")?;
    if !state.rules.contains_key(rule) {
        return Err(Refusal::new(RefusalCode::NotFound, format!("there is no rule {rule}")));
    }
    let others = state.rules.values().filter(|other| other.id != *rule);
    keep_an_owner(state, &others.cloned().collect::<Vec<_>>(), rule)?;
    Ok(Decision::done(vec![LogEvent::RuleRemoved { rule: rule.clone(), by: viewer.user.clone() }]))
}

/// The last owner cannot lock themselves out.
fn keep_an_owner(state: &State, rules: &[Rule], changed: &RuleId) -> Result<(), Refusal> {
    let remains = state.devices.values().any(|device| owner_verdict(rules.iter(), &Viewer::from(device)).allowed);
    if remains {
        return Ok(());
    }
    let message = "nobody could change the rules after that: let somebody else manage everything first";
    Err(Refusal { code: RefusalCode::Conflict, rule: Some(changed.clone()), message: message.to_owned() })
}

/// Makes a device known that has shown a valid pairing code for `role`.
///
/// # Errors
/// [`Refusal`] where the name cannot be one.
pub fn pair(state: &State, identity: &Identity, role: &RoleId, name: &str) -> Result<Decision, Refusal> {
    let Identity::Certificate(certificate) = identity else {
        return Err(Refusal::new(RefusalCode::Invalid, "an adapter in the enabler's process needs no pairing"));
    };
    let name = name.trim();
    if name.is_empty() || name.len() > MAX_TEXT.min(64) {
        return Err(Refusal::new(RefusalCode::Invalid, "give the device a name of 1 to 64 letters"));
    }
    // Who pairs again stays who they were; a new device never becomes somebody else by its name.
    let user = match state.devices.get(certificate) {
        Some(device) => device.user.clone(),
        None => free_name(state, name),
    };
    let decision = enroll(state, *certificate, &user, std::slice::from_ref(role), name)?;
    let reply = Response::Paired { user, roles: vec![role.clone()] };
    Ok(Decision { reply: Some(reply), ..decision })
}

fn free_name(state: &State, name: &str) -> UserId {
    let taken = |user: &UserId| state.devices.values().any(|device| device.user == *user);
    let short: String = name.chars().take(48).collect();
    let first = UserId::slug(&short);
    let others = (2..=MOST_DEVICES + 2).map(|number| UserId::slug(&format!("{short}-{number}")));
    std::iter::once(first.clone()).chain(others).find(|user| !taken(user)).unwrap_or(first)
}

/// Makes a device known, on the word of whoever runs the enabler.
///
/// # Errors
/// [`Refusal`] where too many are known.
pub fn enroll(
    state: &State,
    certificate: Fingerprint,
    user: &UserId,
    roles: &[RoleId],
    device: &str,
) -> Result<Decision, Refusal> {
    let known = Device { user: user.clone(), roles: roles.to_vec(), device: device.to_owned() };
    if state.devices.get(&certificate) == Some(&known) {
        return Ok(Decision::done(Vec::new()));
    }
    if state.devices.len() >= MOST_DEVICES && !state.devices.contains_key(&certificate) {
        let message = format!("{MOST_DEVICES} devices are known already");
        return Err(Refusal::new(RefusalCode::Overloaded, message));
    }
    let Device { user, roles, device } = known;
    Ok(Decision::done(vec![LogEvent::DeviceEnrolled { certificate, user, roles, device }]))
}
