//! Whether a machine can make it, and where it could not.
//!
//! A thing is made as it stands in its design: Y is up. Each of its bodies is made by itself, and its lowest point lies on
//! the bed: a machine that has one nozzle does not change its material within a piece, and slicers lay bodies beside each
//! other. What needs sheets that are cut is not looked at here.

mod cavity;
mod feature;
mod machine;
mod overhang;
mod stand;
mod volume;
mod wall;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    design::FeatureKey,
    mesh::{Groups, Mesh, narrow, neighbours},
    solid::{Body, Cancel, Solids},
};

pub use machine::{Machine, Process};
pub(crate) use overhang::{Support, support};

/// The most places that a finding names: what a person looks at.
const MAX_SPOTS: usize = 16;

/// What a machine cannot do, or a person should know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// Whether it cannot be made because of this.
    pub blocks: bool,
    /// What was found: millimetres, degrees, or what the kind says.
    pub measured: f64,
    /// What would have been good, in the same unit.
    pub limit: f64,
    /// Where, the worst first.
    pub places: Vec<Spot>,
    /// In which feature, where it is in one.
    pub feature: Option<FeatureKey>,
    /// For people.
    pub says: String,
}

/// A place on a body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spot {
    /// The body's place among the design's.
    pub body: usize,
    /// Where, in the design's frame.
    pub at: [f32; 3],
    /// Away from the body.
    pub normal: [f32; 3],
    /// Triangles of the body's mesh to tint.
    pub triangles: Vec<u32>,
}

/// What there is to find.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// It does not fit into the machine.
    TooLarge {
        /// By how much, along the machine's axes, as it fits best.
        over_mm: [f64; 3],
    },
    /// It only fits turned about the upright; `measured` is by how many degrees.
    FitsTurned,
    /// A wall is too thin.
    ThinWall,
    /// A gap closes.
    NarrowGap,
    /// A surface hangs over further than it carries itself. `measured` is in degrees.
    Overhang,
    /// Something is so small that it does not come out, or comes out blunt.
    SmallFeature,
    /// There is a hollow that nothing gets out of. `measured` is in cubic millimetres.
    Cavity,
    /// Something begins in the air.
    Island,
    /// Its surface has a hole.
    NotClosed,
    /// Two materials are in one place. `measured` is in cubic millimetres.
    Overlap,
    /// It falls over. `measured` is how far its weight is inside of what it stands on.
    FallsOver,
    /// The machine does not work with a material.
    NoMaterial,
}

/// Everything that speaks against making these bodies on this machine; what blocks comes first. Nothing more is looked
/// at once nobody waits.
#[must_use]
pub fn check(solids: &Solids, machine: &Machine, cancel: &Cancel) -> Vec<Finding> {
    let mut findings: Vec<Finding> = volume::check(solids, machine).into_iter().collect();
    findings.extend(materials(solids, machine));
    for (index, body) in solids.bodies.iter().enumerate() {
        let checks: [&dyn Fn(&Looked<'_>) -> Vec<Finding>; 5] =
            [&wall::check, &overhang::check, &feature::check, &cavity::check, &overhang::islands];
        let looked = Looked { index, body, machine, floor: body.bounds.low[1], cancel };
        if let Some(finding) = open(&looked) {
            findings.push(finding);
            continue;
        }
        for check in checks {
            if cancel.is_canceled() {
                return findings;
            }
            findings.extend(check(&looked));
        }
    }
    findings.extend(stand::overlaps(solids, cancel));
    findings.extend(solids.bodies.iter().enumerate().filter_map(|(index, body)| stand::check(index, body, machine)));
    findings.sort_by_key(|finding| !finding.blocks);
    findings
}

/// A body that is looked at.
pub(crate) struct Looked<'a> {
    pub index: usize,
    pub body: &'a Body,
    pub machine: &'a Machine,
    /// Where the bed is while it is made.
    pub floor: f64,
    pub cancel: &'a Cancel,
}

impl Looked<'_> {
    pub fn mesh(&self) -> &Mesh {
        &self.body.mesh
    }

    /// The feature where a finding's first place is.
    pub fn feature(&self, places: &[Spot]) -> Option<FeatureKey> {
        self.mesh().feature(*places.first()?.triangles.first()?).cloned()
    }

    /// A place from triangles that belong together: where most of their area is.
    pub fn spot(&self, triangles: Vec<u32>) -> Spot {
        let mesh = self.mesh();
        let largest = triangles
            .iter()
            .copied()
            .max_by(|a, b| mesh.area_of(*a as usize).total_cmp(&mesh.area_of(*b as usize)).then_with(|| b.cmp(a)));
        let largest = largest.unwrap_or_default() as usize;
        let corners = mesh.corners(largest);
        let at = std::array::from_fn(|axis| corners.iter().map(|corner| corner[axis]).sum::<f64>() / 3.0);
        let normal = mesh.normal(largest).unwrap_or_default();
        Spot { body: self.index, at: narrow(at), normal: narrow(normal), triangles }
    }
}

/// Joins triangles that share an edge; the largest areas first. `weight` is how much of a triangle is meant.
pub(crate) fn regions(mesh: &Mesh, flagged: &BTreeMap<u32, f64>) -> Vec<(Vec<u32>, f64)> {
    let mut groups = Groups::new(mesh.triangles.len());
    let sides = neighbours(mesh);
    for triangle in flagged.keys() {
        for other in sides[*triangle as usize].into_iter().flatten().filter(|other| flagged.contains_key(other)) {
            groups.join(*triangle, other);
        }
    }
    let mut found: BTreeMap<u32, (Vec<u32>, f64)> = BTreeMap::new();
    for (triangle, weight) in flagged {
        let region = found.entry(groups.root(*triangle)).or_default();
        region.0.push(*triangle);
        region.1 += weight * mesh.area_of(*triangle as usize);
    }
    let mut regions: Vec<_> = found.into_values().collect();
    regions.sort_by(|a, b| b.1.total_cmp(&a.1));
    regions
}

fn open(looked: &Looked<'_>) -> Option<Finding> {
    let open = looked.mesh().open_edge()?;
    let places = vec![looked.spot(vec![open.triangle])];
    Some(Finding {
        kind: FindingKind::NotClosed,
        blocks: true,
        measured: 0.0,
        limit: 0.0,
        feature: looked.feature(&places),
        places,
        says: "Its surface has a hole.".to_owned(),
    })
}

fn materials(solids: &Solids, machine: &Machine) -> Vec<Finding> {
    let unknown = solids.bodies.iter().filter(|body| !machine.materials.contains(&body.material.kind));
    let finding = |body: &Body| Finding {
        kind: FindingKind::NoMaterial,
        blocks: true,
        measured: 0.0,
        limit: 0.0,
        places: Vec::new(),
        feature: Some(body.feature.clone()),
        says: format!("{} does not work with {}.", machine.name, body.material.name),
    };
    unknown.map(finding).collect()
}
