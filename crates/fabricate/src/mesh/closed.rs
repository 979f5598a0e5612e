use super::Mesh;

/// An edge that does not have exactly one triangle on each side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenEdge {
    /// One of its triangles.
    pub triangle: u32,
    /// Its ends.
    pub ends: [[f32; 3]; 2],
}

/// One side of an edge, kept with the edge's lower end.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Side {
    higher: u32,
    /// Whether it runs from the lower end to the higher one.
    is_upward: bool,
    triangle: u32,
}

impl Mesh {
    /// The first edge that is not closed: each must be there once in each direction. Nothing where all are.
    #[must_use]
    pub fn open_edge(&self) -> Option<OpenEdge> {
        let (begins, mut sides) = self.sides();
        let mut first: Option<(u32, [u32; 2])> = None;
        for (lower, bounds) in (0..).zip(begins.windows(2)) {
            let here = &mut sides[bounds[0] as usize..bounds[1] as usize];
            here.sort_unstable();
            for edge in here.chunk_by(|one, other| one.higher == other.higher) {
                if let [Side { is_upward: false, higher, .. }, Side { is_upward: true, .. }] = edge
                    && *higher != lower
                {
                    continue;
                }
                let open = edge.iter().map(|side| (side.triangle, [lower, side.higher])).min();
                first = first.into_iter().chain(open).min();
            }
        }
        first.map(|(triangle, ends)| OpenEdge { triangle, ends: ends.map(|end| self.points[end as usize]) })
    }

    /// All sides by the lower end of their edge, and where those of each point begin. Far faster than a map of edges:
    /// this is looked at after every evaluation.
    fn sides(&self) -> (Vec<u32>, Vec<Side>) {
        let all = || self.triangles.iter().flat_map(|corners| edges(*corners));
        let mut begins = vec![0_u32; self.points.len() + 1];
        for [from, to] in all() {
            begins[from.min(to) as usize + 1] += 1;
        }
        for point in 1..begins.len() {
            begins[point] += begins[point - 1];
        }
        let mut next = begins.clone();
        let mut sides = vec![Side::default(); self.triangles.len() * 3];
        for ([from, to], at) in all().zip(0_u32..) {
            let place = &mut next[from.min(to) as usize];
            sides[*place as usize] = Side { higher: from.max(to), is_upward: from < to, triangle: at / 3 };
            *place += 1;
        }
        (begins, sides)
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
