use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::window::services::{
    answer::{MOST_LINES, lines},
    told::input,
};

fn of(schema: Value) -> Form {
    form(Some(&Json::of(&schema).unwrap()))
}

fn fields(schema: Value) -> Vec<Field> {
    match of(schema) {
        Form::Fields { fields, .. } => fields,
        other => panic!("{other:?}"),
    }
}

fn pizza() -> Value {
    json!({"type": "object", "required": ["kind", "count", "address"], "properties": {
        "kind": {"enum": ["margherita", "funghi"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 9, "default": 1},
        "address": {"type": "string", "title": "Where to", "minLength": 3, "maxLength": 20, "examples": ["Hall", 7]},
        "cut": {"type": "boolean"},
        "tip": {"type": ["number", "null"], "minimum": 0},
        "notes": {"type": "array"},
    }})
}

#[test]
fn a_schema_becomes_fields_that_a_person_can_fill_in() {
    let all = fields(pizza());
    let takes = |name: &str| all.iter().find(|field| field.name == name).map(|field| field.takes.clone());
    assert_eq!(takes("kind"), Some(Takes::Choice(vec![json!("margherita"), json!("funghi")])));
    assert_eq!(takes("count"), Some(Takes::Range { min: 1.0, max: 9.0, step: 1.0, whole: true }));
    assert_eq!(takes("tip"), Some(Takes::Number { min: Some(0.0), max: None, whole: false }));
    assert_eq!(takes("cut"), Some(Takes::YesNo));
    let address = all.iter().find(|field| field.name == "address").unwrap();
    assert_eq!((address.title.as_str(), &address.examples[..]), ("Where to", &[json!("Hall")][..]));
    assert!(all[..3].iter().all(|field| field.required), "what has to be told stands first");
    let Form::Fields { left_out, .. } = of(pizza()) else { panic!() };
    assert_eq!(left_out, ["Notes"]);
}

#[test]
fn fields_stand_in_the_order_that_the_schema_gives() {
    let names = |schema| fields(schema).into_iter().map(|field| field.name).collect::<Vec<_>>();
    assert_eq!(names(pizza()), ["kind", "count", "address", "cut", "tip"], "as in `required`, then by name");
    let text = |extra: Value| {
        let mut text = json!({"type": "string"});
        text.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        text
    };
    let schema = json!({"type": "object", "required": ["z", "a"], "properties": {
        "a": text(json!({})), "z": text(json!({})), "b": text(json!({})),
        "second": text(json!({"x-order": 2})), "first": text(json!({"propertyOrder": 1})), "tenth": text(json!({"order": 10})),
        "odd": text(json!({"order": "first"})),
    }});
    assert_eq!(names(schema), ["first", "second", "tenth", "z", "a", "b", "odd"]);
}

#[test]
fn what_is_sent_fits_and_what_does_not_is_said() {
    let form = of(pizza());
    let mut entered = BTreeMap::new();
    let mut enter = |name: &str, value: Value| {
        entered.insert(name.to_owned(), value);
        input(&form, &entered).map(|json| json.as_str().to_owned())
    };
    assert_eq!(enter("kind", json!("hawaii")), Err("Kind: choose one".to_owned()));
    assert_eq!(enter("kind", json!("funghi")), Err("Where to: choose or fill in".to_owned()));
    assert_eq!(enter("address", json!("")), Err("Where to: is not filled in".to_owned()));
    assert_eq!(enter("address", json!("ab")), Err("Where to: has to have at least 3 letters".to_owned()));
    assert_eq!(enter("address", json!("Hall")).unwrap(), r#"{"address":"Hall","count":1,"kind":"funghi"}"#);
    assert_eq!(enter("tip", json!("much")), Err("Tip: has to be a number of at least 0".to_owned()));
    assert!(enter("tip", json!(" 2.5 ")).unwrap().contains("2.5"), "a number may be written");
    assert!(!enter("tip", json!("")).unwrap().contains("tip"), "what need not be told can stay empty");
    assert!(enter("tip", json!(0.5)).unwrap().contains("0.5"));
    assert!(enter("count", json!(1.5)).unwrap_err().contains("whole"));
}

#[test]
fn what_cannot_be_asked_is_said() {
    let hard = [
        json!({"oneOf": []}),
        json!({"$ref": "#/x"}),
        json!({"type": "string"}),
        json!({"type": "object", "required": ["x"]}),
        json!({"type": "object", "required": ["x"], "properties": {"x": {"type": "object"}}}),
        json!({"type": "object", "required": ["x"], "properties": {"x": {"type": ["string", "number"]}}}),
        json!([1]),
    ];
    for schema in hard {
        let form = of(schema.clone());
        assert!(matches!(&form, Form::TooMuch(why) if why.contains("API")), "{schema} {form:?}");
        assert!(input(&form, &BTreeMap::new()).is_err());
    }
    for nothing in [json!(true), json!({}), json!({"type": "object"})] {
        assert_eq!(of(nothing), Form::Nothing);
    }
    assert_eq!(input(&form(None), &BTreeMap::new()).unwrap().as_str(), "{}");
}

#[test]
fn answers_are_read_line_by_line() {
    let answer = json!({"order_number": 7, "lines": [{"what": "pizza"}], "tags": ["hot", 1], "paid": false});
    let answer = Json::of(&answer).unwrap();
    assert_eq!(lines(&answer), ["Lines, 1, what: pizza", "Order number: 7", "Paid: no", "Tags: hot, 1"]);
    let long = Json::of(&(0..100).map(|n| (format!("n{n:03}"), n)).collect::<BTreeMap<_, _>>()).unwrap();
    let told = lines(&long);
    assert_eq!((told.len(), told.last().unwrap().as_str()), (MOST_LINES + 1, "and 90 more"));
    assert_eq!(lines(&Json::of(&"done").unwrap()), ["done"]);
    assert!(lines(&Json::default()).is_empty());
}
