use std::path::{Path, PathBuf};

use bevy::{
    asset::{LoadState, io::embedded::EmbeddedAssetRegistry},
    gltf::GltfLoaderSettings,
    prelude::*,
    tasks::{AsyncComputeTaskPool, Task, futures::check_ready},
    world_serialization::WorldInstanceReady,
};
use vestibule_twin::{Notify, TwinPart, TwinRole, Urgency, model::TwinId};

use super::{ModelLimits, ShowTwinModel, TwinModelRefused, TwinModelShown, TwinVisual, shelf};
use crate::{
    model_check::{ModelRefusal, ModelSummary, check_glb},
    scene::Places,
    twins::Twins,
};

/// Models that wait for their check at once. A home has dozens of devices; each may be 32 MiB.
const MAX_WAITING: usize = 64;

/// Checks that are under way.
#[derive(Resource, Default)]
pub(super) struct Checks {
    running: Vec<(ShowTwinModel, Task<Result<ModelSummary, ModelRefusal>>)>,
    shown: u64,
}

/// What is inside of a model's holder: which file it came from, whose it is, and which node is meant.
#[derive(Component, Clone, Debug)]
pub(super) struct Holder {
    path: PathBuf,
    twin: TwinId,
    node: Option<String>,
}

/// On a holder whose model has not been loaded yet.
#[derive(Component, Clone, Copy, Debug, Default)]
pub(super) struct Loading;

/// A big file is read on another thread: no frame waits for it.
pub(super) fn start_checks(
    mut requests: MessageReader<ShowTwinModel>,
    limits: Res<ModelLimits>,
    mut checks: ResMut<Checks>,
    mut notify: MessageWriter<Notify>,
) {
    for request in requests.read() {
        // The newest model of a twin is the one that counts.
        checks.running.retain(|(older, _)| older.twin != request.twin);
        if checks.running.len() >= MAX_WAITING {
            let text = "Too many models arrive at once; it has a tile for now.".to_owned();
            notify.write(refusal_notice(&request.twin, text));
            continue;
        }
        let (bytes, limits) = (request.bytes.clone(), limits.0);
        let task = AsyncComputeTaskPool::get().spawn(async move { check_glb(&bytes, &limits) });
        checks.running.push((request.clone(), task));
    }
}

fn refusal_notice(twin: &TwinId, text: String) -> Notify {
    Notify {
        urgency: Urgency::Problem,
        title: format!("The model of {} is not shown", twin.local()),
        text,
        twin: Some(twin.clone()),
    }
}

pub(super) fn finish_checks(
    mut checks: ResMut<Checks>,
    twins: Twins,
    (parts, visuals): (Query<&TwinPart, Without<TwinVisual>>, Query<(Entity, &TwinVisual)>),
    parents: Query<&ChildOf>,
    nodes: Query<Entity, With<TwinPart>>,
    (server, registry, places): (Res<AssetServer>, Res<EmbeddedAssetRegistry>, Res<Places>),
    mut refused: MessageWriter<TwinModelRefused>,
    mut notify: MessageWriter<Notify>,
    mut commands: Commands,
) {
    let Checks { running, shown: counter } = &mut *checks;
    running.retain_mut(|(request, task)| {
        let Some(result) = check_ready(task) else { return true };
        let twin = &request.twin;
        let summary = match result {
            Ok(summary) => summary,
            Err(refusal) => {
                notify.write(refusal_notice(twin, refusal.to_string()));
                refused.write(TwinModelRefused { twin: twin.clone(), refusal });
                return false;
            }
        };
        let of_world = nodes.iter().filter(|node| !parents.iter_ancestors(*node).any(|at| visuals.contains(at)));
        if of_world.filter_map(|node| parts.get(node).ok()).any(|part| part.twin == *twin) {
            return false;
        }
        let old: Vec<_> = visuals.iter().filter(|(_, visual)| visual.twin == *twin).collect();
        let own = twins.get(twin).info.and_then(|info| info.place.as_ref());
        let taken = visuals.iter().filter(|(_, visual)| visual.twin != *twin).filter_map(|(_, visual)| visual.slot);
        let slot = own.is_none().then(|| shelf::free_slot(taken));
        let place = match (own, slot) {
            (Some(own), _) => Transform::from_translation(Vec3::from(own.position))
                .with_rotation(Quat::from_array(own.rotation).normalize()),
            (None, slot) => {
                let place = slot.and_then(|slot| shelf::place(&places, slot));
                let Some(place) = place else {
                    let text = "There is no place for it on the wall.".to_owned();
                    notify.write(refusal_notice(twin, text));
                    return false;
                };
                place.with_scale(Vec3::splat(shelf_scale(&summary)))
            }
        };
        old.iter().for_each(|(entity, _)| commands.entity(*entity).despawn());
        *counter += 1;
        let path = PathBuf::from(format!("vestibule_twin_models/{counter}.glb"));
        registry.insert_asset(PathBuf::new(), &path, request.bytes.to_vec());
        let holder = load(&path, request, &server);
        let visual = TwinVisual { twin: twin.clone(), slot, tile: None };
        let part = TwinPart { twin: twin.clone(), role: TwinRole::Body };
        let name = Name::new(format!("model of {twin}"));
        commands.spawn((visual, part, place, Visibility::default(), name)).with_child(holder);
        false
    });
}

/// Metres that a model on the shelf is high, wide and deep at most.
const SHELF_SIZE: f32 = 0.24;

fn shelf_scale(summary: &ModelSummary) -> f32 {
    let size = (Vec3::from(summary.bounds[1]) - Vec3::from(summary.bounds[0])).max_element();
    if size > SHELF_SIZE { SHELF_SIZE / size } else { 1.0 }
}

/// Cameras, lights and animations of a model from outside are not wanted: they would take over the person's view.
fn load(path: &Path, request: &ShowTwinModel, server: &AssetServer) -> impl Bundle + use<> {
    let address = format!("embedded://{}#Scene0", path.display());
    let scene = server
        .load_builder()
        .with_settings(|settings: &mut GltfLoaderSettings| {
            settings.load_cameras = false;
            settings.load_lights = false;
            settings.load_animations = false;
        })
        .load(address);
    let holder = Holder { path: path.to_owned(), twin: request.twin.clone(), node: request.node.clone() };
    (WorldAssetRoot(scene), holder, Loading, Transform::IDENTITY)
}

/// A model that passed its check and cannot be loaded all the same (an image that ends in the middle): its twin gets its
/// tile back.
pub(super) fn give_up(
    loading: Query<(&Holder, &WorldAssetRoot, &ChildOf), With<Loading>>,
    (server, registry): (Option<Res<AssetServer>>, Option<Res<EmbeddedAssetRegistry>>),
    mut refused: MessageWriter<TwinModelRefused>,
    mut notify: MessageWriter<Notify>,
    mut commands: Commands,
) {
    let Some(server) = server else { return };
    for (holder, root, parent) in &loading {
        let LoadState::Failed(error) = server.load_state(&root.0) else { continue };
        let why: String = error.to_string().chars().take(200).collect();
        let refusal = ModelRefusal::Load(why);
        notify.write(refusal_notice(&holder.twin, refusal.to_string()));
        refused.write(TwinModelRefused { twin: holder.twin.clone(), refusal });
        if let Some(registry) = &registry {
            registry.remove_asset(&holder.path);
        }
        commands.entity(parent.parent()).despawn();
    }
}

/// Shows only the node that is the twin, and puts it where the twin is. The file's bytes are not needed any more.
pub(super) fn place_node(
    ready: On<WorldInstanceReady>,
    mut holders: Query<(&Holder, &mut Transform)>,
    nodes: Query<(&Transform, Option<&Name>), Without<Holder>>,
    (children, parents): (Query<&Children>, Query<&ChildOf>),
    registry: Option<Res<EmbeddedAssetRegistry>>,
    mut shown: MessageWriter<TwinModelShown>,
    mut commands: Commands,
) {
    let Ok((holder, mut transform)) = holders.get_mut(ready.entity) else { return };
    commands.entity(ready.entity).remove::<Loading>();
    shown.write(TwinModelShown { twin: holder.twin.clone() });
    if let Some(registry) = registry {
        registry.remove_asset(&holder.path);
    }
    let Some(wanted) = &holder.node else { return };
    let named =
        |entity: &Entity| nodes.get(*entity).is_ok_and(|(_, name)| name.is_some_and(|name| name.as_str() == wanted));
    let Some(node) = children.iter_descendants(ready.entity).find(named) else {
        warn!("a twin's model has no node {wanted:?}: all of it is shown");
        return;
    };
    let chain = std::iter::once(node).chain(parents.iter_ancestors(node)).take_while(|at| *at != ready.entity);
    let matrices = chain.filter_map(|at| nodes.get(at).ok()).map(|(transform, _)| transform.to_matrix());
    let above = matrices.fold(Mat4::IDENTITY, |below, here| here * below);
    // Only where the node is: its size and direction are meant.
    transform.translation = -above.transform_point3(Vec3::ZERO);
    for child in children.get(ready.entity).into_iter().flatten() {
        commands.entity(*child).insert(Visibility::Hidden);
    }
    commands.entity(node).insert(Visibility::Visible);
}
