//! Files that we wrote come back as they were; files that others wrote to do harm are refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::io::Write;

use common::start;
use flate2::{Compression, write::DeflateEncoder};
use proptest::prelude::*;
use vestibule_fabricate::{
    Mesh, Start,
    export::{glb, stl, write_3mf},
    import::{ImportError, Scene, read_3mf, read_glb, read_stl},
};

fn packed(which: Start) -> Vec<u8> {
    let (design, solids) = start(which);
    let mut bytes = Vec::new();
    write_3mf(&solids, &design, &mut bytes).unwrap();
    bytes
}

/// An entry of a zip file as somebody writes it: name, method, packed bytes, how long they say that they become.
struct Entry<'a> {
    name: &'a str,
    method: u16,
    flags: u16,
    bytes: Vec<u8>,
    size: usize,
    crc: u32,
}

fn deflated<'a>(name: &'a str, content: &[u8]) -> Entry<'a> {
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::best());
    packer.write_all(content).unwrap();
    let bytes = packer.finish().unwrap();
    Entry { name, method: 8, flags: 0, bytes, size: content.len(), crc: crc32fast::hash(content) }
}

fn short(value: usize) -> [u8; 2] {
    u16::try_from(value).unwrap().to_le_bytes()
}

fn long(value: usize) -> [u8; 4] {
    u32::try_from(value).unwrap().to_le_bytes()
}

/// `at` says where each entry is said to begin, if not where it is.
fn zip(entries: &[Entry<'_>], at: Option<usize>) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let begins = at.unwrap_or(bytes.len());
        let common = [
            &20_u16.to_le_bytes()[..],
            &entry.flags.to_le_bytes(),
            &entry.method.to_le_bytes(),
            &[0, 0, 0x21, 0],
            &entry.crc.to_le_bytes(),
            &long(entry.bytes.len()),
            &long(entry.size),
            &short(entry.name.len()),
            &[0, 0],
        ]
        .concat();
        if at.is_none() || bytes.is_empty() {
            bytes.extend([&b"PK\x03\x04"[..], &common, entry.name.as_bytes(), &entry.bytes].concat());
        }
        directory.extend([&b"PK\x01\x02\x14\0"[..], &common, &[0; 10], &long(begins), entry.name.as_bytes()].concat());
    }
    let (count, from) = (short(entries.len()), bytes.len());
    bytes.extend(&directory);
    bytes.extend([&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &long(directory.len()), &long(from), &[0, 0]].concat());
    bytes
}

const RELATIONS: &str = concat!(
    r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="a" "#,
    r#"Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel" Target="/3D/a.model"/></Relationships>"#
);
const CORE: &str = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02";

fn package(model: &str) -> Vec<u8> {
    zip(&[deflated("_rels/.rels", RELATIONS.as_bytes()), deflated("3D/a.model", model.as_bytes())], None)
}

fn model(attributes: &str, content: &str) -> Vec<u8> {
    package(&format!("<model xmlns=\"{CORE}\" {attributes}>{content}</model>"))
}

const POINTS: &str = concat!(
    r#"<vertices><vertex x="0" y="0" z="0"/><vertex x="1" y="0" z="0"/>"#,
    r#"<vertex x="0" y="1" z="0"/><vertex x="0" y="0" z="1"/></vertices>"#
);
const SIDES: &str = concat!(
    r#"<triangles><triangle v1="0" v2="2" v3="1"/><triangle v1="0" v2="1" v3="3"/>"#,
    r#"<triangle v1="1" v2="2" v3="3"/><triangle v1="2" v2="0" v3="3"/></triangles>"#
);

fn corner(attributes: &str, build: &str) -> Vec<u8> {
    let object = format!("<object id=\"1\" type=\"model\"><mesh>{POINTS}{SIDES}</mesh></object>");
    model(attributes, &format!("<resources>{object}</resources><build>{build}</build>"))
}

fn why(read: Result<Scene, ImportError>) -> String {
    read.unwrap_err().to_string()
}

#[test]
fn what_we_write_we_read() {
    for which in Start::ALL {
        let (design, solids) = start(which);
        let scene = read_3mf(&packed(which)).unwrap();
        assert_eq!(scene.design.as_ref().unwrap().canonical().unwrap(), design.canonical().unwrap());
        assert_eq!(scene.hash, Some(solids.design));
        assert_eq!(scene.metadata["Title"], design.name);
        assert!(scene.thumbnail.unwrap().starts_with(b"\x89PNG"));
        assert_eq!((scene.objects.len(), scene.placed.len()), (solids.bodies.len(), solids.bodies.len()));
        for (object, body) in scene.objects.iter().zip(&solids.bodies) {
            assert_eq!(object.name, body.name);
            assert_eq!((&object.mesh.points, &object.mesh.triangles), (&body.mesh.points, &body.mesh.triangles));
            let look = &scene.materials[object.material.unwrap()];
            assert_eq!((&look.name, &look.colour[..3]), (&body.material.name, &body.material.colour[..]));
        }
        // It stands on the bed, nothing of it below or before zero.
        let bounds = solids.bounds();
        for placed in &scene.placed {
            assert_eq!(placed.frame[..3], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
            let low = placed.point([bounds.low[0], bounds.low[1], bounds.high[2]]);
            assert!(low.iter().all(|value| value.abs() < 1e-9), "{low:?}");
        }
    }
}

fn same(read: &Mesh, volume: f64, name: &str) {
    assert!((read.volume() / volume - 1.0).abs() < 1e-4, "{name}");
}

#[test]
fn other_formats_come_back_with_their_volume() {
    for which in Start::ALL {
        let (_, solids) = start(which);
        let scene = read_stl(&stl(&solids).unwrap()).unwrap();
        same(&scene.objects[0].mesh, solids.volume_mm3(), "stl");
        let scene = read_glb(&glb(&solids).unwrap()).unwrap();
        assert_eq!(scene.hash, Some(solids.design));
        assert_eq!(scene.placed.len(), solids.bodies.len());
        for (object, body) in scene.objects.iter().zip(&solids.bodies) {
            same(&object.mesh, body.volume_mm3, "glb");
            let look = &scene.materials[object.material.unwrap()];
            assert_eq!(look.name, body.material.name);
            for (read, written) in look.colour.iter().zip(body.material.colour) {
                assert!(read.abs_diff(written) <= 1, "{look:?}");
            }
        }
    }
}

#[test]
fn units_places_and_prefixes_are_as_the_format_says() {
    let scene =
        read_3mf(&corner("unit=\"inch\"", "<item objectid=\"1\" transform=\"0 1 0 -1 0 0 0 0 1 1 0 0\"/>")).unwrap();
    let mesh = &scene.objects[0].mesh;
    // Their Z is our Y; an inch is 25.4 mm.
    assert_eq!(mesh.points[3], [0.0, 25.4, 0.0]);
    assert!((mesh.volume() - 25.4_f64.powi(3) / 6.0).abs() < 1e-2);
    assert_eq!(mesh.open_edge(), None);
    // A quarter turn about their Z takes their X to their Y, which is away from us.
    assert_eq!(scene.placed[0].point([25.4, 0.0, 0.0]), [25.4, 0.0, -25.4]);
    assert_eq!(scene.placed[0].point([0.0, 25.4, 0.0]), [25.4, 25.4, 0.0]);
    let prefixed = format!("<c:model xmlns:c=\"{CORE}\"><c:resources/><other/><c:build/></c:model>");
    assert_eq!(read_3mf(&package(&prefixed)).unwrap(), Scene::default());
}

#[test]
fn components_are_placed_each_in_its_place() {
    let object = format!("<object id=\"1\"><mesh>{POINTS}{SIDES}</mesh></object>");
    let two = concat!(
        r#"<object id="2"><components><component objectid="1"/>"#,
        r#"<component objectid="1" transform="1 0 0 0 1 0 0 0 1 0 0 10"/></components></object>"#
    );
    let build = r#"<item objectid="2"/><item objectid="2" transform="2 0 0 0 2 0 0 0 2 5 0 0"/>"#;
    let scene = read_3mf(&model("", &format!("<resources>{object}{two}</resources><build>{build}</build>"))).unwrap();
    let origins: Vec<_> = scene.placed.iter().map(|placed| placed.frame[3]).collect();
    assert_eq!(origins, [[0.0; 3], [0.0, 10.0, 0.0], [5.0, 0.0, 0.0], [5.0, 20.0, 0.0]]);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let resources = |content: &str| model("", &format!("<resources>{content}</resources><build/>"));
    let mesh = |content: &str| resources(&format!("<object id=\"1\"><mesh>{content}</mesh></object>"));
    let triangle = |v: &str| mesh(&format!("{POINTS}<triangles><triangle v1=\"0\" v2=\"1\" v3=\"{v}\"/></triangles>"));
    let vertex = |x: &str| mesh(&format!("<vertices><vertex x=\"{x}\" y=\"0\" z=\"0\"/></vertices>"));
    for bytes in [
        triangle("4"),
        triangle("-1"),
        triangle("99999999999999999999"),
        triangle(""),
        vertex("NaN"),
        vertex("inf"),
        vertex("1e300"),
        vertex("1000001"),
        vertex("1,5"),
        mesh("<triangles><triangle v1=\"0\" v2=\"1\" v3=\"2\"/></triangles>"),
        resources("<object id=\"1\"/><object id=\"1\"/>"),
        resources("<object/>"),
        resources("<object id=\"1\"><components><component objectid=\"1\"/></components></object>"),
        resources("<basematerials id=\"1\"><base displaycolor=\"red\"/></basematerials>"),
        resources("<basematerials id=\"1\"/><object id=\"2\" pid=\"1\" pindex=\"0\"/>"),
        corner("", "<item objectid=\"1\" transform=\"1 0 0 0 1 0 0 0 1 0 0\"/>"),
        corner("", "<item objectid=\"1\" transform=\"1 0 0 0 1 0 0 0 1 0 0 nan\"/>"),
        corner("", "<item/>"),
        package(&format!("<model xmlns=\"{CORE}\"></model><model/>")),
        package(&format!("<model xmlns=\"{CORE}\"><resources>")),
        package("<model/>"),
        package("no xml"),
        package(""),
    ] {
        let error = read_3mf(&bytes).unwrap_err();
        let ImportError::Malformed { part, .. } = &error else { panic!("{error}") };
        assert_eq!(part, "/3D/a.model", "{error}");
    }
    assert_eq!(why(read_3mf(&corner("", "<item objectid=\"9\"/>"))), "an object that stands there is missing");
    let demanded =
        "xmlns:p=\"http://schemas.microsoft.com/3dmanufacturing/production/2015/06\" requiredextensions=\"p\"";
    assert!(why(read_3mf(&corner(demanded, ""))).contains("production/2015/06 is not supported"));
    assert!(why(read_3mf(&corner("unit=\"mile\"", ""))).contains("the unit mile is not supported"));
}

#[test]
fn xml_that_grows_is_refused() {
    let laughs = concat!(
        "<!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;\">]>",
        "<model>&c;</model>"
    );
    assert!(why(read_3mf(&package(laughs))).contains("document type"));
    let entity = format!("<model xmlns=\"{CORE}\"><metadata name=\"a\">&c;</metadata></model>");
    assert!(why(read_3mf(&package(&entity))).contains("entity"));
    let deep = format!("<model xmlns=\"{CORE}\">{}{}</model>", "<a>".repeat(5_000), "</a>".repeat(5_000));
    assert!(why(read_3mf(&package(&deep))).contains("elements in elements"));
    let many: String = (0..100).map(|number| format!(" a{number}=\"\"")).collect();
    assert!(why(read_3mf(&corner(&many, ""))).contains("attributes"));
    let long: String = (0..20_000).map(|number| format!("{number} ")).collect();
    let long = format!("<metadata name=\"a\">{long}</metadata>");
    assert!(why(read_3mf(&model("", &long))).contains("bytes of text"));
}

#[test]
fn objects_that_multiply_are_refused() {
    let object = format!("<object id=\"0\"><mesh>{POINTS}{SIDES}</mesh></object>");
    // Ten of ten of ten: a thousand million.
    let ten = |of: usize, id: usize| {
        let parts = format!("<component objectid=\"{of}\"/>").repeat(10);
        format!("<object id=\"{id}\"><components>{parts}</components></object>")
    };
    let nested: String = (1..10).map(|id| ten(id - 1, id)).collect();
    let bytes = model("", &format!("<resources>{object}{nested}</resources><build><item objectid=\"7\"/></build>"));
    assert!(why(read_3mf(&bytes)).contains("placed objects"));
    let empty: String = (1..8).map(|id| ten(id - 1, id)).collect();
    let bytes =
        model("", &format!("<resources><object id=\"0\"/>{empty}</resources><build><item objectid=\"7\"/></build>"));
    assert!(why(read_3mf(&bytes)).contains("placed objects"));
    let chain: String = (1..30)
        .map(|id| format!("<object id=\"{id}\"><components><component objectid=\"{}\"/></components></object>", id - 1))
        .collect();
    let bytes = model("", &format!("<resources>{object}{chain}</resources><build><item objectid=\"29\"/></build>"));
    assert!(why(read_3mf(&bytes)).contains("objects in objects"));
}

#[test]
fn archives_that_grow_or_lie_are_refused() {
    let zeros = vec![b' '; 40 << 20];
    let bomb = zip(&[deflated("_rels/.rels", RELATIONS.as_bytes()), deflated("3D/a.model", &zeros)], None);
    assert!(bomb.len() < 100_000);
    assert!(why(read_3mf(&bomb)).contains("unpacked bytes"));
    // What it says about itself is not believed, either way.
    for size in [10, u32::MAX as usize] {
        let liar = Entry { size, ..deflated("3D/a.model", &zeros) };
        let liar = zip(&[deflated("_rels/.rels", RELATIONS.as_bytes()), liar], None);
        assert!(read_3mf(&liar).is_err());
    }
    let two = || [deflated("_rels/.rels", RELATIONS.as_bytes()), deflated("3D/a.model", b"<model/>")];
    assert!(why(read_3mf(&zip(&two(), Some(0)))).contains("in one another"));
    let many: Vec<_> = (0..300).map(|number| format!("{number}")).collect();
    let many: Vec<_> = many.iter().map(|name| deflated(name, b"")).collect();
    assert!(why(read_3mf(&zip(&many, None))).contains("parts"));
    let twice = [deflated("_rels/.rels", b""), deflated("_RELS/.rels", b"")];
    assert!(why(read_3mf(&zip(&twice, None))).contains("the same name"));
    for name in ["../a", "a/../../b", "\\a", "C:/a"] {
        assert!(why(read_3mf(&zip(&[deflated(name, b"")], None))).contains("leads out"), "{name}");
    }
    let locked = Entry { flags: 1, ..deflated("_rels/.rels", b"") };
    assert!(why(read_3mf(&zip(&[locked], None))).contains("encryption"));
    let other = Entry { method: 12, ..deflated("_rels/.rels", b"") };
    assert!(why(read_3mf(&zip(&[other], None))).contains("compression"));
    assert_eq!(why(read_3mf(&zip(&[deflated("a", b"")], None))), "_rels/.rels is missing");
    let lost = zip(&[deflated("_rels/.rels", RELATIONS.as_bytes())], None);
    assert_eq!(why(read_3mf(&lost)), "/3D/a.model is missing");
    assert!(why(read_3mf(&zip(&[deflated("_rels/.rels", &[0xff, 0xfe])], None))).contains("UTF-8"));
    assert!(matches!(read_3mf(&vec![0; (64 << 20) + 1]), Err(ImportError::TooMany { what: "bytes", .. })));
}

/// An archive that contains itself is an archive with a part that nobody asks for.
#[test]
fn a_quine_is_one_part() {
    let inner = package("<model/>");
    let outer = zip(&[deflated("r/r.zip", &inner), deflated("_rels/.rels", RELATIONS.as_bytes())], None);
    assert_eq!(why(read_3mf(&outer)), "/3D/a.model is missing");
}

#[test]
fn a_design_that_is_not_the_one_it_says_is_refused() {
    let (design, _) = start(Start::Hook);
    let relations = RELATIONS.replace(
        "</Relationships>",
        r#"<Relationship Type="https://example.com/vestibule/3mf/design" Target="/d.json"/></Relationships>"#,
    );
    let ours = format!(
        "<model xmlns=\"{CORE}\" xmlns:w=\"https://example.com/vestibule/3mf\"><metadata name=\"w:Design\">{}</metadata></model>",
        design.hash().unwrap()
    );
    let pack = |text: &str| {
        zip(
            &[
                deflated("_rels/.rels", relations.as_bytes()),
                deflated("3D/a.model", ours.as_bytes()),
                deflated("d.json", text.as_bytes()),
            ],
            None,
        )
    };
    let scene = read_3mf(&pack(&design.canonical().unwrap())).unwrap();
    assert_eq!(scene.design, Some(design));
    let other = start(Start::Lamp).0.canonical().unwrap();
    assert_eq!(read_3mf(&pack(&other)), Err(ImportError::OtherDesign));
    assert!(matches!(read_3mf(&pack("{}")), Err(ImportError::Design(_))));
}

#[test]
fn cut_off_files_are_refused() {
    let (_, solids) = start(Start::Hook);
    let mesh = packed(Start::Hook);
    for end in (0..mesh.len()).step_by(97) {
        assert!(read_3mf(&mesh[..end]).is_err(), "{end}");
    }
    let (glb, stl) = (glb(&solids).unwrap(), stl(&solids).unwrap());
    for end in (0..glb.len()).step_by(97) {
        assert!(read_glb(&glb[..end]).is_err(), "{end}");
    }
    for end in (0..stl.len()).step_by(97) {
        assert!(read_stl(&stl[..end]).is_err(), "{end}");
    }
}

fn gltf(json: &str, binary: &[u8]) -> Vec<u8> {
    let mut json = json.as_bytes().to_vec();
    json.resize(json.len().next_multiple_of(4), b' ');
    let length = 28 + json.len() + binary.len();
    [&b"glTF\x02\0\0\0"[..], &long(length), &long(json.len()), b"JSON", &json, &long(binary.len()), b"BIN\0", binary]
        .concat()
}

/// A triangle whose accessor, view and node somebody changed.
fn one(accessor: &str, view: &str, node: &str) -> Vec<u8> {
    let binary: Vec<u8> =
        [0.0_f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let json = format!(
        r#"{{"asset":{{"version":"2.0"}},"scenes":[{{"nodes":[0]}}],"nodes":[{node}],"meshes":[{{"primitives":[{{
        "attributes":{{"POSITION":0}}}}]}}],"accessors":[{accessor}],"bufferViews":[{view}],"buffers":[{{}}]}}"#
    );
    gltf(&json, &binary)
}

const ACCESSOR: &str = r#"{"bufferView":0,"componentType":5126,"count":3,"type":"VEC3"}"#;
const VIEW: &str = r#"{"buffer":0,"byteLength":36}"#;
const NODE: &str = r#"{"mesh":0,"translation":[1,2,3],"scale":[2,2,2]}"#;

#[test]
fn glb_files_of_others_are_read_and_wrong_ones_are_not() {
    let scene = read_glb(&one(ACCESSOR, VIEW, NODE)).unwrap();
    assert_eq!(scene.objects[0].mesh.points, [[0.0; 3], [1_000.0, 0.0, 0.0], [0.0, 1_000.0, 0.0]]);
    assert_eq!(scene.placed[0].point([1_000.0, 0.0, 0.0]), [3_000.0, 2_000.0, 3_000.0]);
    let quarter = r#"{"mesh":0,"rotation":[0,0,0.7071067811865476,0.7071067811865476]}"#;
    let turned = read_glb(&one(ACCESSOR, VIEW, quarter)).unwrap().placed[0].point([1.0, 0.0, 0.0]);
    assert!((turned[1] - 1.0).abs() < 1e-9 && turned[0].abs() < 1e-9);
    for accessor in [
        r#"{"bufferView":0,"componentType":5126,"count":4,"type":"VEC3"}"#,
        r#"{"bufferView":0,"componentType":5126,"count":18446744073709551615,"type":"VEC3"}"#,
        r#"{"bufferView":0,"componentType":5126,"count":3000000000,"type":"VEC3"}"#,
        r#"{"bufferView":1,"componentType":5126,"count":3,"type":"VEC3"}"#,
        r#"{"bufferView":0,"componentType":5123,"count":3,"type":"VEC3"}"#,
        r#"{"bufferView":0,"componentType":5126,"count":3,"type":"VEC2"}"#,
        r#"{"bufferView":0,"componentType":5126,"count":3,"type":"VEC3","byteOffset":4}"#,
        r#"{"bufferView":0,"componentType":5126,"count":3,"type":"VEC3","sparse":{}}"#,
        r#"{"bufferView":0,"componentType":5126,"count":2,"type":"VEC3"}"#,
        r#"{"componentType":5126,"count":3,"type":"VEC3"}"#,
    ] {
        assert!(read_glb(&one(accessor, VIEW, NODE)).is_err(), "{accessor}");
    }
    for view in [
        r#"{"buffer":1,"byteLength":36}"#,
        r#"{"buffer":0,"byteLength":37}"#,
        r#"{"buffer":0,"byteLength":18446744073709551615,"byteOffset":1}"#,
        r#"{"buffer":0,"byteLength":36,"byteStride":18446744073709551615}"#,
        r#"{"buffer":0,"byteLength":36,"byteStride":4}"#,
    ] {
        assert!(read_glb(&one(ACCESSOR, view, NODE)).is_err(), "{view}");
    }
    for node in [
        r#"{"children":[0]}"#,
        r#"{"mesh":1}"#,
        r#"{"children":[5]}"#,
        r#"{"mesh":0,"translation":[1e300,0,0]}"#,
        r#"{"mesh":0,"matrix":[1]}"#,
    ] {
        assert!(read_glb(&one(ACCESSOR, VIEW, node)).is_err(), "{node}");
    }
    let nan: Vec<u8> = [f32::NAN; 9].iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut bytes = one(ACCESSOR, VIEW, NODE);
    let from = bytes.len() - 36;
    bytes[from..].copy_from_slice(&nan);
    assert!(why(read_glb(&bytes)).contains("nowhere"));
    let deep = format!("{{\"asset\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(why(read_glb(&gltf(&deep, b""))).contains("arrays in arrays"));
    let needed = r#"{"asset":{"version":"2.0"},"extensionsRequired":["KHR_draco_mesh_compression"]}"#;
    assert!(why(read_glb(&gltf(needed, b""))).contains("KHR_draco_mesh_compression is not supported"));
    assert!(why(read_glb(&gltf(r#"{"asset":{"version":"1.0"}}"#, b""))).contains("not supported"));
}

#[test]
fn stl_files_of_others_are_read_and_wrong_ones_are_not() {
    let file = |count: usize, numbers: [f32; 12]| {
        let triangle: Vec<u8> = numbers.iter().flat_map(|value| value.to_le_bytes()).chain([0, 0]).collect();
        [&[b'x'; 80][..], &long(count), &triangle].concat()
    };
    let good = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, -0.0];
    let scene = read_stl(&file(1, good)).unwrap();
    assert_eq!(scene.objects[0].mesh.points, [[0.0; 3], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]);
    for count in [0, 2, 0xffff_ffff] {
        assert!(why(read_stl(&file(count, good))).contains("length"));
    }
    for value in [f32::NAN, f32::INFINITY, 1e30] {
        let mut bad = good;
        bad[5] = value;
        assert!(why(read_stl(&file(1, bad))).contains("no point"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// A byte that is not what was written is refused, or does no harm.
    #[test]
    fn broken_bytes_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let good = corner("unit=\"meter\"", "<item objectid=\"1\"/>");
        for (mut bytes, read) in [
            (good, read_3mf as fn(&[u8]) -> Result<Scene, ImportError>),
            (one(ACCESSOR, VIEW, NODE), read_glb),
        ] {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(scene) = read(&bytes) {
                for placed in &scene.placed {
                    prop_assert!(placed.object < scene.objects.len());
                }
            }
        }
    }
}
