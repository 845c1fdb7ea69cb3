//! A small HTTP server on loopback, for tests: it sends prepared responses, good or bad, and
//! records the requests.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asked {
    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// A parameter of the query, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key) == name).then(|| decode(value))
        })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }
}

fn decode(text: &str) -> String {
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).unwrap()
}

/// A part of a response.
#[derive(Clone, Debug)]
pub enum Part {
    Bytes(Vec<u8>),
    Wait(Duration),
    /// Zeros until the client closes the connection, or the server ends.
    Endless,
}

/// A response, as sent over the wire.
#[derive(Clone, Debug)]
pub struct Reply {
    parts: Vec<Part>,
    /// Whether the connection is closed after it.
    close: bool,
}

impl Reply {
    /// A complete response.
    pub fn new(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
        let body = body.as_ref();
        let mut head = head(status, headers);
        // A response without a body must not declare one.
        if status != 304 {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        let bytes = [head.as_bytes(), b"\r\n", body].concat();
        Reply { parts: vec![Part::Bytes(bytes)], close: false }
    }

    pub fn json(body: impl AsRef<[u8]>) -> Reply {
        Reply::new(200, &[("Content-Type", "application/json")], body)
    }

    pub fn status(status: u16) -> Reply {
        Reply::new(status, &[], "")
    }

    pub fn redirect(status: u16, location: &str) -> Reply {
        Reply::new(status, &[("Location", location)], "")
    }

    /// A response from parts: the head ends with the blank line that is added.
    pub fn parts(status: u16, headers: &[(&str, &str)], parts: Vec<Part>) -> Reply {
        let head = format!("{}\r\n", head(status, headers));
        let mut all = vec![Part::Bytes(head.into_bytes())];
        all.extend(parts);
        Reply { parts: all, close: true }
    }

    /// Bytes that need not be HTTP, followed by the end of the connection.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Reply {
        Reply { parts: vec![Part::Bytes(bytes.into())], close: true }
    }

    /// This response without its last bytes.
    pub fn cut(mut self, missing: usize) -> Reply {
        if let Some(Part::Bytes(bytes)) = self.parts.last_mut() {
            bytes.truncate(bytes.len().saturating_sub(missing));
        }
        self.close = true;
        self
    }

    /// This response, after a delay.
    pub fn late(mut self, wait: Duration) -> Reply {
        self.parts.insert(0, Part::Wait(wait));
        self
    }
}

fn head(status: u16, headers: &[(&str, &str)]) -> String {
    let mut head = format!("HTTP/1.1 {status} Said\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head
}

/// The server. It ends when it is dropped.
pub struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    over: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

type Handler = dyn Fn(&Asked) -> Reply + Send + Sync;

impl Server {
    pub fn start(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, over) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (seen, ended): (Arc<Mutex<Vec<Asked>>>, _) = (Arc::clone(&asked), Arc::clone(&over));
        let handler: Arc<Handler> = Arc::new(handler);
        let accept = move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (handler, seen, ended) =
                    (Arc::clone(&handler), Arc::clone(&seen), Arc::clone(&ended));
                let serve = move || serve(stream, &*handler, &seen, &ended);
                thread::Builder::new().name("connection".into()).spawn(serve).unwrap();
            }
        };
        let accepting = thread::Builder::new().name("server".into()).spawn(accept).unwrap();
        Server { address, asked, over, accepting: Some(accepting) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL of it; `target` begins with a slash.
    pub fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The paths and queries of the requests since the last call.
    pub fn take_targets(&self) -> Vec<String> {
        self.asked.lock().unwrap().drain(..).map(|asked| asked.target).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// Answers the requests of a connection, until the client closes it.
fn serve(mut stream: TcpStream, handler: &Handler, seen: &Mutex<Vec<Asked>>, over: &AtomicBool) {
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = Vec::new();
    while let Some(asked) = read_request(&mut stream, &mut buffer, over) {
        seen.lock().unwrap().push(asked.clone());
        let reply = handler(&asked);
        for part in &reply.parts {
            if send(&mut stream, part, over).is_err() {
                return;
            }
        }
        if reply.close {
            return;
        }
    }
}

fn send(stream: &mut TcpStream, part: &Part, over: &AtomicBool) -> std::io::Result<()> {
    match part {
        Part::Bytes(bytes) => stream.write_all(bytes),
        Part::Wait(wait) => {
            let mut left = *wait;
            while !left.is_zero() && !over.load(Ordering::SeqCst) {
                let step = left.min(Duration::from_millis(20));
                thread::sleep(step);
                left -= step;
            }
            Ok(())
        }
        Part::Endless => {
            while !over.load(Ordering::SeqCst) {
                stream.write_all(&[b'0'; 1 << 16])?;
            }
            Ok(())
        }
    }
}

fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>, over: &AtomicBool) -> Option<Asked> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at;
        }
        read_some(stream, buffer, over)?;
    };
    let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ').map(String::from);
    let (method, target) = (words.next()?, words.next()?);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_string()))
        .collect();
    let len = headers.iter().find(|(name, _)| name == "content-length");
    let len = len.map_or(0, |(_, len)| len.parse::<usize>().unwrap());
    while buffer.len() < end + 4 + len {
        read_some(stream, buffer, over)?;
    }
    let body = buffer[end + 4..end + 4 + len].to_vec();
    buffer.drain(..end + 4 + len);
    Some(Asked { method, target, headers, body })
}

fn read_some(stream: &mut TcpStream, buffer: &mut Vec<u8>, over: &AtomicBool) -> Option<()> {
    let mut chunk = [0; 1 << 14];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return None,
            Ok(len) => {
                buffer.extend_from_slice(&chunk[..len]);
                return Some(());
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if over.load(Ordering::SeqCst) {
                    return None;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}
