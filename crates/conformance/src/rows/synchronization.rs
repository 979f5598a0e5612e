//! Virtual and physical objects are kept alike, in both directions (DTS).

use std::collections::{BTreeMap, BTreeSet};

use vestibule_model::{BlobRef, CommandStatus, EventKind, FeatureId, Right, TwinInfo, TwinSelector, Value};
use vestibule_protocol::{DiiDown, DiiUp, Interest, News, Occurrence, Party, Request};

use crate::{
    Seen, Stage,
    actor::{Actor, Spot, see},
    catalogue::rows,
    things::{door, lamp, place},
    wire::Part,
};

rows! { Synchronization:
    "REQ-DT-02", "FGMV-28 8", "the system of a twin is looked up and spoken to" => maintained;
    "REQ-DT-06", "FGMV-28 8", "an avatar hears one twin's bell and moves another twin" => meets;
    "REQ-DT-07", "FGMV-28 8", "a guest asks for fresh reports" => on_request;
    "REQ-MV-02", "FGMV-28 8", "a world selects two twins of two systems" => selected;
    "REQ-MV-03", "FGMV-28 8", "a guest looks through the camera of a door" => experienced;
    "REQ-MV-04", "FGMV-28 8, FGMV-29 8.3.4", "a lamp changes colour, a door is moved" => moves;
    "REQ-SI-01", "FGMV-28 8", "a twin system and a world speak to each other" => both_ways;
    "REQ-SI-02b", "FGMV-28 8", "a world connects to the one system that its user wants" => wanted;
    "DTS.away", "FGMV-29 8.3.4", "a twin is taken away by its system" => gone;
}

async fn maintained(stage: &mut Stage) -> Seen {
    let twin = stage.home.twin("door");
    let view = stage.guest.twin(&twin).await?;
    let query = vestibule_model::SystemQuery {
        text: Some(view.info.id.system().to_string()),
        online: Some(true),
        ..Default::default()
    };
    let systems = stage.guest.systems(query).await?;
    let known = systems.iter().any(|view| *view.info == stage.home.info);
    stage.home.tell(DiiUp::Heartbeat).await?;
    see(known && view.reachable, format!("{} is there, and so is {}", view.info.id.system(), twin))
}

async fn meets(stage: &mut Stage) -> Seen {
    let (bell, lamp) = (stage.yard.twin("door"), stage.home.twin("lamp"));
    let mark = stage.guest.mark();
    let press = Occurrence {
        twin: bell.clone(),
        feature: FeatureId::slug("bell"),
        event: EventKind::slug("press"),
        details: BTreeMap::new(),
        at: stage.yard.actor.now(),
    };
    stage.yard.tell(DiiUp::Occurred(press)).await?;
    let rings = |news: &News| match news {
        News::Occurred(heard) if heard.twin == bell && heard.event.as_str() == "press" => Some(()),
        _ => None,
    };
    stage.guest.hears(mark, "the bell", rings).await?;
    let rule = stage.rule("reacts", &stage.guest, TwinSelector::Twin(lamp.clone()), Right::ActAny);
    let spot = Spot::new(&lamp, "light", "on");
    let play = async {
        stage.home.report(&spot, Value::Bool(false)).await?;
        let command = stage.guest.command(&lamp, "light", "turn_on");
        stage.guest.act(&command).await?;
        stage.home.obey(command.id, &spot, Value::Bool(true)).await?;
        stage.guest.command_is(command.id, "confirmed", |status| *status == CommandStatus::Confirmed).await
    };
    let status = stage.under(rule, play).await?;
    Ok(format!("{bell} rang, the avatar turned {lamp} on: {status}"))
}

async fn on_request(stage: &mut Stage) -> Seen {
    let twin = stage.home.twin("probe");
    let mark = stage.home.actor.mark();
    stage.guest.done(Request::Refresh(twin.clone())).await?;
    let asked = |news: &News| matches!(news, News::Dii(DiiDown::Refresh(about)) if *about == twin).then_some(());
    stage.home.actor.hears(mark, "that fresh reports are wanted", asked).await?;
    let spot = Spot::new(&twin, "light", "brightness");
    stage.home.report(&spot, Value::Float(0.25)).await?;
    let is = |value: &Option<Value>| value.as_ref().and_then(Value::as_f64) == Some(0.25);
    stage.guest.reads(&spot, "a fresh report", |reading| is(&reading.value)).await?;
    Ok("its system was asked, its report arrived".to_owned())
}

/// The guest's second world, which is interested in something else.
async fn world(stage: &Stage, interest: Interest) -> Result<Actor, String> {
    let part = Part { party: Party::Metaverse, interest };
    Actor::connect(stage.transport.as_ref(), stage.guest.key().clone(), part, stage.patience).await
}

/// The twins that a world is shown at first.
async fn shown(world: &Actor) -> Result<BTreeSet<vestibule_model::TwinId>, String> {
    world.hears(0, "synchronized", |news| matches!(news, News::Synchronized).then_some(())).await?;
    Ok(world.heard(0, |news| {
        let twins = news.iter().filter_map(|news| match news {
            News::Twin(view) => Some(view.info.id.clone()),
            _ => None,
        });
        twins.collect()
    }))
}

async fn selected(stage: &mut Stage) -> Seen {
    let twins = vec![stage.home.twin("lamp"), stage.yard.twin("door")];
    let world = world(stage, Interest::Twins(twins.clone())).await?;
    let found = shown(&world).await?;
    see(found == twins.into_iter().collect(), format!("shown: {found:?}"))
}

async fn wanted(stage: &mut Stage) -> Seen {
    let world = world(stage, Interest::Systems(vec![stage.yard.id().clone()])).await?;
    let found = shown(&world).await?;
    see(found == [stage.yard.twin("door")].into(), format!("shown: {found:?}"))
}

async fn experienced(stage: &mut Stage) -> Seen {
    // Longer than a frame of the network, not the same all over.
    let picture: Vec<u8> = (0..100_000_u32).map(|number| u8::try_from(number % 251).unwrap_or_default()).collect();
    let blob = BlobRef::of(&picture, "image/jpeg");
    stage.home.tell(DiiUp::Blob { bytes: picture.clone(), media: "image/jpeg".to_owned() }).await?;
    let spot = Spot::new(&stage.home.twin("door"), "camera", "picture");
    stage.home.report(&spot, Value::Blob(blob.clone())).await?;
    let is = Some(Value::Blob(blob.clone()));
    stage.guest.reads(&spot, "the picture", |reading| reading.value == is).await?;
    let bytes = stage.guest.fetch(&blob).await?;
    see(bytes == picture, format!("{} bytes, the same: {}", bytes.len(), bytes == picture))
}

async fn moves(stage: &mut Stage) -> Seen {
    let color = Spot::new(&stage.home.twin("lamp"), "light", "color");
    let orange = Value::Color([255, 128, 0]);
    stage.home.report(&color, orange.clone()).await?;
    let is = Some(orange);
    stage.guest.reads(&color, "the colour", |reading| reading.value == is).await?;
    let twin = stage.home.twin("door");
    let moved = TwinInfo { place: Some(place([4.0, 0.0, -2.5])), ..door(&twin) };
    let mark = stage.guest.mark();
    stage.home.describe(moved.clone()).await?;
    let stands = |news: &News| match news {
        News::Twin(view) if view.info.id == twin => (view.info.place == moved.place).then_some(()),
        _ => None,
    };
    let seen = stage.guest.hears(mark, "the door where it stands now", stands).await;
    // Back, for the rows after this one.
    stage.home.describe(door(&twin)).await?;
    seen?;
    Ok("the colour and the place were followed".to_owned())
}

async fn both_ways(stage: &mut Stage) -> Seen {
    let spot = Spot::new(&stage.home.twin("probe"), "light", "brightness");
    stage.home.report(&spot, Value::Float(0.5)).await?;
    let near = |due: f64| {
        move |reading: &vestibule_protocol::WireReading| reading.value.as_ref().and_then(Value::as_f64) == Some(due)
    };
    stage.owner.reads(&spot, "half", near(0.5)).await?;
    let mut command = stage.owner.command(&spot.twin, "light", "set_brightness");
    command.input = Some(Value::Float(0.75));
    stage.owner.act(&command).await?;
    let execution = stage.home.hears_execution(command.id).await?;
    let input = execution.input.as_ref().and_then(Value::as_f64);
    stage.home.obey(command.id, &spot, Value::Float(0.75)).await?;
    stage.owner.reads(&spot, "three quarters", near(0.75)).await?;
    see(input == Some(0.75), format!("0.5 was reported, {input:?} was asked for and came true"))
}

async fn gone(stage: &mut Stage) -> Seen {
    let twin = stage.home.twin("visitor");
    let mark = stage.guest.mark();
    stage.home.describe(lamp(&twin)).await?;
    let comes = |news: &News| matches!(news, News::Twin(view) if view.info.id == twin).then_some(());
    stage.guest.hears(mark, "the new twin", comes).await?;
    stage.home.tell(DiiUp::Gone(twin.clone())).await?;
    let goes = |news: &News| matches!(news, News::Gone(gone) if *gone == twin).then_some(());
    stage.guest.hears(mark, "that it is gone", goes).await?;
    let left = stage.owner.list(stage.home.id()).await?.iter().any(|view| view.info.id == twin);
    see(!left, "came and went in the guest's world; not listed any more")
}
