//! Services of third parties are found, agreed on, used together, undone, and told only what was shared.

use std::collections::BTreeSet;

use vestibule_model::{
    CallId, CallStatus, CallStep, Collaboration, RefusalCode, Reference, ServiceId, Sharing, Source, StepKey,
    StepStatus, SystemKind, SystemQuery, Transform,
};
use vestibule_protocol::{CallResult, Interest, News, Party, Request, SiiDown};

use crate::{
    Seen, Stage,
    actor::{Actor, see},
    catalogue::{Entry, Group, Play},
    rows::procedure1::{agree, end_of, invoke, order},
    third_party::{json, told},
    wire::Part,
};

const fn row(
    id: &'static str,
    clause: &'static str,
    done: &'static str,
    play: for<'a> fn(&'a mut Stage) -> Play<'a>,
) -> Entry {
    Entry { id, group: Group::Services, clause, done, play }
}

pub(crate) const ROWS: &[Entry] = &[
    row("REQ-MV-05", "FGMV-28 8", "a guest looks at the services of third parties", |s| Box::pin(information(s))),
    row("REQ-MV-06", "FGMV-28 8", "a guest uses a service", |s| Box::pin(used(s))),
    row("REQ-MV-07", "FGMV-28 8", "a guest orders, and the order is refused by the shop", |s| Box::pin(interacts(s))),
    row("REQ-SI-02", "FGMV-28 8", "a service needs what a twin reports", |s| Box::pin(three(s))),
    row("REQ-SI-03", "FGMV-28 8", "a guest selects one third party of several", |s| Box::pin(selected(s))),
    row("REQ-SI-04", "FGMV-28 8", "a third party asks for a twin between orders", |s| Box::pin(standing(s))),
    row("SDC.transform", "FGMV-29 8.2.4", "one service is given what the one before gave", |s| Box::pin(transform(s))),
    row("SDC.undo", "FGMV-29 8.2.4", "the second of two services fails", |s| Box::pin(undone(s))),
    row("SDC.once", "FGMV-29 8.2.4", "the same call is sent three times", |s| Box::pin(once(s))),
    row("TPSAA.refuses", "FGMV-29 8.2.3", "the third party does not agree", |s| Box::pin(refuses(s))),
    row("TPSAA.revoke", "FGMV-29 8.2.3", "the guest takes back what was agreed", |s| Box::pin(revoked(s))),
    row("TPSR.shadow", "FGMV-29 8.2.1", "a third party says what only others may", |s| Box::pin(shadow(s))),
];

fn step(stage: &Stage, key: &str, service: &str) -> CallStep {
    CallStep {
        key: StepKey::slug(key),
        system: stage.shop.id().clone(),
        service: ServiceId::slug(service),
        input: Vec::new(),
        undo: Vec::new(),
        timeout_ms: None,
    }
}

fn call(who: &Actor, input: &str, steps: Vec<CallStep>) -> Result<Collaboration, String> {
    let not_after = who.now().plus(60_000);
    Ok(Collaboration { id: CallId(rand::random()), input: json(input)?, steps, not_after, trace: None })
}

/// Both services, and nothing is shared beyond that.
async fn agree_on_both(stage: &Stage, share: Sharing) -> Result<vestibule_model::Authorization, String> {
    agree(stage, &stage.guest, &["order", "look"], share).await.result()
}

async fn information(stage: &mut Stage) -> Seen {
    let query = SystemQuery {
        kind: Some(SystemKind::ThirdParty),
        text: Some(stage.tag.clone()),
        ..SystemQuery::default()
    };
    let views = stage.guest.systems(query).await?;
    let view = views.iter().find(|view| view.info.id == *stage.shop.id()).ok_or("the shop is not found")?;
    let names: Vec<_> = view.info.services.keys().map(ServiceId::as_str).collect();
    see(
        view.info == stage.shop.info,
        format!("{} offers {names:?} for {:?}", view.info.name, view.info.charge.map(|charge| charge.amount)),
    )
}

async fn used(stage: &mut Stage) -> Seen {
    agree_on_both(stage, Sharing::default()).await?;
    let call = order(stage, &stage.guest, "look")?;
    invoke(&stage.guest, &call).await?;
    let asked = stage.shop.hears_invocation(call.id, "only", false).await?;
    stage.shop.gives(&asked, r#"["lamp","door"]"#).await?;
    let end = end_of(&stage.guest, call.id).await?;
    let output = end.output.as_ref().map(|output| output.as_str().to_owned());
    see(output.as_deref() == Some(r#"["lamp","door"]"#), format!("{}: {}", end.status, output.unwrap_or_default()))
}

async fn interacts(stage: &mut Stage) -> Seen {
    agree_on_both(stage, Sharing::default()).await?;
    let call = order(stage, &stage.guest, "order")?;
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
    let call = order(stage, &stage.guest, "look")?;
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
    let call = order(stage, &stage.guest, "look")?;
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
        format!("told of {}; before that was agreed: {}; another one: {}", twin, word(early.is_err()), word(thief.is_err())),
    )
}

const fn word(refused: bool) -> &'static str {
    if refused { "refused" } else { "told" }
}

async fn transform(stage: &mut Stage) -> Seen {
    agree_on_both(stage, Sharing { answers_of: [stage.shop.id().clone()].into(), ..Sharing::default() }).await?;
    let first = step(stage, "first", "look");
    let from = |of, at: &str| Reference { of, at: at.to_owned() };
    let second = CallStep {
        input: vec![
            Transform::Copy { from: from(Source::Step(StepKey::slug("first")), "/items/0/name"), to: "/item".to_owned() },
            Transform::Copy { from: from(Source::Input, "/count"), to: "/amount".to_owned() },
        ],
        ..step(stage, "second", "order")
    };
    let call = call(&stage.guest, r#"{"count":2}"#, vec![first, second])?;
    invoke(&stage.guest, &call).await?;
    let asked = stage.shop.hears_invocation(call.id, "first", false).await?;
    stage.shop.gives(&asked, r#"{"items":[{"name":"chair"}]}"#).await?;
    let asked = stage.shop.hears_invocation(call.id, "second", false).await?;
    stage.shop.gives(&asked, r#"{"order":1}"#).await?;
    let end = end_of(&stage.guest, call.id).await?;
    let due = json(r#"{"item":"chair","amount":2}"#)?;
    see(
        asked.input.value() == due.value() && end.status == CallStatus::Succeeded,
        format!("the second was given {}; {}", asked.input, end.status),
    )
}

async fn undone(stage: &mut Stage) -> Seen {
    agree_on_both(stage, Sharing { answers_of: [stage.shop.id().clone()].into(), ..Sharing::default() }).await?;
    let steps = vec![step(stage, "first", "order"), step(stage, "second", "look")];
    let call = call(&stage.guest, r#"{"item":"lamp"}"#, steps)?;
    invoke(&stage.guest, &call).await?;
    let asked = stage.shop.hears_invocation(call.id, "first", false).await?;
    stage.shop.gives(&asked, r#"{"order":2}"#).await?;
    let asked = stage.shop.hears_invocation(call.id, "second", false).await?;
    stage.shop.result(&asked, CallResult::Failed { reason: "nothing to look at".to_owned() }).await?;
    let undo = stage.shop.hears_invocation(call.id, "first", true).await?;
    stage.shop.gives(&undo, "null").await?;
    let end = end_of(&stage.guest, call.id).await?;
    let first = end.steps.first().map(|step| step.status.clone());
    see(
        undo.service.as_str() == "cancel" && first == Some(StepStatus::Undone),
        format!("{} took the first back; {}", undo.service, end.status),
    )
}

async fn once(stage: &mut Stage) -> Seen {
    agree_on_both(stage, Sharing::default()).await?;
    let call = order(stage, &stage.guest, "order")?;
    for _ in 0..3 {
        invoke(&stage.guest, &call).await?;
    }
    let asked = stage.shop.hears_invocation(call.id, "only", false).await?;
    stage.shop.gives(&asked, "1").await?;
    end_of(&stage.guest, call.id).await?;
    invoke(&stage.guest, &call).await?;
    // Had it been asked again, it would have come before this.
    let after = order(stage, &stage.guest, "order")?;
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
        let answer = vestibule_protocol::AuthorizationAnswer::Refused { reason: "no credit".to_owned() };
        stage.shop.tell(vestibule_protocol::SiiUp::Authorized { inquiry: asked.inquiry, answer }).await
    };
    let (refusal, answered) = tokio::join!(asks, answers);
    answered?;
    let refusal = refusal?;
    let call = order(stage, &stage.friend, "order")?;
    stage.friend.refused(Request::Invoke(Box::new(call)), RefusalCode::Forbidden).await?;
    see(refusal.message.contains("no credit"), refusal.to_string())
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
    let call = order(stage, &stage.guest, "order")?;
    let refusal = stage.guest.refused(Request::Invoke(Box::new(call)), RefusalCode::Forbidden).await?;
    see(looks.is_err(), format!("the shop was told and may not look any more; {refusal}"))
}

async fn shadow(stage: &mut Stage) -> Seen {
    let thief = stage.rival.actor.refused(
        Request::Sii(vestibule_protocol::SiiUp::Register(Box::new(stage.shop.info.clone()))),
        RefusalCode::Conflict,
    );
    let refusal = thief.await?;
    let twin = stage.home.twin("door");
    for request in [
        Request::DescribeTwin(twin.clone()),
        Request::Subscribe(Interest::All),
        Request::Actuate(stage.rival.actor.command(&twin, "lock", "unlock")),
        Request::Rules,
    ] {
        if let Ok(response) = stage.rival.actor.ask(request).await {
            return Err(format!("it was answered with {}", crate::actor::brief(&response)));
        }
    }
    // A guest is no third party.
    let part = Part { party: Party::ThirdParty, interest: stage.interest() };
    let guest =
        Actor::connect(stage.transport.as_ref(), stage.friend.key().clone(), part, stage.patience).await?;
    let mut info = stage.shop.info.clone();
    info.id = vestibule_model::SystemId::slug(&format!("kit-{}-thief", stage.tag));
    let own = Request::Sii(vestibule_protocol::SiiUp::Register(Box::new(info)));
    guest.refused(own, RefusalCode::Forbidden).await?;
    Ok(refusal.to_string())
}
