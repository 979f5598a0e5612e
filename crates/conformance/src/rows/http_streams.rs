//! Streams of server-sent events over HTTP: they begin with everything, and go on where they broke.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tokio::time::timeout;
use vestibule_model::{EventKind, FeatureId, Timestamp};
use vestibule_protocol::{DiiUp, Occurrence};

use super::http::over;
use crate::{
    Seen, Stage,
    actor::{Actor, see},
    wire::{Sent, Stream},
};

/// Opens the stream of the home's twins.
async fn open(stage: &Stage, who: &Actor, last: Option<&str>) -> Result<Stream, String> {
    over(stage)?.events(who.key(), &format!("/v1/events?system={}", stage.home.id()), last).await
}

/// The next event.
async fn next(stage: &Stage, stream: &mut Stream) -> Result<Sent, String> {
    match timeout(stage.patience, stream.next()).await {
        Ok(Ok(Some(sent))) => Ok(sent),
        Ok(Ok(None)) => Err("the stream has ended".to_owned()),
        Ok(Err(words)) => Err(words),
        Err(_) => Err(format!("nothing was told within {} s", stage.patience.as_secs())),
    }
}

/// Events up to the one of this name.
async fn up_to(stage: &Stage, stream: &mut Stream, name: &str) -> Result<Vec<Sent>, String> {
    let until = async {
        let mut events = Vec::new();
        loop {
            let sent = next(stage, stream).await?;
            let is_it = sent.name == name;
            events.push(sent);
            if is_it {
                return Ok(events);
            }
        }
    };
    let long = || Err(format!("no event {name} within {} s", stage.patience.as_secs()));
    timeout(stage.patience, until).await.unwrap_or_else(|_| long())
}

fn names(events: &[Sent]) -> Vec<&str> {
    events.iter().map(|sent| sent.name.as_str()).collect()
}

/// The bell of the home's door has rung: the moment names the ring, so each has one of its own, and none is to come.
async fn ring(stage: &Stage, number: u64) -> Result<u64, String> {
    let at = Timestamp(stage.home.actor.now().0.saturating_sub(3) + number);
    let press = Occurrence {
        twin: stage.home.twin("door"),
        feature: FeatureId::slug("bell"),
        event: EventKind::slug("press"),
        details: BTreeMap::new(),
        at,
    };
    stage.home.tell(DiiUp::Occurred(press)).await?;
    Ok(at.0)
}

/// Which ring an event is.
fn rang(sent: &Sent) -> Result<u64, String> {
    let data: Value = serde_json::from_str(&sent.data).map_err(|error| error.to_string())?;
    data["at"].as_u64().ok_or_else(|| "a ring without a moment".to_owned())
}

pub(super) async fn begins(stage: &mut Stage) -> Seen {
    let mut stream = open(stage, &stage.guest, None).await?;
    let events = up_to(stage, &mut stream, "synchronized").await?;
    let ids: BTreeSet<_> = events.iter().map(|sent| sent.id.as_str()).collect();
    let twins = events.iter().filter(|sent| sent.name == "twin").count();
    let json = events.iter().all(|sent| serde_json::from_str::<Value>(&sent.data).is_ok());
    let right = events[0].name == "begin" && ids.len() == events.len() && !ids.contains("") && twins > 1 && json;
    see(right, format!("{} events with {} ids, of {twins} twins: {:?}", events.len(), ids.len(), names(&events)))
}

pub(super) async fn resumes(stage: &mut Stage) -> Seen {
    let mut stream = open(stage, &stage.guest, None).await?;
    let mut heard = up_to(stage, &mut stream, "synchronized").await?;
    let first = ring(stage, 0).await?;
    heard.extend(up_to(stage, &mut stream, "occurred").await?);
    drop(stream);
    // While nobody listens.
    let missed = [ring(stage, 1).await?, ring(stage, 2).await?];
    let last = heard.last().map(|sent| sent.id.clone()).unwrap_or_default();
    let mut stream = open(stage, &stage.guest, Some(&last)).await?;
    let mut told = up_to(stage, &mut stream, "occurred").await?;
    told.extend(up_to(stage, &mut stream, "occurred").await?);
    let anew = told.iter().filter(|sent| ["begin", "resync", "synchronized"].contains(&sent.name.as_str())).count();
    let rings: Result<Vec<u64>, _> = told.iter().filter(|sent| sent.name == "occurred").map(rang).collect();
    let again = told.iter().filter(|sent| heard.iter().any(|before| before.id == sent.id)).count();
    let rings = rings?;
    see(
        rings == missed && anew == 0 && again == 0 && !missed.contains(&first),
        format!("missed {missed:?}, told {rings:?}; {again} told twice: {:?}", names(&told)),
    )
}

pub(super) async fn resyncs(stage: &mut Stage) -> Seen {
    let mut stream = open(stage, &stage.guest, Some("nobody-told-this")).await?;
    let events = up_to(stage, &mut stream, "synchronized").await?;
    let twins = events.iter().filter(|sent| sent.name == "twin").count();
    see(events[0].name == "resync" && twins > 1, format!("{:?}", names(&events)))
}

pub(super) async fn foreign(stage: &mut Stage) -> Seen {
    let mut stream = open(stage, &stage.guest, None).await?;
    let heard = up_to(stage, &mut stream, "synchronized").await?;
    let middle = heard.first().map(|sent| sent.id.clone()).unwrap_or_default();
    drop(stream);
    let mut theirs = open(stage, &stage.friend, Some(&middle)).await?;
    let events = up_to(stage, &mut theirs, "synchronized").await?;
    let same = events.iter().filter(|sent| heard.iter().any(|before| before.id == sent.id)).count();
    see(events[0].name == "resync" && same == 0, format!("{same} events of the other one: {:?}", names(&events)))
}
