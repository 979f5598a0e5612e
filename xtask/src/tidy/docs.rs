//! Rules on documentation and on what it must list.

use std::path::{Component, Path, PathBuf};

use super::{Finding, Tree};

const CODE_MAP: &str = "docs/architecture.md";
const ASSET_LIST: &str = "assets/README.md";
/// What people see or hear, and what therefore has an author.
const ASSETS: [&str; 14] =
    ["glb", "gltf", "vrm", "png", "jpg", "jpeg", "ktx2", "hdr", "exr", "ogg", "wav", "ttf", "otf", "blend"];

/// Every crate's root begins with `//!`; a library's has an example in it.
pub fn crate_roots(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for target in tree.graph.members().flat_map(|package| &package.targets) {
        let Some(source) = tree.source(&target.source) else {
            continue;
        };
        let docs: Vec<&str> = source.text.lines().take_while(|line| line.starts_with("//!")).collect();
        if docs.is_empty() {
            findings.push(Finding::new(&source.path, "does not begin with //! and what it is for"));
        } else if target.is_library && !docs.iter().any(|line| line.contains("```")) {
            findings.push(Finding::new(&source.path, "has no example in its documentation"));
        }
    }
    findings
}

/// Every package's folder is in the code map.
pub fn code_map(tree: &Tree) -> Vec<Finding> {
    let Some(map) = tree.source(CODE_MAP) else {
        return vec![Finding::new(CODE_MAP, "is not there")];
    };
    let folders = tree.graph.members().map(|package| package.folder.as_str()).filter(|folder| !folder.is_empty());
    folders
        .filter(|folder| !map.text.contains(folder))
        .map(|folder| Finding::new(CODE_MAP, format!("does not name {folder}")))
        .collect()
}

/// Every link from one file of the repository to another leads somewhere.
pub fn links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in tree.sources.iter().filter(|source| source.has_extension("md")) {
        let folder = Path::new(&page.path).parent().unwrap_or_else(|| Path::new(""));
        for (number, target) in link_targets(&page.text) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            if !leads_somewhere(tree, &folder.join(file)) {
                findings.push(Finding::new(format!("{}:{number}", page.path), format!("{target} is not there")));
            }
        }
    }
    findings
}

fn leads_somewhere(tree: &Tree, path: &Path) -> bool {
    let Some(path) = normal(path) else {
        return false;
    };
    let path = path.to_string_lossy();
    let below = format!("{path}/");
    path.is_empty() || tree.sources.iter().any(|source| source.path == path || source.path.starts_with(&below))
}

/// Without `.` and `..`; nothing when it leaves the repository.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if parts.pop() => {}
            Component::Normal(name) => parts.push(name),
            _ => return None,
        }
    }
    Some(parts)
}

/// The targets of `[text](target)` outside code, with their lines.
fn link_targets(text: &str) -> Vec<(usize, &str)> {
    let mut targets = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code || line.starts_with("    ") {
            continue;
        }
        for (at, mark) in line.match_indices("](") {
            let rest = &line[at + mark.len()..];
            let is_code = line[..at].matches('`').count() % 2 == 1;
            if let Some(end) = rest.find(')')
                && !is_code
            {
                targets.push((index + 1, rest[..end].split(' ').next().unwrap_or_default()));
            }
        }
    }
    targets
}

/// Every picture, model and sound below `assets/` is named in the list, or all of its kind in its folder are
/// (`people/*.glb`), or its folder is (with a slash at the end).
pub fn assets(tree: &Tree) -> Vec<Finding> {
    let list = tree.source(ASSET_LIST).map_or("", |source| source.text.as_str());
    tree.sources
        .iter()
        .filter(|source| ASSETS.iter().any(|kind| source.has_extension(kind)))
        .filter(|source| !source.path.strip_prefix("assets/").is_none_or(|path| lists(list, path)))
        .map(|source| Finding::new(&source.path, format!("is not in {ASSET_LIST}")))
        .collect()
}

fn lists(list: &str, path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let contains = |text: String| list.contains(&text);
    let (_, kind) = name.rsplit_once('.').unwrap_or(("", name));
    list.contains(name)
        || (!folder.is_empty() && (contains(format!("{folder}/*.{kind}")) || contains(format!("`{folder}/`"))))
}

#[cfg(test)]
mod tests {
    use super::super::layers::{Graph, Package, Target};
    use super::super::source::Source;
    use super::*;

    fn tree(sources: &[(&str, &str)], folder: &str) -> Tree {
        let target = |is_library, name: &str| Target { is_library, source: format!("{folder}/src/{name}") };
        let package = Package {
            name: "vestibule-model".to_owned(),
            folder: folder.to_owned(),
            targets: vec![target(true, "lib.rs"), target(false, "main.rs")],
            ..Package::default()
        };
        let sources = sources.iter().map(|(path, text)| Source::new(path, text)).collect();
        Tree { graph: Graph::of(vec![package]), sources, ..Tree::default() }
    }

    #[test]
    fn a_root_without_words_or_example_is_reported() {
        let found = |lib, main| {
            let sources = [("crates/model/src/lib.rs", lib), ("crates/model/src/main.rs", main)];
            crate_roots(&tree(&sources, "crates/model")).len()
        };
        assert_eq!(found("pub fn f() {}", "fn main() {}"), 2);
        assert_eq!(found("//! Words.\n", "//! Words.\nfn main() {}"), 1);
        assert_eq!(found("//! Words.\n//! ```\n//! ```\n", "//! Words.\nfn main() {}"), 0);
    }

    #[test]
    fn a_crate_that_the_map_does_not_name_is_reported() {
        let found = |map| code_map(&tree(&[(CODE_MAP, map)], "crates/model")).len();
        assert_eq!(found("only crates/quic"), 1);
        assert_eq!(found("`crates/model` is the vocabulary"), 0);
        assert_eq!(code_map(&tree(&[], "crates/model")).len(), 1);
    }

    #[test]
    fn a_link_to_nowhere_is_reported() {
        let pages = |text| tree(&[("docs/a.md", text), ("README.md", ""), ("docs/img/b.png", "")], "x");
        let broken = "[a](nope.md) ![b](img/c.png) [c](../../outside.md)";
        assert_eq!(links(&pages(broken)).len(), 3);
        let whole = "[a](../README.md#top) [b](img/b.png) [c](#here) [d](https://a.example) [e](img) `[f](x)`\n```\n[g](y)\n```";
        assert_eq!(links(&pages(whole)), []);
    }

    #[test]
    fn an_asset_without_an_entry_is_reported() {
        let files = [("assets/home.glb", ""), ("assets/scripts/build.py", ""), (ASSET_LIST, "| other.glb |")];
        assert_eq!(assets(&tree(&files, "x")).len(), 1);
        let listed = [("assets/home.glb", ""), (ASSET_LIST, "| home.glb | own work |")];
        assert!(assets(&tree(&listed, "x")).is_empty());
        let folder =
            [("assets/thumbs/a.png", ""), ("docs/b.png", ""), (ASSET_LIST, "`thumbs/`: rendered from the models")];
        assert!(assets(&tree(&folder, "x")).is_empty());
        let kind = [("assets/people/a.glb", ""), ("assets/people/a.png", ""), (ASSET_LIST, "`people/*.glb`")];
        assert_eq!(assets(&tree(&kind, "x")).len(), 1);
    }
}
