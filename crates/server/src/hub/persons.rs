//! Documents about people, apart from the log and everything that is shown: each in a file of its own that only the
//! enabler reads, found by its giver alone, and gone for good when its time ends or its giver is forgotten.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use vestibule_model::{ContentHash, Json, Refusal, RefusalCode, UserId};

/// The folder in the data folder.
const FOLDER: &str = "persons";
/// How long a document is kept: as long as an order is on its way.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Between two looks for documents that are over.
const SWEPT_EVERY: Duration = Duration::from_secs(60 * 60);
/// Documents of one user: an address book. The oldest goes first.
const MOST_EACH: usize = 64;
/// What a document has: with its salt, its hash says nothing.
const SALT: &str = "salt";
const PARTS: [&str; 2] = ["buyer", "destination"];

type InMemory = BTreeMap<(UserId, ContentHash), Json>;

/// Where documents about people are kept.
#[derive(Clone, Debug)]
pub(super) struct PersonStore {
    /// `None`: in memory, gone at the end.
    folder: Option<PathBuf>,
    memory: Arc<Mutex<InMemory>>,
    /// Held while files are written or removed: what is over is not taken for what is given anew.
    changing: Arc<Mutex<()>>,
}

impl PersonStore {
    pub(super) fn new(data: Option<&Path>) -> Self {
        Self { folder: data.map(|data| data.join(FOLDER)), memory: Arc::default(), changing: Arc::default() }
    }

    /// Removes what is over now and each hour from now on, whoever gave it: they may never come again. For as long as
    /// the hub runs.
    pub(super) fn keep_sweeping(&self) {
        let Some(folder) = self.folder.clone() else { return };
        let changing = Arc::downgrade(&self.changing);
        tokio::spawn(async move {
            while let Some(changing) = changing.upgrade() {
                let folder = folder.clone();
                let swept = blocking(move || {
                    let _changing = changing.lock().unwrap_or_else(PoisonError::into_inner);
                    sweep_all(&folder)
                });
                if let Err(error) = swept.await {
                    tracing::warn!(%error, "documents about people that are over cannot be removed");
                }
                tokio::time::sleep(SWEPT_EVERY).await;
            }
        });
    }

    /// Each giver's folder is named by a hash: a listing names nobody.
    fn of(&self, user: &UserId) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(ContentHash::of(user.as_str().as_bytes()).to_string()))
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, InMemory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The document that this user gave under this hash.
    pub(super) async fn get(&self, user: &UserId, hash: ContentHash) -> io::Result<Option<Json>> {
        let Some(folder) = self.of(user) else {
            return Ok(self.memory().get(&(user.clone(), hash)).cloned());
        };
        blocking(move || read(&folder.join(hash.to_string()))).await
    }

    /// Keeps a document.
    pub(super) async fn put(&self, user: &UserId, hash: ContentHash, bytes: Vec<u8>) -> Result<(), Refusal> {
        let document = check(&bytes)?;
        let Some(folder) = self.of(user) else {
            let mut memory = self.memory();
            memory.insert((user.clone(), hash), document);
            while memory.keys().filter(|(whose, _)| whose == user).count() > MOST_EACH
                && let Some(first) = memory.keys().find(|(whose, other)| whose == user && *other != hash).cloned()
            {
                memory.remove(&first);
            }
            return Ok(());
        };
        let changing = self.changing.clone();
        let kept = blocking(move || {
            let _changing = changing.lock().unwrap_or_else(PoisonError::into_inner);
            write(&folder, &hash.to_string(), &bytes)?;
            sweep(&folder)
        });
        kept.await.map_err(|error| Refusal::new(RefusalCode::Storage, error.to_string()))
    }

    /// Removes what this user gave, and what it said.
    pub(super) async fn forget(&self, user: &UserId) -> io::Result<()> {
        self.memory().retain(|(whose, _), _| whose != user);
        let Some(folder) = self.of(user) else { return Ok(()) };
        let changing = self.changing.clone();
        blocking(move || {
            let _changing = changing.lock().unwrap_or_else(PoisonError::into_inner);
            for (_, path) in documents(&folder)? {
                destroy(&path)?;
            }
            match fs::remove_dir(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        })
        .await
    }
}

/// Whether bytes are a document about a person: a salt, and nothing but the parts that there are.
fn check(bytes: &[u8]) -> Result<Json, Refusal> {
    let invalid = |why: &str| Refusal::new(RefusalCode::Invalid, format!("this is no document about a person: {why}"));
    let text = std::str::from_utf8(bytes).map_err(|_| invalid("it is no text"))?;
    let json = Json::new(text).map_err(|error| invalid(&error.to_string()))?;
    let value = json.value();
    let fields = value.as_object().ok_or_else(|| invalid("it is no object"))?;
    let salt = fields.get(SALT).and_then(serde_json::Value::as_str).and_then(|salt| salt.parse::<ContentHash>().ok());
    if salt.is_none() {
        return Err(invalid("it has no salt of 64 hexadecimal digits"));
    }
    let known = |(name, value): (&String, &serde_json::Value)| {
        name == SALT || PARTS.contains(&name.as_str()) && value.is_object()
    };
    if fields.iter().all(known) { Ok(json) } else { Err(invalid("it has a buyer, a destination and nothing else")) }
}

fn is_over(path: &Path) -> io::Result<bool> {
    let written = fs::metadata(path)?.modified()?;
    Ok(SystemTime::now().duration_since(written).is_ok_and(|age| age > KEPT))
}

fn read(path: &Path) -> io::Result<Option<Json>> {
    match fs::read(path) {
        Ok(_) if is_over(path)? => Ok(None),
        Ok(bytes) => Ok(check(&bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whole or not at all, and readable by nobody else from its first byte on.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let part = folder.join(format!("{name}.part"));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&part)?;
    io::Write::write_all(&mut file, bytes)?;
    file.sync_all()?;
    fs::rename(part, folder.join(name))
}

/// Everything in a folder, the oldest first: documents of a giver, or givers.
fn documents(folder: &Path) -> io::Result<Vec<(SystemTime, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        found.push((entry.metadata()?.modified()?, entry.path()));
    }
    found.sort();
    Ok(found)
}

/// Removes what is over, and the oldest where there are too many.
fn sweep(folder: &Path) -> io::Result<()> {
    let all = documents(folder)?;
    let many = all.len().saturating_sub(MOST_EACH);
    for (place, (_, path)) in all.iter().enumerate() {
        if place < many || is_over(path)? {
            destroy(path)?;
        }
    }
    Ok(())
}

/// Removes what is over of everybody, and the folders of those of whom nothing is left.
fn sweep_all(folder: &Path) -> io::Result<()> {
    let mut swept = Ok(());
    for (_, giver) in documents(folder)? {
        // What cannot be removed of one keeps nobody else's.
        swept = swept.and(sweep(&giver));
        // One that is not empty stays.
        let _ = fs::remove_dir(giver);
    }
    swept
}

/// What it said is written over first.
fn destroy(path: &Path) -> io::Result<()> {
    let length = usize::try_from(fs::metadata(path)?.len()).unwrap_or_default();
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    io::Write::write_all(&mut file, &vec![0; length])?;
    file.sync_all()?;
    fs::remove_file(path)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
