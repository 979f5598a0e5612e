//! What is shown as real was reported; nothing is done late, twice, or without being written down.

use vestibule_model::{Command, CommandStatus, SystemId, Truth, Value};
use vestibule_protocol::{DiiDown, DiiUp, Interest, LogLine, News, Request, Response, WireReading};

use crate::{
    Seen, Stage,
    actor::{Spot, brief, instead, says_nothing, see},
    catalogue::rows,
};

rows! { Truth:
    "INV-1.live", "requirements 1", "a lamp reports" => live;
    "INV-1.pending", "requirements 1", "a lamp is to be turned on, and has not said so yet" => pending;
    "INV-1.executed", "requirements 1", "its system says that it has passed that on" => passed_on;
    "INV-1.confirmed", "requirements 1", "the lamp says that it is on" => confirmed;
    "INV-1.diverged", "requirements 1", "it is turned off, and never says so" => diverged;
    "INV-1.stale", "requirements 1", "its device is out of reach" => stale;
    "INV-1.newest", "requirements 1, FGMV-29 8.3.4", "an older report comes after a newer one" => newest;
    "INV-2.failed", "requirements 2", "its system says that it cannot" => failed;
    "INV-2.waits", "requirements 2", "a command for a device that comes back in time" => waits;
    "INV-2.late", "requirements 2", "a command for a device that comes back too late" => late;
    "INV-2.once", "requirements 2", "the same command is sent three times" => once;
    "INV-6.log", "requirements 6", "the log is asked who turned the lamp on" => logged;
    "P2.apart", "FGMV-29 9.2, note", "a twin system asks and says what is another's" => apart;
}

fn spot(stage: &Stage) -> Spot {
    Spot::new(&stage.home.twin("probe"), "light", "on")
}

fn is(on: bool, truth: Truth) -> impl Fn(&WireReading) -> bool {
    move |reading| reading.value == Some(Value::Bool(on)) && reading.truth == truth
}

fn on(stage: &Stage) -> Command {
    stage.owner.command(&stage.home.twin("probe"), "light", "turn_on")
}

/// Off, as the lamp itself says, and nothing else is wanted.
async fn off(stage: &Stage) -> Result<WireReading, String> {
    // Whatever a row before has left to be wished for has come true once.
    stage.home.report(&spot(stage), Value::Bool(true)).await?;
    let revision = stage.home.report(&spot(stage), Value::Bool(false)).await?;
    let fits = |reading: &WireReading| is(false, Truth::Live)(reading) && reading.revision >= revision;
    stage.owner.reads(&spot(stage), "off, live", fits).await
}

async fn live(stage: &mut Stage) -> Seen {
    let reading = off(stage).await?;
    see(reading.age_ms.is_some() && reading.desired.is_none(), format!("off, live, {:?} ms old", reading.age_ms))
}

async fn pending(stage: &mut Stage) -> Seen {
    off(stage).await?;
    let command = on(stage);
    stage.pending = Some(command.clone());
    stage.owner.act(&command).await?;
    stage.home.hears_execution(command.id).await?;
    let pends =
        |reading: &WireReading| is(false, Truth::Pending)(reading) && reading.desired == Some(Value::Bool(true));
    stage.owner.reads(&spot(stage), "off, pending on", pends).await?;
    Ok("still off, on is wanted".to_owned())
}

fn pending_command(stage: &Stage) -> Result<Command, String> {
    stage.pending.clone().ok_or_else(|| "nothing is pending".to_owned())
}

async fn passed_on(stage: &mut Stage) -> Seen {
    let command = pending_command(stage)?;
    stage.home.outcome(command.id, CommandStatus::Executed).await?;
    let status = stage.owner.command_is(command.id, "passed on", |status| *status == CommandStatus::Executed).await?;
    let view = stage.owner.twin(&command.twin).await?;
    let reading = crate::actor::view_reading(&view, &spot(stage)).ok_or("no such reading")?;
    see(is(false, Truth::Pending)(&reading), format!("{status}; the lamp is shown {}", brief(&reading.value)))
}

async fn confirmed(stage: &mut Stage) -> Seen {
    let command = pending_command(stage)?;
    stage.home.report(&spot(stage), Value::Bool(true)).await?;
    stage.owner.reads(&spot(stage), "on, live", is(true, Truth::Live)).await?;
    let status = stage.owner.command_is(command.id, "confirmed", |status| *status == CommandStatus::Confirmed).await?;
    Ok(format!("on, live; {status}"))
}

async fn diverged(stage: &mut Stage) -> Seen {
    stage.home.report(&spot(stage), Value::Bool(true)).await?;
    let mut command = stage.owner.command(&stage.home.twin("probe"), "light", "turn_off");
    command.not_after = stage.owner.now().plus(2_000);
    stage.owner.act(&command).await?;
    stage.home.hears_execution(command.id).await?;
    stage.home.outcome(command.id, CommandStatus::Executed).await?;
    let status = stage.owner.command_is(command.id, "over", CommandStatus::is_final).await?;
    let reading = stage.owner.reads(&spot(stage), "on, diverged", is(true, Truth::Diverged)).await?;
    // The next report of what it is now ends that.
    stage.home.report(&spot(stage), Value::Bool(false)).await?;
    stage.owner.reads(&spot(stage), "off, live", is(false, Truth::Live)).await?;
    see(status == CommandStatus::Expired, format!("{status}; on, {}, then live again", reading.truth.word()))
}

async fn stale(stage: &mut Stage) -> Seen {
    off(stage).await?;
    let twin = stage.home.twin("probe");
    stage.home.reach(&twin, false).await?;
    let away = stage.owner.reads(&spot(stage), "off, stale", is(false, Truth::Stale)).await;
    stage.home.reach(&twin, true).await?;
    away?;
    stage.owner.reads(&spot(stage), "off, live", is(false, Truth::Live)).await?;
    Ok("off, stale; live again once it is there".to_owned())
}

async fn newest(stage: &mut Stage) -> Seen {
    off(stage).await?;
    let old = stage.home.next_revision();
    let new = stage.home.next_revision().max(old + 1);
    stage.home.tell(stage.home.says(&spot(stage), Value::Bool(true), new)).await?;
    // Whether it is refused or passed over is the enabler's choice; that it shows is not.
    let _ = stage.home.tell(stage.home.says(&spot(stage), Value::Bool(false), old)).await;
    let other = Spot { property: vestibule_model::PropertyId::slug("brightness"), ..spot(stage) };
    stage.home.report(&other, Value::Float(0.125)).await?;
    let after = |reading: &WireReading| reading.value.as_ref().and_then(Value::as_f64) == Some(0.125);
    stage.owner.reads(&other, "what was reported after both", after).await?;
    let view = stage.owner.twin(&other.twin).await?;
    let reading = crate::actor::view_reading(&view, &spot(stage)).ok_or("no such reading")?;
    stage.owner.reads(&spot(stage), "on", |reading| reading.value == Some(Value::Bool(true))).await?;
    see(reading.value == Some(Value::Bool(true)), format!("{} stays", brief(&reading.value)))
}

async fn failed(stage: &mut Stage) -> Seen {
    off(stage).await?;
    let command = on(stage);
    stage.owner.act(&command).await?;
    stage.home.hears_execution(command.id).await?;
    let reason = "the kit's lamp has no bulb".to_owned();
    stage.home.outcome(command.id, CommandStatus::Failed { reason: reason.clone() }).await?;
    let status = stage.owner.command_is(command.id, "over", CommandStatus::is_final).await?;
    let right = matches!(&status, CommandStatus::Failed { reason: said } if *said == reason);
    // It should have become on and is not: that is neither pending nor as it should be.
    stage.owner.reads(&spot(stage), "off, diverged", is(false, Truth::Diverged)).await?;
    off(stage).await?;
    see(right, format!("{status}; off, diverged, until it was on once"))
}

async fn waits(stage: &mut Stage) -> Seen {
    let twin = stage.home.twin("probe");
    off(stage).await?;
    stage.home.reach(&twin, false).await?;
    let command = on(stage);
    let taken = stage.owner.act(&command).await;
    let early = stage.home.executions(command.id);
    stage.home.reach(&twin, true).await?;
    let taken = taken?;
    stage.home.obey(command.id, &spot(stage), Value::Bool(true)).await?;
    let status = stage.owner.command_is(command.id, "over", CommandStatus::is_final).await?;
    let right = taken.status == CommandStatus::Accepted && early == 0 && status == CommandStatus::Confirmed;
    see(right, format!("{} while it was away, {status} after", taken.status))
}

/// Whether a later command has come to the system, and how often an earlier one has by then.
async fn executions_before(stage: &Stage, earlier: &Command) -> Result<usize, String> {
    let command = stage.owner.command(&earlier.twin, "light", "turn_off");
    stage.owner.act(&command).await?;
    stage.home.obey(command.id, &spot(stage), Value::Bool(false)).await?;
    stage.owner.command_is(command.id, "over", CommandStatus::is_final).await?;
    Ok(stage.home.executions(earlier.id))
}

async fn late(stage: &mut Stage) -> Seen {
    let twin = stage.home.twin("probe");
    off(stage).await?;
    stage.home.reach(&twin, false).await?;
    let mut command = on(stage);
    command.not_after = stage.owner.now().plus(1_500);
    let taken = stage.owner.act(&command).await;
    let over = stage.owner.command_is(command.id, "over", CommandStatus::is_final).await;
    stage.home.reach(&twin, true).await?;
    taken?;
    let status = over?;
    let times = executions_before(stage, &command).await?;
    see(status == CommandStatus::Expired && times == 0, format!("{status}; executed {times} times"))
}

async fn once(stage: &mut Stage) -> Seen {
    off(stage).await?;
    let command = on(stage);
    for _ in 0..3 {
        stage.owner.act(&command).await?;
    }
    stage.home.obey(command.id, &spot(stage), Value::Bool(true)).await?;
    stage.owner.command_is(command.id, "confirmed", |status| *status == CommandStatus::Confirmed).await?;
    stage.owner.act(&command).await?;
    let times = executions_before(stage, &command).await?;
    stage.pending = Some(command);
    see(times == 1, format!("executed {times} time(s)"))
}

/// The log's newest lines, as many as the run may have made.
async fn log(stage: &Stage) -> Result<Vec<LogLine>, String> {
    let (mut lines, mut after): (Vec<LogLine>, u64) = (Vec::new(), 0);
    loop {
        let page = match stage.owner.ask(Request::Log { after, limit: 500 }).await {
            Ok(Response::Log(page)) => page,
            other => return Err(instead("lines of the log", &other)),
        };
        let Some(last) = page.last() else { return Ok(lines) };
        if last.sequence <= after {
            return Err(format!("lines after {after} were asked for, {} came", last.sequence));
        }
        after = last.sequence;
        lines.extend(page);
        // An enabler that has been there for years has many; the kit looks at its end.
        let surplus = lines.len().saturating_sub(20_000);
        lines.drain(..surplus);
    }
}

async fn logged(stage: &mut Stage) -> Seen {
    let command = pending_command(stage)?;
    let lines = log(stage).await?;
    let gaps = lines.windows(2).filter(|pair| pair[1].sequence != pair[0].sequence + 1).count();
    let bytes: Vec<String> = command.id.0.iter().map(u8::to_string).collect();
    let ids = [command.id.to_string(), format!("[{}]", bytes.join(","))];
    let about: Vec<_> = lines.iter().filter(|line| ids.iter().any(|id| line.event.contains(id.as_str()))).collect();
    let user = format!("\"{}\"", stage.owner.user());
    let who = about.iter().any(|line| line.event.contains(&user) && line.event.contains("\"rule\""));
    let apart = lines.windows(2).all(|pair| pair[0].hash != pair[1].hash && pair[0].at <= pair[1].at);
    see(
        gaps == 0 && who && apart,
        format!("{} lines, {gaps} gaps; {} about the command, user and rule named: {who}", lines.len(), about.len()),
    )
}

async fn apart(stage: &mut Stage) -> Seen {
    let (twin, yard) = (stage.home.twin("lamp"), &stage.yard);
    let mark = stage.home.actor.mark();
    let theirs = Spot::new(&twin, "light", "on");
    let requests = [
        Request::DescribeTwin(twin.clone()),
        Request::ListTwins { system: twin.system(), after: None, limit: 0 },
        Request::DiscoverSystems(vestibule_model::SystemQuery::default()),
        Request::Subscribe(Interest::All),
        Request::Refresh(twin.clone()),
        Request::Actuate(yard.actor.command(&twin, "light", "turn_on")),
        Request::Dii(yard.says(&theirs, Value::Bool(true), u64::MAX)),
        Request::Dii(DiiUp::Gone(twin.clone())),
        Request::Dii(DiiUp::Reachable { twin: twin.clone(), feature: None, reachable: false }),
    ];
    let mut refused = 0;
    for request in &requests {
        match yard.actor.ask(request.clone()).await {
            Err(_) => refused += 1,
            // A system may look where a user may (over HTTP any path is open to anybody); it finds nothing.
            Ok(response) if says_nothing(request, &response) => {}
            Ok(response) => return Err(format!("{} was answered with {}", brief(request), brief(&response))),
        }
    }
    let told = foreign(stage, yard.id());
    // Had the other one been told anything, it would have come before this.
    let command = stage.owner.command(&twin, "light", "turn_off");
    stage.owner.act(&command).await?;
    stage.home.obey(command.id, &theirs, Value::Bool(false)).await?;
    let others = stage.home.actor.heard(mark, |news| {
        news.iter()
            .filter(|news| !matches!(news, News::Dii(DiiDown::Execute(one)) if one.command == command.id))
            .count()
    });
    let view = stage.owner.twin(&twin).await?;
    see(
        told == 0 && others == 0 && view.reachable,
        format!("{refused} of {} requests refused, the others say nothing; nobody was told", requests.len()),
    )
}

/// What a twin system has heard of twins that are not its own.
fn foreign(stage: &Stage, system: &SystemId) -> usize {
    stage.yard.actor.heard(0, |news| {
        let is_foreign = |news: &&News| match news {
            News::Twin(view) => view.info.id.system() != *system,
            News::Readings { twin, .. } | News::Gone(twin) => twin.system() != *system,
            News::Dii(DiiDown::Execute(execution)) => execution.twin.system() != *system,
            News::Occurred(_) | News::Command(_) | News::System(_) => true,
            _ => false,
        };
        news.iter().filter(is_foreign).count()
    })
}
