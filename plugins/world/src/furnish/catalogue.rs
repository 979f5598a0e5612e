use bevy::{
    asset::{AssetLoader, LoadContext, io::Reader},
    prelude::*,
};
use serde::Deserialize;
use thiserror::Error;
use vestibule_twin::{Catalogue, CatalogueEntry, FurnitureSnap, Notify, Urgency};

/// Models in a catalogue: more than fit a screen many times over.
const MAX_MODELS: usize = 256;
/// Bytes of a catalogue's file.
const MAX_BYTES: usize = 256 << 10;

/// A catalogue as its file says it (`catalogue.toml`).
#[derive(Asset, TypePath, Clone, Debug, Default, PartialEq)]
pub struct CatalogueFile {
    /// Its models, in order.
    pub entries: Vec<CatalogueEntry>,
}

/// Why a catalogue is not read.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// The disk said no.
    #[error("the catalogue cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It makes no sense.
    #[error("the catalogue makes no sense: {0}")]
    Broken(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    key: String,
    name: String,
    #[serde(default)]
    snap: Snap,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum Snap {
    #[default]
    Floor,
    Wall,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    model: Vec<Listed>,
}

/// Reads a catalogue whose files lie in `folder` (an asset path): `KEY.glb` and `thumbs/KEY.png`.
///
/// # Errors
/// [`CatalogueError::Broken`] says what is wrong.
pub fn read_catalogue(text: &str, folder: &str) -> Result<CatalogueFile, CatalogueError> {
    let broken = |what: String| CatalogueError::Broken(what.chars().take(300).collect());
    let file: File = toml::from_str(text).map_err(|error| broken(error.to_string()))?;
    if file.model.len() > MAX_MODELS {
        return Err(broken(format!("it has more than {MAX_MODELS} models")));
    }
    let mut entries: Vec<CatalogueEntry> = Vec::with_capacity(file.model.len());
    for Listed { key, name, snap } in file.model {
        // Keys become file names: nothing that could leave the folder.
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            return Err(broken(format!("{key:?} is no key: letters, digits, '_' and '-'")));
        }
        if entries.iter().any(|entry| entry.key == key) {
            return Err(broken(format!("{key} is there twice")));
        }
        entries.push(CatalogueEntry {
            snap: match snap {
                Snap::Floor => FurnitureSnap::Floor,
                Snap::Wall => FurnitureSnap::Wall,
            },
            thumb: format!("{folder}/thumbs/{key}.png"),
            model: format!("{folder}/{key}.glb"),
            key,
            name,
        });
    }
    Ok(CatalogueFile { entries })
}

/// Loads [`CatalogueFile`].
#[derive(TypePath, Default)]
pub(super) struct CatalogueLoader;

impl AssetLoader for CatalogueLoader {
    type Asset = CatalogueFile;
    type Settings = ();
    type Error = CatalogueError;

    async fn load(
        &self,
        reader: &mut dyn Reader,
        (): &(),
        context: &mut LoadContext<'_>,
    ) -> Result<CatalogueFile, CatalogueError> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).await?;
        if bytes.len() > MAX_BYTES {
            return Err(CatalogueError::Broken(format!("it has more than {MAX_BYTES} bytes")));
        }
        let text = String::from_utf8(bytes).map_err(|_| CatalogueError::Broken("it is no text".to_owned()))?;
        let folder = context.path().path().parent().map(|folder| folder.to_string_lossy().into_owned());
        read_catalogue(&text, folder.as_deref().unwrap_or_default())
    }

    fn extensions(&self) -> &[&str] {
        &["catalogue.toml"]
    }
}

/// The catalogue's file while it is loaded.
#[derive(Resource, Debug)]
pub(super) struct LoadingCatalogue(pub Handle<CatalogueFile>);

/// Copies what was loaded into the shared vocabulary; says so where it cannot be.
pub(super) fn take_catalogue(
    loading: Res<LoadingCatalogue>,
    mut events: MessageReader<AssetEvent<CatalogueFile>>,
    files: Res<Assets<CatalogueFile>>,
    server: Res<AssetServer>,
    mut catalogue: ResMut<Catalogue>,
    mut notify: MessageWriter<Notify>,
    mut told: Local<bool>,
) {
    if events.read().count() > 0
        && let Some(file) = files.get(&loading.0)
    {
        catalogue.entries.clone_from(&file.entries);
    }
    if let bevy::asset::LoadState::Failed(error) = server.load_state(&loading.0)
        && !*told
    {
        *told = true;
        let text: String = error.to_string().chars().take(300).collect();
        let title = "There is no furniture catalogue".to_owned();
        notify.write(Notify { urgency: Urgency::Problem, title, text, twin: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_catalogue_is_sound() {
        let text = include_str!("../../../../assets/furniture/catalogue.toml");
        let file = read_catalogue(text, "furniture").unwrap();
        assert_eq!(file.entries.len(), 10);
        let shelf = file.entries.iter().find(|entry| entry.key == "bookshelf").unwrap();
        assert_eq!(shelf.snap, FurnitureSnap::Wall);
        assert_eq!(shelf.model, "furniture/bookshelf.glb");
        assert_eq!(shelf.thumb, "furniture/thumbs/bookshelf.png");
    }

    #[test]
    fn keys_stay_in_their_folder_and_are_unique() {
        for key in ["../../etc/passwd", "", "a b", "/x"] {
            assert!(read_catalogue(&format!("[[model]]\nkey = {key:?}\nname = 'x'"), "f").is_err(), "{key}");
        }
        let twice = "[[model]]\nkey = 'a'\nname = 'x'\n".repeat(2);
        assert!(read_catalogue(&twice, "f").is_err());
        assert!(read_catalogue("[[model]]\nkey = 'a'\nname = 'x'\nsnap = 'ceiling'", "f").is_err());
    }
}
