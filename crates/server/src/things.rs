//! The twin system of products without electronics. What it describes is what was decided about them: it remembers
//! nothing itself, and says everything anew after a start.

use std::collections::BTreeMap;

use tokio::sync::{mpsc, watch};
use vestibule_enabler_core::{ProductRecord, provenance, thing_info, thing_says, things_info};
use vestibule_model::{CommandStatus, InquiryId, Refusal, RefusalCode, TwinId, TwinInfo, TwinPermission, Value};
use vestibule_protocol::{DiiDown, DiiUp, InquiryAnswer, Report};

use crate::{Clock, HubHandle, hub::Things, local};

/// Why nothing is done with a thing.
const NO_ELECTRONICS: &str = "this thing has no electronics: nothing of it can be commanded";

/// Maintains the twins of products without electronics, for as long as the hub runs. While there was never one, there is
/// no such system.
pub(crate) async fn keep(hub: HubHandle, clock: Clock) {
    let mut things = hub.things();
    let any = |things: &Things| things.known || !things.products.is_empty();
    if things.wait_for(any).await.is_err() {
        return;
    }
    let (up, from_system) = mpsc::channel(local::MESSAGES);
    let (to_system, down) = mpsc::channel(local::MESSAGES);
    let system = System { up, things, clock, registered: false, told: BTreeMap::new(), revision: 0 };
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
                tracing::warn!(%refusal, "a thing without electronics cannot be described");
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
        let twins = self.told.keys().cloned().collect();
        self.say(DiiUp::Complete { twins }).await
    }

    /// Products were kept, moved or taken away.
    async fn changed(&mut self) -> Result<(), Stopped> {
        let any = !self.records().is_empty();
        match (any, self.registered) {
            (true, false) => self.registers().await,
            (true, true) => self.differences().await,
            (false, true) => {
                self.registered = false;
                self.told.clear();
                self.say(DiiUp::Deregister).await
            }
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
