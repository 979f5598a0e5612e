use std::{collections::BTreeMap, fmt::Write as _, io::Write};

use super::{
    ExportError, number,
    package::{Archive, Package, Text},
    thumbnail::thumbnail,
    z_up,
};
use crate::{
    design::{Design, MaterialKey},
    solid::{Body, EVALUATOR, Solids},
};

/// What these files are called on the wire.
pub const MEDIA_TYPE: &str = "model/3mf";
/// Of our own metadata and relationships.
pub const NAMESPACE: &str = "https://example.com/vestibule/3mf";
/// Points and triangles of a piece: about 160 KiB of text, which is deflated by itself. Each that is worked on is held in
/// memory; each begins anew, so smaller ones make larger files.
const OF_A_PIECE: usize = 4_096;
/// Of these are written at once: all of a piece's text would take more memory than it does when it is deflated.
const AT_ONCE: usize = 512;
/// Of the format's own elements.
pub(crate) const CORE: &str = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02";
/// The resource that holds the materials; objects come after it.
const MATERIALS_ID: usize = 1;

const TYPES: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8"?>"#,
    r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">"#,
    r#"<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>"#,
    r#"<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>"#,
    r#"<Default Extension="png" ContentType="image/png"/>"#,
    r#"<Default Extension="json" ContentType="application/json"/></Types>"#
);

const RELATIONS: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8"?>"#,
    r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">"#,
    r#"<Relationship Id="rel0" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel" "#,
    r#"Target="/3D/3dmodel.model"/>"#,
    r#"<Relationship Id="rel1" "#,
    r#"Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail" "#,
    r#"Target="/Metadata/thumbnail.png"/>"#,
    r#"<Relationship Id="rel2" Type="https://example.com/vestibule/3mf/design" Target="/Metadata/design.json"/>"#,
    r#"</Relationships>"#
);

/// Writes a 3MF package: millimetres, Z up, standing on the bed; materials with their colours; a picture; the design's
/// canonical text and its hash. The same design gives the same bytes.
///
/// # Errors
/// [`ExportError`] where the solids are not the design's, or the writer takes no more.
pub fn write(solids: &Solids, design: &Design, to: &mut impl Write) -> Result<Package, ExportError> {
    let text = design.canonical()?;
    if design.hash()? != solids.design {
        return Err(ExportError::OtherDesign);
    }
    let mut archive = Archive::new(to);
    archive.entry("[Content_Types].xml", |part| Ok(part.write_all(TYPES.as_bytes())?))?;
    archive.entry("_rels/.rels", |part| Ok(part.write_all(RELATIONS.as_bytes())?))?;
    archive.pieces("3D/3dmodel.model", &model(solids, design))?;
    let picture = thumbnail(solids)?;
    archive.entry("Metadata/thumbnail.png", |part| Ok(part.write_all(&picture)?))?;
    archive.entry("Metadata/design.json", |part| Ok(part.write_all(text.as_bytes())?))?;
    archive.finish()
}

/// A part of the model's text, not written yet.
enum Said<'a> {
    Words(String),
    Points(&'a [[f32; 3]]),
    Triangles(&'a [[u32; 3]]),
}

impl Text for Said<'_> {
    fn write(&self, to: &mut Vec<u8>) {
        match self {
            Self::Words(words) => to.extend_from_slice(words.as_bytes()),
            Self::Points(points) => points.iter().for_each(|point| vertex(*point, to)),
            Self::Triangles(triangles) => triangles.iter().for_each(|corners| triangle(*corners, to)),
        }
    }
}

/// The model's text in pieces. Where they end depends on the model alone: the same design gives the same bytes on every
/// machine.
struct Pieces<'a> {
    pieces: Vec<Vec<Said<'a>>>,
    /// Points and triangles for which the last one has room.
    room: usize,
}

impl<'a> Pieces<'a> {
    fn say(&mut self, said: Said<'a>) {
        match self.pieces.last_mut() {
            Some(piece) => piece.push(said),
            None => self.pieces.push(vec![said]),
        }
    }

    fn words(&mut self, words: impl Into<String>) {
        self.say(Said::Words(words.into()));
    }

    fn all<T>(&mut self, mut rest: &'a [T], said: impl Fn(&'a [T]) -> Said<'a>) {
        while !rest.is_empty() {
            if self.room == 0 {
                self.pieces.push(Vec::new());
                self.room = OF_A_PIECE;
            }
            let (now, later) = rest.split_at(rest.len().min(self.room).min(AT_ONCE));
            self.say(said(now));
            (self.room, rest) = (self.room - now.len(), later);
        }
    }
}

fn model<'a>(solids: &'a Solids, design: &Design) -> Vec<Vec<Said<'a>>> {
    let mut to = Pieces { pieces: Vec::new(), room: OF_A_PIECE };
    let mut head = String::from(r#"<?xml version="1.0" encoding="UTF-8"?>"#);
    let _ = write!(head, r#"<model unit="millimeter" xml:lang="en-US" xmlns="{CORE}" xmlns:v="{NAMESPACE}">"#);
    let metadata = [
        ("Title", escaped(&design.name)),
        ("Application", "Vestibule".to_owned()),
        ("v:Design", solids.design.to_string()),
        ("v:Evaluator", EVALUATOR.to_string()),
    ];
    for (name, value) in metadata {
        let _ = write!(head, r#"<metadata name="{name}">{value}</metadata>"#);
    }
    let _ = write!(head, r#"<resources><basematerials id="{MATERIALS_ID}">"#);
    let mut places: BTreeMap<&MaterialKey, usize> = BTreeMap::new();
    for (place, (key, material)) in design.materials.iter().enumerate() {
        let [red, green, blue] = material.colour;
        let name = escaped(&material.name);
        let _ = write!(head, r##"<base name="{name}" displaycolor="#{red:02X}{green:02X}{blue:02X}FF"/>"##);
        places.insert(key, place);
    }
    head.push_str("</basematerials>");
    to.words(head);
    let first = MATERIALS_ID + 1;
    for (id, body) in (first..).zip(&solids.bodies) {
        object(id, body, places.get(&body.material_key).copied().unwrap_or_default(), &mut to);
    }
    let mut tail = String::new();
    let mut item = first;
    if solids.bodies.len() > 1 {
        item = first + solids.bodies.len();
        let _ = write!(tail, r#"<object id="{item}" type="model" name="{}"><components>"#, escaped(&design.name));
        (first..item).for_each(|id| {
            let _ = write!(tail, r#"<component objectid="{id}"/>"#);
        });
        tail.push_str("</components></object>");
    }
    // On the bed, and nothing at negative places, as slicers like it.
    let bounds = solids.bounds();
    let (x, y, z) = (0.0 - bounds.low[0], bounds.high[2] + 0.0, 0.0 - bounds.low[1]);
    let _ = write!(tail, r#"</resources><build><item objectid="{item}" transform="1 0 0 0 1 0 0 0 1 {x} {y} {z}"/>"#);
    tail.push_str("</build></model>");
    to.words(tail);
    to.pieces
}

fn object<'a>(id: usize, body: &'a Body, material: usize, to: &mut Pieces<'a>) {
    let name = escaped(&body.name);
    to.words(format!(
        r#"<object id="{id}" type="model" pid="{MATERIALS_ID}" pindex="{material}" name="{name}"><mesh><vertices>"#
    ));
    to.all(&body.mesh.points, Said::Points);
    to.words("</vertices><triangles>");
    to.all(&body.mesh.triangles, Said::Triangles);
    to.words("</triangles></mesh></object>");
}

fn vertex(point: [f32; 3], to: &mut Vec<u8>) {
    let [x, y, z] = z_up(point);
    for (mark, value) in [(&b"<vertex x=\""[..], x), (b"\" y=\"", y), (b"\" z=\"", z)] {
        to.extend_from_slice(mark);
        number::real(value, to);
    }
    to.extend_from_slice(b"\"/>");
}

fn triangle([a, b, c]: [u32; 3], to: &mut Vec<u8>) {
    for (mark, corner) in [(&b"<triangle v1=\""[..], a), (b"\" v2=\"", b), (b"\" v3=\"", c)] {
        to.extend_from_slice(mark);
        number::whole(corner, to);
    }
    to.extend_from_slice(b"\"/>");
}

/// As text or attribute. What XML cannot say is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_so_that_they_are_read_back() {
        assert_eq!(escaped("a<b> & \"c\"\u{1}'"), "a&lt;b&gt; &amp; &quot;c&quot;&apos;");
    }
}
