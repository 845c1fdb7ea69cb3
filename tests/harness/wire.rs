//! A capture that is written while `wiresift scan -` reads it, and the memory of that process.
//!
//! The capture is not stored: it goes through a pipe, so that hundreds of megabytes cost neither
//! disk nor memory here.

use crate::harness::Dir;
use serde_json::Value;
use std::fs::read_to_string;
use std::io::{BufWriter, Read, Write};
use std::process::{Child, ChildStdin, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// A scan that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// How often the memory is read. The kernel records the peak; only growth in the last moment
/// before the end could be missed.
const BETWEEN: Duration = Duration::from_millis(1);

/// The first timestamp of a capture: 2023-11-14T22:13:20Z.
pub const BEGINNING: u32 = 1_700_000_000;

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const ACK: u8 = 16;
const PUSH: u8 = 8;

/// The two ends of a TCP connection, and how far each has sent.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    pub client: u32,
    pub server: u32,
    pub ports: (u16, u16),
    /// The next byte of the client and of the server.
    pub next: [u32; 2],
}

impl Ends {
    /// The `at`th connection to a port, with its own address and port.
    pub fn new(at: u32, port: u16) -> Ends {
        let client = 0x0a00_0000 + (at & 0x00ff_ffff);
        let ports = (20_000 + (at % 40_000) as u16, port);
        Ends { client, server: 0xc633_6402, ports, next: [1, 1] }
    }
}

/// A capture of raw IP in preparation.
pub struct Wire {
    out: BufWriter<ChildStdin>,
    /// Microseconds since the capture began.
    pub time: u64,
    /// Microseconds between two packets.
    pub step: u64,
    ip: Vec<u8>,
}

impl Wire {
    fn new(out: ChildStdin) -> Wire {
        let mut out = BufWriter::with_capacity(1 << 16, out);
        for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, 101] {
            let _ = out.write_all(&word.to_le_bytes());
        }
        Wire { out, time: 0, step: 10, ip: Vec::new() }
    }

    /// Sets the time of the next packet, in seconds since the beginning.
    pub fn at(&mut self, seconds: u64) -> &mut Wire {
        self.time = seconds * 1_000_000 - self.step;
        self
    }

    /// Writes an IP packet. If the scan has ended, its exit status shows why.
    pub fn packet(&mut self, data: &[u8]) {
        self.time += self.step;
        let seconds = BEGINNING + (self.time / 1_000_000) as u32;
        let length = data.len() as u32;
        for word in [seconds, (self.time % 1_000_000) as u32, length, length] {
            let _ = self.out.write_all(&word.to_le_bytes());
        }
        let _ = self.out.write_all(data);
    }

    /// A packet of IPv4 with this payload.
    pub fn v4(&mut self, src: u32, dst: u32, proto: u8, payload: &[&[u8]]) {
        let mut ip = std::mem::take(&mut self.ip);
        ip.clear();
        v4_into(&mut ip, src, dst, proto, payload);
        self.packet(&ip);
        self.ip = ip;
    }

    pub fn udp(&mut self, src: (u32, u16), dst: (u32, u16), payload: &[u8]) {
        let mut header = [0; 8];
        header[..2].copy_from_slice(&src.1.to_be_bytes());
        header[2..4].copy_from_slice(&dst.1.to_be_bytes());
        header[4..6].copy_from_slice(&(8 + payload.len() as u16).to_be_bytes());
        self.v4(src.0, dst.0, 17, &[&header, payload]);
    }

    /// A segment at a position of its stream.
    pub fn segment(&mut self, ends: &Ends, to_server: bool, flags: u8, seq: u32, data: &[u8]) {
        let header = tcp(ends, to_server, flags, seq);
        let (src, dst) =
            if to_server { (ends.client, ends.server) } else { (ends.server, ends.client) };
        self.v4(src, dst, 6, &[&header, data]);
    }

    /// Opens a connection.
    pub fn open(&mut self, ends: &Ends) {
        self.segment(ends, true, SYN, 0, &[]);
        self.segment(ends, false, SYN | ACK, 0, &[]);
        self.segment(ends, true, ACK, 1, &[]);
    }

    /// The next bytes of a direction, in segments of up to 16 KiB.
    pub fn say(&mut self, ends: &mut Ends, to_server: bool, data: &[u8]) {
        for data in data.chunks(16 << 10) {
            let next = ends.next[usize::from(!to_server)];
            self.segment(ends, to_server, PUSH | ACK, next, data);
            ends.next[usize::from(!to_server)] = next.wrapping_add(data.len() as u32);
        }
    }

    /// A request to a host, and its response.
    pub fn ask(&mut self, ends: &mut Ends, host: &str) {
        self.say(ends, true, format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        self.say(ends, false, b"HTTP/1.1 204 No Content\r\n\r\n");
    }
}

/// A packet of IPv4.
pub fn v4(src: u32, dst: u32, proto: u8, payload: &[&[u8]]) -> Vec<u8> {
    let mut packet = Vec::new();
    v4_into(&mut packet, src, dst, proto, payload);
    packet
}

fn v4_into(to: &mut Vec<u8>, src: u32, dst: u32, proto: u8, payload: &[&[u8]]) {
    let total = 20 + payload.iter().map(|part| part.len()).sum::<usize>();
    to.extend([0x45, 0]);
    to.extend((total as u16).to_be_bytes());
    to.extend([0, 0, 0, 0, 64, proto, 0, 0]);
    to.extend(src.to_be_bytes());
    to.extend(dst.to_be_bytes());
    payload.iter().for_each(|part| to.extend_from_slice(part));
}

fn tcp(ends: &Ends, to_server: bool, flags: u8, seq: u32) -> [u8; 20] {
    let mut header = [0; 20];
    let (src, dst) = if to_server { ends.ports } else { (ends.ports.1, ends.ports.0) };
    header[..2].copy_from_slice(&src.to_be_bytes());
    header[2..4].copy_from_slice(&dst.to_be_bytes());
    header[4..8].copy_from_slice(&seq.to_be_bytes());
    let ack = ends.next[usize::from(to_server)];
    header[8..12].copy_from_slice(&ack.to_be_bytes());
    (header[12], header[13]) = (0x50, flags);
    header
}

/// A finished scan.
pub struct Scanned {
    /// Alerts, in order.
    pub alerts: Vec<Value>,
    /// The output of `--stats=json`.
    pub stats: Value,
    /// The maximum resident memory in bytes, including mapped files. `None` if the system does
    /// not show it.
    pub peak: Option<u64>,
    /// The duration of the run.
    pub took: Duration,
}

impl Scanned {
    /// How often a packet, or a part of one, was not decoded for this reason.
    pub fn dropped(&self, reason: &str) -> u64 {
        self.stats["packets"]["dropped"][reason].as_u64().unwrap_or(0)
    }
}

/// Scans a capture while `write` writes it, against `db` in `dir`.
#[expect(clippy::disallowed_methods, reason = "a deadline for another process")]
pub fn scan(dir: &Dir, write: impl FnOnce(&mut Wire)) -> Scanned {
    let started = Instant::now();
    let mut command = dir.command();
    command.args(["scan", "--db", "db", "--format", "json", "--stats=json", "-j", "1", "-"]);
    let mut child = command.start();
    let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let mut wire = Wire::new(child.stdin.take().unwrap());
    let (status, peak, out, err) = thread::scope(|scope| {
        let out = scope.spawn(move || text(out));
        let err = scope.spawn(move || text(err));
        let watched = scope.spawn(move || watch(child, started));
        write(&mut wire);
        drop(wire);
        let (status, peak) = watched.join().unwrap();
        (status, peak, out.join().unwrap(), err.join().unwrap())
    });
    assert!(status.code().is_some_and(|code| code < 2), "{status:?}\n{err}");
    let alerts = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let stats = err.lines().last().map(|line| serde_json::from_str(line).unwrap());
    Scanned { alerts, stats: stats.unwrap_or_default(), peak, took: started.elapsed() }
}

fn text(mut pipe: impl Read) -> String {
    let mut text = String::new();
    pipe.read_to_string(&mut text).unwrap();
    text
}

/// Waits for the end of a process, and records its memory.
fn watch(mut child: Child, started: Instant) -> (ExitStatus, Option<u64>) {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    loop {
        // A process that has ended shows no memory.
        let now = read_to_string(&status).ok().and_then(|text| resident(&text));
        peak = peak.max(now);
        if let Some(status) = child.try_wait().unwrap() {
            return (status, peak);
        }
        if started.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the scan took more than {LIMIT:?}");
        }
        thread::sleep(BETWEEN);
    }
}

/// The maximum resident memory so far, in bytes.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}
