//! Hostile bytes of whoever designs things and of whoever has them made; see `targets.rs`. `vestibule-fabricate` runs
//! these as a test of its own, so that the enabler's tests do not wait for the kernel of solids.

use vestibule_fabricate::{
    Design, Start,
    document::Document,
    import::{Scene, read_3mf, read_glb, read_stl},
};

/// All of them.
pub const TARGETS: [(&str, fn(&[u8])); 4] =
    [("design", design), ("document", document), ("package", package), ("mesh", mesh)];

/// A design as text: what is read has a text that reads back to itself.
pub fn design(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(read) = Design::read(text) else { return };
    let Ok(canonical) = read.canonical() else { return };
    let again = Design::read(&canonical).expect("what we wrote is read");
    assert_eq!(again.canonical().expect("it is a design"), canonical);
    assert_eq!(again.hash(), read.hash());
}

/// A document as it is, and as a chunk of a document whose checksum somebody made fit; merged into a good one too.
pub fn document(bytes: &[u8]) {
    let fitting = bytes.split_first().map(|(kind, content)| chunk(kind % 4, content));
    for bytes in std::iter::once(bytes).chain(fitting.as_deref()) {
        // What the library does to itself is caught, and a fuzzer must not take it for a finding.
        let (loaded, merged) = quietly(|| {
            let mut good = Document::new([1; 16], &Start::Hook.design()).expect("a start is a design");
            let merged = good.merge(bytes).is_ok();
            assert!(good.design().is_ok(), "there is a design in any case");
            (Document::load([2; 16], bytes).ok(), merged.then_some(good))
        });
        for mut document in loaded.into_iter().chain(merged) {
            let design = document.design().expect("there is a design in any case");
            let again = Document::load([3; 16], &document.save()).expect("what we wrote is read");
            assert_eq!(again.design().expect("it is the same"), design);
            assert_eq!(again.left_out(), document.left_out());
        }
    }
}

fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let done = work();
    std::panic::set_hook(before);
    done
}

/// A 3MF package as it is, and as the model in one.
pub fn package(bytes: &[u8]) {
    sound(read_3mf(bytes).ok());
    sound(read_3mf(&stored(&[("_rels/.rels", RELATIONS.as_bytes()), ("m", bytes)])).ok());
}

/// A GLB or STL file.
pub fn mesh(bytes: &[u8]) {
    sound(read_glb(bytes).ok());
    sound(read_stl(bytes).ok());
}

/// Numbers lead to what is there, and points are somewhere.
fn sound(scene: Option<Scene>) {
    let Some(scene) = scene else { return };
    for object in &scene.objects {
        assert!(object.material.is_none_or(|material| material < scene.materials.len()));
        let points = object.mesh.points.len();
        assert!(object.mesh.triangles.iter().flatten().all(|point| (*point as usize) < points));
        assert!(object.mesh.points.iter().flatten().all(|value| value.is_finite()));
        let _ = object.mesh.open_edge();
    }
    for placed in &scene.placed {
        assert!(placed.object < scene.objects.len());
        assert!(placed.frame.iter().flatten().all(|value| value.is_finite()));
    }
}

/// What each target begins with, made by our own encoders.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let designs = || Start::ALL.into_iter().map(Start::design);
    match target {
        "design" => designs().map(|design| design.canonical().expect("a start is a design").into_bytes()).collect(),
        "document" => {
            let mut document = Document::new([1; 16], &Start::Hook.design()).expect("a start is a design");
            let saved = document.save();
            let edit = document.turning_param("reach", 50.0).expect("a hook has that");
            document.apply(&edit).expect("it is a design");
            let more = document.save_incremental();
            // Without magic number, checksum and length: those are made fit.
            let inner = |bytes: &[u8]| [&[bytes[8]], &bytes[9 + length_of_length(&bytes[9..])..]].concat();
            vec![inner(&saved), inner(&more), saved, more]
        }
        "package" => {
            vec![MODEL.as_bytes().to_vec(), stored(&[("_rels/.rels", RELATIONS.as_bytes()), ("m", MODEL.as_bytes())])]
        }
        "mesh" => vec![triangle_glb(), [&[0; 80][..], &1_u32.to_le_bytes(), &[0; 50]].concat()],
        _ => Vec::new(),
    }
}

fn length_of_length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| **byte & 0x80 != 0).count() + 1
}

const RELATIONS: &str =
    r#"<a><b Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel" Target="/m"/></a>"#;

const MODEL: &str = concat!(
    r#"<model unit="inch" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">"#,
    r##"<metadata name="Title">a</metadata><resources><basematerials id="1"><base name="b" displaycolor="#12345678"/>"##,
    r#"</basematerials><object id="2" pid="1" pindex="0" name="c"><mesh><vertices><vertex x="0" y="0" z="0"/>"#,
    r#"<vertex x="1e-3" y="0" z="0"/><vertex x="0" y="-1.5" z="0"/></vertices><triangles>"#,
    r#"<triangle v1="0" v2="1" v3="2"/></triangles></mesh></object><object id="3"><components>"#,
    r#"<component objectid="2" transform="1 0 0 0 1 0 0 0 1 0 0 9"/></components></object></resources>"#,
    r#"<build><item objectid="3"/></build></model>"#
);

fn triangle_glb() -> Vec<u8> {
    let mut json = concat!(
        r#"{"asset":{"version":"2.0"},"scenes":[{"nodes":[0]}],"nodes":[{"mesh":0,"scale":[1,2,3],"children":[]}],"#,
        r#""meshes":[{"primitives":[{"attributes":{"POSITION":0},"indices":1,"material":0}]}],"#,
        r#""materials":[{"pbrMetallicRoughness":{"baseColorFactor":[1,0.5,0,1]}}],"buffers":[{"byteLength":40}],"#,
        r#""accessors":[{"bufferView":0,"componentType":5126,"count":3,"type":"VEC3"},"#,
        r#"{"bufferView":1,"componentType":5121,"count":3,"type":"SCALAR"}],"#,
        r#""bufferViews":[{"buffer":0,"byteLength":36},{"buffer":0,"byteOffset":36,"byteLength":3}]}"#
    )
    .as_bytes()
    .to_vec();
    json.resize(json.len().next_multiple_of(4), b' ');
    let points = [0.0_f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0].map(f32::to_le_bytes).concat();
    let binary = [&points[..], &[0, 1, 2, 0]].concat();
    let word = |value: usize| u32::try_from(value).expect("a seed is short").to_le_bytes();
    [
        &b"glTF\x02\0\0\0"[..],
        &word(28 + json.len() + binary.len()),
        &word(json.len()),
        b"JSON",
        &json,
        &word(binary.len()),
        b"BIN\0",
        &binary,
    ]
    .concat()
}

/// A zip file whose parts are as they are.
fn stored(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let word = |value: usize| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in parts {
        let [low, high, ..] = word(name.len());
        let common = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..],
            &crc32fast::hash(content).to_le_bytes(),
            &word(content.len()),
            &word(content.len()),
            &[low, high, 0, 0],
        ]
        .concat();
        directory.extend([&b"PK\x01\x02\x14\0"[..], &common, &[0; 10], &word(bytes.len()), name.as_bytes()].concat());
        bytes.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), content].concat());
    }
    let [count, ..] = word(parts.len());
    let (length, from) = (word(directory.len()), word(bytes.len()));
    let end = [&b"PK\x05\x06\0\0\0\0"[..], &[count, 0, count, 0], &length, &from, &[0, 0]].concat();
    [bytes, directory, end].concat()
}

/// A chunk of a document, with the checksum that its reader looks for.
fn chunk(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut length = Vec::new();
    let mut left = content.len();
    loop {
        let low = u8::try_from(left & 0x7f).unwrap_or_default();
        left >>= 7;
        length.push(if left > 0 { low | 0x80 } else { low });
        if left == 0 {
            break;
        }
    }
    let summed = [&[kind][..], &length, content].concat();
    [&[0x85, 0x6f, 0x4a, 0x83][..], &sha256(&summed)[..4], &summed].concat()
}

/// FIPS 180-4. Here only to make hostile checksums fit.
fn sha256(bytes: &[u8]) -> [u8; 32] {
    let primes = (2_u32..).filter(|number| (2..*number).all(|by| number % by != 0)).take(64).collect::<Vec<_>>();
    // The first bits of the roots' fractions, in whole numbers: the root of p * 2^64 (or p * 2^96), without its whole part.
    let root = |power: u32, prime: u32| {
        let (mut low, mut high) = (0_u128, 1_u128 << 36);
        let target = u128::from(prime) << if power == 2 { 64 } else { 96 };
        while low + 1 < high {
            let middle = u128::midpoint(low, high);
            if middle.checked_pow(power).is_some_and(|value| value <= target) { low = middle } else { high = middle }
        }
        u32::try_from(low & 0xffff_ffff).unwrap_or_default()
    };
    let rounds: Vec<u32> = primes.iter().map(|prime| root(3, *prime)).collect();
    let mut state: [u32; 8] = std::array::from_fn(|at| root(2, primes[at]));
    let bits = u64::try_from(bytes.len()).unwrap_or_default() * 8;
    let mut padded = [bytes, &[0x80]].concat();
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend(bits.to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut words: Vec<u32> =
            block.chunks_exact(4).map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]])).collect();
        for at in 16..64 {
            let (two, fifteen) = (words[at - 2], words[at - 15]);
            let small = fifteen.rotate_right(7) ^ fifteen.rotate_right(18) ^ (fifteen >> 3);
            let large = two.rotate_right(17) ^ two.rotate_right(19) ^ (two >> 10);
            words.push(words[at - 16].wrapping_add(small).wrapping_add(words[at - 7]).wrapping_add(large));
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
        for (word, round) in words.iter().zip(&rounds) {
            let sum = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let first = h.wrapping_add(sum).wrapping_add((e & f) ^ (!e & g)).wrapping_add(*round).wrapping_add(*word);
            let sum = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let second = sum.wrapping_add((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(first), c, b, a, first.wrapping_add(second));
        }
        for (value, more) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *value = value.wrapping_add(more);
        }
    }
    let mut hash = [0; 32];
    hash.chunks_exact_mut(4).zip(state).for_each(|(bytes, value)| bytes.copy_from_slice(&value.to_be_bytes()));
    hash
}
