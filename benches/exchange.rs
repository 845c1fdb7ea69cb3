//! An OTX account of a million indicators in 2,000 pulses, walked over loopback: the server is
//! another process, so that only the client is measured.
//!
//! `cargo bench --bench exchange`. Asserts the limits: 100,000 indicators per second and 512 MiB.
//! Without `--bench` it walks a small account and measures nothing.

#![expect(clippy::disallowed_macros, reason = "prints what it measured")]

#[path = "../tests/harness/server.rs"]
#[allow(dead_code, unreachable_pub)]
mod server;

use server::{Asked, Reply, Server};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wiresift::Result;
use wiresift::engine::indicator::{Indicator, Timestamp};
use wiresift::intel::feed::client::{DocumentStore, Exchange, otx};
use wiresift::intel::feed::fetch::{Caps, Client, Clock, Url};
use wiresift::intel::feed::{Options, Reject, Sink};

const PULSES: usize = 2000;
const EACH: usize = 500;
const KEY: &str = "key-of-the-bench";

fn main() {
    if let Some(pulses) = std::env::var_os("WIRESIFT_BENCH_PULSES") {
        serve(pulses.to_str().unwrap().parse().unwrap());
        return;
    }
    let measured = std::env::args().any(|word| word == "--bench");
    let pulses = if measured { PULSES } else { 60 };
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env("WIRESIFT_BENCH_PULSES", pulses.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    walk(line.trim(), pulses, measured);
    drop(child.stdin.take());
    child.wait().unwrap();
}

/// Serves until standard input ends.
fn serve(pulses: usize) {
    let server = Server::start(move |asked| match asked.path() {
        "/api/v1/pulses/subscribed" => page(asked, pulses),
        _ => Reply::json(r#"{"count":0,"next":null,"previous":null,"results":[]}"#),
    });
    println!("{}", server.url(""));
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn page(asked: &Asked, pulses: usize) -> Reply {
    let number = |name: &str| asked.query(name).unwrap().parse::<usize>().unwrap();
    let (limit, page) = (number("limit"), number("page"));
    let first = (page - 1) * limit;
    let last = (first + limit).min(pulses);
    let next = if last < pulses { "\"/more\"" } else { "null" };
    let mut body = format!(r#"{{"count":{pulses},"next":{next},"previous":null,"results":["#);
    for pulse in first..last {
        let comma = if pulse == first { "" } else { "," };
        write!(
            body,
            r#"{comma}{{"id":"{pulse:024x}","name":"Pulse {pulse}","description":"","author_name":"a","modified":"2026-01-01T00:00:00","created":"2026-01-01T00:00:00","revision":1,"tlp":"white","public":1,"adversary":"","tags":["one","two"],"references":[],"targeted_countries":[],"industries":[],"malware_families":[],"attack_ids":[],"more_indicators":false,"extract_source":[],"indicators":["#
        )
        .unwrap();
        for at in 0..EACH {
            let comma = if at == 0 { "" } else { "," };
            write!(
                body,
                r#"{comma}{{"indicator":"host{at}.pulse{pulse}.example","description":"","created":"2026-01-01T00:00:00","title":"","content":"","type":"hostname","id":{},"expiration":null,"is_active":1,"role":null}}"#,
                pulse * EACH + at
            )
            .unwrap();
        }
        body.push_str("]}");
    }
    body.push_str("]}");
    Reply::json(body)
}

/// A file for each document.
struct Files {
    dir: tempfile::TempDir,
    names: Vec<String>,
    cursor: Option<String>,
}

impl Files {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

impl DocumentStore for Files {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        std::fs::write(self.path(name), bytes).unwrap();
        self.names.push(name.to_string());
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        self.names.retain(|known| known != name);
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>> {
        Ok(self.names.clone())
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(std::fs::read(self.path(name)).ok())
    }

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    fn set_cursor(&mut self, cursor: &str) -> Result<()> {
        self.cursor = Some(cursor.to_string());
        Ok(())
    }
}

/// The clock of this process. There is no reason to wait here.
struct Real;

impl Clock for Real {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the caller of a walk provides the clock")]
        let now = jiff::Timestamp::now();
        Timestamp(now.as_microsecond())
    }

    fn sleep(&self, time: Duration) -> Result<()> {
        panic!("a wait of {time:?}");
    }
}

struct Count(usize);

impl Sink for Count {
    fn indicator(&mut self, _: Indicator, _: Option<u64>) {
        self.0 += 1;
    }

    fn reject(&mut self, reject: Reject) {
        panic!("{reject:?}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn walk(server: &str, pulses: usize, measured: bool) {
    let (server, _) = Url::parse(server).unwrap();
    let client = Client::new(&server, otx::access(KEY), Caps::default()).unwrap();
    let exchange = Exchange::Otx(otx::Otx { server, lookback: None });
    let mut files = Files { dir: tempfile::tempdir().unwrap(), names: Vec::new(), cursor: None };
    let start = Instant::now();
    let walked = exchange.walk(&client, &mut files, &Real).unwrap();
    let walk = start.elapsed();
    let mut count = Count(0);
    let summary = exchange.read(&files, &Options::of_feed("otx"), &mut count).unwrap();
    let whole = start.elapsed();
    assert_eq!(walked.put as usize, pulses);
    assert_eq!((count.0, summary.indicators), (pulses * EACH, (pulses * EACH) as u64));
    if measured {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
        let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
        let rate = |time: Duration| count.0 as f64 / time.as_secs_f64();
        println!(
            "{} indicators, {} MB: walk {walk:.2?} ({:.0} a second), walk and read {whole:.2?} \
             ({:.0} a second), {} MiB resident at most",
            count.0,
            walked.bytes / 1_000_000,
            rate(walk),
            rate(whole),
            peak / 1024
        );
        assert!(rate(whole) >= 100_000.0 && peak <= 512 * 1024);
    }
}
