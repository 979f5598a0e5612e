use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bevy::{
    input::{
        ButtonState,
        keyboard::{Key, KeyboardInput},
    },
    prelude::*,
    time::TimeUpdateStrategy,
    ui_widgets::Activate,
};
use vestibule_input::Attention;
use vestibule_twin::{
    ActuateTwin, ActuationRefused, Catalogue, CatalogueEntry, EnablerLink, HoldFurniture, KnownLending, KnownServices,
    KnownSystem, KnownSystems, LendRights, LinkState, LookBack, Notify, PointedTwin, SignedToken, TokenText, Twin,
    TwinActuated, TwinDescription, TwinState, Urgency, UseServices,
    model::{
        ActionId, Authorization, CallId, CallStatus, CallUpdate, CommandId, CommandStatus, FeatureId, Json, Limits,
        Pseudonym, Refusal, RefusalCode, RuleId, ServiceId, ServiceInfo, Sharing, StepKey, StepStatus, StepUpdate,
        SystemHealth, SystemId, SystemInfo, SystemKind, Timestamp, Truth, TwinId, UserId, Value,
    },
};

use super::*;
use crate::testing::{closed_door, door, reading};

fn twin() -> TwinId {
    door().id
}

/// A home with a locked front door, connected.
fn home() -> App {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, HudPlugin));
    app.insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(100)));
    app.insert_resource(EnablerLink { state: LinkState::Connected, name: "home".to_owned() });
    app.world_mut().spawn((Twin(twin()), TwinDescription(Arc::new(door())), closed_door("locked")));
    app.update();
    app
}

fn point_at_door(app: &mut App) {
    let entity = app.world_mut().query_filtered::<Entity, With<Twin>>().single(app.world()).unwrap();
    app.world_mut().resource_mut::<PointedTwin>().target = Some((twin(), entity));
    app.update();
}

fn tap(app: &mut App, key: KeyCode) {
    app.world_mut().resource_mut::<ButtonInput<KeyCode>>().press(key);
    app.update();
    let mut keys = app.world_mut().resource_mut::<ButtonInput<KeyCode>>();
    keys.release(key);
    keys.clear();
    app.update();
}

fn texts(app: &App) -> Vec<String> {
    hud_texts(app.world())
}

#[track_caller]
fn reads(app: &App, text: &str) {
    assert!(texts(app).iter().any(|shown| shown.contains(text)), "{text:?} is not among {:#?}", texts(app));
}

fn sent<M: Message + Clone>(app: &App) -> Vec<M> {
    let messages = app.world().resource::<Messages<M>>();
    messages.get_cursor().read(messages).cloned().collect()
}

fn attention(app: &App) -> Attention {
    *app.world().resource::<State<Attention>>().get()
}

#[test]
fn pointing_shows_what_the_thing_said() {
    let mut app = home();
    assert!(find_named(app.world(), "card").is_none());
    point_at_door(&mut app);
    assert!(find_named(app.world(), "card").is_some());
    for text in ["Front door", "cover · Acme · VD-1", "live", "Lock", "locked", "closed", "Close: already closed"] {
        reads(&app, text);
    }
    assert!(find_named(app.world(), "card.action.open").is_some());
    app.world_mut().resource_mut::<PointedTwin>().target = None;
    app.update();
    assert!(find_named(app.world(), "card").is_none());
}

#[test]
fn a_key_asks_and_every_step_is_told() {
    let mut app = home();
    point_at_door(&mut app);
    tap(&mut app, KeyCode::Digit1);
    let asked = sent::<ActuateTwin>(&app);
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].feature.as_str(), asked[0].action.as_str()), ("door", "open"), "the leaf, not the latch");
    assert_eq!(asked[0].valid_for_ms, Some(10_000));
    reads(&app, "Open: asked, waiting for the front door");
    reads(&app, "waiting for the front door: 10 s left");
    reads(&app, "locked");
    let tell = |app: &mut App, status| {
        let command = CommandId([1; 16]);
        let (twin, feature, action) = (twin(), FeatureId::slug("door"), ActionId::slug("open"));
        app.world_mut().write_message(TwinActuated {
            ticket: Some(asked[0].ticket),
            command,
            twin,
            feature,
            action,
            status,
        });
        app.update();
    };
    tell(&mut app, CommandStatus::Dispatched);
    reads(&app, "Open: sent, waiting for the front door");
    tap(&mut app, KeyCode::Digit1);
    assert_eq!(sent::<ActuateTwin>(&app).len(), 0, "it is asked once");
    tell(&mut app, CommandStatus::Expired);
    reads(&app, "not confirmed in time: the front door did not say that it opened");
}

#[test]
fn a_refusal_shows_its_rule() {
    let mut app = home();
    point_at_door(&mut app);
    tap(&mut app, KeyCode::Digit1);
    let asked = sent::<ActuateTwin>(&app).remove(0);
    let mut refusal = Refusal::new(RefusalCode::Forbidden, "guests may not open doors");
    refusal.rule = Some(RuleId::slug("guests-look"));
    let ActuateTwin { ticket, twin, feature, action, .. } = asked;
    app.world_mut().write_message(ActuationRefused { ticket, twin, feature, action, refusal });
    app.update();
    reads(&app, "Open: refused: guests may not open doors (rule guests-look)");
}

#[test]
fn a_bad_end_that_nobody_looks_at_becomes_a_notification() {
    let mut app = home();
    point_at_door(&mut app);
    tap(&mut app, KeyCode::Digit1);
    let asked = sent::<ActuateTwin>(&app).remove(0);
    app.world_mut().resource_mut::<PointedTwin>().target = None;
    app.update();
    let ActuateTwin { ticket, twin, feature, action, .. } = asked;
    let refusal = Refusal::new(RefusalCode::Unavailable, "the lock is away");
    app.world_mut().write_message(ActuationRefused { ticket, twin, feature, action, refusal });
    app.update();
    app.update();
    reads(&app, "Open: refused: the lock is away");
    reads(&app, "problem");
}

#[test]
fn a_wish_is_shown_beside_the_truth() {
    let mut app = home();
    let mut wish = reading(Value::Int(0));
    wish.desired = Some(Value::Int(80));
    wish.truth = Truth::Pending;
    let state = testing::state([("door", "position", wish)]);
    let mut states = app.world_mut().query::<&mut TwinState>();
    *states.single_mut(app.world_mut()).unwrap() = state;
    point_at_door(&mut app);
    tap(&mut app, KeyCode::KeyE);
    for text in ["0 % open", "wanted: 80 % open", "pending"] {
        reads(&app, text);
    }
}

#[test]
fn interact_pins_frees_the_mouse_and_cancel_gives_it_back() {
    let mut app = home();
    point_at_door(&mut app);
    tap(&mut app, KeyCode::KeyE);
    app.world_mut().resource_mut::<PointedTwin>().target = None;
    app.update();
    assert_eq!(attention(&app), Attention::Point);
    reads(&app, "Front door");
    reads(&app, "87 %");
    tap(&mut app, KeyCode::Escape);
    app.update();
    assert_eq!(attention(&app), Attention::Walk);
    assert!(find_named(app.world(), "card").is_none());
}

#[test]
fn a_guest_can_be_let_in_from_afar() {
    let mut app = home();
    let notify = Notify {
        urgency: Urgency::Request,
        title: "A guest rings".to_owned(),
        text: "At the front door".to_owned(),
        twin: Some(twin()),
    };
    app.world_mut().write_message(notify);
    app.update();
    reads(&app, "A guest rings");
    tap(&mut app, KeyCode::KeyG);
    reads(&app, "Front door");
    let open = find_button(app.world(), "Open").unwrap();
    app.world_mut().trigger(Activate { entity: open });
    app.update();
    let asked = sent::<ActuateTwin>(&app);
    assert_eq!((asked[0].twin.clone(), asked[0].action.as_str()), (twin(), "open"));
    tap(&mut app, KeyCode::KeyN);
    assert!(!texts(&app).contains(&"A guest rings".to_owned()));
}

#[test]
fn without_a_link_nothing_is_sent_and_the_banner_says_why() {
    let mut app = home();
    let state = LinkState::Lost { reason: "the cable is out".to_owned(), retry_in_s: 4.0 };
    app.insert_resource(EnablerLink { state, name: "home".to_owned() });
    point_at_door(&mut app);
    reads(&app, "The cable is out");
    reads(&app, "the home is not reachable");
    tap(&mut app, KeyCode::Digit1);
    assert!(sent::<ActuateTwin>(&app).is_empty());
    let open = find_button(app.world(), "Open").unwrap();
    app.world_mut().trigger(Activate { entity: open });
    app.update();
    assert!(sent::<ActuateTwin>(&app).is_empty());
}

#[test]
fn everything_works_without_a_mouse() {
    let mut app = home();
    point_at_door(&mut app);
    tap(&mut app, KeyCode::KeyE);
    // Past, Close, Open: the third button of the card.
    for _ in 0..3 {
        tap(&mut app, KeyCode::ArrowDown);
    }
    tap(&mut app, KeyCode::Enter);
    assert_eq!(sent::<ActuateTwin>(&app)[0].action.as_str(), "open");
}

#[test]
fn a_slider_asks_when_it_is_let_go() {
    let mut app = home();
    point_at_door(&mut app);
    tap(&mut app, KeyCode::KeyE);
    let slider = find_named(app.world(), "card.slider.set_position").unwrap();
    let change = bevy::ui_widgets::SliderValueChange::Absolute(62.3);
    app.world_mut().trigger(bevy::ui_widgets::SetSliderValue { entity: slider, change });
    app.world_mut().flush();
    app.update();
    let asked = sent::<ActuateTwin>(&app);
    assert_eq!((asked[0].action.as_str(), asked[0].input.clone()), ("set_position", Some(Value::Int(62))));
}

#[test]
fn the_catalogue_gives_furniture_into_the_hand() {
    let mut app = home();
    let entry = |key: &str| CatalogueEntry {
        key: key.to_owned(),
        name: key.to_uppercase(),
        snap: vestibule_twin::FurnitureSnap::Floor,
        thumb: String::new(),
        model: String::new(),
    };
    app.insert_resource(Catalogue { entries: vec![entry("sofa"), entry("lamp")] });
    tap(&mut app, KeyCode::KeyC);
    assert_eq!(attention(&app), Attention::Panel);
    reads(&app, "SOFA");
    for _ in 0..3 {
        tap(&mut app, KeyCode::ArrowRight);
    }
    app.world_mut().resource_mut::<ButtonInput<KeyCode>>().press(KeyCode::KeyE);
    app.update();
    assert_eq!(sent::<HoldFurniture>(&app), [HoldFurniture { model: "lamp".to_owned() }]);
    app.update();
    assert_eq!(attention(&app), Attention::Walk);
}

#[test]
fn settings_are_told_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, HudPlugin)).insert_resource(SettingsFile { path: path.clone() });
    app.update();
    assert_eq!(sent::<SettingsChanged>(&app).len(), 1);
    tap(&mut app, KeyCode::F2);
    reads(&app, "Field of view");
    let low = find_button(app.world(), "Low").unwrap();
    app.world_mut().trigger(Activate { entity: low });
    app.update();
    assert_eq!(app.world().resource::<Settings>().quality, Quality::Low);
    assert!(std::fs::read_to_string(path).unwrap().contains("quality = \"low\""));
}

#[test]
fn a_twin_that_may_only_be_seen_says_so() {
    let mut app = home();
    let mut info = door();
    for feature in info.features.values_mut() {
        feature.actions.clear();
    }
    let mut all = app.world_mut().query::<&mut TwinDescription>();
    all.single_mut(app.world_mut()).unwrap().0 = Arc::new(info);
    point_at_door(&mut app);
    reads(&app, "nothing that you can do");
    assert!(find_button(app.world(), "Open").is_none());
}

#[test]
fn help_shows_every_key() {
    let mut app = home();
    tap(&mut app, KeyCode::F1);
    reads(&app, "furniture catalogue");
    reads(&app, "F12");
    tap(&mut app, KeyCode::F1);
    app.update();
    assert_eq!(attention(&app), Attention::Walk);
}

fn write(app: &mut App, logical_key: Key, text: Option<&str>) {
    let (key_code, state, window) = (KeyCode::KeyK, ButtonState::Pressed, Entity::PLACEHOLDER);
    let text = text.map(Into::into);
    app.world_mut().write_message(KeyboardInput { key_code, logical_key, state, text, repeat: false, window });
    // The same key is bound to a window: whoever writes must not lose what they write by it.
    app.world_mut().resource_mut::<ButtonInput<KeyCode>>().press(key_code);
    app.update();
    let mut keys = app.world_mut().resource_mut::<ButtonInput<KeyCode>>();
    keys.release(key_code);
    keys.clear();
    app.update();
}

fn shop() -> (KnownSystems, KnownServices) {
    let id = SystemId::slug("shop");
    let mut info = SystemInfo::new(id.clone(), SystemKind::ThirdParty, "Pizza shop");
    let schema = r#"{"type":"object","required":["where"],"properties":{"where":{"type":"string","maxLength":8}}}"#;
    let order = ServiceInfo { input: Some(Json::new(schema).unwrap()), ..ServiceInfo::new("Order") };
    info.services.insert(ServiceId::slug("order"), order);
    let health = SystemHealth { online: true, ..SystemHealth::default() };
    let usable = [(ServiceId::slug("order"), RuleId::slug("ada"))].into();
    let systems = [(id.clone(), KnownSystem { info, health, usable })].into();
    let agreed = Authorization {
        system: id.clone(),
        pseudonym: Pseudonym::slug("u-1"),
        services: [ServiceId::slug("order")].into(),
        share: Sharing::default(),
        until: Timestamp(u64::MAX),
        account: None,
        since: Timestamp(0),
    };
    let services = KnownServices { agreed: [(id, agreed)].into(), complete: true, ..KnownServices::default() };
    (KnownSystems { systems, complete: true, problem: None }, services)
}

fn click(app: &mut App, label: &str) {
    let entity = find_button(app.world(), label).unwrap_or_else(|| panic!("{label:?} among {:#?}", texts(app)));
    app.world_mut().trigger(Activate { entity });
    app.update();
    app.update();
}

#[test]
fn a_field_takes_what_is_written_and_its_keys_do_nothing_else() {
    let mut app = home();
    let (systems, services) = shop();
    app.insert_resource(systems).insert_resource(services);
    tap(&mut app, KeyCode::KeyK);
    assert_eq!(sent::<UseServices>(&app), [UseServices::Look]);
    click(&mut app, "Use Pizza shop");
    reads(&app, "Where: choose or fill in");
    click(&mut app, "Where");
    for letter in ["k", "i", "t", "c", "h", "e", "n", "s", "!"] {
        write(&mut app, Key::Character(letter.into()), Some(letter));
    }
    reads(&app, "kitchens|");
    write(&mut app, Key::Enter, Some("\r"));
    reads(&app, "kitchens");
    assert!(!texts(&app).iter().any(|text| text.contains('|')), "the line is no longer written");
    let entity = find_button(app.world(), "Order").unwrap();
    app.world_mut().trigger(Activate { entity });
    app.update();
    let input = Json::new(r#"{"where":"kitchens"}"#).unwrap();
    let (system, service) = (SystemId::slug("shop"), ServiceId::slug("order"));
    assert_eq!(sent::<UseServices>(&app), [UseServices::Call { system, service, input }]);
    assert_eq!(attention(&app), Attention::Panel, "the window is still open");
}

#[test]
fn a_call_that_ends_while_nobody_looks_becomes_a_notification() {
    let mut app = home();
    let (systems, mut services) = shop();
    let (system, service) = (SystemId::slug("shop"), ServiceId::slug("order"));
    services.begin(CallId([1; 16]), system.clone(), service.clone());
    app.insert_resource(systems).insert_resource(services);
    app.update();
    let (key, at) = (StepKey::slug("use"), Timestamp(1));
    let steps = vec![StepUpdate { key, system: system.clone(), service, status: StepStatus::Done, attempts: 1, at }];
    let (call, user, status) = (CallId([1; 16]), UserId::slug("ada"), CallStatus::Succeeded);
    let update = CallUpdate { call, user, status, steps, output: None, at };
    app.world_mut().resource_mut::<KnownServices>().take(update);
    app.update();
    app.update();
    reads(&app, "Pizza shop: Order");
    let mut known = app.world_mut().resource_mut::<KnownServices>();
    known.agreed.clear();
    known.over.insert(system);
    app.update();
    app.update();
    reads(&app, "Nothing is agreed with Pizza shop any more");
}

#[test]
fn the_card_opens_the_past_and_its_key_closes_it() {
    let mut app = home();
    point_at_door(&mut app);
    tap(&mut app, KeyCode::KeyE);
    click(&mut app, "Past");
    reads(&app, "home/front_door: the past");
    tap(&mut app, KeyCode::KeyH);
    assert!(find_named(app.world(), "past").is_none());
    app.world_mut().resource_mut::<ButtonInput<KeyCode>>().press(KeyCode::KeyH);
    app.update();
    assert_eq!(sent::<LookBack>(&app), [LookBack::Open(twin())]);
}

/// A clipboard: what was copied here, and what somebody else has copied, which comes once it is asked for.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<(Vec<String>, Option<String>)>>);

impl SystemClipboard for Paper {
    fn copy(&mut self, text: String) -> Result<(), String> {
        self.0.lock().unwrap().0.push(text);
        Ok(())
    }

    fn ask(&mut self) {
        self.0.lock().unwrap().1 = Some(" EoQB\n".to_owned());
    }

    fn pasted(&mut self) -> Option<String> {
        self.0.lock().unwrap().1.take()
    }
}

#[test]
fn a_token_is_pasted_and_used_and_one_s_own_is_copied() {
    let mut app = home();
    let paper = Paper::default();
    app.insert_resource(Clipboard(Box::new(paper.clone())));
    tap(&mut app, KeyCode::KeyB);
    click(&mut app, "Token or file");
    app.world_mut().resource_mut::<ButtonInput<KeyCode>>().press(KeyCode::ControlLeft);
    let (key_code, logical_key, text) = (KeyCode::KeyV, Key::Character("v".into()), Some("v".into()));
    let (state, window) = (ButtonState::Pressed, Entity::PLACEHOLDER);
    app.world_mut().write_message(KeyboardInput { key_code, logical_key, state, text, repeat: false, window });
    app.update();
    app.update();
    reads(&app, "EoQB|");
    click(&mut app, "Use it");
    assert_eq!(sent::<LendRights>(&app), [LendRights::Use(TokenText("EoQB".to_owned()))]);
    let text = TokenText("EoQC".to_owned());
    let signed = SignedToken { guest: "bob".to_owned(), limits: Limits::default(), text };
    app.world_mut().resource_mut::<KnownLending>().signed = Some(signed);
    app.update();
    click(&mut app, "Copy");
    assert_eq!(paper.0.lock().unwrap().0, ["EoQC"]);
    reads(&app, "It is in the clipboard");
}
