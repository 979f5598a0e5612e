//! Systems and twins are found by whoever may see them, and only where they meet the conditions.

use std::collections::BTreeMap;

use vestibule_model::{
    Area, Cell, Charge, ChargePer, FeatureKind, RefusalCode, Right, RuleEffect, ServiceLevel, SystemId, SystemInfo,
    SystemKind, SystemQuery, TwinSelector,
};
use vestibule_protocol::{DiiUp, News, Request};

use crate::{
    Seen, Stage,
    actor::{Actor, see},
    catalogue::rows,
    things::door,
};

rows! { Discovery:
    "REQ-DT-01", "FGMV-28 8", "two systems describe a door of the same name" => unique;
    "REQ-DT-03", "FGMV-28 8", "a system is searched by a part of its name" => searchable;
    "REQ-DT-04", "FGMV-28 8", "the twins of a system are listed" => provides;
    "REQ-MV-01", "FGMV-28 8", "a guest asks for one twin" => one;
    "DTSD.kind", "FGMV-29 8.3.2", "twin systems are searched, then third parties" => kind;
    "DTSD.type", "FGMV-29 8.3.1, 8.3.2", "a type of system is searched" => system_type;
    "DTSD.properties", "FGMV-29 8.3.1, 8.3.2", "two properties are searched" => properties;
    "DTSD.feature", "FGMV-29 8.3.2", "a kind of feature is searched" => feature;
    "DTSD.place", "FGMV-29 8.3.2", "an area is searched, then one elsewhere" => place;
    "DTSD.charge", "FGMV-29 8.2.1, 8.2.2", "systems up to a charge are searched" => charge;
    "DTSD.level", "FGMV-29 8.2.1, 8.2.2", "a promised service level is searched" => level;
    "DTSD.pages", "requirements, interfaces", "all systems are asked for in pages of one" => pages;
    "DTSD.scope", "requirements 4", "a guest who may see nothing of a system searches" => scope;
    "DTSR.monitor", "FGMV-29 8.3.1", "a system falls silent and comes back" => monitored;
}

/// The kit's own systems that meet more conditions.
async fn find(stage: &Stage, who: &Actor, query: SystemQuery) -> Result<Vec<SystemId>, String> {
    let mut properties = query.properties;
    properties.insert("kit".to_owned(), stage.tag.clone());
    let found = who.systems(SystemQuery { properties, ..query }).await?;
    Ok(found.into_iter().map(|view| view.info.id.clone()).collect())
}

fn names(stage: &Stage, found: &[SystemId]) -> String {
    let start = format!("kit-{}-", stage.tag);
    let short: Vec<_> = found.iter().map(|id| id.as_str().trim_start_matches(&start)).collect();
    format!("found {short:?}")
}

/// A search has to find exactly these of the kit's systems.
async fn finds(stage: &Stage, query: SystemQuery, due: &[&SystemId]) -> Seen {
    let found = find(stage, &stage.owner, query).await?;
    see(found.iter().collect::<Vec<_>>() == due, names(stage, &found))
}

async fn unique(stage: &mut Stage) -> Seen {
    let (home, yard) = (stage.home.twin("door"), stage.yard.twin("door"));
    let views = [stage.owner.twin(&home).await?, stage.owner.twin(&yard).await?];
    if views.each_ref().map(|view| &view.info.id) != [&home, &yard] {
        return Err(format!("asked for {home} and {yard}, got {} and {}", views[0].info.id, views[1].info.id));
    }
    // What names the twin of another system is no name for one's own.
    let message = DiiUp::Describe(Box::new(door(&home)));
    let refusal = stage.yard.actor.refused(Request::Dii(message), RefusalCode::Forbidden).await?;
    Ok(format!("two twins; claimed by the other system: {refusal}"))
}

async fn searchable(stage: &mut Stage) -> Seen {
    // "yard 0a1b2c3d", in capitals.
    let text = Some(format!("YARD {}", stage.tag.to_uppercase()));
    let part = finds(stage, SystemQuery { text, ..SystemQuery::default() }, &[stage.yard.id()]).await?;
    let other = SystemQuery { text: Some(format!("no {}", stage.tag)), ..SystemQuery::default() };
    let none = finds(stage, other, &[]).await?;
    Ok(format!("{part}; by another text {none}"))
}

async fn provides(stage: &mut Stage) -> Seen {
    let twins: Vec<_> = stage.owner.list(stage.home.id()).await?.into_iter().map(|view| view.info.id.clone()).collect();
    let due = ["door", "lamp", "probe"].map(|local| stage.home.twin(local));
    see(twins == due, format!("{twins:?}"))
}

async fn one(stage: &mut Stage) -> Seen {
    let view = stage.guest.twin(&stage.home.twin("door")).await?;
    let mut due = door(&stage.home.twin("door"));
    due.features.values_mut().for_each(|feature| feature.actions.clear());
    see(*view.info == due, format!("{} at {:?}", view.info.name, view.info.place.as_ref().map(|place| place.position)))
}

async fn kind(stage: &mut Stage) -> Seen {
    let of = |kind| SystemQuery { kind: Some(kind), ..SystemQuery::default() };
    let twins = find(stage, &stage.owner, of(SystemKind::DigitalTwin)).await?;
    let others = find(stage, &stage.owner, of(SystemKind::ThirdParty)).await?;
    let due = [stage.home.id(), stage.yard.id()];
    let shops = [stage.shop.id(), stage.rival.id()];
    let all = due.iter().all(|id| twins.contains(id) && !others.contains(id))
        && shops.iter().all(|id| others.contains(id) && !twins.contains(id));
    see(all, format!("twin systems: {}; third parties: {}", names(stage, &twins), names(stage, &others)))
}

async fn system_type(stage: &mut Stage) -> Seen {
    let of = |kind: &str| SystemQuery { system_type: Some(kind.to_owned()), ..SystemQuery::default() };
    let found = finds(stage, of("garden"), &[stage.yard.id()]).await?;
    let none = finds(stage, of("gard"), &[]).await?;
    Ok(format!("{found}; by a part of the type {none}"))
}

async fn properties(stage: &mut Stage) -> Seen {
    let of = |part: &str| BTreeMap::from([("part".to_owned(), part.to_owned())]);
    let home = SystemQuery { properties: of("home"), ..SystemQuery::default() };
    let found = finds(stage, home, &[stage.home.id()]).await?;
    let none = finds(stage, SystemQuery { properties: of("attic"), ..SystemQuery::default() }, &[]).await?;
    Ok(format!("{found}; with another value {none}"))
}

async fn feature(stage: &mut Stage) -> Seen {
    let locks = SystemQuery { feature: Some(FeatureKind::Lock), ..SystemQuery::default() };
    let found = finds(stage, locks, &[stage.home.id(), stage.yard.id()]).await?;
    let blinds = SystemQuery { feature: Some(FeatureKind::Cover), ..SystemQuery::default() };
    let none = finds(stage, blinds, &[]).await?;
    Ok(format!("{found}; of a kind that nobody has {none}"))
}

/// Where the kit's yard is, and a place on the other side of the world.
pub(crate) const YARD_CELL: &str = "8928308280fffff";
const ELSEWHERE: &str = "89be0e35cb7ffff";

async fn place(stage: &mut Stage) -> Seen {
    let area = |cell: &str| -> Result<SystemQuery, String> {
        let cell: Cell = cell.parse().map_err(|error| format!("{cell}: {error}"))?;
        Ok(SystemQuery { place: Some(Area { cell, ring: 1 }), ..SystemQuery::default() })
    };
    let here = finds(stage, area(YARD_CELL)?, &[stage.yard.id()]).await?;
    let there = finds(stage, area(ELSEWHERE)?, &[]).await?;
    Ok(format!("{here}; elsewhere {there}"))
}

/// What the use of the yard costs.
pub(crate) fn yard_charge(amount: u64) -> Result<Charge, String> {
    let currency = "EUR".parse().map_err(|error| format!("EUR: {error}"))?;
    Ok(Charge { amount, currency, per: ChargePer::Day })
}

async fn charge(stage: &mut Stage) -> Seen {
    let at_most = |amount| -> Result<SystemQuery, String> {
        Ok(SystemQuery { charge: Some(yard_charge(amount)?), ..SystemQuery::default() })
    };
    let enough = find(stage, &stage.owner, at_most(500)?).await?;
    let little = find(stage, &stage.owner, at_most(499)?).await?;
    let right = enough.contains(stage.yard.id()) && !little.contains(stage.yard.id());
    let free = little.contains(stage.home.id());
    see(right && free, format!("up to 500: {}; up to 499: {}", names(stage, &enough), names(stage, &little)))
}

async fn level(stage: &mut Stage) -> Seen {
    let of = |availability| {
        let level = ServiceLevel { availability_permille: Some(availability), ..ServiceLevel::default() };
        SystemQuery { level: Some(level), ..SystemQuery::default() }
    };
    let found = finds(stage, of(990), &[stage.yard.id()]).await?;
    let none = finds(stage, of(999), &[]).await?;
    Ok(format!("{found}; of a higher level {none}"))
}

async fn pages(stage: &mut Stage) -> Seen {
    let all = find(stage, &stage.owner, SystemQuery::default()).await?;
    let (mut paged, mut after) = (Vec::new(), None);
    for _ in 0..=all.len() {
        let page = find(stage, &stage.owner, SystemQuery { after, limit: 1, ..SystemQuery::default() }).await?;
        if page.len() > 1 {
            return Err(format!("a page of one has {}", page.len()));
        }
        after = page.last().cloned();
        paged.extend(page);
        if after.is_none() {
            break;
        }
    }
    let sorted = all.windows(2).all(|pair| pair[0] < pair[1]);
    see(sorted && paged == all && all.len() >= 2, format!("{}, in pages {}", names(stage, &all), paged.len()))
}

async fn scope(stage: &mut Stage) -> Seen {
    let rule = stage.rule("blind", &stage.friend, TwinSelector::System(stage.yard.id().clone()), Right::Read);
    let rule = vestibule_model::Rule { effect: RuleEffect::Deny, ..rule };
    let play = async {
        let theirs = find(stage, &stage.friend, SystemQuery::default()).await?;
        let twins = stage.friend.list(stage.yard.id()).await.unwrap_or_default().len();
        let others = find(stage, &stage.guest, SystemQuery::default()).await?;
        let right = !theirs.contains(stage.yard.id()) && others.contains(stage.yard.id()) && twins == 0;
        see(right, format!("{}; {twins} of its twins; others {}", names(stage, &theirs), names(stage, &others)))
    };
    stage.under(rule, play).await
}

async fn monitored(stage: &mut Stage) -> Seen {
    let promise = SystemInfo { heartbeat_ms: 1_000, ..stage.yard.info.clone() };
    let id = stage.yard.id().clone();
    let is = |online: bool| {
        let id = id.clone();
        move |news: &News| match news {
            News::System(view) if view.info.id == id && view.health.online == online => Some(()),
            _ => None,
        }
    };
    let mark = stage.owner.mark();
    stage.yard.tell(DiiUp::Register(promise)).await?;
    let silent = stage.owner.hears(mark, "the system is away", is(false)).await;
    let mark = stage.owner.mark();
    let heard = stage.yard.tell(DiiUp::Heartbeat).await;
    let back = stage.owner.hears(mark, "the system is there again", is(true)).await;
    // As it was, for the rows after this one.
    stage.yard.register().await?;
    stage.yard.describe(door(&stage.yard.twin("door"))).await?;
    silent.and(heard).and(back)?;
    Ok("away after its promise was broken, there after a sign of life".to_owned())
}
