//! Where a server offers its things: the paths that Thing Descriptions point to and that the server answers.

use std::fmt::Display;

use vestibule_model::TwinId;

/// The path of the directory (WoT Discovery 1.0, 7.3): `things` below it lists, `events` below it tells of changes.
pub const DIRECTORY: &str = "/v1/wot";

/// A server as its clients reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    origin: String,
}

impl Site {
    /// The server at `origin`: scheme, host and port, as in `https://enabler.example:8443`.
    #[must_use]
    pub fn new(origin: impl Into<String>) -> Self {
        let mut origin: String = origin.into();
        origin.truncate(origin.trim_end_matches('/').len());
        Self { origin }
    }

    /// What relative addresses are relative to.
    #[must_use]
    pub fn base(&self) -> String {
        format!("{}/", self.origin)
    }

    /// The list of things.
    #[must_use]
    pub fn things(&self) -> String {
        format!("{}{DIRECTORY}/things", self.origin)
    }

    /// The description of one thing, by the name that a directory gives it.
    #[must_use]
    pub fn thing(&self, twin: &TwinId) -> String {
        format!("{}/{}", self.things(), escaped(&crate::thing_id(twin)))
    }

    /// Bytes that a description refers to.
    #[must_use]
    pub fn content(&self, hash: impl Display) -> String {
        format!("{}/v1/contents/{hash}", self.origin)
    }

    /// Something below a thing: `properties`, `actions`, `events`, and one of them where `name` is given.
    pub(crate) fn below(&self, twin: &TwinId, kind: &str, name: &str) -> String {
        let all = format!("{}/{}/{kind}", self.things(), twin);
        if name.is_empty() { all } else { format!("{all}/{}", escaped(name)) }
    }
}

/// A text as one segment of a path.
fn escaped(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_whole_and_safe() {
        let site = Site::new("http://[::1]:8080/");
        let twin = TwinId::new("home/front_door").unwrap();
        assert_eq!(site.base(), "http://[::1]:8080/");
        assert_eq!(site.thing(&twin), "http://[::1]:8080/v1/wot/things/urn%3Avestibule%3Ahome%2Ffront_door");
        let read = site.below(&twin, "properties", "a%2Eb.on");
        assert_eq!(read, "http://[::1]:8080/v1/wot/things/home/front_door/properties/a%252Eb.on");
    }
}
