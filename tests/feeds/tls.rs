//! Fetching over TLS from a loopback server with a private certificate.

use crate::harness::Dir;
use crate::harness::document_store::StillClock;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use wiresift::Result;
use wiresift::intel::feed::fetch::{Access, Caps, Client, Request, Url};

/// Makes a self-signed certificate for a name, marked as a CA, as openssl does by default. `None`
/// if openssl is missing.
fn certificate(dir: &Dir, file: &str, name: &str) -> Option<(PathBuf, PathBuf)> {
    let (cert, key) =
        (dir.path().join(format!("{file}.pem")), dir.path().join(format!("{file}.key")));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=wiresift test", "-addext"])
        .arg(format!("subjectAltName={name}"))
        .args(["-out".as_ref(), cert.as_os_str(), "-keyout".as_ref(), key.as_os_str()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: openssl is not here to make a certificate");
        return None;
    }
    Some((cert, key))
}

/// A server that sends the same body for every request, until the end of the test.
fn serve(cert: &Path, key: &Path) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = CertificateDer::pem_slice_iter(&std::fs::read(cert).unwrap())
        .collect::<std::result::Result<Vec<_>, _>>()
        .unwrap();
    let key = PrivateKeyDer::from_pem_slice(&std::fs::read(key).unwrap()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = move || {
        for socket in listener.incoming().flatten() {
            let _ = socket.set_read_timeout(Some(Duration::from_secs(2)));
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, socket);
            let mut asked = Vec::new();
            let mut buffer = [0; 1024];
            while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(length) if length > 0 => asked.extend_from_slice(&buffer[..length]),
                    _ => break,
                }
            }
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\nevil.example\n");
            let _ = stream.flush();
        }
    };
    std::thread::Builder::new().name("server".into()).spawn(serve).unwrap();
    address
}

fn fetch(url: &str, roots: Option<&Path>) -> Result<Vec<u8>> {
    let url = Url::parse(url)?.0;
    let access = Access { roots: roots.map(Path::to_path_buf), ..Access::default() };
    let caps =
        Caps { total: Duration::from_secs(5), idle: Duration::from_secs(2), ..Caps::default() };
    let client = Client::new(&url, access, caps)?;
    client.send(&Request::get(&url), &StillClock::at("2026-03-01T00:00:00Z"))?.success()?.bytes()
}

#[track_caller]
fn fails(url: &str, roots: Option<&Path>, part: &str) {
    let text = fetch(url, roots).unwrap_err().to_string();
    assert!(text.contains(part), "{part:?}: {text}");
    // No text of a library's debug output.
    assert!(!["Other", "Error(", "::", "{"].iter().any(|word| text.contains(word)), "{text}");
}

#[test]
fn a_certificate_of_its_own_is_pinned() {
    let dir = Dir::new("tls");
    let Some((cert, key)) = certificate(&dir, "own", "DNS:localhost,IP:127.0.0.1") else { return };
    let Some((other, _)) = certificate(&dir, "other", "DNS:localhost,IP:127.0.0.1") else { return };
    let address = serve(&cert, &key);
    for host in [format!("127.0.0.1:{}", address.port()), format!("localhost:{}", address.port())] {
        let url = format!("https://{host}/list");
        assert_eq!(fetch(&url, Some(&cert)).unwrap(), b"evil.example\n");
        fails(&url, None, "not issued by a trusted authority");
        fails(&url, Some(&other), "not issued by a trusted authority");
    }
    // Several in one file, as in bundles.
    let both = dir.path().join("both.pem");
    let pems = [std::fs::read(&other).unwrap(), std::fs::read(&cert).unwrap()].concat();
    std::fs::write(&both, pems).unwrap();
    assert_eq!(fetch(&format!("https://{address}/"), Some(&both)).unwrap(), b"evil.example\n");
}

#[test]
fn its_name_has_to_be_right() {
    let dir = Dir::new("tls");
    let Some((cert, key)) = certificate(&dir, "far", "DNS:far.example") else { return };
    let address = serve(&cert, &key);
    fails(&format!("https://{address}/"), Some(&cert), "is for another name");
}

#[test]
fn what_is_not_tls_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let serve = move || {
        for mut socket in listener.incoming().flatten() {
            let mut hello = [0; 1024];
            let _ = socket.read(&mut hello);
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
    };
    std::thread::Builder::new().name("server".into()).spawn(serve).unwrap();
    fails(&url, None, "does not speak TLS");
    let dir = Dir::new("tls");
    if let Some((cert, _)) = certificate(&dir, "own", "DNS:localhost") {
        fails(&url, Some(&cert), "does not speak TLS");
    }
    let text = fetch(&url, Some(Path::new("Cargo.toml"))).unwrap_err().to_string();
    assert!(text.contains("Cargo.toml: it contains no certificate"), "{text}");
}
