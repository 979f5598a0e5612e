//! DTSD and TPSD: what is found is what a look at every system would find, page by page, also while systems come and go.

use proptest::prelude::*;

use super::*;

const CELLS: [&str; 4] = ["8828308281fffff", "8828308283fffff", "85283083fffffff", "881fa44121fffff"];

fn eur(amount: u64) -> Charge {
    Charge { amount, currency: "EUR".parse().unwrap(), per: ChargePer::Call }
}

prop_compose! {
    fn any_system()(
        name in "[ab]{1,2}", twin_system in any::<bool>(), system_type in 0..3_usize, floor in 0..4_u8,
        cell in 0..6_usize, charge in 0..4_u64, p99 in 0..3_u64, service in 0..3_usize, kind in 0..3_usize,
    ) -> (SystemInfo, Option<FeatureKind>) {
        let kinds = [SystemKind::ThirdParty, SystemKind::DigitalTwin];
        let mut info = SystemInfo::new(SystemId::slug("x"), kinds[usize::from(twin_system)], name);
        info.system_type = ["home", "shop", ""][system_type].to_owned();
        if floor > 0 {
            info.properties.insert("floor".to_owned(), floor.to_string());
        }
        info.place = CELLS.get(cell).map(|cell| cell.parse().unwrap());
        info.charge = (charge > 0).then(|| eur(charge * 100));
        info.level.p99_ms = (p99 > 0).then_some(p99 * 100);
        if service > 0 {
            let charge = (service > 1).then(|| eur(150));
            let service = ServiceInfo { charge, ..ServiceInfo::new("Order") };
            info.services.insert(ServiceId::slug("order"), service);
        }
        let feature = [None, Some(FeatureKind::Light), Some(FeatureKind::Lock)][kind];
        (info, feature.filter(|_| twin_system))
    }
}

prop_compose! {
    fn any_query()(
        kind in 0..4_usize, system_type in 0..4_usize, text in proptest::option::of("[abAB]"), floor in 0..5_u8,
        cell in 0..8_usize, ring in 0..3_u8, charge in 0..4_u64, p99 in 0..4_u64, service in any::<bool>(),
        feature in 0..4_usize, online in 0..4_u8, keeps in 0..4_u8,
    ) -> SystemQuery {
        let properties = (floor == 1).then(|| ("floor".to_owned(), floor.to_string())).into_iter().collect();
        SystemQuery {
            kind: [None, None, Some(SystemKind::ThirdParty), Some(SystemKind::DigitalTwin)][kind],
            system_type: [None, None, Some("home"), Some("shop")][system_type].map(str::to_owned),
            text,
            properties,
            place: CELLS.get(cell).map(|cell| Area { cell: cell.parse().unwrap(), ring }),
            feature: [None, None, None, Some(FeatureKind::Light)][feature],
            service: service.then(|| ServiceId::slug("order")),
            charge: (charge > 1).then(|| eur(charge * 100)),
            level: (p99 > 2).then(|| ServiceLevel { p99_ms: Some(100), ..ServiceLevel::default() }),
            online: [None, None, Some(true), Some(false)][usize::from(online)],
            keeps_promises: [None, None, None, Some(true)][usize::from(keeps)],
            ..SystemQuery::default()
        }
    }
}

/// Registers systems `s00`, `s01`, ...; every second one is connected.
fn town(house: &mut House, systems: &[(SystemInfo, Option<FeatureKind>)]) {
    for (number, (info, feature)) in systems.iter().enumerate() {
        let id = SystemId::slug(&format!("s{number:02}"));
        let info = SystemInfo { id: id.clone(), ..info.clone() };
        let owner = Identity::Local(id.clone());
        house.committed(vec![LogEvent::SystemRegistered { info, owner }]);
        if let Some(kind) = feature {
            let mut twin = TwinInfo { id: TwinId::of(&id, "t"), ..lamp_info() };
            twin.features.retain(|feature, _| feature.as_str() == "light");
            twin.features.values_mut().for_each(|feature| feature.kind = *kind);
            house.committed(vec![LogEvent::TwinDescribed { info: twin.into() }]);
        }
        if number % 2 == 0 {
            let changes = house.hot.attach(&id, 0, house.now);
            house.take(changes);
        }
    }
}

/// Systems become others, lose what they had, go, and come back.
fn years_pass(house: &mut House, changes: &[(usize, Option<(SystemInfo, Option<FeatureKind>)>)]) {
    for (number, becomes) in changes {
        let id = SystemId::slug(&format!("s{number:02}"));
        let Some((info, feature)) = becomes else {
            house.committed(vec![LogEvent::SystemGone { system: id, by: None }]);
            continue;
        };
        let info = SystemInfo { id: id.clone(), ..info.clone() };
        house.committed(vec![LogEvent::SystemRegistered { info, owner: Identity::Local(id.clone()) }]);
        let twin = TwinId::of(&id, "t");
        house.committed(vec![match feature {
            Some(kind) => {
                let mut twin = TwinInfo { id: twin, ..lamp_info() };
                twin.features.retain(|feature, _| feature.as_str() == "light");
                twin.features.values_mut().for_each(|feature| feature.kind = *kind);
                LogEvent::TwinDescribed { info: twin.into() }
            }
            None => LogEvent::TwinGone { twin },
        }]);
    }
}

/// Every condition, asked of every system.
fn naive(house: &House, viewer: &Viewer, query: &SystemQuery) -> Vec<SystemId> {
    let meets = |system: &System| {
        let info = &system.info;
        let health = house.hot.health(system, 0, house.now);
        let text = query.text.as_ref().is_none_or(|text| {
            let text = text.to_lowercase();
            info.name.to_lowercase().contains(&text) || info.id.as_str().contains(&text)
        });
        let place = query.place.is_none_or(|area| info.place.is_some_and(|cell| area.cells().may_hold(cell)));
        let charge = query.charge.as_ref().is_none_or(|most| {
            let asked = query.service.as_ref().and_then(|service| info.services.get(service)?.charge.as_ref());
            asked.or(info.charge.as_ref()).is_none_or(|charge| charge.is_at_most(most))
        });
        let feature = query.feature.is_none_or(|kind| {
            house.state.twins.values().filter(|twin| twin.info.id.system() == info.id).any(|twin| {
                let mut features = twin.info.features.iter().filter(|(_, feature)| feature.kind == kind);
                features.any(|(id, _)| may_read(&house.state, viewer, &twin.info.id, Some(id)))
            })
        });
        text && place
            && charge
            && feature
            && query.kind.is_none_or(|kind| kind == info.kind)
            && query.system_type.as_ref().is_none_or(|wanted| *wanted == info.system_type)
            && query.properties.iter().all(|(key, value)| info.properties.get(key) == Some(value))
            && query.service.as_ref().is_none_or(|service| info.services.contains_key(service))
            && query.level.as_ref().is_none_or(|level| info.level.missing(level).is_empty())
            && query.online.is_none_or(|online| online == health.online)
            && query.keeps_promises.is_none_or(|keeps| keeps == health.broken.is_empty())
            && may_see_system(&house.state, viewer, &info.id)
    };
    house.state.systems.values().filter(|system| meets(system)).map(|system| system.info.id.clone()).collect()
}

fn page(house: &mut House, who: Fingerprint, query: &SystemQuery) -> Vec<SystemId> {
    match house.ask(&metaverse(who), &Request::DiscoverSystems(query.clone())).unwrap() {
        Response::Systems(views) => views.into_iter().map(|view| view.info.id.clone()).collect(),
        other => panic!("{other:?}"),
    }
}

fn pages(
    house: &mut House,
    who: Fingerprint,
    query: &SystemQuery,
    mut between: impl FnMut(&mut House),
) -> Vec<SystemId> {
    let (mut query, mut found) = (query.clone(), Vec::new());
    loop {
        let next = page(house, who, &query);
        let Some(last) = next.last() else { return found };
        query.after = Some(last.clone());
        found.extend(next);
        between(house);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn what_is_found_is_what_a_look_at_all_would_find(
        systems in proptest::collection::vec(any_system(), 0..24),
        changes in proptest::collection::vec((0..24_usize, proptest::option::of(any_system())), 0..12),
        queries in proptest::collection::vec(any_query(), 1..12),
        hidden in proptest::option::of(0..24_usize),
        limit in 1..5_u16,
    ) {
        let mut house = House::empty();
        town(&mut house, &systems);
        years_pass(&mut house, &changes);
        if let Some(number) = hidden {
            let twins = TwinSelector::Twin(TwinId::of(&SystemId::slug(&format!("s{number:02}")), "t"));
            let shown = house.state.rules[&RuleId::slug("guests-see")].clone();
            let rule = Rule { id: RuleId::slug("hidden"), twins, effect: RuleEffect::Deny, ..shown };
            house.committed(vec![LogEvent::RuleSet { rule, by: None }]);
        }
        for query in &queries {
            for who in [OWNER, GUEST] {
                let viewer = house.viewer(who);
                let expected = naive(&house, &viewer, query);
                let query = SystemQuery { limit, ..query.clone() };
                prop_assert_eq!(&pages(&mut house, who, &query, |_| {}), &expected, "{:?}", query);
                // What it is found by is in no snapshot, and made again from it.
                let state = house.snapshot_read(house.log.len() / 2);
                let state = std::mem::replace(&mut house.state, state);
                prop_assert_eq!(pages(&mut house, who, &query, |_| {}), expected, "{:?}, after a start", query);
                house.state = state;
            }
        }
        house.restart();
    }
}

#[test]
fn a_cursor_stands_while_systems_come_and_go() {
    let mut house = House::empty();
    let info = SystemInfo::new(SystemId::slug("x"), SystemKind::ThirdParty, "A shop");
    town(&mut house, &vec![(info.clone(), None); 20]);
    let query = SystemQuery { limit: 3, kind: Some(SystemKind::ThirdParty), ..SystemQuery::default() };
    let mut number = 0;
    let found = pages(&mut house, OWNER, &query, |house| {
        // One that was passed goes and one comes before it; another one comes behind.
        house.committed(vec![LogEvent::SystemGone { system: SystemId::slug(&format!("s{number:02}")), by: None }]);
        for id in [format!("a{number}"), format!("z{number}")] {
            let info = SystemInfo { id: SystemId::slug(&id), ..info.clone() };
            house.committed(vec![LogEvent::SystemRegistered { owner: Identity::Local(info.id.clone()), info }]);
        }
        number += 1;
        assert!(number < 100, "it ends");
    });
    let old: Vec<String> = (0..20).map(|number| format!("s{number:02}")).collect();
    let seen: Vec<&str> = found.iter().map(SystemId::as_str).filter(|id| id.starts_with('s')).collect();
    assert_eq!(seen, old, "each that was there all the time comes once");
    assert!(found.is_sorted() && found.iter().collect::<BTreeSet<_>>().len() == found.len());
}

#[test]
fn hostile_queries_are_refused() {
    let mut house = House::with_lamp();
    let area = Area { cell: CELLS[0].parse().unwrap(), ring: 200 };
    for query in [
        SystemQuery { place: Some(area), ..SystemQuery::default() },
        SystemQuery { text: Some("x".repeat(10_000)), ..SystemQuery::default() },
        SystemQuery { properties: (0..99).map(|n| (n.to_string(), String::new())).collect(), ..SystemQuery::default() },
    ] {
        let refusal = house.ask(&metaverse(OWNER), &Request::DiscoverSystems(query)).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::Invalid);
    }
}
