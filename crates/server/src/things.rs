//! The twin system of products without electronics. What it describes is what was decided about them: it remembers
//! nothing itself, and says everything anew after a start.

use std::{collections::BTreeMap, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use vestibule_enabler_core::{ProductRecord, THINGS, provenance, thing_info, thing_says, things_info};
use vestibule_model::{CommandStatus, InquiryId, Refusal, RefusalCode, TwinId, TwinInfo, TwinPermission, Value};
use vestibule_protocol::{DiiDown, DiiUp, InquiryAnswer, Report};

use crate::{
    Clock, HubHandle,
    adapters::{PAUSE, PAUSE_MOST},
    hub::Things,
    local,
};

/// Why nothing is done with a thing.
const NO_ELECTRONICS: &str = "this thing has no electronics: nothing of it can be commanded";

/// What is said once more and not refused within this time is taken: each message is answered before the next is read.
const TAKEN: Duration = Duration::from_secs(5);

/// Maintains the twins of products without electronics, for as long as the hub runs. While there was never one, there is
/// no such system. `tell` has in words why they are not as they should be, while that is so.
pub(crate) async fn keep(hub: HubHandle, clock: Clock, tell: watch::Sender<Option<String>>) {
    let mut things = hub.things();
    let any = |things: &Things| things.known || !things.products.is_empty();
    if things.wait_for(any).await.is_err() {
        return;
    }
    let (up, from_system) = mpsc::channel(local::MESSAGES);
    let (to_system, down) = mpsc::channel(local::MESSAGES);
    let told = BTreeMap::new();
    let system = System { up, things, clock, registered: false, told, revision: 0, trouble: Trouble::default(), tell };
    let id = things_info().id;
    tokio::join!(local::bridge(hub, id, from_system, to_system), system.run(down));
}

/// Nobody takes what it says any more.
struct Stopped;

struct System {
    up: mpsc::Sender<DiiUp>,
    things: watch::Receiver<Things>,
    clock: Clock,
    /// Whether it has said who it is.
    registered: bool,
    /// What it has described.
    told: BTreeMap<TwinId, TwinInfo>,
    revision: u64,
    trouble: Trouble,
    /// Why things are not shown as they are, for people.
    tell: watch::Sender<Option<String>>,
}

/// What was refused is said again after a pause, which grows for as long as it is refused.
#[derive(Debug, Default)]
struct Trouble {
    next: Option<(Then, Instant)>,
    /// How often in a row.
    times: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It is said again.
    Again,
    /// It was taken, if nothing is refused until then.
    Over,
}

impl Trouble {
    /// Something was refused. How long until all is said again, where that is not planned already.
    fn refused(&mut self, now: Instant) -> Option<Duration> {
        if matches!(self.next, Some((Then::Again, _))) {
            return None;
        }
        let pause = PAUSE.saturating_mul(1 << self.times.min(16)).min(PAUSE_MOST);
        self.times = self.times.saturating_add(1);
        self.next = Some((Then::Again, now + pause));
        Some(pause)
    }

    /// What is to be done now.
    fn is_due(&mut self, now: Instant) -> Option<Then> {
        let (then, _) = self.next.take_if(|(_, at)| *at <= now)?;
        match then {
            Then::Again => self.next = Some((Then::Over, now + TAKEN)),
            Then::Over => self.times = 0,
        }
        Some(then)
    }

    /// Waits until something is to be done, for ever where nothing is.
    async fn wait(&self) {
        match self.next {
            Some((_, at)) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}

impl System {
    /// Until the hub has stopped.
    async fn run(mut self, mut down: mpsc::Receiver<DiiDown>) {
        let mut said = self.registers().await;
        while said.is_ok() {
            said = tokio::select! {
                message = down.recv() => match message {
                    Some(message) => self.hear(message).await,
                    None => return,
                },
                changed = self.things.changed() => match changed {
                    Ok(()) => self.changed().await,
                    Err(_) => return,
                },
                () = self.trouble.wait() => self.look_after().await,
            };
        }
    }

    async fn say(&self, message: DiiUp) -> Result<(), Stopped> {
        self.up.send(message).await.map_err(|_| Stopped)
    }

    /// It is registered while there is something to maintain, or something left to take away.
    async fn registers(&mut self) -> Result<(), Stopped> {
        self.registered = true;
        self.say(DiiUp::Register(things_info())).await
    }

    /// What was refused is said again, all of it: which message it was is not known, and saying the same twice is nothing.
    async fn look_after(&mut self) -> Result<(), Stopped> {
        match self.trouble.is_due(Instant::now()) {
            Some(Then::Again) => self.registers().await,
            Some(Then::Over) => {
                self.tell.send_replace(None);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn refused(&mut self, refusal: &Refusal) {
        let Some(pause) = self.trouble.refused(Instant::now()) else { return };
        let why = match refusal.code {
            // From before the name was the enabler's own.
            RefusalCode::Conflict => format!(
                "another system is called {THINGS}, which is the enabler's own name by now: an owner has to take it out \
                 (DELETE /v1/systems/{THINGS})"
            ),
            _ => refusal.to_string(),
        };
        tracing::warn!(%refusal, ?pause, "things without electronics cannot be shown as they are; it is tried again");
        let seconds = pause.as_secs().max(1);
        self.tell.send_replace(Some(format!("not shown as they are: {why}; it is tried again in {seconds} s")));
    }

    async fn hear(&mut self, message: DiiDown) -> Result<(), Stopped> {
        match message {
            DiiDown::Registered => self.everything().await,
            DiiDown::Refresh(twin) => {
                let known = self.record(&twin);
                match known {
                    Some(record) => self.reports(&record).await,
                    None => Ok(()),
                }
            }
            DiiDown::Inquire { inquiry, twin, .. } => self.inquired(inquiry, &twin).await,
            DiiDown::Execute(execution) => {
                let status = CommandStatus::Failed { reason: NO_ELECTRONICS.to_owned() };
                self.say(DiiUp::Outcome { command: execution.command, status }).await
            }
            DiiDown::Integrate { twin, fence, .. } => {
                self.say(DiiUp::NotIntegrated { twin, fence, reason: NO_ELECTRONICS.to_owned() }).await
            }
            DiiDown::Refused(refusal) => {
                self.refused(&refusal);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn records(&mut self) -> Vec<std::sync::Arc<ProductRecord>> {
        self.things.borrow_and_update().products.clone()
    }

    fn record(&mut self, twin: &TwinId) -> Option<std::sync::Arc<ProductRecord>> {
        self.records().into_iter().find(|record| record.product.twin == *twin)
    }

    /// A session has begun: all of it, and that there is no more.
    async fn everything(&mut self) -> Result<(), Stopped> {
        self.told.clear();
        self.differences().await?;
        if self.told.is_empty() {
            return self.leaves().await;
        }
        let twins = self.told.keys().cloned().collect();
        self.say(DiiUp::Complete { twins }).await
    }

    /// There is nothing to maintain any more, and nothing of what was.
    async fn leaves(&mut self) -> Result<(), Stopped> {
        self.registered = false;
        self.told.clear();
        self.say(DiiUp::Deregister).await
    }

    /// Products were kept, moved or taken away.
    async fn changed(&mut self) -> Result<(), Stopped> {
        let any = !self.records().is_empty();
        match (any, self.registered) {
            (true, false) => self.registers().await,
            (true, true) => self.differences().await,
            (false, true) => self.leaves().await,
            (false, false) => Ok(()),
        }
    }

    /// What is another than it said.
    async fn differences(&mut self) -> Result<(), Stopped> {
        let records = self.records();
        let mut gone = std::mem::take(&mut self.told);
        for record in records {
            let Some(info) = thing_info(&record) else { continue };
            let before = gone.remove(&info.id);
            let is_same = before.as_ref() == Some(&info);
            let twin = info.id.clone();
            self.told.insert(twin.clone(), info.clone());
            if !is_same {
                self.say(DiiUp::Describe(Box::new(info))).await?;
                // It has no line that could break.
                self.say(DiiUp::Reachable { twin, feature: None, reachable: true }).await?;
                self.reports(&record).await?;
            }
        }
        for twin in gone.into_keys() {
            self.say(DiiUp::Gone(twin)).await?;
        }
        Ok(())
    }

    async fn reports(&mut self, record: &ProductRecord) -> Result<(), Stopped> {
        for (property, value) in thing_says(record) {
            let report = self.report(record, property, value);
            self.say(DiiUp::Report(report)).await?;
        }
        Ok(())
    }

    fn report(&mut self, record: &ProductRecord, property: vestibule_model::PropertyId, value: Value) -> Report {
        let now = self.clock.now();
        self.revision = now.0.max(self.revision + 1);
        let (twin, feature) = (record.product.twin.clone(), provenance());
        Report { twin, feature, property, value: Some(value), at: Some(now), fresh: true, revision: self.revision }
    }

    async fn inquired(&mut self, inquiry: InquiryId, twin: &TwinId) -> Result<(), Stopped> {
        let answer = match self.told.get(twin) {
            // Who may do what is for the house's rules alone to say.
            Some(info) => {
                InquiryAnswer::Twin { info: Box::new(info.clone()), permission: TwinPermission::Unrestricted }
            }
            None => InquiryAnswer::Refused(Refusal::new(RefusalCode::NotFound, format!("there is no twin {twin}"))),
        };
        self.say(DiiUp::Inquired { inquiry, answer }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_said_again_less_and_less_often_until_it_is_taken() {
        let (mut trouble, start) = (Trouble::default(), Instant::now());
        assert_eq!(trouble.is_due(start), None);
        let mut now = start;
        for pause in [1, 2, 4, 8, 16, 32, 60, 60].map(Duration::from_secs) {
            assert_eq!(trouble.refused(now), Some(pause));
            assert_eq!(trouble.refused(now), None, "all that was refused together is said again together");
            assert_eq!(trouble.is_due(now), None);
            now += pause;
            assert_eq!(trouble.is_due(now), Some(Then::Again));
            now += Duration::from_secs(1);
        }
        assert_eq!(trouble.is_due(now), None, "whether it is taken is not known yet");
        now += TAKEN;
        assert_eq!(trouble.is_due(now), Some(Then::Over));
        assert_eq!(trouble.refused(now), Some(PAUSE), "something new");
    }
}
