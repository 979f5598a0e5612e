//! Text as areas: the outlines of a font's letters.

use manifold_rust::{cross_section::CrossSection, linalg::Vec2, types::OpType};
use skrifa::{
    FontRef, GlyphId, MetadataProvider,
    instance::{LocationRef, Size},
    outline::{DrawSettings, OutlinePen},
};
use thiserror::Error;

/// Into how many straight pieces a curve of a letter goes: finer than a nozzle at any size that a nozzle can draw.
const PIECES: u32 = 8;
/// The largest font, in bytes.
const MAX_FONT: usize = 8 << 20;

/// A font whose letters a design may use. Whoever evaluates a design has to have the same one.
#[derive(Clone)]
pub struct Font(std::sync::Arc<[u8]>);

/// Why a font is none, or has no such letter.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FontError {
    /// It cannot be read.
    #[error("no font")]
    Unreadable,
    /// It has no such letter.
    #[error("the font has no {0:?}")]
    NoLetter(char),
}

impl std::fmt::Debug for Font {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Font({} bytes)", self.0.len())
    }
}

impl Font {
    /// Reads a TrueType or OpenType font.
    ///
    /// # Errors
    /// [`FontError`] where it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, FontError> {
        if bytes.len() > MAX_FONT || FontRef::new(bytes).is_err() {
            return Err(FontError::Unreadable);
        }
        Ok(Self(bytes.into()))
    }

    /// The area of a line of text around the origin, its capital letters as high as `height`.
    pub(crate) fn area(&self, text: &str, height: f64) -> Result<CrossSection, FontError> {
        let font = FontRef::new(&self.0).map_err(|_| FontError::Unreadable)?;
        let here = (Size::unscaled(), LocationRef::default());
        let metrics = font.metrics(here.0, here.1);
        let capital = metrics.cap_height.filter(|high| *high > 0.0).unwrap_or(f32::from(metrics.units_per_em) * 0.7);
        let (charmap, outlines) = (font.charmap(), font.outline_glyphs());
        let widths = font.glyph_metrics(here.0, here.1);
        let scale = height / f64::from(capital);
        let (mut letters, mut width) = (Vec::new(), 0.0);
        for letter in text.chars() {
            let glyph: GlyphId = charmap.map(letter).ok_or(FontError::NoLetter(letter))?;
            let mut pen = Pen { contours: Vec::new(), at: (0.0, 0.0), scale, right: width };
            let outline = outlines.get(glyph).ok_or(FontError::NoLetter(letter))?;
            outline.draw(DrawSettings::unhinted(here.0, here.1), &mut pen).map_err(|_| FontError::Unreadable)?;
            letters.push(filled(pen.contours));
            width += f64::from(widths.advance_width(glyph).unwrap_or(0.0)) * scale;
        }
        let all = CrossSection::batch_boolean(&letters, OpType::Add);
        Ok(all.translate(Vec2::new(-width / 2.0, -height / 2.0)))
    }
}

/// What contours enclose, whichever way round the font's maker drew them.
fn filled(mut contours: Vec<Vec<Vec2>>) -> CrossSection {
    contours.retain(|contour| contour.len() > 2);
    let total: f64 = contours.iter().map(|contour| twice_area(contour)).sum();
    if total < 0.0 {
        contours.iter_mut().for_each(|contour| contour.reverse());
    }
    CrossSection::from_polygons_fill(contours)
}

fn twice_area(contour: &[Vec2]) -> f64 {
    let next = contour.iter().cycle().skip(1);
    contour.iter().zip(next).map(|(a, b)| a.x * b.y - b.x * a.y).sum()
}

struct Pen {
    contours: Vec<Vec<Vec2>>,
    at: (f32, f32),
    scale: f64,
    right: f64,
}

impl Pen {
    fn point(&mut self, x: f32, y: f32) {
        self.at = (x, y);
        let point = Vec2::new(self.right + f64::from(x) * self.scale, f64::from(y) * self.scale);
        if let Some(contour) = self.contours.last_mut() {
            contour.push(point);
        }
    }

    fn curve(&mut self, at: impl Fn(f32) -> (f32, f32)) {
        for piece in 1..=PIECES {
            #[expect(clippy::cast_precision_loss, reason = "at most eight")]
            let (x, y) = at(piece as f32 / PIECES as f32);
            self.point(x, y);
        }
    }
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.contours.push(Vec::new());
        self.point(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.point(x, y);
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let (ax, ay) = self.at;
        self.curve(|t| {
            let u = 1.0 - t;
            let mix = |a: f32, c: f32, b: f32| u * u * a + 2.0 * u * t * c + t * t * b;
            (mix(ax, cx, x), mix(ay, cy, y))
        });
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        let (ax, ay) = self.at;
        self.curve(|t| {
            let u = 1.0 - t;
            let mix = |a: f32, c: f32, d: f32, b: f32| {
                u * u * u * a + 3.0 * u * u * t * c + 3.0 * u * t * t * d + t * t * t * b
            };
            (mix(ax, cx0, cx1, x), mix(ay, cy0, cy1, y))
        });
    }

    fn close(&mut self) {}
}
