use std::collections::HashMap;

use serde::Deserialize;
use vestibule_model::json_depth;

use super::{
    ImportError, Look, MAX_FILE, MAX_PLACED, MAX_POINTS, MAX_TRIANGLES, Object, Scene, malformed, named, near,
    scene::{Frame, NONE, Tree},
    stl::weld,
    too_many, unsupported,
};
use crate::mesh::Mesh;

const HEAD: &str = "the header";
const JSON: &str = "the JSON part";
const BINARY: &str = "the binary part";
/// The most bytes of the JSON part.
const MAX_JSON: usize = 8 << 20;
/// How deep it may go, and nodes in nodes.
const MAX_DEPTH: usize = 32;
/// The most nodes, meshes, accessors or views.
const MAX_PIECES: usize = 16_384;
const TRIANGLES: u32 = 4;
/// From metres to millimetres.
const MILLIMETRES: f64 = 1_000.0;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Gltf {
    asset: Asset,
    scene: Option<usize>,
    scenes: Vec<Nodes>,
    nodes: Vec<Node>,
    meshes: Vec<Meshes>,
    materials: Vec<Material>,
    accessors: Vec<Accessor>,
    buffer_views: Vec<View>,
    buffers: Vec<Buffer>,
    extensions_required: Vec<String>,
    extras: serde_json::Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asset {
    version: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Nodes {
    nodes: Vec<usize>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Node {
    mesh: Option<usize>,
    children: Vec<usize>,
    matrix: Option<[f64; 16]>,
    translation: Option<[f64; 3]>,
    rotation: Option<[f64; 4]>,
    scale: Option<[f64; 3]>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Meshes {
    name: String,
    primitives: Vec<Primitive>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Primitive {
    attributes: Attributes,
    indices: Option<usize>,
    material: Option<usize>,
    mode: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Attributes {
    #[serde(rename = "POSITION")]
    position: Option<usize>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Material {
    name: String,
    pbr_metallic_roughness: Rough,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rough {
    base_color_factor: [f64; 4],
}

impl Default for Rough {
    fn default() -> Self {
        Self { base_color_factor: [1.0; 4] }
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Accessor {
    buffer_view: Option<usize>,
    byte_offset: usize,
    component_type: u32,
    count: usize,
    r#type: String,
    sparse: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct View {
    buffer: usize,
    byte_offset: usize,
    byte_length: usize,
    byte_stride: Option<usize>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Buffer {
    uri: Option<String>,
}

/// Reads a binary glTF file: its triangles in millimetres, where they stand, and the colours of their materials. Points
/// at the same place are one, whatever their normals are. Pictures, bones and movements are passed over.
///
/// # Errors
/// [`ImportError`] where it is none, is larger than it may be, or demands an extension.
pub fn read(bytes: &[u8]) -> Result<Scene, ImportError> {
    if bytes.len() > MAX_FILE {
        return Err(too_many(HEAD, "bytes", MAX_FILE));
    }
    let (json, binary) = chunks(bytes)?;
    if json.len() > MAX_JSON {
        return Err(too_many(JSON, "bytes", MAX_JSON));
    }
    if json_depth(json) > MAX_DEPTH {
        return Err(too_many(JSON, "arrays in arrays", MAX_DEPTH));
    }
    let gltf: Gltf =
        serde_json::from_slice(json).map_err(|error| malformed(JSON, error.column(), error.to_string()))?;
    if !gltf.asset.version.starts_with("2.") {
        return Err(unsupported(JSON, format!("version {}", named(&gltf.asset.version))));
    }
    if let Some(needed) = gltf.extensions_required.first() {
        return Err(unsupported(JSON, named(needed)));
    }
    for count in
        [gltf.nodes.len(), gltf.meshes.len(), gltf.materials.len(), gltf.accessors.len(), gltf.buffer_views.len()]
    {
        if count > MAX_PIECES {
            return Err(too_many(JSON, "pieces", MAX_PIECES));
        }
    }
    let mut reader = Reader { gltf: &gltf, binary, points: 0, triangles: 0, scene: Scene::default() };
    reader.materials();
    let tree = reader.tree()?;
    let mut scene = reader.scene;
    scene.placed = tree.placed(JSON, MAX_DEPTH)?;
    let hash = gltf.extras.get("vestibule_design").and_then(serde_json::Value::as_str);
    scene.hash = hash.and_then(|hash| hash.parse().ok());
    Ok(scene)
}

/// The JSON and the binary part.
fn chunks(bytes: &[u8]) -> Result<(&[u8], &[u8]), ImportError> {
    let word = |at: usize| {
        let found = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
        found.map(|word| u32::from_le_bytes(*word)).ok_or_else(|| malformed(HEAD, at, "it ends too early"))
    };
    if bytes.get(..4) != Some(b"glTF") {
        return Err(malformed(HEAD, 0, "it is no binary glTF"));
    }
    if word(4)? != 2 {
        return Err(unsupported(HEAD, "this version"));
    }
    if word(8)? as usize != bytes.len() {
        return Err(malformed(HEAD, 8, "its length is not what it says"));
    }
    let chunk = |at: usize, kind: &[u8; 4]| {
        let length = word(at)? as usize;
        if bytes.get(at + 4..at + 8) != Some(kind) {
            return Err(malformed(HEAD, at + 4, "another part was expected"));
        }
        let content = bytes.get(at + 8..).and_then(|rest| rest.get(..length));
        content.ok_or_else(|| malformed(HEAD, at, "a part is longer than the file"))
    };
    let json = chunk(12, b"JSON")?;
    let next = 20 + json.len();
    // Without triangles there is nothing to keep there.
    let binary = if next >= bytes.len() { &[][..] } else { chunk(next, b"BIN\0")? };
    Ok((json, binary))
}

struct Reader<'a> {
    gltf: &'a Gltf,
    binary: &'a [u8],
    points: usize,
    triangles: usize,
    scene: Scene,
}

/// Values of a buffer: where they begin, how far it is from one to the next, and how many there are.
struct Values<'a> {
    bytes: &'a [u8],
    stride: usize,
    size: usize,
    count: usize,
}

impl<'a> Values<'a> {
    fn each(&self) -> impl Iterator<Item = &'a [u8]> {
        let Self { bytes, stride, size, count } = *self;
        (0..count).map_while(move |at| bytes.get(at * stride..at * stride + size))
    }
}

impl<'a> Reader<'a> {
    fn materials(&mut self) {
        for material in &self.gltf.materials {
            let [red, green, blue, opaque] = material.pbr_metallic_roughness.base_color_factor;
            let colour = [srgb(red), srgb(green), srgb(blue), byte(opaque)];
            self.scene.materials.push(Look { name: named(&material.name), colour });
        }
    }

    /// Nodes are named by their place, and a mesh's primitives by what comes after them.
    fn tree(&mut self) -> Result<Tree<(usize, usize)>, ImportError> {
        let mut tree = Tree::default();
        for (at, mesh) in self.gltf.meshes.iter().enumerate() {
            let mut parts = Vec::new();
            for (number, primitive) in mesh.primitives.iter().enumerate() {
                if self.scene.objects.len() >= MAX_PIECES {
                    return Err(too_many(JSON, "primitives", MAX_PIECES));
                }
                let material = primitive.material.filter(|material| *material < self.scene.materials.len());
                let object = Object { name: named(&mesh.name), mesh: self.mesh(primitive)?, material };
                self.scene.objects.push(object);
                tree.add((2 + at, number), Some(self.scene.objects.len() - 1), Vec::new());
                parts.push(((2 + at, number), NONE));
            }
            tree.add((1, at), None, parts);
        }
        for (at, node) in self.gltf.nodes.iter().enumerate() {
            let frame = frame(node).ok_or_else(|| malformed(JSON, 0, format!("node {at} is nowhere")))?;
            let children = node.children.iter().map(|child| ((0, *child), NONE));
            let inner = node.mesh.map(|mesh| ((1, mesh), NONE)).into_iter().chain(children);
            tree.add((0, at), None, inner.map(|(name, _)| (name, frame)).collect());
        }
        let shown = self.gltf.scene.unwrap_or_default();
        let standing = self.gltf.scenes.get(shown).map(|scene| scene.nodes.as_slice()).unwrap_or_default();
        for node in standing {
            tree.stand((0, *node), NONE).map_err(|()| too_many(JSON, "nodes", MAX_PLACED))?;
        }
        Ok(tree)
    }

    fn values(&self, accessor: usize, kind: &str, sizes: &[(u32, usize)]) -> Result<(u32, Values<'a>), ImportError> {
        let broken = |why: &str| malformed(JSON, 0, format!("accessor {accessor}: {why}"));
        let found = self.gltf.accessors.get(accessor).ok_or_else(|| broken("there is none"))?;
        if found.sparse.is_some() {
            return Err(unsupported(JSON, "a sparse accessor"));
        }
        let size = sizes.iter().find(|(component, _)| *component == found.component_type);
        let (component, size) = *size.filter(|_| found.r#type == kind).ok_or_else(|| broken("of another type"))?;
        let view = found.buffer_view.and_then(|view| self.gltf.buffer_views.get(view));
        let view = view.ok_or_else(|| broken("without a view"))?;
        if view.buffer != 0 || self.gltf.buffers.first().is_none_or(|buffer| buffer.uri.is_some()) {
            return Err(unsupported(JSON, "a buffer of another file"));
        }
        let within = |from: usize, length: usize| from.checked_add(length).map(|to| from..to);
        let bytes = within(view.byte_offset, view.byte_length).and_then(|range| self.binary.get(range));
        let bytes =
            bytes.and_then(|bytes| bytes.get(found.byte_offset..)).ok_or_else(|| broken("beyond the binary part"))?;
        let stride = view.byte_stride.unwrap_or(size);
        let needed = found.count.checked_sub(1).map_or(Some(0), |last| last.checked_mul(stride)?.checked_add(size));
        if stride < size || needed.is_none_or(|needed| needed > bytes.len()) {
            return Err(broken("longer than its view"));
        }
        Ok((component, Values { bytes, stride, size, count: found.count }))
    }

    fn mesh(&mut self, primitive: &Primitive) -> Result<Mesh, ImportError> {
        if primitive.mode.unwrap_or(TRIANGLES) != TRIANGLES {
            return Err(unsupported(JSON, "anything but triangles"));
        }
        let position = primitive.attributes.position.ok_or_else(|| malformed(JSON, 0, "triangles without points"))?;
        let (_, positions) = self.values(position, "VEC3", &[(5_126, 12)])?;
        self.points = self.points.saturating_add(positions.count);
        if self.points > MAX_POINTS {
            return Err(too_many(BINARY, "points", MAX_POINTS));
        }
        let (mut mesh, mut known) = (Mesh::default(), HashMap::new());
        let mut place = Vec::with_capacity(positions.count);
        for (number, bytes) in positions.each().enumerate() {
            let mut point = [0.0_f32; 3];
            for (value, bytes) in point.iter_mut().zip(bytes.as_chunks::<4>().0) {
                let found = near(f64::from(f32::from_le_bytes(*bytes)) * MILLIMETRES);
                *value = found.ok_or_else(|| malformed(BINARY, 0, format!("point {number} is nowhere")))? + 0.0;
            }
            place.push(weld(point, &mut mesh, &mut known));
        }
        let corners: Vec<u32> = match primitive.indices {
            None => place,
            Some(indices) => {
                let (component, values) = self.values(indices, "SCALAR", &[(5_121, 1), (5_123, 2), (5_125, 4)])?;
                if values.count > 3 * MAX_TRIANGLES {
                    return Err(too_many(BINARY, "triangles", MAX_TRIANGLES));
                }
                let at = values.each().map(|bytes| place.get(index(component, bytes)).copied());
                at.collect::<Option<_>>().ok_or_else(|| malformed(BINARY, 0, "a corner that is no point"))?
            }
        };
        let (triangles, rest) = corners.as_chunks::<3>();
        self.triangles = self.triangles.saturating_add(triangles.len());
        if self.triangles > MAX_TRIANGLES {
            return Err(too_many(BINARY, "triangles", MAX_TRIANGLES));
        }
        if !rest.is_empty() {
            return Err(malformed(BINARY, 0, "half a triangle"));
        }
        mesh.triangles.extend(triangles.iter().filter(|[a, b, c]| a != b && b != c && c != a));
        Ok(mesh)
    }
}

fn index(component: u32, bytes: &[u8]) -> usize {
    let byte = |at: usize| usize::from(bytes.get(at).copied().unwrap_or_default());
    match component {
        5_121 => byte(0),
        5_123 => byte(0) | byte(1) << 8,
        _ => byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24,
    }
}

/// Where a node's own axes and origin go, in millimetres; nothing where numbers make no sense.
fn frame(node: &Node) -> Option<Frame> {
    let frame = match node.matrix {
        Some(m) => [[m[0], m[1], m[2]], [m[4], m[5], m[6]], [m[8], m[9], m[10]], [m[12], m[13], m[14]]],
        None => {
            let [x, y, z, w] = node.rotation.unwrap_or([0.0, 0.0, 0.0, 1.0]);
            let [sx, sy, sz] = node.scale.unwrap_or([1.0; 3]);
            [
                [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + z * w), 2.0 * (x * z - y * w)].map(|value| value * sx),
                [2.0 * (x * y - z * w), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + x * w)].map(|value| value * sy),
                [2.0 * (x * z + y * w), 2.0 * (y * z - x * w), 1.0 - 2.0 * (x * x + y * y)].map(|value| value * sz),
                node.translation.unwrap_or_default(),
            ]
        }
    };
    let [x, y, z, origin] = frame;
    let frame = [x, y, z, origin.map(|value| value * MILLIMETRES)];
    frame.iter().flatten().all(|value| near(*value).is_some()).then_some(frame)
}

/// From linear light to sRGB.
fn srgb(linear: f64) -> u8 {
    let linear = linear.clamp(0.0, 1.0);
    byte(if linear <= 0.003_130_8 { linear * 12.92 } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn byte(value: f64) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}
