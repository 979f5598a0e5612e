//! Every device that the person may see, in one list: also those that nothing in the world shows.

use bevy::{ecs::system::SystemParam, prelude::*};
use vestibule_input::{Control, KeyBindings};
use vestibule_twin::{
    EnablerLink, KnownPurchases, ProductRow, Twin, TwinAccess, TwinDescription, TwinRoot, TwinState,
    model::{TwinId, TwinInfo},
};

use crate::{
    action::HudAction,
    availability::ordered,
    card::believed,
    el::{El, Press},
    format, style, widgets,
};

/// What the list reads of a twin.
type Known = (&'static Twin, &'static TwinDescription, Option<&'static TwinState>, Option<&'static TwinAccess>);

/// All devices.
#[derive(SystemParam)]
pub(crate) struct Devices<'w, 's> {
    twins: Query<'w, 's, Known, With<TwinRoot>>,
    link: Res<'w, EnablerLink>,
}

impl Devices<'_, '_> {
    /// What people call a twin.
    pub(super) fn name(&self, twin: &TwinId) -> Option<String> {
        self.twins.iter().find(|(known, ..)| known.0 == *twin).map(|(_, info, ..)| info.0.name.clone())
    }

    /// What was delivered with a serial number, and what can become of it.
    pub(super) fn products(&self, bought: &KnownPurchases) -> Vec<ProductRow> {
        bought.product_rows(self.twins.iter().map(|(_, info, ..)| info.0.as_ref()))
    }

    /// What a twin is, and which rules admit the person to it.
    pub(super) fn about(&self, twin: &TwinId) -> Option<(&TwinInfo, Option<&TwinAccess>)> {
        self.twins.iter().find(|(known, ..)| known.0 == *twin).map(|(_, info, _, access)| (info.0.as_ref(), access))
    }
}

/// The devices by name, each with what it is, how far it is to be believed and since when.
pub(super) fn window(devices: &Devices<'_, '_>, keys: &KeyBindings, now: f64) -> El {
    let mut all: Vec<_> = devices.twins.iter().collect();
    all.sort_by_cached_key(|(twin, info, ..)| (info.0.name.to_lowercase(), twin.0.clone()));
    let connected = devices.link.state.is_connected();
    let mut body = widgets::scroll("devices.list", 6.0);
    for (twin, info, state, _) in &all {
        let state = state.cloned().unwrap_or_default();
        body.children.push(line(twin, &info.0, &state, connected, now));
    }
    if all.is_empty() {
        let text = "There is no device that you may see. Where there should be, look at the connection and the broker.";
        body.children.push(El::small("devices.empty", text));
    }
    super::frame("devices", "All devices", &keys.label(Control::Devices), 560.0, body)
}

fn line(twin: &Twin, info: &TwinInfo, state: &TwinState, connected: bool, now: f64) -> El {
    let main = ordered(info).into_iter().next();
    let kind = main.map_or("device", |(_, about)| format::kind(about.kind));
    let newest = state.readings.values().filter_map(|reading| reading.age(now)).reduce(f64::min);
    let age = newest.map_or_else(|| "no report yet".to_owned(), format::age);
    let reach = if connected && state.reachable { age } else { format!("not reachable, {age}") };
    let names = El::column("names", 1.0)
        .with(El::text("name", info.name.clone()).strong())
        .with(El::small("what", format!("{kind} · {reach}")));
    let mut el = El::row(format!("device.{}", twin.0), style::GAP)
        .node(|node| {
            node.padding = UiRect::axes(px(10), px(6));
            node.flex_shrink = 0.0;
        })
        .fill(style::RAISED)
        .round(style::ROUND_SMALL)
        .with(names)
        .with(widgets::spring())
        .with(widgets::truth_chip("truth", believed(state.truth(), connected)));
    el.press = Some(Press { label: info.name.clone(), action: HudAction::OpenCard(twin.0.clone()), enabled: true });
    el
}
