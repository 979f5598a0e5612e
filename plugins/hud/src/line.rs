//! A line of text that somebody writes: by a keyboard, or by whatever composes letters for them.
//!
//! Bevy's own text field needs a window, fonts and its own focus; ours has to work in pictures without a window and in
//! tests, and to share the keys with everything else that is shown.

use bevy::{
    input::{
        ButtonState,
        keyboard::{Key, KeyboardInput},
    },
    prelude::*,
    window::{Ime, PrimaryWindow},
};

use crate::{clipboard::Clipboard, window::Capturing};

/// What a key did to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrote {
    Nothing,
    Changed,
    /// It is ready.
    Done,
    /// It is to be as it was.
    GaveUp,
}

/// A line and the place in it where letters go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    text: String,
    /// In bytes, between two letters.
    caret: usize,
    /// Letters that it may have.
    most: usize,
    before: String,
}

impl Line {
    pub(crate) fn new(text: impl Into<String>, most: usize) -> Self {
        let text = text.into();
        Self { caret: text.len(), before: text.clone(), text, most }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text with a mark where letters go.
    pub(crate) fn with_caret(&self) -> String {
        let (before, after) = self.text.split_at(self.caret);
        format!("{before}|{after}")
    }

    /// Puts letters in. Whatever is no letter (line breaks, control characters) is left out.
    pub(crate) fn insert(&mut self, letters: &str) -> Wrote {
        let room = self.most.saturating_sub(self.text.chars().count());
        let letters: String = letters.chars().filter(|letter| !letter.is_control()).take(room).collect();
        self.text.insert_str(self.caret, &letters);
        self.caret += letters.len();
        if letters.is_empty() { Wrote::Nothing } else { Wrote::Changed }
    }

    fn previous(&self) -> usize {
        self.text[..self.caret].char_indices().next_back().map_or(0, |(place, _)| place)
    }

    fn next(&self) -> usize {
        self.text[self.caret..].chars().next().map_or(self.caret, |letter| self.caret + letter.len_utf8())
    }

    fn cut(&mut self, from: usize, to: usize) -> Wrote {
        self.text.replace_range(from..to, "");
        self.caret = from;
        if from == to { Wrote::Nothing } else { Wrote::Changed }
    }

    fn go(&mut self, to: usize) -> Wrote {
        self.caret = to;
        Wrote::Nothing
    }

    /// A key went down, or repeats.
    pub(crate) fn key(&mut self, input: &KeyboardInput) -> Wrote {
        if input.state != ButtonState::Pressed {
            return Wrote::Nothing;
        }
        // Tours and some systems give the place of a key, and no meaning.
        match (&input.logical_key, input.key_code) {
            // Whoever opened the line with this key may still hold it.
            (Key::Enter, _) | (_, KeyCode::Enter | KeyCode::NumpadEnter) if input.repeat => Wrote::Nothing,
            (Key::Enter, _) | (_, KeyCode::Enter | KeyCode::NumpadEnter) => Wrote::Done,
            (Key::Escape, _) | (_, KeyCode::Escape) => {
                self.text.clone_from(&self.before);
                self.caret = self.text.len();
                Wrote::GaveUp
            }
            (Key::Backspace, _) | (_, KeyCode::Backspace) => self.cut(self.previous(), self.caret),
            (Key::Delete, _) => self.cut(self.caret, self.next()),
            (Key::ArrowLeft, _) => self.go(self.previous()),
            (Key::ArrowRight, _) => self.go(self.next()),
            (Key::Home, _) => self.go(0),
            (Key::End, _) => self.go(self.text.len()),
            _ => input.text.as_ref().map_or(Wrote::Nothing, |letters| self.insert(letters)),
        }
    }
}

/// Gives the line that waits what was written, and nothing of it to anybody else.
pub(crate) fn write(
    mut keys: MessageReader<KeyboardInput>,
    mut composed: MessageReader<Ime>,
    mut windows: Query<&mut Window, With<PrimaryWindow>>,
    mut capturing: ResMut<Capturing>,
    (held, mut clipboard): (Res<ButtonInput<KeyCode>>, Option<ResMut<Clipboard>>),
) {
    let waits = capturing.line().is_some();
    for mut window in &mut windows {
        if window.ime_enabled != waits {
            window.ime_enabled = waits;
        }
    }
    if !waits {
        keys.clear();
        composed.clear();
        return;
    }
    let control = held.any_pressed([KeyCode::ControlLeft, KeyCode::ControlRight]);
    for input in keys.read() {
        let pastes = control && input.key_code == KeyCode::KeyV && input.state == ButtonState::Pressed;
        match &mut clipboard {
            Some(clipboard) if pastes => clipboard.0.ask(),
            _ => capturing.wrote(|line| line.key(input)),
        }
    }
    while let Some(text) = clipboard.as_mut().and_then(|clipboard| clipboard.0.pasted()) {
        capturing.wrote(|line| line.insert(text.trim()));
    }
    for composed in composed.read() {
        if let Ime::Commit { value, .. } = composed {
            capturing.wrote(|line| line.insert(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(logical_key: Key, text: Option<&str>) -> KeyboardInput {
        KeyboardInput {
            key_code: KeyCode::F35,
            logical_key,
            state: ButtonState::Pressed,
            text: text.map(Into::into),
            repeat: false,
            window: Entity::PLACEHOLDER,
        }
    }

    fn type_in(line: &mut Line, text: &str) {
        for letter in text.chars() {
            let letter = letter.to_string();
            line.key(&key(Key::Character(letter.as_str().into()), Some(&letter)));
        }
    }

    #[test]
    fn letters_go_where_the_mark_is() {
        let mut line = Line::new("né", 10);
        type_in(&mut line, "ro");
        for _ in 0..3 {
            line.key(&key(Key::ArrowLeft, None));
        }
        assert_eq!(line.with_caret(), "n|éro");
        assert_eq!(line.key(&key(Key::Delete, None)), Wrote::Changed);
        type_in(&mut line, "ü");
        assert_eq!(line.with_caret(), "nü|ro");
        assert_eq!(line.key(&key(Key::Backspace, Some("\u{8}"))), Wrote::Changed);
        assert_eq!(line.key(&key(Key::Enter, Some("\r"))), Wrote::Done);
        assert_eq!(line.text(), "nro");
        assert_eq!(line.key(&key(Key::Escape, Some("\u{1b}"))), Wrote::GaveUp);
        assert_eq!(line.text(), "né", "it is as it was");
    }

    #[test]
    fn it_is_one_line_of_bounded_length() {
        let mut line = Line::new("", 5);
        assert_eq!(line.insert("a\nb\tc\u{7}"), Wrote::Changed);
        assert_eq!(line.text(), "abc");
        line.insert("日本語");
        assert_eq!(line.text(), "abc日本");
        assert_eq!(line.insert("x"), Wrote::Nothing);
        line.key(&key(Key::Home, None));
        assert_eq!(line.key(&key(Key::Backspace, None)), Wrote::Nothing);
        assert_eq!(line.with_caret(), "|abc日本");
    }
}
