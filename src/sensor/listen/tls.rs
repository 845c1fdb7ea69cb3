//! TLS for those who connect to us: certificates from files.

use crate::{Error, Result};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The files of a server's TLS, in PEM form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Our certificate, and those that lead to its root.
    pub certificate: PathBuf,
    /// Its key, without a passphrase.
    pub key: PathBuf,
    /// Who has to have issued the certificates of clients. Without it they need none.
    pub client_ca: Option<PathBuf>,
}

/// A server's TLS, which can be read again while it is used. Clones are one.
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
    /// When a file can't be read, has no certificate or key in it, or they don't fit.
    pub fn open(files: TlsFiles) -> Result<Tls> {
        let current = Arc::new(Mutex::new(Arc::new(read(&files)?)));
        Ok(Tls { files: Arc::new(files), current })
    }

    /// Reads the files again: connections from now on have the new certificate.
    ///
    /// # Errors
    ///
    /// Those of [`Tls::open`]; then the old one stays.
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
                .map_err(|_| Error::format("no certificate in it can be used").at_path(path))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    builder
        .with_single_cert(certificates(&files.certificate)?, private_key(&files.key)?)
        .map_err(|_| Error::format("the key does not fit the certificate").at_path(&files.key))
}

fn read_pem(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::io("read", error).at_path(path))
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
