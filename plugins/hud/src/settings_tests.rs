use bevy::prelude::*;
use vestibule_input::{Binding, Control};

use super::*;

#[test]
fn settings_survive_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/settings.toml");
    assert_eq!(read(&path), (Kept::default(), None));
    let mut kept = Kept::default();
    kept.settings = Settings { mouse_sensitivity: 2.5, invert_y: true, quality: Quality::Low, ..kept.settings };
    kept.keys.bind(Control::Jump, Binding::Key(KeyCode::KeyE));
    write(&path, &kept).unwrap();
    assert_eq!(read(&path), (kept.clone(), None));
    assert_eq!(kept.keys.get(Control::Interact), None, "a lost key stays lost");
    assert!(!folder.path().join("deep/settings.toml.new").exists());
}

#[test]
fn what_is_missing_is_usual_and_what_is_wild_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, "[settings]\nfield_of_view = 9000\nmouse_sensitivity = nan\nfrom_the_future = true\n").unwrap();
    let (kept, problem) = read(&path);
    assert_eq!(problem, None);
    let expected = Settings { field_of_view: 110.0, ..Settings::default() };
    assert_eq!(kept, Kept { settings: expected, ..Kept::default() });
}

#[test]
fn a_broken_file_is_set_aside_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    for text in ["[settings", "[keys]\ninteract = 7\n", "settings = 3\n"] {
        fs::write(&path, text).unwrap();
        let (kept, problem) = read(&path);
        assert_eq!(kept, Kept::default());
        assert_eq!(problem.unwrap().urgency, Urgency::Problem);
        assert!(!path.exists());
        assert_eq!(fs::read_to_string(folder.path().join("settings.toml.broken")).unwrap(), text);
    }
}

#[test]
fn a_key_that_is_not_known_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, "[settings]\nui_scale = 1.5\n[keys]\ninteract = \"Warp\"\njump = \"J\"\n").unwrap();
    let (kept, problem) = read(&path);
    assert_eq!((problem, kept.settings.ui_scale), (None, 1.5));
    assert_eq!(kept.keys.label(Control::Jump), "J");
    assert_eq!(kept.keys.problems().len(), 1);
    assert!(path.exists());
}

#[test]
fn an_hour_of_ones_own_leaves_the_clock() {
    let settings = changed(Settings::default(), SettingChange::Hour(20.5));
    assert_eq!((settings.hour, settings.follow_clock), (20.5, false));
    assert_eq!(changed(settings, SettingChange::UiScale(50.0)).ui_scale, 2.0);
}
