//! Pure mapping: what the hub says of twins, as JSON that needs no session to be understood.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde::Serialize;
use utoipa::ToSchema;
use vestibule_model::{FeatureId, PropertyId, TwinId, TwinInfo};
use vestibule_protocol::{Event, FeatureAccess, HotAck, HotDatagram, HotReceiver, TwinView, WireReading, decode};

/// Readings by feature and property.
pub(crate) type Readings = BTreeMap<FeatureId, BTreeMap<PropertyId, WireReading>>;

/// A twin as one user may see it: what they may not read or do is not there.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Twin {
    /// The description.
    #[schema(value_type = TwinInfo)]
    pub(crate) info: Arc<TwinInfo>,
    /// Which rules admit the user, by feature.
    pub(crate) access: BTreeMap<FeatureId, FeatureAccess>,
    /// Whether the twin's system and device are connected.
    pub(crate) reachable: bool,
    /// Features that are away although the twin is not.
    pub(crate) away: BTreeSet<FeatureId>,
    /// The newest revision of its reports: the twin's ETag, and what a command's `If-Match` names.
    pub(crate) revision: u64,
    /// What is known of each property.
    #[schema(value_type = BTreeMap<FeatureId, BTreeMap<PropertyId, WireReading>>)]
    pub(crate) readings: Readings,
}

impl From<TwinView> for Twin {
    fn from(view: TwinView) -> Self {
        let TwinView { info, access, reachable, away, readings, .. } = view;
        let revision = readings.iter().map(|reading| reading.revision).max().unwrap_or_default();
        let names = names(&info);
        let readings = named(names.iter().zip(readings));
        Self { info, access, reachable, away, revision, readings }
    }
}

impl Twin {
    /// Its strong validator, as it stands in `ETag`.
    pub(crate) fn etag(&self) -> String {
        format!("\"{}\"", self.revision)
    }
}

type Name = (FeatureId, PropertyId);

fn names(info: &TwinInfo) -> Vec<Name> {
    info.properties().map(|(feature, property, _)| (feature.clone(), property.clone())).collect()
}

fn named<'a>(readings: impl Iterator<Item = (&'a Name, WireReading)>) -> Readings {
    let mut named = Readings::new();
    for ((feature, property), reading) in readings {
        named.entry(feature.clone()).or_default().insert(property.clone(), reading);
    }
    named
}

/// Some readings of a twin that changed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Changed {
    /// The twin.
    pub(crate) twin: TwinId,
    /// What changed.
    pub(crate) readings: Readings,
}

/// A message of an event stream: its name and its data.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    /// The event's name.
    pub(crate) name: &'static str,
    /// JSON.
    pub(crate) data: String,
}

fn told(name: &'static str, data: &impl Serialize) -> Option<Told> {
    // Nothing here cannot be JSON.
    serde_json::to_string(data).ok().map(|data| Told { name, data })
}

#[derive(Debug)]
struct Known {
    twin: TwinId,
    epoch: u32,
    names: Vec<Name>,
}

/// Follows a subscription and puts its own names into what it says.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    twins: HashMap<u32, Known>,
    receiver: HotReceiver,
}

impl Follower {
    /// An event of the hub as a message; `None`: it is not for metaverse systems.
    pub(crate) fn event(&mut self, event: Event) -> Option<Told> {
        match event {
            Event::Begin => {
                self.twins.clear();
                told("begin", &serde_json::json!({}))
            }
            Event::Synchronized => told("synchronized", &serde_json::json!({})),
            Event::Twin(view) => {
                let known = Known { twin: view.info.id.clone(), epoch: view.epoch, names: names(&view.info) };
                self.twins.insert(view.short, known);
                told("twin", &Twin::from(*view))
            }
            Event::Gone(twin) => {
                self.twins.retain(|_, known| known.twin != twin);
                told("gone", &serde_json::json!({ "twin": twin }))
            }
            Event::Reading { short, epoch, index, reading } => {
                self.changed(short, epoch, [(index, reading)]).and_then(|changed| told("readings", &changed))
            }
            Event::Occurred(occurrence) => told("occurred", &occurrence),
            Event::Command(update) => told("command", &update),
            Event::System(view) => told("system", &view),
            Event::Lease(update) => told("lease", &update),
            Event::Purchase(update) => told("purchase", &update),
            Event::Product(product) => told("product", &product),
            Event::Unbound(serial) => told("unbound", &serde_json::json!({ "serial": serial })),
            Event::Step(step) => told("step", &step),
            Event::Call(update) => told("call", &update),
            Event::Deauthorized(system) => told("deauthorized", &serde_json::json!({ "system": system })),
            Event::Dii(_) | Event::Sii(_) => None,
        }
    }

    /// A datagram of hot state as messages, and what to acknowledge.
    pub(crate) fn datagram(&mut self, bytes: &[u8]) -> Option<(HotAck, Vec<Told>)> {
        let datagram = decode::<HotDatagram>(bytes).ok()?;
        let entries = datagram.entries.iter().filter_map(|entry| {
            let readings = entry.indexed().into_iter().map(|(index, reading)| (index, reading.clone()));
            told("readings", &self.changed(entry.short, entry.epoch, readings)?)
        });
        let entries = entries.collect();
        Some((self.receiver.note(datagram.tick), entries))
    }

    fn changed(
        &self,
        short: u32,
        epoch: u32,
        readings: impl IntoIterator<Item = (u16, WireReading)>,
    ) -> Option<Changed> {
        let known = self.twins.get(&short).filter(|known| known.epoch == epoch)?;
        let readings = readings
            .into_iter()
            .filter_map(|(index, reading)| known.names.get(usize::from(index)).map(|name| (name, reading)));
        Some(Changed { twin: known.twin.clone(), readings: named(readings) })
    }
}
