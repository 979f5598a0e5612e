//! Time of day: sun, moon, sky, the light in rooms, and how the picture is exposed.

mod material;
mod mend;
mod sun;

use bevy::{
    anti_alias::fxaa::Fxaa,
    asset::embedded_asset,
    camera::{Exposure, Hdr, visibility::NoFrustumCulling},
    core_pipeline::tonemapping::Tonemapping,
    light::{
        CascadeShadowConfigBuilder, DirectionalLightShadowMap, EnvironmentMapLight, NotShadowCaster, NotShadowReceiver,
    },
    post_process::bloom::Bloom,
    prelude::*,
    render::view::{ColorGrading, ColorGradingGlobal, ColorGradingSection},
};

pub use material::SkyMaterial;
pub use sun::{Daylight, daylight, towards_moon, towards_sun};

use crate::{
    pointer::PointerIgnores,
    scene::{LightmapExposure, Lightmapped},
    walk::Eye,
};

/// The hour, and how fast it passes.
#[derive(Resource, Clone, Copy, Debug, PartialEq)]
pub struct TimeOfDay {
    /// Hours after midnight, solar time.
    pub hours: f32,
    /// Hours that pass in a second: 0 stands still, 1/3600 is real time.
    pub speed: f32,
}

impl Default for TimeOfDay {
    fn default() -> Self {
        Self { hours: 10.0, speed: 0.0 }
    }
}

/// What a picture may cost. Changed at any time.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SkyQuality {
    /// For software renderers: one small shadow map, no clouds, no bloom, edges smoothed after drawing.
    Low,
    /// For graphics cards.
    #[default]
    High,
}

/// When the light follows the hour.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SkySystems {
    /// In [`Update`]: the hour passes, lights and colours follow.
    Light,
}

/// Sky and daylight. Needs a renderer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SkyPlugin {
    /// The hour to begin with.
    pub time: TimeOfDay,
    /// What it may cost.
    pub quality: SkyQuality,
}

/// On the sun's light, which is the moon's at night.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct Sun;

/// On the sky's dome.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct Dome;

/// Metres of the dome's radius: within what a camera sees by default.
const RADIUS: f32 = 600.0;

/// Shares of the lightmap's exposure that are too near to each other to change materials for.
const EXPOSURE_STEP: f32 = 0.02;

impl Plugin for SkyPlugin {
    fn build(&self, app: &mut App) {
        embedded_asset!(app, "sky.wgsl");
        app.add_plugins(MaterialPlugin::<SkyMaterial>::default())
            .insert_resource(self.time)
            .insert_resource(self.quality)
            .add_systems(Startup, spawn_sky)
            .add_systems(
                Update,
                (pass_time, (light_world, expose_lightmaps, prepare_eyes, set_quality))
                    .chain()
                    .in_set(SkySystems::Light),
            )
            .add_systems(First, mend::mend_shader)
            .add_systems(PostUpdate, follow_eye.before(TransformSystems::Propagate));
    }
}

fn spawn_sky(mut meshes: ResMut<Assets<Mesh>>, mut materials: ResMut<Assets<SkyMaterial>>, mut commands: Commands) {
    commands.spawn((Sun, Name::new("sun"), DirectionalLight { shadow_maps_enabled: true, ..default() }));
    commands.spawn((
        Dome,
        Name::new("sky"),
        Mesh3d(meshes.add(Sphere::new(RADIUS).mesh().uv(24, 12))),
        MeshMaterial3d(materials.add(SkyMaterial::default())),
        (NotShadowCaster, NotShadowReceiver, NoFrustumCulling, PointerIgnores),
    ));
}

fn pass_time(time: Res<Time>, mut day: ResMut<TimeOfDay>) {
    if day.speed != 0.0 {
        day.hours = (day.hours + day.speed * time.delta_secs()).rem_euclid(24.0);
    }
}

fn light_world(
    day: Res<TimeOfDay>,
    (quality, time): (Res<SkyQuality>, Res<Time>),
    mut ambient: ResMut<GlobalAmbientLight>,
    mut suns: Query<(&mut DirectionalLight, &mut Transform), With<Sun>>,
    mut eyes: Query<(&mut Exposure, Option<&mut EnvironmentMapLight>), With<Eye>>,
    domes: Query<&MeshMaterial3d<SkyMaterial>, With<Dome>>,
    mut materials: ResMut<Assets<SkyMaterial>>,
) {
    let light = daylight(day.hours);
    for (mut exposure, round) in &mut eyes {
        if (exposure.ev100 - light.ev100).abs() > 0.001 {
            exposure.ev100 = light.ev100;
        }
        if let Some(mut round) = round
            && (round.intensity - light.round).abs() > 0.001
        {
            round.intensity = light.round;
        }
    }
    let clouds = if *quality == SkyQuality::High { 0.75 } else { 0.0 };
    if !day.is_changed() && !quality.is_changed() && clouds == 0.0 {
        return;
    }
    for dome in &domes {
        if let Some(mut material) = materials.get_mut(&dome.0) {
            *material = SkyMaterial::of(&light, day.hours, clouds, time.elapsed_secs_wrapped());
        }
    }
    if !day.is_changed() && !quality.is_changed() {
        return;
    }
    *ambient = GlobalAmbientLight {
        color: Color::LinearRgba(light.ambient_colour),
        brightness: light.ambient,
        affects_lightmapped_meshes: true,
    };
    for (mut sun, mut transform) in &mut suns {
        sun.color = Color::LinearRgba(light.colour);
        sun.illuminance = light.lux;
        sun.shadow_maps_enabled = light.lux > 1.0;
        *transform = Transform::default().looking_to(-light.towards, Vec3::Y);
    }
}

/// Baked light is daylight: it goes with the day.
fn expose_lightmaps(
    day: Res<TimeOfDay>,
    exposure: Option<Res<LightmapExposure>>,
    baked: Query<&MeshMaterial3d<StandardMaterial>, With<Lightmapped>>,
    new: Query<(), Added<Lightmapped>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
    mut shown: Local<f32>,
) {
    let Some(exposure) = exposure else { return };
    let light = daylight(day.hours);
    let wanted = exposure.0 * (0.04 + 0.96 * light.day);
    if new.is_empty() && (wanted - *shown).abs() <= exposure.0 * EXPOSURE_STEP {
        return;
    }
    *shown = wanted;
    for handle in &baked {
        if materials.get(&handle.0).is_some_and(|material| (material.lightmap_exposure - wanted).abs() > f32::EPSILON)
            && let Some(mut material) = materials.get_mut(&handle.0)
        {
            material.lightmap_exposure = wanted;
        }
    }
}

fn prepare_eyes(
    quality: Res<SkyQuality>,
    eyes: Query<Entity, With<Eye>>,
    new: Query<(), Added<Eye>>,
    mut images: ResMut<Assets<Image>>,
    mut round: Local<Option<EnvironmentMapLight>>,
    mut commands: Commands,
) {
    if !quality.is_changed() && new.is_empty() {
        return;
    }
    // One texel a side: enough to tell ceilings from floors, and nothing to draw.
    let round = round.get_or_insert_with(|| {
        let (above, beside, below) =
            (LinearRgba::rgb(0.88, 0.94, 1.0), LinearRgba::rgb(0.78, 0.76, 0.72), LinearRgba::rgb(0.42, 0.37, 0.31));
        EnvironmentMapLight {
            affects_lightmapped_mesh_diffuse: false,
            ..EnvironmentMapLight::hemispherical_gradient(&mut images, above, beside, below)
        }
    });
    for eye in &eyes {
        let mut eye = commands.entity(eye);
        eye.insert((Tonemapping::TonyMcMapface, round.clone(), grading()));
        match *quality {
            SkyQuality::Low => {
                eye.insert((Msaa::Off, Fxaa::default())).remove::<(Hdr, Bloom)>();
            }
            SkyQuality::High => {
                eye.insert((Msaa::Sample4, Hdr, Bloom { intensity: 0.06, ..Bloom::NATURAL })).remove::<Fxaa>();
            }
        }
    }
}

/// Tony McMapface is modest: a little more contrast and colour, as a person remembers a sunny room.
fn grading() -> ColorGrading {
    let section = ColorGradingSection { contrast: 1.08, ..default() };
    let global = ColorGradingGlobal { exposure: 0.35, post_saturation: 1.14, ..default() };
    ColorGrading { global, shadows: section, midtones: section, highlights: section }
}

fn set_quality(
    quality: Res<SkyQuality>,
    suns: Query<Entity, With<Sun>>,
    mut shadow_map: ResMut<DirectionalLightShadowMap>,
    mut commands: Commands,
) {
    if !quality.is_changed() {
        return;
    }
    let (size, cascades, metres) = match *quality {
        SkyQuality::Low => (1024, 1, 16.0),
        SkyQuality::High => (2048, 3, 40.0),
    };
    shadow_map.size = size;
    let cascades = CascadeShadowConfigBuilder {
        num_cascades: cascades,
        minimum_distance: 0.1,
        maximum_distance: metres,
        first_cascade_far_bound: 6.0,
        ..default()
    };
    for sun in &suns {
        commands.entity(sun).insert(cascades.build());
    }
}

fn follow_eye(eyes: Query<&GlobalTransform, With<Eye>>, mut domes: Query<&mut Transform, With<Dome>>) {
    let Some(eye) = eyes.iter().next() else { return };
    for mut dome in &mut domes {
        dome.translation = eye.translation();
    }
}
