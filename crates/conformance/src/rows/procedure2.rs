//! FGMV-29 9.2: a digital twin system is integrated, step by step.

use vestibule_model::{
    ActionId, CommandStatus, FeatureId, FeatureKind, Refusal, RefusalCode, Right, SystemQuery, Truth, TwinInfo,
    TwinPermission, TwinSelector, Value,
};
use vestibule_protocol::{
    CommandUpdate, DiiDown, DiiUp, Execution, InquiryAnswer, News, Participant, Procedure, Request, Response, TwinView,
};

use crate::{
    Seen, Stage,
    actor::{Spot, instead, one_twin, see},
    catalogue::rows,
    things::lamp,
};

rows! { Procedure2:
    "P2.1", "FGMV-29 9.2", "a twin system registers its information" => registers;
    "P2.2", "FGMV-29 9.2, 8.3.1", "its information and its list of twins are looked up" => managed;
    "P2.3", "FGMV-29 9.2", "the twin system listens for the response" => responded;
    "P2.4", "FGMV-29 9.2, 8.3.2", "a world searches by type of feature, text and state" => searches;
    "P2.5", "FGMV-29 9.2", "the same search for systems that are away" => found;
    "P2.6", "FGMV-29 9.2", "a guest asks for the list of twins" => lists;
    "P2.7", "FGMV-29 9.2", "the list is compared with what was described" => listed;
    "P2.8", "FGMV-29 9.2, 8.3.3", "a guest asks for properties and permission of a twin" => asked;
    "P2.9", "FGMV-29 9.2", "the twin system listens for the question" => forwarded;
    "P2.10", "FGMV-29 9.2", "it answers: changed, and only to be turned on" => answered;
    "P2.11", "FGMV-29 9.2, 8.3.5", "the twin is looked up again" => kept;
    "P2.12", "FGMV-29 9.2", "the guest waits for the response" => told;
    "P2.13", "FGMV-29 9.2", "the guest's world runs: it subscribes" => runs;
    "P2.14", "FGMV-29 9.2, 8.3.4", "the lamp is switched on by hand" => reflected;
    "P2.15", "FGMV-29 9.2", "the guest asks for the lamp to be turned on" => requested;
    "P2.16", "FGMV-29 9.2", "another guest, who may only look, asks for the same" => verified;
    "P2.17", "FGMV-29 9.2", "the twin system listens for both requests" => executed;
    "P2.18", "FGMV-29 9.2", "it answers, and the lamp reports" => confirmed;
    "P2.trace", "FGMV-29 9.2, Figure 5", "the guest asks which steps happened" => trace;
}

/// What came of P2.8 to P2.12, which are one exchange.
pub(crate) struct Acquired {
    /// What the twin system was asked, for whom.
    inquiry: Result<(), String>,
    /// Whether its answer was taken.
    taken: Result<(), String>,
    /// What the guest was told.
    told: Result<TwinView, String>,
}

/// What came of P2.15 to P2.18.
pub(crate) struct Commanded {
    requested: Result<CommandUpdate, String>,
    refused: Result<Refusal, String>,
    execution: Result<Execution, String>,
    /// Commands that the twin system was given although they had been refused.
    leaked: usize,
    confirmed: Result<CommandStatus, String>,
}

fn bench(stage: &Stage) -> TwinInfo {
    lamp(&stage.workshop.twin("lamp"))
}

/// The lamp as its system describes it when it is asked (P2.10).
fn changed(stage: &Stage) -> TwinInfo {
    TwinInfo { name: "The lamp has a new name".to_owned(), ..bench(stage) }
}

async fn registers(stage: &mut Stage) -> Seen {
    stage.workshop.register().await?;
    Ok(format!("{} was taken", stage.workshop.id()))
}

async fn managed(stage: &mut Stage) -> Seen {
    stage.workshop.describe(bench(stage)).await?;
    let query = SystemQuery { text: Some(stage.workshop.id().to_string()), ..SystemQuery::default() };
    let views = stage.owner.systems(query).await?;
    let [view] = views.as_slice() else { return Err(format!("{} systems have that id", views.len())) };
    let twins: Vec<_> =
        stage.owner.list(stage.workshop.id()).await?.into_iter().map(|view| view.info.id.clone()).collect();
    see(
        *view.info == stage.workshop.info && view.health.twins == 1 && twins == [stage.workshop.twin("lamp")],
        format!("{} is known with {} twin(s): {twins:?}", view.info.id, view.health.twins),
    )
}

async fn responded(stage: &mut Stage) -> Seen {
    let registered = |news: &News| matches!(news, News::Dii(DiiDown::Registered)).then_some(());
    stage.workshop.actor.hears(0, "registered", registered).await?;
    Ok("registered".to_owned())
}

fn search(stage: &Stage, online: bool) -> SystemQuery {
    SystemQuery {
        text: Some(stage.workshop.info.name.to_uppercase()),
        feature: Some(FeatureKind::Light),
        online: Some(online),
        ..SystemQuery::default()
    }
}

async fn searches(stage: &mut Stage) -> Seen {
    let found: Vec<_> =
        stage.guest.systems(search(stage, true)).await?.into_iter().map(|view| view.info.id.clone()).collect();
    see(found == [stage.workshop.id().clone()], format!("found {found:?}"))
}

async fn found(stage: &mut Stage) -> Seen {
    let away = stage.guest.systems(search(stage, false)).await?;
    see(away.is_empty(), format!("{} of the systems found are away", away.len()))
}

async fn lists(stage: &mut Stage) -> Seen {
    let twins = stage.guest.list(stage.workshop.id()).await?;
    see(twins.len() == 1, format!("{} twin(s)", twins.len()))
}

async fn listed(stage: &mut Stage) -> Seen {
    let twins = stage.guest.list(stage.workshop.id()).await?;
    let view = twins.first().ok_or("no twin")?;
    // A guest without the right to act sees no actions; the rest is as its system said.
    let mut due = bench(stage);
    due.features.values_mut().for_each(|feature| feature.actions.clear());
    see(*view.info == due, format!("{} with {} properties", view.info.id, view.info.properties().count()))
}

/// What came of P2.8 to P2.12.
fn acquired(stage: &Stage) -> Result<&Acquired, String> {
    stage.acquired.as_ref().ok_or_else(|| "nothing, because P2.8 could not be played".to_owned())
}

/// Plays P2.8 to P2.12: everybody's part at the same time.
async fn play_acquire(stage: &Stage) -> Result<Acquired, String> {
    let selector = TwinSelector::System(stage.workshop.id().clone());
    stage.set_rule(stage.rule("workshop-act", &stage.guest, selector, Right::ActAny)).await?;
    let twin = stage.workshop.twin("lamp");
    let asks = async { one_twin(stage.guest.ask(Request::Acquire(twin.clone())).await) };
    let answers = async {
        let inquiry = stage.workshop.actor.hears(0, "a question about the twin", |news| match news {
            News::Dii(DiiDown::Inquire { inquiry, twin, user }) => Some((*inquiry, twin.clone(), user.clone())),
            _ => None,
        });
        let (inquiry, about, user) = match inquiry.await {
            Ok(heard) => heard,
            Err(error) => return (Err(error.clone()), Err(error)),
        };
        let right = (&about, &user) == (&twin, stage.guest.user());
        let heard = if right { Ok(()) } else { Err(format!("{user} was said to ask about {about}")) };
        let only = [(FeatureId::slug("light"), [ActionId::slug("turn_on")].into())].into();
        let permission = TwinPermission::Only(only);
        let answer = InquiryAnswer::Twin { info: Box::new(changed(stage)), permission };
        (heard, stage.workshop.tell(DiiUp::Inquired { inquiry, answer }).await)
    };
    let (told, (inquiry, taken)) = tokio::join!(asks, answers);
    Ok(Acquired { inquiry, taken, told })
}

/// What of the view does not fit what the twin system has answered.
fn fits_answer(stage: &Stage, view: &TwinView) -> Seen {
    let actions: Vec<_> = view.info.features.values().flat_map(|feature| feature.actions.keys().cloned()).collect();
    see(
        view.info.name == changed(stage).name && actions == [ActionId::slug("turn_on")],
        format!("{:?}, actions {actions:?}", view.info.name),
    )
}

async fn asked(stage: &mut Stage) -> Seen {
    stage.acquired = Some(play_acquire(stage).await?);
    let view = acquired(stage)?.told.clone()?;
    Ok(format!("{} came", view.info.id))
}

async fn forwarded(stage: &mut Stage) -> Seen {
    acquired(stage)?.inquiry.clone()?;
    Ok("asked for this twin, on behalf of this guest".to_owned())
}

async fn answered(stage: &mut Stage) -> Seen {
    acquired(stage)?.taken.clone()?;
    Ok("the answer was taken".to_owned())
}

async fn kept(stage: &mut Stage) -> Seen {
    let view = stage.guest.twin(&stage.workshop.twin("lamp")).await?;
    fits_answer(stage, &view)
}

async fn told(stage: &mut Stage) -> Seen {
    let view = acquired(stage)?.told.clone()?;
    fits_answer(stage, &view)
}

async fn runs(stage: &mut Stage) -> Seen {
    let mark = stage.guest.mark();
    stage.guest.done(Request::Subscribe(stage.interest())).await?;
    stage.guest.hears(mark, "synchronized", |news| matches!(news, News::Synchronized).then_some(())).await?;
    let twin = stage.workshop.twin("lamp");
    let shown = stage.guest.heard(mark, |news| {
        let end = news.iter().position(|news| matches!(news, News::Synchronized)).unwrap_or(news.len());
        news[..end].iter().any(|news| matches!(news, News::Twin(view) if view.info.id == twin))
    });
    see(shown, format!("synchronized, {} among the twins: {shown}", twin.local()))
}

async fn reflected(stage: &mut Stage) -> Seen {
    let spot = Spot::new(&stage.workshop.twin("lamp"), "light", "on");
    stage.workshop.report(&spot, Value::Bool(false)).await?;
    let is = |on: bool| move |reading: &vestibule_protocol::WireReading| reading.value == Some(Value::Bool(on));
    stage.guest.reads(&spot, "off", is(false)).await?;
    stage.workshop.report(&spot, Value::Bool(true)).await?;
    let reading = stage.guest.reads(&spot, "on", is(true)).await?;
    see(reading.truth == Truth::Live, format!("on, {}", reading.truth.word()))
}

/// What came of P2.15 to P2.18.
fn commanded(stage: &Stage) -> Result<&Commanded, String> {
    stage.commanded.as_ref().ok_or_else(|| "nothing, because P2.15 could not be played".to_owned())
}

async fn play_command(stage: &Stage) -> Commanded {
    let twin = stage.workshop.twin("lamp");
    let spot = Spot::new(&twin, "light", "on");
    // Off first: what is on already would confirm itself.
    let off = stage.workshop.report(&spot, Value::Bool(false)).await.map(drop);
    let theirs = stage.friend.command(&twin, "light", "turn_on");
    let refused = stage.friend.refused(Request::Actuate(theirs.clone()), RefusalCode::Forbidden).await;
    let mine = stage.guest.command(&twin, "light", "turn_on");
    let requested = match off {
        Ok(()) => stage.guest.act(&mine).await,
        Err(error) => Err(error),
    };
    let execution = stage.workshop.hears_execution(mine.id).await;
    let execution = execution.and_then(|execution| {
        let asked = (&execution.twin, &execution.feature, &execution.action, execution.not_after);
        if asked == (&mine.twin, &mine.feature, &mine.action, mine.not_after) {
            Ok(execution)
        } else {
            Err(format!("something else than was asked for: {} {}", execution.twin, execution.action))
        }
    });
    // The refused one was asked for first: had it been forwarded, it would have come first.
    let leaked = stage.workshop.executions(theirs.id);
    let confirmed = async {
        stage.workshop.outcome(mine.id, CommandStatus::Executed).await?;
        stage.workshop.report(&spot, Value::Bool(true)).await?;
        stage.guest.command_is(mine.id, "confirmed", |status| *status == CommandStatus::Confirmed).await
    };
    Commanded { requested, refused, execution, leaked, confirmed: confirmed.await }
}

async fn requested(stage: &mut Stage) -> Seen {
    stage.commanded = Some(play_command(stage).await);
    let update = commanded(stage)?.requested.clone()?;
    Ok(format!("taken: {}", update.status))
}

async fn verified(stage: &mut Stage) -> Seen {
    let refusal = commanded(stage)?.refused.clone()?;
    Ok(refusal.to_string())
}

async fn executed(stage: &mut Stage) -> Seen {
    let commanded = commanded(stage)?;
    let execution = commanded.execution.clone()?;
    see(
        commanded.leaked == 0,
        format!("{} {} as asked; of the refused request: {}", execution.twin, execution.action, commanded.leaked),
    )
}

async fn confirmed(stage: &mut Stage) -> Seen {
    let status = commanded(stage)?.confirmed.clone()?;
    Ok(status.to_string())
}

/// Steps that the guest's own requests have caused, in the order in which they happen.
const GUESTS_STEPS: [u8; 9] = [8, 9, 10, 11, 12, 15, 16, 17, 18];

async fn trace(stage: &mut Stage) -> Seen {
    let steps = match stage.guest.ask(Request::Steps { after: 0, limit: 1_000, follow: false }).await {
        Ok(Response::Steps(steps)) => steps,
        other => return Err(instead("steps", &other)),
    };
    let foreign = steps.iter().filter(|step| step.user.as_ref() != Some(stage.guest.user())).count();
    let mut due = GUESTS_STEPS.iter().peekable();
    let system = Participant::TwinSystem(stage.workshop.id().clone());
    let twin = stage.workshop.twin("lamp");
    for step in steps.iter().filter(|step| step.procedure == Procedure::P2 && !step.refused) {
        let here = [&step.from, &step.to].contains(&&system) || step.about.contains(twin.as_str());
        if here && due.peek() == Some(&&step.step) {
            due.next();
        }
    }
    match due.next() {
        Some(missing) => Err(format!("P2.{missing} does not follow in {} steps", steps.len())),
        None => see(foreign == 0, format!("P2.8 to P2.12, P2.15 to P2.18 in order; {foreign} of other users")),
    }
}
