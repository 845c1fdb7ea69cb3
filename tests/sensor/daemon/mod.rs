//! `wiresift run` in real use: a configuration in a folder, the process, its pages and its signals.

mod captures;
mod faults;
mod feeds;
mod files;
#[cfg(feature = "kafka")]
mod kafka;
mod listening;
mod metrics;
mod once;
mod operation;
mod receivers;
mod reload;
mod spool;
mod streams;
mod suppression;
mod tap;

use crate::harness::{Dir, Run, TestCommand};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, sleep};
use std::time::Duration;
use wiresift::clock::Stopwatch;

/// The time limit for anything to happen, which is never reached on an idle machine.
const LIMIT: Duration = Duration::from_secs(40);

/// Waits until a condition is met.
#[track_caller]
fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Stopwatch::start();
    while !is_so() {
        assert!(began.elapsed() < LIMIT, "timed out: {what}");
        sleep(Duration::from_millis(10));
    }
}

/// A port that nothing listens on. It is below the range for clients, so that none of them takes it
/// before it is used.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 12_000 + ((std::process::id() % 1000) * 20 + next) % 20_000;
        let port = u16::try_from(port).unwrap();
        let address = ("127.0.0.1", port);
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return port;
        }
    }
}

/// Pseudo-random numbers that are the same in every run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    fn nap(&mut self, max: u64) {
        sleep(Duration::from_millis(self.roll(max)));
    }
}

/// A folder with a database that contains `evil.example`, a folder for logs, and a port for the
/// pages.
struct Post {
    dir: Dir,
    port: u16,
}

impl Post {
    fn new(name: &str) -> Post {
        let post = Post { dir: Dir::new(name), port: free_port() };
        post.compile("evil.example\n");
        fs::create_dir(post.path("logs")).unwrap();
        post
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Publishes a database of a list.
    fn compile(&self, list: &str) {
        self.dir.create("list.txt", list);
        self.dir.command().args(["compile", "-q", "-o", "db.wsdb", "list.txt"]).run().expect(0);
    }

    /// Writes the configuration: the given text, after the usual beginning.
    fn configure(&self, rest: &str) {
        self.configure_all("", "", rest);
    }

    /// The same with additions for the top and for `[daemon]`.
    fn configure_all(&self, top: &str, daemon: &str, rest: &str) {
        let port = self.port;
        let text = format!(
            "database = \"db.wsdb\"\nstate = \"state\"\n{top}\n\n\
             [daemon]\nmetrics = \"127.0.0.1:{port}\"\n{daemon}\n\n{rest}"
        );
        self.dir.create("wiresift.toml", text);
    }

    fn command(&self, args: &[&str]) -> TestCommand {
        let mut command = self.dir.command();
        command.arg("run").args(args);
        command
    }

    /// Runs to the end of the existing input.
    fn once(&self) -> Run {
        self.command(&["--once"]).run()
    }

    /// Starts the process, and waits until it is ready.
    #[track_caller]
    fn start(&self) -> Daemon {
        let mut daemon = self.launch(&self.command(&[]));
        daemon.wait_ready();
        daemon
    }

    /// Starts it without waiting.
    fn launch(&self, command: &TestCommand) -> Daemon {
        Daemon::of(command.start(), self.port)
    }

    /// A log, open to append.
    fn log(&self, name: &str) -> Log {
        Log::open(&self.path("logs").join(name))
    }

    /// The complete records of a JSON file.
    fn alerts(&self, name: &str) -> Vec<Value> {
        records(&self.path(name))
    }

    /// How often each number occurs in a JSON file of alerts.
    fn numbers(&self, name: &str) -> BTreeMap<u64, u64> {
        counts(self.alerts(name).iter().filter_map(number))
    }

    /// Asserts that alerts about each of the first lines are eventually in a file exactly once.
    #[track_caller]
    fn expect_once(&self, name: &str, lines: u64) {
        wait_for(name, || self.numbers(name).len() as u64 >= lines);
        each_once(&self.numbers(name), lines);
    }
}

/// The complete records of a JSON file.
fn records(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The number at the beginning of an alert's line.
fn number(alert: &Value) -> Option<u64> {
    alert["log"]["text"].as_str()?.split(' ').next()?.parse().ok()
}

/// How often each number occurs.
fn counts(numbers: impl Iterator<Item = u64>) -> BTreeMap<u64, u64> {
    let mut counts = BTreeMap::new();
    numbers.for_each(|number| *counts.entry(number).or_default() += 1);
    counts
}

#[track_caller]
fn each_once(counts: &BTreeMap<u64, u64>, lines: u64) {
    let wrong = |at: &u64| counts.get(at) != Some(&1);
    let wrong: Vec<_> = (0..lines).filter(wrong).map(|at| (at, counts.get(&at))).collect();
    assert!(wrong.is_empty(), "of {lines} lines, with how often each is there: {wrong:?}");
    assert_eq!(counts.len() as u64, lines);
}

#[expect(clippy::disallowed_methods, reason = "as log rotation does")]
fn rename(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

/// A log with a number in each line.
struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    fn open(path: &Path) -> Log {
        let file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        Log { path: path.to_path_buf(), file }
    }

    /// A line that matches the database for each number.
    fn write(&mut self, numbers: std::ops::Range<u64>) {
        let lines: String =
            numbers.map(|n| format!("{n} query for host{n}.evil.example\n")).collect();
        self.file.write_all(lines.as_bytes()).unwrap();
    }

    fn line(&mut self, line: &str) {
        writeln!(self.file, "{line}").unwrap();
    }

    /// Renames it and starts a new one, like logrotate.
    fn rotate(&mut self, to: &str) {
        rename(&self.path, &self.path.with_file_name(to));
        *self = Log::open(&self.path);
    }

    /// Copies and truncates it, like logrotate with `copytruncate`.
    fn copy_and_cut(&mut self, to: &str) {
        fs::copy(&self.path, self.path.with_file_name(to)).unwrap();
        self.file.set_len(0).unwrap();
    }
}

/// The process, which is killed when this is dropped.
struct Daemon {
    child: Child,
    port: u16,
    said: Arc<Mutex<String>>,
}

impl Daemon {
    fn of(mut child: Child, port: u16) -> Daemon {
        // The process must not block on an unread pipe.
        gather(child.stdout.take().unwrap());
        let said = gather(child.stderr.take().unwrap());
        Daemon { child, port, said }
    }

    #[track_caller]
    fn wait_ready(&mut self) {
        let began = Stopwatch::start();
        while self.try_get("/-/ready").is_none_or(|(status, _)| status != 200) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it has ended: {ended:?}: {}", self.said());
            assert!(began.elapsed() < LIMIT, "it is not ready: {}", self.said());
            sleep(Duration::from_millis(10));
        }
    }

    /// What it wrote to standard error so far.
    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    #[track_caller]
    fn wait_said(&self, part: &str) {
        let began = Stopwatch::start();
        while !self.said().contains(part) {
            assert!(began.elapsed() < LIMIT, "no {part:?} in: {}", self.said());
            sleep(Duration::from_millis(10));
        }
    }

    /// A page: status and body; `None` if nothing is listening.
    fn try_get(&self, path: &str) -> Option<(u16, String)> {
        get(self.port, path)
    }

    #[track_caller]
    fn get(&self, path: &str) -> (u16, String) {
        self.try_get(path).unwrap_or_else(|| panic!("no {path}: {}", self.said()))
    }

    #[track_caller]
    fn status(&self) -> Value {
        serde_json::from_str(&self.get("/status").1).unwrap()
    }

    /// An input or a sink in the status.
    #[track_caller]
    fn part(&self, kind: &str, name: &str) -> Value {
        let status = self.status();
        let parts = status[kind].as_array().unwrap();
        let part = parts.iter().find(|part| part["name"] == name);
        part.unwrap_or_else(|| panic!("no {name} in {status}")).clone()
    }

    /// A metric, by its name and labels as on the page; zero if it is missing.
    #[track_caller]
    fn metric(&self, name: &str) -> f64 {
        let (_, page) = self.get("/metrics");
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    fn id(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, name: &str) {
        let number = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &number]).status();
        assert!(sent.unwrap().success(), "{name}: {}", self.said());
    }

    /// Makes it reload its configuration, and waits until that succeeded or failed.
    #[track_caller]
    fn reload(&self, result: &str) {
        let name = format!("wiresift_config_reloads_total{{result=\"{result}\"}}");
        let before = self.metric(&name);
        self.signal("HUP");
        let began = Stopwatch::start();
        while self.metric(&name) <= before {
            assert!(began.elapsed() < LIMIT, "not {result}: {}", self.said());
            sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the end, and returns the exit status with the output.
    #[track_caller]
    fn end(mut self) -> (Option<i32>, String) {
        let began = Stopwatch::start();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // The pipe may still contain its last output.
                wait_for("all output is read", || Arc::strong_count(&self.said) == 1);
                return (status.code(), self.said());
            }
            assert!(began.elapsed() < LIMIT, "it does not end: {}", self.said());
            sleep(Duration::from_millis(5));
        }
    }

    /// Asks it to end, and asserts that it ends normally.
    #[track_caller]
    fn stop(self) -> String {
        self.signal("TERM");
        let (status, said) = self.end();
        assert_eq!(status, Some(0), "{said}");
        said
    }

    /// SIGKILL.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads a pipe to its end, on a separate thread.
fn gather(mut pipe: impl std::io::Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let to = Arc::clone(&text);
    let read = move || {
        let mut buffer = [0; 1 << 14];
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            to.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    };
    thread::Builder::new().name("words".into()).spawn(read).unwrap();
    text
}

/// A page of a server on this machine: status and body; `None` if nothing is listening.
fn get(port: u16, path: &str) -> Option<(u16, String)> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    ask(port, request.as_bytes())
}

/// Sends a request with `Connection: close`, and reads the response.
fn ask(port: u16, request: &[u8]) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    stream.write_all(request).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_string()))
}
