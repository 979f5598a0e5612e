//! Walking in first person.

mod motion;

use bevy::{
    camera::{Exposure, RenderTarget, ShadowLodOrigin},
    input::mouse::AccumulatedMouseMotion,
    prelude::*,
    window::{CursorGrabMode, CursorOptions, PrimaryWindow},
};
use bevy_rapier3d::prelude::{
    CharacterAutostep, CharacterLength, Collider, KinematicCharacterController, KinematicCharacterControllerOutput,
    NoUserData, PhysicsSet, RapierPhysicsPlugin,
};
use vestibule_input::{Attention, Control, Controls, LookSettings, ensure_control_plugin};

pub use motion::{Gait, Steps, ease_head, next_velocity};

use crate::scene::{Places, WorldState};

/// Metres: the walker's capsule, from foot to crown, and half its width.
pub const HEIGHT: f32 = 1.7;
/// Metres.
pub const RADIUS: f32 = 0.25;
/// Metres above the feet.
pub const EYE_HEIGHT: f32 = 1.6;
/// Radians that the view can be tilted up or down.
const MAX_PITCH: f32 = 1.54;

/// The body of whoever walks. Its entity's origin is the middle of the capsule, and never turned: [`Gaze`] is.
#[derive(Component, Clone, Debug, Default)]
pub struct Walker {
    /// Metres a second, world's frame.
    pub velocity: Vec3,
    /// Metres by which the head is behind the body on a step.
    pub lag: f32,
    last_height: Option<f32>,
}

/// Where a walker looks.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct Gaze {
    /// Radians about +Y; 0 looks along -Z.
    pub yaw: f32,
    /// Radians upwards.
    pub pitch: f32,
}

impl Gaze {
    /// The gaze that looks along `direction` (world's frame, any length but zero).
    #[must_use]
    pub fn along(direction: Vec3) -> Self {
        let level = Vec2::new(direction.x, direction.z).length();
        Self { yaw: (-direction.x).atan2(-direction.z), pitch: direction.y.atan2(level).clamp(-MAX_PITCH, MAX_PITCH) }
    }
}

/// On the camera that the person sees through: a child of the [`Walker`].
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct Eye;

/// Request: stand somewhere else at once, as when a world begins.
#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct TeleportWalker {
    /// Where the feet are to be, metres in the world's frame, and where to look: along its -Z.
    pub to: Transform,
}

/// Fact: the walker had fallen out of the world and stands at a start again.
#[derive(Message, Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalkerRescued;

/// What somebody other than the keys asks the legs for, in this frame: tours, tests, XR sticks. Added to the keys.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct Legs(
    /// What is asked for; stays until it is changed.
    pub Steps,
);

/// When walking happens.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WalkSystems {
    /// In [`Update`]: mouse and keys become a gaze and a wish to move.
    Steer,
    /// In [`PostUpdate`], after physics and before transforms are propagated: the head follows the body.
    Head,
}

/// First-person walking. Adds rapier's plugin where it is missing.
#[derive(Clone, Debug)]
pub struct WalkPlugin {
    /// How fast and how high.
    pub gait: Gait,
    /// The name of the start.
    pub spawn: String,
    /// What the eye renders to: a window or an image. May be changed later by inserting another [`RenderTarget`].
    pub target: RenderTarget,
    /// Degrees of the eye's vertical field of view.
    pub fov: f32,
    /// Metres in the world's frame below which nobody can be on purpose.
    pub bottom: f32,
    /// Whether the mouse pointer is caught in the window while the mouse looks around.
    pub grab: bool,
}

impl Default for WalkPlugin {
    fn default() -> Self {
        Self {
            gait: Gait::default(),
            spawn: "default".to_owned(),
            target: RenderTarget::default(),
            fov: 62.0,
            bottom: -15.0,
            grab: true,
        }
    }
}

/// What of [`WalkPlugin`] may change while the app runs.
#[derive(Resource, Clone, Debug)]
pub struct WalkSettings {
    /// How fast and how high.
    pub gait: Gait,
    /// The name of the start.
    pub spawn: String,
    /// Metres in the world's frame below which nobody can be on purpose.
    pub bottom: f32,
    /// Whether the mouse pointer is caught in the window while the mouse looks around.
    pub grab: bool,
}

/// How the eye is made.
#[derive(Resource, Clone, Debug)]
struct EyeSettings {
    target: RenderTarget,
    fov: f32,
}

impl Plugin for WalkPlugin {
    fn build(&self, app: &mut App) {
        ensure_control_plugin(app);
        if !app.is_plugin_added::<RapierPhysicsPlugin<NoUserData>>() {
            app.add_plugins(RapierPhysicsPlugin::<NoUserData>::default());
        }
        app.insert_resource(WalkSettings {
            gait: self.gait,
            spawn: self.spawn.clone(),
            bottom: self.bottom,
            grab: self.grab,
        })
        .insert_resource(EyeSettings { target: self.target.clone(), fov: self.fov })
        .init_resource::<Legs>()
        .init_resource::<AccumulatedMouseMotion>()
        .add_message::<TeleportWalker>()
        .add_message::<WalkerRescued>()
        .add_systems(Startup, spawn_walker)
        .add_systems(OnEnter(WorldState::Ready), begin)
        .add_systems(
            Update,
            (look, (teleport, rescue, step).chain().run_if(in_state(WorldState::Ready)))
                .chain()
                .in_set(WalkSystems::Steer),
        )
        .add_systems(
            PostUpdate,
            head.in_set(WalkSystems::Head).after(PhysicsSet::Writeback).before(TransformSystems::Propagate),
        )
        .add_systems(Update, grab_pointer.run_if(resource_exists_and_changed::<State<Attention>>));
    }
}

fn spawn_walker(settings: Res<EyeSettings>, mut commands: Commands) {
    let half = HEIGHT / 2.0 - RADIUS;
    let body = (
        Walker::default(),
        Gaze::default(),
        Name::new("walker"),
        Transform::from_xyz(0.0, HEIGHT / 2.0, 0.0),
        Visibility::default(),
        Collider::capsule_y(half, RADIUS),
        KinematicCharacterController {
            offset: CharacterLength::Absolute(0.015),
            autostep: Some(CharacterAutostep {
                max_height: CharacterLength::Absolute(0.3),
                min_width: CharacterLength::Absolute(0.12),
                include_dynamic_bodies: false,
            }),
            snap_to_ground: Some(CharacterLength::Absolute(0.25)),
            max_slope_climb_angle: 50_f32.to_radians(),
            min_slope_slide_angle: 55_f32.to_radians(),
            apply_impulse_to_dynamic_bodies: false,
            ..default()
        },
    );
    let eye = (
        (Eye, ShadowLodOrigin),
        Name::new("eye"),
        Camera3d::default(),
        settings.target.clone(),
        Projection::from(PerspectiveProjection { fov: settings.fov.to_radians(), near: 0.05, ..default() }),
        Transform::from_xyz(0.0, EYE_HEIGHT - HEIGHT / 2.0, 0.0),
        Exposure { ev100: 9.0 },
    );
    commands.spawn(body).with_child(eye);
}

/// Feet at `to`, a hair above the floor, looking along its -Z.
fn place(to: Transform, body: &mut Transform, gaze: &mut Gaze, walker: &mut Walker) {
    body.translation = to.translation + Vec3::Y * (HEIGHT / 2.0 + 0.03);
    *gaze = Gaze::along(to.forward().as_vec3());
    *walker = Walker::default();
}

fn begin(
    places: Res<Places>,
    settings: Res<WalkSettings>,
    mut walkers: Query<(&mut Transform, &mut Gaze, &mut Walker)>,
) {
    for (mut body, mut gaze, mut walker) in &mut walkers {
        place(places.spawn(&settings.spawn), &mut body, &mut gaze, &mut walker);
    }
}

fn teleport(mut requests: MessageReader<TeleportWalker>, mut walkers: Query<(&mut Transform, &mut Gaze, &mut Walker)>) {
    let Some(request) = requests.read().last() else { return };
    for (mut body, mut gaze, mut walker) in &mut walkers {
        place(request.to, &mut body, &mut gaze, &mut walker);
    }
}

fn rescue(
    places: Res<Places>,
    settings: Res<WalkSettings>,
    mut walkers: Query<(&mut Transform, &mut Gaze, &mut Walker)>,
    mut rescued: MessageWriter<WalkerRescued>,
) {
    for (mut body, mut gaze, mut walker) in &mut walkers {
        // A height that is no number is not above the bottom either.
        if body.translation.is_finite() && body.translation.y > settings.bottom {
            continue;
        }
        place(places.spawn(&settings.spawn), &mut body, &mut gaze, &mut walker);
        rescued.write(WalkerRescued);
    }
}

fn look(
    attention: Res<State<Attention>>,
    motion: Res<AccumulatedMouseMotion>,
    settings: Res<LookSettings>,
    mut gazes: Query<&mut Gaze, With<Walker>>,
) {
    if *attention.get() != Attention::Walk || motion.delta == Vec2::ZERO {
        return;
    }
    let turn = settings.turn(motion.delta);
    for mut gaze in &mut gazes {
        gaze.yaw = (gaze.yaw + turn.x).rem_euclid(std::f32::consts::TAU);
        gaze.pitch = (gaze.pitch + turn.y).clamp(-MAX_PITCH, MAX_PITCH);
    }
}

fn step(
    time: Res<Time>,
    controls: Controls,
    attention: Res<State<Attention>>,
    (legs, settings): (Res<Legs>, Res<WalkSettings>),
    mut walkers: Query<(
        &mut Walker,
        &Gaze,
        &mut KinematicCharacterController,
        Option<&KinematicCharacterControllerOutput>,
    )>,
) {
    // A frame that took long is walked as one of a tenth of a second, so that nobody passes through a wall.
    let dt = time.delta_secs().min(0.1);
    if dt <= 0.0 {
        return;
    }
    let keys = if *attention.get() == Attention::Panel { Steps::default() } else { read_keys(&controls) };
    let steps = Steps { stick: keys.stick + legs.0.stick, run: keys.run || legs.0.run, jump: keys.jump || legs.0.jump };
    for (mut walker, gaze, mut controller, output) in &mut walkers {
        let grounded = output.is_some_and(|output| output.grounded);
        let mut now = walker.velocity;
        if let Some(output) = output {
            // What a wall or a ceiling took away is not kept.
            let made = output.effective_translation / dt;
            if made.is_finite() && made.y < now.y && now.y > 0.0 {
                now.y = made.y.max(0.0);
            }
        }
        walker.velocity = next_velocity(now, steps, gaze.yaw, grounded, &settings.gait, dt);
        let rising = walker.velocity.y > 0.0;
        controller.snap_to_ground = (!rising).then_some(CharacterLength::Absolute(0.25));
        controller.translation = Some(walker.velocity * dt);
    }
}

fn read_keys(controls: &Controls) -> Steps {
    let axis = |plus, minus| f32::from(u8::from(controls.pressed(plus))) - f32::from(u8::from(controls.pressed(minus)));
    Steps {
        stick: Vec2::new(axis(Control::Right, Control::Left), axis(Control::Forward, Control::Back)),
        run: controls.pressed(Control::Run),
        jump: controls.just_pressed(Control::Jump),
    }
}

fn head(
    time: Res<Time>,
    mut walkers: Query<(&mut Walker, &Gaze, &Transform, &Children, Option<&KinematicCharacterControllerOutput>)>,
    mut eyes: Query<&mut Transform, (With<Eye>, Without<Walker>)>,
) {
    for (mut walker, gaze, body, children, output) in &mut walkers {
        let height = body.translation.y;
        let rose = walker.last_height.map_or(0.0, |last| height - last);
        walker.last_height = Some(height);
        let grounded = output.is_some_and(|output| output.grounded);
        // A step of the stairs, but neither a jump, a fall nor a teleport.
        let stairs = grounded && rose.abs() > 0.01 && rose.abs() < 0.4;
        let lag = walker.lag + if stairs { rose } else { 0.0 };
        walker.lag = ease_head(lag, time.delta_secs());
        for child in children {
            if let Ok(mut eye) = eyes.get_mut(*child) {
                eye.translation = Vec3::Y * (EYE_HEIGHT - HEIGHT / 2.0 - walker.lag);
                eye.rotation = Quat::from_euler(EulerRot::YXZ, gaze.yaw, gaze.pitch, 0.0);
            }
        }
    }
}

/// Only where there is a window: tours and tests have none.
fn grab_pointer(
    attention: Res<State<Attention>>,
    settings: Res<WalkSettings>,
    mut windows: Query<&mut CursorOptions, With<PrimaryWindow>>,
) {
    for mut cursor in &mut windows {
        let caught = settings.grab && *attention.get() == Attention::Walk;
        cursor.visible = !caught;
        cursor.grab_mode = if caught { CursorGrabMode::Locked } else { CursorGrabMode::None };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gaze_looks_where_it_is_told() {
        for direction in [Vec3::NEG_Z, Vec3::X, Vec3::new(1.0, 0.5, 2.0), Vec3::new(-3.0, -1.0, 0.2)] {
            let gaze = Gaze::along(direction);
            let turned = Quat::from_euler(EulerRot::YXZ, gaze.yaw, gaze.pitch, 0.0) * Vec3::NEG_Z;
            assert!(turned.abs_diff_eq(direction.normalize(), 1e-5), "{direction} became {turned}");
        }
    }
}
