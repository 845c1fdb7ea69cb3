//! Trusted certificates, and our own.
//!
//! Receivers are often internal: their certificates are issued by an internal authority, or
//! self-signed. `ca_file` adds to the roots of the system; a certificate in it is also trusted as
//! that of the receiver itself, byte for byte, because appliances sign their own and rustls rejects
//! a self-signed certificate that claims to be a root (as those of `openssl req -x509` do). Its
//! name and dates still have to be valid.

use super::contract::{Class, DeliveryError};
use crate::{Error, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where systems keep their trusted certificates: Debian, Fedora, SUSE, Alpine.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The variable that names another file of them, as in OpenSSL.
const ROOTS_VARIABLE: &str = "SSL_CERT_FILE";

/// The TLS settings of a sink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// Certificates in PEM form that are trusted in addition to those of the system.
    pub ca_file: Option<PathBuf>,
    /// Our certificate with its chain, and its key, in PEM form.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Whether any certificate is accepted. Anyone in between can then read the alerts: the caller
    /// warns at each start.
    pub insecure: bool,
}

impl TlsSettings {
    /// Reads the certificates and forgets them, to check whether a connection could be made with
    /// them.
    ///
    /// # Errors
    ///
    /// If a file can't be read or contains no certificate or key, or if there is no certificate to
    /// trust.
    pub fn check(&self) -> Result<()> {
        self.client().map(drop)
    }

    /// The certificates to trust, in PEM form: those of the system and of `ca_file`.
    ///
    /// # Errors
    ///
    /// If `ca_file` can't be read or contains no certificate.
    #[cfg(feature = "kafka")]
    pub(in crate::sensor) fn pem_roots(&self) -> Result<Vec<u8>> {
        let mut pem = system_pem();
        if let Some(path) = &self.ca_file {
            certificates(path)?;
            pem.push(b'\n');
            pem.extend(read_pem(path)?);
        }
        Ok(pem)
    }

    /// Reads the certificates.
    ///
    /// # Errors
    ///
    /// If a file can't be read or contains no certificate or key, or if there is no certificate to
    /// trust.
    pub(super) fn client(&self) -> Result<Arc<ClientConfig>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(self.verifier(&provider)?);
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(|_| Error::usage("TLS cannot be set up"))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config = match &self.client {
            Some((chain, key)) => {
                builder.with_client_auth_cert(certificates(chain)?, private_key(key)?).map_err(
                    |_| Error::format("the key does not match the certificate").at_path(key),
                )?
            }
            None => builder.with_no_client_auth(),
        };
        Ok(Arc::new(config))
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Verifier> {
        let provider = Arc::clone(provider);
        if self.insecure {
            return Ok(Verifier { provider, roots: None, pinned: Vec::new() });
        }
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(system_roots());
        let pinned = match &self.ca_file {
            Some(path) => certificates(path)?,
            None => Vec::new(),
        };
        store.add_parsable_certificates(pinned.iter().cloned());
        let builder = WebPkiServerVerifier::builder_with_provider(store.into(), provider.clone());
        let roots = builder.build().map_err(|_| {
            Error::usage("there is no trusted certificate")
                .remedy("install ca-certificates or set ca_file")
        })?;
        Ok(Verifier { provider, roots: Some(roots), pinned })
    }
}

/// The certificates that the system trusts; none if it has no such file.
fn system_roots() -> Vec<CertificateDer<'static>> {
    let pem = system_pem();
    CertificateDer::pem_slice_iter(&pem).filter_map(std::result::Result::ok).collect()
}

fn system_pem() -> Vec<u8> {
    let named = std::env::var_os(ROOTS_VARIABLE).map(PathBuf::from);
    let mut paths = named.into_iter().chain(SYSTEM_ROOTS.map(PathBuf::from));
    paths.find_map(|path| std::fs::read(path).ok()).unwrap_or_default()
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let pem = read_pem(path)?;
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Error::format("the file contains no certificate").at_path(path)),
        Err(_) => Err(Error::format("not a PEM file").at_path(path)),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(&read_pem(path)?).map_err(|_| {
        Error::format("the file contains no private key")
            .at_path(path)
            .remedy("write it in PEM form, without a passphrase")
    })
}

fn read_pem(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::io("read", error).at_path(path))
}

/// Trusts what the roots issued, and what is pinned; without roots, anything.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    roots: Option<Arc<WebPkiServerVerifier>>,
    pinned: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(roots) = &self.roots else { return Ok(ServerCertVerified::assertion()) };
        match roots.verify_server_cert(own, between, name, ocsp, now) {
            // The dates are checked first, and are valid if this is the reported error.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::Other(_) | CertificateError::UnknownIssuer,
            )) if self.pinned.iter().any(|pinned| pinned == own) => {
                verify_server_name(&ParsedCertificate::try_from(own)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What a socket error means.
pub(super) fn delivery_error(error: &io::Error) -> DeliveryError {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(tls) = tls {
        return DeliveryError::new(Class::Tls, message(tls));
    }
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            DeliveryError::new(Class::TimedOut, "the receiver did not respond in time")
        }
        io::ErrorKind::UnexpectedEof => {
            DeliveryError::new(Class::Connection, "the receiver closed the connection")
        }
        _ => DeliveryError::new(Class::Connection, error.to_string()),
    }
}

/// What a TLS error means, in our words.
pub(super) fn message(error: &rustls::Error) -> &'static str {
    use rustls::{AlertDescription as Alert, Error as Tls};
    match error {
        Tls::InvalidMessage(_) => "the receiver does not speak TLS on this port",
        Tls::InvalidCertificate(bad) => certificate_words(bad),
        Tls::AlertReceived(
            Alert::CertificateRequired | Alert::BadCertificate | Alert::UnknownCA,
        ) => "the receiver rejects our certificate, or requires one",
        Tls::AlertReceived(Alert::HandshakeFailure | Alert::ProtocolVersion)
        | Tls::PeerIncompatible(_) => "there is no TLS version or cipher in common",
        Tls::AlertReceived(_) => "the receiver aborted the TLS handshake",
        _ => "the TLS connection failed",
    }
}

fn certificate_words(error: &CertificateError) -> &'static str {
    use CertificateError as Bad;
    match error {
        Bad::Expired | Bad::ExpiredContext { .. } => "the receiver's certificate has expired",
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            "the receiver's certificate is not valid yet, or this machine's clock is wrong"
        }
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            "the receiver's certificate is for another name"
        }
        Bad::UnknownIssuer | Bad::Other(_) => {
            "the receiver's certificate is not trusted: set ca_file to its issuer's"
        }
        _ => "the receiver's certificate cannot be used",
    }
}
