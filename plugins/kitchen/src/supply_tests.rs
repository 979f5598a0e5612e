use vestibule_model::{Authorization, Pseudonym, ServiceId, Sharing, SystemHealth, SystemInfo};

use super::*;

pub(crate) fn grocer() -> SystemId {
    SystemId::slug("grocer")
}

pub(crate) fn systems(properties: &[(&str, &str)], system_type: &str) -> KnownSystems {
    let mut info = SystemInfo::new(grocer(), SystemKind::ThirdParty, "The grocer");
    info.system_type = system_type.to_owned();
    info.properties = properties.iter().map(|(name, said)| ((*name).to_owned(), (*said).to_owned())).collect();
    let health = SystemHealth { online: true, ..SystemHealth::default() };
    let known = KnownSystem { info, health, usable: BTreeMap::new() };
    KnownSystems { systems: [(grocer(), known)].into(), complete: true, problem: None }
}

pub(crate) fn agreed() -> KnownServices {
    let agreed = Authorization {
        system: grocer(),
        pseudonym: Pseudonym::slug("u-1"),
        services: BTreeSet::from([ServiceId::slug(SEARCH)]),
        share: Sharing::default(),
        until: Timestamp(u64::MAX),
        account: None,
        since: Timestamp(0),
    };
    KnownServices { agreed: [(grocer(), agreed)].into(), ..KnownServices::default() }
}

pub(crate) const OPEN: [(&str, &str); 2] = [
    ("hours", "Mo-Su 00:00-24:00"),
    ("delivers", r#"{"days":[1,2,3,4,5,6,7],"hours":[[8,10]],"cut_off_s":0,"price":390}"#),
];

/// A page of a catalogue, as suppliers answer.
pub(crate) fn page(variants: &str, cursor: Option<&str>) -> Json {
    let page = cursor.map_or_else(
        || r#"{"has_next_page": false}"#.to_owned(),
        |cursor| format!(r#"{{"has_next_page": true, "cursor": "{cursor}"}}"#),
    );
    let ucp = r#"{"version": "2026-04-08"}"#;
    Json::new(format!(r#"{{"ucp": {ucp}, "products": [{variants}], "pagination": {page}}}"#)).unwrap()
}

/// A product with one variant: id, title, title of the variant, price, more of the variant.
pub(crate) fn product(id: &str, title: &str, of: &str, price: u32, more: &str) -> String {
    let price = format!(r#"{{"amount": {price}, "currency": "EUR"}}"#);
    format!(
        r#"{{"id": "{id}", "title": "{title}", "price_range": {{"min": {price}, "max": {price}}},
            "variants": [{{"id": "{id}_1", "title": "{of}", "price": {price}{more}}}]}}"#
    )
}

/// Foods that somebody has.
fn foods(suppliers: &Suppliers) -> BTreeSet<&IngredientId> {
    let all = suppliers.0.values().filter_map(|supplier| supplier.goods.as_ref());
    all.flat_map(|goods| goods.values().map(|stocked| &stocked.known.ingredient)).collect()
}

fn known(said: &Json) -> Suppliers {
    let mut suppliers = Suppliers::default();
    assert!(suppliers.look(&systems(&OPEN, "supplier"), &agreed(), Some(Timestamp(0))));
    suppliers.take(&grocer(), said, Table::shipped());
    suppliers
}

#[test]
fn goods_are_known_by_what_they_hold() {
    let measured = r#", "metadata": {"com.example.vestibule.measured_goods":
        {"unit": "g", "step": 100, "least_steps": 2, "tolerance_permille": 100}}"#;
    let unit = r#", "unit_price": {"amount": 119, "currency": "EUR", "measure": {"value": 1, "unit": "kg"},
        "reference": {"value": 1, "unit": "kg"}}"#;
    let out = r#", "availability": {"available": false, "status": "out_of_stock"}"#;
    let all = [
        product("flour", "Wheat flour", "bag", 119, unit),
        product("eggs", "Eggs", "10 pieces", 349, ""),
        product("tomatoes", "Tomatoes", "in steps of 100 g", 45, measured),
        product("cheese", "Mountain cheese", "200 g", 400, out),
        product("lamp", "Desk lamp", "black", 9_900, ""),
    ];
    let suppliers = known(&page(&all.join(","), None));
    let told = |item: &str| {
        let stocked = suppliers.goods(&grocer(), item)?;
        let known = &stocked.known;
        Some((known.ingredient.to_string(), known.holds.to_string(), stocked.least, stocked.there))
    };
    let is = |id: &str, holds: &str, least, there| Some((id.to_owned(), holds.to_owned(), least, there));
    assert_eq!(told("flour_1"), is("flour_wheat", "1 kg", 1, true));
    assert_eq!(told("eggs_1"), is("egg", "10 piece", 1, true));
    assert_eq!(told("tomatoes_1"), is("tomato", "100 g", 2, true));
    assert_eq!(told("cheese_1"), is("cheese", "200 g", 1, false));
    assert_eq!(told("lamp_1"), None, "nobody eats lamps");
    let offers = suppliers.offers(Timestamp(0));
    assert_eq!((offers.len(), offers[0].goods.len()), (1, 3), "what is sold out is not offered");
    assert_eq!(foods(&suppliers).len(), 4);
}

#[test]
fn pages_follow_each_other_and_strange_answers_are_told() {
    let mut suppliers = known(&page(&product("milk", "Milk", "1 l", 129, ""), Some("1")));
    let next = page(&product("rice", "Rice", "500 g", 229, ""), Some("2"));
    assert_eq!(suppliers.take(&grocer(), &next, Table::shipped()), Some("2".to_owned()));
    assert_eq!(foods(&suppliers).len(), 2, "a page does not replace the one before");
    for strange in ["{}", "[]", "3", r#"{"products": 3}"#] {
        assert_eq!(suppliers.take(&grocer(), &Json::new(strange).unwrap(), Table::shipped()), None);
        assert!(suppliers.0[&grocer()].problem.is_some(), "{strange}");
    }
    assert_eq!(suppliers.take(&SystemId::slug("other"), &next, Table::shipped()), None);
}

#[test]
fn a_supplier_says_why_nothing_can_be_ordered() {
    let why = |properties: &[(&str, &str)], services: &KnownServices, said: Option<&Json>| {
        let mut suppliers = Suppliers::default();
        suppliers.look(&systems(properties, "supplier"), services, Some(Timestamp(0)));
        if let Some(said) = said {
            suppliers.take(&grocer(), said, Table::shipped());
        }
        suppliers.0[&grocer()].why_not(Timestamp(0)).unwrap_or_default()
    };
    let milk = page(&product("milk", "Milk", "1 l", 129, ""), None);
    assert!(why(&OPEN, &KnownServices::default(), None).contains("agreed"));
    assert!(why(&OPEN, &agreed(), None).contains("what it sells"));
    assert!(why(&OPEN[..1], &agreed(), Some(&milk)).contains("when it delivers"));
    assert!(why(&OPEN[1..], &agreed(), Some(&milk)).contains("when it is open"));
    let closed = [("hours", "Fr 08:00-09:00"), OPEN[1]];
    assert!(why(&closed, &agreed(), Some(&milk)).contains("1970-01-02T08:00"), "the epoch was a Thursday");
    assert_eq!(why(&OPEN, &agreed(), Some(&milk)), "");
    let mut none = Suppliers::default();
    assert!(!none.look(&systems(&OPEN, "shop"), &agreed(), None) && none.0.is_empty(), "a shop for lamps");
}
