//! Pictures of every surface, for eyes: `HUD_PREVIEW=/tmp/hud cargo test ... --lib preview -- --ignored`.

use std::{path::PathBuf, sync::Arc};

use bevy::{
    asset::AssetPlugin,
    camera::{ImageRenderTarget, RenderTarget},
    prelude::*,
    render::{
        render_resource::TextureFormat,
        view::screenshot::{Screenshot, save_to_disk},
    },
    window::ExitCondition,
    winit::WinitPlugin,
};
use vestibule_twin::{
    Catalogue, CatalogueEntry, EnablerClock, EnablerLink, FurnitureSnap, HeldToken, KnownLending, KnownPeople,
    KnownServices, KnownSystem, KnownSystems, KnownToken, KnownUser, LinkState, Notify, PastMoment, PastReading,
    PointedTwin, Reading, SignedToken, TokenText, Twin, TwinDescription, TwinPast, TwinPicture, TwinPictures, TwinRoot,
    TwinState, Urgency,
    model::{
        ActionId, ActionInfo, Authorization, BlobRef, CallId, CallStatus, CallUpdate, Charge, ChargePer, CommandId,
        CommandStatus, Effect, Expect, FeatureId, FeatureKind, FeatureProblem, Json, Limits, PastEntry, PastFact,
        PropertyId, PropertyInfo, Pseudonym, RoleId, RuleId, ServiceId, ServiceInfo, Sharing, StepKey, StepStatus,
        StepUpdate, SystemHealth, SystemId, SystemInfo, SystemKind, Timestamp, TokenId, Truth, TwinId, TwinInfo,
        TwinSelector, UserId, UserInfo, Value, ValueType,
    },
};

use super::*;
use crate::testing::{closed_door, door, feature, reading, state};

fn app(width: u32, height: u32) -> (App, Handle<Image>) {
    let mut app = App::new();
    let window = WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() };
    let assets =
        AssetPlugin { file_path: concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets").to_owned(), ..default() };
    app.add_plugins(DefaultPlugins.build().disable::<WinitPlugin>().set(window).set(assets));
    app.add_plugins(HudPlugin);
    let target = Image::new_target_texture(width, height, TextureFormat::Rgba8UnormSrgb, None);
    let target = app.world_mut().resource_mut::<Assets<Image>>().add(target);
    let camera = Camera { clear_color: Color::srgb(0.52, 0.50, 0.46).into(), ..default() };
    let image = RenderTarget::Image(ImageRenderTarget { handle: target.clone(), scale_factor: 1.0 });
    app.world_mut().spawn((Camera2d, camera, image, IsDefaultUiCamera));
    app.insert_resource(EnablerLink { state: LinkState::Connected, name: "this home".to_owned() });
    app.finish();
    app.cleanup();
    (app, target)
}

fn sets(property: &str, takes: ValueType) -> ActionInfo {
    let effect = Effect { property: PropertyId::slug(property), expect: Expect::Input };
    ActionInfo { input: Some(takes), effects: vec![effect], takes_ms: Some(2_000) }
}

fn lamp() -> (TwinInfo, TwinState) {
    let mut info = TwinInfo::new(TwinId::new("home/lounge_light").unwrap(), "Lounge light");
    (info.manufacturer, info.model) = (Some("Vestibule simulated home".to_owned()), Some("VL-2".to_owned()));
    let mut light = feature("Lounge light", FeatureKind::Light);
    let share = ValueType::Number { min: 0.0, max: 1.0, step: 0.01 };
    let kelvin = ValueType::Number { min: 2000.0, max: 6500.0, step: 50.0 };
    let effects = ValueType::OneOf(["none", "rainbow", "candle"].map(str::to_owned).to_vec());
    for (property, takes) in
        [("brightness", share), ("color", ValueType::Color), ("color_temp", kelvin), ("effect", effects)]
    {
        light.properties.insert(PropertyId::slug(property), PropertyInfo::new(takes.clone()));
        light.actions.insert(ActionId::slug(&format!("set_{property}")), sets(property, takes));
    }
    light.properties.insert(PropertyId::slug("on"), PropertyInfo::new(ValueType::Bool));
    for (action, value) in [("turn_on", true), ("turn_off", false)] {
        let effect = Effect { property: PropertyId::slug("on"), expect: Expect::Value(Value::Bool(value)) };
        light.actions.insert(ActionId::slug(action), ActionInfo { input: None, effects: vec![effect], takes_ms: None });
    }
    info.features.insert(FeatureId::slug("light"), light);
    let wish = Reading { desired: Some(Value::Float(0.8)), truth: Truth::Pending, ..reading(Value::Float(0.35)) };
    let old = Reading { truth: Truth::Stale, ..reading(Value::Int(2700)) };
    let known = [
        ("light", "on", reading(Value::Bool(true))),
        ("light", "brightness", wish),
        ("light", "color", reading(Value::Color([255, 150, 40]))),
        ("light", "color_temp", old),
        ("light", "effect", reading(Value::Text("candle".to_owned()))),
    ];
    (info, state(known))
}

fn front_door() -> (TwinInfo, TwinState) {
    let mut info = door();
    let mut camera = feature("Camera", FeatureKind::Camera);
    let media = "image/jpeg".to_owned();
    camera.properties.insert(PropertyId::slug("picture"), PropertyInfo::new(ValueType::Blob { media }));
    info.features.insert(FeatureId::slug("camera"), camera);
    let (feature, message) = ("Chime".to_owned(), "its template is wrong: unknown filter \"rnd\"".to_owned());
    info.problems.push(FeatureProblem { feature, message });
    let mut known = closed_door("locked");
    let readings = Arc::make_mut(&mut known.readings);
    let blob = BlobRef::of(b"x", "image/jpeg");
    readings.insert((FeatureId::slug("camera"), PropertyId::slug("picture")), reading(Value::Blob(blob)));
    (info, known)
}

fn furnish(app: &mut App) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets");
    let bytes: Arc<[u8]> = std::fs::read(format!("{root}/camera/empty.jpg")).unwrap().into();
    for (info, state) in [front_door(), lamp()] {
        let id = info.id.clone();
        let mut entity = app.world_mut().spawn((Twin(id.clone()), TwinRoot, TwinDescription(Arc::new(info)), state));
        if id.local() == "front_door" {
            let (bytes, media) = (Arc::clone(&bytes), "image/jpeg".to_owned());
            entity.insert(TwinPictures([(FeatureId::slug("camera"), TwinPicture { bytes, media })].into()));
        }
    }
    let names = ["armchair", "bookshelf", "coffee_table", "desk", "dining_chair", "floor_lamp", "plant", "rug", "sofa"];
    let entries = names.map(|key| CatalogueEntry {
        key: key.to_owned(),
        name: key.replace('_', " "),
        snap: FurnitureSnap::Floor,
        thumb: format!("furniture/thumbs/{key}.png"),
        model: String::new(),
    });
    app.insert_resource(Catalogue { entries: entries.to_vec() });
}

/// Takes a picture; where `HUD_ONLY` is set, only of what has that in its name: each takes a minute without a GPU.
fn shoot(app: &mut App, target: &Handle<Image>, name: &str) {
    if std::env::var("HUD_ONLY").is_ok_and(|only| !name.contains(&only)) {
        app.update();
        return;
    }
    for _ in 0..6 {
        app.update();
        std::thread::sleep(std::time::Duration::from_millis(30));
    }
    let folder = PathBuf::from(std::env::var("HUD_PREVIEW").unwrap_or_else(|_| "/tmp/hud".to_owned()));
    std::fs::create_dir_all(&folder).unwrap();
    let shot = Screenshot::image(target.clone());
    app.world_mut().spawn(shot).observe(save_to_disk(folder.join(format!("{name}.png"))));
    for _ in 0..4 {
        app.update();
    }
}

fn point(app: &mut App, twin: Option<&str>) {
    let target = twin.map(|twin| (TwinId::new(twin).unwrap(), Entity::PLACEHOLDER));
    app.world_mut().resource_mut::<PointedTwin>().target = target;
}

/// A shop with two services; nothing is agreed yet.
fn shop(app: &mut App) -> SystemId {
    let id = SystemId::slug("pizza");
    let mut info = SystemInfo::new(id.clone(), SystemKind::ThirdParty, "Pizza on the corner");
    info.level.p99_ms = Some(2_000);
    let schema = r#"{"type":"object","required":["kind","count","where"],"properties":{
        "kind":{"title":"Pizza","enum":["margherita","funghi","quattro stagioni"]},
        "count":{"type":"integer","minimum":1,"maximum":9,"default":1},
        "where":{"type":"string","title":"Where to","description":"The door that rings when it is there.",
            "examples":["Front door","Garden"]},
        "sliced":{"type":"boolean","title":"Cut into slices"}}}"#;
    let mut order = ServiceInfo { input: Some(Json::new(schema).unwrap()), ..ServiceInfo::new("Order a pizza") };
    "Baked in a wood oven, there within half an hour.".clone_into(&mut order.description);
    order.charge = Some(Charge { amount: 950, currency: "EUR".parse().unwrap(), per: ChargePer::Item });
    order.needs = ["twin:home/front_door", "address"].map(str::to_owned).into();
    info.services.insert(ServiceId::slug("order"), order);
    info.services.insert(ServiceId::slug("track"), ServiceInfo::new("Where is it?"));
    let usable = info.services.keys().map(|service| (service.clone(), RuleId::slug("owners-use"))).collect();
    let health = SystemHealth { online: true, calls: 12, ..SystemHealth::default() };
    let mut known = app.world_mut().resource_mut::<KnownSystems>();
    known.systems.insert(id.clone(), KnownSystem { info, health, usable });
    known.complete = true;
    app.insert_resource(EnablerClock(Some((Timestamp(1_795_183_387_000), 0.0))));
    id
}

/// What is agreed with the shop, and two calls.
fn deal(app: &mut App, shop: &SystemId) {
    let until = Timestamp(1_795_183_387_000 + 23 * 3_600_000);
    let agreed = Authorization {
        system: shop.clone(),
        pseudonym: Pseudonym::slug("u-1"),
        services: [ServiceId::slug("order"), ServiceId::slug("track")].into(),
        share: Sharing { twins: [(door().id, std::collections::BTreeSet::new())].into(), ..Sharing::default() },
        until,
        account: Some("customer 4711".to_owned()),
        since: Timestamp(0),
    };
    let call = |number: u8, status, step, output: Option<&str>| CallUpdate {
        call: CallId([number; 16]),
        user: UserId::slug("ada"),
        status,
        steps: vec![StepUpdate {
            key: StepKey::slug("use"),
            system: shop.clone(),
            service: ServiceId::slug("order"),
            status: step,
            attempts: 1,
            at: Timestamp(1_795_183_380_000),
        }],
        output: output.map(|output| Json::new(output).unwrap()),
        at: Timestamp(1_795_183_380_000),
    };
    let mut known = app.world_mut().resource_mut::<KnownServices>();
    known.agreed.insert(shop.clone(), agreed);
    known.take(call(1, CallStatus::Succeeded, StepStatus::Done, Some(r#"{"order":88,"ready_in_minutes":20}"#)));
    known.take(call(2, CallStatus::Running, StepStatus::Running, None));
}

/// The front door at two o'clock.
fn look_back(app: &mut App) {
    let at = |text: &str| Timestamp::from_utc(&format!("2026-11-26T{text}Z")).unwrap();
    let key = |feature: &str, property: &str| (FeatureId::slug(feature), PropertyId::slug(property));
    let was = |value, since| PastReading { value: Some(value), since: Some(at(since)) };
    let text = |text: &str| Value::Text(text.to_owned());
    let readings = [
        (key("door", "position"), was(Value::Int(100), "13:59:58")),
        (key("door", "state"), was(text("open"), "13:59:58")),
        (key("lock", "state"), was(text("unlocked"), "13:59:51")),
        (key("battery", "value"), was(Value::Int(88), "06:00:00")),
    ];
    let asked = |number: u8, time, user: &str, feature: &str, action: &str| {
        let what = PastFact::Accepted {
            command: CommandId([number; 16]),
            user: UserId::slug(user),
            device: Some("the headset".to_owned()),
            rule: RuleId::slug("owners-all"),
            feature: FeatureId::slug(feature),
            action: ActionId::slug(action),
            input: None,
        };
        PastEntry { sequence: u64::from(number) * 2, at: at(time), what }
    };
    let ended = |number: u8, time, status| {
        let what = PastFact::Came { command: CommandId([number; 16]), status };
        PastEntry { sequence: u64::from(number) * 2 + 1, at: at(time), what }
    };
    let (info, moment) = (Some(Arc::new(door())), at("14:00:00"));
    app.insert_resource(TwinPast {
        twin: Some(door().id),
        until: at("18:00:00"),
        begins: Some(at("06:00:00")),
        at: moment,
        moment: Some(PastMoment { at: moment, info, readings: readings.into(), open: Vec::new(), covered: true }),
        decisions: vec![
            PastEntry { sequence: 1, at: at("06:00:00"), what: PastFact::Described },
            asked(1, "13:59:50", "ada", "door", "open"),
            ended(1, "13:59:58", CommandStatus::Confirmed),
            asked(2, "14:03:10", "bob", "lock", "lock"),
            ended(2, "14:03:20", CommandStatus::Expired),
        ],
        decided: true,
        problem: None,
    });
}

/// Somebody lends, has lent and was lent to.
fn lend(app: &mut App) {
    let user = |id: &str, name: &str| KnownUser {
        info: UserInfo { id: UserId::slug(id), name: name.to_owned(), roles: vec![RoleId::slug("guest")], login: None },
        devices: Vec::new(),
    };
    let users = vec![user("ada", "Ada"), user("bob", "Bob"), user("carol", "Carol")];
    app.insert_resource(KnownPeople { me: Some((UserId::slug("ada"), true)), users, ..KnownPeople::default() });
    let limits = |actions: &[&str], hours: u64| Limits {
        twins: Some(vec![TwinSelector::Twin(door().id)]),
        actions: Some(actions.iter().map(|id| ActionId::slug(id)).collect()),
        until: Some(Timestamp(1_795_183_387_000 + hours * 3_600_000)),
        priority: Some(3),
        ..Limits::default()
    };
    let token = |id: u8, by: &str, guest: &str, limits| KnownToken {
        id: TokenId([id; 16]),
        by: UserId::slug(by),
        guest: guest.to_owned(),
        limits,
    };
    let text = TokenText("EoQBChoKA2FkYQoHcG9zdG1hbhgDIgkKBwgKEgMYgAgyBwoFCgMYgQgSJAgAEiA".repeat(6));
    let held = HeldToken {
        enabler: "this home".to_owned(),
        text: text.clone(),
        token: Some(token(3, "eve", "ada", limits(&["turn_on", "turn_off"], 30))),
        asked: false,
        again: false,
    };
    app.insert_resource(KnownLending {
        lent: vec![
            token(1, "ada", "postman", limits(&["unlock", "open"], 3)),
            token(2, "carol", "plumber", limits(&[], 1)),
        ],
        signed: Some(SignedToken { guest: "postman".to_owned(), limits: limits(&["unlock", "open"], 3), text }),
        held: vec![held],
        ..KnownLending::default()
    });
}

fn lending(app: &mut App, target: &Handle<Image>, size: &str) {
    app.world_mut().write_message(HudAction::OpenCard(TwinId::new("home/front_door").unwrap()));
    app.update();
    app.world_mut().write_message(HudAction::Open(HudWindow::Lending));
    app.update();
    shoot(app, target, &format!("{size}-lend-first"));
    lend(app);
    let switch = |feature: &str, action: &str| {
        HudAction::PrepareLoan(PrepareLoan::Switch(FeatureId::slug(feature), ActionId::slug(action)))
    };
    app.world_mut().write_message(switch("lock", "unlock"));
    app.world_mut().write_message(switch("door", "open"));
    app.world_mut().write_message(HudAction::PrepareLoan(PrepareLoan::To("bob".to_owned())));
    shoot(app, target, &format!("{size}-lend"));
    app.world_mut().resource_mut::<KnownLending>().signed = None;
    shoot(app, target, &format!("{size}-lend-lists"));
    app.world_mut().write_message(HudAction::CloseWindow);
    app.world_mut().write_message(HudAction::CloseCard);
}

fn notify(app: &mut App, urgency: Urgency, title: &str, text: &str) {
    let (title, text) = (title.to_owned(), text.to_owned());
    let twin = Some(TwinId::new("home/front_door").unwrap());
    app.world_mut().write_message(Notify { urgency, title, text, twin });
}

#[test]
#[ignore = "draws pictures for eyes; needs Vulkan"]
fn preview() {
    let size = std::env::var("HUD_SIZE").unwrap_or_else(|_| "1280x720".to_owned());
    let (width, height) = size.split_once('x').unwrap();
    let (mut app, target) = app(width.parse().unwrap(), height.parse().unwrap());
    furnish(&mut app);
    shoot(&mut app, &target, &format!("{size}-walk"));
    point(&mut app, Some("home/front_door"));
    shoot(&mut app, &target, &format!("{size}-point"));
    notify(&mut app, Urgency::Request, "A guest is at the front door", "Look, and press Open to let them in.");
    notify(
        &mut app,
        Urgency::Problem,
        "Lounge blinds",
        "Open: not confirmed in time: the blinds did not say that it opened",
    );
    notify(&mut app, Urgency::Info, "Settings kept", "");
    app.world_mut().write_message(HudAction::OpenCard(TwinId::new("home/front_door").unwrap()));
    app.update();
    let ask = |action: &str| HudAction::Actuate {
        twin: TwinId::new("home/front_door").unwrap(),
        feature: FeatureId::slug("lock"),
        action: ActionId::slug(action),
        input: None,
    };
    app.world_mut().write_message(ask("open"));
    shoot(&mut app, &target, &format!("{size}-door"));
    app.world_mut().write_message(HudAction::OpenCard(TwinId::new("home/lounge_light").unwrap()));
    shoot(&mut app, &target, &format!("{size}-lamp"));
    app.world_mut().write_message(HudAction::CloseCard);
    for (window, name) in [
        (HudWindow::Help, "help"),
        (HudWindow::Catalogue, "catalogue"),
        (HudWindow::Settings, "settings"),
        (HudWindow::History, "history"),
    ] {
        app.world_mut().write_message(HudAction::Open(window));
        shoot(&mut app, &target, &format!("{size}-{name}"));
    }
    let shop = shop(&mut app);
    app.world_mut().write_message(HudAction::Open(HudWindow::Systems));
    app.world_mut().write_message(HudAction::Prepare(Prepare::Unfold(shop.clone())));
    app.world_mut().write_message(HudAction::Prepare(Prepare::Choose(ServiceId::slug("order"))));
    shoot(&mut app, &target, &format!("{size}-agree"));
    deal(&mut app, &shop);
    shoot(&mut app, &target, &format!("{size}-use"));
    look_back(&mut app);
    app.world_mut().write_message(HudAction::Open(HudWindow::Past));
    shoot(&mut app, &target, &format!("{size}-past"));
    app.world_mut().write_message(HudAction::CloseWindow);
    lending(&mut app, &target, &size);
    app.insert_resource(window::designed());
    app.world_mut().write_message(HudAction::Open(HudWindow::Design));
    shoot(&mut app, &target, &format!("{size}-design"));
    app.world_mut().write_message(HudAction::CloseWindow);
    app.insert_resource(window::cooked());
    app.world_mut().write_message(HudAction::Open(HudWindow::Kitchen));
    shoot(&mut app, &target, &format!("{size}-kitchen"));
    app.world_mut().write_message(HudAction::PrepareKitchen(PrepareKitchen::Unfold("milk".to_owned())));
    shoot(&mut app, &target, &format!("{size}-kitchen-why"));
    app.world_mut().write_message(HudAction::CloseWindow);
    shops(&mut app, &target, size.as_str());
    let reason = "the home's computer does not answer".to_owned();
    app.insert_resource(EnablerLink {
        state: LinkState::Lost { reason, retry_in_s: 8.0 },
        name: "this home".to_owned(),
    });
    shoot(&mut app, &target, &format!("{size}-lost"));
}

/// Each part of the shop's window.
fn shops(app: &mut App, target: &Handle<Image>, size: &str) {
    let (view, book) = window::shopped();
    app.insert_resource(view).insert_resource(book).insert_resource(window::bought());
    app.world_mut().write_message(HudAction::Open(HudWindow::Shop));
    for (part, name) in [
        (ShopPart::Goods, "goods"),
        (ShopPart::Design, "quote"),
        (ShopPart::Carts, "cart"),
        (ShopPart::Orders, "orders"),
        (ShopPart::Addresses, "addresses"),
    ] {
        app.world_mut().write_message(HudAction::PrepareShop(PrepareShop::Show(part)));
        if part == ShopPart::Orders {
            let first = window::bought().newest_first().first().map(|known| known.id);
            app.world_mut().write_message(HudAction::PrepareShop(PrepareShop::Order(first)));
        }
        shoot(app, target, &format!("{size}-shop-{name}"));
    }
    app.world_mut().write_message(HudAction::CloseWindow);
}
