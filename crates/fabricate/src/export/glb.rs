use std::collections::HashMap;

use serde_json::{Value, json};

use super::ExportError;
use crate::{
    design::Material,
    mesh::{Mesh, dot, narrow},
    solid::Solids,
};

/// Surfaces that meet at less than 30° look round.
const CREASE: f64 = 0.866_025;
/// From millimetres to metres.
const METRE: f32 = 0.001;
const ARRAY_BUFFER: u32 = 34_962;
const ELEMENT_ARRAY_BUFFER: u32 = 34_963;
const FLOAT: u32 = 5_126;
const UNSIGNED_INT: u32 = 5_125;

/// Points with their normals, and triangles of them.
#[derive(Default)]
struct Shaded {
    points: Vec<[f32; 3]>,
    normals: Vec<[f32; 3]>,
    indices: Vec<u32>,
}

/// Binary glTF in metres, Y up, as the design stands: a mesh and a node for each body, a material for each of theirs.
///
/// # Errors
/// [`ExportError`] where it is larger than the format can say.
pub fn glb(solids: &Solids) -> Result<Vec<u8>, ExportError> {
    let mut binary = Vec::new();
    let (mut views, mut accessors, mut meshes, mut nodes) = (vec![], vec![], vec![], vec![]);
    let mut keys: Vec<_> = solids.bodies.iter().map(|body| (&body.material_key, &body.material)).collect();
    keys.sort_by_key(|(key, _)| *key);
    keys.dedup_by_key(|(key, _)| *key);
    for (index, body) in solids.bodies.iter().enumerate() {
        let shaded = shaded(&body.mesh);
        let first = accessors.len();
        for values in [&shaded.points, &shaded.normals] {
            views.push(view(
                &mut binary,
                values.as_flattened().iter().flat_map(|value| value.to_le_bytes()),
                ARRAY_BUFFER,
            ));
        }
        let indices = shaded.indices.iter().flat_map(|index| index.to_le_bytes());
        views.push(view(&mut binary, indices, ELEMENT_ARRAY_BUFFER));
        let bound = |least: bool| -> [f32; 3] {
            std::array::from_fn(|axis| {
                let values = shaded.points.iter().map(|point| point[axis]);
                if least { values.fold(f32::INFINITY, f32::min) } else { values.fold(f32::NEG_INFINITY, f32::max) }
            })
        };
        let count = shaded.points.len();
        accessors.push(json!({ "bufferView": first, "componentType": FLOAT, "count": count, "type": "VEC3",
            "min": bound(true), "max": bound(false) }));
        accessors.push(json!({ "bufferView": first + 1, "componentType": FLOAT, "count": count, "type": "VEC3" }));
        accessors.push(json!({ "bufferView": first + 2, "componentType": UNSIGNED_INT,
            "count": shaded.indices.len(), "type": "SCALAR" }));
        let material = keys.iter().position(|(key, _)| *key == &body.material_key).unwrap_or_default();
        meshes.push(json!({ "name": body.name, "primitives": [{ "attributes": { "POSITION": first,
            "NORMAL": first + 1 }, "indices": first + 2, "material": material }] }));
        nodes.push(json!({ "name": body.name, "mesh": index }));
    }
    let document = json!({
        "asset": { "version": "2.0", "generator": "Vestibule" },
        "extras": { "vestibule_design": solids.design.to_string() },
        "scene": 0,
        "scenes": [{ "nodes": (0..nodes.len()).collect::<Vec<_>>() }],
        "nodes": nodes,
        "meshes": meshes,
        "materials": keys.iter().map(|(_, material)| look(material)).collect::<Vec<_>>(),
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{ "byteLength": binary.len() }],
    });
    assemble(&document, &binary)
}

fn view(binary: &mut Vec<u8>, bytes: impl Iterator<Item = u8>, target: u32) -> Value {
    // All of it is in fours, so everything stays aligned.
    let offset = binary.len();
    binary.extend(bytes);
    json!({ "buffer": 0, "byteOffset": offset, "byteLength": binary.len() - offset, "target": target })
}

fn look(material: &Material) -> Value {
    let [red, green, blue] = material.colour.map(linear);
    json!({ "name": material.name, "pbrMetallicRoughness": {
        "baseColorFactor": [red, green, blue, 1.0],
        "metallicFactor": if material.metallic { 1.0 } else { 0.0 },
        "roughnessFactor": f64::from(material.roughness_permille.min(1_000)) / 1_000.0,
    }})
}

/// From sRGB to the linear light that glTF wants, to four digits.
fn linear(value: u8) -> f64 {
    let value = f64::from(value) / 255.0;
    let linear = if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) };
    (linear * 10_000.0).round() / 10_000.0
}

/// Corners that look alike are one point. Triangles without an area are left out: nobody sees them.
fn shaded(mesh: &Mesh) -> Shaded {
    let normals: Vec<Option<[f64; 3]>> = (0..mesh.triangles.len()).map(|triangle| mesh.normal(triangle)).collect();
    let mut around: Vec<Vec<u32>> = vec![Vec::new(); mesh.points.len()];
    for (triangle, corners) in (0_u32..).zip(&mesh.triangles) {
        corners.iter().for_each(|point| around[*point as usize].push(triangle));
    }
    let mut shaded = Shaded::default();
    let mut known: HashMap<(u32, [u32; 3]), u32> = HashMap::new();
    for (triangle, corners) in mesh.triangles.iter().enumerate() {
        let Some(own) = normals[triangle] else { continue };
        for point in corners {
            let normal = narrow(smooth(mesh, &normals, &around[*point as usize], own));
            let index = *known.entry((*point, normal.map(f32::to_bits))).or_insert_with(|| {
                shaded.points.push(mesh.points[*point as usize].map(|value| value * METRE));
                shaded.normals.push(normal);
                u32::try_from(shaded.points.len() - 1).unwrap_or(u32::MAX)
            });
            shaded.indices.push(index);
        }
    }
    shaded
}

fn smooth(mesh: &Mesh, normals: &[Option<[f64; 3]>], around: &[u32], own: [f64; 3]) -> [f64; 3] {
    let mut sum = [0.0; 3];
    for triangle in around {
        let index = *triangle as usize;
        if normals[index].is_some_and(|normal| dot(normal, own) > CREASE) {
            let weighted = mesh.twice_area(index);
            (0..3).for_each(|axis| sum[axis] += weighted[axis]);
        }
    }
    let length = dot(sum, sum).sqrt();
    if length > 1e-12 { sum.map(|value| value / length) } else { own }
}

fn assemble(document: &Value, binary: &[u8]) -> Result<Vec<u8>, ExportError> {
    let mut text = document.to_string().into_bytes();
    text.resize(text.len().next_multiple_of(4), b' ');
    let length = |bytes: usize| u32::try_from(bytes).map_err(|_| ExportError::TooLarge);
    let mut bytes = Vec::from(*b"glTF");
    bytes.extend(2_u32.to_le_bytes());
    bytes.extend(length(12 + 8 + text.len() + 8 + binary.len())?.to_le_bytes());
    bytes.extend(length(text.len())?.to_le_bytes());
    bytes.extend(b"JSON");
    bytes.extend(text);
    bytes.extend(length(binary.len())?.to_le_bytes());
    bytes.extend(b"BIN\0");
    bytes.extend(binary);
    Ok(bytes)
}
