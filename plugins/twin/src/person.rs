use std::{collections::BTreeMap, sync::Arc};

use bevy_ecs::prelude::*;
use vestibule_model::{FeatureId, TwinId};

/// The twin that the person points at, by whatever pointer they use. Written by the plugin that knows the pointer.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct PointedTwin {
    /// The twin and the entity of its part that is pointed at; `None` where nothing is in reach.
    pub target: Option<(TwinId, Entity)>,
    /// Metres from the eye; meaningless without a target.
    pub distance: f32,
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Good to know; makes room for others after a while, and stays counted until it was read.
    Info,
    /// Something did not work; stays until it is read.
    Problem,
    /// Somebody waits (a guest at the door); stays until it is read.
    Request,
}

/// Request: tell the person something. Whoever owns the screen shows it.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// How much it matters.
    pub urgency: Urgency,
    /// One line.
    pub title: String,
    /// What to do about it, or details.
    pub text: String,
    /// The twin that it is about.
    pub twin: Option<TwinId>,
}

/// The pictures that the twin's cameras last reported, by the feature that took each: shown on screens in the world and
/// on the card. On the twin's [root](crate::TwinRoot), and never empty.
#[derive(Component, Clone, Debug, Default)]
pub struct TwinPictures(pub BTreeMap<FeatureId, TwinPicture>);

/// An encoded image (JPEG or PNG) whose hash was checked.
#[derive(Clone, Debug)]
pub struct TwinPicture {
    /// The encoded image. The same allocation for as long as it is the same picture.
    pub bytes: Arc<[u8]>,
    /// Its media type.
    pub media: String,
}

/// The model that the twin's system offers for it, checked against its hash, not yet against limits.
///
/// On the twin's [root](crate::TwinRoot). Whoever draws the world checks and shows it.
#[derive(Component, Clone, Debug)]
pub struct TwinModel {
    /// A glTF binary.
    pub bytes: Arc<[u8]>,
    /// What it hashes to.
    pub hash: vestibule_model::ContentHash,
    /// The node that is the twin; the whole scene where `None`.
    pub node: Option<String>,
}
