use std::{io::Write, ops::Range};

use flate2::{Compression, write::ZlibEncoder};

use super::ExportError;
use crate::{mesh::dot, solid::Solids};

/// Width and height of a thumbnail, in pixels.
pub const THUMBNAIL: u32 = 256;
const SIDE: usize = THUMBNAIL as usize;
/// From the right, from above and from the front, as one looks at a thing on a table: right, up and towards the viewer.
/// Written out, so that every machine draws the same.
const VIEW: [[f64; 3]; 3] =
    [[0.819_152, 0.0, -0.573_576], [-0.242_404, 0.906_308, -0.346_189], [0.519_837, 0.422_618, 0.742_404]];
/// Where light comes from.
const LIGHT: [f64; 3] = [0.267_261, 0.801_784, 0.534_522];
/// How much of the picture the thing takes.
const FILL: f64 = 0.9;

struct Picture {
    /// Red, green, blue and how opaque.
    pixels: Vec<[u8; 4]>,
    depth: Vec<f64>,
}

/// A picture of the solids on a transparent ground, as PNG.
///
/// # Errors
/// [`ExportError`] where memory takes no more.
pub fn thumbnail(solids: &Solids) -> Result<Vec<u8>, ExportError> {
    let mut picture = Picture { pixels: vec![[0; 4]; SIDE * SIDE], depth: vec![f64::NEG_INFINITY; SIDE * SIDE] };
    let seen = |point: [f32; 3]| VIEW.map(|axis| dot(axis, point.map(f64::from)));
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for point in solids.bodies.iter().flat_map(|body| &body.mesh.points) {
        let at = seen(*point);
        for axis in 0..2 {
            low[axis] = low[axis].min(at[axis]);
            high[axis] = high[axis].max(at[axis]);
        }
    }
    let side = f64::from(THUMBNAIL);
    let scale = FILL * side / (high[0] - low[0]).max(high[1] - low[1]).max(1e-9);
    let middle = [f64::midpoint(low[0], high[0]), f64::midpoint(low[1], high[1])];
    for body in &solids.bodies {
        for (index, corners) in body.mesh.triangles.iter().enumerate() {
            let corners = corners.map(|point| {
                let [x, y, depth] = seen(body.mesh.points[point as usize]);
                [side / 2.0 + (x - middle[0]) * scale, side / 2.0 - (y - middle[1]) * scale, depth]
            });
            // Most triangles of a fine mesh lie between the middles of pixels.
            let [columns, rows] = [pixels(corners, 0), pixels(corners, 1)];
            if columns.is_empty() || rows.is_empty() {
                continue;
            }
            let Some(normal) = body.mesh.normal(index) else { continue };
            let shade = 0.35 + 0.65 * dot(normal, LIGHT).max(0.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the colour itself")]
            let colour = body.material.colour.map(|value| (f64::from(value) * shade).round() as u8);
            picture.triangle(corners, [columns, rows], colour);
        }
    }
    // Packing the pixels takes as much memory as this did.
    drop(picture.depth);
    png(&picture.pixels)
}

/// The pixels whose middles lie between the corners, along an axis.
fn pixels([a, b, c]: [[f64; 3]; 3], axis: usize) -> Range<usize> {
    let (low, high) = (a[axis].min(b[axis]).min(c[axis]), a[axis].max(b[axis]).max(c[axis]));
    let side = f64::from(THUMBNAIL);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
    let pixels = (low - 0.5).ceil().clamp(0.0, side) as usize..((high - 0.5).floor() + 1.0).clamp(0.0, side) as usize;
    pixels
}

impl Picture {
    fn triangle(&mut self, [a, b, c]: [[f64; 3]; 3], [columns, rows]: [Range<usize>; 2], [red, green, blue]: [u8; 3]) {
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        if area.abs() < 1e-12 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 256")]
        for row in rows {
            for column in columns.clone() {
                let (x, y) = (column as f64 + 0.5, row as f64 + 0.5);
                let u = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / area;
                let v = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / area;
                if u < 0.0 || v < 0.0 || u + v > 1.0 {
                    continue;
                }
                let depth = a[2] + u * (b[2] - a[2]) + v * (c[2] - a[2]);
                let at = row * SIDE + column;
                if depth > self.depth[at] {
                    self.depth[at] = depth;
                    self.pixels[at] = [red, green, blue, 255];
                }
            }
        }
    }
}

fn png(pixels: &[[u8; 4]]) -> Result<Vec<u8>, ExportError> {
    let mut bytes = Vec::from(*b"\x89PNG\r\n\x1a\n");
    let mut head = Vec::new();
    head.extend(THUMBNAIL.to_be_bytes());
    head.extend(THUMBNAIL.to_be_bytes());
    // Eight bits of red, green, blue and alpha; deflate, plain filters, not interlaced.
    head.extend([8, 6, 0, 0, 0]);
    chunk(*b"IHDR", &head, &mut bytes)?;
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::new(6));
    for row in pixels.chunks_exact(SIDE) {
        packer.write_all(&[0])?;
        packer.write_all(row.as_flattened())?;
    }
    chunk(*b"IDAT", &packer.finish()?, &mut bytes)?;
    chunk(*b"IEND", &[], &mut bytes)?;
    Ok(bytes)
}

fn chunk(kind: [u8; 4], content: &[u8], to: &mut Vec<u8>) -> Result<(), ExportError> {
    to.extend(u32::try_from(content.len()).map_err(|_| ExportError::TooLarge)?.to_be_bytes());
    let start = to.len();
    to.extend(kind);
    to.extend(content);
    let crc = crc32fast::hash(&to[start..]);
    to.extend(crc.to_be_bytes());
    Ok(())
}
