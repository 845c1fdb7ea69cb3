//! `wiresift run --setup`, on a terminal made by `script` (util-linux).

use crate::harness::{Dir, Run, missing};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use wiresift::intel::config as feeds;
use wiresift::sensor::config::{Config, InputKind, SinkKind};

/// Runs the setup on a terminal with these answers, one per line. The status is the command's.
/// `None` if `script` is not installed.
fn setup(dir: &Dir, args: &str, answers: &[&str]) -> Option<Run> {
    if !Path::new("/usr/bin/script").exists() {
        missing("setup", "script is not installed");
        return None;
    }
    let line = format!("script -qec 'exec wiresift run --setup {args}' /dev/null");
    let mut input = answers.join("\n");
    // The end of the input, like Ctrl-D on its own line.
    input.push_str("\n\x04");
    Some(dir.shell(&line).stdin(input).run())
}

#[test]
fn defaults_make_a_configuration_that_can_be_checked() {
    let dir = Dir::new("setup_defaults");
    let Some(run) = setup(&dir, "", &[""; 6]) else { return };
    let run = run.expect(0);
    for part in [
        "1. What should be watched?",
        "2. Which feeds?",
        "3. Where should alerts go?",
        "4. How many alerts do you want?",
        "Wrote wiresift.toml",
        "wiresift run --check",
        "wiresift feed update --compile",
    ] {
        assert!(run.text().contains(part), "no {part:?}\n{}", run.report());
    }
    let path = dir.path().join("wiresift.toml");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    let config = Config::open(&path).unwrap();
    assert!(matches!(config.inputs[0].kind, InputKind::Files(_)));
    assert!(matches!(config.sinks[0].kind, SinkKind::File(_)));
    let names: Vec<String> =
        feeds::Config::open(&path).unwrap().feeds.into_iter().map(|feed| feed.name).collect();
    assert_eq!(names, ["feodo", "ipsum-5", "spamhaus-drop", "sslbl", "threatfox", "urlhaus"]);
    // An existing file is not overwritten.
    let before = fs::read_to_string(&path).unwrap();
    let run = setup(&dir, "", &[""; 6]).unwrap().expect(2);
    assert!(run.text().contains("--force"), "{}", run.report());
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    let loud = ["2", "4", "2", "3"];
    setup(&dir, "--force", &loud).unwrap().expect(0);
    let config = Config::open(&path).unwrap();
    assert!(!config.suppress.enabled && config.feeds == 0);
    assert!(matches!(config.inputs[0].kind, InputKind::Journal(_)));
}

#[test]
fn wrong_answers_are_asked_again_with_the_reason() {
    let dir = Dir::new("setup_wrong");
    dir.create("ours.txt", "evil.example\n");
    // What to watch: the address for syslog, and captures.
    let watch = "9|3,6|514|udp://127.0.0.1:5514|in";
    // Feeds of the catalogue, and a list of our own.
    let feeds = "2 3|urlhaus-online threatfxo|urlhaus-online threatfox urlhaus-online|nothing.txt|\
                 ours.txt";
    // Where alerts go: mail, and a webhook.
    let alerts = "6,4|mail.example.net|nobody|a@example.net|b@example.net c@example.net|\
                  ftp://example.net|https://example.net/hook";
    let answers = [watch, feeds, alerts, "1 2|1"].join("|");
    let answers: Vec<&str> = answers.split('|').collect();
    let Some(run) = setup(&dir, "--config sub.toml", &answers) else { return };
    let run = run.expect(0);
    for part in [
        "“9” is not a number from 1 to 6",
        "udp://",
        "the catalogue has no “threatfxo”; did you mean “threatfox”?",
        "nothing.txt does not exist",
        "expected one number",
        "wiresift run --check --config sub.toml",
    ] {
        assert!(run.text().contains(part), "no {part:?}\n{}", run.report());
    }
    let path = dir.path().join("sub.toml");
    let config = Config::open(&path).unwrap();
    let kinds: Vec<&str> = config.inputs.iter().map(|input| input.kind.name()).collect();
    assert_eq!(kinds, ["syslog", "captures"]);
    let kinds: Vec<&str> = config.sinks.iter().map(|sink| sink.kind.name()).collect();
    assert_eq!(kinds, ["mail", "webhook"]);
    assert!(config.sinks.iter().all(|sink| sink.filter.min_severity.is_some()));
    let SinkKind::Mail(mail) = &config.sinks[0].kind else { panic!("{:?}", config.sinks) };
    assert_eq!(mail.to, ["b@example.net", "c@example.net"]);
    let names: Vec<String> =
        feeds::Config::open(&path).unwrap().feeds.into_iter().map(|feed| feed.name).collect();
    assert_eq!(names, ["own", "urlhaus-online", "threatfox"]);
}

#[test]
fn an_end_in_the_middle_writes_nothing() {
    let dir = Dir::new("setup_end");
    let Some(run) = setup(&dir, "", &["", ""]) else { return };
    let run = run.expect(2);
    assert!(run.text().contains("nothing was written"), "{}", run.report());
    assert!(!dir.path().join("wiresift.toml").exists());
}

#[test]
fn without_a_terminal_it_says_so() {
    let dir = Dir::new("setup_pipe");
    let run = dir.command().args(["run", "--setup"]).stdin("\n\n\n\n").run().expect(2);
    run.expect_stderr("needs a terminal").expect_stderr("config.md");
    assert!(!dir.path().join("wiresift.toml").exists());
}
