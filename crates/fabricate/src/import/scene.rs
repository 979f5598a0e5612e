//! Things that are made of things, and where all of them then are.

use std::collections::BTreeMap;

use super::{ImportError, MAX_PLACED, Placed, too_many};

/// Where X, Y, Z and the origin go.
pub(super) type Frame = [[f64; 3]; 4];

/// Where they are.
pub(super) const NONE: Frame = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0; 3]];
/// How many nodes are walked through at most: one that shows nothing also takes time.
const MAX_WALKED: usize = 4 * MAX_PLACED;

/// From Z up to Y up.
pub(super) fn turned([x, y, z]: [f64; 3]) -> [f64; 3] {
    [x, z, 0.0 - y]
}

/// First `inner`, then `outer`.
fn then(inner: &Frame, outer: &Frame) -> Frame {
    let [x, y, z, origin] = outer;
    let to = |v: [f64; 3]| -> [f64; 3] { std::array::from_fn(|n| x[n] * v[0] + y[n] * v[1] + z[n] * v[2]) };
    let moved = to(inner[3]);
    [to(inner[0]), to(inner[1]), to(inner[2]), std::array::from_fn(|n| moved[n] + origin[n])]
}

struct Node<K> {
    own: Option<usize>,
    parts: Vec<(K, Frame)>,
}

/// Nodes by their names in a file, and which of them stand in the scene.
pub(super) struct Tree<K> {
    nodes: BTreeMap<K, Node<K>>,
    standing: Vec<(K, Frame)>,
}

impl<K> Default for Tree<K> {
    fn default() -> Self {
        Self { nodes: BTreeMap::new(), standing: Vec::new() }
    }
}

impl<K: Ord + Copy> Tree<K> {
    /// Says whether its name was free.
    pub fn add(&mut self, name: K, own: Option<usize>, parts: Vec<(K, Frame)>) -> bool {
        self.nodes.insert(name, Node { own, parts }).is_none()
    }

    pub fn knows(&self, name: &K) -> bool {
        self.nodes.contains_key(name)
    }

    /// One that stands in the scene.
    pub fn stand(&mut self, name: K, frame: Frame) -> Result<(), ()> {
        if self.standing.len() >= MAX_PLACED {
            return Err(());
        }
        self.standing.push((name, frame));
        Ok(())
    }

    /// All objects where they are; `nested` is how deep they may be in one another.
    pub fn placed(&self, part: &str, nested: usize) -> Result<Vec<Placed>, ImportError> {
        let mut placed = Vec::new();
        let mut open: Vec<_> = self.standing.iter().rev().map(|(name, frame)| (*name, *frame, 0)).collect();
        let mut walked = 0;
        while let Some((name, frame, depth)) = open.pop() {
            let node =
                self.nodes.get(&name).ok_or_else(|| ImportError::Missing("an object that stands there".to_owned()))?;
            walked += 1;
            if depth > nested {
                return Err(too_many(part, "objects in objects", nested));
            }
            if walked > MAX_WALKED || open.len() + node.parts.len() > MAX_WALKED {
                return Err(too_many(part, "placed objects", MAX_PLACED));
            }
            if let Some(object) = node.own {
                placed.push(Placed { object, frame });
            }
            if placed.len() > MAX_PLACED {
                return Err(too_many(part, "placed objects", MAX_PLACED));
            }
            open.extend(node.parts.iter().rev().map(|(name, inner)| (*name, then(inner, &frame), depth + 1)));
        }
        Ok(placed)
    }
}
