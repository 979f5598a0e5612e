//! The zip file around a 3MF package.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
};

use zip::{CompressionMethod, ZipArchive, result::ZipError};

use super::{ImportError, MAX_FILE, malformed, too_many, unsupported};

/// The most parts of a package.
const MAX_ENTRIES: usize = 256;
/// What all parts together may become, in bytes: the text of as many triangles as a file may have.
const MAX_UNPACKED: usize = 512 << 20;
/// How much more than its packed bytes a part may become.
const MAX_RATIO: usize = 200;
/// Below this no ratio matters, in bytes.
const SMALL: usize = 64 << 10;
/// What each entry of a directory begins with.
const DIRECTORY: &[u8] = b"PK\x01\x02";
/// What the whole of it is called in errors.
const WHOLE: &str = "the package";

/// Parts by their names.
pub(super) struct Parts<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    places: BTreeMap<String, usize>,
    /// How many bytes may still be unpacked.
    room: usize,
}

fn refused(part: &str, error: &ZipError) -> ImportError {
    match error {
        ZipError::UnsupportedArchive(what) => unsupported(part, *what),
        ZipError::InvalidPassword => unsupported(part, "encryption"),
        ZipError::CompressionMethodNotSupported(_) => unsupported(part, "this compression"),
        other => malformed(part, 0, other.to_string()),
    }
}

impl<'a> Parts<'a> {
    pub fn of(bytes: &'a [u8]) -> Result<Self, ImportError> {
        if bytes.len() > MAX_FILE {
            return Err(too_many(WHOLE, "bytes", MAX_FILE));
        }
        // Counted here: the reader makes room for as many as the directory has. Packed bytes may look like one by chance.
        let entries = bytes.windows(DIRECTORY.len()).filter(|window| *window == DIRECTORY).count();
        if entries > 2 * MAX_ENTRIES {
            return Err(too_many(WHOLE, "parts", MAX_ENTRIES));
        }
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| refused(WHOLE, &error))?;
        if archive.len() > MAX_ENTRIES {
            return Err(too_many(WHOLE, "parts", MAX_ENTRIES));
        }
        if archive.has_duplicate_names() {
            return Err(malformed(WHOLE, 0, "two parts have the same name"));
        }
        if archive.has_overlapping_entries().map_err(|error| refused(WHOLE, &error))? {
            return Err(malformed(WHOLE, 0, "parts lie in one another"));
        }
        let mut places = BTreeMap::new();
        for place in 0..archive.len() {
            let entry = archive.by_index_raw(place).map_err(|error| refused(WHOLE, &error))?;
            let name = entry.name().map_err(|error| refused(WHOLE, &error))?.into_owned();
            let offset = usize::try_from(entry.header_start()).unwrap_or(usize::MAX);
            let Some(plain) = plain(&name) else {
                return Err(malformed(WHOLE, offset, "a part's name leads out of it"));
            };
            if entry.encrypted() {
                return Err(unsupported(&plain, "encryption"));
            }
            if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
                return Err(unsupported(&plain, "this compression"));
            }
            // Names of parts are the same in capitals and in small letters.
            if places.insert(plain.to_ascii_lowercase(), place).is_some() {
                return Err(malformed(WHOLE, offset, "two parts have the same name"));
            }
        }
        Ok(Self { archive, places, room: MAX_UNPACKED })
    }

    /// A part's bytes; nothing where there is none of this name.
    pub fn get(&mut self, name: &str) -> Result<Option<Vec<u8>>, ImportError> {
        let plain = plain(name).ok_or_else(|| malformed(WHOLE, 0, "a part's name leads out of it"))?;
        let Some(place) = self.places.get(&plain.to_ascii_lowercase()) else { return Ok(None) };
        let mut entry = self.archive.by_index(*place).map_err(|error| refused(&plain, &error))?;
        // What it says about its size is not asked.
        let packed = usize::try_from(entry.compressed_size()).unwrap_or(usize::MAX);
        let most = packed.saturating_mul(MAX_RATIO).max(SMALL).min(self.room);
        let mut bytes = Vec::new();
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        let read = entry.by_ref().take(limit).read_to_end(&mut bytes);
        read.map_err(|error| malformed(&plain, bytes.len(), error.to_string()))?;
        if bytes.len() > most {
            return Err(too_many(&plain, "unpacked bytes", most));
        }
        self.room -= bytes.len();
        Ok(Some(bytes))
    }

    /// A part's text.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, ImportError> {
        let Some(bytes) = self.get(name)? else { return Ok(None) };
        let text = String::from_utf8(bytes);
        text.map(Some).map_err(|error| malformed(name, error.utf8_error().valid_up_to(), "it is no UTF-8"))
    }
}

/// A name from the package's root on, without the slash before it; nothing where it leads elsewhere.
fn plain(name: &str) -> Option<String> {
    let name = name.strip_prefix('/').unwrap_or(name);
    let sound = |part: &str| !matches!(part, "" | "." | "..");
    // A folder is an entry of its own in some packages.
    let parts = name.strip_suffix('/').unwrap_or(name);
    (name.len() <= 512 && !name.contains(['\\', '\0', ':']) && parts.split('/').all(sound)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn names_do_not_lead_out_of_the_package() {
        assert_eq!(plain("/3D/3dmodel.model").as_deref(), Some("3D/3dmodel.model"));
        assert_eq!(plain("3D/").as_deref(), Some("3D/"));
        for name in ["", "/", "../a", "a/../b", "a//b", "a\\b", "C:/a", "./a", "a\0"] {
            assert_eq!(plain(name), None, "{name:?}");
        }
    }
}
