//! Sends requests to a server as they lie in a file, and measures the answers; for
//! `benches/exchange/measure.py`.
//!
//! Light, because it runs beside the server on the same processors: blocking sockets, kept open,
//! requests ready to be sent. A file has sessions: a line with the time at which the session is
//! due, in microseconds from the start (`-`: as soon as a connection is free), and the lengths of
//! its requests; then the requests, byte by byte. Each request of a session follows the answer to
//! the one before it.
//!
//! What is due at some time is measured from that time: who waits because the server is late with
//! others has waited, too.

#![expect(clippy::disallowed_macros, reason = "prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "measures time")]

use memchr::memmem;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(120);

struct Options {
    address: String,
    file: String,
    connections: usize,
    /// How often the file is sent.
    repeat: usize,
    /// Whether each session has a connection of its own.
    is_fresh: bool,
    /// What is counted in the bodies of answers.
    needle: Vec<u8>,
}

fn options() -> Options {
    let mut options = Options {
        address: String::new(),
        file: String::new(),
        connections: 8,
        repeat: 1,
        is_fresh: false,
        needle: Vec::new(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("{word} needs a value"));
        match word.as_str() {
            "--address" => options.address = value(),
            "--file" => options.file = value(),
            "--connections" => options.connections = value().parse().unwrap(),
            "--repeat" => options.repeat = value().parse().unwrap(),
            "--needle" => options.needle = value().into_bytes(),
            "--fresh" => options.is_fresh = true,
            _ => panic!("unknown option {word}"),
        }
    }
    options
}

fn main() {
    let options = options();
    let plan = Mutex::new(Plan::open(&options));
    let start = Instant::now();
    let all: Vec<Tally> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..options.connections)
            .map(|_| scope.spawn(|| work(&options, &plan, start)))
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    report(all, start.elapsed());
}

/// What is to be sent.
struct Plan {
    file: BufReader<File>,
    repeat: usize,
}

/// When it is due, and its requests.
type Session = (Option<Duration>, Vec<Vec<u8>>);

impl Plan {
    fn open(options: &Options) -> Plan {
        let file = File::open(&options.file).unwrap();
        Plan { file: BufReader::with_capacity(1 << 20, file), repeat: options.repeat }
    }

    fn next(&mut self) -> Option<Session> {
        let mut line = String::new();
        while self.file.read_line(&mut line).unwrap() == 0 {
            self.repeat -= 1;
            if self.repeat == 0 {
                // The next one finds the end, too.
                self.repeat = 1;
                return None;
            }
            self.file.rewind().unwrap();
        }
        let mut words = line.split_ascii_whitespace();
        let due = words.next().unwrap();
        let due = (due != "-").then(|| Duration::from_micros(due.parse().unwrap()));
        let requests = words.map(|length| {
            let mut request = vec![0; length.parse().unwrap()];
            self.file.read_exact(&mut request).unwrap();
            request
        });
        Some((due, requests.collect()))
    }
}

/// What a worker has seen.
#[derive(Default)]
struct Tally {
    /// Microseconds of each answer.
    times: Vec<u32>,
    statuses: BTreeMap<u16, u64>,
    bytes: u64,
    needles: u64,
    failures: u64,
    failure: String,
}

fn work(options: &Options, plan: &Mutex<Plan>, start: Instant) -> Tally {
    let mut tally = Tally::default();
    let mut connection = None;
    loop {
        let next = plan.lock().unwrap().next();
        let Some((due, requests)) = next else { return tally };
        if let Some(due) = due {
            std::thread::sleep(due.saturating_sub(start.elapsed()));
        }
        if options.is_fresh {
            connection = None;
        }
        let mut since = due.map_or_else(Instant::now, |due| start + due);
        for request in requests {
            let mut ask = || -> std::io::Result<()> {
                if connection.is_none() {
                    connection = Some(Connection::open(&options.address)?);
                }
                connection.as_mut().map_or(Ok(()), |it| it.ask(&request, options, &mut tally))
            };
            if let Err(error) = ask() {
                tally.failures += 1;
                tally.failure = error.to_string();
                connection = None;
            }
            let now = Instant::now();
            tally.times.push(u32::try_from((now - since).as_micros()).unwrap_or(u32::MAX));
            since = now;
        }
    }
}

struct Connection {
    stream: BufReader<TcpStream>,
    line: Vec<u8>,
    body: Vec<u8>,
}

impl Connection {
    fn open(address: &str) -> std::io::Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let stream = BufReader::with_capacity(1 << 16, stream);
        Ok(Connection { stream, line: Vec::new(), body: Vec::new() })
    }

    fn ask(&mut self, request: &[u8], options: &Options, tally: &mut Tally) -> std::io::Result<()> {
        self.stream.get_mut().write_all(request)?;
        let status = self.status()?;
        let (mut length, mut is_chunked) = (None, false);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok();
            }
            is_chunked |= line.starts_with("transfer-encoding:") && line.ends_with("chunked");
        }
        self.body.clear();
        if is_chunked {
            self.chunks()?;
        } else if status != 304 {
            self.append(length.unwrap_or(0))?;
        }
        *tally.statuses.entry(status).or_default() += 1;
        tally.bytes += self.body.len() as u64;
        if !options.needle.is_empty() {
            tally.needles += memmem::find_iter(&self.body, &options.needle).count() as u64;
        }
        Ok(())
    }

    fn status(&mut self) -> std::io::Result<u16> {
        let line = self.line()?;
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        status.ok_or_else(|| std::io::Error::other(format!("no status line: {line}")))
    }

    /// A line of the head.
    fn line(&mut self) -> std::io::Result<String> {
        self.line.clear();
        self.stream.read_until(b'\n', &mut self.line)?;
        if self.line.pop() != Some(b'\n') {
            return Err(std::io::Error::other("the connection was closed"));
        }
        Ok(String::from_utf8_lossy(&self.line).trim_end().to_string())
    }

    fn append(&mut self, length: usize) -> std::io::Result<()> {
        let before = self.body.len();
        self.body.resize(before + length, 0);
        self.stream.read_exact(&mut self.body[before..])
    }

    fn chunks(&mut self) -> std::io::Result<()> {
        loop {
            let line = self.line()?;
            let length = usize::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
            self.append(length)?;
            self.line()?;
            if length == 0 {
                return Ok(());
            }
        }
    }
}

fn report(all: Vec<Tally>, elapsed: Duration) {
    let mut whole = Tally::default();
    for tally in all {
        whole.times.extend(tally.times);
        for (status, count) in tally.statuses {
            *whole.statuses.entry(status).or_default() += count;
        }
        whole.bytes += tally.bytes;
        whole.needles += tally.needles;
        whole.failures += tally.failures;
        if !tally.failure.is_empty() {
            whole.failure = tally.failure;
        }
    }
    whole.times.sort_unstable();
    let at = |part: f64| {
        let last = whole.times.len().saturating_sub(1);
        let place = (whole.times.len() as f64 * part) as usize;
        f64::from(whole.times.get(place.min(last)).copied().unwrap_or(0)) / 1000.0
    };
    let statuses: BTreeMap<String, u64> =
        whole.statuses.iter().map(|(status, count)| (status.to_string(), *count)).collect();
    println!(
        "{}",
        serde_json::json!({
            "requests": whole.times.len(), "seconds": elapsed.as_secs_f64(),
            "statuses": statuses, "bytes": whole.bytes, "needles": whole.needles,
            "failures": whole.failures, "failure": whole.failure,
            "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "p999": at(0.999), "max": at(1.0),
        })
    );
}
