//! First frame, first twin, frame time and memory of the client, beside an empty `DefaultPlugins` App and beside the same
//! scene without our plugins. Each in a process of its own, drawing into an image.

use std::{
    path::PathBuf,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use bevy::world_serialization::WorldAssetRoot;
use bevy::{
    app::ScheduleRunnerPlugin, asset::RenderAssetUsages, camera::RenderTarget, log::LogPlugin, prelude::*,
    render::render_resource::TextureFormat, window::ExitCondition, winit::WinitPlugin,
};

const SIZE: (u32, u32) = (640, 360);
/// Frames that are timed, after as many that are not.
const FRAMES: u32 = 20;

/// What a measured App prints: `first_frame_ms=.. frame_ms=.. rss_mib=..`.
#[derive(Resource)]
struct Stopwatch {
    began: Instant,
    frames: u32,
    first: Option<Duration>,
    timed: Option<Instant>,
    needs: usize,
}

fn offscreen(needs: usize) -> App {
    let began = Instant::now();
    let mut app = App::new();
    let assets = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../assets");
    app.add_plugins(
        DefaultPlugins
            .build()
            .set(AssetPlugin { file_path: assets.to_string_lossy().into_owned(), ..default() })
            .set(WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() })
            .disable::<WinitPlugin>()
            .disable::<LogPlugin>()
            .add(ScheduleRunnerPlugin::run_loop(Duration::ZERO)),
    );
    let mut image = Image::new_target_texture(SIZE.0, SIZE.1, TextureFormat::Rgba8UnormSrgb, None);
    image.asset_usage = RenderAssetUsages::default();
    let image = app.world_mut().resource_mut::<Assets<Image>>().add(image);
    let eye = Transform::from_xyz(0.0, 1.6, 1.5).looking_at(Vec3::new(0.0, 1.3, 4.0), Vec3::Y);
    app.world_mut().spawn((Camera3d::default(), RenderTarget::Image(image.into()), eye));
    app.insert_resource(Stopwatch { began, frames: 0, first: None, timed: None, needs });
    app.add_systems(Last, watch);
    app
}

fn watch(mut watch: ResMut<Stopwatch>, meshes: Query<(), With<Mesh3d>>, mut exit: MessageWriter<AppExit>) {
    let now = Instant::now();
    watch.first = watch.first.or(Some(now - watch.began));
    if meshes.iter().count() < watch.needs {
        return;
    }
    watch.frames += 1;
    if watch.frames == FRAMES {
        watch.timed = Some(now);
    }
    if let (Some(since), true) = (watch.timed, watch.frames == 2 * FRAMES) {
        let first = watch.first.unwrap_or_default().as_secs_f64() * 1000.0;
        let frame = (now - since).as_secs_f64() * 1000.0 / f64::from(FRAMES);
        println!("first_frame_ms={first:.0} frame_ms={frame:.1} rss_mib={:.0}", rss_mib());
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
    exit(offscreen(0))
}

/// The same, with the house as a plain scene and a sun.
pub fn scene() -> ExitCode {
    let mut app = offscreen(20);
    let house = app.world().resource::<AssetServer>().load(GltfAssetLabel::Scene(0).from_asset("home/home.glb"));
    app.world_mut().spawn(WorldAssetRoot(house));
    let sun = DirectionalLight { shadow_maps_enabled: true, ..default() };
    app.world_mut().spawn((sun, Transform::from_xyz(3.0, 8.0, 5.0).looking_at(Vec3::ZERO, Vec3::Y)));
    exit(app)
}

fn number(line: &str, name: &str) -> f64 {
    let word = line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    word.and_then(|number| number.parse().ok()).unwrap_or(f64::NAN)
}

fn measure(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().find(|line| line.contains("first_frame_ms=")).unwrap_or_default().to_owned()
}

/// Measures and prints.
pub fn run() {
    let this = std::env::current_exe().unwrap();
    let child = |kind: &str| {
        let mut command = Command::new(&this);
        command.args(["app", kind]);
        measure(command)
    };
    let (empty, scene) = (child("empty"), child("scene"));
    let mut client = Command::new(this.with_file_name("vestibule"));
    client.args(["--measure", "--tour", "home", "--offscreen"]).arg(std::env::temp_dir().join("vestibule-measure"));
    client.args(["--size", &format!("{}x{}", SIZE.0, SIZE.1)]);
    let ours = measure(client);
    println!("empty  {empty}\nscene  {scene}\nours   {ours}\n");
    let ratio = |name: &str, peer: &str, peer_name: &str| number(&ours, name) / number(peer, peer_name);
    println!("first frame   {:.2} of an empty App (aim 1.2)", ratio("first_frame_ms", &empty, "first_frame_ms"));
    println!(
        "first twin    {:.2} of an empty App's first frame (aim 1.5)",
        ratio("first_twin_ms", &empty, "first_frame_ms")
    );
    println!("frame time    {:.2} of the same scene without our plugins", ratio("frame_ms", &scene, "frame_ms"));
    println!("memory        {:.2} of the same scene without our plugins", ratio("rss_mib", &scene, "rss_mib"));
}
