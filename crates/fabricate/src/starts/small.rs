use super::{at, block, cylinder, design, f, feature, from, plastic, to, zero};
use crate::design::{Amount, Anchor, Design, Does, Feature, Param, ParamUnit, Repeat, Shape};

pub(super) fn phone_stand() -> Design {
    let params = [
        ("width", Param::length("Width", 80.0, 50.0, 200.0)),
        ("depth", Param::length("Depth", 90.0, 60.0, 160.0)),
        ("back", Param::length("Back", 110.0, 60.0, 200.0)),
        ("angle", Param { unit: ParamUnit::Degree, ..Param::length("Leans by", 20.0, 10.0, 40.0) }),
        ("thickness", Param::length("Thickness", 5.0, 3.0, 10.0)),
        ("lip", Param::length("Lip", 20.0, 14.0, 30.0)),
        ("cable", Param::length("Radius of the cable's hole", 4.0, 2.0, 5.0)),
    ];
    let foot = feature(
        "foot",
        "Foot",
        "plastic",
        Does::Body,
        block("width", "thickness", "depth", 0.0, Anchor::Foot),
        at(0.0, 0.0, 0.0),
    );
    let lip = block("width", "thickness + lip", "thickness", 0.0, Anchor::Foot);
    let lip = feature("lip", "Lip", "plastic", to("foot"), lip, at(0.0, 0.0, "(depth - thickness) / 2"));
    let back = block("width", "back", "thickness", 0.0, Anchor::Foot);
    let back = feature(
        "back",
        "Back",
        "plastic",
        to("foot"),
        back,
        at(0.0, "thickness / 2", 0.0).turned(f("-angle"), 0.0, 0.0),
    );
    let hole = cylinder("cable", "cable", "thickness * 3", 32);
    let place = at(0.0, "thickness + lip / 2", "depth / 2 - 2 * thickness").turned(90.0, 0.0, 0.0);
    let cable = feature("cable", "Hole for the cable", "plastic", from(["foot"]), hole, place);
    design("Phone stand", params, [("plastic", plastic("PLA blue", [52, 104, 192]))], vec![foot, lip, back, cable])
}

pub(super) fn house_number() -> Design {
    let params = [
        ("width", Param::length("Width", 140.0, 80.0, 400.0)),
        ("height", Param::length("Height", 100.0, 60.0, 300.0)),
        ("thickness", Param::length("Thickness", 4.0, 3.0, 12.0)),
        ("letters", Param::length("Height of the digits", 60.0, 20.0, 200.0)),
        ("relief", Param::length("Relief", 3.0, 1.0, 10.0)),
        ("screw", Param::length("Screw", 4.0, 2.0, 6.0)),
    ];
    let plate = block("width", "height", "thickness", 1.0, Anchor::Foot);
    let plate = feature("plate", "Plate", "plate", Does::Body, plate, at(0.0, 0.0, "thickness / 2"));
    let screw = cylinder("screw / 2", "screw / 2", "thickness * 3", 24);
    let place = at("8 - width / 2", 8.0, "-thickness").turned(90.0, 0.0, 0.0);
    let screw = feature("screws", "Screw holes", "plate", from(["plate"]), screw, place);
    let steps = [[f("width - 16"), zero(), zero()], [zero(), f("height - 16"), zero()]];
    let corners = Repeat::Grid { counts: [Amount::Value(2.0), Amount::Value(2.0)], steps };
    let screws = Feature { repeat: Some(corners), ..screw };
    let text = Shape::Text {
        text: "12".to_owned(),
        height: f("min(letters, height - 20)"),
        depth: f("relief"),
        spread: zero(),
    };
    let text = feature("number", "Number", "digits", Does::Body, text, at(0.0, "height / 2", "thickness"));
    let materials = [("digits", plastic("PLA white", [246, 246, 242])), ("plate", plastic("PLA navy", [28, 44, 84]))];
    design("House number", params, materials, vec![plate, screws, text])
}
