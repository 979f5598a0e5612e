use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::{glb, triangle};

fn check(json: &Value, bin: &[u8]) -> Result<ModelSummary, ModelRefusal> {
    check_glb(&glb(json, bin), &Limits::default())
}

#[test]
fn an_honest_model_is_measured() {
    let (json, bin) = triangle();
    let summary = check(&json, &bin).unwrap();
    assert_eq!((summary.nodes, summary.meshes, summary.triangles, summary.vertices), (2, 1, 1, 3));
    assert_eq!(summary.bounds, [[0.0, 1.0, 0.0], [1.0, 2.0, 0.0]], "nodes move what they carry");
    assert_eq!(summary.node_names, ["top", "thing"]);
}

#[test]
fn every_truncation_is_refused() {
    let (json, bin) = triangle();
    let whole = glb(&json, &bin);
    for length in 0..whole.len() {
        assert!(check_glb(&whole[..length], &Limits::default()).is_err(), "{length} bytes");
    }
}

#[test]
fn loops_are_named() {
    let cases = [
        json!([{"children": [1]}, {"children": [0]}]),
        json!([{"children": [0]}]),
        json!([{"children": [2]}, {"children": [2]}, {"name": "twice"}]),
        json!([{}, {"children": [2]}, {"children": [3]}, {"children": [1]}]),
        json!([{"children": [1]}, {"children": [0]}]),
    ];
    for nodes in cases {
        let (mut json, bin) = triangle();
        json["nodes"] = nodes.clone();
        let refusal = check(&json, &bin).unwrap_err();
        assert!(matches!(refusal, ModelRefusal::Loop { .. }), "{nodes}: {refusal}");
        assert!(refusal.to_string().starts_with("looping glTF"), "{refusal}");
    }
}

#[test]
fn a_long_chain_is_too_deep_and_a_long_ring_is_a_loop() {
    let chain = |ring: bool| -> Value {
        (0..200)
            .map(|n| {
                if n < 199 {
                    json!({"children": [n + 1]})
                } else if ring {
                    json!({"children": [1]})
                } else {
                    json!({})
                }
            })
            .collect()
    };
    let (mut json, bin) = triangle();
    json["nodes"] = chain(false);
    assert!(matches!(check(&json, &bin), Err(ModelRefusal::TooDeep { .. })));
    json["nodes"] = chain(true);
    assert!(matches!(check(&json, &bin), Err(ModelRefusal::Loop { .. })));
    let mut ring: Vec<Value> = (0..200).map(|n| json!({"children": [(n + 1) % 200]})).collect();
    ring.push(json!({}));
    json["nodes"] = ring.into();
    json["scenes"] = json!([{"nodes": [200]}]);
    assert!(matches!(check(&json, &bin), Err(ModelRefusal::Loop { .. })));
}

#[test]
fn nothing_is_fetched_from_elsewhere() {
    for uri in ["http://evil.example/a.bin", "../../etc/passwd", "data:application/octet-stream;base64,AAAA"] {
        let (mut json, bin) = triangle();
        json["buffers"][0]["uri"] = uri.into();
        assert!(matches!(check(&json, &bin), Err(ModelRefusal::External(_))), "{uri}");
        let (mut json, bin) = triangle();
        json["images"] = json!([{"uri": uri}]);
        assert!(matches!(check(&json, &bin), Err(ModelRefusal::External(_))), "{uri}");
    }
}

#[test]
fn lies_about_lengths_and_numbers_are_found() {
    let lies: [(&str, Value); 14] = [
        ("/accessors/0/count", json!(4)),
        ("/accessors/0/count", json!(u64::MAX)),
        ("/accessors/1/count", json!(2)),
        ("/accessors/0/byteOffset", json!(u64::MAX)),
        ("/accessors/0/bufferView", json!(9)),
        ("/bufferViews/0/byteLength", json!(u64::MAX)),
        ("/bufferViews/1/byteOffset", json!(u64::MAX)),
        ("/bufferViews/0/byteStride", json!(4)),
        ("/buffers/0/byteLength", json!(4_000_000_000_u64)),
        ("/meshes/0/primitives/0/attributes/POSITION", json!(77)),
        ("/meshes/0/primitives/0/indices", json!(77)),
        ("/nodes/1/mesh", json!(5)),
        ("/nodes/0/children", json!([5])),
        ("/nodes/0/translation", json!([1e39, 0, 0])),
    ];
    for (pointer, lie) in lies {
        let (mut json, bin) = triangle();
        if let Some(slot) = json.pointer_mut(pointer) {
            *slot = lie;
        } else {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            json.pointer_mut(parent).unwrap()[key] = lie;
        }
        assert!(check(&json, &bin).is_err(), "{pointer}");
    }
    let (json, mut bin) = triangle();
    bin[38] = 3;
    assert!(matches!(check(&json, &bin), Err(ModelRefusal::Range { .. })), "a vertex that is not there");
    let (json, mut bin) = triangle();
    bin[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(matches!(check(&json, &bin), Err(ModelRefusal::Number { .. })));
    let (json, mut bin) = triangle();
    bin[12..16].copy_from_slice(&900_f32.to_le_bytes());
    assert!(matches!(check(&json, &bin), Err(ModelRefusal::Extent { .. })));
}

#[test]
fn limits_hold() {
    let (json, bin) = triangle();
    let file = glb(&json, &bin);
    let tight = [
        Limits { bytes: 10, ..Limits::default() },
        Limits { json_bytes: 10, ..Limits::default() },
        Limits { json_depth: 2, ..Limits::default() },
        Limits { nodes: 1, ..Limits::default() },
        Limits { meshes: 0, ..Limits::default() },
        Limits { triangles: 0, ..Limits::default() },
        Limits { vertices: 2, ..Limits::default() },
        Limits { extent: 0.5, ..Limits::default() },
    ];
    for limits in tight {
        assert!(check_glb(&file, &limits).is_err(), "{limits:?}");
    }
    let (mut json, bin) = triangle();
    json["nodes"] = (0..2000).map(|_| json!({"mesh": 0})).collect();
    json["scenes"] = json!([{"nodes": (0..2000).collect::<Vec<u32>>()}]);
    let few = Limits { triangles: 1999, ..Limits::default() };
    assert!(check_glb(&glb(&json, &bin), &few).is_err(), "what is drawn counts, not what is stored");
}

#[test]
fn deep_json_is_refused_before_it_is_parsed() {
    let mut json = vec![b'['; 100_000];
    json.extend(b"\"]]\\\"]");
    assert!(header::check_json_depth(&json, 32).is_err());
    assert!(header::check_json_depth(br#"{"a":"[[[[[[\"[[[["}"#, 1).is_ok(), "brackets in texts do not nest");
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = image::RgbImage::new(width, height);
    picture.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
    bytes
}

fn textured(picture: &[u8]) -> (Value, Vec<u8>) {
    let (mut json, mut bin) = triangle();
    bin.resize(44, 0);
    bin.extend(picture);
    let view = json!({"buffer": 0, "byteOffset": 44, "byteLength": picture.len()});
    json["bufferViews"].as_array_mut().unwrap().push(view);
    json["buffers"][0]["byteLength"] = bin.len().into();
    json["images"] = json!([{"bufferView": 2, "mimeType": "image/png"}]);
    json["textures"] = json!([{"source": 0}]);
    json["materials"] = json!([{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]);
    (json, bin)
}

#[test]
fn pictures_are_measured_by_their_own_word() {
    let (json, bin) = textured(&png(8, 4));
    assert_eq!(check(&json, &bin).unwrap().texture_pixels, 32);
    let limits = Limits { texture_side: 7, ..Limits::default() };
    assert!(matches!(check_glb(&glb(&json, &bin), &limits), Err(ModelRefusal::ImageSize { width: 8, .. })));
    let (json, bin) = textured(b"not a picture at all");
    assert!(matches!(check(&json, &bin), Err(ModelRefusal::Image { index: 0 })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bits_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 1..12)) {
        let (json, bin) = textured(&png(8, 4));
        let mut file = glb(&json, &bin);
        for (at, bit) in flips {
            let at = at.index(file.len());
            file[at] ^= 1 << bit;
        }
        let _ = check_glb(&file, &Limits::default());
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = check_glb(&bytes, &Limits::default());
        let _ = check_glb(&[b"glTF\x02\0\0\0".as_slice(), &bytes].concat(), &Limits::default());
    }

    #[test]
    fn any_numbers_never_panic(
        slot in prop::sample::select(vec![
            "/accessors/0/count", "/accessors/0/bufferView", "/accessors/0/componentType", "/accessors/1/count",
            "/accessors/1/componentType", "/bufferViews/0/buffer", "/bufferViews/0/byteLength",
            "/bufferViews/1/byteOffset", "/buffers/0/byteLength", "/nodes/1/mesh", "/scene", "/scenes/0/nodes/0",
            "/nodes/0/children/0", "/meshes/0/primitives/0/indices", "/images/0/bufferView", "/textures/0/source",
            "/materials/0/pbrMetallicRoughness/baseColorTexture/index",
        ]),
        number in prop_oneof![0_u64..8, Just(5120), 5121_u64..5130, any::<u32>().prop_map(u64::from), any::<u64>()],
    ) {
        let (mut json, bin) = textured(&png(2, 2));
        *json.pointer_mut(slot).unwrap() = number.into();
        let _ = check(&json, &bin);
    }
}

#[test]
fn primitives_that_share_one_accessor_are_counted_before_they_are_read() {
    let (mut json, bin) = triangle();
    let primitive = json["meshes"][0]["primitives"][0].clone();
    json["meshes"][0]["primitives"] = vec![primitive; 1_000].into();
    let limits = Limits { vertices: 100, ..Limits::default() };
    let refusal = check_glb(&glb(&json, &bin), &limits).unwrap_err();
    // The first one too many ends it: 102 is what was counted, not 3000.
    assert_eq!(refusal, ModelRefusal::TooMany { what: "vertices", count: 102, limit: 100 });
    let limits = Limits { triangles: 10, ..Limits::default() };
    let refusal = check_glb(&glb(&json, &bin), &limits).unwrap_err();
    assert_eq!(refusal, ModelRefusal::TooMany { what: "triangles", count: 11, limit: 10 });
}
