//! The systems that the enabler knows, what they promise and what was measured (P1.4, P1.5, P2.4, P2.5).

use std::collections::BTreeSet;

use bevy::prelude::*;
use vestibule_input::{Control, KeyBindings};
use vestibule_twin::{
    KnownSystem, KnownSystems,
    model::{Promise, RuleId, ServiceId, ServiceInfo, ServiceLevel, SystemHealth, SystemKind},
};

use super::services::{self, Room};
use crate::{el::El, style, widgets};

/// Every known system in the order of their names, or why there is none to show.
pub(super) fn window(known: &KnownSystems, room: &Room<'_>, keys: &KeyBindings) -> El {
    let connected = room.connected;
    let mut all: Vec<_> = known.systems.values().collect();
    all.sort_by_cached_key(|system| (system.info.name.to_lowercase(), system.info.id.clone()));
    let mut body = widgets::scroll("systems.list", 8.0);
    if let Some(problem) = &known.problem {
        body.children.push(El::text("systems.problem", problem.to_string()).colored(style::WRONG));
    }
    if let Some(problem) = &room.known.problem {
        body.children.push(El::text("services.problem", problem.to_string()).colored(style::WRONG));
    }
    if !connected {
        let text = "The enabler cannot be reached: this is what it said last.";
        body.children.push(El::small("systems.offline", text));
    }
    body.children.extend(all.into_iter().map(|system| item(system, room)));
    if known.systems.is_empty() && known.problem.is_none() && connected {
        let text = if known.complete { "No system is registered that you may see." } else { "Asking the enabler ..." };
        body.children.push(El::small("systems.empty", text));
    }
    super::frame("systems", "Systems and services", &keys.label(Control::Systems), 700.0, body)
}

fn item(system: &KnownSystem, room: &Room<'_>) -> El {
    let KnownSystem { info, health, usable } = system;
    let (word, color) = match (room.connected, health.online) {
        (false, _) => ("not known", style::FAINT),
        (true, true) => ("online", style::ACCENT),
        (true, false) => ("offline", style::WRONG),
    };
    let what = match info.kind {
        SystemKind::DigitalTwin => "digital twin system",
        SystemKind::ThirdParty => "third-party system",
    };
    let mut words = vec![what.to_owned()];
    if !info.system_type.is_empty() {
        words.push(info.system_type.clone());
    }
    if info.kind == SystemKind::DigitalTwin {
        words.push(if health.twins == 1 { "1 twin".to_owned() } else { format!("{} twins", health.twins) });
    }
    words.extend(info.charge.as_ref().map(ToString::to_string));
    // What is unfolded says it at length.
    let open = room.is_open(&info.id);
    let services = info.services.iter().filter(|(id, _)| !open || !usable.contains_key(*id));
    let head = El::row("head", style::GAP)
        .with(El::text("name", info.name.clone()).strong())
        .with(El::small("id", info.id.to_string()))
        .with(widgets::spring())
        .with(widgets::dot(color, 8.0))
        .with(El::small("state", word))
        .with_all(services::unfold(system, room));
    El::column(format!("system.{}", info.id), 4.0)
        .node(|node| {
            node.padding = UiRect::axes(px(10), px(8));
            node.flex_shrink = 0.0;
        })
        .fill(style::RAISED)
        .round(style::ROUND_SMALL)
        .with(head)
        .with(El::small("what", words.join(" · ")))
        .with(El::small("measured", measured(health)))
        .with_all(promises(&info.level, health))
        .with_all(services.map(|(id, about)| service(id, about, usable.get(id))))
        .with_all(services::below(system, room))
}

/// What it did, in numbers.
fn measured(health: &SystemHealth) -> String {
    let times = |what: &str, count: u64, failed: u64, p50: Option<u64>, p99: Option<u64>| {
        let several = if count == 1 { "" } else { "s" };
        let mut text = format!("{count} {what}{several}, {failed} failed");
        if let (Some(p50), Some(p99)) = (p50, p99) {
            text += &format!(", half within {p50} ms, 99 % within {p99} ms");
        }
        text
    };
    let mut parts = Vec::new();
    if health.commands > 0 {
        parts.push(times("command", health.commands, health.failures, health.p50_ms, health.p99_ms));
    }
    if health.calls > 0 {
        parts.push(times("call", health.calls, health.call_failures, health.call_p50_ms, health.call_p99_ms));
    }
    if parts.is_empty() { "nothing asked of it yet".to_owned() } else { parts.join("; ") }
}

/// Each promise beside what was measured.
fn promises(promised: &ServiceLevel, health: &SystemHealth) -> Vec<El> {
    let (said, was) = (promised, &health.level);
    let share = |value: u16| format!("{}.{} %", value / 10, value % 10);
    let lines = [
        (
            Promise::Availability,
            said.availability_permille.map(|v| format!("there at least {}", share(v))),
            was.availability_permille.map(share),
        ),
        (
            Promise::Errors,
            said.error_permille.map(|v| format!("at most {} fail", share(v))),
            was.error_permille.map(share),
        ),
        (Promise::Latency, said.p99_ms.map(|v| format!("99 % within {v} ms")), was.p99_ms.map(|v| format!("{v} ms"))),
        (
            Promise::Freshness,
            said.freshness_ms.map(|v| format!("reports at most {v} ms late")),
            was.freshness_ms.map(|v| format!("{v} ms")),
        ),
    ];
    let line = |(promise, said, was): (Promise, Option<String>, Option<String>)| {
        let broken = health.broken.contains(&promise);
        let was = match was {
            Some(was) if broken => format!("measured: {was}, not kept"),
            Some(was) => format!("measured: {was}, kept"),
            None => "not measured yet".to_owned(),
        };
        let text = El::small(format!("promise.{promise:?}"), format!("promises: {}; {was}", said?));
        Some(if broken { text.colored(style::WRONG) } else { text })
    };
    lines.into_iter().filter_map(line).collect()
}

fn service(id: &ServiceId, service: &ServiceInfo, rule: Option<&RuleId>) -> El {
    let cost = service.charge.as_ref().map_or_else(|| "no charge".to_owned(), ToString::to_string);
    let mut text = format!("{} · {cost}", service.name);
    if !service.needs.is_empty() {
        // `twin:home/front_door` is one of your things: which one is asked when you agree.
        let word = |need: &String| if need.starts_with("twin:") { "thing".to_owned() } else { need.clone() };
        let needs: BTreeSet<_> = service.needs.iter().map(word).collect();
        text += &format!(" · needs your {}", needs.into_iter().collect::<Vec<_>>().join(", "));
    }
    text += &rule.map_or_else(|| " · not for you".to_owned(), |rule| format!(" · for you (rule {rule})"));
    El::small(format!("service.{id}"), text).colored(style::TEXT)
}

#[cfg(test)]
mod tests {
    use vestibule_twin::{
        EnablerClock, KnownServices,
        model::{SystemId, SystemInfo},
    };

    use super::*;

    fn home() -> KnownSystem {
        let mut info = SystemInfo::new(SystemId::slug("home"), SystemKind::DigitalTwin, "The house");
        info.level.p99_ms = Some(200);
        info.level.availability_permille = Some(999);
        let mut health = SystemHealth { online: true, twins: 8, commands: 12, failures: 1, ..SystemHealth::default() };
        (health.p50_ms, health.p99_ms) = (Some(20), Some(900));
        health.level.p99_ms = Some(900);
        health.level.availability_permille = Some(1000);
        health.broken.insert(Promise::Latency);
        info.services.insert(ServiceId::slug("deliver"), ServiceInfo::new("Deliver"));
        info.services.insert(ServiceId::slug("bill"), ServiceInfo::new("Bill"));
        let usable = [(ServiceId::slug("deliver"), RuleId::slug("ada-shops"))].into();
        KnownSystem { info, health, usable }
    }

    fn texts(known: &KnownSystems, connected: bool) -> String {
        let (services, desk) = (KnownServices::default(), services::Desk::default());
        let room = Room {
            connected,
            known: &services,
            desk: &desk,
            clock: EnablerClock::default(),
            now: 0.0,
            about: None,
            name: &|_| None,
            line: None,
            drag: None,
            confirming: None,
        };
        window(known, &room, &KeyBindings::default()).texts().join("\n")
    }

    #[test]
    fn promises_stand_beside_what_was_measured() {
        let mut known = KnownSystems { complete: true, ..KnownSystems::default() };
        known.systems.insert(SystemId::slug("home"), home());
        let text = texts(&known, true);
        for line in [
            "The house",
            "online",
            "digital twin system · 8 twins",
            "12 commands, 1 failed, half within 20 ms, 99 % within 900 ms",
            "promises: 99 % within 200 ms; measured: 900 ms, not kept",
            "Deliver · no charge · for you (rule ada-shops)",
            "Bill · no charge · not for you",
            "promises: there at least 99.9 %; measured: 100.0 %, kept",
        ] {
            assert!(text.contains(line), "{line:?} is not in {text}");
        }
        let text = texts(&known, false);
        assert!(text.contains("cannot be reached") && !text.contains("online"), "{text}");
    }

    #[test]
    fn nothing_is_said_before_the_answer() {
        assert!(texts(&KnownSystems::default(), true).contains("Asking the enabler"));
        let none = KnownSystems { complete: true, ..KnownSystems::default() };
        assert!(texts(&none, true).contains("No system is registered"));
    }
}
