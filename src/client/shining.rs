//! Which designs a lamp module is built into: their own documents say so (`role`), and orders name them by hash. Noted when
//! a design is handed over, since it may be another one by the time that the thing comes.

use std::{collections::BTreeSet, fs, path::PathBuf};

use bevy::log::warn;
use vestibule_twin::{DesignPackage, model::DesignHash};

use super::private;

/// The role of designs that shine.
const LAMP: &str = "lamp";
/// Designs that are remembered: more than a home orders. Of more, the new ones are not.
const MOST: usize = 1_000;
/// Bytes of the list: so many hashes, and room.
const MOST_BYTES: u64 = 128 * 1_024;

/// Designs that shine.
#[derive(Debug, Default)]
pub(super) struct Shining {
    file: PathBuf,
    designs: BTreeSet<DesignHash>,
}

impl Shining {
    /// Those of earlier starts. Lines that are no hash are none.
    pub(super) fn open(file: PathBuf) -> Self {
        let fits = fs::metadata(&file).is_ok_and(|about| about.len() <= MOST_BYTES);
        let text = if fits { fs::read_to_string(&file).unwrap_or_default() } else { String::new() };
        let designs = text.lines().filter_map(|line| line.trim().parse().ok()).take(MOST).collect();
        Self { file, designs }
    }

    /// Remembers a design that is handed over, if it shines.
    pub(super) fn note(&mut self, package: &DesignPackage) {
        let shines = package.role.as_deref() == Some(LAMP) && self.designs.len() < MOST;
        if !shines || !self.designs.insert(package.design) {
            return;
        }
        let lines: Vec<String> = self.designs.iter().map(ToString::to_string).collect();
        // Whole or not at all: who is killed now still knows what they knew before.
        if let Err(error) = private::write(&self.file, lines.join("\n").as_bytes()) {
            warn!("which designs shine is not remembered: {error}");
        }
    }

    /// Whether what is made to this has a lamp module in it.
    pub(super) fn has(&self, design: Option<&DesignHash>) -> bool {
        design.is_some_and(|design| self.designs.contains(design))
    }
}

#[cfg(test)]
mod tests {
    use vestibule_twin::{Given, model::ContentHash};

    use super::*;

    #[test]
    fn what_shines_is_told_by_its_design_and_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shining.txt");
        let package = |n: u8, role: Option<&str>| DesignPackage {
            design: DesignHash(ContentHash([n; 32])),
            name: "A tall lamp".to_owned(),
            role: role.map(str::to_owned),
            package: Given::new(Given::PACKAGE, [n].as_slice()),
            process: "fff".to_owned(),
            material: "pla".to_owned(),
            colour: "#ffffff".to_owned(),
            infill_percent: 15,
        };
        let mut shining = Shining::open(file.clone());
        for (n, role) in [(1, Some("lamp")), (2, None), (3, Some("shelf"))] {
            shining.note(&package(n, role));
        }
        let shines = |shining: &Shining| [1, 2, 3].map(|n| shining.has(Some(&DesignHash(ContentHash([n; 32])))));
        assert_eq!((shines(&shining), shining.has(None)), ([true, false, false], false), "a name says nothing");
        assert_eq!(shines(&Shining::open(file.clone())), [true, false, false]);
        fs::write(&file, "no hash\n\u{0}").unwrap();
        assert_eq!(shines(&Shining::open(file)), [false; 3]);
    }
}
