//! Cooking in the world: from a dish that somebody chooses to what has to be bought, with the reason for each food.
//!
//! **Does**: keeps recipes, planned dishes, what was counted and what the person decided, in a folder; looks through the
//! twins that tell how much of a food there is; reckons everything (`vestibule-kitchen`) and says it in
//! [`KitchenView`](vestibule_twin::KitchenView); follows [`Cook`](vestibule_twin::Cook).
//!
//! **Does not**: draw windows (`vestibule-hud` does), change what lies in the pantry (only the physical side does), know
//! how recipes are read or amounts are reckoned (`vestibule-kitchen` does).
//!
//! ```
//! use bevy::prelude::*;
//! use vestibule_plugin_kitchen::KitchenPlugin;
//! use vestibule_twin::{Cook, KitchenView};
//!
//! let mut app = App::new();
//! app.add_plugins((MinimalPlugins, KitchenPlugin::default()));
//! let soup = r#"{"@type": "Recipe", "name": "Leek soup", "recipeIngredient": ["2 leeks"]}"#;
//! app.world_mut().write_message(Cook::Import(soup.to_owned()));
//! app.update();
//! assert_eq!(app.world().resource::<KitchenView>().recipes[0].name, "Leek soup");
//! ```

mod book;
mod files;
mod pantry;
mod view;
mod words;

use std::path::PathBuf;

use bevy::prelude::*;
use vestibule_model::{Timestamp, TwinInfo};
use vestibule_twin::{
    Cook, EnablerClock, KitchenView, Notify, TwinDescription, TwinRoot, TwinState, Urgency, ensure_twin_plugin,
};

use book::{Book, Effect};
use files::Files;

/// Seconds after which everything is reckoned anew although nothing was reported: reports grow old.
const AGAIN_S: f64 = 5.0;
/// Seconds between two reckonings: scales may tell more often than anybody reads.
const SELDOM_S: f64 = 0.2;

/// What happens in each frame in [`Update`], in this order.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KitchenSystems {
    /// What people ask for is done.
    Follow,
    /// What screens read is brought up to date.
    Show,
}

/// Cooking.
#[derive(Clone, Debug, Default)]
pub struct KitchenPlugin {
    /// Where the person's rules, plan and recipes are kept; none: nowhere.
    pub folder: Option<PathBuf>,
    /// A folder with recipes that come with the program (`NAME.json`, JSON-LD); none: there are none.
    pub recipes: Option<PathBuf>,
}

/// The kitchen.
#[derive(Resource, Debug)]
struct Kitchen {
    book: Book,
    files: Files,
    problem: Option<String>,
}

impl Plugin for KitchenPlugin {
    fn build(&self, app: &mut App) {
        ensure_twin_plugin(app);
        let (files, book, problems) = Files::open(self.folder.clone(), self.recipes.as_deref());
        for text in problems {
            let title = "Something of your kitchen could not be read".to_owned();
            app.world_mut().write_message(Notify { urgency: Urgency::Problem, title, text, twin: None });
        }
        app.insert_resource(Kitchen { book, files, problem: None })
            .configure_sets(Update, (KitchenSystems::Follow, KitchenSystems::Show).chain())
            .add_systems(Update, (follow.in_set(KitchenSystems::Follow), tell.in_set(KitchenSystems::Show)));
    }
}

/// Does what people ask for, and writes down what has to be kept.
fn follow(
    mut wishes: MessageReader<Cook>,
    (clock, time): (Res<EnablerClock>, Res<Time<Real>>),
    mut kitchen: ResMut<Kitchen>,
) {
    let now = clock.at(time.elapsed_secs_f64());
    for wish in wishes.read() {
        let done = kitchen.follow(wish, now);
        kitchen.problem = done.err();
    }
}

impl Kitchen {
    fn follow(&mut self, wish: &Cook, now: Option<Timestamp>) -> Result<(), String> {
        let mut effect = self.book.follow(wish, now).map_err(|error| error.to_string())?;
        if let Effect::Read { path } = &effect {
            let text = files::named(path)?;
            effect = self.book.take_in(&text).map_err(|error| error.to_string())?;
        }
        self.files.keep(&self.book, &effect)
    }

    /// Reckons everything, and writes down what was found to have arrived in the cupboard.
    fn reckon<'a>(
        &mut self,
        twins: impl Iterator<Item = (&'a TwinInfo, &'a TwinState)>,
        now: Option<Timestamp>,
        seconds: f64,
    ) -> KitchenView {
        let mut told = match now {
            Some(now) => {
                let pantry = pantry::look(twins, &self.book.rules, &self.book.table, now, seconds);
                let (plan, ready) = view::reckon(&self.book, &pantry, now);
                self.book.told = pantry.stocks.iter().map(|stock| stock.ingredient.clone()).collect();
                if self.book.settle(&plan.settled)
                    && let Err(why) = self.files.keep(&self.book, &Effect::Diary)
                {
                    self.problem = Some(why);
                }
                view::of(&self.book, &pantry, Some((&plan, &ready, now)))
            }
            None => view::of(&self.book, &pantry::Pantry::default(), None),
        };
        told.problem.clone_from(&self.problem);
        told
    }
}

/// When was reckoned last.
#[derive(Default)]
struct Last {
    at: Option<f64>,
    /// Something was reported since.
    news: bool,
}

/// Reckons and says what came of it, where something changed or grew old.
fn tell(
    mut kitchen: ResMut<Kitchen>,
    twins: Query<(&TwinDescription, &TwinState), With<TwinRoot>>,
    changed: Query<(), (With<TwinRoot>, Or<(Changed<TwinDescription>, Changed<TwinState>)>)>,
    mut gone: RemovedComponents<TwinRoot>,
    (clock, time): (Res<EnablerClock>, Res<Time<Real>>),
    mut last: Local<Last>,
    mut view: ResMut<KitchenView>,
) {
    let seconds = time.elapsed_secs_f64();
    last.news |= !changed.is_empty() || gone.read().count() > 0;
    let since = last.at.map_or(f64::MAX, |at| seconds - at);
    let due = kitchen.is_changed() || since >= AGAIN_S || last.news && since >= SELDOM_S;
    if !due {
        return;
    }
    *last = Last { at: Some(seconds), news: false };
    let all = twins.iter().map(|(description, state)| (&*description.0, state));
    // What follows from reckoning is no reason to reckon again.
    let told = kitchen.bypass_change_detection().reckon(all, clock.at(seconds), seconds);
    view.set_if_neq(told);
}

#[cfg(test)]
mod app_tests;
