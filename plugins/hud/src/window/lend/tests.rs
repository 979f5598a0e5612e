use std::sync::Arc;

use vestibule_twin::{
    FeatureRules, HeldToken, KnownDevice, KnownToken, KnownUser, SignedToken,
    model::{Limits, Refusal, RefusalCode, RoleId, RuleId, Timestamp, TokenId, TwinSelector, UserId, UserInfo},
};

use super::*;
use crate::{el::Press, testing::door};

struct Scene {
    info: TwinInfo,
    access: TwinAccess,
    people: KnownPeople,
    known: KnownLending,
    desk: LoanDesk,
    connected: bool,
    about: bool,
    clipboard: bool,
    confirming: Option<HudAction>,
}

impl Scene {
    fn new() -> Self {
        let user = |id: &str, devices| KnownUser {
            info: UserInfo {
                id: UserId::slug(id),
                name: String::new(),
                roles: vec![RoleId::slug("guest")],
                login: None,
            },
            devices,
        };
        let headset = KnownDevice { id: Fingerprint([7; 32]), name: "a headset".to_owned(), roles: Vec::new() };
        let people = KnownPeople {
            me: Some((UserId::slug("ada"), true)),
            users: vec![user("ada", Vec::new()), user("bob", vec![headset])],
            ..KnownPeople::default()
        };
        Self {
            info: door(),
            access: TwinAccess::default(),
            people,
            known: KnownLending::default(),
            desk: LoanDesk::default(),
            connected: true,
            about: true,
            clipboard: false,
            confirming: None,
        }
    }

    fn show(&self) -> El {
        let name = |twin: &TwinId| (*twin == self.info.id).then(|| "Front door".to_owned());
        let counter = Counter {
            connected: self.connected,
            people: &self.people,
            known: &self.known,
            desk: &self.desk,
            clock: EnablerClock(Some((Timestamp(1_000), 0.0))),
            now: 0.0,
            about: self.about.then_some((&self.info, Some(&self.access))),
            name: &name,
            line: None,
            clipboard: self.clipboard,
            confirming: self.confirming.as_ref(),
        };
        window(&counter, &KeyBindings::default())
    }

    fn text(&self) -> String {
        self.show().texts().join("\n")
    }

    #[track_caller]
    fn says(&self, line: &str) {
        let text = self.text();
        assert!(text.contains(line), "{line:?} is not in {text}");
    }

    fn button(&self, label: &str) -> Press {
        let all = buttons(&self.show());
        let found = all.iter().find(|press| press.label == label);
        found.unwrap_or_else(|| panic!("no button {label:?} among {all:#?}")).clone()
    }

    fn press(&mut self, label: &str) {
        match self.button(label) {
            Press { action: HudAction::PrepareLoan(what), enabled: true, .. } => self.desk.prepare(&what),
            other => panic!("{other:?}"),
        }
    }

    /// What one more press would lend.
    fn loan(&self) -> (String, Limits, u64) {
        let Press { action: HudAction::Confirm(wish), enabled: true, .. } = self.button("Lend") else {
            panic!("{}", self.text())
        };
        match *wish {
            HudAction::Lend(LendRights::Lend { guest, limits, for_ms }) => (guest, limits, for_ms),
            other => panic!("{other:?}"),
        }
    }
}

fn buttons(el: &El) -> Vec<Press> {
    el.press.clone().into_iter().chain(el.children.iter().flat_map(buttons)).collect()
}

fn token(id: u8, by: &str, guest: &str) -> KnownToken {
    let limits = Limits {
        twins: Some(vec![TwinSelector::Twin(door().id)]),
        actions: Some(vec![ActionId::slug("open")]),
        until: Some(Timestamp(61_000)),
        ..Limits::default()
    };
    KnownToken { id: TokenId([id; 16]), by: UserId::slug(by), guest: guest.to_owned(), limits }
}

#[test]
fn one_lends_what_one_chose_to_whom_and_for_how_long() {
    let mut scene = Scene::new();
    assert!(!scene.button("Lend").enabled);
    scene.says("say to whom");
    scene.press("bob");
    let (guest, limits, for_ms) = scene.loan();
    assert_eq!((guest.as_str(), for_ms, limits.priority), ("bob", HOUR_MS, Some(0)));
    assert_eq!((limits.actions, limits.features), (Some(Vec::new()), None), "nothing but to see it, at first");
    scene.says("bob may see Front door, with priority 0 at most, for 60 min.");
    scene.press("Unlock");
    scene.press("1 day");
    scene.press("as yours");
    scene.press("only a headset");
    let (_, limits, for_ms) = scene.loan();
    assert_eq!(limits.twins, Some(vec![TwinSelector::Twin(door().id)]));
    assert_eq!(limits.features, Some(vec![FeatureId::slug("lock")]));
    assert_eq!(limits.actions, Some(vec![ActionId::slug("unlock")]));
    assert_eq!((limits.priority, limits.device, for_ms), (None, Some(Fingerprint([7; 32])), 24 * HOUR_MS));
    assert!(!scene.text().contains("Comes with it"));
    scene.confirming = Some(HudAction::Lend(LendRights::Lend { guest, limits: limits.clone(), for_ms }));
    assert!(matches!(scene.button("Press again to lend").action, HudAction::Lend(_)));
    scene.desk.enter(LendField::Guest, "carol".to_owned());
    assert_eq!(scene.loan().1.device, None, "a device belongs to somebody");
    scene.known.asking = true;
    assert!(!scene.button("Lend").enabled);
    scene.says("asked, waiting for the enabler");
}

/// A token names features and actions apart: what comes with it by that is not given unseen.
#[test]
fn what_comes_with_it_is_said() {
    let mut scene = Scene::new();
    scene.press("bob");
    let switch = |feature: &str, action: &str| PrepareLoan::Switch(FeatureId::slug(feature), ActionId::slug(action));
    scene.desk.prepare(&switch("lock", "unlock"));
    scene.desk.prepare(&switch("door", "open"));
    scene.says("Comes with it, since a token names parts and deeds apart: Open (Lock).");
    scene.desk.prepare(&switch("lock", "open"));
    assert!(!scene.text().contains("Comes with it"));
    scene.desk.turn_to(Some(&TwinId::new("home/other").unwrap()));
    assert!(scene.desk.actions.is_empty(), "what was chosen for one thing says nothing about another");
}

#[test]
fn why_nothing_can_be_lent_is_said() {
    let mut scene = Scene::new();
    for (guest, why) in [("a:b", "a name has letters"), ("two words", "a name has letters"), (" ", "say to whom")] {
        scene.desk.enter(LendField::Guest, guest.to_owned());
        assert!(!scene.button("Lend").enabled, "{guest}");
        scene.says(why);
    }
    scene.desk.enter(LendField::Guest, "x".repeat(61));
    scene.says("that name is too long");
    scene.desk.enter(LendField::Guest, "bob".to_owned());
    scene.people.me = None;
    scene.says("asking the enabler who you are");
    scene.connected = false;
    scene.says("The enabler cannot be reached");
    assert!(!scene.button("Lend").enabled);
    scene.about = false;
    scene.says("To lend something, open its card");
    scene.known.problem = Some(Refusal::new(RefusalCode::Overloaded, "256 tokens have not ended"));
    scene.says("256 tokens have not ended");
}

#[test]
fn what_was_lent_cannot_be_lent_on_by_the_enabler() {
    let mut scene = Scene::new();
    let act = [(ActionId::slug("unlock"), RuleId::slug("token:00"))].into();
    let rules = FeatureRules { read: None, act };
    scene.access = TwinAccess(Arc::new([(FeatureId::slug("lock"), rules)].into()));
    assert!(!scene.button("Unlock").enabled);
    scene.says("What was lent to you is not yours to lend");
}

#[test]
fn the_token_is_shown_with_its_file() {
    let mut scene = Scene::new();
    let text = TokenText("EoQB".to_owned());
    let limits = token(1, "ada", "bob").limits;
    scene.known.signed = Some(SignedToken { guest: "bob".to_owned(), limits, text: text.clone() });
    scene.says("For bob: give them this token");
    scene.says("It lets them see and open Front door, for 60 s more.");
    scene.says("EoQB");
    scene.says("It stands here only.");
    scene.desk.written = Some((text.clone(), Ok(PathBuf::from("/somewhere/front_door-for-bob.token"))));
    scene.says("It is in the file /somewhere/front_door-for-bob.token");
    assert!(!scene.text().contains("Copy"), "without a clipboard nothing offers to copy");
    scene.clipboard = true;
    assert_eq!(scene.button("Copy").action, HudAction::PrepareLoan(PrepareLoan::Copy));
    scene.desk.copied = Some((text.clone(), Ok(())));
    scene.says("It is in the clipboard");
    scene.desk.written = Some((text, Err("the disk is full".to_owned())));
    scene.says("It could not be written into a file: the disk is full");
}

#[test]
fn what_is_lent_is_taken_back_by_two_presses() {
    let mut scene = Scene::new();
    scene.known.lent = vec![token(2, "carol", "dave"), token(1, "ada", "bob")];
    let text = scene.text();
    let own = text.find("bob may see and open Front door, for 60 s more").unwrap();
    let other = text.find("dave may see and open Front door, for 60 s more, lent by carol").unwrap();
    assert!(own < other, "one's own stands first");
    let back = HudAction::Lend(LendRights::TakeBack(TokenId([1; 16])));
    assert_eq!(scene.button("Take back").action, HudAction::Confirm(Box::new(back.clone())));
    scene.confirming = Some(back.clone());
    assert_eq!(scene.button("Press again to take back").action, back);
    scene.connected = false;
    assert!(!scene.button("Press again to take back").enabled);
}

#[test]
fn what_others_lent_is_said_used_and_forgotten() {
    let mut scene = Scene::new();
    assert!(!scene.button("Use it").enabled);
    scene.says("write or paste the token, or the name of its file");
    scene.desk.enter(LendField::Token, "EoQB".to_owned());
    assert_eq!(scene.button("Use it").action, HudAction::PrepareLoan(PrepareLoan::UseToken));
    scene.known.refused = Some(Refusal::new(RefusalCode::Unauthenticated, "not a token of this enabler"));
    scene.says("It cannot be used: not a token of this enabler");
    scene.desk.unreadable = Some("it holds no token".to_owned());
    scene.says("It cannot be used: it holds no token");
    let text = TokenText("EoQB".to_owned());
    let held = |token| HeldToken { enabler: "home".to_owned(), text: text.clone(), token, asked: false, again: false };
    scene.known.held = vec![held(None), held(Some(token(3, "eve", "me")))];
    scene.says("A token of home: it is read once that answers.");
    scene.says("eve lets you see and open Front door, for 60 s more; the log calls you eve:me");
    let forget = HudAction::Lend(LendRights::Forget(TokenId([3; 16])));
    assert_eq!(scene.button("Forget").action, HudAction::Confirm(Box::new(forget)));
    let why = Refusal::new(RefusalCode::Forbidden, "this token of eve was revoked");
    scene.known.end(EndedToken { token: Some(token(3, "eve", "me")), why });
    scene.says("What eve lent you has ended: this token of eve was revoked");
}
