//! Services of third parties are found, agreed on, used together, undone, and told only what was shared.

use std::collections::BTreeSet;

use vestibule_model::{
    CallId, CallStatus, CallStep, Naming, Reference, RefusalCode, ServiceId, Sharing, Source, StepKey, StepStatus,
    SystemKind, SystemQuery, Transform, Unit,
};
use vestibule_protocol::{
    AuthorizationAnswer, CallResult, Interest, Invocation, News, Party, Request, Response, SiiDown, SiiUp,
};

use crate::{
    Seen, Stage,
    actor::{Actor, brief, instead, says_nothing, see},
    catalogue::rows,
    rows::procedure1::{agree, call, end_of, invoke, order, step},
    third_party::{json, told},
    wire::Part,
};

rows! { Services:
    "REQ-MV-05", "FGMV-28 8", "a guest looks at the services of third parties" => information;
    "REQ-MV-06", "FGMV-28 8", "a guest uses a service" => used;
    "REQ-MV-07", "FGMV-28 8", "a guest orders, and the order is refused by the shop" => interacts;
    "REQ-SI-02", "FGMV-28 8", "a service needs what a twin reports" => three;
    "REQ-SI-03", "FGMV-28 8", "a guest selects one third party of several" => selected;
    "REQ-SI-04", "FGMV-28 8", "a third party asks for a twin between orders" => standing;
    "SDC.transform", "FGMV-29 8.2.4", "one service is given what the one before gave" => transform;
    "SDC.share", "FGMV-29 8.2.4", "a service would be given another one's answer, unshared" => shared;
    "SDC.undo", "FGMV-29 8.2.4", "the second of two services fails" => undone;
    "SDC.retry", "FGMV-29 8.2.4", "a service that may be asked again does not answer in time" => retried;
    "SDC.timeout", "FGMV-29 8.2.4", "one that may not be asked again answers too late" => late;
    "SDC.cancel", "FGMV-29 8.2.4", "the guest takes an order back while it is under way" => cancelled;
    "SDC.once", "FGMV-29 8.2.4", "the same call is sent three times" => once;
    "TPSAA.refuses", "FGMV-29 8.2.3", "the third party does not agree" => refuses;
    "TPSAA.charge", "FGMV-29 8.2.3", "a service becomes dearer than was agreed" => dearer;
    "TPSAA.revoke", "FGMV-29 8.2.3", "the guest takes back what was agreed" => revoked;
    "TPSR.shadow", "FGMV-29 8.2.1", "a third party says what only others may" => shadow;
}

/// Both services, and nothing is shared beyond that.
async fn agree_on_both(stage: &Stage, share: Sharing) -> Result<vestibule_model::Authorization, String> {
    agree(&stage.shop, &stage.guest, &["order", "look"], share).await.result()
}

/// The same with both third parties, each of which may be given what the other one answers.
async fn agree_with_both(stage: &Stage) -> Result<(), String> {
    for (with, other) in [(&stage.shop, &stage.rival), (&stage.rival, &stage.shop)] {
        let share = Sharing { answers_of: [other.id().clone()].into(), ..Sharing::default() };
        agree(with, &stage.guest, &["order", "look"], share).await.result()?;
    }
    Ok(())
}

async fn information(stage: &mut Stage) -> Seen {
    let query =
        SystemQuery { kind: Some(SystemKind::ThirdParty), text: Some(stage.tag.clone()), ..SystemQuery::default() };
    let views = stage.guest.systems(query).await?;
    let view = views.iter().find(|view| view.info.id == *stage.shop.id()).ok_or("the shop is not found")?;
    let names: Vec<_> = view.info.services.keys().map(ServiceId::as_str).collect();
    see(
        *view.info == stage.shop.info,
        format!("{} offers {names:?} for {:?}", view.info.name, view.info.charge.map(|charge| charge.amount)),
    )
}

async fn used(stage: &mut Stage) -> Seen {
    agree_on_both(stage, Sharing::default()).await?;
    let call = order(&stage.shop, &stage.guest, "look")?;
    invoke(&stage.guest, &call).await?;
    let asked = stage.shop.hears_invocation(call.id, "only", false).await?;
    stage.shop.gives(&asked, r#"["lamp","door"]"#).await?;
    let end = end_of(&stage.guest, call.id).await?;
    let output = end.output.as_ref().map(|output| output.as_str().to_owned());
    see(output.as_deref() == Some(r#"["lamp","door"]"#), format!("{}: {}", end.status, output.unwrap_or_default()))
}

async fn interacts(stage: &mut Stage) -> Seen {
    agree_on_both(stage, Sharing::default()).await?;
    let call = order(&stage.shop, &stage.guest, "order")?;
    invoke(&stage.guest, &call).await?;
    let asked = stage.shop.hears_invocation(call.id, "only", false).await?;
    stage.shop.result(&asked, CallResult::Failed { reason: "sold out".to_owned() }).await?;
    let end = end_of(&stage.guest, call.id).await?;
    let right = matches!(&end.status, CallStatus::Failed { kept, .. } if kept.is_empty());
    see(right && end.status.to_string().contains("sold out"), end.status.to_string())
}

async fn three(stage: &mut Stage) -> Seen {
    let (twin, feature) = (stage.home.twin("door"), vestibule_model::FeatureId::slug("lock"));
    let share = Sharing { twins: [(twin.clone(), [feature].into())].into(), ..Sharing::default() };
    let agreed = agree_on_both(stage, share).await?;
    let spot = crate::actor::Spot::new(&twin, "lock", "state");
    stage.home.report(&spot, vestibule_model::Value::Text("unlocked".to_owned())).await?;
    let is = Some(vestibule_model::Value::Text("unlocked".to_owned()));
    stage.guest.reads(&spot, "unlocked", |reading| reading.value == is).await?;
    let call = order(&stage.shop, &stage.guest, "look")?;
    invoke(&stage.guest, &call).await?;
    let asked = stage.shop.hears_invocation(call.id, "only", false).await?;
    let view = told(stage.shop.acquire(&twin, &agreed.pseudonym, Some(call.id)).await);
    stage.shop.gives(&asked, r#""it is open""#).await?;
    let end = end_of(&stage.guest, call.id).await?;
    stage.home.report(&spot, vestibule_model::Value::Text("locked".to_owned())).await?;
    let reading = crate::actor::view_reading(&view?, &spot).ok_or("the lock was not told of")?;
    see(
        reading.value == is && end.status == CallStatus::Succeeded,
        format!("the shop was told {:?}, the guest {}", reading.value, end.status),
    )
}

async fn selected(stage: &mut Stage) -> Seen {
    agree_on_both(stage, Sharing::default()).await?;
    let before = stage.rival.actor.mark();
    let call = order(&stage.shop, &stage.guest, "look")?;
    invoke(&stage.guest, &call).await?;
    let asked = stage.shop.hears_invocation(call.id, "only", false).await?;
    stage.shop.gives(&asked, "1").await?;
    let end = end_of(&stage.guest, call.id).await?;
    let rival = stage.rival.actor.heard(before, |news| news.iter().filter(|news| matches!(news, News::Sii(_))).count());
    see(
        end.status == CallStatus::Succeeded && rival == 0,
        format!("{} by {}; the other one heard {rival}", end.status, stage.shop.id()),
    )
}

async fn standing(stage: &mut Stage) -> Seen {
    let twin = stage.home.twin("door");
    let share = |standing| Sharing { standing, twins: [(twin.clone(), BTreeSet::new())].into(), ..Sharing::default() };
    let agreed = agree_on_both(stage, share(false)).await?;
    let early = stage.shop.acquire(&twin, &agreed.pseudonym, None).await;
    let agreed = agree_on_both(stage, share(true)).await?;
    let view = told(stage.shop.acquire(&twin, &agreed.pseudonym, None).await)?;
    let thief = stage.rival.acquire(&twin, &agreed.pseudonym, None).await;
    see(
        view.info.id == twin && early.is_err() && thief.is_err(),
        format!(
            "told of {}; before that was agreed: {}; another one: {}",
            twin,
            word(early.is_err()),
            word(thief.is_err())
        ),
    )
}

const fn word(refused: bool) -> &'static str {
    if refused { "refused" } else { "told" }
}

/// Puts what is at a place of a document to a place of the input.
fn copy(of: Source, at: &str, to: &str) -> Transform {
    Transform::Copy { from: Reference { of, at: at.to_owned() }, to: to.to_owned() }
}

fn first() -> Source {
    Source::Step(StepKey::slug("first"))
}

async fn transform(stage: &mut Stage) -> Seen {
    agree_with_both(stage).await?;
    let input = vec![
        copy(first(), "/items/0/name", "/item_name"),
        copy(Source::Input, "/count", "/amount"),
        copy(first(), "/items/0/width", "/width"),
        Transform::Convert { at: "/width".to_owned(), from: Unit::Centimetre, to: Unit::Metre },
        Transform::Rename { at: String::new(), naming: Naming::Camel },
    ];
    let second = CallStep { input, ..step(&stage.rival, "second", "order") };
    let call = call(&stage.guest, r#"{"count":2}"#, vec![step(&stage.shop, "first", "look"), second])?;
    invoke(&stage.guest, &call).await?;
    let asked = stage.shop.hears_invocation(call.id, "first", false).await?;
    stage.shop.gives(&asked, r#"{"items":[{"name":"chair","width":50}]}"#).await?;
    let asked = stage.rival.hears_invocation(call.id, "second", false).await?;
    stage.rival.gives(&asked, r#"{"order":1}"#).await?;
    let end = end_of(&stage.guest, call.id).await?;
    let due = json(r#"{"itemName":"chair","amount":2,"width":0.5}"#)?;
    see(
        asked.input.value() == due.value() && end.status == CallStatus::Succeeded,
        format!("the other one was given {}; {}", asked.input, end.status),
    )
}

async fn shared(stage: &mut Stage) -> Seen {
    agree_on_both(stage, Sharing::default()).await?;
    agree(&stage.rival, &stage.guest, &["order", "look"], Sharing::default()).await.result()?;
    let mark = stage.rival.actor.mark();
    let second = CallStep { input: vec![copy(first(), "", "/secret")], ..step(&stage.rival, "second", "order") };
    let call = call(&stage.guest, "{}", vec![step(&stage.shop, "first", "look"), second])?;
    // Refused at once, or stopped when its turn comes: nothing may leave either way.
    let words = match invoke(&stage.guest, &call).await {
        Err(words) => words,
        Ok(_) => {
            let asked = stage.shop.hears_invocation(call.id, "first", false).await?;
            stage.shop.gives(&asked, r#""between us""#).await?;
            end_of(&stage.guest, call.id).await?.status.to_string()
        }
    };
    let told = stage.rival.actor.heard(mark, |news| news.iter().filter(|news| matches!(news, News::Sii(_))).count());
    let end = stage.guest.heard(0, |news| {
        news.iter()
            .any(|news| matches!(news, News::Call(one) if one.call == call.id && one.status == CallStatus::Succeeded))
    });
    see(told == 0 && !end, format!("{words}; the other one was told {told} times"))
}

async fn undone(stage: &mut Stage) -> Seen {
    agree_with_both(stage).await?;
    let steps = vec![step(&stage.shop, "first", "order"), step(&stage.rival, "second", "look")];
    let call = call(&stage.guest, r#"{"item":"lamp"}"#, steps)?;
    invoke(&stage.guest, &call).await?;
    let asked = stage.shop.hears_invocation(call.id, "first", false).await?;
    stage.shop.gives(&asked, r#"{"order":2}"#).await?;
    let asked = stage.rival.hears_invocation(call.id, "second", false).await?;
    stage.rival.result(&asked, CallResult::Failed { reason: "nothing to look at".to_owned() }).await?;
    let undo = stage.shop.hears_invocation(call.id, "first", true).await?;
    stage.shop.gives(&undo, "null").await?;
    let end = end_of(&stage.guest, call.id).await?;
    let first = end.steps.first().map(|step| step.status.clone());
    see(
        undo.service.as_str() == "cancel" && first == Some(StepStatus::Undone),
        format!("{} took the first back; {}", undo.service, end.status),
    )
}

/// A step that is waited for no longer than a moment.
fn hasty(stage: &Stage, service: &str) -> CallStep {
    CallStep { timeout_ms: Some(1_000), ..step(&stage.shop, "only", service) }
}

/// Waits until the shop is asked for a step once more.
async fn asked_again(stage: &Stage, call: CallId) -> Result<Invocation, String> {
    let again = |news: &News| match news {
        News::Sii(SiiDown::Invoke(one)) if one.call == call && one.attempt > 1 => Some(one.as_ref().clone()),
        _ => None,
    };
    stage.shop.actor.hears(0, "the same step once more", again).await
}

async fn retried(stage: &mut Stage) -> Seen {
    agree_on_both(stage, Sharing::default()).await?;
    let call = call(&stage.guest, r#"{"item":"lamp"}"#, vec![hasty(stage, "look")])?;
    invoke(&stage.guest, &call).await?;
    let first = stage.shop.hears_invocation(call.id, "only", false).await?;
    let again = asked_again(stage, call.id).await?;
    stage.shop.gives(&again, r#"["lamp"]"#).await?;
    let end = end_of(&stage.guest, call.id).await?;
    see(
        first.input == again.input && !again.undo && end.status == CallStatus::Succeeded,
        format!("asked again (attempt {}) with the same; {}", again.attempt, end.status),
    )
}

async fn late(stage: &mut Stage) -> Seen {
    agree_on_both(stage, Sharing::default()).await?;
    let call = call(&stage.guest, r#"{"item":"lamp"}"#, vec![hasty(stage, "order")])?;
    invoke(&stage.guest, &call).await?;
    let asked = stage.shop.hears_invocation(call.id, "only", false).await?;
    // It may have been done: whoever cannot say is asked to take it back, never to do it again.
    let undo = stage.shop.hears_invocation(call.id, "only", true).await?;
    let late = stage.shop.gives(&asked, r#"{"order":3}"#).await;
    stage.shop.gives(&undo, "null").await?;
    let end = end_of(&stage.guest, call.id).await?;
    let times = stage.shop.actor.heard(0, |news| {
        let is_it = |news: &&News| matches!(news, News::Sii(SiiDown::Invoke(one)) if one.call == call.id && !one.undo);
        news.iter().filter(is_it).count()
    });
    let failed = matches!(&end.status, CallStatus::Failed { kept, .. } if kept.is_empty());
    see(
        times == 1 && failed && late.is_err() && undo.service.as_str() == "cancel",
        format!("asked {times} time(s), taken back; the late answer: {}; {}", word(late.is_err()), end.status),
    )
}

async fn cancelled(stage: &mut Stage) -> Seen {
    agree_on_both(stage, Sharing::default()).await?;
    let call = order(&stage.shop, &stage.guest, "order")?;
    invoke(&stage.guest, &call).await?;
    stage.shop.hears_invocation(call.id, "only", false).await?;
    let foreign = stage.friend.refused(Request::CancelCall(call.id), RefusalCode::NotFound).await?;
    match stage.guest.ask(Request::CancelCall(call.id)).await {
        Ok(Response::Call(_)) => {}
        other => return Err(instead("the call", &other)),
    }
    let told =
        |news: &News| matches!(news, News::Sii(SiiDown::Cancel { call: one, .. }) if *one == call.id).then_some(());
    stage.shop.actor.hears(0, "that nobody waits any more", told).await?;
    let undo = stage.shop.hears_invocation(call.id, "only", true).await?;
    stage.shop.gives(&undo, "null").await?;
    let end = end_of(&stage.guest, call.id).await?;
    see(
        end.status == CallStatus::Cancelled { kept: Vec::new() },
        format!("{}; by somebody else: {foreign}", end.status),
    )
}

async fn once(stage: &mut Stage) -> Seen {
    agree_on_both(stage, Sharing::default()).await?;
    let call = order(&stage.shop, &stage.guest, "order")?;
    for _ in 0..3 {
        invoke(&stage.guest, &call).await?;
    }
    let asked = stage.shop.hears_invocation(call.id, "only", false).await?;
    stage.shop.gives(&asked, "1").await?;
    end_of(&stage.guest, call.id).await?;
    invoke(&stage.guest, &call).await?;
    // Had it been asked again, it would have come before this.
    let after = order(&stage.shop, &stage.guest, "order")?;
    invoke(&stage.guest, &after).await?;
    let asked = stage.shop.hears_invocation(after.id, "only", false).await?;
    stage.shop.gives(&asked, "2").await?;
    end_of(&stage.guest, after.id).await?;
    let times = stage.shop.invocations(call.id);
    see(times == 1, format!("the shop was asked {times} time(s)"))
}

async fn refuses(stage: &mut Stage) -> Seen {
    let mark = stage.shop.actor.mark();
    let request = Request::Authorize {
        system: stage.shop.id().clone(),
        services: [ServiceId::slug("order")].into(),
        share: Sharing::default(),
        until: stage.friend.now().plus(60_000),
    };
    let asks = stage.friend.refused(request, RefusalCode::Forbidden);
    let answers = async {
        let asked = stage.shop.hears_question(mark).await?;
        let answer = AuthorizationAnswer::Refused { reason: "no credit".to_owned() };
        stage.shop.tell(SiiUp::Authorized { inquiry: asked.inquiry, answer }).await
    };
    let (refusal, answered) = tokio::join!(asks, answers);
    answered?;
    let refusal = refusal?;
    let call = order(&stage.shop, &stage.friend, "order")?;
    stage.friend.refused(Request::Invoke(Box::new(call)), RefusalCode::Forbidden).await?;
    see(refusal.message.contains("no credit"), refusal.to_string())
}

async fn dearer(stage: &mut Stage) -> Seen {
    agree_on_both(stage, Sharing::default()).await?;
    let mut info = stage.shop.info.clone();
    if let Some(charge) = info.charge.as_mut() {
        charge.amount *= 2;
    }
    stage.shop.tell(SiiUp::Register(Box::new(info))).await?;
    let played = at_the_new_price(stage).await;
    stage.shop.register().await?;
    played
}

async fn at_the_new_price(stage: &Stage) -> Seen {
    let call = order(&stage.shop, &stage.guest, "look")?;
    let refusal = stage.guest.refused(Request::Invoke(Box::new(call)), RefusalCode::Forbidden).await?;
    agree_on_both(stage, Sharing::default()).await?;
    let call = order(&stage.shop, &stage.guest, "look")?;
    invoke(&stage.guest, &call).await?;
    let asked = stage.shop.hears_invocation(call.id, "only", false).await?;
    stage.shop.gives(&asked, "1").await?;
    let end = end_of(&stage.guest, call.id).await?;
    see(end.status == CallStatus::Succeeded, format!("{refusal}; agreed anew: {}", end.status))
}

async fn revoked(stage: &mut Stage) -> Seen {
    let twins = [(stage.home.twin("door"), BTreeSet::new())].into();
    let agreed = agree_on_both(stage, Sharing { standing: true, twins, ..Sharing::default() }).await?;
    let mark = stage.shop.actor.mark();
    stage.guest.done(Request::Deauthorize { system: stage.shop.id().clone() }).await?;
    let told = |news: &News| match news {
        News::Sii(SiiDown::Revoked { user }) if *user == agreed.pseudonym => Some(()),
        _ => None,
    };
    stage.shop.actor.hears(mark, "that it was taken back", told).await?;
    let looks = stage.shop.acquire(&stage.home.twin("door"), &agreed.pseudonym, None).await;
    let call = order(&stage.shop, &stage.guest, "order")?;
    let refusal = stage.guest.refused(Request::Invoke(Box::new(call)), RefusalCode::Forbidden).await?;
    see(looks.is_err(), format!("the shop was told and may not look any more; {refusal}"))
}

async fn shadow(stage: &mut Stage) -> Seen {
    let thief = stage
        .rival
        .actor
        .refused(Request::Sii(SiiUp::Register(Box::new(stage.shop.info.clone()))), RefusalCode::Conflict);
    let refusal = thief.await?;
    let twin = stage.home.twin("door");
    for request in [
        Request::DescribeTwin(twin.clone()),
        Request::Subscribe(Interest::All),
        Request::Actuate(stage.rival.actor.command(&twin, "lock", "unlock")),
        Request::Rules,
    ] {
        match stage.rival.actor.ask(request.clone()).await {
            Err(_) => {}
            Ok(response) if says_nothing(&request, &response) => {}
            Ok(response) => return Err(format!("it was answered with {}", brief(&response))),
        }
    }
    // A guest is no third party.
    let part = Part { party: Party::ThirdParty, interest: stage.interest() };
    let guest = Actor::connect(stage.transport.as_ref(), stage.friend.key().clone(), part, stage.patience).await?;
    let mut info = stage.shop.info.clone();
    info.id = vestibule_model::SystemId::slug(&format!("kit-{}-thief", stage.tag));
    let own = Request::Sii(SiiUp::Register(Box::new(info)));
    guest.refused(own, RefusalCode::Forbidden).await?;
    let overheard = stage.rival.actor.heard(0, |news| {
        let of_others = |news: &&News| {
            matches!(
                news,
                News::Twin(_) | News::Readings { .. } | News::Occurred(_) | News::Command(_) | News::System(_)
            )
        };
        news.iter().filter(of_others).count()
    });
    see(overheard == 0, format!("{refusal}; heard of others: {overheard}"))
}
