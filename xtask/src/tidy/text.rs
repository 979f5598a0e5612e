//! Rules on any text file.

use super::Finding;
use super::source::Source;

/// Above this a file has more than one subject.
const LINES: usize = 500;
/// Names that a host of packages has among its labels, wherever it stands.
const REGISTRY_LABELS: [&str; 12] = [
    "registry",
    "index",
    "static",
    "pypi",
    "pythonhosted",
    "npmjs",
    "deb",
    "archive",
    "mirror",
    "mirrors",
    "artifactory",
    "crates",
];
/// First folders of paths that exist on one machine only.
const MACHINE_FOLDERS: [&str; 4] = ["root", "home", "work", "Users"];

/// Sources are not too long.
pub fn length(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().count();
    let counts = source.is_rust() || source.has_extension("py");
    if !counts || lines <= LINES {
        return Vec::new();
    }
    vec![Finding::new(&source.path, format!("{lines} lines, {LINES} are enough"))]
}

/// No address of a package registry. Lock files record where packages came from, and that is their job.
pub fn no_registry(source: &Source) -> Vec<Finding> {
    if source.has_extension("lock") {
        return Vec::new();
    }
    lines(source, |line| hosts(line).find(|host| is_registry(host)).map(|host| format!("an address of {host}")))
}

fn hosts(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("://").map(|(at, mark)| {
        let rest = &line[at + mark.len()..];
        rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-')).next().unwrap_or_default()
    })
}

fn is_registry(host: &str) -> bool {
    host.split('.').any(|label| REGISTRY_LABELS.contains(&label))
}

/// No absolute path that begins in somebody's own folder.
pub fn no_machine_path(source: &Source) -> Vec<Finding> {
    lines(source, |line| {
        let folder = MACHINE_FOLDERS.iter().find(|folder| has_path(line, folder))?;
        Some(format!("a path below {folder}"))
    })
}

/// Whether an absolute path starts with `folder`: nothing that belongs to a path, an address or a topic is before it.
fn has_path(line: &str, folder: &str) -> bool {
    let start = format!("/{folder}/");
    line.match_indices(&start).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + start.len()..].chars().next();
        let continues = |c: char| c.is_alphanumeric() || "._-~/:{}()<>*+#$%".contains(c);
        !before.is_some_and(continues) && after.is_some_and(|c| c.is_alphanumeric() || c == '.')
    })
}

fn lines(source: &Source, find: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let numbered = source.text.lines().enumerate();
    let found = numbered.filter_map(|(index, line)| find(line).map(|message| (index + 1, message)));
    found.map(|(number, message)| Finding::new(format!("{}:{number}", source.path), message)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_reported_and_a_long_table_is_not() {
        let long = "x\n".repeat(LINES + 1);
        assert_eq!(length(&Source::new("src/a.rs", &long)).len(), 1);
        assert!(length(&Source::new("docs/a.md", &long)).is_empty());
        assert!(length(&Source::new("src/a.rs", &"x\n".repeat(LINES))).is_empty());
    }

    #[test]
    fn registries_are_found_by_their_labels() {
        let found = |text: &str| no_registry(&Source::new("a.toml", text)).len();
        let scheme = "https:/";
        for host in ["pypi.example", "index.crates.example", "deb.debian.example", "registry.npmjs.example"] {
            assert_eq!(found(&format!("url = \"{scheme}/{host}/x\"")), 1, "{host}");
        }
        assert_eq!(found("https://docs.rs/quinn and https://github.com/a/b and crates.io"), 0);
        assert!(no_registry(&Source::new("Cargo.lock", &format!("{scheme}/index.crates.example"))).is_empty());
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        let found = |text: &str| no_machine_path(&Source::new("a.rs", text)).len();
        for folder in MACHINE_FOLDERS {
            assert_eq!(found(&format!("open(\"/{folder}/x\")")), 1, "{folder}");
        }
        assert_eq!(found("assets/root/x target/tour/home/1.png {prefix}/home/door https://a.example/work/x"), 0);
        assert_eq!(found("\"/home/\" alone is a prefix, /homes/x another word"), 0);
    }
}
