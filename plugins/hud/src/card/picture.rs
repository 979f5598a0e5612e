use std::{collections::BTreeMap, io::Cursor, sync::Arc};

use bevy::{
    asset::RenderAssetUsages,
    prelude::*,
    render::render_resource::{Extent3d, TextureDimension, TextureFormat},
};
use image::{ImageReader, Limits};
use vestibule_twin::{
    TwinIndex, TwinPictures,
    model::{FeatureId, TwinId},
};

use super::CardShown;

/// A picture from outside: more pixels on a side than a card or a screen can show are refused before they are decoded.
const MAX_SIDE: u32 = 4096;
/// Bytes that decoding may take.
const MAX_ALLOC: u64 = 96 << 20;

/// A decoded picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decoded {
    pub image: Option<Handle<Image>>,
    /// Width by height.
    pub aspect: f32,
    /// Why there is no image, for a person.
    pub problem: Option<String>,
}

/// The pictures of the card that is on the screen, by the feature that took each.
#[derive(Resource, Debug, Default)]
pub(crate) struct Pictures {
    twin: Option<TwinId>,
    decoded: BTreeMap<FeatureId, (Arc<[u8]>, Decoded)>,
}

impl Pictures {
    pub(crate) fn of<'a>(&'a self, twin: &TwinId) -> impl Iterator<Item = (&'a FeatureId, &'a Decoded)> {
        let shown = self.twin.as_ref() == Some(twin);
        self.decoded.iter().filter(move |_| shown).map(|(feature, (_, decoded))| (feature, decoded))
    }
}

/// Decodes the newest pictures of the twin whose card is shown.
pub(crate) fn decode(
    shown: Res<CardShown>,
    index: Res<TwinIndex>,
    twins: Query<&TwinPictures>,
    images: Option<ResMut<Assets<Image>>>,
    mut pictures: ResMut<Pictures>,
) {
    let Some(mut images) = images else { return };
    let newest = shown.0.as_ref().and_then(|twin| index.get(twin).iter().find_map(|entity| twins.get(*entity).ok()));
    if pictures.twin != shown.0 || newest.is_none() {
        if pictures.twin.is_some() {
            *pictures = Pictures::default();
        }
        pictures.twin.clone_from(&shown.0);
    }
    let Some(TwinPictures(newest)) = newest else { return };
    let same = |feature: &FeatureId, bytes: &Arc<[u8]>, pictures: &Pictures| {
        pictures.decoded.get(feature).is_some_and(|(known, _)| Arc::ptr_eq(known, bytes))
    };
    for (feature, picture) in newest {
        if same(feature, &picture.bytes, &pictures) {
            continue;
        }
        let decoded = match read(&picture.bytes) {
            Ok((image, aspect)) => Decoded { image: Some(images.add(image)), aspect, problem: None },
            Err(problem) => Decoded { image: None, aspect: 16.0 / 9.0, problem: Some(problem) },
        };
        pictures.decoded.insert(feature.clone(), (Arc::clone(&picture.bytes), decoded));
    }
    if pictures.decoded.len() > newest.len() {
        pictures.decoded.retain(|feature, _| newest.contains_key(feature));
    }
}

/// Reads an encoded picture within limits; the second number is its width by its height.
fn read(bytes: &[u8]) -> Result<(Image, f32), String> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_ALLOC);
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = reader.map_err(|error| format!("the picture cannot be read: {error}"))?;
    reader.limits(limits);
    let picture = reader.decode().map_err(|error| format!("the picture cannot be shown: {error}"))?.into_rgba8();
    let (width, height) = picture.dimensions();
    if width == 0 || height == 0 {
        return Err("the picture is empty".to_owned());
    }
    let size = Extent3d { width, height, depth_or_array_layers: 1 };
    let (format, usage) = (TextureFormat::Rgba8UnormSrgb, RenderAssetUsages::RENDER_WORLD);
    let image = Image::new(size, TextureDimension::D2, picture.into_raw(), format, usage);
    #[expect(clippy::cast_precision_loss, reason = "sides are at most MAX_SIDE")]
    Ok((image, width as f32 / height as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image::RgbImage::new(width, height).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn pictures_keep_their_shape_and_bombs_are_refused() {
        let (image, aspect) = read(&png(32, 16)).unwrap();
        assert_eq!(image.size(), UVec2::new(32, 16));
        assert!((aspect - 2.0).abs() < 1e-6);
        assert!(read(&png(MAX_SIDE + 1, 1)).is_err());
        assert!(read(b"no picture").is_err());
        assert!(read(&[]).is_err());
        assert!(read(&png(32, 16)[..40]).is_err());
    }

    #[test]
    fn no_changed_bit_breaks_the_card() {
        let good = png(8, 4);
        for place in 0..good.len() {
            for bit in 0..8 {
                let mut changed = good.clone();
                changed[place] ^= 1 << bit;
                if let Ok((image, aspect)) = read(&changed) {
                    assert!(
                        image.width().max(image.height()) <= MAX_SIDE && aspect.is_finite(),
                        "byte {place}, bit {bit}"
                    );
                }
            }
        }
    }
}
