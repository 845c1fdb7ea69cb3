//! A scripted receiver.

use crate::sensor::secret::Credential;
use flate2::read::MultiGzDecoder;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How a server reacts to a request.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Responds with the status, headers, and the body.
    Answer(u16, &'static str, String),
    /// Closes the connection without a response.
    Close,
    /// Never responds.
    Silence,
    /// Declares more of a body than it sends.
    Half,
    /// Calls a function with the path and body, and responds with its result.
    By(fn(&Request) -> (u16, String)),
}

/// A received request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    /// Decompressed.
    pub(super) body: String,
}

/// A server, until the process ends.
pub(super) struct Server {
    pub(super) port: u16,
    secrets: tempfile::TempDir,
    seen: Arc<Mutex<Vec<Request>>>,
}

pub(super) trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl Server {
    /// Performs one act for each request, and the last one for all later requests.
    pub(super) fn new(acts: &[Act]) -> Server {
        Server::start(acts, None)
    }

    /// The same with TLS.
    pub(super) fn tls(acts: &[Act], certificate: (&Path, &Path)) -> Server {
        Server::start(acts, Some(server_config(certificate)))
    }

    fn start(acts: &[Act], tls: Option<Arc<ServerConfig>>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let acts = Arc::new(Mutex::new(VecDeque::from(acts.to_vec())));
        let secrets = tempfile::tempdir().unwrap();
        let server = Server { port, secrets, seen: Arc::clone(&seen) };
        let serve = move || {
            for socket in listener.incoming().flatten() {
                let (seen, acts, tls) = (Arc::clone(&seen), Arc::clone(&acts), tls.clone());
                let serve = move || {
                    let stop = socket.try_clone().unwrap();
                    talk(&mut *wrapped(socket, tls), &acts, &seen);
                    let _ = stop.shutdown(Shutdown::Both);
                };
                thread::Builder::new().name("connection".into()).spawn(serve).unwrap();
            }
        };
        thread::Builder::new().name("server".into()).spawn(serve).unwrap();
        server
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A secret for it, in a file that exists as long as the server.
    pub(super) fn secret(&self, text: &str) -> Credential {
        let count = std::fs::read_dir(self.secrets.path()).unwrap().count();
        let path = self.secrets.path().join(count.to_string());
        std::fs::write(&path, text).unwrap();
        Credential::File(path)
    }

    /// What was received so far.
    pub(super) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

pub(super) fn server_config((cert, key): (&Path, &Path)) -> Arc<ServerConfig> {
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
    Arc::new(config)
}

/// The connection, with TLS if configured.
pub(super) fn wrapped(socket: TcpStream, tls: Option<Arc<ServerConfig>>) -> Box<dyn Stream> {
    let _ = socket.set_read_timeout(Some(Duration::from_secs(20)));
    match tls {
        None => Box::new(socket),
        Some(tls) => {
            let connection = ServerConnection::new(tls).unwrap();
            Box::new(StreamOwned::new(connection, socket))
        }
    }
}

fn talk(stream: &mut dyn Stream, acts: &Mutex<VecDeque<Act>>, seen: &Mutex<Vec<Request>>) {
    while let Some(request) = request(stream) {
        seen.lock().unwrap().push(request.clone());
        let act = {
            let mut acts = acts.lock().unwrap();
            if acts.len() > 1 { acts.pop_front().unwrap() } else { acts[0].clone() }
        };
        let (status, headers, body) = match act {
            Act::Answer(status, headers, body) => (status, headers, body),
            Act::By(answer) => {
                let (status, body) = answer(&request);
                (status, "", body)
            }
            Act::Close => return,
            Act::Silence => return thread::sleep(Duration::from_secs(20)),
            Act::Half => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"err");
                return;
            }
        };
        let head =
            format!("HTTP/1.1 {status} Word\r\n{headers}content-length: {}\r\n\r\n", body.len());
        if stream.write_all((head + &body).as_bytes()).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

fn request(stream: &mut dyn Stream) -> Option<Request> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_string();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_string()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    if headers.get("content-encoding").is_some_and(|coding| coding == "gzip") {
        let mut text = Vec::new();
        MultiGzDecoder::new(&*body).read_to_end(&mut text).unwrap();
        body = text;
    }
    Some(Request { path, headers, body: String::from_utf8(body).unwrap() })
}
