//! The tour's hands: keys, mouse and pointer, as an operating system would send them.

use bevy::{
    camera::RenderTarget,
    input::{
        ButtonState,
        keyboard::{Key, KeyboardInput},
        mouse::{MouseButtonInput, MouseMotion, MouseScrollUnit},
        touch::TouchPhase,
    },
    picking::pointer::{Location, PointerAction, PointerButton, PointerId, PointerInput},
    prelude::*,
    ui_widgets::ScrollArea,
    window::{PrimaryWindow, WindowRef},
};
use vestibule_design::DesignStand;
use vestibule_input::{Binding, Control, KeyBindings};
use vestibule_twin::DesignView;
use vestibule_world::walk::Eye;

use super::picture::{Drawn, draw};

/// Presses or releases whatever is bound to `control`; `false` where nothing is.
pub(super) fn set(world: &mut World, control: Control, state: ButtonState) -> bool {
    let binding = world.resource::<KeyBindings>().get(control);
    let window = window(world);
    match binding {
        Some(Binding::Key(key_code)) => {
            let logical_key = Key::Unidentified(bevy::input::keyboard::NativeKey::Unidentified);
            world.write_message(KeyboardInput { key_code, logical_key, state, text: None, repeat: false, window });
        }
        Some(Binding::Mouse(button)) => {
            world.write_message(MouseButtonInput { button, state, window });
        }
        None => return false,
    }
    true
}

/// Moves the mouse by so many counts, right and down.
pub(super) fn move_mouse(world: &mut World, delta: Vec2) {
    world.write_message(MouseMotion { delta });
}

/// Moves the free pointer to a place on the screen, in logical pixels, and presses or releases its first button.
pub(super) fn point(world: &mut World, position: Vec2, action: PointerAction) {
    let primary = world.query_filtered::<Entity, With<PrimaryWindow>>().iter(world).next();
    let target = world.query_filtered::<&RenderTarget, With<Eye>>().iter(world).next().cloned();
    let Some(target) = target.unwrap_or(RenderTarget::Window(WindowRef::Primary)).normalize(primary) else { return };
    world.write_message(PointerInput::new(PointerId::Mouse, Location { target, position }, action));
}

/// What a click consists of, one piece a frame.
pub(super) const CLICK: [PointerAction; 3] = [
    PointerAction::Move { delta: Vec2::ONE },
    PointerAction::Press(PointerButton::Primary),
    PointerAction::Release(PointerButton::Primary),
];

/// Where the middle of something on a panel is, in logical pixels.
pub(super) fn on_panel(world: &World, entity: Entity) -> Option<Vec2> {
    let place = world.get::<UiGlobalTransform>(entity)?.translation;
    // Nodes are laid out in pixels of the picture, which the size of letters does not change; pointers are in logical
    // ones.
    let letters = world.resource::<UiScale>().0;
    Some(place * world.get::<ComputedNode>(entity).map_or(1.0, |node| node.inverse_scale_factor * letters))
}

/// Where one has to scroll to see something, and by how many lines; nothing: it is in sight.
pub(super) fn out_of_sight(world: &World, entity: Entity) -> Option<(Vec2, f32)> {
    let span = |entity: Entity| {
        let middle = world.get::<UiGlobalTransform>(entity)?.translation.y;
        let half = world.get::<ComputedNode>(entity)?.size.y / 2.0;
        Some((middle - half, middle + half))
    };
    let (top, bottom) = span(entity)?;
    let mut at = entity;
    while let Some(parent) = world.get::<ChildOf>(at).map(ChildOf::parent) {
        at = parent;
        if world.get::<ScrollArea>(at).is_none() {
            continue;
        }
        let (first, last) = span(at)?;
        if top < first || bottom > last {
            let lines = if top < first { 1.0 } else { -1.0 };
            return on_panel(world, at).map(|over| (over, lines));
        }
    }
    None
}

/// Turns the wheel over a place: a frame to get there, a frame to turn, and time for what moves.
pub(super) fn scroll(world: &mut World, over: Vec2, lines: f32, frame: u32) {
    match frame % 4 {
        0 => point(world, over, PointerAction::Move { delta: Vec2::ONE }),
        2 => {
            let (unit, phase) = (MouseScrollUnit::Line, TouchPhase::Moved);
            point(world, over, PointerAction::Scroll { unit, x: 0.0, y: lines, phase });
        }
        _ => {}
    }
}

/// Writes a letter a frame, and Enter at the end. `true`: done.
pub(super) fn write(world: &mut World, text: &str, frame: u32) -> bool {
    let window = window(world);
    let mut press = |key_code, logical_key, text: Option<String>| {
        let text = text.map(Into::into);
        let state = ButtonState::Pressed;
        world.write_message(KeyboardInput { key_code, logical_key, state, text, repeat: false, window });
    };
    let at = usize::try_from(frame).unwrap_or(usize::MAX);
    // What stands there is taken away first.
    const OLD: usize = 16;
    match (at.checked_sub(OLD).and_then(|at| text.chars().nth(at)), at < OLD) {
        (_, true) => press(KeyCode::Backspace, Key::Backspace, None),
        (Some(letter), _) => press(KeyCode::F35, Key::Character(letter.to_string().into()), Some(letter.to_string())),
        (None, _) if at == OLD + text.chars().count() => press(KeyCode::Enter, Key::Enter, None),
        (None, _) => return at > OLD + text.chars().count() + 2,
    }
    false
}

/// Metres from a handle's beginning at which a hand takes it.
const GRIP: f32 = 0.03;

/// Draws a handle by the free pointer, as somebody does who presses, moves and lets go. `Ok(true)`: done.
pub(super) fn draw_handle(world: &mut World, label: &str, by: Vec3, frame: u32) -> Result<bool, String> {
    draw(world, Drawn::Whole);
    // The first frames lay out the view, others are for whoever reads what the hand did.
    let (begin, end) = (6, 18);
    let drawn = match frame {
        3 => Some(0.0),
        8..=14 => Some(f32::from(u16::try_from(frame - 7).unwrap_or_default()) / 7.0),
        _ => None,
    };
    if let Some(share) = drawn {
        let at = on_screen(world, label, by * share)?;
        point(world, at, PointerAction::Move { delta: Vec2::ONE });
    } else if frame == begin || frame == 16 {
        let press = frame == begin;
        let at = on_screen(world, label, if press { Vec3::ZERO } else { by })?;
        let button = PointerButton::Primary;
        point(world, at, if press { PointerAction::Press(button) } else { PointerAction::Release(button) });
    }
    if frame >= end {
        draw(world, Drawn::Nothing);
    }
    Ok(frame >= end)
}

/// Where a handle is on the screen after it was drawn by so many millimetres.
fn on_screen(world: &mut World, label: &str, by: Vec3) -> Result<Vec2, String> {
    let view = world.resource::<DesignView>();
    let Some(handle) = view.handles.iter().find(|handle| handle.label == label) else {
        let known: Vec<_> = view.handles.iter().map(|handle| handle.label.as_str()).collect();
        return Err(format!("no handle is called {label:?}, only {}", known.join(", ")));
    };
    let place = (Vec3::from(handle.at) + by) * 0.001 + Vec3::from(handle.along) * GRIP;
    let stand = world.query_filtered::<&GlobalTransform, With<DesignStand>>().iter(world).next().copied();
    let stand = stand.ok_or("nothing stands there to be drawn")?;
    let place = stand.transform_point(place);
    let seen = world.query_filtered::<(&Camera, &GlobalTransform), With<Eye>>();
    let mut seen = seen;
    let (camera, eye) = seen.iter(world).next().ok_or("there is no eye to look with")?;
    camera.world_to_viewport(eye, place).map_err(|error| format!("the handle {label:?} is not in view: {error:?}"))
}

/// The window that keys come from. Without one any entity will do: nobody asks it anything.
fn window(world: &mut World) -> Entity {
    let primary = world.query_filtered::<Entity, With<PrimaryWindow>>().iter(world).next();
    primary.unwrap_or(Entity::PLACEHOLDER)
}
