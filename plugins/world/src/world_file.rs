//! The world file: what a person arranged, kept between visits. Pure but for reading and writing its one file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bevy::ecs::resource::Resource;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use thiserror::Error;
use vestibule_twin::{TwinRole, model::TwinId};

/// The format's version. Files of a later one are kept aside rather than misread.
pub const VERSION: u32 = 1;
/// Bytes of a world file that is read: a thousand pieces take a tenth of that.
const MAX_BYTES: u64 = 1 << 20;
/// Pieces and bindings in a world file.
pub const MAX_ENTRIES: usize = 4096;

/// What is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldFile {
    /// [`VERSION`].
    pub version: u32,
    /// Which nodes of the scene show which twins, where the scene itself does not say so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binding: Vec<Binding>,
    /// What stands in the world.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub furniture: Vec<Piece>,
    /// Which pieces are twins: things that were designed, made and bought.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub product: Vec<PieceTwin>,
}

impl Default for WorldFile {
    fn default() -> Self {
        Self { version: VERSION, binding: Vec::new(), furniture: Vec::new(), product: Vec::new() }
    }
}

/// A node of the scene shows a twin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The node's name.
    pub node: String,
    /// The twin, `system/twin`.
    pub twin: String,
    /// The part it plays, as in `vestibule_role`; `body` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Degrees that a `leaf` opens, metres that a `bolt` slides, or lumens of a `lamp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<f32>,
}

impl Binding {
    /// The twin and what the node does for it.
    ///
    /// # Errors
    /// A sentence for the person who wrote the file.
    pub fn part(&self) -> Result<(TwinId, TwinRole), String> {
        let twin = TwinId::new(&self.twin).map_err(|error| format!("the world file binds it to no twin: {error}"))?;
        let mut extras = Map::new();
        if let Some(amount) = self.amount {
            for key in ["vestibule_open_angle", "vestibule_travel", "vestibule_lumens"] {
                extras.insert(key.to_owned(), json!(amount));
            }
        }
        let name = self.role.as_deref().unwrap_or("body");
        let role = crate::scene::role(name, &extras);
        Ok((twin, role.ok_or_else(|| format!("the world file gives it the role {name:?}, which is not known"))?))
    }
}

/// A piece of furniture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// Its number, unique in the file.
    pub id: u64,
    /// Its key in the catalogue.
    pub model: String,
    /// Metres in the world's frame.
    pub position: [f32; 3],
    /// Radians about +Y.
    pub yaw: f32,
}

/// A piece of furniture is a twin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PieceTwin {
    /// The piece's number.
    pub piece: u64,
    /// The twin, `system/twin`.
    pub twin: String,
}

/// Why a world file could not be read or written.
#[derive(Debug, Error)]
pub enum WorldFileError {
    /// It is not there yet.
    #[error("there is no world file yet")]
    Missing,
    /// It is there and makes no sense.
    #[error("the world file makes no sense: {0}")]
    Broken(String),
    /// The disk said no.
    #[error("the world file: {0}")]
    Io(#[from] io::Error),
}

impl WorldFile {
    /// Reads text that may come from anybody.
    ///
    /// # Errors
    /// [`WorldFileError::Broken`] says what is wrong.
    pub fn from_toml(text: &str) -> Result<Self, WorldFileError> {
        let broken = |what: String| WorldFileError::Broken(what.chars().take(300).collect());
        let file: Self = toml::from_str(text).map_err(|error| broken(error.to_string()))?;
        if file.version != VERSION {
            return Err(broken(format!("its version is {}, this program knows {VERSION}", file.version)));
        }
        if file.furniture.len().max(file.binding.len()).max(file.product.len()) > MAX_ENTRIES {
            return Err(broken(format!("it has more than {MAX_ENTRIES} entries")));
        }
        let sound = |piece: &Piece| {
            piece.yaw.is_finite() && piece.position.iter().all(|metres| metres.is_finite() && metres.abs() < 10_000.0)
        };
        if let Some(piece) = file.furniture.iter().find(|piece| !sound(piece)) {
            return Err(broken(format!("piece {} stands nowhere", piece.id)));
        }
        let mut ids: Vec<_> = file.furniture.iter().map(|piece| piece.id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(broken("two pieces have one number".to_owned()));
        }
        Ok(file)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`WorldFileError`]: missing, broken or unreadable.
    pub fn load(path: &Path) -> Result<Self, WorldFileError> {
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(WorldFileError::Missing),
            Err(error) => return Err(error.into()),
            Ok(about) if about.len() > MAX_BYTES => {
                return Err(WorldFileError::Broken(format!("it has more than {MAX_BYTES} bytes")));
            }
            Ok(_) => {}
        }
        let bytes = fs::read(path)?;
        let text = String::from_utf8(bytes).map_err(|_| WorldFileError::Broken("it is no text".to_owned()))?;
        Self::from_toml(&text)
    }

    /// Writes the file whole or not at all: beside it first, then in its place.
    ///
    /// # Errors
    /// [`WorldFileError::Io`]; the old file is then still there.
    pub fn save(&self, path: &Path) -> Result<(), WorldFileError> {
        let text = toml::to_string_pretty(self).map_err(|error| WorldFileError::Broken(error.to_string()))?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let beside = with_suffix(path, ".new");
        let mut file = fs::File::create(&beside)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        Ok(())
    }
}

/// Moves a file that makes no sense out of the way, so that a person can mend it and nothing overwrites it.
///
/// # Errors
/// What the disk said.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    // An older broken file is not overwritten either.
    let names = (0..100).map(|n| if n == 0 { ".broken".to_owned() } else { format!(".broken{n}") });
    let free = names.map(|name| with_suffix(path, &name)).find(|aside| !aside.exists());
    let aside = free.unwrap_or_else(|| with_suffix(path, ".broken"));
    fs::rename(path, &aside)?;
    Ok(aside)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The world file as it is now, and where it is kept.
#[derive(Resource, Clone, Debug, Default)]
pub struct WorldRecord {
    /// Where it is kept; `None`: nowhere.
    pub path: Option<PathBuf>,
    /// What it says.
    pub file: WorldFile,
    /// What was wrong with it when it was read, for a person.
    pub problem: Option<String>,
}

impl WorldRecord {
    /// Reads `path`. A file that is missing is an empty one; a broken one is set aside, and the record says so.
    #[must_use]
    pub fn open(path: Option<PathBuf>) -> Self {
        let Some(at) = path.as_deref() else { return Self::default() };
        match WorldFile::load(at) {
            Ok(file) => Self { path, file, problem: None },
            Err(WorldFileError::Missing) => Self { path, ..Self::default() },
            Err(WorldFileError::Broken(why)) => match set_aside(at) {
                Ok(aside) => {
                    let problem = format!("{why}. It was kept as {}; this world starts empty.", aside.display());
                    Self { path, problem: Some(problem), ..Self::default() }
                }
                // Not movable: then nothing may be written over it either.
                Err(error) => Self { problem: Some(format!("{why}. It cannot be moved: {error}")), ..Self::default() },
            },
            Err(error) => Self { problem: Some(format!("{error}; changes are not kept")), ..Self::default() },
        }
    }

    /// Writes the record to its file, where it has one.
    ///
    /// # Errors
    /// [`WorldFileError`].
    pub fn save(&self) -> Result<(), WorldFileError> {
        self.path.as_deref().map_or(Ok(()), |path| self.file.save(path))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn some() -> WorldFile {
        WorldFile {
            binding: vec![Binding {
                node: "Lamp.001".to_owned(),
                twin: "home/desk".to_owned(),
                role: Some("lamp".to_owned()),
                amount: Some(300.0),
            }],
            furniture: vec![Piece { id: 7, model: "sofa".to_owned(), position: [1.0, 3.0, -2.5], yaw: 1.5 }],
            product: vec![PieceTwin { piece: 7, twin: "things/W-1".to_owned() }],
            ..WorldFile::default()
        }
    }

    #[test]
    fn a_world_survives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/world.toml");
        some().save(&path).unwrap();
        let record = WorldRecord::open(Some(path.clone()));
        assert_eq!((record.file, record.problem), (some(), None));
        assert!(!with_suffix(&path, ".new").exists());
        let (twin, role) = some().binding[0].part().unwrap();
        assert_eq!((twin.as_str(), role), ("home/desk", TwinRole::Lamp { lumens: 300.0 }));
    }

    #[test]
    fn a_broken_file_is_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world.toml");
        for text in ["version = 1\n[[furniture]]\nid = ", "version = 9", "\u{0}", ""] {
            fs::write(&path, text).unwrap();
            let record = WorldRecord::open(Some(path.clone()));
            assert_eq!(record.file, WorldFile::default());
            assert!(record.problem.is_some() && !path.exists(), "{text:?}");
            record.save().unwrap();
        }
        let kept = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(kept, 5, "four broken ones and the new one");
    }

    #[test]
    fn a_missing_file_is_an_empty_world_and_no_problem() {
        let record = WorldRecord::open(Some(PathBuf::from("/nonexistent/world.toml")));
        assert!(record.problem.is_none() && record.path.is_some());
    }

    #[test]
    fn nonsense_numbers_are_refused() {
        let mut file = some();
        file.furniture[0].position[1] = f32::INFINITY;
        assert!(WorldFile::from_toml(&toml::to_string(&file).unwrap()).is_err());
        let mut file = some();
        file.furniture.push(file.furniture[0].clone());
        assert!(WorldFile::from_toml(&toml::to_string(&file).unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,300}") {
            let _ = WorldFile::from_toml(&text);
            let _ = WorldFile::from_toml(&format!("version = 1\n{text}"));
        }

        #[test]
        fn pieces_round_trip(x in -999.0_f32..999.0, yaw in -7.0_f32..7.0, id: u32) {
            let mut file = some();
            file.furniture[0] = Piece { id: u64::from(id), model: "a".into(), position: [x, 0.0, -x], yaw };
            let text = toml::to_string_pretty(&file).unwrap();
            prop_assert_eq!(WorldFile::from_toml(&text).unwrap(), file);
        }
    }
}
