//! Pointers and keys on what is shown: presses, slides, the focus, and how that looks.

use bevy::{
    picking::hover::Hovered,
    prelude::*,
    ui::{InteractionDisabled, Pressed},
    ui_widgets::{
        Activate, ScrollIntoView, SetSliderValue, SliderDragState, SliderThumb, SliderValue, SliderValueChange,
        ValueChange,
    },
};
use vestibule_input::{Attention, Control, Controls};

use crate::{
    action::{HudAction, SlideTarget},
    card::CardPin,
    el::{Press, Slide},
    render::{Made, Screen, Surface},
    style,
    window::{Capturing, OpenWindow},
};

/// The button or slider that keys would use now.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Focus(pub Option<Entity>);

/// The slider that somebody drags, and to which value.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub(crate) struct Dragging(pub Option<Drag>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Drag {
    slider: Entity,
    pub target: SlideTarget,
    pub value: f64,
}

#[cfg(test)]
impl Drag {
    pub(crate) const fn at(target: SlideTarget, value: f64) -> Self {
        Self { slider: Entity::PLACEHOLDER, target, value }
    }
}

/// A button was pressed, by whatever pointer or key.
pub(crate) fn pressed(activate: On<Activate>, buttons: Query<&Press>, mut actions: MessageWriter<HudAction>) {
    if let Ok(press) = buttons.get(activate.entity)
        && press.enabled
    {
        actions.write(press.action.clone());
    }
}

/// A slider was moved: the wish is taken when the hand lets go.
pub(crate) fn slid(change: On<ValueChange<f32>>, sliders: Query<&Slide>, mut dragging: ResMut<Dragging>) {
    if let Ok(slide) = sliders.get(change.source)
        && slide.enabled
    {
        let value = slide.nearest(f64::from(change.value));
        dragging.0 = Some(Drag { slider: change.source, target: slide.target.clone(), value });
    }
}

/// Takes the value of a slider that was let go.
pub(crate) fn settle(
    mut dragging: ResMut<Dragging>,
    sliders: Query<(Has<Pressed>, &SliderDragState)>,
    mut actions: MessageWriter<HudAction>,
) {
    let Some(drag) = &dragging.0 else { return };
    match sliders.get(drag.slider) {
        Ok((pressed, state)) if pressed || state.dragging => {}
        Ok(_) => {
            actions.write(drag.target.action(drag.value));
            dragging.0 = None;
        }
        Err(_) => dragging.0 = None,
    }
}

/// Puts every slider where it belongs: under the hand, else where its view says.
pub(crate) fn follow_slides(
    dragging: Res<Dragging>,
    sliders: Query<(Entity, &Slide, &SliderValue)>,
    children: Query<&Children>,
    mut thumbs: Query<&mut Node, With<SliderThumb>>,
    mut commands: Commands,
) {
    for (entity, slide, value) in &sliders {
        let hand = dragging.0.as_ref().filter(|drag| drag.slider == entity).map(|drag| drag.value);
        let at = hand.unwrap_or(slide.at);
        #[expect(clippy::cast_possible_truncation, reason = "a place on the screen")]
        let (at, share) = (at as f32, slide.share(at) as f32);
        if value.0.to_bits() != at.to_bits() {
            commands.entity(entity).insert(SliderValue(at));
        }
        for child in children.iter_descendants(entity) {
            if let Ok(mut node) = thumbs.get_mut(child) {
                let left = percent(share * 100.0);
                if node.left != left {
                    node.left = left;
                }
            }
        }
    }
}

/// Gives buttons and sliders the look of their state.
pub(crate) fn look(
    focus: Res<Focus>,
    mut shown: Query<
        (Entity, &Made, &Hovered, Has<Pressed>, Has<InteractionDisabled>, &mut BackgroundColor, &mut Outline),
        Or<(With<Press>, With<Slide>)>,
    >,
) {
    for (entity, made, hovered, pressed, disabled, mut fill, mut outline) in &mut shown {
        let lift = if disabled || made.0.press.is_none() { 0 } else { u8::from(hovered.get()) + u8::from(pressed) };
        let wanted = if lift == 0 { made.0.fill } else { style::lifted(made.0.fill, lift) };
        fill.set_if_neq(BackgroundColor(wanted));
        let ring = if focus.0 == Some(entity) { style::ACCENT } else { Color::NONE };
        if outline.color != ring {
            outline.color = ring;
        }
    }
}

/// What keys do among buttons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Down,
    Up,
    Left,
    Right,
    Use,
}

fn asked(controls: &Controls<'_>) -> Option<Step> {
    let steps = [
        (Control::ChooseDown, Step::Down),
        (Control::ChooseUp, Step::Up),
        (Control::ChooseLeft, Step::Left),
        (Control::ChooseRight, Step::Right),
        (Control::Press, Step::Use),
        (Control::Interact, Step::Use),
    ];
    steps.into_iter().find(|(control, _)| controls.just_pressed(*control)).map(|(_, step)| step)
}

/// Moves the focus through the frontmost window, else through the pinned card, and uses what has it.
pub(crate) fn walk_focus(
    controls: Controls<'_>,
    (attention, window, pin): (Res<State<Attention>>, Res<OpenWindow>, Res<CardPin>),
    capturing: Res<Capturing>,
    screen: Res<Screen>,
    children: Query<&Children>,
    targets: Query<(Option<&Press>, Option<&Slide>), Or<(With<Press>, With<Slide>)>>,
    mut focus: ResMut<Focus>,
    mut commands: Commands,
) {
    let surface = match (window.get(), pin.is_pinned() && *attention.get() == Attention::Point) {
        (Some(_), _) => Surface::Window,
        (None, true) => Surface::Card,
        (None, false) => {
            focus.set_if_neq(Focus(None));
            return;
        }
    };
    let all: Vec<Entity> = screen
        .root(surface)
        .map(|root| children.iter_descendants_depth_first(root).filter(|e| targets.contains(*e)).collect())
        .unwrap_or_default();
    let here = focus.0.and_then(|entity| all.iter().position(|other| *other == entity));
    if focus.0.is_some() && here.is_none() {
        focus.0 = None;
    }
    if capturing.is_active() {
        return;
    }
    let Some(step) = asked(&controls) else {
        return;
    };
    let slide = here.and_then(|at| targets.get(all[at]).ok()).and_then(|(_, slide)| slide);
    let columns = window.columns();
    let (forward, by) = match (step, slide) {
        (Step::Use, _) => {
            if let Some(at) = here {
                commands.trigger(Activate { entity: all[at] });
            }
            return;
        }
        (Step::Left | Step::Right, Some(_)) => {
            let change = SliderValueChange::RelativeStep(if step == Step::Right { 1.0 } else { -1.0 });
            if let Some(at) = here {
                commands.trigger(SetSliderValue { entity: all[at], change });
            }
            return;
        }
        (Step::Down, _) => (true, columns),
        (Step::Up, _) => (false, columns),
        (Step::Right, None) => (true, 1),
        (Step::Left, None) => (false, 1),
    };
    let next = match here {
        None if forward => 0,
        None => all.len().saturating_sub(1),
        Some(at) if forward => (at + by).min(all.len().saturating_sub(1)),
        Some(at) => at.saturating_sub(by),
    };
    focus.0 = all.get(next).copied();
    if let Some(entity) = focus.0 {
        commands.trigger(ScrollIntoView { entity });
    }
}
