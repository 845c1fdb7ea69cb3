//! `wiresift run --check`: reports all errors at once, and leaves nothing behind.

use crate::harness::Dir;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use wiresift::sensor::checkpoint::StateDir;

/// A folder with a database and a log.
fn folder(name: &str) -> Dir {
    let dir = Dir::new(name);
    dir.create("list.txt", "evil.example\n");
    dir.create("logs/a.log", "asked for evil.example\n");
    dir.command().args(["compile", "-o", "wiresift.wsdb", "list.txt"]).run().expect(0);
    dir
}

/// A configuration that reads the log and writes to a file; `more` is appended.
fn config(dir: &Dir, more: &str) {
    let text = format!(
        "[daemon]\nmetrics = \"off\"\n{more}\n[[input]]\nkind = \"files\"\npatterns = \
         \"logs/*.log\"\n[[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n"
    );
    dir.create("wiresift.toml", text);
}

/// The names in a folder, in which `check` must leave nothing.
fn names(dir: &Dir) -> Vec<String> {
    let entries = fs::read_dir(dir.path()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_right_is_described_and_nothing_is_left_behind() {
    let dir = folder("check_right");
    config(&dir, "");
    let before = names(&dir);
    let run = dir.command().args(["run", "--check"]).run().expect(0);
    for part in [
        "database: wiresift.wsdb",
        "input files (files): follows logs/*.log",
        "sink file (file): appends json to alerts.json",
        "ok: database: wiresift.wsdb, 1 value, ",
        "ok: input files: 1 file can be read",
        "ok: state: wiresift-state/daemon can be created",
        "wiresift.toml: no problems found",
    ] {
        assert!(run.text().contains(part), "no {part:?}\n{}", run.report());
    }
    assert_eq!(String::from_utf8_lossy(&run.stderr), "");
    assert_eq!(names(&dir), before);
    // Options on the command line affect what would run.
    let run = dir.command().args(["run", "--check", "--no-suppress"]).run().expect(0);
    run.expect_stdout("suppression is off");
}

#[test]
fn patterns_without_a_file_yet_are_no_problem() {
    let dir = folder("check_patterns");
    let text = "[[input]]\nname = \"none\"\nkind = \"files\"\npatterns = [\"remote/**/*.log\", \
                \"logs/*.log\"]\n";
    config(&dir, text);
    let run = dir.command().args(["run", "--check"]).run().expect(0);
    run.expect_stderr("note: input none: remote/**/*.log: no file matches yet")
        .expect_stdout("ok: input none: 1 file can be read");
}

#[test]
fn all_problems_come_at_once_with_their_places() {
    let dir = folder("check_problems");
    let text = "[[input]]\nkind = \"files\"\npatern = \"x\"\n[[sink]]\nkind = \"webhook\"\nurl = \
                \"nowhere\"\n[[feed]]\nname = \"x\"\n";
    dir.create("wiresift.toml", text);
    let run = dir.command().args(["run", "--check"]).run().expect(2);
    assert_eq!(run.text(), "");
    run.expect_stderr("wiresift.toml:3:1: input “files”: unknown key “patern”")
        .expect_stderr("did you mean “patterns”?")
        .expect_stderr("wiresift.toml:6:")
        // The feeds are parsed by another house.
        .expect_stderr("wiresift.toml:7: 0 of url, path and command are set")
        .expect_stderr("problems");
    // A text that is not TOML is reported once.
    dir.create("wiresift.toml", "[[input]\nkind = \"files\"\n");
    let run = dir.command().args(["run", "--check"]).run().expect(2);
    let stderr = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(stderr.matches("wiresift.toml:1").count(), 1, "{stderr}");
    // Without --check it is the same, and nothing runs.
    dir.command().args(["run"]).run().expect(78).expect_stderr("wiresift.toml:1");
}

#[test]
fn each_problem_comes_once_and_a_misspelt_table_hides_no_other() {
    let dir = folder("check_each_once");
    // Both houses read the top of the file.
    dir.create(
        "wiresift.toml",
        "interval = \"soon\"\nstate = 5\n[[inptu]]\nkind = \"files\"\n[[feed]]\nname = \"a\"\nurll = \
         \"https://x.example/\"\nintervall = \"1h\"\n[[feed]]\nname = \"b\"\npath = \"list.txt\"\n\
         confidence = 300\nseverity = \"loud\"\nlifetime = \"long\"\n",
    );
    let run = dir.command().args(["run", "--check"]).run().expect(2);
    let stderr = String::from_utf8_lossy(&run.stderr).into_owned();
    for (part, count) in [
        ("wiresift.toml:1: interval: ", 1),
        ("wiresift.toml:2", 1),
        ("wiresift.toml:3", 1),
        ("unknown key “inptu”", 1),
        ("wiresift.toml:7: unknown field `urll`", 1),
        ("wiresift.toml:8: unknown field `intervall`", 1),
        // It follows from the misspelt key.
        ("url, path and command", 0),
        ("wiresift.toml:12: ", 1),
        ("wiresift.toml:9: severity: unknown value “loud”", 1),
        ("wiresift.toml:9: lifetime: ", 1),
        ("8 problems", 1),
    ] {
        assert_eq!(stderr.matches(part).count(), count, "{part:?} in {stderr}");
    }
    // What is wrong with feeds does not hide what is wrong elsewhere.
    config(&dir, "");
    let text = std::fs::read_to_string(dir.path().join("wiresift.toml")).unwrap();
    let text = text.replace("alerts.json", "no/such/folder/alerts.json");
    dir.create("wiresift.toml", format!("{text}[[feed]]\nname = \"a\"\nurll = \"x\"\n"));
    let run = dir.command().args(["run", "--check"]).run().expect(2);
    run.expect_stderr("unknown field `urll`")
        .expect_stderr("no/such/folder")
        .expect_stderr("2 problems")
        .expect_stdout("ok: database: wiresift.wsdb, 1 value");
    dir.command().args(["run"]).run().expect(78).expect_stderr("unknown field `urll`");
}

#[test]
fn where_the_configuration_is_looked_for() {
    let dir = Dir::new("check_nowhere");
    let run = dir.command().args(["run", "--check"]).run().expect(2);
    run.expect_stderr("no configuration").expect_stderr("/etc/wiresift/wiresift.toml");
    let run = dir.command().args(["run", "--config", "other.toml"]).run().expect(2);
    run.expect_stderr("other.toml").expect_stderr("--setup");
    dir.command().args(["run", "--check", "--once"]).run().expect(2);
    dir.command().args(["run", "--force"]).run().expect(2).expect_stderr("--setup");
}

#[test]
fn what_can_be_opened_is_opened() {
    let dir = folder("check_opened");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (tcp, udp_place) = (tcp.local_addr().map(|at| (tcp, at)).unwrap(), udp.local_addr());
    let free = dir.path().join("free.sock");
    dir.create("empty.key", "\n");
    dir.create("server.pem", "no certificate\n");
    dir.create("server.key", "no key\n");
    config(
        &dir,
        &format!(
            "[[input]]\nkind = \"syslog\"\nlisten = [\"tcp://{}\", \"udp://{}\", \
             \"unix:{}\"]\n[[input]]\nname = \"hec\"\nkind = \"hec\"\nlisten = \
             \"tls://127.0.0.1:0\"\n[[sink]]\nkind = \"splunk\"\nurl = \"http://127.0.0.1:8088\"\n\
             token_file = \"empty.key\"\n",
            tcp.1,
            udp_place.unwrap(),
            free.display()
        )
        .replace(
            "127.0.0.1:0\"\n[[sink]]",
            "127.0.0.1:18443\"\ntoken_env = \"WIRESIFT_TEST_TOKEN\"\ntls_cert = \
             \"server.pem\"\ntls_key = \"server.key\"\n[[sink]]",
        ),
    );
    fs::write(dir.path().join("wiresift.wsdb"), "not a database").unwrap();
    let mut command = dir.command();
    command.args(["run", "--check"]).env("WIRESIFT_TEST_TOKEN", "secret-of-the-test");
    let run = command.run().expect(2);
    let stderr = String::from_utf8_lossy(&run.stderr).into_owned();
    for part in [
        "database: wiresift.wsdb: ",
        &format!("input syslog: cannot listen on tcp://{}", tcp.1),
        "another program is listening on it",
        "input syslog: cannot listen on udp://127.0.0.1:",
        "input hec: server.pem: the file contains no certificate",
        "is empty, or contains control characters",
        "5 problems",
    ] {
        assert!(stderr.contains(part), "no {part:?}\n{}", run.report());
    }
    let is_free = format!("ok: input syslog: unix:{} is free", free.display());
    assert!(run.text().contains(&is_free), "{}", run.report());
    assert!(run.text().contains("ok: hec: the variable WIRESIFT_TEST_TOKEN"), "{}", run.report());
    assert!(!free.exists());
    assert!(!run.report().contains("secret-of-the-test"));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    if rustix::process::geteuid().is_root() {
        // Root can read everything: the rest is the same as for an output folder that doesn't
        // exist.
        return refused_folder();
    }
    let dir = folder("check_refused");
    for number in 0..5 {
        let path = dir.create(&format!("logs/{number}.log"), "x\n");
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    }
    config(&dir, "");
    let run = dir.command().args(["run", "--check"]).run().expect(2);
    run.expect_stderr("input files: logs/0.log: cannot read: permission denied")
        .expect_stderr("2 more files cannot be read")
        .expect_stdout("ok: input files: 1 file can be read");
}

/// A state that can't be a folder.
fn refused_folder() {
    let dir = folder("check_folder");
    config(&dir, "state = \"logs/a.log/below\"");
    let run = dir.command().args(["run", "--check"]).run().expect(2);
    run.expect_stderr("state: logs/a.log: not a folder");
}

#[test]
fn a_service_that_runs_holds_what_it_listens_at() {
    let dir = folder("check_beside");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let place = socket.local_addr().unwrap();
    config(&dir, &format!("[[input]]\nkind = \"syslog\"\nlisten = \"udp://{place}\"\n"));
    dir.command().args(["run", "--check"]).run().expect(2).expect_stderr("another program");
    let state = dir.path().join("wiresift-state/daemon");
    let held = StateDir::open(&state).unwrap();
    assert_eq!(StateDir::holder(&state), Some(std::process::id()));
    let run = dir.command().args(["run", "--check"]).run().expect(0);
    run.expect_stderr(&format!("process {} runs with this state", std::process::id()));
    drop(held);
    assert_eq!(StateDir::holder(&state), None);
    dir.command().args(["run", "--check"]).run().expect(2).expect_stderr("another program");
}

#[test]
fn without_a_database_there_is_a_remedy() {
    let dir = folder("check_without");
    fs::remove_file(dir.path().join("wiresift.wsdb")).unwrap();
    config(&dir, "");
    dir.command().args(["run"]).run().expect(2).expect_stderr("wiresift compile");
    // Feeds would create one at the first start.
    let feed = "[[feed]]\nname = \"own\"\npath = \"list.txt\"\n";
    config(&dir, feed);
    let run = dir.command().args(["run", "--check"]).run().expect(0);
    run.expect_stdout("feed own (list): ")
        .expect_stdout("list.txt, every 30m")
        .expect_stderr("the first start fetches the feeds");
    config(&dir, &format!("update = false\n{feed}"));
    for args in [&["run"][..], &["run", "--check"]] {
        let run = dir.command().args(args).run().expect(2);
        run.expect_stderr("the database does not exist")
            .expect_stderr("wiresift feed update --compile");
    }
    // A feed that can't be fetched creates none, and the start says why.
    config(&dir, "[[feed]]\nname = \"own\"\npath = \"missing.txt\"\n");
    dir.command().args(["run"]).run().expect(2).expect_stderr("own: ");
    dir.command().args(["run", "--check"]).run().expect(2).expect_stderr("feed own: ");
}

#[test]
fn receivers_are_asked_whether_they_are_there() {
    let dir = folder("check_receivers");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let there = listener.local_addr().unwrap();
    // Its port is free again.
    let away = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let socket = dir.path().join("reader.sock");
    let _reader = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    dir.create("token", "secret-of-the-test\n");
    dir.create("hook", format!("http://{there}/secret-of-the-test\n"));
    let sinks = format!(
        "[[sink]]\nkind = \"webhook\"\nname = \"hook\"\nurl_file = \"hook\"\n\
         [[sink]]\nkind = \"splunk\"\nurl = \"http://{away}\"\ntoken_file = \"token\"\n\
         [[sink]]\nkind = \"elasticsearch\"\nname = \"es\"\nurl = \"http://{there}\"\n\
         [[sink]]\nkind = \"syslog\"\nname = \"lines\"\naddress = \"tcp://{there}\"\n\
         [[sink]]\nkind = \"syslog\"\nname = \"udp\"\naddress = \"udp://{there}\"\n\
         [[sink]]\nkind = \"syslog\"\nname = \"tls\"\naddress = \"tls://{there}\"\n\
         [[sink]]\nkind = \"mail\"\nserver = \"{away}\"\ntls = \"never\"\nfrom = \
         \"a@example.org\"\nto = \"b@example.org\"\n\
         [[sink]]\nkind = \"unix\"\npath = \"reader.sock\"\n"
    );
    config(&dir, &format!("{sinks}\n"));
    let began = wiresift::clock::Stopwatch::start();
    // What is away is no problem: alerts wait for it.
    let run = dir.command().args(["run", "--check"]).run().expect(0);
    assert!(began.elapsed() < std::time::Duration::from_secs(30), "{}", run.report());
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    for name in ["hook", "es", "lines"] {
        let part = format!("ok: sink {name}: it answers\n");
        assert!(run.text().contains(&part), "no {part:?}\n{}", run.report());
    }
    assert!(run.text().contains("ok: sink udp: its name resolves"), "{}", run.report());
    assert!(run.text().contains("ok: sink unix: a program listens"), "{}", run.report());
    for name in ["splunk", "mail", "tls"] {
        let part = format!("note: sink {name}: its receiver cannot be reached: ");
        assert!(said.contains(&part), "no {part:?}\n{}", run.report());
    }
    assert!(said.contains("alerts wait in the spool until it can"), "{said}");
    assert!(!run.report().contains("secret-of-the-test"));
}
