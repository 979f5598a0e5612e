//! An enabler's side of the channels, for tests.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use vestibule_adapter_mqtt::{AdapterState, MqttConfig, MqttTwinSystem};
use vestibule_model::{ActionId, CommandId, CommandStatus, FeatureId, Timestamp, TwinId, TwinInfo, Value};
use vestibule_protocol::{DiiDown, DiiUp, Execution, Occurrence, Report};

pub struct Enabler {
    pub system: MqttTwinSystem,
    up: mpsc::Receiver<DiiUp>,
    down: mpsc::Sender<DiiDown>,
    pub twins: BTreeMap<String, TwinInfo>,
    pub values: BTreeMap<String, Value>,
    pub reports: BTreeMap<String, Report>,
    pub complete: Option<Vec<String>>,
    pub reachable: BTreeMap<String, bool>,
    pub occurred: Vec<Occurrence>,
    pub outcomes: BTreeMap<CommandId, CommandStatus>,
    pub blobs: usize,
    commands: u8,
}

pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp(u64::try_from(since.as_millis()).unwrap())
}

impl Enabler {
    /// Starts the adapter and registers it.
    pub fn start(config: MqttConfig) -> Self {
        let (up_sender, up) = mpsc::channel(64);
        let (down, down_receiver) = mpsc::channel(64);
        let system = MqttTwinSystem::spawn(config, up_sender, down_receiver);
        Self {
            system,
            up,
            down,
            twins: BTreeMap::new(),
            values: BTreeMap::new(),
            reports: BTreeMap::new(),
            complete: None,
            reachable: BTreeMap::new(),
            occurred: Vec::new(),
            outcomes: BTreeMap::new(),
            blobs: 0,
            commands: 0,
        }
    }

    async fn hear(&mut self, message: DiiUp) {
        match message {
            DiiUp::Register(info) => {
                assert_eq!(info.properties["protocol"], "mqtt");
                self.down.send(DiiDown::Registered).await.unwrap();
            }
            DiiUp::Heartbeat => {}
            DiiUp::Describe(info) => drop(self.twins.insert(info.id.local().to_owned(), *info)),
            DiiUp::Gone(twin) => drop(self.twins.remove(twin.local())),
            DiiUp::Reachable { twin, feature, reachable } => {
                let part = feature.map(|feature| format!("/{feature}")).unwrap_or_default();
                self.reachable.insert(format!("{}{part}", twin.local()), reachable);
            }
            DiiUp::Complete { twins } => {
                self.complete = Some(twins.iter().map(|twin| twin.local().to_owned()).collect());
            }
            DiiUp::Report(report) => {
                let property = format!("{}/{}/{}", report.twin.local(), report.feature, report.property);
                match &report.value {
                    Some(value) => drop(self.values.insert(property.clone(), value.clone())),
                    None => drop(self.values.remove(&property)),
                }
                self.reports.insert(property, report);
            }
            DiiUp::Occurred(occurrence) => self.occurred.push(occurrence),
            DiiUp::Outcome { command, status } => drop(self.outcomes.insert(command, status)),
            DiiUp::Blob { .. } => self.blobs += 1,
            DiiUp::Deregister | DiiUp::Inquired { .. } => panic!("nobody asked for that"),
            DiiUp::Integrated { .. } | DiiUp::NotIntegrated { .. } => {}
        }
    }

    /// Listens until something is so; fails after twenty seconds.
    pub async fn until(&mut self, what: &str, so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !so(self) {
            match timeout_at(end, self.up.recv()).await {
                Ok(Some(message)) => self.hear(message).await,
                other => {
                    let state = self.system.status().borrow().state.clone();
                    panic!("{what}: {other:?}; {state:?} {:?} {:?}", self.reachable, self.values)
                }
            }
        }
    }

    /// Listens for a while.
    pub async fn listen(&mut self, for_: Duration) {
        let end = Instant::now() + for_;
        while let Ok(Some(message)) = timeout_at(end, self.up.recv()).await {
            self.hear(message).await;
        }
    }

    /// Whether all devices are there, or none.
    pub fn all(&self, there: bool) -> bool {
        self.reachable.iter().filter(|(name, _)| !name.contains('/')).all(|(_, is)| *is == there)
    }

    pub fn text(&self, property: &str) -> Option<&str> {
        self.values.get(property).and_then(Value::as_text)
    }

    /// Wants something done within so many milliseconds.
    pub async fn act(&mut self, target: &str, action: &str, input: Option<Value>, validity: u64) -> CommandId {
        self.commands += 1;
        let command = CommandId([self.commands; 16]);
        let (twin, feature) = target.split_once('/').unwrap();
        let execution = Execution {
            command,
            twin: TwinId::new(format!("home/{twin}")).unwrap(),
            feature: FeatureId::slug(feature),
            action: ActionId::slug(action),
            input,
            not_after: now().plus(validity),
            trace: None,
            fence: None,
        };
        self.down.send(DiiDown::Execute(execution)).await.unwrap();
        command
    }

    /// Waits for the adapter's state.
    pub async fn state(&mut self, what: &str, so: impl Fn(&AdapterState) -> bool) -> AdapterState {
        let mut status = self.system.status();
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let state = status.borrow_and_update().state.clone();
            if so(&state) {
                return state;
            }
            tokio::select! {
                changed = timeout_at(end, status.changed()) => match changed {
                    Ok(Ok(())) => {}
                    _ => panic!("{what}: {state:?}"),
                },
                Some(message) = self.up.recv() => self.hear(message).await,
            }
        }
    }
}

/// Why the broker is away.
pub fn reason(state: &AdapterState) -> &str {
    match state {
        AdapterState::Away { reason, .. } => reason,
        _ => "",
    }
}
