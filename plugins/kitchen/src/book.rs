//! The kitchen's own book: recipes, planned dishes, what was counted and what the person decided. Without IO.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;
use vestibule_kitchen::{
    Amount, Coming, Dish, DishId, Food, Found, IngredientId, Instructions, KitchenRules, Limits, LineKey, OverruledBy,
    Recipe, RecipeError, RulesError, Stock, StockSource, Table, confidence, plain_name, read,
};
use vestibule_model::{FeatureId, SystemId, Timestamp, Truth, TwinId};
use vestibule_twin::{Cook, OverruleFood};

use crate::{
    diary::{Counted, Diary, MOST_COUNTED, MOST_DISHES, MOST_GOODS, MOST_SERVINGS, Planned},
    supply::Known,
};

/// Recipes and instructions that are kept: as many as the arithmetic is measured with.
const MOST_RECIPES: usize = 1_000;
/// Milliseconds after the time it was planned for in which a dish still waits to be cooked: three hours.
const LATE_MS: u64 = 3 * 60 * 60 * 1000;
/// Milliseconds after which it stands in the diary no more: a day.
const GONE_MS: u64 = 24 * 60 * 60 * 1000;
/// The system of twins that are nothing but a person's word.
pub(crate) const COUNTED: &str = "counted";

/// Why something cannot be done, for people.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum CookError {
    #[error("There is no such recipe.")]
    NoRecipe,
    #[error("There is no such dish in the plan.")]
    NoDish,
    #[error("Nobody here knows a food called {0:?}.")]
    NoFood(String),
    #[error("{0:?} is no amount: write it as 500 g, 1.5 l or 3.")]
    NoAmount(String),
    #[error("{0:?} can be read in two ways: write {1} or {2}.")]
    Comma(String, String, String),
    #[error("Nobody knows how much {amount} of {food} is: write it in grams, millilitres or pieces.")]
    NoMeasure { amount: String, food: String },
    #[error("No instructions speak of {0:?}.")]
    NoPart(String),
    #[error("Nothing of that name is on its way.")]
    NoLine,
    #[error("A dish is cooked for 1 to {MOST_SERVINGS}.")]
    Servings,
    #[error("The enabler's clock is not known yet: there is no time to plan for.")]
    NoClock,
    #[error("There are {0} {1} already; let one go first.")]
    Full(usize, &'static str),
    #[error("This recipe came with the program.")]
    Shipped,
    #[error("This cannot be taken in: {0}.")]
    Recipe(#[from] RecipeError),
}

/// A recipe, and whether the person took it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept<T> {
    pub what: T,
    pub own: bool,
}

/// What has to be written down after a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing of it is kept.
    Nothing,
    /// The diary.
    Diary,
    /// The rules.
    Rules,
    /// A text that was taken in, under this name.
    Take { name: String, text: String },
    /// A text that was taken in goes.
    Forget { name: String },
    /// A file is to be read and taken in.
    Read { path: String },
    /// A page is to be fetched and taken in.
    Fetch { address: String },
}

/// The book.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    pub recipes: BTreeMap<String, Kept<Recipe>>,
    pub instructions: BTreeMap<String, Kept<Instructions>>,
    pub diary: Diary,
    pub rules: KitchenRules,
    /// Foods, with what the person calls them.
    pub table: Table,
    /// Foods that things at home tell of.
    pub told: BTreeSet<IngredientId>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            recipes: BTreeMap::new(),
            instructions: BTreeMap::new(),
            diary: Diary::default(),
            rules: KitchenRules::default(),
            table: Table::shipped().clone(),
            told: BTreeSet::new(),
        }
    }
}

impl Book {
    /// Follows the person's rules from now on. Names of foods that there are not are told, and the rest counts.
    pub(crate) fn rule(&mut self, rules: KitchenRules) -> Result<(), RulesError> {
        let table = rules.table(Table::shipped());
        self.rules = rules;
        self.table = table?;
        Ok(())
    }

    /// Adds what a text has, under a name that begins with `name`.
    pub(crate) fn add(&mut self, name: &str, text: &str, own: bool) -> Result<(), CookError> {
        let Found { recipes, instructions } = read(text, &Limits::default(), &self.table)?;
        let more = recipes.len() + instructions.len();
        if self.recipes.len() + self.instructions.len() + more > MOST_RECIPES {
            return Err(CookError::Full(MOST_RECIPES, "recipes"));
        }
        for (recipe, number) in recipes.into_iter().zip(0_usize..) {
            self.recipes.insert(numbered(name, number), Kept { what: recipe, own });
        }
        for (made, number) in instructions.into_iter().zip(0_usize..) {
            self.instructions.insert(numbered(name, number), Kept { what: made, own });
        }
        Ok(())
    }

    /// Takes a text in that a person gave.
    pub(crate) fn take_in(&mut self, text: &str) -> Result<Effect, CookError> {
        let found = read(text, &Limits::default(), &self.table)?;
        let title = found.recipes.first().map(|recipe| &recipe.name);
        let title = title.or_else(|| found.instructions.first().map(|made| &made.name));
        let name = self.free(&slug(title.map_or("", String::as_str)));
        self.add(&name, text, true)?;
        Ok(Effect::Take { name, text: text.to_owned() })
    }

    /// A name that nothing has yet.
    fn free(&self, base: &str) -> String {
        let is_free = |name: &String| {
            let taken = |key: &String| file_of(key) == name;
            !self.recipes.keys().any(taken) && !self.instructions.keys().any(taken)
        };
        let first = format!("own_{base}");
        let others = (2..=MOST_RECIPES + 1).map(|number| format!("own_{base}_{number}"));
        std::iter::once(first.clone()).chain(others).find(is_free).unwrap_or(first)
    }

    /// Does what a person asks for. `now` is the enabler's time.
    pub(crate) fn follow(&mut self, wish: &Cook, now: Option<Timestamp>) -> Result<Effect, CookError> {
        match wish {
            Cook::Choose { recipe, at } => self.choose(recipe, *at),
            Cook::Servings { dish, servings } => {
                let fits = (1..=MOST_SERVINGS).contains(servings);
                let planned = self.planned(*dish)?;
                planned.servings = fits.then_some(*servings).ok_or(CookError::Servings)?;
                Ok(Effect::Diary)
            }
            Cook::When { dish, at } => {
                self.planned(*dish)?.at = *at;
                Ok(Effect::Diary)
            }
            Cook::Drop(dish) => {
                self.planned(*dish)?;
                self.diary.dishes.retain(|planned| planned.id != *dish);
                Ok(Effect::Diary)
            }
            Cook::Overrule { ingredient, by } => self.overrule(ingredient, by.as_ref()),
            Cook::Keep { ingredient, amount } => {
                let food = self.food(ingredient)?;
                let (id, amount) = (food.id.clone(), amount_of(amount, food)?);
                set(&mut self.rules.keep, id, amount);
                Ok(Effect::Rules)
            }
            Cook::Count { ingredient, amount } => {
                let food = self.food(ingredient)?;
                let (id, amount) = (food.id.clone(), amount_of(amount, food)?);
                let at = now.ok_or(CookError::NoClock)?;
                if self.diary.counted.len() >= MOST_COUNTED && !self.diary.counted.contains_key(&id) {
                    return Err(CookError::Full(MOST_COUNTED, "counted jars"));
                }
                set(&mut self.diary.counted, id, amount.map(|amount| Counted { amount, at }));
                Ok(Effect::Diary)
            }
            Cook::CountParts { part, count } => self.count_parts(part, *count),
            Cook::Lies { twin, feature, food } => {
                let id = match food.trim() {
                    "" => None,
                    food => Some(self.food(food)?.id.clone()),
                };
                set(&mut self.rules.places, format!("{twin} {feature}"), id);
                Ok(Effect::Rules)
            }
            Cook::PutAway { purchase, line } => {
                self.put_away(&LineKey::new(&purchase.to_string(), line.as_str()), now.ok_or(CookError::NoClock)?)
            }
            Cook::NotCome { purchase, line } => self.not_come(&LineKey::new(&purchase.to_string(), line.as_str())),
            Cook::BuyOptional(yes) => {
                self.rules.buy_optional = *yes;
                Ok(Effect::Rules)
            }
            Cook::Import(text) => {
                let is_text = text.trim_start().starts_with(['{', '[', '<', '\u{feff}']);
                let named = text.trim().to_owned();
                match named.split_once("://") {
                    _ if is_text => self.take_in(text),
                    Some(_) => Ok(Effect::Fetch { address: named }),
                    None => Ok(Effect::Read { path: named }),
                }
            }
            Cook::Forget(key) => self.forget(key),
            // These are for whoever buys, reads pages or asks others.
            Cook::Agree(_) | Cook::Order | Cook::StopReading | Cook::LookForRecipes | Cook::AskForRecipes(_) => {
                Ok(Effect::Nothing)
            }
        }
    }

    fn choose(&mut self, key: &str, at: Timestamp) -> Result<Effect, CookError> {
        let recipe = &self.recipes.get(key).ok_or(CookError::NoRecipe)?.what;
        if self.diary.dishes.len() >= MOST_DISHES {
            return Err(CookError::Full(MOST_DISHES, "dishes"));
        }
        let servings = recipe.serves.servings.unwrap_or(1).clamp(1, MOST_SERVINGS);
        let last = self.diary.dishes.iter().map(|planned| planned.id).max().unwrap_or(0);
        let dish = Planned { id: last.saturating_add(1), recipe: key.to_owned(), servings, at };
        self.diary.dishes.push(dish);
        Ok(Effect::Diary)
    }

    fn planned(&mut self, dish: u64) -> Result<&mut Planned, CookError> {
        self.diary.dishes.iter_mut().find(|planned| planned.id == dish).ok_or(CookError::NoDish)
    }

    fn overrule(&mut self, ingredient: &str, by: Option<&OverruleFood>) -> Result<Effect, CookError> {
        let food = self.food(ingredient)?;
        let by = match by {
            None => None,
            Some(OverruleFood::Have) => Some(OverruledBy::Have),
            Some(OverruleFood::Without) => Some(OverruledBy::Without),
            Some(OverruleFood::Order(amount)) => amount_of(amount, food)?.map(OverruledBy::Order),
        };
        let id = food.id.clone();
        set(&mut self.rules.overrule, id, by);
        Ok(Effect::Rules)
    }

    fn count_parts(&mut self, part: &str, count: u32) -> Result<Effect, CookError> {
        let known = |part: &str| {
            let mut all = self.instructions.values().flat_map(|kept| kept.what.tools.iter().chain(&kept.what.supplies));
            all.any(|known| known.name == part)
        };
        if !known(part) {
            return Err(CookError::NoPart(part.chars().take(60).collect()));
        }
        let name = plain_name(part);
        if self.diary.parts.len() >= MOST_COUNTED && !self.diary.parts.contains_key(&name) {
            return Err(CookError::Full(MOST_COUNTED, "counted parts"));
        }
        set(&mut self.diary.parts, name, Some(count).filter(|count| *count > 0));
        Ok(Effect::Diary)
    }

    /// A person says that a line is in the cupboard. Where nothing weighs such food, it is as if they had counted it.
    fn put_away(&mut self, key: &LineKey, at: Timestamp) -> Result<Effect, CookError> {
        let line = self.line(key, true)?;
        line.put_away = true;
        let (ingredient, amount) = (line.ingredient.clone(), line.amount);
        let base = self.table.get(&ingredient).and_then(|food| food.to_base(amount));
        let room = self.diary.counted.len() < MOST_COUNTED || self.diary.counted.contains_key(&ingredient);
        if let Some(came) = base.filter(|_| room && !self.told.contains(&ingredient)) {
            // What was counted so long ago that nobody believes it is no younger for what is put beside it.
            let before = self.believed(at).into_iter().find(|jar| jar.ingredient == ingredient);
            let amount = before.and_then(|before| before.amount.plus(came)).unwrap_or(came);
            self.found(&ingredient, came);
            self.diary.counted.insert(ingredient, Counted { amount, at });
        }
        Ok(Effect::Diary)
    }

    /// A person says that a line did not come: it is not on its way any more.
    fn not_come(&mut self, key: &LineKey) -> Result<Effect, CookError> {
        self.line(key, false)?.put_away = true;
        Ok(Effect::Diary)
    }

    /// A line that is not done with, delivered or not.
    fn line(&mut self, key: &LineKey, delivered: bool) -> Result<&mut Coming, CookError> {
        let open = |line: &&mut Coming| line.key == *key && !line.put_away && line.delivered.is_some() == delivered;
        self.diary.coming.iter_mut().find(open).ok_or(CookError::NoLine)
    }

    /// These lines have arrived in the cupboard. Whether that is news.
    pub(crate) fn settle(&mut self, arrived: &[LineKey]) -> bool {
        let lines = self.diary.coming.iter_mut().filter(|line| !line.put_away && arrived.contains(&line.key));
        let here: Vec<(IngredientId, Amount)> = lines
            .map(|line| {
                line.put_away = true;
                (line.ingredient.clone(), line.amount)
            })
            .collect();
        for (ingredient, amount) in &here {
            let came = self.table.get(ingredient).and_then(|food| food.to_base(*amount));
            came.into_iter().for_each(|came| self.found(ingredient, came));
        }
        !here.is_empty()
    }

    /// So much of the stock has come with a line that is put away: it is no growth of other lines.
    fn found(&mut self, ingredient: &IngredientId, came: Amount) {
        let more = |stock: Amount| stock.plus(came).unwrap_or(stock);
        for line in self.diary.coming.iter_mut().filter(|line| line.ingredient == *ingredient && !line.put_away) {
            line.told = line.told.map(more);
            if let Some(delivery) = &mut line.delivered {
                delivery.stock = more(delivery.stock);
            }
        }
    }

    fn forget(&mut self, key: &str) -> Result<Effect, CookError> {
        let recipe = self.recipes.get(key).map(|kept| kept.own);
        let own = recipe.or_else(|| self.instructions.get(key).map(|kept| kept.own)).ok_or(CookError::NoRecipe)?;
        if !own {
            return Err(CookError::Shipped);
        }
        // A text may have had several: they came together, and go together.
        let name = file_of(key).to_owned();
        self.recipes.retain(|key, _| file_of(key) != name);
        self.instructions.retain(|key, _| file_of(key) != name);
        let recipes = &self.recipes;
        self.diary.dishes.retain(|planned| recipes.contains_key(&planned.recipe));
        Ok(Effect::Forget { name })
    }

    /// What goods of a supplier are.
    pub(crate) fn known(&self, system: &SystemId, item: &str) -> Option<&Known> {
        self.diary.goods.get(&goods_key(system, item))
    }

    /// Remembers what goods of a supplier are. Whether there was room.
    pub(crate) fn know(&mut self, system: &SystemId, item: &str, known: &Known) -> bool {
        let key = goods_key(system, item);
        let room = self.diary.goods.len() < MOST_GOODS || self.diary.goods.contains_key(&key);
        if room && self.diary.goods.get(&key) != Some(known) {
            self.diary.goods.insert(key, known.clone());
        }
        room
    }

    /// By its id, or by what people call it.
    fn food(&self, word: &str) -> Result<&Food, CookError> {
        let by_id = IngredientId::new(word).ok().and_then(|id| self.table.get(&id));
        let unknown = || CookError::NoFood(word.chars().take(40).collect());
        by_id.or_else(|| self.table.named(word)).ok_or_else(unknown)
    }

    /// Takes out what was cooked and eaten; whether there was any.
    pub(crate) fn clear_away(&mut self, now: Timestamp) -> bool {
        let before = self.diary.dishes.len();
        self.diary.dishes.retain(|planned| planned.at.plus(GONE_MS) > now);
        self.diary.dishes.len() != before
    }

    /// The planned dishes whose recipes are there, but for those that were cooked: the shelves have told of these already.
    pub(crate) fn dishes(&self, now: Timestamp) -> Vec<Dish> {
        let of = |planned: &Planned| {
            if planned.at.plus(LATE_MS) <= now {
                return None;
            }
            let recipe = &self.recipes.get(&planned.recipe)?.what;
            Some(Dish::of(DishId(planned.id), recipe, planned.servings, planned.at))
        };
        self.diary.dishes.iter().filter_map(of).collect()
    }

    /// Each recipe as a dish that is cooked at `at`, to ask whether it could be.
    pub(crate) fn each_alone(&self, at: Timestamp) -> Vec<Dish> {
        let of = |(kept, number): (&Kept<Recipe>, u64)| {
            let servings = kept.what.serves.servings.unwrap_or(1);
            Dish::of(DishId(number), &kept.what, servings, at)
        };
        self.recipes.values().zip(0..).map(of).collect()
    }

    /// What was counted, as stock.
    pub(crate) fn counted(&self) -> Vec<Stock> {
        let of = |(id, counted): (&IngredientId, &Counted)| {
            Some(Stock {
                ingredient: id.clone(),
                twin: TwinId::new(format!("{COUNTED}/{id}")).ok()?,
                feature: FeatureId::slug("amount"),
                amount: counted.amount,
                source: StockSource::Counted,
                reported: counted.at,
                truth: Truth::Live,
                best_before: None,
            })
        };
        self.diary.counted.iter().filter_map(of).collect()
    }

    /// What was counted not too long ago.
    pub(crate) fn believed(&self, now: Timestamp) -> Vec<Stock> {
        let mut jars = self.counted();
        jars.retain(|jar| confidence(jar, now) >= self.rules.trust);
        jars
    }
}

/// Under what goods are remembered.
pub(crate) fn goods_key(system: &SystemId, item: &str) -> String {
    format!("{system} {item}")
}

/// A name of the second and further recipes of a text.
fn numbered(name: &str, number: usize) -> String {
    if number == 0 { name.to_owned() } else { format!("{name}.{number}") }
}

/// The name of the text that a recipe came with.
fn file_of(key: &str) -> &str {
    key.split_once('.').map_or(key, |(name, _)| name)
}

/// What files can be called anywhere: `own_` and at most 40 of `a` to `z`, digits and `_`.
fn slug(title: &str) -> String {
    let words = title.chars().flat_map(char::to_lowercase).map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let joined: String = words.collect();
    let parts: Vec<&str> = joined.split('_').filter(|part| !part.is_empty()).collect();
    let short: String = parts.join("_").chars().take(40).collect();
    if short.is_empty() { "recipe".to_owned() } else { short }
}

fn set<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => drop(map.insert(key, value)),
        None => drop(map.remove(&key)),
    }
}

/// With a point, and without any mark, where nobody knows which of them a comma before three digits means: `1,250 kg`.
fn two_ways(text: &str) -> Option<(String, String)> {
    let (before, after) = text.split_once(',')?;
    let whole = before.parse::<u16>().is_ok_and(|number| number > 0) && before.len() <= 3;
    let three = after.bytes().take_while(u8::is_ascii_digit).count() == 3;
    (whole && three && text.len() <= 40).then(|| (format!("{before}.{after}"), format!("{before}{after}")))
}

/// What somebody wrote; nothing where they wrote nothing.
fn amount_of(text: &str, food: &Food) -> Result<Option<Amount>, CookError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if let Some((point, none)) = two_ways(text) {
        return Err(CookError::Comma(text.to_owned(), point, none));
    }
    let amount: Amount = text.parse().map_err(|_| CookError::NoAmount(text.chars().take(40).collect()))?;
    let unknown = || CookError::NoMeasure { amount: amount.to_string(), food: food.title().to_owned() };
    food.to_base(amount).ok_or_else(unknown).map(Some)
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
