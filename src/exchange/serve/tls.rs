//! Certificates of the server, read again when their files change.

use crate::engine::error::{Error, Result};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// The files of a certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Files {
    /// The chain, the server's own certificate first (PEM).
    pub(super) certificate: PathBuf,
    /// Its key (PEM).
    pub(super) key: PathBuf,
}

/// The certificate in use.
pub(super) struct Certificate {
    files: Files,
    seen: Option<(SystemTime, SystemTime)>,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// Reads the files.
    pub(super) fn read(files: Files) -> Result<Certificate> {
        let seen = times(&files);
        Ok(Certificate { config: Arc::new(load(&files)?), files, seen })
    }

    /// The configuration for new connections. If the files have changed it is read again; what
    /// cannot be read leaves the old one, and is the second part of the answer.
    pub(super) fn current(&mut self) -> (Arc<ServerConfig>, Option<Error>) {
        let now = times(&self.files);
        if now == self.seen {
            return (Arc::clone(&self.config), None);
        }
        self.seen = now;
        match load(&self.files) {
            Ok(config) => {
                self.config = Arc::new(config);
                (Arc::clone(&self.config), None)
            }
            Err(error) => (Arc::clone(&self.config), Some(error)),
        }
    }
}

/// When the files were changed.
fn times(files: &Files) -> Option<(SystemTime, SystemTime)> {
    let time = |path: &Path| std::fs::metadata(path).ok()?.modified().ok();
    Some((time(&files.certificate)?, time(&files.key)?))
}

fn load(files: &Files) -> Result<ServerConfig> {
    let bad = |path: &Path, why: &dyn std::fmt::Display| {
        Error::usage(format!("not a usable PEM file: {why}")).at_path(path)
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(|certificates| certificates.collect::<std::result::Result<Vec<_>, _>>())
        .map_err(|error| bad(&files.certificate, &error))?;
    if chain.is_empty() {
        return Err(bad(&files.certificate, &"it has no certificate"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| bad(&files.key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(&files.certificate, &error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| bad(&files.certificate, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
