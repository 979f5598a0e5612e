//! `--measure`: how long until the first frame and the first twin, how long a frame takes. For `cargo xtask bench home`.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bevy::prelude::*;
use vestibule_twin::{TwinRoot, TwinState};
use vestibule_world::{scene::WorldState, walk::Eye};

/// Frames that are timed, after as many that are not.
const FRAMES: u32 = 20;
/// The frame after which the first one has been drawn: the renderer is one behind, and its first one draws nothing yet.
const DRAWN: u32 = 3;

/// Says at which moments things were there, and leaves when it has counted enough frames. Moments are the system's, so
/// that whoever started this process can count from there.
pub(super) struct MeasurePlugin;

#[derive(Resource, Default)]
struct Stopwatch {
    /// Frames since the start.
    all: u32,
    first_frame: Option<u128>,
    first_twin: Option<u128>,
    /// Frames of the whole house.
    frames: u32,
    timed: Option<Instant>,
}

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

impl Plugin for MeasurePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Stopwatch>().add_systems(Last, watch);
    }
}

fn watch(
    mut watch: ResMut<Stopwatch>,
    state: Res<State<WorldState>>,
    twins: Query<&TwinState, With<TwinRoot>>,
    eyes: Query<&GlobalTransform, With<Eye>>,
    mut exit: MessageWriter<AppExit>,
) {
    let now = Instant::now();
    watch.all += 1;
    if watch.all == DRAWN {
        watch.first_frame = Some(now_ms());
    }
    if watch.first_twin.is_none() && twins.iter().any(|twin| twin.reachable) {
        watch.first_twin = Some(now_ms());
    }
    if *state.get() != WorldState::Ready {
        return;
    }
    watch.frames += 1;
    if watch.frames == FRAMES {
        watch.timed = Some(now);
    }
    let Some(timed) = watch.timed.filter(|_| watch.frames == 2 * FRAMES) else { return };
    let eye = eyes.iter().next().map(GlobalTransform::compute_transform).unwrap_or_default();
    let (place, turn) = (eye.translation, eye.rotation);
    let frame = (now - timed).as_secs_f64() * 1000.0 / f64::from(FRAMES);
    let moment = |moment: Option<u128>| moment.map_or_else(|| "never".to_owned(), |moment| moment.to_string());
    let (first_frame, first_twin, rss) = (moment(watch.first_frame), moment(watch.first_twin), rss_mib());
    println!(
        "first_frame_at={first_frame} first_twin_at={first_twin} frame_ms={frame:.1} rss_mib={rss:.0} \
         eye={},{},{},{},{},{},{}",
        place.x, place.y, place.z, turn.x, turn.y, turn.z, turn.w
    );
    exit.write(AppExit::Success);
}

/// MiB of this process in memory; 0 where the system does not say.
fn rss_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}
