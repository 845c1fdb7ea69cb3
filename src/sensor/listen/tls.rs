//! TLS for accepted connections: certificates from files.

use crate::{Error, Result};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The TLS files of a server, in PEM form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate of the server, and those that lead to its root.
    pub certificate: PathBuf,
    /// Its private key, without a passphrase.
    pub key: PathBuf,
    /// The issuers of client certificates. If `None`, clients need no certificate.
    pub client_ca: Option<PathBuf>,
}

/// The TLS settings of a server, which can be reloaded while in use. Clones share them.
#[derive(Clone, Debug)]
pub struct Tls {
    files: Arc<TlsFiles>,
    current: Arc<Mutex<Arc<ServerConfig>>>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// If a file can't be read, contains no certificate or key, or if they don't match.
    pub fn open(files: TlsFiles) -> Result<Tls> {
        let current = Arc::new(Mutex::new(Arc::new(read(&files)?)));
        Ok(Tls { files: Arc::new(files), current })
    }

    /// Reads the files again: new connections use the new certificate.
    ///
    /// # Errors
    ///
    /// Those of [`Tls::open`]; the old files then stay in use.
    pub fn reload(&self) -> Result<()> {
        let new = Arc::new(read(&self.files)?);
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn read(files: &TlsFiles) -> Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .map_err(|_| Error::usage("TLS cannot be set up"))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates(path)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|_| {
                    Error::format("the file contains no usable certificate").at_path(path)
                })?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    builder
        .with_single_cert(certificates(&files.certificate)?, private_key(&files.key)?)
        .map_err(|_| Error::format("the key does not match the certificate").at_path(&files.key))
}

fn read_pem(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::io("read", error).at_path(path))
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
