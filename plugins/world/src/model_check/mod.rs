//! Whether a glTF binary that came from outside may be given to a renderer.
//!
//! A twin's model is made by whoever made the twin: it is hostile until checked. [`check_glb`] reads all of it, takes
//! nothing on trust and follows no reference out of the file. Pure: bytes in, a summary or a refusal out.

mod geometry;
mod graph;
mod header;
mod refusal;
#[cfg(test)]
mod tests;

use gltf::json;

pub use refusal::ModelRefusal;

/// How large a model may be. The numbers bound memory and time: one model of one device, not a city.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of the whole file.
    pub bytes: usize,
    /// Bytes of its JSON.
    pub json_bytes: usize,
    /// Nesting of arrays and objects in its JSON.
    pub json_depth: usize,
    /// Nodes of the scene graph.
    pub nodes: usize,
    /// Nodes on the way from a root to a leaf.
    pub node_depth: usize,
    /// Meshes.
    pub meshes: usize,
    /// Triangles, each primitive counted as often as nodes show it.
    pub triangles: usize,
    /// Vertices of all primitives.
    pub vertices: usize,
    /// Materials.
    pub materials: usize,
    /// Textures and images.
    pub textures: usize,
    /// Pixels of a texture's longer side.
    pub texture_side: u32,
    /// Pixels of all images together.
    pub texture_pixels: u64,
    /// Metres from one end of the model to the other.
    pub extent: f32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 32 << 20,
            json_bytes: 4 << 20,
            json_depth: 32,
            nodes: 4096,
            node_depth: 64,
            meshes: 2048,
            triangles: 500_000,
            vertices: 1_000_000,
            materials: 256,
            textures: 64,
            texture_side: 4096,
            texture_pixels: 64 << 20,
            extent: 20.0,
        }
    }
}

/// What a checked model consists of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelSummary {
    /// Nodes of the scene graph.
    pub nodes: usize,
    /// Meshes.
    pub meshes: usize,
    /// Triangles as drawn.
    pub triangles: usize,
    /// Vertices as stored.
    pub vertices: usize,
    /// Materials.
    pub materials: usize,
    /// Textures.
    pub textures: usize,
    /// Pixels of all images.
    pub texture_pixels: u64,
    /// Names of its nodes, in the file's order; unnamed ones are left out.
    pub node_names: Vec<String>,
    /// Least and greatest corner in the model's frame, metres; zeros for a model without triangles.
    pub bounds: [[f32; 3]; 2],
}

/// Extensions that a model may require: those that the renderer understands and that refer to nothing outside.
const EXTENSIONS: [&str; 7] = [
    "KHR_materials_emissive_strength",
    "KHR_materials_ior",
    "KHR_materials_transmission",
    "KHR_materials_unlit",
    "KHR_materials_volume",
    "KHR_materials_specular",
    "KHR_texture_transform",
];

/// Reads a whole glTF binary and says what is in it, or why it is not shown.
///
/// # Errors
/// [`ModelRefusal`] names the first thing that is wrong, in words for the person who made the model.
pub fn check_glb(bytes: &[u8], limits: &Limits) -> Result<ModelSummary, ModelRefusal> {
    let chunks = header::split(bytes, limits)?;
    header::check_json_depth(chunks.json, limits.json_depth)?;
    let root: json::Root =
        json::deserialize::from_slice(chunks.json).map_err(|error| ModelRefusal::Json(short(&error.to_string())))?;
    check_counts(&root, limits)?;
    check_features(&root)?;
    geometry::check_buffers(&root, chunks.bin)?;
    graph::check_tree(&root, limits)?;
    geometry::check_references(&root)?;
    // The crate's own validation comes after ours: it indexes accessors by primitives before it looks at the range.
    let document = gltf::Document::from_json(root).map_err(|error| ModelRefusal::Json(short(&error.to_string())))?;
    let mut summary = geometry::measure(&document, chunks.bin, limits)?;
    summary.texture_pixels = geometry::check_images(&document, chunks.bin, limits)?;
    summary.nodes = document.nodes().len();
    summary.meshes = document.meshes().len();
    summary.materials = document.materials().len();
    summary.textures = document.textures().len();
    summary.node_names = document.nodes().filter_map(|node| node.name().map(str::to_owned)).collect();
    Ok(summary)
}

fn check_counts(root: &json::Root, limits: &Limits) -> Result<(), ModelRefusal> {
    let counts = [
        ("nodes", root.nodes.len(), limits.nodes),
        ("scenes", root.scenes.len(), 16),
        ("meshes", root.meshes.len(), limits.meshes),
        ("primitives", root.meshes.iter().map(|mesh| mesh.primitives.len()).sum(), limits.meshes.saturating_mul(4)),
        ("materials", root.materials.len(), limits.materials),
        ("textures", root.textures.len(), limits.textures),
        ("images", root.images.len(), limits.textures),
        ("accessors", root.accessors.len(), limits.meshes.saturating_mul(16)),
        ("buffer views", root.buffer_views.len(), limits.meshes.saturating_mul(16)),
        ("samplers", root.samplers.len(), limits.textures),
        ("cameras", root.cameras.len(), 16),
    ];
    match counts.into_iter().find(|(_, count, limit)| count > limit) {
        Some((what, count, limit)) => Err(ModelRefusal::TooMany { what, count, limit }),
        None => Ok(()),
    }
}

fn check_features(root: &json::Root) -> Result<(), ModelRefusal> {
    if let Some(name) = root.extensions_required.iter().find(|name| !EXTENSIONS.contains(&name.as_str())) {
        return Err(ModelRefusal::Extension(short(name)));
    }
    if !root.skins.is_empty() || root.nodes.iter().any(|node| node.skin.is_some()) {
        return Err(ModelRefusal::Unsupported("skins"));
    }
    if root.accessors.iter().any(|accessor| accessor.sparse.is_some()) {
        return Err(ModelRefusal::Unsupported("sparse accessors"));
    }
    let mut primitives = root.meshes.iter().flat_map(|mesh| &mesh.primitives);
    if primitives.any(|primitive| primitive.targets.as_ref().is_some_and(|targets| !targets.is_empty())) {
        return Err(ModelRefusal::Unsupported("morph targets"));
    }
    Ok(())
}

/// A text from the file, cut so that no message grows with it.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(160).collect()
}
