//! A server of an exchange, as a process, and a client that sends requests as they are given.

use crate::harness::{Dir, on_test_database};
use serde_json::Value;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Settings of servers that many requests are sent to.
pub const UNLIMITED: &[&str] = &[
    "--limit-key=0",
    "--limit-address=0",
    "--limit-writes=0",
    "--quota-pulses=0",
    "--quota-indicators=0",
];

/// A running server; it is killed when it is dropped.
pub struct Exchange {
    child: Child,
    /// Its address, such as `127.0.0.1:4711`.
    pub address: String,
    /// What it printed before it was ready.
    pub lines: Vec<String>,
}

impl Exchange {
    /// Starts a server on the directory `x` of a test.
    pub fn start(dir: &Dir, flags: &[&str]) -> Exchange {
        let args = ["exchange", "serve", "--data", "x", "--listen", "127.0.0.1:0"];
        let args: Vec<OsString> =
            args.iter().chain(UNLIMITED).chain(flags).map(OsString::from).collect();
        let mut child = Command::new(env!("CARGO_BIN_EXE_wiresift"))
            .args(on_test_database(&args, dir.path()))
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = Vec::new();
        let mut address = String::new();
        while address.is_empty() {
            let mut line = String::new();
            assert!(output.read_line(&mut line).unwrap() > 0, "the server ended: {lines:?}");
            if let Some(base) = line.trim().strip_prefix("listening on http://") {
                address = base.to_string();
            }
            lines.push(line.trim().to_string());
        }
        // The link of the first account is the next line, if there is one; it is printed with it.
        let mut line = String::new();
        if lines.iter().any(|line| line.starts_with("new exchange")) {
            output.read_line(&mut line).unwrap();
            lines.push(line.trim().to_string());
        }
        Exchange { child, address, lines }
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) -> bool {
        let id = rustix::process::Pid::from_raw(self.child.id() as i32).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().success()
    }

    /// Sends a request, and returns status and body.
    pub fn ask(&self, method: &str, target: &str, key: &str, body: &str) -> Answer {
        try_ask(&self.address, (method, target), key, body).unwrap()
    }

    /// `GET` with a key.
    pub fn get(&self, target: &str, key: &str) -> Answer {
        self.ask("GET", target, key, "")
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// Expects a status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Answer {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{body}");
        self
    }
}

/// Sends one request on a connection of its own.
pub fn try_ask(
    address: &str,
    (method, target): (&str, &str),
    key: &str,
    body: &str,
) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut head =
        format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    if !key.is_empty() {
        head.push_str(&format!("X-OTX-API-KEY: {key}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        ));
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&bytes).ok_or_else(|| std::io::Error::other("the answer ends early"))
}

/// Head and body, chunked or not.
pub fn parse(bytes: &[u8]) -> Option<Answer> {
    let at = bytes.windows(4).position(|part| part == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let mut rest = &bytes[at + 4..];
    let lower = head.to_lowercase();
    if !lower.contains("transfer-encoding: chunked") {
        let length = lower.split("content-length: ").nth(1)?.lines().next()?.trim().parse().ok()?;
        let body = rest.get(..length)?.to_vec();
        return Some(Answer { status, body });
    }
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|part| part == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?, 16).ok()?;
        if size == 0 {
            return Some(Answer { status, body });
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 4 + size..)?;
    }
}

/// Runs `wiresift exchange …` on the directory `x`, and returns what it printed.
pub fn operate(dir: &Dir, words: &[&str]) -> String {
    let mut command = dir.command();
    command.args(["exchange", words[0], "--data", "x"]).args(&words[1..]);
    command.run().expect(0).text().trim().to_string()
}

/// Creates an account with a key.
pub fn account(dir: &Dir, name: &str, role: &str) -> String {
    operate(dir, &["user", "add", name, "--role", role]);
    operate(dir, &["key", "add", name])
}

/// The file of the database.
pub fn database(dir: &Dir) -> std::path::PathBuf {
    Path::new(dir.path()).join("x/exchange.sqlite")
}
