//! What solids and files take: `cargo run --release -p vestibule-fabricate --example bench_fabricate`. A line for each measure:
//! its name, its least time of several in milliseconds, and what came out, to be compared with `tests/peers/bench.py`,
//! which does the same with programs that are not ours. Names after `--` measure these alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench that cannot go on panics")]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    time::{Duration, Instant},
};

use vestibule_fabricate::{
    Budget, Design, Evaluator, Font, Solids, Start,
    design::{Anchor, Does, Feature, FeatureKey, Material, MaterialKey, MaterialKind, Placement, Repeat, Shape},
    export::write_3mf,
};

const TIMES: usize = 5;
/// Steps up, and as many down, of each measure of a starting point.
const STEPS: u32 = 4;
/// Signs have letters.
const FONT: &[u8] = include_bytes!("../../../plugins/hud/fonts/Inter-Regular.otf");

fn feature(name: String, does: Does, shape: Shape, at: [f64; 3]) -> Feature {
    Feature {
        key: FeatureKey::new(&name).unwrap(),
        name,
        shape,
        at: Placement::at(at[0], at[1], at[2]),
        does,
        repeat: None,
        mirror: None,
        material: MaterialKey::new("m").unwrap(),
    }
}

fn design(features: Vec<Feature>) -> Design {
    let material = Material {
        name: "Plain".to_owned(),
        kind: MaterialKind::Pla,
        colour: [200, 120, 40],
        roughness_permille: 500,
        metallic: false,
    };
    let materials = BTreeMap::from([(MaterialKey::new("m").unwrap(), material)]);
    Design { name: "Bench".to_owned(), params: BTreeMap::new(), materials, features, role: None }
}

fn block(size: [f64; 3]) -> Shape {
    Shape::Block { size: size.map(Into::into), round: 0.0.into(), anchor: Anchor::Middle }
}

fn cylinder(radius: f64, height: f64) -> Shape {
    Shape::Cylinder { low: radius.into(), high: radius.into(), height: height.into(), sides: 32 }
}

fn cut() -> Does {
    Does::Cut { from: BTreeSet::new() }
}

/// A plate with holes, ten in a row.
fn plate(holes: u32) -> Design {
    let mut features = vec![feature("plate".to_owned(), Does::Body, block([220.0, 10.0, 220.0]), [0.0; 3])];
    features.extend((0..holes).map(|n| {
        let at = [f64::from(n % 10) * 20.0 - 90.0, -10.0, f64::from(n / 10) * 20.0 - 90.0];
        feature(format!("hole{n}"), cut(), cylinder(5.0, 20.0), at)
    }));
    design(features)
}

/// Rods that cross each other, two hundred of them.
fn lattice() -> Design {
    let counts = [10.0.into(), 10.0.into()];
    let rods = |name: &str, does, turn: f64, steps: [[f64; 3]; 2]| {
        let mut rods = feature(name.to_owned(), does, cylinder(2.0, 100.0), [0.0; 3]);
        rods.at = rods.at.turned(turn, 0.0, 0.0);
        rods.repeat = Some(Repeat::Grid { counts: counts.clone(), steps: steps.map(|step| step.map(Into::into)) });
        rods
    };
    let up = rods("up", Does::Body, 0.0, [[10.0, 0.0, 0.0], [0.0, 0.0, 10.0]]);
    let across = Does::Add { to: up.key.clone() };
    design(vec![up, rods("across", across, 90.0, [[10.0, 0.0, 0.0], [0.0, 10.0, 0.0]])])
}

fn balls() -> Design {
    let ball = |radius: f64| Shape::Ball { radius: radius.into(), sides: 448 };
    let one = feature("one".to_owned(), Does::Body, ball(50.0), [0.0; 3]);
    design(vec![one, feature("other".to_owned(), cut(), ball(50.0), [30.0, 11.0, 7.0])])
}

/// A body, and 99 features that in turn are added and cut.
fn hundred() -> Design {
    let mut features = vec![feature("plate".to_owned(), Does::Body, block([220.0, 10.0, 220.0]), [0.0; 3])];
    let to = features[0].key.clone();
    features.extend((1..100_u32).map(|n| {
        let at = [f64::from(n % 10) * 20.0 - 90.0, 0.0, f64::from(n / 10) * 20.0 - 90.0];
        let (does, radius) = if (n / 10) % 2 == 0 { (Does::Add { to: to.clone() }, 6.0) } else { (cut(), 5.0) };
        feature(format!("f{n}"), does, cylinder(radius, 20.0), at)
    }));
    design(features)
}

fn best(mut work: impl FnMut() -> Duration) -> f64 {
    let least = (0..TIMES).map(|_| work()).min().unwrap();
    least.as_secs_f64() * 1e3
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let done = work();
    (done, begin.elapsed())
}

fn evaluated(design: &Design) -> Solids {
    Evaluator::new().evaluate(design, &Budget::default()).unwrap()
}

fn solid(name: &str, design: &Design) {
    let triangles = evaluated(design).bodies.iter().map(|body| body.mesh.triangles.len()).sum::<usize>();
    let volume = evaluated(design).volume_mm3();
    let millis = best(|| timed(|| evaluated(design)).1);
    println!("{name} {millis:.2} ms, {triangles} triangles, {volume:.3} mm3");
}

/// What one click takes when all before it is known.
fn edits(design: &Design) {
    for (name, at) in [("first", 1), ("middle", 50), ("last", 99)] {
        let mut evaluator = Evaluator::new();
        let mut edited = design.clone();
        evaluator.evaluate(&edited, &Budget::default()).unwrap();
        let mut turn = 0.0;
        let millis = best(|| {
            turn += 0.5;
            edited.features[at].at.position[1] = (-turn).into();
            timed(|| evaluator.evaluate(&edited, &Budget::default()).unwrap()).1
        });
        println!("edit_{name} {millis:.2} ms");
    }
}

/// One edit of a starting point until its surface is there to be drawn: each of its measures, turned up and down step by
/// step as a person does, with everything that was before it still known.
fn starts() {
    let mut took: Vec<(Duration, Start)> = Vec::new();
    for start in Start::ALL {
        let mut evaluator = Evaluator::with_font(Font::read(FONT).unwrap());
        let mut edited = start.design();
        evaluator.evaluate(&edited, &Budget::default()).unwrap();
        let params: Vec<_> = edited.params.iter().map(|(key, param)| (key.clone(), param.clone())).collect();
        for (key, param) in params {
            for step in (1..=STEPS).map(f64::from).flat_map(|step| [step, -step]) {
                let value = (param.value + step * param.step).clamp(param.least, param.most);
                edited.set(key.as_str(), value).unwrap();
                let (solids, time) = timed(|| evaluator.evaluate(&edited, &Budget::default()));
                // What is no solid is shown as such: no edit that ends with a picture.
                if solids.is_ok() {
                    took.push((time, start));
                }
            }
            edited.set(key.as_str(), param.value).unwrap();
        }
    }
    took.sort_by_key(|(time, _)| *time);
    let at = |percent: usize| took.get((took.len() * percent).div_ceil(100).saturating_sub(1)).unwrap();
    let (median, (p99, slowest)) = (at(50).0.as_secs_f64() * 1e3, *at(99));
    println!(
        "starts {:.2} ms, p99 of {} edits (the {}), p50 {median:.2}, longest {:.2}",
        p99.as_secs_f64() * 1e3,
        took.len(),
        slowest.id(),
        at(100).0.as_secs_f64() * 1e3
    );
}

struct Sink(u64);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// How many KiB this process has or had, where the system says so.
fn memory(which: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(which)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The most memory that work takes beyond what there was before, in KiB: what was taken earlier and given back would hide
/// it, so the system forgets its peak first.
fn peak(work: impl FnOnce()) -> Option<u64> {
    let forgotten = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let before = memory("VmRSS")?;
    work();
    memory("VmHWM")?.checked_sub(before).filter(|_| forgotten)
}

/// A million triangles: two rings.
fn export() {
    let ring = || Shape::Ring { radius: 40.0.into(), tube: 10.0.into(), sides: 512 };
    let one = feature("one".to_owned(), Does::Body, ring(), [0.0; 3]);
    let design = design(vec![one, feature("other".to_owned(), Does::Body, ring(), [0.0, 100.0, 0.0])]);
    let solids = evaluated(&design);
    let triangles = solids.bodies.iter().map(|body| body.mesh.triangles.len()).sum::<usize>();
    let mut bytes = 0;
    let mut write = || {
        let mut sink = Sink(0);
        let time = timed(|| write_3mf(&solids, &design, &mut sink).unwrap()).1;
        bytes = sink.0;
        time
    };
    // The first one: what it gives back stays with the process.
    let grown = peak(|| {
        write();
    });
    let millis = best(write);
    let grown = grown.map_or_else(|| "unknown".to_owned(), |kib| kib.to_string());
    println!("export_3mf {millis:.2} ms, {triangles} triangles, {bytes} bytes, {grown} KiB more memory");
}

fn main() {
    let only: Vec<_> = std::env::args().skip(1).collect();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|only| only == name);
    // First, while there is nothing that was given back and could be used again.
    if wanted("export_3mf") {
        export();
    }
    let plates = [1, 5, 20, 100].map(|holes| (format!("plate_{holes}"), plate(holes)));
    let others = [("lattice", lattice()), ("balls", balls()), ("hundred", hundred())];
    let others = others.map(|(name, design)| (name.to_owned(), design));
    for (name, design) in plates.iter().chain(&others).filter(|(name, _)| wanted(name)) {
        solid(name, design);
    }
    if wanted("edit") {
        edits(&hundred());
    }
    if wanted("starts") {
        starts();
    }
}
