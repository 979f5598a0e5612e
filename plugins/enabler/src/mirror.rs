//! Keeps entities as the enabler describes twins.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use bevy::{ecs::system::SystemParam, prelude::*};
use vestibule_model::{BlobRef, ContentHash, FeatureId, TwinId, TwinInfo, Value};
use vestibule_protocol::{ClientSession, News, TwinView, WireReading};
use vestibule_twin::{
    FeatureRules, Reading, Twin, TwinAccess, TwinAppeared, TwinDescription, TwinIndex, TwinModel, TwinOccurred,
    TwinPicture, TwinPictures, TwinRoot, TwinState, TwinVanished,
};

use crate::Settings;

/// Whom fetched content is for.
#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    Picture { twin: TwinId, feature: FeatureId, media: String },
    Model { twin: TwinId, node: Option<String> },
}

#[derive(Debug)]
struct Mirrored {
    connection: Entity,
    root: Option<Entity>,
    info: Arc<TwinInfo>,
    access: TwinAccess,
    state: TwinState,
    /// The pictures that are shown or on their way, by feature.
    pictures: HashMap<FeatureId, ContentHash>,
    /// The pictures that came.
    shown: TwinPictures,
    model: Option<ContentHash>,
}

/// What is known of every twin, and which of it entities do not have yet.
#[derive(Resource, Debug, Default)]
pub(crate) struct Mirror {
    twins: HashMap<TwinId, Mirrored>,
    changed: HashSet<TwinId>,
    gone: Vec<(TwinId, Option<Entity>)>,
    fetching: HashMap<ContentHash, Vec<Wanted>>,
    pictures: Vec<(TwinId, FeatureId, TwinPicture)>,
    models: Vec<(TwinId, TwinModel)>,
}

/// What mirroring reads and tells.
#[derive(SystemParam)]
pub(crate) struct Mirroring<'w> {
    index: Res<'w, TwinIndex>,
    occurred: MessageWriter<'w, TwinOccurred>,
    vanished: MessageWriter<'w, TwinVanished>,
}

impl Mirror {
    /// The description of a twin, and the connection that offers it.
    pub(crate) fn get(&self, twin: &TwinId) -> Option<(&TwinInfo, &TwinState, Entity)> {
        self.twins.get(twin).map(|known| (&*known.info, &known.state, known.connection))
    }

    /// The link of `connection` is down: nothing of it can be reached, so nothing of it is live.
    pub(crate) fn lose(&mut self, connection: Entity) {
        for (id, twin) in self.twins.iter_mut().filter(|(_, twin)| twin.connection == connection) {
            twin.state.reachable = false;
            for reading in Arc::make_mut(&mut twin.state.readings).values_mut() {
                reading.truth = vestibule_model::Truth::Stale;
            }
            self.changed.insert(id.clone());
        }
    }

    /// Takes one piece of news.
    pub(crate) fn take(
        &mut self,
        connection: Entity,
        news: News,
        session: &mut ClientSession,
        mirroring: &mut Mirroring,
        settings: &Settings,
        now_s: f64,
    ) {
        match news {
            News::Twin(view) => self.describe(connection, *view, session, settings, now_s),
            News::Readings { twin, changed } => {
                let Some(known) = self.twins.get_mut(&twin) else { return };
                let readings = Arc::make_mut(&mut known.state.readings);
                for (feature, property, reading) in changed {
                    readings.insert((feature, property), as_reading(reading, now_s));
                }
                self.changed.insert(twin.clone());
                self.want_pictures(&twin, session, settings);
            }
            News::Gone(twin) => {
                if let Some(known) = self.twins.remove(&twin) {
                    self.changed.remove(&twin);
                    self.gone.push((twin.clone(), known.root));
                    mirroring.vanished.write(TwinVanished { twin });
                }
            }
            News::Occurred(occurrence) => {
                let enabler_now = session.enabler_time(seconds_to_ms(now_s));
                mirroring.occurred.write(TwinOccurred {
                    twin: occurrence.twin,
                    feature: occurrence.feature,
                    event: occurrence.event,
                    details: occurrence.details,
                    age_ms: enabler_now.since(occurrence.at),
                });
            }
            News::Content { hash, bytes } => self.content(hash, bytes),
            _ => {}
        }
    }

    fn describe(
        &mut self,
        connection: Entity,
        view: TwinView,
        session: &mut ClientSession,
        settings: &Settings,
        now_s: f64,
    ) {
        let names = view.info.properties().map(|(feature, property, _)| (feature.clone(), property.clone()));
        let readings: BTreeMap<_, _> =
            names.zip(view.readings.into_iter().map(|reading| as_reading(reading, now_s))).collect();
        let id = view.info.id.clone();
        let state =
            TwinState { readings: Arc::new(readings), reachable: view.reachable, away: Arc::new(view.away.clone()) };
        let known = self.twins.entry(id.clone()).or_insert_with(|| Mirrored {
            connection,
            root: None,
            info: view.info.clone(),
            access: TwinAccess::default(),
            state: TwinState::default(),
            pictures: HashMap::new(),
            shown: TwinPictures::default(),
            model: None,
        });
        known.connection = connection;
        known.state = state;
        let access = view.access.into_iter().map(|(feature, a)| (feature, FeatureRules { read: a.read, act: a.act }));
        known.access = TwinAccess(Arc::new(access.collect()));
        if known.info != view.info {
            known.info = view.info;
        }
        if let Some(visual) = known.info.visual.clone()
            && known.model != Some(visual.model.hash)
            && visual.model.size <= settings.0.max_content
        {
            known.model = Some(visual.model.hash);
            let wanted = Wanted::Model { twin: id.clone(), node: visual.node };
            self.fetch(&visual.model, wanted, session);
        }
        self.changed.insert(id.clone());
        self.want_pictures(&id, session, settings);
    }

    fn want_pictures(&mut self, twin: &TwinId, session: &mut ClientSession, settings: &Settings) {
        let Some(known) = self.twins.get_mut(twin) else { return };
        let mut wanted = Vec::new();
        for ((feature, _), reading) in known.state.readings.iter() {
            let Some(Value::Blob(blob)) = &reading.value else { continue };
            let new = known.pictures.get(feature) != Some(&blob.hash);
            if new && blob.media.starts_with("image/") && blob.size <= settings.0.max_content {
                wanted.push((feature.clone(), blob.clone()));
            }
        }
        for (feature, blob) in &wanted {
            known.pictures.insert(feature.clone(), blob.hash);
        }
        for (feature, blob) in wanted {
            let wanted = Wanted::Picture { twin: twin.clone(), feature, media: blob.media.clone() };
            self.fetch(&blob, wanted, session);
        }
    }

    fn fetch(&mut self, blob: &BlobRef, wanted: Wanted, session: &mut ClientSession) {
        self.fetching.entry(blob.hash).or_default().push(wanted);
        session.fetch(blob);
    }

    fn content(&mut self, hash: ContentHash, bytes: Result<Vec<u8>, String>) {
        let Some(wanted) = self.fetching.remove(&hash) else { return };
        let bytes: Arc<[u8]> = match bytes {
            // The link checks too; a picture that is not what the camera reported must never be shown.
            Ok(bytes) if ContentHash::of(&bytes) == hash => bytes.into(),
            Ok(_) => return warn!("content {hash} is not what its hash says; it was dropped"),
            Err(reason) => return self.forget(hash, &reason),
        };
        for wanted in wanted {
            let bytes = bytes.clone();
            match wanted {
                // A newer picture may have been reported while this one was on its way.
                Wanted::Picture { twin, feature, media } => {
                    let newest = self.twins.get(&twin).and_then(|known| known.pictures.get(&feature));
                    if newest == Some(&hash) {
                        self.pictures.push((twin, feature, TwinPicture { bytes, media }));
                    }
                }
                Wanted::Model { twin, node } => self.models.push((twin, TwinModel { bytes, hash, node })),
            }
        }
    }

    /// Content did not come: it is asked for again with the next report or description.
    fn forget(&mut self, hash: ContentHash, reason: &str) {
        debug!("content {hash} did not come: {reason}");
        for known in self.twins.values_mut() {
            known.pictures.retain(|_, shown| *shown != hash);
            known.model = known.model.filter(|model| *model != hash);
        }
    }

    /// Gives entities what changed.
    pub(crate) fn publish(&mut self, commands: &mut Commands, mirroring: &Mirroring) {
        for (twin, root) in self.gone.drain(..) {
            for entity in mirroring.index.get(&twin) {
                commands.entity(*entity).remove::<(TwinDescription, TwinAccess, TwinState)>();
            }
            if let Some(root) = root {
                commands.entity(root).despawn();
            }
        }
        for id in self.changed.drain() {
            let Some(known) = self.twins.get_mut(&id) else { continue };
            let news = (TwinDescription(known.info.clone()), known.access.clone(), known.state.clone());
            let spawn = || commands.spawn((Name::new(id.to_string()), Twin(id.clone()), TwinRoot)).id();
            let new = known.root.is_none();
            let root = *known.root.get_or_insert_with(spawn);
            let others = mirroring.index.get(&id).iter().filter(|entity| **entity != root);
            for entity in others.chain([&root]) {
                commands.entity(*entity).insert(news.clone());
            }
            if new {
                commands.write_message(TwinAppeared { twin: id.clone(), entity: root });
            }
        }
        for (twin, feature, picture) in self.pictures.drain(..) {
            let Some(known) = self.twins.get_mut(&twin) else { continue };
            known.shown.0.insert(feature, picture);
            // A camera that is gone takes its picture with it.
            known.shown.0.retain(|feature, _| known.info.features.contains_key(feature));
            if let Some(root) = known.root {
                commands.entity(root).insert(known.shown.clone());
            }
        }
        for (twin, model) in self.models.drain(..) {
            if let Some(root) = self.twins.get(&twin).and_then(|known| known.root) {
                commands.entity(root).insert(model);
            }
        }
    }
}

/// Entities that were bound to a twin after its news came get what is known.
pub(crate) fn adopt(
    mut commands: Commands,
    orphans: Query<(Entity, &Twin), (Without<TwinDescription>, Without<TwinRoot>)>,
    mirror: Res<Mirror>,
) {
    for (entity, twin) in &orphans {
        if let Some(known) = mirror.twins.get(&twin.0) {
            let (description, access) = (TwinDescription(known.info.clone()), known.access.clone());
            commands.entity(entity).insert((description, access, known.state.clone()));
        }
    }
}

fn as_reading(wire: WireReading, now_s: f64) -> Reading {
    #[expect(clippy::cast_precision_loss, reason = "an age in seconds")]
    let reported_at = wire.age_ms.map(|age| now_s - age as f64 / 1000.0);
    Reading { value: wire.value, desired: wire.desired, truth: wire.truth, reported_at, revision: wire.revision }
}

fn seconds_to_ms(seconds: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an app's age, never negative")]
    let millis = (seconds.max(0.0) * 1000.0) as u64;
    millis
}
