//! What just happened between the worlds, with ITU's step numbers (FGMV-29, clause 9).

use bevy::prelude::*;
use vestibule_input::{Control, KeyBindings};
use vestibule_twin::{Procedures, StepTaken};

use crate::{el::El, style, widgets};

/// The steps, newest first: who, to whom, what, about what, and whether it was refused.
pub(super) fn window(procedures: &Procedures, connected: bool, keys: &KeyBindings) -> El {
    let mut body = widgets::scroll("procedures.list", 3.0);
    if let Some(problem) = &procedures.problem {
        body.children.push(El::text("procedures.problem", problem.to_string()).colored(style::WRONG));
    }
    let say = match (connected, procedures.following, procedures.steps.is_empty()) {
        (false, ..) => Some("The enabler cannot be reached: steps may be missing."),
        (true, false, true) if procedures.problem.is_none() => Some("Asking the enabler ..."),
        (true, true, true) => Some("Nothing has happened yet."),
        _ => None,
    };
    body.children.extend(say.map(|text| El::small("procedures.state", text)));
    let newest = procedures.steps.back().map(|step| step.at);
    let lines = procedures.steps.iter().rev();
    body.children.extend(lines.map(|step| line(step, newest.map_or(0, |newest| newest.since(step.at)))));
    super::frame("procedures", "What happened, step by step", &keys.label(Control::Procedures), 760.0, body)
}

/// A column of a fixed width.
fn cell(key: &'static str, width: f32, el: El) -> El {
    El::row(key, 0.0)
        .node(|node| {
            node.width = px(width);
            node.flex_shrink = 0.0;
        })
        .with(el)
}

fn line(step: &StepTaken, before_ms: u64) -> El {
    let color = if step.refused { style::WRONG } else { style::ACCENT };
    let who = if step.from == step.to { step.from.clone() } else { format!("{} → {}", step.from, step.to) };
    let what = if step.refused { format!("{} (refused)", step.what) } else { step.what.to_owned() };
    let what = El::column("what", 0.0)
        .with(El::text("words", what))
        .with_all((!step.about.is_empty()).then(|| El::small("about", step.about.clone())));
    El::row(format!("step.{}", step.sequence), style::GAP)
        .node(|node| {
            node.padding = UiRect::axes(px(8), px(4));
            node.flex_shrink = 0.0;
        })
        .fill(style::RAISED)
        .round(style::ROUND_SMALL)
        .with(cell("id", 56.0, El::text("number", step.id.clone()).strong().colored(color)))
        .with(cell("who", 220.0, El::small("names", who)))
        .with(what)
        .with(widgets::spring())
        .with(El::small("before", before(before_ms)).words(|words| words.wrap = false))
}

/// How long before the newest step, by the enabler's own clock: ours may differ from it.
fn before(ms: u64) -> String {
    match ms {
        0 => "now".to_owned(),
        1..1_000 => format!("{ms} ms before"),
        1_000..120_000 => format!("{}.{} s before", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min before", ms / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use vestibule_twin::model::Timestamp;

    use super::*;

    fn step(sequence: u64, id: &str, from: &str, to: &str, refused: bool) -> StepTaken {
        StepTaken {
            sequence,
            id: id.to_owned(),
            what: "asks for a change",
            at: Timestamp(1_000 + sequence * 40),
            from: from.to_owned(),
            to: to.to_owned(),
            about: "home/front_door".to_owned(),
            refused,
            trace: None,
        }
    }

    #[test]
    fn the_newest_step_stands_first_with_its_number() {
        let mut procedures = Procedures { following: true, ..Procedures::default() };
        procedures.add(step(1, "P2.15", "ada's world", "DTIF", false));
        procedures.add(step(2, "P2.16", "DTIF", "DTIF", true));
        let texts = window(&procedures, true, &KeyBindings::default()).texts().join("|");
        let wanted = "P2.16|DTIF|asks for a change (refused)|home/front_door|now|P2.15|ada's world → DTIF|asks for a \
                      change|home/front_door|40 ms before";
        assert!(texts.contains(wanted), "{texts}");
    }

    #[test]
    fn nothing_is_claimed_without_the_enabler() {
        let texts = |procedures: &Procedures, connected| {
            window(procedures, connected, &KeyBindings::default()).texts().join("|")
        };
        let mut procedures = Procedures::default();
        assert!(texts(&procedures, true).contains("Asking"));
        assert!(texts(&procedures, false).contains("cannot be reached"));
        procedures.following = true;
        assert!(texts(&procedures, true).contains("Nothing has happened"));
    }
}
