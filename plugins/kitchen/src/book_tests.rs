use proptest::prelude::*;
use vestibule_kitchen::Delivery;
use vestibule_model::{LineId, PurchaseId};

use super::*;

const PANCAKES: &str = r#"{"@type": "Recipe", "name": "Pancakes", "recipeYield": "4",
    "recipeIngredient": ["250 g flour", "500 ml milk", "2 eggs"]}"#;
const NOW: Timestamp = Timestamp(1_000_000);

fn book() -> Book {
    let mut book = Book::default();
    book.add("pancakes", PANCAKES, false).unwrap();
    book
}

fn ask(book: &mut Book, wish: &Cook) -> Result<Effect, CookError> {
    book.follow(wish, Some(NOW))
}

fn choose(recipe: &str) -> Cook {
    Cook::Choose { recipe: recipe.to_owned(), at: NOW.plus(3_600_000) }
}

fn id(text: &str) -> IngredientId {
    IngredientId::new(text).unwrap()
}

#[test]
fn dishes_are_planned_changed_and_dropped() {
    let mut book = book();
    assert_eq!(ask(&mut book, &choose("soup")), Err(CookError::NoRecipe));
    assert_eq!(ask(&mut book, &choose("pancakes")), Ok(Effect::Diary));
    assert_eq!(ask(&mut book, &choose("pancakes")), Ok(Effect::Diary));
    assert_eq!(ask(&mut book, &Cook::Servings { dish: 2, servings: 8 }), Ok(Effect::Diary));
    assert_eq!(ask(&mut book, &Cook::When { dish: 1, at: Timestamp(7) }), Ok(Effect::Diary));
    assert_eq!(ask(&mut book, &Cook::Servings { dish: 2, servings: 0 }), Err(CookError::Servings));
    let planned: Vec<_> = book.dishes(Timestamp(7)).iter().map(|dish| (dish.id.0, dish.servings, dish.at)).collect();
    assert_eq!(planned, [(1, 4, Timestamp(7)), (2, 8, NOW.plus(3_600_000))], "what was refused changed nothing");
    assert_eq!(ask(&mut book, &Cook::Drop(1)), Ok(Effect::Diary));
    assert_eq!(ask(&mut book, &Cook::Drop(1)), Err(CookError::NoDish));
    for _ in 1..MOST_DISHES {
        ask(&mut book, &choose("pancakes")).unwrap();
    }
    assert_eq!(ask(&mut book, &choose("pancakes")), Err(CookError::Full(MOST_DISHES, "dishes")));
    let ids: BTreeSet<_> = book.diary.dishes.iter().map(|planned| planned.id).collect();
    assert_eq!(ids.len(), MOST_DISHES, "no two dishes are one");
}

#[test]
fn what_a_person_says_of_a_food_is_kept_in_its_measure() {
    let mut book = book();
    let keep =
        |ingredient: &str, amount: &str| Cook::Keep { ingredient: ingredient.to_owned(), amount: amount.to_owned() };
    assert_eq!(ask(&mut book, &keep("flour_wheat", "1 kg")), Ok(Effect::Rules));
    assert_eq!(ask(&mut book, &keep("Eier", "6")), Ok(Effect::Rules), "by any of its names");
    assert_eq!(book.rules.keep[&id("flour_wheat")], Amount::Mass(1_000_000));
    assert_eq!(ask(&mut book, &keep("flour_wheat", " ")), Ok(Effect::Rules));
    assert!(!book.rules.keep.contains_key(&id("flour_wheat")) && book.rules.keep.contains_key(&id("egg")));
    assert!(matches!(ask(&mut book, &keep("moon dust", "1 g")), Err(CookError::NoFood(_))));
    assert!(matches!(ask(&mut book, &keep("rice", "much")), Err(CookError::NoAmount(_))));
    assert!(matches!(ask(&mut book, &keep("flour_wheat", "2 bunch")), Err(CookError::NoMeasure { .. })));
    let comma = ask(&mut book, &keep("rice", "1,250 kg")).unwrap_err().to_string();
    assert_eq!(comma, "\"1,250 kg\" can be read in two ways: write 1.250 kg or 1250 kg.");
    for (text, milligrams) in [("1.250 kg", 1_250_000), ("1,5 kg", 1_500_000), ("0,125 kg", 125_000)] {
        ask(&mut book, &keep("rice", text)).unwrap();
        assert_eq!(book.rules.keep[&id("rice")], Amount::Mass(milligrams), "{text}");
    }
    ask(&mut book, &keep("rice", "")).unwrap();
    let order = Some(OverruleFood::Order("2 l".to_owned()));
    let overrule = |by| Cook::Overrule { ingredient: "milk".to_owned(), by };
    assert_eq!(ask(&mut book, &overrule(order)), Ok(Effect::Rules));
    assert_eq!(book.rules.overrule[&id("milk")], OverruledBy::Order(Amount::Volume(2_000_000)));
    ask(&mut book, &overrule(None)).unwrap();
    assert!(book.rules.overrule.is_empty());
    let lies = |food: &str| Cook::Lies {
        twin: TwinId::new("home/shelf").unwrap(),
        feature: FeatureId::slug("left"),
        food: food.to_owned(),
    };
    ask(&mut book, &lies("Basmati rice")).unwrap();
    assert_eq!(book.rules.places["home/shelf left"], id("rice"));
    ask(&mut book, &lies("")).unwrap();
    assert!(book.rules.places.is_empty());
}

#[test]
fn jars_are_counted_with_their_time() {
    let mut book = book();
    let count = |amount: &str| Cook::Count { ingredient: "salt".to_owned(), amount: amount.to_owned() };
    assert_eq!(book.follow(&count("1 kg"), None), Err(CookError::NoClock));
    ask(&mut book, &count("1 kg")).unwrap();
    let stock = book.counted().remove(0);
    assert_eq!((stock.amount, stock.reported, stock.source), (Amount::Mass(1_000_000), NOW, StockSource::Counted));
    ask(&mut book, &count("")).unwrap();
    assert!(book.counted().is_empty());
}

/// A kilogram of salt that was bought.
fn salt(delivered: Option<Delivery>) -> Coming {
    Coming {
        key: LineKey::new(&PurchaseId([1; 16]).to_string(), "l1"),
        ingredient: id("salt"),
        amount: Amount::Mass(1_000_000),
        since: None,
        arrives: None,
        told: None,
        part: None,
        delivered,
        put_away: false,
    }
}

#[test]
fn what_is_put_away_makes_no_old_count_younger() {
    let (purchase, line) = (PurchaseId([1; 16]), LineId::new("l1").unwrap());
    let away = Cook::PutAway { purchase, line: line.clone() };
    for (days, amount) in [(1, 1_500_000), (40, 1_000_000)] {
        let mut book = book();
        ask(&mut book, &Cook::Count { ingredient: "salt".to_owned(), amount: "500 g".to_owned() }).unwrap();
        book.diary.coming = vec![salt(Some(Delivery { at: NOW, stock: Amount::Mass(0) }))];
        let later = NOW.plus(days * GONE_MS);
        assert_eq!(book.follow(&away, Some(later)), Ok(Effect::Diary));
        let counted = &book.diary.counted[&id("salt")];
        assert_eq!((counted.amount, counted.at), (Amount::Mass(amount), later), "{days} days");
        assert_eq!(book.follow(&away, Some(later)), Err(CookError::NoLine));
    }
    let mut book = book();
    book.diary.coming = vec![salt(None)];
    assert_eq!(ask(&mut book, &away), Err(CookError::NoLine), "it has not come");
    assert_eq!(ask(&mut book, &Cook::NotCome { purchase, line }), Ok(Effect::Diary));
    assert!(book.diary.coming[0].put_away && book.diary.counted.is_empty());
}

#[test]
fn what_came_with_one_line_is_no_growth_of_another() {
    let (here, shelf) = (Delivery { at: NOW, stock: Amount::Mass(200) }, Some(Amount::Mass(200)));
    let [first, second] = ["l1", "l2"].map(|line| LineKey::new(&PurchaseId([1; 16]).to_string(), line));
    let lines = || {
        let line = |key: &LineKey| Coming { key: key.clone(), told: shelf, ..salt(Some(here)) };
        vec![line(&first), line(&second)]
    };
    let more = Some(Amount::Mass(1_000_200));
    for by_hand in [true, false] {
        let mut book = book();
        book.diary.coming = lines();
        if by_hand {
            let away = Cook::PutAway { purchase: PurchaseId([1; 16]), line: LineId::new("l1").unwrap() };
            ask(&mut book, &away).unwrap();
        } else {
            assert!(book.settle(std::slice::from_ref(&first)));
            assert!(!book.settle(std::slice::from_ref(&first)), "once");
        }
        let other = book.diary.coming.iter().find(|line| line.key == second).unwrap();
        assert_eq!((other.delivered.map(|of| Some(of.stock)), other.told), (Some(more), more), "by hand: {by_hand}");
    }
}

/// The shelf's scales have told of what went into it: reserved once more, it would be bought once more.
#[test]
fn a_dish_that_is_over_needs_nothing_and_goes() {
    let mut book = book();
    ask(&mut book, &choose("pancakes")).unwrap();
    let at = NOW.plus(3_600_000);
    for (later, dishes, stays) in [(0, 1, true), (LATE_MS - 1, 1, true), (LATE_MS, 0, true), (GONE_MS, 0, false)] {
        assert_eq!(book.dishes(at.plus(later)).len(), dishes, "{later}");
        assert_eq!(book.clear_away(at.plus(later)), !stays, "{later}");
        assert_eq!(book.diary.dishes.len(), usize::from(stays), "{later}");
    }
}

#[test]
fn recipes_are_taken_in_and_forgotten_with_their_dishes() {
    let mut book = book();
    let two = format!(r#"[{PANCAKES}, {{"@type": "HowTo", "name": "Fold a napkin", "step": "Fold it."}}]"#);
    let Ok(Effect::Take { name, .. }) = ask(&mut book, &Cook::Import(two.clone())) else { panic!("not taken in") };
    assert_eq!((name.as_str(), book.recipes.len(), book.instructions.len()), ("own_pancakes", 2, 1));
    let Ok(Effect::Take { name: other, .. }) = ask(&mut book, &Cook::Import(two)) else { panic!("not taken in") };
    assert_ne!(name, other);
    ask(&mut book, &choose(&name)).unwrap();
    assert_eq!(ask(&mut book, &Cook::Forget(name.clone())), Ok(Effect::Forget { name }));
    assert!(book.diary.dishes.is_empty() && book.recipes.len() == 2 && book.instructions.len() == 1);
    assert_eq!(ask(&mut book, &Cook::Forget("pancakes".to_owned())), Err(CookError::Shipped));
    assert_eq!(ask(&mut book, &Cook::Forget("none".to_owned())), Err(CookError::NoRecipe));
    assert!(matches!(ask(&mut book, &Cook::Import("{".to_owned())), Err(CookError::Recipe(_))));
    let path = Cook::Import(" /tmp/soup.html ".to_owned());
    assert_eq!(ask(&mut book, &path), Ok(Effect::Read { path: "/tmp/soup.html".to_owned() }));
    let page = Cook::Import(" https://example.com/soup ".to_owned());
    assert_eq!(ask(&mut book, &page), Ok(Effect::Fetch { address: "https://example.com/soup".to_owned() }));
}

#[test]
fn parts_are_counted_that_instructions_speak_of() {
    let mut book = book();
    let shelf = r#"{"@type": "HowTo", "name": "Hang it", "tool": "Drill", "supply": "2 Screws", "step": "Drill."}"#;
    ask(&mut book, &Cook::Import(shelf.to_owned())).unwrap();
    let count = |part: &str, count| Cook::CountParts { part: part.to_owned(), count };
    assert_eq!(ask(&mut book, &count("Screws", 5)), Ok(Effect::Diary));
    assert_eq!(book.diary.parts, [("screws".to_owned(), 5)].into());
    let read = Diary::read(&book.diary.write().unwrap()).unwrap();
    assert_eq!(read, book.diary);
    assert_eq!(ask(&mut book, &count("Nails", 5)), Err(CookError::NoPart("Nails".to_owned())));
    ask(&mut book, &count("Screws", 0)).unwrap();
    assert!(book.diary.parts.is_empty());
}

#[test]
fn names_of_files_are_harmless() {
    assert_eq!(slug("Grandma's  Käse / ../../soup"), "grandma_s_k_se_soup");
    assert_eq!(slug("…"), "recipe");
    assert!(slug(&"x".repeat(500)).len() <= 40);
}

proptest! {
    #[test]
    fn nothing_panics(text in ".{0,80}", number in any::<u64>(), at in any::<u64>()) {
        let mut book = book();
        for wish in [
            Cook::Import(text.clone()),
            Cook::Choose { recipe: "pancakes".to_owned(), at: Timestamp(at) },
            Cook::Count { ingredient: text.clone(), amount: text.clone() },
            Cook::Keep { ingredient: "rice".to_owned(), amount: text.clone() },
            Cook::When { dish: number, at: Timestamp(at) },
            Cook::Forget(text),
        ] {
            let _ = book.follow(&wish, Some(Timestamp(number)));
        }
        let _ = book.dishes(NOW);
    }
}
