//! What one body takes: how much plastic, and how long. A filament machine draws lines, and each kind of line has its own
//! speed: the outside slowly, what nobody sees fast. The kinds, widths and speeds are those that PrusaSlicer has where
//! nobody says otherwise; a test of the manufacturer holds every starting point against it.

use crate::{
    print::{Machine, Process, Support, support},
    solid::Body,
};

/// Millimetres a second: of the outermost line, and of the one inside of it.
const OUTER: f64 = 30.0;
const INNER: f64 = 60.0;
/// Of what closes a layer, and of the last layer that one sees.
const CLOSED: f64 = 20.0;
const TOP: f64 = 15.0;
/// Of what fills the inside, of supports, and between lines.
const FILL: f64 = 80.0;
const SUPPORT: f64 = 60.0;
const TRAVEL: f64 = 130.0;
/// How fast a head becomes faster and slower, in mm/s².
const ACCELERATION: f64 = 1_500.0;
/// Lines around every layer, and layers that close it above and below.
const AROUND: f64 = 2.0;
const CLOSING: f64 = 3.0;
/// A line is so many times as wide as the nozzle.
const WIDTH: f64 = 1.125;
/// How far apart the lines of supports are, and how far supports reach beyond what they carry, in millimetres.
const APART: f64 = 2.5;
const REACH: f64 = 1.5;
/// Layers of supports are so many times as high as the nozzle is wide, where the thing's own are not higher.
const COARSE: f64 = 0.75;
/// For each layer: seconds in which the plastic is drawn back and pushed again, and how often the head crosses the thing.
const DRAWN_BACK_S: f64 = 0.5;
const CROSSINGS: f64 = 2.5;
/// A layer cools for at least so many seconds before the next one is laid.
const COOLING_S: f64 = 5.0;
/// Seconds for a layer of a bed full of powder or resin, whatever is in it.
const BED_S: f64 = 4.0;

/// What it takes to make one body.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Work {
    /// Material, with its supports, in cubic millimetres.
    pub mm3: f64,
    pub seconds: f64,
    pub layers: f64,
    /// What is below it and carries it: the space, most of it air, in cubic millimetres.
    pub support_mm3: f64,
}

/// One body by itself, as it stands on the bed.
pub(super) fn work(body: &Body, machine: &Machine, infill_percent: u8) -> Work {
    let held = support(body, machine, body.bounds.low[1]);
    let [width, height, depth] = body.bounds.size();
    let layers = (height / machine.layer_mm).ceil();
    let per_mm3 = match machine.process {
        Process::Filament => {
            let surface = Surface::of(body, machine);
            let drawn = Drawn::new(body.volume_mm3, &surface, machine, infill_percent).held(&held, machine);
            let each = DRAWN_BACK_S + CROSSINGS * width.hypot(depth) / TRAVEL;
            let seconds = (drawn.seconds + layers * each).max(layers * COOLING_S);
            return Work { mm3: drawn.mm3, seconds, layers, support_mm3: held.space_mm3 };
        }
        Process::Powder => 0.040,
        Process::Resin => 0.060,
    };
    let mm3 = body.volume_mm3 + held.space_mm3 / 5.0;
    Work { mm3, seconds: mm3 * per_mm3 + layers * BED_S, layers, support_mm3: held.space_mm3 }
}

/// A surface, as layers see it, in square millimetres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Surface {
    /// How much of it stands upright: what lines go around.
    upright: f64,
    /// What looks up and down so flatly that the lines around do not cover it, times the thickness that closes it (mm³).
    above: f64,
    below: f64,
}

impl Surface {
    fn of(body: &Body, machine: &Machine) -> Self {
        let (line, thick) = (Line::of(machine), CLOSING * machine.layer_mm);
        (0..body.mesh.triangles.len()).fold(Self::default(), |mut all, triangle| {
            let [x, y, z] = body.mesh.twice_area(triangle).map(|twice| twice / 2.0);
            let upright = x.hypot(z);
            all.upright += upright;
            // Where it leans, each layer ends further in than the one below: the lines around cover as much of that.
            let bare = (thick * y.abs() - AROUND * line.width() * upright).max(0.0);
            *(if y > 0.0 { &mut all.above } else { &mut all.below }) += bare;
            all
        })
    }
}

/// A line that is laid: round at its sides.
#[derive(Clone, Copy)]
struct Line {
    mm2: f64,
    high: f64,
}

impl Line {
    fn of(machine: &Machine) -> Self {
        Self::laid(WIDTH * machine.nozzle_mm(), machine.layer_mm)
    }

    /// Of supports.
    fn coarse(machine: &Machine) -> Self {
        let nozzle = machine.nozzle_mm();
        Self::laid(nozzle, machine.layer_mm.max(COARSE * nozzle))
    }

    fn laid(wide: f64, high: f64) -> Self {
        let mm2 = (wide - (1.0 - std::f64::consts::FRAC_PI_4) * high) * high;
        // A machine whose layers are so much higher than its lines are wide is none.
        Self { mm2: if mm2 > 0.0 { mm2 } else { wide * high }, high }
    }

    /// How far from the next one it is laid.
    fn width(self) -> f64 {
        self.mm2 / self.high
    }
}

/// Plastic and time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Drawn {
    mm3: f64,
    seconds: f64,
}

impl Drawn {
    fn new(volume: f64, surface: &Surface, machine: &Machine, infill_percent: u8) -> Self {
        let line = Line::of(machine);
        let around = (AROUND * line.width() * surface.upright).min(volume);
        let closed = surface.above + surface.below;
        let fits = if closed > 0.0 { ((volume - around) / closed).min(1.0) } else { 0.0 };
        let (above, below) = (surface.above * fits, surface.below * fits);
        let inside = (volume - around - above - below).max(0.0);
        let fill = inside * f64::from(infill_percent) / 100.0;
        let top = (1.0 / TOP + (CLOSING - 1.0) / CLOSED) / CLOSING;
        let mut seconds = (around * (1.0 / OUTER + 1.0 / INNER) / 2.0 + above * top + below / CLOSED) / line.mm2;
        if surface.upright > 0.0 {
            // As long as the way from wall to wall is in the middle (Cauchy): there the head stops, goes along the wall,
            // and stops again.
            let across = std::f64::consts::PI * inside / surface.upright;
            let pieces = if across > 0.0 { fill / line.mm2 / across } else { 0.0 };
            seconds += fill / line.mm2 / FILL + 2.0 * pieces * lost(across, FILL);
        }
        Self { mm3: around + above + below + fill, seconds }
    }

    /// With its supports: one line around them, and lines far apart inside.
    fn held(self, held: &Support, machine: &Machine) -> Self {
        let line = Line::coarse(machine);
        let full = line.width() / (APART + line.width());
        let reach = REACH + line.width();
        let mm3 = held.sides_mm2 * line.width() + (held.space_mm3 + held.sides_mm2 * reach) * full;
        Self { mm3: self.mm3 + mm3, seconds: self.seconds + mm3 / line.mm2 / SUPPORT }
    }
}

/// What a way of so many millimetres takes longer because the head begins and ends it at rest, in seconds.
fn lost(way: f64, speed: f64) -> f64 {
    if way * ACCELERATION >= speed * speed {
        speed / ACCELERATION
    } else {
        2.0 * (way / ACCELERATION).sqrt() - way / speed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cube of 20 mm: 1,600 mm² upright, and a layer thrice above and below.
    fn cube(infill_percent: u8) -> Drawn {
        let surface = Surface { upright: 1_600.0, above: 400.0 * 0.6, below: 400.0 * 0.6 };
        Drawn::new(8_000.0, &surface, &Machine::desktop(), infill_percent)
    }

    #[test]
    fn lines_are_as_long_as_what_they_are_around() {
        let line = Line::of(&Machine::desktop());
        assert!((line.mm2 - 0.0814).abs() < 1e-4, "as in a slicer's file: {}", line.mm2);
        // 80 mm around, 100 layers, two lines; 480 mm³ above and below.
        let (around, closed) = (16_000.0 * line.mm2, 480.0);
        let empty = cube(0);
        assert!((empty.mm3 - around - closed).abs() < 1e-9);
        let walls = 8_000.0 / OUTER + 8_000.0 / INNER;
        let flat = 240.0 / line.mm2 * ((1.0 / 15.0 + 2.0 / 20.0) / 3.0 + 1.0 / 20.0);
        assert!((empty.seconds - walls - flat).abs() < 1e-9);
        assert!((cube(100).mm3 - 8_000.0).abs() < 1e-9, "full is full");
        assert!(cube(20).seconds < cube(40).seconds);
    }

    #[test]
    fn a_thin_wall_is_all_line_and_nothing_is_more_than_all_of_it() {
        let sheet = Surface { upright: 1_000.0, above: 50.0, below: 50.0 };
        let drawn = Drawn::new(400.0, &sheet, &Machine::desktop(), 20);
        assert!((drawn.mm3 - 400.0).abs() < 1e-9, "{drawn:?}");
        let nothing = Drawn::new(0.0, &Surface::default(), &Machine::desktop(), 20);
        assert_eq!(nothing, Drawn { mm3: 0.0, seconds: 0.0 });
    }

    #[test]
    fn short_ways_never_come_up_to_speed() {
        let far = FILL * FILL / ACCELERATION;
        assert!((lost(far, FILL) - lost(far * 0.999_999, FILL)).abs() < 1e-6);
        assert!((lost(100.0, FILL) - FILL / ACCELERATION).abs() < 1e-12);
        assert!(lost(1.0, FILL) < lost(2.0, FILL) && lost(0.0, FILL).abs() < 1e-12);
    }

    #[test]
    fn supports_have_a_wall_and_are_nearly_empty() {
        let drawn = Drawn { mm3: 0.0, seconds: 0.0 };
        let block = Support { space_mm3: 100_000.0, sides_mm2: 0.0 };
        let held = drawn.held(&block, &Machine::desktop());
        assert!((0.10..0.20).contains(&(held.mm3 / 100_000.0)), "{held:?}");
        let ring = Support { sides_mm2: 78_000.0, ..block };
        assert!(drawn.held(&ring, &Machine::desktop()).mm3 > held.mm3 + 78_000.0 * 0.3);
        let line = Line::coarse(&Machine::desktop());
        assert!((line.mm2 - 0.1).abs() < 1e-3, "as in a slicer's file: {}", line.mm2);
    }
}
