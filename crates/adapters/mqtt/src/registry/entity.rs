//! One component of a device, with what is known of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use vestibule_model::{BlobRef, EventKind, FeatureProblem, PropertyId, Timestamp, Value};

use super::availability::Availability;
use crate::components::{Component, Decoded, Message, build, unsupported};
use crate::discovery::{ConfigProblem, Fields, Part};
use crate::limits::{MAX_PICTURE_TEXT, MAX_STATE};

/// A value that the thing said.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// `None`: it said that nobody knows.
    pub(super) value: Option<Value>,
    /// `None`: the broker had kept it, nobody knows since when.
    pub(super) at: Option<Timestamp>,
    /// Whether the thing said it itself since the broker was last reached.
    pub(super) heard: bool,
}

/// What a message made known.
#[derive(Debug)]
pub(super) enum News {
    /// A property's value, in [`Entity::known`].
    Value(PropertyId),
    /// A picture's bytes, before the value that refers to them.
    Bytes(Vec<u8>, String),
    /// A happening.
    Happened(EventKind, BTreeMap<String, Value>),
    /// The component's problem changed.
    Changed,
}

#[derive(Debug)]
pub(super) struct Entity {
    /// The topic that announced it.
    pub(super) source: String,
    pub(super) base: String,
    pub(super) unique_id: Option<String>,
    fields: Map<String, Json>,
    device_name: String,
    pub(super) component: Box<dyn Component>,
    pub(super) availability: Availability,
    pub(super) known: BTreeMap<PropertyId, Known>,
    /// The last picture, so that it can be told again, and when it came.
    pub(super) picture: Option<(Vec<u8>, String, Timestamp)>,
    /// What of it is not offered.
    left_out: Vec<String>,
    /// The first thing that could not be read.
    pub(super) trouble: Option<String>,
}

/// What Home Assistant would call it.
fn entity_id(part: &Part) -> String {
    let object = part.key.object.to_lowercase();
    let object: String = object.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("{}.{object}", part.key.platform)
}

impl Entity {
    /// Makes one; `None` where there is nothing to show.
    pub(super) fn new(part: &Part, source: &str, device: &str) -> Result<Option<Self>, ConfigProblem> {
        let id = entity_id(part);
        let fields = Fields { map: &part.fields, entity: &id, device };
        // Home Assistant shows such a part only to whoever asks for it.
        if part.fields.get("enabled_by_default").is_some() && !fields.flag("enabled_by_default")? {
            return Ok(None);
        }
        let Some(component) = build(&part.key.platform, fields)? else { return Ok(None) };
        Ok(Some(Self {
            source: source.to_owned(),
            base: part.base.clone(),
            unique_id: fields.text("unique_id")?.filter(|id| !id.is_empty()),
            fields: part.fields.clone(),
            device_name: device.to_owned(),
            availability: Availability::new(fields)?,
            component,
            known: BTreeMap::new(),
            picture: None,
            left_out: unsupported(&part.key.platform, fields),
            trouble: None,
        }))
    }

    /// Whether a document says the same of it.
    pub(super) fn same(&self, part: &Part, source: &str, device: &str) -> bool {
        self.fields == part.fields && self.source == source && self.device_name == device
    }

    /// Everything that it listens to.
    pub(super) fn filters(&self) -> Vec<String> {
        let mut filters: Vec<String> =
            self.component.filters().into_iter().chain(self.availability.filters()).map(str::to_owned).collect();
        filters.sort_unstable();
        filters.dedup();
        filters
    }

    /// Its trouble and what is left out, for the twin's description.
    pub(super) fn problems(&self) -> impl Iterator<Item = FeatureProblem> + '_ {
        let said = self.trouble.iter().chain(&self.left_out);
        said.map(|message| FeatureProblem { feature: self.base.clone(), message: message.clone() })
    }

    /// Whether the thing stands by what is known: it said so, or it says that it is there.
    pub(super) fn stands_by(&self, known: &Known) -> bool {
        known.heard || self.availability.vouches()
    }

    /// The broker went away: whatever is known may be over when it is back.
    pub(super) fn forget(&mut self) {
        self.availability.forget();
        self.known.values_mut().for_each(|known| known.heard = false);
    }

    /// Takes a message in.
    pub(super) fn take(&mut self, message: &Message<'_>) -> Vec<News> {
        let mut decoded = Vec::new();
        let vouched = self.availability.vouches();
        self.availability.take(message, &mut decoded);
        let pictures = matches!(
            self.component.info().kind,
            vestibule_model::FeatureKind::Camera | vestibule_model::FeatureKind::Image
        );
        let most = if pictures { MAX_PICTURE_TEXT } else { MAX_STATE };
        if message.payload.len() > most {
            decoded.push(Decoded::Problem(format!("a payload of {} bytes is too large", message.payload.len())));
        } else {
            decoded.extend(self.component.decode(message));
        }
        let heard = |d: &Decoded| !matches!(d, Decoded::Problem(_));
        if decoded.iter().any(heard) && !message.retained {
            self.availability.spoke();
        }
        let mut news = self.learn(decoded, message.now, message.retained);
        if vouched != self.availability.vouches() {
            // What was kept for us counts from now on, or no longer.
            let kept = self.known.iter().filter(|(_, known)| !known.heard);
            news.extend(kept.map(|(property, _)| News::Value(property.clone())));
        }
        news
    }

    /// What follows from time alone.
    pub(super) fn tick(&mut self, now: Timestamp) -> Vec<News> {
        let decoded = self.component.tick(now);
        self.learn(decoded, now, false)
    }

    fn learn(&mut self, decoded: Vec<Decoded>, now: Timestamp, kept: bool) -> Vec<News> {
        let at = (!kept).then_some(now);
        let mut news = Vec::new();
        for said in decoded {
            match said {
                Decoded::Value(property, value) => self.value(PropertyId::slug(property), Some(value), at, &mut news),
                Decoded::Unknown(property) => self.value(PropertyId::slug(property), None, at, &mut news),
                Decoded::Picture(bytes, media) => {
                    let value = Value::Blob(BlobRef::of(&bytes, media));
                    self.picture = Some((bytes.clone(), media.to_owned(), now));
                    news.push(News::Bytes(bytes, media.to_owned()));
                    self.value(PropertyId::slug("picture"), Some(value), at, &mut news);
                }
                Decoded::Happened(kind, details) => {
                    news.push(News::Happened(EventKind::slug(&kind), details.into_iter().collect()));
                }
                Decoded::Problem(words) => self.complain(words, &mut news),
            }
        }
        news
    }

    /// Takes a value; `at`: `None` where the broker had kept it.
    fn value(&mut self, property: PropertyId, value: Option<Value>, at: Option<Timestamp>, news: &mut Vec<News>) {
        let Some(about) = self.component.info().properties.get(&property) else { return };
        // Bounds are for commands: what the thing says beyond them is what it is.
        if let Some(Err(error)) = value.as_ref().map(|value| about.value.is_a(value)) {
            self.complain(format!("{property}: {error}"), news);
            return;
        }
        let known = match (at, self.known.get(&property)) {
            (Some(_), _) => Known { value, at, heard: true },
            // What it has said since is newer than what the broker had kept.
            (None, Some(known)) if known.heard => return,
            (None, Some(known)) if known.value == value => Known { value, at: known.at, heard: false },
            (None, _) => Known { value, at: None, heard: false },
        };
        self.known.insert(property.clone(), known);
        news.push(News::Value(property));
    }

    fn complain(&mut self, mut words: String, news: &mut Vec<News>) {
        if self.trouble.is_none() {
            words.truncate(words.floor_char_boundary(500));
            self.trouble = Some(words);
            news.push(News::Changed);
        }
    }
}
