//! The secret key that signs tokens: made at the first start, in the data folder, for its owner's eyes only.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use vestibule_enabler_core::token::RootKey;

use super::HubError;

/// 64 hexadecimal digits.
const FILE: &str = "token.key";

/// The key of the data folder; without one, a key for as long as the process lives.
pub(super) fn token_key(folder: Option<&Path>) -> Result<RootKey, HubError> {
    let secret = match folder {
        Some(folder) => {
            let path = folder.join(FILE);
            kept(&path).map_err(|error| HubError::KeyFile(path, error))?
        }
        None => rand::random(),
    };
    Ok(RootKey::new(secret)?)
}

fn kept(path: &PathBuf) -> io::Result<[u8; 32]> {
    match fs::read_to_string(path) {
        Ok(text) => secret(text.trim()).ok_or_else(|| {
            let words = "is not the key that was written there: put it back from a copy; a new key voids every token";
            io::Error::new(io::ErrorKind::InvalidData, words)
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let secret: [u8; 32] = rand::random();
            write(path, &secret)?;
            Ok(secret)
        }
        Err(error) => Err(error),
    }
}

fn secret(text: &str) -> Option<[u8; 32]> {
    text.parse::<vestibule_model::ContentHash>().ok().map(|bytes| bytes.0)
}

/// Whole or not at all, and readable by nobody else from its first byte on.
fn write(path: &Path, secret: &[u8; 32]) -> io::Result<()> {
    let part = path.with_extension("part");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&part)?;
    writeln!(file, "{}", vestibule_model::ContentHash(*secret))?;
    file.sync_all()?;
    fs::rename(part, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stays_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let first = token_key(Some(folder.path())).unwrap().public().unwrap();
        assert_eq!(token_key(Some(folder.path())).unwrap().public().unwrap(), first);
        assert_ne!(token_key(None).unwrap().public().unwrap(), first);
        let path = folder.path().join(FILE);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&path, "rubbish").unwrap();
        assert!(matches!(token_key(Some(folder.path())), Err(HubError::KeyFile(..))), "never a new key by mistake");
    }
}
