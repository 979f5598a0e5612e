//! Who has recipes for others (a third-party system with the service `recipes`), and what they are. Asked only when a
//! person wants to know.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vestibule_kitchen::{Limits, Table, read};
use vestibule_model::{CallId, CallStatus, Json, ServiceId, Sharing, SystemId, SystemKind, Timestamp};
use vestibule_twin::{KitchenCook, KitchenOffered, KnownCall, KnownServices, KnownSystem, KnownSystems, UseServices};

use crate::book::Book;

/// The service that tells recipes: schema.org's, as JSON-LD.
pub(crate) const RECIPES: &str = "recipes";
/// Recipes of one system that are shown.
const MOST_RECIPES: usize = 50;
/// Systems that are shown.
const MOST_COOKS: usize = 32;
/// How long an agreement is asked for, in milliseconds: 90 days.
const AGREED_MS: u64 = 90 * 24 * 60 * 60 * 1_000;
/// Seconds after which a refusal is one of this question, and not of an older one.
const REFUSED_S: f64 = 1.0;

/// A system whose recipes a person wants to see.
#[derive(Clone, Copy, Debug, Default)]
struct Wanted {
    /// It was asked what is agreed already: agreeing anew replaces that.
    looked: bool,
    /// When an agreement was asked for; none: not yet.
    agreeing: Option<f64>,
}

/// What a system told, and in answer to what.
#[derive(Clone, Debug)]
struct Told {
    call: CallId,
    recipes: Result<Vec<Offered>, String>,
}

#[derive(Clone, Debug)]
struct Offered {
    name: String,
    description: String,
    text: String,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cooks {
    wanted: BTreeMap<SystemId, Wanted>,
    told: BTreeMap<SystemId, Told>,
}

/// What is known of systems and of what is agreed with them.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub systems: &'a KnownSystems,
    pub services: &'a KnownServices,
    pub now: Option<Timestamp>,
}

impl<'a> Around<'a> {
    fn cooks(&self) -> impl Iterator<Item = &'a KnownSystem> + use<'a> {
        let tells = |known: &&KnownSystem| {
            let service = known.info.services.keys().any(|service| service.as_str() == RECIPES);
            known.info.kind == SystemKind::ThirdParty && service
        };
        self.systems.systems.values().filter(tells).take(MOST_COOKS)
    }

    fn agreed(&self, system: &SystemId) -> bool {
        let valid = self.services.valid(system, self.now);
        valid.is_some_and(|agreed| agreed.services.iter().any(|service| service.as_str() == RECIPES))
    }

    /// What is agreed already stays so.
    fn agree(&self, system: &SystemId) -> UseServices {
        let before = self.services.valid(system, self.now);
        let mut services = before.map(|agreed| agreed.services.clone()).unwrap_or_default();
        services.insert(ServiceId::slug(RECIPES));
        let share = before.map_or_else(Sharing::default, |agreed| agreed.share.clone());
        // For as long as before, where something is agreed.
        let for_ms = before.zip(self.now).map_or(AGREED_MS, |(agreed, now)| agreed.until.since(now));
        UseServices::Agree { system: system.clone(), services, share, for_ms }
    }

    fn newest(&self, system: &SystemId) -> Option<&'a KnownCall> {
        self.services.newest(system, &ServiceId::slug(RECIPES))
    }
}

impl Cooks {
    /// A person wants to see a system's recipes.
    pub(crate) fn want(&mut self, system: &SystemId) {
        self.wanted.insert(system.clone(), Wanted::default());
    }

    /// Takes what was told, and asks what is to be asked. Whether anything is known anew, and the questions.
    pub(crate) fn step(&mut self, around: Around<'_>, table: &Table, seconds: f64) -> (bool, Vec<UseServices>) {
        let mut questions = Vec::new();
        let mut news = self.listen(around, table);
        self.wanted.retain(|system, wanted| {
            if !around.cooks().any(|known| known.info.id == *system) {
                return false;
            }
            if around.agreed(system) {
                let input = Json::of(&json!({})).ok();
                let service = ServiceId::slug(RECIPES);
                questions.extend(input.map(|input| UseServices::Call { system: system.clone(), service, input }));
                news = true;
                return false;
            }
            if !around.services.complete {
                questions.extend((!wanted.looked).then_some(UseServices::Look));
                wanted.looked = true;
                return true;
            }
            let Some(since) = wanted.agreeing else {
                questions.push(around.agree(system));
                wanted.agreeing = Some(seconds);
                return true;
            };
            let refused = around.services.refused.contains_key(system) && !around.services.asking.contains(system);
            news |= refused;
            !(refused && seconds - since > REFUSED_S)
        });
        (news, questions)
    }

    fn listen(&mut self, around: Around<'_>, table: &Table) -> bool {
        let mut news = false;
        for known in around.cooks() {
            let system = &known.info.id;
            let Some(call) = around.newest(system).filter(|call| !call.is_open()) else { continue };
            if self.told.get(system).is_some_and(|told| told.call == call.call) {
                continue;
            }
            let recipes = answer(call).and_then(|said| offered(said, table));
            self.told.insert(system.clone(), Told { call: call.call, recipes });
            news = true;
        }
        news
    }

    /// In words.
    pub(crate) fn view(&self, around: Around<'_>, book: &Book) -> Vec<KitchenCook> {
        around.cooks().map(|known| self.cook(known, around, book)).collect()
    }

    fn cook(&self, known: &KnownSystem, around: Around<'_>, book: &Book) -> KitchenCook {
        let system = known.info.id.clone();
        let told = self.told.get(&system);
        let taken = |name: &str| {
            let made = book.instructions.values().any(|kept| kept.own && kept.what.name == name);
            made || book.recipes.values().any(|kept| kept.own && kept.what.name == name)
        };
        let offered = |one: &Offered| KitchenOffered {
            name: one.name.clone(),
            description: one.description.clone(),
            text: one.text.clone(),
            taken: taken(&one.name),
        };
        let recipes = told.and_then(|told| told.recipes.as_ref().ok());
        let refused = around.services.refused.get(&system).filter(|_| !around.agreed(&system));
        let problem = if known.health.online {
            told.and_then(|told| told.recipes.as_ref().err().cloned()).or_else(|| refused.map(ToString::to_string))
        } else {
            Some("It cannot be reached now.".to_owned())
        };
        KitchenCook {
            name: known.info.name.clone(),
            agreed: around.agreed(&system),
            asking: self.wanted.contains_key(&system) || around.newest(&system).is_some_and(KnownCall::is_open),
            recipes: recipes.map(|all| all.iter().map(offered).collect()),
            problem,
            system,
        }
    }
}

/// What a call brought, or why it brought nothing, for people.
fn answer(call: &KnownCall) -> Result<&Json, String> {
    let why = match &call.update {
        Some(update) if update.status == CallStatus::Succeeded => {
            return update.output.as_ref().ok_or_else(|| "It said nothing.".to_owned());
        }
        Some(update) => update.status.to_string(),
        None => call.problem.as_ref().map_or_else(|| "it did not answer".to_owned(), ToString::to_string),
    };
    Err(format!("It told nothing: {why}."))
}

/// The recipes of an answer: a JSON-LD document, its `@graph`, or a list.
fn offered(said: &Json, table: &Table) -> Result<Vec<Offered>, String> {
    let mut said: Value = serde_json::from_str(said.as_str()).map_err(|error| error.to_string())?;
    let nodes = match said.get_mut("@graph").map(Value::take) {
        Some(Value::Array(nodes)) => nodes,
        _ => match said {
            Value::Array(nodes) => nodes,
            one => vec![one],
        },
    };
    let one = |node: &Value| {
        let text = node.to_string();
        let found = read(&text, &Limits::default(), table).ok()?;
        let recipe = found.recipes.into_iter().next().map(|recipe| (recipe.name, recipe.description));
        let (name, description) =
            recipe.or_else(|| Some((found.instructions.into_iter().next()?.name, String::new())))?;
        Some(Offered { name, description, text })
    };
    let all: Vec<Offered> = nodes.iter().take(MOST_RECIPES).filter_map(one).collect();
    if all.is_empty() && !nodes.is_empty() { Err("What it tells are no recipes.".to_owned()) } else { Ok(all) }
}

#[cfg(test)]
#[path = "cooks_tests.rs"]
mod tests;
