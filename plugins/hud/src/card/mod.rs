//! The card of a twin: which twin it is about, when it is pinned, what its keys do.

mod controls;
mod picture;
mod turn;
mod view;

use bevy::prelude::*;
use vestibule_input::{Attention, Control, Controls, KeyBindings};
use vestibule_twin::{
    AtDesign, EnablerClock, EnablerLink, HeldFurniture, KnownLending, PointedTwin, TwinAccess, TwinDescription,
    TwinIndex, TwinPart, TwinState, TwinTurns, model::TwinId,
};

use crate::{
    action::HudAction,
    interact::Dragging,
    notice::Notices,
    render::{Screen, Surface},
    track::Tracks,
    window::{Capturing, OpenWindow},
};
pub(crate) use controls::believed;
pub(crate) use picture::{Pictures, decode};
pub(crate) use turn::name as holder_name;
use view::{CardInput, Shot};

/// Seconds after the buttons changed places within which their keys do nothing: the finger meant the old ones.
const SETTLE_S: f64 = 0.4;

/// The twin whose card stays open whatever is pointed at.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub(crate) struct CardPin {
    twin: Option<TwinId>,
    /// What had the attention before.
    before: Attention,
}

impl CardPin {
    pub(crate) const fn is_pinned(&self) -> bool {
        self.twin.is_some()
    }
}

/// The twin whose card is on the screen.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub(crate) struct CardShown(pub Option<TwinId>);

/// What the action keys do: the card's first four buttons.
#[derive(Resource, Clone, Debug, Default)]
pub(crate) struct CardSlots {
    twin: Option<TwinId>,
    actions: Vec<HudAction>,
    /// Seconds of `Time<Real>` at which they changed places under the eye.
    moved_at: Option<f64>,
}

/// Pins the card of what is pointed at, and sends what the action keys stand for.
pub(crate) fn keys(
    controls: Controls<'_>,
    (attention, window, capturing): (Res<State<Attention>>, Res<OpenWindow>, Res<Capturing>),
    (pointed, held, pin): (Res<PointedTwin>, Res<HeldFurniture>, Res<CardPin>),
    (slots, notices, time): (Res<CardSlots>, Res<Notices>, Res<Time<Real>>),
    mut actions: MessageWriter<HudAction>,
) {
    if capturing.is_active() {
        return;
    }
    if controls.just_pressed(Control::Attend)
        && let Some(twin) = notices.attended()
    {
        actions.write(HudAction::OpenCard(twin));
        return;
    }
    if window.get().is_some() {
        return;
    }
    let walking = *attention.get() == Attention::Walk;
    let used = controls.just_pressed(Control::Interact) || controls.just_pressed(Control::Use);
    if used
        && (walking || (!pin.is_pinned() && controls.just_pressed(Control::Interact)))
        && held.model.is_none()
        && let Some((twin, _)) = &pointed.target
        && pin.twin.as_ref() != Some(twin)
    {
        actions.write(HudAction::OpenCard(twin.clone()));
    }
    let keys = [Control::Action1, Control::Action2, Control::Action3, Control::Action4];
    let settled = slots.moved_at.is_none_or(|at| time.elapsed_secs_f64() >= at + SETTLE_S);
    for (control, action) in keys.into_iter().zip(&slots.actions) {
        if controls.just_pressed(control) && settled {
            actions.write(action.clone());
        }
    }
}

/// A visible part of a twin was clicked by a free pointer: its card is pinned.
pub(crate) fn part_clicked(
    mut click: On<Pointer<Click>>,
    parts: Query<&TwinPart>,
    attention: Res<State<Attention>>,
    held: Res<HeldFurniture>,
    mut actions: MessageWriter<HudAction>,
) {
    if let Ok(part) = parts.get(click.entity)
        && *attention.get() == Attention::Point
        && held.model.is_none()
    {
        click.propagate(false);
        actions.write(HudAction::OpenCard(part.twin.clone()));
    }
}

/// Pins and unpins, and gives the attention to the card or back.
pub(crate) fn pin(
    mut actions: MessageReader<HudAction>,
    attention: Res<State<Attention>>,
    mut next: ResMut<NextState<Attention>>,
    mut pin: ResMut<CardPin>,
) {
    for action in actions.read() {
        match action {
            HudAction::OpenCard(twin) => {
                if pin.twin.is_none() {
                    pin.before = *attention.get();
                }
                pin.twin = Some(twin.clone());
                if *attention.get() == Attention::Walk {
                    next.set(Attention::Point);
                }
            }
            HudAction::CloseCard if pin.twin.is_some() => {
                pin.twin = None;
                if *attention.get() == Attention::Point {
                    next.set(pin.before);
                }
            }
            _ => {}
        }
    }
}

/// What the card reads of a twin.
type Known = (Option<&'static TwinDescription>, Option<&'static TwinState>, Option<&'static TwinAccess>);

/// Shows the card.
pub(crate) fn show(
    (pin, pointed, attention): (Res<CardPin>, Res<PointedTwin>, Res<State<Attention>>),
    (index, twins, turns): (Res<TwinIndex>, Query<Known>, Res<TwinTurns>),
    (link, keys, tracks, dragging): (Res<EnablerLink>, Res<KeyBindings>, Res<Tracks>, Res<Dragging>),
    (held, pictures, time, design): (Res<HeldFurniture>, Res<Pictures>, Res<Time<Real>>, Res<AtDesign>),
    (lending, clock): (Res<KnownLending>, Res<EnablerClock>),
    (mut shown, mut slots, mut screen): (ResMut<CardShown>, ResMut<CardSlots>, ResMut<Screen>),
) {
    let now = time.elapsed_secs_f64();
    let hovered = || pointed.target.as_ref().map(|(twin, _)| twin.clone()).filter(|_| held.model.is_none());
    // Whoever designs looks at that.
    let busy = *attention.get() == Attention::Panel || design.0;
    let twin = pin.twin.clone().or_else(|| if busy { None } else { hovered() });
    shown.set_if_neq(CardShown(twin.clone()));
    let Some(twin) = twin else {
        slots.twin = None;
        slots.actions.clear();
        screen.show(Surface::Card, Vec::new());
        return;
    };
    let entities = || index.get(&twin).iter().filter_map(|entity| twins.get(*entity).ok());
    let state = entities().find_map(|(_, state, _)| state);
    let input = CardInput {
        info: entities().find_map(|(info, _, _)| info).map(|info| info.0.as_ref()),
        state,
        access: entities().find_map(|(_, _, access)| access),
        shots: pictures.of(&twin).map(|(feature, image)| Shot { image, feature }).collect(),
        twin: &twin,
        turn: turns.0.get(&twin),
        tracks: &tracks,
        link: &link,
        lending: &lending,
        clock: *clock,
        keys: &keys,
        drag: dragging.0.as_ref(),
        pinned: pin.twin.is_some(),
        now,
    };
    let (card, actions) = view::card(&input);
    if slots.twin.as_ref() != Some(&twin) {
        slots.moved_at = None;
    } else if slots.actions != actions {
        slots.moved_at = Some(now);
    }
    slots.twin = Some(twin.clone());
    slots.actions = actions;
    screen.show(Surface::Card, vec![card]);
}
