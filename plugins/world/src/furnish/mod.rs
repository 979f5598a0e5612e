//! Furniture: taken from the catalogue, put down where it may stand, taken away, undone, kept in the world file.

mod bought;
mod catalogue;
mod hand;
mod history;
mod measures;
mod room;
mod shape;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

use bevy::{asset::LoadState, prelude::*, world_serialization::WorldInstanceReady};
use vestibule_input::{Attention, Control, ControlSystems, Controls, ensure_control_plugin};
use vestibule_twin::{
    AtDesign, CancelHeld, Catalogue, FurnitureId, FurniturePlaced, FurnitureRefused, FurnitureRemoved, HeldFurniture,
    Notify, PlaceHeld, RedoFurnishing, RemoveFurniture, TurnHeld, UndoFurnishing, Urgency, ensure_twin_plugin,
};

pub use catalogue::{CatalogueError, CatalogueFile, read_catalogue};
pub use history::{Change, Furnishing, MAX_PIECES};
pub use room::Walls;
pub use shape::{
    Bounds, FINE, FLAT, GRID, Solid, TURN, snap_finely, snap_to_grid, snap_to_hang, snap_to_wall, snap_turn,
};

use crate::{
    pointer::{PointedSurface, PointerSettings},
    scene::{WorldState, box_collider, mesh_bounds},
    world_file::WorldRecord,
};

/// When furnishing happens.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FurnishSystems {
    /// In [`PreUpdate`], among [`ControlSystems`]: keys become requests.
    Control,
    /// In [`Update`]: what is held follows the pointer; requests are followed; what stands is shown.
    Follow,
}

/// Furnishing.
#[derive(Clone, Debug)]
pub struct FurnishPlugin {
    /// Asset path of the catalogue.
    pub catalogue: String,
    /// Names of the zones in which furniture may stand; none: anywhere.
    pub zones: Vec<String>,
    /// Where the world file is; `None`: nothing is kept.
    pub file: Option<PathBuf>,
}

impl Default for FurnishPlugin {
    fn default() -> Self {
        Self { catalogue: "furniture/catalogue.toml".to_owned(), zones: vec!["lounge".to_owned()], file: None }
    }
}

/// Names of the zones in which furniture may stand; none: anywhere.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct FurnishZones(pub Vec<String>);

/// What stands in the world, and its history.
#[derive(Resource, Clone, Debug, Default)]
pub struct Furniture(pub Furnishing);

/// The corners of the catalogue's models, by key, as far as they were loaded.
#[derive(Resource, Clone, Debug, Default)]
pub struct ModelBounds(pub HashMap<String, Bounds>);

/// Models of the catalogue that cannot be loaded, by key.
#[derive(Resource, Clone, Debug, Default)]
pub struct BrokenModels(pub HashSet<String>);

/// On the entity of a piece, standing or held: its key in the catalogue.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
pub struct FurnitureModel(pub String);

impl Plugin for FurnishPlugin {
    fn build(&self, app: &mut App) {
        ensure_twin_plugin(app);
        ensure_control_plugin(app);
        let record = WorldRecord::open(self.file.clone());
        if let Some(text) = record.problem.clone() {
            let title = "The world file could not be read".to_owned();
            app.world_mut().write_message(Notify { urgency: Urgency::Problem, title, text, twin: None });
        }
        app.insert_resource(Furniture(Furnishing::new(record.file.furniture.iter().cloned())))
            .insert_resource(record)
            .insert_resource(FurnishZones(self.zones.clone()))
            .init_resource::<ModelBounds>()
            .init_resource::<BrokenModels>()
            .init_resource::<hand::Hand>()
            .init_resource::<PointedSurface>()
            .init_asset::<CatalogueFile>()
            .register_asset_loader(catalogue::CatalogueLoader);
        let loading = app.world().resource::<AssetServer>().load(self.catalogue.clone());
        app.insert_resource(catalogue::LoadingCatalogue(loading))
            .configure_sets(PreUpdate, FurnishSystems::Control.in_set(ControlSystems))
            .add_systems(PreUpdate, (read_keys, point).in_set(FurnishSystems::Control))
            .add_systems(Update, measures::tell.after(FurnishSystems::Follow))
            .add_systems(Update, (catalogue::take_catalogue, notice_broken).before(FurnishSystems::Follow))
            .add_systems(
                Update,
                (hand::take, hand::turn, hand::follow, (hand::put_down, change).chain(), reconcile, hand::tint)
                    .chain()
                    .in_set(FurnishSystems::Follow)
                    .run_if(in_state(WorldState::Ready)),
            )
            .add_systems(Update, (bought::follow, bought::part).chain().after(FurnishSystems::Follow))
            .add_observer(measure);
    }
}

/// Keys become the same requests that a screen or a program would send.
fn read_keys(
    controls: Controls,
    attention: Res<State<Attention>>,
    designing: Res<AtDesign>,
    held: Res<HeldFurniture>,
    mut commands: Commands,
) {
    // Whoever designs undoes and removes parts of that.
    if *attention.get() == Attention::Panel || designing.0 {
        return;
    }
    let pressed = |control| controls.just_pressed(control);
    if held.model.is_some() {
        if pressed(Control::Interact) {
            commands.write_message(PlaceHeld);
        }
        if pressed(Control::Turn) {
            commands.write_message(TurnHeld { radians: TURN });
        }
        if pressed(Control::Cancel) || pressed(Control::Remove) {
            commands.write_message(CancelHeld);
        }
    } else if let Some(piece) = held.pointed
        && pressed(Control::Remove)
    {
        commands.write_message(RemoveFurniture { piece });
    }
    if pressed(Control::Undo) {
        commands.write_message(UndoFurnishing);
    }
    if pressed(Control::Redo) {
        commands.write_message(RedoFurnishing);
    }
}

/// Which piece is pointed at with empty hands.
fn point(
    surface: Res<PointedSurface>,
    settings: Option<Res<PointerSettings>>,
    parents: Query<&ChildOf>,
    pieces: Query<&FurnitureId>,
    mut held: ResMut<HeldFurniture>,
) {
    let reach = settings.map_or(4.0, |settings| settings.reach);
    let hit = surface.hit.filter(|hit| hit.distance <= reach && held.model.is_none());
    let pointed = hit.and_then(|hit| {
        let mut chain = std::iter::once(hit.entity).chain(parents.iter_ancestors(hit.entity));
        chain.find_map(|entity| pieces.get(entity).ok().copied())
    });
    if held.pointed != pointed {
        held.pointed = pointed;
    }
}

/// Removes, undoes and redoes, and keeps what came of it.
fn change(
    mut removals: MessageReader<RemoveFurniture>,
    mut undos: MessageReader<UndoFurnishing>,
    mut redos: MessageReader<RedoFurnishing>,
    mut furniture: ResMut<Furniture>,
    mut refused: MessageWriter<FurnitureRefused>,
    mut held: ResMut<HeldFurniture>,
) {
    let refuse = |done: Option<Change>, reason: &str, refused: &mut MessageWriter<FurnitureRefused>| {
        if done.is_none() {
            refused.write(FurnitureRefused { reason: reason.to_owned() });
        }
    };
    for request in removals.read() {
        refuse(furniture.0.remove(request.piece.0), "That piece is not there any more.", &mut refused);
    }
    for _ in undos.read() {
        refuse(furniture.0.undo(), "There is nothing to undo.", &mut refused);
    }
    for _ in redos.read() {
        refuse(furniture.0.redo(), "There is nothing to redo.", &mut refused);
    }
    let (undoable, redoable) = furniture.0.depth();
    if (held.undoable, held.redoable) != (undoable, redoable) {
        (held.undoable, held.redoable) = (undoable, redoable);
    }
}

/// Shows what stands and nothing else, says what came and went, and writes the world file.
fn reconcile(
    furniture: Res<Furniture>,
    catalogue: Res<Catalogue>,
    shown: Query<(Entity, &FurnitureId, &FurnitureModel, &Transform)>,
    server: Res<AssetServer>,
    mut record: ResMut<WorldRecord>,
    mut placed: MessageWriter<FurniturePlaced>,
    mut removed: MessageWriter<FurnitureRemoved>,
    mut notify: MessageWriter<Notify>,
    mut commands: Commands,
) {
    if !furniture.is_changed() && !catalogue.is_changed() {
        return;
    }
    for (entity, id, model, _) in &shown {
        if furniture.0.get(id.0).is_none() {
            commands.entity(entity).despawn();
            removed.write(FurnitureRemoved { piece: *id, model: model.0.clone() });
        }
    }
    for piece in furniture.0.pieces() {
        let id = FurnitureId(piece.id);
        // A model that the catalogue does not have (yet) stays in the file and is not shown.
        let Some(entry) = catalogue.get(&piece.model) else { continue };
        if shown.iter().any(|(_, other, ..)| *other == id) {
            continue;
        }
        let scene = server.load(GltfAssetLabel::Scene(0).from_asset(entry.model.clone()));
        let place =
            Transform::from_translation(Vec3::from(piece.position)).with_rotation(Quat::from_rotation_y(piece.yaw));
        commands.spawn((
            id,
            FurnitureModel(piece.model.clone()),
            WorldAssetRoot(scene),
            place,
            Name::new(piece.model.clone()),
        ));
        placed.write(FurniturePlaced {
            piece: id,
            model: piece.model.clone(),
            position: piece.position,
            yaw: piece.yaw,
        });
    }
    let now: Vec<_> = furniture.0.pieces().cloned().collect();
    if record.file.furniture != now {
        record.file.furniture = now;
        if let Err(error) = record.save() {
            let title = "Your furniture could not be saved".to_owned();
            notify.write(Notify { urgency: Urgency::Problem, title, text: error.to_string(), twin: None });
        }
    }
}

/// A model that cannot be loaded is told once: its pieces stay in the world file and are not to be seen.
fn notice_broken(
    pieces: Query<(&FurnitureModel, &WorldAssetRoot)>,
    server: Res<AssetServer>,
    bounds: Res<ModelBounds>,
    mut broken: ResMut<BrokenModels>,
    mut notify: MessageWriter<Notify>,
) {
    for (model, root) in &pieces {
        if bounds.0.contains_key(&model.0) || broken.0.contains(&model.0) {
            continue;
        }
        let LoadState::Failed(error) = server.load_state(&root.0) else { continue };
        broken.0.insert(model.0.clone());
        let title = format!("The model of {} cannot be loaded", model.0.replace('_', " "));
        let text: String = error.to_string().chars().take(300).collect();
        notify.write(Notify { urgency: Urgency::Problem, title, text, twin: None });
    }
}

/// Measures a model when it is there, and makes standing pieces solid.
fn measure(
    ready: On<WorldInstanceReady>,
    pieces: Query<(&FurnitureModel, Has<FurnitureId>)>,
    nodes: Query<(&Transform, Option<&Mesh3d>)>,
    children: Query<&Children>,
    meshes: Res<Assets<Mesh>>,
    mut bounds: ResMut<ModelBounds>,
    mut commands: Commands,
) {
    let Ok((model, stands)) = pieces.get(ready.entity) else { return };
    let mut corners: Option<(Vec3, Vec3)> = None;
    let mut open: Vec<(Entity, Mat4)> =
        children.get(ready.entity).into_iter().flatten().map(|child| (*child, Mat4::IDENTITY)).collect();
    while let Some((entity, above)) = open.pop() {
        let Ok((transform, mesh)) = nodes.get(entity) else { continue };
        let here = above * transform.to_matrix();
        if let Some((low, high)) = mesh.and_then(|mesh| mesh_bounds(meshes.get(&mesh.0)?)) {
            for corner in 0..8 {
                let pick = |bit: usize, a: f32, b: f32| if corner & bit == 0 { a } else { b };
                let point = Vec3::new(pick(1, low.x, high.x), pick(2, low.y, high.y), pick(4, low.z, high.z));
                let point = here.transform_point3(point);
                corners = Some(corners.map_or((point, point), |(l, h)| (l.min(point), h.max(point))));
            }
        }
        open.extend(children.get(entity).into_iter().flatten().map(|child| (*child, here)));
    }
    let Some((low, high)) = corners else { return };
    let size = Bounds { low, high };
    bounds.0.insert(model.0.clone(), size);
    // One walks over what is flat.
    if stands && !size.is_flat() {
        commands.entity(ready.entity).insert(box_collider(low, high));
    }
}
