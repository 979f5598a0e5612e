//! Cameras and images: pictures as payloads.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vestibule_model::{FeatureInfo, FeatureKind, ValueType};

use super::feature::{feature, property};
use super::{Component, Decoded, Inlet, Message};
use crate::discovery::{ConfigProblem, Fields};
use crate::limits::{MAX_PICTURE, MAX_PICTURE_TEXT};

#[derive(Debug)]
pub(super) struct Picture {
    info: FeatureInfo,
    inlet: Inlet,
    base64: bool,
}

/// Media types by how their bytes begin.
fn sniff(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        _ => None,
    }
}

impl Picture {
    pub(super) fn camera(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        let inlet = fields.required("topic", fields.inlet("topic", "")?)?;
        // Home Assistant 2022's way of saying it was `encoding`.
        let base64 = encoded(fields, "image_encoding")? || encoded(fields, "encoding")?;
        Self::new(fields, FeatureKind::Camera, inlet, base64)
    }

    pub(super) fn image(fields: Fields<'_>) -> Result<Self, ConfigProblem> {
        if fields.has("url_topic") {
            return Err(ConfigProblem::Unsupported(
                "`url_topic`: pictures are not fetched from addresses that devices name; use `image_topic`".to_owned(),
            ));
        }
        let inlet = fields.required("image_topic", fields.inlet("image_topic", "")?)?;
        let base64 = encoded(fields, "image_encoding")?;
        Self::new(fields, FeatureKind::Image, inlet, base64)
    }

    fn new(fields: Fields<'_>, kind: FeatureKind, inlet: Inlet, base64: bool) -> Result<Self, ConfigProblem> {
        let mut info = feature(fields, kind)?;
        // Cameras may change from one to the other; what each picture is, its report says.
        property(&mut info, "picture", ValueType::Blob { media: "image/*".to_owned() }, false);
        Ok(Self { info, inlet, base64 })
    }

    fn bytes(&self, payload: &[u8]) -> Result<Vec<u8>, String> {
        if payload.len() > if self.base64 { MAX_PICTURE_TEXT } else { MAX_PICTURE } {
            return Err(format!("a picture of {} bytes is too large", payload.len()));
        }
        if !self.base64 {
            return Ok(payload.to_vec());
        }
        let text: Vec<u8> = payload.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        STANDARD.decode(text).map_err(|_| "a picture that should be base64 is not".to_owned())
    }
}

fn encoded(fields: Fields<'_>, field: &str) -> Result<bool, ConfigProblem> {
    Ok(fields.text(field)?.as_deref() == Some("b64"))
}

impl Component for Picture {
    fn info(&self) -> &FeatureInfo {
        &self.info
    }

    fn filters(&self) -> Vec<&str> {
        vec![&self.inlet.filter]
    }

    fn decode(&mut self, message: &Message<'_>) -> Vec<Decoded> {
        if !self.inlet.takes(message) || message.payload.is_empty() {
            return Vec::new();
        }
        let bytes = match self.bytes(message.payload) {
            Ok(bytes) => bytes,
            Err(why) => return vec![Decoded::Problem(why)],
        };
        vec![match sniff(&bytes) {
            Some(media) => Decoded::Picture(bytes, media),
            None => Decoded::Problem("a picture is neither JPEG nor PNG".to_owned()),
        }]
    }
}
