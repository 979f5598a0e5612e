//! First frame, first twin, frame time and memory of the client, beside an empty `DefaultPlugins` App and beside the same
//! scene without our plugins: the same view, size and quality. Each in a process of its own, drawing into an image, and
//! timed from before that process was started.

use std::{
    path::PathBuf,
    process::{Command, ExitCode},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bevy::world_serialization::WorldAssetRoot;
use bevy::{
    app::ScheduleRunnerPlugin,
    asset::RenderAssetUsages,
    camera::RenderTarget,
    light::{CascadeShadowConfigBuilder, DirectionalLightShadowMap},
    log::LogPlugin,
    prelude::*,
    render::{RenderPlugin, render_resource::TextureFormat},
    window::ExitCondition,
    winit::WinitPlugin,
};

const SIZE: (u32, u32) = (640, 360);
/// Frames that are timed, after as many that are not.
const FRAMES: u32 = 20;
/// The frame after which the first one has been drawn, as in the client.
const DRAWN: u32 = 3;
/// Frames a second at the most, as in the client.
const FRAME: Duration = Duration::from_millis(16);

#[derive(Resource, Default)]
struct Stopwatch {
    all: u32,
    first: Option<u128>,
    frames: u32,
    timed: Option<Instant>,
    needs: usize,
}

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

fn offscreen(needs: usize, eye: Transform) -> App {
    let mut app = App::new();
    let assets = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../assets");
    app.add_plugins(
        DefaultPlugins
            .build()
            .set(AssetPlugin { file_path: assets.to_string_lossy().into_owned(), ..default() })
            .set(WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() })
            .set(RenderPlugin { synchronous_pipeline_compilation: true, ..default() })
            .disable::<WinitPlugin>()
            .disable::<LogPlugin>()
            .add(ScheduleRunnerPlugin::run_loop(FRAME)),
    );
    let mut image = Image::new_target_texture(SIZE.0, SIZE.1, TextureFormat::Rgba8UnormSrgb, None);
    image.asset_usage = RenderAssetUsages::default();
    let image = app.world_mut().resource_mut::<Assets<Image>>().add(image);
    app.world_mut().spawn((Camera3d::default(), Msaa::Off, RenderTarget::Image(image.into()), eye));
    app.insert_resource(Stopwatch { needs, ..default() });
    app.add_systems(Last, watch);
    app
}

fn watch(mut watch: ResMut<Stopwatch>, meshes: Query<(), With<Mesh3d>>, mut exit: MessageWriter<AppExit>) {
    watch.all += 1;
    if watch.all == DRAWN {
        watch.first = Some(now_ms());
    }
    if meshes.iter().count() < watch.needs {
        return;
    }
    watch.frames += 1;
    if watch.frames == FRAMES {
        watch.timed = Some(Instant::now());
    }
    if let (Some(since), true) = (watch.timed, watch.frames == 2 * FRAMES) {
        let frame = since.elapsed().as_secs_f64() * 1000.0 / f64::from(FRAMES);
        println!("first_frame_at={} frame_ms={frame:.1} rss_mib={:.0}", watch.first.unwrap_or_default(), rss_mib());
        exit.write(AppExit::Success);
    }
}

/// MiB of this process in memory; 0 where the system does not say.
pub fn rss_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

fn exit(mut app: App) -> ExitCode {
    if app.run().is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// `DefaultPlugins` and a camera.
pub fn empty() -> ExitCode {
    exit(offscreen(0, Transform::default()))
}

/// The same, with the house as a plain scene and a sun; `eye` is where the client's eye was, as it printed it.
pub fn scene(eye: &str) -> ExitCode {
    let numbers: Vec<f32> = eye.split(',').filter_map(|number| number.parse().ok()).collect();
    let &[x, y, z, i, j, k, w] = numbers.as_slice() else { return ExitCode::FAILURE };
    let eye = Transform::from_xyz(x, y, z).with_rotation(Quat::from_xyzw(i, j, k, w));
    let mut app = offscreen(20, eye);
    let house = app.world().resource::<AssetServer>().load(GltfAssetLabel::Scene(0).from_asset("home/home.glb"));
    app.world_mut().spawn(WorldAssetRoot(house));
    // What the client draws with where the processor draws.
    app.insert_resource(DirectionalLightShadowMap { size: 1024 });
    let cascades = CascadeShadowConfigBuilder {
        num_cascades: 1,
        minimum_distance: 0.1,
        maximum_distance: 16.0,
        first_cascade_far_bound: 6.0,
        ..default()
    };
    let sun = DirectionalLight { shadow_maps_enabled: true, ..default() };
    let place = Transform::from_xyz(3.0, 8.0, 5.0).looking_at(Vec3::ZERO, Vec3::Y);
    app.world_mut().spawn((sun, cascades.build(), place));
    exit(app)
}

/// What a measured process printed, and when it was started.
struct Said {
    started: u128,
    line: String,
}

impl Said {
    fn word(&self, name: &str) -> Result<&str, String> {
        let mut words = self.line.split_whitespace();
        let word = words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        word.ok_or_else(|| format!("{name} is missing in {:?}", self.line))
    }

    fn number(&self, name: &str) -> Result<f64, String> {
        self.word(name)?.parse().map_err(|_| format!("{name} is no number in {:?}", self.line))
    }

    /// Milliseconds from the start of the process to a moment that it printed.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of one run")]
    fn since_start(&self, name: &str) -> Result<f64, String> {
        let at: u128 = self.word(name)?.parse().map_err(|_| format!("{name} never came: {:?}", self.line))?;
        Ok(at.saturating_sub(self.started) as f64)
    }
}

fn measure(mut command: Command) -> Result<Said, String> {
    let started = now_ms();
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().find(|line| line.contains("first_frame_at=")).map(str::to_owned);
    match line {
        Some(line) if output.status.success() => Ok(Said { started, line }),
        _ => Err(format!("{command:?} {}:\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr))),
    }
}

/// Measures and prints.
///
/// # Errors
/// What could not be measured.
pub fn run() -> Result<(), String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let child = |arguments: &[&str]| {
        let mut command = Command::new(&this);
        command.arg("app").args(arguments);
        measure(command)
    };
    let pictures = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut client = Command::new(this.with_file_name("vestibule"));
    client.args(["--measure", "--tour", "home", "--offscreen"]).arg(pictures.path());
    client.args(["--size", &format!("{}x{}", SIZE.0, SIZE.1)]);
    let ours = measure(client)?;
    let (empty, scene) = (child(&["empty"])?, child(&["scene", ours.word("eye")?])?);
    let first = empty.since_start("first_frame_at")?;
    let (frame, twin) = (ours.since_start("first_frame_at")?, ours.since_start("first_twin_at")?);
    println!("from the start of the process, milliseconds");
    println!("  first frame       ours {frame:.0}, an empty App {first:.0}: {:.2} times (aim 1.2)", frame / first);
    println!("  first live twin   ours {twin:.0}: {:.2} times an empty App's first frame (aim 1.5)", twin / first);
    for (name, what) in [("frame_ms", "a frame, ms       "), ("rss_mib", "memory, MiB       ")] {
        let (own, bare, nothing) = (ours.number(name)?, scene.number(name)?, empty.number(name)?);
        println!(
            "  {what}ours {own:.1}, the same scene without our plugins {bare:.1}, an empty App {nothing:.1}: {:.2} times",
            own / bare
        );
    }
    Ok(())
}
