//! Makes entities of what the surfaces are to show, and keeps those that stay.

use std::collections::VecDeque;

use bevy::{
    picking::{Pickable, hover::Hovered},
    platform::collections::HashMap,
    prelude::*,
    ui::InteractionDisabled,
    ui_widgets::{
        self, ScrollArea, Slider, SliderPrecision, SliderRange, SliderStep, SliderThumb, SliderValue, TrackClick,
    },
};

use crate::{
    el::{El, Press, Slide, What},
    style::Letters,
};

/// The places of the screen, from back to front.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Surface {
    Crosshair,
    Hints,
    Card,
    Notices,
    Banner,
    Window,
}

impl Surface {
    pub(crate) const ALL: [Self; 6] =
        [Self::Crosshair, Self::Hints, Self::Card, Self::Notices, Self::Banner, Self::Window];

    const fn name(self) -> &'static str {
        match self {
            Self::Crosshair => "surface.crosshair",
            Self::Hints => "surface.hints",
            Self::Card => "surface.card",
            Self::Notices => "surface.notices",
            Self::Banner => "surface.banner",
            Self::Window => "surface.window",
        }
    }

    const fn depth(self) -> i32 {
        match self {
            Self::Crosshair => 10,
            Self::Hints => 20,
            Self::Card => 30,
            Self::Notices => 40,
            Self::Banner => 50,
            Self::Window => 35,
        }
    }
}

/// What each surface is to show from this frame on; what is not written stays as it is.
#[derive(Resource, Debug, Default)]
pub(crate) struct Screen {
    wanted: HashMap<Surface, Vec<El>>,
    roots: HashMap<Surface, Entity>,
}

impl Screen {
    /// Has `surface` show these.
    pub(crate) fn show(&mut self, surface: Surface, elements: Vec<El>) {
        self.wanted.insert(surface, elements);
    }

    /// The entity that everything of `surface` is below.
    pub(crate) fn root(&self, surface: Surface) -> Option<Entity> {
        self.roots.get(&surface).copied()
    }
}

/// What a surface shows.
#[derive(Component, Default)]
struct Shown(Vec<El>);

/// What an entity was made of, without its children.
#[derive(Component)]
pub(crate) struct Made(pub El);

/// Spawns the surfaces.
pub(crate) fn open_surfaces(mut commands: Commands, mut screen: ResMut<Screen>) {
    for surface in Surface::ALL {
        let node =
            Node { position_type: PositionType::Absolute, width: percent(100), height: percent(100), ..default() };
        let depth = GlobalZIndex(surface.depth());
        let root = (surface, Name::new(surface.name()), node, depth, Pickable::IGNORE, Shown::default());
        screen.roots.insert(surface, commands.spawn(root).id());
    }
}

/// Brings the entities up to date.
pub(crate) fn render(world: &mut World) {
    let wanted = std::mem::take(&mut world.resource_mut::<Screen>().wanted);
    for (surface, elements) in wanted {
        let Some(root) = world.resource::<Screen>().root(surface) else {
            continue;
        };
        if world.get::<Shown>(root).is_none_or(|shown| shown.0 == elements) {
            continue;
        }
        reconcile(world, root, &elements);
        world.entity_mut(root).insert(Shown(elements));
    }
}

fn reconcile(world: &mut World, parent: Entity, wanted: &[El]) {
    let old: Vec<Entity> = world.get::<Children>(parent).map(|children| children.to_vec()).unwrap_or_default();
    // Cells of a table have one key: they are told apart by their order.
    let mut by_key: HashMap<_, VecDeque<Entity>> = HashMap::new();
    for entity in &old {
        if let Some(made) = world.get::<Made>(*entity) {
            by_key.entry(made.0.key.clone()).or_default().push_back(*entity);
        }
    }
    let mut order = Vec::with_capacity(wanted.len());
    for el in wanted {
        let kept = by_key.get_mut(&el.key).and_then(VecDeque::pop_front);
        let kept = kept.filter(|entity| world.get::<Made>(*entity).is_some_and(|m| same_kind(&m.0, el)));
        let entity = match kept {
            Some(entity) => {
                update(world, entity, el);
                entity
            }
            None => make(world, el),
        };
        reconcile(world, entity, &el.children);
        order.push(entity);
    }
    if order != old {
        for entity in old.iter().filter(|entity| !order.contains(*entity)) {
            world.entity_mut(*entity).despawn();
        }
        world.entity_mut(parent).replace_children(&order);
    }
}

fn same_kind(a: &El, b: &El) -> bool {
    std::mem::discriminant(&a.what) == std::mem::discriminant(&b.what) && a.press.is_some() == b.press.is_some()
}

fn bare(el: &El) -> El {
    let (node, what, press) = (el.node.clone(), el.what.clone(), el.press.clone());
    El { key: el.key.clone(), node, what, press, children: Vec::new(), ..*el }
}

fn make(world: &mut World, el: &El) -> Entity {
    let solid = el.fill != Color::NONE || el.press.is_some() || !matches!(el.what, What::Area | What::Text(_));
    let pickable = if solid { Pickable::default() } else { Pickable::IGNORE };
    let name = Name::new(el.key.clone());
    let entity = world.spawn((name, Node::clone(&el.node), pickable)).id();
    write_look(world, entity, el);
    write_what(world, entity, el);
    if el.press.is_some() {
        let outline = Outline::new(px(2), px(2), Color::NONE);
        world.entity_mut(entity).insert((ui_widgets::Button, Hovered::default(), outline));
        write_press(world, entity, el);
    }
    world.entity_mut(entity).insert(Made(bare(el)));
    entity
}

fn update(world: &mut World, entity: Entity, el: &El) {
    let Some(made) = world.get::<Made>(entity) else {
        return;
    };
    let old = bare(&made.0);
    let new = bare(el);
    if old == new {
        return;
    }
    if old.node != new.node {
        world.entity_mut(entity).insert(Node::clone(&new.node));
    }
    if (old.fill, old.line, old.shadow) != (new.fill, new.line, new.shadow) {
        write_look(world, entity, el);
    }
    if old.what != new.what {
        write_what(world, entity, el);
    }
    if old.press != new.press {
        write_press(world, entity, el);
    }
    world.entity_mut(entity).insert(Made(new));
}

fn write_look(world: &mut World, entity: Entity, el: &El) {
    let mut entity = world.entity_mut(entity);
    entity.insert((BackgroundColor(el.fill), BorderColor::all(el.line)));
    if el.shadow {
        entity.insert(BoxShadow::new(Color::srgba(0.0, 0.0, 0.0, 0.45), px(0), px(4), px(0), px(18)));
    } else {
        entity.remove::<BoxShadow>();
    }
}

fn write_what(world: &mut World, entity: Entity, el: &El) {
    match &el.what {
        What::Area => {}
        What::Scroll => {
            world.entity_mut(entity).insert(ScrollArea);
        }
        What::Text(words) => {
            let font = world.resource::<Letters>().font(words.size, words.strong);
            let linebreak = if words.wrap { LineBreak::WordOrCharacter } else { LineBreak::NoWrap };
            let layout = TextLayout::linebreak(linebreak);
            world.entity_mut(entity).insert((Text::new(&words.text), font, TextColor(words.color), layout));
        }
        What::Image(image) => {
            world.entity_mut(entity).insert(ImageNode::new(image.clone()));
        }
        What::Slider(slide) => write_slide(world, entity, slide),
        What::Thumb => {
            world.entity_mut(entity).insert(SliderThumb);
        }
    }
}

fn write_slide(world: &mut World, entity: Entity, slide: &Slide) {
    let mut entity = world.entity_mut(entity);
    if !entity.contains::<Slider>() {
        let slider = Slider { track_click: TrackClick::Snap, ..default() };
        entity.insert((slider, Hovered::default(), SliderPrecision(4), Outline::new(px(2), px(2), Color::NONE)));
    }
    #[expect(clippy::cast_possible_truncation, reason = "a place on the screen")]
    let (min, max, step, at) = (slide.min as f32, slide.max as f32, slide.step as f32, slide.at as f32);
    entity.insert((SliderRange::new(min, max), SliderStep(step), slide.clone()));
    if !entity.contains::<Placed>() {
        entity.insert((SliderValue(at), Placed));
    }
    write_enabled(&mut entity, slide.enabled);
}

/// The slider has a value: from now on only the hand and `follow_slides` change it.
#[derive(Component)]
struct Placed;

fn write_press(world: &mut World, entity: Entity, el: &El) {
    if let Some(press) = &el.press {
        let mut entity = world.entity_mut(entity);
        entity.insert(Press::clone(press));
        write_enabled(&mut entity, press.enabled);
    }
}

fn write_enabled(entity: &mut EntityWorldMut<'_>, enabled: bool) {
    if enabled {
        entity.remove::<InteractionDisabled>();
    } else {
        entity.insert(InteractionDisabled);
    }
}
