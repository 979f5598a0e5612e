//! Cooking in the world: from a dish that somebody chooses to what has to be bought, with the reason for each food.
//!
//! **Does**: keeps recipes, planned dishes, what was counted and what the person decided, in a folder; looks through the
//! twins that tell how much of a food there is; reckons everything (`vestibule-kitchen`) and says it in
//! [`KitchenView`](vestibule_twin::KitchenView); follows [`Cook`](vestibule_twin::Cook); asks suppliers what they have,
//! chooses one, and puts what is missing into its cart ([`Shop`](vestibule_twin::Shop)); follows what was bought until it
//! is in the cupboard; has the page read that a person names ([`ReadPage`]), and asks who has recipes for others.
//!
//! **Does not**: fetch pages (whoever has a network follows [`ReadPage`]), buy (a person confirms the cart, `vestibule-plugin-commerce` orders it), draw windows (`vestibule-hud` does), change what lies in the pantry (only the physical side does), know
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

mod ask;
mod book;
mod coming;
mod cooks;
mod diary;
mod files;
mod orders;
mod page;
mod pantry;
mod supply;
mod view;
mod words;

use std::path::PathBuf;

use bevy::{ecs::system::SystemParam, prelude::*};
use vestibule_model::{Timestamp, TwinInfo};
use vestibule_twin::{
    Cook, DiscoverSystems, EnablerClock, EnablerLink, FoodDelivered, KitchenView, KnownPurchases, KnownServices,
    KnownSystems, Notify, Shop, ShopView, TwinDescription, TwinRoot, TwinState, Urgency, UseServices,
    ensure_twin_plugin,
};

use ask::Asks;
use book::{Book, Effect};
use coming::Bought;
use cooks::{Around, Cooks};
use files::Files;
pub use page::{PageRead, ReadPage, ReadsPages, page_bytes};
use pantry::Pantry;
use supply::Suppliers;
use view::Reckoned;

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
    suppliers: Suppliers,
    asks: Asks,
    cooks: Cooks,
    /// The address of the page that is being read.
    reading: Option<String>,
    /// What is to be asked of whoever reads pages.
    pages: Vec<ReadPage>,
    /// There is somebody.
    reads_pages: bool,
    /// When something was reckoned first.
    began: Option<Timestamp>,
    /// What came of the last reckoning.
    reckoned: Reckoned,
    problem: Option<String>,
}

/// What the kitchen hears of buying.
#[derive(SystemParam)]
struct Buying<'w> {
    systems: Res<'w, KnownSystems>,
    services: Res<'w, KnownServices>,
    shop: Res<'w, ShopView>,
    purchases: Res<'w, KnownPurchases>,
}

impl Buying<'_> {
    fn is_news(&self) -> bool {
        self.systems.is_changed() || self.services.is_changed() || self.shop.is_changed() || self.purchases.is_changed()
    }
}

impl<'a> Around<'a> {
    fn of(buying: &'a Buying<'_>, now: Option<Timestamp>) -> Self {
        Self { systems: &buying.systems, services: &buying.services, now }
    }
}

impl Plugin for KitchenPlugin {
    fn build(&self, app: &mut App) {
        ensure_twin_plugin(app);
        let (files, book, problems) = Files::open(self.folder.clone(), self.recipes.as_deref());
        for text in problems {
            let title = "Something of your kitchen could not be read".to_owned();
            app.world_mut().write_message(Notify { urgency: Urgency::Problem, title, text, twin: None });
        }
        app.insert_resource(Kitchen {
            book,
            files,
            suppliers: Suppliers::default(),
            asks: Asks::default(),
            cooks: Cooks::default(),
            reading: None,
            pages: Vec::new(),
            reads_pages: false,
            began: None,
            reckoned: Reckoned::default(),
            problem: None,
        })
        .add_message::<ReadPage>()
        .add_message::<PageRead>()
        .configure_sets(Update, (KitchenSystems::Follow, KitchenSystems::Show).chain())
        .add_systems(
            Update,
            (
                (follow, turn_page, discover, ask).chain().in_set(KitchenSystems::Follow),
                tell.in_set(KitchenSystems::Show),
            ),
        );
    }
}

/// Does what people ask for, and writes down what has to be kept.
fn follow(
    mut wishes: MessageReader<Cook>,
    (clock, time): (Res<EnablerClock>, Res<Time<Real>>),
    (mut kitchen, shop, reads): (ResMut<Kitchen>, Res<ShopView>, Option<Res<ReadsPages>>),
    (mut buys, mut pages): (MessageWriter<Shop>, MessageWriter<ReadPage>),
) {
    let now = clock.at(time.elapsed_secs_f64());
    kitchen.bypass_change_detection().reads_pages = reads.is_some();
    for wish in wishes.read() {
        let done = kitchen.follow(wish, now);
        kitchen.problem = done.err();
        pages.write_batch(std::mem::take(&mut kitchen.pages));
        match wish {
            Cook::Agree(system) => drop(buys.write(Shop::Agree(system.clone()))),
            Cook::Order => {
                let splits = kitchen.reckoned.splits.as_deref().unwrap_or_default();
                buys.write_batch(orders::fill(splits, &shop.carts));
            }
            _ => {}
        }
    }
}

/// Takes in the page that was read.
fn turn_page(mut kitchen: ResMut<Kitchen>, mut read: MessageReader<PageRead>) {
    for PageRead { address, page } in read.read() {
        // One that was stopped, or asked for by somebody else, is none of ours.
        if kitchen.reading.as_ref() != Some(address) {
            continue;
        }
        kitchen.reading = None;
        let done = page.as_ref().map_err(|why| format!("{} cannot be read: {why}.", page::shown(address)));
        kitchen.problem = done.and_then(|text| kitchen.take_in(text)).err();
    }
}

/// Whoever cooks wants to know who sells food, and whoever looks for recipes who has them: asked once for each connection,
/// and when a person asks.
fn discover(
    (kitchen, link): (Res<Kitchen>, Res<EnablerLink>),
    (mut asked, mut wishes): (Local<bool>, MessageReader<Cook>),
    (mut systems, mut services): (MessageWriter<DiscoverSystems>, MessageWriter<UseServices>),
) {
    let wanted = link.state.is_connected() && !kitchen.book.diary.dishes.is_empty();
    let looks = wishes.read().filter(|wish| **wish == Cook::LookForRecipes).count() > 0;
    if wanted && !*asked || looks {
        systems.write(DiscoverSystems::default());
        services.write(UseServices::Look);
    }
    // Until the link is lost: whoever plans a second dish asks nothing anew.
    *asked = link.state.is_connected() && (*asked || wanted);
}

/// Asks suppliers what they have, and takes what they say.
fn ask(
    mut kitchen: ResMut<Kitchen>,
    (buying, link): (Buying<'_>, Res<EnablerLink>),
    (clock, time): (Res<EnablerClock>, Res<Time<Real>>),
    mut questions: MessageWriter<UseServices>,
) {
    let seconds = time.elapsed_secs_f64();
    let Kitchen { book, suppliers, asks, cooks, .. } = kitchen.bypass_change_detection();
    let now = clock.at(seconds);
    let different = buying.is_news() && suppliers.look(&buying.systems, &buying.services, now);
    let plans = now.is_some_and(|now| !book.dishes(now).is_empty());
    let wanted = link.state.is_connected() && plans;
    let (news, asked) = asks.step(suppliers, &buying.services, &book.table, (wanted, seconds));
    questions.write_batch(asked);
    let (told, asked) = cooks.step(Around::of(&buying, now), &book.table, seconds);
    questions.write_batch(asked);
    if different || news || told {
        kitchen.set_changed();
    }
}

impl Kitchen {
    fn follow(&mut self, wish: &Cook, now: Option<Timestamp>) -> Result<(), String> {
        match wish {
            Cook::StopReading => {
                self.reading = None;
                self.pages.push(ReadPage::Stop);
            }
            Cook::AskForRecipes(system) => self.cooks.want(system),
            _ => {}
        }
        match self.book.follow(wish, now).map_err(|error| error.to_string())? {
            Effect::Read { path } => self.take_in(&files::named(&path)?),
            Effect::Fetch { address } if self.reads_pages => {
                self.pages.push(ReadPage::Begin(address.clone()));
                self.reading = Some(address);
                Ok(())
            }
            Effect::Fetch { .. } => {
                Err("Nothing here reads pages: save it, and write the path of the file.".to_owned())
            }
            effect => self.files.keep(&self.book, &effect),
        }
    }

    fn take_in(&mut self, text: &str) -> Result<(), String> {
        let effect = self.book.take_in(text).map_err(|error| error.to_string())?;
        self.files.keep(&self.book, &effect)
    }

    /// What is said although nothing may be reckoned.
    fn beside(&self, told: KitchenView, buying: &Buying<'_>, now: Option<Timestamp>) -> KitchenView {
        KitchenView {
            reading: self.reading.as_deref().map(page::shown),
            cooks: self.cooks.view(Around::of(buying, now), &self.book),
            problem: self.problem.clone(),
            ..told
        }
    }

    /// Follows what was bought and reckons everything; writes down what has changed by that. Says what was delivered.
    fn reckon<'a>(
        &mut self,
        twins: impl Iterator<Item = (&'a TwinInfo, &'a TwinState)>,
        buying: &Buying<'_>,
        (now, seconds): (Option<Timestamp>, f64),
    ) -> (KitchenView, Vec<FoodDelivered>) {
        let carts = &buying.shop.carts;
        let Some(now) = now else {
            self.reckoned = Reckoned::default();
            let pantry = Pantry::default();
            let told = view::of(&self.book, &pantry, &self.suppliers, carts, &self.reckoned, None);
            return (self.beside(told, buying, None), Vec::new());
        };
        let pantry = pantry::look(twins, &self.book.rules, &self.book.table, now, seconds);
        self.book.told = pantry.stocks.iter().map(|stock| stock.ingredient.clone()).collect();
        // What was counted by hand is no growth of a delivery either.
        let counted = self.book.believed(now);
        let told = pantry::together(pantry.stocks.iter().chain(&counted), &self.book.table);
        let (purchases, suppliers) = (&*buying.purchases, &self.suppliers);
        let began = *self.began.get_or_insert(now);
        let things_tell = !pantry.stocks.is_empty();
        let bought = Bought { purchases, carts, suppliers, told: &told, things_tell, now, began };
        let news = coming::follow(&mut self.book, &bought);
        let home = pantry.home(&buying.systems);
        self.reckoned = view::reckon(&self.book, &pantry, &self.suppliers, home, now);
        let settled = self.book.settle(&self.reckoned.plan.settled) | self.book.clear_away(now);
        for (different, effect) in [(news.diary || settled, Effect::Diary), (news.rules, Effect::Rules)] {
            if different && let Err(why) = self.files.keep(&self.book, &effect) {
                self.problem = Some(why);
            }
        }
        let told = view::of(&self.book, &pantry, &self.suppliers, carts, &self.reckoned, Some(now));
        (self.beside(told, buying, Some(now)), news.came)
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
    buying: Buying<'_>,
    (clock, time): (Res<EnablerClock>, Res<Time<Real>>),
    mut last: Local<Last>,
    (mut view, mut delivered): (ResMut<KitchenView>, MessageWriter<FoodDelivered>),
) {
    let seconds = time.elapsed_secs_f64();
    last.news |= !changed.is_empty() || gone.read().count() > 0 || buying.is_news();
    let since = last.at.map_or(f64::MAX, |at| seconds - at);
    let due = kitchen.is_changed() || since >= AGAIN_S || last.news && since >= SELDOM_S;
    if !due {
        return;
    }
    *last = Last { at: Some(seconds), news: false };
    let all = twins.iter().map(|(description, state)| (&*description.0, state));
    // What follows from reckoning is no reason to reckon again.
    let (told, came) = kitchen.bypass_change_detection().reckon(all, &buying, (clock.at(seconds), seconds));
    view.set_if_neq(told);
    delivered.write_batch(came);
}

#[cfg(test)]
mod app_tests;
