//! Somebody lends a part of their rights to a guest, who uses it: two clients without a screen, pressed by their own buttons,
//! and the enabler that signs, judges and ends.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use bevy::{ecs::message::MessageCursor, prelude::*, ui_widgets::Activate, window::FileDragAndDrop};
use vestibule_hud::{HudAction, HudPlugin, HudWindow, LendField, PrepareLoan, TokenFiles, find_button, hud_texts};
use vestibule_model::{CommandStatus, Refusal, RefusalCode, TwinId};
use vestibule_plugin_enabler::EnablerPlugin;
use vestibule_twin::{
    ActuateTwin, ActuationRefused, ActuationTicket, KnownLending, Twin, TwinActuated, TwinDescription, TwinRoot,
    model::{ActionId, FeatureId},
};

use crate::{enabler::Enabler, examples::home};

const SOON: Duration = Duration::from_secs(40);

fn front_door() -> TwinId {
    TwinId::new("home/front_door").unwrap()
}

/// A client without a screen.
struct Client {
    app: App,
    data: PathBuf,
    refused: MessageCursor<ActuationRefused>,
    actuated: MessageCursor<TwinActuated>,
}

impl Client {
    fn new(enabler: &Enabler, role: &str, data: &Path) -> Self {
        let connection = vestibule::connect(&enabler.address, Some(&enabler.code(role)), data).unwrap();
        let mut client = Self::started(data, [data.as_os_str().len() as u8; 16]);
        client.app.world_mut().spawn(connection);
        client.until("the front door", |app| knows(app).then_some(()));
        client
    }

    /// Another start of a client that was paired before.
    fn again(enabler: &Enabler, data: &Path) -> Self {
        let connection = vestibule::connect(&enabler.address, None, data).unwrap();
        let mut client = Self::started(data, [200; 16]);
        client.app.world_mut().spawn(connection);
        client
    }

    fn started(data: &Path, key_seed: [u8; 16]) -> Self {
        let mut app = App::new();
        let (outgoing, held) = (data.join("tokens"), data.join("borrowed.toml"));
        app.insert_resource(TokenFiles { outgoing, held, home: None });
        app.add_plugins((MinimalPlugins, EnablerPlugin { key_seed, ..EnablerPlugin::default() }, HudPlugin));
        let (refused, actuated) = Default::default();
        Self { app, data: data.to_owned(), refused, actuated }
    }

    #[track_caller]
    fn until<T>(&mut self, what: &str, mut found: impl FnMut(&mut App) -> Option<T>) -> T {
        let end = Instant::now() + SOON;
        loop {
            self.app.update();
            if let Some(found) = found(&mut self.app) {
                return found;
            }
            assert!(Instant::now() < end, "{what} did not come; the screen says {:#?}", hud_texts(self.app.world()));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[track_caller]
    fn reads(&mut self, text: &str) {
        self.until(text, |app| hud_texts(app.world()).iter().any(|line| line.contains(text)).then_some(()));
    }

    /// Presses a button as soon as it can be pressed.
    #[track_caller]
    fn press(&mut self, label: &str) {
        let enabled = |app: &App, entity| app.world().get::<bevy::ui::InteractionDisabled>(entity).is_none();
        let entity = self.until(label, |app| find_button(app.world(), label).filter(|entity| enabled(app, *entity)));
        self.app.world_mut().trigger(Activate { entity });
        self.app.update();
    }

    fn act(&mut self, action: HudAction) {
        self.app.world_mut().write_message(action);
        self.app.update();
    }

    fn features(&mut self) -> Vec<String> {
        let app = &mut self.app;
        let mut twins = app.world_mut().query_filtered::<(&Twin, &TwinDescription), With<TwinRoot>>();
        let door = twins.iter(app.world()).find(|(twin, _)| twin.0 == front_door());
        let acts = door.into_iter().flat_map(|(_, info)| &info.0.features);
        acts.flat_map(|(feature, about)| about.actions.keys().map(move |action| format!("{feature}.{action}")))
            .collect()
    }

    /// Asks the enabler itself, whatever the screen offers; the refusal.
    fn refusal(&mut self, feature: &str, action: &str) -> Refusal {
        self.app.world_mut().write_message(ActuateTwin {
            ticket: ActuationTicket(9_000),
            twin: front_door(),
            feature: FeatureId::slug(feature),
            action: ActionId::slug(action),
            input: None,
            valid_for_ms: Some(20_000),
        });
        let mut cursor = std::mem::take(&mut self.refused);
        let refusal = self.until("a refusal", |app| {
            let messages = app.world().resource::<Messages<ActuationRefused>>();
            cursor.read(messages).last().map(|refused| refused.refusal.clone())
        });
        self.refused = cursor;
        refusal
    }

    fn confirmed(&mut self) {
        let mut cursor = std::mem::take(&mut self.actuated);
        let end = self.until("a command's end", |app| {
            let messages = app.world().resource::<Messages<TwinActuated>>();
            cursor.read(messages).map(|told| told.status.clone()).find(CommandStatus::is_final)
        });
        self.actuated = cursor;
        assert_eq!(end, CommandStatus::Confirmed);
    }
}

fn knows(app: &mut App) -> bool {
    let mut twins = app.world_mut().query_filtered::<&Twin, With<TwinRoot>>();
    twins.iter(app.world()).any(|twin| twin.0 == front_door())
}

#[test]
fn what_is_lent_is_used_within_its_limits_until_it_is_taken_back() {
    let (_home, enabler) = home();
    let (owners, guests) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut owner = Client::new(&enabler, "owner", owners.path());
    let mut guest = Client::new(&enabler, "guest", guests.path());
    assert!(guest.features().is_empty(), "a guest may look: {:?}", guest.features());
    let before = guest.refusal("door", "open");
    assert_eq!((before.code, before.rule), (RefusalCode::Forbidden, None), "no rule allows it");

    // The owner lends: from the card, by its buttons.
    owner.act(HudAction::OpenCard(front_door()));
    owner.press("Lend ...");
    owner.reads("What may they do?");
    owner.act(HudAction::PrepareLoan(PrepareLoan::Switch(FeatureId::slug("door"), ActionId::slug("open"))));
    owner.act(HudAction::PrepareLoan(PrepareLoan::To("postman".to_owned())));
    owner.press("10 minutes");
    owner.press("Lend");
    owner.press("Press again to lend");
    owner.reads("For postman: give them this token");
    owner.reads("postman may see and open Front door");
    let file = owner.data.join("tokens/front_door-for-postman.token");
    assert!(file.is_file(), "{:#?}", hud_texts(owner.app.world()));

    // The guest gets the file, and may do what it gives, and is told why.
    let window = Entity::PLACEHOLDER;
    guest.app.world_mut().write_message(FileDragAndDrop::DroppedFile { window, path_buf: file.clone() });
    guest.reads("lets you see and open Front door");
    guest.until("the right to open", |app| {
        let held = app.world().resource::<KnownLending>().held.len();
        (held == 1).then_some(())
    });
    guest.act(HudAction::CloseWindow);
    guest.act(HudAction::OpenCard(front_door()));
    guest.reads("lent to you by");
    assert_eq!(guest.features(), ["door.open"], "the world is shaped by it");
    guest.press("Open");
    guest.confirmed();

    // Not more than that.
    for (feature, action) in [("door", "close"), ("lock", "unlock")] {
        let refusal = guest.refusal(feature, action);
        assert_eq!(refusal.code, RefusalCode::Forbidden, "{refusal}");
        let rule = refusal.rule.as_ref().map(|rule| rule.as_str().starts_with("token:"));
        assert!(rule == Some(true) && refusal.message.contains("does not go so far"), "{refusal:?}");
    }

    // Another start of the client has it still.
    drop(guest);
    let mut guest = Client::again(&enabler, guests.path());
    guest.act(HudAction::Open(HudWindow::Lending));
    guest.reads("lets you see and open Front door");
    guest.until("the right to open", |app| knows(app).then_some(()));

    // Taken back, it ends at once.
    owner.press("Take back");
    owner.press("Press again to take back");
    guest.reads("was revoked");
    owner.reads("Nothing.");
    let end = Instant::now() + SOON;
    while !guest.features().is_empty() {
        guest.app.update();
        assert!(Instant::now() < end, "{:?}", guest.features());
    }
    assert_eq!(guest.refusal("door", "open").code, RefusalCode::Forbidden);
    guest.act(HudAction::PrepareLoan(PrepareLoan::Write(LendField::Token)));
    guest.app.world_mut().write_message(FileDragAndDrop::DroppedFile { window, path_buf: file });
    guest.reads("It cannot be used: this token of");
    enabler.verify();
}
