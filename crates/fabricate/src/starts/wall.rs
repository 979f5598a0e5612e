use super::{at, block, cylinder, design, f, feature, from, plastic, row, to, zero};
use crate::design::{Amount, Anchor, Axis, Design, Does, Feature, Length, Param, Profile, Segment, Shape};

/// A hole for a screw, from the front to the wall.
fn screw(key: &str, body: &str, material: &str, place: [&str; 2]) -> Feature {
    let shape = cylinder("screw / 2", "screw / 2", "thickness * 3", 24);
    let hole = at(place[0], place[1], "-thickness").turned(90.0, 0.0, 0.0);
    feature(key, "Screw hole", material, from([body]), shape, hole)
}

pub(super) fn shelf() -> Design {
    let params = [
        ("width", Param::length("Width", 240.0, 120.0, 800.0)),
        ("height", Param::length("Height", 200.0, 100.0, 600.0)),
        ("depth", Param::length("Depth", 140.0, 80.0, 300.0)),
        ("thickness", Param::length("Thickness", 8.0, 4.0, 20.0)),
        ("boards", Param::count("Boards", 2.0, 2.0, 6.0)),
        ("screw", Param::length("Screw", 5.0, 3.0, 8.0)),
    ];
    let board = block("width", "thickness", "depth", 0.0, Anchor::Foot);
    let step = [zero(), f("(height - thickness) / max(round(boards) - 1, 1)"), zero()];
    let boards = Feature {
        repeat: row("boards", step),
        ..feature("board", "Boards", "wood", Does::Body, board, at(0.0, 0.0, "depth / 2"))
    };
    let side = block("thickness", "height", "depth", 0.0, Anchor::Foot);
    let beside = at("(width - thickness) / 2", 0.0, "depth / 2");
    let sides = Feature { mirror: Some(Axis::X), ..feature("side", "Sides", "wood", to("board"), side, beside) };
    let rail = block("width", "thickness + 30", "thickness", 0.0, Anchor::Foot);
    let rail = feature("rail", "Rail", "wood", to("board"), rail, at(0.0, "height - thickness - 30", "thickness / 2"));
    let holes = screw("screws", "board", "wood", ["width / 4", "height - thickness - 15"]);
    let holes = Feature { mirror: Some(Axis::X), ..holes };
    design("Shelf", params, [("wood", plastic("PLA oak", [201, 162, 109]))], vec![boards, sides, rail, holes])
}

pub(super) fn hook() -> Design {
    let params = [
        ("reach", Param::length("Reach", 40.0, 20.0, 80.0)),
        ("height", Param::length("Height", 70.0, 40.0, 150.0)),
        ("width", Param::length("Width", 24.0, 14.0, 60.0)),
        ("thickness", Param::length("Thickness", 6.0, 4.0, 12.0)),
        ("screw", Param::length("Screw", 4.0, 2.0, 6.0)),
    ];
    let plate = block("width", "height", "thickness", 1.5, Anchor::Foot);
    let plate = feature("plate", "Plate", "plastic", Does::Body, plate, at(0.0, 0.0, "thickness / 2"));
    let point = |x: Length, y: Length| Segment::Line { to: [x, y] };
    let inner = || f("reach - thickness");
    let segments = vec![
        point(zero(), zero()),
        point(inner(), zero()),
        // A quarter of a circle: the tangent of a quarter of 90°.
        Segment::Arc { to: [f("reach"), f("thickness")], bulge: Amount::Value(0.414_214) },
        point(f("reach"), f("reach / 3 + thickness")),
        point(inner(), f("reach / 3 + thickness")),
        point(inner(), f("thickness")),
        point(zero(), f("thickness")),
    ];
    let arm = Shape::Extrusion {
        profile: Profile::Path { segments, holes: Vec::new() },
        height: f("width / 2"),
        twist: zero(),
        taper: [Amount::Value(1.0), Amount::Value(1.0)],
        chamfer: [zero(), zero()],
    };
    // Its outline is drawn from the side; it begins a little inside of the plate.
    let beside = at("width / 4", 6.0, "thickness / 2").turned(0.0, -90.0, 0.0);
    let arm = feature("arm", "Arm", "plastic", to("plate"), arm, beside);
    let upper = screw("upper", "plate", "plastic", ["0", "height - 8"]);
    let lower = screw("lower", "plate", "plastic", ["0", "thickness + 16"]);
    design("Hook", params, [("plastic", plastic("PLA black", [38, 38, 42]))], vec![plate, arm, upper, lower])
}

pub(super) fn picture_frame() -> Design {
    let params = [
        ("width", Param::length("Picture width", 100.0, 50.0, 400.0)),
        ("height", Param::length("Picture height", 150.0, 50.0, 400.0)),
        ("border", Param::length("Border", 15.0, 8.0, 40.0)),
        ("depth", Param::length("Depth", 12.0, 8.0, 30.0)),
    ];
    let frame = Shape::Extrusion {
        profile: Profile::Rect { size: [f("width + 2 * border"), f("height + 2 * border")], round: Amount::Value(3.0) },
        height: f("depth"),
        twist: zero(),
        taper: [Amount::Value(1.0), Amount::Value(1.0)],
        chamfer: [zero(), Amount::Value(2.0)],
    };
    let middle = "height / 2 + border";
    let frame = feature("frame", "Frame", "plastic", Does::Body, frame, at(0.0, middle, 0.0));
    let window = block("width - 8", "height - 8", "depth * 3", 0.0, Anchor::Middle);
    let window = feature("window", "Window", "plastic", from(["frame"]), window, at(0.0, middle, 0.0));
    let bed = block("width + 1", "height + 1", "depth", 0.0, Anchor::Middle);
    let bed = feature("bed", "Bed of the picture", "plastic", from(["frame"]), bed, at(0.0, middle, "depth / 2 - 3"));
    let nail = cylinder("border / 4", "border / 4", 5.0, 24);
    let place = at(0.0, "height + border * 1.5", -1.0).turned(90.0, 0.0, 0.0);
    let nail = feature("nail", "Hole for a nail", "plastic", from(["frame"]), nail, place);
    let material = plastic("PLA white", [240, 240, 236]);
    design("Picture frame", params, [("plastic", material)], vec![frame, window, bed, nail])
}
