use std::{collections::BTreeMap, fmt, str::FromStr};

use bevy::prelude::*;
use serde::{
    Deserialize, Serialize,
    de::value::{self, StrDeserializer},
};
use thiserror::Error;

use crate::Control;

/// A key or a mouse button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binding {
    /// A key, by its place on the keyboard.
    Key(KeyCode),
    /// A mouse button.
    Mouse(MouseButton),
}

/// Why a text names no key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} names no key that can be bound; examples: W, F1, Space, Tab, Left mouse")]
pub struct BindingError(pub String);

const NAMED: [(&str, KeyCode); 24] = [
    ("Space", KeyCode::Space),
    ("Tab", KeyCode::Tab),
    ("Enter", KeyCode::Enter),
    ("Escape", KeyCode::Escape),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("Page up", KeyCode::PageUp),
    ("Page down", KeyCode::PageDown),
    ("Up", KeyCode::ArrowUp),
    ("Down", KeyCode::ArrowDown),
    ("Left", KeyCode::ArrowLeft),
    ("Right", KeyCode::ArrowRight),
    ("Shift", KeyCode::ShiftLeft),
    ("Right shift", KeyCode::ShiftRight),
    ("Ctrl", KeyCode::ControlLeft),
    ("Right ctrl", KeyCode::ControlRight),
    ("Alt", KeyCode::AltLeft),
    ("Comma", KeyCode::Comma),
    ("Period", KeyCode::Period),
    ("Minus", KeyCode::Minus),
    ("Equal", KeyCode::Equal),
];

const LETTERS: [KeyCode; 26] = [
    KeyCode::KeyA,
    KeyCode::KeyB,
    KeyCode::KeyC,
    KeyCode::KeyD,
    KeyCode::KeyE,
    KeyCode::KeyF,
    KeyCode::KeyG,
    KeyCode::KeyH,
    KeyCode::KeyI,
    KeyCode::KeyJ,
    KeyCode::KeyK,
    KeyCode::KeyL,
    KeyCode::KeyM,
    KeyCode::KeyN,
    KeyCode::KeyO,
    KeyCode::KeyP,
    KeyCode::KeyQ,
    KeyCode::KeyR,
    KeyCode::KeyS,
    KeyCode::KeyT,
    KeyCode::KeyU,
    KeyCode::KeyV,
    KeyCode::KeyW,
    KeyCode::KeyX,
    KeyCode::KeyY,
    KeyCode::KeyZ,
];

const DIGITS: [KeyCode; 10] = [
    KeyCode::Digit0,
    KeyCode::Digit1,
    KeyCode::Digit2,
    KeyCode::Digit3,
    KeyCode::Digit4,
    KeyCode::Digit5,
    KeyCode::Digit6,
    KeyCode::Digit7,
    KeyCode::Digit8,
    KeyCode::Digit9,
];

const FUNCTIONS: [KeyCode; 12] = [
    KeyCode::F1,
    KeyCode::F2,
    KeyCode::F3,
    KeyCode::F4,
    KeyCode::F5,
    KeyCode::F6,
    KeyCode::F7,
    KeyCode::F8,
    KeyCode::F9,
    KeyCode::F10,
    KeyCode::F11,
    KeyCode::F12,
];

fn key_names() -> impl Iterator<Item = (String, KeyCode)> {
    let letters = ('A'..='Z').map(String::from).zip(LETTERS);
    let digits = ('0'..='9').map(String::from).zip(DIGITS);
    let functions = (1..=12).map(|n| format!("F{n}")).zip(FUNCTIONS);
    letters.chain(digits).chain(functions).chain(NAMED.into_iter().map(|(name, code)| (name.to_owned(), code)))
}

const BUTTONS: [(&str, MouseButton); 5] = [
    ("Left mouse", MouseButton::Left),
    ("Right mouse", MouseButton::Right),
    ("Middle mouse", MouseButton::Middle),
    ("Back mouse", MouseButton::Back),
    ("Forward mouse", MouseButton::Forward),
];

impl Binding {
    /// Whether this key or button has a name, and so can be bound.
    #[must_use]
    pub fn is_bindable(self) -> bool {
        match self {
            Self::Key(code) => key_names().any(|(_, known)| known == code),
            Self::Mouse(code) => BUTTONS.iter().any(|(_, known)| *known == code),
        }
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Key(code) => key_names().find(|(_, known)| known == code).map(|(name, _)| name),
            Self::Mouse(code) => BUTTONS.iter().find(|(_, known)| known == code).map(|(name, _)| (*name).to_owned()),
        };
        f.write_str(name.as_deref().unwrap_or("?"))
    }
}

impl FromStr for Binding {
    type Err = BindingError;
    fn from_str(text: &str) -> Result<Self, BindingError> {
        let button = BUTTONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        let key = || key_names().find(|(name, _)| name.eq_ignore_ascii_case(text));
        button
            .map(|(_, code)| Self::Mouse(*code))
            .or_else(|| key().map(|(_, code)| Self::Key(code)))
            .ok_or_else(|| BindingError(text.chars().take(40).collect()))
    }
}

/// Which key or button stands for which [`Control`]. Kept as text: `interact = "E"`.
///
/// Read from a file of another version, what is not known there is left out and kept as a [problem](Self::problems);
/// everything else counts.
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, String>", into = "BTreeMap<Control, String>")]
pub struct KeyBindings {
    bound: BTreeMap<Control, Binding>,
    problems: Vec<String>,
}

impl Default for KeyBindings {
    fn default() -> Self {
        use Control as C;
        let keys = [
            (C::Forward, KeyCode::KeyW),
            (C::Back, KeyCode::KeyS),
            (C::Left, KeyCode::KeyA),
            (C::Right, KeyCode::KeyD),
            (C::Run, KeyCode::ShiftLeft),
            (C::Jump, KeyCode::Space),
            (C::Interact, KeyCode::KeyE),
            (C::Action1, KeyCode::Digit1),
            (C::Action2, KeyCode::Digit2),
            (C::Action3, KeyCode::Digit3),
            (C::Action4, KeyCode::Digit4),
            (C::Pointer, KeyCode::Tab),
            (C::Catalogue, KeyCode::KeyC),
            (C::Turn, KeyCode::KeyR),
            (C::Remove, KeyCode::KeyX),
            (C::Undo, KeyCode::KeyZ),
            (C::Redo, KeyCode::KeyY),
            (C::Notification, KeyCode::KeyN),
            (C::Attend, KeyCode::KeyG),
            (C::Devices, KeyCode::KeyL),
            (C::Systems, KeyCode::KeyK),
            (C::Procedures, KeyCode::KeyP),
            (C::People, KeyCode::KeyU),
            (C::Past, KeyCode::KeyH),
            (C::Lend, KeyCode::KeyB),
            (C::Design, KeyCode::KeyM),
            (C::Kitchen, KeyCode::KeyF),
            (C::Shop, KeyCode::KeyO),
            (C::CopyPart, KeyCode::KeyJ),
            (C::MirrorPart, KeyCode::KeyI),
            (C::Axis, KeyCode::KeyQ),
            (C::Settings, KeyCode::F2),
            (C::Help, KeyCode::F1),
            (C::ChooseUp, KeyCode::ArrowUp),
            (C::ChooseDown, KeyCode::ArrowDown),
            (C::ChooseLeft, KeyCode::ArrowLeft),
            (C::ChooseRight, KeyCode::ArrowRight),
            (C::Press, KeyCode::Enter),
            (C::Cancel, KeyCode::Escape),
            (C::Picture, KeyCode::F12),
        ];
        let keys = keys.into_iter().map(|(control, key)| (control, Binding::Key(key)));
        Self { bound: keys.chain([(C::Use, Binding::Mouse(MouseButton::Left))]).collect(), problems: Vec::new() }
    }
}

impl KeyBindings {
    /// What could not be understood when they were read, for a person.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// What is bound to `control`.
    #[must_use]
    pub fn get(&self, control: Control) -> Option<Binding> {
        self.bound.get(&control).copied()
    }

    /// The name of the key for `control`, for screens; `-` where none is bound.
    #[must_use]
    pub fn label(&self, control: Control) -> String {
        self.get(control).map_or_else(|| "-".to_owned(), |binding| binding.to_string())
    }

    /// Binds `control` to `binding`. Whatever had that key before loses it and is returned.
    pub fn bind(&mut self, control: Control, binding: Binding) -> Option<Control> {
        let loser = self.bound.iter().find(|(other, b)| **other != control && **b == binding).map(|(other, _)| *other);
        if let Some(loser) = loser {
            self.bound.remove(&loser);
        }
        self.bound.insert(control, binding);
        loser
    }
}

/// Problems that are kept: the first few tell what is wrong with a file.
const MOST_PROBLEMS: usize = 8;

impl From<BTreeMap<String, String>> for KeyBindings {
    fn from(texts: BTreeMap<String, String>) -> Self {
        let mut keys = Self::default();
        for (name, text) in texts {
            let known = Control::deserialize(StrDeserializer::<value::Error>::new(&name));
            let problem = match (known, text.as_str()) {
                (Err(_), _) => {
                    Some(format!("{:?} is nothing that a key can do", name.chars().take(40).collect::<String>()))
                }
                (Ok(control), "-") => {
                    keys.bound.remove(&control);
                    None
                }
                (Ok(control), text) => match text.parse() {
                    Ok(binding) => {
                        keys.bind(control, binding);
                        None
                    }
                    Err(error) => Some(error.to_string()),
                },
            };
            keys.problems.extend(problem.filter(|_| keys.problems.len() < MOST_PROBLEMS));
        }
        keys
    }
}

impl From<KeyBindings> for BTreeMap<Control, String> {
    fn from(keys: KeyBindings) -> Self {
        Control::ALL.into_iter().map(|control| (control, keys.label(control))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_has_a_key_of_its_own_that_survives_a_file() {
        let keys = KeyBindings::default();
        assert!(Control::ALL.iter().all(|control| keys.get(*control).is_some_and(Binding::is_bindable)));
        let mut labels: Vec<_> = Control::ALL.iter().map(|control| keys.label(*control)).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), Control::ALL.len());
        let text = serde_json::to_string(&keys).unwrap();
        assert_eq!(serde_json::from_str::<KeyBindings>(&text).unwrap(), keys);
    }

    #[test]
    fn a_key_serves_one_control() {
        let mut keys = KeyBindings::default();
        assert_eq!(keys.bind(Control::Jump, Binding::Key(KeyCode::KeyE)), Some(Control::Interact));
        assert_eq!(keys.label(Control::Interact), "-");
        assert!("Warp".parse::<Binding>().is_err());
    }

    #[test]
    fn what_is_not_known_costs_only_itself() {
        let text = r#"{"jump": "J", "fly": "F", "run": "Warp key", "turn": "-"}"#;
        let keys: KeyBindings = serde_json::from_str(text).unwrap();
        assert_eq!((keys.label(Control::Jump), keys.label(Control::Turn)), ("J".to_owned(), "-".to_owned()));
        assert_eq!(keys.label(Control::Run), "Shift", "it keeps its first key");
        assert_eq!(keys.problems().len(), 2, "{:?}", keys.problems());
    }
}
