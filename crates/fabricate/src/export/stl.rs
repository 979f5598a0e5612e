use super::{ExportError, z_up};
use crate::solid::Solids;

/// Binary STL in millimetres, Z up: the triangles of all bodies. The format knows no units, materials or bodies.
///
/// # Errors
/// [`ExportError`] where there are more triangles than it can count.
pub fn stl(solids: &Solids) -> Result<Vec<u8>, ExportError> {
    let mut bytes = Vec::new();
    // Must not begin with `solid`: that would be the text form.
    let mut header = [b' '; 80];
    let says = b"Vestibule, millimetres, Z up";
    header[..says.len()].copy_from_slice(says);
    bytes.extend(header);
    bytes.extend([0; 4]);
    let mut count = 0_u32;
    for body in &solids.bodies {
        for (index, corners) in body.mesh.triangles.iter().enumerate() {
            let points = corners.map(|point| z_up(body.mesh.points[point as usize]));
            let [a, b, c] = points;
            // Readers that weld by place close what it leaves. One with three places stays, even without an area: its
            // neighbours would have a crack between them. Nothing as a normal says that the corners tell.
            if a == b || b == c || c == a {
                continue;
            }
            let normal = body.mesh.normal(index).unwrap_or_default();
            for value in [z_up(crate::mesh::narrow(normal))].iter().chain(&points).flatten() {
                bytes.extend(value.to_le_bytes());
            }
            bytes.extend([0; 2]);
            count = count.checked_add(1).ok_or(ExportError::TooLarge)?;
        }
    }
    bytes[80..84].copy_from_slice(&count.to_le_bytes());
    Ok(bytes)
}
