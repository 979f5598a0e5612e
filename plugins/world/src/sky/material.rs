use bevy::{
    mesh::MeshVertexBufferLayoutRef,
    pbr::{MaterialPipeline, MaterialPipelineKey},
    prelude::*,
    render::render_resource::{AsBindGroup, RenderPipelineDescriptor, SpecializedMeshPipelineError},
    shader::ShaderRef,
};

use super::{Daylight, towards_moon, towards_sun};

/// What the sky's dome is drawn with.
#[derive(Asset, TypePath, AsBindGroup, Clone, Debug, Default, PartialEq)]
pub struct SkyMaterial {
    #[uniform(0)]
    zenith: LinearRgba,
    #[uniform(0)]
    horizon: LinearRgba,
    #[uniform(0)]
    sun: Vec4,
    #[uniform(0)]
    moon: Vec4,
    #[uniform(0)]
    glow: Vec4,
    #[uniform(0)]
    extra: Vec4,
}

impl SkyMaterial {
    /// The sky of this light at so many hours, with clouds from 0 to 1 that have drifted for so many seconds.
    #[must_use]
    pub fn of(light: &Daylight, hours: f32, clouds: f32, seconds: f32) -> Self {
        let night = (1.0 - light.day) * (1.0 - light.dusk * 0.7);
        Self {
            zenith: light.zenith,
            horizon: light.horizon,
            sun: towards_sun(hours).extend(light.day),
            moon: towards_moon(hours).extend(night),
            glow: Vec4::new(1.0, 0.62 + 0.3 * light.day, 0.35 + 0.45 * light.day, light.dusk),
            extra: Vec4::new(clouds, seconds, night, 0.0),
        }
    }
}

impl Material for SkyMaterial {
    fn fragment_shader() -> ShaderRef {
        "embedded://vestibule_world/sky/sky.wgsl".into()
    }

    // Drawn after what is solid and tested against its depth: indoors only the windows' pixels cost anything.
    fn alpha_mode(&self) -> AlphaMode {
        AlphaMode::Blend
    }

    // Behind everything that is glass.
    fn depth_bias(&self) -> f32 {
        -1.0e6
    }

    fn enable_prepass() -> bool {
        false
    }

    fn enable_shadows() -> bool {
        false
    }

    fn specialize(
        _: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        _: &MeshVertexBufferLayoutRef,
        _: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        // One stands inside. The depth bias is for sorting alone: a real one would push the dome out of sight.
        descriptor.primitive.cull_mode = None;
        if let Some(depth) = &mut descriptor.depth_stencil {
            depth.bias.constant = 0;
        }
        Ok(())
    }
}
