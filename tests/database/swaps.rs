//! Databases that are replaced during a scan: nothing is lost, nothing is reported twice, and
//! every alert names the database that produced it.

use crate::harness::{Dir, project};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// The longest time that anything may take.
const LIMIT: Duration = Duration::from_secs(20);

/// How often a database is replaced.
pub const OFTEN: Duration = Duration::from_millis(50);

/// Compiles `lists` into `name`, and returns the build identifier.
fn compile(dir: &Dir, name: &str, lists: &[&Path]) -> String {
    dir.command().args(["compile", "-q", "--internal", "-o", name]).args(lists).run().expect(0);
    let inspected = dir.command().args(["inspect", "--json", name]).run().expect(0);
    inspected.json_lines()[0]["id"].as_str().unwrap().to_string()
}

/// Replaces `db` by a copy of a database, as `compile` would.
pub fn publish(dir: &Path, from: &str) {
    let mut new = tempfile::NamedTempFile::new_in(dir).unwrap();
    new.write_all(&std::fs::read(dir.join(from)).unwrap()).unwrap();
    new.persist(dir.join("db")).unwrap();
}

/// Replaces the database alternately by the two, until `stop`. Returns how often.
pub fn alternate(dir: &Path, stop: &AtomicBool) -> u64 {
    let mut times = 0;
    while !stop.load(Ordering::Relaxed) {
        publish(dir, if times % 2 == 0 { "b" } else { "a" });
        times += 1;
        sleep(OFTEN);
    }
    times
}

/// The databases `a` and `b` of a directory, each with the indicators of `testdata` and a
/// different additional one, and `a` as `db`.
pub fn alike(dir: &Dir) {
    let indicators = project().join("testdata/indicators");
    for name in ["a", "b"] {
        let own = dir.create(&format!("own-{name}.txt"), format!("own-{name}.example\n"));
        compile(dir, name, &[&indicators, &own]);
    }
    publish(dir.path(), "a");
}

fn lines(pipe: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = mpsc::channel();
    let read = move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    };
    thread::Builder::new().name("lines".into()).spawn(read).unwrap();
    receive
}

/// A scan of a pipe.
struct Scan {
    child: Child,
    input: ChildStdin,
    alerts: Receiver<String>,
    messages: Receiver<String>,
}

impl Scan {
    fn start(dir: &Dir, args: &[&str]) -> Scan {
        let mut command = dir.command();
        command.args(["scan", "--db", "db", "--format", "json", "--stats=json"]).args(args);
        let mut child = command.arg("-").start();
        let input = child.stdin.take().unwrap();
        let alerts = lines(child.stdout.take().unwrap());
        let messages = lines(child.stderr.take().unwrap());
        Scan { child, input, alerts, messages }
    }

    fn say(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).unwrap();
    }

    fn alert(&self) -> Value {
        serde_json::from_str(&self.alerts.recv_timeout(LIMIT).expect("an alert")).unwrap()
    }

    #[track_caller]
    fn wait_for(&self, part: &str) {
        let mut read = Vec::new();
        loop {
            let line = self.messages.recv_timeout(LIMIT);
            let Ok(line) = line else { panic!("no {part:?} in {read:#?}") };
            if line.contains(part) {
                return;
            }
            read.push(line);
        }
    }

    fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Ends the input. Returns its alerts and its counts.
    fn end(mut self) -> (Vec<Value>, Value) {
        drop(self.input);
        let alerts = self.alerts.iter().map(|line| serde_json::from_str(&line).unwrap());
        let alerts = alerts.collect();
        let stats = self.messages.iter().filter(|line| line.starts_with('{')).last();
        assert!(self.child.wait().unwrap().code() < Some(2));
        (alerts, serde_json::from_str(&stats.expect("stats")).unwrap())
    }
}

/// Two databases that have one indicator in common, and the identifiers of both.
fn with_common(dir: &Dir) -> BTreeMap<String, &'static str> {
    let ids = ["a", "b"].map(|name| {
        let list =
            dir.create(&format!("{name}.txt"), format!("common.example\nonly-{name}.example\n"));
        (compile(dir, name, &[&list]), name)
    });
    publish(dir.path(), "a");
    ids.into()
}

fn line(number: usize) -> String {
    format!("{number} x.common.example only-a.example only-b.example\n")
}

/// Every line has its common hit, and that of the current database. All hits of a line come from
/// the same database, which they name.
fn assert_exact(alerts: &[Value], count: usize, ids: &BTreeMap<String, &str>) {
    assert_eq!(alerts.len(), 2 * count);
    let mut found = BTreeMap::new();
    for (at, both) in alerts.chunks(2).enumerate() {
        let [common, own] = both else { panic!() };
        assert_eq!((&common["log"]["line"], &own["log"]["line"]), (&json!(at + 1), &json!(at + 1)));
        assert_eq!(common["seen"]["value"], "x.common.example");
        assert_eq!(common["database"], own["database"]);
        let name = ids[own["database"]["id"].as_str().unwrap()];
        assert_eq!(own["seen"]["value"], format!("only-{name}.example"));
        *found.entry(name).or_insert(0) += 1;
    }
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "bounds a loop")]
fn every_line_of_a_pipe_meets_one_database_wholly() {
    let dir = Dir::new("swaps-pipe");
    let ids = with_common(&dir);
    // A pipe is watched by default.
    let mut scan = Scan::start(&dir, &["--watch=0.005", "-j", "2"]);
    let stop = AtomicBool::new(false);
    let (count, published) = thread::scope(|scope| {
        let swapper = scope.spawn(|| alternate(dir.path(), &stop));
        let began = Instant::now();
        let mut count = 0;
        while began.elapsed() < Duration::from_secs(2) {
            let lines: String = (count..count + 40).map(line).collect();
            scan.say(&lines);
            count += 40;
            sleep(Duration::from_millis(2));
        }
        stop.store(true, Ordering::Relaxed);
        (count, swapper.join().unwrap())
    });
    let (alerts, stats) = scan.end();
    let swapped = stats["database"]["swapped"].as_u64().unwrap();
    assert!(swapped >= 10 && swapped <= published, "{swapped} of {published}");
    assert_eq!(stats["database"]["kept"], 0);
    assert_exact(&alerts, count, &ids);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "bounds a loop")]
fn every_line_of_a_file_meets_one_database_wholly() {
    const COUNT: usize = 60_000;
    let dir = Dir::new("swaps-file");
    let ids = with_common(&dir);
    dir.create("log", (0..COUNT).map(line).collect::<String>());
    let args = ["scan", "--db", "db", "--format", "json", "--stats=json", "-j", "2"];
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let swapper = scope.spawn(|| alternate(dir.path(), &stop));
        let began = Instant::now();
        let mut swapped = 0;
        // A single round may be too quick for a swap.
        while swapped < 2 && began.elapsed() < LIMIT {
            let chunks = ["--watch=0.005", "--chunk-size", "4096", "log"];
            let run = dir.command().args(args).args(chunks).run().expect(0);
            let stats: Value = serde_json::from_slice(
                run.stderr.split(|b| *b == b'\n').rfind(|line| line.starts_with(b"{")).unwrap(),
            )
            .unwrap();
            swapped = stats["database"]["swapped"].as_u64().unwrap();
            if swapped > 1 {
                assert_exact(&run.json_lines(), COUNT, &ids);
            }
        }
        // Finite inputs use one database by default.
        let run = dir.command().args(args).arg("log").run().expect(0);
        let alerts = run.json_lines();
        assert!(alerts.iter().all(|alert| alert["database"] == alerts[0]["database"]));
        stop.store(true, Ordering::Relaxed);
        swapper.join().unwrap();
        assert!(swapped > 1);
    });
}

/// Alerts without the database.
fn reported(records: Vec<Value>) -> Vec<Value> {
    let mut records = records;
    for record in &mut records {
        record.as_object_mut().unwrap().remove("database").unwrap();
        record["packet"].as_object_mut().unwrap().remove("path").unwrap();
    }
    records
}

/// The flows of a capture, and hits that wait for the end of their flow, survive swaps.
#[test]
fn a_capture_in_a_pipe_is_reported_the_same_with_swaps_and_without() {
    for name in ["dns_http_tls.pcap", "http_scan.pcap", "mail.pcap"] {
        let dir = Dir::new("swaps-capture");
        alike(&dir);
        let capture = std::fs::read(project().join("testdata/captures").join(name)).unwrap();
        let scan = Scan::start(&dir, &["--no-watch"]);
        (&scan.input).write_all(&capture).unwrap();
        let (want, stats) = scan.end();
        assert_eq!(stats["database"], json!({"swapped": 0, "kept": 0}));
        assert!(want.len() > 1, "{name}");

        let stop = AtomicBool::new(false);
        let scan = Scan::start(&dir, &["--watch=0.005"]);
        thread::scope(|scope| {
            let swapper = scope.spawn(|| alternate(dir.path(), &stop));
            // About a second each.
            let piece = capture.len() / 60 + 1;
            for piece in capture.chunks(piece) {
                (&scan.input).write_all(piece).unwrap();
                sleep(Duration::from_millis(16));
            }
            stop.store(true, Ordering::Relaxed);
            swapper.join().unwrap();
        });
        let (got, stats) = scan.end();
        assert!(stats["database"]["swapped"].as_u64() > Some(5), "{name}: {stats}");
        let ids = |alerts: &[Value]| {
            let ids = alerts.iter().map(|alert| alert["database"]["id"].to_string());
            ids.collect::<std::collections::BTreeSet<String>>().len()
        };
        assert_eq!(ids(&want), 1);
        assert!(name == "http_scan.pcap" || ids(&got) == 2, "{name}: {}", ids(&got));
        assert_eq!(reported(got), reported(want), "{name}");
    }
}

#[test]
fn what_comes_after_a_swap_meets_the_new_database() {
    let dir = Dir::new("swaps-after");
    let ids = with_common(&dir);
    let mut scan = Scan::start(&dir, &["--watch=0.01"]);
    let say = |scan: &mut Scan, name: &str| {
        scan.say(&line(0));
        let (common, own) = (scan.alert(), scan.alert());
        assert_eq!(common["database"], own["database"]);
        assert_eq!(ids[own["database"]["id"].as_str().unwrap()], name);
        assert_eq!(own["seen"]["value"], format!("only-{name}.example"));
    };
    say(&mut scan, "a");
    for name in ["b", "a", "b"] {
        publish(dir.path(), name);
        // From here on no input matches the old one, although the pipe was quiet.
        scan.wait_for(", 2 values");
        say(&mut scan, name);
    }
    let mut bytes = std::fs::read(dir.path().join("a")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(dir.path().join("damaged"), &bytes).unwrap();
    publish(dir.path(), "damaged");
    scan.wait_for("keeping the previous database");
    say(&mut scan, "b");
    std::fs::remove_file(dir.path().join("db")).unwrap();
    scan.wait_for("keeping the previous database");
    say(&mut scan, "b");
    publish(dir.path(), "a");
    scan.wait_for("reloaded the database");
    say(&mut scan, "a");
    let (_, stats) = scan.end();
    assert_eq!(stats["database"], json!({"swapped": 4, "kept": 2}));
}

#[test]
fn a_signal_asks_for_a_look() {
    let dir = Dir::new("swaps-signal");
    with_common(&dir);
    // The check interval is a day.
    let mut scan = Scan::start(&dir, &["--watch=1d"]);
    scan.say(&line(0));
    assert_eq!((scan.alert(), scan.alert()).1["seen"]["value"], "only-a.example");
    scan.signal("HUP");
    scan.wait_for("the database has not changed");
    publish(dir.path(), "b");
    scan.signal("HUP");
    scan.wait_for("reloaded the database");
    scan.say(&line(1));
    assert_eq!((scan.alert(), scan.alert()).1["seen"]["value"], "only-b.example");
    scan.end();
}

/// A flow may last for weeks, and its address may be listed meanwhile.
#[test]
fn flows_that_met_nothing_are_looked_at_again() {
    let dir = Dir::new("swaps-flows");
    let capture = std::fs::read(project().join("testdata/captures/mail.pcap")).unwrap();
    // Addresses of the capture, from its observables.
    let path = project().join("testdata/captures/mail.pcap");
    let seen = dir.command().args(["scan", "--observables"]).arg(&path).run().expect(0);
    let seen = seen.json_lines();
    let flow = seen.iter().find(|one| one["where"] == "ip.dst").unwrap();
    let address = flow["value"].as_str().unwrap();
    let list = dir.create("b.txt", format!("{address}\n"));
    compile(&dir, "b", &[&list]);
    let list = dir.create("a.txt", "nothing.example\n");
    compile(&dir, "a", &[&list]);
    publish(dir.path(), "a");
    let scan = Scan::start(&dir, &["--watch=0.01"]);
    // The header, and the first packets: the flow is open then.
    let cut = 24 + 4 * (16 + 66);
    (&scan.input).write_all(&capture[..cut]).unwrap();
    sleep(Duration::from_millis(100));
    publish(dir.path(), "b");
    scan.wait_for("reloaded the database");
    (&scan.input).write_all(&capture[cut..]).unwrap();
    let (alerts, _) = scan.end();
    let id = flow["packet"]["flow_id"].as_u64().unwrap();
    let of_flow = alerts.iter().filter(|alert| alert["packet"]["flow_id"] == id);
    // Once, however many packets it has.
    assert_eq!(of_flow.count(), 1, "{alerts:#?}");
}
