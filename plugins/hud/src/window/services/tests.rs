use vestibule_twin::model::{
    CallUpdate, Charge, ChargePer, Json, Pseudonym, Refusal, RefusalCode, RuleId, ServiceInfo, Sharing, StepKey,
    StepStatus, StepUpdate, SystemHealth, SystemInfo, Timestamp, UserId,
};

use super::*;
use crate::el::Press;

fn shop() -> SystemId {
    SystemId::slug("shop")
}

fn order() -> ServiceId {
    ServiceId::slug("order")
}

fn twin() -> TwinId {
    TwinId::new("home/front_door").unwrap()
}

fn system() -> KnownSystem {
    let mut info = SystemInfo::new(shop(), SystemKind::ThirdParty, "Pizza shop");
    let schema = r#"{"type":"object","required":["kind"],"properties":{
        "kind":{"enum":["margherita","funghi"]},"note":{"type":"string"}}}"#;
    let mut about = ServiceInfo::new("Order a pizza");
    about.input = Some(Json::new(schema).unwrap());
    about.charge = Some(Charge { amount: 950, currency: "EUR".parse().unwrap(), per: ChargePer::Item });
    about.needs = ["name", "twin:home/front_door", "twin:home/secret", "address"].map(str::to_owned).into();
    info.services.insert(order(), about);
    info.services.insert(ServiceId::slug("track"), ServiceInfo::new("Track"));
    info.services.insert(ServiceId::slug("bake"), ServiceInfo::new("Bake"));
    let usable = [order(), ServiceId::slug("track")].map(|id| (id, RuleId::slug("ada-shops"))).into();
    KnownSystem { info, health: SystemHealth { online: true, ..SystemHealth::default() }, usable }
}

fn agreed() -> Authorization {
    Authorization {
        system: shop(),
        pseudonym: Pseudonym::slug("u-1"),
        services: [order()].into(),
        share: Sharing { twins: [(twin(), BTreeSet::new())].into(), ..Sharing::default() },
        until: Timestamp(3_600_000 + 1_000),
        account: Some("customer 7".to_owned()),
        since: Timestamp(0),
    }
}

struct Scene {
    system: KnownSystem,
    known: KnownServices,
    desk: Desk,
    connected: bool,
    confirming: Option<HudAction>,
}

impl Scene {
    fn new(open: bool) -> Self {
        let desk = Desk { open: open.then(shop), ..Desk::default() };
        let known = KnownServices { complete: true, ..KnownServices::default() };
        Self { system: system(), known, desk, connected: true, confirming: None }
    }

    fn agreed() -> Self {
        let mut scene = Self::new(true);
        scene.known.agreed.insert(shop(), agreed());
        scene
    }

    fn show(&self) -> El {
        let name = |one: &TwinId| (*one == twin()).then(|| "Front door".to_owned());
        let room = Room {
            connected: self.connected,
            known: &self.known,
            desk: &self.desk,
            clock: EnablerClock(Some((Timestamp(1_000), 0.0))),
            now: 0.0,
            about: None,
            name: &name,
            line: None,
            drag: None,
            confirming: self.confirming.as_ref(),
        };
        El::new("system").with_all(unfold(&self.system, &room)).with_all(below(&self.system, &room))
    }

    fn text(&self) -> String {
        self.show().texts().join("\n")
    }

    fn button(&self, label: &str) -> Press {
        let all = buttons(&self.show());
        let found = all.iter().find(|press| press.label == label);
        found.unwrap_or_else(|| panic!("no button {label:?} among {all:#?}")).clone()
    }

    fn prepare(&mut self, what: &Prepare) {
        let systems = KnownSystems { systems: [(shop(), self.system.clone())].into(), ..KnownSystems::default() };
        self.desk.prepare(what, &systems, &self.known);
    }

    fn press(&mut self, label: &str) {
        match self.button(label) {
            Press { action: HudAction::Prepare(what), enabled: true, .. } => self.prepare(&what),
            other => panic!("{other:?}"),
        }
    }
}

fn buttons(el: &El) -> Vec<Press> {
    el.press.clone().into_iter().chain(el.children.iter().flat_map(buttons)).collect()
}

fn call(status: CallStatus, step: StepStatus, output: Option<&str>) -> CallUpdate {
    let (key, system, service, at) = (StepKey::slug("use"), shop(), order(), Timestamp(1_000));
    let steps = vec![StepUpdate { key, system, service, status: step, attempts: 1, at }];
    let output = output.map(|output| Json::new(output).unwrap());
    CallUpdate { call: CallId([1; 16]), user: UserId::slug("ada"), status, steps, output, at }
}

#[test]
fn one_agrees_to_what_one_chose_and_to_nothing_else() {
    let mut scene = Scene::new(false);
    assert_eq!(scene.show().texts(), ["Use Pizza shop ..."]);
    scene.press("Use Pizza shop ...");
    let nothing = scene.button("Agree for 1 hour");
    assert!(!nothing.enabled && scene.text().contains("choose at least one service"));
    assert!(!scene.text().contains("Bake"), "what may not be used is not offered");
    scene.press("Order a pizza");
    let text = scene.text();
    for line in ["9.50 EUR each", "needed for Order a pizza", "Front door", "Order a pizza wants your address"] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
    assert!(!text.contains("secret"), "what may not be seen is not hinted at: {text}");
    let wish = |scene: &Scene| match scene.button("Agree for 1 day") {
        Press { action: HudAction::Use(UseServices::Agree { services, share, for_ms, .. }), enabled: true, .. } => {
            (services, share, for_ms)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(wish(&scene), ([order()].into(), Sharing::default(), 86_400_000), "nothing is shared at first");
    scene.press("Your name");
    scene.press("Front door");
    scene.press("At any time");
    let share = wish(&scene).1;
    assert!(share.name && share.standing && share.twins.keys().eq([&twin()]));
    scene.press("Front door");
    assert!(!wish(&scene).1.standing, "without a twin there is nothing to be asked for");
    scene.known.asking.insert(shop());
    assert!(!scene.button("Agree for 1 day").enabled && scene.text().contains("waiting for Pizza shop"));
    scene.known.asking.clear();
    scene.known.refused.insert(shop(), Refusal::new(RefusalCode::Forbidden, "no account"));
    assert!(scene.text().contains("It did not work: no account"));
    scene.system.health.online = false;
    assert!(scene.text().contains("Pizza shop is away"));
}

#[test]
fn what_is_agreed_is_said_and_ended_by_two_presses() {
    let mut scene = Scene::agreed();
    let text = scene.text();
    for line in [
        "Agreed for 60 min more, as its \"customer 7\"",
        "It knows you by a pseudonym only, and may see Front door while it works for you.",
    ] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
    let end = HudAction::Use(UseServices::End(shop()));
    assert_eq!(scene.button("End").action, HudAction::Confirm(Box::new(end.clone())));
    scene.confirming = Some(end.clone());
    assert_eq!(scene.button("Press again to end").action, end);
    scene.press("Change");
    assert_eq!(scene.desk.draft.services, [order()].into(), "it begins with what is agreed");
    assert!(scene.text().contains("For how long?"));
    let mut over = Scene::agreed();
    over.known.agreed.get_mut(&shop()).unwrap().until = Timestamp(1_000);
    assert!(over.text().contains("What do you want to use?"), "what has ended is not agreed");
    over.known.over.insert(shop());
    assert!(over.text().contains("has ended"));
}

#[test]
fn a_service_is_used_with_what_was_filled_in_and_its_way_is_told() {
    let mut scene = Scene::agreed();
    assert!(!scene.button("Order a pizza").enabled);
    assert!(scene.text().contains("Kind: choose or fill in") && scene.text().contains("9.50 EUR each"));
    scene.press("funghi");
    let field = ServiceField { system: shop(), service: order(), name: "note".to_owned() };
    assert!(matches!(scene.button("Note").action, HudAction::Prepare(Prepare::Write { .. })));
    scene.desk.enter(&field, Some(Value::String("no mushrooms".to_owned())));
    let press = scene.button("Order a pizza");
    let input = Json::new(r#"{"kind":"funghi","note":"no mushrooms"}"#).unwrap();
    let wish = UseServices::Call { system: shop(), service: order(), input };
    assert_eq!((press.enabled, press.action), (true, HudAction::Use(wish)));
    scene.known.begin(CallId([1; 16]), shop(), order());
    assert!(scene.text().contains("asked, waiting for the enabler") && scene.text().contains("still under way"));
    scene.known.take(call(CallStatus::Running, StepStatus::Running, None));
    assert!(scene.text().contains("running, shop has been asked"));
    assert_eq!(scene.button("Cancel").action, HudAction::Use(UseServices::Cancel(CallId([1; 16]))));
    scene.known.take(call(CallStatus::Succeeded, StepStatus::Done, Some(r#"{"ready_in_min":20}"#)));
    let text = scene.text();
    assert!(text.contains("done") && text.contains("Ready in min: 20") && !text.contains("Cancel"), "{text}");
    assert!(scene.button("Order a pizza").enabled, "once more");
    scene.connected = false;
    assert!(!scene.button("Order a pizza").enabled && scene.text().contains("the enabler cannot be reached"));
}

#[test]
fn bad_ends_say_what_is_left_of_them() {
    let mut scene = Scene::agreed();
    let reason = "the oven is cold".to_owned();
    let failed = CallStatus::Failed { reason: reason.clone(), kept: vec![StepKey::slug("use")] };
    scene.known.take(call(failed, StepStatus::NotUndone { reason: "too late".to_owned() }, None));
    let text = scene.text();
    assert!(text.contains("failed: the oven is cold; could not be taken back: use"), "{text}");
    assert!(text.contains("order of shop: could not be taken back: too late"), "{text}");
    let mut refused = Scene::agreed();
    refused.known.begin(CallId([2; 16]), shop(), order());
    refused.known.refuse(CallId([2; 16]), Refusal::new(RefusalCode::Overloaded, "too many calls"));
    assert!(refused.text().contains("not taken: too many calls"));
}

#[test]
fn a_thing_is_chosen_among_those_that_are_shared() {
    let mut scene = Scene::agreed();
    let schema = r#"{"type":"object","required":["at"],"properties":{"at":{"type":"string","format":"twin"}}}"#;
    scene.system.info.services.get_mut(&order()).unwrap().input = Some(Json::new(schema).unwrap());
    scene.press("Front door");
    let input = Json::new(r#"{"at":"home/front_door"}"#).unwrap();
    let wish = UseServices::Call { system: shop(), service: order(), input };
    assert_eq!(scene.button("Order a pizza").action, HudAction::Use(wish));
    scene.known.agreed.get_mut(&shop()).unwrap().share = Sharing::default();
    assert!(scene.text().contains("Share a thing with it first"));
}

#[test]
fn what_the_panel_cannot_ask_is_said_and_not_used() {
    let mut scene = Scene::agreed();
    let hard = Json::new(r#"{"type":"object","required":["list"],"properties":{"list":{"type":"array"}}}"#).unwrap();
    scene.system.info.services.get_mut(&order()).unwrap().input = Some(hard);
    assert!(!scene.button("Order a pizza").enabled);
    assert!(scene.text().contains("it wants more than this panel can ask (list): use the API"), "{}", scene.text());
}
