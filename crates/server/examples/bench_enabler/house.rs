//! Systems and twins of any number, and who asks about them.

use vestibule_enabler_core::{Actor, Fingerprint, Identity, LogEvent, State, default_rules};
use vestibule_model::*;
use vestibule_protocol::Party;

/// Twins of one system.
pub const EACH: usize = 100;
pub const OWNER: [u8; 32] = [1; 32];
pub const NOW: Timestamp = Timestamp(1_800_000_000_000);

pub fn system_id(index: usize) -> SystemId {
    SystemId::slug(&format!("system-{index:06}"))
}

pub fn twin_id(index: usize) -> TwinId {
    TwinId::of(&system_id(index / EACH), &format!("twin-{:02}", index % EACH))
}

pub fn system(index: usize) -> SystemInfo {
    let mut info = SystemInfo::new(system_id(index), SystemKind::DigitalTwin, format!("System {index}"));
    info.properties.insert("floor".to_owned(), (index % 10).to_string());
    info.properties.insert("maker".to_owned(), format!("maker-{}", index % 7));
    info
}

/// Every third twin is a lock, the others are lights.
pub fn kind(index: usize) -> FeatureKind {
    if index.is_multiple_of(3) { FeatureKind::Lock } else { FeatureKind::Light }
}

pub fn twin(index: usize) -> TwinInfo {
    let mut info = TwinInfo::new(twin_id(index), format!("Twin {index}"));
    let property = PropertyInfo::new(ValueType::Bool);
    let number = PropertyInfo::new(ValueType::Number { min: 0.0, max: 1.0, step: 0.5 });
    let feature = FeatureInfo {
        name: "Part".to_owned(),
        kind: kind(index),
        class: None,
        properties: [(PropertyId::slug("on"), property), (PropertyId::slug("level"), number)].into(),
        actions: ["turn_on", "turn_off"].map(|action| (ActionId::slug(action), ActionInfo::default())).into(),
        events: std::collections::BTreeSet::new(),
    };
    info.features.insert(FeatureId::slug("part"), feature);
    info
}

pub fn enrolled() -> LogEvent {
    LogEvent::DeviceEnrolled {
        certificate: Fingerprint(OWNER),
        user: UserId::slug("owner"),
        roles: vec![RoleId::slug("owner")],
        device: "bench".to_owned(),
        until: None,
        by: None,
    }
}

/// What the log of such a house says.
pub fn events(twins: usize) -> impl Iterator<Item = LogEvent> {
    let systems = (0..twins.div_ceil(EACH))
        .map(|index| LogEvent::SystemRegistered { info: system(index), owner: Identity::Local(system_id(index)) });
    let twins = (0..twins).map(|index| LogEvent::TwinDescribed { info: twin(index).into() });
    default_rules().into_iter().chain([enrolled()]).chain(systems).chain(twins)
}

pub fn state(twins: usize) -> State {
    let mut state = State::default();
    events(twins).for_each(|event| state.apply(NOW, &event));
    state
}

pub fn owner() -> Actor {
    Actor::greeted(Identity::Certificate(Fingerprint(OWNER)), Party::Metaverse)
}
