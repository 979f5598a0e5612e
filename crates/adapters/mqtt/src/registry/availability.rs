//! Whether a device says that it is there.

use serde_json::{Map, Value as Json};

use crate::components::{Decoded, Inlet, Message};
use crate::discovery::{ConfigProblem, Fields};

/// Most availability topics of one component.
const MAX_SOURCES: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    All,
    Any,
    Latest,
}

#[derive(Clone, Debug)]
struct Source {
    inlet: Inlet,
    online: String,
    offline: String,
    said: Option<bool>,
}

/// Where a component says whether it is there, and what it said.
#[derive(Clone, Debug)]
pub(super) struct Availability {
    sources: Vec<Source>,
    mode: Mode,
    latest: Option<bool>,
    /// It has reported something since the broker is there: so it is there too.
    spoke: bool,
}

impl Availability {
    pub(super) fn new(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        let mut sources = Vec::new();
        sources.extend(source(fields, "availability_topic", "availability_template")?);
        let entries: Vec<&Map<String, Json>> = match fields.map.get("availability") {
            Some(Json::Array(list)) => list.iter().filter_map(Json::as_object).collect(),
            Some(Json::Object(one)) => vec![one],
            _ => Vec::new(),
        };
        for map in entries.into_iter().take(MAX_SOURCES) {
            let found = source(Fields { map, ..fields }, "topic", "value_template")?;
            sources.push(fields.required("availability.topic", found)?);
        }
        let mode = match fields.text_or("availability_mode", "latest")?.as_str() {
            "all" => Mode::All,
            "any" => Mode::Any,
            "latest" => Mode::Latest,
            _ => {
                return Err(ConfigProblem::Wrong {
                    field: "availability_mode".to_owned(),
                    wanted: "`all`, `any` or `latest`",
                });
            }
        };
        Ok(Self { sources, mode, latest: None, spoke: false })
    }

    pub(super) fn filters(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|source| source.inlet.filter.as_str())
    }

    /// The broker went away: nothing of this is known any more.
    pub(super) fn forget(&mut self) {
        self.sources.iter_mut().for_each(|source| source.said = None);
        self.latest = None;
        self.spoke = false;
    }

    /// The component has just reported by itself.
    pub(super) fn spoke(&mut self) {
        self.spoke = true;
    }

    /// Whether it says by itself that it is there: what it said before still holds then.
    pub(super) fn vouches(&self) -> bool {
        self.sources.iter().any(|source| source.said.is_some()) && self.is_available()
    }

    /// Whether it is there, as far as it says.
    pub(super) fn is_available(&self) -> bool {
        let mut said = self.sources.iter().map(|source| source.said);
        if self.sources.iter().all(|source| source.said.is_none()) {
            return self.sources.is_empty() || self.spoke;
        }
        match self.mode {
            Mode::All => said.all(|said| said == Some(true)),
            Mode::Any => said.any(|said| said == Some(true)),
            Mode::Latest => self.latest == Some(true),
        }
    }

    /// Takes a message; what cannot be read is in `out`.
    pub(super) fn take(&mut self, message: &Message<'_>, out: &mut Vec<Decoded>) {
        for source in &mut self.sources {
            let Some(payload) = source.inlet.text(message, out) else { continue };
            let said = if payload == source.online {
                true
            } else if payload == source.offline {
                false
            } else {
                continue;
            };
            source.said = Some(said);
            self.latest = Some(said);
        }
    }
}

fn source(fields: Fields<'_>, topic: &str, template: &str) -> Result<Option<Source>, ConfigProblem> {
    let Some(inlet) = fields.inlet(topic, template)? else { return Ok(None) };
    Ok(Some(Source {
        inlet,
        online: fields.text_or("payload_available", "online")?,
        offline: fields.text_or("payload_not_available", "offline")?,
        said: None,
    }))
}
