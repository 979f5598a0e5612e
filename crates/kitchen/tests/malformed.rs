//! What strangers send: refused by a limit or by name, and never a panic.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use vestibule_kitchen::{Limits, RecipeError, Table, read};

fn error(text: &str) -> RecipeError {
    read(text, &Limits::default(), Table::shipped()).unwrap_err()
}

fn recipe(rest: &str) -> String {
    format!(r#"{{"@type": "Recipe", "name": "X", {rest}}}"#)
}

#[test]
fn limits_come_first() {
    let limits = Limits::default();
    assert!(matches!(error(&" ".repeat(limits.bytes + 1)), RecipeError::TooLong { .. }));
    assert_eq!(error(&"[".repeat(100_000)), RecipeError::TooDeep(limits.depth));
    assert_eq!(error(&"{\"a\":".repeat(100_000)), RecipeError::TooDeep(limits.depth));
    let eggs = vec!["\"egg\""; limits.ingredients + 1].join(",");
    assert!(matches!(error(&recipe(&format!("\"recipeIngredient\": [{eggs}]"))), RecipeError::TooMany { .. }));
    let one = "\"recipeIngredient\": [\"egg\"]";
    let steps = vec!["\"stir\""; limits.steps + 1].join(",");
    assert!(matches!(
        error(&recipe(&format!("{one}, \"recipeInstructions\": [{steps}]"))),
        RecipeError::TooMany { what: "steps", .. }
    ));
    let long = "x".repeat(limits.line + 1);
    assert!(matches!(error(&recipe(&format!("\"recipeIngredient\": [\"{long}\"]"))), RecipeError::TooLong { .. }));
    let many = vec![recipe(one); limits.recipes + 1].join(",");
    assert!(matches!(error(&format!("[{many}]")), RecipeError::TooMany { what: "recipes", .. }));
    let nodes = vec!["1"; limits.nodes + 1].join(",");
    assert!(matches!(error(&format!("[{nodes}]")), RecipeError::TooMany { what: "objects", .. }));
    let scripts = "<script type=application/ld+json>{}</script>".repeat(limits.scripts + 1);
    assert!(matches!(error(&scripts), RecipeError::TooMany { what: "script blocks", .. }));
}

#[test]
fn what_is_no_recipe_is_told_by_name() {
    for (text, expected) in [
        ("", RecipeError::Nothing),
        ("<html></html>", RecipeError::Nothing),
        ("{}", RecipeError::Nothing),
        ("[]", RecipeError::Nothing),
        (r#"{"@type": "Person"}"#, RecipeError::Nothing),
        (r#"{"@type": 7}"#, RecipeError::Nothing),
        (r#"{"@type": "Recipe"}"#, RecipeError::Without("a name")),
        (r#"{"@type": "Recipe", "name": "X"}"#, RecipeError::Without("a list of ingredients")),
        (r#"{"@type": "Recipe", "name": {"a": 1}, "recipeIngredient": 3}"#, RecipeError::Without("a name")),
        (
            r#"{"@type": "Recipe", "name": "X", "recipeIngredient": [null, {}, ""]}"#,
            RecipeError::Without("a list of ingredients"),
        ),
        (r#"{"@type": "HowTo"}"#, RecipeError::Without("a name")),
    ] {
        assert_eq!(error(text), expected, "{text}");
    }
    for text in ["{", "[1,", "{\"a\": \"\\ud800\"}", "{\"a\": 1e999999}", "{'a': 1}", "[\u{0}]"] {
        assert!(matches!(error(text), RecipeError::Malformed(_)), "{text}");
    }
    assert!(matches!(error("<script type='application/ld+json'>{</script>"), RecipeError::Malformed(_)));
}

#[test]
fn hostile_numbers_and_markup_harm_nobody() {
    let text = recipe(
        r#""recipeIngredient": ["999999999999 kg flour", "1/0 cup milk", "0 eggs", "999999999999999999999 g salt",
            "1e9 g sugar", "<script>alert(1)</script>2 eggs", "&lt;img src=x&gt; 3 onions", "-5 g rice"],
            "recipeYield": 1e300, "totalTime": "PT999999999999999H", "image": {"url": {"url": "https://a.example"}}"#,
    );
    let found = read(&text, &Limits::default(), Table::shipped()).unwrap();
    let recipe = &found.recipes[0];
    assert_eq!((recipe.serves.servings, recipe.total_ms, recipe.images.len()), (None, None, 0));
    for line in &recipe.ingredients {
        assert!(!line.text.contains('<'), "{line:?}");
        assert!(line.amount.is_none_or(|amount| amount.number() >= 0), "{line:?}");
    }
}

/// JSON of the words that recipes are made of, in all wrong places.
fn any_json() -> impl Strategy<Value = String> {
    let keys = prop::sample::select(vec![
        "@type",
        "@graph",
        "name",
        "recipeIngredient",
        "recipeInstructions",
        "itemListElement",
        "recipeYield",
        "image",
        "url",
        "totalTime",
        "text",
        "nutrition",
        "supply",
        "tool",
        "step",
        "requiredQuantity",
        "inLanguage",
        "@id",
        "value",
    ]);
    let leaf = prop_oneof![
        Just("\"Recipe\"".to_owned()),
        Just("\"HowTo\"".to_owned()),
        Just("\"HowToSection\"".to_owned()),
        Just("\"1 1/2 cups flour or 2 eggs (100 g)\"".to_owned()),
        Just("null".to_owned()),
        Just("-1.5e300".to_owned()),
        Just("\"PT1H\"".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
    ];
    leaf.prop_recursive(6, 96, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(|values| format!("[{}]", values.join(","))),
            proptest::collection::vec((keys.clone(), inner), 0..7).prop_map(|pairs| {
                let pairs: Vec<String> = pairs.into_iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
                format!("{{\"@type\": \"Recipe\", {}}}", pairs.join(", ")).replace(", }", "}")
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,300}") {
        let _ = read(&text, &Limits::default(), Table::shipped());
    }

    #[test]
    fn no_shape_panics(text in any_json()) {
        let _ = read(&text, &Limits::default(), Table::shipped());
        let _ = read(&format!("<script type='application/ld+json'>{text}</script>"), &Limits::default(), Table::shipped());
    }

    #[test]
    fn no_cut_or_changed_recipe_panics(cut in 0_usize..2_000, byte in 0_u8..128) {
        let text = include_str!("recipes/lentil_soup.json");
        let mut bytes = text.as_bytes().to_vec();
        let place = cut % bytes.len();
        bytes[place] = byte;
        if let Ok(changed) = std::str::from_utf8(&bytes) {
            let _ = read(changed, &Limits::default(), Table::shipped());
        }
        let _ = read(text.get(..place).unwrap_or_default(), &Limits::default(), Table::shipped());
    }
}
