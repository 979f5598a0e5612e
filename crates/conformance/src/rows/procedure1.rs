//! FGMV-29 9.1: a third-party system is integrated, step by step.

use std::collections::BTreeSet;

use vestibule_model::{
    Authorization, CallId, CallStatus, CallStep, CallUpdate, Collaboration, FeatureId, Pseudonym, Refusal, RefusalCode,
    ServiceId, Sharing, StepKey, SystemKind, SystemQuery,
};
use vestibule_protocol::{
    AuthorizationAnswer, Invocation, News, Participant, Procedure, Request, Response, SiiDown, SiiUp, TwinView,
};

use crate::{
    Seen, Stage,
    actor::{Actor, instead, see},
    catalogue::rows,
    third_party::{Asked, ThirdParty, json, told},
};

rows! { Procedure1:
    "P1.1", "FGMV-29 9.1", "a third-party system registers its information" => registers;
    "P1.2", "FGMV-29 9.1, 8.2.1", "its information is looked up" => managed;
    "P1.3", "FGMV-29 9.1", "the third-party system listens for the response" => responded;
    "P1.4", "FGMV-29 9.1, 8.2.2", "a world searches for somebody who takes orders" => searches;
    "P1.5", "FGMV-29 9.1", "the same search for a service that nobody offers" => found;
    "P1.6", "FGMV-29 9.1, 8.2.3", "a guest asks to be let use it" => asked;
    "P1.7", "FGMV-29 9.1", "the third-party system listens for the question" => forwarded;
    "P1.8", "FGMV-29 9.1", "it answers: as customer 7, one service of two" => answered;
    "P1.9", "FGMV-29 9.1, 8.2.3", "what was agreed is looked up" => kept;
    "P1.10", "FGMV-29 9.1", "the guest waits for the response" => agreed;
    "P1.11", "FGMV-29 9.1", "the guest's world looks up the API of what it may use" => runs;
    "P1.12", "FGMV-29 9.1, 8.2.4", "the guest orders, and shares a door for it" => requested;
    "P1.13", "FGMV-29 9.1", "another guest, who has agreed nothing, orders" => verified;
    "P1.14", "FGMV-29 9.1", "the third-party system listens for both orders" => executed;
    "P1.15", "FGMV-29 9.1, 8.2.5", "it asks for the door that was shared" => acquires;
    "P1.16", "FGMV-29 9.1, 8.3.6", "it asks for a twin that was not shared" => forwards;
    "P1.17", "FGMV-29 9.1, 8.3.6", "the door is compared with what was shared" => processed;
    "P1.18", "FGMV-29 9.1, 8.3.6", "the guest asks which steps happened" => trace;
    "P1.19", "FGMV-29 9.1, 8.2.5", "the third-party system answers the order with what it saw" => ends;
}

/// What came of P1.6 to P1.10.
pub(crate) struct Agreed {
    asked: Result<Asked, String>,
    taken: Result<(), String>,
    told: Result<Authorization, String>,
}

/// What came of P1.12 to P1.19.
pub(crate) struct Called {
    call: CallId,
    requested: Result<CallUpdate, String>,
    refused: Result<Refusal, String>,
    /// Invocations of the call that was refused.
    leaked: usize,
    invocation: Result<Invocation, String>,
    door: Result<TwinView, String>,
    other: Result<Refusal, String>,
}

fn services(names: &[&str]) -> BTreeSet<ServiceId> {
    names.iter().map(|name| ServiceId::slug(name)).collect()
}

/// The bell of the home's door, and nothing else.
fn share(stage: &Stage) -> Sharing {
    let bell = [FeatureId::slug("bell")].into();
    Sharing { twins: [(stage.home.twin("door"), bell)].into(), ..Sharing::default() }
}

/// A step that is given what the user gave.
pub(crate) fn step(at: &ThirdParty, key: &str, service: &str) -> CallStep {
    CallStep {
        key: StepKey::slug(key),
        system: at.id().clone(),
        service: ServiceId::slug(service),
        input: Vec::new(),
        undo: Vec::new(),
        timeout_ms: None,
    }
}

/// A call, valid for a minute, with a new random id.
pub(crate) fn call(who: &Actor, input: &str, steps: Vec<CallStep>) -> Result<Collaboration, String> {
    let not_after = who.now().plus(60_000);
    Ok(Collaboration { id: CallId(rand::random()), input: json(input)?, steps, not_after, trace: None })
}

/// A call of one service.
pub(crate) fn order(at: &ThirdParty, who: &Actor, service: &str) -> Result<Collaboration, String> {
    call(who, r#"{"item":"lamp"}"#, vec![step(at, "only", service)])
}

/// Calls, and waits until it is written down.
pub(crate) async fn invoke(who: &Actor, call: &Collaboration) -> Result<CallUpdate, String> {
    match who.ask(Request::Invoke(Box::new(call.clone()))).await {
        Ok(Response::Call(update)) if update.call == call.id => Ok(update),
        other => Err(instead("the call", &other)),
    }
}

/// Waits until the caller hears that the call is over.
pub(crate) async fn end_of(who: &Actor, call: CallId) -> Result<CallUpdate, String> {
    who.hears(0, "the end of the call", |news| match news {
        News::Call(update) if update.call == call && update.status.is_final() => Some(update.clone()),
        _ => None,
    })
    .await
}

async fn registers(stage: &mut Stage) -> Seen {
    stage.market.register().await?;
    Ok(format!("{} was taken", stage.market.id()))
}

async fn managed(stage: &mut Stage) -> Seen {
    let query = SystemQuery { text: Some(stage.market.id().to_string()), ..SystemQuery::default() };
    let views = stage.owner.systems(query).await?;
    let [view] = views.as_slice() else { return Err(format!("{} systems have that id", views.len())) };
    see(
        *view.info == stage.market.info && view.health.online,
        format!("{}, charge {:?}, {} services", view.info.id, view.info.charge, view.info.services.len()),
    )
}

async fn responded(stage: &mut Stage) -> Seen {
    let registered = |news: &News| matches!(news, News::Sii(SiiDown::Registered)).then_some(());
    stage.market.actor.hears(0, "registered", registered).await?;
    Ok("registered".to_owned())
}

fn search(stage: &Stage, service: &str) -> SystemQuery {
    SystemQuery {
        kind: Some(SystemKind::ThirdParty),
        text: Some(stage.market.info.name.to_uppercase()),
        service: Some(ServiceId::slug(service)),
        online: Some(true),
        ..SystemQuery::default()
    }
}

async fn searches(stage: &mut Stage) -> Seen {
    let found: Vec<_> =
        stage.guest.systems(search(stage, "order")).await?.into_iter().map(|view| view.info.id.clone()).collect();
    see(found == [stage.market.id().clone()], format!("found {found:?}"))
}

async fn found(stage: &mut Stage) -> Seen {
    let found = stage.guest.systems(search(stage, "teleport")).await?;
    see(found.is_empty(), format!("{} systems offer it", found.len()))
}

/// Somebody agrees with a third party about two services, and it lets them use some: both parts at the same time.
pub(crate) async fn agree(with: &ThirdParty, who: &Actor, grant: &[&str], share: Sharing) -> Agreed {
    agree_on(with, who, (&["order", "look"], grant), share).await
}

/// The same about services that are wanted, of which some are granted.
pub(crate) async fn agree_on(
    with: &ThirdParty,
    who: &Actor,
    (wanted, grant): (&[&str], &[&str]),
    share: Sharing,
) -> Agreed {
    let mark = with.actor.mark();
    let request = Request::Authorize {
        system: with.id().clone(),
        services: services(wanted),
        share,
        until: who.now().plus(3_600_000),
    };
    let asks = async {
        match who.ask(request).await {
            Ok(Response::Authorized(agreed)) => Ok(agreed),
            other => Err(instead("an agreement", &other)),
        }
    };
    let answers = async {
        let asked = match with.hears_question(mark).await {
            Ok(asked) => asked,
            Err(error) => return (Err(error.clone()), Err(error)),
        };
        let account = Some("customer 7".to_owned());
        let answer = AuthorizationAnswer::Granted { services: services(grant), until: asked.until, account };
        let taken = with.tell(SiiUp::Authorized { inquiry: asked.inquiry, answer }).await;
        (Ok(asked), taken)
    };
    let (told, (asked, taken)) = tokio::join!(asks, answers);
    Agreed { asked, taken, told }
}

impl Agreed {
    /// What was agreed in the end.
    pub(crate) fn result(self) -> Result<Authorization, String> {
        self.told
    }
}

fn agreement(stage: &Stage) -> Result<&Agreed, String> {
    stage.agreed.as_ref().ok_or_else(|| "nothing, because P1.6 could not be played".to_owned())
}

async fn asked(stage: &mut Stage) -> Seen {
    stage.agreed = Some(agree(&stage.market, &stage.guest, &["order"], share(stage)).await);
    let told = agreement(stage)?.told.clone()?;
    Ok(format!("agreed with {}", told.system))
}

async fn forwarded(stage: &mut Stage) -> Seen {
    let asked = agreement(stage)?.asked.clone()?;
    let hidden = asked.name.is_none() && !asked.user.as_str().contains(stage.guest.user().as_str());
    see(
        hidden && asked.services == services(&["order", "look"]),
        format!("{} wants {:?}, named {:?}", asked.user, asked.services, asked.name),
    )
}

async fn answered(stage: &mut Stage) -> Seen {
    agreement(stage)?.taken.clone()?;
    Ok("the answer was taken".to_owned())
}

fn fits(stage: &Stage, agreed: &Authorization) -> Seen {
    let right = agreed.services == services(&["order"])
        && agreed.account.as_deref() == Some("customer 7")
        && agreed.share == share(stage);
    see(right, format!("{:?} as {:?}", agreed.services, agreed.account))
}

async fn kept(stage: &mut Stage) -> Seen {
    let all = match stage.guest.ask(Request::Authorizations).await {
        Ok(Response::Authorizations(all)) => all,
        other => return Err(instead("what was agreed", &other)),
    };
    let mine = all.iter().find(|agreed| agreed.system == *stage.market.id()).ok_or("nothing is agreed")?;
    fits(stage, mine)
}

async fn agreed(stage: &mut Stage) -> Seen {
    let told = agreement(stage)?.told.clone()?;
    fits(stage, &told)
}

async fn runs(stage: &mut Stage) -> Seen {
    let views = stage.guest.systems(search(stage, "order")).await?;
    let view = views.first().ok_or("the system is not found")?;
    let service = view.info.services.get(&ServiceId::slug("order")).ok_or("the service is not there")?;
    see(
        service.input == stage.market.info.services[&ServiceId::slug("order")].input && service.input.is_some(),
        format!("{:?} takes {}", service.name, service.input.as_ref().map_or("nothing", |schema| schema.as_str())),
    )
}

async fn play_call(stage: &Stage, user: Pseudonym) -> Result<Called, String> {
    let theirs = order(&stage.market, &stage.friend, "order")?;
    let refused = stage.friend.refused(Request::Invoke(Box::new(theirs.clone())), RefusalCode::Forbidden).await;
    let mine = order(&stage.market, &stage.guest, "order")?;
    let requested = invoke(&stage.guest, &mine).await;
    let invocation = stage.market.hears_invocation(mine.id, "only", false).await;
    let leaked = stage.market.invocations(theirs.id);
    let door = told(stage.market.acquire(&stage.home.twin("door"), &user, Some(mine.id)).await);
    let other = match stage.market.acquire(&stage.home.twin("lamp"), &user, Some(mine.id)).await {
        Err(refusal) => Ok(refusal),
        other => Err(instead("a refusal", &other)),
    };
    Ok(Called { call: mine.id, requested, refused, leaked, invocation, door, other })
}

fn called(stage: &Stage) -> Result<&Called, String> {
    stage.called.as_ref().ok_or_else(|| "nothing, because P1.12 could not be played".to_owned())
}

async fn requested(stage: &mut Stage) -> Seen {
    let user = agreement(stage)?.asked.clone()?.user;
    stage.called = Some(play_call(stage, user).await?);
    let update = called(stage)?.requested.clone()?;
    Ok(format!("taken: {}", update.status))
}

async fn verified(stage: &mut Stage) -> Seen {
    Ok(called(stage)?.refused.clone()?.to_string())
}

async fn executed(stage: &mut Stage) -> Seen {
    let (called, agreed) = (called(stage)?, agreement(stage)?);
    let invocation = called.invocation.clone()?;
    let right = invocation.input.as_str() == r#"{"item":"lamp"}"#
        && invocation.user == agreed.told.clone()?.pseudonym
        && invocation.account.as_deref() == Some("customer 7");
    see(
        right && called.leaked == 0,
        format!(
            "{} with {} for {:?}; of the other order: {}",
            invocation.service, invocation.input, invocation.account, called.leaked
        ),
    )
}

async fn acquires(stage: &mut Stage) -> Seen {
    let view = called(stage)?.door.clone()?;
    Ok(format!("{} came", view.info.id))
}

async fn forwards(stage: &mut Stage) -> Seen {
    let refusal = called(stage)?.other.clone()?;
    see(matches!(refusal.code, RefusalCode::Forbidden | RefusalCode::NotFound), refusal.to_string())
}

async fn processed(stage: &mut Stage) -> Seen {
    let view = called(stage)?.door.clone()?;
    let features: Vec<_> = view.info.features.keys().map(FeatureId::as_str).collect();
    let actions: usize = view.info.features.values().map(|feature| feature.actions.len()).sum();
    see(
        view.info.id == stage.home.twin("door") && features == ["bell"] && actions == 0,
        format!("{}: features {features:?}, {actions} actions", view.info.id),
    )
}

/// Steps that the guest's own requests have caused, in the order in which they happen.
const GUESTS_STEPS: [u8; 14] = [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];

async fn trace(stage: &mut Stage) -> Seen {
    called(stage)?;
    let steps = match stage.guest.ask(Request::Steps { after: 0, limit: 1_000, follow: false }).await {
        Ok(Response::Steps(steps)) => steps,
        other => return Err(instead("steps", &other)),
    };
    let mut due = GUESTS_STEPS.iter().peekable();
    let mut through_dtif = false;
    for step in steps.iter().filter(|step| step.procedure == Procedure::P1 && !step.refused) {
        through_dtif |= step.step == 16 && (&step.from, &step.to) == (&Participant::Sif, &Participant::Dtif);
        if due.peek() == Some(&&step.step) {
            due.next();
        }
    }
    match due.next() {
        Some(missing) => Err(format!("P1.{missing} does not follow in {} steps", steps.len())),
        None => see(through_dtif, "P1.6 to P1.19 in order, the twin from the DTIF through the SIF"),
    }
}

async fn ends(stage: &mut Stage) -> Seen {
    let called = called(stage)?;
    let (invocation, view) = (called.invocation.clone()?, called.door.clone()?);
    let output = format!(r#"{{"order":4711,"to":"{}"}}"#, view.info.id);
    stage.market.gives(&invocation, &output).await?;
    let end = end_of(&stage.guest, called.call).await?;
    let same = end.output.as_ref().map(|output| output.value()) == Some(json(&output)?.value());
    let late = stage.market.acquire(&stage.home.twin("door"), &invocation.user, Some(called.call)).await;
    see(
        end.status == CallStatus::Succeeded && same && late.is_err(),
        format!("{}; asked once more after it: {}", end.status, if late.is_err() { "refused" } else { "told" }),
    )
}
