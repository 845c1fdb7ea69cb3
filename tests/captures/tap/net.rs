//! The network of one test: two ends of a wire, the far one in a namespace.

use crate::harness::{Dir, TestCommand, project, skip};
use pcap::{Active, Capture};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use std::{fs, thread};
use wiresift::sensor::input::capture;

/// The longest time that anything may take.
const LIMIT: Duration = Duration::from_secs(20);

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A namespace with the far ends of some wires. Both are removed at the end of the test.
pub struct Net {
    pub dir: Dir,
    name: String,
    wires: u32,
}

impl Net {
    /// `None`, with a visible message, if namespaces cannot be created.
    pub fn new(test: &str) -> Option<Net> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("ws{}x{number}", std::process::id());
        let added = Command::new("ip").args(["netns", "add", &name]).output();
        let why = match added {
            Ok(output) if output.status.success() => {
                let net = Net { dir: Dir::new(test), name, wires: 0 };
                net.compile();
                return Some(net);
            }
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_string(),
            Err(error) => format!("ip (iproute2): {error}"),
        };
        skip(test, &format!("no network namespace can be made: {why}"));
        None
    }

    /// The indicators of `testdata`, as `db`.
    fn compile(&self) {
        let indicators = project().join("testdata/indicators");
        let mut command = self.dir.command();
        command.args(["compile", "-q", "--internal", "-o", "db"]).arg(indicators).run().expect(0);
    }

    /// Adds a wire, and returns its number.
    pub fn wire(&mut self) -> u32 {
        self.wires += 1;
        self.plug(self.wires);
        self.wires
    }

    /// Creates the two ends of a wire, and brings them up. They have no addresses, so that
    /// nothing is on it but what the test sends.
    pub fn plug(&self, wire: u32) {
        let (near, far, name) = (self.near(wire), far(wire), &self.name);
        ip(&format!("link add {near} type veth peer name {far} netns {name}"));
        for end in [format!("link set {near}"), format!("-n {name} link set {far}")] {
            ip(&format!("{end} addrgenmode none"));
            ip(&format!("{end} up"));
        }
    }

    /// `ip` in the namespace.
    pub fn ip(&self, words: &str) -> String {
        ip(&format!("-n {} {words}", self.name))
    }

    /// The end of a wire that the test sends from.
    fn near(&self, wire: u32) -> String {
        format!("{}{}", self.name.replace('x', "n"), char::from(b'a' + wire as u8))
    }

    pub fn sender(&self, wire: u32) -> Sender {
        let capture = Capture::from_device(&*self.near(wire)).unwrap().snaplen(64).open();
        Sender(capture.unwrap())
    }

    /// `wiresift tap` in the namespace, without further arguments.
    pub fn tap(&self, args: &[&str]) -> TestCommand {
        let mut command = self.dir.command();
        command.args(["tap", "--db", "db", "--format", "json", "--stats=json"]).args(args);
        self.inside(command)
    }

    /// A command in the namespace.
    pub fn inside(&self, mut command: TestCommand) -> TestCommand {
        command.wrapped_in("ip", &["netns", "exec", &self.name]);
        command
    }

    /// Starts it, and waits until it listens.
    pub fn start(&self, args: &[&str]) -> Tap {
        let mut tap = Tap::of(self.tap(args).start());
        tap.wait_for("seccomp: ");
        tap
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).output();
    }
}

/// The end of a wire on which the tap listens.
pub fn far(wire: u32) -> String {
    format!("far{wire}")
}

fn ip(words: &str) -> String {
    let Output { status, stdout, stderr } =
        Command::new("ip").args(words.split(' ')).output().unwrap();
    assert!(status.success(), "ip {words}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Sends frames on a wire.
pub struct Sender(Capture<Active>);

impl Sender {
    pub fn send(&mut self, frame: &[u8]) {
        self.0.sendpacket(frame).unwrap();
    }

    /// Sends a capture of `testdata`, and returns the number of its frames.
    pub fn replay(&mut self, name: &str) -> u64 {
        let frames = frames(name);
        for frame in &frames {
            self.send(frame);
        }
        frames.len() as u64
    }
}

/// The frames of a capture of `testdata`.
pub fn frames(name: &str) -> Vec<Vec<u8>> {
    let bytes = fs::read(project().join("testdata/captures").join(name)).unwrap();
    let capture = capture::Capture::new(&bytes).unwrap();
    capture.map(|packet| packet.unwrap().data.to_vec()).collect()
}

/// A running tap.
pub struct Tap {
    child: Child,
    alerts: Receiver<String>,
    messages: Receiver<String>,
    /// The messages that were read so far.
    read: Vec<String>,
}

/// A tap that has ended.
pub struct Ended {
    pub status: Option<i32>,
    pub alerts: Vec<Value>,
    pub messages: Vec<String>,
}

impl Tap {
    pub fn of(mut child: Child) -> Tap {
        let alerts = lines(child.stdout.take().unwrap());
        let messages = lines(child.stderr.take().unwrap());
        Tap { child, alerts, messages, read: Vec::new() }
    }

    /// Waits for a message that contains `part`.
    #[track_caller]
    pub fn wait_for(&mut self, part: &str) -> String {
        loop {
            let Ok(line) = self.messages.recv_timeout(LIMIT) else {
                panic!("no {part:?} in {:#?}", self.read)
            };
            self.read.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Waits for an alert.
    #[track_caller]
    pub fn alert(&self) -> Value {
        let line = self.alerts.recv_timeout(LIMIT);
        serde_json::from_str(&line.unwrap_or_else(|_| panic!("no alert"))).unwrap()
    }

    /// A field of `/proc/PID/status`, of each thread.
    pub fn status(&self, field: &str) -> Vec<String> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let statuses = threads.map(|thread| thread.unwrap().path().join("status"));
        let value = |path: &Path| {
            let status = fs::read_to_string(path).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
            line.trim_start_matches(':').trim().to_string()
        };
        statuses.map(|path| value(&path)).collect()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a signal has stopped it: `kill` does not.
    pub fn wait_stopped(&self) {
        let path = format!("/proc/{}/stat", self.id());
        let is_stopped = || {
            let stat = fs::read_to_string(&path).unwrap();
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
        };
        for _ in 0..1000 {
            if is_stopped() {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not stop");
    }

    pub fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Ends it with a signal.
    pub fn stop(self, signal: &str) -> Ended {
        self.signal(signal);
        self.end()
    }

    /// Waits for the end.
    #[expect(clippy::disallowed_methods, reason = "a deadline for another process")]
    pub fn end(mut self) -> Ended {
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                self.child.kill().unwrap();
                panic!("it does not end");
            }
            thread::sleep(Duration::from_millis(2));
        };
        self.read.extend(self.messages.iter());
        let alerts = self.alerts.iter().map(|line| serde_json::from_str(&line).unwrap());
        Ended { status: status.code(), alerts: alerts.collect(), messages: self.read }
    }
}

impl Ended {
    /// The output of `--stats=json` at the end.
    #[track_caller]
    pub fn stats(&self) -> Value {
        let line = self.messages.iter().rfind(|line| line.starts_with('{'));
        let line = line.unwrap_or_else(|| panic!("no stats in {:#?}", self.messages));
        serde_json::from_str(line).unwrap()
    }
}

/// The lines of a pipe, as they arrive.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = mpsc::channel();
    let read = move || {
        for line in BufReader::new(pipe).lines() {
            let Ok(line) = line else { break };
            if send.send(line).is_err() {
                break;
            }
        }
    };
    thread::Builder::new().name("lines".into()).spawn(read).unwrap();
    receive
}
