use std::collections::{BTreeMap, HashMap};

use super::{Mesh, closed::edges};

/// Things that belong together, found by joining two at a time.
pub(crate) struct Groups(Vec<u32>);

impl Groups {
    pub fn new(count: usize) -> Self {
        Self((0..u32::try_from(count).unwrap_or(u32::MAX)).collect())
    }

    /// What stands for the group that `of` is in.
    pub fn root(&mut self, of: u32) -> u32 {
        let mut at = of;
        while self.0[at as usize] != at {
            // Halving the way keeps later ones short.
            self.0[at as usize] = self.0[self.0[at as usize] as usize];
            at = self.0[at as usize];
        }
        at
    }

    pub fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        // The lower one stands for both, so that the result does not depend on the order.
        self.0[one.max(other) as usize] = one.min(other);
    }
}

/// The triangle on the other side of each edge of each triangle.
pub(crate) fn neighbours(mesh: &Mesh) -> Vec<[Option<u32>; 3]> {
    let mut sides: HashMap<[u32; 2], u32> = HashMap::with_capacity(mesh.triangles.len() * 3);
    for (triangle, corners) in (0_u32..).zip(&mesh.triangles) {
        for edge in edges(*corners) {
            sides.insert(edge, triangle);
        }
    }
    let other = |[from, to]: [u32; 2]| sides.get(&[to, from]).copied();
    mesh.triangles.iter().map(|corners| edges(*corners).map(other)).collect()
}

/// The triangles of each connected piece of surface, with its signed volume: negative inside of another one is a hollow.
pub(crate) fn shells(mesh: &Mesh) -> Vec<(Vec<u32>, f64)> {
    let mut groups = Groups::new(mesh.points.len());
    for [a, b, c] in &mesh.triangles {
        groups.join(*a, *b);
        groups.join(*b, *c);
    }
    let mut found: BTreeMap<u32, (Vec<u32>, f64)> = BTreeMap::new();
    for (triangle, corners) in mesh.triangles.iter().enumerate() {
        let shell = found.entry(groups.root(corners[0])).or_default();
        shell.0.push(u32::try_from(triangle).unwrap_or(u32::MAX));
        shell.1 += mesh.signed_volume(triangle);
    }
    found.into_values().collect()
}
