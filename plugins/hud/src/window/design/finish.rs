use bevy::prelude::*;
use vestibule_twin::{DesignFormat, DesignTakes, DesignView, EditDesign};

use super::{Table, block, fields, pressed};
use crate::{
    action::{HudAction, PrepareShop},
    el::El,
    style,
    widgets::{self, Tone},
};

/// Its name, and where it is kept.
pub(super) fn block_of(table: &Table<'_>) -> El {
    let view = table.view;
    let name = view.texts.iter().find(|text| text.id == "name").map(|field| fields::text(table, field));
    let kept = match (&view.kept, &view.undo) {
        (Some(path), _) => format!("Kept as {path}"),
        (None, Some(_)) => "It is not kept: there is no folder for designs, or it cannot be written.".to_owned(),
        (None, None) => "It is kept as soon as you change something.".to_owned(),
    };
    block("design.finish", "Keep it").with_all(name).with(El::small("kept", kept))
}

/// A file for others; the button only has room for the format.
fn export(format: DesignFormat, enabled: bool) -> El {
    let shown = format.extension().to_uppercase();
    let action = HudAction::Design(EditDesign::Export(format));
    let press = pressed(format!("Write {shown}"), action, enabled);
    let mut el = widgets::button(format!("export.{}", format.extension()), press, None, Tone::Plain);
    el.node.padding = UiRect::axes(px(9), px(5));
    for child in &mut el.children {
        *child = child.clone().words(|words| shown.clone_into(&mut words.text));
    }
    el
}

/// Size, weight, time and price, whether it can be made, the way into the room and into files: always in sight.
pub(super) fn foot(view: &DesignView) -> El {
    let size = view.size_mm.map(|size| {
        let [width, height, depth] = size.map(|mm| format!("{mm:.0}"));
        format!("{width} × {height} × {depth} mm")
    });
    let blocks = view.findings.iter().filter(|finding| finding.blocks).count();
    let (color, verdict) = match (view.checked, blocks, view.findings.len()) {
        (false, ..) => (style::MUTED, "not looked at yet".to_owned()),
        (true, 0, 0) => (style::GOOD, "can be made".to_owned()),
        (true, 0, more) => (
            style::MIND,
            if more == 1 { "can be made, one hint".to_owned() } else { format!("can be made, {more} hints") },
        ),
        (true, 1, _) => (style::WRONG, "one thing is in the way".to_owned()),
        (true, more, _) => (style::WRONG, format!("{more} things are in the way")),
    };
    let verdict = El::row("verdict", 6.0)
        .with(widgets::dot(color, 9.0))
        .with(El::small("word", verdict).strong().colored(color).words(|words| words.wrap = false));
    let first = view.findings.iter().find(|finding| finding.blocks).filter(|_| view.checked);
    let why = view.not_ready.as_deref();
    let mut press = widgets::press("Put it into the room", HudAction::Design(EditDesign::Place));
    press.enabled = why.is_none();
    let mut place = widgets::button("place", press, None, Tone::Main);
    place.node.flex_grow = 1.0;
    // It opens where its price is asked for, and says there why it cannot be ordered.
    let order = widgets::press("Order it", HudAction::PrepareShop(PrepareShop::OrderDesign));
    let order = widgets::button("order", order, None, Tone::Plain);
    let mut words = El::small("words", amounts(view));
    words.node.flex_shrink = 1.0;
    let takes = El::row("takes", style::GAP).with(words);
    let told = view.exported.as_ref().map(|exported| match exported {
        Ok(path) => El::small("exported", format!("Written: {path}")).colored(style::GOOD),
        Err(why) => El::small("exported", why.clone()).colored(style::WRONG),
    });
    let out = El::row("out", 6.0)
        .with(place)
        .with(El::small("word", "Write").words(|words| words.wrap = false))
        .with_all(DesignFormat::ALL.map(|format| export(format, why.is_none())));
    El::column("design.foot", 6.0)
        .node(|node| node.flex_shrink = 0.0)
        .with(widgets::rule("rule"))
        .with(
            El::row("sizes", style::GAP)
                .with(El::text("text", size.unwrap_or_default()).strong().words(|words| words.wrap = false))
                .with(widgets::spring())
                .with(verdict),
        )
        .with_all(first.map(|first| El::small("first", first.says.clone()).colored(style::WRONG)))
        .with(takes.with(widgets::spring()).with(order))
        .with(out)
        .with_all(why.map(|why| El::small("why", format!("Neither into the room nor into a file: {why}"))))
        .with_all(told)
}

/// How much of it there is, and what making it takes.
fn amounts(view: &DesignView) -> String {
    let volume = view.volume_mm3.map(|volume| format!("{:.0} cm³", volume / 1_000.0));
    let takes = view.takes.map(takes).or_else(|| view.open.then(|| "what it takes is not known yet".to_owned()));
    volume.into_iter().chain(takes).collect::<Vec<_>>().join(" · ")
}

fn takes(takes: DesignTakes) -> String {
    #[expect(clippy::cast_precision_loss, reason = "grams of a thing")]
    let grams = takes.milligrams as f64 / 1_000.0;
    let weight = if grams < 1_000.0 { format!("{grams:.0} g") } else { format!("{:.2} kg", grams / 1_000.0) };
    let minutes = takes.seconds.div_ceil(60);
    let time = match minutes {
        0..60 => format!("{minutes} min"),
        _ => format!("{} h {:02} min", minutes / 60, minutes % 60),
    };
    format!("about {weight} · {time} · {}", takes.price)
}
