//! What a surface shows, as data: views are pure functions that return it, `render` makes entities of it.

use std::borrow::Cow;

use bevy::prelude::*;

use crate::{
    action::{HudAction, SlideTarget},
    style,
};

/// One thing on the screen. Two with one key on one place are the same thing, shown anew.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct El {
    /// Its `Name`; alike only for different parents.
    pub key: Cow<'static, str>,
    pub node: Box<Node>,
    pub fill: Color,
    pub line: Color,
    pub shadow: bool,
    pub what: What,
    pub press: Option<Press>,
    pub children: Vec<El>,
}

/// What kind of thing it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Area,
    /// An area whose content can be longer than itself.
    Scroll,
    Text(Words),
    Image(Handle<Image>),
    Slider(Slide),
    /// The handle of the slider around it; its place belongs to the slider.
    Thumb,
}

/// A text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Words {
    pub text: String,
    pub size: f32,
    pub color: Color,
    pub strong: bool,
    pub wrap: bool,
}

/// What pressing does.
#[derive(Component, Clone, Debug, PartialEq)]
pub(crate) struct Press {
    /// What the button says.
    pub label: String,
    pub action: HudAction,
    pub enabled: bool,
}

/// A slider's numbers.
#[derive(Component, Clone, Debug, PartialEq)]
pub(crate) struct Slide {
    pub min: f64,
    pub max: f64,
    pub step: f64,
    /// Where the handle is while nobody drags it.
    pub at: f64,
    pub target: SlideTarget,
    pub enabled: bool,
}

impl Slide {
    /// The nearest value that the slider can have.
    pub(crate) fn nearest(&self, value: f64) -> f64 {
        let stepped =
            if self.step > 0.0 { self.min + ((value - self.min) / self.step).round() * self.step } else { value };
        // Steps such as 0.1 leave dust behind.
        let clean = (stepped * 1e6).round() / 1e6;
        clean.clamp(self.min, self.max.max(self.min))
    }

    /// Where a value is on the slider, 0 to 1.
    pub(crate) fn share(&self, value: f64) -> f64 {
        if self.max > self.min { ((value - self.min) / (self.max - self.min)).clamp(0.0, 1.0) } else { 0.0 }
    }
}

impl El {
    /// An empty area.
    pub(crate) fn new(key: impl Into<Cow<'static, str>>) -> Self {
        Self {
            key: key.into(),
            node: Box::default(),
            fill: Color::NONE,
            line: Color::NONE,
            shadow: false,
            what: What::Area,
            press: None,
            children: Vec::new(),
        }
    }

    /// An area whose children stand below each other.
    pub(crate) fn column(key: impl Into<Cow<'static, str>>, gap: f32) -> Self {
        Self::new(key).node(|node| {
            node.flex_direction = FlexDirection::Column;
            node.row_gap = px(gap);
        })
    }

    /// An area whose children stand beside each other, middle to middle.
    pub(crate) fn row(key: impl Into<Cow<'static, str>>, gap: f32) -> Self {
        Self::new(key).node(|node| {
            node.align_items = AlignItems::Center;
            node.column_gap = px(gap);
        })
    }

    /// A text in the usual size.
    pub(crate) fn text(key: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        let words = Words { text: text.into(), size: style::BODY, color: style::TEXT, strong: false, wrap: true };
        Self { what: What::Text(words), ..Self::new(key) }
    }

    /// A text in small print.
    pub(crate) fn small(key: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self::text(key, text).words(|words| {
            words.size = style::SMALL;
            words.color = style::MUTED;
        })
    }

    /// Changes its layout.
    pub(crate) fn node(mut self, change: impl FnOnce(&mut Node)) -> Self {
        change(&mut self.node);
        self
    }

    /// Changes its text, where it is one.
    pub(crate) fn words(mut self, change: impl FnOnce(&mut Words)) -> Self {
        if let What::Text(words) = &mut self.what {
            change(words);
        }
        self
    }

    /// The same text in another colour.
    pub(crate) fn colored(self, color: Color) -> Self {
        self.words(|words| words.color = color)
    }

    /// The same text in strong letters.
    pub(crate) fn strong(self) -> Self {
        self.words(|words| words.strong = true)
    }

    /// Filled with a colour.
    pub(crate) const fn fill(mut self, color: Color) -> Self {
        self.fill = color;
        self
    }

    /// With an edge.
    pub(crate) fn line(mut self, color: Color) -> Self {
        self.line = color;
        self.node.border = UiRect::all(px(1));
        self
    }

    /// With round corners.
    pub(crate) fn round(mut self, radius: f32) -> Self {
        self.node.border_radius = BorderRadius::all(px(radius));
        self
    }

    /// With one more child.
    pub(crate) fn with(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// With more children.
    pub(crate) fn with_all(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// Every text in it, in the order of reading.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> Vec<String> {
        let own = if let What::Text(words) = &self.what { vec![words.text.clone()] } else { Vec::new() };
        own.into_iter().chain(self.children.iter().flat_map(Self::texts)).collect()
    }
}
