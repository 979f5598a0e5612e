//! What a person can set, and the file that keeps it.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use bevy::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use vestibule_input::KeyBindings;
use vestibule_twin::{Notify, Urgency};

use crate::{action::HudAction, window::Capturing};

/// How much work each picture may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// For slow machines: no shadows, no smoothing.
    Low,
    /// Everything.
    #[default]
    High,
}

/// What a person can set. Kept by [`SettingsFile`], changed in the settings window.
///
/// ```
/// let settings: vestibule_hud::Settings = toml::from_str("field_of_view = 75.0").unwrap();
/// assert_eq!(settings.field_of_view, 75.0);
/// assert!(settings.follow_clock);
/// ```
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// How far the view turns with the mouse: 1 is usual, 0.1 to 5.
    pub mouse_sensitivity: f32,
    /// Whether pushing the mouse away looks down.
    pub invert_y: bool,
    /// Vertical angle of view in degrees, 40 to 110.
    pub field_of_view: f32,
    /// How much work each picture may be.
    pub quality: Quality,
    /// Whether the sun follows the clock; else it stands at `hour`.
    pub follow_clock: bool,
    /// Hour of the day, 0 to 24.
    pub hour: f32,
    /// Size of what is read, beside the size of the screen: 1 is usual, 0.75 to 2.
    pub ui_scale: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mouse_sensitivity: 1.0,
            invert_y: false,
            field_of_view: 60.0,
            quality: Quality::High,
            follow_clock: true,
            hour: 12.0,
            ui_scale: 1.0,
        }
    }
}

impl Settings {
    /// The same, every number within its bounds: files are edited by hand.
    #[must_use]
    pub fn checked(self) -> Self {
        let usual = Self::default();
        let within = |value: f32, usual: f32, min: f32, max: f32| {
            if value.is_finite() { value.clamp(min, max) } else { usual }
        };
        Self {
            mouse_sensitivity: within(self.mouse_sensitivity, usual.mouse_sensitivity, 0.1, 5.0),
            field_of_view: within(self.field_of_view, usual.field_of_view, 40.0, 110.0),
            hour: within(self.hour, usual.hour, 0.0, 24.0),
            ui_scale: within(self.ui_scale, usual.ui_scale, 0.75, 2.0),
            ..self
        }
    }
}

/// A change of one setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SettingChange {
    /// [`Settings::mouse_sensitivity`].
    MouseSensitivity(f32),
    /// [`Settings::invert_y`].
    InvertY(bool),
    /// [`Settings::field_of_view`].
    FieldOfView(f32),
    /// [`Settings::quality`].
    Quality(Quality),
    /// [`Settings::follow_clock`].
    FollowClock(bool),
    /// [`Settings::hour`]; the clock is not followed any more.
    Hour(f32),
    /// [`Settings::ui_scale`].
    UiScale(f32),
}

/// A setting that a slider changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knob {
    MouseSensitivity,
    FieldOfView,
    Hour,
    UiScale,
}

impl Knob {
    /// The change to `value`.
    #[expect(clippy::cast_possible_truncation, reason = "settings are small numbers")]
    pub(crate) const fn change(self, value: f64) -> SettingChange {
        let value = value as f32;
        match self {
            Self::MouseSensitivity => SettingChange::MouseSensitivity(value),
            Self::FieldOfView => SettingChange::FieldOfView(value),
            Self::Hour => SettingChange::Hour(value),
            Self::UiScale => SettingChange::UiScale(value),
        }
    }
}

/// Fact: the settings are these now. Sent once at the start, then at every change.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct SettingsChanged {
    /// All of them.
    pub settings: Settings,
}

/// Where settings and keys are kept; without this resource they are forgotten at the end.
#[derive(Resource, Clone, Debug, PartialEq, Eq)]
pub struct SettingsFile {
    /// A TOML file; it and its folder need not exist.
    pub path: PathBuf,
}

/// Why the settings could not be kept or read.
#[derive(Debug, Error)]
enum FileError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Write(#[from] toml::ser::Error),
}

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    settings: Settings,
    keys: KeyBindings,
}

/// Reads the file. What cannot be read is set aside beside it, and the reason is told.
fn read(path: &Path) -> (Kept, Option<Notify>) {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return (Kept::default(), None),
        Err(error) => return (Kept::default(), Some(broken(path, &error.to_string()))),
    };
    match toml::from_str::<Kept>(&text) {
        Ok(kept) => (Kept { settings: kept.settings.checked(), ..kept }, None),
        Err(error) => (Kept::default(), Some(broken(path, error.message()))),
    }
}

fn broken(path: &Path, reason: &str) -> Notify {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".broken");
    let moved = fs::rename(path, &aside);
    let kept = match moved {
        Ok(()) => format!("It is kept as {}.", Path::new(&aside).display()),
        Err(error) => format!("It could not be set aside: {error}."),
    };
    let reason = reason.lines().next().unwrap_or_default();
    Notify {
        urgency: Urgency::Problem,
        title: "The settings could not be read".to_owned(),
        text: format!("{}: {reason}. {kept} You have the first settings now.", path.display()),
        twin: None,
    }
}

/// Writes beside the file and then puts it in its place: there is always one whole file.
fn write(path: &Path, kept: &Kept) -> Result<(), FileError> {
    let text = toml::to_string_pretty(kept)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, path)?;
    Ok(())
}

/// Takes what the file holds, and tells everyone the settings.
pub(crate) fn load(
    file: Option<Res<SettingsFile>>,
    mut settings: ResMut<Settings>,
    mut keys: ResMut<KeyBindings>,
    mut changed: MessageWriter<SettingsChanged>,
    mut notices: MessageWriter<Notify>,
) {
    if let Some(file) = file {
        let (kept, problem) = read(&file.path);
        if !kept.keys.problems().is_empty() {
            let text = format!("{}. The other keys are as they were.", kept.keys.problems().join("; "));
            let title = "Some keys could not be read".to_owned();
            notices.write(Notify { urgency: Urgency::Problem, title, text, twin: None });
        }
        *settings = kept.settings;
        *keys = kept.keys;
        notices.write_batch(problem);
    }
    changed.write(SettingsChanged { settings: settings.clone() });
}

/// Changes settings and keys as asked.
pub(crate) fn change(
    mut actions: MessageReader<HudAction>,
    mut settings: ResMut<Settings>,
    mut keys: ResMut<KeyBindings>,
    mut capturing: ResMut<Capturing>,
) {
    for action in actions.read() {
        match action {
            HudAction::Set(change) => {
                settings.set_if_neq(changed(settings.clone(), *change));
            }
            HudAction::Capture(control) => capturing.begin(*control),
            HudAction::ResetKeys => {
                keys.set_if_neq(KeyBindings::default());
                capturing.lost = None;
            }
            _ => {}
        }
    }
}

fn changed(mut settings: Settings, change: SettingChange) -> Settings {
    match change {
        SettingChange::MouseSensitivity(value) => settings.mouse_sensitivity = value,
        SettingChange::InvertY(value) => settings.invert_y = value,
        SettingChange::FieldOfView(value) => settings.field_of_view = value,
        SettingChange::Quality(value) => settings.quality = value,
        SettingChange::FollowClock(value) => settings.follow_clock = value,
        SettingChange::Hour(value) => (settings.hour, settings.follow_clock) = (value, false),
        SettingChange::UiScale(value) => settings.ui_scale = value,
    }
    settings.checked()
}

/// Tells and keeps what changed, whoever changed it.
pub(crate) fn keep(
    (settings, keys): (Res<Settings>, Res<KeyBindings>),
    file: Option<Res<SettingsFile>>,
    mut told: Local<Option<Kept>>,
    mut changed: MessageWriter<SettingsChanged>,
    mut notices: MessageWriter<Notify>,
) {
    if !settings.is_changed() && !keys.is_changed() {
        return;
    }
    let kept = Kept { settings: settings.clone(), keys: keys.clone() };
    // The first change is the reading of the file.
    let Some(before) = told.replace(kept.clone()) else {
        return;
    };
    if before == kept {
        return;
    }
    if before.settings != kept.settings {
        changed.write(SettingsChanged { settings: kept.settings.clone() });
    }
    if let Some(file) = file
        && let Err(error) = write(&file.path, &kept)
    {
        notices.write(Notify {
            urgency: Urgency::Problem,
            title: "The settings could not be kept".to_owned(),
            text: format!("{}: {error}. They are lost when you close the program.", file.path.display()),
            twin: None,
        });
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
