//! Users and their devices: who is let in, by whom, and who is not any more.

use std::{collections::BTreeSet, sync::Arc};

use vestibule_model::{MAX_TEXT, Refusal, RefusalCode, RoleId, RuleId, Subject, Timestamp, UserId, UserInfo};
use vestibule_protocol::{DeviceView, Me, People, Response, UserView};

use crate::{
    Actor, CONSOLE_USER, Decision, Device, Fingerprint, Identity, LogEvent, OWNER_ROLE, Offer, State, User, Viewer,
    dtif::dtac,
    sif::tpsaa,
    token::{delegated, token_view},
};

/// Devices that can be known: each is a place in every list of people.
const MOST_DEVICES: usize = 1_024;
/// Users that can be known, with or without a device.
const MOST_USERS: usize = 1_024;
/// Roles that one user can have: each is compared with each rule.
const MOST_ROLES: usize = 16;

impl State {
    /// Takes a decision about users and devices.
    pub(crate) fn apply_people(&mut self, at: Timestamp, event: &LogEvent) {
        match event {
            LogEvent::DeviceEnrolled { certificate, user, roles, device, until, .. } => {
                let devices = Arc::make_mut(&mut self.devices);
                devices.retain(|_, device| device.until.is_none_or(|until| at < until));
                let since = devices.get(certificate).filter(|old| old.user == *user).map_or(at, |old| old.since);
                let (roles, device) = (roles.clone(), device.clone());
                let known = Device { user: user.clone(), roles, device, since, until: *until };
                devices.insert(*certificate, known);
                if !self.users.contains_key(user) {
                    let named = User { name: user.to_string(), roles: Vec::new(), since: at };
                    Arc::make_mut(&mut self.users).insert(user.clone(), named);
                }
            }
            LogEvent::DeviceRevoked { certificate, .. } => {
                Arc::make_mut(&mut self.devices).remove(certificate);
            }
            LogEvent::UserSet { user: UserInfo { id, name, roles }, .. } => {
                let since = self.users.get(id).map_or(at, |known| known.since);
                let user = User { name: name.clone(), roles: roles.clone(), since };
                Arc::make_mut(&mut self.users).insert(id.clone(), user);
                let devices = Arc::make_mut(&mut self.devices).values_mut();
                devices.filter(|device| device.user == *id).for_each(|device| device.roles.clear());
            }
            LogEvent::UserRemoved { user, .. } => {
                Arc::make_mut(&mut self.users).remove(user);
                Arc::make_mut(&mut self.devices).retain(|_, device| device.user != *user);
                self.drop_permissions(user);
                self.orphan_calls(user);
            }
            _ => {}
        }
    }

    /// The roles of `user` on a device that has `more`.
    pub(crate) fn roles_on(&self, user: &UserId, more: &[RoleId]) -> Vec<RoleId> {
        let own = self.users.get(user).map_or(&[][..], |user| &user.roles);
        let others = more.iter().filter(|role| !own.contains(role));
        own.iter().chain(others).cloned().collect()
    }

    /// The roles of `user` over all devices.
    #[must_use]
    pub fn roles_of(&self, user: &UserId, now: Timestamp) -> Vec<RoleId> {
        if user.as_str() == CONSOLE_USER {
            return vec![RoleId::slug(OWNER_ROLE)];
        }
        let devices = self.devices.values();
        let mine = devices.filter(|device| device.user == *user && device.until.is_none_or(|until| now < until));
        let roles = mine.flat_map(|device| &device.roles).cloned().collect::<BTreeSet<_>>();
        self.roles_on(user, &roles.into_iter().collect::<Vec<_>>())
    }

    /// The moments after `now` at which a rule or a device expires.
    pub(crate) fn expiries(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        let rules = self.rules.values().filter_map(|rule| rule.until);
        let devices = self.devices.values().filter_map(|device| device.until);
        rules.chain(devices).filter(move |until| *until > now)
    }

    /// Whether somebody can change rules for ever: rules and devices that expire are no way back in.
    fn has_owner(&self) -> bool {
        let lasting: Vec<_> = self.rules.values().filter(|rule| rule.until.is_none()).collect();
        self.users.keys().any(|id| {
            let stays = |device: &&Device| device.user == *id && device.until.is_none();
            let devices: Vec<_> = self.devices.values().filter(stays).collect();
            let roles = devices.iter().flat_map(|device| &device.roles).cloned().collect::<Vec<_>>();
            let rules = lasting.iter().copied();
            !devices.is_empty() && dtac::owner_verdict(rules, id, &self.roles_on(id, &roles)).allowed
        })
    }
}

/// The last owner cannot lock themselves out.
pub(crate) fn keep_an_owner(
    state: &State,
    now: Timestamp,
    events: &[LogEvent],
    rule: Option<&RuleId>,
) -> Result<(), Refusal> {
    let mut after = state.clone();
    events.iter().for_each(|event| after.apply(now, event));
    if after.has_owner() || !state.has_owner() {
        return Ok(());
    }
    let message = "nobody could change the rules after that: let somebody else manage everything first";
    Err(Refusal { code: RefusalCode::Conflict, rule: rule.cloned(), message: message.to_owned() })
}

fn user_info(state: &State, id: &UserId) -> Option<UserInfo> {
    let User { name, roles, .. } = state.users.get(id)?.clone();
    Some(UserInfo { id: id.clone(), name, roles })
}

pub(crate) fn who_am_i(state: &State, viewer: &Viewer) -> Response {
    let tokens = viewer.tokens.iter().map(|bearing| token_view(&bearing.grant)).collect();
    let (user, roles) = (viewer.user.clone(), viewer.roles.clone());
    Response::Me(Me { user, roles, owner: dtac::is_owner(state, viewer), tokens })
}

/// All people for owners, oneself for others.
pub(crate) fn users(state: &State, viewer: &Viewer) -> Result<Decision, Refusal> {
    known(viewer, "see who is known")?;
    let all = dtac::is_owner(state, viewer);
    let view = |id: &UserId| {
        let devices = state.devices.iter().filter(|(_, device)| device.user == *id);
        let devices = devices.map(|(id, device)| DeviceView {
            id: *id,
            name: device.device.clone(),
            roles: device.roles.clone(),
            since: device.since,
            until: device.until,
        });
        Some(UserView { info: user_info(state, id)?, devices: devices.collect() })
    };
    let mine = |user: &UserId| all || *user == viewer.user;
    let users = state.users.keys().filter(|id| mine(id)).filter_map(view).collect();
    Ok(Decision::reply(Response::People(People { users, tokens: delegated(state, viewer.at, mine) })))
}

/// What only users do: whoever bears a token acts on twins and changes nothing else.
pub(crate) fn known(viewer: &Viewer, what: &str) -> Result<(), Refusal> {
    if viewer.is_user {
        return Ok(());
    }
    let message = format!("{} bears a token and may not {what}: only users of this enabler may", viewer.user);
    Err(Refusal::new(RefusalCode::Forbidden, message))
}

/// Names that mean somebody else: `delegator:guest` is whoever bears a token.
fn is_reserved(user: &UserId) -> bool {
    user.as_str() == CONSOLE_USER || user.as_str().contains(':')
}

pub(crate) fn set_user(state: &State, viewer: &Viewer, user: &UserInfo) -> Result<Decision, Refusal> {
    dtac::owners_only(state, viewer, "change who is known")?;
    if is_reserved(&user.id) {
        let message = format!("{} cannot be a user's id: choose one without ':'", user.id);
        return Err(Refusal::new(RefusalCode::Invalid, message));
    }
    if user.name.is_empty() || user.name.len() > MAX_TEXT.min(256) || user.roles.len() > MOST_ROLES {
        let message = format!("a user has a name of 1 to 256 bytes and at most {MOST_ROLES} roles");
        return Err(Refusal::new(RefusalCode::Invalid, message));
    }
    match user_info(state, &user.id) {
        Some(known) if known == *user && !state.devices.values().any(|d| d.user == user.id && !d.roles.is_empty()) => {
            return Ok(Decision::done(Vec::new()));
        }
        None => room_for_user(state)?,
        Some(_) => {}
    }
    let events = vec![LogEvent::UserSet { user: user.clone(), by: viewer.user.clone() }];
    keep_an_owner(state, viewer.at, &events, None)?;
    Ok(Decision::done(events))
}

fn room_for_user(state: &State) -> Result<(), Refusal> {
    if state.users.len() < MOST_USERS {
        return Ok(());
    }
    Err(Refusal::new(RefusalCode::Overloaded, format!("{MOST_USERS} users are known already: take some away")))
}

/// With their rules: whoever gets the same name later is somebody else.
pub(crate) fn remove_user(state: &State, viewer: &Viewer, user: &UserId) -> Result<Decision, Refusal> {
    dtac::owners_only(state, viewer, "change who is known")?;
    if !state.users.contains_key(user) {
        return Err(Refusal::new(RefusalCode::NotFound, format!("there is no user {user}")));
    }
    let by = viewer.user.clone();
    let theirs = state.rules.values().filter(|rule| rule.who == Subject::User(user.clone()));
    let rules = theirs.map(|rule| LogEvent::RuleRemoved { rule: rule.id.clone(), by: by.clone() });
    let agreed = tpsaa::end_unknown(state, &by, |whose, _| whose == user);
    let removed = LogEvent::UserRemoved { user: user.clone(), by: by.clone() };
    let events: Vec<_> = agreed.events.into_iter().chain(rules).chain([removed]).collect();
    keep_an_owner(state, viewer.at, &events, None)?;
    Ok(Decision { effects: agreed.effects, ..Decision::done(events) })
}

pub(crate) fn revoke_device(state: &State, viewer: &Viewer, certificate: Fingerprint) -> Result<Decision, Refusal> {
    known(viewer, "revoke devices")?;
    let device = state.devices.get(&certificate);
    if device.is_none_or(|device| device.user != viewer.user) {
        // Before it is said whether there is one.
        dtac::owners_only(state, viewer, "revoke devices of others")?;
    }
    if device.is_none() {
        return Err(Refusal::new(RefusalCode::NotFound, format!("no device {certificate} is known")));
    }
    let agreed = tpsaa::end_unknown(state, &viewer.user, |_, by| *by == Identity::Certificate(certificate));
    let revoked = LogEvent::DeviceRevoked { certificate, by: viewer.user.clone() };
    let events: Vec<_> = agreed.events.into_iter().chain([revoked]).collect();
    keep_an_owner(state, viewer.at, &events, None)?;
    Ok(Decision { effects: agreed.effects, ..Decision::done(events) })
}

/// Whether `actor` may have a pairing code shown, and for what.
///
/// # Errors
/// [`Refusal`] where it is not for themselves and they are no owner.
pub fn may_open_pairing(
    state: &State,
    now: Timestamp,
    actor: &Actor,
    role: &RoleId,
    user: Option<&UserId>,
) -> Result<Offer, Refusal> {
    let viewer = Viewer::of(state, now, actor)?;
    known(&viewer, "let devices in")?;
    let own = user.is_some_and(|user| *user == viewer.user) && viewer.roles.contains(role);
    if !own {
        dtac::owners_only(state, &viewer, "let other people's devices in")?;
    }
    if let Some(user) = user.filter(|user| !state.users.contains_key(user)) {
        return Err(Refusal::new(RefusalCode::NotFound, format!("there is no user {user}")));
    }
    Ok(Offer { role: role.clone(), user: user.cloned(), by: Some(viewer.user) })
}

/// Makes a device known that has shown a valid pairing code for `offer`.
///
/// # Errors
/// [`Refusal`] where the name cannot be one.
pub fn pair(
    state: &State,
    now: Timestamp,
    identity: &Identity,
    offer: &Offer,
    name: &str,
) -> Result<Decision, Refusal> {
    let Identity::Certificate(certificate) = identity else {
        return Err(Refusal::new(RefusalCode::Invalid, "an adapter in the enabler's process needs no pairing"));
    };
    let name = name.trim();
    if name.is_empty() || name.len() > MAX_TEXT.min(64) {
        return Err(Refusal::new(RefusalCode::Invalid, "give the device a name of 1 to 64 letters"));
    }
    // Who pairs again stays who they were, unless an owner says whose the device is; a new device never becomes
    // somebody else by its name.
    let user = match (&offer.user, state.devices.get(certificate)) {
        (Some(user), _) if state.users.contains_key(user) => user.clone(),
        (Some(user), _) => {
            return Err(Refusal::new(RefusalCode::NotFound, format!("there is no user {user} any more")));
        }
        (None, Some(device)) => device.user.clone(),
        (None, None) => {
            room_for_user(state)?;
            free_name(state, name)
        }
    };
    let reply =
        Response::Paired { user: user.clone(), roles: state.roles_on(&user, std::slice::from_ref(&offer.role)) };
    // What its user has anyway goes when the user loses it.
    let has = state.users.get(&user).is_some_and(|user| user.roles.contains(&offer.role));
    let roles = if has { Vec::new() } else { vec![offer.role.clone()] };
    let device = Device { user, roles, device: name.to_owned(), since: Timestamp(0), until: None };
    let decision = let_in(state, *certificate, device, offer.by.clone())?;
    keep_an_owner(state, now, &decision.events, None)?;
    Ok(Decision { reply: Some(reply), ..decision })
}

fn free_name(state: &State, name: &str) -> UserId {
    let named = |user: &UserId| state.rules.values().any(|rule| rule.who == Subject::User(user.clone()));
    let taken = |user: &UserId| is_reserved(user) || state.users.contains_key(user) || named(user);
    let short: String = name.chars().take(48).map(|c| if c == ':' { '_' } else { c }).collect();
    let first = UserId::slug(&short);
    let others = (2..=2 * MOST_USERS).map(|number| UserId::slug(&format!("{short}-{number}")));
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
    let (user, roles, device) = (user.clone(), roles.to_vec(), device.to_owned());
    let_in(state, certificate, Device { user, roles, device, since: Timestamp(0), until: None }, None)
}

fn let_in(state: &State, certificate: Fingerprint, device: Device, by: Option<UserId>) -> Result<Decision, Refusal> {
    let known = state.devices.get(&certificate);
    if known.is_some_and(|known| Device { since: known.since, ..device.clone() } == *known) {
        return Ok(Decision::done(Vec::new()));
    }
    if state.devices.len() >= MOST_DEVICES && known.is_none() {
        let message = format!("{MOST_DEVICES} devices are known already");
        return Err(Refusal::new(RefusalCode::Overloaded, message));
    }
    let Device { user, roles, device, until, .. } = device;
    Ok(Decision::done(vec![LogEvent::DeviceEnrolled { certificate, user, roles, device, until, by }]))
}
