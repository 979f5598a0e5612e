use std::collections::BTreeMap;

use quick_xml::events::BytesStart;

use super::{
    ImportError, Look, MAX_POINTS, MAX_TRIANGLES, Object, Scene,
    archive::Parts,
    named, near,
    scene::{Frame, Tree, turned},
    too_many, unsupported,
    xml::{Attributes, Elements, Next, get},
};
use crate::{
    design::Design,
    export::{CORE, NAMESPACE},
    mesh::Mesh,
};

/// What packages say that a part of them is, at the end of a longer name.
const MODEL: &str = "/2013/01/3dmodel";
const THUMBNAIL: &str = "/metadata/thumbnail";
/// Extensions that a file may demand, because what is read does not depend on them: materials of the material extension
/// are looks.
const KNOWN: [&str; 2] = [CORE, "http://schemas.microsoft.com/3dmanufacturing/material/2015/02"];
/// The most resources, materials, relations or metadata of a file.
const MAX_PIECES: usize = 4_096;
/// How deep objects may be made of objects.
const MAX_NESTED: usize = 8;
/// The longest text in a file, in bytes.
const MAX_TEXT: usize = 64 << 10;
/// Where a package says what its parts are.
const RELATIONS: &str = "_rels/.rels";

/// Reads a 3MF package: its objects in millimetres, where they stand, what they are made of, and the design in it where
/// one of ours wrote it.
///
/// # Errors
/// [`ImportError`] where it is none, is larger than it may be, or demands what is not read here.
pub fn read(bytes: &[u8]) -> Result<Scene, ImportError> {
    let mut parts = Parts::of(bytes)?;
    let relations = relations(&mut parts)?;
    let target = |kind: &dyn Fn(&str) -> bool| relations.iter().find(|(of, _)| kind(of)).map(|(_, to)| to.clone());
    let model = target(&|of| of.ends_with(MODEL)).ok_or_else(|| ImportError::Missing("the model".to_owned()))?;
    let text = parts.text(&model)?.ok_or_else(|| ImportError::Missing(model.clone()))?;
    let mut scene = Model::read(&model, &text)?;
    drop(text);
    if let Some(name) = target(&|of| of.ends_with(THUMBNAIL)) {
        scene.thumbnail = parts.get(&name)?;
    }
    if let Some(name) = target(&|of| of.strip_prefix(NAMESPACE) == Some("/design")) {
        let text = parts.text(&name)?.ok_or(ImportError::Missing(name))?;
        let design = Design::read(&text)?;
        let hash = design.hash()?;
        if scene.hash.is_some_and(|said| said != hash) {
            return Err(ImportError::OtherDesign);
        }
        (scene.design, scene.hash) = (Some(design), Some(hash));
    }
    Ok(scene)
}

/// What parts of the package are for, and their names.
fn relations(parts: &mut Parts<'_>) -> Result<Vec<(String, String)>, ImportError> {
    let text = parts.text(RELATIONS)?.ok_or_else(|| ImportError::Missing(RELATIONS.to_owned()))?;
    let mut elements = Elements::of(RELATIONS, &text);
    let mut all = Vec::new();
    loop {
        match elements.next()? {
            Next::Begins { element, .. } => {
                let attributes = elements.attributes(&element)?;
                if let (Some(of), Some(to)) = (get(&attributes, "Type"), get(&attributes, "Target")) {
                    if all.len() >= MAX_PIECES {
                        return Err(too_many(RELATIONS, "relations", MAX_PIECES));
                    }
                    all.push((of.to_owned(), to.to_owned()));
                }
            }
            Next::Nothing => return Ok(all),
            Next::Ends | Next::Text(_) => {}
        }
    }
}

struct Model<'a> {
    part: &'a str,
    elements: Elements<'a>,
    /// What stands before the names of the core's elements: nothing, or a prefix and a colon.
    prefix: String,
    /// The same before our own metadata, where there may be any.
    ours: Option<String>,
    millimetres: f64,
    scene: Scene,
    /// Groups of materials: where they begin among the scene's, and how many they are.
    groups: BTreeMap<u32, (usize, usize)>,
    tree: Tree<u32>,
    points: usize,
    triangles: usize,
}

/// The prefix that the model's element gives to a namespace.
fn prefix_of(attributes: &Attributes, namespace: &str) -> Option<String> {
    attributes.iter().filter(|(_, value)| value == namespace).find_map(|(name, _)| match name.as_str() {
        "xmlns" => Some(String::new()),
        name => name.strip_prefix("xmlns:").map(|prefix| format!("{prefix}:")),
    })
}

impl<'a> Model<'a> {
    fn read(part: &'a str, text: &'a str) -> Result<Scene, ImportError> {
        let mut elements = Elements::of(part, text);
        let root = loop {
            match elements.next()? {
                Next::Begins { element, empty: false } => break element,
                Next::Text(text) if text.trim().is_empty() => {}
                _ => return Err(elements.error("it is no model")),
            }
        };
        let attributes = elements.attributes(&root)?;
        let prefix = prefix_of(&attributes, CORE).ok_or_else(|| elements.error("it is no model of 2015"))?;
        if root.name().as_ref() != format!("{prefix}model") {
            return Err(elements.error("it is no model"));
        }
        for needed in get(&attributes, "requiredextensions").unwrap_or_default().split_ascii_whitespace() {
            let namespace = get(&attributes, &format!("xmlns:{needed}")).unwrap_or(needed);
            if !KNOWN.contains(&namespace) {
                return Err(unsupported(part, named(namespace)));
            }
        }
        let millimetres = match get(&attributes, "unit").unwrap_or("millimeter") {
            "micron" => 0.001,
            "millimeter" => 1.0,
            "centimeter" => 10.0,
            "inch" => 25.4,
            "foot" => 304.8,
            "meter" => 1_000.0,
            other => return Err(unsupported(part, format!("the unit {}", named(other)))),
        };
        let ours = prefix_of(&attributes, NAMESPACE);
        let mut model = Self {
            part,
            elements,
            prefix,
            ours,
            millimetres,
            scene: Scene::default(),
            groups: BTreeMap::new(),
            tree: Tree::default(),
            points: 0,
            triangles: 0,
        };
        model.content()?;
        let Self { mut scene, tree, .. } = model;
        scene.placed = tree.placed(part, MAX_NESTED)?;
        Ok(scene)
    }

    /// The core's name of an element; nothing where it is another's.
    fn core<'e>(&self, element: &'e BytesStart<'_>) -> Option<&'e str> {
        element.name().into_inner().strip_prefix(self.prefix.as_str()).filter(|local| !local.contains(':'))
    }

    /// Every element of the one that just began: whose name is asked for with its attributes.
    fn children(
        &mut self,
        empty: bool,
        each: &mut dyn FnMut(&mut Self, &str, &BytesStart<'a>, bool) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        if empty {
            return Ok(());
        }
        loop {
            match self.elements.next()? {
                Next::Begins { element, empty } => match self.core(&element).map(str::to_owned) {
                    Some(name) => each(self, &name, &element, empty)?,
                    None => self.elements.skip(empty)?,
                },
                Next::Ends => return Ok(()),
                Next::Text(_) => {}
                Next::Nothing => return Err(self.elements.error("it ends too early")),
            }
        }
    }

    fn content(&mut self) -> Result<(), ImportError> {
        self.children(false, &mut |model, name, element, empty| match name {
            "metadata" => model.metadata(element, empty),
            "resources" => model.children(empty, &mut |model, name, element, empty| match name {
                "basematerials" => model.materials(element, empty),
                "object" => model.object(element, empty),
                _ => model.elements.skip(empty),
            }),
            "build" => model.children(empty, &mut |model, name, element, empty| {
                if name == "item" {
                    let attributes = model.elements.attributes(element)?;
                    let (object, frame) = model.reference(&attributes)?;
                    model.tree.stand(object, frame).map_err(|_| too_many(model.part, "items", MAX_PIECES))?;
                }
                model.elements.skip(empty)
            }),
            _ => model.elements.skip(empty),
        })?;
        match self.elements.next()? {
            Next::Nothing => Ok(()),
            Next::Text(text) if text.trim().is_empty() => Ok(()),
            _ => Err(self.elements.error("there is more after the model")),
        }
    }

    fn metadata(&mut self, element: &BytesStart<'_>, empty: bool) -> Result<(), ImportError> {
        let attributes = self.elements.attributes(element)?;
        let text = self.elements.text(empty, MAX_TEXT)?;
        let Some(name) = get(&attributes, "name") else { return Err(self.elements.error("metadata without a name")) };
        let own = self.ours.as_ref().and_then(|prefix| name.strip_prefix(prefix.as_str()));
        if own == Some("Design") {
            let hash = text.trim().parse().map_err(|_| self.elements.error("no hash of a design"))?;
            self.scene.hash = Some(hash);
        }
        if self.scene.metadata.len() >= MAX_PIECES {
            return Err(too_many(self.part, "metadata", MAX_PIECES));
        }
        self.scene.metadata.insert(named(name), named(&text));
        Ok(())
    }

    fn number(&self, attributes: &Attributes, name: &str) -> Result<Option<u32>, ImportError> {
        let number = get(attributes, name).map(str::parse).transpose();
        number.map_err(|_| self.elements.error(format!("{name} is no number")))
    }

    fn needed(&self, attributes: &Attributes, name: &str) -> Result<u32, ImportError> {
        self.number(attributes, name)?.ok_or_else(|| self.elements.error(format!("{name} is missing")))
    }

    fn materials(&mut self, element: &BytesStart<'_>, empty: bool) -> Result<(), ImportError> {
        let attributes = self.elements.attributes(element)?;
        let id = self.needed(&attributes, "id")?;
        let first = self.scene.materials.len();
        self.children(empty, &mut |model, name, element, empty| {
            if name == "base" {
                let attributes = model.elements.attributes(element)?;
                let colour = get(&attributes, "displaycolor").and_then(colour);
                let colour = colour.ok_or_else(|| model.elements.error("no colour"))?;
                if model.scene.materials.len() >= MAX_PIECES {
                    return Err(too_many(model.part, "materials", MAX_PIECES));
                }
                let name = named(get(&attributes, "name").unwrap_or_default());
                model.scene.materials.push(Look { name, colour });
            }
            model.elements.skip(empty)
        })?;
        let count = self.scene.materials.len() - first;
        match self.groups.insert(id, (first, count)) {
            None => Ok(()),
            Some(_) => Err(self.elements.error("two resources have the same number")),
        }
    }

    fn object(&mut self, element: &BytesStart<'_>, empty: bool) -> Result<(), ImportError> {
        let attributes = self.elements.attributes(element)?;
        let id = self.needed(&attributes, "id")?;
        let material = match self.number(&attributes, "pid")?.and_then(|group| self.groups.get(&group)) {
            Some((first, count)) => {
                let index = self.number(&attributes, "pindex")?.unwrap_or_default() as usize;
                if index >= *count {
                    return Err(self.elements.error("there is no such material"));
                }
                Some(first + index)
            }
            // Of a kind that is not read here.
            None => None,
        };
        let (mut mesh, mut parts) = (None, Vec::new());
        self.children(empty, &mut |model, name, _, empty| match name {
            "mesh" => {
                mesh = Some(model.mesh(empty)?);
                Ok(())
            }
            "components" => model.children(empty, &mut |model, name, element, empty| {
                if name == "component" {
                    let attributes = model.elements.attributes(element)?;
                    if parts.len() >= MAX_PIECES {
                        return Err(too_many(model.part, "components", MAX_PIECES));
                    }
                    parts.push(model.reference(&attributes)?);
                }
                model.elements.skip(empty)
            }),
            _ => model.elements.skip(empty),
        })?;
        let own = mesh.map(|mesh| {
            let name = named(get(&attributes, "name").unwrap_or_default());
            self.scene.objects.push(Object { name, mesh, material });
            self.scene.objects.len() - 1
        });
        let known = parts.iter().all(|(part, _)| self.tree.knows(part));
        if !known {
            // An object comes after what it is made of, so none is made of itself.
            return Err(self.elements.error("a component of an object that does not come before it"));
        }
        if self.scene.objects.len() > MAX_PIECES {
            return Err(too_many(self.part, "objects", MAX_PIECES));
        }
        if self.tree.add(id, own, parts) {
            Ok(())
        } else {
            Err(self.elements.error("two resources have the same number"))
        }
    }

    fn reference(&self, attributes: &Attributes) -> Result<(u32, Frame), ImportError> {
        let object = self.needed(attributes, "objectid")?;
        let Some(text) = get(attributes, "transform") else { return Ok((object, super::scene::NONE)) };
        let mut numbers = [0.0; 12];
        let mut given = text.split_ascii_whitespace();
        for (at, number) in numbers.iter_mut().enumerate() {
            let value = given.next().and_then(|value| value.parse::<f64>().ok()).filter(|value| value.is_finite());
            let scale = if at < 9 { 1.0 } else { self.millimetres };
            let value = value.and_then(|value| near(value * scale).map(|_| value * scale));
            *number = value.ok_or_else(|| self.elements.error("no transform"))?;
        }
        if given.next().is_some() {
            return Err(self.elements.error("no transform"));
        }
        let row = |at: usize| [numbers[3 * at], numbers[3 * at + 1], numbers[3 * at + 2]];
        // Ours has Y up: what is done to Z there is done to Y here, and what is done to Y is done to Z the other way.
        let (x, y, z, origin) = (turned(row(0)), turned(row(1)), turned(row(2)), turned(row(3)));
        Ok((object, [x, z, y.map(|value| 0.0 - value), origin]))
    }

    fn mesh(&mut self, empty: bool) -> Result<Mesh, ImportError> {
        let mut mesh = Mesh::default();
        self.children(empty, &mut |model, name, _, empty| match name {
            "vertices" => model.children(empty, &mut |model, name, element, empty| {
                if name == "vertex" {
                    model.vertex(element, &mut mesh)?;
                }
                model.elements.skip(empty)
            }),
            "triangles" => model.children(empty, &mut |model, name, element, empty| {
                if name == "triangle" {
                    model.triangle(element, &mut mesh)?;
                }
                model.elements.skip(empty)
            }),
            _ => model.elements.skip(empty),
        })?;
        Ok(mesh)
    }

    fn vertex(&mut self, element: &BytesStart<'_>, mesh: &mut Mesh) -> Result<(), ImportError> {
        self.points += 1;
        if self.points > MAX_POINTS {
            return Err(too_many(self.part, "points", MAX_POINTS));
        }
        let mut place = [None; 3];
        self.elements.each(element, |name, value| {
            let axis = match name {
                "x" => 0,
                "y" => 1,
                "z" => 2,
                _ => return Ok(()),
            };
            place[axis] = value.parse::<f64>().ok().and_then(|value| near(value * self.millimetres));
            Ok(())
        })?;
        let [Some(x), Some(y), Some(z)] = place else { return Err(self.elements.error("no point")) };
        // Adding zero makes -0 a 0.
        mesh.points.push([x, z, 0.0 - y]);
        Ok(())
    }

    fn triangle(&mut self, element: &BytesStart<'_>, mesh: &mut Mesh) -> Result<(), ImportError> {
        self.triangles += 1;
        if self.triangles > MAX_TRIANGLES {
            return Err(too_many(self.part, "triangles", MAX_TRIANGLES));
        }
        let mut corners = [None; 3];
        self.elements.each(element, |name, value| {
            let at = match name {
                "v1" => 0,
                "v2" => 1,
                "v3" => 2,
                _ => return Ok(()),
            };
            corners[at] = value.parse::<u32>().ok().filter(|point| (*point as usize) < mesh.points.len());
            Ok(())
        })?;
        let [Some(a), Some(b), Some(c)] = corners else {
            return Err(self.elements.error("no triangle of known points"));
        };
        mesh.triangles.push([a, b, c]);
        Ok(())
    }
}

/// `#RRGGBB` or `#RRGGBBAA`.
fn colour(text: &str) -> Option<[u8; 4]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.is_ascii())?;
    let value = u32::from_str_radix(digits, 16).ok()?;
    match digits.len() {
        6 => Some((value << 8 | 0xff).to_be_bytes()),
        8 => Some(value.to_be_bytes()),
        _ => None,
    }
}
