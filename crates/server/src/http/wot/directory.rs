//! The directory of things (WoT Discovery 1.0, clause 7): what the asker may see, as Thing Descriptions.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response, sse::Event as Line},
};
use serde::Deserialize;
use serde_json::{Value, json};
use vestibule_model::{SystemId, SystemQuery, TwinId};
use vestibule_protocol::{Interest, Request, Response as Answer, TwinView};
use vestibule_wot::{MEDIA_TYPE, Site, describe, directory, etag, thing_id, twin_of};

use super::{
    Problem, Things,
    caller::Caller,
    told::{self, News, Told},
};

/// Things on a page, unless asked otherwise and at most: a description has some kilobytes.
const PAGE: usize = 50;

/// Where the directory is: its own Thing Description, which says nothing of anybody.
pub(super) async fn introduction(State(things): State<Things>, headers: HeaderMap) -> Result<Response, Problem> {
    let td = directory(&things.site(&headers)?);
    Ok(tagged(&headers, MEDIA_TYPE, &etag(&td), &td))
}

/// Which page of the list.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Page {
    /// Things after this one, by its id.
    after: Option<String>,
    /// At most so many.
    limit: Option<usize>,
}

/// The things that the asker may see, in a stable order, a page at a time.
pub(super) async fn list(
    State(things): State<Things>,
    caller: Caller,
    headers: HeaderMap,
    Query(page): Query<Page>,
) -> Result<Response, Problem> {
    let site = things.site(&headers)?;
    let limit = page.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let after = page.after.as_deref().map(twin_of).transpose()?;
    let mut views = collect(&caller, after, limit + 1).await?;
    let more = views.len() > limit;
    views.truncate(limit);
    let list = Value::Array(views.iter().map(|view| describe(&view.info, &site)).collect());
    let mut response = tagged(&headers, "application/ld+json", &etag(&list), &list);
    if let (true, Some(last)) = (more, views.last()) {
        // Every character of an id may stand in a query.
        let next = format!("<{}?after={}&limit={limit}>; rel=\"next\"", site.things(), thing_id(&last.info.id));
        if let Ok(next) = HeaderValue::from_str(&next) {
            response.headers_mut().insert(header::LINK, next);
        }
    }
    Ok(response)
}

/// Twins after one, system by system.
async fn collect(caller: &Caller, after: Option<TwinId>, most: usize) -> Result<Vec<TwinView>, Problem> {
    let mut views = Vec::new();
    let mut system = after.as_ref().map(TwinId::system);
    if let Some(of) = &system {
        twins(caller, of, after, most, &mut views).await?;
    }
    while views.len() < most {
        let query = SystemQuery { after: system.take(), ..SystemQuery::default() };
        let Answer::Systems(found) = caller.ask(Request::DiscoverSystems(query)).await? else {
            return Err(Problem::strange());
        };
        let Some(last) = found.last() else { break };
        system = Some(last.info.id.clone());
        for found in &found {
            twins(caller, &found.info.id, None, most, &mut views).await?;
        }
    }
    views.truncate(most);
    Ok(views)
}

async fn twins(
    caller: &Caller,
    system: &SystemId,
    mut after: Option<TwinId>,
    most: usize,
    views: &mut Vec<TwinView>,
) -> Result<(), Problem> {
    while views.len() < most {
        let limit = u16::try_from(most - views.len()).unwrap_or(u16::MAX);
        let request = Request::ListTwins { system: system.clone(), after: after.take(), limit };
        let Answer::Twins(page) = caller.ask(request).await? else { return Err(Problem::strange()) };
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.info.id.clone());
        views.extend(page);
    }
    Ok(())
}

/// One thing, by its URN.
pub(super) async fn one(
    State(things): State<Things>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let view = caller.twin(&twin_of(&id)?).await?;
    let td = describe(&view.info, &things.site(&headers)?);
    Ok(tagged(&headers, MEDIA_TYPE, &etag(&td), &td))
}

/// An answer with its tag; where the asker has it already, only that.
fn tagged(headers: &HeaderMap, media: &'static str, tag: &str, json: &Value) -> Response {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    let is_known = known.is_some_and(|known| known == "*" || known.split(',').any(|one| one.trim() == tag));
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, media)], json.to_string()).into_response()
    };
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// Things that come, change and go, as they do.
pub(super) async fn events(things: State<Things>, caller: Caller, headers: HeaderMap) -> Result<Response, Problem> {
    changes(things, caller, headers, None).await
}

/// The same, of one kind: `thing_created`, `thing_updated` or `thing_deleted`.
pub(super) async fn events_of(
    things: State<Things>,
    caller: Caller,
    headers: HeaderMap,
    Path(kind): Path<String>,
) -> Result<Response, Problem> {
    if !["thing_created", "thing_updated", "thing_deleted"].contains(&kind.as_str()) {
        return Err(Problem::not_found("there are thing_created, thing_updated and thing_deleted"));
    }
    changes(things, caller, headers, Some(kind)).await
}

async fn changes(
    State(things): State<Things>,
    caller: Caller,
    headers: HeaderMap,
    only: Option<String>,
) -> Result<Response, Problem> {
    let (site, place) = (things.site(&headers)?, things.wait(&caller)?);
    let mut news = News::of(caller, Interest::All).await?;
    let mut known = BTreeMap::new();
    // What is there already is no news.
    loop {
        match news.next().await {
            Some(Told::Twin(id)) => note(&news, &site, &mut known, &id).map_or((), |_| ()),
            Some(Told::Synchronized) => break,
            Some(_) => {}
            None => return Err(Problem::unavailable("the enabler stops")),
        }
    }
    Ok(told::stream(news, place, move |news, told| {
        let (kind, id) = match told {
            Told::Twin(id) => (note(news, &site, &mut known, &id)?, id),
            Told::Gone(id) => {
                known.remove(&id)?;
                ("thing_deleted", id)
            }
            _ => return None,
        };
        only.as_ref().is_none_or(|only| only == kind).then_some(())?;
        Some(Line::default().event(kind).data(json!({ "id": thing_id(&id) }).to_string()))
    }))
}

/// What a twin that was told of is to somebody who knows some; `None`: nothing new.
fn note(news: &News, site: &Site, known: &mut BTreeMap<TwinId, String>, id: &TwinId) -> Option<&'static str> {
    let tag = etag(&describe(&news.twin(id)?.info, site));
    match known.insert(id.clone(), tag.clone()) {
        None => Some("thing_created"),
        Some(before) if before != tag => Some("thing_updated"),
        Some(_) => None,
    }
}
