//! Whose turn it is at the thing: who has it, one's place in the queue and how long (REQ-DT-08).

use bevy::prelude::*;
use vestibule_twin::{
    IntegrateTwin, TwinTurn,
    model::{LeaseStatus, LeaseUpdate, TwinId, TwinInfo},
};

use crate::{
    action::HudAction,
    el::El,
    style,
    widgets::{self, Tone},
};

/// What the card says of turns, and the button for it. Nothing where nobody holds it and nobody has to.
pub(super) fn line(twin: &TwinId, info: &TwinInfo, turn: Option<&TwinTurn>, enabled: bool) -> Option<El> {
    let none = TwinTurn::default();
    let turn = turn.unwrap_or(&none);
    if *turn == none && !info.integration.exclusive {
        return None;
    }
    let take = HudAction::Integrate(IntegrateTwin::Take(twin.clone()));
    let back = HudAction::Integrate(IntegrateTwin::GiveBack(twin.clone()));
    let (words, label, action) = match (&turn.mine, &turn.holder) {
        (Some(mine), _) => match &mine.status {
            LeaseStatus::Waiting { position, expected_ms } => (queue(*position, *expected_ms), "Leave the queue", back),
            LeaseStatus::Granted => ("It is your turn; the thing has not confirmed yet".to_owned(), "Give back", back),
            LeaseStatus::Integrated => ("It is integrated with you".to_owned(), "Give back", back),
            // The mirror keeps no ended lease as one's own.
            LeaseStatus::Ended { reason } => (format!("Your turn is over: {reason}"), "Take it", take),
        },
        (None, Some(holder)) => (format!("{} has it", name(holder)), "Queue up", take),
        (None, None) if info.integration.exclusive => {
            ("Nobody has it; only whoever has it can act".to_owned(), "Take it", take)
        }
        (None, None) => ("Nobody has it".to_owned(), "Take it", take),
    };
    let mut press = widgets::press(label, action);
    press.enabled = enabled;
    let row = El::row("card.turn", style::GAP)
        .with(El::text("words", words))
        .with(widgets::spring())
        .with(widgets::button("card.turn.button", press, None, Tone::Plain));
    let ended = turn.ended.as_ref().and_then(|update| match &update.status {
        LeaseStatus::Ended { reason } => {
            Some(El::small("card.turn.ended", format!("Your last turn is over: {reason}")))
        }
        _ => None,
    });
    let refused = turn
        .refused
        .as_ref()
        .map(|refusal| El::small("card.turn.refused", format!("You do not get it: {refusal}")).colored(style::WRONG));
    let column = El::column("card.turns", style::TIGHT).node(|node| node.flex_shrink = 0.0);
    Some(column.with(row).with_all(ended).with_all(refused))
}

fn queue(position: u32, expected_ms: u64) -> String {
    let place = if position == 1 { "You are next".to_owned() } else { format!("Place {position} in the queue") };
    match expected_ms.div_ceil(1_000) {
        s @ 0..120 => format!("{place}, in about {s} s"),
        s => format!("{place}, in about {} min", s.div_ceil(60)),
    }
}

/// Whose lease it is, as far as the person may know.
pub(crate) fn name(update: &LeaseUpdate) -> String {
    update.user.as_ref().map_or_else(|| "Somebody else".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use vestibule_twin::model::{LeaseEnd, LeaseId, Timestamp, UserId};

    use super::*;
    use crate::testing::door;

    fn update(status: LeaseStatus) -> LeaseUpdate {
        LeaseUpdate {
            lease: LeaseId([1; 16]),
            twin: door().id,
            user: Some(UserId::slug("ada")),
            priority: 0,
            status,
            fence: None,
            until: None,
            at: Timestamp(0),
        }
    }

    fn texts(turn: &TwinTurn, exclusive: bool) -> Vec<String> {
        let mut info = door();
        info.integration.exclusive = exclusive;
        line(&info.id, &info, Some(turn), true).map(|el| el.texts()).unwrap_or_default()
    }

    #[test]
    fn the_queue_and_its_end_are_told() {
        let nobody = TwinTurn::default();
        assert!(texts(&nobody, false).is_empty());
        assert_eq!(texts(&nobody, true), ["Nobody has it; only whoever has it can act", "Take it"]);
        let held = TwinTurn { holder: Some(update(LeaseStatus::Integrated)), ..nobody.clone() };
        assert_eq!(texts(&held, false), ["ada has it", "Queue up"]);
        let waiting = LeaseStatus::Waiting { position: 2, expected_ms: 300_000 };
        let waiting = TwinTurn { mine: Some(update(waiting)), ..held };
        assert_eq!(texts(&waiting, false), ["Place 2 in the queue, in about 5 min", "Leave the queue"]);
        let ended = update(LeaseStatus::Ended { reason: LeaseEnd::Preempted });
        let over = TwinTurn { ended: Some(ended), ..nobody };
        assert!(texts(&over, false).join(" ").contains("somebody with a higher priority took it"));
    }
}
