//! The key with which this platform signs what it asks of merchants: made at the first start, in the data folder, for
//! its owner's eyes only. With another key merchants take it for somebody else.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use vestibule_model::ContentHash;
use vestibule_ucp::SigningKey;

/// 64 hexadecimal digits.
const FILE: &str = "ucp.key";

/// The key of a data folder.
pub(super) fn signing_key(folder: &Path) -> io::Result<SigningKey> {
    let path = folder.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => text.trim().parse::<ContentHash>().ok().and_then(|bytes| named(&bytes.0)).ok_or_else(|| {
            let words = "is not the key that was written there: put it back from a copy; merchants know no other";
            io::Error::new(io::ErrorKind::InvalidData, words)
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let (bytes, key) = made()?;
            write(&path, &bytes)?;
            Ok(key)
        }
        Err(error) => Err(error),
    }
}

/// Nearly all numbers of 32 bytes are keys.
fn made() -> io::Result<([u8; 32], SigningKey)> {
    for _ in 0..8 {
        let bytes: [u8; 32] = rand::random();
        if let Some(key) = named(&bytes) {
            return Ok((bytes, key));
        }
    }
    Err(io::Error::other("no random key can be made"))
}

/// Called by its thumbprint: another key never has its name.
fn named(bytes: &[u8; 32]) -> Option<SigningKey> {
    let thumbprint = SigningKey::from_bytes("unnamed", bytes).ok()?.jwk().thumbprint().ok()?;
    SigningKey::from_bytes(&format!("vestibule-{}", thumbprint.get(..16)?), bytes).ok()
}

/// Whole or not at all, and readable by nobody else from its first byte on.
fn write(path: &Path, secret: &[u8; 32]) -> io::Result<()> {
    let part = path.with_extension("part");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&part)?;
    writeln!(file, "{}", ContentHash(*secret))?;
    file.sync_all()?;
    fs::rename(part, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stays_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let first = signing_key(folder.path()).unwrap().jwk();
        assert_eq!(signing_key(folder.path()).unwrap().jwk(), first);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(signing_key(other.path()).unwrap().kid(), first.kid);
        let path = folder.path().join(FILE);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        for text in ["rubbish", "", &"00".repeat(32)] {
            fs::write(&path, text).unwrap();
            assert!(signing_key(folder.path()).is_err(), "never a new key by mistake");
        }
    }
}
