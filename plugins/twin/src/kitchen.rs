//! Cooking: what a person asks for in their kitchen, and what is known of dishes, food and what is missing.
//!
//! The plugin that cooks writes [`KitchenView`]; screens only read it. Amounts are texts as people read them (`250 g`,
//! `1.5 l`, `3 piece`): how foods are measured is that plugin's business.

use std::collections::BTreeSet;

use bevy_app::App;
use bevy_ecs::prelude::*;
use vestibule_model::{FeatureId, LineId, Money, PurchaseId, SystemId, Timestamp, TwinId};

/// Request: something about cooking. What cannot be done is said in [`KitchenView::problem`].
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub enum Cook {
    /// Plan a dish.
    Choose {
        /// Its recipe's key.
        recipe: String,
        /// When it is cooked, by the enabler's clock.
        at: Timestamp,
    },
    /// A planned dish is for so many.
    Servings {
        /// The dish.
        dish: u64,
        /// For how many.
        servings: u32,
    },
    /// A planned dish is cooked then.
    When {
        /// The dish.
        dish: u64,
        /// The moment, by the enabler's clock.
        at: Timestamp,
    },
    /// A planned dish is cooked, or never will be: nothing is reserved for it any more.
    Drop(u64),
    /// Decide against the arithmetic, or (`None`) let it decide again.
    Overrule {
        /// The ingredient's id.
        ingredient: String,
        /// What is decided.
        by: Option<OverruleFood>,
    },
    /// So much has to stay, whatever is cooked; an empty text: nothing has to.
    Keep {
        /// The ingredient's id.
        ingredient: String,
        /// How much, as people write it.
        amount: String,
    },
    /// A person counted what is in a jar; an empty text: they take it back.
    Count {
        /// The ingredient: its id, or what people call it.
        ingredient: String,
        /// How much, as people write it.
        amount: String,
    },
    /// A person says how many there are of a part that things are made with; 0: none.
    CountParts {
        /// The part, by its [`KitchenMadePart::name`].
        part: String,
        /// How many.
        count: u32,
    },
    /// A person says what lies somewhere; an empty text: what the thing says counts again.
    Lies {
        /// The twin.
        twin: TwinId,
        /// Its feature.
        feature: FeatureId,
        /// What people call the food.
        food: String,
    },
    /// A delivered line is in the cupboard.
    PutAway {
        /// The purchase.
        purchase: PurchaseId,
        /// Its line.
        line: LineId,
    },
    /// A line of a purchase did not come: it counts as on its way no more.
    NotCome {
        /// The purchase.
        purchase: PurchaseId,
        /// Its line.
        line: LineId,
    },
    /// Whether what no dish insists on is bought, too.
    BuyOptional(bool),
    /// Take a recipe in: JSON-LD, a page's text, or the path of a file or the address of a page with one of them. A page
    /// is read beside everything else: [`KitchenView::reading`].
    Import(String),
    /// Read that page no further.
    StopReading,
    /// Find out who has recipes for others: [`KitchenView::cooks`].
    LookForRecipes,
    /// Ask a third-party system for its recipes, and agree with it before that where nothing is agreed.
    AskForRecipes(SystemId),
    /// Forget a recipe that was taken in, by its key.
    Forget(String),
    /// Agree with a supplier that it may be asked what it has, and bought from.
    Agree(SystemId),
    /// Put what [`KitchenView::orders`] lists into the carts of its suppliers: what is in there already counts. The person
    /// confirms each cart where carts are shown.
    Order,
}

/// Fact: food that was bought stands at the door. Whoever plays the physical side brings it in.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct FoodDelivered {
    /// The purchase.
    pub purchase: PurchaseId,
    /// What it is called, and how much of it: grams, millilitres or pieces.
    pub foods: Vec<(String, f64)>,
}

/// What a person decides about a food, against the arithmetic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverruleFood {
    /// They have it.
    Have,
    /// They do without it.
    Without,
    /// So much is ordered, as people write it.
    Order(String),
}

/// Whether something can be cooked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Readiness {
    /// Nobody knows yet: the enabler was not reached.
    #[default]
    Unknown,
    /// Everything is there.
    Now,
    /// Everything that is understood is there; some lines are not understood.
    Understood,
    /// Its time is over: nothing is kept for it any more.
    Over,
    /// Everything will be there; when, where that is known.
    Coming(Option<Timestamp>),
    /// These are missing, by their names.
    Missing(Vec<String>),
}

/// A recipe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KitchenRecipe {
    /// What requests say.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// What is said of it.
    pub description: String,
    /// For how many it is, as it was written.
    pub serves: String,
    /// Minutes in all, where it says that.
    pub minutes: Option<u64>,
    /// Whether the person took it in, so that they can forget it.
    pub own: bool,
    /// Its list, as it was written.
    pub lines: Vec<String>,
    /// Lines of it that are not understood: nothing is reckoned for them.
    pub unclear: Vec<String>,
    /// What is done, in order.
    pub steps: Vec<String>,
    /// Whether it could be cooked if it were the only one.
    pub ready: Readiness,
}

/// Instructions for another thing than a dish.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KitchenInstructions {
    /// What requests say.
    pub key: String,
    /// What is made.
    pub name: String,
    /// What is said of it.
    pub description: String,
    /// What is used and what goes into it.
    pub parts: Vec<KitchenMadePart>,
    /// What is done, in order.
    pub steps: Vec<String>,
    /// Whether the person took it in, so that they can forget it.
    pub own: bool,
}

/// A tool or a part that something is made with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KitchenMadePart {
    /// What requests say, and people call it.
    pub name: String,
    /// How many of it, in words: `16 screws`.
    pub words: String,
    /// Whether it is only used, and there afterwards.
    pub tool: bool,
    /// How many are needed.
    pub needed: u32,
    /// How many of them are missing.
    pub missing: u32,
    /// How that is known: `told` by a thing at home, `counted` by a person; nothing where nobody said that there are any.
    pub how: Option<&'static str>,
}

/// A planned dish.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KitchenDish {
    /// What requests say.
    pub id: u64,
    /// The key of its recipe.
    pub recipe: String,
    /// What it is called.
    pub title: String,
    /// When it is cooked.
    pub at: Timestamp,
    /// For how many.
    pub servings: u32,
    /// Whether it can be cooked beside the others.
    pub ready: Readiness,
    /// What else is to be known: what is taken instead of what, lines that were not understood.
    pub notes: Vec<String>,
}

/// A part of a food that a dish needs, or may count on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitchenPart {
    /// The dish.
    pub dish: String,
    /// How much.
    pub amount: String,
}

/// Where something of a food is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitchenSource {
    /// Where, as people call it: `Pantry shelf, Board 1`.
    pub place: String,
    /// How it is known: `weighed`, `listed`, `counted`, `delivered`.
    pub how: &'static str,
    /// How much, as it was told.
    pub amount: String,
    /// Milliseconds since it was told.
    pub age_ms: u64,
    /// How far it is believed, in thousandths.
    pub confidence: u16,
    /// Why it does not count; none: it does.
    pub ignored: Option<String>,
}

/// A food that is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitchenWay {
    /// How much of it is not in the cupboard yet.
    pub amount: String,
    /// When it comes, where that is known.
    pub arrives: Option<Timestamp>,
    /// Whether it stands at the door.
    pub delivered: bool,
}

/// What becomes of a food.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KitchenDecision {
    /// There is enough.
    #[default]
    Enough,
    /// It is ordered.
    Order,
    /// There will be enough: it is on its way.
    Coming,
    /// Nobody has to buy it.
    Optional,
    /// No dish says how much, and there is none: a person has to look.
    Unmeasured,
    /// It is missing, and no supplier brings it.
    NoSupplier,
    /// A person said that they have it.
    Have,
    /// A person does without it.
    Without,
    /// A person said how much is ordered.
    Said,
}

/// A food, and why it is ordered or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KitchenFood {
    /// What requests say.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What each dish needs of it, in the order of their time.
    pub needed: Vec<KitchenPart>,
    /// All of that together; empty: nothing is needed.
    pub need: String,
    /// What is there and counts, together; empty: nothing.
    pub there: String,
    /// Where it is, and what does not count.
    pub sources: Vec<KitchenSource>,
    /// What each dish may count on of what is there or comes.
    pub reserved: Vec<KitchenPart>,
    /// What is on its way.
    pub coming: Vec<KitchenWay>,
    /// All of that together; empty: nothing.
    pub way: String,
    /// What has to stay; empty: nothing.
    pub keep: String,
    /// What is missing; empty: nothing.
    pub missing: String,
    /// What is ordered; empty: nothing.
    pub order: String,
    /// When it has to be there.
    pub by: Option<Timestamp>,
    /// What becomes of it.
    pub decision: KitchenDecision,
    /// What is taken for it: `1 × Milk, 1 l`; empty: nothing was chosen.
    pub goods: String,
    /// What that costs.
    pub price: Option<Money>,
    /// How much more than ordered that holds; empty: nothing.
    pub over: String,
}

/// A place that tells an amount, and nobody knows of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitchenPlace {
    /// The twin.
    pub twin: TwinId,
    /// Its feature.
    pub feature: FeatureId,
    /// What people call it.
    pub name: String,
    /// How much it tells.
    pub amount: String,
}

/// A line of a purchase of which nobody knows where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitchenLost {
    /// The purchase.
    pub purchase: PurchaseId,
    /// Its line.
    pub line: LineId,
    /// What it is.
    pub name: String,
}

/// Somebody who sells food.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitchenSupplier {
    /// The system.
    pub system: SystemId,
    /// What people call it.
    pub name: String,
    /// Whether its services may be used.
    pub agreed: bool,
    /// Why nothing can be ordered there now, for a person; none: it can.
    pub why_not: Option<String>,
}

/// A recipe that somebody else has, as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitchenOffered {
    /// What it is called.
    pub name: String,
    /// What is said of it.
    pub description: String,
    /// What [`Cook::Import`] takes in.
    pub text: String,
    /// Whether a recipe of that name was taken in already.
    pub taken: bool,
}

/// Somebody who has recipes for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitchenCook {
    /// The system.
    pub system: SystemId,
    /// What people call it.
    pub name: String,
    /// Whether it may be asked.
    pub agreed: bool,
    /// Whether an answer is waited for.
    pub asking: bool,
    /// What it told; none: it was not asked yet.
    pub recipes: Option<Vec<KitchenOffered>>,
    /// Why it cannot be asked, or did not answer, for a person; none: it can, and did.
    pub problem: Option<String>,
}

/// Goods that are to be ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitchenGoods {
    /// What they are and how many: `2 × Milk, 1 l`.
    pub words: String,
    /// What they cost.
    pub price: Money,
}

/// What is to be ordered at one supplier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitchenOrder {
    /// The supplier.
    pub system: SystemId,
    /// What people call it.
    pub name: String,
    /// How far away it is, in metres, where that is known.
    pub distance_m: Option<u64>,
    /// The goods.
    pub goods: Vec<KitchenGoods>,
    /// What delivering costs.
    pub delivery: Money,
    /// It comes not before, and not after.
    pub between: (Timestamp, Timestamp),
    /// What all of it costs, as far as the supplier's prices are known: its cart says it exactly.
    pub total: Money,
    /// What it costs at most once goods are weighed; the same where none is.
    pub at_most: Money,
    /// Whether all of it is in the supplier's cart already.
    pub in_cart: bool,
}

/// The kitchen as the plugin that cooks knows it.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct KitchenView {
    /// What can be cooked, by name.
    pub recipes: Vec<KitchenRecipe>,
    /// How other things are made.
    pub instructions: Vec<KitchenInstructions>,
    /// What is planned, in the order of its time.
    pub dishes: Vec<KitchenDish>,
    /// Foods: first those that dishes need, then what else is there.
    pub foods: Vec<KitchenFood>,
    /// Places that tell an amount, and nobody knows of what.
    pub places: Vec<KitchenPlace>,
    /// Deliveries that nobody has put away.
    pub lost: Vec<KitchenLost>,
    /// What should have come more than a day ago.
    pub overdue: Vec<KitchenLost>,
    /// Purchases of which food was delivered that is not put away, as far as anybody told.
    pub at_door: BTreeSet<PurchaseId>,
    /// Who sells food.
    pub suppliers: Vec<KitchenSupplier>,
    /// The address of the page that is being read.
    pub reading: Option<String>,
    /// Who has recipes for others, as far as it is known.
    pub cooks: Vec<KitchenCook>,
    /// What is to be ordered, and where.
    pub orders: Vec<KitchenOrder>,
    /// Why nothing can be ordered, for a person; none: it can.
    pub not_ready: Option<String>,
    /// Whether what no dish insists on is bought, too.
    pub buy_optional: bool,
    /// The enabler's time when this was reckoned; none: it was not reached, and nothing was.
    pub now: Option<Timestamp>,
    /// What was asked for last and cannot be done.
    pub problem: Option<String>,
}

pub(crate) fn register(app: &mut App) {
    app.init_resource::<KitchenView>().add_message::<Cook>().add_message::<FoodDelivered>();
}
