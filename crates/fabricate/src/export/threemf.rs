use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{BufWriter, Write},
};

use super::{
    ExportError,
    package::{Archive, Package},
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
/// Text is deflated in pieces of this size.
const CHUNK: usize = 1 << 20;
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
    archive.entry("3D/3dmodel.model", |part| {
        let mut part = BufWriter::with_capacity(CHUNK, part);
        model(solids, design, &mut part)?;
        Ok(part.flush()?)
    })?;
    let picture = thumbnail(solids)?;
    archive.entry("Metadata/thumbnail.png", |part| Ok(part.write_all(&picture)?))?;
    archive.entry("Metadata/design.json", |part| Ok(part.write_all(text.as_bytes())?))?;
    archive.finish()
}

fn model(solids: &Solids, design: &Design, to: &mut impl Write) -> Result<(), ExportError> {
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
    to.write_all(head.as_bytes())?;
    let first = MATERIALS_ID + 1;
    for (id, body) in (first..).zip(&solids.bodies) {
        object(id, body, places.get(&body.material_key).copied().unwrap_or_default(), to)?;
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
    Ok(to.write_all(tail.as_bytes())?)
}

fn object(id: usize, body: &Body, material: usize, to: &mut impl Write) -> Result<(), ExportError> {
    let name = escaped(&body.name);
    write!(to, r#"<object id="{id}" type="model" pid="{MATERIALS_ID}" pindex="{material}" name="{name}"><mesh>"#)?;
    to.write_all(b"<vertices>")?;
    for point in &body.mesh.points {
        let [x, y, z] = z_up(*point);
        write!(to, r#"<vertex x="{x}" y="{y}" z="{z}"/>"#)?;
    }
    to.write_all(b"</vertices><triangles>")?;
    let mut line = Vec::with_capacity(64);
    for [a, b, c] in &body.mesh.triangles {
        line.clear();
        for (mark, number) in [(&b"<triangle v1=\""[..], a), (b"\" v2=\"", b), (b"\" v3=\"", c)] {
            line.extend_from_slice(mark);
            digits(*number, &mut line);
        }
        line.extend_from_slice(b"\"/>");
        to.write_all(&line)?;
    }
    Ok(to.write_all(b"</triangles></mesh></object>")?)
}

/// A whole number in decimals; faster than formatting, which half of the file's numbers notice.
fn digits(mut number: u32, to: &mut Vec<u8>) {
    let mut reversed = [0_u8; 10];
    let mut count = 0;
    loop {
        // A digit is below ten.
        reversed[count] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        count += 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    to.extend(reversed[..count].iter().rev());
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
    fn numbers_and_names_are_written_so_that_they_are_read_back() {
        for number in [0, 7, 10, 99, 1_234_567, u32::MAX] {
            let mut bytes = Vec::new();
            digits(number, &mut bytes);
            assert_eq!(String::from_utf8(bytes).unwrap(), number.to_string());
        }
        assert_eq!(escaped("a<b> & \"c\"\u{1}'"), "a&lt;b&gt; &amp; &quot;c&quot;&apos;");
    }
}
