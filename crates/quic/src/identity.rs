use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use thiserror::Error;

/// The BLAKE3 hash of a certificate: who a peer is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(*blake3::hash(certificate.as_ref()).as_bytes())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Not the 64 hexadecimal digits of a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a fingerprint has 64 hexadecimal digits")]
pub struct BadFingerprint;

impl std::str::FromStr for Fingerprint {
    type Err = BadFingerprint;
    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let digits = text.as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 64 {
            return Err(BadFingerprint);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit =
                |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(BadFingerprint);
            *byte = digit(pair[0])? * 16 + digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

/// Why there is no identity.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// A key or certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// The file cannot be read or written.
    #[error("cannot {what} the identity in {}: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is there, but it holds no certificate and key. It is never overwritten: whoever paired knows the old one.
    #[error("{} holds no certificate with its key: restore it from a backup, or remove it and pair anew", path.display())]
    Damaged {
        /// Where.
        path: PathBuf,
    },
}

/// A self-signed certificate and its key: who this program is, towards every peer and for ever.
#[derive(Debug)]
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self { certificate: self.certificate.clone(), key: self.key.clone_key() }
    }
}

impl Identity {
    /// A new one that nobody knows yet.
    ///
    /// # Errors
    /// [`IdentityError::Make`] where the machine has no randomness.
    pub fn generate() -> Result<Self, IdentityError> {
        let (certificate, key) = Self::make()?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Ok(Self { certificate: certificate.der().clone(), key })
    }

    fn make() -> Result<(rcgen::Certificate, rcgen::KeyPair), IdentityError> {
        let key = rcgen::KeyPair::generate()?;
        let mut parameters = rcgen::CertificateParams::new(vec!["vestibule".to_owned()])?;
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "vestibule");
        // What counts is the fingerprint: a date that passes would only lock people out of their homes.
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(4096, 1, 1);
        Ok((parameters.self_signed(&key)?, key))
    }

    /// The identity in the file `path` (certificate and key, PEM), made at the first time. Only its owner can read it.
    ///
    /// # Errors
    /// [`IdentityError`] where the file cannot be read, written, or is something else.
    pub fn load_or_create(path: impl AsRef<Path>) -> Result<Self, IdentityError> {
        let path = path.as_ref();
        match fs::read(path) {
            Ok(pem) => Self::from_file(path, &pem),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (certificate, key) = Self::make()?;
                let pem = format!("{}{}", certificate.pem(), key.serialize_pem());
                match write_private(path, pem.as_bytes(), false) {
                    Ok(()) => Self::from_file(path, pem.as_bytes()),
                    // Another process was first: theirs counts.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        let pem = fs::read(path).map_err(|source| Self::file("read", path, source))?;
                        Self::from_file(path, &pem)
                    }
                    Err(source) => Err(Self::file("write", path, source)),
                }
            }
            Err(source) => Err(Self::file("read", path, source)),
        }
    }

    fn file(what: &'static str, path: &Path, source: io::Error) -> IdentityError {
        IdentityError::File { what, path: path.to_owned(), source }
    }

    fn from_file(path: &Path, pem: &[u8]) -> Result<Self, IdentityError> {
        let damaged = |_| IdentityError::Damaged { path: path.to_owned() };
        only_for_owner(path).map_err(|source| Self::file("protect", path, source))?;
        let certificate = CertificateDer::from_pem_slice(pem).map_err(damaged)?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(damaged)?;
        let identity = Self { certificate, key };
        // A key that is not the certificate's is found now, not at the first connection.
        crate::tls::check(&identity).map_err(|_| IdentityError::Damaged { path: path.to_owned() })?;
        Ok(identity)
    }

    /// What peers know this identity by.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.clone()]
    }

    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key.clone_key())
    }

    /// A secret that only this identity has, the same after each restart, for the purpose that `context` names.
    pub(crate) fn secret(&self, context: &str) -> [u8; 32] {
        blake3::derive_key(context, self.key.secret_pkcs8_der())
    }
}

#[cfg(unix)]
fn only_for_owner(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others could read the identity; now they cannot");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn only_for_owner(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Writes a file that only its owner can read, whole or not at all, also when the power fails.
pub(crate) fn write_private(path: &Path, bytes: &[u8], replace: bool) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Temporary files are 0600 from their first byte.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    if replace { file.persist(path) } else { file.persist_noclobber(path) }.map_err(|error| error.error)?;
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}
