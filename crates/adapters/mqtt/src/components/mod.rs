//! Home Assistant's components: what each can report and do, its payloads in and out.
//!
//! All have one shape: read from [`Fields`], described by a [`FeatureInfo`], `decode` what arrives, `encode` what is
//! commanded.

use std::fmt::Debug;

use minijinja::value::Value as Variable;
use vestibule_model::{FeatureInfo, Timestamp, Value};

use crate::discovery::{ConfigProblem, Fields};
use crate::template::{Template, TemplateError};
use crate::topic;

mod binary_sensor;
mod button;
mod climate;
mod cover;
mod event;
mod feature;
mod light;
mod lock;
mod number;
mod picture;
mod select;
mod sensor;
mod switch;
mod unsupported;

pub(crate) use unsupported::unsupported;

/// A message to publish. Never retained: a retained command would be carried out again, and late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// Where to.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// 1, or 2 where the device asks for it; never 0, since the broker has to say that it has it.
    pub qos: u8,
}

/// A message that arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    pub(crate) retained: bool,
    pub(crate) now: Timestamp,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decoded {
    /// A property's value.
    Value(&'static str, Value),
    /// A property of which the device says that nobody knows it.
    Unknown(&'static str),
    /// A picture, with its media type.
    Picture(Vec<u8>, &'static str),
    /// Something happened.
    Happened(String, Vec<(String, Value)>),
    /// It cannot be read; said once.
    Problem(String),
}

/// A component.
pub(crate) trait Component: Debug + Send {
    /// What can be read and done.
    fn info(&self) -> &FeatureInfo;
    /// What it listens to.
    fn filters(&self) -> Vec<&str>;
    /// What a message says.
    fn decode(&mut self, message: &Message<'_>) -> Vec<Decoded>;
    /// What to publish for an action; the error is for a person.
    fn encode(&self, action: &str, input: Option<&Value>) -> Result<Vec<Publish>, String> {
        let _ = input;
        Err(format!("it cannot {action}"))
    }
    /// When [`tick`](Self::tick) has something to say by itself.
    fn due(&self) -> Option<Timestamp> {
        None
    }
    /// What follows from time alone.
    fn tick(&mut self, now: Timestamp) -> Vec<Decoded> {
        let _ = now;
        Vec::new()
    }
}

/// Makes a component of a platform; `None`: Home Assistant has no such entities here (triggers, tags).
pub(crate) fn build(platform: &str, fields: Fields<'_>) -> Result<Option<Box<dyn Component>>, ConfigProblem> {
    Ok(Some(match platform {
        "lock" => Box::new(lock::Lock::new(fields)?),
        "cover" => Box::new(cover::Cover::new(fields)?),
        "event" => Box::new(event::Event::new(fields)?),
        "camera" => Box::new(picture::Picture::camera(fields)?),
        "image" => Box::new(picture::Picture::image(fields)?),
        "binary_sensor" => Box::new(binary_sensor::BinarySensor::new(fields)?),
        "sensor" => Box::new(sensor::Sensor::new(fields)?),
        "light" => light::new(fields)?,
        "switch" => Box::new(switch::Switch::new(fields)?),
        "climate" => Box::new(climate::Climate::new(fields)?),
        "button" => Box::new(button::Button::new(fields)?),
        "number" => Box::new(number::Number::new(fields)?),
        "select" => Box::new(select::Select::new(fields)?),
        "device_automation" | "tag" => return Ok(None),
        other => return Err(ConfigProblem::Unsupported(format!("`{other}` is not supported"))),
    }))
}

/// Where payloads come in.
#[derive(Clone, Debug)]
pub(crate) struct Inlet {
    pub(crate) filter: String,
    template: Option<Template>,
    entity: String,
    last: Option<String>,
    /// Further numbers that its template may ask for.
    more: Vec<(&'static str, f64)>,
}

impl Inlet {
    pub(crate) fn new(filter: String, template: Option<Template>, entity: &str) -> Self {
        Self { filter, template, entity: entity.to_owned(), last: None, more: Vec::new() }
    }

    /// The same, whose template may ask for these too.
    pub(crate) fn with(mut self, more: &[(&'static str, f64)]) -> Self {
        self.more = more.to_vec();
        self
    }

    /// Whether a message comes in here.
    pub(crate) fn takes(&self, message: &Message<'_>) -> bool {
        topic::matches(&self.filter, message.topic)
    }

    /// The payload as its template reads it; nothing where the message is for others or says nothing.
    pub(crate) fn text(&mut self, message: &Message<'_>, out: &mut Vec<Decoded>) -> Option<String> {
        if !self.takes(message) {
            return None;
        }
        let Ok(payload) = std::str::from_utf8(message.payload) else {
            out.push(Decoded::Problem(format!("what arrives on {} is no UTF-8 text", self.filter)));
            return None;
        };
        let Some(template) = &self.template else { return Some(payload.to_owned()) };
        match template.read(payload, &self.entity, self.last.as_deref(), &self.more) {
            Ok(text) => {
                self.last = Some(text.clone());
                Some(text)
            }
            Err(TemplateError::Nothing) => None,
            Err(TemplateError::Failed(why)) => {
                out.push(Decoded::Problem(format!("the template `{}` cannot be evaluated: {why}", template.field)));
                None
            }
        }
    }
}

/// [`Inlet::text`] of one that may not be there.
pub(crate) fn text(inlet: &mut Option<Inlet>, message: &Message<'_>, out: &mut Vec<Decoded>) -> Option<String> {
    inlet.as_mut()?.text(message, out)
}

/// The topics of those that are there.
pub(crate) fn filters<const N: usize>(inlets: [&Option<Inlet>; N]) -> Vec<&str> {
    inlets.into_iter().flatten().map(|inlet| inlet.filter.as_str()).collect()
}

/// Where commands go out.
#[derive(Clone, Debug)]
pub(crate) struct Outlet {
    pub(crate) topic: String,
    pub(crate) template: Option<Template>,
    pub(crate) qos: u8,
    pub(crate) entity: String,
}

impl Outlet {
    /// The message for `value`; its template is given `more` too.
    pub(crate) fn send(&self, value: Variable, more: Vec<(&'static str, Variable)>) -> Result<Publish, String> {
        let payload = match &self.template {
            None => crate::template::text(&value),
            Some(template) => {
                let mut variables = more;
                variables.push(("value", value));
                variables.push(("entity_id", Variable::from(self.entity.as_str())));
                template.render(variables).map_err(|error| match error {
                    TemplateError::Nothing => format!("the template `{}` says nothing", template.field),
                    TemplateError::Failed(why) => {
                        format!("the template `{}` cannot be evaluated: {why}", template.field)
                    }
                })?
            }
        };
        Ok(Publish { topic: self.topic.clone(), payload: payload.into_bytes(), qos: self.qos })
    }

    /// The message with a text.
    pub(crate) fn say(&self, text: &str) -> Result<Publish, String> {
        self.send(Variable::from(text), Vec::new())
    }
}

/// Whether Home Assistant takes a text for "not known".
pub(crate) fn is_unknown(text: &str) -> bool {
    text == "None"
}

/// The input's number.
pub(crate) fn number(input: Option<&Value>) -> Result<f64, String> {
    input.and_then(Value::as_f64).filter(|number| number.is_finite()).ok_or_else(|| "a number is missing".to_owned())
}

/// The input's text.
pub(crate) fn word(input: Option<&Value>) -> Result<&str, String> {
    input.and_then(Value::as_text).ok_or_else(|| "a text is missing".to_owned())
}
