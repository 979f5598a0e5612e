//! What this crate's tests share.

use bevy::{asset::AssetPlugin, prelude::*, state::app::StatesPlugin, transform::TransformPlugin};
use serde_json::{Value, json};

/// An app without window and renderer, with the assets that the plugins touch.
pub(crate) fn headless() -> App {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, AssetPlugin::default(), StatesPlugin, TransformPlugin))
        .init_asset::<Mesh>()
        .init_asset::<Image>()
        .init_asset::<StandardMaterial>();
    app
}

/// A glTF binary of this JSON and binary data.
pub(crate) fn glb(json: &Value, bin: &[u8]) -> Vec<u8> {
    let mut text = json.to_string().into_bytes();
    text.resize(text.len().next_multiple_of(4), b' ');
    let mut data = bin.to_vec();
    data.resize(data.len().next_multiple_of(4), 0);
    let total = 12 + 8 + text.len() + 8 + data.len();
    let mut out = b"glTF".to_vec();
    let word = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
    out.extend([word(2), word(total), word(text.len())].concat());
    out.extend(b"JSON");
    out.extend(text);
    out.extend(word(data.len()));
    out.extend(b"BIN\0");
    out.extend(data);
    out
}

/// The JSON and data of one triangle with indices, in a node named `thing` below a node named `top`.
pub(crate) fn triangle() -> (Value, Vec<u8>) {
    let corners: [f32; 9] = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    let mut bin: Vec<u8> = corners.iter().flat_map(|number| number.to_le_bytes()).collect();
    bin.extend([0_u16, 1, 2].iter().flat_map(|index| index.to_le_bytes()));
    let json = json!({
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {"name": "top", "children": [1], "extras": {"vestibule_spawn": "default"}, "translation": [0.0, 1.0, 0.0]},
            {"name": "thing", "mesh": 0, "extras": {"vestibule_twin": "home/lamp", "vestibule_role": "lamp"}},
        ],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 0]},
            {"bufferView": 1, "componentType": 5123, "count": 3, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": 36},
            {"buffer": 0, "byteOffset": 36, "byteLength": 6},
        ],
        "buffers": [{"byteLength": 42}],
    });
    (json, bin)
}
