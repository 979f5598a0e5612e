//! Evaluation: from a design to closed solids.

mod arrange;
mod build;
mod cache;
mod surface;

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use manifold_rust::{
    cancel::CancelToken,
    csg_tree::{CsgLeafNode, CsgNode},
    impl_mesh::ManifoldImpl,
    manifold::Manifold,
    types::{Error as KernelError, OpType},
};
use thiserror::Error;
use vestibule_model::ContentHash;

use crate::{
    design::{Design, DesignError, DesignHash, Does, Feature, FeatureKey, Material, MaterialKey, Resolved, Shape},
    mesh::{Bounds, Mesh},
    text::Font,
};
use arrange::pieces;
pub(crate) use arrange::{Movement, placed};
use cache::{Cache, Kept};

/// Grows when the same design may get another mesh: with another kernel, or another way of using it.
pub const EVALUATOR: u32 = 1;

/// Says to whoever computes that nobody waits for it any more. Its clones say the same.
#[derive(Clone, Default)]
pub struct Cancel(CancelToken);

impl Cancel {
    /// Nobody waits any more.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether nobody waits any more.
    #[must_use]
    pub fn is_canceled(&self) -> bool {
        self.0.is_cancelled()
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cancel({})", self.is_canceled())
    }
}

/// How much may be computed.
#[derive(Clone, Debug)]
pub struct Budget {
    /// The most triangles of all bodies together, before and after cutting.
    pub triangles: usize,
    /// The most pieces that are joined or cut, over all bodies.
    pub operations: usize,
    /// Whether somebody still waits.
    pub cancel: Cancel,
}

impl Default for Budget {
    /// What a desktop computes while a person waits.
    fn default() -> Self {
        Self { triangles: 2_000_000, operations: 4_000, cancel: Cancel::default() }
    }
}

/// The bodies of a design.
#[derive(Clone, Debug)]
pub struct Solids {
    /// In the design's order.
    pub bodies: Vec<Body>,
    /// Of which design.
    pub design: DesignHash,
}

impl Solids {
    /// What all bodies lie in.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.bodies.iter().fold(Bounds::NOTHING, |bounds, body| bounds.and(&body.bounds))
    }

    /// Cubic millimetres of all bodies.
    #[must_use]
    pub fn volume_mm3(&self) -> f64 {
        self.bodies.iter().map(|body| body.volume_mm3).sum()
    }
}

/// One closed solid of one material.
#[derive(Clone, Debug)]
pub struct Body {
    /// The feature that it began with.
    pub feature: FeatureKey,
    /// What its maker calls it.
    pub name: String,
    /// Which of the design's materials.
    pub material_key: MaterialKey,
    /// What it is made of.
    pub material: Material,
    /// Its surface, closed.
    pub mesh: Arc<Mesh>,
    /// Its volume.
    pub volume_mm3: f64,
    /// Its surface's area.
    pub area_mm2: f64,
    /// What it lies between.
    pub bounds: Bounds,
    /// What the kernel works with.
    pub(crate) solid: Solid,
}

/// The kernel's own form of a body.
#[derive(Clone)]
pub(crate) struct Solid(pub Arc<ManifoldImpl>);

impl fmt::Debug for Solid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Solid({} triangles)", self.0.num_tri())
    }
}

/// Why there are no solids.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum SolidError {
    /// It is no design.
    #[error(transparent)]
    Design(#[from] DesignError),
    /// No feature is a body.
    #[error("nothing in it is a body")]
    NoBody,
    /// More would be computed than the budget allows.
    #[error("it is too large to be computed here")]
    TooLarge,
    /// Nobody waits any more.
    #[error("canceled")]
    Canceled,
    /// A feature has no solid.
    #[error("{feature}: {why}")]
    Invalid {
        /// Which.
        feature: FeatureKey,
        /// Why.
        why: String,
    },
    /// A body's surface has a hole.
    #[error("{feature} is not closed at {edge:?}")]
    NotClosed {
        /// Which body.
        feature: FeatureKey,
        /// The edge beside the hole.
        edge: [[f32; 3]; 2],
    },
    /// Cutting took all of a body.
    #[error("nothing is left of {body} after {feature}")]
    Vanished {
        /// Which body.
        body: FeatureKey,
        /// After which feature.
        feature: FeatureKey,
    },
}

/// Evaluates designs, and remembers the pieces: after an edit only what follows it is computed again.
#[derive(Default)]
pub struct Evaluator {
    cache: Cache,
    font: Option<Font>,
}

impl fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluator").field("kept", &self.cache.len()).field("font", &self.font).finish()
    }
}

/// A feature's solid in its own frame, and everywhere that it is.
struct Placed {
    kept: Kept,
    pieces: Vec<Movement>,
    key: ContentHash,
}

/// Steps of a body that do the same.
struct Run<'a> {
    op: OpType,
    features: Vec<&'a Feature>,
}

impl Evaluator {
    /// One that remembers nothing yet and has no font.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a font for texts.
    #[must_use]
    pub fn with_font(font: Font) -> Self {
        Self { font: Some(font), ..Self::default() }
    }

    /// The solids of a design. The same design has the same meshes, bit by bit, whatever was evaluated before.
    ///
    /// # Errors
    /// [`SolidError`] where it has none, or where the budget does not reach.
    pub fn evaluate(&mut self, design: &Design, budget: &Budget) -> Result<Solids, SolidError> {
        let hash = design.hash()?;
        let resolved = design.resolve()?;
        let placed = self.place(&resolved, budget)?;
        within_budget(&resolved, &placed, budget)?;
        let mut bodies = Vec::new();
        let mut triangles = 0;
        for (index, feature) in resolved.features.iter().enumerate() {
            if feature.does == Does::Body {
                let body = self.body(design, &resolved, index, &placed, budget)?;
                triangles += body.mesh.triangles.len();
                if triangles > budget.triangles {
                    return Err(SolidError::TooLarge);
                }
                bodies.push(body);
            }
        }
        if bodies.is_empty() { Err(SolidError::NoBody) } else { Ok(Solids { bodies, design: hash }) }
    }

    fn place(&mut self, resolved: &Resolved, budget: &Budget) -> Result<BTreeMap<FeatureKey, Placed>, SolidError> {
        let mut placed: BTreeMap<FeatureKey, Placed> = BTreeMap::new();
        for feature in &resolved.features {
            if budget.cancel.is_canceled() {
                return Err(SolidError::Canceled);
            }
            let mut text = serde_json::to_string(&(&feature.key, &feature.shape)).unwrap_or_default();
            if let Shape::Hull { of } = &feature.shape {
                text.extend(of.iter().filter_map(|key| placed.get(key)).map(|part| part.key.to_string()));
            }
            let leaf = ContentHash::of(text.as_bytes());
            let kept = match self.cache.get(&leaf) {
                Some(kept) => kept,
                None => {
                    let kept = self.leaf(feature, &placed)?;
                    self.cache.put(leaf, kept.clone());
                    kept
                }
            };
            let pieces = pieces(feature);
            let bits = pieces.iter().flat_map(|piece| piece.0.iter().flatten().flat_map(|value| value.to_le_bytes()));
            let key = ContentHash::of(&leaf.0.into_iter().chain(bits).collect::<Vec<_>>());
            placed.insert(feature.key.clone(), Placed { kept, pieces, key });
        }
        Ok(placed)
    }

    fn leaf(&self, feature: &Feature, placed: &BTreeMap<FeatureKey, Placed>) -> Result<Kept, SolidError> {
        let invalid = |why: String| SolidError::Invalid { feature: feature.key.clone(), why };
        let made = kernel(|| match &feature.shape {
            Shape::Hull { of } => Ok(hull(of.iter().filter_map(|key| placed.get(key)))),
            shape => build::leaf(shape, self.font.as_ref()),
        });
        let solid = made.and_then(|made| made).map_err(invalid)?.as_original();
        match solid.status() {
            KernelError::NoError if !solid.is_empty() => {}
            KernelError::NoError => return Err(invalid("it has no volume".to_owned())),
            error => return Err(invalid(format!("{error:?}"))),
        }
        let ids = u32::try_from(solid.original_id()).map(|id| (id, feature.key.clone())).into_iter().collect();
        Ok(Kept { solid: Arc::new(solid.into_impl()), ids })
    }

    fn body(
        &mut self,
        design: &Design,
        resolved: &Resolved,
        index: usize,
        placed: &BTreeMap<FeatureKey, Placed>,
        budget: &Budget,
    ) -> Result<Body, SolidError> {
        let feature = &resolved.features[index];
        let mut key = ContentHash::of(b"body");
        let mut so_far: Option<Kept> = None;
        for run in runs(&resolved.features[index..]) {
            let parts: Vec<_> = run.features.iter().filter_map(|part| placed.get(&part.key)).collect();
            let mut text = format!("{key} {:?}", run.op);
            parts.iter().for_each(|part| text.push_str(&part.key.to_string()));
            key = ContentHash::of(text.as_bytes());
            let kept = match self.cache.get(&key) {
                Some(kept) => kept,
                None => {
                    let last = run.features.last().map_or(&feature.key, |last| &last.key);
                    let kept = combine(so_far.as_ref(), run.op, &parts, budget, (&feature.key, last))?;
                    self.cache.put(key, kept.clone());
                    kept
                }
            };
            so_far = Some(kept);
        }
        let Some(kept) = so_far else { return Err(SolidError::NoBody) };
        let order = resolved.features.iter().map(|feature| &feature.key);
        let mesh = surface::of(&kept, &order.collect::<Vec<_>>());
        if let Some(open) = mesh.open_edge() {
            return Err(SolidError::NotClosed { feature: feature.key.clone(), edge: open.ends });
        }
        let material = design.materials.get(&feature.material).cloned().ok_or_else(|| DesignError::NoMaterial {
            feature: feature.key.clone(),
            material: feature.material.clone(),
        })?;
        let solid = Manifold::from_impl((*kept.solid).clone());
        Ok(Body {
            feature: feature.key.clone(),
            name: feature.name.clone(),
            material_key: feature.material.clone(),
            material,
            bounds: mesh.bounds(),
            mesh: Arc::new(mesh),
            volume_mm3: solid.volume(),
            area_mm2: solid.surface_area(),
            solid: Solid(kept.solid),
        })
    }
}

/// The kernel checks what it is given; what it did not think of must not end the program.
pub(crate) fn kernel<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| "the kernel gave up".to_owned())
}

fn hull<'a>(parts: impl Iterator<Item = &'a Placed>) -> Manifold {
    let solids = parts.flat_map(|part| {
        let solid = Manifold::from_impl((*part.kept.solid).clone());
        part.pieces.iter().map(move |piece| solid.transform(&piece.matrix()))
    });
    Manifold::hull_manifolds(&solids.collect::<Vec<_>>())
}

fn within_budget(
    resolved: &Resolved,
    placed: &BTreeMap<FeatureKey, Placed>,
    budget: &Budget,
) -> Result<(), SolidError> {
    let (mut operations, mut triangles, mut bodies) = (0, 0, 0);
    for feature in &resolved.features {
        let Some(part) = placed.get(&feature.key) else { continue };
        let times = match &feature.does {
            Does::Cut { from } if from.is_empty() => bodies,
            Does::Cut { from } => from.len(),
            _ => 1,
        };
        bodies += usize::from(feature.does == Does::Body);
        operations += part.pieces.len() * times;
        triangles += part.pieces.len() * times * part.kept.solid.num_tri();
    }
    if operations > budget.operations || triangles > budget.triangles { Err(SolidError::TooLarge) } else { Ok(()) }
}

/// What happens to the body that the first of these features begins.
fn runs(features: &[Feature]) -> Vec<Run<'_>> {
    let Some(body) = features.first() else { return Vec::new() };
    let mut runs = vec![Run { op: OpType::Add, features: vec![body] }];
    for feature in &features[1..] {
        let op = match &feature.does {
            Does::Add { to } if *to == body.key => OpType::Add,
            Does::Cut { from } if from.is_empty() || from.contains(&body.key) => OpType::Subtract,
            Does::Meet { with } if *with == body.key => OpType::Intersect,
            _ => continue,
        };
        match runs.last_mut() {
            Some(run) if run.op == op => run.features.push(feature),
            _ => runs.push(Run { op, features: vec![feature] }),
        }
    }
    runs
}

/// One operation of the kernel over all parts of a run: one by one takes twenty times as long.
fn combine(
    so_far: Option<&Kept>,
    op: OpType,
    parts: &[&Placed],
    budget: &Budget,
    (body, last): (&FeatureKey, &FeatureKey),
) -> Result<Kept, SolidError> {
    let mut children: Vec<_> = so_far.map(|kept| node(&kept.solid, None)).into_iter().collect();
    let mut ids = so_far.map(|kept| kept.ids.clone()).unwrap_or_default();
    for part in parts {
        let pieces = part.pieces.iter().map(|piece| node(&part.kept.solid, Some(piece)));
        if op == OpType::Intersect {
            children.push(CsgNode::op_n(OpType::Add, pieces.collect()));
        } else {
            children.extend(pieces);
        }
        ids.extend(part.kept.ids.iter().cloned());
    }
    let invalid = |why| SolidError::Invalid { feature: last.clone(), why };
    let token = &budget.cancel.0;
    let solid = kernel(|| CsgNode::op_n(op, children).evaluate_with_token(Some(token))).map_err(invalid)?;
    match solid.status {
        KernelError::NoError if solid.num_tri() == 0 => {
            Err(SolidError::Vanished { body: body.clone(), feature: last.clone() })
        }
        KernelError::NoError => Ok(Kept { solid: Arc::new(solid), ids }),
        KernelError::Cancelled => Err(SolidError::Canceled),
        KernelError::ResultTooLarge => Err(SolidError::TooLarge),
        error => Err(invalid(format!("{error:?}"))),
    }
}

fn node(solid: &Arc<ManifoldImpl>, movement: Option<&Movement>) -> CsgNode {
    let mut leaf = CsgLeafNode { p_impl: Arc::clone(solid), transform: manifold_rust::linalg::Mat3x4::identity() };
    if let Some(movement) = movement {
        leaf.transform = movement.matrix();
    }
    CsgNode::leaf_node(leaf)
}
