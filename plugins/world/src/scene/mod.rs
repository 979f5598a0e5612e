//! Any glTF scene as the world.

mod bind;
mod extras;
mod mips;
mod places;
#[cfg(test)]
mod tests;

use bevy::{
    asset::{AssetPath, LoadState},
    gltf::{GltfExtras, GltfLoaderSettings},
    pbr::Lightmap,
    prelude::*,
    world_serialization::WorldInstanceReady,
};
use vestibule_twin::{Notify, Urgency, ensure_twin_plugin};

pub use bind::Lightmapped;
pub(crate) use bind::{box_collider, mesh_bounds};
pub use extras::{ColliderKind, LevelPart, MAX_EXTRAS, MakingPart, NodeMeaning, read_extras, role};
pub use places::{Anchor, Places, SpawnPoint, Waypoint, Zone};

use crate::world_file::WorldRecord;

/// How far the world is.
#[derive(States, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WorldState {
    /// Its file is read; there is no ground yet, and nobody walks.
    #[default]
    Loading,
    /// It stands, with colliders, parts and [`Places`].
    Ready,
    /// Its file is missing or invalid; [`WorldFailed`] says why.
    Failed,
}

/// Request: load this scene as the world, instead of what is there.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct LoadWorld {
    /// Asset path of a glTF file.
    pub scene: String,
}

/// Fact: the world stands.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct WorldLoaded {
    /// How many nodes show a twin.
    pub parts: usize,
    /// What in the file could not be understood, one line each.
    pub problems: Vec<String>,
}

/// Fact: there is no world.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct WorldFailed {
    /// Asset path of the file.
    pub scene: String,
    /// Why, for a person.
    pub reason: String,
}

/// On the entity whose descendants are the world's nodes.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
pub struct WorldScene {
    /// Asset path of its glTF file.
    pub scene: String,
}

/// When the world is bound.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SceneSystems {
    /// In [`Update`]: requests to load are followed, failures noticed.
    Load,
}

/// Loads the world. Needs [`WorldRecord`] for bindings by node name; without one, extras alone count.
#[derive(Clone, Debug)]
pub struct ScenePlugin {
    /// Asset path of the first world; `None`: wait for [`LoadWorld`].
    pub scene: Option<String>,
    /// How bright baked light is: candela per square metre for a white texel.
    pub lightmap_exposure: f32,
}

impl Default for ScenePlugin {
    fn default() -> Self {
        Self { scene: Some("home/home.glb".to_owned()), lightmap_exposure: 3000.0 }
    }
}

/// Settings of [`ScenePlugin`] that may change while the app runs.
#[derive(Resource, Clone, Copy, Debug, PartialEq)]
pub struct LightmapExposure(
    /// Candela per square metre for a white texel.
    pub f32,
);

impl Plugin for ScenePlugin {
    fn build(&self, app: &mut App) {
        ensure_twin_plugin(app);
        if !app.is_plugin_added::<bevy::state::app::StatesPlugin>() {
            app.add_plugins(bevy::state::app::StatesPlugin);
        }
        app.init_state::<WorldState>()
            .init_resource::<Places>()
            .init_resource::<WorldRecord>()
            .insert_resource(LightmapExposure(self.lightmap_exposure))
            .add_message::<LoadWorld>()
            .add_message::<WorldLoaded>()
            .add_message::<WorldFailed>()
            .add_systems(Update, (follow_requests, notice_failure).chain().in_set(SceneSystems::Load))
            .init_resource::<mips::Shrinking>()
            .add_systems(Update, (mips::start, mips::finish).chain().run_if(resource_exists::<Assets<Image>>))
            .add_observer(bind_scene);
        if let Some(scene) = self.scene.clone() {
            app.world_mut().write_message(LoadWorld { scene });
        }
    }
}

fn follow_requests(
    mut requests: MessageReader<LoadWorld>,
    old: Query<Entity, With<WorldScene>>,
    server: Res<AssetServer>,
    mut places: ResMut<Places>,
    mut state: ResMut<NextState<WorldState>>,
    mut commands: Commands,
) {
    let Some(LoadWorld { scene }) = requests.read().last().cloned() else { return };
    old.iter().for_each(|entity| commands.entity(entity).despawn());
    *places = Places::default();
    state.set(WorldState::Loading);
    let address = GltfAssetLabel::Scene(0).from_asset(AssetPath::from(scene.clone()));
    // A camera in the file would show its own view instead of the person's.
    let settings = |settings: &mut GltfLoaderSettings| settings.load_cameras = false;
    let handle = server.load_builder().with_settings(settings).load(address);
    commands.spawn((WorldScene { scene }, WorldAssetRoot(handle), Name::new("world")));
}

fn notice_failure(
    worlds: Query<(&WorldScene, &WorldAssetRoot)>,
    server: Res<AssetServer>,
    state: Res<State<WorldState>>,
    mut next: ResMut<NextState<WorldState>>,
    mut failed: MessageWriter<WorldFailed>,
    mut notify: MessageWriter<Notify>,
) {
    if *state.get() != WorldState::Loading {
        return;
    }
    for (world, root) in &worlds {
        let LoadState::Failed(error) = server.load_state(&root.0) else { continue };
        let reason: String = error.to_string().chars().take(400).collect();
        warn!(scene = world.scene, reason, "the world cannot be loaded");
        notify.write(Notify {
            urgency: Urgency::Problem,
            title: format!("The world {} cannot be loaded", world.scene),
            text: reason.clone(),
            twin: None,
        });
        failed.write(WorldFailed { scene: world.scene.clone(), reason });
        next.set(WorldState::Failed);
    }
}

fn bind_scene(
    ready: On<WorldInstanceReady>,
    worlds: Query<&WorldScene>,
    nodes: Query<(&'static Transform, Option<&'static Name>, Option<&'static GltfExtras>)>,
    (children, solids): (Query<&'static Children>, Query<&'static Mesh3d>),
    meshes: Option<Res<Assets<Mesh>>>,
    record: Res<WorldRecord>,
    mut places: ResMut<Places>,
    mut state: ResMut<NextState<WorldState>>,
    mut loaded: MessageWriter<WorldLoaded>,
    mut commands: Commands,
) {
    let Ok(world) = worlds.get(ready.entity) else { return };
    let scene = bind::Scene { nodes: &nodes, children: &children, solids: &solids, meshes: meshes.as_deref() };
    let bound = bind::bind(ready.entity, &scene, &record.file.binding, &mut commands);
    for problem in &bound.problems {
        warn!("{}: {problem}", world.scene);
    }
    info!(scene = world.scene, parts = bound.parts, "the world is ready");
    *places = bound.places;
    let picture = lightmap_path(&world.scene);
    commands.run_system_cached_with(light_baked, picture);
    loaded.write(WorldLoaded { parts: bound.parts, problems: bound.problems });
    state.set(WorldState::Ready);
}

/// `home/home.glb` has its baked light in `home/home_lightmap.png`.
fn lightmap_path(scene: &str) -> String {
    let stem = scene.rsplit_once('.').map_or(scene, |(stem, _)| stem);
    format!("{stem}_lightmap.png")
}

/// Puts the lightmap on everything that says it is baked. Nothing is loaded where nothing says so.
fn light_baked(
    picture: In<String>,
    baked: Query<(Entity, Option<&MeshMaterial3d<StandardMaterial>>), With<Lightmapped>>,
    server: Res<AssetServer>,
    exposure: Res<LightmapExposure>,
    materials: Option<ResMut<Assets<StandardMaterial>>>,
    mut commands: Commands,
) {
    let Some(mut materials) = materials else { return };
    if baked.is_empty() {
        return;
    }
    let image: Handle<Image> = server.load(picture.0);
    for (entity, material) in &baked {
        commands.entity(entity).insert(Lightmap { image: image.clone(), ..default() });
        let material = material.and_then(|material| materials.get_mut(&material.0));
        if let Some(mut material) = material {
            material.lightmap_exposure = exposure.0;
        }
    }
}
