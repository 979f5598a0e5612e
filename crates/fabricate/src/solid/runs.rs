//! How a body's features are put together: in as few operations of the kernel as there can be.

use std::{collections::BTreeMap, sync::Arc};

use manifold_rust::{
    boolean3::boolean_with_token,
    csg_tree::{CsgLeafNode, CsgNode},
    impl_mesh::ManifoldImpl,
    linalg::Mat3x4,
    types::{Error as KernelError, OpType},
};
use vestibule_model::ContentHash;

use super::{Budget, Evaluator, Kept, Placed, SolidError, kernel, surface};
use crate::{
    design::{Does, Feature, FeatureKey, Resolved},
    mesh::{Bounds, Mesh},
};

/// How far apart two features are, in millimetres, before their order does not matter: far more than the kernel rounds by.
const APART: f64 = 1e-3;

/// Steps of a body that do the same.
struct Run<'a> {
    op: OpType,
    features: Vec<&'a Feature>,
}

impl Evaluator {
    /// The solid of the body that the first of these features begins, and its surface by the order of all features.
    pub(super) fn combined(
        &mut self,
        order: &[&FeatureKey],
        features: &[Feature],
        placed: &BTreeMap<FeatureKey, Placed>,
        budget: &Budget,
    ) -> Result<(Kept, Mesh), SolidError> {
        let (runs, moved) = grouped(features, placed);
        let made = self.run(&runs, placed, budget).map(|kept| (surface::of(&kept, order), kept));
        let Some(moved) = moved else { return made.map(|(mesh, kept)| (kept, mesh)) };
        match made {
            Ok((mesh, kept)) => {
                // With nothing older in it, what was added later may hide that nothing had been left before.
                let place = |key| order.iter().position(|other| *other == key);
                if mesh.of.first().is_some_and(|(_, first)| place(first) < place(moved)) {
                    return Ok((kept, mesh));
                }
            }
            Err(error @ (SolidError::Canceled | SolidError::TooLarge)) => return Err(error),
            // In their own order, so that it names the feature after which it happened.
            Err(_) => {}
        }
        let kept = self.run(&in_order(features), placed, budget)?;
        let mesh = surface::of(&kept, order);
        Ok((kept, mesh))
    }

    fn run(
        &mut self,
        runs: &[Run<'_>],
        placed: &BTreeMap<FeatureKey, Placed>,
        budget: &Budget,
    ) -> Result<Kept, SolidError> {
        let mut key = ContentHash::of(b"body");
        let mut so_far: Option<Kept> = None;
        for run in runs {
            let parts: Vec<_> = run.features.iter().filter_map(|part| placed.get(&part.key)).collect();
            let mut text = format!("{key} {:?}", run.op);
            parts.iter().for_each(|part| text.push_str(&part.key.to_string()));
            key = ContentHash::of(text.as_bytes());
            let kept = match self.cache.get(&key) {
                Some(kept) => kept,
                None => {
                    let [first, last] = [runs.first().and_then(|run| run.features.first()), run.features.last()];
                    let (Some(body), Some(last)) = (first, last) else { return Err(SolidError::NoBody) };
                    let kept = combine(so_far.as_ref(), run.op, &parts, budget, (&body.key, &last.key))?;
                    self.cache.put(key, kept.clone());
                    kept
                }
            };
            so_far = Some(kept);
        }
        so_far.ok_or(SolidError::NoBody)
    }
}

/// Whether all of it may be computed.
pub(super) fn within_budget(
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

/// What a feature does to a body.
fn operation(feature: &Feature, body: &FeatureKey) -> Option<OpType> {
    match &feature.does {
        Does::Body if feature.key == *body => Some(OpType::Add),
        Does::Add { to } if to == body => Some(OpType::Add),
        Does::Cut { from } if from.is_empty() || from.contains(body) => Some(OpType::Subtract),
        Does::Meet { with } if with == body => Some(OpType::Intersect),
        _ => None,
    }
}

fn steps(features: &[Feature]) -> impl Iterator<Item = (OpType, &Feature)> {
    let body = features.first().map(|body| &body.key);
    features.iter().filter_map(move |feature| Some((operation(feature, body?)?, feature)))
}

/// What happens to the body that the first of these features begins.
fn in_order(features: &[Feature]) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for (op, feature) in steps(features) {
        match runs.last_mut() {
            Some(run) if run.op == op => run.features.push(feature),
            _ => runs.push(Run { op, features: vec![feature] }),
        }
    }
    runs
}

/// The same in fewer runs: whether something is added before or after something is cut does not matter where they are
/// apart. Also gives the first feature that is not in its place.
fn grouped<'a>(
    features: &'a [Feature],
    placed: &BTreeMap<FeatureKey, Placed>,
) -> (Vec<Run<'a>>, Option<&'a FeatureKey>) {
    let mut runs: Vec<Run<'a>> = Vec::new();
    let mut moved = None;
    for (op, feature) in steps(features) {
        let bounds = |feature: &Feature| placed.get(&feature.key).map(|part| part.bounds);
        let is_apart = |run: &Run<'_>| {
            op != OpType::Intersect
                && run.op != OpType::Intersect
                && run.features.iter().all(|other| are_apart(bounds(feature), bounds(other)))
        };
        let mut into = None;
        for (at, run) in runs.iter().enumerate().rev() {
            if run.op == op {
                into = Some(at);
            } else if !is_apart(run) {
                break;
            }
        }
        match into {
            Some(at) => {
                if at + 1 < runs.len() {
                    moved = moved.or(Some(&feature.key));
                }
                runs[at].features.push(feature);
            }
            None => runs.push(Run { op, features: vec![feature] }),
        }
    }
    (runs, moved)
}

fn are_apart(one: Option<Bounds>, other: Option<Bounds>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    (0..3).any(|axis| one.low[axis] > other.high[axis] + APART || other.low[axis] > one.high[axis] + APART)
}

/// One operation of the kernel over all parts of a run: one by one takes twenty times as long.
fn combine(
    so_far: Option<&Kept>,
    op: OpType,
    parts: &[&Placed],
    budget: &Budget,
    (body, last): (&FeatureKey, &FeatureKey),
) -> Result<Kept, SolidError> {
    let mut ids = so_far.map(|kept| kept.ids.clone()).unwrap_or_default();
    ids.extend(parts.iter().flat_map(|part| part.kept.ids.iter().cloned()));
    let pieces = |part: &Placed| -> Vec<CsgNode> {
        part.pieces.iter().map(|piece| node(&part.kept.solid, piece.matrix())).collect()
    };
    let token = Some(&budget.cancel.0);
    let whole = |op, nodes| CsgNode::op_n(op, nodes).evaluate_with_token(token);
    let begun = || so_far.map(|kept| node(&kept.solid, Mat3x4::identity())).into_iter();
    let made = kernel(|| match (op, so_far) {
        (OpType::Subtract, Some(kept)) => {
            let cut = whole(OpType::Add, parts.iter().flat_map(|part| pieces(part)).collect());
            match cut.status {
                // Unlike a node, it takes what there was as it is, without a copy.
                KernelError::NoError => boolean_with_token(&kept.solid, &cut, op, token),
                _ => cut,
            }
        }
        (OpType::Intersect, _) => {
            let meets = parts.iter().map(|part| CsgNode::op_n(OpType::Add, pieces(part)));
            whole(op, begun().chain(meets).collect())
        }
        _ => whole(op, begun().chain(parts.iter().flat_map(|part| pieces(part))).collect()),
    });
    let invalid = |why| SolidError::Invalid { feature: last.clone(), why };
    let solid = made.map_err(invalid)?;
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

fn node(solid: &Arc<ManifoldImpl>, transform: Mat3x4) -> CsgNode {
    CsgNode::leaf_node(CsgLeafNode { p_impl: Arc::clone(solid), transform })
}
