//! Covers: doors, gates, blinds. Tilting is not offered.

use serde_json::Value as Json;
use vestibule_model::{ActionId, Effect, Expect, FeatureInfo, FeatureKind, PropertyId, Value, ValueType};

use super::feature::{feature, one_of, property, said, setter, simple};
use super::number::{parse, variable};
use super::{Component, Decoded, Inlet, Message, Outlet, Publish, filters, is_unknown, text};
use crate::discovery::{ConfigProblem, Fields};

/// A gate has moved within so many milliseconds.
const TAKES_MS: u64 = 30_000;

/// Percent by which a motor may stop early and be there all the same.
const NEAR: f64 = 3.0;

/// What a cover's states are called, ours first.
const STATES: [(&str, &str, &str); 5] = [
    ("open", "state_open", "open"),
    ("opening", "state_opening", "opening"),
    ("closed", "state_closed", "closed"),
    ("closing", "state_closing", "closing"),
    ("stopped", "state_stopped", "stopped"),
];

#[derive(Debug)]
pub(super) struct Cover {
    info: FeatureInfo,
    state: Option<Inlet>,
    position: Option<Inlet>,
    command: Option<Outlet>,
    set_position: Option<Outlet>,
    /// Payload and state.
    states: Vec<(String, &'static str)>,
    /// Action and payload.
    payloads: Vec<(&'static str, String)>,
    closed: f64,
    open: f64,
    /// What templates may ask for.
    scale: [(&'static str, f64); 4],
    /// The last position in percent.
    at: Option<i64>,
    /// Whether the last state was `stopped`.
    stopped: bool,
    /// The last state that was told.
    last: &'static str,
}

impl Cover {
    pub(super) fn new(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        let (closed, open) = (fields.number_or("position_closed", 0.0)?, fields.number_or("position_open", 100.0)?);
        #[expect(clippy::float_cmp, reason = "exactly the same would divide by zero")]
        if closed == open {
            return Err(ConfigProblem::Wrong {
                field: "position_open".to_owned(),
                wanted: "other than `position_closed`",
            });
        }
        let mut states = Vec::new();
        for (ours, field, default) in STATES {
            states.push((fields.text_or(field, default)?, ours));
        }
        let scale = [
            ("position_open", open),
            ("position_closed", closed),
            ("tilt_min", fields.number_or("tilt_min", 0.0)?),
            ("tilt_max", fields.number_or("tilt_max", 100.0)?),
        ];
        let position = fields.inlet("position_topic", "position_template")?.map(|inlet| inlet.with(&scale));
        let set_position = fields.outlet("set_position_topic", "set_position_template")?;
        let command = fields.outlet("command_topic", "")?;
        let mut cover = Self {
            info: feature(fields, FeatureKind::Cover)?,
            state: fields.inlet("state_topic", "value_template")?,
            position,
            command,
            set_position,
            states,
            payloads: Vec::new(),
            closed,
            open,
            scale,
            at: None,
            stopped: false,
            last: "",
        };
        cover.describe(fields)?;
        Ok(cover)
    }

    fn describe(&mut self, fields: Fields<'_>) -> Result<(), ConfigProblem> {
        let optimistic = fields.flag("optimistic")?;
        let assumed = optimistic || (self.state.is_none() && self.position.is_none());
        let info = &mut self.info;
        property(info, "state", one_of(STATES.map(|(ours, _, _)| ours)), assumed);
        let range = ValueType::Number { min: 0.0, max: 100.0, step: 1.0 };
        if self.position.is_some() || self.set_position.is_some() {
            property(info, "position", range.clone(), optimistic || self.position.is_none()).tolerance = Some(NEAR);
        }
        if self.set_position.is_some() {
            setter(info, "set_position", range, Some("position"), Some(TAKES_MS));
        }
        if self.command.is_none() {
            return Ok(());
        }
        for (action, field, default, becomes) in [
            ("open", "payload_open", "OPEN", Some(("open", 100))),
            ("close", "payload_close", "CLOSE", Some(("closed", 0))),
            ("stop", "payload_stop", "STOP", None),
        ] {
            // `null` says that it cannot do this.
            if fields.is_null(field) {
                continue;
            }
            self.payloads.push((action, fields.text_or(field, default)?));
            simple(
                info,
                action,
                &becomes.map(|(state, _)| ("state", said(state))).into_iter().collect::<Vec<_>>(),
                Some(TAKES_MS),
            );
            let reports = self.position.is_some();
            if let (Some((_, position)), true, Some(about)) =
                (becomes, reports, info.actions.get_mut(&ActionId::slug(action)))
            {
                let expect = Expect::Value(Value::Int(position));
                about.effects.push(Effect { property: PropertyId::slug("position"), expect });
            }
        }
        Ok(())
    }

    /// Percent open of a device's position.
    #[expect(clippy::cast_possible_truncation, reason = "0 to 100")]
    fn percent(&self, position: f64) -> i64 {
        (((position - self.closed) / (self.open - self.closed)).clamp(0.0, 1.0) * 100.0).round() as i64
    }

    fn take_position(&mut self, payload: &str, out: &mut Vec<Decoded>) {
        // A template may also give `{"position": 50, "tilt_position": 3}`.
        let object = crate::discovery::json(payload.as_bytes()).and_then(|json| match json {
            Json::Object(mut fields) => fields.remove("position"),
            _ => None,
        });
        let number = object.map_or_else(|| parse(payload), |json| json.as_f64());
        let Some(number) = number else {
            if is_unknown(payload) {
                self.at = None;
                out.push(Decoded::Unknown("position"));
            } else if !payload.is_empty() {
                out.push(Decoded::Problem(format!("{payload:?} is no position")));
            }
            return;
        };
        let at = self.percent(number);
        self.at = Some(at);
        out.push(Decoded::Value("position", Value::Int(at)));
        // Without states, or once stopped, the position is what says whether it is closed.
        if self.state.is_none() || self.stopped {
            out.push(Decoded::Value("state", said(if at == 0 { "closed" } else { "open" })));
        }
    }

    fn take_state(&mut self, payload: &str, out: &mut Vec<Decoded>) {
        let Some((_, ours)) = self.states.iter().find(|(theirs, _)| theirs == payload) else {
            if is_unknown(payload) {
                (self.stopped, self.last) = (false, "");
                out.push(Decoded::Unknown("state"));
            } else if !payload.is_empty() {
                out.push(Decoded::Problem(format!("{payload:?} is no state of a cover")));
            }
            return;
        };
        self.stopped = *ours == "stopped";
        // As Home Assistant has it: what stopped is open or closed, by its position or by where it was going.
        let state = match (self.at, self.last) {
            _ if !self.stopped => *ours,
            (Some(0), _) | (None, "closed" | "closing") => "closed",
            _ => "open",
        };
        self.last = state;
        out.push(Decoded::Value("state", said(state)));
    }
}

impl Component for Cover {
    fn info(&self) -> &FeatureInfo {
        &self.info
    }

    fn filters(&self) -> Vec<&str> {
        filters([&self.state, &self.position])
    }

    fn decode(&mut self, message: &Message<'_>) -> Vec<Decoded> {
        let mut out = Vec::new();
        if let Some(payload) = text(&mut self.position, message, &mut out) {
            self.take_position(&payload, &mut out);
        }
        if let Some(payload) = text(&mut self.state, message, &mut out) {
            self.take_state(&payload, &mut out);
        }
        out
    }

    fn encode(&self, action: &str, input: Option<&Value>) -> Result<Vec<Publish>, String> {
        if let ("set_position", Some(outlet)) = (action, &self.set_position) {
            let percent = super::number(input)?.clamp(0.0, 100.0);
            let theirs = (self.closed + percent / 100.0 * (self.open - self.closed)).round();
            let mut more = vec![("position", variable(percent.round()))];
            more.extend(self.scale.map(|(name, number)| (name, variable(number))));
            return Ok(vec![outlet.send(variable(theirs), more)?]);
        }
        let payload = self.payloads.iter().find(|(known, _)| *known == action);
        match (payload, &self.command) {
            (Some((_, payload)), Some(outlet)) => Ok(vec![outlet.say(payload)?]),
            _ => Err(format!("it cannot {action}")),
        }
    }
}
