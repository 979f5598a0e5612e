//! The files: their structure, and that they say what the solids are.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::{collections::BTreeMap, io::Read as _, num::NonZeroU32};

use common::{amounts, block, body, design, start, try_evaluate};
use vestibule_fabricate::{
    Machine, PriceBook, Solids, Start, estimate,
    export::{ExportError, THUMBNAIL, glb, stl, thumbnail, write_3mf},
    room::{Gap, NotFitting, fits},
};
use vestibule_model::ContentHash;

fn small(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()))
}

fn number(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

fn float(bytes: &[u8], at: usize) -> f64 {
    f64::from(f32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()))
}

/// As any reader does it: from the directory at the end.
fn unpacked(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let end = bytes.len() - 22;
    assert_eq!(&bytes[end..end + 4], b"PK\x05\x06");
    let mut at = number(bytes, end + 16);
    let mut parts = BTreeMap::new();
    for _ in 0..small(bytes, end + 10) {
        assert_eq!(&bytes[at..at + 4], b"PK\x01\x02");
        let (crc, packed, size) = (number(bytes, at + 16), number(bytes, at + 20), number(bytes, at + 24));
        let (length, local) = (small(bytes, at + 28), number(bytes, at + 42));
        let name = String::from_utf8(bytes[at + 46..at + 46 + length].to_vec()).unwrap();
        assert_eq!(&bytes[local..local + 4], b"PK\x03\x04");
        let content = local + 30 + small(bytes, local + 26) + small(bytes, local + 28);
        let mut part = Vec::new();
        flate2::read::DeflateDecoder::new(&bytes[content..content + packed]).read_to_end(&mut part).unwrap();
        assert_eq!((part.len(), crc32fast::hash(&part) as usize), (size, crc));
        parts.insert(name, part);
        at += 46 + length;
    }
    parts
}

fn packed(which: Start) -> (vestibule_fabricate::Design, Solids, Vec<u8>) {
    let (design, solids) = start(which);
    let mut bytes = Vec::new();
    let package = write_3mf(&solids, &design, &mut bytes).unwrap();
    assert_eq!(package.bytes as usize, bytes.len());
    assert_eq!(package.hash, ContentHash::of(&bytes));
    (design, solids, bytes)
}

/// The values of an attribute, in their order.
fn attributes<'a>(text: &'a str, element: &str, name: &str) -> Vec<&'a str> {
    let start = format!("<{element} ");
    let elements = text.split(start.as_str()).skip(1).filter_map(|rest| rest.split('>').next());
    let begin = format!("{name}=\"");
    elements.filter_map(|element| element.split(begin.as_str()).nth(1)?.split('"').next()).collect()
}

#[test]
fn a_3mf_package_has_the_parts_that_readers_look_for() {
    for which in Start::ALL {
        let (design, solids, bytes) = packed(which);
        let parts = unpacked(&bytes);
        let names: Vec<_> = parts.keys().map(String::as_str).collect();
        let expected = [
            "3D/3dmodel.model",
            "Metadata/design.json",
            "Metadata/thumbnail.png",
            "[Content_Types].xml",
            "_rels/.rels",
        ];
        assert_eq!(names, expected);
        let relations = String::from_utf8(parts["_rels/.rels"].clone()).unwrap();
        for target in attributes(&relations, "Relationship", "Target") {
            assert!(parts.contains_key(&target[1..]), "{target}");
        }
        let text = String::from_utf8(parts["Metadata/design.json"].clone()).unwrap();
        assert_eq!(text, design.canonical().unwrap());
        let model = String::from_utf8(parts["3D/3dmodel.model"].clone()).unwrap();
        assert!(model.contains("<model unit=\"millimeter\""));
        assert!(model.contains(&format!("<metadata name=\"v:Design\">{}</metadata>", design.hash().unwrap())));
        assert_eq!(attributes(&model, "base", "displaycolor").len(), design.materials.len());
        let triangles: usize = solids.bodies.iter().map(|body| body.mesh.triangles.len()).sum();
        assert_eq!(attributes(&model, "triangle", "v1").len(), triangles);
        let points: usize = solids.bodies.iter().map(|body| body.mesh.points.len()).sum();
        assert_eq!(attributes(&model, "vertex", "x").len(), points);
        let items = attributes(&model, "item", "objectid");
        assert!(items.len() == 1 && attributes(&model, "object", "id").contains(&items[0]));
    }
}

/// Volume from the text alone, standing on the bed with Z up.
#[test]
fn a_3mf_model_is_the_solid() {
    let (_, solids, bytes) = packed(Start::Hook);
    let model = String::from_utf8(unpacked(&bytes).remove("3D/3dmodel.model").unwrap()).unwrap();
    let axis = |name| attributes(&model, "vertex", name).into_iter().map(|v| v.parse::<f64>().unwrap());
    let points: Vec<[f64; 3]> = axis("x").zip(axis("y")).zip(axis("z")).map(|((x, y), z)| [x, y, z]).collect();
    let corner = |name| attributes(&model, "triangle", name).into_iter().map(|v| points[v.parse::<usize>().unwrap()]);
    let corners = corner("v1").zip(corner("v2")).zip(corner("v3"));
    let volume: f64 = corners
        .map(|((a, b), c)| {
            let cross = [b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0]];
            (a[0] * cross[0] + a[1] * cross[1] + a[2] * cross[2]) / 6.0
        })
        .sum();
    assert!((volume / solids.volume_mm3() - 1.0).abs() < 1e-4);
    let moved: Vec<f64> =
        attributes(&model, "item", "transform")[0].split(' ').map(|value| value.parse().unwrap()).collect();
    for axis in 0..3 {
        let low = points.iter().map(|point| point[axis] + moved[9 + axis]).fold(f64::INFINITY, f64::min);
        assert!(low.abs() < 1e-4, "{low}");
    }
    let high = points.iter().map(|point| point[2]).fold(f64::NEG_INFINITY, f64::max);
    assert!((high - 70.0).abs() < 1e-4);
}

#[test]
fn the_same_design_gives_the_same_bytes_and_another_ones_solids_are_refused() {
    let (design, solids, bytes) = packed(Start::Lamp);
    assert_eq!(packed(Start::Lamp).2, bytes);
    let mut other = design;
    other.set("height", 250.0).unwrap();
    let refused = write_3mf(&solids, &other, &mut Vec::new());
    assert!(matches!(refused, Err(ExportError::OtherDesign)));
}

#[test]
fn names_cannot_break_out_of_the_xml() {
    let mut design = design(vec![body("a", block([5.0; 3]), [0.0; 3])]);
    design.name = "<a href=\"x\">&'\u{0}".to_owned();
    let solids = try_evaluate(&design).unwrap();
    let mut bytes = Vec::new();
    write_3mf(&solids, &design, &mut bytes).unwrap();
    let model = String::from_utf8(unpacked(&bytes).remove("3D/3dmodel.model").unwrap()).unwrap();
    assert!(model.contains("<metadata name=\"Title\">&lt;a href=&quot;x&quot;&gt;&amp;&apos;</metadata>"));
}

#[test]
fn a_thumbnail_is_a_picture_of_it() {
    let (_, solids) = start(Start::Lamp);
    let png = thumbnail(&solids).unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let side = u32::from_be_bytes(png[16..20].try_into().unwrap());
    assert_eq!(side, THUMBNAIL);
    let length = u32::from_be_bytes(png[33..37].try_into().unwrap()) as usize;
    let mut pixels = Vec::new();
    flate2::read::ZlibDecoder::new(&png[41..41 + length]).read_to_end(&mut pixels).unwrap();
    let side = side as usize;
    assert_eq!(pixels.len(), side * (side * 4 + 1));
    let seen = pixels.chunks(side * 4 + 1).flat_map(|row| row[1..].chunks(4)).filter(|pixel| pixel[3] == 255).count();
    assert!(seen > 4_000, "{seen}");
}

#[test]
fn stl_has_all_triangles_and_the_volume() {
    let (_, solids) = start(Start::Planter);
    let bytes = stl(&solids).unwrap();
    assert!(!bytes.starts_with(b"solid"));
    let count = number(&bytes, 80);
    assert_eq!(bytes.len(), 84 + 50 * count);
    let volume: f64 = (0..count)
        .map(|triangle| {
            let at = |corner: usize, axis: usize| float(&bytes, 84 + 50 * triangle + 12 + 12 * corner + 4 * axis);
            let [a, b, c] = [0, 1, 2].map(|corner| [0, 1, 2].map(|axis| at(corner, axis)));
            let cross = [b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0]];
            (a[0] * cross[0] + a[1] * cross[1] + a[2] * cross[2]) / 6.0
        })
        .sum();
    assert!((volume / solids.volume_mm3() - 1.0).abs() < 1e-4);
}

#[test]
fn glb_is_what_the_format_asks_for() {
    for which in Start::ALL {
        let (_, solids) = start(which);
        let bytes = glb(&solids).unwrap();
        assert_eq!((&bytes[..4], number(&bytes, 4), number(&bytes, 8)), (&b"glTF"[..], 2, bytes.len()));
        let length = number(&bytes, 12);
        assert!(length.is_multiple_of(4) && &bytes[16..20] == b"JSON");
        let json: serde_json::Value = serde_json::from_slice(&bytes[20..20 + length]).unwrap();
        assert_eq!(&bytes[24 + length..28 + length], b"BIN\0");
        let binary = &bytes[28 + length..];
        assert_eq!(json["buffers"][0]["byteLength"], binary.len());
        assert_eq!(json["meshes"].as_array().unwrap().len(), solids.bodies.len());
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for (accessor, view) in
            json["accessors"].as_array().unwrap().iter().zip(json["bufferViews"].as_array().unwrap())
        {
            let width = if accessor["type"] == "VEC3" { 12 } else { 4 };
            let count = usize::try_from(accessor["count"].as_u64().unwrap()).unwrap();
            assert_eq!(view["byteLength"], count * width);
            if let Some(least) = accessor["min"][1].as_f64() {
                low = low.min(least);
                high = high.max(accessor["max"][1].as_f64().unwrap());
            }
        }
        // Metres, and still standing.
        assert!((high - low - solids.bounds().size()[1] / 1_000.0).abs() < 1e-6);
        let normals = &json["bufferViews"][1];
        let from = usize::try_from(normals["byteOffset"].as_u64().unwrap()).unwrap();
        let to = from + usize::try_from(normals["byteLength"].as_u64().unwrap()).unwrap();
        for at in (from..to).step_by(12) {
            let length: f64 = (0..3).map(|axis| float(binary, at + 4 * axis).powi(2)).sum();
            assert!((length - 1.0).abs() < 1e-5);
        }
    }
}

#[test]
fn every_starting_point_has_a_price_and_goes_into_its_gap() {
    let book = PriceBook::sample("EUR").unwrap();
    for which in Start::ALL {
        let (_, solids) = start(which);
        let price = estimate(&solids, &Machine::desktop(), 20, &book, NonZeroU32::MIN).unwrap();
        let parts = [price.material, price.machine, price.finish, price.handling].map(|part| part.amount);
        assert_eq!(price.total.amount, parts.iter().sum::<i64>() - price.discount.amount);
        assert!(price.mass_mg > 1_000 && price.seconds > 600, "{which:?} {price:?}");
        assert_eq!(price, estimate(&solids, &Machine::desktop(), 20, &book, NonZeroU32::MIN).unwrap());
    }
    let design = design(vec![body("a", block([100.5, 20.0, 30.0]), [0.0; 3])]);
    let gap = |width: u32| Gap { name: "gap".to_owned(), at: [0; 3], size: [width, 20, 30] };
    let solids = try_evaluate(&design).unwrap();
    assert_eq!(fits(&solids, &gap(101)), Ok(()));
    assert_eq!(fits(&solids, &gap(100)), Err(NotFitting { over_mm: [0.5, 0.0, 0.0] }));
    assert_eq!(amounts([1.0]).len(), 1);
}
