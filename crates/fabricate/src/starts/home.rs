use super::{at, block, cylinder, design, f, feature, from, plastic, to, zero};
use crate::design::{Amount, Anchor, Axis, Design, Does, Feature, Param, Profile, Repeat, Segment, Shape};

pub(super) fn lamp() -> Design {
    let params = [
        ("height", Param::length("Height", 280.0, 200.0, 600.0)),
        ("base", Param::length("Radius of the base", 60.0, 45.0, 120.0)),
        ("shade", Param::length("Height of the shade", 110.0, 60.0, 160.0)),
        ("low", Param::length("Radius below", 70.0, 40.0, 140.0)),
        ("high", Param::length("Radius above", 55.0, 40.0, 140.0)),
        ("wall", Param { step: 0.2, ..Param::length("Wall", 2.0, 1.2, 5.0) }),
    ];
    let base = cylinder("base", "base * 0.9", 24.0, 96);
    let base = feature("base", "Base", "foot", Does::Body, base, at(0.0, 0.0, 0.0));
    let stem = cylinder(9.0, 9.0, "height - shade - 20", 48);
    let stem = feature("stem", "Stem", "foot", to("base"), stem, at(0.0, 20.0, 0.0));
    let shade = feature(
        "shade",
        "Shade",
        "shade",
        Does::Body,
        cylinder("low", "high", "shade", 96),
        at(0.0, "height - shade", 0.0),
    );
    // As thick everywhere: the inside begins 3 mm higher and has to be as wide as the outside is there.
    let inside =
        cylinder("low + (high - low) * 3 / shade - wall", "high + (high - low) * 3 / shade - wall", "shade", 96);
    let inside = feature("inside", "Inside", "shade", from(["shade"]), inside, at(0.0, "height - shade + 3", 0.0));
    let room = cylinder("base * 0.9 - 4", "base * 0.9 - 4", 21.0, 96);
    let room = feature("room", "Room for the controller", "foot", from(["base"]), room, at(0.0, -1.0, 0.0));
    let cable = cylinder(4.0, 4.0, "height - shade + 10", 32);
    let cable = feature("cable", "Cable", "foot", from([]), cable, at(0.0, -1.0, 0.0));
    let materials =
        [("foot", plastic("PLA anthracite", [52, 54, 60])), ("shade", plastic("PLA warm white", [250, 240, 214]))];
    let mut lamp = design("Lamp", params, materials, vec![base, stem, shade, inside, room, cable]);
    lamp.role = Some("lamp".to_owned());
    lamp
}

pub(super) fn planter() -> Design {
    let params = [
        ("radius", Param::length("Radius", 60.0, 30.0, 140.0)),
        ("height", Param::length("Height", 100.0, 40.0, 250.0)),
        ("wall", Param { step: 0.2, ..Param::length("Wall", 3.0, 1.6, 8.0) }),
        ("drains", Param::count("Holes", 5.0, 1.0, 12.0)),
    ];
    // One outline that is turned, from the axis below to the axis inside. To put wall, rim and inside together from solids
    // would take ten times as long at each edit. The rim is a bead around the wall's end: three quarters of a circle, so
    // that it leans out by no more than prints without support.
    let line = |x: &str, y: &str| Segment::Line { to: [f(x), f(y)] };
    let bead = Segment::Arc { to: [f("radius - wall"), f("height")], bulge: Amount::Value(2.414) };
    let outline = vec![
        line("0", "0"),
        line("radius * 0.75", "0"),
        line("radius", "height"),
        bead,
        line("radius * 0.75 + radius / 4 * wall / height - wall", "wall"),
        line("0", "wall"),
    ];
    let turned = Shape::Revolution {
        profile: Profile::Path { segments: outline, holes: Vec::new() },
        angle: Amount::Value(360.0),
        sides: 128,
    };
    let pot = feature("pot", "Pot", "clay", Does::Body, turned, at(0.0, 0.0, 0.0));
    let drain = feature(
        "drain",
        "Holes",
        "clay",
        from(["pot"]),
        cylinder(3.0, 3.0, "wall + 2", 24),
        at("radius * 0.4", -1.0, 0.0),
    );
    let around = Repeat::Circle { count: f("drains"), axis: Axis::Y, angle: Amount::Value(360.0) };
    let drains = Feature { repeat: Some(around), ..drain };
    design("Planter", params, [("clay", plastic("PLA terracotta", [190, 98, 66]))], vec![pot, drains])
}

pub(super) fn table() -> Design {
    let params = [
        ("width", Param::length("Width", 450.0, 200.0, 1_100.0)),
        ("depth", Param::length("Depth", 350.0, 200.0, 900.0)),
        ("height", Param::length("Height", 420.0, 150.0, 900.0)),
        ("thickness", Param::length("Thickness", 24.0, 10.0, 50.0)),
        ("leg", Param::length("Radius of a leg", 20.0, 10.0, 45.0)),
    ];
    let top = block("width", "thickness", "depth", 2.0, Anchor::Middle);
    let top = feature("top", "Top", "wood", Does::Body, top, at(0.0, "height - thickness / 2", 0.0));
    let leg = cylinder("leg * 0.7", "leg", "height - thickness / 2", 48);
    let leg = feature("legs", "Legs", "wood", to("top"), leg, at("leg + 5 - width / 2", 0.0, "leg + 5 - depth / 2"));
    let steps = [[f("width - 2 * leg - 10"), zero(), zero()], [zero(), zero(), f("depth - 2 * leg - 10")]];
    let corners = Repeat::Grid { counts: [Amount::Value(2.0), Amount::Value(2.0)], steps };
    let legs = Feature { repeat: Some(corners), ..leg };
    design("Table", params, [("wood", plastic("PLA walnut", [121, 85, 61]))], vec![top, legs])
}
