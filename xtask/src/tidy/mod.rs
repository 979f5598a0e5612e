//! The rules that a compiler does not check, as a list with a reason each.

mod docs;
mod layers;
mod rust;
mod source;
mod supply;
mod text;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::workspace::{Workspace, metadata};
use layers::Graph;
use source::Source;

/// Something that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    /// Path below the root, with a line where there is one.
    place: String,
    /// What is wrong.
    message: String,
}

impl Finding {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

/// What rules look at.
#[derive(Default)]
struct Tree {
    graph: Graph,
    sources: Vec<Source>,
    supplied: Vec<supply::Supplied>,
    policy: supply::Policy,
    /// Workspaces of their own whose lock is not what their packages ask for, with what cargo says.
    stale: Vec<Finding>,
}

impl Tree {
    fn source(&self, path: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.path == path)
    }

    /// Applies a rule for single files to all of them.
    fn each(&self, rule: impl Fn(&Source) -> Vec<Finding>) -> Vec<Finding> {
        self.sources.iter().flat_map(rule).collect()
    }
}

struct Rule {
    name: &'static str,
    reason: &'static str,
    check: fn(&Tree) -> Vec<Finding>,
}

const RULES: &[Rule] = &[
    Rule {
        name: "no Bevy in crates/",
        reason: "A server, a gateway and a third party's system build without a renderer.",
        check: |tree| layers::reach(&tree.graph, "crates/", |name| name.starts_with("bevy")),
    },
    Rule {
        name: "no network runtime in plugins/",
        reason: "A game brings its own runtime or none; plugins drive a protocol over a Link.",
        check: |tree| {
            layers::reach(&tree.graph, "plugins/", |name| matches!(name, "tokio" | "quinn" | "sqlx" | "reqwest"))
        },
    },
    Rule {
        name: "layers",
        reason: "Dependencies point one way, so that each part is understood and tested without the ones above it.",
        check: |tree| layers::direction(&tree.graph),
    },
    Rule {
        name: "licences, sources and bans",
        reason: "What is linked is shipped: its licence, its checksum and its build are ours to answer for.",
        check: supply::check,
    },
    Rule {
        name: "locks are current",
        reason: "A workspace beside ours is locked by nobody's build but its own; it fails on the day it is needed.",
        check: |tree| tree.stale.clone(),
    },
    Rule {
        name: "package names",
        reason: "Whoever reads a `use` finds the folder.",
        check: |tree| layers::names(&tree.graph),
    },
    Rule {
        name: "lints",
        reason: "A crate that forgets `[lints] workspace = true` silently escapes all of them.",
        check: |tree| layers::lints(tree),
    },
    Rule {
        name: "crate documentation",
        reason: "A crate begins with what it is for and an example that is compiled.",
        check: |tree| docs::crate_roots(tree),
    },
    Rule {
        name: "code map",
        reason: "docs/architecture.md tells a newcomer where everything is.",
        check: |tree| docs::code_map(tree),
    },
    Rule { name: "links", reason: "A page that points nowhere is worse than none.", check: |tree| docs::links(tree) },
    Rule {
        name: "assets are listed",
        reason: "Every picture, model and sound has a source and a licence that somebody wrote down.",
        check: |tree| docs::assets(tree),
    },
    Rule {
        name: "no clock, chance or environment in the logic",
        reason: "`now` is an argument, so that a test, an audit and a replay see what happened.",
        check: |tree| tree.each(rust::no_ambient_input),
    },
    Rule {
        name: "nothing unfinished",
        reason: "A marker for later panics in front of somebody.",
        check: |tree| tree.each(rust::no_leftovers),
    },
    Rule {
        name: "file length",
        reason: "A file has one subject; above 500 lines it has two.",
        check: |tree| tree.each(text::length),
    },
    Rule {
        name: "no package registry",
        reason: "Where packages come from is the machine's business; a written host breaks behind a mirror.",
        check: |tree| tree.each(text::no_registry),
    },
    Rule {
        name: "no path of a machine",
        reason: "It works on the machine it was written on, and nowhere else.",
        check: |tree| tree.each(text::no_machine_path),
    },
];

/// The systems that people build for. What only a browser would need (wasm) is no dependency of theirs.
const PLATFORMS: [&str; 3] = ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc", "aarch64-apple-darwin"];

fn graph_options() -> Vec<&'static str> {
    let platforms = PLATFORMS.iter().flat_map(|platform| ["--filter-platform", platform]);
    ["--all-features"].into_iter().chain(platforms).collect()
}

/// Checks everything and prints what is wrong; returns the number of broken rules.
pub fn check() -> Result<usize> {
    let workspace = Workspace::find()?;
    let metadata = metadata(&graph_options())?;
    let policy = std::fs::read_to_string(workspace.root.join("deny.toml")).context("deny.toml cannot be read")?;
    let tree = Tree {
        graph: Graph::read(&metadata)?,
        sources: source::read_all(&workspace.root)?,
        supplied: supply::read(&metadata),
        policy: supply::Policy::read(&policy)?,
        stale: supply::stale(&workspace.root, &["fuzz"]),
    };
    let mut broken = 0;
    for rule in RULES {
        let findings = (rule.check)(&tree);
        if findings.is_empty() {
            continue;
        }
        broken += 1;
        println!("{}: {}", rule.name, rule.reason);
        for finding in findings {
            println!("  {}: {}", finding.place, finding.message);
        }
    }
    println!("{} rules, {broken} broken, {} files", RULES.len(), tree.sources.len());
    Ok(broken)
}

/// `cargo xtask tidy`
pub fn run() -> Result<ExitCode> {
    Ok(if check()? == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The files that belong to the repository: tracked, or new and not ignored.
fn listed_files(root: &Path) -> Result<Vec<String>> {
    let output = std::process::Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("tidy needs git")?;
    if !output.status.success() {
        bail!("git ls-files failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let mut paths: Vec<String> = String::from_utf8_lossy(&output.stdout)
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_name_of_its_own_and_a_reason() {
        for rule in RULES {
            assert!(rule.reason.ends_with('.'), "{}", rule.name);
            assert_eq!(RULES.iter().filter(|other| other.name == rule.name).count(), 1);
        }
    }

    #[test]
    fn a_tree_full_of_faults_breaks_every_rule_for_single_files() {
        let bad = Source::new("crates/model/src/bad.rs", &bad_file());
        let tree = Tree { sources: vec![bad], ..Tree::default() };
        for name in [
            "no clock, chance or environment in the logic",
            "nothing unfinished",
            "file length",
            "no package registry",
            "no path of a machine",
        ] {
            let rule = RULES.iter().find(|rule| rule.name == name).unwrap();
            assert!(!(rule.check)(&tree).is_empty(), "{name} finds nothing");
        }
    }

    fn bad_file() -> String {
        let slash = '/';
        let mut text = format!(
            "fn f() {{ let t = Instant::now(); todo!() }}\n// {slash}root{slash}x\n// https:{slash}{slash}pypi.example\n"
        );
        text.push_str(&"// long\n".repeat(600));
        text
    }
}
