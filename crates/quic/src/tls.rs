//! TLS 1.3 with certificates that nobody signed: both sides show one, and what counts is its fingerprint.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
    version::TLS13,
};
use vestibule_protocol::ALPN;

use crate::{Fingerprint, Identity, QuicError};

/// The name in every handshake: fingerprints count, names do not.
pub(crate) const SERVER_NAME: &str = "vestibule";

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Whether key and certificate belong together.
pub(crate) fn check(identity: &Identity) -> Result<(), Error> {
    let key = provider().key_provider.load_private_key(identity.key())?;
    rustls::sign::CertifiedKey::new(identity.chain(), key).keys_match()
}

/// Takes a server by its fingerprint, or, while pairing, any: the code decides then.
#[derive(Debug)]
pub(crate) struct ServerPin {
    pin: Option<Fingerprint>,
    provider: Arc<CryptoProvider>,
    /// It was another one: tells "the wrong enabler" from everything else that TLS can dislike.
    pub(crate) mismatch: AtomicBool,
}

impl ServerCertVerifier for ServerPin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.pin.is_some_and(|pin| pin != Fingerprint::of(end_entity)) {
            self.mismatch.store(true, Ordering::Release);
            return Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure));
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken here".to_owned()))
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

/// Lets every client in that proves to own the certificate that it shows. Who that is, others decide.
#[derive(Debug)]
struct AnyClient {
    provider: Arc<CryptoProvider>,
    /// Whoever shows no certificate is not let in.
    mandatory: bool,
}

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken here".to_owned()))
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

/// The client's TLS, and where it notes that it met the wrong server.
pub(crate) fn client(
    identity: &Identity,
    pin: Option<Fingerprint>,
) -> Result<(Arc<QuicClientConfig>, Arc<ServerPin>), QuicError> {
    let provider = provider();
    let verifier = Arc::new(ServerPin { pin, provider: provider.clone(), mismatch: AtomicBool::new(false) });
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_client_auth_cert(identity.chain(), identity.key())?;
    tls.alpn_protocols = vec![ALPN.to_vec()];
    // No 0-RTT, so nothing is gained by resuming, and each handshake proves both certificates anew.
    tls.resumption = Resumption::disabled();
    let config = QuicClientConfig::try_from(tls).map_err(|error| QuicError::Setup(error.to_string()))?;
    Ok((Arc::new(config), verifier))
}

/// The server's TLS.
pub(crate) fn server(identity: &Identity) -> Result<Arc<QuicServerConfig>, QuicError> {
    let provider = provider();
    let mut tls = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(AnyClient { provider, mandatory: true }))
        .with_single_cert(identity.chain(), identity.key())?;
    tls.alpn_protocols = vec![ALPN.to_vec()];
    tls.send_tls13_tickets = 0;
    tls.max_early_data_size = 0;
    let config = QuicServerConfig::try_from(tls).map_err(|error| QuicError::Setup(error.to_string()))?;
    Ok(Arc::new(config))
}

/// TLS for HTTPS with the enabler's own certificate: clients may show one, and are then who they are over QUIC.
///
/// # Errors
/// [`QuicError`] where the identity cannot be used.
pub fn https(identity: &Identity) -> Result<Arc<rustls::ServerConfig>, QuicError> {
    let provider = provider();
    let mut tls = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(AnyClient { provider, mandatory: false }))
        .with_single_cert(identity.chain(), identity.key())?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Who is at the other end is proven in each handshake.
    tls.send_tls13_tickets = 0;
    tls.max_early_data_size = 0;
    Ok(Arc::new(tls))
}

/// The fingerprint of whoever is at the other end.
pub(crate) fn peer(connection: &quinn::Connection) -> Option<Fingerprint> {
    let chain = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    chain.first().map(Fingerprint::of)
}
