//! Problems around the process: full disks, too few descriptors, damaged state, clocks.

use super::{Daemon, Dice, Post, number, records, wait_for};
use crate::harness::{Code, missing, skip};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const FILES: &str = "[suppress]\nenabled = false\n\n[[input]]\nkind = \"files\"\n\
                     patterns = \"logs/*.log\"\n\n";

/// Whether this process may create a namespace with its own disk; if not, says so loudly.
fn has_namespaces(test: &str) -> bool {
    let probe = Command::new("unshare").args(["-rm", "true"]).output();
    match probe {
        Err(_) => missing(test, "there is no unshare"),
        Ok(probe) if !probe.status.success() => skip(test, "namespaces are not allowed here"),
        Ok(_) => return true,
    }
    false
}

/// Starts it with a small disk at `disk`, most of which is already used; also returns where the
/// disk is visible from here.
fn start_on_full_disk(post: &Post, free: &str) -> (Daemon, PathBuf) {
    fs::create_dir(post.path("disk")).unwrap();
    let line = format!(
        "mount -t tmpfs -o size=2m none disk && head -c $((2097152 - {free})) /dev/zero > disk/other; \
         exec \"$@\""
    );
    let mut command = post.command(&[]);
    command.wrapped_in("unshare", &["-rm", "sh", "-c", &line, "sh"]);
    let mut daemon = post.launch(&command);
    daemon.wait_ready();
    // `sh` and `unshare` were replaced by it.
    let root = format!("/proc/{}/root{}/disk", daemon.id(), post.dir.path().display());
    (daemon, root.into())
}

#[test]
fn a_full_disk_for_alerts_stops_reading_and_loses_none() {
    let test = "a_full_disk_for_alerts_stops_reading_and_loses_none";
    if !has_namespaces(test) {
        return;
    }
    let post = Post::new("run-full-alerts");
    post.configure(&format!("{FILES}[[sink]]\nkind = \"file\"\npath = \"disk/alerts.json\"\n"));
    let (daemon, disk) = start_on_full_disk(&post, "65536");
    let mut log = post.log("a.log");
    log.write(0..1000);
    daemon.wait_said("No space left on device");
    let written = records(&disk.join("alerts.json")).len();
    assert!(written < 1000, "{written}");
    assert_eq!(daemon.get("/-/healthy").0, 200);
    fs::remove_file(disk.join("other")).unwrap();
    daemon.wait_said("none lost");
    wait_for("all are written", || records(&disk.join("alerts.json")).len() == 1000);
    log.write(1000..1010);
    wait_for("it goes on", || records(&disk.join("alerts.json")).len() == 1010);
    let alerts = records(&disk.join("alerts.json"));
    super::each_once(&super::counts(alerts.iter().filter_map(super::number)), 1010);
    daemon.stop();
}

#[test]
fn a_full_disk_for_the_state_is_waited_for() {
    let test = "a_full_disk_for_the_state_is_waited_for";
    if !has_namespaces(test) {
        return;
    }
    let post = Post::new("run-full-state");
    post.configure_all(
        "",
        "state = \"disk/daemon\"",
        &format!("{FILES}[[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n"),
    );
    let (daemon, disk) = start_on_full_disk(&post, "262144");
    fs::write(disk.join("more"), vec![0; 2 << 20]).unwrap_err();
    let mut log = post.log("a.log");
    let mut next = 0;
    // The last page of the state has room for some commits.
    wait_for("the disk is full", || {
        log.write(next..next + 10);
        next += 10;
        daemon.said().contains("No space left on device")
    });
    fs::remove_file(disk.join("other")).unwrap();
    log.write(next..next + 100);
    post.expect_once("alerts.json", next + 100);
    daemon.wait_said("none lost");
    let saved = disk.join("daemon/state");
    wait_for("it is committed", || fs::metadata(&saved).is_ok_and(|it| it.len() > 0));
    daemon.stop();
}

#[test]
fn few_descriptors_are_enough_for_many_files() {
    let test = "few_descriptors_are_enough_for_many_files";
    if Command::new("prlimit").arg("--version").output().is_err() {
        return missing(test, "there is no prlimit");
    }
    let post = Post::new("run-emfile");
    post.configure(&format!("{FILES}[[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n"));
    for at in 0..200 {
        post.log(&format!("{at:03}.log")).write(2 * at..2 * at + 1);
    }
    let mut command = post.command(&[]);
    command.wrapped_in("prlimit", &["--nofile=64"]);
    let mut daemon = post.launch(&command);
    daemon.wait_ready();
    for at in 0..200 {
        post.log(&format!("{at:03}.log")).write(2 * at + 1..2 * at + 2);
    }
    post.expect_once("alerts.json", 400);
    daemon.stop();
}

#[test]
fn a_state_that_is_cut_anywhere_starts_or_says_what_to_do() {
    let post = Post::new("run-torn");
    post.configure(&format!("{FILES}[[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n"));
    let mut log = post.log("a.log");
    for round in 0..5 {
        log.write(20 * round..20 * (round + 1));
        post.once().expect(0);
    }
    let saved = fs::read(post.path("state/daemon/state")).unwrap();
    let alerts = fs::read(post.path("alerts.json")).unwrap();
    let mut dice = Dice(5);
    let (mut started, mut refused) = (0, 0);
    for round in 0..25 {
        let cut = match round {
            0 => 0,
            1 => saved.len() - 1,
            _ => dice.roll(saved.len() as u64) as usize,
        };
        fs::write(post.path("state/daemon/state"), &saved[..cut]).unwrap();
        fs::write(post.path("alerts.json"), &alerts).unwrap();
        let run = post.once();
        match run.code {
            Code::Exit(0 | 1) => {
                started += 1;
                // Nothing is missing; at most the alerts of the lost commits are repeated.
                assert_eq!(post.numbers("alerts.json").len(), 100, "{cut}: {}", run.report());
            }
            Code::Exit(2) => {
                refused += 1;
                run.expect_stderr("state/daemon").expect_stderr("--reset");
            }
            other => panic!("{other:?} {}", run.report()),
        }
    }
    assert!(started > 0 && refused > 0, "{started} started, {refused} refused");
    // The remedy in the message works: everything is read again, and repeated.
    fs::write(post.path("state/daemon/state"), "").unwrap();
    fs::write(post.path("alerts.json"), &alerts).unwrap();
    post.command(&["--once", "--reset"]).run().expect(0);
    assert!(post.numbers("alerts.json").values().all(|count| *count == 2));
    post.once().expect(1);
}

#[test]
fn a_damaged_spool_costs_what_is_damaged_and_no_more() {
    let post = Post::new("run-spool-damaged");
    let sink = "[[sink]]\nkind = \"unix\"\npath = \"away.sock\"\n\n\
                [[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n";
    post.configure_all("", "drain = \"100ms\"", &format!("{FILES}{sink}"));
    let mut log = post.log("a.log");
    log.write(0..100);
    // One sink has nobody at its other end.
    post.once().expect(2).expect_stderr("sink “unix”").expect_stderr("not delivered");
    let folder = fs::read_dir(post.path("state/daemon/spool")).unwrap();
    for segment in folder.flatten().map(|entry| entry.path()) {
        let mut bytes = fs::read(&segment).unwrap();
        let middle = bytes.len() / 2;
        bytes.get_mut(middle..).unwrap_or_default().iter_mut().take(50).for_each(|it| *it ^= 0x55);
        fs::write(&segment, bytes).unwrap();
    }
    log.write(100..110);
    let daemon = post.start();
    post.expect_once("alerts.json", 110);
    daemon.stop();
}

#[test]
fn a_clock_that_jumps_changes_nothing() {
    let test = "a_clock_that_jumps_changes_nothing";
    if Command::new("touch").arg("--version").output().is_err() {
        return missing(test, "there is no touch");
    }
    let post = Post::new("run-mtimes");
    post.configure(&format!("{FILES}[[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n"));
    let daemon = post.start();
    let mut log = post.log("a.log");
    for (round, time) in ["2038-01-01", "1980-01-01", "2100-01-01"].iter().enumerate() {
        let round = round as u64;
        log.write(10 * round..10 * round + 10);
        let touched = Command::new("touch").args(["-d", time]).arg(&log.path).status();
        assert!(touched.unwrap().success());
        post.expect_once("alerts.json", 10 * round + 10);
    }
    daemon.stop();
}

/// The library of faketime, which shows a process another clock.
fn faketime() -> Option<PathBuf> {
    let folders = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map(|it| format!("/usr/lib/{it}"));
    let paths = folders.iter().map(|it| PathBuf::from(it).join("faketime/libfaketimeMT.so.1"));
    paths.into_iter().find(|path| path.is_file())
}

#[test]
fn a_system_clock_that_is_set_changes_no_line_and_no_window() {
    let test = "a_system_clock_that_is_set_changes_no_line_and_no_window";
    let Some(library) = faketime() else { return missing(test, "libfaketime is not installed") };
    let post = Post::new("run-clock");
    // Its own sandbox would keep the library from reading the time.
    post.configure_all(
        "",
        "sandbox = false",
        "[suppress]\nkey = [\"indicator\"]\nwindow = \"3s\"\n\n[[input]]\nkind = \"files\"\n\
         patterns = \"logs/a.log*\"\n\n[[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n\n\
         [[sink]]\nkind = \"file\"\nname = \"all\"\npath = \"all.json\"\nsuppressed = true\n",
    );
    let set = |time: &str| {
        let path = post.path("time.new");
        fs::write(&path, time).unwrap();
        super::rename(&path, &post.path("time"));
    };
    set("+0");
    let mut command = post.command(&[]);
    command.env("LD_PRELOAD", library.to_str().unwrap());
    command.env("FAKETIME_TIMESTAMP_FILE", post.path("time").to_str().unwrap());
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let mut daemon = post.launch(&command);
    daemon.wait_ready();
    let mut log = post.log("a.log");
    let held = || post.alerts("all.json").iter().filter_map(number).count() as u64;
    let repeats = || post.alerts("alerts.json").iter().filter(|it| !it["repeat"].is_null()).count();
    for (round, time) in ["-3h", "+400d", "-30d", "+0"].into_iter().enumerate() {
        let round = round as u64;
        let before = repeats();
        log.write(10 * round..10 * round + 5);
        wait_for("what came before is there", || held() >= 10 * round + 5);
        set(time);
        log.rotate(&format!("a.log.{}", 9 - round));
        log.write(10 * round + 5..10 * round + 10);
        wait_for("what came after is there", || held() >= 10 * round + 10);
        // The window that is open ends in its time.
        wait_for("the window ends", || repeats() > before);
        assert_eq!(daemon.get("/-/ready").0, 200);
        assert_eq!(daemon.get("/-/healthy").0, 200);
    }
    // The clock was seen: the last alert is of today, one before it of next year.
    let times =
        post.alerts("all.json").into_iter().map(|it| it["time"].as_str().unwrap().to_string());
    let years: std::collections::BTreeSet<String> = times.map(|it| it[..4].to_string()).collect();
    assert!(years.len() > 1, "{years:?}");
    daemon.stop();
    super::each_once(
        &super::counts(
            post.alerts("all.json").iter().filter(|it| it["repeat"].is_null()).filter_map(number),
        ),
        40,
    );
}
