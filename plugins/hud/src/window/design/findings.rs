use bevy::prelude::*;
use vestibule_twin::{DesignFinding, DesignView, EditDesign};

use super::{block, pressed, wrapped};
use crate::{
    action::HudAction,
    el::El,
    style,
    widgets::{self, Tone},
};

/// What the machine says about it.
pub(super) fn block_of(view: &DesignView) -> El {
    let machines = view.machines.iter().map(|machine| {
        let action = HudAction::Design(EditDesign::Machine(machine.id.clone()));
        let tone = if machine.id == view.machine { Tone::Chosen } else { Tone::Plain };
        widgets::button(format!("machine.{}", machine.id), widgets::press(machine.name.clone(), action), None, tone)
    });
    let all = view.findings.iter().enumerate().map(|(index, finding)| row(view, index, finding));
    let good = view.checked && view.findings.is_empty();
    let good = good.then(|| {
        El::row("good", style::GAP)
            .with(widgets::dot(style::GOOD, 9.0))
            .with(El::text("text", "Nothing speaks against making it."))
    });
    let waits = (!view.checked).then(|| {
        let text = if view.problem.is_some() { "It has to be computed first." } else { "Looking at it ..." };
        El::small("waits", text)
    });
    block("design.findings", "Can it be made?")
        .with(wrapped("machines").with_all(machines))
        .with_all(waits)
        .with_all(all)
        .with_all(good)
}

fn row(view: &DesignView, index: usize, finding: &DesignFinding) -> El {
    let color = if finding.blocks { style::WRONG } else { style::MIND };
    let word = if finding.blocks { "cannot be made so" } else { "can be made, but" };
    let part = finding.part.as_ref().map(|part| format!(" · {part}")).unwrap_or_default();
    let places = match finding.places.len() {
        0 => String::new(),
        1 => " · one place".to_owned(),
        count => format!(" · {count} places"),
    };
    let shown = view.pointed == Some(index);
    let wish = EditDesign::Point(if shown { None } else { Some(index) });
    // What is everywhere has no place to show.
    let show = (!finding.places.is_empty()).then(|| {
        let label = if shown { "Shown" } else { "Show" };
        let tone = if shown { Tone::Chosen } else { Tone::Plain };
        let mut el = widgets::button("show", pressed(label, HudAction::Design(wish), true), None, tone);
        el.node.flex_shrink = 0.0;
        el
    });
    let text = El::column("text", 0.0)
        .node(|node| {
            node.flex_shrink = 1.0;
            node.flex_grow = 1.0;
        })
        .with(El::text("says", finding.says.clone()))
        .with(El::small("more", format!("{word}{part}{places}")).colored(color));
    El::row(format!("finding.{index}"), style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(widgets::dot(color, 9.0))
        .with(text)
        .with_all(show)
}
