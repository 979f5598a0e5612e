use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bevy::{gltf::GltfPlugin, prelude::*, world_serialization::WorldSerializationPlugin};
use vestibule_twin::{
    Notify, Twin, TwinDescription, TwinPart, TwinRole, TwinRoot,
    model::{FeatureId, FeatureInfo, FeatureKind, TwinId, TwinInfo},
};

use super::{ShowTwinModel, TileKind, TwinModelRefused, TwinModelShown, TwinVisual, VisualPlugin};
use crate::{
    scene::{Places, WorldState},
    testing::{glb, headless, triangle},
};

fn app() -> App {
    let mut app = headless();
    app.add_plugins((WorldSerializationPlugin, GltfPlugin::default(), VisualPlugin::default()))
        .init_state::<WorldState>()
        .init_resource::<Places>()
        .insert_resource(State::new(WorldState::Ready));
    app.finish();
    app
}

fn twin(app: &mut App, name: &str, kind: FeatureKind) -> (TwinId, Entity) {
    let id = TwinId::new(format!("shed/{name}")).unwrap();
    let mut info = TwinInfo::new(id.clone(), name);
    let feature = FeatureInfo {
        name: "It".to_owned(),
        kind,
        class: None,
        properties: BTreeMap::default(),
        actions: BTreeMap::default(),
        events: BTreeSet::default(),
    };
    info.features.insert(FeatureId::new("it").unwrap(), feature);
    let root = app.world_mut().spawn((Twin(id.clone()), TwinRoot, TwinDescription(Arc::new(info)))).id();
    (id, root)
}

fn visuals(app: &mut App) -> Vec<TwinVisual> {
    app.update();
    app.update();
    let mut query = app.world_mut().query::<&TwinVisual>();
    let mut found: Vec<_> = query.iter(app.world()).cloned().collect();
    found.sort_by_key(|visual| visual.slot);
    found
}

fn wait(app: &mut App, done: impl Fn(&mut App) -> bool) -> bool {
    (0..500).any(|_| {
        app.update();
        std::thread::sleep(std::time::Duration::from_millis(2));
        done(app)
    })
}

fn heard<M: Message>(app: &App) -> usize {
    let messages = app.world().resource::<Messages<M>>();
    messages.get_cursor().read(messages).count()
}

#[test]
fn a_twin_that_nothing_shows_gets_a_tile_until_something_does() {
    let mut app = app();
    let (lamp, _) = twin(&mut app, "lamp", FeatureKind::Light);
    let (_, lock) = twin(&mut app, "lock", FeatureKind::Lock);
    let found = visuals(&mut app);
    assert_eq!(found.iter().map(|visual| visual.slot).collect::<Vec<_>>(), [Some(0), Some(1)]);
    let mut parts = app.world_mut().query::<&TwinPart>();
    let shines = |part: &TwinPart| part.twin == lamp && matches!(part.role, TwinRole::Lamp { .. });
    assert_eq!(parts.iter(app.world()).filter(|part| shines(part)).count(), 1);
    let node = app.world_mut().spawn(TwinPart { twin: lamp.clone(), role: TwinRole::Body }).id();
    assert_eq!(visuals(&mut app).len(), 1, "the node shows it now");
    app.world_mut().despawn(node);
    assert_eq!(visuals(&mut app).len(), 2, "and does not any more");
    app.world_mut().despawn(lock);
    assert_eq!(visuals(&mut app).iter().map(|visual| visual.twin.clone()).collect::<Vec<_>>(), [lamp]);
}

#[test]
fn a_checked_model_replaces_the_tile_and_its_extras_mean_nothing() {
    let mut app = app();
    let (id, _) = twin(&mut app, "pump", FeatureKind::Switch);
    assert_eq!(visuals(&mut app).len(), 1);
    let (json, bin) = triangle();
    let bytes: Arc<[u8]> = glb(&json, &bin).into();
    app.world_mut().write_message(ShowTwinModel { twin: id.clone(), bytes, node: Some("thing".to_owned()) });
    assert!(wait(&mut app, |app| heard::<TwinModelShown>(app) > 0));
    let there = |app: &mut App| {
        let mut names = app.world_mut().query::<(&Name, &Visibility)>();
        names.iter(app.world()).any(|(name, seen)| name.as_str() == "thing" && *seen == Visibility::Visible)
    };
    assert!(wait(&mut app, there), "the node that is the twin is shown");
    assert_eq!(visuals(&mut app).len(), 1);
    let mut parts = app.world_mut().query::<&TwinPart>();
    assert!(parts.iter(app.world()).all(|part| part.twin == id), "a model cannot speak for other twins");
}

#[test]
fn a_looping_model_is_refused_and_the_tile_stays() {
    let mut app = app();
    let (id, _) = twin(&mut app, "pump", FeatureKind::Switch);
    let (mut json, bin) = triangle();
    json["nodes"][1]["children"] = serde_json::json!([0]);
    let bytes: Arc<[u8]> = glb(&json, &bin).into();
    app.world_mut().write_message(ShowTwinModel { twin: id, bytes, node: None });
    assert!(wait(&mut app, |app| heard::<TwinModelRefused>(app) > 0));
    assert_eq!(heard::<Notify>(&app), 1);
    assert_eq!(visuals(&mut app).len(), 1);
}

#[test]
fn a_model_that_breaks_while_it_is_loaded_gives_the_tile_back() {
    let mut app = app();
    let (id, _) = twin(&mut app, "pump", FeatureKind::Switch);
    assert_eq!(visuals(&mut app).len(), 1);
    let (mut json, mut bin) = triangle();
    let mut png = std::io::Cursor::new(Vec::new());
    let noise = image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([(x * 37 + y * 91) as u8, (x * y) as u8, x as u8]));
    noise.write_to(&mut png, image::ImageFormat::Png).unwrap();
    // Its header is whole: only whoever decodes it finds out.
    let image = &png.into_inner()[..300];
    let start = bin.len().next_multiple_of(4);
    bin.resize(start, 0);
    bin.extend(image);
    json["bufferViews"].as_array_mut().unwrap().push(serde_json::json!(
        {"buffer": 0, "byteOffset": start, "byteLength": image.len()}));
    json["buffers"][0]["byteLength"] = bin.len().into();
    json["images"] = serde_json::json!([{"bufferView": 2, "mimeType": "image/png"}]);
    json["textures"] = serde_json::json!([{"source": 0}]);
    json["materials"] = serde_json::json!([{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]);
    json["meshes"][0]["primitives"][0]["material"] = 0.into();
    let bytes: Arc<[u8]> = glb(&json, &bin).into();
    app.world_mut().write_message(ShowTwinModel { twin: id.clone(), bytes, node: None });
    assert!(wait(&mut app, |app| heard::<TwinModelRefused>(app) > 0));
    let tile = |app: &mut App| visuals(app).iter().any(|visual| visual.twin == id && visual.tile.is_some());
    assert!(wait(&mut app, tile), "the tile is back");
    assert_eq!(heard::<TwinModelShown>(&app), 0);
}

#[test]
fn a_twin_that_becomes_something_else_gets_another_tile_in_its_place() {
    let mut app = app();
    twin(&mut app, "first", FeatureKind::Lock);
    let (id, root) = twin(&mut app, "second", FeatureKind::Sensor);
    let before = visuals(&mut app).into_iter().find(|visual| visual.twin == id).unwrap();
    assert_eq!(before.tile, Some(TileKind::Sensor));
    let mut info = app.world().get::<TwinDescription>(root).unwrap().0.as_ref().clone();
    info.features.values_mut().for_each(|feature| feature.kind = FeatureKind::Light);
    app.world_mut().entity_mut(root).insert(TwinDescription(Arc::new(info)));
    let after: Vec<_> = visuals(&mut app).into_iter().filter(|visual| visual.twin == id).collect();
    assert_eq!(after.len(), 1);
    assert_eq!((after[0].tile, after[0].slot), (Some(TileKind::Lamp), before.slot));
}

#[test]
fn more_devices_than_the_wall_has_room_for_are_told() {
    let mut app = app();
    for number in 0..17 {
        twin(&mut app, &format!("lamp{number}"), FeatureKind::Light);
    }
    assert_eq!(visuals(&mut app).len(), 15);
    assert_eq!(heard::<Notify>(&app), 1);
}
