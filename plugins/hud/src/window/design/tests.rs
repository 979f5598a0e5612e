use std::time::Duration;

use bevy::{
    input::{
        ButtonState,
        keyboard::{Key, KeyboardInput},
    },
    time::TimeUpdateStrategy,
    ui::InteractionDisabled,
    ui_widgets::Activate,
};
use vestibule_twin::{DesignChoice, DesignField, DesignFinding, DesignPart, DesignText};

use super::*;
use crate::{HudPlugin, find_button, find_named, hud_texts};

fn choice(id: &str, name: &str) -> DesignChoice {
    DesignChoice { id: id.to_owned(), name: name.to_owned(), picture: None }
}

/// A shelf that stands there, changed once.
pub(crate) fn shelf() -> DesignView {
    let width = DesignField {
        id: "width".to_owned(),
        label: "Width".to_owned(),
        value: 240.0,
        unit: "mm",
        least: 120.0,
        most: 800.0,
        step: 1.0,
        formula: None,
        part: None,
    };
    let name =
        DesignText { id: "name".to_owned(), label: "Name".to_owned(), text: "Shelf".to_owned(), most: 60, part: None };
    let side = DesignPart {
        key: "side".to_owned(),
        name: "Sides".to_owned(),
        what: "block".to_owned(),
        cuts: false,
        mirrored: false,
        repeated: false,
        body: false,
    };
    let thin = DesignFinding {
        says: "A wall is too thin.".to_owned(),
        blocks: true,
        part: Some("Sides".to_owned()),
        places: vec![[0.0; 3]],
    };
    DesignView {
        machines: vec![choice("desktop", "Desktop printer")],
        machine: "desktop".to_owned(),
        open: true,
        name: "Shelf".to_owned(),
        fields: vec![width],
        texts: vec![name],
        parts: vec![side],
        undo: Some("width 240".to_owned()),
        findings: vec![thin],
        checked: true,
        size_mm: Some([240.0, 200.0, 140.0]),
        kept: Some("/data/designs/shelf-1.design".to_owned()),
        ..DesignView::default()
    }
}

fn app(view: DesignView) -> App {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, HudPlugin));
    app.insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(100)));
    app.insert_resource(view);
    app.update();
    tap(&mut app, KeyCode::KeyM);
    app
}

fn tap(app: &mut App, key: KeyCode) {
    app.world_mut().resource_mut::<ButtonInput<KeyCode>>().press(key);
    app.update();
    let mut keys = app.world_mut().resource_mut::<ButtonInput<KeyCode>>();
    keys.release(key);
    keys.clear();
    app.update();
}

fn press_key(app: &mut App, logical_key: Key, text: Option<&str>) {
    let (key_code, window, text) = (KeyCode::F35, Entity::PLACEHOLDER, text.map(Into::into));
    let input = KeyboardInput { key_code, logical_key, state: ButtonState::Pressed, text, repeat: false, window };
    app.world_mut().write_message(input);
    app.update();
}

#[track_caller]
fn click(app: &mut App, label: &str) -> Vec<EditDesign> {
    let entity = find_button(app.world(), label).unwrap_or_else(|| panic!("no button {label:?}"));
    app.world_mut().resource_mut::<Messages<EditDesign>>().clear();
    app.world_mut().trigger(Activate { entity });
    app.update();
    sent(app)
}

fn sent(app: &App) -> Vec<EditDesign> {
    let messages = app.world().resource::<Messages<EditDesign>>();
    messages.get_cursor().read(messages).cloned().collect()
}

fn reads(app: &App, text: &str) -> bool {
    hud_texts(app.world()).iter().any(|shown| shown.contains(text))
}

fn is_disabled(app: &App, label: &str) -> bool {
    find_button(app.world(), label).is_some_and(|entity| app.world().get::<InteractionDisabled>(entity).is_some())
}

#[test]
fn its_key_opens_it_beside_the_world_and_closes_it() {
    let view = DesignView {
        starts: vec![choice("shelf", "Shelf")],
        saved: vec![choice("hook-1", "My hook")],
        ..DesignView::default()
    };
    let mut app = app(view);
    assert!(reads(&app, "Design something") && reads(&app, "true size"));
    assert_eq!(*app.world().resource::<State<Attention>>().get(), Attention::Point, "the mouse is free, and one walks");
    assert!(app.world().resource::<AtDesign>().0);
    assert_eq!(click(&mut app, "Shelf"), [EditDesign::Start("shelf".to_owned())]);
    assert_eq!(click(&mut app, "My hook"), [EditDesign::Open("hook-1".to_owned())]);
    tap(&mut app, KeyCode::Tab);
    assert_eq!(*app.world().resource::<State<Attention>>().get(), Attention::Walk, "one looks around");
    tap(&mut app, KeyCode::KeyM);
    app.update();
    assert!(find_named(app.world(), "design").is_none() && !app.world().resource::<AtDesign>().0);
}

#[test]
fn buttons_ask_and_what_is_disabled_says_why() {
    let mut app = app(shelf());
    assert!(reads(&app, "Undo: width 240. Redo: nothing was undone."));
    assert!(is_disabled(&app, "Redo") && !is_disabled(&app, "Undo"));
    assert_eq!(click(&mut app, "Undo"), [EditDesign::Undo]);
    assert_eq!(click(&mut app, "Redo"), []);
    for label in ["Copy", "Mirror", "Repeat", "Cut with it", "Remove"] {
        assert!(is_disabled(&app, label), "{label}");
    }
    assert!(reads(&app, "Choose a part here or in the room to copy, mirror or remove it."));
    assert_eq!(click(&mut app, "Sides"), [EditDesign::Select(Some("side".to_owned()))]);
    app.world_mut().resource_mut::<DesignView>().selected = Some("side".to_owned());
    app.update();
    assert_eq!(click(&mut app, "Mirror"), [EditDesign::Mirror]);
    assert_eq!(click(&mut app, "Repeat"), [EditDesign::Repeat]);
    assert_eq!(click(&mut app, "Cut with it"), [EditDesign::Cut]);
    assert_eq!(click(&mut app, "Add text"), [EditDesign::Add("text".to_owned())]);
    let change = |app: &mut App, change: fn(&mut DesignPart)| {
        app.world_mut().resource_mut::<DesignView>().parts.iter_mut().for_each(change);
        app.update();
    };
    change(&mut app, |part| (part.repeated, part.cuts) = (true, true));
    assert_eq!(click(&mut app, "Only once"), [EditDesign::Repeat]);
    assert_eq!(click(&mut app, "Add it"), [EditDesign::Cut]);
    change(&mut app, |part| (part.repeated, part.cuts, part.body) = (false, false, true));
    assert!(is_disabled(&app, "Cut with it") && reads(&app, "A body is what others are added to and cut from."));
    assert_eq!(click(&mut app, "Add hole"), [EditDesign::Add("hole".to_owned())]);
    assert_eq!(click(&mut app, "Width more"), [EditDesign::Set { field: "width".to_owned(), value: 241.0 }]);
    assert!(reads(&app, "A wall is too thin.") && reads(&app, "cannot be made so · Sides · one place"));
    assert!(reads(&app, "one thing is in the way"));
    assert_eq!(click(&mut app, "Show"), [EditDesign::Point(Some(0))]);
    assert_eq!(click(&mut app, "Write 3MF"), [EditDesign::Export(vestibule_twin::DesignFormat::ThreeMf)]);
    app.world_mut().resource_mut::<DesignView>().not_ready = Some("It is still being computed.".to_owned());
    app.update();
    assert!(
        is_disabled(&app, "Write STL")
            && reads(&app, "Neither into the room nor into a file: It is still being computed.")
    );
    assert!(is_disabled(&app, "Put it into the room"));
}

#[test]
fn keys_are_for_the_design_while_its_window_is_open() {
    let mut app = app(shelf());
    let keys = [
        (KeyCode::KeyZ, EditDesign::Undo),
        (KeyCode::KeyY, EditDesign::Redo),
        (KeyCode::KeyJ, EditDesign::Copy),
        (KeyCode::KeyI, EditDesign::Mirror),
        (KeyCode::KeyX, EditDesign::Remove),
        (KeyCode::KeyR, EditDesign::Turn(TURN)),
    ];
    for (key, wish) in keys {
        app.world_mut().resource_mut::<Messages<EditDesign>>().clear();
        tap(&mut app, key);
        assert_eq!(sent(&app), [wish]);
    }
    tap(&mut app, KeyCode::KeyM);
    app.update();
    app.world_mut().resource_mut::<Messages<EditDesign>>().clear();
    tap(&mut app, KeyCode::KeyZ);
    assert_eq!(sent(&app), [], "now it is for furniture");
}

#[test]
fn numbers_and_texts_are_written() {
    let mut app = app(shelf());
    click(&mut app, "Width");
    app.update();
    assert_eq!(*app.world().resource::<State<Attention>>().get(), Attention::Panel, "nobody walks meanwhile");
    for _ in 0..3 {
        press_key(&mut app, Key::Backspace, None);
    }
    for letter in ["3", "0", "0", ",", "5"] {
        press_key(&mut app, Key::Character(letter.into()), Some(letter));
    }
    assert!(reads(&app, "300,5|"));
    app.world_mut().resource_mut::<Messages<EditDesign>>().clear();
    press_key(&mut app, Key::Enter, Some("\r"));
    app.update();
    assert_eq!(sent(&app), [EditDesign::Set { field: "width".to_owned(), value: 300.5 }]);
    app.update();
    assert_eq!(*app.world().resource::<State<Attention>>().get(), Attention::Point);
    click(&mut app, "Name");
    press_key(&mut app, Key::Character("2".into()), Some("2"));
    app.world_mut().resource_mut::<Messages<EditDesign>>().clear();
    press_key(&mut app, Key::Enter, Some("\r"));
    app.update();
    assert_eq!(sent(&app), [EditDesign::Write { field: "name".to_owned(), text: "Shelf2".to_owned() }]);
    click(&mut app, "Name");
    press_key(&mut app, Key::Character("x".into()), Some("x"));
    app.world_mut().resource_mut::<Messages<EditDesign>>().clear();
    press_key(&mut app, Key::Escape, None);
    app.update();
    assert_eq!(sent(&app), [], "it is as it was");
}

#[test]
fn what_is_not_kept_is_asked_about_and_placing_gives_the_view_back() {
    let mut app = app(DesignView { kept: None, ..shelf() });
    assert!(reads(&app, "It is not kept"));
    assert_eq!(click(&mut app, "Put away"), []);
    assert_eq!(click(&mut app, "Really? It is not kept"), [EditDesign::Close]);
    assert_eq!(click(&mut app, "Put it into the room"), [EditDesign::Place]);
    app.update();
    assert!(find_named(app.world(), "design").is_none());
    assert_eq!(*app.world().resource::<State<Attention>>().get(), Attention::Walk);
}

#[test]
fn numbers_are_read_as_people_write_them() {
    assert_eq!(["12", " 1,5 mm", "20°", "-3"].map(number), [Some(12.0), Some(1.5), Some(20.0), Some(-3.0)]);
    assert_eq!(["", "x", "nan", "1 2"].map(number), [None; 4]);
}
