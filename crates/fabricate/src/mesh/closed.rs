use std::collections::HashMap;

use super::Mesh;

/// An edge that does not have exactly one triangle on each side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenEdge {
    /// One of its triangles.
    pub triangle: u32,
    /// Its ends.
    pub ends: [[f32; 3]; 2],
}

impl Mesh {
    /// The first edge that is not closed: each must be there once in each direction. Nothing where all are.
    #[must_use]
    pub fn open_edge(&self) -> Option<OpenEdge> {
        let mut seen: HashMap<(u32, u32), (u8, usize)> = HashMap::with_capacity(self.triangles.len() * 3);
        for (triangle, corners) in self.triangles.iter().enumerate() {
            for [from, to] in edges(*corners) {
                let (count, first) = seen.entry((from, to)).or_insert((0, triangle));
                *count = count.saturating_add(1);
                if *count > 1 || from == to {
                    return Some(self.edge(*first, [from, to]));
                }
            }
        }
        let open = seen.iter().filter(|((from, to), _)| !seen.contains_key(&(*to, *from)));
        // The map has no order of its own, and the same mesh is to show the same place.
        let (edge, (_, triangle)) = open.min_by_key(|(_, (_, triangle))| *triangle)?;
        Some(self.edge(*triangle, [edge.0, edge.1]))
    }

    fn edge(&self, triangle: usize, ends: [u32; 2]) -> OpenEdge {
        let triangle = u32::try_from(triangle).unwrap_or(u32::MAX);
        OpenEdge { triangle, ends: ends.map(|end| self.points[end as usize]) }
    }
}

/// In the order in which the corners run.
pub(crate) fn edges([a, b, c]: [u32; 3]) -> [[u32; 2]; 3] {
    [[a, b], [b, c], [c, a]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tetrahedron() -> Mesh {
        Mesh {
            points: vec![[0.0; 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            triangles: vec![[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]],
            of: Vec::new(),
        }
    }

    #[test]
    fn a_closed_mesh_has_no_open_edge() {
        assert_eq!(tetrahedron().open_edge(), None);
        assert!((tetrahedron().volume() - 1.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn a_missing_a_doubled_and_a_flipped_triangle_are_found() {
        let mut missing = tetrahedron();
        missing.triangles.pop();
        assert!(missing.open_edge().is_some());
        let mut doubled = tetrahedron();
        doubled.triangles.push([0, 2, 1]);
        assert!(doubled.open_edge().is_some());
        let mut flipped = tetrahedron();
        flipped.triangles[0].reverse();
        assert!(flipped.open_edge().is_some());
        let mut folded = tetrahedron();
        folded.triangles[0] = [0, 0, 1];
        assert!(folded.open_edge().is_some());
    }
}
