//! Whose certificate is taken over HTTPS: one that was named, or one that a known authority has signed for the host.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use vestibule_quic::Fingerprint;

/// Whom the kit believes over HTTPS. By default whom this machine believes.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Certificates of enablers, which count as they are: those that enablers make for themselves name no host.
    known: BTreeSet<Fingerprint>,
    /// Authorities; `None`: those of this machine.
    roots: Option<RootCertStore>,
}

impl Trust {
    /// The certificates of a file (PEM): each is taken from an enabler that shows it, and as an authority.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub fn file(path: &Path) -> Result<Self, String> {
        let wrong = |what: String| format!("--ca {}: {what}", path.display());
        let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let certificates = read.map_err(|error| wrong(error.to_string()))?;
        if certificates.is_empty() {
            return Err(wrong("there is no certificate in it (PEM)".to_owned()));
        }
        let known = certificates.iter().map(Fingerprint::of).collect();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        Ok(Self { known, roots: Some(roots) })
    }

    /// The one certificate with this fingerprint, as `vestibule-enabler serve` shows it, and no other.
    #[must_use]
    pub fn only(fingerprint: Fingerprint) -> Self {
        Self { known: [fingerprint].into(), roots: Some(RootCertStore::empty()) }
    }

    fn roots(self) -> RootCertStore {
        self.roots.unwrap_or_else(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        })
    }
}

/// Judges what an enabler shows.
#[derive(Debug)]
pub(super) struct Judge {
    known: BTreeSet<Fingerprint>,
    /// Nothing where no authority is known.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    /// Why a certificate was not taken: TLS itself tells it in no words that help.
    refused: Mutex<Option<String>>,
}

impl Judge {
    /// TLS that asks a judge, and the judge.
    pub(super) fn new(trust: Trust) -> Result<(ClientConfig, Arc<Self>), String> {
        let provider = Arc::new(ring::default_provider());
        let known = trust.known.clone();
        let roots = trust.roots();
        let authorities = if roots.is_empty() {
            None
        } else {
            let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
            Some(builder.build().map_err(|error| error.to_string())?)
        };
        let judge = Arc::new(Self { known, authorities, provider: provider.clone(), refused: Mutex::default() });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(judge.clone())
            .with_no_client_auth();
        Ok((config, judge))
    }

    /// Why a certificate was not taken, where that was so.
    pub(super) fn refused(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Fingerprint::of(end_entity);
        if self.known.contains(&shown) {
            return Ok(ServerCertVerified::assertion());
        }
        let verdict = match &self.authorities {
            Some(all) => all.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            None => Err(Error::General("it is another one than that which was named".to_owned())),
        };
        verdict.inspect_err(|error| {
            let why = match error {
                Error::General(why) => why.clone(),
                other => other.to_string(),
            };
            let words = format!(
                "the enabler shows a certificate that is not known here ({why}). Its fingerprint is {shown}: if \
                 `vestibule-enabler serve` says the same, give it with --fingerprint; or the certificate itself with \
                 --ca FILE"
            );
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(folder: &Path, name: &str) -> (std::path::PathBuf, Fingerprint) {
        let file = folder.join(name);
        let identity = vestibule_quic::Identity::load_or_create(&file).unwrap();
        (file, identity.fingerprint())
    }

    fn verdict(trust: Trust, shown: &Path) -> Result<(), String> {
        let (_, judge) = Judge::new(trust).unwrap();
        let certificate = CertificateDer::from_pem_slice(&std::fs::read(shown).unwrap()).unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let taken = judge.verify_server_cert(&certificate, &[], &name, &[], UnixTime::now());
        taken.map(drop).map_err(|_| judge.refused().unwrap())
    }

    #[test]
    fn only_a_certificate_that_was_named_or_vouched_for_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, fingerprint) = identity(folder.path(), "mine.pem");
        let (other, other_fingerprint) = identity(folder.path(), "other.pem");
        // The enabler's own file serves: what else is in it (a key) is not looked at.
        verdict(Trust::file(&mine).unwrap(), &mine).unwrap();
        verdict(Trust::only(fingerprint), &mine).unwrap();
        for trust in [Trust::file(&mine).unwrap(), Trust::only(fingerprint), Trust::default()] {
            let words = verdict(trust, &other).unwrap_err();
            assert!(words.contains(&other_fingerprint.to_string()) && words.contains("--ca FILE"), "{words}");
        }
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "nothing\n").unwrap();
        for (file, words) in [(empty, "no certificate"), (folder.path().join("nowhere.pem"), "nowhere.pem")] {
            let error = Trust::file(&file).unwrap_err();
            assert!(error.starts_with("--ca ") && error.contains(words), "{error}");
        }
    }
}
