//! Slips that are easily made: a wrong path must neither look like a clean result nor publish a
//! database with less than was asked for.

use crate::harness::{Dir, Run};
use std::fs;

fn run(dir: &Dir, args: &[&str]) -> Run {
    dir.command().args(args).run()
}

/// A directory with a list, its database `db`, and a log with a match.
fn prepared(name: &str) -> Dir {
    let dir = Dir::new(name);
    dir.create("plain.txt", "evil.example\ngood.example\n");
    dir.create("x.log", "to evil.example\n");
    run(&dir, &["compile", "-q", "-o", "db", "plain.txt"]).expect(0);
    dir
}

#[test]
fn without_its_allow_list_nothing_is_published_or_scanned() {
    let dir = prepared("slips-allow");
    dir.create("page.html", "<!doctype html><html></html>");
    let args = ["compile", "-o", "new", "plain.txt", "--allow", "nofile"];
    run(&dir, &args).expect(2).expect_stderr(
        "nofile: cannot read the allow list: no such file or folder; the database was not written \
         (correct the path, or leave out --allow)",
    );
    let page = run(&dir, &["compile", "-o", "new", "plain.txt", "--allow", "page.html"]).expect(2);
    page.expect_stderr("page.html: cannot read the allow list: this is an HTML page");
    assert!(!dir.path().join("new").exists());
    // An older database stays as it is.
    let old = fs::read(dir.path().join("db")).unwrap();
    run(&dir, &["compile", "-o", "db", "plain.txt", "--allow", "nofile"]).expect(2);
    assert_eq!(fs::read(dir.path().join("db")).unwrap(), old);
    for command in [
        &["scan", "--db", "db", "x.log", "--allow", "nofile"][..],
        &["tail", "--db", "db", "x.log", "--once", "--allow", "nofile"],
        &["lookup", "--db", "db", "evil.example", "--allow", "nofile"],
    ] {
        let run = run(&dir, command).expect(2).expect_stderr(
            "nofile: cannot read the allow list: no such file or folder (correct the path, or \
             leave out --allow)",
        );
        assert_eq!(run.text(), "", "{}", run.report());
    }
}

#[test]
fn what_a_list_in_memory_does_not_alert_for_is_counted() {
    let dir = prepared("slips-private");
    dir.create("lab.txt", "10.1.2.3\n");
    dir.create("labs.txt", "10.1.2.3\n192.168.7.7\nevil.example\n");
    dir.create("lab.log", "from 10.1.2.3\n");
    run(&dir, &["scan", "--db", "lab.txt", "lab.log"])
        .expect(1)
        .expect_stderr("to keep it: wiresift compile")
        .expect_stderr(
            "wiresift: lab.txt: 1 value does not alert: private address (compile with --internal \
             if it is about your own networks)",
        );
    run(&dir, &["scan", "--db", "labs.txt", "lab.log"])
        .expect(1)
        .expect_stderr("to keep them: wiresift compile")
        .expect_stderr("labs.txt: 2 values do not alert: private addresses (");
    run(&dir, &["scan", "--db", "plain.txt", "x.log"]).expect(0).expect_no_stderr("alert:");
}

#[test]
fn folders_and_patterns_without_files_are_named() {
    let dir = prepared("slips-empty");
    fs::create_dir_all(dir.path().join("emptydir/deeper")).unwrap();
    let empty = "wiresift: emptydir: the folder contains no files";
    run(&dir, &["scan", "--db", "db", "emptydir"]).expect(1).expect_stderr(empty);
    run(&dir, &["scan", "--db", "db", "emptydir", "x.log"]).expect(0).expect_stderr(empty);
    dir.create("emptydir/.hidden", "evil.example\n");
    run(&dir, &["scan", "--db", "db", "emptydir"]).expect(0).expect_no_stderr(empty);
    run(&dir, &["tail", "--db", "db", "nosuch", "--once"])
        .expect(1)
        .expect_stderr("wiresift: nosuch: no file matches");
    run(&dir, &["tail", "--db", "db", "x.log", "--once"]).expect(0).expect_no_stderr("no file");
}

#[test]
fn no_output_creates_its_folder() {
    let dir = prepared("slips-folder");
    for command in [
        &["scan", "--db", "db", "x.log", "-o", "absent/a.json"][..],
        &["tail", "--db", "db", "x.log", "--once", "-o", "absent/a.json"],
    ] {
        run(&dir, command).expect(2).expect_stderr(
            "absent/a.json: cannot open the output: the folder absent does not exist",
        );
    }
    run(&dir, &["compile", "-o", "absent/x.wsdb", "plain.txt"])
        .expect(2)
        .expect_stderr("absent/x.wsdb: cannot write: the folder absent does not exist");
    assert!(!dir.path().join("absent").exists());
}

#[test]
fn help_is_a_command_too() {
    let dir = prepared("slips-help");
    let of = |args: &[&str]| run(&dir, args).expect(0).text();
    assert_eq!(of(&["help"]), of(&["--help"]));
    assert_eq!(of(&["help", "scan"]), of(&["scan", "--help"]));
    assert_eq!(of(&["help", "feed", "add"]), of(&["feed", "add", "--help"]));
    run(&dir, &["help", "nonsense"]).expect(2).expect_stderr("unrecognized subcommand");
    // `bench` takes inputs, which may have any name.
    dir.create("help", "to evil.example\n");
    run(&dir, &["bench", "--db", "db", "help"]).expect(0).expect_stdout("1 alert in 1 event");
}

#[test]
fn files_that_failed_are_not_counted_as_read() {
    let dir = prepared("slips-files");
    run(&dir, &["compile", "-o", "new", "plain.txt", "nosuch.txt"])
        .expect(2)
        .expect_stderr("nosuch.txt: cannot open: no such file or folder")
        .expect_stderr("new: 2 distinct values from 2 indicators in 1 of 2 files");
    run(&dir, &["compile", "-o", "new", "plain.txt"]).expect(0).expect_stderr("in 1 file");
}

#[test]
fn counts_and_paths_are_no_json() {
    let dir = prepared("slips-json");
    for list in ["-c", "-l"] {
        let refused = run(&dir, &["scan", "--db", "db", "x.log", list, "--json"]).expect(2);
        refused.expect_stderr("cannot be used with '--json'");
        run(&dir, &["scan", "--db", "db", "x.log", list]).expect(0);
    }
}
