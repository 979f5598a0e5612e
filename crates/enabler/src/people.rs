//! Users and their devices: who is let in, by whom, and who is not any more.

use std::{collections::BTreeSet, sync::Arc};

use vestibule_model::{
    ERASED, Login, MAX_TEXT, Refusal, RefusalCode, RoleId, RuleId, Subject, Timestamp, UserId, UserInfo, is_erased,
};
use vestibule_protocol::{DeviceView, Me, People, Response, UserView};

use crate::{
    Actor, CONSOLE_USER, Decision, Device, Effect, Fingerprint, Identity, LogEvent, OWNER_ROLE, Offer, PurchaseRecord,
    State, User, Viewer,
    disclosures::stands_for,
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
/// Logins of one user that hold at once: some browsers and programs. The one that ends first makes room.
const MOST_LOGINS: usize = 16;

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
                    let named = User { name: user.to_string(), roles: Vec::new(), login: None, since: at };
                    Arc::make_mut(&mut self.users).insert(user.clone(), named);
                }
            }
            LogEvent::DeviceRevoked { certificate, .. } => {
                Arc::make_mut(&mut self.devices).remove(certificate);
            }
            LogEvent::UserSet { user: UserInfo { id, name, roles, login }, .. } => {
                let since = self.users.get(id).map_or(at, |known| known.since);
                let user = User { name: name.clone(), roles: roles.clone(), login: login.clone(), since };
                Arc::make_mut(&mut self.users).insert(id.clone(), user);
                let devices = Arc::make_mut(&mut self.devices).values_mut();
                devices.filter(|device| device.user == *id).for_each(|device| device.roles.clear());
            }
            LogEvent::UserRemoved { user, .. } => {
                Arc::make_mut(&mut self.users).remove(user);
                Arc::make_mut(&mut self.devices).retain(|_, device| device.user != *user);
                self.drop_permissions(user);
                self.orphan_calls(user);
                self.orphan_purchases(user);
                self.drop_products(user);
            }
            LogEvent::PersonErased { user, .. } => self.erase(user),
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

    /// Whether somebody can change rules for ever: rules and devices that expire are no way back in, a login is.
    fn has_owner(&self) -> bool {
        let lasting: Vec<_> = self.rules.values().filter(|rule| rule.until.is_none()).collect();
        self.users.iter().any(|(id, user)| {
            let stays = |device: &&Device| device.user == *id && (device.until.is_none() || user.login.is_some());
            let devices: Vec<_> = self.devices.values().filter(stays).collect();
            let roles = devices.iter().flat_map(|device| &device.roles).cloned().collect::<Vec<_>>();
            let reaches = !devices.is_empty() || user.login.is_some();
            reaches && dtac::owner_verdict(lasting.iter().copied(), id, &self.roles_on(id, &roles)).allowed
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
    let User { name, roles, login, .. } = state.users.get(id)?.clone();
    Some(UserInfo { id: id.clone(), name, roles, login })
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

/// Names that mean somebody else: `delegator:guest` is whoever bears a token, and `erased:` begins who was forgotten.
fn is_reserved(user: &UserId) -> bool {
    [CONSOLE_USER, ERASED].contains(&user.as_str()) || user.as_str().contains(':')
}

pub(crate) fn set_user(state: &State, viewer: &Viewer, user: &UserInfo) -> Result<Decision, Refusal> {
    dtac::owners_only(state, viewer, "change who is known")?;
    let refuse = |code, message: String| Err(Refusal::new(code, message));
    if is_reserved(&user.id) {
        return refuse(RefusalCode::Invalid, format!("{} cannot be a user's id: choose one without ':'", user.id));
    }
    let login = user.login.iter().flat_map(|login| [&login.issuer, &login.subject]);
    let texts = std::iter::once(&user.name).chain(login).any(|text| text.is_empty() || text.len() > MAX_TEXT.min(256));
    if texts || user.roles.len() > MOST_ROLES {
        return refuse(
            RefusalCode::Invalid,
            format!("a user has a name and a login of 1 to 256 bytes and at most {MOST_ROLES} roles"),
        );
    }
    let same_login = |(id, known): &(&UserId, &User)| **id != user.id && known.login == user.login;
    if user.login.is_some()
        && let Some((other, _)) = state.users.iter().find(same_login)
    {
        return refuse(RefusalCode::Conflict, format!("{other} logs in so already"));
    }
    match user_info(state, &user.id) {
        Some(known) if known == *user && !state.devices.values().any(|d| d.user == user.id && !d.roles.is_empty()) => {
            return Ok(Decision::done(Vec::new()));
        }
        None => room_for_user(state)?,
        Some(_) => {}
    }
    let events = vec![LogEvent::UserSet { user: user.clone(), by: Some(viewer.user.clone()) }];
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
    // What a provider vouches for until tonight is not known for ever because it paired a phone meanwhile.
    let until = match &actor.identity {
        Identity::Certificate(device) => state.devices.get(device).and_then(|device| device.until),
        Identity::Console | Identity::Local(_) => None,
    };
    Ok(Offer { role: role.clone(), user: user.cloned(), by: Some(viewer.user), until })
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
    if offer.until.is_some_and(|until| now >= until) {
        return Err(Refusal::new(RefusalCode::Expired, "the login that offered this has ended: log in again"));
    }
    let device = Device { user, roles, device: name.to_owned(), since: Timestamp(0), until: offer.until };
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

/// Forgets a person: what they agreed ends, what was known of them goes. Their name is destroyed once that is written.
pub(crate) fn erase(state: &State, now: Timestamp, viewer: &Viewer, user: &UserId) -> Result<Decision, Refusal> {
    dtac::owners_only(state, viewer, "forget people")?;
    if user.as_str() == CONSOLE_USER {
        let message = format!("{user} is whoever runs this enabler, and no person");
        return Err(Refusal::new(RefusalCode::Invalid, message));
    }
    let agreed = tpsaa::end_unknown(state, &viewer.user, |whose, _| whose == user);
    // Whoever runs the enabler is nobody in particular.
    let by = (viewer.user.as_str() != CONSOLE_USER).then(|| viewer.user.clone());
    let erased = LogEvent::PersonErased { user: user.clone(), by };
    let events: Vec<_> = agreed.events.into_iter().chain([erased]).collect();
    keep_an_owner(state, now, &events, None)?;
    nothing_under_way(state, user)?;
    let decision = Decision { effects: agreed.effects, ..Decision::done(events) };
    Ok(decision.with(Effect::Forget(user.clone())))
}

/// Nobody is forgotten while something of theirs is on its way.
fn nothing_under_way(state: &State, user: &UserId) -> Result<(), Refusal> {
    let conflict = |message: String| Err(Refusal::new(RefusalCode::Conflict, message));
    let open = state.open.keys().filter_map(|id| state.commands.get(id)).filter(|record| record.user == *user).count();
    if open > 0 {
        return conflict(format!("{open} commands of {user} are under way: try again when they have ended"));
    }
    let calls = state.open_calls.keys().filter_map(|id| state.calls.get(id));
    let calls = calls.filter(|record| stands_for(&record.user, user)).count();
    if calls > 0 {
        // What is taken back is taken back with what was given, which nobody could read any more.
        return conflict(format!(
            "{calls} calls of {user} are under way: cancel them, or try again when they have ended"
        ));
    }
    let bought = state.open_purchases.keys().filter_map(|id| state.purchases.get(id));
    let bought: Vec<_> = bought.filter(|record| stands_for(&record.user, user)).collect();
    let doubtful = bought.iter().filter(|record| record.order.is_none()).count();
    if doubtful > 0 {
        // It is asked for with what was confirmed, which nobody could read any more.
        return conflict(format!(
            "{doubtful} purchases of {user} are not ordered yet: try again when they are, or have {user} cancel them"
        ));
    }
    // Where it is to be brought is forgotten as well, and nobody could ask for it any more. What has come is not waited
    // for, nor what a merchant owes who was taken out: it would keep somebody here for ever.
    let coming = |record: &&&Arc<PurchaseRecord>| {
        !record.is_at_the_door() && state.systems.contains_key(&record.confirmation.system)
    };
    let coming: Vec<_> = bought.iter().filter(coming).collect();
    if let Some((record, order)) = coming.iter().find_map(|record| Some((record, record.order.as_ref()?))) {
        let (number, system) = (coming.len(), &record.confirmation.system);
        return conflict(format!(
            "{number} orders of {user} are under way, {order} at {system} among them: try again when they have come, have \
             {user} cancel them, or take out a merchant that does not answer any more"
        ));
    }
    Ok(())
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
    if is_erased(device.user.as_str()) {
        return Err(Refusal::new(RefusalCode::Invalid, "so reads somebody who was forgotten: take another name"));
    }
    if state.devices.len() >= MOST_DEVICES && known.is_none() {
        let message = format!("{MOST_DEVICES} devices are known already");
        return Err(Refusal::new(RefusalCode::Overloaded, message));
    }
    let Device { user, roles, device, until, .. } = device;
    Ok(Decision::done(vec![LogEvent::DeviceEnrolled { certificate, user, roles, device, until, by }]))
}

/// Makes the device `certificate` known until `until` for whoever a provider says that `login` is, with `roles`.
///
/// # Errors
/// [`Refusal`] where nothing here is for them, or too many are known.
pub fn log_in(
    state: &State,
    now: Timestamp,
    certificate: Fingerprint,
    login: &Login,
    name: &str,
    roles: &[RoleId],
    until: Timestamp,
) -> Result<Decision, Refusal> {
    // What a provider says of people is anything.
    let name = if name.trim().is_empty() { &login.subject } else { name.trim() };
    let name = &name.chars().take(64).collect::<String>();
    let by_login = state.users.iter().find(|(_, user)| user.login.as_ref() == Some(login));
    let mut events = Vec::new();
    let (user, own) = match by_login {
        Some((id, user)) => (id.clone(), !user.roles.is_empty()),
        None => {
            room_for_user(state)?;
            let id = free_name(state, name);
            let info =
                UserInfo { id: id.clone(), name: name.to_owned(), roles: Vec::new(), login: Some(login.clone()) };
            events.push(LogEvent::UserSet { user: info, by: None });
            (id, false)
        }
    };
    if roles.is_empty() && !own {
        let message = format!(
            "{name} is nobody here yet: the enabler's owner has to give a role to {:?} of {} (`users set`)",
            login.subject, login.issuer
        );
        return Err(Refusal::new(RefusalCode::Forbidden, message));
    }
    if now >= until {
        return Err(Refusal::new(RefusalCode::Expired, "that login has ended already: log in again"));
    }
    let device = Device {
        user: user.clone(),
        roles: roles.to_vec(),
        device: "web login".to_owned(),
        since: now,
        until: Some(until),
    };
    events.extend(room_for_login(state, now, &user));
    events.extend(let_in(state, certificate, device, None)?.events);
    let reply = Response::Paired { user: user.clone(), roles: state.roles_on(&user, roles) };
    Ok(Decision { reply: Some(reply), ..Decision::done(events) })
}

/// Ends the login of `user` that ends first, where they have as many as they can have.
fn room_for_login(state: &State, now: Timestamp, user: &UserId) -> Option<LogEvent> {
    let logins = state.devices.iter().filter_map(|(certificate, device)| {
        let until = device.until.filter(|until| device.user == *user && now < *until)?;
        Some((until, *certificate))
    });
    let mut logins: Vec<_> = logins.collect();
    logins.sort_unstable();
    let (_, certificate) = *logins.first().filter(|_| logins.len() >= MOST_LOGINS)?;
    Some(LogEvent::DeviceRevoked { certificate, by: user.clone() })
}
