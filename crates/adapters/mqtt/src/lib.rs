//! The home's twin system: MQTT 5 with Home Assistant discovery, as digital twins.
//!
//! **Does**: reads discovery documents (device and single-component form) of locks, covers, events, cameras, images,
//! binary sensors, sensors, lights, switches, climates, buttons, numbers and selects; one discovered device becomes one
//! twin with features ([`Registry`]). What devices report becomes [`Report`](vestibule_protocol::Report)s and
//! occurrences, decided commands become publishes that expire ([`MqttTwinSystem`]). A broker that is away makes twins
//! unreachable, never wrong. Parts that cannot be offered are named in
//! [`TwinInfo::problems`](vestibule_model::TwinInfo::problems).
//!
//! **Does not**: decide who may do what, keep state over restarts, retain commands (a retained one would be carried out
//! again, and late), fetch pictures from URLs, evaluate templates that ask for other Home Assistant entities, tilt
//! covers, or speak for locks that want a code (their state is shown).
//!
//! [`Registry`] is pure: messages, executions and the time go in, [`Output`]s come out.
//!
//! ```
//! use vestibule_adapter_mqtt::{Output, Registry, RegistryConfig};
//! use vestibule_model::Timestamp;
//! use vestibule_protocol::DiiUp;
//!
//! let mut home = Registry::new(RegistryConfig::default());
//! home.on_registered(Timestamp(0));
//! home.on_connected(Timestamp(0));
//! let document = br#"{"name": "Lamp", "cmd_t": "lamp/set", "stat_t": "lamp", "uniq_id": "lamp", "dev": {"ids": "lamp"}}"#;
//! home.on_message("homeassistant/switch/lamp/config", document, true, Timestamp(1));
//! home.on_message("lamp", b"ON", false, Timestamp(2));
//! // Descriptions wait a moment for further documents of the same device.
//! let outputs = home.tick(Timestamp(1_000));
//! assert!(matches!(&outputs[0], Output::Up(DiiUp::Describe(twin)) if twin.id.as_str() == "home/lamp"));
//! assert!(matches!(&outputs[2], Output::Up(DiiUp::Report(report)) if report.property.as_str() == "on"));
//! ```

mod components;
mod config;
mod discovery;
mod io;
mod limits;
mod registry;
mod status;
mod template;
mod topic;

pub use components::Publish;
pub use config::{MqttConfig, UrlError};
pub use io::MqttTwinSystem;
pub use registry::{Output, Registry, RegistryConfig, Send, Ticket};
pub use status::{AdapterState, AdapterStatus};
