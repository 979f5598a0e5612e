use bevy::{
    light::{NotShadowCaster, NotShadowReceiver},
    prelude::*,
};
use vestibule_twin::{PointedTwin, TwinPart};

use super::PointerIgnores;

/// A second skin over a mesh that is pointed at. The mesh's own material is never touched, so that there is nothing to
/// restore: the skin goes, and all is as it was.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct Highlight;

pub(super) fn highlight(
    pointed: Res<PointedTwin>,
    parts: Query<&TwinPart>,
    (children, meshes): (Query<&Children>, Query<&Mesh3d, Without<Highlight>>),
    skins: Query<Entity, With<Highlight>>,
    mut material: Local<Option<Handle<StandardMaterial>>>,
    materials: Option<ResMut<Assets<StandardMaterial>>>,
    mut commands: Commands,
) {
    skins.iter().for_each(|skin| commands.entity(skin).despawn());
    let (Some((twin, part)), Some(mut materials)) = (&pointed.target, materials) else { return };
    let material = material.get_or_insert_with(|| {
        materials.add(StandardMaterial {
            base_color: Color::srgba(0.45, 0.75, 1.0, 0.22),
            unlit: true,
            alpha_mode: AlphaMode::Blend,
            depth_bias: 8.0,
            ..default()
        })
    });
    let mut open = vec![*part];
    while let Some(entity) = open.pop() {
        // A part of another twin that hangs on this one is not meant.
        if parts.get(entity).is_ok_and(|part| part.twin != *twin) {
            continue;
        }
        if let Ok(mesh) = meshes.get(entity) {
            commands.entity(entity).with_child((
                Highlight,
                PointerIgnores,
                Mesh3d(mesh.0.clone()),
                MeshMaterial3d(material.clone()),
                NotShadowCaster,
                NotShadowReceiver,
            ));
        }
        open.extend(children.get(entity).into_iter().flatten());
    }
}
