//! One holder for each physical object (S3, REQ-DT-08): who has it, whose turn it is, and what whoever has it not hears.

use vestibule_model::{
    LeaseEnd, LeaseId, LeaseRequest, LeaseStatus, LeaseUpdate, PastEntry, PastFact, RefusalCode, Right, Rule, TwinId,
    TwinSelector,
};
use vestibule_protocol::{DiiDown, DiiUp, News, Request, Response};

use crate::{
    Seen, Stage,
    actor::{Actor, instead, see},
    catalogue::rows,
    things::lamp,
};

rows! { Leases:
    "S3.integrated", "FGMV-28 7.1.3", "a guest wants a robot that nobody has" => integrated;
    "S3.one", "FGMV-28 7.1.3", "another guest wants it meanwhile" => one;
    "S3.queue", "FGMV-28 7.1.3", "the other one waits, and looks at the queue" => queue;
    "S3.renew", "FGMV-28 7.1.3", "the holder wants it for longer" => renew;
    "INV-3.act", "requirements 3", "both give commands" => acts;
    "S3.next", "FGMV-28 7.1.3", "the holder gives it back" => next;
    "INV-3.fence", "requirements 3", "whoever had it gives one more command" => fenced;
    "REQ-DT-08", "FGMV-28 8", "two wait, the more important one came later" => priority;
    "S3.expiry", "FGMV-28 7.1.3", "a holder does not renew" => expiry;
    "S3.history", "FGMV-28 7.1.3", "a guest looks back at who had it" => history;
    "S3.exactly", "FGMV-28 7.1.3", "everybody is asked what they heard" => exactly;
}

/// A lease as its user follows it.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    id: LeaseId,
    fence: u64,
}

fn robot(stage: &Stage) -> TwinId {
    stage.home.twin("robot")
}

fn rule(stage: &Stage, id: &str, who: &Actor, priority: u8) -> Rule {
    let rule = stage.rule(id, who, TwinSelector::Twin(robot(stage)), Right::ActAny);
    Rule { priority: Some(priority), ..rule }
}

/// Asks for the robot.
async fn ask(
    stage: &Stage,
    who: &Actor,
    id: LeaseId,
    ttl_ms: u64,
    wait_ms: u64,
) -> Result<Result<LeaseUpdate, vestibule_model::Refusal>, String> {
    let request = LeaseRequest { id, twin: robot(stage), priority: u8::MAX, ttl_ms, wait_ms };
    match who.ask(Request::Lease(request)).await {
        Ok(Response::Lease(update)) => Ok(Ok(update)),
        Err(refusal) => Ok(Err(refusal)),
        other => Err(instead("a lease", &other)),
    }
}

/// Asks for the robot, and has to be granted it or get a place in the queue.
async fn wants(stage: &Stage, who: &Actor, ttl_ms: u64, wait_ms: u64) -> Result<LeaseUpdate, String> {
    let id = LeaseId(rand::random());
    ask(stage, who, id, ttl_ms, wait_ms).await?.map_err(|refusal| format!("refused: {refusal}"))
}

/// Waits until the twin system is told of a holder, and confirms it; the fencing token.
async fn confirm(stage: &Stage, lease: LeaseId) -> Result<u64, String> {
    let twin = robot(stage);
    let told = |news: &News| match news {
        News::Dii(DiiDown::Integrate { twin: about, lease: one, fence, .. }) if (about, *one) == (&twin, lease) => {
            Some(*fence)
        }
        _ => None,
    };
    let fence = stage.home.actor.hears(0, "that somebody holds the robot", told).await?;
    stage.home.tell(DiiUp::Integrated { twin, fence }).await?;
    Ok(fence)
}

/// Waits until somebody hears that a lease has come so far.
async fn hears(
    who: &Actor,
    lease: LeaseId,
    what: &str,
    fits: impl Fn(&LeaseStatus) -> bool,
) -> Result<LeaseUpdate, String> {
    let is = |news: &News| match news {
        News::Lease(update) if update.lease == lease && fits(&update.status) => Some(update.clone()),
        _ => None,
    };
    who.hears(0, &format!("that the lease is {what}"), is).await
}

async fn release(who: &Actor, lease: LeaseId) -> Result<LeaseUpdate, String> {
    match who.ask(Request::ReleaseLease(lease)).await {
        Ok(Response::Lease(update)) => Ok(update),
        other => Err(instead("the lease", &other)),
    }
}

async fn waits_for(who: &Actor, twin: &TwinId) -> Result<Vec<LeaseUpdate>, String> {
    match who.ask(Request::Leases { twin: twin.clone() }).await {
        Ok(Response::Leases(updates)) => Ok(updates),
        other => Err(instead("the queue", &other)),
    }
}

/// The lease that the first row was granted, and its fencing token.
fn first(stage: &Stage) -> Result<Wanted, String> {
    stage.first.clone().ok_or_else(|| "nobody has the robot".to_owned())
}

/// The lease that waits for it.
fn second(stage: &Stage) -> Result<Wanted, String> {
    stage.second.clone().ok_or_else(|| "nobody waits for the robot".to_owned())
}

async fn integrated(stage: &mut Stage) -> Seen {
    stage.home.describe(lamp(&robot(stage))).await?;
    stage.set_rule(rule(stage, "robot-guest", &stage.guest, 7)).await?;
    stage.set_rule(rule(stage, "robot-friend", &stage.friend, 1)).await?;
    let granted = wants(stage, &stage.guest, 60_000, 0).await?;
    let fence = confirm(stage, granted.lease).await?;
    stage.first = Some(Wanted { id: granted.lease, fence });
    let update = hears(&stage.guest, granted.lease, "integrated", |status| *status == LeaseStatus::Integrated).await?;
    let right = update.user.as_ref() == Some(stage.guest.user()) && update.fence == Some(fence);
    see(right, format!("{}, then {}, fence {fence}, priority {}", granted.status, update.status, update.priority))
}

async fn one(stage: &mut Stage) -> Seen {
    first(stage)?;
    match ask(stage, &stage.friend, LeaseId(rand::random()), 60_000, 0).await? {
        Err(refusal) => see(refusal.code == RefusalCode::Held, refusal.to_string()),
        Ok(update) => Err(format!("the other one is {} as well", update.status)),
    }
}

async fn queue(stage: &mut Stage) -> Seen {
    let holder = first(stage)?;
    let update = wants(stage, &stage.friend, 60_000, 600_000).await?;
    stage.second = Some(Wanted { id: update.lease, fence: 0 });
    let LeaseStatus::Waiting { position, expected_ms } = update.status else {
        return Err(format!("it is {} although somebody has it", update.status));
    };
    let listed = waits_for(&stage.friend, &robot(stage)).await?;
    let ids: Vec<_> = listed.iter().map(|update| update.lease).collect();
    let name = listed.first().and_then(|holder| holder.user.clone());
    see(
        position == 1 && expected_ms > 0 && ids == [holder.id, update.lease] && name.is_none(),
        format!("place {position}, about {expected_ms} ms; {} in the list, the holder's name {name:?}", ids.len()),
    )
}

async fn renew(stage: &mut Stage) -> Seen {
    let holder = first(stage)?;
    let before = waits_for(&stage.owner, &robot(stage)).await?.first().and_then(|update| update.until);
    // A moment later the same length ends later.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let update = match stage.guest.ask(Request::RenewLease(holder.id)).await {
        Ok(Response::Lease(update)) => update,
        other => return Err(instead("the lease", &other)),
    };
    see(update.until > before && before.is_some(), format!("until {:?}, was {before:?}", update.until))
}

async fn acts(stage: &mut Stage) -> Seen {
    let (mine, theirs) = (first(stage)?, second(stage)?);
    let twin = robot(stage);
    let mut without = stage.friend.command(&twin, "light", "turn_on");
    stage.friend.refused(Request::Actuate(without.clone()), RefusalCode::Held).await?;
    without.lease = Some(theirs.id);
    let refusal = stage.friend.refused(Request::Actuate(without.clone()), RefusalCode::Held).await?;
    let mut command = stage.guest.command(&twin, "light", "turn_on");
    command.lease = Some(mine.id);
    stage.guest.act(&command).await?;
    let execution = stage.home.hears_execution(command.id).await?;
    let spot = crate::actor::Spot::new(&twin, "light", "on");
    stage.home.obey(command.id, &spot, vestibule_model::Value::Bool(true)).await?;
    let leaked = stage.home.executions(without.id);
    see(
        execution.fence == Some(mine.fence) && leaked == 0,
        format!("the holder's with fence {:?}; the other's: {refusal}", execution.fence),
    )
}

async fn next(stage: &mut Stage) -> Seen {
    let (mine, theirs) = (first(stage)?, second(stage)?);
    release(&stage.guest, mine.id).await?;
    let twin = robot(stage);
    let let_go = |news: &News| match news {
        News::Dii(DiiDown::Released { twin: about, fence }) if *about == twin && *fence == mine.fence => Some(()),
        _ => None,
    };
    stage.home.actor.hears(0, "that the first one let go", let_go).await?;
    let fence = confirm(stage, theirs.id).await?;
    stage.second = Some(Wanted { id: theirs.id, fence });
    hears(&stage.friend, theirs.id, "integrated", |status| *status == LeaseStatus::Integrated).await?;
    let over = hears(&stage.guest, mine.id, "over", |status| matches!(status, LeaseStatus::Ended { .. })).await?;
    let right = over.status == LeaseStatus::Ended { reason: LeaseEnd::Released } && fence > mine.fence;
    see(right, format!("{}; then the other one has it, fence {fence} after {}", over.status, mine.fence))
}

async fn fenced(stage: &mut Stage) -> Seen {
    let (mine, theirs) = (first(stage)?, second(stage)?);
    let mut late = stage.guest.command(&robot(stage), "light", "turn_off");
    late.lease = Some(mine.id);
    let refusal = match stage.guest.ask(Request::Actuate(late.clone())).await {
        Err(refusal) => refusal,
        other => return Err(instead("a refusal", &other)),
    };
    let mut command = stage.friend.command(&robot(stage), "light", "turn_off");
    command.lease = Some(theirs.id);
    stage.friend.act(&command).await?;
    let spot = crate::actor::Spot::new(&robot(stage), "light", "on");
    stage.home.obey(command.id, &spot, vestibule_model::Value::Bool(false)).await?;
    let execution = stage.home.hears_execution(command.id).await?;
    let leaked = stage.home.executions(late.id);
    see(
        leaked == 0 && execution.fence == Some(theirs.fence) && theirs.fence > mine.fence,
        format!("the new holder's with fence {:?}; {refusal}", execution.fence),
    )
}

async fn priority(stage: &mut Stage) -> Seen {
    let holder = wants(stage, &stage.owner, 60_000, 600_000).await?;
    release(&stage.friend, second(stage)?.id).await?;
    confirm(stage, holder.lease).await?;
    hears(&stage.owner, holder.lease, "integrated", |status| *status == LeaseStatus::Integrated).await?;
    // The friend's priority is 1, the guest's 7, whatever they ask for.
    let less = wants(stage, &stage.friend, 60_000, 600_000).await?;
    let more = wants(stage, &stage.guest, 60_000, 600_000).await?;
    let ids: Vec<_> = waits_for(&stage.owner, &robot(stage)).await?.iter().map(|update| update.lease).collect();
    let refused = ask(stage, &stage.friend, LeaseId(rand::random()), 60_000, 0).await?;
    release(&stage.owner, holder.lease).await?;
    let fence = confirm(stage, more.lease).await;
    let won = hears(&stage.guest, more.lease, "integrated", |status| *status == LeaseStatus::Integrated).await;
    release(&stage.friend, less.lease).await?;
    release(&stage.guest, more.lease).await?;
    let (fence, won) = (fence?, won?);
    let right = ids == [holder.lease, more.lease, less.lease] && won.priority == 7 && less.priority == 1;
    let Err(refusal) = refused else { return Err("whoever would not wait was let in".to_owned()) };
    see(
        right && refusal.code == RefusalCode::Held,
        format!("priority {} before {}, fence {fence}; without waiting: {refusal}", won.priority, less.priority),
    )
}

async fn expiry(stage: &mut Stage) -> Seen {
    let short = wants(stage, &stage.guest, 1_000, 0).await?;
    let next = wants(stage, &stage.friend, 60_000, 600_000).await?;
    let over = hears(&stage.guest, short.lease, "over", |status| matches!(status, LeaseStatus::Ended { .. })).await?;
    confirm(stage, next.lease).await?;
    hears(&stage.friend, next.lease, "integrated", |status| *status == LeaseStatus::Integrated).await?;
    release(&stage.friend, next.lease).await?;
    see(
        over.status == LeaseStatus::Ended { reason: LeaseEnd::Expired },
        format!("{}; whoever waited has it", over.status),
    )
}

/// All that was decided about the robot, as somebody may see it.
async fn past(stage: &Stage, who: &Actor) -> Result<Vec<PastEntry>, String> {
    let (mut after, mut all) = (0, Vec::new());
    loop {
        match who.ask(Request::History { twin: robot(stage), after, limit: 20 }).await {
            Ok(Response::History(page)) => {
                all.extend(page.entries);
                match page.next {
                    Some(next) if next > after => after = next,
                    Some(next) => return Err(format!("the page behind {after} ends at {next}")),
                    None => return Ok(all),
                }
            }
            other => return Err(instead("a page of the past", &other)),
        }
    }
}

async fn history(stage: &mut Stage) -> Seen {
    let holder = first(stage)?;
    let entries = past(stage, &stage.guest).await?;
    let leases = entries.iter().filter_map(|entry| match &entry.what {
        PastFact::Lease(update) => Some(update),
        _ => None,
    });
    let leases: Vec<&LeaseUpdate> = leases.collect();
    let mine: Vec<&LeaseStatus> =
        leases.iter().filter(|update| update.lease == holder.id).map(|update| &update.status).collect();
    let begins = mine.contains(&&LeaseStatus::Integrated);
    let ends = mine.last() == Some(&&LeaseStatus::Ended { reason: LeaseEnd::Released });
    let named = leases
        .iter()
        .filter(|update| update.lease == holder.id)
        .all(|update| update.user.as_ref() == Some(stage.guest.user()));
    // Whose the others were is nothing that a guest is told.
    let strangers = leases.iter().filter_map(|update| update.user.as_ref()).filter(|user| *user != stage.guest.user());
    let others = leases.iter().filter(|update| update.user.is_none()).count();
    let strangers = strangers.count();
    see(
        begins && ends && named && strangers == 0 && others > 0,
        format!("{} of its own, {others} of others, {strangers} of them named", mine.len()),
    )
}

/// Leases of which somebody has heard that they, and nobody else, have the robot: by their own user's name.
fn won(who: &Actor) -> Vec<LeaseId> {
    who.heard(0, |news| {
        let mut mine: Vec<_> = news
            .iter()
            .filter_map(|news| match news {
                News::Lease(update) if update.status == LeaseStatus::Integrated => {
                    (update.user.as_ref() == Some(who.user())).then_some(update.lease)
                }
                _ => None,
            })
            .collect();
        mine.sort_unstable();
        mine.dedup();
        mine
    })
}

async fn exactly(stage: &mut Stage) -> Seen {
    let everybody = [&stage.guest, &stage.friend, &stage.owner];
    let wins: Vec<LeaseId> = everybody.into_iter().flat_map(won).collect();
    let mut once = wins.clone();
    once.sort_unstable();
    once.dedup();
    // What the twin system was told and confirmed, in order: a holder, then none, then the next one.
    let order: Vec<(u64, bool)> = stage.home.actor.heard(0, |news| {
        let told = news.iter().filter_map(|news| match news {
            News::Dii(DiiDown::Integrate { fence, .. }) => Some((*fence, true)),
            News::Dii(DiiDown::Released { fence, .. }) => Some((*fence, false)),
            _ => None,
        });
        told.collect()
    });
    let mut holder = None;
    for (fence, begins) in order {
        match holder {
            Some(held) if begins && fence != held => return Err(format!("{fence} began while {held} was held")),
            _ => holder = begins.then_some(fence),
        }
    }
    see(once.len() == wins.len() && !wins.is_empty(), format!("{} integrations, each told to one user", wins.len()))
}
