//! A real pointer on a real layout, without window and without graphics.

use std::sync::Arc;

use bevy::{
    asset::uuid::Uuid,
    camera::{ImageRenderTarget, NormalizedRenderTarget, RenderTarget},
    log::LogPlugin,
    picking::pointer::{Location, PointerAction, PointerButton, PointerId, PointerInput},
    prelude::*,
    render::{RenderPlugin, render_resource::TextureFormat, settings::WgpuSettings},
    ui::{ComputedNode, UiGlobalTransform},
    window::ExitCondition,
    winit::WinitPlugin,
};
use vestibule_twin::{
    ActuateTwin, EnablerLink, LinkState, Twin, TwinDescription,
    model::{FeatureId, Value},
};

use super::*;
use crate::testing::{closed_door, door};

struct Screen {
    app: App,
    target: Handle<Image>,
    at: Vec2,
}

impl Screen {
    fn new() -> Self {
        let mut app = App::new();
        let window = WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() };
        let settings = WgpuSettings { backends: None, ..default() };
        let render = RenderPlugin { render_creation: settings.into(), ..default() };
        let plugins = DefaultPlugins.build().set(window).set(render).disable::<WinitPlugin>().disable::<LogPlugin>();
        app.add_plugins((plugins, HudPlugin));
        let image = Image::new_target_texture(1280, 720, TextureFormat::Rgba8UnormSrgb, None);
        let target = app.world_mut().resource_mut::<Assets<Image>>().add(image);
        let image = ImageRenderTarget { handle: target.clone(), scale_factor: 1.0 };
        app.world_mut().spawn((Camera2d, RenderTarget::Image(image), IsDefaultUiCamera));
        app.world_mut().spawn(PointerId::Custom(Uuid::from_u128(7)));
        app.insert_resource(EnablerLink { state: LinkState::Connected, name: "home".to_owned() });
        app.world_mut().spawn((Twin(door().id), TwinDescription(Arc::new(door())), closed_door("locked")));
        app.world_mut().write_message(HudAction::OpenCard(door().id));
        app.finish();
        app.cleanup();
        for _ in 0..4 {
            app.update();
        }
        Self { app, target, at: Vec2::ZERO }
    }

    fn send(&mut self, action: PointerAction) {
        let image = ImageRenderTarget { handle: self.target.clone(), scale_factor: 1.0 };
        let location = Location { target: NormalizedRenderTarget::Image(image), position: self.at };
        let pointer = PointerId::Custom(Uuid::from_u128(7));
        self.app.world_mut().write_message(PointerInput::new(pointer, location, action));
        self.app.update();
    }

    fn move_to(&mut self, at: Vec2) {
        let delta = at - self.at;
        self.at = at;
        self.send(PointerAction::Move { delta });
    }

    /// Where a thing is: a share of its width from its left edge, half way down.
    fn place(&self, entity: Entity, share: f32) -> Vec2 {
        let node = self.app.world().get::<ComputedNode>(entity).unwrap();
        let middle = self.app.world().get::<UiGlobalTransform>(entity).unwrap().translation;
        middle + Vec2::new((share - 0.5) * node.size().x, 0.0)
    }

    fn asked(&self) -> Vec<ActuateTwin> {
        let messages = self.app.world().resource::<Messages<ActuateTwin>>();
        messages.get_cursor().read(messages).cloned().collect()
    }
}

#[test]
fn a_pointer_from_anywhere_clicks_buttons() {
    let mut screen = Screen::new();
    let unlock = find_button(screen.app.world(), "Unlock").unwrap();
    let at = screen.place(unlock, 0.5);
    screen.move_to(at);
    screen.send(PointerAction::Press(PointerButton::Primary));
    screen.send(PointerAction::Release(PointerButton::Primary));
    let asked = screen.asked();
    assert_eq!(asked.len(), 1, "{at:?}");
    assert_eq!((asked[0].feature.clone(), asked[0].action.as_str()), (FeatureId::slug("lock"), "unlock"));
}

#[test]
fn a_disabled_button_does_nothing() {
    let mut screen = Screen::new();
    let lock = find_button(screen.app.world(), "Lock").unwrap();
    let at = screen.place(lock, 0.5);
    screen.move_to(at);
    screen.send(PointerAction::Press(PointerButton::Primary));
    screen.send(PointerAction::Release(PointerButton::Primary));
    assert!(screen.asked().is_empty());
}

#[test]
fn dragging_a_slider_asks_once_where_it_is_let_go() {
    let mut screen = Screen::new();
    let slider = find_named(screen.app.world(), "card.slider.set_position").unwrap();
    let (from, to) = (screen.place(slider, 0.3), screen.place(slider, 0.5));
    screen.move_to(from);
    screen.send(PointerAction::Press(PointerButton::Primary));
    for step in 1..=4_u8 {
        screen.move_to(from.lerp(to, f32::from(step) / 4.0));
        assert!(screen.asked().is_empty(), "nothing is asked while the hand moves");
    }
    assert!(hud_texts(screen.app.world()).iter().any(|text| text.contains("Position: set to ")));
    screen.send(PointerAction::Release(PointerButton::Primary));
    screen.app.update();
    let asked = screen.asked();
    assert_eq!(asked.len(), 1);
    let value = asked[0].input.as_ref().and_then(Value::as_f64).unwrap();
    assert!((45.0..=55.0).contains(&value), "{value}");
}
