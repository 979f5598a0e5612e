use proptest::prelude::*;
use vestibule_model::{Naming, Shape, StepKey, Unit};

use super::*;

fn input() -> Value {
    json!({
        "dish": {"name": "Pancakes", "servings": 2},
        "address": {"street": "Main Street 1", "postalCode": "12345"},
    })
}

fn recipe() -> Value {
    json!({"data": {"ingredients": [
        {"id": "flour", "weight": 250, "unit_price": "1.20"},
        {"id": "milk", "weight": 300, "unit_price": "0.99"},
        {"id": "egg", "weight": 120, "unit_price": "2.5"},
    ]}})
}

fn lookup(source: &Source) -> Result<Value, TransformError> {
    match source {
        Source::Input => Ok(input()),
        Source::Step(key) if key.as_str() == "recipe" => Ok(recipe()),
        Source::Step(_) => Ok(json!({"have": ["milk"]})),
        _ => Err(TransformError::NotShared("not shared".to_owned())),
    }
}

fn run(steps: Value) -> Result<Value, TransformError> {
    let steps: Vec<Transform> = serde_json::from_value(steps).unwrap();
    // What people write is what the wire carries.
    let wire = postcard::to_stdvec(&steps).unwrap();
    assert_eq!(postcard::from_bytes::<Vec<Transform>>(&wire).unwrap(), steps);
    make(&steps, &lookup).map(|json| json.value())
}

fn of(step: &str, at: &str) -> Value {
    json!({"of": {"step": step}, "at": at})
}

#[test]
fn what_is_missing_at_home_is_ordered_in_the_shops_words() {
    let made = run(json!([
        {"copy": {"from": of("recipe", ""), "to": "/items"}},
        {"unwrap": {"at": "/items", "part": "/data/ingredients"}},
        {"filter": {"at": "/items", "part": "/id", "keep": {"not_in": of("home", "/have")}}},
        {"convert": {"at": "/items/*/weight", "from": "gram", "to": "kilogram"}},
        {"write": {"at": "/items/*/unit_price", "shape": {"minor": {"digits": 2}}}},
        {"each": {"at": "/items", "fields": {"sku": "/id", "weight_kg": "/weight", "price_cents": "/unit_price"}}},
        {"copy": {"from": {"of": "input", "at": "/address"}, "to": "/ship_to"}},
        {"constant": {"value": "express", "to": "/ship_to/speed"}},
        {"default": {"value": "none", "to": "/ship_to/note"}},
        {"template": {
            "text": "{{order}} for {n} {dish}", "to": "/memo",
            "parts": {"n": {"of": "input", "at": "/dish/servings"}, "dish": {"of": "input", "at": "/dish/name"}},
        }},
        {"rename": {"at": "", "naming": "kebab"}},
        {"wrap": {"at": "", "field": "order"}},
    ]))
    .unwrap();
    let items = json!([
        {"sku": "flour", "weight-kg": 0.25, "price-cents": 120},
        {"sku": "egg", "weight-kg": 0.12, "price-cents": 250},
    ]);
    let ship_to = json!({"street": "Main Street 1", "postal-code": "12345", "speed": "express", "note": "none"});
    assert_eq!(made, json!({"order": {"items": items, "ship-to": ship_to, "memo": "{order} for 2 Pancakes"}}));
}

#[test]
fn arrays_are_picked_plucked_and_cut_to_one() {
    let all = json!({"copy": {"from": of("recipe", "/data/ingredients"), "to": "/a"}});
    let made =
        |steps: &[Value]| run(Value::Array([std::slice::from_ref(&all), steps].concat())).map(|made| made["a"].clone());
    assert_eq!(made(&[json!({"pluck": {"at": "/a", "part": "/id"}})]), Ok(json!(["flour", "milk", "egg"])));
    let milk = json!({"filter": {"at": "/a", "part": "/id", "keep": {"equal": {"constant": "milk"}}}});
    let first = json!({"first": {"at": "/a"}});
    let pick = json!({"pick": {"at": "/a", "fields": ["id"]}});
    assert_eq!(made(&[milk.clone(), first.clone(), pick]), Ok(json!({"id": "milk"})));
    let none = json!({"filter": {"at": "/a", "part": "/id", "keep": {"equal": {"constant": "salt"}}}});
    assert!(matches!(made(&[none, first.clone()]), Err(TransformError::Nothing(_))));
    let not = json!({"filter": {"at": "/a", "part": "/id", "keep": {"unequal": {"value": of("home", "/have/0")}}}});
    assert_eq!(made(&[not]).unwrap().as_array().unwrap().len(), 2);
    assert!(matches!(made(&[milk, first.clone(), first]), Err(TransformError::Shape { .. })));
}

#[test]
fn what_cannot_be_made_is_refused_with_its_reason() {
    let copy = |at: &str| json!([{"copy": {"from": {"of": "input", "at": at}, "to": "/x"}}]);
    assert!(matches!(run(copy("/none")), Err(TransformError::Nothing(_))));
    assert!(matches!(run(copy("none")), Err(TransformError::Pointer(_))));
    let sent = json!([{"copy": {"from": {"of": "sent", "at": ""}, "to": ""}}]);
    assert!(matches!(run(sent), Err(TransformError::NotShared(_))));
    let units =
        json!([{"constant": {"value": 1, "to": "/x"}}, {"convert": {"at": "/x", "from": "hour", "to": "joule"}}]);
    assert!(matches!(run(units), Err(TransformError::Unit(UnitError::Incompatible { .. }))));
    for text in ["{", "}", "{a", "{a}"] {
        let template = json!([{"template": {"text": text, "parts": {}, "to": "/x"}}]);
        assert!(matches!(run(template), Err(TransformError::Template(_))), "{text}");
    }
}

#[test]
fn nothing_grows_without_end() {
    let grow = json!({"copy": {"from": {"of": "made", "at": ""}, "to": "/a"}});
    assert!(run(Value::Array(vec![grow; 100])).is_err(), "deeper and deeper");
    let array = format!("[{}]", vec!["0"; 20_000].join(","));
    let long = "x".repeat(4_000);
    let steps = json!([
        {"constant": {"value": serde_json::from_str::<Value>(&array).unwrap(), "to": "/a"}},
        {"constant": {"value": long, "to": "/a/*"}},
    ]);
    assert!(matches!(run(steps), Err(TransformError::Json(JsonError::TooLong(_)))));
    let many = vec![Transform::Remove { at: String::new() }; MAX_TRANSFORMS + 1];
    assert!(matches!(make(&many, &lookup), Err(TransformError::TooMany(_))));
}

fn pointer() -> impl Strategy<Value = String> {
    "(/(a|b|\\*|0|-|~2)){0,4}"
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!(null)), any::<i32>().prop_map(Value::from), "[a-z]{0,4}".prop_map(Value::from)];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::btree_map("[ab]", inner, 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn reference() -> impl Strategy<Value = Reference> {
    let of = prop_oneof![
        Just(Source::Input),
        Just(Source::Made),
        Just(Source::Sent),
        Just(Source::Step(StepKey::slug("x"))),
    ];
    (of, pointer()).prop_map(|(of, at)| Reference { of, at })
}

fn transform() -> impl Strategy<Value = Transform> {
    let naming = prop_oneof![Just(Naming::Camel), Just(Naming::Snake)];
    let shape =
        prop_oneof![Just(Shape::Number), Just(Shape::Text), (0_u8..9).prop_map(|digits| Shape::Minor { digits })];
    let keep = prop_oneof![
        reference().prop_map(|with| Keep::Equal(Operand::Value(with))),
        value().prop_map(|value| Keep::Unequal(Operand::Constant(Json::of(&value).unwrap()))),
        reference().prop_map(Keep::NotIn),
    ];
    prop_oneof![
        (reference(), pointer()).prop_map(|(from, to)| Transform::Copy { from, to }),
        (value(), pointer()).prop_map(|(value, to)| Transform::Constant { value: Json::of(&value).unwrap(), to }),
        (value(), pointer()).prop_map(|(value, to)| Transform::Default { value: Json::of(&value).unwrap(), to }),
        (".{0,12}", reference(), pointer()).prop_map(|(text, part, to)| Transform::Template {
            text,
            parts: [("a".to_owned(), part)].into(),
            to,
        }),
        pointer().prop_map(|at| Transform::Remove { at }),
        pointer().prop_map(|at| Transform::Convert { at, from: Unit::Foot, to: Unit::Metre }),
        (pointer(), shape).prop_map(|(at, shape)| Transform::Write { at, shape }),
        (pointer(), naming).prop_map(|(at, naming)| Transform::Rename { at, naming }),
        (pointer(), "[ab]").prop_map(|(at, field)| Transform::Wrap { at, field }),
        (pointer(), pointer()).prop_map(|(at, part)| Transform::Unwrap { at, part }),
        pointer().prop_map(|at| Transform::Pick { at, fields: ["a".to_owned()].into() }),
        (pointer(), pointer()).prop_map(|(at, part)| Transform::Each { at, fields: [("a".to_owned(), part)].into() }),
        (pointer(), pointer()).prop_map(|(at, part)| Transform::Pluck { at, part }),
        (pointer(), pointer(), keep).prop_map(|(at, part, keep)| Transform::Filter { at, part, keep }),
        pointer().prop_map(|at| Transform::First { at }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_declared_ends_in_bounds(steps in proptest::collection::vec(transform(), 0..24), known in value()) {
        let lookup = |source: &Source| match source {
            Source::Sent => Err(TransformError::NotShared(String::new())),
            _ => Ok(known.clone()),
        };
        let made = make(&steps, &lookup);
        if let Ok(made) = &made {
            prop_assert!(made.as_str().len() <= MAX_JSON);
        }
        prop_assert_eq!(make(&steps, &lookup), made, "the same again");
    }
}
