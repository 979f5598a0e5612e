//! A run: the stage is set, every row of the catalogue is played, the stage is struck.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;
use vestibule_model::SystemId;

use crate::{
    catalogue::{Entry, Group, Reach, entries},
    report::{Report, Row},
    stage::Stage,
    wire::Transport,
};

/// What a run is about.
#[derive(Clone, Debug)]
pub struct Config {
    /// The longest wait for anything that has to come.
    pub patience: Duration,
    /// Rows of these groups are played; those of all groups where it is empty.
    pub groups: Vec<Group>,
    /// A manufacturer from which the enabler buys and the kit may order, as it is called there.
    pub merchant: Option<SystemId>,
}

impl Default for Config {
    fn default() -> Self {
        Self { patience: Duration::from_secs(15), groups: Vec::new(), merchant: None }
    }
}

/// No row waits more often than this for something that does not come: a row ends whatever its enabler does.
const WAITS: u32 = 8;

/// Plays the catalogue against an enabler, with an owner's pairing code.
///
/// # Errors
/// In words, where nobody answers or the code is not taken: there is nothing to say of such an enabler.
pub async fn run(transport: Arc<dyn Transport>, code: &str, config: &Config) -> Result<Report, String> {
    let reach = Reach { http: transport.http().is_some(), merchant: config.merchant.is_some() };
    if !config.groups.is_empty() && !config.groups.iter().any(|group| reach.has(*group)) {
        return Err(match config.groups.contains(&Group::Products) {
            true => "rows about products are played where the enabler buys from a manufacturer: name it (--merchant)",
            false => "rows about HTTP are played over http:// or https:// only",
        }
        .to_owned());
    }
    let wanted = |entry: &&Entry| config.groups.is_empty() || config.groups.contains(&entry.group);
    let entries: Vec<&Entry> = entries(reach).into_iter().filter(wanted).collect();
    let owner = transport.pair(code, "the conformance kit").await?;
    let name = transport.name();
    let mut stage = match Stage::set(transport, owner, config).await {
        Ok(stage) => stage,
        Err(error) => {
            let seen = format!("the stage cannot be set: {error}");
            let rows = entries.into_iter().map(|entry| Row::new(entry, Err(seen.clone())));
            return Ok(Report::new(name, rows.collect()));
        }
    };
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        let seen = timeout(config.patience * WAITS, (entry.play)(&mut stage)).await;
        rows.push(Row::new(entry, seen.unwrap_or_else(|_| Err("it did not end".to_owned()))));
    }
    // What it cannot take away in time stays, under the run's own name.
    let _ = timeout(config.patience, stage.strike()).await;
    Ok(Report::new(name, rows))
}
