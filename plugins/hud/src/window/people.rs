//! Who may come in, and what they may do: users, their devices, codes for new ones, rules.

use bevy::prelude::*;
use vestibule_input::{Control, KeyBindings};
use vestibule_twin::{
    EnablerClock, KnownDevice, KnownPeople, KnownUser, ManagePeople,
    model::{Right, RoleId, Rule, RuleEffect, Subject, TwinId, TwinSelector},
};

use crate::{
    action::HudAction,
    el::El,
    format, style,
    widgets::{self, Tone},
};

const HOUR_MS: u64 = 3_600_000;

/// What the window needs to know besides the people.
pub(super) struct Around<'a> {
    pub connected: bool,
    /// Seconds of `Time<Real>`.
    pub now: f64,
    pub clock: EnablerClock,
    /// The twin that the person was at when they opened the window, and its name.
    pub about: Option<(TwinId, String)>,
    /// What a press more does.
    pub confirming: Option<&'a HudAction>,
}

/// Everybody whom the enabler knows, and every rule.
pub(super) fn window(known: &KnownPeople, around: &Around<'_>, keys: &KeyBindings) -> El {
    let mut body = widgets::scroll("people.list", 8.0);
    if let Some(problem) = &known.problem {
        body.children.push(El::text("people.problem", problem.to_string()).colored(style::WRONG));
    }
    let (say, owner) = match (&known.me, around.connected) {
        (_, false) => ("The enabler cannot be reached: nothing can be changed now.".to_owned(), false),
        (None, true) => ("Asking the enabler ...".to_owned(), false),
        (Some((me, true)), true) => (format!("You are {me}, an owner: you decide who may do what."), true),
        (Some((me, false)), true) => (format!("You are {me}. Only owners change who may do what."), false),
    };
    body.children.push(El::small("people.me", say));
    body.children.push(doors(known, around, owner));
    body.children.extend(known.users.iter().map(|user| person(user, around, owner)));
    if !known.rules.is_empty() {
        body.children.push(widgets::heading("people.rules", "Rules"));
        let rules = known.rules.iter().map(|rule| rule_line(rule, around, owner));
        body.children.extend(rules);
    }
    super::frame("people", "People and what they may do", &keys.label(Control::People), 720.0, body)
}

/// Codes for new devices.
fn doors(known: &KnownPeople, around: &Around<'_>, owner: bool) -> El {
    let letting = [("A guest", "guest"), ("An owner", "owner"), ("A twin system", "twin_system")];
    let button = |(label, role): (&str, &str)| {
        let mut press = widgets::press(label, HudAction::People(ManagePeople::LetIn(RoleId::slug(role))));
        press.enabled = owner;
        widgets::button(format!("people.let_in.{role}"), press, None, Tone::Plain)
    };
    let row = El::row("people.let_in", style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(El::text("words", "Let in:"))
        .with_all(letting.map(button));
    let mut place = El::column("people.doors", 6.0).node(|node| node.flex_shrink = 0.0).with(row);
    if let Some(code) = &known.code {
        let digits = El::text("digits", spaced(&code.digits)).strong().words(|words| words.size = style::TITLE);
        let text = match around.clock.left_ms(code.until, around.now) {
            Some(ms) => format!("Type it on the new device within {}.", format::span(ms)),
            None => "This code has ended: ask for another one.".to_owned(),
        };
        let line = El::row("people.code", style::GAP).with(digits).with(El::small("how", text));
        place.children.push(line);
    }
    place
}

/// Six digits as two groups.
fn spaced(digits: &str) -> String {
    match digits.split_at_checked(3) {
        Some((first, second)) => format!("{first} {second}"),
        None => digits.to_owned(),
    }
}

fn person(user: &KnownUser, around: &Around<'_>, owner: bool) -> El {
    let name = if user.info.name.is_empty() { user.info.id.to_string() } else { user.info.name.clone() };
    let roles: Vec<_> = user.info.roles.iter().map(ToString::to_string).collect();
    let remove = ManagePeople::Remove(user.info.id.clone());
    let head = El::row("head", style::GAP)
        .with(El::text("name", name).strong())
        .with(El::small("roles", roles.join(", ")))
        .with(widgets::spring())
        .with(careful("remove", "Remove", "Press again to remove", remove, around, owner));
    let mut item = El::column(format!("person.{}", user.info.id), 4.0)
        .node(|node| {
            node.padding = UiRect::axes(px(10), px(8));
            node.flex_shrink = 0.0;
        })
        .fill(style::RAISED)
        .round(style::ROUND_SMALL)
        .with(head)
        .with_all(user.devices.iter().map(|device| device_line(device, around, owner)));
    let mut roles = user.info.roles.iter().chain(user.devices.iter().flat_map(|device| &device.roles));
    let is_owner = roles.any(|role| role.as_str() == "owner");
    if let Some((twin, name)) = around.about.as_ref().filter(|_| !is_owner) {
        item.children.push(grants(user, twin, name, owner));
    }
    item
}

fn device_line(device: &KnownDevice, around: &Around<'_>, owner: bool) -> El {
    let roles: Vec<_> = device.roles.iter().map(ToString::to_string).collect();
    let text = if roles.is_empty() { device.name.clone() } else { format!("{} ({})", device.name, roles.join(", ")) };
    let forget = ManagePeople::Forget(device.id);
    El::row(format!("device.{}", device.id), style::GAP)
        .with(El::small("name", text).colored(style::TEXT))
        .with(widgets::spring())
        .with(careful("forget", "Forget", "Press again to forget", forget, around, owner))
}

fn grants(user: &KnownUser, twin: &TwinId, name: &str, owner: bool) -> El {
    let times = [("1 hour", Some(HOUR_MS)), ("1 day", Some(24 * HOUR_MS)), ("always", None)];
    let button = |(label, for_ms): (&str, Option<u64>)| {
        let allow = ManagePeople::Allow { user: user.info.id.clone(), twin: twin.clone(), for_ms };
        let mut press = widgets::press(label, HudAction::People(allow));
        press.enabled = owner;
        widgets::button(format!("grant.{label}"), press, None, Tone::Plain)
    };
    El::row("grants", style::GAP).with(El::small("what", format!("May use {name}:"))).with_all(times.map(button))
}

fn rule_line(rule: &Rule, around: &Around<'_>, owner: bool) -> El {
    let text = El::text("text", words(rule, around));
    let away = ManagePeople::TakeAway(rule.id.clone());
    El::row(format!("rule.{}", rule.id), style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(text)
        .with(widgets::spring())
        .with(careful("take", "Take away", "Press again to take away", away, around, owner))
}

/// A rule as a sentence.
fn words(rule: &Rule, around: &Around<'_>) -> String {
    let who = match &rule.who {
        Subject::Anyone => "Everybody".to_owned(),
        Subject::Role(role) => format!("Every {role}"),
        Subject::User(user) => user.to_string(),
    };
    let may = match rule.effect {
        RuleEffect::Allow => "may",
        RuleEffect::Deny => "may not",
    };
    let what = match &rule.right {
        Right::Read => "see".to_owned(),
        Right::Act(action) => action.to_string(),
        Right::ActAny => "use".to_owned(),
        Right::Manage => "manage".to_owned(),
        Right::Use(service) => format!("use the service {service} of"),
        Right::UseAny => "use the services of".to_owned(),
    };
    let which = match &rule.twins {
        TwinSelector::All => "everything".to_owned(),
        TwinSelector::System(system) => format!("everything of {system}"),
        TwinSelector::Twin(twin) => twin.to_string(),
    };
    let feature = rule.feature.as_ref().map(|feature| format!(" ({feature})")).unwrap_or_default();
    let end = match rule.until.map(|until| around.clock.left_ms(until, around.now)) {
        None => String::new(),
        Some(Some(ms)) => format!(", for {} more", format::span(ms)),
        Some(None) => ", which has ended".to_owned(),
    };
    format!("{who} {may} {what} {which}{feature}{end}")
}

/// A button that has to be pressed twice.
fn careful(key: &'static str, label: &str, again: &str, does: ManagePeople, around: &Around<'_>, owner: bool) -> El {
    super::careful(key, (label, again), HudAction::People(does), around.confirming, owner)
}

#[cfg(test)]
mod tests {
    use vestibule_twin::{
        ShownCode,
        model::{Fingerprint, RuleId, Timestamp, UserId, UserInfo},
    };

    use super::*;

    fn people(owner: bool) -> KnownPeople {
        let user = |id: &str, role: &str| KnownUser {
            info: UserInfo { id: UserId::slug(id), name: String::new(), roles: vec![RoleId::slug(role)], login: None },
            devices: vec![KnownDevice { id: Fingerprint([7; 32]), name: "a headset".to_owned(), roles: Vec::new() }],
        };
        let rule = |until| Rule {
            id: RuleId::slug("bob-use-home-front_door"),
            who: Subject::User(UserId::slug("bob")),
            twins: TwinSelector::Twin(TwinId::new("home/front_door").unwrap()),
            feature: None,
            right: Right::ActAny,
            effect: RuleEffect::Allow,
            until,
            priority: None,
        };
        KnownPeople {
            me: Some((UserId::slug("ada"), owner)),
            users: vec![user("ada", "owner"), user("bob", "guest")],
            rules: vec![rule(Some(Timestamp(61_000))), rule(Some(Timestamp(1))), rule(None)],
            code: Some(ShownCode { digits: "012345".to_owned(), until: Timestamp(301_000) }),
            problem: None,
        }
    }

    fn around(confirming: Option<&HudAction>) -> Around<'_> {
        let about = Some((TwinId::new("home/front_door").unwrap(), "Front door".to_owned()));
        Around { connected: true, now: 0.0, clock: EnablerClock(Some((Timestamp(1_000), 0.0))), about, confirming }
    }

    fn texts(known: &KnownPeople, around: &Around<'_>) -> String {
        window(known, around, &KeyBindings::default()).texts().join("\n")
    }

    fn buttons(el: &El) -> Vec<crate::el::Press> {
        el.press.clone().into_iter().chain(el.children.iter().flat_map(buttons)).collect()
    }

    #[test]
    fn people_rules_and_codes_are_told_in_sentences() {
        let text = texts(&people(true), &around(None));
        for line in [
            "You are ada, an owner",
            "012 345",
            "within 5 min",
            "bob may use home/front_door, for 60 s more",
            "bob may use home/front_door, which has ended",
            "May use Front door:",
            "a headset",
        ] {
            assert!(text.contains(line), "{line:?} is not in {text}");
        }
    }

    #[test]
    fn only_owners_press_and_what_takes_away_is_pressed_twice() {
        let presses =
            |owner, confirming| buttons(&window(&people(owner), &around(confirming), &KeyBindings::default()));
        assert!(presses(false, None).iter().all(|press| !press.enabled || press.action == HudAction::CloseWindow));
        let remove = HudAction::People(ManagePeople::Remove(UserId::slug("bob")));
        let actions = |confirming| presses(true, confirming).into_iter().map(|press| press.action).collect::<Vec<_>>();
        assert!(!actions(None).contains(&remove));
        assert!(actions(None).contains(&HudAction::Confirm(Box::new(remove.clone()))));
        assert!(actions(Some(&remove)).contains(&remove));
    }
}
