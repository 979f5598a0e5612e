mod age;
mod commands;
mod devices;
mod documents;
mod hostile;
mod truth;

use std::collections::BTreeMap;

use serde_json::Value as Json;
use vestibule_model::{
    ActionId, CommandId, CommandStatus, FeatureId, FeatureInfo, PropertyId, PropertyState, Reported, SystemId,
    Timestamp, Truth, TwinId, TwinInfo, Value,
};
use vestibule_protocol::{DiiUp, Execution, InquiryAnswer, Occurrence, Report};

use super::*;

/// A registry with a clock, and what an enabler would know by what it said.
struct Home {
    registry: Registry,
    now: u64,
    twins: BTreeMap<String, TwinInfo>,
    values: BTreeMap<String, Value>,
    reports: BTreeMap<String, Report>,
    complete: Option<Vec<String>>,
    reachable: BTreeMap<String, bool>,
    revisions: BTreeMap<String, u64>,
    occurred: Vec<Occurrence>,
    outcomes: Vec<(CommandId, CommandStatus)>,
    answers: Vec<InquiryAnswer>,
    integrated: Vec<(String, u64, Option<String>)>,
    blobs: usize,
    describes: usize,
    notes: Vec<String>,
    filters: BTreeMap<String, usize>,
    commands: u16,
    /// The token that executions carry.
    fence: Option<u64>,
}

impl Home {
    fn new() -> Self {
        let mut home = Self {
            registry: Registry::new(RegistryConfig::default()),
            now: 1_000_000,
            twins: BTreeMap::new(),
            values: BTreeMap::new(),
            reports: BTreeMap::new(),
            complete: None,
            reachable: BTreeMap::new(),
            revisions: BTreeMap::new(),
            occurred: Vec::new(),
            outcomes: Vec::new(),
            answers: Vec::new(),
            integrated: Vec::new(),
            blobs: 0,
            describes: 0,
            notes: Vec::new(),
            filters: BTreeMap::new(),
            commands: 0,
            fence: None,
        };
        let outputs = home.registry.on_registered(Timestamp(home.now));
        home.heed(outputs);
        home.connect();
        home
    }

    fn connect(&mut self) {
        let outputs = self.registry.on_connected(Timestamp(self.now));
        self.heed(outputs);
    }

    fn disconnect(&mut self) {
        let outputs = self.registry.on_disconnected(Timestamp(self.now));
        self.filters.clear();
        self.heed(outputs);
    }

    fn heed(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Up(up) => self.hear(up),
                Output::Subscribe(filter) => *self.filters.entry(filter).or_default() += 1,
                Output::Unsubscribe(filter) => drop(self.filters.remove(&filter)),
                Output::Note { topic, message } => self.notes.push(format!("{topic}: {message}")),
            }
        }
    }

    fn hear(&mut self, up: DiiUp) {
        match up {
            DiiUp::Describe(info) => {
                info.check().unwrap();
                self.describes += 1;
                self.twins.insert(info.id.local().to_owned(), *info);
            }
            DiiUp::Gone(twin) => {
                self.twins.remove(twin.local()).expect("it was there");
            }
            DiiUp::Reachable { twin, feature: None, reachable } => {
                self.reachable.insert(twin.local().to_owned(), reachable);
            }
            DiiUp::Reachable { twin, feature: Some(feature), reachable } => {
                self.reachable.insert(format!("{}/{feature}", twin.local()), reachable);
            }
            DiiUp::Complete { twins } => {
                self.complete = Some(twins.iter().map(|twin| twin.local().to_owned()).collect());
            }
            DiiUp::Report(report) => {
                let twin = report.twin.local().to_owned();
                let info = self.twins[&twin].property(&report.feature, &report.property).expect("described");
                report.value.iter().for_each(|value| info.value.is_a(value).unwrap());
                let before = self.revisions.insert(twin.clone(), report.revision);
                assert!(before.is_none_or(|before| before < report.revision), "revisions grow");
                let name = format!("{twin}/{}/{}", report.feature, report.property);
                match &report.value {
                    Some(value) => drop(self.values.insert(name.clone(), value.clone())),
                    None => drop(self.values.remove(&name)),
                }
                self.reports.insert(name, report);
            }
            DiiUp::Occurred(occurrence) => self.occurred.push(occurrence),
            DiiUp::Outcome { command, status } => self.outcomes.push((command, status)),
            DiiUp::Inquired { answer, .. } => self.answers.push(answer),
            DiiUp::Blob { .. } => self.blobs += 1,
            DiiUp::Integrated { twin, fence } => self.integrated.push((twin.local().to_owned(), fence, None)),
            DiiUp::NotIntegrated { twin, fence, reason } => {
                self.integrated.push((twin.local().to_owned(), fence, Some(reason)));
            }
            DiiUp::Register(_) | DiiUp::Deregister | DiiUp::Heartbeat => {}
        }
    }

    fn message(&mut self, topic: &str, payload: impl AsRef<[u8]>, retained: bool) {
        self.now += 1;
        let outputs = self.registry.on_message(topic, payload.as_ref(), retained, Timestamp(self.now));
        self.heed(outputs);
    }

    /// A live message.
    fn say(&mut self, topic: &str, payload: impl AsRef<[u8]>) {
        self.message(topic, payload, false);
    }

    /// A retained discovery document, and the time that descriptions take.
    fn announce(&mut self, topic: &str, document: &Json) {
        self.message(&format!("homeassistant/{topic}/config"), document.to_string(), true);
        self.wait(200);
    }

    fn wait(&mut self, millis: u64) {
        self.now += millis;
        let outputs = self.registry.tick(Timestamp(self.now));
        self.heed(outputs);
    }

    /// Wants something done; what is published for it.
    fn act(&mut self, target: &str, action: &str, input: Option<Value>) -> Vec<(String, String)> {
        let command = self.execute(target, action, input, 5_000);
        let sent = self.deliver();
        assert_eq!(self.outcomes.last(), Some(&(command, CommandStatus::Executed)), "{target} {action}");
        sent
    }

    fn execute(&mut self, target: &str, action: &str, input: Option<Value>, validity: u64) -> CommandId {
        let (twin, feature) = target.split_once('/').unwrap();
        self.commands += 1;
        let execution = Execution {
            command: CommandId(std::array::from_fn(|at| self.commands.to_be_bytes()[at % 2])),
            twin: TwinId::of(&SystemId::slug("home"), twin),
            feature: FeatureId::slug(feature),
            action: ActionId::slug(action),
            input,
            not_after: Timestamp(self.now + validity),
            trace: None,
            fence: self.fence,
        };
        let outputs = self.registry.on_execute(&execution, Timestamp(self.now));
        self.heed(outputs);
        execution.command
    }

    /// Publishes all that may be published; the broker takes it.
    fn deliver(&mut self) -> Vec<(String, String)> {
        let mut sent = Vec::new();
        while let Some(send) = self.registry.next_send(Timestamp(self.now)) {
            assert!(send.publish.qos >= 1 && send.expiry_s >= 1);
            sent.push((send.publish.topic, String::from_utf8(send.publish.payload).unwrap()));
            let outputs = self.registry.on_acknowledged(send.ticket, Ok(()));
            self.heed(outputs);
        }
        sent
    }

    fn value(&self, property: &str) -> &Value {
        self.values.get(property).unwrap_or_else(|| panic!("{property} is not known: {:?}", self.values))
    }

    /// How a property would be believed by an enabler.
    fn truth(&self, property: &str) -> Truth {
        let report = &self.reports[property];
        let (twin, feature) = (report.twin.local(), report.feature.as_str());
        let info = self.twins[twin].property(&report.feature, &report.property).unwrap();
        let there = self.reachable[twin] && self.reachable.get(&format!("{twin}/{feature}")) != Some(&false);
        let Report { value, at, fresh, revision, .. } = report.clone();
        let state = PropertyState { reported: Some(Box::new(Reported { value, at, fresh, revision })), desired: None };
        state.truth(info, there, Timestamp(self.now))
    }

    fn text(&self, property: &str) -> &str {
        self.value(property).as_text().unwrap()
    }

    fn number(&self, property: &str) -> f64 {
        self.value(property).as_f64().unwrap()
    }

    fn is_on(&self, property: &str) -> bool {
        self.value(property).as_bool().unwrap()
    }

    fn feature(&self, target: &str) -> &FeatureInfo {
        let (twin, feature) = target.split_once('/').unwrap();
        self.twins[twin].features.get(&FeatureId::slug(feature)).unwrap_or_else(|| panic!("{:?}", self.twins[twin]))
    }

    fn assumed(&self, target: &str, property: &str) -> bool {
        self.feature(target).properties[&PropertyId::slug(property)].assumed
    }

    fn problems(&self, twin: &str) -> Vec<String> {
        self.twins[twin].problems.iter().map(|p| format!("{}: {}", p.feature, p.message)).collect()
    }
}

fn pair(topic: &str, payload: &str) -> Vec<(String, String)> {
    vec![(topic.to_owned(), payload.to_owned())]
}
