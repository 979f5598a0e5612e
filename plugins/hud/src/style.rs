//! Colours, sizes and letters: everything that is to look alike everywhere.

use bevy::prelude::*;
use vestibule_twin::{Urgency, model::Truth};

/// Small print: captions, reasons, ages.
pub(crate) const SMALL: f32 = 13.0;
/// What is read most.
pub(crate) const BODY: f32 = 15.0;
/// Names of cards and windows.
pub(crate) const TITLE: f32 = 19.0;

/// Space between things that belong together.
pub(crate) const TIGHT: f32 = 4.0;
/// Space between parts of one thing.
pub(crate) const GAP: f32 = 8.0;
/// Space around and between things.
pub(crate) const PAD: f32 = 14.0;
/// Distance from the screen's edge.
pub(crate) const EDGE: f32 = 16.0;

/// Rounding of panels.
pub(crate) const ROUND: f32 = 12.0;
/// Rounding of buttons and chips.
pub(crate) const ROUND_SMALL: f32 = 7.0;

/// Behind panels: dark, and the world shines through a little.
pub(crate) const PANEL: Color = Color::srgba(0.055, 0.067, 0.086, 0.90);
/// Behind windows that have all the attention.
pub(crate) const SHADE: Color = Color::srgba(0.02, 0.025, 0.035, 0.55);
/// Behind parts of a panel.
pub(crate) const RAISED: Color = Color::srgba(1.0, 1.0, 1.0, 0.02);
/// A button at rest.
pub(crate) const BUTTON: Color = Color::srgba(1.0, 1.0, 1.0, 0.065);
/// Where one writes.
pub(crate) const FIELD: Color = Color::srgba(0.0, 0.0, 0.0, 0.35);
/// Edges of panels.
pub(crate) const LINE: Color = Color::srgba(1.0, 1.0, 1.0, 0.06);
/// What is read.
pub(crate) const TEXT: Color = Color::srgb(0.925, 0.94, 0.96);
/// What is read second.
pub(crate) const MUTED: Color = Color::srgb(0.66, 0.70, 0.76);
/// What cannot be used now.
pub(crate) const FAINT: Color = Color::srgb(0.47, 0.51, 0.57);
/// The one colour that says: this is chosen, this is yours.
pub(crate) const ACCENT: Color = Color::srgb(0.42, 0.72, 1.0);
/// Text on the accent.
pub(crate) const ON_ACCENT: Color = Color::srgb(0.03, 0.07, 0.12);
/// What was and is no more.
pub(crate) const PAST: Color = Color::srgb(0.93, 0.72, 0.53);
/// Nothing is wrong.
pub(crate) const GOOD: Color = Color::srgb(0.37, 0.84, 0.56);
/// What one should know, but can live with.
pub(crate) const MIND: Color = Color::srgb(0.96, 0.72, 0.28);
/// Something is wrong.
pub(crate) const WRONG: Color = Color::srgb(1.0, 0.47, 0.44);

/// The colour of a truth; the word always stands beside it.
pub(crate) const fn truth_color(truth: Truth) -> Color {
    match truth {
        Truth::Live => Color::srgb(0.37, 0.84, 0.56),
        Truth::Pending => Color::srgb(0.96, 0.77, 0.33),
        Truth::Stale => Color::srgb(0.62, 0.66, 0.72),
        Truth::Diverged => WRONG,
        Truth::Commanded => Color::srgb(0.75, 0.62, 0.98),
    }
}

/// The colour of an urgency; a word or the text says the same.
pub(crate) const fn urgency_color(urgency: Urgency) -> Color {
    match urgency {
        Urgency::Info => MUTED,
        Urgency::Problem => WRONG,
        Urgency::Request => ACCENT,
    }
}

/// `base` under a pointer (`lift` 1) or pressed (`lift` 2).
pub(crate) fn lifted(base: Color, lift: u8) -> Color {
    let add = 0.05 * f32::from(lift);
    let mut base = base.to_srgba();
    if base.alpha < 0.6 {
        base.alpha = (base.alpha + add).min(1.0);
        base.into()
    } else {
        base.mix(&Srgba::WHITE, add).with_alpha(base.alpha).into()
    }
}

/// The letters: Inter in two weights (OFL 1.1, `fonts/LICENSE.txt`), since Bevy's own knows ASCII only.
#[derive(Resource, Clone, Debug, Default)]
pub(crate) struct Letters {
    regular: Handle<Font>,
    strong: Handle<Font>,
}

impl Letters {
    /// Adds the fonts where there is a store for them; without one (no screen) the default stays.
    pub(crate) fn load(fonts: Option<ResMut<Assets<Font>>>, mut letters: ResMut<Self>) {
        if let Some(mut fonts) = fonts {
            letters.regular = fonts.add(Font::from_bytes(include_bytes!("../fonts/Inter-Regular.otf").to_vec()));
            letters.strong = fonts.add(Font::from_bytes(include_bytes!("../fonts/Inter-SemiBold.otf").to_vec()));
        }
    }

    /// The font of a text.
    pub(crate) fn font(&self, size: f32, strong: bool) -> TextFont {
        let handle = if strong { &self.strong } else { &self.regular };
        TextFont::from_font_size(size).with_font(handle.clone())
    }
}
