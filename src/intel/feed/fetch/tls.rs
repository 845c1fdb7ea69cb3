//! TLS to servers with a feed's own `ca` file, and explanations of TLS errors.
//!
//! `ca` contains roots, or the server's own certificate: a self-signed certificate
//! of an appliance is then trusted as such, byte by byte. rustls rejects such a
//! certificate if it claims to be a CA (RFC 5280, section 4.2.1.9), as all those
//! made by `openssl req -x509` do. As with `curl --cacert`, its name and dates must
//! still be valid.

use super::lenient::RepairingConnector;
use crate::engine::error::{Error, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore,
    SignatureScheme, StreamOwned,
};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
    TcpConnector, Transport, TransportAdapter,
};

/// Creates an agent that only trusts the certificates in a file.
///
/// # Errors
///
/// A file cannot be read, or contains no certificate or key.
pub(super) fn agent(
    config: ureq::config::Config,
    roots: &Path,
    own: Option<(&Path, &Path)>,
) -> Result<ureq::Agent> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let pinned = certificates(roots)?;
    let mut store = RootCertStore::empty();
    // A self-signed certificate may not be usable as a root; `Pinning` compares it as a whole.
    store.add_parsable_certificates(pinned.iter().cloned());
    let unusable = |_| Error::format("it contains no usable certificate").at_path(roots);
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone())
        .build()
        .map_err(unusable)?;
    let builder = ClientConfig::builder_with_provider(provider)
        // TLS 1.2 as well: appliances are often old.
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .map_err(|_| Error::usage("TLS cannot be set up"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinning { inner, pinned }));
    let tls = match own {
        Some((chain, key)) => {
            builder.with_client_auth_cert(certificates(chain)?, private_key(key)?).map_err(
                |_| Error::format("the key does not belong to the certificate").at_path(key),
            )?
        }
        None => builder.with_no_client_auth(),
    };
    let connector =
        ().chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(TlsConnector(Arc::new(tls)))
            .chain(RepairingConnector);
    Ok(ureq::Agent::with_parts(config, connector, DefaultResolver::default()))
}

fn read_pem(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::io("read", error).at_path(path))
}

/// Reads the certificates in a PEM file.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let pem = read_pem(path)?;
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Error::format("it contains no certificate").at_path(path)),
        Err(_) => Err(Error::format("not a PEM file").at_path(path)),
    }
}

/// Reads the private key in a PEM file.
fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(&read_pem(path)?).map_err(|_| {
        Error::format("it contains no private key")
            .at_path(path)
            .remedy("write it in PEM form, without a passphrase")
    })
}

/// Trusts what the roots issued, and the certificates in the file themselves.
#[derive(Debug)]
struct Pinning {
    inner: Arc<WebPkiServerVerifier>,
    pinned: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Pinning {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let verdict = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verdict {
            // This error is only returned after the dates were checked.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::Other(_) | CertificateError::UnknownIssuer,
            )) if self.pinned.iter().any(|pinned| pinned == end_entity) => {
                // The failed verification did not get as far as the name.
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Wraps a connection in TLS, as ureq's own connector does.
#[derive(Debug)]
struct TlsConnector(Arc<ClientConfig>);

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, Tls>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> std::result::Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        // Plain HTTP stays plain, and an encrypted connection is not wrapped again.
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        // In a URL, IPv6 addresses have brackets; in certificates they do not.
        let host = details.uri.host().unwrap_or("").trim_matches(['[', ']']).to_string();
        let name = ServerName::try_from(host)
            .map_err(|_| ureq::Error::Tls("the host name is not valid in a certificate"))?;
        let mut connection = ClientConnection::new(Arc::clone(&self.0), name)?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(details.timeout);
        // Complete the handshake now, so that its errors are explained as errors of the connection.
        connection.complete_io(&mut socket)?;
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        let stream = StreamOwned { conn: connection, sock: socket };
        Ok(Some(Either::B(Tls { buffers, stream })))
    }
}

/// A TLS connection.
struct Tls {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Transport for Tls {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(
        &mut self,
        amount: usize,
        timeout: NextTimeout,
    ) -> std::result::Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> std::result::Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// Explains a TLS error, with a remedy. Returns `None` for other errors.
pub(super) fn explained(error: &std::io::Error) -> Option<Error> {
    error.get_ref()?.downcast_ref::<rustls::Error>().map(words)
}

/// Explains a TLS error in our own words.
pub(super) fn words(error: &rustls::Error) -> Error {
    use CertificateError as Bad;
    use rustls::{AlertDescription as Alert, Error as Tls};
    match error {
        Tls::InvalidMessage(_) => Error::network("the server does not speak TLS on this port")
            .remedy("if it only speaks plain HTTP, use http:// in the URL"),
        Tls::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            Error::network("the server's certificate has expired")
        }
        Tls::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => {
            Error::network("the server's certificate is not valid yet")
                .remedy("check this machine's clock")
        }
        Tls::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            Error::network("the server's certificate is for another name")
                .remedy("use the name in the certificate in the URL")
        }
        Tls::InvalidCertificate(Bad::UnknownIssuer | Bad::Other(_)) => Error::network(
            "the server's certificate was not issued by a trusted authority",
        )
        .remedy(
            "set ca to the file of its issuer's certificate, or of its own if it is self-signed",
        ),
        Tls::InvalidCertificate(_) => Error::network("the server's certificate cannot be used"),
        Tls::AlertReceived(
            Alert::CertificateRequired | Alert::BadCertificate | Alert::UnknownCA,
        ) => Error::network("the server rejects our certificate, or requires one")
            .remedy("set client_cert and client_key"),
        Tls::AlertReceived(Alert::UnrecognisedName) => {
            Error::network("the server does not know the name in the URL")
        }
        Tls::AlertReceived(Alert::HandshakeFailure | Alert::ProtocolVersion)
        | Tls::PeerIncompatible(_) => {
            Error::network("there is no TLS version or cipher in common with the server")
                .remedy("TLS 1.2 and 1.3 are supported")
        }
        Tls::AlertReceived(_) => Error::network("the server ended the TLS handshake"),
        Tls::DecryptError
        | Tls::PeerMisbehaved(_)
        | Tls::InappropriateMessage { .. }
        | Tls::InappropriateHandshakeMessage { .. } => {
            Error::network("the server's TLS messages are damaged")
        }
        _ => Error::network("the TLS connection failed"),
    }
}
