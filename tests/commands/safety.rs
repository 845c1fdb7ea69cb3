//! Nothing is destroyed: outputs, signals, databases that are overwritten while they are in use,
//! and names with control characters.

use crate::harness::{Dir, TestCommand, skip};
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};
use wiresift::engine::error::is_harmful;

/// The longest time that anything may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A directory with lists, the database `db` and a log that it has hits in.
fn prepared(name: &str) -> Dir {
    let dir = Dir::new(name);
    dir.create("a.csv", "bad.example\n");
    dir.create("b.csv", "worse.example\n");
    dir.create("log", "GET http://bad.example/ and more of it\n");
    dir.create("keep", "keep\n");
    dir.command().args(["compile", "-q", "-o", "db", "a.csv"]).run().expect(0);
    dir
}

fn read(dir: &Dir, name: &str) -> Vec<u8> {
    fs::read(dir.path().join(name)).unwrap()
}

#[test]
fn what_is_read_or_is_no_database_is_not_written_over() {
    let dir = prepared("safety-inputs");
    fs::create_dir(dir.path().join("feeds")).unwrap();
    dir.create("feeds/c.csv", "third.example\n");
    symlink("a.csv", dir.path().join("link")).unwrap();
    fs::hard_link(dir.path().join("a.csv"), dir.path().join("hard")).unwrap();
    symlink("log", dir.path().join("loglink")).unwrap();
    let also = "the output is also";
    let is_a_list = "is not a wiresift database";
    for (kept, words, args) in [
        ("a.csv", is_a_list, "compile -o a.csv b.csv"),
        ("a.csv", also, "compile -o a.csv a.csv"),
        ("a.csv", also, "compile --force -o a.csv a.csv"),
        ("a.csv", also, "compile --force -o link a.csv"),
        ("a.csv", also, "compile --force -o hard a.csv"),
        ("a.csv", also, "compile --force -o a.csv --allow link b.csv"),
        ("a.csv", also, "compile --force -o a.csv --suppress a.csv b.csv"),
        ("feeds/c.csv", also, "compile --force -o feeds/c.csv feeds"),
        ("a.csv", also, "compile -o new --rejects link a.csv"),
        ("db", "overwrite a database", "compile -o new --rejects db a.csv"),
        ("db", "overwrite a database", "compile -o db --rejects db a.csv"),
        ("keep", is_a_list, "compile -o keep a.csv"),
        ("log", also, "scan --db db log -o log"),
        ("log", also, "scan --db db log -o loglink"),
        ("log", also, "scan --db db loglink -o log"),
        ("log", also, "scan --observables log -o log"),
        ("db", "the output is also the database", "scan --db db log -o db"),
        ("a.csv", also, "scan --db db --allow a.csv log -o a.csv"),
        ("db", "is a wiresift database", "scan --observables log -o db"),
        ("keep", "", "scan --db none log -o keep"),
        ("keep", "", "scan --db db --at bogus log -o keep"),
        ("keep", "", "scan --db db --format bogus log -o keep"),
        ("keep", "", "scan --db keep log -o new"),
        ("db", "the output is also the database", "tap --db db -i lo -o db"),
    ] {
        let before = read(&dir, kept);
        let run = dir.command().args(args.split(' ')).run().expect(2).expect_stderr(words);
        assert_eq!(read(&dir, kept), before, "{args}\n{}", run.report());
        assert!(!dir.path().join("new").exists(), "{args}");
    }
    // Standard input is an input, too.
    let before = read(&dir, "log");
    dir.shell("wiresift scan --db db - < log -o log").run().expect(2).expect_stdout(also);
    dir.shell("wiresift compile -o - a.csv - < a.csv >> a.csv").run().expect(2);
    assert_eq!((read(&dir, "log"), read(&dir, "a.csv")), (before, b"bad.example\n".to_vec()));
    // `--force` overrides it; an empty file may be overwritten.
    dir.create("empty", "");
    dir.command().args(["compile", "-q", "-o", "empty", "a.csv"]).run().expect(0);
    dir.command().args(["compile", "-q", "--force", "-o", "keep", "a.csv"]).run().expect(0);
    for name in ["empty", "keep"] {
        dir.command().args(["verify", name]).run().expect(0);
    }
}

#[test]
fn outputs_go_where_their_links_lead() {
    let dir = prepared("safety-links");
    let at = |name: &str| dir.path().join(name);
    dir.create("target", "");
    symlink("target", at("one")).unwrap();
    symlink(at("one"), at("two")).unwrap();
    symlink("fresh", at("dangling")).unwrap();
    for (link, target) in [("two", "target"), ("dangling", "fresh")] {
        for list in ["a.csv", "b.csv"] {
            dir.command().args(["compile", "-q", "-o", link, list]).run().expect(0);
            assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink(), "{link}");
            let value = if list == "a.csv" { "bad.example" } else { "worse.example" };
            dir.command().args(["lookup", "--db", target, value]).run().expect(0);
        }
    }
    // The same for alerts and rejects, and through a dangling link.
    symlink("alerts", at("to-alerts")).unwrap();
    dir.command().args(["scan", "--db", "db", "log", "-o", "to-alerts"]).run().expect(0);
    assert!(fs::symlink_metadata(at("to-alerts")).unwrap().is_symlink());
    assert_eq!(read(&dir, "alerts").iter().filter(|byte| **byte == b'\n').count(), 1);
}

/// None of these lines could harm the machine: a rename would happen in the directory only.
#[test]
fn descriptors_pipes_and_devices_are_streams() {
    let dir = prepared("safety-streams");
    symlink("/dev/stdout", dir.path().join("out")).unwrap();
    symlink("/dev/null", dir.path().join("null")).unwrap();
    for line in [
        "wiresift compile -q -o - a.csv > got",
        "wiresift compile -q -o - a.csv | cat > got",
        "wiresift compile -q -o out a.csv | cat > got",
        "wiresift compile -q -o out a.csv > got",
        "wiresift compile -q -o /proc/self/fd/3 a.csv 3> got",
        "mkfifo fifo; timeout 20 cat fifo > got & wiresift compile -q -o fifo a.csv; wait",
    ] {
        let _ = fs::remove_file(dir.path().join("got"));
        dir.shell(line).run().expect(0);
        assert_eq!(read(&dir, "got").len(), read(&dir, "db").len(), "{line}");
        dir.command().args(["verify", "got"]).run().expect(0);
    }
    for line in [
        "wiresift scan --db db log -o - > got",
        "wiresift scan --db db log -o out > got",
        "wiresift scan --db db log -o out | cat > got",
        "wiresift scan --db db log -o /proc/self/fd/3 3> got",
        "timeout 20 cat fifo > got & wiresift scan --db db log -o fifo; wait",
    ] {
        dir.shell(line).run().expect(0);
        let text = String::from_utf8(read(&dir, "got")).unwrap();
        assert!(text.starts_with('{') && text.lines().count() == 1, "{line}: {text}");
    }
    dir.create("mixed", "bad.example\nnot a thing !\n");
    let line = "wiresift compile -q -o db2 --rejects - mixed | grep -c '^mixed'";
    dir.shell(line).run().expect(0).expect_stdout("1");
    dir.command().args(["compile", "-q", "-o", "null", "a.csv"]).run().expect(0);
    dir.command().args(["compile", "--json", "-o", "-", "a.csv"]).run().expect(2);
    for name in ["out", "null"] {
        assert!(fs::symlink_metadata(dir.path().join(name)).unwrap().is_symlink(), "{name}");
    }
    assert!(!dir.path().join("-").exists());
}

#[test]
fn a_replaced_database_keeps_owner_and_mode() {
    let dir = prepared("safety-owner");
    let path = dir.path().join("db");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    if chown(&path, Some(12_345), Some(12_346)).is_err() {
        skip("a_replaced_database_keeps_owner_and_mode", "only root gives files away");
    }
    let before = fs::metadata(&path).unwrap();
    dir.command().args(["compile", "-q", "-o", "db", "b.csv"]).run().expect(0);
    let after = fs::metadata(&path).unwrap();
    assert_ne!(before.ino(), after.ino());
    assert_eq!(
        (before.uid(), before.gid(), before.mode()),
        (after.uid(), after.gid(), after.mode())
    );
}

#[test]
fn a_bound_on_files_is_an_error_and_leaves_nothing_half_done() {
    let dir = prepared("safety-limit");
    let list: String = (0..20_000).map(|n| format!("h{n}.bad.example\n")).collect();
    dir.create("big", list);
    let before = read(&dir, "db");
    let line = "ulimit -f 8; wiresift compile -o db big";
    dir.shell(line).run().expect(2).expect_stdout("ulimit -f");
    assert_eq!(read(&dir, "db"), before);
    let line = "ulimit -f 8; wiresift scan --db db big -o alerts";
    dir.shell(line).run().expect(2).expect_stdout("alerts: cannot write: ");
    assert!(read(&dir, "alerts").ends_with(b"}\n"), "a record is cut");
    let names = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<_> = names.filter(|name| name.as_bytes().ends_with(b".part")).collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn a_scan_does_not_read_what_it_writes() {
    let dir = prepared("safety-own");
    dir.create("logs/one", "bad.example\n");
    for line in [
        "wiresift scan --db db --stats=json logs > logs/out",
        "wiresift scan --db db --stats=json logs -o logs/out",
        "cp db logs/db; wiresift scan --db logs/db --stats=json logs -o logs/out",
    ] {
        // The output of the first run must not be read by the second.
        for _ in 0..2 {
            dir.shell(line).run().expect(0);
            assert_eq!(read(&dir, "logs/out").iter().filter(|b| **b == b'\n').count(), 1, "{line}");
        }
        fs::remove_file(dir.path().join("logs/out")).unwrap();
    }
    let line = "wiresift scan --db db log logs/one >> logs/one";
    dir.shell(line).run().expect(2);
    let run = dir.command().args(["scan", "--db", "db", "db", "log"]).run().expect(2);
    run.expect_stderr("the input is also the database").expect_stdout("bad.example");
}

/// A running scan.
struct Scan {
    child: Child,
}

impl Scan {
    fn start(command: &TestCommand) -> Scan {
        Scan { child: command.start() }
    }

    fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Waits for the end. Returns its output and its exit status.
    #[expect(clippy::disallowed_methods, reason = "a deadline for another process")]
    fn end(mut self) -> (String, String, ExitStatus) {
        let (mut out, mut err) =
            (self.child.stdout.take().unwrap(), self.child.stderr.take().unwrap());
        let text = |pipe: &mut dyn std::io::Read| {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        let deadline = Instant::now() + LIMIT;
        thread::scope(|scope| {
            let child = &mut self.child;
            let waiting = scope.spawn(move || {
                loop {
                    if let Some(status) = child.try_wait().unwrap() {
                        return status;
                    }
                    if Instant::now() > deadline {
                        child.kill().unwrap();
                        panic!("it does not end");
                    }
                    sleep(Duration::from_millis(2));
                }
            });
            let texts = (text(&mut out), text(&mut err));
            (texts.0, texts.1, waiting.join().unwrap())
        })
    }
}

/// Waits until a file is not empty.
#[expect(clippy::disallowed_methods, reason = "a deadline for another process")]
fn wait_for_bytes(path: &Path) {
    let deadline = Instant::now() + LIMIT;
    while fs::metadata(path).map_or(0, |found| found.len()) == 0 {
        assert!(Instant::now() < deadline, "nothing came into {}", path.display());
        sleep(Duration::from_millis(2));
    }
}

fn long_log(dir: &Dir) {
    dir.create("long", "GET http://bad.example/x HTTP/1.1 200\n".repeat(400_000));
}

#[test]
fn a_signal_ends_a_scan_with_whole_records_and_counts() {
    let dir = prepared("safety-signals");
    long_log(&dir);
    for (signal, status, threads) in [("TERM", 143, "1"), ("INT", 130, "2"), ("HUP", 129, "2")] {
        let mut command = dir.command();
        command.args(["scan", "--db", "db", "--format", "json", "--stats=json", "-j", threads]);
        let scan = Scan::start(command.args(["-o", "alerts", "long"]));
        wait_for_bytes(&dir.path().join("alerts"));
        scan.signal(signal);
        let (_, messages, ended) = scan.end();
        assert_eq!(ended.code(), Some(status), "{messages}");
        let stats: Value = serde_json::from_str(messages.lines().last().unwrap()).unwrap();
        let alerts = String::from_utf8(read(&dir, "alerts")).unwrap();
        assert!(alerts.ends_with("}\n"));
        let count = alerts.lines().count() as u64;
        assert_eq!(stats["records"], count);
        assert_eq!(stats["lines"], count, "what was read was looked into, and nothing else");
        assert!(count > 0 && count < 400_000);
        fs::remove_file(dir.path().join("alerts")).unwrap();
    }
}

#[test]
fn a_signal_ends_a_scan_that_waits_for_its_input() {
    let dir = prepared("safety-waiting");
    assert!(Command::new("mkfifo").arg(dir.path().join("fifo")).status().unwrap().success());
    for (input, text) in [
        ("-", "a bad.example and\nhalf of a line"),
        ("-", ""),
        ("-", "a b"),
        // Nothing ever opens it.
        ("fifo", ""),
    ] {
        for option in ["--watch=1s", "--watch=1d", "--no-watch"] {
            let mut command = dir.command();
            command.args(["scan", "--db", "db", "--format", "json", "--stats=json", option]);
            let mut scan = Scan::start(command.arg(input));
            let mut stdin = scan.child.stdin.take().unwrap();
            stdin.write_all(text.as_bytes()).unwrap();
            sleep(Duration::from_millis(300));
            scan.signal("TERM");
            let (alerts, messages, ended) = scan.end();
            assert_eq!(ended.code(), Some(143), "{input} {text:?} {option}: {messages}");
            let stats: Value = serde_json::from_str(messages.lines().last().unwrap()).unwrap();
            let hits = text.matches("bad.example").count();
            assert_eq!(alerts.lines().count(), hits, "{input} {text:?}");
            assert_eq!(stats["records"], hits);
            assert_eq!(stats["bytes"], text.len());
            assert_eq!(stats["errors"], 0);
            drop(stdin);
        }
    }
}

#[test]
fn a_signal_ends_a_capture_in_a_pipe_after_what_has_come() {
    let dir = prepared("safety-capture");
    let project = crate::harness::project();
    dir.command()
        .args(["compile", "-q", "--internal", "-o", "db"])
        .arg(project.join("testdata/indicators"))
        .run()
        .expect(0);
    let path = project.join("testdata/captures/dns_http_tls.pcap");
    let args = ["scan", "--db", "db", "--format", "json", "--stats=json"];
    let whole = dir.command().args(args).arg(&path).run().expect(0);
    let mut scan = Scan::start(dir.command().args(args).arg("-"));
    let mut stdin = scan.child.stdin.take().unwrap();
    stdin.write_all(&fs::read(&path).unwrap()).unwrap();
    sleep(Duration::from_millis(500));
    scan.signal("INT");
    let (alerts, messages, ended) = scan.end();
    assert_eq!(ended.code(), Some(130), "{messages}");
    assert_eq!(alerts.lines().count(), whole.json_lines().len());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let dir = prepared("safety-second");
    long_log(&dir);
    let mut command = dir.command();
    // Nothing reads its output.
    let scan = Scan::start(command.args(["scan", "--db", "db", "--format", "json", "long"]));
    sleep(Duration::from_millis(700));
    scan.signal("TERM");
    sleep(Duration::from_millis(300));
    let mut child = scan.child;
    assert!(child.try_wait().unwrap().is_none(), "it waits for its reader");
    let line = format!("kill -TERM {}", child.id());
    assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    let mut status = None;
    for _ in 0..100 {
        status = child.try_wait().unwrap();
        if status.is_some() {
            break;
        }
        sleep(Duration::from_millis(20));
    }
    assert_eq!(status.and_then(|status| status.code()), Some(143));
}

#[test]
fn the_file_of_a_service_is_opened_again_when_it_was_renamed() {
    let dir = prepared("safety-rotation");
    let mut command = dir.command();
    command.args(["scan", "--db", "db", "--format", "zeek", "-o", "alerts", "-"]);
    let mut scan = Scan::start(&command);
    let mut stdin = scan.child.stdin.take().unwrap();
    let mut say = || stdin.write_all(b"GET http://bad.example/ and so on\n").unwrap();
    say();
    wait_for_bytes(&dir.path().join("alerts"));
    sleep(Duration::from_millis(300));
    // SIGUSR1 is a request in many services, and must not end the scan.
    scan.signal("USR1");
    Command::new("mv").arg("alerts").arg("alerts.1").current_dir(dir.path()).status().unwrap();
    scan.signal("HUP");
    wait_for_bytes(&dir.path().join("alerts"));
    say();
    say();
    sleep(Duration::from_millis(300));
    scan.signal("TERM");
    let (_, messages, ended) = scan.end();
    assert_eq!(ended.code(), Some(143), "{messages}");
    for (name, count) in [("alerts.1", 1), ("alerts", 2)] {
        let text = String::from_utf8(read(&dir, name)).unwrap();
        assert!(text.starts_with("#separator") && text.contains("\n#close"), "{name}: {text}");
        assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), count, "{name}");
    }
}

/// A database with many indicators, a log that contains all of them, and another database of the
/// same size.
fn with_many(name: &str) -> Dir {
    let dir = Dir::new(name);
    for (name, end) in [("one", "aaa"), ("two", "bbb")] {
        let list: String = (0..6_000).map(|n| format!("h{n}.bad{n}.{end}.example\n")).collect();
        let list = dir.create(&format!("{name}.txt"), list);
        let mut command = dir.command();
        command.args(["compile", "-q", "--feed", "list", "-o", name]).arg(list).run().expect(0);
    }
    fs::copy(dir.path().join("one"), dir.path().join("db")).unwrap();
    dir
}

/// Scans the log of a directory [`with_many`], and runs a shell line during the scan. Returns
/// messages, and the exit status.
fn scan_while(dir: &Dir, line: &str) -> (String, ExitStatus) {
    fs::copy(dir.path().join("one"), dir.path().join("db")).unwrap();
    let mut command = dir.command();
    command.args(["scan", "--db", "db", "--format", "json", "-o", "alerts", "log"]);
    let scan = Scan::start(&command);
    wait_for_bytes(&dir.path().join("alerts"));
    scan.signal("STOP");
    dir.shell(line).run().expect(0);
    scan.signal("CONT");
    let (_, messages, ended) = scan.end();
    (messages, ended)
}

#[test]
fn a_database_overwritten_during_a_scan_is_reported() {
    let dir = with_many("safety-in-place");
    let log = fs::read_to_string(dir.path().join("one.txt")).unwrap().repeat(4);
    // Long enough that the scan is still running when its first alerts are seen, even on a busy
    // machine.
    dir.create("log", log + &"GET h1.good.example and so on\n".repeat(1_000_000));
    for line in [
        ": > db",
        "head -c 5000 one > db",
        "cat two > db",
        "dd if=two of=db conv=notrunc",
        "dd if=/dev/zero of=db bs=16k count=2 conv=notrunc; touch -r one db",
        "touch -r db t; dd if=/dev/zero of=db bs=16k count=2 conv=notrunc; touch -r t db",
    ] {
        let (messages, ended) = scan_while(&dir, line);
        assert_eq!(ended.code(), Some(2), "{line}: {messages}");
        assert!(messages.contains("written to while it was in use"), "{line}: {messages}");
        fs::remove_file(dir.path().join("alerts")).unwrap();
    }
    // Replacing it by a newer one is no damage, and neither is another name, owner or mode.
    for line in ["cp two new; mv new db", "rm db", "ln db other; rm other; chmod 600 db"] {
        let (messages, ended) = scan_while(&dir, line);
        assert_eq!((ended.code(), &*messages), (Some(0), ""), "{line}");
        assert_eq!(read(&dir, "alerts").iter().filter(|b| **b == b'\n').count(), 24_000, "{line}");
        fs::remove_file(dir.path().join("alerts")).unwrap();
    }
}

#[test]
fn a_pipe_goes_on_with_the_database_that_it_has() {
    let dir = with_many("safety-pipe");
    let lines = fs::read_to_string(dir.path().join("one.txt")).unwrap();
    for line in [": > db", "head -c 5000 one > db", "dd if=/dev/zero of=db count=9 conv=notrunc"] {
        fs::copy(dir.path().join("one"), dir.path().join("db")).unwrap();
        let mut command = dir.command();
        command.args([
            "scan",
            "--db",
            "db",
            "--format",
            "json",
            "-o",
            "alerts",
            "--watch=0.01",
            "-",
        ]);
        let mut scan = Scan::start(&command);
        let mut stdin = scan.child.stdin.take().unwrap();
        stdin.write_all(b"GET h1.bad1.aaa.example and so on\n").unwrap();
        wait_for_bytes(&dir.path().join("alerts"));
        dir.shell(line).run().expect(0);
        sleep(Duration::from_millis(200));
        stdin.write_all(lines.as_bytes()).unwrap();
        drop(stdin);
        let (_, messages, ended) = scan.end();
        assert_eq!(ended.code(), Some(0), "{line}: {messages}");
        assert!(messages.contains("keeping the previous database"), "{line}: {messages}");
        assert_eq!(read(&dir, "alerts").iter().filter(|b| **b == b'\n').count(), 6_001, "{line}");
        fs::remove_file(dir.path().join("alerts")).unwrap();
    }
}

#[test]
fn a_long_lookup_goes_on_with_the_database_that_it_has() {
    let dir = with_many("safety-lookup");
    let mut child = dir.command().args(["lookup", "--db", "db", "-"]).start();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for number in 0..1000 {
        writeln!(stdin, "h{number}.bad{number}.aaa.example").unwrap();
        let answer = answers.find(|line| !line.as_ref().unwrap().starts_with(' '));
        assert!(answer.unwrap().unwrap().ends_with(": matches"), "{number}");
        if number == 10 {
            fs::write(dir.path().join("db"), "").unwrap();
        }
    }
    drop(stdin);
    assert_eq!(answers.filter(|line| line.is_err()).count(), 0);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn names_do_not_steer_the_terminal() {
    let dir = prepared("safety-names");
    let names: [&[u8]; 6] = [
        b"x\x1b]0;title\x07\x1b[2J.pcap",
        b"a\nwiresift: all is well",
        b"c1\xc2\x9b31m",
        "turned\u{202e}gnp.exe\u{2066}\u{200f}\u{2028}".as_bytes(),
        b"\xff\xfe.log",
        b"--\x1b[31mflag",
    ];
    fs::create_dir(dir.path().join("logs")).unwrap();
    for name in names {
        let path = dir.path().join("logs").join(std::ffi::OsStr::from_bytes(name));
        // A truncated capture, so that there is something to report.
        let mut capture = crate::harness::raw_ip_capture(std::iter::empty());
        capture.extend(b"cut");
        fs::write(path, capture).unwrap();
    }
    let os = |name: &[u8]| std::ffi::OsStr::from_bytes(name).to_owned();
    let mut runs = vec![
        dir.command().args(["scan", "--db", "db", "logs"]).run().expect(2),
        dir.command().args(["compile", "-o", "db2", "logs"]).run().expect(2),
    ];
    for name in names {
        for args in [
            &["scan", "--db", "db"][..],
            &["compile", "-o", "db2"],
            &["verify"],
            &["inspect"],
            &["lookup", "bad.example", "--db"],
            &["scan", "log", "--db"],
            &["scan", "--db", "db", "log", "-o", "absent/"],
            &["feed", "list", "--config"],
        ] {
            let mut command = dir.command();
            runs.push(command.args(args).arg(os(name)).run());
        }
    }
    for run in runs {
        for stream in [&run.stdout, &run.stderr] {
            let text = std::str::from_utf8(stream).unwrap_or_else(|_| panic!("{}", run.report()));
            let is_harmful = |char: char| char != '\n' && is_harmful(char);
            assert!(!text.chars().any(is_harmful), "{text:?}");
            assert!(!text.contains("\nwiresift: all is well"), "{text:?}");
        }
    }
    // Two files must never have the same name.
    dir.create("two/x", "");
    for name in [&b"\xff.log"[..], b"\xfe.log"] {
        fs::write(dir.path().join("two").join(os(name)), "bad.example\n").unwrap();
    }
    let alerts = dir.command().args(["scan", "--db", "db", "--format", "json", "two"]).run();
    let alerts = alerts.expect(0).json_lines();
    assert_eq!(alerts[0]["log"]["path"], "two/\\xfe.log");
    assert_eq!(alerts[1]["log"]["path"], "two/\\xff.log");
}

/// A walk finds the output among the inputs, under any name: a log that is an input is not
/// truncated.
#[test]
fn an_output_that_a_walk_finds_is_kept() {
    let dir = prepared("safety-walked-output");
    let log = "GET http://bad.example/x\n";
    fs::create_dir(dir.path().join("logs")).unwrap();
    dir.create("log", log);
    symlink("../log", dir.path().join("logs/link")).unwrap();
    fs::hard_link(dir.path().join("log"), dir.path().join("hard")).unwrap();
    symlink("logs/link", dir.path().join("far")).unwrap();
    let before = fs::read(dir.path().join("log")).unwrap();
    for (input, output) in [
        (".", "log"),
        (".", "./log"),
        (".", "far"),
        ("l*", "log"),
        ("l?g", "hard"),
        ("logs", "log"),
        ("logs", "hard"),
        ("./logs/../logs", "far"),
    ] {
        for more in ["--json", "--format=text", "-c", "-l", "--observables"] {
            let mut command = dir.command();
            let db: &[_] = if more == "--observables" { &[] } else { &["--db", "db"] };
            command.arg("scan").args(db).args([more, input, "-o", output]);
            command.run().expect(2).expect_stderr("the output is also an input");
            assert_eq!(read(&dir, "log"), before, "{input} {output} {more}");
        }
    }
    // It is not read if it is excluded.
    let mut command = dir.command();
    command.args(["scan", "--db", "db", "logs", "a.csv", "-o", "log", "--exclude", "link"]);
    command.run().expect(0);
}

/// The output of a previous scan is not an input of the next one, and is overwritten.
#[test]
fn an_output_of_the_scan_before_is_replaced() {
    let dir = prepared("safety-own-output");
    dir.create("logs/one", "GET http://bad.example/x\n");
    dir.create("logs/two", "GET http://bad.example/x\n");
    let formats =
        wiresift::engine::alert::Format::ALL.iter().map(|it| format!("--format={}", it.name()));
    let others = ["-c", "-l", "--observables"].map(String::from);
    for more in formats.chain(others) {
        let mut sizes = Vec::new();
        for _ in 0..2 {
            let mut command = dir.command();
            let is_alone = more == "--observables";
            let db: &[_] = if is_alone { &[] } else { &["--db", "db", "--at=2026-11-24"] };
            command.arg("scan").args(db).args([&more, "logs", "-o", "logs/out"]);
            command.run().expect(0);
            sizes.push(read(&dir, "logs/out").iter().filter(|byte| **byte == b'\n').count());
        }
        assert_eq!(sizes[0], sizes[1], "{more}");
        fs::remove_file(dir.path().join("logs/out")).unwrap();
    }
}

/// Nothing reads the output: a signal ends the scan nevertheless, soon, and the output consists
/// of complete records.
#[test]
#[expect(clippy::disallowed_methods, reason = "how long another process takes")]
fn a_signal_ends_a_scan_whose_output_is_not_read() {
    let dir = prepared("safety-unread");
    long_log(&dir);
    dir.create("wide", format!("http://bad.example/{}\n", "x".repeat(9_000)).repeat(4_000));
    assert!(Command::new("mkfifo").arg(dir.path().join("fifo")).status().unwrap().success());
    for (input, to_fifo, signal, status) in [
        ("long", false, "TERM", 143),
        ("long", false, "INT", 130),
        ("long", true, "TERM", 143),
        ("wide", false, "HUP", 129),
        ("-", false, "TERM", 143),
    ] {
        let mut command = dir.command();
        command.args(["scan", "--db", "db", "--json", "--stats=json", input]);
        let fifo = to_fifo.then(|| {
            command.args(["-o", "fifo"]);
            let mut both = fs::OpenOptions::new();
            both.read(true).write(true).open(dir.path().join("fifo")).unwrap()
        });
        let mut scan = Scan::start(&command);
        let mut stdin = scan.child.stdin.take().unwrap();
        let text = read(&dir, "long");
        thread::scope(|scope| {
            scope.spawn(move || input == "-" && stdin.write_all(&text).is_ok());
            sleep(Duration::from_millis(700));
            scan.signal(signal);
            let begun = Instant::now();
            while scan.child.try_wait().unwrap().is_none() && begun.elapsed() < LIMIT {
                sleep(Duration::from_millis(10));
            }
            assert!(begun.elapsed() < Duration::from_secs(8), "{input} {signal}");
        });
        let (alerts, messages, ended) = scan.end();
        assert_eq!(ended.code(), Some(status), "{messages}");
        let stats: Value = serde_json::from_str(messages.lines().last().unwrap()).unwrap();
        assert!(messages.contains("the reader stopped reading"), "{messages}");
        if fifo.is_none() {
            assert!(alerts.ends_with("}\n"), "a record is cut");
            assert_eq!(stats["records"], alerts.lines().count(), "{messages}");
        }
    }
}

/// A slow reader gets everything, and the same bytes as in a file.
#[test]
fn a_slow_reader_gets_everything() {
    let dir = prepared("safety-slow");
    let text = format!("http://bad.example/{}\n", "x".repeat(5_000)).repeat(40)
        + &"GET http://bad.example/\n".repeat(2_000);
    dir.create("mixed", text);
    for format in ["json", "text"] {
        let line = format!(
            "wiresift scan --db db --at 2026-11-24 --format {format} mixed -o whole &&
             wiresift scan --db db --at 2026-11-24 --format {format} mixed | (sleep 1; cat) > got &&
             sed s/read_at[^,]*// whole > a; sed s/read_at[^,]*// got > b; wc -l < a; wc -l < b"
        );
        let run = dir.shell(&line).run().expect(0);
        let lines: Vec<_> = run.text().lines().map(str::to_string).collect();
        assert_eq!(lines[0], lines[1], "{}", run.report());
    }
}

/// A full disk ends a scan with an error, and with the counts so far.
#[test]
fn an_output_that_cannot_be_written_is_reported_with_counts() {
    let dir = prepared("safety-full");
    let lines = "GET http://bad.example/x\n".repeat(500);
    dir.create("lines", &lines);
    for line in [
        "wiresift scan --db db --stats=json lines > /dev/full",
        "wiresift scan --db db --stats=json lines -o /dev/full",
        "cat lines | wiresift scan --db db --stats=json - > /dev/full",
        "cat lines | wiresift scan --db db --stats=json -o /dev/full -",
        "wiresift scan --stats=json --observables lines -o /dev/full",
        "ulimit -f 8; cat lines | wiresift scan --db db --stats=json -o out -",
    ] {
        let run = dir.shell(&format!("exec 2> messages\n{line}")).run().expect(2);
        let messages = String::from_utf8(read(&dir, "messages")).unwrap();
        assert!(messages.contains("cannot write: "), "{line}: {messages}");
        assert!(messages.contains("that could not be written"), "{line}: {messages}");
        let stats: Value = serde_json::from_str(messages.lines().last().unwrap()).unwrap();
        let written = fs::read(dir.path().join("out")).unwrap_or_default();
        let written = written.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(stats["records"], written, "{line}: {messages}\n{}", run.report());
        assert_eq!(stats["errors"], 1, "{line}");
    }
    let line = "cat lines | wiresift scan --db db --stats --summary -o /dev/full - 2>&1";
    let run = dir.shell(line).run().expect(2);
    run.expect_stdout("read ").expect_stdout("bad.example").expect_stdout("written");
}

/// Signals that were ignored when the process was started stay ignored.
#[test]
fn ignored_signals_stay_ignored() {
    let dir = prepared("safety-ignored");
    for (name, status) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let mut command =
            dir.shell(&format!("trap '' {name}; exec wiresift scan --db db --json --no-watch -"));
        let mut scan = Scan::start(&command);
        let mut stdin = scan.child.stdin.take().unwrap();
        stdin.write_all(b"bad.example\n").unwrap();
        sleep(Duration::from_millis(400));
        scan.signal(name);
        sleep(Duration::from_millis(200));
        stdin.write_all(b"bad.example\n").unwrap();
        drop(stdin);
        let (alerts, messages, ended) = scan.end();
        assert_eq!(ended.code(), Some(0), "{name}: {messages}");
        assert_eq!(alerts.lines().filter(|line| line.starts_with('{')).count(), 2);
        // Otherwise it ends the scan.
        command = dir.command();
        command.args(["scan", "--db", "db", "--no-watch", "-"]);
        let scan = Scan::start(&command);
        sleep(Duration::from_millis(400));
        scan.signal(name);
        let (_, messages, ended) = scan.end();
        assert_eq!(ended.code(), Some(status), "{name}: {messages}");
    }
}

/// The exit status with `--quiet` and `--max-count` does not depend on which thread was first.
#[test]
fn what_ends_early_does_so_in_the_same_way() {
    let dir = prepared("safety-early");
    let project = crate::harness::project();
    let capture = fs::read(project.join("testdata/captures/dns_http_tls.pcap")).unwrap();
    dir.create("cut.pcap", &capture[..capture.len() - 7]);
    dir.create("long", "2026-11-24T00:00:00Z GET http://bad.example/x\n".repeat(6_000));
    let indicators = project.join("testdata/indicators");
    dir.command()
        .args(["compile", "-q", "--internal", "-o", "db2"])
        .arg(&indicators)
        .run()
        .expect(0);
    dir.shell("gzip -k long; head -c 900 long.gz > cut.gz").run().expect(0);
    let db = |name: &'static str| ["scan", "--db", name, "--format=json", "--at=2026-11-24"];
    for (arguments, status) in [
        (&["-q", "cut.pcap"][..], 2),
        (&["-m", "2", "-c", "cut.pcap"], 2),
        (&["-m", "2", "-c", "--chunk-size=64K", "long", "cut.pcap"], 2),
        (&["-l", "long", "long.gz", "cut.gz"], 0),
        (&["-m", "1", "long", "cut.gz", "long.gz"], 0),
    ] {
        let db = if arguments.contains(&"cut.pcap") { db("db2") } else { db("db") };
        let mut first = None;
        for round in 0..12 {
            let threads = (round % 8 + 1).to_string();
            let mut command = dir.command();
            command.args(db).args(arguments).args(["-j", &threads]);
            let run = command.run().expect(status);
            let said = (run.text(), String::from_utf8_lossy(&run.stderr).into_owned());
            assert_eq!(first.get_or_insert_with(|| said.clone()), &said, "{arguments:?} {threads}");
        }
    }
}
