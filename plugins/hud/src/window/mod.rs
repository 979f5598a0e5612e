//! Windows: designing beside the world, and those that have all the attention: help, catalogue, all devices, systems and their services, people, what is lent, the shop and orders,
//! what happened step by step, a twin's past, settings, past notifications.

mod capture;
mod catalogue;
mod design;
mod devices;
mod help;
mod kitchen;
mod lend;
mod orders;
mod past;
mod people;
mod procedures;
mod services;
mod settings;
mod shop;
mod systems;

use bevy::prelude::*;
use vestibule_input::{Attention, Control, Controls, KeyBindings};
use vestibule_twin::{
    AddressBook, Catalogue, DesignView, DiscoverSystems, EnablerClock, EnablerLink, FollowProcedures, HeldFurniture,
    HoldFurniture, IntegrateTwin, KeepingProducts, KitchenView, KnownLending, KnownPeople, KnownPurchases,
    KnownServices, KnownSystems, LookBack, ManagePeople, Procedures, Shop, ShopView, TwinPast, UseServices,
    model::{Timestamp, TwinId},
};

use crate::{
    action::{HudAction, HudWindow, LineField, PrepareShop},
    card::{CardPin, CardShown},
    clipboard::Clipboard,
    el::El,
    interact::Dragging,
    moment::Zone,
    notice::{self, Notices},
    render::{Screen, Surface},
    settings::Settings,
    style,
    widgets::{self, Tone},
};
pub(crate) use capture::{Capturing, capture};
#[cfg(test)]
pub(crate) use design::tests::shelf as designed;
pub(crate) use design::{
    DesignLine, WIDTH as DESIGN_WIDTH, act as design, attend as attend_design, keys as design_keys,
};
#[cfg(test)]
pub(crate) use kitchen::tests::kitchen as cooked;
pub(crate) use kitchen::{KitchenDesk, act as cook};
pub use kitchen::{KitchenField, KitchenPage, PrepareKitchen};
pub use lend::TokenFiles;
pub(crate) use lend::{
    LoanDesk, act as lend, begin as lend_kept, drop_in, keep as keep_tokens, span as lent_for, tell as tell_lent,
};
pub(crate) use services::{Desk, act as serve, tell, told};
#[cfg(test)]
pub(crate) use shop::tests::{bought, full as shopped};
pub(crate) use shop::{ShopDesk, act as shop, leave as leave_shop};

/// The window that is open.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub(crate) struct OpenWindow {
    window: Option<HudWindow>,
    /// What had the attention before.
    before: Attention,
    /// The twin that the person was at when they opened it.
    about: Option<TwinId>,
    /// What one more press does.
    confirming: Option<HudAction>,
}

impl OpenWindow {
    pub(crate) const fn get(&self) -> Option<HudWindow> {
        self.window
    }

    fn open(&mut self, wanted: HudWindow, attention: Attention) {
        if self.window.is_none() {
            self.before = attention;
        }
        self.window = Some(wanted);
    }

    /// Nothing is open any more, and the attention goes elsewhere than before.
    fn leave(&mut self) {
        self.window = None;
    }

    #[cfg(test)]
    fn of(window: HudWindow) -> Self {
        Self { window: Some(window), ..Self::default() }
    }

    /// How many buttons stand beside each other, for the arrow keys.
    pub(crate) const fn columns(&self) -> usize {
        if matches!(self.window, Some(HudWindow::Catalogue)) { catalogue::COLUMNS } else { 1 }
    }
}

/// Opens and closes by keys.
pub(crate) fn keys(
    controls: Controls<'_>,
    capturing: Res<Capturing>,
    (window, pin, card, held): (Res<OpenWindow>, Res<CardPin>, Res<CardShown>, Res<HeldFurniture>),
    designed: Res<DesignView>,
    attention: Res<State<Attention>>,
    mut next: ResMut<NextState<Attention>>,
    mut actions: MessageWriter<HudAction>,
) {
    if capturing.is_active() {
        return;
    }
    let windows = [
        (Control::Help, HudWindow::Help),
        (Control::Catalogue, HudWindow::Catalogue),
        (Control::Devices, HudWindow::Devices),
        (Control::Systems, HudWindow::Systems),
        (Control::Procedures, HudWindow::Procedures),
        (Control::People, HudWindow::People),
        (Control::Lend, HudWindow::Lending),
        (Control::Design, HudWindow::Design),
        (Control::Kitchen, HudWindow::Kitchen),
        (Control::Shop, HudWindow::Shop),
        (Control::Settings, HudWindow::Settings),
    ];
    if controls.just_pressed(Control::Past) {
        match (window.get(), &card.0) {
            (Some(HudWindow::Past), _) => drop(actions.write(HudAction::CloseWindow)),
            (None, Some(twin)) => drop(actions.write(HudAction::LookBack(LookBack::Open(twin.clone())))),
            _ => {}
        }
    }
    for (control, wanted) in windows {
        if controls.just_pressed(control) {
            let open = window.get() == Some(wanted);
            actions.write(if open { HudAction::CloseWindow } else { HudAction::Open(wanted) });
        }
    }
    if controls.just_pressed(Control::Cancel) {
        match (window.get(), pin.is_pinned(), held.model.is_some()) {
            // The hand lets go of what it draws.
            (Some(HudWindow::Design), ..) if designed.held.is_some() => {}
            (Some(_), ..) => {
                actions.write(HudAction::CloseWindow);
            }
            (None, true, _) => {
                actions.write(HudAction::CloseCard);
            }
            // Whoever put it into the hand takes it out of it.
            (None, false, true) => {}
            (None, false, false) => next.set(other(*attention.get())),
        }
    } else if controls.just_pressed(Control::Pointer) && matches!(window.get(), None | Some(HudWindow::Design)) {
        next.set(other(*attention.get()));
    }
}

const fn other(attention: Attention) -> Attention {
    match attention {
        Attention::Walk => Attention::Point,
        Attention::Point | Attention::Panel => Attention::Walk,
    }
}

/// Opens and closes, gives the attention to the window and back, passes on what was chosen from the catalogue.
pub(crate) fn act(
    mut actions: MessageReader<HudAction>,
    attention: Res<State<Attention>>,
    mut next: ResMut<NextState<Attention>>,
    (mut window, card): (ResMut<OpenWindow>, Res<CardShown>),
    mut holds: MessageWriter<HoldFurniture>,
    (mut people, mut turns): (MessageWriter<ManagePeople>, MessageWriter<IntegrateTwin>),
    mut past: MessageWriter<LookBack>,
) {
    for action in actions.read() {
        if window.confirming.is_some() {
            window.confirming = None;
        }
        match action {
            HudAction::Open(wanted) => {
                window.about = card.0.clone().or_else(|| window.about.take());
                window.open(*wanted, *attention.get());
                // One walks around what one designs, and draws it by its handles.
                next.set(if *wanted == HudWindow::Design { Attention::Point } else { Attention::Panel });
            }
            HudAction::LookBack(wish) => {
                if let LookBack::Open(twin) = wish {
                    window.about = Some(twin.clone());
                    window.open(HudWindow::Past, *attention.get());
                    next.set(Attention::Panel);
                }
                past.write(wish.clone());
            }
            HudAction::PrepareShop(PrepareShop::OrderDesign | PrepareShop::Cart(_) | PrepareShop::Find(_)) => {
                window.open(HudWindow::Shop, *attention.get());
                next.set(Attention::Panel);
            }
            HudAction::CloseWindow if window.window.is_some() => {
                window.window = None;
                next.set(window.before);
            }
            // The card of a request is more urgent than a window.
            HudAction::OpenCard(_) if window.window.is_some() => {
                window.window = None;
                next.set(Attention::Point);
            }
            HudAction::Hold(model) => {
                holds.write(HoldFurniture { model: model.clone() });
                window.window = None;
                // Furniture is put where one looks.
                next.set(Attention::Walk);
            }
            HudAction::People(wish) => drop(people.write(wish.clone())),
            HudAction::Integrate(wish) => drop(turns.write(wish.clone())),
            HudAction::Confirm(wish) => window.confirming = Some(wish.as_ref().clone()),
            _ => {}
        }
    }
}

/// Asks the enabler for what an open window shows, and no longer than it is open. After a lost connection: anew.
pub(crate) fn ask(
    (window, link): (Res<OpenWindow>, Res<EnablerLink>),
    mut asked: Local<Option<HudWindow>>,
    mut discover: MessageWriter<DiscoverSystems>,
    mut follow: MessageWriter<FollowProcedures>,
    (mut people, mut services): (MessageWriter<ManagePeople>, MessageWriter<UseServices>),
    (past, mut look_back, mut shop): (Res<TwinPast>, MessageWriter<LookBack>, MessageWriter<Shop>),
) {
    let connected = link.state.is_connected();
    let now = window.get().filter(|_| connected);
    if now == *asked {
        return;
    }
    if *asked == Some(HudWindow::Procedures) && connected {
        follow.write(FollowProcedures(false));
    }
    match now {
        Some(HudWindow::Systems) => {
            discover.write(DiscoverSystems::default());
            services.write(UseServices::Look);
        }
        // Opened over a link that was lost: what was asked had no answer.
        Some(HudWindow::Past) if past.moment.is_none() && past.problem.is_some() => {
            look_back.write_batch(past.twin.clone().map(LookBack::Open));
        }
        Some(HudWindow::Shop) => drop(shop.write(Shop::Look)),
        Some(HudWindow::Procedures) => drop(follow.write(FollowProcedures(true))),
        Some(HudWindow::People | HudWindow::Lending) => drop(people.write(ManagePeople::Look)),
        _ => {}
    }
    *asked = now;
}

/// What the windows read.
#[derive(bevy::ecs::system::SystemParam)]
pub(crate) struct Shown<'w, 's> {
    keys: Res<'w, KeyBindings>,
    settings: Res<'w, Settings>,
    capturing: Res<'w, Capturing>,
    dragging: Res<'w, Dragging>,
    catalogue: Res<'w, Catalogue>,
    held: Res<'w, HeldFurniture>,
    notices: Res<'w, Notices>,
    link: Res<'w, EnablerLink>,
    systems: Res<'w, KnownSystems>,
    procedures: Res<'w, Procedures>,
    people: Res<'w, KnownPeople>,
    services: Res<'w, KnownServices>,
    desk: Res<'w, Desk>,
    lending: Res<'w, KnownLending>,
    loan: Res<'w, LoanDesk>,
    clipboard: Option<Res<'w, Clipboard>>,
    past: Res<'w, TwinPast>,
    designed: Res<'w, DesignView>,
    kitchen: Res<'w, KitchenView>,
    pots: Res<'w, KitchenDesk>,
    shop: Res<'w, ShopView>,
    bought: Res<'w, KnownPurchases>,
    keeping: Res<'w, KeepingProducts>,
    addresses: Res<'w, AddressBook>,
    shop_desk: Res<'w, ShopDesk>,
    files: Option<Res<'w, TokenFiles>>,
    clock: Res<'w, EnablerClock>,
    zone: Res<'w, Zone>,
    time: Res<'w, Time<Real>>,
    assets: Option<Res<'w, AssetServer>>,
    devices: devices::Devices<'w, 's>,
}

impl Shown<'_, '_> {
    fn systems(&self, window: &OpenWindow) -> El {
        let name = |twin: &TwinId| self.devices.name(twin);
        let room = services::Room {
            connected: self.link.state.is_connected(),
            known: &self.services,
            desk: &self.desk,
            clock: *self.clock,
            now: self.time.elapsed_secs_f64(),
            about: window.about.clone(),
            name: &name,
            line: self.capturing.line().and_then(|(field, line)| match field {
                LineField::Service(field) => Some((field, line)),
                _ => None,
            }),
            drag: self.dragging.0.as_ref(),
            confirming: window.confirming.as_ref(),
        };
        systems::window(&self.systems, &room, &self.keys)
    }

    fn lending(&self, window: &OpenWindow) -> El {
        let name = |twin: &TwinId| self.devices.name(twin);
        let counter = lend::Counter {
            connected: self.link.state.is_connected(),
            people: &self.people,
            known: &self.lending,
            desk: &self.loan,
            clock: *self.clock,
            now: self.time.elapsed_secs_f64(),
            about: window.about.as_ref().and_then(|twin| self.devices.about(twin)),
            name: &name,
            line: self.capturing.line().and_then(|(field, line)| match field {
                LineField::Lend(field) => Some((*field, line)),
                _ => None,
            }),
            clipboard: self.clipboard.is_some(),
            confirming: window.confirming.as_ref(),
        };
        lend::window(&counter, &self.keys)
    }

    fn design(&self, window: &OpenWindow) -> El {
        let table = design::Table {
            view: &self.designed,
            line: self.capturing.line().and_then(|(field, line)| match field {
                LineField::Design(field) => Some((field.as_str(), line)),
                _ => None,
            }),
            drag: self.dragging.0.as_ref(),
            confirming: window.confirming.as_ref(),
            assets: self.assets.as_deref(),
        };
        design::window(&table, &self.keys)
    }

    fn kitchen(&self) -> El {
        let counter = kitchen::Counter {
            view: &self.kitchen,
            desk: &self.pots,
            line: self.capturing.line().and_then(|(field, line)| match field {
                LineField::Kitchen(field) => Some((field, line)),
                _ => None,
            }),
            zone: &self.zone,
            clipboard: self.clipboard.is_some(),
        };
        kitchen::window(&counter, &self.keys)
    }

    fn shop(&self, window: &OpenWindow) -> El {
        let counter = shop::Counter {
            connected: self.link.state.is_connected(),
            view: &self.shop,
            purchases: &self.bought,
            products: self.devices.products(&self.bought),
            keeping: &self.keeping,
            addresses: &self.addresses,
            designed: &self.designed,
            desk: &self.shop_desk,
            line: self.capturing.line().and_then(|(field, line)| match field {
                LineField::Shop(field) => Some((*field, line)),
                _ => None,
            }),
            confirming: window.confirming.as_ref(),
            zone: &self.zone,
            now: self.clock.at(self.time.elapsed_secs_f64()).unwrap_or(Timestamp(0)),
            out: (self.clipboard.is_some(), self.files.is_some()),
        };
        shop::window(&counter, &self.keys)
    }

    fn past(&self, window: &OpenWindow) -> El {
        let twin = self.past.twin.as_ref().or(window.about.as_ref());
        let name = twin.and_then(|twin| self.devices.name(twin).or_else(|| Some(twin.to_string())));
        let view = past::View {
            past: &self.past,
            name,
            connected: self.link.state.is_connected(),
            zone: &self.zone,
            drag: self.dragging.0.as_ref(),
        };
        past::window(&view, &self.keys)
    }
}

/// Shows the open window.
pub(crate) fn show(window: Res<OpenWindow>, shown: Shown<'_, '_>, mut screen: ResMut<Screen>) {
    let Some(open) = window.get() else {
        screen.show(Surface::Window, Vec::new());
        return;
    };
    let panel = match open {
        HudWindow::Help => help::window(&shown.keys),
        HudWindow::Catalogue => catalogue::window(&shown.catalogue, &shown.held, &shown.keys, shown.assets.as_deref()),
        HudWindow::Settings => {
            settings::window(&shown.settings, &shown.keys, &shown.capturing, shown.dragging.0.as_ref())
        }
        HudWindow::Devices => devices::window(&shown.devices, &shown.keys, shown.time.elapsed_secs_f64()),
        HudWindow::Systems => shown.systems(&window),
        HudWindow::Past => shown.past(&window),
        HudWindow::Design => {
            screen.show(Surface::Window, vec![shown.design(&window)]);
            return;
        }
        HudWindow::Lending => shown.lending(&window),
        HudWindow::Kitchen => shown.kitchen(),
        HudWindow::Shop => shown.shop(&window),
        HudWindow::Procedures => procedures::window(&shown.procedures, shown.link.state.is_connected(), &shown.keys),
        HudWindow::People => {
            let about = window.about.clone().and_then(|twin| shown.devices.name(&twin).map(|name| (twin, name)));
            let (connected, now) = (shown.link.state.is_connected(), shown.time.elapsed_secs_f64());
            let (clock, confirming) = (*shown.clock, window.confirming.as_ref());
            let around = people::Around { connected, now, clock, about, confirming };
            people::window(&shown.people, &around, &shown.keys)
        }
        HudWindow::History => history(&shown.notices, &shown.keys, shown.time.elapsed_secs_f64()),
    };
    let shade = El::new("window")
        .node(|node| {
            node.width = percent(100);
            node.height = percent(100);
            node.flex_direction = FlexDirection::Column;
            node.row_gap = px(style::GAP);
            node.padding = UiRect::axes(px(0), px(style::EDGE));
            node.align_items = AlignItems::Center;
            node.justify_content = JustifyContent::Center;
        })
        .fill(style::SHADE)
        .with_all(notice::request_line(&shown.notices, &shown.keys))
        .with(panel);
    screen.show(Surface::Window, vec![shade]);
}

/// A window: its title, how to close it, what it holds.
fn frame(name: &'static str, title: impl Into<String>, close: &str, width: f32, body: El) -> El {
    let press = widgets::press("Close", HudAction::CloseWindow);
    let head = El::row("window.head", style::GAP)
        .node(|node| node.flex_shrink = 0.0)
        .with(widgets::title("window.title", title))
        .with(widgets::spring())
        .with(widgets::button("window.close", press, Some(close), Tone::Plain));
    widgets::panel(name)
        .node(|node| {
            node.width = px(width);
            node.max_width = percent(94);
            node.max_height = percent(100);
            node.min_height = px(0);
            node.flex_shrink = 1.0;
            node.row_gap = px(12);
        })
        .with(head)
        .with(body)
}

/// A button that has to be pressed twice; `labels` are those of the first press and of the second.
fn careful(
    key: &'static str,
    (label, again): (&str, &str),
    does: HudAction,
    confirming: Option<&HudAction>,
    enabled: bool,
) -> El {
    let sure = confirming == Some(&does);
    let (label, action) = if sure { (again, does) } else { (label, HudAction::Confirm(Box::new(does))) };
    let mut press = widgets::press(label, action);
    press.enabled = enabled;
    widgets::button(key, press, None, if sure { Tone::Main } else { Tone::Plain })
}

fn history(notices: &Notices, keys: &KeyBindings, now: f64) -> El {
    let mut body = widgets::scroll("history.list", 10.0);
    body.children.extend(notices.past().map(|past| notice::line(past, now)));
    if body.children.is_empty() {
        body.children.push(El::small("history.empty", "Nothing has been told yet."));
    }
    frame("history", "Notifications", &keys.label(Control::Cancel), 520.0, body)
}
