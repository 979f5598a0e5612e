use super::{at, block, cylinder, design, f, feature, from, plastic, to, zero};
use crate::design::{Amount, Anchor, Axis, Design, Does, Feature, Param, Repeat, Shape};

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
    let pot = feature(
        "pot",
        "Pot",
        "clay",
        Does::Body,
        cylinder("radius * 0.75", "radius", "height", 128),
        at(0.0, 0.0, 0.0),
    );
    // Half as many sides as the pot: its tube has as many, and each takes part in what is cut.
    let tube = Shape::Ring { radius: f("radius - wall / 2"), tube: f("wall"), sides: 64 };
    let rim = feature("rim", "Rim", "clay", to("pot"), tube, at(0.0, "height", 0.0));
    let slope = "radius / 4 * wall / height";
    let low = format!("radius * 0.75 + {slope} - wall");
    let high = format!("radius + {slope} - wall");
    let inside = cylinder(low.as_str(), high.as_str(), "height", 128);
    let inside = feature("inside", "Inside", "clay", from(["pot"]), inside, at(0.0, "wall", 0.0));
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
    design("Planter", params, [("clay", plastic("PLA terracotta", [190, 98, 66]))], vec![pot, rim, inside, drains])
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
