//! Alerts sent to real receivers on loopback.

mod full_disk;
mod rsyslog;
mod tenzir;

use crate::harness::project;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use wiresift::engine::alert::Format;
use wiresift::engine::indicator::Timestamp;
use wiresift::sensor::deliver::{Deliver, Outcome};
use wiresift::sensor::spool::{Batch, Limits, Record, RecordRef, Sink, Spool, Stored};

/// The alerts of the manual.
const NAMES: [&str; 7] = ["dns", "field", "file", "flow", "http", "log", "tls"];

/// The alerts of `testdata/alerts`, as read from a spool.
fn alerts() -> Batch {
    let read = |name: &str, format: Format| {
        let path = project().join("testdata/alerts").join(format!("{name}.{format}"));
        fs::read(path).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let sinks = [("a".to_string(), Sink::default())];
    let (spool, _) = Spool::open(folder.path(), Limits::default(), sinks).unwrap();
    for name in NAMES {
        let syslog = read(name, Format::Syslog);
        let text = String::from_utf8_lossy(&syslog);
        let (_, id) = text.split_once(" id=\"").unwrap();
        let id = u128::from_str_radix(&id[..32], 16).unwrap().to_be_bytes();
        let json = read(name, Format::Json);
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let time = Timestamp::parse(value["time"].as_str().unwrap()).unwrap();
        let severity = value["severity"].as_u64().unwrap() as u8;
        let record = Record::new(id, severity, time, &json)
            .form(Format::Syslog, &syslog)
            .form(Format::Ecs, &read(name, Format::Ecs));
        assert_eq!(spool.append(&record, time, true).unwrap(), Stored::Yes);
    }
    let mut batch = Batch::default();
    spool.read(spool.cursor("a"), 100, 1 << 20, &mut batch);
    assert_eq!(batch.len(), NAMES.len());
    batch
}

fn deliver(to: &mut dyn Deliver, batch: &Batch) -> Outcome {
    let records: Vec<RecordRef<'_>> = batch.records().collect();
    to.deliver(&records)
}

/// Sends until everything has arrived, like an outlet.
fn insist(to: &mut dyn Deliver, batch: &Batch) {
    let mut last = Outcome::default();
    for _ in 0..50 {
        last = deliver(to, batch);
        if !last.has_again() {
            assert_eq!(last, Outcome::delivered(batch.len()));
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{:?}", last.error);
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program that runs until it is dropped.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program and waits until it listens on a port; its output goes to a file.
fn start(command: &mut Command, port: u16, words: &Path) -> Peer {
    let out = fs::File::create(words).unwrap();
    let errors = fs::File::create(words.with_extension("err")).unwrap();
    let child = command.stdin(Stdio::null()).stdout(out).stderr(errors).spawn().unwrap();
    let mut peer = Peer(child);
    for _ in 0..1200 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return peer;
        }
        let ended = peer.0.try_wait().unwrap();
        let said = || fs::read_to_string(words.with_extension("err")).unwrap_or_default();
        assert!(ended.is_none(), "{command:?} ended: {}", said());
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{command:?} does not listen");
}

/// The lines of a file, once there are at least `count`.
fn lines(path: &Path, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for _ in 0..400 {
        let text = fs::read_to_string(path).unwrap_or_default();
        lines = text.lines().map(String::from).collect();
        if lines.len() >= count {
            return lines;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{} of {count} lines: {lines:#?}", lines.len());
}

/// The path of a system program.
fn program(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&paths).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder: PathBuf| folder.join(name)).find(|path| path.is_file())
}
