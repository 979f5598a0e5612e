//! What takes every key while it waits: a control that gets a new one, a line that is written.

use bevy::{picking::hover::Hovered, prelude::*};
use vestibule_input::{Binding, Control, KeyBindings};

use super::OpenWindow;
use crate::{
    action::{HudAction, HudWindow, LineField},
    el::Press,
    line::{Line, Wrote},
};

/// What takes every key: the control that waits for its new one, or the line that is being written.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capturing {
    control: Option<Control>,
    line: Option<(LineField, Line)>,
    /// What was written and not taken yet.
    written: Option<(LineField, String)>,
    /// The key that ended the capture must do nothing else in its frame.
    guard: bool,
    /// A control that lost its key to another: `(loser, winner)`.
    pub lost: Option<(Control, Control)>,
}

impl Capturing {
    /// Whether keys are to be left alone.
    pub(crate) const fn is_active(&self) -> bool {
        self.control.is_some() || self.line.is_some() || self.guard
    }

    /// What is being written, and for which field.
    pub(crate) const fn line(&self) -> Option<&(LineField, Line)> {
        self.line.as_ref()
    }

    /// From now on keys are for this line.
    pub(crate) fn begin_line(&mut self, field: LineField, line: Line) {
        self.line = Some((field, line));
    }

    /// Keys are no longer for a line.
    pub(crate) fn end_line(&mut self) {
        self.line = None;
    }

    /// Something was written into the line.
    pub(crate) fn wrote(&mut self, how: impl FnOnce(&mut Line) -> Wrote) {
        let Some((field, line)) = &mut self.line else { return };
        let wrote = how(line);
        if wrote == Wrote::Changed || wrote == Wrote::GaveUp {
            self.written = Some((field.clone(), line.text().to_owned()));
        }
        if wrote == Wrote::Done || wrote == Wrote::GaveUp {
            self.line = None;
            self.guard = true;
        }
    }

    /// What was written since this was asked last, where it is in a field that `wants` it.
    pub(crate) fn take_written<T>(&mut self, wants: impl FnOnce(&LineField) -> Option<T>) -> Option<(T, String)> {
        let field = self.written.as_ref().and_then(|(field, _)| wants(field))?;
        self.written.take().map(|(_, text)| (field, text))
    }

    /// The next key is for `control`.
    pub(crate) const fn begin(&mut self, control: Control) {
        self.control = Some(control);
        self.lost = None;
    }

    pub(crate) const fn control(&self) -> Option<Control> {
        self.control
    }
}

/// Gives the waiting control the key or button that was pressed; a click on the button that waits lets it keep its own.
pub(crate) fn capture(
    keys: Res<ButtonInput<KeyCode>>,
    buttons: Res<ButtonInput<MouseButton>>,
    window: Res<OpenWindow>,
    shown: Query<(&Press, &Hovered)>,
    mut capturing: ResMut<Capturing>,
    mut bindings: ResMut<KeyBindings>,
) {
    if capturing.guard {
        capturing.guard = false;
    }
    let Some(control) = capturing.control else {
        return;
    };
    let gone = window.get() != Some(HudWindow::Settings);
    let again = |(press, over): (&Press, &Hovered)| over.get() && press.action == HudAction::Capture(control);
    if gone || buttons.just_pressed(MouseButton::Left) && shown.iter().any(again) {
        capturing.control = None;
        capturing.guard = true;
        return;
    }
    let key = keys.get_just_pressed().map(|key| Binding::Key(*key));
    let button = buttons.get_just_pressed().map(|button| Binding::Mouse(*button));
    if let Some(binding) = key.chain(button).find(|binding| binding.is_bindable()) {
        capturing.lost = bindings.bind(control, binding).map(|loser| (loser, control));
        capturing.control = None;
        capturing.guard = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::widgets;

    fn app() -> App {
        let mut app = App::new();
        app.init_resource::<ButtonInput<KeyCode>>().init_resource::<ButtonInput<MouseButton>>();
        app.init_resource::<KeyBindings>().init_resource::<Capturing>();
        app.insert_resource(OpenWindow::of(HudWindow::Settings));
        app.add_systems(Update, capture);
        app
    }

    fn press(app: &mut App, key: KeyCode) {
        app.world_mut().resource_mut::<ButtonInput<KeyCode>>().press(key);
        app.update();
        assert!(app.world().resource::<Capturing>().is_active(), "the key does nothing else in its frame");
        app.world_mut().resource_mut::<ButtonInput<KeyCode>>().clear();
        app.update();
        assert!(!app.world().resource::<Capturing>().is_active());
    }

    #[test]
    fn the_next_key_is_taken_and_the_loser_is_told() {
        let mut app = app();
        app.world_mut().resource_mut::<Capturing>().begin(Control::Jump);
        press(&mut app, KeyCode::KeyE);
        let keys = app.world().resource::<KeyBindings>();
        assert_eq!((keys.label(Control::Jump), keys.label(Control::Interact)), ("E".to_owned(), "-".to_owned()));
        assert_eq!(app.world().resource::<Capturing>().lost, Some((Control::Interact, Control::Jump)));
    }

    #[test]
    fn every_key_can_be_chosen_and_the_button_that_waits_keeps_its_own() {
        let mut app = app();
        app.world_mut().resource_mut::<Capturing>().begin(Control::Jump);
        press(&mut app, KeyCode::Escape);
        assert_eq!(app.world().resource::<KeyBindings>().label(Control::Jump), "Escape");
        let before = app.world().resource::<KeyBindings>().clone();
        app.world_mut().resource_mut::<Capturing>().begin(Control::Run);
        app.world_mut().spawn((widgets::press("press a key ...", HudAction::Capture(Control::Run)), Hovered(true)));
        app.world_mut().resource_mut::<ButtonInput<MouseButton>>().press(MouseButton::Left);
        app.update();
        assert_eq!(*app.world().resource::<KeyBindings>(), before);
        assert_eq!(app.world().resource::<Capturing>().control(), None);
    }
}
