use super::*;
use crate::{limits::Limits, table::Table, units::Amount};

fn found(text: &str) -> Result<Found, RecipeError> {
    read(text, &Limits::default(), Table::shipped())
}

fn one(text: &str) -> Recipe {
    let found = found(text).unwrap();
    assert_eq!(found.recipes.len(), 1);
    found.recipes.into_iter().next().unwrap()
}

fn recipe(rest: &str) -> String {
    format!(r#"{{"@type": "Recipe", "name": "X", "recipeIngredient": ["2 eggs"]{rest}}}"#)
}

#[test]
fn the_shapes_that_sites_use() {
    let plain = recipe("");
    for text in [
        plain.clone(),
        format!("[{plain}]"),
        format!(r#"{{"@graph": [{{"@type": "WebSite"}}, {plain}]}}"#),
        format!(r#"{{"@type": "WebPage", "mainEntity": {plain}}}"#),
        format!(r#"{{"@type": "ItemList", "itemListElement": [{{"@type": "ListItem", "item": {plain}}}]}}"#),
        plain.replace("\"Recipe\"", "[\"Thing\", \"https://schema.org/Recipe\"]"),
        plain.replace("\"Recipe\"", "\"schema:Recipe\""),
        format!(
            "<html><script type='application/ld+json'>{{broken</script><script type='application/ld+json'>{plain}</script>"
        ),
        format!("\u{feff}  {plain}"),
        plain.replace("recipeIngredient", "ingredients"),
    ] {
        assert_eq!(one(&text).ingredients.len(), 1, "{text}");
    }
}

#[test]
fn instructions_are_flattened_with_their_sections() {
    let text = recipe(
        r#", "recipeInstructions": [{"@type": "HowToSection", "name": "Sauce", "itemListElement": [
            {"@type": "HowToStep", "text": "<p>Stir.</p>", "image": "https://pictures.example/1.jpg"}, "Taste."]},
            {"@type": "HowToStep", "name": "Serve."}, "Eat."]"#,
    );
    let steps = one(&text).steps;
    let told: Vec<(Option<&str>, &str)> =
        steps.iter().map(|step| (step.section.as_deref(), step.text.as_str())).collect();
    assert_eq!(told, [(Some("Sauce"), "Stir."), (Some("Sauce"), "Taste."), (None, "Serve."), (None, "Eat.")]);
    assert_eq!(steps[0].image.as_deref(), Some("https://pictures.example/1.jpg"));
}

#[test]
fn yields_are_read_as_people_write_them() {
    for (value, servings) in [
        ("4", Some(4)),
        ("\"4 servings\"", Some(4)),
        ("[\"4\", \"4 servings\"]", Some(4)),
        ("\"Serves 4-6\"", Some(4)),
        ("\"für 2 Personen\"", Some(2)),
        ("{\"@type\": \"QuantitativeValue\", \"value\": 8}", Some(8)),
        ("\"one cake\"", None),
        ("0", None),
        ("\"99999999999999\"", None),
        ("null", None),
    ] {
        assert_eq!(one(&recipe(&format!(", \"recipeYield\": {value}"))).serves.servings, servings, "{value}");
    }
}

#[test]
fn pictures_are_addresses_and_nothing_else() {
    for (value, count) in [
        ("\"https://a.example/1.jpg\"", 1),
        ("[\"https://a.example/1.jpg\", {\"@type\": \"ImageObject\", \"url\": \"https://a.example/2.jpg\"}]", 2),
        ("\"file:///etc/passwd\"", 0),
        ("\"javascript:alert(1)\"", 0),
        ("{\"@id\": \"#gone\"}", 0),
    ] {
        assert_eq!(one(&recipe(&format!(", \"image\": {value}"))).images.len(), count, "{value}");
    }
    let graph = format!(
        r##"{{"@graph": [{{"@type": "ImageObject", "@id": "#pic", "url": "https://a.example/3.jpg"}}, {}]}}"##,
        recipe(r##", "image": {"@id": "#pic"}"##)
    );
    assert_eq!(one(&graph).images, ["https://a.example/3.jpg"]);
}

#[test]
fn times_and_language_are_taken() {
    let text = recipe(r#", "prepTime": "PT10M", "cookTime": "PT20M", "inLanguage": "en-GB", "nutrition": {"@type": "N", "calories": "270 kcal"}"#)
        .replace("2 eggs", "1 cup milk");
    let read = one(&text);
    assert_eq!((read.prepare_ms, read.total_ms), (Some(600_000), Some(1_800_000)));
    assert_eq!(read.ingredients[0].amount, Some(Amount::Volume(250_000)));
    assert_eq!(read.nutrition["calories"], "270 kcal");
}

#[test]
fn raw_line_breaks_in_texts_are_forgiven() {
    assert_eq!(one(&recipe(",\n \"description\": \"two\nlines\"")).description, "two lines");
}

#[test]
fn a_recipe_is_the_same_after_json() {
    let read = one(&recipe(r#", "recipeYield": 4, "recipeInstructions": "Boil.""#));
    let text = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<Recipe>(&text).unwrap(), read);
}
