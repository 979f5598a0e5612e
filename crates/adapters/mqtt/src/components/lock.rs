//! Locks.

use vestibule_model::{FeatureInfo, FeatureKind, Value};

use super::feature::{feature, one_of, property, said, simple};
use super::{Component, Decoded, Inlet, Message, Outlet, Publish, filters, is_unknown, text};
use crate::discovery::{ConfigProblem, Fields};

/// A bolt is drawn within so many milliseconds, or it is jammed.
const TAKES_MS: u64 = 10_000;

/// What a lock's states are called, ours first.
const STATES: [(&str, &str, &str); 7] = [
    ("locked", "state_locked", "LOCKED"),
    ("unlocked", "state_unlocked", "UNLOCKED"),
    ("open", "state_open", "OPEN"),
    ("opening", "state_opening", "OPENING"),
    ("locking", "state_locking", "LOCKING"),
    ("unlocking", "state_unlocking", "UNLOCKING"),
    ("jammed", "state_jammed", "JAMMED"),
];

#[derive(Debug)]
pub(super) struct Lock {
    info: FeatureInfo,
    state: Option<Inlet>,
    command: Outlet,
    /// Payload and state.
    states: Vec<(String, &'static str)>,
    /// Action and payload.
    payloads: Vec<(&'static str, String)>,
    reset: String,
    needs_code: bool,
}

impl Lock {
    pub(super) fn new(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        let command = fields.required("command_topic", fields.outlet("command_topic", "command_template")?)?;
        let state = fields.inlet("state_topic", "value_template")?;
        let assumed = state.is_none() || fields.flag("optimistic")?;
        let mut info = feature(fields, FeatureKind::Lock)?;
        property(&mut info, "state", one_of(STATES.map(|(ours, _, _)| ours)), assumed);
        let mut states = Vec::new();
        for (ours, field, default) in STATES {
            states.push((fields.text_or(field, default)?, ours));
        }
        let mut payloads = vec![
            ("lock", fields.text_or("payload_lock", "LOCK")?),
            ("unlock", fields.text_or("payload_unlock", "UNLOCK")?),
        ];
        payloads.extend(fields.text("payload_open")?.map(|open| ("open", open)));
        // A code would have to travel and to be logged with the command: such a lock is shown, not turned.
        let needs_code = fields.has("code_format");
        if !needs_code {
            for (action, _) in &payloads {
                let becomes = match *action {
                    "lock" => "locked",
                    // Home Assistant has had that state since 2025.4 only: who names it reports it.
                    "open" if fields.has("state_open") => "open",
                    _ => "unlocked",
                };
                simple(&mut info, action, &[("state", said(becomes))], Some(TAKES_MS));
            }
        }
        let reset = fields.text_or("payload_reset", "None")?;
        Ok(Self { info, state, command, states, payloads, reset, needs_code })
    }
}

impl Component for Lock {
    fn info(&self) -> &FeatureInfo {
        &self.info
    }

    fn filters(&self) -> Vec<&str> {
        filters([&self.state])
    }

    fn decode(&mut self, message: &Message<'_>) -> Vec<Decoded> {
        let mut out = Vec::new();
        if let Some(payload) = text(&mut self.state, message, &mut out) {
            match self.states.iter().find(|(theirs, _)| *theirs == payload) {
                Some((_, ours)) => out.push(Decoded::Value("state", said(ours))),
                None if payload.is_empty() => {}
                None if is_unknown(&payload) || payload == self.reset => out.push(Decoded::Unknown("state")),
                None => out.push(Decoded::Problem(format!("{payload:?} is no state of a lock"))),
            }
        }
        out
    }

    fn encode(&self, action: &str, _: Option<&Value>) -> Result<Vec<Publish>, String> {
        if self.needs_code {
            return Err("it wants a code".to_owned());
        }
        let (_, payload) =
            self.payloads.iter().find(|(known, _)| *known == action).ok_or_else(|| format!("it cannot {action}"))?;
        Ok(vec![self.command.send(payload.as_str().into(), vec![("code", ().into())])?])
    }
}
