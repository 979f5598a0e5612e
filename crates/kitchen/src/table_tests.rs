use proptest::prelude::*;

use super::*;

fn food(name: &str) -> &'static Food {
    Table::shipped().named(name).unwrap_or_else(|| panic!("{name} is not in the table"))
}

#[test]
fn the_shipped_table_is_whole() {
    let table = Table::read(include_str!("table.toml")).unwrap();
    assert!(table.foods().count() >= 220, "{}", table.foods().count());
    for food in table.foods() {
        for name in food.en.iter().chain(&food.de) {
            let found = table.find(name).unwrap();
            assert_eq!(found.food.id, food.id, "{name} means two foods");
        }
    }
}

#[test]
fn people_find_what_they_mean() {
    for (name, id) in [
        ("all-purpose flour", "flour_wheat"),
        ("plain flour", "flour_wheat"),
        ("Mehl", "flour_wheat"),
        ("Large Eggs", "egg"),
        ("Eier", "egg"),
        ("extra virgin olive oil", "oil_olive"),
        ("Knoblauchzehen", "garlic"),
        ("unsalted butter", "butter"),
        ("freshly ground black pepper", "pepper_black"),
        ("Zwiebeln", "onion"),
        ("coconut milk", "coconut_milk"),
        ("passierte Tomaten", "passata"),
    ] {
        assert_eq!(food(name).id.as_str(), id, "{name}");
    }
}

#[test]
fn units_are_changed_by_the_food() {
    assert_eq!(food("egg").to_base(Amount::Mass(106_000)), Some(Amount::Count { milli: 2_000, of: CountUnit::Piece }));
    assert_eq!(
        food("garlic").to_base(Amount::Count { milli: 2_000, of: CountUnit::Clove }),
        Some(Amount::Mass(10_000))
    );
    assert_eq!(food("milk").to_base(Amount::Mass(1_030_000)), Some(Amount::Volume(1_000_000)));
    assert_eq!(food("flour").to_base(Amount::Count { milli: 1_000, of: CountUnit::Bunch }), None);
    assert_eq!(food("flour").to_base(Amount::Mass(-1)), None);
}

#[test]
fn hostile_tables_are_refused() {
    let one = |rest: &str| format!("[[ingredient]]\nid = \"x\"\nen = [\"x\"]\n{rest}");
    assert!(Table::read(&one("")).is_ok());
    for (rest, number) in [
        ("density = 0", true),
        ("density = 4000000", true),
        ("weighs = { piece = 0 }", true),
        ("base = \"volume\"", true),
        ("base = \"count\"", true),
        ("density = -1", false),
        ("unknown = 1", false),
    ] {
        let error = Table::read(&one(rest)).unwrap_err();
        assert_eq!(matches!(error, TableError::Number(_)), number, "{rest}: {error}");
    }
    assert!(matches!(Table::read(&format!("{}{}", one(""), one(""))), Err(TableError::Twice(_))));
    assert!(matches!(Table::read(&"#".repeat(BYTES + 1)), Err(TableError::TooLong)));
    for wrong in ["", "[[ingredient]]", "ingredient = 3", "[[ingredient]]\nid = \"A b\"\nen = [\"x\"]", "\u{0}"] {
        assert!(Table::read(wrong).is_err(), "{wrong:?}");
    }
    let nameless = "[[ingredient]]\nid = \"x\"\n";
    assert!(matches!(Table::read(nameless), Err(TableError::Number(_))));
}

#[test]
fn what_the_user_says_wins() {
    let mut table = Table::shipped().clone();
    let ghee = IngredientId::new("ghee").unwrap();
    assert!(table.call("Grandma's butter", &ghee));
    assert_eq!(table.named("grandmas butter").unwrap().id, ghee);
    assert!(!table.call("moon", &IngredientId::new("moon_dust").unwrap()));
}

proptest! {
    #[test]
    fn there_and_back_loses_less_than_a_part(mass in 0_i64..10_000_000_000, density in 1_u32..25_000) {
        let mut food = food("flour").clone();
        food.density = Some(density);
        let ul = food.volume(mass).unwrap();
        let back = food.mass(Amount::Volume(ul)).unwrap();
        // Half a microlitre weighs density / 2000 mg, and half a milligram is rounded away.
        prop_assert!((back - mass).unsigned_abs() <= 1 + u64::from(density) / 2_000, "{mass} -> {ul} -> {back}");
    }

    #[test]
    fn more_is_never_less(less in 0_i64..1_000_000_000, more in 0_i64..1_000_000_000, place in 0_usize..200) {
        let food = Table::shipped().foods().nth(place).unwrap();
        let base = |number| food.to_base(Amount::Mass(number)).map(Amount::number);
        prop_assert!(base(less) <= base(less + more));
    }

    #[test]
    fn nothing_panics(name in ".{0,80}", number in any::<i64>(), place in 0_usize..200) {
        let food = Table::shipped().foods().nth(place).unwrap();
        let _ = (food.to_base(Amount::Mass(number)), food.to_base(Amount::Volume(number)), food.volume(number));
        let _ = food.to_base(Amount::Count { milli: number, of: CountUnit::Can });
        let _ = (Table::shipped().find(&name), Table::read(&name));
    }
}
