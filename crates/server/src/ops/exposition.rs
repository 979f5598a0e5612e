//! `/metrics`, `/health` and `/ready`: what was counted, and how things stand at this moment.

use std::fmt::{self, Write as _};

use vestibule_model::{SystemHealth, SystemId};

use crate::{HubHandle, HubStatus, ops::metrics};

/// What Prometheus reads.
pub(crate) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything that is measured, in Prometheus' text format.
pub(crate) async fn text(hub: &HubHandle) -> String {
    let counted = metrics::recorder().map(metrics_exporter_prometheus::PrometheusHandle::render).unwrap_or_default();
    let mut page = Page(counted);
    page.hub(&hub.status().await);
    page.family("vestibule_queue_length", "gauge", "Messages that wait for the hub.");
    for (queue, waiting, _) in hub.queues() {
        page.sample("vestibule_queue_length", &[("queue", queue)], waiting);
    }
    page.family("vestibule_queue_limit", "gauge", "Messages that can wait for the hub; more are refused.");
    for (queue, _, most) in hub.queues() {
        page.sample("vestibule_queue_limit", &[("queue", queue)], most);
    }
    page.systems(&hub.systems().await);
    page.0
}

/// Why nothing can be decided at the moment; `None`: all is well.
pub(crate) fn unready(status: &HubStatus) -> Option<String> {
    if !status.running {
        return Some("the hub has stopped: start the enabler again".to_owned());
    }
    status.storage.clone()
}

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // A text takes everything.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl fmt::Display) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{label}=\"{text}\"", if index == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl fmt::Display) {
        self.family(name, "gauge", help);
        self.sample(name, &[], value);
    }

    fn hub(&mut self, hub: &HubStatus) {
        let ready = u8::from(unready(hub).is_none());
        self.gauge("vestibule_ready", "Whether decisions can be made and written down.", ready);
        self.gauge("vestibule_systems", "Registered systems.", hub.systems);
        self.gauge("vestibule_systems_online", "Registered systems that are connected.", hub.systems_online);
        self.gauge("vestibule_twins", "Described twins.", hub.twins);
        self.gauge("vestibule_devices", "Paired or enrolled devices.", hub.devices);
        self.gauge("vestibule_open_commands", "Commands that have not ended.", hub.open_commands);
        self.family("vestibule_log_lines_total", "counter", "Lines of the log.");
        self.sample("vestibule_log_lines_total", &[], hub.head.sequence);
        self.family("vestibule_sessions", "gauge", "Open sessions, by the part that they take.");
        for (party, count) in &hub.parties {
            self.sample("vestibule_sessions", &[("party", party)], count);
        }
    }

    fn systems(&mut self, systems: &[(SystemId, SystemHealth)]) {
        let each =
            |page: &mut Self, name: &str, kind: &str, help: &str, value: &dyn Fn(&SystemHealth) -> Option<u64>| {
                page.family(name, kind, help);
                for (system, health) in systems {
                    if let Some(value) = value(health) {
                        page.sample(name, &[("system", system.as_str())], value);
                    }
                }
            };
        let online = |health: &SystemHealth| Some(u64::from(health.online));
        each(self, "vestibule_system_online", "gauge", "Whether the system keeps its promised signs of life.", &online);
        let twins = |health: &SystemHealth| Some(u64::from(health.twins));
        each(self, "vestibule_system_twins", "gauge", "Twins that the system maintains.", &twins);
        let commands = |health: &SystemHealth| Some(health.commands);
        each(self, "vestibule_system_commands_total", "counter", "Commands that the system was given.", &commands);
        let failures = |health: &SystemHealth| Some(health.failures);
        each(self, "vestibule_system_failures_total", "counter", "Commands that failed or expired.", &failures);
        let help = "Time from a command's acceptance to its confirmation.";
        self.family("vestibule_system_command_milliseconds", "gauge", help);
        for (system, health) in systems {
            for (quantile, value) in [("0.5", health.p50_ms), ("0.99", health.p99_ms)] {
                if let Some(value) = value {
                    let labels = [("system", system.as_str()), ("quantile", quantile)];
                    self.sample("vestibule_system_command_milliseconds", &labels, value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let mut page = Page(String::new());
        page.sample("a", &[("b", "c\"d\\e\nf"), ("g", "h")], 7);
        assert_eq!(page.0, "a{b=\"c\\\"d\\\\e\\nf\",g=\"h\"} 7\n");
    }

    #[test]
    fn a_full_disk_is_not_ready() {
        let mut status = HubStatus::stopped();
        assert!(unready(&status).unwrap().contains("start the enabler"));
        status.running = true;
        assert_eq!(unready(&status), None);
        status.storage = Some("the disk is full".to_owned());
        assert_eq!(unready(&status).as_deref(), Some("the disk is full"));
    }
}
