//! What just happened between the worlds, with ITU's step numbers (FGMV-29, clause 9).

use std::collections::VecDeque;

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
    let runs = runs(&procedures.steps);
    body.children.extend(runs.iter().map(|run| line(run, newest.map_or(0, |newest| newest.since(run.newest.at)))));
    super::frame("procedures", "What happened, step by step", &keys.label(Control::Procedures), 760.0, body)
}

/// Steps that are alike and follow each other, which happens when many things report at once: one line is enough.
struct Run<'a> {
    newest: &'a StepTaken,
    times: usize,
    about: Vec<&'a str>,
}

/// Things that one line names.
const NAMED: usize = 3;

/// The steps, newest first, with those together that are alike.
fn runs(steps: &VecDeque<StepTaken>) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for step in steps.iter().rev() {
        let alike = |run: &&mut Run<'_>| {
            let newest = run.newest;
            (&newest.id, &newest.from, &newest.to, newest.refused) == (&step.id, &step.from, &step.to, step.refused)
        };
        match runs.last_mut().filter(alike) {
            Some(run) => {
                run.times += 1;
                if !run.about.contains(&step.about.as_str()) {
                    run.about.push(&step.about);
                }
            }
            None => runs.push(Run { newest: step, times: 1, about: vec![&step.about] }),
        }
    }
    runs
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

fn line(run: &Run<'_>, before_ms: u64) -> El {
    let step = run.newest;
    let color = if step.refused { style::WRONG } else { style::ACCENT };
    let who = if step.from == step.to { step.from.clone() } else { format!("{} → {}", step.from, step.to) };
    let mut what = if step.refused { format!("{} (refused)", step.what) } else { step.what.to_owned() };
    if run.times > 1 {
        what += &format!(", {} times", run.times);
    }
    let mut about = run.about.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if let Some(more) = run.about.len().checked_sub(NAMED).filter(|more| *more > 0) {
        about += &format!(" and {more} more");
    }
    let what = El::column("what", 0.0)
        .with(El::text("words", what))
        .with_all((!about.is_empty()).then(|| El::small("about", about)));
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
    fn steps_that_are_alike_take_one_line() {
        let mut procedures = Procedures { following: true, ..Procedures::default() };
        for sequence in 1..=6 {
            let about = format!("home/lamp{}", sequence % 5);
            procedures.add(StepTaken { about, ..step(sequence, "P2.14", "DTIF", "ada's world", false) });
        }
        procedures.add(step(7, "P2.14", "DTIF", "bob's world", false));
        let texts = window(&procedures, true, &KeyBindings::default()).texts().join("|");
        assert!(texts.contains("asks for a change, 6 times|home/lamp1, home/lamp0, home/lamp4 and 2 more"), "{texts}");
        assert_eq!(texts.matches("P2.14").count(), 2, "another world's news are another line");
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
