//! The vocabulary that Vestibule's plugins share: components, messages and the index from twins to entities.
//!
//! **Does**: says which entity mirrors which digital twin ([`Twin`]), holds what is known of it ([`TwinDescription`],
//! [`TwinState`]), names what people ask for ([`ActuateTwin`], in the imperative) and what then happened
//! ([`TwinActuated`], [`ActuationRefused`], [`TwinOccurred`], in the past tense).
//!
//! **Does not**: talk to an enabler (that is `vestibule-plugin-enabler`), draw anything, read a clock.
//!
//! A game gives its own entity the component [`Twin`]; whichever plugin talks to the enabler keeps
//! [`TwinDescription`] and [`TwinState`] on every such entity, and spawns one of its own (with [`TwinRoot`]) for each
//! twin that the user may see.
//!
//! ```
//! use bevy_app::App;
//! use vestibule_model::TwinId;
//! use vestibule_twin::{Twin, TwinIndex, TwinPlugin};
//!
//! let mut app = App::new();
//! app.add_plugins(TwinPlugin);
//! let door = TwinId::new("home/front_door")?;
//! let entity = app.world_mut().spawn(Twin(door.clone())).id();
//! assert_eq!(app.world().resource::<TwinIndex>().get(&door), [entity]);
//! # Ok::<(), vestibule_model::IdError>(())
//! ```

mod commerce;
mod component;
mod design;
mod fit;
mod furniture;
mod index;
mod kitchen;
mod lend;
mod link;
mod message;
mod past;
mod people;
mod person;
mod products;
mod purchase;
mod put;
mod service;
mod system;
mod turn;

use bevy_app::{App, Plugin, PreUpdate};
use bevy_ecs::prelude::*;

pub use commerce::{
    AddressBook, AddressEntry, DesignPackage, DesignPackaged, PackageDesign, Shop, ShopCart, ShopDelivery, ShopGoods,
    ShopLine, ShopMerchant, ShopNote, ShopNoteKind, ShopQuote, ShopTold, ShopView,
};
pub use component::{
    FeatureRules, Reading, Twin, TwinAccess, TwinDescription, TwinPart, TwinRole, TwinRoot, TwinState,
};
pub use design::{
    AtDesign, DesignAxis, DesignChoice, DesignColour, DesignField, DesignFinding, DesignFormat, DesignHandle,
    DesignHeld, DesignMaterial, DesignPart, DesignTakes, DesignText, DesignView, EditDesign, RoomMeasure, RoomMeasures,
};
pub use fit::{ShopAsk, ShopFit};
pub use furniture::{
    CancelHeld, Catalogue, CatalogueEntry, FurnitureId, FurniturePlaced, FurnitureRefused, FurnitureRemoved,
    FurnitureSnap, HeldFurniture, HoldFurniture, PlaceHeld, RedoFurnishing, RemoveFurniture, TurnHeld, UndoFurnishing,
};
pub use index::TwinIndex;
pub use kitchen::{
    Cook, FoodDelivered, KitchenCook, KitchenDecision, KitchenDish, KitchenFood, KitchenGoods, KitchenInstructions,
    KitchenLost, KitchenMadePart, KitchenOffered, KitchenOrder, KitchenPart, KitchenPlace, KitchenRecipe,
    KitchenSource, KitchenSupplier, KitchenView, KitchenWay, OverruleFood, Readiness,
};
pub use lend::{EndedToken, HeldToken, KnownLending, KnownToken, LendRights, SignedToken, TokenText};
pub use link::{EnablerClock, EnablerLink, LinkState};
pub use message::{
    ActuateTwin, ActuationRefused, ActuationTicket, TwinActuated, TwinAppeared, TwinOccurred, TwinVanished,
};
pub use past::{LookBack, PastMoment, PastReading, TwinPast};
pub use people::{KnownDevice, KnownPeople, KnownUser, ManagePeople, ShownCode};
pub use person::{Notify, PointedTwin, TwinModel, TwinPicture, TwinPictures, Urgency};
pub use products::{ProductRow, design_model_key};
pub use purchase::{
    Given, Giving, KeepProduct, KeepStep, KeepingProducts, KnownPurchases, ManagePurchases, StopKeeping,
};
pub use put::PutAt;
pub use service::{KnownCall, KnownServices, UseServices};
pub use system::{DiscoverSystems, FollowProcedures, KnownSystem, KnownSystems, Procedures, StepTaken};
pub use turn::{IntegrateTwin, TwinTurn, TwinTurns};
pub use vestibule_model as model;

/// When the frame's news of twins is written and may be read.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TwinSystems {
    /// In [`PreUpdate`]: components are brought up to date and facts are sent. Read them after this set.
    Receive,
    /// In `PostUpdate`: requests of this frame leave. Send them before this set.
    Send,
}

/// Registers the vocabulary. Every plugin of Vestibule adds it where it is missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct TwinPlugin;

impl Plugin for TwinPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<TwinIndex>()
            .init_resource::<PointedTwin>()
            .init_resource::<EnablerLink>()
            .init_resource::<EnablerClock>()
            .init_resource::<KnownSystems>()
            .init_resource::<Procedures>()
            .init_resource::<KnownPeople>()
            .add_message::<ManagePeople>()
            .init_resource::<KnownLending>()
            .add_message::<LendRights>()
            .init_resource::<KnownServices>()
            .add_message::<UseServices>()
            .init_resource::<TwinPast>()
            .add_message::<LookBack>()
            .init_resource::<TwinTurns>()
            .add_message::<IntegrateTwin>()
            .add_message::<DiscoverSystems>()
            .add_message::<FollowProcedures>()
            .add_message::<Notify>()
            .add_message::<ActuateTwin>()
            .add_message::<TwinActuated>()
            .add_message::<ActuationRefused>()
            .add_message::<TwinOccurred>()
            .add_message::<TwinAppeared>()
            .add_message::<TwinVanished>()
            .configure_sets(PreUpdate, TwinSystems::Receive)
            .configure_sets(bevy_app::PostUpdate, TwinSystems::Send);
        commerce::register(app);
        design::register(app);
        furniture::register(app);
        index::register(app);
        kitchen::register(app);
        put::register(app);
    }

    fn is_unique(&self) -> bool {
        true
    }
}

/// Adds [`TwinPlugin`] unless it is there: for `build` of plugins that need it.
pub fn ensure_twin_plugin(app: &mut App) {
    if !app.is_plugin_added::<TwinPlugin>() {
        app.add_plugins(TwinPlugin);
    }
}
