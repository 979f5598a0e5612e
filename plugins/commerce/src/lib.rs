//! Buying: goods of merchants and things made to one's own design, from the first look to the click that costs money.
//!
//! **Does**: follows what people ask for ([`Shop`]); looks for goods at every merchant that is agreed with; has the open
//! design written ([`PackageDesign`]), given and quoted; lets a manufacturer see a free place that a twin has measured, where
//! the person says so, while it works out that one price (FGMV-29 P1.15); keeps one cart for each merchant, in step with the merchant's
//! checkout (Universal Commerce Protocol, over the enabler's services); gives documents about the person apart from the
//! calls that name them; confirms exactly the total that was shown; says all of it in [`ShopView`], and tells how far
//! purchases are.
//!
//! **Does not**: talk to an enabler or a merchant, draw windows, keep addresses in a file, know how designs are made, follow
//! an order (the enabler does), move money.
//!
//! ```
//! use bevy::prelude::*;
//! use vestibule_plugin_commerce::CommercePlugin;
//! use vestibule_twin::{Shop, ShopView};
//!
//! let mut app = App::new();
//! app.add_plugins((MinimalPlugins, CommercePlugin { seed: [7; 16] }));
//! app.world_mut().write_message(Shop::Search("lamp".to_owned()));
//! app.update();
//! let problem = app.world().resource::<ShopView>().problem.clone();
//! assert_eq!(problem.as_deref(), Some("No shop is agreed with yet."));
//! ```

mod cart;
mod desk;
mod glance;
mod ids;
mod news;
mod person;
mod quote;
mod read;
mod telling;
#[cfg(test)]
mod testing;

use std::collections::BTreeMap;

use bevy::{ecs::system::SystemParam, prelude::*};
use vestibule_model::{PurchaseId, ServiceId};
use vestibule_twin::{
    AddressBook, DesignPackaged, DiscoverSystems, EnablerClock, EnablerLink, KnownPurchases, KnownServices,
    KnownSystems, ManagePurchases, Notify, PackageDesign, Shop, ShopView, TwinDescription, TwinRoot, UseServices,
    ensure_twin_plugin,
};

use desk::{Around, Desk, Effect};
use glance::Measuring;

/// When wishes are followed, in [`Update`]. Send them before, read [`ShopView`] after.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommerceSystems;

/// Buying.
#[derive(Clone, Copy, Debug, Default)]
pub struct CommercePlugin {
    /// 16 bytes that no other run has: names of calls and purchases, and salts, are made from them. The client passes
    /// random ones; the default is all zero, for tests.
    pub seed: [u8; 16],
}

impl Plugin for CommercePlugin {
    fn build(&self, app: &mut App) {
        ensure_twin_plugin(app);
        app.insert_resource(Desk::new(self.seed))
            .add_systems(Update, (begin, follow, show, tell).chain().in_set(CommerceSystems));
    }
}

/// What is known around the desk.
#[derive(SystemParam)]
struct Known<'w, 's> {
    link: Res<'w, EnablerLink>,
    systems: Res<'w, KnownSystems>,
    services: Res<'w, KnownServices>,
    purchases: Res<'w, KnownPurchases>,
    addresses: Res<'w, AddressBook>,
    clock: Res<'w, EnablerClock>,
    time: Res<'w, Time<Real>>,
    twins: Query<'w, 's, &'static TwinDescription, With<TwinRoot>>,
}

impl Known<'_, '_> {
    /// Twins that have measured a free place, always in the same order.
    fn places(&self) -> Vec<Measuring> {
        let mut places: Vec<_> = self.twins.iter().filter_map(|twin| glance::measuring(&twin.0)).collect();
        places.sort_by(|one, other| one.twin.cmp(&other.twin));
        places
    }

    fn around<'a>(&'a self, places: &'a [Measuring]) -> Around<'a> {
        Around {
            connected: self.link.state.is_connected(),
            enabler: &self.link.name,
            places,
            systems: &self.systems,
            services: &self.services,
            purchases: &self.purchases,
            addresses: &self.addresses,
            now: self.clock.at(self.time.elapsed_secs_f64()),
        }
    }

    fn has_changed(&self) -> bool {
        self.link.is_changed()
            || self.systems.is_changed()
            || self.services.is_changed()
            || self.purchases.is_changed()
            || self.addresses.is_changed()
    }
}

/// Where effects go.
#[derive(SystemParam)]
struct Out<'w> {
    discover: MessageWriter<'w, DiscoverSystems>,
    services: MessageWriter<'w, UseServices>,
    purchases: MessageWriter<'w, ManagePurchases>,
    package: MessageWriter<'w, PackageDesign>,
}

impl Out<'_> {
    fn send(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Discover => drop(self.discover.write(DiscoverSystems::default())),
                Effect::Use(wish) => drop(self.services.write(wish)),
                Effect::Call { call, system, service, input } => {
                    let service = ServiceId::slug(service);
                    self.services.write(UseServices::CallAs { call, system, service, input });
                }
                Effect::Manage(wish) => drop(self.purchases.write(wish)),
                Effect::Package => drop(self.package.write(PackageDesign)),
            }
        }
    }
}

/// Each new connection is asked for purchases: they go on without this program.
fn begin(link: Res<EnablerLink>, mut was: Local<bool>, mut purchases: MessageWriter<ManagePurchases>) {
    let connected = link.state.is_connected();
    if connected && !*was {
        purchases.write(ManagePurchases::Look);
    }
    *was = connected;
}

/// Follows wishes and answers.
fn follow(
    mut wishes: MessageReader<Shop>,
    mut packed: MessageReader<DesignPackaged>,
    (known, mut desk, mut out): (Known<'_, '_>, ResMut<Desk>, Out<'_>),
) {
    if !known.has_changed() && packed.is_empty() && wishes.is_empty() {
        return;
    }
    let places = known.places();
    let around = known.around(&places);
    if known.has_changed() {
        let effects = desk.follow(&around);
        out.send(effects);
    }
    for DesignPackaged(packed) in packed.read() {
        let effects = desk.packaged(packed, &around);
        out.send(effects);
    }
    for wish in wishes.read() {
        let effects = desk.wish(wish, &around);
        out.send(effects);
    }
}

/// Writes what screens read: when something came, and each second, since offers end.
fn show((known, desk): (Known<'_, '_>, Res<Desk>), mut second: Local<u64>, mut view: ResMut<ShopView>) {
    let now = known.time.elapsed().as_secs();
    if desk.is_changed() || known.has_changed() || *second != now {
        *second = now;
        view.set_if_neq(desk.view(&known.around(&known.places())));
    }
}

/// Tells how far purchases are.
fn tell(
    (known, systems): (Res<KnownPurchases>, Res<KnownSystems>),
    mut told: Local<Option<BTreeMap<PurchaseId, news::Step>>>,
    mut notify: MessageWriter<Notify>,
) {
    if !known.is_changed() || !known.complete && known.by_id.is_empty() {
        return;
    }
    let first = told.is_none();
    let told = told.get_or_insert_default();
    notify.write_batch(news::news(&known, &systems, told, first));
}
