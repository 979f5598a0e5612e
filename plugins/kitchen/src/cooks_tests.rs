use std::{collections::BTreeSet, sync::LazyLock};

use vestibule_model::{
    Authorization, CallUpdate, Pseudonym, Refusal, RefusalCode, ServiceInfo, SystemHealth, SystemInfo, UserId,
};

use super::*;

static BOOK: LazyLock<Book> = LazyLock::new(Book::default);
const SOUPS: &str = r#"{"@context": "https://schema.org", "@graph": [
    {"@type": "Recipe", "name": "Leek soup", "description": "Hot.", "recipeIngredient": ["2 leeks"]},
    {"@type": "HowTo", "name": "Hang a shelf", "step": ["Drill."]},
    {"@type": "Person", "name": "Nobody"}]}"#;

fn grocer() -> SystemId {
    SystemId::slug("grocer")
}

fn systems(services: &[&str]) -> KnownSystems {
    let mut info = SystemInfo::new(grocer(), SystemKind::ThirdParty, "The grocer");
    info.services = services.iter().map(|name| (ServiceId::slug(name), ServiceInfo::new(*name))).collect();
    let health = SystemHealth { online: true, ..SystemHealth::default() };
    let known = KnownSystem { info, health, usable: BTreeMap::new() };
    KnownSystems { systems: [(grocer(), known)].into(), complete: true, problem: None }
}

fn agreed(services: &[&str]) -> KnownServices {
    let agreed = Authorization {
        system: grocer(),
        pseudonym: Pseudonym::slug("u-1"),
        services: services.iter().map(|name| ServiceId::slug(name)).collect(),
        share: Sharing::default(),
        until: Timestamp(u64::MAX),
        account: None,
        since: Timestamp(0),
    };
    KnownServices { agreed: [(grocer(), agreed)].into(), complete: true, ..KnownServices::default() }
}

fn around<'a>(systems: &'a KnownSystems, services: &'a KnownServices) -> Around<'a> {
    Around { systems, services, now: Some(Timestamp(1)) }
}

fn answer(services: &mut KnownServices, key: u8, output: Option<&str>) {
    let (call, service) = (CallId([key; 16]), ServiceId::slug(RECIPES));
    services.begin(call, grocer(), service);
    let failed = || CallStatus::Failed { reason: "it is ill".to_owned(), kept: Vec::new() };
    let status = if output.is_some() { CallStatus::Succeeded } else { failed() };
    let output = output.map(|text| Json::new(text).unwrap());
    services.take(CallUpdate { call, user: UserId::slug("owner"), status, steps: vec![], output, at: Timestamp(1) });
}

#[test]
fn somebody_is_asked_only_when_a_person_wants_it_and_agreed_with_before() {
    let (with, mut services) = (systems(&["search", RECIPES]), agreed(&["search"]));
    let mut cooks = Cooks::default();
    assert_eq!(cooks.step(around(&with, &services), &BOOK.table, 0.0).1, []);
    assert!(!cooks.view(around(&with, &services), &BOOK)[0].asking);
    cooks.want(&grocer());
    services.complete = false;
    assert_eq!(cooks.step(around(&with, &services), &BOOK.table, 0.0).1, [UseServices::Look], "agreeing anew replaces");
    assert_eq!(cooks.step(around(&with, &services), &BOOK.table, 0.0).1, []);
    services.complete = true;
    let asked = cooks.step(around(&with, &services), &BOOK.table, 0.0).1;
    let [UseServices::Agree { system, services: wanted, share, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((system, share), (&grocer(), &Sharing::default()), "nothing is told of the person");
    assert_eq!(*wanted, BTreeSet::from([ServiceId::slug("search"), ServiceId::slug(RECIPES)]), "and it may still sell");
    assert_eq!(cooks.step(around(&with, &services), &BOOK.table, 0.1).1, [], "asked once");
    services.agreed = agreed(&["search", RECIPES]).agreed;
    let asked = cooks.step(around(&with, &services), &BOOK.table, 0.2).1;
    assert!(
        matches!(asked.as_slice(), [UseServices::Call { service, .. }] if service.as_str() == RECIPES),
        "{asked:?}"
    );
    assert_eq!(cooks.step(around(&with, &services), &BOOK.table, 0.3).1, []);
}

#[test]
fn what_it_tells_can_be_taken_in() {
    let (with, mut services) = (systems(&[RECIPES]), agreed(&[RECIPES]));
    let (mut cooks, mut book) = (Cooks::default(), Book::default());
    answer(&mut services, 1, Some(SOUPS));
    assert!(cooks.step(around(&with, &services), &book.table, 0.0).0);
    assert!(!cooks.step(around(&with, &services), &book.table, 0.1).0, "it is no news twice");
    let told = cooks.view(around(&with, &services), &book).remove(0);
    let recipes = told.recipes.unwrap();
    assert_eq!(recipes.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["Leek soup", "Hang a shelf"]);
    assert_eq!((recipes[0].description.as_str(), recipes[0].taken), ("Hot.", false));
    for one in &recipes {
        book.follow(&vestibule_twin::Cook::Import(one.text.clone()), None).unwrap();
    }
    assert_eq!((book.recipes.len(), book.instructions.len()), (1, 1));
    let told = cooks.view(around(&with, &services), &book).remove(0);
    assert!(told.recipes.unwrap().iter().all(|one| one.taken));
}

#[test]
fn whoever_does_not_tell_is_told_why() {
    let (with, mut services) = (systems(&[RECIPES]), agreed(&[RECIPES]));
    let mut cooks = Cooks::default();
    let mut why = |services: &KnownServices, with: &KnownSystems| {
        cooks.step(around(with, services), &BOOK.table, 0.0);
        cooks.view(around(with, services), &BOOK)[0].problem.clone().unwrap_or_default()
    };
    answer(&mut services, 1, None);
    assert!(why(&services, &with).contains("told nothing: ") && why(&services, &with).contains("it is ill"));
    answer(&mut services, 2, Some(r#"{"@type": "Person"}"#));
    assert!(why(&services, &with).contains("no recipes"));
    answer(&mut services, 3, Some(r#"{"@graph": []}"#));
    assert_eq!(why(&services, &with), "", "none at all is an answer");
    let mut away = with.clone();
    away.systems.values_mut().for_each(|known| known.health.online = false);
    assert!(why(&services, &away).contains("reached"));
    services = KnownServices::default();
    services.refused.insert(grocer(), Refusal::new(RefusalCode::Forbidden, "The grocer said no."));
    assert!(why(&services, &with).contains("said no"));
}

#[test]
fn a_refusal_ends_the_question_and_whoever_is_gone_is_asked_nothing() {
    let (with, mut services) = (systems(&[RECIPES]), KnownServices { complete: true, ..KnownServices::default() });
    let mut cooks = Cooks::default();
    cooks.want(&grocer());
    assert_eq!(cooks.step(around(&with, &services), &BOOK.table, 0.0).1.len(), 1);
    services.refused.insert(grocer(), Refusal::new(RefusalCode::Forbidden, "no"));
    cooks.step(around(&with, &services), &BOOK.table, 2.0);
    assert!(!cooks.view(around(&with, &services), &BOOK)[0].asking);
    cooks.want(&grocer());
    assert_eq!(cooks.step(around(&systems(&["search"]), &services), &BOOK.table, 3.0).1, []);
    assert!(cooks.view(around(&systems(&["search"]), &services), &BOOK).is_empty(), "it has none");
}
