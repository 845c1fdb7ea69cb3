//! Whom we trust, and who we say we are.
//!
//! Receivers are inside of the house more often than not: their certificates are issued by its own
//! authority, or are their own. `ca_file` adds to the roots of the system; a certificate in it is
//! also trusted as that of the receiver itself, byte for byte, since appliances sign their own and
//! rustls refuses such a one where it says that it is a root (as those of `openssl req -x509` do).
//! Its name and its dates have to be right all the same.

use super::contract::{Class, Trouble};
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

/// Where systems keep the certificates that they trust: Debian, Fedora, SUSE, Alpine.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The variable that names another file of them, as OpenSSL has it.
const ROOTS_VARIABLE: &str = "SSL_CERT_FILE";

/// What a sink says about TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// Certificates in PEM form that are trusted beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// Our certificate with what it hangs on, and its key, in PEM form.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Whether any certificate is taken. Then anybody on the way can read the alerts: the
    /// caller warns at each start.
    pub insecure: bool,
}

impl TlsSettings {
    /// Reads the certificates and forgets them, to see whether a connection could be made with
    /// them.
    ///
    /// # Errors
    ///
    /// When a file can't be read or has no certificate or key in it, and when there is nobody to
    /// trust.
    pub fn check(&self) -> Result<()> {
        self.client().map(drop)
    }

    /// Reads the certificates.
    ///
    /// # Errors
    ///
    /// When a file can't be read or has no certificate or key in it, and when there is nobody to
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
            Some((chain, key)) => builder
                .with_client_auth_cert(certificates(chain)?, private_key(key)?)
                .map_err(|_| Error::format("the key does not fit the certificate").at_path(key))?,
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
            Error::usage("there is no certificate that could be trusted")
                .remedy("install ca-certificates, or name a ca_file")
        })?;
        Ok(Verifier { provider, roots: Some(roots), pinned })
    }
}

/// What the system trusts; nothing where it has no file of them.
fn system_roots() -> Vec<CertificateDer<'static>> {
    let named = std::env::var_os(ROOTS_VARIABLE).map(PathBuf::from);
    let mut paths = named.into_iter().chain(SYSTEM_ROOTS.map(PathBuf::from));
    let pem = paths.find_map(|path| std::fs::read(path).ok()).unwrap_or_default();
    CertificateDer::pem_slice_iter(&pem).filter_map(std::result::Result::ok).collect()
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let pem = read_pem(path)?;
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Error::format("there is no certificate in it").at_path(path)),
        Err(_) => Err(Error::format("this is no PEM file").at_path(path)),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(&read_pem(path)?).map_err(|_| {
        Error::format("there is no private key in it")
            .at_path(path)
            .remedy("write it in PEM form, without a passphrase")
    })
}

fn read_pem(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::io("read", error).at_path(path))
}

/// Trusts what the roots issued, and what is pinned; without roots anybody.
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
            // Its dates are looked at first, and are right where this is what is said.
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

/// What an error of a socket means.
pub(super) fn trouble(error: &io::Error) -> Trouble {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(tls) = tls {
        return Trouble::new(Class::Tls, words(tls));
    }
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            Trouble::new(Class::TimedOut, "the receiver does not answer in time")
        }
        io::ErrorKind::UnexpectedEof => {
            Trouble::new(Class::Connection, "the receiver ended the connection")
        }
        _ => Trouble::new(Class::Connection, error.to_string()),
    }
}

/// What an error of TLS means, in our words.
pub(super) fn words(error: &rustls::Error) -> &'static str {
    use rustls::{AlertDescription as Alert, Error as Tls};
    match error {
        Tls::InvalidMessage(_) => "the receiver does not speak TLS on this port",
        Tls::InvalidCertificate(bad) => certificate_words(bad),
        Tls::AlertReceived(
            Alert::CertificateRequired | Alert::BadCertificate | Alert::UnknownCA,
        ) => "the receiver does not take our certificate, or wants one",
        Tls::AlertReceived(Alert::HandshakeFailure | Alert::ProtocolVersion)
        | Tls::PeerIncompatible(_) => "the receiver and we have no TLS version or cipher in common",
        Tls::AlertReceived(_) => "the receiver ended the TLS handshake",
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
            "nobody whom we trust has issued the receiver's certificate: ca_file names its issuer's"
        }
        _ => "the receiver's certificate cannot be used",
    }
}
