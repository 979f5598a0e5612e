use std::io::Cursor;

use bevy::math::{Mat4, Vec3};
use gltf::json::{self, validation::Checked};

use super::{Limits, ModelRefusal, ModelSummary, short};

fn range(what: &'static str, index: usize, how: &'static str) -> ModelRefusal {
    ModelRefusal::Range { what, index, how }
}

/// One buffer, in the file; every view inside it; every accessor inside its view.
pub(super) fn check_buffers(root: &json::Root, bin: &[u8]) -> Result<(), ModelRefusal> {
    if let Some(uri) = root.buffers.iter().find_map(|buffer| buffer.uri.as_ref()) {
        return Err(ModelRefusal::External(short(uri)));
    }
    if let Some(uri) = root.images.iter().find_map(|image| image.uri.as_ref()) {
        return Err(ModelRefusal::External(short(uri)));
    }
    if root.buffers.len() > 1 {
        return Err(range("buffer", 1, "is not in the file"));
    }
    if root.buffers.iter().any(|buffer| buffer.byte_length.0 > bin.len() as u64) {
        return Err(range("buffer", 0, "is longer than the file's binary data"));
    }
    for (index, view) in root.buffer_views.iter().enumerate() {
        let buffer = root.buffers.get(view.buffer.value()).ok_or(range("view", index, "names no buffer"))?;
        let end = view.byte_offset.map_or(0, |offset| offset.0).checked_add(view.byte_length.0);
        if end.is_none_or(|end| end > buffer.byte_length.0) {
            return Err(range("view", index, "ends outside of its buffer"));
        }
    }
    root.accessors.iter().enumerate().try_for_each(|(index, accessor)| check_accessor(root, index, accessor))
}

fn check_accessor(root: &json::Root, index: usize, accessor: &json::Accessor) -> Result<(), ModelRefusal> {
    let (Checked::Valid(component), Checked::Valid(shape)) = (accessor.component_type, accessor.type_) else {
        return Err(range("accessor", index, "has no known type"));
    };
    let view = accessor.buffer_view.and_then(|view| root.buffer_views.get(view.value()));
    let view = view.ok_or(range("accessor", index, "names no view"))?;
    let size = (component.0.size() * shape.multiplicity()) as u64;
    let stride = view.byte_stride.map_or(size, |stride| stride.0 as u64);
    if stride < size || accessor.count.0 == 0 {
        return Err(range("accessor", index, "is empty or overlaps itself"));
    }
    let last = (accessor.count.0 - 1).checked_mul(stride).and_then(|bytes| bytes.checked_add(size));
    let end = last.and_then(|bytes| bytes.checked_add(accessor.byte_offset.map_or(0, |offset| offset.0)));
    if end.is_none_or(|end| end > view.byte_length.0) {
        return Err(range("accessor", index, "ends outside of its view"));
    }
    Ok(())
}

/// What primitives, nodes, textures and images name is there and is of a type that can be drawn.
pub(super) fn check_references(root: &json::Root) -> Result<(), ModelRefusal> {
    for (index, mesh) in root.meshes.iter().enumerate() {
        mesh.primitives.iter().try_for_each(|primitive| check_primitive(root, index, primitive))?;
    }
    for (index, node) in root.nodes.iter().enumerate() {
        if node.mesh.is_some_and(|mesh| mesh.value() >= root.meshes.len()) {
            return Err(range("node", index, "names no mesh"));
        }
        let numbers = node.matrix.iter().flatten().chain(node.translation.iter().flatten());
        let numbers = numbers.chain(node.scale.iter().flatten());
        if numbers.chain(node.rotation.iter().flat_map(|turn| &turn.0)).any(|number| !number.is_finite()) {
            return Err(ModelRefusal::Number { what: "node", index });
        }
    }
    for (index, texture) in root.textures.iter().enumerate() {
        if texture.source.value() >= root.images.len() {
            return Err(range("texture", index, "names no image"));
        }
    }
    for (index, image) in root.images.iter().enumerate() {
        if image.buffer_view.is_none_or(|view| view.value() >= root.buffer_views.len()) {
            return Err(range("image", index, "names no view"));
        }
        if !image.mime_type.as_ref().is_some_and(|mime| matches!(mime.0.as_str(), "image/png" | "image/jpeg")) {
            return Err(ModelRefusal::Image { index });
        }
    }
    Ok(())
}

fn check_primitive(root: &json::Root, mesh: usize, primitive: &json::mesh::Primitive) -> Result<(), ModelRefusal> {
    use json::accessor::{ComponentType, Type};
    if !matches!(primitive.mode, Checked::Valid(json::mesh::Mode::Triangles)) {
        return Err(ModelRefusal::Unsupported("lines, points or strips"));
    }
    let accessor = |index: &json::Index<json::Accessor>| {
        root.accessors.get(index.value()).ok_or(range("mesh", mesh, "names no accessor"))
    };
    let typed = |a: &json::Accessor, shape: Type| {
        matches!(a.type_, Checked::Valid(t) if t == shape)
            && matches!(a.component_type, Checked::Valid(c) if c.0 == ComponentType::F32)
    };
    let positions = primitive.attributes.get(&Checked::Valid(json::mesh::Semantic::Positions));
    let positions = accessor(positions.ok_or(range("mesh", mesh, "has no positions"))?)?;
    if !typed(positions, Type::Vec3) {
        return Err(range("mesh", mesh, "has positions that are not three floats each"));
    }
    for (semantic, index) in &primitive.attributes {
        let attribute = accessor(index)?;
        if attribute.count.0 != positions.count.0 {
            return Err(range("mesh", mesh, "has attributes of different lengths"));
        }
        let fits = match semantic {
            Checked::Valid(json::mesh::Semantic::Normals) => typed(attribute, Type::Vec3),
            Checked::Valid(json::mesh::Semantic::Tangents) => typed(attribute, Type::Vec4),
            _ => true,
        };
        if !fits {
            return Err(range("mesh", mesh, "has normals or tangents of another type than floats"));
        }
    }
    let Some(indices) = &primitive.indices else { return Ok(()) };
    let indices = accessor(indices)?;
    let whole = matches!(indices.component_type,
        Checked::Valid(c) if matches!(c.0, ComponentType::U8 | ComponentType::U16 | ComponentType::U32));
    if !whole || !matches!(indices.type_, Checked::Valid(Type::Scalar)) {
        return Err(range("mesh", mesh, "has indices that are no whole numbers"));
    }
    Ok(())
}

/// One mesh as read: how many triangles, and the corners of its bounds.
#[derive(Clone, Copy)]
struct Measured {
    triangles: usize,
    bounds: Option<(Vec3, Vec3)>,
}

/// What reading may still cost. Many primitives can share one accessor: each of them is read, so each is counted, and
/// before it is read.
struct Budget<'a> {
    vertices: usize,
    triangles: usize,
    limits: &'a Limits,
}

impl Budget<'_> {
    fn vertices(&mut self, more: usize) -> Result<(), ModelRefusal> {
        self.vertices = self.vertices.saturating_add(more);
        let (count, limit) = (self.vertices, self.limits.vertices);
        if count > limit { Err(ModelRefusal::TooMany { what: "vertices", count, limit }) } else { Ok(()) }
    }

    fn triangles(&mut self, more: usize) -> Result<(), ModelRefusal> {
        self.triangles = self.triangles.saturating_add(more);
        let (count, limit) = (self.triangles, self.limits.triangles);
        if count > limit { Err(ModelRefusal::TooMany { what: "triangles", count, limit }) } else { Ok(()) }
    }
}

/// Reads all positions and indices; walks every scene for what is drawn and how large it is.
pub(super) fn measure(document: &gltf::Document, bin: &[u8], limits: &Limits) -> Result<ModelSummary, ModelRefusal> {
    let mut budget = Budget { vertices: 0, triangles: 0, limits };
    let mut meshes = Vec::with_capacity(document.meshes().len());
    for mesh in document.meshes() {
        meshes.push(measure_mesh(&mesh, bin, &mut budget)?);
    }
    let vertices = budget.vertices;
    let mut triangles = 0_usize;
    let (mut low, mut high) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
    let mut open: Vec<(gltf::Node<'_>, Mat4)> = document
        .scenes()
        .flat_map(|scene| scene.nodes().collect::<Vec<_>>())
        .map(|node| (node, Mat4::IDENTITY))
        .collect();
    while let Some((node, above)) = open.pop() {
        let here = above * Mat4::from_cols_array_2d(&node.transform().matrix());
        if let Some(measured) = node.mesh().and_then(|mesh| meshes.get(mesh.index())) {
            triangles = triangles.saturating_add(measured.triangles);
            if triangles > limits.triangles {
                return Err(ModelRefusal::TooMany { what: "triangles", count: triangles, limit: limits.triangles });
            }
            for corner in measured.bounds.iter().flat_map(|(a, b)| corners(*a, *b)) {
                let point = here.transform_point3(corner);
                if !point.is_finite() {
                    return Err(ModelRefusal::Number { what: "node", index: node.index() });
                }
                (low, high) = (low.min(point), high.max(point));
            }
        }
        open.extend(node.children().map(|child| (child, here)));
    }
    let bounds = if low.x > high.x { [[0.0; 3]; 2] } else { [low.to_array(), high.to_array()] };
    let metres = (Vec3::from(bounds[1]) - Vec3::from(bounds[0])).max_element();
    if metres > limits.extent {
        return Err(ModelRefusal::Extent { metres, limit: limits.extent });
    }
    Ok(ModelSummary { triangles, vertices, bounds, ..ModelSummary::default() })
}

fn corners(low: Vec3, high: Vec3) -> [Vec3; 8] {
    let pick = |bits: usize, bit: usize, a: f32, b: f32| if bits & bit == 0 { a } else { b };
    std::array::from_fn(|i| Vec3::new(pick(i, 1, low.x, high.x), pick(i, 2, low.y, high.y), pick(i, 4, low.z, high.z)))
}

fn measure_mesh(mesh: &gltf::Mesh<'_>, bin: &[u8], budget: &mut Budget<'_>) -> Result<Measured, ModelRefusal> {
    let index = mesh.index();
    let mut total = Measured { triangles: 0, bounds: None };
    for primitive in mesh.primitives() {
        let stored = primitive.get(&gltf::Semantic::Positions).map_or(0, |accessor| accessor.count());
        budget.vertices(stored)?;
        let reader = primitive.reader(|_| Some(bin));
        for position in reader.read_positions().into_iter().flatten().map(Vec3::from) {
            if !position.is_finite() {
                return Err(ModelRefusal::Number { what: "mesh", index });
            }
            let (low, high) = total.bounds.unwrap_or((position, position));
            total.bounds = Some((low.min(position), high.max(position)));
        }
        let corners = match reader.read_indices() {
            None => stored,
            Some(indices) => {
                let count = primitive.indices().map_or(0, |accessor| accessor.count());
                budget.triangles(count / 3)?;
                if indices.into_u32().any(|vertex| usize::try_from(vertex).map_or(true, |vertex| vertex >= stored)) {
                    return Err(range("mesh", index, "names a vertex that it does not have"));
                }
                count
            }
        };
        if corners % 3 != 0 {
            return Err(range("mesh", index, "ends inside a triangle"));
        }
        total.triangles = total.triangles.saturating_add(corners / 3);
    }
    Ok(total)
}

/// The pixels of all images, from their own headers; nothing is decoded.
pub(super) fn check_images(document: &gltf::Document, bin: &[u8], limits: &Limits) -> Result<u64, ModelRefusal> {
    let mut pixels = 0_u64;
    for image in document.images() {
        let index = image.index();
        let gltf::image::Source::View { view, mime_type } = image.source() else {
            return Err(ModelRefusal::External(format!("image {index}")));
        };
        let end = view.offset().saturating_add(view.length());
        let bytes = bin.get(view.offset()..end).ok_or(range("image", index, "ends outside of the file"))?;
        let format = if mime_type == "image/png" { image::ImageFormat::Png } else { image::ImageFormat::Jpeg };
        let size = image::ImageReader::with_format(Cursor::new(bytes), format).into_dimensions();
        let (width, height) = size.map_err(|_| ModelRefusal::Image { index })?;
        if width.max(height) > limits.texture_side {
            return Err(ModelRefusal::ImageSize { index, width, height, limit: limits.texture_side });
        }
        pixels += u64::from(width) * u64::from(height);
    }
    if pixels > limits.texture_pixels {
        let limit = usize::try_from(limits.texture_pixels).unwrap_or(usize::MAX);
        let count = usize::try_from(pixels).unwrap_or(usize::MAX);
        return Err(ModelRefusal::TooMany { what: "texture pixels", count, limit });
    }
    Ok(pixels)
}
