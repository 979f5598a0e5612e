//! `--measure`: how long until the first frame and the first twin, how long a frame takes. For `cargo xtask bench home`.

use std::time::{Duration, Instant};

use bevy::prelude::*;
use vestibule_twin::{TwinRoot, TwinState};
use vestibule_world::scene::WorldState;

/// Frames that are timed, after as many that are not.
const FRAMES: u32 = 20;

/// Counts from the start of the process and leaves when it has counted enough.
pub(super) struct MeasurePlugin {
    pub(super) began: Instant,
}

#[derive(Resource)]
struct Stopwatch {
    began: Instant,
    first_frame: Option<Duration>,
    first_twin: Option<Duration>,
    frames: u32,
    timed: Option<Instant>,
}

impl Plugin for MeasurePlugin {
    fn build(&self, app: &mut App) {
        let (first_frame, first_twin) = (None, None);
        app.insert_resource(Stopwatch { began: self.began, first_frame, first_twin, frames: 0, timed: None })
            .add_systems(Last, watch);
    }
}

fn watch(
    mut watch: ResMut<Stopwatch>,
    state: Res<State<WorldState>>,
    twins: Query<&TwinState, With<TwinRoot>>,
    mut exit: MessageWriter<AppExit>,
) {
    let now = Instant::now();
    let since = now - watch.began;
    watch.first_frame = watch.first_frame.or(Some(since));
    if watch.first_twin.is_none() && twins.iter().any(|twin| twin.reachable) {
        watch.first_twin = Some(since);
    }
    if *state.get() != WorldState::Ready {
        return;
    }
    watch.frames += 1;
    if watch.frames == FRAMES {
        watch.timed = Some(now);
    }
    let Some(timed) = watch.timed.filter(|_| watch.frames == 2 * FRAMES) else { return };
    let ms = |time: Option<Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0);
    let frame = (now - timed).as_secs_f64() * 1000.0 / f64::from(FRAMES);
    let (first_frame, first_twin, rss) = (ms(watch.first_frame), ms(watch.first_twin), rss_mib());
    println!("first_frame_ms={first_frame:.0} first_twin_ms={first_twin:.0} frame_ms={frame:.1} rss_mib={rss:.0}");
    exit.write(AppExit::Success);
}

/// MiB of this process in memory; 0 where the system does not say.
fn rss_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}
