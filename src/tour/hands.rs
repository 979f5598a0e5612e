//! The tour's hands: keys, mouse and pointer, as an operating system would send them.

use bevy::{
    camera::RenderTarget,
    input::{
        ButtonState,
        keyboard::{Key, KeyboardInput},
        mouse::{MouseButtonInput, MouseMotion},
    },
    picking::pointer::{Location, PointerAction, PointerButton, PointerId, PointerInput},
    prelude::*,
    window::{PrimaryWindow, WindowRef},
};
use vestibule_input::{Binding, Control, KeyBindings};
use vestibule_world::walk::Eye;

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

/// The window that keys come from. Without one any entity will do: nobody asks it anything.
fn window(world: &mut World) -> Entity {
    let primary = world.query_filtered::<Entity, With<PrimaryWindow>>().iter(world).next();
    primary.unwrap_or(Entity::PLACEHOLDER)
}
