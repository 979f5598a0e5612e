use super::super::source::Source;
use super::*;

fn package(folder: &str, name: &str, uses: &[usize]) -> Package {
    Package { folder: folder.to_owned(), name: name.to_owned(), uses: uses.to_vec(), ..Package::default() }
}

fn foreign(name: &str, uses: &[usize]) -> Package {
    package("", name, uses)
}

/// Members first, then packages of other people.
fn graph(members: Vec<Package>, others: Vec<Package>) -> Graph {
    let mut graph = Graph::of(members);
    graph.packages.extend(others);
    graph
}

#[test]
fn bevy_is_found_however_deep_it_is() {
    let bad = graph(
        vec![package("crates/model", "vestibule-model", &[1])],
        vec![foreign("harmless", &[2]), foreign("bevy_ecs", &[])],
    );
    let findings = reach(&bad, "crates/", |name| name.starts_with("bevy"));
    assert_eq!(findings, [Finding::new("crates/model", "vestibule-model -> harmless -> bevy_ecs")]);
    let plugin = graph(vec![package("plugins/twin", "vestibule-twin", &[1])], vec![foreign("bevy_ecs", &[])]);
    assert!(reach(&plugin, "crates/", |name| name.starts_with("bevy")).is_empty());
}

#[test]
fn a_cycle_ends() {
    let cycle =
        graph(vec![package("crates/model", "vestibule-model", &[1])], vec![foreign("a", &[2]), foreign("b", &[1])]);
    assert!(reach(&cycle, "crates/", |name| name == "tokio").is_empty());
}

#[test]
fn dependencies_against_the_layers_are_found() {
    let wrong = [
        ("crates/model", "crates/protocol"),
        ("crates/protocol", "crates/quic"),
        ("crates/enabler", "crates/store"),
        ("crates/adapters/mqtt", "crates/server"),
        ("crates/sim", "crates/enabler"),
        ("plugins/world", "plugins/door"),
        ("plugins/door", "crates/protocol"),
        ("plugins/twin", "plugins/enabler"),
        ("plugins/input", "plugins/twin"),
        ("crates/protocol", "crates/enabler"),
        ("crates/adapters/mqtt", "crates/quic"),
        ("", "tests"),
        ("xtask", "crates/model"),
    ];
    for (user, used) in wrong {
        let graph = graph(vec![package(user, "a", &[1]), package(used, "b", &[])], vec![]);
        assert_eq!(direction(&graph), [Finding::new(user, format!("may not use {used}"))]);
    }
}

#[test]
fn dependencies_along_the_layers_are_fine() {
    let right = [
        ("crates/quic", "crates/protocol"),
        ("crates/server", "crates/adapters/mqtt"),
        ("crates/store", "crates/enabler"),
        ("plugins/enabler", "crates/protocol"),
        ("plugins/door", "plugins/twin"),
        ("plugins/hud", "plugins/input"),
        ("crates/enabler", "crates/protocol"),
        ("crates/adapters/mqtt", "crates/protocol"),
        ("", "crates/server"),
        ("tests", ""),
    ];
    for (user, used) in right {
        let graph = graph(vec![package(user, "a", &[1]), package(used, "b", &[])], vec![]);
        assert!(direction(&graph).is_empty(), "{user} uses {used}");
    }
}

#[test]
fn a_crate_outside_the_layers_is_found() {
    assert_eq!(direction(&graph(vec![package("crates/misc", "vestibule-misc", &[])], vec![])).len(), 1);
}

#[test]
fn a_package_with_a_name_of_its_own_is_found() {
    let found = |folder, name| names(&graph(vec![package(folder, name, &[])], vec![])).len();
    assert_eq!(found("crates/enabler", "vestibule-enabler"), 1);
    assert_eq!(found("crates/enabler", "vestibule-enabler-core"), 0);
    assert_eq!(found("crates/adapters/opcua", "opcua"), 1);
    assert_eq!(found("crates/adapters/opcua", "vestibule-adapter-opcua"), 0);
    assert_eq!(found("plugins/map", "vestibule-map"), 0);
}

#[test]
fn a_package_that_escapes_the_lints_is_found() {
    let tree = |text| Tree {
        graph: graph(vec![package("crates/model", "vestibule-model", &[])], vec![]),
        sources: vec![Source::new("crates/model/Cargo.toml", text)],
        ..Tree::default()
    };
    assert_eq!(lints(&tree("[package]\n")).len(), 1);
    assert!(lints(&tree("[package]\n\n[lints]\nworkspace = true\n")).is_empty());
}

#[test]
fn dev_dependencies_are_not_dependencies() {
    let metadata: Value = serde_json::from_str(
        r#"{"workspace_root": "/w", "workspace_members": ["m"],
            "packages": [
              {"id": "m", "name": "vestibule-model", "manifest_path": "/w/crates/model/Cargo.toml",
               "targets": [{"kind": ["lib"], "src_path": "/w/crates/model/src/lib.rs"}]},
              {"id": "b", "name": "bevy", "manifest_path": "/r/bevy/Cargo.toml", "targets": []},
              {"id": "s", "name": "serde", "manifest_path": "/r/serde/Cargo.toml", "targets": []}],
            "resolve": {"nodes": [
              {"id": "m", "deps": [{"pkg": "b", "dep_kinds": [{"kind": "dev"}]}, {"pkg": "s", "dep_kinds": [{"kind": null}]}]},
              {"id": "b", "deps": []}, {"id": "s", "deps": []}]}}"#,
    )
    .unwrap();
    let graph = Graph::read(&metadata).unwrap();
    assert_eq!(graph.packages[0].uses, [2]);
    assert_eq!(graph.packages[0].folder, "crates/model");
    assert_eq!(graph.packages[0].targets[0].source, "crates/model/src/lib.rs");
    assert!(reach(&graph, "crates/", |name| name.starts_with("bevy")).is_empty());
}
