//! Who may see and do what: a world is shaped by it, and a refusal names the rule that decided.

use vestibule_model::{ActionId, FeatureId, Inquiry, RefusalCode, Right, RuleId, TwinSelector, Wanted};
use vestibule_protocol::{News, Request, Response};

use crate::{
    Seen, Stage,
    actor::{Actor, instead, see},
    catalogue::rows,
};

rows! { Permissions:
    "REQ-DT-05", "FGMV-28 8, FGMV-29 8.3.5", "a guest is let unlock one door of two" => each_twin;
    "INV-4.hidden", "requirements 4", "a feature is hidden from a guest" => hidden;
    "INV-4.control", "requirements 4", "a guest who may only look describes a door" => no_control;
    "INV-4.rule", "requirements 4", "a guest is let and forbidden at once, and asks" => deny_wins;
    "DTAC.at-once", "FGMV-29 8.3.5", "a twin is taken from a guest's world, and given back" => at_once;
    "DTAC.explain", "FGMV-29 8.3.5", "a guest asks why they may and why not" => explains;
    "DTAC.owners", "FGMV-29 8.3.5", "a guest reads and changes rules, reads the log" => owners;
    "DTAC.until", "FGMV-29 8.3.5", "a rule ends while a guest asks again and again" => until;
}

async fn each_twin(stage: &mut Stage) -> Seen {
    let (mine, other) = (stage.home.twin("door"), stage.yard.twin("door"));
    let right = Right::Act(ActionId::slug("unlock"));
    let rule = stage.rule("unlock", &stage.guest, TwinSelector::Twin(mine.clone()), right);
    let play = async {
        let command = stage.guest.command(&mine, "lock", "unlock");
        stage.guest.act(&command).await?;
        let ask = |twin, action| Request::Actuate(stage.guest.command(twin, "lock", action));
        stage.guest.refused(ask(&mine, "lock"), RefusalCode::Forbidden).await?;
        let refusal = stage.guest.refused(ask(&other, "unlock"), RefusalCode::Forbidden).await?;
        Ok(format!("one was unlocked, not locked; of the other one: {refusal}"))
    };
    stage.under(rule, play).await
}

async fn hidden(stage: &mut Stage) -> Seen {
    let door = stage.home.twin("door");
    let rule = stage.ban("no-lock", &stage.friend, &door, Some("lock"), Right::Read);
    let play = async {
        let view = stage.friend.twin(&door).await?;
        let lock = FeatureId::slug("lock");
        let listed = stage.friend.list(stage.home.id()).await?;
        let listed = listed.iter().any(|view| view.info.id == door && view.info.features.contains_key(&lock));
        let seen = view.info.features.contains_key(&lock) || view.access.contains_key(&lock);
        let fits = view.readings.len() == view.info.properties().count();
        let bell = view.info.features.contains_key(&FeatureId::slug("bell"));
        see(!seen && !listed && fits && bell, format!("features {:?}", view.info.features.keys().collect::<Vec<_>>()))
    };
    stage.under(rule, play).await
}

async fn no_control(stage: &mut Stage) -> Seen {
    let view = stage.friend.twin(&stage.home.twin("door")).await?;
    let actions: usize = view.info.features.values().map(|feature| feature.actions.len()).sum();
    let allowed: usize = view.access.values().map(|access| access.act.len()).sum();
    let owner = stage.owner.twin(&stage.home.twin("door")).await?;
    let owners: usize = owner.info.features.values().map(|feature| feature.actions.len()).sum();
    see((actions, allowed, owners) == (0, 0, 2), format!("{actions} actions; an owner sees {owners}"))
}

async fn deny_wins(stage: &mut Stage) -> Seen {
    let lamp = stage.home.twin("lamp");
    let allow = stage.rule("may-act", &stage.guest, TwinSelector::Twin(lamp.clone()), Right::ActAny);
    let deny = stage.ban("may-not", &stage.guest, &lamp, None, Right::Act(ActionId::slug("turn_on")));
    let rule = deny.id.clone();
    let play = async {
        let on = Request::Actuate(stage.guest.command(&lamp, "light", "turn_on"));
        let refusal = stage.guest.refused(on, RefusalCode::Forbidden).await?;
        see(refusal.rule.as_ref() == Some(&rule), format!("{refusal}"))
    };
    stage.under(allow, stage.under(deny, play)).await
}

async fn at_once(stage: &mut Stage) -> Seen {
    let lamp = stage.home.twin("lamp");
    let shown = |news: &News| matches!(news, News::Twin(view) if view.info.id == lamp).then_some(());
    stage.friend.hears(0, "the lamp", shown).await?;
    let mark = stage.friend.mark();
    let play = async {
        let gone = |news: &News| matches!(news, News::Gone(twin) if *twin == lamp).then_some(());
        stage.friend.hears(mark, "that the lamp is gone", gone).await?;
        let refused = stage.friend.refused(Request::DescribeTwin(lamp.clone()), RefusalCode::Forbidden).await?;
        Ok((stage.friend.mark(), refused))
    };
    let rule = stage.ban("no-lamp", &stage.friend, &lamp, None, Right::Read);
    let (mark, refusal) = stage.under(rule, play).await?;
    stage.friend.hears(mark, "the lamp again", shown).await?;
    Ok(format!("gone, then there again; meanwhile: {refusal}"))
}

/// Whether somebody may perform an action, by what the enabler says of it, and by which rule.
async fn explain(who: &Actor, what: Wanted) -> Result<(bool, Option<RuleId>), String> {
    match who.ask(Request::Explain(Inquiry { user: None, what })).await {
        Ok(Response::Explanation(verdict)) => Ok((verdict.allowed, verdict.rule)),
        other => Err(instead("an explanation", &other)),
    }
}

async fn explains(stage: &mut Stage) -> Seen {
    let lamp = stage.home.twin("lamp");
    let (feature, action) = (FeatureId::slug("light"), ActionId::slug("turn_on"));
    let act = || Wanted::Act { twin: lamp.clone(), feature: feature.clone(), action: action.clone() };
    let deny = stage.ban("why-not", &stage.guest, &lamp, None, Right::Act(action.clone()));
    let rule = deny.id.clone();
    let play = async {
        let (allowed, why) = explain(&stage.guest, act()).await?;
        see(!allowed && why == Some(rule), format!("may not: {why:?}"))
    };
    let not = stage.under(deny, play).await?;
    let read = Wanted::Read { twin: lamp.clone(), feature: Some(feature.clone()) };
    let (allowed, why) = explain(&stage.guest, read).await?;
    see(allowed && why.is_some(), format!("{not}; may look: {why:?}"))
}

async fn owners(stage: &mut Stage) -> Seen {
    let guest = &stage.guest;
    let own = stage.rule("own", guest, TwinSelector::All, Right::Manage);
    let requests = [
        Request::Rules,
        Request::SetRule(own.clone()),
        Request::RemoveRule(own.id.clone()),
        Request::Log { after: 0, limit: 1 },
    ];
    let mut words = String::new();
    for request in requests {
        words = guest.refused(request, RefusalCode::Forbidden).await?.to_string();
    }
    let rules = match stage.owner.ask(Request::Rules).await {
        Ok(Response::Rules(rules)) => rules,
        other => return Err(instead("rules", &other)),
    };
    see(rules.iter().all(|rule| rule.id != own.id), format!("all four refused; the last: {words}"))
}

async fn until(stage: &mut Stage) -> Seen {
    let lamp = stage.home.twin("lamp");
    let mut rule = stage.rule("for-a-time", &stage.friend, TwinSelector::Twin(lamp.clone()), Right::ActAny);
    // Long enough to be asked about before it ends, also on a slow machine.
    let end = stage.owner.now().plus(4_000);
    rule.until = Some(end);
    let id = rule.id.clone();
    let act = Wanted::Act { twin: lamp.clone(), feature: FeatureId::slug("light"), action: ActionId::slug("turn_on") };
    let play = async {
        let (before, why) = explain(&stage.friend, act.clone()).await?;
        if !before && stage.friend.now() < end {
            return Err(format!("it does not hold before its end: {why:?}"));
        }
        let give_up = std::time::Instant::now() + stage.patience;
        while std::time::Instant::now() < give_up {
            let (allowed, _) = explain(&stage.friend, act.clone()).await?;
            if !allowed {
                let refused = Request::Actuate(stage.friend.command(&lamp, "light", "turn_on"));
                let refusal = stage.friend.refused(refused, RefusalCode::Forbidden).await?;
                return Ok(format!("allowed by {}, then: {refusal}", why.as_ref().unwrap_or(&id)));
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Err("it still holds long after its end".to_owned())
    };
    stage.under(rule.clone(), play).await
}
