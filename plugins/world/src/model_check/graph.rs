use gltf::json;

use super::{Limits, ModelRefusal};

/// Every node has at most one parent, none is its own ancestor, and no path is too long.
pub(super) fn check_tree(root: &json::Root, limits: &Limits) -> Result<(), ModelRefusal> {
    let count = root.nodes.len();
    let mut parent: Vec<Option<usize>> = vec![None; count];
    for (index, node) in root.nodes.iter().enumerate() {
        for child in node.children.iter().flatten().map(json::Index::value) {
            let slot = parent.get_mut(child).ok_or(ModelRefusal::Range {
                what: "node",
                index,
                how: "has a child that is not in the file",
            })?;
            if child == index {
                return Err(ModelRefusal::Loop { node: index, how: "is its own child" });
            }
            if slot.replace(index).is_some() {
                return Err(ModelRefusal::Loop { node: child, how: "has two parents" });
            }
        }
    }
    for scene in &root.scenes {
        for node in scene.nodes.iter().map(json::Index::value) {
            match parent.get(node) {
                None => {
                    return Err(ModelRefusal::Range {
                        what: "node",
                        index: node,
                        how: "is in a scene but not in the file",
                    });
                }
                Some(Some(_)) => return Err(ModelRefusal::Loop { node, how: "is a root and somebody's child" }),
                Some(None) => {}
            }
        }
    }
    check_depth(&parent, limits)
}

fn check_depth(parent: &[Option<usize>], limits: &Limits) -> Result<(), ModelRefusal> {
    for start in 0..parent.len() {
        let (mut at, mut depth) = (start, 1_usize);
        // With one parent each, walking up either ends at a root or goes round: more steps than nodes is a loop.
        while let Some(up) = parent.get(at).copied().flatten() {
            at = up;
            depth += 1;
            if depth > parent.len() {
                return Err(ModelRefusal::Loop { node: start, how: "is its own ancestor" });
            }
            if depth > limits.node_depth && parent.len() > limits.node_depth {
                // Either truly deep or round: both are refused; find out which, for the message.
                return Err(if is_round(parent, start) {
                    ModelRefusal::Loop { node: start, how: "is its own ancestor" }
                } else {
                    ModelRefusal::TooDeep { depth, limit: limits.node_depth }
                });
            }
        }
    }
    Ok(())
}

fn is_round(parent: &[Option<usize>], start: usize) -> bool {
    let mut at = start;
    for _ in 0..=parent.len() {
        match parent.get(at).copied().flatten() {
            Some(up) => at = up,
            None => return false,
        }
    }
    true
}
