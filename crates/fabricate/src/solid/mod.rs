//! Evaluation: from a design to closed solids.

mod arrange;
mod build;
mod cache;
mod runs;
mod surface;

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use manifold_rust::{
    cancel::CancelToken,
    impl_mesh::{ManifoldImpl, reserve_ids},
    manifold::Manifold,
    properties::Property,
    types::{Error as KernelError, Relation},
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
use runs::within_budget;

/// Grows when the same design may get another mesh: with another kernel, or another way of using it.
pub const EVALUATOR: u32 = 2;

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
    /// What all pieces lie in.
    bounds: Bounds,
    key: ContentHash,
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
        let mut triangles = 0;
        for feature in &resolved.features {
            if budget.cancel.is_canceled() {
                return Err(SolidError::Canceled);
            }
            // All of them are held at once, so each has to fit before it is made.
            if triangles + about(&feature.shape, &placed) > budget.triangles {
                return Err(SolidError::TooLarge);
            }
            let kept = self.leaf(feature, &placed)?;
            triangles += kept.1.solid.num_tri();
            if triangles > budget.triangles {
                return Err(SolidError::TooLarge);
            }
            let pieces = pieces(feature);
            let bits = pieces.iter().flat_map(|piece| piece.0.iter().flatten().flat_map(|value| value.to_le_bytes()));
            let key = ContentHash::of(&kept.0.0.into_iter().chain(bits).collect::<Vec<_>>());
            let bounds = bounds(&kept.1.solid, &pieces);
            placed.insert(feature.key.clone(), Placed { kept: kept.1, pieces, bounds, key });
        }
        Ok(placed)
    }

    /// A feature's solid in its own frame, and what it is remembered by. Features of the same shape differ in nothing but
    /// the kernel's id.
    fn leaf(
        &mut self,
        feature: &Feature,
        placed: &BTreeMap<FeatureKey, Placed>,
    ) -> Result<(ContentHash, Kept), SolidError> {
        let mut text = serde_json::to_string(&feature.shape).unwrap_or_default();
        if let Shape::Hull { of } = &feature.shape {
            text.extend(of.iter().filter_map(|key| placed.get(key)).map(|part| part.key.to_string()));
        }
        let shape = ContentHash::of(text.as_bytes());
        let leaf = ContentHash::of(format!("{shape} {}", feature.key).as_bytes());
        if let Some(kept) = self.cache.get(&leaf) {
            return Ok((leaf, kept));
        }
        let solid = match self.cache.get(&shape) {
            Some(alike) => of_its_own(&alike.solid),
            None => self.shape(feature, placed)?,
        };
        let kept = Kept { ids: vec![(solid.mesh_relation.original_id, feature.key.clone())], solid: Arc::new(solid) };
        self.cache.put(shape, kept.clone());
        self.cache.put(leaf, kept.clone());
        Ok((leaf, kept))
    }

    fn shape(&self, feature: &Feature, placed: &BTreeMap<FeatureKey, Placed>) -> Result<ManifoldImpl, SolidError> {
        let invalid = |why: String| SolidError::Invalid { feature: feature.key.clone(), why };
        let made = kernel(|| match &feature.shape {
            Shape::Hull { of } => Ok(hull(of.iter().filter_map(|key| placed.get(key)))),
            shape => build::leaf(shape, self.font.as_ref()),
        });
        let solid = made.and_then(|made| made).map_err(invalid)?.as_original();
        match solid.status() {
            KernelError::NoError if !solid.is_empty() => Ok(solid.into_impl()),
            KernelError::NoError => Err(invalid("it has no volume".to_owned())),
            error => Err(invalid(format!("{error:?}"))),
        }
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
        let order: Vec<_> = resolved.features.iter().map(|feature| &feature.key).collect();
        let (kept, mesh) = self.combined(&order, &resolved.features[index..], placed, budget)?;
        if let Some(open) = mesh.open_edge() {
            return Err(SolidError::NotClosed { feature: feature.key.clone(), edge: open.ends });
        }
        let material = design.materials.get(&feature.material).cloned().ok_or_else(|| DesignError::NoMaterial {
            feature: feature.key.clone(),
            material: feature.material.clone(),
        })?;
        Ok(Body {
            feature: feature.key.clone(),
            name: feature.name.clone(),
            material_key: feature.material.clone(),
            material,
            bounds: mesh.bounds(),
            mesh: Arc::new(mesh),
            volume_mm3: kept.solid.get_property(Property::Volume).abs(),
            area_mm2: kept.solid.get_property(Property::SurfaceArea),
            solid: Solid(kept.solid),
        })
    }
}

/// The kernel checks what it is given; what it did not think of must not end the program.
pub(crate) fn kernel<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| "the kernel gave up".to_owned())
}

/// How many triangles a shape takes to be made, about.
fn about(shape: &Shape, placed: &BTreeMap<FeatureKey, Placed>) -> usize {
    match shape {
        Shape::Hull { of } => {
            let parts = of.iter().filter_map(|key| placed.get(key));
            parts.map(|part| part.pieces.len() * part.kept.solid.num_tri()).sum()
        }
        shape => build::triangles(shape),
    }
}

fn hull<'a>(parts: impl Iterator<Item = &'a Placed>) -> Manifold {
    let solids = parts.flat_map(|part| {
        let solid = Manifold::from_impl((*part.kept.solid).clone());
        part.pieces.iter().map(move |piece| solid.transform(&piece.matrix()))
    });
    Manifold::hull_manifolds(&solids.collect::<Vec<_>>())
}

/// The same solid with an id of its own.
fn of_its_own(solid: &ManifoldImpl) -> ManifoldImpl {
    let mut own = solid.clone();
    let id = i32::try_from(reserve_ids(1)).unwrap_or(i32::MAX);
    let relation = &mut own.mesh_relation;
    relation.original_id = id;
    for triangle in &mut relation.tri_ref {
        (triangle.mesh_id, triangle.original_id) = (id, id);
    }
    let placed = std::mem::take(&mut relation.mesh_id_transform).into_values();
    relation.mesh_id_transform = placed.map(|placed| (id, Relation { original_id: id, ..placed })).collect();
    own
}

/// What all pieces of a solid lie in.
fn bounds(solid: &ManifoldImpl, pieces: &[Movement]) -> Bounds {
    let [low, high] = [solid.bbox.min, solid.bbox.max].map(|at| [at.x, at.y, at.z]);
    let corners =
        (0..8_u8).map(|corner| std::array::from_fn(|axis| if corner & (1 << axis) == 0 { low } else { high }[axis]));
    let corners: Vec<[f64; 3]> = corners.collect();
    let all = pieces.iter().flat_map(|piece| corners.iter().map(|corner| piece.point(*corner)));
    all.fold(Bounds::NOTHING, Bounds::with)
}
