//! Paths that lead to something unusual: devices, pipes, sockets, links, files that others use, too.

use super::{Daemon, Post, each_once, number, wait_for};
use crate::harness::missing;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;

const INPUT: &str = "[suppress]\nenabled = false\n\n[[input]]\nkind = \"files\"\n\
                     patterns = \"logs/*.log\"\n\n";

fn sink(name: &str, path: &str, more: &str) -> String {
    format!("[[sink]]\nkind = \"file\"\nname = \"{name}\"\npath = \"{path}\"\n{more}\n")
}

#[test]
fn devices_take_alerts_and_keep_none() {
    let post = Post::new("run-null");
    let file = sink("out", "alerts.json", "");
    let with = |name: &str| format!("{INPUT}{}{file}", sink(name, "/dev/null", ""));
    post.configure(&with("null"));
    post.command(&["--check"]).run().expect(0).expect_stdout("sink null: /dev/null can be written");
    let mut log = post.log("a.log");
    let daemon = post.start();
    log.write(0..10);
    post.expect_once("alerts.json", 10);
    let taken =
        |name: &str| daemon.metric(&format!("wiresift_sink_records_total{{sink=\"{name}\"}}"));
    wait_for("the device has them", || taken("null") == 10.0);
    // The same device under another name.
    post.configure(&with("other"));
    daemon.reload("loaded");
    log.write(10..20);
    post.expect_once("alerts.json", 20);
    wait_for("the device goes on", || taken("other") == 10.0);
    daemon.stop();
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    // What is written to a descriptor goes there.
    post.configure(&format!("{INPUT}{}", sink("out", "/dev/stdout", "")));
    log.write(20..25);
    let run = post.once().expect(0);
    assert_eq!(
        run.json_lines().iter().filter_map(number).collect::<Vec<_>>(),
        [20, 21, 22, 23, 24]
    );
    // A device can't be rotated.
    post.configure(&format!("{INPUT}{}", sink("out", "/dev/null", "rotate_size = \"1M\"")));
    post.once().expect(2).expect_stderr("“out”").expect_stderr("rotate_size");
}

#[test]
fn pipes_and_sockets_are_no_files_for_alerts() {
    let test = "pipes_and_sockets_are_no_files_for_alerts";
    let post = Post::new("run-pipe");
    match Command::new("mkfifo").arg(post.path("pipe")).status() {
        Ok(status) if status.success() => {}
        _ => return missing(test, "there is no mkfifo"),
    }
    let _listener = UnixListener::bind(post.path("socket")).unwrap();
    for (path, what) in [("pipe", "a named pipe"), ("socket", "a socket")] {
        post.configure(&format!("{INPUT}{}", sink("out", path, "")));
        for (args, code) in [(&[][..], 78), (&["--check"], 2)] {
            let run = post.command(args).run().expect(code);
            run.expect_stderr("wiresift.toml:")
                .expect_stderr(&format!("is {what}, which cannot keep alerts"))
                .expect_stderr("kind = \"stdout\"");
        }
    }
}

#[test]
fn an_eve_socket_whose_place_is_taken_is_explained() {
    let post = Post::new("run-eve-taken");
    let eve = "[[input]]\nkind = \"eve\"\npath = \"eve.sock\"\n\n";
    post.configure(&format!("{eve}{}", sink("out", "alerts.json", "")));
    post.dir.create("eve.sock", "an EVE log of yesterday\n");
    for args in [&[][..], &["--check"]] {
        let run = post.command(args).run().expect(2);
        run.expect_stderr("eve.sock: ")
            .expect_stderr("cannot create a socket: a regular file is in its place")
            .expect_stderr("move it away");
    }
    let kept = fs::read_to_string(post.path("eve.sock")).unwrap();
    assert_eq!(kept, "an EVE log of yesterday\n");
}

#[test]
fn a_socket_that_is_removed_is_there_again() {
    let post = Post::new("run-eve-removed");
    let datagrams = post.path("log.sock");
    let inputs = format!(
        "[suppress]\nenabled = false\n\n[[input]]\nkind = \"eve\"\npath = \"eve.sock\"\n\n\
         [[input]]\nkind = \"syslog\"\nlisten = \"unix-datagram:{}\"\n\n",
        datagrams.display()
    );
    post.configure(&format!("{inputs}{}", sink("out", "alerts.json", "")));
    let daemon = post.start();
    for path in [post.path("eve.sock"), datagrams.clone()] {
        fs::remove_file(&path).unwrap();
        wait_for("it is there again", || path.exists());
    }
    for input in ["eve", "syslog"] {
        let restored = format!("wiresift_sockets_restored_total{{input=\"{input}\"}}");
        wait_for("it is counted", || daemon.metric(&restored) == 1.0);
        daemon.wait_said(&format!("input “{input}”: "));
    }
    let mut stream = UnixStream::connect(post.path("eve.sock")).unwrap();
    writeln!(stream, "{{\"dns\":{{\"rrname\":\"www.evil.example\"}}}}").unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    sender.send_to(b"<13>Nov 29 10:00:00 web1 app: 1 www.evil.example", &datagrams).unwrap();
    wait_for("both are there", || post.alerts("alerts.json").len() == 2);
    assert_eq!(daemon.status()["state"], "running");
    // A folder that is gone: the status says so until it is back.
    let said = daemon.stop();
    assert_eq!(said.matches("eve.sock: the socket was removed").count(), 1, "{said}");
    assert!(!post.path("eve.sock").exists() && !datagrams.exists());
}

/// Writes to a file as another program does.
fn others(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// The numbers in a file that also has lines of another program.
fn numbers(post: &Post) -> Vec<u64> {
    let text = fs::read_to_string(post.path("alerts.json")).unwrap();
    let alerts = text.lines().filter_map(|line| serde_json::from_str(line).ok());
    alerts.filter_map(|alert: serde_json::Value| number(&alert)).collect()
}

#[test]
fn what_others_write_to_the_file_of_a_removed_sink_stays() {
    let post = Post::new("run-reload-others");
    let path = post.path("alerts.json");
    let other = sink("other", "other.json", "");
    let both = format!("{INPUT}{}{other}", sink("out", "alerts.json", ""));
    let without = format!("{INPUT}{other}");
    post.configure(&both);
    let mut log = post.log("a.log");
    let daemon = post.start();
    log.write(0..10);
    post.expect_once("alerts.json", 10);
    for round in 1..4 {
        post.configure(&without);
        daemon.reload("loaded");
        others(&path, &format!("theirs {round}\n"));
        post.configure(&both);
        daemon.reload("loaded");
        log.write(10 * round..10 * round + 10);
        wait_for("it goes on", || numbers(&post).len() as u64 == 10 * round + 10);
    }
    daemon.wait_said("alerts.json: another program has written");
    // The same while it doesn't run.
    daemon.stop();
    others(&path, "theirs 4\n");
    log.write(40..50);
    post.once().expect(0);
    each_once(&super::counts(numbers(&post).into_iter()), 50);
    let text = fs::read_to_string(&path).unwrap();
    let theirs: Vec<&str> = text.lines().filter(|line| line.starts_with("theirs")).collect();
    assert_eq!(theirs, ["theirs 1", "theirs 2", "theirs 3", "theirs 4"]);
}

#[test]
fn what_others_write_while_it_runs_costs_no_alert() {
    let post = Post::new("run-others");
    let path = post.path("alerts.json");
    post.configure(&format!("{INPUT}{}", sink("out", "alerts.json", "")));
    let mut log = post.log("a.log");
    let mut next = 0;
    for round in 0..3 {
        let daemon = post.start();
        for _ in 0..5 {
            log.write(next..next + 20);
            next += 20;
            wait_for("they are there", || {
                let numbers: std::collections::BTreeSet<u64> = numbers(&post).into_iter().collect();
                numbers.len() as u64 == next
            });
            others(&path, &format!("theirs {round}\n"));
        }
        daemon.wait_said("another program writes to it, too");
        // What was written before the last commit is safe.
        std::thread::sleep(std::time::Duration::from_millis(500));
        daemon.kill();
    }
    post.once();
    // At least once: what is in no commit when it is killed comes again.
    let counts = super::counts(numbers(&post).into_iter());
    assert_eq!(counts.len() as u64, next);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("theirs")).count(), 15);
}

#[test]
fn alerts_that_are_truncated_by_others_hold_up_nothing() {
    let post = Post::new("run-truncated");
    post.configure(&format!("{INPUT}{}", sink("out", "alerts.json", "")));
    let mut log = post.log("a.log");
    let daemon = post.start();
    log.write(0..50);
    post.expect_once("alerts.json", 50);
    // As logrotate does with copytruncate.
    fs::copy(post.path("alerts.json"), post.path("alerts.json.1")).unwrap();
    OpenOptions::new().write(true).open(post.path("alerts.json")).unwrap().set_len(0).unwrap();
    log.write(50..60);
    wait_for("it goes on", || numbers(&post).len() == 10);
    daemon.wait_said("another program has truncated it");
    daemon.stop();
    log.write(60..70);
    post.once().expect(0);
    assert_eq!(numbers(&post), (50..70).collect::<Vec<u64>>());
}

fn count(daemon: &Daemon, part: &str) -> usize {
    daemon.said().matches(part).count()
}

#[test]
fn its_own_alerts_are_never_read_whatever_leads_to_them() {
    let post = Post::new("run-own");
    let files = "[suppress]\nenabled = false\n\n[[input]]\nkind = \"files\"\npatterns = \
                 [\"logs/*.log\", \"logs/state/**\"]\npoll = \"200ms\"\n\n";
    post.configure(&format!("{files}{}", sink("out", "alerts.json", "")));
    symlink("../alerts.json", post.path("logs/link.log")).unwrap();
    symlink("../state", post.path("logs/state")).unwrap();
    let mut log = post.log("a.log");
    let daemon = post.start();
    fs::hard_link(post.path("alerts.json"), post.path("logs/hard.log")).unwrap();
    for round in 0..5 {
        log.write(10 * round..10 * round + 10);
        post.expect_once("alerts.json", 10 * round + 10);
    }
    daemon.wait_said("this process writes it");
    // Three looks of the slowest round.
    std::thread::sleep(std::time::Duration::from_secs(3));
    post.expect_once("alerts.json", 50);
    let said = count(&daemon, "this process writes it");
    assert!((1..=2).contains(&said), "once for each output: {}", daemon.said());
    daemon.stop();
    post.once().expect(1);
    post.expect_once("alerts.json", 50);
}
