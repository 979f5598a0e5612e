use std::path::{Path, PathBuf};

use super::{ClientError, Flags};

/// Where the client keeps and finds things.
#[derive(Clone, Debug)]
pub(super) struct Folders {
    /// Settings, furniture, keys, the enabler's log.
    pub(super) data: PathBuf,
    /// Models.
    pub(super) assets: PathBuf,
    /// For what is written for others: one that the person sees.
    pub(super) outgoing: PathBuf,
    /// Designs and own models.
    pub(super) designs: PathBuf,
    /// For things that were designed, written for printers and makers: one that the person sees.
    pub(super) made: PathBuf,
}

impl Folders {
    pub(super) fn find(flags: &Flags) -> Result<Self, ClientError> {
        let data = match (&flags.data, flags.tour.is_some()) {
            (Some(data), _) => data.clone(),
            // A tour begins in a fresh house and leaves the person's own alone.
            (None, true) => std::env::temp_dir().join(format!("vestibule-tour-{}", std::process::id())),
            (None, false) => home_data()?,
        };
        std::fs::create_dir_all(&data).map_err(|error| ClientError::Data(data.clone(), error))?;
        let own = flags.data.is_none() && flags.tour.is_none();
        let shown = home().filter(|_| own).and_then(|home| seen(&home));
        let outgoing = shown.clone().unwrap_or_else(|| data.join("tokens"));
        let made = shown.unwrap_or_else(|| data.join("made"));
        // The engine takes names that are not absolute as names beside the program.
        let whole = std::path::absolute(&data).unwrap_or_else(|_| data.clone());
        let assets = find_assets(flags.assets.as_deref())?;
        Ok(Self { designs: whole.join("designs"), data, assets, outgoing, made })
    }
}

fn set(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The person's home folder.
pub(super) fn home() -> Option<PathBuf> {
    set("HOME")
}

/// Where people look for files that a program gave them.
fn seen(home: &Path) -> Option<PathBuf> {
    ["Downloads", "Desktop", "Documents"].map(|name| home.join(name)).into_iter().find(|folder| folder.is_dir())
}

fn home_data() -> Result<PathBuf, ClientError> {
    let base = set("XDG_DATA_HOME").or_else(|| home().map(|home| home.join(".local/share")));
    base.map(|base| base.join("vestibule")).ok_or(ClientError::NoHome)
}

fn find_assets(given: Option<&Path>) -> Result<PathBuf, ClientError> {
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(|folder| folder.join("assets")));
    let source = option_env!("CARGO_MANIFEST_DIR").map(|folder| Path::new(folder).join("assets"));
    let here = std::env::current_dir().ok().map(|folder| folder.join("assets"));
    let tried: Vec<_> = match given {
        Some(given) => vec![given.to_owned()],
        None => [beside, source, here].into_iter().flatten().collect(),
    };
    let found = tried.iter().find(|folder| folder.join("home").is_dir());
    let found = found.and_then(|folder| folder.canonicalize().ok());
    found.ok_or(ClientError::NoAssets(tried))
}

/// Hours since midnight on this computer's wall clock.
pub(super) fn local_hour() -> f32 {
    let now = jiff::Zoned::now();
    f32::from(now.hour()) + f32::from(now.minute()) / 60.0
}
