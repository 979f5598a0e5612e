//! How the app stands with its enabler, where that is not well.

use bevy::prelude::*;
use vestibule_twin::{EnablerLink, LinkState};

use crate::{
    el::El,
    render::{Screen, Surface},
    style, widgets,
};

/// Shows the banner while there is something to say.
pub(crate) fn show(link: Res<EnablerLink>, time: Res<Time<Real>>, mut since: Local<f64>, mut screen: ResMut<Screen>) {
    let now = time.elapsed_secs_f64();
    if link.is_changed() {
        *since = now;
    }
    let elements = banner(&link, now - *since).into_iter().collect();
    screen.show(Surface::Banner, elements);
}

/// The banner `seconds` after the link last changed.
fn banner(link: &EnablerLink, seconds: f64) -> Option<El> {
    let name = if link.name.is_empty() { "the home" } else { link.name.as_str() };
    let (color, title, text) = match &link.state {
        LinkState::Connected => return None,
        LinkState::Connecting => {
            let text = "Nothing can be read or done until it answers.".to_owned();
            (style::ACCENT, format!("Connecting to {name}"), text)
        }
        LinkState::Lost { reason, retry_in_s } => {
            let left = (f64::from(*retry_in_s) - seconds).max(0.0).ceil();
            let next =
                if left > 0.0 { format!("Trying again in {left:.0} s.") } else { "Trying again now.".to_owned() };
            let text = format!("{}. {next} Until then what you see is old, and nothing can be done.", sentence(reason));
            (style::WRONG, format!("No connection to {name}"), text)
        }
        LinkState::Refused { reason } => {
            let text = format!("{}. It is not tried again by itself.", sentence(reason));
            (style::WRONG, format!("{name} does not let you in"), text)
        }
    };
    let words = El::column("words", 2.0)
        .node(|node| node.flex_shrink = 1.0)
        .with(El::text("banner.title", title).strong())
        .with(El::small("banner.text", text));
    let panel = widgets::panel("banner")
        .node(|node| {
            node.flex_direction = FlexDirection::Row;
            node.align_items = AlignItems::Center;
            node.column_gap = px(12);
            node.padding = UiRect::axes(px(14), px(9));
            node.max_width = px(430);
        })
        .line(color.with_alpha(0.6))
        .with(widgets::dot(color, 10.0))
        .with(words);
    let place = El::new("banner.place").node(|node| {
        node.width = percent(100);
        node.justify_content = JustifyContent::Center;
        node.align_items = AlignItems::FlexStart;
        node.padding.top = px(10);
    });
    Some(place.with(panel))
}

/// Room that card and notifications leave for the banner.
pub(crate) const fn room(link: &EnablerLink) -> f32 {
    if link.state.is_connected() { 0.0 } else { 66.0 }
}

fn sentence(reason: &str) -> String {
    let mut chars = reason.trim().trim_end_matches('.').chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_says_why_and_what_next() {
        let mut link = EnablerLink { state: LinkState::Connected, name: "hub.local".to_owned() };
        assert_eq!(banner(&link, 0.0), None);
        link.state = LinkState::Lost { reason: "it does not answer.".to_owned(), retry_in_s: 5.0 };
        let texts = banner(&link, 1.5).unwrap().texts().join(" | ");
        assert!(texts.contains("No connection to hub.local"), "{texts}");
        assert!(texts.contains("It does not answer. Trying again in 4 s."), "{texts}");
        assert!(banner(&link, 60.0).unwrap().texts().join(" ").contains("Trying again now."));
        link.state = LinkState::Refused { reason: "the pairing code is wrong".to_owned() };
        assert!(banner(&link, 0.0).unwrap().texts().join(" ").contains("The pairing code is wrong"));
    }
}
