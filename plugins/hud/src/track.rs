//! What this person asked twins to do, and how far it has come.

use std::collections::VecDeque;

use bevy::prelude::*;
use vestibule_twin::{
    ActuateTwin, ActuationRefused, ActuationTicket, EnablerLink, Notify, TwinActuated, TwinDescription, TwinIndex,
    TwinState, TwinTurns, Urgency,
    model::{ActionId, CommandStatus, FeatureId, Refusal, TwinId, Value},
};

use crate::{
    action::HudAction,
    availability::{Waiting, available, the},
    card::CardShown,
    format,
};

/// More requests than a person makes in the minute for which the slowest are remembered.
const MAX_TRACKS: usize = 64;
/// Time for an action that does not say how long it takes, in milliseconds.
const USUAL_MS: u64 = 10_000;
/// Added to what the action takes: the way there and back.
const MARGIN_MS: u64 = 5_000;
/// Seconds for which a good end is shown.
const GOOD_END_S: f64 = 5.0;
/// Seconds for which a bad end is shown on a card.
const BAD_END_S: f64 = 30.0;
/// Seconds after the wish's end within which its fate should be told.
const SILENCE_S: f64 = 3.0;
/// Far from what others choose.
const FIRST_TICKET: u64 = 0x4855_4400_0000_0000;

/// How far a request is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    /// Sent, nothing heard.
    Asked,
    Status(CommandStatus),
    Refused(Refusal),
    /// Nothing was heard, although everything has an end.
    Silent,
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Track {
    pub ticket: ActuationTicket,
    pub twin: TwinId,
    pub feature: FeatureId,
    pub action: ActionId,
    pub input: Option<Value>,
    /// Seconds of `Time<Real>` at which the wish ends.
    pub until: f64,
    pub stage: Stage,
    /// Seconds of `Time<Real>` at which the stage came.
    pub since: f64,
}

/// How a stage is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Waiting,
    Good,
    Bad,
}

impl Track {
    pub(crate) fn mood(&self) -> Mood {
        match &self.stage {
            Stage::Asked => Mood::Waiting,
            Stage::Status(CommandStatus::Confirmed | CommandStatus::Commanded) => Mood::Good,
            Stage::Status(status) if !status.is_final() => Mood::Waiting,
            Stage::Status(_) | Stage::Refused(_) | Stage::Silent => Mood::Bad,
        }
    }

    /// What became of it, for the card of a twin called `name`.
    pub(crate) fn text(&self, label: &str, name: &str, now: f64) -> String {
        let thing = the(name);
        let left = (self.until - now).max(0.0).ceil();
        let outcome = match &self.stage {
            Stage::Asked => format!("asked, waiting for {thing}: {left:.0} s left"),
            Stage::Status(CommandStatus::Confirmed) => format!("confirmed by {thing}"),
            Stage::Status(CommandStatus::Commanded) => format!("told; {thing} cannot report back"),
            Stage::Status(CommandStatus::Failed { reason }) => format!("failed: {reason}"),
            Stage::Status(CommandStatus::Expired) => {
                format!("not confirmed in time: {thing} did not say that {}", format::done(&self.action))
            }
            Stage::Status(status) => format!("{status}, waiting for {thing}: {left:.0} s left"),
            Stage::Refused(refusal) => format!("refused: {refusal}"),
            Stage::Silent => "no answer. Whether it was done is not known".to_owned(),
        };
        format!("{label}: {outcome}")
    }
}

/// Every request that is not forgotten yet, oldest first.
#[derive(Resource, Debug, Default)]
pub(crate) struct Tracks {
    all: VecDeque<Track>,
    sent: u64,
}

impl Tracks {
    fn ask(&mut self, asked: Track) {
        // Only the newest request for a feature matters to whoever looks at it, unless an older one still runs.
        self.all.retain(|t| (&t.twin, &t.feature) != (&asked.twin, &asked.feature) || t.mood() == Mood::Waiting);
        if self.all.len() >= MAX_TRACKS {
            self.all.pop_front();
        }
        self.all.push_back(asked);
    }

    fn ticket(&mut self) -> ActuationTicket {
        self.sent += 1;
        ActuationTicket(FIRST_TICKET + self.sent)
    }

    fn set(&mut self, ticket: ActuationTicket, stage: Stage, now: f64) -> Option<&Track> {
        let track = self.all.iter_mut().find(|track| track.ticket == ticket)?;
        // News can come in any order; an end stays an end.
        if track.mood() == Mood::Waiting || track.stage == Stage::Silent {
            (track.stage, track.since) = (stage, now);
        }
        Some(track)
    }

    /// The requests to one twin.
    pub(crate) fn of<'a>(&'a self, twin: &'a TwinId) -> impl Iterator<Item = &'a Track> {
        self.all.iter().filter(move |track| track.twin == *twin)
    }

    /// What one twin is waited for.
    pub(crate) fn waiting(&self, twin: &TwinId) -> Vec<Waiting> {
        let waiting = self.of(twin).filter(|track| track.mood() == Mood::Waiting);
        let (feature, action) = (|t: &Track| t.feature.clone(), |t: &Track| t.action.clone());
        waiting
            .map(|t| Waiting { feature: feature(t), action: action(t), with_input: t.input.is_some(), until: t.until })
            .collect()
    }
}

/// Sends what was pressed, where it can be had now.
pub(crate) fn actuate(
    mut actions: MessageReader<HudAction>,
    twins: Query<(&TwinDescription, Option<&TwinState>)>,
    (index, turns, link, time): (Res<TwinIndex>, Res<TwinTurns>, Res<EnablerLink>, Res<Time<Real>>),
    mut tracks: ResMut<Tracks>,
    mut requests: MessageWriter<ActuateTwin>,
) {
    let now = time.elapsed_secs_f64();
    for pressed in actions.read() {
        let HudAction::Actuate { twin, feature, action, input } = pressed else {
            continue;
        };
        let known = index.get(twin).iter().find_map(|entity| twins.get(*entity).ok());
        let Some((info, state)) = known else { continue };
        let state = state.cloned().unwrap_or_default();
        let can = available(&info.0, &state, turns.0.get(twin), feature, action, &tracks.waiting(twin), now);
        if !link.state.is_connected() || !can.is_ready() {
            continue;
        }
        let takes = info.0.features.get(feature).and_then(|f| f.actions.get(action)?.takes_ms);
        let valid = takes.unwrap_or(USUAL_MS).saturating_add(MARGIN_MS);
        #[expect(clippy::cast_precision_loss, reason = "seconds on a screen")]
        let until = now + valid as f64 / 1000.0;
        let ticket = tracks.ticket();
        let (twin, feature, action, input) = (twin.clone(), feature.clone(), action.clone(), input.clone());
        requests.write(ActuateTwin {
            ticket,
            twin: twin.clone(),
            feature: feature.clone(),
            action: action.clone(),
            input: input.clone(),
            valid_for_ms: Some(valid),
        });
        tracks.ask(Track { ticket, twin, feature, action, input, until, stage: Stage::Asked, since: now });
    }
}

/// Takes what is told about requests, gives up on silence, forgets old ends.
pub(crate) fn follow(
    mut told: MessageReader<TwinActuated>,
    mut refused: MessageReader<ActuationRefused>,
    (time, shown, index): (Res<Time<Real>>, Res<CardShown>, Res<TwinIndex>),
    twins: Query<&TwinDescription>,
    mut tracks: ResMut<Tracks>,
    mut notices: MessageWriter<Notify>,
) {
    let now = time.elapsed_secs_f64();
    let mut ended = Vec::new();
    for news in told.read() {
        if let Some(ticket) = news.ticket {
            ended.extend(tracks.set(ticket, Stage::Status(news.status.clone()), now).cloned());
        }
    }
    for news in refused.read() {
        ended.extend(tracks.set(news.ticket, Stage::Refused(news.refusal.clone()), now).cloned());
    }
    for track in &mut tracks.all {
        if track.mood() == Mood::Waiting && now > track.until + SILENCE_S {
            (track.stage, track.since) = (Stage::Silent, now);
            ended.push(track.clone());
        }
    }
    tracks.all.retain(|track| match track.mood() {
        Mood::Waiting => true,
        Mood::Good => now < track.since + GOOD_END_S,
        Mood::Bad => now < track.since + BAD_END_S,
    });
    // A bad end of something that is not on the screen must not go unnoticed.
    for track in ended.iter().filter(|t| t.mood() == Mood::Bad && shown.0.as_ref() != Some(&t.twin)) {
        let info = index.get(&track.twin).iter().find_map(|entity| twins.get(*entity).ok());
        let name = info.map_or(track.twin.local(), |info| info.0.name.as_str());
        let about = info.and_then(|info| info.0.features.get(&track.feature));
        let label = about.map_or_else(|| track.action.to_string(), |about| format::action(about, &track.action));
        notices.write(Notify {
            urgency: Urgency::Problem,
            title: name.to_owned(),
            text: track.text(&label, name, now),
            twin: Some(track.twin.clone()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vestibule_twin::model::{RefusalCode, RuleId};

    fn track(stage: Stage) -> Track {
        Track {
            ticket: ActuationTicket(1),
            twin: TwinId::new("home/front_door").unwrap(),
            feature: FeatureId::slug("lock"),
            action: ActionId::slug("open"),
            input: None,
            until: 10.0,
            stage,
            since: 0.0,
        }
    }

    #[test]
    fn every_stage_reads_as_a_sentence() {
        let mut refusal = Refusal::new(RefusalCode::Forbidden, "guests may not open doors");
        refusal.rule = Some(RuleId::slug("guests-look"));
        let table = [
            (Stage::Asked, "Open: asked, waiting for the front door: 4 s left"),
            (Stage::Status(CommandStatus::Accepted), "Open: accepted, waiting for the front door: 4 s left"),
            (Stage::Status(CommandStatus::Dispatched), "Open: sent, waiting for the front door: 4 s left"),
            (Stage::Status(CommandStatus::Confirmed), "Open: confirmed by the front door"),
            (
                Stage::Status(CommandStatus::Expired),
                "Open: not confirmed in time: the front door did not say that it opened",
            ),
            (Stage::Status(CommandStatus::Failed { reason: "jammed".to_owned() }), "Open: failed: jammed"),
            (Stage::Refused(refusal), "Open: refused: guests may not open doors (rule guests-look)"),
        ];
        for (stage, text) in table {
            assert_eq!(track(stage).text("Open", "Front door", 6.5), text);
        }
    }

    #[test]
    fn an_end_stays_an_end() {
        let mut tracks = Tracks::default();
        tracks.ask(track(Stage::Asked));
        tracks.set(ActuationTicket(1), Stage::Status(CommandStatus::Expired), 1.0);
        tracks.set(ActuationTicket(1), Stage::Status(CommandStatus::Dispatched), 2.0);
        assert_eq!(tracks.all[0].stage, Stage::Status(CommandStatus::Expired));
    }

    #[test]
    fn requests_are_bounded() {
        let mut tracks = Tracks::default();
        for _ in 0..200 {
            tracks.ask(track(Stage::Asked));
        }
        assert_eq!(tracks.all.len(), MAX_TRACKS);
    }
}
