use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Check, Flaw, Id, Message, More, Name, Version,
    json::at_most,
    limits::{MAX_CAPABILITIES, MAX_HANDLERS, MAX_MESSAGES},
};

/// How what was asked for went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The answer is what was asked for.
    Success,
    /// The answer says why not.
    Error,
}

/// What each answer and each profile says of the protocol itself: its `ucp` member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UcpMeta {
    /// The version that is spoken.
    pub version: Version,
    /// Answers: how it went; nothing said is success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Profiles of merchants: their other versions, and where the profile of each is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_versions: Option<BTreeMap<Version, String>>,
    /// Services by name, each with its transports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<BTreeMap<Name, Vec<Service>>>,
    /// Capabilities by name, each with its versions; in answers those that were used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<BTreeMap<Name, Vec<Capability>>>,
    /// Ways of paying by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_handlers: Option<BTreeMap<Name, Vec<Handler>>>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl UcpMeta {
    /// Our version, and nothing else.
    #[must_use]
    pub fn new() -> Self {
        Self {
            version: Version::ours(),
            status: None,
            supported_versions: None,
            services: None,
            capabilities: None,
            payment_handlers: None,
            more: More::new(),
        }
    }

    /// That it went so.
    #[must_use]
    pub fn with_status(self, status: Status) -> Self {
        Self { status: Some(status), ..self }
    }

    /// The way of paying with this id, and its name.
    #[must_use]
    pub fn handler(&self, id: &str) -> Option<(&Name, &Handler)> {
        let all = self.payment_handlers.iter().flatten();
        all.flat_map(|(name, handlers)| handlers.iter().map(move |handler| (name, handler)))
            .find(|(_, handler)| handler.id.as_str() == id)
    }
}

impl Default for UcpMeta {
    fn default() -> Self {
        Self::new()
    }
}

impl Check for UcpMeta {
    fn check(&self) -> Result<(), Flaw> {
        fn few<T>(map: Option<&BTreeMap<Name, Vec<T>>>, what: &'static str, most: usize) -> Result<(), Flaw> {
            let count: usize = map.into_iter().flatten().map(|(_, all)| all.len().max(1)).sum();
            if count > most { Err(Flaw::TooMany { what, most }) } else { Ok(()) }
        }
        few(self.services.as_ref(), "services", MAX_CAPABILITIES)?;
        few(self.capabilities.as_ref(), "capabilities", MAX_CAPABILITIES)?;
        few(self.payment_handlers.as_ref(), "payment handlers", MAX_HANDLERS)
    }
}

/// A way to speak a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// The service's version.
    pub version: Version,
    /// `rest`, `mcp`, `a2a`, `embedded`.
    pub transport: String,
    /// Where people read about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// Where programs do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Where it is spoken: what paths of requests are put behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// What an extension extends: one capability, or any of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Extends {
    /// One.
    One(Name),
    /// Any of these.
    Any(Vec<Name>),
}

impl Extends {
    /// All of them.
    #[must_use]
    pub fn names(&self) -> &[Name] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Any(names) => names,
        }
    }
}

/// Something that a party can do, in one version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capability {
    /// Which version.
    pub version: Version,
    /// Where people read about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// Where programs do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// What it adds to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<Extends>,
    /// How it is set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<More>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Capability {
    /// This version, and nothing else: what answers say.
    #[must_use]
    pub fn of(version: Version) -> Self {
        Self { version, spec: None, schema: None, extends: None, config: None, more: More::new() }
    }

    /// What it adds to; nothing for what stands alone.
    #[must_use]
    pub fn parents(&self) -> &[Name] {
        self.extends.as_ref().map_or(&[], Extends::names)
    }
}

/// A kind of instrument that a handler takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instruments {
    /// `card`, `sandbox`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// Which of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraints: Option<More>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// A way of paying.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Handler {
    /// Which one of its name; instruments refer to it.
    pub id: Id,
    /// The handler's version.
    pub version: Version,
    /// Where people read about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// Where programs do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// What it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_instruments: Option<Vec<Instruments>>,
    /// How it is set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<More>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// Why there is no checkout, order or catalogue: a business outcome, said with a status of success.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    /// Its status is [`Status::Error`].
    pub ucp: UcpMeta,
    /// Why; one at least.
    pub messages: Vec<Message>,
    /// Where a person can go on instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continue_url: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Refused {
    /// With one reason, which no repetition mends.
    #[must_use]
    pub fn because(code: &str, content: impl Into<String>) -> Self {
        Self {
            ucp: UcpMeta::new().with_status(Status::Error),
            messages: vec![Message::unrecoverable(code, content)],
            continue_url: None,
            more: More::new(),
        }
    }

    /// The first error's code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.messages.iter().find_map(Message::error).map(|error| error.code.as_str())
    }
}

impl Check for Refused {
    fn check(&self) -> Result<(), Flaw> {
        self.ucp.check()?;
        at_most("messages", &self.messages, MAX_MESSAGES)?;
        if self.ucp.status != Some(Status::Error) {
            return Err(Flaw::Rule("a refusal has the status error"));
        }
        if self.messages.is_empty() {
            return Err(Flaw::Rule("a refusal says why"));
        }
        Ok(())
    }
}
