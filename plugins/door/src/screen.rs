use bevy::{
    asset::RenderAssetUsages,
    image::{CompressedImageFormats, ImageSampler, ImageType},
    prelude::*,
};
use vestibule_twin::{Notify, Twin, TwinIndex, TwinPicture, TwinPictures, Urgency};

/// Shows the newest picture of its twin's (first) camera. Its material becomes its own; the picture also glows, as screens do.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct DoorScreen;

/// The picture that a screen shows: kept to see that a newer one has come.
#[derive(Component, Clone, Debug)]
pub(crate) struct Shown {
    bytes: std::sync::Arc<[u8]>,
}

/// The most pixels of a picture on a side.
const MOST_PIXELS: u32 = 4_096;

pub(crate) fn show(
    mut commands: Commands,
    screens: Query<(Entity, &Twin, Option<&Shown>), With<DoorScreen>>,
    children: Query<&Children>,
    meshes: Query<&MeshMaterial3d<StandardMaterial>>,
    pictures: Query<&TwinPictures>,
    index: Res<TwinIndex>,
    mut images: ResMut<Assets<Image>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
    mut notify: MessageWriter<Notify>,
) {
    for (entity, twin, shown) in &screens {
        let picture = index.get(&twin.0).iter().find_map(|root| pictures.get(*root).ok()?.0.values().next());
        let Some(picture) = picture else { continue };
        if shown.is_some_and(|shown| std::sync::Arc::ptr_eq(&shown.bytes, &picture.bytes)) {
            continue;
        }
        // glTF puts a node's mesh on a child entity.
        let mut faces = std::iter::once(entity).chain(children.iter_descendants(entity));
        let Some(face) = faces.find(|face| meshes.contains(*face)) else { continue };
        commands.entity(entity).insert(Shown { bytes: picture.bytes.clone() });
        match decode(picture) {
            Ok(image) => {
                let image = images.add(image);
                let material = StandardMaterial {
                    base_color_texture: Some(image.clone()),
                    emissive: LinearRgba::WHITE * 0.8,
                    emissive_texture: Some(image),
                    perceptual_roughness: 0.2,
                    ..default()
                };
                commands.entity(face).insert(MeshMaterial3d(materials.add(material)));
            }
            Err(reason) => {
                notify.write(Notify {
                    urgency: Urgency::Problem,
                    title: "A camera's picture cannot be shown".to_owned(),
                    text: format!("{}: {reason}", twin.0),
                    twin: Some(twin.0.clone()),
                });
            }
        }
    }
}

fn decode(picture: &TwinPicture) -> Result<Image, String> {
    // The size stands in the first bytes: look there before anything is decoded.
    let reader = image::ImageReader::new(std::io::Cursor::new(&picture.bytes)).with_guessed_format();
    let (width, height) = reader
        .map_err(|error| error.to_string())?
        .into_dimensions()
        .map_err(|error| format!("it is no picture: {error}"))?;
    if width.max(height) > MOST_PIXELS {
        return Err(format!("it has {width} x {height} pixels, at most {MOST_PIXELS} on a side are shown"));
    }
    Image::from_buffer(
        &picture.bytes,
        ImageType::MimeType(&picture.media),
        CompressedImageFormats::NONE,
        true,
        ImageSampler::linear(),
        RenderAssetUsages::default(),
    )
    .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image::RgbImage::new(width, height).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn picture(bytes: &[u8], media: &str) -> TwinPicture {
        TwinPicture { bytes: bytes.into(), media: media.to_owned() }
    }

    /// A camera sends what it likes: cut off, with a bit changed, too large, or called what it is not.
    #[test]
    fn no_picture_breaks_the_screen() {
        let good = png(8, 4);
        let image = decode(&picture(&good, "image/png")).unwrap();
        assert_eq!((image.width(), image.height()), (8, 4));
        assert!(decode(&picture(&png(MOST_PIXELS + 1, 1), "image/png")).is_err());
        for media in ["image/jpeg", "text/html", ""] {
            assert!(decode(&picture(&good, media)).is_err(), "{media:?}");
        }
        for place in 0..good.len() {
            assert!(decode(&picture(&good[..place.min(40)], "image/png")).is_err(), "{place} bytes");
            for bit in 0..8 {
                let mut changed = good.clone();
                changed[place] ^= 1 << bit;
                if let Ok(image) = decode(&picture(&changed, "image/png")) {
                    assert!(image.width().max(image.height()) <= MOST_PIXELS, "byte {place}, bit {bit}");
                }
            }
        }
    }
}
