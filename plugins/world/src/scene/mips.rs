//! Smaller copies of every texture of a glTF file, which the files do not bring: without them, bricks flicker.

use bevy::{
    image::{ImageFilterMode, ImageSampler, ImageSamplerDescriptor},
    prelude::*,
    render::render_resource::{TextureDimension, TextureFormat},
    tasks::{AsyncComputeTaskPool, Task, futures::check_ready},
};

/// How many texels across a slanted one are looked at: more is sharper and dearer.
const ANISOTROPY: u16 = 4;

/// Textures whose smaller copies are being made.
#[derive(Resource, Default)]
pub(super) struct Shrinking(Vec<(AssetId<Image>, Task<(Vec<u8>, u32)>)>);

/// Starts on every texture that came in a glTF file. Pictures of the interface and rendered ones are left alone.
pub(super) fn start(
    mut events: MessageReader<AssetEvent<Image>>,
    images: Res<Assets<Image>>,
    server: Res<AssetServer>,
    mut shrinking: ResMut<Shrinking>,
) {
    for event in events.read() {
        let AssetEvent::Added { id } = event else { continue };
        let from_model = server.get_path(*id).is_some_and(|path| {
            path.path().extension().is_some_and(|extension| extension == "glb" || extension == "gltf")
        });
        let Some(image) = images.get(*id).filter(|image| from_model && can_shrink(image)) else { continue };
        let Some(data) = image.data.clone() else { continue };
        let (width, height) = (image.width(), image.height());
        let srgb = image.texture_descriptor.format == TextureFormat::Rgba8UnormSrgb;
        let task = AsyncComputeTaskPool::get().spawn(async move { with_mips(data, width, height, srgb) });
        shrinking.0.push((*id, task));
    }
}

fn can_shrink(image: &Image) -> bool {
    let about = &image.texture_descriptor;
    let expected = (image.width() as usize).saturating_mul(image.height() as usize).saturating_mul(4);
    matches!(about.format, TextureFormat::Rgba8Unorm | TextureFormat::Rgba8UnormSrgb)
        && about.dimension == TextureDimension::D2
        && about.mip_level_count == 1
        && about.size.depth_or_array_layers == 1
        && image.width().min(image.height()) > 1
        && image.data.as_ref().is_some_and(|data| data.len() == expected)
}

/// Puts the copies in place.
pub(super) fn finish(
    mut shrinking: ResMut<Shrinking>,
    mut images: ResMut<Assets<Image>>,
    materials: Option<ResMut<Assets<StandardMaterial>>>,
) {
    if shrinking.0.is_empty() {
        return;
    }
    shrinking.0.retain_mut(|(id, task)| {
        let Some((data, levels)) = check_ready(task) else { return true };
        if let Some(mut image) = images.get_mut(*id).filter(|image| can_shrink(image)) {
            image.data = Some(data);
            image.texture_descriptor.mip_level_count = levels;
            let mut sampler = match &image.sampler {
                ImageSampler::Descriptor(sampler) => sampler.clone(),
                ImageSampler::Default => ImageSamplerDescriptor::linear(),
            };
            sampler.mipmap_filter = ImageFilterMode::Linear;
            // The renderer allows this with linear filters only.
            if matches!((sampler.min_filter, sampler.mag_filter), (ImageFilterMode::Linear, ImageFilterMode::Linear)) {
                sampler.anisotropy_clamp = ANISOTROPY;
            }
            image.sampler = ImageSampler::Descriptor(sampler);
        }
        false
    });
    // A material holds on to the texture that it was prepared with: once all are there, each is prepared anew.
    if shrinking.0.is_empty()
        && let Some(mut materials) = materials
    {
        let prepared_anew = materials.iter_mut().count();
        debug!(prepared_anew, "textures have smaller copies");
    }
}

/// The texels of all levels one after the other, down to a single one, and how many levels there are.
fn with_mips(mut data: Vec<u8>, width: u32, height: u32, srgb: bool) -> (Vec<u8>, u32) {
    let (mut wide, mut high) = (width as usize, height as usize);
    let (mut start, mut levels) = (0, 1);
    while wide > 1 || high > 1 {
        let level = halve(data.get(start..).unwrap_or_default(), wide, high, srgb);
        start = data.len();
        (wide, high) = ((wide / 2).max(1), (high / 2).max(1));
        data.extend(level);
        levels += 1;
    }
    (data, levels)
}

fn halve(from: &[u8], wide: usize, high: usize, srgb: bool) -> Vec<u8> {
    let (to_wide, to_high) = ((wide / 2).max(1), (high / 2).max(1));
    let mut out = Vec::with_capacity(to_wide * to_high * 4);
    let texel = |x: usize, y: usize| {
        let at = (y.min(high - 1) * wide + x.min(wide - 1)) * 4;
        from.get(at..at + 4).unwrap_or(&[0; 4])
    };
    for y in 0..to_high {
        for x in 0..to_wide {
            let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| texel(x * 2 + dx, y * 2 + dy));
            for part in 0..4 {
                let values = four.map(|texel| f32::from(texel[part]));
                // Light adds up, and sRGB is nearly its square root. Alpha and data are what they are.
                let mean = if srgb && part < 3 {
                    (values.iter().map(|value| value * value).sum::<f32>() / 4.0).sqrt()
                } else {
                    values.iter().sum::<f32>() / 4.0
                };
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of bytes")]
                out.push(mean.round() as u8);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_go_down_to_one_texel() {
        let (data, levels) = with_mips(vec![200; 8 * 2 * 4], 8, 2, true);
        assert_eq!(levels, 4);
        assert_eq!(data.len(), (8 * 2 + 4 + 2 + 1) * 4);
        assert!(data.iter().all(|byte| *byte == 200));
    }

    #[test]
    fn a_chequered_floor_is_grey_from_afar_and_not_dark() {
        let board: Vec<u8> = (0..4_u8).flat_map(|n| if n % 3 == 0 { [255; 4] } else { [0, 0, 0, 255] }).collect();
        assert_eq!(halve(&board, 2, 2, true), [180, 180, 180, 255]);
        assert_eq!(halve(&board, 2, 2, false), [128, 128, 128, 255]);
    }
}
