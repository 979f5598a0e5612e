//! A digital twin system on the stage, with its physical objects: says and hears what such a system does (DII).

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};

use vestibule_model::{CommandId, CommandStatus, SystemId, SystemInfo, TwinId, TwinInfo, Value};
use vestibule_protocol::{DiiDown, DiiUp, Execution, News, Report, Request};

use crate::actor::{Actor, Spot};

/// A digital twin system.
pub struct TwinSystem {
    /// Its connection.
    pub actor: Actor,
    /// What it says of itself.
    pub info: SystemInfo,
    revision: AtomicU64,
}

impl TwinSystem {
    /// One that has not registered yet.
    #[must_use]
    pub const fn new(actor: Actor, info: SystemInfo) -> Self {
        Self { actor, info, revision: AtomicU64::new(0) }
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &SystemId {
        &self.info.id
    }

    /// A twin of its own.
    #[must_use]
    pub fn twin(&self, local: &str) -> TwinId {
        TwinId::of(&self.info.id, local)
    }

    /// Says something.
    ///
    /// # Errors
    /// What the enabler said instead of taking it.
    pub async fn tell(&self, message: DiiUp) -> Result<(), String> {
        self.actor.done(Request::Dii(message)).await
    }

    /// Registers.
    ///
    /// # Errors
    /// What the enabler said instead of taking it.
    pub async fn register(&self) -> Result<(), String> {
        self.tell(DiiUp::Register(self.info.clone())).await
    }

    /// Describes a twin whose device is there.
    ///
    /// # Errors
    /// What the enabler said instead of taking it.
    pub async fn describe(&self, info: TwinInfo) -> Result<(), String> {
        let twin = info.id.clone();
        self.tell(DiiUp::Describe(Box::new(info))).await?;
        self.reach(&twin, true).await
    }

    /// Says whether a twin's device is there.
    ///
    /// # Errors
    /// What the enabler said instead of taking it.
    pub async fn reach(&self, twin: &TwinId, reachable: bool) -> Result<(), String> {
        self.tell(DiiUp::Reachable { twin: twin.clone(), feature: None, reachable }).await
    }

    /// A revision above all before.
    pub fn next_revision(&self) -> u64 {
        // The clock is read once, so that what is given out is what is remembered.
        let now = self.actor.now().0;
        let next = |last: u64| Some(last.max(now) + 1);
        let last = self.revision.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).unwrap_or_else(|last| last);
        last.max(now) + 1
    }

    /// A report of a property as it is now.
    #[must_use]
    pub fn says(&self, spot: &Spot, value: Value, revision: u64) -> DiiUp {
        let Spot { twin, feature, property } = spot.clone();
        let (value, at) = (Some(value), Some(self.actor.now()));
        DiiUp::Report(Report { twin, feature, property, value, at, fresh: true, revision })
    }

    /// Reports a property.
    ///
    /// # Errors
    /// What the enabler said instead of taking it.
    pub async fn report(&self, spot: &Spot, value: Value) -> Result<u64, String> {
        let revision = self.next_revision();
        self.tell(self.says(spot, value, revision)).await?;
        Ok(revision)
    }

    /// Waits for the execution of a command.
    ///
    /// # Errors
    /// That it did not come, in words.
    pub async fn hears_execution(&self, command: CommandId) -> Result<Execution, String> {
        let what = format!("the execution of {command}");
        self.actor
            .hears(0, &what, |news| match news {
                News::Dii(DiiDown::Execute(execution)) if execution.command == command => Some(execution.clone()),
                _ => None,
            })
            .await
    }

    /// How often it has been told to execute a command.
    #[must_use]
    pub fn executions(&self, command: CommandId) -> usize {
        let is_it = |news: &&News| matches!(news, News::Dii(DiiDown::Execute(one)) if one.command == command);
        self.actor.heard(0, |news| news.iter().filter(is_it).count())
    }

    /// The twins whose things it has ever been told to do something with.
    #[must_use]
    pub fn moved(&self) -> BTreeSet<TwinId> {
        self.actor.heard(0, |news| {
            let executions = news.iter().filter_map(|news| match news {
                News::Dii(DiiDown::Execute(execution)) => Some(execution.twin.clone()),
                _ => None,
            });
            executions.collect()
        })
    }

    /// Says how an execution went.
    ///
    /// # Errors
    /// What the enabler said instead of taking it.
    pub async fn outcome(&self, command: CommandId, status: CommandStatus) -> Result<(), String> {
        self.tell(DiiUp::Outcome { command, status }).await
    }

    /// Waits for a command, has the thing do it, and reports what became of the property.
    ///
    /// # Errors
    /// What went wrong first.
    pub async fn obey(&self, command: CommandId, spot: &Spot, value: Value) -> Result<(), String> {
        self.hears_execution(command).await?;
        self.outcome(command, CommandStatus::Executed).await?;
        self.report(spot, value).await.map(drop)
    }
}
