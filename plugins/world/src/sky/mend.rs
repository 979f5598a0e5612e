use std::borrow::Cow;

use bevy::{
    prelude::*,
    shader::{Shader, Source},
};

/// What Bevy 0.19.1 says in its shader for light from around on meshes with baked light, and cannot compile: a truth and
/// a number. Without this, such meshes are not drawn on renderers without binding arrays (lavapipe and older cards).
const BROKEN: &str = "light_probes.view_environment_map_affects_lightmapped_mesh_diffuse;";
const MENDED: &str = "(light_probes.view_environment_map_affects_lightmapped_mesh_diffuse != 0u);";

/// Mends that shader when it is loaded. Does nothing where it is not broken.
pub(super) fn mend_shader(mut events: MessageReader<AssetEvent<Shader>>, mut shaders: ResMut<Assets<Shader>>) {
    for event in events.read() {
        let AssetEvent::Added { id } = event else { continue };
        let mended = shaders.get(*id).and_then(|shader| match &shader.source {
            Source::Wgsl(text) if text.contains(BROKEN) => Some(text.replace(BROKEN, MENDED)),
            _ => None,
        });
        if let Some(text) = mended
            && let Some(mut shader) = shaders.get_mut(*id)
        {
            shader.source = Source::Wgsl(Cow::Owned(text));
        }
    }
}
