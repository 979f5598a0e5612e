//! Windows that have all the attention: help, catalogue, all devices, systems, people, what happened step by step,
//! settings, past notifications.

mod catalogue;
mod devices;
mod help;
mod people;
mod procedures;
mod settings;
mod systems;

use bevy::{picking::hover::Hovered, prelude::*};
use vestibule_input::{Attention, Binding, Control, Controls, KeyBindings};
use vestibule_twin::{
    Catalogue, DiscoverSystems, EnablerLink, FollowProcedures, HeldFurniture, HoldFurniture, IntegrateTwin,
    KnownPeople, KnownSystems, ManagePeople, Procedures, model::TwinId,
};

use crate::{
    action::{HudAction, HudWindow},
    card::{CardPin, CardShown},
    el::{El, Press},
    interact::Dragging,
    notice::{self, Notices},
    render::{Screen, Surface},
    settings::Settings,
    style,
    widgets::{self, Tone},
};

/// The window that is open.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub(crate) struct OpenWindow {
    window: Option<HudWindow>,
    /// What had the attention before.
    before: Attention,
    /// The twin that the person was at when they opened it.
    about: Option<TwinId>,
    /// What one more press does.
    confirming: Option<ManagePeople>,
}

impl OpenWindow {
    pub(crate) const fn get(&self) -> Option<HudWindow> {
        self.window
    }

    /// How many buttons stand beside each other, for the arrow keys.
    pub(crate) const fn columns(&self) -> usize {
        if matches!(self.window, Some(HudWindow::Catalogue)) { catalogue::COLUMNS } else { 1 }
    }
}

/// The control that waits for its new key.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capturing {
    control: Option<Control>,
    /// The key that ended the capture must do nothing else in its frame.
    guard: bool,
    /// A control that lost its key to another: `(loser, winner)`.
    pub lost: Option<(Control, Control)>,
}

impl Capturing {
    /// Whether keys are to be left alone.
    pub(crate) const fn is_active(&self) -> bool {
        self.control.is_some() || self.guard
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

/// Opens and closes by keys.
pub(crate) fn keys(
    controls: Controls<'_>,
    capturing: Res<Capturing>,
    (window, pin, held): (Res<OpenWindow>, Res<CardPin>, Res<HeldFurniture>),
    attention: Res<State<Attention>>,
    mut next: ResMut<NextState<Attention>>,
    mut actions: MessageWriter<HudAction>,
) {
    if capturing.is_active() {
        return;
    }
    let windows = [
        (Control::Help, HudWindow::Help),
        (Control::Catalogue, HudWindow::Catalogue),
        (Control::Devices, HudWindow::Devices),
        (Control::Systems, HudWindow::Systems),
        (Control::Procedures, HudWindow::Procedures),
        (Control::People, HudWindow::People),
        (Control::Settings, HudWindow::Settings),
    ];
    for (control, wanted) in windows {
        if controls.just_pressed(control) {
            let open = window.get() == Some(wanted);
            actions.write(if open { HudAction::CloseWindow } else { HudAction::Open(wanted) });
        }
    }
    if controls.just_pressed(Control::Cancel) {
        match (window.get(), pin.is_pinned(), held.model.is_some()) {
            (Some(_), ..) => {
                actions.write(HudAction::CloseWindow);
            }
            (None, true, _) => {
                actions.write(HudAction::CloseCard);
            }
            // Whoever put it into the hand takes it out of it.
            (None, false, true) => {}
            (None, false, false) => next.set(other(*attention.get())),
        }
    } else if controls.just_pressed(Control::Pointer) && window.get().is_none() {
        next.set(other(*attention.get()));
    }
}

const fn other(attention: Attention) -> Attention {
    match attention {
        Attention::Walk => Attention::Point,
        Attention::Point | Attention::Panel => Attention::Walk,
    }
}

/// Opens and closes, gives the attention to the window and back, passes on what was chosen from the catalogue.
pub(crate) fn act(
    mut actions: MessageReader<HudAction>,
    attention: Res<State<Attention>>,
    mut next: ResMut<NextState<Attention>>,
    (mut window, card): (ResMut<OpenWindow>, Res<CardShown>),
    mut holds: MessageWriter<HoldFurniture>,
    (mut people, mut turns): (MessageWriter<ManagePeople>, MessageWriter<IntegrateTwin>),
) {
    for action in actions.read() {
        if window.confirming.is_some() {
            window.confirming = None;
        }
        match action {
            HudAction::Open(wanted) => {
                window.about = card.0.clone().or_else(|| window.about.take());
                if window.window.is_none() {
                    window.before = *attention.get();
                }
                window.window = Some(*wanted);
                next.set(Attention::Panel);
            }
            HudAction::CloseWindow if window.window.is_some() => {
                window.window = None;
                next.set(window.before);
            }
            // The card of a request is more urgent than a window.
            HudAction::OpenCard(_) if window.window.is_some() => {
                window.window = None;
                next.set(Attention::Point);
            }
            HudAction::Hold(model) => {
                holds.write(HoldFurniture { model: model.clone() });
                window.window = None;
                // Furniture is put where one looks.
                next.set(Attention::Walk);
            }
            HudAction::People(wish) => drop(people.write(wish.clone())),
            HudAction::Integrate(wish) => drop(turns.write(wish.clone())),
            HudAction::Confirm(wish) => window.confirming = Some(wish.clone()),
            _ => {}
        }
    }
}

/// Asks the enabler for what an open window shows, and no longer than it is open. After a lost connection: anew.
pub(crate) fn ask(
    (window, link): (Res<OpenWindow>, Res<EnablerLink>),
    mut asked: Local<Option<HudWindow>>,
    mut discover: MessageWriter<DiscoverSystems>,
    mut follow: MessageWriter<FollowProcedures>,
    mut people: MessageWriter<ManagePeople>,
) {
    let connected = link.state.is_connected();
    let now = window.get().filter(|_| connected);
    if now == *asked {
        return;
    }
    if *asked == Some(HudWindow::Procedures) && connected {
        follow.write(FollowProcedures(false));
    }
    match now {
        Some(HudWindow::Systems) => drop(discover.write(DiscoverSystems::default())),
        Some(HudWindow::Procedures) => drop(follow.write(FollowProcedures(true))),
        Some(HudWindow::People) => drop(people.write(ManagePeople::Look)),
        _ => {}
    }
    *asked = now;
}

/// What the windows read.
#[derive(bevy::ecs::system::SystemParam)]
pub(crate) struct Shown<'w, 's> {
    keys: Res<'w, KeyBindings>,
    settings: Res<'w, Settings>,
    capturing: Res<'w, Capturing>,
    dragging: Res<'w, Dragging>,
    catalogue: Res<'w, Catalogue>,
    held: Res<'w, HeldFurniture>,
    notices: Res<'w, Notices>,
    link: Res<'w, EnablerLink>,
    systems: Res<'w, KnownSystems>,
    procedures: Res<'w, Procedures>,
    people: Res<'w, KnownPeople>,
    time: Res<'w, Time<Real>>,
    assets: Option<Res<'w, AssetServer>>,
    devices: devices::Devices<'w, 's>,
}

/// Shows the open window.
pub(crate) fn show(window: Res<OpenWindow>, shown: Shown<'_, '_>, mut screen: ResMut<Screen>) {
    let Some(open) = window.get() else {
        screen.show(Surface::Window, Vec::new());
        return;
    };
    let panel = match open {
        HudWindow::Help => help::window(&shown.keys),
        HudWindow::Catalogue => catalogue::window(&shown.catalogue, &shown.held, &shown.keys, shown.assets.as_deref()),
        HudWindow::Settings => {
            settings::window(&shown.settings, &shown.keys, &shown.capturing, shown.dragging.0.as_ref())
        }
        HudWindow::Devices => devices::window(&shown.devices, &shown.keys, shown.time.elapsed_secs_f64()),
        HudWindow::Systems => systems::window(&shown.systems, shown.link.state.is_connected(), &shown.keys),
        HudWindow::Procedures => procedures::window(&shown.procedures, shown.link.state.is_connected(), &shown.keys),
        HudWindow::People => {
            let about = window.about.clone().and_then(|twin| shown.devices.name(&twin).map(|name| (twin, name)));
            let (connected, now) = (shown.link.state.is_connected(), shown.time.elapsed_secs_f64());
            let around = people::Around { connected, now, about, confirming: window.confirming.as_ref() };
            people::window(&shown.people, &around, &shown.keys)
        }
        HudWindow::History => history(&shown.notices, &shown.keys, shown.time.elapsed_secs_f64()),
    };
    let shade = El::new("window")
        .node(|node| {
            node.width = percent(100);
            node.height = percent(100);
            node.flex_direction = FlexDirection::Column;
            node.row_gap = px(style::GAP);
            node.padding = UiRect::axes(px(0), px(style::EDGE));
            node.align_items = AlignItems::Center;
            node.justify_content = JustifyContent::Center;
        })
        .fill(style::SHADE)
        .with_all(notice::request_line(&shown.notices, &shown.keys))
        .with(panel);
    screen.show(Surface::Window, vec![shade]);
}

/// A window: its title, how to close it, what it holds.
fn frame(name: &'static str, title: &'static str, close: &str, width: f32, body: El) -> El {
    let press = widgets::press("Close", HudAction::CloseWindow);
    let head = El::row("window.head", style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(widgets::title("window.title", title))
        .with(widgets::spring())
        .with(widgets::button("window.close", press, Some(close), Tone::Plain));
    widgets::panel(name)
        .node(|node| {
            node.width = px(width);
            node.max_width = percent(94);
            node.max_height = percent(100);
            node.min_height = px(0);
            node.flex_shrink = 1.0;
            node.row_gap = px(12);
        })
        .with(head)
        .with(body)
}

fn history(notices: &Notices, keys: &KeyBindings, now: f64) -> El {
    let mut body = widgets::scroll("history.list", 10.0);
    body.children.extend(notices.past().map(|past| notice::line(past, now)));
    if body.children.is_empty() {
        body.children.push(El::small("history.empty", "Nothing has been told yet."));
    }
    frame("history", "Notifications", &keys.label(Control::Cancel), 520.0, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        let mut app = App::new();
        app.init_resource::<ButtonInput<KeyCode>>().init_resource::<ButtonInput<MouseButton>>();
        app.init_resource::<KeyBindings>().init_resource::<Capturing>();
        app.insert_resource(OpenWindow { window: Some(HudWindow::Settings), ..OpenWindow::default() });
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
