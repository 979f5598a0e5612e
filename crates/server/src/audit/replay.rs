//! The state of a moment, rebuilt from the log.

use std::{io::Write, path::PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};
use vestibule_store::{EventLog, Snapshots};

use super::{filter::moment, open};
use crate::{
    SNAPSHOT_FOLDER,
    cli::CliError,
    hub::{Loaded, Until, load},
};

/// What `vestibule-enabler replay` takes.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The data folder.
    #[arg(long, env = "VESTIBULE_DATA")]
    data: PathBuf,
    /// The moment (2026-11-20T14:03:07Z, its own lines included) or the number of a line.
    #[arg(long, value_parser = until)]
    until: Until,
}

fn until(text: &str) -> Result<Until, String> {
    if let Ok(sequence) = text.parse() {
        return Ok(Until::Sequence(sequence));
    }
    moment(text).map(Until::Time).map_err(|error| format!("{error}, or the number of a line"))
}

/// Rebuilds the state, every line checked on the way, and prints it as JSON. The enabler may be running meanwhile.
pub(crate) async fn replay(args: ReplayArgs) -> Result<(), CliError> {
    let log = open(&args.data).await?;
    let snapshots = Snapshots::look(args.data.join(SNAPSHOT_FOLDER));
    let loaded = load(&log, Some(&snapshots), args.until).await.map_err(CliError::Hub)?;
    let begins = log.anchor().await?.sequence;
    let text = serde_json::to_string_pretty(&shown(&loaded, begins)?).map_err(std::io::Error::from)?;
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(())
}

/// The state, with what it stands on, as people look things up in it.
fn shown(loaded: &Loaded, begins: u64) -> Result<Value, CliError> {
    let state = serde_json::to_value(&loaded.state).map_err(std::io::Error::from)?;
    let Value::Object(mut parts) = state else { return Err(CliError::Words("a state is no value".to_owned())) };
    // What is found by looking at the rest, or is only there to forget in time.
    for derived in ["forget", "objects", "census", "owned"] {
        parts.remove(derived);
    }
    let mut parts: Map<String, Value> = parts.into_iter().map(|(name, part)| (name, by_key(part))).collect();
    // What became of commands that have ended is in the log; here is what still went on.
    let open = parts.remove("open").unwrap_or_default();
    let commands = parts.remove("commands").unwrap_or_default();
    let commands = commands.as_object().into_iter().flatten().filter(|(id, _)| open.get(id.as_str()).is_some());
    parts.insert("open_commands".to_owned(), commands.map(|(id, record)| (id.clone(), record.clone())).collect());
    Ok(json!({
        "sequence": loaded.head.sequence,
        "hash": loaded.head.hash,
        "at": loaded.at.to_utc(),
        "from_snapshot": loaded.snapshot,
        "log_begins_behind": begins,
        "state": parts,
    }))
}

/// A map that is written as pairs, by its keys where those are texts.
fn by_key(part: Value) -> Value {
    let Value::Array(pairs) = &part else { return part };
    let pair = |pair: &Value| match pair.as_array().map(Vec::as_slice) {
        Some([Value::String(key), value]) => Some((key.clone(), value.clone())),
        _ => None,
    };
    pairs.iter().map(pair).collect::<Option<Map<_, _>>>().map_or(part, Value::Object)
}
