use std::collections::HashMap;

use super::{ImportError, MAX_FILE, MAX_TRIANGLES, Object, Placed, Scene, malformed, near, scene, too_many};
use crate::mesh::Mesh;

/// What errors call it: the format has no parts.
const WHOLE: &str = "the file";
const HEADER: usize = 84;
/// A normal, three corners, and two bytes that mean nothing.
const TRIANGLE: usize = 50;

/// Reads a binary STL file, as millimetres with Z up, since the format does not say. Corners at the same place are one
/// point; triangles without three different corners are left out. The text form is not read.
///
/// # Errors
/// [`ImportError`] where it is none, or is larger than it may be.
pub fn read(bytes: &[u8]) -> Result<Scene, ImportError> {
    if bytes.len() > MAX_FILE {
        return Err(too_many(WHOLE, "bytes", MAX_FILE));
    }
    let (head, body) =
        bytes.split_at_checked(HEADER).ok_or_else(|| malformed(WHOLE, bytes.len(), "it ends in its header"))?;
    let count = head.last_chunk().map_or(0, |count: &[u8; 4]| u32::from_le_bytes(*count)) as usize;
    if body.len() != count.saturating_mul(TRIANGLE) {
        return Err(malformed(WHOLE, 80, "its length is not that of its triangles"));
    }
    if count > MAX_TRIANGLES {
        return Err(too_many(WHOLE, "triangles", MAX_TRIANGLES));
    }
    let (mut mesh, mut known) = (Mesh::default(), HashMap::new());
    for (number, triangle) in body.chunks_exact(TRIANGLE).enumerate() {
        let mut corners = [0; 3];
        for (corner, place) in corners.iter_mut().zip(triangle[12..48].chunks_exact(12)) {
            let point = point(place).ok_or_else(|| malformed(WHOLE, HEADER + number * TRIANGLE, "no point"))?;
            *corner = weld(point, &mut mesh, &mut known);
        }
        let [a, b, c] = corners;
        if a != b && b != c && c != a {
            mesh.triangles.push(corners);
        }
    }
    let object = Object { name: String::new(), mesh, material: None };
    let placed = vec![Placed { object: 0, frame: scene::NONE }];
    Ok(Scene { objects: vec![object], placed, ..Scene::default() })
}

fn point(place: &[u8]) -> Option<[f32; 3]> {
    let mut numbers = [0.0_f32; 3];
    for (number, bytes) in numbers.iter_mut().zip(place.as_chunks::<4>().0) {
        // Adding zero makes -0 a 0: they are the same place.
        *number = near(f64::from(f32::from_le_bytes(*bytes)))? + 0.0;
    }
    let [x, y, z] = numbers;
    Some([x, z, 0.0 - y])
}

/// The point at a place, made where there is none yet.
pub(super) fn weld(point: [f32; 3], mesh: &mut Mesh, known: &mut HashMap<[u32; 3], u32>) -> u32 {
    *known.entry(point.map(f32::to_bits)).or_insert_with(|| {
        mesh.points.push(point);
        // Limited long before.
        u32::try_from(mesh.points.len() - 1).unwrap_or(u32::MAX)
    })
}
