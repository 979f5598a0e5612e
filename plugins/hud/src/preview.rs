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
    Catalogue, CatalogueEntry, EnablerLink, FurnitureSnap, LinkState, Notify, PointedTwin, Reading, Twin,
    TwinDescription, TwinPicture, TwinPictures, TwinState, Urgency,
    model::{
        ActionId, ActionInfo, BlobRef, Effect, Expect, FeatureId, FeatureKind, FeatureProblem, PropertyId,
        PropertyInfo, Truth, TwinId, TwinInfo, Value, ValueType,
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
        let mut entity = app.world_mut().spawn((Twin(id.clone()), TwinDescription(Arc::new(info)), state));
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

fn shoot(app: &mut App, target: &Handle<Image>, name: &str) {
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
    app.world_mut().write_message(HudAction::CloseWindow);
    let reason = "the home's computer does not answer".to_owned();
    app.insert_resource(EnablerLink {
        state: LinkState::Lost { reason, retry_in_s: 8.0 },
        name: "this home".to_owned(),
    });
    shoot(&mut app, &target, &format!("{size}-lost"));
}
