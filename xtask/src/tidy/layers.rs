//! Rules on who depends on whom, checked on `cargo metadata`.

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::{Finding, Tree};

/// What a folder's package is called.
const NAMES: &[(&str, &str)] = &[
    ("", "vestibule"),
    ("crates/model", "vestibule-model"),
    ("crates/protocol", "vestibule-protocol"),
    ("crates/enabler", "vestibule-enabler-core"),
    ("crates/store", "vestibule-store"),
    ("crates/quic", "vestibule-quic"),
    ("crates/server", "vestibule-server"),
    ("crates/ucp", "vestibule-ucp"),
    ("crates/wot", "vestibule-wot"),
    ("crates/fabricate", "vestibule-fabricate"),
    ("crates/kitchen", "vestibule-kitchen"),
    ("crates/adapters/mqtt", "vestibule-adapter-mqtt"),
    ("crates/adapters/ucp", "vestibule-adapter-ucp"),
    ("crates/commerce", "vestibule-commerce"),
    ("crates/sim", "vestibule-sim"),
    ("crates/conformance", "vestibule-conformance"),
    ("crates/testkit", "vestibule-testkit"),
    ("plugins/twin", "vestibule-twin"),
    ("plugins/enabler", "vestibule-plugin-enabler"),
    ("plugins/commerce", "vestibule-plugin-commerce"),
    ("plugins/world", "vestibule-world"),
    ("plugins/input", "vestibule-input"),
    ("plugins/design", "vestibule-design"),
    ("plugins/door", "vestibule-door"),
    ("plugins/hud", "vestibule-hud"),
    ("plugins/kitchen", "vestibule-plugin-kitchen"),
    ("plugins/xr", "vestibule-xr"),
    ("tests", "vestibule-tests"),
    ("examples", "vestibule-examples"),
    ("xtask", "xtask"),
];

/// What each folder may use of ours; a final `*` stands for anything below. The first line that fits decides, so
/// the special ones come first. Dev-dependencies are free: a test may look down on everything.
const LAYERS: &[(&str, &[&str])] = &[
    ("crates/model", &[]),
    ("crates/protocol", &["crates/model"]),
    ("crates/enabler", &["crates/model", "crates/protocol"]),
    ("crates/store", &["crates/model", "crates/enabler"]),
    ("crates/adapters/ucp", &["crates/model", "crates/protocol", "crates/ucp"]),
    ("crates/adapters/*", &["crates/model", "crates/protocol", "crates/enabler"]),
    ("crates/quic", &["crates/model", "crates/protocol"]),
    ("crates/ucp", &["crates/model"]),
    ("crates/wot", &["crates/model"]),
    (
        "crates/server",
        &[
            "crates/model",
            "crates/protocol",
            "crates/quic",
            "crates/wot",
            "crates/enabler",
            "crates/store",
            "crates/adapters/*",
            "crates/ucp",
        ],
    ),
    ("crates/sim", &[]),
    ("crates/commerce", &["crates/model", "crates/ucp", "crates/fabricate"]),
    ("crates/fabricate", &["crates/model"]),
    ("crates/kitchen", &["crates/model"]),
    ("crates/mapping", &["crates/model"]),
    ("crates/testkit", &["crates/model", "crates/protocol", "crates/enabler"]),
    ("crates/conformance", &["crates/model", "crates/protocol", "crates/quic", "crates/testkit", "crates/fabricate"]),
    ("plugins/twin", &["crates/model"]),
    ("plugins/input", &[]),
    ("plugins/enabler", &["crates/model", "crates/protocol", "plugins/twin"]),
    ("plugins/design", &["crates/model", "crates/fabricate", "plugins/twin", "plugins/input"]),
    ("plugins/kitchen", &["crates/model", "crates/kitchen", "crates/ucp", "plugins/twin"]),
    ("plugins/commerce", &["crates/model", "crates/ucp", "plugins/twin", "plugins/input"]),
    ("plugins/*", &["crates/model", "plugins/twin", "plugins/input"]),
    ("", &["crates/*", "plugins/*"]),
    ("tests", &["", "crates/*", "plugins/*"]),
    ("examples", &["", "crates/*", "plugins/*"]),
    ("xtask", &[]),
];

/// A package, ours or somebody's.
#[derive(Debug, Clone, Default)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Below the root, without a slash at the end; empty for the root's own package. Ours only.
    pub folder: String,
    /// Whether it is a member of this workspace.
    pub is_member: bool,
    /// Its libraries and programs. Ours only.
    pub targets: Vec<Target>,
    /// Positions of what it needs to be built and to run, tests apart.
    pub uses: Vec<usize>,
}

/// A library or a program of a package.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// Whether others can use it.
    pub is_library: bool,
    /// The file it begins with, below the root.
    pub source: String,
}

/// All packages.
#[derive(Debug, Default)]
pub struct Graph {
    packages: Vec<Package>,
}

impl Graph {
    /// A graph of these packages; all are members.
    #[cfg(test)]
    pub fn of(mut packages: Vec<Package>) -> Self {
        packages.iter_mut().for_each(|package| package.is_member = true);
        Self { packages }
    }

    /// From what `cargo metadata` says.
    pub fn read(metadata: &Value) -> Result<Self> {
        let root = text(metadata, "workspace_root")?;
        let members = list(metadata, "workspace_members")?;
        let packages = list(metadata, "packages")?;
        let mut positions = HashMap::new();
        let mut graph = Self::default();
        for package in packages {
            positions.insert(text(package, "id")?, graph.packages.len());
            graph.packages.push(read_package(package, root, members.contains(&package["id"]))?);
        }
        for node in list(&metadata["resolve"], "nodes")? {
            let user = *positions.get(text(node, "id")?).ok_or_else(|| anyhow!("a node without a package"))?;
            for used in list(node, "deps")?.iter().filter(|used| is_more_than_a_test(used)) {
                graph.packages[user].uses.extend(positions.get(text(used, "pkg")?));
            }
        }
        Ok(graph)
    }

    /// Our own packages.
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.is_member)
    }

    /// The shortest way from a package to one whose name is unwanted.
    fn way(&self, from: usize, unwanted: impl Fn(&str) -> bool) -> Option<Vec<&str>> {
        let mut came_from: HashMap<usize, usize> = HashMap::from([(from, from)]);
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            if at != from && unwanted(&self.packages[at].name) {
                return Some(self.trace(at, from, &came_from));
            }
            for next in &self.packages[at].uses {
                came_from.entry(*next).or_insert_with(|| {
                    queue.push_back(*next);
                    at
                });
            }
        }
        None
    }

    fn trace(&self, mut at: usize, from: usize, came_from: &HashMap<usize, usize>) -> Vec<&str> {
        let mut way = vec![self.packages[at].name.as_str()];
        while at != from {
            at = came_from[&at];
            way.push(&self.packages[at].name);
        }
        way.reverse();
        way
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().ok_or_else(|| anyhow!("cargo metadata has no {key}"))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    value[key].as_array().ok_or_else(|| anyhow!("cargo metadata has no {key}"))
}

fn is_more_than_a_test(used: &Value) -> bool {
    used["dep_kinds"].as_array().is_none_or(|kinds| kinds.iter().any(|kind| kind["kind"] != "dev"))
}

fn read_package(package: &Value, root: &str, is_member: bool) -> Result<Package> {
    let below = |path: &str| Path::new(path).strip_prefix(root).ok().map(|path| path.to_string_lossy().into_owned());
    let manifest = below(text(package, "manifest_path")?).unwrap_or_default();
    let folder = Path::new(&manifest).parent().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
    let mut targets = Vec::new();
    for target in list(package, "targets")?.iter().filter(|_| is_member) {
        let is = |kind: &str| target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|found| found == kind));
        if is("lib") || is("bin") {
            let source = below(text(target, "src_path")?).unwrap_or_default();
            targets.push(Target { is_library: is("lib"), source });
        }
    }
    Ok(Package { name: text(package, "name")?.to_owned(), folder, is_member, targets, uses: Vec::new() })
}

/// Nothing below `folder` reaches a package with an unwanted name.
pub fn reach(graph: &Graph, folder: &str, unwanted: fn(&str) -> bool) -> Vec<Finding> {
    let members = graph.packages.iter().enumerate();
    members
        .filter(|(_, package)| package.is_member && package.folder.starts_with(folder))
        .filter_map(|(position, package)| Some((package, graph.way(position, unwanted)?)))
        .map(|(package, way)| Finding::new(&package.folder, way.join(" -> ")))
        .collect()
}

/// Dependencies among our packages point the way that the layers say.
pub fn direction(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in graph.members() {
        let Some((_, allowed)) = LAYERS.iter().find(|(pattern, _)| fits(pattern, &package.folder)) else {
            findings.push(Finding::new(&package.folder, "has no layer: add it to LAYERS, with thought"));
            continue;
        };
        for used in package.uses.iter().map(|used| &graph.packages[*used]).filter(|used| used.is_member) {
            if !allowed.iter().any(|pattern| fits(pattern, &used.folder)) {
                findings.push(Finding::new(&package.folder, format!("may not use {}", used.folder)));
            }
        }
    }
    findings
}

fn fits(pattern: &str, folder: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == folder, |start| folder.starts_with(start))
}

/// Packages are called after their folders. A plugin or adapter without an entry follows its kind's habit.
pub fn names(graph: &Graph) -> Vec<Finding> {
    graph
        .members()
        .filter_map(|package| {
            let listed = NAMES.iter().find(|(folder, _)| *folder == package.folder).map(|(_, name)| (*name).to_owned());
            let name = listed.unwrap_or_else(|| habit(&package.folder));
            (name != package.name).then(|| Finding::new(&package.folder, format!("is {}, not {name}", package.name)))
        })
        .collect()
}

fn habit(folder: &str) -> String {
    match (folder.strip_prefix("crates/adapters/"), folder.rsplit('/').next()) {
        (Some(adapter), _) => format!("vestibule-adapter-{adapter}"),
        (None, last) => format!("vestibule-{}", last.unwrap_or(folder)),
    }
}

/// Every package takes the workspace's lints.
pub fn lints(tree: &Tree) -> Vec<Finding> {
    let manifest = |folder: &str| {
        if folder.is_empty() { "Cargo.toml".to_owned() } else { format!("{folder}/Cargo.toml") }
    };
    tree.graph
        .members()
        .map(|package| manifest(&package.folder))
        .filter(|path| tree.source(path).is_some_and(|source| !source.text.contains("[lints]\nworkspace = true")))
        .map(|path| Finding::new(path, "does not say `[lints]` `workspace = true`"))
        .collect()
}

#[cfg(test)]
#[path = "layers_tests.rs"]
mod tests;
