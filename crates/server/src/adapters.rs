//! Adapters inside of this process, kept running: one that ends or breaks begins anew, and its status says so.

use std::time::Duration;

use tokio::{
    pin,
    sync::{mpsc, watch},
    time::{Instant, sleep},
};
use vestibule_adapter_mqtt::{AdapterState, AdapterStatus, MqttTwinSystem};
use vestibule_model::SystemId;
use vestibule_protocol::{DiiDown, DiiUp};

use crate::{HubHandle, local};

/// Before an adapter that has ended begins anew; doubles up to [`PAUSE_MOST`]: whatever broke it may be retained.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);
pub(crate) const PAUSE_MOST: Duration = Duration::from_secs(60);
/// An adapter that ran for so long was not broken by how it began.
const WORKED: Duration = Duration::from_secs(120);

/// An adapter; dropped, it ends.
pub(crate) trait Adapter: Send {
    fn status(&self) -> watch::Receiver<AdapterStatus>;
}

impl Adapter for MqttTwinSystem {
    fn status(&self) -> watch::Receiver<AdapterStatus> {
        Self::status(self)
    }
}

/// Runs an adapter until this is dropped, as often as it takes.
pub(crate) async fn keep<A: Adapter>(
    hub: HubHandle,
    system: SystemId,
    start: impl Fn(mpsc::Sender<DiiUp>, mpsc::Receiver<DiiDown>) -> A,
    tell: watch::Sender<AdapterStatus>,
) {
    let mut pause = PAUSE;
    loop {
        let began = Instant::now();
        run_once(&hub, &system, &start, &tell).await;
        if began.elapsed() >= WORKED {
            pause = PAUSE;
        }
        tracing::error!(%system, ?pause, "the adapter has ended; it begins anew");
        let retry_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        tell.send_modify(|status| status.state = AdapterState::Broken { retry_ms });
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MOST);
    }
}

/// Returns when the adapter has ended.
async fn run_once<A: Adapter>(
    hub: &HubHandle,
    system: &SystemId,
    start: &impl Fn(mpsc::Sender<DiiUp>, mpsc::Receiver<DiiDown>) -> A,
    tell: &watch::Sender<AdapterStatus>,
) {
    let (up, from_adapter) = mpsc::channel(local::MESSAGES);
    let (to_adapter, down) = mpsc::channel(local::MESSAGES);
    let adapter = start(up, down);
    let mut status = adapter.status();
    let bridge = local::bridge(hub.clone(), system.clone(), from_adapter, to_adapter);
    pin!(bridge);
    loop {
        tell.send_replace(status.borrow_and_update().clone());
        tokio::select! {
            () = &mut bridge => return,
            changed = status.changed() => if changed.is_err() {
                // Broken: its channels close with it.
                return bridge.as_mut().await;
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::task::JoinHandle;
    use vestibule_model::{SystemInfo, SystemKind};

    use super::*;
    use crate::{Hub, HubConfig};

    struct Fake(JoinHandle<()>, watch::Receiver<AdapterStatus>);

    impl Adapter for Fake {
        fn status(&self) -> watch::Receiver<AdapterStatus> {
            self.1.clone()
        }
    }

    impl Drop for Fake {
        fn drop(&mut self) {
            self.0.abort();
        }
    }

    #[tokio::test]
    async fn an_adapter_that_breaks_begins_anew_and_its_status_says_so() {
        let hub = Hub::start(HubConfig::in_memory("test")).await.unwrap();
        let starts = std::sync::Arc::new(AtomicUsize::new(0));
        let counted = starts.clone();
        let start = move |up: mpsc::Sender<DiiUp>, mut down: mpsc::Receiver<DiiDown>| {
            let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            let (tell, status) = watch::channel(AdapterStatus::default());
            let task = tokio::spawn(async move {
                let info = SystemInfo::new(SystemId::slug("home"), SystemKind::DigitalTwin, "Home");
                up.send(DiiUp::Register(info)).await.unwrap();
                while !matches!(down.recv().await, Some(DiiDown::Registered)) {}
                tell.send_modify(|status| status.state = AdapterState::Connected);
                assert!(!first, "the first one breaks");
                while down.recv().await.is_some() {}
            });
            Fake(task, status)
        };
        let (tell, mut status) = watch::channel(AdapterStatus::default());
        let keeper = tokio::spawn(keep(hub.clone(), SystemId::slug("home"), start, tell));
        let broken = |status: &AdapterStatus| matches!(status.state, AdapterState::Broken { .. });
        let wait = Duration::from_secs(20);
        tokio::time::timeout(wait, status.wait_for(broken)).await.unwrap().unwrap();
        let again = status.wait_for(|status| status.state == AdapterState::Connected);
        tokio::time::timeout(wait, again).await.unwrap().unwrap();
        assert_eq!(starts.load(Ordering::SeqCst), 2);
        assert_eq!(hub.status().await.systems_online, 1);
        keeper.abort();
        hub.shutdown().await;
    }
}
