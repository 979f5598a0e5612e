//! What the camera over the door sees: one 640x480 JPEG for each guest, and one for nobody.
//!
//! The pictures are the rendered ones of `assets/camera`, embedded when this crate is built. Where
//! they are not there, flat ones are drawn once per process.

use std::sync::OnceLock;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

use crate::hand::Guest;

/// Picture width and height, in pixels.
const SIZE: (u32, u32) = (640, 480);

/// The rendered pictures, in the order of `build.rs`: nobody, friend, courier, neighbour.
const RENDERED: [Option<&[u8]>; 4] = include!(concat!(env!("OUT_DIR"), "/pictures.rs"));

/// The camera's picture (JPEG, 640x480) of the porch with this guest in it, or with nobody.
pub fn picture(guest: Option<Guest>) -> Bytes {
    static DRAWN: [OnceLock<Bytes>; 4] = [const { OnceLock::new() }; 4];
    let (slot, coat) = match guest {
        None => (0, None),
        Some(Guest::Friend) => (1, Some([60, 120, 200])),
        Some(Guest::Courier) => (2, Some([210, 150, 30])),
        Some(Guest::Neighbour) => (3, Some([90, 150, 80])),
    };
    match RENDERED[slot] {
        Some(rendered) => Bytes::from_static(rendered),
        None => DRAWN[slot].get_or_init(|| draw(coat)).clone(),
    }
}

fn draw(coat: Option<[u8; 3]>) -> Bytes {
    let (width, height) = SIZE;
    let image = RgbImage::from_fn(width, height, |x, y| {
        let (dx, dy) = (f64::from(x) - 320.0, f64::from(y) - 170.0);
        let head = (dx / 55.0).powi(2) + (dy / 70.0).powi(2) < 1.0;
        let body = (dx / 150.0).powi(2) + ((dy - 300.0) / 230.0).powi(2) < 1.0;
        let porch = if y < 300 { [178, 196, 212] } else { [120, 112, 104] };
        Rgb(match coat {
            Some(_) if head => [224, 188, 160],
            Some(coat) if body => coat,
            _ => porch,
        })
    });
    let mut jpeg = Vec::new();
    let encoded = JpegEncoder::new_with_quality(&mut jpeg, 80).encode_image(&image);
    if let Err(error) = encoded {
        tracing::error!(%error, "the camera's picture cannot be encoded");
    }
    Bytes::from(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_is_a_small_jpeg_of_the_right_size() {
        let guests = [None, Some(Guest::Friend), Some(Guest::Courier), Some(Guest::Neighbour)];
        let pictures: Vec<Bytes> = guests.into_iter().map(picture).collect();
        for (i, jpeg) in pictures.iter().enumerate() {
            let read = image::load_from_memory_with_format(jpeg, image::ImageFormat::Jpeg).unwrap();
            assert_eq!((read.width(), read.height()), SIZE);
            assert!(jpeg.len() < 80_000, "{i}: {} bytes", jpeg.len());
            assert!(!pictures[..i].contains(jpeg), "{i} looks like another");
        }
    }
}
