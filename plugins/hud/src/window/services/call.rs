//! Calls as people follow them.

use bevy::prelude::*;
use vestibule_twin::{
    KnownCall, UseServices,
    model::{CallStatus, StepStatus, StepUpdate},
};

use super::{
    Room,
    answer::{cut, lines},
};
use crate::{
    action::HudAction,
    el::El,
    format, style,
    widgets::{self, Tone},
};

/// How far a call is, in words.
pub(super) fn state(call: &KnownCall) -> String {
    let Some(update) = &call.update else {
        return match &call.problem {
            Some(problem) => format!("not taken: {problem}"),
            None => "asked, waiting for the enabler".to_owned(),
        };
    };
    match (&update.status, update.steps.as_slice()) {
        (CallStatus::Running, [one]) => step(one),
        (status, _) => cut(&status.to_string(), 300),
    }
}

/// How far a step is, in words.
fn step(step: &StepUpdate) -> String {
    let again = if step.attempts > 1 { format!(", asked {} times", step.attempts) } else { String::new() };
    match &step.status {
        StepStatus::Waiting => format!("waiting for {}", step.system),
        StepStatus::Running => format!("running, {} has been asked{again}", step.system),
        StepStatus::Done => format!("done{again}"),
        StepStatus::Failed { reason } => format!("failed: {}", cut(reason, 200)),
        StepStatus::InDoubt { reason } => format!("may have been done, or not: {}", cut(reason, 200)),
        StepStatus::Undoing => "being taken back".to_owned(),
        StepStatus::Undone => "taken back".to_owned(),
        StepStatus::NotUndone { reason } => format!("could not be taken back: {}", cut(reason, 200)),
        StepStatus::Skipped => "its turn never came".to_owned(),
    }
}

fn color(call: &KnownCall) -> Color {
    match (&call.update, call.is_open()) {
        (_, true) => style::truth_color(vestibule_twin::model::Truth::Pending),
        (Some(update), false) if update.status == CallStatus::Succeeded => {
            style::truth_color(vestibule_twin::model::Truth::Live)
        }
        (Some(update), false) if matches!(&update.status, CallStatus::Cancelled { kept } if kept.is_empty()) => {
            style::FAINT
        }
        _ => style::WRONG,
    }
}

/// A call: how far it is, each of its steps, what it gave, and how to take it back.
pub(super) fn view(call: &KnownCall, room: &Room<'_>) -> El {
    let color = color(call);
    let ago = call.update.as_ref().and_then(|update| Some(room.clock.at(room.now)?.since(update.at)));
    #[expect(clippy::cast_precision_loss, reason = "an age in seconds")]
    let ago = ago.map(|ms| El::small("age", format::age(ms as f64 / 1_000.0)).words(|words| words.wrap = false));
    let mut head = El::row("head", 7.0)
        .with(widgets::dot(color, 8.0))
        .with(El::text("state", state(call)).node(|node| node.flex_shrink = 1.0))
        .with_all(ago)
        .with(widgets::spring());
    let stopping = matches!(call.update.as_ref().map(|update| &update.status), Some(CallStatus::Undoing { .. }));
    if call.update.is_some() && call.is_open() && !stopping {
        let mut press = widgets::press("Cancel", HudAction::Use(UseServices::Cancel(call.call)));
        press.enabled = room.connected;
        head = head.with(widgets::button("cancel", press, None, Tone::Plain));
    }
    let steps = call.update.iter().flat_map(|update| &update.steps);
    // One step that went well says nothing that the head does not.
    let steps = steps.filter(|one| {
        let several = call.update.as_ref().is_some_and(|update| update.steps.len() > 1);
        let plain = matches!(one.status, StepStatus::Done | StepStatus::Waiting | StepStatus::Running);
        several || !plain && !call.is_open()
    });
    let steps: Vec<_> = steps
        .map(|one| El::small(format!("step.{}", one.key), format!("{} of {}: {}", one.service, one.system, step(one))))
        .collect();
    let problem = call.update.as_ref().and(call.problem.as_ref());
    let problem = problem.map(|problem| El::small("problem", problem.to_string()).colored(style::WRONG));
    let output = call.update.as_ref().and_then(|update| update.output.as_ref()).map(lines).unwrap_or_default();
    let output = output.into_iter().enumerate().map(|(at, line)| El::text(format!("line.{at}"), line));
    El::column(format!("call.{}", call.call), 3.0)
        .node(|node| {
            node.padding = UiRect::new(px(10), px(0), px(4), px(2));
            node.flex_shrink = 0.0;
        })
        .with(head)
        .with_all(steps)
        .with_all(problem)
        .with_all(output)
}
